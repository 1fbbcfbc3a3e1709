//! Do two small pictures have the same structure? Two shirts on one bed have not; a picture and its edited copy have.
//!
//! Where nothing is, everything agrees: only blocks with contrast are asked. In each the brightness of one picture is
//! correlated with that of the other, moved by up to a pixel, so that light, contrast and resampling hardly matter.

use super::align::Grey;
use crate::feature::picture::Picture;

/// Pixels a side of a block.
const BLOCK: usize = 8;
/// A block says something when its brightness varies by so much.
const LEAST_CONTRAST: f32 = 6.0;
/// A block agrees from this correlation.
const AGREES: f32 = 0.8;

/// What the blocks of two pictures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    /// Blocks with contrast.
    pub asked: usize,
    /// Those of them that agree.
    pub agreeing: usize,
}

impl Agreement {
    /// Of two pictures of one size; pictures of other sizes agree in nothing.
    pub fn of(a: &Picture, b: &Picture) -> Self {
        let mut found = Self { asked: 0, agreeing: 0 };
        if (a.width, a.height) != (b.width, b.height) {
            return found;
        }
        let (a, b) = (Grey::of(a), Grey::of(b));
        // Half overlapping, and a pixel inside, so that the other's block can be moved.
        let places = |side: usize| (1..side.saturating_sub(BLOCK)).step_by(BLOCK / 2);
        for (x, y) in places(a.height).flat_map(|y| places(a.width).map(move |x| (x, y))) {
            let own = a.block(x, y);
            let length = own.iter().map(|v| v * v).sum::<f32>().sqrt();
            if length < LEAST_CONTRAST * BLOCK as f32 {
                continue;
            }
            found.asked += 1;
            let best = (0..9).map(|shift| {
                let theirs = b.block(x + shift % 3 - 1, y + shift / 3 - 1);
                let product: f32 = own.iter().zip(&theirs).map(|(a, b)| a * b).sum();
                product / (length * theirs.iter().map(|v| v * v).sum::<f32>().sqrt()).max(1e-3)
            });
            found.agreeing += usize::from(best.fold(0.0, f32::max) >= AGREES);
        }
        found
    }

    /// Whether enough agrees, and enough was asked, to say that a picture was taken from another and edited.
    pub fn convincing(self) -> bool {
        self.asked >= 8 && self.agreeing * 10 >= self.asked * 8
    }

    /// Whether too much disagrees for pictures that seem the same.
    pub fn refuting(self) -> bool {
        self.agreeing * 10 < self.asked * 7
    }
}

impl Grey {
    /// The values of one block, with mean 0.
    fn block(&self, x: usize, y: usize) -> [f32; BLOCK * BLOCK] {
        let mut block = [0.0; BLOCK * BLOCK];
        for (row, out) in block.chunks_exact_mut(BLOCK).enumerate() {
            let from = (y + row) * self.width + x;
            out.copy_from_slice(&self.values[from..from + BLOCK]);
        }
        let mean = block.iter().sum::<f32>() / block.len() as f32;
        block.map(|value| value - mean)
    }
}
