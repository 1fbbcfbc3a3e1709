//! Which patches are typical? Whitening and k-means over random patches of pictures.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use half::f16;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::{DIM, PATCH, PLACES, WORDS, canonical, cut};
use crate::feature::picture::Picture;

/// Rounds of k-means.
const ROUNDS: usize = 10;
/// Added to every variance before whitening, so that directions of noise are not blown up.
const SMOOTHING: f64 = 0.1;
/// Patches of one product: fixed, so that no sum depends on the number of threads.
const BLOCK: usize = 2048;

/// Learns whitening and typical patches from `count` random patches of these pictures and of their quarters and
/// middles: what `assets/patch-dictionary.bin` holds. The second half of the typical patches mirrors the first.
/// `None` without pictures.
#[must_use]
pub fn learn(pictures: &[Picture], count: usize, seed: u64) -> Option<Vec<u8>> {
    /// Of the typical patches that are found, the others are their mirror images.
    const FOUND: usize = WORDS / 2;
    if pictures.is_empty() {
        return None;
    }
    let small: Vec<Vec<u8>> = pictures.par_iter().flat_map_iter(views).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |limit: usize| (rng.next_u64() % limit as u64) as usize;
    let mut patches = vec![0.0_f32; 2 * count * DIM];
    let (drawn, opposite) = patches.split_at_mut(count * DIM);
    for (patch, opposite) in drawn.chunks_exact_mut(DIM).zip(opposite.chunks_exact_mut(DIM)) {
        cut(&small[below(small.len())], below(PLACES), below(PLACES), patch);
        mirror(patch, opposite);
    }
    let (mean, whitening) = whitening_of(&patches);
    patches.truncate(count * DIM);
    let whitened = whiten(&patches, &mean, &whitening);
    let mut words = vec![0.0_f32; WORDS * DIM];
    for word in words[..FOUND * DIM].chunks_exact_mut(DIM) {
        let from = below(count) * DIM;
        word.copy_from_slice(&whitened[from..from + DIM]);
    }
    let complete = |words: &mut [f32]| {
        let (found, opposite) = words.split_at_mut(FOUND * DIM);
        found.chunks_exact(DIM).zip(opposite.chunks_exact_mut(DIM)).for_each(|(word, to)| mirror(word, to));
    };
    complete(&mut words);
    let mut turned = vec![0.0; DIM];
    for _ in 0..ROUNDS {
        let nearest = nearest_words(&whitened, &words);
        let mut sums = vec![0.0_f64; FOUND * DIM];
        let mut counts = [0_usize; FOUND];
        for (patch, &word) in whitened.chunks_exact(DIM).zip(&nearest) {
            // A patch like a word's mirror image is one like the word, mirrored.
            let patch = if word < FOUND {
                patch
            } else {
                mirror(patch, &mut turned);
                &turned
            };
            let word = word % FOUND;
            counts[word] += 1;
            let sum = &mut sums[word * DIM..(word + 1) * DIM];
            sum.iter_mut().zip(patch).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for ((word, sum), members) in words.chunks_exact_mut(DIM).zip(sums.chunks_exact(DIM)).zip(counts) {
            if members == 0 {
                let from = below(count) * DIM;
                word.copy_from_slice(&whitened[from..from + DIM]);
                continue;
            }
            word.iter_mut().zip(sum).for_each(|(x, sum)| *x = (sum / members as f64) as f32);
        }
        complete(&mut words);
    }
    let values = mean.iter().chain(&whitening).chain(&words);
    Some(values.flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect())
}

/// The picture, its quarters and its middle, each at the canonical size.
fn views(picture: &Picture) -> Vec<Vec<u8>> {
    let (width, height) = (picture.width / 2, picture.height / 2);
    let mut views = vec![canonical(picture)];
    if width > 0 && height > 0 {
        let corners = [(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)];
        views.extend(corners.map(|(x, y)| canonical(&part(picture, x, y, width, height))));
    }
    views
}

fn part(picture: &Picture, x: u32, y: u32, width: u32, height: u32) -> Picture {
    let row = |y: u32| {
        let start = (y * picture.width + x) as usize * 3;
        &picture.rgb[start..start + width as usize * 3]
    };
    let rgb = (y..y + height).flat_map(row).copied().collect();
    Picture { width, height, rgb, format: picture.format }
}

fn mirror(patch: &[f32], out: &mut [f32]) {
    for (row, out) in patch.chunks_exact(PATCH * 3).zip(out.chunks_exact_mut(PATCH * 3)) {
        row.chunks_exact(3)
            .zip(out.chunks_exact_mut(3).rev())
            .for_each(|(pixel, out)| out.copy_from_slice(pixel));
    }
}

/// The mean patch, and the symmetric matrix after which all directions vary (nearly) equally.
fn whitening_of(patches: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let count = patches.len() / DIM;
    let mut mean = vec![0.0_f64; DIM];
    for patch in patches.chunks_exact(DIM) {
        mean.iter_mut().zip(patch).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    for sum in &mut mean {
        *sum /= count as f64;
    }
    let centred: Vec<f64> = patches
        .chunks_exact(DIM)
        .flat_map(|patch| patch.iter().zip(&mean).map(|(&x, mean)| f64::from(x) - mean))
        .collect();
    let centred = MatRef::from_row_major_slice(&centred, count, DIM);
    let mut covariance = Mat::<f64>::zeros(DIM, DIM);
    let scale = 1.0 / count as f64;
    matmul(covariance.as_mut(), Accum::Replace, centred.transpose(), centred, scale, Par::Seq);
    let eigen = covariance.self_adjoint_eigen(Side::Lower).expect("a covariance is finite and symmetric");
    let (vectors, variances) = (eigen.U(), eigen.S().column_vector());
    let factor = |at: usize| 1.0 / (variances[at].max(0.0) + SMOOTHING).sqrt();
    let scaled = Mat::from_fn(DIM, DIM, |row, column| vectors[(row, column)] * factor(column));
    let whitening = scaled * vectors.transpose();
    let values = (0..DIM * DIM).map(|at| whitening[(at % DIM, at / DIM)] as f32).collect();
    (mean.iter().map(|&mean| mean as f32).collect(), values)
}

fn whiten(patches: &[f32], mean: &[f32], whitening: &[f32]) -> Vec<f32> {
    let centred: Vec<f32> = patches
        .chunks_exact(DIM)
        .flat_map(|patch| patch.iter().zip(mean).map(|(x, mean)| x - mean))
        .collect();
    let mut whitened = vec![0.0; patches.len()];
    let count = patches.len() / DIM;
    matmul(
        MatMut::from_row_major_slice_mut(&mut whitened, count, DIM),
        Accum::Replace,
        MatRef::from_row_major_slice(&centred, count, DIM),
        MatRef::from_column_major_slice(whitening, DIM, DIM),
        1.0,
        Par::Seq,
    );
    whitened
}

/// For each patch the nearest word.
fn nearest_words(whitened: &[f32], words: &[f32]) -> Vec<usize> {
    let squares: Vec<f32> = words.chunks_exact(DIM).map(|word| word.iter().map(|x| x * x).sum()).collect();
    whitened
        .par_chunks(BLOCK * DIM)
        .flat_map_iter(|patches| {
            let count = patches.len() / DIM;
            let mut products = vec![0.0_f32; count * WORDS];
            matmul(
                MatMut::from_row_major_slice_mut(&mut products, count, WORDS),
                Accum::Replace,
                MatRef::from_row_major_slice(patches, count, DIM),
                MatRef::from_column_major_slice(words, DIM, WORDS),
                1.0,
                Par::Seq,
            );
            let nearest: Vec<usize> = products
                .chunks_exact(WORDS)
                .map(|products| {
                    let distance = |word: usize| squares[word] - 2.0 * products[word];
                    (0..WORDS).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
                })
                .collect();
            nearest
        })
        .collect()
}
