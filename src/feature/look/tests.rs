use std::io::Cursor;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::*;
use crate::feature::fingerprint;
use crate::model::{SourceRef, VersionBuilder};
use crate::source::{Pictures, ReadError, Stamp};

/// Files in memory, which can be changed; counts how often one is read.
struct Memory {
    files: Mutex<Vec<Result<Vec<u8>, ReadError>>>,
    reads: AtomicUsize,
}

impl Memory {
    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }

    fn set(&self, row: usize, file: Result<Vec<u8>, ReadError>) -> Result<Vec<u8>, ReadError> {
        std::mem::replace(&mut self.files.lock().unwrap()[row], file)
    }
}

impl Pictures for Memory {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.files.lock().unwrap()[row].clone()
    }
    fn stamp(&self, _row: usize) -> Option<Stamp> {
        None
    }
    fn path(&self, _row: usize) -> Option<PathBuf> {
        None
    }
}

/// The mean of each channel; counts its pictures, and may cancel a task at one of them.
#[derive(Default)]
struct Mean {
    pictures: AtomicUsize,
    cancel_at: Option<(usize, Task)>,
}

impl Mean {
    fn pictures(&self) -> usize {
        self.pictures.swap(0, Ordering::Relaxed)
    }
}

impl Extractor for Mean {
    fn id(&self) -> &'static str {
        "mean-1"
    }
    fn dim(&self) -> usize {
        3
    }
    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        let seen = self.pictures.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some((at, task)) = &self.cancel_at
            && seen == *at
        {
            task.cancel();
        }
        for (channel, mean) in out.iter_mut().enumerate() {
            let sum: u32 = picture.rgb.iter().skip(channel).step_by(3).map(|&v| u32::from(v)).sum();
            *mean = sum as f32 / (picture.rgb.len() / 3) as f32;
        }
    }
}

fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(seed: u8) -> Vec<u8> {
    encoded(&RgbImage::from_fn(20, 10, |x, y| Rgb([x as u8 * 12, y as u8 * 25, seed])), ImageFormat::Png)
}

/// Files by ascending name, their dataset and fingerprints.
fn dataset(files: Vec<(&str, Vec<u8>)>) -> (Dataset, Fingerprints, Arc<Memory>) {
    let mut builder = VersionBuilder::default();
    for (name, _) in &files {
        builder.push(name, None, None);
    }
    let source = SourceRef { kind: "folder".into(), place: "/memory".into(), revision: None };
    let (version, order) = builder.build(source, "memory", "none");
    assert!(order.is_sorted(), "name the files in ascending order");
    let files = Mutex::new(files.into_iter().map(|(_, bytes)| Ok(bytes)).collect());
    let memory = Arc::new(Memory { files, reads: AtomicUsize::new(0) });
    let dataset = Dataset { version: Arc::new(version), pictures: memory.clone() };
    let fingerprints = fingerprint(&dataset, &Cache::none(), false, &Task::new()).unwrap();
    memory.reads();
    (dataset, fingerprints, memory)
}

/// Good, equal, misnamed, damaged, bomb and empty.
fn mixed() -> (Dataset, Fingerprints, Arc<Memory>) {
    let bomb = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x06\0\0\0".as_slice(), &[0; 20]]
        .concat();
    dataset(vec![
        ("a.png", png(1)),
        ("b.png", png(2)),
        ("c-like-a.png", png(1)),
        ("d.jpg", png(3)),
        ("e-bomb.png", bomb),
        ("f-cut.png", png(4)[..60].to_vec()),
        ("g-empty.png", Vec::new()),
        ("h.bmp", encoded(&RgbImage::from_pixel(5, 7, Rgb([9, 8, 7])), ImageFormat::Bmp)),
    ])
}

fn see_all(data: &(Dataset, Fingerprints, Arc<Memory>), extractor: &Mean, cache: &Cache) -> Looks {
    look_with(&[extractor], &data.0, &data.1, None, cache, &Task::new()).unwrap()
}

fn embed_all(data: &(Dataset, Fingerprints, Arc<Memory>), extractor: &Mean, cache: &Cache) -> Embeddings {
    embed(&data.0, &data.1, None, extractor, cache, &Task::new()).unwrap()
}

