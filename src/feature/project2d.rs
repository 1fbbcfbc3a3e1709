//! Where on a map is each sample, so that what is alike lies together? A layout of the neighbour graph in the plane.
//!
//! As UMAP (`McInnes` et al., 2018): the 15 nearest of each row with weights that fall from 1 at the nearest, made
//! symmetric; from the two directions that vary most on, ends of edges attract each other in proportion to their
//! weight, and each pushes five random others away. Forces are those of the curve `1 / (1 + d²)`. One fixed order and a
//! seeded generator: the same rows give the same map.

use faer::{Mat, MatRef, Side};

use super::graph::neighbor_graph;
use super::neighbors::Hit;
use crate::task::{Cancelled, Task};

/// Neighbours of each row.
const NEIGHBORS: usize = 15;
/// Others that are pushed away for each attraction.
const PUSHED: usize = 5;
/// Rounds in which the heaviest edge pulls each time: many for few rows.
const ROUNDS: usize = 400;
const ROUNDS_OF_MANY: usize = 150;
const MANY: usize = 20_000;
/// No force moves further at once.
const MOST_FORCE: f32 = 4.0;
/// Half the extent of the map at the start.
const EXTENT: f32 = 10.0;
/// Rounds after which the state is shown.
const SHOWN_EVERY: usize = 10;

/// A place for each row of `dim` numbers of length one (see [`directions`](super::directions)).
/// `on_progress` sees the map as it unfolds, from the two principal directions on. Deterministic.
pub fn project2d(
    values: &[f32],
    dim: usize,
    seed: u64,
    task: &Task,
    on_progress: &mut dyn FnMut(&[[f32; 2]]),
) -> Result<Vec<[f32; 2]>, Cancelled> {
    let mut places = principal_plane(values, dim, seed);
    on_progress(&places);
    if places.len() < 3 {
        return Ok(places);
    }
    let graph = neighbor_graph(values, dim, NEIGHBORS, task)?;
    let edges = edges(&graph);
    drop(graph);
    let rounds = if places.len() > MANY { ROUNDS_OF_MANY } else { ROUNDS };
    task.begin("Drawing the map", rounds);
    let mut due: Vec<f32> = edges.iter().map(|edge| 1.0 / edge.weight).collect();
    let mut random = Random(seed ^ 0x9E37_79B9_7F4A_7C15);
    for round in 0..rounds {
        task.check()?;
        let step = 1.0 - round as f32 / rounds as f32;
        let now = (round + 1) as f32;
        for (edge, due) in edges.iter().zip(&mut due) {
            if *due > now {
                continue;
            }
            *due += 1.0 / edge.weight;
            let (from, to) = (edge.from as usize, edge.to as usize);
            let (delta, square) = difference(places[from], places[to]);
            let pull = -2.0 / (1.0 + square);
            let moved = delta.map(|d| step * (pull * d).clamp(-MOST_FORCE, MOST_FORCE));
            for axis in 0..2 {
                places[from][axis] += moved[axis];
                places[to][axis] -= moved[axis];
            }
            for _ in 0..PUSHED {
                let other = random.below(places.len());
                if other == from {
                    continue;
                }
                let (delta, square) = difference(places[from], places[other]);
                let push = 2.0 / ((0.001 + square) * (1.0 + square));
                for axis in 0..2 {
                    places[from][axis] += step * (push * delta[axis]).clamp(-MOST_FORCE, MOST_FORCE);
                }
            }
        }
        task.advance(1);
        if round % SHOWN_EVERY == SHOWN_EVERY - 1 {
            on_progress(&places);
        }
    }
    Ok(places)
}

fn difference(a: [f32; 2], b: [f32; 2]) -> ([f32; 2], f32) {
    let delta = [a[0] - b[0], a[1] - b[1]];
    (delta, delta[0] * delta[0] + delta[1] * delta[1])
}

/// `SplitMix64`: one number per call, and no state to speak of.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

struct Edge {
    from: u32,
    to: u32,
    /// In (0, 1].
    weight: f32,
}

/// The weights of the graph, made symmetric: `a + b − a b`. Edges too light to pull in any round are left out.
fn edges(graph: &[Vec<Hit>]) -> Vec<Edge> {
    let mut directed: Vec<(u32, u32, f32)> = Vec::new();
    for (row, hits) in graph.iter().enumerate() {
        let distances: Vec<f32> = hits.iter().map(|hit| (1.0 - hit.similarity).max(0.0)).collect();
        let weights = weights(&distances);
        let row = row as u32;
        directed.extend(hits.iter().zip(weights).map(|(hit, weight)| {
            let (a, b) = (row.min(hit.position), row.max(hit.position));
            (a, b, weight)
        }));
    }
    directed.sort_unstable_by_key(|(a, b, _)| (*a, *b));
    let joined = directed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(|both| {
        let rest: f32 = both.iter().map(|(_, _, weight)| 1.0 - weight).product();
        Edge { from: both[0].0, to: both[0].1, weight: (1.0 - rest).min(1.0) }
    });
    // Each edge pulls from either end in turn: what is pushed away is pushed from both.
    joined
        .filter(|edge| edge.weight * ROUNDS as f32 >= 1.0)
        .flat_map(|edge| {
            let Edge { from, to, weight } = edge;
            [Edge { from, to, weight }, Edge { from: to, to: from, weight }]
        })
        .collect()
}

