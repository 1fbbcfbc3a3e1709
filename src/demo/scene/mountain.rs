//! Mountains: peaks with snow and haze, often over a lake; hills, dunes, and pines in front.

use super::sky::{Mood, Sky};
use super::terrain::{Shape, Terrain};
use super::tree;
use crate::demo::paint::{Canvas, Dice, fbm, hex, lerp, noise, step, value};

#[derive(Clone, Copy, PartialEq)]
enum Land {
    Alpine,
    Hills,
    Dunes,
    Red,
}

/// Paints a mountain scene.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let land = dice.pick(&[
        Land::Alpine,
        Land::Alpine,
        Land::Alpine,
        Land::Alpine,
        Land::Hills,
        Land::Hills,
        Land::Red,
        Land::Dunes,
    ]);
    let level = dice.range(0.45, 0.66);
    let sky = match land {
        Land::Dunes => {
            let mood = dice.pick(&[Mood::Golden, Mood::Noon, Mood::Deep, Mood::Sunset, Mood::Hazy]);
            Sky::of(mood, dice, aspect, level)
        }
        _ => Sky::any(dice, aspect, level),
    };
    sky.paint(canvas, 1.0);
    let lake = matches!(land, Land::Alpine | Land::Hills) && dice.chance(0.5);
    far_ridges(canvas, &sky, level, dice);
    let shape = match land {
        Land::Alpine => Shape {
            peak: dice.range(55.0, 110.0),
            roughness: dice.range(2.2, 4.0),
            sharp: dice.range(0.6, 1.0),
            begin: dice.range(20.0, 60.0),
            sun_slope: dice.range(0.5, 1.1),
        },
        Land::Hills => Shape {
            peak: dice.range(25.0, 55.0),
            roughness: dice.range(3.0, 5.5),
            sharp: dice.range(0.0, 0.3),
            begin: dice.range(0.0, 40.0),
            sun_slope: dice.range(0.4, 1.0),
        },
        Land::Red => Shape {
            peak: dice.range(35.0, 70.0),
            roughness: dice.range(3.0, 6.0),
            sharp: dice.range(0.4, 0.8),
            begin: dice.range(10.0, 50.0),
            sun_slope: dice.range(0.35, 0.8),
        },
        Land::Dunes => Shape {
            peak: dice.range(16.0, 30.0),
            roughness: dice.range(2.5, 5.0),
            sharp: dice.range(0.75, 0.95),
            begin: -40.0,
            sun_slope: dice.range(0.25, 0.5),
        },
    };
    let terrain = Terrain::new(shape, dice);
    let eye = if land == Land::Dunes { shape.peak * 0.9 } else { dice.range(3.0, 9.0) };
    let seed = dice.bits();
    let snow_line = shape.peak * dice.range(0.05, 0.5);
    let autumn = dice.chance(0.25);
    let winter = dice.chance(0.15);
    let thick_air = match sky.mood {
        Mood::Mist | Mood::Hazy => dice.range(55.0, 110.0),
        Mood::Overcast | Mood::Storm | Mood::Pink => dice.range(110.0, 200.0),
        _ => dice.range(190.0, 520.0),
    };
    let meadow = if autumn { hex(0xa08a4a) } else { hex(0x6d8a45) };
    let woods = if autumn { hex(0x7a5a30) } else { hex(0x35512f) };
    let rock = dice.pick(&[hex(0x8a8580), hex(0x7d7670), hex(0x6d7075), hex(0x96897a)]);
    let ground = if lake { None } else { Some(eye) };
    if let Some(eye) = ground {
        // The plain before the rise, out to the horizon.
        canvas.shade(level, 1.0, |u, v, _| {
            let z = eye.max(2.0) / (v - level).max(0.004);
            let x = (u - aspect * 0.5) * z;
            let patch = value(x * 0.25, z * 0.25, seed) * 0.5 + value(x * 1.7, z * 0.8, seed ^ 3) * 0.5;
            let field = match land {
                Land::Alpine | Land::Hills if winter => hex(0xdfe5ea),
                Land::Alpine | Land::Hills => woods.mix(meadow, patch * 1.3),
                Land::Red => hex(0x9c5f3c).mix(hex(0xb98a5a), patch),
                Land::Dunes => hex(0xd9b27c).mix(hex(0xc49a62), patch),
            };
            let near = 1.0 + noise(u * 60.0, v * 90.0, seed ^ 8) * 0.16;
            sky.light(field * near, 0.75).mix(sky.haze(u), 1.0 - (-z / thick_air).exp())
        });
    }
    terrain.view(canvas, level, eye, |u, v, spot| {
        let rough = noise(spot.x * 0.9, spot.z * 0.9, seed) * 0.5;
        let fine = noise(u * 55.0, v * 55.0, seed ^ 4) * 0.5 + noise(u * 23.0, v * 23.0, seed ^ 6) * 0.5;
        let surface = match land {
            Land::Alpine | Land::Hills => {
                let soil = meadow.mix(woods, step(-0.25, 0.3, rough + fine * 0.5));
                let bare = rock * (1.0 + fine * 0.25);
                let up = spot.height + rough * 9.0 + fine * 5.0;
                let stony = if land == Land::Hills {
                    step(0.35, 0.7, spot.steep) * 0.5
                } else {
                    step(0.25, 0.5, spot.steep + fine * 0.1).max(step(snow_line * 0.4, snow_line, up))
                };
                let snow_at = if winter { snow_line * 0.2 } else { snow_line };
                let white = step(snow_at, snow_at + 6.0, up) * step(1.05, 0.6, spot.steep + fine * 0.2);
                let white = if land == Land::Hills && !winter { 0.0 } else { white };
                soil.mix(bare, stony).mix(hex(0xf4f7fb), white)
            }
            Land::Red => {
                let band = (spot.height * 0.55 + rough * 1.6).sin() * 0.5 + 0.5;
                hex(0x8f4e31).mix(hex(0xc98a5c), band) * (1.0 + fine * 0.2)
            }
            Land::Dunes => {
                let ripple =
                    (spot.x * 1.9 + spot.z * 0.7 + rough * 5.0).sin() * 0.05 * (18.0 / spot.z).min(1.0);
                hex(0xdcb47e) * (1.0 + ripple + fine * 0.03)
            }
        };
        let away = 1.0 - (-(spot.z / thick_air).powf(1.3)).exp();
        let low = 0.35 * step(shape.peak * 0.35, 0.0, spot.height) * away.sqrt();
        sky.light(surface * 1.06, spot.lit).mix(sky.haze(u), (away + low).min(0.97))
    });
    if lake {
        water(canvas, &sky, level, dice);
    }
    if matches!(land, Land::Alpine | Land::Hills) {
        foreground(canvas, &sky, dice, winter);
    }
}

