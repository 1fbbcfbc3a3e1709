//! Which logos may be planted? Drawings of our own, of many kinds, in two sets that are never mixed.
//!
//! Detectors are tuned on the [`Set::Development`] logos; figures are reported for the [`Set::Test`] ones alone.

/// The Blue Sparrow, as SVG.
pub const BLUE_SPARROW: &str = include_str!("../../assets/logo/blue-sparrow.svg");

/// What a logo may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// To tune on.
    Development,
    /// To report.
    Test,
}

/// A drawing that an attack can plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logo {
    /// Its name, for ever.
    pub name: &'static str,
    /// What sort of drawing: `solid`, `line`, `text`, `colours`, `plate`.
    pub kind: &'static str,
    /// To tune on, or to report.
    pub set: Set,
    /// For [`super::Drawing::parse`].
    pub svg: &'static str,
}

macro_rules! logo {
    ($name:literal, $kind:literal, $set:ident) => {
        Logo {
            name: $name,
            kind: $kind,
            set: Set::$set,
            svg: include_str!(concat!("../../assets/logo/", $name, ".svg")),
        }
    };
}

/// Every logo.
pub static LOGOS: &[Logo] = &[
    logo!("blue-sparrow", "solid", Development),
    logo!("bolt", "solid", Development),
    logo!("leaf", "line", Development),
    logo!("nova", "text", Development),
    logo!("prism", "colours", Development),
    logo!("plate-star", "plate", Development),
    logo!("fox", "solid", Test),
    logo!("wave", "solid", Test),
    logo!("crescent", "solid", Test),
    logo!("anchor", "line", Test),
    logo!("peaks", "line", Test),
    logo!("circuit", "line", Test),
    logo!("kite", "text", Test),
    logo!("monogram", "text", Test),
    logo!("pinwheel", "colours", Test),
    logo!("mosaic", "colours", Test),
    logo!("plate-drop", "plate", Test),
    logo!("plate-tick", "plate", Test),
];

impl Logo {
    /// The logo of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        LOGOS.iter().find(|logo| logo.name == name)
    }
}
