//! Which photos share something small that hardly any other photo has? Logos, stickers, marks: planted triggers.
//!
//! With a base, what the contribution brings is searched and the base says what is common.
//! Without, each label is searched and the other labels say what is common.
//!
//! 1. [`matching`]: points of different photos that look alike, and like hardly anything in the background;
//! 2. [`verify`]: pairs of photos in which several of them lie in the same arrangement;
//! 3. [`graph`]: photos joined by such pairs fall into clusters, copies of one scene counted once;
//! 4. [`model`]: the points of a cluster in one frame, found again in all photos by voting;
//! 5. [`hunt`]: how unlikely that is, as `−log10 p`: that the background has the thing as rarely, and that so many of the
//!    photos that have it share a label;
//! 6. [`sharpen`]: a template, aligned over the photos found, finds the faint and the small ones;
//! 7. [`calibrate`]: the trusted base, split as if a part of it were a contribution, says how surprising chance can be.

mod calibrate;
mod colours;
mod graph;
mod hunt;
mod matching;
mod model;
mod photo;
mod report;
mod score;
mod sharpen;
mod signature;
mod template;
mod told;
mod verify;

use std::collections::{BTreeMap, HashSet};

use super::calibrate::spread_by_label;
use super::{DetectError, Detector, Findings, Input};
use crate::compare::{Side, VersionDiff};
use crate::feature::local::{LocalPicture, local_points};
use crate::feature::picture::decode_for;
use crate::model::{ChangeKind, UNLABELLED};
use crate::task::Task;
use hunt::{Found, hunt};
use photo::{Photo, Photos};
use report::{Alarm, Sides, report};
use sharpen::Load;
use signature::Codes;

/// Points of all photos that are searched together: about 75 bytes each, and as much again while they are compared.
const MOST_POINTS: usize = 7_000_000;
const LEAST_POINTS: usize = 150;

/// Background photos that are looked at, with a base and without.
const MOST_TRUSTED: usize = 6000;
const MOST_OTHERS: usize = 3000;

/// Without a base, photos that are searched at once; labels stay together.
const TOGETHER: usize = 8000;

/// Without a base, photos that are searched in all before it is known where to look closely.
const MOST_ALONE: usize = 12_000;

/// Labels that are searched whole after that without an alarm: so many, from this surprise on.
const MOST_PROMISING: usize = 1;
const LEAST_PROMISING: f64 = 8.0;

/// Objects that photos share.
pub struct SharedTrigger;

impl Detector for SharedTrigger {
    fn id(&self) -> &'static str {
        "shared-trigger"
    }

    fn summary(&self) -> &'static str {
        "small things that many pictures share and hardly any other has"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        match input.base {
            Some((base, diff)) => with_base(self.id(), input, base, diff, task),
            None => alone(self.id(), input, task),
        }
    }
}

/// Points of each photo when so many are searched together.
fn most_points(photos: usize) -> usize {
    (MOST_POINTS / photos.max(1)).max(LEAST_POINTS)
}

/// Photos with points, first those of the target, then those that only say what is common.
fn gather<'a>(
    target: Side<'_>,
    own: &'a [LocalPicture],
    others: &'a [LocalPicture],
    by_label: bool,
) -> Photos<'a> {
    let version = &target.dataset.version;
    let mut all: Vec<Photo<'a>> = Vec::with_capacity(own.len() + others.len());
    for (pictures, background) in [(own, false), (others, true)] {
        for (id, picture) in pictures.iter().enumerate().filter(|(_, p)| !p.local.points.is_empty()) {
            let label = if background { UNLABELLED } else { version.label_id(picture.rows[0] as usize) };
            all.push(Photo { id: id as u32, local: &picture.local, label, background });
        }
    }
    Photos::new(all, by_label)
}

