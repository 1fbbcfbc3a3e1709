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
    /// The theme asked for; otherwise the one of the settings.
    pub theme: Option<WindowTheme>,
    /// Saves a picture of the window here once everything is computed, then closes it.
    pub screenshot: Option<std::path::PathBuf>,
    /// Width and height of the window in points.
    pub size: Option<(f32, f32)>,
    /// The queue to show first, such as `labels`.
    pub show: Option<String>,
    /// The position in that queue to select first, counted from 0.
    pub select: Option<usize>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowTheme {
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// What the desktop says.
    System,
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
