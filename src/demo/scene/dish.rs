//! What is on the plate? Pizza, salad, pasta, breakfast, sushi, soup.

use super::food::Dish;
use crate::demo::paint::{Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, hex, noise, step, value};

use std::f32::consts::TAU;

/// A ball of something, lit from the upper left, with its shadow.
pub fn ball(canvas: &mut Canvas, at: (f32, f32), radius: f32, tone: Rgb, gloss: f32, seed: u32) {
    let (u, v) = at;
    canvas.ellipse(
        Ellipse { u: u + radius * 0.22, v: v + radius * 0.5, a: radius * 1.05, b: radius * 0.75, turn: 0.0 },
        0.6,
        |_, _, under| under * 0.55,
    );
    canvas.ellipse(Ellipse::round(u, v, radius), 0.06, |p, q, _| {
        let z = (1.0 - p * p - q * q).max(0.0).sqrt();
        let facing = (-0.5 * p - 0.6 * q + 0.62 * z).clamp(-0.3, 1.0);
        let skin = 1.0
            + noise(p * 9.0 + u * 31.0, q * 9.0, seed) * 0.08
            + noise(p * 3.0, q * 3.0 + u * 17.0, seed) * 0.1;
        let shine = (-((p + 0.38).powi(2) + (q + 0.42).powi(2)) * 22.0).exp() * gloss;
        let bounce = (1.0 - z).powi(3) * 0.14;
        tone * ((0.42 + 0.75 * facing.max(0.0)) * skin) + tone * bounce + Rgb::gray(shine * 0.75)
    });
}

/// A leaf of basil or mint.
pub fn leaf(canvas: &mut Canvas, dice: &mut Dice, at: (f32, f32), size: f32) {
    let green =
        dice.pick(&[hex(0x3f7a2c), hex(0x5a9438), hex(0x2f6030), hex(0x7aa848)]) * dice.range(0.85, 1.15);
    let turn = dice.range(0.0, TAU);
    let shape = Ellipse { u: at.0, v: at.1, a: size, b: size * dice.range(0.42, 0.6), turn };
    canvas.ellipse(Ellipse { u: at.0 + size * 0.12, v: at.1 + size * 0.2, ..shape }, 0.4, |_, _, under| {
        under * 0.6
    });
    canvas.ellipse(shape, 0.08, |p, q, _| {
        let rib = step(0.1, 0.02, q.abs()) * 0.25;
        let veins = ((p * 9.0 - q.abs() * 6.0).sin() * 0.08) * (1.0 - p.abs());
        green * (0.85 + q * 0.28 + rib + veins + 0.15 * (1.0 - p * p))
    });
}

