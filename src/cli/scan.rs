//! `scan`: which samples look wrong, and why?

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::arguments::{ClassMapArg, ComputeArgs, ListArgs, RehashArgs, SourceArg, class_map, source};
use super::label_options::LabelArgs;
use super::load::{Loaded, PairArgs, VersionJson, load, load_pair, versions_text};
use super::output::{self, ROWS, Target, count, counted, p_value, printable, sentence};
use super::table::Table;
use super::{CLEAN, FINDINGS, Outcome, work};
use crate::compare::VersionDiff;
use crate::detect::{Confusion, DETECTORS, Input, Ranked, Scan, scan};
use crate::model::{
    ChangeKind, Cluster, ContentHash, Evidence, Group, GroupKind, GroupMember, Other, PixelBox, Suggestion,
    Version, Warning,
};

/// Pairs of classes on the screen.
const CONFUSIONS: usize = 5;

/// Which samples look wrong, and why
///
/// Runs the detectors and ranks the samples, most suspicious first. With a base, what is trusted trains what judges,
/// and only contributed samples are judged. Exit status 1 when a sample or a cluster passes its detector's alarm
/// threshold. A quiet scan does not prove that a dataset is clean: it says what was looked for and not found.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset to judge
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// The trusted version it is a contribution to
    #[arg(long, value_name = "BASE", value_parser = source())]
    base: Option<SourceArg>,
    /// Run only this detector; repeat for several [default: all]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(DETECTORS.iter().map(|d| d.id())))]
    detector: Vec<String>,
    /// Which class of SOURCE is which of BASE: `auto` (by spelling and shared pictures) or a TOML file
    #[arg(long, value_name = "auto|FILE", value_parser = class_map(), requires = "base")]
    class_map: Option<ClassMapArg>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    /// Write the result to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List at most N samples [default: 20 on the screen, all in JSON]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    #[command(flatten)]
    labels: LabelArgs,
    /// Take minutes instead of seconds, to learn what pictures look like from the dataset itself
    #[arg(long)]
    thorough: bool,
    /// Seed of everything random; same seed, same result
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
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
    target: VersionJson<'a>,
    base: Option<VersionJson<'a>>,
    detectors: Vec<DetectorJson<'a>>,
    samples: Vec<SampleJson<'a>>,
    clusters: Vec<ClusterJson<'a>>,
    groups: Vec<GroupJson<'a>>,
    confusions: &'a [Confusion],
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct DetectorJson<'a> {
    name: &'a str,
    seconds: f64,
    note: &'a str,
}

#[derive(Serialize)]
struct SampleJson<'a> {
    key: &'a str,
    hash: Option<ContentHash>,
    label: Option<&'a str>,
    change: Option<ChangeKind>,
    rank_in_class: usize,
    suspicion: f64,
    signals: Vec<SignalJson<'a>>,
}

#[derive(Serialize)]
struct SignalJson<'a> {
    detector: &'a str,
    score: f64,
    suggested: Option<&'a str>,
    suggested_probability: Option<f64>,
    cluster: Option<&'a str>,
    #[serde(rename = "box")]
    area: Option<PixelBox>,
    reason: &'a str,
    alarm: bool,
    likely: &'a [Suggestion],
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    id: &'a str,
    detector: &'a str,
    kind: &'a str,
    score: f64,
    p_value: f64,
    label: &'a str,
    label_share: f64,
    size: usize,
    base_matches: u32,
    evidence: Evidence,
    nearest_others: Vec<OtherJson<'a>>,
    reason: &'a str,
    members: Vec<MemberJson<'a>>,
}

#[derive(Serialize)]
struct OtherJson<'a> {
    key: &'a str,
    in_base: bool,
    #[serde(rename = "box")]
    area: Option<PixelBox>,
    score: f64,
}

#[derive(Serialize)]
struct MemberJson<'a> {
    key: &'a str,
    #[serde(rename = "box")]
    area: Option<PixelBox>,
    score: f64,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    id: &'a str,
    kind: GroupKind,
    size: usize,
    labels_differ: bool,
    splits: &'a [String],
    golden: bool,
    reason: &'a str,
    members: Vec<GroupMemberJson<'a>>,
}

#[derive(Serialize)]
struct GroupMemberJson<'a> {
    key: &'a str,
    in_base: bool,
    label: Option<&'a str>,
    split: Option<&'a str>,
    kind: GroupKind,
}

