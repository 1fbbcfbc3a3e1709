//! How is a row of a CSV, TSV or JSONL file changed without touching any other byte?

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;

use crate::export::ExportError;
use crate::source::{ListShape, Place, SourceError, list_shape};
use crate::task::Task;

/// A table, and where the rows are that name samples of interest.
pub(super) struct Sheet {
    pub(super) place: Place,
    pub(super) shape: ListShape,
    /// The line where each row begins, from 1; ascending.
    begins: Vec<u64>,
    /// Positions in `begins` of the rows that name a sample.
    rows: HashMap<String, Vec<usize>>,
    /// The first row that can be used, to see how cells are written.
    first_usable: Option<usize>,
}

/// What becomes of all rows that name one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    Drop,
    /// The columns that change; the outer `None` leaves a cell as it is.
    Set(NewCells),
}

/// New texts of cells; `None` inside is an empty cell or `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NewCells {
    pub(super) key: Option<String>,
    pub(super) label: Cell,
    pub(super) split: Cell,
}

/// A cell after the edit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Cell {
    #[default]
    AsItWas,
    Is(Option<String>),
}

impl Sheet {
    /// Reads a table and notes the rows that name one of `keys`.
    pub(super) fn look(place: Place, keys: &HashSet<&str>, task: &Task) -> Result<Self, SourceError> {
        let mut begins = Vec::new();
        let mut rows: HashMap<String, Vec<usize>> = HashMap::new();
        let mut first_usable = None;
        let shape = list_shape(&place, task, |line, key| {
            if let Some(key) = key {
                first_usable.get_or_insert(begins.len());
                if keys.contains(key) {
                    rows.entry(key.to_owned()).or_default().push(begins.len());
                }
            }
            begins.push(line);
        })?;
        if begins.windows(2).any(|pair| pair[0] >= pair[1]) {
            let message = "its lines end in a carriage return alone, so it cannot be corrected; save it with usual line ends";
            return Err(SourceError::Invalid { message: message.to_owned(), path: place.path });
        }
        Ok(Self { place, shape, begins, rows, first_usable })
    }

    /// Whether some row names this sample.
    pub(super) fn names(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// Writes the table anew: rows of the samples in `edits` changed, `added` at the end, all else byte for byte.
    pub(super) fn rewrite(
        &self,
        edits: &HashMap<String, Edit>,
        added: &[NewCells],
        out: &mut impl Write,
        task: &Task,
    ) -> Result<(), ExportError> {
        let path = &self.place.path;
        let io = |error| ExportError::Io { error, path: path.clone() };
        let mut edit_of_row: HashMap<usize, &Edit> = HashMap::new();
        edit_of_row.extend(self.rows.iter().flat_map(|(key, rows)| {
            let edit = edits.get(key);
            rows.iter().filter_map(move |&row| Some((row, edit?)))
        }));
        let mut input = Input { reader: BufReader::new(File::open(path).map_err(io)?), line: 1 };
        let out = &mut Output { inner: out, last: [0; 2] };
        let mut text = Vec::new();
        // The line that names columns, and what is blank before the first row.
        input.copy_until(self.begins.first().copied().unwrap_or(u64::MAX), out).map_err(io)?;
        let mut windows_ends = out.last == *b"\r\n";
        let mut numbers = false;
        for row in 0..self.begins.len() {
            if row % 4096 == 0 {
                task.check()?;
            }
            let end = self.begins.get(row + 1).copied().unwrap_or(u64::MAX);
            let edit = edit_of_row.get(&row);
            if edit.is_none() && self.first_usable != Some(row) {
                input.copy_until(end, out).map_err(io)?;
                continue;
            }
            text.clear();
            input.copy_until(end, &mut text).map_err(io)?;
            if self.first_usable == Some(row) && self.shape.delimiter.is_none() {
                numbers = self.label_is_number(&text);
                windows_ends = text.ends_with(b"\r\n");
            }
            match edit {
                None => out.write_all(&text).map_err(io)?,
                Some(Edit::Drop) => {}
                Some(Edit::Set(cells)) => {
                    let ends = text.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                    let (record, tail) = text.split_at(text.len() - ends);
                    let changed = match self.shape.delimiter {
                        Some(delimiter) => self.set_fields(record, delimiter, cells),
                        None => self.set_members(record, cells, numbers),
                    };
                    let changed = changed.ok_or_else(|| {
                        let line = self.begins[row];
                        ExportError::Render(format!("line {line} of {} cannot be changed", path.display()))
                    })?;
                    out.write_all(&changed).map_err(io)?;
                    out.write_all(tail).map_err(io)?;
                }
            }
        }
        let line_end: &[u8] = if windows_ends { b"\r\n" } else { b"\n" };
        for cells in added {
            // The last line of many files does not end.
            if !matches!(out.last[1], 0 | b'\n') {
                out.write_all(line_end).map_err(io)?;
            }
            out.write_all(&self.new_row(cells, numbers)).map_err(io)?;
            out.write_all(line_end).map_err(io)?;
        }
        Ok(())
    }

    /// The columns that change, with their new text.
    fn changes<'a>(&self, cells: &'a NewCells) -> Vec<(usize, Option<&'a str>)> {
        let NewCells { key, label, split } = cells;
        let mut changes = Vec::new();
        changes.extend(key.as_ref().map(|key| (self.shape.path, Some(key.as_str()))));
        if let Cell::Is(label) = label {
            changes.push((self.shape.label, label.as_deref()));
        }
        if let (Cell::Is(split), Some(column)) = (split, self.shape.split) {
            changes.push((column, split.as_deref()));
        }
        changes
    }

