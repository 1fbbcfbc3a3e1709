//! Which shapes, colours and textures does a picture have? HOG, colour histogram, LBP, a thumbnail and GIST.
//!
//! The five parts, in this order:
//! * 1764: histograms of oriented gradients (Dalal and Triggs, 2005), 8×8 cells, 9 unsigned bins, 7×7 blocks of 2×2;
//! * 256: colours in 4×4×4 boxes of RGB for each quarter of the picture, square roots of frequencies;
//! * 531: uniform local binary patterns (Ojala et al., 2002), 8 neighbours at radius 1, on a 3×3 grid, square roots;
//! * 192: an 8×8 thumbnail;
//! * 512: the layout of edges ([`super::gist`]).
//!
//! Small pictures (up to 48 pixels) are not enlarged to 96: every part is laid out on 32×32 with cells a third as
//! wide, so that all pictures have the same numbers whatever their size.

use std::borrow::Cow;
use std::f32::consts::PI;

use super::Extractor;
use super::gist::{self, GIST, gist};
use super::picture::{Picture, resize};

const SIDE: usize = 96;
const SMALL_SIDE: usize = 32;
/// The largest picture that is looked at on the small side.
const SMALL_SOURCE: u32 = 48;

const HOG_CELLS: usize = 8;
const HOG_BINS: usize = 9;
const HOG_BLOCKS: usize = HOG_CELLS - 1;
const HOG: usize = HOG_BLOCKS * HOG_BLOCKS * 4 * HOG_BINS;
const COLOUR_BOXES: usize = 64;
const COLOUR_GRID: usize = 2;
const COLOURS: usize = COLOUR_GRID * COLOUR_GRID * COLOUR_BOXES;
const PATTERNS: usize = 59;
const PATTERN_GRID: usize = 3;
const TEXTURE: usize = PATTERN_GRID * PATTERN_GRID * PATTERNS;
const THUMBNAIL_SIDE: usize = 8;
const THUMBNAIL: usize = THUMBNAIL_SIDE * THUMBNAIL_SIDE * 3;

/// The hand-crafted expert: 3255 numbers of a 96×96 canonical picture.
pub struct HandCrafted;

impl Extractor for HandCrafted {
    fn id(&self) -> &'static str {
        "hand-crafted-2"
    }

    fn dim(&self) -> usize {
        HOG + COLOURS + TEXTURE + THUMBNAIL + GIST
    }

    fn mirror(&self) -> Option<Vec<u32>> {
        Some((0..self.dim()).map(|at| mirrored(at) as u32).collect())
    }

    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        out.fill(0.0);
        if picture.width == 0 || picture.height == 0 {
            return;
        }
        let small = picture.width.max(picture.height) <= SMALL_SOURCE;
        let side = if small { SMALL_SIDE } else { SIDE };
        let canonical = if picture.width == side as u32 && picture.height == side as u32 {
            Cow::Borrowed(picture)
        } else {
            Cow::Owned(resize(picture, side as u32, side as u32))
        };
        let rgb = &canonical.rgb;
        let (hog, rest) = out.split_at_mut(HOG);
        let (colours, rest) = rest.split_at_mut(COLOURS);
        let (texture, rest) = rest.split_at_mut(TEXTURE);
        let (thumbnail, layout) = rest.split_at_mut(THUMBNAIL);
        gradients(rgb, side, hog);
        colour_histogram(rgb, side, colours);
        binary_patterns(rgb, side, texture);
        average_cells(rgb, side, thumbnail);
        gist(&canonical, layout);
    }
}

