//! Which photos share something small that hardly any other photo has? Logos, stickers, marks: planted triggers.
//!
//! With a base, what the contribution brings is searched and the base says what is common.
//! Without, each label is searched and the others say what is common.

mod graph;
mod hunt;
mod matching;
mod model;
mod photo;
mod score;
mod signature;
mod verify;

use std::collections::HashSet;

use super::{DetectError, Detector, Findings, Input};
use crate::compare::{Side, VersionDiff};
use crate::feature::local::{LocalPicture, local_points};
use crate::model::{ChangeKind, Cluster, Evidence, Member, Other, PixelBox, Signal, UNLABELLED};
use crate::task::Task;
use hunt::{Found, hunt};
use photo::{Photo, Photos};

/// Points of all photos together: about 75 bytes each, and as much again while they are compared.
const MOST_POINTS: usize = 8_000_000;
const LEAST_POINTS: usize = 150;

/// Background photos that are looked at.
const MOST_BACKGROUND: usize = 6000;

/// −log10 p above which a cluster is an alarm, with a base and without, and above which it is worth a note.
const ALARM_WITH_BASE: f64 = 10.0;
const ALARM_ALONE: f64 = 20.0;
const NOTE: f64 = 6.0;

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
        let Input { target, base, cache, seed, .. } = input;
        let suspects = base.map(|(base, diff)| contributed(*target, base, diff));
        let count = suspects.as_ref().map_or(target.dataset.version.len(), Vec::len);
        let background = base.map(|(base, _)| sampled(base.dataset.version.len()));
        let photos = count + background.as_ref().map_or(0, Vec::len);
        let most = (MOST_POINTS / photos.max(1)).max(LEAST_POINTS);
        let own = local_points(target.dataset, target.fingerprints, suspects.as_deref(), most, cache, task)?;
        let trusted = match (base, &background) {
            (Some((base, _)), Some(rows)) => {
                local_points(base.dataset, base.fingerprints, Some(rows), most, cache, task)?
            }
            _ => Vec::new(),
        };
        let version = &target.dataset.version;
        let label = |picture: &LocalPicture| version.label_id(picture.rows[0] as usize);
        let mut all: Vec<Photo<'_>> = Vec::with_capacity(own.len() + trusted.len());
        for (pictures, background) in [(&own, false), (&trusted, true)] {
            for (id, picture) in pictures.iter().enumerate().filter(|(_, p)| !p.local.points.is_empty()) {
                let label = if background { UNLABELLED } else { label(picture) };
                all.push(Photo { id: id as u32, local: &picture.local, label, background });
            }
        }
        let photos = Photos::new(all, base.is_none());
        let found = hunt(&photos, *seed, task)?;
        let alarm = if base.is_some() { ALARM_WITH_BASE } else { ALARM_ALONE };
        let mut findings = Findings::default();
        for one in &found {
            if one.surprise() < NOTE || one.members.is_empty() {
                continue;
            }
            let id = format!("t{}", findings.clusters.len() + 1);
            let sides = Sides { photos: &photos, own: &own, trusted: &trusted, target };
            report(&mut findings, self.id(), id, one, alarm, &sides);
        }
        findings.note = format!(
            "searched {} pictures{} for small things they share; {} found; most surprising: −log10 p = {:.1}",
            photos.suspects,
            match photos.all.len() - photos.suspects {
                0 => String::new(),
                trusted => format!(" against {trusted} of the base"),
            },
            findings.clusters.len(),
            found.first().map_or(0.0, Found::surprise),
        );
        Ok(findings)
    }
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

/// Rows spread evenly.
fn sampled(rows: usize) -> Vec<u32> {
    let most = rows.min(MOST_BACKGROUND);
    (0..most).map(|i| (i * rows / most) as u32).collect()
}

/// What a finding's numbers refer to.
#[derive(Clone, Copy)]
struct Sides<'a, 'p> {
    photos: &'a Photos<'p>,
    own: &'a [LocalPicture],
    trusted: &'a [LocalPicture],
    target: &'a Side<'a>,
}

/// How surely a photo with this score shows the thing, in [0, 1).
fn certainty(score: f32) -> f64 {
    1.0 - (-f64::from(score) / 40.0).exp()
}

fn report(
    findings: &mut Findings,
    detector: &'static str,
    id: String,
    one: &Found,
    alarm: f64,
    sides: &Sides<'_, '_>,
) {
    let Sides { photos, own, trusted, target } = *sides;
    let version = &target.dataset.version;
    let surprise = one.surprise();
    let is_alarm = surprise >= alarm;
    let strength = 1.0 - 0.5_f64.powf(surprise / alarm);
    let label = version.classes().get(one.label as usize).map_or_else(String::new, ToString::to_string);
    let mut members = Vec::new();
    for (photo, hit, share) in &one.members {
        let picture = &own[photos.all[*photo].id as usize];
        let area = stored(&picture.local, hit.area);
        let score = (0.5 * (1.0 - share) + 0.5 * certainty(hit.score)).clamp(0.0, 1.0);
        for &row in &picture.rows {
            members.push(Member { row, area, score });
        }
    }
    let labelled = members.iter().filter(|member| version.label(member.row as usize) == Some(&label)).count();
    let label_share = labelled as f64 / members.len().max(1) as f64;
    let against = photos.all.len() - photos.suspects;
    let reason = format!(
        "the same small thing is in {} pictures, {:.0} % of them labelled {label}, and in {} of {against} others",
        members.len(),
        100.0 * label_share,
        one.background_hits,
    );
    findings.signals.extend(members.iter().map(|member| Signal {
        detector,
        row: member.row,
        score: strength * member.score,
        alarm: is_alarm,
        probabilities: Vec::new(),
        suggested: None,
        neighbors: Vec::new(),
        cluster: Some(id.clone()),
        area: member.area,
        reason: format!("shares a small thing with {} other pictures", members.len() - 1),
    }));
    let others = one.counterexamples.iter().map(|(photo, hit)| {
        let photo = photos.all[*photo];
        let picture = if photo.background { &trusted[photo.id as usize] } else { &own[photo.id as usize] };
        let area = stored(&picture.local, hit.area);
        Other { in_base: photo.background, row: picture.rows[0], area, score: certainty(hit.score) }
    });
    findings.clusters.push(Cluster {
        id,
        detector,
        kind: "patch",
        score: strength,
        p_value: 10.0_f64.powf(-surprise),
        label,
        label_share,
        base_matches: one.background_hits as u32,
        evidence: Evidence { novelty: one.novelty, label: one.label_part, scenes: one.scenes as u32 },
        nearest_others: others.collect(),
        reason,
        members,
    });
}

/// A box of the working picture in pixels of the stored one.
fn stored(local: &crate::feature::local::LocalPoints, area: verify::Area) -> Option<PixelBox> {
    let factor = local.stored_scale();
    let clamp = |at: f32, most: u32| ((at + 0.5) * factor).round().clamp(0.0, most as f32) as u32;
    let (x0, x1) = (clamp(area.left, local.width), clamp(area.right, local.width));
    let (y0, y1) = (clamp(area.top, local.height), clamp(area.bottom, local.height));
    (x1 > x0 && y1 > y0).then(|| PixelBox::from([x0, y0, x1 - x0, y1 - y0]))
}
