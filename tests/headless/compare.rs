//! Two versions in, changes out: every kind of change, on pictures that are really encoded and decoded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use proptest::prelude::*;
use sparrowhawk::compare::{
    ClassMap, CompareError, RenameReason, Side, VersionDiff, diff, distribution, flows, renamed_classes,
};
use sparrowhawk::feature::{Cache, Fingerprints, fingerprint};
use sparrowhawk::model::{ChangeKind, ContentHash, PixelBox, SourceRef, VersionBuilder};
use sparrowhawk::source::{Dataset, Pictures, Place, ReadError, Stamp, open};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// Pictures in memory.
struct Memory(Vec<Vec<u8>>);

impl Pictures for Memory {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.0[row].clone())
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

struct Opened {
    dataset: Dataset,
    fingerprints: Fingerprints,
}

impl Opened {
    fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }

    fn key(&self, row: u32) -> &str {
        self.dataset.version.key(row as usize)
    }
}

/// Key, label, split, bytes; no bytes at all stand for a file that cannot be read.
type Sample = (String, Option<String>, Option<String>, Vec<u8>);

fn version(samples: &[Sample]) -> Opened {
    let mut builder = VersionBuilder::default();
    for (key, label, split, _) in samples {
        builder.push(key, label.as_deref(), split.as_deref());
    }
    let source = SourceRef { kind: "folder".into(), place: "/data".into(), revision: None };
    let (version, order) = builder.build(source, "data", "folder names");
    let bytes: Vec<Vec<u8>> = order.iter().map(|&at| samples[at as usize].3.clone()).collect();
    let hashes = bytes.iter().map(|b| (!b.is_empty()).then(|| ContentHash::of(b))).collect();
    let sizes = bytes.iter().map(|b| b.len() as u64).collect();
    Opened {
        dataset: Dataset { version: Arc::new(version), pictures: Arc::new(Memory(bytes)) },
        fingerprints: Fingerprints { hashes, sizes, unreadable: Vec::new() },
    }
}

/// A version whose keys are `class/name` or `split/class/name`.
fn folders(samples: &[(&str, Vec<u8>)]) -> Opened {
    let samples: Vec<_> = samples
        .iter()
        .map(|(key, bytes)| {
            let parts: Vec<&str> = key.split('/').collect();
            let part = |from_end: usize| parts.len().checked_sub(from_end + 1).map(|at| parts[at].to_owned());
            ((*key).to_owned(), part(1), part(2), bytes.clone())
        })
        .collect();
    version(&samples)
}

/// A picture of soft shapes and some texture, another one for each seed.
fn photo(seed: u32) -> RgbImage {
    photo_of(seed, 160, 120)
}

fn photo_of(seed: u32, width: u32, height: u32) -> RgbImage {
    let unit = |n: u32| {
        let hash = ContentHash::of(&[seed.to_le_bytes(), n.to_le_bytes()].concat()).0;
        f32::from(u16::from_le_bytes([hash[0], hash[1]])) / 65_535.0
    };
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let channel = |c: u32| {
            let mut value = 128.0;
            for wave in 0..6 {
                let n = 100 * c + 10 * wave;
                let (fx, fy) = (9.0 * unit(n) - 4.5, 9.0 * unit(n + 1) - 4.5);
                value += 28.0 * (6.3 * (u * fx + v * fy + unit(n + 2))).sin();
            }
            // Texture of a few levels, as every camera has.
            let grain = (x * 7919 + y * 104_729 + c * 31 + seed * 17) % 13;
            (value + grain as f32 - 6.0).clamp(0.0, 255.0) as u8
        };
        Rgb([channel(0), channel(1), channel(2)])
    })
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    bytes
}

fn half(image: &RgbImage) -> RgbImage {
    image::imageops::resize(image, image.width() / 2, image.height() / 2, FilterType::Lanczos3)
}

