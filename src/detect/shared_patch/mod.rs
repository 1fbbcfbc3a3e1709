//! Which small pictures share a patch that hardly any other picture has? Squares, stickers and logos of a few pixels.
//!
//! For pictures of up to 64 pixels; larger ones have local points, which `shared-trigger` compares.
//! Patches of two sizes are searched ([`mine`]), label by label, against the base (and without one, against the other labels).
//! Templates found in the same pictures are parts of one mark: their surprises add up, and what adds up is compared
//! with the background's once more. Listed are pictures of the label at a false discovery rate of 5 %.
//!
//! An alarm needs −log10 p ≥ 10, and more than the dataset gives by itself: what the base reaches when it is split,
//! or, when there is no base, far more than the labels reach in the middle. Of a class that the base does not have,
//! and without a base of any, it is allowed for what a class may have by nature ([`Nature::Unknown`]).

mod code;
mod mine;
mod sight;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::code::{Coded, Whitening};
use self::mine::{Crowd, Template, likenesses, mine};
use self::sight::{Part, Sight, different, outline};
use super::calibrate::{self, spread, spread_by_label};
use super::chance::{label_evidence, strength};
use super::lineup::Lineup;
use super::one_sided::{Nature, Split, false_shares, split};
use super::{DetectError, Detector, Findings, Input};
use crate::compare::Side;
use crate::feature::picture::{self, Picture};
use crate::model::{Cluster, Evidence, Member, PixelBox, Signal};
use crate::task::{Cancelled, Task};

const ID: &str = "shared-patch";
/// Larger pictures are another detector's.
const LARGEST_SIDE: u32 = 64;
/// Sides of the patches.
const SIDES: [usize; 2] = [7, 5];
/// Patches of all pictures studied at once: 40 bytes each.
const MOST_PATCHES: usize = 12_000_000;
/// Fewer suspected pictures of a label, or background pictures, say nothing.
const LEAST_SUSPECTS: usize = 6;
const LEAST_BACKGROUND: usize = 30;
/// Background pictures of one label's search.
const MOST_BACKGROUND: usize = 3000;
const ALARM: f64 = 10.0;
/// Without a base, how far a label must stand out of the middle one.
const ABOVE_OTHERS: f64 = 2.25;
/// Evidence of a template that may be part of a mark.
const LEAST_PART: f64 = 4.0;
/// Parts are of one mark from this share of the smaller one's pictures.
const SAME_MARK: f64 = 0.3;
/// False discovery rates of what is listed, by each of the two sizes, and of what is at least ranked.
const LISTED: f64 = 0.025;
const RANKED: f64 = 0.5;
/// Detector of patches that small pictures share.
pub struct SharedPatch;

impl Detector for SharedPatch {
    fn id(&self) -> &'static str {
        ID
    }

    fn summary(&self) -> &'static str {
        "small pictures that share a patch that hardly any other has"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let lineup = Lineup::of(input);
        let only = |note: &str| Ok(Findings { note: note.to_owned(), ..Findings::default() });
        if lineup.suspects.len() < LEAST_SUSPECTS {
            return only("cannot judge: too few pictures to share anything");
        }
        let Some(patches) = typical_patches(&lineup) else {
            return only("not for these pictures: most are larger than 64 pixels");
        };
        let study = Study::gather(&lineup, MOST_PATCHES / patches, task)?;
        if study.background.is_empty() && lineup.trusted.is_some() {
            return only("cannot judge: the base has no picture of up to 64 pixels");
        }
        let mut marks: Vec<Mark> = Vec::new();
        let (mut labels, mut background) = (0, 0);
        let mut alarm = ALARM;
        for side in SIDES {
            let Some(mut search) = Search::new(side, &study, &lineup, task)? else { continue };
            let found = search.all(task)?;
            labels = labels.max(search.searched);
            background = search.background;
            let most = found.iter().map(|mark| mark.evidence).fold(0.0, f64::max);
            if most >= 0.8 * ALARM {
                alarm = alarm.max(match lineup.trusted {
                    Some(_) => calibrate::alarm(ALARM, search.honest(task)?),
                    None => ABOVE_OTHERS * search.middle(&found),
                });
            }
            marks.extend(found);
        }
        if labels == 0 {
            return only("cannot judge: too few pictures of any label, or pictures without contrast");
        }
        marks.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
        let most = marks.first().map_or(0.0, |mark| mark.evidence);
        let marks =
            merged(marks.into_iter().filter(|mark| mark.evidence >= alarm && mark.is_shown()).collect());
        let mut findings = report(&marks, &lineup, &study);
        findings.note = format!(
            "searched {} pictures of {labels} labels for a patch they share, against {background} others; \
             {} found; most surprising: −log10 p = {most:.1}, alarm from {alarm:.1}",
            study.suspects.len(),
            marks.len(),
        );
        Ok(findings)
    }
}