    fn as_written(&self, column: usize, text: &str) -> String {
        if column == self.shape.path && self.shape.backslashes {
            text.replace('/', "\\")
        } else {
            text.to_owned()
        }
    }

    fn set_fields(&self, record: &[u8], delimiter: u8, cells: &NewCells) -> Option<Vec<u8>> {
        let mut fields = fields(record, delimiter);
        // The mark at the beginning of a file is no part of the first field, but that line is never changed.
        let mut changed: Vec<Vec<u8>> = fields.drain(..).map(|range| record[range].to_vec()).collect();
        for (column, text) in self.changes(cells) {
            let field = changed.get_mut(column)?;
            let quoted = field.first() == Some(&b'"');
            let text = self.as_written(column, text.unwrap_or_default());
            *field = field_text(&text, delimiter, quoted || self.shape.names.len() == 1);
        }
        Some(changed.join(&delimiter))
    }

    fn set_members(&self, record: &[u8], cells: &NewCells, numbers: bool) -> Option<Vec<u8>> {
        let mut record = std::str::from_utf8(record).ok()?.to_owned();
        for (column, text) in self.changes(cells) {
            let name = self.shape.names.get(column)?;
            let value = self.value_text(column, text, numbers);
            let members = members(&record)?;
            // Of two members with one name the last counts.
            if let Some((_, range)) = members.iter().rev().find(|(found, _)| found == name) {
                record.replace_range(range.clone(), &value);
            } else {
                let comma = if members.is_empty() { "" } else { "," };
                record.insert_str(record.rfind('}')?, &format!("{comma}{}:{value}", json(name)));
            }
        }
        Some(record.into_bytes())
    }

    fn value_text(&self, column: usize, text: Option<&str>, numbers: bool) -> String {
        let Some(text) = text else { return "null".to_owned() };
        let text = self.as_written(column, text);
        let number = serde_json::from_str::<serde_json::Number>(&text);
        if column == self.shape.label && numbers && number.is_ok_and(|number| number.to_string() == text) {
            return text;
        }
        json(&text)
    }

    /// Whether labels are written as numbers here.
    fn label_is_number(&self, row: &[u8]) -> bool {
        let value = || {
            let text = std::str::from_utf8(row).ok()?;
            let name = self.shape.names.get(self.shape.label)?;
            let (_, range) = members(text)?.into_iter().rev().find(|(found, _)| found == name)?;
            text[range].bytes().next()
        };
        value().is_some_and(|first| first == b'-' || first.is_ascii_digit())
    }

