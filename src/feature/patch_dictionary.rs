//! Which typical small patches is a picture made of, and where? Single-layer k-means features.
//!
//! After Coates, Lee and Ng, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning", AISTATS 2011:
//! every 6×6 patch of the picture at 32×32 is normalised and whitened, and compared with 400 typical patches.
//! Each of these answers by how much nearer than average it is (0 if it is not), summed over the quarters of the picture.
//!
//! The typical patches and the whitening were learnt once, from photos under CC0 ([`learn`] made
//! `assets/patch-dictionary.bin`): numbers then depend on the picture alone and can be kept for ever.

mod learn;

pub use learn::learn;

use std::cell::RefCell;
use std::sync::LazyLock;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use half::f16;

use super::Extractor;
use super::picture::{Picture, resize};

const SIDE: usize = 32;
const PATCH: usize = 6;
/// Numbers of a patch.
const DIM: usize = PATCH * PATCH * 3;
/// Places of a patch along a side.
const PLACES: usize = SIDE - PATCH + 1;
/// Typical patches.
const WORDS: usize = 400;
/// The picture's quarters.
const CELLS: usize = 4;
/// What each place is multiplied with: the whitening, then the whitened typical patches.
const COLUMNS: usize = DIM + WORDS;

/// The expert for parts: 1600 numbers of a 32×32 canonical picture.
pub struct PatchDictionary;

impl Extractor for PatchDictionary {
    fn id(&self) -> &'static str {
        "patch-dictionary-2"
    }

    fn dim(&self) -> usize {
        CELLS * WORDS
    }

    /// The second half of the typical patches are the first half's mirror images.
    fn mirror(&self) -> Option<Vec<u32>> {
        let opposite = |at: usize| {
            let (cell, word) = (at / WORDS, at % WORDS);
            (cell ^ 1) * WORDS + (word + WORDS / 2) % WORDS
        };
        Some((0..self.dim()).map(|at| opposite(at) as u32).collect())
    }

    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        out.fill(0.0);
        if picture.width == 0 || picture.height == 0 {
            return;
        }
        BUFFERS.with_borrow_mut(|buffers| SHIPPED.describe(&canonical(picture), buffers, out));
    }
}

/// The dictionary that is part of the program.
static SHIPPED: LazyLock<Dictionary> = LazyLock::new(|| {
    let (bytes, _) = include_bytes!("../../assets/patch-dictionary.bin").as_chunks::<2>();
    let values: Vec<f32> = bytes.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect();
    let (mean, rest) = values.split_at(DIM);
    let (whitening, words) = rest.split_at(DIM * DIM);
    Dictionary::new(mean, whitening, words)
});

thread_local! {
    /// Kept between pictures.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

#[derive(Default)]
struct Buffers {
    /// `PLACES² × DIM`, row-major: normalised patches.
    patches: Vec<f32>,
    /// `PLACES² × COLUMNS`, row-major.
    products: Vec<f32>,
}

fn canonical(picture: &Picture) -> Vec<u8> {
    resize(picture, SIDE as u32, SIDE as u32).rgb
}

/// Whitening and typical patches.
struct Dictionary {
    /// `DIM × COLUMNS`, column-major: the whitening, and the typical patches with the whitening folded in.
    filters: Vec<f32>,
    /// What the mean patch gives, to be subtracted.
    offsets: Vec<f32>,
    /// Squared lengths of the typical patches.
    squares: Vec<f32>,
}

impl Dictionary {
    /// From the mean patch, the whitening (symmetric) and the whitened typical patches, one after the other.
    fn new(mean: &[f32], whitening: &[f32], words: &[f32]) -> Self {
        let mut filters = whitening.to_vec();
        filters.resize(DIM * COLUMNS, 0.0);
        matmul(
            MatMut::from_column_major_slice_mut(&mut filters[DIM * DIM..], DIM, WORDS),
            Accum::Replace,
            MatRef::from_column_major_slice(whitening, DIM, DIM),
            MatRef::from_column_major_slice(words, DIM, WORDS),
            1.0,
            Par::Seq,
        );
        let dot = |column: &[f32]| column.iter().zip(mean).map(|(a, b)| a * b).sum();
        let offsets = filters.chunks_exact(DIM).map(dot).collect();
        let squares = words.chunks_exact(DIM).map(|word| word.iter().map(|x| x * x).sum()).collect();
        Self { filters, offsets, squares }
    }

    /// Writes `CELLS × WORDS` numbers for a `SIDE × SIDE` picture.
    fn describe(&self, rgb: &[u8], buffers: &mut Buffers, out: &mut [f32]) {
        let Buffers { patches, products } = buffers;
        patches.resize(PLACES * PLACES * DIM, 0.0);
        products.resize(PLACES * PLACES * COLUMNS, 0.0);
        for (place, patch) in patches.chunks_exact_mut(DIM).enumerate() {
            cut(rgb, place % PLACES, place / PLACES, patch);
        }
        matmul(
            MatMut::from_row_major_slice_mut(products, PLACES * PLACES, COLUMNS),
            Accum::Replace,
            MatRef::from_row_major_slice(patches, PLACES * PLACES, DIM),
            MatRef::from_column_major_slice(&self.filters, DIM, COLUMNS),
            1.0,
            Par::Seq,
        );
        for (place, products) in products.chunks_exact_mut(COLUMNS).enumerate() {
            let (x, y) = (place % PLACES, place / PLACES);
            let cell = (y * 2 / PLACES) * 2 + x * 2 / PLACES;
            self.answer(products, &mut out[cell * WORDS..(cell + 1) * WORDS]);
        }
    }

    /// Adds how much nearer than average each typical patch is.
    fn answer(&self, products: &mut [f32], out: &mut [f32]) {
        for (product, offset) in products.iter_mut().zip(&self.offsets) {
            *product -= offset;
        }
        let (whitened, products) = products.split_at_mut(DIM);
        let square = sum_of(whitened, |x| x * x);
        for (product, word) in products.iter_mut().zip(&self.squares) {
            *product = (square + word - 2.0 * *product).max(0.0).sqrt();
        }
        let mean = sum_of(products, |x| x) / WORDS as f32;
        for (out, distance) in out.iter_mut().zip(products) {
            *out += (mean - *distance).max(0.0);
        }
    }
}

/// In lanes, which the compiler may then add at once; the order is fixed all the same.
fn sum_of(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 4];
    for chunk in values.as_chunks::<4>().0 {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += f(value);
        }
    }
    lanes.iter().sum()
}

/// The patch at a place, its brightness and contrast normalised.
fn cut(rgb: &[u8], x: usize, y: usize, patch: &mut [f32]) {
    for (row, patch) in patch.chunks_exact_mut(PATCH * 3).enumerate() {
        let from = ((y + row) * SIDE + x) * 3;
        for (to, &value) in patch.iter_mut().zip(&rgb[from..from + PATCH * 3]) {
            *to = f32::from(value);
        }
    }
    let mean = sum_of(patch, |x| x) / DIM as f32;
    let variance = sum_of(patch, |x| (x - mean) * (x - mean)) / (DIM - 1) as f32;
    // Ten keeps the noise of a flat patch from being blown up into structure.
    let factor = 1.0 / (variance + 10.0).sqrt();
    for value in patch {
        *value = (*value - mean) * factor;
    }
}
