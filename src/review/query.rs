//! Which samples does a person ask for? A small language over key, label, change, score, decision, split, cluster.

/// A parsed query: every term must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {}

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong, with what would be right.
    pub message: String,
    /// Byte range of the offending text.
    pub range: std::ops::Range<usize>,
}

/// What a query is asked about one sample; absent things are `None` or empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The sample's key.
    pub key: &'a str,
    /// Its label.
    pub label: Option<&'a str>,
    /// Its label in the base.
    pub base_label: Option<&'a str>,
    /// Its split.
    pub split: Option<&'a str>,
    /// What changed, when something did.
    pub change: Option<&'a crate::model::Change>,
    /// Suspicion in [0, 1].
    pub score: Option<f64>,
    /// Suggested label.
    pub suggested: Option<&'a str>,
    /// Cluster id.
    pub cluster: Option<&'a str>,
    /// Verdict in force.
    pub verdict: Option<&'a crate::model::Verdict>,
    /// Whether there is a warning on it.
    pub problem: bool,
}

impl Query {
    /// Reads a query; the empty text matches everything.
    pub fn parse(_text: &str) -> Result<Self, QueryError> {
        todo!()
    }

    /// Whether a sample is asked for.
    #[must_use]
    pub fn matches(&self, _facts: &Facts<'_>) -> bool {
        todo!()
    }
}

/// Completions for the word at the end of `text`: (what to insert instead of that word, what it means).
#[must_use]
pub fn complete(
    _text: &str,
    _classes: &[std::sync::Arc<str>],
    _splits: &[std::sync::Arc<str>],
) -> Vec<(String, &'static str)> {
    todo!()
}
