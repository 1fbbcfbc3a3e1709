//! Who learns from what, and judges whom? The order and folds that all experts share.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::folds::{FOLDS, deal};

/// Rows on which temperatures and weights are fitted: they are few, more rows would not move them.
const FIT_ROWS: usize = 20_000;

/// Who teaches and who is judged: teaching samples come first, all of them are judged too.
pub(super) struct Problem {
    /// Classes of the teaching samples.
    pub labels: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
    /// For all samples, ascending numbers from 0: samples of one group are copies of one picture,
    /// which neither teach the model that judges them nor vouch for each other.
    pub groups: Vec<u32>,
    /// Seed of everything random.
    pub seed: u64,
}

/// What the experts learn from, and whom they judge.
///
/// Rows are ordered: first those that teach, by fold, then those that are only judged, by the model that judges them.
pub(super) struct Lesson {
    /// For each row the sample of the [`Problem`].
    pub order: Vec<u32>,
    /// Classes of the teaching rows.
    pub labels: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
    /// For each row its group of copies.
    pub groups: Vec<u32>,
    /// Where each fold's teaching rows are.
    pub folds: [Range<usize>; FOLDS],
    /// Where the other rows are that each model judges; the last model is the one that all folds taught.
    pub judged: [Range<usize>; FOLDS + 1],
    /// Teaching rows on which few parameters, such as a temperature, are fitted.
    pub fit_rows: Vec<u32>,
    /// Seed of everything random.
    pub seed: u64,
}

impl Lesson {
    pub fn new(problem: &Problem) -> Self {
        let Problem { labels, classes, groups, seed } = problem;
        let taught = labels.len();
        let folds_of_taught = deal(labels, &groups[..taught], *classes, *seed);
        // A judged sample that is a copy of a teaching one is judged by the model that this one did not teach.
        let group_count = groups.iter().max().map_or(0, |&group| group as usize + 1);
        let mut fold_of_group = vec![FOLDS as u8; group_count];
        for (&group, &fold) in groups.iter().zip(&folds_of_taught) {
            fold_of_group[group as usize] = fold;
        }
        let place = |sample: u32| {
            (sample as usize >= taught, fold_of_group[groups[sample as usize] as usize], sample)
        };
        let mut order: Vec<u32> = (0..groups.len() as u32).collect();
        order.sort_unstable_by_key(|&sample| place(sample));
        let run = |judged: bool, fold: usize| {
            let before = |limit: usize| {
                order.partition_point(|&sample| {
                    let (extra, own, _) = place(sample);
                    (extra, usize::from(own)) < (judged, limit)
                })
            };
            before(fold)..before(fold + 1)
        };
        let mut fit_rows: Vec<u32> = (0..taught as u32).collect();
        if taught > FIT_ROWS {
            fit_rows.shuffle(&mut ChaCha8Rng::seed_from_u64(*seed));
            fit_rows.truncate(FIT_ROWS);
            fit_rows.sort_unstable();
        }
        Self {
            labels: order[..taught].iter().map(|&sample| labels[sample as usize]).collect(),
            classes: *classes,
            groups: order.iter().map(|&sample| groups[sample as usize]).collect(),
            folds: std::array::from_fn(|fold| run(false, fold)),
            judged: std::array::from_fn(|fold| run(true, fold)),
            order,
            fit_rows,
            seed: *seed,
        }
    }

    /// The teaching rows without those of `left_out`.
    pub fn teachers(&self, left_out: Option<usize>) -> [Range<usize>; 2] {
        let all = self.labels.len();
        match left_out {
            None => [0..all, all..all],
            Some(fold) => [0..self.folds[fold].start, self.folds[fold].end..all],
        }
    }

    /// The teaching rows with the model that each fold did not teach.
    pub fn taught_runs<'m, M>(&self, models: &'m [M]) -> Vec<(Range<usize>, &'m M)> {
        self.folds.iter().cloned().zip(models).collect()
    }
}
