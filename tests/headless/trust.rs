//! Tests of `trust` on real files.
