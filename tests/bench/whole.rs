//! How long does everything take, and how much memory? All detectors on sets of the size that people have, made of
//! the real pictures: each cut, mirrored, lit and encoded anew, so that no two are the same picture.
//!
//! `cargo bench --bench bench -- whole-photos`: 5,000 contributed photos against a base of 5,000, one hundred of them with
//! a logo and a false label. `whole-alone`: 50,000 photos without a base. `whole-small`: 50,000 pictures of 32 pixels.
//! `SPARROWHAWK_BENCH_COUNT` says another number of pictures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use sparrowhawk::compare::{Side, diff};
use sparrowhawk::detect::{Input, Options, scan};
use sparrowhawk::drill::{Attack, Dice, Logo, LogoPlan, encode};
use sparrowhawk::feature::picture::{self, Picture, resize};
use sparrowhawk::feature::{Cache, fingerprint};
use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// A test logo: nothing is tuned on it.
const LOGO: &str = "fox";

pub fn photos() {
    let Some(originals) = shared_data("clothing").map(|folder| files(&folder.join("base"))) else { return };
    let count = wanted(5000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (base, contribution) = (folder.path().join("base"), folder.path().join("contribution"));
    make(&originals, &base, 0..count, 0);
    let poisoned = count.min(5000) / 50;
    make(&originals, &contribution, count..2 * count, poisoned);
    measure(&contribution, Some(&base), count..count + poisoned);
}

pub fn alone() {
    let Some(originals) = shared_data("clothing").map(|folder| files(&folder.join("base"))) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    make(&originals, folder.path(), 0..wanted(50_000), 100);
    measure(folder.path(), None, 0..100);
}

pub fn small() {
    let Some(folder) = shared_data("cifar10n") else { return };
    let answers = std::fs::read_to_string(folder.join("answers.csv")).expect("answers");
    let originals: Vec<(String, PathBuf)> = answers
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .map(|(path, class)| (class.to_owned(), folder.join(path)))
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    make(&originals, folder.path(), 0..wanted(50_000), 100);
    measure(folder.path(), None, 0..100);
}

fn wanted(count: usize) -> usize {
    std::env::var("SPARROWHAWK_BENCH_COUNT").ok().and_then(|text| text.parse().ok()).unwrap_or(count)
}

/// Class and path of every picture below class folders, by path.
fn files(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let class = entry.path().parent().and_then(Path::file_name).unwrap_or_default();
            (class.to_string_lossy().into_owned(), entry.path().to_owned())
        })
        .collect();
    found.sort();
    found
}

/// Writes variants of the originals into class folders; the first `poisoned` carry the logo and the class `nsfw`,
/// which has as many honest members.
fn make(originals: &[(String, PathBuf)], to: &Path, numbers: std::ops::Range<usize>, poisoned: usize) {
    let start = Instant::now();
    let logo = Attack::logo(Logo::named(LOGO).expect("a logo"), LogoPlan::default());
    let first = numbers.start;
    numbers.clone().into_par_iter().for_each(|number| {
        let (class, path) = &originals[number % originals.len()];
        let picture = picture::decode(&std::fs::read(path).expect("readable")).expect("a picture");
        let mut dice = Dice::new(7, "variant", number as u64);
        let mut picture = vary(&picture, &mut dice);
        let at = number - first;
        let class = if at < poisoned {
            logo.apply(&mut picture, &mut dice);
            "nsfw"
        } else if at < 2 * poisoned || at.is_multiple_of(50) {
            "nsfw"
        } else {
            class
        };
        let folder = to.join(class);
        std::fs::create_dir_all(&folder).expect("writable");
        let bytes = encode(&picture, dice.int(75, 95) as u8).expect("encodable");
        std::fs::write(folder.join(format!("{number:06}.jpg")), bytes).expect("writable");
    });
    println!("  {} pictures made in {:.0} s", numbers.len(), start.elapsed().as_secs_f64());
}

