//! Which labels disagree with their picture?
//!
//! Without a base every sample is judged by models that its fold did not teach.
//! With a base only the base teaches, and only what the contribution brought or touched is judged;
//! a picture that the base already has is judged by the model that its copy there did not teach,
//! since any other would only repeat the base's label.
//!
//! The score is `1 − p(given label)`: ranking by it is ranking by self-confidence, least first.
//! Flagged are as many samples as are confidently of another class ([`confident::low_self_confidence`]).

use std::collections::HashMap;

use half::f16;

use super::expert::{Expert, Numbers};
use super::judge::{Judgement, judge};
use super::learn::Learned;
use super::lesson::Problem;
use super::{DetectError, Detector, Findings, Input, confident};
use crate::compare::{Side, VersionDiff};
use crate::feature::{Embeddings, Extractor, FeatureError, HandCrafted, Look, Pixels, embed, look};
use crate::model::{ChangeKind, Neighbor, Signal, Suggestion, UNLABELLED, Version, Warning, WarningKind};
use crate::task::Task;

/// The fewest samples of a class that say what it looks like.
const MIN_CLASS: usize = 5;
/// Neighbours given as evidence.
const EVIDENCE: usize = 10;
/// Classes named with their probability.
const NAMED: usize = 5;

/// Changes after which a sample may have a wrong label that it did not have before.
const JUDGED: [ChangeKind; 5] = [
    ChangeKind::Relabelled,
    ChangeKind::Edited,
    ChangeKind::Duplicated,
    ChangeKind::ReEncoded,
    ChangeKind::Added,
];

/// Label errors by out-of-sample class probabilities.
pub struct LabelError;

impl Detector for LabelError {
    fn id(&self) -> &'static str {
        "label-error"
    }

    fn summary(&self) -> &'static str {
        "labels that disagree with their picture"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let teaching = input.base.map_or(input.target, |(base, _)| base);
        let teacher = &teaching.dataset.version;
        let counts: Vec<usize> = teacher.class_counts().0.into_iter().map(|count| count as usize).collect();
        if let Some(note) = not_applicable(&counts) {
            return Ok(Findings { note, ..Findings::default() });
        }
        let labelled: Vec<u32> =
            (0..teacher.len() as u32).filter(|&row| teacher.label_id(row as usize) != UNLABELLED).collect();
        let pixels =
            if input.options.thorough { Some(pixels(teaching, &labelled, input, task)?) } else { None };
        let taught = Pictures::read(teaching, &labelled, pixels, input, task)?;
        let mut counts = vec![0_usize; teacher.classes().len()];
        for &row in &taught.rows {
            counts[teacher.label_id(row as usize) as usize] += 1;
        }
        if let Some(note) = not_applicable(&counts) {
            return Ok(Findings { note, ..Findings::default() });
        }

        let mut warnings = Vec::new();
        let extra = match input.base {
            None => {
                warnings.extend(unreadable(&labelled, &taught.rows, input, task)?);
                None
            }
            Some((base, diff)) => {
                let rows = contributed(input.target, base, diff, &mut warnings);
                let pictures = Pictures::read(input.target, &rows, pixels, input, task)?;
                warnings.extend(unreadable(&rows, &pictures.rows, input, task)?);
                Some((diff, pictures))
            }
        };
        let extra_rows = extra.as_ref().map_or(&[][..], |(_, pictures)| &pictures.rows[..]);
        let problem = Problem {
            labels: taught.rows.iter().map(|&row| teacher.label_id(row as usize)).collect(),
            classes: counts.len(),
            groups: groups(
                &taught.rows,
                teaching,
                extra.as_ref().map(|(d, p)| (*d, &p.rows[..], input.target)),
            ),
            seed: input.seed,
        };
        let experts: Vec<Box<dyn Expert + '_>> = (0..taught.numbers.len())
            .map(|at| {
                let (taught, extra) = (&taught, &extra);
                let fill = move |sample: usize, out: &mut [f32]| match (
                    sample.checked_sub(taught.rows.len()),
                    extra,
                ) {
                    (Some(sample), Some((_, extra))) => extra.write(at, sample, out),
                    _ => taught.write(at, sample, out),
                };
                match pixels.filter(|_| at + 1 == taught.numbers.len()) {
                    Some(pixels) => Learned::boxed(pixels.side(), fill),
                    None => Numbers::boxed(taught.numbers[at].dim, fill),
                }
            })
            .collect();
        let judgement = judge(&problem, &experts, task)?;
        drop(experts);

        let judged_version = &input.target.dataset.version;
        let candidates: Vec<Candidate> = if extra.is_some() {
            let class_of = classes_in(judged_version, teacher);
            let first = taught.rows.len();
            extra_rows
                .iter()
                .enumerate()
                .filter_map(|(at, &row)| {
                    let label = class_of[judged_version.label_id(row as usize) as usize]?;
                    Some(Candidate { sample: first + at, row, label })
                })
                .collect()
        } else {
            let labels = problem.labels.iter();
            let rows = taught.rows.iter().zip(labels).enumerate();
            rows.map(|(sample, (&row, &label))| Candidate { sample, row, label }).collect()
        };
        let (candidates, few): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| counts[candidate.label as usize] >= MIN_CLASS);
        warnings.extend(few.iter().map(|candidate| {
            let class = candidate.label as usize;
            let message = format!(
                "class `{}` has only {} pictures to learn from; its labels are not judged below {MIN_CLASS}",
                teacher.classes()[class],
                counts[class],
            );
            Warning::on(judged_version.key(candidate.row as usize), WarningKind::TooFew, message)
        }));
        let view = View { teacher, taught: &taught, in_base: input.base.is_some(), labels: &problem.labels };
        let signals = view.signals(&judgement, &candidates, &counts, self.id());
        let note = view.note(&judgement, &counts, candidates.len());
        Ok(Findings { signals, note, warnings, ..Findings::default() })
    }
}

