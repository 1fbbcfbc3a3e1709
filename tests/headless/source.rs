//! Tests of `source` on real files: every format on the same hostile fixtures, then each format's own ways.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sparrowhawk::model::{Version, WarningKind};
use sparrowhawk::source::{
    self, Dataset, FORMATS, Format, ListOptions, MAX_FILE_BYTES, Place, ReadError, SourceError,
};
use sparrowhawk::task::Task;
use tempfile::TempDir;

use crate::common::shared_data;

/// A real 1 × 1 picture.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(1, 1).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn place(path: impl Into<PathBuf>) -> Place {
    Place { path: path.into(), ..Place::default() }
}

fn open(path: impl Into<PathBuf>) -> Result<Dataset, SourceError> {
    source::open(&place(path), &Task::new())
}

fn opened(path: impl Into<PathBuf>) -> Dataset {
    open(path).unwrap_or_else(|error| panic!("{error}"))
}

/// The words of the error that opening ends in.
fn refused(path: impl Into<PathBuf>) -> String {
    open(path).err().expect("this must not open").to_string()
}

/// `key label split` of each row, `-` for none.
fn rows(version: &Version) -> Vec<String> {
    let text = |row| {
        let (label, split) = (version.label(row).unwrap_or("-"), version.split(row).unwrap_or("-"));
        format!("{} {label} {split}", version.key(row))
    };
    (0..version.len()).map(text).collect()
}

/// `kind key` of each warning.
fn warnings(version: &Version) -> Vec<String> {
    version.warnings().iter().map(|w| format!("{} {}", w.kind.as_str(), w.key)).collect()
}

fn row_of(dataset: &Dataset, key: &str) -> usize {
    dataset.version.row_of(key).unwrap_or_else(|| panic!("no sample {key:?}"))
}

/// Everything below a folder: path, size and time of change.
fn state(root: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                pending.push(path.clone());
            }
            found.push((path, metadata.len(), metadata.modified().unwrap()));
        }
    }
    found.sort();
    found
}

// ---- Every format

/// The same samples, `label/name`, as a place of the given format. A new format adds its way here.
fn fixture(format: &dyn Format, root: &Path, samples: &[(&str, &str, Vec<u8>)]) -> Place {
    match format.id() {
        "folder" => {
            fs::create_dir_all(root).unwrap();
            for (label, name, bytes) in samples {
                put(root, &format!("{label}/{name}"), bytes);
            }
            place(root)
        }
        "list" => {
            fs::create_dir_all(root).unwrap();
            let mut list = String::from("path,label\n");
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            for (label, name, bytes) in samples {
                let path = format!("pictures/{label}/{name}");
                put(root, &path, bytes);
                writeln!(list, "{},{}", quoted(&path), quoted(label)).unwrap();
            }
            fs::write(root.join("list.csv"), list).unwrap();
            place(root.join("list.csv"))
        }
        other => panic!("add a fixture for the format {other}"),
    }
}

fn for_every_format(check: impl Fn(&dyn Format, &Path)) {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        check(*format, &folder.path().join("data"));
    }
}

#[test]
fn every_format_refuses_an_empty_place_with_advice() {
    for_every_format(|format, root| {
        let place = fixture(format, root, &[]);
        assert!(format.sniff(&place), "{}", format.id());
        let Err(SourceError::Invalid { message, .. }) = format.open(&place, &Task::new()).map(|_| ()) else {
            panic!("{}: an empty place must be refused", format.id());
        };
        assert!(message.len() > 30, "{}: {message}", format.id());
    });
}

#[test]
fn every_format_opens_one_class_and_reads_its_picture() {
    for_every_format(|format, root| {
        let place = fixture(format, root, &[("cat", "1.png", png())]);
        let dataset = source::open(&place, &Task::new()).unwrap();
        let (version, pictures) = (&dataset.version, &dataset.pictures);
        assert_eq!((version.len(), version.label(0)), (1, Some("cat")), "{}", format.id());
        assert_eq!(version.source().kind, format.id());
        assert_eq!(version.warnings(), []);
        assert_eq!(pictures.read(0), Ok(png()));
        let stamp = pictures.stamp(0).unwrap();
        assert_eq!(stamp.size_bytes, png().len() as u64);
        assert!(stamp.modified_nanos > 1_000_000_000_000_000_000, "{stamp:?}");
        assert_eq!(pictures.path(0).as_deref(), Some(stamp.path.as_path()));
        assert_eq!(pictures.read(1), Err(ReadError::Missing));
        assert_eq!((pictures.stamp(1), pictures.path(1)), (None, None));
    });
}

