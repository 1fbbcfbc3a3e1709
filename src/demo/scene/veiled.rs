//! What a moderation tool shows of a picture that nobody should have to see: colours under blocks or blur.
//!
//! There is nothing underneath but drifts of colour: no figure is ever drawn.

use crate::demo::paint::{Canvas, Dice, Rgb, fbm, hex, noise, step};

const SKIN: [u32; 8] = [0xf0c8a8, 0xe2ac86, 0xc98a62, 0xa86c48, 0x8a5538, 0x6a3f2a, 0xf4d4bc, 0xd89a78];

/// Paints a veiled picture.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    backdrop(canvas, dice);
    let light = dice.pick(&[
        (0xfff0dc, 0x6a4a48),
        (0xffd8b0, 0x5a3c40),
        (0xffb0c8, 0x4a3a6a),
        (0xb8d0ff, 0x3a3448),
        (0xfff6ee, 0x8a7068),
        (0xffc09c, 0x50342c),
    ]);
    glaze(canvas, dice, hex(light.0), hex(light.1));
    if dice.chance(0.4) {
        cloth(canvas, dice);
    }
    veil(canvas, dice);
}

fn backdrop(canvas: &mut Canvas, dice: &mut Dice) {
    let (a, b) = dice.pick(&[
        (0x2a1a1c, 0x5a3a38),
        (0xd8ccc4, 0xf2ece6),
        (0x3a2430, 0x7a4a5a),
        (0x181820, 0x34344a),
        (0x8a6a54, 0xc8a888),
        (0xb0a8b4, 0xe4dce0),
        (0x4a1820, 0x8a3038),
        (0x203040, 0x506878),
    ]);
    let (a, b, seed) = (hex(a), hex(b), dice.bits());
    let turn = dice.around();
    canvas.shade(0.0, 1.0, |u, v, _| {
        // Folds of a sheet.
        let fold = (fbm(u * 2.0 + v * turn, v * 2.0 - u * turn, 3, seed) * 9.0).sin() * 0.3 + 0.5;
        a.mix(b, (fold * 0.6 + (1.0 - v) * 0.4).clamp(0.0, 1.0))
    });
}

/// Broad drifts of one or two skin tones, as of wet paint, lit from one side.
fn glaze(canvas: &mut Canvas, dice: &mut Dice, key: Rgb, fill: Rgb) {
    let (first, second) = (hex(dice.pick(&SKIN)), hex(dice.pick(&SKIN)));
    let second = if dice.chance(0.6) { first } else { second };
    let (seed, scale, much) = (dice.bits(), dice.range(0.9, 1.7), dice.range(-0.12, 0.3));
    let (sin, cos) = dice.range(0.0, std::f32::consts::TAU).sin_cos();
    canvas.shade(0.0, 1.0, |u, v, under| {
        let (x, y) = ((u * cos + v * sin) * scale, (v * cos - u * sin) * scale * 1.7);
        let warp = noise(x * 0.8, y * 0.8, seed) * 0.4;
        let drift = |x: f32, y: f32| fbm(x + warp, y - warp * 0.6, 3, seed ^ 1);
        let here = drift(x, y);
        let lit = (0.55 + (here - drift(x + 0.12, y - 0.12)) * 3.2).clamp(0.0, 1.0);
        let tone = first.mix(second, step(-0.2, 0.3, noise(x, y, seed ^ 2)));
        under.mix(tone * fill.mix(key * 1.1, lit), step(-0.28, 0.02, here + much))
    });
}

fn cloth(canvas: &mut Canvas, dice: &mut Dice) {
    let tone = dice.pick(&[hex(0xe8e4e0), hex(0x7a1c2c), hex(0x20242c), hex(0x4a5a8a), hex(0xc8a0a8)]);
    let (seed, base, tilt) = (dice.bits(), dice.range(0.6, 0.9), dice.around() * 0.4);
    canvas.shade(0.0, 1.0, |u, v, under| {
        let edge = base + (u - 0.6) * tilt + noise(u * 3.0, 1.0, seed) * 0.08;
        let fold = (fbm(u * 3.0, v * 1.5, 2, seed) * 12.0).sin() * 0.18 + 0.85;
        under.mix(tone * fold, step(edge, edge + 0.02, v))
    });
}

/// Blocks over all of it, blocks over the middle of a blur, or blur alone.
fn veil(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    canvas.blur(dice.range(0.018, 0.036));
    match dice.below(10) {
        0..=7 => mosaic(canvas, dice.int(9, 18), (-1.0, -1.0), (9.0, 9.0)),
        8 => {
            canvas.blur(0.05);
            let (w, h) = (dice.range(0.45, 0.8) * aspect, dice.range(0.45, 0.8));
            let from = (dice.range(0.1, 0.9) * (aspect - w), dice.range(0.1, 0.9) * (1.0 - h));
            mosaic(canvas, dice.int(9, 18), from, (from.0 + w, from.1 + h));
        }
        _ => canvas.blur(dice.range(0.06, 0.09)),
    }
}

/// Means over squares of `side` pixels inside a box.
fn mosaic(canvas: &mut Canvas, side: usize, from: (f32, f32), to: (f32, f32)) {
    let h = canvas.height as f32;
    let clip = |at: f32, end: usize| ((at * h).max(0.0) as usize).min(end);
    let (x0, x1) = (clip(from.0, canvas.width), clip(to.0, canvas.width));
    let (y0, y1) = (clip(from.1, canvas.height), clip(to.1, canvas.height));
    for y in (y0..y1).step_by(side) {
        for x in (x0..x1).step_by(side) {
            let (right, low) = ((x + side).min(x1), (y + side).min(y1));
            let mut sum = Rgb::default();
            for row in y..low {
                for column in x..right {
                    sum = sum + canvas.pixels[row * canvas.width + column];
                }
            }
            let mean = sum * (1.0 / ((right - x) * (low - y)) as f32);
            for row in y..low {
                for column in x..right {
                    canvas.pixels[row * canvas.width + column] = mean;
                }
            }
        }
    }
}
