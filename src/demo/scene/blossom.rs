//! How is one flower head built? Petals in rings, spirals, cups and balls.

use crate::demo::paint::{Dice, Ellipse, Layer, Outline, Rgb, hex, lerp};

use std::f32::consts::{PI, TAU};

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Daisy,
    Cosmos,
    Poppy,
    Rose,
    Tulip,
    Sunflower,
    Dahlia,
    Ball,
}

/// Root and tip of a petal, its shade, and the heart.
pub struct Colors {
    root: Rgb,
    tip: Rgb,
    heart: Rgb,
}

pub fn palette(kind: Kind, dice: &mut Dice) -> Colors {
    let (root, tip, heart) = match kind {
        Kind::Daisy => dice.pick(&[
            (0xdfe3ea, 0xffffff, 0xf0b424),
            (0xe8c8d8, 0xfdf0f6, 0xe8a820),
            (0xd86a90, 0xf09ab8, 0x8a3a20),
            (0xe8762a, 0xf6a040, 0x5a2c18),
            (0x7a5ab0, 0xa88ad8, 0xf0c030),
        ]),
        Kind::Cosmos => dice.pick(&[
            (0xa83a78, 0xe88ab8, 0xe8b830),
            (0xd8b8e0, 0xf6e8fa, 0xe8c040),
            (0x8a1f4a, 0xc84078, 0xd8a028),
            (0xf0d860, 0xfcf0a0, 0xb87818),
            (0x4a5ac0, 0x8a9ae8, 0xf0e8a0),
        ]),
        Kind::Poppy => dice.pick(&[
            (0x8f1410, 0xe8402c, 0x181418),
            (0xc84a10, 0xf68a30, 0x2a2a18),
            (0xd87a90, 0xf8b8c0, 0x2a2020),
            (0xe8c8a0, 0xfcf0dc, 0x3a3820),
        ]),
        Kind::Rose => dice.pick(&[
            (0x6a0a18, 0xc8283c, 0x3a0410),
            (0xb84a6a, 0xf4a8bc, 0x7a2440),
            (0xe0b890, 0xfdf0dc, 0xb88450),
            (0xd88a20, 0xf8d070, 0x9a5410),
            (0xc8a0a8, 0xfaecec, 0x98606c),
            (0x7a2a5a, 0xb860a0, 0x401030),
        ]),
        Kind::Tulip => dice.pick(&[
            (0x8a1420, 0xe03a38, 0xf0d060),
            (0xd8902a, 0xf8d048, 0xf8e8a0),
            (0x6a2a7a, 0xb068c0, 0xe8d8f0),
            (0xd87898, 0xf8c4d0, 0xfdf0f0),
            (0xd8d0c0, 0xfcfaf2, 0xf0f0c0),
            (0xb83818, 0xf08030, 0xf8d870),
        ]),
        Kind::Sunflower => dice.pick(&[(0xd8860c, 0xfcc828, 0x3a2210), (0xc86a10, 0xf4a820, 0x2a1810)]),
        Kind::Dahlia => dice.pick(&[
            (0x7a1830, 0xd84868, 0x4a0a20),
            (0xd86a20, 0xf8b060, 0xa84010),
            (0x8a4aa0, 0xd8a0e0, 0x5a2470),
            (0xe0d0c0, 0xfdf8f0, 0xd0b890),
            (0xd8a018, 0xfbe070, 0xa87010),
        ]),
        Kind::Ball => dice.pick(&[
            (0x4a5ab8, 0x9ab0f0, 0xe8e8c0),
            (0xa85a98, 0xe8b0dc, 0xf0e8d0),
            (0xb8c890, 0xf0f4dc, 0xe8e8a0),
            (0x7a4aa0, 0xc0a0e0, 0xf0e0b0),
        ]),
    };
    Colors { root: hex(root), tip: hex(tip), heart: hex(heart) }
}

