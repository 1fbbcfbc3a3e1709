//! Which 64 bits do two encodings of one picture share? The signs of its low frequencies.

use std::f32::consts::PI;
use std::sync::LazyLock;

use super::picture::{Picture, resize};

/// Side of the small grey picture that is transformed.
const SIDE: usize = 32;

/// Frequencies that are kept in each direction.
const KEPT: usize = 8;

/// Coefficients closer to 0 than this are 0: in a flat picture they are noise.
/// In the scale of [`BASIS`], one grey level of difference all over the picture would give 32.
const NOISE: f32 = 0.5;

/// Orthonormal DCT-II: row `u` is `√(2/32) · cos((2x + 1) u π / 64)`, divided by √2 for `u = 0`.
static BASIS: LazyLock<[[f32; SIDE]; KEPT]> = LazyLock::new(|| {
    std::array::from_fn(|u| {
        let scale = (if u == 0 { 1.0 } else { 2.0 } / SIDE as f32).sqrt();
        std::array::from_fn(|x| scale * ((2 * x + 1) as f32 * u as f32 * PI / (2 * SIDE) as f32).cos())
    })
});

/// 64-bit perceptual hash: 32 × 32 grey (BT.601) by area average, two-dimensional DCT-II, the lowest 8 × 8 frequencies;
/// bit `8 v + u` says whether coefficient (u, v) is above the median of the 63 that are not the mean.
/// Bit 0, the mean's, is always 0. Pictures of one colour have hash 0.
#[must_use]
pub(super) fn perceptual_hash(picture: &Picture) -> u64 {
    let small = resize(picture, SIDE as u32, SIDE as u32);
    let mut grey = [[0.0_f32; SIDE]; SIDE];
    for (sample, [r, g, b]) in grey.as_flattened_mut().iter_mut().zip(small.rgb.as_chunks::<3>().0) {
        *sample = 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b);
    }
    let dot = |a: &[f32; SIDE], b: &[f32; SIDE]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let mut coefficients = [0.0_f32; KEPT * KEPT];
    for (u, basis) in BASIS.iter().enumerate() {
        let across = grey.map(|row| dot(&row, basis));
        for (v, basis) in BASIS.iter().enumerate() {
            let value = dot(&across, basis);
            coefficients[KEPT * v + u] = if value.abs() < NOISE { 0.0 } else { value };
        }
    }
    let mut sorted = coefficients;
    sorted[1..].sort_by(f32::total_cmp);
    let median = sorted[1 + (KEPT * KEPT - 1) / 2];
    (1..KEPT * KEPT).filter(|&i| coefficients[i] > median).fold(0, |bits, i| bits | 1 << i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, grey: impl Fn(f32, f32) -> f32) -> Picture {
        let value =
            |x: u32, y: u32| grey((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32) as u8;
        let rgb =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [(x, y); 3])).map(|(x, y)| value(x, y));
        Picture { width, height, rgb: rgb.collect(), format: "png" }
    }

    fn hills(x: f32, y: f32) -> f32 {
        128.0 + 60.0 * (x * 7.0).sin() + 50.0 * (y * 5.0 + x * 3.0).cos()
    }

    #[test]
    fn size_and_brightness_hardly_matter() {
        let hash = perceptual_hash(&picture(200, 160, hills));
        for other in [
            picture(90, 70, hills),
            picture(400, 500, hills),
            picture(200, 160, |x, y| hills(x, y) * 0.8 + 20.0),
            picture(200, 160, |x, y| hills(x, y) + if x < 0.02 { 40.0 } else { 0.0 }),
        ] {
            let distance = (hash ^ perceptual_hash(&other)).count_ones();
            assert!(distance <= 6, "{distance} bits differ");
        }
    }

    #[test]
    fn other_pictures_differ_in_many_bits() {
        let hash = perceptual_hash(&picture(200, 160, hills));
        for other in [
            picture(200, 160, |x, y| hills(1.0 - x, y)),
            picture(200, 160, |x, y| hills(y, x)),
            picture(200, 160, |x, y| 255.0 * ((x * 4.0).floor() + (y * 4.0).floor()) % 2.0),
        ] {
            let distance = (hash ^ perceptual_hash(&other)).count_ones();
            assert!(distance >= 16, "{distance} bits differ");
        }
    }

    #[test]
    fn a_flat_picture_has_hash_zero_whatever_its_size() {
        for (width, height) in [(1, 1), (32, 32), (333, 7)] {
            assert_eq!(perceptual_hash(&picture(width, height, |_, _| 77.0)), 0);
        }
    }

    #[test]
    fn a_gradient_sets_the_bits_of_its_direction() {
        // Brighter to the right: the first frequency across is negative, so the bits above the median are others.
        let right = perceptual_hash(&picture(64, 64, |x, _| 255.0 * x));
        let left = perceptual_hash(&picture(64, 64, |x, _| 255.0 * (1.0 - x)));
        assert_eq!(right & 0b10, 0);
        assert_eq!(left & 0b10, 0b10);
        assert_eq!((right | left) & !0xFF, 0, "nothing changes downwards");
    }
}
