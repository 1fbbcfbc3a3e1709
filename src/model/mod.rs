//! The nouns: plain data that every other folder speaks in.
//!
//! **Invariant:** no I/O, no threads, no clock.
//! A row is a position in one [`Version`]; it never leaves the process, because rows move between versions.
//! What is stored names a sample by key, content hash and class *name*.

mod change;
mod decision;
mod geometry;
mod group;
mod hash;
mod signal;
mod strings;
mod version;
mod warning;

pub use change::{Change, ChangeKind};
pub use decision::{Decision, Subject, SubjectBase, Verdict};
pub use geometry::PixelBox;
pub use group::{Group, GroupKind, GroupMember};
pub use hash::{ContentHash, HashParseError};
pub use signal::{Cluster, Evidence, Member, Neighbor, Other, Signal, Suggestion};
pub use strings::StringColumn;
pub use version::{SourceRef, UNLABELLED, Version, VersionBuilder};
pub use warning::{Warning, WarningKind};
