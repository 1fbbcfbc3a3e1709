//! What do the signs of a query mean? Text to terms, with the place of whatever is wrong.

use std::ops::Range;

use super::pattern::Pattern;
use super::{Bounds, Field, Query, QueryError, Term, Test};

/// The longest query that is read, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// A character of a word, where it is, and whether it stands in quotes and so means itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign {
    pub(super) c: char,
    pub(super) quoted: bool,
    pub(super) at: usize,
}

/// A word of the query with its place, quotes taken off.
pub(super) struct Word {
    pub(super) signs: Vec<Sign>,
    pub(super) range: Range<usize>,
    /// Where a quote begins that nobody closes.
    pub(super) open_quote: Option<usize>,
}

/// Splits at spaces outside quotes.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut inside = false;
    let mut open_quote = None;
    let mut signs = text.char_indices();
    while let Some((at, c)) = signs.next() {
        if c.is_whitespace() && open_quote.is_none() {
            inside = false;
            continue;
        }
        if !inside {
            words.push(Word { signs: Vec::new(), range: at..at, open_quote: None });
            inside = true;
        }
        let Some(word) = words.last_mut() else { continue };
        word.range.end = at + c.len_utf8();
        match (c, open_quote) {
            ('"', None) => open_quote = Some(at),
            ('"', Some(_)) => open_quote = None,
            ('\\', Some(_)) => {
                if let Some((at, c)) = signs.next() {
                    word.signs.push(Sign { c, quoted: true, at });
                    word.range.end = at + c.len_utf8();
                }
            }
            _ => word.signs.push(Sign { c, quoted: open_quote.is_some(), at }),
        }
    }
    if let Some(word) = words.last_mut() {
        word.open_quote = open_quote;
    }
    words
}

fn text_of(signs: &[Sign]) -> String {
    signs.iter().map(|sign| sign.c).collect()
}

fn pattern_of(signs: &[Sign]) -> Pattern {
    Pattern::new(signs.split(|sign| sign.c == '*' && !sign.quoted).map(text_of).collect())
}

/// The field's name, the sign after it, and its position among the signs; `None` for plain text.
pub(super) fn field_of(signs: &[Sign]) -> Option<(String, char, usize)> {
    let end = signs.iter().position(|s| s.quoted || !(s.c.is_ascii_alphabetic() || s.c == '_'))?;
    let sign = signs.get(end).filter(|s| !s.quoted && matches!(s.c, ':' | '<' | '>' | '='))?;
    (end > 0).then(|| (text_of(&signs[..end]), sign.c, end))
}

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError {
            message: format!("the query is longer than {MAX_BYTES} bytes"),
            range: 0..text.len(),
        });
    }
    let mut terms = Vec::new();
    for word in words(text) {
        if let Some(at) = word.open_quote {
            return Err(QueryError { message: "this quote is not closed".into(), range: at..text.len() });
        }
        terms.push(term(&word, text)?);
    }
    Ok(Query { terms })
}

fn term(word: &Word, text: &str) -> Result<Term, QueryError> {
    let Word { signs, range, .. } = word;
    // A quote directly before it makes the `-` a text, and so does standing alone.
    let negated = signs.first().is_some_and(|s| s.c == '-' && !s.quoted) && range.len() > 1;
    let signs = &signs[usize::from(negated)..];
    let start = range.start + usize::from(negated);
    let plain_text = || Ok(Term { negated, test: Test::Text(pattern_of(signs)) });
    // `"label":cat` is a text: whoever quotes the name does not mean the field.
    let Some((name, operator, at)) = field_of(signs).filter(|_| !text[start..].starts_with('"')) else {
        return plain_text();
    };
    let Some(field) = Field::ALL.into_iter().find(|field| name.eq_ignore_ascii_case(field.as_str())) else {
        // Keys may hold such signs; a `:`, and a `<` or `>` before a number, look so much like a field that silence
        // would mislead.
        let compares = signs.get(at + 1).is_some_and(|sign| sign.c.is_ascii_digit() || sign.c == '.');
        if operator != ':' && !(matches!(operator, '<' | '>') && compares) {
            return plain_text();
        }
        let known = Field::ALL.map(Field::as_str).join(", ");
        return Err(QueryError {
            message: format!(
                "there is no field `{name}`; there are: {known}; for a text with `{operator}` in it use quotes"
            ),
            range: start..start + name.len(),
        });
    };
    let value = &signs[at + 1..];
    if range.end == signs[at].at + 1 {
        let message = match (field.number(), field.words()) {
            (Some((most, example)), _) => {
                format!("a number{} is missing, such as `{}>{example}`", up_to(most), field.as_str())
            }
            (None, []) => format!("what is missing, such as `{name}:cat`?"),
            (None, words) => format!("one of these is missing: {}", list(words)),
        };
        return Err(QueryError { message, range: range.clone() });
    }
    let test = if let Some((most, example)) = field.number() {
        Test::Number(field, bounds((field, most, example), operator, value, range.end)?)
    } else if matches!(operator, '<' | '>') {
        return Err(QueryError {
            message: format!(
                "only numbers can be compared, such as `score`; write `{name}:` and what it is to be"
            ),
            range: signs[at].at..range.end,
        });
    } else {
        values(field, value, range.end)?
    };
    Ok(Term { negated, test })
}

