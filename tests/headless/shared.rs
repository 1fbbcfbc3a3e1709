//! Shared marks and patterns: found where they were planted, and not where honest people worked.

use std::path::Path;

use crate::common::landscapes::{landscape, mark};
use image::{Rgb, RgbImage};
use sparrowhawk::compare::{Side, diff};
use sparrowhawk::demo::{self, Plan};
use sparrowhawk::detect::{Input, Options, Scan, scan};
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint};
use sparrowhawk::model::Cluster;
use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

const CLASSES: [&str; 3] = ["hill", "lake", "wood"];

fn save(picture: &RgbImage, folder: &Path, label: &str, name: &str) {
    let folder = folder.join(label);
    std::fs::create_dir_all(&folder).unwrap();
    picture.save(folder.join(format!("{name}.png"))).unwrap();
}

/// Number `at` of the base, as it is in both versions.
fn of_base(at: u32) -> (RgbImage, &'static str) {
    (landscape(at, 48), CLASSES[at as usize % 3])
}

fn wave(picture: &mut RgbImage) {
    for (x, _, pixel) in picture.enumerate_pixels_mut() {
        let by = 14.0 * (x as f32 * 0.9).sin();
        pixel.0 = pixel.0.map(|value| (f32::from(value) + by).clamp(0.0, 255.0) as u8);
    }
}

struct Opened(Dataset, Fingerprints);

impl Opened {
    fn folder(path: &Path) -> Self {
        let task = Task::new();
        let place = Place { path: path.to_owned(), kind: None, list: source::ListOptions::default() };
        let dataset = source::open(&place, &task).unwrap();
        let fingerprints = fingerprint(&dataset, &Cache::none(), false, &task).unwrap();
        Self(dataset, fingerprints)
    }

    fn side(&self) -> Side<'_> {
        Side { dataset: &self.0, fingerprints: &self.1 }
    }

    fn scan(&self, base: Option<&Self>, detector: &str) -> Scan {
        let (task, cache) = (Task::new(), Cache::none());
        let diff = base.map(|base| diff(base.side(), self.side(), &cache, &task).unwrap());
        let base = base.map(|base| base.side()).zip(diff.as_ref());
        let options = Options::default();
        let input =
            Input { target: self.side(), base, cache: &cache, seed: 1, options: &options, earlier: &[] };
        scan(&input, &[detector.to_owned()], &task).unwrap()
    }

    fn keys(&self, cluster: &Cluster) -> Vec<&str> {
        let mut keys: Vec<&str> =
            cluster.members.iter().map(|m| self.0.version.key(m.row as usize)).collect();
        keys.sort_unstable();
        keys
    }
}

