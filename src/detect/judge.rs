//! Of which class does each sample look, by experts that its own label did not teach?
//!
//! The pure core of label errors: experts and labels in, probabilities and neighbours out; no pictures, no versions.

use super::expert::{Expert, Opinion};
use super::lesson::{Lesson, Problem};
use super::matrix::Matrix;
use super::{confident, pool};
use crate::feature::Hit;
use crate::task::{Cancelled, Task};

/// Keeps the weight of an expert that says nothing from wandering off; too little to move one that does.
const PENALTY: f64 = 1e-4;

/// What the experts say.
pub(super) struct Judgement {
    /// For all samples the probability of each class, from experts that the sample did not teach.
    pub probabilities: Matrix,
    /// For all samples the nearest teaching samples, nearest first, by the numbers whose neighbours tell most.
    pub neighbors: Vec<Vec<Hit>>,
    /// Share of teaching samples whose most probable class is the given one.
    pub agreement: f64,
}

/// Judges every sample by all experts, pooled with fitted weights.
pub(super) fn judge(
    problem: &Problem,
    experts: &[Box<dyn Expert + '_>],
    task: &Task,
) -> Result<Judgement, Cancelled> {
    let lesson = Lesson::new(problem);
    let mut opinions: Vec<Opinion> = Vec::new();
    for expert in experts {
        opinions.extend(expert.opinions(&lesson, task)?);
    }
    task.check()?;
    let scores: Vec<&Matrix> = opinions.iter().map(|opinion| &opinion.scores).collect();
    let weights = pool::fit(&scores, &lesson.labels, &lesson.fit_rows, PENALTY).weights;
    let pooled = pool::probabilities(&scores, &weights);
    let taught = lesson.labels.len();
    let agreeing = (0..taught).filter(|&row| confident::most_probable(pooled.row(row)) == lesson.labels[row]);
    let agreement = agreeing.count() as f64 / taught.max(1) as f64;

    let (count, classes) = (lesson.order.len(), lesson.classes);
    let mut probabilities = Matrix::zeros(count, classes);
    for (row, &sample) in lesson.order.iter().enumerate() {
        let to = sample as usize * classes;
        probabilities.values[to..to + classes].copy_from_slice(pooled.row(row));
    }
    let mut neighbors = vec![Vec::new(); count];
    for (row, mut hits) in telling_neighbors(opinions, &lesson).into_iter().enumerate() {
        for hit in &mut hits {
            hit.position = lesson.order[hit.position as usize];
        }
        neighbors[lesson.order[row] as usize] = hits;
    }
    Ok(Judgement { probabilities, neighbors, agreement })
}

/// Of several experts' neighbours those whose vote explains the labels best; the first of equals.
fn telling_neighbors(opinions: Vec<Opinion>, lesson: &Lesson) -> Vec<Vec<Hit>> {
    let mut best: Option<(f64, Vec<Vec<Hit>>)> = None;
    for Opinion { scores, neighbors } in opinions {
        let Some(neighbors) = neighbors else { continue };
        let nll = pool::fit(&[&scores], &lesson.labels, &lesson.fit_rows, 0.0).nll;
        if best.as_ref().is_none_or(|(least, _)| nll < *least) {
            best = Some((nll, neighbors));
        }
    }
    best.map(|(_, neighbors)| neighbors).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::expert::Numbers;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

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
            let problem = Problem { labels: labels.to_vec(), classes: CLASSES, groups, seed: 11 };
            let fill = |sample: usize, out: &mut [f32]| {
                out.copy_from_slice(&self.values[sample * self.width..(sample + 1) * self.width]);
            };
            judge(&problem, &[Numbers::boxed(self.width, None, fill)], &Task::new()).unwrap()
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

    fn judge_by(
        problem: &Problem,
        fill: impl Fn(usize, &mut [f32]),
        task: &Task,
    ) -> Result<Judgement, Cancelled> {
        judge(problem, &[Numbers::boxed(6, None, fill)], task)
    }

    #[test]
    fn numbers_that_say_nothing_do_no_harm() {
        let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let problem = |groups| Problem { labels: labels.clone(), classes: 2, groups, seed: 1 };
        let same = |_| 0.25_f32;
        let none = |sample| [f32::NAN, f32::INFINITY][sample % 2];
        let huge = |sample| [65504.0_f32, -65504.0][sample / 2 % 2];
        for value in [&same as &dyn Fn(usize) -> f32, &none, &huge] {
            for groups in [(0..40).collect(), vec![0; 40]] {
                let judgement =
                    judge_by(&problem(groups), |sample, out| out.fill(value(sample)), &Task::new()).unwrap();
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
        let problem = Problem { labels, classes: 2, groups: (0..40).collect(), seed: 1 };
        assert!(judge_by(&problem, |_, out| out.fill(0.0), &task).is_err());
    }
}
