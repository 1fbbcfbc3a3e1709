//! Beaches: sea, surf and sand from the shore, from the water's edge, or from above.

use super::sky::{Mood, Sky};
use super::tree;
use crate::demo::paint::{
    Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, hex, lerp, noise, ridged, step, value,
};

/// Paints a beach.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.13) {
        from_above(canvas, dice);
    } else {
        from_shore(canvas, dice);
    }
}

/// The colours of water and sand somewhere in the world.
fn waters(dice: &mut Dice) -> (Rgb, Rgb, Rgb) {
    let (deep, shallow, sand) = dice.pick(&[
        (0x14587f, 0x4fc0bd, 0xe9d6b0),
        (0x1b4f73, 0x6fb3a6, 0xd9c09a),
        (0x2a5563, 0x7c9c8d, 0xc2ab88),
        (0x0f6a94, 0x66d6cf, 0xf2e6cf),
        (0x35525f, 0x8a9a90, 0xa8977d),
        (0x20466b, 0x5fa0b0, 0x6b625c),
        (0x1d6178, 0x58b8a8, 0xe3c08f),
    ]);
    (hex(deep), hex(shallow), hex(sand))
}

fn from_shore(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let level = dice.range(0.26, 0.56);
    let sky = Sky::any(dice, aspect, level);
    sky.paint(canvas, level + 0.01);
    if dice.chance(0.4) {
        headland(canvas, &sky, level, dice);
    }
    let (deep, shallow, sand) = waters(dice);
    // The waterline: a line through the picture with a bay or two in it; above it the sea.
    let (rest, tilt) = (lerp(level, 1.0, dice.range(0.25, 0.85)), dice.around() * 0.38);
    let (bay, seed, swell) = (dice.range(0.02, 0.08), dice.bits(), dice.range(0.3, 1.0));
    let line = move |u: f32| {
        let slant = rest + (u - aspect * 0.5) * tilt * (rest - level);
        slant + noise(u * 1.4, 0.5, seed) * bay + noise(u * 4.5, 7.5, seed) * bay * 0.25
    };
    let surf = dice.range(0.02, 0.07) * swell;
    let glitter = if sky.dark() { 0.35 } else { 0.9 };
    canvas.shade(level, 1.0, |u, v, _| {
        let below = v - level;
        let far = 1.0 / (below + 0.012);
        let edge = line(u);
        let out = edge - v;
        let persp = (below / (edge - level).max(0.02)).clamp(0.05, 1.5);
        let jag = fbm(u * 9.0 / persp.max(0.3), v * 18.0, 3, seed ^ 0x3) * 0.018 * persp;
        let out = out + jag;
        if out > 0.0 {
            let (x, y) = ((u - aspect * 0.5) * far * 0.35, far * 0.9);
            let wave = fbm(x, y * 1.2, 4, seed ^ 0x1);
            let crest = fbm(x * 0.3, y * 0.9, 2, seed ^ 0x2);
            let depth = step(0.0, 0.3, out / (edge - level + 0.05));
            let body = sky.light(shallow.mix(deep, depth) * 1.12, 0.85 + wave * 0.4);
            let mirror = sky.clear(u + wave * 0.05, level - 0.06 - below * 0.5 - wave * 0.1, false);
            let fresnel = (0.22 + 0.4 * (-below * 7.0).exp() + wave * 0.25).clamp(0.05, 0.85);
            let mut water = body.mix(mirror, fresnel);
            water = water * (1.0 + crest * 0.25 * swell);
            let path = (-((u - sky.sun.0) / (0.06 + below * 0.35)).powi(2)).exp();
            let sparkle = step(0.05, 0.5, wave + crest * 0.5);
            water = water + sky.glow * (path * sparkle * glitter);
            // Breakers: a few curling lines parallel to the shore, foam behind each.
            let row = out / (0.05 + 0.09 * persp) + noise(u * 2.5, 2.0, seed ^ 0x6) * 0.8;
            let saw = row.fract();
            let breaker = step(0.75, 0.98, saw) * step(2.8 * swell + 0.4, 0.2, row);
            let lace = ridged(u * 11.0 / persp.max(0.25), v * 30.0 / persp.max(0.3), 3, seed ^ 0x4);
            let foam = breaker * step(0.25, 0.6, lace + swell * 0.2)
                + step(surf * 1.6, 0.0, out) * step(0.3, 0.55, lace + 0.1);
            water.mix(sky.light(hex(0xf6faf8), 0.95) * 1.05, foam.clamp(0.0, 1.0) * 0.92)
        } else {
            let dry = -out;
            let far = 1.0 / (below + 0.05);
            let (x, y) = ((u - aspect * 0.5) * far * 3.0, far * 9.0);
            let dune = fbm(x * 0.9, y * 0.5, 3, seed ^ 0xb);
            let speck =
                noise(u * 95.0, v * 95.0, seed ^ 0xc) * 0.05 + noise(u * 40.0, v * 40.0, seed ^ 0xd) * 0.04;
            let prints = step(0.45, 0.7, value(x * 2.0, y * 2.0, seed ^ 0xe)) * 0.1 * step(0.06, 0.2, dry);
            let ground = sky.light(sand * (1.04 + speck + dune * 0.14 - prints), 0.9 + dune * 0.4);
            let wet = step(surf * 1.5 + 0.05, 0.0, dry + dune * 0.015);
            let mirror = sky.clear(u, level - (v - level) * 0.6, false);
            let soaked = (ground * 0.62).mix(mirror, 0.32);
            let rim = step(0.012, 0.002, dry) * 0.5;
            ground.mix(soaked, wet).mix(sky.light(hex(0xffffff), 0.9), rim)
        }
    });
    for _ in 0..dice.below(3) {
        sail(canvas, &sky, level, dice);
    }
    props(canvas, &sky, level, rest, dice);
}

