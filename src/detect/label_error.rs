//! Which labels disagree with their picture?
//!
//! Without a base every sample is judged by models that its fold did not teach.
//! With a base only the base teaches, and only what the contribution brought or touched is judged;
//! a picture that the base already has is judged by the model that its copy there did not teach,
//! since any other would only repeat the base's label.
//!
//! Experts are the numbers of our own extractors, of a person's model and of a person's embeddings, each by a ridge
//! regression and the vote of the nearest, pooled with fitted weights ([`super::judge`]); or a person's probabilities alone.
//! The score is one minus the label's quality ([`super::score`]). The alarm is raised on labels that the models' own doubt
//! does not explain ([`super::noise`]).

mod given;
mod pictures;
mod words;

use given::{Given, given};
use pictures::{Pictures, Source, classes_in, contributed, extractors, groups, pixels, touched, unreadable};
use words::{Candidate, View, percent};

use super::expert::{Expert, Numbers, Scores};
use super::judge::{Judgement, judge};
use super::learn::Learned;
use super::lesson::Problem;
use super::{DetectError, Detector, Findings, Input, ProbabilitiesMode, confident};
use crate::feature::SuppliedError;
use crate::model::{UNLABELLED, Version, Warning, WarningKind};
use crate::task::Task;

/// The fewest samples of a class that say what it looks like.
const MIN_CLASS: usize = 5;

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
        let options = input.options;
        if !options.probabilities.is_empty() && options.probabilities_mode == ProbabilitiesMode::Replace {
            return self.by_given(input, task);
        }
        let teaching = input.base.map_or(input.target, |(base, _)| base);
        let teacher = &teaching.dataset.version;
        let counts: Vec<usize> = teacher.class_counts().0.into_iter().map(|count| count as usize).collect();
        if let Some(note) = not_applicable(&counts) {
            return Ok(Findings { note, ..Findings::default() });
        }
        let labelled = labelled(teacher);
        let supplied = match (&options.embeddings, &options.base_embeddings, input.base) {
            (None, None, _) | (Some(_), None, None) => options.embeddings.as_ref(),
            (Some(target), Some(base), Some(_)) if target.width == base.width => Some(base),
            (target, base, judged_base) => {
                return Err(
                    unequal_embeddings(target.as_ref().or(base.as_ref()), judged_base.is_some()).into()
                );
            }
        };
        let pixels = if options.thorough { Some(pixels(teaching, &labelled, input, task)?) } else { None };
        let taught = Pictures::read(teaching, &labelled, supplied, pixels, input, task)?;
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
                let embeddings = options.embeddings.as_ref();
                let pictures = Pictures::read(input.target, &rows, embeddings, pixels, input, task)?;
                warnings.extend(unreadable(&rows, &pictures.rows, input, task)?);
                Some((diff, pictures))
            }
        };
        let problem = Problem {
            labels: taught.rows.iter().map(|&row| teacher.label_id(row as usize)).collect(),
            classes: counts.len(),
            groups: groups(
                &taught.rows,
                teaching,
                extra.as_ref().map(|(diff, pictures)| (*diff, &pictures.rows[..], input.target)),
            ),
            seed: input.seed,
        };
        let mut experts: Vec<Box<dyn Expert + '_>> = Vec::new();
        for (source, numbers) in taught.sources().into_iter().enumerate() {
            let (taught, extra) = (&taught, &extra);
            let fill =
                move |sample: usize, out: &mut [f32]| match (sample.checked_sub(taught.rows.len()), extra) {
                    (Some(sample), Some((_, extra))) => extra.write(source, sample, out),
                    _ => taught.write(source, sample, out),
                };
            experts.push(match numbers {
                Source::Pixels(pixels) => Learned::boxed(pixels.side(), fill),
                Source::Numbers(width, mirror) => Numbers::boxed(width, mirror, fill),
            });
        }
        let mut remarks = Vec::new();
        for table in &options.probabilities {
            if input.base.is_some() {
                let message =
                    "with a base, probabilities can only replace our own models, not be blended with them";
                return Err(SuppliedError::bad(&table.name, message).into());
            }
            let given = given(table, teacher, &taught.rows)?;
            remarks.extend(given.remark);
            experts.push(Box::new(Scores::of_probabilities(&given.values, counts.len())));
        }
        let judgement = judge(&problem, &experts, task)?;
        drop(experts);

        let judged = &input.target.dataset.version;
        let candidates: Vec<Candidate> = if let Some((_, pictures)) = &extra {
            let class_of = classes_in(judged, teacher);
            let rows = pictures.rows.iter().zip(taught.rows.len()..);
            let candidate = |(&row, sample): (&u32, usize)| {
                let label = class_of[judged.label_id(row as usize) as usize]?;
                Some(Candidate { sample, row, label })
            };
            rows.filter_map(candidate).collect()
        } else {
            let rows = taught.rows.iter().zip(&problem.labels).enumerate();
            rows.map(|(sample, (&row, &label))| Candidate { sample, row, label }).collect()
        };
        let candidates = judgeable(candidates, judged, teacher, &counts, &mut warnings);
        let view = View {
            classes: teacher.classes(),
            counts: &counts,
            labels: &problem.labels,
            probabilities: &judgement.probabilities.values,
            members: &[],
            neighbors: &judgement.neighbors,
            rows: &taught.rows,
            in_base: input.base.is_some(),
        };
        let verdicts = view.verdicts(&candidates, options, self.id());
        let mut note = learnt(input, &judgement, &counts, candidates.len());
        note.push_str(&format!("; {}", verdicts.expectation));
        for remark in &remarks {
            note.push_str(&format!(". Beware: {remark}"));
        }
        let (signals, confusions) = (verdicts.signals, verdicts.confusions);
        Ok(Findings { signals, confusions, note, warnings, ..Findings::default() })
    }
}

