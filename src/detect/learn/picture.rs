//! How does a network get to see a picture? Never twice the same while it learns: mirrored, moved, scaled, turned.

use faer::{MatRef, Side};
use rand_chacha::rand_core::Rng;

/// Numbers of a 3×3 patch.
pub(super) const PATCH: usize = 27;
/// Pictures from which the ways of varying are learnt; more would not turn them.
const SAMPLES: usize = 1000;

/// Square RGB pictures, 8 bit, all of one side.
#[derive(Debug, Clone, Default)]
pub(super) struct Pictures {
    /// Pixels a side.
    pub side: usize,
    /// Picture after picture, row-major.
    pub rgb: Vec<u8>,
}

/// How a picture is distorted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Distortion {
    /// From a place relative to the centre, in the network's input, to one in the picture: x' = a·x + b·y + c.
    map: [f32; 6],
    /// Left, top, side of a square that is blanked.
    hole: [i32; 3],
    /// Factor and offset of each colour.
    colours: [(f32, f32); 3],
}

/// How much pictures are distorted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strength {
    /// Of a side, the furthest move.
    pub shift: f32,
    /// The largest change of scale, as a logarithm.
    pub scale: f32,
    /// The largest turn, radians.
    pub turn: f32,
    /// Of a side, the side of the hole.
    pub hole: f32,
    /// Of the range, the largest change of a colour.
    pub colour: f32,
}

fn uniform(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1_u32 << 23) as f32 - 1.0
}

impl Distortion {
    /// As the picture is, or mirrored, moved by whole pixels.
    pub fn plain(mirrored: bool, dx: f32, dy: f32) -> Self {
        let a = if mirrored { -1.0 } else { 1.0 };
        Self { map: [a, 0.0, dx, 0.0, 1.0, dy], hole: [0; 3], colours: [(1.0, 0.0); 3] }
    }

    pub fn random(strength: &Strength, side: usize, mirrored: bool, rng: &mut impl Rng) -> Self {
        let length = side as f32;
        // All are drawn whether used or not, so that one setting does not change another's chances.
        let [zoom, stretch, turn, dx, dy, left, top, light] = std::array::from_fn(|_| uniform(rng));
        let colours = std::array::from_fn(|_| {
            let own = uniform(rng);
            (1.0 + strength.colour * uniform(rng), strength.colour * (0.7 * light + 0.3 * own))
        });
        let scale = (strength.scale * zoom).exp();
        let aspect = (0.5 * strength.scale * stretch).exp();
        let (sin, cos) = (strength.turn * turn).sin_cos();
        let flip = if mirrored { -1.0 } else { 1.0 };
        let mut shift = [dx, dy].map(|d| d * strength.shift * length);
        if strength.scale == 0.0 && strength.turn == 0.0 {
            shift = shift.map(f32::round);
        }
        let (x, y) = (scale * aspect, scale / aspect);
        let hole = (strength.hole * length) as i32;
        let place = |v: f32| ((0.5 + 0.5 * v) * length) as i32 - hole / 2;
        Self {
            map: [flip * cos * x, -sin * y, shift[0], flip * sin * x, cos * y, shift[1]],
            hole: [place(left), place(top), hole],
            colours,
        }
    }
}

