//! May this version be used? A [`pin()`] is its fingerprint; a lock file remembers it.
//!
//! `sparrowhawk.lock` ([`LockFile`]) is small and belongs into version control: source, pin, counts by class.
//! `sparrowhawk.lock.samples` beside it ([`write_samples`]) lists every sample, so that [`verify_samples`] can name
//! what differs; it needs no trust of its own, since the pin can be computed from it.

mod lock;
mod pin;
mod samples;

use std::path::PathBuf;

pub use lock::{LockFile, verify};
pub use pin::pin;
pub use samples::{samples_path, verify_samples, write_samples};

/// One way in which a version is not what was pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The sample's key, or empty for the whole version.
    pub key: String,
    /// What differs.
    pub message: String,
}

/// Why a lock file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not a lock file, or not the list of samples that belongs to it.
    #[error("{message}: {}", path.display())]
    BadLock {
        /// What is wrong, and what to do.
        message: String,
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot be read ({error}): {}", path.display())]
    Io {
        /// The system's words.
        error: std::io::Error,
        /// The file.
        path: PathBuf,
    },
}
