//! Where does the demo lie when nobody said where? In the user's data folder, one folder a seed.

use std::path::PathBuf;

use crate::review::data_folder;

/// The seed of the demo that everybody sees.
pub const SEED: u64 = 1;

/// Where the demo of this seed is made.
#[must_use]
pub fn default_folder(seed: u64) -> PathBuf {
    data_folder().join("demo").join(format!("seed-{seed}"))
}
