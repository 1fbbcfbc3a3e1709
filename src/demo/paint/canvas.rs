//! What is painted on? A float canvas whose height is 1, so that a scene does not know its size in pixels.

use super::{Layer, Rgb};

/// Rows of colours. Coordinates: `u` from 0 to [`Canvas::aspect`] rightwards, `v` from 0 to 1 downwards.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Row by row from the top.
    pub pixels: Vec<Rgb>,
}

impl Canvas {
    /// A black canvas.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![Rgb::default(); width * height] }
    }

    /// Width by height.
    pub fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }

    /// Replaces every pixel between two heights by a function of where it is and what is there.
    pub fn shade(&mut self, from: f32, to: f32, mut paint: impl FnMut(f32, f32, Rgb) -> Rgb) {
        let unit = 1.0 / self.height as f32;
        let first = ((from / unit).floor().max(0.0) as usize).min(self.height);
        let last = ((to / unit).ceil().max(0.0) as usize).min(self.height);
        for y in first..last {
            let row = &mut self.pixels[y * self.width..(y + 1) * self.width];
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = paint((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit, *pixel);
            }
        }
    }

    /// A height for each column: for crests, which cost much and do not change downwards.
    pub fn columns(&self, height: &dyn Fn(f32) -> f32) -> impl Fn(f32) -> f32 + use<> {
        let h = self.height as f32;
        let heights: Vec<f32> = (0..self.width).map(|x| height((x as f32 + 0.5) / h)).collect();
        move |u| heights[((u * h) as usize).min(heights.len() - 1)]
    }

    /// Paints inside a turned ellipse. `paint` gets the place in the ellipse's own frame, where the rim is at
    /// radius 1, and what is there; `soft` is the width of the edge in the same measure (a pixel at least).
    pub fn ellipse(&mut self, shape: Ellipse, soft: f32, mut paint: impl FnMut(f32, f32, Rgb) -> Rgb) {
        let Ellipse { u, v, a, b, turn } = shape;
        let h = self.height as f32;
        let (sin, cos) = turn.sin_cos();
        let soft = soft.max(1.2 / (a.min(b) * h).max(0.3));
        let reach = 1.0 + soft * 0.5;
        let (du, dv) = (
            ((a * cos).powi(2) + (b * sin).powi(2)).sqrt() * reach,
            ((a * sin).powi(2) + (b * cos).powi(2)).sqrt() * reach,
        );
        let clip = |at: f32, end: usize| ((at * h).max(0.0) as usize).min(end);
        let (x0, x1) = (clip(u - du, self.width), clip(u + du + 1.0 / h, self.width));
        let (y0, y1) = (clip(v - dv, self.height), clip(v + dv + 1.0 / h, self.height));
        for y in y0..y1 {
            let pv = (y as f32 + 0.5) / h - v;
            for x in x0..x1 {
                let pu = (x as f32 + 0.5) / h - u;
                let (p, q) = ((pu * cos + pv * sin) / a, (pv * cos - pu * sin) / b);
                let alpha = ((reach - (p * p + q * q).sqrt()) / soft).clamp(0.0, 1.0);
                if alpha > 0.0 {
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = pixel.mix(paint(p, q, *pixel), alpha);
                }
            }
        }
    }

    /// Paints a rectangle with clean edges. `paint` gets the place in it, from 0 to 1 both ways, and what is there.
    pub fn rect(&mut self, from: (f32, f32), to: (f32, f32), mut paint: impl FnMut(f32, f32, Rgb) -> Rgb) {
        let h = self.height as f32;
        let (wide, tall) = ((to.0 - from.0).max(1e-4), (to.1 - from.1).max(1e-4));
        let clip = |at: f32, end: usize| (at.max(0.0) as usize).min(end);
        for y in clip(from.1 * h, self.height)..clip(to.1 * h + 1.0, self.height) {
            let rows = ((y as f32 + 1.0 - from.1 * h).min(to.1 * h - y as f32)).clamp(0.0, 1.0);
            for x in clip(from.0 * h, self.width)..clip(to.0 * h + 1.0, self.width) {
                let columns = ((x as f32 + 1.0 - from.0 * h).min(to.0 * h - x as f32)).clamp(0.0, 1.0);
                if rows * columns > 0.0 {
                    let (p, q) =
                        (((x as f32 + 0.5) / h - from.0) / wide, ((y as f32 + 0.5) / h - from.1) / tall);
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = pixel.mix(paint(p, q, *pixel), rows * columns);
                }
            }
        }
    }

    /// A round dab of one colour.
    pub fn dab(&mut self, u: f32, v: f32, radius: f32, soft: f32, color: Rgb, alpha: f32) {
        self.ellipse(Ellipse::round(u, v, radius), soft, |_, _, under| under.mix(color, alpha));
    }

    /// Light added around a point, falling to nothing at `radius`.
    pub fn glow(&mut self, u: f32, v: f32, radius: f32, color: Rgb) {
        self.ellipse(Ellipse::round(u, v, radius), 0.05, |p, q, under| {
            let fall = (1.0 - (p * p + q * q).sqrt()).max(0.0);
            under + color * (fall * fall)
        });
    }

    /// Lays a vector layer over the canvas.
    pub fn lay(&mut self, layer: &Layer) {
        for (pixel, over) in self.pixels.iter_mut().zip(layer.pixels()) {
            let [r, g, b, a] = over;
            if a > 0.0 {
                *pixel = *pixel * (1.0 - a) + Rgb { r, g, b };
            }
        }
    }

    /// Lays a vector layer over the canvas where each of its pixels is coloured again by place and own colour.
    pub fn lay_shaded(&mut self, layer: &Layer, mut paint: impl FnMut(f32, f32, Rgb) -> Rgb) {
        let h = self.height as f32;
        for (at, (pixel, over)) in self.pixels.iter_mut().zip(layer.pixels()).enumerate() {
            let [r, g, b, a] = over;
            if a > 0.0 {
                let own = Rgb { r, g, b } * (1.0 / a);
                let (u, v) = (((at % self.width) as f32 + 0.5) / h, ((at / self.width) as f32 + 0.5) / h);
                *pixel = pixel.mix(paint(u, v, own), a);
            }
        }
    }

    /// The colour at a place, the nearest inside.
    pub fn at(&self, u: f32, v: f32) -> Rgb {
        let h = self.height as f32;
        let x = ((u * h).max(0.0) as usize).min(self.width - 1);
        let y = ((v * h).max(0.0) as usize).min(self.height - 1);
        self.pixels[y * self.width + x]
    }

    /// Blurs all of it; `radius` in units of the height, about the deviation of the bell.
    pub fn blur(&mut self, radius: f32) {
        let reach = (radius * self.height as f32).round() as usize;
        if reach == 0 {
            return;
        }
        for _ in 0..2 {
            box_blur(&mut self.pixels, self.width, self.height, reach);
        }
    }
}