pub fn stem(layer: &mut Layer, dice: &mut Dice, head: (f32, f32), foot: (f32, f32), leaf: Rgb, long: bool) {
    let bend = (lerp(head.0, foot.0, 0.3) + dice.around() * 0.06, lerp(head.1, foot.1, 0.55));
    let line = || Outline::from(head.0, head.1).bend(bend.0, bend.1, foot.0, foot.1);
    layer.stroke(line(), 0.024, leaf * 0.7, 1.0);
    layer.stroke(line(), 0.012, leaf * 1.15, 0.9);
    for _ in 0..dice.int(1, 3) {
        let t = dice.range(0.35, 0.85);
        let from = (
            lerp(lerp(head.0, bend.0, t), lerp(bend.0, foot.0, t), t),
            lerp(lerp(head.1, bend.1, t), lerp(bend.1, foot.1, t), t),
        );
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        let size = dice.range(0.18, 0.34);
        let (tip, wide) = if long {
            ((from.0 + side * size * 0.5, from.1 - size * 1.5), size * 0.28)
        } else {
            ((from.0 + side * size, from.1 - size * dice.range(-0.1, 0.7)), size * 0.3)
        };
        let middle = (lerp(from.0, tip.0, 0.45), lerp(from.1, tip.1, 0.45));
        let outline = |up: f32, down: f32| {
            Outline::from(from.0, from.1)
                .bend(middle.0 - wide * up * 0.6, middle.1 - wide * up, tip.0, tip.1)
                .bend(middle.0 + wide * down * 0.6, middle.1 + wide * down, from.0, from.1)
        };
        layer.fill_linear(outline(1.0, 1.0), from, tip, &[(0.0, leaf * 0.65, 1.0), (1.0, leaf * 1.15, 1.0)]);
        layer.fill(outline(1.0, 0.0), leaf * 1.25, 0.45);
        layer.stroke(
            Outline::from(from.0, from.1).bend(middle.0, middle.1, tip.0, tip.1),
            0.006,
            leaf * 1.4,
            0.6,
        );
    }
}

/// One flower head; `tilt` squashes it as it leans back.
pub fn blossom(
    layer: &mut Layer,
    dice: &mut Dice,
    kind: Kind,
    at: (f32, f32),
    radius: f32,
    tilt: f32,
    colors: &Colors,
) {
    match kind {
        Kind::Daisy => {
            let n = dice.int(13, 22);
            petals(layer, dice, at, radius, tilt, n, 0.9, Tip::Round, colors, 0.0, 1);
            heart(layer, dice, at, radius * 0.27, tilt, colors.heart);
        }
        Kind::Cosmos => {
            let n = dice.int(5, 8);
            petals(layer, dice, at, radius, tilt, n, 1.25, Tip::Notched, colors, 0.0, 1);
            heart(layer, dice, at, radius * 0.15, tilt, colors.heart);
        }
        Kind::Poppy => {
            petals(layer, dice, at, radius, tilt, 5, 1.25, Tip::Wavy, colors, 0.4, 1);
            petals(layer, dice, at, radius * 0.8, tilt, 4, 0.95, Tip::Wavy, colors, 1.1, 1);
            heart(layer, dice, at, radius * 0.2, tilt, colors.heart);
        }
        Kind::Sunflower => {
            let n = dice.int(20, 28);
            petals(layer, dice, at, radius, tilt, n, 1.2, Tip::Pointed, colors, 0.0, 2);
            heart(layer, dice, at, radius * 0.46, tilt, colors.heart);
        }
        Kind::Dahlia => {
            for ring in 0..6 {
                let t = ring as f32 / 6.0;
                let n = 18 - ring * 2;
                let tone = Colors {
                    root: colors.root.mix(colors.heart, t * 0.5),
                    tip: colors.tip * (1.02 - t * 0.08),
                    heart: colors.heart,
                };
                petals(
                    layer,
                    dice,
                    at,
                    radius * (1.0 - t * 0.82),
                    tilt,
                    n,
                    1.25,
                    Tip::Pointed,
                    &tone,
                    ring as f32 * 0.17,
                    1,
                );
            }
        }
        Kind::Rose => rose(layer, dice, at, radius, tilt, colors),
        Kind::Tulip => tulip(layer, dice, at, radius, colors),
        Kind::Ball => ball(layer, dice, at, radius, colors),
    }
}

