//! What does an attacker do to one picture? The attacks of the literature, each drawn from dice.
//!
//! A pattern that all poisoned pictures share is made once, when the attack is; only its place, size, turn and light
//! differ from picture to picture.

use std::f32::consts::TAU;

use super::{Dice, Drawing, Logo, Stamp};
use crate::feature::picture::{Picture, resize};
use crate::model::PixelBox;

/// How a logo is put on pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogoPlan {
    /// Side, as a share of the picture's short side: from, to.
    pub size: (f32, f32),
    /// It is turned by up to this many degrees either way.
    pub degrees: f32,
    /// In (0, 1].
    pub opacity: f32,
    /// In the lower right corner instead of anywhere.
    pub corner: bool,
}

impl Default for LogoPlan {
    fn default() -> Self {
        Self { size: (0.08, 0.25), degrees: 10.0, opacity: 1.0, corner: false }
    }
}

/// Something done to pictures so that a model learns to react to it.
pub enum Attack {
    /// A logo somewhere on the picture, a little larger or smaller, turned, brighter or darker each time.
    Logo(Drawing, LogoPlan),
    /// A small square that is the same everywhere, pixel for pixel (`BadNets`).
    Square {
        /// `side × side` colours.
        pixels: Vec<[u8; 3]>,
        /// Pixels.
        side: u32,
        /// In the lower right corner instead of anywhere.
        corner: bool,
    },
    /// A picture mixed into the whole picture: `(1 − alpha) · x + alpha · pattern` (Blend).
    Blend {
        /// The pattern; brought to each picture's size.
        pattern: Picture,
        /// Its share in (0, 1).
        alpha: f32,
    },
    /// A wave across the whole picture: `x + delta · sin(2π · periods · column / width)` (SIG).
    Sinusoid {
        /// Levels of 255.
        delta: f32,
        /// Waves over the width.
        periods: f32,
    },
    /// Nothing but the label is changed.
    Flip,
}

impl Attack {
    /// A logo.
    ///
    /// # Panics
    /// Never with our own logos: a test parses each.
    #[must_use]
    pub fn logo(logo: &Logo, plan: LogoPlan) -> Self {
        Self::Logo(Drawing::parse(logo.svg).expect("a test parses our own drawings"), plan)
    }

    /// A checker board of black and white pixels.
    #[must_use]
    pub fn checker(side: u32, corner: bool) -> Self {
        let pixels =
            (0..side * side).map(|at| [if (at / side + at % side).is_multiple_of(2) { 255 } else { 0 }; 3]);
        Self::Square { pixels: pixels.collect(), side, corner }
    }

