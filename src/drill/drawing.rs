//! What does a planted logo look like? A drawing of assets/logo, read as the few SVG elements that ours use.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Shader, Stroke, Transform,
};

/// A flat drawing: filled and stroked paths, one over the other.
pub struct Drawing {
    side: f32,
    shapes: Vec<Shape>,
}

struct Shape {
    path: Path,
    color: Color,
    /// Line width, where the outline is drawn instead of the inside.
    line: Option<f32>,
}

/// How a drawing is put on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    /// Its middle, in pixels.
    pub at: (f32, f32),
    /// The side of its view box, in pixels.
    pub size: f32,
    /// How far it is turned, clockwise.
    pub degrees: f32,
    /// In [0, 1].
    pub opacity: f32,
    /// Its colours are multiplied by this: another light, another brightness.
    pub gain: f32,
}

impl Drawing {
    /// Reads `<path fill="#rrggbb" d="…"/>` and `<path fill="none" stroke="#rrggbb" stroke-width="n" d="…"/>` with
    /// absolute `M`, `L`, `C` and `Z` on a square view box; ends and corners of lines are round.
    /// `None` for anything else: this is for our own drawings, not for SVG at large.
    #[must_use]
    pub fn parse(svg: &str) -> Option<Self> {
        let side = attribute(svg, "viewBox")?.split_whitespace().nth(2)?.parse().ok()?;
        let mut shapes = Vec::new();
        for element in svg.split("<path ").skip(1) {
            let fill = attribute(element, "fill")?;
            let line = match fill {
                "none" => Some(attribute(element, "stroke-width")?.parse().ok()?),
                _ => None,
            };
            let paint = if line.is_some() { attribute(element, "stroke")? } else { fill };
            let rgb = u32::from_str_radix(paint.strip_prefix('#')?, 16).ok()?;
            let color = Color::from_rgba8((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8, 255);
            shapes.push(Shape { path: path(attribute(element, " d")?)?, color, line });
        }
        Some(Self { side, shapes })
    }

    /// Draws it about a middle, `size` pixels wide and turned by `degrees`.
    pub fn draw(&self, pixmap: &mut Pixmap, middle: (f32, f32), size: f32, degrees: f32) {
        let scale = size / self.side;
        let transform = Transform::from_translate(-self.side / 2.0, -self.side / 2.0)
            .post_scale(scale, scale)
            .post_rotate(degrees)
            .post_translate(middle.0, middle.1);
        for Shape { path, color, line } in &self.shapes {
            let paint = Paint { shader: Shader::SolidColor(*color), anti_alias: true, ..Paint::default() };
            match *line {
                None => pixmap.fill_path(path, &paint, FillRule::Winding, transform, None),
                Some(width) => {
                    let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
                    let stroke = Stroke { width, line_cap, line_join, ..Stroke::default() };
                    pixmap.stroke_path(path, &paint, &stroke, transform, None);
                }
            }
        }
    }

    /// Draws it over a picture of three bytes a pixel; returns the box it covers, `[x, y, width, height]` in pixels,
    /// unless it lies outside.
    pub fn stamp(&self, rgb: &mut [u8], (width, height): (usize, usize), stamp: &Stamp) -> Option<[u32; 4]> {
        let Stamp { at, size, degrees, opacity, gain } = *stamp;
        // Room for the corners when it is turned.
        let reach = size * 0.75 + 2.0;
        let part = |middle: f32, length: usize| {
            let end = (middle + reach).clamp(0.0, length as f32).ceil() as usize;
            ((middle - reach).clamp(0.0, end as f32).floor() as usize)..end
        };
        let (columns, rows) = (part(at.0, width), part(at.1, height));
        let mut layer = Pixmap::new(columns.len() as u32, rows.len() as u32)?;
        self.draw(&mut layer, (at.0 - columns.start as f32, at.1 - rows.start as f32), size, degrees);
        let (mut x0, mut y0, mut x1, mut y1) = (width, height, 0, 0);
        for (i, p) in layer.pixels().iter().enumerate().filter(|(_, p)| p.alpha() > 0) {
            let (x, y) = (columns.start + i % columns.len(), rows.start + i / columns.len());
            let keep = 1.0 - f32::from(p.alpha()) / 255.0 * opacity;
            for (channel, over) in [p.red(), p.green(), p.blue()].into_iter().enumerate() {
                let under = &mut rgb[(y * width + x) * 3 + channel];
                let over = (f32::from(over) * gain).min(f32::from(p.alpha()));
                *under = (f32::from(*under) * keep + over * opacity + 0.5).min(255.0) as u8;
            }
            (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
        }
        (x0 < x1).then(|| [x0, y0, x1 - x0, y1 - y0].map(|v| v as u32))
    }
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn path(d: &str) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut words = d.split_whitespace();
    while let Some(command) = words.next() {
        let mut number = || words.next().and_then(|w| w.parse::<f32>().ok());
        match command {
            "M" => path.move_to(number()?, number()?),
            "L" => path.line_to(number()?, number()?),
            "C" => path.cubic_to(number()?, number()?, number()?, number()?, number()?, number()?),
            "Z" => path.close(),
            _ => return None,
        }
    }
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::{BLUE_SPARROW, LOGOS};

    const ICON: &str = include_str!("../../assets/icon/sparrowhawk.svg");

    #[test]
    fn our_drawings_parse_and_others_do_not() {
        assert_eq!(Drawing::parse(BLUE_SPARROW).unwrap().shapes.len(), 5);
        for logo in LOGOS {
            let shapes = logo.svg.matches("<path").count();
            assert_eq!(Drawing::parse(logo.svg).map(|d| d.shapes.len()), Some(shapes), "{}", logo.name);
        }
        assert!(Drawing::parse(ICON).unwrap().shapes.len() > 5);
        for other in [
            "",
            "<svg/>",
            "<svg viewBox=\"0 0 9 9\"><path fill=\"red\" d=\"M 0 0\"/>",
            "<svg viewBox=\"0 0 9 9\"><path fill=\"#123456\" d=\"M 0 0 q 1 1 2 2\"/>",
            "<svg viewBox=\"0 0 9 9\"><path fill=\"none\" stroke=\"#123456\" d=\"M 0 0 L 1 1 Z\"/>",
        ] {
            assert!(Drawing::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_box_holds_the_logo_and_nothing_else_changes() {
        let blank = vec![128; 80 * 60 * 3];
        let mut stamped = blank.clone();
        let stamp = Stamp { at: (40.0, 30.0), size: 20.0, degrees: 10.0, opacity: 0.8, gain: 1.0 };
        let drawing = Drawing::parse(BLUE_SPARROW).unwrap();
        let [x, y, w, h] = drawing.stamp(&mut stamped, (80, 60), &stamp).unwrap();
        let outside = Stamp { at: (-40.0, 30.0), ..stamp };
        assert_eq!(drawing.stamp(&mut blank.clone(), (80, 60), &outside), None);
        assert!((18..=24).contains(&w) && (18..=24).contains(&h), "{w} x {h}");
        let mut blue = 0;
        for (i, (before, after)) in blank.chunks(3).zip(stamped.chunks(3)).enumerate() {
            let (px, py) = ((i % 80) as u32, (i / 80) as u32);
            let inside = px >= x && px < x + w && py >= y && py < y + h;
            assert!(inside || before == after, "pixel {px},{py} changed outside of the box");
            blue += usize::from(after[2] > after[0].saturating_add(60));
        }
        assert!(blue > 60, "a sparrow of 20 pixels shows {blue} blue ones");
    }

    /// The icon's PNG is drawn from its SVG. After a change of the drawing: `UPDATE_ICON=1 cargo test --lib icon`.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_icon_is_drawn_from_its_svg() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/icon/sparrowhawk.png");
        let mut pixmap = Pixmap::new(256, 256).unwrap();
        Drawing::parse(ICON).unwrap().draw(&mut pixmap, (128.0, 128.0), 256.0, 0.0);
        let drawn = image::RgbaImage::from_raw(256, 256, pixmap.take_demultiplied()).unwrap();
        if std::env::var_os("UPDATE_ICON").is_some() {
            drawn.save(place).unwrap();
        }
        let kept = image::open(place).unwrap().to_rgba8();
        let off = kept.iter().zip(drawn.iter()).filter(|(a, b)| a.abs_diff(**b) > 3).count();
        assert_eq!(kept.dimensions(), drawn.dimensions());
        assert!(off < 200, "{off} values differ: run with UPDATE_ICON=1");
    }
}
