//! Does a name or a key fit what was typed? Prepared once, asked a million times.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A text with `*` for any text; capital and small letters are the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// What stands between the `*`s, as typed; never empty.
    pieces: Vec<String>,
    /// The same in small letters.
    folded: Vec<String>,
    /// Only this very spelling is meant.
    exact: bool,
    /// Small and capital letters cannot differ: no piece has a letter that comes in both.
    caseless: bool,
}

impl Pattern {
    pub(super) fn new(pieces: Vec<String>) -> Self {
        let folded: Vec<String> = pieces.iter().map(|piece| piece.to_lowercase()).collect();
        let caseless =
            pieces.iter().zip(&folded).all(|(piece, low)| piece == low && piece.to_uppercase() == *low);
        Self { pieces, folded, exact: false, caseless }
    }

    /// The text, where there is no `*` in it.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    pub(super) fn prefer_exact(&mut self, names: &[Arc<str>]) {
        self.exact = self.plain().is_some_and(|text| names.iter().any(|name| name.as_ref() == text));
    }

    /// Whether the whole text fits.
    pub(super) fn is(&self, text: &str) -> bool {
        match self.folded.as_slice() {
            [_] if self.exact => self.pieces[0] == text,
            [folded] if text.is_ascii() => folded.as_bytes().eq_ignore_ascii_case(text.as_bytes()),
            [folded] => fold(text) == folded.as_str(),
            [first, middle @ .., last] if text.is_ascii() => {
                let text = text.as_bytes();
                let ends = first.len() + last.len() <= text.len()
                    && text[..first.len()].eq_ignore_ascii_case(first.as_bytes())
                    && text[text.len() - last.len()..].eq_ignore_ascii_case(last.as_bytes());
                ends && in_order_ascii(&text[first.len()..text.len() - last.len()], middle)
            }
            [first, middle @ .., last] => {
                let text = fold(text);
                let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
                let Some(rest) = rest.strip_suffix(last.as_str()) else { return false };
                in_order(rest, middle)
            }
            [] => false,
        }
    }

    /// Whether some part of the text fits.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match self.folded.as_slice() {
            [folded] if self.caseless => text.contains(folded.as_str()),
            pieces if text.is_ascii() => in_order_ascii(text.as_bytes(), pieces),
            pieces => in_order(&fold(text), pieces),
        }
    }
}

fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn in_order(mut text: &str, pieces: &[String]) -> bool {
    for piece in pieces {
        let Some(at) = text.find(piece.as_str()) else { return false };
        text = &text[at + piece.len()..];
    }
    true
}

/// As [`in_order`], for text that was not put in small letters.
fn in_order_ascii(mut text: &[u8], pieces: &[String]) -> bool {
    for piece in pieces {
        let Some(at) = find_ascii(text, piece.as_bytes()) else { return false };
        text = &text[at + piece.len()..];
    }
    true
}

/// Where `small`, in small letters, is in `text`, whatever its letters.
fn find_ascii(text: &[u8], small: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = small.split_first() else { return Some(0) };
    let last_start = text.len().checked_sub(small.len())?;
    let large = first.to_ascii_uppercase();
    (0..=last_start).find(|&at| {
        (text[at] == first || text[at] == large) && text[at + 1..at + small.len()].eq_ignore_ascii_case(rest)
    })
}

/// Whether this character can stand in a query without quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | '-')
}

/// The text as it has to stand in a query.
#[must_use]
pub fn quoted(text: &str) -> Cow<'_, str> {
    let word = matches!(text, "any" | "none");
    if !text.is_empty() && !word && !text.starts_with('-') && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, piece) in self.pieces.iter().enumerate() {
            if place > 0 {
                f.write_str("*")?;
            }
            if !(piece.is_empty() && self.pieces.len() > 1) {
                f.write_str(&quoted(piece))?;
            }
        }
        Ok(())
    }
}
