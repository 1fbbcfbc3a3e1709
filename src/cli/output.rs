//! How do results and messages leave? Results whole to stdout or a file, messages to stderr, names made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::export::write_atomically;
use crate::model::{Version, Warning};
use crate::source::{Dataset, Place};

/// The longest text from a dataset that is shown whole; a class name of a megabyte is not.
const MAX_SHOWN: usize = 240;
/// The same for a sentence.
const MAX_SENTENCE: usize = 2000;
/// Rows of a table for people, unless `--top` says otherwise.
pub(super) const ROWS: usize = 20;

/// Text from a dataset made fit for a terminal and a single line: control characters, escape sequences, line breaks
/// and characters that turn or hide text are written as `\u{…}`, and very long text is shortened.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    escape(text, MAX_SHOWN)
}

/// The same for sentences that hold such text: longer ones pass.
pub(super) fn sentence(text: &str) -> String {
    escape(text, MAX_SENTENCE).into_owned()
}

fn escape(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest && !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len().min(longest) + 16);
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            let _ = write!(safe, "… ({} bytes)", text.len());
            break;
        }
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_harmful(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE0000..=0xE0FFF)
}

/// A message to stderr, on one line. Nobody is left to tell when stderr is closed.
pub(super) fn say(kind: &str, message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "sparrowhawk: {kind}: {}", sentence(message));
}

/// Where results go.
#[derive(Debug)]
pub(super) struct Target {
    file: Option<PathBuf>,
}

impl Target {
    /// Stdout for `None` and `-`, otherwise this file: refused at once when it would lie inside a dataset
    /// that is read, or in a folder that is not there.
    pub fn new(out: Option<&Path>, sources: &[Place]) -> Result<Self> {
        let Some(out) = out.filter(|out| *out != Path::new("-")) else { return Ok(Self { file: None }) };
        let folder = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let Ok(folder) = folder.canonicalize() else {
            bail!("the folder to write into is not there, make it first: {}", folder.display());
        };
        if out.is_dir() {
            bail!("a file is to be written here, but this is a folder; give a file name: {}", out.display());
        }
        let file = out.canonicalize().unwrap_or_else(|_| folder.join(out.file_name().unwrap_or_default()));
        for place in sources {
            let Ok(source) = place.path.canonicalize() else { continue };
            if (source.is_dir() && folder.starts_with(&source)) || source == file {
                bail!(
                    "this lies inside a dataset, and Sparrowhawk never writes there; choose another place: {}",
                    out.display()
                );
            }
        }
        Ok(Self { file: Some(out.to_owned()) })
    }

    /// Refuses a target that is one of this dataset's own pictures.
    pub fn spare(&self, dataset: &Dataset) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let Ok(real) = file.canonicalize() else { return Ok(()) };
        let name = real.file_name();
        for row in 0..dataset.version.len() {
            let Some(path) = dataset.pictures.path(row).filter(|path| path.file_name() == name) else {
                continue;
            };
            if path.canonicalize().is_ok_and(|path| path == real) {
                bail!(
                    "this is a picture of the dataset, and Sparrowhawk never writes there: {}",
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// Whether results go to a file.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Writes the whole result. A reader that has gone away (`| head`) is no error.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        if let Some(file) = &self.file {
            write_atomically(file, bytes)?;
            if std::io::stderr().is_terminal() {
                say("note", &format!("written: {}", file.display()));
            }
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.context("the result cannot be written to stdout"),
        }
    }
}

/// A result for machines: one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string(value).context("the result cannot be written as JSON")?;
    text.push('\n');
    Ok(text)
}

