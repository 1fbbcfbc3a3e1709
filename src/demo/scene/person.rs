//! How is somebody drawn? Shoulders, head, face and hair, as smooth shapes with gradients.

use crate::demo::paint::{Dice, Ellipse, Layer, Outline, Rgb, hex, hsv, lerp};

pub const SKIN: [u32; 9] =
    [0xf4d4bc, 0xf0c8a8, 0xe2ac86, 0xd09870, 0xb87e56, 0xa06a44, 0x80502f, 0x643c24, 0x4a2c1c];
pub const HAIR: [u32; 10] =
    [0x1a1614, 0x2c1e18, 0x4a3020, 0x6a4428, 0x8f6438, 0xc89a58, 0xe2c890, 0x8a3a1c, 0xa8a4a0, 0xd8d4d0];

/// Somebody, before being drawn.
#[derive(Clone, Copy)]
pub struct Person {
    pub skin: Rgb,
    pub hair: Rgb,
    pub shirt: Rgb,
    /// Middle of the head, and its half height.
    pub u: f32,
    pub v: f32,
    pub r: f32,
    /// Which way the head is turned, -1 to 1.
    pub turn: f32,
    /// Which way the light falls, -1 from the left.
    pub key: f32,
}

pub fn shoulders(layer: &mut Layer, dice: &mut Dice, person: &Person, detail: bool) {
    let Person { skin, shirt, u, v, r, .. } = *person;
    let (wide, base) = (r * dice.range(1.75, 2.3), v + r * dice.range(1.42, 1.6));
    let neck = r * dice.range(0.36, 0.48);
    layer.fill_linear(
        Outline::from(u - neck, v + r * 0.5)
            .line(u - neck * 1.05, base)
            .line(u, base + r * 0.5)
            .line(u + neck * 1.05, base)
            .line(u + neck, v + r * 0.5),
        (u, v + r * 0.7),
        (u, base + r * 0.3),
        &[(0.0, skin * 0.55, 1.0), (0.5, skin * 0.8, 1.0), (1.0, skin * 0.88, 1.0)],
    );
    let body = Outline::from(u - neck * 1.1, base - r * 0.08)
        .curve(
            (u - wide * 0.55, base + r * 0.08),
            (u - wide * 0.95, base + r * 0.2),
            (u - wide * 1.05, base + r * 1.3),
        )
        .line(u - wide * 1.1, 1.3)
        .line(u + wide * 1.1, 1.3)
        .line(u + wide * 1.05, base + r * 1.3)
        .curve(
            (u + wide * 0.95, base + r * 0.2),
            (u + wide * 0.55, base + r * 0.08),
            (u + neck * 1.1, base - r * 0.08),
        )
        .bend(u, base + r * dice.range(0.3, 0.8), u - neck * 1.1, base - r * 0.08);
    layer.fill_linear(body, (u, base), (u, 1.1), &[(0.0, shirt, 1.0), (1.0, shirt * 0.62, 1.0)]);
    match dice.below(5) {
        _ if !detail => {}
        0 => {
            // Lapels.
            for side in [-1.0_f32, 1.0] {
                let lapel = [
                    (u + side * neck * 1.15, base - r * 0.1),
                    (u + side * r * 1.0, base + r * 0.25),
                    (u + side * r * 0.72, base + r * 0.55),
                    (u + side * r * 0.05, base + r * 1.5),
                ];
                layer.fill(Outline::through(&lapel), shirt * 0.72, 1.0);
            }
        }
        1 => {
            // A collar.
            for side in [-1.0_f32, 1.0] {
                let collar = [
                    (u + side * neck, base - r * 0.2),
                    (u + side * neck * 1.7, base + r * 0.1),
                    (u + side * neck * 0.8, base + r * 0.42),
                    (u + side * neck * 0.05, base + r * 0.28),
                ];
                layer.fill(Outline::through(&collar), shirt.mix(Rgb::gray(1.0), 0.35), 1.0);
            }
        }
        2 => {
            for k in 0..9 {
                let down = 0.3 + k as f32 * 0.25;
                let (y, half) = (base + r * down, lerp(neck, wide, (down / 1.4).sqrt().min(1.0)) * 0.93);
                layer.stroke(
                    Outline::from(u - half, y + r * 0.1).bend(u, y + r * 0.3, u + half, y + r * 0.1),
                    r * 0.09,
                    shirt.mix(Rgb::gray(1.0), 0.5),
                    0.8,
                );
            }
        }
        _ => {
            for side in [-1.0_f32, 1.0] {
                layer.stroke(
                    Outline::from(u + side * wide * 0.62, base + r * 0.9).bend(
                        u + side * wide * 0.7,
                        base + r * 1.5,
                        u + side * wide * 0.66,
                        1.1,
                    ),
                    r * 0.06,
                    shirt * 0.55,
                    0.6,
                );
            }
        }
    }
}

