//! Do two files show the same picture, and if it was changed, where?
//!
//! The rule, measured on real photos and on 32 × 32 pictures (`cargo bench --bench bench -- compare` prints how often
//! it is right):
//!
//! 1. Both pictures are brought to one size: the contribution's shape, a short side of at most 256, never enlarged.
//!    Shapes that differ by more than 2 % (and more than a pixel) are two pictures.
//! 2. A pixel's *error* is how far its value lies outside of all values in the 3 × 3 pixels around its place in the
//!    other picture, both ways, brightness and both colour differences added (colour counts half).
//!    Sharpening, shifts of a pixel and most of what JPEG does thus cost little; what was not there before costs all.
//! 3. Errors are averaged over windows of 1/32 of the short side (3 to 8 pixels).
//!    Nine tenths of the windows tell how noisy the encoding is.
//!    A window was *changed* when its error passes 5 × that noise, at least 10 levels of 255 (20 when one picture had to be
//!    resized, which moves edges), and is certainly changed above 32.
//! 4. No window changed: the same picture. More than half of them: two pictures. Otherwise: edited,
//!    and the box holds the pixels with at least a quarter of the largest error.

use crate::feature::picture::{Picture, resize};
use crate::model::PixelBox;

/// The short side at which pictures are compared, and the long side for those that are one long strip.
const SHORT_SIDE: f64 = 256.0;
const LONG_SIDE: f64 = 2048.0;
/// Shapes that differ by no more than this are one.
const SHAPE_SLACK: f64 = 0.02;
/// The errors are averaged over windows of `short side / WINDOWS`.
const WINDOWS: usize = 32;
/// The share of windows whose error passes for noise, and how far beyond it a change begins.
const NOISE_QUANTILE: f64 = 0.9;
const NOISE_FACTOR: f64 = 5.0;
/// No error below is a change: between pictures of one size, and between others.
const LEAST_CHANGE: f64 = 10.0;
const LEAST_CHANGE_RESIZED: f64 = 20.0;
/// Any error above is a change, however noisy the rest.
const SURE_CHANGE: f64 = 32.0;
/// With more than this share of windows changed there is nothing left that is the same.
const MOST_CHANGED: f64 = 0.5;
/// Averaged errors are kept in 1/16 levels.
const FINE: f64 = 16.0;

/// How two pictures relate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Likeness {
    /// One picture, encoded otherwise.
    Same,
    /// One picture, but for a part of it.
    Edited {
        /// Where, in pixels of the contribution's picture.
        area: PixelBox,
        /// The share of windows that were changed.
        share: f64,
    },
    /// Two pictures.
    Unlike,
}

/// How the contribution's picture relates to the base's.
#[must_use]
pub fn compare(base: &Picture, contribution: &Picture) -> Likeness {
    if !same_shape((base.width, base.height), (contribution.width, contribution.height)) {
        return Likeness::Unlike;
    }
    let (width, height) = common_size(base, contribution);
    let errors = Errors::of(&resize(base, width, height), &resize(contribution, width, height));
    let same_size = (base.width, base.height) == (contribution.width, contribution.height);
    let least = if same_size { LEAST_CHANGE } else { LEAST_CHANGE_RESIZED };
    errors.judge(least, (contribution.width, contribution.height))
}

/// Whether two sizes (width, height) are of one shape, so that the one's picture can be the other's resized.
#[must_use]
pub fn same_shape(base: (u32, u32), contribution: (u32, u32)) -> bool {
    let (base_width, base_height) = (f64::from(base.0), f64::from(base.1));
    let (width, height) = (f64::from(contribution.0), f64::from(contribution.1));
    if base.0.min(base.1).min(contribution.0).min(contribution.1) == 0 {
        return false;
    }
    // How wide the base's picture would be at the contribution's height; a pixel of either may be rounding.
    let stretched = (base_width * height / base_height - width).abs();
    stretched <= (SHAPE_SLACK * width).max(1.0).max(width / base_width)
}

/// The size at which two pictures of one shape are compared.
fn common_size(base: &Picture, contribution: &Picture) -> (u32, u32) {
    let (width, height) = (f64::from(contribution.width), f64::from(contribution.height));
    let scale = (f64::from(base.width) / width)
        .min(f64::from(base.height) / height)
        .min(SHORT_SIDE / width.min(height))
        .min(LONG_SIDE / width.max(height))
        .min(1.0);
    let side = |full: f64| ((full * scale).round() as u32).max(1);
    (side(width), side(height))
}

/// Where two pictures of one size differ.
struct Errors {
    width: usize,
    height: usize,
    /// A pixel each, in levels.
    raw: Vec<u8>,
    /// Averaged over the window around each pixel, in 1/16 levels.
    smooth: Vec<u16>,
}

