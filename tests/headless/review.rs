//! Tests of `review` on real files.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::slice::from_ref;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rusqlite::Connection;
use sparrowhawk::model::{ChangeKind, ContentHash, Subject, SubjectBase, Verdict};
use sparrowhawk::review::{Access, Action, MAX_NOTE_BYTES, Review, ReviewAbout, ReviewError};

fn about() -> ReviewAbout {
    ReviewAbout { source: "contribution".into(), base: Some("base".into()) }
}

fn subject(key: &str) -> Subject {
    Subject {
        key: key.to_owned(),
        hash: ContentHash::of(key.as_bytes()),
        label: Some("cat".into()),
        split: None,
        change: None,
        base: None,
    }
}

fn keys(review: &Review) -> Vec<(String, String)> {
    review
        .corrections()
        .into_iter()
        .map(|c| match c.verdict {
            Verdict::Relabel(class) => (c.subject.key, format!("relabel {class}")),
            verdict => (c.subject.key, verdict.as_str().to_owned()),
        })
        .collect()
}

fn expect(review: &Review, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(keys(review), expected);
    assert_eq!(review.decided(), expected.len());
}

/// A new review in a new folder.
fn fresh() -> (tempfile::TempDir, PathBuf, Review) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/there/yet/a.sparrowhawk");
    let review = Review::open(&path, &about()).unwrap();
    assert_eq!(review.access(), &Access::Write);
    (folder, path, review)
}

fn again(review: Review) -> Review {
    let path = review.path().to_owned();
    drop(review);
    Review::open(&path, &ReviewAbout::default()).unwrap()
}

#[test]
fn undo_and_redo_go_through_the_whole_history_and_across_restarts() {
    let (_folder, path, mut review) = fresh();
    let (a, b) = (subject("a"), subject("b"));
    let first = review.decide(from_ref(&a), Some(&Verdict::Keep), "fine", "ann").unwrap();
    assert_eq!((first.id, first.keys, first.summary), (1, vec!["a".to_owned()], "1 × keep".to_owned()));
    let dog = Verdict::Relabel("dog".into());
    let second = review.decide(&[b.clone(), a.clone()], Some(&dog), "", "bob").unwrap();
    assert_eq!((second.keys, second.summary), (vec!["a".into(), "b".into()], "2 × relabel to dog".into()));
    expect(&review, &[("a", "relabel dog"), ("b", "relabel dog")]);

    let mut review = again(review);
    assert_eq!(review.about(), &about());
    expect(&review, &[("a", "relabel dog"), ("b", "relabel dog")]);
    assert_eq!(review.undo("ann").unwrap().unwrap().id, 2);
    expect(&review, &[("a", "keep")]);
    // What is in force again is the first decision itself, with its note and its reviewer.
    let in_force = review.in_force("a", &a.hash).unwrap();
    assert_eq!((in_force.id, in_force.note.as_str(), in_force.reviewer.as_str()), (1, "fine", "ann"));

    let mut review = again(review);
    assert_eq!(review.can_undo_redo(), (true, true));
    assert_eq!(review.undo("ann").unwrap().unwrap().id, 1);
    expect(&review, &[]);
    assert_eq!(review.undo("ann").unwrap(), None);

    let mut review = again(review);
    assert_eq!(review.redo("ann").unwrap().unwrap().id, 1);
    assert_eq!(review.redo("ann").unwrap().unwrap().id, 2);
    assert_eq!(review.redo("ann").unwrap(), None);
    expect(&review, &[("a", "relabel dog"), ("b", "relabel dog")]);

    // A decision after an undo: what was undone cannot be redone, but it stays in the history.
    review.undo("ann").unwrap();
    review.decide(from_ref(&b), None, "", "ann").unwrap();
    assert_eq!(review.can_undo_redo(), (true, false));
    assert_eq!(review.redo("ann").unwrap(), None);
    expect(&review, &[("a", "keep")]);
    let review = again(review);
    assert_eq!(review.can_undo_redo(), (true, false));
    expect(&review, &[("a", "keep")]);
    let actions: Vec<_> =
        review.actions_on("b").unwrap().into_iter().map(|(action, d)| (action, d.verdict)).collect();
    assert_eq!(
        actions,
        [
            (Action::Decide, Some(dog.clone())),
            (Action::Undo(2), None),
            (Action::Redo(2), Some(dog.clone())),
            (Action::Undo(2), None),
            (Action::Decide, None),
        ]
    );
    assert_eq!(review.history_of("a").unwrap().len(), 7);
    assert_eq!(review.verify_chain().unwrap(), 12);
    drop(review);
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1,
        "the one file, nothing beside it"
    );
}

