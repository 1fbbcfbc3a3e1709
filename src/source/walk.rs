//! Which picture files lie below a folder? Names only: nothing is opened, and only links are asked where they lead.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::FileType;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::model::{StringColumn, VersionBuilder, Warning, WarningKind};
use crate::task::Task;

/// Folders within folders, counted from the root.
const MAX_DEPTH: usize = 32;
/// Files and folders in all.
const MAX_ENTRIES: usize = 20_000_000;
/// All keys together; well below what a [`StringColumn`] holds.
const MAX_KEY_BYTES: usize = 3 << 30;

/// Extensions, in lower case, of files that are taken for pictures.
pub(super) const EXTENSIONS: &[&str] =
    &["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff"];

/// What was found below a root.
#[derive(Default)]
pub(super) struct Listing {
    /// Path of each picture from the root, with `/`; order means nothing.
    pub(super) keys: StringColumn,
    /// Positions in `keys` whose path on disk is another text (names that are no UTF-8), ascending.
    pub(super) odd: Vec<(u32, PathBuf)>,
    /// Positions in `keys` of links that leave the root, ascending.
    pub(super) outside: Vec<u32>,
    /// `metadata.csv` and its like: path from the root, and the key of the folder it is in (empty for the root).
    pub(super) metadata: Vec<(PathBuf, String)>,
    /// Lists and archives at the top, for the message when there are no pictures.
    pub(super) openable: Vec<String>,
}

struct Walk<'a> {
    root: &'a Path,
    task: &'a Task,
    builder: &'a mut VersionBuilder,
    listing: Listing,
    entries: usize,
    key_bytes: usize,
    /// Seen since progress was last told.
    untold: usize,
}

struct Folder {
    /// Empty for the root, otherwise ends in `/`.
    key: String,
    /// From the root; only where it is not what the key says.
    odd_path: Option<PathBuf>,
    depth: usize,
}

/// Lists what lies below `root` (canonical); trouble with single files becomes warnings of `builder`.
pub(super) fn walk(root: &Path, builder: &mut VersionBuilder, task: &Task) -> Result<Listing, SourceError> {
    task.begin("Listing files", 0);
    let mut walk =
        Walk { root, task, builder, listing: Listing::default(), entries: 0, key_bytes: 0, untold: 0 };
    let mut pending = vec![Folder { key: String::new(), odd_path: None, depth: 0 }];
    while let Some(folder) = pending.pop() {
        task.check()?;
        walk.folder(&folder, &mut pending)?;
    }
    task.advance(walk.untold);
    Ok(walk.listing)
}

