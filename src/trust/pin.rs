//! What exactly is this version? A Merkle root over every sample's key, bytes, label and split.
//!
//! # The pin, so that another program can compute it
//! `text(t)` is the length of `t` in bytes as a 64-bit little-endian number, then its bytes (UTF-8).
//! `optional(t)` is the byte 0 where there is none, else the byte 1 and `text(t)`.
//! `H(context, bytes)` is BLAKE3 in its key derivation mode (`derive_key`), 32 bytes.
//! Samples are taken in ascending byte order of their keys, which are unique.
//!
//! * Leaf of a sample: `H("sparrowhawk pin 1 sample", text(key) content optional(label) optional(split))`.
//!   `content` is the byte 1 and the 32 bytes of the file's BLAKE3, or the byte 0 where the file cannot be read;
//!   the label is spelt as the source itself spells it, whatever classes are mapped to.
//! * Tree: neighbours are joined level by level as `H("sparrowhawk pin 1 join", left right)`;
//!   a last one without a neighbour moves up as it is.
//! * Pin: `H("sparrowhawk pin 1 root", number of samples as a 64-bit little-endian number, top)`, where `top` is
//!   the last node that the tree leaves, or nothing when there are no samples.
//!
//! Contexts differ, so no sample can pose as a joined pair; lengths come first, so no two samples read alike.

use blake3::Hasher;
use rayon::prelude::*;

use crate::compare::Side;
use crate::model::ContentHash;

const SAMPLE_CONTEXT: &str = "sparrowhawk pin 1 sample";
const JOIN_CONTEXT: &str = "sparrowhawk pin 1 join";
const ROOT_CONTEXT: &str = "sparrowhawk pin 1 root";

/// Leaves are computed in pieces of so many rows: bounded memory, whatever the version's size.
const PIECE: usize = 1 << 16;

/// The Merkle root (BLAKE3) over every sample's key, content, label and split, in key order.
///
/// # Panics
/// When the fingerprints are of another version: they have one hash a row.
#[must_use]
pub fn pin(side: Side<'_>) -> ContentHash {
    let version = &side.dataset.version;
    let hashes = &side.fingerprints.hashes;
    assert_eq!(hashes.len(), version.len(), "fingerprints belong to the version");
    let mut tree = Tree::default();
    for start in (0..version.len()).step_by(PIECE) {
        let rows = start..version.len().min(start + PIECE);
        let leaves: Vec<Node> = rows
            .into_par_iter()
            .map_init(Leaf::default, |leaf, row| {
                leaf.of(version.key(row), hashes[row], version.spelling(row), version.split(row))
            })
            .collect();
        for leaf in leaves {
            tree.push(leaf);
        }
    }
    tree.root()
}

/// One node of the tree.
pub(super) type Node = [u8; 32];

/// Computes leaves, one after the other.
pub(super) struct Leaf(Hasher);

impl Default for Leaf {
    fn default() -> Self {
        Self(Hasher::new_derive_key(SAMPLE_CONTEXT))
    }
}

impl Leaf {
    /// The leaf of one sample.
    pub(super) fn of(
        &mut self,
        key: &str,
        hash: Option<ContentHash>,
        label: Option<&str>,
        split: Option<&str>,
    ) -> Node {
        let hasher = self.0.reset();
        let text = |hasher: &mut Hasher, text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        };
        text(hasher, key);
        match hash {
            Some(hash) => hasher.update(&[1]).update(&hash.0),
            None => hasher.update(&[0]),
        };
        for field in [label, split] {
            hasher.update(&[u8::from(field.is_some())]);
            if let Some(field) = field {
                text(hasher, field);
            }
        }
        *hasher.finalize().as_bytes()
    }
}

/// The Merkle tree over leaves that come one by one: only the roots of complete subtrees are kept.
pub(super) struct Tree {
    /// (levels below, node), with ever fewer levels.
    peaks: Vec<(u32, Node)>,
    leaves: u64,
    join: Hasher,
}

impl Default for Tree {
    fn default() -> Self {
        Self { peaks: Vec::new(), leaves: 0, join: Hasher::new_derive_key(JOIN_CONTEXT) }
    }
}

impl Tree {
    /// Adds the next leaf.
    pub(super) fn push(&mut self, leaf: Node) {
        self.leaves += 1;
        let (mut level, mut node) = (0, leaf);
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == level) {
            node = self.joined(&left, &node);
            level += 1;
        }
        self.peaks.push((level, node));
    }

    /// The pin of the leaves so far.
    pub(super) fn root(mut self) -> ContentHash {
        let mut hasher = Hasher::new_derive_key(ROOT_CONTEXT);
        hasher.update(&self.leaves.to_le_bytes());
        if let Some((_, mut top)) = self.peaks.pop() {
            while let Some((_, left)) = self.peaks.pop() {
                top = self.joined(&left, &top);
            }
            hasher.update(&top);
        }
        ContentHash(*hasher.finalize().as_bytes())
    }

    fn joined(&mut self, left: &Node, right: &Node) -> Node {
        *self.join.reset().update(left).update(right).finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The construction as the module's text says it, level by level.
    fn by_levels(leaves: &[Node]) -> ContentHash {
        let join = |pair: &[Node]| blake3::derive_key(JOIN_CONTEXT, &pair.concat());
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| if pair.len() == 2 { join(pair) } else { pair[0] }).collect();
        }
        let mut bytes = (leaves.len() as u64).to_le_bytes().to_vec();
        bytes.extend(level.concat());
        ContentHash(blake3::derive_key(ROOT_CONTEXT, &bytes))
    }

    #[test]
    fn the_tree_is_the_one_described() {
        for count in 0..70_u8 {
            let leaves: Vec<Node> = (0..count).map(|i| [i; 32]).collect();
            let mut tree = Tree::default();
            for leaf in &leaves {
                tree.push(*leaf);
            }
            assert_eq!(tree.root(), by_levels(&leaves), "{count} leaves");
        }
    }

    #[test]
    fn a_leaf_is_the_one_described() {
        let mut bytes = 3_u64.to_le_bytes().to_vec();
        bytes.extend(b"k/1\x01");
        bytes.extend([7; 32]);
        bytes.push(1);
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(b"cat\x00");
        let mut leaf = Leaf::default();
        let wanted = blake3::derive_key(SAMPLE_CONTEXT, &bytes);
        assert_eq!(leaf.of("k/1", Some(ContentHash([7; 32])), Some("cat"), None), wanted);
        // The same hasher again, and an unreadable file is its own thing.
        assert_eq!(leaf.of("k/1", Some(ContentHash([7; 32])), Some("cat"), None), wanted);
        assert_ne!(leaf.of("k/1", None, Some("cat"), None), wanted);
    }

    #[test]
    fn fields_cannot_lend_each_other_letters() {
        let mut leaf = Leaf::default();
        let hash = Some(ContentHash([0; 32]));
        let leaves = [
            leaf.of("ab", hash, Some("c"), Some("d")),
            leaf.of("a", hash, Some("bc"), Some("d")),
            leaf.of("ab", hash, Some("cd"), None),
            leaf.of("ab", hash, None, Some("cd")),
            leaf.of("ab", hash, Some("cd"), Some("")),
            leaf.of("ab", None, Some("c"), Some("d")),
        ];
        for (at, one) in leaves.iter().enumerate() {
            assert!(leaves[at + 1..].iter().all(|other| other != one));
        }
    }
}
