//! What else is on the plate? Fruit, citrus, berries, pancakes and cakes, doughnuts and biscuits.

use super::dish::{ball, leaf, slice};
use super::food::Dish;
use crate::demo::paint::{
    Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, hex, hsv, lerp, noise, step, value,
};

use std::f32::consts::{PI, TAU};

pub fn citrus(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let kinds = [
        (0xe8861c, 0xf8a838, 0xfdecc8),
        (0xe8c820, 0xf8e878, 0xfcf8dc),
        (0x5a9a30, 0xb8d878, 0xf0f6d8),
        (0xd8582c, 0xe86058, 0xfadcd0),
        (0xa82a28, 0xb8283c, 0xf4d0c0),
    ];
    let mixed = dice.chance(0.5);
    let first = dice.pick(&kinds);
    let mut spots: Vec<(f32, f32)> =
        (0..dice.int(6, 16)).map(|_| (dice.range(0.0, aspect), dice.range(0.05, 1.0))).collect();
    spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    let size = dice.range(0.13, 0.27);
    for at in spots {
        let (rind, flesh, pith) = if mixed { dice.pick(&kinds) } else { first };
        let radius = size * dice.range(0.75, 1.2);
        if dice.chance(0.25) {
            ball(canvas, at, radius, hex(rind), 0.5, dice.bits());
        } else {
            let (segments, turn, tilt) = (dice.int(8, 11), dice.range(0.0, TAU), dice.range(0.8, 1.0));
            slice(canvas, at, radius, tilt, hex(rind), hex(flesh), hex(pith), segments, turn);
        }
    }
    for _ in 0..dice.below(7) {
        let (at, size) = ((dice.range(0.0, aspect), dice.range(0.0, 1.0)), dice.range(0.06, 0.1));
        leaf(canvas, dice, at, size);
    }
}

pub fn fruit(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let kinds = [0xe8861c, 0xc82a24, 0x8ab034, 0xf0cc30, 0xe8b04a, 0x9a2438, 0xd8683a];
    let mut spots: Vec<(f32, f32, f32)> = Vec::new();
    for i in 0..dice.int(6, 11) {
        let (angle, r) = (i as f32 * 2.4 + dice.around() * 0.3, dice.unit().sqrt() * 0.55);
        let (u, v) = dish.at(angle.cos() * r, angle.sin() * r * 0.8 - 0.12);
        spots.push((u, v, dish.radius * dice.range(0.2, 0.3)));
    }
    spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (u, v, radius) in spots {
        let seed = dice.bits();
        match dice.below(8) {
            0 => {
                // Grapes.
                let tone = hex(dice.pick(&[0x5a2a5a, 0x8aa83a, 0x3a2448]));
                for k in 0..14 {
                    let (s, c) = (k as f32 * 2.4).sin_cos();
                    let out = (k as f32 / 14.0).sqrt() * radius * 0.95;
                    ball(
                        canvas,
                        (u + c * out, v + s * out * 0.8 + k as f32 * 0.001),
                        radius * 0.27,
                        tone,
                        0.7,
                        seed,
                    );
                }
            }
            1 => {
                // A banana: balls along a bow.
                let (turn, bow) = (dice.range(-0.5, 0.5), radius * 0.8);
                for k in 0..22 {
                    let t = k as f32 / 21.0 * 2.0 - 1.0;
                    let (p, q) = (t * radius * 1.7, bow * (t * t - 0.4));
                    let (s, c) = turn.sin_cos();
                    let thick = radius * 0.42 * (1.0 - t.powi(6) * 0.6);
                    let tone = if t.abs() > 0.94 { hex(0x6a4a20) } else { hex(0xf0cc3c) };
                    let at = Ellipse::round(u + p * c - q * s, v + p * s + q * c, thick);
                    canvas.ellipse(at, 0.1, |x, y, _| tone * (0.8 - 0.3 * y - 0.12 * x));
                }
            }
            _ => {
                let tone = hex(dice.pick(&kinds));
                ball(canvas, (u, v), radius, tone, 0.6, seed);
                let mut layer = Layer::over(canvas);
                let lean = dice.around() * radius * 0.2;
                layer.stroke(
                    Outline::from(u, v - radius * 0.62).bend(
                        u,
                        v - radius * 0.9,
                        u + lean,
                        v - radius * 1.08,
                    ),
                    radius * 0.07,
                    hex(0x4a341c),
                    1.0,
                );
                canvas.ellipse(
                    Ellipse { u, v: v - radius * 0.62, a: radius * 0.22, b: radius * 0.09, turn: 0.0 },
                    0.7,
                    |_, _, under| under * 0.6,
                );
                canvas.lay(&layer);
                if dice.chance(0.35) {
                    leaf(canvas, dice, (u + radius * 0.3, v - radius * 0.85), radius * 0.3);
                }
            }
        }
    }
}

