//! What does the shared thing look like, pixel by pixel, and where in a photo is it? Directions of gradients, averaged
//! over the photos that show it and aligned until they agree.
//!
//! A pixel of the template has four numbers: the gradient, and its direction without its sign (at twice the angle):
//! the edge of a logo is dark on a bright photo and bright on a dark one. Gradients are normalised by their size, so a
//! pale logo on a plain wall counts as much as a strong one.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::collections::BTreeMap;

use super::verify::{Area, Similarity};
use crate::feature::local::GradientLevel;

/// Pixels of the template along the longer side of the thing, and the margin about it as a share of that.
const SIDE: f32 = 32.0;
const MARGIN: f32 = 0.12;

/// Grey levels a pixel at which a gradient counts half.
const SOFT: f32 = 4.0;

const PLANES: usize = 4;

/// Share of the weight on each side that is no part of the thing: edges are as wide as the blur.
const OUTSIDE: f32 = 0.03;

/// Numbers of the template that are compared at every place of a photo, the heaviest.
const PICKS: usize = 240;

/// Places of a photo that are looked at closely, and those that are fitted exactly.
const PLACES: usize = 20;
const FITTED: usize = 5;

/// Added to the deviation of a photo's scores: on a blank photo nothing is strange.
const CALM: f32 = 0.08;

/// The thing is looked for at turns of so many radians, at most so many of them.
const TURN: f32 = 0.35;
const MOST_TURNS: usize = 9;

/// Rounds of alignment.
const ROUNDS: usize = 4;

type Pixel = [f32; PLANES];

/// The thing, in pixels of the template.
pub(super) struct Template {
    width: usize,
    height: usize,
    /// By teacher, what it shows where it is aligned best.
    patches: BTreeMap<usize, Vec<Pixel>>,
    weights: Vec<Pixel>,
    /// The heaviest numbers, as they are when the thing is turned by so much.
    scans: Vec<(f32, Vec<Pick>)>,
}

struct Pick {
    plane: usize,
    x: usize,
    y: usize,
    weight: f32,
}

/// A photo that shows the thing: which, its levels, and from the template to its working picture.
pub(super) struct Teacher {
    pub(super) photo: usize,
    pub(super) levels: Vec<GradientLevel>,
    pub(super) pose: Similarity,
}

/// Where a photo may show the thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) score: f32,
    /// From the template to the working picture.
    pub(super) pose: Similarity,
}

/// The size of a template for a thing this wide and high, and the pixels of the thing's frame in one of its pixels.
pub(super) fn grid(width: f32, height: f32) -> (usize, usize, f32) {
    let unit = width.max(height) / SIDE;
    let side = |length: f32| ((length / unit + 2.0 * MARGIN * SIDE).round() as usize).clamp(10, 48);
    (side(width), side(height), unit)
}

/// Pixels of the template before the thing's frame begins.
pub(super) fn margin() -> f32 {
    MARGIN * SIDE
}

impl Template {
    /// Aligns the teachers with each other; their poses are changed.
    pub(super) fn learn(width: usize, height: usize, teachers: &mut [Teacher]) -> Self {
        let mut template =
            Self { width, height, patches: BTreeMap::new(), weights: Vec::new(), scans: Vec::new() };
        for round in 0..=ROUNDS {
            template.patches = teachers
                .iter()
                .map(|teacher| (teacher.photo, template.patch(&teacher.levels, &teacher.pose)))
                .collect();
            template.weights = template.weights_without(None);
            if round == ROUNDS {
                break;
            }
            let poses: Vec<Similarity> = {
                use rayon::prelude::*;
                let own = |teacher: &Teacher| {
                    let weights = template.weights_without(Some(teacher.photo));
                    template.fit(&weights, &teacher.levels, teacher.pose, round == 0).pose
                };
                teachers.par_iter().map(own).collect()
            };
            for (teacher, pose) in teachers.iter_mut().zip(poses) {
                teacher.pose = pose;
            }
        }
        // The turns that teachers have, in steps within which a turned thing is still found.
        let step = |teacher: &Teacher| (teacher.pose.b.atan2(teacher.pose.a) / TURN).round() as i32;
        let mut turns: Vec<i32> = teachers.iter().map(step).collect();
        turns.sort_unstable();
        turns.dedup();
        turns.truncate(MOST_TURNS);
        template.scans = turns
            .into_iter()
            .map(|turn| turn as f32 * TURN)
            .map(|turn| (turn, template.picks(turn)))
            .collect();
        template
    }