pub fn pizza(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let seed = dice.bits();
    if dice.chance(0.6) {
        let board = hex(dice.pick(&[0xb88a58, 0x8a6038, 0xd8b888]));
        canvas.ellipse(dish.disc(0.04, 0.12, 1.14), 0.2, |_, _, under| under * 0.5);
        canvas.ellipse(dish.disc(0.0, 0.02, 1.1), 0.02, |p, q, _| {
            board * (1.0 + fbm(p * 2.0, q * 14.0, 3, seed) * 0.3)
        });
    }
    let (cheese, sauce) = (hex(0xf4d488), hex(0xc8442a));
    canvas.ellipse(dish.disc(0.0, 0.0, 1.0), 0.03, |p, q, under| {
        let r = (p * p + q * q).sqrt() + noise(p * 4.0, q * 4.0, seed) * 0.03;
        let bump = noise(p * 12.0, q * 12.0, seed ^ 1) * 0.1;
        if r > 0.86 {
            let arch = 1.0 - ((r - 0.93) / 0.08).powi(2);
            let burnt = step(0.2, 0.6, fbm(p * 6.0, q * 6.0, 3, seed ^ 2));
            let crust = hex(0xdcaa68).mix(hex(0x7a4420), burnt * 0.7)
                * (0.65 + 0.35 * arch.max(0.0) + bump - (p + q) * 0.1);
            return under.mix(crust, step(1.02, 0.99, r));
        }
        let melt = step(-0.25, 0.2, fbm(p * 5.0, q * 5.0, 4, seed ^ 3) + 0.1);
        let brown = step(0.3, 0.6, fbm(p * 9.0, q * 9.0, 3, seed ^ 4)) * 0.6;
        sauce.mix(cheese.mix(hex(0xc88a40), brown), melt) * (1.0 + bump - step(0.8, 0.86, r) * 0.2)
    });
    let meat = dice.chance(0.7);
    for _ in 0..dice.int(9, 16) {
        let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * 0.74);
        let (p, q) = (angle.cos() * r, angle.sin() * r);
        let at = dish.disc(p, q, dice.range(0.1, 0.14));
        let tone = if meat { hex(0xa82c1c) } else { hex(0xd8402c) } * dice.range(0.85, 1.15);
        canvas.ellipse(Ellipse { v: at.v + at.b * 0.2, u: at.u + at.a * 0.1, ..at }, 0.35, |_, _, under| {
            under * 0.6
        });
        canvas.ellipse(at, 0.1, |x, y, _| {
            let r = (x * x + y * y).sqrt();
            tone * (0.95 + noise(x * 5.0 + p * 40.0, y * 5.0, seed) * 0.3 - step(0.75, 1.0, r) * 0.3)
                + Rgb::gray((-((x + 0.3).powi(2) + (y + 0.3).powi(2)) * 14.0).exp() * 0.22)
        });
    }
    for _ in 0..dice.below(9) {
        let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * 0.7);
        let at = dish.at(angle.cos() * r, angle.sin() * r);
        leaf(canvas, dice, at, dish.radius * 0.12);
    }
    for _ in 0..dice.below(14) {
        let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * 0.75);
        let at = dish.disc(angle.cos() * r, angle.sin() * r, 0.05);
        canvas.ellipse(
            at,
            0.2,
            |x, y, under| if x * x + y * y < 0.2 { under } else { hex(0x2a2428) * (1.2 - y * 0.4) },
        );
    }
}

pub fn salad(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    for layer in 0..4 {
        let reach = 0.78 - layer as f32 * 0.13;
        for _ in 0..26 {
            let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * reach);
            let at = dish.at(angle.cos() * r, angle.sin() * r - layer as f32 * 0.05);
            let size = dish.radius * dice.range(0.1, 0.22);
            leaf(canvas, dice, at, size);
        }
        for _ in 0..3 {
            let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * reach);
            let at = dish.at(angle.cos() * r, angle.sin() * r - layer as f32 * 0.05);
            match dice.below(4) {
                0 | 1 => ball(
                    canvas,
                    at,
                    dish.radius * dice.range(0.08, 0.13),
                    hex(0xd8322a),
                    0.8,
                    dice_seed(layer),
                ),
                2 => slice(
                    canvas,
                    at,
                    dish.radius * 0.14,
                    dish.tilt,
                    hex(0x4a8a3a),
                    hex(0xd8eab0),
                    hex(0xf0f4d0),
                    0,
                    0.0,
                ),
                _ => slice(
                    canvas,
                    at,
                    dish.radius * 0.12,
                    dish.tilt,
                    hex(0x8a2a5a),
                    hex(0xf0e0ec),
                    hex(0xe0b8d0),
                    0,
                    0.0,
                ),
            }
        }
    }
    for _ in 0..dice.below(12) {
        let at = dish.at(dice.normal() * 0.3, dice.normal() * 0.3);
        canvas.dab(at.0, at.1, dish.radius * 0.045, 0.15, hex(0xfcf8ec), 0.97);
    }
}

fn dice_seed(layer: usize) -> u32 {
    layer as u32 * 77 + 5
}

