//! Is this picture dark, bright, blurred, empty, or without colour? Measured as `CleanVision` 0.3 measures it.
//!
//! Its definitions, each a number in [0, 1] that is low where there is a problem:
//! * *dark*: the 99th percentile of brightness, `√(0.241 R² + 0.691 G² + 0.068 B²) / 255`;
//! * *bright*: 1 − the 5th percentile of brightness;
//! * *information*: a tenth of the entropy in bits of the histogram of all channels, at most 1;
//! * *sharpness*: brought to a longest side of 64, grey, `1 − exp(−0.01 σ)` of the standard deviation σ of a 3 × 3
//!   edge filter, plus the same of the histogram's deviation where that is above 0.18, at most 1.
//!
//! Where this differs: a picture counts as grey when no pixel has a colour (there: when the file stores one channel),
//! and then has the entropy of its one channel; above [`MOST_PIXELS`] brightness and entropy are of evenly spread
//! pixels; transparent pixels are white (there: whatever colour lies under them).

use super::picture::{Picture, resize_cubic};

/// Pixels that brightness and entropy are taken from.
const MOST_PIXELS: usize = 1 << 18;
/// The longest side at which sharpness is measured.
const SHARPNESS_SIDE: f64 = 64.0;
/// Squared brightness is counted in steps of 2^14 of 65,025,000.
const STEP_BITS: u32 = 14;
const STEPS: usize = (65_025_000 >> STEP_BITS) + 1;
/// What turns a deviation into a score.
const RATE: f64 = 0.01;
/// The histogram's part of sharpness counts above this.
const LEAST_CONTRAST: f64 = 0.18;

/// How well a picture can be seen; every number in 1/65535, low where there is a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality {
    dark: u16,
    bright: u16,
    information: u16,
    sharpness: u16,
    grey: bool,
}

/// Bytes of [`Quality::to_bytes`].
pub(super) const QUALITY_BYTES: usize = 9;

impl Quality {
    /// The 99th percentile of brightness: low for a dark picture.
    #[must_use]
    pub fn dark(&self) -> f64 {
        fraction(self.dark)
    }

    /// 1 − the 5th percentile of brightness: low for a picture that is bright all over.
    #[must_use]
    pub fn bright(&self) -> f64 {
        fraction(self.bright)
    }

    /// The middle between the 5th and the 99th percentile of brightness: how bright the picture is, in [0, 1].
    #[must_use]
    pub fn brightness(&self) -> f64 {
        f64::midpoint(1.0 - self.bright(), self.dark())
    }

    /// A tenth of the entropy in bits: low for a picture with little in it.
    #[must_use]
    pub fn information(&self) -> f64 {
        fraction(self.information)
    }

    /// Low for a blurred picture.
    #[must_use]
    pub fn sharpness(&self) -> f64 {
        fraction(self.sharpness)
    }

    /// Whether no pixel has a colour.
    #[must_use]
    pub fn grey(&self) -> bool {
        self.grey
    }

    pub(super) fn of(picture: &Picture) -> Self {
        let pixels = picture.rgb.as_chunks::<3>().0;
        if pixels.is_empty() {
            return Self::default();
        }
        let grey = pixels.iter().all(|[r, g, b]| r == g && g == b);
        let counts = Counts::of(pixels);
        let entropy = counts.entropy() - if grey { 3.0_f64.log2() } else { 0.0 };
        Self {
            dark: stored(counts.brightness(0.99)),
            bright: stored(1.0 - counts.brightness(0.05)),
            information: stored(0.1 * entropy),
            sharpness: stored(sharpness(picture)),
            grey,
        }
    }

    pub(super) fn to_bytes(self) -> [u8; QUALITY_BYTES] {
        let Self { dark, bright, information, sharpness, grey } = self;
        let mut bytes = [0; QUALITY_BYTES];
        for (out, number) in bytes.chunks_exact_mut(2).zip([dark, bright, information, sharpness]) {
            out.copy_from_slice(&number.to_le_bytes());
        }
        bytes[QUALITY_BYTES - 1] = u8::from(grey);
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; QUALITY_BYTES]) -> Self {
        let number = |at: usize| u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        Self {
            dark: number(0),
            bright: number(1),
            information: number(2),
            sharpness: number(3),
            grey: bytes[QUALITY_BYTES - 1] != 0,
        }
    }
}

fn fraction(stored: u16) -> f64 {
    f64::from(stored) / f64::from(u16::MAX)
}