    /// What a photo shows where the template would lie.
    fn patch(&self, levels: &[GradientLevel], pose: &Similarity) -> Vec<Pixel> {
        let mut pixels = vec![[0.0; PLANES]; self.width * self.height];
        let Some(level) = level_for(levels, pose.scale()) else { return pixels };
        let level = &levels[level];
        let (sin, cos) = (pose.b / pose.scale(), pose.a / pose.scale());
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = pose.apply(((at % self.width) as f32, (at / self.width) as f32));
            let (gx, gy) = level.at((x + 0.5) / level.factor.0 - 0.5, (y + 0.5) / level.factor.1 - 0.5);
            // Seen from the template, which is turned.
            *pixel = normalised(cos * gx + sin * gy, cos * gy - sin * gx);
        }
        pixels
    }

    /// The heaviest numbers of the template, turned.
    fn picks(&self, turn: f32) -> Vec<Pick> {
        let back = self.about_middle(-turn, 1.0);
        let (sin, cos) = turn.sin_cos();
        let (sin2, cos2) = (2.0 * turn).sin_cos();
        let mut picks: Vec<Pick> = Vec::with_capacity(self.weights.len() * PLANES);
        for at in 0..self.weights.len() {
            let (x, y) = (at % self.width, at / self.width);
            let (u, v) = back.apply((x as f32, y as f32));
            let (u, v) = (u.round(), v.round());
            if u < 0.0 || v < 0.0 || u >= self.width as f32 || v >= self.height as f32 {
                continue;
            }
            let [gx, gy, dx, dy] = self.weights[v as usize * self.width + u as usize];
            let seen =
                [cos * gx - sin * gy, sin * gx + cos * gy, cos2 * dx - sin2 * dy, sin2 * dx + cos2 * dy];
            for (plane, weight) in seen.into_iter().enumerate().filter(|(_, weight)| *weight != 0.0) {
                picks.push(Pick { plane, x, y, weight });
            }
        }
        picks.sort_by(|a, b| {
            b.weight.abs().total_cmp(&a.weight.abs()).then((a.y, a.x, a.plane).cmp(&(b.y, b.x, b.plane)))
        });
        picks.truncate(PICKS);
        let length = picks.iter().map(|pick| pick.weight * pick.weight).sum::<f32>().sqrt().max(1e-6);
        for pick in &mut picks {
            pick.weight /= length;
        }
        picks
    }

    /// Mean over the teachers, where it is certain, by how much they vary; of length 1. One teacher may be left out.
    fn weights_without(&self, left_out: Option<usize>) -> Vec<Pixel> {
        let used: Vec<&Vec<Pixel>> = self
            .patches
            .iter()
            .filter(|(photo, _)| Some(**photo) != left_out)
            .map(|(_, patch)| patch)
            .collect();
        let n = used.len().max(1) as f32;
        let mut weights = vec![[0.0; PLANES]; self.width * self.height];
        for (at, weights) in weights.iter_mut().enumerate() {
            for (plane, weight) in weights.iter_mut().enumerate() {
                let (mut sum, mut squares) = (0.0, 0.0);
                for patch in &used {
                    let value = patch[at][plane];
                    sum += value;
                    squares += value * value;
                }
                let mean = sum / n;
                let variance = (squares / n - mean * mean).max(0.0);
                if mean.abs() > 2.5 * (variance / n).sqrt() && mean.abs() > 0.05 {
                    *weight = mean / (variance + 0.05);
                }
            }
        }
        let length =
            weights.as_flattened().iter().map(|weight| weight * weight).sum::<f32>().sqrt().max(1e-6);
        weights.as_flattened_mut().iter_mut().for_each(|weight| *weight /= length);
        weights
    }

    fn score(&self, weights: &[Pixel], levels: &[GradientLevel], pose: &Similarity) -> f32 {
        let patch = self.patch(levels, pose);
        let mut sums = [0.0; PLANES];
        for (weights, pixel) in weights.iter().zip(&patch) {
            for plane in 0..PLANES {
                sums[plane] += weights[plane] * pixel[plane];
            }
        }
        sums.iter().sum()
    }

    /// Climbs from a pose to the best one near it.
    fn fit(&self, weights: &[Pixel], levels: &[GradientLevel], pose: Similarity, widely: bool) -> Sight {
        let mut best = Sight { score: self.score(weights, levels, &pose), pose };
        let reach: &[f32] = if widely { &[4.0, 2.0, 1.0] } else { &[2.0, 1.0, 0.5] };
        for &step in reach {
            for _ in 0..2 {
                let before = best.score;
                for (dx, dy) in [(-step, 0.0), (step, 0.0), (0.0, -step), (0.0, step)] {
                    let shift = Similarity { dx, dy, ..Similarity::IDENTITY };
                    let next = shift.then(&best.pose);
                    self.try_pose(weights, levels, &mut best, next);
                }
                for turn in [-0.04 * step, 0.04 * step] {
                    let next = self.about_middle(turn, 1.0).then(&best.pose);
                    self.try_pose(weights, levels, &mut best, next);
                }
                for size in [1.0 - 0.05 * step, 1.0 + 0.05 * step] {
                    let next = self.about_middle(0.0, size).then(&best.pose);
                    self.try_pose(weights, levels, &mut best, next);
                }
                if best.score <= before {
                    break;
                }
            }
        }
        best
    }

    fn try_pose(&self, weights: &[Pixel], levels: &[GradientLevel], best: &mut Sight, pose: Similarity) {
        let score = self.score(weights, levels, &pose);
        if score > best.score {
            *best = Sight { score, pose };
        }
    }

    /// Where the thing is in the template: where nearly all of its weight is.
    pub(super) fn area(&self) -> Area {
        let (mut columns, mut rows) = (vec![0.0; self.width], vec![0.0; self.height]);
        for (at, pixel) in self.weights.iter().enumerate() {
            let weight: f32 = pixel.iter().map(|weight| weight * weight).sum();
            columns[at % self.width] += weight;
            rows[at / self.width] += weight;
        }
        let span = |sums: &[f32]| {
            let most = OUTSIDE * sums.iter().sum::<f32>();
            let first = |sums: &mut dyn Iterator<Item = &f32>| {
                let mut sum = 0.0;
                sums.take_while(|value| {
                    sum += **value;
                    sum <= most
                })
                .count()
            };
            let (before, after) = (first(&mut sums.iter()), first(&mut sums.iter().rev()));
            (before as f32 - 0.5, (sums.len() - after) as f32 - 0.5)
        };
        let ((left, right), (top, bottom)) = (span(&columns), span(&rows));
        Area { left, top, right: right.max(left + 1.0), bottom: bottom.max(top + 1.0) }
    }

    /// Turns and resizes the template about its middle.
    fn about_middle(&self, turn: f32, size: f32) -> Similarity {
        let (a, b) = (size * turn.cos(), size * turn.sin());
        let (x, y) = (0.5 * (self.width - 1) as f32, 0.5 * (self.height - 1) as f32);
        Similarity { a, b, dx: x - a * x + b * y, dy: y - b * x - a * y }
    }

    /// The place of a photo that shows the thing best; places known from elsewhere are looked at too.
    /// `sizes` are the pixels of the working picture in one of the template, from and to.
    pub(super) fn find(
        &self,
        photo: usize,
        levels: &[GradientLevel],
        sizes: (f32, f32),
        known: Option<Similarity>,
    ) -> Option<Sight> {
        let own = self.patches.contains_key(&photo).then(|| self.weights_without(Some(photo)));
        let weights = own.as_ref().unwrap_or(&self.weights);
        let mut places: Vec<Sight> = Vec::new();
        // How scores spread over the photo: a high one says less where many are high.
        let (mut squares, mut count) = (0.0_f64, 0_usize);
        for level in levels {
            let size = level.factor.0;
            if size > sizes.0 / 1.15 && size < sizes.1 * 1.15 {
                let (of_level, places_of_level) = self.scan(level, &mut places);
                squares += of_level;
                count += places_of_level;
            }
        }
        places.sort_by(|a, b| b.score.total_cmp(&a.score));
        places.truncate(PLACES);
        places.extend(known.map(|pose| Sight { score: 0.0, pose }));
        let mut looked: Vec<Sight> = places
            .iter()
            .map(|place| {
                let mut best = Sight { score: self.score(weights, levels, &place.pose), pose: place.pose };
                for turn in [-0.24, -0.12, 0.12, 0.24] {
                    let next = self.about_middle(turn, 1.0).then(&place.pose);
                    self.try_pose(weights, levels, &mut best, next);
                }
                best
            })
            .collect();
        looked.sort_by(|a, b| b.score.total_cmp(&a.score));
        looked.truncate(FITTED);
        let fitted = looked.iter().map(|place| self.fit(weights, levels, place.pose, false));
        let best = fitted.reduce(|best, next| if next.score > best.score { next } else { best })?;
        let deviation = (squares / count.max(1) as f64).sqrt() as f32;
        Some(Sight { score: best.score / (deviation + CALM), ..best })
    }

    /// Compares the heaviest numbers at every place of a level, and keeps the best places.
    /// Returns the sum of squares of all scores, and how many they are.
    fn scan(&self, level: &GradientLevel, places: &mut Vec<Sight>) -> (f64, usize) {
        if level.width <= self.width || level.height <= self.height {
            return (0.0, 0);
        }
        let planes = level.normalised();
        let (columns, rows) = (level.width - self.width, (level.height - self.height).div_ceil(2));
        let mut squares = 0.0;
        let mut map = vec![0.0_f32; columns * rows];
        for (turn, picks) in &self.scans {
            map.fill(0.0);
            squares +=
                pulp::Arch::new().dispatch(|| correlate(picks, &planes, level.width, columns, &mut map));
            let turned = self.about_middle(*turn, 1.0);
            places.extend(peaks(&map, columns, rows).into_iter().map(|(score, x, y)| {
                let (fx, fy) = level.factor;
                let dx = (x as f32 + 0.5) * fx - 0.5;
                let dy = ((2 * y) as f32 + 0.5) * fy - 0.5;
                let place = Similarity { a: fx, b: 0.0, dx, dy };
                Sight { score, pose: turned.then(&place) }
            }));
        }
        (squares, map.len() * self.scans.len())
    }
}

