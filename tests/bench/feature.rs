//! How fast is `feature`?

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use sparrowhawk::feature::{Cache, Extractor, embed, fingerprint, look, picture};
use sparrowhawk::source::{self, Dataset, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;

/// Seconds of processor time of this process, all threads; wall time where the system does not tell.
fn cpu_seconds() -> f64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else {
        return SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    };
    // Fields 14 and 15, in hundredths; the second field is a name in parentheses.
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Runs it and returns (processor seconds, wall seconds).
pub fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    work();
    (cpu_seconds() - cpu, wall.elapsed().as_secs_f64())
}

fn open(path: &Path) -> Dataset {
    source::open(&Place::parse(&path.display().to_string()), &Task::new()).unwrap()
}

pub fn run() {
    let turbo = if cfg!(feature = "turbojpeg") { "libjpeg-turbo" } else { "zune-jpeg" };
    if let Some(folder) = shared_data("clothing/base") {
        let dataset = open(&folder);
        let files: Vec<Vec<u8>> =
            (0..dataset.version.len()).map(|row| dataset.pictures.read(row).unwrap()).collect();
        for side in [128, 224] {
            // The best of three: other work on the machine only ever slows it down.
            let best = (0..3).map(|_| {
                let (cpu, _) =
                    timed(|| files.iter().for_each(|bytes| drop(picture::thumbnail(bytes, side).unwrap())));
                files.len() as f64 / cpu
            });
            println!(
                "thumbnails to {side} px by {turbo}: {:.0} photos a CPU-second",
                best.fold(0.0, f64::max)
            );
        }
        let (cpu, _) = timed(|| files.iter().for_each(|bytes| drop(picture::decode(bytes).unwrap())));
        println!("whole pictures: {:.0} photos a CPU-second", files.len() as f64 / cpu);

        let bytes: usize = files.iter().map(Vec::len).sum();
        let (cpu, wall) = timed(|| {
            for _ in 0..10 {
                fingerprint(&dataset, &Cache::none(), true, &Task::new()).unwrap();
            }
        });
        println!(
            "hashing photos: {:.0} files and {:.0} MB a CPU-second ({:.0} files a second)",
            files.len() as f64 * 10.0 / cpu,
            bytes as f64 / 1e5 / cpu,
            files.len() as f64 * 10.0 / wall
        );
        look_rate(&dataset);
    }
    warm_memo();
}

fn look_rate(dataset: &Dataset) {
    struct Nothing;
    impl Extractor for Nothing {
        fn id(&self) -> &'static str {
            "nothing-1"
        }
        fn dim(&self) -> usize {
            1
        }
        fn extract(&self, _picture: &picture::Picture, _out: &mut [f32]) {}
    }
    let fingerprints = fingerprint(dataset, &Cache::none(), false, &Task::new()).unwrap();
    let rows = dataset.version.len() as f64;
    let (cpu, _) = timed(|| {
        embed(dataset, &fingerprints, None, &Nothing, &Cache::none(), &Task::new()).unwrap();
    });
    println!("decoding and perceptual hash: {:.0} photos a CPU-second", rows / cpu);
    let folder = tempfile::tempdir().unwrap();
    for turn in ["first", "second"] {
        let cache = Cache::at(folder.path());
        let (cpu, wall) = timed(|| drop(look(dataset, &fingerprints, None, &cache, &Task::new()).unwrap()));
        println!(
            "{turn} look with every extractor: {:.0} photos a CPU-second, {wall:.3} s",
            rows / cpu.max(0.001)
        );
    }
}

/// 50,000 files whose stamps are known.
fn warm_memo() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let class = folder.path().join("class");
    std::fs::create_dir(&class).unwrap();
    let past = SystemTime::now() - Duration::from_hours(1);
    for i in 0..50_000 {
        let path = class.join(format!("{i:05}.png"));
        std::fs::write(&path, format!("no picture {i}")).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
    }
    let dataset = open(folder.path());
    for turn in ["cold", "warm", "warm"] {
        let cache = Cache::at(home.path());
        let (cpu, wall) = timed(|| drop(fingerprint(&dataset, &cache, false, &Task::new()).unwrap()));
        println!("fingerprints of 50,000 small files, {turn}: {cpu:.2} CPU-seconds, {wall:.2} s");
    }
}
