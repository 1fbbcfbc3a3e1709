//! What are the rows of a CSV, TSV or JSONL file? They are streamed: no field of a hostile file takes much memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result as IoResult};
use std::path::{Path, PathBuf};

use csv_core::ReadFieldResult;

use super::files::{open_inside, open_regular};
use super::json_row::{self, Cell};
use super::{ReadError, SourceError};
use crate::task::Task;

const MAX_TABLE_BYTES: u64 = 2 << 30;
const MAX_ROWS: usize = 20_000_000;
const MAX_FIELD_BYTES: usize = 1 << 20;
/// A row of several long fields, or a line of JSON.
const MAX_ROW_BYTES: usize = 4 << 20;
const MAX_COLUMNS: usize = 4096;
/// Rows that are looked at to learn columns.
pub(super) const PREVIEW_ROWS: usize = 1000;
/// For guesses by content.
const HEAD_BYTES: u64 = 64 << 10;

const FIELD_TOO_LONG: &str = "left out: a field is longer than 1 MiB; a closing quote may be missing";
const ROW_TOO_LONG: &str =
    "left out: the row is longer than 4 MiB; a closing quote or a line end may be missing";
const TOO_MANY_FIELDS: &str = "left out: the row has thousands of fields";

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

/// Rows of delimited text. The `csv` crate's own reader would let a record grow to any size.
struct Delimited<R> {
    reader: R,
    core: csv_core::Reader,
    /// The current row's fields, one after another.
    out: Vec<u8>,
    len: usize,
    ends: Vec<usize>,
    /// Why the current row is unusable.
    trouble: Option<&'static str>,
    line: u64,
    bytes: u64,
}

impl<R: BufRead> Delimited<R> {
    fn new(reader: R, delimiter: u8) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, core, out: vec![0; 4096], len: 0, ends: Vec::new(), trouble: None, line: 1, bytes: 0 }
    }

    /// Reads the next row that is not blank, and says at which line it begins.
    fn next(&mut self) -> IoResult<Option<u64>> {
        (self.len, self.trouble) = (0, None);
        self.ends.clear();
        // The parser skips blank lines as well, but would not say where the row begins.
        loop {
            let input = self.reader.fill_buf()?;
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank == 0 {
                break;
            }
            self.line += count_lines(&input[..blank]);
            self.bytes += blank as u64;
            self.reader.consume(blank);
        }
        let begins = self.line;
        loop {
            let input = self.reader.fill_buf()?;
            let (result, read, written) = self.core.read_field(input, &mut self.out[self.len..]);
            self.line += count_lines(&input[..read]);
            self.bytes += read as u64;
            self.reader.consume(read);
            self.len += written;
            let field_start = self.ends.last().copied().unwrap_or(0);
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => {
                    if self.len - field_start > MAX_FIELD_BYTES {
                        self.give_up(FIELD_TOO_LONG);
                    } else if self.len > MAX_ROW_BYTES {
                        self.give_up(ROW_TOO_LONG);
                    } else {
                        self.out.resize(self.out.len() * 2, 0);
                    }
                }
                ReadFieldResult::Field { record_end } => {
                    if self.len - field_start > MAX_FIELD_BYTES {
                        self.give_up(FIELD_TOO_LONG);
                    }
                    if self.ends.len() >= MAX_COLUMNS {
                        self.give_up(TOO_MANY_FIELDS);
                    }
                    if self.trouble.is_some() {
                        self.give_up("");
                    } else {
                        self.ends.push(self.len);
                    }
                    if record_end {
                        return Ok(Some(begins));
                    }
                }
                ReadFieldResult::End => return Ok(None),
            }
        }
    }

    /// Forgets what was read of this row, and the rest of it as it comes; the first reason stays.
    fn give_up(&mut self, reason: &'static str) {
        self.trouble.get_or_insert(reason);
        self.len = 0;
        self.ends.clear();
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.out[..self.len]).ok()
    }

    /// A field of `text`; `None` when its bounds split a character, which only broken UTF-8 does.
    fn field<'a>(&self, text: &'a str, at: usize) -> Option<&'a str> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        text.get(start..self.ends[at])
    }
}

#[expect(clippy::naive_bytecount, reason = "a list is read once; a crate for this would cost more")]
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Lines of text that are not blank.
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    too_long: bool,
    number: u64,
    bytes: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), too_long: false, number: 0, bytes: 0 }
    }

    /// Reads the next line that is not blank, and says its number.
    fn next(&mut self) -> IoResult<Option<u64>> {
        loop {
            self.line.clear();
            let limit = MAX_ROW_BYTES as u64 + 1;
            let mut read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += read as u64;
            self.too_long = self.line.len() > MAX_ROW_BYTES;
            while self.too_long && read > 0 && self.line.last() != Some(&b'\n') {
                self.line.clear();
                read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
                self.bytes += read as u64;
            }
            if self.too_long {
                self.line.clear();
                return Ok(Some(self.number));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(self.number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        // A tiny buffer makes every field cross its border.
        let mut rows = Delimited::new(BufReader::with_capacity(3, text), b',');
        let mut found = Vec::new();
        while let Some(line) = rows.next().unwrap() {
            let fields = || {
                let text = rows.text().unwrap();
                (0..rows.ends.len()).map(|at| rows.field(text, at).unwrap().to_owned()).collect()
            };
            found.push((line, rows.trouble.map_or_else(|| Ok(fields()), Err)));
        }
        found
    }

    #[test]
    fn rows_know_where_they_begin() {
        let found = rows(b"a,b\r\n\r\n\"1\n2\",\"q\"\"q\"\r\n\n\nx,\n\"\"");
        let expected: Vec<(u64, Result<Vec<String>, &str>)> = vec![
            (1, Ok(vec!["a".into(), "b".into()])),
            (3, Ok(vec!["1\n2".into(), "q\"q".into()])),
            (7, Ok(vec!["x".into(), String::new()])),
            (8, Ok(vec![String::new()])),
        ];
        assert_eq!(found, expected);
        assert_eq!(rows(b""), []);
        assert_eq!(rows(b"\n\r\n"), []);
    }

    #[test]
    fn a_giant_field_costs_only_its_row() {
        let mut text = b"a,b\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10 << 20));
        text.extend(b",1\n2,3\n");
        let mut table = Delimited::new(text.as_slice(), b',');
        let mut found = Vec::new();
        while let Some(line) = table.next().unwrap() {
            found.push((line, table.trouble.is_some(), table.ends.len()));
        }
        assert_eq!(found, [(1, false, 2), (2, true, 0), (3, false, 2)]);
        assert!(table.out.len() <= 4 * MAX_FIELD_BYTES, "{} bytes are kept", table.out.len());
    }

    #[test]
    fn a_row_of_thousands_of_fields_costs_only_itself() {
        let mut text = vec![b','; 1 << 20];
        text.extend(b"\na,b\n");
        let found = rows(&text);
        assert_eq!(found[0], (1, Err(TOO_MANY_FIELDS)));
        assert_eq!(found[1], (2, Ok(vec!["a".into(), "b".into()])));
    }

    #[test]
    fn a_giant_line_costs_only_itself() {
        let mut text = b"{}\n\n".to_vec();
        text.extend(std::iter::repeat_n(b' ', 10 << 20));
        text.extend(b"\n{}");
        let mut lines = Lines::new(text.as_slice());
        let mut found = Vec::new();
        while let Some(number) = lines.next().unwrap() {
            found.push((number, lines.too_long));
        }
        assert_eq!(found, [(1, false), (3, true), (4, false)]);
        assert!(lines.line.capacity() <= 4 * MAX_ROW_BYTES);
    }

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
