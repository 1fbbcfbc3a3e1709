//! `diff`: what did a contribution change?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::arguments::{ClassMapArg, ComputeArgs, ListArgs, RehashArgs, SourceArg, class_map, source};
use super::load::{Pair, PairArgs, VersionJson, load_pair, versions_text};
use super::output::{self, ROWS, Target, count, counted, p_value, printable};
use super::table::Table;
use super::{CLEAN, FINDINGS, Outcome, work};
use crate::compare::{ClassRow, Flow, Measures, distribution, flows};
use crate::model::{Change, ChangeKind, ContentHash, PixelBox};

/// What a contribution changed, sample by sample and class by class
///
/// Samples are paired by content first, so a picture that moved to another class folder is `relabelled`, not removed
/// and added. Exit status 1 when anything changed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The trusted version
    #[arg(value_name = "BASE", value_parser = source())]
    base: SourceArg,
    /// The version under review
    #[arg(value_name = "CONTRIBUTION", value_parser = source())]
    contribution: SourceArg,
    /// Which class of the contribution is which of the base: `auto` (by spelling and shared pictures) or a TOML file
    /// with lines `"T-Shirt" = "t-shirt"`
    #[arg(long, value_name = "auto|FILE", value_parser = class_map())]
    class_map: Option<ClassMapArg>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    /// Write the result to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List at most N changes [default: 20 on the screen, all in JSON]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    rehash: RehashArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    base: VersionJson<'a>,
    contribution: VersionJson<'a>,
    summary: Summary,
    classes: Vec<ClassJson<'a>>,
    flows: &'a [Flow],
    measures: Measures,
    changes: Vec<ChangeJson<'a>>,
    class_map: &'a BTreeMap<String, String>,
    looks_renamed: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    added: usize,
    removed: usize,
    relabelled: usize,
    renamed: usize,
    split_moved: usize,
    re_encoded: usize,
    edited: usize,
    duplicated: usize,
    unchanged: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct ClassJson<'a> {
    name: &'a str,
    base: u64,
    contribution: u64,
    share_change: f64,
    p_adjusted: f64,
    share_change_low: f64,
    share_change_high: f64,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    kind: ChangeKind,
    also: &'a [ChangeKind],
    key: &'a str,
    base_key: Option<&'a str>,
    base_label: Option<&'a str>,
    label: Option<&'a str>,
    split: Option<&'a str>,
    base_split: Option<&'a str>,
    hash: Option<ContentHash>,
    base_hash: Option<ContentHash>,
    changed_box: Option<PixelBox>,
}

impl<'a> ChangeJson<'a> {
    fn of(change: &'a Change, pair: &'a Pair) -> Self {
        let (base, contribution) = (pair.base.version(), pair.contribution.version());
        let row = change.row.map(|row| row as usize);
        let base_row = change.base_row.map(|row| row as usize);
        let base_key = base_row.map(|row| base.key(row));
        Self {
            kind: change.kind,
            also: &change.also,
            // A removed sample has no key but the base's.
            key: row.map(|row| contribution.key(row)).or(base_key).unwrap_or_default(),
            base_key,
            base_label: base_row.and_then(|row| base.label(row)),
            label: row.and_then(|row| contribution.label(row)),
            split: row.and_then(|row| contribution.split(row)),
            base_split: base_row.and_then(|row| base.split(row)),
            hash: change.row.and_then(|row| pair.contribution.hash(row)),
            base_hash: change.base_row.and_then(|row| pair.base.hash(row)),
            changed_box: change.changed_box,
        }
    }
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let [base, contribution] = [&args.base, &args.contribution].map(|source| source.place(&args.lists));
    let target = Target::new(args.out.as_deref(), &[base.clone(), contribution.clone()])?;
    let cache = args.compute.start();
    let (text, found, target) = work::run("diff", move |task| {
        let pair_args = PairArgs {
            base: (&args.base, base),
            contribution: (&args.contribution, contribution),
            class_map: args.class_map.as_ref(),
            rehash: args.rehash.rehash,
        };
        let pair = load_pair(&pair_args, &cache, task)?;
        target.spare(&pair.base.dataset)?;
        target.spare(&pair.contribution.dataset)?;
        if let Some(trouble) = cache.trouble() {
            output::say("note", &trouble);
        }
        let text = if args.json { json(&pair, args.top)? } else { human(&pair, args.top.unwrap_or(ROWS)) };
        Ok((text, !pair.diff.changes.is_empty(), target))
    })?;
    target.write(text.as_bytes())?;
    Ok(Outcome::Exit(if found { FINDINGS } else { CLEAN }))
}

