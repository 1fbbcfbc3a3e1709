//! How fast is `source`? A folder of 60,000 files, and a list of a million rows with what it takes in memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

const FILES: usize = 60_000;
const ROWS: usize = 1_000_000;
const CLASSES: usize = 10;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pictures = folder.path().join("pictures");
    make_files(&pictures, FILES);
    for name in ["folder, first time", "folder, warm", "folder, warm"] {
        let dataset = measured(name, &pictures);
        assert_eq!(dataset.version.len(), FILES);
    }
    let begun = Instant::now();
    let dataset = measured("folder, warm", &pictures);
    let listed = begun.elapsed();
    let begun = Instant::now();
    let bytes: usize = (0..FILES).map(|row| dataset.pictures.read(row).map_or(0, |bytes| bytes.len())).sum();
    println!(
        "reading them all, {bytes} bytes: {:.2} s (listing {:.2} s)",
        begun.elapsed().as_secs_f64(),
        listed.as_secs_f64()
    );
    drop(dataset);

    for (name, write) in [("list.csv", csv_row as fn(&mut dyn Write, usize)), ("list.jsonl", json_row)] {
        let list = folder.path().join(name);
        let mut out = BufWriter::new(File::create(&list).expect("a file"));
        if name == "list.csv" {
            writeln!(out, "path,label,split").expect("space");
        }
        (0..ROWS).for_each(|row| write(&mut out, row));
        drop(out);
        let dataset = measured(name, &list);
        assert_eq!(dataset.version.len(), ROWS);
    }
}

fn measured(name: &str, path: &Path) -> Dataset {
    reset_peak();
    let (before, begun) = (memory("VmRSS"), Instant::now());
    let place = Place { path: path.to_path_buf(), ..Place::default() };
    let dataset = source::open(&place, &Task::new()).expect("it opens");
    println!(
        "{name}: {} samples in {:.3} s; resident {} MB before, {} MB at most, {} MB after",
        dataset.version.len(),
        begun.elapsed().as_secs_f64(),
        before / 1024,
        memory("VmHWM") / 1024,
        memory("VmRSS") / 1024
    );
    dataset
}

/// A figure of this process in KiB, 0 where the system does not tell.
fn memory(what: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// The highest point counts from here on, where the system lets us.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn make_files(root: &Path, count: usize) {
    for class in 0..CLASSES {
        std::fs::create_dir_all(root.join(format!("class {class}"))).expect("a folder");
    }
    for number in 0..count {
        let path = root.join(format!("class {}/picture-{number:07}.jpg", number % CLASSES));
        std::fs::write(path, number.to_le_bytes()).expect("space");
    }
}

fn csv_row(out: &mut dyn Write, row: usize) {
    let (class, split) = (row % CLASSES, if row.is_multiple_of(7) { "test" } else { "train" });
    // Not in order, as lists are.
    let number = (row * 7919) % ROWS;
    writeln!(out, "images/class {class}/picture-{number:07}.jpg,class {class},{split}").expect("space");
}

fn json_row(out: &mut dyn Write, row: usize) {
    let (class, number) = (row % CLASSES, (row * 7919) % ROWS);
    writeln!(out, r#"{{"path":"images/class {class}/picture-{number:07}.jpg","label":{class},"width":400}}"#)
        .expect("space");
}
