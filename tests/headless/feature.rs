//! Tests of `feature` on real files.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use sparrowhawk::feature::picture::{self, Picture};
use sparrowhawk::feature::{Cache, Extractor, FeatureError, Fingerprints, embed, fingerprint, look};
use sparrowhawk::model::{ContentHash, SourceRef, VersionBuilder, WarningKind};
use sparrowhawk::source::{self, Dataset, Pictures, Place, ReadError, Stamp};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// Files of one folder; counts what is asked of it.
struct Files {
    paths: Vec<PathBuf>,
    reads: AtomicUsize,
}

impl Pictures for Files {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let path = &self.paths[row];
        if path.ends_with("huge.png") {
            return Err(ReadError::TooLarge { size_bytes: 1 << 40 });
        }
        if path.ends_with("outside.png") {
            return Err(ReadError::OutsideRoot);
        }
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Io(error.to_string()),
        })
    }

    fn stamp(&self, row: usize) -> Option<Stamp> {
        let path = self.paths[row].clone();
        let about = std::fs::metadata(&path).ok()?;
        let modified = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Stamp {
            path,
            size_bytes: about.len(),
            modified_nanos: modified.as_nanos() as i128,
            inode: (0, 0),
        })
    }

    fn path(&self, row: usize) -> Option<PathBuf> {
        Some(self.paths[row].clone())
    }
}

/// The files of these names (which need not exist) as a dataset, and its counter of reads.
fn dataset(folder: &Path, names: &[&str]) -> (Dataset, Arc<Files>) {
    let mut builder = VersionBuilder::default();
    for name in names {
        builder.push(name, Some("class"), None);
    }
    let source = SourceRef { kind: "folder".into(), place: folder.display().to_string(), revision: None };
    let (version, _) = builder.build(source, "test", "test");
    let paths = (0..version.len()).map(|row| folder.join(version.key(row))).collect();
    let files = Arc::new(Files { paths, reads: AtomicUsize::new(0) });
    (Dataset { version: Arc::new(version), pictures: files.clone() }, files)
}

/// Writes a file that was last changed a minute ago, so that its stamp can be trusted.
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    age(path, Duration::from_mins(1));
}

fn age(path: &Path, age: Duration) {
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

fn hash(dataset: &Dataset, cache: &Cache) -> Fingerprints {
    fingerprint(dataset, cache, false, &Task::new()).unwrap()
}

fn reads(files: &Files) -> usize {
    files.reads.swap(0, Ordering::Relaxed)
}

#[test]
fn hashes_are_remembered_for_unchanged_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..300).map(|i| format!("{i:03}.bin")).collect();
    for (i, name) in names.iter().enumerate() {
        write(&folder.path().join(name), format!("content {}", i / 2).as_bytes());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (data, files) = dataset(folder.path(), &names);

    let first = hash(&data, &Cache::at(home.path()));
    assert_eq!(reads(&files), 300);
    assert_eq!(first.hashes[7], Some(ContentHash::of(b"content 3")));
    assert_eq!(first.hashes[7], first.hashes[6]);
    assert_eq!(first.sizes[7], 9);

    let again = hash(&data, &Cache::at(home.path()));
    assert_eq!(reads(&files), 0, "a second opening reads nothing");
    assert_eq!((again.hashes, again.sizes), (first.hashes.clone(), first.sizes));

    write(&folder.path().join("100.bin"), b"content!50");
    age(&folder.path().join("100.bin"), Duration::from_secs(30));
    let changed = hash(&data, &Cache::at(home.path()));
    assert_eq!(reads(&files), 1, "one file has another time");
    assert_eq!(changed.hashes[100], Some(ContentHash::of(b"content!50")));

    fingerprint(&data, &Cache::at(home.path()), true, &Task::new()).unwrap();
    assert_eq!(reads(&files), 300, "asked to, it reads all");
}

