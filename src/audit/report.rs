//! What do the verdicts so far add up to?

use serde::Serialize;

use super::Plan;
use super::agreement::{Agreement, cohen_kappa, krippendorff_alpha, positive_agreement};
use super::estimate::{Estimate, StratumCount, estimate};
use super::golden::{Corrected, GoldenReport, corrected};
use super::ledger::{Ledger, Opinion};
use super::plan::miss_probability;
use super::stop::{Stop, stop};

/// How far a stratum is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StratumReport {
    /// The label or split.
    pub name: String,
    /// Samples in it.
    pub population: u64,
    /// Samples drawn.
    pub drawn: u64,
    /// Of these, kept.
    pub right: u64,
    /// Relabelled, excluded or reverted.
    pub wrong: u64,
    /// Looked at without a verdict either way.
    pub unsure: u64,
}

/// What one reviewer did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewerReport {
    /// His name.
    pub name: String,
    /// Samples and golden items that he decided, unsure ones included.
    pub decided: u64,
    /// What he made of the known answers.
    pub golden: GoldenReport,
}

/// Where an audit stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Samples of the whole dataset.
    pub population: u64,
    /// Samples drawn, without golden items.
    pub drawn: u64,
    /// Of these, kept.
    pub right: u64,
    /// Relabelled, excluded or reverted.
    pub wrong: u64,
    /// Looked at without a verdict either way.
    pub unsure: u64,
    /// By stratum.
    pub strata: Vec<StratumReport>,
    /// The share of wrong samples, once anything is decided.
    pub estimate: Option<Estimate>,
    /// The same if every unsure sample were wrong, where there are any.
    pub if_unsure_are_wrong: Option<Estimate>,
    /// What the stop rule says.
    pub stop: Stop,
    /// Golden items in the plan.
    pub golden_items: u64,
    /// What came of the known answers, by the last verdict of anybody.
    pub golden: GoldenReport,
    /// The estimate after what the reviewers miss and mistake.
    pub corrected: Option<Corrected>,
    /// Who decided what, by name.
    pub reviewers: Vec<ReviewerReport>,
    /// Of the two who share most samples.
    pub agreement: Option<Agreement>,
    /// Places of the plan on which reviewers differ.
    #[serde(skip)]
    pub disputed: Vec<usize>,
    /// Decisions that do not count: the picture or its label is not what was drawn.
    pub stale: usize,
    /// The probability that a planted handful (as many as [`Report::HANDFUL`]) is not in the sample at all.
    pub handful_missed: f64,
}

impl Report {
    /// The number of planted pictures of which `handful_missed` speaks.
    pub const HANDFUL: u64 = 10;

    /// Samples that nobody has looked at.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.drawn - self.right - self.wrong - self.unsure
    }
}

