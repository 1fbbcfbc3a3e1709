//! Cities: skylines by day and night, over water or behind a park, and streets between tall walls.

use super::mountain::water;
use super::sky::{Mood, Sky};
use super::tree::{self, Crown};
use crate::demo::paint::{
    Canvas, Dice, Ellipse, Layer, Outline, Rgb, fbm, grain, hex, hsv, lerp, noise, step,
};

/// Paints a city scene.
pub fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.5) { skyline(canvas, dice) } else { street(canvas, dice) }
}

fn city_sky(dice: &mut Dice, aspect: f32, level: f32) -> Sky {
    if dice.chance(0.4) {
        let mood = dice.pick(&[Mood::Night, Mood::Dusk, Mood::Dusk, Mood::Sunset, Mood::Pink]);
        Sky::of(mood, dice, aspect, level)
    } else {
        Sky::any(dice, aspect, level)
    }
}

const WALLS: [u32; 12] = [
    0xb9b2a6, 0x8f959c, 0xa56a52, 0xc9b79a, 0x6d7780, 0xd8d0c2, 0x8a5a48, 0x9aa7ad, 0x57606b, 0xc58f66,
    0xe4ddd0, 0x7d8a78,
];

fn wall(dice: &mut Dice) -> Rgb {
    hex(dice.pick(&WALLS)) * dice.range(0.85, 1.1)
}

const LAMPS: [u32; 4] = [0xffd58a, 0xffe4b0, 0xffc46b, 0xdfeaff];

/// One building front, and what its windows do.
#[derive(Clone, Copy)]
struct Front {
    wall: Rgb,
    glass: Rgb,
    lamp: Rgb,
    /// Share of windows with light in them.
    lit: f32,
    columns: f32,
    rows: f32,
    /// How much of a cell is glass.
    open: (f32, f32),
    seed: u32,
}

impl Front {
    fn any(dice: &mut Dice, sky: &Sky, columns: f32, rows: f32) -> Self {
        let glassy = dice.chance(0.35);
        let lit = match sky.mood {
            Mood::Night => dice.range(0.15, 0.6),
            Mood::Dusk => dice.range(0.2, 0.7),
            Mood::Sunset | Mood::Pink | Mood::Storm => dice.range(0.0, 0.25),
            _ => 0.0,
        };
        let open = match dice.below(4) {
            0 => (0.96, 0.5),
            1 => (0.5, 0.92),
            _ => (dice.range(0.45, 0.7), dice.range(0.5, 0.75)),
        };
        Self {
            wall: if glassy { hex(0x7f98ac) * dice.range(0.6, 1.1) } else { wall(dice) },
            glass: hex(0x32414f).mix(sky.zenith, if glassy { 0.6 } else { 0.3 }),
            lamp: hex(dice.pick(&LAMPS)),
            lit,
            columns: columns.max(1.0).round(),
            rows: rows.max(1.0).round(),
            open: if glassy { (0.9, 0.85) } else { open },
            seed: dice.bits(),
        }
    }

    /// The colour at `x`, `y` counted in windows; `blur` is a pixel's width in windows.
    fn color(&self, sky: &Sky, x: f32, y: f32, lit: f32, blur: f32) -> Rgb {
        let (fx, fy) = (x - x.floor(), y - y.floor());
        let inside =
            |f: f32, open: f32| step(open * 0.5 + blur * 0.5, open * 0.5 - blur * 0.5, (f - 0.5).abs());
        let window = inside(fx, self.open.0) * inside(fy, self.open.1);
        let own = grain(x.floor() as i32, y.floor() as i32, self.seed);
        let surface = sky.light(self.wall * (1.0 + noise(x * 0.6, y * 0.6, self.seed) * 0.07), lit);
        let lamp = self.lamp * (0.75 + 0.5 * grain(y.floor() as i32, x.floor() as i32, self.seed));
        let pane = if own < self.lit {
            lamp
        } else {
            let sheen = (own * 3.7).fract() * 0.35;
            sky.light(self.glass, 0.4).mix(sky.horizon, sheen * if sky.dark() { 0.2 } else { 0.7 })
        };
        surface.mix(pane, window)
    }
}