#[test]
fn a_file_written_just_now_is_not_trusted_by_its_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let (data, files) = dataset(folder.path(), &["a.bin"]);
    std::fs::write(&path, b"one").unwrap();
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    hash(&data, &Cache::at(home.path()));
    // Same size, same time: only the bytes tell.
    std::fs::write(&path, b"two").unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(hash(&data, &Cache::at(home.path())).hashes[0], Some(ContentHash::of(b"two")));
    assert_eq!(reads(&files), 2);
    // A time in the future is no better.
    File::options().write(true).open(&path).unwrap().set_modified(time + Duration::from_hours(1)).unwrap();
    hash(&data, &Cache::at(home.path()));
    hash(&data, &Cache::at(home.path()));
    assert_eq!(reads(&files), 2);
}

#[test]
fn one_unreadable_file_is_a_warning_on_its_sample() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("good.png"), b"bytes");
    std::fs::create_dir(folder.path().join("folder.png")).unwrap();
    let names = ["folder.png", "gone.png", "good.png", "huge.png", "outside.png"];
    let (data, _) = dataset(folder.path(), &names);
    for cache in [Cache::none(), Cache::at(folder.path())] {
        let found = hash(&data, &cache);
        let kinds: Vec<_> = found.unreadable.iter().map(|w| (w.key.as_str(), w.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("folder.png", WarningKind::Unreadable),
                ("gone.png", WarningKind::Missing),
                ("huge.png", WarningKind::Oversized),
                ("outside.png", WarningKind::OutsideRoot),
            ]
        );
        assert_eq!(found.hashes.iter().filter(|h| h.is_some()).count(), 1);
        assert_eq!(found.sizes, [0, 0, 5, 0, 0]);
    }
}

#[test]
fn hashing_tells_its_progress_and_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.bin"), b"bytes");
    let (data, files) = dataset(folder.path(), &["a.bin"]);
    let task = Task::new();
    fingerprint(&data, &Cache::none(), false, &task).unwrap();
    let progress = task.progress();
    assert_eq!((progress.stage, progress.done, progress.total), ("Hashing files", 1, 1));
    reads(&files);
    task.cancel();
    let outcome = fingerprint(&data, &Cache::none(), false, &task);
    assert!(matches!(outcome, Err(FeatureError::Cancelled(_))));
    assert_eq!(reads(&files), 0);
}

/// Passes everything on and counts what is read.
struct Counted {
    inner: Arc<dyn Pictures>,
    reads: AtomicUsize,
}

impl Pictures for Counted {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read(row)
    }
    fn stamp(&self, row: usize) -> Option<Stamp> {
        self.inner.stamp(row)
    }
    fn path(&self, row: usize) -> Option<PathBuf> {
        self.inner.path(row)
    }
}

struct Brightness;

impl Extractor for Brightness {
    fn id(&self) -> &'static str {
        "brightness-1"
    }
    fn dim(&self) -> usize {
        1
    }
    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        let sum: u64 = picture.rgb.iter().map(|&sample| u64::from(sample)).sum();
        out[0] = sum as f32 / picture.rgb.len() as f32;
    }
}

#[test]
fn a_second_opening_of_real_photos_recomputes_nothing() {
    let Some(folder) = shared_data("clothing/base") else { return };
    let home = tempfile::tempdir().unwrap();
    let rows: Vec<u32> = (0..1000).step_by(25).collect();
    let open = || {
        let Dataset { version, pictures } =
            source::open(&Place { path: folder.clone(), ..Place::default() }, &Task::new()).unwrap();
        let counted = Arc::new(Counted { inner: pictures, reads: AtomicUsize::new(0) });
        let cache = Cache::at(home.path());
        let dataset = Dataset { version, pictures: counted.clone() };
        let fingerprints = fingerprint(&dataset, &cache, false, &Task::new()).unwrap();
        let numbers = embed(&dataset, &fingerprints, Some(&rows), &Brightness, &cache, &Task::new()).unwrap();
        assert_eq!(cache.trouble(), None);
        (counted.reads.load(Ordering::Relaxed), fingerprints, numbers)
    };
    let (reads, first, numbers) = open();
    assert_eq!((reads, first.hashes.len(), first.unreadable.len()), (1040, 1000, 0));
    assert_eq!(numbers.rows, rows);
    assert!(numbers.values.iter().all(|value| (10.0..250.0).contains(&value.to_f32())));
    let (reads, second, again) = open();
    assert_eq!(reads, 0);
    assert_eq!((second.hashes, second.sizes), (first.hashes, first.sizes));
    assert_eq!((again.rows, again.values), (numbers.rows, numbers.values));
}

