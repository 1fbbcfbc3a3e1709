//! An audit from the command: a plan drawn from a real folder, verdicts in a real review, and what they add up to.

use std::path::Path;

use proptest::prelude::*;
use sparrowhawk::audit::{Outcome, Plan, Truth, known_from_table};
use sparrowhawk::model::{Subject, Verdict};
use sparrowhawk::review::{Review, ReviewAbout};

use crate::cli::world::{World, listing};

fn plan_of(world: &World, name: &str) -> Plan {
    Plan::read(Path::new(&world.path(name))).unwrap().unwrap()
}

fn subject(plan: &Plan, place: usize) -> Subject {
    let (key, hash, label) = plan.at(place);
    Subject { key: key.into(), hash, label: label.map(str::to_owned), split: None, change: None, base: None }
}

fn review(world: &World, name: &str) -> Review {
    Review::open(Path::new(&world.path(name)), &ReviewAbout::default()).unwrap()
}

#[test]
fn the_same_seed_draws_the_same_and_another_does_not() {
    let world = World::new();
    let base = world.base();
    let before = listing(Path::new(&base));
    let plan = |out: &str, seed: &str, threads: &str| {
        let args = [
            "audit",
            "plan",
            &base,
            "--budget",
            "12",
            "--seed",
            seed,
            "-o",
            &world.path(out),
            "--no-cache",
            "--threads",
            threads,
        ];
        let run = world.run(&args);
        assert_eq!(run.status, 0, "{}", run.stderr);
        run
    };
    let run = plan("one.json", "1", "1");
    assert!(run.stdout.contains("12 samples of 36 drawn"), "{}", run.stdout);
    assert!(run.stdout.contains("10 pictures would escape this sample"), "{}", run.stdout);
    plan("two.json", "1", "4");
    plan("other.json", "2", "1");
    let (one, two, other) =
        (plan_of(&world, "one.json"), plan_of(&world, "two.json"), plan_of(&world, "other.json"));
    assert_eq!(Plan { date: two.date.clone(), ..one.clone() }, two);
    assert_ne!(one.samples, other.samples);
    assert_eq!(
        one.strata.iter().map(|s| (s.name.as_str(), s.population, s.drawn)).collect::<Vec<_>>(),
        [("blue", 12, 4), ("green", 12, 4), ("red", 12, 4)]
    );
    // A larger sample under the same seed holds the smaller one.
    let more = world.path("more.json");
    assert_eq!(world.run(&["audit", "plan", &base, "--budget", "24", "--seed", "1", "-o", &more]).status, 0);
    let more = plan_of(&world, "more.json");
    assert!(one.samples.iter().all(|sample| more.samples.contains(sample)));
    // A plan that somebody works by is not overwritten, and nothing is written into a dataset.
    let again =
        world.run(&["audit", "plan", &base, "--budget", "9", "--seed", "3", "-o", &world.path("one.json")]);
    assert!(again.status == 2 && again.stderr.contains("not overwritten"), "{}", again.stderr);
    let inside = world.run(&["audit", "plan", &base, "--seed", "3", "-o", &format!("{base}/plan.json")]);
    assert!(inside.status == 2 && inside.stderr.contains("never writes there"), "{}", inside.stderr);
    assert_eq!(listing(Path::new(&base)), before);
}

