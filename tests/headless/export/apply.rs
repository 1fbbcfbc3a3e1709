//! Patches carried out on real folders and lists, and undone again.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sparrowhawk::export::patch::{FromTo, LabelSplit, Operation, PatchFile, To};
use sparrowhawk::export::{Applied, ApplyOptions, ExportError, ExportInput, apply, exporter};
use sparrowhawk::model::{ContentHash, Subject, Verdict};
use sparrowhawk::review::{Review, ReviewAbout};
use sparrowhawk::source::{self, Place};
use sparrowhawk::task::Task;

/// What a dataset holds: label, split and content of each key.
type Samples = BTreeMap<String, (Option<String>, Option<String>, Option<ContentHash>)>;

fn place(path: &Path) -> Place {
    Place { path: path.to_owned(), ..Place::default() }
}

fn samples(place: &Place) -> Samples {
    let dataset = source::open(place, &Task::new()).unwrap();
    let version = &dataset.version;
    (0..version.len())
        .map(|row| {
            let hash = dataset.pictures.read(row).ok().map(|bytes| ContentHash::of(&bytes));
            let text = |text: Option<&str>| text.map(str::to_owned);
            (version.key(row).to_owned(), (text(version.label(row)), text(version.split(row)), hash))
        })
        .collect()
}