/// What the verdicts so far add up to. Of a sample that several reviewers decided, the last verdict counts.
#[must_use]
pub fn report(plan: &Plan, ledger: &Ledger) -> Report {
    let mut strata: Vec<StratumReport> = plan
        .strata
        .iter()
        .map(|stratum| StratumReport {
            name: stratum.name.clone(),
            population: stratum.population,
            drawn: stratum.drawn,
            right: 0,
            wrong: 0,
            unsure: 0,
        })
        .collect();
    let samples = plan.samples.len();
    for (place, sample) in plan.samples.iter().enumerate() {
        let stratum = &mut strata[sample.stratum as usize];
        match ledger.latest(place).map(Opinion::of) {
            None => {}
            Some(Opinion::Right) => stratum.right += 1,
            Some(Opinion::Wrong) => stratum.wrong += 1,
            Some(Opinion::Unsure) => stratum.unsure += 1,
        }
    }
    let sum = |of: fn(&StratumReport) -> u64| strata.iter().map(of).sum::<u64>();
    let (right, wrong, unsure) = (sum(|s| s.right), sum(|s| s.wrong), sum(|s| s.unsure));
    let counts = |with_unsure: bool| -> Vec<StratumCount> {
        strata
            .iter()
            .map(|s| {
                let more = if with_unsure { s.unsure } else { 0 };
                StratumCount {
                    population: s.population,
                    seen: s.right + s.wrong + more,
                    defects: s.wrong + more,
                }
            })
            .collect()
    };
    let found = estimate(&counts(false), plan.confidence);
    let if_unsure_are_wrong = (unsure > 0).then(|| estimate(&counts(true), plan.confidence)).flatten();

    let mut golden = GoldenReport::default();
    for (at, item) in plan.golden.iter().enumerate() {
        match ledger.latest(samples + at).map(Opinion::of) {
            Some(Opinion::Right) => golden.add(item.wrong, false),
            Some(Opinion::Wrong) => golden.add(item.wrong, true),
            Some(Opinion::Unsure) | None => {}
        }
    }
    let corrected = found.as_ref().and_then(|e| corrected(e.rate, e.interval, &golden, plan.confidence));
    let names = ledger.reviewers();
    let reviewers = names.iter().map(|name| reviewer(plan, ledger, name)).collect();
    let drawn = samples as u64;
    let left = drawn - right - wrong - unsure;
    Report {
        population: plan.population(),
        drawn,
        right,
        wrong,
        unsure,
        strata,
        estimate: found,
        if_unsure_are_wrong,
        stop: stop(plan, right, wrong, unsure, left),
        golden_items: plan.golden.len() as u64,
        golden,
        corrected,
        reviewers,
        agreement: agreement(plan, ledger, &names),
        disputed: plan.in_order().into_iter().filter(|place| ledger.is_disputed(*place)).collect(),
        stale: ledger.stale(),
        handful_missed: miss_probability(plan.population(), Report::HANDFUL, drawn),
    }
}

fn reviewer(plan: &Plan, ledger: &Ledger, name: &str) -> ReviewerReport {
    let decided = (0..plan.len()).filter(|place| ledger.of(*place, name).is_some()).count() as u64;
    let mut golden = GoldenReport::default();
    for (at, item) in plan.golden.iter().enumerate() {
        match ledger.of(plan.samples.len() + at, name).map(Opinion::of) {
            Some(Opinion::Right) => golden.add(item.wrong, false),
            Some(Opinion::Wrong) => golden.add(item.wrong, true),
            Some(Opinion::Unsure) | None => {}
        }
    }
    ReviewerReport { name: name.to_owned(), decided, golden }
}

/// Of the two reviewers who both called the most samples right or wrong; the first of equals by name.
fn agreement(plan: &Plan, ledger: &Ledger, names: &[&str]) -> Option<Agreement> {
    let units: Vec<Vec<Option<usize>>> = (0..plan.samples.len())
        .map(|place| {
            let said = |name: &&str| match ledger.of(place, name).map(Opinion::of) {
                Some(Opinion::Right) => Some(0),
                Some(Opinion::Wrong) => Some(1),
                Some(Opinion::Unsure) | None => None,
            };
            names.iter().map(said).collect()
        })
        .collect();
    let (mut best, mut most): (Option<(usize, usize)>, usize) = (None, 0);
    for a in 0..names.len() {
        for b in a + 1..names.len() {
            let common = units.iter().filter(|unit| unit[a].is_some() && unit[b].is_some()).count();
            if common > most {
                (best, most) = (Some((a, b)), common);
            }
        }
    }
    let (a, b) = best?;
    let pairs: Vec<(usize, usize)> = units.iter().filter_map(|unit| unit[a].zip(unit[b])).collect();
    let count = |wanted: (usize, usize)| pairs.iter().filter(|pair| **pair == wanted).count() as u64;
    let table = [count((1, 1)), count((1, 0)), count((0, 1)), count((0, 0))];
    Some(Agreement {
        reviewers: [names[a].to_owned(), names[b].to_owned()],
        common: pairs.len() as u64,
        table,
        kappa: cohen_kappa(&pairs)?,
        alpha: krippendorff_alpha(&units),
        positive: positive_agreement(table[0], table[1], table[2]),
    })
}
