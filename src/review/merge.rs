//! Where do two reviewers' files agree, and what does one lack that the other has?

use std::collections::HashMap;

use super::{Correction, Review, ReviewError, Step};
use crate::model::{ChangeKind, Subject};

/// One sample on which two reviews have different verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Ours.
    pub own: Correction,
    /// Theirs.
    pub other: Correction,
}

/// Two reviews side by side: what is in force on the same key with the same content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Samples on which both have the same verdict.
    pub same: usize,
    /// Samples that only we have decided.
    pub only_own: usize,
    /// Verdicts that only the other review has, by key.
    pub only_other: Vec<Correction>,
    /// Different verdicts, by key.
    pub conflicts: Vec<Conflict>,
}

/// What tells two subjects apart: key, content, and whether it is the sample that was removed there.
fn identity(subject: &Subject) -> (&str, [u8; 32], bool) {
    (&subject.key, subject.hash.0, subject.change == Some(ChangeKind::Removed))
}

impl Review {
    /// Compares what is in force here with what is in force in another review.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let (own, others) = (self.corrections(), other.corrections());
        let by_identity: HashMap<_, &Correction> = own.iter().map(|c| (identity(&c.subject), c)).collect();
        let mut found = Comparison::default();
        for other in others {
            match by_identity.get(&identity(&other.subject)) {
                None => found.only_other.push(other),
                Some(own) if own.verdict == other.verdict => found.same += 1,
                Some(own) => found.conflicts.push(Conflict { own: (*own).clone(), other }),
            }
        }
        found.only_own = own.len() - found.same - found.conflicts.len();
        found
    }

    /// Takes verdicts of another review over as one step; the note says whose they were.
    ///
    /// # Errors
    /// Whatever the error, nothing has changed.
    pub fn take_over(&mut self, corrections: &[Correction], reviewer: &str) -> Result<Step, ReviewError> {
        let rows = corrections.iter().map(|c| (c.subject.clone(), Some(c.verdict.clone()))).collect();
        let mut names: Vec<&str> = corrections.iter().map(|c| c.reviewer.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(5);
        self.decide_each(rows, &format!("taken over from {}", names.join(", ")), reviewer)
    }
}
