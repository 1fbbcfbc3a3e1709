//! By what is a picture's content known? By the BLAKE3 of its file's bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// BLAKE3 of a file's bytes, written `b3:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

/// A text that is no `b3:` hash.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a content hash (`b3:` and 64 hex digits expected): {0}")]
pub struct HashParseError(String);

impl ContentHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first eight hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[3..11].to_owned()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ContentHash {
    type Err = HashParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || HashParseError(text.chars().take(80).collect());
        let hex = text.strip_prefix("b3:").ok_or_else(fail)?;
        let hash = blake3::Hash::from_hex(hex).map_err(|_| fail())?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_reads_back() {
        let hash = ContentHash::of(b"a picture");
        assert_eq!(hash.to_string().parse::<ContentHash>().expect("own text"), hash);
        assert_eq!(hash.to_string().len(), 3 + 64);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "b3:", "b3:zz", "sha256:00", &"0".repeat(64), &format!("b3:{}", "0".repeat(65))] {
            assert!(text.parse::<ContentHash>().is_err(), "{text}");
        }
    }
}
