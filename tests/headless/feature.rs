//! Tests of `feature` on real files.
