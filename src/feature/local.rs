//! Which small places of a photo could be found again in another one? Points with a descriptor each.
//!
//! Corners of every size, spread over the picture so that a small mark gets some too, each described by the directions
//! of the gradients around it (64 bytes). A shared object is the same descriptors in the same arrangement.

mod describe;
mod gather;
mod level;
mod pyramid;

pub use describe::DESCRIPTOR;
pub use gather::{LocalPicture, local_points};
use level::{FACTOR, Gradients, Planes};
pub use pyramid::{GradientLevel, GradientLevels};

use super::picture::{Picture, resize};

/// Cached points are found by this name, so it changes with the algorithm.
pub const LOCAL_ID: &str = "local-4";

/// Pictures with a shorter side than this have no room for a mark and the rest of a photo.
pub const MIN_SIDE: u32 = 96;

/// The shorter side of the picture in which points are looked for.
const WORKING_SIDE: u32 = 400;

/// The longer one, so that positions fit into 16 bits of sixteenths.
const WORKING_LENGTH: u32 = 2400;

/// Levels with a shorter side than this have no points.
const MIN_LEVEL: usize = 48;

/// A point has to be so much of a corner, in squared grey levels a pixel.
const MIN_RESPONSE: f32 = 4.0;

/// Each cell of so many half pixels of a level has at most one point.
const CELL: usize = 12;

/// Half pixels at the edge of a level without points.
const BORDER: usize = 4;

/// The most points of one picture.
const MAX_POINTS: usize = 1200;

/// Sixteenths of a pixel of the working picture.
const POSITION_UNIT: f32 = 1.0 / 16.0;

/// Bytes of a point: position, level, reserved, descriptor.
const RECORD: usize = 2 + 2 + 1 + 1 + DESCRIPTOR;

/// Width, height.
const HEADER: usize = 8;

/// The points of one picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalPoints {
    /// Pixels of the stored picture.
    pub width: u32,
    /// Pixels of the stored picture.
    pub height: u32,
    /// Any number from the front covers the picture.
    pub points: Vec<Point>,
    /// One a point.
    pub descriptors: Vec<[i8; DESCRIPTOR]>,
}

/// Where a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    x: u16,
    y: u16,
    level: u8,
}

impl Point {
    /// Pixels of the working picture.
    #[must_use]
    pub fn x(self) -> f32 {
        f32::from(self.x) * POSITION_UNIT
    }

    /// Pixels of the working picture.
    #[must_use]
    pub fn y(self) -> f32 {
        f32::from(self.y) * POSITION_UNIT
    }

    /// Pixels of the working picture in one pixel of the point's level.
    #[must_use]
    pub fn scale(self) -> f32 {
        FACTOR.powi(i32::from(self.level))
    }
}

/// The size in which a picture's points are measured, or `None` if it is too small to have any.
#[must_use]
pub fn working_size(width: u32, height: u32) -> Option<(u32, u32)> {
    let (short, long) = (width.min(height), width.max(height));
    if short < MIN_SIDE {
        return None;
    }
    let factor = (f64::from(WORKING_SIDE) / f64::from(short))
        .min(f64::from(WORKING_LENGTH) / f64::from(long))
        .min(1.0);
    let scaled = |side: u32| (f64::from(side) * factor).round() as u32;
    let size = (scaled(width), scaled(height));
    (size.0.min(size.1) as usize >= MIN_LEVEL).then_some(size)
}

