//! Do the matches of two photos lie in the same arrangement? One shift, turn and change of size explains enough of them.

use rayon::prelude::*;

use super::matching::Match;
use super::photo::Photos;

/// Matches of one pair of photos that are looked at, nearest first.
const MOST_MATCHES: usize = 40;

/// The largest turn between two copies, in radians.
const MOST_TURN: f32 = 0.6;

/// How much the change of size may differ from that of a point.
const SIZE_OF_PAIR: f32 = 1.5;
const SIZE_OF_POINT: f32 = 1.6;

/// How far a point may be off, in pixels of its level.
const MOST_ERROR: f32 = 2.5;

/// Points nearer than this, in pixels of their level, are one place.
const APART: f32 = 3.0;

/// A point and where it went.
type Moved = ((f32, f32), (f32, f32));

/// A shift, turn and change of size: (x, y) → (a x − b y + dx, b x + a y + dy).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    pub(super) a: f32,
    pub(super) b: f32,
    pub(super) dx: f32,
    pub(super) dy: f32,
}

impl Similarity {
    pub(super) const IDENTITY: Self = Self { a: 1.0, b: 0.0, dx: 0.0, dy: 0.0 };

    pub(super) fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy)
    }

    pub(super) fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    pub(super) fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, dx: -(a * self.dx - b * self.dy), dy: -(b * self.dx + a * self.dy) }
    }

    /// First `self`, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let (dx, dy) = next.apply((self.dx, self.dy));
        let (a, b) = (next.a * self.a - next.b * self.b, next.b * self.a + next.a * self.b);
        Self { a, b, dx, dy }
    }

    /// The one that carries two points onto two others.
    fn of(from: [(f32, f32); 2], to: [(f32, f32); 2]) -> Option<Self> {
        let (ux, uy) = (from[1].0 - from[0].0, from[1].1 - from[0].1);
        let (vx, vy) = (to[1].0 - to[0].0, to[1].1 - to[0].1);
        let square = ux * ux + uy * uy;
        if square <= 0.0 {
            return None;
        }
        let (a, b) = ((ux * vx + uy * vy) / square, (ux * vy - uy * vx) / square);
        let (dx, dy) = (to[0].0 - a * from[0].0 + b * from[0].1, to[0].1 - b * from[0].0 - a * from[0].1);
        Some(Self { a, b, dx, dy })
    }

    /// The one that carries many points onto others with the least squared error.
    pub(super) fn fit(pairs: &[Moved]) -> Option<Self> {
        let n = pairs.len() as f32;
        let mean = |of: fn(&Moved) -> f32| pairs.iter().map(of).sum::<f32>() / n;
        let (mx, my) = (mean(|p| p.0.0), mean(|p| p.0.1));
        let (nx, ny) = (mean(|p| p.1.0), mean(|p| p.1.1));
        let (mut square, mut along, mut across) = (0.0, 0.0, 0.0);
        for ((x, y), (u, v)) in pairs {
            let (x, y, u, v) = (x - mx, y - my, u - nx, v - ny);
            square += x * x + y * y;
            along += x * u + y * v;
            across += x * v - y * u;
        }
        if square <= 0.0 {
            return None;
        }
        let (a, b) = (along / square, across / square);
        Some(Self { a, b, dx: nx - a * mx + b * my, dy: ny - b * mx - a * my })
    }
}

/// An upright box in pixels of a working picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Area {
    pub(super) fn around(points: impl IntoIterator<Item = (f32, f32, f32)>) -> Self {
        let empty =
            Self { left: f32::MAX, top: f32::MAX, right: f32::NEG_INFINITY, bottom: f32::NEG_INFINITY };
        points.into_iter().fold(empty, |area, (x, y, reach)| Self {
            left: area.left.min(x - reach),
            top: area.top.min(y - reach),
            right: area.right.max(x + reach),
            bottom: area.bottom.max(y + reach),
        })
    }

    pub(super) fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    pub(super) fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    pub(super) fn size(&self) -> f32 {
        self.width() * self.height()
    }

    pub(super) fn longest(&self) -> f32 {
        self.width().max(self.height())
    }

    pub(super) fn centre(&self) -> (f32, f32) {
        (0.5 * (self.left + self.right), 0.5 * (self.top + self.bottom))
    }

    pub(super) fn grown(&self, by: f32) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    pub(super) fn holds(&self, (x, y): (f32, f32)) -> bool {
        x >= self.left && x <= self.right && y >= self.top && y <= self.bottom
    }

    pub(super) fn joined(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Shared size over the size of the smaller one.
    pub(super) fn overlap(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0) / self.size().min(other.size()).max(1e-6)
    }

    pub(super) fn mapped(&self, by: &Similarity) -> Self {
        let (x, y) = by.apply(self.centre());
        let (w, h) = (0.5 * self.width() * by.scale(), 0.5 * self.height() * by.scale());
        Self { left: x - w, top: y - h, right: x + w, bottom: y + h }
    }
}

