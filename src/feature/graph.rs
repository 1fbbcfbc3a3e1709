//! Which are the nearest of every row, or of one? Exact up to [`EXACT`] rows, beyond it among rows of nearby cells.
//!
//! The well-kept crates for this build their index on many threads in an order that changes from run to run; here the
//! same rows give the same neighbours. Cells: k-means with `√n` centres; each row is compared with the rows of the
//! [`PROBES`] cells whose centres are nearest to it, by blocked matrix products.

use rayon::prelude::*;

use super::neighbors::{Hit, nearest_allowed};
use super::principal::to_length_one;
use crate::task::{Cancelled, Task};

/// The most rows of which each is compared with all.
pub const EXACT: usize = 100_000;
/// Cells in which the neighbours of a row are searched.
const PROBES: usize = 32;
/// Rows that are searched for at one time: what their cells find is held until it is merged.
const BATCH: usize = 1 << 15;
/// Rounds of k-means, and rows a centre that teach it.
const ROUNDS: usize = 8;
const TAUGHT_BY: usize = 32;
/// Rows that one thread looks at together when only one row asks.
const BLOCK: usize = 4096;

/// The `k` rows most like row `at` (cosine), nearest first, without itself; exact, one pass.
/// `values` are rows of `dim` numbers, each of length one.
#[must_use]
pub fn neighbors_of(values: &[f32], dim: usize, at: usize, k: usize) -> Vec<Hit> {
    let Some(query) = values.get(at * dim..(at + 1) * dim) else { return Vec::new() };
    let best = |mut hits: Vec<Hit>| {
        hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.position.cmp(&b.position)));
        hits.truncate(k);
        hits
    };
    let parts: Vec<Vec<Hit>> = values
        .par_chunks((BLOCK * dim).max(1))
        .enumerate()
        .map(|(block, rows)| {
            let hits = rows.chunks_exact(dim.max(1)).enumerate().map(|(row, numbers)| Hit {
                position: (block * BLOCK + row) as u32,
                similarity: dot(query, numbers),
            });
            best(hits.filter(|hit| hit.position as usize != at).collect())
        })
        .collect();
    best(parts.into_iter().flatten().collect())
}

/// Eight sums at once, always the same ones.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The `k` nearest of every row, without itself, nearest first.
pub fn neighbor_graph(values: &[f32], dim: usize, k: usize, task: &Task) -> Result<Vec<Vec<Hit>>, Cancelled> {
    let count = values.len().checked_div(dim).unwrap_or(0);
    if count <= EXACT {
        return nearest_allowed(values, values, dim, k, &|query, position| query != position, task);
    }
    graph_by_cells(values, dim, k, task)
}

/// As [`neighbor_graph`] beyond [`EXACT`] rows.
pub fn graph_by_cells(values: &[f32], dim: usize, k: usize, task: &Task) -> Result<Vec<Vec<Hit>>, Cancelled> {
    let count = values.len().checked_div(dim).unwrap_or(0);
    let cells = (count as f64).sqrt().ceil() as usize;
    let centres = centres(values, dim, count, cells, task)?;
    let probes = nearest_allowed(values, &centres, dim, PROBES, &|_, _| true, task)?;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); cells];
    for (row, hits) in probes.iter().enumerate() {
        members[hits.first().map_or(0, |hit| hit.position as usize)].push(row as u32);
    }
    task.begin("Finding similar pictures", count);
    let gather = |rows: &[u32]| -> Vec<f32> {
        rows.iter().flat_map(|&row| &values[row as usize * dim..(row as usize + 1) * dim]).copied().collect()
    };
    let mut graph: Vec<Vec<Hit>> = vec![Vec::new(); count];
    for start in (0..count).step_by(BATCH) {
        let end = (start + BATCH).min(count);
        let mut askers: Vec<Vec<u32>> = vec![Vec::new(); cells];
        for (row, hits) in (start..).zip(&probes[start..end]) {
            for hit in hits {
                askers[hit.position as usize].push(row as u32);
            }
        }
        let found: Vec<Vec<Vec<Hit>>> = askers
            .par_iter()
            .zip(&members)
            .map(|(askers, members)| {
                task.check()?;
                let allowed = |query: usize, position: usize| askers[query] != members[position];
                let quiet = Task::new();
                let mut hits = nearest_allowed(&gather(askers), &gather(members), dim, k, &allowed, &quiet)?;
                for hit in hits.iter_mut().flatten() {
                    hit.position = members[hit.position as usize];
                }
                Ok(hits)
            })
            .collect::<Result<_, Cancelled>>()?;
        for (askers, lists) in askers.iter().zip(found) {
            for (row, hits) in askers.iter().zip(lists) {
                graph[*row as usize].extend(hits);
            }
        }
        graph[start..end].par_iter_mut().for_each(|hits| {
            hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.position.cmp(&b.position)));
            hits.truncate(k);
            hits.shrink_to_fit();
        });
        task.advance(end - start);
    }
    Ok(graph)
}

