//! How many labels are wrong, judged by probabilities that did not see them? Confident learning.
//!
//! After Northcutt, Jiang and Chuang, "Confident Learning", JAIR 2021, with the details of cleanlab 2.9, so that the
//! same probabilities give the same counts and flags. Rows of probabilities are row-major, `classes` a row.

mod filters;
mod scores;

pub use filters::{Filter, Pruning, calibrate, calibrated_issues, flagged, flagged_by, prune_counts};
pub use scores::{Ensemble, Quality, average, ensemble_weights, label_quality};

/// A threshold that no probability reaches: what cleanlab gives a class without labels.
pub const NEVER: f64 = 2.0;
/// Probabilities this close below a threshold reach it.
const TOLERANCE: f64 = 1e-6;

/// For each class the mean probability of it among the samples labelled so: above it, a sample is confidently of the class.
#[must_use]
pub fn thresholds<P: Copy + Into<f64>>(probabilities: &[P], labels: &[u32], classes: usize) -> Vec<f64> {
    let mut sums = vec![0.0; classes];
    let mut counts = vec![0_u64; classes];
    for (row, &label) in probabilities.chunks_exact(classes.max(1)).zip(labels) {
        sums[label as usize] += row[label as usize].into();
        counts[label as usize] += 1;
    }
    let threshold =
        |(sum, count): (f64, u64)| if count == 0 { NEVER } else { (sum / count as f64).max(2.0 * TOLERANCE) };
    sums.into_iter().zip(counts).map(threshold).collect()
}

/// The class that a row confidently is of: of those whose threshold it reaches the only one,
/// or if several the most probable of all classes; `None` if it reaches none.
#[must_use]
pub fn confident_class<P: Copy + Into<f64>>(row: &[P], thresholds: &[f64]) -> Option<u32> {
    let mut reached =
        row.iter().zip(thresholds).enumerate().filter(|(_, (p, t))| (**p).into() >= **t - TOLERANCE);
    let (first, _) = reached.next()?;
    Some(if reached.next().is_some() { most_probable(row) } else { first as u32 })
}

/// The first class of the largest probability.
#[must_use]
pub fn most_probable<P: Copy + Into<f64>>(row: &[P]) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &p) in row.iter().enumerate() {
        if p.into() > best.1 {
            best = (class, p.into());
        }
    }
    best.0 as u32
}

/// Samples by given label and class that they confidently are of: `joint[given * classes + guess]`.
/// Every class counts at least one of itself.
#[must_use]
pub fn confident_joint<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    thresholds: &[f64],
) -> Vec<u64> {
    let classes = thresholds.len();
    let mut joint = vec![0; classes * classes];
    for (row, &label) in probabilities.chunks_exact(classes.max(1)).zip(labels) {
        if let Some(guess) = confident_class(row, thresholds) {
            joint[label as usize * classes + guess as usize] += 1;
        }
    }
    for class in 0..classes {
        let own = &mut joint[class * classes + class];
        *own = (*own).max(1);
    }
    joint
}

/// The samples that are confidently of another class than the given one, ascending:
/// the off-diagonal of the [`confident_joint`], without those whose given class is (nearly) the most probable.
#[must_use]
pub fn off_diagonal<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    thresholds: &[f64],
) -> Vec<usize> {
    let rows = probabilities.chunks_exact(thresholds.len().max(1)).zip(labels).enumerate();
    rows.filter(|(_, (row, label))| {
        confident_class(row, thresholds).is_some_and(|guess| guess != **label)
            && !label_fits_best(row, **label)
    })
    .map(|(at, _)| at)
    .collect()
}

fn label_fits_best<P: Copy + Into<f64>>(row: &[P], label: u32) -> bool {
    let own = row[label as usize].into() + TOLERANCE;
    row.iter().enumerate().all(|(class, &p)| match class.cmp(&(label as usize)) {
        std::cmp::Ordering::Less => p.into() < own,
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Greater => p.into() <= own,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve samples of three classes, three of them confidently of another class than given.
    const HAND: [[f64; 3]; 12] = [
        [0.9, 0.05, 0.05],
        [0.8, 0.15, 0.05],
        [0.1, 0.7, 0.2],
        [0.55, 0.4, 0.05],
        [0.1, 0.85, 0.05],
        [0.12, 0.58, 0.3],
        [0.88, 0.07, 0.05],
        [0.2, 0.45, 0.35],
        [0.06, 0.04, 0.9],
        [0.08, 0.9, 0.02],
        [0.1, 0.3, 0.6],
        [0.3, 0.25, 0.45],
    ];
    const LABELS: [u32; 12] = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];

    #[test]
    fn counted_by_hand() {
        let thresholds = thresholds(HAND.as_flattened(), &LABELS, 3);
        for (found, expected) in thresholds.iter().zip([0.5875, 0.4875, 0.4925]) {
            assert!((found - expected).abs() < 1e-12, "{thresholds:?}");
        }
        assert_eq!(confident_joint(HAND.as_flattened(), &LABELS, &thresholds), [2, 1, 0, 1, 2, 0, 0, 1, 2]);
        assert_eq!(off_diagonal(HAND.as_flattened(), &LABELS, &thresholds), [2, 6, 9]);
    }

    #[test]
    fn a_class_without_labels_is_never_guessed() {
        let p = [[0.1, 0.9], [0.6, 0.4]];
        let thresholds = thresholds(p.as_flattened(), &[0, 0], 2);
        assert_eq!(thresholds, [0.35, NEVER]);
        assert_eq!(confident_class(&p[0], &thresholds), None);
        assert!(off_diagonal(p.as_flattened(), &[0, 0], &thresholds).is_empty());
    }

    #[test]
    fn a_tie_with_the_given_class_is_not_flagged() {
        let p = [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]];
        for labels in [[0, 0], [1, 1]] {
            assert!(off_diagonal(p.as_flattened(), &labels, &[0.4, 0.4, 0.4]).is_empty(), "{labels:?}");
        }
    }
}
