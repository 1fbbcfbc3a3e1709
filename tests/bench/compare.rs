//! How fast is `compare`, and how often is it right about pictures?

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use sparrowhawk::compare::{Side, VersionDiff, diff, distribution, flows};
use sparrowhawk::feature::{Cache, Fingerprints};
use sparrowhawk::model::{ChangeKind, ContentHash, PixelBox, SourceRef, VersionBuilder};
use sparrowhawk::source::{Dataset, Pictures, ReadError, Stamp};
use sparrowhawk::task::Task;
use sparrowhawk::trust::pin;

/// Pictures in memory; none for versions of which only keys and hashes count.
struct Memory(Vec<Vec<u8>>);

impl Pictures for Memory {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        self.0.get(row).cloned().ok_or(ReadError::Missing)
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

struct Made {
    dataset: Dataset,
    fingerprints: Fingerprints,
}

impl Made {
    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }
}

/// A version of (key, label, hash).
fn version(samples: impl Iterator<Item = (String, String, ContentHash)>, pictures: Vec<Vec<u8>>) -> Made {
    let mut builder = VersionBuilder::default();
    let mut hashes = Vec::new();
    for (key, label, hash) in samples {
        builder.push(&key, Some(&label), None);
        hashes.push(hash);
    }
    let source = SourceRef { kind: "folder".into(), place: "/data".into(), revision: None };
    let (version, order) = builder.build(source, "data", "folder names");
    let hashes: Vec<_> = order.iter().map(|&at| Some(hashes[at as usize])).collect();
    let mut pictures = pictures;
    let pictures = if pictures.is_empty() {
        pictures
    } else {
        order.iter().map(|&at| std::mem::take(&mut pictures[at as usize])).collect()
    };
    Made {
        fingerprints: Fingerprints { sizes: vec![1; hashes.len()], hashes, unreadable: Vec::new() },
        dataset: Dataset { version: Arc::new(version), pictures: Arc::new(Memory(pictures)) },
    }
}

/// Megabytes that the process has in memory now, and had at most.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1))
            .and_then(|kb| kb.parse::<u64>().ok())
            .unwrap_or(0)
    };
    (field("VmRSS:") / 1024, field("VmHWM:") / 1024)
}

fn timed<T>(what: &str, work: impl Fn() -> T) -> T {
    let mut best = f64::INFINITY;
    let mut result = None;
    for _ in 0..3 {
        let start = Instant::now();
        result = Some(work());
        best = best.min(start.elapsed().as_secs_f64());
    }
    let (now, most) = memory();
    println!("  {what:<46} {:>9.1} ms   {now:>5} MB resident, {most} at most", best * 1e3);
    result.expect("three runs")
}

fn counts(found: &VersionDiff) -> String {
    let kinds = ChangeKind::ALL.iter().map(|kind| (kind, found.count(*kind))).filter(|(_, count)| *count > 0);
    kinds.map(|(kind, count)| format!("{count} {}", kind.as_str())).collect::<Vec<_>>().join(", ")
}

/// Pairing alone: no picture is decoded.
fn pairing(rows: u32) {
    println!("{rows} samples:");
    let class = |i: u32| format!("class-{:02}", i % 50);
    let hash = |i: u32| ContentHash::of(&i.to_le_bytes());
    let key = |i: u32, class: &str| format!("{class}/{:08x}-{i:07}.jpg", i.wrapping_mul(2_654_435_761));
    let base = version((0..rows).map(|i| (key(i, &class(i)), class(i), hash(i))), Vec::new());
    let changed = version(
        (0..rows)
            .filter(|i| i % 1009 != 0)
            .map(|i| {
                let label = if i % 401 == 0 { class(i + 1) } else { class(i) };
                let name = key(i, &label);
                (if i % 701 == 0 { name.replace(".jpg", "-b.jpg") } else { name }, label, hash(i))
            })
            .chain((0..rows / 500).map(|i| (format!("nsfw/copy-{i}.jpg"), "nsfw".to_owned(), hash(2 * i)))),
        Vec::new(),
    );
    let elsewhere = version((0..rows).map(|i| (format!("images/{i:07}.jpg"), class(i), hash(i))), Vec::new());
    let compare =
        |other: &Made| diff(base.side(), other.side(), &Cache::none(), &Task::new()).expect("nobody cancels");
    let found = timed("diff, a few hundred changes in 50,000", || compare(&changed));
    println!("    {}", counts(&found));
    timed("class distribution and flows", || {
        let (a, b) = (&base.dataset.version, &changed.dataset.version);
        (distribution(a, b), flows(a, b, &found))
    });
    let found = timed("diff, every key another", || compare(&elsewhere));
    println!("    {}", counts(&found));
    timed("pin", || pin(base.side()));
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("a picture in memory");
    bytes
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).expect("a picture in memory");
    bytes
}

