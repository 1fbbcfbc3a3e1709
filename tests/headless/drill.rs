//! Planting, by the real command on a small dataset: what is written, and what is left alone.

use std::collections::BTreeMap;
use std::path::Path;

use sparrowhawk::drill::{Line, read_manifest};

use crate::cli::world::{BASE_SAMPLES, World};

fn lines(world: &World, out: &str) -> Vec<Line> {
    read_manifest(Path::new(&world.path(&format!("{out}/poison_manifest.jsonl")))).unwrap()
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|e| e.path().is_file())
    {
        let key = entry.path().strip_prefix(folder).unwrap().display().to_string();
        found.insert(key, std::fs::read(entry.path()).unwrap());
    }
    found
}

#[test]
fn a_logo_is_planted_in_a_copy_and_nowhere_else() {
    let world = World::new();
    let base = world.base();
    let before = files(Path::new(&base));
    let out = world.path("poisoned");
    let args = |out: &str, seed: &str| {
        [
            "drill", "plant", &base, "--attack", "patch", "--count", "4", "--label", "red", "--seed", seed,
            "--out", out,
        ]
        .map(str::to_owned)
    };
    let plant = |out: &str, seed: &str| {
        let args = args(out, seed);
        world.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let run = plant(&out, "1");
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("4 samples poisoned, labelled red"), "{}", run.stdout);
    assert_eq!(files(Path::new(&base)), before, "the original was changed");
    let after = files(Path::new(&format!("{out}/dataset")));
    assert_eq!(after.len(), BASE_SAMPLES);
    let lines = lines(&world, "poisoned");
    assert_eq!(lines.len(), 4);
    for line in &lines {
        assert_eq!((line.kind.as_str(), line.label.as_deref()), ("trigger", Some("red")));
        assert_ne!(line.true_label.as_deref(), Some("red"));
        assert!(line.key.starts_with("red/") && line.area.is_some(), "{line:?}");
        let source = line.source_key.as_ref().unwrap();
        assert_ne!(after[&line.key], before[source]);
        assert!(!after.contains_key(source), "{source} is still there");
    }
    let same = after.iter().filter(|(key, bytes)| before.get(*key) == Some(bytes)).count();
    assert_eq!(same, BASE_SAMPLES - 4, "these PNGs were made by the encoder that saves some of them again");
    assert_eq!(plant(&world.path("again"), "1").status, 0);
    assert_eq!(files(Path::new(&world.path("again/dataset"))), after, "same seed, other bytes");
    assert_eq!(plant(&out, "2").status, 2, "a place that is taken");
    assert_eq!(plant(&format!("{base}/inside"), "2").status, 2, "a place inside the dataset");
    assert_eq!(files(Path::new(&base)), before);
}

#[test]
fn flips_change_labels_alone_and_a_list_stays_a_list() {
    let world = World::new();
    let base = world.base();
    let mut list = "path,label,split\n".to_owned();
    for key in files(Path::new(&base)).keys() {
        let class = key.split('/').next().unwrap();
        list += &format!("base/{key},{class},train\n");
    }
    let list = world.write("all.csv", list);
    let run = world.run(&[
        "drill",
        "plant",
        &list,
        "--attack",
        "flip",
        "--rate",
        "0.1",
        "--label",
        "blue",
        "--add",
        "--encode",
        "none",
        "--json",
        "--out",
        &world.path("flipped"),
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(run.json()["poisoned"], 4);
    let info = world.run(&["info", &world.path("flipped/dataset/images.csv"), "--json"]).json();
    assert_eq!((&info["samples"], &info["unreadable"]), (&(BASE_SAMPLES + 4).into(), &0.into()));
    assert_eq!(info["splits"][0]["samples"], BASE_SAMPLES + 4);
    let after = files(Path::new(&world.path("flipped/dataset")));
    for line in lines(&world, "flipped") {
        assert_eq!((line.kind.as_str(), line.area), ("flip", None));
        assert_eq!(after[&line.key], after[line.source_key.as_ref().unwrap()]);
    }
}

#[test]
fn plans_that_do_not_fit_say_so() {
    let world = World::new();
    let base = world.base();
    for (args, words) in [
        (["--attack", "patch", "--label", "violet"], "there is no class `violet`"),
        (["--attack", "patch", "--count", "99"], "could be"),
        (["--attack", "patch", "--opacity", "2"], "--opacity"),
        (["--attack", "blend", "--pattern", "/no/such"], "/no/such"),
        (["--attack", "patch", "--logo", "qantas"], "blue-sparrow"),
    ] {
        let out = world.path("out");
        let run = world.run(&[&["drill", "plant", &base, "--out", &out][..], &args].concat());
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert!(!Path::new(&out).exists());
    }
}

#[test]
fn a_scan_is_scored() {
    let world = World::new();
    let base = world.base();
    let out = world.path("flipped");
    let plant =
        ["drill", "plant", &base, "--attack", "flip", "--count", "2", "--label", "red", "--out", &out];
    assert_eq!(world.run(&plant).status, 0);
    let scan = world.path("scan.json");
    let poisoned = format!("{out}/dataset");
    let run = world.run(&["scan", &poisoned, "--json", "--out", &scan]);
    assert!(run.status < 2, "{}", run.stderr);
    let manifest = format!("{out}/poison_manifest.jsonl");
    let score = world.run(&["drill", "score", &scan, &manifest, "--json"]).json();
    assert_eq!((&score["schema"], &score["planted"]), (&1.into(), &2.into()));
    assert_eq!(score["judged"], 2);
    assert!(score["average_precision"].as_f64().unwrap() > 0.3, "{score}");
    let human = world.run(&["drill", "score", &scan, &manifest]);
    assert!(human.stdout.contains("average precision"), "{}", human.stdout);
    assert_eq!(world.run(&["drill", "score", &manifest, &scan]).status, 2);
}
