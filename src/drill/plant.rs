//! How is a poisoned copy of a dataset made? Beside its place, then renamed; the original is only read.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use rayon::prelude::*;

use super::{Attack, Dice, Line};
use crate::feature::picture::{self, Picture};
use crate::source::Dataset;
use crate::task::{Cancelled, Task};

/// What is planted, and how.
pub struct Plan {
    /// What is done to a poisoned picture.
    pub attack: Attack,
    /// The attack's name in the manifest.
    pub name: String,
    /// The class that the model shall take for it; otherwise one that the seed draws.
    pub target: Option<String>,
    /// How many samples are poisoned.
    pub count: usize,
    /// Only pictures that are of the target class already are poisoned: no label is wrong (a clean-label attack).
    pub clean_label: bool,
    /// The poisoned pictures come on top of what is there, instead of in the place of their sources.
    pub add: bool,
    /// Which honest pictures are saved again, so that the encoding alone does not give the poison away.
    pub honest: Honest,
    /// Seed of everything random.
    pub seed: u64,
}

/// Which honest pictures are encoded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honest {
    /// None.
    None,
    /// As many as are poisoned.
    AsMany,
    /// All.
    All,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The poisoned copy: a folder, or a list in one.
    pub dataset: PathBuf,
    /// One JSON line a poisoned sample.
    pub manifest: PathBuf,
    /// Poisoned samples.
    pub poisoned: usize,
    /// Their label.
    pub target: String,
    /// Samples left out because their picture cannot be read.
    pub left_out: usize,
}

/// Why nothing was planted.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The plan does not fit the dataset.
    #[error("{0}")]
    Plan(String),
    /// A file is not what it should be.
    #[error("{message}: {}", path.display())]
    Invalid {
        /// What is wrong.
        message: String,
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot be written ({error}): {}", path.display())]
    Io {
        /// The system's words.
        error: std::io::Error,
        /// The path.
        path: PathBuf,
    },
}

/// What happens to one sample of the copy.
struct Job {
    row: usize,
    key: String,
    label: Option<String>,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Copy,
    Encode,
    Poison,
}

/// Writes a poisoned copy of `dataset` and the manifest into the new folder `out`.
/// With `sources` the poisoned pictures come from there instead, and are added.
pub fn plant(
    dataset: &Dataset,
    sources: Option<&Dataset>,
    plan: &Plan,
    out: &Path,
    task: &Task,
) -> Result<Planted, DrillError> {
    let failed = |error| DrillError::Io { error, path: out.to_owned() };
    if out.symlink_metadata().is_ok() {
        let message = "there is something here already; choose a new folder".to_owned();
        return Err(DrillError::Invalid { message, path: out.to_owned() });
    }
    let target = target(dataset, plan)?;
    let victims = victims(sources.unwrap_or(dataset), sources.is_some(), &target, plan)?;
    let jobs = jobs(dataset, sources, &victims, &target, plan);
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    // Removed when anything goes wrong from here on.
    let work = tempfile::Builder::new()
        .prefix(&format!(".{name}.sparrowhawk-unfinished-"))
        .tempdir_in(parent)
        .map_err(failed)?;
    let root = work.path().join("dataset");
    task.begin("Planting", jobs.len());
    let made: Vec<Option<Line>> = jobs
        .par_iter()
        .enumerate()
        .map(|(at, job)| {
            task.check()?;
            let from = if at >= dataset_jobs(&jobs, sources) { sources.unwrap_or(dataset) } else { dataset };
            let line = write_one(from, job, plan, &root.join(&job.key))?;
            task.advance(1);
            Ok(line)
        })
        .collect::<Result<_, DrillError>>()?;
    let by_folder = labels_are_folders(dataset);
    if !by_folder {
        write_list(&root.join("images.csv"), dataset, &jobs, &made)?;
    }
    let manifest = work.path().join("poison_manifest.jsonl");
    let io = |error| DrillError::Io { error, path: manifest.clone() };
    let mut writer = BufWriter::new(File::create_new(&manifest).map_err(io)?);
    let mut poisoned = 0;
    for line in made.iter().flatten().filter(|line| !line.kind.is_empty()) {
        let text = serde_json::to_string(line).map_err(|error| io(error.into()))?;
        writeln!(writer, "{text}").map_err(io)?;
        poisoned += 1;
    }
    writer.flush().map_err(io)?;
    task.check()?;
    std::fs::rename(work.path(), out).map_err(failed)?;
    // It has moved: there is nothing left to remove under its old name.
    let _moved = work.keep();
    let dataset = out.join("dataset");
    Ok(Planted {
        dataset: if by_folder { dataset } else { dataset.join("images.csv") },
        manifest: out.join("poison_manifest.jsonl"),
        poisoned,
        target,
        left_out: made.iter().filter(|line| line.is_none()).count(),
    })
}

