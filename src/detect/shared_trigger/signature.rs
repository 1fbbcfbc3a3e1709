//! Which points may look alike? Those whose signatures differ in few bits; and in which cells must one look for them?
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::photo::Photos;
use crate::feature::local::DESCRIPTOR;
use crate::task::{Cancelled, Task};

/// Points from which the mean and the cells are learnt.
const SAMPLE: usize = 16_384;
const ROUNDS: usize = 6;
const HALF: usize = DESCRIPTOR / 2;

/// A fixed rotation: random signs and a Walsh–Hadamard transform, twice.
struct Rotation {
    signs: [[f32; DESCRIPTOR]; 2],
}

impl Rotation {
    fn new(dice: &mut ChaCha8Rng) -> Self {
        let signs =
            [(); 2].map(|()| [(); DESCRIPTOR].map(|()| if dice.random::<bool>() { 1.0 } else { -1.0 }));
        Self { signs }
    }

    fn turn(&self, mut values: [f32; DESCRIPTOR]) -> [f32; DESCRIPTOR] {
        for signs in &self.signs {
            for (value, sign) in values.iter_mut().zip(signs) {
                *value *= sign;
            }
            let mut step = 1;
            while step < DESCRIPTOR {
                for block in values.chunks_exact_mut(2 * step) {
                    let (a, b) = block.split_at_mut(step);
                    for (a, b) in a.iter_mut().zip(b) {
                        (*a, *b) = (*a + *b, *a - *b);
                    }
                }
                step *= 2;
            }
            // Keeps lengths.
            for value in &mut values {
                *value *= 0.125;
            }
        }
        values
    }
}

/// Tables of cells: two points that look alike share a cell in at least one of them, mostly.
const TABLES: u64 = 3;

/// The signatures of all points of some photos, and their cells.
pub(super) struct Codes {
    pub(super) signatures: Vec<u64>,
    /// By table, for each point its cell.
    pub(super) cells: Vec<Vec<u32>>,
    /// How many cells a table has.
    pub(super) count: usize,
}

impl Codes {
    pub(super) fn of(photos: &Photos<'_>, seed: u64, task: &Task) -> Result<Self, Cancelled> {
        task.begin("Sorting marks", TABLES as usize + 1);
        let coder = Coder::new(photos, seed);
        let all = 0..photos.photo_of.len() as u32;
        let signatures = all.into_par_iter().map(|at| coder.signature(photos.descriptor(at))).collect();
        let mut codes = Self { signatures, cells: Vec::new(), count: 0 };
        for table in 0..TABLES {
            task.advance(1);
            task.check()?;
            let (cells, count) = coder.cells(photos, table, seed);
            codes.cells.push(cells);
            codes.count = count;
        }
        Ok(codes)
    }

    /// Those of some of the points.
    pub(super) fn part(&self, points: &[Range<usize>]) -> Self {
        let signatures = points.iter().flat_map(|range| &self.signatures[range.clone()]).copied().collect();
        let part =
            |cells: &Vec<u32>| points.iter().flat_map(|range| &cells[range.clone()]).copied().collect();
        Self { signatures, cells: self.cells.iter().map(part).collect(), count: self.count }
    }
}

/// What the points of some photos look like on average.
struct Coder {
    mean: [f32; DESCRIPTOR],
    sample: Vec<u32>,
    bits: Rotation,
}

impl Coder {
    fn new(photos: &Photos<'_>, seed: u64) -> Self {
        let all = photos.photo_of.len();
        let sample: Vec<u32> = if all <= SAMPLE {
            (0..all as u32).collect()
        } else {
            (0..SAMPLE).map(|i| (i as u64 * all as u64 / SAMPLE as u64) as u32).collect()
        };
        let mut mean = [0.0; DESCRIPTOR];
        for &at in &sample {
            for (sum, &value) in mean.iter_mut().zip(photos.descriptor(at)) {
                *sum += f32::from(value);
            }
        }
        let count = sample.len().max(1) as f32;
        let mut dice = ChaCha8Rng::seed_from_u64(seed ^ 0x0051_67AA);
        Self { mean: mean.map(|sum| sum / count), sample, bits: Rotation::new(&mut dice) }
    }

    fn centred(&self, descriptor: &[i8; DESCRIPTOR]) -> [f32; DESCRIPTOR] {
        std::array::from_fn(|i| f32::from(descriptor[i]) - self.mean[i])
    }