pub fn berries(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let base = hex(dice.pick(&[0xf8f4ec, 0xf4dce0, 0xe8d0a0, 0xd8e0b8]));
    let seed = dice.bits();
    canvas.ellipse(dish.disc(0.0, 0.02, 0.82), 0.06, |p, q, _| {
        base * (0.98 + fbm(p * 3.0, q * 3.0, 3, seed) * 0.12 - (p + q) * 0.05)
    });
    let (spread, count) = (dice.range(0.3, 0.6), dice.int(16, 44));
    let mut spots: Vec<(f32, f32)> = (0..count)
        .map(|_| (dice.normal() * spread, dice.normal() * spread))
        .filter(|(p, q)| p * p + q * q < 0.55)
        .collect();
    spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (p, q) in spots {
        let at = dish.at(p, q);
        match dice.below(5) {
            0 | 1 => {
                let radius = dish.radius * 0.085;
                ball(canvas, at, radius, hex(0x3f4a86) * dice.range(0.8, 1.1), 0.25, seed);
                canvas.dab(at.0 + radius * 0.1, at.1 - radius * 0.3, radius * 0.3, 0.5, hex(0x1f2444), 0.7);
            }
            2 => {
                let radius = dish.radius * 0.11;
                for k in 0..16 {
                    let (s, c) = (k as f32 * 2.4).sin_cos();
                    let out = (1.0 - k as f32 / 16.0).sqrt() * radius * 0.8;
                    ball(canvas, (at.0 + c * out, at.1 + s * out), radius * 0.3, hex(0xc83050), 0.35, seed);
                }
            }
            3 => {
                let size = dish.radius * dice.range(0.13, 0.18);
                strawberry(canvas, dice, at, size);
            }
            _ => ball(canvas, at, dish.radius * 0.08, hex(0xd02a30), 0.8, seed),
        }
    }
    for _ in 0..dice.int(1, 4) {
        let at = dish.at(dice.normal() * 0.25, dice.normal() * 0.25);
        leaf(canvas, dice, at, dish.radius * 0.13);
    }
    for _ in 0..dice.below(40) {
        let at = dish.at(dice.normal() * 0.35, dice.normal() * 0.35);
        canvas.dab(at.0, at.1, dish.radius * 0.025, 0.3, hex(0xc89858) * dice.range(0.8, 1.1), 0.9);
    }
}

fn strawberry(canvas: &mut Canvas, dice: &mut Dice, at: (f32, f32), size: f32) {
    let turn = dice.range(0.8, 2.3);
    let shape = Ellipse { u: at.0, v: at.1, a: size, b: size * 0.8, turn };
    canvas.ellipse(Ellipse { v: at.1 + size * 0.3, ..shape }, 0.5, |_, _, under| under * 0.55);
    canvas.ellipse(shape, 0.06, |p, q, under| {
        if q.abs() > 1.05 - 0.45 * (p + 0.4).max(0.0) {
            return under;
        }
        let (x, y) = (p * 5.0, q * 5.0 + (p * 5.0).floor() * 0.5);
        let pip =
            step(0.3, 0.15, ((x - x.floor() - 0.5).powi(2) + (y - y.floor() - 0.5).powi(2)).sqrt() * 1.6);
        let z = (1.0 - p * p - q * q).max(0.0).sqrt();
        (hex(0xd02430) * (0.55 + 0.6 * z)).mix(hex(0xf0d078), pip * 0.7)
            + Rgb::gray((-((p + 0.1).powi(2) + (q - 0.3).powi(2)) * 16.0).exp() * 0.3)
    });
    for k in 0..5 {
        let a = turn + std::f32::consts::PI + (k as f32 - 2.0) * 0.45;
        let (u, v) = (
            at.0 - turn.cos() * size * 0.85 + a.cos() * size * 0.2,
            at.1 - turn.sin() * size * 0.85 + a.sin() * size * 0.2,
        );
        canvas.ellipse(Ellipse { u, v, a: size * 0.35, b: size * 0.12, turn: a }, 0.2, |_, q, _| {
            hex(0x4f8a34) * (0.9 - q * 0.3)
        });
    }
}