/// Every file below a folder with its bytes.
fn bytes_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_owned();
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Writes files: opening never decodes, so a picture is its name here unless said otherwise.
fn write(root: &Path, files: &[&str]) {
    for file in files {
        put(root, file, file);
    }
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn on(key: &str) -> Operation {
    Operation {
        key: key.to_owned(),
        hash: ContentHash::of(key.as_bytes()),
        relabel: None,
        move_split: None,
        rename: None,
        replace: None,
        exclude: None,
        restore: None,
        note: String::new(),
    }
}

fn some(text: &str) -> Option<String> {
    (text != "-").then(|| text.to_owned())
}

fn from_to(from: &str, to: &str) -> FromTo {
    FromTo { from: some(from), to: some(to) }
}

fn relabel(key: &str, from: &str, to: &str) -> Operation {
    Operation { relabel: Some(from_to(from, to)), ..on(key) }
}

fn exclude(key: &str, label: &str, split: &str) -> Operation {
    Operation { exclude: Some(LabelSplit { label: some(label), split: some(split) }), ..on(key) }
}

fn restore(key: &str, label: &str, split: &str) -> Operation {
    Operation { restore: Some(LabelSplit { label: some(label), split: some(split) }), ..on(key) }
}

fn patch(operations: &[Operation]) -> PatchFile {
    let patch = PatchFile { source: "s".into(), base: None, operations: operations.to_vec() };
    // What is applied is what a file holds.
    PatchFile::parse(&patch.to_text().unwrap()).unwrap()
}

fn run(operations: &[Operation], from: &Place, out: &Path, more: &[&Place], invert: bool) -> Applied {
    let more: Vec<_> = more.iter().map(|place| source::open(place, &Task::new()).unwrap()).collect();
    let options = ApplyOptions { out: out.to_owned(), invert, dry_run: false };
    apply(&patch(operations), from, &more, &options, &Task::new()).unwrap()
}

/// Applies to `from`, checks what came out (key, label, split), undoes that, and checks that all is as it was.
#[track_caller]
fn check(
    from: &Place,
    base: Option<&Place>,
    operations: &[Operation],
    expected: &[(&str, &str, &str)],
) -> PathBuf {
    let folder = from.path.parent().unwrap();
    let ending = from.path.extension().map(|e| format!(".{}", e.to_str().unwrap())).unwrap_or_default();
    let (there, back) = (folder.join(format!("there{ending}")), folder.join(format!("back{ending}")));
    let (before, untouched) = (samples(from), bytes_below(folder));
    let more: Vec<&Place> = base.into_iter().collect();

    let patched = patch(operations);
    let datasets: Vec<_> = more.iter().map(|place| source::open(place, &Task::new()).unwrap()).collect();
    let dry = ApplyOptions { out: there.clone(), invert: false, dry_run: true };
    let dry = apply(&patched, from, &datasets, &dry, &Task::new()).unwrap();
    assert_eq!(bytes_below(folder), untouched, "a dry run writes nothing");

    let applied = run(operations, from, &there, &more, false);
    assert_eq!(applied.refused, []);
    assert_eq!((&applied.done, applied.done.len()), (&dry.done, operations.len()));
    let there_place = Place { path: there.clone(), ..from.clone() };
    let found = samples(&there_place);
    let shown: Vec<_> = found
        .iter()
        .map(|(key, (label, split, _))| {
            (key.as_str(), label.as_deref().unwrap_or("-"), split.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(shown, expected);

    let applied = run(operations, &there_place, &back, &[from], true);
    assert_eq!(applied.refused, []);
    assert_eq!(samples(&Place { path: back, ..from.clone() }), before, "undone");
    let mut left = bytes_below(folder);
    left.retain(|path, _| untouched.contains_key(path));
    assert_eq!(left, untouched, "the source and all beside it are as they were");
    there
}

#[test]
fn class_folders_are_corrected_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (root, base) = (folder.path().join("pets"), folder.path().join("base"));
    write(
        &root,
        &["cat/1.png", "cat/2.png", "cat/deep/3.png", "dog/4.png", "dog/5.png", "0.png", "README.md"],
    );
    write(&root, &["licences/LICENSE", "cat/notes.txt", ".git/config"]);
    write(&base, &["cat/1.png", "dog/old.png"]);
    put(&base, "dog/then.png", "the picture before");
    let operations = [
        relabel("cat/1.png", "cat", "dog"),
        relabel("cat/deep/3.png", "cat", "bird"),
        relabel("0.png", "-", "cat"),
        exclude("cat/2.png", "cat", "-"),
        restore("dog/old.png", "dog", "-"),
        Operation { rename: Some(To { to: "dog/a/five.png".into() }), ..on("dog/5.png") },
        Operation { replace: Some(To { to: ContentHash::of(b"the picture before") }), ..on("dog/4.png") },
    ];
    let there = check(
        &place(&root),
        Some(&place(&base)),
        &operations,
        &[
            ("bird/deep/3.png", "bird", "-"),
            ("cat/0.png", "cat", "-"),
            ("dog/1.png", "dog", "-"),
            ("dog/4.png", "dog", "-"),
            ("dog/a/five.png", "dog", "-"),
            ("dog/old.png", "dog", "-"),
        ],
    );
    assert_eq!(std::fs::read(there.join("dog/4.png")).unwrap(), b"the picture before");
    for kept in ["README.md", "licences/LICENSE", "cat/notes.txt"] {
        assert_eq!(std::fs::read(there.join(kept)).unwrap(), kept.as_bytes());
    }
    assert!(!there.join(".git").exists());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "pets, base, there, back, and nothing unfinished: {names:?}");
}

#[test]
fn split_folders_are_corrected_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(
        &root,
        &["train/cat/1.png", "train/dog/2.png", "train/dog/3.png", "test/cat/4.png", "test/dog/5.png"],
    );
    let operations = [
        relabel("train/cat/1.png", "cat", "dog"),
        Operation { move_split: Some(from_to("train", "test")), ..on("train/dog/2.png") },
        Operation { move_split: Some(from_to("test", "train")), ..relabel("test/cat/4.png", "cat", "dog") },
        exclude("test/dog/5.png", "dog", "test"),
    ];
    check(
        &place(&root),
        None,
        &operations,
        &[
            ("test/dog/2.png", "dog", "test"),
            ("train/dog/1.png", "dog", "train"),
            ("train/dog/3.png", "dog", "train"),
            ("train/dog/4.png", "dog", "train"),
        ],
    );
}

#[test]
fn samples_that_change_places_do_so_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(&root, &["a/1.png", "b/2.png", "b/3.png"]);
    let to = |key: &str, to: &str| Operation { rename: Some(To { to: to.into() }), ..on(key) };
    let operations = [to("b/2.png", "b/3.png"), to("b/3.png", "b/2.png")];
    let there = check(
        &place(&root),
        None,
        &operations,
        &[("a/1.png", "a", "-"), ("b/2.png", "b", "-"), ("b/3.png", "b", "-")],
    );
    assert_eq!(std::fs::read(there.join("b/2.png")).unwrap(), b"b/3.png");
}

