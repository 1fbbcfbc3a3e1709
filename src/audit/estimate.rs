//! Which share is wrong, going by those seen? With an interval that keeps its promise also for few and for none.

use serde::Serialize;
use statrs::function::beta::beta_reg;

use super::hypergeometric::at_most;

/// Up to this much more variance by unequal weights than by equal ones counts as rounding.
const ALMOST_EQUAL: f64 = 1.02;

/// Two shares in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What was seen of one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StratumCount {
    /// Samples there are.
    pub population: u64,
    /// Samples decided, right or wrong.
    pub seen: u64,
    /// Wrong ones among them.
    pub defects: u64,
}

/// A share and how well it is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The share of wrong samples, each stratum by its weight.
    pub rate: f64,
    /// The two-sided interval at the plan's confidence.
    pub interval: Interval,
    /// The standard error of the stratified estimate (Cochran); none while a stratum has fewer than two.
    pub standard_error: Option<f64>,
    /// The number of samples of a simple random draw that would be worth as much.
    pub effective: f64,
    /// How the interval was computed: `hypergeometric` or `clopper-pearson`.
    pub method: &'static str,
    /// The share of the whole that lies in strata of which nothing has been seen: the estimate says nothing of it.
    pub unseen: f64,
}

/// The interval of Clopper and Pearson (1934) for `defects` of `seen`: [Beta⁻¹(α/2; x, n − x + 1),
/// Beta⁻¹(1 − α/2; x + 1, n − x)]. Neither needs to be a whole number, as effective sizes are not.
#[must_use]
pub fn clopper_pearson(defects: f64, seen: f64, confidence: f64) -> Interval {
    if seen <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let tail = (1.0 - confidence) / 2.0;
    let low = if defects <= 0.0 { 0.0 } else { beta_quantile(defects, seen - defects + 1.0, tail) };
    let high = if defects >= seen { 1.0 } else { beta_quantile(defects + 1.0, seen - defects, 1.0 - tail) };
    Interval { low, high }
}

/// The quantile of the beta distribution, by halving: its distribution function is monotone, and halving gives the
/// same digits on every machine.
fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if beta_reg(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.midpoint(high)
}

/// The exact interval for the number of wrong samples of a finite `population`: those numbers that neither tail of the
/// hypergeometric distribution rules out at α/2 (Buonaccorsi 1987).
#[must_use]
pub fn finite_interval(defects: u64, seen: u64, population: u64, confidence: f64) -> (u64, u64) {
    let (seen, defects) = (seen.min(population), defects.min(seen));
    let tail = (1.0 - confidence) / 2.0;
    let (least, most) = (defects, population - (seen - defects));
    // P(X ≥ x | K) grows with K, P(X ≤ x | K) falls.
    let at_least =
        |there: u64| if defects == 0 { 1.0 } else { 1.0 - at_most(defects - 1, population, there, seen) };
    let low = first(least, most, |there| at_least(there) > tail);
    let beyond = first(least, most + 1, |there| at_most(defects, population, there, seen) <= tail);
    (low, beyond.saturating_sub(1).max(low))
}

