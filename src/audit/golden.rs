//! How well does the reviewer see? Samples whose answer is known are mixed in, and nobody is told which.

use serde::{Deserialize, Serialize};

use super::estimate::{Interval, clopper_pearson};
use crate::model::ContentHash;

/// A sample whose answer is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenItem {
    /// Its key.
    pub key: String,
    /// Its content.
    pub hash: ContentHash,
    /// The label it has, and that the reviewer sees.
    pub label: Option<String>,
    /// The label it should have; none when it should not be there at all.
    pub truth: Option<String>,
    /// Whether the label it has is wrong.
    pub wrong: bool,
}

/// What came of the known answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct GoldenReport {
    /// Known-wrong samples that were decided.
    pub wrong_seen: u64,
    /// Of these, noticed: relabelled, excluded or reverted.
    pub wrong_caught: u64,
    /// Known-right samples that were decided.
    pub right_seen: u64,
    /// Of these, kept.
    pub right_kept: u64,
}

impl GoldenReport {
    /// Counts one decided sample.
    pub(super) fn add(&mut self, is_wrong: bool, called_wrong: bool) {
        if is_wrong {
            self.wrong_seen += 1;
            self.wrong_caught += u64::from(called_wrong);
        } else {
            self.right_seen += 1;
            self.right_kept += u64::from(!called_wrong);
        }
    }

    /// The share of known-wrong samples that were noticed, with its interval (Clopper–Pearson).
    #[must_use]
    pub fn sensitivity(&self, confidence: f64) -> Option<(f64, Interval)> {
        share(self.wrong_caught, self.wrong_seen, confidence)
    }

    /// The share of known-right samples that were kept, with its interval.
    #[must_use]
    pub fn specificity(&self, confidence: f64) -> Option<(f64, Interval)> {
        share(self.right_kept, self.right_seen, confidence)
    }
}

fn share(part: u64, whole: u64, confidence: f64) -> Option<(f64, Interval)> {
    let interval = || clopper_pearson(part as f64, whole as f64, confidence);
    (whole > 0).then(|| (part as f64 / whole as f64, interval()))
}

/// The share of wrong samples after what the reviewer misses and mistakes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Corrected {
    /// The share.
    pub rate: f64,
    /// Its interval.
    pub interval: Interval,
    /// Whether no known-right sample was seen, so that it was taken for granted that he makes no false alarm.
    pub assumes_no_false_alarm: bool,
}

/// The share seen, corrected by sensitivity s and specificity t: (p + t − 1) / (s + t − 1) (Rogan & Gladen 1978).
///
/// The interval spans the most and the least that come of the ends of the three intervals: wider than needed, never too
/// narrow. `None` without a known-wrong sample, or when the reviewer cannot be told from chance (s + t ≤ 1).
#[must_use]
pub fn corrected(rate: f64, interval: Interval, golden: &GoldenReport, confidence: f64) -> Option<Corrected> {
    let (sensitivity, s) = golden.sensitivity(confidence)?;
    let specificity = golden.specificity(confidence);
    let assumes_no_false_alarm = specificity.is_none();
    let (specificity, t) = specificity.unwrap_or((1.0, Interval { low: 1.0, high: 1.0 }));
    if sensitivity + specificity <= 1.0 {
        return None;
    }
    let of = |p: f64, s: f64, t: f64| {
        if s + t <= 1.0 {
            // As bad as chance: nothing can be said.
            return if p + t > 1.0 { 1.0 } else { 0.0 };
        }
        ((p + t - 1.0) / (s + t - 1.0)).clamp(0.0, 1.0)
    };
    let corners = [interval.low, interval.high].into_iter().flat_map(|p| {
        [s.low, s.high].into_iter().flat_map(move |s| [t.low, t.high].into_iter().map(move |t| of(p, s, t)))
    });
    let (low, high) = corners.fold((1.0_f64, 0.0_f64), |(low, high), at| (low.min(at), high.max(at)));
    let rate = of(rate, sensitivity, specificity);
    Some(Corrected {
        rate,
        interval: Interval { low: low.min(rate), high: high.max(rate) },
        assumes_no_false_alarm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewer_who_misses_half_doubles_the_rate() {
        let mut golden = GoldenReport::default();
        for at in 0..20 {
            golden.add(true, at % 2 == 0);
            golden.add(false, false);
        }
        let interval = Interval { low: 0.01, high: 0.05 };
        let found = corrected(0.03, interval, &golden, 0.95).unwrap();
        assert!((found.rate - 0.06).abs() < 1e-12, "{found:?}");
        assert!(found.interval.low <= 0.01 / 0.73 + 1e-9 && found.interval.high > 0.1, "{found:?}");
        assert!(!found.assumes_no_false_alarm);
    }

    #[test]
    fn without_known_answers_nothing_is_corrected() {
        let interval = Interval { low: 0.0, high: 0.1 };
        let mut golden = GoldenReport::default();
        assert_eq!(corrected(0.0, interval, &golden, 0.95), None);
        golden.add(true, false);
        assert_eq!(corrected(0.0, interval, &golden, 0.95), None, "he caught nothing");
        golden.add(true, true);
        let found = corrected(0.02, interval, &golden, 0.95).unwrap();
        assert!(found.assumes_no_false_alarm && (found.rate - 0.04).abs() < 1e-12, "{found:?}");
    }
}
