//! What may a person choose, or bring, for detectors?

use super::confident::{Ensemble, Filter};
use crate::feature::{Extractor, Supplied};

/// Choices and what a person brought; the default is none of it.
#[derive(Default)]
pub struct Options {
    /// Take minutes instead of seconds, to learn what pictures look like from the dataset itself.
    pub thorough: bool,
    /// By what label errors are ranked.
    pub score_rule: ScoreRule,
    /// Which labels raise an alarm; without, those that the models' own doubt does not explain.
    pub label_filter: Option<Filter>,
    /// Out-of-sample class probabilities of the judged version, by one or more models.
    pub probabilities: Vec<Supplied<f64>>,
    /// What the probabilities are for.
    pub probabilities_mode: ProbabilitiesMode,
    /// How several models' probabilities are averaged.
    pub ensemble: Ensemble,
    /// Numbers of each picture of the judged version, by any model.
    pub embeddings: Option<Supplied<f32>>,
    /// The same of the trusted base, by the same model.
    pub base_embeddings: Option<Supplied<f32>>,
    /// Another model of what pictures look like, beside our own.
    pub model: Option<Box<dyn Extractor + Send>>,
}

/// What a person's probabilities are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProbabilitiesMode {
    /// They alone judge, as in cleanlab.
    #[default]
    Replace,
    /// They are one expert among ours, with the weight that the given labels show it to be worth.
    Blend,
}

impl ProbabilitiesMode {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 2] = [("replace", Self::Replace), ("blend", Self::Blend)];
}

/// By what label errors are ranked, from the probabilities p of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScoreRule {
    /// The logarithm of the given class's p against half that of the best other class,
    /// each class measured by how sure the models are of it on average.
    #[default]
    Balanced,
    /// p of the given class.
    SelfConfidence,
    /// p of the given class less that of the best other: better where two similar classes are taken for each other.
    NormalizedMargin,
    /// How undecided p is, the more the less is left to the given class.
    ConfidenceWeightedEntropy,
    /// As self-confidence, each class's p moved by how sure the models are of it on average.
    AdjustedSelfConfidence,
    /// As normalised margin, moved in the same way.
    AdjustedNormalizedMargin,
}

impl ScoreRule {
    /// All, with their names; those but the first are cleanlab's.
    pub const ALL: [(&'static str, Self); 6] = [
        ("balanced", Self::Balanced),
        ("self-confidence", Self::SelfConfidence),
        ("normalized-margin", Self::NormalizedMargin),
        ("confidence-weighted-entropy", Self::ConfidenceWeightedEntropy),
        ("adjusted-self-confidence", Self::AdjustedSelfConfidence),
        ("adjusted-normalized-margin", Self::AdjustedNormalizedMargin),
    ];
}
