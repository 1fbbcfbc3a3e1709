//! Tests of `demo` on real files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sparrowhawk::demo::{self, DemoError, DemoPair, Plan};
use sparrowhawk::task::Task;

/// Some hundred pictures with something of everything.
const SMALL: Plan = Plan {
    base_per_class: 6,
    additions: 14,
    slips: 3,
    relabels: 3,
    reencodes: 3,
    edits: 6,
    near_duplicates: 4,
    exact_duplicates: 2,
    renames: 2,
    split_moves: 2,
    removals: 2,
    triggers: 8,
    triggers_on_copies: 2,
};

fn small(folder: &Path, seed: u64) -> DemoPair {
    demo::make_planned(folder, seed, &SMALL, &Task::new()).unwrap()
}

/// Every file under a folder, by its path in it.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in
        walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file())
    {
        let key = entry.path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        found.insert(key, std::fs::read(entry.path()).unwrap());
    }
    found
}

fn answers(pair: &DemoPair) -> Vec<Value> {
    let text = std::fs::read_to_string(&pair.answers).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn on_threads(count: usize, folder: &Path, seed: u64) -> BTreeMap<String, Vec<u8>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    pool.install(|| small(folder, seed));
    files(folder)
}

#[test]
fn one_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let one = on_threads(1, &folder.path().join("one"), 5);
    let three = on_threads(3, &folder.path().join("three"), 5);
    assert_eq!(one.keys().collect::<Vec<_>>(), three.keys().collect::<Vec<_>>());
    for (key, bytes) in &one {
        assert!(three[key] == *bytes, "{key} differs between 1 and 3 threads");
    }
    let other = on_threads(2, &folder.path().join("other"), 6);
    let pictures = |files: &BTreeMap<String, Vec<u8>>| files.values().cloned().collect::<BTreeSet<_>>();
    assert!(pictures(&one).is_disjoint(&pictures(&other)), "another seed draws other pictures");
}

#[test]
fn counts_and_answers_are_as_planned_and_every_picture_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let pair = small(folder.path(), 1);
    let (base, contribution) = (files(&pair.base), files(&pair.contribution));
    assert_eq!(base.len(), 48);
    assert_eq!(contribution.len(), 48 - 2 + 14 + 6 + 8);
    for (key, bytes) in base.iter().chain(&contribution) {
        assert_eq!(key.split('/').count(), 3, "{key} is SPLIT/CLASS/NAME");
        let picture = image::load_from_memory(bytes).unwrap_or_else(|e| panic!("{key}: {e}")).to_rgb8();
        let (w, h) = picture.dimensions();
        assert!((130..=230).contains(&w) && (130..=230).contains(&h), "{key} is {w} x {h}");
        let (low, high) = picture.iter().fold((255, 0), |(l, h), v| (l.min(*v), h.max(*v)));
        assert!(high - low > 40, "{key} is all but blank: {low} to {high}");
    }
    let mut kinds = BTreeMap::new();
    for answer in answers(&pair) {
        let text = |field: &str| answer[field].as_str().map(str::to_owned);
        let (key, kind) = (text("key").unwrap(), text("kind").unwrap());
        *kinds.entry(kind.clone()).or_insert(0) += 1;
        let side = if kind == "removed" { &base } else { &contribution };
        let bytes = side.get(&key).unwrap_or_else(|| panic!("{kind} {key} is not there"));
        assert_eq!(text("label").as_deref(), key.split('/').nth(1), "{key}");
        if kind == "removed" {
            assert!(!contribution.contains_key(&key));
        }
        if let Some(base_key) = text("base_key") {
            let same = base[&base_key] == *bytes;
            let bytes_stay = ["exact-duplicate", "renamed", "split-moved", "base-label-slip", "removed"];
            assert_eq!(same, bytes_stay.contains(&kind.as_str()), "{kind} {key}");
        }
        let wrong = text("label") != text("true_label");
        assert_eq!(wrong, ["trigger", "label-slip"].contains(&kind.as_str()), "{kind} {key}");
        if kind == "trigger" {
            let area: Vec<u32> =
                answer["box"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect();
            let picture = image::load_from_memory(bytes).unwrap().to_rgb8();
            assert!(
                area[0] + area[2] <= picture.width() && area[1] + area[3] <= picture.height(),
                "{area:?}"
            );
            let inside = image::imageops::crop_imm(&picture, area[0], area[1], area[2], area[3]).to_image();
            let blue = inside.pixels().filter(|p| p[2] > p[0].saturating_add(50)).count();
            assert!(blue * 6 > inside.pixels().len(), "{key}: {blue} blue pixels in {area:?}");
        }
    }
    let expected = [
        ("addition", 11),
        ("base-label-slip", 3),
        ("edited", 6),
        ("exact-duplicate", 2),
        ("label-slip", 3),
        ("near-duplicate", 4),
        ("re-encoded", 3),
        ("removed", 2),
        ("renamed", 2),
        ("split-moved", 2),
        ("trigger", 8),
    ];
    assert_eq!(kinds.iter().map(|(k, n)| (k.as_str(), *n)).collect::<Vec<_>>(), expected);
}

#[test]
fn a_whole_demo_is_returned_as_it_is_and_one_of_another_plan_is_drawn_anew() {
    let folder = tempfile::tempdir().unwrap();
    let pair = small(folder.path(), 2);
    let note = pair.base.join("kept");
    std::fs::write(&note, "still here").unwrap();
    assert_eq!(small(folder.path(), 2), pair);
    assert!(note.exists(), "a whole demo is not drawn again");
    let fewer = Plan { additions: 12, ..SMALL };
    assert_eq!(demo::make_planned(folder.path(), 2, &fewer, &Task::new()).unwrap(), pair);
    assert!(!note.exists(), "one of another plan is");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("seed-4");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("letter"), "dear").unwrap();
    let result = demo::make_planned(folder.path(), 4, &SMALL, &Task::new());
    assert!(matches!(result, Err(DemoError::Io { .. })), "{result:?}");
    assert_eq!(std::fs::read_to_string(theirs.join("letter")).unwrap(), "dear");
}

#[test]
fn cancel_leaves_nothing_that_counts_as_whole() {
    let folder = tempfile::tempdir().unwrap();
    let task = Task::new();
    let watcher = task.clone();
    let result = std::thread::scope(|scope| {
        let work = scope.spawn(|| demo::make_planned(folder.path(), 3, &SMALL, &task));
        while watcher.progress().done < 3 && !work.is_finished() {
            std::thread::yield_now();
        }
        watcher.cancel();
        work.join().unwrap()
    });
    assert!(matches!(result, Err(DemoError::Cancelled(_))), "{result:?}");
    assert_eq!(watcher.progress().stage, "Drawing the demo");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    assert!(small(folder.path(), 3).answers.exists(), "and it can be made afterwards");
}

#[test]
fn the_story_is_a_few_sentences() {
    let story = demo::story();
    assert!((3..=5).contains(&story.len()));
    assert!(story.iter().all(|line| line.ends_with('.') && line.len() < 240));
}