/// Land on the horizon.
fn headland(canvas: &mut Canvas, sky: &Sky, level: f32, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let (middle, wide, tall) = (dice.range(-0.1, 1.1) * aspect, dice.range(0.2, 0.7), dice.range(0.03, 0.16));
    let (seed, far) = (dice.bits(), dice.range(0.25, 0.75));
    let hump = move |u: f32| (-((u - middle) / wide).powi(4)).exp();
    let crest = canvas.columns(&|u| level - hump(u) * tall * (0.75 + fbm(u * 5.0, 1.0, 4, seed) * 0.8));
    canvas.shade(level - 0.25, level + 0.006, |u, v, under| {
        let (hump, crest) = (hump(u), crest(u));
        if v < crest - 0.01 {
            return under;
        }
        let cover = ((v - crest) * 160.0).clamp(0.0, 1.0) * step(0.02, 0.1, hump);
        let rock = hex(0x5b6a48).mix(hex(0x7d705f), value(u * 30.0, v * 50.0, seed));
        let lit = 0.5 + noise(u * 12.0 + v * 9.0, v * 14.0, seed) * 0.7;
        under.mix(sky.light(rock, lit).mix(sky.haze(u), far), cover)
    });
}

/// A boat far out.
fn sail(canvas: &mut Canvas, sky: &Sky, level: f32, dice: &mut Dice) {
    let u = dice.range(0.05, 0.95) * canvas.aspect();
    let size = dice.range(0.015, 0.06);
    let v = level + size * 0.22;
    let mut layer = Layer::over(canvas);
    let cloth =
        if sky.backlit() { sky.light(hex(0x40404a), 0.3) } else { sky.light(hex(0xfdfcf6), 1.0) * 1.1 };
    layer.fill(
        Outline::through(&[(u, v - size * 1.7), (u, v - size * 0.2), (u + size * 0.62, v - size * 0.2)]),
        cloth,
        1.0,
    );
    layer.fill(
        Outline::through(&[
            (u - 0.004, v - size * 1.5),
            (u - 0.004, v - size * 0.2),
            (u - size * 0.45, v - size * 0.2),
        ]),
        cloth * 0.86,
        1.0,
    );
    let hull = Outline::from(u - size * 0.55, v - size * 0.14)
        .line(u + size * 0.7, v - size * 0.14)
        .bend(u + size * 0.5, v + size * 0.1, u, v + size * 0.08)
        .bend(u - size * 0.45, v + size * 0.08, u - size * 0.55, v - size * 0.14);
    layer.fill(hull, sky.light(hex(0x6b3b2c), 0.6), 1.0);
    canvas.lay(&layer);
}

