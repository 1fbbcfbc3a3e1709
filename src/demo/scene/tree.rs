//! What grows and lies about: conifers, broad-leaved trees by recursion, palms, boulders.

use super::sky::Sky;
use crate::demo::paint::{Canvas, Dice, Ellipse, Layer, Outline, Rgb, hex, noise, step};

/// A conifer with its foot at `foot`: tiers of drooping branches, lit from the sun's side; `snow` in [0, 1].
pub fn conifer(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, foot: (f32, f32), tall: f32, snow: f32) {
    let (u, v) = foot;
    let against = if sky.backlit() { 0.35 } else { 1.0 };
    let tint = dice.range(0.8, 1.2);
    let dark = sky.light(hex(0x1f3326) * tint, 0.15);
    let light = sky.light(hex(0x4f6b3c) * tint, 0.8 * against);
    let white = sky.light(hex(0xeef3f8), 0.9);
    let sunward = if sky.sun.0 > u { 1.0 } else { -1.0 };
    let width = tall * dice.range(0.17, 0.26);
    let mut layer = Layer::over(canvas);
    layer.stroke(Outline::from(u, v).line(u, v - tall * 0.9), tall * 0.025, hex(0x3a2c22) * 0.7, 1.0);
    let tiers = (tall * 60.0).clamp(9.0, 26.0) as usize;
    for tier in 0..tiers {
        let t = tier as f32 / tiers as f32;
        let y = v - tall * (0.08 + 0.9 * t);
        let reach = width * (1.0 - t).powf(0.85) * dice.range(0.75, 1.12) + tall * 0.008;
        for side in [-1.0_f32, 1.0] {
            let lit = if side == sunward { 0.75 } else { 0.2 } * dice.range(0.6, 1.2);
            let tone = dark.mix(light, lit);
            let droop = reach * dice.range(0.25, 0.5);
            let outline = Outline::from(u, y - tall * 0.05)
                .bend(u + side * reach * 0.5, y - tall * 0.01, u + side * reach, y + droop)
                .bend(u + side * reach * 0.5, y + droop * 0.75, u, y + droop * 0.45);
            layer.fill(outline, tone, 1.0);
            if snow > 0.0 && dice.chance(snow) {
                let line = Outline::from(u, y - tall * 0.045).bend(
                    u + side * reach * 0.5,
                    y - tall * 0.01,
                    u + side * reach * 0.9,
                    y + droop * 0.75,
                );
                layer.stroke(line, tall * 0.018, white, 0.9);
            }
        }
    }
    canvas.lay(&layer);
}

/// How a broad-leaved tree is clothed.
#[derive(Debug, Clone, Copy)]
pub struct Crown {
    /// Leaves in the sun.
    pub leaf: Rgb,
    /// Leaves in the shade.
    pub shade: Rgb,
    /// Dabs of leaves at each twig, 0 in winter.
    pub leaves: usize,
    /// Bark.
    pub bark: Rgb,
}