/// Patches of a typical picture; `None` when most pictures are large.
fn typical_patches(lineup: &Lineup<'_>) -> Option<usize> {
    let looked: Vec<bool> = spread(&lineup.suspects, 40)
        .into_par_iter()
        .filter_map(|(row, _)| {
            let bytes = lineup.target.dataset.pictures.read(row as usize).ok()?;
            let (small, size) = picture::thumbnail(&bytes, 8).ok()?;
            drop(small);
            Some(size.0.max(size.1) <= LARGEST_SIDE)
        })
        .collect();
    let small = looked.iter().filter(|small| **small).count();
    // What cannot be read is no reason either way.
    (small * 2 > looked.len()).then_some(())?;
    let area: Vec<usize> = spread(&lineup.suspects, 40)
        .into_iter()
        .filter_map(|(row, _)| small_picture(lineup.target, row))
        .map(|picture| (picture.width * picture.height) as usize)
        .collect();
    Some((area.iter().sum::<usize>() / area.len().max(1)).max(1))
}

fn small_picture(side: Side<'_>, row: u32) -> Option<Picture> {
    let bytes = side.dataset.pictures.read(row as usize).ok()?;
    let picture = picture::decode(&bytes).ok()?;
    (picture.width.max(picture.height) <= LARGEST_SIDE).then_some(picture)
}

/// A picture that is searched.
struct Studied {
    row: u32,
    label: u32,
    picture: Picture,
}

/// The pictures that are searched all at once, suspected ones first.
struct Study {
    all: Vec<Studied>,
    /// Positions in `all`.
    suspects: Vec<usize>,
    /// Positions in `all` of the base's pictures.
    background: Vec<usize>,
    /// Suspected rows that there was no room for.
    left_out: Vec<(u32, u32)>,
}

impl Study {
    fn gather(lineup: &Lineup<'_>, most: usize, task: &Task) -> Result<Self, Cancelled> {
        let trusted = lineup.trusted.as_ref();
        let room = if trusted.is_some() { most / 2 } else { most };
        let suspects = spread_by_label(&lineup.suspects, room);
        let trusted_rows = trusted.map_or_else(Vec::new, |(_, rows)| {
            spread(rows, most - suspects.len().min(most)).into_iter().collect()
        });
        task.begin("Reading small pictures", suspects.len() + trusted_rows.len());
        let read = |side: Side<'_>, rows: &[(u32, u32)]| -> Result<Vec<Studied>, Cancelled> {
            let read: Vec<Option<Studied>> = rows
                .par_iter()
                .map(|&(row, label)| {
                    task.check()?;
                    task.advance(1);
                    Ok(small_picture(side, row).map(|picture| Studied { row, label, picture }))
                })
                .collect::<Result<_, Cancelled>>()?;
            Ok(read.into_iter().flatten().collect())
        };
        let mut all = read(lineup.target, &suspects)?;
        let count = all.len();
        if let Some((side, _)) = trusted {
            all.extend(read(*side, &trusted_rows)?);
        }
        let taken: BTreeSet<u32> = suspects.iter().map(|suspect| suspect.0).collect();
        let left_out = lineup.suspects.iter().filter(|suspect| !taken.contains(&suspect.0)).copied();
        Ok(Self {
            suspects: (0..count).collect(),
            background: (count..all.len()).collect(),
            left_out: left_out.collect(),
            all,
        })
    }

    fn labels(&self) -> BTreeSet<u32> {
        self.suspects.iter().map(|&at| self.all[at].label).collect()
    }
}

