//! Are planted logos found in real photos? Logos of the drill, put on photos that neither side of the comparison has.
//!
//! `TRIGGERS="test 1 0.6 0.35"`: which photos and logos (`dev` or `test`) at which opacities; names of logos choose among them.
//! `few` plants 20 and 10 copies, `clean` none, `alone` has no base.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use sparrowhawk::compare::{Side, VersionDiff};
use sparrowhawk::detect::{Input, Options, Scan, scan};
use sparrowhawk::drill::{Attack, Dice, LOGOS, Logo, LogoPlan, Set, encode};
use sparrowhawk::feature::local::LocalPoints;
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint, picture};
use sparrowhawk::model::{Change, ChangeKind, PixelBox, SourceRef, VersionBuilder};
use sparrowhawk::source::{self, Dataset, Pictures, Place, ReadError, Stamp};
use sparrowhawk::task::Task;

use crate::common::shared_data;

struct Memory(Vec<Vec<u8>>);

impl Pictures for Memory {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.0[row].clone())
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

#[derive(Clone)]
struct Item {
    /// Which of the photos it is.
    id: u64,
    label: String,
    bytes: Vec<u8>,
    planted: Option<PixelBox>,
    poison: bool,
}

struct Opened {
    dataset: Dataset,
    fingerprints: Fingerprints,
    /// By row.
    planted: Vec<Option<PixelBox>>,
    poison: Vec<bool>,
}

impl Opened {
    fn new(items: &[Item]) -> Self {
        let mut builder = VersionBuilder::default();
        for (at, item) in items.iter().enumerate() {
            builder.push(&format!("{}/{at:05}.jpg", item.label), Some(&item.label), None);
        }
        let source = SourceRef { kind: "folder".into(), place: "/memory".into(), revision: None };
        let (version, order) = builder.build(source, "memory", "folder names");
        let sorted = || order.iter().map(|&at| &items[at as usize]);
        let pictures = Memory(sorted().map(|item| item.bytes.clone()).collect());
        let dataset = Dataset { version: Arc::new(version), pictures: Arc::new(pictures) };
        let fingerprints = fingerprint(&dataset, &Cache::none(), false, &Task::new()).unwrap();
        let planted = sorted().map(|item| item.planted).collect();
        Self { dataset, fingerprints, planted, poison: sorted().map(|item| item.poison).collect() }
    }

    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }
}

/// The real photos in an order that a seed draws: label and bytes.
fn photos() -> Option<Vec<Item>> {
    let folder = shared_data("clothing")?.join("base");
    let dataset = source::open(&Place::parse(folder.to_str()?), &Task::new()).ok()?;
    let mut items: Vec<Item> = (0..dataset.version.len())
        .map(|row| Item {
            id: row as u64,
            label: dataset.version.label(row).unwrap_or_default().to_owned(),
            bytes: dataset.pictures.read(row).unwrap(),
            planted: None,
            poison: false,
        })
        .collect();
    Dice::new(1, "photos", 0).shuffle(&mut items);
    Some(items)
}

/// Saved again, with something planted if asked for.
fn saved(item: &Item, attack: Option<(&Attack, &str)>, seed: u64) -> Item {
    let mut picture = picture::decode(&item.bytes).unwrap();
    let mut dice = Dice::new(seed, "plant", item.id);
    let planted = attack.and_then(|(attack, _)| attack.apply(&mut picture, &mut dice));
    let label = attack.map_or(&*item.label, |(_, target)| target).to_owned();
    let bytes = encode(&picture, dice.int(75, 95) as u8).unwrap();
    Item { id: item.id, label, bytes, planted, poison: attack.is_some() }
}

struct Setting {
    base: usize,
    honest: usize,
    poison: usize,
}

