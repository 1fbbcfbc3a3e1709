//! `demo`: what is there to try it on?

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::open::WindowArgs;
use super::output::{self, Target};
use super::table::Table;
use super::{CLEAN, Outcome, work};
use crate::demo::{DemoPair, Plan, SEED, default_folder, make_planned, story};
use crate::source::Place;

/// Make a built-in base and contribution with planted trouble, and open the window on them
///
/// Everything is drawn from the seed; nothing is downloaded.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seed of the pictures; same seed, same bytes
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
    /// Where to make them [default: the user's data folder]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Pictures of each class in the base; everything else in proportion
    #[arg(long, value_name = "N", hide = true, default_value_t = Plan::default().base_per_class as u16,
        value_parser = clap::value_parser!(u16).range(9..=3000))]
    per_class: u16,
    /// Only make them and say where they are
    #[arg(long)]
    no_window: bool,
    /// Print JSON for machines; implies --no-window
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    window: WindowArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    seed: u64,
    base: &'a str,
    contribution: &'a str,
    answers: &'a str,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let Args { seed, folder, per_class, no_window, json, window } = args;
    let plan = plan(per_class.into());
    let folder = folder.unwrap_or_else(default_folder);
    let DemoPair { base, contribution, answers } =
        work::run("demo", move |task| Ok(make_planned(&folder, seed, &plan, task)?))?;
    let [base_text, contribution_text, answers_text] =
        [&base, &contribution, &answers].map(|path| path.to_string_lossy().into_owned());
    let text = if json {
        output::json(&Json {
            schema: 1,
            seed,
            base: &base_text,
            contribution: &contribution_text,
            answers: &answers_text,
        })?
    } else {
        human(&base_text, &contribution_text, &answers_text)
    };
    Target::new(None, &[])?.write(text.as_bytes())?;
    if no_window || json || !cfg!(feature = "gui") {
        return Ok(Outcome::Exit(CLEAN));
    }
    let place = |path| Some(Place { path, ..Place::default() });
    Ok(Outcome::Window(window.request(place(base), place(contribution), None)))
}

/// The demo's plan, smaller or larger.
fn plan(per_class: usize) -> Plan {
    let full = Plan::default();
    let part = |count: usize| (count * per_class / full.base_per_class).max(1);
    Plan {
        base_per_class: per_class,
        additions: part(full.additions),
        slips: part(full.slips),
        relabels: part(full.relabels),
        reencodes: part(full.reencodes),
        edits: part(full.edits),
        near_duplicates: part(full.near_duplicates),
        exact_duplicates: part(full.exact_duplicates),
        renames: part(full.renames),
        split_moves: part(full.split_moves),
        removals: part(full.removals),
        triggers: part(full.triggers),
        triggers_on_copies: part(full.triggers_on_copies),
    }
}

fn human(base: &str, contribution: &str, answers: &str) -> String {
    let mut text = String::new();
    for line in story() {
        text.push_str(line);
        text.push('\n');
    }
    let mut places = Table::new("ll");
    places.row(["base".into(), base.into()]);
    places.row(["contribution".into(), contribution.into()]);
    places.row(["answers".into(), answers.into()]);
    let mut commands = Table::new("ll");
    commands.row(["See what changed:".into(), format!("sparrowhawk diff '{base}' '{contribution}'")]);
    commands
        .row(["Find what looks wrong:".into(), format!("sparrowhawk scan '{contribution}' --base '{base}'")]);
    commands.row(["Decide in the window:".into(), format!("sparrowhawk open '{base}' '{contribution}'")]);
    text + "\n" + &places.render(0) + "\n" + &commands.render(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_the_default_size_is_the_demo_that_the_window_makes() {
        assert_eq!(plan(Plan::default().base_per_class), Plan::default());
    }
}
