use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn change(kind: ChangeKind, also: &[ChangeKind]) -> Change {
    Change { kind, also: also.to_vec(), row: Some(0), base_row: None, changed_box: None }
}

/// Whether the query holds for one full sample: see the facts below.
#[track_caller]
fn check(text: &str, expected: bool) {
    let change = change(ChangeKind::Relabelled, &[ChangeKind::Edited]);
    let verdict = Verdict::Relabel("dog".into());
    let facts = Facts {
        key: "train/Cat/Beach 01-Ü.png",
        label: Some("T-Shirt"),
        base_label: Some("blue sparrow"),
        split: Some("train"),
        change: Some(&change),
        score: Some(0.8),
        suggested: Some("Größe"),
        cluster: Some("t1"),
        verdict: Some(&verdict),
        problem: false,
        size: Some((640, 480)),
        brightness: Some(0.25),
    };
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(query.matches(&facts), expected, "{text}");
    assert_eq!(Query::parse(&query.to_string()).unwrap(), query, "{text} shown as {query}");
}

/// Whether the query holds for a sample of which nothing is known but its key.
#[track_caller]
fn check_bare(text: &str, expected: bool) {
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(query.matches(&Facts { key: "a.png", ..Facts::default() }), expected, "{text}");
}

#[test]
fn texts_are_looked_for_in_keys() {
    check("", true);
    check("   ", true);
    check("beach", true);
    check("BEACH cat", true);
    check("beach dog", false);
    check("\"Beach 01\"", true);
    check("\"beach  01\"", false);
    check("-dog", true);
    check("-beach", false);
    check("-\"beach 01\"", false);
    check("-", true);
    check("\"-\"", true);
    check("--ü", false);
    check("-ü", false);
    check("ü.PNG", true);
    check("cat*01", true);
    check("01*cat", false);
    check("\"*\"", false);
    check("01-", true);
    check("key:train/*", true);
    check("key:cat*", false);
    check("key:*.png,*.jpg", true);
    check("key:*p*b*", false);
    check("a=b", false);
    check("猫", false);
}

#[test]
fn names_fit_whole_and_whatever_their_letters() {
    check("label:T-Shirt", true);
    check("label:t-shirt", true);
    check("LABEL:t-shirt", true);
    check("label:shirt", false);
    check("label:*shirt", true);
    check("label:t*t", true);
    check("label:\"t-shirt\"", true);
    check("label:\"t*\"", false);
    check("label:hat,T-Shirt", true);
    check("label:\"hat,T-Shirt\"", false);
    check("-label:hat", true);
    check("label=t-shirt", true);
    check("base:\"Blue Sparrow\"", true);
    check("base:blue", false);
    check("suggest:größe", true);
    check("suggest:GRÖSSE", false);
    check("suggest:gr*e", true);
    check("split:train split:TRAIN", true);
    check("split:test", false);
    check("cluster:t1", true);
    check("cluster:t2,T1", true);
    check("cluster:any", true);
    check("cluster:none", false);
    check("cluster:\"any\"", false);
    check_bare("label:cat", false);
    check_bare("-label:cat", true);
    check_bare("label:*", false);
    check_bare("cluster:none", true);
}

#[test]
fn a_name_that_is_there_means_itself_only() {
    let names: Vec<Arc<str>> = vec!["cat".into(), "Dog".into()];
    let matches = |query: &str, label| {
        let query = Query::parse(query).unwrap().prefer_exact(&names);
        query.matches(&Facts { label: Some(label), ..Facts::default() })
    };
    assert!(matches("label:cat", "cat") && !matches("label:cat", "Cat"));
    assert!(matches("label:dog", "Dog") && matches("label:DOG", "Dog"));
    assert!(matches("label:c*", "Cat"));
}

