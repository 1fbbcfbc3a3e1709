//! Which few numbers tell pictures apart nearly as well as all? Those along the directions that vary most.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use half::f16;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::Embeddings;
use crate::task::{Cancelled, Task};

/// Principal directions that are kept.
pub const DIRECTIONS: usize = 128;
/// Rows from which the directions are learned, evenly spread: more would not turn them noticeably.
pub const SAMPLES: usize = 4096;
/// Rows of one product: fixed, so that no sum depends on the number of threads.
pub(crate) const PRODUCT_ROWS: usize = 512;
/// Each round multiplies what separates the kept directions from the rest by the ratio of their variances.
const ROUNDS: usize = 6;

/// The principal directions of standardised numbers.
///
/// Cosines do not depend on how the directions are turned among themselves, so that the subspace is enough:
/// subspace iteration from a seeded start.
#[derive(Debug, Clone)]
pub struct Principal {
    /// What is subtracted from each number, and what it is then multiplied by.
    scale: Vec<(f32, f32)>,
    /// `scale.len() × directions`, column-major.
    basis: Vec<f32>,
    directions: usize,
}

impl Principal {
    /// Learns from all rows of `samples`.
    pub fn learn(samples: &Embeddings, seed: u64, task: &Task) -> Result<Self, Cancelled> {
        let width = samples.dim;
        let directions = DIRECTIONS.min(width);
        let scale = standard_scale(samples);
        let mut found = Self { scale, basis: Vec::new(), directions };
        let blocks: Vec<Vec<f32>> = samples
            .values
            .par_chunks((PRODUCT_ROWS * width).max(1))
            .map(|rows| found.standardised(rows))
            .collect();
        found.basis = subspace(&blocks, width, directions, seed, task)?;
        Ok(found)
    }

    /// Numbers a row after [`Principal::apply`].
    #[must_use]
    pub fn dim(&self) -> usize {
        self.directions
    }

    /// Every row in these directions, each of length one; a row without any difference from the mean stays 0.
    pub fn apply(&self, embeddings: &Embeddings, task: &Task) -> Result<Vec<f32>, Cancelled> {
        let Self { scale, directions, .. } = self;
        let width = scale.len();
        let mut rows = vec![0.0; embeddings.rows.len() * directions];
        if width == 0 {
            return Ok(rows);
        }
        rows.par_chunks_mut(PRODUCT_ROWS * directions)
            .zip(embeddings.values.par_chunks(PRODUCT_ROWS * width))
            .try_for_each(|(out, rows)| {
                task.check()?;
                let count = rows.len() / width;
                let gathered = self.standardised(rows);
                let block = MatRef::from_row_major_slice(&gathered, count, width);
                let target = MatMut::from_row_major_slice_mut(out, count, *directions);
                matmul(target, Accum::Replace, block, self.view(), 1.0, Par::Seq);
                out.chunks_exact_mut(*directions).for_each(to_length_one);
                Ok(())
            })?;
        Ok(rows)
    }

    fn view(&self) -> MatRef<'_, f32> {
        MatRef::from_column_major_slice(&self.basis, self.scale.len(), self.directions)
    }

    fn standardised(&self, rows: &[f16]) -> Vec<f32> {
        let numbers = rows.chunks_exact(self.scale.len()).flat_map(|row| row.iter().zip(&self.scale));
        numbers.map(|(value, (mean, factor))| (value.to_f32() - mean) * factor).collect()
    }
}

/// `directions` columns of `width` that span what varies most among rows of mean zero, by subspace iteration from a
/// seeded start. `blocks` hold [`PRODUCT_ROWS`] rows each but for the last, row-major.
pub(crate) fn subspace(
    blocks: &[Vec<f32>],
    width: usize,
    directions: usize,
    seed: u64,
    task: &Task,
) -> Result<Vec<f32>, Cancelled> {
    task.begin("Finding what varies most", ROUNDS);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut basis: Vec<f32> =
        (0..width * directions).map(|_| if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 }).collect();
    for _ in 0..ROUNDS {
        let view = MatRef::from_column_major_slice(&basis, width, directions);
        let parts = blocks
            .par_iter()
            .map(|rows| {
                task.check()?;
                let count = rows.len() / width;
                let block = MatRef::from_row_major_slice(rows, count, width);
                let mut seen = vec![0.0; count * directions];
                let mut seen = MatMut::from_column_major_slice_mut(&mut seen, count, directions);
                matmul(seen.as_mut(), Accum::Replace, block, view, 1.0, Par::Seq);
                let mut part = vec![0.0_f32; width * directions];
                let out = MatMut::from_column_major_slice_mut(&mut part, width, directions);
                matmul(out, Accum::Replace, block.transpose(), seen.as_ref(), 1.0, Par::Seq);
                Ok(part)
            })
            .collect::<Result<Vec<Vec<f32>>, Cancelled>>()?;
        let mut sum = vec![0.0_f64; width * directions];
        for part in parts {
            sum.iter_mut().zip(&part).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let turned: Mat<f64> = MatRef::from_column_major_slice(&sum, width, directions).qr().compute_thin_Q();
        for (column, basis) in basis.chunks_exact_mut(width.max(1)).enumerate() {
            basis.iter_mut().enumerate().for_each(|(row, value)| *value = turned[(row, column)] as f32);
        }
        task.advance(1);
    }
    Ok(basis)
}

