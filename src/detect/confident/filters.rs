//! Which labels does cleanlab flag? Its seven filters, index for index.
//!
//! Equal from the inputs on, except where cleanlab itself leaves the choice to an unstable sort: rounding a row of counts
//! whose fractions are equal. Here the higher class is then rounded up and the lower one down.

use super::scores::{Quality, label_quality};
use super::{confident_joint, label_fits_best, most_probable, off_diagonal, thresholds};

/// A way to choose which labels are flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// For each pair of classes as many as the joint says, by the margin between the two.
    PruneByNoiseRate,
    /// For each class as many as the joint says, by self-confidence.
    PruneByClass,
    /// What both of these flag.
    Both,
    /// What is confidently of another class.
    ConfidentLearning,
    /// What is predicted to be of another class.
    PredictedNeqGiven,
    /// As many as are confidently of another class, by normalised margin.
    LowNormalizedMargin,
    /// As many as are confidently of another class, by self-confidence.
    LowSelfConfidence,
}

impl Filter {
    /// All, with cleanlab's names for them.
    pub const ALL: [(&'static str, Self); 7] = [
        ("prune_by_noise_rate", Self::PruneByNoiseRate),
        ("prune_by_class", Self::PruneByClass),
        ("both", Self::Both),
        ("confident_learning", Self::ConfidentLearning),
        ("predicted_neq_given", Self::PredictedNeqGiven),
        ("low_normalized_margin", Self::LowNormalizedMargin),
        ("low_self_confidence", Self::LowSelfConfidence),
    ];
}

/// cleanlab's parameters of the filters that prune.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pruning {
    /// Share of the estimated errors that is flagged.
    pub frac_noise: f64,
    /// A class is never pruned below this many samples.
    pub min_examples_per_class: u64,
}

impl Default for Pruning {
    fn default() -> Self {
        Self { frac_noise: 1.0, min_examples_per_class: 1 }
    }
}

/// The flagged samples, ascending.
#[must_use]
pub fn flagged<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    classes: usize,
    filter: Filter,
    pruning: Pruning,
) -> Vec<usize> {
    let joint = confident_joint(probabilities, labels, &thresholds(probabilities, labels, classes));
    flagged_by(probabilities, labels, &calibrate(&joint, labels, classes), filter, pruning)
}

/// As [`flagged`], with a calibrated joint of one's own: `[given × classes + true]`.
#[must_use]
pub fn flagged_by<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    joint: &[u64],
    filter: Filter,
    pruning: Pruning,
) -> Vec<usize> {
    let classes = joint.len().isqrt();
    let thresholds = thresholds(probabilities, labels, classes);
    let row = |at: usize| &probabilities[at * classes..(at + 1) * classes];
    let as_many_lowest = |quality| {
        let scores = label_quality(probabilities, labels, classes, quality, None);
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(a.cmp(&b)));
        order.truncate(off_diagonal(probabilities, labels, &thresholds).len());
        order
    };
    let pruned = || (prune_counts(joint, classes, pruning), Counted::of(labels, classes));
    let mut rows = match filter {
        Filter::PruneByNoiseRate => {
            let (counts, by_class) = pruned();
            by_noise_rate(probabilities, &by_class, &counts, pruning)
        }
        Filter::PruneByClass => {
            let (counts, by_class) = pruned();
            by_class_size(probabilities, &by_class, &counts, pruning)
        }
        Filter::Both => {
            let (counts, by_class) = pruned();
            let by_size = by_class_size(probabilities, &by_class, &counts, pruning);
            let mut rows = by_noise_rate(probabilities, &by_class, &counts, pruning);
            rows.retain(|row| by_size.contains(row));
            rows
        }
        Filter::ConfidentLearning => off_diagonal(probabilities, labels, &thresholds),
        Filter::PredictedNeqGiven => {
            (0..labels.len()).filter(|&at| most_probable(row(at)) != labels[at]).collect()
        }
        Filter::LowNormalizedMargin => as_many_lowest(Quality::NormalizedMargin),
        Filter::LowSelfConfidence => as_many_lowest(Quality::SelfConfidence),
    };
    if !matches!(filter, Filter::LowNormalizedMargin | Filter::LowSelfConfidence) {
        rows.retain(|&at| !label_fits_best(row(at), labels[at]));
    }
    rows.sort_unstable();
    rows
}

/// The joint scaled so that each given class has as many samples as it has, in whole samples: `[given × classes + true]`.
#[must_use]
pub fn calibrate(joint: &[u64], labels: &[u32], classes: usize) -> Vec<u64> {
    let counted = Counted::of(labels, classes);
    let mut scaled = Vec::with_capacity(joint.len());
    for (row, members) in joint.chunks_exact(classes.max(1)).zip(&counted.members) {
        let sum = (row.iter().sum::<u64>() as f64).max(1e-100);
        scaled.extend(row.iter().map(|&count| count as f64 / sum * members.len() as f64));
    }
    let total: f64 = scaled.iter().sum::<f64>().max(1e-100);
    for value in &mut scaled {
        *value = *value / total * labels.len() as f64;
    }
    scaled.chunks_exact(classes.max(1)).flat_map(rounded).collect()
}