fn skyline(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let foot = dice.range(0.62, 0.92);
    let sky = city_sky(dice, aspect, foot);
    sky.paint(canvas, 1.0);
    if sky.dark() {
        canvas.shade(foot - 0.4, foot, |_, v, under| {
            under + hex(0xff9a4a) * (0.25 * step(foot - 0.4, foot, v))
        });
    }
    let rows = dice.int(2, 4);
    let (middle, tallest) = (dice.range(0.2, 0.8) * aspect, dice.range(0.35, 0.72));
    for row in 0..rows {
        let near = (row + 1) as f32 / rows as f32;
        let haze = (1.0 - near) * if matches!(sky.mood, Mood::Mist | Mood::Hazy) { 0.9 } else { 0.65 };
        let mut u = -dice.range(0.0, 0.1);
        while u < aspect {
            let wide = dice.range(0.045, 0.15) * lerp(0.7, 1.15, near);
            let hump = (-((u + wide * 0.5 - middle) / 0.55).powi(2)).exp();
            let tall =
                (dice.range(0.08, 0.3) + tallest * hump * dice.range(0.35, 1.0)) * lerp(1.05, 0.72, near);
            tower(canvas, &sky, dice, (u, foot), (wide, tall), haze);
            u += wide * dice.range(0.75, 1.25);
        }
    }
    match dice.below(4) {
        0 | 1 => {
            // A quay, and the lights in the water.
            canvas.shade(foot - 0.012, foot + 0.01, |_, _, _| sky.light(hex(0x5a564e), 0.4));
            water(canvas, &sky, foot, dice);
        }
        2 => park(canvas, &sky, foot, dice),
        _ => {
            let seed = dice.bits();
            canvas.shade(foot, 1.0, |u, v, _| {
                let far = 1.0 / (v - foot + 0.05);
                let block = grain((u * far * 2.0) as i32, (far * 3.0) as i32, seed);
                sky.light(hex(0x6b6660) * (0.7 + block * 0.5 + noise(u * 40.0, v * 60.0, seed) * 0.12), 0.6)
            });
        }
    }
}

/// A tower with two faces and something on its roof.
fn tower(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, foot: (f32, f32), size: (f32, f32), haze: f32) {
    let ((u, base), (wide, tall)) = (foot, size);
    let cell = dice.range(0.013, 0.024);
    let floor = cell * dice.range(0.9, 1.3);
    let front = Front::any(dice, sky, wide / cell, tall / floor);
    let side = dice.range(0.0, 0.35);
    let sunny = if sky.backlit() { 0.25 } else { dice.range(0.7, 1.0) };
    let top = base - tall;
    let blur = 1.0 / (cell * canvas.height as f32);
    let block = |canvas: &mut Canvas, from: (f32, f32), to: (f32, f32), rows: f32| {
        canvas.rect(from, to, |p, q, _| {
            let shaded = p > 1.0 - side;
            let x = if shaded { (p - 1.0 + side) * 1.6 + 9.0 } else { p };
            let lit = if shaded { 0.05 } else { sunny };
            let low = 0.25 * q * q;
            front
                .color(sky, x * front.columns, q * rows, lit, blur)
                .mix(sky.haze(lerp(from.0, to.0, p)), (haze + low * haze).min(0.95))
        });
    };
    block(canvas, (u, top), (u + wide, base), front.rows);
    let roof = |by: f32| sky.light(front.wall * by, 0.5).mix(sky.haze(u), haze);
    let middle = u + wide * 0.5;
    match dice.below(7) {
        0 => {
            block(canvas, (u + wide * 0.15, top - wide * 0.4), (u + wide * 0.85, top), 3.0);
            block(canvas, (u + wide * 0.3, top - wide * 0.75), (u + wide * 0.7, top - wide * 0.4), 3.0);
        }
        1 => {
            let mut layer = Layer::over(canvas);
            layer.fill(
                Outline::through(&[(u, top), (middle, top - wide * dice.range(0.5, 1.5)), (u + wide, top)]),
                roof(0.9),
                1.0,
            );
            canvas.lay(&layer);
        }
        2 => {
            let mut layer = Layer::over(canvas);
            let mast = tall * dice.range(0.12, 0.3);
            layer.stroke(Outline::from(middle, top).line(middle, top - mast), 0.006, roof(0.6), 1.0);
            canvas.lay(&layer);
            if sky.dark() {
                canvas.glow(middle, top - tall * 0.15, 0.03, hex(0xff4030));
            }
        }
        3 => canvas.ellipse(
            Ellipse { u: middle, v: top, a: wide * 0.35, b: wide * 0.35, turn: 0.0 },
            0.05,
            |p, q, under| if q < 0.0 { roof(0.9 - p * 0.35) } else { under },
        ),
        _ => {
            for _ in 0..dice.below(3) {
                let at = u + dice.range(0.1, 0.7) * wide;
                canvas.rect((at, top - 0.018), (at + wide * 0.2, top), |_, _, _| roof(0.7));
            }
        }
    }
}