    fn new_row(&self, cells: &NewCells, numbers: bool) -> Vec<u8> {
        let changes = self.changes(cells);
        let Some(delimiter) = self.shape.delimiter else {
            let member = |(column, text): (usize, Option<&str>)| {
                format!("{}: {}", json(&self.shape.names[column]), self.value_text(column, text, numbers))
            };
            return format!("{{{}}}", changes.into_iter().map(member).collect::<Vec<_>>().join(", "))
                .into_bytes();
        };
        let columns = self.shape.names.len();
        let mut fields = vec![field_text("", delimiter, columns == 1); columns];
        for (column, text) in changes {
            let text = self.as_written(column, text.unwrap_or_default());
            fields[column] = field_text(&text, delimiter, columns == 1);
        }
        fields.join(&delimiter)
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A file that is read line by line, whatever the length of a line.
struct Input {
    reader: BufReader<File>,
    /// The line that comes next, from 1.
    line: u64,
}

/// What is written, with its last two bytes.
struct Output<'a, W> {
    inner: &'a mut W,
    last: [u8; 2],
}

impl<W: Write> Write for Output<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        match bytes[..written] {
            [] => {}
            [only] => self.last = [self.last[1], only],
            [.., before, last] => self.last = [before, last],
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl Input {
    /// Copies up to the beginning of this line, or the end of the file.
    fn copy_until(&mut self, line: u64, out: &mut impl Write) -> std::io::Result<()> {
        while self.line < line {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|&byte| byte == b'\n').map_or(buffer.len(), |at| at + 1);
            out.write_all(&buffer[..end])?;
            self.line += u64::from(buffer[end - 1] == b'\n');
            self.reader.consume(end);
        }
        Ok(())
    }
}

/// Where the fields of a record are, quotes included; as the reader of lists takes them.
fn fields(record: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    loop {
        if record.get(at) == Some(&b'"') && at == start {
            at += 1;
            // To the quote that is not followed by another one.
            while let Some(&byte) = record.get(at) {
                at += 1;
                if byte == b'"' {
                    if record.get(at) != Some(&b'"') {
                        break;
                    }
                    at += 1;
                }
            }
        }
        while record.get(at).is_some_and(|&byte| byte != delimiter) {
            at += 1;
        }
        found.push(start..at);
        if at >= record.len() {
            return found;
        }
        at += 1;
        start = at;
    }
}

fn field_text(text: &str, delimiter: u8, quoted: bool) -> Vec<u8> {
    let needs = text.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n'));
    if quoted || needs { format!("\"{}\"", text.replace('"', "\"\"")).into_bytes() } else { text.into() }
}

/// The members of a JSON object that was read before: name, and where the value is.
fn members(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let bytes = text.as_bytes();
    let skip = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    // From a quote to behind its partner.
    let string = |mut at: usize| {
        at += 1;
        loop {
            match bytes.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    };
    let mut found = Vec::new();
    // A mark at the beginning of the file is no white space to JSON.
    let mut at = skip(text.len() - text.trim_start_matches('\u{feff}').len());
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip(at + 1);
    while bytes.get(at) == Some(&b'"') {
        let end = string(at)?;
        let name: String = serde_json::from_str(text.get(at..end)?).ok()?;
        at = skip(end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        let start = skip(at + 1);
        at = start;
        let mut depth = 0_usize;
        loop {
            match bytes.get(at)? {
                b'"' => at = string(at)?,
                b'{' | b'[' => (depth, at) = (depth + 1, at + 1),
                b'}' | b']' if depth > 0 => (depth, at) = (depth - 1, at + 1),
                b'}' | b',' if depth == 0 => break,
                _ => at += 1,
            }
        }
        found.push((name, start..start + text.get(start..at)?.trim_ascii_end().len()));
        if bytes[at] == b',' {
            at = skip(at + 1);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::ListOptions;

    /// Rows of `a` are dropped, `b` becomes `B/é,1` with label `x"y`, and `new` is added with label 7.
    #[track_caller]
    fn check(extension: &str, before: &str, after: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("list.{extension}"));
        std::io::Write::write_all(&mut File::create(&path).unwrap(), before.as_bytes()).unwrap();
        let place = Place { path, kind: None, list: ListOptions::default() };
        let task = Task::new();
        let sheet = Sheet::look(place, &HashSet::from(["a", "b"]), &task).unwrap();
        let set = NewCells {
            key: Some("B/é,1".into()),
            label: Cell::Is(Some("x\"y".into())),
            split: Cell::Is(Some("test".into())),
        };
        let edits = HashMap::from([("a".to_owned(), Edit::Drop), ("b".to_owned(), Edit::Set(set))]);
        let added =
            [NewCells { key: Some("new".into()), label: Cell::Is(Some("7".into())), split: Cell::Is(None) }];
        let mut out = Vec::new();
        sheet.rewrite(&edits, &added, &mut out, &task).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), after);
        // Without edits: the same bytes.
        let mut out = Vec::new();
        sheet.rewrite(&HashMap::new(), &[], &mut out, &task).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), before);
    }

