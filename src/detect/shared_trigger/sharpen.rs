//! Which photos show a thing that some are known to show? A template is learnt from these and looked for in all.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::colours::Colours;
use super::graph::{Scenes, working_area};
use super::hunt::{Found, LABEL_COUNTS, Shown, label_evidence, shown};
use super::model::{Ground, Hit, MOST_SHARE};
use super::photo::Photos;
use super::score::tail;
use super::template::{Sight, Teacher, Template, grid, margin};
use super::verify::{Area, Similarity};
use crate::feature::local::GradientLevels;
use crate::feature::picture::Picture;
use crate::task::{Cancelled, Task};

/// Photos that a template is learnt from; each takes about 5 MB meanwhile.
const TEACHERS: usize = 32;
const LEAST_TEACHERS: usize = 4;

/// How often members found teach another template, and all is searched again.
const ROUNDS: usize = 2;

/// The template is drawn so much larger than what is known of the thing, as a share of its longer side, and each time anew
/// where the teachers agree: points often lie in the middle of a mark and not on its outline.
const PASSES: [f32; 3] = [0.35, 0.1, 0.0];

/// Photos that are searched, and background photos that say what chance finds: so many to a suspect.
const MOST_SUSPECTS: usize = 4000;
const BACKGROUND: std::ops::RangeInclusive<usize> = 400..=1200;
const BACKGROUND_SHARE: usize = 2;

/// How many deviations of the background's scores a vote by points is worth at the score that a few of it reach.
const VOTE: f32 = 3.0;

/// Background photos from which on colours are compared, and how much they count beside the shape: how they look at
/// the place that fits best depends on the shape too.
const LEAST_BACKGROUND: usize = 30;
const COLOUR: f32 = 0.4;

/// Decodes a photo of a search.
pub(super) type Load<'a> = dyn Fn(usize) -> Option<Picture> + Sync + 'a;

/// Replaces the members of a cluster by those that a template finds.
pub(super) fn sharpen(
    ground: &Ground<'_, '_>,
    scenes: &Scenes,
    found: &mut Found,
    load: &Load<'_>,
    task: &Task,
) -> Result<(), Cancelled> {
    let mut known = found.hits.clone();
    let mut frame = found.model.frame;
    // From the frame of what is known to that of the points.
    let mut to_points = Similarity::IDENTITY;
    for round in 0..ROUNDS {
        let used = known.len().min(TEACHERS);
        let Some(sharp) = Sharp::learn(scenes, &known, frame, to_points, load) else { return Ok(()) };
        let wanted = Wanted {
            photos: ground.photos,
            is_background: ground.is_background,
            label: (found.shown.label_part > LABEL_COUNTS).then_some(found.shown.label),
            votes: &found.votes,
            threshold: found.threshold,
        };
        let seen = sharp.search(&wanted, load, task)?;
        let members = found.shown.members.len();
        if round > 0 && seen.members.len() <= members || seen.members.len() * 2 < members {
            return Ok(());
        }
        known = seen.members.iter().map(|(photo, hit, _)| (*photo, *hit)).collect();
        frame = seen.frame;
        to_points = sharp.to_points;
        if !known.is_empty() {
            found.shown.judge_again(ground, scenes, &seen, wanted.label);
        }
        found.shown.counterexamples = seen.near;
        found.shown.members = seen.members;
        // It is worth another round if there are many more to learn from than there were.
        if known.len().min(TEACHERS) * 4 <= used * 5 {
            break;
        }
    }
    Ok(())
}

impl Shown {
    /// Says again how unlikely it all is, after a search; for labels only if it was in photos of every label.
    fn judge_again(&mut self, ground: &Ground<'_, '_>, scenes: &Scenes, seen: &Seen, label: Option<u32>) {
        let members: Vec<usize> = seen.members.iter().map(|(photo, ..)| *photo).collect();
        let own = scenes.count(members.iter().copied());
        let all = scenes.count((0..ground.photos.all.len()).filter(|&at| !ground.is_background[at]));
        self.novelty = tail(all + seen.background, own + seen.background_hits, all, own);
        self.scenes = own;
        self.background_hits = seen.background_hits;
        if label.is_none() && !ground.photos.by_label {
            let rate = seen.background_hits as f64 / seen.background.max(1) as f64;
            (self.label, self.label_part) = label_evidence(ground, scenes, &members, rate);
        }
    }
}

/// In which photos to look for a thing, and what is known of it.
pub(super) struct Wanted<'a, 'p> {
    pub(super) photos: &'a Photos<'p>,
    /// By photo, whether it is background for this thing.
    pub(super) is_background: &'a [bool],
    /// Only suspects of this label are looked at.
    pub(super) label: Option<u32>,
    /// By photo, where its points show the thing best, and the score that few background photos reach.
    pub(super) votes: &'a [Option<Hit>],
    pub(super) threshold: f32,
}

