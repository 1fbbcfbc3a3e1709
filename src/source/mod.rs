//! What is in this place? One file a format; [`FORMATS`] is the registry, asked in order.
//!
//! Opening lists samples and never decodes a picture.
//! A source is an untrusted upload and is only ever read: see [`Pictures::read`] for the limits.

mod columns;
mod files;
mod folder;
mod json_row;
mod list;
mod metadata;
mod row_stream;
mod table;
mod walk;

pub(crate) use files::open_inside;
pub(crate) use list::{ListShape, column_names, list_shape};

pub use files::read_picture;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::Version;
use crate::task::{Cancelled, Task};

/// The largest file that is read as a picture.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// A place to open, and how the user wants it read.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// A format's id, when the user forced it with a `KIND:` prefix.
    pub kind: Option<String>,
    /// For lists: which columns, and what paths are relative to.
    pub list: ListOptions,
}

/// How a list is to be read; what is `None` is recognised by looking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListOptions {
    /// Column with the picture's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_column: Option<String>,
    /// Column with the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// Column with the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_column: Option<String>,
    /// Folder that paths are relative to; otherwise the list's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
}

impl Place {
    /// A place from what a user typed: a path, or `KIND:path` with the id of a format.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        for format in FORMATS {
            if let Some(rest) = text.strip_prefix(format.id()).and_then(|rest| rest.strip_prefix(':')) {
                return Self { path: rest.into(), kind: Some(format.id().to_owned()), ..Self::default() };
            }
        }
        Self { path: text.into(), ..Self::default() }
    }
}

/// A kind of source.
pub trait Format: Sync {
    /// Its name in `KIND:path`.
    fn id(&self) -> &'static str;
    /// What it reads, in half a sentence for help texts.
    fn summary(&self) -> &'static str;
    /// Whether this place looks like one; reads no more than names and a first few kilobytes.
    fn sniff(&self, place: &Place) -> bool;
    /// Lists its samples.
    fn open(&self, place: &Place, task: &Task) -> Result<Dataset, SourceError>;
}

/// Every format, in the order in which they are asked.
pub static FORMATS: &[&dyn Format] = &[&folder::Folder, &list::List];

/// Reads pictures of one version: rows are rows of its [`Version`].
pub trait Pictures: Send + Sync {
    /// The file's bytes, at most [`MAX_FILE_BYTES`].
    fn read(&self, row: usize) -> Result<Vec<u8>, ReadError>;
    /// What identifies the stored bytes without reading them, where the source can tell.
    fn stamp(&self, row: usize) -> Option<Stamp>;
    /// The file itself, where each sample is one.
    fn path(&self, row: usize) -> Option<PathBuf>;
}

/// What a file system says of a file; equal stamps mean unchanged bytes for all but a hostile writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Absolute path.
    pub path: PathBuf,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_nanos: i128,
    /// Inode and device, 0 where there are none.
    pub inode: (u64, u64),
}

/// An opened version: what is in it, and a way to its pictures.
#[derive(Clone)]
pub struct Dataset {
    /// The samples.
    pub version: Arc<Version>,
    /// Their pictures.
    pub pictures: Arc<dyn Pictures>,
}

/// Why one picture's bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file is gone.
    #[error("the file is not there (any more)")]
    Missing,
    /// Larger than [`MAX_FILE_BYTES`].
    #[error("the file has {size_bytes} bytes; the limit is {MAX_FILE_BYTES}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// The path leads out of the dataset.
    #[error("the path leads out of the dataset and is not followed")]
    OutsideRoot,
    /// The system said no.
    #[error("cannot be read: {0}")]
    Io(String),
}

/// Why a place could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing there.
    #[error("there is no file or folder here; check the path: {}", .0.display())]
    NotFound(PathBuf),
    /// No format recognises it.
    #[error("not a dataset that Sparrowhawk reads ({hint}): {}", path.display())]
    Unrecognised {
        /// What was looked for.
        hint: String,
        /// The place.
        path: PathBuf,
    },
    /// It is of the kind, but something in it makes it unusable.
    #[error("{message}: {}", path.display())]
    Invalid {
        /// What is wrong and what to do.
        message: String,
        /// The place.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot be read ({error}): {}", path.display())]
    Io {
        /// The system's words.
        error: std::io::Error,
        /// The place.
        path: PathBuf,
    },
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Opens a place with the format that recognises it, or the one the user forced.
pub fn open(place: &Place, task: &Task) -> Result<Dataset, SourceError> {
    let forced = place.kind.as_deref();
    if !place.path.exists() {
        return Err(SourceError::NotFound(place.path.clone()));
    }
    for format in FORMATS {
        let wanted = forced.map_or_else(|| format.sniff(place), |kind| kind == format.id());
        if wanted {
            return format.open(place, task);
        }
    }
    let hint = FORMATS.iter().map(|f| format!("{}: {}", f.id(), f.summary())).collect::<Vec<_>>().join("; ");
    Err(SourceError::Unrecognised { hint, path: place.path.clone() })
}
