//! Who may write a review? One window at a time: whoever holds the lock on the file `REVIEW.lock` beside it.
//!
//! The system gives the lock back when its holder ends, however it ends; a lock file that is left means nothing.
//! The lock is not taken on the review itself, since closing any handle on that would drop SQLite's own locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The right to write; given back on drop.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// What became of the wish to write.
pub(super) enum Taken {
    /// Nobody else may write now.
    Mine(Lock),
    /// Another process or window has it; the text says which.
    Theirs(String),
    /// No lock file can be made here.
    Impossible(std::io::Error),
}

/// Where the lock of this review lies.
fn lock_path(review: &Path) -> PathBuf {
    let mut name = review.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Tries to become the one who writes; never waits.
pub(super) fn take(review: &Path) -> Taken {
    let path = lock_path(review);
    // Whoever held the lock may have removed the file between our opening and our locking it: then try the new one.
    for _ in 0..100 {
        let mut file =
            match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path) {
                Ok(file) => file,
                Err(error) => return Taken::Impossible(error),
            };
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => {
                // Only for people who wonder who has it: the lock itself does not depend on it.
                let _ =
                    file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                return Taken::Mine(Lock { file, path });
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Taken::Theirs(holder(&mut file)),
            Err(TryLockError::Error(error)) => return Taken::Impossible(error),
        }
    }
    Taken::Theirs("other windows open and close it".to_owned())
}

/// Whether the path still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), std::fs::symlink_metadata(path)) {
            (Ok(ours), Ok(there)) => ours.ino() == there.ino() && ours.dev() == there.dev(),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(20).read_to_string(&mut text));
    match text.trim().parse::<u32>() {
        Ok(process) if read.is_ok() && process == std::process::id() => {
            "it is open in another window of this program".to_owned()
        }
        Ok(process) if read.is_ok() => format!("another window has it open, process {process}"),
        _ => "another window has it open".to_owned(),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still locked, so that nobody can have taken it over; see `take` for who opened it meanwhile.
        #[cfg(unix)]
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
        #[cfg(not(unix))]
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_no_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let review = folder.path().join("a.sparrowhawk");
        let Taken::Mine(first) = take(&review) else { panic!("free") };
        let Taken::Theirs(reason) = take(&review) else { panic!("held") };
        assert_eq!(reason, "it is open in another window of this program");
        drop(first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let Taken::Mine(_second) = take(&review) else { panic!("free again") };
    }

    #[test]
    fn a_lock_file_that_a_killed_process_left_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let review = folder.path().join("a.sparrowhawk");
        File::create(lock_path(&review)).unwrap();
        assert!(matches!(take(&review), Taken::Mine(_)));
    }

    #[test]
    fn a_folder_that_is_not_there_gives_the_reason() {
        assert!(matches!(take(Path::new("/nowhere/at/all.sparrowhawk")), Taken::Impossible(_)));
    }
}