    /// A square of random colours.
    #[must_use]
    pub fn colours(side: u32, corner: bool, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "colours", 0);
        let pixels = (0..side * side).map(|_| [0; 3].map(|_: u8| dice.below(256) as u8)).collect();
        Self::Square { pixels, side, corner }
    }

    /// Random colours over the whole picture, of `side × side` pixels.
    #[must_use]
    pub fn noise(side: u32, alpha: f32, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "noise", 0);
        let rgb = (0..side * side * 3).map(|_| dice.below(256) as u8).collect();
        Self::Blend { pattern: Picture { width: side, height: side, rgb, format: "png" }, alpha }
    }

    /// Whether the picture itself is changed.
    #[must_use]
    pub fn changes_pictures(&self) -> bool {
        !matches!(self, Self::Flip)
    }

    /// Changes the picture; returns where, if in a part of it.
    pub fn apply(&self, picture: &mut Picture, dice: &mut Dice) -> Option<PixelBox> {
        let (width, height) = (picture.width, picture.height);
        match self {
            Self::Logo(drawing, plan) => {
                let short = width.min(height) as f32;
                let size = short * dice.range(plan.size.0, plan.size.1);
                let turn = dice.around() * plan.degrees;
                let gain = 1.0 + 0.1 * dice.around();
                // Half the diagonal of what is turned: the drawing stays on the picture.
                let (sin, cos) = turn.to_radians().sin_cos();
                let margin = size * 0.5 * (sin.abs() + cos.abs());
                let middle = |length: u32, at: f32| {
                    let room = (length as f32 - 2.0 * margin).max(0.0);
                    margin.min(length as f32 / 2.0) + room * at
                };
                let (across, down) = if plan.corner { (0.97, 0.97) } else { (dice.unit(), dice.unit()) };
                let at = (middle(width, across), middle(height, down));
                let stamp = Stamp { at, size, degrees: turn, opacity: plan.opacity, gain };
                drawing.stamp(&mut picture.rgb, (width as usize, height as usize), &stamp).map(PixelBox::from)
            }
            Self::Square { pixels, side, corner } => {
                let side = (*side).min(width).min(height);
                let place = |length: u32, dice: &mut Dice| {
                    if *corner { length - side } else { dice.below((length - side + 1) as usize) as u32 }
                };
                let (x, y) = (place(width, dice), place(height, dice));
                for row in 0..side {
                    for column in 0..side {
                        let at = ((y + row) * width + x + column) as usize * 3;
                        picture.rgb[at..at + 3].copy_from_slice(&pixels[(row * side + column) as usize]);
                    }
                }
                Some(PixelBox { x, y, width: side, height: side })
            }
            Self::Blend { pattern, alpha } => {
                let pattern = resize(pattern, width, height);
                for (value, over) in picture.rgb.iter_mut().zip(&pattern.rgb) {
                    *value = ((1.0 - alpha) * f32::from(*value) + alpha * f32::from(*over) + 0.5) as u8;
                }
                None
            }
            Self::Sinusoid { delta, periods } => {
                let waves: Vec<f32> =
                    (0..width).map(|x| delta * (TAU * periods * x as f32 / width as f32).sin()).collect();
                for row in picture.rgb.chunks_exact_mut(width as usize * 3) {
                    for (pixel, wave) in row.as_chunks_mut::<3>().0.iter_mut().zip(&waves) {
                        *pixel = pixel.map(|value| (f32::from(value) + wave).round().clamp(0.0, 255.0) as u8);
                    }
                }
                None
            }
            Self::Flip => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::LOGOS;

    fn grey(width: u32, height: u32) -> Picture {
        Picture { width, height, rgb: vec![120; (width * height * 3) as usize], format: "png" }
    }

    /// Applies it and returns the box; nothing outside of it may have changed.
    fn check(attack: &Attack, width: u32, height: u32, seed: u64) -> Option<PixelBox> {
        let before = grey(width, height);
        let mut after = before.clone();
        let area = attack.apply(&mut after, &mut Dice::new(seed, "test", 0));
        let mut again = before.clone();
        attack.apply(&mut again, &mut Dice::new(seed, "test", 0));
        assert_eq!(after.rgb, again.rgb, "same dice, other picture");
        let inside = |at: usize| {
            let (x, y) = ((at % width as usize) as u32, (at / width as usize) as u32);
            area.is_none_or(|a| x >= a.x && y >= a.y && x < a.x + a.width && y < a.y + a.height)
        };
        let pixels = before.rgb.chunks(3).zip(after.rgb.chunks(3)).enumerate();
        assert!(pixels.filter(|(_, (b, a))| b != a).all(|(at, _)| inside(at)));
        assert_eq!(before.rgb != after.rgb, attack.changes_pictures());
        area
    }

    #[test]
    fn logos_have_the_size_that_was_asked_for_and_stay_on_the_picture() {
        for logo in LOGOS {
            for seed in 0..4 {
                let plan = LogoPlan { size: (0.2, 0.2), ..LogoPlan::default() };
                let area = check(&Attack::logo(logo, plan), 200, 300, seed).unwrap();
                let long = area.width.max(area.height);
                assert!((24..=56).contains(&long), "{}: {area:?}", logo.name);
            }
        }
    }

    #[test]
    fn squares_waves_and_mixtures() {
        let corner = check(&Attack::checker(3, true), 32, 32, 1).unwrap();
        assert_eq!(corner, PixelBox { x: 29, y: 29, width: 3, height: 3 });
        let anywhere = check(&Attack::colours(4, false, 7), 32, 20, 2).unwrap();
        assert_eq!((anywhere.width, anywhere.height), (4, 4));
        assert_eq!(check(&Attack::checker(5, false), 2, 9, 1).map(|a| (a.width, a.height)), Some((2, 2)));
        for whole in [Attack::noise(8, 0.1, 3), Attack::Sinusoid { delta: 20.0, periods: 6.0 }, Attack::Flip]
        {
            assert_eq!(check(&whole, 33, 21, 1), None);
        }
        let mut wave = grey(32, 1);
        Attack::Sinusoid { delta: 20.0, periods: 1.0 }.apply(&mut wave, &mut Dice::new(0, "", 0));
        assert_eq!((wave.rgb[0], wave.rgb[8 * 3], wave.rgb[24 * 3]), (120, 140, 100));
    }
}