/// For each number its place in the mirrored picture's.
fn mirrored(at: usize) -> usize {
    /// At `column` of rows of `columns`, each `width` numbers wide: the same place of the opposite column.
    fn opposite(at: usize, columns: usize, width: usize) -> usize {
        let (row, rest) = (at / (columns * width), at % (columns * width));
        (row * columns + columns - 1 - rest / width) * width + rest % width
    }
    let starts = [0, HOG, HOG + COLOURS, HOG + COLOURS + TEXTURE, HOG + COLOURS + TEXTURE + THUMBNAIL];
    let part = starts.partition_point(|&start| start <= at) - 1;
    let at = at - starts[part];
    starts[part]
        + match part {
            0 => {
                // Blocks in rows, of 2×2 cells each, and the angle θ is π − θ.
                let at = opposite(at, HOG_BLOCKS, 4 * HOG_BINS);
                let at = opposite(at, 2, HOG_BINS);
                at - at % HOG_BINS + HOG_BINS - 1 - at % HOG_BINS
            }
            1 => opposite(at, COLOUR_GRID, COLOUR_BOXES),
            2 => {
                let at = opposite(at, PATTERN_GRID, PATTERNS);
                at - at % PATTERNS + mirrored_bin(at % PATTERNS)
            }
            3 => opposite(at, THUMBNAIL_SIDE, 3),
            _ => gist::mirrored(at),
        }
}

/// The bin of a binary pattern whose left and right are exchanged.
fn mirrored_bin(bin: usize) -> usize {
    /// The places -1 and +1 along x by their bits: 0↔2, 3↔7, 4↔6; above and below stay.
    const EXCHANGED: [usize; 8] = [2, 1, 0, 7, 6, 5, 4, 3];
    let pattern = BIN_OF.iter().position(|&of| usize::from(of) == bin).unwrap_or(0);
    let exchanged = (0..8).fold(0, |all, bit| all | (pattern >> EXCHANGED[bit] & 1) << bit);
    usize::from(BIN_OF[exchanged])
}

/// HOG of square-rooted channels; of the three channels a pixel's strongest gradient counts.
fn gradients(rgb: &[u8], side: usize, out: &mut [f32]) {
    let root: [f32; 256] = std::array::from_fn(|value| (value as f32 / 255.0).sqrt());
    let cell = side / HOG_CELLS;
    let mut cells = [[0.0_f32; HOG_BINS]; HOG_CELLS * HOG_CELLS];
    for y in 0..side {
        let above = y.saturating_sub(1) * side;
        let below = (y + 1).min(side - 1) * side;
        for x in 0..side {
            let (left, right) = (y * side + x.saturating_sub(1), y * side + (x + 1).min(side - 1));
            let (mut dx, mut dy, mut strongest) = (0.0, 0.0, 0.0);
            for channel in 0..3 {
                let value = |pixel: usize| root[rgb[pixel * 3 + channel] as usize];
                let (gx, gy) = (value(right) - value(left), value(below + x) - value(above + x));
                let strength = gx * gx + gy * gy;
                if strength > strongest {
                    (dx, dy, strongest) = (gx, gy, strength);
                }
            }
            if strongest == 0.0 {
                continue;
            }
            // In bins, measured from the centre of bin 0; −½ is the middle between the last bin and the first.
            let angle = dy.atan2(dx).rem_euclid(PI) * (HOG_BINS as f32 / PI) - 0.5;
            let lower = angle.floor();
            let share = angle - lower;
            let bin = (lower as i32).rem_euclid(HOG_BINS as i32) as usize;
            let histogram = &mut cells[(y / cell) * HOG_CELLS + x / cell];
            let magnitude = strongest.sqrt();
            histogram[bin] += magnitude * (1.0 - share);
            histogram[(bin + 1) % HOG_BINS] += magnitude * share;
        }
    }
    for (at, block) in out.chunks_exact_mut(4 * HOG_BINS).enumerate() {
        let corner = (at / HOG_BLOCKS) * HOG_CELLS + at % HOG_BLOCKS;
        let members = [corner, corner + 1, corner + HOG_CELLS, corner + HOG_CELLS + 1];
        for (part, member) in block.chunks_exact_mut(HOG_BINS).zip(members) {
            part.copy_from_slice(&cells[member]);
        }
        normalise(block);
        for value in block.iter_mut() {
            *value = value.min(0.2);
        }
        normalise(block);
    }
}

/// Length one, or less for a block that is nearly flat, whose noise should not count like an edge.
fn normalise(block: &mut [f32]) {
    let length = (block.iter().map(|value| value * value).sum::<f32>() + 0.01).sqrt();
    for value in block {
        *value /= length;
    }
}

