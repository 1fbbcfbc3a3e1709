//! Which options do several subcommands share?

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::feature::Cache;
use crate::source::{FORMATS, ListOptions, Place};

/// A SOURCE as the user typed it.
#[derive(Debug, Clone)]
pub(super) struct SourceArg {
    /// The text, as results repeat it.
    pub text: String,
    place: Place,
}

impl SourceArg {
    pub fn new(text: OsString) -> Self {
        match text.into_string() {
            Ok(text) => Self { place: Place::parse(&text), text },
            // A path that is no text cannot carry a `KIND:` prefix either.
            Err(raw) => Self {
                text: raw.to_string_lossy().into_owned(),
                place: Place { path: raw.into(), ..Place::default() },
            },
        }
    }

    /// The place it names, to be read with these list options.
    pub fn place(&self, lists: &ListArgs) -> Place {
        Place { list: lists.options(), ..self.place.clone() }
    }
}

/// The parser for every SOURCE argument.
pub(super) fn source() -> impl TypedValueParser<Value = SourceArg> {
    OsStringValueParser::new().map(SourceArg::new)
}

/// How to read a SOURCE that is a list.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Lists (CSV, TSV, JSONL)")]
pub(super) struct ListArgs {
    /// Column with the picture's path [default: found by its name]
    #[arg(long, value_name = "NAME")]
    path_column: Option<String>,
    /// Column with the label [default: found by its name]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// Column with the split [default: found by its name]
    #[arg(long, value_name = "NAME")]
    split_column: Option<String>,
    /// Folder that the list's paths are relative to [default: the list's own]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl ListArgs {
    pub fn options(&self) -> ListOptions {
        let Self { path_column, label_column, split_column, root } = self.clone();
        ListOptions { path_column, label_column, split_column, root }
    }
}

/// On how many threads.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Computing")]
pub(super) struct ThreadArgs {
    /// Threads to use; results do not depend on it [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl ThreadArgs {
    /// Sets the number of threads.
    pub fn start(&self) {
        if let Some(threads) = self.threads {
            // Fails only when the pool is running already, which happens when several commands share a process.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
        }
    }
}

/// How to compute.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Computing")]
pub(super) struct ComputeArgs {
    #[command(flatten)]
    threads: ThreadArgs,
    /// Neither read nor keep numbers from earlier runs
    #[arg(long)]
    no_cache: bool,
}

impl ComputeArgs {
    /// Sets the number of threads and opens the cache.
    pub fn start(&self) -> Cache {
        self.threads.start();
        if self.no_cache { Cache::none() } else { Cache::user() }
    }
}

/// Whether to trust what is remembered of unchanged files.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Computing")]
pub(super) struct RehashArgs {
    /// Read every file again instead of trusting path, size and time of change
    #[arg(long)]
    pub rehash: bool,
}

/// `--class-map auto|FILE`.
#[derive(Debug, Clone)]
pub(super) enum ClassMapArg {
    /// By spelling and shared pictures.
    Auto,
    /// As a TOML file says.
    File(PathBuf),
}

/// The parser for `--class-map`.
pub(super) fn class_map() -> impl TypedValueParser<Value = ClassMapArg> {
    OsStringValueParser::new()
        .map(|text| if text == "auto" { ClassMapArg::Auto } else { ClassMapArg::File(text.into()) })
}

/// What a SOURCE can be, for `--help`.
pub(super) fn sources_help() -> String {
    let mut text = String::from(
        "What a SOURCE can be (recognised by looking, or forced with `KIND:` before the path):\n",
    );
    for format in FORMATS {
        let _ = writeln!(text, "  {:<8} {}", format.id(), format.summary());
    }
    text.push_str(
        "\nExit status: 0 clean, 1 findings, 2 error.\n\
         Results go to stdout (or --out), messages and progress to stderr. `--json` gives results for machines.",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_forces_the_kind_and_list_options_are_kept() {
        let lists = ListArgs { label_column: Some("worst".into()), ..ListArgs::default() };
        let source = SourceArg::new("list:a/b.txt".into());
        assert_eq!(source.text, "list:a/b.txt");
        let place = source.place(&lists);
        assert_eq!(place.kind.as_deref(), Some("list"));
        assert_eq!(place.path, PathBuf::from("a/b.txt"));
        assert_eq!(place.list.label_column.as_deref(), Some("worst"));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_still_a_path() {
        use std::os::unix::ffi::OsStringExt;
        let raw = OsString::from_vec(b"pets-\xff".to_vec());
        let source = SourceArg::new(raw.clone());
        assert_eq!(source.place(&ListArgs::default()).path, PathBuf::from(raw));
    }
}