/// Width of the head, and where its chin is, from its middle.
pub fn head(layer: &mut Layer, person: &Person) {
    let Person { skin, u, v, r, turn, key, .. } = *person;
    let w = r * 0.76;
    let ears = [-1.0_f32, 1.0];
    for side in ears {
        let away = 1.0 + side * turn * 0.22;
        layer.fill(
            Outline::ellipse(Ellipse {
                u: u + side * w * 0.98 * away.min(1.0),
                v: v + r * 0.08,
                a: r * 0.11,
                b: r * 0.2,
                turn: side * 0.2,
            }),
            skin * 0.82,
            1.0,
        );
    }
    let chin = u + turn * r * 0.1;
    let outline = Outline::from(u, v - r)
        .curve((u + w * 0.8, v - r), (u + w * 1.05, v - r * 0.45), (u + w, v + r * 0.1))
        .curve((u + w * 0.98, v + r * 0.55), (chin + w * 0.5, v + r * 1.02), (chin, v + r * 1.02))
        .curve((chin - w * 0.5, v + r * 1.02), (u - w * 0.98, v + r * 0.55), (u - w, v + r * 0.1))
        .curve((u - w * 1.05, v - r * 0.45), (u - w * 0.8, v - r), (u, v - r));
    let light = (u + key * r * 0.3 + turn * r * 0.15, v - r * 0.2);
    layer.fill_radial(
        outline,
        light,
        r * 1.5,
        &[(0.0, skin * 1.02, 1.0), (0.4, skin * 0.96, 1.0), (0.75, skin * 0.8, 1.0), (1.0, skin * 0.62, 1.0)],
    );
}

