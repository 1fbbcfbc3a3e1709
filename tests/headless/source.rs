//! Tests of `source` on real files.