/// A lawn with trees before the houses.
fn park(canvas: &mut Canvas, sky: &Sky, foot: f32, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let seed = dice.bits();
    let grass = dice.pick(&[hex(0x6f8f45), hex(0x8a9a50), hex(0x587a40)]);
    canvas.shade(foot, 1.0, |u, v, _| {
        let blade = noise(u * 60.0, v * 80.0, seed) * 0.2 + fbm(u * 4.0, v * 12.0, 3, seed) * 0.25;
        let path = step(
            0.05,
            0.03,
            (u - aspect * 0.5 - (v - 0.8) * 0.9 + noise(v * 3.0, 1.0, seed) * 0.1).abs() * (1.4 - v) * 0.8,
        );
        sky.light((grass * (0.95 + blade)).mix(hex(0xc2b49a), path), 0.8)
    });
    let against = if sky.backlit() { 0.4 } else { 1.0 };
    let mut feet: Vec<_> = (0..dice.int(3, 7))
        .map(|_| (dice.range(0.0, aspect), foot + dice.range(0.0, (1.0 - foot) * 0.7)))
        .collect();
    feet.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (leaf, shade) = dice.pick(&[(0x8ab048, 0x2a4a22), (0x6f9a3c, 0x1f3c1e), (0xd99a34, 0x6f3c16)]);
    for (u, v) in feet {
        let tall = 0.14 + (v - foot) * dice.range(0.9, 1.6);
        let crown = Crown {
            leaf: sky.light(hex(leaf), 0.95) * against,
            shade: sky.light(hex(shade), 0.4) * against,
            leaves: 7,
            bark: sky.light(hex(0x4a3a2c), 0.5),
        };
        tree::broadleaf(canvas, sky, dice, (u, v), tall, crown);
    }
}

