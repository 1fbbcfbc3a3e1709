//! Who is compared with whom? Without a base every sample; with one what it brought or touched, and the base.

use std::sync::Arc;

use crate::compare::Side;
use crate::feature::{FeatureError, Look, Part, directions, look};
use crate::model::{Change, ChangeKind, ContentHash};
use crate::task::Task;

use super::Input;

/// Changes after which a sample may be a copy of another or look odd, as it was or was not before.
const JUDGED: [ChangeKind; 6] = [
    ChangeKind::Relabelled,
    ChangeKind::Edited,
    ChangeKind::Duplicated,
    ChangeKind::ReEncoded,
    ChangeKind::SplitMoved,
    ChangeKind::Added,
];

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub in_base: bool,
    pub row: u32,
}

/// The samples: first those of the base, then those to judge, each by row.
pub(super) struct Crowd<'a> {
    input: &'a Input<'a>,
    pub nodes: Vec<Node>,
    /// Where those begin that are to be judged; all after are too.
    pub first_judged: usize,
}

impl<'a> Crowd<'a> {
    /// Base rows whose counterpart is judged are left out: they are the same sample.
    pub fn of(input: &'a Input<'a>) -> Self {
        let rows = 0..input.target.dataset.version.len() as u32;
        let Some((base, diff)) = input.base else {
            let nodes = rows.map(|row| Node { in_base: false, row }).collect();
            return Self { input, nodes, first_judged: 0 };
        };
        let change = |row: u32| -> Option<&Change> {
            let at = diff.change_of_row.get(row as usize).copied().flatten()?;
            diff.changes.get(at as usize)
        };
        let judged: Vec<u32> = rows
            .filter(|&row| change(row).is_some_and(|change| JUDGED.iter().any(|kind| change.is(*kind))))
            .collect();
        let mut replaced = vec![false; base.dataset.version.len()];
        for &row in &judged {
            if let Some(Some(row)) = diff.counterparts.get(row as usize) {
                replaced[*row as usize] = true;
            }
        }
        let of_base = replaced.iter().zip(0..).filter(|(replaced, _)| !**replaced);
        let mut nodes: Vec<Node> = of_base.map(|(_, row)| Node { in_base: true, row }).collect();
        let first_judged = nodes.len();
        nodes.extend(judged.into_iter().map(|row| Node { in_base: false, row }));
        Self { input, nodes, first_judged }
    }

    pub fn side(&self, node: Node) -> Side<'a> {
        match self.input.base {
            Some((base, _)) if node.in_base => base,
            _ => self.input.target,
        }
    }

    pub fn hash(&self, node: Node) -> Option<ContentHash> {
        self.side(node).fingerprints.hashes.get(node.row as usize).copied().flatten()
    }

    pub fn key(&self, node: Node) -> &'a str {
        self.side(node).dataset.version.key(node.row as usize)
    }

    pub fn label(&self, node: Node) -> Option<&'a str> {
        self.side(node).dataset.version.label(node.row as usize)
    }

    pub fn split(&self, node: Node) -> Option<&'a str> {
        self.side(node).dataset.version.split(node.row as usize)
    }

    /// Both sides' parts of the nodes: where they begin and end.
    fn parts(&self) -> [(usize, usize); 2] {
        [(0, self.first_judged), (self.first_judged, self.nodes.len())]
    }

    fn rows(&self, from: usize, to: usize) -> Vec<u32> {
        self.nodes[from..to].iter().map(|node| node.row).collect()
    }

    /// What each node looks like.
    pub fn looks(&self, task: &Task) -> Result<Vec<Option<Look>>, FeatureError> {
        let mut all = Vec::with_capacity(self.nodes.len());
        for (from, to) in self.parts() {
            if from < to {
                let Side { dataset, fingerprints } = self.side(self.nodes[from]);
                let rows = self.rows(from, to);
                let looks = look(dataset, fingerprints, Some(&rows), self.input.cache, task)?;
                all.extend(rows.iter().map(|&row| looks.rows[row as usize]));
            }
        }
        Ok(all)
    }

    /// Each node in [`DIRECTIONS`](crate::feature::DIRECTIONS) principal directions, of length one; zeros where it has no numbers.
    pub fn directions(&self, task: &Task) -> Result<Arc<Vec<f32>>, FeatureError> {
        let mut digest = blake3::Hasher::new();
        digest.update(&self.input.seed.to_le_bytes());
        for node in &self.nodes {
            digest.update(&self.hash(*node).map_or([0; 32], |hash| hash.0));
        }
        self.input.cache.recent(digest.finalize().into(), || self.compute_directions(task))
    }

    fn compute_directions(&self, task: &Task) -> Result<Vec<f32>, FeatureError> {
        let parts = self.parts().map(|(from, to)| self.rows(from, to));
        let sides = [self.input.base.map_or(self.input.target, |(base, _)| base), self.input.target];
        let parts = sides.iter().zip(&parts).map(|(side, rows)| {
            let Side { dataset, fingerprints } = side;
            Part { dataset, fingerprints, rows }
        });
        let parts: Vec<Part<'_>> = parts.filter(|part| !part.rows.is_empty()).collect();
        directions(&parts, self.input.seed, self.input.cache, task)
    }
}
