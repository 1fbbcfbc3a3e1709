//! `apply`: how does a patch become a corrected dataset?

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use serde::Serialize;

use super::arguments::{ListArgs, SourceArg, ThreadArgs, source};
use super::output::{self, ROWS, Target, counted, printable};
use super::{CLEAN, FINDINGS, Outcome, work};
use crate::export::patch::PatchFile;
use crate::export::{Applied, ApplyOptions, apply};
use crate::source;

/// The largest patch that is read.
const MAX_PATCH_BYTES: u64 = 1 << 30;

/// Carry a patch out: write a corrected copy of a dataset
///
/// Each operation is carried out only where its preconditions hold: the sample is there, with the content and label
/// it was decided on. When one is refused, each refusal is named, nothing is written, and the exit status is 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The patch that `export --format patch` wrote
    #[arg(value_name = "PATCH")]
    patch: PathBuf,
    /// The dataset to correct; it is only read
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// Where the corrected dataset goes, a folder for a folder, a file for a list; must not exist yet
    #[arg(long, value_name = "DEST", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Undo the patch instead
    #[arg(long)]
    invert: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// A dataset in which pictures to be restored are looked for by content; repeat for several
    #[arg(long, value_name = "SOURCE", value_parser = source())]
    pictures_from: Vec<SourceArg>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    /// List at most N operations and refusals on the screen
    #[arg(long, value_name = "N", default_value_t = ROWS)]
    top: usize,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    dry_run: bool,
    written: bool,
    done: Vec<Done<'a>>,
    refused: Vec<Refused<'a>>,
    advice: &'a [String],
}

#[derive(Serialize)]
struct Done<'a> {
    key: &'a str,
    operation: &'a str,
}

#[derive(Serialize)]
struct Refused<'a> {
    key: &'a str,
    reason: &'a str,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let text = output::read_text(&args.patch, "patch", MAX_PATCH_BYTES)?;
    let patch = PatchFile::parse(&text).map_err(|error| anyhow!("{error}: {}", args.patch.display()))?;
    drop(text);
    args.threads.start();
    let (text, refused) = work::run("apply", move |task| {
        let place = args.source.place(&args.lists);
        let mut pictures_from = Vec::new();
        for from in &args.pictures_from {
            pictures_from.push(source::open(&from.place(&args.lists), task)?);
        }
        let options = ApplyOptions {
            out: args.out.clone().unwrap_or_default(),
            invert: args.invert,
            dry_run: args.dry_run,
        };
        let applied = apply(&patch, &place, &pictures_from, &options, task)?;
        let text = if args.json { output::json(&json(&applied, &args))? } else { human(&applied, &args) };
        Ok((text, !applied.refused.is_empty()))
    })?;
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(if refused { FINDINGS } else { CLEAN }))
}

fn json<'a>(applied: &'a Applied, args: &Args) -> Json<'a> {
    Json {
        schema: 1,
        dry_run: args.dry_run,
        written: !args.dry_run && applied.refused.is_empty(),
        done: applied.done.iter().map(|(key, operation)| Done { key, operation }).collect(),
        refused: applied.refused.iter().map(|r| Refused { key: &r.key, reason: &r.reason }).collect(),
        advice: &applied.advice,
    }
}

fn human(applied: &Applied, args: &Args) -> String {
    let Applied { done, refused, advice } = applied;
    let mut text = String::new();
    if !refused.is_empty() {
        let _ = writeln!(
            text,
            "{} refused, so nothing was written",
            counted(refused.len(), "operation", "operations")
        );
        for refusal in refused.iter().take(args.top) {
            let _ = writeln!(text, "  {}: {}", printable(&refusal.key), printable(&refusal.reason));
        }
        text.push_str(&output::more(refused.len(), args.top, "refusal", "refusals"));
    }
    let operations = counted(done.len(), "operation", "operations");
    let _ = match &args.out {
        _ if !refused.is_empty() => writeln!(text, "{operations} could be carried out"),
        Some(out) if !args.dry_run => {
            writeln!(text, "{operations} carried out, written to {}", printable(&out.to_string_lossy()))
        }
        _ => writeln!(text, "{operations} would be carried out; nothing was written"),
    };
    for (key, operation) in done.iter().take(args.top) {
        let _ = writeln!(text, "  {}: {}", printable(key), printable(operation));
    }
    text.push_str(&output::more(done.len(), args.top, "operation", "operations"));
    for sentence in advice {
        let _ = writeln!(text, "note: {}", output::sentence(sentence));
    }
    text
}
