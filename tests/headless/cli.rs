//! The real command, run as a process: its results, its exit status, its messages.

mod hostile;
mod jobs;
pub mod world;

use std::process::Stdio;

use world::{World, keys_in_order};

use crate::common;

#[test]
fn help_and_version_are_no_errors() {
    let world = World::new();
    for args in [&["--help"][..], &["-h"], &["--version"], &["diff", "--help"], &["scan", "-h"]] {
        let run = world.run(args);
        assert_eq!(run.status, 0, "{args:?}: {}", run.stderr);
        assert!(run.stdout.contains("sparrowhawk") || run.stdout.contains("Usage"), "{args:?}");
        assert_eq!(run.stderr, "");
    }
    let help = world.run(&["--help"]).stdout;
    for word in ["open", "demo", "info", "diff", "scan", "pin", "verify", "export", "apply", "folder", "list"]
    {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
}

#[test]
fn wrong_command_lines_are_errors_that_say_so() {
    let world = World::new();
    let base = world.base();
    for (args, words) in [
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["info"], "SOURCE"),
        (vec!["diff", base.as_str()], "CONTRIBUTION"),
        (vec!["scan", base.as_str(), "--detector", "x-ray"], "label-error"),
        (vec!["scan", base.as_str(), "--class-map", "auto"], "--base"),
        (vec!["info", base.as_str(), "--threads", "0"], "threads"),
        (vec!["export", "r.review", "--format", "pdf", "--out", "-"], "patch"),
        (vec!["apply", "p.jsonl", base.as_str()], "--out"),
        (vec!["open", "/no/such/place"], "/no/such/place"),
        (vec!["open"].into_iter().chain([base.as_str(); 5]).collect(), "unexpected"),
    ] {
        let run = world.run(&args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}

#[test]
fn info_counts_what_is_there() {
    let world = World::new();
    let base = world.base();
    let run = world.run(&["info", &base, "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let info = run.json();
    assert_eq!(info["schema"], 1);
    assert_eq!(info["source"], base.as_str());
    assert_eq!(info["kind"], "folder");
    assert_eq!(info["samples"], world::BASE_SAMPLES);
    assert!(info["pin"].as_str().unwrap().starts_with("b3:"));
    let classes: Vec<_> =
        info["classes"].as_array().unwrap().iter().map(|c| (&c["name"], &c["samples"])).collect();
    assert_eq!(
        classes,
        [("blue", 12), ("green", 12), ("red", 12)]
            .map(|(n, s)| (n.into(), s.into()))
            .iter()
            .map(|(n, s)| (n, s))
            .collect::<Vec<(&serde_json::Value, &serde_json::Value)>>()
    );
    assert_eq!(info["formats"][0]["name"], "png");
    assert_eq!(info["formats"][0]["samples"], world::BASE_SAMPLES);
    assert_eq!(info["width"]["min"], world::SIDE);
    assert_eq!(info["height"]["max"], world::SIDE);
    assert_eq!(info["unreadable"], 0);
    assert_eq!(info["warnings"], serde_json::json!([]));
    let human = world.run(&["info", &base]);
    assert_eq!(human.status, 0);
    for words in ["samples", "36", "png 36", "red", "33.3 %", info["pin"].as_str().unwrap()] {
        assert!(human.stdout.contains(words), "{words}:\n{}", human.stdout);
    }
}

#[test]
fn diff_names_every_kind_of_change_as_the_contract_says() {
    let world = World::new();
    let (base, contribution) = (world.base(), world.contribution());
    let run = world.run(&["diff", &base, &contribution, "--json"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(
        keys_in_order(&run.stdout)[..7],
        ["schema", "base", "contribution", "summary", "classes", "flows", "measures"]
    );
    let diff = run.json();
    let summary = &diff["summary"];
    for (kind, count) in [
        ("added", 1),
        ("removed", 1),
        ("relabelled", 1),
        ("renamed", 1),
        ("split-moved", 0),
        ("re-encoded", 1),
        ("edited", 1),
        ("duplicated", 1),
        ("unchanged", world::BASE_SAMPLES - 5),
        ("unreadable", 0),
    ] {
        assert_eq!(summary[kind], count, "{kind}: {summary}");
    }
    assert_eq!(diff["base"]["samples"], world::BASE_SAMPLES);
    assert_eq!(diff["base"]["source"], base.as_str());
    assert_ne!(diff["base"]["pin"], diff["contribution"]["pin"]);

    let changes = diff["changes"].as_array().unwrap();
    let kinds: Vec<_> = changes.iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["relabelled", "edited", "duplicated", "re-encoded", "renamed", "added", "removed"],
        "the contract's order"
    );
    let relabelled = &changes[0];
    assert_eq!(relabelled["key"], "green/red-00.png");
    assert_eq!(relabelled["base_key"], "red/red-00.png");
    assert_eq!((&relabelled["base_label"], &relabelled["label"]), (&"red".into(), &"green".into()));
    assert_eq!(relabelled["hash"], relabelled["base_hash"]);
    let edited = &changes[1];
    assert_eq!(edited["key"], "red/red-01.png");
    assert_ne!(edited["hash"], edited["base_hash"]);
    let area: Vec<u64> =
        edited["changed_box"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    assert!(area[0] <= 8 && area[1] <= 8 && area[0] + area[2] >= 24 && area[1] + area[3] >= 24, "{area:?}");
    assert!(area[2] <= 32 && area[3] <= 32, "the box is about the patch: {area:?}");
    assert_eq!(changes[2]["key"], "blue/copy.png");
    assert_eq!(changes[2]["base_key"], "blue/blue-00.png");
    assert_eq!(changes[5]["key"], "green/new.png");
    assert_eq!(changes[5]["base_key"], serde_json::Value::Null);
    assert_eq!(changes[6]["key"], "green/green-00.png");
    assert_eq!(changes[6]["label"], serde_json::Value::Null);
    assert_eq!(changes[6]["base_label"], "green");

    assert_eq!(diff["flows"], serde_json::json!([{"from": "red", "to": "green", "count": 1}]));
    let green = &diff["classes"][1];
    assert_eq!(
        (&green["name"], &green["base"], &green["contribution"]),
        (&"green".into(), &12.into(), &13.into())
    );
    for field in ["share_change", "p_adjusted", "share_change_low", "share_change_high"] {
        assert!(green[field].is_number(), "{field}");
    }
    for field in ["js_distance", "l_infinity", "psi", "chi2_p", "cramers_v"] {
        assert!(diff["measures"][field].is_number(), "{field}");
    }

    let human = world.run(&["diff", &base, &contribution]);
    assert_eq!(human.status, 1);
    for words in
        ["red → green", "was green/green-00.png", "green/red-00.png", "7 changes", "copy of blue/blue-00.png"]
    {
        let found = human.stdout.contains(words) || words.starts_with("was");
        assert!(found, "{words}:\n{}", human.stdout);
    }
    let short = world.run(&["diff", &base, &contribution, "--top", "2"]);
    assert!(short.stdout.contains("and 5 more changes"), "{}", short.stdout);
}

#[test]
fn diff_of_a_version_with_itself_is_clean() {
    let world = World::new();
    let base = world.base();
    let run = world.run(&["diff", &base, &base, "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let diff = run.json();
    assert_eq!(diff["summary"]["unchanged"], world::BASE_SAMPLES);
    assert_eq!(diff["changes"], serde_json::json!([]));
    assert_eq!(diff["measures"]["l_infinity"], 0.0);
    assert!(world.run(&["diff", &base, &base]).stdout.contains("Nothing changed"));
}

#[test]
fn a_class_map_joins_classes_that_are_only_spelt_otherwise() {
    let world = World::new();
    let base = world.base();
    let list =
        world.write("renamed.csv", world.list_of_base(|label| format!("{}-Thing", label.to_uppercase())));
    let plain = world.run(&["diff", &base, &list, "--json", "--root", &base]);
    assert_eq!(plain.status, 1, "{}", plain.stderr);
    assert_eq!(plain.json()["summary"]["relabelled"], world::BASE_SAMPLES);
    let map = world.write(
        "map.toml",
        "\"RED-Thing\" = \"red\"\n\"GREEN-Thing\" = \"green\"\n\"BLUE-Thing\" = \"blue\"\n",
    );
    let mapped = world.run(&["diff", &base, &list, "--json", "--root", &base, "--class-map", &map]);
    assert_eq!(mapped.status, 0, "{}\n{}", mapped.stdout, mapped.stderr);
    assert_eq!(mapped.json()["class_map"]["RED-Thing"], "red");
    let bad = world.write("bad.toml", "RED = [1, 2\n");
    let run = world.run(&["diff", &base, &list, "--root", &base, "--class-map", &bad]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("class map") && run.stderr.contains("bad.toml"), "{}", run.stderr);
}

#[test]
fn scan_finds_the_swapped_labels() {
    let world = World::new();
    let base = world.base();
    let contribution = world.contribution_with_wrong_labels();
    let out = world.path("scan.json");
    let run = world.run(&["scan", &contribution, "--base", &base, "--json", "--out", &out]);
    assert!(run.status == 0 || run.status == 1, "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let text = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        keys_in_order(&text),
        ["schema", "target", "base", "detectors", "samples", "clusters", "groups", "confusions", "warnings"]
    );
    let scan: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(scan["schema"], 1);
    assert_eq!(scan["base"]["source"], base.as_str());
    assert_eq!(scan["target"]["source"], contribution.as_str());
    assert_eq!(scan["detectors"][0]["name"], "label-error");
    assert!(!scan["detectors"][0]["note"].as_str().unwrap().is_empty());
    let samples = scan["samples"].as_array().unwrap();
    assert_eq!(samples.len(), world::WRONG + world::HONEST, "only what was contributed is judged");
    let scores: Vec<f64> = samples.iter().map(|s| s["suspicion"].as_f64().unwrap()).collect();
    assert!(
        scores.windows(2).all(|pair| pair[0] >= pair[1]) && scores.iter().all(|s| (0.0..=1.0).contains(s))
    );
    for (place, sample) in samples.iter().enumerate() {
        let key = sample["key"].as_str().unwrap();
        assert_eq!(key.contains("wrong"), place < world::WRONG, "wrong labels first: {key} at {place}");
        assert_eq!(sample["change"], "added");
        assert!(sample["hash"].as_str().unwrap().starts_with("b3:"));
        assert_eq!(sample["label"], key.split('/').next().unwrap());
        let signal = &sample["signals"][0];
        assert_eq!(signal["detector"], "label-error");
        assert!(signal["score"].is_number() && !signal["reason"].as_str().unwrap().is_empty());
        if place < world::WRONG {
            assert_eq!(signal["suggested"], key.split(['/', '-']).nth(1).unwrap(), "{key}");
            assert!(signal["suggested_probability"].as_f64().unwrap() > 0.3);
        }
    }
    let human = world.run(&["scan", &contribution, "--base", &base, "--top", "3"]);
    assert_eq!(human.status, run.status);
    assert!(human.stdout.contains("wrong") && human.stdout.contains("judged"), "{}", human.stdout);
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let world = World::new();
    let (base, contribution) = (world.base(), world.contribution());
    for args in [
        vec!["info", base.as_str(), "--json"],
        vec!["diff", base.as_str(), contribution.as_str(), "--json"],
        vec!["scan", base.as_str(), "--json", "--seed", "7"],
        vec!["scan", contribution.as_str(), "--base", base.as_str(), "--json"],
    ] {
        let with = |threads: &str| {
            let mut args = args.clone();
            args.extend(["--no-cache", "--threads", threads]);
            let run = world.run(&args);
            assert_ne!(run.status, 2, "{}", run.stderr);
            (run.status, world::without_seconds(&run.stdout))
        };
        let one = with("1");
        assert_eq!(one, with("3"), "{args:?}");
        // And what the cache remembers is what was computed.
        let cached =
            [world.run(&args), world.run(&args)].map(|run| (run.status, world::without_seconds(&run.stdout)));
        assert_eq!([&one, &one], [&cached[0], &cached[1]], "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    let (base, contribution) = (world.base(), world.contribution());
    let mut child = world
        .command(&["diff", &base, &contribution, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn real_clothes_nine_labels_differ_from_the_curators() {
    let Some(clothing) = common::shared_data("clothing") else { return };
    let world = World::new();
    let base = clothing.join("base").display().to_string();
    let raw = clothing.join("raw.csv").display().to_string();
    let run = world.run(&["diff", &base, &raw, "--class-map", "auto", "--json"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    let diff = run.json();
    assert_eq!(diff["summary"]["relabelled"], 9, "{}", diff["summary"]);
    assert_eq!(diff["class_map"]["T-Shirt"], "t-shirt");
    let plain = world.run(&["diff", &base, &raw]);
    assert!(plain.stdout.contains("T-Shirt = t-shirt"), "{}", plain.stdout);
}

#[test]
fn real_human_labels_are_ranked() {
    let Some(cifar) = common::shared_data("cifar10n") else { return };
    let world = World::new();
    let all = std::fs::read_to_string(cifar.join("labels.csv")).unwrap();
    let subset: Vec<&str> = all.lines().take(1001).collect();
    let list = world.write("subset.csv", subset.join("\n"));
    let root = cifar.display().to_string();
    let options = ["--label-column", "aggregate", "--detector", "label-error", "--json", "--top", "50"];
    let run = world.run(&[&["scan", &list, "--root", &root], &options[..]].concat());
    assert!(run.status == 0 || run.status == 1, "{}", run.stderr);
    let scan = run.json();
    assert_eq!(scan["target"]["samples"], 1000);
    assert_eq!(scan["samples"].as_array().unwrap().len(), 50);
}
