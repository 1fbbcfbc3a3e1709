//! Of which steps is a network made? Convolution, maximum, moments, on plain slices.
//!
//! Numbers lie as (row, picture, column, channel), so that the pictures of one row are neighbours: with each pixel's
//! left and right neighbours written beside it, a convolution is three plain matrix products, one for each row of the
//! kernel, on three overlapping stretches of the same memory. Nearly all time is in those products.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Pixels whose sums are taken in single precision before they are added in double precision.
pub(super) const BLOCK: usize = 64;

/// Writes beside each pixel its left and its right neighbour, and a row of zeros above and below.
pub(super) fn expand(input: &[f32], side: usize, pictures: usize, channels: usize, out: &mut Vec<f32>) {
    let wide = 3 * channels;
    let band = pictures * side * wide;
    out.resize((side + 2) * band, 0.0);
    out[..band].fill(0.0);
    out[(side + 1) * band..].fill(0.0);
    let lines = out[band..(side + 1) * band].chunks_exact_mut(side * wide);
    for (to, from) in lines.zip(input.chunks_exact(side * channels)) {
        to[..channels].fill(0.0);
        to[channels..wide].copy_from_slice(&from[..2 * channels]);
        let inner = to[wide..(side - 1) * wide].chunks_exact_mut(wide);
        for (to, from) in inner.zip(from.windows(wide).step_by(channels)) {
            to.copy_from_slice(from);
        }
        let last = &mut to[(side - 1) * wide..];
        last[..2 * channels].copy_from_slice(&from[(side - 2) * channels..]);
        last[2 * channels..].fill(0.0);
    }
}

/// The convolution of expanded numbers; `rows` are picture rows.
pub(super) fn convolve(
    expanded: &[f32],
    kernel: &[f32],
    rows: usize,
    inputs: usize,
    outputs: usize,
    out: &mut [f32],
) {
    let pixels = out.len() / outputs;
    let band = (expanded.len() - pixels * 3 * inputs) / 2;
    debug_assert!(pixels.is_multiple_of(rows.max(1)));
    for (tap, kernel) in kernel.chunks_exact(3 * inputs * outputs).enumerate() {
        let seen = &expanded[tap * band..tap * band + pixels * 3 * inputs];
        matmul(
            MatMut::from_row_major_slice_mut(out, pixels, outputs),
            if tap == 0 { Accum::Replace } else { Accum::Add },
            MatRef::from_row_major_slice(seen, pixels, 3 * inputs),
            MatRef::from_row_major_slice(kernel, 3 * inputs, outputs),
            1.0,
            Par::Seq,
        );
    }
}

/// Halves the side: the largest of each 2×2, and which it was. `side` is that of the output.
pub(super) fn largest_of_four(
    wide: &[f32],
    side: usize,
    pictures: usize,
    channels: usize,
    out: &mut [f32],
    picked: &mut [u8],
) {
    let line = side * channels;
    let lines = out.chunks_exact_mut(line).zip(picked.chunks_exact_mut(line)).enumerate();
    for (at, (out, picked)) in lines {
        let (row, picture) = (at / pictures, at % pictures);
        let upper = &wide[((2 * row) * pictures + picture) * 2 * line..][..2 * line];
        let lower = &wide[((2 * row + 1) * pictures + picture) * 2 * line..][..2 * line];
        let pixels = out.chunks_exact_mut(channels).zip(picked.chunks_exact_mut(channels));
        let four = upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels));
        for ((out, picked), (upper, lower)) in pixels.zip(four) {
            let ((a, b), (c, d)) = (upper.split_at(channels), lower.split_at(channels));
            for channel in 0..channels {
                let (mut best, mut which) = (a[channel], 0);
                if b[channel] > best {
                    (best, which) = (b[channel], 1);
                }
                if c[channel] > best {
                    (best, which) = (c[channel], 2);
                }
                if d[channel] > best {
                    (best, which) = (d[channel], 3);
                }
                out[channel] = best;
                picked[channel] = which;
            }
        }
    }
}

/// The way back of [`largest_of_four`]; `wide` is zero before.
pub(super) fn spread(
    slopes: &[f32],
    picked: &[u8],
    side: usize,
    pictures: usize,
    channels: usize,
    wide: &mut [f32],
) {
    let line = side * channels;
    for (at, (slopes, picked)) in slopes.chunks_exact(line).zip(picked.chunks_exact(line)).enumerate() {
        let (row, picture) = (at / pictures, at % pictures);
        let starts = [2 * row, 2 * row + 1].map(|row| (row * pictures + picture) * 2 * line);
        let pixels = slopes.chunks_exact(channels).zip(picked.chunks_exact(channels)).enumerate();
        for (pixel, (slopes, picked)) in pixels {
            for (channel, (&slope, &which)) in slopes.iter().zip(picked).enumerate() {
                let to = starts[usize::from(which >> 1)] + (2 * pixel + usize::from(which & 1)) * channels;
                wide[to + channel] = slope;
            }
        }
    }
}

/// Mean and variance of each channel.
pub(super) fn moments(values: &[f32], channels: usize, mean: &mut Vec<f32>, variance: &mut Vec<f32>) {
    let count = (values.len() / channels) as f64;
    let mut sums = vec![(0.0_f64, 0.0_f64); channels];
    let mut block_sums = vec![0.0_f32; channels];
    let mut block_squares = vec![0.0_f32; channels];
    for block in values.chunks(BLOCK * channels) {
        block_sums.fill(0.0);
        block_squares.fill(0.0);
        for row in block.chunks_exact(channels) {
            for ((sum, square), &value) in block_sums.iter_mut().zip(&mut block_squares).zip(row) {
                *sum += value;
                *square += value * value;
            }
        }
        for ((sum, square), (&s, &q)) in sums.iter_mut().zip(block_sums.iter().zip(&block_squares)) {
            *sum += f64::from(s);
            *square += f64::from(q);
        }
    }
    mean.clear();
    variance.clear();
    for (sum, square) in sums {
        let average = sum / count;
        mean.push(average as f32);
        variance.push((square / count - average * average).max(0.0) as f32);
    }
}
