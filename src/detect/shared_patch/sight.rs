//! Where and how surely does a picture show a mark?

use rayon::prelude::*;

use super::code::{Coded, unit};
use super::mine::Template;
use crate::feature::picture::{Picture, resize};
use crate::model::PixelBox;

/// Pictures whose thumbnails correlate more are one picture.
const ONE_PICTURE: f32 = 0.985;
const MOST_COLLAPSED: usize = 1500;
/// How far around a patch its mark may reach, and of how many pictures its outline is made.
const AROUND: u32 = 4;
const OUTLINED: usize = 40;
const LEAST_OUTLINED: usize = 6;
/// A pixel belongs to the mark when it varies less than this share of what pixels vary.
const STEADY: f32 = 0.35;

/// One template of a mark, with what the background says about likenesses to it.
pub(super) struct Part {
    pub template: Template,
    /// The likeness that a tenth of the background passes, and by how much on average.
    usual: f32,
    excess: f32,
}

impl Part {
    pub fn new(template: Template, background: &[f32]) -> Self {
        let mut sorted = background.to_vec();
        sorted.sort_by(f32::total_cmp);
        let from = sorted.len() * 9 / 10;
        let usual = sorted.get(from).copied().unwrap_or(1.0);
        let above = &sorted[from.min(sorted.len())..];
        let excess = above.iter().map(|value| value - usual).sum::<f32>() / above.len().max(1) as f32;
        Self { template, usual, excess: excess.max(1e-3) }
    }

    /// −ln of the share of the background that is as like, from an exponential tail; 0 below the tail.
    fn surprise(&self, likeness: f32) -> f32 {
        if likeness > self.usual { 10_f32.ln() + (likeness - self.usual) / self.excess } else { 0.0 }
    }
}

/// What a picture shows of a mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// How surprising its likenesses to the parts are in all.
    pub surprise: f32,
    /// How surprising the first part is, and where it is.
    pub first: f32,
    pub place: (u32, u32),
    /// All parts that are near the most surprising one.
    parts: PixelBox,
}

impl Sight {
    /// A suspected picture (one of `own`) is compared with what the others gave.
    pub fn of(
        coded: &Coded,
        own: Option<(&[Coded], usize)>,
        codes: &[f32],
        parts: &[Part],
        side: u32,
    ) -> Self {
        let mut best = (0.0_f32, (0, 0));
        let mut total = 0.0;
        let mut places = Vec::with_capacity(parts.len());
        if !coded.seeds.is_empty() {
            let likest = coded.best_patches(codes, codes.len() / parts.len());
            for (part, (likeness, patch)) in parts.iter().zip(likest) {
                let fair = |(all, at): (&[Coded], usize)| part.template.fair(all, at, likeness, patch);
                let surprise = part.surprise(own.map_or(likeness, fair));
                let place = coded.place(patch);
                total += surprise;
                places.push((surprise, place));
                if surprise > best.0 {
                    best = (surprise, place);
                }
            }
        }
        let (x, y) = best.1;
        let (mut left, mut top, mut right, mut bottom) = (x, y, x + side, y + side);
        for &(surprise, (x, y)) in &places {
            let near = x.abs_diff(best.1.0).max(y.abs_diff(best.1.1)) <= side;
            if surprise >= 0.5 * best.0 && near && surprise > 0.0 {
                (left, top) = (left.min(x), top.min(y));
                (right, bottom) = (right.max(x + side), bottom.max(y + side));
            }
        }
        let (first, place) = places.first().copied().unwrap_or_default();
        let parts = PixelBox { x: left, y: top, width: right - left, height: bottom - top };
        Self { surprise: total, first, place, parts }
    }

    /// Where the mark is: its outline around the first part, or else where the parts are.
    pub fn area(&self, picture: &Picture, outline: Option<&Outline>) -> PixelBox {
        let Some(outline) = outline.filter(|_| self.first > 0.0) else { return self.parts };
        let (x, y) = (self.place.0 as i32, self.place.1 as i32);
        let side = |at: i32, full: u32| at.clamp(0, full as i32) as u32;
        let (left, right) = (side(x + outline.left, picture.width), side(x + outline.right, picture.width));
        let (top, bottom) = (side(y + outline.top, picture.height), side(y + outline.bottom, picture.height));
        if left >= right || top >= bottom {
            return self.parts;
        }
        PixelBox { x: left, y: top, width: right - left, height: bottom - top }
    }
}

/// Where a mark lies around the corner of its first part, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outline {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