/// The first number in `from..to` for which it holds, `to` where it holds for none.
pub(super) fn first(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The estimate over all strata; `None` when nothing was seen.
///
/// p = Σ `W_h` `p_h` with Var = Σ `W_h`² (1 − `n_h`/`N_h`) `p_h` (1 − `p_h`) / (`n_h` − 1) (Cochran 1977, chapter 5).
/// The interval is the exact one of the hypergeometric distribution where every stratum gave the same share but for
/// rounding; otherwise that of Clopper and Pearson on the effective number n* = 1 / Σ `W_h`² / `n_h` with p n* wrong ones
/// (Korn & Graubard 1998), which does not lean on what stratification gains.
#[must_use]
pub fn estimate(strata: &[StratumCount], confidence: f64) -> Option<Estimate> {
    let all: u64 = strata.iter().map(|s| s.population).sum();
    let seen_strata = || strata.iter().filter(|s| s.seen > 0);
    let covered: u64 = seen_strata().map(|s| s.population).sum();
    let seen: u64 = seen_strata().map(|s| s.seen).sum();
    let defects: u64 = seen_strata().map(|s| s.defects).sum();
    if seen == 0 || covered == 0 {
        return None;
    }
    let weight = |s: &StratumCount| s.population as f64 / covered as f64;
    let share = |s: &StratumCount| s.defects as f64 / s.seen as f64;
    let rate: f64 = seen_strata().map(|s| weight(s) * share(s)).sum();
    let spread: f64 = seen_strata().map(|s| weight(s).powi(2) / s.seen as f64).sum();
    let effective = (1.0 / spread).min(seen as f64);
    let standard_error = seen_strata().all(|s| s.seen >= 2 || s.seen == s.population).then(|| {
        let variance: f64 = seen_strata()
            .filter(|s| s.seen >= 2)
            .map(|s| {
                let left = 1.0 - s.seen as f64 / s.population.max(s.seen) as f64;
                weight(s).powi(2) * left * share(s) * (1.0 - share(s)) / (s.seen - 1) as f64
            })
            .sum();
        variance.sqrt()
    });
    let (interval, method) = if seen as f64 / effective <= ALMOST_EQUAL || seen == covered {
        let (low, high) = finite_interval(defects, seen, covered, confidence);
        let share = |count: u64| count as f64 / covered as f64;
        (Interval { low: share(low), high: share(high) }, "hypergeometric")
    } else {
        (clopper_pearson(rate * effective, effective, confidence), "clopper-pearson")
    };
    // Weights that differ by rounding may move the weighted share a hair past the end of the unweighted interval.
    let interval = Interval { low: interval.low.min(rate), high: interval.high.max(rate) };
    let unseen = 1.0 - covered as f64 / all as f64;
    Some(Estimate { rate, interval, standard_error, effective, method, unseen })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(defects: f64, seen: f64, confidence: f64, low: f64, high: f64) {
        let Interval { low: l, high: h } = clopper_pearson(defects, seen, confidence);
        assert!((l - low).abs() < 5e-6 && (h - high).abs() < 5e-6, "{defects} of {seen}: {l} {h}");
    }

    #[test]
    fn clopper_pearson_is_that_of_the_books() {
        // The closed forms for none and for all.
        check(0.0, 10.0, 0.95, 0.0, 1.0 - 0.025_f64.powf(0.1));
        check(10.0, 10.0, 0.95, 0.025_f64.powf(0.1), 1.0);
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 1 of 29.
        let near = |x: f64, n: f64, low: f64, high: f64| {
            let i = clopper_pearson(x, n, 0.95);
            assert!((i.low - low).abs() < 6e-5 && (i.high - high).abs() < 6e-5, "{x} of {n}: {i:?}");
        };
        near(81.0, 263.0, 0.2527, 0.3676);
        near(15.0, 148.0, 0.0578, 0.1617);
        near(1.0, 29.0, 0.0009, 0.1776);
    }

    #[test]
    fn none_of_many_rules_out_three_over_n() {
        // One-sided 95 % is two-sided 90 %: 1 − 0.05^(1/n).
        for (seen, high) in [(299.0, 0.01), (598.0, 0.005), (2995.0, 0.001)] {
            let got = clopper_pearson(0.0, seen, 0.9).high;
            assert!((got - high).abs() < high * 0.01, "{seen}: {got}");
            assert!((got - (1.0 - 0.05_f64.powf(1.0 / seen))).abs() < 1e-12);
        }
    }

    #[test]
    fn a_finite_population_is_known_exactly_once_all_is_seen() {
        assert_eq!(finite_interval(3, 50, 50, 0.95), (3, 3));
        assert_eq!(finite_interval(0, 0, 50, 0.95), (0, 50));
        let (low, high) = finite_interval(0, 298, 50_000, 0.9);
        assert_eq!(low, 0);
        // One more would have shown with 95 %: the plan's own promise, read the other way round.
        assert_eq!(high + 1, super::super::detectable(50_000, 298, 0.95));
    }

    /// The share of draws whose interval holds the truth is at least the confidence, for every truth.
    #[test]
    fn finite_intervals_keep_their_promise() {
        let (population, seen) = (60, 20);
        let intervals: Vec<(u64, u64)> =
            (0..=seen).map(|defects| finite_interval(defects, seen, population, 0.9)).collect();
        for truth in 0..=population {
            let mut held = 0.0;
            for defects in 0..=seen {
                let below = if defects == 0 { 0.0 } else { at_most(defects - 1, population, truth, seen) };
                let (low, high) = intervals[defects as usize];
                if (low..=high).contains(&truth) {
                    held += at_most(defects, population, truth, seen) - below;
                }
            }
            assert!(held >= 0.9 - 1e-9, "{truth}: {held}");
        }
    }

    #[test]
    fn strata_weigh_by_their_size() {
        let strata = [
            StratumCount { population: 900, seen: 90, defects: 9 },
            StratumCount { population: 100, seen: 10, defects: 5 },
        ];
        let found = estimate(&strata, 0.95).unwrap();
        assert!((found.rate - 0.14).abs() < 1e-12, "{found:?}");
        let expected: f64 = 0.81 * 0.9 * 0.1 * 0.9 / 89.0 + 0.01 * 0.9 * 0.25 / 9.0;
        assert!((found.standard_error.unwrap() - expected.sqrt()).abs() < 1e-12);
        assert_eq!((found.method, found.unseen), ("hypergeometric", 0.0));
        // Much more of the small stratum: worth less than as many of the whole.
        let unequal = [
            StratumCount { population: 900, seen: 20, defects: 0 },
            StratumCount { population: 100, seen: 80, defects: 40 },
            StratumCount { population: 1000, seen: 0, defects: 0 },
        ];
        let found = estimate(&unequal, 0.95).unwrap();
        assert!((found.rate - 0.05).abs() < 1e-12 && found.effective < 25.0, "{found:?}");
        assert_eq!((found.method, found.unseen), ("clopper-pearson", 0.5));
        assert!(found.interval.high > 0.15, "{found:?}");
        assert_eq!(estimate(&[StratumCount::default()], 0.95), None);
    }
}