/// k-means on the sphere, from evenly spread rows to evenly spread rows.
fn centres(
    values: &[f32],
    dim: usize,
    count: usize,
    cells: usize,
    task: &Task,
) -> Result<Vec<f32>, Cancelled> {
    let row = |at: usize| &values[at * dim..(at + 1) * dim];
    let taught = (cells * TAUGHT_BY).min(count);
    let lesson: Vec<f32> = (0..taught).flat_map(|at| row(at * count / taught)).copied().collect();
    let mut centres: Vec<f32> = (0..cells).flat_map(|at| row(at * count / cells)).copied().collect();
    for _ in 0..ROUNDS {
        let nearest = nearest_allowed(&lesson, &centres, dim, 1, &|_, _| true, task)?;
        let mut sums = vec![0.0_f32; cells * dim];
        for (numbers, hits) in lesson.chunks_exact(dim).zip(&nearest) {
            let Some(hit) = hits.first() else { continue };
            let cell = hit.position as usize;
            for (sum, number) in sums[cell * dim..(cell + 1) * dim].iter_mut().zip(numbers) {
                *sum += number;
            }
        }
        for (centre, sum) in centres.chunks_exact_mut(dim).zip(sums.chunks_exact_mut(dim)) {
            to_length_one(sum);
            // A centre that nobody is nearest to stays where it is.
            if sum.iter().any(|x| *x != 0.0) {
                centre.copy_from_slice(sum);
            }
        }
    }
    Ok(centres)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    /// Unit rows around some places.
    fn rows(count: usize, dim: usize, places: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut random = || rng.next_u32() as f32 / u32::MAX as f32 - 0.5;
        let around: Vec<f32> = (0..places * dim).map(|_| random()).collect();
        let mut all = Vec::new();
        for row in 0..count {
            let place = &around[row % places * dim..(row % places + 1) * dim];
            let mut numbers: Vec<f32> = place.iter().map(|x| x + 0.5 * random()).collect();
            to_length_one(&mut numbers);
            all.extend(numbers);
        }
        all
    }

    #[test]
    fn one_row_and_every_row_find_the_same() {
        let values = rows(300, 12, 9);
        let graph = neighbor_graph(&values, 12, 5, &Task::new()).unwrap();
        for at in [0, 17, 299] {
            let one: Vec<u32> = neighbors_of(&values, 12, at, 5).iter().map(|hit| hit.position).collect();
            let all: Vec<u32> = graph[at].iter().map(|hit| hit.position).collect();
            assert_eq!(one, all);
        }
        assert!(neighbors_of(&values, 12, 300, 5).is_empty());
        assert!(neighbor_graph(&[], 12, 5, &Task::new()).unwrap().is_empty());
    }

    #[test]
    fn cells_find_nearly_all() {
        let values = rows(2000, 16, 40);
        let exact = neighbor_graph(&values, 16, 8, &Task::new()).unwrap();
        let fast = graph_by_cells(&values, 16, 8, &Task::new()).unwrap();
        let hits = exact.iter().zip(&fast).map(|(exact, fast)| {
            exact.iter().filter(|hit| fast.iter().any(|other| other.position == hit.position)).count()
        });
        let found: usize = hits.sum();
        assert!(found * 100 >= 2000 * 8 * 97, "{found} of {}", 2000 * 8);
        let same = vec![1.0; 50 * 4];
        assert!(graph_by_cells(&same, 4, 3, &Task::new()).unwrap().iter().all(|hits| hits.len() == 3));
    }
}