/// A turned ellipse: centre, half axes, angle in radians.
#[derive(Debug, Clone, Copy)]
pub struct Ellipse {
    /// Centre.
    pub u: f32,
    /// Centre.
    pub v: f32,
    /// Half axis along the angle.
    pub a: f32,
    /// Half axis across it.
    pub b: f32,
    /// Radians.
    pub turn: f32,
}

impl Ellipse {
    /// A circle.
    pub fn round(u: f32, v: f32, radius: f32) -> Self {
        Self { u, v, a: radius, b: radius, turn: 0.0 }
    }
}

/// Mean over `2 * reach + 1` pixels along rows, then along columns; edges are repeated.
pub fn box_blur<T>(pixels: &mut [T], width: usize, height: usize, reach: usize)
where
    T: Copy + Default + std::ops::Add<Output = T> + std::ops::Mul<f32, Output = T>,
{
    let mut line = Vec::with_capacity(width.max(height));
    let share = 1.0 / (2 * reach + 1) as f32;
    let mut run = |start: usize, stride: usize, length: usize| {
        line.clear();
        line.extend((0..length).map(|i| pixels[start + i * stride]));
        let clip = |i: isize| line[i.clamp(0, length as isize - 1) as usize];
        let mut sum = T::default();
        for i in -(reach as isize)..=reach as isize {
            sum = sum + clip(i);
        }
        for i in 0..length {
            pixels[start + i * stride] = sum * share;
            sum = sum + clip((i + reach + 1) as isize) + clip(i as isize - reach as isize) * -1.0;
        }
    };
    for y in 0..height {
        run(y * width, 1, width);
    }
    for x in 0..width {
        run(x, width, height);
    }
}
