//! The library and the command without a window, on real files. One module a folder of `src`.
#![allow(missing_docs, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod cli;
mod compare;
mod demo;
mod detect;
mod export;
mod feature;
mod review;
mod source;
mod trust;
