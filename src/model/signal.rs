//! What does a detector say about a sample, and by what evidence?

use serde::Serialize;

use super::geometry::PixelBox;

/// A class that would fit better, with its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// Class name.
    pub label: String,
    /// Out-of-sample probability in [0, 1].
    pub probability: f64,
}

/// A similar sample, as evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbor {
    /// Whether `row` is a row of the base; otherwise of the judged version.
    pub in_base: bool,
    /// Its row.
    pub row: u32,
    /// Cosine similarity in [−1, 1].
    pub similarity: f32,
}

/// One detector's suspicion about one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The detector's id, such as `label-error`.
    pub detector: &'static str,
    /// Row in the judged version.
    pub row: u32,
    /// In [0, 1], 1 = most suspicious.
    pub score: f64,
    /// Whether the score passes the detector's alarm threshold.
    pub alarm: bool,
    /// Likely classes, most likely first (at most 5; the given one may be among them).
    pub probabilities: Vec<Suggestion>,
    /// The class that the detector would give, if another than the given one.
    pub suggested: Option<Suggestion>,
    /// The most similar samples, whatever their label, nearest first: evidence for a person.
    pub neighbors: Vec<Neighbor>,
    /// The cluster this belongs to.
    pub cluster: Option<String>,
    /// Where in the picture.
    pub area: Option<PixelBox>,
    /// Why, in one sentence for a person.
    pub reason: String,
}

impl Signal {
    /// A signal of this detector about this row that says nothing yet.
    #[must_use]
    pub fn of(detector: &'static str, row: u32) -> Self {
        Self {
            detector,
            row,
            score: 0.0,
            alarm: false,
            probabilities: Vec::new(),
            suggested: None,
            neighbors: Vec::new(),
            cluster: None,
            area: None,
            reason: String::new(),
        }
    }
}

/// One sample of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Row in the judged version.
    pub row: u32,
    /// Where the shared cause is.
    pub area: Option<PixelBox>,
    /// In [0, 1], how well it fits the cluster.
    pub score: f64,
}

/// What speaks for a cluster, each as −log10 of a chance; 0 where it was not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// That what is not suspected has it as rarely.
    pub novelty: f64,
    /// That so many have one label.
    pub label: f64,
    /// Different scenes among the members: near duplicates count once.
    pub scenes: u32,
}

/// A picture that a cluster might be confused with.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Whether `row` is a row of the base; otherwise of the judged version.
    pub in_base: bool,
    /// Its row.
    pub row: u32,
    /// Where it comes nearest.
    pub area: Option<PixelBox>,
    /// In [0, 1], how well it fits the cluster.
    pub score: f64,
}

/// Samples that share a visual cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Name within one scan, such as `t1`.
    pub id: String,
    /// The detector's id.
    pub detector: &'static str,
    /// `patch` or `overlay`.
    pub kind: &'static str,
    /// In [0, 1], 1 = most suspicious.
    pub score: f64,
    /// Chance of such a cluster in clean data.
    pub p_value: f64,
    /// The most frequent label among members.
    pub label: String,
    /// Its share of members.
    pub label_share: f64,
    /// How many base samples match.
    pub base_matches: u32,
    /// The parts of −log10 p.
    pub evidence: Evidence,
    /// Pictures outside of the cluster that come nearest to it, best first: honest ones, for comparison.
    pub nearest_others: Vec<Other>,
    /// Why, in one sentence for a person.
    pub reason: String,
    /// Members, best first.
    pub members: Vec<Member>,
}

impl Cluster {
    /// A cluster of this detector and kind that holds nothing yet.
    #[must_use]
    pub fn of(detector: &'static str, kind: &'static str) -> Self {
        Self {
            id: String::new(),
            detector,
            kind,
            score: 0.0,
            p_value: 1.0,
            label: String::new(),
            label_share: 0.0,
            base_matches: 0,
            evidence: Evidence::default(),
            nearest_others: Vec::new(),
            reason: String::new(),
            members: Vec::new(),
        }
    }
}
