//! What is overhead, and what light does it give? Moods from noon to night, with clouds.

use crate::demo::paint::{Canvas, Dice, Rgb, fbm, grain, hex, lerp, noise, step};

/// The time of day and the weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Noon,
    Deep,
    Hazy,
    Golden,
    Sunset,
    Pink,
    Dusk,
    Overcast,
    Storm,
    Night,
    Mist,
}

/// Moods as often as people take pictures in them.
const MOODS: [Mood; 16] = [
    Mood::Noon,
    Mood::Noon,
    Mood::Noon,
    Mood::Deep,
    Mood::Deep,
    Mood::Hazy,
    Mood::Golden,
    Mood::Golden,
    Mood::Sunset,
    Mood::Sunset,
    Mood::Pink,
    Mood::Dusk,
    Mood::Overcast,
    Mood::Storm,
    Mood::Night,
    Mood::Mist,
];

/// A sky and its light.
#[derive(Debug, Clone, Copy)]
pub struct Sky {
    pub mood: Mood,
    pub zenith: Rgb,
    pub horizon: Rgb,
    /// Around the sun, near the horizon.
    pub glow: Rgb,
    /// Direct light on things.
    pub sunlight: Rgb,
    /// Light in the shade.
    pub ambient: Rgb,
    /// Where the sun or the moon stands.
    pub sun: (f32, f32),
    /// The height of the horizon in the picture.
    pub level: f32,
    /// Share of the sky under clouds, 0 for none.
    pub cover: f32,
    /// Clouds drawn out into streaks.
    pub wisps: bool,
    seed: u32,
    stars: bool,
}

impl Sky {
    /// Any sky over a horizon at height `level` of a picture that is `aspect` wide.
    pub fn any(dice: &mut Dice, aspect: f32, level: f32) -> Self {
        let mood = dice.pick(&MOODS);
        Self::of(mood, dice, aspect, level)
    }

    /// A sky of one mood.
    pub fn of(mood: Mood, dice: &mut Dice, aspect: f32, level: f32) -> Self {
        let (zenith, horizon, glow, sunlight, ambient) = match mood {
            Mood::Noon => (0x3f7fc4, 0xbfdcee, 0xf4f4ea, 0xfff6e6, 0x8fa6bd),
            Mood::Deep => (0x1f5cab, 0x8fc3e6, 0xe6f2f6, 0xfff3df, 0x7f9cbd),
            Mood::Hazy => (0x8fb0c8, 0xdde5e2, 0xf6eedb, 0xf4ecd8, 0xa9b4b8),
            Mood::Golden => (0x6f97bd, 0xf0d2a0, 0xffd48a, 0xffcf8c, 0x8d8c98),
            Mood::Sunset => (0x42507f, 0xf39a62, 0xffa24a, 0xff9a58, 0x6a6078),
            Mood::Pink => (0x6d73a8, 0xf1b9b4, 0xffc9a0, 0xf5b9a8, 0x8a82a0),
            Mood::Dusk => (0x14234a, 0x8d84a0, 0xe59a78, 0x9c8aa6, 0x3f4866),
            Mood::Overcast => (0x98a4ad, 0xd2d7d6, 0xdedfdb, 0xc9cccb, 0xa3a9ac),
            Mood::Storm => (0x47525f, 0x98a4a8, 0xb9bfba, 0x9aa29f, 0x6f7880),
            Mood::Night => (0x060a1c, 0x1d2e52, 0x3b4f78, 0x5a6f98, 0x1c2740),
            Mood::Mist => (0xb9c6d0, 0xeee5d6, 0xfdf2da, 0xe6dccb, 0xaeb4b8),
        };
        let high = dice.range(0.08, 0.45) * level;
        let low = level - dice.range(-0.01, 0.12);
        let sun_v = match mood {
            Mood::Sunset | Mood::Pink | Mood::Golden | Mood::Dusk => low,
            _ => high,
        };
        let cover = match mood {
            Mood::Overcast | Mood::Storm => dice.range(0.75, 1.0),
            Mood::Night | Mood::Mist => dice.range(0.0, 0.3),
            _ if dice.chance(0.25) => 0.0,
            _ => dice.range(0.15, 0.7),
        };
        // No two evenings have the same sky.
        let shift = Rgb { r: dice.normal() * 0.03, g: dice.normal() * 0.02, b: dice.normal() * 0.03 };
        Self {
            mood,
            zenith: hex(zenith) + shift,
            horizon: hex(horizon) + shift,
            glow: hex(glow),
            sunlight: hex(sunlight),
            ambient: hex(ambient),
            sun: (dice.range(-0.1, 1.1) * aspect, sun_v),
            level,
            cover,
            wisps: dice.chance(0.35),
            seed: dice.bits(),
            stars: mood == Mood::Night || (mood == Mood::Dusk && dice.chance(0.3)),
        }
    }

    /// Whether there is little light.
    pub fn dark(&self) -> bool {
        matches!(self.mood, Mood::Night | Mood::Dusk)
    }

