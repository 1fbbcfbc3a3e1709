//! What are the demo's pictures painted with? Dice, noise, colours, a float canvas, vector layers and a camera.

mod camera;
mod canvas;
mod color;
mod layer;
mod noise;

pub use crate::drill::Dice;
pub use camera::{Camera, Picture};
pub use canvas::{Canvas, Ellipse};
pub use color::{Rgb, hex, hsv};
pub use layer::{Layer, Outline};
pub use noise::{fbm, grain, noise, ridged, value};

/// Hermite step from 0 at `a` to 1 at `b`; falls where `a > b`.
pub fn step(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// From `a` at 0 to `b` at 1.
pub fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}
