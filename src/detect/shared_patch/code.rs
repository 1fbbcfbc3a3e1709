//! What does each small patch of a picture look like, as numbers that natural pictures spread evenly?
//!
//! A patch's contrast in a few cosine frequencies of brightness and of two colour differences, whitened by how those
//! vary together in the background: what is common there is short, what is rare is long. Then length one, a byte each.

use std::f32::consts::PI;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::super::calibrate::mixed;
use crate::feature::picture::Picture;

/// Patches with less contrast (root mean square in levels) say nothing; contrast is compared relative to this offset.
const LEAST_CONTRAST: f32 = 12.0;
const CONTRAST_OFFSET: f32 = 8.0;
/// Part of the largest variance that is added to every one.
const RIDGE: f64 = 0.02;
/// A number of a code is kept as this many steps.
const STEPS: f32 = 200.0;
/// Striking patches of a picture that others are compared with, besides one at random, and their least distance.
const STRIKING: usize = 3;
const APART: usize = 3;
/// Pictures and patches of each that the whitening is learnt from.
const LEARN_PICTURES: usize = 600;
const LEARN_PATCHES: usize = 160;

/// How patches become numbers.
pub(super) struct Whitening {
    /// Pixels a side.
    pub side: usize,
    /// Numbers a patch.
    pub dims: usize,
    /// `3 side² × dims`, column-major.
    projection: Vec<f32>,
}

/// The patches of one picture.
pub(super) struct Coded {
    /// `places.len() × dims`.
    codes: Vec<i8>,
    /// Which patch, counted by rows of places.
    places: Vec<u32>,
    /// Places in a row.
    across: u32,
    /// The patches that may start a search, as positions in `places`.
    pub seeds: Vec<u32>,
}

impl Whitening {
    /// Learns from background pictures; `None` when they have hardly any patches.
    pub fn learn(side: usize, background: &[&Picture]) -> Option<Self> {
        let basis = basis(side);
        let dims = basis.len() / (3 * side * side);
        let plain = Self { side, dims, projection: basis };
        let pictures = super::super::calibrate::spread(background, LEARN_PICTURES);
        // One sum a picture, added in their order: the same for any number of threads.
        let parts: Vec<(usize, Vec<f64>)> = pictures
            .par_iter()
            .map(|picture| {
                let patches = plain.project(picture);
                let step = patches.places.len().div_ceil(LEARN_PATCHES).max(1);
                let mut sum = vec![0.0_f64; dims * dims];
                let mut count = 0;
                for values in patches.values.chunks_exact(dims).step_by(step) {
                    count += 1;
                    for (line, &a) in sum.chunks_exact_mut(dims).zip(values) {
                        for (sum, &b) in line.iter_mut().zip(values) {
                            *sum += f64::from(a * b);
                        }
                    }
                }
                (count, sum)
            })
            .collect();
        let count: usize = parts.iter().map(|part| part.0).sum();
        if count < 4 * dims {
            return None;
        }
        let mut covariance = vec![0.0_f64; dims * dims];
        for (_, part) in &parts {
            for (sum, value) in covariance.iter_mut().zip(part) {
                *sum += value / count as f64;
            }
        }
        let largest = (0..dims).map(|at| covariance[at * dims + at]).fold(0.0, f64::max);
        (0..dims).for_each(|at| covariance[at * dims + at] += RIDGE * largest + 1e-9);
        let whitener = inverse_cholesky(&covariance, dims)?;
        // Columns of the projection become combinations of basis columns: P = B · L⁻ᵀ.
        let length = 3 * side * side;
        let mut projection = vec![0.0_f32; length * dims];
        for (column, row) in projection.chunks_exact_mut(length).zip(whitener.chunks_exact(dims)) {
            for (basis, &weight) in plain.projection.chunks_exact(length).zip(row) {
                for (value, basis) in column.iter_mut().zip(basis) {
                    *value += basis * weight as f32;
                }
            }
        }
        Some(Self { side, dims, projection })
    }

    /// The codes of all patches with some contrast.
    pub fn encode(&self, picture: &Picture) -> Coded {
        let dims = self.dims;
        let Projected { across, places, contrasts, values } = self.project(picture);
        let mut codes = Vec::with_capacity(values.len());
        let mut striking = Vec::with_capacity(places.len());
        for (code, contrast) in values.chunks_exact(dims).zip(&contrasts) {
            let length = code.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
            codes
                .extend(code.iter().map(|value| (value / length * STEPS).round().clamp(-127.0, 127.0) as i8));
            striking.push(length * contrast.sqrt());
        }
        let seeds = seeds(&places, across, &striking);
        Coded { codes, places, across, seeds }
    }

