//! Tests of `demo` on real files.
