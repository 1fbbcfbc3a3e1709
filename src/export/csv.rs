//! Corrections as a table for spreadsheets and scripts.

use super::{ExportError, ExportInput, Exporter};

/// One row a correction.
pub struct Csv;

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

    fn render(&self, _input: &ExportInput<'_>) -> Result<Vec<u8>, ExportError> {
        todo!()
    }
}