pub fn face(layer: &mut Layer, dice: &mut Dice, person: &Person) {
    let Person { skin, hair, u, v, r, turn, key, .. } = *person;
    let shift = turn * r * 0.2;
    let c = u + shift;
    let gap = r * 0.31;
    let smile = dice.range(-0.2, 1.0);
    let blush = skin.mix(hex(0xd8604c), 0.35);
    for side in [-1.0_f32, 1.0] {
        let near = 1.0 - side * turn * 0.14;
        let (eu, ev) = (c + side * gap * near, v + r * 0.02);
        layer.fill_radial(
            Outline::ellipse(Ellipse::round(c + side * gap * 1.25 * near, v + r * 0.38, r * 0.24)),
            (c + side * gap * 1.25 * near, v + r * 0.38),
            r * 0.24,
            &[(0.0, blush, 0.4), (1.0, blush, 0.0)],
        );
        layer.fill_radial(
            Outline::ellipse(Ellipse { u: eu, v: ev - r * 0.04, a: r * 0.21, b: r * 0.16, turn: 0.0 }),
            (eu, ev - r * 0.04),
            r * 0.2,
            &[(0.0, skin * 0.62, 0.7), (1.0, skin * 0.8, 0.0)],
        );
        let w = r * 0.145 * near;
        let open = r * dice.range(0.055, 0.075);
        let lid = |up: f32, down: f32| {
            Outline::from(eu - w, ev).bend(eu, ev - up * 2.0, eu + w, ev).bend(
                eu,
                ev + down * 2.0,
                eu - w,
                ev,
            )
        };
        layer.fill(lid(open, open * 0.75), hex(0xf4efe8) * 0.95, 1.0);
        let iris = hex(0x3a2a20).mix(hex(0x5a7a8a), if hair.luma() > 0.4 { 0.7 } else { 0.1 });
        layer.fill(
            Outline::ellipse(Ellipse::round(eu + turn * r * 0.03, ev - open * 0.1, open * 0.92)),
            iris,
            1.0,
        );
        layer.fill(
            Outline::ellipse(Ellipse::round(eu + turn * r * 0.03, ev - open * 0.1, open * 0.42)),
            hex(0x0c0a0a),
            1.0,
        );
        layer.fill(
            Outline::ellipse(Ellipse::round(eu + key * open * 0.35, ev - open * 0.4, open * 0.22)),
            Rgb::gray(1.0),
            0.9,
        );
        layer.stroke(
            Outline::from(eu - w, ev).bend(eu, ev - open * 2.2, eu + w, ev),
            r * 0.032,
            skin.mix(hex(0x1a1010), 0.8),
            0.95,
        );
        let brow = v - r * dice.range(0.2, 0.24);
        layer.stroke(
            Outline::from(eu - side * w * 1.05, brow + r * 0.03).bend(
                eu,
                brow - r * 0.06,
                eu + side * w * 1.4,
                brow + r * 0.04,
            ),
            r * 0.05,
            hair.mix(skin * 0.4, 0.35),
            0.85,
        );
    }
    let nose = (c + turn * r * 0.12, v + r * 0.38);
    layer.fill(
        Outline::from(c - key * r * 0.05, v + r * 0.02)
            .bend(nose.0 - key * r * 0.1, v + r * 0.25, nose.0 - key * r * 0.14, nose.1)
            .bend(nose.0, nose.1 + r * 0.06, nose.0, nose.1 - r * 0.02),
        skin * 0.7,
        0.35,
    );
    layer.stroke(
        Outline::from(nose.0 - r * 0.11, nose.1 - r * 0.01).bend(
            nose.0,
            nose.1 + r * 0.08,
            nose.0 + r * 0.11,
            nose.1 - r * 0.01,
        ),
        r * 0.03,
        skin * 0.55,
        0.7,
    );
    layer.fill_radial(
        Outline::ellipse(Ellipse::round(nose.0 + key * r * 0.02, nose.1 - r * 0.09, r * 0.08)),
        (nose.0, nose.1 - r * 0.09),
        r * 0.08,
        &[(0.0, skin * 1.22, 0.6), (1.0, skin, 0.0)],
    );
    let (mu, mv, mw) = (c + turn * r * 0.06, v + r * 0.66, r * dice.range(0.2, 0.27));
    let lip = skin.mix(hex(dice.pick(&[0xb0484a, 0xc05a58, 0xa83a48])), dice.range(0.35, 0.75));
    let lift = smile * r * 0.07;
    let corners = ((mu - mw, mv - lift), (mu + mw, mv - lift));
    layer.fill(
        Outline::from(corners.0.0, corners.0.1)
            .bend(mu - mw * 0.4, mv - r * 0.085, mu, mv - r * 0.045)
            .bend(mu + mw * 0.4, mv - r * 0.085, corners.1.0, corners.1.1)
            .bend(mu, mv + lift + r * 0.02, corners.0.0, corners.0.1),
        lip * 0.86,
        1.0,
    );
    layer.fill(
        Outline::from(corners.0.0, corners.0.1)
            .bend(mu, mv + lift + r * 0.02, corners.1.0, corners.1.1)
            .bend(mu, mv + lift + r * 0.2, corners.0.0, corners.0.1),
        lip * 1.05,
        1.0,
    );
    if smile > 0.55 {
        layer.fill(
            Outline::from(corners.0.0 + mw * 0.2, corners.0.1 + r * 0.01)
                .bend(mu, mv + lift, corners.1.0 - mw * 0.2, corners.1.1 + r * 0.01)
                .bend(mu, mv + lift + r * 0.1, corners.0.0 + mw * 0.2, corners.0.1 + r * 0.01),
            hex(0xf6f0e8),
            0.95,
        );
    }
    layer.stroke(
        Outline::from(corners.0.0, corners.0.1).bend(mu, mv + lift + r * 0.02, corners.1.0, corners.1.1),
        r * 0.02,
        skin * 0.35,
        0.7,
    );
    if dice.chance(0.16) {
        let beard = Outline::from(u - r * 0.74, v + r * 0.2)
            .curve((u - r * 0.72, v + r * 0.7), (mu - r * 0.42, v + r * 1.12), (mu, v + r * 1.12))
            .curve((mu + r * 0.42, v + r * 1.12), (u + r * 0.72, v + r * 0.7), (u + r * 0.74, v + r * 0.2))
            .curve((u + r * 0.5, v + r * 0.5), (mu + r * 0.36, v + r * 0.5), (mu + mw * 1.1, v + r * 0.52))
            .bend(mu, v + r * 0.44, mu - mw * 1.1, v + r * 0.52)
            .curve((mu - r * 0.36, v + r * 0.5), (u - r * 0.5, v + r * 0.5), (u - r * 0.74, v + r * 0.2));
        layer.fill(beard, hair * 0.9, 0.82);
        layer.fill(
            Outline::from(corners.0.0, corners.0.1)
                .bend(mu, mv + lift - r * 0.08, corners.1.0, corners.1.1)
                .bend(mu, mv + lift + r * 0.14, corners.0.0, corners.0.1),
            lip,
            0.95,
        );
    }
}

