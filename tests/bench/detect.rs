//! How well and how fast does `detect` rank wrong labels? On all of the real data, against its answers.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use sparrowhawk::compare::Side;
use sparrowhawk::detect::{Input, Options, ScoreRule, scan};
use sparrowhawk::feature::{Cache, fingerprint};
use sparrowhawk::source::{self, ListOptions, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// Draws of labels that are flipped: with fifty flips of a thousand, one draw says little.
const DRAWS: u64 = 5;

pub fn run() {
    let cache_folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::at(cache_folder.path());
    if let Some(folder) = shared_data("cifar10n") {
        let answers = std::fs::read_to_string(folder.join("answers.csv")).expect("answers");
        let truth: HashMap<&str, &str> = answers.lines().filter_map(|line| line.split_once(',')).collect();
        for column in ["aggregate", "random1", "worst"] {
            rank(&folder.join("labels.csv"), &folder, column, &truth, &cache);
        }
    }
    if let Some(folder) = shared_data("clothing") {
        // The curators' class is the folder; the crowd spells classes with capitals.
        let list = std::fs::read_to_string(folder.join("raw.csv")).expect("the list");
        let paths: Vec<&str> = list.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
        let truth: HashMap<&str, &str> =
            paths.iter().filter_map(|path| Some((*path, path.split('/').nth(1)?))).collect();
        rank(&folder.join("raw.csv"), &folder, "label", &truth, &cache);
        // One in twenty of the curators' labels is another class, any with the same chance.
        for seed in 0..DRAWS {
            let flipped = cache_folder.path().join(format!("flipped-{seed}.csv"));
            std::fs::write(&flipped, flips(&paths, &truth, seed)).expect("a list");
            rank(&flipped, &folder, "label", &truth, &cache);
        }
    }
}

/// A list in which 5 % of the labels are another class, drawn by a fixed generator.
fn flips(paths: &[&str], truth: &HashMap<&str, &str>, seed: u64) -> String {
    let mut paths = paths.to_vec();
    paths.sort_unstable();
    let mut classes: Vec<&str> = truth.values().copied().collect();
    classes.sort_unstable();
    classes.dedup();
    let mut state = 7 + seed;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let mut flipped = vec![false; paths.len()];
    let mut left = paths.len() / 20;
    while left > 0 {
        let at = below(paths.len());
        left -= usize::from(!std::mem::replace(&mut flipped[at], true));
    }
    let mut text = "path,label\n".to_owned();
    for (path, flipped) in paths.iter().zip(flipped) {
        let own = classes.iter().position(|class| *class == truth[path]).expect("a class");
        let step = if flipped { 1 + below(classes.len() - 1) } else { 0 };
        let _ = writeln!(text, "{path},{}", classes[(own + step) % classes.len()]);
    }
    text
}

/// The ImageNet model among the real data; small pictures are enlarged to 128 only.
#[cfg(feature = "onnx")]
fn model() -> Option<Box<dyn sparrowhawk::feature::Extractor + Send>> {
    let path = shared_data("models")?.join("efficientnet-lite0.onnx");
    let settings = std::env::temp_dir().join("efficientnet-lite0.toml");
    std::fs::write(&settings, "width = 128\nheight = 128").expect("settings");
    Some(Box::new(sparrowhawk::feature::OnnxModel::open(&path, Some(&settings)).expect("a model")))
}

#[cfg(not(feature = "onnx"))]
fn model() -> Option<Box<dyn sparrowhawk::feature::Extractor + Send>> {
    None
}

fn rank(list: &Path, root: &Path, column: &str, truth: &HashMap<&str, &str>, cache: &Cache) {
    let columns = ListOptions {
        path_column: Some("path".into()),
        label_column: Some(column.into()),
        root: Some(root.to_owned()),
        ..ListOptions::default()
    };
    let place = Place { path: list.to_owned(), kind: Some("list".into()), list: columns };
    let task = Task::new();
    let dataset = source::open(&place, &task).expect("the list opens");
    let fingerprints = fingerprint(&dataset, cache, false, &task).expect("not cancelled");
    let target = Side { dataset: &dataset, fingerprints: &fingerprints };
    // After the first run every number is in the cache.
    for (round, score_rule) in [
        ("first", ScoreRule::Balanced),
        ("again", ScoreRule::Balanced),
        ("by margin", ScoreRule::NormalizedMargin),
        ("with a model", ScoreRule::Balanced),
    ] {
        let model = if round == "with a model" { model() } else { None };
        let options = Options { score_rule, model, ..Options::default() };
        let input = Input { target, base: None, cache, seed: 0, options: &options, earlier: &[] };
        let start = Instant::now();
        let found = scan(&input, &["label-error".to_owned()], &task).expect("not cancelled");
        let seconds = start.elapsed().as_secs_f64();
        let version = &dataset.version;
        let wrong = |row: u32| {
            let label = version.label(row as usize).unwrap_or_default().to_lowercase();
            truth.get(version.key(row as usize)).is_some_and(|class| *class != label)
        };
        let (mut right_below, mut wins, mut hits, mut precision) = (0.0, 0.0, 0.0, 0.0);
        for ranked in found.ranking.iter().rev() {
            if wrong(ranked.row) { wins += right_below } else { right_below += 1.0 }
        }
        let (mut flagged, mut flagged_wrong, mut suggested) = (0, 0, 0);
        for (at, ranked) in found.ranking.iter().enumerate() {
            let signal = &ranked.signals[0];
            flagged += usize::from(signal.alarm);
            if wrong(ranked.row) {
                hits += 1.0;
                precision += hits / (at + 1) as f64;
                flagged_wrong += usize::from(signal.alarm);
                let class = truth.get(version.key(ranked.row as usize)).copied();
                suggested += usize::from(
                    signal.suggested.as_ref().map(|s| s.label.to_lowercase()).as_deref() == class,
                );
            }
        }
        println!(
            "{} {column}, {round}: {seconds:.1} s; {} judged, {hits} wrong; AUROC {:.3}, AP {:.3}; \
             {flagged} flagged, {flagged_wrong} of them wrong; right class suggested for {suggested}",
            list.display(),
            found.ranking.len(),
            wins / (right_below * hits),
            precision / hits,
        );
        if round == "first" {
            println!("  {}", found.runs[0].note);
        }
    }
}