impl Errors {
    fn of(one: &Picture, other: &Picture) -> Self {
        let (width, height) = (one.width as usize, one.height as usize);
        let mut doubled = vec![0_u16; width * height];
        for (channel, weight) in [(0, 2), (1, 1), (2, 1)] {
            let (a, b) = (plane(one, channel), plane(other, channel));
            for (values, around) in [(&a, &b), (&b, &a)] {
                let (low, high) = range_around(around, width, height);
                for (((sum, &value), &low), &high) in doubled.iter_mut().zip(values).zip(&low).zip(&high) {
                    let outside = low.saturating_sub(value).max(value.saturating_sub(high));
                    *sum += weight * u16::from(outside);
                }
            }
        }
        let raw: Vec<u8> = doubled.iter().map(|&error| (error / 2).min(255) as u8).collect();
        let window = (width.min(height) / WINDOWS).clamp(3, 8);
        let smooth = average(&raw, width, height, window);
        Self { width, height, raw, smooth }
    }

    fn judge(&self, least: f64, full: (u32, u32)) -> Likeness {
        let Self { width, height, raw, smooth } = self;
        let peak = f64::from(smooth.iter().copied().max().unwrap_or(0)) / FINE;
        let limit = (NOISE_FACTOR * self.quantile(NOISE_QUANTILE)).min(SURE_CHANGE).max(least);
        if peak <= limit {
            return Likeness::Same;
        }
        let changed = smooth.iter().filter(|&&error| f64::from(error) / FINE > limit).count();
        let share = changed as f64 / smooth.len() as f64;
        if share > MOST_CHANGED {
            return Likeness::Unlike;
        }
        let smooth_limit = (limit.max(peak / 4.0) * FINE) as u16;
        let in_question = |at: usize| smooth[at] > smooth_limit;
        let raw_peak = (0..raw.len()).filter(|&at| in_question(at)).map(|at| raw[at]).max().unwrap_or(0);
        let raw_limit = f64::from(raw_peak / 4).max(limit).min(f64::from(raw_peak)) as u8;
        let (mut left, mut top, mut right, mut bottom) = (*width, *height, 0, 0);
        for at in (0..raw.len()).filter(|&at| in_question(at) && raw[at] >= raw_limit) {
            let (x, y) = (at % width, at / width);
            (left, right) = (left.min(x), right.max(x + 1));
            (top, bottom) = (top.min(y), bottom.max(y + 1));
        }
        let down = |at: usize, full: u32, small: usize| (at as u64 * u64::from(full) / small as u64) as u32;
        let up =
            |at: usize, full: u32, small: usize| (at as u64 * u64::from(full)).div_ceil(small as u64) as u32;
        let (x, y) = (down(left, full.0, *width), down(top, full.1, *height));
        let area = PixelBox {
            x,
            y,
            width: up(right, full.0, *width).saturating_sub(x),
            height: up(bottom, full.1, *height).saturating_sub(y),
        };
        Likeness::Edited { area, share }
    }

    /// The averaged error that this share of windows does not pass, in levels.
    fn quantile(&self, share: f64) -> f64 {
        let mut counts = vec![0_usize; 256 * FINE as usize];
        for &error in &self.smooth {
            counts[error as usize] += 1;
        }
        let wanted = share * self.smooth.len() as f64;
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            seen as f64 >= wanted
        });
        found.unwrap_or(0) as f64 / FINE
    }
}

/// One of brightness (0) and the two colour differences (1 and 2), as in JPEG (BT.601, full range), a byte a pixel.
fn plane(picture: &Picture, channel: usize) -> Vec<u8> {
    // 16-bit fixed point; the constant rounds and, for colours, moves grey to 128.
    let ([r, g, b], constant) = [
        ([19_595, 38_470, 7_471], 1 << 15),
        ([-11_059, -21_709, 32_768], (128 << 16) + (1 << 15)),
        ([32_768, -27_439, -5_329], (128 << 16) + (1 << 15)),
    ][channel];
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    pixels
        .iter()
        .map(|pixel| {
            let [red, green, blue] = pixel.map(i32::from);
            ((r * red + g * green + b * blue + constant) >> 16).clamp(0, 255) as u8
        })
        .collect()
}