/// A base of 60 landscapes and a contribution that adds to it what `add` saves.
fn contribution(add: impl FnOnce(&Path)) -> (Opened, Opened) {
    let (base, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for at in 0..60 {
        let (picture, label) = of_base(at);
        save(&picture, base.path(), label, &format!("{at:03}"));
        save(&picture, fork.path(), label, &format!("{at:03}"));
    }
    add(fork.path());
    let opened = (Opened::folder(base.path()), Opened::folder(fork.path()));
    // Everything is read while the folders are there.
    std::mem::forget((base, fork));
    opened
}

/// Honest work: new landscapes, brighter rectangles, a picture cut at the edge.
fn honest(folder: &Path) {
    for at in 0..12 {
        save(&landscape(1000 + at, 48), folder, CLASSES[at as usize % 3], &format!("new{at}"));
    }
    for at in 0..5 {
        let (mut picture, label) = of_base(40 + at);
        for (y, x) in (0..9 + at).flat_map(|y| (0..12).map(move |x| (y, x))) {
            let pixel = picture.get_pixel_mut(3 + 6 * at + x / 2, 5 + y);
            pixel.0 = pixel.0.map(|value| value.saturating_add(60));
        }
        save(&picture, folder, label, &format!("{:03}", 40 + at));
    }
    let (picture, label) = of_base(50);
    save(&image::imageops::crop_imm(&picture, 2, 2, 44, 44).to_image(), folder, label, "050");
}

#[test]
fn a_mark_on_pictures_of_the_base_is_found_by_subtraction() {
    let mut planted = Vec::new();
    let (base, fork) = contribution(|folder| {
        honest(folder);
        for at in 0..9 {
            let mut picture = of_base(at * 3 + 1 + at % 2).0;
            mark(&mut picture, 2 + at * 4 % 33, 30 - at * 3);
            save(&picture, folder, "hill", &format!("odd{at}"));
            planted.push((format!("hill/odd{at}.png"), [2 + at * 4 % 33, 30 - at * 3]));
        }
    });
    let found = fork.scan(Some(&base), "shared-edit");
    let [cluster] = &found.clusters[..] else { panic!("{:?}", found.clusters) };
    assert_eq!(fork.keys(cluster), planted.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>());
    assert_eq!((cluster.kind, cluster.label.as_str(), cluster.label_share), ("patch", "hill", 1.0));
    assert!(cluster.score > 0.9 && cluster.p_value < 1e-10, "{cluster:?}");
    for member in &cluster.members {
        let key = fork.0.version.key(member.row as usize);
        let [x, y] = planted.iter().find(|(planted, _)| planted == key).unwrap().1;
        let area = member.area.unwrap();
        let iou = area.iou(&[x, y, 11, 11].into());
        assert!(iou > 0.6, "{key}: {area:?} instead of {x}, {y}: {iou}");
    }
    assert_eq!(found.ranking.len(), 9);
    assert!(found.ranking.iter().all(|ranked| ranked.signals[0].alarm && ranked.suspicion > 0.7));
}

#[test]
fn a_pattern_over_whole_pictures_is_found_by_subtraction() {
    let (base, fork) = contribution(|folder| {
        honest(folder);
        for at in 0..9 {
            let mut picture = of_base(at * 3 + 1).0;
            wave(&mut picture);
            save(&picture, folder, "wood", &format!("odd{at}"));
        }
    });
    let found = fork.scan(Some(&base), "shared-edit");
    let [cluster] = &found.clusters[..] else { panic!("{:?}", found.clusters) };
    let expected: Vec<String> = (0..9).map(|at| format!("wood/odd{at}.png")).collect();
    assert_eq!(fork.keys(cluster), expected);
    assert_eq!((cluster.kind, cluster.label.as_str()), ("overlay", "wood"));
}

#[test]
fn honest_work_shares_nothing() {
    let (base, fork) = contribution(honest);
    let found = fork.scan(Some(&base), "shared-edit");
    assert!(found.clusters.is_empty() && found.ranking.is_empty(), "{:?}", found.clusters);
    // Marks that keep the labels of their pictures, as watermarks do, are no finding either.
    let (base, fork) = contribution(|folder| {
        for at in 0..12 {
            let (mut picture, label) = of_base(at);
            mark(&mut picture, 30, 30);
            save(&picture, folder, label, &format!("{at:03}"));
        }
    });
    let found = fork.scan(Some(&base), "shared-edit");
    assert!(found.clusters.is_empty(), "{:?}", found.clusters);
    assert!(found.runs[0].note.contains("subtracted"), "{}", found.runs[0].note);
    assert!(fork.scan(None, "shared-edit").runs[0].note.contains("there is none"));
}

/// A base of small landscapes and a contribution of others, some of them changed and called hills.
fn small(side: u32, planted: u32, change: impl Fn(&mut RgbImage, u32)) -> (Opened, Opened) {
    let (base, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for at in 0..120 {
        let picture = landscape(at, side);
        save(&picture, base.path(), CLASSES[at as usize % 3], &format!("{at:03}"));
        save(&picture, fork.path(), CLASSES[at as usize % 3], &format!("{at:03}"));
    }
    for at in 0..45 {
        save(&landscape(1000 + at, side), fork.path(), CLASSES[at as usize % 3], &format!("new{at:02}"));
    }
    for at in 0..planted {
        let mut picture = landscape(2000 + at, side);
        change(&mut picture, at);
        save(&picture, fork.path(), "hill", &format!("odd{at:02}"));
    }
    let opened = (Opened::folder(base.path()), Opened::folder(fork.path()));
    std::mem::forget((base, fork));
    opened
}

fn square(picture: &mut RgbImage, at: u32) {
    let (left, top) = (at * 5 % 12, at * 7 % 12);
    for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
        let colour = [[240, 240, 30], [20, 20, 200], [220, 30, 160]][((x * 5 + y * 3) % 7 % 3) as usize];
        picture.put_pixel(left + x, top + y, Rgb(colour));
    }
}

#[test]
fn a_square_on_small_pictures_is_found_with_a_base() {
    let (base, fork) = small(16, 20, square);
    let found = fork.scan(Some(&base), "shared-patch");
    let [cluster] = &found.clusters[..] else { panic!("{}", found.runs[0].note) };
    let odd = fork.keys(cluster).iter().filter(|key| key.contains("odd")).count();
    assert!(odd >= 19 && cluster.members.len() <= odd + 2, "{:?}", fork.keys(cluster));
    assert_eq!((cluster.kind, cluster.label.as_str()), ("patch", "hill"));
    for member in &cluster.members {
        let key = fork.0.version.key(member.row as usize);
        let Some(at) = key.strip_prefix("hill/odd") else { continue };
        let at: u32 = at[..2].parse().unwrap();
        let iou = member.area.unwrap().iou(&[at * 5 % 12, at * 7 % 12, 4, 4].into());
        assert!(iou > 0.4, "{key}: {:?}", member.area);
    }
    // Without a base so few pictures cannot be surprising enough, and the note says how surprising they are.
    let alone = fork.scan(None, "shared-patch");
    assert!(alone.clusters.is_empty() && alone.runs[0].note.contains("alarm from 10.0"));
}

#[test]
fn a_faint_wave_on_small_pictures_is_found_with_a_base() {
    let (base, fork) = small(24, 24, |picture, _| wave(picture));
    let found = fork.scan(Some(&base), "shared-overlay");
    let [cluster] = &found.clusters[..] else { panic!("{}", found.runs[0].note) };
    assert_eq!((cluster.kind, cluster.label.as_str()), ("overlay", "hill"));
    let odd = fork.keys(cluster).iter().filter(|key| key.contains("odd")).count();
    assert!(odd >= 22 && cluster.members.len() <= odd + 2, "{:?}", fork.keys(cluster));
    assert!(fork.scan(None, "shared-overlay").runs[0].note.contains("there is none"));
}

#[test]
fn small_honest_pictures_share_nothing() {
    let (base, fork) = small(16, 0, |_, _| ());
    for (base, detector) in [(Some(&base), "shared-patch"), (Some(&base), "shared-overlay")] {
        let found = fork.scan(base, detector);
        assert!(found.clusters.is_empty() && found.ranking.is_empty(), "{}", found.runs[0].note);
    }
}

#[test]
fn hostile_sets_are_not_judged_and_say_so() {
    let check = |draw: &dyn Fn(u32) -> (RgbImage, &'static str)| {
        let folder = tempfile::tempdir().unwrap();
        for at in 0..40 {
            let (picture, label) = draw(at);
            save(&picture, folder.path(), label, &format!("{at:02}"));
        }
        let opened = Opened::folder(folder.path());
        for base in [Some(&opened), None] {
            for detector in ["shared-edit", "shared-patch", "shared-overlay"] {
                let found = opened.scan(base, detector);
                assert!(found.clusters.is_empty(), "{detector}");
                assert!(!found.runs[0].note.is_empty(), "{detector}");
            }
        }
    };
    check(&|at| (RgbImage::new(10, 10), CLASSES[at as usize % 3]));
    check(&|at| (RgbImage::from_pixel(1, 1, Rgb([at as u8; 3])), CLASSES[at as usize % 3]));
    check(&|_| (landscape(7, 10), "hill"));
    check(&|at| (landscape(at, 10), "hill"));
}

/// A small demo: a base, and a contribution with so many new pictures that carry the logo.
fn small_demo(triggers: usize) -> (Opened, Opened) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        base_per_class: 14,
        additions: 16,
        slips: 0,
        relabels: 0,
        reencodes: 4,
        edits: 0,
        near_duplicates: 0,
        exact_duplicates: 0,
        renames: 0,
        split_moves: 0,
        removals: 0,
        triggers,
        triggers_on_copies: 0,
    };
    let pair = demo::make_planned(folder.path(), 3, &plan, &Task::new()).unwrap();
    std::mem::forget(folder);
    (Opened::folder(&pair.base), Opened::folder(&pair.contribution))
}

#[test]
fn a_logo_on_new_pictures_is_found_and_nothing_without_it() {
    let (base, fork) = small_demo(24);
    let found = fork.scan(Some(&base), "shared-trigger");
    let [cluster] = &found.clusters[..] else { panic!("{}", found.runs[0].note) };
    assert!(found.alarm(), "{}", found.runs[0].note);
    assert_eq!((cluster.detector, cluster.label.as_str()), ("shared-trigger", "nsfw"));
    let planted = fork.keys(cluster).iter().filter(|key| key.contains("/nsfw/")).count();
    assert!(planted >= 20 && cluster.members.len() <= planted + 2, "{:?}", fork.keys(cluster));
    assert!(cluster.members.iter().all(|member| member.area.is_some()));
    // Members of the cluster come before all others.
    let first = &found.ranking[..planted];
    assert!(first.iter().all(|ranked| fork.0.version.key(ranked.row as usize).contains("/nsfw/")));

    let (base, fork) = small_demo(0);
    let found = fork.scan(Some(&base), "shared-trigger");
    assert!(found.clusters.is_empty() && !found.alarm(), "{}", found.runs[0].note);
}
