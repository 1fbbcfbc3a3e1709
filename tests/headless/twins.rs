//! Duplicates, leakage, outliers and image problems in small folders of drawings.

use std::collections::BTreeSet;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops;
use image::{Rgb, RgbImage};
use sparrowhawk::compare::{Side, VersionDiff, diff};
use sparrowhawk::detect::{Findings, Input, Options, Scan, find_duplicates, scan};
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint};
use sparrowhawk::model::{Group, GroupKind};
use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

/// A scene of overlapping discs and bars; the number makes it unlike all others.
fn scene(number: u32) -> RgbImage {
    let mut state = number.wrapping_mul(2_654_435_761) ^ 0x51ed_270b;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let mut picture =
        RgbImage::from_pixel(72, 60, Rgb([random(256), random(256), random(256)].map(|c| c as u8)));
    for _ in 0..14 {
        let (x, y, size) = (random(72) as i32, random(60) as i32, 4 + random(14) as i32);
        let colour = Rgb([random(256), random(256), random(256)].map(|c| c as u8));
        let bar = random(2) == 0;
        for (px, py, pixel) in picture.enumerate_pixels_mut() {
            let (dx, dy) = (px as i32 - x, py as i32 - y);
            if if bar { dx.abs() < size && dy.abs() < 4 } else { dx * dx + dy * dy < size * size } {
                *pixel = colour;
            }
        }
    }
    picture
}

fn save(folder: &Path, key: &str, picture: &RgbImage) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    if path.extension().is_some_and(|extension| extension == "jpg") {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(picture).unwrap();
        std::fs::write(path, bytes).unwrap();
    } else {
        picture.save(path).unwrap();
    }
}

struct Opened {
    dataset: Dataset,
    fingerprints: Fingerprints,
}

impl Opened {
    fn new(folder: &Path) -> Self {
        let dataset = source::open(&Place::parse(folder.to_str().unwrap()), &Task::new()).unwrap();
        let fingerprints = fingerprint(&dataset, &Cache::none(), false, &Task::new()).unwrap();
        Self { dataset, fingerprints }
    }

    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }

    fn key(&self, row: u32) -> &str {
        self.dataset.version.key(row as usize)
    }

    fn scan(&self, base: Option<(&Self, &VersionDiff)>, detector: &str) -> Scan {
        let (cache, options) = (Cache::none(), Options::default());
        let base = base.map(|(base, diff)| (base.side(), diff));
        let input =
            Input { target: self.side(), base, cache: &cache, seed: 1, options: &options, earlier: &[] };
        scan(&input, &[detector.to_owned()], &Task::new()).unwrap()
    }

    /// (kind, keys in order) of a group.
    fn named(&self, group: &Group) -> (GroupKind, Vec<&str>) {
        let mut keys: Vec<&str> = group.members.iter().map(|member| self.key(member.row)).collect();
        keys.sort_unstable();
        (group.kind, keys)
    }
}

fn boxed(picture: &RgbImage) -> RgbImage {
    let mut picture = picture.clone();
    for (x, y) in (0..9).flat_map(|y| (0..9).map(move |x| (x, y))) {
        picture.put_pixel(x + 8, y + 8, Rgb([250, 20, if x > y { 200 } else { 20 }]));
    }
    picture
}

fn cut(picture: &RgbImage) -> RgbImage {
    imageops::crop_imm(picture, 5, 3, 62, 52).to_image()
}

/// Twenty scenes, of which some are there again: as they were, encoded otherwise, with a box, cut.
fn with_copies(folder: &Path) {
    for number in 0..20 {
        save(folder, &format!("a/{number:02}.png"), &scene(number));
    }
    std::fs::copy(folder.join("a/00.png"), folder.join("a/00-copy.png")).unwrap();
    save(folder, "a/01-pixels.bmp", &scene(1));
    save(folder, "a/02-encoded.jpg", &scene(2));
    save(folder, "b/03-box.png", &boxed(&scene(3)));
    save(folder, "b/04-cut.png", &cut(&scene(4)));
    save(folder, "b/05-copy.png", &scene(5));
}