#[test]
fn words_scores_and_presence() {
    check("change:relabelled", true);
    check("change:edited", true);
    check("change:added", false);
    check("change:added,Edited", true);
    check("change:any", true);
    check("change:none", false);
    check("decision:relabel", true);
    check("decision:keep,exclude", false);
    check("decision:none", false);
    check("decision:any", true);
    check("has:problem", false);
    check("-has:problem", true);
    check("has:problem,score", true);
    check("has:label has:base has:split has:change has:score has:suggestion has:cluster has:decision", true);
    check("score>0.8", false);
    check("score>=0.8", true);
    check("score<0.8", false);
    check("score<=.8", true);
    check("score=0.8", true);
    check("score:0.8", true);
    check("score:>0.7", true);
    check("score:<=0.7", false);
    check("score:0.2..0.8", true);
    check("score:0.81..", false);
    check("score:..1", true);
    check("score:0.9..0.1", false);
    check("-score>0.9", true);
    check("width:640 height:480 side:640", true);
    check("side>=640 side<641", true);
    check("side>640", false);
    check("-height<100", true);
    check("aspect>1.3 aspect<1.4", true);
    check("aspect:..1", false);
    check("brightness:0.2..0.3", true);
    check("brightness>0.25", false);
    check_bare("width>=0", false);
    check_bare("brightness>=0", false);
    check_bare("score>=0", false);
    check_bare("-score>=0", true);
    check_bare("change:none decision:none -has:label", true);
    check("label:t-shirt change:relabelled score>0.7 decision:relabel split:train cluster:t1 beach", true);
}

/// What is said, and of which part of the query.
#[track_caller]
fn check_error(text: &str, part: &str, message: &str) {
    let error = Query::parse(text).expect_err(text);
    assert_eq!(&text[error.range.clone()], part, "{text}: {error}");
    assert!(error.message.contains(message), "{text}: {error}");
}

#[test]
fn errors_point_at_the_part_and_say_what_would_do() {
    check_error("cat colour:red", "colour", "there is no field `colour`; there are: label, change, score");
    check_error("-foo:x", "foo", "there is no field `foo`");
    check_error("a \"b c", "\"b c", "this quote is not closed");
    check_error("label:\"b c", "\"b c", "this quote is not closed");
    check_error("change:relabeled x", "relabeled", "`relabeled` is not one of any, none, relabelled, edited");
    check_error("decision:keep,nope", "nope", "`nope` is not one of any, none, keep");
    check_error("decision:keep,", "", "`` is not one of");
    check_error("has:legs", "legs", "is not one of problem, label");
    check_error("score>high", "high", "`high` is not a number from 0 to 1");
    check_error("score>5", "5", "is not a number from 0 to 1");
    check_error("score:NaN", "NaN", "is not a number from 0 to 1");
    check_error("score:..", "..", "is not a number from 0 to 1");
    check_error("x score> y", "score>", "a number from 0 to 1 is missing");
    check_error("width:wide", "wide", "`wide` is not a number; write `width>64`");
    check_error("width:inf", "inf", "is not a number");
    check_error("brightness:2", "2", "is not a number from 0 to 1");
    check_error("side>", "side>", "a number is missing, such as `side>64`");
    check_error("label:", "label:", "what is missing, such as `label:cat`?");
    check_error("change: x", "change:", "one of these is missing: any, none, relabelled");
    check_error("label>cat", ">cat", "only numbers can be compared, such as `score`");
    check_error("cluster:t1,any", "t1,any", "stand alone");
    check_error(&"x".repeat(20_000), &"x".repeat(20_000), "longer than");
}

#[track_caller]
fn check_complete(text: &str, expected: &[&str]) {
    let classes: Vec<Arc<str>> = ["T-Shirt", "blue sparrow", "shirt", "any"].map(Arc::from).to_vec();
    let splits: Vec<Arc<str>> = ["test", "train"].map(Arc::from).to_vec();
    let offered = complete(text, &classes, &splits);
    assert_eq!(offered.iter().map(|o| o.0.as_str()).collect::<Vec<_>>(), expected, "{text}");
    let word = text.rfind(' ').map_or(0, |at| at + 1);
    for (insert, _) in offered {
        if !insert.ends_with([':', '>']) {
            let whole = format!("{}{insert}", &text[..word]);
            assert!(Query::parse(&whole).is_ok(), "{whole}");
        }
    }
}