fn list(words: &[(&str, &str)]) -> String {
    words.iter().map(|word| word.0).collect::<Vec<_>>().join(", ")
}

fn values(field: Field, value: &[Sign], end: usize) -> Result<Test, QueryError> {
    let items: Vec<&[Sign]> = value.split(|sign| sign.c == ',' && !sign.quoted).collect();
    let words = field.words();
    let position = |item: &[Sign]| {
        let text = text_of(item);
        words.iter().position(|word| word.0.eq_ignore_ascii_case(&text))
    };
    if field == Field::Cluster {
        // A cluster's id is any text, and a word in quotes is an id.
        let says_word = items.iter().filter(|i| i.iter().all(|s| !s.quoted) && position(i).is_some()).count();
        if says_word == 0 {
            return Ok(Test::Name(field, items.into_iter().map(pattern_of).collect()));
        }
        if says_word < items.len() {
            let range = item_range(value, end);
            return Err(QueryError { message: "`any` and `none` stand alone".into(), range });
        }
    }
    if words.is_empty() {
        return Ok(Test::Name(field, items.into_iter().map(pattern_of).collect()));
    }
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        found.push(position(item).ok_or_else(|| QueryError {
            message: format!("`{}` is not one of {}", text_of(item), list(words)),
            range: item_range(item, end),
        })?);
    }
    Ok(Test::Word(field, found))
}

/// From the first to past the last of these signs; the word's last place when there is none.
fn item_range(item: &[Sign], end: usize) -> Range<usize> {
    match (item.first(), item.last()) {
        (Some(first), Some(last)) => first.at..last.at + last.c.len_utf8(),
        _ => end..end,
    }
}

/// The upper end of a field's numbers in words; those of pixels have none.
fn up_to(most: f64) -> String {
    if most.is_finite() { format!(" from 0 to {most}") } else { String::new() }
}

fn bounds(
    (field, most, example): (Field, f64, &str),
    operator: char,
    value: &[Sign],
    end: usize,
) -> Result<Bounds, QueryError> {
    let range = item_range(value, end);
    let number = |text: &str| -> Result<f64, QueryError> {
        let number: Option<f64> = text.parse().ok();
        number.filter(|number| number.is_finite() && (0.0..=most).contains(number)).ok_or_else(|| QueryError {
            message: format!(
                "`{text}` is not a number{0}; write `{1}>{example}`, `{1}<={example}` or `{1}:0..{example}`",
                up_to(most),
                field.as_str()
            ),
            range: range.clone(),
        })
    };
    let text = text_of(value);
    // `score:>0.8` is how other programs write it.
    let (operator, text) = match text.chars().next() {
        Some(sign @ ('<' | '>')) if operator == ':' => (sign, &text[1..]),
        _ => (operator, text.as_str()),
    };
    let (itself, text) = match text.strip_prefix('=') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    Ok(match (operator, text.split_once("..")) {
        ('>', _) => Bounds { least: Some((number(text)?, itself)), greatest: None },
        ('<', _) => Bounds { least: None, greatest: Some((number(text)?, itself)) },
        (_, Some((least, greatest))) if !(least.is_empty() && greatest.is_empty()) => {
            let bound = |text: &str| (!text.is_empty()).then(|| number(text).map(|n| (n, true))).transpose();
            Bounds { least: bound(least)?, greatest: bound(greatest)? }
        }
        _ => {
            let number = number(text)?;
            Bounds { least: Some((number, true)), greatest: Some((number, true)) }
        }
    })
}
