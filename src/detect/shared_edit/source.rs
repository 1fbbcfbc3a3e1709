//! Where does a picture of the contribution come from? The base picture that it is, but for a change.
//!
//! What the comparison of versions has paired is taken from there. The rest is looked for by the correlation of
//! thumbnails, since a pattern over the whole picture changes too much for the comparison to call it an edit.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, Par};
use rayon::prelude::*;

use super::super::matrix::Matrix;
use crate::compare::VersionDiff;
use crate::feature::Embeddings;
use crate::feature::thumbnail::LUMA_SIDE;
use crate::model::ChangeKind;
use crate::task::{Cancelled, Task};

/// Side of the grey picture that is looked for.
const SIDE: usize = 16;
/// Less correlation is no candidate.
const LEAST_CORRELATION: f32 = 0.75;
/// Candidates a picture.
const CANDIDATES: usize = 2;
/// Pictures whose brightness varies less (in levels) look like any other.
const LEAST_CONTRAST: f32 = 4.0;
/// Products of pictures beyond which nothing is looked for: two minutes on two cores.
const MOST_PRODUCTS: usize = 1 << 33;
const BLOCK: usize = 512;

/// A picture of the contribution and where it may come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Source {
    pub row: u32,
    pub base_row: u32,
    /// Whether both are known to be one picture in other bytes, so that no part of it can have been replaced.
    pub whole: bool,
}

/// The pairs that the comparison knows, by row.
pub(super) fn known(diff: &VersionDiff) -> Vec<Source> {
    let mut sources: Vec<Source> = diff
        .changes
        .iter()
        .filter_map(|change| {
            let edited = change.is(ChangeKind::Edited);
            let (row, base_row) = (change.row?, change.base_row?);
            let paired = edited || change.is(ChangeKind::ReEncoded);
            paired.then_some(Source { row, base_row, whole: !edited })
        })
        .collect();
    sources.sort_unstable_by_key(|source| source.row);
    sources
}

/// Candidates for rows without a known source: base rows that correlate best, or `None` when there are too many.
pub(super) fn search(
    unknown: &Embeddings,
    base: &Embeddings,
    task: &Task,
) -> Result<Option<Vec<Source>>, Cancelled> {
    if unknown.rows.len().saturating_mul(base.rows.len()) > MOST_PRODUCTS {
        return Ok(None);
    }
    let (queries, pool) = (shapes(unknown), shapes(base));
    task.begin("Looking for sources", queries.rows());
    let found: Vec<Vec<Source>> = (0..queries.rows().div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let rows = block * BLOCK..((block + 1) * BLOCK).min(queries.rows());
            let mut best = vec![[(0.0_f32, u32::MAX); CANDIDATES]; rows.len()];
            let mut products = vec![0.0_f32; rows.len() * BLOCK];
            for start in (0..pool.rows()).step_by(BLOCK) {
                task.check()?;
                let others = start..(start + BLOCK).min(pool.rows());
                let width = others.len();
                let out = &mut products[..rows.len() * width];
                matmul(
                    MatMut::from_row_major_slice_mut(out, rows.len(), width),
                    Accum::Replace,
                    queries.view(rows.clone()),
                    pool.view(others).transpose(),
                    1.0,
                    Par::Seq,
                );
                for (best, line) in best.iter_mut().zip(out.chunks_exact(width)) {
                    for (at, &product) in line.iter().enumerate() {
                        if product > LEAST_CORRELATION && product > best[CANDIDATES - 1].0 {
                            best[CANDIDATES - 1] = (product, (start + at) as u32);
                            best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                        }
                    }
                }
            }
            task.advance(rows.len());
            let sources = rows.zip(best).flat_map(|(at, best)| {
                best.into_iter().filter(|(_, other)| *other != u32::MAX).map(move |(_, other)| Source {
                    row: unknown.rows[at],
                    base_row: base.rows[other as usize],
                    whole: false,
                })
            });
            Ok(sources.collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(Some(found.concat()))
}

/// 16×16 brightness less its mean, of length one; zeros where there is hardly any contrast.
fn shapes(thumbnails: &Embeddings) -> Matrix {
    let mut shapes = Matrix::zeros(thumbnails.rows.len(), SIDE * SIDE);
    let step = LUMA_SIDE / SIDE;
    let source = thumbnails.values.par_chunks_exact(thumbnails.dim.max(1));
    shapes.values.par_chunks_exact_mut(SIDE * SIDE).zip(source).for_each(|(shape, numbers)| {
        for (at, value) in numbers[..LUMA_SIDE * LUMA_SIDE].iter().enumerate() {
            shape[at / LUMA_SIDE / step * SIDE + at % LUMA_SIDE / step] +=
                value.to_f32() / (step * step) as f32;
        }
        let mean = shape.iter().sum::<f32>() / shape.len() as f32;
        for value in shape.iter_mut() {
            *value -= mean;
        }
        let length = shape.iter().map(|value| value * value).sum::<f32>().sqrt();
        let factor = if length > LEAST_CONTRAST * SIDE as f32 { 1.0 / length } else { 0.0 };
        for value in shape.iter_mut() {
            *value *= factor;
        }
    });
    shapes
}