fn colour_histogram(rgb: &[u8], side: usize, out: &mut [f32]) {
    for (pixel, colour) in rgb.chunks_exact(3).enumerate() {
        let cell = (pixel / side * COLOUR_GRID / side) * COLOUR_GRID + pixel % side * COLOUR_GRID / side;
        let [r, g, b] = [colour[0], colour[1], colour[2]].map(|value| usize::from(value >> 6));
        out[cell * COLOUR_BOXES + r * 16 + g * 4 + b] += 1.0;
    }
    out.chunks_exact_mut(COLOUR_BOXES).for_each(root_of_frequency);
}

fn binary_patterns(rgb: &[u8], side: usize, out: &mut [f32]) {
    /// Around the circle, so that a uniform pattern is one with at most two changes along it.
    const CIRCLE: [(isize, isize); 8] =
        [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)];
    // Grey with a border of one repeated pixel.
    let padded = side + 2;
    let mut grey = vec![0_u8; padded * padded];
    for y in 0..padded {
        for x in 0..padded {
            let (sy, sx) = (y.saturating_sub(1).min(side - 1), x.saturating_sub(1).min(side - 1));
            let at = (sy * side + sx) * 3;
            let [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]].map(u32::from);
            grey[y * padded + x] = ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8;
        }
    }
    let offsets = CIRCLE.map(|(x, y)| y * padded as isize + x);
    for y in 0..side {
        for x in 0..side {
            let at = (y + 1) * padded + x + 1;
            let mut pattern = 0_usize;
            for (bit, offset) in offsets.iter().enumerate() {
                let neighbour = grey[at.wrapping_add_signed(*offset)];
                pattern |= usize::from(neighbour >= grey[at]) << bit;
            }
            let cell = (y * PATTERN_GRID / side) * PATTERN_GRID + x * PATTERN_GRID / side;
            out[cell * PATTERNS + usize::from(BIN_OF[pattern])] += 1.0;
        }
    }
    out.chunks_exact_mut(PATTERNS).for_each(root_of_frequency);
}

const BIN_OF: [u8; 256] = uniform_bins();

/// The 58 patterns with at most two changes around the circle have a bin each, ascending; the others share the last.
const fn uniform_bins() -> [u8; 256] {
    let mut bins = [PATTERNS as u8 - 1; 256];
    let (mut pattern, mut next) = (0_usize, 0_u8);
    while pattern < 256 {
        let byte = pattern as u8;
        if (byte ^ byte.rotate_left(1)).count_ones() <= 2 {
            bins[pattern] = next;
            next += 1;
        }
        pattern += 1;
    }
    bins
}

fn root_of_frequency(counts: &mut [f32]) {
    let total: f32 = counts.iter().sum();
    for count in counts {
        *count = (*count / total).sqrt();
    }
}