/// Whether the name ends like a picture's.
pub(super) fn is_picture(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Folder, pending: &mut Vec<Folder>) -> Result<(), SourceError> {
        let relative = folder.odd_path.clone().unwrap_or_else(|| PathBuf::from(&folder.key));
        let path = self.root.join(&relative);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if folder.depth == 0 => return Err(SourceError::Io { error, path }),
            Err(error) => {
                self.unreadable(&folder.key, &error);
                return Ok(());
            }
        };
        let mut key = folder.key.clone();
        // Few of these; kept apart so that they are seen in one order whatever the file system's.
        let (mut folders, mut links, mut odd) = (Vec::new(), Vec::new(), Vec::new());
        let (mut other_files, mut example) = (0_usize, None::<OsString>);
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(&folder.key, &error);
                    break;
                }
            };
            self.count()?;
            let name = entry.file_name();
            if is_hidden(&name) {
                continue;
            }
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                // Gone since: as if it had never been there.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    self.unreadable(&format!("{}{}", folder.key, spelt(&name)), &error);
                    continue;
                }
            };
            if kind.is_dir() {
                folders.push(name);
            } else if kind.is_symlink() {
                links.push(name);
            } else if kind.is_file() && is_picture(&name) {
                match name.to_str() {
                    Some(text) => {
                        key.truncate(folder.key.len());
                        key.push_str(text);
                        self.sample(&key, folder.odd_path.is_some().then(|| relative.join(&name)))?;
                    }
                    None => odd.push(name),
                }
            } else if !self.companion(&name, kind, folder, &relative) {
                other_files += 1;
                if example.as_ref().is_none_or(|smallest| name < *smallest) {
                    example = Some(name);
                }
            }
        }
        let mut taken = HashSet::new();
        links.sort();
        for name in links {
            let text = match name.to_str() {
                Some(text) => text.to_owned(),
                None => unique_spelling(&name, &path, &mut taken),
            };
            self.link(&name, &format!("{}{text}", folder.key), folder, &relative)?;
        }
        odd.sort();
        for name in odd {
            let text = unique_spelling(&name, &path, &mut taken);
            self.sample(&format!("{}{text}", folder.key), Some(relative.join(&name)))?;
        }
        if let Some(example) = example {
            let message = format!(
                "no pictures by their extension, so left out: {other_files}, such as `{}`; read as pictures are {}",
                spelt(&example),
                EXTENSIONS.join(", ")
            );
            self.builder.warn(Warning::on(place(&folder.key), WarningKind::NotAPicture, message));
        }
        if !folders.is_empty() && folder.depth >= MAX_DEPTH {
            let message = format!("folders lie more than {MAX_DEPTH} deep; open one further down");
            return Err(SourceError::Invalid { message, path });
        }
        // The last one pushed is the next one walked.
        folders.sort_by(|a, b| b.cmp(a));
        for name in folders {
            let (text, odd_path) = match name.to_str() {
                Some(text) => (text.to_owned(), folder.odd_path.is_some().then(|| relative.join(&name))),
                None => (unique_spelling(&name, &path, &mut taken), Some(relative.join(&name))),
            };
            let key = format!("{}{text}/", folder.key);
            pending.push(Folder { key, odd_path, depth: folder.depth + 1 });
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), SourceError> {
        self.entries += 1;
        self.untold += 1;
        if self.untold == 1024 {
            self.task.advance(self.untold);
            self.untold = 0;
            self.task.check()?;
        }
        if self.entries > MAX_ENTRIES {
            let message = format!("more than {MAX_ENTRIES} files; open a part of it");
            return Err(SourceError::Invalid { message, path: self.root.to_path_buf() });
        }
        Ok(())
    }

    fn sample(&mut self, key: &str, odd_path: Option<PathBuf>) -> Result<(), SourceError> {
        self.key_bytes += key.len();
        if self.key_bytes > MAX_KEY_BYTES {
            let message = "the paths of its files take more than 3 GiB; open a part of it".to_owned();
            return Err(SourceError::Invalid { message, path: self.root.to_path_buf() });
        }
        if let Some(path) = odd_path {
            self.listing.odd.push((self.listing.keys.len() as u32, path));
        }
        self.listing.keys.push(key);
        Ok(())
    }

    /// A link is a sample when it is called like a picture; only one to a file inside the root will be read.
    fn link(&mut self, name: &OsStr, key: &str, folder: &Folder, relative: &Path) -> Result<(), SourceError> {
        let relative = relative.join(name);
        if name.to_str().is_some_and(is_metadata) {
            // Reading it refuses one that leads out: labels must not silently come from elsewhere then.
            self.listing.metadata.push((relative, folder.key.clone()));
            return Ok(());
        }
        let path = self.root.join(&relative);
        let target = path.canonicalize();
        let outside = target.as_ref().is_ok_and(|target| !target.starts_with(self.root));
        let named_so = is_picture(name);
        if outside {
            let message = "a link that leaves the dataset's folder; it is not followed";
            self.builder.warn(Warning::on(key, WarningKind::OutsideRoot, message));
        } else {
            match target.and_then(|target| target.symlink_metadata()) {
                Ok(found) if found.is_file() => {}
                Ok(found) => {
                    let what = if found.is_dir() { "folder" } else { "special file" };
                    let message = format!("a link to a {what}; only links to files are followed");
                    self.builder.warn(Warning::on(key, WarningKind::NotAPicture, message));
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let message = "a link to a file that is not there";
                    self.builder.warn(Warning::on(key, WarningKind::Missing, message));
                }
                Err(error) => {
                    let message = format!("a link that leads nowhere: {error}");
                    self.builder.warn(Warning::on(key, WarningKind::Unreadable, message));
                }
            }
        }
        if !named_so {
            return Ok(());
        }
        if outside {
            self.listing.outside.push(self.listing.keys.len() as u32);
        }
        let is_odd = folder.odd_path.is_some() || name.to_str().is_none();
        self.sample(key, is_odd.then_some(relative))
    }

    /// Notes files that are no pictures but belong to a dataset; says whether this is one.
    fn companion(&mut self, name: &OsStr, kind: FileType, folder: &Folder, relative: &Path) -> bool {
        let Some(text) = name.to_str().filter(|_| kind.is_file()) else { return false };
        if is_metadata(text) {
            self.listing.metadata.push((relative.join(name), folder.key.clone()));
            return true;
        }
        let endings = [".csv", ".tsv", ".jsonl", ".ndjson"];
        if folder.depth == 0 && endings.iter().any(|ending| text.to_ascii_lowercase().ends_with(ending)) {
            self.listing.openable.push(text.to_owned());
        }
        false
    }

    fn unreadable(&mut self, key: &str, error: &std::io::Error) {
        let message = format!("cannot be listed ({error}); check its permissions");
        self.builder.warn(Warning::on(place(key), WarningKind::Unreadable, message));
    }
}

/// The spelling of a name that is no UTF-8, made different from its neighbours'.
fn unique_spelling(name: &OsStr, folder: &Path, taken: &mut HashSet<String>) -> String {
    let plain = spelt(name);
    let (stem, dot_extension) = match plain.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (plain.as_str(), String::new()),
    };
    let mut text = plain.clone();
    let mut number = 2;
    while taken.contains(&text) || folder.join(&text).symlink_metadata().is_ok() {
        text = format!("{stem}~{number}{dot_extension}");
        number += 1;
    }
    taken.insert(text.clone());
    text
}

/// A name as text: bytes that are no UTF-8 are written `%E9`, so that the key is the same wherever the file is.
fn spelt(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn is_metadata(name: &str) -> bool {
    matches!(name, "metadata.csv" | "metadata.jsonl" | "metadata.parquet")
}

fn place(key: &str) -> &str {
    if key.is_empty() { "." } else { key }
}

/// What operating systems leave behind, and what its owner hid.
fn is_hidden(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.first() == Some(&b'.')
        || ["__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir"]
            .iter()
            .any(|known| bytes.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_extension() {
        for name in ["a.png", "a.JPG", "b.c.jpeg", "x.JFIF", "猫.webp", "a.tif"] {
            assert!(is_picture(OsStr::new(name)), "{name}");
        }
        for name in ["a", "png", ".png", "a.png.txt", "a.svg", "a.", "a.csv"] {
            assert!(!is_picture(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn names_that_are_no_utf8_are_spelt_with_percent_signs() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(spelt(OsStr::from_bytes(b"caf\xe9 \xff.png")), "caf%E9 %FF.png");
        assert_eq!(spelt(OsStr::new("café.png")), "café.png");
    }
}
