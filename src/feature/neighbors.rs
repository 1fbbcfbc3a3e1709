//! Which samples are most alike? Exact cosine neighbours by blocked matrix products.

use crate::task::{Cancelled, Task};

/// The nearest reference rows of each query row.
#[derive(Debug, Clone, Default)]
pub struct Nearest {
    /// Neighbours a query.
    pub k: usize,
    /// `queries × k` positions in the reference, nearest first; ties by position.
    pub positions: Vec<u32>,
    /// `queries × k` cosine similarities.
    pub similarities: Vec<f32>,
}

/// The `k` nearest rows of `reference` (row-major, `dim` numbers a row, each row of length one) for each of `queries`.
/// `exclude(query)` gives a reference position that may not be a neighbour: the query itself.
pub fn nearest(
    _queries: &[f32],
    _reference: &[f32],
    _dim: usize,
    _k: usize,
    _exclude: &(dyn Fn(usize) -> Option<usize> + Sync),
    _task: &Task,
) -> Result<Nearest, Cancelled> {
    todo!()
}