fn json(pair: &Pair, top: Option<usize>) -> Result<String> {
    let Pair { base, contribution, diff, class_map, looks_renamed } = pair;
    let distribution = distribution(base.version(), contribution.version());
    let flows = flows(base.version(), contribution.version(), diff);
    let n = |kind| diff.count(kind);
    output::json(&Json {
        schema: 1,
        base: VersionJson::of(base),
        contribution: VersionJson::of(contribution),
        summary: Summary {
            added: n(ChangeKind::Added),
            removed: n(ChangeKind::Removed),
            relabelled: n(ChangeKind::Relabelled),
            renamed: n(ChangeKind::Renamed),
            split_moved: n(ChangeKind::SplitMoved),
            re_encoded: n(ChangeKind::ReEncoded),
            edited: n(ChangeKind::Edited),
            duplicated: n(ChangeKind::Duplicated),
            unchanged: diff.unchanged,
            unreadable: diff.unreadable,
        },
        classes: distribution
            .classes
            .iter()
            .map(|class| {
                let ClassRow { name, base, contribution, share_change, .. } = class;
                ClassJson {
                    name,
                    base: *base,
                    contribution: *contribution,
                    share_change: *share_change,
                    p_adjusted: class.p_adjusted,
                    share_change_low: class.share_change_low,
                    share_change_high: class.share_change_high,
                }
            })
            .collect(),
        flows: &flows,
        measures: distribution.measures,
        changes: diff
            .changes
            .iter()
            .take(top.unwrap_or(usize::MAX))
            .map(|change| ChangeJson::of(change, pair))
            .collect(),
        class_map: &class_map.to_base,
        looks_renamed: &looks_renamed.to_base,
    })
}

