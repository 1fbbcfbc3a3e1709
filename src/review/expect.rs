//! How many of the samples at this place of a ranking are wrong? Learnt from the decisions around it.

use statrs::distribution::{Beta, ContinuousCDF};

/// Decisions that are needed before anything is said.
pub const LEAST_DECIDED: usize = 5;
/// The least distance, in places, within which decisions count half or more.
const LEAST_REACH: f64 = 20.0;
/// The same as a share of the ranking.
const REACH_SHARE: f64 = 0.05;
/// The chance that the share lies outside of the interval.
const OUTSIDE: f64 = 0.1;

/// The share of wrong samples at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// In [0, 1]: the mean of the Beta distribution.
    pub share: f64,
    /// A 90 % interval around it.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// Decisions on this ranking.
    pub decided: usize,
}

/// What is to be expected at `place` of a ranking of `length` samples, when those at these places turned out to be
/// wrong (`true`) or right; `None` while there are too few.
///
/// Each decision counts the less the farther away it is: 2^(−distance / reach). The weighted counts and Jeffreys' half of
/// each make a Beta distribution.
#[must_use]
pub fn expected(outcomes: &[(usize, bool)], place: usize, length: usize) -> Option<Expected> {
    if outcomes.len() < LEAST_DECIDED {
        return None;
    }
    let reach = LEAST_REACH.max(REACH_SHARE * length as f64);
    let (mut wrong, mut right) = (0.5, 0.5);
    for (at, is_wrong) in outcomes {
        let weight = (-(at.abs_diff(place) as f64) / reach).exp2();
        *(if *is_wrong { &mut wrong } else { &mut right }) += weight;
    }
    let beta = Beta::new(wrong, right).ok()?;
    Some(Expected {
        share: wrong / (wrong + right),
        low: beta.inverse_cdf(OUTSIDE / 2.0),
        high: beta.inverse_cdf(1.0 - OUTSIDE / 2.0),
        decided: outcomes.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(expected(&[(0, true); 4], 0, 100), None);
    }

    #[test]
    fn decisions_nearby_count_most() {
        // The first thirty were wrong, thirty much further down were right.
        let outcomes: Vec<(usize, bool)> =
            (0..30).map(|at| (at, true)).chain((300..330).map(|at| (at, false))).collect();
        let at = |place| expected(&outcomes, place, 400).unwrap();
        assert!(at(10).share > 0.9 && at(315).share < 0.1, "{:?} {:?}", at(10), at(315));
        let between = at(165);
        assert!((between.share - 0.5).abs() < 0.1 && between.high - between.low > at(10).high - at(10).low);
    }

    #[test]
    fn the_interval_is_that_of_the_beta_distribution() {
        // Five right ones at the very place: Beta(0.5, 5.5); its quantiles by scipy.stats.beta.ppf.
        let found = expected(&[(3, false); 5], 3, 10).unwrap();
        assert!((found.share - 0.5 / 6.0).abs() < 1e-12);
        assert!((found.low - SCIPY[0]).abs() < 1e-6 && (found.high - SCIPY[1]).abs() < 1e-6, "{found:?}");
    }

    const SCIPY: [f64; 2] = [0.000_373_997_028, 0.305_745_584_689];
}