#[test]
fn clearing_is_a_step_that_can_be_undone() {
    let (_folder, _, mut review) = fresh();
    let a = subject("a");
    review.decide(from_ref(&a), Some(&Verdict::Exclude), "", "ann").unwrap();
    review.decide(from_ref(&a), None, "", "ann").unwrap();
    expect(&review, &[]);
    review.undo("ann").unwrap();
    expect(&review, &[("a", "exclude")]);
    review.redo("ann").unwrap();
    expect(&review, &[]);
}

#[test]
fn a_decision_never_applies_to_other_content() {
    let (_folder, _, mut review) = fresh();
    let a = subject("a");
    review.decide(from_ref(&a), Some(&Verdict::Keep), "", "ann").unwrap();
    assert!(review.in_force("a", &a.hash).is_some());
    let other = ContentHash::of(b"another picture");
    assert!(review.in_force("a", &other).is_none());
    assert!(review.in_force("b", &a.hash).is_none());
    // The picture was replaced and decided again: the newer decision is the one in force.
    review.decide(&[Subject { hash: other, ..a.clone() }], Some(&Verdict::Exclude), "", "ann").unwrap();
    assert!(review.in_force("a", &a.hash).is_none());
    expect(&review, &[("a", "exclude")]);
}

#[test]
fn a_removed_sample_and_a_new_one_under_its_key_are_two() {
    let (_folder, _, mut review) = fresh();
    let removed = Subject { change: Some(ChangeKind::Removed), ..subject("a") };
    let added = Subject { hash: ContentHash::of(b"new"), change: Some(ChangeKind::Added), ..subject("a") };
    review.decide(from_ref(&removed), Some(&Verdict::Revert), "", "ann").unwrap();
    review.decide(from_ref(&added), Some(&Verdict::Exclude), "", "ann").unwrap();
    let review = again(review);
    expect(&review, &[("a", "exclude"), ("a", "revert")]);
    assert_eq!(review.in_force("a", &removed.hash).unwrap().verdict, Some(Verdict::Revert));
    assert_eq!(review.in_force("a", &added.hash).unwrap().verdict, Some(Verdict::Exclude));
}

#[test]
fn one_sample_twice_in_one_step_ends_as_it_began_after_undo() {
    let (_folder, _, mut review) = fresh();
    let a = subject("a");
    review.decide(from_ref(&a), Some(&Verdict::Keep), "", "ann").unwrap();
    review.decide(&[a.clone(), a.clone()], Some(&Verdict::Exclude), "", "ann").unwrap();
    review.undo("ann").unwrap();
    expect(&review, &[("a", "keep")]);
    expect(&again(review), &[("a", "keep")]);
}

#[test]
fn nothing_to_decide_about_writes_nothing() {
    let (_folder, _, mut review) = fresh();
    assert_eq!(review.decide(&[], Some(&Verdict::Keep), "", "ann").unwrap().id, 0);
    assert_eq!((review.revision(), review.can_undo_redo()), (0, (false, false)));
}

#[test]
fn every_field_comes_back_in_any_script() {
    let (_folder, _, mut review) = fresh();
    let full = Subject {
        key: "猫/ψ\u{202e}\"',\n\0.png".into(),
        hash: ContentHash::of(b"1"),
        label: Some("Übergröße".into()),
        split: Some("отложено".into()),
        change: Some(ChangeKind::ReEncoded),
        base: Some(SubjectBase {
            key: "고양이".into(),
            hash: ContentHash::of(b"2"),
            label: Some(String::new()),
            split: Some("train".into()),
        }),
    };
    let verdict = Verdict::Relabel("👩‍🔬".into());
    let note = "'); DROP TABLE decisions; --\0 \u{feff}שלום";
    review.decide(from_ref(&full), Some(&verdict), note, "Ærøskøbing ✓").unwrap();
    let review = again(review);
    let corrections = review.corrections();
    assert_eq!(corrections[0].subject, full);
    assert_eq!(corrections[0].verdict, verdict);
    assert_eq!((corrections[0].note.as_str(), corrections[0].reviewer.as_str()), (note, "Ærøskøbing ✓"));
    assert_eq!(review.history_of(&full.key).unwrap()[0].subject, full);
}

