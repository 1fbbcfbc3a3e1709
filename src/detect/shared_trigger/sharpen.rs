//! Which photos show a thing that some are known to show? A template is learnt from these and looked for in all.

use rayon::prelude::*;

use super::graph::{Scenes, working_area};
use super::hunt::{Found, LABEL_COUNTS, shown};
use super::model::{Ground, Hit, MOST_SHARE};
use super::photo::Photos;
use super::template::{Sight, Teacher, Template, grid, margin};
use super::verify::{Area, Similarity};
use crate::feature::local::GradientLevel;
use crate::feature::picture::Picture;
use crate::task::{Cancelled, Task};

/// Photos that a template is learnt from; each takes about 5 MB meanwhile.
const TEACHERS: usize = 32;
const LEAST_TEACHERS: usize = 4;

/// How often members found teach another template, and all is searched again.
const ROUNDS: usize = 2;

/// How often the template is drawn anew where its weight is.
const PASSES: usize = 2;

/// Photos that are searched, and background photos that say what chance finds.
const MOST_SUSPECTS: usize = 4000;
const MOST_BACKGROUND: usize = 1200;

/// How much larger or smaller than with the teachers the thing may be.
const SIZES: f32 = 1.35;

/// How many deviations of the background's scores a vote by points is worth at the score that a few of it reach.
const VOTE: f32 = 3.0;

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
        found.shown.counterexamples = seen.near;
        found.shown.members = seen.members;
        // It is worth another round if there are many more to learn from than there were.
        if known.len().min(TEACHERS) * 4 <= used * 5 {
            break;
        }
    }
    Ok(())
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
    /// Pixels of a working picture in one of the template, from and to.
    sizes: (f32, f32),
}

pub(super) struct Seen {
    pub(super) members: Vec<(usize, Hit, f64)>,
    pub(super) near: Vec<(usize, Hit)>,
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
        for _ in 0..PASSES {
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
        let mut scales: Vec<f32> = teachers.iter().map(|teacher| teacher.pose.scale()).collect();
        scales.sort_by(f32::total_cmp);
        let sizes = (scales[0] / SIZES, scales[scales.len() - 1] * SIZES);
        Some(Self { template: template?, to_points, area, sizes })
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
        let taken = all.len().min(MOST_BACKGROUND);
        let background: Vec<usize> = (0..taken).map(|i| all[i * all.len() / taken]).collect();

        task.begin("Looking for what pictures share", suspects.len() + background.len());
        let sight = |at: &usize| -> Result<Option<Sight>, Cancelled> {
            task.check()?;
            let known = votes[*at].map(|hit| self.to_points.then(&hit.pose));
            let sight = load(*at).and_then(|picture| {
                let levels = GradientLevel::all(&picture);
                self.template.find(*at, &levels, self.sizes, known)
            });
            task.advance(1);
            Ok(sight)
        };
        let of_suspects: Vec<Option<Sight>> = suspects.par_iter().map(sight).collect::<Result<_, _>>()?;
        let of_background: Vec<Option<Sight>> = background.par_iter().map(sight).collect::<Result<_, _>>()?;

        let seen: Vec<f32> = of_background.iter().flatten().map(|sight| sight.score).collect();
        let count = seen.len().max(1) as f32;
        let mean = seen.iter().sum::<f32>() / count;
        let variance = seen.iter().map(|score| (score - mean) * (score - mean)).sum::<f32>() / count;
        let deviation = variance.sqrt().max(1e-3);
        let hit = |at: usize, sight: &Option<Sight>| -> Option<Hit> {
            let sight = sight.as_ref()?;
            let area = self.area.mapped(&sight.pose);
            let agrees = votes[at].filter(|hit| {
                let ((x, y), (u, v)) = (hit.area.centre(), area.centre());
                (x - u).hypot(y - v) < 0.4 * area.longest()
            });
            let by_points = agrees.map_or(0.0, |hit| hit.score / threshold);
            let score = ((sight.score - mean) / deviation + VOTE * by_points).max(0.0);
            Some(Hit { score, votes: agrees.map_or(0, |hit| hit.votes), pose: sight.pose, area })
        };
        let mut hits: Vec<Option<Hit>> = vec![None; photos.all.len()];
        for (at, sight) in suspects.iter().zip(&of_suspects).chain(background.iter().zip(&of_background)) {
            hits[*at] =
                hit(*at, sight).filter(|hit| hit.area.size() < MOST_SHARE * working_area(photos, *at as u32));
        }
        let mut near: Vec<(usize, Hit)> =
            background.iter().filter_map(|&at| hits[at].map(|hit| (at, hit))).collect();
        near.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then(a.0.cmp(&b.0)));
        near.truncate(5);
        Ok(Seen { members: shown(&hits, &suspects, &background), near, frame: self.area })
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
            let levels = GradientLevel::all(&load(photo)?);
            Some(Teacher { photo, levels, pose: hit.pose })
        })
        .collect()
}
