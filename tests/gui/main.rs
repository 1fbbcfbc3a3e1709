//! The real window, driven by name through its accessibility tree and by its keys; jobs run inline.
// Helpers outside of `#[test]` functions unwrap as tests do.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod flight;
mod map;
mod overview;
mod places;
mod queues;
mod speed;
mod window;
