//! Forests: trunks in mist and light, paths under autumn leaves, single trees in meadows, conifers up a slope.

use super::sky::{Mood, Sky};
use super::tree::{self, Crown};
use crate::demo::paint::{Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, hex, lerp, noise, step, value};

/// Paints a forest scene.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.below(10) {
        0..=5 => among_trunks(canvas, dice),
        6 | 7 => meadow_tree(canvas, dice),
        _ => conifer_slope(canvas, dice),
    }
}

/// What the season does to a wood.
#[derive(Clone, Copy)]
struct Season {
    fog: Rgb,
    light: Rgb,
    leaf: [Rgb; 3],
    litter: [Rgb; 2],
    bark: Rgb,
    birch: bool,
    /// Leaves overhead, 0 to 1.
    canopy: f32,
}

fn season(dice: &mut Dice) -> Season {
    let (fog, light, leaf, litter, bark, birch, canopy) = dice.pick(&[
        (0xb6c79a, 0xfff6c8, [0x2f5a22, 0x5f9434, 0x9cc24c], [0x4a4a28, 0x6f7a38], 0x4a3b2c, false, 1.0_f32),
        (0x9fb5a6, 0xf0f4e4, [0x1f3f2c, 0x376044, 0x6d8f5c], [0x3a3a2a, 0x56603a], 0x3a3029, false, 0.7),
        (0xe2c48c, 0xfff0c0, [0xa8541c, 0xd98a22, 0xf2c34a], [0x7c4a20, 0xb87830], 0x463527, false, 1.0),
        (0xd8b98c, 0xffe6b0, [0x8f3318, 0xc95a1e, 0xe8932c], [0x6a3018, 0xa85a28], 0x3c2c24, false, 0.9),
        (0xdfe4e0, 0xffffff, [0xc59a2a, 0xe0bd44, 0xf2dc7c], [0x8d7a44, 0xc2a658], 0xe2ded4, true, 0.7),
        (0xd5dde2, 0xf8fbff, [0x59665c, 0x7f8c84, 0xe6ecf0], [0xc9d2da, 0xeef2f6], 0x4a4542, false, 0.15),
        (0x8ea8a8, 0xdcebe6, [0x14302a, 0x28503c, 0x4d7a4e], [0x2a3024, 0x434c30], 0x2c2622, false, 0.8),
        (0xcad8a6, 0xfffbe0, [0x4d7d2a, 0x86b53e, 0xc2dc70], [0x52602a, 0x8aa04a], 0xd8d6cc, true, 0.8),
    ]);
    Season {
        fog: hex(fog),
        light: hex(light),
        leaf: leaf.map(hex),
        litter: litter.map(hex),
        bark: hex(bark),
        birch,
        canopy,
    }
}

fn among_trunks(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let season = season(dice);
    let gloom = dice.range(0.55, 1.1);
    let level = dice.range(0.58, 0.78);
    let (seed, sun) = (dice.bits(), dice.range(0.1, 0.9) * aspect);
    let depth = dice.range(0.5, 1.0);
    canvas.shade(0.0, level + 0.05, |u, v, _| {
        let near = (-((u - sun) / 0.5).powi(2) - ((v - level * 0.6) / 0.5).powi(2)).exp();
        let leaves = fbm(u * 5.0, v * 5.0, 4, seed) * 0.6 + 0.45;
        let tint = season.leaf[1].mix(season.leaf[2], leaves);
        (season.fog.mix(tint, 0.25 + 0.4 * season.canopy * (1.0 - v)).mix(season.light, near * 0.75))
            * gloom.max(0.7)
    });
    for _ in 0..(40.0 * season.canopy) as usize {
        // Sky between far leaves, out of focus.
        let (u, v) = (dice.range(0.0, aspect), dice.unit() * dice.unit() * level);
        canvas.dab(u, v, dice.range(0.008, 0.03), 0.5, season.light, dice.range(0.1, 0.5));
    }
    let path = dice
        .chance(0.45)
        .then(|| (dice.range(0.35, 0.65) * aspect, dice.around() * 0.5, dice.range(0.06, 0.16)));
    ground(canvas, &season, level, seed ^ 7, path, sun, gloom);
    let rows = dice.int(4, 6);
    for row in 0..rows {
        let near = (row as f32 + 0.6) / rows as f32;
        let air = season.fog.mix(season.light, 0.2) * gloom.max(0.7);
        let haze = (1.0 - near).powf(1.2) * depth;
        let foot = lerp(level, 0.98, near.powf(1.8));
        trunks(canvas, dice, &season, (near, foot, haze, air), sun, gloom, path.map(|p| p.0));
        if season.canopy > 0.1 {
            foliage(canvas, dice, &season, near, haze, air, gloom);
        }
        undergrowth(canvas, dice, &season, near, foot, haze, air, gloom);
    }
    if dice.chance(0.45) {
        shafts(canvas, season.light, sun, dice);
    }
}

