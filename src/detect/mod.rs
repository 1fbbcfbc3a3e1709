//! Which samples look wrong, and why? One file a detector; [`DETECTORS`] is the registry.

mod calibrate;
mod chance;
pub mod confident;
mod crowd;
mod duplicate;
mod expert;
mod folds;
pub mod image_problem;
mod judge;
mod label_error;
mod learn;
mod lesson;
mod lineup;
mod matrix;
mod noise;
mod one_sided;
mod options;
mod outlier;
mod part;
mod pool;
mod rank;
mod ridge;
mod score;
mod shared_edit;
mod shared_overlay;
mod shared_patch;
mod shared_trigger;
mod vote;

pub use options::{Options, ProbabilitiesMode, ScoreRule};

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use crate::compare::{Side, VersionDiff};
use crate::feature::{Cache, FeatureError, SuppliedError};
use crate::model::{ChangeKind, Cluster, Group, Signal, Warning};
use crate::task::{Cancelled, Task};

pub use duplicate::find_duplicates;
pub use part::{average_part, part_square};

/// What a detector may look at.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The version to judge.
    pub target: Side<'a>,
    /// The trusted base and what changed since, when there is one: what is trusted trains what judges.
    pub base: Option<(Side<'a>, &'a VersionDiff)>,
    /// Numbers computed before.
    pub cache: &'a Cache,
    /// Seed of everything random.
    pub seed: u64,
    /// What a person chose or brought.
    pub options: &'a Options,
    /// What the detectors before this one have found in this scan; whoever asks for a scan gives none.
    pub earlier: &'a [Cluster],
}

/// What a detector found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// One a judged sample, any order.
    pub signals: Vec<Signal>,
    /// Groups with a shared cause.
    pub clusters: Vec<Cluster>,
    /// Samples that show one picture.
    pub groups: Vec<Group>,
    /// Pairs of classes that labels fall between, most labels first.
    pub confusions: Vec<Confusion>,
    /// What it did, on what, and how well it may be expected to do, in a sentence or two.
    pub note: String,
    /// Samples that it could not judge, and why.
    pub warnings: Vec<Warning>,
}

/// Labels of one class that look like another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The class that is given.
    pub given: String,
    /// The class that they confidently look like.
    pub looks_like: String,
    /// How many there are by the confident joint, which counts the models' own mistakes too.
    pub estimated_count: u64,
}

/// Finds one sort of trouble.
pub trait Detector: Sync {
    /// Its name in results and options, for ever.
    fn id(&self) -> &'static str;
    /// What it looks for, in half a sentence.
    fn summary(&self) -> &'static str;
    /// Runs it. Deterministic: same input and seed, same findings, for any number of threads.
    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError>;
}

/// Every detector, in the order in which people see them.
pub static DETECTORS: &[&dyn Detector] = &[
    &label_error::LabelError,
    &shared_edit::SharedEdit,
    &shared_patch::SharedPatch,
    &shared_overlay::SharedOverlay,
    &shared_trigger::SharedTrigger,
    &duplicate::Duplicate,
    &outlier::Outlier,
    &image_problem::ImageProblems,
];

/// Why a detector could not run at all.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Pictures could not be looked at.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// What a person brought cannot be used.
    #[error(transparent)]
    Supplied(#[from] SuppliedError),
    /// The name is no detector's.
    #[error("there is no detector `{name}`; there are: {known}")]
    Unknown {
        /// As given.
        name: String,
        /// Those that exist.
        known: String,
    },
}

/// One detector's part of a scan.
#[derive(Debug, Clone)]
pub struct DetectorRun {
    /// The detector's id.
    pub detector: &'static str,
    /// Wall time.
    pub seconds: f64,
    /// Its note.
    pub note: String,
}

/// Everything a scan found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// What ran.
    pub runs: Vec<DetectorRun>,
    /// Judged rows, most suspicious first, ties by key.
    pub ranking: Vec<Ranked>,
    /// Clusters, by score downwards.
    pub clusters: Vec<Cluster>,
    /// Pairs of classes that labels fall between, most labels first.
    pub confusions: Vec<Confusion>,
    /// Samples that show one picture: groups that deserve attention first.
    pub groups: Vec<Group>,
    /// Samples that could not be judged.
    pub warnings: Vec<Warning>,
}

/// One judged sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Row in the judged version.
    pub row: u32,
    /// In [0, 1], 1 = most suspicious, by the rule in `detect/rank.rs`.
    pub suspicion: f64,
    /// What the detectors say, in the registry's order.
    pub signals: Vec<Signal>,
}

impl Scan {
    /// Whether any signal passes its detector's alarm threshold; a cluster that does has members that do.
    #[must_use]
    pub fn alarm(&self) -> bool {
        self.ranking.iter().any(|r| r.signals.iter().any(|s| s.alarm))
    }
}

/// Runs the detectors named (all when empty) and ranks what they say.
pub fn scan(input: &Input<'_>, detectors: &[String], task: &Task) -> Result<Scan, DetectError> {
    scan_with(DETECTORS, input, detectors, task)
}

