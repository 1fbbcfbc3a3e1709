//! Tests of `review` on real files.
