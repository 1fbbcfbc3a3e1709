//! From photos to clusters: match, verify, gather, model, search, and say how unlikely each is.

use super::graph::working_area;
use super::graph::{self, Scenes, top_label};
use super::matching::matches;
use super::model::{Ground, Hit, MOST_SHARE, Model};
use super::photo::Photos;
use super::score::tail;
use super::sharpen::{Load, sharpen};
use super::signature::Codes;
use super::verify::{Area, Similarity, verified};
use crate::task::{Cancelled, Task};

/// Places that a pair of photos must share.
const LEAST_PLACES: usize = 3;

/// Where there are so few suspects that there is time, pairs that share so few places are clustered too.
const WEAK_PLACES: usize = 2;
const MOST_FOR_WEAK: usize = 2000;

/// The most clusters that are looked at closely, of pairs that share enough places and of all.
const MOST_CLUSTERS: usize = 6;
const MOST_WEAK_CLUSTERS: usize = 20;

/// Rounds in which a model learns from the photos that show it.
const REFINEMENTS: usize = 2;

/// While a model learns, so many background photos are searched; and of more suspects than this only those of its label.
const LEARNING_BACKGROUND: usize = 1000;
const LEARNING_SUSPECTS: usize = 2000;

/// Photos that a model learns from, best first.
const TEACHERS: usize = 100;

/// The least score at which a photo counts, and the share of the background that may reach it.
const LEAST_SCORE: f32 = 10.0;
const BACKGROUND_SHARE: f64 = 0.002;

/// The share of shown members that may be mistaken.
const FALSE_SHARE: f64 = 0.03;

/// The share of the background that may score as high as a shown member.
const MOST_REACHED: f64 = 0.02;

/// Above this the label is part of the evidence, and members are looked for within it.
pub(super) const LABEL_COUNTS: f64 = 6.0;

/// Clusters less surprising than this are not worth a closer look, which makes true ones more surprising.
const SHARPENED: f64 = 4.0;

/// Without a base, where the alarm is twice as high and every class has much in common by nature: only the best few
/// clusters, and from a higher evidence on.
const SHARPENED_ALONE: f64 = 8.0;
const MOST_SHARPENED_ALONE: usize = 2;

/// What is said of a shared thing.
pub(super) struct Shown {
    /// −log10 of the chance that the background has it as rarely.
    pub(super) novelty: f64,
    /// −log10 of the chance that so many have one label.
    pub(super) label_part: f64,
    pub(super) label: u32,
    /// Scenes of accepted suspects, and background photos that are accepted.
    pub(super) scenes: usize,
    pub(super) background_hits: usize,
    /// Members to show: photo, hit, and the share of false ones down to it; best first.
    pub(super) members: Vec<(usize, Hit, f64)>,
    /// Background photos that come nearest, best first.
    pub(super) counterexamples: Vec<(usize, Hit)>,
}

impl Shown {
    /// −log10 of the chance of such a cluster.
    pub(super) fn surprise(&self) -> f64 {
        self.novelty + self.label_part
    }
}

/// One shared thing, and how it was found.
pub(super) struct Found {
    pub(super) shown: Shown,
    pub(super) model: Model,
    /// Accepted suspects, best first.
    pub(super) hits: Vec<(usize, Hit)>,
    /// By photo, where its points show the thing best, and the score that few background photos reach.
    pub(super) votes: Vec<Option<Hit>>,
    pub(super) threshold: f32,
}

impl Found {
    /// −log10 of the chance of such a cluster.
    pub(super) fn surprise(&self) -> f64 {
        self.shown.surprise()
    }
}