    fn project(&self, picture: &Picture) -> Projected {
        let Self { side, dims, projection } = self;
        let (width, height) = (picture.width as usize, picture.height as usize);
        let mut projected = Projected::default();
        if width < *side || height < *side {
            return projected;
        }
        projected.across = (width - side + 1) as u32;
        let length = 3 * side * side;
        let area = (side * side) as f32;
        let mut patches: Vec<f32> = Vec::new();
        let mut patch = vec![0.0_f32; length];
        for top in 0..=height - side {
            for left in 0..=width - side {
                let mut sums = [0.0_f32; 3];
                for (line, out) in patch.chunks_exact_mut(3 * side).enumerate() {
                    let start = ((top + line) * width + left) * 3;
                    for (out, &value) in out.iter_mut().zip(&picture.rgb[start..start + 3 * side]) {
                        *out = f32::from(value);
                    }
                    for pixel in out.as_chunks::<3>().0 {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += value;
                        }
                    }
                }
                let means = sums.map(|sum| sum / area);
                let mut square = 0.0;
                for pixel in patch.as_chunks_mut::<3>().0 {
                    for (value, mean) in pixel.iter_mut().zip(&means) {
                        *value -= mean;
                        square += *value * *value;
                    }
                }
                let contrast = (square / length as f32).sqrt();
                if contrast <= LEAST_CONTRAST {
                    continue;
                }
                projected.places.push((top * (width - side + 1) + left) as u32);
                projected.contrasts.push(contrast);
                let factor = 1.0 / (contrast + CONTRAST_OFFSET);
                patches.extend(patch.iter().map(|value| value * factor));
            }
        }
        let count = projected.places.len();
        projected.values = vec![0.0; count * dims];
        if count > 0 {
            matmul(
                MatMut::from_row_major_slice_mut(&mut projected.values, count, *dims),
                Accum::Replace,
                MatRef::from_row_major_slice(&patches, count, length),
                MatRef::from_column_major_slice(projection, length, *dims),
                1.0,
                Par::Seq,
            );
        }
        projected
    }
}

#[derive(Default)]
struct Projected {
    across: u32,
    places: Vec<u32>,
    contrasts: Vec<f32>,
    values: Vec<f32>,
}

/// The most striking patches, apart from each other, and one at random.
fn seeds(places: &[u32], across: u32, striking: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..places.len() as u32).collect();
    order.sort_by(|&a, &b| striking[b as usize].total_cmp(&striking[a as usize]).then(a.cmp(&b)));
    let mut seeds: Vec<u32> = Vec::new();
    let place = |at: u32| (places[at as usize] / across, places[at as usize] % across);
    for at in order {
        let (y, x) = place(at);
        let near = |&seed: &u32| {
            let (other_y, other_x) = place(seed);
            y.abs_diff(other_y).max(x.abs_diff(other_x)) < APART as u32
        };
        if !seeds.iter().any(near) {
            seeds.push(at);
            if seeds.len() == STRIKING {
                break;
            }
        }
    }
    if !places.is_empty() {
        let any = mixed(u64::from(places[0]) ^ (places.len() as u64) << 20) % places.len() as u64;
        seeds.push(any as u32);
    }
    seeds
}

impl Coded {
    /// One patch, of length one.
    pub fn code(&self, patch: u32, dims: usize) -> Vec<f32> {
        let at = patch as usize * dims;
        let code: Vec<f32> = self.codes[at..at + dims].iter().map(|value| f32::from(*value)).collect();
        unit(code)
    }

    /// Left and top of a patch.
    pub fn place(&self, patch: u32) -> (u32, u32) {
        let place = self.places[patch as usize];
        (place % self.across, place / self.across)
    }

    /// How like the picture's likest patch is to each template (`dims` numbers each, of length one), at most 1;
    /// −1 for a picture without patches.
    pub fn best(&self, templates: &[f32], dims: usize, out: &mut [f32]) {
        out.fill(-1.0);
        self.products(templates, dims, |_, line| {
            for (best, &value) in out.iter_mut().zip(line) {
                *best = best.max(value);
            }
        });
    }

    /// As [`Self::best`], with the patch.
    pub fn best_patches(&self, templates: &[f32], dims: usize) -> Vec<(f32, u32)> {
        let mut best = vec![(-1.0, 0); templates.len() / dims];
        self.products(templates, dims, |patch, line| {
            for (best, &value) in best.iter_mut().zip(line) {
                if value > best.0 {
                    *best = (value, patch);
                }
            }
        });
        best
    }