/// A template, and how it relates to the points' frame.
pub(super) struct Sharp {
    template: Template,
    /// From the template to the frame of the points.
    to_points: Similarity,
    /// Where the thing is in the template.
    area: Area,
    /// By teacher, the colours that it shows.
    colours: BTreeMap<usize, Vec<u8>>,
}

pub(super) struct Seen {
    pub(super) members: Vec<(usize, Hit, f64)>,
    pub(super) near: Vec<(usize, Hit)>,
    /// Photos of the background that were searched, and those of them that score like members.
    pub(super) background: usize,
    pub(super) background_hits: usize,
    /// Where the thing is in the frame of the members' poses.
    frame: Area,
}

impl Sharp {
    pub(super) fn learn(
        scenes: &Scenes,
        known: &[(usize, Hit)],
        frame: Area,
        mut to_points: Similarity,
        load: &Load<'_>,
    ) -> Option<Self> {
        let mut teachers = teachers(scenes, known, load);
        if teachers.len() < LEAST_TEACHERS {
            return None;
        }
        let mut area = frame;
        // The frame of the points is generous: the template is drawn in it, and again where its weight is.
        let mut template = None;
        for wider in PASSES {
            area = area.grown(wider * area.longest());
            let (width, height, unit) = grid(area.width(), area.height());
            let margin = margin() * unit;
            let to_last = Similarity { a: unit, b: 0.0, dx: area.left - margin, dy: area.top - margin };
            to_points = to_last.then(&to_points);
            for teacher in &mut teachers {
                teacher.pose = to_last.then(&teacher.pose);
            }
            let learnt = Template::learn(width, height, &mut teachers);
            area = learnt.area();
            template = Some(learnt);
        }
        let mut template = template?;
        template.settle(&teachers);
        let colours = |teacher: &Teacher| template.colours(&teacher.levels, &teacher.pose);
        let colours = teachers.iter().map(|teacher| (teacher.photo, colours(teacher))).collect();
        Some(Self { template, to_points, area, colours })
    }

    /// Looks for the thing in the suspects, or those of the label if that counts, and in enough of the background.
    pub(super) fn search(
        &self,
        wanted: &Wanted<'_, '_>,
        load: &Load<'_>,
        task: &Task,
    ) -> Result<Seen, Cancelled> {
        let Wanted { photos, is_background, label, votes, threshold } = *wanted;
        let mut suspects: Vec<usize> = (0..photos.all.len())
            .filter(|&at| !is_background[at] && label.is_none_or(|label| photos.all[at].label == label))
            .collect();
        let vote = |at: usize| votes[at].map_or(0.0, |hit| hit.score);
        if suspects.len() > MOST_SUSPECTS {
            suspects.sort_by(|a, b| vote(*b).total_cmp(&vote(*a)).then(a.cmp(b)));
            suspects.truncate(MOST_SUSPECTS);
            suspects.sort_unstable();
        }
        let all: Vec<usize> = (0..photos.all.len()).filter(|&at| is_background[at]).collect();
        let wanted = BACKGROUND_SHARE * suspects.len();
        let taken = all.len().min(wanted.clamp(*BACKGROUND.start(), *BACKGROUND.end()));
        let background: Vec<usize> = (0..taken).map(|i| all[i * all.len() / taken]).collect();

        task.begin("Looking for a mark in every picture", suspects.len() + background.len());
        let look = |at: &usize| -> Result<Option<(Sight, Vec<u8>)>, Cancelled> {
            task.check()?;
            let known = votes[*at].map(|hit| self.to_points.then(&hit.pose));
            let sight = load(*at).and_then(|picture| {
                let levels = self.template.levels(&picture);
                let sight = self.template.find(*at, &levels, known)?;
                Some((sight, self.template.colours(&levels, &sight.pose)))
            });
            task.advance(1);
            Ok(sight)
        };
        let of_suspects: Vec<_> = suspects.par_iter().map(look).collect::<Result<_, _>>()?;
        let of_background: Vec<_> = background.par_iter().map(look).collect::<Result<_, _>>()?;

        let spread = Spread::of(of_background.iter().flatten().map(|(sight, _)| sight.score));
        let colours =
            Colours::learn(&self.colours, of_background.iter().flatten().map(|(_, colours)| colours));
        // Where a photo shows it, how well its shape fits, and how well its colours do.
        let judged = |at: usize, seen: &Option<(Sight, Vec<u8>)>| -> Option<(Hit, f32)> {
            let (sight, shown) = seen.as_ref()?;
            let area = self.area.mapped(&sight.pose);
            let agrees = votes[at].filter(|hit| {
                let ((x, y), (u, v)) = (hit.area.centre(), area.centre());
                (x - u).hypot(y - v) < 0.4 * area.longest()
            });
            let by_points = agrees.map_or(0.0, |hit| hit.score / threshold);
            let score = spread.of_score(sight.score) + VOTE * by_points;
            let hit = Hit { score, votes: agrees.map_or(0, |hit| hit.votes), pose: sight.pose, area };
            Some((hit, colours.score(at, shown)))
        };
        let of_suspects: Vec<_> =
            suspects.par_iter().zip(&of_suspects).map(|(at, seen)| judged(*at, seen)).collect();
        let of_background: Vec<_> =
            background.par_iter().zip(&of_background).map(|(at, seen)| judged(*at, seen)).collect();
        let weights = Weights::of(
            &of_background.iter().flatten().map(|(hit, colour)| (hit.score, *colour)).collect::<Vec<_>>(),
        );
        let hit = |judged: &Option<(Hit, f32)>| {
            judged.map(|(hit, colour)| Hit { score: weights.score(hit.score, colour).max(0.0), ..hit })
        };
        let mut hits: Vec<Option<Hit>> = vec![None; photos.all.len()];
        for (at, judged) in suspects.iter().zip(&of_suspects).chain(background.iter().zip(&of_background)) {
            hits[*at] =
                hit(judged).filter(|hit| hit.area.size() < MOST_SHARE * working_area(photos, *at as u32));
        }
        let mut near: Vec<(usize, Hit)> =
            background.iter().filter_map(|&at| hits[at].map(|hit| (at, hit))).collect();
        near.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
        let members = shown(&hits, &suspects, &background);
        let least = members.last().map_or(f32::INFINITY, |(_, hit, _)| hit.score);
        let background_hits = near.iter().filter(|(_, hit)| hit.score >= least).count();
        near.truncate(5);
        Ok(Seen { members, near, background: background.len(), background_hits, frame: self.area })
    }
}

