//! Pins, lock files and lists of samples, on versions that were tampered with in every way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use sparrowhawk::compare::{ClassMap, Side};
use sparrowhawk::feature::Fingerprints;
use sparrowhawk::model::{ContentHash, SourceRef, VersionBuilder, Warning, WarningKind};
use sparrowhawk::source::{Dataset, Pictures, ReadError, Stamp};
use sparrowhawk::trust::{
    Difference, LockFile, TrustError, pin, samples_path, verify, verify_samples, write_samples,
};

struct NoPictures;

impl Pictures for NoPictures {
    fn read(&self, _row: usize) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing)
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

#[derive(Clone)]
struct Made {
    dataset: Dataset,
    fingerprints: Fingerprints,
}

impl Made {
    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }
}

/// (key, label, split, content; content 0 cannot be read).
type Sample<'a> = (&'a str, &'a str, &'a str, u32);

fn made(samples: &[Sample<'_>]) -> Made {
    let mut builder = VersionBuilder::default();
    for (key, label, split, _) in samples {
        builder.push(key, Some(label), Some(split));
    }
    let source =
        SourceRef { kind: "folder".into(), place: "/data/päts".into(), revision: Some("v1".into()) };
    let (version, order) = builder.build(source, "pets", "folder names");
    let hashes: Vec<Option<ContentHash>> = order
        .iter()
        .map(|&at| samples[at as usize].3)
        .map(|content| (content > 0).then(|| ContentHash::of(&content.to_le_bytes())))
        .collect();
    let unreadable = (0..version.len())
        .filter(|&row| hashes[row].is_none())
        .map(|row| Warning::on(version.key(row), WarningKind::Unreadable, "cannot be read"))
        .collect();
    Made {
        fingerprints: Fingerprints { sizes: vec![1; hashes.len()], hashes, unreadable },
        dataset: Dataset { version: Arc::new(version), pictures: Arc::new(NoPictures) },
    }
}

const PETS: &[Sample<'_>] = &[
    ("test/cat/3.png", "cat", "test", 3),
    ("train/cat/1.png", "cat", "train", 1),
    ("train/cat/2.png", "cat", "train", 2),
    ("train/dog/4.png", "dog", "train", 4),
    ("train/dog/5.png", "dog", "train", 5),
];

fn pets(change: impl FnOnce(&mut Vec<Sample<'static>>)) -> Made {
    let mut samples = PETS.to_vec();
    change(&mut samples);
    made(&samples)
}

const DATE: &str = "2026-01-02T03:04:05Z";

/// The differences, with the list of samples and without, as `key: message`.
fn differences(then: &Made, now: &Made) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let lock_path = folder.path().join("sparrowhawk.lock");
    std::fs::write(&lock_path, LockFile::new(then.side(), DATE).render()).unwrap();
    write_samples(then.side(), &mut std::fs::File::create(samples_path(&lock_path)).unwrap()).unwrap();

    let lock = LockFile::parse(&std::fs::read_to_string(&lock_path).unwrap(), &lock_path).unwrap();
    let named = verify_samples(&lock, &samples_path(&lock_path), now.side(), 100).unwrap();
    let counted = verify(&lock, &now.dataset.version, now.side());
    let shown = |found: Vec<Difference>| found.iter().map(|d| format!("{}: {}", d.key, d.message)).collect();
    (shown(named), shown(counted))
}

fn check(now: &Made, named: &[&str], counted: &[&str]) {
    let found = differences(&made(PETS), now);
    assert_eq!(found.0, named);
    assert!(found.1[0].starts_with(": pinned as b3:"), "{:?}", found.1);
    assert_eq!(found.1[1..], *counted);
}

#[test]
fn the_same_version_has_no_difference() {
    assert_eq!(differences(&made(PETS), &made(PETS)), (Vec::new(), Vec::new()));
    assert_eq!(differences(&made(&[]), &made(&[])), (Vec::new(), Vec::new()));
    // In whatever order it was listed.
    let mut backwards = PETS.to_vec();
    backwards.reverse();
    assert_eq!(pin(made(PETS).side()), pin(made(&backwards).side()));
}

#[test]
fn the_pin_is_for_ever() {
    // Whoever changes the construction must change its contexts' number too, and keep reading old lock files.
    let text = pin(made(PETS).side()).to_string();
    assert_eq!(text, "b3:f41f6a96588fc4c18393adebff081d53361e7ed342ab8ddffb36a55cad763e1d");
    assert_eq!(
        pin(made(&[]).side()).to_string(),
        "b3:68b42b281b7713059f25531f84ce61098d9ddeb1ecfc50498310582250124986"
    );
}

#[test]
fn every_sort_of_tampering_is_named() {
    const ONE: &str =
        ": all counts are as when pinned: bytes, labels, splits or names of single samples differ";
    let now = pets(|samples| samples[1].3 = 9);
    let (then, changed) = (ContentHash::of(&1_u32.to_le_bytes()), ContentHash::of(&9_u32.to_le_bytes()));
    let bytes =
        format!("train/cat/1.png: other bytes ({} when pinned, {} now)", then.short(), changed.short());
    check(&now, &[&bytes], &[ONE]);
    check(
        &pets(|samples| samples[1].1 = "dog"),
        &["train/cat/1.png: labelled \"cat\" when pinned, labelled \"dog\" now"],
        &[": class \"cat\": 3 when pinned, 2 now", ": class \"dog\": 2 when pinned, 3 now"],
    );
    check(
        &pets(|samples| samples[1].1 = ""),
        &["train/cat/1.png: labelled \"cat\" when pinned, without a label now"],
        &[": class \"cat\": 3 when pinned, 2 now", ": samples without a label: 0 when pinned, 1 now"],
    );
    check(
        &pets(|samples| samples[1].2 = "test"),
        &["train/cat/1.png: split \"train\" when pinned, split \"test\" now"],
        &[ONE],
    );
    check(
        &pets(|samples| samples[1].0 = "train/cat/0.png"),
        &["train/cat/0.png: is new, labelled \"cat\"", "train/cat/1.png: is no longer there"],
        &[ONE],
    );
    check(
        &pets(|samples| samples.push(("zebra/1.png", "zebra", "", 7))),
        &["zebra/1.png: is new, labelled \"zebra\""],
        &[": samples: 5 when pinned, 6 now", ": class \"zebra\": 0 when pinned, 1 now"],
    );
    check(
        &pets(|samples| {
            samples.remove(0);
        }),
        &["test/cat/3.png: is no longer there"],
        &[": samples: 5 when pinned, 4 now", ": class \"cat\": 3 when pinned, 2 now"],
    );
    check(
        &pets(|samples| samples[4].3 = 0),
        &["train/dog/5.png: can no longer be read"],
        &[": unreadable files: 0 when pinned, 1 now", "train/dog/5.png: cannot be read"],
    );
    // Two labels that change places leave every count as it was.
    check(
        &pets(|samples| (samples[1].1, samples[3].1) = ("dog", "cat")),
        &[
            "train/cat/1.png: labelled \"cat\" when pinned, labelled \"dog\" now",
            "train/dog/4.png: labelled \"dog\" when pinned, labelled \"cat\" now",
        ],
        &[ONE],
    );
}

#[test]
fn only_the_first_differences_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (then, now) = (made(PETS), pets(|samples| samples.iter_mut().for_each(|sample| sample.3 += 10)));
    let path = folder.path().join("list");
    write_samples(then.side(), &mut std::fs::File::create(&path).unwrap()).unwrap();
    let lock = LockFile::new(then.side(), DATE);
    let found = verify_samples(&lock, &path, now.side(), 2).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[2], Difference { key: String::new(), message: "3 more samples differ".to_owned() });
}

