//! What did each reviewer say of each drawn sample? Read from the review's journal, as it grows.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Plan;
use crate::model::{ChangeKind, Verdict};
use crate::review::{Action, Logged};

/// What a verdict says of a sample's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// Kept.
    Right,
    /// Relabelled, excluded or reverted.
    Wrong,
    /// Neither.
    Unsure,
}

impl Opinion {
    /// What a verdict says.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Keep => Self::Right,
            Verdict::Relabel(_) | Verdict::Exclude | Verdict::Revert => Self::Wrong,
            Verdict::Unsure => Self::Unsure,
        }
    }
}

struct Mark {
    step: i64,
    reviewer: String,
    verdict: Option<Verdict>,
}

/// The decisions on the samples of one plan, made since it was.
///
/// The last decision of each reviewer counts for him, unless it was undone; undoing brings back what the same reviewer
/// said before, whoever pressed the key.
#[derive(Default)]
pub struct Ledger {
    after: u64,
    places: HashMap<String, usize>,
    marks: Vec<Vec<Mark>>,
    undone: HashSet<i64>,
    read: usize,
    stale: usize,
}

impl Ledger {
    /// Nothing read yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let places = (0..plan.len()).map(|place| (plan.at(place).0.to_owned(), place)).collect();
        Self {
            after: plan.after,
            places,
            marks: (0..plan.len()).map(|_| Vec::new()).collect(),
            ..Self::default()
        }
    }

    /// Takes in what the journal has got since the last time; `log` is [`crate::review::Review::log`], which only grows.
    /// Linear in what is new.
    pub fn read(&mut self, plan: &Plan, log: &[Logged]) {
        for Logged { action, decision } in log.get(self.read..).unwrap_or_default() {
            match action {
                Action::Undo(step) => {
                    self.undone.insert(*step);
                }
                Action::Redo(step) => {
                    self.undone.remove(step);
                }
                Action::Decide => {
                    let subject = &decision.subject;
                    let removed = subject.change == Some(ChangeKind::Removed);
                    if decision.id as u64 <= self.after || removed {
                        continue;
                    }
                    let Some(&place) = self.places.get(&subject.key) else { continue };
                    let (_, hash, label) = plan.at(place);
                    if subject.hash != hash || subject.label.as_deref() != label {
                        self.stale += 1;
                        continue;
                    }
                    self.marks[place].push(Mark {
                        step: decision.step,
                        reviewer: decision.reviewer.clone(),
                        verdict: decision.verdict.clone(),
                    });
                }
            }
        }
        self.read = self.read.max(log.len());
    }

    /// Decisions that do not count because they were made on another picture or label than was drawn.
    #[must_use]
    pub fn stale(&self) -> usize {
        self.stale
    }

    /// The place of a key in the plan.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// Everybody who decided anything, ascending.
    #[must_use]
    pub fn reviewers(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.marks.iter().flatten().map(|mark| mark.reviewer.as_str()).collect();
        names.into_iter().collect()
    }

    fn valid(&self, place: usize) -> impl DoubleEndedIterator<Item = &Mark> {
        self.marks[place].iter().filter(|mark| !self.undone.contains(&mark.step))
    }

    /// What one reviewer said last of the sample at a place.
    #[must_use]
    pub fn of(&self, place: usize, reviewer: &str) -> Option<&Verdict> {
        self.valid(place).rev().find(|mark| mark.reviewer == reviewer)?.verdict.as_ref()
    }

    /// What was said last of the sample at a place, by whoever still says anything.
    #[must_use]
    pub fn latest(&self, place: usize) -> Option<&Verdict> {
        let mut asked: Vec<&str> = Vec::new();
        for mark in self.valid(place).rev() {
            if asked.contains(&mark.reviewer.as_str()) {
                continue;
            }
            if let Some(verdict) = &mark.verdict {
                return Some(verdict);
            }
            asked.push(&mark.reviewer);
        }
        None
    }

    /// Whether two reviewers say different things of the sample at a place, also of which class it is.
    #[must_use]
    pub fn is_disputed(&self, place: usize) -> bool {
        let mut last: Vec<(&str, Option<&Verdict>)> = Vec::new();
        for mark in self.valid(place).rev() {
            if last.iter().all(|(name, _)| *name != mark.reviewer) {
                last.push((&mark.reviewer, mark.verdict.as_ref()));
            }
        }
        let mut said = last.into_iter().filter_map(|(_, verdict)| verdict);
        said.next().is_some_and(|first| said.any(|other| other != first))
    }
}
