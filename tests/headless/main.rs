//! The library and the command without a window, on real files. One module a folder of `src`.
// Helpers outside of `#[test]` functions unwrap and print as tests do.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod audit;
mod cli;
mod compare;
mod confident;
mod demo;
mod detect;
mod drill;
mod export;
mod feature;
mod odd_sets;
mod review;
mod shared;
mod source;
mod trust;
mod twins;
