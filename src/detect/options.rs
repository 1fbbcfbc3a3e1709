//! What may a person choose, or bring, for detectors?

/// Choices and what a person brought; the default is none of it.
#[derive(Default)]
pub struct Options {
    /// Take minutes instead of seconds, to learn what pictures look like from the dataset itself.
    pub thorough: bool,
    /// By what label errors are ranked.
    pub score_rule: ScoreRule,
}

/// By what label errors are ranked, from the probabilities p of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScoreRule {
    /// The logarithm of the given class's p against half that of the best other class,
    /// each class measured by how sure the models are of it on average.
    #[default]
    Balanced,
    /// cleanlab's `self_confidence`: p of the given class.
    SelfConfidence,
    /// cleanlab's `normalized_margin`: p of the given class less that of the best other.
    /// Better where two similar classes are taken for each other.
    NormalizedMargin,
}
