//! How does a picture's class follow from its numbers? K-fold ridge regression on one-hot labels.
//!
//! For each fold the others teach: with X the standardised numbers of n samples, m their mean, T the one-hot labels
//! with mean t, `W = (XᵀX − n·m·mᵀ + ρI)⁻¹ (XᵀT − n·m·tᵀ)` and the scores of a sample x are `(x − m)W + t`.
//! `ρ = λ · trace / d`, and λ is the one whose out-of-fold scores, at the best temperature,
//! explain the given labels best (least negative log likelihood).
//!
//! With fewer samples than numbers the same W comes cheaper from the n × n products of samples with each other:
//! `W = Xᵀα`, `α = (K + ρI)⁻¹ (T − t)` with K those products after centring.
//!
//! Products of single-precision blocks are added up in double precision, in a fixed order: threads share tiles of the
//! result, never one sum.

use std::ops::Range;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt;
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Spec};
use rayon::prelude::*;

use super::folds::FOLDS;
use super::lesson::Lesson;
use super::matrix::{Linear, Matrix, apply};
use super::pool;
use crate::task::{Cancelled, Task};

/// Penalties, tried in this order until two in a row explain the labels worse than the best.
const LAMBDAS: [f64; 11] = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 3e-4];
/// Samples of one single-precision product.
const BLOCK: usize = 4096;
/// Columns of one tile of a matrix of products.
const TILE: usize = 256;

/// For every row one score a class, from a model that the row did not teach.
pub(super) fn ridge(lesson: &Lesson, features: &Matrix, task: &Task) -> Result<Matrix, Cancelled> {
    task.begin("Learning what the classes look like", LAMBDAS.len() * FOLDS);
    let by_samples = lesson.labels.len() < features.width;
    let system = System::new(lesson, features, by_samples, task)?;
    let mut best: Option<(f64, f64, Vec<Linear>)> = None;
    let mut rises = 0;
    for lambda in LAMBDAS {
        let models = (0..FOLDS)
            .into_par_iter()
            .map(|fold| {
                let model = system.solve(lesson, features, Some(fold), lambda, task)?;
                task.advance(1);
                Ok(model)
            })
            .collect::<Result<Vec<Linear>, Cancelled>>()?;
        let scores = apply(features, &lesson.taught_runs(&models), lesson.classes, task)?;
        let nll = pool::fit(&[&scores], &lesson.labels, &lesson.fit_rows, 0.0).nll;
        if best.as_ref().is_none_or(|(least, ..)| nll < *least) {
            best = Some((nll, lambda, models));
            rises = 0;
        } else {
            rises += 1;
            if rises == 2 {
                break;
            }
        }
    }
    let (_, lambda, mut models) = best.unwrap_or_default();
    models.push(if lesson.judged[FOLDS].is_empty() {
        Linear::default()
    } else {
        system.solve(lesson, features, None, lambda, task)?
    });
    let mut runs = lesson.taught_runs(&models);
    runs.extend(lesson.judged.iter().cloned().zip(&models));
    apply(features, &runs, lesson.classes, task)
}

/// Sums over each fold, from which any choice of folds makes an equation.
struct System {
    /// By fold, sums of the numbers.
    sums: Vec<Vec<f64>>,
    /// By fold, samples of each class.
    counts: Vec<Vec<f64>>,
    products: Products,
}

enum Products {
    /// More samples than numbers: by fold `XᵀX` in tiles, and `XᵀT` column-major.
    Numbers { grams: Vec<Vec<Tile>>, targets: Vec<Vec<f64>> },
    /// Fewer: `X·Xᵀ` of all teaching rows, column-major.
    Samples(Vec<f64>),
}

/// Columns `start..` of the lower half of a symmetric matrix: rows from `start` down, column-major.
struct Tile {
    start: usize,
    values: Vec<f64>,
}

