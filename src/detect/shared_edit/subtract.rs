//! What was put on a picture? The picture less its source, after both are brought to one size and one brightness.

use crate::feature::picture::{Picture, box_average, resize};
use crate::model::PixelBox;

/// The short side at which pictures are subtracted, and the long side of long strips.
const SHORT_SIDE: f64 = 256.0;
const LONG_SIDE: f64 = 1024.0;
/// Shapes that differ by more are two pictures.
const SHAPE_SLACK: f64 = 0.02;
/// Pixels that are looked at to learn the change of brightness.
const FIT_PIXELS: usize = 4096;
/// The share of them that must lie close to the line.
const FIT_KEPT: f64 = 0.7;
/// A window changed when its error passes this many times the noise of nine tenths of the windows,
/// and at least so many levels (more where one of the pictures was resized); beyond the last it certainly did.
const NOISE_FACTOR: f32 = 5.0;
const LEAST_CHANGE: f32 = 6.0;
const LEAST_CHANGE_RESIZED: f32 = 12.0;
const SURE_CHANGE: f32 = 32.0;
/// With more of a picture changed, the change is no part of it.
const MOST_CHANGED: f64 = 0.25;
/// Less correlation of the fine detail of what did not change, and it is another picture that happens to be like it.
const LEAST_DETAIL: f64 = 0.6;
/// Changed regions kept a picture, and the least share of the largest one's change.
const MOST_CUTS: usize = 3;
const LEAST_CUT: f32 = 0.3;

/// Side of the square in which a change's shape is kept, and of the one for its colours.
pub(super) const SHAPE_SIDE: usize = 16;
pub(super) const COLOUR_SIDE: usize = 8;
/// Half the side of that square, in standard deviations of the change around its centre.
const REACH: f32 = 2.0;

/// Ways to turn (degrees) and stretch a change before it is compared.
const TURNS: [f32; 5] = [0.0, -15.0, -7.5, 7.5, 15.0];
const STRETCHES: [f32; 3] = [1.0, 0.9, 1.11];
/// How many of both; the first is the change as it is.
pub(super) const VARIANTS: usize = TURNS.len() * STRETCHES.len();

/// A part of a picture that its source does not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    /// In pixels of the contribution's picture.
    pub area: PixelBox,
    /// The same as shares of width and height: left, top, right, bottom.
    pub place: [f32; 4],
    /// How strongly each place changed, mean 0 and length 1, by variant.
    pub shapes: Vec<f32>,
    /// Colours of the changed places, length 1, by variant.
    pub colours: Vec<f32>,
}

/// The parts of `now` that `then` does not have, most changed first;
/// `None` where the pictures are not one picture but for a part.
pub(super) fn cuts(then: &Picture, now: &Picture) -> Option<Vec<Cut>> {
    let (width, height) = common_size(then, now)?;
    let same_size = (then.width, then.height) == (now.width, now.height);
    let least = if same_size { LEAST_CHANGE } else { LEAST_CHANGE_RESIZED };
    let full = (now.width, now.height);
    let (then, now) = (resize(then, width, height), resize(now, width, height));
    let plain = Plain::of(&then, &now);
    let limit = plain.limit(least);
    let changed: Vec<bool> = plain.smooth.iter().map(|error| *error > limit).collect();
    let share = changed.iter().filter(|changed| **changed).count() as f64 / changed.len() as f64;
    if share > MOST_CHANGED || detail(&then, &now, &changed) < LEAST_DETAIL {
        return None;
    }
    let mut regions = regions(&changed, &plain);
    regions.sort_by(|a, b| b.mass.total_cmp(&a.mass).then(a.pixels[0].cmp(&b.pixels[0])));
    let least_mass = regions.first().map_or(0.0, |region| region.mass * LEAST_CUT);
    regions.retain(|region| region.mass >= least_mass);
    regions.truncate(MOST_CUTS);
    Some(regions.iter().filter_map(|region| plain.cut(region, &now, full)).collect())
}