fn average_cells(rgb: &[u8], side: usize, out: &mut [f32]) {
    let cell = side / THUMBNAIL_SIDE;
    for y in 0..side {
        for x in 0..side {
            let (from, to) = ((y * side + x) * 3, ((y / cell) * THUMBNAIL_SIDE + x / cell) * 3);
            for channel in 0..3 {
                out[to + channel] += f32::from(rgb[from + channel]);
            }
        }
    }
    let scale = 1.0 / (255 * cell * cell) as f32;
    for value in out {
        *value *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(side: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let rgb = (0..side * side).flat_map(|at| colour(at % side, at / side)).collect();
        Picture { width: side, height: side, rgb, format: "png" }
    }

    fn numbers(picture: &Picture) -> Vec<f32> {
        let mut out = vec![f32::NAN; HandCrafted.dim()];
        HandCrafted.extract(picture, &mut out);
        out
    }

    fn part(all: &[f32], part: usize) -> &[f32] {
        let ends = [0, HOG, HOG + COLOURS, HOG + COLOURS + TEXTURE, HOG + COLOURS + TEXTURE + THUMBNAIL];
        &all[ends[part]..ends[part + 1]]
    }

    #[test]
    fn there_are_3255_whatever_the_size() {
        assert_eq!(HandCrafted.dim(), 3255);
        for side in [32, 96] {
            let all = numbers(&picture(side, |x, y| [(x * 2) as u8, (y * 2) as u8, 77]));
            assert!(all.iter().all(|value| value.is_finite() && *value >= 0.0), "{side}");
        }
    }

    #[test]
    fn a_flat_picture_has_colour_and_nothing_else() {
        let all = numbers(&picture(96, |_, _| [255, 0, 64]));
        assert!(part(&all, 0).iter().all(|&value| value == 0.0));
        for quarter in part(&all, 1).chunks(COLOUR_BOXES) {
            assert_eq!(quarter[3 * 16 + 1], 1.0);
            assert_eq!(quarter.iter().sum::<f32>(), 1.0);
        }
        // Every neighbour is as bright: all bits set, which is the last uniform pattern.
        for cell in part(&all, 2).chunks(PATTERNS) {
            assert_eq!((cell[57], cell.iter().sum::<f32>()), (1.0, 1.0));
        }
        for pixel in part(&all, 3).chunks(3) {
            assert!(
                (pixel[0] - 1.0).abs() < 1e-5 && pixel[1] == 0.0 && (pixel[2] - 64.0 / 255.0).abs() < 1e-5
            );
        }
    }

    #[test]
    fn the_direction_of_an_edge_is_told() {
        // A ramp to the right has gradients at angle 0, between the last bin and the first; one downwards in the middle.
        let right = numbers(&picture(96, |x, _| [(x * 2) as u8; 3]));
        let down = numbers(&picture(96, |_, y| [(y * 2) as u8; 3]));
        let bins = |all: &[f32]| -> Vec<f32> {
            let mut sums = vec![0.0; HOG_BINS];
            part(all, 0).iter().enumerate().for_each(|(at, value)| sums[at % HOG_BINS] += value);
            sums
        };
        let (right, down) = (bins(&right), bins(&down));
        assert!(right[0] > 1.0 && (right[0] - right[8]).abs() < 1e-2, "{right:?}");
        assert!(right[1..8].iter().all(|&value| value < 1e-3), "{right:?}");
        assert!(down[4] > 1.0 && down[3] < 1e-2 && down[5] < 1e-2, "{down:?}");
    }

    #[test]
    fn a_mirrored_picture_has_the_same_numbers_at_other_places() {
        let draw = |x: u32, y: u32| [(x * x * 3 + y * 7) as u8, (x * y) as u8, (x + 31 * y) as u8];
        let mirror = HandCrafted.mirror().unwrap();
        // On the small side the columns of three do not divide the picture evenly.
        for (side, exact) in [(96, true), (32, false)] {
            let (one, other) =
                (numbers(&picture(side, draw)), numbers(&picture(side, |x, y| draw(side - 1 - x, y))));
            for (at, value) in one.iter().enumerate() {
                let texture = (HOG + COLOURS..HOG + COLOURS + TEXTURE).contains(&at);
                let difference = (value - other[mirror[at] as usize]).abs();
                assert!(difference < if texture && !exact { 0.2 } else { 1e-3 }, "{side}: {at} {difference}");
                assert_eq!(mirror[mirror[at] as usize], at as u32);
            }
        }
    }

    #[test]
    fn there_are_58_uniform_patterns() {
        let bins = uniform_bins();
        assert_eq!(bins.map(|bin| usize::from(bin < 58)).iter().sum::<usize>(), 58);
        assert_eq!((bins[0], bins[1], bins[255], bins[0b101]), (0, 1, 57, 58));
    }

    #[test]
    fn small_and_large_drawings_of_one_thing_are_alike() {
        let draw = |side: u32| {
            picture(side, move |x, y| {
                let inside = (x * 3 / side == 1) && (y * 3 / side == 1);
                if inside { [200, 30, 30] } else { [20, 90, 160] }
            })
        };
        let (small, large) = (numbers(&draw(32)), numbers(&draw(96)));
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        assert!(cosine(part(&small, 1), part(&large, 1)) > 0.98);
        assert!(cosine(part(&small, 3), part(&large, 3)) > 0.95);
    }
}
