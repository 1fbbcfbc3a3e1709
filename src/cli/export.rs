//! `export`: how do a review's decisions leave?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::builder::PossibleValuesParser;

use super::arguments::{ClassMapArg, ComputeArgs, ListArgs, class_map};
use super::load::{MAX_CLASS_MAP_BYTES, load};
use super::output::{self, Target, counted, printable};
use super::{CLEAN, Outcome, work};
use crate::compare::ClassMap;
use crate::export::{EXPORTERS, ExportInput, exporter};
use crate::model::Verdict;
use crate::review::{Correction, Review, ReviewAbout};
use crate::source::Place;
use crate::task::Task;

/// Write a review's corrections in the format of the tool that comes next
///
/// The review is only read, also while a window has it open.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The review file
    #[arg(value_name = "REVIEW")]
    review: PathBuf,
    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(EXPORTERS.iter().map(|e| e.id())))]
    format: String,
    /// The file to write, `-` for stdout
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Which class of the contribution is which of the base: corrections that name a class as the base does are
    /// written as the contribution spells it
    #[arg(long, value_name = "auto|FILE", value_parser = class_map())]
    class_map: Option<ClassMapArg>,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let cache = args.compute.start();
    let (bytes, corrections, target) = work::run("export", move |task| {
        if !args.review.is_file() {
            return Err(anyhow!("there is no such review; check the path: {}", args.review.display()));
        }
        let review = Review::read(&args.review)?;
        let about = review.about();
        let places: Vec<Place> = [Some(&about.source), about.base.as_ref()]
            .into_iter()
            .flatten()
            .map(|text| Place::parse(text))
            .collect();
        let target = Target::new(Some(&args.out), &places)?;
        if target.file().is_some_and(|file| same_file(file, &args.review)) {
            return Err(anyhow!("this is the review itself; choose another place: {}", args.out.display()));
        }
        let mut corrections = review.corrections();
        let spelling = match &args.class_map {
            None => BTreeMap::new(),
            Some(ClassMapArg::File(path)) => {
                let text = output::read_text(path, "class map", MAX_CLASS_MAP_BYTES)?;
                let map = ClassMap::parse(&text)
                    .map_err(|why| anyhow!("the class map cannot be used ({why}): {}", path.display()))?;
                spelling_of(&map, &BTreeSet::new())
            }
            Some(ClassMapArg::Auto) => automatic(about, &args.lists, &cache, task)?,
        };
        spell(&mut corrections, &spelling);
        let input = ExportInput { about, corrections: &corrections };
        let bytes = exporter(&args.format)?.render(&input)?;
        Ok((bytes, corrections.len(), target))
    })?;
    target.write(&bytes)?;
    if let Some(file) = target.file() {
        let said = format!(
            "{} written to {}\n",
            counted(corrections, "correction", "corrections"),
            printable(&file.to_string_lossy())
        );
        Target::new(None, &[])?.write(said.as_bytes())?;
    }
    Ok(Outcome::Exit(CLEAN))
}

fn same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}

/// Opens the two versions the review is about, and matches their classes.
fn automatic(
    about: &ReviewAbout,
    lists: &ListArgs,
    cache: &crate::feature::Cache,
    task: &Task,
) -> Result<BTreeMap<String, String>> {
    let base =
        about.base.as_ref().context("this review has no base to map classes to; leave --class-map out")?;
    let place = |text: &str| Place { list: lists.options(), ..Place::parse(text) };
    let base = load(base, &place(base), cache, false, task)?;
    let contribution = load(&about.source, &place(&about.source), cache, false, task)?;
    let shared = Some((&base.fingerprints, &contribution.fingerprints));
    let map = ClassMap::auto(base.version(), contribution.version(), shared);
    let own = contribution.version().classes().iter().map(ToString::to_string).collect();
    Ok(spelling_of(&map, &own))
}

/// The base's class name → the contribution's, where that is one; a name that the contribution has itself stays.
fn spelling_of(map: &ClassMap, own: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut spellings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (contribution, base) in &map.to_base {
        spellings.entry(base).or_default().push(contribution);
    }
    spellings
        .into_iter()
        .filter(|(base, names)| names.len() == 1 && !own.contains(*base))
        .map(|(base, names)| (base.to_owned(), names[0].to_owned()))
        .collect()
}

/// Writes class names of corrections as the contribution spells them.
fn spell(corrections: &mut [Correction], spelling: &BTreeMap<String, String>) {
    for correction in corrections {
        let new_label = match &mut correction.verdict {
            Verdict::Relabel(label) => Some(label),
            // The label that comes back.
            Verdict::Revert => correction.subject.base.as_mut().and_then(|base| base.label.as_mut()),
            _ => None,
        };
        let labels = [correction.subject.label.as_mut(), new_label];
        for label in labels.into_iter().flatten() {
            if let Some(own) = spelling.get(label.as_str()) {
                own.clone_into(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentHash, Subject, SubjectBase};

    #[test]
    fn base_names_are_written_as_the_contribution_spells_them() {
        let pairs = [("T-Shirt", "t-shirt"), ("Coat", "outwear"), ("Jacket", "outwear")];
        let to_base = pairs.iter().map(|(own, base)| ((*own).to_owned(), (*base).to_owned())).collect();
        let map = ClassMap { to_base };
        let spelling = spelling_of(&map, &BTreeSet::new());
        let correction = |label: &str, verdict: &str| Correction {
            subject: Subject {
                key: "1".into(),
                hash: ContentHash([0; 32]),
                label: Some(label.into()),
                split: None,
                change: None,
                base: None,
            },
            verdict: Verdict::Relabel(verdict.into()),
            note: String::new(),
            reviewer: String::new(),
            time_millis: 0,
        };
        let mut corrections = [correction("t-shirt", "Hat"), correction("T-Shirt", "outwear")];
        spell(&mut corrections, &spelling);
        // Two of its classes are the base's `outwear`: which one is meant cannot be known, so it stays.
        assert_eq!(corrections, [correction("T-Shirt", "Hat"), correction("T-Shirt", "outwear")]);
        let reverted = |base_label: &str| Correction {
            subject: Subject {
                base: Some(SubjectBase {
                    key: "1".into(),
                    hash: ContentHash([0; 32]),
                    label: Some(base_label.into()),
                    split: None,
                }),
                ..correction("Hat", "").subject
            },
            verdict: Verdict::Revert,
            ..correction("", "")
        };
        let mut corrections = [reverted("t-shirt")];
        spell(&mut corrections, &spelling);
        assert_eq!(corrections, [reverted("T-Shirt")]);
        let own = BTreeSet::from(["t-shirt".to_owned()]);
        assert!(spelling_of(&map, &own).is_empty());
    }
}
