//! Detectors on real pictures.

use std::collections::HashMap;
use std::path::Path;

use image::{Rgb, RgbImage};
use sparrowhawk::compare::{Side, VersionDiff};
use sparrowhawk::detect::{DetectError, Input, Options, Scan, scan};
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint};
use sparrowhawk::model::{Change, ChangeKind, Signal, WarningKind};
use sparrowhawk::source::{self, Dataset, ListOptions, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

const CLASSES: [&str; 3] = ["disc", "lying", "standing"];

/// A noisy drawing: a disc, or stripes that lie or stand, in any colours; the number makes it differ from all others.
fn draw(class: &str, number: u32) -> RgbImage {
    let mut state = number.wrapping_mul(2_654_435_761) ^ 0x9e37_79b9;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let colour = [random(200), random(200), random(200)];
    let (centre_x, centre_y, phase) = (24 + random(16) as i32, 24 + random(16) as i32, random(12));
    RgbImage::from_fn(64, 64, |x, y| {
        let (dx, dy) = (x as i32 - centre_x, y as i32 - centre_y);
        let inside = match class {
            "disc" => dx * dx + dy * dy < 300,
            "lying" => (y + phase) / 6 % 2 == 0,
            _ => (x + phase) / 6 % 2 == 0,
        };
        Rgb(colour.map(|c| (c + if inside { 30 } else { 0 } + random(26)) as u8))
    })
}

/// Writes `label/number.png`, drawn as `class`.
fn place(folder: &Path, label: &str, class: &str, number: u32) {
    let folder = folder.join(label);
    std::fs::create_dir_all(&folder).unwrap();
    draw(class, number).save(folder.join(format!("{number:04}.png"))).unwrap();
}

/// Each class with this many drawings of its own.
fn place_all(folder: &Path, each: u32) {
    for (at, class) in CLASSES.iter().enumerate() {
        (0..each).for_each(|number| place(folder, class, class, at as u32 * 1000 + number));
    }
}

struct Opened {
    dataset: Dataset,
    fingerprints: Fingerprints,
}

impl Opened {
    fn new(place: &Place) -> Self {
        let dataset = source::open(place, &Task::new()).unwrap();
        let fingerprints = fingerprint(&dataset, &Cache::none(), false, &Task::new()).unwrap();
        Self { dataset, fingerprints }
    }

    fn folder(path: &Path) -> Self {
        Self::new(&Place::parse(path.to_str().unwrap()))
    }

    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }

    fn scan(&self, base: Option<(&Self, &VersionDiff)>, cache: &Cache) -> Scan {
        let base = base.map(|(base, diff)| (base.side(), diff));
        let input =
            Input { target: self.side(), base, cache, seed: 7, options: &Options::default(), earlier: &[] };
        scan(&input, &["label-error".to_owned()], &Task::new()).unwrap()
    }

    fn key(&self, row: u32) -> &str {
        self.dataset.version.key(row as usize)
    }

    /// What changed, as far as these tests change things: by content, all else is added.
    fn since(&self, base: &Self) -> VersionDiff {
        let rows_of: HashMap<_, u32> = base.fingerprints.hashes.iter().zip(0..).collect();
        let (mut diff, version) = (VersionDiff::default(), &self.dataset.version);
        for (row, hash) in self.fingerprints.hashes.iter().enumerate() {
            let base_row = rows_of.get(hash).copied();
            let same =
                |row_of_base: u32| base.dataset.version.label(row_of_base as usize) == version.label(row);
            let kind = match base_row {
                Some(base_row) if same(base_row) => None,
                Some(_) => Some(ChangeKind::Relabelled),
                None => Some(ChangeKind::Added),
            };
            diff.counterparts.push(base_row);
            diff.change_of_row.push(kind.map(|_| diff.changes.len() as u32));
            let row = Some(row as u32);
            diff.changes.extend(kind.map(|kind| Change {
                kind,
                also: vec![],
                row,
                base_row,
                changed_box: None,
            }));
        }
        diff
    }
}