impl LabelError {
    /// By a person's probabilities alone: no picture is looked at.
    fn by_given(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let options = input.options;
        let version = &input.target.dataset.version;
        let rows = labelled(version);
        let labels: Vec<u32> = rows.iter().map(|&row| version.label_id(row as usize)).collect();
        let mut counts = vec![0_usize; version.classes().len()];
        for &label in &labels {
            counts[label as usize] += 1;
        }
        let tables = options.probabilities.iter().map(|table| given(table, version, &rows));
        let members = tables.collect::<Result<Vec<Given>, SuppliedError>>()?;
        if let Some(note) = not_applicable(&counts) {
            return Ok(Findings { note, ..Findings::default() });
        }
        task.check()?;
        let values: Vec<&[f64]> = members.iter().map(|member| &member.values[..]).collect();
        let weights = confident::ensemble_weights(&values, &labels, counts.len(), options.ensemble);
        let average = confident::average(&values, &weights);
        let weighted: Vec<(&[f64], f64)> = values.into_iter().zip(weights).collect();
        let mut warnings = Vec::new();
        let judged = match input.base {
            Some((_, diff)) => touched(version, diff),
            None => rows.clone(),
        };
        let candidates = rows.iter().zip(&labels).enumerate();
        let candidates = candidates.filter(|(_, (row, _))| judged.binary_search(row).is_ok());
        let candidates =
            candidates.map(|(sample, (&row, &label))| Candidate { sample, row, label }).collect();
        let candidates = judgeable(candidates, version, version, &counts, &mut warnings);
        let view = View {
            classes: version.classes(),
            counts: &counts,
            labels: &labels,
            probabilities: &average,
            members: &weighted,
            neighbors: &[],
            rows: &rows,
            in_base: false,
        };
        let verdicts = view.verdicts(&candidates, options, self.id());
        let names: Vec<&str> = options.probabilities.iter().map(|table| table.name.as_str()).collect();
        let mut note = format!(
            "by the probabilities of {} alone, judged {} samples; {}",
            names.join(", "),
            candidates.len(),
            verdicts.expectation
        );
        for remark in members.iter().filter_map(|member| member.remark.as_ref()) {
            note.push_str(&format!(". Beware: {remark}"));
        }
        let (signals, confusions) = (verdicts.signals, verdicts.confusions);
        Ok(Findings { signals, confusions, note, warnings, ..Findings::default() })
    }
}

fn labelled(version: &Version) -> Vec<u32> {
    (0..version.len() as u32).filter(|&row| version.label_id(row as usize) != UNLABELLED).collect()
}

/// Those whose class has samples enough; warns of the others.
fn judgeable(
    candidates: Vec<Candidate>,
    judged: &Version,
    teacher: &Version,
    counts: &[usize],
    warnings: &mut Vec<Warning>,
) -> Vec<Candidate> {
    let (candidates, few): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| counts[candidate.label as usize] >= MIN_CLASS);
    warnings.extend(few.iter().map(|candidate| {
        let class = candidate.label as usize;
        let message = format!(
            "class `{}` has only {} pictures to learn from; its labels are not judged below {MIN_CLASS}",
            teacher.classes()[class],
            counts[class],
        );
        Warning::on(judged.key(candidate.row as usize), WarningKind::TooFew, message)
    }));
    candidates
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

fn unequal_embeddings(table: Option<&crate::feature::Supplied<f32>>, with_base: bool) -> SuppliedError {
    let name = table.map_or("embeddings", |table| table.name.as_str());
    SuppliedError::bad(
        name,
        if with_base {
            "with a base, embeddings of both are needed (--embeddings and --base-embeddings), of the same model and width"
        } else {
            "embeddings of a base were given without a base"
        },
    )
}

/// Who judged, what they learnt from, and how well they fit the labels.
fn learnt(input: &Input<'_>, judgement: &Judgement, counts: &[usize], judged: usize) -> String {
    let taught: usize = counts.iter().sum();
    let largest = counts.iter().max().map_or(0.0, |&count| count as f64 / taught.max(1) as f64);
    let mut features: Vec<&str> = extractors(input).iter().map(|extractor| extractor.id()).collect();
    if input.options.thorough {
        features.push("networks that learnt from these pictures");
    }
    let supplied = input.options.embeddings.iter().map(|table| table.name.as_str());
    features.extend(supplied.chain(input.options.probabilities.iter().map(|table| table.name.as_str())));
    let learnt = if input.base.is_some() {
        format!("learnt from {taught} pictures of the base alone, judged {judged} changed ones")
    } else {
        format!("judged {judged} of {taught} pictures, each by models that it did not teach")
    };
    format!(
        "features: {}; {learnt}. Predictions agree with {} of the given labels \
         of {} classes (the largest class alone: {}): the less they agree, the more suspicions are mistaken",
        features.join(", "),
        percent(judgement.agreement),
        counts.iter().filter(|count| **count > 0).count(),
        percent(largest),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_judgeable_classes_are_needed() {
        assert!(not_applicable(&[]).is_some());
        assert!(not_applicable(&[100, 4]).is_some_and(|note| note.contains("here 1 of 2")));
        assert_eq!(not_applicable(&[5, 4, 5]), None);
    }
}
