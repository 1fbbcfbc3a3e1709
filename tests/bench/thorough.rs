//! What do minutes of learning from the dataset itself gain? Each set without and with `Options::thorough`.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sparrowhawk::compare::Side;
use sparrowhawk::detect::{Input, Options, scan};
use sparrowhawk::feature::{Cache, fingerprint};
use sparrowhawk::source::{self, ListOptions, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

pub fn run() {
    let cache_folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::at(cache_folder.path());
    if let Some(folder) = shared_data("clothing") {
        let flipped = tempfile::tempdir().expect("a temporary folder");
        let truth = flip(&folder.join("base"), flipped.path(), 0.05);
        let place = Place { path: flipped.path().to_owned(), kind: None, list: ListOptions::default() };
        rank("clothing, 5 % symmetric flips", &place, &truth, &cache);
    }
    if let Some(folder) = shared_data("cifar10n") {
        let answers = std::fs::read_to_string(folder.join("answers.csv")).expect("answers");
        let truth = answers.lines().filter_map(|line| line.split_once(','));
        let truth: HashMap<String, String> = truth.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        for column in ["aggregate", "random1", "worst"] {
            let list = ListOptions {
                path_column: Some("path".into()),
                label_column: Some(column.into()),
                ..ListOptions::default()
            };
            let place = Place { path: folder.join("labels.csv"), kind: Some("list".into()), list };
            rank(&format!("cifar10n {column}"), &place, &truth, &cache);
        }
    }
}

/// Copies a folder of class folders, this share of the pictures into another class; returns their own classes.
fn flip(from: &Path, to: &Path, share: f64) -> HashMap<String, String> {
    let mut classes: Vec<String> = std::fs::read_dir(from)
        .expect("classes")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    classes.sort();
    let mut pictures = Vec::new();
    for (class, name) in classes.iter().enumerate() {
        std::fs::create_dir_all(to.join(name)).expect("a folder");
        for entry in std::fs::read_dir(from.join(name)).expect("pictures") {
            pictures.push((entry.expect("an entry").path(), class));
        }
    }
    pictures.sort();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    pictures.shuffle(&mut rng);
    let wrong = (pictures.len() as f64 * share).round() as usize;
    let mut truth = HashMap::new();
    for (at, (path, class)) in pictures.iter().enumerate() {
        let other = (class + 1 + rng.random_range(0..classes.len() - 1)) % classes.len();
        let given = &classes[if at < wrong { other } else { *class }];
        // The name says nothing of the class.
        let file = format!("{at}-{}", path.file_name().expect("a name").to_string_lossy());
        std::fs::copy(path, to.join(given).join(&file)).expect("copied");
        truth.insert(format!("{given}/{file}"), classes[*class].clone());
    }
    truth
}

fn rank(name: &str, place: &Place, truth: &HashMap<String, String>, cache: &Cache) {
    let task = Task::new();
    let dataset = source::open(place, &task).expect("the place opens");
    let fingerprints = fingerprint(&dataset, cache, false, &task).expect("not cancelled");
    let target = Side { dataset: &dataset, fingerprints: &fingerprints };
    for thorough in [false, true] {
        let options = Options { thorough, ..Options::default() };
        let input = Input { target, base: None, cache, seed: 0, options: &options, earlier: &[] };
        let start = Instant::now();
        let found = scan(&input, &["label-error".to_owned()], &task).expect("not cancelled");
        let seconds = start.elapsed().as_secs_f64();
        let version = &dataset.version;
        let mut signals: Vec<_> = found.ranking.iter().flat_map(|ranked| &ranked.signals).collect();
        signals.sort_by(|a, b| b.score.total_cmp(&a.score));
        let class = |row: u32| truth.get(version.key(row as usize)).map(String::as_str);
        let (mut above, mut losses, mut hits, mut precision, mut suggested) = (0.0, 0.0, 0.0, 0.0, 0);
        for (at, signal) in signals.iter().enumerate() {
            if class(signal.row) == version.label(signal.row as usize) {
                above += 1.0;
            } else {
                losses += above;
                hits += 1.0;
                precision += hits / (at + 1) as f64;
                let suggestion = signal.suggested.as_ref().map(|suggested| suggested.label.as_str());
                suggested += usize::from(suggestion == class(signal.row));
            }
        }
        println!(
            "{name}, {}: {seconds:.0} s; {} judged, {hits} wrong; AUROC {:.4}, AP {:.4}; \
             right class suggested for {suggested}",
            if thorough { "thorough" } else { "default" },
            signals.len(),
            1.0 - losses / (above * hits),
            precision / hits,
        );
        println!("  {}", found.runs[0].note);
    }
}