/// How many of the jobs read from the dataset itself; the others come last.
fn dataset_jobs(jobs: &[Job], sources: Option<&Dataset>) -> usize {
    match sources {
        None => jobs.len(),
        Some(_) => jobs.partition_point(|job| job.what != What::Poison),
    }
}

/// Whether a copy with the same keys has the same labels without a list.
fn labels_are_folders(dataset: &Dataset) -> bool {
    let version = &dataset.version;
    version.source().kind == "folder"
        && version.label_origin().starts_with("folder")
        && (0..version.len()).all(|row| version.label(row).is_some() && is_plain(version.key(row)))
}

/// Whether a key can be a path inside a folder without leading out of it.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.contains(['\\', '\0'])
        && Path::new(key).components().all(|part| matches!(part, Component::Normal(_)))
}

fn target(dataset: &Dataset, plan: &Plan) -> Result<String, DrillError> {
    let version = &dataset.version;
    let classes = || version.classes().iter().map(|class| &**class).collect::<Vec<_>>().join(", ");
    if version.classes().len() < 2 {
        return Err(DrillError::Plan("an attack needs a dataset of at least two classes".into()));
    }
    match &plan.target {
        Some(name) if version.class_id(name).is_some() => Ok(name.clone()),
        Some(name) => Err(DrillError::Plan(format!("there is no class `{name}`; there are: {}", classes()))),
        None => {
            let at = Dice::new(plan.seed, "target", 0).below(version.classes().len());
            Ok(version.classes()[at].to_string())
        }
    }
}

/// The rows to poison, ascending.
fn victims(from: &Dataset, other: bool, target: &str, plan: &Plan) -> Result<Vec<usize>, DrillError> {
    let version = &from.version;
    // Pictures from elsewhere may be of classes that mean nothing here.
    let fits = |row: usize| match version.label(row) {
        Some(label) => (label == target) == plan.clean_label,
        None => other && !plan.clean_label,
    };
    let mut rows: Vec<usize> = (0..version.len()).filter(|&row| fits(row)).collect();
    if rows.len() < plan.count || plan.count == 0 {
        return Err(DrillError::Plan(format!(
            "{} samples were to be poisoned, and {} could be",
            plan.count,
            rows.len()
        )));
    }
    let mut dice = Dice::new(plan.seed, "victims", 0);
    for at in 0..plan.count {
        let other = at + dice.below(rows.len() - at);
        rows.swap(at, other);
    }
    rows.truncate(plan.count);
    rows.sort_unstable();
    Ok(rows)
}

fn jobs(
    dataset: &Dataset,
    sources: Option<&Dataset>,
    victims: &[usize],
    target: &str,
    plan: &Plan,
) -> Vec<Job> {
    let version = &dataset.version;
    let by_folder = labels_are_folders(dataset);
    let replace = sources.is_none() && !plan.add;
    let gone: HashSet<usize> = if replace { victims.iter().copied().collect() } else { HashSet::new() };
    let mut again: Vec<usize> = (0..version.len()).filter(|row| !gone.contains(row)).collect();
    match plan.honest {
        Honest::None => again.clear(),
        Honest::All => {}
        Honest::AsMany => {
            let mut dice = Dice::new(plan.seed, "honest", 0);
            for at in 0..plan.count.min(again.len()) {
                let other = at + dice.below(again.len() - at);
                again.swap(at, other);
            }
            again.truncate(plan.count);
        }
    }
    let again: HashSet<usize> = again.into_iter().collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut jobs = Vec::with_capacity(version.len() + victims.len());
    for row in (0..version.len()).filter(|row| !gone.contains(row)) {
        let key = version.key(row);
        let key = if is_plain(key) { key.to_owned() } else { format!("odd/{row:08}") };
        taken.insert(key.clone());
        let what = if again.contains(&row) { What::Encode } else { What::Copy };
        jobs.push(Job { row, key, label: version.label(row).map(str::to_owned), what });
    }
    // Where the target's own pictures are: their folder is where poison looks at home.
    let home = (0..version.len())
        .filter(|&row| version.label(row) == Some(target) && is_plain(version.key(row)))
        .map(|row| version.key(row).rsplit_once('/').map_or("", |(folder, _)| folder))
        .collect::<Vec<_>>();
    let mut dice = Dice::new(plan.seed, "homes", 0);
    for &row in victims {
        let from = &sources.unwrap_or(dataset).version;
        let folder = if by_folder && !home.is_empty() { home[dice.below(home.len())] } else { "added" };
        let name = from.key(row).rsplit('/').next().filter(|name| is_plain(name)).unwrap_or("picture");
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "jpg"));
        let mut key = format!("{folder}/{stem}.{extension}");
        for number in 1.. {
            if taken.insert(key.clone()) {
                break;
            }
            key = format!("{folder}/{stem}_{number}.{extension}");
        }
        jobs.push(Job { row, key, label: Some(target.to_owned()), what: What::Poison });
    }
    jobs
}

