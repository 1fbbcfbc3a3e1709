//! Which samples are most alike? Exact cosine neighbours by blocked matrix products.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::task::{Cancelled, Task};

/// Rows of one matrix product; 128 × 4096 similarities are 2 MB, which stays in a core's cache.
const QUERY_BLOCK: usize = 128;
const REFERENCE_BLOCK: usize = 4096;

/// The nearest reference rows of each query row.
#[derive(Debug, Clone, Default)]
pub struct Nearest {
    /// Neighbours a query: as many as asked for, or as the query with the fewest candidates has.
    pub k: usize,
    /// `queries × k` positions in the reference, nearest first; ties by position.
    pub positions: Vec<u32>,
    /// `queries × k` cosine similarities.
    pub similarities: Vec<f32>,
}

/// One neighbour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its position in the reference.
    pub position: u32,
    /// Cosine similarity.
    pub similarity: f32,
}

/// The `k` nearest rows of `reference` (row-major, `dim` numbers a row, each row of length one) for each of `queries`.
/// `exclude(query)` gives a reference position that may not be a neighbour: the query itself.
pub fn nearest(
    queries: &[f32],
    reference: &[f32],
    dim: usize,
    k: usize,
    exclude: &(dyn Fn(usize) -> Option<usize> + Sync),
    task: &Task,
) -> Result<Nearest, Cancelled> {
    let allowed = |query: usize, position: usize| exclude(query) != Some(position);
    let hits = nearest_allowed(queries, reference, dim, k, &allowed, task)?;
    let k = hits.iter().map(Vec::len).min().unwrap_or(0);
    let first = || hits.iter().flat_map(|hits| &hits[..k]);
    Ok(Nearest {
        k,
        positions: first().map(|hit| hit.position).collect(),
        similarities: first().map(|hit| hit.similarity).collect(),
    })
}

