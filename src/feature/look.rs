//! What is seen when a picture is decoded once? Its size, its perceptual hash, the extractors' numbers.

use half::f16;

use super::{Cache, Extractor, FeatureError, Fingerprints};
use crate::model::Warning;
use crate::source::Dataset;
use crate::task::Task;

/// What one decoded picture looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Pixels, after EXIF orientation.
    pub width: u32,
    /// Pixels, after EXIF orientation.
    pub height: u32,
    /// The format of the bytes (not of the name): `png`, `jpeg`, `webp`, `gif`, `bmp`, `tiff`.
    pub format: &'static str,
    /// 64-bit DCT perceptual hash; near pictures differ in few bits.
    pub perceptual_hash: u64,
}

/// Looks at pictures by row.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// By row of the version; `None` where not asked for or not readable.
    pub rows: Vec<Option<Look>>,
    /// One for each picture that could not be decoded or whose name lies about its format, by key.
    pub warnings: Vec<Warning>,
}

/// One extractor's numbers for some rows.
#[derive(Debug, Clone, Default)]
pub struct Embeddings {
    /// Numbers a row.
    pub dim: usize,
    /// The rows they are for, ascending: only those whose picture could be decoded.
    pub rows: Vec<u32>,
    /// `rows.len() × dim`, row-major.
    pub values: Vec<f16>,
}

/// Decodes the pictures at `rows` (all when `None`) that the cache does not know yet,
/// and notes their look and every extractor's numbers in one go.
/// What is done is stored as it is done: a cancelled or killed run resumes where it was.
pub fn look(
    _dataset: &Dataset,
    _fingerprints: &Fingerprints,
    _rows: Option<&[u32]>,
    _cache: &Cache,
    _task: &Task,
) -> Result<Looks, FeatureError> {
    todo!()
}

/// The numbers of `extractor` for the pictures at `rows` (all when `None`), from the cache where it has them.
pub fn embed(
    _dataset: &Dataset,
    _fingerprints: &Fingerprints,
    _rows: Option<&[u32]>,
    _extractor: &dyn Extractor,
    _cache: &Cache,
    _task: &Task,
) -> Result<Embeddings, FeatureError> {
    todo!()
}
