//! What does the shared thing look like, and which photos show it? Points in one frame, found again by voting.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::graph::{Seed, working_area};
use super::photo::{Photos, distance};
use super::verify::{Area, Similarity};
use crate::feature::local::{DESCRIPTOR, Point};

const MOST_SEED_ENTRIES: usize = 300;
const MOST_ENTRIES: usize = 400;

/// Places of the model are told apart on a grid of so many cells a side.
const GRID: f32 = 8.0;

/// Distance and bits up to which a point may be an entry's.
const MOST_DISTANCE: i32 = 16_000;
const MOST_BITS: u32 = 20;
const STEP: i32 = 125;
const STEPS: usize = (MOST_DISTANCE / STEP) as usize + 1;

/// Entries that one point may stand for.
const NEAREST: usize = 3;

/// The least that a point says: how rarely the background has one so near, as −ln of a share.
const LEAST_WEIGHT: f32 = 1.5;

/// Votes of one photo that are counted, heaviest first, and that add up in the end.
const MOST_VOTES: usize = 72;
const MOST_COUNTED: usize = 12;

/// One point of the model.
#[derive(Debug, Clone)]
struct Entry {
    x: f32,
    y: f32,
    scale: f32,
    descriptor: [i8; DESCRIPTOR],
    signature: u64,
    /// Cosine and sine of how the thing is turned in the photo that the point comes from: upright descriptors fit photos
    /// in which it is turned alike.
    turn: (f32, f32),
    /// The photo it comes from, for which it must not vote.
    photo: u32,
    cell: u16,
}

impl Entry {
    /// From this entry to another one, in a photo that shows the thing so large and turned as this one's.
    fn turned(&self, scale: f32, other: &Self) -> (f32, f32) {
        let (x, y) = (scale * (other.x - self.x), scale * (other.y - self.y));
        let (cos, sin) = self.turn;
        (cos * x - sin * y, sin * x + cos * y)
    }
}

/// Where a point of a photo lies in the frame.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: f32,
    y: f32,
    scale: f32,
    turn: (f32, f32),
}

impl Place {
    fn of(point: Point, to_frame: &Similarity) -> Self {
        let (x, y) = to_frame.apply((point.x(), point.y()));
        let scale = to_frame.scale();
        // The way back turns the other way.
        let turn = (to_frame.a / scale, -to_frame.b / scale);
        Self { x, y, scale: point.scale() * scale, turn }
    }
}

/// A thing that photos may share.
pub(super) struct Model {
    entries: Vec<Entry>,
    /// Where the thing is in the frame.
    pub(super) frame: Area,
}

/// Where a photo shows the thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// How well it fits: sum of the votes' weights.
    pub(super) score: f32,
    pub(super) votes: u32,
    /// From the frame to the photo.
    pub(super) pose: Similarity,
    pub(super) area: Area,
}

/// What the search needs to know besides the photos.
pub(super) struct Ground<'a, 'p> {
    pub(super) photos: &'a Photos<'p>,
    pub(super) signatures: &'a [u64],
    /// By photo, whether it is background for this thing.
    pub(super) is_background: &'a [bool],
}

impl Model {
    /// From the pairs of a cluster: all in the frame of the best connected photo.
    pub(super) fn of_seed(ground: &Ground<'_, '_>, seed: &Seed) -> Option<Self> {
        let to_frame = poses(seed);
        let mut points: BTreeMap<u32, Place> = BTreeMap::new();
        for (a, b, pair) in &seed.edges {
            for &(p, q) in &pair.points {
                for (node, at) in [(*a, p), (*b, q)] {
                    if let Some(pose) = &to_frame[node] {
                        let point = ground.photos.point(at);
                        points.entry(at).or_insert_with(|| Place::of(point, pose));
                    }
                }
            }
        }
        let mut points: Vec<_> = points.into_iter().collect();
        thin(&mut points, MOST_SEED_ENTRIES);
        Self::new(ground, points)
    }