#[test]
fn wrong_labels_come_first_with_a_suggestion_and_evidence() {
    let folder = tempfile::tempdir().unwrap();
    place_all(folder.path(), 40);
    for (label, class, number) in [("disc", "lying", 91), ("lying", "standing", 92), ("standing", "disc", 93)]
    {
        place(folder.path(), label, class, number);
    }
    (0..3).for_each(|number| place(folder.path(), "rare", "disc", 3000 + number));
    std::fs::write(folder.path().join("disc/broken.png"), b"no picture").unwrap();
    let opened = Opened::folder(folder.path());
    let found = opened.scan(None, &Cache::none());

    assert_eq!(found.ranking.len(), 123, "every readable picture of a class that can be judged");
    let mut first: Vec<&str> = found.ranking[..3].iter().map(|ranked| opened.key(ranked.row)).collect();
    first.sort_unstable();
    assert_eq!(first, ["disc/0091.png", "lying/0092.png", "standing/0093.png"]);
    for ranked in &found.ranking[..3] {
        let [signal] = &ranked.signals[..] else { panic!("one detector, one signal") };
        let expected = match opened.key(ranked.row) {
            "disc/0091.png" => "lying",
            "lying/0092.png" => "standing",
            _ => "disc",
        };
        let suggested = signal.suggested.as_ref().expect("another class");
        assert_eq!(suggested.label, expected);
        assert!(
            signal.alarm && signal.score > 0.5 && (ranked.suspicion - 0.9 * signal.score).abs() < 1e-9,
            "{signal:?}"
        );
        assert_eq!(signal.neighbors.len(), 10);
        assert!(signal.neighbors.iter().all(|near| !near.in_base && near.row != signal.row));
        assert!(signal.probabilities.len() == 4 && signal.probabilities[0] == *suggested);
        assert!(signal.reason.starts_with(&format!("Looks like {expected} (")), "{}", signal.reason);
        assert!(signal.reason.contains(&format!(" of its 10 nearest pictures are {expected}")));
    }
    let last = found.ranking.last().unwrap();
    assert!(!last.signals[0].alarm && last.signals[0].suggested.is_none());
    assert!(last.signals[0].reason.contains(", as labelled; "), "{}", last.signals[0].reason);
    let kinds: Vec<_> = found.warnings.iter().map(|w| (w.key.as_str(), w.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("disc/broken.png", WarningKind::Unreadable),
            ("rare/3000.png", WarningKind::TooFew),
            ("rare/3001.png", WarningKind::TooFew),
            ("rare/3002.png", WarningKind::TooFew),
        ]
    );
    assert!(found.runs[0].note.contains("of 126 pictures"), "{}", found.runs[0].note);
}

#[test]
fn the_same_findings_for_any_number_of_threads_and_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    place_all(folder.path(), 20);
    place(folder.path(), "disc", "lying", 91);
    let opened = Opened::folder(folder.path());
    let cache_folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(cache_folder.path());
    let on = |threads: usize, cache: &Cache| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| opened.scan(None, cache).ranking)
    };
    let alone = on(1, &Cache::none());
    assert_eq!(alone, on(3, &cache));
    assert_eq!(alone, on(2, &cache));
}

#[test]
fn one_class_is_not_judged_and_the_note_says_why() {
    let folder = tempfile::tempdir().unwrap();
    (0..20).for_each(|number| place(folder.path(), "disc", "disc", number));
    (0..4).for_each(|number| place(folder.path(), "lying", "lying", 100 + number));
    let found = Opened::folder(folder.path()).scan(None, &Cache::none());
    assert!(found.ranking.is_empty() && !found.alarm());
    assert!(found.runs[0].note.contains("at least 2 classes"), "{}", found.runs[0].note);
}

#[test]
fn a_cancelled_scan_says_so() {
    let folder = tempfile::tempdir().unwrap();
    place_all(folder.path(), 6);
    let opened = Opened::folder(folder.path());
    let task = Task::new();
    task.cancel();
    let cache = Cache::none();
    let input = Input {
        target: opened.side(),
        base: None,
        cache: &cache,
        seed: 0,
        options: &Options::default(),
        earlier: &[],
    };
    assert!(scan(&input, &[], &task).is_err());
    let unknown = scan(&input, &["label-errors".to_owned()], &Task::new());
    assert!(matches!(unknown, Err(DetectError::Unknown { .. })));
}

