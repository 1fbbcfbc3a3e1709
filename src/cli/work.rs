//! How does a command wait? The work runs on a thread; here its progress is drawn, on a terminal only.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::bounded;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::task::{Pool, Progress, Task};

const REDRAW: Duration = Duration::from_millis(100);

/// Runs `work` and returns what it returns; its stages are shown on stderr when that is a terminal.
pub(super) fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&Task) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (ended, wait) = bounded(1);
    let pool = Pool::threads(move || {
        let _ = ended.try_send(());
    });
    let job = pool.start(name, work);
    let bar = std::io::stderr().is_terminal().then(Bar::new);
    let outcome = loop {
        if let Some(outcome) = job.poll() {
            break outcome;
        }
        if let Some(bar) = &bar {
            bar.show(&job.task.progress());
        }
        let _ = wait.recv_timeout(REDRAW);
    };
    if let Some(bar) = bar {
        bar.line.finish_and_clear();
    }
    outcome.context("this is a bug in Sparrowhawk, please report it with the text above")?
}

struct Bar {
    line: ProgressBar,
    counted: ProgressStyle,
    open: ProgressStyle,
}

impl Bar {
    fn new() -> Self {
        let style = |template| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        Self {
            line: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            counted: style("{msg:24} {wide_bar} {human_pos}/{human_len}  {eta} left"),
            open: style("{msg:24} {spinner} {human_pos}"),
        }
    }

    fn show(&self, progress: &Progress) {
        let Self { line, counted, open } = self;
        if line.message() != progress.stage {
            line.reset();
            line.set_message(progress.stage);
            if progress.total > 0 {
                line.set_style(counted.clone());
                line.set_length(progress.total);
            } else {
                line.set_style(open.clone());
                line.unset_length();
            }
        }
        line.set_position(progress.done);
        line.tick();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_result_and_the_error() {
        assert_eq!(run("sum", |_| Ok(1 + 1)).expect("it adds"), 2);
        let error = run::<()>("bad", |_| anyhow::bail!("the disk is on fire")).expect_err("it fails");
        assert_eq!(format!("{error:#}"), "the disk is on fire");
    }

    #[test]
    fn a_panic_is_an_error_that_asks_for_a_report() {
        let error = run::<()>("bad", |_| panic!("off by one")).expect_err("it panics");
        let text = format!("{error:#}");
        assert!(text.contains("bug") && text.contains("off by one"), "{text}");
    }
}
