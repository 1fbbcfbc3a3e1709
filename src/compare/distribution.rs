//! How did the classes' shares move?

use std::collections::BTreeMap;

use serde::Serialize;

use super::diff::VersionDiff;
use super::statistics;
use crate::model::{UNLABELLED, Version};

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

/// Compares the class distributions; unlabelled samples are left out.
///
/// p-values are of the pooled z-test, or of Fisher's exact test where fewer than 5 samples are expected.
/// Where either version has no labelled sample there is nothing to compare: p is 1 and the measures are 0.
#[must_use]
pub fn distribution(base: &Version, contribution: &Version) -> Distribution {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let (base_counts, _) = base.class_counts();
    for (class, &count) in base.classes().iter().zip(&base_counts) {
        counts.entry(class).or_default().0 = count;
    }
    let (contribution_counts, _) = contribution.class_counts();
    for (class, &count) in contribution.classes().iter().zip(&contribution_counts) {
        counts.entry(class).or_default().1 = count;
    }
    let base_total = base_counts.iter().sum();
    let contribution_total = contribution_counts.iter().sum();

    let p_values: Vec<f64> = counts
        .values()
        .map(|&(b, c)| statistics::difference_p((b, base_total), (c, contribution_total)))
        .collect();
    let adjusted = statistics::benjamini_hochberg(&p_values);
    let classes = counts
        .iter()
        .zip(adjusted)
        .map(|((name, &(b, c)), p_adjusted)| {
            let (low, high) = statistics::newcombe((b, base_total), (c, contribution_total));
            ClassRow {
                name: (*name).to_owned(),
                base: b,
                contribution: c,
                share_change: statistics::share(c, contribution_total) - statistics::share(b, base_total),
                share_change_low: low,
                share_change_high: high,
                p_adjusted,
            }
        })
        .collect();
    let table: Vec<(u64, u64)> = counts.into_values().collect();
    let measures = Measures {
        js_distance: statistics::jensen_shannon(&table),
        l_infinity: statistics::l_infinity(&table),
        psi: statistics::population_stability(&table),
        chi2_p: statistics::homogeneity_p(&table),
        cramers_v: statistics::cramers_v(&table),
    };
    Distribution { classes, measures }
}

/// Label flows over paired samples whose label changed, most frequent first, then by names.
/// The empty name stands for samples without a label: no class is called so.
#[must_use]
pub fn flows(base: &Version, contribution: &Version, diff: &VersionDiff) -> Vec<Flow> {
    let name_in = |version: &Version, row: usize| version.label(row).unwrap_or_default().to_owned();
    let in_base = label_ids_in(contribution, base);
    let mut counts: BTreeMap<(u32, u32), (u64, usize, usize)> = BTreeMap::new();
    for (row, counterpart) in diff.counterparts.iter().enumerate() {
        let Some(base_row) = counterpart.map(|r| r as usize) else { continue };
        let (from, to) = (base.label_id(base_row), contribution.label_id(row));
        if !same_label(&in_base, from, to) {
            counts.entry((from, to)).or_insert((0, base_row, row)).0 += 1;
        }
    }
    let mut flows: Vec<Flow> = counts
        .into_values()
        .map(|(count, base_row, row)| Flow {
            from: name_in(base, base_row),
            to: name_in(contribution, row),
            count,
        })
        .collect();
    flows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    flows
}

/// For each label id of `version` the id of the class with the same name in `other`.
pub(super) fn label_ids_in(version: &Version, other: &Version) -> Vec<Option<u32>> {
    version.classes().iter().map(|class| other.class_id(class)).collect()
}

/// Whether a base label id and a contribution label id name one class, or both none.
pub(super) fn same_label(in_base: &[Option<u32>], base: u32, contribution: u32) -> bool {
    match in_base.get(contribution as usize) {
        Some(&id) => id == Some(base),
        None => base == UNLABELLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SourceRef, VersionBuilder};

    fn version(labels: &[(&str, usize)]) -> Version {
        let mut builder = VersionBuilder::default();
        for (label, count) in labels {
            for i in 0..*count {
                builder.push(&format!("{label}/{i}"), Some(label), None);
            }
        }
        let source = SourceRef { kind: "folder".into(), place: "/data".into(), revision: None };
        builder.build(source, "data", "folder names").0
    }

    #[test]
    fn every_class_of_either_version_has_a_row() {
        let found =
            distribution(&version(&[("cat", 60), ("dog", 40)]), &version(&[("dog", 50), ("nsfw", 50)]));
        let names: Vec<_> = found.classes.iter().map(|c| (c.name.as_str(), c.base, c.contribution)).collect();
        assert_eq!(names, [("cat", 60, 0), ("dog", 40, 50), ("nsfw", 0, 50)]);
        let dog = &found.classes[1];
        assert!((dog.share_change - 0.1).abs() < 1e-12);
        assert!(dog.share_change_low < 0.0 && dog.share_change_high > 0.2);
        // The z-test gives 0.1552 for dog; it is the largest of three, so the adjustment leaves it.
        assert!((dog.p_adjusted - 0.155_218_489_691_579).abs() < 1e-12, "{}", dog.p_adjusted);
        assert!(found.classes[0].p_adjusted < 1e-10);
        assert!(found.measures.chi2_p < 1e-10 && found.measures.cramers_v > 0.6);
        assert!((found.measures.l_infinity - 0.6).abs() < 1e-12);
    }

    #[test]
    fn empty_versions_have_no_drift_and_no_nan() {
        let (empty, full) = (version(&[]), version(&[("cat", 3)]));
        for (base, contribution) in [(&empty, &empty), (&empty, &full), (&full, &empty), (&full, &full)] {
            let found = distribution(base, contribution);
            assert_eq!(found.measures, Measures { chi2_p: 1.0, ..Measures::default() });
            for class in &found.classes {
                assert_eq!(class.p_adjusted, 1.0);
                for value in [class.share_change, class.share_change_low, class.share_change_high] {
                    assert!(value.is_finite());
                }
            }
        }
    }

    #[test]
    fn flows_count_paired_samples_by_name() {
        let mut builder = VersionBuilder::default();
        for (key, label) in
            [("1", Some("cat")), ("2", Some("cat")), ("3", Some("dog")), ("4", None), ("5", None)]
        {
            builder.push(key, label, None);
        }
        let source = SourceRef { kind: "list".into(), place: "/data".into(), revision: None };
        let base = builder.build(source.clone(), "data", "column").0;
        let mut builder = VersionBuilder::default();
        for (key, label) in
            [("1", Some("ape")), ("2", Some("ape")), ("3", Some("dog")), ("4", Some("dog")), ("5", None)]
        {
            builder.push(key, label, None);
        }
        let contribution = builder.build(source, "data", "column").0;
        let diff = VersionDiff { counterparts: (0..5).map(Some).collect(), ..VersionDiff::default() };
        let found: Vec<_> =
            flows(&base, &contribution, &diff).into_iter().map(|f| (f.from, f.to, f.count)).collect();
        assert_eq!(found, [("cat".into(), "ape".into(), 2), (String::new(), "dog".into(), 1)]);
    }
}
