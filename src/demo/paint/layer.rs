//! How are shapes drawn? As vector paths on a transparent layer, in the canvas's coordinates.

use std::ops::{Add, Mul};

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, PathBuilder, Pixmap,
    Point, RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

use super::Rgb;
use super::canvas::box_blur;

/// A transparent sheet to draw on, laid over a canvas when done.
pub struct Layer {
    pixmap: Pixmap,
    scale: f32,
    /// Present once the layer was blurred: floats, as eight bits would show bands.
    blurred: Option<Vec<Pixel>>,
}

/// Red, green, blue, alpha; colours already multiplied by alpha.
#[derive(Debug, Clone, Copy, Default)]
struct Pixel([f32; 4]);

impl Add for Pixel {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + o.0[i]))
    }
}

impl Mul<f32> for Pixel {
    type Output = Self;
    fn mul(self, by: f32) -> Self {
        Self(self.0.map(|v| v * by))
    }
}

fn color(rgb: Rgb, alpha: f32) -> Color {
    let clip = |v: f32| v.clamp(0.0, 1.0);
    Color::from_rgba(clip(rgb.r), clip(rgb.g), clip(rgb.b), clip(alpha)).unwrap_or(Color::BLACK)
}

impl Layer {
    /// An empty layer of a canvas's size.
    pub fn new(width: usize, height: usize) -> Self {
        let pixmap = Pixmap::new(width as u32, height as u32).expect("pictures are neither empty nor huge");
        Self { pixmap, scale: height as f32, blurred: None }
    }

    /// An empty layer for `canvas`.
    pub fn over(canvas: &super::Canvas) -> Self {
        Self::new(canvas.width, canvas.height)
    }

    fn paint_path(&mut self, path: &Path, shader: Shader<'_>) {
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let scale = Transform::from_scale(self.scale, self.scale);
        self.pixmap.fill_path(path, &paint, FillRule::Winding, scale, None);
    }

    /// Fills a shape with one colour.
    pub fn fill(&mut self, outline: Outline, rgb: Rgb, alpha: f32) {
        if let Some(path) = outline.0.finish() {
            self.paint_path(&path, Shader::SolidColor(color(rgb, alpha)));
        }
    }

    /// Fills a shape with a gradient from one point to another.
    pub fn fill_linear(
        &mut self,
        outline: Outline,
        from: (f32, f32),
        to: (f32, f32),
        stops: &[(f32, Rgb, f32)],
    ) {
        let stops = stops.iter().map(|&(at, rgb, alpha)| GradientStop::new(at, color(rgb, alpha))).collect();
        let (a, b) = (Point::from_xy(from.0, from.1), Point::from_xy(to.0, to.1));
        let shader = LinearGradient::new(a, b, stops, SpreadMode::Pad, Transform::identity());
        if let (Some(path), Some(shader)) = (outline.0.finish(), shader) {
            self.paint_path(&path, shader);
        }
    }

    /// Fills a shape with a gradient around a point.
    pub fn fill_radial(&mut self, outline: Outline, at: (f32, f32), radius: f32, stops: &[(f32, Rgb, f32)]) {
        let stops = stops.iter().map(|&(at, rgb, alpha)| GradientStop::new(at, color(rgb, alpha))).collect();
        let center = Point::from_xy(at.0, at.1);
        let shader =
            RadialGradient::new(center, 0.0, center, radius, stops, SpreadMode::Pad, Transform::identity());
        if let (Some(path), Some(shader)) = (outline.0.finish(), shader) {
            self.paint_path(&path, shader);
        }
    }

    /// Draws a line with round ends.
    pub fn stroke(&mut self, outline: Outline, width: f32, rgb: Rgb, alpha: f32) {
        let Some(path) = outline.0.finish() else { return };
        let shader = Shader::SolidColor(color(rgb, alpha));
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        let scale = Transform::from_scale(self.scale, self.scale);
        self.pixmap.stroke_path(&path, &paint, &stroke, scale, None);
    }

    /// Blurs what was drawn so far; nothing may be drawn after it.
    pub fn blur(&mut self, radius: f32) {
        let reach = (radius * self.scale).round() as usize;
        if reach == 0 {
            return;
        }
        let (width, height) = (self.pixmap.width() as usize, self.pixmap.height() as usize);
        let mut pixels: Vec<Pixel> = self.pixels().map(Pixel).collect();
        for _ in 0..2 {
            box_blur(&mut pixels, width, height, reach);
        }
        self.blurred = Some(pixels);
    }