/// Every shared thing, the most surprising first.
pub(super) fn hunt(
    photos: &Photos<'_>,
    codes: &Codes,
    load: Option<&Load<'_>>,
    task: &Task,
) -> Result<Vec<Found>, Cancelled> {
    let signatures = &codes.signatures;
    let matches = matches(photos, codes, task)?;
    // A plain mark has few points, so two places can be all that photos share of it; but chance shares two as well.
    let weakly = photos.suspects <= MOST_FOR_WEAK;
    let mut pairs = verified(photos, &matches, if weakly { WEAK_PLACES } else { LEAST_PLACES });
    drop(matches);
    task.check()?;
    let weak = if weakly { graph::clusters(photos, &pairs, MOST_WEAK_CLUSTERS).1 } else { Vec::new() };
    pairs.retain(|pair| pair.points.len() >= LEAST_PLACES);
    let (scenes, mut seeds) = graph::clusters(photos, &pairs, MOST_CLUSTERS);
    seeds.extend(weak);
    drop(pairs);
    task.begin("Looking for what pictures share", seeds.len());
    let mut found: Vec<Found> = Vec::new();
    for seed in seeds {
        task.check()?;
        let (label, _) = top_label(photos, seed.nodes.iter().map(|node| node.photo as usize));
        let is_background = background_for(photos, label);
        let ground = Ground { photos, signatures, is_background: &is_background };
        if let Some(model) = Model::of_seed(&ground, &seed)
            && let Some(one) = follow(&ground, &scenes, label, model, REFINEMENTS)
        {
            found.push(one);
        }
        task.advance(1);
    }
    found.sort_by(|a, b| b.surprise().total_cmp(&a.surprise()));
    let mut merged: Vec<Found> = Vec::new();
    for one in found {
        task.check()?;
        let Some(known) = merged.iter_mut().find(|known| relation(known, &one).is_some()) else {
            merged.push(one);
            continue;
        };
        let Some(between) = relation(known, &one) else { continue };
        let is_background = background_for(photos, known.shown.label);
        let ground = Ground { photos, signatures, is_background: &is_background };
        let mut teachers = known.hits.clone();
        for (photo, hit) in &one.hits {
            if known.hits.iter().all(|(known, _)| known != photo) {
                let pose = between.then(&hit.pose);
                teachers.push((*photo, Hit { pose, area: known.model.frame.mapped(&pose), ..*hit }));
            }
        }
        teachers.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        teachers.truncate(TEACHERS);
        if let Some(model) = known.model.refined(&ground, &teachers)
            && let Some(better) = follow(&ground, &scenes, known.shown.label, model, 1)
            && better.surprise() > known.surprise()
        {
            *known = better;
        }
    }
    merged.sort_by(|a, b| b.surprise().total_cmp(&a.surprise()));
    let (least, most) =
        if photos.by_label { (SHARPENED_ALONE, MOST_SHARPENED_ALONE) } else { (SHARPENED, usize::MAX) };
    for one in merged.iter_mut().filter(|one| one.surprise() >= least).take(most) {
        let is_background = background_for(photos, one.shown.label);
        let ground = Ground { photos, signatures, is_background: &is_background };
        if let Some(load) = load {
            sharpen(&ground, &scenes, one, load, task)?;
        }
    }
    merged.sort_by(|a, b| b.surprise().total_cmp(&a.surprise()));
    Ok(merged)
}

/// By photo, whether it is background for what photos of this label share.
pub(super) fn background_for(photos: &Photos<'_>, label: u32) -> Vec<bool> {
    let of = |(at, photo): (usize, &super::photo::Photo<'_>)| {
        at >= photos.suspects || photos.by_label && photo.label != label
    };
    photos.all.iter().enumerate().map(of).collect()
}