    fn products(&self, templates: &[f32], dims: usize, mut line: impl FnMut(u32, &[f32])) {
        const TEMPLATES: usize = 256;
        const PATCHES: usize = 256;
        let count = templates.len() / dims;
        let mut codes = vec![0.0_f32; PATCHES * dims];
        let mut products = vec![0.0_f32; PATCHES * count.min(TEMPLATES)];
        // Few templates at a time would call back with parts of a line; more than fit are the caller's to split.
        debug_assert!(count <= TEMPLATES);
        if count == 0 {
            return;
        }
        for (block, part) in self.codes.chunks(PATCHES * dims).enumerate() {
            let rows = part.len() / dims;
            for (code, &value) in codes.iter_mut().zip(part) {
                *code = f32::from(value) * (1.0 / STEPS);
            }
            let out = &mut products[..rows * count];
            matmul(
                MatMut::from_row_major_slice_mut(out, rows, count),
                Accum::Replace,
                MatRef::from_row_major_slice(&codes[..rows * dims], rows, dims),
                MatRef::from_column_major_slice(templates, dims, count),
                1.0,
                Par::Seq,
            );
            for (row, values) in out.chunks_exact(count).enumerate() {
                line((block * PATCHES + row) as u32, values);
            }
        }
    }
}

/// Length one; zeros stay.
pub(super) fn unit(mut values: Vec<f32>) -> Vec<f32> {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut values {
            *value /= length;
        }
    }
    values
}

/// Cosines over a patch, one column each: brightness in many frequencies, two colour differences in few; never the mean.
fn basis(side: usize) -> Vec<f32> {
    let luma = side.min(5);
    let chroma = if side > 5 { 3 } else { 2 };
    let planes: [([f32; 3], usize); 3] =
        [([1.0, 1.0, 1.0], luma), ([1.0, 0.0, -1.0], chroma), ([1.0, -2.0, 1.0], chroma)];
    let mut columns = Vec::new();
    for (mix, frequencies) in planes {
        for (v, u) in (0..frequencies).flat_map(|v| (0..frequencies).map(move |u| (v, u))) {
            if (u, v) == (0, 0) {
                continue;
            }
            let wave = |f: usize, at: usize| ((2 * at + 1) as f32 * f as f32 * PI / (2 * side) as f32).cos();
            let column = (0..side * side)
                .flat_map(|pixel| mix.map(|m| m * wave(u, pixel % side) * wave(v, pixel / side)));
            columns.extend(unit(column.collect()));
        }
    }
    columns
}

/// L⁻¹ of a symmetric matrix `L Lᵀ`, row-major; `None` when it is not positive definite.
fn inverse_cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
            let rest = matrix[i * size + j] - known;
            if i == j {
                if rest <= 0.0 {
                    return None;
                }
                lower[i * size + i] = rest.sqrt();
            } else {
                lower[i * size + j] = rest / lower[j * size + j];
            }
        }
    }
    let mut inverse = vec![0.0; size * size];
    for column in 0..size {
        for i in column..size {
            let known: f64 = (column..i).map(|k| lower[i * size + k] * inverse[k * size + column]).sum();
            let own = if i == column { 1.0 } else { 0.0 };
            inverse[i * size + column] = (own - known) / lower[i * size + i];
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitened_by_the_inverse_factor() {
        let matrix = [4.0, 2.0, 2.0, 5.0];
        let inverse = inverse_cholesky(&matrix, 2).unwrap();
        assert_eq!(inverse, [0.5, 0.0, -0.25, 0.5]);
        assert_eq!(inverse_cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
    }

    #[test]
    fn the_same_patch_is_found_wherever_it_is() {
        let noise = |seed: u64, side: u32| {
            let rgb = (0..u64::from(side * side * 3)).map(|at| (mixed(seed << 32 | at) % 200) as u8);
            Picture { width: side, height: side, rgb: rgb.collect(), format: "png" }
        };
        let pictures: Vec<Picture> = (0..12).map(|seed| noise(seed, 16)).collect();
        let whitening = Whitening::learn(5, &pictures.iter().collect::<Vec<_>>()).unwrap();
        let mut other = noise(99, 20);
        for (line, start) in (0..5).map(|line| (line, (line * 16) * 3)) {
            let to = ((7 + line) * 20 + 11) * 3;
            other.rgb[to..to + 15].copy_from_slice(&pictures[3].rgb[start..start + 15]);
        }
        let template = whitening.encode(&pictures[3]).code(0, whitening.dims);
        let coded = whitening.encode(&other);
        let (likeness, patch) = coded.best_patches(&template, whitening.dims)[0];
        assert!(likeness > 0.98, "{likeness}");
        assert_eq!(coded.place(patch), (11, 7));
        let mut best = [0.0];
        coded.best(&template, whitening.dims, &mut best);
        assert_eq!(best[0], likeness);
        let flat = Picture { width: 8, height: 8, rgb: vec![90; 192], format: "png" };
        whitening.encode(&flat).best(&template, whitening.dims, &mut best);
        assert_eq!((best[0], whitening.encode(&flat).seeds.len()), (-1.0, 0));
        assert!(Whitening::learn(5, &[&flat]).is_none());
    }
}
