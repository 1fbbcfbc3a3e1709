//! What are the rows of a CSV, TSV or JSONL file? They are streamed: no field of a hostile file takes much memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::files::{open_inside, open_regular};
use super::json_row::{self, Cell};
use super::row_stream::{Delimited, FIELD_TOO_LONG, Lines, MAX_COLUMNS, MAX_FIELD_BYTES, ROW_TOO_LONG};
use super::{ReadError, SourceError};
use crate::task::Task;

const MAX_TABLE_BYTES: u64 = 2 << 30;
const MAX_ROWS: usize = 20_000_000;
/// Rows that are looked at to learn columns.
pub(super) const PREVIEW_ROWS: usize = 1000;
/// For guesses by content.
const HEAD_BYTES: u64 = 64 << 10;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// With this byte between fields; the first row names the columns.
    Delimited(u8),
    /// One JSON object a line.
    JsonLines,
}

/// A file of rows with named columns.
pub(super) struct Table {
    path: PathBuf,
    /// Canonical; where set, the file must really lie below it.
    inside: Option<PathBuf>,
    shape: Shape,
    columns: Vec<String>,
    size_bytes: u64,
}

/// One row, in the columns that were asked for.
pub(super) struct Row<'a> {
    /// The line where it begins, from 1.
    pub(super) line: u64,
    /// A cell for each column asked for, `None` where JSON has none; or what is wrong with the row.
    pub(super) cells: Result<&'a [Option<&'a str>], &'a str>,
}

impl Table {
    /// Looks at the beginning of a file: how it is written, and its columns.
    pub(super) fn look(path: &Path, inside: Option<&Path>) -> Result<Self, SourceError> {
        let mut table = Self {
            path: path.to_path_buf(),
            inside: inside.map(Path::to_path_buf),
            shape: Shape::JsonLines,
            columns: Vec::new(),
            size_bytes: 0,
        };
        let (reader, size_bytes) = table.reader()?;
        table.size_bytes = size_bytes;
        if size_bytes > MAX_TABLE_BYTES {
            return Err(table.invalid(format!(
                "the list has {size_bytes} bytes; the limit is {MAX_TABLE_BYTES}: split it"
            )));
        }
        let mut head = Vec::new();
        reader.take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| table.io(error))?;
        if head.contains(&0) {
            return Err(table.invalid(if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
                "the list is written in UTF-16 (line 1); save it again as UTF-8"
            } else {
                "the list holds zero bytes: it is UTF-16 without its mark, or no text; save it again as UTF-8"
            }));
        }
        table.shape = shape_of(path, &head);
        match table.shape {
            Shape::Delimited(delimiter) => {
                let mut rows = Delimited::new(table.reader()?.0, delimiter);
                if let Some(line) = rows.next().map_err(|error| table.io(error))? {
                    if let Some(trouble) = rows.trouble {
                        return Err(table.invalid(format!("the line with the column names: {trouble}")));
                    }
                    let text = rows.text().ok_or_else(|| table.not_utf8(line))?;
                    let columns = (0..rows.ends.len()).map(|at| rows.field(text, at).map(str::to_owned));
                    table.columns = columns.collect::<Option<_>>().ok_or_else(|| table.not_utf8(line))?;
                }
            }
            Shape::JsonLines => {
                let mut rows = Lines::new(table.reader()?.0);
                let mut columns: Vec<String> = Vec::new();
                for _ in 0..PREVIEW_ROWS {
                    let Some(line) = rows.next().map_err(|error| table.io(error))? else { break };
                    let text = std::str::from_utf8(&rows.line).map_err(|_| table.not_utf8(line))?;
                    // A line that is no object gets its warning when rows are read.
                    for name in json_row::names(text).unwrap_or_default() {
                        if columns.len() < MAX_COLUMNS && !columns.contains(&name) {
                            columns.push(name);
                        }
                    }
                }
                table.columns = columns;
            }
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What stands between fields; `None` for JSON lines.
    pub(super) fn delimiter(&self) -> Option<u8> {
        match self.shape {
            Shape::Delimited(delimiter) => Some(delimiter),
            Shape::JsonLines => None,
        }
    }

    /// The file's own name.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Reads rows from the first one on, all or at most `limit`, and gives `visit` the cells of `wanted` columns.
    pub(super) fn rows(
        &self,
        wanted: &[usize],
        limit: Option<usize>,
        task: &Task,
        mut visit: impl FnMut(Row<'_>) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        if limit.is_none() {
            task.begin("Reading the list", self.size_bytes as usize);
        }
        let mut told = 0;
        let mut tick = |count: usize, bytes: u64| {
            if count.is_multiple_of(1024) {
                if limit.is_none() {
                    task.advance((bytes - told) as usize);
                    told = bytes;
                }
                task.check()?;
            }
            if count > MAX_ROWS {
                return Err(self.invalid(format!("more than {MAX_ROWS} rows: split the list")));
            }
            Ok::<(), SourceError>(())
        };
        let limit = limit.unwrap_or(usize::MAX);
        match self.shape {
            Shape::Delimited(delimiter) => {
                let mut rows = Delimited::new(self.reader()?.0, delimiter);
                rows.next().map_err(|error| self.io(error))?;
                for count in 0..limit {
                    tick(count, rows.bytes)?;
                    let Some(line) = rows.next().map_err(|error| self.io(error))? else { break };
                    let (found, expected) = (rows.ends.len(), self.columns.len());
                    if let Some(trouble) = rows.trouble {
                        visit(Row { line, cells: Err(trouble) })?;
                        continue;
                    }
                    let text = rows.text().ok_or_else(|| self.not_utf8(line))?;
                    if found != expected {
                        let trouble = format!(
                            "left out: the row has {found} fields where {expected} columns are named; quote fields that hold the separator"
                        );
                        visit(Row { line, cells: Err(&trouble) })?;
                        continue;
                    }
                    let mut cells = Vec::with_capacity(wanted.len());
                    for &column in wanted {
                        cells.push(Some(rows.field(text, column).ok_or_else(|| self.not_utf8(line))?));
                    }
                    visit(Row { line, cells: Ok(&cells) })?;
                }
            }
            Shape::JsonLines => {
                let mut rows = Lines::new(self.reader()?.0);
                let names: Vec<&str> = wanted.iter().map(|&at| self.columns[at].as_str()).collect();
                for count in 0..limit {
                    tick(count, rows.bytes)?;
                    let Some(line) = rows.next().map_err(|error| self.io(error))? else { break };
                    if rows.too_long {
                        visit(Row { line, cells: Err(ROW_TOO_LONG) })?;
                        continue;
                    }
                    let text = std::str::from_utf8(&rows.line).map_err(|_| self.not_utf8(line))?;
                    match json_row::cells(text, &names) {
                        Err(error) => {
                            let trouble = format!("left out: no JSON object ({error})");
                            visit(Row { line, cells: Err(&trouble) })?;
                        }
                        Ok(cells) => match plain(&cells, &names) {
                            Ok(cells) => visit(Row { line, cells: Ok(&cells) })?,
                            Err(trouble) => visit(Row { line, cells: Err(&trouble) })?,
                        },
                    }
                }
            }
        }
        Ok(())
    }

    /// Something in the file makes it unusable.
    pub(super) fn invalid(&self, message: impl Into<String>) -> SourceError {
        SourceError::Invalid { message: message.into(), path: self.path.clone() }
    }

    fn not_utf8(&self, line: u64) -> SourceError {
        self.invalid(format!(
            "the list is not UTF-8 (in the row that begins at line {line}); save it again as UTF-8, spreadsheets call it \"CSV UTF-8\""
        ))
    }

    fn io(&self, error: std::io::Error) -> SourceError {
        SourceError::Io { error, path: self.path.clone() }
    }

    /// The file from behind its byte order mark, and its size.
    fn reader(&self) -> Result<(BufReader<File>, u64), SourceError> {
        let (file, size_bytes) = match &self.inside {
            Some(root) => open_inside(root, &self.path).map_err(|error| match error {
                ReadError::Missing => SourceError::NotFound(self.path.clone()),
                other => self.invalid(other.to_string()),
            })?,
            None => open_regular(&self.path).map_err(|error| self.io(error))?,
        };
        let mut reader = BufReader::with_capacity(64 << 10, file);
        if reader.fill_buf().map_err(|error| self.io(error))?.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        Ok((reader, size_bytes))
    }
}