/// Correlation of brightness less its local mean, where nothing changed; 1 where there is no detail to compare.
fn detail(then: &Picture, now: &Picture, changed: &[bool]) -> f64 {
    let (width, height) = (now.width as usize, now.height as usize);
    let fine = |picture: &Picture| -> Vec<f32> {
        let pixels = picture.rgb.as_chunks::<3>().0.iter();
        let grey: Vec<f32> =
            pixels.map(|[r, g, b]| (f32::from(*r) + 2.0 * f32::from(*g) + f32::from(*b)) / 4.0).collect();
        let mean = box_average(&grey, width, height, 5);
        grey.iter().zip(&mean).map(|(value, mean)| value - mean).collect()
    };
    let (then, now) = (fine(then), fine(now));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for ((x, y), _) in then.iter().zip(&now).zip(changed).filter(|(_, changed)| !**changed) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    if xx < changed.len() as f64 { 1.0 } else { xy / (xx * yy).sqrt().max(1e-9) }
}

/// The size at which both are subtracted, or `None` for two shapes.
fn common_size(then: &Picture, now: &Picture) -> Option<(u32, u32)> {
    if then.width.min(then.height).min(now.width).min(now.height) == 0 {
        return None;
    }
    let (width, height) = (f64::from(now.width), f64::from(now.height));
    let (across, down) = (f64::from(then.width) / width, f64::from(then.height) / height);
    // Rounding to whole pixels is no other shape.
    let slack = SHAPE_SLACK.max(1.5 / f64::from(then.width.min(then.height).min(now.width).min(now.height)));
    if (across / down - 1.0).abs() > slack {
        return None;
    }
    let scale =
        across.min(down).min(SHORT_SIDE / width.min(height)).min(LONG_SIDE / width.max(height)).min(1.0);
    let side = |full: f64| ((full * scale).round() as u32).max(1);
    Some((side(width), side(height)))
}

/// Two pictures of one size, subtracted.
struct Plain {
    width: usize,
    height: usize,
    /// How far each pixel is from its source, in levels.
    raw: Vec<f32>,
    /// How far each window lies outside what its surroundings explain.
    smooth: Vec<f32>,
}

/// Changed pixels that touch, ascending.
struct Region {
    pixels: Vec<u32>,
    mass: f32,
}

impl Plain {
    fn of(then: &Picture, now: &Picture) -> Self {
        let (width, height) = (now.width as usize, now.height as usize);
        let count = width * height;
        let mut raw = vec![0.0_f32; count];
        let mut outside = vec![0.0_f32; count];
        for channel in 0..3 {
            let plane = |picture: &Picture| -> Vec<f32> {
                picture.rgb.iter().skip(channel).step_by(3).map(|value| f32::from(*value)).collect()
            };
            let (mut source, target) = (plane(then), plane(now));
            let (gain, offset) = fit(&source, &target);
            for value in &mut source {
                *value = gain * *value + offset;
            }
            for ((raw, value), source) in raw.iter_mut().zip(&target).zip(&source) {
                *raw += (value - source) * (value - source) / 3.0;
            }
            let (low, high) = range_around(&source, width, height);
            let (target_low, target_high) = range_around(&target, width, height);
            for at in 0..count {
                let new = (low[at] - target[at]).max(target[at] - high[at]);
                let gone = (target_low[at] - source[at]).max(source[at] - target_high[at]);
                outside[at] += new.max(gone).max(0.0) / 3.0;
            }
        }
        for square in &mut raw {
            *square = square.sqrt();
        }
        let window = (width.min(height) / 32).clamp(3, 8);
        let smooth = box_average(&outside, width, height, window);
        Self { width, height, raw, smooth }
    }

    fn limit(&self, least: f32) -> f32 {
        (NOISE_FACTOR * quantile(&self.smooth, 0.9)).min(SURE_CHANGE).max(least)
    }