/// Two photos that share something.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) photos: (u32, u32),
    /// Matches in the same arrangement, each of another place.
    pub(super) points: Vec<(u32, u32)>,
    /// From the first photo to the second.
    pub(super) similarity: Similarity,
    /// Around the points, in each photo.
    pub(super) areas: (Area, Area),
}

/// The pairs of photos that share at least `least` places in one arrangement.
pub(super) fn verified(photos: &Photos<'_>, matches: &[Match], least: usize) -> Vec<Pair> {
    let groups: Vec<&[Match]> = matches.chunk_by(|a, b| a.photos == b.photos).collect();
    groups
        .par_iter()
        .filter(|group| group.len() >= least)
        .filter_map(|group| verify(photos, group, least))
        .collect()
}

#[derive(Clone, Copy)]
struct Candidate {
    points: (u32, u32),
    from: (f32, f32),
    to: (f32, f32),
    /// Pixels of the working pictures in one of the level.
    sizes: (f32, f32),
}

fn verify(photos: &Photos<'_>, group: &[Match], least: usize) -> Option<Pair> {
    let mut group = group.to_vec();
    group.sort_unstable_by_key(|m| (m.distance, m.points));
    group.truncate(MOST_MATCHES);
    let candidates: Vec<Candidate> = group
        .iter()
        .map(|m| {
            let (p, q) = (photos.point(m.points.0), photos.point(m.points.1));
            Candidate {
                points: m.points,
                from: (p.x(), p.y()),
                to: (q.x(), q.y()),
                sizes: (p.scale(), q.scale()),
            }
        })
        .collect();
    let far = |a: (f32, f32), b: (f32, f32), size: f32| (a.0 - b.0).hypot(a.1 - b.1) >= APART * size;
    let apart = |a: &Candidate, b: &Candidate| {
        far(a.from, b.from, a.sizes.0.min(b.sizes.0)) && far(a.to, b.to, a.sizes.1.min(b.sizes.1))
    };
    let within = |a: f32, b: f32, factor: f32| a < b * factor && b < a * factor;
    let mut best: Vec<usize> = Vec::new();
    for (i, a) in candidates.iter().enumerate() {
        for b in &candidates[i + 1..] {
            if !apart(a, b) {
                continue;
            }
            let Some(similarity) = Similarity::of([a.from, b.from], [a.to, b.to]) else { continue };
            let scale = similarity.scale();
            let fits = |c: &Candidate, factor: f32| within(scale, c.sizes.1 / c.sizes.0, factor);
            if similarity.b.atan2(similarity.a).abs() > MOST_TURN
                || !fits(a, SIZE_OF_PAIR)
                || !fits(b, SIZE_OF_PAIR)
            {
                continue;
            }
            let mut inliers: Vec<usize> = Vec::new();
            for (k, c) in candidates.iter().enumerate() {
                let (x, y) = similarity.apply(c.from);
                if (x - c.to.0).hypot(y - c.to.1) <= MOST_ERROR * c.sizes.1
                    && fits(c, SIZE_OF_POINT)
                    && inliers.iter().all(|&k| apart(&candidates[k], c))
                {
                    inliers.push(k);
                }
            }
            if inliers.len() > best.len() {
                best = inliers;
            }
        }
    }
    if best.len() < least {
        return None;
    }
    let chosen: Vec<Candidate> = best.into_iter().map(|k| candidates[k]).collect();
    let pairs: Vec<_> = chosen.iter().map(|c| (c.from, c.to)).collect();
    let reach = 5.0;
    Some(Pair {
        photos: group[0].photos,
        points: chosen.iter().map(|c| c.points).collect(),
        similarity: Similarity::fit(&pairs)?,
        areas: (
            Area::around(chosen.iter().map(|c| (c.from.0, c.from.1, reach * c.sizes.0))),
            Area::around(chosen.iter().map(|c| (c.to.0, c.to.1, reach * c.sizes.1))),
        ),
    })
}
