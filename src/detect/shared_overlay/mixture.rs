//! Which of these pictures have one pattern in common, and what is it? A mixture of pictures with it and without.
//!
//! Expectation and maximisation in turns: the pattern is the mean of the pictures, each counted by the chance that it
//! has it; the chance comes from how well a picture fits the pattern that the *others* have (its own part is taken out),
//! measured in deviations of the base's pictures. Numbers of the pattern that its noise explains are shrunk away.

use rayon::prelude::*;

use super::spectrum::Spectra;
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
        let Spectra { width, band, bands, .. } = spectra;
        let mut weights = vec![0.0_f32; *bands];
        let mut squares = vec![0.0_f32; *bands];
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
                let mut sums = vec![0.0_f32; *width];
                for (&row, &chance) in rows.iter().zip(chances).filter(|(_, chance)| **chance > 1e-3) {
                    let by_band: Vec<f32> = spectra.clear(row).iter().map(|clear| clear * chance).collect();
                    for ((sum, value), &band) in sums.iter_mut().zip(spectra.row(row)).zip(band) {
                        *sum += by_band[band as usize] * value;
                    }
                }
                sums
            })
            .collect();
        let mut sums = vec![0.0_f32; *width];
        for block in &blocks {
            for (sum, value) in sums.iter_mut().zip(block) {
                *sum += value;
            }
        }
        let mut deviations = vec![0.0_f32; *bands];
        let mut counts = vec![0.0_f32; *bands];
        for (sum, &band) in sums.iter().zip(band) {
            deviations[band as usize] += sum * sum / squares[band as usize].max(1e-9);
            counts[band as usize] += 1.0;
        }
        let signal = deviations
            .iter()
            .zip(&counts)
            .map(|(deviation, count)| {
                // Half of it for chance: two deviations of a mean of squares, at least.
                let mean = deviation / count.max(1.0);
                let chance = 1.0 + 2.0 * (2.0 / count.max(1.0)).sqrt();
                if mean > chance { 1.0 - 1.0 / mean } else { 0.0 }
            })
            .collect();
        Self { sums, weights, squares, signal }
    }

    /// How well a picture fits, without what it gave to the pattern itself (by its chance; 0 for the base's).
    fn fit(&self, spectra: &Spectra, row: usize, chance: f32) -> f32 {
        let clear = spectra.clear(row);
        let mut total = 0.0;
        for ((value, sum), &band) in spectra.row(row).zip(&self.sums).zip(&spectra.band) {
            let band = band as usize;
            let clear = clear[band];
            let sum = sum - chance * clear * value;
            let weight = self.weights[band] - chance * clear * clear;
            let square = self.squares[band] - chance * chance * clear * clear;
            if weight <= 1e-6 || square <= 1e-6 {
                continue;
            }
            let deviation = sum * sum / square;
            let alone = if deviation > ALONE { 1.0 - ALONE / deviation } else { 0.0 };
            let gain = self.signal[band].max(alone);
            total += gain * sum / weight * clear * value;
        }
        total
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