#[test]
fn every_format_holds_2000_classes() {
    for_every_format(|format, root| {
        let labels: Vec<String> = (0..2000).map(|n| format!("class {n:04}")).collect();
        let samples: Vec<_> = labels.iter().map(|label| (label.as_str(), "1.png", vec![0])).collect();
        let version = source::open(&fixture(format, root, &samples), &Task::new()).unwrap().version;
        assert_eq!((version.len(), version.classes().len()), (2000, 2000), "{}", format.id());
        assert_eq!(version.label(1234), Some("class 1234"));
    });
}

#[test]
fn every_format_keeps_hostile_names_as_they_are() {
    let long = format!("{}.png", "x".repeat(250));
    let names = [
        "new\nline.png",
        "car\rriage.png",
        "q\"uo\"te.png",
        "it's.png",
        "a,b;c\td.png",
        "😀 猫.PNG",
        "\u{202e}gnp.exe.png",
        " space .png",
        "%41%00.png",
        "<script>.png",
        "-rf.png",
        "~.png",
        "$(id).png",
        &long,
    ];
    for_every_format(|format, root| {
        let samples: Vec<_> =
            names.iter().map(|name| ("ein \"Label\"\n", *name, name.as_bytes().to_vec())).collect();
        let dataset = source::open(&fixture(format, root, &samples), &Task::new()).unwrap();
        assert_eq!(dataset.version.len(), names.len(), "{}", format.id());
        assert_eq!(dataset.version.warnings(), [], "{}", format.id());
        for name in names {
            let row = (0..names.len()).find(|&row| dataset.version.key(row).ends_with(name));
            let row = row.unwrap_or_else(|| panic!("{}: no {name:?}", format.id()));
            assert_eq!(dataset.version.label(row), Some("ein \"Label\"\n"));
            assert_eq!(dataset.pictures.read(row), Ok(name.as_bytes().to_vec()), "{name:?}");
        }
    });
}

#[test]
fn every_format_stops_when_cancelled() {
    for_every_format(|format, root| {
        let place = fixture(format, root, &[("cat", "1.png", png())]);
        let task = Task::new();
        task.cancel();
        assert!(matches!(source::open(&place, &task), Err(SourceError::Cancelled(_))), "{}", format.id());
    });
}

#[test]
fn every_format_gives_the_same_twice_and_writes_nothing() {
    for_every_format(|format, root| {
        let labels: Vec<String> = (0..50).map(|n| format!("c{}", n % 7)).collect();
        let names: Vec<String> = (0..50).map(|n| format!("{}.png", (n * 37) % 50)).collect();
        let samples: Vec<_> = (0..50).map(|n| (labels[n].as_str(), names[n].as_str(), png())).collect();
        let place = fixture(format, root, &samples);
        let before = state(root);
        let (first, second) =
            (source::open(&place, &Task::new()).unwrap(), source::open(&place, &Task::new()).unwrap());
        assert_eq!(rows(&first.version), rows(&second.version), "{}", format.id());
        assert_eq!(first.version.warnings(), second.version.warnings());
        assert_eq!(first.version.source(), second.version.source());
        for row in 0..50 {
            first.pictures.read(row).unwrap();
            first.pictures.stamp(row).unwrap();
        }
        assert_eq!(state(root), before, "{}: something was written", format.id());
    });
}

#[test]
fn every_format_tells_progress() {
    for_every_format(|format, root| {
        let task = Task::new();
        source::open(&fixture(format, root, &[("cat", "1.png", png())]), &task).unwrap();
        assert!(!task.progress().stage.is_empty(), "{}", format.id());
    });
}

#[test]
fn every_format_says_missing_when_the_place_disappears() {
    for_every_format(|format, root| {
        let place = fixture(format, root, &[("cat", "1.png", png())]);
        let dataset = source::open(&place, &Task::new()).unwrap();
        fs::remove_dir_all(root).unwrap();
        assert_eq!(dataset.pictures.read(0), Err(ReadError::Missing), "{}", format.id());
        assert_eq!(dataset.pictures.stamp(0), None);
        assert!(matches!(source::open(&place, &Task::new()), Err(SourceError::NotFound(_))));
    });
}

#[test]
fn every_format_refuses_a_file_beyond_the_limit_without_reading_it() {
    for_every_format(|format, root| {
        let place = fixture(format, root, &[("cat", "1.png", png())]);
        let dataset = source::open(&place, &Task::new()).unwrap();
        // Sparse: takes no space.
        let path = dataset.pictures.path(0).unwrap();
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert_eq!(
            dataset.pictures.read(0),
            Err(ReadError::TooLarge { size_bytes: MAX_FILE_BYTES + 1 }),
            "{}",
            format.id()
        );
    });
}

