//! The gradients of a picture at every size, for whoever looks for a pattern rather than for points.

use super::level::{FACTOR, Planes};
use super::{MIN_LEVEL, working_size};
use crate::feature::picture::{Picture, resize};

/// One size of a picture.
pub struct GradientLevel {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Pixels of the working picture in one of this level, across and down.
    pub factor: (f32, f32),
    /// Grey levels a pixel, of the colour channel that changes most.
    pub x: Vec<f32>,
    /// The same, downwards.
    pub y: Vec<f32>,
}

impl GradientLevel {
    /// Each level of a picture's working size, each smaller than the one before by the cube root of 2.
    /// None for pictures that are too small to have any.
    #[must_use]
    pub fn all(picture: &Picture) -> Vec<Self> {
        let Some((width, height)) = working_size(picture.width, picture.height) else { return Vec::new() };
        let mut planes = Planes::of(&resize(picture, width, height));
        let mut levels = Vec::new();
        while planes.width.min(planes.height) >= MIN_LEVEL {
            let gradients = planes.gradients();
            levels.push(Self {
                width: gradients.width,
                height: gradients.height,
                factor: (width as f32 / planes.width as f32, height as f32 / planes.height as f32),
                x: gradients.x,
                y: gradients.y,
            });
            planes = planes.next();
        }
        levels
    }

    /// From one level to the next, sides shrink by this.
    pub const STEP: f32 = FACTOR;
}
