//! Who is compared with whom? Without a base every sample; with one what it brought or touched, and the base.

use std::sync::Arc;

use crate::compare::Side;
use crate::feature::{
    DIRECTIONS, Embeddings, FeatureError, HandCrafted, Look, Principal, SAMPLES, embed, look,
};
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

/// Rows whose numbers are in memory in full at one time: 2,743 half-precision numbers each.
const CHUNK: usize = 16_384;

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

    /// Each node in [`DIRECTIONS`] principal directions, of length one; zeros where it has no numbers.
    pub fn directions(&self, task: &Task) -> Result<Arc<Vec<f32>>, FeatureError> {
        let mut digest = blake3::Hasher::new();
        digest.update(&self.input.seed.to_le_bytes());
        for node in &self.nodes {
            digest.update(&self.hash(*node).map_or([0; 32], |hash| hash.0));
        }
        self.input.cache.recent(digest.finalize().into(), || self.compute_directions(task))
    }

    fn compute_directions(&self, task: &Task) -> Result<Vec<f32>, FeatureError> {
        let mut all = vec![0.0; self.nodes.len() * DIRECTIONS];
        let samples = self.samples(task)?;
        if samples.rows.is_empty() {
            return Ok(all);
        }
        let principal = Principal::learn(&samples, self.input.seed, task)?;
        debug_assert_eq!(principal.dim(), DIRECTIONS, "there are more numbers than directions");
        for (start, end) in self.parts() {
            for from in (start..end).step_by(CHUNK) {
                let rows = self.rows(from, (from + CHUNK).min(end));
                let embeddings = self.embed(self.nodes[from], &rows, task)?;
                let numbers = principal.apply(&embeddings, task)?;
                for (row, numbers) in embeddings.rows.iter().zip(numbers.chunks_exact(DIRECTIONS)) {
                    let at = from + rows.binary_search(row).expect("only rows that were asked for");
                    all[at * DIRECTIONS..(at + 1) * DIRECTIONS].copy_from_slice(numbers);
                }
            }
        }
        Ok(all)
    }

    fn embed(&self, of: Node, rows: &[u32], task: &Task) -> Result<Embeddings, FeatureError> {
        let Side { dataset, fingerprints } = self.side(of);
        embed(dataset, fingerprints, Some(rows), &HandCrafted, self.input.cache, task)
    }

    /// The numbers of evenly spread nodes.
    fn samples(&self, task: &Task) -> Result<Embeddings, FeatureError> {
        let (all, count) = (self.nodes.len(), self.nodes.len().min(SAMPLES));
        let chosen: Vec<usize> = (0..count).map(|at| at * all / count).collect();
        let mut samples = Embeddings::default();
        for (from, to) in self.parts() {
            let rows: Vec<u32> =
                chosen.iter().filter(|&&at| (from..to).contains(&at)).map(|&at| self.nodes[at].row).collect();
            if rows.is_empty() {
                continue;
            }
            let part = self.embed(self.nodes[from], &rows, task)?;
            samples.dim = part.dim;
            samples.rows.extend(part.rows);
            samples.values.extend(part.values);
        }
        Ok(samples)
    }
}