#[test]
fn the_source_s_own_spelling_is_pinned() {
    let pets = made(PETS);
    let mut mapped = pets.clone();
    let map = ClassMap::parse("cat = 'feline'").unwrap();
    mapped.dataset.version = Arc::new(map.apply(&pets.dataset.version));
    assert_eq!(pin(pets.side()), pin(mapped.side()));
    assert_eq!(LockFile::new(mapped.side(), DATE), LockFile::new(pets.side(), DATE));
}

#[test]
fn a_lock_file_reads_back() {
    let lock = LockFile::new(made(PETS).side(), DATE);
    let text = lock.render();
    assert_eq!(LockFile::parse(&text, Path::new("sparrowhawk.lock")).unwrap(), lock);
    for line in ["schema = 1", "samples = 5", "place = \"/data/päts\"", "revision = \"v1\"", "cat = 3", DATE]
    {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
}

fn refused(text: &str) -> String {
    let error = LockFile::parse(text, Path::new("some/sparrowhawk.lock")).expect_err(text);
    assert!(matches!(error, TrustError::BadLock { .. }));
    let message = error.to_string();
    assert!(message.ends_with("some/sparrowhawk.lock"), "{message}");
    message
}

#[test]
fn a_bad_lock_file_says_what_is_wrong() {
    let good = LockFile::new(made(PETS).side(), DATE).render();
    for (text, words) in [
        (String::new(), "`schema = 1` is missing"),
        ("[package]\nname = \"x\"".to_owned(), "`schema = 1` is missing"),
        ("no toml".to_owned(), "line 1"),
        (good.replace("schema = 1", "schema = 2"), "newer Sparrowhawk (schema 2"),
        (good.replace("b3:", "md5:"), "not a content hash"),
        (good.replace("cat = 3", "cat = -3"), "not a lock file"),
        (good.replace("cat = 3", "cat = 4"), "do not add up to 5 samples"),
        (
            good.replace("cat = 3", "cat = 9223372036854775807\ncow = 9223372036854775807\nape = 5"),
            "do not add up",
        ),
        (good.replace("pin = ", "pain = "), "pin"),
        (format!("{good}# {}", "x".repeat(33 << 20)), "at most"),
    ] {
        assert!(refused(&text).contains(words), "{words}: {}", refused(&text));
    }
}

#[test]
fn a_list_that_is_not_the_pinned_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparrowhawk.lock.samples");
    let then = made(PETS);
    let lock = LockFile::new(then.side(), DATE);
    let mut good = Vec::new();
    write_samples(then.side(), &mut good).unwrap();
    let good = String::from_utf8(good).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    for (text, words) in [
        // The label that was changed in the dataset is changed in the list as well.
        (good.replacen("\"cat\"", "\"dog\"", 1), "is not the one that was pinned"),
        (lines[1..].join("\n"), "is not the one that was pinned"),
        (String::new(), "is not the one that was pinned"),
        (format!("{good}{}", lines[4]), "line 6 of the list of samples is out of order"),
        (format!("{}\n{}", lines[1], lines[0]), "line 2 of the list of samples is out of order"),
        (good.replacen('{', "", 1), "line 1 of the list of samples makes no sense"),
        (good.replacen("b3:", "b4:", 1), "line 1 of the list of samples makes no sense"),
        (format!("{{\"key\":\"{}\"}}", "x".repeat(2 << 20)), "is longer than 1048576 bytes"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = verify_samples(&lock, &path, then.side(), 10).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    std::fs::write(&path, b"\xff\xfe").unwrap();
    assert!(verify_samples(&lock, &path, then.side(), 10).is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(verify_samples(&lock, &path, then.side(), 10), Err(TrustError::Io { .. })));
}

#[test]
fn the_list_lies_beside_the_lock() {
    assert_eq!(samples_path(Path::new("a/sparrowhawk.lock")), Path::new("a/sparrowhawk.lock.samples"));
    assert_eq!(samples_path(Path::new("x")), Path::new("x.samples"));
}

proptest! {
    #[test]
    fn names_of_any_letters_survive(keys in prop::collection::btree_set(any::<String>(), 0..6), label: String) {
        let samples: Vec<Sample<'_>> =
            keys.iter().enumerate().map(|(at, key)| (key.as_str(), label.as_str(), "s", at as u32)).collect();
        let then = made(&samples);
        prop_assert_eq!(differences(&then, &then), (Vec::new(), Vec::new()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = LockFile::parse(&text, Path::new("x"));
    }
}