/// The weighted sums for every place of every second row; returns the sum of their squares.
#[inline(always)]
fn correlate(
    picks: &[Pick],
    planes: &[Vec<f32>; PLANES],
    width: usize,
    columns: usize,
    map: &mut [f32],
) -> f64 {
    let mut squares = 0.0;
    for (row, scores) in map.chunks_exact_mut(columns).enumerate() {
        for picks in picks.chunks(4) {
            let line = |k: usize| {
                picks.get(k).map_or((0.0, &planes[0][..columns]), |pick| {
                    let at = (2 * row + pick.y) * width + pick.x;
                    (pick.weight, &planes[pick.plane][at..at + columns])
                })
            };
            let [(wa, a), (wb, b), (wc, c), (wd, d)] = [0, 1, 2, 3].map(line);
            let scores = &mut scores[..columns];
            for i in 0..columns {
                scores[i] += wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
            }
        }
        squares += f64::from(scores.iter().map(|score| score * score).sum::<f32>());
    }
    squares
}

/// The highest places of a map that are higher than those around them, some way apart.
fn peaks(map: &[f32], columns: usize, rows: usize) -> Vec<(f32, usize, usize)> {
    let at = |x: usize, y: usize| map[y * columns + x];
    let mut peaks: Vec<(f32, usize, usize)> = Vec::new();
    for y in 1..rows.saturating_sub(1) {
        for x in 1..columns.saturating_sub(1) {
            let value = at(x, y);
            if value > 0.0
                && value > at(x - 1, y)
                && value >= at(x + 1, y)
                && value > at(x, y - 1)
                && value >= at(x, y + 1)
            {
                peaks.push((value, x, y));
            }
        }
    }
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    peaks.truncate(4 * PLACES);
    let mut kept: Vec<(f32, usize, usize)> = Vec::new();
    for peak in peaks {
        if kept.iter().all(|k| k.1.abs_diff(peak.1) > 4 || k.2.abs_diff(peak.2) > 2) {
            kept.push(peak);
        }
        if kept.len() == PLACES {
            break;
        }
    }
    kept
}

