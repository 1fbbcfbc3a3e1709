//! How is a decision kept for ever? As a row of an append-only, hash-chained SQLite table.

use std::path::Path;

use super::{Correction, ReviewError};
use crate::model::{Decision, Subject, Verdict};

/// What a review is about; stored when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewAbout {
    /// The contribution (or the only version), as a person would name it.
    pub source: String,
    /// The base, if there is one.
    pub base: Option<String>,
}

/// Whether decisions can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// They can.
    Write,
    /// They cannot, for this reason.
    ReadOnly(String),
}

/// What one call of [`Review::decide`], [`Review::undo`] or [`Review::redo`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step that was made, undone or redone.
    pub id: i64,
    /// Keys of the samples whose verdict in force may have changed.
    pub keys: Vec<String>,
    /// In words, such as "12 × exclude".
    pub summary: String,
}

/// A review file and what it adds up to.
pub struct Review {}

impl Review {
    /// Opens a review, making it if there is none. Takes the lock; without it the review is read-only.
    pub fn open(_path: &Path, _about: &ReviewAbout) -> Result<Self, ReviewError> {
        todo!()
    }

    /// Opens an existing review for reading only, beside whoever writes it.
    pub fn read(_path: &Path) -> Result<Self, ReviewError> {
        todo!()
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self) -> &ReviewAbout {
        todo!()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        todo!()
    }

    /// Whether decisions can be made.
    #[must_use]
    pub fn access(&self) -> &Access {
        todo!()
    }

    /// Grows with every change; what is derived from a review is rebuilt when this moves.
    #[must_use]
    pub fn revision(&self) -> u64 {
        todo!()
    }

    /// Records one verdict (`None` clears) on all subjects as one step. On disk when it returns.
    pub fn decide(
        &mut self,
        _subjects: &[Subject],
        _verdict: Option<&Verdict>,
        _note: &str,
        _reviewer: &str,
    ) -> Result<Step, ReviewError> {
        todo!()
    }

    /// Takes the last step back that is not undone yet; `None` when there is none.
    pub fn undo(&mut self, _reviewer: &str) -> Result<Option<Step>, ReviewError> {
        todo!()
    }

    /// Makes the last undone step again; `None` when there is none, or a decision came since.
    pub fn redo(&mut self, _reviewer: &str) -> Result<Option<Step>, ReviewError> {
        todo!()
    }

    /// Whether there is a step to undo, and one to redo.
    #[must_use]
    pub fn can_undo_redo(&self) -> (bool, bool) {
        todo!()
    }

    /// The decision in force on a sample with this key and content; `None` also when the content differs.
    #[must_use]
    pub fn in_force(&self, _key: &str, _hash: &crate::model::ContentHash) -> Option<&Decision> {
        todo!()
    }

    /// Every decision on this key ever made, oldest first, from the file.
    pub fn history_of(&self, _key: &str) -> Result<Vec<Decision>, ReviewError> {
        todo!()
    }

    /// Number of samples with a verdict in force.
    #[must_use]
    pub fn decided(&self) -> usize {
        todo!()
    }

    /// The verdicts in force, by key.
    #[must_use]
    pub fn corrections(&self) -> Vec<Correction> {
        todo!()
    }

    /// Checks the hash chain over the whole file; the number of rows, or what is wrong.
    pub fn verify_chain(&self) -> Result<u64, ReviewError> {
        todo!()
    }
}