pub fn pancakes(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let count = dice.int(3, 7);
    let thick = dish.radius * dice.range(0.12, 0.17);
    let cake = dice.chance(0.35);
    let (side, top) = dice.pick(&[(0xf0cc8c, 0xc8843c), (0x5a3420, 0x3c2014), (0xf4e0b0, 0xd89a50)]);
    let (side, top) = (hex(side), hex(top));
    let seed = dice.bits();
    let mut v = dish.v;
    for k in 0..count {
        let wide = dish.radius * (0.6 + dice.around() * 0.02);
        let u = dish.u + dice.around() * dish.radius * if cake { 0.0 } else { 0.035 };
        let flat = dish.tilt * 0.9;
        if k == 0 {
            canvas.ellipse(
                Ellipse {
                    u: u + wide * 0.1,
                    v: v + wide * 0.1,
                    a: wide * 1.15,
                    b: wide * flat * 1.1,
                    turn: 0.0,
                },
                0.4,
                |_, _, under| under * 0.55,
            );
        }
        for step_up in 0..8 {
            let t = step_up as f32 / 7.0;
            let bulge = 1.0 + if cake { 0.0 } else { 0.03 * (t * PI).sin() };
            let shape = Ellipse { u, v: v - thick * t, a: wide * bulge, b: wide * flat * bulge, turn: 0.0 };
            let cream = cake && k % 2 == 1;
            canvas.ellipse(shape, 0.02, |p, _, _| {
                let body = if cream {
                    hex(0xfcf4ec)
                } else {
                    side.mix(top, if (0.25..=0.8).contains(&t) { 0.1 } else { 0.8 })
                };
                body * (0.85 - p * 0.28 + noise(p * 22.0, t * 2.0 + k as f32 * 5.0, seed) * 0.08)
            });
        }
        v -= thick;
        canvas.ellipse(Ellipse { u, v, a: wide, b: wide * flat, turn: 0.0 }, 0.02, |p, q, _| {
            let r = (p * p + q * q).sqrt();
            let brown = fbm(p * 3.0 + k as f32, q * 3.0, 4, seed) * 0.3;
            top.mix(side, step(0.8, 0.98, r) * 0.7) * (1.02 + brown - (p + q) * 0.06)
        });
    }
    let (wide, flat) = (dish.radius * 0.6, dish.tilt * 0.9);
    let syrup = hex(dice.pick(&[0x8a4410, 0x6a1a28, 0xf8f0e4, 0x3a1c10]));
    let drip = dice.bits();
    canvas.shade(v - wide, dish.v + wide * 0.6, |u, w, under| {
        let (p, q) = ((u - dish.u) / wide, (w - v) / (wide * flat));
        let r = (p * p + q * q).sqrt() + noise(p * 3.0, q * 3.0, drip) * 0.2;
        let on_top = step(0.82, 0.78, r);
        let long = (noise(p * 7.0, 3.0, drip) * 1.6 + 0.1).max(0.0) * thick * count as f32 * 0.9;
        let edge = (1.0 - p * p).max(0.0).sqrt() * wide * flat;
        let run = if p.abs() < 0.97 && long > 0.01 && q > 0.0 {
            step(v + edge + long, v + edge + long - 0.01, w) * step(0.55, 0.62, q)
        } else {
            0.0
        };
        let gloss = step(0.25, 0.5, noise(p * 4.0 + 2.0, q * 5.0, drip)) * 0.22;
        under.mix(syrup * 1.05 + Rgb::gray(gloss), (on_top.max(run)) * 0.88)
    });
    if dice.chance(0.5) {
        let mut layer = Layer::over(canvas);
        let (s, c) = (wide * 0.2, (dish.u, v - wide * 0.05));
        layer.fill(
            Outline::through(&[(c.0 - s, c.1), (c.0, c.1 - s * 0.5), (c.0 + s, c.1), (c.0, c.1 + s * 0.5)]),
            hex(0xfcec9c),
            1.0,
        );
        layer.fill(
            Outline::through(&[
                (c.0 - s, c.1),
                (c.0, c.1 + s * 0.5),
                (c.0, c.1 + s * 0.85),
                (c.0 - s, c.1 + s * 0.35),
            ]),
            hex(0xf0d468),
            1.0,
        );
        layer.fill(
            Outline::through(&[
                (c.0 + s, c.1),
                (c.0, c.1 + s * 0.5),
                (c.0, c.1 + s * 0.85),
                (c.0 + s, c.1 + s * 0.35),
            ]),
            hex(0xd8b848),
            1.0,
        );
        canvas.lay(&layer);
    } else {
        for _ in 0..dice.int(3, 8) {
            let at = (dish.u + dice.normal() * wide * 0.3, v + dice.normal() * wide * flat * 0.25);
            if dice.chance(0.5) {
                strawberry(canvas, dice, at, wide * 0.2);
            } else {
                ball(canvas, at, wide * 0.12, hex(0x3f4a86), 0.3, seed);
            }
        }
    }
}

