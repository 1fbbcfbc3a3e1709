//! Of which class does each sample look, by experts that its own label did not teach?
//!
//! The pure core of label errors: numbers and labels in, probabilities and neighbours out; no pictures, no versions.
//! Two experts, ridge regression and the vote of the nearest, pooled with fitted weights.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::folds::{FOLDS, deal};
use super::matrix::Matrix;
use super::ridge::{Lesson, ridge};
use super::vote::vote;
use super::{confident, pool};
use crate::feature::Hit;
use crate::task::{Cancelled, Task};

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
    /// Numbers a sample.
    pub width: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// What the experts say.
pub(super) struct Judgement {
    /// For all samples the probability of each class, from experts that the sample did not teach.
    pub probabilities: Matrix,
    /// For all samples the nearest teaching samples, nearest first.
    pub neighbors: Vec<Vec<Hit>>,
    /// Share of teaching samples whose most probable class is the given one.
    pub agreement: f64,
}

/// Judges every sample; `fill(sample, out)` writes its numbers.
pub(super) fn judge(
    problem: &Problem,
    fill: impl Fn(usize, &mut [f32]),
    task: &Task,
) -> Result<Judgement, Cancelled> {
    let Problem { labels, classes, groups, width, seed } = problem;
    let (taught, count) = (labels.len(), groups.len());
    let Layout { order, folds, judged } = lay_out(problem);

    let mut features = Matrix::zeros(count, *width);
    for (out, &sample) in features.values.chunks_exact_mut((*width).max(1)).zip(&order) {
        fill(sample as usize, out);
        // A number that is none would spoil every sum; it says nothing about its sample.
        out.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    }
    task.check()?;
    features.standardise(taught);
    let ordered_labels: Vec<u32> = order[..taught].iter().map(|&sample| labels[sample as usize]).collect();
    let ordered_groups: Vec<u32> = order.iter().map(|&sample| groups[sample as usize]).collect();
    let mut fit_rows: Vec<u32> = (0..taught as u32).collect();
    if taught > FIT_ROWS {
        fit_rows.shuffle(&mut ChaCha8Rng::seed_from_u64(*seed));
        fit_rows.truncate(FIT_ROWS);
        fit_rows.sort_unstable();
    }
    let lesson = Lesson {
        features: &features,
        labels: &ordered_labels,
        classes: *classes,
        folds,
        judged,
        fit_rows: &fit_rows,
    };
    let ridge = ridge(&lesson, task)?;
    let votes = vote(&lesson, &ordered_groups, *seed, task)?;
    let experts = [&ridge, &votes.scores];
    let weights = pool::fit(&experts, &ordered_labels, &fit_rows, 1e-4).weights;
    let pooled = pool::probabilities(&experts, &weights);
    drop(ridge);

    let agreeing =
        (0..taught).filter(|&row| confident::most_probable(pooled.row(row)) == ordered_labels[row]);
    let agreement = agreeing.count() as f64 / taught.max(1) as f64;
    let mut probabilities = Matrix::zeros(count, *classes);
    let mut neighbors = vec![Vec::new(); count];
    for (row, (&sample, mut hits)) in order.iter().zip(votes.neighbors).enumerate() {
        let to = sample as usize * classes;
        probabilities.values[to..to + classes].copy_from_slice(pooled.row(row));
        for hit in &mut hits {
            hit.position = order[hit.position as usize];
        }
        neighbors[sample as usize] = hits;
    }
    Ok(Judgement { probabilities, neighbors, agreement })
}

/// The order that [`Lesson`] asks for.
struct Layout {
    /// For each row the sample.
    order: Vec<u32>,
    folds: [Range<usize>; FOLDS],
    judged: [Range<usize>; FOLDS + 1],
}

