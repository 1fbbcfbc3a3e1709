//! Which pictures had the same thing put on them? The contribution's own evidence.
//!
//! A changed or added picture whose clean source is in the base gives away what was put on it by subtraction.
//! Changes that look alike, in shape and colour wherever they are, are one change made to many pictures
//! (`patch`; with patterns over the whole picture, `overlay`).
//!
//! People do that honestly too (dates, watermarks), whatever the label. So a group is a finding when its labels are
//! one-sided: more of one class than the contribution has, or others than the same pictures have in the base.
//! The evidence is `C = max(label, relabelled) + novelty`, each −log10 p:
//! * *label*: hypergeometric, the members drawn from all changed and added samples;
//! * *relabelled*: binomial, the share of members labelled otherwise than their source, against all other pairs;
//! * *novelty*: binomial, the number that are alike, against pairs of changes outside of the group.
//!
//! Found are groups with `C` ≥ 10 of which the labels tell at least 3; where nearly all of the contribution has one
//! label, labels cannot tell, and novelty alone must reach 20.

mod alike;
mod overlay;
mod source;
mod subtract;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::alike::Likenesses;
use self::source::Source;
use self::subtract::Cut;
use super::calibrate::spread;
use super::chance::{binomial, label_evidence, strength};
use super::matrix::Matrix;
use super::{DetectError, Detector, Findings, Input};
use crate::compare::{Side, VersionDiff};
use crate::feature::{Embeddings, Thumbnail, embed, picture};
use crate::model::{self, ChangeKind, Cluster, Member, PixelBox, Signal, UNLABELLED};
use crate::task::{Cancelled, Task};

const ID: &str = "shared-edit";
/// Fewer alike are a coincidence.
const LEAST_GROUP: usize = 4;
/// The evidence from which a group is a finding, and the part of it that labels must tell.
const ALARM: f64 = 10.0;
const LEAST_LABEL_EVIDENCE: f64 = 3.0;
/// The evidence that is asked of novelty where labels cannot tell.
const ALARM_WITHOUT_LABELS: f64 = 20.0;
/// With more of the contribution in one class, labels cannot tell.
const ONE_SIDED: f64 = 0.8;
/// No two changes are alike more rarely than this.
const LEAST_RATE: f64 = 1e-3;
/// Pairs that are decoded, and changes that are compared all with all.
const MOST_PAIRS: usize = 10_000;
const MOST_COMPARED: usize = 3_000;

/// Detector of one change made to many pictures of the base.
pub struct SharedEdit;

impl Detector for SharedEdit {
    fn id(&self) -> &'static str {
        ID
    }

    fn summary(&self) -> &'static str {
        "the same mark on many pictures that the base has without it"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let Some((base, diff)) = input.base else {
            let note = "not run: it compares pictures with a base, and there is none".to_owned();
            return Ok(Findings { note, ..Findings::default() });
        };
        let evidence = Evidence::gather(input, base, diff, task)?;
        if evidence.pairs.is_empty() {
            let note = "no changed or added picture has its source in the base".to_owned();
            return Ok(Findings { note, ..Findings::default() });
        }
        let view = View { target: input.target, base, diff, evidence: &evidence };
        let patches = view.patches(task)?;
        let taken: BTreeSet<u32> = patches.iter().flat_map(Found::rows).collect();
        let overlays = view.overlays(&taken, task)?;
        Ok(view.findings(patches, overlays))
    }
}

/// A picture of the contribution, less its source.
struct Pair {
    row: u32,
    base_row: u32,
    cuts: Vec<Cut>,
    /// The pattern over the whole picture.
    pattern: Option<Vec<f32>>,
}

struct Evidence {
    /// By row, one a row.
    pairs: Vec<Pair>,
    /// What was left out, in words.
    remarks: Vec<String>,
}

