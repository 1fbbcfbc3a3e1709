//! Whole jobs: pin and verify; decide, export, apply, invert.

use std::path::Path;

use sparrowhawk::model::{ChangeKind, ContentHash, Subject, SubjectBase, Verdict};
use sparrowhawk::review::{Review, ReviewAbout};

use super::world::{self, World};

#[test]
fn a_pinned_version_verifies_until_something_changes() {
    let world = World::new();
    let base = world.base();
    let lock = world.path("sparrowhawk.lock");
    // A relative source below the lock file: both can be moved together.
    let pinned = world.run(&["pin", "base", "-o", "sparrowhawk.lock"]);
    assert_eq!(pinned.status, 0, "{}", pinned.stderr);
    assert!(pinned.stdout.contains("b3:") && pinned.stdout.contains("36 samples"), "{}", pinned.stdout);
    let text = std::fs::read_to_string(&lock).unwrap();
    for words in ["pin = \"b3:", "tool = \"sparrowhawk", "date = \"20", "red = 12", "place = \"base\""] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    let same = world.run(&["verify", "sparrowhawk.lock"]);
    assert_eq!(same.status, 0, "{}\n{}", same.stdout, same.stderr);
    assert!(same.stdout.starts_with("the same"), "{}", same.stdout);
    let to_stdout = world.run(&["pin", &base]);
    let pin_line = |text: &str| text.lines().find(|line| line.starts_with("pin = ")).map(str::to_owned);
    assert_eq!(pin_line(&to_stdout.stdout), pin_line(&text));

    // One byte of one picture, with its size and time kept: what a cache would believe to be unchanged.
    let victim = Path::new(&base).join("red/red-03.png");
    let time = std::fs::metadata(&victim).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&victim).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&victim, bytes).unwrap();
    std::fs::File::options().append(true).open(&victim).unwrap().set_modified(time).unwrap();
    std::fs::remove_file(Path::new(&base).join("blue/blue-05.png")).unwrap();
    let differs = world.run(&["verify", &lock, &base]);
    assert_eq!(differs.status, 1, "{}", differs.stderr);
    let listed: Vec<usize> = ["blue/blue-05.png", "red/red-03.png"]
        .iter()
        .map(|key| differs.stdout.find(key).unwrap_or(0))
        .collect();
    assert!(0 < listed[0] && listed[0] < listed[1], "by key:\n{}", differs.stdout);
    let json = world.run(&["verify", &lock, &base, "--json"]).json();
    assert_eq!(json["same"], false);
    assert!(json["differences"].as_array().unwrap().len() >= 2, "{json}");

    // Without the list of samples only counts can be told, and a damaged list is said to be one.
    std::fs::write(format!("{lock}.samples"), "{\"key\":\"a\"}\n").unwrap();
    let tampered = world.run(&["verify", &lock, &base]);
    assert_eq!(tampered.status, 1);
    assert!(tampered.stderr.contains("list of samples"), "{}", tampered.stderr);
    std::fs::remove_file(format!("{lock}.samples")).unwrap();
    assert_eq!(world.run(&["verify", &lock, &base]).status, 1);
}

#[test]
fn a_lock_file_remembers_how_a_list_is_read() {
    let world = World::new();
    world.base();
    let list = world.list_of_base(str::to_owned).replace("path,label", "where,what");
    world.write("list.csv", list);
    let pinned = world.run(&[
        "pin",
        "list.csv",
        "--path-column",
        "where",
        "--label-column",
        "what",
        "--root",
        "base",
        "-o",
        "list.lock",
    ]);
    assert_eq!(pinned.status, 0, "{}", pinned.stderr);
    for lock in [world.path("list.lock"), "list.lock".to_owned()] {
        let same = world.run(&["verify", &lock]);
        assert_eq!(same.status, 0, "{}\n{}", same.stdout, same.stderr);
    }
    let relabelled =
        world.list_of_base(|label| if label == "red" { "blue".into() } else { label.to_owned() });
    let other = world.write("other.csv", relabelled.replace("path,label", "where,what"));
    let differs = world.run(&["verify", "list.lock", &other]);
    assert_eq!(differs.status, 1, "{}", differs.stderr);
    assert!(differs.stdout.contains("red/red-00.png"), "{}", differs.stdout);
}

#[test]
fn what_cannot_be_verified_is_an_error() {
    let world = World::new();
    let base = world.base();
    let bad = world.write("bad.lock", "this is = not [a lock\n");
    for (args, words) in [
        (["verify", "none.lock", base.as_str()], "none.lock"),
        (["verify", bad.as_str(), base.as_str()], "bad.lock"),
    ] {
        let run = world.run(&args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.contains(words) && run.stderr.lines().count() == 1, "{}", run.stderr);
    }
    let inside = world.run(&["pin", &base, "-o", &format!("{base}/sparrowhawk.lock")]);
    assert_eq!(inside.status, 2);
    assert!(inside.stderr.contains("never writes there"), "{}", inside.stderr);
    assert!(!Path::new(&base).join("sparrowhawk.lock").exists());
}

