//! How surprising is a count? Tails in −log10, which do not vanish where a probability would.

use std::f64::consts::LN_10;

use statrs::function::factorial::ln_factorial;

/// −log10 of the chance that `draws` of `population` things, `marked` of which are marked, hold at least `seen` marked.
pub(super) fn hypergeometric(population: u64, marked: u64, draws: u64, seen: u64) -> f64 {
    let (marked, draws) = (marked.min(population), draws.min(population));
    let most = marked.min(draws);
    let least = (marked + draws).saturating_sub(population);
    if seen <= least || seen > most {
        return 0.0;
    }
    let whole = ln_choose(population, draws);
    let term = |x: u64| ln_choose(marked, x) + ln_choose(population - marked, draws - x) - whole;
    tail((seen..=most).map(term))
}

/// −log10 of the chance that of `draws` trials, each with this `rate`, at least `seen` succeed.
pub(super) fn binomial(draws: u64, rate: f64, seen: u64) -> f64 {
    if seen == 0 || rate >= 1.0 || seen > draws {
        return 0.0;
    }
    let rate = rate.max(1e-300);
    let term = |x: u64| ln_choose(draws, x) + x as f64 * rate.ln() + (draws - x) as f64 * (-rate).ln_1p();
    tail((seen..=draws).map(term))
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// −log10 of a sum of terms given as logarithms.
fn tail(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.map(|term| (term - largest).exp()).sum();
    (-(largest + sum.ln()) / LN_10).max(0.0)
}

/// A score in [0, 1] for −log10 p: ½ at 3, 0.9 at 10, 0.99 at 20.
pub(super) fn strength(evidence: f64) -> f64 {
    1.0 - 10_f64.powf(-evidence.max(0.0) / 10.0)
}

/// What the labels of some samples say, if they were drawn from a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LabelEvidence {
    /// The most frequent label; of equally frequent ones the one that is rarer in the pool.
    pub label: u32,
    /// How many have it.
    pub count: u64,
    /// −log10 of the chance of so many with one label, whichever it is (Bonferroni over the labels in the pool).
    pub evidence: f64,
}

/// The labels of samples drawn from a pool with so many of each label.
pub(super) fn label_evidence(labels: impl Iterator<Item = u32>, pool: &[u64]) -> Option<LabelEvidence> {
    let mut counts = vec![0_u64; pool.len()];
    for label in labels.filter(|&label| (label as usize) < pool.len()) {
        counts[label as usize] += 1;
    }
    let drawn: u64 = counts.iter().sum();
    let label = (0..pool.len())
        .filter(|&label| counts[label] > 0)
        .max_by_key(|&label| (counts[label], std::cmp::Reverse(pool[label]), std::cmp::Reverse(label)))?;
    let ways = pool.iter().filter(|&&count| count > 0).count().max(1) as f64;
    let evidence = hypergeometric(pool.iter().sum(), pool[label], drawn, counts[label]);
    Some(LabelEvidence {
        label: label as u32,
        count: counts[label],
        evidence: (evidence - ways.log10()).max(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.max(1.0), "{found} instead of {expected}");
    }

    #[test]
    fn tails() {
        // 3 of 3 marked drawn: 1 / C(10, 3).
        check(hypergeometric(10, 3, 3, 3), 120_f64.log10());
        // At least 2: (1 + 3 · 7) / 120.
        check(hypergeometric(10, 3, 3, 2), (120.0 / 22.0_f64).log10());
        check(hypergeometric(10, 3, 3, 0), 0.0);
        check(hypergeometric(10, 9, 3, 2), 0.0);
        check(hypergeometric(4, 5, 9, 3), 0.0);
        check(binomial(2, 0.5, 1), (4.0 / 3.0_f64).log10());
        check(binomial(100, 1e-3, 100), 300.0);
        check(binomial(3, 1.0, 3), 0.0);
        assert!(hypergeometric(100_000, 500, 500, 500) > 1000.0);
        check(strength(10.0), 0.9);
    }

    #[test]
    fn labels_of_a_sample() {
        let pool = [50, 30, 20];
        let found = label_evidence([2, 2, 2, 2, 1].into_iter(), &pool).unwrap();
        assert_eq!((found.label, found.count), (2, 4));
        check(found.evidence, hypergeometric(100, 20, 5, 4) - 3_f64.log10());
        assert_eq!(label_evidence([0, 2].into_iter(), &pool).unwrap().label, 2, "the rarer one");
        assert_eq!(label_evidence([7].into_iter(), &pool), None);
    }
}
