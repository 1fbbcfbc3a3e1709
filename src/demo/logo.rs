//! What does the Blue Sparrow look like? The drawing in assets/logo, read as the few SVG elements that it uses.

use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Shader, Transform};

use super::paint::Picture;

/// The logo that the contribution plants, as SVG.
pub const BLUE_SPARROW: &str = include_str!("../../assets/logo/blue-sparrow.svg");

/// A flat drawing: filled paths, one over the other.
pub struct Drawing {
    side: f32,
    shapes: Vec<(Path, Color)>,
}

impl Drawing {
    /// Reads `<path fill="#rrggbb" d="…"/>` elements with absolute `M`, `L`, `C` and `Z` on a square view box.
    /// `None` for anything else: this is for our own drawings, not for SVG at large.
    #[must_use]
    pub fn parse(svg: &str) -> Option<Self> {
        let side = attribute(svg, "viewBox")?.split_whitespace().nth(2)?.parse().ok()?;
        let mut shapes = Vec::new();
        for element in svg.split("<path ").skip(1) {
            let fill = u32::from_str_radix(attribute(element, "fill")?.strip_prefix('#')?, 16).ok()?;
            let color = Color::from_rgba8((fill >> 16) as u8, (fill >> 8) as u8, fill as u8, 255);
            shapes.push((path(attribute(element, "d")?)?, color));
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
        for (path, color) in &self.shapes {
            let paint = Paint { shader: Shader::SolidColor(*color), anti_alias: true, ..Paint::default() };
            pixmap.fill_path(path, &paint, FillRule::Winding, transform, None);
        }
    }

    /// Draws it over a picture with an opacity; returns the box it covers, `[x, y, width, height]` in pixels.
    pub(super) fn stamp(
        &self,
        picture: &mut Picture,
        at: (f32, f32),
        size: f32,
        degrees: f32,
        opacity: f32,
    ) -> [u32; 4] {
        let (width, height) = (picture.width, picture.height);
        let mut layer =
            Pixmap::new(width as u32, height as u32).expect("pictures are neither empty nor huge");
        self.draw(&mut layer, at, size, degrees);
        let (mut x0, mut y0, mut x1, mut y1) = (width, height, 0, 0);
        for (i, p) in layer.pixels().iter().enumerate().filter(|(_, p)| p.alpha() > 0) {
            let keep = 1.0 - f32::from(p.alpha()) / 255.0 * opacity;
            for (channel, over) in [p.red(), p.green(), p.blue()].into_iter().enumerate() {
                let under = &mut picture.rgb[i * 3 + channel];
                *under = (f32::from(*under) * keep + f32::from(over) * opacity + 0.5).min(255.0) as u8;
            }
            let (x, y) = (i % width, i / width);
            (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
        }
        let (x0, y0) = (x0.min(x1), y0.min(y1));
        [x0, y0, x1 - x0, y1 - y0].map(|v| v as u32)
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

    const ICON: &str = include_str!("../../assets/icon/sparrowhawk.svg");

    #[test]
    fn our_drawings_parse_and_others_do_not() {
        assert_eq!(Drawing::parse(BLUE_SPARROW).unwrap().shapes.len(), 5);
        assert!(Drawing::parse(ICON).unwrap().shapes.len() > 5);
        for other in [
            "",
            "<svg/>",
            "<svg viewBox=\"0 0 9 9\"><path fill=\"red\" d=\"M 0 0\"/>",
            "<svg viewBox=\"0 0 9 9\"><path fill=\"#123456\" d=\"M 0 0 q 1 1 2 2\"/>",
        ] {
            assert!(Drawing::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_box_holds_the_logo_and_nothing_else_changes() {
        let blank = Picture { width: 80, height: 60, rgb: vec![128; 80 * 60 * 3] };
        let mut stamped = blank.clone();
        let [x, y, w, h] =
            Drawing::parse(BLUE_SPARROW).unwrap().stamp(&mut stamped, (40.0, 30.0), 20.0, 10.0, 0.8);
        assert!((18..=24).contains(&w) && (18..=24).contains(&h), "{w} x {h}");
        let mut blue = 0;
        for (i, (before, after)) in blank.rgb.chunks(3).zip(stamped.rgb.chunks(3)).enumerate() {
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
