//! What changed between two versions? Paired by content, not by path.

mod class_map;
mod diff;
mod distribution;
mod edit_map;
pub mod likeness;
mod near;
mod pairing;
mod statistics;

pub use class_map::{ClassMap, RenameReason, RenamedClass, renamed_classes};
pub use diff::{Side, VersionDiff, diff};
pub use distribution::{ClassRow, Distribution, Flow, Measures, distribution, flows};
pub use edit_map::{EDIT_MAP_SIDE, EditMap, edit_map};

use crate::feature::FeatureError;
use crate::task::Cancelled;

/// Why versions could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Pictures could not be looked at.
    #[error(transparent)]
    Feature(#[from] FeatureError),
}
