//! How are many samples' numbers held? Row-major, single precision, the layout that every expert reads.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::task::{Cancelled, Task};

/// Rows of one product: fixed, so that no sum depends on the number of threads.
const BLOCK: usize = 1024;

/// One row a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Matrix {
    /// Numbers a row.
    pub width: usize,
    /// `rows × width`, row-major.
    pub values: Vec<f32>,
}

impl Matrix {
    pub fn zeros(rows: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; rows * width] }
    }

    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    pub fn view(&self, rows: Range<usize>) -> MatRef<'_, f32> {
        let values = &self.values[rows.start * self.width..rows.end * self.width];
        MatRef::from_row_major_slice(values, rows.len(), self.width)
    }

    /// Subtracts each column's mean and divides by its deviation, both of the first `trusted` rows.
    /// A column that hardly varies is divided by a thousandth of the largest deviation instead of by almost nothing.
    pub fn standardise(&mut self, trusted: usize) {
        let (width, count) = (self.width, trusted.max(1) as f64);
        let mut mean = vec![0.0_f64; width];
        let mut square = vec![0.0_f64; width];
        for row in self.values.chunks_exact(width.max(1)).take(trusted) {
            for ((mean, square), &value) in mean.iter_mut().zip(&mut square).zip(row) {
                *mean += f64::from(value);
                *square += f64::from(value) * f64::from(value);
            }
        }
        for sum in &mut mean {
            *sum /= count;
        }
        let deviation: Vec<f64> =
            square.iter().zip(&mean).map(|(sum, mean)| (sum / count - mean * mean).max(0.0).sqrt()).collect();
        let floor = deviation.iter().copied().fold(0.0, f64::max) * 1e-3;
        let scale: Vec<(f32, f32)> = mean
            .iter()
            .zip(&deviation)
            .map(|(&mean, &deviation)| {
                let divisor = deviation.max(floor);
                (mean as f32, if divisor > 0.0 { (1.0 / divisor) as f32 } else { 0.0 })
            })
            .collect();
        self.values.par_chunks_exact_mut(width.max(1)).for_each(|row| {
            for (value, &(mean, factor)) in row.iter_mut().zip(&scale) {
                *value = (*value - mean) * factor;
            }
        });
    }
}

/// A linear map from numbers to one score a class.
#[derive(Debug, Clone, Default)]
pub(super) struct Linear {
    /// `inputs × outputs`, column-major.
    pub weights: Vec<f32>,
    /// One an output.
    pub offsets: Vec<f32>,
}

/// The outputs for all rows in `runs`, which must follow each other from row 0: each run of rows by its own map.
pub(super) fn apply(
    features: &Matrix,
    runs: &[(Range<usize>, &Linear)],
    outputs: usize,
    task: &Task,
) -> Result<Matrix, Cancelled> {
    let rows = runs.last().map_or(0, |(range, _)| range.end);
    let mut scores = Matrix::zeros(rows, outputs);
    let mut jobs = Vec::new();
    let mut rest = scores.values.as_mut_slice();
    for (range, linear) in runs {
        let mut start = range.start;
        while start < range.end {
            let end = (start + BLOCK).min(range.end);
            let (head, tail) = rest.split_at_mut((end - start) * outputs);
            jobs.push((start..end, *linear, head));
            rest = tail;
            start = end;
        }
    }
    jobs.into_par_iter().try_for_each(|(range, linear, out)| {
        task.check()?;
        for row in out.chunks_exact_mut(outputs) {
            row.copy_from_slice(&linear.offsets);
        }
        matmul(
            MatMut::from_row_major_slice_mut(out, range.len(), outputs),
            Accum::Add,
            features.view(range),
            MatRef::from_column_major_slice(&linear.weights, features.width, outputs),
            1.0,
            Par::Seq,
        );
        Ok(())
    })?;
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_rows_get_mean_zero_and_deviation_one() {
        let mut matrix =
            Matrix { width: 3, values: vec![1.0, 5.0, 0.0, 3.0, 5.0, 0.0, 5.0, 5.0, 0.0, 11.0, 6.0, 0.0] };
        matrix.standardise(3);
        let column: Vec<f32> = (0..4).map(|row| matrix.row(row)[0]).collect();
        let deviation = (8.0_f32 / 3.0).sqrt();
        for (found, expected) in column.iter().zip([-2.0, 0.0, 2.0, 8.0]) {
            assert!((found - expected / deviation).abs() < 1e-5, "{column:?}");
        }
        assert_eq!((matrix.row(0)[1], matrix.row(0)[2]), (0.0, 0.0));
        assert!((matrix.row(3)[1] - 1000.0 / deviation).abs() < 0.1, "one step in a constant column");
    }

    #[test]
    fn each_run_has_its_own_map() {
        let features = Matrix { width: 2, values: (0..3000).map(|v| v as f32).collect() };
        let double = Linear { weights: vec![2.0, 0.0], offsets: vec![1.0] };
        let second = Linear { weights: vec![0.0, 1.0], offsets: vec![0.0] };
        let out = apply(&features, &[(0..1200, &double), (1200..1500, &second)], 1, &Task::new()).unwrap();
        assert_eq!(out.rows(), 1500);
        assert_eq!(out.row(7)[0], 2.0 * 14.0 + 1.0);
        assert_eq!(out.row(1199)[0], 2.0 * 2398.0 + 1.0);
        assert_eq!(out.row(1200)[0], 2401.0);
    }
}
