//! Makes `assets/patch-dictionary.bin` again, and says how long a picture takes.

use sparrowhawk::feature::picture::{self, Picture};
use sparrowhawk::feature::{Extractor, PatchDictionary, learn_patches};
use sparrowhawk::source::{self, Place};
use sparrowhawk::task::Task;

use crate::common::shared_data;
use crate::feature::timed;

/// The patches that are looked at.
const PATCHES: usize = 100_000;

pub fn run() {
    let Some(folder) = shared_data("clothing/base") else { return };
    let dataset = source::open(&Place::parse(&folder.display().to_string()), &Task::new()).unwrap();
    let rows = 0..dataset.version.len();
    let pictures: Vec<Picture> =
        rows.filter_map(|row| picture::decode(&dataset.pictures.read(row).ok()?).ok()).collect();
    let mut learnt = None;
    let (cpu, _) = timed(|| learnt = learn_patches(&pictures, PATCHES, 0));
    let path = std::env::temp_dir().join("patch-dictionary.bin");
    std::fs::write(&path, learnt.unwrap()).unwrap();
    println!("{} pictures, {cpu:.1} CPU-s to learn: {}", pictures.len(), path.display());
    let mut out = vec![0.0; PatchDictionary.dim()];
    let (cpu, _) = timed(|| pictures.iter().for_each(|picture| PatchDictionary.extract(picture, &mut out)));
    println!("{:.2} ms CPU a picture", 1000.0 * cpu / pictures.len() as f64);
}