/// Hair that hangs behind the shoulders.
pub fn hair_behind(layer: &mut Layer, dice: &mut Dice, person: &Person, style: usize) {
    let Person { hair, u, v, r, .. } = *person;
    match style {
        0 | 1 => {
            let (long, wide) = (v + r * dice.range(1.2, 2.4), r * dice.range(0.98, 1.2));
            let outline = Outline::from(u, v - r * 1.14)
                .curve((u + wide * 1.05, v - r * 1.14), (u + wide * 1.05, v + r * 0.2), (u + wide, long))
                .bend(u, long + r * 0.15, u - wide, long)
                .curve((u - wide * 1.05, v + r * 0.2), (u - wide * 1.05, v - r * 1.14), (u, v - r * 1.14));
            layer.fill_linear(
                outline,
                (u, v - r),
                (u, long),
                &[(0.0, hair * 0.8, 1.0), (1.0, hair * 0.55, 1.0)],
            );
            for _ in 0..24 {
                let x = u + dice.around() * wide * 0.95;
                layer.stroke(
                    Outline::from(x, v - r * 0.3).bend(
                        x + dice.around() * r * 0.2,
                        v + r * 0.6,
                        x + dice.around() * r * 0.2,
                        long - r * 0.1,
                    ),
                    r * 0.025,
                    hair * dice.range(0.6, 1.5),
                    0.5,
                );
            }
        }
        2 => {
            // A cloud of curls.
            for _ in 0..70 {
                let angle = dice.range(0.0, std::f32::consts::TAU);
                let out = r * dice.range(0.6, 1.2);
                let at = Ellipse::round(
                    u + angle.cos() * out,
                    v - r * 0.25 + angle.sin() * out * 0.95,
                    r * dice.range(0.16, 0.28),
                );
                if at.v < v + r * 0.75 {
                    layer.fill(Outline::ellipse(at), hair * dice.range(0.65, 1.15), 1.0);
                }
            }
        }
        3 => layer.fill(Outline::ellipse(Ellipse::round(u, v - r * 1.22, r * 0.36)), hair * 0.85, 1.0),
        _ => {}
    }
}

pub fn hair_front(layer: &mut Layer, dice: &mut Dice, person: &Person, style: usize) {
    let Person { hair, u, v, r, turn, .. } = *person;
    if style == 6 {
        return;
    }
    let part = u + turn * r * 0.3 + dice.around() * r * 0.35;
    let (fringe, temple) =
        (v - r * dice.range(0.42, 0.68), v + r * if style <= 1 { 0.35 } else { dice.range(-0.15, 0.1) });
    let top = v - r * dice.range(1.16, 1.36);
    let w = r * dice.range(0.84, 0.94);
    let outline = Outline::from(u - w, temple)
        .curve((u - w * 1.12, v - r * 0.6), (u - w * 0.8, top), (u, top))
        .curve((u + w * 0.8, top), (u + w * 1.12, v - r * 0.6), (u + w, temple))
        .curve((u + w * 0.9, v - r * 0.25), (u + w * 0.75, fringe), (part, fringe - r * 0.06))
        .curve((u - w * 0.75, fringe), (u - w * 0.9, v - r * 0.25), (u - w, temple));
    layer.fill_linear(
        outline,
        (u - w, top),
        (u + w, v),
        &[(0.0, hair * 1.1, 1.0), (0.4, hair * 1.3, 1.0), (0.6, hair, 1.0), (1.0, hair * 0.72, 1.0)],
    );
    for k in 0..26 {
        let side = if k % 2 == 0 { -1.0 } else { 1.0 };
        let t = dice.unit();
        let to = (u + side * w * lerp(0.5, 0.98, t), lerp(fringe, temple, t * t));
        layer.stroke(
            Outline::from(part + side * r * 0.05 * t, lerp(top, fringe, 0.5 * (1.0 - t)) + r * 0.05).bend(
                u + side * w * 0.7 * t.max(0.3),
                lerp(top, fringe, 0.35),
                to.0,
                to.1,
            ),
            r * 0.022,
            hair * dice.range(0.7, 1.6),
            0.4,
        );
    }
}