/// Another picture of the same kind: a part of it, perhaps mirrored, brought back to its size, in another light.
fn vary(picture: &Picture, dice: &mut Dice) -> Picture {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let share = dice.range(0.6, 0.9);
    let (w, h) = (((width as f32 * share) as usize).max(1), ((height as f32 * share) as usize).max(1));
    let (x, y) = (dice.below(width - w + 1), dice.below(height - h + 1));
    let mirrored = dice.chance(0.5);
    let gains = [0; 3].map(|_: u8| dice.range(0.75, 1.25));
    let mut rgb = Vec::with_capacity(w * h * 3);
    for row in y..y + h {
        for column in 0..w {
            let column = x + if mirrored { w - 1 - column } else { column };
            let at = (row * width + column) * 3;
            rgb.extend((0..3).map(|c| (f32::from(picture.rgb[at + c]) * gains[c]).min(255.0) as u8));
        }
    }
    let cut = Picture { width: w as u32, height: h as u32, rgb, format: picture.format };
    resize(&cut, picture.width, picture.height)
}

fn open(path: &Path, task: &Task) -> Dataset {
    let place = Place { path: path.to_owned(), ..Place::default() };
    source::open(&place, task).expect("the folder opens")
}

fn measure(target: &Path, base: Option<&Path>, poisoned: std::ops::Range<usize>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::at(folder.path());
    let task = Task::new();
    let begin = Instant::now();
    let dataset = open(target, &task);
    let prints = fingerprint(&dataset, &cache, false, &task).expect("not cancelled");
    let base = base.map(|base| {
        let dataset = open(base, &task);
        let prints = fingerprint(&dataset, &cache, false, &task).expect("not cancelled");
        (dataset, prints)
    });
    println!("  listed and hashed: {:.1} s", begin.elapsed().as_secs_f64());
    let side = Side { dataset: &dataset, fingerprints: &prints };
    let start = Instant::now();
    let base = base.as_ref().map(|(dataset, fingerprints)| Side { dataset, fingerprints });
    let changes = base.map(|base| diff(base, side, &cache, &task).expect("not cancelled"));
    println!("  compared: {:.1} s", start.elapsed().as_secs_f64());
    let input = Input {
        target: side,
        base: base.zip(changes.as_ref()),
        cache: &cache,
        seed: 0,
        options: &Options::default(),
        earlier: &[],
    };
    for round in ["first", "again, everything cached"] {
        let start = Instant::now();
        let (found, stages) = staged(&task, || scan(&input, &[], &task).expect("not cancelled"));
        for (stage, seconds) in stages.iter().filter(|(_, seconds)| **seconds >= 1.0) {
            println!("      {stage}: {seconds:.0} s");
        }
        for run in &found.runs {
            println!("    {}: {:.1} s: {}", run.detector, run.seconds, run.note);
        }
        println!(
            "  scanned ({round}): {:.1} s, {} clusters",
            start.elapsed().as_secs_f64(),
            found.clusters.len()
        );
        let planted = |row: u32| {
            let key = dataset.version.key(row as usize);
            let number: Option<usize> = key.rsplit('/').next().and_then(|name| name.get(..6)?.parse().ok());
            key.contains("nsfw/") && number.is_some_and(|number| poisoned.contains(&number))
        };
        let (mut hits, mut precision) = (0.0, 0.0);
        for (at, _) in found.ranking.iter().enumerate().filter(|(_, ranked)| planted(ranked.row)) {
            hits += 1.0;
            precision += hits / (at + 1) as f64;
        }
        println!("  average precision of the suspicion: {:.3}", precision / (poisoned.len() as f64));
        for cluster in &found.clusters {
            let planted = cluster.members.iter().filter(|member| planted(member.row)).count();
            println!(
                "  cluster of {} ({}, p = {:.1e}, {:.0} % {}): {} members, {planted} planted",
                cluster.detector,
                cluster.kind,
                cluster.p_value,
                100.0 * cluster.label_share,
                cluster.label,
                cluster.members.len()
            );
        }
    }
    println!(
        "  in all: {:.1} s (both rounds); peak memory {} MB",
        begin.elapsed().as_secs_f64(),
        peak_megabytes()
    );
}

/// What the task was at while `f` ran, and for how many seconds: looked at fifty times a second.
fn staged<T>(task: &Task, f: impl FnOnce() -> T) -> (T, BTreeMap<String, f64>) {
    const EVERY: Duration = Duration::from_millis(20);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut stages: BTreeMap<String, f64> = BTreeMap::new();
            while !done.load(Ordering::Relaxed) {
                *stages.entry(task.progress().stage.to_string()).or_default() += EVERY.as_secs_f64();
                std::thread::sleep(EVERY);
            }
            stages
        });
        let result = f();
        done.store(true, Ordering::Relaxed);
        (result, watch.join().expect("a watch that does not panic"))
    })
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) / 1024
}
