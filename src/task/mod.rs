//! How does long work run? With a [`Task`] in hand: it can be cancelled, says how far it is, and collects warnings.
//!
//! Library functions are plain and blocking and take `&Task`; only [`Pool`] makes threads.

mod pool;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use pool::{Job, JobError, Pool};

use crate::model::Warning;

/// The work was cancelled; nothing that it had stored is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, such as "Reading pictures".
    pub stage: &'static str,
    /// Units done of this stage.
    pub done: u64,
    /// Units in all, 0 while unknown.
    pub total: u64,
}

impl Progress {
    /// The share done, in [0, 1], where the total is known.
    #[must_use]
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f32 / self.total as f32).min(1.0))
    }
}

/// A handle on running work, shared by the one who runs it and the one who watches it.
#[derive(Debug, Clone, Default)]
pub struct Task {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    stage: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
    warnings: Mutex<Vec<Warning>>,
}

impl Task {
    /// A task that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at its next check.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked it to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Call this in every loop: stops the work by `?` when it was cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Begins a stage of `total` units (0 when unknown).
    pub fn begin(&self, stage: &'static str, total: usize) {
        *self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.shared.done.store(0, Ordering::Relaxed);
        self.shared.total.store(total as u64, Ordering::Relaxed);
    }

    /// Counts `units` of the stage as done.
    pub fn advance(&self, units: usize) {
        self.shared.done.fetch_add(units as u64, Ordering::Relaxed);
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            stage: *self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner),
            done: self.shared.done.load(Ordering::Relaxed),
            total: self.shared.total.load(Ordering::Relaxed),
        }
    }

    /// Notes trouble with one sample and carries on.
    pub fn warn(&self, warning: Warning) {
        self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// All warnings so far, sorted, and forgets them.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<Warning> {
        let mut warnings =
            std::mem::take(&mut *self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        warnings.sort();
        warnings
    }
}
