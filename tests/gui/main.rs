//! The real window, driven by name through its accessibility tree and by its keys; jobs run inline.
#![allow(missing_docs, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;

mod flight;
mod places;
mod window;
