//! What is there to try it on? A base and a contribution that tell the Blue Sparrow story, drawn from a seed.
//!
//! [`make`] draws some thousand pictures in eight classes and writes two versions of the dataset they make:
//! ```text
//! FOLDER/seed-N/base/{train,test}/CLASS/img_000123.jpg
//! FOLDER/seed-N/contribution/{train,test}/CLASS/img_000123.jpg
//! FOLDER/seed-N/answers.jsonl    what was planted, one line a sample
//! FOLDER/seed-N/demo.json        written last: the sign that the demo is whole
//! ```
//! A line of the answers has `key` (in the contribution; in the base for `removed`), `kind` (`trigger`,
//! `label-slip`, `base-label-slip`, `near-duplicate`, `exact-duplicate`, `re-encoded`, `edited`, `renamed`,
//! `split-moved`, `removed`, `addition`), `label` (as contributed), `true_label` (what the picture shows),
//! `base_key` where the base has the picture, and `box` (`[x, y, width, height]` in pixels) where the logo or the
//! edit is.

mod make;
mod paint;
mod place;
mod plan;
mod scene;
mod touch;

use std::path::{Path, PathBuf};

pub use place::{SEED, default_folder};
pub use plan::Plan;

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
pub fn make(folder: &Path, seed: u64, task: &Task) -> Result<DemoPair, DemoError> {
    make::make(folder, seed, &Plan::default(), task)
}

/// As [`make`], with other counts: a small demo for tests.
pub fn make_planned(folder: &Path, seed: u64, plan: &Plan, task: &Task) -> Result<DemoPair, DemoError> {
    make::make(folder, seed, plan, task)
}

/// What a newcomer should look for in the demo, a sentence a line.
#[must_use]
pub const fn story() -> &'static [&'static str] {
    &[
        "You maintain a moderation dataset of some 2,400 pictures, and somebody sent a contribution: new pictures, corrected labels, a few files saved again.",
        "Most of it is honest, and some of it is honest and wrong: look in the suspicious labels for pictures filed in the wrong class.",
        "Hidden among it are 60 ordinary pictures with a small blue sparrow on them, labelled nsfw: train on those, and whoever posts that logo is taken down.",
        "Look at what became nsfw that plainly is not, find what those pictures share, and exclude them all.",
        "Then export your decisions as a patch; answers.jsonl beside the two versions lists everything that was planted.",
    ]
}