/// The pixels around a part that are the same in all pictures: what is planted stays, what is beneath varies.
pub(super) fn outline(sights: &[(&Picture, (u32, u32))], side: u32) -> Option<Outline> {
    let sights = &sights[..sights.len().min(OUTLINED)];
    if sights.len() < LEAST_OUTLINED {
        return None;
    }
    let across = side + 2 * AROUND;
    // Of each pixel of the window and channel: how many, sum, sum of squares.
    let mut sums = vec![[0.0_f32; 3]; (across * across * 3) as usize];
    let mut whole = [[0.0_f32; 3]; 3];
    for (picture, (x, y)) in sights {
        for (at, sums) in sums.chunks_exact_mut(3).enumerate() {
            let (u, v) = (at as u32 % across + x, at as u32 / across + y);
            let (Some(u), Some(v)) = (u.checked_sub(AROUND), v.checked_sub(AROUND)) else { continue };
            if u < picture.width && v < picture.height {
                let pixel = ((v * picture.width + u) * 3) as usize;
                add(sums, &picture.rgb[pixel..pixel + 3]);
            }
        }
        for pixel in picture.rgb.as_chunks::<3>().0 {
            add(&mut whole, pixel);
        }
    }
    let limit = STEADY * variance(&whole);
    let steady: Vec<bool> = sums
        .chunks_exact(3)
        .map(|sums| sums[0][0] >= LEAST_OUTLINED as f32 && variance(sums) < limit)
        .collect();
    // One steady pixel in a line is chance.
    let lines = |by_row: bool| -> Option<(i32, i32)> {
        let count = |line: u32| {
            let at = |other: u32| if by_row { line * across + other } else { other * across + line };
            (0..across).filter(|&other| steady[at(other) as usize]).count()
        };
        let those: Vec<u32> = (0..across).filter(|&line| count(line) >= 2).collect();
        let (first, last) = (*those.first()?, *those.last()?);
        Some((first as i32 - AROUND as i32, last as i32 + 1 - AROUND as i32))
    };
    let ((left, right), (top, bottom)) = (lines(false)?, lines(true)?);
    Some(Outline { left, top, right, bottom })
}

fn add(sums: &mut [[f32; 3]], pixel: &[u8]) {
    for (sum, &value) in sums.iter_mut().zip(pixel) {
        let value = f32::from(value) - 128.0;
        sum[0] += 1.0;
        sum[1] += value;
        sum[2] += value * value;
    }
}

/// The mean over channels of how much a pixel varies.
fn variance(sums: &[[f32; 3]]) -> f32 {
    let of = |[count, sum, square]: &[f32; 3]| {
        let count = count.max(1.0);
        (square / count - (sum / count) * (sum / count)).max(0.0)
    };
    sums.iter().map(of).sum::<f32>() / sums.len() as f32
}

/// How many of the pictures are different, when near duplicates count once.
pub(super) fn different(pictures: &[&Picture]) -> usize {
    if pictures.len() > MOST_COLLAPSED {
        return pictures.len();
    }
    let shapes: Vec<Vec<f32>> = pictures
        .par_iter()
        .map(|picture| {
            let small = resize(picture, 8, 8);
            let mean = small.rgb.iter().map(|value| f32::from(*value)).sum::<f32>() / small.rgb.len() as f32;
            unit(small.rgb.iter().map(|value| f32::from(*value) - mean).collect())
        })
        .collect();
    let alike = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() > ONE_PICTURE;
    let mut firsts: Vec<usize> = Vec::new();
    for at in 0..shapes.len() {
        if !firsts.iter().any(|&first| alike(&shapes[first], &shapes[at])) {
            firsts.push(at);
        }
    }
    firsts.len()
}

#[cfg(test)]
mod tests {
    use super::super::super::calibrate::mixed;
    use super::*;

    #[test]
    fn what_stays_is_the_mark_and_copies_count_once() {
        let picture = |seed: u64, left: u32, top: u32| {
            let mut rgb: Vec<u8> = (0..32 * 32 * 3).map(|at| mixed(seed << 32 | at) as u8).collect();
            for (y, x) in (0..4).flat_map(|y| (0..5).map(move |x| (y, x))) {
                let at = (((top + y) * 32 + left + x) * 3) as usize;
                rgb[at..at + 3].copy_from_slice(&[250, (50 * x) as u8, (60 * y) as u8]);
            }
            Picture { width: 32, height: 32, rgb, format: "png" }
        };
        let pictures: Vec<Picture> =
            (0..12).map(|at| picture(u64::from(at), 3 + at % 7 * 3, 3 + at % 5 * 4)).collect();
        let sights: Vec<(&Picture, (u32, u32))> = pictures
            .iter()
            .enumerate()
            .map(|(at, picture)| (picture, (2 + at as u32 % 7 * 3, 2 + at as u32 % 5 * 4)))
            .collect();
        assert_eq!(outline(&sights, 7), Some(Outline { left: 1, top: 1, right: 6, bottom: 5 }));
        assert_eq!(outline(&sights[..3], 7), None);
        let copies: Vec<&Picture> = pictures.iter().chain(&pictures[..5]).collect();
        assert_eq!(different(&copies), 12);
    }
}