fn with_base(
    detector: &'static str,
    input: &Input<'_>,
    base: Side<'_>,
    diff: &VersionDiff,
    task: &Task,
) -> Result<Findings, DetectError> {
    let Input { target, cache, seed, .. } = input;
    let suspects = contributed(*target, base, diff);
    let rows = spread(base.dataset.version.len(), MOST_TRUSTED);
    let most = most_points(suspects.len() + rows.len());
    let own = local_points(target.dataset, target.fingerprints, Some(&suspects), most, cache, task)?;
    // Without suspects there is nothing to compare the base with.
    let rows = if own.is_empty() { &[][..] } else { &rows };
    let trusted = local_points(base.dataset, base.fingerprints, Some(rows), most, cache, task)?;
    let photos = gather(*target, &own, &trusted, false);
    let load = |at: usize| {
        let photo = photos.all[at];
        let (dataset, pictures) =
            if photo.background { (base.dataset, &trusted) } else { (target.dataset, &own) };
        decode_for(&dataset.pictures.read(pictures[photo.id as usize].rows[0] as usize).ok()?, |p| p).ok()
    };
    let codes = Codes::of(&photos, *seed, task)?;
    let found = hunt(&photos, &codes, Some(&load), task)?;
    let mut alarm = Alarm::with_base();
    if found.first().is_some_and(|first| first.surprise() >= alarm.floor) {
        let version = &base.dataset.version;
        let label = |at: usize| version.label_id(trusted[photos.all[at].id as usize].rows[0] as usize);
        alarm.clean = Some(calibrate::clean_surprise(&photos, &codes, label, *seed, task)?);
    }
    let mut findings = Findings::default();
    let sides = Sides { photos: &photos, own: &own, others: &trusted, others_in_base: true, target: *target };
    for one in &found {
        report(&mut findings, detector, &one.shown, &alarm, &sides);
    }
    for cluster in input.earlier.iter().filter(|cluster| cluster.kind == "patch") {
        if let Some(shown) = told::told(cluster, &photos, &own, &load, task)? {
            report(&mut findings, detector, &shown, &Alarm::with_base(), &sides);
        }
    }
    let best = found.first().map_or(0.0, Found::surprise);
    findings.note = note(photos.suspects, photos.all.len() - photos.suspects, best, &findings, &alarm);
    Ok(findings)
}

/// Searches label by label where there are many photos, each time with photos of other labels for comparison.
///
/// Where there are very many, an equal number of each label is searched first, and then the whole of the labels in
/// which that found something.
fn alone(detector: &'static str, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
    let version = &input.target.dataset.version;
    let all: Vec<(u32, u32)> = (0..version.len()).map(|row| (row as u32, version.label_id(row))).collect();
    let mut alone = Alone { detector, input, task, findings: Findings::default(), best: 0.0 };
    let looked_at = spread_by_label(&all, MOST_ALONE);
    let whole = if looked_at.len() == all.len() {
        all.clone()
    } else {
        let labels = alone.promising(&looked_at)?;
        all.iter().copied().filter(|(_, label)| labels.contains(label)).collect()
    };
    alone.search_all(&whole, true)?;
    let Alone { mut findings, best, .. } = alone;
    findings.note = note(looked_at.len(), 0, best, &findings, &Alarm::alone());
    Ok(findings)
}

/// A search without a base.
struct Alone<'a> {
    detector: &'static str,
    input: &'a Input<'a>,
    task: &'a Task,
    findings: Findings,
    /// The surprise of the most surprising thing.
    best: f64,
}