/// The lowest and the highest value in the 3 × 3 pixels around each pixel.
fn range_around(values: &[u8], width: usize, height: usize) -> (Vec<u8>, Vec<u8>) {
    let mut low = vec![0; values.len()];
    let mut high = vec![0; values.len()];
    let (mut low_row, mut high_row) = (vec![0; width], vec![0; width]);
    for y in 0..height {
        let row = |y: usize| &values[y * width..(y + 1) * width];
        low_row.copy_from_slice(row(y));
        high_row.copy_from_slice(row(y));
        for other in [y.saturating_sub(1), (y + 1).min(height - 1)] {
            for ((low, high), &value) in low_row.iter_mut().zip(&mut high_row).zip(row(other)) {
                *low = (*low).min(value);
                *high = (*high).max(value);
            }
        }
        let (low, high) = (&mut low[y * width..(y + 1) * width], &mut high[y * width..(y + 1) * width]);
        low.copy_from_slice(&low_row);
        high.copy_from_slice(&high_row);
        for (target, &value) in low[1..].iter_mut().zip(&low_row) {
            *target = (*target).min(value);
        }
        for (target, &value) in low.iter_mut().zip(&low_row[1..]) {
            *target = (*target).min(value);
        }
        for (target, &value) in high[1..].iter_mut().zip(&high_row) {
            *target = (*target).max(value);
        }
        for (target, &value) in high.iter_mut().zip(&high_row[1..]) {
            *target = (*target).max(value);
        }
    }
    (low, high)
}

/// The average over the window around each pixel (of what lies inside the picture), in 1/16 levels.
fn average(raw: &[u8], width: usize, height: usize, window: usize) -> Vec<u16> {
    let stride = width + 1;
    let mut sums = vec![0_u32; stride * (height + 1)];
    for y in 0..height {
        let mut sum = 0;
        for x in 0..width {
            sum += u32::from(raw[y * width + x]);
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + sum;
        }
    }
    let before = (window - 1) / 2;
    let after = window - before;
    let mut smooth = Vec::with_capacity(raw.len());
    for y in 0..height {
        let (top, bottom) = (y.saturating_sub(before), (y + after).min(height));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(before), (x + after).min(width));
            let sum = sums[bottom * stride + right] + sums[top * stride + left]
                - sums[top * stride + right]
                - sums[bottom * stride + left];
            smooth.push((FINE as u32 * sum / ((right - left) * (bottom - top)) as u32) as u16);
        }
    }
    smooth
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose brightness is `value(x, y)`.
    fn picture(width: u32, height: u32, value: impl Fn(u32, u32) -> u32) -> Picture {
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = rgb.flat_map(|(x, y)| [value(x, y).min(255) as u8; 3]).collect();
        Picture { width, height, rgb, format: "png" }
    }

    #[test]
    fn pictures_of_any_shape_can_be_compared() {
        for (width, height) in [(1, 1), (1, 5_000), (5_000, 1), (2, 3), (31, 33), (7, 3_000), (700, 500)] {
            let grey = picture(width, height, |x, y| 100 + (x + y) % 50);
            assert_eq!(compare(&grey, &grey), Likeness::Same, "{width} x {height}");
            let white = picture(width, height, |_, _| 255);
            assert_eq!(compare(&grey, &white), Likeness::Unlike, "{width} x {height}");
        }
        let empty = picture(0, 0, |_, _| 0);
        assert_eq!(compare(&empty, &empty), Likeness::Unlike);
    }

    #[test]
    fn shapes() {
        for (base, contribution, same) in [
            ((400, 300), (200, 150), true),
            ((401, 299), (200, 150), true),
            ((33, 32), (32, 32), true),
            ((400, 300), (300, 400), false),
            ((400, 300), (380, 300), false),
            ((1_000, 3), (10, 1), false),
        ] {
            assert_eq!(same_shape(base, contribution), same, "{base:?} {contribution:?}");
        }
    }

    #[test]
    fn what_moved_by_a_pixel_is_the_same_and_what_is_new_is_boxed() {
        let hills = |x: u32, y: u32| 60 + (x * x / 50 + y * 3) % 130;
        let base = picture(64, 64, |x, y| 40 + 2 * x.min(60) + y);
        assert_eq!(compare(&base, &picture(64, 64, |x, y| 42 + 2 * x.min(60) + y)), Likeness::Same);
        let dot = |x: u32, y: u32| (10..14).contains(&x) && (40..44).contains(&y);
        let edited = picture(64, 64, |x, y| if dot(x, y) { 255 } else { 40 + 2 * x.min(60) + y });
        let Likeness::Edited { area, share } = compare(&base, &edited) else { panic!("edited") };
        assert_eq!(area, PixelBox { x: 10, y: 40, width: 4, height: 4 });
        assert!(share < 0.05, "{share}");
        let shifted = picture(64, 64, |x, y| hills(x + 1, y));
        assert!(!matches!(compare(&picture(64, 64, hills), &shifted), Likeness::Unlike));
    }
}
