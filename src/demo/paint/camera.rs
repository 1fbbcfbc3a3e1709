//! What did the lens, the film and the light meter do to it? Focus, bloom, colour cast, contrast, vignette, grain.

use super::noise::grain;
use super::{Canvas, Dice, Rgb, step};

/// A finished picture: eight-bit RGB, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// How a picture was taken.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Blur of the whole picture, in units of its height.
    pub defocus: f32,
    /// Light that spills from bright places.
    pub bloom: f32,
    /// Factor on the light.
    pub exposure: f32,
    /// Above 1: darker shadows and brighter lights.
    pub contrast: f32,
    /// Colour strength.
    pub saturation: f32,
    /// Factor on each channel.
    pub cast: Rgb,
    /// Black is lifted to this, as faded film does.
    pub fade: f32,
    /// Darkening of the corners.
    pub vignette: f32,
    /// Deviation of the grain.
    pub grain: f32,
    /// Mirrored left to right.
    pub mirrored: bool,
}

impl Camera {
    /// Somebody's camera: mostly good ones in fair light, a few bad ones.
    pub fn any(dice: &mut Dice) -> Self {
        let poor = dice.chance(0.15);
        let warm = dice.normal() * 0.045;
        let tint = dice.normal() * 0.012;
        Self {
            defocus: if poor { dice.range(0.0, 0.009) } else { 0.0 },
            bloom: dice.range(0.05, 0.3),
            exposure: 1.0 + dice.normal() * if poor { 0.18 } else { 0.08 },
            contrast: 1.05 + dice.normal() * 0.1,
            saturation: if dice.chance(0.03) { 0.0 } else { (1.05 + dice.normal() * 0.16).max(0.2) },
            cast: Rgb { r: 1.0 + warm, g: 1.0 + tint, b: 1.0 - warm },
            fade: if dice.chance(0.2) { dice.range(0.02, 0.08) } else { 0.0 },
            vignette: dice.range(0.0, 0.35),
            grain: if poor { dice.range(0.012, 0.032) } else { dice.range(0.003, 0.012) },
            mirrored: dice.chance(0.5),
        }
    }

    /// Takes the picture.
    pub fn take(self, mut canvas: Canvas, dice: &mut Dice) -> Picture {
        let Self {
            defocus,
            bloom,
            exposure,
            contrast,
            saturation,
            cast,
            fade,
            vignette,
            grain: speck,
            mirrored,
        } = self;
        canvas.blur(defocus);
        if bloom > 0.0 {
            let mut light = canvas.clone();
            for p in &mut light.pixels {
                let over = step(0.75, 1.3, p.r.max(p.g).max(p.b));
                *p = *p * over;
            }
            light.blur(0.035);
            for (p, l) in canvas.pixels.iter_mut().zip(&light.pixels) {
                *p = *p + *l * bloom;
            }
        }
        let (width, height) = (canvas.width, canvas.height);
        let seed = dice.bits();
        let diagonal = (width * width + height * height) as f32 / 4.0;
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let from = if mirrored { width - 1 - x } else { x };
                let p = canvas.pixels[y * width + from];
                let (dx, dy) = (x as f32 - width as f32 / 2.0, y as f32 - height as f32 / 2.0);
                let dark = 1.0 - vignette * ((dx * dx + dy * dy) / diagonal).powf(1.4);
                let p = (p * cast * (exposure * dark)).saturated(saturation);
                let (x, y) = (x as i32, y as i32);
                // Half of the grain is shared with the pixel to the left, as film's is coarser than a pixel.
                let luma =
                    grain(x, y, seed) + grain(x - 1, y, seed) + grain(x, y, seed ^ 1) + grain(x, y - 1, seed)
                        - 2.0;
                for (channel, v) in [p.r, p.g, p.b].into_iter().enumerate() {
                    let tone = shoulder(((v - 0.5) * contrast + 0.5).max(0.0));
                    let own = grain(x, y, seed ^ (channel as u32 + 2)) - 0.5;
                    let noisy = fade + tone * (1.0 - fade) + (luma * 1.4 + own * 0.9) * speck;
                    rgb.push((noisy * 255.0 + 0.5).clamp(0.0, 255.0) as u8);
                }
            }
        }
        Picture { width, height, rgb }
    }
}

/// Straight up to 0.8, then bending towards 1: bright light keeps its colour for longer.
fn shoulder(v: f32) -> f32 {
    if v <= 0.8 { v } else { 1.0 - 0.2 / (1.0 + (v - 0.8) / 0.2) }
}
