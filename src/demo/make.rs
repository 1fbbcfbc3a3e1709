//! How does the demo reach the disk? Drawn in parallel into a folder beside, and renamed when it is whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::paint::{Dice, Picture};
use super::plan::{File, Job, Plan, Side, Touch};
use super::scene;
use super::touch;
use super::{DemoError, DemoPair};
use crate::drill::{BLUE_SPARROW, Drawing};
use crate::task::Task;

/// Raise it whenever the same seed would give other bytes: demos of older programs are then drawn anew.
const VERSION: u32 = 1;

/// The sign that a demo is whole, and of which program and plan.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    version: u32,
    seed: u64,
    pictures: usize,
}

/// One line of the answers.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    key: &'a str,
    kind: &'a str,
    label: &'a str,
    true_label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_key: Option<&'a str>,
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    area: Option<[u32; 4]>,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> DemoError + '_ {
    |error| DemoError::Io { error, path: path.to_owned() }
}

/// See [`super::make`]; the plan says how many pictures.
pub fn make(folder: &Path, seed: u64, plan: &Plan, task: &Task) -> Result<DemoPair, DemoError> {
    let jobs = plan.jobs(seed);
    let marker = Marker { version: VERSION, seed, pictures: jobs.len() };
    let place = folder.join(format!("seed-{seed}"));
    match found(&place) {
        Some(there) if there == marker => return Ok(pair(&place)),
        // Not a demo, so not ours to replace: said before the drawing, not after it.
        None if place.symlink_metadata().is_ok() => {
            return Err(failed(&place)(std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                "something else is there: move it away, or choose another seed",
            )));
        }
        _ => {}
    }
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    // Dropped on any error and on cancel, and with it all that was drawn.
    let work = tempfile::Builder::new()
        .prefix(&format!("seed-{seed}.tmp-"))
        .tempdir_in(folder)
        .map_err(failed(folder))?;
    draw_all(work.path(), seed, &jobs, task)?;
    let text = serde_json::to_string(&marker).map_err(|e| failed(&place)(e.into()))?;
    write(&work.path().join("demo.json"), text.as_bytes())?;
    task.check()?;
    if found(&place).is_some() {
        // Ours, by its marker, and of another version or plan.
        std::fs::remove_dir_all(&place).map_err(failed(&place))?;
    }
    match std::fs::rename(work.path(), &place) {
        Ok(()) => {
            // It has moved: there is nothing left to remove under its old name.
            let _moved = work.keep();
            Ok(pair(&place))
        }
        // Another process was quicker and drew the same.
        Err(_) if found(&place).is_some_and(|there| there == marker) => Ok(pair(&place)),
        Err(error) => Err(failed(&place)(error)),
    }
}

fn pair(place: &Path) -> DemoPair {
    DemoPair {
        base: place.join("base"),
        contribution: place.join("contribution"),
        answers: place.join("answers.jsonl"),
    }
}

/// The marker of a whole demo at `place`, if there is one.
fn found(place: &Path) -> Option<Marker> {
    let DemoPair { base, contribution, answers } = pair(place);
    let whole = base.is_dir() && contribution.is_dir() && answers.is_file();
    let text = std::fs::read_to_string(place.join("demo.json")).ok().filter(|_| whole)?;
    serde_json::from_str(&text).ok()
}

fn draw_all(work: &Path, seed: u64, jobs: &[Job], task: &Task) -> Result<(), DemoError> {
    task.begin("Drawing the demo", jobs.len());
    for split in ["train", "test"] {
        for class in scene::Class::ALL {
            for side in ["base", "contribution"] {
                let folder = work.join(side).join(split).join(class.name());
                std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
            }
        }
    }
    let logo = Drawing::parse(BLUE_SPARROW).expect("a test reads our own drawing");
    let mut lines: Vec<(String, String)> = jobs
        .par_iter()
        .map(|job| {
            task.check()?;
            let lines = draw_one(work, seed, job, &logo)?;
            task.advance(1);
            Ok(lines)
        })
        .collect::<Result<Vec<_>, DemoError>>()?
        .concat();
    lines.sort();
    let path = work.join("answers.jsonl");
    let text: String = lines.into_iter().map(|(_, line)| line + "\n").collect();
    write(&path, text.as_bytes())
}

/// Draws a picture and writes its files; returns its answers with their keys.
fn draw_one(work: &Path, seed: u64, job: &Job, logo: &Drawing) -> Result<Vec<(String, String)>, DemoError> {
    let picture = scene::draw(seed, job.class, job.number);
    let mut encoded: Vec<(Touch, u8, Vec<u8>)> = Vec::new();
    let mut areas = Vec::new();
    for File { side, key, touch, quality } in &job.files {
        let folder = work.join(if *side == Side::Base { "base" } else { "contribution" });
        let path: PathBuf = folder.join(key);
        if let Some((_, _, bytes)) = encoded.iter().find(|(t, q, _)| (t, q) == (touch, quality)) {
            write(&path, bytes)?;
            continue;
        }
        let mut touched = picture.clone();
        let mut dice = Dice::new(seed, &format!("touch {}", job.class.name()), job.number);
        if let Some(area) = touch::apply(*touch, &mut touched, logo, &mut dice) {
            areas.push((key, area));
        }
        let bytes = jpeg(&touched, *quality).map_err(failed(&path))?;
        write(&path, &bytes)?;
        encoded.push((*touch, *quality, bytes));
    }
    job.plants
        .iter()
        .map(|plant| {
            let answer = Answer {
                key: &plant.key,
                kind: plant.kind,
                label: plant.label.name(),
                true_label: job.class.name(),
                base_key: plant.base_key.as_deref(),
                area: areas.iter().find(|(key, _)| **key == plant.key).map(|(_, area)| *area),
            };
            let line = serde_json::to_string(&answer).map_err(|e| failed(work)(e.into()))?;
            Ok((plant.key.clone(), line))
        })
        .collect()
}

fn jpeg(picture: &Picture, quality: u8) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(32 << 10);
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(&picture.rgb, picture.width as u32, picture.height as u32, ExtendedColorType::Rgb8)
        .map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DemoError> {
    std::fs::File::create_new(path).and_then(|mut file| file.write_all(bytes)).map_err(failed(path))
}
