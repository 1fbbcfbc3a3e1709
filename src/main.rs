//! Parse, then window or command, then an exit status. Nothing else.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use sparrowhawk::cli::{self, Outcome};

/// Pictures and their planes come and go by the thousand; the system's allocator gives their pages back each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    match cli::run(&args) {
        Outcome::Exit(status) => ExitCode::from(status),
        #[cfg(feature = "gui")]
        Outcome::Window(request) => sparrowhawk::ui::run(request),
        #[cfg(not(feature = "gui"))]
        Outcome::Window(_) => ExitCode::from(cli::no_window()),
    }
}
