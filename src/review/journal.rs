//! How is a decision kept for ever? As a row of an append-only, hash-chained SQLite table.
//!
//! [`Review`] is the file and what it adds up to. Whatever changes, changes in the file first and then in memory,
//! by the one function that also rebuilds the memory when a file is opened: `State::replay`.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior};

use super::dismissed::Dismissed;
use super::lock::{self, Lock, Taken};
use super::state::{Action, Logged, Made, State, Step, summary};
use super::store::{self, Chain, Entry, MAX_NAME_BYTES, MAX_NOTE_BYTES};
use super::{Correction, ReviewError};
use crate::model::{ContentHash, Decision, Subject, Verdict};

/// What a review is about; stored when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewAbout {
    /// The contribution (or the only version), as a person would name it.
    pub source: String,
    /// The base, if there is one.
    pub base: Option<String>,
}

/// Whether decisions can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// They can.
    Write,
    /// They cannot, for this reason.
    ReadOnly(String),
}

/// A review file and what it adds up to.
pub struct Review {
    // Before the lock: the file is closed before another window may write.
    connection: Connection,
    lock: Option<Lock>,
    path: PathBuf,
    about: ReviewAbout,
    access: Access,
    state: State,
}

impl Review {
    /// Opens a review, making it if there is none. Takes the lock; without it the review is read-only.
    ///
    /// Rows that are not what was written make the review read-only too: see [`Access::ReadOnly`]; what comes
    /// before them is in force.
    pub fn open(path: &Path, about: &ReviewAbout) -> Result<Self, ReviewError> {
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Some(folder) = path.parent() {
            make_folder(folder)
                .map_err(|error| cannot_make(&format!("its folder cannot be made: {error}"), path))?;
        }
        // Two names of one file must meet at one lock.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if path.is_dir() {
            return Err(ReviewError::Damaged {
                message: "this is a folder and not a review file; choose a file".into(),
                path: path.clone(),
            });
        }
        let taken = lock::take(path);
        let missing = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
        let (lock, reason) = match taken {
            Taken::Mine(lock) => (Some(lock), None),
            Taken::Theirs(_) if missing => {
                return Err(cannot_make("another window is just making it; try again in a moment", path));
            }
            Taken::Impossible(error) if missing => return Err(cannot_make(&error.to_string(), path)),
            Taken::Theirs(reason) => (None, Some(reason)),
            Taken::Impossible(error) => (None, Some(format!("its folder may not be written: {error}"))),
        };
        let explained = |error: rusqlite::Error| store::explain(&error, path);
        if lock.is_none() {
            return Self::load(recovered(path)?, path, None, reason);
        }
        let mut connection = store::connect(path, true, missing).map_err(explained)?;
        if store::is_blank(&connection).map_err(explained)? {
            check_length("the name of what is reviewed", &about.source, MAX_NAME_BYTES)?;
            check_length("the name of the base", about.base.as_deref().unwrap_or_default(), MAX_NAME_BYTES)?;
            store::create(&mut connection, about, now_millis()).map_err(explained)?;
        }
        let protected = connection.is_readonly(rusqlite::MAIN_DB).map_err(explained)?;
        let reason = protected.then(|| "the file may not be written".to_owned());
        Self::load(connection, path, lock, reason)
    }

    /// Opens an existing review for reading only, beside whoever writes it.
    pub fn read(path: &Path) -> Result<Self, ReviewError> {
        let path = &std::fs::canonicalize(path).map_err(|error| {
            ReviewError::Storage(format!(
                "there is no review that can be opened here ({error}): {}",
                path.display()
            ))
        })?;
        if path.is_dir() {
            return Err(ReviewError::Damaged {
                message: "this is a folder and not a review file; choose a file".into(),
                path: path.clone(),
            });
        }
        let connection = recovered(path)?;
        if store::is_blank(&connection).map_err(|error| store::explain(&error, path))? {
            return Err(ReviewError::Damaged {
                message: "this file is empty and not a review".into(),
                path: path.clone(),
            });
        }
        Self::load(connection, path, None, Some("it was opened for reading".to_owned()))
    }

    fn load(
        connection: Connection,
        path: &Path,
        lock: Option<Lock>,
        read_only: Option<String>,
    ) -> Result<Self, ReviewError> {
        let explained = |error: rusqlite::Error| store::explain(&error, path);
        store::check(&connection, path)?;
        let (about, chain) = store::about(&connection).map_err(explained)?;
        let mut state = State::new(chain);
        let broken = state.read_on(&connection).map_err(explained)?;
        let access = match (broken, read_only) {
            (Some(broken), _) => Access::ReadOnly(broken_advice(&broken)),
            (None, Some(reason)) => Access::ReadOnly(reason),
            (None, None) => Access::Write,
        };
        Ok(Self { connection, lock, path: path.to_owned(), about, access, state })
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self) -> &ReviewAbout {
        &self.about
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether decisions can be made.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Grows with every change; what is derived from a review is rebuilt when this moves.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state.last_id as u64
    }

    /// The value of the hash chain after the last row, `b3:` and 64 hex digits.
    /// Noted down elsewhere, it proves later that nothing was cut off or rewritten.
    #[must_use]
    pub fn head(&self) -> String {
        ContentHash(self.state.chain).to_string()
    }

    /// Records one verdict (`None` clears) on all subjects as one step. On disk when it returns.
    ///
    /// # Errors
    /// Whatever the error, nothing has changed, neither in the file nor here.
    pub fn decide(
        &mut self,
        subjects: &[Subject],
        verdict: Option<&Verdict>,
        note: &str,
        reviewer: &str,
    ) -> Result<Step, ReviewError> {
        let rows: Vec<_> = subjects.iter().map(|subject| (subject.clone(), verdict.cloned())).collect();
        self.decide_each(rows, note, reviewer)
    }

    /// As [`Self::decide`], with a verdict for each subject: still one step.
    ///
    /// # Errors
    /// Whatever the error, nothing has changed, neither in the file nor here.
    pub fn decide_each(
        &mut self,
        rows: Vec<(Subject, Option<Verdict>)>,
        note: &str,
        reviewer: &str,
    ) -> Result<Step, ReviewError> {
        check_length("the note", note, MAX_NOTE_BYTES)?;
        for (subject, verdict) in &rows {
            if let Some(Verdict::Relabel(class)) = verdict {
                check_length("the class name", class, MAX_NAME_BYTES)?;
            }
            let base = subject.base.as_ref();
            let names = [
                Some(&subject.key),
                subject.label.as_ref(),
                subject.split.as_ref(),
                base.map(|b| &b.key),
                base.and_then(|b| b.label.as_ref()),
                base.and_then(|b| b.split.as_ref()),
            ];
            for name in names.into_iter().flatten() {
                check_length("a key, class or split", name, MAX_NAME_BYTES)?;
            }
        }
        let nothing = Step { id: 0, keys: Vec::new(), summary: summary(std::iter::empty()) };
        if rows.is_empty() {
            self.writable()?;
            return Ok(nothing);
        }
        self.append(Action::Decide, rows, note, reviewer)?;
        Ok(self.state.undo.last().map_or(nothing, Made::outcome))
    }

    /// Puts back what was in force before a step, wherever that step is in force still: an old step can so be taken back
    /// without those that came after it. A step of its own, which undo takes back in turn; `None` when nothing of that
    /// step is in force.
    pub fn take_back(&mut self, step: i64, reviewer: &str) -> Result<Option<Step>, ReviewError> {
        self.writable()?;
        let rows = self.state.before(step);
        if rows.is_empty() {
            return Ok(None);
        }
        self.decide_each(rows, "", reviewer).map(Some)
    }

    /// Remembers that what these pictures share is no trigger, and why; one step, as any decision.
    ///
    /// `members` are the contents of the cluster's pictures, at least one.
    pub fn dismiss(
        &mut self,
        members: &[ContentHash],
        reason: &str,
        reviewer: &str,
    ) -> Result<Step, ReviewError> {
        let subject = super::dismissed::subject(members);
        self.decide(&[subject], Some(&Verdict::Keep), reason, reviewer)
    }

    /// The shared things that are no triggers, oldest first.
    #[must_use]
    pub fn dismissed(&self) -> Vec<Dismissed> {
        self.state.dismissed()
    }

    /// Everything ever decided, undone and redone, oldest first.
    #[must_use]
    pub fn log(&self) -> &[Logged] {
        &self.state.log
    }

    /// Takes the last step back that is not undone yet; `None` when there is none.
    pub fn undo(&mut self, reviewer: &str) -> Result<Option<Step>, ReviewError> {
        self.writable()?;
        let Some(made) = self.state.undo.last() else { return Ok(None) };
        let (action, outcome) = (Action::Undo(made.step), made.outcome());
        self.append(action, State::rows_of(made, action), "", reviewer)?;
        Ok(Some(outcome))
    }

    /// Makes the last undone step again; `None` when there is none, or a decision came since.
    pub fn redo(&mut self, reviewer: &str) -> Result<Option<Step>, ReviewError> {
        self.writable()?;
        let Some(made) = self.state.redo.last() else { return Ok(None) };
        let (action, outcome) = (Action::Redo(made.step), made.outcome());
        self.append(action, State::rows_of(made, action), "", reviewer)?;
        Ok(Some(outcome))
    }

    fn writable(&self) -> Result<(), ReviewError> {
        match &self.access {
            Access::Write => Ok(()),
            Access::ReadOnly(reason) => Err(ReviewError::ReadOnly(reason.clone())),
        }
    }

    /// Writes one step to the file, waits until it is on disk, and only then lets it count.
    fn append(
        &mut self,
        action: Action,
        rows: Vec<(Subject, Option<Verdict>)>,
        note: &str,
        reviewer: &str,
    ) -> Result<(), ReviewError> {
        self.writable()?;
        debug_assert!(self.lock.is_some(), "who may write holds the lock");
        check_length("the reviewer's name", reviewer, MAX_NAME_BYTES)?;
        if rows.is_empty() {
            return Ok(());
        }
        let time_millis = now_millis();
        let (step, first) = (self.state.last_step + 1, self.state.last_id + 1);
        let entries: Vec<Entry> = (first..)
            .zip(rows)
            .map(|(id, (subject, verdict))| Entry {
                decision: Decision {
                    id,
                    step,
                    subject,
                    verdict,
                    note: note.to_owned(),
                    reviewer: reviewer.to_owned(),
                    time_millis,
                },
                action,
            })
            .collect();
        match self.commit(&entries) {
            Ok(Some(chain)) => self.state.replay(entries, chain).map_err(ReviewError::Storage),
            Ok(None) => {
                self.refresh()?;
                Err(ReviewError::Storage("another program wrote to it; look again and decide again".into()))
            }
            Err(error) => Err(store::explain(&error, &self.path)),
        }
    }

    /// `None` when the file is not what we have in memory.
    fn commit(&mut self, entries: &[Entry]) -> rusqlite::Result<Option<Chain>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (last, chain) = store::tail(&transaction)?;
        if last != self.state.last_id || chain.is_some_and(|chain| chain != self.state.chain) {
            return Ok(None);
        }
        let chain = store::append(&transaction, entries, self.state.chain)?;
        transaction.commit()?;
        Ok(Some(chain))
    }

    /// Takes in what another window wrote since; whether there was anything.
    pub fn refresh(&mut self) -> Result<bool, ReviewError> {
        let before = self.state.last_id;
        let broken =
            self.state.read_on(&self.connection).map_err(|error| store::explain(&error, &self.path))?;
        if let Some(broken) = broken {
            self.access = Access::ReadOnly(broken_advice(&broken));
        }
        Ok(self.state.last_id != before)
    }

    /// Whether there is a step to undo, and one to redo.
    #[must_use]
    pub fn can_undo_redo(&self) -> (bool, bool) {
        (!self.state.undo.is_empty(), !self.state.redo.is_empty())
    }

    /// The decision in force on a sample with this key and content; `None` also when the content differs.
    #[must_use]
    pub fn in_force(&self, key: &str, hash: &ContentHash) -> Option<&Decision> {
        self.state.in_force(key, hash)
    }

    /// Every decision on this key ever made, oldest first, from the file.
    pub fn history_of(&self, key: &str) -> Result<Vec<Decision>, ReviewError> {
        Ok(self.actions_on(key)?.into_iter().map(|(_, decision)| decision).collect())
    }

    /// As [`Self::history_of`], each with how it came to be: an undo says which step it took back.
    pub fn actions_on(&self, key: &str) -> Result<Vec<(Action, Decision)>, ReviewError> {
        let entries = store::of_key(&self.connection, key, self.state.last_id)
            .map_err(|error| store::explain(&error, &self.path))?;
        Ok(entries.into_iter().map(|entry| (entry.action, entry.decision)).collect())
    }

    /// Number of samples with a verdict in force.
    #[must_use]
    pub fn decided(&self) -> usize {
        self.state.decided
    }

    /// The verdicts in force, by key.
    #[must_use]
    pub fn corrections(&self) -> Vec<Correction> {
        self.state.corrections()
    }

    /// Checks the hash chain over the whole file; the number of rows, or what is wrong.
    pub fn verify_chain(&self) -> Result<u64, ReviewError> {
        let explained = |error: rusqlite::Error| store::explain(&error, &self.path);
        let (_, chain) = store::about(&self.connection).map_err(explained)?;
        let mut state = State::new(chain);
        match state.read_on(&self.connection).map_err(explained)? {
            None => Ok(state.last_id as u64),
            Some(broken) => {
                Err(ReviewError::Damaged { message: broken_advice(&broken), path: self.path.clone() })
            }
        }
    }
}

