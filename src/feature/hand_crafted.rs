//! Which shapes, colours and textures does a picture have? HOG, colour histogram, LBP and a thumbnail.

use super::Extractor;
use super::picture::Picture;

/// The hand-crafted expert: 2743 numbers of a 96×96 canonical picture.
pub struct HandCrafted;

impl Extractor for HandCrafted {
    fn id(&self) -> &'static str {
        "hand-crafted-1"
    }

    fn dim(&self) -> usize {
        2743
    }

    fn extract(&self, _picture: &Picture, _out: &mut [f32]) {
        todo!()
    }
}
