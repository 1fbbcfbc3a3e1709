//! Where does the demo lie when nobody said where? In the user's data folder; [`super::make`] adds the seed.

use std::path::PathBuf;

use crate::review::data_folder;

/// The seed of the demo that everybody sees.
pub const SEED: u64 = 1;

/// Where demos are made.
#[must_use]
pub fn default_folder() -> PathBuf {
    data_folder().join("demo")
}
