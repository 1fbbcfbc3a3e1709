//! The window.

use std::process::ExitCode;

use crate::cli::WindowRequest;

/// Opens the window and returns when it is closed.
#[must_use]
pub fn run(_request: WindowRequest) -> ExitCode {
    todo!()
}