/// A connection for reading. A writer that was killed in the middle of a write leaves a journal that has to be
/// played back first; SQLite does that on a connection that may write, and it changes no decision.
fn recovered(path: &Path) -> Result<Connection, ReviewError> {
    let readable = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    let explained = |error: rusqlite::Error| store::explain(&error, path);
    let connection = store::connect(path, false, false).map_err(explained)?;
    match readable(&connection) {
        Ok(_) => Ok(connection),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen)
            ) =>
        {
            store::connect(path, true, false).and_then(|writing| readable(&writing)).map_err(|_| {
                ReviewError::Storage(format!(
                    "it was left in the middle of a write and can only be brought in order where it may be written; \
                     copy it together with the `-journal` file beside it to a folder of yours: {}",
                    path.display()
                ))
            })?;
            Ok(connection)
        }
        Err(error) => Err(explained(error)),
    }
}

fn broken_advice(broken: &str) -> String {
    format!(
        "{broken}; somebody or something changed this file, so what comes from there on does not count; \
         go on with a copy from before"
    )
}

fn cannot_make(reason: &str, path: &Path) -> ReviewError {
    ReviewError::Storage(format!("a new review cannot be made here ({reason}): {}", path.display()))
}

fn check_length(what: &'static str, text: &str, limit: usize) -> Result<(), ReviewError> {
    if text.len() > limit {
        return Err(ReviewError::TooLong { what, limit, found: text.len() });
    }
    Ok(())
}

