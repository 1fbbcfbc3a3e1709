//! How could the word that is being typed go on?

use std::sync::Arc;

use super::Field;
use super::parse::{Word, field_of, words};
use super::pattern::quoted;

/// The most completions offered at once.
const MAX_OFFERED: usize = 50;

/// Completions for the word at the end of `text`: (what to insert instead of that word, what it means).
///
/// A word begins after the last space outside quotes; where the text ends in a space, the word is empty.
/// At most 50, those that begin as typed before those that contain it.
#[must_use]
pub fn complete(text: &str, classes: &[Arc<str>], splits: &[Arc<str>]) -> Vec<(String, &'static str)> {
    let empty = Word { signs: Vec::new(), range: text.len()..text.len(), open_quote: None };
    let word = words(text).pop().filter(|word| word.range.end == text.len()).unwrap_or(empty);
    let minus = word.signs.first().is_some_and(|sign| sign.c == '-' && !sign.quoted);
    let signs = &word.signs[usize::from(minus)..];
    let sign = if minus { "-" } else { "" };
    let Some((name, _, at)) = field_of(signs) else {
        if signs.iter().any(|sign| sign.quoted) {
            return Vec::new();
        }
        let typed = signs.iter().map(|sign| sign.c).collect::<String>().to_lowercase();
        return Field::ALL
            .into_iter()
            .filter(|field| field.as_str().starts_with(&typed))
            .map(|field| {
                let operator = if field.number().is_some() { ">" } else { ":" };
                (format!("{sign}{}{operator}", field.as_str()), field.meaning())
            })
            .collect();
    };
    let Some(field) = Field::ALL.into_iter().find(|field| name.eq_ignore_ascii_case(field.as_str())) else {
        return Vec::new();
    };
    let value = &signs[at + 1..];
    // Of several values the last is being typed; what stands before it stays as it is.
    let item = value.iter().rposition(|sign| sign.c == ',' && !sign.quoted).map_or(0, |comma| comma + 1);
    let item_start = match item {
        0 => signs[at].at + 1,
        after_comma => value[after_comma - 1].at + 1,
    };
    let before = &text[word.range.start..item_start];
    let typed: String = value[item..].iter().map(|sign| sign.c).collect();
    let names = |names: &[Arc<str>], meaning| -> Vec<(String, String, &'static str)> {
        names.iter().map(|name| (name.to_string(), format!("{before}{}", quoted(name)), meaning)).collect()
    };
    let candidates = match field {
        Field::Label => names(classes, "class"),
        Field::Base => names(classes, "class in the base"),
        Field::Suggest => names(classes, "suggested class"),
        Field::Split => names(splits, "split"),
        Field::Score => ["0.5", "0.8", "0.9", "0.95"]
            .iter()
            .map(|number| ((*number).to_owned(), format!("{before}{number}"), "the suspicion, from 0 to 1"))
            .collect(),
        _ => field
            .words()
            .iter()
            .map(|(word, meaning)| ((*word).to_owned(), format!("{before}{word}"), *meaning))
            .collect(),
    };
    offer(&typed, candidates.into_iter())
}

/// Those candidates (name, what to insert, meaning) that go with what was typed.
fn offer(
    typed: &str,
    candidates: impl Iterator<Item = (String, String, &'static str)>,
) -> Vec<(String, &'static str)> {
    let typed = typed.to_lowercase();
    let mut begin = Vec::new();
    let mut contain = Vec::new();
    for (name, insert, meaning) in candidates {
        let name = name.to_lowercase();
        if name.starts_with(&typed) {
            begin.push((insert, meaning));
        } else if name.contains(&typed) {
            contain.push((insert, meaning));
        }
    }
    begin.append(&mut contain);
    begin.truncate(MAX_OFFERED);
    begin
}