/// Makes a vector one of length one, unless it is 0.
pub(super) fn to_length_one(row: &mut [f32]) {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 && length.is_finite() {
        for x in row {
            *x /= length;
        }
    } else {
        row.fill(0.0);
    }
}

/// Mean and reciprocal deviation of each number.
/// One that hardly varies is divided by a thousandth of the largest deviation instead of by almost nothing.
fn standard_scale(samples: &Embeddings) -> Vec<(f32, f32)> {
    let width = samples.dim;
    let mut sums = vec![(0.0_f64, 0.0_f64); width];
    for row in samples.values.chunks_exact(width.max(1)) {
        for ((sum, square), value) in sums.iter_mut().zip(row) {
            let value = value.to_f64();
            *sum += value;
            *square += value * value;
        }
    }
    let count = samples.rows.len().max(1) as f64;
    let moments: Vec<(f64, f64)> = sums
        .iter()
        .map(|(sum, square)| {
            let mean = sum / count;
            (mean, (square / count - mean * mean).max(0.0).sqrt())
        })
        .collect();
    let floor = moments.iter().map(|(_, deviation)| *deviation).fold(0.0, f64::max) * 1e-3;
    let scale = |&(mean, deviation): &(f64, f64)| {
        let divisor = deviation.max(floor);
        (mean as f32, if divisor > 0.0 { (1.0 / divisor) as f32 } else { 0.0 })
    };
    moments.iter().map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_that_vary_are_kept() {
        // 200 numbers that depend on 20: 128 directions must hold them, so that cosines hardly change.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut random = || rng.next_u32() as f32 / u32::MAX as f32 - 0.5;
        let mix: Vec<f32> = (0..20 * 200).map(|_| random()).collect();
        let mut values = Vec::new();
        for _ in 0..600 {
            let causes: Vec<f32> = (0..20).map(|_| random()).collect();
            values.extend((0..200).map(|at| {
                let value: f32 = causes.iter().zip(mix[at * 20..].iter()).map(|(c, m)| c * m).sum();
                f16::from_f32(5.0 + value + 0.01 * random())
            }));
        }
        let samples = Embeddings { dim: 200, rows: (0..600).collect(), values };
        let principal = Principal::learn(&samples, 3, &Task::new()).unwrap();
        let rows = principal.apply(&samples, &Task::new()).unwrap();
        let full = principal.standardised(&samples.values);
        let dot = |m: &[f32], width: usize, a: usize, b: usize| {
            let (a, b) = (&m[a * width..(a + 1) * width], &m[b * width..(b + 1) * width]);
            a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>()
        };
        for (a, b) in [(0, 1), (5, 500), (17, 300)] {
            let cosine = dot(&full, 200, a, b) / (dot(&full, 200, a, a) * dot(&full, 200, b, b)).sqrt();
            assert!((dot(&rows, 128, a, b) - cosine).abs() < 0.01, "{a} {b}");
            assert!((dot(&rows, 128, a, a) - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn rows_that_are_all_the_same_become_nothing() {
        let values = vec![f16::ONE; 12];
        let samples = Embeddings { dim: 3, rows: (0..4).collect(), values };
        let principal = Principal::learn(&samples, 0, &Task::new()).unwrap();
        assert!(principal.apply(&samples, &Task::new()).unwrap().iter().all(|x| *x == 0.0));
        let none = Embeddings { dim: 0, rows: Vec::new(), values: Vec::new() };
        let principal = Principal::learn(&none, 0, &Task::new()).unwrap();
        assert!(principal.apply(&none, &Task::new()).unwrap().is_empty());
    }
}
