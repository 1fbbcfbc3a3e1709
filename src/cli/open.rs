//! `open`: what should the window show?

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::arguments::{ListArgs, SourceArg, source};
use super::{Outcome, WindowRequest, WindowTheme};
use crate::source::Place;

/// The window, on one dataset or on a base and a contribution
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One dataset, or the trusted base and the contribution, and up to two further versions to look at
    #[arg(value_name = "SOURCE", num_args = 0..=4, value_parser = source())]
    sources: Vec<SourceArg>,
    /// The review file to open or make [default: the one that belongs to these versions]
    #[arg(long, value_name = "FILE")]
    review: Option<PathBuf>,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    lists: ListArgs,
}

/// How the window looks at first.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct WindowArgs {
    /// Light, dark, or what the desktop says [default: as set in the window]
    #[arg(long, value_name = "THEME")]
    theme: Option<ThemeArg>,
    /// Save a picture of the window here when everything is computed, then quit
    #[arg(long, value_name = "FILE", hide = true)]
    screenshot: Option<PathBuf>,
    /// Go through the pages of the window with this data, save a picture of each in this folder, then quit
    #[arg(long, value_name = "FOLDER", hide = true)]
    tour: Option<PathBuf>,
    /// Width and height of the window in points, such as 1440x900
    #[arg(long, value_name = "WxH", hide = true, value_parser = parse_size)]
    size: Option<(f32, f32)>,
    /// The queue to show first
    #[arg(long, value_name = "QUEUE", hide = true)]
    show: Option<String>,
    /// The position in that queue to select first, counted from 0
    #[arg(long, value_name = "N", hide = true)]
    select: Option<usize>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ThemeArg {
    Light,
    Dark,
    System,
}

impl WindowArgs {
    /// The request for these versions.
    pub fn request(
        self,
        base: Option<Place>,
        contribution: Option<Place>,
        review: Option<PathBuf>,
    ) -> WindowRequest {
        let Self { theme, screenshot, tour, size, show, select } = self;
        let theme = theme.map(|theme| match theme {
            ThemeArg::Light => WindowTheme::Light,
            ThemeArg::Dark => WindowTheme::Dark,
            ThemeArg::System => WindowTheme::System,
        });
        let further = Vec::new();
        WindowRequest { base, contribution, further, review, theme, screenshot, tour, size, show, select }
    }
}

fn parse_size(text: &str) -> Result<(f32, f32), String> {
    let side = |side: &str| side.trim().parse::<f32>().ok().filter(|side| (100.0..=16_384.0).contains(side));
    text.split_once('x')
        .and_then(|(width, height)| side(width).zip(side(height)))
        .ok_or_else(|| "width and height in points, from 100 to 16384, such as 1440x900".to_owned())
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    let places: Vec<Place> = args.sources.iter().map(|source| source.place(&args.lists)).collect();
    for place in &places {
        // The window could say it too, but not to the script that called.
        if !place.path.exists() {
            bail!("there is no file or folder here; check the path: {}", place.path.display());
        }
    }
    let mut places = places.into_iter();
    let (base, contribution) = match (places.next(), places.next()) {
        (Some(base), Some(contribution)) => (Some(base), Some(contribution)),
        (only, _) => (None, only),
    };
    let request = args.window.request(base, contribution, args.review);
    Ok(Outcome::Window(WindowRequest { further: places.collect(), ..request }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("1440x900"), Ok((1440.0, 900.0)));
        for bad in ["", "1440", "1440x", "x900", "0x0", "NaNxNaN", "1e9x900", "-5x900"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