fn human(pair: &Pair, top: usize) -> String {
    let Pair { base, contribution, diff, class_map, looks_renamed } = pair;
    let mut text = versions_text(&[("base", base), ("contribution", contribution)]);

    let mut table = Table::new("lr");
    for kind in ChangeKind::ALL {
        if diff.count(kind) > 0 {
            table.row([kind.as_str().into(), count(diff.count(kind))]);
        }
    }
    table.row(["unchanged".into(), count(diff.unchanged)]);
    if diff.unreadable > 0 {
        table.row(["unreadable".into(), count(diff.unreadable)]);
    }
    let _ = write!(text, "\n{}", table.render(0));

    let distribution = distribution(base.version(), contribution.version());
    let mut classes: Vec<&ClassRow> = distribution.classes.iter().collect();
    if classes.len() > ROWS {
        classes.sort_by(|a, b| {
            let size = |class: &ClassRow| class.share_change.abs();
            a.p_adjusted.total_cmp(&b.p_adjusted).then(size(b).total_cmp(&size(a))).then(a.name.cmp(&b.name))
        });
    }
    let mut table = Table::new("lrrrlr");
    table.row(
        ["class", "base", "contribution", "share change", "95 % interval", "adjusted p"].map(String::from),
    );
    let points = |share: f64| format!("{:+.2}", 100.0 * share);
    for class in classes.iter().take(ROWS) {
        table.row([
            printable(&class.name).into_owned(),
            count(class.base),
            count(class.contribution),
            format!("{} %", points(class.share_change)),
            format!("{} to {} %", points(class.share_change_low), points(class.share_change_high)),
            p_value(class.p_adjusted),
        ]);
    }
    let _ = write!(text, "\n{}", table.render(0));
    text.push_str(&output::more(classes.len(), ROWS, "class", "classes"));
    let Measures { js_distance, l_infinity, psi, chi2_p, cramers_v } = distribution.measures;
    let _ = writeln!(
        text,
        "Class shares: Jensen–Shannon distance {js_distance:.4}, largest change {l_infinity:.4}, PSI {psi:.4}, \
         chi-square p {}, Cramér's V {cramers_v:.4}",
        p_value(chi2_p)
    );

    let flows = flows(base.version(), contribution.version(), diff);
    if !flows.is_empty() {
        let mut table = Table::new("rl");
        for Flow { from, to, count: times } in flows.iter().take(ROWS) {
            table.row([count(*times), format!("{} → {}", printable(from), printable(to))]);
        }
        let _ = write!(text, "\nLabels that became others\n{}", table.render(2));
        text.push_str(&output::more(flows.len(), ROWS, "pair", "pairs"));
    }

    if !class_map.to_base.is_empty() {
        let _ = writeln!(text, "\nClasses taken as the same: {}", pairs_text(&class_map.to_base));
    }
    if !looks_renamed.to_base.is_empty() {
        let _ = writeln!(
            text,
            "\nClasses that look merely renamed: {}. Compare them as the same with --class-map auto.",
            pairs_text(&looks_renamed.to_base)
        );
    }

    if diff.changes.is_empty() {
        text.push_str("\nNothing changed.\n");
    } else if top > 0 {
        let _ = writeln!(text, "\n{}", counted(diff.changes.len(), "change", "changes"));
        let mut table = Table::new("lll");
        for change in diff.changes.iter().take(top) {
            let facts = ChangeJson::of(change, pair);
            table.row([change.kind.as_str().into(), printable(facts.key).into_owned(), change_text(&facts)]);
        }
        text.push_str(&table.render(2));
        text.push_str(&output::more(diff.changes.len(), top, "change", "changes"));
    }
    text
}

fn pairs_text(pairs: &BTreeMap<String, String>) -> String {
    let mut parts: Vec<String> = pairs
        .iter()
        .take(ROWS)
        .map(|(own, base)| format!("{} = {}", printable(own), printable(base)))
        .collect();
    if pairs.len() > ROWS {
        parts.push(format!("… and {} more", count(pairs.len() - ROWS)));
    }
    parts.join(", ")
}

/// What happened to one sample, in a few words.
fn change_text(change: &ChangeJson<'_>) -> String {
    let name =
        |name: Option<&str>| name.map_or_else(|| "none".to_owned(), |name| printable(name).into_owned());
    let detail = |kind: ChangeKind| match kind {
        ChangeKind::Relabelled => format!("{} → {}", name(change.base_label), name(change.label)),
        ChangeKind::Edited => change.changed_box.map_or_else(
            || "another picture".to_owned(),
            |b| format!("changed at {},{} ({} × {} pixels)", b.x, b.y, b.width, b.height),
        ),
        ChangeKind::Duplicated => {
            format!("copy of {}, labelled {}", name(change.base_key), name(change.label))
        }
        ChangeKind::ReEncoded => "other bytes, same picture".to_owned(),
        ChangeKind::SplitMoved => format!("split {} → {}", name(change.base_split), name(change.split)),
        ChangeKind::Renamed => format!("was {}", name(change.base_key)),
        ChangeKind::Added => format!("labelled {}", name(change.label)),
        ChangeKind::Removed => format!("was labelled {}", name(change.base_label)),
    };
    let mut parts = vec![detail(change.kind)];
    parts.extend(change.also.iter().map(|&kind| format!("also {}: {}", kind.as_str(), detail(kind))));
    parts.join("; ")
}