/// A broad-leaved tree by recursion: trunk, boughs, twigs, and leaves in clumps.
pub fn broadleaf(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, foot: (f32, f32), tall: f32, crown: Crown) {
    let mut layer = Layer::over(canvas);
    let mut tips = Vec::new();
    let lean = dice.around() * 0.1;
    bough(
        &mut layer,
        dice,
        foot,
        -std::f32::consts::FRAC_PI_2 + lean,
        tall * 0.3,
        tall * 0.05,
        0,
        crown.bark,
        &mut tips,
    );
    canvas.lay(&layer);
    if crown.leaves == 0 {
        return;
    }
    let sunward = if sky.sun.0 > foot.0 { 1.0 } else { -1.0 };
    let middle = foot.1 - tall * 0.62;
    // Shade first, light last: the crown gets its depth from the order.
    for pass in 0..3 {
        for &(u, v) in &tips {
            for _ in 0..crown.leaves {
                let (p, q) = (dice.normal() * tall * 0.05, dice.normal() * tall * 0.045);
                let lit = ((middle - v - q) / tall * 1.3 + sunward * (u + p - foot.0) / tall * 0.9 + 0.35)
                    .clamp(0.0, 1.0);
                let t = (lit * 0.6 + pass as f32 * 0.25 + dice.around() * 0.15).clamp(0.0, 1.0);
                if pass == 2 && lit < 0.35 {
                    continue;
                }
                let size = tall * dice.range(0.012, 0.03) * (1.15 - pass as f32 * 0.2);
                let shape = Ellipse {
                    u: u + p - pass as f32 * 0.004 * sunward,
                    v: v + q - pass as f32 * 0.008,
                    a: size,
                    b: size * 0.65,
                    turn: dice.around() * 1.5,
                };
                let color = crown.shade.mix(crown.leaf, t);
                canvas.ellipse(shape, 0.3, |_, _, under| under.mix(color, 0.9));
            }
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn bough(
    layer: &mut Layer,
    dice: &mut Dice,
    from: (f32, f32),
    angle: f32,
    length: f32,
    width: f32,
    depth: usize,
    bark: Rgb,
    tips: &mut Vec<(f32, f32)>,
) {
    let bend = angle + dice.around() * 0.15;
    let to = (from.0 + angle.cos() * length, from.1 + angle.sin() * length);
    let half = (from.0 + bend.cos() * length * 0.5, from.1 + bend.sin() * length * 0.5);
    let tone = bark * (1.0 - depth as f32 * 0.06);
    layer.stroke(Outline::from(from.0, from.1).bend(half.0, half.1, to.0, to.1), width, tone, 1.0);
    layer.stroke(
        Outline::from(from.0 - width * 0.25, from.1).bend(
            half.0 - width * 0.22,
            half.1,
            to.0 - width * 0.15,
            to.1,
        ),
        width * 0.3,
        tone * 1.3,
        0.6,
    );
    if depth >= 2 {
        tips.push(to);
    }
    if depth == 4 {
        return;
    }
    for i in 0..dice.int(2, 3) {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let turn = side * dice.range(0.25, 0.65) + dice.around() * 0.1;
        let next = length * dice.range(0.62, 0.82);
        bough(layer, dice, to, angle + turn, next, width * 0.66, depth + 1, bark, tips);
    }
}

/// A palm with its foot at `foot`, leaning by `lean` (share of its height, to the right).
pub fn palm(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, foot: (f32, f32), tall: f32, lean: f32) {
    let (u, v) = foot;
    let head = (u + lean * tall, v - tall);
    let against = if sky.backlit() { 0.12 } else { 0.9 };
    let bark = sky.light(hex(0x8a7458), against);
    let leaf = sky.light(hex(0x5f8a3a), against);
    let shade = sky.light(hex(0x2c4a26), against * 0.3);
    let mut layer = Layer::over(canvas);
    let bend = (u + lean * tall * 0.15, v - tall * 0.55);
    let stem = |t: f32| {
        let a = 1.0 - t;
        (a * a * u + 2.0 * a * t * bend.0 + t * t * head.0, a * a * v + 2.0 * a * t * bend.1 + t * t * head.1)
    };
    for i in 0..28 {
        let (a, b) = (stem(i as f32 / 28.0), stem((i as f32 + 1.1) / 28.0));
        let width = tall * (0.05 - 0.022 * i as f32 / 28.0);
        layer.stroke(
            Outline::from(a.0, a.1).line(b.0, b.1),
            width,
            bark * if i % 2 == 0 { 0.82 } else { 1.0 },
            1.0,
        );
        layer.stroke(
            Outline::from(a.0 - width * 0.25, a.1).line(b.0 - width * 0.25, b.1),
            width * 0.3,
            bark * 1.25,
            0.5,
        );
    }
    let fronds = dice.int(9, 14);
    for i in 0..fronds {
        let angle =
            -2.9 + 5.8 * i as f32 / (fronds - 1) as f32 + dice.around() * 0.2 - std::f32::consts::FRAC_PI_2;
        let length = tall * dice.range(0.36, 0.52);
        let tip = (head.0 + angle.cos() * length, head.1 + angle.sin() * length * 0.55 + length * 0.42);
        let rise = (head.0 + angle.cos() * length * 0.5, head.1 + angle.sin() * length * 0.5 - length * 0.16);
        let along = |t: f32| {
            let a = 1.0 - t;
            (
                a * a * head.0 + 2.0 * a * t * rise.0 + t * t * tip.0,
                a * a * head.1 + 2.0 * a * t * rise.1 + t * t * tip.1,
            )
        };
        let tone = shade.mix(leaf, dice.unit());
        layer.stroke(
            Outline::from(head.0, head.1).bend(rise.0, rise.1, tip.0, tip.1),
            tall * 0.009,
            tone,
            1.0,
        );
        for j in 2..22 {
            let t = j as f32 / 22.0;
            let (p, q) = (along(t), along(t + 0.03));
            let (dx, dy) = (q.0 - p.0, q.1 - p.1);
            let unit = (dx * dx + dy * dy).sqrt().max(1e-4);
            let blade = length * 0.24 * (t * 3.2).min(1.0) * (1.12 - t);
            for side in [-1.0_f32, 1.0] {
                let (nx, ny) = (-dy / unit * side, dx / unit * side);
                let end = (
                    p.0 + (nx * 0.75 + dx / unit * 0.8) * blade,
                    p.1 + (ny * 0.75 + dy / unit * 0.8) * blade + blade * 0.3,
                );
                let color = if side * ny < 0.0 { tone * 1.2 } else { tone * 0.85 };
                layer.stroke(Outline::from(p.0, p.1).line(end.0, end.1), tall * 0.008, color, 0.95);
            }
        }
    }
    canvas.lay(&layer);
}

/// A boulder standing at `at`.
pub fn boulder(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, at: (f32, f32), size: f32) {
    let seed = dice.bits();
    let tone = dice.pick(&[hex(0x7d7873), hex(0x8f8377), hex(0x666a70), hex(0x5e564e)]);
    let points: Vec<_> = (0..9)
        .map(|i| {
            let (s, c) = (i as f32 * std::f32::consts::TAU / 9.0).sin_cos();
            let r = size * dice.range(0.8, 1.15);
            (at.0 + c * r * 1.3, at.1 + s * r * 0.75)
        })
        .collect();
    let mut layer = Layer::over(canvas);
    layer.fill(Outline::smooth_closed(&points), Rgb::gray(0.5), 1.0);
    let sunward = if sky.sun.0 > at.0 { 1.0 } else { -1.0 };
    canvas.lay_shaded(&layer, |u, v, _| {
        let rough = noise(u * 28.0, v * 28.0, seed) * 0.5 + noise(u * 70.0, v * 70.0, seed ^ 1) * 0.25;
        let facing = (at.1 - v) / size * 0.75 + sunward * (u - at.0) / size * 0.35 + rough * 0.9;
        sky.light(tone * (0.95 + rough * 0.3), step(-0.4, 0.7, facing))
    });
}
