//! Which sample is not what was pinned? The list of samples beside a lock file says it by key.
//!
//! One JSON object a line, ascending by key: `{"key":…,"hash":"b3:…","label":…,"split":…}`; what a sample has not
//! (a label, a split, a file that can be read) is left out.
//! The pin is computed from the list as it is read, so a list that was tampered with is refused.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pin::{Leaf, Tree};
use super::{Difference, LockFile, TrustError};
use crate::compare::Side;
use crate::model::ContentHash;

/// The longest line that is read: keys and labels are far shorter.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// One sample as it was pinned.
#[derive(Serialize, Deserialize)]
struct Pinned<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<ContentHash>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    label: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    split: Option<Cow<'a, str>>,
}

/// Where the list of samples of this lock file is: beside it, with `.samples` added to its name.
#[must_use]
pub fn samples_path(lock: &Path) -> PathBuf {
    let mut name = OsString::from(lock.file_name().unwrap_or_default());
    name.push(".samples");
    lock.with_file_name(name)
}

/// Writes the list of a version's samples as they are now.
pub fn write_samples(side: Side<'_>, out: &mut dyn Write) -> io::Result<()> {
    let version = &side.dataset.version;
    let mut line = Vec::new();
    for row in 0..version.len() {
        let sample = Pinned {
            key: version.key(row).into(),
            hash: side.fingerprints.hashes[row],
            label: version.spelling(row).map(Cow::from),
            split: version.split(row).map(Cow::from),
        };
        line.clear();
        serde_json::to_writer(&mut line, &sample)?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}

/// The differences between the samples listed in `path` and a version as it is now, by key: the first `limit` of
/// them, and one with an empty key that says how many there are besides. Reads line by line, whatever the size.
///
/// Fails when the list cannot be read, or is not the one from which the lock's pin was computed.
pub fn verify_samples(
    lock: &LockFile,
    path: &Path,
    side: Side<'_>,
    limit: usize,
) -> Result<Vec<Difference>, TrustError> {
    let io = |error| TrustError::Io { error, path: path.to_owned() };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let version = &side.dataset.version;
    let mut found = Found { differences: Vec::new(), limit, more: 0 };
    let (mut tree, mut leaf) = (Tree::default(), Leaf::default());
    let (mut text, mut number, mut last) = (Vec::new(), 0_usize, None::<String>);
    let mut row = 0;
    loop {
        text.clear();
        if file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut text).map_err(io)? == 0 {
            break;
        }
        number += 1;
        let bad = |message: &str| TrustError::BadLock {
            message: format!("line {number} of the list of samples {message}; write it again with `pin`"),
            path: path.to_owned(),
        };
        if text.len() as u64 == MAX_LINE_BYTES && text.last() != Some(&b'\n') {
            return Err(bad(&format!("is longer than {MAX_LINE_BYTES} bytes")));
        }
        let pinned: Pinned<'_> =
            serde_json::from_slice(&text).map_err(|error| bad(&format!("makes no sense ({error})")))?;
        if last.as_deref().is_some_and(|last| last >= pinned.key.as_ref()) {
            return Err(bad("is out of order"));
        }
        tree.push(leaf.of(&pinned.key, pinned.hash, pinned.label.as_deref(), pinned.split.as_deref()));
        while row < version.len() && version.key(row) < pinned.key.as_ref() {
            found.new_sample(side, row);
            row += 1;
        }
        if row < version.len() && version.key(row) == pinned.key.as_ref() {
            found.compare(side, row, &pinned);
            row += 1;
        } else {
            found.add(&pinned.key, || "is no longer there".to_owned());
        }
        last = Some(pinned.key.into_owned());
    }
    if tree.root() != lock.pin {
        return Err(TrustError::BadLock {
            message: "this list of samples is not the one that was pinned; write both again with `pin`, or remove it"
                .to_owned(),
            path: path.to_owned(),
        });
    }
    for row in row..version.len() {
        found.new_sample(side, row);
    }
    Ok(found.into_differences())
}

/// The first differences, and how many more there were.
struct Found {
    differences: Vec<Difference>,
    limit: usize,
    more: usize,
}

impl Found {
    fn add(&mut self, key: &str, message: impl FnOnce() -> String) {
        if self.differences.len() < self.limit {
            self.differences.push(Difference { key: key.to_owned(), message: message() });
        } else {
            self.more += 1;
        }
    }

    fn new_sample(&mut self, side: Side<'_>, row: usize) {
        let version = &side.dataset.version;
        self.add(version.key(row), || format!("is new, {}", labelled(version.spelling(row))));
    }

    fn compare(&mut self, side: Side<'_>, row: usize, pinned: &Pinned<'_>) {
        let version = &side.dataset.version;
        let (hash, label, split) = (side.fingerprints.hashes[row], version.spelling(row), version.split(row));
        if (hash, label, split) == (pinned.hash, pinned.label.as_deref(), pinned.split.as_deref()) {
            return;
        }
        self.add(version.key(row), || {
            let mut parts = Vec::new();
            match (pinned.hash, hash) {
                (Some(then), Some(now)) if then != now => {
                    parts.push(format!("other bytes ({} when pinned, {} now)", then.short(), now.short()));
                }
                (Some(_), None) => parts.push("can no longer be read".to_owned()),
                (None, Some(_)) => parts.push("could not be read when pinned, now it can".to_owned()),
                _ => {}
            }
            if label != pinned.label.as_deref() {
                let then = labelled(pinned.label.as_deref());
                parts.push(format!("{then} when pinned, {} now", labelled(label)));
            }
            if split != pinned.split.as_deref() {
                let name =
                    |split: Option<&str>| split.map_or("no split".to_owned(), |s| format!("split {s:?}"));
                parts.push(format!("{} when pinned, {} now", name(pinned.split.as_deref()), name(split)));
            }
            parts.join("; ")
        });
    }

    fn into_differences(self) -> Vec<Difference> {
        let Self { mut differences, more, .. } = self;
        if more > 0 {
            differences
                .push(Difference { key: String::new(), message: format!("{more} more samples differ") });
        }
        differences
    }
}

fn labelled(label: Option<&str>) -> String {
    label.map_or("without a label".to_owned(), |label| format!("labelled {label:?}"))
}