#[test]
#[cfg(unix)]
fn every_format_is_proof_against_swaps_after_listing() {
    use std::os::unix::fs::symlink;
    for_every_format(|format, root| {
        let place = fixture(
            format,
            root,
            &[("cat", "1.png", png()), ("cat", "2.png", png()), ("dog", "3.png", png())],
        );
        let secret = root.with_file_name("secret");
        put(&secret, "3.png", b"secret");
        let dataset = source::open(&place, &Task::new()).unwrap();
        let path = |row| dataset.pictures.path(row).unwrap();

        // A file becomes a link that leads out.
        fs::remove_file(path(0)).unwrap();
        symlink(secret.join("3.png"), path(0)).unwrap();
        // A file becomes a FIFO: reading must not wait for a writer.
        fs::remove_file(path(1)).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path(1)).status().unwrap().success());
        // A folder becomes a link that leads out.
        let folder = path(2).parent().unwrap().to_path_buf();
        fs::remove_dir_all(&folder).unwrap();
        symlink(&secret, &folder).unwrap();

        let (sender, receiver) = std::sync::mpsc::channel();
        let pictures = dataset.pictures.clone();
        std::thread::spawn(move || {
            for row in 0..3 {
                sender.send(pictures.read(row)).unwrap();
            }
        });
        let next = || receiver.recv_timeout(Duration::from_secs(20)).expect("reading hangs");
        assert_eq!(next(), Err(ReadError::OutsideRoot), "{}", format.id());
        assert!(matches!(next(), Err(ReadError::Io(_))), "{}", format.id());
        assert_eq!(next(), Err(ReadError::OutsideRoot), "{}", format.id());
        assert_eq!(dataset.pictures.stamp(0), None);
        assert_eq!(dataset.pictures.stamp(1), None);
    });
}

#[test]
fn what_is_not_there_is_said_so() {
    assert!(refused("/no/such/place").starts_with("there is no file or folder here"));
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "1.png", &png());
    put(folder.path(), "notes.txt", b"just words\n");
    for name in ["1.png", "notes.txt"] {
        let said = refused(folder.path().join(name));
        assert!(said.contains("folder: ") && said.contains("list: "), "{said}");
    }
}

// ---- folder

fn pets() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in ["cat/1.png", "cat/deeper/2.JPG", "dog/3.webp", "4.gif", "_unlabeled/5.tiff"] {
        put(folder.path(), path, &png());
    }
    folder
}

#[test]
fn a_folder_has_class_folders() {
    let folder = pets();
    let version = opened(folder.path()).version;
    assert_eq!(
        rows(&version),
        [
            "4.gif - -",
            "_unlabeled/5.tiff - -",
            "cat/1.png cat -",
            "cat/deeper/2.JPG cat -",
            "dog/3.webp dog -"
        ]
    );
    assert_eq!(version.label_origin(), "folder names");
    assert_eq!(version.name(), folder.path().file_name().unwrap().to_str().unwrap());
    assert_eq!(warnings(&version), [""; 0]);
}

#[test]
fn a_folder_has_splits_when_all_its_folders_are() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["Train/cat/1.png", "test/cat/1.png", "unlabeled/1.png"] {
        put(folder.path(), path, &png());
    }
    // Holds no pictures, so it does not count.
    put(folder.path(), "docs/readme.txt", b"");
    let version = opened(folder.path()).version;
    assert_eq!(
        rows(&version),
        ["Train/cat/1.png cat Train", "test/cat/1.png cat test", "unlabeled/1.png - -"]
    );
    put(folder.path(), "extra/1.png", &png());
    let version = opened(folder.path()).version;
    assert_eq!(rows(&version)[0], "Train/cat/1.png Train -");
}

#[test]
fn other_files_are_one_warning_a_folder_and_hidden_ones_none() {
    let folder = pets();
    for number in 0..5000 {
        put(folder.path(), &format!("cat/{number:04}.txt"), b"");
    }
    put(folder.path(), "dog/x.svg", b"");
    for hidden in [".git/1.png", "cat/.1.png", "__MACOSX/cat/1.png", "cat/Thumbs.db", "dog/.DS_Store"] {
        put(folder.path(), hidden, b"");
    }
    let version = opened(folder.path()).version;
    assert_eq!(version.len(), 5);
    assert_eq!(warnings(&version), ["not-a-picture cat/", "not-a-picture dog/"]);
    let message = &version.warnings()[0].message;
    assert!(message.contains("5000") && message.contains("`0000.txt`"), "{message}");
}

#[test]
fn a_folder_without_pictures_says_what_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path());
    assert!(said.contains("no pictures") && said.contains("png") && said.contains("CLASS/picture"), "{said}");
    put(folder.path(), "labels.csv", b"path,label\n");
    let said = refused(folder.path());
    assert!(said.contains("labels.csv"), "{said}");
}

