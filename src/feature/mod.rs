//! What does each image look like, as numbers?
//!
//! Three steps, each cached by content so that a second run computes nothing:
//! [`fingerprint`] reads every file once and hashes it;
//! [`look`] decodes pictures and notes size, perceptual hash and the extractors' numbers;
//! [`embed`] gathers one extractor's numbers as a matrix.

mod cache;
mod directions;
mod fingerprint;
mod gist;
mod graph;
mod hand_crafted;
mod hash_index;
pub mod local;
mod look;
mod neighbors;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "onnx")]
mod onnx_structure;
mod patch_dictionary;
mod perceptual;
pub mod picture;
mod pixels;
mod principal;
mod project2d;
mod quality;
mod similar;
mod supplied;
pub mod thumbnail;

pub use cache::Cache;
pub use directions::{Part, directions};
pub use fingerprint::{Fingerprints, fingerprint};
pub use graph::{EXACT, graph_by_cells, neighbor_graph, neighbors_of};
pub use hand_crafted::HandCrafted;
pub use hash_index::{HashIndex, NearHash, RADIUS};
pub use look::{Embeddings, Look, Looks, embed, look};
pub use neighbors::{Hit, Nearest, nearest, nearest_allowed};
#[cfg(feature = "onnx")]
pub use onnx::{OnnxError, OnnxModel};
pub use patch_dictionary::{PatchDictionary, learn as learn_patches};
pub use pixels::Pixels;
pub use principal::{DIRECTIONS, Principal};
pub(crate) use principal::{PRODUCT_ROWS, subspace};
pub use project2d::project2d;
pub use quality::Quality;
pub use similar::{most_similar, most_similar_to};
pub use supplied::{Number, Supplied, SuppliedError, read_supplied};
pub use thumbnail::Thumbnail;

use crate::task::Cancelled;
use picture::Picture;

/// Turns one picture into numbers.
pub trait Extractor: Sync {
    /// Name and version, such as `hand-crafted-1`: cached numbers are found by it, so it changes with the algorithm.
    fn id(&self) -> &str;
    /// How many numbers.
    fn dim(&self) -> usize;
    /// Writes `dim()` numbers for the picture; deterministic.
    fn extract(&self, picture: &Picture, out: &mut [f32]);
    /// For each number its place among those of the mirrored picture, if mirroring only moves them.
    fn mirror(&self) -> Option<Vec<u32>> {
        None
    }
}

/// Every extractor that needs nothing but the picture.
pub static EXTRACTORS: &[&dyn Extractor] = &[&HandCrafted, &PatchDictionary, &Thumbnail];

/// Why numbers could not be had at all; trouble with one picture is a warning instead.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// Somebody cancelled; what was computed is in the cache.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
