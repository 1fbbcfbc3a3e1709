//! What is wrong with one sample, without stopping the rest?

use serde::Serialize;

/// The kinds of trouble one sample can have; their text is part of the command's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// The file cannot be read, or is no picture that can be decoded.
    Unreadable,
    /// The file or picture is larger than the limits.
    Oversized,
    /// The list names a file that is not there.
    Missing,
    /// A path or link that leaves the dataset's folder; it is not followed.
    OutsideRoot,
    /// Two rows with one key.
    DuplicateKey,
    /// A row of a list that makes no sense.
    BadRow,
    /// The extension promises another format than the bytes hold.
    WrongExtension,
    /// A file that is no picture, among pictures.
    NotAPicture,
    /// The class has too few samples to be judged.
    TooFew,
    /// The base has no such class, so that nothing trusted says what it looks like.
    NewClass,
}

/// Trouble with one sample (or place), in words a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// The sample's key, or the path of what could not become a sample.
    pub key: String,
    /// What kind of trouble.
    pub kind: WarningKind,
    /// What happened and what to do, without the key.
    pub message: String,
}

impl Warning {
    /// A warning on this key.
    #[must_use]
    pub fn on(key: &str, kind: WarningKind, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), kind, message: message.into() }
    }
}

impl WarningKind {
    /// The kind's text, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Oversized => "oversized",
            Self::Missing => "missing",
            Self::OutsideRoot => "outside-root",
            Self::DuplicateKey => "duplicate-key",
            Self::BadRow => "bad-row",
            Self::WrongExtension => "wrong-extension",
            Self::NotAPicture => "not-a-picture",
            Self::TooFew => "too-few",
            Self::NewClass => "new-class",
        }
    }
}
