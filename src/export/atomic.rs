//! How is a file written so that nobody ever sees half of it? Beside its place, then renamed.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::ExportError;

/// Writes `bytes` to `path`: the file is there whole or not at all, also after a power cut.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let fail = |error| ExportError::Io { error, path: path.to_owned() };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut file = tempfile::Builder::new().prefix(".sparrowhawk-").tempfile_in(&folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    // A temporary file is private to its owner; what is handed out has the rights any new file would have.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(fail)?;
    }
    file.persist(path).map_err(|e| fail(e.error))?;
    #[cfg(unix)]
    std::fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(fail)?;
    Ok(())
}