/// What stands on the sand.
fn props(canvas: &mut Canvas, sky: &Sky, level: f32, rest: f32, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let sandy = lerp(rest, 1.0, 0.35);
    match dice.below(8) {
        0 | 1 => {
            let right = dice.chance(0.5);
            for i in 0..dice.int(1, 3) {
                let side = dice.range(0.02, 0.22) + i as f32 * 0.09;
                let u = if right { aspect - side } else { side };
                let tall = dice.range(0.5, 0.85) * (1.0 - i as f32 * 0.15);
                let lean = dice.range(0.05, 0.35) * if right { -1.0 } else { 1.0 };
                tree::palm(canvas, sky, dice, (u, dice_foot(rest, i)), tall, lean);
            }
        }
        2 | 3 => {
            for _ in 0..dice.int(1, 4) {
                let v = dice.range(sandy.min(0.9), 0.98);
                let size = 0.05 + 0.2 * (v - level);
                let u = dice_u(dice, aspect);
                parasol(canvas, sky, dice, (u, v), size);
            }
        }
        4 => {
            for _ in 0..dice.int(2, 7) {
                let v = dice.range(level + 0.06, 1.0);
                let size = dice.range(0.15, 0.5) * (v - level) * 0.4;
                let u = dice_u(dice, aspect);
                tree::boulder(canvas, sky, dice, (u, v), size);
            }
        }
        5 => {
            for _ in 0..dice.int(1, 3) {
                let v = dice.range(rest.min(0.85), 0.95);
                let u = dice_u(dice, aspect);
                let tall = (v - level) * dice.range(0.35, 0.5) + 0.03;
                walker(canvas, sky, dice, (u, v), tall);
            }
        }
        _ => {}
    }
}

fn dice_u(dice: &mut Dice, aspect: f32) -> f32 {
    dice.range(0.06, 0.94) * aspect
}

fn dice_foot(rest: f32, i: usize) -> f32 {
    (rest + 0.14).min(1.04) - i as f32 * 0.02
}

fn parasol(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, at: (f32, f32), size: f32) {
    let (u, v) = at;
    let shade = Ellipse { u: u + size * 0.25, v, a: size * 0.75, b: size * 0.13, turn: 0.0 };
    canvas.ellipse(shade, 0.5, |_, _, under| under * 0.62);
    let (first, second) = dice.pick(&[
        (0xd8432f, 0xf7f1e4),
        (0x2f7fc0, 0xf7f1e4),
        (0xf0b429, 0xf7f1e4),
        (0x2a9d78, 0xf3e9c8),
        (0xe86a8a, 0xffe3d8),
    ]);
    let mut layer = Layer::over(canvas);
    let tip = (u + size * 0.12, v - size * 1.45);
    layer.stroke(Outline::from(u, v).line(tip.0, tip.1), size * 0.035, sky.light(hex(0xe8e2d6), 0.8), 1.0);
    let rim = v - size * 0.98;
    for i in 0..6 {
        let edge = |k: usize| tip.0 + size * 0.82 * -(k as f32 / 6.0 * std::f32::consts::PI).cos();
        let color = if i % 2 == 0 { hex(first) } else { hex(second) };
        let outline = Outline::from(tip.0, tip.1)
            .bend(lerp(tip.0, edge(i), 0.75), tip.1 + size * 0.1, edge(i), rim)
            .bend(lerp(edge(i), edge(i + 1), 0.5), rim - size * 0.06, edge(i + 1), rim)
            .bend(lerp(tip.0, edge(i + 1), 0.75), tip.1 + size * 0.1, tip.0, tip.1);
        layer.fill(outline, sky.light(color, 1.05 - 0.1 * i as f32) * 1.1, 1.0);
    }
    let towel = hsv_pick(dice);
    let t = Outline::through(&[
        (u + size * 0.3, v - 0.01),
        (u + size * 1.1, v + size * 0.02),
        (u + size * 1.2, v + size * 0.16),
        (u + size * 0.35, v + size * 0.13),
    ]);
    layer.fill(t, sky.light(towel, 0.85), 1.0);
    canvas.lay(&layer);
}

fn hsv_pick(dice: &mut Dice) -> Rgb {
    crate::demo::paint::hsv(dice.unit(), dice.range(0.3, 0.8), dice.range(0.6, 0.95))
}