fn ground(
    canvas: &mut Canvas,
    season: &Season,
    level: f32,
    seed: u32,
    path: Option<(f32, f32, f32)>,
    sun: f32,
    gloom: f32,
) {
    let air = season.fog * gloom.max(0.7);
    canvas.shade(level, 1.0, |u, v, under| {
        let below = v - level;
        let far = 1.0 / (below + 0.06);
        let (x, y) = ((u - 0.6) * far, far * 1.7);
        let leaves = noise(u * 60.0 / (0.4 + below), v * 70.0 / (0.4 + below), seed) * 0.5
            + fbm(x * 2.0, y * 2.0, 3, seed ^ 1) * 0.6;
        let mut tone = season.litter[0].mix(season.litter[1], (leaves + 0.5).clamp(0.0, 1.3));
        if let Some((middle, turn, wide)) = path {
            let center = middle
                + turn * (1.0 - below / (1.0 - level)).powi(2) * 0.4
                + noise(v * 5.0, 1.0, seed) * 0.02;
            let half = wide * (0.15 + below / (1.0 - level) * 2.4);
            let on = step(1.1, 0.75, ((u - center) / half).abs() + leaves * 0.2);
            let earth = season.litter[1].mix(hex(0xa08a6c), 0.55) * (1.0 + leaves * 0.15);
            tone = tone.mix(earth, on * 0.85);
        }
        let patch =
            step(0.1, 0.5, fbm(x * 0.8 + 4.0, y * 0.5, 3, seed ^ 5)) * (-((u - sun) / 0.6).powi(2)).exp();
        let lit = tone * (0.62 * gloom) + tone * season.light * (patch * 0.75);
        under.mix(
            lit.mix(air, (0.85 - below * 4.5).clamp(0.0, 0.85)),
            step(0.0, 0.03, below + noise(u * 9.0, 2.0, seed) * 0.01),
        )
    });
}

