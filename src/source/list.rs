//! What is in a list of pictures? A CSV, TSV or JSONL file with a column of paths and one of labels.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::columns::{self, Key, LABEL_NAMES, PATH_NAMES, PathRules, SPLIT_NAMES};
use super::files::Files;
use super::table::Table;
use super::walk;
use super::{Dataset, Format, Place, SourceError};
use crate::model::{SourceRef, VersionBuilder, Warning, WarningKind};
use crate::task::Task;

/// A file with a row a picture; paths are relative to the file's folder or to `--root`.
pub struct List;

/// Longer texts are no names of classes or splits.
pub(super) const MAX_LABEL_BYTES: usize = 1024;
const MAX_SPLITS: usize = 1000;
/// All keys together; well below what a version holds.
const MAX_KEY_BYTES: usize = 3 << 30;
/// Values that are tried to tell which of several columns holds paths.
const TRIED_PATHS: usize = 20;

/// Which columns are read.
struct Columns {
    path: usize,
    label: usize,
    split: Option<usize>,
    backslashes: bool,
}

impl Format for List {
    fn id(&self) -> &'static str {
        "list"
    }

    fn summary(&self) -> &'static str {
        "a CSV, TSV or JSONL file with a column of paths and a column of labels"
    }

    fn sniff(&self, place: &Place) -> bool {
        if !place.path.is_file() {
            return false;
        }
        let extension = place.path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
        if matches!(extension.as_str(), "csv" | "tsv" | "tab" | "jsonl" | "ndjson") {
            return true;
        }
        let other = place.path.file_name().is_some_and(walk::is_picture);
        !other
            && Table::look(&place.path, None).is_ok_and(|table| {
                place.list.path_column.is_some() || !columns::known(table.columns(), PATH_NAMES).is_empty()
            })
    }

    fn open(&self, place: &Place, task: &Task) -> Result<Dataset, SourceError> {
        if place.path.is_dir() {
            let message = "a folder, not a list; open it without `list:`".to_owned();
            return Err(SourceError::Invalid { message, path: place.path.clone() });
        }
        let (given_root, root) = roots_of(place)?;
        let table = Table::look(&place.path, None)?;
        if table.columns().is_empty() {
            let message = "the list is empty; it needs a line that names its columns, such as `path,label`, or JSON objects";
            return Err(table.invalid(message));
        }
        let columns = find_columns(&table, place, &root, task)?;
        let rules = PathRules::new(&[&root, &given_root], columns.backslashes);

        let mut builder = VersionBuilder::default();
        let mut outside = Vec::new();
        let mut splits = HashSet::new();
        let mut key_bytes = 0;
        let (mut rows, mut first_trouble) = (0_usize, None);
        let file_name = table.name();
        let mut wanted = vec![columns.path, columns.label];
        wanted.extend(columns.split);
        table.rows(&wanted, None, task, |row| {
            rows += 1;
            let line = row.line;
            let mut bad = |trouble: &str| {
                first_trouble.get_or_insert_with(|| format!("line {line} {trouble}"));
                builder.warn(Warning::on(&format!("{file_name}:{line}"), WarningKind::BadRow, trouble));
            };
            let cells = match row.cells {
                Ok(cells) => cells,
                Err(trouble) => {
                    bad(trouble);
                    return Ok(());
                }
            };
            let (label, split) = (cells[1], cells.get(2).copied().flatten());
            if [label, split].iter().flatten().any(|text| text.len() > MAX_LABEL_BYTES) {
                bad("left out: the label or split is longer than 1024 bytes");
                return Ok(());
            }
            let key = match rules.key(cells[0].unwrap_or("")) {
                Ok(Key::Inside(key)) => key,
                Ok(Key::Outside(key)) => {
                    let message = "the path leads out of the dataset's folder and is not followed; name the folder with --root if that is meant";
                    builder.warn(Warning::on(&key, WarningKind::OutsideRoot, message));
                    outside.push(builder.len() as u32);
                    key
                }
                Err(trouble) => {
                    bad(trouble);
                    return Ok(());
                }
            };
            if let Some(split) = split
                && !splits.contains(split)
            {
                splits.insert(split.to_owned());
                if splits.len() > MAX_SPLITS {
                    return Err(table.invalid(format!(
                        "the column of splits has more than {MAX_SPLITS} different values; name another with --split-column"
                    )));
                }
            }
            key_bytes += key.len();
            if key_bytes > MAX_KEY_BYTES {
                return Err(table.invalid("the paths take more than 3 GiB: split the list"));
            }
            builder.push(&key, label, split);
            Ok(())
        })?;
        if builder.is_empty() {
            return Err(table.invalid(match first_trouble {
                None => "the list names no pictures: it has column names and no rows".to_owned(),
                Some(first) => format!("none of the list's {rows} rows can be used; {first}"),
            }));
        }

        let origin = format!("column `{}` of {file_name}", table.columns()[columns.label]);
        let absolute = std::path::absolute(&place.path).unwrap_or_else(|_| place.path.clone());
        let source =
            SourceRef { kind: self.id().to_owned(), place: absolute.display().to_string(), revision: None };
        let (version, order) = builder.build(source, &file_name, &origin);
        let version = Arc::new(version);
        let pictures = Files::new(root, version.clone(), &order, Vec::new(), &outside);
        Ok(Dataset { version, pictures: Arc::new(pictures) })
    }
}

