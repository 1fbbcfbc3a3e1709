#![doc = include_str!("ARCHITECTURE.md")]

pub mod audit;
pub mod cli;
pub mod compare;
pub mod demo;
pub mod detect;
pub mod drill;
pub mod export;
pub mod feature;
pub mod model;
pub mod review;
pub mod source;
pub mod task;
pub mod trust;
#[cfg(feature = "gui")]
pub mod ui;