#[test]
fn metadata_files_are_corrected_and_put_back() {
    for (name, content) in [
        ("metadata.csv", "file_name,label,caption\nx/1.png,cat,\"a, b\"\n2.png,dog,\nx/3.png,7,three\n"),
        (
            "metadata.jsonl",
            "{\"file_name\":\"x/1.png\",\"label\":\"cat\",\"caption\":[1]}\n{\"file_name\":\"2.png\",\"label\":\"dog\"}\n{\"file_name\":\"x/3.png\",\"label\":\"7\"}\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("pets");
        write(&root, &["x/1.png", "2.png", "x/3.png"]);
        put(&root, name, content);
        let operations = [
            relabel("x/1.png", "cat", "Größe \"L\""),
            exclude("2.png", "dog", "-"),
            Operation { rename: Some(To { to: "y/3.png".into() }), ..on("x/3.png") },
        ];
        let expected = [("x/1.png", "Größe \"L\"", "-"), ("y/3.png", "7", "-")];
        let there = check(&place(&root), None, &operations, &expected);
        let text = std::fs::read_to_string(there.join(name)).unwrap();
        assert!(text.contains("a, b") || text.contains("[1]"), "other columns stay: {text}");
    }
}

#[test]
fn lists_are_corrected_and_put_back() {
    let cases = [
        ("csv", "id,path,label,split\n1,a.png,cat,train\n2,\"b.png\",\"dog\",\n3,c.png,cat,test\n"),
        ("tsv", "label\tpath\tsplit\ncat\ta.png\ttrain\ndog\tb.png\t\ncat\tc.png\ttest"),
        (
            "jsonl",
            "{\"path\":\"a.png\",\"label\":\"cat\",\"split\":\"train\"}\n{\"label\":\"dog\",\"path\":\"b.png\"}\n{\"path\":\"c.png\",\"label\":\"cat\",\"split\":\"test\",\"x\":{}}\n",
        ),
    ];
    for (ending, content) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a.png", "b.png", "c.png", "d/e.png"]);
        put(folder.path(), &format!("list.{ending}"), content);
        let operations = [
            relabel("a.png", "cat", "a, \"quoted\"\nname"),
            Operation { move_split: Some(from_to("-", "train")), ..relabel("b.png", "dog", "-") },
            exclude("c.png", "cat", "test"),
            restore("d/e.png", "dog", "test"),
        ];
        let list = place(&folder.path().join(format!("list.{ending}")));
        check(
            &list,
            None,
            &operations,
            &[("a.png", "a, \"quoted\"\nname", "train"), ("b.png", "-", "train"), ("d/e.png", "dog", "test")],
        );
    }
}

#[test]
fn a_list_keeps_every_byte_that_is_not_corrected() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["a.png", "b.png"]);
    let content = "\u{feff}\"path\";label ;\"x\"\r\na.png;\"cat\"; 1 \r\n\r\nb.png;dog;\"q\"\"\"\r\n";
    put(folder.path(), "list.csv", content);
    let list = place(&folder.path().join("list.csv"));
    let operations = [relabel("a.png", "cat", "dog")];
    let there = check(&list, None, &operations, &[("a.png", "dog", "-"), ("b.png", "dog", "-")]);
    assert_eq!(std::fs::read_to_string(there).unwrap(), content.replace("\"cat\"", "\"dog\""));
    assert_eq!(std::fs::read_to_string(folder.path().join("back.csv")).unwrap(), content);
    // Elsewhere the paths mean something else: the advice says so.
    let elsewhere = tempfile::tempdir().unwrap();
    let applied = run(&operations, &list, &elsewhere.path().join("new.csv"), &[], false);
    assert!(applied.advice[0].contains("--root"), "{:?}", applied.advice);
}

