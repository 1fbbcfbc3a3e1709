//! Where are numbers kept between runs? In one redb file outside every dataset, keyed by content.

use std::path::Path;

/// A cache on disk, or none: everything works without, only slower.
/// Never fails: a cache that cannot be opened or written is reported once through [`Cache::trouble`].
pub struct Cache {}

impl Cache {
    /// The cache of this user, in the system's cache folder.
    #[must_use]
    pub fn user() -> Self {
        todo!()
    }

    /// A cache in this folder.
    #[must_use]
    pub fn at(_folder: &Path) -> Self {
        todo!()
    }

    /// Remembers nothing.
    #[must_use]
    pub fn none() -> Self {
        todo!()
    }

    /// Why the cache does not work, if it does not, in words for a person.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        todo!()
    }
}