#[test]
fn folders_deeper_than_the_limit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &format!("{}1.png", "d/".repeat(32)), &png());
    assert_eq!(opened(folder.path()).version.len(), 1);
    put(folder.path(), &format!("{}1.png", "d/".repeat(33)), &png());
    assert!(refused(folder.path()).contains("32 deep"));
}

#[test]
#[cfg(unix)]
fn links_are_followed_only_to_files_inside() {
    use std::os::unix::fs::symlink;
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    put(outer.path(), "secret.png", b"secret");
    put(&root, "cat/1.png", &png());
    put(&root, ".store/2.bin", b"stored");
    put(&root, "cat/3.txt", b"");
    symlink("1.png", root.join("cat/inside.png")).unwrap();
    symlink(root.canonicalize().unwrap().join(".store/2.bin"), root.join("cat/stored.png")).unwrap();
    symlink("../../secret.png", root.join("cat/outside.png")).unwrap();
    symlink("nowhere.png", root.join("cat/broken.png")).unwrap();
    symlink("loop.png", root.join("cat/loop.png")).unwrap();
    symlink("..", root.join("cat/cycle")).unwrap();
    symlink(outer.path(), root.join("way-out")).unwrap();
    symlink("3.txt", root.join("cat/link-to-text.txt")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("cat/fifo.png")).status().unwrap().success());
    let dataset = opened(&root);
    let keys: Vec<_> = (0..dataset.version.len()).map(|row| dataset.version.key(row)).collect();
    assert_eq!(
        keys,
        [
            "cat/1.png",
            "cat/broken.png",
            "cat/inside.png",
            "cat/loop.png",
            "cat/outside.png",
            "cat/stored.png"
        ]
    );
    assert_eq!(
        warnings(&dataset.version),
        [
            "outside-root way-out",
            "missing cat/broken.png",
            "not-a-picture cat/cycle",
            "unreadable cat/loop.png",
            "outside-root cat/outside.png",
            "not-a-picture cat/",
        ]
    );
    let read = |key| dataset.pictures.read(row_of(&dataset, key));
    assert_eq!(read("cat/inside.png"), Ok(png()));
    assert_eq!(read("cat/stored.png"), Ok(b"stored".to_vec()));
    assert_eq!(read("cat/outside.png"), Err(ReadError::OutsideRoot));
    assert_eq!(read("cat/broken.png"), Err(ReadError::Missing));
    assert!(matches!(read("cat/loop.png"), Err(ReadError::Io(_))));
    let row = row_of(&dataset, "cat/outside.png");
    assert_eq!((dataset.pictures.stamp(row), dataset.pictures.path(row)), (None, None));
    assert_eq!(dataset.pictures.stamp(row_of(&dataset, "cat/stored.png")).unwrap().size_bytes, 6);
    // A link to the dataset itself is how many people name it.
    let link = outer.path().join("link");
    symlink(&root, &link).unwrap();
    assert_eq!(opened(&link).pictures.read(0), Ok(png()));
}

#[test]
#[cfg(unix)]
fn names_that_are_no_utf8_are_listed_and_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    let cats = folder.path().join(name(b"ch\xe2t"));
    let other = folder.path().join("ch%E2t");
    fs::create_dir(&cats).unwrap();
    fs::create_dir(&other).unwrap();
    for (path, bytes) in [
        (cats.join("1.png"), "1"),
        (cats.join(name(b"\xff.png")), "2"),
        (cats.join(name(b"%FF.png")), "3"),
        (cats.join(name(b"\xff%FF.png")), "4"),
        (cats.join(name(b"%FF\xff.png")), "5"),
        (other.join("1.png"), "6"),
    ] {
        fs::write(path, bytes).unwrap();
    }
    let dataset = opened(folder.path());
    assert_eq!(
        rows(&dataset.version),
        [
            "ch%E2t/1.png ch%E2t -",
            "ch%E2t~2/%FF%FF.png ch%E2t~2 -",
            "ch%E2t~2/%FF%FF~2.png ch%E2t~2 -",
            "ch%E2t~2/%FF.png ch%E2t~2 -",
            "ch%E2t~2/%FF~2.png ch%E2t~2 -",
            "ch%E2t~2/1.png ch%E2t~2 -",
        ]
    );
    let read: Vec<String> =
        (0..6).map(|row| String::from_utf8(dataset.pictures.read(row).unwrap()).unwrap()).collect();
    assert_eq!(read, ["6", "5", "4", "3", "2", "1"]);
    assert!(dataset.pictures.stamp(4).is_some());
}

// ---- folder with metadata

