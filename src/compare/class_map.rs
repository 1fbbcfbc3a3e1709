//! Which class of the contribution is which of the base?

use std::collections::BTreeMap;

use crate::feature::Fingerprints;
use crate::model::Version;

/// Contribution's class name → base's class name; classes that are not named keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassMap {
    /// The pairs, by the contribution's name.
    pub to_base: BTreeMap<String, String>,
}

impl ClassMap {
    /// Matches classes by spelling (case, `-`, `_`, space) and, with both fingerprints, by the pictures they share.
    /// Never maps a class that the base also has under its own name, nor two unlike classes onto one.
    #[must_use]
    pub fn auto(
        _base: &Version,
        _contribution: &Version,
        _shared: Option<(&Fingerprints, &Fingerprints)>,
    ) -> Self {
        todo!()
    }

    /// Reads a TOML file: `"T-Shirt" = "t-shirt"` a line, optionally under `[classes]`.
    pub fn parse(_text: &str) -> Result<Self, String> {
        todo!()
    }

    /// The contribution with the base's class names.
    #[must_use]
    pub fn apply(&self, contribution: &Version) -> Version {
        contribution.with_class_names(|name| self.to_base.get(name).cloned())
    }
}
