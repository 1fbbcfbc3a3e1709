//! `pin`: how is a version remembered exactly?

use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;

use super::arguments::{ComputeArgs, ListArgs, SourceArg, source};
use super::load::load;
use super::output::{Target, counted, printable};
use super::{CLEAN, Outcome, work};
use crate::trust::{LockFile, samples_path, write_samples};

/// Remember a version exactly: write its lock file
///
/// The pin is one hash over every sample's key, bytes, label and split. With -o the list of samples is written beside
/// the lock file (with `.samples` added to its name), so that `verify` can name what differs. Every byte is read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// The lock file to write, such as sparrowhawk.lock [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let place = args.source.place(&args.lists);
    let target = Target::new(args.out.as_deref(), std::slice::from_ref(&place))?;
    let samples = match target.file() {
        Some(file) => Some(Target::new(Some(&samples_path(file)), std::slice::from_ref(&place))?),
        None => None,
    };
    let cache = args.compute.start();
    let (lock, list, target, samples) = work::run("pin", move |task| {
        // What a pin vouches for must have been read, whatever the cache remembers.
        let loaded = load(&args.source.text, &place, &cache, true, task)?;
        let mut lock = LockFile::new(loaded.side(), &now());
        lock.list = args.lists.options();
        let mut list = Vec::new();
        if let (Some(file), Some(samples)) = (target.file(), &samples) {
            target.spare(&loaded.dataset)?;
            samples.spare(&loaded.dataset)?;
            if let Some(relative) = below(&place.path, file) {
                lock.source.place = relative;
            }
            if let Some(root) = &mut lock.list.root {
                *root = below(root, file)
                    .map(PathBuf::from)
                    .or_else(|| root.canonicalize().ok())
                    .unwrap_or_default();
            }
            write_samples(loaded.side(), &mut list)?;
        }
        Ok((lock, list, target, samples))
    })?;
    // The list first: a lock file never stands beside a list that does not belong to it.
    if let Some(samples) = samples {
        samples.write(&list)?;
    }
    target.write(lock.render().as_bytes())?;
    if let Some(file) = target.file() {
        let samples = counted(usize::try_from(lock.samples)?, "sample", "samples");
        let said = format!("{}  {samples}, written to {}\n", lock.pin, printable(&file.to_string_lossy()));
        Target::new(None, &[])?.write(said.as_bytes())?;
    }
    Ok(Outcome::Exit(CLEAN))
}

/// The time, to the second.
fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}

/// A source that was named by a relative path, seen from the lock file's folder when it lies below it:
/// so both can be moved together.
fn below(source: &Path, lock: &Path) -> Option<String> {
    if source.is_absolute() {
        return None;
    }
    let folder = match lock.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (source, folder) = (source.canonicalize().ok()?, folder.canonicalize().ok()?);
    let relative = source.strip_prefix(folder).ok()?.to_str()?;
    (!relative.is_empty()).then(|| relative.replace('\\', "/"))
}