pub fn hat(layer: &mut Layer, dice: &mut Dice, person: &Person) {
    let Person { u, v, r, .. } = *person;
    let tone = hsv(dice.unit(), dice.range(0.1, 0.6), dice.range(0.25, 0.85));
    if dice.chance(0.5) {
        // A woollen cap.
        let outline = Outline::from(u - r * 0.86, v - r * 0.42).curve(
            (u - r * 0.95, v - r * 1.5),
            (u + r * 0.95, v - r * 1.5),
            (u + r * 0.86, v - r * 0.42),
        );
        layer.fill_linear(
            outline,
            (u - r, v),
            (u + r, v),
            &[(0.0, tone * 1.1, 1.0), (1.0, tone * 0.65, 1.0)],
        );
        for k in 0..11 {
            let x = u + r * (k as f32 / 10.0 * 2.0 - 1.0) * 0.8;
            layer.stroke(
                Outline::from(x, v - r * 0.48).bend(
                    lerp(x, u, 0.2),
                    v - r * 0.9,
                    lerp(x, u, 0.6),
                    v - r * 1.16,
                ),
                r * 0.02,
                tone * 0.6,
                0.6,
            );
        }
        layer.stroke(
            Outline::from(u - r * 0.84, v - r * 0.46).bend(u, v - r * 0.56, u + r * 0.84, v - r * 0.46),
            r * 0.22,
            tone * 0.88,
            1.0,
        );
    } else {
        let crown = Outline::from(u - r * 0.78, v - r * 0.55).curve(
            (u - r * 0.75, v - r * 1.55),
            (u + r * 0.75, v - r * 1.55),
            (u + r * 0.78, v - r * 0.55),
        );
        layer.fill_linear(
            crown,
            (u, v - r * 1.4),
            (u, v - r * 0.5),
            &[(0.0, tone * 1.05, 1.0), (1.0, tone * 0.7, 1.0)],
        );
        layer.fill(
            Outline::ellipse(Ellipse { u, v: v - r * 0.54, a: r * 1.45, b: r * 0.24, turn: 0.0 }),
            tone * 0.8,
            1.0,
        );
        layer.stroke(
            Outline::from(u - r * 0.76, v - r * 0.68).bend(u, v - r * 0.56, u + r * 0.76, v - r * 0.68),
            r * 0.13,
            tone * 0.4,
            1.0,
        );
    }
}

pub fn glasses(layer: &mut Layer, dice: &mut Dice, person: &Person) {
    let Person { u, v, r, turn, .. } = *person;
    let c = u + turn * r * 0.2;
    let dark = dice.chance(0.4);
    let frame = hex(dice.pick(&[0x18181c, 0x4a2c1c, 0x8a8a90, 0xb08a40]));
    for side in [-1.0_f32, 1.0] {
        let shape = Ellipse {
            u: c + side * r * 0.32,
            v: v + r * 0.03,
            a: r * 0.24,
            b: r * dice.range(0.18, 0.22),
            turn: 0.0,
        };
        layer.fill(
            Outline::ellipse(shape),
            if dark { hex(0x101418) } else { hex(0xd8e8f0) },
            if dark { 0.92 } else { 0.16 },
        );
        layer.stroke(Outline::ellipse(shape), r * 0.045, frame, 1.0);
        layer.stroke(
            Outline::from(shape.u - r * 0.12, shape.v + r * 0.06)
                .line(shape.u + r * 0.05, shape.v - r * 0.12),
            r * 0.04,
            Rgb::gray(1.0),
            0.25,
        );
        layer.stroke(
            Outline::from(c + side * r * 0.56, v).line(u + side * r * 0.76, v - r * 0.02),
            r * 0.04,
            frame,
            1.0,
        );
    }
    layer.stroke(
        Outline::from(c - r * 0.09, v + r * 0.02).bend(c, v - r * 0.06, c + r * 0.09, v + r * 0.02),
        r * 0.04,
        frame,
        1.0,
    );
}