/// Writes one picture. A line with an empty kind stands for an honest sample; `None` for one that cannot be read.
fn write_one(from: &Dataset, job: &Job, plan: &Plan, path: &Path) -> Result<Option<Line>, DrillError> {
    let io = |error| DrillError::Io { error, path: path.to_owned() };
    let version = &from.version;
    let Ok(bytes) = from.pictures.read(job.row) else { return Ok(None) };
    let mut line = Line {
        key: job.key.clone(),
        kind: String::new(),
        attack: Some(plan.name.clone()),
        label: job.label.clone(),
        true_label: version.label(job.row).map(str::to_owned),
        source_key: Some(version.key(job.row).to_owned()),
        area: None,
    };
    let poisoned = job.what == What::Poison;
    let changed = job.what == What::Encode || (poisoned && plan.attack.changes_pictures());
    let bytes = if changed {
        let Ok(mut picture) = picture::decode(&bytes) else {
            if poisoned {
                return Ok(None);
            }
            write(path, &bytes).map_err(io)?;
            return Ok(Some(line));
        };
        let mut dice = Dice::new(plan.seed, version.key(job.row), u64::from(poisoned));
        if poisoned {
            line.area = plan.attack.apply(&mut picture, &mut dice);
        }
        encode(&picture, dice.int(75, 95) as u8).map_err(io)?
    } else {
        bytes
    };
    if poisoned {
        line.kind = String::from(if plan.attack.changes_pictures() { "trigger" } else { "flip" });
    }
    write(path, &bytes).map_err(io)?;
    Ok(Some(line))
}

/// The picture as a file of its format if that is PNG, otherwise as JPEG of this quality (1 to 100).
pub fn encode(picture: &Picture, quality: u8) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(32 << 10);
    let Picture { width, height, rgb, format } = picture;
    if *format == "png" {
        PngEncoder::new(&mut bytes).write_image(rgb, *width, *height, ExtendedColorType::Rgb8)
    } else {
        JpegEncoder::new_with_quality(&mut bytes, quality).encode(
            rgb,
            *width,
            *height,
            ExtendedColorType::Rgb8,
        )
    }
    .map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create_new(path).and_then(|mut file| file.write_all(bytes))
}

fn write_list(path: &Path, dataset: &Dataset, jobs: &[Job], made: &[Option<Line>]) -> Result<(), DrillError> {
    let fail = |error: csv::Error| DrillError::Io { error: error.into(), path: path.to_owned() };
    let mut writer = csv::Writer::from_path(path).map_err(fail)?;
    writer.write_record(["path", "label", "split"]).map_err(fail)?;
    let mut jobs: Vec<&Job> =
        jobs.iter().zip(made).filter(|(_, m)| m.is_some()).map(|(job, _)| job).collect();
    // In the order of keys: whoever reads the list learns nothing from its order.
    jobs.sort_by(|a, b| a.key.cmp(&b.key));
    let version = &dataset.version;
    let home = version.splits().first().map_or("", |split| &**split);
    for job in jobs {
        let split = match job.what {
            What::Poison => home,
            _ => version.split(job.row).unwrap_or(""),
        };
        writer.write_record([&job.key, job.label.as_deref().unwrap_or(""), split]).map_err(fail)?;
    }
    writer.flush().map_err(|error| DrillError::Io { error, path: path.to_owned() })
}