#[test]
fn metadata_wins_over_folder_names() {
    let folder = pets();
    put(
        folder.path(),
        "metadata.csv",
        b"\xef\xbb\xbffile_name,note,Label\r\ncat/1.png,\"a, b\",lion\r\ndog/3.webp,,\r\n./cat/deeper/2.JPG,x,tiger\r\n\
          cat/1.png,again,wolf\r\nno/such.png,x,lion\r\n../out.png,x,lion\r\ntoo,few\r\n4.gif,,lion\r\n",
    );
    let version = opened(folder.path()).version;
    assert_eq!(
        rows(&version),
        [
            "4.gif lion -",
            "_unlabeled/5.tiff - -",
            "cat/1.png lion -",
            "cat/deeper/2.JPG tiger -",
            "dog/3.webp - -"
        ]
    );
    assert_eq!(
        version.label_origin(),
        "column `Label` of metadata.csv; folder names are not used where it exists"
    );
    assert_eq!(
        warnings(&version),
        [
            "duplicate-key cat/1.png",
            "outside-root ../out.png",
            "bad-row metadata.csv:8",
            "bad-row _unlabeled/5.tiff",
            "missing no/such.png",
        ]
    );
}

#[test]
fn metadata_lies_in_split_folders_too() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["train/1.png", "train/2.png", "test/1.png"] {
        put(folder.path(), path, &png());
    }
    put(
        folder.path(),
        "train/metadata.jsonl",
        b"{\"file_name\":\"1.png\",\"label\":3}\n\n{\"label\":\"cat\",\"file_name\":\"2.png\",\"objects\":[{}]}",
    );
    put(folder.path(), "test/metadata.jsonl", b"{\"file_name\":\"1.png\",\"note\":\"held back\"}\n");
    let version = opened(folder.path()).version;
    assert_eq!(rows(&version), ["test/1.png - test", "train/1.png 3 train", "train/2.png cat train"]);
    assert_eq!(warnings(&version), ["bad-row test/1.png"]);
    // The file further down counts.
    put(folder.path(), "metadata.jsonl", b"{\"file_name\":\"train/1.png\",\"label\":\"dog\"}\n{\"file_name\":\"test/1.png\",\"label\":\"dog\"}\n");
    let version = opened(folder.path()).version;
    assert_eq!(rows(&version), ["test/1.png dog test", "train/1.png 3 train", "train/2.png cat train"]);
}

#[test]
fn metadata_without_labels_leaves_folder_names() {
    let folder = pets();
    put(folder.path(), "metadata.csv", b"file_name,caption\ncat/1.png,a cat\n");
    let version = opened(folder.path()).version;
    assert_eq!(version.label_origin(), "folder names: metadata.csv has no column of labels");
    assert_eq!(version.label(version.row_of("cat/1.png").unwrap()), Some("cat"));
    // Unless the user says which column it is.
    let list = ListOptions { label_column: Some("caption".into()), ..ListOptions::default() };
    let place = Place { path: folder.path().into(), list, kind: None };
    let version = source::open(&place, &Task::new()).unwrap().version;
    assert_eq!(version.label(version.row_of("cat/1.png").unwrap()), Some("a cat"));
}

#[test]
fn unclear_metadata_is_refused() {
    let folder = pets();
    put(folder.path(), "metadata.csv", b"name,label\n");
    let said = refused(folder.path());
    assert!(said.contains("`file_name`") && said.contains("`name`, `label`"), "{said}");
    put(folder.path(), "metadata.csv", b"file_name,label\ncat/1.png,caf\xe9\n");
    assert!(refused(folder.path()).contains("line 2"));
    put(folder.path(), "cat/metadata.jsonl", b"");
    assert!(refused(folder.path()).contains("two kinds"));
    let folder = pets();
    put(folder.path(), "metadata.parquet", b"PAR1");
    assert!(refused(folder.path()).contains("not read yet"));
    #[cfg(unix)]
    {
        let folder = pets();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("metadata.csv")).unwrap();
        assert!(refused(folder.path()).contains("leads out"));
        let folder = pets();
        put(folder.path(), ".store/1", b"file_name,label\ncat/1.png,lion\n");
        std::os::unix::fs::symlink(".store/1", folder.path().join("metadata.csv")).unwrap();
        let version = opened(folder.path()).version;
        assert_eq!(version.label(version.row_of("cat/1.png").unwrap()), Some("lion"));
    }
}

// ---- list

fn list(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a/1.png", &png());
    put(folder.path(), name, bytes);
    let path = folder.path().join(name);
    (folder, path)
}

fn list_rows(name: &str, bytes: &[u8]) -> Vec<String> {
    let (_folder, path) = list(name, bytes);
    rows(&opened(path).version)
}

