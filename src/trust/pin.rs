//! What exactly is this version? A Merkle root over every sample's key, bytes, label and split.

use std::path::PathBuf;

use crate::compare::Side;
use crate::model::{ContentHash, Version};

/// The Merkle root (BLAKE3) over every sample's key, content, label and split, in key order.
#[must_use]
pub fn pin(_side: Side<'_>) -> ContentHash {
    todo!()
}

/// What `sparrowhawk.lock` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// Its pin.
    pub pin: ContentHash,
}

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
    /// Not a lock file.
    #[error("{message}: {}", path.display())]
    BadLock {
        /// What is wrong.
        message: String,
        /// The file.
        path: PathBuf,
    },
}

/// The differences between a lock file and a version as it is now, by key.
#[must_use]
pub fn verify(_lock: &LockFile, _version: &Version, _side: Side<'_>) -> Vec<Difference> {
    todo!()
}
