//! Which shared things are no triggers? Remembered as a decision about a cluster among those about samples.
//!
//! The row's key names the pictures by the beginnings of their content hashes, and its hash is derived from the key: no
//! picture has it, so that no sample can be mistaken for a cluster, whatever its name is. Undo, history and the hash
//! chain hold for it as for any decision.

use crate::model::{ContentHash, Decision, Subject};

/// Before the names of pictures in the key.
const PREFIX: &str = "\u{1}cluster ";

/// The context under which a cluster's hash is derived from its key.
const CONTEXT: &str = "sparrowhawk cluster that is no trigger, version 1";

/// Pictures by which a cluster is known again.
const MOST_MEMBERS: usize = 256;

/// A shared thing of which a person said that it is no trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissed {
    /// The beginnings of the contents' hashes, ascending.
    members: Vec<u64>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub reviewer: String,
    /// When, milliseconds since 1970 UTC.
    pub time_millis: i64,
    /// The step that said so, for [`Review::take_back`](super::Review::take_back).
    pub step: i64,
}

impl Dismissed {
    pub(super) fn of(decision: &Decision) -> Option<Self> {
        let names = decision.subject.key.strip_prefix(PREFIX).filter(|_| is_cluster(&decision.subject))?;
        decision.verdict.as_ref()?;
        let members = names.split(' ').filter_map(|name| u64::from_str_radix(name, 16).ok()).collect();
        Some(Self {
            members,
            reason: decision.note.clone(),
            reviewer: decision.reviewer.clone(),
            time_millis: decision.time_millis,
            step: decision.step,
        })
    }

    /// Whether these pictures are the same cluster, as it was found again: at least half of the pictures that were known
    /// are among them, and they are at most twice as many. A cluster that grew more is looked at anew.
    pub fn is(&self, members: impl Iterator<Item = ContentHash>) -> bool {
        let (mut all, mut known) = (0, 0);
        for member in members {
            all += 1;
            known += usize::from(self.members.binary_search(&beginning(&member)).is_ok());
        }
        let remembered = self.members.len();
        known > 0 && 2 * known >= remembered && (remembered == MOST_MEMBERS || all <= 2 * remembered)
    }
}

fn beginning(hash: &ContentHash) -> u64 {
    hash.0.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn derived(key: &str) -> ContentHash {
    ContentHash(blake3::derive_key(CONTEXT, key.as_bytes()))
}

/// A decision about this subject is about a cluster of these pictures.
pub(super) fn subject(members: &[ContentHash]) -> Subject {
    let mut names: Vec<u64> = members.iter().map(beginning).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST_MEMBERS);
    let names: Vec<String> = names.iter().map(|name| format!("{name:016x}")).collect();
    let key = format!("{PREFIX}{}", names.join(" "));
    Subject { hash: derived(&key), key, label: None, split: None, change: None, base: None }
}

/// Whether this may be the key of a cluster rather than of a sample.
#[must_use]
pub fn names_cluster(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Whether a decision is about a cluster rather than about a sample.
#[must_use]
pub fn is_cluster(subject: &Subject) -> bool {
    names_cluster(&subject.key) && subject.hash == derived(&subject.key)
}