impl System {
    fn new(lesson: &Lesson, features: &Matrix, by_samples: bool, task: &Task) -> Result<Self, Cancelled> {
        let Lesson { labels, classes, folds, .. } = lesson;
        let width = features.width;
        let by_fold: Vec<(Vec<f64>, Vec<f64>)> = folds
            .par_iter()
            .map(|rows| {
                let mut targets = vec![0.0_f64; width * classes];
                let mut counts = vec![0.0; *classes];
                for row in rows.clone() {
                    let class = labels[row] as usize;
                    counts[class] += 1.0;
                    let column = &mut targets[class * width..(class + 1) * width];
                    column.iter_mut().zip(features.row(row)).for_each(|(sum, &x)| *sum += f64::from(x));
                }
                (targets, counts)
            })
            .collect();
        let (targets, counts): (Vec<_>, Vec<_>) = by_fold.into_iter().unzip();
        let sums = targets
            .iter()
            .map(|targets: &Vec<f64>| {
                let mut sums = vec![0.0; width];
                for column in targets.chunks_exact(width.max(1)) {
                    sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += x);
                }
                sums
            })
            .collect();
        let products = if by_samples {
            Products::Samples(sample_products(features, labels.len(), task)?)
        } else {
            Products::Numbers { grams: grams(features, folds, task)?, targets }
        };
        Ok(Self { sums, counts, products })
    }

    /// The model that all folds but one teach.
    fn solve(
        &self,
        lesson: &Lesson,
        features: &Matrix,
        left_out: Option<usize>,
        lambda: f64,
        task: &Task,
    ) -> Result<Linear, Cancelled> {
        task.check()?;
        let classes = lesson.classes;
        let teachers = || (0..FOLDS).filter(|fold| Some(*fold) != left_out);
        let total = |parts: &[Vec<f64>]| {
            let mut sum = vec![0.0; parts[0].len()];
            for fold in teachers() {
                sum.iter_mut().zip(&parts[fold]).for_each(|(sum, part)| *sum += part);
            }
            sum
        };
        let counts = total(&self.counts);
        let count: f64 = counts.iter().sum();
        if count == 0.0 {
            // Everybody else is a copy of those to be judged: nothing is known of any class.
            let even = 1.0 / classes as f32;
            return Ok(Linear { weights: vec![0.0; features.width * classes], offsets: vec![even; classes] });
        }
        let mut mean = total(&self.sums);
        for sum in &mut mean {
            *sum /= count;
        }
        let weights = match &self.products {
            Products::Numbers { grams, targets } => {
                let mut right = total(targets);
                for (column, class_count) in right.chunks_exact_mut(features.width).zip(&counts) {
                    column.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean * class_count);
                }
                let mut left = vec![0.0; features.width * features.width];
                for fold in teachers() {
                    add_tiles(&mut left, features.width, &grams[fold]);
                }
                for (column, mean_of_column) in left.chunks_exact_mut(features.width).zip(&mean) {
                    column.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= count * mean * mean_of_column);
                }
                solve_penalised(&mut left, features.width, lambda, features.width, &mut right);
                right.iter().map(|&x| x as f32).collect()
            }
            Products::Samples(kernel) => {
                dual_weights(lesson, features, kernel, left_out, lambda, &counts, count)
            }
        };
        let offsets = weights
            .chunks_exact(features.width)
            .zip(&counts)
            .map(|(column, class_count)| {
                let at_mean: f64 = column.iter().zip(&mean).map(|(&w, m)| f64::from(w) * m).sum();
                (class_count / count - at_mean) as f32
            })
            .collect();
        Ok(Linear { weights, offsets })
    }
}

/// `XᵀX` of each fold, the lower half in tiles.
fn grams(features: &Matrix, folds: &[Range<usize>; FOLDS], task: &Task) -> Result<Vec<Vec<Tile>>, Cancelled> {
    let width = features.width;
    let starts: Vec<usize> = (0..width).step_by(TILE).collect();
    let jobs: Vec<(usize, usize)> =
        (0..FOLDS).flat_map(|fold| starts.iter().map(move |&start| (fold, start))).collect();
    let mut tiles = jobs
        .into_par_iter()
        .map(|(fold, start)| {
            let (height, columns) = (width - start, TILE.min(width - start));
            let mut values = vec![0.0_f64; height * columns];
            let mut part = vec![0.0_f32; height * columns];
            let mut from = folds[fold].start;
            while from < folds[fold].end {
                task.check()?;
                let to = (from + BLOCK).min(folds[fold].end);
                let block = features.view(from..to);
                matmul(
                    MatMut::from_column_major_slice_mut(&mut part, height, columns),
                    Accum::Replace,
                    block.get(.., start..).transpose(),
                    block.get(.., start..start + columns),
                    1.0,
                    Par::Seq,
                );
                values.iter_mut().zip(&part).for_each(|(sum, &x)| *sum += f64::from(x));
                from = to;
            }
            Ok(Tile { start, values })
        })
        .collect::<Result<Vec<Tile>, Cancelled>>()?;
    let mut by_fold = Vec::with_capacity(FOLDS);
    for _ in 0..FOLDS {
        let rest = tiles.split_off(starts.len());
        by_fold.push(std::mem::replace(&mut tiles, rest));
    }
    Ok(by_fold)
}

