//! What several test binaries need.
#![allow(dead_code, clippy::print_stderr)]

pub mod landscapes;

use std::path::{Path, PathBuf};

/// A folder of the real data beside the project, or `None` with a printed reason: such a test is skipped, loudly.
pub fn shared_data(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: this test needs real data that is not here: {}", path.display());
    None
}
