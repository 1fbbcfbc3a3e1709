//! Food: a table, a plate or a board, and a dozen things to eat.

use super::{dish, sweet};
use crate::demo::paint::{Canvas, Dice, Ellipse, Rgb, fbm, hex, lerp, noise, step, value};

/// Where a plate stands: its own coordinates run from -1 to 1 across it.
#[derive(Debug, Clone, Copy)]
pub struct Dish {
    /// Middle.
    pub u: f32,
    /// Middle.
    pub v: f32,
    /// Half its width.
    pub radius: f32,
    /// Height by width: 1 from straight above.
    pub tilt: f32,
}

impl Dish {
    /// A place on the plate, on the canvas.
    pub fn at(&self, p: f32, q: f32) -> (f32, f32) {
        (self.u + p * self.radius, self.v + q * self.radius * self.tilt)
    }

    /// A circle on the plate.
    pub fn disc(&self, p: f32, q: f32, r: f32) -> Ellipse {
        let (u, v) = self.at(p, q);
        Ellipse { u, v, a: r * self.radius, b: r * self.radius * self.tilt, turn: 0.0 }
    }
}

/// Paints a food scene.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    table(canvas, dice);
    let tilt = if dice.chance(0.45) { dice.range(0.9, 1.0) } else { dice.range(0.52, 0.8) };
    let reach = if dice.chance(0.25) { dice.range(0.5, 0.68) } else { dice.range(0.36, 0.5) };
    let dish = Dish {
        u: aspect * 0.5 + dice.normal() * 0.06,
        v: 0.52 + dice.normal() * 0.05,
        radius: reach * (aspect * 0.9).min(1.1),
        tilt,
    };
    garnish(canvas, dice);
    match dice.below(12) {
        0 => dish::pizza(canvas, dice, dish),
        1 => {
            plate(canvas, dice, dish, false);
            dish::salad(canvas, dice, dish);
        }
        2 => {
            plate(canvas, dice, dish, false);
            dish::pasta(canvas, dice, dish);
        }
        3 | 4 => {
            plate(canvas, dice, dish, true);
            sweet::fruit(canvas, dice, dish);
        }
        5 => sweet::citrus(canvas, dice),
        6 => {
            plate(canvas, dice, dish, true);
            sweet::berries(canvas, dice, dish);
        }
        7 => {
            plate(canvas, dice, dish, false);
            dish::breakfast(canvas, dice, dish);
        }
        8 => {
            let low = Dish { tilt: tilt.min(0.6), v: 0.66, ..dish };
            plate(canvas, dice, low, false);
            sweet::pancakes(canvas, dice, low);
        }
        9 => {
            plate(canvas, dice, dish, false);
            dish::sushi(canvas, dice, dish);
        }
        10 => {
            plate(canvas, dice, dish, true);
            dish::soup(canvas, dice, dish);
        }
        _ => {
            if dice.chance(0.6) {
                plate(canvas, dice, dish, false);
            }
            sweet::rings(canvas, dice, dish);
        }
    }
    light(canvas, dice);
}

/// Wood, marble, slate, cloth or one colour.
fn table(canvas: &mut Canvas, dice: &mut Dice) {
    let seed = dice.bits();
    let turn = dice.pick(&[0.0_f32, 0.0, std::f32::consts::FRAC_PI_2, 0.5, -0.4]);
    let (sin, cos) = turn.sin_cos();
    match dice.below(6) {
        0 | 1 => {
            let (a, b) = dice.pick(&[
                (0x6a4226, 0xa87044),
                (0x3c2618, 0x6a462c),
                (0xb89468, 0xdcc096),
                (0x8a8278, 0xb8b0a4),
                (0x7a4a30, 0xc08a58),
            ]);
            let (a, b, planks) = (hex(a), hex(b), dice.range(3.0, 6.0));
            canvas.shade(0.0, 1.0, |u, v, _| {
                let (x, y) = (u * cos + v * sin, v * cos - u * sin);
                let row = (y * planks).floor();
                let own = value(row * 7.3, 1.0, seed);
                let vein = fbm(x * 2.2 + row * 9.0, y * 26.0 + row * 3.0, 4, seed);
                let knot = noise(x * 1.5 + row * 5.0, y * 5.0, seed ^ 1);
                let ring = ((knot * 5.0 + y * planks * 2.5) * 6.0).sin() * 0.12;
                let seam = step(0.035, 0.0, (y * planks - row - 0.5).abs().mul_add(-1.0, 0.5));
                a.mix(b, (0.5 + vein * 0.5 + ring + (own - 0.5) * 0.5).clamp(0.0, 1.0)) * (1.0 - seam * 0.6)
            });
        }
        2 => {
            let (a, b) = dice.pick(&[(0xf2f0ec, 0xb8b4b0), (0x2c2e34, 0x5c6068), (0xe8dcd0, 0xc0a890)]);
            let (a, b) = (hex(a), hex(b));
            canvas.shade(0.0, 1.0, |u, v, _| {
                let warp = fbm(u * 2.0, v * 2.0, 4, seed);
                let vein = 1.0 - (noise(u * 1.8 + warp * 1.6, v * 1.8 - warp, seed ^ 2)).abs() * 5.0;
                a.mix(b, vein.clamp(0.0, 1.0).powi(3) * 0.8 + warp.max(0.0) * 0.3)
            });
        }
        3 => {
            let (a, b) = dice.pick(&[
                (0xc83a34, 0xf6f0e8),
                (0x4a6a9a, 0xf2f2ee),
                (0x6a8a5a, 0xf4f0e0),
                (0xd8a848, 0xf8f2e4),
                (0x50525a, 0xe8e6e0),
            ]);
            let (a, b, n) = (hex(a), hex(b), dice.range(7.0, 16.0));
            canvas.shade(0.0, 1.0, |u, v, _| {
                let (x, y) = ((u * cos + v * sin) * n, (v * cos - u * sin) * n);
                let band = |t: f32| step(0.45, 0.55, (t - t.floor() - 0.5).abs() * 2.0);
                let weave =
                    1.0 + noise(u * 120.0, v * 120.0, seed) * 0.06 + fbm(u * 2.0, v * 2.0, 2, seed) * 0.12;
                b.mix(a, (band(x) + band(y)) * 0.5) * weave
            });
        }
        _ => {
            let tone = dice.pick(&[
                hex(0x3c4448),
                hex(0xd8d0c4),
                hex(0x8a9a90),
                hex(0xc8a080),
                hex(0x50403a),
                hex(0xe0c0b8),
                hex(0x2a3038),
                hex(0x9ab0b8),
            ]);
            canvas.shade(0.0, 1.0, |u, v, _| {
                tone * (1.0 + fbm(u * 3.0, v * 3.0, 5, seed) * 0.16 + noise(u * 70.0, v * 70.0, seed) * 0.04)
            });
        }
    }
}

