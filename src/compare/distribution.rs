//! How did the classes' shares move?

use serde::Serialize;

use super::diff::VersionDiff;
use crate::model::Version;

/// One class in both versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassRow {
    /// Class name.
    pub name: String,
    /// Samples in the base.
    pub base: u64,
    /// Samples in the contribution.
    pub contribution: u64,
    /// Share in the contribution minus share in the base.
    pub share_change: f64,
    /// Lower end of the 95 % Newcombe interval of `share_change`.
    pub share_change_low: f64,
    /// Upper end.
    pub share_change_high: f64,
    /// Two-sided p-value of the difference, Benjamini–Hochberg adjusted over classes.
    pub p_adjusted: f64,
}

/// Measures of drift between the class distributions; formulas in the fields' docs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Measures {
    /// Jensen–Shannon distance: square root of the divergence in bits, in [0, 1].
    pub js_distance: f64,
    /// Largest absolute change of a share.
    pub l_infinity: f64,
    /// Population stability index, shares floored at 1e-4.
    pub psi: f64,
    /// p-value of Pearson's chi-square test of homogeneity.
    pub chi2_p: f64,
    /// Cramér's V, bias-corrected.
    pub cramers_v: f64,
}

/// How often a label became another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flow {
    /// Label in the base.
    pub from: String,
    /// Label in the contribution.
    pub to: String,
    /// Samples.
    pub count: u64,
}

/// Class counts of two versions and what they amount to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// Every class of either version, by name.
    pub classes: Vec<ClassRow>,
    /// Drift.
    pub measures: Measures,
}

/// Compares the class distributions.
#[must_use]
pub fn distribution(_base: &Version, _contribution: &Version) -> Distribution {
    todo!()
}

/// Label flows over paired samples whose label changed, most frequent first, then by names.
#[must_use]
pub fn flows(_base: &Version, _contribution: &Version, _diff: &VersionDiff) -> Vec<Flow> {
    todo!()
}
