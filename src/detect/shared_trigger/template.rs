//! What does the shared thing look like, pixel by pixel, and where in a photo is it? Directions of gradients, averaged
//! over the photos that show it and aligned until they agree.
//!
//! A pixel of the template has seven numbers. Four are the gradient, and its direction without its sign (at twice the angle):
//! the edge of a logo is dark on a bright photo and bright on a dark one. Gradients are normalised by their size, so a
//! pale logo on a plain wall counts as much as a strong one. Three more say how its colour differs from its surroundings: a
//! blue line on dark cloth has hardly an edge, but it is blue.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::verify::{Area, Similarity};
use crate::feature::local::{GradientLevel, GradientLevels};
use crate::feature::picture::Picture;

/// Pixels of the template along the longer side of the thing, and the margin about it as a share of that.
const SIDE: f32 = 32.0;
const MARGIN: f32 = 0.12;

/// Grey levels a pixel at which a gradient counts half.
const SOFT: f32 = 4.0;

/// Numbers of a pixel: its gradient, the direction of that without its sign, and its colour.
const PLANES: usize = 7;
const GRADIENT: usize = 2;
const SHAPE: usize = 4;
const PARTS: [std::ops::Range<usize>; 3] = [0..GRADIENT, GRADIENT..SHAPE, SHAPE..PLANES];

/// One number each for gradients, directions and colours.
type Parts = [f32; 3];

/// Standard errors by which the mean of the teachers must differ from 0 for them to agree, and the least variance: four
/// teachers may be alike by chance.
const AGREED: f32 = 5.0;
const LEAST_VARIANCE: f32 = 0.05;

/// Share of the pixels on each side that are no part of the thing: edges are as wide as the blur.
const OUTSIDE: f32 = 0.02;

/// Numbers of the template that are compared at every place of a photo, at half its size and at its own: the heaviest of
/// the gradients, of their directions without sign, and of the colours.
const HALF_PICKS: [usize; 3] = [80, 80, 60];
const PICKS: [usize; 3] = [60, 60, 24];

/// How much gradients, directions and colours count while teachers are aligned.
const AT_FIRST: Parts = [1.0, 1.0, 0.5];

/// Places of a photo that are looked at closely, and those that are fitted exactly.
const PLACES: usize = 16;
const FITTED: usize = 5;

/// Added to the deviation of a photo's scores: on a blank photo nothing is strange.
const CALM: f32 = 0.08;

/// The thing is looked for at turns of so many radians, at most so many of them.
const TURN: f32 = 0.18;
const MOST_TURNS: usize = 17;

/// How much larger or smaller than with the teachers the thing may be, and where they are many.
const SIZES: f32 = 1.5;
const SIZES_OF_MANY: f32 = 1.2;
const MANY: usize = 12;

/// Rounds of alignment.
const ROUNDS: usize = 4;

/// Pixels of the template by which places are compared while one climbs to the best, the heaviest.
const CLIMBED: usize = 280;

type Pixel = [f32; PLANES];

/// A pixel of the template that says something: where it is, and the weights of its numbers.
type Weighed = (f32, f32, Pixel);

/// The thing, in pixels of the template.
pub(super) struct Template {
    width: usize,
    height: usize,
    /// By teacher, what it shows where it is aligned best.
    patches: BTreeMap<usize, Vec<Pixel>>,
    weights: Vec<Pixel>,
    /// The pixels that say something, heaviest first.
    weighed: Vec<Weighed>,
    /// The heaviest numbers, as they are when the thing is turned by so much.
    scans: Vec<Scan>,
    /// How much each part counts.
    shares: Parts,
    /// Pixels of a working picture in one of the template, from and to.
    sizes: (f32, f32),
}

/// The heaviest numbers of the template's gradients, directions and colours at one turn, and either at half the size, where
/// a thing is found although it is a little larger or more turned than what is looked for, or at its own, where thin
/// lines are seen.
struct Scan {
    half: bool,
    turn: f32,
    picks: [Vec<Pick>; 3],
}

