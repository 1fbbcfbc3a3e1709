//! How are a hundred thousand points drawn, found under the pointer and drawn around, frame by frame?

use eframe::egui::epaint::{Mesh, Vertex};
use eframe::egui::{self, Color32, ColorImage, Pos2, Rect, TextureHandle, TextureOptions, Vec2, pos2};

use crate::ui::theme;

/// How one point is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Its colour.
    pub color: Color32,
    /// How many times the usual radius.
    pub scale: f32,
    /// Points of a higher layer are drawn over those of a lower one.
    pub layer: u8,
}

/// Layers there are.
pub const LAYERS: u8 = 4;

/// Which part of the map is where on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// The part of the screen, in points.
    pub area: Rect,
    /// Points on the screen for a unit of the map.
    pub scale: f32,
    /// What of the map is in the middle of the area.
    pub middle: [f32; 2],
}

impl Frame {
    /// The frame that shows all of `xy` in `area`, `zoom` times as large, its middle moved by `offset`.
    #[must_use]
    pub fn new(xy: &[[f32; 2]], area: Rect, zoom: f32, offset: [f32; 2]) -> Self {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for place in xy {
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        if xy.is_empty() {
            (low, high) = ([-1.0; 2], [1.0; 2]);
        }
        let room = area.shrink(MARGIN.min(area.size().min_elem() * 0.2)).size();
        let across = |axis: usize| (high[axis] - low[axis]).max(1e-3);
        let fits = (room.x / across(0)).min(room.y / across(1)).max(1e-6);
        let middle = [0, 1].map(|axis| f32::midpoint(low[axis], high[axis]) + offset[axis]);
        Self { area, scale: fits * zoom, middle }
    }

    /// Where a place of the map is on the screen.
    #[must_use]
    pub fn to_screen(&self, place: [f32; 2]) -> Pos2 {
        let center = self.area.center();
        pos2(
            center.x + (place[0] - self.middle[0]) * self.scale,
            center.y + (place[1] - self.middle[1]) * self.scale,
        )
    }

    /// Which place of the map is there on the screen.
    #[must_use]
    pub fn to_map(&self, at: Pos2) -> [f32; 2] {
        let from_middle: Vec2 = (at - self.area.center()) / self.scale;
        [self.middle[0] + from_middle.x, self.middle[1] + from_middle.y]
    }
}

/// Room around the whole map, points: the words at its foot stand there.
const MARGIN: f32 = 44.0;

/// The usual radius of a point, in points: so that many do not cover each other, larger when one looks closer.
#[must_use]
pub fn radius(count: usize, area: Rect, zoom: f32) -> f32 {
    let each = area.area() / count.max(1) as f32;
    (each.sqrt() * 0.16 * zoom.powf(0.4)).clamp(1.4, 6.0)
}

/// Radii of the discs in the texture, pixels: each 2^(1/4) times the one before.
const DISC_SIZES: i32 = 19;

/// A texture with discs of all sizes that a point can have, so that their edges are smooth.
pub struct Discs {
    texture: TextureHandle,
    /// By radius in pixels: the radius, half the side of the square around it for a radius of 1, where it is.
    sizes: Vec<(f32, f32, Rect)>,
}

impl Discs {
    /// Draws them.
    #[must_use]
    pub fn new(ctx: &egui::Context) -> Self {
        let radii: Vec<f32> = (0..DISC_SIZES).map(|step| 2.0_f32.powf(step as f32 / 4.0)).collect();
        let side = |radius: f32| 2 * (radius.ceil() as usize + 1);
        let width = radii.iter().map(|radius| side(*radius)).sum();
        let height = radii.iter().map(|radius| side(*radius)).max().unwrap_or(1);
        let mut image = ColorImage::filled([width, height], theme::coverage(0.0));
        let mut sizes = Vec::with_capacity(radii.len());
        let mut left = 0;
        for radius in radii {
            let side = side(radius);
            let middle = side as f32 / 2.0;
            for y in 0..side {
                for x in 0..side {
                    let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
                    let covered = (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
                    image.pixels[y * width + left + x] = theme::coverage(covered);
                }
            }
            let uv = Rect::from_min_max(
                pos2(left as f32 / width as f32, 0.0),
                pos2((left + side) as f32 / width as f32, side as f32 / height as f32),
            );
            sizes.push((radius, middle / radius, uv));
            left += side;
        }
        Self { texture: ctx.load_texture("discs", image, TextureOptions::LINEAR), sizes }
    }

    /// The smallest that need not be enlarged for a radius in pixels, and half the side of its square for a radius of 1.
    fn of(&self, pixels: f32) -> Option<(Rect, f32)> {
        let (_, half, uv) = self.sizes.iter().find(|disc| disc.0 >= pixels).or(self.sizes.last())?;
        Some((*uv, *half))
    }
}

/// All points in one mesh: those that are not `raised` layer by layer, then a ring under each that is.
///
/// `xy` and `dots` are of the same length; points outside the frame are left out.
#[must_use]
pub fn mesh(
    frame: &Frame,
    xy: &[[f32; 2]],
    dots: &[Dot],
    (radius, pixels_per_point): (f32, f32),
    discs: &Discs,
    raised: &dyn Fn(usize) -> bool,
    ring: Color32,
) -> Mesh {
    let mut mesh = Mesh::with_texture(discs.texture.id());
    mesh.vertices.reserve(4 * xy.len());
    mesh.indices.reserve(6 * xy.len());
    let seen = frame.area.expand(2.0 * radius);
    let mut raised_points = Vec::new();
    // One pass a layer reads the layers again, but needs no list of points by layer.
    for layer in 0..LAYERS {
        for (at, (place, dot)) in xy.iter().zip(dots).enumerate() {
            if dot.layer != layer {
                continue;
            }
            let center = frame.to_screen(*place);
            if !seen.contains(center) {
                continue;
            }
            if raised(at) {
                raised_points.push((center, *dot));
                continue;
            }
            add(&mut mesh, center, radius * dot.scale, dot.color, pixels_per_point, discs);
        }
    }
    for (center, dot) in raised_points {
        let own = (radius * dot.scale.max(1.0)).max(2.0);
        add(&mut mesh, center, own + 2.0, ring, pixels_per_point, discs);
        add(&mut mesh, center, own, dot.color, pixels_per_point, discs);
    }
    mesh
}

fn add(mesh: &mut Mesh, center: Pos2, radius: f32, color: Color32, pixels_per_point: f32, discs: &Discs) {
    let Some((uv, half)) = discs.of(radius * pixels_per_point) else { return };
    let half = half * radius;
    let first = mesh.vertices.len() as u32;
    let (low, high) = (center - Vec2::splat(half), center + Vec2::splat(half));
    mesh.vertices.extend([
        Vertex { pos: low, uv: uv.min, color },
        Vertex { pos: pos2(high.x, low.y), uv: pos2(uv.max.x, uv.min.y), color },
        Vertex { pos: pos2(low.x, high.y), uv: pos2(uv.min.x, uv.max.y), color },
        Vertex { pos: high, uv: uv.max, color },
    ]);
    mesh.indices.extend([first, first + 1, first + 2, first + 2, first + 1, first + 3]);
}

/// Points by squares of the map, so that the one under the pointer is found without asking all.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    low: [f32; 2],
    cell: f32,
    side: usize,
    starts: Vec<u32>,
    members: Vec<u32>,
}

/// Squares along a side of the largest grid.
const MOST_SIDE: usize = 512;

impl Grid {
    /// Sorts points into squares, about two in each.
    #[must_use]
    pub fn new(xy: &[[f32; 2]]) -> Self {
        let side = (((xy.len() / 2) as f32).sqrt() as usize).clamp(1, MOST_SIDE);
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for place in xy {
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        if xy.is_empty() {
            return Self::default();
        }
        let cell = (high[0] - low[0]).max(high[1] - low[1]).max(1e-6) / side as f32;
        let mut grid = Self { low, cell, side, starts: vec![0; side * side + 1], members: vec![0; xy.len()] };
        let cells: Vec<usize> = xy.iter().map(|place| grid.cell_of(*place)).collect();
        for &cell in &cells {
            grid.starts[cell + 1] += 1;
        }
        for cell in 0..side * side {
            grid.starts[cell + 1] += grid.starts[cell];
        }
        let mut next = grid.starts.clone();
        for (at, &cell) in cells.iter().enumerate() {
            grid.members[next[cell] as usize] = at as u32;
            next[cell] += 1;
        }
        grid
    }

    fn along(&self, value: f32, axis: usize) -> usize {
        (((value - self.low[axis]) / self.cell).max(0.0) as usize).min(self.side - 1)
    }

    fn cell_of(&self, place: [f32; 2]) -> usize {
        self.along(place[1], 1) * self.side + self.along(place[0], 0)
    }

    /// The nearest point to `place` within `reach` that is `allowed`; of several as near, the last one drawn counts.
    #[must_use]
    pub fn nearest(
        &self,
        xy: &[[f32; 2]],
        place: [f32; 2],
        reach: f32,
        allowed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if self.members.len() != xy.len() || xy.is_empty() {
            return None;
        }
        let mut best: Option<(f32, usize)> = None;
        let span =
            |axis: usize| self.along(place[axis] - reach, axis)..=self.along(place[axis] + reach, axis);
        for row in span(1) {
            for column in span(0) {
                let cell = row * self.side + column;
                for &at in &self.members[self.starts[cell] as usize..self.starts[cell + 1] as usize] {
                    let at = at as usize;
                    let square = (xy[at][0] - place[0]).powi(2) + (xy[at][1] - place[1]).powi(2);
                    let nearer = best.is_none_or(|(least, _)| square <= least);
                    if square <= reach * reach && nearer && allowed(at) {
                        best = Some((square, at));
                    }
                }
            }
        }
        best.map(|(_, at)| at)
    }
}

/// The points inside a closed line, ascending: those from which a ray crosses it an odd number of times.
#[must_use]
pub fn inside(line: &[[f32; 2]], xy: &[[f32; 2]]) -> Vec<usize> {
    if line.len() < 3 {
        return Vec::new();
    }
    let (mut low, mut high) = (line[0], line[0]);
    for place in line {
        for axis in 0..2 {
            low[axis] = low[axis].min(place[axis]);
            high[axis] = high[axis].max(place[axis]);
        }
    }
    let near = |place: &[f32; 2]| (0..2).all(|axis| place[axis] >= low[axis] && place[axis] <= high[axis]);
    let is_inside = |[x, y]: [f32; 2]| {
        let ends = line.iter().zip(line.iter().cycle().skip(1));
        let crossed = ends.filter(|(a, b)| {
            (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]
        });
        crossed.count() % 2 == 1
    };
    xy.iter().enumerate().filter(|(_, place)| near(place) && is_inside(**place)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(count: usize) -> Vec<[f32; 2]> {
        let number = |seed: u32| {
            let mixed = seed.wrapping_mul(2_654_435_761);
            (mixed ^ (mixed >> 13)).wrapping_mul(2_246_822_519) as f32 / u32::MAX as f32
        };
        (0..count as u32).map(|at| [number(at) * 20.0 - 10.0, number(at + 90_001) * 8.0]).collect()
    }

    #[test]
    fn the_nearest_is_that_of_all() {
        let xy = spread(2000);
        let grid = Grid::new(&xy);
        for place in spread(300).iter().map(|[x, y]| [x * 1.1, y + 0.3]) {
            let square = |at: usize| (xy[at][0] - place[0]).powi(2) + (xy[at][1] - place[1]).powi(2);
            let expected = (0..xy.len())
                .filter(|at| at % 3 != 0 && square(*at) <= 0.25)
                .min_by(|a, b| square(*a).total_cmp(&square(*b)));
            assert_eq!(grid.nearest(&xy, place, 0.5, |at| at % 3 != 0), expected);
        }
        assert_eq!(Grid::new(&[]).nearest(&[], [0.0; 2], 1.0, |_| true), None);
        assert_eq!(Grid::new(&[[1.0; 2]; 5]).nearest(&[[1.0; 2]; 5], [1.0; 2], 0.1, |_| true), Some(4));
    }

    #[test]
    fn a_line_holds_what_is_inside() {
        // A horseshoe, open at the top.
        let line =
            [[0.0, 0.0], [1.0, 0.0], [1.0, 2.0], [2.0, 2.0], [2.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0]];
        let xy = [[0.5, 0.5], [1.5, 1.0], [1.5, 2.5], [2.5, 0.5], [4.0, 1.0], [-1.0, 1.0]];
        assert_eq!(inside(&line, &xy), [0, 2, 3]);
        assert_eq!(inside(&line[..2], &xy), Vec::<usize>::new());
    }

    #[test]
    fn a_frame_goes_both_ways_and_shows_everything() {
        let xy = spread(50);
        let area = Rect::from_min_size(pos2(100.0, 50.0), Vec2::new(800.0, 500.0));
        let whole = Frame::new(&xy, area, 1.0, [0.0; 2]);
        assert!(xy.iter().all(|place| area.contains(whole.to_screen(*place))));
        let near = Frame::new(&xy, area, 7.0, [1.0, -2.0]);
        let back = near.to_map(near.to_screen([3.0, 4.0]));
        assert!((back[0] - 3.0).abs() < 1e-3 && (back[1] - 4.0).abs() < 1e-3, "{back:?}");
        let nothing = Frame::new(&[], area, 1.0, [0.0; 2]);
        assert!(nothing.scale.is_finite() && nothing.scale > 0.0);
    }
}
