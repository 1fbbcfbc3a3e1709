//! What did people decide? [`Review`] is the only mutator; the journal keeps every decision for ever.

mod dismissed;
mod expect;
mod journal;
mod lock;
mod merge;
mod place;
pub mod query;
mod state;
mod store;

use std::path::PathBuf;

pub use dismissed::{Dismissed, is_cluster, names_cluster};
pub use expect::{Expected, LEAST_DECIDED, expected};
pub use journal::{Access, Review, ReviewAbout};
pub use merge::{Comparison, Conflict};
pub use place::{DATA_VARIABLE, data_folder, default_path};
pub use state::{Action, Logged, Step};
pub use store::{MAX_NAME_BYTES, MAX_NOTE_BYTES};

use crate::model::{Subject, Verdict};

/// What the decisions on one sample add up to: the unit of export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The sample, as it was when decided.
    pub subject: Subject,
    /// The verdict in force.
    pub verdict: Verdict,
    /// Remark of the decision in force.
    pub note: String,
    /// Who decided.
    pub reviewer: String,
    /// When, milliseconds since 1970 UTC.
    pub time_millis: i64,
}

/// Why a review could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file was written by a later Sparrowhawk.
    #[error("this review was written by a newer Sparrowhawk (file version {found}, this one reads {known}); update Sparrowhawk: {}", path.display())]
    Newer {
        /// The file's version.
        found: i64,
        /// Ours.
        known: i64,
        /// The file.
        path: PathBuf,
    },
    /// Not a review, or damaged.
    #[error("{message}: {}", path.display())]
    Damaged {
        /// What is wrong, and what to do.
        message: String,
        /// The file.
        path: PathBuf,
    },
    /// Opened read-only: another window has it, or the file may not be written.
    #[error("this review is open read-only ({0})")]
    ReadOnly(String),
    /// The disk is full. Nothing that was shown as saved is lost.
    #[error("the disk is full: the decision was not saved; free some space and decide again")]
    DiskFull,
    /// A text that is longer than a review keeps.
    #[error("{what} has {found} bytes; at most {limit} are kept, so shorten it and decide again")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How many bytes may be.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// SQLite or the system said no.
    #[error("the review file cannot be used: {0}")]
    Storage(String),
}
