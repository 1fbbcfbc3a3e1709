//! Which audit belongs to what is open, and where does it stand? A plan from its file, verdicts from the review.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::audit::{Ledger, Plan, Report, report};
use crate::model::Verdict;
use crate::review::Review;

use super::items::{Item, Items};
use super::rows::Count;
use super::session::Which;

/// What of an audit is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditList {
    /// What was drawn, blindly: nothing but the picture and its label.
    Drawn,
    /// What two reviewers decided differently.
    Disputed,
}

/// A plan and what has come of it.
pub struct AuditState {
    /// The plan's file.
    pub path: PathBuf,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Where it stands.
    pub report: Report,
    ledger: Ledger,
    /// By place in the plan; `None` where what is open has another picture or label there.
    items: Vec<Option<Item>>,
    places: HashMap<Item, usize>,
    order: Vec<usize>,
    reviewer: String,
    own_left: usize,
}

impl AuditState {
    /// A plan of which no verdict is known yet.
    #[must_use]
    pub fn new(path: PathBuf, plan: Plan) -> Self {
        let ledger = Ledger::new(&plan);
        let report = report(&plan, &ledger);
        let order = plan.in_order();
        Self {
            path,
            plan: Arc::new(plan),
            report,
            ledger,
            items: Vec::new(),
            places: HashMap::new(),
            order,
            reviewer: String::new(),
            own_left: 0,
        }
    }

    /// Finds the plan's samples among those that are open.
    pub fn find(&mut self, items: &Items) {
        let Some(version) = items.target.clone() else { return };
        self.items = (0..self.plan.len())
            .map(|place| {
                let (key, hash, label) = self.plan.at(place);
                let row = version.row_of(key)?;
                let item = items.item(Which::Target, row);
                (items.hash(item) == Some(hash) && version.spelling(row) == label).then_some(item)
            })
            .collect();
        self.places =
            self.items.iter().enumerate().filter_map(|(place, item)| Some(((*item)?, place))).collect();
    }

    /// Takes in what was decided since, and what of it is this reviewer's.
    pub fn read(&mut self, review: Option<&Review>, reviewer: &str) {
        if let Some(review) = review {
            self.ledger.read(&self.plan, review.log());
        }
        self.report = report(&self.plan, &self.ledger);
        reviewer.clone_into(&mut self.reviewer);
        self.own_left = (0..self.plan.len()).filter(|place| self.own(*place).is_none()).count();
    }

    fn own(&self, place: usize) -> Option<&Verdict> {
        self.ledger.of(place, &self.reviewer)
    }

    /// How many the reviewer has to look at, golden items included, and how many are left to him.
    #[must_use]
    pub fn count(&self) -> Count {
        Count { total: self.plan.len(), undecided: self.own_left }
    }

    /// What the reviewer himself said of an item in this audit.
    #[must_use]
    pub fn verdict(&self, item: Item) -> Option<&Verdict> {
        self.own(*self.places.get(&item)?)
    }

    /// Samples of the plan that what is open does not have as they were drawn.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.items.iter().filter(|item| item.is_none()).count()
    }

    /// The items of a list: what was drawn in the order of the plan, first what the reviewer has not decided.
    #[must_use]
    pub fn rows(&self, list: AuditList) -> Vec<Item> {
        let item = |place: &usize| self.items.get(*place).copied().flatten();
        match list {
            AuditList::Disputed => self.report.disputed.iter().filter_map(item).collect(),
            AuditList::Drawn => {
                let (left, done): (Vec<usize>, Vec<usize>) =
                    self.order.iter().copied().partition(|place| self.own(*place).is_none());
                left.iter().chain(&done).filter_map(item).collect()
            }
        }
    }
}

/// What the form for a new plan says.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditForm {
    /// The form is asked for although there is a plan.
    pub again: bool,
    /// By a number of samples, not by a rate.
    pub by_budget: bool,
    /// The rate to be noticed, in per cent.
    pub rate: f64,
    /// The number of samples.
    pub budget: u64,
    /// The acceptable share, in per cent.
    pub acceptable: f64,
    /// The confidence, in per cent.
    pub confidence: f64,
    /// Equal shares of what.
    pub strata: crate::audit::StrataBy,
    /// Stop as soon as the sequential test decides.
    pub sequential: bool,
    /// The seed.
    pub seed: u64,
    /// Golden items, in per cent of the sample.
    pub golden: f64,
    /// What the form came to when it was last asked, with what it was asked.
    pub(super) sized: Option<Arc<SizedForm>>,
}

/// What a form came to, and of what: the data and the revision, and the form's own values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SizedForm {
    pub generation: u64,
    pub revision: u64,
    pub counts: Vec<u64>,
    pub design: crate::audit::Design,
    pub known: usize,
    pub outcome: Result<crate::audit::Sizing, String>,
}

impl Default for AuditForm {
    fn default() -> Self {
        Self {
            again: false,
            by_budget: false,
            rate: 1.0,
            budget: 300,
            acceptable: 0.0,
            confidence: 95.0,
            strata: crate::audit::StrataBy::Label,
            sequential: false,
            seed: fresh_seed(),
            golden: 5.0,
            sized: None,
        }
    }
}

impl AuditForm {
    /// What it asks for.
    #[must_use]
    pub fn design(&self) -> crate::audit::Design {
        use crate::audit::{Design, Size, StopRule};
        Design {
            size: if self.by_budget { Size::Budget(self.budget) } else { Size::Rate(self.rate / 100.0) },
            confidence: self.confidence / 100.0,
            acceptable: self.acceptable / 100.0,
            rule: if self.sequential { StopRule::Sequential } else { StopRule::Fixed },
            strata: self.strata,
            seed: self.seed,
            golden: self.golden / 100.0,
        }
    }
}

/// A seed that nobody could know when he sent his pictures; six digits, so that it can be read out.
#[must_use]
pub fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() % 1_000_000
}
