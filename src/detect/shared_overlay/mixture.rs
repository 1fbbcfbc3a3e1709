//! Which of these pictures have one pattern in common, and what is it? A mixture of pictures with it and without.
//!
//! Expectation and maximisation in turns: the pattern is the mean of the pictures, each counted by the chance that it
//! has it; the chance comes from how well a picture fits the pattern that the *others* have (its own part is taken out),
//! measured in deviations of the base's pictures. Numbers of the pattern that its noise explains are shrunk away.

// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use rayon::prelude::*;

use super::spectrum::{STEPS, Spectra};
use crate::task::{Cancelled, Task};

/// Turns; it settles in fewer.
const TURNS: usize = 14;
/// A number of the pattern counts by itself from so many squared deviations on.
const ALONE: f32 = 6.0;

/// How well each picture fits the pattern that some of the suspects share.
pub(super) struct Fits {
    /// By suspect, in deviations of the base's fits.
    pub suspects: Vec<f32>,
    /// By picture of the base.
    pub base: Vec<f32>,
}

/// Sums over suspects that make a pattern.
struct Pattern {
    /// By number: Σ chance · clarity · value.
    sums: Vec<f32>,
    /// By band: Σ chance · clarity², and Σ (chance · clarity)².
    weights: Vec<f32>,
    squares: Vec<f32>,
    /// By band, the share of the pattern that is not noise.
    signal: Vec<f32>,
}

impl Pattern {
    fn of(spectra: &Spectra, suspects: &[usize], chances: &[f32]) -> Self {
        let bands = spectra.bands.len();
        let mut weights = vec![0.0_f32; bands];
        let mut squares = vec![0.0_f32; bands];
        for (&row, &chance) in suspects.iter().zip(chances) {
            for ((weight, square), clear) in weights.iter_mut().zip(&mut squares).zip(spectra.clear(row)) {
                *weight += chance * clear * clear;
                *square += chance * chance * clear * clear;
            }
        }
        // Blocks of pictures, summed in order: the same for any number of threads.
        let blocks: Vec<Vec<f32>> = suspects
            .par_chunks(64)
            .zip(chances.par_chunks(64))
            .map(|(rows, chances)| {
                let mut sums = vec![0.0_f32; spectra.width];
                for (&row, &chance) in rows.iter().zip(chances).filter(|(_, chance)| **chance > 1e-3) {
                    let values = spectra.row(row);
                    for (range, clear) in spectra.bands.iter().zip(spectra.clear(row)) {
                        let factor = clear * chance / STEPS;
                        let sums = &mut sums[range.clone()];
                        sums.iter_mut()
                            .zip(&values[range.clone()])
                            .for_each(|(sum, &value)| *sum += factor * f32::from(value));
                    }
                }
                sums
            })
            .collect();
        let mut sums = vec![0.0_f32; spectra.width];
        for block in &blocks {
            for (sum, value) in sums.iter_mut().zip(block) {
                *sum += value;
            }
        }
        let signal = spectra
            .bands
            .iter()
            .zip(&squares)
            .map(|(range, square)| {
                let count = (range.len() as f32).max(1.0);
                let deviation: f32 = sums[range.clone()].iter().map(|sum| sum * sum / square.max(1e-9)).sum();
                // Half of it for chance: two deviations of a mean of squares, at least.
                let mean = deviation / count;
                let chance = 1.0 + 2.0 * (2.0 / count).sqrt();
                if mean > chance { 1.0 - 1.0 / mean } else { 0.0 }
            })
            .collect();
        Self { sums, weights, squares, signal }
    }

    /// How well a picture fits, without what it gave to the pattern itself (by its chance; 0 for the base's).
    ///
    /// Its product with the pattern as it would show in this picture, divided by that one's length: in a smooth picture
    /// the pattern is larger, and so is whatever else is there.
    fn fit(&self, spectra: &Spectra, row: usize, chance: f32) -> f32 {
        pulp::Arch::new().dispatch(|| self.fit_here(spectra, row, chance))
    }

