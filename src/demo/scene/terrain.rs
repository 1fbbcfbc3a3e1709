//! How does land roll away from the eye? A height field, lit with shadows, seen column by column from front to back.

use crate::demo::paint::{Canvas, Dice, Rgb, fbm, ridged, step};

/// Cells along each side of the map.
const SIDE: usize = 192;

/// A square of land; heights are in cells.
pub struct Terrain {
    height: Vec<f32>,
    /// 1 in the sun, 0 in the shade or in a cast shadow.
    lit: Vec<f32>,
}

/// What land there is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Height of the peaks.
    pub peak: f32,
    /// Peaks across the map.
    pub roughness: f32,
    /// 0 for rounded hills, 1 for sharp crests.
    pub sharp: f32,
    /// How far away the land begins to rise, in cells.
    pub begin: f32,
    /// The sun stands this high: the tangent of its angle.
    pub sun_slope: f32,
}

/// A point of land, for whoever colours it.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    /// Height in cells.
    pub height: f32,
    /// 0 on the flat, towards 1 on a cliff.
    pub steep: f32,
    /// 0 in the shade, 1 in the sun.
    pub lit: f32,
    /// Place on the map, in cells; `z` is the distance.
    pub x: f32,
    /// Place on the map.
    pub z: f32,
}

impl Terrain {
    /// Raises land by a shape.
    pub fn new(shape: Shape, dice: &mut Dice) -> Self {
        let Shape { peak, roughness, sharp, begin, sun_slope } = shape;
        let seed = dice.bits();
        let mut height = vec![0.0_f32; SIDE * SIDE];
        let scale = roughness / SIDE as f32;
        for z in 0..SIDE {
            let rise = step(begin, begin + 90.0, z as f32);
            for x in 0..SIDE {
                let (p, q) = (x as f32 * scale, z as f32 * scale);
                let soft = if sharp < 1.0 { fbm(p, q, 5, seed) * 0.5 + 0.45 } else { 0.0 };
                let crest = if sharp > 0.0 { ridged(p * 0.8, q * 0.8, 5, seed ^ 9) } else { 0.0 };
                let form = soft * (1.0 - sharp) + crest * sharp;
                height[z * SIDE + x] = (form * rise - 0.1) * peak;
            }
        }
        let mut lit = vec![1.0_f32; SIDE * SIDE];
        let mut shadow = vec![f32::MIN; SIDE];
        // The light comes from the left and a little from behind: one sweep to the right carries the shadows along.
        for x in 0..SIDE {
            let before = shadow.clone();
            for z in 0..SIDE {
                let here = height[z * SIDE + x];
                let cast = before[(z + SIDE - 1).min(SIDE * 2 - 1) % SIDE].max(before[z]) - sun_slope;
                shadow[z] = here.max(cast);
                let at = |x: usize, z: usize| height[z.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
                let (dx, dz) =
                    (at(x + 1, z) - at(x.saturating_sub(1), z), at(x, z + 1) - at(x, z.saturating_sub(1)));
                let facing =
                    (dx * 0.5 * 0.8 - dz * 0.5 * 0.25 + 0.45) / (1.0 + (dx * dx + dz * dz) * 0.25).sqrt();
                let open = 1.0 - step(0.2, 2.0, cast - here);
                lit[z * SIDE + x] = (facing * 1.35).clamp(0.0, 1.0) * open;
            }
        }
        Self { height, lit }
    }

    fn sample(map: &[f32], x: f32, z: f32) -> f32 {
        let side = SIDE as f32 - 1.001;
        let (x, z) = (x.rem_euclid(side), z.clamp(0.0, side));
        let (ix, iz) = (x as usize, z as usize);
        let (fx, fz) = (x - ix as f32, z - iz as f32);
        let get = |x: usize, z: usize| map[z * SIDE + x];
        let near = get(ix, iz) * (1.0 - fx) + get(ix + 1, iz) * fx;
        let far = get(ix, iz + 1) * (1.0 - fx) + get(ix + 1, iz + 1) * fx;
        near * (1.0 - fz) + far * fz
    }

    /// Draws the land with the eye `eye` cells up and the horizon at `level`; land below height 0 is left out.
    pub fn view(
        &self,
        canvas: &mut Canvas,
        level: f32,
        eye: f32,
        mut color: impl FnMut(f32, f32, Spot) -> Rgb,
    ) {
        let aspect = canvas.aspect();
        let h = canvas.height as f32;
        for column in 0..canvas.width {
            let u = (column as f32 + 0.5) / h;
            let mut top = h;
            let mut z = 5.0_f32;
            while z < SIDE as f32 - 2.0 && top > 0.0 {
                let x = SIDE as f32 * 0.5 + (u - aspect * 0.5) * z * 0.95;
                let height = Self::sample(&self.height, x, z);
                // Land ends where it meets the plain or the lake: nothing of it shows below.
                top = top.min((level + eye / z) * h);
                if height > 0.0 {
                    let v = (level - (height - eye) / z) * h;
                    if v < top {
                        let (dx, dz) = (
                            Self::sample(&self.height, x + 1.0, z) - height,
                            Self::sample(&self.height, x, z + 1.0) - height,
                        );
                        let steep = (1.0 - 1.0 / (1.0 + dx * dx + dz * dz).sqrt()) * 1.6;
                        let lit = Self::sample(&self.lit, x, z);
                        let spot = Spot { height, steep: steep.min(1.0), lit, x, z };
                        let first = v.max(0.0).floor() as usize;
                        for row in first..(top.ceil() as usize).min(canvas.height) {
                            let paint = color(u, (row as f32 + 0.5) / h, spot);
                            let cover = (row as f32 + 1.0 - v).clamp(0.0, 1.0);
                            let pixel = &mut canvas.pixels[row * canvas.width + column];
                            *pixel = pixel.mix(paint, cover);
                        }
                        top = v;
                    }
                }
                z += (z * 0.009).max(0.4);
            }
        }
    }
}