/// As [`nearest`], with any rule for who may be whose neighbour: `allowed(query, position)`.
/// One list a query, nearest first, ties by position; shorter than `k` where the rule leaves fewer.
/// The rule is asked only about candidates that would enter the list.
pub fn nearest_allowed(
    queries: &[f32],
    reference: &[f32],
    dim: usize,
    k: usize,
    allowed: &(dyn Fn(usize, usize) -> bool + Sync),
    task: &Task,
) -> Result<Vec<Vec<Hit>>, Cancelled> {
    let count = queries.len().checked_div(dim).unwrap_or(0);
    task.begin("Finding similar pictures", count);
    if k == 0 {
        return Ok(vec![Vec::new(); count]);
    }
    let blocks: Vec<Vec<Vec<Hit>>> = queries[..count * dim]
        .par_chunks((QUERY_BLOCK * dim).max(1))
        .enumerate()
        .map(|(block, queries)| {
            let hits = search_block(block * QUERY_BLOCK, queries, reference, dim, k, allowed, task)?;
            task.advance(hits.len());
            Ok(hits)
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(blocks.into_iter().flatten().collect())
}

fn search_block(
    first_query: usize,
    queries: &[f32],
    reference: &[f32],
    dim: usize,
    k: usize,
    allowed: &(dyn Fn(usize, usize) -> bool + Sync),
    task: &Task,
) -> Result<Vec<Vec<Hit>>, Cancelled> {
    let count = queries.len() / dim;
    let query_rows = MatRef::from_row_major_slice(queries, count, dim);
    let mut lists: Vec<Vec<Hit>> = vec![Vec::with_capacity(k.min(reference.len() / dim) + 1); count];
    let mut products = vec![0.0_f32; count * REFERENCE_BLOCK];
    for (block, rows) in reference.chunks(REFERENCE_BLOCK * dim).enumerate() {
        task.check()?;
        let width = rows.len() / dim;
        let products = &mut products[..count * width];
        matmul(
            MatMut::from_row_major_slice_mut(products, count, width),
            Accum::Replace,
            query_rows,
            MatRef::from_row_major_slice(&rows[..width * dim], width, dim).transpose(),
            1.0,
            Par::Seq,
        );
        for (query, (list, similarities)) in lists.iter_mut().zip(products.chunks_exact(width)).enumerate() {
            let mut floor = if list.len() == k { list[k - 1].similarity } else { f32::NEG_INFINITY };
            for (at, &similarity) in similarities.iter().enumerate() {
                // Not larger: a later position does not displace an equal one, and NaN never enters.
                let position = block * REFERENCE_BLOCK + at;
                if similarity > floor && allowed(first_query + query, position) {
                    let place = list.partition_point(|hit| hit.similarity >= similarity);
                    list.insert(place, Hit { position: position as u32, similarity });
                    list.truncate(k);
                    if list.len() == k {
                        floor = list[k - 1].similarity;
                    }
                }
            }
        }
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Unit rows of seeded noise; every seventh repeats the row before, to have ties.
    fn rows(count: usize, dim: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut all: Vec<f32> = Vec::new();
        for row in 0..count {
            if row % 7 == 6 {
                all.extend_from_within((row - 1) * dim..row * dim);
                continue;
            }
            let raw: Vec<f32> = (0..dim).map(|_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5).collect();
            let length = raw.iter().map(|v| v * v).sum::<f32>().sqrt();
            all.extend(raw.iter().map(|v| v / length));
        }
        all
    }

    fn naive(queries: &[f32], reference: &[f32], dim: usize, k: usize, own: bool) -> Vec<Vec<u32>> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
        queries
            .chunks(dim)
            .enumerate()
            .map(|(at, query)| {
                let mut all: Vec<(f64, u32)> = reference
                    .chunks(dim)
                    .enumerate()
                    .filter(|(position, _)| !own || *position != at)
                    .map(|(position, row)| ((dot(query, row) * 1e5).round(), position as u32))
                    .collect();
                all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                all.truncate(k);
                all.into_iter().map(|(_, position)| position).collect()
            })
            .collect()
    }

    #[test]
    fn agrees_with_comparing_every_pair() {
        let reference = rows(5000, 24, 1);
        let found = nearest(&reference[..300 * 24], &reference, 24, 5, &Some, &Task::new()).unwrap();
        let expected = naive(&reference[..300 * 24], &reference, 24, 5, true);
        assert_eq!(found.k, 5);
        let differing = expected.iter().zip(found.positions.chunks(5)).filter(|(a, b)| a != b).count();
        // The naive figure is rounded to see ties; two neighbours closer than that may swap.
        assert!(differing <= 3, "{differing} of 300 differ");
        assert_eq!(found.positions[5 * 6], 5, "row 6 repeats row 5");
        assert!((found.similarities[5 * 6] - 1.0).abs() < 1e-5);
    }

    #[test]
    fn ties_go_to_the_lower_position() {
        let reference = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
        let found = nearest(&[1.0, 0.0], &reference, 2, 2, &|_| None, &Task::new()).unwrap();
        assert_eq!(found.positions, [0, 2]);
        let found = nearest(&[1.0, 0.0], &reference, 2, 9, &|_| Some(2), &Task::new()).unwrap();
        assert_eq!((found.k, found.positions), (3, vec![0, 3, 1]));
    }

    #[test]
    fn nothing_to_search_gives_nothing() {
        let task = Task::new();
        assert_eq!(nearest(&[], &[], 2, 3, &|_| None, &task).unwrap().k, 0);
        assert_eq!(nearest(&[1.0, 0.0], &[], 2, 3, &|_| None, &task).unwrap().k, 0);
        assert_eq!(nearest(&[], &[], 0, 3, &|_| None, &task).unwrap().positions, Vec::<u32>::new());
        let nan = [f32::NAN, f32::NAN, 1.0, 0.0];
        assert_eq!(nearest(&[1.0, 0.0], &nan, 2, 2, &|_| None, &task).unwrap().positions, [1]);
    }

    #[test]
    fn the_rule_decides_and_lists_may_be_short() {
        let reference = rows(40, 8, 2);
        let hits =
            nearest_allowed(&reference, &reference, 8, 30, &|q, p| q / 10 == p / 10 && q != p, &Task::new())
                .unwrap();
        assert_eq!(hits.len(), 40);
        for (query, list) in hits.iter().enumerate() {
            assert_eq!(list.len(), 9);
            assert!(list.iter().all(|hit| hit.position as usize / 10 == query / 10));
            assert!(list.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity));
        }
    }

    #[test]
    fn a_cancelled_search_stops() {
        let task = Task::new();
        task.cancel();
        let reference = rows(300, 8, 3);
        assert!(nearest(&reference, &reference, 8, 3, &|_| None, &task).is_err());
    }

    #[test]
    fn threads_do_not_matter() {
        let reference = rows(1000, 24, 4);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| nearest(&reference, &reference, 24, 7, &Some, &Task::new()).unwrap());
            (found.positions, found.similarities.iter().map(|s| s.to_bits()).collect::<Vec<_>>())
        };
        assert_eq!(on(1), on(3));
    }
}
