//! How does the command ask the library? One file a subcommand.

/// What the process should do after the command line was read.
pub enum Outcome {
    /// It is done: this exit status.
    Exit(u8),
    /// Open the window on this.
    Window(WindowRequest),
}

/// What the window should show first.
#[derive(Debug, Clone, Default)]
pub struct WindowRequest {
    /// The trusted base.
    pub base: Option<crate::source::Place>,
    /// The version under review.
    pub contribution: Option<crate::source::Place>,
    /// The review file, otherwise the one that belongs to the versions.
    pub review: Option<std::path::PathBuf>,
}

/// Reads the command line, does what it says, or asks for the window.
#[must_use]
pub fn run(_args: &[std::ffi::OsString]) -> Outcome {
    todo!()
}

/// Says that this build has no window; the exit status.
#[must_use]
pub fn no_window() -> u8 {
    todo!()
}