fn scan_with(
    registry: &[&dyn Detector],
    input: &Input<'_>,
    names: &[String],
    task: &Task,
) -> Result<Scan, DetectError> {
    if let Some(name) = names.iter().find(|name| registry.iter().all(|detector| detector.id() != **name)) {
        let known = registry.iter().map(|detector| detector.id()).collect::<Vec<_>>().join(", ");
        return Err(DetectError::Unknown { name: name.clone(), known });
    }
    let mut scan = Scan::default();
    let mut signals: BTreeMap<u32, Vec<Signal>> = BTreeMap::new();
    for detector in registry {
        if !names.is_empty() && !names.iter().any(|name| name == detector.id()) {
            continue;
        }
        task.check()?;
        let start = Instant::now();
        let findings = detector.run(&Input { earlier: &scan.clusters, ..*input }, task)?;
        let seconds = start.elapsed().as_secs_f64();
        scan.runs.push(DetectorRun { detector: detector.id(), seconds, note: findings.note });
        for signal in findings.signals {
            signals.entry(signal.row).or_default().push(signal);
        }
        scan.clusters.extend(findings.clusters);
        scan.confusions.extend(findings.confusions);
        scan.groups.extend(findings.groups);
        scan.warnings.extend(findings.warnings);
    }
    scan.clusters = rank::name_clusters(scan.clusters, &mut signals);
    scan.ranking = signals
        .into_iter()
        .map(|(row, signals)| {
            let suspicion = rank::suspicion(&signals, change_of(input, row));
            Ranked { row, suspicion, signals }
        })
        .collect();
    // Stable sorts: equal suspicions keep the order of rows, which is that of keys.
    scan.ranking.sort_by(|a, b| b.suspicion.total_cmp(&a.suspicion));
    // Two detectors that could not read one picture say so once.
    scan.warnings.sort();
    scan.warnings.dedup();
    Ok(scan)
}

/// What the contribution did to this row of the judged version.
fn change_of(input: &Input<'_>, row: u32) -> Option<ChangeKind> {
    let (_, diff) = input.base?;
    let change = diff.change_of_row.get(row as usize).copied().flatten()?;
    diff.changes.get(change as usize).map(|change| change.kind)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::feature::Fingerprints;
    use crate::model::{SourceRef, VersionBuilder};
    use crate::source::{Dataset, Pictures, ReadError, Stamp};

    struct NoPictures;
    impl Pictures for NoPictures {
        fn read(&self, _row: usize) -> Result<Vec<u8>, ReadError> {
            Err(ReadError::Missing)
        }
        fn stamp(&self, _row: usize) -> Option<Stamp> {
            None
        }
        fn path(&self, _row: usize) -> Option<PathBuf> {
            None
        }
    }

    /// Gives fixed scores to rows.
    struct Fixed(&'static str, &'static [(u32, f64, bool)]);
    impl Detector for Fixed {
        fn id(&self) -> &'static str {
            self.0
        }
        fn summary(&self) -> &'static str {
            "fixed scores"
        }
        fn run(&self, _input: &Input<'_>, _task: &Task) -> Result<Findings, DetectError> {
            let signal =
                |&(row, score, alarm): &(u32, f64, bool)| Signal { score, alarm, ..Signal::of(self.0, row) };
            Ok(Findings { signals: self.1.iter().map(signal).collect(), ..Findings::default() })
        }
    }

    /// Row, suspicion and number of signals of each ranked sample.
    type Lines<'a> = &'a [(u32, f64, usize)];

    fn check(names: &[&str], expected: Result<(Lines<'_>, bool), &str>) {
        let registry: [&dyn Detector; 2] = [
            &Fixed("first", &[(3, 0.5, false), (1, 0.25, false), (2, 0.5, false)]),
            &Fixed("second", &[(1, 0.75, true), (3, 0.5, false)]),
        ];
        let source = SourceRef { kind: "folder".into(), place: "/data".into(), revision: None };
        let version = VersionBuilder::default().build(source, "data", "folder names").0;
        let dataset = Dataset { version: Arc::new(version), pictures: Arc::new(NoPictures) };
        let fingerprints = Fingerprints::default();
        let cache = Cache::none();
        let target = Side { dataset: &dataset, fingerprints: &fingerprints };
        let input =
            Input { target, base: None, cache: &cache, seed: 0, options: &Options::default(), earlier: &[] };
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        match (scan_with(&registry, &input, &names, &Task::new()), expected) {
            (Ok(scan), Ok((ranking, alarm))) => {
                let found: Vec<_> = scan
                    .ranking
                    .iter()
                    .map(|r| (r.row, (r.suspicion * 1e5).round() / 1e5, r.signals.len()))
                    .collect();
                assert_eq!(found, ranking, "{names:?}");
                assert_eq!(scan.alarm(), alarm);
            }
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            (found, expected) => panic!("{names:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn suspicion_ranks_and_ties_go_by_key() {
        // Detectors that nobody knows count half.
        check(&[], Ok((&[(1, 0.40781, 2), (3, 0.39375, 2), (2, 0.225, 1)], true)));
        check(&["first"], Ok((&[(2, 0.225, 1), (3, 0.225, 1), (1, 0.1125, 1)], false)));
        check(&["second", "first"], Ok((&[(1, 0.40781, 2), (3, 0.39375, 2), (2, 0.225, 1)], true)));
        check(&["third"], Err("there is no detector `third`; there are: first, second"));
    }
}