/// How scores of the background are spread.
#[derive(Clone, Copy)]
struct Spread {
    mean: f32,
    deviation: f32,
}

impl Spread {
    fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let count = values.clone().count().max(1) as f32;
        let mean = values.clone().sum::<f32>() / count;
        let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
        Self { mean, deviation: variance.sqrt().max(1e-3) }
    }

    fn of_score(self, value: f32) -> f32 {
        (value - self.mean) / self.deviation
    }
}

/// How rarely the background has a value so high, as −ln of the chance: counted, and beyond the highest tenth an
/// exponential tail.
struct Tail {
    values: Vec<f32>,
    from: f32,
    scale: f32,
}

impl Tail {
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let mut values: Vec<f32> = values.collect();
        values.sort_by(f32::total_cmp);
        let beyond = &values[values.len() - values.len().div_ceil(10)..];
        let from = beyond.first().copied().unwrap_or_default();
        let excess = beyond.iter().map(|value| value - from).sum::<f32>() / beyond.len().max(1) as f32;
        Self { from, scale: excess.max(1e-3), values }
    }

    fn surprise(&self, value: f32) -> f32 {
        let count = self.values.len() as f32;
        let seen = value.min(self.from);
        let reached = count - self.values.partition_point(|known| *known < seen) as f32;
        -((reached + 0.5) / (count + 1.0)).ln() + (value - self.from).max(0.0) / self.scale
    }
}

/// How shape and colour count together: each by how rarely the background reaches it.
struct Weights {
    shape: Tail,
    colour: Tail,
    share: f32,
}

impl Weights {
    /// From (shape, colour) of the background.
    fn of(background: &[(f32, f32)]) -> Self {
        Self {
            shape: Tail::of(background.iter().map(|(shape, _)| *shape)),
            colour: Tail::of(background.iter().map(|(_, colour)| *colour)),
            share: if background.len() < LEAST_BACKGROUND { 0.0 } else { COLOUR },
        }
    }

    fn score(&self, shape: f32, colour: f32) -> f32 {
        self.shape.surprise(shape) + self.share * self.colour.surprise(colour)
    }
}

/// The photos that show the thing most surely, one of each scene.
fn teachers(scenes: &Scenes, known: &[(usize, Hit)], load: &Load<'_>) -> Vec<Teacher> {
    let mut seen = Vec::new();
    let mut chosen: Vec<(usize, Hit)> = Vec::new();
    for &(photo, hit) in known {
        let scene = scenes.of(photo);
        if chosen.len() < TEACHERS && !seen.contains(&scene) {
            seen.push(scene);
            chosen.push((photo, hit));
        }
    }
    chosen
        .par_iter()
        .filter_map(|&(photo, hit)| {
            let levels = GradientLevels::of(&load(photo)?, (0.0, f32::INFINITY));
            Some(Teacher { photo, levels, pose: hit.pose })
        })
        .collect()
}