/// A sample to be judged.
struct Candidate {
    /// Its position in the problem.
    sample: usize,
    /// Its row in the judged version.
    row: u32,
    /// Its given class, among the teacher's.
    label: u32,
}

/// Why there is nothing to judge, if so.
fn not_applicable(counts: &[usize]) -> Option<String> {
    let enough = counts.iter().filter(|count| **count >= MIN_CLASS).count();
    (enough < 2).then(|| {
        format!(
            "not judged: labels can be judged where at least 2 classes have {MIN_CLASS} readable pictures \
             to learn from; here {enough} of {} has",
            counts.len()
        )
    })
}

/// For each class of `version` its id in `teacher`, by name.
fn classes_in(version: &Version, teacher: &Version) -> Vec<Option<u32>> {
    version.classes().iter().map(|name| teacher.class_id(name)).collect()
}

/// Rows that the contribution brought or touched and whose class the base knows; warns of the others.
fn contributed(
    target: Side<'_>,
    base: Side<'_>,
    diff: &VersionDiff,
    warnings: &mut Vec<Warning>,
) -> Vec<u32> {
    let version = &target.dataset.version;
    let known = classes_in(version, &base.dataset.version);
    let mut rows = Vec::new();
    for (row, change) in diff.change_of_row.iter().enumerate().take(version.len()) {
        let Some(change) = change.and_then(|at| diff.changes.get(at as usize)) else { continue };
        if version.label_id(row) == UNLABELLED || !JUDGED.iter().any(|kind| change.is(*kind)) {
            continue;
        }
        if known[version.label_id(row) as usize].is_some() {
            rows.push(row as u32);
        } else {
            let name = version.label(row).unwrap_or_default();
            let message =
                format!("the base has no class `{name}` to learn from; look at these labels yourself");
            warnings.push(Warning::on(version.key(row), WarningKind::NewClass, message));
        }
    }
    rows
}

/// Why the rows that were `asked` for and not `read` could not be read.
fn unreadable(
    asked: &[u32],
    read: &[u32],
    input: &Input<'_>,
    task: &Task,
) -> Result<Vec<Warning>, FeatureError> {
    let Side { dataset, fingerprints } = input.target;
    let missing: Vec<u32> = asked.iter().copied().filter(|row| read.binary_search(row).is_err()).collect();
    let mut warnings = look(dataset, fingerprints, Some(&missing), input.cache, task)?.warnings;
    let unhashed = fingerprints.unreadable.iter().filter(|warning| {
        let row = dataset.version.row_of(&warning.key).map(|row| row as u32);
        row.is_some_and(|row| missing.binary_search(&row).is_ok())
    });
    warnings.extend(unhashed.cloned());
    Ok(warnings)
}

