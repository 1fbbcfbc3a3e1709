//! What is an expert? Somebody who gives each class a score for every sample, without having seen the sample's label.

use rayon::prelude::*;

use super::lesson::Lesson;
use super::matrix::Matrix;
use super::ridge::ridge;
use super::vote::vote;
use crate::feature::Hit;
use crate::task::{Cancelled, Task};

/// Learns from the teaching rows, and judges every row by what it did not teach.
pub(super) trait Expert {
    /// One or more opinions, which get a weight each.
    fn opinions(&self, lesson: &Lesson, task: &Task) -> Result<Vec<Opinion>, Cancelled>;
}

/// One opinion on every row.
pub(super) struct Opinion {
    /// In the lesson's order one score a class, in any unit, the more the likelier:
    /// of a row that teaches, from a model that it (its whole fold) did not teach.
    pub scores: Matrix,
    /// In the lesson's order the nearest teaching rows, nearest first, if this opinion comes from them.
    pub neighbors: Option<Vec<Vec<Hit>>>,
}

/// Numbers of each sample, from which a ridge regression and the vote of the nearest judge.
pub(super) struct Numbers<F> {
    /// How many.
    pub width: usize,
    /// For each its place among those of the mirrored picture, if that is known.
    pub mirror: Option<Vec<u32>>,
    /// Writes those of a sample of the problem.
    pub fill: F,
}

impl<'a, F: Fn(usize, &mut [f32]) + 'a> Numbers<F> {
    pub fn boxed(width: usize, mirror: Option<Vec<u32>>, fill: F) -> Box<dyn Expert + 'a> {
        Box::new(Self { width, mirror, fill })
    }
}

impl<F: Fn(usize, &mut [f32])> Expert for Numbers<F> {
    fn opinions(&self, lesson: &Lesson, task: &Task) -> Result<Vec<Opinion>, Cancelled> {
        let mut features = Matrix::zeros(lesson.order.len(), self.width);
        for (out, &sample) in features.values.chunks_exact_mut(self.width.max(1)).zip(&lesson.order) {
            (self.fill)(sample as usize, out);
            // A number that is none would spoil every sum; it says nothing about its sample.
            out.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
        }
        task.check()?;
        let mut opinions = Vec::with_capacity(3);
        if let Some(mirror) = &self.mirror {
            let mut folded = folded(&features, mirror);
            folded.standardise(lesson.labels.len());
            opinions.push(Opinion { scores: ridge(lesson, &folded, task)?, neighbors: None });
        }
        features.standardise(lesson.labels.len());
        opinions.push(Opinion { scores: ridge(lesson, &features, task)?, neighbors: None });
        opinions.push(vote(lesson, &features, task)?);
        Ok(opinions)
    }
}

/// What a picture and its mirror image have in common: the sum of each number and its opposite.
///
/// With every picture and its mirror image as teachers a ridge regression would give the differences no weight: their
/// products with the sums and with the classes cancel. So this is what learning from both comes to, at a quarter of
/// the products. A class that is told by left and right needs the numbers themselves.
fn folded(features: &Matrix, mirror: &[u32]) -> Matrix {
    let pairs: Vec<(usize, usize)> =
        mirror.iter().map(|&to| to as usize).enumerate().filter(|(at, to)| at <= to).collect();
    let mut folded = Matrix::zeros(features.rows(), pairs.len());
    let rows = features.values.par_chunks_exact(features.width.max(1));
    folded.values.par_chunks_exact_mut(pairs.len().max(1)).zip(rows).for_each(|(out, row)| {
        out.iter_mut().zip(&pairs).for_each(|(out, &(at, to))| *out = row[at] + row[to]);
    });
    folded
}

/// Opinions that somebody had before: a person's probabilities.
pub(super) struct Scores(Matrix);

impl Scores {
    /// From the probabilities of all samples of the problem; what an opinion adds is their logarithm, centred.
    pub fn of_probabilities(probabilities: &[f64], classes: usize) -> Self {
        /// Below it a probability says no more: one slip must not rule a class out.
        const FLOOR: f64 = 1e-4;
        let mut scores = Matrix::zeros(probabilities.len() / classes.max(1), classes);
        let rows =
            probabilities.chunks_exact(classes.max(1)).zip(scores.values.chunks_exact_mut(classes.max(1)));
        for (p, out) in rows {
            let mean = p.iter().map(|p| p.max(FLOOR).ln()).sum::<f64>() / classes as f64;
            out.iter_mut().zip(p).for_each(|(out, p)| *out = (p.max(FLOOR).ln() - mean) as f32);
        }
        Self(scores)
    }
}

impl Expert for Scores {
    fn opinions(&self, lesson: &Lesson, _task: &Task) -> Result<Vec<Opinion>, Cancelled> {
        let mut scores = Matrix::zeros(lesson.order.len(), lesson.classes);
        for (out, &sample) in scores.values.chunks_exact_mut(lesson.classes.max(1)).zip(&lesson.order) {
            out.copy_from_slice(self.0.row(sample as usize));
        }
        Ok(vec![Opinion { scores, neighbors: None }])
    }
}
