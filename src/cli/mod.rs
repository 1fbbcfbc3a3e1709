//! How does the command ask the library? One file a subcommand.
//!
//! Results go to stdout or `--out`, diagnostics and progress to stderr; the exit status says clean, findings or error.
//! Everything that is printed for people goes through [`output::printable`]: names come from untrusted datasets.

mod apply;
mod arguments;
mod audit;
mod demo;
mod diff;
mod drill;
mod export;
mod info;
mod label_options;
mod load;
mod open;
mod output;
mod pin;
mod scan;
mod table;
mod verify;
mod work;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::source::Place;

/// Exit status: nothing was found.
const CLEAN: u8 = 0;
/// Exit status: something was found that a person should look at.
const FINDINGS: u8 = 1;
/// Exit status: the question could not be answered.
const ERROR: u8 = 2;

/// What the process should do after the command line was read.
#[expect(clippy::large_enum_variant, reason = "there is one a process")]
pub enum Outcome {
    /// It is done: this exit status.
    Exit(u8),
    /// Open the window on this.
    Window(WindowRequest),
}

/// What the window should show first.
#[derive(Debug, Clone, Default)]
pub struct WindowRequest {
    /// The trusted base.
    pub base: Option<Place>,
    /// The version under review.
    pub contribution: Option<Place>,
    /// Further versions to look at beside them, at most two.
    pub further: Vec<Place>,
    /// The review file, otherwise the one that belongs to the versions.
    pub review: Option<PathBuf>,
    /// The theme asked for; otherwise the one of the settings.
    pub theme: Option<WindowTheme>,
    /// Saves a picture of the window here once everything is computed, then closes it.
    pub screenshot: Option<PathBuf>,
    /// Goes through the three jobs by itself, saves a picture of each page in this folder, then closes the window.
    pub tour: Option<PathBuf>,
    /// Width and height of the window in points.
    pub size: Option<(f32, f32)>,
    /// The queue to show first, such as `labels`.
    pub show: Option<String>,
    /// The position in that queue to select first, counted from 0.
    pub select: Option<usize>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowTheme {
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// What the desktop says.
    System,
}

/// Inspect image-classification datasets: see what a contribution changed, find the labels and pictures that do
/// not belong, decide, and hand out corrections that machines can apply.
///
/// Without a subcommand the window opens. Everything runs on this machine; nothing is uploaded, and nothing is
/// ever written into a dataset that is opened.
#[derive(Debug, Parser)]
#[command(name = "sparrowhawk", version, disable_help_subcommand = true, after_help = AFTER_HELP, after_long_help = arguments::sources_help())]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Subcommands>,
}

const AFTER_HELP: &str = "Exit status: 0 clean, 1 findings, 2 error. \
    `sparrowhawk --help` also says what a SOURCE can be, `sparrowhawk COMMAND --help` explains one command.";

#[derive(Debug, Subcommand)]
enum Subcommands {
    Open(open::Args),
    Demo(demo::Args),
    Info(info::Args),
    Diff(diff::Args),
    Scan(scan::Args),
    Pin(pin::Args),
    Verify(verify::Args),
    Export(export::Args),
    Apply(apply::Args),
    Drill(drill::Args),
    Audit(audit::Args),
}

/// Reads the command line, does what it says, or asks for the window.
#[must_use]
pub fn run(args: &[OsString]) -> Outcome {
    let command = match CommandLine::try_parse_from(args) {
        Ok(line) => line.command,
        Err(error) => {
            // Nobody is left to tell when the stream is closed.
            let _ = error.print();
            return Outcome::Exit(if error.use_stderr() { ERROR } else { CLEAN });
        }
    };
    let outcome = match command {
        None => Ok(Outcome::Window(WindowRequest::default())),
        Some(Subcommands::Open(args)) => open::run(args),
        Some(Subcommands::Demo(args)) => demo::run(args),
        Some(Subcommands::Info(args)) => info::run(args),
        Some(Subcommands::Diff(args)) => diff::run(args),
        Some(Subcommands::Scan(args)) => scan::run(args),
        Some(Subcommands::Pin(args)) => pin::run(args),
        Some(Subcommands::Verify(args)) => verify::run(args),
        Some(Subcommands::Export(args)) => export::run(args),
        Some(Subcommands::Apply(args)) => apply::run(args),
        Some(Subcommands::Drill(args)) => drill::run(args),
        Some(Subcommands::Audit(args)) => audit::run(args),
    };
    outcome.unwrap_or_else(|error| {
        output::say("error", &format!("{error:#}"));
        Outcome::Exit(ERROR)
    })
}

/// Says that this build has no window; the exit status.
#[must_use]
pub fn no_window() -> u8 {
    output::say(
        "error",
        "this build has no window; build it with the feature `gui` (which is on by default), \
         or use a subcommand: `sparrowhawk --help` lists them",
    );
    ERROR
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn no_argument_asks_for_the_window() {
        assert!(matches!(run(&["sparrowhawk".into()]), Outcome::Window(_)));
    }

    #[test]
    fn every_option_and_command_is_explained() {
        let command = CommandLine::command();
        for subcommand in command.get_subcommands() {
            assert!(subcommand.get_about().is_some(), "{}", subcommand.get_name());
            for argument in subcommand.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", subcommand.get_name(), argument.get_id());
            }
        }
    }
}
