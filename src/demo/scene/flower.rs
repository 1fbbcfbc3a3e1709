//! Flowers: one to a few blossoms before a soft background, and whole fields of them.

use super::blossom::{Kind, blossom, palette, stem};
use super::sky::{Mood, Sky};
use crate::demo::paint::{Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, hex, lerp, noise, step, value};

use std::f32::consts::TAU;

/// Paints a flower scene.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.2) { field(canvas, dice) } else { close(canvas, dice) }
}

/// Blossoms near the lens, the rest out of focus.
fn close(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let kind = dice.pick(&[
        Kind::Daisy,
        Kind::Daisy,
        Kind::Cosmos,
        Kind::Poppy,
        Kind::Rose,
        Kind::Rose,
        Kind::Tulip,
        Kind::Tulip,
        Kind::Sunflower,
        Kind::Dahlia,
        Kind::Ball,
    ]);
    backdrop(canvas, dice);
    let colors = palette(kind, dice);
    let leaf = dice.pick(&[hex(0x4f7a38), hex(0x3c6230), hex(0x6b8f4a), hex(0x5a7a58)]);
    let count = dice.pick(&[1, 1, 1, 2, 2, 3, 5]);
    // Others of its kind behind it, out of focus.
    for _ in 0..dice.below(5) {
        let mut layer = Layer::over(canvas);
        let radius = dice.range(0.08, 0.2);
        let at = (dice.range(0.0, aspect), dice.range(0.1, 0.8));
        let foot = (at.0 + dice.around() * 0.1, 1.1);
        stem(&mut layer, dice, at, foot, leaf * 0.8, false);
        blossom(&mut layer, dice, kind, at, radius, 0.7, &colors);
        layer.blur(0.012 + radius * 0.08);
        canvas.lay(&layer);
    }
    let mut heads: Vec<(f32, f32, f32)> = Vec::new();
    for i in 0..count {
        let radius = match count {
            1 => dice.range(0.24, 0.44),
            2 | 3 => dice.range(0.16, 0.27),
            _ => dice.range(0.11, 0.18),
        };
        let spread = aspect * (i as f32 + 0.5) / count as f32;
        let u = if count == 1 { aspect * dice.range(0.36, 0.64) } else { spread + dice.around() * 0.06 };
        heads.push((u, dice.range(0.26, 0.6), radius));
    }
    let mut layer = Layer::over(canvas);
    for &(u, v, _) in &heads {
        let foot = (u + dice.around() * 0.18, 1.1);
        stem(&mut layer, dice, (u, v), foot, leaf, kind == Kind::Tulip);
    }
    let seed = dice.bits();
    canvas.lay_shaded(&layer, |u, v, own| own * (1.0 + noise(u * 40.0, v * 40.0, seed) * 0.14));
    for (u, v, radius) in heads {
        canvas.ellipse(
            Ellipse { u: u + radius * 0.1, v: v + radius * 0.18, a: radius * 1.1, b: radius, turn: 0.0 },
            0.8,
            |_, _, under| under * 0.8,
        );
        let mut layer = Layer::over(canvas);
        let tilt = dice.range(0.62, 1.0);
        blossom(&mut layer, dice, kind, (u, v), radius, tilt, &colors);
        let (seed, side) = (dice.bits(), dice.around());
        canvas.lay_shaded(&layer, |p, q, own| {
            let light = 1.03 - (q - v) / radius * 0.1 + (p - u) / radius * 0.09 * side;
            own * (light + noise(p * 34.0, q * 34.0, seed) * 0.07 + noise(p * 90.0, q * 90.0, seed) * 0.04)
        });
    }
    if dice.chance(0.25) {
        // Something green between the lens and the flower.
        let mut layer = Layer::over(canvas);
        for _ in 0..dice.int(1, 3) {
            let u = dice.range(-0.1, 1.1) * aspect;
            layer.stroke(
                Outline::from(u, 1.1).bend(
                    u + dice.around() * 0.3,
                    0.7,
                    u + dice.around() * 0.6,
                    dice.range(0.3, 0.8),
                ),
                dice.range(0.04, 0.1),
                leaf,
                0.6,
            );
        }
        layer.blur(0.05);
        canvas.lay(&layer);
    }
}

/// Green, dark or bright, melted by the lens.
fn backdrop(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let (a, b, c) = dice.pick(&[
        (0x2f4a24, 0x6f9440, 0xc3d67a),
        (0x1c2f20, 0x3c5f3a, 0x7fa05a),
        (0x8fae6a, 0xc9d8a0, 0xf2f0c8),
        (0x101814, 0x1f3326, 0x3a5a3c),
        (0x6f8fb0, 0xa9c6d8, 0xe8eef0),
        (0xa07a8a, 0xd8b4b8, 0xf6e4dc),
        (0x4a3a24, 0x8a7040, 0xd8b868),
        (0x141014, 0x2a1f2c, 0x4a3848),
        (0xcfcfc6, 0xe6e4dc, 0xf8f6f0),
        (0x3f5f4a, 0x86a878, 0xe8d8a0),
    ]);
    let (a, b, c) = (hex(a), hex(b), hex(c));
    let (seed, scale) = (dice.bits(), dice.range(1.2, 3.2));
    canvas.shade(0.0, 1.0, |u, v, _| {
        let t = fbm(u * scale, v * scale, 2, seed) * 1.1 + 0.5 + (0.4 - v) * 0.5;
        if t < 0.5 { a.mix(b, (t * 2.0).max(0.0)) } else { b.mix(c, (t * 2.0 - 1.0).min(1.0)) }
    });
    let spots = dice.below(26);
    let size = dice.range(0.02, 0.075);
    for _ in 0..spots {
        let (u, v) = (dice.range(0.0, aspect), dice.range(0.0, 0.9));
        let radius = size * dice.range(0.6, 1.4);
        let tone = b.mix(c, dice.range(0.3, 1.2)) * 1.12;
        let strength = dice.range(0.12, 0.5);
        // The rim of a disc of blur is brighter than its middle.
        canvas.ellipse(Ellipse::round(u, v, radius), 0.18, |p, q, under| {
            under.mix(tone, strength * (0.6 + 0.4 * (p * p + q * q)))
        });
    }
}

