//! What does the thing look like that the members of a cluster share? Its cut-outs, averaged: what is the same stays,
//! what is not blurs.

use rayon::prelude::*;

use crate::feature::picture::{Picture, decode_for, resize};
use crate::model::{Cluster, PixelBox};
use crate::source::Pictures;

/// Members that are averaged, best first.
const MOST_MEMBERS: usize = 64;
/// Side of the averaged cut-out, pixels.
const SIDE: u32 = 160;
/// How much more than its box a cut-out shows, as a factor of the box's longer side.
const AROUND: f32 = 1.3;

/// The square of a stored picture around a box, with a little of what surrounds it: left, top, side, in pixels.
/// Moved inwards at the picture's edge.
#[must_use]
pub fn part_square(part: PixelBox, width: u32, height: u32) -> (f32, f32, f32) {
    let (width, height) = (width.max(1) as f32, height.max(1) as f32);
    let side = (part.width.max(part.height) as f32 * AROUND).min(width.min(height)).max(1.0);
    let place = |at: u32, length: u32, most: f32| {
        (at as f32 + length as f32 / 2.0 - side / 2.0).min(most - side).max(0.0)
    };
    (place(part.x, part.width, width), place(part.y, part.height, height), side)
}

/// The average of what the members show in their boxes, or of the whole pictures where a cluster has no boxes.
/// `None` when no member can be read. Deterministic.
#[must_use]
pub fn average_part(cluster: &Cluster, pictures: &dyn Pictures) -> Option<Picture> {
    let members = &cluster.members[..cluster.members.len().min(MOST_MEMBERS)];
    let parts: Vec<Option<Vec<u8>>> = members
        .par_iter()
        .map(|member| {
            let bytes = pictures.read(member.row as usize).ok()?;
            decode_for(&bytes, |picture| cut(&picture, member.area)).ok()
        })
        .collect();
    let count = parts.iter().flatten().count();
    if count == 0 {
        return None;
    }
    let mut sums = vec![0_u32; (SIDE * SIDE * 3) as usize];
    for part in parts.iter().flatten() {
        for (sum, value) in sums.iter_mut().zip(part) {
            *sum += u32::from(*value);
        }
    }
    let rgb = sums.into_iter().map(|sum| (f64::from(sum) / count as f64).round() as u8).collect();
    Some(Picture { width: SIDE, height: SIDE, rgb, format: "png" })
}

fn cut(picture: &Picture, area: Option<PixelBox>) -> Vec<u8> {
    let Some(area) = area else { return resize(picture, SIDE, SIDE).rgb };
    let (left, top, side) = part_square(area, picture.width, picture.height);
    let (left, top) = (left as usize, top as usize);
    let whole = (picture.width as usize, picture.height as usize);
    let side = (side as usize).max(1).min(whole.0 - left).min(whole.1 - top);
    let mut rgb = Vec::with_capacity(side * side * 3);
    for row in top..top + side {
        let from = (row * whole.0 + left) * 3;
        rgb.extend_from_slice(&picture.rgb[from..from + side * 3]);
    }
    let part = Picture { width: side as u32, height: side as u32, rgb, format: picture.format };
    resize(&part, SIDE, SIDE).rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_stays_within_its_picture() {
        let at = |x, y, width, height| part_square(PixelBox { x, y, width, height }, 100, 60);
        assert_eq!(at(40, 20, 20, 10), (37.0, 12.0, 26.0));
        assert_eq!(at(0, 0, 10, 10), (0.0, 0.0, 13.0));
        assert_eq!(at(90, 50, 10, 10), (87.0, 47.0, 13.0));
        assert_eq!(at(0, 0, 100, 60), (20.0, 0.0, 60.0));
    }

    #[test]
    fn a_cut_out_shows_what_is_in_its_box() {
        let mut picture = Picture { width: 40, height: 30, rgb: vec![10; 40 * 30 * 3], format: "png" };
        for y in 0..10 {
            for x in 30..40 {
                picture.rgb[(y * 40 + x) * 3] = 200;
            }
        }
        let part = cut(&picture, Some(PixelBox { x: 30, y: 0, width: 10, height: 10 }));
        let red: usize = part.iter().step_by(3).filter(|value| **value > 150).count();
        let share = red as f64 / f64::from(SIDE * SIDE);
        assert!((0.4..0.8).contains(&share), "{share}");
    }
}