#[test]
fn what_is_too_long_is_refused_with_its_limit() {
    let (_folder, _, mut review) = fresh();
    let a = [subject("a")];
    let long = "n".repeat(MAX_NOTE_BYTES + 1);
    let error = review.decide(&a, Some(&Verdict::Keep), &long, "ann").unwrap_err().to_string();
    assert_eq!(error, "the note has 65537 bytes; at most 65536 are kept, so shorten it and decide again");
    assert!(matches!(review.decide(&a, None, "", &long), Err(ReviewError::TooLong { .. })));
    assert!(matches!(
        review.decide(&a, Some(&Verdict::Relabel(long.clone())), "", "ann"),
        Err(ReviewError::TooLong { .. })
    ));
    assert!(matches!(review.decide(&[subject(&long)], None, "", "ann"), Err(ReviewError::TooLong { .. })));
    review.decide(&a, Some(&Verdict::Keep), &long[1..], "ann").unwrap();
    assert_eq!(again(review).corrections()[0].note.len(), MAX_NOTE_BYTES);
}

#[test]
fn a_bulk_decision_is_one_step_and_fast() {
    let (_folder, _, mut review) = fresh();
    let many: Vec<Subject> = (0..5000).map(|i| subject(&format!("class/{i:05}.png"))).collect();
    let start = Instant::now();
    let step = review.decide(&many, Some(&Verdict::Exclude), "logo", "ann").unwrap();
    println!("5,000 decisions in one step: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5), "even unoptimised and on a busy machine");
    assert_eq!((step.keys.len(), step.summary.as_str()), (5000, "5000 × exclude"));
    assert_eq!(review.decided(), 5000);
    review.undo("ann").unwrap();
    assert_eq!((review.decided(), review.can_undo_redo()), (0, (false, true)));
    let mut review = again(review);
    review.redo("ann").unwrap();
    assert_eq!(review.decided(), 5000);
}

#[test]
fn a_second_window_reads_and_says_why() {
    let (_folder, path, mut review) = fresh();
    review.decide(&[subject("a")], Some(&Verdict::Keep), "", "ann").unwrap();
    let mut second = Review::open(&path, &about()).unwrap();
    assert_eq!(second.access(), &Access::ReadOnly("it is open in another window of this program".into()));
    expect(&second, &[("a", "keep")]);
    let refused = second.decide(&[subject("b")], Some(&Verdict::Keep), "", "bob").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "this review is open read-only (it is open in another window of this program)"
    );
    assert!(matches!(second.undo("bob"), Err(ReviewError::ReadOnly(_))));

    review.decide(&[subject("b")], Some(&Verdict::Exclude), "", "ann").unwrap();
    review.undo("ann").unwrap();
    review.decide(&[subject("c")], Some(&Verdict::Unsure), "", "ann").unwrap();
    let before = second.revision();
    assert!(second.refresh().unwrap());
    assert!(second.revision() > before);
    assert!(!second.refresh().unwrap());
    expect(&second, &[("a", "keep"), ("c", "unsure")]);
    expect(&Review::read(&path).unwrap(), &[("a", "keep"), ("c", "unsure")]);

    drop(review);
    drop(second);
    assert_eq!(Review::open(&path, &about()).unwrap().access(), &Access::Write);
}

/// Opens a raw connection on which the guards are gone, as a tamperer would.
fn without_guards(path: &Path, change: &str) {
    let raw = Connection::open(path).unwrap();
    let guards: Vec<(String, String)> = raw
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &guards {
        raw.execute(&format!("DROP TRIGGER {name}"), []).unwrap();
    }
    raw.execute(change, []).unwrap();
    for (_, sql) in &guards {
        raw.execute(sql, []).unwrap();
    }
}

fn four_decisions() -> (tempfile::TempDir, PathBuf) {
    let (folder, path, mut review) = fresh();
    review.decide(&[subject("a")], Some(&Verdict::Keep), "", "ann").unwrap();
    review.decide(&[subject("b")], Some(&Verdict::Exclude), "", "ann").unwrap();
    review.decide(&[subject("c")], Some(&Verdict::Revert), "", "ann").unwrap();
    review.decide(&[subject("d")], Some(&Verdict::Unsure), "", "ann").unwrap();
    (folder, path)
}

#[test]
fn rows_cannot_be_changed_or_deleted_by_plain_sql() {
    let (_folder, path) = four_decisions();
    let raw = Connection::open(&path).unwrap();
    for sql in [
        "UPDATE decisions SET verdict = 'keep' WHERE id = 2",
        "DELETE FROM decisions WHERE id = 4",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE id = 2",
        "UPDATE meta SET value = 'other'",
        "DELETE FROM meta",
    ] {
        let error = raw.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("never") || error.contains("only ever"), "{sql}: {error}");
    }
}

