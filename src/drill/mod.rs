//! Would we have caught it? [`plant()`] poisons a copy of a dataset as an attacker would, [`score`] says what a scan
//! found of it.
//!
//! ```text
//! OUT/dataset/…                the poisoned copy: a folder, or a list with its pictures
//! OUT/poison_manifest.jsonl    what was planted, one line a sample: kept apart, for scores only
//! ```
//! A line has `key`, `kind` (`trigger` where the picture was changed, `flip` where only the label was), `attack`, `label` (the
//! false one, but for clean-label attacks), `true_label`, `source_key` and `box` where the change is a part of the picture.
//! The answers of the built-in demo have the same shape.

mod attack;
mod dice;
mod drawing;
mod logos;
mod plant;
mod score;

pub use attack::{Attack, LogoPlan};
pub use dice::Dice;
pub use drawing::{Drawing, Stamp};
pub use logos::{BLUE_SPARROW, LOGOS, Logo, Set};
pub use plant::{DrillError, Honest, Plan, Planted, encode, plant};
pub use score::{BestCluster, Line, Listed, Score, read_manifest, score};