#[test]
fn pictures_are_seen_and_trouble_is_told_by_sample() {
    let data = mixed();
    let looks = see_all(&data, &Mean::default(), &Cache::none());
    let sizes: Vec<_> = looks.rows.iter().map(|look| look.map(|l| (l.width, l.height, l.format))).collect();
    let small = Some((20, 10, "png"));
    assert_eq!(sizes, [small, small, small, small, None, None, None, Some((5, 7, "bmp"))]);
    assert_eq!(looks.rows[0], looks.rows[2]);
    let warnings: Vec<_> = looks.warnings.iter().map(|w| (w.key.as_str(), w.kind)).collect();
    assert_eq!(
        warnings,
        [
            ("d.jpg", WarningKind::WrongExtension),
            ("e-bomb.png", WarningKind::Oversized),
            ("f-cut.png", WarningKind::Unreadable),
            ("g-empty.png", WarningKind::Unreadable),
        ]
    );
    assert!(looks.warnings[1].message.contains("60000 × 60000"), "{}", looks.warnings[1].message);
}

#[test]
fn a_second_look_decodes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, mean) = (mixed(), Mean::default());
    let first = see_all(&data, &mean, &Cache::at(folder.path()));
    assert_eq!((data.2.reads(), mean.pictures()), (7, 4), "one of the eight holds the bytes of another");
    let second = see_all(&data, &mean, &Cache::at(folder.path()));
    assert_eq!((data.2.reads(), mean.pictures()), (0, 0), "failures are remembered too");
    assert_eq!((first.rows, first.warnings), (second.rows, second.warnings));
    let numbers = embed_all(&data, &mean, &Cache::at(folder.path()));
    assert_eq!((data.2.reads(), mean.pictures()), (0, 0), "the numbers were noted in the same go");
    assert_eq!(numbers.rows, [0, 1, 2, 3, 7]);
}

#[test]
fn embeddings_are_the_same_with_and_without_a_cache() {
    let (data, mean) = (mixed(), Mean::default());
    let direct = embed_all(&data, &mean, &Cache::none());
    assert_eq!(direct.rows, [0, 1, 2, 3, 7]);
    assert_eq!((direct.dim, direct.values.len()), (3, 15));
    assert_eq!(direct.values[..3], direct.values[6..9], "equal bytes");
    assert_eq!(direct.values[12..], [9.0, 8.0, 7.0].map(f16::from_f32));
    assert_eq!(mean.pictures(), 4);
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    for _ in 0..2 {
        let cached = embed_all(&data, &mean, &cache);
        assert_eq!((&cached.rows, &cached.values), (&direct.rows, &direct.values));
    }
    assert_eq!((mean.pictures(), data.2.reads()), (4, 14));
}

#[test]
fn only_the_rows_asked_for_are_read() {
    let (data, mean) = (mixed(), Mean::default());
    let rows = Some([7, 2, 2, 5, 99].as_slice());
    let found = embed(&data.0, &data.1, rows, &mean, &Cache::none(), &Task::new()).unwrap();
    assert_eq!(found.rows, [2, 7]);
    assert_eq!(data.2.reads(), 3);
    let looks = look_with(&[], &data.0, &data.1, rows, &Cache::none(), &Task::new()).unwrap();
    assert_eq!(looks.rows.iter().filter(|look| look.is_some()).count(), 2);
    assert_eq!(looks.warnings.len(), 1);
    let none = embed(&data.0, &data.1, Some(&[]), &mean, &Cache::none(), &Task::new()).unwrap();
    assert!(none.rows.is_empty() && none.values.is_empty());
}

#[test]
fn another_file_with_the_same_bytes_stands_in() {
    let data = mixed();
    data.2.set(0, Err(ReadError::Missing)).unwrap();
    let looks = see_all(&data, &Mean::default(), &Cache::none());
    assert!(looks.rows[0].is_some(), "seen through its twin");
}

#[test]
fn a_file_that_changed_meanwhile_is_not_noted_under_its_old_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (data, mean) = (mixed(), Mean::default());
    let old = data.2.set(1, Ok(png(77))).unwrap();
    let looks = see_all(&data, &mean, &Cache::at(folder.path()));
    assert_eq!(looks.rows[1], None);
    assert!(looks.warnings.iter().any(|w| w.key == "b.png" && w.message.contains("has changed")));
    data.2.set(1, Err(ReadError::Missing)).unwrap();
    let looks = see_all(&data, &mean, &Cache::at(folder.path()));
    assert!(looks.warnings.iter().any(|w| w.key == "b.png" && w.kind == WarningKind::Missing));
    let _ = data.2.set(1, Ok(old));
    assert!(see_all(&data, &mean, &Cache::at(folder.path())).rows[1].is_some());
}

