//! How is a scene laid out? GIST: the strength of edges by scale and direction, on a coarse grid.
//!
//! After Oliva and Torralba, "Modeling the shape of the scene", IJCV 42, 2001: the logarithm of brightness, evened out
//! by its local contrast, is filtered by Gabor functions of four scales and eight directions, and the magnitude of
//! each response is averaged over the cells of a 4×4 grid.
//!
//! Filters are applied in the frequency domain. The two coarse scales have no fine frequencies: their responses are
//! computed on a half and a quarter of the points.

use std::cell::RefCell;
use std::f32::consts::PI;
use std::sync::{Arc, LazyLock};

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::picture::{Picture, resize};

const SIDE: usize = 32;
/// Mirrored around the picture, so that its opposite edges do not touch.
const BORDER: usize = 8;
const FIELD: usize = SIDE + 2 * BORDER;
const SCALES: usize = 4;
const DIRECTIONS: usize = 8;
const GRID: usize = 4;
/// Points a side on which each scale's responses are computed.
const POINTS: [usize; SCALES] = [FIELD, FIELD, FIELD / 2, FIELD / 4];
/// How many numbers: by cell (row-major), scale (fine to coarse) and direction.
pub(super) const GIST: usize = GRID * GRID * SCALES * DIRECTIONS;

/// Writes `GIST` numbers.
pub(super) fn gist(picture: &Picture, out: &mut [f32]) {
    let small = resize(picture, SIDE as u32, SIDE as u32);
    BUFFERS.with_borrow_mut(|buffers| BANK.describe(&small.rgb, buffers, out));
}

/// For each number its place in the mirrored picture's.
pub(super) fn mirrored(at: usize) -> usize {
    let (cell, rest) = (at / (SCALES * DIRECTIONS), at % (SCALES * DIRECTIONS));
    let (row, column) = (cell / GRID, cell % GRID);
    let (scale, direction) = (rest / DIRECTIONS, rest % DIRECTIONS);
    let cell = row * GRID + GRID - 1 - column;
    (cell * SCALES + scale) * DIRECTIONS + (DIRECTIONS - direction) % DIRECTIONS
}

static BANK: LazyLock<Bank> = LazyLock::new(Bank::new);

