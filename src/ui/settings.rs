//! What is kept between runs, besides reviews? Recent places, the reviewer's name, tastes.
//!
//! Kept by eframe's own storage; losing it loses no work. Keys come from `settings.toml` in the configuration folder,
//! which only people write.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::state::{Queue, Sort, View};

/// Most recent places that are remembered.
const RECENT: usize = 10;

/// Pictures by which a recent place is known again.
pub const PREVIEWS: usize = 3;

/// One pair that was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// The base, if there was one.
    pub base: Option<PathBuf>,
    /// The version under review.
    pub target: PathBuf,
    /// Files of a few of its pictures, at most [`PREVIEWS`].
    pub previews: Vec<PathBuf>,
    /// Samples that were decided, of those to decide, when it was closed.
    pub decided: (usize, usize),
    /// The queue and the sample where it was left.
    pub left_at: Option<(Queue, String)>,
}

impl Recent {
    /// Whether both are about the same places.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.base == other.base && self.target == other.target
    }
}

/// Which theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Everything kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Last opened first.
    pub recent: Vec<Recent>,
    /// Who decides.
    pub reviewer: String,
    /// Theme.
    pub theme: ThemeChoice,
    /// Side of a thumbnail, points.
    pub thumbnail_size: f32,
    /// Whether a verdict moves on.
    pub auto_advance: bool,
    /// How samples are shown.
    pub view: View,
    /// In what order.
    pub sort: Sort,
    /// Searches that were kept, the last one first.
    pub searches: Vec<String>,
    /// The format of the last export.
    pub export_format: String,
    /// Nothing moves by itself.
    pub reduced_motion: bool,
    /// How much larger than usual everything is.
    pub zoom: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            recent: Vec::new(),
            reviewer: std::env::var("USER")
                .or_else(|_| std::env::var("USERNAME"))
                .unwrap_or_else(|_| "reviewer".to_owned()),
            theme: ThemeChoice::System,
            thumbnail_size: 148.0,
            auto_advance: true,
            view: View::Grid,
            sort: Sort::Queue,
            searches: Vec::new(),
            export_format: "patch".to_owned(),
            reduced_motion: false,
            zoom: 1.0,
        }
    }
}

impl Settings {
    /// Puts a pair first among the recent ones, with what was known of it.
    pub fn remember(&mut self, recent: Recent) {
        let known = self.recent.iter().position(|other| other.is(&recent));
        let recent = known.map_or(recent, |at| self.recent.remove(at));
        self.recent.insert(0, recent);
        self.recent.truncate(RECENT);
    }
}

/// The file that people write.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    #[serde(default)]
    keys: BTreeMap<String, String>,
}

/// Where the settings file is looked for.
#[must_use]
pub fn file_path() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "sparrowhawk").map(|dirs| dirs.config_dir().join("settings.toml"))
}

/// The keys of a settings file, or what is wrong with it.
pub fn keys_from_file(text: &str) -> Result<BTreeMap<String, String>, String> {
    toml::from_str::<SettingsFile>(text).map(|file| file.keys).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_places_are_last_first_and_once() {
        let mut settings = Settings::default();
        for name in ["a", "b", "a"] {
            settings.remember(Recent { target: name.into(), ..Recent::default() });
        }
        assert_eq!(
            settings.recent.iter().map(|r| r.target.to_string_lossy()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        // What was known of a place is not lost when it is opened again.
        settings.recent[1].decided = (3, 9);
        settings.remember(Recent { target: "b".into(), ..Recent::default() });
        assert_eq!(settings.recent[0].decided, (3, 9));
    }

    #[test]
    fn keys_are_read_and_mistakes_named() {
        let keys = keys_from_file("[keys]\nkeep = \"k\"\n").expect("a good file");
        assert_eq!(keys["keep"], "k");
        assert!(keys_from_file("[kyes]\n").is_err());
    }
}