#[test]
fn tampering_shows_at_its_row_and_what_follows_does_not_count() {
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
    let cases: [Case; 8] = [
        (
            "UPDATE decisions SET verdict = 'keep' WHERE id = 2",
            "row 2 is not what was written",
            &[("a", "keep")],
        ),
        ("UPDATE decisions SET time_millis = 5 WHERE id = 1", "row 1 is not what was written", &[]),
        ("UPDATE decisions SET note = CAST(x'ff' AS TEXT) WHERE id = 1", "row 1 holds something", &[]),
        ("UPDATE decisions SET hash = x'00' WHERE id = 1", "row 1 holds something", &[]),
        ("DELETE FROM decisions WHERE id = 3", "row 3 is missing", &[("a", "keep"), ("b", "exclude")]),
        (
            "UPDATE decisions SET kind = 'undo', target = 1 WHERE id = 2",
            "row 2 is not what",
            &[("a", "keep")],
        ),
        ("UPDATE decisions SET verdict = 'nuke' WHERE id = 2", "row 2 holds something", &[("a", "keep")]),
        ("UPDATE meta SET value = 'other' WHERE name = 'base'", "row 1 is not what was written", &[]),
    ];
    for (sql, message, in_force) in cases {
        let (_folder, path) = four_decisions();
        without_guards(&path, sql);
        let mut review = Review::open(&path, &about()).unwrap();
        let Access::ReadOnly(reason) = review.access().clone() else { panic!("{sql}: may be written") };
        assert!(reason.starts_with(message), "{sql}: {reason}");
        expect(&review, in_force);
        assert!(matches!(review.verify_chain(), Err(ReviewError::Damaged { .. })), "{sql}");
        assert!(matches!(review.undo("ann"), Err(ReviewError::ReadOnly(_))));
        expect(&Review::read(&path).unwrap(), in_force);
    }
}

#[test]
fn files_that_are_no_usable_review_are_refused_in_words() {
    fn check(make: impl FnOnce(&Path), expected: &str) {
        let (folder, path) = four_decisions();
        make(&path);
        for (how, result) in [("open", Review::open(&path, &about())), ("read", Review::read(&path))] {
            let error = result.err().unwrap_or_else(|| panic!("{how} expected: {expected}")).to_string();
            assert!(error.contains(expected), "{how}: {error}");
        }
        drop(folder);
    }
    let sql =
        |sql: &'static str| move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    check(
        sql("PRAGMA user_version = 7"),
        "written by a newer Sparrowhawk (file version 7, this one reads 1)",
    );
    check(sql("PRAGMA user_version = 0"), "the tables of this review file are not as Sparrowhawk makes them");
    check(sql("PRAGMA application_id = 9"), "a database of another program");
    check(
        sql("DROP TRIGGER decisions_stay"),
        "the tables of this review file are not as Sparrowhawk makes them",
    );
    check(
        sql("CREATE TRIGGER evil AFTER INSERT ON decisions BEGIN SELECT 1; END"),
        "the tables of this review file are not as Sparrowhawk makes them",
    );
    check(|path| std::fs::write(path, "just some text that is no database at all").unwrap(), "not a review");
    check(|path| std::fs::write(path, [0x89; 4096]).unwrap(), "not a review");
    check(
        |path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        "damaged",
    );
    check(
        |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        },
        "this is a folder",
    );
    check(
        |path| {
            without_guards(
                path,
                "UPDATE decisions SET note = zeroblob(0) || printf('%70000d', 1) WHERE id = 2",
            );
        },
        "a text longer than any",
    );
    assert!(matches!(Review::read(Path::new("/no/such/review")), Err(ReviewError::Storage(_))));
}

#[test]
fn an_empty_file_becomes_a_review() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.sparrowhawk");
    std::fs::write(&path, "").unwrap();
    assert!(matches!(Review::read(&path), Err(ReviewError::Damaged { .. })));
    let mut review = Review::open(&path, &about()).unwrap();
    review.decide(&[subject("a")], Some(&Verdict::Keep), "", "ann").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A few bytes of the file are other bytes: it is refused, or what counts is what was decided up to some row.
    #[test]
    fn flipped_bytes_never_make_other_decisions(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
        let mut bytes = WHOLE.get_or_init(|| { let (_folder, path) = four_decisions(); std::fs::read(path).unwrap() }).clone();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flipped.sparrowhawk");
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(review) = Review::open(&path, &about()) {
            let whole = [("a", "keep"), ("b", "exclude"), ("c", "revert"), ("d", "unsure")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()));
            let found = keys(&review);
            prop_assert!(whole.starts_with(&found), "{found:?}");
            prop_assert!(found.len() == 4 || review.access() != &Access::Write);
        }
    }
}