impl LocalPoints {
    /// Finds and describes the points of a picture.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let mut found = Self { width: picture.width, height: picture.height, ..Self::default() };
        let Some((width, height)) = working_size(picture.width, picture.height) else { return found };
        let mut planes = if (width, height) == (picture.width, picture.height) {
            Planes::of(picture)
        } else {
            Planes::of(&resize(picture, width, height))
        };
        let mut corners = Vec::new();
        let mut level = 0_u8;
        while planes.width.min(planes.height) >= MIN_LEVEL {
            let gradients = planes.gradients();
            corners.clear();
            find(&gradients, &mut corners);
            // Levels are rounded to whole pixels: the true factor of this one.
            let (fx, fy) = (width as f32 / planes.width as f32, height as f32 / planes.height as f32);
            for corner in &corners {
                let Some(descriptor) = describe::describe(&gradients, corner.x, corner.y) else {
                    continue;
                };
                let place =
                    |at: f32, factor: f32| (((at + 0.5) * factor - 0.5) / POSITION_UNIT).round() as u16;
                found.points.push(Point { x: place(corner.x, fx), y: place(corner.y, fy), level });
                found.descriptors.push(descriptor);
            }
            planes = planes.next();
            level += 1;
        }
        found.mix();
        found.truncate(MAX_POINTS);
        found
    }

    /// Brings points into an order of which any front part covers the picture and the levels.
    fn mix(&mut self) {
        let mut order: Vec<u32> = (0..self.points.len() as u32).collect();
        // Steps by the golden ratio spread evenly.
        order.sort_by_key(|&at| at.wrapping_mul(2_654_435_769));
        self.points = order.iter().map(|&at| self.points[at as usize]).collect();
        self.descriptors = order.iter().map(|&at| self.descriptors[at as usize]).collect();
    }

    /// Forgets all but the first so many points.
    fn truncate(&mut self, most: usize) {
        self.points.truncate(most);
        self.descriptors.truncate(most);
    }

    /// Pixels of the stored picture in one pixel of the working picture.
    #[must_use]
    pub fn stored_scale(&self) -> f32 {
        working_size(self.width, self.height).map_or(1.0, |(width, _)| self.width as f32 / width as f32)
    }

    /// As bytes, for the cache.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.points.len() * RECORD);
        bytes.extend(self.width.to_le_bytes());
        bytes.extend(self.height.to_le_bytes());
        for (point, descriptor) in self.points.iter().zip(&self.descriptors) {
            bytes.extend(point.x.to_le_bytes());
            bytes.extend(point.y.to_le_bytes());
            bytes.extend([point.level, 0]);
            bytes.extend(descriptor.map(|value| value as u8));
        }
        bytes
    }

    /// From bytes, at most `most` points; `None` if they are none of ours.
    pub(super) fn decode(bytes: &[u8], most: usize) -> Option<Self> {
        let (width, rest) = bytes.split_first_chunk()?;
        let (height, rest) = rest.split_first_chunk()?;
        let (records, []) = rest.as_chunks::<RECORD>() else { return None };
        let records = &records[..records.len().min(most)];
        let mut found = Self {
            width: u32::from_le_bytes(*width),
            height: u32::from_le_bytes(*height),
            points: Vec::with_capacity(records.len()),
            descriptors: Vec::with_capacity(records.len()),
        };
        for [x0, x1, y0, y1, level, _, descriptor @ ..] in records {
            let (x, y) = (u16::from_le_bytes([*x0, *x1]), u16::from_le_bytes([*y0, *y1]));
            found.points.push(Point { x, y, level: (*level).min(24) });
            found.descriptors.push(descriptor.map(|byte| byte as i8));
        }
        Some(found)
    }
}

/// A corner in pixels of its level.
struct Corner {
    x: f32,
    y: f32,
}

/// The best corner of each cell.
fn find(level: &Gradients, corners: &mut Vec<Corner>) {
    let (response, width) = (&level.response, level.response_width);
    let height = response.len() / width.max(1);
    if width <= 2 * BORDER || height <= 2 * BORDER {
        return;
    }
    let (right, bottom) = (width - BORDER, height - BORDER);
    for top in (BORDER..bottom).step_by(CELL) {
        for left in (BORDER..right).step_by(CELL) {
            let mut best: Option<(f32, usize, usize)> = None;
            for y in top..(top + CELL).min(bottom) {
                for x in left..(left + CELL).min(right) {
                    let value = response[y * width + x];
                    if value > best.map_or(MIN_RESPONSE, |(best, ..)| best) && is_peak(response, width, x, y)
                    {
                        best = Some((value, x, y));
                    }
                }
            }
            if let Some((value, x, y)) = best {
                let at = |dx: isize, dy: isize| {
                    response[(y * width + x).wrapping_add_signed(dy * width as isize + dx)]
                };
                let fit = |before: f32, after: f32| {
                    let bend = before + after - 2.0 * value;
                    if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
                };
                corners.push(Corner {
                    x: 2.0 * (x as f32 + fit(at(-1, 0), at(1, 0))) + 0.5,
                    y: 2.0 * (y as f32 + fit(at(0, -1), at(0, 1))) + 0.5,
                });
            }
        }
    }
}

