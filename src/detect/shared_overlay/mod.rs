//! Which pictures of one label have one faint pattern all over? Blends, waves, squares in one corner.
//!
//! Only with a base, which says how pictures spread when there is none: half of it what is ordinary, the other half how
//! far ordinary pictures are from that. Pictures become spectra in which the ordinary is
//! taken out ([`spectrum`]); label by label a mixture says which suspects share a pattern ([`mixture`]); the evidence is
//! how one-sidedly suspects fit it, against the base's pictures. Each suspect is judged by the pattern of the others.
//!
//! An alarm needs −log10 p ≥ 10, more than the base reaches when it is split, and half as much again as
//! the labels reach in the middle: if all labels are shifted, the pictures come from elsewhere, which is no trigger.

mod mixture;
mod spectrum;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::mixture::fits;
use self::spectrum::{Planes, Spectra};
use super::calibrate::{self, spread};
use super::chance::strength;
use super::lineup::Lineup;
use super::one_sided::{Nature, Split, false_shares, split};
use super::{DetectError, Detector, Findings, Input};
use crate::compare::Side;
use crate::feature::picture::{self, Picture, resize};
use crate::feature::thumbnail::{CHROMA_SIDE, LUMA_SIDE};
use crate::feature::{Thumbnail, embed};
use crate::model::{Cluster, Evidence, Member, Signal, UNLABELLED};
use crate::task::{Cancelled, Task};

const ID: &str = "shared-overlay";
/// Pictures up to this are looked at as they are, larger ones as thumbnails.
const SMALL: u32 = 48;
const SMALL_SIDE: usize = 32;
/// Pictures in memory at once: 3 to 5 thousand bytes each, four times as much while they are read.
const MOST_SUSPECTS: usize = 30_000;
const MOST_BASE: usize = 6_000;
/// Fewer say nothing.
const LEAST_SUSPECTS: usize = 12;
const LEAST_BASE: usize = 100;
const ALARM: f64 = 10.0;
/// How often the base is split.
const DRAWS: u64 = 3;
/// How far a label must stand out of the middle one.
const ABOVE_OTHERS: f64 = 1.5;
/// False discovery rates of what is listed, and of what is at least ranked.
const LISTED: f64 = 0.05;
const RANKED: f64 = 0.5;

/// Detector of patterns over whole pictures.
pub struct SharedOverlay;

impl Detector for SharedOverlay {
    fn id(&self) -> &'static str {
        ID
    }

    fn summary(&self) -> &'static str {
        "a faint pattern all over many pictures of one label"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let lineup = Lineup::of(input);
        let only = |note: &str| Ok(Findings { note: note.to_owned(), ..Findings::default() });
        let Some((base, trusted)) = &lineup.trusted else {
            return only("not run: what is ordinary is learnt from a base, and there is none");
        };
        if lineup.suspects.len() < LEAST_SUSPECTS || trusted.len() < LEAST_BASE {
            return only("cannot judge: too few pictures, in the contribution or in the base");
        }
        let suspects = spread(&lineup.suspects, MOST_SUSPECTS);
        let trusted = spread(trusted, MOST_BASE);
        let small = mostly_small(input.target, &suspects);
        let (planes, suspects, mut pictures) = read(input, input.target, &suspects, small, task)?;
        let count = suspects.len();
        let (_, trusted, base_pictures) = read(input, *base, &trusted, small, task)?;
        if count < LEAST_SUSPECTS || trusted.len() < LEAST_BASE {
            return only("cannot judge: too few pictures can be read");
        }
        pictures.extend(base_pictures);
        // One half says what is ordinary, the other is what suspects are compared with: pictures whose own mean was
        // taken out of them fit nothing, and suspects would all seem to share what is left of the mean's error.
        let labels: Vec<u32> = trusted.iter().map(|trusted| trusted.1).collect();
        let (learn, base) = calibrate::split(&labels, trusted.len() / 2, 0);
        let of_base = |those: Vec<usize>| -> Vec<(usize, u32)> {
            those.into_iter().map(|at| (count + at, labels[at])).collect()
        };
        let (learn, base) = (of_base(learn), of_base(base));
        task.begin("Looking for patterns", 0);
        let spectra = Spectra::of(&planes, &mut pictures, &learn, task)?;
        drop(pictures);

        let labels: BTreeSet<u32> = suspects.iter().map(|suspect| suspect.1).collect();
        let mut found: Vec<Pattern> = Vec::new();
        for label in labels {
            let own: Vec<usize> = (0..count).filter(|&at| suspects[at].1 == label).collect();
            if own.len() >= LEAST_SUSPECTS {
                found.push(Pattern::of(label, own, &spectra, &base, task)?);
            }
        }
        found.sort_by(|a, b| b.split.evidence.total_cmp(&a.split.evidence).then(a.label.cmp(&b.label)));
        let Some(most) = found.first().map(|pattern| pattern.split.evidence) else {
            return only("cannot judge: too few pictures of any label");
        };
        let middle = found[found.len() / 2].split.evidence;
        let mut alarm = ALARM;
        if found.len() > 2 {
            alarm = alarm.max(ABOVE_OTHERS * middle);
        }
        if most >= 0.8 * alarm {
            alarm = alarm.max(calibrate::alarm(ALARM, honest(&spectra, &base, count, task)?));
        }
        let searched = found.len();
        found.retain(|pattern| pattern.split.evidence >= alarm);
        let mut findings = report(&found, &suspects, &lineup, base.len());
        findings.note = format!(
            "looked at {count} pictures of {searched} labels for a pattern all over them, against {} of the base; \
             {} found; most surprising: −log10 p = {most:.1}, alarm from {alarm:.1}",
            base.len(),
            found.len(),
        );
        Ok(findings)
    }
}