fn trunks(
    canvas: &mut Canvas,
    dice: &mut Dice,
    season: &Season,
    (near, foot, haze, air): (f32, f32, f32, Rgb),
    sun: f32,
    gloom: f32,
    clear: Option<f32>,
) {
    let aspect = canvas.aspect();
    let count = (lerp(16.0, 2.2, near.sqrt()) * dice.range(0.7, 1.3)) as usize;
    let mut layer = Layer::over(canvas);
    for _ in 0..count.max(1) {
        let u = dice.range(-0.05, 1.05) * aspect;
        if clear.is_some_and(|c| (u - c).abs() < 0.06 + 0.16 * near) {
            continue;
        }
        let wide = lerp(0.007, 0.075, near.powf(1.6)) * dice.range(0.6, 1.4);
        let lean = dice.normal() * 0.04;
        let base = foot + dice.range(-0.02, 0.03);
        let top = u + lean;
        let outline = Outline::from(u - wide * 0.75, base + wide * 0.2)
            .bend(u - wide * 0.5, base - wide * 0.8, lerp(u, top, 0.4) - wide * 0.48, base * 0.6)
            .line(top - wide * 0.36, -0.05)
            .line(top + wide * 0.36, -0.05)
            .line(lerp(u, top, 0.4) + wide * 0.48, base * 0.6)
            .bend(u + wide * 0.5, base - wide * 0.8, u + wide * 0.8, base + wide * 0.2);
        let bark = season.bark * dice.range(0.8, 1.2) * gloom;
        let (left, right) = if sun > u { (0.5, 1.45) } else { (1.45, 0.5) };
        let tone = |by: f32| (bark * by).mix(air, haze);
        layer.fill_linear(
            outline,
            (u - wide * 0.6, 0.5),
            (u + wide * 0.6, 0.5),
            &[(0.0, tone(left), 1.0), (0.5, tone(0.95), 1.0), (1.0, tone(right), 1.0)],
        );
        for _ in 0..dice.below(4) {
            // A branch or a stub of one.
            let v = dice.range(0.0, base * 0.75);
            let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
            let long = wide * dice.range(1.0, 5.0);
            let at = lerp(top, u, v / base);
            layer.stroke(
                Outline::from(at, v).bend(
                    at + side * long * 0.5,
                    v - long * 0.3,
                    at + side * long,
                    v - long * 0.7,
                ),
                wide * 0.16,
                tone(0.75),
                1.0,
            );
        }
        if season.birch && wide > 0.012 {
            for _ in 0..(26.0 * near) as usize + 6 {
                let v = dice.range(0.0, base);
                let at = lerp(top, u, v / base) + dice.around() * wide * 0.3;
                let long = wide * dice.range(0.1, 0.3);
                layer.stroke(
                    Outline::from(at - long, v).line(at + long, v + dice.around() * 0.004),
                    wide * dice.range(0.03, 0.1),
                    hex(0x2a2624).mix(air, haze),
                    0.9,
                );
            }
        }
    }
    let seed = dice.bits();
    let rough = 0.35 * near;
    canvas.lay_shaded(&layer, |u, v, own| {
        own * (1.0 + noise(u * 70.0, v * 12.0, seed) * rough + noise(u * 150.0, v * 40.0, seed) * rough * 0.5)
    });
}

/// Clumps of leaves in the upper part.
fn foliage(
    canvas: &mut Canvas,
    dice: &mut Dice,
    season: &Season,
    near: f32,
    haze: f32,
    air: Rgb,
    gloom: f32,
) {
    let aspect = canvas.aspect();
    let clumps = (14.0 * season.canopy * dice.range(0.3, 1.2)) as usize;
    for _ in 0..clumps {
        let (u, v) =
            (dice.range(-0.05, 1.05) * aspect, dice.unit() * dice.unit() * lerp(0.62, 0.42, near) - 0.03);
        let spread = lerp(0.05, 0.12, near);
        for k in 0..26 {
            let (p, q) = (dice.normal() * spread * 1.2, dice.normal() * spread * 0.55);
            let light =
                ((-q / spread) * 0.4 + 0.45 + dice.around() * 0.25 + k as f32 * 0.006).clamp(0.0, 1.0);
            let leaf = if light < 0.5 {
                season.leaf[0].mix(season.leaf[1], light * 2.0)
            } else {
                season.leaf[1].mix(season.leaf[2], light * 2.0 - 1.0)
            };
            let size = lerp(0.008, 0.026, near) * dice.range(0.6, 1.3);
            let shape = Ellipse { u: u + p, v: v + q, a: size, b: size * 0.55, turn: dice.around() * 1.6 };
            let color = (leaf * gloom.max(0.75)).mix(air, haze * 0.9);
            canvas.ellipse(shape, 0.35, |_, _, under| under.mix(color, 0.85));
        }
    }
}