#[test]
fn completions_go_with_what_is_typed() {
    check_complete("s", &["score>", "split:", "suggest:", "side>"]);
    check_complete("beach -l", &["-label:"]);
    check_complete("beach", &[]);
    check_complete("x la", &["label:"]);
    check_complete("\"la", &[]);
    assert_eq!(complete("label:cat ", &[], &[]).len(), Field::ALL.len());
    check_complete("label:sh", &["label:shirt", "label:T-Shirt"]);
    check_complete("label:\"bl", &["label:\"blue sparrow\""]);
    check_complete("label:shirt,b", &["label:shirt,\"blue sparrow\""]);
    check_complete("base:an", &["base:\"any\""]);
    check_complete("-split:t", &["-split:test", "-split:train"]);
    check_complete("decision:un", &["decision:unsure"]);
    check_complete(
        "change:added,re",
        &[
            "change:added,relabelled",
            "change:added,re-encoded",
            "change:added,renamed",
            "change:added,removed",
        ],
    );
    check_complete("score>0.9", &["score>0.9", "score>0.95"]);
    check_complete("colour:r", &[]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", key in "\\PC*") {
        let facts = Facts { key: &key, label: Some(&key), ..Facts::default() };
        match Query::parse(&text) {
            Ok(query) => {
                let _ = query.matches(&facts);
                prop_assert_eq!(Query::parse(&query.to_string()).expect("its own text"), query);
            }
            Err(error) => prop_assert!(text.get(error.range).is_some()),
        }
        let classes = [Arc::from(key.as_str())];
        let _ = complete(&text, &classes, &[]);
    }

    #[test]
    fn no_text_of_its_own_signs_makes_it_panic(
        text in "(label:|score|change:|cluster:|-|\"|,|\\*|\\.\\.|>|<|=|:|\\\\| |any|none|0\\.5|ß|İ|x){0,12}",
        key in "[aAİßẞKx*, \"-]{0,6}",
    ) {
        let facts = Facts { key: &key, label: Some(&key), cluster: Some(&key), score: Some(0.5), ..Facts::default() };
        if let Ok(query) = Query::parse(&text) {
            let shown = Query::parse(&query.to_string()).expect("its own text");
            prop_assert_eq!(shown.matches(&facts), query.matches(&facts));
            prop_assert_eq!(shown, query);
        }
        for (insert, _) in complete(&text, &[Arc::from(key.as_str())], &[]) {
            prop_assert!(!insert.is_empty());
        }
    }

    #[test]
    fn a_key_is_found_by_any_part_of_it(key in "\\PC{1,20}", from in 0usize..20, len in 1usize..20) {
        let part: String = key.chars().skip(from).take(len).collect();
        let query = Query::parse(&pattern::quoted(&part)).expect("quoted");
        let facts = Facts { key: &key, ..Facts::default() };
        prop_assert!(query.matches(&facts), "{} in {}", part, key);
    }
}

/// Figures for people: `cargo test --release --lib review::query -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures, judges nothing"]
fn figures() {
    let keys: Vec<String> = (0..1_000_000)
        .map(|i| format!("train/class {}/Photo_{i:07}{}.jpg", i % 97, if i % 9 == 0 { "é" } else { "" }))
        .collect();
    let labels: Vec<String> = (0..97).map(|i| format!("Class {i}")).collect();
    let kinds = [change(ChangeKind::Added, &[]), change(ChangeKind::Relabelled, &[])];
    for text in [
        "photo_0123",
        "é.JPG",
        "猫",
        "train*77*jpg",
        "label:\"class 7\"",
        "label:*7",
        "change:relabelled score>0.8 decision:none split:train cluster:t1",
        "label:\"class 7\" change:relabelled score>0.1 -photo_05 decision:none",
    ] {
        let query = Query::parse(text).unwrap();
        let start = std::time::Instant::now();
        let found = keys
            .iter()
            .enumerate()
            .filter(|(i, key)| {
                query.matches(&Facts {
                    key,
                    label: Some(&labels[i % 97]),
                    change: kinds.get(i % 3),
                    score: Some((i % 100) as f64 / 100.0),
                    split: Some("train"),
                    ..Facts::default()
                })
            })
            .count();
        println!("{text}: {found} of 1,000,000 in {:?}", start.elapsed());
    }
}
