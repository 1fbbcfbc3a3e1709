//! Corrections as operations with preconditions that can be applied, refused or inverted: JSON lines.

use super::{ExportError, ExportInput, Exporter};

/// The patch exporter.
pub struct Patch;

/// A patch, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchFile {}

impl PatchFile {
    /// Reads a patch file's text.
    pub fn parse(_text: &str) -> Result<Self, ExportError> {
        todo!()
    }
}

impl Exporter for Patch {
    fn id(&self) -> &'static str {
        "patch"
    }

    fn summary(&self) -> &'static str {
        "JSON lines that `sparrowhawk apply` carries out"
    }

    fn extension(&self) -> &'static str {
        "jsonl"
    }

    fn render(&self, _input: &ExportInput<'_>) -> Result<Vec<u8>, ExportError> {
        todo!()
    }
}
