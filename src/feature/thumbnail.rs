//! What does a picture look like, small? For detectors that compare whole pictures place by place.

use super::Extractor;
use super::picture::{Picture, resize};

/// Side of the brightness plane.
pub const LUMA_SIDE: usize = 64;
/// Side of each of the two colour planes.
pub const CHROMA_SIDE: usize = 16;
const LUMA: usize = LUMA_SIDE * LUMA_SIDE;
const CHROMA: usize = CHROMA_SIDE * CHROMA_SIDE;

/// The picture squeezed to a square: 64×64 brightness (BT.601, 0 to 255), then 16×16 of each colour difference
/// (blue, red; −128 to 127), all exact in half precision.
pub struct Thumbnail;

impl Thumbnail {
    /// How many numbers.
    pub const DIM: usize = LUMA + 2 * CHROMA;
}

impl Extractor for Thumbnail {
    fn id(&self) -> &'static str {
        "thumbnail-1"
    }

    fn dim(&self) -> usize {
        Self::DIM
    }

    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        out.fill(0.0);
        if picture.width == 0 || picture.height == 0 {
            return;
        }
        let small = resize(picture, LUMA_SIDE as u32, LUMA_SIDE as u32);
        let (luma, chroma) = out.split_at_mut(LUMA);
        let (blue, red) = chroma.split_at_mut(CHROMA);
        let step = LUMA_SIDE / CHROMA_SIDE;
        for (at, [r, g, b]) in small.rgb.as_chunks::<3>().0.iter().enumerate() {
            let [r, g, b] = [r, g, b].map(|value| f32::from(*value));
            luma[at] = 0.299 * r + 0.587 * g + 0.114 * b;
            let cell = at / LUMA_SIDE / step * CHROMA_SIDE + at % LUMA_SIDE / step;
            blue[cell] += -0.168_736 * r - 0.331_264 * g + 0.5 * b;
            red[cell] += 0.5 * r - 0.418_688 * g - 0.081_312 * b;
        }
        for value in luma.iter_mut() {
            *value = value.round();
        }
        for value in blue.iter_mut().chain(red) {
            *value = (*value / (step * step) as f32).round();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_a_two_coloured_picture() {
        let rgb = (0..8).flat_map(|x| if x < 4 { [255, 0, 0] } else { [0, 0, 255] }).collect();
        let picture = Picture { width: 8, height: 1, rgb, format: "png" };
        let mut out = vec![f32::NAN; Thumbnail::DIM];
        Thumbnail.extract(&picture, &mut out);
        assert_eq!((out[0], out[63]), (76.0, 29.0));
        assert_eq!((out[LUMA], out[LUMA + 15]), (-43.0, 128.0));
        assert_eq!((out[LUMA + CHROMA], out[LUMA + CHROMA + 15]), (128.0, -21.0));
        Thumbnail.extract(&Picture { width: 0, height: 0, rgb: vec![], format: "png" }, &mut out);
        assert!(out.iter().all(|value| *value == 0.0));
    }
}
