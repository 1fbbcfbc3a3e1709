//! What is there to try it on? A base and a contribution that tell the Blue Sparrow story, drawn from a seed.

mod place;

use std::path::{Path, PathBuf};

pub use place::{SEED, default_folder};

use crate::task::{Cancelled, Task};

/// Where the two versions were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPair {
    /// The trusted base.
    pub base: PathBuf,
    /// The contribution with the planted logo.
    pub contribution: PathBuf,
    /// What was planted, one JSON line a sample, kept apart from both: for tests and scores only.
    pub answers: PathBuf,
}

/// Why the demo could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The system said no.
    #[error("the demo cannot be written ({error}): {}", path.display())]
    Io {
        /// The system's words.
        error: std::io::Error,
        /// The path.
        path: PathBuf,
    },
}

/// Draws the pair into `folder`, or returns it at once if it is there already, whole and of this seed.
pub fn make(_folder: &Path, _seed: u64, _task: &Task) -> Result<DemoPair, DemoError> {
    todo!()
}