/// The chain's bytes as the head of `store.rs` documents them, computed here from the plain columns.
#[test]
fn the_chain_is_what_is_documented() {
    use rusqlite::types::ValueRef;
    fn encode(hasher: &mut blake3::Hasher, value: ValueRef<'_>) {
        let (tag, bytes) = match value {
            ValueRef::Null => {
                hasher.update(&[0]);
                return;
            }
            ValueRef::Integer(number) => {
                hasher.update(&[1]).update(&number.to_le_bytes());
                return;
            }
            ValueRef::Text(text) => (2, text),
            ValueRef::Blob(blob) => (3, blob),
            ValueRef::Real(_) => panic!("no column is one"),
        };
        hasher.update(&[tag]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    let (_folder, path) = four_decisions();
    let mut review = Review::open(&path, &about()).unwrap();
    review.undo("bob").unwrap();
    let head = review.head();
    let raw = Connection::open(&path).unwrap();
    let mut hasher = blake3::Hasher::new_derive_key("sparrowhawk review file, hash chain, version 1");
    let mut meta = raw.prepare("SELECT name, value FROM meta ORDER BY name").unwrap();
    let mut rows = meta.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        encode(&mut hasher, row.get_ref(0).unwrap());
        encode(&mut hasher, row.get_ref(1).unwrap());
    }
    let mut chain = *hasher.finalize().as_bytes();
    let mut decisions = raw.prepare("SELECT * FROM decisions ORDER BY id").unwrap();
    let columns = decisions.column_count();
    assert_eq!(decisions.column_name(columns - 1).unwrap(), "chain");
    let mut rows = decisions.query([]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&chain);
        for column in 0..columns - 1 {
            encode(&mut hasher, row.get_ref(column).unwrap());
        }
        chain = *hasher.finalize().as_bytes();
        assert_eq!(row.get_ref(columns - 1).unwrap(), ValueRef::Blob(&chain));
        count += 1;
    }
    assert_eq!(count, 5);
    assert_eq!(head, ContentHash(chain).to_string());
}

/// Every review file that ever shipped opens for ever. This one is of format version 1.
#[test]
fn a_review_of_version_1_still_opens() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/review-1.sparrowhawk");
    if std::env::var_os("SPARROWHAWK_WRITE_COMPAT").is_some() {
        write_compat(&stored);
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.sparrowhawk");
    std::fs::copy(&stored, &copy).unwrap();
    let mut review = Review::open(&copy, &ReviewAbout::default()).unwrap();
    assert_eq!(review.access(), &Access::Write);
    assert_eq!(
        review.about(),
        &ReviewAbout { source: "pets fork".into(), base: Some("pets".into()) },
        "an existing review keeps what it is about"
    );
    assert_eq!(review.verify_chain().unwrap(), 10);
    expect(
        &review,
        &[
            ("added/1.png", "exclude"),
            ("cat/1.png", "relabel dog"),
            ("cat/2.png", "keep"),
            ("gone.png", "revert"),
            ("猫/3.png", "unsure"),
        ],
    );
    let base = review.corrections()[1].subject.base.clone().unwrap();
    assert_eq!(
        (base.key.as_str(), base.label.as_deref(), base.split.as_deref()),
        ("dog/1.png", Some("dog"), None)
    );
    assert_eq!(base.hash, ContentHash::of(b"dog/1.png"));
    assert_eq!(review.can_undo_redo(), (true, true));
    assert_eq!(review.redo("ann").unwrap().unwrap().summary, "1 × cleared");
}

fn write_compat(path: &Path) {
    let _ = std::fs::remove_file(path);
    let about = ReviewAbout { source: "pets fork".into(), base: Some("pets".into()) };
    let mut review = Review::open(path, &about).unwrap();
    let base = SubjectBase {
        key: "dog/1.png".into(),
        hash: ContentHash::of(b"dog/1.png"),
        label: Some("dog".into()),
        split: None,
    };
    let moved = Subject { change: Some(ChangeKind::Relabelled), base: Some(base), ..subject("cat/1.png") };
    let added =
        Subject { change: Some(ChangeKind::Added), split: Some("train".into()), ..subject("added/1.png") };
    let gone = Subject { change: Some(ChangeKind::Removed), ..subject("gone.png") };
    review.decide(&[moved], Some(&Verdict::Relabel("dog".into())), "the collar", "ann").unwrap();
    review.decide(&[added, subject("cat/2.png")], Some(&Verdict::Exclude), "", "ann").unwrap();
    review.decide(&[subject("cat/2.png")], Some(&Verdict::Keep), "on second thoughts", "bob").unwrap();
    review.decide(&[gone], Some(&Verdict::Revert), "", "bob").unwrap();
    review.decide(&[subject("猫/3.png")], Some(&Verdict::Unsure), "どちら？", "ann").unwrap();
    review.undo("ann").unwrap();
    review.redo("ann").unwrap();
    review.decide(&[subject("cat/2.png")], None, "", "ann").unwrap();
    review.undo("ann").unwrap();
}