/// A street seen along its middle: two rows of houses, taller ones behind, cars and lamps.
fn street(canvas: &mut Canvas, dice: &mut Dice) {
    let aspect = canvas.aspect();
    let level = dice.range(0.45, 0.68);
    let sky = city_sky(dice, aspect, level);
    sky.paint(canvas, level + 0.02);
    let middle = aspect * dice.range(0.3, 0.7);
    let (eye, narrow) = (dice.range(0.3, 0.5), dice.range(0.55, 1.2));
    let fronts: Vec<Front> = (0..24).map(|_| Front::any(dice, &sky, 5.0, 5.0)).collect();
    let (seed, tall) = (dice.bits(), dice.range(0.9, 2.6));
    let len = dice.range(0.9, 1.8);
    let air = if matches!(sky.mood, Mood::Mist | Mood::Hazy) { 6.0 } else { 16.0 };
    let sunny_left = dice.chance(0.5);
    let pixel = 1.0 / canvas.height as f32;
    let asphalt = hex(dice.pick(&[0x5c5e62, 0x6d6a66, 0x4c5058, 0x7a746c]));
    let wet = if sky.dark() {
        dice.range(0.3, 0.8)
    } else if matches!(sky.mood, Mood::Storm | Mood::Overcast) {
        dice.range(0.0, 0.5)
    } else {
        0.0
    };
    let look = |u: f32, v: f32| -> Option<(Rgb, f32)> {
        let (dx, dy) = (u - middle, v - level);
        for (row, away) in [1.0_f32, 1.75, 2.9].into_iter().enumerate() {
            let z = narrow * away / dx.abs().max(1e-3);
            if z > 60.0 {
                continue;
            }
            let y = eye - dy * z;
            let side = i32::from(dx >= 0.0);
            let place = z / (len * away) + side as f32 * 0.37;
            let index = place.floor() as i32;
            let own = grain(index, side + row as i32 * 7, seed);
            let roof = tall * away * (0.45 + own * 0.9) * if row > 0 { 0.85 } else { 1.0 };
            if y > roof || y < 0.0 {
                continue;
            }
            let front = &fronts[((index.rem_euclid(4)) as usize) * 6 + side as usize * 3 + row];
            let lit =
                if (side == 0) == sunny_left { 0.85 } else { 0.1 } * if sky.backlit() { 0.4 } else { 1.0 };
            let cell = 0.17 + own * 0.1;
            let blur = (z * pixel / cell).min(3.0);
            let along = place.fract() * len * away;
            let mut color = front.color(
                &sky,
                along / cell * 1.1,
                y / cell,
                lit,
                (blur * z / narrow * 0.5).clamp(blur, 4.0),
            );
            if y < 0.22 && row == 0 {
                // Shops on the ground floor.
                let shop = hsv(own * 7.3, 0.45, 0.6);
                let glow = if sky.dark() { front.lamp * 1.15 } else { sky.light(hex(0x3a4048), 0.4) };
                color = if y > 0.17 {
                    sky.light(shop, lit)
                } else {
                    glow.mix(sky.light(front.wall, 0.3), step(0.06, 0.02, (along * 3.0).fract() - 0.1))
                };
            }
            let cornice = step(roof - 0.06, roof - 0.03, y) * 0.25 + step(0.03, 0.0, place.fract()) * 0.35;
            let deep = (1.0 - 0.35 * step(0.6, 0.0, y)) * (1.0 - cornice);
            let haze = 1.0 - (-z / air).exp();
            return Some(((color * deep).mix(sky.haze(u), haze), z));
        }
        None
    };
    canvas.shade(0.0, 1.0, |u, v, under| {
        let (dx, dy) = (u - middle, v - level);
        let wall_z = narrow / dx.abs().max(1e-3);
        if dy > 0.0 && eye / dy < wall_z {
            let z = eye / dy;
            let x = dx * z / narrow;
            let blur = (z * pixel * 3.0).min(0.3);
            let rough = noise(x * 22.0, z * 14.0, seed) * 0.06 + noise(u * 70.0, v * 70.0, seed ^ 3) * 0.05;
            let mut ground = asphalt * (1.0 + rough);
            let walk = step(0.66 - blur, 0.66 + blur, x.abs());
            let tile = if (z * 3.0).fract() < 0.06 { 0.88 } else { 1.0 };
            ground = ground.mix(hex(0xa39c92) * (tile + rough), walk);
            ground = ground * (1.0 - 0.35 * step(0.03 + blur, 0.0, (x.abs() - 0.655).abs()));
            let dash = step(0.02 + blur * 0.3, 0.012, x.abs()) * step(0.45, 0.5, (z * 0.9).fract());
            let zebra = step(0.35, 0.4, (z - 1.25).abs()).mul_add(-1.0, 1.0)
                * step(0.45, 0.55, (x * 5.0).fract())
                * (1.0 - walk);
            ground = ground.mix(hex(0xe6e2d4), (dash + zebra).min(1.0) * 0.8);
            let haze = 1.0 - (-z / air).exp();
            let mut color = sky.light(ground, if sky.backlit() { 0.3 } else { 0.5 }).mix(sky.haze(u), haze);
            if wet > 0.0 {
                let shift = noise(u * 20.0, v * 50.0, seed ^ 9) * 0.02;
                let up = level - dy * 0.9 + shift;
                let mirror = look(u + shift, up).map_or_else(|| sky.clear(u, up, false), |(c, _)| c);
                color = color
                    .mix(mirror, wet * (0.45 + noise(x * 3.0, z * 3.0, seed ^ 8) * 0.3) * (1.0 - walk * 0.6));
            }
            return color;
        }
        look(u, v).map_or(under, |(color, _)| color)
    });
    let at = |x: f32, y: f32, z: f32| (middle + x * narrow / z, level + (eye - y) / z);
    if dice.chance(0.6) {
        lamps(canvas, &sky, dice, &at);
    }
    if dice.chance(0.4) {
        let (leaf, shade) = dice.pick(&[(0x84a848, 0x2c4a24), (0xcf9a3a, 0x6a3c18)]);
        for i in (0..5).rev() {
            let z = 1.6 + i as f32 * 1.1;
            for side in [-0.78, 0.78] {
                let (foot, head) = (at(side, 0.0, z), at(side, 0.75, z));
                let crown = Crown {
                    leaf: sky.light(hex(leaf), 0.8),
                    shade: sky.light(hex(shade), 0.3),
                    leaves: 5,
                    bark: sky.light(hex(0x40342a), 0.4),
                };
                tree::broadleaf(canvas, &sky, dice, foot, foot.1 - head.1, crown);
            }
        }
    }
    let mut cars: Vec<f32> = (0..dice.below(6)).map(|_| dice.range(1.3, 7.0)).collect();
    cars.sort_by(|a, b| b.total_cmp(a));
    for z in cars {
        let right = dice.chance(0.5);
        let x = if right { dice.range(0.22, 0.5) } else { -dice.range(0.22, 0.5) };
        car(canvas, &sky, dice, at(x, 0.0, z), 0.42 / z * 0.75, right);
    }
}

