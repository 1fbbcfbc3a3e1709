//! What is a colour while painting? Three floats in display space, where light may go above 1.

use std::ops::{Add, Mul};

/// A colour; 1 is full, more is light that the camera will clip softly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rgb {
    /// Red.
    pub r: f32,
    /// Green.
    pub g: f32,
    /// Blue.
    pub b: f32,
}

/// The colour that a style sheet writes as `#rrggbb`.
pub const fn hex(code: u32) -> Rgb {
    Rgb {
        r: ((code >> 16) & 255) as f32 / 255.0,
        g: ((code >> 8) & 255) as f32 / 255.0,
        b: (code & 255) as f32 / 255.0,
    }
}

/// From hue in turns, saturation and value.
pub fn hsv(hue: f32, saturation: f32, value: f32) -> Rgb {
    let part = |n: f32| {
        let k = (n + hue.rem_euclid(1.0) * 6.0) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    Rgb { r: part(5.0), g: part(3.0), b: part(1.0) }
}

impl Rgb {
    /// The same in all three.
    pub const fn gray(v: f32) -> Self {
        Self { r: v, g: v, b: v }
    }

    /// From this at 0 to `other` at 1.
    pub fn mix(self, other: Self, t: f32) -> Self {
        Self {
            r: self.r + (other.r - self.r) * t,
            g: self.g + (other.g - self.g) * t,
            b: self.b + (other.b - self.b) * t,
        }
    }

    /// How bright it looks (Rec. 709 weights).
    pub fn luma(self) -> f32 {
        0.2126 * self.r + 0.7152 * self.g + 0.0722 * self.b
    }

    /// More (above 1) or less colourful.
    pub fn saturated(self, by: f32) -> Self {
        Self::gray(self.luma()).mix(self, by)
    }
}

impl Add for Rgb {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { r: self.r + o.r, g: self.g + o.g, b: self.b + o.b }
    }
}

impl Mul<f32> for Rgb {
    type Output = Self;
    fn mul(self, by: f32) -> Self {
        Self { r: self.r * by, g: self.g * by, b: self.b * by }
    }
}

impl Mul for Rgb {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self { r: self.r * o.r, g: self.g * o.g, b: self.b * o.b }
    }
}
