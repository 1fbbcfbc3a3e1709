//! What do the most similar samples say? A vote of the 30 nearest by cosine, in 128 principal directions.

use rayon::prelude::*;

use super::expert::Opinion;
use super::lesson::Lesson;
use super::matrix::{Linear, Matrix, apply};
use crate::feature::{DIRECTIONS, PRODUCT_ROWS, nearest_allowed, subspace};
use crate::task::{Cancelled, Task};

/// Samples from which the directions are found, evenly spread: more would not turn them noticeably.
const SAMPLES: usize = 8192;
/// Neighbours that vote.
const VOTERS: usize = 30;

/// One score a class, the centred logarithm of its share of votes, from the nearest teaching rows of every row;
/// those of its own group (itself and its copies) have no say.
pub(super) fn vote(lesson: &Lesson, features: &Matrix, task: &Task) -> Result<Opinion, Cancelled> {
    let groups = &lesson.groups;
    let taught = lesson.labels.len();
    let rows = project(features, taught, lesson.seed, task)?;
    let allowed = |query: usize, position: usize| groups[query] != groups[position];
    let voters = VOTERS.min(taught / 4).max(1);
    let reference = &rows.values[..taught * rows.width];
    let neighbors = nearest_allowed(&rows.values, reference, rows.width, voters, &allowed, task)?;
    let classes = lesson.classes;
    let mut scores = Matrix::zeros(neighbors.len(), classes);
    // The floor keeps classes that nobody voted for apart from impossible ones; it stays below the even share.
    let floor = (0.1 / classes as f64).min(1e-3);
    for (out, hits) in scores.values.chunks_exact_mut(classes).zip(&neighbors) {
        let mut votes = vec![0.05; classes];
        for hit in hits {
            votes[lesson.labels[hit.position as usize] as usize] += 1.0;
        }
        let total: f64 = votes.iter().sum();
        for votes in &mut votes {
            *votes = (*votes / total).max(floor).ln();
        }
        let mean = votes.iter().sum::<f64>() / classes as f64;
        out.iter_mut().zip(votes).for_each(|(out, score)| *out = (score - mean) as f32);
    }
    Ok(Opinion { scores, neighbors: Some(neighbors) })
}

/// All rows in the principal directions of the first `taught`, each of length one.
///
/// Cosines do not depend on how the directions are turned among themselves, so that the subspace is enough:
/// subspace iteration from a seeded start. The teaching rows have mean zero (they are standardised).
fn project(features: &Matrix, taught: usize, seed: u64, task: &Task) -> Result<Matrix, Cancelled> {
    let width = features.width;
    let directions = DIRECTIONS.min(width);
    let count = taught.min(SAMPLES);
    let samples: Vec<usize> = (0..count).map(|at| at * taught / count).collect();
    let blocks: Vec<Vec<f32>> = samples
        .par_chunks(PRODUCT_ROWS)
        .map(|rows| rows.iter().flat_map(|&row| features.row(row)).copied().collect())
        .collect();
    let basis = subspace(&blocks, width, directions, seed, task)?;
    let onto = Linear { weights: basis, offsets: vec![0.0; directions] };
    let mut rows = apply(features, &[(0..features.rows(), &onto)], directions, task)?;
    rows.values.par_chunks_exact_mut(directions).for_each(|row| {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > 0.0 {
            for x in row {
                *x /= length;
            }
        }
    });
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn the_directions_that_vary_are_kept() {
        // 200 numbers of which 20 vary much: 128 directions must hold them, so that cosines hardly change.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let values = (0..600 * 200)
            .map(|at| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * if at % 10 == 0 { 20.0 } else { 0.1 })
            .collect();
        let features = Matrix { width: 200, values };
        let rows = project(&features, 600, 3, &Task::new()).unwrap();
        assert_eq!((rows.rows(), rows.width), (600, 128));
        for (a, b) in [(0, 1), (5, 500), (17, 300)] {
            let dot = |m: &Matrix, a, b| m.row(a).iter().zip(m.row(b)).map(|(x, y)| x * y).sum::<f32>();
            let cosine = dot(&features, a, b) / (dot(&features, a, a) * dot(&features, b, b)).sqrt();
            assert!((dot(&rows, a, b) - cosine).abs() < 0.01, "{a} {b}");
            assert!((dot(&rows, a, a) - 1.0).abs() < 1e-4);
        }
    }
}
