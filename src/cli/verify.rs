//! `verify`: is a version still what was pinned?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::arguments::{ComputeArgs, ListArgs, SourceArg, source};
use super::load::load;
use super::output::{self, ROWS, Target, counted, printable};
use super::{CLEAN, FINDINGS, Outcome, work};
use crate::model::ContentHash;
use crate::source::{ListOptions, Place};
use crate::trust::{LockFile, samples_path, verify, verify_samples};

/// The largest lock file that is read.
const MAX_LOCK_BYTES: u64 = 32 << 20;

/// Is a version still what its lock file says?
///
/// Exit status 0 when it is the same, 1 when it differs (the first differences are listed by key), 2 when the lock
/// file or the dataset cannot be read. Every byte is read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lock file that `pin` wrote
    #[arg(value_name = "LOCK")]
    lock: PathBuf,
    /// The dataset [default: the one named in the lock file, relative to the lock file's folder]
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: Option<SourceArg>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    /// List at most N differences
    #[arg(long, value_name = "N", default_value_t = ROWS)]
    top: usize,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

#[derive(Serialize)]
struct Json {
    schema: u32,
    same: bool,
    pin: ContentHash,
    pinned: ContentHash,
    date: String,
    differences: Vec<DifferenceJson>,
}

#[derive(Serialize)]
struct DifferenceJson {
    key: String,
    message: String,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let lock = LockFile::parse(&output::read_text(&args.lock, "lock file", MAX_LOCK_BYTES)?, &args.lock)?;
    let (text, place) = match &args.source {
        Some(source) => {
            let place = Place { list: list_options(&lock, &args), ..source.place(&args.lists) };
            (source.text.clone(), place)
        }
        None => (lock.source.place.clone(), locked_place(&lock, &args)),
    };
    let cache = args.compute.start();
    let (text, same) = work::run("verify", move |task| {
        let loaded = load(&text, &place, &cache, true, task)?;
        let same = loaded.pin == lock.pin;
        let mut differences = Vec::new();
        if !same {
            differences = verify(&lock, loaded.version(), loaded.side());
            let samples = samples_path(&args.lock);
            if samples.exists() {
                match verify_samples(&lock, &samples, loaded.side(), args.top) {
                    Ok(found) => {
                        // What the list says of single samples is more than what counts can say of them.
                        differences.retain(|difference| difference.key.is_empty());
                        differences.extend(found);
                    }
                    Err(error) => output::say("note", &error.to_string()),
                }
            }
        }
        let json = Json {
            schema: 1,
            same,
            pin: loaded.pin,
            pinned: lock.pin,
            date: lock.date.clone(),
            differences: differences
                .into_iter()
                .map(|difference| DifferenceJson { key: difference.key, message: difference.message })
                .collect(),
        };
        let text = if args.json { output::json(&json)? } else { human(&json, &text, loaded.version().len()) };
        Ok((text, same))
    })?;
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(if same { CLEAN } else { FINDINGS }))
}

/// Where the lock file says that the dataset is.
fn locked_place(lock: &LockFile, args: &Args) -> Place {
    let folder = args.lock.parent().unwrap_or(Path::new(""));
    Place {
        path: folder.join(&lock.source.place),
        kind: Some(lock.source.kind.clone()),
        list: list_options(lock, args),
    }
}

/// How a list is to be read: as said now, otherwise as said when it was pinned.
fn list_options(lock: &LockFile, args: &Args) -> ListOptions {
    let (now, then) = (args.lists.options(), lock.list.clone());
    let folder = args.lock.parent().unwrap_or(Path::new(""));
    ListOptions {
        path_column: now.path_column.or(then.path_column),
        label_column: now.label_column.or(then.label_column),
        split_column: now.split_column.or(then.split_column),
        root: now.root.or_else(|| then.root.map(|root| folder.join(root))),
    }
}

fn human(result: &Json, source: &str, samples: usize) -> String {
    let Json { same, pin, date, differences, .. } = result;
    let (source, date) = (printable(source), printable(date));
    if *same {
        let samples = counted(samples, "sample", "samples");
        return format!("the same as pinned on {date}: {samples}, pin {pin}: {source}\n");
    }
    let mut text = format!("not what was pinned on {date}: {source}\n");
    for difference in differences {
        let message = printable(&difference.message);
        let _ = if difference.key.is_empty() {
            writeln!(text, "  {message}")
        } else {
            writeln!(text, "  {}: {message}", printable(&difference.key))
        };
    }
    text
}