/// Applies one operation to a folder and to a list of the same pictures: the reasons for refusing it.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn check_refused(operation: Operation, folder_reason: &str, list_reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(&root, &["cat/1.png", "cat/2.png", "dog/1.png", "README.md"]);
    put(&root, "list.csv", "path,label\ncat/1.png,cat\ncat/2.png,cat\ndog/1.png,dog\n");
    let out = [folder.path().join("out"), folder.path().join("out.csv")];
    let sources = [root.clone(), root.join("list.csv")];
    let before = bytes_below(folder.path());
    for ((source, out), reason) in sources.iter().zip(&out).zip([folder_reason, list_reason]) {
        let applied = run(std::slice::from_ref(&operation), &place(source), out, &[], false);
        if reason.is_empty() {
            assert_eq!(applied.refused, [], "{}", operation.in_words());
            continue;
        }
        assert!(!out.exists(), "{}", operation.in_words());
        assert!(applied.refused.iter().any(|refusal| refusal.reason.contains(reason)), "{applied:?}");
        assert_eq!(bytes_below(folder.path()), before, "nothing is written");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "not even a folder");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let rename = |to: &str| Operation { rename: Some(To { to: to.into() }), ..on("cat/1.png") };
    let other = ContentHash::of(b"another picture");
    check_refused(relabel("cat/9.png", "cat", "dog"), "no such sample", "no such sample");
    let changed = Operation { hash: other, ..relabel("cat/2.png", "cat", "dog") };
    check_refused(changed, "another picture here", "another picture here");
    check_refused(
        relabel("cat/2.png", "bird", "dog"),
        "its label is `cat` here, and was `bird`",
        "its label is `cat`",
    );
    check_refused(
        exclude("cat/2.png", "cat", "train"),
        "its split is none here, and was `train`",
        "its split is none",
    );
    check_refused(relabel("cat/1.png", "cat", "dog"), "another sample already at dog/1.png", "");
    check_refused(
        restore("cat/2.png", "cat", "-"),
        "another sample already at cat/2.png",
        "another sample already",
    );
    check_refused(restore("cat/9.png", "cat", "-"), "is not at hand; name a dataset", "put the picture");
    check_refused(rename("README.md"), "another file already at README.md", "put the picture");
    check_refused(rename("../1.png"), "cannot be a path", "put the picture");
    check_refused(rename("/tmp/1.png"), "cannot be a path", "put the picture");
    check_refused(rename("cat/.hidden.png"), "cannot be a path", "put the picture");
    check_refused(rename("cat/1.txt"), "not be a sample of the corrected dataset", "put the picture");
    check_refused(rename("dog/1.txt/1.png"), "would be read otherwise", "put the picture");
    check_refused(relabel("cat/2.png", "cat", "../up"), "cannot be the name of a folder", "");
    check_refused(relabel("cat/2.png", "cat", ".."), "cannot be the name of a folder", "");
    check_refused(relabel("cat/2.png", "cat", "a\0b"), "cannot be the name of a folder", "zero byte");
    let long = "x".repeat(2000);
    check_refused(relabel("cat/2.png", "cat", &long), "cannot be the name of a folder", "not be a sample");
    check_refused(
        Operation { replace: Some(To { to: other }), ..on("cat/1.png") },
        "is not at hand",
        "a list holds no pictures",
    );
    check_refused(
        Operation { move_split: Some(from_to("-", "test")), ..on("cat/1.png") },
        "would be read otherwise",
        "no column of splits",
    );
}

#[test]
fn one_refusal_stops_all_and_every_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(&root, &["cat/1.png", "cat/2.png"]);
    let operations =
        [relabel("cat/1.png", "cat", "dog"), relabel("x", "cat", "dog"), relabel("cat/2.png", "x", "dog")];
    let applied = run(&operations, &place(&root), &folder.path().join("out"), &[], false);
    assert_eq!(applied.refused.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["cat/2.png", "x"]);
    assert_eq!(applied.done, [("cat/1.png".to_owned(), "relabel cat → dog".to_owned())]);
    assert!(!folder.path().join("out").exists());
    let all = [exclude("cat/1.png", "cat", "-"), exclude("cat/2.png", "cat", "-")];
    let applied = run(&all, &place(&root), &folder.path().join("out"), &[], false);
    assert!(applied.refused[0].reason.contains("no sample would be left"));
}