#[test]
fn lists_of_all_shapes_are_read() {
    let expected = ["a/1.png cat train", "b, c/2.png 3 -"];
    for (name, text) in [
        ("x.csv", "path,label,split\na/1.png,cat,train\n\"b, c/2.png\",3,\n"),
        ("x.csv", "\u{feff}Split;LABEL;File\r\n\r\ntrain;cat;./a//1.png\r\n;3;b, c/x/../2.png"),
        ("x.tsv", "filename\tsubset\tclass_name\na/1.png\ttrain\tcat\nb, c/2.png\t\t3\n"),
        ("x.txt", "file_name\tset\ttarget\na/1.png\ttrain\tcat\nb, c/2.png\t\t3\n"),
        (
            "x.jsonl",
            "{\"image\":\"a/1.png\",\"label\":\"cat\",\"split\":\"train\"}\n{\"label\":3,\"image\":\"b, c/2.png\"}\n",
        ),
        (
            "x.ndjson",
            "\u{feff}{\"image\":\"b, c/2.png\",\"category\":3}\r\n\r\n{\"image\":\"a/1.png\",\"category\":\"cat\",\"partition\":\"train\"}",
        ),
        (
            "noext",
            "{\"path\":\"a/1.png\",\"label\":\"cat\",\"split\":\"train\"}\n{\"path\":\"b, c/2.png\",\"label\":3,\"split\":null}\n",
        ),
        ("x.csv", "path,label,split\na\\1.png,cat,train\n\"b, c\\2.png\",3,\n"),
    ] {
        assert_eq!(list_rows(name, text.as_bytes()), expected, "{name} {text}");
    }
}

#[test]
fn columns_are_named_by_options() {
    let (folder, path) = list("x.csv", b"a,b,c,label\n1.png,cat,train,no\n");
    let said = refused(&path);
    assert!(said.contains("`a`, `b`, `c`, `label`") && said.contains("--path-column"), "{said}");
    let options = ListOptions {
        path_column: Some("a".into()),
        label_column: Some("B".into()),
        split_column: Some("c".into()),
        root: Some(folder.path().join("a")),
    };
    let mut place = Place { path, list: options, kind: None };
    let dataset = source::open(&place, &Task::new()).unwrap();
    assert_eq!(rows(&dataset.version), ["1.png cat train"]);
    assert_eq!(dataset.version.label_origin(), "column `b` of x.csv");
    assert_eq!(dataset.pictures.read(0), Ok(png()));
    place.list.split_column = Some("splitt".into());
    let said = source::open(&place, &Task::new()).err().unwrap().to_string();
    assert!(said.contains("`splitt`") && said.contains("--split-column") && said.contains("`c`"), "{said}");
    place.list.root = Some("/no/such/root".into());
    assert!(matches!(source::open(&place, &Task::new()), Err(SourceError::NotFound(_))));
}

#[test]
fn of_two_columns_the_one_with_files_holds_the_paths() {
    let text = "path,image,label\n17,a/1.png,cat\n";
    assert_eq!(list_rows("x.csv", text.as_bytes()), ["a/1.png cat -"]);
    let text = "image,path,label\n17,a/1.png,cat\n";
    assert_eq!(list_rows("x.csv", text.as_bytes()), ["a/1.png cat -"]);
}

#[test]
fn a_list_without_columns_rows_or_labels_is_refused_with_advice() {
    for (text, words) in [
        ("", "empty"),
        ("\n\n", "empty"),
        ("path,label\n", "no rows"),
        ("a/1.png,cat\nb/2.png,dog\n", "put a line with column names first"),
        ("path,aggregate,random1\na/1.png,cat,dog\n", "--label-column"),
        ("path,label\n,cat\n", "line 2"),
        ("path,label\nhttps://x/1.png,cat\n", "nothing is downloaded"),
    ] {
        let (_folder, path) = list("x.csv", text.as_bytes());
        let said = refused(path);
        assert!(said.contains(words), "{text:?}: {said}");
    }
}

#[test]
fn bad_rows_are_warnings() {
    let text = "path,label\na/1.png,cat\nfew\na/2.png,cat,many\n,dog\na\0,dog\na/3.png,\n";
    // A zero byte is a sign of UTF-16 at the start of a file; here it lies in JSON, where it can be written.
    let (_folder, path) = list("x.csv", text.replace('\0', "//").as_bytes());
    let version = opened(&path).version;
    assert_eq!(rows(&version), ["a dog -", "a/1.png cat -", "a/3.png - -"]);
    assert_eq!(warnings(&version), ["bad-row x.csv:3", "bad-row x.csv:4", "bad-row x.csv:5"]);

    let text = "{\"path\":\"a/1.png\",\"label\":\"cat\"}\nnot json\n[1]\n{\"path\":\"a\\u0000\",\"label\":1}\n\
                {\"path\":[1],\"label\":1}\n{\"label\":1}\n{\"path\":\"a/2.png\",\"label\":{}}\n{\"path\":\"a/3.png\"}\n";
    let (_folder, path) = list("x.jsonl", text.as_bytes());
    let version = opened(&path).version;
    assert_eq!(rows(&version), ["a/1.png cat -", "a/3.png - -"]);
    assert_eq!(warnings(&version), (2..8).map(|n| format!("bad-row x.jsonl:{n}")).collect::<Vec<_>>());
}

