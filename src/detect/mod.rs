//! Which samples look wrong, and why? One file a detector; [`DETECTORS`] is the registry.

mod label_error;
mod ridge;

use crate::compare::{Side, VersionDiff};
use crate::feature::{Cache, FeatureError};
use crate::model::{Cluster, Signal, Warning};
use crate::task::{Cancelled, Task};

/// What a detector may look at.
pub struct Input<'a> {
    /// The version to judge.
    pub target: Side<'a>,
    /// The trusted base and what changed since, when there is one: what is trusted trains what judges.
    pub base: Option<(Side<'a>, &'a VersionDiff)>,
    /// Numbers computed before.
    pub cache: &'a Cache,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a detector found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// One a judged sample, any order.
    pub signals: Vec<Signal>,
    /// Groups with a shared cause.
    pub clusters: Vec<Cluster>,
    /// What it did, on what, and how well it may be expected to do, in a sentence or two.
    pub note: String,
    /// Samples that it could not judge, and why.
    pub warnings: Vec<Warning>,
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
pub static DETECTORS: &[&dyn Detector] = &[&label_error::LabelError];

/// Why a detector could not run at all.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Pictures could not be looked at.
    #[error(transparent)]
    Feature(#[from] FeatureError),
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
    /// Samples that could not be judged.
    pub warnings: Vec<Warning>,
}

/// One judged sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Row in the judged version.
    pub row: u32,
    /// In [0, 1], 1 = most suspicious: the largest of its signals' scores.
    pub suspicion: f64,
    /// What the detectors say, in the registry's order.
    pub signals: Vec<Signal>,
}

impl Scan {
    /// Whether any signal or cluster passes its detector's alarm threshold.
    #[must_use]
    pub fn alarm(&self) -> bool {
        !self.clusters.is_empty() || self.ranking.iter().any(|r| r.signals.iter().any(|s| s.alarm))
    }
}

/// Runs the detectors named (all when empty) and ranks what they say.
pub fn scan(_input: &Input<'_>, _detectors: &[String], _task: &Task) -> Result<Scan, DetectError> {
    todo!()
}