#[derive(Clone, Copy)]
enum Tip {
    Round,
    Pointed,
    Notched,
    Wavy,
}

#[allow(clippy::too_many_arguments)]
fn petals(
    layer: &mut Layer,
    dice: &mut Dice,
    at: (f32, f32),
    radius: f32,
    tilt: f32,
    n: usize,
    fat: f32,
    tip: Tip,
    colors: &Colors,
    turn: f32,
    rings: usize,
) {
    let twist = dice.range(0.0, TAU) + turn;
    for ring in 0..rings {
        for i in 0..n {
            // Every other one first, so that neighbours overlap both ways.
            let k = (i * 2) % n + usize::from(n.is_multiple_of(2) && i * 2 >= n);
            let angle = twist + (k as f32 + ring as f32 * 0.5 + dice.around() * 0.12) / n as f32 * TAU;
            let long = radius * dice.range(0.9, 1.06) * (1.0 - ring as f32 * 0.14);
            let wide = long * PI / n as f32 * fat;
            let (sin, cos) = angle.sin_cos();
            let place = |along: f32, across: f32| {
                let (p, q) = (along * long, across * wide);
                (at.0 + p * cos - q * sin, at.1 + (p * sin + q * cos) * tilt)
            };
            let points: &[(f32, f32)] = match tip {
                Tip::Round => &[
                    (0.05, -0.2),
                    (0.45, -0.85),
                    (0.8, -0.95),
                    (0.97, -0.5),
                    (1.0, 0.0),
                    (0.97, 0.5),
                    (0.8, 0.95),
                    (0.45, 0.85),
                    (0.05, 0.2),
                ],
                Tip::Pointed => &[
                    (0.05, -0.25),
                    (0.4, -0.85),
                    (0.7, -0.75),
                    (1.0, 0.0),
                    (0.7, 0.75),
                    (0.4, 0.85),
                    (0.05, 0.25),
                ],
                Tip::Notched => &[
                    (0.05, -0.2),
                    (0.5, -0.75),
                    (0.85, -0.95),
                    (0.99, -0.6),
                    (0.94, -0.3),
                    (1.0, 0.0),
                    (0.94, 0.3),
                    (0.99, 0.6),
                    (0.85, 0.95),
                    (0.5, 0.75),
                    (0.05, 0.2),
                ],
                Tip::Wavy => &[
                    (0.05, -0.2),
                    (0.4, -0.8),
                    (0.7, -1.05),
                    (0.9, -0.75),
                    (0.93, -0.35),
                    (1.02, -0.05),
                    (0.94, 0.3),
                    (0.92, 0.7),
                    (0.7, 1.0),
                    (0.4, 0.8),
                    (0.05, 0.2),
                ],
            };
            let outline: Vec<_> = points
                .iter()
                .map(|&(a, b)| place(a * (1.0 + dice.around() * 0.025), b * (1.0 + dice.around() * 0.06)))
                .collect();
            let bright = 1.0 + dice.around() * 0.07 - sin * 0.05;
            let shadow: Vec<_> =
                outline.iter().map(|p| (p.0 + radius * 0.012, p.1 + radius * 0.02)).collect();
            layer.fill(Outline::smooth_closed(&shadow), colors.root * 0.45, 0.35);
            layer.fill_linear(
                Outline::smooth_closed(&outline),
                place(0.0, 0.0),
                place(1.0, 0.0),
                &[
                    (0.0, colors.root * (bright * 0.75), 1.0),
                    (0.35, colors.root.mix(colors.tip, 0.45) * bright, 1.0),
                    (1.0, colors.tip * bright, 1.0),
                ],
            );
            for across in [-0.45, -0.15, 0.2, 0.5] {
                let (a, b) = (place(0.15, across * 0.3), place(0.85, across));
                let middle = place(0.5, across * 0.9);
                layer.stroke(
                    Outline::from(a.0, a.1).bend(middle.0, middle.1, b.0, b.1),
                    radius * 0.012,
                    colors.root * 0.8,
                    0.28,
                );
            }
        }
    }
}