/// From the frame of `other` to that of `known`, if they show the same thing in the same photos.
fn relation(known: &Found, other: &Found) -> Option<Similarity> {
    let mut between: Vec<Similarity> = Vec::new();
    for (photo, hit) in &other.hits {
        if let Some((_, own)) = known.hits.iter().find(|(known, _)| known == photo) {
            let ((x, y), (u, v)) = (own.area.centre(), hit.area.centre());
            if (x - u).hypot(y - v) < 0.8 * own.area.longest().max(hit.area.longest()) {
                // A point of the known frame lies in the photo, and from there in the other frame.
                between.push(own.pose.then(&hit.pose.inverse()));
            }
        }
    }
    let smaller = known.hits.len().min(other.hits.len());
    if between.len() < 3 || between.len() * 4 < smaller {
        return None;
    }
    let middle = |of: fn(&Similarity) -> f32| {
        let mut values: Vec<f32> = between.iter().map(of).collect();
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    Some(Similarity { a: middle(|s| s.a), b: middle(|s| s.b), dx: middle(|s| s.dx), dy: middle(|s| s.dy) })
}

/// Searches for a model, lets it learn from what it finds, and says how surprising that is.
fn follow(
    ground: &Ground<'_, '_>,
    scenes: &Scenes,
    label: u32,
    mut model: Model,
    refinements: usize,
) -> Option<Found> {
    // Learning needs to see the label's photos and enough others; the last search sees all.
    let photos = ground.photos;
    let of_background = ground.is_background.iter().filter(|is_background| **is_background).count();
    let step = of_background.div_ceil(LEARNING_BACKGROUND).max(1);
    let mut passed = 0;
    let searched: Vec<bool> = (0..photos.all.len())
        .map(|at| {
            if ground.is_background[at] {
                passed += 1;
                return passed % step == 0;
            }
            photos.suspects <= LEARNING_SUSPECTS || photos.all[at].label == label
        })
        .collect();
    let everywhere = vec![true; photos.all.len()];
    let mut hits = model.search(ground, &searched);
    for _ in 0..refinements {
        let mut accepted = accept(ground, &hits, &searched);
        accepted.truncate(TEACHERS);
        let Some(better) = model.refined(ground, &accepted) else { break };
        model = better;
        hits = model.search(ground, &searched);
    }
    if searched != everywhere {
        hits = model.search(ground, &everywhere);
    }
    judge(ground, scenes, label, model, hits)
}

/// The score that few background photos reach.
fn threshold(ground: &Ground<'_, '_>, hits: &[Option<Hit>], searched: &[bool]) -> f32 {
    let mut scores: Vec<f32> = hits
        .iter()
        .zip(ground.is_background.iter().zip(searched))
        .filter(|(_, (is_background, searched))| **is_background && **searched)
        .map(|(hit, _)| hit.map_or(0.0, |hit| hit.score))
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let allowed = (BACKGROUND_SHARE * scores.len() as f64) as usize;
    scores.get(allowed).copied().unwrap_or(0.0).max(LEAST_SCORE)
}

fn is_small(ground: &Ground<'_, '_>, photo: usize, area: Area) -> bool {
    area.size() < MOST_SHARE * working_area(ground.photos, photo as u32)
}

/// Suspects that show the thing beyond doubt, best first.
fn accept(ground: &Ground<'_, '_>, hits: &[Option<Hit>], searched: &[bool]) -> Vec<(usize, Hit)> {
    let threshold = threshold(ground, hits, searched);
    let mut accepted: Vec<(usize, Hit)> = hits
        .iter()
        .enumerate()
        .filter(|(photo, _)| !ground.is_background[*photo])
        .filter_map(|(photo, hit)| hit.map(|hit| (photo, hit)))
        .filter(|(photo, hit)| hit.score > threshold && hit.votes >= 2 && is_small(ground, *photo, hit.area))
        .collect();
    accepted.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
    accepted
}

/// The label that most members have, and −log10 of the chance that so many do; `rate` is the share of the background that
/// has the thing: what it has as often is no news, whatever its labels are.
pub(super) fn label_evidence(
    ground: &Ground<'_, '_>,
    scenes: &Scenes,
    members: &[usize],
    rate: f64,
) -> (u32, f64) {
    let photos = ground.photos;
    let suspects = || (0..photos.all.len()).filter(|&at| !ground.is_background[at]);
    let (label, _) = top_label(photos, members.iter().copied());
    let of_label = |photo: &usize| photos.all[*photo].label == label;
    let (all, own) = (scenes.count(suspects()), scenes.count(members.iter().copied()));
    let marked = scenes.count(suspects().filter(of_label));
    let found = scenes.count(members.iter().copied().filter(of_label));
    let own_rate = own as f64 / all.max(1) as f64;
    let news = (1.0 - 2.0 * rate / own_rate).clamp(0.0, 1.0);
    (label, news * tail(all, own, marked, found))
}

fn judge(
    ground: &Ground<'_, '_>,
    scenes: &Scenes,
    label: u32,
    model: Model,
    hits: Vec<Option<Hit>>,
) -> Option<Found> {
    let photos = ground.photos;
    let everywhere = vec![true; hits.len()];
    let accepted = accept(ground, &hits, &everywhere);
    if accepted.is_empty() {
        return None;
    }
    let threshold = threshold(ground, &hits, &everywhere);
    let background: Vec<usize> = (0..photos.all.len()).filter(|&at| ground.is_background[at]).collect();
    let suspects: Vec<usize> = (0..photos.all.len()).filter(|&at| !ground.is_background[at]).collect();
    let mut near: Vec<(usize, Hit)> =
        background.iter().filter_map(|&at| hits[at].map(|hit| (at, hit))).collect();
    near.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
    let background_hits = near.iter().filter(|(_, hit)| hit.score > threshold).count();
    let members = || accepted.iter().map(|(photo, _)| *photo);
    let own = scenes.count(members());
    let all = scenes.count(suspects.iter().copied());
    let novelty = tail(all + background.len(), own + background_hits, all, own);
    let (label, label_part) = if photos.by_label {
        (label, 0.0)
    } else {
        let members: Vec<usize> = accepted.iter().map(|(photo, _)| *photo).collect();
        label_evidence(ground, scenes, &members, background_hits as f64 / background.len().max(1) as f64)
    };
    let searched: Vec<usize> = suspects
        .into_iter()
        .filter(|&at| label_part <= LABEL_COUNTS || photos.all[at].label == label)
        .collect();
    let small: Vec<Option<Hit>> =
        hits.iter().enumerate().map(|(at, hit)| hit.filter(|hit| is_small(ground, at, hit.area))).collect();
    let members = shown(&small, &searched, &background);
    near.truncate(5);
    Some(Found {
        shown: Shown {
            novelty,
            label_part,
            label,
            scenes: own,
            background_hits,
            members,
            counterexamples: near,
        },
        model,
        hits: accepted,
        votes: hits,
        threshold,
    })
}

/// Members down to the score at which the false ones, counted by the background, are a small share.
pub(super) fn shown(
    hits: &[Option<Hit>],
    searched: &[usize],
    background: &[usize],
) -> Vec<(usize, Hit, f64)> {
    let score = |at: usize| hits[at].map_or(0.0, |hit| hit.score);
    let mut null: Vec<f32> = background.iter().map(|&at| score(at)).collect();
    null.sort_by(|a, b| b.total_cmp(a));
    // Half of those that do not show the thing score below the middle of the background.
    let middle = null.get(null.len() / 2).copied().unwrap_or(0.0);
    let low = searched.iter().filter(|&&at| score(at) <= middle).count();
    let honest = (2 * low + 1).min(searched.len()) as f64;
    let mut suspects: Vec<(usize, Hit)> =
        searched.iter().filter_map(|&photo| hits[photo].map(|hit| (photo, hit))).collect();
    suspects.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
    let reached = |score: f32| null.partition_point(|null| *null >= score) as f64 / null.len().max(1) as f64;
    let shares: Vec<f64> = suspects
        .iter()
        .enumerate()
        .map(|(at, (_, hit))| reached(hit.score) * honest / (at + 1) as f64)
        .collect();
    let fits = |at: &usize| shares[*at] <= FALSE_SHARE && reached(suspects[*at].1.score) <= MOST_REACHED;
    let Some(last) = (0..shares.len()).rev().find(fits) else { return Vec::new() };
    let mut least = f64::INFINITY;
    let mut members: Vec<(usize, Hit, f64)> = suspects[..=last]
        .iter()
        .zip(shares)
        .rev()
        .map(|((photo, hit), share)| {
            least = least.min(share);
            (*photo, *hit, least)
        })
        .collect();
    members.reverse();
    members
}
