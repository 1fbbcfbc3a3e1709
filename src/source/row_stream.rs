//! How does a text become rows without growing beyond a bound? Delimited fields and lines, one row in memory.

use std::io::{BufRead, Read, Result as IoResult};

use csv_core::ReadFieldResult;

pub(super) const MAX_FIELD_BYTES: usize = 1 << 20;
/// A row of several long fields, or a line of JSON.
pub(super) const MAX_ROW_BYTES: usize = 4 << 20;
pub(super) const MAX_COLUMNS: usize = 4096;

pub(super) const FIELD_TOO_LONG: &str =
    "left out: a field is longer than 1 MiB; a closing quote may be missing";
pub(super) const ROW_TOO_LONG: &str =
    "left out: the row is longer than 4 MiB; a closing quote or a line end may be missing";
const TOO_MANY_FIELDS: &str = "left out: the row has thousands of fields";

/// Rows of delimited text. The `csv` crate's own reader would let a record grow to any size.
pub(super) struct Delimited<R> {
    reader: R,
    core: csv_core::Reader,
    /// The current row's fields, one after another.
    out: Vec<u8>,
    len: usize,
    pub(super) ends: Vec<usize>,
    /// Why the current row is unusable.
    pub(super) trouble: Option<&'static str>,
    line: u64,
    pub(super) bytes: u64,
}

impl<R: BufRead> Delimited<R> {
    /// From the beginning of the text.
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, core, out: vec![0; 4096], len: 0, ends: Vec::new(), trouble: None, line: 1, bytes: 0 }
    }

    /// Reads the next row that is not blank, and says at which line it begins.
    pub(super) fn next(&mut self) -> IoResult<Option<u64>> {
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

    /// The current row's fields, one after another; `None` when they are not UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.out[..self.len]).ok()
    }

    /// A field of `text`; `None` when its bounds split a character, which only broken UTF-8 does.
    pub(super) fn field<'a>(&self, text: &'a str, at: usize) -> Option<&'a str> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        text.get(start..self.ends[at])
    }
}

#[expect(clippy::naive_bytecount, reason = "a list is read once; a crate for this would cost more")]
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Lines of text that are not blank.
pub(super) struct Lines<R> {
    reader: R,
    pub(super) line: Vec<u8>,
    pub(super) too_long: bool,
    number: u64,
    pub(super) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    /// From the beginning of the text.
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), too_long: false, number: 0, bytes: 0 }
    }

    /// Reads the next line that is not blank, and says its number.
    pub(super) fn next(&mut self) -> IoResult<Option<u64>> {
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
    use std::io::BufReader;

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
}
