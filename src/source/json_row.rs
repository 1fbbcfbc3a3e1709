//! Which cells does one line of JSONL hold? Only those asked for are kept; the rest is checked and dropped.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value that a column may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text, or a number or truth value as text.
    Text(String),
    /// `null`, or no such member.
    Nothing,
    /// A list or an object.
    Nested,
}

/// The names of an object's members.
pub(super) fn names(line: &str) -> Result<Vec<String>, serde_json::Error> {
    object(line, Names)
}

/// The members called `names`; of two with one name the last, as elsewhere.
pub(super) fn cells(line: &str, names: &[&str]) -> Result<Vec<Cell>, serde_json::Error> {
    object(line, Cells { names })
}

fn object<'de, V: Visitor<'de>>(line: &'de str, visitor: V) -> Result<V::Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let value = reader.deserialize_map(visitor)?;
    reader.end()?;
    Ok(value)
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            names.push(name);
        }
        Ok(names)
    }
}

struct Cells<'a> {
    names: &'a [&'a str],
}

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = Vec<Cell>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = vec![Cell::Nothing; self.names.len()];
        while let Some(place) = map.next_key_seed(Place { names: self.names })? {
            match place {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(at) => {
                    let cell: Cell = map.next_value()?;
                    // One column may be asked for twice.
                    for (other, name) in cells.iter_mut().zip(self.names) {
                        if *name == self.names[at] {
                            other.clone_from(&cell);
                        }
                    }
                }
            }
        }
        Ok(cells)
    }
}

/// Finds a member's name among those wanted without keeping it.
struct Place<'a> {
    names: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|wanted| *wanted == name))
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        // JSON's own spelling, `1.0` and not `1`: the text that was in the file, for all usual ones.
        Ok(serde_json::Number::from_f64(value).map_or(Cell::Nothing, |n| Cell::Text(n.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Cell, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[Cell]) {
        assert_eq!(cells(line, &["path", "label"]).unwrap(), expected, "{line}");
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn cells_are_texts() {
        check(r#"{"path":"a.png","label":"cat"}"#, &[text("a.png"), text("cat")]);
        check(r#"{"label":3,"more":{"x":[1,{}]},"p\u0061th":"\u732b\n"}"#, &[text("猫\n"), text("3")]);
        check(r#"{"path":true,"label":-1.0}"#, &[text("true"), text("-1.0")]);
        check(r#"{"path":null}"#, &[Cell::Nothing, Cell::Nothing]);
        check(r#"{"path":["a"],"label":{"a":1}}"#, &[Cell::Nested, Cell::Nested]);
        check(r#"{"path":"a","path":"b"}"#, &[text("b"), Cell::Nothing]);
        assert_eq!(cells(r#"{"path":"a"}"#, &["path", "path"]).unwrap(), [text("a"), text("a")]);
        assert_eq!(names(r#"{"b":1,"a":[]}"#).unwrap(), ["b", "a"]);
    }

    #[test]
    fn other_lines_are_refused() {
        let deep = "[".repeat(100_000);
        for line in ["", "[]", "1", "{", r#"{"path"}"#, r#"{"path":1} x"#, &format!("{{\"x\":{deep}")] {
            assert!(cells(line, &["path"]).is_err(), "{}", &line[..line.len().min(20)]);
        }
    }
}