    #[inline(always)]
    fn fit_here(&self, spectra: &Spectra, row: usize, chance: f32) -> f32 {
        let values = spectra.row(row);
        let (mut total, mut energy) = (0.0_f32, 0.0_f32);
        for (band, (range, &clear)) in spectra.bands.iter().zip(spectra.clear(row)).enumerate() {
            let weight = self.weights[band] - chance * clear * clear;
            let square = self.squares[band] - chance * chance * clear * clear;
            if weight <= 1e-6 || square <= 1e-6 {
                continue;
            }
            let (own, signal, noise) = (chance * clear / STEPS, self.signal[band], ALONE * square);
            // A number of the pattern, and what the picture has of it.
            let term = |&sum: &f32, &value: &i8| {
                let value = f32::from(value);
                let sum = sum - own * value;
                // 1 − ALONE / deviation, where the deviation is sum² / square.
                let alone = 1.0 - noise / (sum * sum).max(1e-12);
                let shown = signal.max(alone) * sum;
                (shown * value, shown * shown)
            };
            let (sums, values) = (&self.sums[range.clone()], &values[range.clone()]);
            // In lanes, which are added up at once; their order is fixed all the same.
            let (mut alike, mut squares) = ([0.0_f32; 16], [0.0_f32; 16]);
            let (sums_of_16, last_sums) = sums.as_chunks::<16>();
            let (values_of_16, last_values) = values.as_chunks::<16>();
            for (sums, values) in sums_of_16.iter().zip(values_of_16) {
                for lane in 0..16 {
                    let (product, square) = term(&sums[lane], &values[lane]);
                    alike[lane] += product;
                    squares[lane] += square;
                }
            }
            for (lane, (sum, value)) in last_sums.iter().zip(last_values).enumerate() {
                let (product, square) = term(sum, value);
                alike[lane] += product;
                squares[lane] += square;
            }
            let factor = clear / weight;
            total += factor / STEPS * alike.iter().sum::<f32>();
            energy += factor * factor * squares.iter().sum::<f32>();
        }
        if energy > 0.0 { total / energy.sqrt() } else { 0.0 }
    }
}

/// Mean and deviation.
fn moments(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let square = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, square.sqrt().max(1e-9))
}

/// Finds the pattern that some suspects share, beginning with all of them.
pub(super) fn fits(
    spectra: &Spectra,
    suspects: &[usize],
    base: &[usize],
    task: &Task,
) -> Result<Fits, Cancelled> {
    let mut chances = vec![1.0_f32; suspects.len()];
    let mut fits = Fits { suspects: Vec::new(), base: Vec::new() };
    for turn in 0..TURNS {
        task.check()?;
        let pattern = Pattern::of(spectra, suspects, &chances);
        let base_fits: Vec<f32> = base.par_iter().map(|&row| pattern.fit(spectra, row, 0.0)).collect();
        let own: Vec<f32> = suspects
            .par_iter()
            .zip(&chances)
            .map(|(&row, &chance)| pattern.fit(spectra, row, chance))
            .collect();
        let (mean, deviation) = moments(&base_fits);
        let standard = |values: Vec<f32>| values.into_iter().map(|v| (v - mean) / deviation).collect();
        fits = Fits { suspects: standard(own), base: standard(base_fits) };
        if turn + 1 == TURNS {
            break;
        }
        chances = chances_of(&fits.suspects, turn == 0);
    }
    Ok(fits)
}

/// The chance of each to have the pattern: two normal distributions of deviation one, one around 0.
fn chances_of(fits: &[f32], first: bool) -> Vec<f32> {
    let mut sorted = fits.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // The better half to begin with; later where the better quarter is.
    let part = if first { sorted.len() / 2 } else { sorted.len() / 4 };
    let mut centre = moments(&sorted[..part.max(1)]).0.max(1.0);
    let mut share = 0.3_f32;
    let mut chances = vec![0.0_f32; fits.len()];
    for _ in 0..10 {
        for (chance, fit) in chances.iter_mut().zip(fits) {
            let odds =
                (centre * fit - centre * centre / 2.0).clamp(-30.0, 30.0).exp() * share / (1.0 - share);
            *chance = odds / (1.0 + odds);
        }
        let total: f32 = chances.iter().sum();
        share = (total / fits.len().max(1) as f32).clamp(0.02, 0.95);
        let weighted: f32 = chances.iter().zip(fits).map(|(chance, fit)| chance * fit).sum();
        centre = (weighted / total.max(1e-6)).max(1.0);
    }
    chances
}
