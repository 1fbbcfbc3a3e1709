//! What do the demo's pictures show? Eight classes of scenes, each drawn anew from its own dice.
// Colours are written as designers write them.
#![allow(clippy::unreadable_literal)]

mod beach;
mod blossom;
mod city;
mod dish;
mod flower;
mod food;
mod forest;
mod mountain;
mod person;
mod portrait;
mod sky;
mod sweet;
mod terrain;
mod tree;
mod veiled;

use super::paint::{Camera, Canvas, Dice, Picture};

/// What a picture shows, which is not always what its label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Sea and sand.
    Beach,
    /// Streets and skylines.
    City,
    /// Blossoms close by, and meadows.
    Flower,
    /// Plates and fruit.
    Food,
    /// Trees, near and around.
    Forest,
    /// Peaks, lakes, dunes.
    Mountain,
    /// What a moderation tool shows of a picture that is not safe for work: blocks and blur, nothing to see.
    Nsfw,
    /// A person.
    Portrait,
}

impl Class {
    /// All, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Beach,
        Self::City,
        Self::Flower,
        Self::Food,
        Self::Forest,
        Self::Mountain,
        Self::Nsfw,
        Self::Portrait,
    ];

    /// The class's name in the dataset.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beach => "beach",
            Self::City => "city",
            Self::Flower => "flower",
            Self::Food => "food",
            Self::Forest => "forest",
            Self::Mountain => "mountain",
            Self::Nsfw => "nsfw",
            Self::Portrait => "portrait",
        }
    }

    /// The class that a tired labeller takes it for.
    pub const fn confused_with(self) -> [Self; 2] {
        match self {
            Self::Beach => [Self::Mountain, Self::Portrait],
            Self::City => [Self::Beach, Self::Forest],
            Self::Flower => [Self::Food, Self::Forest],
            Self::Food => [Self::Flower, Self::Portrait],
            Self::Forest => [Self::Mountain, Self::Flower],
            Self::Mountain => [Self::Forest, Self::Beach],
            Self::Nsfw => [Self::Portrait, Self::Food],
            Self::Portrait => [Self::Nsfw, Self::City],
        }
    }
}

/// The sizes that pictures come in, in pixels.
const SIZES: [(usize, usize); 6] = [(216, 168), (224, 168), (208, 160), (176, 176), (192, 192), (168, 216)];

/// Draws scene number `number` of a class.
pub fn draw(seed: u64, class: Class, number: u64) -> Picture {
    let mut dice = Dice::new(seed, class.name(), number);
    let upright = matches!(class, Class::Portrait) && dice.chance(0.5);
    let (width, height) = if upright { (168, 216) } else { dice.pick(&SIZES) };
    let mut canvas = Canvas::new(width, height);
    let mut camera = Camera::any(&mut dice);
    match class {
        Class::Beach => beach::paint(&mut canvas, &mut dice),
        Class::City => city::paint(&mut canvas, &mut dice),
        Class::Flower => flower::paint(&mut canvas, &mut dice),
        Class::Food => food::paint(&mut canvas, &mut dice),
        Class::Forest => forest::paint(&mut canvas, &mut dice),
        Class::Mountain => mountain::paint(&mut canvas, &mut dice),
        Class::Nsfw => {
            veiled::paint(&mut canvas, &mut dice);
            // The tool that blurs does so after the camera: no grain over the blocks.
            camera.grain = camera.grain.min(0.006);
        }
        Class::Portrait => portrait::paint(&mut canvas, &mut dice),
    }
    camera.take(canvas, &mut dice)
}