impl Evidence {
    fn gather(
        input: &Input<'_>,
        base: Side<'_>,
        diff: &VersionDiff,
        task: &Task,
    ) -> Result<Self, DetectError> {
        let mut remarks = Vec::new();
        let mut sources = source::known(diff);
        let added: Vec<u32> =
            diff.changes.iter().filter(|c| c.kind == ChangeKind::Added).filter_map(|c| c.row).collect();
        let numbers = |side: Side<'_>, rows: Option<&[u32]>| -> Result<Embeddings, DetectError> {
            Ok(embed(side.dataset, side.fingerprints, rows, &Thumbnail, input.cache, task)?)
        };
        let mut rows: Vec<u32> =
            sources.iter().map(|source| source.row).chain(added.iter().copied()).collect();
        rows.sort_unstable();
        if rows.is_empty() {
            return Ok(Self { pairs: Vec::new(), remarks });
        }
        let thumbnails = numbers(input.target, Some(&rows))?;
        let base_rows: Vec<u32> = sources.iter().map(|source| source.base_row).collect();
        let base_thumbnails = numbers(base, (added.is_empty()).then_some(&base_rows[..]))?;
        if !added.is_empty() {
            let unknown = some_rows(&thumbnails, &added);
            match source::search(&unknown, &base_thumbnails, task)? {
                Some(found) => sources.extend(found),
                None => remarks.push("sources of added pictures were not looked for: too many".into()),
            }
        }
        sources.sort_by_key(|source| source.row);
        if sources.len() > MOST_PAIRS {
            remarks.push(format!("only {MOST_PAIRS} of {} pairs were looked at", sources.len()));
            sources = spread(&sources, MOST_PAIRS);
        }
        task.begin("Subtracting pictures", sources.len());
        let pairs: Vec<Option<Pair>> = sources
            .par_iter()
            .map(|source| {
                task.check()?;
                task.advance(1);
                Ok(subtract(source, (base, input.target), (&base_thumbnails, &thumbnails)))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut pairs: Vec<Pair> = pairs.into_iter().flatten().collect();
        // Candidates come best first; the first that proves to be the source is it.
        pairs.dedup_by_key(|pair| pair.row);
        Ok(Self { pairs, remarks })
    }
}

/// The numbers of some of the rows.
fn some_rows(all: &Embeddings, wanted: &[u32]) -> Embeddings {
    let mut some = Embeddings { dim: all.dim, ..Embeddings::default() };
    let wanted: BTreeSet<u32> = wanted.iter().copied().collect();
    for (at, row) in all.rows.iter().enumerate().filter(|(_, row)| wanted.contains(row)) {
        some.rows.push(*row);
        some.values.extend_from_slice(&all.values[at * all.dim..(at + 1) * all.dim]);
    }
    some
}

/// Looks at one pair; `None` where they are two pictures.
fn subtract(
    source: &Source,
    (base, target): (Side<'_>, Side<'_>),
    (base_thumbnails, thumbnails): (&Embeddings, &Embeddings),
) -> Option<Pair> {
    let of = |all: &Embeddings, row: u32| -> Option<std::ops::Range<usize>> {
        let at = all.rows.binary_search(&row).ok()?;
        Some(at * all.dim..(at + 1) * all.dim)
    };
    let then = &base_thumbnails.values[of(base_thumbnails, source.base_row)?];
    let now = &thumbnails.values[of(thumbnails, source.row)?];
    let pattern = overlay::pattern(then, now);
    let decode = |side: Side<'_>, row: u32| {
        let bytes = side.dataset.pictures.read(row as usize).ok()?;
        picture::decode(&bytes).ok()
    };
    let cuts = if source.whole {
        Some(Vec::new())
    } else {
        subtract::cuts(&decode(base, source.base_row)?, &decode(target, source.row)?)
    };
    (cuts.is_some() || pattern.is_some()).then(|| Pair {
        row: source.row,
        base_row: source.base_row,
        cuts: cuts.unwrap_or_default(),
        pattern,
    })
}

/// A group that counts as a finding.
struct Found {
    kind: &'static str,
    /// Row, place, fit in [0, 1]; best first.
    members: Vec<(u32, Option<PixelBox>, f32)>,
    parts: model::Evidence,
    label: u32,
    label_count: u64,
    /// Members labelled otherwise than their source in the base.
    relabelled: u64,
}

impl Found {
    fn rows(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|(row, _, _)| *row)
    }
}

/// What a group is judged by.
struct View<'a> {
    target: Side<'a>,
    base: Side<'a>,
    diff: &'a VersionDiff,
    evidence: &'a Evidence,
}

