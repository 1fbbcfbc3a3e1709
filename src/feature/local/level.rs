//! What do the levels of a picture's pyramid look like? Three colour planes, their gradients, and how corner-like each place is.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use super::super::picture::Picture;

/// From one level to the next, the sides shrink by the cube root of 2.
pub(super) const FACTOR: f32 = 1.259_921;

/// Red, green and blue as brightness and two differences: a mark of any colour shows in one of them.
pub(super) struct Planes {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: [Vec<f32>; 3],
}

/// The gradient of the channel in which it is largest, in grey levels a pixel, across and down.
pub(super) type Slopes = (Vec<f32>, Vec<f32>);

/// The gradients and the corner response on a grid of half the size.
pub(super) struct Gradients {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    /// Smaller eigenvalue of the structure tensor; sample (i, j) lies at pixel (2 i + ½, 2 j + ½).
    pub(super) response: Vec<f32>,
    pub(super) response_width: usize,
}

/// Half of the 5-tap Gaussian with σ = 0.8, middle first.
const BLUR: [f32; 3] = [0.499_116, 0.228_512, 0.021_930];

/// Half of the 7-tap Gaussian with σ = 1, middle first.
const INTEGRATE: [f32; 4] = [0.399_05, 0.242_036, 0.054_006, 0.004_433];

impl Planes {
    pub(super) fn of(picture: &Picture) -> Self {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let mut channels = [(); 3].map(|()| vec![0.0; width * height]);
        let [bright, red_green, blue_yellow] = &mut channels;
        let pixels = picture.rgb.as_chunks::<3>().0;
        for (((b, rg), by), pixel) in bright.iter_mut().zip(red_green).zip(blue_yellow).zip(pixels) {
            let [red, green, blue] = pixel.map(f32::from);
            *b = 0.299 * red + 0.587 * green + 0.114 * blue;
            *rg = 0.7 * (red - green);
            *by = 0.7 * (blue - 0.5 * (red + green));
        }
        Self { width, height, channels }
    }

    /// The next level, by a triangle filter.
    pub(super) fn next(&self) -> Self {
        let shrunk = |side: usize| ((side as f32 / FACTOR).round() as usize).max(1);
        let (width, height) = (shrunk(self.width), shrunk(self.height));
        let (across, down) = (taps(self.width, width), taps(self.height, height));
        let mut line = vec![0.0; self.width];
        let channels = [0, 1, 2].map(|channel: usize| {
            let source = &self.channels[channel];
            let row = |y: usize| &source[y * self.width..(y + 1) * self.width];
            let mut out = Vec::with_capacity(width * height);
            for tap in &down {
                let [a, b, c] = tap.positions.map(row);
                let [wa, wb, wc] = tap.weights;
                for (((line, a), b), c) in line.iter_mut().zip(a).zip(b).zip(c) {
                    *line = wa * a + wb * b + wc * c;
                }
                out.extend(across.iter().map(|tap| {
                    let [a, b, c] = tap.positions.map(|x| line[x]);
                    tap.weights[0] * a + tap.weights[1] * b + tap.weights[2] * c
                }));
            }
            out
        });
        Self { width, height, channels }
    }

    pub(super) fn gradients(&self) -> Gradients {
        let (width, height) = (self.width, self.height);
        let (x, y) = self.slopes();
        let (response, response_width) = pulp::Arch::new().dispatch(|| respond(&x, &y, width, height));
        Gradients { width, height, x, y, response, response_width }
    }

    /// Blurs, differentiates and takes the channel with the largest gradient, row by row.
    pub(super) fn slopes(&self) -> Slopes {
        pulp::Arch::new().dispatch(|| self.slopes_here())
    }

    #[inline(always)]
    fn slopes_here(&self) -> Slopes {
        let (width, height) = (self.width, self.height);
        let mut x = vec![0.0; width * height];
        let mut y = vec![0.0; width * height];
        let mut padded = vec![0.0; width + 4];
        // The last three blurred rows of each channel.
        let mut rings = [(); 3].map(|()| [(); 3].map(|()| vec![0.0; width]));
        let mut largest = vec![0.0; width];
        for row in 0..height {
            for (ring, channel) in rings.iter_mut().zip(&self.channels) {
                let at = |offset: usize| {
                    let row = (row + offset).saturating_sub(2).min(height - 1);
                    &channel[row * width..(row + 1) * width]
                };
                blur_down([at(0), at(1), at(2), at(3), at(4)], &mut padded[2..width + 2]);
                let (first, last) = (padded[2], padded[width + 1]);
                padded[..2].fill(first);
                padded[width + 2..].fill(last);
                blur_across(&padded, &mut ring[row % 3]);
            }
            // The row before this one has both neighbours now.
            if row < 2 || width < 3 {
                continue;
            }
            let middle = (row - 1) * width;
            let (x, y) = (&mut x[middle + 1..middle + width - 1], &mut y[middle + 1..middle + width - 1]);
            for (channel, ring) in rings.iter().enumerate() {
                let (above, middle, below) = (&ring[(row - 2) % 3], &ring[(row - 1) % 3], &ring[row % 3]);
                keep_largest(above, middle, below, x, y, &mut largest[..width - 2], channel == 0);
            }
        }
        (x, y)
    }
}

/// Which pixels one target pixel is made of.
struct Tap {
    positions: [usize; 3],
    weights: [f32; 3],
}