/// Everything that a scan is about.
struct Scanned {
    target: Loaded,
    base: Option<(Loaded, VersionDiff)>,
    scan: Scan,
    warnings: Vec<Warning>,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let place = args.source.place(&args.lists);
    let base_place = args.base.as_ref().map(|base| base.place(&args.lists));
    let places: Vec<_> = base_place.iter().chain([&place]).cloned().collect();
    let target = Target::new(args.out.as_deref(), &places)?;
    let cache = args.compute.start();
    let (text, alarm, target) = work::run("scan", move |task| {
        let rehash = args.rehash.rehash;
        let (judged, base) = match (&args.base, base_place) {
            (Some(base), Some(base_place)) => {
                let pair_args = PairArgs {
                    base: (base, base_place),
                    contribution: (&args.source, place),
                    class_map: args.class_map.as_ref(),
                    rehash,
                };
                let pair = load_pair(&pair_args, &cache, task)?;
                if !pair.looks_renamed.to_base.is_empty() {
                    output::say(
                        "note",
                        &format!(
                            "{} of the contribution look merely renamed; --class-map auto takes them for the base's",
                            counted(pair.looks_renamed.to_base.len(), "class", "classes")
                        ),
                    );
                }
                (pair.contribution, Some((pair.base, pair.diff)))
            }
            _ => (load(&args.source.text, &place, &cache, rehash, task)?, None),
        };
        target.spare(&judged.dataset)?;
        if let Some((base, _)) = &base {
            target.spare(&base.dataset)?;
        }
        let options = args.labels.options(args.thorough)?;
        let input = Input {
            target: judged.side(),
            base: base.as_ref().map(|(base, diff)| (base.side(), diff)),
            cache: &cache,
            seed: args.seed,
            options: &options,
            earlier: &[],
        };
        let scan = scan(&input, &args.detector, task)?;
        if let Some(trouble) = cache.trouble() {
            output::say("note", &trouble);
        }
        let warnings = output::warnings(judged.version(), &[&judged.fingerprints.unreadable, &scan.warnings]);
        let scanned = Scanned { target: judged, base, scan, warnings };
        let text = if args.json {
            output::json(&json(&scanned, args.top.unwrap_or(usize::MAX)))?
        } else {
            human(&scanned, args.top.unwrap_or(ROWS))
        };
        Ok((text, scanned.scan.alarm(), target))
    })?;
    target.write(text.as_bytes())?;
    Ok(Outcome::Exit(if alarm { FINDINGS } else { CLEAN }))
}

/// What the contribution did to this row of the target.
fn change_of(scanned: &Scanned, row: u32) -> Option<ChangeKind> {
    let (_, diff) = scanned.base.as_ref()?;
    let change = diff.change_of_row.get(row as usize).copied().flatten()?;
    diff.changes.get(change as usize).map(|change| change.kind)
}

/// For each ranked sample its place among those with its label, from 1.
fn ranks_in_class(version: &Version, ranking: &[Ranked]) -> Vec<usize> {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    let mut place = |ranked: &Ranked| {
        let seen = seen.entry(version.label_id(ranked.row as usize)).or_default();
        *seen += 1;
        *seen
    };
    ranking.iter().map(&mut place).collect()
}

fn json(scanned: &Scanned, top: usize) -> Json<'_> {
    let Scanned { target, base, scan, warnings } = scanned;
    let version = target.version();
    let ranks = ranks_in_class(version, &scan.ranking);
    let judged = scan.ranking.iter().zip(ranks).take(top);
    let samples = judged.map(|(Ranked { row, suspicion, signals }, rank_in_class)| SampleJson {
        key: version.key(*row as usize),
        hash: target.hash(*row),
        label: version.label(*row as usize),
        change: change_of(scanned, *row),
        rank_in_class,
        suspicion: *suspicion,
        signals: signals
            .iter()
            .map(|signal| SignalJson {
                detector: signal.detector,
                score: signal.score,
                suggested: signal.suggested.as_ref().map(|s| s.label.as_str()),
                suggested_probability: signal.suggested.as_ref().map(|s| s.probability),
                cluster: signal.cluster.as_deref(),
                area: signal.area,
                reason: &signal.reason,
                alarm: signal.alarm,
                likely: &signal.probabilities,
            })
            .collect(),
    });
    let cluster = |cluster| {
        let Cluster {
            id,
            detector,
            kind,
            score,
            p_value,
            label,
            label_share,
            base_matches,
            evidence,
            nearest_others,
            reason,
            members,
        }: &Cluster = cluster;
        let other = |other: &Other| {
            let version = if other.in_base { base.as_ref()?.0.version() } else { version };
            let key = version.key(other.row as usize);
            Some(OtherJson { key, in_base: other.in_base, area: other.area, score: other.score })
        };
        ClusterJson {
            evidence: *evidence,
            nearest_others: nearest_others.iter().filter_map(other).collect(),
            id,
            detector,
            kind,
            score: *score,
            p_value: *p_value,
            label,
            label_share: *label_share,
            size: members.len(),
            base_matches: *base_matches,
            reason,
            members: members
                .iter()
                .map(|m| MemberJson { key: version.key(m.row as usize), area: m.area, score: m.score })
                .collect(),
        }
    };
    let group = |group| {
        let Group { id, kind, members, labels_differ, splits, golden, reason }: &Group = group;
        let member = |member: &GroupMember| {
            let version = version_of(scanned, member.in_base);
            GroupMemberJson {
                key: version.key(member.row as usize),
                in_base: member.in_base,
                label: version.label(member.row as usize),
                split: version.split(member.row as usize),
                kind: member.kind,
            }
        };
        GroupJson {
            id,
            kind: *kind,
            size: members.len(),
            labels_differ: *labels_differ,
            splits,
            golden: *golden,
            reason,
            members: members.iter().map(member).collect(),
        }
    };
    Json {
        schema: 1,
        target: VersionJson::of(target),
        base: base.as_ref().map(|(base, _)| VersionJson::of(base)),
        detectors: scan
            .runs
            .iter()
            .map(|run| DetectorJson { name: run.detector, seconds: run.seconds, note: &run.note })
            .collect(),
        samples: samples.collect(),
        clusters: scan.clusters.iter().map(cluster).collect(),
        groups: scan.groups.iter().map(group).collect(),
        confusions: &scan.confusions,
        warnings,
    }
}

