//! Which numbers does a person bring? A table with one line a sample: `.npy`, CSV or Parquet.
//!
//! | file | which line is which sample |
//! |---|---|
//! | `.npy`, two axes | by order: the samples of a version are ordered by key |
//! | CSV, Parquet with a column `key` or `path`, or one column that holds no numbers | by that key |
//! | CSV, Parquet with numbers alone | by order |
//!
//! In Parquet the numbers may also be one column of lists. Everything is checked against the file's size before it is
//! believed, and nothing is guessed: a line or number too few is an error that says where.

mod npy;
mod parquet;
mod sheet;

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::model::Version;

/// The most bytes that are read as a table.
const MAX_FILE_BYTES: u64 = 8 << 30;
/// The most numbers a line.
const MAX_WIDTH: usize = 1 << 16;
/// Names of a column that holds keys.
const KEY_COLUMNS: [&str; 2] = ["key", "path"];

/// One line of numbers a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Supplied<T> {
    /// Where they come from, for messages.
    pub name: String,
    /// The columns' names, if the file has names.
    pub columns: Option<Vec<String>>,
    /// The lines' samples, if the file names them.
    pub keys: Option<Vec<String>>,
    /// Numbers a line.
    pub width: usize,
    /// `lines × width`, row-major.
    pub values: Vec<T>,
}

/// Why a table is none for us.
#[derive(Debug, thiserror::Error)]
pub enum SuppliedError {
    /// The file cannot be read.
    #[error("cannot read {name}: {error}")]
    Io {
        /// The file.
        name: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no table of numbers.
    #[error("{name}: {message}")]
    Bad {
        /// The file.
        name: String,
        /// What is wrong and what to do.
        message: String,
    },
}

impl SuppliedError {
    /// That something is wrong with this file.
    #[must_use]
    pub fn bad(name: &str, message: impl Into<String>) -> Self {
        Self::Bad { name: name.to_owned(), message: message.into() }
    }
}

/// What a table can hold.
pub trait Number: Copy + Default {
    /// The nearest of this type.
    fn from_f64(value: f64) -> Self;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

impl Number for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Number for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

/// Reads a table; the name's extension says of which format.
pub fn read_supplied<T: Number>(path: &Path) -> Result<Supplied<T>, SuppliedError> {
    let name = path.display().to_string();
    let io = |error| SuppliedError::Io { name: name.clone(), error };
    let size = std::fs::metadata(path).map_err(io)?;
    if !size.is_file() {
        return Err(SuppliedError::bad(&name, "not a file"));
    }
    let size = size.len();
    if size > MAX_FILE_BYTES {
        return Err(SuppliedError::bad(
            &name,
            format!("larger than the limit of {} GiB", MAX_FILE_BYTES >> 30),
        ));
    }
    let file = File::open(path).map_err(io)?;
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let table = guarded(|| match extension.as_str() {
        "npy" => npy::read(file, size),
        "csv" | "tsv" => sheet::read(file, if extension == "tsv" { b'\t' } else { b',' }),
        "parquet" | "pq" => parquet::read(file),
        _ => Err("not a table that is known; its name should end in .npy, .csv, .tsv or .parquet".to_owned()),
    });
    let mut table: Supplied<T> = table.map_err(|message| SuppliedError::bad(&name, message))?;
    table.name = name;
    let strange = table.values.iter().position(|value| !value.is_finite());
    if let Some(at) = strange {
        let (line, column) = (at / table.width, at % table.width);
        let message = format!("{}, number {} is not finite (NaN or infinite)", table.line(line), column + 1);
        return Err(SuppliedError::bad(&table.name, message));
    }
    Ok(table)
}

/// Runs a reader; one that panics has met a damaged file.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("damaged: the reader stumbled over it".to_owned()))
}

impl<T: Number> Supplied<T> {
    /// Lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a line.
    #[must_use]
    pub fn row(&self, line: usize) -> &[T] {
        &self.values[line * self.width..(line + 1) * self.width]
    }

    /// A line as messages name it.
    #[must_use]
    pub fn line(&self, line: usize) -> String {
        match &self.keys {
            Some(keys) => format!("sample `{}`", keys[line]),
            None => format!("line {}", line + 1),
        }
    }

    /// For each of these rows of a version the line that is about it; every row must have one.
    pub fn lines_of(&self, version: &Version, rows: &[u32]) -> Result<Vec<usize>, SuppliedError> {
        let bad = |message: String| Err(SuppliedError::bad(&self.name, message));
        let Some(keys) = &self.keys else {
            if self.len() != version.len() {
                return bad(format!(
                    "{} lines for {} samples. Without a column `key` or `path` line N is about the Nth sample, \
                     ordered by key, and none may be left out",
                    self.len(),
                    version.len()
                ));
            }
            return Ok(rows.iter().map(|&row| row as usize).collect());
        };
        let mut line_of: HashMap<&str, usize> = HashMap::with_capacity(keys.len());
        for (line, key) in keys.iter().enumerate() {
            if line_of.insert(key, line).is_some() {
                return bad(format!("two lines are about `{key}`"));
            }
        }
        let mut lines = Vec::with_capacity(rows.len());
        let mut missing = Vec::new();
        for &row in rows {
            let key = version.key(row as usize);
            match line_of.get(key) {
                Some(&line) => lines.push(line),
                None => missing.push(key),
            }
        }
        match missing.first() {
            None => Ok(lines),
            Some(first) => bad(format!(
                "no line for {} of {} samples, such as `{first}`; the file's keys look like `{}`",
                missing.len(),
                rows.len(),
                keys.first().map_or("", String::as_str)
            )),
        }
    }
}

/// Which of some columns holds the keys: one that is named so, or else the only one that holds no numbers.
fn key_column(names: Option<&[String]>, is_number: &[bool]) -> Result<Option<usize>, String> {
    let named = names.and_then(|names| {
        KEY_COLUMNS.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
    });
    let others: Vec<usize> =
        (0..is_number.len()).filter(|at| !is_number[*at] && Some(*at) != named).collect();
    match (named, &others[..]) {
        (named, []) => Ok(named),
        (None, [one]) => Ok(Some(*one)),
        (_, several) => Err(format!(
            "column {} holds no numbers; leave only the key (a column `key` or `path`) and the numbers in",
            several.last().map_or(0, |at| at + 1)
        )),
    }
}

fn check_width(width: usize) -> Result<(), String> {
    match width {
        0 => Err("there are no columns of numbers".to_owned()),
        width if width > MAX_WIDTH => {
            Err(format!("{width} numbers a line are more than the limit of {MAX_WIDTH}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "supplied/tests.rs"]
mod tests;