    /// The description of a region: where it is and what it looks like whatever its size and turn.
    fn cut(&self, region: &Region, now: &Picture, full: (u32, u32)) -> Option<Cut> {
        let Self { width, height, raw, .. } = self;
        let around = |at: u32| (at as usize % width, at as usize / width);
        let peak = region.pixels.iter().map(|&at| raw[at as usize]).fold(0.0, f32::max);
        let (mut left, mut top, mut right, mut bottom) = (*width, *height, 0, 0);
        for (x, y) in region.pixels.iter().filter(|&&at| raw[at as usize] >= peak / 4.0).map(|&at| around(at))
        {
            (left, right) = (left.min(x), right.max(x + 1));
            (top, bottom) = (top.min(y), bottom.max(y + 1));
        }
        // How strongly each pixel changed, nearly 0 or 1 whatever lies beneath.
        let inside: Vec<f32> = region.pixels.iter().map(|&at| raw[at as usize]).collect();
        let unit = 0.5 * quantile(&inside, 0.8);
        if unit <= 0.0 || left >= right {
            return None;
        }
        let noise = (1.5 * quantile(raw, 0.75)).min(unit / 2.0);
        let strength = |x: usize, y: usize| ((raw[y * width + x] - noise) / unit).clamp(0.0, 1.0);
        let mut sums = [0.0_f32; 4];
        for y in top..bottom {
            for x in left..right {
                let weight = strength(x, y);
                let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
                for (sum, value) in sums.iter_mut().zip([1.0, x, y, x * x + y * y]) {
                    *sum += weight * value;
                }
            }
        }
        let [mass, x, y, squares] = sums;
        if mass <= 0.0 {
            return None;
        }
        let centre = (x / mass, y / mass);
        let spread = (squares / mass - centre.0 * centre.0 - centre.1 * centre.1).max(0.25).sqrt();
        let at = |x: i64, y: i64| {
            let within = (left as i64..right as i64).contains(&x) && (top as i64..bottom as i64).contains(&y);
            within.then_some((x as usize, y as usize))
        };
        let mut shapes = Vec::with_capacity(VARIANTS * SHAPE_SIDE * SHAPE_SIDE);
        let mut colours = Vec::with_capacity(VARIANTS * COLOUR_SIDE * COLOUR_SIDE * 3);
        for turn in TURNS {
            for stretch in STRETCHES {
                let (sin, cos) = turn.to_radians().sin_cos();
                // Average of the pixels around a place of the square, each with its strength.
                let sample = |u: f32, v: f32, value: &dyn Fn(usize, usize) -> f32| {
                    let (u, v) = (u * REACH * spread * stretch, v * REACH * spread * stretch);
                    let (x, y) = (centre.0 + cos * u - sin * v - 0.5, centre.1 + sin * u + cos * v - 0.5);
                    let (x0, y0) = (x.floor(), y.floor());
                    let (dx, dy) = (x - x0, y - y0);
                    let corners = [
                        (0, 0, (1.0 - dx) * (1.0 - dy)),
                        (1, 0, dx * (1.0 - dy)),
                        (0, 1, (1.0 - dx) * dy),
                        (1, 1, dx * dy),
                    ];
                    let value = |(i, j, weight): (i64, i64, f32)| {
                        at(x0 as i64 + i, y0 as i64 + j)
                            .map_or(0.0, |(x, y)| weight * strength(x, y) * value(x, y))
                    };
                    corners.into_iter().map(value).sum::<f32>()
                };
                let grid = |side: usize| {
                    (0..side * side).map(move |cell| {
                        let place = |at: usize| (at as f32 + 0.5) / side as f32 * 2.0 - 1.0;
                        (place(cell % side), place(cell / side))
                    })
                };
                let mut shape: Vec<f32> = grid(SHAPE_SIDE).map(|(u, v)| sample(u, v, &|_, _| 1.0)).collect();
                let mean = shape.iter().sum::<f32>() / shape.len() as f32;
                for value in &mut shape {
                    *value -= mean;
                }
                shapes.extend(unit_length(shape));
                let mut colour = Vec::with_capacity(COLOUR_SIDE * COLOUR_SIDE * 3);
                for (u, v) in grid(COLOUR_SIDE) {
                    for channel in 0..3 {
                        let level =
                            |x: usize, y: usize| f32::from(now.rgb[(y * width + x) * 3 + channel]) - 128.0;
                        colour.push(sample(u, v, &level));
                    }
                }
                colours.extend(unit_length(colour));
            }
        }
        let (w, h) = (*width as f32, *height as f32);
        let place = [left as f32 / w, top as f32 / h, right as f32 / w, bottom as f32 / h];
        let side = |start: usize, end: usize, full: u32, small: usize| {
            let from = (start as u64 * u64::from(full) / small as u64) as u32;
            let to = (end as u64 * u64::from(full)).div_ceil(small as u64) as u32;
            (from, to.saturating_sub(from).max(1))
        };
        let (x, area_width) = side(left, right, full.0, *width);
        let (y, area_height) = side(top, bottom, full.1, *height);
        let area = PixelBox { x, y, width: area_width, height: area_height };
        Some(Cut { area, place, shapes, colours })
    }
}

fn unit_length(mut values: Vec<f32>) -> Vec<f32> {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut values {
            *value /= length;
        }
    }
    values
}

