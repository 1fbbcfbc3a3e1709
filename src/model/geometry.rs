//! Where in a picture?

use serde::{Deserialize, Serialize};

/// A rectangle in pixels of the stored image, after EXIF orientation; in JSON `[x, y, width, height]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "[u32; 4]", into = "[u32; 4]")]
pub struct PixelBox {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl PixelBox {
    /// Pixels covered.
    #[must_use]
    pub fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Intersection over union, in [0, 1].
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let overlap = |a: u32, a_len: u32, b: u32, b_len: u32| {
            let end = (u64::from(a) + u64::from(a_len)).min(u64::from(b) + u64::from(b_len));
            end.saturating_sub(u64::from(a.max(b)))
        };
        let shared = overlap(self.x, self.width, other.x, other.width)
            * overlap(self.y, self.height, other.y, other.height);
        let union = self.area() + other.area() - shared;
        if union == 0 { 0.0 } else { shared as f64 / union as f64 }
    }
}

impl From<[u32; 4]> for PixelBox {
    fn from([x, y, width, height]: [u32; 4]) -> Self {
        Self { x, y, width, height }
    }
}

impl From<PixelBox> for [u32; 4] {
    fn from(b: PixelBox) -> Self {
        [b.x, b.y, b.width, b.height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_shifted_squares() {
        let a = PixelBox::from([0, 0, 10, 10]);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&PixelBox::from([10, 0, 10, 10])), 0.0);
        assert!((a.iou(&PixelBox::from([5, 0, 10, 10])) - 1.0 / 3.0).abs() < 1e-12);
    }
}
