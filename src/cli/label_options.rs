//! By what may a person have labels judged? Their own model, embeddings or probabilities; how they are ranked.

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::detect::confident::{Ensemble, Filter};
use crate::detect::{Options, ProbabilitiesMode, ScoreRule};
#[cfg(feature = "onnx")]
use crate::feature::OnnxModel;
use crate::feature::read_supplied;

/// Options of detectors that look for label errors.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Label errors")]
pub(super) struct LabelArgs {
    /// Out-of-sample class probabilities of SOURCE: .npy (a line a sample, ordered by key), CSV or Parquet (with a
    /// column `key` or `path`); columns named after the classes, or in their alphabetical order. Repeat for an ensemble
    #[arg(long, value_name = "FILE")]
    probabilities: Vec<PathBuf>,
    /// Whether the probabilities alone judge, or are one expert among ours
    #[arg(long, value_name = "MODE", default_value = "replace", value_parser = named(&ProbabilitiesMode::ALL), requires = "probabilities")]
    probabilities_mode: ProbabilitiesMode,
    /// How several probabilities are averaged
    #[arg(long, value_name = "BY", default_value = "accuracy", value_parser = named(&Ensemble::ALL), requires = "probabilities")]
    ensemble: Ensemble,
    /// Numbers of each picture of SOURCE by any model, in a file of the same kinds
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    /// The same for BASE
    #[arg(long, value_name = "FILE", requires = "embeddings", requires = "base")]
    base_embeddings: Option<PathBuf>,
    /// An ONNX image model, whose embedding is one more expert. Pictures are given as (pixel − 127) / 128, N×3×H×W,
    /// unless a .toml of the same name beside it says otherwise (width, height, mean, std, layout, order, output)
    #[cfg(feature = "onnx")]
    #[arg(long, value_name = "FILE.onnx")]
    model: Option<PathBuf>,
    /// Settings of the model in place of the file beside it
    #[cfg(feature = "onnx")]
    #[arg(long, value_name = "FILE.toml", requires = "model")]
    model_settings: Option<PathBuf>,
    /// By what labels are ranked; all but the first are cleanlab's
    #[arg(long, value_name = "RULE", default_value = "balanced", value_parser = named(&ScoreRule::ALL))]
    score_rule: ScoreRule,
    /// Raise the alarm on what this filter of cleanlab flags [default: on labels that the
    /// models' own doubt does not explain]
    #[arg(long, value_name = "FILTER", value_parser = named(&Filter::ALL))]
    label_filter: Option<Filter>,
}

impl LabelArgs {
    /// Reads what the files hold.
    pub fn options(&self, thorough: bool) -> Result<Options> {
        let Self {
            probabilities,
            probabilities_mode,
            ensemble,
            embeddings,
            base_embeddings,
            score_rule,
            label_filter,
            ..
        } = self;
        let table = |path: &Option<PathBuf>| path.as_deref().map(read_supplied).transpose();
        Ok(Options {
            thorough,
            score_rule: *score_rule,
            label_filter: *label_filter,
            probabilities: probabilities.iter().map(|path| read_supplied(path)).collect::<Result<_, _>>()?,
            probabilities_mode: *probabilities_mode,
            ensemble: *ensemble,
            embeddings: table(embeddings)?,
            base_embeddings: table(base_embeddings)?,
            #[cfg(feature = "onnx")]
            model: match &self.model {
                Some(path) => Some(Box::new(OnnxModel::open(path, self.model_settings.as_deref())?)),
                None => None,
            },
            #[cfg(not(feature = "onnx"))]
            model: None,
        })
    }
}

/// One of some named values.
fn named<T: Copy + Send + Sync + 'static>(
    all: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(name, _)| *name)).map(move |given| {
        let known = all.iter().find(|(name, _)| *name == given);
        known.map_or(all[0].1, |(_, value)| *value)
    })
}
