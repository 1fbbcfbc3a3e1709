//! How well are planted patches and patterns found in small pictures? On CIFAR-10 pictures with their true labels.
//!
//! Contributions of 800 honest pictures and some poisoned ones, against 1,500 trusted ones (R1), or 1,800 alone (R2).
//! The first 5,000 pictures and the development logos are there to tune on (`PATCHES_DEV=1`); reported are the others.
//! `PATCHES=text` runs only the settings whose name has that text.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use sparrowhawk::compare::{Side, VersionDiff};
use sparrowhawk::detect::{Input, Options, Scan, scan};
use sparrowhawk::drill::{Attack, Dice, LOGOS, LogoPlan, Set, encode};
use sparrowhawk::feature::picture::{Picture, decode, resize};
use sparrowhawk::feature::{Cache, Fingerprints};
use sparrowhawk::model::{Change, ChangeKind, ContentHash, PixelBox, SourceRef, VersionBuilder};
use sparrowhawk::source::{Dataset, Pictures, ReadError, Stamp};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// Files in memory.
struct Held(Vec<Vec<u8>>);

impl Pictures for Held {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        self.0.get(row).cloned().ok_or(ReadError::Missing)
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

fn dataset(files: Vec<(Vec<u8>, String)>) -> (Dataset, Fingerprints) {
    let mut builder = VersionBuilder::default();
    for (at, (_, label)) in files.iter().enumerate() {
        builder.push(&format!("{at:06}"), Some(label), None);
    }
    let source = SourceRef { kind: "folder".into(), place: "/held".into(), revision: None };
    let version = builder.build(source, "held", "bench").0;
    let held: Vec<Vec<u8>> = files.into_iter().map(|(bytes, _)| bytes).collect();
    let fingerprints = Fingerprints {
        hashes: held.iter().map(|bytes| Some(ContentHash::of(bytes))).collect(),
        sizes: held.iter().map(|bytes| bytes.len() as u64).collect(),
        unreadable: Vec::new(),
    };
    (Dataset { version: Arc::new(version), pictures: Arc::new(Held(held)) }, fingerprints)
}

/// Pictures with their true labels, of the half to tune on or to report.
fn pictures(development: bool) -> Option<Vec<(Picture, String)>> {
    let folder = shared_data("cifar10n")?;
    let answers = std::fs::read_to_string(folder.join("answers.csv")).unwrap();
    let lines: Vec<(&str, &str)> = answers.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
    let half = lines.len() / 2;
    let lines = if development { &lines[..half] } else { &lines[half..] };
    let read = |(path, label): &(&str, &str)| {
        (decode(&std::fs::read(folder.join(path)).unwrap()).unwrap(), (*label).to_owned())
    };
    Some(lines.iter().map(read).collect())
}

struct Setting<'a> {
    name: String,
    attack: Option<&'a Attack>,
    count: usize,
    with_base: bool,
    seed: u64,
}

const TARGET: &str = "cat";

fn run_one(setting: &Setting<'_>, all: &[(Picture, String)], detectors: &[String]) -> (f64, f64) {
    let Setting { name, attack, count, with_base, seed } = setting;
    let mut dice = Dice::new(*seed, "bench", 0);
    let mut order: Vec<usize> = (0..all.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, dice.below(at + 1));
    }
    let mut fresh = order.into_iter();
    let save = |picture: &Picture, dice: &mut Dice| {
        let picture = Picture { format: "jpeg", ..picture.clone() };
        encode(&picture, 85 + dice.below(11) as u8).unwrap()
    };
    let base: Vec<(Vec<u8>, String)> = if *with_base {
        fresh.by_ref().take(1500).map(|at| (save(&all[at].0, &mut dice), all[at].1.clone())).collect()
    } else {
        Vec::new()
    };
    let honest = if *with_base { 800 } else { 1800 - count };
    let mut files: Vec<(Vec<u8>, String)> =
        fresh.by_ref().take(honest).map(|at| (save(&all[at].0, &mut dice), all[at].1.clone())).collect();
    let mut boxes: BTreeMap<u32, Option<PixelBox>> = BTreeMap::new();
    let sources = fresh.filter(|&at| all[at].1 != TARGET).take(*count);
    for (at, source) in sources.enumerate() {
        let Some(attack) = attack else { break };
        let mut picture = all[source].0.clone();
        let area = attack.apply(&mut picture, &mut Dice::new(*seed, "poison", at as u64));
        boxes.insert(files.len() as u32, area);
        files.push((save(&picture, &mut dice), TARGET.to_owned()));
    }
    let (dataset_, fingerprints) = dataset(files);
    let target = Side { dataset: &dataset_, fingerprints: &fingerprints };
    let (base_dataset, base_fingerprints) = dataset(base);
    let rows = dataset_.version.len();
    let diff = VersionDiff {
        changes: (0..rows as u32)
            .map(|row| Change {
                kind: ChangeKind::Added,
                also: vec![],
                row: Some(row),
                base_row: None,
                changed_box: None,
            })
            .collect(),
        counterparts: vec![None; rows],
        change_of_row: (0..rows as u32).map(Some).collect(),
        removal_of_base_row: vec![None; base_dataset.version.len()],
        ..VersionDiff::default()
    };
    let base_side = Side { dataset: &base_dataset, fingerprints: &base_fingerprints };
    let (cache, options) = (Cache::none(), Options::default());
    let base = with_base.then_some((base_side, &diff));
    let input = Input { target, base, cache: &cache, seed: 0, options: &options, earlier: &[] };
    let found = scan(&input, detectors, &Task::new()).unwrap();
    report(name, &found, &boxes, rows)
}

