//! Is one picture a part of another? The smaller is slid over the larger at many sizes.

use super::structure::Agreement;
use crate::compare::likeness::{self, Likeness};
use crate::feature::picture::{Picture, fit, resize};

/// The longest side at which every place is tried.
const COARSE: u32 = 32;
/// The least side of the part, as a share of the most that fits into the whole.
const LEAST_SIDE: f32 = 0.6;
/// Sizes that are tried, from [`LEAST_SIDE`] to all of it.
const SIZES: u32 = 14;
/// Correlation from which a place is looked at closely, and from which it is the same.
const PROMISING: f32 = 0.8;
const CONVINCING: f32 = 0.9;
/// A part whose grey varies less says nothing about where it comes from.
const LEAST_CONTRAST: f32 = 10.0;

/// Whether one of two small pictures shows a part of what the other shows.
pub(super) fn one_is_part(a: &Picture, b: &Picture) -> bool {
    is_part(a, b) || is_part(b, a)
}

fn is_part(whole: &Picture, part: &Picture) -> bool {
    if Grey::of(part).deviation() < LEAST_CONTRAST {
        return false;
    }
    let (width, height) = fit(whole.width, whole.height, COARSE);
    let coarse = Grey::of(&resize(whole, width, height)).sums();
    let best = (0..SIZES).filter_map(|step| {
        let share = LEAST_SIDE + (1.0 - LEAST_SIDE) * step as f32 / (SIZES - 1) as f32;
        let size = part_size((width, height), part, share)?;
        let template = Template::of(&resize(part, size.0, size.1))?;
        let (score, x, y) = coarse.best_place(&template, (0, width - size.0), (0, height - size.1));
        Some((score, x, y, share))
    });
    let Some((score, x, y, share)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) else { return false };
    if score < PROMISING {
        return false;
    }
    let fine = Grey::of(whole).sums();
    let (up_x, up_y) = (whole.width as f32 / width as f32, whole.height as f32 / height as f32);
    let (x, y) = ((x as f32 * up_x) as u32, (y as f32 * up_y) as u32);
    let around = |at: u32, slack: f32, most: u32| {
        let slack = slack.ceil() as u32 + 1;
        (at.saturating_sub(slack).min(most), (at + slack).min(most))
    };
    let mut best: Option<(f32, u32, u32, Picture)> = None;
    for step in -3..=3_i16 {
        let share = (share + f32::from(step) * 0.01).min(1.0);
        let Some(size) = part_size((whole.width, whole.height), part, share) else { continue };
        let small = resize(part, size.0, size.1);
        let Some(template) = Template::of(&small) else { continue };
        let (most_x, most_y) = (whole.width - size.0, whole.height - size.1);
        let (score, x, y) = fine.best_place(&template, around(x, up_x, most_x), around(y, up_y, most_y));
        if best.as_ref().is_none_or(|best| score > best.0) {
            best = Some((score, x, y, small));
        }
    }
    let Some((score, x, y, part)) = best else { return false };
    if score < CONVINCING {
        return false;
    }
    let place = cut(whole, x, y, part.width, part.height);
    likeness::compare(&place, &part) != Likeness::Unlike && Agreement::of(&place, &part).convincing()
}

/// The size of the part in pixels of the whole, if its longer side is to be this share of what fits.
fn part_size(whole: (u32, u32), part: &Picture, share: f32) -> Option<(u32, u32)> {
    let fits = (whole.0 as f32 / part.width as f32).min(whole.1 as f32 / part.height as f32);
    let side = |full: u32, most: u32| ((full as f32 * fits * share).round() as u32).min(most);
    let size = (side(part.width, whole.0), side(part.height, whole.1));
    (size.0 >= 8 && size.1 >= 8).then_some(size)
}

fn cut(picture: &Picture, x: u32, y: u32, width: u32, height: u32) -> Picture {
    let stride = picture.width as usize * 3;
    let rows = picture.rgb.chunks_exact(stride).skip(y as usize).take(height as usize);
    let rgb = rows.flat_map(|row| &row[x as usize * 3..(x + width) as usize * 3]).copied().collect();
    Picture { width, height, rgb, format: picture.format }
}

/// Brightness a pixel.
pub(super) struct Grey {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Grey {
    pub fn of(picture: &Picture) -> Self {
        let value =
            |[r, g, b]: &[u8; 3]| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b);
        Self {
            width: picture.width as usize,
            height: picture.height as usize,
            values: picture.rgb.as_chunks::<3>().0.iter().map(value).collect(),
        }
    }