/// Adds tiles to the lower half of a column-major square.
fn add_tiles(square: &mut [f64], width: usize, tiles: &[Tile]) {
    for tile in tiles {
        for (at, column) in tile.values.chunks_exact(width - tile.start).enumerate() {
            let top = (tile.start + at) * width + tile.start;
            square[top..top + column.len()].iter_mut().zip(column).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// `X·Xᵀ` of the first `rows` rows.
fn sample_products(features: &Matrix, rows: usize, task: &Task) -> Result<Vec<f64>, Cancelled> {
    let mut kernel = vec![0.0_f64; rows * rows];
    kernel.par_chunks_mut((rows * TILE).max(1)).enumerate().try_for_each(|(tile, out)| {
        task.check()?;
        let columns = out.len() / rows;
        let mut part = vec![0.0_f32; out.len()];
        matmul(
            MatMut::from_column_major_slice_mut(&mut part, rows, columns),
            Accum::Replace,
            features.view(0..rows),
            features.view(tile * TILE..tile * TILE + columns).transpose(),
            1.0,
            Par::Seq,
        );
        out.iter_mut().zip(&part).for_each(|(to, &x)| *to = f64::from(x));
        Ok(())
    })?;
    Ok(kernel)
}

/// `W = Xᵀα` from the products of samples with each other.
fn dual_weights(
    lesson: &Lesson,
    features: &Matrix,
    kernel: &[f64],
    left_out: Option<usize>,
    lambda: f64,
    counts: &[f64],
    count: f64,
) -> Vec<f32> {
    let Lesson { labels, classes, .. } = lesson;
    let all = labels.len();
    let ranges = lesson.teachers(left_out);
    let rows: Vec<usize> = ranges.iter().cloned().flatten().collect();
    let size = rows.len();
    let mut left = vec![0.0; size * size];
    for (column, &row) in left.chunks_exact_mut(size).zip(&rows) {
        let whole = &kernel[row * all..(row + 1) * all];
        let (before, after) = column.split_at_mut(ranges[0].len());
        before.copy_from_slice(&whole[ranges[0].clone()]);
        after.copy_from_slice(&whole[ranges[1].clone()]);
    }
    let means: Vec<f64> = left.chunks_exact(size).map(|column| column.iter().sum::<f64>() / count).collect();
    let mean = means.iter().sum::<f64>() / count;
    for (column, mean_of_column) in left.chunks_exact_mut(size).zip(&means) {
        column.iter_mut().zip(&means).for_each(|(x, mean_of_row)| *x += mean - mean_of_row - mean_of_column);
    }
    let mut right = vec![0.0; size * classes];
    for (class, column) in right.chunks_exact_mut(size).enumerate() {
        let share = counts[class] / count;
        for (target, &row) in column.iter_mut().zip(&rows) {
            *target = f64::from(u8::from(labels[row] as usize == class)) - share;
        }
    }
    solve_penalised(&mut left, size, lambda, features.width, &mut right);
    let alpha: Vec<f32> = right.iter().map(|&x| x as f32).collect();
    let alpha = MatRef::from_column_major_slice(&alpha, size, *classes);
    let mut weights = vec![0.0_f32; features.width * classes];
    let mut first = 0;
    for range in ranges {
        let part = alpha.get(first..first + range.len(), ..);
        first += range.len();
        let out = MatMut::from_column_major_slice_mut(&mut weights, features.width, *classes);
        matmul(out, Accum::Add, features.view(range).transpose(), part, 1.0, Par::Seq);
    }
    weights
}

/// Solves `(A + ρI) Z = B` in place of B, with ρ = λ · trace(A) / `width`; of A the lower half is read, and overwritten.
/// Should rounding leave A + ρI not positive definite, Z is 0: the model then knows only how frequent classes are.
fn solve_penalised(left: &mut [f64], size: usize, lambda: f64, width: usize, right: &mut [f64]) {
    let trace: f64 = (0..size).map(|at| left[at * size + at]).sum();
    let penalty = lambda * (trace / width as f64).max(1e-9);
    (0..size).for_each(|at| left[at * size + at] += penalty);
    let mut matrix = MatMut::from_column_major_slice_mut(left, size, size);
    let columns = right.len() / size;
    let scratch = llt::factor::cholesky_in_place_scratch::<f64>(size, Par::Seq, Spec::default());
    let mut memory = MemBuffer::new(scratch);
    let factor = llt::factor::cholesky_in_place(
        matrix.as_mut(),
        LltRegularization::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Spec::default(),
    );
    if factor.is_err() {
        right.fill(0.0);
        return;
    }
    llt::solve::solve_in_place(
        matrix.as_ref(),
        MatMut::from_column_major_slice_mut(right, size, columns),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(StackReq::EMPTY)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    const CLASSES: usize = 3;

    /// Standardised noise that leans towards its class, 400 rows that teach and 50 that do not.
    fn noise(width: usize) -> (Matrix, Vec<u32>) {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let labels: Vec<u32> = (0..450).map(|row| row % CLASSES as u32).collect();
        let mut features = Matrix::zeros(450, width);
        for (row, out) in features.values.chunks_exact_mut(width).enumerate() {
            for (at, value) in out.iter_mut().enumerate() {
                let lean = if at % CLASSES == labels[row] as usize { 0.3 } else { 0.0 };
                *value = lean + rng.next_u32() as f32 / u32::MAX as f32;
            }
        }
        features.standardise(400);
        (features, labels)
    }

    fn lesson(labels: &[u32]) -> Lesson {
        let folds = std::array::from_fn(|fold| fold * 80..(fold + 1) * 80);
        let judged =
            std::array::from_fn(|model| 400 + 5 * model..405 + 5 * model + 20 * usize::from(model == FOLDS));
        Lesson {
            order: (0..450).collect(),
            labels: labels.to_vec(),
            classes: CLASSES,
            groups: (0..450).collect(),
            folds,
            judged,
            fit_rows: (0..400).collect(),
            seed: 0,
        }
    }

    #[test]
    fn both_ways_solve_the_equation() {
        let (features, labels) = noise(300);
        let lesson = lesson(&labels[..400]);
        let task = Task::new();
        for left_out in [None, Some(0), Some(2), Some(4)] {
            let [numbers, samples] = [false, true].map(|by_samples| {
                let system = System::new(&lesson, &features, by_samples, &task).unwrap();
                system.solve(&lesson, &features, left_out, 0.1, &task).unwrap()
            });
            for (a, b) in numbers.weights.iter().zip(&samples.weights) {
                assert!((a - b).abs() < 2e-5, "{left_out:?}: {a} {b}");
            }
            // Where the penalised squared error is least its slope is zero:
            // the residuals times the numbers equal the penalty times the weights.
            let rows: Vec<usize> = lesson.teachers(left_out).into_iter().flatten().collect();
            let mean: Vec<f64> = (0..300)
                .map(|at| {
                    rows.iter().map(|&r| f64::from(features.row(r)[at])).sum::<f64>() / rows.len() as f64
                })
                .collect();
            let centred = |row: usize, at: usize| f64::from(features.row(row)[at]) - mean[at];
            let squares = rows.iter().flat_map(|&r| (0..300).map(move |at| (r, at)));
            let penalty = 0.1 * squares.map(|(r, at)| centred(r, at).powi(2)).sum::<f64>() / 300.0;
            for class in 0..CLASSES {
                let weights = &numbers.weights[class * 300..(class + 1) * 300];
                let residuals: Vec<f64> = rows
                    .iter()
                    .map(|&row| {
                        let dot: f32 = features.row(row).iter().zip(weights).map(|(x, w)| x * w).sum();
                        f64::from(u8::from(labels[row] as usize == class))
                            - f64::from(dot + numbers.offsets[class])
                    })
                    .collect();
                assert!(residuals.iter().sum::<f64>().abs() < 1e-2);
                for at in [0, 123, 299] {
                    let slope: f64 = rows.iter().zip(&residuals).map(|(&row, r)| r * centred(row, at)).sum();
                    assert!(
                        (slope - penalty * f64::from(weights[at])).abs() < 1e-2,
                        "{slope} {}",
                        weights[at]
                    );
                }
            }
        }
    }

    #[test]
    fn every_row_is_judged_by_a_model_that_it_did_not_teach() {
        for width in [60, 600] {
            let (features, labels) = noise(width);
            let lesson = lesson(&labels[..400]);
            let scores = ridge(&lesson, &features, &Task::new()).unwrap();
            assert_eq!((scores.rows(), scores.width), (450, CLASSES));
            let right = |rows: Range<usize>| {
                let hits = rows
                    .clone()
                    .filter(|&row| super::super::confident::most_probable(scores.row(row)) == labels[row]);
                hits.count() as f64 / rows.len() as f64
            };
            assert!(right(0..400) > 0.8 && right(400..450) > 0.8, "{} {}", right(0..400), right(400..450));
            // Labels without any relation to the numbers cannot be told out of fold; a model that had seen them would.
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            let random: Vec<u32> = (0..400).map(|_| rng.next_u32() % CLASSES as u32).collect();
            let lesson = Lesson { labels: random.clone(), ..lesson };
            let scores = ridge(&lesson, &features, &Task::new()).unwrap();
            let told = (0..400)
                .filter(|&row| super::super::confident::most_probable(scores.row(row)) == random[row]);
            assert!(told.count() < 180);
        }
    }
}