/// The child of the tests below: this very test binary, run again for one test with these in its environment.
fn child(test: &str, review: &Path, part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    command.args([&test, "--exact", "--nocapture"]);
    command.env("SPARROWHAWK_TEST_CHILD", part).env("SPARROWHAWK_TEST_REVIEW", review);
    command
}

fn child_part() -> Option<(String, PathBuf)> {
    let part = std::env::var("SPARROWHAWK_TEST_CHILD").ok()?;
    Some((part, std::env::var_os("SPARROWHAWK_TEST_REVIEW").unwrap().into()))
}

fn acknowledge(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}

/// What the child decides at its `n`th turn: mostly one sample, sometimes a hundred at once, sometimes an undo.
fn burst_subjects(n: i64) -> Vec<Subject> {
    let count = if n % 7 == 3 { 100 } else { 1 };
    (0..count).map(|i| subject(&format!("burst/{n}/{i}.png"))).collect()
}

fn burst(path: &Path) {
    let mut review = Review::open(path, &about()).unwrap();
    assert_eq!(review.access(), &Access::Write);
    acknowledge(&format!("open {}", review.decided()));
    // The turn is the step's number, so that the parent knows what each step must hold.
    for turn in next_step(&review).. {
        let step = review.decide(&burst_subjects(turn), Some(&Verdict::Exclude), "burst", "child").unwrap();
        assert_eq!(step.id, turn);
        acknowledge(&format!("ack {turn}"));
    }
}

