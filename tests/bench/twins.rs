//! How many planted copies does `duplicate` find, what else does it name, and how long does it take? The same for
//! neighbours by cells, the map, and pictures made to be expensive.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use sparrowhawk::compare::Side;
use sparrowhawk::detect::{Input, Options, Scan, scan};
use sparrowhawk::feature::{
    Cache, DIRECTIONS, Part, directions, fingerprint, graph_by_cells, look, neighbor_graph, neighbors_of,
    project2d,
};
use sparrowhawk::source::{self, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

pub fn run() {
    if let Some(folder) = shared_data("clothing/base") {
        planted(&folder);
    }
    if let Some(folder) = shared_data("cifar10n/images") {
        many(&folder);
    }
    hostile();
}

struct Timed {
    scan: Scan,
    keys: Vec<String>,
    look_seconds: f64,
    seconds: f64,
}

/// Reads everything first, so that the detectors' own time shows.
fn detect(folder: &Path, detectors: &[&str]) -> Timed {
    let cache_folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(cache_folder.path());
    let task = Task::new();
    let dataset = source::open(&Place::parse(&folder.display().to_string()), &task).unwrap();
    let fingerprints = fingerprint(&dataset, &cache, false, &task).unwrap();
    let start = Instant::now();
    drop(look(&dataset, &fingerprints, None, &cache, &task).unwrap());
    let look_seconds = start.elapsed().as_secs_f64();
    let target = Side { dataset: &dataset, fingerprints: &fingerprints };
    let options = Options::default();
    let input = Input { target, base: None, cache: &cache, seed: 0, options: &options, earlier: &[] };
    let names: Vec<String> = detectors.iter().map(|&name| name.into()).collect();
    let start = Instant::now();
    let scan = scan(&input, &names, &task).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let keys = (0..dataset.version.len()).map(|row| dataset.version.key(row).to_owned()).collect();
    Timed { scan, keys, look_seconds, seconds }
}

fn save_jpeg(picture: &RgbImage, quality: u8, path: &Path) {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn crop(picture: &RgbImage, share: f64, at: f64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = |full: u32| (f64::from(full) * share) as u32;
    let (w, h) = (side(width), side(height));
    let place = |free: u32| (f64::from(free) * at) as u32;
    imageops::crop_imm(picture, place(width - w), place(height - h), w, h).to_image()
}

type Change = fn(&RgbImage) -> RgbImage;

/// What is done to a picture; then it is saved as JPEG of quality 85, or as it says.
const CHANGES: &[(&str, Change)] = &[
    ("same-bytes", RgbImage::clone),
    ("same-pixels", RgbImage::clone),
    ("quality-50", RgbImage::clone),
    ("half-size", |p| imageops::resize(p, p.width() / 2, p.height() / 2, FilterType::Triangle)),
    ("brighter", |p| imageops::brighten(p, 15)),
    ("boxed", |p| {
        let mut p = p.clone();
        let side = p.width().min(p.height()) / 8;
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            p.put_pixel(x + side, y + side, Rgb([30, 90, if x > y { 220 } else { 60 }]));
        }
        p
    }),
    ("crop-95", |p| crop(p, 0.95, 0.3)),
    ("crop-85", |p| crop(p, 0.85, 0.7)),
    ("crop-70", |p| crop(p, 0.70, 0.4)),
    ("crop-80-resized", |p| {
        let part = crop(p, 0.8, 0.2);
        imageops::resize(&part, part.width() * 3 / 5, part.height() * 3 / 5, FilterType::Triangle)
    }),
];

/// Every change is done to 40 photos.
fn planted(folder: &Path) {
    let copy = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = Vec::new();
    for class in std::fs::read_dir(folder).unwrap() {
        let class = class.unwrap().path();
        std::fs::create_dir(copy.path().join(class.file_name().unwrap())).unwrap();
        for file in std::fs::read_dir(&class).unwrap() {
            files.push(file.unwrap().path().strip_prefix(folder).unwrap().to_owned());
        }
    }
    files.sort();
    let mut truth: BTreeMap<String, (String, &str)> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
        let Some((name, change)) = CHANGES.get(at % 25) else { continue };
        let stem = file.with_extension("");
        let png = *name == "same-pixels";
        let path = format!("{}-{name}.{}", stem.display(), if png { "png" } else { "jpg" });
        let target = copy.path().join(&path);
        let picture = image::open(folder.join(file)).unwrap().to_rgb8();
        match *name {
            "same-bytes" => drop(std::fs::copy(folder.join(file), &target).unwrap()),
            "same-pixels" => {
                let bytes = std::fs::read(folder.join(file)).unwrap();
                let own = sparrowhawk::feature::picture::decode(&bytes).unwrap();
                RgbImage::from_raw(own.width, own.height, own.rgb).unwrap().save(&target).unwrap();
            }
            "quality-50" => save_jpeg(&picture, 50, &target),
            _ => save_jpeg(&change(&picture), 85, &target),
        }
        truth.insert(path, (file.display().to_string(), name));
    }
    let found = detect(copy.path(), &["duplicate"]);
    let mut group_of: HashMap<&str, usize> = HashMap::new();
    let mut unplanted = Vec::new();
    for (at, group) in found.scan.groups.iter().enumerate() {
        let keys: Vec<&str> = group.members.iter().map(|m| found.keys[m.row as usize].as_str()).collect();
        group_of.extend(keys.iter().map(|key| (*key, at)));
        let originals: Vec<&str> =
            keys.iter().map(|key| truth.get(*key).map_or(*key, |(original, _)| original.as_str())).collect();
        if originals.iter().any(|original| *original != originals[0]) {
            unplanted.push(format!("{:?} {}: {}", group.kind, group.id, keys.join(" ")));
        }
    }
    let mut recall: BTreeMap<&str, (usize, usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for (copy, (original, name)) in &truth {
        let entry = recall.entry(name).or_default();
        entry.1 += 1;
        if let Some(group) = group_of.get(copy.as_str())
            && Some(group) == group_of.get(original.as_str())
        {
            entry.0 += 1;
            let kind = found.scan.groups[*group].kind.as_str();
            *entry.2.entry(kind).or_default() += 1;
        }
    }
    println!(
        "{} photos, {} of them planted: reading {:.1} s, duplicates {:.1} s",
        found.keys.len(),
        truth.len(),
        found.look_seconds,
        found.seconds
    );
    println!("  {}", found.scan.runs[0].note);
    for (name, (hit, all, kinds)) in recall {
        println!("  {name}: {hit} of {all} found, as {kinds:?}");
    }
    println!("  groups of photos that were not planted: {}", unplanted.len());
    for line in unplanted {
        println!("    {line}");
    }
}

/// 50,000 small pictures: each of 10,000 five times, with other noise.
fn many(folder: &Path) {
    let copy = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    std::fs::create_dir(copy.path().join("one")).unwrap();
    let whole = folder.parent().unwrap();
    let original = detect(whole, &["duplicate", "outlier", "image-problem"]);
    println!("CIFAR-10, 10,000 pictures: reading {:.1} s", original.look_seconds);
    for run in &original.scan.runs {
        println!("  {} {:.1} s: {}", run.detector, run.seconds, run.note);
    }
    for group in original.scan.groups.iter().take(40) {
        let keys: Vec<&str> = group.members.iter().map(|m| original.keys[m.row as usize].as_str()).collect();
        println!("    {:?}: {}", group.kind, keys.join(" "));
    }
    let answers = std::fs::read_to_string(whole.join("answers.csv")).unwrap();
    let truth: HashMap<&str, &str> = answers.lines().filter_map(|line| line.split_once(',')).collect();
    map(whole, &|key| truth.get(key).copied().unwrap_or_default());
    let mut state = 1_u32;
    for file in &files {
        let picture = image::open(file).unwrap().to_rgb8();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for turn in 0..5 {
            let mut noisy = picture.clone();
            for pixel in noisy.iter_mut() {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *pixel = pixel.saturating_add((state >> 30) as u8);
            }
            noisy.save(copy.path().join(format!("one/{name}-{turn}.png"))).unwrap();
        }
    }
    let found = detect(copy.path(), &["duplicate", "outlier", "image-problem"]);
    let right = found.scan.groups.iter().filter(|group| {
        let name = |row: u32| found.keys[row as usize].rsplit_once('-').unwrap().0;
        let first = name(group.members[0].row);
        group.members.len() == 5 && group.members.iter().all(|member| name(member.row) == first)
    });
    println!(
        "50,000 small pictures: reading {:.1} s, duplicates {:.1} s; {} groups are exactly five of one picture",
        found.look_seconds,
        found.seconds,
        right.count()
    );
    for run in &found.scan.runs {
        println!("  {} {:.1} s: {}", run.detector, run.seconds, run.note);
    }
    map(copy.path(), &|key| key);
}

/// Neighbours by cells against all, one row's neighbours, and the map, judged by classes.
fn map<'a>(folder: &Path, class_of: &dyn Fn(&'a str) -> &'a str) {
    let cache_folder = tempfile::tempdir().unwrap();
    let (cache, task) = (Cache::at(cache_folder.path()), Task::new());
    let dataset = source::open(&Place::parse(&folder.display().to_string()), &task).unwrap();
    let fingerprints = fingerprint(&dataset, &cache, false, &task).unwrap();
    let rows: Vec<u32> = (0..dataset.version.len() as u32).collect();
    let part = Part { dataset: &dataset, fingerprints: &fingerprints, rows: &rows };
    drop(look(&dataset, &fingerprints, None, &cache, &task).unwrap());
    let timed = |what: &str, start: Instant| println!("  {what}: {:.2} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let values = directions(&[part], 0, &cache, &task).unwrap();
    timed("directions", start);
    let start = Instant::now();
    let exact = neighbor_graph(&values, DIRECTIONS, 10, &task).unwrap();
    timed("10 nearest of each, exact", start);
    let start = Instant::now();
    let fast = graph_by_cells(&values, DIRECTIONS, 10, &task).unwrap();
    timed("10 nearest of each, by cells", start);
    let both = exact.iter().zip(&fast).map(|(exact, fast)| {
        exact.iter().filter(|hit| fast.iter().any(|other| other.position == hit.position)).count()
    });
    println!("  recall by cells: {:.4}", both.sum::<usize>() as f64 / (10 * rows.len()) as f64);
    let start = Instant::now();
    drop(neighbors_of(&values, DIRECTIONS, 7, 10));
    timed("10 nearest of one", start);
    let mut first = Vec::new();
    let start = Instant::now();
    let places = project2d(&values, DIRECTIONS, 0, &task, &mut |places| {
        if first.is_empty() {
            first = places.to_vec();
        }
    });
    timed("map", start);
    let keys: Vec<String> = rows.iter().map(|row| dataset.version.key(*row as usize).to_owned()).collect();
    let keys: &'a [String] = Vec::leak(keys);
    for (name, places) in [("principal plane", first), ("map", places.unwrap())] {
        // Of 1,000 rows: how many of the 10 nearest on the map are of its class, and among its 10 nearest really.
        let (mut same, mut kept) = (0, 0);
        for row in rows.iter().step_by(rows.len() / 1000) {
            let own = *row as usize;
            let distance = |other: u32| {
                let (a, b) = (places[own], places[other as usize]);
                (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
            };
            let mut others: Vec<u32> = rows.iter().copied().filter(|other| other != row).collect();
            others.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
            for other in &others[..10] {
                same += usize::from(class_of(&keys[own]) == class_of(&keys[*other as usize]));
                kept += usize::from(exact[own].iter().any(|hit| hit.position == *other));
            }
        }
        println!(
            "  {name}: {:.3} of neighbours have the class, {:.3} are true neighbours",
            f64::from(same as u32) / 1e4,
            f64::from(kept as u32) / 1e4
        );
    }
}

/// Pictures that cost the most: none may take long, whatever comes out.
fn hostile() {
    let sets: [(&str, usize, Change); 4] = [
        ("all the same", 3000, |_| RgbImage::from_pixel(64, 64, Rgb([120, 60, 30]))),
        ("black, one pixel other", 20_000, |p| p.clone()),
        ("1 x 1", 5000, |p| imageops::crop_imm(p, 0, 0, 1, 1).to_image()),
        ("20,000 x 10", 60, |p| imageops::resize(p, 20_000, 10, FilterType::Nearest)),
    ];
    for (name, count, change) in sets {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..count as u32 {
            let place = (number % 64, number / 64 % 64);
            let mut picture = RgbImage::new(64, 64);
            picture.put_pixel(place.0, place.1, Rgb([255, (number / 4096) as u8 * 30, number as u8]));
            let class = folder.path().join(if number % 2 == 0 { "a" } else { "b" });
            std::fs::create_dir_all(&class).unwrap();
            change(&picture).save(class.join(format!("{number:05}.png"))).unwrap();
        }
        let found = detect(folder.path(), &["duplicate", "outlier", "image-problem"]);
        println!("{name}, {count} pictures: reading {:.1} s", found.look_seconds);
        for run in &found.scan.runs {
            println!("  {} {:.1} s: {}", run.detector, run.seconds, run.note);
        }
        let signals = found.scan.ranking.iter().map(|ranked| ranked.signals.len()).sum::<usize>();
        println!("  {} groups, {signals} signals", found.scan.groups.len());
    }
}