/// Groups of copies: equal content, and what the diff says is the same picture.
fn groups(taught: &[u32], teaching: Side<'_>, extra: Option<(&VersionDiff, &[u32], Side<'_>)>) -> Vec<u32> {
    let mut by_hash = HashMap::new();
    let mut next = 0..;
    let mut fresh = || next.next().expect("fewer samples than u32 holds");
    let mut groups: Vec<u32> = taught
        .iter()
        .map(|&row| match teaching.fingerprints.hashes[row as usize] {
            Some(hash) => *by_hash.entry(hash).or_insert_with(&mut fresh),
            None => fresh(),
        })
        .collect();
    if let Some((diff, rows, target)) = extra {
        for &row in rows {
            let at = row as usize;
            let change = diff.change_of_row[at].and_then(|change| diff.changes.get(change as usize));
            let twin =
                diff.counterparts.get(at).copied().flatten().or(change.and_then(|change| change.base_row));
            let twin = twin.and_then(|twin| taught.binary_search(&twin).ok()).map(|at| groups[at]);
            let same = || target.fingerprints.hashes[at].and_then(|hash| by_hash.get(&hash).copied());
            let group = twin.or_else(same);
            groups.push(group.unwrap_or_else(&mut fresh));
        }
    }
    groups
}

/// Who turns pictures into numbers.
fn extractors() -> Vec<&'static dyn Extractor> {
    vec![&HandCrafted]
}

/// How large pictures are learnt from: small ones as they are.
fn pixels(
    side: Side<'_>,
    rows: &[u32],
    input: &Input<'_>,
    task: &Task,
) -> Result<&'static Pixels, FeatureError> {
    const SMALL: u32 = 48;
    let looks = look(side.dataset, side.fingerprints, Some(rows), input.cache, task)?;
    let small = |look: &&Look| look.width.max(look.height) <= SMALL;
    let seen = || looks.rows.iter().flatten();
    Ok(if 2 * seen().filter(small).count() >= seen().count() { &Pixels::SMALL } else { &Pixels::LARGE })
}

/// Pictures that could be read, and their numbers.
struct Pictures {
    /// Ascending.
    rows: Vec<u32>,
    /// By extractor.
    numbers: Vec<Embeddings>,
}

impl Pictures {
    /// Of the asked rows those whose picture every extractor has seen.
    fn read(
        side: Side<'_>,
        asked: &[u32],
        pixels: Option<&'static Pixels>,
        input: &Input<'_>,
        task: &Task,
    ) -> Result<Self, FeatureError> {
        let numbers = extractors()
            .into_iter()
            .chain(pixels.map(|pixels| pixels as &dyn Extractor))
            .map(|extractor| {
                embed(side.dataset, side.fingerprints, Some(asked), extractor, input.cache, task)
            })
            .collect::<Result<Vec<Embeddings>, _>>()?;
        // They differ only where a file vanished meanwhile.
        let seen_by_all = |row: &u32| numbers.iter().all(|numbers| numbers.rows.binary_search(row).is_ok());
        let rows = asked.iter().copied().filter(seen_by_all).collect();
        Ok(Self { rows, numbers })
    }

    /// Writes the numbers of one extractor for the row at a position.
    fn write(&self, extractor: usize, position: usize, out: &mut [f32]) {
        let Embeddings { dim, rows, values } = &self.numbers[extractor];
        let Ok(at) = rows.binary_search(&self.rows[position]) else { return };
        let values = &values[at * dim..(at + 1) * dim];
        out.iter_mut().zip(values).for_each(|(out, value): (_, &f16)| *out = value.to_f32());
    }
}

/// What is needed to put a judgement into words.
struct View<'a> {
    teacher: &'a Version,
    taught: &'a Pictures,
    in_base: bool,
    labels: &'a [u32],
}