#[test]
fn perceptual_hashes_know_a_photo_again_and_tell_photos_apart() {
    let Some(folder) = shared_data("clothing/base") else { return };
    let photos = source::open(&Place { path: folder, ..Place::default() }, &Task::new()).unwrap();
    let rows: Vec<u32> = (0..1000).step_by(20).collect();
    let copies = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..rows.len()).map(|i| format!("{i:03}.png")).collect();
    for (&row, name) in rows.iter().zip(&names) {
        let photo = picture::decode(&photos.pictures.read(row as usize).unwrap()).unwrap();
        let small = picture::resize(&photo, photo.width * 2 / 3, photo.height * 2 / 3);
        image::RgbImage::from_raw(small.width, small.height, small.rgb)
            .unwrap()
            .save(copies.path().join(name))
            .unwrap();
    }
    let (copies, _) = dataset(copies.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let hashes = |dataset: &Dataset, rows: Option<&[u32]>| -> Vec<u64> {
        let fingerprints = fingerprint(dataset, &Cache::none(), false, &Task::new()).unwrap();
        let looks = look(dataset, &fingerprints, rows, &Cache::none(), &Task::new()).unwrap();
        assert_eq!(looks.warnings, []);
        looks.rows.into_iter().flatten().map(|look| look.perceptual_hash).collect()
    };
    let (photos, copies) = (hashes(&photos, Some(&rows)), hashes(&copies, None));
    let own: Vec<u32> = photos.iter().zip(&copies).map(|(a, b)| (a ^ b).count_ones()).collect();
    assert!(own.iter().all(|&bits| bits <= 4), "bits that differ after resizing: {own:?}");
    let mut others: Vec<u32> = (0..photos.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| (photos[i] ^ photos[j]).count_ones())
        .collect();
    others.sort_unstable();
    assert!(
        others[others.len() / 100] >= 8,
        "one pair of photos in a hundred is nearer: {:?}",
        &others[..20]
    );
}

#[test]
fn thumbnails_of_real_photos_fit() {
    let Some(folder) = shared_data("clothing/base") else { return };
    let photos = source::open(&Place { path: folder, ..Place::default() }, &Task::new()).unwrap();
    for row in (0..1000).step_by(50) {
        let bytes = photos.pictures.read(row).unwrap();
        let whole = picture::decode(&bytes).unwrap();
        let (small, stored) = picture::thumbnail(&bytes, 128).unwrap();
        assert_eq!(stored, (whole.width, whole.height));
        assert_eq!(small.width.max(small.height), 128);
        let other = picture::resize(&whole, small.width, small.height);
        let error: u64 = small.rgb.iter().zip(&other.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        assert!(
            error / (small.rgb.len() as u64) < 6,
            "row {row}: the thumbnail looks otherwise than the photo"
        );
    }
}

/// Takes its time, and leaves a byte in a file for each picture it was given.
struct Slow(PathBuf);

impl Extractor for Slow {
    fn id(&self) -> &'static str {
        "slow-1"
    }
    fn dim(&self) -> usize {
        1
    }
    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        std::thread::sleep(Duration::from_millis(15));
        out[0] = f32::from(picture.rgb[0]);
        File::options().append(true).create(true).open(&self.0).unwrap().write_all(b".").unwrap();
    }
}

const PICTURES: usize = 500;