/// A review of the contribution with these verdicts on the changes of these kinds, made through the library.
fn review(world: &World, verdicts: &[(ChangeKind, Verdict)]) -> String {
    let (base, contribution) = (world.base(), world.contribution());
    let diff = world.run(&["diff", &base, &contribution, "--json"]).json();
    let about = ReviewAbout { source: contribution, base: Some(base) };
    let path = world.path("my.review");
    let mut review = Review::open(Path::new(&path), &about).unwrap();
    for (kind, verdict) in verdicts {
        let change = diff["changes"].as_array().unwrap().iter().find(|c| c["kind"] == kind.as_str()).unwrap();
        let text = |field: &str| change[field].as_str().map(str::to_owned);
        let hash = |field: &str| text(field).map(|hash| hash.parse::<ContentHash>().unwrap());
        let removed = *kind == ChangeKind::Removed;
        let subject = Subject {
            key: text("key").unwrap(),
            hash: hash(if removed { "base_hash" } else { "hash" }).unwrap(),
            label: text(if removed { "base_label" } else { "label" }),
            split: None,
            change: Some(*kind),
            base: text("base_key").map(|key| SubjectBase {
                key,
                hash: hash("base_hash").unwrap(),
                label: text("base_label"),
                split: None,
            }),
        };
        review.decide(&[subject], Some(verdict), "seen", "Ada").unwrap();
    }
    path
}

#[test]
fn decide_export_apply_and_take_back() {
    let world = World::new();
    let verdicts = [
        (ChangeKind::Relabelled, Verdict::Revert),
        (ChangeKind::Added, Verdict::Relabel("blue".into())),
        (ChangeKind::Duplicated, Verdict::Exclude),
        (ChangeKind::Renamed, Verdict::Keep),
        (ChangeKind::ReEncoded, Verdict::Unsure),
    ];
    let file = review(&world, &verdicts);
    let (base, contribution) = (world.base(), world.contribution());
    let before = world::listing(Path::new(&contribution));

    let table = world.run(&["export", &file, "--format", "csv", "--out", "-"]);
    assert_eq!(table.status, 0, "{}", table.stderr);
    for words in ["green/red-00.png", "revert", "blue/copy.png", "exclude", "Ada", "seen"] {
        assert!(table.stdout.contains(words), "{words}:\n{}", table.stdout);
    }
    let patch = world.path("corrections.jsonl");
    let exported = world.run(&["export", &file, "--format", "patch", "--out", &patch]);
    assert_eq!(exported.status, 0, "{}", exported.stderr);
    assert!(exported.stdout.contains("written to"), "{}", exported.stdout);

    let dry = world.run(&["apply", &patch, &contribution, "--dry-run", "--json"]);
    assert_eq!(dry.status, 0, "{}{}", dry.stdout, dry.stderr);
    assert_eq!(dry.json()["done"].as_array().unwrap().len(), 3, "{}", dry.stdout);
    let corrected = world.path("corrected");
    let applied = world.run(&["apply", &patch, &contribution, "--out", &corrected]);
    assert_eq!(applied.status, 0, "{}{}", applied.stdout, applied.stderr);
    let diff = world.run(&["diff", &base, &corrected, "--json"]).json();
    let summary = &diff["summary"];
    assert_eq!(summary["relabelled"], 0, "taken back: {summary}");
    assert_eq!(summary["duplicated"], 0, "left out: {summary}");
    let added: Vec<_> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["kind"] == "added")
        .map(|c| &c["label"])
        .collect();
    assert_eq!(added, ["blue"], "{diff}");

    // Taking the patch back gives the contribution again, to the byte.
    let again = world.path("again");
    let inverted = world.run(&[
        "apply",
        &patch,
        &corrected,
        "--out",
        &again,
        "--invert",
        "--pictures-from",
        &contribution,
    ]);
    assert_eq!(inverted.status, 0, "{}{}", inverted.stdout, inverted.stderr);
    let pin = |source: &str| world.run(&["info", source, "--json"]).json()["pin"].clone();
    assert_eq!(pin(&again), pin(&contribution));

    // A second time nothing fits any more: each refusal is named, nothing is written.
    let twice = world.path("twice");
    let refused = world.run(&["apply", &patch, &corrected, "--out", &twice]);
    assert_eq!(refused.status, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stdout.contains("nothing was written"), "{}", refused.stdout);
    assert!(!Path::new(&twice).exists());
    assert_eq!(world::listing(Path::new(&contribution)), before, "the source is only read");
    let there = world.run(&["apply", &patch, &contribution, "--out", &corrected]);
    assert_eq!(there.status, 2, "the target is there already: {}", there.stdout);
}