fn many() -> (Dataset, Fingerprints, Arc<Memory>) {
    let names: Vec<String> = (0..60).map(|i| format!("{i:02}.png")).collect();
    dataset(names.iter().enumerate().map(|(i, name)| (name.as_str(), png(i as u8))).collect())
}

#[test]
fn a_cancelled_run_resumes_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = many();
    let task = Task::new();
    let first = Mean { cancel_at: Some((20, task.clone())), ..Mean::default() };
    let outcome = look_with(&[&first], &data.0, &data.1, None, &Cache::at(folder.path()), &task);
    assert!(matches!(outcome, Err(FeatureError::Cancelled(_))));
    let done = first.pictures();
    assert!((20..60).contains(&done), "{done}");
    let rest = Mean::default();
    let looks = see_all(&data, &rest, &Cache::at(folder.path()));
    assert_eq!(done + rest.pictures(), 60);
    assert!(looks.rows.iter().all(Option::is_some));
}

#[test]
fn what_one_extractor_lacks_is_made_up_for() {
    struct Size;
    impl Extractor for Size {
        fn id(&self) -> &'static str {
            "size-1"
        }
        fn dim(&self) -> usize {
            2
        }
        fn extract(&self, picture: &Picture, out: &mut [f32]) {
            out.copy_from_slice(&[picture.width as f32, picture.height as f32]);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, mean) = (mixed(), Mean::default());
    let cache = Cache::at(folder.path());
    see_all(&data, &mean, &cache);
    data.2.reads();
    let both: [&dyn Extractor; 2] = [&mean, &Size];
    look_with(&both, &data.0, &data.1, None, &cache, &Task::new()).unwrap();
    assert_eq!(data.2.reads(), 4, "the decodable ones");
    let sizes = embed(&data.0, &data.1, None, &Size, &cache, &Task::new()).unwrap();
    assert_eq!(data.2.reads(), 0);
    assert_eq!(sizes.values[..2], [20.0, 10.0].map(f16::from_f32));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (data, mean) = (many(), Mean::default());
            let looks = see_all(&data, &mean, &Cache::none());
            (looks.rows, looks.warnings, embed_all(&data, &mean, &Cache::none()).values)
        })
    };
    assert!(run(1) == run(4));
}

#[test]
fn progress_counts_distinct_pictures() {
    let data = mixed();
    let task = Task::new();
    look_with(&[], &data.0, &data.1, None, &Cache::none(), &task).unwrap();
    let progress = task.progress();
    assert_eq!((progress.stage, progress.done, progress.total), ("Reading pictures", 7, 7));
}

#[test]
fn records_read_back() {
    for format in FORMATS {
        let seen = Ok(Look {
            width: 640,
            height: 3,
            format,
            perceptual_hash: 0x0123_4567_89AB_CDEF,
            pixel_hash: 0xFEDC_BA98_7654_3210,
            quality: Quality::default(),
        });
        assert_eq!(decode_record(&encode(&seen)), Some(seen));
    }
    for kind in [WarningKind::Oversized, WarningKind::Unreadable] {
        let seen = Err(Failure { kind, message: "60,000 × 60,000 pixels".to_owned() });
        assert_eq!(decode_record(&encode(&seen)), Some(seen));
    }
    for wrong in
        [b"".as_slice(), b"\x01", b"\x00123456789012345", b"\x0012345678901234567", &[99; 17], b"\xFF\xFF"]
    {
        assert_eq!(decode_record(wrong), None, "{wrong:?}");
    }
}

#[test]
fn extensions_that_lie_are_told() {
    assert_eq!(wrong_extension("a/b.png", "png"), None);
    assert_eq!(wrong_extension("a/b.JPG", "jpeg"), None);
    assert_eq!(wrong_extension("a.png/b", "jpeg"), None);
    assert_eq!(wrong_extension("a/b.dat", "jpeg"), None);
    let warning = wrong_extension("a/b.jpg", "png").expect("it lies");
    assert_eq!((warning.key.as_str(), warning.kind), ("a/b.jpg", WarningKind::WrongExtension));
}
