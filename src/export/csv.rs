//! Corrections as a table for spreadsheets and scripts: RFC 4180, UTF-8, a row a decided sample.
//!
//! Texts are written exactly as they are in the dataset, because scripts look keys up by them.
//! So a hostile key such as `=HYPERLINK(…)` is a formula to a spreadsheet that opens the file by double click; putting
//! a sign before it would protect the spreadsheet and break the script.
//! Who opens corrections of an untrusted contribution in a spreadsheet imports the columns as text.

use super::patch::Operation;
use super::{ExportError, ExportInput, Exporter};
use crate::model::{ChangeKind, Verdict};

/// One row a correction.
pub struct Csv;

/// The columns; more may be added at the end.
const COLUMNS: [&str; 12] = [
    "key",
    "hash",
    "label",
    "split",
    "verdict",
    "new_label",
    "change",
    "base_key",
    "base_label",
    "note",
    "reviewer",
    "time",
];

impl Exporter for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }

    fn summary(&self) -> &'static str {
        "a table with one row a decided sample"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn render(&self, input: &ExportInput<'_>) -> Result<Vec<u8>, ExportError> {
        let failed = |error: csv::Error| ExportError::Render(error.to_string());
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        table.write_record(COLUMNS).map_err(failed)?;
        for correction in input.corrections {
            let subject = &correction.subject;
            let base = subject.base.as_ref();
            // What the label is to be: said by the verdict, or what undoing the change brings back.
            let new_label = match &correction.verdict {
                Verdict::Relabel(class) => Some(class.clone()),
                _ => Operation::of(correction).and_then(|operation| operation.relabel?.to),
            };
            let time = jiff::Timestamp::from_millisecond(correction.time_millis)
                .map_err(|error| ExportError::Render(error.to_string()))?;
            table
                .write_record([
                    subject.key.as_str(),
                    &subject.hash.to_string(),
                    subject.label.as_deref().unwrap_or_default(),
                    subject.split.as_deref().unwrap_or_default(),
                    correction.verdict.as_str(),
                    new_label.as_deref().unwrap_or_default(),
                    subject.change.map_or("", ChangeKind::as_str),
                    base.map_or("", |base| base.key.as_str()),
                    base.and_then(|base| base.label.as_deref()).unwrap_or_default(),
                    &correction.note,
                    &correction.reviewer,
                    &time.to_string(),
                ])
                .map_err(failed)?;
        }
        table.into_inner().map_err(|error| ExportError::Render(error.to_string()))
    }
}
