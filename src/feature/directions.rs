//! Where is each sample among the others? In the few directions that vary most, as many samples as there are.

use super::principal::{DIRECTIONS, Principal, SAMPLES};
use super::{Cache, Embeddings, FeatureError, Fingerprints, HandCrafted, embed};
use crate::source::Dataset;
use crate::task::Task;

/// Rows whose numbers are in memory in full at one time: 2,743 half-precision numbers each.
const CHUNK: usize = 16_384;

/// Rows of one dataset, ascending.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Whose rows.
    pub dataset: &'a Dataset,
    /// Its content hashes.
    pub fingerprints: &'a Fingerprints,
    /// Which rows.
    pub rows: &'a [u32],
}

impl Part<'_> {
    fn embed(&self, rows: &[u32], cache: &Cache, task: &Task) -> Result<Embeddings, FeatureError> {
        embed(self.dataset, self.fingerprints, Some(rows), &HandCrafted, cache, task)
    }
}

/// All rows of all parts, in this order, in [`DIRECTIONS`] principal directions of the hand-crafted numbers, each of
/// length one; zeros where a picture cannot be decoded.
pub fn directions(
    parts: &[Part<'_>],
    seed: u64,
    cache: &Cache,
    task: &Task,
) -> Result<Vec<f32>, FeatureError> {
    let count: usize = parts.iter().map(|part| part.rows.len()).sum();
    let mut all = vec![0.0; count * DIRECTIONS];
    let samples = samples(parts, count, cache, task)?;
    if samples.rows.is_empty() {
        return Ok(all);
    }
    let principal = Principal::learn(&samples, seed, task)?;
    // Where one part is taught whole, its numbers are here already.
    let mut whole = (parts.len() == 1 && count <= SAMPLES).then_some(samples);
    let mut start = 0;
    for part in parts {
        for rows in part.rows.chunks(CHUNK) {
            let embeddings = match whole.take() {
                Some(samples) => samples,
                None => part.embed(rows, cache, task)?,
            };
            let numbers = principal.apply(&embeddings, task)?;
            for (row, numbers) in embeddings.rows.iter().zip(numbers.chunks_exact(DIRECTIONS)) {
                let Ok(place) = rows.binary_search(row) else { continue };
                let at = start + place;
                all[at * DIRECTIONS..(at + 1) * DIRECTIONS].copy_from_slice(numbers);
            }
            start += rows.len();
        }
    }
    Ok(all)
}

/// The numbers of evenly spread rows.
fn samples(parts: &[Part<'_>], count: usize, cache: &Cache, task: &Task) -> Result<Embeddings, FeatureError> {
    let chosen: Vec<usize> = (0..count.min(SAMPLES)).map(|at| at * count / count.min(SAMPLES)).collect();
    let mut samples = Embeddings::default();
    let mut start = 0;
    for part in parts {
        let own = start..start + part.rows.len();
        start = own.end;
        let rows: Vec<u32> =
            chosen.iter().filter(|at| own.contains(at)).map(|at| part.rows[at - own.start]).collect();
        let found = part.embed(&rows, cache, task)?;
        samples.dim = found.dim;
        samples.rows.extend(found.rows);
        samples.values.extend(found.values);
    }
    Ok(samples)
}