#[test]
fn each_kind_of_copy_is_found_and_only_other_labels_alarm() {
    let folder = tempfile::tempdir().unwrap();
    with_copies(folder.path());
    let opened = Opened::new(folder.path());
    let found = opened.scan(None, "duplicate");
    let mut groups: Vec<_> = found.groups.iter().map(|group| opened.named(group)).collect();
    groups.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(
        groups,
        [
            (GroupKind::Exact, vec!["a/00-copy.png", "a/00.png"]),
            (GroupKind::Exact, vec!["a/01-pixels.bmp", "a/01.png"]),
            (GroupKind::ReEncoded, vec!["a/02-encoded.jpg", "a/02.png"]),
            (GroupKind::Near, vec!["a/03.png", "b/03-box.png"]),
            (GroupKind::Near, vec!["a/04.png", "b/04-cut.png"]),
            (GroupKind::Exact, vec!["a/05.png", "b/05-copy.png"]),
        ]
    );
    assert!(found.groups[..3].iter().all(|group| group.labels_differ), "those that matter come first");
    assert!(found.groups[3..].iter().all(|group| !group.matters()));
    let mut alarmed: Vec<&str> = found.ranking.iter().map(|ranked| opened.key(ranked.row)).collect();
    alarmed.sort_unstable();
    assert_eq!(
        alarmed,
        ["a/03.png", "a/04.png", "a/05.png", "b/03-box.png", "b/04-cut.png", "b/05-copy.png"]
    );
    let first = &found.ranking[0].signals[0];
    assert!(first.alarm && first.score > 0.9, "{first:?}");
    assert!(first.reason.starts_with("The same picture is labelled "), "{}", first.reason);
    let pools = [1, 3].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    let [one, three] = pools.map(|pool| pool.install(|| opened.scan(None, "duplicate").groups));
    assert_eq!(one, three);
}

#[test]
fn copies_in_two_splits_leak() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..8 {
        save(folder.path(), &format!("train/a/{number}.png"), &scene(number));
        save(folder.path(), &format!("test/a/{number}.png"), &scene(100 + number));
    }
    save(folder.path(), "test/a/leak.jpg", &scene(3));
    save(folder.path(), "train/a/harmless.png", &scene(5));
    let opened = Opened::new(folder.path());
    let found = opened.scan(None, "duplicate");
    assert_eq!(found.groups.len(), 2);
    assert_eq!(found.groups[0].splits, ["test", "train"]);
    let keys: BTreeSet<&str> = found.ranking.iter().map(|ranked| opened.key(ranked.row)).collect();
    assert_eq!(keys, BTreeSet::from(["test/a/leak.jpg", "train/a/3.png"]));
    let reason = &found.ranking[0].signals[0].reason;
    assert!(reason.contains("is also in split "), "{reason}");
}

#[test]
fn with_a_base_only_what_was_contributed_is_told() {
    let (base, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [base.path(), fork.path()] {
        (0..10).for_each(|number| save(folder, &format!("a/{number}.png"), &scene(number)));
        save(folder, "b/old-copy.png", &scene(1));
    }
    save(fork.path(), "b/new-copy.jpg", &scene(7));
    save(fork.path(), "b/new.png", &scene(50));
    let (base, fork) = (Opened::new(base.path()), Opened::new(fork.path()));
    let changes = diff(base.side(), fork.side(), &Cache::none(), &Task::new()).unwrap();
    let found = fork.scan(Some((&base, &changes)), "duplicate");
    let [group] = &found.groups[..] else { panic!("one group: {:?}", found.groups) };
    assert!(group.labels_differ && group.kind == GroupKind::ReEncoded);
    let members: Vec<(bool, &str)> = group
        .members
        .iter()
        .map(|member| (member.in_base, if member.in_base { &base } else { &fork }.key(member.row)))
        .collect();
    assert_eq!(members, [(true, "a/7.png"), (false, "b/new-copy.jpg")]);
    let [ranked] = &found.ranking[..] else { panic!("one signal") };
    assert_eq!(fork.key(ranked.row), "b/new-copy.jpg");
    assert!(ranked.signals[0].reason.contains("labelled a in a/7.png (base)"), "{:?}", ranked.signals);
}

#[test]
fn what_shows_a_picture_of_the_golden_set_is_told() {
    let folder = tempfile::tempdir().unwrap();
    (0..10).for_each(|number| save(folder.path(), &format!("a/{number}.png"), &scene(number)));
    save(folder.path(), "a/again.jpg", &scene(2));
    let opened = Opened::new(folder.path());
    let golden_row = opened.dataset.version.row_of("a/2.png").unwrap();
    let golden = BTreeSet::from([opened.fingerprints.hashes[golden_row].unwrap()]);
    let (cache, options) = (Cache::none(), Options::default());
    let input =
        Input { target: opened.side(), base: None, cache: &cache, seed: 1, options: &options, earlier: &[] };
    let Findings { groups, signals, .. } = find_duplicates(&input, &golden, &Task::new()).unwrap();
    assert!(groups.len() == 1 && groups[0].golden);
    let keys: Vec<&str> = signals.iter().map(|signal| opened.key(signal.row)).collect();
    assert_eq!(keys, ["a/again.jpg"], "not the golden sample itself");
}

#[test]
fn pictures_of_nothing_are_one_group_or_none() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..25_u32 {
        let place = (number % 20, number / 20);
        let mut black = RgbImage::new(20, 20);
        black.put_pixel(place.0, place.1, Rgb([90, 90, 90]));
        save(folder.path(), &format!("black/{number}.png"), &black);
        let colour = Rgb([number as u8 * 4, 255 - number as u8 * 4, 0]);
        save(folder.path(), &format!("flat/{number}.png"), &RgbImage::from_pixel(20, 20, colour));
        save(folder.path(), &format!("dot/{number}.png"), &RgbImage::from_pixel(1, 1, colour));
    }
    save(folder.path(), "strip/1.png", &RgbImage::from_pixel(2000, 1, Rgb([1, 2, 3])));
    save(folder.path(), "strip/2.png", &RgbImage::from_pixel(1, 2000, Rgb([1, 2, 3])));
    std::fs::write(folder.path().join("dot/empty.png"), b"").unwrap();
    std::fs::write(folder.path().join("dot/empty2.png"), b"").unwrap();
    let opened = Opened::new(folder.path());
    for detector in ["duplicate", "outlier", "image-problem"] {
        let found = opened.scan(None, detector);
        assert!(!found.runs[0].note.is_empty());
        let scores = found.ranking.iter().flat_map(|ranked| &ranked.signals).map(|signal| signal.score);
        assert!(scores.into_iter().all(|score| (0.0..=1.0).contains(&score)), "{detector}");
    }
}