fn stored(fraction: f64) -> u16 {
    (fraction.clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16
}

/// What values the pixels have.
struct Counts {
    channels: [[u32; 256]; 3],
    /// By squared brightness.
    brightness: Vec<u32>,
    pixels: usize,
}

impl Counts {
    fn of(pixels: &[[u8; 3]]) -> Self {
        // An odd step, so that it does not keep to some columns of a picture whose width is a power of two.
        let step = (pixels.len().div_ceil(MOST_PIXELS)) | 1;
        let step = if pixels.len() <= MOST_PIXELS { 1 } else { step };
        let mut channels = [[0; 256]; 3];
        let mut brightness = vec![0; STEPS];
        for pixel in pixels.iter().step_by(step) {
            let [r, g, b] = pixel.map(u32::from);
            brightness[((241 * r * r + 691 * g * g + 68 * b * b) >> STEP_BITS) as usize] += 1;
            for (counts, value) in channels.iter_mut().zip(pixel) {
                counts[usize::from(*value)] += 1;
            }
        }
        Self { channels, brightness, pixels: pixels.len().div_ceil(step) }
    }

    /// The brightness that this share of pixels does not pass, interpolated between two pixels as numpy does.
    fn brightness(&self, share: f64) -> f64 {
        let place = share * (self.pixels - 1) as f64;
        let at = |rank: usize| {
            let mut seen = 0;
            let step = self.brightness.iter().position(|&count| {
                seen += count as usize;
                seen > rank
            });
            let middle = (step.unwrap_or(STEPS - 1) as f64 + 0.5) * f64::from(1 << STEP_BITS);
            match step {
                Some(0) => 0.0,
                _ => (middle / 65_025_000.0).min(1.0).sqrt(),
            }
        };
        let (below, above) = (at(place.floor() as usize), at(place.ceil() as usize));
        below + (above - below) * place.fract()
    }

    /// Bits, of the three channels' histograms side by side.
    fn entropy(&self) -> f64 {
        let total = 3.0 * self.pixels as f64;
        let part = |&count: &u32| match f64::from(count) / total {
            0.0 => 0.0,
            share => -share * share.log2(),
        };
        self.channels.as_flattened().iter().map(part).sum()
    }
}

fn sharpness(picture: &Picture) -> f64 {
    let ratio = f64::from(picture.width.max(picture.height)) / SHARPNESS_SIDE;
    let side = |full: u32| if ratio > 1.0 { ((f64::from(full) / ratio) as u32).max(1) } else { full };
    let (width, height) = (side(picture.width), side(picture.height));
    let small = resize_cubic(picture, width, height);
    let grey: Vec<u8> = small
        .rgb
        .as_chunks::<3>()
        .0
        .iter()
        .map(|pixel| {
            let [r, g, b] = pixel.map(u32::from);
            ((19_595 * r + 38_470 * g + 7_471 * b + (1 << 15)) >> 16) as u8
        })
        .collect();
    let score = |deviation: f64| 1.0 - (-RATE * deviation).exp();
    let edges = score(edge_deviation(&grey, width as usize, height as usize));
    let contrast = score(histogram_deviation(&grey));
    (edges + if contrast > LEAST_CONTRAST { contrast } else { 0.0 }).min(1.0)
}

/// The standard deviation of eight times each pixel less its eight neighbours, in 0..=255; the border stays as it is.
fn edge_deviation(grey: &[u8], width: usize, height: usize) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let inside = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
            let value = if inside {
                let around: i32 = [at - width, at, at + width]
                    .iter()
                    .map(|&middle| grey[middle - 1..=middle + 1].iter().map(|&v| i32::from(v)).sum::<i32>())
                    .sum();
                (9 * i32::from(grey[at]) - around).clamp(0, 255)
            } else {
                i32::from(grey[at])
            };
            sum += f64::from(value);
            squares += f64::from(value * value);
        }
    }
    let count = grey.len() as f64;
    ((squares - sum * sum / count) / count).max(0.0).sqrt()
}

fn histogram_deviation(grey: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &value in grey {
        counts[usize::from(value)] += 1;
    }
    let mean = grey.len() as f64 / 256.0;
    let squares: f64 = counts.iter().map(|&count| (f64::from(count) - mean).powi(2)).sum();
    (squares / 256.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, value: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Picture { width, height, rgb: rgb.flat_map(|(x, y)| value(x, y)).collect(), format: "png" }
    }

    /// Against `CleanVision` 0.3.7 on the same pixels, stored as PNG.
    fn check(picture: &Picture, dark: f64, bright: f64, information: f64, sharpness: f64, grey: bool) {
        let found = Quality::of(picture);
        assert_eq!(Quality::from_bytes(found.to_bytes()), found);
        let numbers = [found.dark(), found.bright(), found.information(), found.sharpness()];
        for (found, expected) in numbers.iter().zip([dark, bright, information, sharpness]) {
            assert!((found - expected).abs() < 0.005, "{numbers:?}");
        }
        assert_eq!(found.grey(), grey);
    }

    #[test]
    fn the_numbers_are_cleanvisions() {
        let hills = |x: u32, y: u32| [(x * 2 + y) as u8, (255 - x) as u8, ((x * y) / 64) as u8];
        check(&picture(128, 96, hills), 0.838, 0.5371, 0.8899, 0.5509, false);
        check(&picture(128, 96, |x, y| hills(x, y).map(|v| v / 5)), 0.1666, 0.9089, 0.6596, 0.5114, false);
        let board = |x: u32, y: u32| if (x / 4 + y / 4).is_multiple_of(2) { [250; 3] } else { [5; 3] };
        check(&picture(40, 40, board), 0.9804, 0.9804, 0.1, 1.0, true);
    }

    #[test]
    fn pictures_of_any_shape_have_numbers() {
        for (width, height) in [(1, 1), (1, 500), (20_000, 10), (2, 2), (600, 600)] {
            let black = Quality::of(&picture(width, height, |_, _| [0; 3]));
            assert_eq!((black.dark(), black.bright(), black.information()), (0.0, 1.0, 0.0));
            assert!(black.grey());
            let white = Quality::of(&picture(width, height, |_, _| [255; 3]));
            assert!(white.dark() > 0.999 && white.bright() < 0.001, "{white:?}");
        }
    }
}