    /// 64 signs: points that look alike differ in few.
    fn signature(&self, descriptor: &[i8; DESCRIPTOR]) -> u64 {
        let turned = self.bits.turn(self.centred(descriptor));
        turned.iter().enumerate().fold(0, |bits, (i, value)| bits | u64::from(*value > 0.0) << i)
    }

    /// For each point its cell in one table: the nearest centre of each half of the rotated descriptor.
    fn cells(&self, photos: &Photos<'_>, table: u64, seed: u64) -> (Vec<u32>, usize) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed ^ (table + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let rotation = Rotation::new(&mut dice);
        let turned: Vec<[f32; DESCRIPTOR]> =
            self.sample.par_iter().map(|&at| rotation.turn(self.centred(photos.descriptor(at)))).collect();
        // About as many points a cell, however many points.
        let centres = (1..=8).map(|bits| 1 << bits).find(|&k: &usize| k * k * 64 >= photos.photo_of.len());
        let centres = centres.unwrap_or(256);
        let halves = [0, 1].map(|half| {
            let points: Vec<&[f32]> = turned.iter().map(|p| &p[half * HALF..(half + 1) * HALF]).collect();
            Centres::learn(&points, centres, &mut dice)
        });
        let cell = |descriptor: &[i8; DESCRIPTOR]| {
            let turned = rotation.turn(self.centred(descriptor));
            let [a, b] =
                [0, 1].map(|half: usize| halves[half].nearest(&turned[half * HALF..(half + 1) * HALF]));
            (a * centres + b) as u32
        };
        let all = 0..photos.photo_of.len() as u32;
        let cells = all.into_par_iter().map(|at| cell(photos.descriptor(at))).collect();
        (cells, centres * centres)
    }
}

/// Centres of k-means, by coordinate so that all are compared at once.
struct Centres {
    count: usize,
    /// `HALF × count`.
    values: Vec<f32>,
    /// Half of the squared length of each.
    lengths: Vec<f32>,
}

impl Centres {
    fn learn(points: &[&[f32]], count: usize, dice: &mut ChaCha8Rng) -> Self {
        let mut rows: Vec<f32> = Vec::with_capacity(count * HALF);
        for _ in 0..count {
            match points.len() {
                0 => rows.extend([0.0; HALF]),
                all => rows.extend_from_slice(points[dice.random_range(0..all)]),
            }
        }
        let mut centres = Self::of(&rows, count);
        for _ in 0..ROUNDS {
            let nearest: Vec<usize> = points.par_iter().map(|point| centres.nearest(point)).collect();
            let mut sums = vec![0.0_f32; count * HALF];
            let mut members = vec![0_u32; count];
            for (point, &centre) in points.iter().zip(&nearest) {
                members[centre] += 1;
                for (sum, value) in sums[centre * HALF..].iter_mut().zip(*point) {
                    *sum += value;
                }
            }
            for (centre, &members) in members.iter().enumerate() {
                if members > 0 {
                    for i in centre * HALF..(centre + 1) * HALF {
                        rows[i] = sums[i] / members as f32;
                    }
                }
            }
            centres = Self::of(&rows, count);
        }
        centres
    }

    fn of(rows: &[f32], count: usize) -> Self {
        let mut values = vec![0.0; count * HALF];
        let mut lengths = vec![0.0; count];
        for (k, row) in rows.chunks_exact(HALF).enumerate() {
            for (i, value) in row.iter().enumerate() {
                values[i * count + k] = *value;
                lengths[k] += 0.5 * value * value;
            }
        }
        Self { count, values, lengths }
    }

    fn nearest(&self, point: &[f32]) -> usize {
        pulp::Arch::new().dispatch(|| self.nearest_here(point))
    }

    #[inline(always)]
    fn nearest_here(&self, point: &[f32]) -> usize {
        let mut products = [0.0_f32; 256];
        let products = &mut products[..self.count];
        // Four coordinates at a time: sums are read and written a quarter as often.
        let (points, _) = point.as_chunks::<4>();
        for (values, rows) in points.iter().zip(self.values.chunks_exact(4 * self.count)) {
            let (ab, cd) = rows.split_at(2 * self.count);
            let ((a, b), (c, d)) = (ab.split_at(self.count), cd.split_at(self.count));
            for ((((product, a), b), c), d) in products.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *product += values[0] * a + values[1] * b + values[2] * c + values[3] * d;
            }
        }
        let mut best = (0, f32::NEG_INFINITY);
        for (k, (product, length)) in products.iter().zip(&self.lengths).enumerate() {
            if product - length > best.1 {
                best = (k, product - length);
            }
        }
        best.0
    }
}