thread_local! {
    /// Kept between pictures.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

#[derive(Default)]
struct Buffers {
    field: Vec<Complex32>,
    smooth: Vec<Complex32>,
    response: Vec<Complex32>,
    turned: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

/// Transforms and filters, which are the same for every picture.
struct Bank {
    /// Lets pass what is coarser than four waves a picture.
    coarse: Vec<f32>,
    /// By scale and direction, on the scale's points; spectra lie transposed.
    filters: Vec<Vec<Complex32>>,
    forward: Arc<dyn Fft<f32>>,
    /// By scale.
    backward: [Arc<dyn Fft<f32>>; SCALES],
}

impl Bank {
    fn new() -> Self {
        let mut planner = FftPlanner::new();
        // Half the power at four waves.
        let width = 4.0 / 2.0_f32.ln().sqrt();
        let coarse = frequencies(FIELD).map(|(x, y)| (-(x * x + y * y) / (width * width)).exp()).collect();
        let filters = (0..SCALES * DIRECTIONS).map(|at| gabor(at / DIRECTIONS, at % DIRECTIONS)).collect();
        Self {
            coarse,
            filters,
            forward: planner.plan_fft_forward(FIELD),
            backward: POINTS.map(|points| planner.plan_fft_inverse(points)),
        }
    }

    fn describe(&self, rgb: &[u8], buffers: &mut Buffers, out: &mut [f32]) {
        let Buffers { field, smooth, response, turned, scratch } = buffers;
        let inside = |at: usize| match at.checked_sub(BORDER) {
            None => BORDER - 1 - at,
            Some(at) if at >= SIDE => 2 * SIDE - 1 - at,
            Some(at) => at,
        };
        field.clear();
        field.extend((0..FIELD * FIELD).map(|at| {
            let from = (inside(at / FIELD) * SIDE + inside(at % FIELD)) * 3;
            let sum: u16 = rgb[from..from + 3].iter().map(|&value| u16::from(value)).sum();
            Complex32::new((f32::from(sum) / 3.0).ln_1p(), 0.0)
        }));
        let scale = 1.0 / (FIELD * FIELD) as f32;
        let backward = self.backward[0].as_ref();
        // What is finer than the coarse, divided by how much of it there is around.
        transform(field, turned, scratch, self.forward.as_ref());
        field.iter_mut().zip(&self.coarse).for_each(|(value, coarse)| *value *= (1.0 - coarse) * scale);
        transform(field, turned, scratch, backward);
        smooth.clear();
        smooth.extend(field.iter().map(|value| Complex32::new(value.re * value.re, 0.0)));
        transform(smooth, turned, scratch, self.forward.as_ref());
        smooth.iter_mut().zip(&self.coarse).for_each(|(value, coarse)| *value *= coarse * scale);
        transform(smooth, turned, scratch, backward);
        for (value, smooth) in field.iter_mut().zip(smooth.iter()) {
            *value = Complex32::new(value.re / (0.2 + smooth.norm().sqrt()), 0.0);
        }
        transform(field, turned, scratch, self.forward.as_ref());
        for (at, filter) in self.filters.iter().enumerate() {
            let points = POINTS[at / DIRECTIONS];
            response.clear();
            response.extend(filter.iter().enumerate().map(|(at, factor)| {
                let (u, v) = (place(at / points, points), place(at % points, points));
                field[u * FIELD + v] * (factor * scale)
            }));
            transform(response, turned, scratch, self.backward[at / DIRECTIONS].as_ref());
            let (border, cell) = (BORDER * points / FIELD, SIDE / GRID * points / FIELD);
            let weight = 1.0 / (cell * cell) as f32;
            for y in 0..GRID * cell {
                let row = &response[(border + y) * points + border..][..GRID * cell];
                for (column, part) in row.chunks_exact(cell).enumerate() {
                    let sum: f32 = part.iter().map(|value| value.norm_sqr().sqrt()).sum();
                    out[((y / cell) * GRID + column) * SCALES * DIRECTIONS + at] += sum * weight;
                }
            }
        }
    }
}

/// The place of a frequency of `points` among those of `FIELD`.
fn place(at: usize, points: usize) -> usize {
    if at < points / 2 { at } else { at + FIELD - points }
}

/// Rows, then columns; the result lies transposed. Not scaled.
fn transform(
    values: &mut Vec<Complex32>,
    turned: &mut Vec<Complex32>,
    scratch: &mut Vec<Complex32>,
    fft: &dyn Fft<f32>,
) {
    let side = fft.len();
    turned.resize(values.len(), Complex32::default());
    scratch.resize(scratch.len().max(fft.get_inplace_scratch_len()), Complex32::default());
    fft.process_with_scratch(values, scratch);
    for (at, row) in values.chunks_exact(side).enumerate() {
        for (to, value) in turned.chunks_exact_mut(side).zip(row) {
            to[at] = *value;
        }
    }
    fft.process_with_scratch(turned, scratch);
    std::mem::swap(values, turned);
}

/// Waves a field in x and y for every point of a transposed spectrum.
fn frequencies(points: usize) -> impl Iterator<Item = (f32, f32)> {
    let waves = move |at: usize| if at < points / 2 { at as f32 } else { at as f32 - points as f32 };
    (0..points * points).map(move |at| (waves(at / points), waves(at % points)))
}

/// One Gabor function's transfer, 1 at its own frequency and direction.
fn gabor(scale: usize, direction: usize) -> Vec<Complex32> {
    let own = 0.35 / 1.85_f32.powi(scale as i32) * FIELD as f32;
    let turn = PI * direction as f32 / DIRECTIONS as f32;
    let narrow = 16.0 * (DIRECTIONS * DIRECTIONS) as f32 / (32.0 * 32.0);
    // Where few points stand for many they lie in the middle of those, as they do in the mirrored picture.
    let middle = (FIELD / POINTS[scale] - 1) as f32 / 2.0;
    let fastest = (POINTS[scale] / 2) as f32;
    frequencies(POINTS[scale])
        .map(|(x, y)| {
            // The fastest wave has no opposite among the points: it would answer to one side only.
            if x == -fastest || y == -fastest {
                return Complex32::default();
            }
            let radius = x.hypot(y) / own - 1.0;
            let angle = (y.atan2(x) + turn + PI).rem_euclid(2.0 * PI) - PI;
            let strength = (-3.5 * radius * radius - 2.0 * PI * narrow * angle * angle).exp();
            Complex32::from_polar(strength, 2.0 * PI * middle * (x + y) / FIELD as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(colour: impl Fn(usize, usize) -> u8) -> Vec<f32> {
        let rgb = (0..SIDE * SIDE).flat_map(|at| [colour(at % SIDE, at / SIDE); 3]).collect();
        let mut out = vec![0.0; GIST];
        gist(&Picture { width: SIDE as u32, height: SIDE as u32, rgb, format: "png" }, &mut out);
        out
    }

    #[test]
    fn direction_scale_and_place_of_stripes_are_told() {
        // Upright stripes, 2.7 pixels apart, on the left half only.
        let stripes =
            |x: usize| if x < 16 { (128.0 + 90.0 * (x as f32 * 2.0 * PI * 0.35).cos()) as u8 } else { 128 };
        let upright = numbers(|x, _| stripes(x));
        let strongest = (0..GIST).max_by(|&a, &b| upright[a].total_cmp(&upright[b])).unwrap();
        assert_eq!(strongest % (SCALES * DIRECTIONS), 0, "finest scale, direction 0");
        assert!(strongest / (SCALES * DIRECTIONS) % GRID < 2, "on the left");
        let lying = numbers(|_, y| stripes(y));
        let strongest = (0..GIST).max_by(|&a, &b| lying[a].total_cmp(&lying[b])).unwrap();
        assert_eq!(strongest % (SCALES * DIRECTIONS), DIRECTIONS / 2, "a right angle further");
        assert!(strongest / (SCALES * DIRECTIONS) / GRID < 2, "at the top");
    }

    #[test]
    fn a_mirrored_picture_has_the_same_numbers_at_other_places() {
        let draw = |x: usize, y: usize| ((x * x * 3 + y * 7 + x * y) % 251) as u8;
        let (one, other) = (numbers(draw), numbers(|x, y| draw(SIDE - 1 - x, y)));
        for (at, value) in one.iter().enumerate() {
            assert!((value - other[mirrored(at)]).abs() < 1e-4, "{at}");
        }
        assert!(numbers(|_, _| 90).iter().all(|value| value.abs() < 1e-4), "nothing in a flat picture");
    }
}
