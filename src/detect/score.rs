//! How suspect is a given label, by its sample's probabilities?

use super::ScoreRule;
use super::confident::{self, NEVER, Quality};

/// Samples of an average class that each class's threshold is mixed with: a threshold of a few samples is mostly chance.
const SHRINKAGE: f64 = 50.0;
/// Keeps the logarithm of an impossible class finite.
const FLOOR: f64 = 1e-12;

/// By each label its quality in [0, 1], low = suspect; `thresholds` are cleanlab's, `counts` the samples behind them.
pub(super) fn qualities<P: Copy + Into<f64>>(
    probabilities: &[P],
    labels: &[u32],
    rule: ScoreRule,
    thresholds: &[f64],
    counts: &[usize],
) -> Vec<f64> {
    let (quality, adjusted) = match rule {
        ScoreRule::Balanced => {
            let usual = shrunken(thresholds, counts);
            let rows = probabilities.chunks_exact(thresholds.len().max(1)).zip(labels);
            return rows.map(|(row, &label)| balanced(row, label as usize, &usual)).collect();
        }
        ScoreRule::SelfConfidence => (Quality::SelfConfidence, false),
        ScoreRule::NormalizedMargin => (Quality::NormalizedMargin, false),
        ScoreRule::ConfidenceWeightedEntropy => (Quality::ConfidenceWeightedEntropy, false),
        ScoreRule::AdjustedSelfConfidence => (Quality::SelfConfidence, true),
        ScoreRule::AdjustedNormalizedMargin => (Quality::NormalizedMargin, true),
    };
    let adjusted = adjusted.then_some(thresholds);
    confident::label_quality(probabilities, labels, thresholds.len(), quality, adjusted)
}

/// Thresholds drawn towards their mean, the more the fewer samples stand behind them; classes without get the mean.
fn shrunken(thresholds: &[f64], counts: &[usize]) -> Vec<f64> {
    let known = || thresholds.iter().zip(counts).filter(|(threshold, _)| **threshold < NEVER);
    let total: f64 = known().map(|(_, &count)| count as f64).sum();
    let mean = known().map(|(threshold, &count)| threshold * count as f64).sum::<f64>() / total.max(1.0);
    let shrink = |(&threshold, &count): (&f64, &usize)| {
        if threshold >= NEVER {
            return mean;
        }
        (threshold * count as f64 + SHRINKAGE * mean) / (count as f64 + SHRINKAGE)
    };
    thresholds.iter().zip(counts).map(shrink).collect()
}

/// `1 / (1 + e⁻ᴸ)`, `L = ln p − ½ ln o − ½ (ln t − ½ ln s)` with p and t of the given class, o and s of the best other.
fn balanced<P: Copy + Into<f64>>(row: &[P], label: usize, usual: &[f64]) -> f64 {
    let mut best: Option<(usize, f64)> = None;
    for (class, &p) in row.iter().enumerate() {
        let p: f64 = p.into();
        if class != label && best.is_none_or(|(_, most)| p > most) {
            best = Some((class, p));
        }
    }
    let Some((other, p)) = best else { return 1.0 };
    let own = (row[label].into() + FLOOR).ln() - 0.5 * (p + FLOOR).ln();
    let expected = (usual[label] + FLOOR).ln() - 0.5 * (usual[other] + FLOOR).ln();
    1.0 / (1.0 + (0.5 * expected - own).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balanced_score_is_the_formula() {
        // t = .8 and .4 of 150 and 50 samples: the mean is .7, the shrunken ones .775 and .55.
        let q = qualities(&[0.2_f64, 0.8, 0.5, 0.5], &[0, 1], ScoreRule::Balanced, &[0.8, 0.4], &[150, 50]);
        let expected = |own: f64, other: f64, t: f64, s: f64| {
            let l = own.ln() - 0.5 * other.ln() - 0.5 * (t.ln() - 0.5 * s.ln());
            1.0 / (1.0 + (-l).exp())
        };
        assert!((q[0] - expected(0.2, 0.8, 0.775, 0.55)).abs() < 1e-9, "{q:?}");
        assert!((q[1] - expected(0.5, 0.5, 0.55, 0.775)).abs() < 1e-9, "{q:?}");
    }

    #[test]
    fn nothing_is_certain_and_nothing_is_no_number() {
        for (p, thresholds) in
            [([0.0, 1.0], [NEVER, 0.9]), ([1.0, 0.0], [NEVER, NEVER]), ([0.5, 0.5], [0.0, 0.0])]
        {
            for rule in ScoreRule::ALL {
                let q = qualities(&p, &[0], rule.1, &thresholds, &[0, 3])[0];
                assert!((0.0..=1.0).contains(&q), "{} of {p:?}: {q}", rule.0);
            }
        }
    }
}