/// A round slice: rind, pith or flesh, and `segments` of it.
#[allow(clippy::too_many_arguments)]
pub fn slice(
    canvas: &mut Canvas,
    at: (f32, f32),
    radius: f32,
    tilt: f32,
    rind: Rgb,
    flesh: Rgb,
    pith: Rgb,
    segments: usize,
    turn: f32,
) {
    let shape = Ellipse { u: at.0, v: at.1, a: radius, b: radius * tilt, turn: 0.0 };
    let seed = (at.0 * 9_000.0) as u32;
    canvas.ellipse(
        Ellipse { u: at.0 + radius * 0.08, v: at.1 + radius * 0.16, ..shape },
        0.3,
        |_, _, under| under * 0.58,
    );
    canvas.ellipse(shape, 0.03, |p, q, _| {
        let r = (p * p + q * q).sqrt();
        let light = 1.03 - (p + q) * 0.06;
        if r > 0.93 {
            return rind * (light - step(0.96, 1.0, r) * 0.15);
        }
        if segments == 0 {
            let seeds =
                step(0.62, 0.7, value(p * 6.0, q * 6.0, seed)) * step(0.25, 0.35, r) * step(0.75, 0.6, r);
            return flesh.mix(pith, step(0.75, 0.35, r) * 0.6 + seeds * 0.6) * light;
        }
        let angle = (q.atan2(p) + turn).rem_euclid(TAU) / TAU * segments as f32;
        let beside = (angle - angle.round()).abs() * r * TAU / segments as f32;
        let wall = step(0.045, 0.02, beside).max(step(0.82, 0.87, r)).max(step(0.1, 0.05, r));
        let fiber = noise(angle * 9.0, r * 5.0, seed) * 0.12 + noise(p * 16.0, q * 16.0, seed ^ 1) * 0.07;
        let juicy = flesh * (0.96 + fiber + step(0.3, 0.8, r) * 0.08);
        juicy.mix(pith, wall) * light
    });
}

pub fn pasta(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let tone = hex(dice.pick(&[0xf0cc78, 0xe8bc60, 0xf4dca0]));
    let sauce = hex(dice.pick(&[0xb83420, 0xc8502c, 0x5f8a34, 0xf0e4c8, 0x8a4a2c]));
    canvas.ellipse(dish.disc(0.02, 0.06, 0.7), 0.4, |_, _, under| under.mix(tone * 0.45, 0.75));
    for pass in 0..4 {
        let mut layer = Layer::over(canvas);
        for _ in 0..34 {
            let (angle, r) = (dice.range(0.0, TAU), dice.unit().sqrt() * (0.58 - pass as f32 * 0.07));
            let (p, q) = (angle.cos() * r, angle.sin() * r - pass as f32 * 0.03);
            let (turn, long, bow) = (dice.range(0.0, TAU), dice.range(0.15, 0.4), dice.around() * 0.3);
            let (s, c) = turn.sin_cos();
            let a = dish.at(p - c * long, q - s * long);
            let m = dish.at(p - s * bow, q + c * bow);
            let b = dish.at(p + c * long, q + s * long);
            let width = dish.radius * 0.035;
            let bright = (0.75 + pass as f32 * 0.09) * dice.range(0.9, 1.1);
            let line = |dy: f32| Outline::from(a.0, a.1 + dy).bend(m.0, m.1 + dy, b.0, b.1 + dy);
            layer.stroke(line(width * 0.4), width * 1.25, tone * 0.35, 0.6);
            layer.stroke(line(0.0), width, tone * bright, 1.0);
            layer.stroke(line(-width * 0.22), width * 0.3, tone * (bright * 1.22), 0.8);
        }
        canvas.lay(&layer);
    }
    let seed = dice.bits();
    canvas.ellipse(dish.disc(0.0, -0.1, 0.42), 0.1, |p, q, under| {
        let r = (p * p + q * q).sqrt() + fbm(p * 2.5, q * 2.5, 3, seed) * 0.5;
        let chunk = noise(p * 7.0, q * 7.0, seed ^ 1) * 0.3 - (p + q) * 0.12;
        let gloss = step(0.3, 0.55, noise(p * 6.0 + 0.2, q * 6.0 + 0.3, seed ^ 1)) * 0.2;
        under.mix(sauce * (0.95 + chunk) + Rgb::gray(gloss), step(0.85, 0.7, r) * 0.95)
    });
    for _ in 0..dice.below(4) {
        let at = dish.at(dice.normal() * 0.12, -0.12 + dice.normal() * 0.12);
        leaf(canvas, dice, at, dish.radius * 0.14);
    }
    for _ in 0..40 {
        let at = dish.at(dice.normal() * 0.25, -0.08 + dice.normal() * 0.25);
        canvas.dab(at.0, at.1, dish.radius * 0.012, 0.3, hex(0xfcf4dc), 0.8);
    }
}