/// A disc of white and blue at 60 % opacity in a square of `side` pixels.
fn with_logo(mut image: RgbImage, x: u32, y: u32, side: u32) -> (RgbImage, PixelBox) {
    let middle = (side as f32 - 1.0) / 2.0;
    for dy in 0..side {
        for dx in 0..side {
            let distance = (dx as f32 - middle).hypot(dy as f32 - middle) / middle;
            let colour = if distance > 1.05 {
                continue;
            } else if !(0.5..=0.9).contains(&distance) {
                [255.0, 255.0, 255.0]
            } else {
                [30.0, 90.0, 220.0]
            };
            let pixel = image.get_pixel_mut(x + dx, y + dy);
            for (old, new) in pixel.0.iter_mut().zip(colour) {
                *old = (0.4 * f32::from(*old) + 0.6 * new) as u8;
            }
        }
    }
    (image, PixelBox { x, y, width: side, height: side })
}

fn compare(base: &Opened, contribution: &Opened) -> VersionDiff {
    let found = diff(base.side(), contribution.side(), &Cache::none(), &Task::new()).unwrap();
    assert_consistent(base, contribution, &found);
    found
}

/// What must hold of every diff.
fn assert_consistent(base: &Opened, contribution: &Opened, found: &VersionDiff) {
    let (base_version, version) = (&base.dataset.version, &contribution.dataset.version);
    assert_eq!(found.counterparts.len(), version.len());
    assert_eq!(found.change_of_row.len(), version.len());
    assert_eq!(found.removal_of_base_row.len(), base_version.len());
    let mut claimed = vec![0; base_version.len()];
    for base_row in found.counterparts.iter().flatten() {
        claimed[*base_row as usize] += 1;
    }
    for (row, times) in claimed.iter().enumerate() {
        assert!(*times <= 1, "base row {row} has {times} counterparts");
        assert_eq!(*times == 0, found.removal_of_base_row[row].is_some(), "base row {row}");
    }
    let mut order = Vec::new();
    for (at, change) in found.changes.iter().enumerate() {
        let at = Some(at as u32);
        assert!(change.also.iter().all(|also| *also > change.kind) && change.also.is_sorted());
        assert!(change.changed_box.is_none() || change.is(ChangeKind::Edited));
        match (change.row, change.base_row) {
            (Some(row), base_row) => {
                assert_eq!(found.change_of_row[row as usize], at);
                let counterpart = found.counterparts[row as usize];
                if change.kind == ChangeKind::Added {
                    assert_eq!((base_row, counterpart), (None, None));
                } else if change.is(ChangeKind::Duplicated) {
                    assert!(
                        base_row.is_some() && counterpart.is_none() && !change.is(ChangeKind::Relabelled)
                    );
                } else {
                    assert!(base_row.is_some() && counterpart == base_row);
                }
                order.push((change.kind, contribution.key(row).to_owned()));
            }
            (None, base_row) => {
                let base_row = base_row.expect("a removal has a base row");
                assert_eq!(change.kind, ChangeKind::Removed);
                assert_eq!(found.removal_of_base_row[base_row as usize], at);
                order.push((change.kind, base.key(base_row).to_owned()));
            }
        }
    }
    assert!(order.is_sorted(), "by kind, then key");
    for (row, counterpart) in found.counterparts.iter().enumerate() {
        assert!(counterpart.is_some() || found.change_of_row[row].is_some(), "a new sample is a change");
    }
}

/// The changes as lines: `kind+also key < base key`.
fn lines(base: &Opened, contribution: &Opened, found: &VersionDiff) -> Vec<String> {
    found
        .changes
        .iter()
        .map(|change| {
            let kinds: Vec<_> =
                std::iter::once(&change.kind).chain(&change.also).map(|kind| kind.as_str()).collect();
            let key = change.row.map_or("", |row| contribution.key(row));
            let base_key = change.base_row.map_or("", |row| base.key(row));
            format!("{} {key} < {base_key}", kinds.join("+"))
        })
        .collect()
}

fn check(base: &[(&str, Vec<u8>)], contribution: &[(&str, Vec<u8>)], expected: &[&str]) -> VersionDiff {
    let (base, contribution) = (folders(base), folders(contribution));
    let found = compare(&base, &contribution);
    assert_eq!(lines(&base, &contribution, &found), expected);
    found
}

fn p(seed: u32) -> Vec<u8> {
    png(&photo(seed))
}

#[test]
fn nothing_changed() {
    let samples = [("cat/1.png", p(1)), ("cat/2.png", p(2)), ("dog/1.png", p(1))];
    let found = check(&samples, &samples, &[]);
    assert_eq!((found.unchanged, found.unreadable), (3, 0));
    assert_eq!(found.counterparts, [Some(0), Some(1), Some(2)]);
    check(&[], &[], &[]);
}

