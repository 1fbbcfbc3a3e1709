//! What does the neighbourhood of a point look like, in 64 bytes? Histograms of gradient directions, compressed.
//!
//! Upright, 4 × 4 cells of 8 directions (SIFT), square roots of shares (`RootSIFT`), then the cosine transform over
//! the cells and the directions, of which the coefficients that vary most between points are kept.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::f32::consts::PI;
use std::sync::LazyLock;

use super::level::Gradients;

/// Bytes of a descriptor.
pub const DESCRIPTOR: usize = 64;

/// Pixels of a cell's side, at the point's level.
const CELL: f32 = 5.0;

/// Pixels from the middle to the last one that counts.
const REACH: isize = 12;
const WINDOW: usize = 2 * REACH as usize + 1;

const CELLS: usize = 4;
const DIRECTIONS: usize = 8;

/// The largest share of one entry before the square roots are taken.
const CLIP: f32 = 0.25;

/// One unit of a descriptor is so much of the length of the uncompressed one.
const UNIT: f32 = 1.0 / 256.0;

/// Less weight far from the middle.
static WEIGHTS: LazyLock<[[f32; WINDOW]; WINDOW]> = LazyLock::new(|| {
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let (dx, dy) = (x as f32 - REACH as f32, y as f32 - REACH as f32);
            let r2 = (dx * dx + dy * dy) / (2.0 * CELL * 2.0 * CELL);
            1.0 / (1.0 + 0.5 * r2 * r2)
        })
    })
});

/// Which coefficients are kept: (down, across, direction), by frequency.
static KEPT: LazyLock<[(usize, usize, usize); DESCRIPTOR]> = LazyLock::new(|| {
    let mut all: Vec<(usize, usize, usize)> = Vec::with_capacity(CELLS * CELLS * DIRECTIONS);
    for down in 0..CELLS {
        for across in 0..CELLS {
            all.extend((0..DIRECTIONS).map(|direction| (down, across, direction)));
        }
    }
    // The first coefficient says how many entries are empty, and little else.
    all.retain(|&kept| kept != (0, 0, 0));
    all.sort_by_key(|&(down, across, direction)| {
        let turn = direction.div_ceil(2);
        (2 * (down * down + across * across) + 3 * turn * turn, down, across, direction)
    });
    std::array::from_fn(|i| all[i])
});

/// Orthonormal DCT-II over four cells.
static COSINES: LazyLock<[[f32; CELLS]; CELLS]> = LazyLock::new(|| {
    std::array::from_fn(|u| {
        let scale = (if u == 0 { 1.0 } else { 2.0 } / CELLS as f32).sqrt();
        std::array::from_fn(|x| scale * ((2 * x + 1) as f32 * u as f32 * PI / (2 * CELLS) as f32).cos())
    })
});

/// Orthonormal real Fourier basis over eight directions: 1, then a cosine and a sine of each frequency.
static TURNS: LazyLock<[[f32; DIRECTIONS]; DIRECTIONS]> = LazyLock::new(|| {
    std::array::from_fn(|k| {
        let frequency = k.div_ceil(2) as f32;
        let scale = if k == 0 || k == DIRECTIONS - 1 { 1.0 } else { 2.0 } / DIRECTIONS as f32;
        std::array::from_fn(|o| {
            let angle = 2.0 * PI * frequency * o as f32 / DIRECTIONS as f32;
            scale.sqrt() * if k % 2 == 1 || k == 0 { angle.cos() } else { angle.sin() }
        })
    })
});

/// A cell on each side more than there are, so that no weight needs to be left out.
const PADDED: usize = CELLS + 2;

type Line = [[f32; DIRECTIONS]; PADDED];

/// Where a pixel at this distance from the middle falls: the cell before it, and the share of the one after.
#[inline(always)]
fn place(offset: f32) -> (usize, f32) {
    let at = (offset / CELL + CELLS as f32 / 2.0 + 0.5).clamp(0.0, (PADDED - 1) as f32 - 0.001);
    (at as usize, at - at.floor())
}

/// The descriptor of the point (x, y) in pixels of the level, or `None` where there is no gradient.
pub(super) fn describe(level: &Gradients, x: f32, y: f32) -> Option<[i8; DESCRIPTOR]> {
    pulp::Arch::new().dispatch(|| describe_here(level, x, y))
}

