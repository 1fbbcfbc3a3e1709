//! Tests of `compare` on real files.
