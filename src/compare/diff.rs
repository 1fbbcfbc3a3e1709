//! What happened to each sample?

use super::CompareError;
use crate::feature::{Cache, Fingerprints};
use crate::model::{Change, ChangeKind};
use crate::source::Dataset;
use crate::task::Task;

/// One of the versions to compare.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The version and its pictures.
    pub dataset: &'a Dataset,
    /// Its content hashes.
    pub fingerprints: &'a Fingerprints,
}

/// Everything a contribution did to a base.
#[derive(Debug, Clone, Default)]
pub struct VersionDiff {
    /// One change a sample, by kind (in the order of [`ChangeKind`]), then key.
    pub changes: Vec<Change>,
    /// For each row of the contribution its counterpart in the base: same sample, changed or not. Copies have none.
    pub counterparts: Vec<Option<u32>>,
    /// For each row of the contribution the position of its change in `changes`.
    pub change_of_row: Vec<Option<u32>>,
    /// For each row of the base the position in `changes` of its removal.
    pub removal_of_base_row: Vec<Option<u32>>,
    /// Samples that are the same in both.
    pub unchanged: usize,
    /// Rows of either version whose file could not be read.
    pub unreadable: usize,
}

impl VersionDiff {
    /// Number of changes of this kind.
    #[must_use]
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }
}

/// Compares a contribution with its base.
pub fn diff(
    _base: Side<'_>,
    _contribution: Side<'_>,
    _cache: &Cache,
    _task: &Task,
) -> Result<VersionDiff, CompareError> {
    todo!()
}
