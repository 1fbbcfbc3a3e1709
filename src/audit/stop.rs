//! Is it enough? The plan's rule, and what it says now in words.

use serde::Serialize;

use super::plan::StopRule;
use super::{Plan, percent};

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Go on.
    GoOn,
    /// The claim holds: fewer than the plan's share are wrong.
    Accepted,
    /// The claim cannot be made.
    Rejected,
    /// All was seen and the sequential test has not decided.
    Undecided,
}

/// What the rule says, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stop {
    /// What it says.
    pub outcome: Outcome,
    /// A sentence.
    pub words: String,
}

/// Applies the plan's rule to `right` and `defects` decided samples, `unsure` ones, and `left` that nobody has seen.
///
/// Fixed: accepted when all are right or at most `accept` wrong, rejected as soon as more are; unsure ones must be
/// decided first. Sequential: Wald's test of the acceptable share p0 against the rate p1 with both errors
/// 1 − confidence (Wald 1947): a wrong one adds ln(p1/p0), a right one ln((1 − p1)/(1 − p0)); rejected from
/// ln((1 − β)/α) on, accepted from ln(β/(1 − α)) downwards.
#[must_use]
pub fn stop(plan: &Plan, right: u64, defects: u64, unsure: u64, left: u64) -> Stop {
    let claim = format!("fewer than {} are wrong", percent(plan.rate));
    let sure = format!("with {} confidence", percent(plan.confidence));
    let seen = right + defects;
    let to_do = match (left, unsure) {
        (0, 0) => String::new(),
        (0, 1) => "1 is unsure and must be decided".to_owned(),
        (0, unsure) => format!("{unsure} are unsure and must be decided"),
        (left, 0) => format!("{left} to go"),
        (left, unsure) => format!("{left} to go, and {unsure} unsure"),
    };
    let wrong = match defects {
        0 => format!("none of {seen} is wrong"),
        1 => format!("1 of {seen} is wrong"),
        many => format!("{many} of {seen} are wrong"),
    };
    let so_far = match (seen, defects) {
        (0, _) => "Nothing decided yet".to_owned(),
        (_, 0) => "No wrong one so far".to_owned(),
        (_, many) => format!("{many} wrong so far, {} may be", plan.accept),
    };
    let say = |outcome: Outcome, words: String| Stop { outcome, words };
    match plan.rule {
        StopRule::Fixed => {
            if defects > plan.accept {
                let may = if plan.accept == 0 { String::new() } else { format!(", {} may be", plan.accept) };
                let words = format!(
                    "Stop: {wrong}{may}. It cannot be said that {claim}. Going on only makes the estimate closer"
                );
                say(Outcome::Rejected, words)
            } else if left == 0 && unsure == 0 {
                say(Outcome::Accepted, format!("Done: {wrong}. So {claim}, {sure}"))
            } else {
                let end =
                    if plan.accept == 0 { "if none is wrong" } else { "if no more than that are wrong" };
                say(Outcome::GoOn, format!("{so_far}; {to_do}. At the end, {end}, {claim}, {sure}"))
            }
        }
        StopRule::Sequential => {
            let (error, p1) = (1.0 - plan.confidence, plan.rate);
            let p0 = plan.acceptable;
            let up = if p0 > 0.0 { (p1 / p0).ln() } else { f64::INFINITY };
            let down = ((1.0 - p1) / (1.0 - p0)).ln();
            let wrong_part = if defects == 0 { 0.0 } else { defects as f64 * up };
            let evidence = wrong_part + right as f64 * down;
            let (reject, accept) = (((1.0 - error) / error).ln(), (error / (1.0 - error)).ln());
            if evidence >= reject {
                say(Outcome::Rejected, format!("Stop: {wrong}. It cannot be said that {claim}"))
            } else if evidence <= accept && unsure == 0 {
                say(Outcome::Accepted, format!("Stop: {wrong}. So {claim}, {sure}"))
            } else if left == 0 && unsure == 0 && plan.accept == 0 && defects == 0 {
                // A small dataset runs out before a test that knows nothing of its end: then the plan's own promise holds.
                say(Outcome::Accepted, format!("Done: {wrong}. So {claim}, {sure}"))
            } else if left == 0 && unsure == 0 {
                let words = format!(
                    "All was seen and {wrong}: neither is shown. The interval says how far it is known"
                );
                say(Outcome::Undecided, words)
            } else {
                let more = ((evidence - accept) / -down).ceil().max(1.0) as u64;
                let words =
                    format!("{so_far}; {to_do}. {more} more right ones in a row, and {claim}, {sure}");
                say(Outcome::GoOn, words)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::StrataBy;
    use crate::model::{ContentHash, SourceRef};

    fn plan(rule: StopRule, rate: f64, acceptable: f64, accept: u64) -> Plan {
        Plan {
            schema: 1,
            tool: String::new(),
            date: String::new(),
            source: SourceRef { kind: String::new(), place: String::new(), revision: None },
            base: None,
            pin: ContentHash([0; 32]),
            after: 0,
            seed: 0,
            confidence: 0.95,
            rate,
            defects: 1,
            acceptable,
            accept,
            rule,
            strata_by: StrataBy::None,
            strata: Vec::new(),
            samples: Vec::new(),
            golden: Vec::new(),
        }
    }

    /// Right, wrong, unsure and left, and what is said then.
    fn check(plan: &Plan, counts: [u64; 4], expected: Outcome, words: &str) {
        let [right, wrong, unsure, left] = counts;
        let said = stop(plan, right, wrong, unsure, left);
        assert_eq!(said.outcome, expected, "{counts:?}: {}", said.words);
        assert!(said.words.contains(words), "{counts:?}: {}", said.words);
    }

    #[test]
    fn a_fixed_plan_ends_with_its_last_sample_or_one_wrong_too_many() {
        let strict = plan(StopRule::Fixed, 0.01, 0.0, 0);
        check(&strict, [0, 0, 0, 298], Outcome::GoOn, "Nothing decided yet; 298 to go");
        check(&strict, [100, 0, 2, 196], Outcome::GoOn, "196 to go, and 2 unsure");
        check(&strict, [297, 0, 1, 0], Outcome::GoOn, "1 is unsure and must be decided");
        check(
            &strict,
            [298, 0, 0, 0],
            Outcome::Accepted,
            "none of 298 is wrong. So fewer than 1 % are wrong, with 95 %",
        );
        check(&strict, [9, 1, 0, 288], Outcome::Rejected, "1 of 10 is wrong");
        let lenient = plan(StopRule::Fixed, 0.02, 0.005, 3);
        check(&lenient, [97, 3, 0, 200], Outcome::GoOn, "3 wrong so far, 3 may be");
        check(&lenient, [297, 3, 0, 0], Outcome::Accepted, "3 of 300 are wrong");
        check(&lenient, [97, 4, 0, 199], Outcome::Rejected, "4 of 101 are wrong, 3 may be");
    }

    #[test]
    fn walds_test_decides_at_its_two_lines() {
        // ln(0.05/0.95) / ln(0.98/0.995) = 193.8: the 194th right one in a row accepts.
        let test = plan(StopRule::Sequential, 0.02, 0.005, 5);
        check(&test, [193, 0, 0, 300], Outcome::GoOn, "1 more right ones in a row");
        check(&test, [194, 0, 0, 299], Outcome::Accepted, "So fewer than 2 % are wrong");
        // Each wrong one adds ln 4: three in a row pass ln 19 = 2.94.
        check(&test, [0, 2, 0, 400], Outcome::GoOn, "2 wrong so far");
        check(&test, [0, 3, 0, 400], Outcome::Rejected, "3 of 3 are wrong");
        check(&test, [100, 2, 0, 0], Outcome::Undecided, "neither is shown");
        let strict = plan(StopRule::Sequential, 0.01, 0.0, 0);
        check(&strict, [50, 1, 0, 100], Outcome::Rejected, "1 of 51 is wrong");
        check(&strict, [191, 0, 0, 0], Outcome::Accepted, "Done");
    }
}
