//! How do decisions leave? One file a format; [`EXPORTERS`] is the registry. [`apply()`] carries a patch out.

mod apply;
mod atomic;
mod csv;
pub mod patch;

use std::path::PathBuf;

pub use apply::{Applied, ApplyOptions, Refusal, apply};
pub use atomic::write_atomically;

use crate::review::{Correction, ReviewAbout};
use crate::source::SourceError;
use crate::task::Cancelled;

/// What an exporter is given.
pub struct ExportInput<'a> {
    /// What the review is about.
    pub about: &'a ReviewAbout,
    /// The verdicts in force, by key.
    pub corrections: &'a [Correction],
}

/// A way out for corrections.
pub trait Exporter: Sync {
    /// Its name in `--format`.
    fn id(&self) -> &'static str;
    /// What it writes and for whom, in half a sentence.
    fn summary(&self) -> &'static str;
    /// The file name extension it suggests.
    fn extension(&self) -> &'static str;
    /// The bytes of the file.
    fn render(&self, input: &ExportInput<'_>) -> Result<Vec<u8>, ExportError>;
}

/// Every exporter, in the order in which people see them.
pub static EXPORTERS: &[&dyn Exporter] = &[&csv::Csv, &patch::Patch];

/// The exporter with this id.
pub fn exporter(id: &str) -> Result<&'static dyn Exporter, ExportError> {
    EXPORTERS.iter().copied().find(|e| e.id() == id).ok_or_else(|| ExportError::UnknownFormat {
        name: id.to_owned(),
        known: EXPORTERS.iter().map(|e| e.id()).collect::<Vec<_>>().join(", "),
    })
}

/// Why corrections could not leave, or a patch not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The name is no format's.
    #[error("there is no export format `{name}`; there are: {known}")]
    UnknownFormat {
        /// As given.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// The patch file makes no sense.
    #[error("line {line} of the patch: {message}")]
    BadPatch {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The target is there already, or lies inside the source.
    #[error("{message}: {}", path.display())]
    Target {
        /// What is wrong and what to do.
        message: String,
        /// The path.
        path: PathBuf,
    },
    /// The source could not be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The system said no.
    #[error("cannot be written ({error}): {}", path.display())]
    Io {
        /// The system's words.
        error: std::io::Error,
        /// The path.
        path: PathBuf,
    },
    /// The row could not be made into text.
    #[error("cannot be rendered: {0}")]
    Render(String),
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
