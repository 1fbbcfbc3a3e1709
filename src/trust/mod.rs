//! May this version be used? A [`pin()`] is its fingerprint; a lock file remembers it.

mod pin;

pub use pin::{Difference, LockFile, TrustError, pin, verify};