#[test]
fn one_giant_field_costs_one_row() {
    let giant = "x".repeat(10 << 20);
    let csv =
        format!("path,label\na/1.png,cat\na/2.png,{giant}\na/3.png,\"{giant}\n,\"\"{giant}\"\na/4.png,dog\n");
    let (_folder, path) = list("x.csv", csv.as_bytes());
    let version = opened(path).version;
    assert_eq!(rows(&version), ["a/1.png cat -", "a/4.png dog -"]);
    assert_eq!(warnings(&version), ["bad-row x.csv:3", "bad-row x.csv:4"]);
    assert!(version.warnings()[0].message.contains("1 MiB"));

    let json = format!(
        "{{\"path\":\"a/1.png\",\"label\":\"cat\"}}\n{{\"path\":\"{giant}\"}}\n{{\"path\":\"{}\"}}\n{{\"path\":\"a/4.png\"}}",
        "y".repeat(3 << 20)
    );
    let (_folder, path) = list("x.jsonl", json.as_bytes());
    let version = opened(path).version;
    assert_eq!(rows(&version), ["a/1.png cat -", "a/4.png - -"]);
    assert_eq!(warnings(&version), ["bad-row x.jsonl:2", "bad-row x.jsonl:3"]);
}

#[test]
fn other_encodings_are_refused_with_the_line() {
    let utf16 = |mark: &[u8], order: fn(u16) -> [u8; 2]| {
        let mut bytes = mark.to_vec();
        bytes.extend("path,label\na/1.png,cat\n".encode_utf16().flat_map(order));
        bytes
    };
    for (bytes, words) in [
        (utf16(b"\xff\xfe", u16::to_le_bytes), "UTF-16"),
        (utf16(b"\xfe\xff", u16::to_be_bytes), "UTF-16"),
        (utf16(b"", u16::to_le_bytes), "UTF-16"),
        (b"path,label\na/1.png,cat\na/2.png,caf\xe9\n".to_vec(), "line 3"),
        (b"path,label\na/1.png,\xc3\n\xa9,cat\n".to_vec(), "line 2"),
        (b"path,label\n\xc3,\xa9\n".to_vec(), "line 2"),
        (b"path,lab\xe9l\n".to_vec(), "line 1"),
    ] {
        let (_folder, path) = list("x.csv", &bytes);
        let said = refused(path);
        assert!(said.contains(words) && said.contains("UTF-8"), "{said}");
    }
    let (_folder, path) = list("x.jsonl", b"{\"path\":\"a\"}\n{\"path\":\"caf\xe9\"}\n");
    assert!(refused(path).contains("line 2"));
}

#[test]
fn paths_that_leave_the_root_are_listed_and_never_read() {
    let (folder, path) = list("in/x.csv", b"");
    put(folder.path(), "in/pics/1.png", &png());
    let root = folder.path().canonicalize().unwrap().join("in");
    let text = format!(
        "path,label\n../a/1.png,cat\n{0}/a/1.png,cat\n{0}/in/pics/1.png,cat\npics/../pics/1.png,dog\nno/../../a/1.png,cat\npics/2.png,cat\n",
        root.parent().unwrap().display()
    );
    fs::write(&path, text).unwrap();
    let dataset = opened(&path);
    let outer = format!("{}/a/1.png", root.parent().unwrap().display());
    let keys: Vec<_> = (0..dataset.version.len()).map(|row| dataset.version.key(row)).collect();
    assert_eq!(keys, ["../a/1.png", &outer, "pics/1.png", "pics/2.png"]);
    assert_eq!(
        warnings(&dataset.version),
        [
            "outside-root ../a/1.png".to_owned(),
            format!("outside-root {outer}"),
            "outside-root ../a/1.png".to_owned(),
            "duplicate-key ../a/1.png".to_owned(),
            "duplicate-key pics/1.png".to_owned(),
        ]
    );
    for row in 0..2 {
        assert_eq!(dataset.pictures.read(row), Err(ReadError::OutsideRoot));
        assert_eq!((dataset.pictures.stamp(row), dataset.pictures.path(row)), (None, None));
    }
    assert_eq!(dataset.pictures.read(2), Ok(png()));
    assert_eq!(dataset.version.label(2), Some("cat"), "the first row counts");
    // Not looked for while listing; reading says so.
    assert_eq!(dataset.pictures.read(3), Err(ReadError::Missing));
}

