//! Where do threads come from? From here only; a panic in one becomes an error, not a lost review.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::Task;

/// Starts jobs on named threads, or runs them on the spot (for tests).
#[derive(Clone)]
pub struct Pool {
    inline: bool,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// Why a job gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The worker panicked; a bug.
    #[error("internal error in background work: {0}")]
    Panicked(String),
    /// The system would not start a thread.
    #[error("no thread could be started: {0}")]
    NoThread(String),
}

/// A running job: its task, and its result once there is one.
pub struct Job<T> {
    /// Cancel and progress.
    pub task: Task,
    result: Receiver<Result<T, JobError>>,
}

impl Pool {
    /// Jobs run on threads; `wake` is called when one ends, so that a sleeping window looks.
    #[must_use]
    pub fn threads(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { inline: false, wake: Arc::new(wake) }
    }

    /// Jobs run inside [`Self::start`]: tests see their result in the next frame.
    #[must_use]
    pub fn inline() -> Self {
        Self { inline: true, wake: Arc::new(|| ()) }
    }

    /// Whether jobs run on the spot.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.inline
    }

    /// Starts `work` on a thread called `name`.
    pub fn start<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Task) -> T + Send + 'static,
    ) -> Job<T> {
        let task = Task::new();
        let (sender, result) = bounded(1);
        let (inner_task, wake, refused) = (task.clone(), self.wake.clone(), sender.clone());
        let run = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&inner_task)))
                .map_err(|payload| JobError::Panicked(panic_text(payload.as_ref())));
            // Nobody may be waiting any more: a later job has replaced this one.
            let _ = sender.send(outcome);
            wake();
        };
        if self.inline {
            run();
        } else {
            #[expect(clippy::disallowed_methods, reason = "the one place that makes threads")]
            if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(run) {
                let _ = refused.send(Err(JobError::NoThread(error.to_string())));
            }
        }
        Job { task, result }
    }
}

impl<T> Job<T> {
    /// The result if the job has ended, without waiting. Gives it once.
    #[must_use]
    pub fn poll(&self) -> Option<Result<T, JobError>> {
        match self.result.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(JobError::Panicked("the worker is gone".into()))),
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown cause".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_jobs_have_ended_when_start_returns() {
        let job = Pool::inline().start("sum", |_| 1 + 1);
        assert_eq!(job.poll(), Some(Ok(2)));
    }

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let job: Job<()> = Pool::inline().start("bad", |_| panic!("no such thing"));
        assert_eq!(job.poll(), Some(Err(JobError::Panicked("no such thing".into()))));
    }

    #[test]
    fn a_thread_sees_the_cancel() {
        let (woken, wait) = bounded(1);
        let pool = Pool::threads(move || {
            let _ = woken.send(());
        });
        let job = pool.start("loop", |task| {
            while task.check().is_ok() {
                std::hint::spin_loop();
            }
            "stopped"
        });
        job.task.cancel();
        wait.recv().expect("the pool wakes us");
        assert_eq!(job.poll(), Some(Ok("stopped")));
    }
}