/// What the list's paths are relative to: as given, and where that really is.
fn roots_of(place: &Place) -> Result<(PathBuf, PathBuf), SourceError> {
    let given_root = match (&place.list.root, place.path.parent()) {
        (Some(root), _) => root.clone(),
        (None, Some(parent)) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        (None, _) => PathBuf::from("."),
    };
    match given_root.canonicalize() {
        Ok(root) if root.is_dir() => Ok((given_root, root)),
        Ok(_) => {
            let message = "the root of the list's paths is no folder".to_owned();
            Err(SourceError::Invalid { message, path: given_root })
        }
        Err(_) => Err(SourceError::NotFound(given_root)),
    }
}

/// How a list is written, for whoever writes a corrected copy of it.
pub(crate) struct ListShape {
    /// Between fields; `None` for JSON lines.
    pub(crate) delimiter: Option<u8>,
    /// The names of all columns.
    pub(crate) names: Vec<String>,
    /// The column of paths, among them.
    pub(crate) path: usize,
    /// The column of labels.
    pub(crate) label: usize,
    /// The column of splits.
    pub(crate) split: Option<usize>,
    /// Whether `\` separates folders in paths.
    pub(crate) backslashes: bool,
    /// What paths are relative to, canonical.
    pub(crate) root: PathBuf,
}

/// Reads a list's shape and gives `visit` the line where each row begins, with the key that the row names if it can be
/// used.
pub(crate) fn list_shape(
    place: &Place,
    task: &Task,
    mut visit: impl FnMut(u64, Option<&str>),
) -> Result<ListShape, SourceError> {
    let (given_root, root) = roots_of(place)?;
    let table = Table::look(&place.path, None)?;
    let Columns { path, label, split, backslashes } = find_columns(&table, place, &root, task)?;
    let rules = PathRules::new(&[&root, &given_root], backslashes);
    table.rows(&[path], None, task, |row| {
        let key = row.cells.ok().and_then(|cells| rules.key(cells[0].unwrap_or("")).ok());
        let key = key.map(|(Key::Inside(key) | Key::Outside(key))| key);
        visit(row.line, key.as_deref());
        Ok(())
    })?;
    let (delimiter, names) = (table.delimiter(), table.columns().to_vec());
    Ok(ListShape { delimiter, names, path, label, split, backslashes, root })
}

/// The names of the columns of a table.
pub(crate) fn column_names(path: &Path) -> Result<Vec<String>, SourceError> {
    Ok(Table::look(path, None)?.columns().to_vec())
}

fn find_columns(table: &Table, place: &Place, root: &Path, task: &Task) -> Result<Columns, SourceError> {
    let names = table.columns();
    let options = &place.list;
    let candidates = match &options.path_column {
        Some(name) => vec![columns::named(table, name, "--path-column")?],
        None => columns::known(names, PATH_NAMES),
    };
    if candidates.is_empty() {
        let headless = names.iter().any(|name| walk::is_picture(Path::new(name).as_os_str()));
        return Err(table.invalid(format!(
            "no column of paths is recognised; the columns are {}; {}",
            columns::spelt(names),
            if headless {
                "put a line with column names first, such as `path,label`"
            } else {
                "say which it is with --path-column"
            }
        )));
    }
    let values = columns::preview(table, &candidates, task)?;
    let found: Vec<usize> = values
        .iter()
        .map(|values| {
            let rules = PathRules::new(&[root], columns::use_backslashes(values));
            let there = |value: &&String| match rules.key(value) {
                Ok(Key::Inside(key)) => root.join(key.as_ref()).is_file(),
                _ => false,
            };
            if candidates.len() == 1 { 0 } else { values.iter().take(TRIED_PATHS).filter(there).count() }
        })
        .collect();
    // Of equals the first, which has the most telling name.
    let best = (0..candidates.len()).rev().max_by_key(|&at| found[at]).unwrap_or(0);
    let path = candidates[best];

    let label = match &options.label_column {
        Some(name) => columns::named(table, name, "--label-column")?,
        None => columns::known(names, LABEL_NAMES).into_iter().find(|&column| column != path).ok_or_else(
            || {
                table.invalid(format!(
                "no column of labels is recognised; the columns are {}; say which it is with --label-column",
                columns::spelt(names)
            ))
            },
        )?,
    };
    let split = match &options.split_column {
        Some(name) => Some(columns::named(table, name, "--split-column")?),
        None => {
            columns::known(names, SPLIT_NAMES).into_iter().find(|&column| column != path && column != label)
        }
    };
    Ok(Columns { path, label, split, backslashes: columns::use_backslashes(&values[best]) })
}