/// Prints a line; returns the average precision and the largest C of a cluster that is not the planted one.
fn report(name: &str, found: &Scan, boxes: &BTreeMap<u32, Option<PixelBox>>, rows: usize) -> (f64, f64) {
    let planted = boxes.len() as f64;
    let (mut hits, mut precision, mut first) = (0.0, 0.0, 0.0);
    for (at, ranked) in found.ranking.iter().enumerate() {
        if boxes.contains_key(&ranked.row) {
            hits += 1.0;
            precision += hits / (at + 1) as f64;
            first += f64::from(u8::from(at < boxes.len()));
        }
    }
    // Who is not ranked comes in any order: a precision of the share there, roughly.
    let missed = planted - hits;
    precision += missed * (planted / rows as f64);
    let share = |cluster: &sparrowhawk::model::Cluster| {
        let own = cluster.members.iter().filter(|member| boxes.contains_key(&member.row)).count();
        own as f64 / cluster.members.len().max(1) as f64
    };
    let true_at = found.clusters.iter().position(|cluster| share(cluster) > 0.5);
    let surprise = |at: usize| -found.clusters[at].p_value.max(1e-300).log10();
    let other = (0..found.clusters.len()).filter(|at| Some(*at) != true_at).map(surprise).fold(0.0, f64::max);
    let seconds: Vec<String> =
        found.runs.iter().map(|run| format!("{} {:.1} s", run.detector, run.seconds)).collect();
    print!("{name}: ");
    if planted > 0.0 {
        print!("AP {:.3}, P@n {:.2}, ", precision / planted, first / planted);
    }
    match true_at {
        Some(at) => {
            let cluster = &found.clusters[at];
            let listed: HashSet<u32> = cluster.members.iter().map(|member| member.row).collect();
            let own = listed.iter().filter(|row| boxes.contains_key(row)).count() as f64;
            let mut overlaps: Vec<f64> = cluster
                .members
                .iter()
                .filter_map(|member| Some(member.area?.iou(&(*boxes.get(&member.row)?)?)))
                .collect();
            overlaps.sort_by(f64::total_cmp);
            println!(
                "cluster {} {} C {:.1}, listed recall {:.2} precision {:.2}, median overlap {:.2}; other C {other:.1}; {}",
                at + 1,
                cluster.detector,
                surprise(at),
                own / planted,
                own / listed.len() as f64,
                overlaps.get(overlaps.len() / 2).copied().unwrap_or(0.0),
                seconds.join(", "),
            );
        }
        None => println!("no cluster; other C {other:.1}; {}", seconds.join(", ")),
    }
    for run in &found.runs {
        println!("    {}: {}", run.detector, run.note);
    }
    (precision / planted.max(1.0), other)
}

pub fn run() {
    let development = std::env::var_os("PATCHES_DEV").is_some();
    let wanted = std::env::var("PATCHES").unwrap_or_default();
    let Some(all) = pictures(development) else { return };
    let detectors: Vec<String> = std::env::var("PATCHES_DETECTORS")
        .unwrap_or_else(|_| "shared-patch,shared-overlay".to_owned())
        .split(',')
        .map(str::to_owned)
        .collect();
    let mut attacks: Vec<(String, Attack)> = vec![
        ("checker 3 corner".into(), Attack::checker(3, true)),
        ("checker 3 anywhere".into(), Attack::checker(3, false)),
        ("checker 5 anywhere".into(), Attack::checker(5, false)),
        ("colours 4 anywhere".into(), Attack::colours(4, false, 5)),
        ("sinusoid 20".into(), Attack::Sinusoid { delta: 20.0, periods: 6.0 }),
        ("sinusoid 10".into(), Attack::Sinusoid { delta: 10.0, periods: 6.0 }),
        ("noise 0.1".into(), Attack::noise(32, 0.1, 9)),
    ];
    let photos: Vec<&Picture> = all.iter().rev().take(2).map(|(picture, _)| picture).collect();
    for alpha in [0.2, 0.1] {
        for (number, photo) in photos.iter().enumerate() {
            let pattern = resize(photo, 32, 32);
            attacks.push((format!("photo {alpha} no. {number}"), Attack::Blend { pattern, alpha }));
        }
    }
    let set = if development { Set::Development } else { Set::Test };
    for logo in LOGOS.iter().filter(|logo| logo.set == set) {
        for opacity in [1.0, 0.6] {
            let plan = LogoPlan { size: (0.25, 0.25), opacity, ..LogoPlan::default() };
            attacks.push((format!("logo {} {opacity}", logo.name), Attack::logo(logo, plan)));
        }
    }
    for (name, attack) in &attacks {
        for with_base in [true, false] {
            let counts: &[usize] = if name.starts_with("checker 3") { &[20, 50, 100] } else { &[100] };
            for &count in counts {
                let name = format!("{} {name} n={count}", if with_base { "R1" } else { "R2" });
                if name.contains(&wanted) {
                    let setting = Setting { name, attack: Some(attack), count, with_base, seed: 1 };
                    run_one(&setting, &all, &detectors);
                }
            }
        }
    }
    for with_base in [true, false] {
        for draw in 0..20 {
            let name = format!("{} clean draw {draw}", if with_base { "R1" } else { "R2" });
            if name.contains(&wanted) {
                let setting = Setting { name, attack: None, count: 0, with_base, seed: 100 + draw };
                run_one(&setting, &all, &detectors);
            }
        }
    }
}