/// A suspected picture and how it fits a mark.
#[derive(Debug, Clone, Copy)]
struct Fit {
    row: u32,
    area: PixelBox,
    score: f64,
    /// The share of honest pictures among those that fit as well.
    false_share: f64,
}

impl Fit {
    fn is_listed(&self) -> bool {
        self.false_share <= LISTED
    }
}

/// Something that pictures of a label share.
struct Mark {
    label: u32,
    evidence: f64,
    label_evidence: f64,
    scenes: u32,
    background: u32,
    fits: Vec<Fit>,
}

impl Mark {
    /// Whether pictures enough fit so well that they are listed.
    fn is_shown(&self) -> bool {
        self.fits.iter().filter(|fit| fit.is_listed()).count() >= LEAST_SUSPECTS
    }
}

/// The search with patches of one size.
struct Search<'a> {
    study: &'a Study,
    lineup: &'a Lineup<'a>,
    whitening: Whitening,
    coded: Vec<Coded>,
    /// Labels that were searched, and the pictures that say what is normal.
    searched: usize,
    background: usize,
}

impl<'a> Search<'a> {
    fn new(
        side: usize,
        study: &'a Study,
        lineup: &'a Lineup<'a>,
        task: &Task,
    ) -> Result<Option<Self>, Cancelled> {
        let normal = if study.background.is_empty() { &study.suspects } else { &study.background };
        let normal: Vec<&Picture> = normal.iter().map(|&at| &study.all[at].picture).collect();
        let Some(whitening) = Whitening::learn(side, &normal) else { return Ok(None) };
        task.begin("Reading patches", study.all.len());
        let coded = study
            .all
            .par_iter()
            .map(|studied| {
                task.check()?;
                task.advance(1);
                Ok(whitening.encode(&studied.picture))
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(Some(Self { study, lineup, whitening, coded, searched: 0, background: 0 }))
    }

    /// The marks of every label.
    fn all(&mut self, task: &Task) -> Result<Vec<Mark>, Cancelled> {
        let labels = self.study.labels();
        task.begin("Looking for shared patches", labels.len());
        let mut marks = Vec::new();
        for label in labels {
            let crowd = self.crowd(label, &self.study.suspects, &self.study.background);
            task.advance(1);
            let Some(crowd) = crowd else { continue };
            self.searched += 1;
            self.background = self.background.max(crowd.background.len());
            let templates = mine(&self.coded, self.whitening.dims, &crowd, task)?;
            marks.extend(self.marks(label, &crowd, templates, task)?);
        }
        Ok(marks)
    }

    /// Whom the pictures of a label are compared with: the base's pictures of the label (what is usual for the class is
    /// no news) and of others (nor is what another class has); without a base, the other labels.
    fn crowd(&self, label: u32, suspects: &[usize], background: &[usize]) -> Option<Crowd> {
        let of = |at: &usize| self.study.all[*at].label == label;
        let own: Vec<usize> = suspects.iter().copied().filter(of).collect();
        let background = if self.lineup.trusted.is_some() { background } else { suspects };
        let (same, other): (Vec<usize>, Vec<usize>) = background.iter().copied().partition(of);
        // Without a base the label's own pictures are the suspects.
        let mut background =
            if self.lineup.trusted.is_some() { spread(&same, MOST_BACKGROUND / 2) } else { Vec::new() };
        let same = background.len();
        background.extend(spread(&other, MOST_BACKGROUND - same));
        (own.len() >= LEAST_SUSPECTS && background.len() >= LEAST_BACKGROUND).then_some(Crowd {
            suspects: own,
            background,
            same,
        })
    }

    /// The middle one of the labels' largest evidence (the lower one of two), which a few planted marks do not move.
    fn middle(&self, found: &[Mark]) -> f64 {
        let largest = |label: u32| {
            let own = found.iter().filter(|mark| mark.label == label);
            own.map(|mark| mark.evidence).fold(0.0, f64::max)
        };
        let mut all: Vec<f64> = self.study.labels().into_iter().map(largest).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
    }

    /// The largest evidence where nothing was planted: in the base, split.
    fn honest(&self, task: &Task) -> Result<f64, Cancelled> {
        let trusted = &self.study.background;
        let labels: Vec<u32> = trusted.iter().map(|&at| self.study.all[at].label).collect();
        let (pretended, rest) = calibrate::split(&labels, self.study.suspects.len(), 1);
        let pretended: Vec<usize> = pretended.into_iter().map(|at| trusted[at]).collect();
        let rest: Vec<usize> = rest.into_iter().map(|at| trusted[at]).collect();
        task.begin("Looking at the base by itself", 0);
        let mut most = 0.0_f64;
        for label in self.study.labels() {
            let Some(crowd) = self.crowd(label, &pretended, &rest) else { continue };
            let templates = mine(&self.coded, self.whitening.dims, &crowd, task)?;
            for template in templates {
                most = most.max(template.evidence);
            }
        }
        Ok(most)
    }

    /// Puts templates together that are parts of one mark.
    fn marks(
        &self,
        label: u32,
        crowd: &Crowd,
        mut templates: Vec<Template>,
        task: &Task,
    ) -> Result<Vec<Mark>, Cancelled> {
        templates.retain(|template| template.evidence >= LEAST_PART);
        let dims = self.whitening.dims;
        let count = templates.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let codes: Vec<f32> = templates.iter().flat_map(|template| &template.code).copied().collect();
        let own: Vec<Vec<(f32, u32)>> = crowd
            .suspects
            .par_iter()
            .map(|&at| {
                task.check()?;
                Ok(self.coded[at].best_patches(&codes, dims))
            })
            .collect::<Result<_, Cancelled>>()?;
        let fair = |at: usize| -> Vec<f32> {
            let suspects = own.iter().zip(&crowd.suspects);
            let fair =
                suspects.map(|(line, &image)| templates[at].fair(&self.coded, image, line[at].0, line[at].1));
            fair.collect()
        };
        let others = likenesses(&self.coded, &crowd.background, &codes, dims, task)?;
        let column = |scores: &[f32], at: usize| -> Vec<f32> {
            scores.iter().skip(at).step_by(count).copied().collect()
        };
        let splits: Vec<Split> =
            (0..count).map(|at| split(&fair(at), &column(&others, at), crowd.nature())).collect();
        let found: Vec<BTreeSet<usize>> = (0..count)
            .map(|at| {
                let scores = fair(at);
                (0..scores.len()).filter(|&image| scores[image] > splits[at].threshold).collect()
            })
            .collect();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| splits[b].evidence.total_cmp(&splits[a].evidence));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in order {
            let same = groups.iter_mut().find(|group| {
                let shared = found[group[0]].intersection(&found[at]).count();
                let smaller = found[group[0]].len().min(found[at].len());
                shared as f64 >= SAME_MARK * smaller as f64 && shared > 0
            });
            match same {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        groups
            .into_iter()
            .map(|group| {
                let parts: Vec<Part> =
                    group.iter().map(|&at| Part::new(templates[at].clone(), &column(&others, at))).collect();
                self.mark(label, crowd, &parts, splits[group[0]].evidence, task)
            })
            .collect()
    }

    fn mark(
        &self,
        label: u32,
        crowd: &Crowd,
        parts: &[Part],
        single: f64,
        task: &Task,
    ) -> Result<Mark, Cancelled> {
        let codes: Vec<f32> = parts.iter().flat_map(|part| &part.template.code).copied().collect();
        let side = self.whitening.side as u32;
        let of = |which: &[usize]| -> Result<Vec<Sight>, Cancelled> {
            which
                .par_iter()
                .map(|&at| {
                    task.check()?;
                    Ok(Sight::of(&self.coded[at], Some((&self.coded, at)), &codes, parts, side))
                })
                .collect()
        };
        let own = of(&crowd.suspects)?;
        let mut others: Vec<f32> = of(&crowd.background)?.into_iter().map(|other| other.surprise).collect();
        let scores: Vec<f32> = own.iter().map(|own| own.surprise).collect();
        let mut best = split(&scores, &others, crowd.nature());
        // Who of the other labels has it too; asked only where the answer can matter.
        let alone = self.lineup.trusted.is_none();
        let worth = if alone {
            split(&scores, &others, Nature::Known(0)).evidence
        } else {
            best.evidence.max(single)
        };
        let strangers: Vec<usize> = if worth >= 0.5 * ALARM {
            self.study.suspects.iter().copied().filter(|&at| self.study.all[at].label != label).collect()
        } else {
            Vec::new()
        };
        let theirs: Vec<f32> = of(&strangers)?.into_iter().map(|other| other.surprise).collect();
        if alone && theirs.len() > others.len() {
            // All of them say more precisely than a sample how rare it is.
            others.clone_from(&theirs);
            best = split(&scores, &others, Nature::Unknown);
        }

        // Copies of one picture count once.
        let found: Vec<usize> = (0..own.len()).filter(|&at| scores[at] > best.threshold).collect();
        let pictures: Vec<&Picture> =
            found.iter().map(|&at| &self.study.all[crowd.suspects[at]].picture).collect();
        let scenes = different(&pictures);
        let evidence = best.evidence.max(single) * scenes as f64 / found.len().max(1) as f64;

        let outline = {
            let mut seen: Vec<usize> = found.clone();
            seen.sort_by(|&a, &b| own[b].first.total_cmp(&own[a].first).then(a.cmp(&b)));
            let seen = seen.into_iter().filter(|&at| own[at].first > 0.0);
            let sights: Vec<(&Picture, (u32, u32))> =
                seen.map(|at| (&self.study.all[crowd.suspects[at]].picture, own[at].place)).collect();
            outline(&sights, side)
        };
        let mut listed: Vec<(u32, f32, PixelBox)> = crowd
            .suspects
            .iter()
            .zip(&own)
            .map(|(&at, sight)| {
                let Studied { row, picture, .. } = &self.study.all[at];
                (*row, sight.surprise, sight.area(picture, outline.as_ref()))
            })
            .collect();
        if evidence >= ALARM {
            let rest: Vec<&(u32, u32)> =
                self.study.left_out.iter().filter(|suspect| suspect.1 == label).collect();
            let more: Vec<Option<(u32, f32, PixelBox)>> = rest
                .into_par_iter()
                .map(|&(row, _)| {
                    task.check()?;
                    let picture = small_picture(self.lineup.target, row);
                    Ok(picture.map(|picture| {
                        let sight = Sight::of(&self.whitening.encode(&picture), None, &codes, parts, side);
                        (row, sight.surprise, sight.area(&picture, outline.as_ref()))
                    }))
                })
                .collect::<Result<_, Cancelled>>()?;
            listed.extend(more.into_iter().flatten());
        }
        // The labels of all who have it against those of all suspects.
        let with = strangers.iter().zip(&theirs).filter(|(_, surprise)| **surprise > best.threshold);
        let with: Vec<u32> = with.map(|(&at, _)| self.study.all[at].label).collect();
        let mut pool = vec![0_u64; self.lineup.target.dataset.version.classes().len()];
        self.study.suspects.iter().for_each(|&at| pool[self.study.all[at].label as usize] += 1);
        let labels = found.iter().map(|_| label).chain(with);
        let label_part = label_evidence(labels, &pool).map_or(0.0, |found| found.evidence);
        Ok(Mark {
            label,
            evidence,
            label_evidence: label_part,
            scenes: scenes as u32,
            background: best.honest as u32,
            fits: fits(&listed, &others, crowd.same, best.found),
        })
    }
}

/// Who fits at a false discovery rate worth ranking, best first.
fn fits(scored: &[(u32, f32, PixelBox)], background: &[f32], same: usize, planted: usize) -> Vec<Fit> {
    let mut order: Vec<&(u32, f32, PixelBox)> = scored.iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let descending: Vec<f32> = order.iter().map(|one| one.1).collect();
    let rates = false_shares(&descending, background, same, planted);
    order
        .into_iter()
        .zip(rates)
        .take_while(|(one, rate)| *rate <= RANKED && one.1 > 0.0)
        .map(|(&(row, surprise, area), false_share)| {
            let certainty = 1.0 - (-f64::from(surprise) / 15.0).exp();
            let score = 0.5 * (1.0 - false_share) + 0.5 * certainty;
            Fit { row, area, score, false_share }
        })
        .collect()
}

/// Marks of one label with the same pictures are one: the stronger one takes the other's pictures.
fn merged(marks: Vec<Mark>) -> Vec<Mark> {
    let listed = |mark: &Mark| -> BTreeSet<u32> {
        mark.fits.iter().filter(|fit| fit.is_listed()).map(|fit| fit.row).collect()
    };
    let mut kept: Vec<Mark> = Vec::new();
    for mark in marks {
        let rows = listed(&mark);
        let same = kept.iter_mut().find(|other| {
            let others = listed(other);
            let shared = rows.intersection(&others).count();
            other.label == mark.label
                && shared as f64 >= SAME_MARK * rows.len().min(others.len()).max(1) as f64
        });
        match same {
            None => kept.push(mark),
            Some(into) => {
                for fit in mark.fits {
                    match into.fits.iter_mut().find(|own| own.row == fit.row) {
                        Some(own) if own.false_share > fit.false_share => *own = fit,
                        Some(own) => own.score = own.score.max(fit.score),
                        None => into.fits.push(fit),
                    }
                }
                into.fits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
            }
        }
    }
    kept
}

fn report(marks: &[Mark], lineup: &Lineup<'_>, study: &Study) -> Findings {
    let version = &lineup.target.dataset.version;
    let mut findings = Findings::default();
    for (number, mark) in marks.iter().enumerate() {
        let id = format!("p{}", number + 1);
        let score = strength(mark.evidence);
        let name = version.classes()[mark.label as usize].to_string();
        let (listed, doubtful): (Vec<&Fit>, Vec<&Fit>) = mark.fits.iter().partition(|fit| fit.is_listed());
        let base = if lineup.trusted.is_some() { "base" } else { "other" };
        let reason = format!(
            "{} pictures labelled {name} share a patch that at most {} of the {base} pictures looked at have",
            listed.len(),
            mark.background,
        );
        for (fits, alarm) in [(&listed, true), (&doubtful, false)] {
            findings.signals.extend(fits.iter().map(|fit| Signal {
                score: score * fit.score,
                alarm,
                cluster: Some(id.clone()),
                area: Some(fit.area),
                reason: if alarm {
                    format!("shares a patch with {} other pictures labelled {name}", listed.len() - 1)
                } else {
                    format!("may share a patch with {} pictures labelled {name}", listed.len())
                },
                ..Signal::of(ID, fit.row)
            }));
        }
        findings.clusters.push(Cluster {
            id,
            score,
            p_value: 10_f64.powf(-mark.evidence),
            label: name,
            label_share: 1.0,
            base_matches: if study.background.is_empty() { 0 } else { mark.background },
            evidence: Evidence { novelty: mark.evidence, label: mark.label_evidence, scenes: mark.scenes },
            reason,
            members: listed
                .iter()
                .map(|fit| Member { row: fit.row, area: Some(fit.area), score: fit.score })
                .collect(),
            ..Cluster::of(ID, "patch")
        });
    }
    findings
}
