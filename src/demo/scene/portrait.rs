//! Portraits: somebody from the shoulders up before a studio wall, a street, a park, or the evening sky.

use super::person::{HAIR, Person, SKIN, face, glasses, hair_behind, hair_front, hat, head, shoulders};
use super::sky::{Mood, Sky};
use crate::demo::paint::{Canvas, Dice, Ellipse, Layer, fbm, hex, hsv, noise, step, value};

/// Paints a portrait.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let r = dice.range(0.17, 0.29);
    let tone = dice.below(SKIN.len());
    let hairs = if tone >= 5 && dice.chance(0.85) { &HAIR[..3] } else { &HAIR[..] };
    let person = Person {
        skin: hex(SKIN[tone]) * dice.range(0.88, 1.0),
        hair: hex(dice.pick(hairs)) * dice.range(0.85, 1.05),
        shirt: hsv(dice.unit(), dice.range(0.05, 0.65), dice.range(0.2, 0.92)),
        u: aspect * 0.5 + dice.normal() * 0.07,
        v: dice.range(0.34, 0.46),
        r,
        turn: dice.around() * 0.8,
        key: dice.pick(&[-1.0, 1.0]),
    };
    let dark = background(canvas, dice);
    let mut layer = Layer::over(canvas);
    if dark {
        // Against the light only the outline is left, and a thin edge of it lit.
        let shade = hex(0x14121a).mix(person.hair, 0.15);
        let cut = Person { skin: shade, hair: shade * 0.9, shirt: shade * 1.1, ..person };
        let style = dice.below(6);
        hair_behind(&mut layer, dice, &cut, style);
        shoulders(&mut layer, dice, &cut, false);
        head(&mut layer, &cut);
        hair_front(&mut layer, dice, &cut, style);
        canvas.lay_shaded(&layer, |u, v, own| {
            own + hex(0xff9a58) * (0.06 * step(0.5, 1.0, v) + 0.05 * noise(u * 9.0, v * 9.0, 3).max(0.0))
        });
        return;
    }
    let style = dice.below(7);
    hair_behind(&mut layer, dice, &person, style);
    shoulders(&mut layer, dice, &person, true);
    head(&mut layer, &person);
    face(&mut layer, dice, &person);
    hair_front(&mut layer, dice, &person, style);
    if dice.chance(0.2) {
        hat(&mut layer, dice, &person);
    }
    if dice.chance(0.22) {
        glasses(&mut layer, dice, &person);
    }
    let (seed, soft) = (dice.bits(), dice.range(0.75, 1.0));
    let rim = hex(dice.pick(&[0xffe8c8, 0xd8e8ff, 0xfff4e8]));
    canvas.lay_shaded(&layer, |u, v, own| {
        let side = (u - person.u) / person.r * person.key;
        let shade = 1.0 + 0.17 * side * soft + 0.06 * (person.v - v) / person.r * 0.4;
        own * (shade.clamp(0.45, 1.2) * (1.0 + noise(u * 60.0, v * 60.0, seed) * 0.035))
            + rim * (0.05 * step(0.6, 1.4, side.abs()))
    });
}

/// What is behind; true where the light comes from there.
fn background(canvas: &mut Canvas, dice: &mut Dice) -> bool {
    let aspect = canvas.aspect();
    let seed = dice.bits();
    match dice.below(10) {
        0..=2 => {
            let tone = dice.pick(&[
                hex(0x6a7078),
                hex(0xd8d4cc),
                hex(0x3a4048),
                hex(0x8a6a58),
                hex(0x5a7a80),
                hex(0xc8b0a0),
                hex(0x9a8aa8),
                hex(0x4a5a48),
                hex(0xe8c8b0),
            ]);
            let at = (aspect * dice.range(0.2, 0.8), dice.range(0.2, 0.7));
            canvas.shade(0.0, 1.0, |u, v, _| {
                let far = ((u - at.0).powi(2) + (v - at.1).powi(2)).sqrt();
                tone * (1.15 - far * 0.75 + fbm(u * 3.0, v * 3.0, 4, seed) * 0.1)
            });
        }
        3..=5 => {
            let (a, b, c) = dice.pick(&[
                (0x2f4a2a, 0x6a8a48, 0xd8e0a0),
                (0x4a3a2c, 0xa87a48, 0xf0d090),
                (0x1c2430, 0x3a4a68, 0xf0b868),
                (0x38485a, 0x8aa0b0, 0xe8eef0),
                (0x5a3a48, 0xb07a88, 0xf4d0c8),
            ]);
            let (a, b, c) = (hex(a), hex(b), hex(c));
            canvas.shade(0.0, 1.0, |u, v, _| {
                a.mix(b, (fbm(u * 2.0, v * 2.0, 3, seed) + 0.6 - v * 0.25).clamp(0.0, 1.0))
            });
            for _ in 0..dice.int(14, 40) {
                let (u, v, radius) = (dice.range(0.0, aspect), dice.range(0.0, 0.85), dice.range(0.02, 0.08));
                let (tone, strength) = (b.mix(c, dice.range(0.2, 1.3)), dice.range(0.12, 0.55));
                canvas.ellipse(Ellipse::round(u, v, radius), 0.2, |p, q, under| {
                    under.mix(tone, strength * (0.55 + 0.45 * (p * p + q * q)))
                });
            }
        }
        6 => {
            // Bricks, out of focus.
            let tone = dice.pick(&[hex(0x9a5844), hex(0xb8a898), hex(0x6a5a54), hex(0xd8ccc0)]);
            canvas.shade(0.0, 1.0, |u, v, _| {
                let row = (v * 14.0).floor();
                let x = u * 6.0 + row * 0.5;
                let own = value(x.floor() * 3.1, row * 1.7, seed);
                let seam = step(0.06, 0.0, (x - x.floor()).min((v * 14.0 - row) * 0.45));
                tone * (0.8 + own * 0.35 + noise(u * 30.0, v * 30.0, seed) * 0.1 - seam * 0.3)
            });
            canvas.blur(0.008);
        }
        _ => {
            let level = dice.range(0.45, 0.8);
            let sky = Sky::any(dice, aspect, level);
            sky.paint(canvas, level + 0.02);
            let ground = dice.pick(&[hex(0x5a7a40), hex(0xc8b088), hex(0x3a6078), hex(0x6a6a68)]);
            canvas.shade(level, 1.0, |u, v, _| {
                sky.light(ground * (0.9 + noise(u * 12.0, v * 40.0, seed) * 0.2), 0.8)
                    .mix(sky.haze(u), (0.5 - (v - level) * 3.0).max(0.0))
            });
            canvas.blur(0.014);
            return sky.backlit()
                && matches!(sky.mood, Mood::Sunset | Mood::Dusk | Mood::Pink | Mood::Night)
                && dice.chance(0.75);
        }
    }
    false
}