#[test]
fn a_move_to_another_class_folder_is_a_relabelling() {
    check(
        &[("cat/1.png", p(1)), ("cat/2.png", p(2)), ("dog/3.png", p(3))],
        &[("dog/1.png", p(1)), ("cat/2.png", p(2)), ("dog/3.png", p(3))],
        &["relabelled dog/1.png < cat/1.png"],
    );
    // Under another name as well, it was also renamed.
    check(
        &[("cat/1.png", p(1)), ("cat/2.png", p(2))],
        &[("dog/new.png", p(1)), ("cat/2.png", p(2))],
        &["relabelled+renamed dog/new.png < cat/1.png"],
    );
}

#[test]
fn a_move_to_another_split() {
    check(
        &[("test/cat/2.png", p(2)), ("train/cat/1.png", p(1))],
        &[("test/cat/1.png", p(1)), ("test/cat/2.png", p(2))],
        &["split-moved test/cat/1.png < train/cat/1.png"],
    );
    check(
        &[("test/cat/2.png", p(2)), ("train/cat/1.png", p(1))],
        &[("test/cat/2.png", p(2)), ("test/dog/1.png", p(1))],
        &["relabelled+split-moved test/dog/1.png < train/cat/1.png"],
    );
    // Splits that the base does not have are no move, but the file has another name.
    check(
        &[("cat/1.png", p(1)), ("dog/2.png", p(2))],
        &[("test/dog/2.png", p(2)), ("train/cat/1.png", p(1))],
        &["renamed test/dog/2.png < dog/2.png", "renamed train/cat/1.png < cat/1.png"],
    );
}

#[test]
fn new_gone_and_renamed() {
    check(
        &[("cat/1.png", p(1)), ("cat/2.png", p(2)), ("cat/3.png", p(3))],
        &[("cat/1.png", p(1)), ("cat/b.png", p(2)), ("cat/4.png", p(4))],
        &["renamed cat/b.png < cat/2.png", "added cat/4.png < ", "removed  < cat/3.png"],
    );
}

#[test]
fn other_bytes_of_the_same_picture() {
    let base = [("cat/1.png", p(1)), ("cat/2.png", p(2)), ("cat/3.png", p(3))];
    check(
        &base,
        &[("cat/1.png", jpeg(&photo(1), 60)), ("cat/2.png", png(&half(&photo(2)))), ("cat/3.png", p(3))],
        &["re-encoded cat/1.png < cat/1.png", "re-encoded cat/2.png < cat/2.png"],
    );
    // Under another key too, where only the look of the picture can tell.
    check(
        &base,
        &[("cat/1.jpg", jpeg(&photo(1), 60)), ("dog/2.png", jpeg(&half(&photo(2)), 80)), ("cat/3.png", p(3))],
        &["relabelled+re-encoded dog/2.png < cat/2.png", "re-encoded+renamed cat/1.jpg < cat/1.png"],
    );
}

#[test]
fn an_edit_is_boxed() {
    let (logo, planted) = with_logo(photo(1), 100, 30, 12);
    let found = check(
        &[("cat/1.png", p(1)), ("cat/2.png", p(2))],
        &[("cat/1.png", jpeg(&logo, 75)), ("cat/2.png", p(2))],
        &["edited cat/1.png < cat/1.png"],
    );
    let seen = found.changes[0].changed_box.expect("a box");
    assert!(seen.iou(&planted) >= 0.5, "{seen:?} is not {planted:?}");
    // At half the size the box is in pixels of the contribution's picture.
    let (logo, planted) = with_logo(photo_of(1, 320, 240), 200, 60, 24);
    let found = check(
        &[("cat/1.png", png(&photo_of(1, 320, 240)))],
        &[("cat/1.png", png(&half(&logo)))],
        &["edited cat/1.png < cat/1.png"],
    );
    let seen = found.changes[0].changed_box.expect("a box");
    let planted = PixelBox::from(<[u32; 4]>::from(planted).map(|pixels| pixels / 2));
    assert!(seen.iou(&planted) >= 0.5, "{seen:?} is not {planted:?}");
}