/// How many labels are wrong in all, by the calibrated joint: cleanlab's `off_diagonal_calibrated`.
#[must_use]
pub fn calibrated_issues(joint: &[u64], classes: usize) -> u64 {
    let total: u64 = joint.iter().sum();
    let diagonal: u64 = (0..classes).map(|class| joint[class * classes + class]).sum();
    total - diagonal
}

/// How many samples of each given class are of each true one, of which the filters prune: `[true × classes + given]`.
#[must_use]
pub fn prune_counts(joint: &[u64], classes: usize, pruning: Pruning) -> Vec<u64> {
    let mut counts: Vec<f64> =
        (0..classes * classes).map(|at| joint[at % classes * classes + at / classes] as f64).collect();
    for given in 0..classes {
        let diagonal = counts[given * classes + given].max(pruning.min_examples_per_class as f64);
        let kept = diagonal - counts[given * classes + given];
        let nonzero = (0..classes).filter(|row| counts[row * classes + given] != 0.0).count();
        let share = kept / (nonzero.saturating_sub(1)).max(1) as f64;
        for row in 0..classes {
            let count = &mut counts[row * classes + given];
            *count = (*count - share).max(0.0);
        }
        counts[given * classes + given] = diagonal;
    }
    for given in 0..classes {
        let mut removed = 0.0;
        for row in (0..classes).filter(|row| *row != given) {
            let count = &mut counts[row * classes + given];
            let kept = *count * pruning.frac_noise;
            removed += *count - kept;
            *count = kept;
        }
        counts[given * classes + given] += removed;
    }
    for count in &mut counts {
        *count = count.trunc();
    }
    counts.chunks_exact(classes.max(1)).flat_map(rounded).collect()
}

/// Whole numbers with the same sum as the row has, rounded.
fn rounded(row: &[f64]) -> Vec<u64> {
    let mut whole: Vec<f64> = row.iter().map(|value| value.round_ties_even()).collect();
    let target = row.iter().sum::<f64>().round_ties_even();
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| (row[a] - whole[a]).total_cmp(&(row[b] - whole[b])));
    // A second round is needed only where more cells than there are must move.
    for _ in 0..row.len() {
        let missing = target - whole.iter().sum::<f64>();
        if missing.abs() <= 1e-6 {
            break;
        }
        let cells = (missing.abs() as usize).min(row.len());
        let (step, chosen) =
            if missing > 0.0 { (1.0, &order[order.len() - cells..]) } else { (-1.0, &order[..cells]) };
        for &cell in chosen {
            whole[cell] += step;
        }
    }
    whole.into_iter().map(|value| value.max(0.0) as u64).collect()
}

/// Samples by given class, ascending.
struct Counted {
    members: Vec<Vec<usize>>,
}

impl Counted {
    fn of(labels: &[u32], classes: usize) -> Self {
        let mut members = vec![Vec::new(); classes];
        for (at, &label) in labels.iter().enumerate() {
            members[label as usize].push(at);
        }
        Self { members }
    }

    /// Classes with more samples than the least, and their samples.
    fn prunable(&self, pruning: Pruning) -> impl Iterator<Item = (usize, &[usize])> {
        let classes = self.members.iter().enumerate().map(|(class, members)| (class, &members[..]));
        classes.filter(move |(_, members)| members.len() as u64 > pruning.min_examples_per_class)
    }
}

fn by_class_size<P: Copy + Into<f64>>(
    probabilities: &[P],
    counted: &Counted,
    counts: &[u64],
    pruning: Pruning,
) -> Vec<usize> {
    let classes = counted.members.len();
    let mut rows = Vec::new();
    for (class, members) in counted.prunable(pruning) {
        let wrong = members.len().saturating_sub(counts[class * classes + class] as usize);
        rows.extend(lowest(members, wrong, |at| probabilities[at * classes + class].into()));
    }
    rows
}

fn by_noise_rate<P: Copy + Into<f64>>(
    probabilities: &[P],
    counted: &Counted,
    counts: &[u64],
    pruning: Pruning,
) -> Vec<usize> {
    let classes = counted.members.len();
    let mut rows = Vec::new();
    for (class, members) in counted.prunable(pruning) {
        for other in (0..classes).filter(|other| *other != class) {
            let wrong = counts[other * classes + class] as usize;
            let own_less_other = |at: usize| {
                probabilities[at * classes + class].into() - probabilities[at * classes + other].into()
            };
            rows.extend(lowest(members, wrong, own_less_other));
        }
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The `count` members of the smallest values, ties by position.
fn lowest(members: &[usize], count: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order = members.to_vec();
    order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    order.truncate(count);
    order
}