fn resized(image: &RgbImage, factor: f32, filter: FilterType) -> RgbImage {
    let side = |side: u32| ((side as f32 * factor) as u32).max(1);
    image::imageops::resize(image, side(image.width()), side(image.height()), filter)
}

/// A place for a mark of `side` pixels, another one for each picture.
fn place(image: &RgbImage, seed: usize, side: u32) -> PixelBox {
    let hash = ContentHash::of(&seed.to_le_bytes()).0;
    let at =
        |byte: usize, room: u32| u32::from(u16::from_le_bytes([hash[byte], hash[byte + 1]])) % room.max(1);
    PixelBox { x: at(0, image.width() - side), y: at(2, image.height() - side), width: side, height: side }
}

/// A white and blue disc over the picture.
fn logo(image: &RgbImage, seed: usize, share: f32, opacity: f32) -> (RgbImage, PixelBox) {
    let mut image = image.clone();
    let side = ((image.width().min(image.height()) as f32 * share).round() as u32).max(3);
    let area = place(&image, seed, side);
    let middle = (side as f32 - 1.0) / 2.0;
    for (dx, dy) in (0..side * side).map(|i| (i % side, i / side)) {
        let distance = (dx as f32 - middle).hypot(dy as f32 - middle) / middle;
        if distance <= 1.05 {
            let white = !(0.5..=0.9).contains(&distance);
            let colour = if white { [255.0, 255.0, 255.0] } else { [30.0, 90.0, 220.0] };
            for (old, new) in image.get_pixel_mut(area.x + dx, area.y + dy).0.iter_mut().zip(colour) {
                *old = ((1.0 - opacity) * f32::from(*old) + opacity * new) as u8;
            }
        }
    }
    (image, area)
}

/// A chequered patch of 3 × 3 pixels.
fn patch(image: &RgbImage, seed: usize) -> (RgbImage, PixelBox) {
    let mut image = image.clone();
    let area = place(&image, seed, 3);
    for (dx, dy) in (0..9).map(|i| (i % 3, i / 3)) {
        let colour = if (dx + dy) % 2 == 0 { Rgb([255, 255, 0]) } else { Rgb([0, 0, 0]) };
        image.put_pixel(area.x + dx, area.y + dy, colour);
    }
    (image, area)
}

type Treatment = fn(&RgbImage, usize) -> (Vec<u8>, Option<PixelBox>);

const PHOTOS: &[(&str, Treatment)] = &[
    ("JPEG 90", |image, _| (jpeg(image, 90), None)),
    ("JPEG 75", |image, _| (jpeg(image, 75), None)),
    ("JPEG 60", |image, _| (jpeg(image, 60), None)),
    ("JPEG 40", |image, _| (jpeg(image, 40), None)),
    ("half size (Lanczos), JPEG 75", |image, _| (jpeg(&resized(image, 0.5, FilterType::Lanczos3), 75), None)),
    ("half size (bilinear), PNG", |image, _| (png(&resized(image, 0.5, FilterType::Triangle)), None)),
    ("double size (cubic), JPEG 85", |image, _| {
        (jpeg(&resized(image, 2.0, FilterType::CatmullRom), 85), None)
    }),
    ("logo of 8 % at 60 %, PNG", |image, seed| {
        let (image, area) = logo(image, seed, 0.08, 0.6);
        (png(&image), Some(area))
    }),
    ("logo of 8 % at 60 %, JPEG 60", |image, seed| {
        let (image, area) = logo(image, seed, 0.08, 0.6);
        (jpeg(&image, 60), Some(area))
    }),
    ("logo of 5 % at 40 %, JPEG 85", |image, seed| {
        let (image, area) = logo(image, seed, 0.05, 0.4);
        (jpeg(&image, 85), Some(area))
    }),
];