    fn deviation(&self) -> f32 {
        let count = self.values.len().max(1) as f32;
        let mean = self.values.iter().sum::<f32>() / count;
        (self.values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count).sqrt()
    }

    /// With what is needed to know any window's variance at once.
    fn sums(self) -> Searched {
        let stride = self.width + 1;
        let mut sums = vec![(0.0_f64, 0.0_f64); stride * (self.height + 1)];
        for y in 0..self.height {
            let (mut sum, mut square) = (0.0, 0.0);
            for x in 0..self.width {
                let value = f64::from(self.values[y * self.width + x]);
                sum += value;
                square += value * value;
                let above = sums[y * stride + x + 1];
                sums[(y + 1) * stride + x + 1] = (above.0 + sum, above.1 + square);
            }
        }
        Searched { grey: self, sums }
    }
}

/// A picture in which another is searched.
struct Searched {
    grey: Grey,
    /// Of values and squares, above and left of each corner.
    sums: Vec<(f64, f64)>,
}

/// What is searched: mean 0, length 1.
struct Template {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Template {
    fn of(picture: &Picture) -> Option<Self> {
        let Grey { width, height, mut values } = Grey::of(picture);
        let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
        for value in &mut values {
            *value -= mean;
        }
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        for value in &mut values {
            *value /= length;
        }
        (length > 1.0).then_some(Self { width, height, values })
    }
}

impl Searched {
    /// The largest correlation among places in these ranges (ends included), and its place.
    fn best_place(&self, template: &Template, xs: (u32, u32), ys: (u32, u32)) -> (f32, u32, u32) {
        let mut best = (f32::MIN, xs.0, ys.0);
        for y in ys.0..=ys.1 {
            for x in xs.0..=xs.1 {
                let score = self.correlation(template, x as usize, y as usize);
                if score > best.0 {
                    best = (score, x, y);
                }
            }
        }
        best
    }

    fn correlation(&self, template: &Template, x: usize, y: usize) -> f32 {
        let Template { width, height, values } = template;
        let stride = self.grey.width + 1;
        let corner = |x: usize, y: usize| self.sums[y * stride + x];
        let [a, b, c, d] =
            [corner(x, y), corner(x + width, y), corner(x, y + height), corner(x + width, y + height)];
        let (sum, square) = (d.0 - b.0 - c.0 + a.0, d.1 - b.1 - c.1 + a.1);
        let spread = square - sum * sum / (width * height) as f64;
        if spread < 1.0 {
            return 0.0;
        }
        let mut product = 0.0;
        for (row, template) in values.chunks_exact(*width).enumerate() {
            let from = (y + row) * self.grey.width + x;
            let window = &self.grey.values[from..from + width];
            product += window.iter().zip(template).map(|(a, b)| a * b).sum::<f32>();
        }
        product / spread.sqrt() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(width: u32, height: u32, seed: f32) -> Picture {
        let value = |x: u32, y: u32| {
            let (x, y) = (x as f32 / 12.0, y as f32 / 12.0);
            let wave = (x * 1.3 + seed).sin() + (y * 1.7 + seed * 2.0).cos() + (x * y * 0.21 + seed).sin();
            let value = (128.0 + 40.0 * wave) as u8;
            [value, 255 - value, (x * 20.0) as u8]
        };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| value(x, y))).collect();
        Picture { width, height, rgb, format: "png" }
    }

    #[test]
    fn crops_are_parts_and_other_scenes_are_not() {
        let whole = scene(240, 180, 0.0);
        let thumb = |picture: &Picture| {
            let (width, height) = fit(picture.width, picture.height, 64);
            resize(picture, width, height)
        };
        for (x, y, width, height) in
            [(0, 0, 240, 180), (20, 10, 190, 150), (60, 0, 180, 130), (0, 45, 240, 135)]
        {
            let part = thumb(&cut(&whole, x, y, width, height));
            assert!(one_is_part(&thumb(&whole), &part), "{x} {y} {width} {height}");
            assert!(one_is_part(&part, &thumb(&whole)));
        }
        for seed in [1.0, 2.0, 3.0] {
            assert!(!one_is_part(&thumb(&whole), &thumb(&scene(190, 150, seed))), "{seed}");
        }
    }

    #[test]
    fn strips_and_blank_pictures_are_nobodys_part() {
        let blank = Picture { width: 64, height: 48, rgb: vec![90; 64 * 48 * 3], format: "png" };
        let strip = scene(64, 1, 0.0);
        let whole = scene(64, 48, 0.0);
        assert!(!one_is_part(&blank, &blank) && !one_is_part(&whole, &blank) && !one_is_part(&whole, &strip));
        assert!(!one_is_part(&strip, &strip));
    }
}
