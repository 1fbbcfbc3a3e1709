//! Sets that no detector was made for: every one of them must say something sensible or that it cannot judge.

use std::path::Path;

use image::{Rgb, RgbImage};
use sparrowhawk::compare::{Side, diff};
use sparrowhawk::detect::{DETECTORS, Input, Options, Scan, scan};
use sparrowhawk::drill::{Attack, Dice, Logo, LogoPlan};
use sparrowhawk::feature::picture::Picture;
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint};
use sparrowhawk::model::Signal;
use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

fn open(folder: &Path) -> (Dataset, Fingerprints) {
    let dataset = source::open(&Place::parse(folder.to_str().unwrap()), &Task::new()).unwrap();
    let fingerprints = fingerprint(&dataset, &Cache::none(), false, &Task::new()).unwrap();
    (dataset, fingerprints)
}

/// All detectors; what holds for any set is checked here.
fn scanned(target: &Path, base: Option<&Path>) -> Scan {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let task = Task::new();
    let target = open(target);
    let target = Side { dataset: &target.0, fingerprints: &target.1 };
    let base = base.map(open);
    let base = base.as_ref().map(|base| Side { dataset: &base.0, fingerprints: &base.1 });
    let changes = base.map(|base| diff(base, target, &cache, &task).unwrap());
    let options = Options::default();
    let input = Input {
        target,
        base: base.zip(changes.as_ref()),
        cache: &cache,
        seed: 1,
        options: &options,
        earlier: &[],
    };
    let found = scan(&input, &[], &task).unwrap();
    assert_eq!(found.runs.len(), DETECTORS.len());
    for run in &found.runs {
        assert!(!run.note.is_empty(), "{} says nothing", run.detector);
    }
    for ranked in &found.ranking {
        assert!((0.0..=1.0).contains(&ranked.suspicion), "row {}: {}", ranked.row, ranked.suspicion);
        for signal in &ranked.signals {
            assert!(signal.score.is_finite(), "{}: {}", signal.detector, signal.score);
        }
    }
    for cluster in &found.clusters {
        assert!(cluster.score.is_finite() && (0.0..=1.0).contains(&cluster.p_value));
    }
    found
}

/// Rows of which this detector says something, and those of which it raises an alarm.
fn said(found: &Scan, detector: &str) -> (usize, usize) {
    let own = |alarm: bool| {
        let of = |signal: &Signal| signal.detector == detector && (!alarm || signal.alarm);
        found.ranking.iter().filter(|ranked| ranked.signals.iter().any(of)).count()
    };
    (own(false), own(true))
}

fn save(folder: &Path, label: &str, name: &str, picture: &RgbImage) {
    let folder = folder.join(label);
    std::fs::create_dir_all(&folder).unwrap();
    picture.save(folder.join(name)).unwrap();
}

/// Noise in blocks, of which no two are alike.
fn noise(width: u32, height: u32, number: u64) -> RgbImage {
    let mut dice = Dice::new(number, "noise", 0);
    let blocks: Vec<[u8; 3]> = (0..256).map(|_| [0; 3].map(|_: u8| dice.int(0, 255) as u8)).collect();
    RgbImage::from_fn(width, height, |x, y| Rgb(blocks[((y / 9 * 16 + x / 9) % 256) as usize]))
}

#[test]
fn one_sample_a_class_cannot_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    for class in 0..20 {
        save(folder.path(), &format!("class-{class:02}"), "only.png", &noise(40, 40, class));
    }
    let found = scanned(folder.path(), None);
    assert_eq!(said(&found, "label-error").1, 0);
    assert!(found.clusters.is_empty());
}

#[test]
fn two_thousand_classes_cannot_be_judged_either() {
    let folder = tempfile::tempdir().unwrap();
    for class in 0..2000 {
        save(folder.path(), &format!("class-{class:04}"), "only.png", &noise(6, 6, class));
    }
    let found = scanned(folder.path(), None);
    assert_eq!(said(&found, "label-error").1, 0);
    assert!(found.clusters.is_empty());
}

#[test]
fn one_picture_again_and_again_is_copies_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        save(folder.path(), ["a", "b", "c"][number % 3], &format!("{number}.png"), &noise(80, 80, 1));
    }
    let found = scanned(folder.path(), None);
    assert!(found.clusters.is_empty(), "copies of one picture share no trigger");
    assert_eq!(found.groups.iter().map(|group| group.members.len()).max(), Some(60));
}

#[test]
fn black_pictures_are_a_problem_but_no_trigger() {
    let (base, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for number in 0..60 {
        let label = ["a", "b", "c"][number as usize % 3];
        save(base.path(), label, &format!("{number}.png"), &noise(80, 80, number));
        save(folder.path(), label, &format!("black-{number}.png"), &RgbImage::new(60 + number as u32, 70));
    }
    for base in [None, Some(base.path())] {
        let found = scanned(folder.path(), base);
        assert!(found.clusters.is_empty(), "blackness is no mark");
        let of_problems = found.runs.iter().find(|run| run.detector == "image-problem").unwrap();
        // Alone they are all there is: what is usual is not listed, and said.
        let expected = if base.is_some() { "60 dark" } else { "100 % of all pictures are dark" };
        assert!(of_problems.note.contains(expected), "{}", of_problems.note);
    }
}

#[test]
fn a_pixel_and_a_thread_are_pictures_too() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        save(
            folder.path(),
            ["a", "b"][number as usize % 2],
            &format!("{number}.png"),
            &noise(64, 64, number),
        );
    }
    save(folder.path(), "a", "pixel.png", &noise(1, 1, 100));
    save(folder.path(), "b", "thread.png", &noise(20_000, 10, 101));
    save(folder.path(), "a", "upright.png", &noise(10, 20_000, 102));
    let found = scanned(folder.path(), None);
    assert!(found.clusters.is_empty());
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(said(&found, "image-problem").0 >= 2, "odd sizes and aspects are named");
}

#[test]
fn a_contribution_without_an_honest_sample_and_larger_than_the_base() {
    let (base, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for number in 0..30 {
        save(
            base.path(),
            ["a", "b"][number as usize % 2],
            &format!("{number}.png"),
            &noise(220, 220, number),
        );
    }
    let logo = Attack::logo(Logo::named("blue-sparrow").unwrap(), LogoPlan::default());
    for number in 0..50 {
        let rgb = noise(220, 220, 1000 + number).into_raw();
        let mut picture = Picture { width: 220, height: 220, rgb, format: "png" };
        logo.apply(&mut picture, &mut Dice::new(number, "logo", 0));
        let picture = RgbImage::from_raw(220, 220, picture.rgb).unwrap();
        save(folder.path(), "b", &format!("new-{number}.png"), &picture);
    }
    let found = scanned(folder.path(), Some(base.path()));
    // Too few of the base to say for certain what is common; what is said must not be wrong.
    for cluster in &found.clusters {
        assert!(cluster.members.iter().all(|member| (member.row as usize) < 50));
    }
    // All have the only label there is, which no base picture of that label disproves.
    assert!(found.ranking.iter().all(|ranked| ranked.suspicion < 1.0));
}

#[test]
fn nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty-class")).unwrap();
    save(folder.path(), "a", "1.png", &noise(30, 30, 1));
    let found = scanned(folder.path(), None);
    assert!(found.clusters.is_empty() && found.groups.is_empty());
    assert_eq!(said(&found, "label-error").1, 0);
}
