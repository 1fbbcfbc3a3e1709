//! What is in a folder of pictures? Class folders, split folders, and labels from Hugging Face metadata files.

use std::path::Path;
use std::sync::Arc;

use super::files::Files;
use super::metadata::{self, Labels, Metadata};
use super::walk::{EXTENSIONS, Listing, walk};
use super::{Dataset, Format, Place, SourceError};
use crate::model::{SourceRef, StringColumn, VersionBuilder, Warning, WarningKind};
use crate::task::Task;

/// `CLASS/picture` or `SPLIT/CLASS/picture`, or pictures and a `metadata.csv` or `metadata.jsonl`.
pub struct Folder;

/// Names of folders, in lower case, that are splits when every folder at the top is one.
const SPLIT_NAMES: &[&str] = &[
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "validate",
    "dev",
    "eval",
    "evaluation",
    "test",
    "testing",
    "holdout",
];

/// Names of folders, in lower case, whose pictures have no label (FiftyOne writes the first).
const NO_CLASS_NAMES: &[&str] = &["_unlabeled", "unlabeled", "_unlabelled", "unlabelled"];

impl Format for Folder {
    fn id(&self) -> &'static str {
        "folder"
    }

    fn summary(&self) -> &'static str {
        "a folder with a folder a class, also below split folders, or with metadata.csv or metadata.jsonl"
    }

    fn sniff(&self, place: &Place) -> bool {
        place.path.is_dir()
    }

    fn open(&self, place: &Place, task: &Task) -> Result<Dataset, SourceError> {
        let root =
            place.path.canonicalize().map_err(|error| SourceError::Io { error, path: place.path.clone() })?;
        if !root.is_dir() {
            let message = "not a folder; open it without `folder:`".to_owned();
            return Err(SourceError::Invalid { message, path: place.path.clone() });
        }
        let mut builder = VersionBuilder::default();
        let listing = walk(&root, &mut builder, task)?;
        if listing.keys.is_empty() {
            return Err(no_pictures(&place.path, &listing));
        }
        let Listing { keys, odd, outside, metadata, .. } = listing;
        let label_column = place.list.label_column.as_deref();
        let metadata = metadata::read(&root, &metadata, label_column, &mut builder, task)?;
        let (from_metadata, mut labels) = match metadata {
            Some(Metadata { origin, labels }) => (Some(origin), labels),
            None => (None, None),
        };

        let has_splits = tops_are_splits(&keys);
        let mut labelled = false;
        for (position, key) in keys.iter().enumerate() {
            if position % 4096 == 0 {
                task.check()?;
            }
            let (split, mut class) = folders_of(key, has_splits);
            if let Some(labels) = &mut labels {
                let said = labels.take(key);
                if said.is_none() {
                    let message = "the metadata files do not name it, so it has no label";
                    builder.warn(Warning::on(key, WarningKind::BadRow, message));
                }
                class = said.filter(|label| !label.is_empty());
            }
            labelled |= class.is_some();
            builder.push(key, class, split);
        }
        drop(keys);
        for key in labels.map(Labels::rest).unwrap_or_default() {
            let message = "a metadata file names it, but there is no such picture";
            builder.warn(Warning::on(&key, WarningKind::Missing, message));
        }
        let origin = match from_metadata {
            Some(origin) => origin,
            None if labelled => "folder names".to_owned(),
            None => "none: no picture lies in a class folder".to_owned(),
        };

        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        let source =
            SourceRef { kind: self.id().to_owned(), place: root.display().to_string(), revision: None };
        let (version, order) = builder.build(source, &name, &origin);
        let version = Arc::new(version);
        let pictures = Files::new(root, version.clone(), &order, odd, &outside);
        Ok(Dataset { version, pictures: Arc::new(pictures) })
    }
}

/// Whether all folders at the top that hold pictures are called like splits. Folders of unlabelled pictures do not count.
fn tops_are_splits(keys: &StringColumn) -> bool {
    let (mut last, mut any) = ("", false);
    for key in keys.iter() {
        let Some((top, _)) = key.split_once('/') else { continue };
        if top == last {
            continue;
        }
        last = top;
        if is_one_of(top, NO_CLASS_NAMES) {
            continue;
        }
        if !is_one_of(top, SPLIT_NAMES) {
            return false;
        }
        any = true;
    }
    any
}

/// Split and class by the folders that a key names; deeper folders mean nothing.
fn folders_of(key: &str, has_splits: bool) -> (Option<&str>, Option<&str>) {
    let Some((folders, _)) = key.rsplit_once('/') else { return (None, None) };
    let mut folders = folders.split('/');
    let top = folders.next();
    let (split, class) = match top {
        Some(name) if has_splits && is_one_of(name, SPLIT_NAMES) => (top, folders.next()),
        _ => (None, top),
    };
    (split, class.filter(|name| !is_one_of(name, NO_CLASS_NAMES)))
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.iter().any(|k| name.eq_ignore_ascii_case(k))
}

fn no_pictures(path: &Path, listing: &Listing) -> SourceError {
    let hint = match listing.openable.iter().min() {
        Some(list) => format!("; it holds `{list}`: if that is a list of pictures, open that file"),
        None => String::new(),
    };
    let message = format!(
        "no pictures in this folder; looked for {} as CLASS/picture, SPLIT/CLASS/picture and deeper, hidden folders left out{hint}",
        EXTENSIONS.join(", ")
    );
    SourceError::Invalid { message, path: path.to_path_buf() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[&str], expected: &[(Option<&str>, Option<&str>)]) {
        let mut column = StringColumn::default();
        for key in keys {
            column.push(key);
        }
        let has_splits = tops_are_splits(&column);
        let found: Vec<_> = keys.iter().map(|key| folders_of(key, has_splits)).collect();
        assert_eq!(found, expected, "{keys:?}");
    }

    #[test]
    fn classes_and_splits_come_from_folders() {
        check(&["cat/1.png", "dog/a/b/2.png"], &[(None, Some("cat")), (None, Some("dog"))]);
        check(&["1.png"], &[(None, None)]);
        check(
            &["Train/cat/1.png", "test/dog/2.png", "test/3.png", "0.png"],
            &[(Some("Train"), Some("cat")), (Some("test"), Some("dog")), (Some("test"), None), (None, None)],
        );
        // One top folder that is no split: then `test` is a class like the others.
        check(&["test/1.png", "exam/2.png"], &[(None, Some("test")), (None, Some("exam"))]);
        check(
            &["train/cat/1.png", "unlabeled/2.png", "train/_unlabeled/3.png"],
            &[(Some("train"), Some("cat")), (None, None), (Some("train"), None)],
        );
        check(&["_unlabeled/1.png", "cat/2.png"], &[(None, None), (None, Some("cat"))]);
        check(&["unlabeled/1.png"], &[(None, None)]);
    }
}
