//! How many samples does a question need, and what does a number of samples answer?

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::AuditError;
use super::hypergeometric::at_most;

/// Room for rounding where a probability is compared with the confidence asked for.
const ROUNDING: f64 = 1e-12;
/// The most wrong samples that a plan may let pass.
const MOST_ACCEPTED: u64 = 10_000;

/// How many are to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// As many as find out whether this share, in (0, 1), or more is wrong.
    Rate(f64),
    /// This many.
    Budget(u64),
}

/// Of what equal shares are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrataBy {
    /// Of the whole.
    None,
    /// Of each label.
    #[default]
    Label,
    /// Of each split.
    Split,
}

/// When is it enough?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// When the sample has been seen, or more wrong ones than the plan lets pass.
    #[default]
    Fixed,
    /// As soon as Wald's sequential test decides.
    Sequential,
}

/// What a person wants to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// How many, or to find what.
    pub size: Size,
    /// How sure, in (0, 1), such as 0.95.
    pub confidence: f64,
    /// The share of wrong samples with which the dataset is still to pass (mostly), in [0, 1); 0 when a single one
    /// that is seen speaks against it.
    pub acceptable: f64,
    /// When to stop.
    pub rule: StopRule,
    /// Equal shares of what.
    pub strata: StrataBy,
    /// Same seed, same samples.
    pub seed: u64,
    /// Known answers to mix in, as a share of the drawn samples, in [0, 1].
    pub golden: f64,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            size: Size::Rate(0.01),
            confidence: 0.95,
            acceptable: 0.0,
            rule: StopRule::Fixed,
            strata: StrataBy::Label,
            seed: 0,
            golden: 0.05,
        }
    }
}

/// What a design comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizing {
    /// How many of each stratum.
    pub drawn: Vec<u64>,
    /// How many in all.
    pub total: u64,
    /// The share of wrong samples that would be noticed, for a budget the least such share.
    pub rate: f64,
    /// The same as a number of samples of the whole.
    pub defects: u64,
    /// Wrong samples that may be seen without speaking against the dataset.
    pub accept: u64,
    /// The probability that a dataset with `defects` wrong samples passes, wherever in the strata they are.
    pub miss: f64,
}

/// P(no defect is drawn) = C(N − k, n) / C(N, n), exactly: N `population`, k `defects`, n `drawn`.
#[must_use]
pub fn miss_probability(population: u64, defects: u64, drawn: u64) -> f64 {
    let (fewer, more) = (defects.min(drawn), defects.max(drawn));
    if fewer == 0 {
        return 1.0;
    }
    if defects.saturating_add(drawn) > population {
        return 0.0;
    }
    // The fraction is symmetric in k and n: the shorter product of the two.
    let ln: f64 = (0..fewer).map(|i| (-(more as f64) / (population - i) as f64).ln_1p()).sum();
    ln.exp()
}

/// The least number of samples of which at least one is wrong with this confidence, when `defects` of `population` are.
/// The hypergeometric form of Cannon and Roe (1982), exactly and not by their approximation.
#[must_use]
pub fn discovery_size(population: u64, defects: u64, confidence: f64) -> u64 {
    least(population, |drawn| miss_probability(population, defects, drawn) <= 1.0 - confidence + ROUNDING)
}

/// As [`discovery_size`] for a reviewer who notices a wrong sample only with probability `sensitivity`:
/// the least n with 1 − (1 − s k / N)^n ≥ confidence. As if each was put back: a little more than needed.
#[must_use]
pub fn discovery_size_of_imperfect(population: u64, defects: u64, confidence: f64, sensitivity: f64) -> u64 {
    let each = sensitivity * defects as f64 / population.max(1) as f64;
    if each >= 1.0 {
        return 1;
    }
    ((1.0 - confidence).ln() / (-each).ln_1p()).ceil() as u64
}

/// The least number of wrong samples of which at least one would be among `drawn` with this confidence.
#[must_use]
pub fn detectable(population: u64, drawn: u64, confidence: f64) -> u64 {
    least(population, |defects| miss_probability(population, defects, drawn) <= 1.0 - confidence + ROUNDING)
}