/// `exp(−(d − nearest) / σ)` with σ such that they add up to the logarithm of how many they are.
fn weights(distances: &[f32]) -> Vec<f32> {
    let Some(&nearest) = distances.first() else { return Vec::new() };
    let target = (distances.len() as f32).log2();
    let sum = |sigma: f32| distances.iter().map(|d| (-(d - nearest) / sigma).exp()).sum::<f32>();
    let (mut low, mut high) = (1e-6_f32, 1e3_f32);
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if sum(middle) > target { high = middle } else { low = middle }
    }
    let sigma = (low * high).sqrt();
    distances.iter().map(|d| (-(d - nearest) / sigma).exp()).collect()
}

/// Coordinates in the two directions that vary most, within [`EXTENT`]; equal rows are a hair apart.
fn principal_plane(values: &[f32], dim: usize, seed: u64) -> Vec<[f32; 2]> {
    let count = values.len().checked_div(dim).unwrap_or(0);
    let mut sums = vec![0.0_f64; dim * dim];
    let mut mean = vec![0.0_f64; dim];
    // Evenly spread rows are enough to find two directions.
    let step = count.div_ceil(20_000).max(1);
    let rows = || values.chunks_exact(dim.max(1)).step_by(step);
    let used = rows().count().max(1) as f64;
    for row in rows() {
        for (at, &a) in row.iter().enumerate() {
            mean[at] += f64::from(a) / used;
            for (sum, &b) in sums[at * dim..=at * dim + at].iter_mut().zip(row) {
                *sum += f64::from(a) * f64::from(b) / used;
            }
        }
    }
    let covariance = Mat::from_fn(dim, dim, |i, j| {
        let (low, high) = (i.min(j), i.max(j));
        sums[high * dim + low] - mean[i] * mean[j]
    });
    let axes = two_axes(covariance.as_ref(), dim);
    let mut random = Random(seed);
    let mut places: Vec<[f32; 2]> = values
        .chunks_exact(dim.max(1))
        .map(|row| {
            axes.each_ref().map(|axis| {
                let place: f32 = axis.iter().zip(row).map(|(a, x)| a * x).sum();
                place + 1e-4 * ((random.next() >> 40) as f32 / (1 << 24) as f32 - 0.5)
            })
        })
        .collect();
    for axis in 0..2 {
        let middle = places.iter().map(|place| place[axis]).sum::<f32>() / count.max(1) as f32;
        for place in &mut places {
            place[axis] -= middle;
        }
    }
    let widest = places.iter().flatten().fold(1e-6_f32, |most, x| most.max(x.abs()));
    for place in &mut places {
        *place = place.map(|x| x * EXTENT / widest);
    }
    places
}

/// The eigenvectors of the two largest eigenvalues; the largest component of each is positive.
fn two_axes(covariance: MatRef<'_, f64>, dim: usize) -> [Vec<f32>; 2] {
    let none = || [vec![0.0; dim], vec![0.0; dim]];
    if dim < 2 {
        return none();
    }
    let Ok(decomposed) = covariance.self_adjoint_eigen(Side::Lower) else { return none() };
    let axis = |column: usize| {
        let vector: Vec<f64> = (0..dim).map(|row| decomposed.U()[(row, column)]).collect();
        let largest =
            vector.iter().copied().fold(0.0_f64, |most, x| if x.abs() > most.abs() { x } else { most });
        vector.iter().map(|x| (x * largest.signum()) as f32).collect()
    };
    [axis(dim - 1), axis(dim - 2)]
}

#[cfg(test)]
mod tests {
    use super::super::principal::to_length_one;
    use super::*;

    /// Three heaps of unit rows.
    fn heaps(each: usize, dim: usize) -> Vec<f32> {
        let mut random = Random(3);
        let mut all = Vec::new();
        for at in 0..3 * each {
            let mut row: Vec<f32> = (0..dim)
                .map(|axis| {
                    let noise = (random.next() >> 40) as f32 / (1 << 24) as f32 - 0.5;
                    noise + if axis == at % 3 { 3.0 } else { 0.0 }
                })
                .collect();
            to_length_one(&mut row);
            all.extend(row);
        }
        all
    }

    #[test]
    fn heaps_stay_apart_and_the_map_is_the_same_each_time() {
        let values = heaps(40, 10);
        let mut shown = 0;
        let map = project2d(&values, 10, 1, &Task::new(), &mut |_| shown += 1).unwrap();
        assert!(shown > 10);
        let again = project2d(&values, 10, 1, &Task::new(), &mut |_| ()).unwrap();
        assert_eq!(map, again);
        let nearest = |at: usize| {
            let others = (0..map.len()).filter(|other| *other != at);
            others.min_by(|a, b| difference(map[at], map[*a]).1.total_cmp(&difference(map[at], map[*b]).1))
        };
        let right = (0..map.len()).filter(|&at| nearest(at).is_some_and(|near| near % 3 == at % 3)).count();
        assert!(right >= 118, "{right} of 120");
    }

    #[test]
    fn hostile_rows_give_finite_places() {
        for values in [vec![], vec![1.0; 4], vec![0.0; 4 * 50], vec![0.5; 4 * 50]] {
            let map = project2d(&values, 4, 0, &Task::new(), &mut |_| ()).unwrap();
            assert_eq!(map.len(), values.len() / 4);
            assert!(map.iter().flatten().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn cancelling_stops_it() {
        let task = Task::new();
        task.cancel();
        assert!(project2d(&heaps(10, 4), 4, 0, &task, &mut |_| ()).is_err());
    }
}