/// Whether most of the pictures are to be looked at as they are.
fn mostly_small(side: Side<'_>, rows: &[(u32, u32)]) -> bool {
    let sizes: Vec<u32> = spread(rows, 20)
        .into_par_iter()
        .filter_map(|(row, _)| {
            let bytes = side.dataset.pictures.read(row as usize).ok()?;
            let (_, (width, height)) = picture::thumbnail(&bytes, 8).ok()?;
            Some(width.max(height))
        })
        .collect();
    sizes.iter().filter(|size| **size <= SMALL).count() * 2 > sizes.len()
}

/// A row with its label, and its planes.
type One = ((u32, u32), Vec<f32>);
type Read = (Planes, Vec<(u32, u32)>, Vec<Vec<f32>>);

/// The pictures of those rows that can be read, as planes of brightness and of two colour differences.
fn read(
    input: &Input<'_>,
    side: Side<'_>,
    rows: &[(u32, u32)],
    small: bool,
    task: &Task,
) -> Result<Read, DetectError> {
    if small {
        task.begin("Reading small pictures", rows.len());
        let read: Vec<Option<One>> = rows
            .par_iter()
            .map(|&(row, label)| {
                task.check()?;
                task.advance(1);
                let bytes = side.dataset.pictures.read(row as usize).ok();
                let picture = bytes.and_then(|bytes| picture::decode(&bytes).ok());
                Ok(picture.map(|picture| ((row, label), whole(picture))))
            })
            .collect::<Result<_, Cancelled>>()?;
        let (rows, pictures) = read.into_iter().flatten().unzip();
        return Ok(([SMALL_SIDE; 3], rows, pictures));
    }
    let wanted: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let numbers = embed(side.dataset, side.fingerprints, Some(&wanted), &Thumbnail, input.cache, task)?;
    let labels: std::collections::BTreeMap<u32, u32> = rows.iter().copied().collect();
    let rows = numbers.rows.iter().map(|row| (*row, labels.get(row).copied().unwrap_or(UNLABELLED)));
    let pictures = numbers.values.chunks_exact(numbers.dim.max(1));
    let pictures = pictures.map(|picture| picture.iter().map(|value| value.to_f32()).collect());
    Ok(([LUMA_SIDE, CHROMA_SIDE, CHROMA_SIDE], rows.collect(), pictures.collect()))
}

/// A small picture as planes of one size.
fn whole(picture: Picture) -> Vec<f32> {
    let side = SMALL_SIDE as u32;
    let picture =
        if (picture.width, picture.height) == (side, side) { picture } else { resize(&picture, side, side) };
    let count = SMALL_SIDE * SMALL_SIDE;
    let mut planes = vec![0.0; 3 * count];
    for (at, [r, g, b]) in picture.rgb.as_chunks::<3>().0.iter().enumerate() {
        let [r, g, b] = [r, g, b].map(|value| f32::from(*value));
        planes[at] = 0.299 * r + 0.587 * g + 0.114 * b;
        planes[count + at] = -0.168_736 * r - 0.331_264 * g + 0.5 * b;
        planes[2 * count + at] = 0.5 * r - 0.418_688 * g - 0.081_312 * b;
    }
    planes
}

