//! What does `sparrowhawk.lock` remember, and does a version still agree with it?

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::pin::pin;
use super::{Difference, TrustError};
use crate::compare::Side;
use crate::model::{ContentHash, SourceRef, Version};
use crate::source::ListOptions;

/// The layout of the file that this Sparrowhawk writes and reads.
const SCHEMA: u32 = 1;

/// The largest lock file that is read.
const MAX_TEXT_BYTES: usize = 32 << 20;

/// What the file says of itself to a person who opens it.
const HEAD: &str = "# Written by `sparrowhawk pin`; `sparrowhawk verify` compares a dataset with it.\n\
                    # The pin is a Merkle root (BLAKE3) over every sample's key, bytes, label and split.\n";

/// What `sparrowhawk.lock` holds: TOML, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFile {
    /// The layout of the file.
    pub schema: u32,
    /// The version's pin.
    pub pin: ContentHash,
    /// When it was pinned, RFC 3339.
    pub date: String,
    /// Who wrote it, such as `sparrowhawk 0.1.0`.
    pub tool: String,
    /// Samples in all.
    pub samples: u64,
    /// Samples without a label.
    #[serde(default)]
    pub unlabelled: u64,
    /// Samples whose file could not be read.
    #[serde(default)]
    pub unreadable: u64,
    /// Where the version is.
    pub source: SourceRef,
    /// How it is to be read, where a person had to say it of a list.
    #[serde(default, skip_serializing_if = "is_default")]
    pub list: ListOptions,
    /// Samples by class, as the source spells it.
    #[serde(default)]
    pub classes: BTreeMap<String, u64>,
}

fn is_default(list: &ListOptions) -> bool {
    *list == ListOptions::default()
}

impl LockFile {
    /// The lock of a version as it is now; `date` in RFC 3339.
    #[must_use]
    pub fn new(side: Side<'_>, date: &str) -> Self {
        let version = &side.dataset.version;
        let (classes, unlabelled) = spelt_counts(version);
        Self {
            schema: SCHEMA,
            pin: pin(side),
            date: date.to_owned(),
            tool: concat!("sparrowhawk ", env!("CARGO_PKG_VERSION")).to_owned(),
            samples: version.len() as u64,
            unlabelled,
            unreadable: unreadable(side),
            source: version.source().clone(),
            list: ListOptions::default(),
            classes,
        }
    }

    /// The file's text.
    ///
    /// # Panics
    /// With a count of 2^63 or more, which no version has.
    #[must_use]
    pub fn render(&self) -> String {
        let body = toml::to_string(self).expect("names, texts and counts below 2^63 are all TOML");
        format!("{HEAD}\n{body}")
    }

    /// Reads a file's text; `path` is only named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, TrustError> {
        let bad = |message: String| TrustError::BadLock { message, path: path.to_owned() };
        if text.len() > MAX_TEXT_BYTES {
            return Err(bad(format!(
                "a lock file has at most {MAX_TEXT_BYTES} bytes, this one {}",
                text.len()
            )));
        }
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            bad(format!("not a lock file: {}", error.to_string().trim_end()))
        })?;
        match table.get("schema").and_then(toml::Value::as_integer) {
            Some(schema) if schema == i64::from(SCHEMA) => {}
            Some(schema) if schema > i64::from(SCHEMA) => {
                return Err(bad(format!(
                    "written by a newer Sparrowhawk (schema {schema}, this one reads {SCHEMA}); update Sparrowhawk"
                )));
            }
            _ => {
                return Err(bad(format!(
                    "not a lock file: `schema = {SCHEMA}` is missing; write it with `pin`"
                )));
            }
        }
        let lock: Self = table.try_into().map_err(|error: toml::de::Error| {
            bad(format!("not a lock file: {}", error.to_string().trim_end()))
        })?;
        let counted = lock.classes.values().try_fold(lock.unlabelled, |sum, count| sum.checked_add(*count));
        if counted != Some(lock.samples) {
            return Err(bad(format!(
                "the counts by class do not add up to {} samples; write it again with `pin`",
                lock.samples
            )));
        }
        Ok(lock)
    }
}

/// The differences between a lock file and a version as it is now; none when the pin is the same.
///
/// Without the list of samples only counts can be compared and files that cannot be read be named;
/// [`super::verify_samples`] names every sample. Differences of the whole version have an empty key and come first.
#[must_use]
pub fn verify(lock: &LockFile, version: &Version, side: Side<'_>) -> Vec<Difference> {
    let now = pin(side);
    if now == lock.pin {
        return Vec::new();
    }
    let whole = |message: String| Difference { key: String::new(), message };
    let mut differences = vec![whole(format!("pinned as {}, but is {now}", lock.pin))];
    let (counts, unlabelled) = spelt_counts(version);
    let mut counted = |what: &str, then: u64, now: u64| {
        if then != now {
            differences.push(whole(format!("{what}: {then} when pinned, {now} now")));
        }
    };
    counted("samples", lock.samples, version.len() as u64);
    for class in lock.classes.keys().chain(counts.keys().filter(|class| !lock.classes.contains_key(*class))) {
        let count = |classes: &BTreeMap<String, u64>| classes.get(class).copied().unwrap_or(0);
        counted(&format!("class {class:?}"), count(&lock.classes), count(&counts));
    }
    counted("samples without a label", lock.unlabelled, unlabelled);
    counted("unreadable files", lock.unreadable, unreadable(side));
    if differences.len() == 1 {
        differences.push(whole(
            "all counts are as when pinned: bytes, labels, splits or names of single samples differ"
                .to_owned(),
        ));
    }
    if lock.unreadable == 0 {
        differences.extend(
            side.fingerprints
                .unreadable
                .iter()
                .map(|warning| Difference { key: warning.key.clone(), message: warning.message.clone() }),
        );
    }
    differences
}

fn unreadable(side: Side<'_>) -> u64 {
    side.fingerprints.hashes.iter().filter(|hash| hash.is_none()).count() as u64
}

/// Samples by class as the source spells it, and those without a label.
fn spelt_counts(version: &Version) -> (BTreeMap<String, u64>, u64) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unlabelled = 0;
    for row in 0..version.len() {
        match version.spelling(row) {
            Some(class) => *counts.entry(class).or_default() += 1,
            None => unlabelled += 1,
        }
    }
    (counts.into_iter().map(|(class, count)| (class.to_owned(), count)).collect(), unlabelled)
}
