//! Which samples show one picture?

use serde::Serialize;

/// How two samples come to show one picture; later ones are weaker. Their text is part of the command's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// The same bytes, or the same pixels in other bytes.
    Exact,
    /// The same picture, encoded or resized otherwise.
    ReEncoded,
    /// The same picture but for a part of it: cropped, marked, slightly edited, the next one of a burst.
    Near,
}

impl GroupKind {
    /// The kind's text, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ReEncoded => "re-encoded",
            Self::Near => "near",
        }
    }
}

/// One sample of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMember {
    /// Whether `row` is a row of the base; otherwise of the judged version.
    pub in_base: bool,
    /// Its row.
    pub row: u32,
    /// How it relates to the group's first member, which is `exact`.
    pub kind: GroupKind,
}

/// Samples that show one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name within one scan, such as `d1`.
    pub id: String,
    /// The weakest kind among its members.
    pub kind: GroupKind,
    /// At least two; the first is the one that all others were compared with.
    pub members: Vec<GroupMember>,
    /// Whether two members have different labels.
    pub labels_differ: bool,
    /// The splits in which it is, sorted, if it is in more than one: it leaks. Otherwise empty.
    pub splits: Vec<String>,
    /// Whether a sample of the golden set is among them.
    pub golden: bool,
    /// What deserves attention, or that nothing does, in one sentence for a person.
    pub reason: String,
}

impl Group {
    /// Whether it deserves attention: copies under one label in one split are only a waste of space.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.labels_differ || !self.splits.is_empty() || self.golden
    }
}
