//! How fast is `compare`?

pub fn run() {}
