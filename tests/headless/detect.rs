//! Tests of `detect` on real files.