/// Ferns, grass and bushes at the feet of the trunks.
#[allow(clippy::too_many_arguments)]
fn undergrowth(
    canvas: &mut Canvas,
    dice: &mut Dice,
    season: &Season,
    near: f32,
    foot: f32,
    haze: f32,
    air: Rgb,
    gloom: f32,
) {
    if season.canopy < 0.2 || dice.chance(0.35) {
        return;
    }
    let aspect = canvas.aspect();
    let mut layer = Layer::over(canvas);
    for _ in 0..dice.int(3, 9) {
        let (u, v) = (dice.range(0.0, aspect), foot + dice.range(0.0, 0.05));
        let size = lerp(0.03, 0.16, near) * dice.range(0.5, 1.2);
        for _ in 0..dice.int(5, 9) {
            let side = dice.around();
            let tip = (u + side * size, v - size * (1.0 - side.abs() * 0.6));
            let rise = (u + side * size * 0.35, v - size * 0.9);
            let tone = season.leaf[0].mix(season.leaf[2], dice.range(0.0, 0.8)) * gloom.max(0.7);
            layer.stroke(
                Outline::from(u, v).bend(rise.0, rise.1, tip.0, tip.1),
                size * 0.05,
                tone.mix(air, haze),
                0.95,
            );
            for j in 2..9 {
                let t = j as f32 / 9.0;
                let a = 1.0 - t;
                let p = (
                    a * a * u + 2.0 * a * t * rise.0 + t * t * tip.0,
                    a * a * v + 2.0 * a * t * rise.1 + t * t * tip.1,
                );
                let leaf = size * 0.2 * (1.1 - t);
                layer.stroke(
                    Outline::from(p.0 - leaf, p.1 - leaf * 0.2)
                        .line(p.0, p.1)
                        .line(p.0 + leaf, p.1 - leaf * 0.2),
                    size * 0.035,
                    tone.mix(air, haze),
                    0.85,
                );
            }
        }
    }
    canvas.lay(&layer);
}

/// Sunlight that comes down in beams.
fn shafts(canvas: &mut Canvas, light: Rgb, sun: f32, dice: &mut Dice) {
    let (seed, strength) = (dice.bits(), dice.range(0.12, 0.4));
    let lean = dice.range(0.3, 0.9) * if sun > canvas.aspect() * 0.5 { 1.0 } else { -1.0 };
    canvas.shade(0.0, 1.0, |u, v, under| {
        let beam = u + v * lean;
        let ray = step(0.0, 0.7, fbm(beam * 5.0, 0.5, 3, seed) + 0.1) * step(1.0, 0.25, v);
        let mist = 0.7 + 0.5 * value(u * 6.0, v * 6.0, seed ^ 1);
        under.mix(light, ray * strength * mist)
    });
}

fn crown(dice: &mut Dice) -> Crown {
    let (leaf, shade) = dice.pick(&[
        (0x9cc04a, 0x2c4a1e),
        (0x7fae3e, 0x23421c),
        (0xe8a838, 0x7a3f14),
        (0xd96a2a, 0x6a2414),
        (0xb8cc62, 0x46602a),
        (0xf0b8c8, 0x96506a),
        (0x6f9a58, 0x1e3a2a),
    ]);
    Crown {
        leaf: hex(leaf),
        shade: hex(shade),
        leaves: if dice.chance(0.1) { 0 } else { dice.int(9, 14) },
        bark: hex(0x4a3a2c),
    }
}

/// One to three trees in a field under the sky.
fn meadow_tree(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let level = dice.range(0.6, 0.8);
    let sky = Sky::any(dice, aspect, level);
    sky.paint(canvas, level + 0.05);
    let (seed, crown) = (dice.bits(), crown(dice));
    let grass = dice.pick(&[hex(0x7c9a48), hex(0x9aa050), hex(0xb89a54), hex(0x5f8a40)]);
    // A wood behind the field.
    canvas.shade(level - 0.2, level + 0.03, |u, v, under| {
        let crest = level - 0.035 - fbm(u * 6.0, 2.0, 4, seed) * 0.045 - noise(u * 40.0, 1.0, seed) * 0.006;
        let cover = ((v - crest) * 130.0).clamp(0.0, 1.0);
        let lit = 0.35 + noise(u * 40.0, v * 60.0, seed) * 0.5;
        under.mix(sky.light(crown.shade.mix(crown.leaf, 0.25), lit).mix(sky.haze(u), 0.4), cover)
    });
    canvas.shade(level, 1.0, |u, v, _| {
        let below = v - level;
        let blade = value(u * 90.0 / (0.3 + below * 2.0), v * 40.0 / (0.3 + below), seed ^ 2);
        let patch = fbm(u * 3.0, v * 9.0, 3, seed ^ 3) * 0.3;
        sky.light(grass * (0.75 + blade * 0.4 + patch), 0.85).mix(sky.haze(u), (0.35 - below * 3.0).max(0.0))
    });
    let mut spots: Vec<_> = (0..dice.int(1, 4))
        .map(|_| (dice.range(0.1, 0.9) * aspect, dice.range(level + 0.03, 0.95)))
        .collect();
    spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (u, v) in spots {
        let tall = (0.35 + (v - level) * 2.0) * dice.range(0.75, 1.15);
        let against = if sky.backlit() { 0.35 } else { 1.0 };
        let lit = Crown {
            leaf: sky.light(crown.leaf, 1.0) * against * 1.15,
            shade: sky.light(crown.shade, 0.5) * against,
            bark: sky.light(crown.bark, 0.6) * against,
            ..crown
        };
        canvas.ellipse(
            Ellipse { u: u + tall * 0.1, v: v + 0.01, a: tall * 0.35, b: tall * 0.055, turn: 0.0 },
            0.7,
            |_, _, under| under * 0.55,
        );
        tree::broadleaf(canvas, &sky, dice, (u, v), tall, lit);
    }
}