pub fn breakfast(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let seed = dice.bits();
    // Toast.
    let (p, q) = (-0.3 + dice.around() * 0.08, -0.2 + dice.around() * 0.1);
    for k in 0..dice.int(1, 2) {
        let c = dish.at(p + 0.12 * k as f32, q + 0.1 * k as f32);
        let w = dish.radius * 0.36;
        let h = w * dish.tilt.max(0.7);
        let outline = |grow: f32, dv: f32| {
            let (w, h) = (w + grow, h + grow);
            Outline::smooth_closed(&[
                (c.0 - w, c.1 - h * 0.75 + dv),
                (c.0 - w * 0.5, c.1 - h + dv),
                (c.0 + w * 0.5, c.1 - h + dv),
                (c.0 + w, c.1 - h * 0.75 + dv),
                (c.0 + w * 0.9, c.1 + dv),
                (c.0 + w * 0.92, c.1 + h * 0.9 + dv),
                (c.0, c.1 + h + dv),
                (c.0 - w * 0.92, c.1 + h * 0.9 + dv),
                (c.0 - w * 0.9, c.1 + dv),
            ])
        };
        let mut layer = Layer::over(canvas);
        layer.fill(outline(0.012, 0.02), Rgb::gray(0.05), 0.4);
        layer.fill(outline(0.01, 0.006), hex(0x8a5a2c), 1.0);
        layer.fill(outline(0.0, 0.0), hex(0xe0b070), 1.0);
        canvas.lay_shaded(&layer, |u, v, own| {
            own * (1.0 + noise(u * 45.0, v * 45.0, seed) * 0.12 + fbm(u * 9.0, v * 9.0, 3, seed) * 0.25)
        });
    }
    for _ in 0..dice.int(1, 2) {
        let (p, q) = (0.25 + dice.around() * 0.25, 0.15 + dice.around() * 0.3);
        let wob = dice.bits();
        canvas.ellipse(dish.disc(p + 0.02, q + 0.05, 0.42), 0.3, |_, _, under| under * 0.75);
        canvas.ellipse(dish.disc(p, q, 0.46), 0.02, |x, y, under| {
            let r = (x * x + y * y).sqrt() + noise(x * 1.6, y * 1.6, wob) * 0.3;
            let edge = step(0.72, 0.86, r);
            let white = hex(0xfcfaf4).mix(hex(0xd8a860), edge * 0.7)
                * (0.98 + noise(x * 5.0, y * 5.0, wob) * 0.05 - (x + y) * 0.04);
            under.mix(white, step(0.9, 0.86, r))
        });
        let at = dish.disc(p + 0.02, q - 0.02, 0.16);
        canvas.ellipse(at, 0.06, |x, y, _| {
            hex(0xf8a818) * (0.95 - (x + y) * 0.18)
                + Rgb::gray((-((x + 0.35).powi(2) + (y + 0.4).powi(2)) * 18.0).exp() * 0.6)
        });
    }
    for k in 0..dice.int(0, 3) {
        let mut layer = Layer::over(canvas);
        let dy = k as f32 * 0.15;
        let points: Vec<_> = (0..7)
            .map(|i| {
                dish.at(-0.7 + i as f32 * 0.17, 0.45 + dy * 0.9 + (i as f32 * 1.9 + k as f32).sin() * 0.045)
            })
            .collect();
        let w = dish.radius * 0.12;
        layer.stroke(Outline::smooth(&points), w, hex(0x8a2c1c), 1.0);
        layer.stroke(
            Outline::smooth(&points.iter().map(|p| (p.0, p.1 - w * 0.1)).collect::<Vec<_>>()),
            w * 0.35,
            hex(0xe8b898),
            0.9,
        );
        canvas.lay_shaded(&layer, |u, v, own| own * (1.0 + noise(u * 50.0, v * 20.0, seed) * 0.25));
    }
    for _ in 0..dice.int(2, 5) {
        let at = dish.at(0.1 + dice.normal() * 0.3, -0.55 + dice.normal() * 0.1);
        let radius = dish.radius * dice.range(0.09, 0.13);
        ball(canvas, at, radius, hex(0xd8342a), 0.8, seed);
    }
    leaf(canvas, dice, dish.at(0.45, -0.4), dish.radius * 0.13);
}