#[test]
fn with_a_base_only_changes_are_judged_and_only_the_base_teaches() {
    let (base, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    place_all(base.path(), 40);
    place(base.path(), "lying", "disc", 900); // wrong in the base
    place_all(fork.path(), 40);
    place(fork.path(), "disc", "disc", 900); // put right
    std::fs::rename(fork.path().join("disc/0007.png"), fork.path().join("standing/0007.png")).unwrap(); // put wrong
    place(fork.path(), "disc", "disc", 901);
    place(fork.path(), "disc", "standing", 902); // added with a wrong label
    // The contribution brings many pictures with one wrong label; it must not learn from itself.
    (0..60).for_each(|number| place(fork.path(), "lying", "standing", 4000 + number));
    (0..6).for_each(|number| place(fork.path(), "spiral", "disc", 5000 + number));
    let (base, fork) = (Opened::folder(base.path()), Opened::folder(fork.path()));
    let diff = fork.since(&base);
    let found = fork.scan(Some((&base, &diff)), &Cache::none());

    let signal = |key: &str| -> &Signal {
        let ranked = found.ranking.iter().find(|ranked| fork.key(ranked.row) == key);
        &ranked.unwrap_or_else(|| panic!("{key} is judged")).signals[0]
    };
    assert_eq!(found.ranking.len(), 4 + 60);
    for (key, class) in [("standing/0007.png", "disc"), ("disc/0902.png", "standing")] {
        let signal = signal(key);
        assert_eq!(signal.suggested.as_ref().map(|s| s.label.as_str()), Some(class), "{key}");
        assert!(signal.score > 0.9 && signal.reason.contains("nearest pictures in the base"), "{signal:?}");
    }
    let blamed = (0..60).filter(|n| signal(&format!("lying/{}.png", 4000 + n)).score > 0.5).count();
    assert!(blamed >= 57, "{blamed} of 60");
    let flagged = found.ranking.iter().filter(|ranked| ranked.signals[0].alarm).count();
    assert!((50..=62).contains(&flagged), "{flagged} of 64 flagged, 62 are wrong");
    for key in ["disc/0900.png", "disc/0901.png"] {
        assert!(!signal(key).alarm && signal(key).suggested.is_none(), "{key}: {}", signal(key).reason);
    }
    // The base's own picture of the moved one does not vouch for it.
    let twin = base.dataset.version.row_of("disc/0007.png").unwrap() as u32;
    assert!(signal("standing/0007.png").neighbors.iter().all(|near| near.in_base && near.row != twin));
    let new: Vec<_> = found.warnings.iter().map(|w| w.kind).collect();
    assert_eq!(new, [WarningKind::NewClass; 6]);
}

/// The area under the ROC curve of suspicion for "the label is wrong", and the average precision.
fn quality(scan: &Scan, wrong: impl Fn(u32) -> bool) -> (f64, f64) {
    let (mut right_below, mut wins, mut found, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for ranked in scan.ranking.iter().rev() {
        if wrong(ranked.row) { wins += right_below } else { right_below += 1.0 }
    }
    for (at, ranked) in scan.ranking.iter().enumerate() {
        if wrong(ranked.row) {
            found += 1.0;
            precision += found / (at + 1) as f64;
        }
    }
    (wins / (right_below * found), precision / found)
}

#[test]
fn human_label_noise_is_found_in_small_pictures() {
    let Some(folder) = shared_data("cifar10n") else { return };
    let list = std::fs::read_to_string(folder.join("labels.csv")).unwrap();
    let answers = std::fs::read_to_string(folder.join("answers.csv")).unwrap();
    let own = tempfile::tempdir().unwrap();
    let part: Vec<&str> = list.lines().take(1 + 500).collect();
    std::fs::write(own.path().join("labels.csv"), part.join("\n")).unwrap();
    let opened = Opened::new(&Place {
        path: own.path().join("labels.csv"),
        kind: Some("list".into()),
        list: ListOptions {
            path_column: Some("path".into()),
            label_column: Some("aggregate".into()),
            root: Some(folder),
            ..ListOptions::default()
        },
    });
    let truth: HashMap<&str, &str> = answers.lines().filter_map(|line| line.split_once(',')).collect();
    let found = opened.scan(None, &Cache::none());
    let version = &opened.dataset.version;
    let wrong = |row: u32| Some(truth[opened.key(row)]) != version.label(row as usize);
    let (auroc, precision) = quality(&found, wrong);
    println!("500 of CIFAR-10N: AUROC {auroc:.3}, AP {precision:.3}, {:.1} s", found.runs[0].seconds);
    assert_eq!(found.ranking.len(), 500);
    assert!(auroc > 0.68 && precision > 0.15, "AUROC {auroc}, AP {precision}; measured .735 and .210");
}
