//! The real window's logic, driven by name through its accessibility tree.
#![allow(missing_docs, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;
