//! Which column is which? Recognised by the names that people give them, and which key a path in a cell means.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use super::SourceError;
use super::table::{PREVIEW_ROWS, Table};
use crate::task::Task;

/// Names of columns with a picture's path, in lower case, the most telling first.
pub(super) const PATH_NAMES: &[&str] = &[
    "path",
    "file_name",
    "filename",
    "file_path",
    "filepath",
    "image_path",
    "img_path",
    "image_file",
    "image_filename",
    "image_name",
    "relative_path",
    "rel_path",
    "relpath",
    "file_path_abs",
    "file",
    "image",
    "img",
];

/// Names of columns with a label.
pub(super) const LABEL_NAMES: &[&str] = &[
    "label",
    "labels",
    "class",
    "class_name",
    "classname",
    "class_label",
    "label_name",
    "category",
    "category_name",
    "target",
    "given_label",
    "classes",
    "tag",
];

/// Names of columns with a split.
pub(super) const SPLIT_NAMES: &[&str] = &["split", "subset", "set", "partition", "fold"];

/// What systems allow for a path.
const MAX_PATH_BYTES: usize = 4096;

/// Columns called as one of `names`, in the order of `names`, whatever their case.
pub(super) fn known(columns: &[String], names: &[&str]) -> Vec<usize> {
    let place = |name: &&str| columns.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
    names.iter().filter_map(place).collect()
}

/// The column that a user named.
pub(super) fn named(table: &Table, name: &str, option: &str) -> Result<usize, SourceError> {
    let columns = table.columns();
    let exact = columns.iter().position(|column| column == name);
    let alike = || columns.iter().position(|column| column.trim().eq_ignore_ascii_case(name.trim()));
    exact.or_else(alike).ok_or_else(|| {
        table.invalid(format!("no column `{name}` ({option}); the columns are {}", spelt(columns)))
    })
}

/// Columns as a message names them.
pub(super) fn spelt(columns: &[String]) -> String {
    const SHOWN: usize = 24;
    let name = |column: &String| {
        let short: String = column.chars().take(40).collect();
        format!("`{}{}`", short.escape_debug(), if short.len() < column.len() { "…" } else { "" })
    };
    let mut text = columns.iter().take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    if columns.len() > SHOWN {
        let _ = write!(text, " and {} more", columns.len() - SHOWN);
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// How paths in a column are written.
pub(super) struct PathRules {
    /// Texts of the root, with `/` and without one at the end: the start of absolute paths that lie inside.
    roots: Vec<String>,
    /// Whether `\` separates folders, as Windows writes it.
    backslashes: bool,
}

/// The sample that a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// Relative to the root, with `/`, without `.` and `..`.
    Inside(Cow<'a, str>),
    /// Leads out of the root. As written, but tidy: begins with `../`, `/` or a drive.
    Outside(Cow<'a, str>),
}

impl PathRules {
    /// Rules for paths relative to one of `roots`: spellings of one folder.
    pub(super) fn new(roots: &[&Path], backslashes: bool) -> Self {
        let text = |root: &&Path| {
            let text = root.to_str()?.replace('\\', if cfg!(windows) { "/" } else { "\\" });
            let text = text.strip_prefix("//?/").unwrap_or(&text);
            Some(text.trim_end_matches('/').to_owned())
        };
        Self { roots: roots.iter().filter_map(text).collect(), backslashes }
    }

    /// The key of the sample at this path, or what is wrong with the path.
    pub(super) fn key<'a>(&self, path: &'a str) -> Result<Key<'a>, &'static str> {
        if path.is_empty() {
            return Err("left out: the path is empty");
        }
        if path.len() > MAX_PATH_BYTES {
            return Err("left out: the path is longer than 4096 bytes");
        }
        if path.contains('\0') {
            return Err("left out: the path holds a zero byte");
        }
        if path.contains("://") {
            return Err("left out: an address; nothing is downloaded, so save the pictures beside the list");
        }
        let path: Cow<'a, str> = if self.backslashes && path.contains('\\') {
            path.replace('\\', "/").into()
        } else {
            path.into()
        };
        let absolute = path.starts_with('/') || has_drive(&path);
        let tidy = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if tidy && !absolute {
            return Ok(Key::Inside(path));
        }
        let mut parts: Vec<&str> = Vec::new();
        let mut above = 0;
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => above += usize::from(parts.pop().is_none()),
                _ => parts.push(part),
            }
        }
        let joined = parts.join("/");
        if absolute {
            let whole = if path.starts_with('/') { format!("/{joined}") } else { joined };
            for root in &self.roots {
                match whole.strip_prefix(root.as_str()) {
                    Some("") => return inside(String::new()),
                    Some(rest) if rest.starts_with('/') => return inside(rest[1..].to_owned()),
                    _ => {}
                }
            }
            return Ok(Key::Outside(whole.into()));
        }
        if above > 0 {
            return Ok(Key::Outside(("../".repeat(above) + &joined).into()));
        }
        inside(joined)
    }
}