#[test]
fn floods_of_trouble_stay_small() {
    let mut text = String::from("path,label\n");
    text += &"a/1.png,cat\n".repeat(100_000);
    text += &"broken\n".repeat(100_000);
    text += &"../out.png,cat\n".repeat(2);
    let (_folder, path) = list("x.csv", text.as_bytes());
    let version = opened(path).version;
    assert_eq!(version.len(), 2);
    assert_eq!(version.warnings().len(), 2 * 1001 + 2);
    let summaries: Vec<_> = version.warnings().iter().filter(|w| w.message.starts_with("and ")).collect();
    assert_eq!(summaries.len(), 2);
    assert!(summaries.iter().any(|w| w.kind == WarningKind::BadRow && w.message.contains("99000")));
}

#[test]
fn a_column_of_different_splits_is_refused() {
    let mut text = String::from("path,label,set\n");
    for number in 0..70_000 {
        writeln!(text, "{number}.png,cat,{number}").unwrap();
    }
    let (_folder, path) = list("x.csv", text.as_bytes());
    assert!(refused(path).contains("--split-column"));
}

#[test]
#[cfg(unix)]
fn a_fifo_is_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let forced = Place { path: path.clone(), kind: Some("list".into()), ..Place::default() };
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        sender.send(source::open(&place(path), &Task::new()).is_err()).unwrap();
        sender.send(source::open(&forced, &Task::new()).is_err()).unwrap();
    });
    for _ in 0..2 {
        assert!(receiver.recv_timeout(Duration::from_secs(20)).expect("opening hangs"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), with_head: bool) {
        for (name, head) in [("x.csv", "path,label\n"), ("x.tsv", "path\tlabel\n"), ("x.jsonl", "{\"path\":\"a\",\"label\":1}\n"), ("x", "path,label\n")] {
            let mut text = if with_head { head.as_bytes().to_vec() } else { Vec::new() };
            text.extend(&bytes);
            let (_folder, path) = list(name, &text);
            if let Ok(dataset) = open(path) {
                for row in 0..dataset.version.len() {
                    let _ = dataset.pictures.read(row);
                }
            }
        }
    }

    #[test]
    fn broken_text_of_lists_never_panics(text in "([,;\"\\\\/.\t\r\n{}:\\[\\]]|path|label|a|é|0|null){0,60}") {
        for name in ["x.csv", "x.tsv", "x.jsonl", "metadata.csv", "metadata.jsonl"] {
            let (folder, path) = list(name, format!("path,label,file_name\n{text}").as_bytes());
            let _ = open(&path);
            let _ = open(folder.path());
            fs::write(&path, &text).unwrap();
            let _ = open(&path);
            let _ = open(folder.path());
        }
    }

    #[test]
    fn what_is_written_as_csv_is_read_back(names in proptest::collection::btree_set("[a-zé猫 ,\"\n']{1,12}", 1..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["path", "label"]).unwrap();
        for name in &names {
            writer.write_record([&format!("{name}.png"), name]).unwrap();
        }
        let (_folder, path) = list("x.csv", &writer.into_inner().unwrap());
        let version = opened(path).version;
        prop_assert_eq!(version.len(), names.len());
        for name in &names {
            let row = version.row_of(&format!("{name}.png")).unwrap();
            prop_assert_eq!(version.label(row), Some(name.as_str()));
        }
    }
}

// ---- Real data

#[test]
fn the_clothing_photos_open_as_a_folder_and_as_a_list() {
    let (Some(base), Some(raw)) = (shared_data("clothing/base"), shared_data("clothing/raw.csv")) else {
        return;
    };
    let base = opened(base);
    assert_eq!((base.version.len(), base.version.classes().len()), (1000, 10));
    assert_eq!(base.version.class_counts(), (vec![100; 10], 0));
    assert_eq!(warnings(&base.version), [""; 0]);
    let raw = opened(raw);
    assert_eq!(raw.version.len(), 1000);
    assert_eq!(raw.version.label_origin(), "column `label` of raw.csv");
    assert!(raw.version.class_id("T-Shirt").is_some());
    let row = row_of(&base, raw.version.key(0).strip_prefix("base/").unwrap());
    assert_eq!(raw.pictures.read(0), base.pictures.read(row));
}

#[test]
fn the_cifar_list_needs_its_label_column_named() {
    let Some(path) = shared_data("cifar10n/labels.csv") else { return };
    let said = refused(&path);
    assert!(said.contains("`aggregate`") && said.contains("--label-column"), "{said}");
    let list = ListOptions { label_column: Some("aggregate".into()), ..ListOptions::default() };
    let dataset = source::open(&Place { path, list, kind: None }, &Task::new()).unwrap();
    assert_eq!((dataset.version.len(), dataset.version.classes().len()), (10_000, 10));
    assert!(dataset.pictures.read(9_999).unwrap().starts_with(b"\xff\xd8"));
}