impl Alone<'_> {
    /// The labels to search whole, by a search of these rows: those with an alarm, and the best few others.
    fn promising(&mut self, rows: &[(u32, u32)]) -> Result<Vec<u32>, DetectError> {
        let mut best: BTreeMap<u32, f64> = BTreeMap::new();
        for (label, surprise) in self.search_all(rows, false)? {
            let best = best.entry(label).or_default();
            *best = best.max(surprise);
        }
        let mut found: Vec<(u32, f64)> = best.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        let alarm = Alarm::alone().floor;
        let promising = found.iter().enumerate().filter(|(at, (_, surprise))| {
            *surprise >= alarm || *at < MOST_PROMISING && *surprise >= LEAST_PROMISING
        });
        Ok(promising.map(|(_, (label, _))| *label).collect())
    }

    /// What photos of these rows, with their labels, share: label and surprise.
    fn search_all(&mut self, rows: &[(u32, u32)], close: bool) -> Result<Vec<(u32, f64)>, DetectError> {
        let batches = batches(rows);
        let count = self.input.target.dataset.version.len();
        let alone = batches.len() == 1 && rows.len() == count;
        let others = if alone { Vec::new() } else { spread(count, MOST_OTHERS) };
        let mut found = Vec::new();
        for batch in &batches {
            found.extend(self.search(batch, &others, close)?);
        }
        Ok(found)
    }

    /// The same for one batch, with `others` as background. In a `close` search a template looks as well, and what is found is reported.
    fn search(&mut self, batch: &[u32], others: &[u32], close: bool) -> Result<Vec<(u32, f64)>, DetectError> {
        let Input { target, cache, seed, .. } = *self.input;
        let rows: Vec<u32> = others.iter().copied().filter(|row| batch.binary_search(row).is_err()).collect();
        let most = most_points(batch.len() + rows.len());
        let points = |rows: &[u32]| {
            local_points(target.dataset, target.fingerprints, Some(rows), most, cache, self.task)
        };
        let (own, others) = (points(batch)?, points(&rows)?);
        let photos = gather(target, &own, &others, true);
        let load = |at: usize| {
            let photo = photos.all[at];
            let pictures = if photo.background { &others } else { &own };
            let row = pictures[photo.id as usize].rows[0] as usize;
            decode_for(&target.dataset.pictures.read(row).ok()?, |p| p).ok()
        };
        let load: Option<&Load<'_>> = if close { Some(&load) } else { None };
        let found = hunt(&photos, &Codes::of(&photos, seed, self.task)?, load, self.task)?;
        self.best = found.iter().map(Found::surprise).fold(self.best, f64::max);
        if close {
            let sides = Sides { photos: &photos, own: &own, others: &others, others_in_base: false, target };
            for one in &found {
                report(&mut self.findings, self.detector, &one.shown, &Alarm::alone(), &sides);
            }
        }
        Ok(found.iter().map(|one| (one.shown.label, one.surprise())).collect())
    }
}

/// Rows of whole labels, of a list of (row, label), as many as are searched at once; ascending.
fn batches(list: &[(u32, u32)]) -> Vec<Vec<u32>> {
    let mut by_label: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(row, label) in list {
        by_label.entry(label).or_default().push(row);
    }
    let mut batches: Vec<Vec<u32>> = Vec::new();
    for rows in by_label.into_values() {
        match batches.last_mut() {
            Some(last) if last.len() + rows.len() <= TOGETHER => last.extend(rows),
            _ => batches.push(rows),
        }
    }
    for batch in &mut batches {
        batch.sort_unstable();
    }
    batches
}

/// How much was searched, and how surprising the most surprising thing was.
fn note(searched: usize, trusted: usize, best: f64, findings: &Findings, alarm: &Alarm) -> String {
    let against = if trusted > 0 { format!(" against {trusted} of the base") } else { String::new() };
    let clean = alarm.clean.map_or_else(String::new, |clean| {
        format!("; parts of the base, searched in the same way, reach {clean:.1}")
    });
    format!(
        "searched {searched} pictures{against} for small things they share; {} found; the most surprising has \
         −log10 p = {best:.1}, an alarm from {:.1}{clean}",
        findings.clusters.len(),
        alarm.threshold(),
    )
}

/// Rows whose pictures the base does not have.
fn contributed(target: Side<'_>, base: Side<'_>, diff: &VersionDiff) -> Vec<u32> {
    let known: HashSet<_> = base.fingerprints.hashes.iter().flatten().collect();
    let brought = [
        ChangeKind::Added,
        ChangeKind::Edited,
        ChangeKind::ReEncoded,
        ChangeKind::Duplicated,
        ChangeKind::Relabelled,
    ];
    (0..target.dataset.version.len())
        .filter(|&row| {
            let change = diff.change_of_row[row].and_then(|at| diff.changes.get(at as usize));
            change.is_some_and(|change| brought.iter().any(|kind| change.is(*kind)))
                && target.fingerprints.hashes[row].is_some_and(|hash| !known.contains(&hash))
        })
        .map(|row| row as u32)
        .collect()
}

/// So many rows at most, spread evenly.
fn spread(rows: usize, most: usize) -> Vec<u32> {
    let most = rows.min(most);
    (0..most).map(|i| (i * rows / most) as u32).collect()
}
