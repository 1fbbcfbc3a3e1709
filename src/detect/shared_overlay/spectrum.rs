//! What is unusual about a whole picture, place by place of its spectrum?
//!
//! A picture's cosine coefficients are divided by their deviation in the base, then by the picture's own deviation in
//! their band of frequencies: what is left says how far each is from ordinary for a picture as smooth or as rough as
//! this one, and smooth pictures, which show a faint pattern best, count most. Extremes are cut off.
//! The base's mean and the directions in which its classes differ are taken out, so that a wrong label is no pattern.

use std::f32::consts::PI;
use std::ops::Range;

use rayon::prelude::*;

use super::super::calibrate::spread;
use crate::task::{Cancelled, Task};

/// Deviations below (in levels) are rounding.
const LEAST_DEVIATION: f32 = 0.5;
/// How smooth a picture may count as, relative to the base.
const LEAST_ROUGHNESS: f32 = 0.25;
/// Larger values are cut off.
const MOST: f32 = 2.0;
/// A value is kept in steps of one over this.
pub(super) const STEPS: f32 = 40.0;
/// Ends of the frequency bands, in cycles over twice the picture.
const BANDS: [f32; 8] = [2.0, 4.0, 7.0, 11.0, 16.0, 23.0, 32.0, f32::INFINITY];
/// Classes whose differences are taken out.
const MOST_CLASSES: usize = 64;
/// Pictures that deviations are learnt from.
const LEARN: usize = 3000;

/// Planes of numbers: side, one after another.
pub(super) type Planes = [usize; 3];

/// Pictures as deviations from the ordinary.
pub(super) struct Spectra {
    /// Numbers a picture.
    pub width: usize,
    values: Vec<i8>,
    /// By band, which of the numbers are its own: they follow each other.
    pub bands: Vec<Range<usize>>,
    /// For each picture and band, one over its roughness.
    pub clarity: Vec<f32>,
}

impl Spectra {
    /// A picture's numbers, in steps of one over [`STEPS`].
    pub fn row(&self, row: usize) -> &[i8] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// A picture's clarity by band.
    pub fn clear(&self, row: usize) -> &[f32] {
        let bands = self.bands.len();
        &self.clarity[row * bands..(row + 1) * bands]
    }

    /// Of pictures given as planes (`planes` of numbers each, row-major), of which those at `base` with these labels
    /// say what is ordinary.
    pub fn of(
        planes: &Planes,
        pictures: &mut [Vec<f32>],
        base: &[(usize, u32)],
        task: &Task,
    ) -> Result<Self, Cancelled> {
        let bases = planes.map(cosines);
        pictures.par_iter_mut().try_for_each(|picture| {
            task.check()?;
            let mut rest = picture.as_mut_slice();
            for (side, basis) in planes.iter().zip(&bases) {
                let (plane, after) = rest.split_at_mut(side * side);
                transform(plane, *side, basis);
                rest = after;
            }
            Ok(())
        })?;
        let width: usize = planes.iter().map(|side| side * side).sum();
        let (band, bands) = bands(planes);
        let learn = spread(base, LEARN);
        let mut deviation = vec![0.0_f64; width];
        for &(at, _) in &learn {
            for (sum, &value) in deviation.iter_mut().zip(&pictures[at]) {
                *sum += f64::from(value * value) / learn.len().max(1) as f64;
            }
        }
        let scale: Vec<f32> =
            deviation.iter().map(|square| 1.0 / (square.sqrt() as f32).max(LEAST_DEVIATION)).collect();
        let clarity: Vec<Vec<f32>> =
            pictures.par_iter_mut().map(|picture| ordinary(picture, &scale, &band, bands)).collect();

        // The base's mean, then the directions in which its classes differ from it.
        let mean_of = |those: &mut dyn Iterator<Item = usize>| -> (Vec<f32>, usize) {
            let mut sum = vec![0.0_f32; width];
            let mut count = 0;
            for at in those {
                count += 1;
                for (sum, value) in sum.iter_mut().zip(&pictures[at]) {
                    *sum += value;
                }
            }
            for value in &mut sum {
                *value /= count.max(1) as f32;
            }
            (sum, count)
        };
        let (mean, _) = mean_of(&mut base.iter().map(|base| base.0));
        let mut labels: Vec<u32> = base.iter().map(|base| base.1).collect();
        labels.sort_unstable();
        labels.dedup();
        let mut classes: Vec<(usize, u32, Vec<f32>)> = labels
            .iter()
            .map(|&label| {
                let (own, count) =
                    mean_of(&mut base.iter().filter(|base| base.1 == label).map(|base| base.0));
                (count, label, own)
            })
            .collect();
        classes.sort_by_key(|(count, label, _)| (std::cmp::Reverse(*count), *label));
        classes.truncate(MOST_CLASSES);
        let mut directions: Vec<Vec<f32>> = Vec::new();
        for (_, _, mut own) in classes {
            for (value, mean) in own.iter_mut().zip(&mean) {
                *value -= mean;
            }
            let before = length(&own);
            take_out(&mut own, &directions);
            let after = length(&own);
            // What is left of the last class is the sum of the others, but for rounding.
            if after > 1e-3 * before.max(1e-6) {
                for value in &mut own {
                    *value /= after;
                }
                directions.push(own);
            }
        }
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by_key(|&at| band[at]);
        let values: Vec<Vec<i8>> = pictures
            .par_iter_mut()
            .map(|picture| {
                for (value, mean) in picture.iter_mut().zip(&mean) {
                    *value -= mean;
                }
                take_out(picture, &directions);
                let step = |value: f32| (value * STEPS).round().clamp(-127.0, 127.0) as i8;
                order.iter().map(|&at| step(picture[at])).collect()
            })
            .collect();
        let bands = (0..bands as u8).map(|own| {
            let first = |from: u8| order.partition_point(|&at| band[at] < from);
            first(own)..first(own + 1)
        });
        Ok(Self { width, values: values.concat(), bands: bands.collect(), clarity: clarity.concat() })
    }
}