/// The line `target ≈ gain × source + offset` through most of the pixels: least squares of the best seven tenths.
fn fit(source: &[f32], target: &[f32]) -> (f32, f32) {
    let step = source.len().div_ceil(FIT_PIXELS).max(1);
    let points: Vec<(f64, f64)> = source
        .iter()
        .zip(target)
        .step_by(step)
        .map(|(source, target)| (f64::from(*source), f64::from(*target)))
        .collect();
    line(&points)
}

/// [`fit`] of these points; a line that is hardly determined only moves, and one that is absurd is none.
pub(super) fn line(points: &[(f64, f64)]) -> (f32, f32) {
    let (mut gain, mut offset) = (1.0, 0.0);
    let kept = ((points.len() as f64 * FIT_KEPT).ceil() as usize).max(1);
    let mut errors: Vec<(f64, usize)> = Vec::with_capacity(points.len());
    for _ in 0..4 {
        errors.clear();
        errors.extend(points.iter().enumerate().map(|(at, (x, y))| ((y - gain * x - offset).abs(), at)));
        errors.select_nth_unstable_by(kept - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let best = &mut errors[..kept];
        best.sort_unstable_by_key(|(_, at)| *at);
        let count = best.len() as f64;
        let (mut mean_x, mut mean_y) = (0.0, 0.0);
        for &(_, at) in best.iter() {
            mean_x += points[at].0 / count;
            mean_y += points[at].1 / count;
        }
        let (mut xx, mut xy) = (0.0, 0.0);
        for &(_, at) in best.iter() {
            let (x, y) = (points[at].0 - mean_x, points[at].1 - mean_y);
            xx += x * x;
            xy += x * y;
        }
        gain = if xx > 16.0 * count { xy / xx } else { 1.0 };
        if !(0.5..=1.6).contains(&gain) {
            gain = 1.0;
        }
        offset = mean_y - gain * mean_x;
    }
    (gain as f32, offset as f32)
}

/// The value that this share of values does not pass.
pub(super) fn quantile(values: &[f32], share: f64) -> f32 {
    let mut values = values.to_vec();
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f64 * share) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// The lowest and highest value in the 3×3 pixels around each.
fn range_around(values: &[f32], width: usize, height: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut low_rows, mut high_rows) = (values.to_vec(), values.to_vec());
    for y in 0..height {
        for other in [y.checked_sub(1), (y + 1 < height).then_some(y + 1)].into_iter().flatten() {
            let line = &values[other * width..(other + 1) * width];
            for (at, &value) in line.iter().enumerate() {
                low_rows[y * width + at] = low_rows[y * width + at].min(value);
                high_rows[y * width + at] = high_rows[y * width + at].max(value);
            }
        }
    }
    let (mut low, mut high) = (low_rows.clone(), high_rows.clone());
    for (row, (low, high)) in low.chunks_exact_mut(width).zip(high.chunks_exact_mut(width)).enumerate() {
        let (lows, highs) = (&low_rows[row * width..], &high_rows[row * width..]);
        for x in 1..width {
            low[x] = low[x].min(lows[x - 1]);
            high[x] = high[x].max(highs[x - 1]);
            low[x - 1] = low[x - 1].min(lows[x]);
            high[x - 1] = high[x - 1].max(highs[x]);
        }
    }
    (low, high)
}

/// Regions of changed pixels; those closer than a sixty-fourth of the short side are one.
fn regions(changed: &[bool], plain: &Plain) -> Vec<Region> {
    let (width, height) = (plain.width as i64, plain.height as i64);
    let reach = (width.min(height) / 64).max(1);
    let mut seen = vec![false; changed.len()];
    let mut found = Vec::new();
    for start in 0..changed.len() {
        if !changed[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        let mut pixels = vec![start as u32];
        let mut next = 0;
        while next < pixels.len() {
            let at = i64::from(pixels[next]);
            next += 1;
            let (x, y) = (at % width, at / width);
            for near_y in (y - reach).max(0)..=(y + reach).min(height - 1) {
                for near_x in (x - reach).max(0)..=(x + reach).min(width - 1) {
                    let near = (near_y * width + near_x) as usize;
                    if changed[near] && !seen[near] {
                        seen[near] = true;
                        pixels.push(near as u32);
                    }
                }
            }
        }
        pixels.sort_unstable();
        let mass = pixels.iter().map(|&at| plain.raw[at as usize]).sum();
        found.push(Region { pixels, mass });
    }
    found
}