fn lamps(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, at: &dyn Fn(f32, f32, f32) -> (f32, f32)) {
    let mut layer = Layer::over(canvas);
    let tone = sky.light(hex(0x3a3c40), 0.4);
    let mut heads = Vec::new();
    let shift = dice.unit();
    for i in (0..6).rev() {
        let z = 1.1 + (i as f32 + shift) * 1.3;
        for side in [-1.0_f32, 1.0] {
            let (foot, top, arm) =
                (at(side * 0.7, 0.0, z), at(side * 0.7, 0.85, z), at(side * 0.52, 0.88, z));
            layer.stroke(
                Outline::from(foot.0, foot.1).line(top.0, top.1).line(arm.0, arm.1),
                0.014 / z,
                tone,
                1.0,
            );
            heads.push((arm, z));
        }
    }
    canvas.lay(&layer);
    for ((u, v), z) in heads {
        canvas.dab(u, v, 0.02 / z, 0.4, hex(0xfff2d0), if sky.dark() { 1.0 } else { 0.4 });
        if sky.dark() {
            canvas.glow(u, v, 0.2 / z, hex(0xffc070) * 0.8);
        }
    }
}

/// A car from behind (on the right) or from the front.
fn car(canvas: &mut Canvas, sky: &Sky, dice: &mut Dice, at: (f32, f32), wide: f32, away: bool) {
    let (u, v) = at;
    let paint = dice.pick(&[
        hex(0xb02a2a),
        hex(0xe8e6e0),
        hex(0x22262c),
        hex(0x8c949c),
        hex(0x2a4f8a),
        hex(0xd8a020),
        hex(0x47604a),
    ]);
    let (w, tall) = (wide * 0.5, wide * 0.78);
    canvas.ellipse(Ellipse { u, v, a: w * 1.2, b: w * 0.2, turn: 0.0 }, 0.6, |_, _, under| under * 0.4);
    let mut layer = Layer::over(canvas);
    for side in [-1.0_f32, 1.0] {
        layer.fill(
            Outline::rect(u + side * w * 0.72 - w * 0.16, v - tall * 0.25, w * 0.32, tall * 0.27),
            hex(0x15161a),
            1.0,
        );
    }
    let body = [
        (u - w, v - tall * 0.12),
        (u - w, v - tall * 0.5),
        (u - w * 0.72, v - tall * 0.56),
        (u - w * 0.6, v - tall),
        (u + w * 0.6, v - tall),
        (u + w * 0.72, v - tall * 0.56),
        (u + w, v - tall * 0.5),
        (u + w, v - tall * 0.12),
    ];
    layer.fill_linear(
        Outline::through(&body),
        (u, v - tall),
        (u, v),
        &[
            (0.0, sky.light(paint, 1.0) * 1.1, 1.0),
            (0.5, sky.light(paint, 0.6), 1.0),
            (1.0, sky.light(paint, 0.0) * 0.6, 1.0),
        ],
    );
    let glass = sky.light(hex(0x2a3440), 0.5).mix(sky.horizon, 0.25);
    layer.fill(
        Outline::through(&[
            (u - w * 0.62, v - tall * 0.58),
            (u - w * 0.52, v - tall * 0.93),
            (u + w * 0.52, v - tall * 0.93),
            (u + w * 0.62, v - tall * 0.58),
        ]),
        glass,
        1.0,
    );
    layer.fill(Outline::rect(u - w * 0.25, v - tall * 0.32, w * 0.5, tall * 0.1), hex(0xe8e6da) * 0.9, 1.0);
    canvas.lay(&layer);
    let lamp = if away { hex(0xff2a1c) } else { hex(0xfff4d8) };
    for side in [-1.0_f32, 1.0] {
        canvas.dab(u + side * w * 0.78, v - tall * 0.42, w * 0.15, 0.3, lamp, 0.95);
        if sky.dark() {
            canvas.glow(u + side * w * 0.78, v - tall * 0.42, w * 1.1, lamp * 0.9);
        }
    }
}
