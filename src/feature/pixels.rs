//! Which pixels does a learner see? The picture itself, squeezed into a small square.

use super::Extractor;
use super::picture::{Picture, resize};

/// Pixels of a square: red, green, blue of each, row-major, from 0 to 255.
pub struct Pixels {
    id: &'static str,
    side: u32,
}

impl Pixels {
    /// For pictures that are about this small themselves.
    pub const SMALL: Self = Self { id: "pixels-32-1", side: 32 };
    /// For photos.
    pub const LARGE: Self = Self { id: "pixels-64-1", side: 64 };

    /// Pixels a side.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side as usize
    }
}

impl Extractor for Pixels {
    fn id(&self) -> &'static str {
        self.id
    }

    fn dim(&self) -> usize {
        self.side() * self.side() * 3
    }

    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        let square = resize(picture, self.side, self.side);
        out.iter_mut().zip(&square.rgb).for_each(|(out, &value)| *out = f32::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_are_kept_and_others_squeezed() {
        let rgb: Vec<u8> = (0..32 * 32 * 3).map(|at| (at % 251) as u8).collect();
        let picture = Picture { width: 32, height: 32, rgb, format: "png" };
        let mut out = vec![0.0; Pixels::SMALL.dim()];
        Pixels::SMALL.extract(&picture, &mut out);
        assert!(out.iter().zip(&picture.rgb).all(|(out, value)| *out == f32::from(*value)));
        let wide = Picture { width: 300, height: 100, rgb: [10, 20, 30].repeat(30_000), format: "png" };
        let mut out = vec![0.0; Pixels::LARGE.dim()];
        Pixels::LARGE.extract(&wide, &mut out);
        assert!(out.chunks(3).all(|pixel| pixel == [10.0, 20.0, 30.0]));
    }
}
