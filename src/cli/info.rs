//! `info`: what is in a dataset?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::arguments::{ComputeArgs, ListArgs, RehashArgs, SourceArg, source};
use super::load::{Loaded, load};
use super::output::{self, ROWS, Target, count, printable};
use super::table::Table;
use super::{CLEAN, Outcome, work};
use crate::feature::{Cache, look};
use crate::model::{ContentHash, Warning};
use crate::task::Task;

/// Counts by class and split, formats, sizes, unreadable samples, the pin
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    /// Show at most N classes and warnings on the screen
    #[arg(long, value_name = "N", default_value_t = ROWS)]
    top: usize,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    rehash: RehashArgs,
}

#[derive(Serialize)]
struct Info {
    schema: u32,
    source: String,
    kind: String,
    revision: Option<String>,
    pin: ContentHash,
    samples: usize,
    label_origin: String,
    classes: Vec<ClassInfo>,
    unlabelled: u64,
    splits: Vec<Named>,
    no_split: u64,
    formats: Vec<Named>,
    bytes: Option<Range>,
    bytes_total: u64,
    width: Option<Range>,
    height: Option<Range>,
    unreadable: usize,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct ClassInfo {
    name: String,
    samples: u64,
    splits: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    samples: u64,
}

#[derive(Serialize)]
struct Range {
    min: u64,
    median: u64,
    max: u64,
}

impl Range {
    fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        let (&min, &max) = values.first().zip(values.last())?;
        Some(Self { min, median: values[(values.len() - 1) / 2], max })
    }
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let cache = args.compute.start();
    let text = work::run("info", move |task| {
        let place = args.source.place(&args.lists);
        let loaded = load(&args.source.text, &place, &cache, args.rehash.rehash, task)?;
        let info = ask(&loaded, &cache, task)?;
        if let Some(trouble) = cache.trouble() {
            output::say("note", &trouble);
        }
        if args.json { output::json(&info) } else { Ok(human(&info, args.top)) }
    })?;
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(CLEAN))
}

fn ask(loaded: &Loaded, cache: &Cache, task: &Task) -> Result<Info> {
    let version = loaded.version();
    let looks = look(&loaded.dataset, &loaded.fingerprints, None, cache, task)?;
    let (class_counts, unlabelled) = version.class_counts();
    let (split_counts, no_split) = version.split_counts();
    let named = |names: &[std::sync::Arc<str>], counts: &[u64]| -> Vec<Named> {
        names.iter().zip(counts).map(|(name, &samples)| Named { name: name.to_string(), samples }).collect()
    };

    let mut by_class_and_split: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    for row in 0..version.len() {
        if let Some(split) = version.split(row) {
            *by_class_and_split.entry((version.label_id(row), split)).or_default() += 1;
        }
    }
    let classes = version
        .classes()
        .iter()
        .zip(&class_counts)
        .enumerate()
        .map(|(id, (name, &samples))| {
            let splits = by_class_and_split
                .range((id as u32, "")..(id as u32 + 1, ""))
                .map(|(&(_, split), &samples)| Named { name: split.to_owned(), samples })
                .collect();
            ClassInfo { name: name.to_string(), samples, splits }
        })
        .collect();

    let seen = || looks.rows.iter().flatten();
    let mut formats: BTreeMap<&str, u64> = BTreeMap::new();
    for look in seen() {
        *formats.entry(look.format).or_default() += 1;
    }
    let readable_sizes =
        loaded.fingerprints.hashes.iter().zip(&loaded.fingerprints.sizes).filter(|(hash, _)| hash.is_some());
    let sizes: Vec<u64> = readable_sizes.map(|(_, &size)| size).collect();

    Ok(Info {
        schema: 1,
        source: loaded.text.clone(),
        kind: version.source().kind.clone(),
        revision: version.source().revision.clone(),
        pin: loaded.pin,
        samples: version.len(),
        label_origin: version.label_origin().to_owned(),
        classes,
        unlabelled,
        splits: named(version.splits(), &split_counts),
        no_split,
        formats: formats
            .into_iter()
            .map(|(name, samples)| Named { name: name.to_owned(), samples })
            .collect(),
        bytes_total: sizes.iter().sum(),
        bytes: Range::of(sizes),
        width: Range::of(seen().map(|look| u64::from(look.width)).collect()),
        height: Range::of(seen().map(|look| u64::from(look.height)).collect()),
        unreadable: looks.rows.iter().filter(|look| look.is_none()).count(),
        warnings: output::warnings(version, &[&loaded.fingerprints.unreadable, &looks.warnings]),
    })
}