#[test]
fn a_rate_draws_as_many_as_it_takes() {
    let world = World::new();
    let base = world.base();
    let out = world.path("plan.json");
    let run = world.run(&[
        "audit", "plan", &base, "--rate", "0.1", "--strata", "none", "--seed", "1", "-o", &out, "--json",
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let json = run.json();
    // 4 of 36 wrong: 18 drawn miss all with C(18,4)/C(36,4) = 5.2 %, 19 with 4.0 %.
    assert_eq!(
        (json["samples"].as_u64(), json["defects"].as_u64(), json["schema"].as_u64()),
        (Some(19), Some(4), Some(1))
    );
    for (options, words) in [
        (&["--rate", "0"][..], "the rate lies between"),
        (&["--rate", "2"], "the rate lies between"),
        (&["--confidence", "1"], "the confidence lies between"),
        (&["--budget", "2"], "strata"),
        (&["--rate", "0.1", "--acceptable", "0.2"], "must be smaller"),
        (&["--rate", "NaN"], "the rate lies between"),
    ] {
        let other = world.path("other.json");
        let args: Vec<&str> = ["audit", "plan", &base, "--seed", "1", "-o", &other]
            .into_iter()
            .chain(options.iter().copied())
            .collect();
        let run = world.run(&args);
        assert!(run.status == 2 && run.stderr.contains(words), "{options:?}: {}", run.stderr);
    }
}

#[test]
fn verdicts_add_up_to_a_report() {
    let world = World::new();
    let base = world.base();
    // Of six known answers, two contradict the dataset.
    let mut table = "label,key\n".to_owned();
    for n in 0..3 {
        table.push_str(&format!("red,red/red-0{n}.png\nred,green/green-0{n}.png\n"));
    }
    let known = world.write("known.csv", table);
    let plan_file = world.path("pets.audit.json");
    let run = world.run(&[
        "audit",
        "plan",
        &base,
        "--budget",
        "15",
        "--seed",
        "4",
        "--golden",
        &known,
        "--golden-share",
        "0.25",
        "-o",
        &plan_file,
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let plan = plan_of(&world, "pets.audit.json");
    assert_eq!(plan.samples.len(), 15);
    assert!((2..=4).contains(&plan.golden.len()), "{:?}", plan.golden);
    let none = world.run(&["audit", "report", &plan_file]);
    assert!(none.status == 2 && none.stderr.contains("--review"), "{}", none.stderr);

    let mut written = review(&world, "pets.sparrowhawk");
    for place in 0..plan.samples.len() {
        written.decide(&[subject(&plan, place)], Some(&Verdict::Keep), "", "ann").unwrap();
    }
    for (at, item) in plan.golden.iter().enumerate() {
        let verdict = if item.wrong { Verdict::Exclude } else { Verdict::Keep };
        written.decide(&[subject(&plan, plan.samples.len() + at)], Some(&verdict), "", "ann").unwrap();
    }
    // Found beside the plan, also while somebody has it open.
    let run = world.run(&["audit", "report", &plan_file, "--json"]);
    assert_eq!(run.status, 0, "{}\n{}", run.stdout, run.stderr);
    let json = run.json();
    assert_eq!(json["stop"]["outcome"], "accepted", "{json}");
    assert_eq!(
        (json["right"].as_u64(), json["wrong"].as_u64(), json["left"].as_u64()),
        (Some(15), Some(0), Some(0))
    );
    assert_eq!(json["golden"]["wrong_caught"], json["golden"]["wrong_seen"]);
    assert!(json["estimate"]["interval"]["high"].as_f64().unwrap() > 0.0);

    // One wrong after all, another on a picture that is not the drawn one, and undone.
    written.decide(&[subject(&plan, 0)], Some(&Verdict::Relabel("blue".into())), "", "bob").unwrap();
    let other = Subject { label: Some("something else".into()), ..subject(&plan, 1) };
    written.decide(&[other], Some(&Verdict::Exclude), "", "bob").unwrap();
    let run = world.run(&["audit", "report", &plan_file]);
    assert_eq!(run.status, 1, "{}", run.stdout);
    for words in [
        "14 right, 1 wrong",
        "Stop: 1 of 15 is wrong",
        "1 verdict is not counted",
        "ann and bob on 1 sample",
        "1 sample differently decided",
        plan.at(0).0,
    ] {
        assert!(run.stdout.contains(words), "{words}:\n{}", run.stdout);
    }
    written.undo("bob").unwrap();
    written.undo("ann").unwrap();
    assert_eq!(world.run(&["audit", "report", &plan_file]).status, 0);
    written.redo("ann").unwrap();
    assert_eq!(world.run(&["audit", "report", &plan_file]).status, 1);
}

#[test]
fn what_was_decided_before_the_plan_does_not_count() {
    let world = World::new();
    let base = world.base();
    let first = world.path("first.json");
    assert_eq!(world.run(&["audit", "plan", &base, "--budget", "6", "--seed", "1", "-o", &first]).status, 0);
    let plan = plan_of(&world, "first.json");
    let mut written = review(&world, "r.sparrowhawk");
    for place in 0..plan.len() {
        written.decide(&[subject(&plan, place)], Some(&Verdict::Exclude), "", "ann").unwrap();
    }
    drop(written);
    let (second, verdicts) = (world.path("second.json"), world.path("r.sparrowhawk"));
    let args = ["audit", "plan", &base, "--budget", "6", "--seed", "1", "--review", &verdicts, "-o", &second];
    assert_eq!(world.run(&args).status, 0);
    assert_eq!(plan_of(&world, "second.json").after, 6);
    let report = |plan: &str| world.run(&["audit", "report", plan, "--review", &verdicts, "--json"]).json();
    assert_eq!(report(&first)["wrong"], 6);
    assert_eq!(
        (report(&second)["wrong"].clone(), report(&second)["stop"]["outcome"].clone()),
        (0.into(), "go-on".into())
    );
}

#[test]
fn without_an_output_the_plan_lies_where_the_window_finds_it() {
    let world = World::new();
    let base = world.base();
    let run = world.run(&["audit", "plan", &base, "--budget", "6", "--seed", "1", "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let plan = run.json()["plan"].as_str().unwrap().to_owned();
    assert!(plan.ends_with(".audit.json") && plan.contains("reviews"), "{plan}");
    assert!(Path::new(&plan).is_file());
}

#[test]
fn hostile_plans_are_refused_with_a_reason() {
    let world = World::new();
    let base = world.base();
    let good = world.path("good.json");
    assert_eq!(world.run(&["audit", "plan", &base, "--budget", "6", "--seed", "1", "-o", &good]).status, 0);
    let text = std::fs::read_to_string(&good).unwrap();
    let key = plan_of(&world, "good.json").samples[0].key.clone();
    let other = plan_of(&world, "good.json").samples[1].key.clone();
    for (bad, words) in [
        (String::new(), "not an audit plan"),
        ("[]".into(), "not an audit plan"),
        (text.replace("\"schema\": 1", "\"schema\": 2"), "newer Sparrowhawk"),
        (text.replace("\"schema\": 1", "\"schema\": 0"), "contradicts itself"),
        (text.replace("\"confidence\": 0.95", "\"confidence\": 1e999"), "not an audit plan"),
        (text.replace("\"confidence\": 0.95", "\"confidence\": -1"), "the confidence"),
        (text.replace("\"stratum\": 0", "\"stratum\": 9"), "there is no stratum 9"),
        (text.replace("\"drawn\": 2", "\"drawn\": 3"), "were drawn"),
        (
            text.replace("\"population\": 12", "\"population\": 18446744073709551615"),
            "more samples than there can be",
        ),
        (text.replace(&key, &other), "is there twice"),
        (text.replace(&key, &"x".repeat(1 << 20)), "longer than any is"),
        ("[".repeat(1 << 20), "not an audit plan"),
    ] {
        assert_ne!(bad, text, "{words}");
        let file = world.write("bad.json", &bad);
        let run = world.run(&["audit", "report", &file]);
        assert!(run.status == 2 && run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    let run = world.run(&["audit", "report", &world.path("none.json")]);
    assert!(run.status == 2 && run.stderr.contains("no such plan"), "{}", run.stderr);
    let run = world.run(&["audit", "report", &base]);
    assert_eq!(run.status, 2, "{}", run.stderr);
}

#[test]
fn known_answers_are_read_strictly() {
    let known = known_from_table("split,key,label\ntrain,a/1.png,cat\ntest,\"b,2.png\",dog\n").unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!(known["b,2.png"], (None, Truth::Label("dog".into())));
    for (bad, words) in [
        ("", "no column `key`"),
        ("key,class\na,b\n", "no column `label`"),
        ("key,label\na,\n", "are needed"),
        ("key,label\na,b\na,c\n", "there twice"),
        ("key,label\na\n", "line 2"),
    ] {
        let error = known_from_table(bad).unwrap_err().to_string();
        assert!(error.contains(words), "{bad:?}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever the bytes are, a plan is read or refused, never a crash; and what is read contradicts nothing.
    #[test]
    fn no_bytes_crash_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(plan) = Plan::parse(&bytes) {
            prop_assert!(!plan.is_empty());
        }
    }
}

#[test]
fn outcomes_have_stable_names() {
    let names = [Outcome::GoOn, Outcome::Accepted, Outcome::Rejected, Outcome::Undecided]
        .map(|outcome| serde_json::to_string(&outcome).unwrap());
    assert_eq!(names, ["\"go-on\"", "\"accepted\"", "\"rejected\"", "\"undecided\""]);
}