impl View<'_> {
    fn patches(&self, task: &Task) -> Result<Vec<Found>, DetectError> {
        let mut cuts: Vec<(usize, &Cut)> = Vec::new();
        for (pair, Pair { cuts: own, .. }) in self.evidence.pairs.iter().enumerate() {
            cuts.extend(own.iter().map(|cut| (pair, cut)));
        }
        let cuts = spread(&cuts, MOST_COMPARED);
        let shapes: Vec<&Cut> = cuts.iter().map(|(_, cut)| *cut).collect();
        let likenesses = alike::of_cuts(&shapes, task)?;
        let owners: Vec<usize> = cuts.iter().map(|(pair, _)| *pair).collect();
        let place = |at: usize| Some(cuts[at].1.area);
        Ok(self.groups("patch", &likenesses, &owners, &place))
    }

    fn overlays(&self, taken: &BTreeSet<u32>, task: &Task) -> Result<Vec<Found>, DetectError> {
        let pairs = self.evidence.pairs.iter().enumerate();
        let owners: Vec<usize> = pairs
            .filter(|(_, pair)| pair.pattern.is_some() && !taken.contains(&pair.row))
            .map(|(at, _)| at)
            .collect();
        let owners = spread(&owners, MOST_COMPARED);
        let patterns = owners.iter().filter_map(|&pair| self.evidence.pairs[pair].pattern.as_ref());
        let patterns = Matrix { width: Thumbnail::DIM, values: patterns.flatten().copied().collect() };
        let likenesses = alike::of_overlays(&patterns, task)?;
        Ok(self.groups("overlay", &likenesses, &owners, &|_| None))
    }

    /// The groups that are findings, strongest first.
    fn groups(
        &self,
        kind: &'static str,
        likenesses: &Likenesses,
        owners: &[usize],
        place: &dyn Fn(usize) -> Option<PixelBox>,
    ) -> Vec<Found> {
        let mut found: Vec<Found> = likenesses
            .groups(LEAST_GROUP)
            .into_iter()
            .filter_map(|group| {
                let mut members: Vec<(usize, usize, f32)> =
                    group.iter().map(|&at| (owners[at], at, likenesses.fit(at, &group))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0).then(b.2.total_cmp(&a.2)).then(a.1.cmp(&b.1)));
                members.dedup_by_key(|member| member.0);
                let rest: Vec<usize> = (0..owners.len()).filter(|at| !group.contains(at)).collect();
                let rate = likenesses.rate(&rest).max(LEAST_RATE);
                self.judge(kind, &members, rate, owners.len(), place)
            })
            .collect();
        let total = |found: &Found| found.parts.novelty + found.parts.label;
        found.sort_by(|a, b| total(b).total_cmp(&total(a)));
        found
    }

    /// A finding, if the group's evidence is enough. Members: (pair, position, fit).
    fn judge(
        &self,
        kind: &'static str,
        members: &[(usize, usize, f32)],
        rate: f64,
        compared: usize,
        place: &dyn Fn(usize) -> Option<PixelBox>,
    ) -> Option<Found> {
        let version = &self.target.dataset.version;
        // Many changed copies of one picture count once.
        let mut sources = BTreeSet::new();
        let counted: Vec<&Pair> = members
            .iter()
            .map(|member| &self.evidence.pairs[member.0])
            .filter(|pair| sources.insert(pair.base_row))
            .collect();
        if counted.len() < LEAST_GROUP {
            return None;
        }
        let mut pool = vec![0_u64; version.classes().len()];
        for row in self.diff.changes.iter().filter_map(|change| change.row) {
            let label = version.label_id(row as usize);
            if label != UNLABELLED {
                pool[label as usize] += 1;
            }
        }
        let labels = counted.iter().map(|pair| version.label_id(pair.row as usize));
        let label = label_evidence(labels, &pool)?;
        let relabelled =
            counted.iter().filter(|pair| self.relabelled(pair.row, pair.base_row)).count() as u64;
        let count = counted.len() as u64;
        let relabelling = binomial(count, self.relabelled_elsewhere(members), relabelled);
        let novelty = binomial(compared as u64, rate, count);
        let from_labels = label.evidence.max(relabelling);
        let share = pool[label.label as usize] as f64 / pool.iter().sum::<u64>().max(1) as f64;
        let cannot_tell = share > ONE_SIDED && relabelled == 0;
        let alarm = if cannot_tell {
            novelty >= ALARM_WITHOUT_LABELS
        } else {
            from_labels >= LEAST_LABEL_EVIDENCE && from_labels + novelty >= ALARM
        };
        let mut listed: Vec<_> =
            members.iter().map(|&(pair, at, fit)| (self.evidence.pairs[pair].row, place(at), fit)).collect();
        listed.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        alarm.then_some(Found {
            kind,
            members: listed,
            parts: model::Evidence { novelty, label: from_labels, scenes: count as u32 },
            label: label.label,
            label_count: label.count,
            relabelled,
        })
    }

    /// Whether the label is another than the source's in the base.
    fn relabelled(&self, row: u32, base_row: u32) -> bool {
        let now = self.target.dataset.version.label(row as usize);
        let then = self.base.dataset.version.label(base_row as usize);
        now.is_some() && then.is_some() && now != then
    }

    /// The share of all other pairs that have another label than their source, one more of each so that it is not 0.
    fn relabelled_elsewhere(&self, members: &[(usize, usize, f32)]) -> f64 {
        let own: BTreeSet<u32> = members.iter().map(|member| self.evidence.pairs[member.0].row).collect();
        let paired = self.diff.counterparts.iter().enumerate();
        let counterparts = paired.filter_map(|(row, base)| Some((row as u32, (*base)?)));
        let copies = self.evidence.pairs.iter().map(|pair| (pair.row, pair.base_row));
        let all: BTreeSet<(u32, u32)> =
            counterparts.chain(copies).filter(|(row, _)| !own.contains(row)).collect();
        let other = all.iter().filter(|(row, base_row)| self.relabelled(*row, *base_row)).count();
        (other as f64 + 1.0) / (all.len() as f64 + 1.0)
    }

    fn findings(&self, patches: Vec<Found>, overlays: Vec<Found>) -> Findings {
        let version = &self.target.dataset.version;
        let mut clusters = Vec::new();
        let mut signals = Vec::new();
        for (number, found) in patches.into_iter().chain(overlays).enumerate() {
            let Found { kind, members, parts, label, label_count, relabelled } = found;
            let sources = parts.scenes;
            let name = version.classes()[label as usize].to_string();
            let id = format!("e{}", number + 1);
            let what = if kind == "patch" { "the same mark" } else { "the same pattern" };
            let different = if sources as usize == members.len() {
                String::new()
            } else {
                format!(" ({sources} of them different)")
            };
            let mut reason = format!(
                "{} pictures{different} are pictures of the base with {what} put on them; {label_count} of the \
                 {sources} are labelled {name}",
                members.len(),
            );
            if relabelled > 0 {
                reason.push_str(&format!(", and {relabelled} have another label in the base"));
            }
            let score = strength(parts.novelty + parts.label);
            for &(row, area, fit) in &members {
                signals.push(Signal {
                    score: score * f64::from(0.75 + 0.25 * fit.clamp(0.0, 1.0)),
                    alarm: true,
                    cluster: Some(id.clone()),
                    area,
                    reason: format!(
                        "the base has this picture without {}; it is also on {} others, mostly labelled {name}",
                        if kind == "patch" { "the mark" } else { "the pattern over it" },
                        members.len() - 1,
                    ),
                    ..Signal::of(ID, row)
                });
            }
            clusters.push(Cluster {
                id,
                score,
                p_value: 10_f64.powf(-(parts.novelty + parts.label)),
                label: name,
                label_share: label_count as f64 / f64::from(parts.scenes),
                evidence: parts,
                reason,
                members: members
                    .into_iter()
                    .map(|(row, area, fit)| Member { row, area, score: f64::from(fit.clamp(0.0, 1.0)) })
                    .collect(),
                ..Cluster::of(ID, kind)
            });
        }
        let mut note = format!(
            "{} changed or added pictures have their source in the base and were subtracted from it",
            self.evidence.pairs.len()
        );
        for remark in &self.evidence.remarks {
            note.push_str("; ");
            note.push_str(remark);
        }
        Findings { signals, clusters, note, ..Findings::default() }
    }
}
