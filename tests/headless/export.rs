//! Tests of `export` on real files.
