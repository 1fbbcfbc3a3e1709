//! How fast is `source`?

pub fn run() {}
