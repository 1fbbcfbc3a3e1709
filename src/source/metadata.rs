//! Which labels does a `metadata.csv` or `metadata.jsonl` give, as Hugging Face's `imagefolder` reads it?

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::SourceError;
use super::columns::{self, Key, LABEL_NAMES, PathRules};
use super::table::Table;
use crate::model::{VersionBuilder, Warning, WarningKind};
use crate::task::Task;

/// What metadata files say.
pub(super) struct Metadata {
    /// What a version's label origin says.
    pub(super) origin: String,
    /// Label by key, where a metadata file has a column of labels: then folder names are not used.
    pub(super) labels: Option<Labels>,
}

/// Labels by the key of a picture.
#[derive(Default)]
pub(super) struct Labels {
    /// Position in `names`.
    by_key: HashMap<String, u32>,
    ids: HashMap<String, u32>,
    names: Vec<String>,
}

impl Labels {
    /// Takes what is said about this picture: `None` when nothing is, otherwise its label, empty when it has none.
    pub(super) fn take(&mut self, key: &str) -> Option<&str> {
        let id = self.by_key.remove(key)?;
        Some(self.names[id as usize].as_str())
    }

    /// What was said about pictures that were never asked for, ascending.
    pub(super) fn rest(self) -> Vec<String> {
        let mut keys: Vec<String> = self.by_key.into_keys().collect();
        keys.sort();
        keys
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }
}

/// Reads the metadata files below `root` (canonical): each with the key of its folder. `None` when there are none.
/// Where two files name one picture, the one further down counts.
pub(super) fn read(
    root: &Path,
    found: &[(PathBuf, String)],
    label_column: Option<&str>,
    builder: &mut VersionBuilder,
    task: &Task,
) -> Result<Option<Metadata>, SourceError> {
    let mut files: Vec<&(PathBuf, String)> = found.iter().collect();
    files.sort_by_key(|(path, folder)| (folder.matches('/').count(), path));
    let Some((first, _)) = files.first() else { return Ok(None) };
    if let Some((other, _)) = files.iter().find(|(path, _)| path.extension() != first.extension()) {
        let message = format!(
            "metadata files of two kinds, `{}` and `{}`; keep one kind, it is unclear which counts",
            first.display(),
            other.display()
        );
        return Err(SourceError::Invalid { message, path: root.to_path_buf() });
    }
    if first.extension().is_some_and(|extension| extension == "parquet") {
        let message =
            "metadata.parquet is not read yet; save it as metadata.csv or metadata.jsonl".to_owned();
        return Err(SourceError::Invalid { message, path: root.join(first) });
    }
    let file_name = first.file_name().unwrap_or_default().to_string_lossy();
    let mut labels = Labels::default();
    let mut column_name = None;
    for (path, folder) in &files {
        let table = Table::look(&root.join(path), Some(root))?;
        let label = read_one(&table, folder, label_column, &mut labels, builder, task)?;
        column_name = column_name.or(label);
    }
    Ok(Some(match column_name {
        Some(name) => Metadata {
            origin: format!("column `{name}` of {file_name}; folder names are not used where it exists"),
            labels: Some(labels),
        },
        None => {
            Metadata { origin: format!("folder names: {file_name} has no column of labels"), labels: None }
        }
    }))
}

/// Reads one file and says how its column of labels is called, if it has one.
fn read_one(
    table: &Table,
    folder: &str,
    label_column: Option<&str>,
    labels: &mut Labels,
    builder: &mut VersionBuilder,
    task: &Task,
) -> Result<Option<String>, SourceError> {
    let names = table.columns();
    let is_path = |name: &String| name == "file_name" || name.ends_with("_file_name");
    let path = names.iter().position(|name| name == "file_name").or_else(|| names.iter().position(is_path));
    let Some(path) = path else {
        let there = columns::spelt(names);
        return Err(
            table.invalid(format!("no column `file_name`, which names the picture; the columns are {there}"))
        );
    };
    let label = match label_column {
        Some(name) => Some(columns::named(table, name, "--label-column")?),
        None => columns::known(names, LABEL_NAMES).first().copied(),
    };
    let Some(label) = label else { return Ok(None) };

    let windows = columns::use_backslashes(&columns::preview(table, &[path], task)?[0]);
    let rules = PathRules::new(&[], windows);
    let file_key = format!("{folder}{}", table.name());
    // Of two rows in one file the first counts; a row here overrides one of a file further up.
    let mut here: HashMap<String, u32> = HashMap::new();
    table.rows(&[path, label], None, task, |row| {
        let line = row.line;
        let mut bad = |trouble: &str| {
            builder.warn(Warning::on(&format!("{file_key}:{line}"), WarningKind::BadRow, trouble));
        };
        let cells = match row.cells {
            Ok(cells) => cells,
            Err(trouble) => {
                bad(trouble);
                return Ok(());
            }
        };
        let written = cells[0].unwrap_or("");
        // An absolute path stays one; the others are relative to the file's own folder.
        let joined = if written.is_empty() || written.starts_with('/') {
            written.to_owned()
        } else {
            format!("{folder}{written}")
        };
        let label = cells[1].unwrap_or("");
        if label.len() > super::list::MAX_LABEL_BYTES {
            bad("left out: the label is longer than 1024 bytes");
            return Ok(());
        }
        match rules.key(&joined) {
            Err(trouble) => bad(trouble),
            Ok(Key::Outside(key)) => {
                let message = "left out: the path leads out of the dataset's folder";
                builder.warn(Warning::on(&key, WarningKind::OutsideRoot, message));
            }
            Ok(Key::Inside(key)) => {
                if here.contains_key(key.as_ref()) {
                    let message = format!("more than once in {file_key}; the first row is used");
                    builder.warn(Warning::on(&key, WarningKind::DuplicateKey, message));
                } else {
                    let id = labels.id(label);
                    here.insert(key.into_owned(), id);
                }
            }
        }
        Ok(())
    })?;
    labels.by_key.extend(here);
    Ok(Some(names[label].clone()))
}