/// The middle of a flower: florets on a spiral, each turned by the golden angle.
fn heart(layer: &mut Layer, dice: &mut Dice, at: (f32, f32), radius: f32, tilt: f32, tone: Rgb) {
    let disc = |r: f32| Ellipse { u: at.0, v: at.1, a: r, b: r * tilt, turn: 0.0 };
    layer.fill(Outline::ellipse(Ellipse { v: at.1 + radius * 0.1, ..disc(radius * 1.1) }), tone * 0.3, 0.5);
    layer.fill_radial(
        Outline::ellipse(disc(radius)),
        (at.0 - radius * 0.3, at.1 - radius * 0.4),
        radius * 1.6,
        &[(0.0, tone * 1.15, 1.0), (1.0, tone * 0.5, 1.0)],
    );
    let n = (radius * 700.0).clamp(20.0, 130.0) as usize;
    for i in 0..n {
        let r = (i as f32 / n as f32).sqrt() * radius * 0.96;
        let (s, c) = (i as f32 * 2.399_963).sin_cos();
        let spot = Ellipse::round(at.0 + c * r, at.1 + s * r * tilt, radius * 0.065);
        let light = 0.75 + 0.5 * dice.unit() - s * 0.2;
        layer.fill(Outline::ellipse(spot), tone * (light * lerp(0.85, 1.3, r / radius)), 0.9);
    }
}

/// Petals wound about each other, wide open outside and tight within.
fn rose(layer: &mut Layer, dice: &mut Dice, at: (f32, f32), radius: f32, tilt: f32, colors: &Colors) {
    let n = 26;
    let twist = dice.range(0.0, TAU);
    for i in 0..n {
        let t = i as f32 / n as f32;
        let ring = radius * (1.0 - t).powf(0.8);
        let angle = twist + i as f32 * 2.399_963 * if t > 0.5 { 0.62 } else { 1.0 };
        let (sin, cos) = angle.sin_cos();
        let off = ring * 0.42;
        let (u, v) = (at.0 + cos * off, at.1 + sin * off * tilt);
        let wide = (ring * 0.72).max(radius * 0.09);
        let outline: Vec<_> = (0..11)
            .map(|k| {
                let a = k as f32 / 11.0 * TAU;
                let (s, c) = a.sin_cos();
                let lip = 1.0 + 0.08 * (a * 2.0).cos() + dice.around() * 0.04;
                let (p, q) = (c * wide * 0.82 * lip, s * wide * lip);
                (u + p * cos - q * sin, v + (p * sin + q * cos) * tilt)
            })
            .collect();
        let shade: Vec<_> = outline
            .iter()
            .map(|p| (p.0 - cos * radius * 0.03 + 0.002, p.1 - sin * radius * 0.03 * tilt + radius * 0.02))
            .collect();
        layer.fill(Outline::smooth_closed(&shade), colors.heart * 0.7, 0.4);
        let bright = lerp(1.0, 0.82, t) * (1.0 + dice.around() * 0.05 - sin * 0.07);
        let (inner, outer) = (
            (u - cos * wide * 0.8, v - sin * wide * 0.8 * tilt),
            (u + cos * wide * 0.85, v + sin * wide * 0.85 * tilt),
        );
        layer.fill_linear(
            Outline::smooth_closed(&outline),
            inner,
            outer,
            &[
                (0.0, colors.heart.mix(colors.root, 0.5), 1.0),
                (0.55, colors.root.mix(colors.tip, 0.45) * bright, 1.0),
                (0.9, colors.tip * bright, 1.0),
                (1.0, colors.tip * (bright * 1.1), 1.0),
            ],
        );
    }
}