/// Whether no neighbour has a larger value; of equal ones the first is the peak.
fn is_peak(values: &[f32], width: usize, x: usize, y: usize) -> bool {
    let at = y * width + x;
    let value = values[at];
    let before = [at - width - 1, at - width, at - width + 1, at - 1];
    let after = [at + 1, at + width - 1, at + width, at + width + 1];
    before.iter().all(|&other| values[other] < value) && after.iter().all(|&other| values[other] <= value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares of many greys and sizes, moved by (dx, dy).
    fn picture(width: u32, height: u32, dx: f32, dy: f32) -> Picture {
        let value = |x: u32, y: u32| {
            let (x, y) = (x as f32 - dx, y as f32 - dy);
            let (a, b) = ((x / 17.0).floor() as i32, (y / 13.0).floor() as i32);
            (a.wrapping_mul(73) ^ b.wrapping_mul(151)).rem_euclid(200) as u8
        };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [value(x, y); 3]));
        Picture { width, height, rgb: rgb.collect(), format: "png" }
    }

    #[test]
    fn points_move_with_the_picture_and_keep_their_descriptors() {
        // A whole cell, so that each holds the same corners.
        const MOVED: f32 = 24.0;
        let (still, moved) = (picture(200, 180, 0.0, 0.0), picture(200, 180, MOVED, MOVED));
        let (still, moved) = (LocalPoints::of(&still), LocalPoints::of(&moved));
        assert!(still.points.len() > 20, "{} points", still.points.len());
        let pairs = still.points.iter().zip(&still.descriptors).filter(|(point, _)| {
            let inside = |at: f32, most: f32| at > 30.0 && at < most - 30.0 - MOVED;
            point.level == 0 && inside(point.x(), 200.0) && inside(point.y(), 180.0)
        });
        let (mut found, mut all) = (0, 0);
        for (point, descriptor) in pairs {
            all += 1;
            let near = moved.points.iter().zip(&moved.descriptors).any(|(other, there)| {
                let off = (other.x() - point.x() - MOVED).hypot(other.y() - point.y() - MOVED);
                let far: i32 =
                    descriptor.iter().zip(there).map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2)).sum();
                off < 0.5 && far < 1000
            });
            found += usize::from(near);
        }
        assert!(all >= 8 && found * 10 >= all * 9, "{found} of {all}");
    }

    #[test]
    fn bytes_bring_them_back_and_a_front_part_too() {
        let points = LocalPoints::of(&picture(120, 100, 0.0, 0.0));
        let bytes = points.encode();
        assert_eq!(bytes.len(), HEADER + points.points.len() * RECORD);
        assert_eq!(LocalPoints::decode(&bytes, usize::MAX).as_ref(), Some(&points));
        let few = LocalPoints::decode(&bytes, 5).unwrap();
        assert_eq!((few.points[..] == points.points[..5], few.points.len()), (true, 5));
        for damaged in [&bytes[..7], &bytes[..HEADER + 3], &[][..]] {
            assert_eq!(LocalPoints::decode(damaged, 10), None);
        }
    }

    #[test]
    fn blank_tiny_and_long_pictures_have_no_points_or_few() {
        let blank = |width, height| Picture {
            width,
            height,
            rgb: vec![90; (width * height * 3) as usize],
            format: "png",
        };
        for (width, height) in [(1, 1), (95, 400), (200, 100), (30_000, 96)] {
            assert_eq!(LocalPoints::of(&blank(width, height)).points, [], "{width} × {height}");
        }
        assert_eq!(working_size(800, 1000), Some((400, 500)));
        assert_eq!(working_size(100, 5000), Some((48, 2400)));
        assert_eq!(working_size(100, 6000), None);
    }
}