#[test]
fn the_new_place_must_be_free_and_outside() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(&root, &["cat/1.png"]);
    put(&root, "list.csv", "path,label\ncat/1.png,cat\n");
    let try_out = |source: &Path, out: &Path| {
        let options = ApplyOptions { out: out.to_owned(), ..ApplyOptions::default() };
        let operations = patch(&[relabel("cat/1.png", "cat", "dog")]);
        match apply(&operations, &place(source), &[], &options, &Task::new()) {
            Err(ExportError::Target { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    };
    assert!(try_out(&root, &root).contains("something here already"));
    assert!(try_out(&root, folder.path()).contains("something here already"));
    assert!(try_out(&root, &root.join("out")).contains("inside the dataset"));
    assert!(try_out(&root, &root.join("cat/../out")).contains("inside the dataset"));
    assert!(try_out(&root, &folder.path().join("no/such/out")).contains("make that first"));
    assert!(try_out(&root, &folder.path().join("..")).contains("choose another name"));
    assert!(try_out(&root.join("list.csv"), &root.join("list.csv")).contains("something here already"));
    assert!(try_out(&root.join("list.csv"), &root.join("new.tsv")).contains("must end in `.csv`"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&root, folder.path().join("way-in")).unwrap();
        assert!(try_out(&root, &folder.path().join("way-in/out")).contains("inside the dataset"));
        std::os::unix::fs::symlink("/nowhere", folder.path().join("dangling")).unwrap();
        assert!(try_out(&root, &folder.path().join("dangling")).contains("something here already"));
    }
}

#[test]
#[cfg(unix)]
fn links_are_never_followed_out_of_the_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    write(&root, &["cat/1.png", "cat/2.png"]);
    put(folder.path(), "secret.png", "secret");
    put(folder.path(), "away/metadata.txt", "secret");
    std::os::unix::fs::symlink("../../secret.png", root.join("cat/out.png")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("away"), root.join("away")).unwrap();
    std::os::unix::fs::symlink("2.png", root.join("cat/in.png")).unwrap();
    std::os::unix::fs::symlink("nothing.png", root.join("cat/broken.png")).unwrap();
    let out = folder.path().join("out");
    let applied = run(&[relabel("cat/1.png", "cat", "dog")], &place(&root), &out, &[], false);
    assert_eq!(applied.refused, []);
    assert_eq!(
        bytes_below(&out).keys().map(|p| p.to_str().unwrap()).collect::<Vec<_>>(),
        ["cat/2.png", "cat/in.png", "dog/1.png"]
    );
    assert!(!out.join("cat/in.png").is_symlink());
    assert!(applied.advice[0].starts_with("3 links that lead out of the dataset or nowhere were left out"));
}

#[test]
fn who_cancels_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pets");
    let files: Vec<String> = (0..200).map(|i| format!("cat/{i}.png")).collect();
    write(&root, &files.iter().map(String::as_str).collect::<Vec<_>>());
    // Cancelled at some moment of the copying: whichever it is, there is the whole or nothing.
    let mut cancelled = 0;
    for round in 0..8 {
        let out = folder.path().join("out");
        let task = Task::new();
        let watcher = task.clone();
        let done = std::sync::atomic::AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                let begun = |watcher: &Task| {
                    watcher.progress().stage == "Copying the dataset" && watcher.progress().done >= round * 20
                };
                while !begun(&watcher) && !done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                watcher.cancel();
            });
            let options = ApplyOptions { out: out.clone(), ..ApplyOptions::default() };
            let result =
                apply(&patch(&[relabel("cat/1.png", "cat", "dog")]), &place(&root), &[], &options, &task);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            result
        });
        if matches!(result, Err(ExportError::Cancelled(_) | ExportError::Source(_))) {
            cancelled += 1;
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the source");
        } else {
            assert_eq!(samples(&place(&out)).len(), 200);
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
    assert!(cancelled > 0, "it was cancelled in the middle at least once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is relabelled, moved, renamed and excluded: undone, all is as it was.
    #[test]
    fn whatever_is_applied_can_be_undone(choices in prop::collection::vec((0usize..6, 0usize..3), 8), as_list in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        let classes = ["cat", "dog", "ü x"];
        let mut list = "path,label,split\n".to_owned();
        let mut operations = Vec::new();
        for (i, &(what, which)) in choices.iter().enumerate() {
            let split = ["train", "test"][i % 2];
            let (label, to) = (classes[i % 3], classes[which]);
            let key = format!("{split}/{label}/{i}.png");
            write(&root, &[&key]);
            writeln!(list, "{key},{label},{split}").unwrap();
            let other = ["test", "train"][i % 2];
            // The first two keep both splits alive, so that they stay splits.
            match what {
                0 if label != to => operations.push(relabel(&key, label, to)),
                1 if i > 1 => operations.push(exclude(&key, label, split)),
                2 if i > 1 => operations.push(Operation { move_split: Some(from_to(split, other)), ..on(&key) }),
                3 if i > 1 && label != to => operations.push(Operation { move_split: Some(from_to(split, other)), ..relabel(&key, label, to) }),
                4 if !as_list => operations.push(Operation { rename: Some(To { to: format!("{split}/{label}/r/{i}.png") }), ..on(&key) }),
                _ => {}
            }
        }
        let mut from = root.clone();
        if as_list {
            put(&root, "list.csv", &list);
            from = root.join("list.csv");
        }
        let ending = if as_list { ".csv" } else { "" };
        let before = samples(&place(&from));
        let parent = from.parent().unwrap();
        let (there, back) = (parent.join(format!("there{ending}")), parent.join(format!("back{ending}")));
        let applied = run(&operations, &place(&from), &there, &[], false);
        prop_assert_eq!(&applied.refused, &[]);
        if !operations.is_empty() {
            prop_assert_ne!(samples(&place(&there)), before.clone());
        }
        let applied = run(&operations, &place(&there), &back, &[&place(&from)], true);
        prop_assert_eq!(&applied.refused, &[]);
        prop_assert_eq!(samples(&place(&back)), before);
    }
}

/// The whole way on real photos: decide, export, apply, undo.
#[test]
fn decisions_on_real_photos_become_a_corrected_dataset() {
    let Some(data) = crate::common::shared_data("clothing") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut review = Review::open(&folder.path().join("r.sparrowhawk"), &ReviewAbout::default()).unwrap();
    let list = place(&data.join("raw.csv"));
    let dataset = source::open(&list, &Task::new()).unwrap();
    let version = &dataset.version;
    let subject = |row: usize| Subject {
        key: version.key(row).to_owned(),
        hash: ContentHash::of(&dataset.pictures.read(row).unwrap()),
        label: version.label(row).map(str::to_owned),
        split: None,
        change: None,
        base: None,
    };
    let many: Vec<Subject> = (0..5).map(subject).collect();
    review.decide(&many, Some(&Verdict::Relabel("Socks".into())), "checked", "ann").unwrap();
    review.decide(&[subject(7), subject(8)], Some(&Verdict::Exclude), "", "ann").unwrap();
    review.decide(&[subject(9)], Some(&Verdict::Keep), "", "ann").unwrap();
    let input = ExportInput { about: review.about(), corrections: &review.corrections() };
    let text = String::from_utf8(exporter("patch").unwrap().render(&input).unwrap()).unwrap();
    let patch = PatchFile::parse(&text).unwrap();
    assert_eq!(patch.operations.len(), 7);

    let out = folder.path().join("corrected.csv");
    let options = ApplyOptions { out: out.clone(), ..ApplyOptions::default() };
    let applied = apply(&patch, &list, &[], &options, &Task::new()).unwrap();
    assert_eq!((applied.refused.len(), applied.done.len()), (0, 7));
    let mut made = place(&out);
    made.list.root = Some(data.clone());
    let corrected = source::open(&made, &Task::new()).unwrap().version;
    assert_eq!(corrected.len(), version.len() - 2);
    assert!(many.iter().all(|s| corrected.label(corrected.row_of(&s.key).unwrap()) == Some("Socks")));
    let back = folder.path().join("back.csv");
    let options = ApplyOptions { out: back.clone(), invert: true, dry_run: false };
    assert_eq!(apply(&patch, &made, &[], &options, &Task::new()).unwrap().refused, []);
    made.path = back;
    let back = source::open(&made, &Task::new()).unwrap().version;
    let labels = |v: &sparrowhawk::model::Version| -> Vec<(String, Option<String>)> {
        (0..v.len()).map(|row| (v.key(row).to_owned(), v.label(row).map(str::to_owned))).collect()
    };
    assert_eq!(labels(&back), labels(version));

    // And the class folders of the same photos.
    let base = place(&data.join("base"));
    let dataset = source::open(&base, &Task::new()).unwrap();
    let row = (0..dataset.version.len()).find(|&row| dataset.version.label(row) == Some("shirt")).unwrap();
    let key = dataset.version.key(row).to_owned();
    let hash = ContentHash::of(&dataset.pictures.read(row).unwrap());
    let operation = Operation { hash, ..relabel(&key, "shirt", "outwear") };
    let start = std::time::Instant::now();
    let applied = run(&[operation], &base, &folder.path().join("copy"), &[], false);
    println!("1,000 photos copied and corrected in {:?}", start.elapsed());
    assert_eq!(applied.refused, []);
    let copy = samples(&place(&folder.path().join("copy")));
    assert_eq!(copy.len(), 1000);
    assert_eq!(copy[&key.replace("shirt/", "outwear/")].2, Some(hash));
}