const SMALL: &[(&str, Treatment)] = &[
    ("PNG", |image, _| (png(image), None)),
    ("JPEG 90", |image, _| (jpeg(image, 90), None)),
    ("JPEG 60", |image, _| (jpeg(image, 60), None)),
    ("half size (Lanczos), PNG", |image, _| (png(&resized(image, 0.5, FilterType::Lanczos3)), None)),
    ("patch of 3 × 3, PNG", |image, seed| {
        let (image, area) = patch(image, seed);
        (png(&image), Some(area))
    }),
    ("patch of 3 × 3, JPEG 90", |image, seed| {
        let (image, area) = patch(image, seed);
        (jpeg(&image, 90), Some(area))
    }),
    ("logo of 20 % at 60 %, JPEG 90", |image, seed| {
        let (image, area) = logo(image, seed, 0.2, 0.6);
        (jpeg(&image, 90), Some(area))
    }),
];

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// How often a treated picture is told for what it is: under its own key, and renamed with the original still there.
fn confusion(part: &str, every: usize, treatments: &[(&str, Treatment)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(part);
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let originals: Vec<Vec<u8>> =
        paths.iter().step_by(every).filter_map(|path| std::fs::read(path).ok()).collect();
    if originals.is_empty() {
        println!("SKIPPED: no pictures in {}", folder.display());
        return;
    }
    println!("{part}, {} pictures:", originals.len());
    println!(
        "  {:<32} same key: re-encoded  edited  box right | new key: re-encoded copy  edited copy  added",
        ""
    );
    let decoded: Vec<RgbImage> =
        originals.iter().map(|bytes| image::load_from_memory(bytes).expect("a picture").to_rgb8()).collect();
    let made = |name: &str, pictures: &[Vec<u8>]| {
        let keys = pictures.iter().enumerate();
        let samples: Vec<_> = keys
            .map(|(i, bytes)| (format!("class/{name}{i:05}"), "class".to_owned(), ContentHash::of(bytes)))
            .collect();
        (samples, pictures.to_vec())
    };
    let (samples, pictures) = made("", &originals);
    let base = version(samples.clone().into_iter(), pictures.clone());
    for (name, treatment) in treatments {
        let treated: Vec<_> =
            decoded.iter().enumerate().map(|(seed, image)| treatment(image, seed)).collect();
        let bytes: Vec<Vec<u8>> = treated.iter().map(|(bytes, _)| bytes.clone()).collect();
        let (new_samples, new_pictures) = made("", &bytes);
        let same_key = version(new_samples.into_iter(), new_pictures);
        let (new_samples, new_pictures) = made("copy-", &bytes);
        let new_key = version(
            samples.iter().cloned().chain(new_samples),
            pictures.iter().cloned().chain(new_pictures).collect(),
        );
        let compare =
            |other: &Made| diff(base.side(), other.side(), &Cache::none(), &Task::new()).expect("no cancel");
        let found = compare(&same_key);
        let right = found
            .changes
            .iter()
            .filter(|change| {
                let planted = treated[change.row.expect("nothing is removed") as usize].1;
                change.changed_box.zip(planted).is_some_and(|(seen, planted)| seen.iou(&planted) >= 0.5)
            })
            .count();
        let copies = compare(&new_key);
        let edited_copies = copies.count(ChangeKind::Edited);
        println!(
            "  {name:<32} {:>20} {:>7} {right:>10} | {:>24} {edited_copies:>12} {:>6}",
            found.count(ChangeKind::ReEncoded),
            found.count(ChangeKind::Edited),
            copies.count(ChangeKind::Duplicated),
            copies.count(ChangeKind::Added),
        );
    }
}

pub fn run() {
    pairing(50_000);
    pairing(1_000_000);
    confusion("clothing/base", 10, PHOTOS);
    confusion("cifar10n/images", 50, SMALL);
}