/// How well every place of a level fits at one turn, by part.
struct Map<'a> {
    level: &'a GradientLevel,
    half: bool,
    turn: f32,
    columns: usize,
    rows: usize,
    parts: [Vec<f32>; 3],
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
    pub(super) levels: GradientLevels,
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
        let mut template = Self {
            width,
            height,
            patches: BTreeMap::new(),
            weights: Vec::new(),
            weighed: Vec::new(),
            scans: Vec::new(),
            shares: AT_FIRST,
            sizes: (0.0, 0.0),
        };
        for round in 0..=ROUNDS {
            template.patches = teachers
                .iter()
                .map(|teacher| (teacher.photo, template.seen_alike(&teacher.levels, &teacher.pose)))
                .collect();
            template.weights = template.weights_without(None);
            if round == ROUNDS {
                template.weighed = template.weighed(&template.weights);
                break;
            }
            let poses: Vec<Similarity> = {
                use rayon::prelude::*;
                let own = |teacher: &Teacher| {
                    let weighed = template.weighed(&template.weights_without(Some(teacher.photo)));
                    template.fit(&weighed, AT_FIRST, &teacher.levels, teacher.pose, round == 0).pose
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
        for turn in turns.into_iter().map(|turn| turn as f32 * TURN) {
            template.scans.extend([true, false].map(|half| template.scan_at(turn, half)));
        }
        template
    }

    /// Learns how large the thing may be, and how much each part counts: as far as the teachers stand out in it.
    pub(super) fn settle(&mut self, teachers: &[Teacher]) {
        let mut scales: Vec<f32> = teachers.iter().map(|teacher| teacher.pose.scale()).collect();
        scales.sort_by(f32::total_cmp);
        if let (Some(least), Some(most)) = (scales.first(), scales.last()) {
            let beyond = if scales.len() < MANY { SIZES } else { SIZES_OF_MANY };
            self.sizes = (least / beyond, most * beyond);
        }
        let seen: Vec<Parts> = {
            use rayon::prelude::*;
            let own = |teacher: &Teacher| {
                let balance = balance_of(&self.maps(&teacher.levels), false, [1.0; 3]);
                let weighed = self.weighed(&self.weights_without(Some(teacher.photo)));
                let parts = parts(&weighed, &teacher.levels, &teacher.pose);
                [0, 1, 2].map(|part: usize| balance[part] * parts[part])
            };
            teachers.par_iter().map(own).collect()
        };
        let middle = |part: usize| {
            let mut values: Vec<f32> = seen.iter().map(|seen| seen[part]).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).map_or(0.0, |middle| middle.max(0.0))
        };
        // What varies alike counts best by how far it stands out.
        let shares = [0, 1, 2].map(middle);
        let most = shares.iter().copied().fold(1e-3, f32::max);
        self.shares = shares.map(|share| share / most);
    }

    /// The sizes of a photo that are needed to find the thing.
    pub(super) fn levels(&self, picture: &Picture) -> GradientLevels {
        GradientLevels::of(picture, (self.sizes.0, 2.0 * self.sizes.1))
    }

    /// What a photo shows where the template would lie, with the gradients the other way round if that is more alike.
    fn seen_alike(&self, levels: &GradientLevels, pose: &Similarity) -> Vec<Pixel> {
        let mut patch = self.patch(levels, pose);
        let alike = |(weights, pixel): (&Pixel, &Pixel)| weights[0] * pixel[0] + weights[1] * pixel[1];
        if self.weights.iter().zip(&patch).map(alike).sum::<f32>() < 0.0 {
            for pixel in &mut patch {
                pixel[..GRADIENT].iter_mut().for_each(|value| *value = -*value);
            }
        }
        patch
    }

    /// What a photo shows where the template would lie.
    fn patch(&self, levels: &GradientLevels, pose: &Similarity) -> Vec<Pixel> {
        let mut pixels = vec![[0.0; PLANES]; self.width * self.height];
        let Some(level) = levels.nearest(pose.scale()) else { return pixels };
        for (at, pixel) in pixels.iter_mut().enumerate() {
            *pixel = seen(level, pose, ((at % self.width) as f32, (at / self.width) as f32));
        }
        pixels
    }

    /// The colours that a photo shows where the template would lie, of each pixel its channels one after another.
    pub(super) fn colours(&self, levels: &GradientLevels, pose: &Similarity) -> Vec<u8> {
        let mut colours = Vec::with_capacity(self.width * self.height * 3);
        let Some(level) = levels.nearest(pose.scale()) else { return colours };
        for at in 0..self.width * self.height {
            let place = level.place(pose.apply(((at % self.width) as f32, (at / self.width) as f32)));
            for (channel, plane) in level.channels.iter().enumerate() {
                // Brightness is between 0 and 255, the differences between −179 and 179.
                let value = place.map_or(128.0, |place| place.mix(plane, level.width));
                let value = if channel == 0 { value } else { 128.0 + 0.7 * value };
                colours.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
        colours
    }

    /// Sides of the template, perhaps at half its size.
    fn sides(&self, half: bool) -> (usize, usize) {
        if half { (self.width / 2, self.height / 2) } else { (self.width, self.height) }
    }

    /// The heaviest numbers of the template, turned.
    fn scan_at(&self, turn: f32, half: bool) -> Scan {
        let (width, height) = self.sides(half);
        let mut grid = vec![[0.0_f32; PLANES]; width * height];
        let step = if half { 2 } else { 1 };
        for (at, pixel) in grid.iter_mut().enumerate() {
            let first = step * (at / width) * self.width + step * (at % width);
            for of in (0..step * step).map(|k| &self.weights[first + k / 2 * self.width + k % 2]) {
                pixel.iter_mut().zip(of).for_each(|(sum, weight)| *sum += weight);
            }
        }
        let back = about((width, height), -turn, 1.0);
        let (sin, cos) = turn.sin_cos();
        let (sin2, cos2) = (2.0 * turn).sin_cos();
        let mut picks = [(); 3].map(|()| Vec::<Pick>::new());
        for at in 0..grid.len() {
            let (x, y) = (at % width, at / width);
            let (u, v) = back.apply((x as f32, y as f32));
            let (u, v) = (u.round(), v.round());
            if u < 0.0 || v < 0.0 || u >= width as f32 || v >= height as f32 {
                continue;
            }
            let [gx, gy, dx, dy, a, b, c] = grid[v as usize * width + u as usize];
            let (gx, gy) = (cos * gx - sin * gy, sin * gx + cos * gy);
            let (dx, dy) = (cos2 * dx - sin2 * dy, sin2 * dx + cos2 * dy);
            let turned = [gx, gy, dx, dy, a, b, c];
            for (picks, part) in picks.iter_mut().zip(PARTS) {
                let weights = part.map(|plane| (plane, turned[plane])).filter(|(_, weight)| *weight != 0.0);
                picks.extend(weights.map(|(plane, weight)| Pick { plane, x, y, weight }));
            }
        }
        for (picks, most) in picks.iter_mut().zip(if half { HALF_PICKS } else { PICKS }) {
            picks.sort_by(|a, b| {
                b.weight.abs().total_cmp(&a.weight.abs()).then((a.y, a.x, a.plane).cmp(&(b.y, b.x, b.plane)))
            });
            picks.truncate(most);
            let length = picks.iter().map(|pick| pick.weight * pick.weight).sum::<f32>().sqrt().max(1e-6);
            for pick in picks.iter_mut() {
                pick.weight /= length;
            }
        }
        Scan { half, turn, picks }
    }

    /// Mean over the teachers, where it is certain, by how much they vary; each part of length 1.
    /// One teacher may be left out.
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
        for part in PARTS {
            let squares: f32 = weights.iter().flat_map(|pixel| &pixel[part.clone()]).map(|w| w * w).sum();
            let length = squares.sqrt().max(1e-6);
            weights
                .iter_mut()
                .flat_map(|pixel| &mut pixel[part.clone()])
                .for_each(|weight| *weight /= length);
        }
        weights
    }

    /// The pixels of these weights that say something, heaviest first.
    fn weighed(&self, weights: &[Pixel]) -> Vec<Weighed> {
        let heavy = |pixel: &Pixel| pixel.iter().map(|weight| weight * weight).sum::<f32>();
        let at = |at: usize| ((at % self.width) as f32, (at / self.width) as f32);
        let mut weighed: Vec<Weighed> = weights
            .iter()
            .enumerate()
            .filter(|(_, pixel)| heavy(pixel) > 0.0)
            .map(|(i, pixel)| (at(i).0, at(i).1, *pixel))
            .collect();
        weighed.sort_by(|a, b| heavy(&b.2).total_cmp(&heavy(&a.2)));
        weighed
    }

    /// Climbs from a pose to the best one near it.
    fn fit(
        &self,
        weighed: &[Weighed],
        balance: Parts,
        levels: &GradientLevels,
        pose: Similarity,
        widely: bool,
    ) -> Sight {
        let mut best = Sight { score: score(weighed, balance, levels, &pose), pose };
        let reach: &[f32] = if widely { &[4.0, 2.0, 1.0] } else { &[2.0, 1.0, 0.5] };
        for &step in reach {
            for _ in 0..2 {
                let before = best.score;
                for (dx, dy) in [(-step, 0.0), (step, 0.0), (0.0, -step), (0.0, step)] {
                    let shift = Similarity { dx, dy, ..Similarity::IDENTITY };
                    let next = shift.then(&best.pose);
                    try_pose(weighed, balance, levels, &mut best, next);
                }
                for turn in [-0.04 * step, 0.04 * step] {
                    let next = self.about_middle(turn, 1.0).then(&best.pose);
                    try_pose(weighed, balance, levels, &mut best, next);
                }
                for size in [1.0 - 0.05 * step, 1.0 + 0.05 * step] {
                    let next = self.about_middle(0.0, size).then(&best.pose);
                    try_pose(weighed, balance, levels, &mut best, next);
                }
                if best.score <= before {
                    break;
                }
            }
        }
        best
    }

    /// Where the thing is in the template: where nearly all pixels are at which the teachers agree. What they agree on
    /// most does not count more: the outline of a mark varies with what lies behind it.
    pub(super) fn area(&self) -> Area {
        let n = self.patches.len().max(1) as f32;
        let agreed = |at: usize| {
            (0..SHAPE).any(|plane| {
                let values = || self.patches.values().map(|patch| patch[at][plane]);
                let mean = values().sum::<f32>() / n;
                let variance = values().map(|value| (value - mean) * (value - mean)).sum::<f32>() / n;
                mean.abs() > AGREED * (variance.max(LEAST_VARIANCE) / n).sqrt()
            })
        };
        let (mut columns, mut rows) = (vec![0_u32; self.width], vec![0_u32; self.height]);
        for at in (0..self.width * self.height).filter(|at| agreed(*at)) {
            columns[at % self.width] += 1;
            rows[at / self.width] += 1;
        }
        let span = |counts: &[u32]| {
            let most = (OUTSIDE * counts.iter().sum::<u32>() as f32) as u32;
            let first = |counts: &mut dyn Iterator<Item = &u32>| {
                let mut sum = 0;
                counts
                    .take_while(|count| {
                        sum += **count;
                        sum <= most
                    })
                    .count()
            };
            let (before, after) = (first(&mut counts.iter()), first(&mut counts.iter().rev()));
            (before as f32 - 0.5, (counts.len() - after) as f32 - 0.5)
        };
        let ((left, right), (top, bottom)) = (span(&columns), span(&rows));
        Area { left, top, right: right.max(left + 1.0), bottom: bottom.max(top + 1.0) }
    }

    fn about_middle(&self, turn: f32, size: f32) -> Similarity {
        about((self.width, self.height), turn, size)
    }

    /// The place of a photo that shows the thing best; places known from elsewhere are looked at too.
    pub(super) fn find(
        &self,
        photo: usize,
        levels: &GradientLevels,
        known: Option<Similarity>,
    ) -> Option<Sight> {
        let own = |photo| self.weighed(&self.weights_without(Some(photo)));
        let own = self.patches.contains_key(&photo).then(|| own(photo));
        let all = own.as_ref().unwrap_or(&self.weighed);
        let weighed = &all[..all.len().min(CLIMBED)];
        let maps = self.maps(levels);
        let balance = balance_of(&maps, false, self.shares);
        let mut places: Vec<Sight> = Vec::new();
        for half in [true, false] {
            let of_half = balance_of(&maps, half, self.shares);
            let of_size = maps.iter().filter(|map| map.half == half);
            let mut found: Vec<Sight> = of_size.flat_map(|map| self.places(map, of_half)).collect();
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            places.extend(found.into_iter().take(PLACES));
        }
        places.extend(known.map(|pose| Sight { score: 0.0, pose }));
        let mut looked: Vec<Sight> = places
            .iter()
            .map(|place| {
                let mut best =
                    Sight { score: score(weighed, balance, levels, &place.pose), pose: place.pose };
                for (turn, size) in [(-0.12, 1.0), (0.12, 1.0), (0.0, 0.88), (0.0, 1.14)] {
                    let next = self.about_middle(turn, size).then(&place.pose);
                    try_pose(weighed, balance, levels, &mut best, next);
                }
                best
            })
            .collect();
        looked.sort_by(|a, b| b.score.total_cmp(&a.score));
        looked.truncate(FITTED);
        let fitted = looked.iter().map(|place| {
            let best = self.fit(weighed, balance, levels, place.pose, false);
            Sight { score: score(all, balance, levels, &best.pose), ..best }
        });
        fitted.reduce(|best, next| if next.score > best.score { next } else { best })
    }

    /// Compares the heaviest numbers at every place of the levels at which the thing may be as large as here.
    fn maps<'a>(&self, levels: &'a GradientLevels) -> Vec<Map<'a>> {
        let mut maps = Vec::new();
        for level in levels.all() {
            let planes = planes(level);
            for Scan { half, turn, picks } in &self.scans {
                let (width, height) = self.sides(*half);
                let size = if *half { 0.5 * level.factor.0 } else { level.factor.0 };
                if !(self.sizes.0..=self.sizes.1).contains(&size)
                    || level.width <= width
                    || level.height <= height
                {
                    continue;
                }
                let (columns, step) = (level.width - width, row_step(*half));
                let rows = (level.height - height).div_ceil(step);
                let mut parts = [(); 3].map(|()| vec![0.0_f32; columns * rows]);
                for (part, picks) in parts.iter_mut().zip(picks) {
                    pulp::Arch::new()
                        .dispatch(|| correlate(picks, &planes, level.width, columns, step, part));
                }
                // Dark on bright is as good as bright on dark.
                parts[0].iter_mut().for_each(|score| *score = score.abs());
                maps.push(Map { level, half: *half, turn: *turn, columns, rows, parts });
            }
        }
        maps
    }

    /// The best places of a map.
    fn places(&self, map: &Map<'_>, balance: Parts) -> Vec<Sight> {
        let [a, b, c] = &map.parts;
        let all = |((a, b), c): ((&f32, &f32), &f32)| balance[0] * a + balance[1] * b + balance[2] * c;
        let scores: Vec<f32> = a.iter().zip(b).zip(c).map(all).collect();
        let turned = self.about_middle(map.turn, 1.0);
        let (fx, fy) = map.level.factor;
        let place = |(score, x, y): (f32, usize, usize)| {
            // At half the size the middle of a pixel is the corner of four of the template.
            let (scale, inwards) = if map.half { (0.5 * fx, 0.25) } else { (fx, 0.0) };
            let (dx, dy) = (
                (x as f32 + 0.5 - inwards) * fx - 0.5,
                ((row_step(map.half) * y) as f32 + 0.5 - inwards) * fy - 0.5,
            );
            Sight { score, pose: turned.then(&Similarity { a: scale, b: 0.0, dx, dy }) }
        };
        peaks(&scores, map.columns, map.rows).into_iter().map(place).collect()
    }
}

