//! Tests of `cli` on real files.