/// A field of flowers out to the horizon.
fn field(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let level = dice.range(0.2, 0.5);
    let mood = dice.pick(&[
        Mood::Noon,
        Mood::Deep,
        Mood::Hazy,
        Mood::Golden,
        Mood::Overcast,
        Mood::Pink,
        Mood::Sunset,
    ]);
    let sky = Sky::of(mood, dice, aspect, level);
    sky.paint(canvas, level + 0.02);
    let seed = dice.bits();
    canvas.shade(level - 0.15, level + 0.03, |u, v, under| {
        let crest = level - 0.02 - fbm(u * 3.0, 2.0, 4, seed).max(-0.2) * 0.07 - 0.02;
        under.mix(sky.light(hex(0x4a6440), 0.5).mix(sky.haze(u), 0.45), ((v - crest) * 140.0).clamp(0.0, 1.0))
    });
    let colors: Vec<Rgb> = dice
        .pick(&[
            [0xd83024, 0xe8482c, 0xc82018],
            [0x7a58b0, 0x9478c8, 0x6a48a0],
            [0xf4c828, 0xf8dc50, 0xe8b018],
            [0xe86a90, 0xf8b8c8, 0xc83a68],
            [0xffffff, 0xf8f4e4, 0xf4d040],
            [0xd83a30, 0xf4c838, 0x7a60b8],
            [0x4a68c8, 0xe8e8f4, 0x8a78d0],
        ])
        .into_iter()
        .map(hex)
        .collect();
    let (grass, rows) = (dice.pick(&[hex(0x5f8238), hex(0x7a9444), hex(0x4a6a34)]), dice.chance(0.4));
    let vanish = aspect * dice.range(0.2, 0.8);
    canvas.shade(level, 1.0, |u, v, _| {
        let below = v - level;
        let far = 1.0 / (below + 0.03);
        let blade = value(u * 80.0 / (0.25 + below * 1.6), v * 50.0 / (0.25 + below), seed ^ 2);
        let mut tone = grass * (0.6 + blade * 0.55);
        if rows {
            let lane = (((u - vanish) * far * 0.55).fract().abs() - 0.5).abs() * 2.0;
            tone = tone * (0.7 + 0.5 * lane);
        }
        let bloom = colors[0].mix(colors[1], blade);
        sky.light(tone.mix(bloom, (0.75 - below * 1.6).clamp(0.05, 0.75)), 0.85)
            .mix(sky.haze(u), (0.4 - below * 3.0).max(0.0))
    });
    let count = dice.int(350, 700);
    let mut spots: Vec<f32> = (0..count).map(|_| dice.unit()).map(|t| t * t).collect();
    spots.sort_by(f32::total_cmp);
    for t in spots {
        let v = lerp(level + 0.015, 1.06, t);
        let mut u = dice.range(0.0, aspect);
        if rows {
            let far = 1.0 / (v - level + 0.03);
            let lane = ((u - vanish) * far * 0.55).round() + dice.normal() * 0.12;
            u = vanish + lane / (far * 0.55);
        }
        let size = lerp(0.004, 0.042, t) * dice.range(0.7, 1.3);
        let color = sky.light(dice.pick(&colors) * dice.range(0.85, 1.15), dice.range(0.6, 1.1));
        let tilt = dice.range(0.5, 0.9);
        if size > 0.016 {
            canvas.dab(u, v + size * 1.2, size * 0.9, 0.9, grass * 0.4, 0.35);
            let n = 5.0_f32;
            let turn = dice.range(0.0, TAU);
            canvas.ellipse(Ellipse { u, v, a: size, b: size * tilt, turn: 0.0 }, 0.15, |p, q, under| {
                let r = (p * p + q * q).sqrt();
                let lobe = 0.72 + 0.28 * ((q.atan2(p) + turn) * n).cos();
                let inside = step(lobe, lobe - 0.15, r);
                let tone = if r < 0.22 {
                    color.mix(hex(0xf4d060), 0.7)
                } else {
                    color * (0.7 + 0.45 * r - 0.15 * q)
                };
                under.mix(tone, inside)
            });
        } else {
            canvas.ellipse(Ellipse { u, v, a: size, b: size * tilt, turn: 0.0 }, 0.4, |_, q, under| {
                under.mix(color * (1.0 - 0.2 * q), 0.95)
            });
        }
    }
}
