//! How well and how fast does `detect` rank wrong labels? On all of the real data, against its answers.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use sparrowhawk::compare::Side;
use sparrowhawk::detect::{Input, Options, scan};
use sparrowhawk::feature::{Cache, fingerprint};
use sparrowhawk::source::{self, ListOptions, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

pub fn run() {
    let cache_folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::at(cache_folder.path());
    if let Some(folder) = shared_data("cifar10n") {
        let answers = std::fs::read_to_string(folder.join("answers.csv")).expect("answers");
        let truth: HashMap<&str, &str> = answers.lines().filter_map(|line| line.split_once(',')).collect();
        for column in ["aggregate", "random1", "worst"] {
            rank(&folder.join("labels.csv"), column, &truth, &cache);
        }
    }
    if let Some(folder) = shared_data("clothing") {
        // The curators' class is the folder; the crowd spells classes with capitals.
        let list = std::fs::read_to_string(folder.join("raw.csv")).expect("the list");
        let paths = list.lines().filter_map(|line| line.rsplit(',').next());
        let truth: HashMap<&str, &str> =
            paths.filter_map(|path| Some((path, path.split('/').nth(1)?))).collect();
        rank(&folder.join("raw.csv"), "label", &truth, &cache);
    }
}

fn rank(list: &Path, column: &str, truth: &HashMap<&str, &str>, cache: &Cache) {
    let columns = ListOptions {
        path_column: Some("path".into()),
        label_column: Some(column.into()),
        ..ListOptions::default()
    };
    let place = Place { path: list.to_owned(), kind: Some("list".into()), list: columns };
    let task = Task::new();
    let dataset = source::open(&place, &task).expect("the list opens");
    let fingerprints = fingerprint(&dataset, cache, false, &task).expect("not cancelled");
    let target = Side { dataset: &dataset, fingerprints: &fingerprints };
    let input = Input { target, base: None, cache, seed: 0, options: &Options::default() };
    // The second run has every number in the cache.
    for round in ["first", "again"] {
        let start = Instant::now();
        let found = scan(&input, &[], &task).expect("not cancelled");
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
