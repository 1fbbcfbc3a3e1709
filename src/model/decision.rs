//! What did a person decide, about what exactly?

use serde::{Deserialize, Serialize};

use super::change::ChangeKind;
use super::hash::ContentHash;

/// What a reviewer says of one sample.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "label")]
pub enum Verdict {
    /// The sample is right as it stands.
    Keep,
    /// It belongs to this class.
    Relabel(String),
    /// It does not belong in the dataset.
    Exclude,
    /// Undo the contribution's change.
    Revert,
    /// Looked at, not decided.
    Unsure,
}

impl Verdict {
    /// The verdict's text without its class: `keep`, `relabel`, `exclude`, `revert`, `unsure`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Relabel(_) => "relabel",
            Self::Exclude => "exclude",
            Self::Revert => "revert",
            Self::Unsure => "unsure",
        }
    }
}

/// The base's counterpart of a sample at the time of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectBase {
    /// Its key in the base.
    pub key: String,
    /// Its content there.
    pub hash: ContentHash,
    /// Its label there.
    pub label: Option<String>,
    /// Its split there.
    pub split: Option<String>,
}

/// The sample a decision is about, as it was when the decision was made.
///
/// For a removed sample `key`, `hash`, `label` and `split` are the base's, since the contribution has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The sample's key.
    pub key: String,
    /// Content on which the decision was made; it never applies to another.
    pub hash: ContentHash,
    /// Label at that time.
    pub label: Option<String>,
    /// Split at that time.
    pub split: Option<String>,
    /// What the contribution did to it, where there is a base and it did.
    pub change: Option<ChangeKind>,
    /// The base's counterpart, where there is one.
    pub base: Option<SubjectBase>,
}

/// A verdict on one sample by one reviewer at one time; never overwritten, only followed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Position in the journal, ascending from 1.
    pub id: i64,
    /// The step it was part of: a bulk decision is one step.
    pub step: i64,
    /// About what.
    pub subject: Subject,
    /// The verdict; `None` takes earlier verdicts back (an undo, or clearing).
    pub verdict: Option<Verdict>,
    /// A remark, may be empty.
    pub note: String,
    /// Who.
    pub reviewer: String,
    /// When, milliseconds since 1970 UTC.
    pub time_millis: i64,
}
