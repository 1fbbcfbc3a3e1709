//! What did a contribution do to one sample?

use serde::{Deserialize, Serialize};

use super::geometry::PixelBox;

/// The kinds of change, in the order in which they are listed and in which the first that fits is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The same picture under another label.
    Relabelled,
    /// Another picture in the place of one that the base has: part of it changed.
    Edited,
    /// A new key whose picture the base already has under a key that is still there.
    Duplicated,
    /// Other bytes, the same picture.
    ReEncoded,
    /// The same sample in another split.
    SplitMoved,
    /// The same sample under another key.
    Renamed,
    /// A sample the base does not have.
    Added,
    /// A sample only the base has.
    Removed,
}

impl ChangeKind {
    /// Every kind, in order.
    pub const ALL: [Self; 8] = [
        Self::Relabelled,
        Self::Edited,
        Self::Duplicated,
        Self::ReEncoded,
        Self::SplitMoved,
        Self::Renamed,
        Self::Added,
        Self::Removed,
    ];

    /// The kind's text, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relabelled => "relabelled",
            Self::Edited => "edited",
            Self::Duplicated => "duplicated",
            Self::ReEncoded => "re-encoded",
            Self::SplitMoved => "split-moved",
            Self::Renamed => "renamed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// The kind with this text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One change: rows are positions in the contribution and in the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The first kind that fits.
    pub kind: ChangeKind,
    /// Further kinds that fit, ascending.
    pub also: Vec<ChangeKind>,
    /// The row in the contribution; `None` for [`ChangeKind::Removed`].
    pub row: Option<u32>,
    /// The counterpart in the base; for `Duplicated` the original. `None` for [`ChangeKind::Added`].
    pub base_row: Option<u32>,
    /// For edited pictures, where they differ, in pixels of the contribution's picture.
    pub changed_box: Option<PixelBox>,
}

impl Change {
    /// Whether this kind is among the change's kinds.
    #[must_use]
    pub fn is(&self, kind: ChangeKind) -> bool {
        self.kind == kind || self.also.contains(&kind)
    }
}