fn inside(key: String) -> Result<Key<'static>, &'static str> {
    if key.is_empty() {
        Err("left out: the path names the folder itself")
    } else {
        Ok(Key::Inside(key.into()))
    }
}

/// `C:/…`, which no relative path of a dataset begins with.
fn has_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() >= 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'/' | b'\\')
}

/// The first values of columns, to judge them by: for each column its texts.
pub(super) fn preview(
    table: &Table,
    columns: &[usize],
    task: &Task,
) -> Result<Vec<Vec<String>>, SourceError> {
    let mut values = vec![Vec::new(); columns.len()];
    table.rows(columns, Some(PREVIEW_ROWS), task, |row| {
        for (values, cell) in values.iter_mut().zip(row.cells.unwrap_or_default()) {
            values.extend(cell.filter(|text| text.len() <= MAX_PATH_BYTES).map(str::to_owned));
        }
        Ok(())
    })?;
    Ok(values)
}

/// Whether these paths were written on Windows: some have `\`, and none has `/`.
pub(super) fn use_backslashes(paths: &[String]) -> bool {
    paths.iter().any(|path| path.contains('\\')) && !paths.iter().any(|path| path.contains('/'))
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "the cases read as results")]
mod tests {
    use super::*;

    fn check(path: &str, expected: Result<Key<'_>, ()>) {
        let rules = PathRules::new(&[Path::new("/data/pets"), Path::new("/mnt/pets/")], false);
        assert_eq!(rules.key(path).map_err(|_| ()), expected, "{path}");
    }

    fn within(key: &str) -> Result<Key<'_>, ()> {
        Ok(Key::Inside(key.into()))
    }

    fn beyond(key: &str) -> Result<Key<'_>, ()> {
        Ok(Key::Outside(key.into()))
    }

    #[test]
    fn paths_become_keys() {
        check("a/1.png", within("a/1.png"));
        check("./a//./1.png", within("a/1.png"));
        check("a/b/../1.png", within("a/1.png"));
        check("a\\1.png", within("a\\1.png"));
        check("a\nb/\"1\".png", within("a\nb/\"1\".png"));
        check("../pets/1.png", beyond("../pets/1.png"));
        check("a/../../b/../1.png", beyond("../1.png"));
        check("/etc/passwd", beyond("/etc/passwd"));
        check("/data/pets/a/1.png", within("a/1.png"));
        check("/mnt/pets/./1.png", within("1.png"));
        check("/data/pets/../cats/1.png", beyond("/data/cats/1.png"));
        check("/data/pets2/1.png", beyond("/data/pets2/1.png"));
        check("C:/Users/1.png", beyond("C:/Users/1.png"));
        check("C:\\Users\\1.png", beyond("C:\\Users\\1.png"));
        for bad in ["", ".", "a/..", "/data/pets/", "a\0b", "https://x/y.png", &"x/".repeat(3000)] {
            check(bad, Err(()));
        }
    }

    #[test]
    fn backslashes_separate_only_where_slashes_do_not() {
        let rules = PathRules::new(&[], true);
        assert_eq!(rules.key("a\\..\\b\\1.png"), Ok(Key::Inside("b/1.png".into())));
        assert_eq!(rules.key("..\\1.png"), Ok(Key::Outside("../1.png".into())));
        let paths = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert!(use_backslashes(&paths(&["1.png", "a\\1.png"])));
        assert!(!use_backslashes(&paths(&["a/1.png", "a\\1.png"])));
        assert!(!use_backslashes(&paths(&["1.png"])));
    }

    #[test]
    fn the_root_of_the_system_holds_everything() {
        let rules = PathRules::new(&[Path::new("/")], false);
        assert_eq!(rules.key("/data/1.png"), Ok(Key::Inside("data/1.png".into())));
    }

    #[test]
    fn names_are_known_whatever_their_case() {
        let columns = ["Image", " Label ", "PATH", "x"].map(str::to_owned);
        assert_eq!(known(&columns, PATH_NAMES), [2, 0]);
        assert_eq!(known(&columns, LABEL_NAMES), [1]);
        assert_eq!(known(&columns, SPLIT_NAMES), [0; 0]);
    }
}