    fn new(ground: &Ground<'_, '_>, points: Vec<(u32, Place)>) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        // A few points that a wrong pose carried far away must not stretch the frame.
        let inner = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            let cut = values.len() / 25;
            (values[cut], values[values.len() - 1 - cut])
        };
        let (left, right) = inner(points.iter().map(|(_, place)| place.x).collect());
        let (top, bottom) = inner(points.iter().map(|(_, place)| place.y).collect());
        let mut scales: Vec<f32> = points.iter().map(|(_, place)| place.scale).collect();
        scales.sort_by(f32::total_cmp);
        let frame = Area { left, top, right, bottom }.grown(3.0 * scales[scales.len() / 2]);
        let cell = |x: f32, y: f32| {
            let step =
                |at: f32, from: f32, length: f32| ((at - from) / length * GRID).clamp(0.0, GRID - 1.0) as u16;
            step(y, frame.top, frame.longest()) * GRID as u16 + step(x, frame.left, frame.longest())
        };
        let slack = frame.grown(0.15 * frame.longest());
        let entries: Vec<Entry> = points
            .into_iter()
            .filter(|(_, place)| slack.holds((place.x, place.y)))
            .map(|(at, Place { x, y, scale, turn })| Entry {
                x,
                y,
                scale,
                turn,
                descriptor: *ground.photos.descriptor(at),
                signature: ground.signatures[at as usize],
                photo: ground.photos.photo_of[at as usize],
                cell: cell(x, y),
            })
            .collect();
        (frame.longest() > 0.0 && entries.len() >= 3).then_some(Self { entries, frame })
    }

    /// For every photo that is searched the place that shows the thing best, if any does at all.
    pub(super) fn search(&self, ground: &Ground<'_, '_>, searched: &[bool]) -> Vec<Option<Hit>> {
        let photos = ground.photos;
        let near: Vec<Vec<Near>> = (0..photos.all.len())
            .into_par_iter()
            .map(|photo| {
                let near = || pulp::Arch::new().dispatch(|| self.near(ground, photo));
                if searched[photo] { near() } else { Vec::new() }
            })
            .collect();
        // How near the nearest entry is to a point of the background.
        let mut counts = [0_u64; STEPS];
        let mut total = 0_u64;
        for (photo, near) in
            near.iter().enumerate().filter(|(photo, _)| ground.is_background[*photo] && searched[*photo])
        {
            total += photos.range(photo).len() as u64;
            for near in near.iter().filter(|near| near.first) {
                counts[(near.distance / STEP) as usize] += 1;
            }
        }
        let mut weights = [0.0_f32; STEPS];
        let mut sum = 0_u64;
        for (weight, count) in weights.iter_mut().zip(counts) {
            sum += count;
            *weight = -(((sum + 1) as f64 / (total + 2) as f64).ln() as f32);
        }
        (0..photos.all.len())
            .into_par_iter()
            .map(|photo| self.vote(photos, photo, &near[photo], &weights))
            .collect()
    }

    /// The nearest entries of each point of a photo.
    #[inline(always)]
    fn near(&self, ground: &Ground<'_, '_>, photo: usize) -> Vec<Near> {
        let mut near = Vec::new();
        for at in ground.photos.range(photo) {
            let signature = ground.signatures[at];
            let descriptor = ground.photos.descriptor(at as u32);
            let mut nearest: Vec<(i32, usize)> = Vec::new();
            for (k, entry) in self.entries.iter().enumerate() {
                if (entry.signature ^ signature).count_ones() > MOST_BITS || entry.photo as usize == photo {
                    continue;
                }
                let distance = distance(&entry.descriptor, descriptor);
                if distance < MOST_DISTANCE {
                    nearest.push((distance, k));
                }
            }
            nearest.sort_unstable();
            let mut cells: Vec<u16> = Vec::with_capacity(NEAREST);
            for (distance, k) in nearest {
                let cell = self.entries[k].cell;
                if !cells.contains(&cell) {
                    near.push(Near { point: at as u32, entry: k, distance, first: cells.is_empty() });
                    cells.push(cell);
                    if cells.len() == NEAREST {
                        break;
                    }
                }
            }
        }
        near
    }

    fn vote(&self, photos: &Photos<'_>, photo: usize, near: &[Near], weights: &[f32; STEPS]) -> Option<Hit> {
        struct Vote<'a> {
            weight: f32,
            at: (f32, f32),
            size: f32,
            entry: &'a Entry,
        }
        let mut votes: Vec<Vote<'_>> = near
            .iter()
            .filter_map(|near| {
                let weight = weights[(near.distance / STEP) as usize];
                let point = photos.point(near.point);
                let entry = &self.entries[near.entry];
                (weight >= LEAST_WEIGHT).then(|| Vote {
                    weight,
                    at: (point.x(), point.y()),
                    size: point.scale(),
                    entry,
                })
            })
            .collect();
        votes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        votes.truncate(MOST_VOTES);
        let most = MOST_SHARE * working_area(photos, photo as u32);
        let mut best: (f32, Vec<usize>) = (0.0, Vec::new());
        let mut counted: Vec<usize> = Vec::new();
        for vote in &votes {
            let scale = vote.size / vote.entry.scale;
            if self.frame.size() * scale * scale > most {
                continue;
            }
            counted.clear();
            let mut sum = 0.0;
            for (k, other) in votes.iter().enumerate() {
                let (dx, dy) = vote.entry.turned(scale, other.entry);
                let off = (other.at.0 - vote.at.0 - dx).hypot(other.at.1 - vote.at.1 - dy);
                let ratio = other.size / other.entry.scale / scale;
                if off > 0.3 * dx.hypot(dy) + 2.5 * other.size || !(1.0 / 1.45..1.45).contains(&ratio) {
                    continue;
                }
                let is_new = counted.iter().all(|&c| {
                    let known = &votes[c];
                    known.entry.cell != other.entry.cell
                        && (known.at.0 - other.at.0).hypot(known.at.1 - other.at.1)
                            >= 2.0 * other.size.min(known.size)
                });
                if is_new {
                    counted.push(k);
                    sum += other.weight;
                    if counted.len() == MOST_COUNTED {
                        break;
                    }
                }
            }
            if sum > best.0 {
                best = (sum, counted.clone());
            }
        }
        let (score, counted) = best;
        let first = votes.get(*counted.first()?)?;
        let pairs: Vec<_> =
            counted.iter().map(|&k| ((votes[k].entry.x, votes[k].entry.y), votes[k].at)).collect();
        let scale = first.size / first.entry.scale;
        let (a, b) = (scale * first.entry.turn.0, scale * first.entry.turn.1);
        let by_points = Similarity {
            a,
            b,
            dx: first.at.0 - a * first.entry.x + b * first.entry.y,
            dy: first.at.1 - b * first.entry.x - a * first.entry.y,
        };
        let fitted = if pairs.len() >= 3 { Similarity::fit(&pairs) } else { None };
        let pose = fitted
            .filter(|pose| {
                let between = by_points.inverse().then(pose);
                (0.6..1.7).contains(&between.scale()) && between.b.atan2(between.a).abs() < 0.5
            })
            .unwrap_or(by_points);
        Some(Hit { score, votes: counted.len() as u32, pose, area: self.frame.mapped(&pose) })
    }

    /// A model of what the accepted photos show in and about their areas, in this frame: points that several share.
    pub(super) fn refined(&self, ground: &Ground<'_, '_>, accepted: &[(usize, Hit)]) -> Option<Self> {
        struct Seen {
            at: u32,
            photo: usize,
            place: Place,
        }
        let wide = self.frame.grown(0.3 * self.frame.longest());
        let mut seen: Vec<Seen> = Vec::new();
        for &(photo, hit) in accepted {
            let back = hit.pose.inverse();
            let area = wide.mapped(&hit.pose);
            for at in ground.photos.range(photo) {
                let point = ground.photos.point(at as u32);
                if area.holds((point.x(), point.y())) {
                    let place = Place::of(point, &back);
                    if place.scale < 0.5 * self.frame.longest() {
                        seen.push(Seen { at: at as u32, photo, place });
                    }
                }
            }
        }
        let least = 2.max((0.03 * accepted.len() as f32).ceil() as usize);
        let width = 0.15 * self.frame.longest();
        let support: Vec<usize> = seen
            .par_iter()
            .map(|a| {
                let (descriptor, signature) =
                    (ground.photos.descriptor(a.at), ground.signatures[a.at as usize]);
                let mut last = usize::MAX;
                let mut count = 0;
                for b in &seen {
                    if b.photo != a.photo
                        && b.photo != last
                        && (ground.signatures[b.at as usize] ^ signature).count_ones() <= MOST_BITS
                        && (a.place.x - b.place.x).hypot(a.place.y - b.place.y) < width
                        && (a.place.scale / b.place.scale).ln().abs() < 0.4
                        && distance(descriptor, ground.photos.descriptor(b.at)) < MOST_DISTANCE * 3 / 4
                    {
                        last = b.photo;
                        count += 1;
                    }
                }
                count
            })
            .collect();
        let mut points: Vec<(usize, u32, Place)> = seen
            .iter()
            .zip(support)
            .filter(|(_, support)| *support >= least)
            .map(|(seen, support)| (support, seen.at, seen.place))
            .collect();
        points.sort_by_key(|(support, at, _)| (std::cmp::Reverse(*support), *at));
        points.truncate(MOST_ENTRIES);
        Self::new(ground, points.into_iter().map(|(_, at, place)| (at, place)).collect())
    }
}