    /// Premultiplied red, green, blue and alpha of every pixel, row by row.
    pub fn pixels(&self) -> impl Iterator<Item = [f32; 4]> + '_ {
        (0..self.pixmap.pixels().len()).map(|at| {
            if let Some(blurred) = &self.blurred {
                return blurred[at].0;
            }
            let p = self.pixmap.pixels()[at];
            [p.red(), p.green(), p.blue(), p.alpha()].map(|v| f32::from(v) / 255.0)
        })
    }
}

/// A path under construction, in the canvas's coordinates.
#[derive(Debug, Clone)]
pub struct Outline(PathBuilder);

impl Outline {
    /// Begins at a point.
    pub fn from(u: f32, v: f32) -> Self {
        let mut path = PathBuilder::new();
        path.move_to(u, v);
        Self(path)
    }

    /// A closed polygon, or an open line where it is only stroked.
    pub fn through(points: &[(f32, f32)]) -> Self {
        let mut path = PathBuilder::new();
        for (i, &(u, v)) in points.iter().enumerate() {
            if i == 0 { path.move_to(u, v) } else { path.line_to(u, v) }
        }
        Self(path)
    }

    /// A smooth line through points (Catmull–Rom as cubics).
    pub fn smooth(points: &[(f32, f32)]) -> Self {
        let mut path = PathBuilder::new();
        let get = |i: isize| points[i.clamp(0, points.len() as isize - 1) as usize];
        for i in 0..points.len() as isize {
            if i == 0 {
                path.move_to(get(0).0, get(0).1);
                continue;
            }
            let (a, b, c, d) = (get(i - 2), get(i - 1), get(i), get(i + 1));
            path.cubic_to(
                b.0 + (c.0 - a.0) / 6.0,
                b.1 + (c.1 - a.1) / 6.0,
                c.0 - (d.0 - b.0) / 6.0,
                c.1 - (d.1 - b.1) / 6.0,
                c.0,
                c.1,
            );
        }
        Self(path)
    }

    /// A smooth closed shape through points.
    pub fn smooth_closed(points: &[(f32, f32)]) -> Self {
        let n = points.len() as isize;
        let get = |i: isize| points[i.rem_euclid(n) as usize];
        let mut path = PathBuilder::new();
        path.move_to(get(0).0, get(0).1);
        for i in 1..=n {
            let (a, b, c, d) = (get(i - 2), get(i - 1), get(i), get(i + 1));
            path.cubic_to(
                b.0 + (c.0 - a.0) / 6.0,
                b.1 + (c.1 - a.1) / 6.0,
                c.0 - (d.0 - b.0) / 6.0,
                c.1 - (d.1 - b.1) / 6.0,
                c.0,
                c.1,
            );
        }
        path.close();
        Self(path)
    }

    /// A turned ellipse.
    pub fn ellipse(shape: super::Ellipse) -> Self {
        let (sin, cos) = shape.turn.sin_cos();
        let points: Vec<_> = (0..16)
            .map(|i| {
                let (s, c) = (i as f32 * std::f32::consts::TAU / 16.0).sin_cos();
                let (p, q) = (c * shape.a, s * shape.b);
                (shape.u + p * cos - q * sin, shape.v + p * sin + q * cos)
            })
            .collect();
        Self::smooth_closed(&points)
    }

    /// A straight line on.
    pub fn line(mut self, u: f32, v: f32) -> Self {
        self.0.line_to(u, v);
        self
    }

    /// A curve on, by one control point.
    pub fn bend(mut self, cu: f32, cv: f32, u: f32, v: f32) -> Self {
        self.0.quad_to(cu, cv, u, v);
        self
    }

    /// A curve on, by two control points.
    pub fn curve(mut self, c1: (f32, f32), c2: (f32, f32), to: (f32, f32)) -> Self {
        self.0.cubic_to(c1.0, c1.1, c2.0, c2.1, to.0, to.1);
        self
    }

    /// A rectangle.
    pub fn rect(u: f32, v: f32, width: f32, height: f32) -> Self {
        Self::through(&[(u, v), (u + width, v), (u + width, v + height), (u, v + height)])
    }
}
