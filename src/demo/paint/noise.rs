//! What breaks up a flat colour? Lattice noise: gradient noise after Perlin, value noise, and sums of octaves.

#[inline]
fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// White noise on a lattice, in [0, 1).
pub fn grain(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / 16_777_216.0
}

/// `f32::floor` is a call into the C library on plain x86-64, and noise does little else.
#[inline]
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(x < whole as f32)
}

#[inline]
fn cell(x: f32, y: f32) -> (i32, i32, f32, f32) {
    let (ix, iy) = (floor(x), floor(y));
    (ix, iy, x - ix as f32, y - iy as f32)
}

/// Value noise in [0, 1]: soft patches about one unit wide.
pub fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy, fx, fy) = cell(x, y);
    let (sx, sy) = (fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy));
    let top = grain(ix, iy, seed) * (1.0 - sx) + grain(ix + 1, iy, seed) * sx;
    let low = grain(ix, iy + 1, seed) * (1.0 - sx) + grain(ix + 1, iy + 1, seed) * sx;
    top * (1.0 - sy) + low * sy
}

/// Eight directions. A table, as a branch on random bits is mispredicted more often than not.
const DIRECTIONS: [(f32, f32); 8] = {
    const D: f32 = std::f32::consts::FRAC_1_SQRT_2;
    [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (D, D), (D, -D), (-D, D), (-D, -D)]
};

#[inline]
fn slope(h: u32, x: f32, y: f32) -> f32 {
    let (dx, dy) = DIRECTIONS[(h >> 29) as usize];
    dx * x + dy * y
}

/// Gradient noise, about in [-1, 1].
pub fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy, fx, fy) = cell(x, y);
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (sx, sy) = (fade(fx), fade(fy));
    let a = slope(hash(ix, iy, seed), fx, fy);
    let b = slope(hash(ix + 1, iy, seed), fx - 1.0, fy);
    let c = slope(hash(ix, iy + 1, seed), fx, fy - 1.0);
    let d = slope(hash(ix + 1, iy + 1, seed), fx - 1.0, fy - 1.0);
    let (top, low) = (a + (b - a) * sx, c + (d - c) * sx);
    (top + (low - top) * sy) * 1.5
}

/// Each octave is turned, so that the lattice does not show.
fn turned(x: f32, y: f32) -> (f32, f32) {
    (1.6 * x + 1.2 * y, 1.6 * y - 1.2 * x)
}

/// Octaves of gradient noise, each half as strong and twice as fine; about in [-1, 1].
pub fn fbm(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut x, mut y, mut sum, mut weight) = (x, y, 0.0, 0.5);
    for octave in 0..octaves {
        sum += weight * noise(x, y, seed.wrapping_add(octave));
        (x, y) = turned(x, y);
        weight *= 0.5;
    }
    sum * 1.2
}

/// Octaves of folded noise, in about [0, 1]: crests where the noise crosses zero.
pub fn ridged(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut x, mut y, mut sum, mut weight, mut carry) = (x, y, 0.0, 0.5, 1.0);
    for octave in 0..octaves {
        let fold = 1.0 - noise(x, y, seed.wrapping_add(octave)).abs();
        let crest = fold * fold * carry;
        sum += weight * crest;
        carry = crest.clamp(0.0, 1.0);
        (x, y) = turned(x, y);
        weight *= 0.5;
    }
    sum
}