/// Faint ridges behind everything, one paler than the next.
fn far_ridges(canvas: &mut Canvas, sky: &Sky, level: f32, dice: &mut Dice) {
    let rows = dice.int(1, 4);
    for row in 0..rows {
        let near = (row + 1) as f32 / (rows + 1) as f32;
        let (seed, reach) = (dice.bits(), dice.range(0.08, 0.2) * (1.0 - near * 0.4));
        let base = level - 0.02 + near * 0.02;
        let tone = sky.light(hex(0x4a5a72), 0.5);
        let crest =
            canvas.columns(&|u| base - (fbm(u * 2.2 + near * 9.0, near * 7.0, 5, seed) * 0.6 + 0.35) * reach);
        canvas.shade(base - reach, level + 0.03, |u, v, under| {
            let crest = crest(u);
            if v < crest - 0.01 {
                return under;
            }
            let cover = ((v - crest) * 170.0 + 0.5).clamp(0.0, 1.0);
            let haze = lerp(0.82, 0.45, near) + 0.12 * step(0.0, 0.12, v - crest);
            under.mix(tone.mix(sky.haze(u), haze.min(0.95)), cover)
        });
    }
}

/// A lake from the horizon down: what stands above it mirrored, rippled, and darker.
pub fn water(canvas: &mut Canvas, sky: &Sky, level: f32, dice: &mut Dice) {
    let shore = level + dice.range(0.0, 0.04);
    let (seed, wind) = (dice.bits(), dice.range(0.1, 1.0));
    let deep = sky.light(dice.pick(&[hex(0x1f4d5c), hex(0x1d3f57), hex(0x2a6a68), hex(0x35505a)]), 0.6);
    let above = canvas.clone();
    canvas.shade(shore, 1.0, |u, v, _| {
        let below = v - shore;
        let far = 1.0 / (below + 0.03);
        let wave = fbm(u * far * 0.45, far * 1.8, 3, seed);
        let shift = wave * wind * (0.02 + below * 0.18);
        let mirrored = above.at(u + shift * 0.4, shore - below * 1.05 + shift);
        let clear = 0.28 + below * 0.8;
        let sparkle = step(0.35, 0.7, wave) * wind * 0.18;
        mirrored.mix(deep, clear.min(0.7)) * 0.93 + sky.haze(u) * sparkle
    });
    // A line of light where the shore meets the water.
    canvas.shade(shore - 0.004, shore + 0.006, |u, _, under| under.mix(sky.haze(u), 0.25));
}

/// Pines, grass or boulders near the eye.
fn foreground(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, winter: bool) {
    let aspect = canvas.aspect();
    match dice.below(5) {
        0 | 1 => {
            let count = dice.int(3, 16);
            let left = dice.chance(0.5);
            for i in 0..count {
                let t = dice.unit() * dice.unit();
                let u = if left { t * aspect * 0.7 } else { aspect * (1.0 - t * 0.7) };
                let tall = dice.range(0.16, 0.42) * (1.25 - t);
                let foot = dice.range(0.93, 1.08) - 0.06 * (i as f32 / count as f32);
                tree::conifer(canvas, sky, dice, (u, foot), tall, if winter { 0.6 } else { 0.0 });
            }
        }
        2 => {
            let seed = dice.bits();
            let tone = sky.light(if winter { hex(0xd8dfe6) } else { hex(0x5a6b35) }, 0.7);
            let dark = tone * 0.55;
            let base = dice.range(0.84, 0.95);
            canvas.shade(0.7, 1.0, |u, v, under| {
                let crest = base + noise(u * 2.0, 3.0, seed) * 0.05 + noise(u * 70.0, 1.0, seed) * 0.02;
                let cover = ((v - crest) * 120.0 + 0.5).clamp(0.0, 1.0);
                let blade = value(u * 120.0, v * 22.0, seed ^ 2);
                under.mix(dark.mix(tone, blade * (0.4 + (v - crest) * 3.0).min(1.0)), cover)
            });
        }
        3 => {
            for _ in 0..dice.int(3, 9) {
                let size = dice.range(0.03, 0.11);
                let (u, v) = (dice.range(0.0, aspect), dice.range(0.92, 1.03));
                tree::boulder(canvas, sky, dice, (u, v), size);
            }
        }
        _ => {}
    }
}
