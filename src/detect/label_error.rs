//! Which labels disagree with their picture?

use super::{DetectError, Detector, Findings, Input};
use crate::task::Task;

/// Label errors by out-of-sample class probabilities.
pub struct LabelError;

impl Detector for LabelError {
    fn id(&self) -> &'static str {
        "label-error"
    }

    fn summary(&self) -> &'static str {
        "labels that disagree with their picture"
    }

    fn run(&self, _input: &Input<'_>, _task: &Task) -> Result<Findings, DetectError> {
        todo!()
    }
}