impl View<'_> {
    fn signals(
        &self,
        judgement: &Judgement,
        candidates: &[Candidate],
        counts: &[usize],
        detector: &'static str,
    ) -> Vec<Signal> {
        let classes = counts.len();
        let taught = &judgement.probabilities.values[..self.labels.len() * classes];
        let mut thresholds = confident::thresholds(taught, self.labels, classes);
        for (threshold, count) in thresholds.iter_mut().zip(counts) {
            if *count < MIN_CLASS {
                *threshold = confident::NEVER;
            }
        }
        let rows = candidates.iter().flat_map(|candidate| judgement.probabilities.row(candidate.sample));
        let probabilities: Vec<f32> = rows.copied().collect();
        let labels: Vec<u32> = candidates.iter().map(|candidate| candidate.label).collect();
        let mut alarm = vec![false; candidates.len()];
        for at in confident::low_self_confidence(&probabilities, &labels, &thresholds) {
            alarm[at] = true;
        }
        let mut signals = Vec::with_capacity(candidates.len());
        for (at, candidate) in candidates.iter().enumerate() {
            let row = judgement.probabilities.row(candidate.sample);
            let given = candidate.label as usize;
            let named = |class: usize| Suggestion {
                label: self.teacher.classes()[class].to_string(),
                probability: f64::from(row[class]),
            };
            let mut likely: Vec<usize> = (0..classes).collect();
            let by_probability = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
            if classes > NAMED {
                likely.select_nth_unstable_by(NAMED - 1, by_probability);
                likely.truncate(NAMED);
            }
            likely.sort_unstable_by(by_probability);
            let best = likely[0];
            let hits = &judgement.neighbors[candidate.sample];
            let hits = &hits[..hits.len().min(EVIDENCE)];
            let agreeing =
                hits.iter().filter(|hit| self.labels[hit.position as usize] as usize == best).count();
            signals.push(Signal {
                detector,
                row: candidate.row,
                score: (1.0 - f64::from(row[given])).clamp(0.0, 1.0),
                alarm: alarm[at],
                probabilities: likely.iter().map(|&class| named(class)).collect(),
                suggested: (best != given).then(|| named(best)),
                neighbors: hits
                    .iter()
                    .map(|hit| Neighbor {
                        in_base: self.in_base,
                        row: self.taught.rows[hit.position as usize],
                        similarity: hit.similarity,
                    })
                    .collect(),
                cluster: None,
                area: None,
                reason: self.reason(
                    &named(best),
                    (best != given).then(|| named(given)),
                    agreeing,
                    hits.len(),
                ),
            });
        }
        signals
    }

    /// Such as "Looks like dog (71 %), not cat (3 %); 8 of its 10 nearest pictures are dog".
    fn reason(&self, best: &Suggestion, given: Option<Suggestion>, agreeing: usize, of: usize) -> String {
        let looks = format!("Looks like {} ({})", best.label, percent(best.probability));
        let label = match given {
            Some(given) => format!("not {} ({})", given.label, percent(given.probability)),
            None => "as labelled".to_owned(),
        };
        let place = if self.in_base { " in the base" } else { "" };
        match of {
            0 => format!("{looks}, {label}"),
            _ => {
                format!("{looks}, {label}; {agreeing} of its {of} nearest pictures{place} are {}", best.label)
            }
        }
    }

    fn note(&self, judgement: &Judgement, counts: &[usize], judged: usize) -> String {
        let taught = self.labels.len();
        let largest = counts.iter().max().map_or(0.0, |&count| count as f64 / taught.max(1) as f64);
        let learnt = if self.in_base {
            format!("learnt from {taught} pictures of the base alone, judged {judged} changed ones")
        } else {
            format!("judged {judged} of {taught} pictures, each by models that it did not teach")
        };
        format!(
            "features: {} (shape, colour, texture); {learnt}. Predictions agree with {} of the given labels \
             of {} classes (the largest class alone: {}): the less they agree, the more suspicions are mistaken",
            HandCrafted.id(),
            percent(judgement.agreement),
            counts.iter().filter(|count| **count > 0).count(),
            percent(largest),
        )
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        few if few > 0.0 && few < 0.5 => "<1 %".to_owned(),
        most if (99.5..100.0).contains(&most) => ">99 %".to_owned(),
        value => format!("{value:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_to_certainty() {
        for (share, text) in
            [(0.0, "0 %"), (0.001, "<1 %"), (0.714, "71 %"), (0.999, ">99 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn two_judgeable_classes_are_needed() {
        assert!(not_applicable(&[]).is_some());
        assert!(not_applicable(&[100, 4]).is_some_and(|note| note.contains("here 1 of 2")));
        assert_eq!(not_applicable(&[5, 4, 5]), None);
    }
}
