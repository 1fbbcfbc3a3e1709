//! How much is each expert's word worth? One weight an expert, fitted to the given labels.
//!
//! Probabilities are `softmax(Σ wₑ·sₑ)` of the experts' scores sₑ; the weights `wₑ = exp(uₑ)` minimise the mean negative
//! log likelihood of the given labels plus `penalty · ‖u‖²`, |u| ≤ 6. With one expert the weight is an inverse temperature.

use rayon::prelude::*;

use super::matrix::Matrix;

/// Rows of one partial sum: fixed, so that no sum depends on the number of threads.
const BLOCK: usize = 1024;
const LIMIT: f64 = 6.0;
const MAX_STEPS: usize = 60;

/// Weights that explain the labels best.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// One an expert.
    pub weights: Vec<f64>,
    /// Mean negative log likelihood, natural logarithm, without the penalty.
    pub nll: f64,
}

/// Fits the weights on `rows`, each with the class that `labels` gives it.
///
/// Newton's method with a damping that grows until a step helps (Levenberg, Marquardt): the function is convex in w,
/// not in u, and has few parameters.
pub(super) fn fit(experts: &[&Matrix], labels: &[u32], rows: &[u32], penalty: f64) -> Fit {
    let count = experts.len();
    let mut u = vec![0.0_f64; count];
    let mut now = evaluate(experts, labels, rows, &u, penalty);
    let mut damping = 1e-3;
    for _ in 0..MAX_STEPS {
        let mut matrix = now.hessian.clone();
        for at in 0..count {
            matrix[at * count + at] += damping * (now.hessian[at * count + at].abs() + 1e-6);
        }
        let Some(step) = solve_small(matrix, now.gradient.clone()) else {
            damping *= 10.0;
            continue;
        };
        let next: Vec<f64> =
            u.iter().zip(&step).map(|(u, step)| (u - step.clamp(-2.0, 2.0)).clamp(-LIMIT, LIMIT)).collect();
        let moved = u.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if moved < 1e-6 {
            break;
        }
        let there = evaluate(experts, labels, rows, &next, penalty);
        if there.objective < now.objective {
            (u, now) = (next, there);
            damping = (damping * 0.2).max(1e-9);
        } else {
            damping *= 10.0;
        }
    }
    Fit { weights: u.iter().map(|u| u.exp()).collect(), nll: now.nll }
}

/// The pooled probabilities of all rows.
pub(super) fn probabilities(experts: &[&Matrix], weights: &[f64]) -> Matrix {
    let classes = experts[0].width;
    let mut pooled = Matrix::zeros(experts[0].rows(), classes);
    pooled.values.par_chunks_mut((BLOCK * classes).max(1)).enumerate().for_each(|(block, out)| {
        let mut logits = vec![0.0; classes];
        for (at, out) in out.chunks_exact_mut(classes).enumerate() {
            pool_row(experts, weights, block * BLOCK + at, &mut logits);
            let _ = softmax(&mut logits);
            out.iter_mut().zip(&logits).for_each(|(out, &p)| *out = p as f32);
        }
    });
    pooled
}