fn next_step(review: &Review) -> i64 {
    let raw = Connection::open(review.path()).unwrap();
    raw.query_row("SELECT coalesce(max(step), 0) + 1 FROM decisions", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_was_acknowledged_survives_fifty_kills() {
    if let Some((_, path)) = child_part() {
        return burst(&path);
    }
    let (_folder, path, review) = fresh();
    drop(review);
    let log = path.with_extension("log");
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    let mut random = 0x5eed_u64;
    let start = Instant::now();
    for round in 0..50 {
        let mut child = child("what_was_acknowledged_survives_fifty_kills", &path, "burst")
            .stdout(Stdio::from(std::fs::File::create(&log).unwrap()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !std::fs::read_to_string(&log).unwrap().contains("open ") {
            assert!(begun.elapsed() < Duration::from_mins(1) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(1));
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(random >> 46));
        child.kill().unwrap();
        child.wait().unwrap();

        let said = std::fs::read_to_string(&log).unwrap();
        // The last line may be cut: an acknowledgement counts when its line is whole.
        let whole = &said[..said.rfind('\n').map_or(0, |end| end + 1)];
        let last_ack = whole.lines().rev().find_map(|line| line.strip_prefix("ack ")?.parse::<i64>().ok());
        let mut review = Review::open(&path, &about()).unwrap();
        assert_eq!(review.access(), &Access::Write, "round {round}: the dead process holds no lock");
        let rows = review.verify_chain().unwrap();
        let steps = next_step(&review) - 1;
        assert!(
            last_ack.is_none_or(|ack| steps >= ack),
            "round {round}: {steps} steps, {last_ack:?} acknowledged"
        );
        let expected: Vec<Subject> = (1..=steps).flat_map(burst_subjects).collect();
        assert_eq!(rows as usize, expected.len(), "round {round}: every step whole");
        for subject in &expected {
            assert!(review.in_force(&subject.key, &subject.hash).is_some(), "round {round}: {}", subject.key);
        }
        let acks = whole.lines().filter(|line| line.starts_with("ack ")).count();
        acknowledged += acks;
        unacknowledged += usize::from(last_ack.is_some_and(|ack| steps > ack));
        assert!(review.refresh().is_ok_and(|changed| !changed));
    }
    println!(
        "50 kills in {:?}: {acknowledged} acknowledged steps, all there; {unacknowledged} times one more was",
        start.elapsed()
    );
    assert!(acknowledged >= 20, "the burst was a burst");
}

/// A real full disk, and a disk that may only be read: a small file system of our own, where the system lets us.
#[test]
fn a_full_disk_loses_nothing_and_a_read_only_one_is_named() {
    const NAME: &str = "a_full_disk_loses_nothing_and_a_read_only_one_is_named";
    if let Some((part, path)) = child_part() {
        return if part == "fill" { fill(&path) } else { read_protected(&path) };
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small/full.sparrowhawk");
    std::fs::create_dir(folder.path().join("small")).unwrap();
    let mut inner = Command::new("unshare");
    inner.args(["--user", "--map-root-user", "--mount", "sh", "-ec"]);
    inner.arg(
        "mount -t tmpfs -o size=256k none \"$1\"; shift; echo MOUNTED; \"$@\"; \
         SPARROWHAWK_TEST_CHILD=protected; export SPARROWHAWK_TEST_CHILD; mount -o remount,ro \"$(dirname \"$SPARROWHAWK_TEST_REVIEW\")\"; \"$@\"",
    );
    let child = child(NAME, &path, "fill");
    inner.arg("sh").arg(folder.path().join("small")).arg(child.get_program()).args(child.get_args());
    inner.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = match inner.output() {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("MOUNTED") => output,
        other => {
            eprintln!("SKIPPED: no small file system can be mounted here: {other:?}");
            return;
        }
    };
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("ack full") && text.contains("ack protected"), "{text}");
}

fn fill(path: &Path) {
    let mut review = Review::open(path, &about()).unwrap();
    let mut done = 0;
    let error = loop {
        let many: Vec<Subject> = (0..50).map(|i| subject(&format!("{done}/{i}"))).collect();
        match review.decide(&many, Some(&Verdict::Exclude), "a remark of some length", "child") {
            Ok(_) => done += 1,
            Err(error) => break error,
        }
        assert!(done < 1000, "the disk never fills");
    };
    assert!(matches!(error, ReviewError::DiskFull), "{error}");
    assert!(done > 0);
    assert_eq!(review.decided(), done * 50, "the failed step changed nothing in memory");
    assert_eq!(review.verify_chain().unwrap() as usize, done * 50, "nor on disk");
    let review = again(review);
    assert_eq!((review.access(), review.decided()), (&Access::Write, done * 50));
    acknowledge("ack full");
}

fn read_protected(path: &Path) {
    let mut review = Review::open(path, &about()).unwrap();
    let Access::ReadOnly(reason) = review.access().clone() else { panic!("may be written") };
    assert!(reason.contains("may not be written"), "{reason}");
    assert!(review.decided() > 0);
    assert!(matches!(review.undo("ann"), Err(ReviewError::ReadOnly(_))));
    let error = Review::open(&path.with_extension("new"), &about()).err().unwrap().to_string();
    assert!(error.contains("a new review cannot be made here"), "{error}");
    acknowledge("ack protected");
}

/// Figures for people: `cargo test --release --test headless review:: -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures, judges little"]
fn figures() {
    let (_folder, _, mut review) = fresh();
    let start = Instant::now();
    for i in 0..200 {
        review.decide(&[subject(&format!("one/{i}"))], Some(&Verdict::Keep), "", "ann").unwrap();
    }
    println!("one decision: {:?}", start.elapsed() / 200);
    for step in 0..20 {
        let many: Vec<Subject> =
            (0..5000).map(|i| subject(&format!("train/class {}/{step:02}-{i:05}.jpg", i % 10))).collect();
        let start = Instant::now();
        review.decide(&many, Some(&Verdict::Relabel("dog".into())), "", "ann").unwrap();
        if step == 19 {
            println!("5,000 decisions as one step: {:?}", start.elapsed());
        }
    }
    let path = review.path().to_owned();
    drop(review);
    println!("file of 100,200 decisions: {} KiB", std::fs::metadata(&path).unwrap().len() >> 10);
    let start = Instant::now();
    let review = Review::open(&path, &about()).unwrap();
    println!("opening it: {:?}", start.elapsed());
    assert_eq!(review.decided(), 100_200);
    let start = Instant::now();
    let hash = ContentHash::of(b"x");
    let found = (0..1_000_000).filter(|i| review.in_force(&format!("train/{i}"), &hash).is_some()).count();
    println!("a million questions what is in force ({found} found): {:?}", start.elapsed());
    let start = Instant::now();
    println!("{} corrections: {:?}", review.corrections().len(), start.elapsed());
}

#[test]
fn an_old_step_is_taken_back_where_it_is_in_force_still() {
    let (_folder, _path, mut review) = fresh();
    let [a, b, c] = ["a", "b", "c"].map(subject);
    review.decide(from_ref(&a), Some(&Verdict::Unsure), "", "ann").unwrap();
    let rows = [(&a, Verdict::Keep), (&b, Verdict::Exclude), (&c, Verdict::Relabel("dog".into()))];
    let rows = rows.map(|(subject, verdict)| (subject.clone(), Some(verdict)));
    let mixed = review.decide_each(rows.to_vec(), "one of three", "ann").unwrap();
    assert_eq!(mixed.summary, "1 × keep, 1 × exclude, 1 × relabel to dog");
    review.decide(from_ref(&b), Some(&Verdict::Keep), "", "bob").unwrap();
    // What came since stays: `b` was decided again; `a` has the verdict that it had before.
    let back = review.take_back(mixed.id, "bob").unwrap().expect("two of three are in force");
    assert_eq!(back.keys, ["a", "c"]);
    expect(&review, &[("a", "unsure"), ("b", "keep")]);
    assert_eq!(review.take_back(mixed.id, "bob").unwrap(), None);
    let mut review = again(review);
    expect(&review, &[("a", "unsure"), ("b", "keep")]);
    review.undo("bob").unwrap().expect("it was a step as well");
    expect(&review, &[("a", "keep"), ("b", "keep"), ("c", "relabel dog")]);
    assert_eq!(review.log().len() as u64, review.verify_chain().unwrap());
    assert_eq!(review.take_back(77, "bob").unwrap(), None, "no such step");
}

#[test]
fn a_dismissed_cluster_is_known_again_and_is_no_sample() {
    let (_folder, _path, mut review) = fresh();
    let hash = |number: u32| ContentHash::of(&number.to_le_bytes());
    let members: Vec<ContentHash> = (0..20).map(hash).collect();
    let step = review.dismiss(&members, "the studio's logo", "ann").unwrap();
    expect(&review, &[]);
    let mut review = again(review);
    let [dismissed] = &review.dismissed()[..] else { panic!("{:?}", review.dismissed()) };
    assert_eq!((dismissed.reason.as_str(), dismissed.reviewer.as_str()), ("the studio's logo", "ann"));
    // Half of it, and a few more, is the same; less than half, or many more, is looked at anew.
    assert!(dismissed.is((10..30).map(hash)));
    assert!(!dismissed.is((11..31).map(hash)));
    assert!(!dismissed.is((0..41).map(hash)));
    assert!(!dismissed.is((100..120).map(hash)));
    assert!(!dismissed.is(std::iter::empty()));
    // A sample that is named like a cluster is a sample.
    let key = review.log()[0].decision.subject.key.clone();
    review.decide(&[subject(&key)], Some(&Verdict::Exclude), "", "bob").unwrap();
    expect(&review, &[(key.as_str(), "exclude")]);
    assert_eq!(review.dismissed().len(), 0, "a key means one thing at a time");
    review.undo("bob").unwrap();
    assert_eq!(review.dismissed().len(), 1);
    review.take_back(step.id, "ann").unwrap().expect("in force");
    assert_eq!(again(review).dismissed(), []);
}

#[test]
fn two_reviews_are_compared_by_what_was_decided_on_which_picture() {
    let (_folder, _path, mut own) = fresh();
    let (_other_folder, _other_path, mut other) = fresh();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(subject);
    own.decide(&[a.clone(), b.clone(), d.clone()], Some(&Verdict::Keep), "", "ann").unwrap();
    other.decide(&[a.clone(), c.clone()], Some(&Verdict::Keep), "sure", "bob").unwrap();
    other.decide(from_ref(&b), Some(&Verdict::Exclude), "", "bob").unwrap();
    // The same name, another picture: not the same sample.
    let changed = Subject { hash: ContentHash::of(b"other"), ..d };
    other.decide(&[changed], Some(&Verdict::Keep), "", "bob").unwrap();
    let found = own.compare(&other);
    assert_eq!((found.same, found.only_own, found.only_other.len(), found.conflicts.len()), (1, 1, 2, 1));
    assert_eq!(
        (&found.conflicts[0].own.verdict, &found.conflicts[0].other.verdict),
        (&Verdict::Keep, &Verdict::Exclude)
    );
    own.take_over(&found.only_other[..1], "ann").unwrap();
    let taken = own.in_force("c", &c.hash).unwrap();
    assert_eq!((taken.reviewer.as_str(), taken.note.as_str()), ("ann", "taken over from bob"));
    assert_eq!(own.compare(&other).same, 2);
    own.undo("ann").unwrap();
    assert_eq!(own.compare(&other), found);
}