#[test]
fn corrections_speak_as_the_contribution_does() {
    let world = World::new();
    let base = world.base();
    let capital = |label: &str| label[..1].to_uppercase() + &label[1..];
    let list = world.list_of_base(capital).replace("red/red-00.png,Red", "red/red-00.png,Green");
    let list = world.write("list.csv", list);
    let scan = world.run(&["scan", &list, "--base", &base, "--root", &base, "--class-map", "auto", "--json"]);
    assert!(scan.status < 2, "{}", scan.stderr);
    let judged = scan.json()["samples"].clone();
    assert_eq!(judged.as_array().unwrap().len(), 1, "one label was changed: {judged}");
    assert_eq!((&judged[0]["label"], &judged[0]["change"]), (&"green".into(), &"relabelled".into()));

    // Somebody who thinks in the base's names decides.
    let about = ReviewAbout { source: list.clone(), base: Some(base.clone()) };
    let file = world.path("names.review");
    let mut review = Review::open(Path::new(&file), &about).unwrap();
    let key = "red/red-00.png".to_owned();
    let hash: ContentHash = judged[0]["hash"].as_str().unwrap().parse().unwrap();
    let subject = Subject { key, hash, label: Some("Green".into()), split: None, change: None, base: None };
    review.decide(&[subject], Some(&Verdict::Relabel("red".into())), "", "Ada").unwrap();
    drop(review);
    let map = world.write("map.toml", "[classes]\nRed = \"red\"\nGreen = \"green\"\nBlue = \"blue\"\n");
    for class_map in ["auto", &map] {
        let patch = world.path("names.jsonl");
        let args = [
            "export",
            &file,
            "--format",
            "patch",
            "--out",
            &patch,
            "--class-map",
            class_map,
            "--root",
            &base,
        ];
        let exported = world.run(&args);
        assert_eq!(exported.status, 0, "{}", exported.stderr);
        let corrected = world.path(&format!("corrected-{}.csv", class_map.len()));
        let applied = world.run(&["apply", &patch, &list, "--root", &base, "--out", &corrected]);
        assert_eq!(applied.status, 0, "{}{}", applied.stdout, applied.stderr);
        let text = std::fs::read_to_string(&corrected).unwrap();
        assert!(text.contains("red/red-00.png,Red"), "{class_map}: {text}");
    }
}

#[test]
fn what_cannot_be_exported_or_applied_is_an_error() {
    let world = World::new();
    let base = world.base();
    let nonsense = world.write("nonsense.review", "not a database");
    let patch = world.write("bad.jsonl", "{\"op\": 7}\n");
    for (args, words) in [
        (vec!["export", "none.review", "--format", "csv", "--out", "-"], "none.review"),
        (vec!["export", nonsense.as_str(), "--format", "csv", "--out", "-"], "nonsense.review"),
        (vec!["apply", "none.jsonl", base.as_str(), "--dry-run"], "none.jsonl"),
        (vec!["apply", patch.as_str(), base.as_str(), "--dry-run"], "bad.jsonl"),
    ] {
        let run = world.run(&args);
        assert_eq!(run.status, 2, "{args:?}: {}", run.stdout);
        assert!(run.stderr.contains(words) && run.stderr.lines().count() == 1, "{args:?}: {}", run.stderr);
    }
}

#[test]
fn the_demo_is_made_once_told_and_ready_to_be_compared() {
    let world = World::new();
    let folder = world.path("demo");
    let small = ["demo", "--per-class", "10", "--folder", folder.as_str()];
    let made = world.run(&[&small[..], &["--json"]].concat());
    assert_eq!(made.status, 0, "{}", made.stderr);
    let made = made.json();
    let [base, contribution, answers] =
        ["base", "contribution", "answers"].map(|f| made[f].as_str().unwrap());
    assert!(Path::new(answers).is_file());
    let before = world::listing(Path::new(&folder));
    let again = world.run(&[&small[..], &["--no-window"]].concat());
    assert_eq!(again.status, 0);
    assert!(again.stdout.contains("sparrowhawk diff") && again.stdout.contains(base), "{}", again.stdout);
    assert_eq!(world::listing(Path::new(&folder)), before, "made once");
    let diff = world.run(&["diff", base, contribution, "--json"]);
    assert_eq!(diff.status, 1, "{}", diff.stderr);
    let diff = diff.json();
    assert_eq!(diff["base"]["samples"], 80);
    for kind in
        ["added", "relabelled", "re-encoded", "edited", "duplicated", "renamed", "split-moved", "removed"]
    {
        assert!(diff["summary"][kind].as_u64().unwrap() > 0, "{kind}: {}", diff["summary"]);
    }
}