/// How many times each part counts in a photo: the share, and less where many places score high.
fn balance_of(maps: &[Map<'_>], half: bool, shares: Parts) -> Parts {
    [0, 1, 2].map(|part: usize| {
        let (mut squares, mut count) = (0.0_f64, 0);
        for map in maps.iter().filter(|map| map.half == half).map(|map| &map.parts[part]) {
            let sums = map.chunks(256).map(|part| f64::from(part.iter().map(|s| s * s).sum::<f32>()));
            squares += sums.sum::<f64>();
            count += map.len();
        }
        shares[part] / ((squares / count.max(1) as f64).sqrt() as f32 + CALM)
    })
}

/// Turns and resizes a template of this size about its middle.
fn about((width, height): (usize, usize), turn: f32, size: f32) -> Similarity {
    let (a, b) = (size * turn.cos(), size * turn.sin());
    let (x, y) = (0.5 * (width - 1) as f32, 0.5 * (height - 1) as f32);
    Similarity { a, b, dx: x - a * x + b * y, dy: y - b * x - a * y }
}

/// At its own size every second row is enough.
fn row_step(half: bool) -> usize {
    if half { 1 } else { 2 }
}

/// The weighted sums for every place of every `step`th row.
#[inline(always)]
fn correlate(
    picks: &[Pick],
    planes: &[Cow<'_, [f32]>; PLANES],
    width: usize,
    columns: usize,
    step: usize,
    map: &mut [f32],
) {
    for (row, scores) in map.chunks_exact_mut(columns).enumerate() {
        for picks in picks.chunks(4) {
            let line = |k: usize| {
                picks.get(k).map_or((0.0, &planes[0][..columns]), |pick| {
                    let at = (step * row + pick.y) * width + pick.x;
                    (pick.weight, &planes[pick.plane][at..at + columns])
                })
            };
            let [(wa, a), (wb, b), (wc, c), (wd, d)] = [0, 1, 2, 3].map(line);
            let scores = &mut scores[..columns];
            for i in 0..columns {
                scores[i] += wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
            }
        }
    }
}

/// The highest places of a map that are higher than those around them, some way apart.
fn peaks(map: &[f32], columns: usize, rows: usize) -> Vec<(f32, usize, usize)> {
    let mut peaks: Vec<(f32, usize, usize)> = Vec::new();
    // What is lower than many peaks found already is not wanted.
    let mut least = 0.0;
    for y in 1..rows.saturating_sub(1) {
        let line = |y: usize| &map[y * columns..(y + 1) * columns];
        let (above, own, below) = (line(y - 1), line(y), line(y + 1));
        for x in 1..columns.saturating_sub(1) {
            let value = own[x];
            if value > least
                && value > own[x - 1]
                && value >= own[x + 1]
                && value > above[x]
                && value >= below[x]
            {
                peaks.push((value, x, y));
            }
        }
        if peaks.len() > 16 * PLACES {
            peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
            peaks.truncate(4 * PLACES);
            least = peaks.last().map_or(0.0, |peak| peak.0);
        }
    }
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    peaks.truncate(4 * PLACES);
    let mut kept: Vec<(f32, usize, usize)> = Vec::new();
    for peak in peaks {
        if kept.iter().all(|k| k.1.abs_diff(peak.1) > 2 || k.2.abs_diff(peak.2) > 2) {
            kept.push(peak);
        }
        if kept.len() == PLACES {
            break;
        }
    }
    kept
}

/// The four numbers of a gradient that is given so many times as large as it is.
fn normalised(gx: f32, gy: f32, times: f32) -> [f32; SHAPE] {
    let size = (gx * gx + gy * gy).sqrt();
    let by = 1.0 / (size + times * SOFT);
    let (x, y) = (gx * by, gy * by);
    // Twice the angle, and of the same length.
    let again = 1.0 / ((size * by) + 1e-6);
    [x, y, (x * x - y * y) * again, 2.0 * x * y * again]
}

/// What a level shows at a pixel of the template that lies there in this pose.
fn seen(level: &GradientLevel, pose: &Similarity, pixel: (f32, f32)) -> Pixel {
    let Some(place) = level.place(pose.apply(pixel)) else { return [0.0; PLANES] };
    let mix = |plane: &[f32]| place.mix(plane, level.width);
    let (gx, gy) = (mix(&level.x), mix(&level.y));
    // Seen from the template, which is turned.
    let [x, y, dx, dy] = normalised(pose.a * gx + pose.b * gy, pose.a * gy - pose.b * gx, pose.scale());
    let [a, b, c] = &level.contrast;
    [x, y, dx, dy, mix(a), mix(b), mix(c)]
}

/// How well a photo fits these pixels of the template in this pose.
fn parts(weighed: &[Weighed], levels: &GradientLevels, pose: &Similarity) -> Parts {
    let Some(level) = levels.nearest(pose.scale()) else { return [0.0; 3] };
    let mut sums = [0.0; PLANES];
    for (x, y, weights) in weighed {
        let pixel = seen(level, pose, (*x, *y));
        for plane in 0..PLANES {
            sums[plane] += weights[plane] * pixel[plane];
        }
    }
    let [gradients, directions, colours] = PARTS.map(|part| sums[part].iter().sum::<f32>());
    [gradients.abs(), directions, colours]
}

fn score(weighed: &[Weighed], balance: Parts, levels: &GradientLevels, pose: &Similarity) -> f32 {
    parts(weighed, levels, pose).iter().zip(balance).map(|(part, times)| part * times).sum()
}

fn try_pose(
    weighed: &[Weighed],
    balance: Parts,
    levels: &GradientLevels,
    best: &mut Sight,
    pose: Similarity,
) {
    let score = score(weighed, balance, levels, &pose);
    if score > best.score {
        *best = Sight { score, pose };
    }
}

/// A place between four pixels: the first of them, and how far beyond it.
#[derive(Clone, Copy)]
struct Between {
    at: usize,
    fx: f32,
    fy: f32,
}

impl Between {
    fn mix(self, plane: &[f32], width: usize) -> f32 {
        let above = &plane[self.at..self.at + 2];
        let below = &plane[self.at + width..self.at + width + 2];
        let top = above[0] + self.fx * (above[1] - above[0]);
        let bottom = below[0] + self.fx * (below[1] - below[0]);
        top + self.fy * (bottom - top)
    }
}

impl GradientLevel {
    /// Where a place of the working picture is; `None` outside.
    fn place(&self, (x, y): (f32, f32)) -> Option<Between> {
        let (x, y) = ((x + 0.5) / self.factor.0 - 0.5, (y + 0.5) / self.factor.1 - 0.5);
        if !(x >= 0.0 && y >= 0.0) {
            return None;
        }
        let (column, row) = (x as usize, y as usize);
        let inside = column + 1 < self.width && row + 1 < self.height;
        inside.then(|| Between { at: row * self.width + column, fx: x - column as f32, fy: y - row as f32 })
    }
}

/// The numbers of every pixel of a level, plane by plane.
fn planes(level: &GradientLevel) -> [Cow<'_, [f32]>; PLANES] {
    let mut shape = [(); SHAPE].map(|()| vec![0.0; level.x.len()]);
    let [a, b, c, d] = &mut shape;
    let gradients = level.x.iter().zip(&level.y);
    for ((((a, b), c), d), (gx, gy)) in a.iter_mut().zip(b).zip(c).zip(d).zip(gradients) {
        [*a, *b, *c, *d] = normalised(*gx, *gy, 1.0);
    }
    let [x, y, dx, dy] = shape.map(Cow::Owned);
    let [a, b, c] = [0, 1, 2].map(|channel: usize| Cow::Borrowed(&level.contrast[channel][..]));
    [x, y, dx, dy, a, b, c]
}