/// Leaves, crumbs or a napkin beside the plate.
fn garnish(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    for _ in 0..dice.below(12) {
        let (u, v) = (dice.range(0.0, aspect), dice.range(0.0, 1.0));
        if ((u - aspect * 0.5).powi(2) + (v - 0.5).powi(2)).sqrt() < 0.42 {
            continue;
        }
        match dice.below(3) {
            0 => dish::leaf(canvas, dice, (u, v), 0.05),
            1 => dish::ball(canvas, (u, v), 0.024, hex(0xb82a2a), 0.8, 3),
            _ => canvas.dab(u, v, 0.008, 0.4, hex(0xe0c890), 0.9),
        }
    }
}

/// A plate, or a bowl if `deep`, with its shadow on the table.
fn plate(canvas: &mut Canvas, dice: &mut Dice, dish: Dish, deep: bool) {
    let tone = dice.pick(&[
        hex(0xf4f2ec),
        hex(0xf4f2ec),
        hex(0xf8f8f8),
        hex(0x4a5258),
        hex(0xb8c8cc),
        hex(0xe8d8c0),
        hex(0x2f4a68),
        hex(0xc8b8a8),
        hex(0x8a9a88),
    ]);
    let rim = dice.pick(&[tone, tone, hex(0x3a5a8a), hex(0xb08850), tone * 0.7]);
    let seed = dice.bits();
    let shade = dish.disc(0.06, 0.14 + 0.1 / dish.tilt, 1.12);
    canvas.ellipse(shade, 0.35, |_, _, under| under * 0.48);
    if deep && dish.tilt < 0.85 {
        canvas.ellipse(
            Ellipse { v: dish.v + dish.radius * 0.3 * (1.0 - dish.tilt), ..dish.disc(0.0, 0.0, 0.9) },
            0.02,
            |p, q, _| tone * (0.72 - p * 0.2 - q * 0.25),
        );
    }
    canvas.ellipse(dish.disc(0.0, 0.0, 1.0), 0.02, |p, q, _| {
        let r = (p * p + q * q).sqrt();
        let (nx, ny) = (p / r.max(0.01), q / r.max(0.01));
        let toward = -nx * 0.6 - ny * 0.8;
        let slope = if deep {
            step(0.25, 0.95, r) * -0.28
        } else {
            step(0.6, 0.68, r) * step(0.78, 0.7, r) * -0.3 + step(0.94, 1.0, r) * 0.25
        };
        let shine = (1.0 - ((p + 0.45).powi(2) + (q + 0.5).powi(2)) * 2.5).max(0.0) * 0.16;
        let line = step(0.9, 0.92, r) * step(0.97, 0.95, r);
        let glaze = 1.0 + noise(p * 20.0, q * 20.0, seed) * 0.012;
        tone.mix(rim, line) * ((0.94 + toward * slope) * glaze) + Rgb::gray(shine)
    });
}

/// A window's light from one side.
fn light(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let (angle, strength) = (dice.range(0.0, std::f32::consts::TAU), dice.range(0.0, 0.4));
    let (sin, cos) = angle.sin_cos();
    let warm = hex(0xfff0d8).mix(hex(0xe8f0ff), dice.unit());
    canvas.shade(0.0, 1.0, |u, v, under| {
        let along = (u / aspect - 0.5) * cos + (v - 0.5) * sin;
        under * warm * lerp(1.08, 1.08 - strength, step(-0.5, 0.6, along))
    });
}