#[test]
fn what_is_unlike_all_others_is_an_outlier() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..55_u32 {
        let stripes = RgbImage::from_fn(40, 40, |x, y| {
            let noise = (x * 7 + y * 13 + number * 29) % 17;
            Rgb([if (x + number) / 5 % 2 == 0 { 200 } else { 60 } + noise as u8, 90, 40 + noise as u8])
        });
        save(folder.path(), &format!("a/{number:02}.png"), &stripes);
    }
    save(folder.path(), "a/strange.png", &scene(4));
    let opened = Opened::new(folder.path());
    let found = opened.scan(None, "outlier");
    assert_eq!(opened.key(found.ranking[0].row), "a/strange.png");
    assert!(found.ranking.len() <= 5 && !found.alarm(), "{}", found.runs[0].note);
    assert_eq!(found.ranking[0].signals[0].neighbors.len(), 10);
}

#[test]
fn poor_pictures_are_listed_and_what_most_have_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..24 {
        save(folder.path(), &format!("a/{number:02}.png"), &scene(number));
    }
    let dark = RgbImage::from_fn(72, 60, |x, y| Rgb(scene(3).get_pixel(x, y).0.map(|c| c / 12)));
    save(folder.path(), "a/dark.png", &dark);
    save(folder.path(), "a/flat.png", &RgbImage::from_pixel(72, 60, Rgb([250, 252, 255])));
    save(folder.path(), "a/long.png", &imageops::crop_imm(&scene(9), 0, 0, 72, 12).to_image());
    let opened = Opened::new(folder.path());
    let found = opened.scan(None, "image-problem");
    let reason = |key: &str| {
        let of = |row: u32| opened.key(row) == key;
        found.ranking.iter().find(|ranked| of(ranked.row)).map(|ranked| ranked.signals[0].reason.clone())
    };
    assert!(
        reason("a/dark.png").is_some_and(|why| why.contains("dark (99 % of it below")),
        "{:?}",
        reason("a/dark.png")
    );
    let flat = reason("a/flat.png").unwrap();
    assert!(flat.contains("bright (") && flat.contains("low information ("), "{flat}");
    assert!(reason("a/long.png").is_some_and(|why| why.contains("odd aspect (72 × 12)")));
    assert!(!found.alarm());

    // Half the pictures grey: that is how this dataset is.
    for number in 0..24 {
        let grey = imageops::grayscale(&scene(number));
        grey.save(folder.path().join(format!("a/{number:02}-grey.png"))).unwrap();
    }
    let found = Opened::new(folder.path()).scan(None, "image-problem");
    let note = &found.runs[0].note;
    assert!(note.contains("of all pictures are greyscale, which is therefore not listed"), "{note}");
    assert!(found.ranking.iter().all(|ranked| !ranked.signals[0].reason.contains("greyscale")));
}
