//! The gradients of a picture at every size, for whoever looks for a pattern rather than for points.

use super::level::{FACTOR, Planes};
use super::{MIN_LEVEL, working_size};
use crate::feature::picture::{Picture, box_average, resize};

/// The window of the average that colours are compared with, in pixels of a level.
const SURROUNDINGS: usize = 41;

/// The difference from its surroundings at which a colour counts half.
const SOFT: f32 = 16.0;

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
    /// Brightness, red against green, blue against yellow: what gradients do not say.
    pub channels: [Vec<f32>; 3],
    /// By channel, how the colour differs from that of its surroundings, between −1 and 1: a large difference says
    /// little more than a clear one.
    pub contrast: [Vec<f32>; 3],
}

/// The sizes of a picture that are of use, one after another.
pub struct GradientLevels {
    levels: Vec<GradientLevel>,
}

impl GradientLevels {
    /// Each level of a picture's working size, each smaller than the one before by the cube root of 2, whose pixels are
    /// between `from` and `to` pixels of the working picture long; at least one, if the picture has any.
    /// None for pictures that are too small to have any.
    #[must_use]
    pub fn of(picture: &Picture, (from, to): (f32, f32)) -> Self {
        let mut levels = Vec::new();
        let Some((width, height)) = working_size(picture.width, picture.height) else {
            return Self { levels };
        };
        let mut planes = if (picture.width, picture.height) == (width, height) {
            Planes::of(picture)
        } else {
            Planes::of(&resize(picture, width, height))
        };
        loop {
            let factor = (width as f32 / planes.width as f32, height as f32 / planes.height as f32);
            let next = planes.next();
            let is_last = next.width.min(next.height) < MIN_LEVEL;
            if factor.0 >= from && factor.0 <= to || levels.is_empty() && (factor.0 > to || is_last) {
                let (x, y) = planes.slopes();
                let Planes { width, height, channels } = planes;
                let contrast = [0, 1, 2].map(|channel: usize| contrast(&channels[channel], width, height));
                levels.push(GradientLevel { width, height, factor, x, y, channels, contrast });
            }
            if is_last || factor.0 > to {
                return Self { levels };
            }
            planes = next;
        }
    }

    /// The levels, pixels growing.
    #[must_use]
    pub fn all(&self) -> &[GradientLevel] {
        &self.levels
    }

    /// The level whose pixels are nearest to this many pixels of the working picture.
    #[must_use]
    pub fn nearest(&self, size: f32) -> Option<&GradientLevel> {
        let first = self.levels.first()?;
        let at = ((size.max(1e-3) / first.factor.0).ln() / FACTOR.ln()).round().max(0.0) as usize;
        self.levels.get(at.min(self.levels.len() - 1))
    }
}

fn contrast(channel: &[f32], width: usize, height: usize) -> Vec<f32> {
    let average = box_average(channel, width, height, SURROUNDINGS);
    let soft = |(value, average): (&f32, f32)| (value - average) / ((value - average).abs() + SOFT);
    channel.iter().zip(average).map(soft).collect()
}