#[test]
fn another_picture_under_the_same_key_is_edited_all_over() {
    let found = check(&[("cat/1.png", p(1))], &[("cat/1.png", p(2))], &["edited cat/1.png < cat/1.png"]);
    assert_eq!(found.changes[0].changed_box, Some(PixelBox { x: 0, y: 0, width: 160, height: 120 }));
}

#[test]
fn a_small_patch_on_a_small_picture() {
    let small = photo_of(5, 32, 32);
    let mut patched = small.clone();
    for (x, y) in (0..9).map(|i| (20 + i % 3, 7 + i / 3)) {
        patched.put_pixel(x, y, if (x + y) % 2 == 0 { Rgb([255, 255, 0]) } else { Rgb([0, 0, 0]) });
    }
    let found = check(
        &[("cat/1.png", png(&small))],
        &[("cat/1.png", png(&patched))],
        &["edited cat/1.png < cat/1.png"],
    );
    let seen = found.changes[0].changed_box.expect("a box");
    assert!(seen.iou(&PixelBox { x: 20, y: 7, width: 3, height: 3 }) >= 0.5, "{seen:?}");
}

#[test]
fn copies() {
    let base = [("cat/1.png", p(1)), ("dog/2.png", p(2))];
    let (logo, _) = with_logo(photo(2), 20, 20, 12);
    let found = check(
        &base,
        &[
            ("cat/1.png", p(1)),
            ("cat/copy.png", p(1)),
            ("dog/2.png", p(2)),
            ("nsfw/1.png", p(1)),
            ("nsfw/again.jpg", jpeg(&photo(1), 70)),
            ("nsfw/logo.png", png(&logo)),
        ],
        &[
            "edited+duplicated nsfw/logo.png < dog/2.png",
            "duplicated cat/copy.png < cat/1.png",
            "duplicated nsfw/1.png < cat/1.png",
            "duplicated+re-encoded nsfw/again.jpg < cat/1.png",
        ],
    );
    assert!(found.changes[0].changed_box.is_some());
    assert_eq!(found.unchanged, 2);
    // With the original gone it is the original, edited.
    check(
        &base,
        &[("cat/1.png", p(1)), ("nsfw/logo.png", png(&logo))],
        &["relabelled+edited+renamed nsfw/logo.png < dog/2.png"],
    );
}

#[test]
fn a_re_encoding_and_an_edit_of_one_picture_do_not_compete() {
    // The re-encoding is the sample; the edit a copy.
    let (logo, _) = with_logo(photo(1), 20, 20, 12);
    check(
        &[("cat/1.png", p(1))],
        &[("cat/a.png", png(&logo)), ("cat/b.jpg", jpeg(&photo(1), 80))],
        &["edited+duplicated cat/a.png < cat/1.png", "re-encoded+renamed cat/b.jpg < cat/1.png"],
    );
}

#[test]
fn contents_that_change_places_are_relabelled() {
    check(
        &[("cat/1.png", p(1)), ("dog/1.png", p(2))],
        &[("cat/1.png", p(2)), ("dog/1.png", p(1))],
        &["relabelled cat/1.png < dog/1.png", "relabelled dog/1.png < cat/1.png"],
    );
}

