//! How fast is `feature`?

pub fn run() {}
