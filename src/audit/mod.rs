//! How many labels are wrong, and how sure is that? A drawn sample, looked at blindly, gives a rate with an interval.
//!
//! [`size`] says how many samples a question needs, [`draw`] picks them by a seed, a [`Plan`] keeps them in a file.
//! Verdicts stay where all verdicts are, in the review's journal; [`Ledger`] reads from there what each reviewer said
//! of each drawn sample since the plan was made, and [`report`] says what that adds up to.
//!
//! A sample is wrong when its reviewer decided relabel, exclude or revert, right when he kept it, and neither when he
//! was unsure. What a random sample cannot find is a handful of planted pictures among many: see [`miss_probability`].

mod agreement;
mod draw;
mod estimate;
mod file;
mod golden;
mod hypergeometric;
mod ledger;
mod plan;
mod report;
mod stop;

use std::path::PathBuf;

pub use agreement::{Agreement, Kappa, cohen_kappa, krippendorff_alpha, positive_agreement};
pub use draw::{About, Population, Truth, draw, known_from_review, known_from_table, populations};
pub use estimate::{Estimate, Interval, StratumCount, clopper_pearson, estimate, finite_interval};
pub use file::{MAX_PLAN_BYTES, Plan, SCHEMA, Sample, Stratum, plan_path, set_aside};
pub use golden::{Corrected, GoldenItem, GoldenReport, corrected};
pub use hypergeometric::at_most;
pub use ledger::{Ledger, Opinion};
pub use plan::{
    Design, Size, Sizing, StopRule, StrataBy, detectable, discovery_size, discovery_size_of_imperfect,
    miss_probability, size, worst_miss_probability,
};
pub use report::{Report, ReviewerReport, StratumReport, report};
pub use stop::{Outcome, Stop};

use crate::export::ExportError;
use crate::task::Cancelled;

/// Why an audit could not be planned, read or written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The question makes no sense, or cannot be answered with this dataset.
    #[error("{0}")]
    Impossible(String),
    /// Not a plan, or one that contradicts itself.
    #[error("{message}: {}", path.display())]
    BadPlan {
        /// What is wrong, and what to do.
        message: String,
        /// The file.
        path: PathBuf,
    },
    /// The list of known answers makes no sense.
    #[error("line {line} of the known answers: {message}")]
    BadTable {
        /// Counted from 1.
        line: u64,
        /// What is wrong, and what to do.
        message: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] ExportError),
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A share as people read it, such as `1 %`, `0.25 %`, `12.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let hundredths = share * 100.0;
    let digits = match hundredths.abs() {
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 || size == 0.0 => 3,
        _ => 4,
    };
    let text = format!("{hundredths:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_for_people() {
        let shown = [0.0, 0.000_05, 0.002, 0.0125, 0.01, 0.123_45, 0.95, 1.0].map(percent);
        assert_eq!(shown, ["0 %", "0.005 %", "0.2 %", "1.25 %", "1 %", "12.3 %", "95 %", "100 %"]);
    }
}