/// What covers more of a photo than this is no mark on it.
pub(super) const MOST_SHARE: f32 = 0.25;

/// A point and an entry that look alike.
struct Near {
    point: u32,
    entry: usize,
    distance: i32,
    /// Whether no entry is nearer.
    first: bool,
}

fn thin<T>(items: &mut Vec<T>, most: usize) {
    let all = items.len();
    if all > most {
        let mut at = 0;
        items.retain(|_| {
            at += 1;
            at * most / all != (at - 1) * most / all
        });
    }
}

/// From each node to the frame of the node with the heaviest edges, along the heaviest edges.
fn poses(seed: &Seed) -> Vec<Option<Similarity>> {
    let mut weight = vec![0; seed.nodes.len()];
    for (a, b, pair) in &seed.edges {
        weight[*a] += pair.points.len();
        weight[*b] += pair.points.len();
    }
    let Some(root) = (0..weight.len()).max_by_key(|&node| (weight[node], std::cmp::Reverse(node))) else {
        return Vec::new();
    };
    let mut order: Vec<usize> = (0..seed.edges.len()).collect();
    order.sort_by_key(|&edge| (std::cmp::Reverse(seed.edges[edge].2.points.len()), edge));
    let mut poses: Vec<Option<Similarity>> = vec![None; seed.nodes.len()];
    poses[root] = Some(Similarity::IDENTITY);
    // Prim: the heaviest edge that leads out of what is known.
    loop {
        let next = order.iter().find_map(|&edge| {
            let (a, b, pair) = &seed.edges[edge];
            match (poses[*a], poses[*b]) {
                (Some(pose), None) => Some((*b, pair.similarity.inverse().then(&pose))),
                (None, Some(pose)) => Some((*a, pair.similarity.then(&pose))),
                _ => None,
            }
        });
        let Some((node, pose)) = next else { break };
        // Where sizes run away the chain is wrong.
        poses[node] = Some(pose);
    }
    poses
}