pub fn sushi(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let seed = dice.bits();
    let rows = dice.int(2, 3);
    for row in 0..rows {
        let nigiri = dice.chance(0.5);
        let fish = hex(dice.pick(&[0xf08a58, 0xd84848, 0xf8d8c0, 0xf0b040]));
        let n = if nigiri { 3 } else { 4 };
        for k in 0..n {
            let (p, q) =
                ((k as f32 + 0.5) / n as f32 * 1.3 - 0.65, (row as f32 + 0.5) / rows as f32 * 1.2 - 0.6);
            let (u, v) = dish.at(p + dice.around() * 0.02, q + dice.around() * 0.02);
            if nigiri {
                let size = dish.radius * 0.2;
                let shape = Ellipse { u, v, a: size * 1.15, b: size * 0.62, turn: -0.35 };
                canvas.ellipse(
                    Ellipse { u: u + size * 0.1, v: v + size * 0.35, ..shape },
                    0.4,
                    |_, _, under| under * 0.55,
                );
                canvas.ellipse(Ellipse { v: v + size * 0.14, ..shape }, 0.08, |x, y, _| {
                    hex(0xf8f6ee) * (0.88 - y * 0.22 + noise(x * 14.0, y * 9.0, seed) * 0.12)
                });
                canvas.ellipse(
                    Ellipse { v: v - size * 0.12, a: size * 1.2, b: size * 0.52, ..shape },
                    0.08,
                    |x, y, _| {
                        let stripe =
                            step(0.5, 0.9, ((x * 1.1 + y * 0.5) * 7.0 + noise(x * 3.0, y * 3.0, seed)).sin())
                                * 0.3;
                        fish.mix(Rgb::gray(1.0), stripe) * (1.0 - y * 0.2)
                            + Rgb::gray((-((x + 0.4).powi(2) * 3.0 + (y + 0.4).powi(2) * 18.0)).exp() * 0.2)
                    },
                );
            } else {
                let size = dish.radius * 0.16;
                canvas.ellipse(
                    Ellipse { u: u + size * 0.2, v: v + size * 0.6, a: size * 1.1, b: size * 0.9, turn: 0.0 },
                    0.5,
                    |_, _, under| under * 0.55,
                );
                for t in 0..6 {
                    canvas.ellipse(
                        Ellipse {
                            u,
                            v: v + size * (0.5 - 0.1 * t as f32),
                            a: size,
                            b: size * dish.tilt.max(0.6),
                            turn: 0.0,
                        },
                        0.05,
                        |x, _, _| hex(0x1c2a22) * (0.9 - x * 0.4),
                    );
                }
                canvas.ellipse(
                    Ellipse { u, v, a: size, b: size * dish.tilt.max(0.6), turn: 0.0 },
                    0.05,
                    |x, y, _| {
                        let r = (x * x + y * y).sqrt();
                        if r > 0.88 {
                            hex(0x22332a)
                        } else if r > 0.42 {
                            hex(0xf8f6ee) * (0.96 + noise(x * 12.0, y * 12.0, seed ^ k as u32) * 0.14)
                        } else {
                            fish.mix(hex(0x6aa040), step(-0.05, 0.05, x + y * 0.4) * 0.9)
                                * (1.0 + noise(x * 9.0, y * 9.0, seed) * 0.1)
                        }
                    },
                );
            }
        }
    }
    let at = dish.at(0.72, 0.25);
    ball(canvas, at, dish.radius * 0.1, hex(0x8ab858), 0.1, seed);
    if dice.chance(0.6) {
        let mut layer = Layer::over(canvas);
        let w = dish.radius;
        for k in 0..2 {
            let d = k as f32 * 0.035;
            let (a, b) = (
                (dish.u - w * 1.15, dish.v + w * (0.8 + d)),
                (dish.u + w * 1.1, dish.v + w * (0.62 + d * 2.2)),
            );
            layer.stroke(
                Outline::from(a.0 + 0.01, a.1 + 0.016).line(b.0 + 0.01, b.1 + 0.016),
                0.018,
                Rgb::gray(0.0),
                0.3,
            );
            layer.stroke(Outline::from(a.0, a.1).line(b.0, b.1), 0.017, hex(0x6a2a20), 1.0);
            layer.stroke(Outline::from(a.0, a.1 - 0.004).line(b.0, b.1 - 0.004), 0.005, hex(0xb86a50), 0.8);
        }
        canvas.lay(&layer);
    }
}