fn normalised(gx: f32, gy: f32) -> Pixel {
    let size = (gx * gx + gy * gy).sqrt();
    let by = 1.0 / (size + SOFT);
    let (x, y) = (gx * by, gy * by);
    // Twice the angle, and of the same length.
    let again = 1.0 / ((size * by) + 1e-6);
    [x, y, (x * x - y * y) * again, 2.0 * x * y * again]
}

/// The level whose pixels are nearest in size.
fn level_for(levels: &[GradientLevel], scale: f32) -> Option<usize> {
    let last = levels.len().checked_sub(1)?;
    let level = (scale.max(1e-3).ln() / GradientLevel::STEP.ln()).round().max(0.0) as usize;
    Some(level.min(last))
}

impl GradientLevel {
    /// Between pixels; 0 outside.
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        if !(x >= 0.0 && y >= 0.0) {
            return (0.0, 0.0);
        }
        let (column, row) = (x as usize, y as usize);
        if column + 1 >= self.width || row + 1 >= self.height {
            return (0.0, 0.0);
        }
        let (fx, fy) = (x - column as f32, y - row as f32);
        let at = row * self.width + column;
        let mix = |plane: &[f32]| {
            let top = plane[at] + fx * (plane[at + 1] - plane[at]);
            let below = &plane[at + self.width..at + self.width + 2];
            let bottom = below[0] + fx * (below[1] - below[0]);
            top + fy * (bottom - top)
        };
        (mix(&self.x), mix(&self.y))
    }

    fn normalised(&self) -> [Vec<f32>; PLANES] {
        let mut planes = [(); PLANES].map(|()| vec![0.0; self.x.len()]);
        let [a, b, c, d] = &mut planes;
        for ((((a, b), c), d), (gx, gy)) in a.iter_mut().zip(b).zip(c).zip(d).zip(self.x.iter().zip(&self.y))
        {
            [*a, *b, *c, *d] = normalised(*gx, *gy);
        }
        planes
    }
}