/// Somebody walking along the water, `tall` high.
fn walker(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, at: (f32, f32), tall: f32) {
    let (u, v) = at;
    let shade = Ellipse { u: u + tall * 0.2, v, a: tall * 0.3, b: tall * 0.035, turn: 0.0 };
    canvas.ellipse(shade, 0.5, |_, _, under| under * 0.6);
    let against = if sky.backlit() { 0.05 } else { 0.9 };
    let skin = sky.light(dice.pick(&[hex(0xd9a27e), hex(0x8d5a3c), hex(0xeac0a0), hex(0x5f3d2a)]), against);
    let cloth = sky.light(hsv_pick(dice), against);
    let mut layer = Layer::over(canvas);
    let stride = tall * dice.range(0.05, 0.14);
    for side in [-1.0_f32, 1.0] {
        layer.stroke(Outline::from(u, v - tall * 0.45).line(u + side * stride, v), tall * 0.075, skin, 1.0);
        layer.stroke(
            Outline::from(u, v - tall * 0.74).bend(
                u + side * tall * 0.12,
                v - tall * 0.6,
                u + side * tall * 0.09,
                v - tall * 0.45,
            ),
            tall * 0.05,
            skin,
            1.0,
        );
    }
    layer.stroke(Outline::from(u, v - tall * 0.73).line(u, v - tall * 0.47), tall * 0.16, cloth, 1.0);
    layer.fill(Outline::ellipse(Ellipse::round(u, v - tall * 0.91, tall * 0.075)), skin, 1.0);
    layer.fill(
        Outline::ellipse(Ellipse { u, v: v - tall * 0.935, a: tall * 0.08, b: tall * 0.06, turn: 0.0 }),
        skin * 0.35,
        1.0,
    );
    canvas.lay(&layer);
}

/// Straight down, as from a drone.
fn from_above(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let mood = dice.pick(&[Mood::Noon, Mood::Deep, Mood::Hazy, Mood::Golden]);
    let sky = Sky::of(mood, dice, aspect, 0.5);
    let (deep, shallow, sand) = waters(dice);
    let (seed, turn, shore) = (dice.bits(), dice.range(0.0, std::f32::consts::TAU), dice.around() * 0.2);
    let (sin, cos) = turn.sin_cos();
    canvas.shade(0.0, 1.0, |u, v, _| {
        let (p, q) = (u - aspect * 0.5, v - 0.5);
        let (x, y) = (p * cos + q * sin, q * cos - p * sin);
        let out = y - shore + noise(x * 1.6, 0.3, seed) * 0.12 + fbm(x * 5.0, y * 5.0, 3, seed ^ 0x1) * 0.03;
        if out > 0.0 {
            let reef = step(0.1, 0.5, fbm(x * 4.0, y * 4.0, 4, seed ^ 0x2)) * step(0.15, 0.4, out) * 0.35;
            let wave = fbm(x * 10.0, y * 26.0, 3, seed ^ 0x3);
            let body =
                shallow.mix(deep, step(0.0, 0.6, out) * 0.95).mix(deep * 0.6, reef) * (1.0 + wave * 0.12);
            let row = out / 0.13 + noise(x * 3.0, 4.0, seed ^ 0x4) * 0.7;
            let lace = ridged(x * 14.0, y * 14.0, 3, seed ^ 0x5);
            let foam = step(0.7, 1.0, row.fract()) * step(2.2, 0.4, row) * step(0.3, 0.65, lace)
                + step(0.04, 0.0, out) * step(0.25, 0.55, lace);
            sky.light(body * 1.15, 0.9).mix(Rgb::gray(1.0), foam.min(1.0) * 0.9)
        } else {
            let speck =
                noise(u * 80.0, v * 80.0, seed ^ 0x7) * 0.06 + fbm(x * 8.0, y * 8.0, 3, seed ^ 0x8) * 0.07;
            let wet = step(0.07, 0.0, -out);
            let green = step(0.05, 0.25, fbm(x * 6.0, y * 6.0, 4, seed ^ 0x9) + (-out - 0.35) * 1.6);
            let wood = hex(0x3f5f35) * (0.8 + value(u * 60.0, v * 60.0, seed) * 0.6);
            sky.light((sand * (1.05 + speck)).mix(sand * 0.68, wet).mix(wood, green), 0.95)
        }
    });
    for _ in 0..dice.below(9) {
        let (u, v) = (dice.range(0.0, aspect), dice.range(0.0, 1.0));
        let (p, q) = (u - aspect * 0.5, v - 0.5);
        let y = q * cos - p * sin - shore;
        if (-0.3..-0.1).contains(&y) {
            let color = sky.light(hsv_pick(dice), 1.0);
            canvas.dab(u + 0.012, v + 0.014, 0.022, 0.4, Rgb::gray(0.15), 0.45);
            canvas.ellipse(Ellipse::round(u, v, 0.022), 0.1, |p, q, _| {
                let wedge = ((q.atan2(p) * 4.0 / std::f32::consts::PI).floor() as i32).rem_euclid(2);
                if wedge == 0 { color } else { Rgb::gray(0.95) }
            });
        }
    }
}