/// Reads a small text file that the user named; `what` is its name in messages.
pub(super) fn read_text(path: &Path, what: &str, max_bytes: u64) -> Result<String> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no such {what}; check the path: {}", path.display())
        }
        Err(error) => bail!("the {what} cannot be read ({error}): {}", path.display()),
        Ok(file) => file,
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(max_bytes + 1).read_to_end(&mut bytes) {
        bail!("the {what} cannot be read ({error}): {}", path.display());
    }
    if bytes.len() as u64 > max_bytes {
        bail!(
            "the {what} is larger than {} bytes, so it is not what it should be: {}",
            max_bytes,
            path.display()
        );
    }
    String::from_utf8(bytes)
        .ok()
        .with_context(|| format!("the {what} is not UTF-8 text, save it as UTF-8: {}", path.display()))
}

/// `12,345`.
pub(super) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 sample`, `12,345 samples`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A p-value as people read it.
pub(super) fn p_value(p: f64) -> String {
    if p.is_nan() {
        "–".to_owned()
    } else if p < 0.001 {
        "<0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A byte count as people read it.
pub(super) fn bytes(number: u64) -> String {
    let (mut value, mut unit) = (number as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{number} B") } else { format!("{value:.1} {unit}") }
}

/// All that is wrong with single samples: once each, by key.
pub(super) fn warnings(version: &Version, more: &[&[Warning]]) -> Vec<Warning> {
    let mut all: Vec<Warning> =
        version.warnings().iter().chain(more.iter().copied().flatten()).cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// The warnings for people: how many of each kind, and the first of them.
pub(super) fn warnings_text(warnings: &[Warning], rows: usize) -> String {
    let mut text = String::new();
    if warnings.is_empty() {
        return text;
    }
    let mut kinds: Vec<_> = warnings.iter().map(|w| w.kind).collect();
    kinds.sort_unstable();
    let summary: Vec<String> = kinds
        .chunk_by(|a, b| a == b)
        .map(|same| format!("{} {}", count(same.len()), same[0].as_str()))
        .collect();
    let _ = writeln!(text, "\n{}: {}", counted(warnings.len(), "warning", "warnings"), summary.join(", "));
    for warning in warnings.iter().take(rows) {
        let _ = writeln!(text, "  {}: {}", printable(&warning.key), printable(&warning.message));
    }
    text.push_str(&more(warnings.len(), rows, "warning", "warnings"));
    text
}

/// `  … and 12 more changes`, when not all are shown.
pub(super) fn more(all: usize, shown: usize, one: &str, many: &str) -> String {
    let rest = all.saturating_sub(shown);
    if rest == 0 {
        String::new()
    } else {
        format!("  … and {}\n", counted(rest, &format!("more {one}"), &format!("more {many}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_command_the_terminal() {
        for (name, shown) in [
            ("cat/1.png", "cat/1.png"),
            ("猫/é.png", "猫/é.png"),
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\nerror: b\r\t", "a\\nerror: b\\r\\t"),
            ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ] {
            assert_eq!(printable(name), shown);
        }
    }

    #[test]
    fn a_name_of_a_megabyte_is_shortened() {
        let shown = printable(&"x".repeat(1 << 20)).into_owned();
        assert!(shown.len() < 300 && shown.ends_with("(1048576 bytes)"), "{shown}");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!([0_u64, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1023, 1536, 5 << 30].map(bytes), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
        assert_eq!([0.0, 0.0004, 0.0494, f64::NAN].map(p_value), ["<0.001", "<0.001", "0.049", "–"]);
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(more(21, 20, "row", "rows"), "  … and 1 more row\n");
    }

    #[test]
    fn nothing_is_written_into_a_dataset() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("cat")).expect("a dataset");
        let place = [Place { path: data.clone(), ..Place::default() }];
        for inside in ["out.json", "cat/out.json", "../data/cat/x"] {
            assert!(Target::new(Some(&data.join(inside)), &place).is_err(), "{inside}");
        }
        assert!(Target::new(Some(&folder.path().join("out.json")), &place).is_ok());
        assert!(Target::new(Some(&folder.path().join("none/out.json")), &place).is_err());
        assert!(Target::new(Some(folder.path()), &[]).is_err());
        assert!(Target::new(Some(Path::new("-")), &place).is_ok_and(|target| target.file().is_none()));
    }
}