/// Divides coefficients by what is ordinary and by the picture's own roughness; returns one over that, by band.
fn ordinary(picture: &mut [f32], scale: &[f32], band: &[u8], bands: usize) -> Vec<f32> {
    let mut squares = vec![0.0_f32; bands];
    let mut counts = vec![0.0_f32; bands];
    for ((value, scale), &band) in picture.iter_mut().zip(scale).zip(band) {
        *value *= scale;
        squares[band as usize] += *value * *value;
        counts[band as usize] += 1.0;
    }
    let clarity: Vec<f32> = squares
        .iter()
        .zip(&counts)
        .map(|(square, count)| 1.0 / (square / count.max(1.0)).sqrt().max(LEAST_ROUGHNESS))
        .collect();
    for (value, &band) in picture.iter_mut().zip(band) {
        *value = (*value * clarity[band as usize]).clamp(-MOST, MOST);
    }
    clarity
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Less its parts along orthonormal directions.
fn take_out(values: &mut [f32], directions: &[Vec<f32>]) {
    for direction in directions {
        let part: f32 = values.iter().zip(direction).map(|(a, b)| a * b).sum();
        for (value, direction) in values.iter_mut().zip(direction) {
            *value -= part * direction;
        }
    }
}

/// The band of each number, a set of bands a plane, and how many bands. The mean of a plane is in its first band.
fn bands(planes: &Planes) -> (Vec<u8>, usize) {
    let mut band = Vec::new();
    for (number, &side) in planes.iter().enumerate() {
        band.extend((0..side * side).map(|at| {
            let frequency = ((at % side) as f32).hypot((at / side) as f32);
            let place = BANDS.iter().position(|end| frequency < *end).unwrap_or(BANDS.len() - 1);
            (number * BANDS.len() + place) as u8
        }));
    }
    (band, planes.len() * BANDS.len())
}

/// Orthonormal cosines (DCT-II): row `u`, column `x`.
fn cosines(side: usize) -> Vec<f32> {
    (0..side * side)
        .map(|at| {
            let (u, x) = ((at / side) as f32, (at % side) as f32);
            let scale = (if at < side { 1.0 } else { 2.0 } / side as f32).sqrt();
            scale * ((2.0 * x + 1.0) * u * PI / (2 * side) as f32).cos()
        })
        .collect()
}

/// Two-dimensional cosine transform in place.
fn transform(plane: &mut [f32], side: usize, basis: &[f32]) {
    let mut lines = vec![0.0_f32; side * side];
    for (line, out) in plane.chunks_exact(side).zip(lines.chunks_exact_mut(side)) {
        for (value, wave) in out.iter_mut().zip(basis.chunks_exact(side)) {
            *value = line.iter().zip(wave).map(|(a, b)| a * b).sum();
        }
    }
    plane.fill(0.0);
    for (out, wave) in plane.chunks_exact_mut(side).zip(basis.chunks_exact(side)) {
        for (line, weight) in lines.chunks_exact(side).zip(wave) {
            for (out, value) in out.iter_mut().zip(line) {
                *out += weight * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_has_one_coefficient() {
        let side = 8;
        let basis = cosines(side);
        let mut plane: Vec<f32> = (0..64).map(|at| 3.0 * basis[2 * side + at % side]).collect();
        transform(&mut plane, side, &basis);
        for (at, value) in plane.iter().enumerate() {
            let expected = if at == 2 { 3.0 * 8.0_f32.sqrt() } else { 0.0 };
            assert!((value - expected).abs() < 1e-4, "{at}: {value}");
        }
    }

    #[test]
    fn means_and_differences_of_classes_are_taken_out() {
        let planes = [4, 2, 2];
        let mut pictures: Vec<Vec<f32>> = (0..60)
            .map(|at| {
                let noise =
                    |k: u64| (super::super::super::calibrate::mixed(at << 8 | k) % 100) as f32 / 25.0 - 2.0;
                (0..24).map(|k| 10.0 * noise(k) + if at % 2 == 0 { k as f32 } else { 0.0 }).collect()
            })
            .collect();
        let base: Vec<(usize, u32)> = (0..60).map(|at| (at, at as u32 % 2)).collect();
        let spectra = Spectra::of(&planes, &mut pictures, &base, &Task::new()).unwrap();
        for label in 0..2 {
            let mut mean = [0.0_f32; 24];
            for at in (label..60).step_by(2) {
                let row = spectra.row(at).iter().map(|value| f32::from(*value) / STEPS);
                mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / 30.0);
            }
            assert!(mean.iter().all(|value| value.abs() < 0.02), "{mean:?}");
        }
    }
}