/// Cells as text, or why one of them is none.
fn plain<'a>(cells: &'a [Cell], names: &[&str]) -> Result<Vec<Option<&'a str>>, String> {
    let text = |(cell, name): (&'a Cell, &&str)| match cell {
        Cell::Text(text) if text.len() > MAX_FIELD_BYTES => Err(FIELD_TOO_LONG.to_owned()),
        Cell::Text(text) => Ok(Some(text.as_str())),
        Cell::Nothing => Ok(None),
        Cell::Nested => Err(format!("left out: `{name}` is a list or an object, not a text")),
    };
    cells.iter().zip(names).map(text).collect()
}

/// By the extension where that tells, otherwise by the first line.
fn shape_of(path: &Path, head: &[u8]) -> Shape {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    let starts_object = head.trim_ascii_start().starts_with(b"{");
    match extension.as_str() {
        "jsonl" | "ndjson" => Shape::JsonLines,
        "tsv" | "tab" => Shape::Delimited(b'\t'),
        "csv" => Shape::Delimited(delimiter_of(head)),
        _ if starts_object => Shape::JsonLines,
        _ => Shape::Delimited(delimiter_of(head)),
    }
}

/// The most frequent separator of the first line, outside of quotes: spreadsheets in many countries write `;`.
fn delimiter_of(head: &[u8]) -> u8 {
    const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0_usize; KNOWN.len()];
    let mut quoted = false;
    for &byte in head {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted && (byte == b'\n' || byte == b'\r') {
            break;
        } else if !quoted && let Some(at) = KNOWN.iter().position(|&known| known == byte) {
            counts[at] += 1;
        }
    }
    // Of equals the first.
    let best = (0..KNOWN.len()).rev().max_by_key(|&at| counts[at]).unwrap_or(0);
    KNOWN[best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_guessed_from_the_first_line() {
        for (head, expected) in [
            ("path,label\na;b;c;d", b','),
            ("path;label\n", b';'),
            ("\"a,b,c\";label\n", b';'),
            ("path\tlabel", b'\t'),
            ("path", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter_of(head.as_bytes()), expected, "{head}");
        }
        assert_eq!(shape_of(Path::new("x.txt"), b" {\"a\":1}"), Shape::JsonLines);
        assert_eq!(shape_of(Path::new("x.csv"), b"{\"a\":1}"), Shape::Delimited(b','));
        assert_eq!(shape_of(Path::new("X.TSV"), b"a,b"), Shape::Delimited(b'\t'));
    }
}