/// What suspects of one label share, and how well each fits it.
struct Pattern {
    label: u32,
    /// Positions of the suspects.
    own: Vec<usize>,
    fits: Vec<f32>,
    /// Those of the same label first.
    base: Vec<f32>,
    same: usize,
    split: Split,
}

impl Pattern {
    fn of(
        label: u32,
        own: Vec<usize>,
        spectra: &Spectra,
        base: &[(usize, u32)],
        task: &Task,
    ) -> Result<Self, Cancelled> {
        let mut rows = base.to_vec();
        // A stable sort: those of the same label first, each in their order.
        rows.sort_by_key(|base| base.1 != label);
        let same = rows.partition_point(|base| base.1 == label);
        let rows: Vec<usize> = rows.into_iter().map(|base| base.0).collect();
        let mixture::Fits { suspects: fits, base } = fits(spectra, &own, &rows, task)?;
        let split = split(&fits, &base, Nature::Known(same));
        Ok(Self { label, own, fits, base, same, split })
    }
}

/// The largest evidence of a label when the base is split, in several draws.
fn honest(spectra: &Spectra, base: &[(usize, u32)], suspects: usize, task: &Task) -> Result<f64, Cancelled> {
    let labels: Vec<u32> = base.iter().map(|base| base.1).collect();
    let distinct: BTreeSet<u32> = labels.iter().copied().collect();
    let mut most = 0.0_f64;
    for draw in 1..=DRAWS {
        let (pretended, rest) = calibrate::split(&labels, suspects, draw);
        let rest: Vec<(usize, u32)> = rest.into_iter().map(|at| base[at]).collect();
        for label in &distinct {
            let own: Vec<usize> =
                pretended.iter().filter(|&&at| base[at].1 == *label).map(|&at| base[at].0).collect();
            if own.len() >= LEAST_SUSPECTS {
                let evidence = Pattern::of(*label, own, spectra, &rest, task)?.split.evidence;
                most = most.max(evidence);
            }
        }
    }
    Ok(most)
}

fn report(found: &[Pattern], suspects: &[(u32, u32)], lineup: &Lineup<'_>, trusted: usize) -> Findings {
    let version = &lineup.target.dataset.version;
    let mut findings = Findings::default();
    for (number, pattern) in found.iter().enumerate() {
        let Pattern { label, own, fits, base, same, split } = pattern;
        let id = format!("o{}", number + 1);
        let name = version.classes()[*label as usize].to_string();
        let score = strength(split.evidence);
        let mut order: Vec<usize> = (0..own.len()).collect();
        order.sort_by(|&a, &b| fits[b].total_cmp(&fits[a]).then(a.cmp(&b)));
        let descending: Vec<f32> = order.iter().map(|&at| fits[at]).collect();
        let shares = false_shares(&descending, base, *same, split.found);
        let mut members = Vec::new();
        let listed = shares.iter().filter(|share| **share <= LISTED).count();
        for (&at, &share) in order.iter().zip(&shares).take_while(|(_, share)| **share <= RANKED) {
            let row = suspects[own[at]].0;
            let fit = f64::from(fits[at]);
            let certainty = 0.5 * (1.0 - share) + 0.5 * (1.0 - (-fit.max(0.0) / 6.0).exp());
            let alarm = share <= LISTED;
            findings.signals.push(Signal {
                score: score * certainty,
                alarm,
                cluster: Some(id.clone()),
                reason: format!(
                    "{} a faint pattern all over with {listed} pictures labelled {name}; fits it by {fit:.1} deviations",
                    if alarm { "shares" } else { "may share" },
                ),
                ..Signal::of(ID, row)
            });
            if alarm {
                members.push(Member { row, area: None, score: certainty });
            }
        }
        findings.clusters.push(Cluster {
            id,
            score,
            p_value: 10_f64.powf(-split.evidence),
            label: name.clone(),
            label_share: 1.0,
            base_matches: split.honest as u32,
            evidence: Evidence { novelty: split.evidence, label: 0.0, scenes: members.len() as u32 },
            reason: format!(
                "{} pictures labelled {name} have one faint pattern all over, which at most {} of {trusted} \
                 pictures of the base fit as well",
                members.len(),
                split.honest,
            ),
            members,
            ..Cluster::of(ID, "overlay")
        });
    }
    findings
}