#[inline(always)]
fn describe_here(level: &Gradients, x: f32, y: f32) -> Option<[i8; DESCRIPTOR]> {
    let (middle_x, middle_y) = (x.round() as isize, y.round() as isize);
    let columns: [(usize, f32); WINDOW] =
        std::array::from_fn(|i| place((middle_x + i as isize - REACH) as f32 - x));
    let mut cells: [Line; PADDED] = Default::default();
    // Pixels outside of the level have no gradient.
    let left = (REACH - middle_x).max(0) as usize;
    let right = WINDOW.min((level.width as isize - middle_x + REACH).max(0) as usize);
    if left >= right {
        return None;
    }
    for (j, weights) in WEIGHTS.iter().enumerate() {
        let row = middle_y + j as isize - REACH;
        if row < 0 || row >= level.height as isize {
            continue;
        }
        let start = (row as usize * level.width).wrapping_add_signed(middle_x - REACH + left as isize);
        let (mut gx, mut gy) = ([0.0; WINDOW], [0.0; WINDOW]);
        gx[left..right].copy_from_slice(&level.x[start..start + right - left]);
        gy[left..right].copy_from_slice(&level.y[start..start + right - left]);
        let (mut sizes, mut turns) = ([0.0; WINDOW], [0.0; WINDOW]);
        for i in 0..WINDOW {
            sizes[i] = weights[i] * (gx[i] * gx[i] + gy[i] * gy[i]).sqrt();
            turns[i] = eighths(gx[i], gy[i]);
        }
        let mut line: Line = Default::default();
        for i in left..right {
            let (cell, after) = columns[i];
            let direction = turns[i] as usize;
            let share = turns[i] - direction as f32;
            let (first, second) = (direction % DIRECTIONS, (direction + 1) % DIRECTIONS);
            let (near, far) = (sizes[i] * (1.0 - share), sizes[i] * share);
            line[cell][first] += near * (1.0 - after);
            line[cell][second] += far * (1.0 - after);
            line[cell + 1][first] += near * after;
            line[cell + 1][second] += far * after;
        }
        let (cell, after) = place(row as f32 - y);
        for (cell, share) in [(cell, 1.0 - after), (cell + 1, after)] {
            for (sum, value) in cells[cell].as_flattened_mut().iter_mut().zip(line.as_flattened()) {
                *sum += share * value;
            }
        }
    }
    compress(&cells)
}

/// The direction of a gradient in eighths of a turn, in [0, 8]; the error is below 0.01.
#[inline(always)]
fn eighths(x: f32, y: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let a = ax.min(ay) / (ax.max(ay) + 1e-12);
    let s = a * a;
    let octant = ((-0.046_496_475 * s + 0.159_314_22) * s - 0.327_622_76) * s * a + a;
    let quadrant = if ay > ax { PI / 2.0 - octant } else { octant };
    let half = if x < 0.0 { PI - quadrant } else { quadrant };
    let whole = if y < 0.0 { 2.0 * PI - half } else { half };
    whole * (DIRECTIONS as f32 / (2.0 * PI))
}

#[inline(always)]
fn compress(cells: &[Line; PADDED]) -> Option<[i8; DESCRIPTOR]> {
    let mut entries: [[[f32; DIRECTIONS]; CELLS]; CELLS] =
        std::array::from_fn(|y| std::array::from_fn(|x| cells[y + 1][x + 1]));
    let flat = entries.as_flattened_mut().as_flattened_mut();
    let length = flat.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length <= f32::MIN_POSITIVE {
        return None;
    }
    let mut sum = 0.0;
    for entry in flat.iter_mut() {
        *entry = (*entry / length).min(CLIP);
        sum += *entry;
    }
    for entry in flat.iter_mut() {
        *entry = (*entry / sum).sqrt();
    }
    let by_turn: [[[f32; DIRECTIONS]; CELLS]; CELLS] = entries
        .map(|row| row.map(|cell| TURNS.map(|basis| basis.iter().zip(&cell).map(|(b, c)| b * c).sum())));
    let mut coefficients = [[[0.0_f32; DIRECTIONS]; CELLS]; CELLS];
    for (v, down) in COSINES.iter().enumerate() {
        for (u, across) in COSINES.iter().enumerate() {
            for (row, wy) in by_turn.iter().zip(down) {
                for (cell, wx) in row.iter().zip(across) {
                    for (sum, value) in coefficients[v][u].iter_mut().zip(cell) {
                        *sum += wy * wx * value;
                    }
                }
            }
        }
    }
    Some(KEPT.map(|(v, u, k)| (coefficients[v][u][k] / UNIT).round().clamp(-127.0, 127.0) as i8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_eighths_of_a_turn() {
        for eighth in 0..80 {
            let angle = eighth as f32 * PI / 40.0;
            let found = eighths(angle.cos() * 3.0, angle.sin() * 3.0);
            let off = (found - angle * 4.0 / PI).abs();
            assert!(off.min(8.0 - off) < 0.01, "{angle}: {found}");
        }
    }

    #[test]
    fn the_bases_keep_lengths() {
        for basis in [&TURNS[..]] {
            for (i, a) in basis.iter().enumerate() {
                for (j, b) in basis.iter().enumerate() {
                    let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    assert!((product - f32::from(i == j)).abs() < 1e-5, "{i} {j}: {product}");
                }
            }
        }
    }
}