struct Evaluation {
    objective: f64,
    nll: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

fn pool_row(experts: &[&Matrix], weights: &[f64], row: usize, logits: &mut [f64]) {
    logits.fill(0.0);
    for (expert, &weight) in experts.iter().zip(weights) {
        logits
            .iter_mut()
            .zip(expert.row(row))
            .for_each(|(logit, &score)| *logit += weight * f64::from(score));
    }
}

/// Turns logits into probabilities; returns the logarithm of the sum of exponentials.
fn softmax(logits: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    for value in logits.iter_mut() {
        *value /= sum;
    }
    largest + sum.ln()
}

fn evaluate(experts: &[&Matrix], labels: &[u32], rows: &[u32], u: &[f64], penalty: f64) -> Evaluation {
    let count = experts.len();
    let classes = experts.first().map_or(0, |expert| expert.width);
    let weights: Vec<f64> = u.iter().map(|u| u.exp()).collect();
    // Sums of: negative log likelihood, its gradient and its second derivatives in w.
    let parts: Vec<Vec<f64>> = rows
        .par_chunks(BLOCK)
        .map(|rows| {
            let mut sums = vec![0.0; 1 + count + count * count];
            let mut logits = vec![0.0; classes];
            let mut means = vec![0.0; count];
            for &row in rows {
                let row = row as usize;
                let label = labels[row] as usize;
                pool_row(experts, &weights, row, &mut logits);
                let given = logits[label];
                sums[0] += softmax(&mut logits) - given;
                for (e, expert) in experts.iter().enumerate() {
                    let scores = expert.row(row);
                    means[e] = logits.iter().zip(scores).map(|(p, &s)| p * f64::from(s)).sum();
                    sums[1 + e] += means[e] - f64::from(scores[label]);
                }
                for (e, first) in experts.iter().enumerate() {
                    for (f, second) in experts.iter().enumerate().skip(e) {
                        let pairs = first.row(row).iter().zip(second.row(row));
                        let mixed: f64 = logits
                            .iter()
                            .zip(pairs)
                            .map(|(p, (&a, &b))| p * f64::from(a) * f64::from(b))
                            .sum();
                        sums[1 + count + e * count + f] += mixed - means[e] * means[f];
                    }
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; 1 + count + count * count];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    let count_of_rows = rows.len().max(1) as f64;
    for sum in &mut sums {
        *sum /= count_of_rows;
    }
    let mut gradient = vec![0.0; count];
    let mut hessian = vec![0.0; count * count];
    for e in 0..count {
        let slope = weights[e] * sums[1 + e];
        gradient[e] = slope + 2.0 * penalty * u[e];
        for f in e..count {
            let mut value = weights[e] * weights[f] * sums[1 + count + e * count + f];
            if e == f {
                value += slope + 2.0 * penalty;
            }
            hessian[e * count + f] = value;
            hessian[f * count + e] = value;
        }
    }
    let size: f64 = u.iter().map(|u| u * u).sum();
    Evaluation { objective: sums[0] + penalty * size, nll: sums[0], gradient, hessian }
}

/// Gaussian elimination without pivoting; `None` unless the matrix is positive definite.
fn solve_small(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for pivot in 0..size {
        let value = matrix[pivot * size + pivot];
        if value.is_nan() || value <= 1e-15 {
            return None;
        }
        for row in pivot + 1..size {
            let factor = matrix[row * size + pivot] / value;
            for column in pivot..size {
                matrix[row * size + column] -= factor * matrix[pivot * size + column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| matrix[row * size + column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row * size + row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Scores, and labels drawn from the softmax of `temperature × scores`.
    fn drawn(rows: usize, temperature: f64) -> (Matrix, Vec<u32>) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = || f64::from(rng.next_u32()) / f64::from(u32::MAX);
        let scores = Matrix { width: 3, values: (0..rows * 3).map(|_| uniform() as f32).collect() };
        let labels = (0..rows)
            .map(|row| {
                let mut p: Vec<f64> = scores.row(row).iter().map(|&s| temperature * f64::from(s)).collect();
                let _ = softmax(&mut p);
                let at = uniform();
                if at < p[0] { 0 } else { 1 + u32::from(at >= p[0] + p[1]) }
            })
            .collect();
        (scores, labels)
    }

    #[test]
    fn the_temperature_of_drawn_labels_is_found() {
        let (scores, labels) = drawn(20_000, 7.0);
        let rows: Vec<u32> = (0..20_000).collect();
        let fit = fit(&[&scores], &labels, &rows, 0.0);
        assert!((fit.weights[0] - 7.0).abs() < 0.3, "{fit:?}");
        // No other weight explains the labels better.
        for u in [6.5_f64.ln(), 7.5_f64.ln()] {
            assert!(evaluate(&[&scores], &labels, &rows, &[u], 0.0).nll > fit.nll);
        }
    }

    #[test]
    fn a_useless_expert_gets_little_weight() {
        let (good, labels) = drawn(5000, 7.0);
        let (mut noise, _) = drawn(5001, 1.0);
        noise.values.drain(..3);
        let rows: Vec<u32> = (0..5000).collect();
        let fit = fit(&[&good, &noise], &labels, &rows, 1e-4);
        assert!(fit.weights[0] > 6.0 && fit.weights[1] < 0.5, "{fit:?}");
        let p = probabilities(&[&good, &noise], &fit.weights);
        assert!((0..5000).all(|row| (p.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5));
    }

    #[test]
    fn derivatives_are_those_of_the_function() {
        let (a, labels) = drawn(300, 3.0);
        let (b, _) = drawn(300, 1.0);
        let rows: Vec<u32> = (0..300).collect();
        let at = |u: [f64; 2]| evaluate(&[&a, &b], &labels, &rows, &u, 0.01);
        let here = at([0.7, -0.4]);
        let h = 1e-5;
        let slope = (at([0.7 + h, -0.4]).objective - at([0.7 - h, -0.4]).objective) / (2.0 * h);
        assert!((slope - here.gradient[0]).abs() < 1e-6, "{slope} {:?}", here.gradient);
        for (e, f, ahead, behind) in [
            (0, 0, at([0.7 + h, -0.4]), at([0.7 - h, -0.4])),
            (0, 1, at([0.7, -0.4 + h]), at([0.7, -0.4 - h])),
            (1, 1, at([0.7, -0.4 + h]), at([0.7, -0.4 - h])),
        ] {
            let curve = (ahead.gradient[e] - behind.gradient[e]) / (2.0 * h);
            assert!((curve - here.hessian[e * 2 + f]).abs() < 1e-5, "{e}{f}: {curve} {:?}", here.hessian);
        }
    }

    #[test]
    fn perfect_scores_stop_at_the_limit() {
        let scores = Matrix { width: 2, values: [1.0, 0.0, 0.0, 1.0].repeat(20) };
        let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let rows: Vec<u32> = (0..40).collect();
        let fit = fit(&[&scores], &labels, &rows, 0.0);
        assert!(fit.nll < 1e-6 && fit.weights[0] <= LIMIT.exp() + 1e-9, "{fit:?}");
    }
}