/// Conifers row upon row, in the haze of a slope.
fn conifer_slope(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let level = dice.range(0.2, 0.45);
    let mood = dice.pick(&[
        Mood::Mist,
        Mood::Mist,
        Mood::Overcast,
        Mood::Hazy,
        Mood::Noon,
        Mood::Golden,
        Mood::Pink,
    ]);
    let sky = Sky::of(mood, dice, aspect, level + 0.2);
    sky.paint(canvas, 1.0);
    let snow = if dice.chance(0.25) { 0.7 } else { 0.0 };
    let (seed, slant) = (dice.bits(), dice.around() * 0.3);
    let rows = dice.int(4, 6);
    for row in 0..rows {
        let near = row as f32 / (rows - 1) as f32;
        let tall = lerp(0.07, 0.42, near);
        let ridge = |u: f32| {
            lerp(level, 0.95, near)
                + (u - aspect * 0.5) * slant * (1.0 - near)
                + noise(u * 2.0, near * 9.0, seed) * 0.06
        };
        let ground = if snow > 0.0 { hex(0xdfe6ec) } else { hex(0x33472f) };
        canvas.shade(0.0, 1.0, |u, v, under| {
            let cover = ((v - ridge(u) + 0.01) * 60.0).clamp(0.0, 1.0);
            under.mix(sky.light(ground * (0.8 + noise(u * 50.0, v * 50.0, seed) * 0.25), 0.5), cover)
        });
        let count = (aspect / (tall * 0.2) * dice.range(0.7, 1.0)) as usize;
        for i in 0..count {
            let u = (i as f32 + dice.unit()) / count as f32 * aspect * 1.04;
            let size = tall * dice.range(0.6, 1.2);
            let foot = ridge(u) + dice.range(0.02, 0.05);
            spruce(canvas, &sky, dice, (u, foot), size, snow);
        }
        // Mist lies between this row and the next.
        let drift = dice.bits();
        let thick = lerp(0.5, 0.0, near) * if mood == Mood::Mist { 1.2 } else { 0.7 };
        canvas.shade(0.0, 1.0, |u, v, under| {
            let below = v - ridge(u) + tall * 0.5;
            let veil = step(-tall * 0.3, tall * 0.7, below) * (0.7 + fbm(u * 3.0, v * 5.0, 3, drift) * 0.8);
            under.mix(sky.haze(u), (veil * thick).clamp(0.0, 0.9))
        });
    }
}

fn spruce(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, foot: (f32, f32), tall: f32, snow: f32) {
    if tall > 0.2 {
        tree::conifer(canvas, sky, dice, foot, tall, snow);
        return;
    }
    // Far ones are a few dabs: a layer each would cost more than it shows.
    let tone = sky.light(hex(0x2a4230) * dice.range(0.75, 1.25), 0.4);
    let white = sky.light(hex(0xe8eef4), 0.8);
    for tier in 0..9 {
        let t = tier as f32 / 9.0;
        let shape = Ellipse {
            u: foot.0,
            v: foot.1 - tall * (0.1 + t * 0.88),
            a: tall * 0.17 * (1.05 - t),
            b: tall * 0.08,
            turn: dice.around() * 0.2,
        };
        canvas.ellipse(shape, 0.5, |p, q, under| {
            let lit = tone * (1.0 - 0.3 * q + 0.2 * p);
            under.mix(if q < -0.2 { lit.mix(white, snow * 0.7) } else { lit }, 0.95)
        });
    }
}