fn human(info: &Info, top: usize) -> String {
    let Info { samples, classes, splits, formats, .. } = info;
    let mut text = String::new();
    let mut facts = Table::new("ll");
    facts.row(["source".into(), format!("{} ({})", printable(&info.source), info.kind)]);
    if let Some(revision) = &info.revision {
        facts.row(["revision".into(), printable(revision).into_owned()]);
    }
    facts.row(["pin".into(), info.pin.to_string()]);
    facts.row(["samples".into(), count(*samples)]);
    facts.row([
        "labels".into(),
        format!("{} classes, from {}", count(classes.len()), printable(&info.label_origin)),
    ]);
    if info.unlabelled > 0 {
        facts.row(["no label".into(), count(info.unlabelled)]);
    }
    if !splits.is_empty() {
        let mut parts: Vec<String> =
            splits.iter().map(|s| format!("{} {}", printable(&s.name), count(s.samples))).collect();
        if info.no_split > 0 {
            parts.push(format!("in none {}", count(info.no_split)));
        }
        facts.row(["splits".into(), parts.join(", ")]);
    }
    let parts: Vec<String> = formats.iter().map(|f| format!("{} {}", f.name, count(f.samples))).collect();
    facts.row(["formats".into(), parts.join(", ")]);
    if let (Some(width), Some(height)) = (&info.width, &info.height) {
        let range = |r: &Range| {
            if r.min == r.max {
                r.min.to_string()
            } else {
                format!("{}–{} (median {})", r.min, r.max, r.median)
            }
        };
        facts.row(["pixels".into(), format!("{} wide, {} high", range(width), range(height))]);
    }
    if let Some(sizes) = &info.bytes {
        let [min, median, max] = [sizes.min, sizes.median, sizes.max].map(output::bytes);
        let total = output::bytes(info.bytes_total);
        facts.row(["files".into(), format!("{min}–{max} (median {median}), {total} in all")]);
    }
    facts.row(["unreadable".into(), count(info.unreadable)]);
    text.push_str(&facts.render(0));

    let few_splits = if splits.len() <= 6 { splits.as_slice() } else { &[] };
    let mut table = Table::new(&("lrr".to_owned() + &"r".repeat(few_splits.len())));
    let mut header = vec!["class".to_owned(), "samples".into(), "share".into()];
    header.extend(few_splits.iter().map(|split| printable(&split.name).into_owned()));
    table.cells(header);
    let mut largest_first: Vec<&ClassInfo> = classes.iter().collect();
    if classes.len() > top {
        largest_first.sort_by(|a, b| b.samples.cmp(&a.samples).then_with(|| a.name.cmp(&b.name)));
    }
    for class in largest_first.into_iter().take(top) {
        let share = 100.0 * class.samples as f64 / (*samples).max(1) as f64;
        let mut cells =
            vec![printable(&class.name).into_owned(), count(class.samples), format!("{share:.1} %")];
        cells.extend(few_splits.iter().map(|split| {
            class
                .splits
                .iter()
                .find(|s| s.name == split.name)
                .map_or_else(|| "0".to_owned(), |s| count(s.samples))
        }));
        table.cells(cells);
    }
    let _ = write!(text, "\n{}", table.render(0));
    text.push_str(&output::more(classes.len(), top, "class", "classes"));
    text.push_str(&output::warnings_text(&info.warnings, top));
    text
}
