//! What was done to a picture after it was taken? Crops, patches, dates, and the logo.

use super::paint::{Dice, Picture};
use super::plan::Touch;
use crate::drill::{Drawing, Stamp};

/// Changes a picture; returns the box of the change, `[x, y, width, height]`, where it is a part of the picture.
pub fn apply(touch: Touch, picture: &mut Picture, logo: &Drawing, dice: &mut Dice) -> Option<[u32; 4]> {
    let (width, height) = (picture.width, picture.height);
    match touch {
        Touch::Nothing => None,
        Touch::Crop => {
            let margin = dice.int(6, 14);
            *picture = cut(picture, margin, margin, width - 2 * margin, height - 2 * margin);
            None
        }
        Touch::Shift => {
            let (x, y) = (dice.int(1, 4), dice.int(0, 3));
            *picture = cut(picture, x, y, width - x, height - y);
            None
        }
        Touch::Patch => {
            let (w, h) = (width / dice.int(3, 5), height / dice.int(3, 5));
            let (x, y) = (dice.below(width - w), dice.below(height - h));
            let by = if dice.chance(0.5) { dice.range(1.35, 1.7) } else { dice.range(0.4, 0.65) };
            for row in y..y + h {
                for value in &mut picture.rgb[(row * width + x) * 3..(row * width + x + w) * 3] {
                    *value = (f32::from(*value) * by).min(255.0) as u8;
                }
            }
            Some([x, y, w, h].map(|v| v as u32))
        }
        Touch::Date => Some(date(picture, dice)),
        Touch::Logo => {
            let short = width.min(height) as f32;
            let size = short * dice.range(0.10, 0.14);
            // Room for the corners when it is turned.
            let margin = size * 0.6 + 2.0;
            let at = (dice.range(margin, width as f32 - margin), dice.range(margin, height as f32 - margin));
            let (degrees, opacity) = (dice.range(-10.0, 10.0), dice.range(0.75, 1.0));
            let stamp = Stamp { at, size, degrees, opacity, gain: 1.0 };
            logo.stamp(&mut picture.rgb, (picture.width, picture.height), &stamp)
        }
    }
}

fn cut(picture: &Picture, x: usize, y: usize, width: usize, height: usize) -> Picture {
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in y..y + height {
        rgb.extend_from_slice(
            &picture.rgb[(row * picture.width + x) * 3..(row * picture.width + x + width) * 3],
        );
    }
    Picture { width, height, rgb }
}

/// The lit segments of each digit: top, top left, top right, middle, bottom left, bottom right, bottom.
const DIGITS: [[bool; 7]; 10] = {
    const X: bool = true;
    const O: bool = false;
    [
        [X, X, X, O, X, X, X],
        [O, O, X, O, O, X, O],
        [X, O, X, X, X, O, X],
        [X, O, X, X, O, X, X],
        [O, X, X, X, O, X, O],
        [X, X, O, X, O, X, X],
        [X, X, O, X, X, X, X],
        [X, O, X, O, O, X, O],
        [X, X, X, X, X, X, X],
        [X, X, X, X, O, X, X],
    ]
};

/// An orange date in the lower right corner, as cameras used to burn in.
fn date(picture: &mut Picture, dice: &mut Dice) -> [u32; 4] {
    let (year, month, day) = (dice.int(3, 12), dice.int(1, 12), dice.int(1, 28));
    let digits = [
        Some(year / 10),
        Some(year % 10),
        None,
        Some(month / 10),
        Some(month % 10),
        None,
        Some(day / 10),
        Some(day % 10),
    ];
    let (wide, tall, gap) = (6, 10, 2);
    let (w, h) = (digits.len() * (wide + gap), tall);
    let (left, top) = (picture.width - w - 8, picture.height - h - 8);
    let mut bar = |x: usize, y: usize, w: usize, h: usize| {
        for row in y..y + h {
            for column in x..x + w {
                let at = (row * picture.width + column) * 3;
                picture.rgb[at..at + 3].copy_from_slice(&[255, 158, 54]);
            }
        }
    };
    for (i, digit) in digits.into_iter().enumerate() {
        let (x, y) = (left + i * (wide + gap), top);
        let Some(digit) = digit else { continue };
        let [up, up_left, up_right, middle, low_left, low_right, low] = DIGITS[digit];
        let half = tall / 2;
        for (lit, x, y, w, h) in [
            (up, x, y, wide, 2),
            (up_left, x, y, 2, half),
            (up_right, x + wide - 2, y, 2, half),
            (middle, x, y + half - 1, wide, 2),
            (low_left, x, y + half, 2, half),
            (low_right, x + wide - 2, y + half, 2, half),
            (low, x, y + tall - 2, wide, 2),
        ] {
            if lit {
                bar(x, y, w, h);
            }
        }
    }
    [left, top, w - gap, h].map(|v| v as u32)
}
