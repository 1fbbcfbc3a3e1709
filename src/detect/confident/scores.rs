//! How good is a label, judged by its sample's probabilities? One score a sample, low = bad.

use super::{TOLERANCE, most_probable};

/// The least probability of which a logarithm is taken.
const MIN_ALLOWED: f64 = 1e-6;

/// cleanlab's label-quality scores, all in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// Probability p of the given class.
    SelfConfidence,
    /// `(p − p of the best other class + 1) / 2`.
    NormalizedMargin,
    /// Entropy over p, mapped so that 1 is best.
    ConfidenceWeightedEntropy,
}

/// The quality of each sample's label.
///
/// Adjusted by `thresholds`, a class that the models are rarely sure of is judged more mildly;
/// cleanlab does so for the first two only.
#[must_use]
pub fn label_quality<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    classes: usize,
    quality: Quality,
    thresholds: Option<&[f64]>,
) -> Vec<f64> {
    let mut row = vec![0.0; classes];
    let rows = probabilities.chunks_exact(classes.max(1)).zip(labels);
    rows.map(|(given, &label)| {
        row.iter_mut().zip(given).for_each(|(to, &p)| *to = p.into());
        if let Some(thresholds) = thresholds {
            adjust(&mut row, thresholds);
        }
        quality_of(&row, label as usize, quality)
    })
    .collect()
}

fn quality_of(row: &[f64], label: usize, quality: Quality) -> f64 {
    let own = row[label];
    match quality {
        Quality::SelfConfidence => own,
        Quality::NormalizedMargin => {
            let others = row.iter().enumerate().filter(|(class, _)| *class != label);
            let best = others.map(|(_, &p)| p).fold(f64::NEG_INFINITY, f64::max);
            if best.is_finite() { f64::midpoint(own - best, 1.0) } else { own }
        }
        Quality::ConfidenceWeightedEntropy => {
            let entropy: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            let weighted = entropy / (row.len() as f64).ln() / own.max(MIN_ALLOWED);
            ((weighted + 1.0).ln() / weighted.max(MIN_ALLOWED)).clamp(0.0, 1.0)
        }
    }
}

/// Moves every probability by how far its class's threshold is from the highest, and makes the sum 1 again.
fn adjust(row: &mut [f64], thresholds: &[f64]) {
    let highest = thresholds.iter().copied().fold(0.0, f64::max);
    let mut sum = 0.0;
    for (p, threshold) in row.iter_mut().zip(thresholds) {
        *p += highest - threshold;
        sum += *p;
    }
    for p in row {
        *p /= sum;
    }
}

/// How much each of several models' scores counts in their average.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ensemble {
    /// The same.
    Uniform,
    /// By its accuracy on the given labels; cleanlab's default.
    #[default]
    Accuracy,
    /// By `exp(−t · log loss)`, with the t whose average of probabilities has the least log loss.
    LogLossSearch,
}

impl Ensemble {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("accuracy", Self::Accuracy), ("uniform", Self::Uniform), ("log-loss-search", Self::LogLossSearch)];
}

/// The weights of several models' scores, which add up to 1; each of `members` is row-major, `classes` a row.
#[must_use]
pub fn ensemble_weights(members: &[&[f64]], labels: &[u32], classes: usize, how: Ensemble) -> Vec<f64> {
    let normalised = |weights: Vec<f64>| {
        let sum: f64 = weights.iter().sum();
        let even = 1.0 / members.len().max(1) as f64;
        weights.iter().map(|weight| if sum > 0.0 { weight / sum } else { even }).collect::<Vec<f64>>()
    };
    match how {
        Ensemble::Uniform => normalised(vec![1.0; members.len()]),
        Ensemble::Accuracy => {
            let right = |member: &[f64]| {
                let rows = member.chunks_exact(classes.max(1)).zip(labels);
                rows.filter(|(row, label)| most_probable(row) == **label).count() as f64
            };
            normalised(members.iter().map(|member| right(member)).collect())
        }
        Ensemble::LogLossSearch => {
            let losses: Vec<f64> = members.iter().map(|member| log_loss(member, labels, classes)).collect();
            let mut best: Option<(f64, Vec<f64>)> = None;
            for t in [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 200.0] {
                let weights = normalised(losses.iter().map(|loss| (-t * loss).exp()).collect());
                let loss = log_loss(&average(members, &weights), labels, classes);
                if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                    best = Some((loss, weights));
                }
            }
            best.map(|(_, weights)| weights).unwrap_or_default()
        }
    }
}

/// The weighted mean of several models' numbers.
#[must_use]
pub fn average(members: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let mut mean = vec![0.0; members.first().map_or(0, |member| member.len())];
    for (member, weight) in members.iter().zip(weights) {
        mean.iter_mut().zip(*member).for_each(|(sum, x)| *sum += weight * x);
    }
    mean
}

/// The mean negative logarithm of the given class's probability.
fn log_loss(probabilities: &[f64], labels: &[u32], classes: usize) -> f64 {
    let rows = probabilities.chunks_exact(classes.max(1)).zip(labels);
    let loss = |(row, label): (&[f64], &u32)| {
        let sum: f64 = row.iter().map(|p| p.max(TOLERANCE)).sum();
        -(row[*label as usize].max(TOLERANCE) / sum).ln()
    };
    rows.map(loss).sum::<f64>() / labels.len().max(1) as f64
}