    /// Whether things stand against the light.
    pub fn backlit(&self) -> bool {
        matches!(self.mood, Mood::Sunset | Mood::Dusk | Mood::Pink | Mood::Night)
    }

    /// What distance fades to, seen in the direction `u`.
    pub fn haze(&self, u: f32) -> Rgb {
        let near = (-((u - self.sun.0) / 0.45).powi(2)).exp();
        let strength = if self.backlit() && !self.dark() { 0.6 } else { 0.3 };
        self.horizon.mix(self.glow, near * strength)
    }

    /// The colour of the sky without clouds, and with the sun's disc if `disc`.
    pub fn clear(&self, u: f32, v: f32, disc: bool) -> Rgb {
        let up = ((self.level - v) / self.level.max(0.2)).clamp(-0.2, 1.2);
        let base = self.horizon.mix(self.zenith, step(-0.05, 1.05, up.max(0.0)).powf(0.75));
        let (du, dv) = (u - self.sun.0, v - self.sun.1);
        let far = (du * du + dv * dv).sqrt();
        let wide = (-far * 3.2).exp() * 0.55 + (-(du * du * 2.0 + dv * dv * 18.0)).exp() * 0.35;
        let mut color = base.mix(self.glow, wide.min(1.0) * if self.dark() { 0.5 } else { 0.85 });
        if disc && !matches!(self.mood, Mood::Overcast | Mood::Storm) {
            let size = if self.mood == Mood::Night { 0.022 } else { 0.03 };
            let core = step(size, size * 0.8, far);
            let bright = if self.mood == Mood::Night { 0.95 } else { 1.25 };
            color = color.mix(self.glow.mix(Rgb::gray(1.0), 0.6) * bright, core);
            color = color + self.glow * (0.35 * (-far * 12.0).exp());
        }
        color
    }

    /// The colour of the sky at a place.
    pub fn color(&self, u: f32, v: f32) -> Rgb {
        let mut color = self.clear(u, v, true);
        if self.stars && v < self.level {
            let (x, y) = ((u * 170.0) as i32, (v * 170.0) as i32);
            let star = grain(x, y, self.seed ^ 0x4d);
            if star > 0.988 {
                color = color + Rgb::gray((star - 0.988) * 60.0 * (1.0 - v / self.level));
            }
        }
        if self.cover <= 0.0 || v > self.level + 0.03 {
            return color;
        }
        // Clouds lie on a plane overhead, so they grow flat and small towards the horizon.
        let rise = (self.level - v).max(0.0) + 0.1;
        let stretch = if self.wisps { 0.45 } else { 1.0 };
        let (x, y) = ((u - 0.6) * lerp(1.0, 0.32 / rise, 0.6) * 2.4 * stretch, 0.62 / rise * 1.1);
        let warp = noise(x * 0.7, y * 0.7, self.seed ^ 0x5) * 0.5;
        let density = |x: f32, y: f32, octaves| fbm(x + warp, y, octaves, self.seed) * 0.8 + 0.5;
        let edge = lerp(0.85, 0.18, self.cover);
        let here = density(x, y, 4);
        let thick = step(edge, edge + if self.wisps { 0.5 } else { 0.22 }, here);
        if thick <= 0.0 {
            return color;
        }
        let toward = ((self.sun.0 - u) * 1.5).clamp(-0.22, 0.22);
        let lit = (0.55 + (here - density(x + toward, y - 0.18, 3)) * 1.6).clamp(0.0, 1.0);
        let (bright, dark) = match self.mood {
            Mood::Sunset | Mood::Pink | Mood::Golden => {
                (self.glow.mix(self.sunlight, 0.4) * 1.06, self.ambient)
            }
            Mood::Dusk => (self.glow.mix(self.zenith, 0.4), self.zenith * 1.3),
            Mood::Night => (self.horizon * 1.25, self.zenith * 1.1),
            Mood::Storm => (self.horizon * 0.95, self.zenith * 0.72),
            Mood::Overcast => (self.horizon * 1.04, self.zenith * 0.88),
            _ => (Rgb::gray(1.02), self.horizon.mix(self.ambient, 0.45)),
        };
        let fade = step(-0.02, 0.12, self.level - v);
        color.mix(dark.mix(bright, lit), thick * (0.35 + 0.6 * fade))
    }

    /// Paints the sky down to height `to`.
    pub fn paint(&self, canvas: &mut Canvas, to: f32) {
        canvas.shade(0.0, to, |u, v, _| self.color(u, v));
    }

    /// A surface colour in this light: `lit` is 1 in the sun and 0 in the shade.
    pub fn light(&self, surface: Rgb, lit: f32) -> Rgb {
        let sun = if matches!(self.mood, Mood::Overcast | Mood::Storm | Mood::Mist) { 0.25 } else { 0.62 };
        surface * (self.ambient * 0.78 + self.sunlight * (sun * lit))
    }
}