/// P(no defect is drawn) when `defects` lie in the strata, each (population, drawn), as is worst for us.
///
/// One more defect in a stratum of N with n drawn, where i lie already, is missed with 1 − n / (N − i); that only
/// gets smaller with i, so taking the largest factor each time finds the worst.
#[must_use]
pub fn worst_miss_probability(strata: &[(u64, u64)], defects: u64) -> f64 {
    worst_miss_down_to(strata, defects, 0.0)
}

/// The same; once it is known to be at most `enough`, some number that is.
fn worst_miss_down_to(strata: &[(u64, u64)], defects: u64, enough: f64) -> f64 {
    struct Next {
        factor: f64,
        stratum: usize,
        there: u64,
    }
    impl PartialEq for Next {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }
    impl Eq for Next {}
    impl PartialOrd for Next {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Next {
        fn cmp(&self, other: &Self) -> Ordering {
            self.factor.total_cmp(&other.factor).then(other.stratum.cmp(&self.stratum))
        }
    }
    let next = |stratum: usize, there: u64| {
        let (population, drawn) = strata[stratum];
        let rest = population - there;
        (rest > 0).then(|| Next { factor: 1.0 - drawn.min(rest) as f64 / rest as f64, stratum, there })
    };
    if let [(population, drawn)] = strata {
        return miss_probability(*population, defects, *drawn);
    }
    let mut heap: BinaryHeap<Next> = (0..strata.len()).filter_map(|stratum| next(stratum, 0)).collect();
    let (mut ln, ln_enough) = (0.0, enough.ln());
    for _ in 0..defects {
        let Some(Next { factor, stratum, there }) = heap.pop() else { break };
        if factor <= 0.0 {
            return 0.0;
        }
        ln += factor.ln();
        if ln <= ln_enough {
            break;
        }
        heap.extend(next(stratum, there + 1));
    }
    ln.exp()
}

/// How many of each stratum a design draws, and what that finds.
///
/// Every stratum gives the same share, rounded up, so that none is left out. For a rate and no acceptable share the
/// probability to miss is kept wherever in the strata the wrong samples lie; with an acceptable share it is that of
/// one draw from the whole, which equal shares of each stratum do not make worse but for rounding.
pub fn size(design: &Design, populations: &[u64]) -> Result<Sizing, AuditError> {
    let impossible = |message: String| Err(AuditError::Impossible(message));
    let Design { size, confidence, acceptable, .. } = *design;
    let population: u64 = populations.iter().sum();
    if population == 0 || populations.contains(&0) {
        return impossible("there is no sample to draw; open a dataset whose pictures can be read".into());
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return impossible("the confidence lies between 0 and 1, such as 0.95".into());
    }
    if !(0.0..1.0).contains(&acceptable) {
        return impossible("the acceptable share lies between 0 and 1, such as 0.002".into());
    }
    if !(0.0..=1.0).contains(&design.golden) {
        return impossible("the share of known answers lies between 0 and 1, such as 0.05".into());
    }
    let shares = |part: u64| -> Vec<u64> {
        let of = |own: &u64| (u128::from(part) * u128::from(*own)).div_ceil(u128::from(population)) as u64;
        populations.iter().map(of).collect()
    };
    let pairs = |drawn: &[u64]| -> Vec<(u64, u64)> {
        populations.iter().copied().zip(drawn.iter().copied()).collect()
    };
    let beyond = 1.0 - confidence + ROUNDING;
    let allowed = (acceptable * population as f64 + ROUNDING).floor() as u64;
    match size {
        Size::Rate(rate) => {
            if !(rate > 0.0 && rate < 1.0) {
                return impossible("the rate lies between 0 and 1, such as 0.01".into());
            }
            if acceptable >= rate {
                return impossible("the acceptable share must be smaller than the rate to be noticed".into());
            }
            let defects = ((rate * population as f64 - 1e-9).ceil() as u64).clamp(1, population);
            let (accept, part) = if allowed == 0 {
                let enough = |part: u64| worst_miss_down_to(&pairs(&shares(part)), defects, beyond) <= beyond;
                (0, least(population, enough))
            } else {
                let Some(found) = two_points(population, allowed, defects, confidence) else {
                    return impossible(
                        "these two shares are too close to be told apart; choose a larger rate or a smaller acceptable share"
                            .into(),
                    );
                };
                found
            };
            let drawn = shares(part);
            let total = drawn.iter().sum();
            let miss = if accept == 0 {
                worst_miss_probability(&pairs(&drawn), defects)
            } else {
                at_most(accept, population, defects, total)
            };
            Ok(Sizing { drawn, total, rate, defects, accept, miss })
        }
        Size::Budget(budget) => {
            if budget == 0 {
                return impossible("a budget is at least one sample".into());
            }
            if budget < populations.len() as u64 {
                return impossible(format!(
                    "{budget} samples cannot hold one of each of {} strata; draw without strata or take more",
                    populations.len()
                ));
            }
            // The largest equal share that the budget pays for.
            let too_many = |part: u64| shares(part).iter().sum::<u64>() > budget;
            let part = if budget >= population { population } else { least(population, too_many) - 1 };
            let drawn = shares(part);
            let total: u64 = drawn.iter().sum();
            let (accept, defects, miss) = if allowed == 0 {
                let strata = pairs(&drawn);
                let defects =
                    least(population, |defects| worst_miss_down_to(&strata, defects, beyond) <= beyond);
                (0, defects, worst_miss_probability(&strata, defects))
            } else {
                let accept = (0..total)
                    .find(|accept| 1.0 - at_most(*accept, population, allowed, total) <= beyond)
                    .unwrap_or(total);
                let defects =
                    least(population, |defects| at_most(accept, population, defects, total) <= beyond);
                (accept, defects, at_most(accept, population, defects, total))
            };
            let rate = defects as f64 / population as f64;
            if rate <= acceptable {
                return impossible("this budget cannot tell such a small share; take more samples".into());
            }
            Ok(Sizing { drawn, total, rate, defects, accept, miss })
        }
    }
}

/// The smallest plan (accept, drawn) with which `defects` wrong samples pass with at most 1 − confidence, and `allowed`
/// are turned down with at most that too (Schilling & Neubauer, Acceptance Sampling, two-point plans).
fn two_points(population: u64, allowed: u64, defects: u64, confidence: f64) -> Option<(u64, u64)> {
    let beyond = 1.0 - confidence + ROUNDING;
    (0..MOST_ACCEPTED.min(defects)).find_map(|accept| {
        let drawn = least(population, |drawn| at_most(accept, population, defects, drawn) <= beyond);
        let turned_down = 1.0 - at_most(accept, population, allowed, drawn);
        (turned_down <= beyond).then_some((accept, drawn))
    })
}

/// The least number in `1..=most` that is enough, `most` where none is; `enough` must not change back.
fn least(most: u64, enough: impl Fn(u64) -> bool) -> u64 {
    super::estimate::first(1, most.max(1), enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the reference table: (N, [(k, n for 95 %, n for 99 %)]).
    type Row = (u64, [(u64, u64, Option<u64>); 5]);

    const TABLE: [Row; 4] = [
        (
            10_000,
            [
                (10, 2588, Some(3689)),
                (50, 581, Some(878)),
                (100, 294, Some(448)),
                (500, 59, Some(90)),
                (1000, 29, Some(44)),
            ],
        ),
        (
            50_000,
            [
                (10, 12_943, Some(18_451)),
                (50, 2907, Some(4398)),
                (100, 1475, Some(2249)),
                (500, 298, Some(457)),
                (1000, 149, Some(228)),
            ],
        ),
        (
            100_000,
            [
                (10, 25_886, Some(36_903)),
                (50, 5815, Some(8797)),
                (100, 2950, Some(4499)),
                (500, 596, Some(915)),
                (1000, 298, Some(458)),
            ],
        ),
        (
            1_000_000,
            [
                (10, 258_865, None),
                (50, 58_154, None),
                (100, 29_512, Some(45_006)),
                (500, 5973, Some(9166)),
                (1000, 2990, Some(4593)),
            ],
        ),
    ];

    #[test]
    fn discovery_sizes_are_those_of_the_table() {
        for (population, row) in TABLE {
            for (defects, at_95, at_99) in row {
                assert_eq!(discovery_size(population, defects, 0.95), at_95, "{population} {defects}");
                if let Some(at_99) = at_99 {
                    assert_eq!(discovery_size(population, defects, 0.99), at_99, "{population} {defects}");
                }
            }
        }
        assert_eq!(discovery_size_of_imperfect(50_000, 100, 0.95, 0.8), 1871);
        assert_eq!(discovery_size_of_imperfect(50_000, 100, 0.95, 0.5), 2995);
    }

    #[test]
    fn a_size_is_the_least_that_is_enough() {
        for (population, defects) in [(10, 1), (100, 7), (5000, 50), (1_000_000, 10_000)] {
            let drawn = discovery_size(population, defects, 0.95);
            assert!(miss_probability(population, defects, drawn) <= 0.05 + 1e-9);
            assert!(miss_probability(population, defects, drawn - 1) > 0.05);
            let found = detectable(population, drawn, 0.95);
            assert!(found <= defects && miss_probability(population, found, drawn) <= 0.05 + 1e-9);
        }
    }

    fn worst_by_hand(strata: &[(u64, u64)], defects: u64) -> f64 {
        match strata {
            [] => f64::from(u8::from(defects == 0)),
            [(population, drawn), rest @ ..] => (0..=defects.min(*population))
                .map(|own| miss_probability(*population, own, *drawn) * worst_by_hand(rest, defects - own))
                .fold(0.0, f64::max),
        }
    }

    #[test]
    fn the_worst_place_of_defects_is_found() {
        for strata in [vec![(10, 2), (20, 3), (5, 1)], vec![(7, 7), (9, 0)], vec![(30, 4), (30, 5), (2, 1)]] {
            for defects in 0..8 {
                let (fast, slow) =
                    (worst_miss_probability(&strata, defects), worst_by_hand(&strata, defects));
                assert!((fast - slow).abs() < 1e-9, "{strata:?} {defects}: {fast} not {slow}");
            }
        }
    }

    #[test]
    fn strata_keep_the_promise_and_none_is_left_out() {
        let design = Design::default();
        let populations = [30_000, 15_000, 4990, 10];
        let sizing = size(&design, &populations).unwrap();
        assert_eq!((sizing.defects, sizing.accept), (500, 0));
        assert!(sizing.drawn.iter().all(|drawn| *drawn >= 1), "{sizing:?}");
        assert!(sizing.miss <= 0.05 + 1e-9 && (298..=304).contains(&sizing.total), "{sizing:?}");
        let one = size(&design, &[50_000]).unwrap();
        assert_eq!(one.total, 298);
    }

    #[test]
    fn a_budget_says_what_it_can_find() {
        let design = Design { size: Size::Budget(298), ..Design::default() };
        let sizing = size(&design, &[50_000]).unwrap();
        // One less than 500, of which 298 is the least number that finds one.
        assert_eq!((sizing.total, sizing.defects), (298, 499));
        let whole = size(&Design { size: Size::Budget(99), ..design }, &[30, 20]).unwrap();
        assert_eq!((whole.total, whole.defects), (50, 1));
        let few = Design { size: Size::Budget(10), ..design };
        let sizing = size(&few, &[40, 30, 30]).unwrap();
        assert!(sizing.total <= 10 && sizing.drawn.iter().all(|drawn| *drawn > 0), "{sizing:?}");
        assert!(size(&Design { size: Size::Budget(2), ..design }, &[40, 30, 30]).is_err());
    }

    #[test]
    fn two_points_keep_both_promises() {
        let design = Design { size: Size::Rate(0.02), acceptable: 0.005, ..Design::default() };
        let sizing = size(&design, &[50_000]).unwrap();
        assert!(sizing.accept > 0, "{sizing:?}");
        assert!(at_most(sizing.accept, 50_000, 1000, sizing.total) <= 0.05 + 1e-9);
        assert!(1.0 - at_most(sizing.accept, 50_000, 250, sizing.total) <= 0.05 + 1e-9);
        assert!(size(&Design { acceptable: 0.02, ..design }, &[50_000]).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for design in [
            Design { size: Size::Rate(0.0), ..Design::default() },
            Design { size: Size::Rate(f64::NAN), ..Design::default() },
            Design { confidence: 1.0, ..Design::default() },
            Design { golden: -1.0, ..Design::default() },
            Design { acceptable: f64::NAN, ..Design::default() },
            Design { size: Size::Budget(0), ..Design::default() },
        ] {
            assert!(size(&design, &[100]).is_err(), "{design:?}");
        }
        assert!(size(&Design::default(), &[]).is_err());
    }
}