/// Doughnuts and biscuits.
pub fn rings(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let biscuits = dice.chance(0.4);
    let n = dice.int(3, 6);
    let size = dish.radius * if n > 4 { 0.33 } else { 0.4 };
    let mut spots: Vec<(f32, f32)> = (0..n)
        .map(|k| {
            let (s, c) = ((k as f32 + dice.around() * 0.2) / n as f32 * TAU).sin_cos();
            dish.at(c * 0.55, s * 0.55)
        })
        .collect();
    spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (u, v) in spots {
        let (seed, tilt) = (dice.bits(), dish.tilt.max(0.7));
        let shape = Ellipse { u, v, a: size, b: size * tilt, turn: 0.0 };
        canvas.ellipse(Ellipse { u: u + size * 0.08, v: v + size * 0.22, ..shape }, 0.3, |_, _, under| {
            under * 0.5
        });
        if biscuits {
            let dough = hex(dice.pick(&[0xc88a4c, 0xb87838, 0x5a3824]));
            canvas.ellipse(shape, 0.04, |p, q, under| {
                let r = (p * p + q * q).sqrt() + noise(p * 3.0, q * 3.0, seed) * 0.06;
                let crack = step(0.1, 0.0, noise(p * 4.0, q * 4.0, seed ^ 1).abs()) * 0.2;
                let chip = step(0.66, 0.74, value(p * 5.0, q * 5.0, seed ^ 2));
                let lump = fbm(p * 5.0, q * 5.0, 3, seed) * 0.25;
                let tone = (dough * (1.05 + lump - crack - (p + q) * 0.12 - step(0.75, 1.0, r) * 0.25))
                    .mix(hex(0x32190e) * (1.0 + lump), chip);
                under.mix(tone, step(0.99, 0.96, r))
            });
            continue;
        }
        let (dough, icing) = (
            hex(0xd89a50),
            if dice.chance(0.4) { hex(0x4a2818) } else { hsv(dice.unit(), dice.range(0.15, 0.5), 0.96) },
        );
        let ring = |r: f32| 1.0 - ((r - 0.64) / 0.36).powi(2);
        canvas.ellipse(shape, 0.03, |p, q, under| {
            let r = (p * p + q * q).sqrt();
            if r < 0.28 {
                return under * if r > 0.22 { 0.7 } else { 1.0 };
            }
            let height = ring(r).max(0.0).sqrt();
            let lean = -(p + q) / r.max(0.1) * (r - 0.64) * 0.9;
            let body = dough * (0.6 + height * 0.42 + lean * 0.5);
            let edge = r + noise(p * 3.0, q * 3.0, seed) * 0.1;
            let iced = step(0.9, 0.86, edge) * step(0.38, 0.42, edge);
            let gloss =
                (-(((r - 0.55) / 0.06).powi(2))).exp() * step(0.2, 0.8, -(p + q) / r.max(0.1) * 0.7) * 0.35;
            body.mix(icing * (0.75 + height * 0.28 + lean * 0.4) + Rgb::gray(gloss), iced)
        });
        for _ in 0..dice.pick(&[0, 24, 34]) {
            let (angle, r) = (dice.range(0.0, TAU), dice.range(0.48, 0.8));
            let (su, sv) = (u + angle.cos() * r * size, v + angle.sin() * r * size * tilt);
            let long = size * lerp(0.05, 0.07, dice.unit());
            let color = hsv(dice.unit(), 0.7, 0.95);
            canvas.ellipse(
                Ellipse { u: su, v: sv, a: long, b: long * 0.4, turn: dice.range(0.0, TAU) },
                0.3,
                |_, q, _| color * (1.0 - q * 0.2),
            );
        }
    }
}