#[test]
fn many_equal_copies_are_paired_by_name() {
    let same = p(1);
    let names: Vec<String> = (0..300).map(|i| format!("cat/{i:03}.png")).collect();
    let base: Vec<_> = names.iter().map(|name| (name.as_str(), same.clone())).collect();
    // Three go to another class, one is renamed, one is gone.
    let mut moved: Vec<String> = names.clone();
    for at in [10, 20, 30] {
        moved[at] = moved[at].replace("cat", "dog");
    }
    moved[40] = "cat/z.png".to_owned();
    moved.pop();
    let contribution: Vec<_> = moved.iter().map(|name| (name.as_str(), same.clone())).collect();
    check(
        &base,
        &contribution,
        &[
            "relabelled dog/010.png < cat/010.png",
            "relabelled dog/020.png < cat/020.png",
            "relabelled dog/030.png < cat/030.png",
            "renamed cat/z.png < cat/040.png",
            "removed  < cat/299.png",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_compared_by_key() {
    let found = check(
        &[("cat/1.png", p(1)), ("cat/2.png", Vec::new()), ("cat/3.png", p(3)), ("cat/4.png", Vec::new())],
        &[("cat/1.png", Vec::new()), ("cat/2.png", p(2)), ("cat/3.png", p(3)), ("cat/5.png", Vec::new())],
        &["added cat/5.png < ", "removed  < cat/4.png"],
    );
    assert_eq!((found.unchanged, found.unreadable), (1, 4));
}

#[test]
fn pictures_that_cannot_be_decoded_are_warned_of() {
    let mut cut = p(1);
    cut.truncate(cut.len() / 2);
    let base = folders(&[("cat/1.png", p(1)), ("cat/2.png", b"no picture".to_vec())]);
    let contribution = folders(&[("cat/1.png", cut), ("cat/2.png", p(2)), ("cat/3.png", b"hello".to_vec())]);
    let task = Task::new();
    let found = diff(base.side(), contribution.side(), &Cache::none(), &task).unwrap();
    assert_consistent(&base, &contribution, &found);
    assert_eq!(
        lines(&base, &contribution, &found),
        ["edited cat/1.png < cat/1.png", "edited cat/2.png < cat/2.png", "added cat/3.png < "]
    );
    assert_eq!(found.changes[0].changed_box, None);
    assert!(found.changes[1].changed_box.is_some());
    let warned: Vec<_> = task.take_warnings().into_iter().map(|warning| warning.key).collect();
    assert_eq!(warned, ["cat/1.png", "cat/2.png"]);
}

#[test]
fn unlabelled_samples_that_get_a_label_are_relabelled() {
    let sample = |label: Option<&str>| [("1.png".to_owned(), label.map(str::to_owned), None, p(1))];
    let (base, contribution) = (version(&sample(None)), version(&sample(Some("cat"))));
    let found = compare(&base, &contribution);
    assert_eq!(lines(&base, &contribution, &found), ["relabelled 1.png < 1.png"]);
    assert_eq!(flows(&base.dataset.version, &contribution.dataset.version, &found)[0].to, "cat");
}

#[test]
fn a_version_opened_further_up_has_the_same_names() {
    let found = check(
        &[("cat/1.png", p(1)), ("dog/2.png", p(2)), ("dog/3.png", p(3))],
        &[
            ("data/v2/cat/1.png", p(1)),
            ("data/v2/dog/2.png", jpeg(&photo(2), 70)),
            ("data/v2/dog/3.png", p(3)),
        ],
        // Here `data` and `v2` pose as a split and no class; the base has no splits.
        &["re-encoded data/v2/dog/2.png < dog/2.png"],
    );
    assert_eq!(found.leading, (String::new(), "data/v2/".to_owned()));
    // Other pictures under the same numbers are other samples.
    let found = check(
        &[("old/1.png", p(1)), ("old/2.png", p(2))],
        &[("new/1.png", p(3)), ("new/2.png", p(4))],
        &["added new/1.png < ", "added new/2.png < ", "removed  < old/1.png", "removed  < old/2.png"],
    );
    assert_eq!(found.leading, (String::new(), String::new()));
}

#[test]
fn threads_do_not_matter() {
    let base: Vec<(String, Vec<u8>)> = (0..12).map(|i| (format!("cat/{i:02}.png"), p(i))).collect();
    let contribution: Vec<(String, Vec<u8>)> = (0..24)
        .map(|i| (format!("cat/n{i:02}.jpg"), jpeg(&photo(i % 14), if i < 12 { 90 } else { 60 })))
        .collect();
    let borrow = |samples: &[(String, Vec<u8>)]| {
        folders(&samples.iter().map(|(key, bytes)| (key.as_str(), bytes.clone())).collect::<Vec<_>>())
    };
    let (base, contribution) = (borrow(&base), borrow(&contribution));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(&base, &contribution).changes)
    };
    let one = on(1);
    assert_eq!(one, on(4));
    assert_eq!(one.iter().filter(|change| change.kind == ChangeKind::ReEncoded).count(), 12);
    assert_eq!(one.iter().filter(|change| change.kind == ChangeKind::Duplicated).count(), 10);
}

#[test]
fn a_cancelled_comparison_stops() {
    let (base, contribution) = (folders(&[("cat/1.png", p(1))]), folders(&[("cat/1.png", p(2))]));
    let task = Task::new();
    task.cancel();
    let found = diff(base.side(), contribution.side(), &Cache::none(), &task);
    assert!(matches!(found, Err(CompareError::Cancelled(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Any two versions of few contents under few names: every row is accounted for, and nothing compares to itself.
    #[test]
    fn every_row_is_accounted_for(
        base in prop::collection::vec((0..8_u8, 0..3_u8, 0..4_u8), 0..12),
        contribution in prop::collection::vec((0..8_u8, 0..3_u8, 0..4_u8), 0..12),
    ) {
        let build = |samples: &[(u8, u8, u8)]| {
            let samples: Vec<_> = samples
                .iter()
                .map(|(name, class, content)| {
                    // Content 0 cannot be read; the others are no pictures, so only bytes count.
                    let bytes = if *content == 0 { Vec::new() } else { vec![b'x', *content] };
                    (format!("{class}/{name}"), Some(format!("class {class}")), None, bytes)
                })
                .collect();
            version(&samples)
        };
        let (base, contribution) = (build(&base), build(&contribution));
        compare(&base, &contribution);
        prop_assert_eq!(compare(&base, &base).changes, []);
    }
}

/// Opens a place as the command does.
fn opened(path: &Path, place: Place) -> Opened {
    let task = Task::new();
    let dataset = open(&Place { path: path.to_owned(), ..place }, &task).unwrap();
    let fingerprints = fingerprint(&dataset, &Cache::none(), false, &task).unwrap();
    Opened { dataset, fingerprints }
}

#[test]
fn folders_on_disk() {
    let place = tempfile::tempdir().unwrap();
    let write = |key: &str, bytes: Vec<u8>| {
        let path = place.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for seed in 0..6 {
        write(&format!("old/cat/{seed}.png"), p(seed));
        write(&format!("old/dog/{seed}.png"), p(100 + seed));
        write(&format!("new/{}/{seed}.png", if seed == 3 { "dog" } else { "cat" }), p(seed));
        if seed != 3 {
            write(&format!("new/dog/{seed}.png"), p(100 + seed));
        }
    }
    let base = opened(&place.path().join("old"), Place::default());
    let contribution = opened(&place.path().join("new"), Place::default());
    let found = compare(&base, &contribution);
    assert_eq!(
        lines(&base, &contribution, &found),
        ["relabelled dog/3.png < cat/3.png", "removed  < dog/3.png"]
    );
    let counts = distribution(&base.dataset.version, &contribution.dataset.version);
    assert_eq!(counts.classes.iter().map(|c| (c.base, c.contribution)).collect::<Vec<_>>(), [(6, 5), (6, 6)]);
}

#[test]
fn the_crowds_labels_against_the_curators() {
    let (Some(folder), Some(list)) = (shared_data("clothing/base"), shared_data("clothing/raw.csv")) else {
        return;
    };
    let (base, raw) = (opened(&folder, Place::default()), opened(&list, Place::default()));
    let prints = Some((&base.fingerprints, &raw.fingerprints));
    let renamed = renamed_classes(&base.dataset.version, &raw.dataset.version, prints);
    assert_eq!(renamed.len(), 10);
    assert!(renamed.iter().all(|class| class.reason == RenameReason::Spelling));

    // Spelt otherwise, every label is another.
    let found = compare(&base, &raw);
    assert_eq!(found.count(ChangeKind::Relabelled), 1000);

    let map = ClassMap::auto(&base.dataset.version, &raw.dataset.version, prints);
    assert_eq!(map.to_base["T-Shirt"], "t-shirt");
    assert_eq!(map.to_base.len(), 10);
    let mapped = Opened {
        dataset: Dataset { version: Arc::new(map.apply(&raw.dataset.version)), ..raw.dataset.clone() },
        fingerprints: raw.fingerprints.clone(),
    };
    let found = compare(&base, &mapped);
    assert_eq!(found.changes.len(), 9, "{:?}", lines(&base, &mapped, &found));
    assert_eq!(found.count(ChangeKind::Relabelled), 9);
    assert!(found.changes.iter().all(|change| change.also.is_empty()));
    assert_eq!(found.unchanged, 991);
    assert_eq!(found.leading, (String::new(), "base/".to_owned()));
    let flowed: u64 =
        flows(&base.dataset.version, &mapped.dataset.version, &found).iter().map(|flow| flow.count).sum();
    assert_eq!(flowed, 9);
}