/// Runs the detector on honest photos and poison, with the rest as a base.
fn hunt(
    photos: &[Item],
    setting: &Setting,
    attack: Option<&Attack>,
    seed: u64,
    alone: bool,
    cache: &Cache,
) -> (Opened, Scan, f64) {
    let mut photos = photos.to_vec();
    Dice::new(seed, "draw", 0).shuffle(&mut photos);
    let target = photos[0].label.clone();
    let (base, rest) = photos.split_at(setting.base);
    let (honest, rest) = rest.split_at(setting.honest);
    // The same bytes in every run, so that their points are in the cache.
    let mut items: Vec<Item> = honest.par_iter().map(|item| saved(item, None, 0)).collect();
    if let Some(attack) = attack {
        let victims: Vec<&Item> =
            rest.iter().filter(|item| item.label != target).take(setting.poison).collect();
        items.par_extend(victims.par_iter().map(|item| saved(item, Some((attack, &target)), seed)));
    }
    let base = Opened::new(base);
    let contribution = Opened::new(&items);
    let mut diff = VersionDiff::default();
    for row in 0..contribution.dataset.version.len() as u32 {
        diff.counterparts.push(None);
        diff.change_of_row.push(Some(row));
        diff.changes.push(Change {
            kind: ChangeKind::Added,
            also: vec![],
            row: Some(row),
            base_row: None,
            changed_box: None,
        });
    }
    let options = Options::default();
    let input = Input {
        target: contribution.side(),
        base: (!alone).then(|| (base.side(), &diff)),
        cache,
        seed: 0,
        options: &options,
        earlier: &[],
    };
    let start = Instant::now();
    let found = scan(&input, &["shared-trigger".to_owned()], &Task::new()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    (contribution, found, seconds)
}

/// One line about one run; returns precision and recall of what is shown.
fn report(name: &str, side: &Opened, found: &Scan, seconds: f64) -> (f64, f64) {
    let planted = side.poison.iter().filter(|poison| **poison).count();
    let (mut hits, mut sum) = (0.0, 0.0);
    for (at, ranked) in found.ranking.iter().enumerate() {
        if side.poison[ranked.row as usize] {
            hits += 1.0;
            sum += hits / (at + 1) as f64;
        }
    }
    let surprise = |p: f64| -p.max(1e-300).log10();
    let of_trigger = |cluster: &sparrowhawk::model::Cluster| {
        2 * cluster.members.iter().filter(|m| side.poison[m.row as usize]).count() > cluster.members.len()
    };
    let rank = found.clusters.iter().position(of_trigger);
    let other =
        found.clusters.iter().filter(|c| !of_trigger(c)).map(|c| surprise(c.p_value)).fold(0.0, f64::max);
    let Some(rank) = rank else {
        println!(
            "{name}: {planted} planted, MISSED; best other C {other:.1}; {seconds:.1} s; {}",
            found.runs[0].note
        );
        return (0.0, 0.0);
    };
    let cluster = &found.clusters[rank];
    let right = cluster.members.iter().filter(|m| side.poison[m.row as usize]).count();
    let mut overlaps: Vec<f64> =
        cluster.members.iter().filter_map(|m| Some(m.area?.iou(&side.planted[m.row as usize]?))).collect();
    overlaps.sort_by(f64::total_cmp);
    let (precision, recall) = (right as f64 / cluster.members.len() as f64, right as f64 / planted as f64);
    println!(
        "{name}: rank {} precision {precision:.3} recall {recall:.3} AP {:.3} C {:.1} other {other:.1} IoU {:.2} {seconds:.1} s",
        rank + 1,
        sum / planted as f64,
        surprise(cluster.p_value),
        overlaps.get(overlaps.len() / 2).copied().unwrap_or_default(),
    );
    (precision, recall)
}

pub fn run() {
    let Some(photos) = photos() else { return };
    let words = std::env::var("TRIGGERS").unwrap_or_else(|_| "test 1 0.6 0.35 few clean".into());
    let words: Vec<&str> = words.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let (photos, set, setting) = if has("dev") {
        (&photos[..300], Set::Development, Setting { base: 110, honest: 110, poison: 60 })
    } else {
        (&photos[300..], Set::Test, Setting { base: 280, honest: 280, poison: 100 })
    };
    let cache_folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(cache_folder.path());
    speed(photos);
    let named: Vec<&Logo> = LOGOS.iter().filter(|logo| has(logo.name)).collect();
    let logos: Vec<&Logo> =
        if named.is_empty() { LOGOS.iter().filter(|logo| logo.set == set).collect() } else { named };
    let alone = has("alone");
    for opacity in words.iter().filter_map(|word| word.parse::<f32>().ok()) {
        let mut all: Vec<(f64, f64)> = Vec::new();
        for (at, logo) in logos.iter().enumerate() {
            let attack = Attack::logo(logo, LogoPlan { opacity, ..LogoPlan::default() });
            let (side, found, seconds) =
                hunt(photos, &setting, Some(&attack), 100 + at as u64, alone, &cache);
            all.push(report(&format!("{} ({}) {opacity}", logo.name, logo.kind), &side, &found, seconds));
        }
        let worst = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).fold(1.0, f64::min);
        let mean = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        println!(
            "== opacity {opacity}: precision {:.3} (worst {:.3}), recall {:.3} (worst {:.3})",
            mean(|p| p.0),
            worst(|p| p.0),
            mean(|p| p.1),
            worst(|p| p.1)
        );
    }
    if has("few") {
        for poison in [20, 10] {
            for (at, logo) in logos.iter().enumerate() {
                let attack = Attack::logo(logo, LogoPlan::default());
                let setting = Setting { poison, ..setting };
                let (side, found, seconds) =
                    hunt(photos, &setting, Some(&attack), 200 + at as u64, alone, &cache);
                report(&format!("{poison} of {} ({})", logo.name, logo.kind), &side, &found, seconds);
            }
        }
    }
    if has("clean") {
        let mut alarms = 0;
        for seed in 0..20 {
            let (_, found, seconds) = hunt(photos, &setting, None, 300 + seed, alone, &cache);
            alarms += usize::from(found.alarm());
            println!("clean {seed}: {}; {seconds:.1} s", found.runs[0].note);
        }
        println!("== clean: {alarms} of 20 alarmed");
    }
}

/// What the points of a photo cost.
fn speed(photos: &[Item]) {
    let pictures: Vec<_> = photos.iter().take(60).map(|item| picture::decode(&item.bytes).unwrap()).collect();
    let start = Instant::now();
    let points: usize = pictures.iter().map(|picture| LocalPoints::of(picture).points.len()).sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "extraction: {:.1} ms a photo, {} points a photo",
        1000.0 * seconds / pictures.len() as f64,
        points / pictures.len()
    );
}