    #[test]
    fn only_what_is_corrected_changes() {
        check("csv", "path,label\na,1\nb,2\nc,3\n", "path,label\n\"B/é,1\",\"x\"\"y\"\nc,3\nnew,7\n");
        check(
            "csv",
            "\u{feff}id;path;label;split;more\r\n1;\"a\";x;;\"\r\n\"\r\n\r\n2;\"b\";y;train;\"q;\"\"\"z\r\nbad row\r\n3;c;z;;",
            "\u{feff}id;path;label;split;more\r\n2;\"B/é,1\";\"x\"\"y\";test;\"q;\"\"\"z\r\nbad row\r\n3;c;z;;\r\n;new;7;;\r\n",
        );
        check("tsv", "label\tpath\n\tb\n1\ta", "label\tpath\n\"x\"\"y\"\tB/é,1\n7\tnew\n");
        check(
            "csv",
            "path,label\nb,2\na,1\na,2\nb,3\n",
            "path,label\n\"B/é,1\",\"x\"\"y\"\n\"B/é,1\",\"x\"\"y\"\nnew,7\n",
        );
        check("csv", "path,label\n\n\nc,2\n\n", "path,label\n\n\nc,2\n\nnew,7\n");
        check(
            "jsonl",
            "{\"path\":\"a\",\"label\":1}\n\n{ \"label\" : 2 , \"x\":{\"path\":[\"}\\\"\"]}, \"p\\u0061th\":\"b\"}\nno\n",
            "{ \"label\" : \"x\\\"y\" , \"x\":{\"path\":[\"}\\\"\"]}, \"p\\u0061th\":\"B/é,1\"}\nno\n{\"path\": \"new\", \"label\": 7}\n",
        );
        check(
            "jsonl",
            "\u{feff}{\"path\":\"b\"}\r\n{\"path\":\"c\",\"label\":\"2\",\"split\":\"s\"}",
            "\u{feff}{\"path\":\"B/é,1\",\"label\":\"x\\\"y\",\"split\":\"test\"}\r\n{\"path\":\"c\",\"label\":\"2\",\"split\":\"s\"}\r\n{\"path\": \"new\", \"label\": \"7\", \"split\": null}\r\n",
        );
    }

    #[test]
    fn files_without_line_feeds_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::io::Write::write_all(&mut File::create(&path).unwrap(), b"path,label\ra,1\rb,2\r").unwrap();
        let place = Place { path, kind: None, list: ListOptions::default() };
        let error = Sheet::look(place, &HashSet::new(), &Task::new()).err().unwrap().to_string();
        assert!(error.contains("carriage return"), "{error}");
    }

    proptest! {
        /// Fields are found where the reader of lists finds them.
        #[test]
        fn fields_are_where_the_reader_finds_them(record in "[a\",;\n ]{1,12}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
            let rows: Vec<csv::ByteRecord> = reader.byte_records().map(Result::unwrap).collect();
            // Only records that are one row and whose quotes close are ever cut up.
            if let [row] = rows.as_slice() && !record.starts_with('\n') && !record.ends_with('\n') {
                let cut = fields(record.as_bytes(), b',');
                prop_assert_eq!(cut.len(), row.len());
                for (range, field) in cut.into_iter().zip(row) {
                    let mut one = csv::ReaderBuilder::new().has_headers(false).from_reader(&record.as_bytes()[range]);
                    let again = one.byte_records().next().map(|r| r.unwrap()[0].to_vec()).unwrap_or_default();
                    prop_assert_eq!(again, field);
                }
            }
        }

        #[test]
        fn no_text_makes_the_search_for_members_panic(text in "[{}\\[\\]\":,\\\\a1 é]{0,20}") {
            if let Some(found) = members(&text) {
                for (_, range) in found {
                    prop_assert!(text.get(range).is_some());
                }
            }
        }

        #[test]
        fn members_are_where_serde_finds_them(names in prop::collection::vec("\\PC{0,5}", 0..4), values in prop::collection::vec("\\PC{0,5}", 4)) {
            let object: serde_json::Map<String, serde_json::Value> = names
                .into_iter()
                .zip(values)
                .map(|(name, value)| (name, serde_json::json!({"a": [value, 1, null], "b": value})))
                .collect();
            let text = serde_json::to_string_pretty(&object).unwrap();
            let found = members(&text).unwrap();
            prop_assert_eq!(found.len(), object.len());
            for (name, range) in found {
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&text[range]).unwrap(), &object[&name]);
            }
        }
    }
}