/// The version that a member of a group belongs to.
fn version_of(scanned: &Scanned, in_base: bool) -> &Version {
    match &scanned.base {
        Some((base, _)) if in_base => base.version(),
        _ => scanned.target.version(),
    }
}

/// The groups of duplicates that deserve attention; the others are in the detector's note.
fn groups_text(scanned: &Scanned) -> String {
    let mut text = String::new();
    let groups: Vec<&Group> = scanned.scan.groups.iter().filter(|group| group.matters()).collect();
    if groups.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\n{} of duplicates deserve attention", counted(groups.len(), "group", "groups"));
    for group in groups.iter().take(ROWS) {
        let keys = group.members.iter().take(3).map(|member| {
            let key = version_of(scanned, member.in_base).key(member.row as usize);
            format!("{}{}", printable(key), if member.in_base { " (base)" } else { "" })
        });
        let more = if group.members.len() > 3 { ", …" } else { "" };
        let _ = writeln!(text, "  {} {}: {}", group.id, group.kind.as_str(), sentence(&group.reason));
        let _ = writeln!(text, "     {}{more}", keys.collect::<Vec<_>>().join(", "));
    }
    text.push_str(&output::more(groups.len(), ROWS, "group", "groups"));
    text
}

fn human(scanned: &Scanned, top: usize) -> String {
    let Scanned { target, base, scan, warnings } = scanned;
    let version = target.version();
    let mut text = match base {
        Some((base, _)) => versions_text(&[("base", base), ("contribution", target)]),
        None => versions_text(&[("dataset", target)]),
    };
    text.push('\n');
    for run in &scan.runs {
        let _ = writeln!(text, "{} ({:.1} s): {}", run.detector, run.seconds, sentence(&run.note));
    }

    if !scan.clusters.is_empty() {
        let _ = writeln!(text, "\n{}", counted(scan.clusters.len(), "cluster", "clusters"));
        for cluster in scan.clusters.iter().take(ROWS) {
            let _ = writeln!(
                text,
                "  {} {} score {:.2}, p {}: {}, {:.0} % labelled {}, {} in the base",
                printable(&cluster.id),
                cluster.kind,
                cluster.score,
                p_value(cluster.p_value),
                counted(cluster.members.len(), "picture", "pictures"),
                100.0 * cluster.label_share,
                printable(&cluster.label),
                count(cluster.base_matches)
            );
            let _ = writeln!(text, "     {}", sentence(&cluster.reason));
        }
        text.push_str(&output::more(scan.clusters.len(), ROWS, "cluster", "clusters"));
    }

    text.push_str(&groups_text(scanned));

    let alarms = scan.ranking.iter().filter(|ranked| ranked.signals.iter().any(|s| s.alarm)).count();
    let judged = counted(scan.ranking.len(), "sample", "samples");
    let _ = writeln!(text, "\n{judged} judged; {} above the alarm threshold (marked !)", count(alarms));
    let mut table = Table::new("lrlll");
    for ranked in scan.ranking.iter().take(top) {
        let row = ranked.row as usize;
        let alarm = ranked.signals.iter().any(|signal| signal.alarm);
        let label = version.label(row).map_or("none".into(), printable);
        let suggested = ranked.signals.iter().find_map(|signal| signal.suggested.as_ref());
        let labels = match suggested {
            Some(suggested) => format!("{label} → {}?", printable(&suggested.label)),
            None => label.into_owned(),
        };
        let reason = ranked.signals.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        table.row([
            if alarm { "!".into() } else { String::new() },
            format!("{:.3}", ranked.suspicion),
            labels,
            printable(version.key(row)).into_owned(),
            reason.map_or_else(String::new, |signal| sentence(&signal.reason)),
        ]);
    }
    if !scan.confusions.is_empty() && top > 0 {
        text.push_str("\nMost confused classes, with what they look like\n");
        let mut confusions = Table::new("llr");
        for Confusion { given, looks_like, estimated_count } in scan.confusions.iter().take(CONFUSIONS) {
            let (given, looks_like) = (printable(given).into_owned(), printable(looks_like).into_owned());
            confusions.row([given, looks_like, format!("≤ {}", count(*estimated_count))]);
        }
        text.push_str(&confusions.render(2));
    }
    if top > 0 {
        text.push_str(&table.render(2));
        text.push_str(&output::more(scan.ranking.len(), top, "sample", "samples"));
    }
    text.push_str(&output::warnings_text(warnings, ROWS));
    text
}