/// A triangle as wide as two target pixels reaches at most three source pixels at this factor.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|i| {
            let centre = (i as f32 + 0.5) * scale - 0.5;
            let first = (centre - scale).floor() as isize + 1;
            let weights = [0, 1, 2].map(|k| (1.0 - ((first + k) as f32 - centre).abs() / scale).max(0.0));
            let sum: f32 = weights.iter().sum();
            let positions = [0, 1, 2].map(|k| (first + k).clamp(0, from as isize - 1) as usize);
            Tap { positions, weights: weights.map(|w| w / sum) }
        })
        .collect()
}

#[inline(always)]
fn blur_down(rows: [&[f32]; 5], out: &mut [f32]) {
    let n = out.len();
    let [a, b, c, d, e] = rows.map(|row| &row[..n]);
    for i in 0..n {
        out[i] = BLUR[0] * c[i] + BLUR[1] * (b[i] + d[i]) + BLUR[2] * (a[i] + e[i]);
    }
}

#[inline(always)]
fn blur_across(padded: &[f32], out: &mut [f32]) {
    let n = out.len();
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|k| &padded[k..k + n]);
    for i in 0..n {
        out[i] = BLUR[0] * c[i] + BLUR[1] * (b[i] + d[i]) + BLUR[2] * (a[i] + e[i]);
    }
}

/// Central differences of one channel, kept where they are larger than those there; `x` and `y` begin at column 1.
#[inline(always)]
fn keep_largest(
    above: &[f32],
    middle: &[f32],
    below: &[f32],
    x: &mut [f32],
    y: &mut [f32],
    largest: &mut [f32],
    first: bool,
) {
    let n = x.len();
    let (left, right) = (&middle[..n], &middle[2..n + 2]);
    let (above, below) = (&above[1..=n], &below[1..=n]);
    let (y, largest) = (&mut y[..n], &mut largest[..n]);
    if first {
        largest.fill(-1.0);
    }
    for i in 0..n {
        let dx = 0.5 * (right[i] - left[i]);
        let dy = 0.5 * (below[i] - above[i]);
        let size = dx * dx + dy * dy;
        let larger = size > largest[i];
        x[i] = if larger { dx } else { x[i] };
        y[i] = if larger { dy } else { y[i] };
        largest[i] = if larger { size } else { largest[i] };
    }
}

/// The structure tensor summed over 2 × 2 pixels and a Gaussian, and its smaller eigenvalue.
#[inline(always)]
fn respond(x: &[f32], y: &[f32], width: usize, height: usize) -> (Vec<f32>, usize) {
    let (half_width, half_height) = (width / 2, height / 2);
    let mut tensor = [(); 3].map(|()| vec![0.0; half_width * half_height]);
    let mut sums = [(); 3].map(|()| vec![0.0; half_width * 2]);
    for half_row in 0..half_height {
        let n = half_width * 2;
        let (top, bottom) = (half_row * 2 * width, (half_row * 2 + 1) * width);
        let (x0, x1) = (&x[top..top + n], &x[bottom..bottom + n]);
        let (y0, y1) = (&y[top..top + n], &y[bottom..bottom + n]);
        let [xx, xy, yy] = &mut sums;
        let (xx, xy, yy) = (&mut xx[..n], &mut xy[..n], &mut yy[..n]);
        for i in 0..n {
            xx[i] = x0[i] * x0[i] + x1[i] * x1[i];
            xy[i] = x0[i] * y0[i] + x1[i] * y1[i];
            yy[i] = y0[i] * y0[i] + y1[i] * y1[i];
        }
        for (plane, sums) in tensor.iter_mut().zip(&sums) {
            let out = &mut plane[half_row * half_width..(half_row + 1) * half_width];
            for (out, pair) in out.iter_mut().zip(sums.as_chunks::<2>().0) {
                *out = 0.25 * (pair[0] + pair[1]);
            }
        }
    }
    let [xx, xy, yy] = tensor.map(|plane| integrate(&plane, half_width, half_height));
    let response = xx
        .iter()
        .zip(&xy)
        .zip(&yy)
        .map(|((a, b), c)| {
            let difference = a - c;
            0.5 * (a + c - (difference * difference + 4.0 * b * b).sqrt())
        })
        .collect();
    (response, half_width)
}

#[inline(always)]
fn integrate(plane: &[f32], width: usize, height: usize) -> Vec<f32> {
    let mut out = vec![0.0; width * height];
    let mut padded = vec![0.0; width + 6];
    let [k0, k1, k2, k3] = INTEGRATE;
    for (y, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
        let row = |offset: usize| {
            let y = (y + offset).saturating_sub(3).min(height - 1);
            &plane[y * width..(y + 1) * width]
        };
        let [a, b, c, d, e, f, g] = [0, 1, 2, 3, 4, 5, 6].map(row);
        let line = &mut padded[3..width + 3];
        for i in 0..width {
            line[i] = k0 * d[i] + k1 * (c[i] + e[i]) + k2 * (b[i] + f[i]) + k3 * (a[i] + g[i]);
        }
        let (first, last) = (padded[3], padded[width + 2]);
        padded[..3].fill(first);
        padded[width + 3..].fill(last);
        let [a, b, c, d, e, f, g] = [0, 1, 2, 3, 4, 5, 6].map(|k| &padded[k..k + width]);
        for i in 0..width {
            out[i] = k0 * d[i] + k1 * (c[i] + e[i]) + k2 * (b[i] + f[i]) + k3 * (a[i] + g[i]);
        }
    }
    out
}