impl Pictures {
    /// Mean and deviation of each colour among `rows`.
    pub fn colours(&self, rows: &[u32]) -> [(f32, f32); 3] {
        let size = self.side * self.side * 3;
        let mut sums = [(0_u64, 0_u64); 3];
        for &row in rows {
            for pixel in self.rgb[row as usize * size..(row as usize + 1) * size].as_chunks::<3>().0 {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    sum.0 += u64::from(value);
                    sum.1 += u64::from(value) * u64::from(value);
                }
            }
        }
        let count = (rows.len() * self.side * self.side).max(1) as f64;
        sums.map(|(sum, square)| {
            let mean = sum as f64 / count;
            let variance = (square as f64 / count - mean * mean).max(0.0);
            (mean as f32, variance.sqrt().max(1.0) as f32)
        })
    }

    /// In which ways do 3×3 patches of `rows` vary? Directions of (row, column, colour), the most varying first.
    pub fn directions(&self, rows: &[u32], colours: &[(f32, f32); 3]) -> Vec<[f32; PATCH]> {
        let (side, plain) = (self.side, Distortion::plain(false, 0.0, 0.0));
        let mut pixels = vec![0.0; side * side * 3];
        let mut products = vec![0.0_f64; PATCH * PATCH];
        let step = rows.len().div_ceil(SAMPLES).max(1);
        for &row in rows.iter().step_by(step) {
            self.write(row, &plain, colours, 0, 1, &mut pixels);
            for y in (0..side - 2).step_by(4) {
                for x in (0..side - 2).step_by(4) {
                    let patch: [f32; PATCH] =
                        std::array::from_fn(|at| pixels[((y + at / 9) * side + x + at / 3 % 3) * 3 + at % 3]);
                    for (line, a) in products.chunks_exact_mut(PATCH).zip(&patch) {
                        line.iter_mut().zip(&patch).for_each(|(sum, b)| *sum += f64::from(a * b));
                    }
                }
            }
        }
        let products = MatRef::from_column_major_slice(&products, PATCH, PATCH);
        // Fails only on numbers that are none; there are none.
        let Ok(eigen) = products.self_adjoint_eigen(Side::Lower) else { return Vec::new() };
        let column = |at: usize| std::array::from_fn(|row| eigen.U()[(row, at)] as f32);
        (0..PATCH).rev().map(column).collect()
    }

    /// Writes the picture at `row` as `slot` of `slots`, in the network's order, colours normalised.
    pub fn write(
        &self,
        row: u32,
        distortion: &Distortion,
        colours: &[(f32, f32); 3],
        slot: usize,
        slots: usize,
        out: &mut [f32],
    ) {
        let side = self.side;
        let rgb = &self.rgb[row as usize * side * side * 3..][..side * side * 3];
        let lines: [(f32, f32); 3] = std::array::from_fn(|c| {
            let (mean, deviation) = colours[c];
            let (factor, offset) = distortion.colours[c];
            // Around the middle of the colour, so that a factor does not brighten.
            (factor / deviation, offset - mean * factor / deviation)
        });
        let [a, b, c, d, e, f] = distortion.map;
        let [left, top, hole] = distortion.hole;
        let centre = (side as f32 - 1.0) / 2.0;
        let limit = side as f32 - 1.0;
        for (y, line) in out.chunks_exact_mut(slots * side * 3).enumerate() {
            let line = &mut line[slot * side * 3..(slot + 1) * side * 3];
            let dy = y as f32 - centre;
            let blank_row = (top..top + hole).contains(&(y as i32));
            for (x, pixel) in line.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                if blank_row && (left..left + hole).contains(&(x as i32)) {
                    *pixel = [0.0; 3];
                    continue;
                }
                let dx = x as f32 - centre;
                let from_x = (a * dx + b * dy + c + centre).clamp(0.0, limit);
                let from_y = (d * dx + e * dy + f + centre).clamp(0.0, limit);
                let (x0, y0) = (from_x as usize, from_y as usize);
                let (tx, ty) = (from_x - x0 as f32, from_y - y0 as f32);
                let (x1, y1) = ((x0 + 1).min(side - 1), (y0 + 1).min(side - 1));
                let at = |x: usize, y: usize| &rgb[(y * side + x) * 3..][..3];
                let (p, q, r, s) = (at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1));
                for channel in 0..3 {
                    let upper = f32::from(p[channel]) * (1.0 - tx) + f32::from(q[channel]) * tx;
                    let lower = f32::from(r[channel]) * (1.0 - tx) + f32::from(s[channel]) * tx;
                    let value = upper * (1.0 - ty) + lower * ty;
                    pixel[channel] = value * lines[channel].0 + lines[channel].1;
                }
            }
        }
    }
}