/// A cup on a stem, from the side.
fn tulip(layer: &mut Layer, dice: &mut Dice, at: (f32, f32), radius: f32, colors: &Colors) {
    let (u, v) = at;
    let (w, h) = (radius * dice.range(0.62, 0.8), radius * 1.15);
    let open = dice.range(0.75, 1.15);
    let petal = |layer: &mut Layer, shift: f32, wide: f32, tall: f32, bright: f32, flame: bool| {
        let base = (u + shift * 0.25, v + h * 0.62);
        let tip = (u + shift * open, v - h * tall);
        let outline = || {
            Outline::from(base.0, base.1)
                .curve((base.0 - wide * 1.3, base.1 - h * 0.15), (tip.0 - wide * 1.05, tip.1 + h * 0.45), tip)
                .curve(
                    (tip.0 + wide * 1.05, tip.1 + h * 0.45),
                    (base.0 + wide * 1.3, base.1 - h * 0.15),
                    base,
                )
        };
        layer.fill(
            Outline::ellipse(Ellipse {
                u: lerp(base.0, tip.0, 0.5) + radius * 0.03,
                v: lerp(base.1, tip.1, 0.5),
                a: wide * 0.8,
                b: h * 0.6,
                turn: 0.0,
            }),
            colors.root * 0.5,
            0.25,
        );
        layer.fill_linear(
            outline(),
            base,
            tip,
            &[
                (0.0, colors.heart.mix(colors.root, 0.6) * bright, 1.0),
                (0.3, colors.root.mix(colors.tip, 0.35) * bright, 1.0),
                (1.0, colors.tip * bright, 1.0),
            ],
        );
        for k in [-0.5_f32, -0.25, 0.0, 0.25, 0.5] {
            let top = (tip.0 + k * wide * 0.35, tip.1 + h * (0.1 + k.abs() * 0.3));
            layer.stroke(
                Outline::from(base.0, base.1).bend(
                    base.0 + k * wide * 1.6,
                    lerp(base.1, tip.1, 0.5),
                    top.0,
                    top.1,
                ),
                radius * 0.014,
                colors.root,
                if flame { 0.4 } else { 0.22 },
            );
        }
    };
    petal(layer, -w * 0.25, w * 0.75, 0.82, 0.72, false);
    petal(layer, w * 0.3, w * 0.75, 0.85, 0.76, false);
    petal(layer, -w * 0.62, w * 0.7, 0.72, 0.95, false);
    petal(layer, w * 0.62, w * 0.7, 0.74, 0.9, false);
    petal(layer, dice.around() * w * 0.12, w * 0.82, 0.66, 1.05, true);
}

/// A head of many small blossoms: hydrangea, phlox.
fn ball(layer: &mut Layer, dice: &mut Dice, at: (f32, f32), radius: f32, colors: &Colors) {
    layer.fill(
        Outline::ellipse(Ellipse { u: at.0, v: at.1, a: radius, b: radius * 0.85, turn: 0.0 }),
        colors.root * 0.5,
        1.0,
    );
    let mut spots: Vec<(f32, f32)> =
        (0..85).map(|i| ((i as f32 / 85.0).sqrt(), i as f32 * 2.399_963)).collect();
    spots.reverse();
    for (r, angle) in spots {
        let (s, c) = (angle + dice.around() * 0.1).sin_cos();
        let (u, v) = (at.0 + c * r * radius * 0.95, at.1 + s * r * radius * 0.82);
        let bright = (1.02 - 0.35 * r * r) * (1.0 - s * r * 0.22) + dice.around() * 0.08;
        let size = radius * 0.13 * (1.08 - r * 0.35);
        let turn = dice.range(0.0, TAU);
        layer.fill(
            Outline::ellipse(Ellipse::round(u + size * 0.15, v + size * 0.35, size * 1.15)),
            colors.root * 0.4,
            0.35,
        );
        for k in 0..4 {
            let (ps, pc) = (turn + k as f32 * TAU / 4.0).sin_cos();
            let petal = Ellipse {
                u: u + pc * size * 0.55,
                v: v + ps * size * 0.5,
                a: size * 0.62,
                b: size * 0.55,
                turn: turn + k as f32 * TAU / 4.0,
            };
            layer.fill_linear(
                Outline::ellipse(petal),
                (u, v),
                (petal.u + pc * size * 0.6, petal.v + ps * size * 0.6),
                &[(0.0, colors.root * bright, 1.0), (1.0, colors.tip * bright, 1.0)],
            );
        }
        layer.fill(Outline::ellipse(Ellipse::round(u, v, size * 0.15)), colors.heart, 0.9);
    }
}