fn embed_slowly(folder: &Path) -> Vec<f32> {
    let names: Vec<String> = (0..PICTURES).map(|i| format!("{i:03}.png")).collect();
    let (data, _) = dataset(&folder.join("data"), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let cache = Cache::at(&folder.join("cache"));
    assert_eq!(cache.trouble(), None);
    let slow = Slow(folder.join("count"));
    let found = embed(&data, &hash(&data, &cache), None, &slow, &cache, &Task::new()).unwrap();
    assert_eq!(cache.trouble(), None);
    found.values.iter().map(|value| value.to_f32()).collect()
}

/// The other process of the next test.
#[test]
#[ignore = "run by the test below, to be killed"]
fn embeds_until_it_is_killed() {
    if let Some(folder) = std::env::var_os("SPARROWHAWK_TEST_FOLDER") {
        embed_slowly(Path::new(&folder));
    }
}

#[test]
fn a_killed_run_resumes_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for i in 0..PICTURES {
        let image = image::RgbImage::from_pixel(4, 4, image::Rgb([(i % 256) as u8, (i / 256) as u8, 0]));
        image.save(folder.path().join(format!("data/{i:03}.png"))).unwrap();
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "feature::embeds_until_it_is_killed", "--ignored"])
        .env("SPARROWHAWK_TEST_FOLDER", folder.path())
        .env("RAYON_NUM_THREADS", "2")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let count = || std::fs::metadata(folder.path().join("count")).map_or(0, |about| about.len() as usize);
    let patience = SystemTime::now() + Duration::from_mins(1);
    while count() < 400 {
        assert!(
            SystemTime::now() < patience && child.try_wait().unwrap().is_none(),
            "it got as far as {}",
            count()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let killed_at = count();
    assert!(killed_at < PICTURES);
    let numbers = embed_slowly(folder.path());
    let again = count() - killed_at;
    // Two threads for the last second or so: a second or two of work is lost, not all of it.
    assert!(again < PICTURES - 50, "{killed_at} had been done, and then {again} of {PICTURES}");
    assert!(numbers.iter().enumerate().all(|(i, &value)| value == (i % 256) as f32));
}

#[cfg(feature = "onnx")]
#[test]
fn a_real_model_sees_pictures_and_a_damaged_one_is_refused() {
    use sparrowhawk::feature::{Extractor, OnnxModel};
    let Some(folder) = shared_data("models") else { return };
    let bytes = std::fs::read(folder.join("efficientnet-lite0.onnx")).unwrap();
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join("own.onnx");
    let open = |bytes: &[u8], settings: &str| {
        std::fs::write(&path, bytes).unwrap();
        std::fs::write(path.with_extension("toml"), settings).unwrap();
        OnnxModel::open(&path, None).map_err(|error| error.to_string())
    };
    let small = "width = 32\nheight = 32";
    let model = open(&bytes, small).unwrap();
    assert_eq!(model.dim(), 1280, "the output named embedding, not the logits");
    let other = open(&bytes, "width = 32\nheight = 32\noutput = \"logits\"").unwrap();
    assert!(other.dim() == 1000 && other.id() != model.id());
    let refused = |bytes: &[u8], settings: &str, part: &str| {
        let error = open(bytes, settings).err().expect("an error");
        assert!(error.contains(part) && error.contains("own.onnx"), "{error}");
    };
    refused(&bytes, "output = \"features\"", "no output `features`; there are: ");
    refused(&bytes, "width = 4000", "the limit is 1024 a side");
    refused(&bytes, "layout = \"nhwc\"", "three channels");
    refused(&bytes[..bytes.len() / 2], small, "own.onnx");
    // A thread that waits for the model must not begin another picture: its stack would fill with them.
    thread_local!(static BEGUN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    let picture = Picture { width: 32, height: 32, rgb: vec![90; 32 * 32 * 3], format: "png" };
    (0..16).into_par_iter().for_each(|_| {
        assert_eq!(BEGUN.replace(1), 0, "begun within another");
        model.extract(&picture, &mut vec![0.0; model.dim()]);
        BEGUN.set(0);
    });
}