fn lay_out(problem: &Problem) -> Layout {
    let Problem { labels, classes, groups, seed, .. } = problem;
    let taught = labels.len();
    let folds_of_taught = deal(labels, &groups[..taught], *classes, *seed);
    // A judged sample that is a copy of a teaching one is judged by the model that this one did not teach.
    let group_count = groups.iter().max().map_or(0, |&group| group as usize + 1);
    let mut fold_of_group = vec![FOLDS as u8; group_count];
    for (&group, &fold) in groups.iter().zip(&folds_of_taught) {
        fold_of_group[group as usize] = fold;
    }
    let place =
        |sample: u32| (sample as usize >= taught, fold_of_group[groups[sample as usize] as usize], sample);
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
    Layout {
        folds: std::array::from_fn(|fold| run(false, fold)),
        judged: std::array::from_fn(|fold| run(true, fold)),
        order,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    const CLASSES: usize = 4;

    /// Numbers around a centre for each class.
    struct Clouds {
        width: usize,
        values: Vec<f32>,
        truth: Vec<u32>,
    }

    fn clouds(count: usize, width: usize) -> Clouds {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut noise = || (0..6).map(|_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5).sum::<f32>();
        let centres: Vec<f32> = (0..CLASSES * width).map(|_| noise()).collect();
        let truth: Vec<u32> = (0..count).map(|row| (row * 7 / 3 % CLASSES) as u32).collect();
        let spread = 2.5 * (width as f32 / 30.0).powf(0.25);
        let centre = |class: u32| &centres[class as usize * width..(class as usize + 1) * width];
        let values =
            truth.iter().flat_map(|&class| centre(class).iter()).map(|c| c + spread * noise()).collect();
        Clouds { width, values, truth }
    }

    impl Clouds {
        /// Every ninth label is the next class.
        fn labels(&self) -> Vec<u32> {
            let wrong = |row: usize| u32::from(row % 9 == 4);
            self.truth.iter().enumerate().map(|(row, class)| (class + wrong(row)) % CLASSES as u32).collect()
        }

        fn judge(&self, labels: &[u32], groups: Vec<u32>) -> Judgement {
            let problem =
                Problem { labels: labels.to_vec(), classes: CLASSES, groups, width: self.width, seed: 11 };
            let fill = |sample: usize, out: &mut [f32]| {
                out.copy_from_slice(&self.values[sample * self.width..(sample + 1) * self.width]);
            };
            judge(&problem, fill, &Task::new()).unwrap()
        }
    }

    /// The chance that a wrong label has less probability than a right one.
    fn auroc(judgement: &Judgement, labels: &[u32], truth: &[u32]) -> f64 {
        let own = |row: usize| judgement.probabilities.row(row)[labels[row] as usize];
        let (wrong, right): (Vec<_>, Vec<_>) = (0..labels.len()).partition(|&row| labels[row] != truth[row]);
        let wins: usize = wrong.iter().map(|&w| right.iter().filter(|&&r| own(w) < own(r)).count()).sum();
        wins as f64 / (wrong.len() * right.len()) as f64
    }

    #[test]
    fn flipped_labels_are_found() {
        for (count, width) in [(900, 30), (400, 600)] {
            let clouds = clouds(count, width);
            let labels = clouds.labels();
            let judgement = clouds.judge(&labels, (0..count as u32).collect());
            let auroc = auroc(&judgement, &labels, &clouds.truth);
            assert!(auroc > 0.9, "{count} × {width}: {auroc}");
            assert!(judgement.agreement > 0.6 && judgement.agreement < 0.92, "{}", judgement.agreement);
            for (row, hits) in judgement.neighbors.iter().enumerate() {
                assert_eq!(hits.len(), 30);
                assert!(hits.iter().all(|hit| hit.position as usize != row));
            }
        }
    }

    #[test]
    fn threads_do_not_matter() {
        for (count, width) in [(2500, 30), (300, 500)] {
            let clouds = clouds(count, width);
            let labels = clouds.labels();
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let judgement = pool.install(|| clouds.judge(&labels, (0..count as u32).collect()));
                let bits: Vec<u32> = judgement.probabilities.values.iter().map(|p| p.to_bits()).collect();
                (bits, judgement.neighbors)
            };
            assert_eq!(on(1), on(3), "{count} × {width}");
        }
    }

    #[test]
    fn a_wrong_label_that_is_there_four_times_does_not_vouch_for_itself() {
        let mut clouds = clouds(600, 30);
        let mut labels = clouds.labels();
        let mut groups: Vec<u32> = (0..600).collect();
        for row in 597..600 {
            clouds.values.copy_within(596 * 30..597 * 30, row * 30);
        }
        groups[596..].fill(596);
        let class = clouds.truth[596];
        clouds.truth[596..].fill(class);
        labels[596..].fill((class + 1) % CLASSES as u32);
        let own = |judgement: &Judgement| judgement.probabilities.row(596)[labels[596] as usize];
        let grouped = clouds.judge(&labels, groups.clone());
        let apart = clouds.judge(&labels, (0..600).collect());
        assert!(own(&grouped) < 0.9 * own(&apart), "{} {}", own(&grouped), own(&apart));
        assert!(grouped.neighbors[596].iter().all(|hit| hit.position < 596));
        assert!(apart.neighbors[596].iter().filter(|hit| hit.position > 596).count() == 3);
    }

    #[test]
    fn others_are_judged_by_the_teachers_and_copies_by_those_they_did_not_teach() {
        let mut clouds = clouds(900, 30);
        let labels: Vec<u32> = clouds.labels()[..800].to_vec();
        // Sample 800 is a copy of sample 13, whose label is wrong (13 = 9 + 4); 801 a copy that is not known to be one.
        for row in [800, 801] {
            clouds.values.copy_within(13 * 30..14 * 30, row * 30);
        }
        let mut groups: Vec<u32> = (0..900).collect();
        groups[800] = 13;
        let judgement = clouds.judge(&labels, groups);
        assert_eq!(judgement.probabilities.rows(), 900);
        for (copy, original) in judgement.probabilities.row(800).iter().zip(judgement.probabilities.row(13)) {
            assert!((copy - original).abs() < 1e-4, "{copy} {original}");
        }
        assert_eq!(judgement.neighbors[801][0].position, 13);
        assert!(judgement.neighbors.iter().flatten().all(|hit| hit.position < 800));
        let told = (802..900)
            .filter(|&row| confident::most_probable(judgement.probabilities.row(row)) == clouds.truth[row]);
        assert!(told.count() > 70);
    }

    #[test]
    fn numbers_that_say_nothing_do_no_harm() {
        let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let problem = |groups| Problem { labels: labels.clone(), classes: 2, groups, width: 6, seed: 1 };
        let same = |_| 0.25_f32;
        let none = |sample| [f32::NAN, f32::INFINITY][sample % 2];
        let huge = |sample| [65504.0_f32, -65504.0][sample / 2 % 2];
        for value in [&same as &dyn Fn(usize) -> f32, &none, &huge] {
            for groups in [(0..40).collect(), vec![0; 40]] {
                let judgement =
                    judge(&problem(groups), |sample, out| out.fill(value(sample)), &Task::new()).unwrap();
                for p in &judgement.probabilities.values {
                    assert!((p - 0.5).abs() < 0.2, "{p}");
                }
            }
        }
    }

    #[test]
    fn a_cancelled_judgement_stops() {
        let task = Task::new();
        task.cancel();
        let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let problem = Problem { labels, classes: 2, groups: (0..40).collect(), width: 6, seed: 1 };
        assert!(judge(&problem, |_, out| out.fill(0.0), &task).is_err());
    }
}