/// Makes a folder with its parents and sees to it that a power cut does not take it away again.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folder(parent)?;
    }
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    #[cfg(unix)]
    if let Some(parent) = folder.parent() {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn now_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(key: String) -> Subject {
        let hash = ContentHash::of(key.as_bytes());
        Subject { key, hash, label: None, split: None, change: None, base: None }
    }

    /// SQLite's own limit on the file's size gives the very error that a full disk gives.
    #[test]
    fn a_full_disk_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut review = Review::open(&folder.path().join("a.sparrowhawk"), &ReviewAbout::default()).unwrap();
        review.decide(&[subject("a".into())], Some(&Verdict::Keep), "", "ann").unwrap();
        let before = (review.revision(), review.head(), review.corrections());
        let pages: i64 = review.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        review.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let many: Vec<Subject> = (0..100).map(|i| subject(format!("{i}"))).collect();
        let error = review.decide(&many, Some(&Verdict::Exclude), "", "ann").unwrap_err();
        assert!(matches!(error, ReviewError::DiskFull), "{error}");
        assert_eq!((review.revision(), review.head(), review.corrections()), before);
        assert_eq!(review.verify_chain().unwrap(), 1);
        // Somebody frees space: on it goes.
        review.connection.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
        review.decide(&many, Some(&Verdict::Exclude), "", "ann").unwrap();
        assert_eq!(review.decided(), 101);
    }

    /// Whoever writes past the lock is noticed, and what they wrote is taken in and not overwritten.
    #[test]
    fn a_writer_without_the_lock_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sparrowhawk");
        let mut review = Review::open(&path, &ReviewAbout::default()).unwrap();
        review.lock = None;
        let mut other = Review::open(&path, &ReviewAbout::default()).unwrap();
        other.decide(&[subject("theirs".into())], Some(&Verdict::Keep), "", "bob").unwrap();
        review.lock = other.lock.take();
        let error = review.decide(&[subject("ours".into())], Some(&Verdict::Keep), "", "ann").unwrap_err();
        assert!(error.to_string().contains("another program wrote to it"), "{error}");
        assert_eq!(review.decided(), 1);
        review.decide(&[subject("ours".into())], Some(&Verdict::Keep), "", "ann").unwrap();
        assert_eq!((review.decided(), review.verify_chain().unwrap()), (2, 2));
    }
}
