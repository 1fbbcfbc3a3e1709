//! How does a patch become a corrected dataset? Into a new place, sample by sample, only where its preconditions hold.

use std::path::PathBuf;

use super::ExportError;
use super::patch::PatchFile;
use crate::source::{Dataset, Place};
use crate::task::Task;

/// How to apply.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Where the corrected dataset goes; must not exist.
    pub out: PathBuf,
    /// Undo the patch instead.
    pub invert: bool,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// One operation that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The sample's key.
    pub key: String,
    /// Which precondition failed.
    pub reason: String,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Operations carried out, in words: (key, what).
    pub done: Vec<(String, String)>,
    /// Operations refused; when there are any, nothing is written.
    pub refused: Vec<Refusal>,
}

/// Applies a patch to a source. `pictures_from` are datasets in which pictures to be restored are looked for by hash.
pub fn apply(
    _patch: &PatchFile,
    _place: &Place,
    _pictures_from: &[Dataset],
    _options: &ApplyOptions,
    _task: &Task,
) -> Result<Applied, ExportError> {
    todo!()
}
