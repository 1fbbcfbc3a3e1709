//! Which changes are one change, made to many pictures?

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::super::matrix::Matrix;
use super::subtract::{COLOUR_SIDE, Cut, SHAPE_SIDE, VARIANTS};
use crate::task::{Cancelled, Task};

const SHAPE: usize = SHAPE_SIDE * SHAPE_SIDE;
const COLOUR: usize = COLOUR_SIDE * COLOUR_SIDE * 3;

/// Correlation of two shapes that are one: anywhere in the picture, or at the same place.
const ALIKE: f32 = 0.75;
const ALIKE_IN_PLACE: f32 = 0.5;
/// Overlap (intersection over union) of one place.
const IN_PLACE: f32 = 0.5;
/// Colours may differ, since what lies beneath shines through, but not altogether.
const LEAST_COLOUR: f32 = 0.2;
/// Who fits a group less than this share of its median member is no member.
const LEAST_FIT: f32 = 0.8;
/// Correlation of two patterns over the whole picture that are one. Unrelated ones reach 0.1 (sd 0.02 to 0.04).
const ALIKE_OVERLAY: f32 = 0.25;

/// Who is like whom: symmetric similarities, 0 where two are not alike.
pub(super) struct Likenesses {
    count: usize,
    values: Vec<f32>,
}

/// Similarities of changed parts.
pub(super) fn of_cuts(cuts: &[&Cut], task: &Task) -> Result<Likenesses, Cancelled> {
    let count = cuts.len();
    let all = Matrix { width: SHAPE, values: cuts.iter().flat_map(|cut| &cut.shapes).copied().collect() };
    task.begin("Comparing changes", count);
    let lines: Vec<Vec<f32>> = (0..count)
        .into_par_iter()
        .map(|one| {
            task.check()?;
            task.advance(1);
            let mut products = vec![0.0_f32; count * VARIANTS];
            matmul(
                MatMut::from_row_major_slice_mut(&mut products, count * VARIANTS, 1),
                Accum::Replace,
                all.view(0..count * VARIANTS),
                MatRef::from_column_major_slice(&cuts[one].shapes[..SHAPE], SHAPE, 1),
                1.0,
                Par::Seq,
            );
            let line = products.chunks_exact(VARIANTS).enumerate().map(|(other, products)| {
                let (variant, shape) =
                    products.iter().enumerate().fold((0, f32::MIN), |best, (at, &value)| {
                        if value > best.1 { (at, value) } else { best }
                    });
                let near = overlap(&cuts[one].place, &cuts[other].place) >= IN_PLACE;
                let alike = shape >= ALIKE || near && shape >= ALIKE_IN_PLACE;
                if !alike || other == one {
                    return 0.0;
                }
                let turned = &cuts[other].colours[variant * COLOUR..(variant + 1) * COLOUR];
                let colour: f32 = cuts[one].colours[..COLOUR].iter().zip(turned).map(|(a, b)| a * b).sum();
                if colour >= LEAST_COLOUR { f32::midpoint(shape, colour) } else { 0.0 }
            });
            Ok(line.collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(Likenesses { count, values: lines.concat() }.symmetric())
}

/// Similarities of patterns over the whole picture, each of length one.
pub(super) fn of_overlays(patterns: &Matrix, task: &Task) -> Result<Likenesses, Cancelled> {
    let count = patterns.rows();
    let mut values = vec![0.0_f32; count * count];
    task.begin("Comparing changes", count);
    values.par_chunks_mut((64 * count).max(1)).enumerate().try_for_each(|(block, out)| {
        task.check()?;
        let rows = block * 64..(block * 64 + 64).min(count);
        task.advance(rows.len());
        matmul(
            MatMut::from_row_major_slice_mut(out, rows.len(), count),
            Accum::Replace,
            patterns.view(rows.clone()),
            patterns.view(0..count).transpose(),
            1.0,
            Par::Seq,
        );
        for (row, line) in rows.zip(out.chunks_exact_mut(count)) {
            line[row] = 0.0;
            for value in line.iter_mut().filter(|value| **value < ALIKE_OVERLAY) {
                *value = 0.0;
            }
        }
        Ok(())
    })?;
    Ok(Likenesses { count, values }.symmetric())
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let side = |low: usize| (a[low + 2].min(b[low + 2]) - a[low].max(b[low])).max(0.0);
    let area = |c: &[f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let shared = side(0) * side(1);
    shared / (area(a) + area(b) - shared).max(1e-9)
}

impl Likenesses {
    fn symmetric(mut self) -> Self {
        for one in 0..self.count {
            for other in 0..one {
                let most = self.of(one, other).max(self.of(other, one));
                self.values[one * self.count + other] = most;
                self.values[other * self.count + one] = most;
            }
        }
        self
    }

    pub fn of(&self, one: usize, other: usize) -> f32 {
        self.values[one * self.count + other]
    }

    /// How well one fits a group: its mean similarity to the others of it.
    pub fn fit(&self, one: usize, group: &[usize]) -> f32 {
        let others = group.iter().filter(|&&other| other != one).count();
        group.iter().map(|&other| self.of(one, other)).sum::<f32>() / others.max(1) as f32
    }

    /// Groups of at least `least` that are like one another, largest first, disjoint.
    ///
    /// Each begins with the one that is like most others; who is like a third of them joins.
    pub fn groups(&self, least: usize) -> Vec<Vec<usize>> {
        let mut free = vec![true; self.count];
        let mut groups = Vec::new();
        loop {
            let like = |one: usize| (0..self.count).filter(move |&other| self.of(one, other) > 0.0);
            let size = |one: usize| like(one).filter(|&other| free[other]).count();
            let candidates = (0..self.count).filter(|&one| free[one]);
            let Some((most, seed)) = candidates
                .map(|one| (size(one), one))
                .max_by_key(|&(size, one)| (size, std::cmp::Reverse(one)))
            else {
                break;
            };
            if most + 1 < least {
                break;
            }
            let mut group: Vec<usize> = like(seed).filter(|&other| free[other]).collect();
            group.push(seed);
            for _ in 0..2 {
                let enough = (group.len() / 3).max(2);
                group = (0..self.count)
                    .filter(|&one| {
                        free[one]
                            && group.iter().filter(|&&other| self.of(one, other) > 0.0).count() >= enough
                    })
                    .collect();
            }
            let mut fits: Vec<f32> = group.iter().map(|&one| self.fit(one, &group)).collect();
            let kept: Vec<bool> = {
                let mut sorted = fits.clone();
                sorted.sort_by(f32::total_cmp);
                let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
                fits.drain(..).map(|fit| fit >= LEAST_FIT * median).collect()
            };
            let mut kept = kept.into_iter();
            group.retain(|_| kept.next().unwrap_or(false));
            // Whoever began is done with, whatever became of the group.
            free[seed] = false;
            for &one in &group {
                free[one] = false;
            }
            if group.len() >= least {
                groups.push(group);
            }
        }
        groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group[0]));
        groups
    }

    /// The share of pairs among `those` that are alike, with one more of each kind so that it is never 0.
    pub fn rate(&self, those: &[usize]) -> f64 {
        let mut alike = 0_u64;
        for (at, &one) in those.iter().enumerate() {
            alike += those[..at].iter().filter(|&&other| self.of(one, other) > 0.0).count() as u64;
        }
        let pairs = (those.len() * those.len().saturating_sub(1) / 2) as f64;
        (alike as f64 + 1.0) / (pairs + 1.0)
    }
}
