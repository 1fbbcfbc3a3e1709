//! How does a patch become a corrected dataset? Into a new place, sample by sample, only where its preconditions hold.
//!
//! Everything is checked before anything is written; one operation that does not fit stops all.
//! The copy is made beside its place under a name that says what it is, opened and compared with what it should hold,
//! and only then given its name. Whoever is interrupted leaves a folder `.NAME.sparrowhawk-unfinished-…` at most.

mod folder;
mod list;
mod plan;
mod sheet;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::ExportError;
use super::patch::PatchFile;
use crate::source::{self, Dataset, Place};
use crate::task::Task;

/// How to apply.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Where the corrected dataset goes; must not exist. A folder for a folder, a file for a list.
    pub out: PathBuf,
    /// Undo the patch instead.
    pub invert: bool,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// One operation that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The sample's key.
    pub key: String,
    /// Which precondition failed.
    pub reason: String,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Operations carried out, in words: (key, what), by key.
    /// In a dry run, or when others are refused, those that could be.
    pub done: Vec<(String, String)>,
    /// Operations refused, by key; when there are any, nothing is written.
    pub refused: Vec<Refusal>,
    /// What whoever uses the new place should know, a sentence each.
    pub advice: Vec<String>,
}

/// Applies a patch to a source. `pictures_from` are datasets in which pictures to be restored are looked for by hash.
///
/// In a folder whose labels are folder names a relabelled picture moves to the other folder.
/// Where a `metadata.csv` or `metadata.jsonl` gives the labels, its rows change.
/// A list is written anew with every byte that is not corrected as it was; pictures stay where they are.
pub fn apply(
    patch: &PatchFile,
    place: &Place,
    pictures_from: &[Dataset],
    options: &ApplyOptions,
    task: &Task,
) -> Result<Applied, ExportError> {
    let dataset = source::open(place, task)?;
    let out = if options.dry_run && options.out.as_os_str().is_empty() {
        None
    } else {
        Some(free_place(&options.out, &place.path)?)
    };
    // Dropped by `dry_run`: the plan is all that is wanted then.
    let out = out.filter(|_| !options.dry_run);
    let job = Job { dataset: &dataset, place, pictures_from, out: out.as_deref(), task };
    let mut applied = match dataset.version.source().kind.as_str() {
        "folder" => folder::apply(&job, patch, options.invert)?,
        "list" => list::apply(&job, patch, options.invert)?,
        kind => {
            return Err(ExportError::Target {
                message: format!("corrections cannot be applied to a {kind} yet, only to a folder or a list"),
                path: place.path.clone(),
            });
        }
    };
    applied.done.sort();
    applied.refused.sort();
    applied.refused.dedup();
    let refused: HashSet<&str> = applied.refused.iter().map(|refusal| refusal.key.as_str()).collect();
    applied.done.retain(|(key, _)| !refused.contains(key.as_str()));
    Ok(applied)
}

/// What is applied to what.
struct Job<'a> {
    dataset: &'a Dataset,
    place: &'a Place,
    pictures_from: &'a [Dataset],
    /// Where the corrected copy goes; `None` in a dry run.
    out: Option<&'a Path>,
    task: &'a Task,
}

/// The whole path of a place where there is nothing yet, outside the source.
fn free_place(out: &Path, source: &Path) -> Result<PathBuf, ExportError> {
    let refuse =
        |message: &str| Err(ExportError::Target { message: message.to_owned(), path: out.to_owned() });
    let whole = std::path::absolute(out).map_err(|error| ExportError::Io { error, path: out.to_owned() })?;
    let (Some(parent), Some(name)) = (whole.parent(), whole.file_name()) else {
        return refuse("this names no new folder or file; choose another name");
    };
    let Ok(parent) = parent.canonicalize() else {
        return refuse("the folder in which it is to be made is not there; make that first");
    };
    let whole = parent.join(name);
    if whole.symlink_metadata().is_ok() {
        return refuse("there is something here already, and nothing is overwritten; choose a new name");
    }
    let source = source.canonicalize().map_err(|error| ExportError::Io { error, path: source.to_owned() })?;
    if whole.starts_with(&source) || source.starts_with(&whole) {
        return refuse("this lies inside the dataset, where nothing is ever written; choose a place outside");
    }
    Ok(whole)
}

/// The beginning of the names of copies that are being made.
fn unfinished_prefix(out: &Path) -> String {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.sparrowhawk-unfinished-")
}
