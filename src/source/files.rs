//! Which files may be read? Regular ones of bounded size whose real place is inside the root, checked on the open file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::{MAX_FILE_BYTES, Pictures, ReadError, Stamp};
use crate::model::Version;

/// Pictures that are files below one root: a row's file is the root joined with its key, but for the few listed apart.
pub(super) struct Files {
    /// Canonical.
    pub(super) root: PathBuf,
    pub(super) version: Arc<Version>,
    /// Rows whose path on disk is not their key (names that are no UTF-8), by row; relative to the root.
    pub(super) odd: Vec<(u32, PathBuf)>,
    /// Rows that lead out of the root as written, ascending.
    pub(super) outside: Vec<u32>,
}

impl Files {
    /// Orders what was noted by position of arrival into rows of the built version.
    pub(super) fn new(
        root: PathBuf,
        version: Arc<Version>,
        order: &[u32],
        odd: Vec<(u32, PathBuf)>,
        outside: &[u32],
    ) -> Self {
        let mut files = Self { root, version, odd: Vec::new(), outside: Vec::new() };
        if odd.is_empty() && outside.is_empty() {
            return files;
        }
        // Both lists came in order of arrival, so they are ascending.
        let mut odd: Vec<(u32, Option<PathBuf>)> =
            odd.into_iter().map(|(at, path)| (at, Some(path))).collect();
        for (row, position) in order.iter().enumerate() {
            if let Ok(found) = odd.binary_search_by_key(position, |(at, _)| *at)
                && let Some(path) = odd[found].1.take()
            {
                files.odd.push((row as u32, path));
            }
            if outside.binary_search(position).is_ok() {
                files.outside.push(row as u32);
            }
        }
        files
    }

    fn locate(&self, row: usize) -> Result<PathBuf, ReadError> {
        let Ok(id) = u32::try_from(row) else { return Err(ReadError::Missing) };
        if row >= self.version.len() {
            return Err(ReadError::Missing);
        }
        if self.outside.binary_search(&id).is_ok() {
            return Err(ReadError::OutsideRoot);
        }
        let relative = match self.odd.binary_search_by_key(&id, |(at, _)| *at) {
            Ok(found) => self.odd[found].1.as_path(),
            Err(_) => Path::new(self.version.key(row)),
        };
        // Formats push clean keys; this keeps a slip in one of them from becoming a way out.
        if relative.components().all(|part| matches!(part, Component::Normal(_))) {
            Ok(self.root.join(relative))
        } else {
            Err(ReadError::OutsideRoot)
        }
    }
}

impl Pictures for Files {
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError> {
        read_inside(&self.root, &self.locate(row)?, MAX_FILE_BYTES)
    }

    fn stamp(&self, row: usize) -> Option<Stamp> {
        let path = self.locate(row).ok()?;
        let mut found = path.symlink_metadata().ok()?;
        if found.is_symlink() {
            let target = path.canonicalize().ok()?;
            if !target.starts_with(&self.root) {
                return None;
            }
            found = target.symlink_metadata().ok()?;
        }
        if !found.is_file() {
            return None;
        }
        let modified_nanos = match found.modified().ok()?.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Some(Stamp { path, size_bytes: found.len(), modified_nanos, inode: inode(&found) })
    }

    fn path(&self, row: usize) -> Option<PathBuf> {
        self.locate(row).ok()
    }
}

/// The bytes of one picture file by its path alone: a regular file of at most [`MAX_FILE_BYTES`].
pub fn read_picture(path: &Path) -> Result<Vec<u8>, ReadError> {
    let path = path.canonicalize().map_err(|error| read_error(&error))?;
    let root = path.parent().ok_or(ReadError::Missing)?;
    read_inside(root, &path, MAX_FILE_BYTES)
}

/// The bytes of a regular file that lies below `root` (canonical), also when somebody swaps links meanwhile.
pub(super) fn read_inside(root: &Path, path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let (file, size_bytes) = open_inside(root, path)?;
    if size_bytes > limit {
        return Err(ReadError::TooLarge { size_bytes });
    }
    let mut bytes = Vec::with_capacity(size_bytes as usize + 1);
    // One byte more than allowed tells a file that grew since.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| read_error(&error))?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { size_bytes: bytes.len() as u64 });
    }
    Ok(bytes)
}

/// Opens a regular file below `root` (canonical) and tells its size. What was opened is asked where it is,
/// because a name checked before opening may be a link by the time it is opened.
pub(crate) fn open_inside(root: &Path, path: &Path) -> Result<(File, u64), ReadError> {
    let (file, size_bytes) = open_regular(path).map_err(|error| read_error(&error))?;
    let place = place_of(&file, path).map_err(|error| read_error(&error))?;
    if place.starts_with(root) { Ok((file, size_bytes)) } else { Err(ReadError::OutsideRoot) }
}

/// Opens a regular file, never a FIFO, socket or device, and tells its size.
pub(super) fn open_regular(path: &Path) -> std::io::Result<(File, u64)> {
    let irregular = || std::io::Error::new(ErrorKind::InvalidInput, "it is no regular file");
    // Asked first, because opening a device can have effects of its own.
    if !path.metadata()?.is_file() {
        return Err(irregular());
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A FIFO put here since would wait for a writer.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let found = file.metadata()?;
    if found.is_file() { Ok((file, found.len())) } else { Err(irregular()) }
}

/// Where an open file really is.
fn place_of(file: &File, path: &Path) -> std::io::Result<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        if let Ok(place) = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            return Ok(place);
        }
    }
    // Without /proc: the name resolves to a place that is the very file that is open.
    let place = path.canonicalize()?;
    if inode(&place.symlink_metadata()?) == inode(&file.metadata()?) {
        Ok(place)
    } else {
        Err(std::io::Error::other("the file was replaced while it was opened"))
    }
}

fn read_error(error: &std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ReadError::Missing,
        _ => ReadError::Io(error.to_string()),
    }
}

#[cfg(unix)]
fn inode(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.ino(), found.dev())
}

#[cfg(not(unix))]
fn inode(_found: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_inside_is_opened() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().canonicalize().unwrap().join("root");
        std::fs::create_dir(&root).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test makes its files")]
        for path in [root.join("in.png"), outer.path().join("out.png")] {
            std::fs::write(path, b"bytes").unwrap();
        }
        assert_eq!(read_inside(&root, &root.join("in.png"), 5), Ok(b"bytes".to_vec()));
        assert_eq!(read_inside(&root, &root.join("in.png"), 4), Err(ReadError::TooLarge { size_bytes: 5 }));
        assert_eq!(read_inside(&root, &root.join("../out.png"), 5), Err(ReadError::OutsideRoot));
        assert_eq!(read_inside(&root, &root.join("gone.png"), 5), Err(ReadError::Missing));
        assert_eq!(read_inside(&root, &root.join("in.png/deeper"), 5), Err(ReadError::Missing));
        assert!(matches!(read_inside(&root, &root, 5), Err(ReadError::Io(_))));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer.path(), root.join("way-out")).unwrap();
            assert_eq!(read_inside(&root, &root.join("way-out/out.png"), 5), Err(ReadError::OutsideRoot));
            std::os::unix::fs::symlink(root.join("in.png"), root.join("link.png")).unwrap();
            assert_eq!(read_inside(&root, &root.join("link.png"), 5), Ok(b"bytes".to_vec()));
        }
    }
}