pub fn soup(canvas: &mut Canvas, dice: &mut Dice, dish: Dish) {
    let tone = hex(dice.pick(&[0xd8742c, 0xb83a24, 0x7a9a3c, 0xe8c060, 0xf0e0c0, 0x8a5a30, 0x6a3428]));
    let (seed, turn) = (dice.bits(), dice.range(2.0, 5.0));
    let swirl = dice.chance(0.6);
    canvas.ellipse(dish.disc(0.0, 0.03, 0.8), 0.02, |p, q, _| {
        let r = (p * p + q * q).sqrt();
        let body =
            tone * (1.0 + fbm(p * 3.0, q * 3.0, 4, seed) * 0.18 - step(0.85, 1.0, r) * 0.3 - (p + q) * 0.05);
        let arm = (q.atan2(p) * 2.0 + r * turn * 4.0 + noise(p * 2.0, q * 2.0, seed) * 1.2).sin();
        let cream =
            if swirl { step(0.72, 0.92, arm) * step(0.72, 0.5, r) * step(0.05, 0.15, r) } else { 0.0 };
        let oil = step(0.52, 0.66, value(p * 8.0, q * 8.0, seed ^ 3)) * 0.1;
        body.mix(hex(0xfcf4e4), cream * 0.85)
            + hex(0xf8d878) * oil
            + Rgb::gray((-((p + 0.4).powi(2) * 9.0 + (q + 0.5).powi(2) * 24.0)).exp() * 0.22)
    });
    let chunks = if swirl { dice.below(6) } else { dice.int(8, 20) };
    for _ in 0..chunks {
        let at = dish.at(dice.normal() * 0.3, dice.normal() * 0.3);
        let color = hex(dice.pick(&[0xe88a2c, 0x6a9a3c, 0xf0e0b0, 0xc84030, 0xe8d060]));
        let radius = dish.radius * dice.range(0.05, 0.1);
        canvas.ellipse(
            Ellipse { u: at.0, v: at.1, a: radius, b: radius * 0.75, turn: dice.around() },
            0.15,
            |p, q, _| color * (0.95 - (p + q) * 0.2),
        );
    }
    for _ in 0..dice.int(2, 8) {
        let at = dish.at(dice.normal() * 0.2, dice.normal() * 0.2);
        let size = dish.radius * dice.range(0.04, 0.1);
        leaf(canvas, dice, at, size);
    }
    for _ in 0..30 {
        let at = dish.at(dice.normal() * 0.3, dice.normal() * 0.3);
        canvas.dab(at.0, at.1, dish.radius * 0.01, 0.3, hex(0x2a2420), 0.7);
    }
}
