//! Which samples does a person ask for? A small language over key, label, change, score, decision, split, cluster.
//!
//! A query is terms with spaces between; a sample is asked for when every term holds.
//!
//! | term | holds for |
//! |---|---|
//! | `beach` | keys with this text in them |
//! | `"two words"` | the same, with spaces and signs taken as they are |
//! | `key:cat/*` | keys that are this as a whole |
//! | `label:cat`, `base:cat`, `suggest:cat` | the label, the label in the base, the suggested label |
//! | `split:train`, `cluster:t1` | the split, the cluster (`any` and `none` too) |
//! | `change:relabelled` | what changed, as one of several kinds too (`any` and `none` too) |
//! | `decision:none` | the verdict: `any`, `none`, `keep`, `relabel`, `exclude`, `revert`, `unsure` |
//! | `score>0.8`, `score:0.2..0.5` | the suspicion |
//! | `width>=640`, `height<32`, `side:64..128` | the picture's size in pixels; `side` is the longer one |
//! | `aspect>2`, `brightness<0.1` | width over height; how bright the picture is, from 0 to 1 |
//! | `has:problem` | whether there is one: `problem`, `label`, `base`, `split`, `change`, `score`, `suggestion`, `cluster`, `decision` |
//!
//! A `-` before a term turns it round, `label:cat,dog` asks for either, `*` stands for any text.
//! Capital and small letters are the same, unless [`Query::prefer_exact`] finds the very name among the classes.

mod complete;
mod parse;
mod pattern;

use std::fmt;

pub use complete::complete;
use pattern::Pattern;
pub use pattern::quoted;

use crate::model::{Change, ChangeKind, Verdict};

/// A parsed query: every term must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    terms: Vec<Term>,
}

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong, with what would be right.
    pub message: String,
    /// Byte range of the offending text.
    pub range: std::ops::Range<usize>,
}

/// What a query is asked about one sample; absent things are `None` or empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The sample's key.
    pub key: &'a str,
    /// Its label.
    pub label: Option<&'a str>,
    /// Its label in the base.
    pub base_label: Option<&'a str>,
    /// Its split.
    pub split: Option<&'a str>,
    /// What changed, when something did.
    pub change: Option<&'a Change>,
    /// Suspicion in [0, 1].
    pub score: Option<f64>,
    /// Suggested label.
    pub suggested: Option<&'a str>,
    /// Cluster id.
    pub cluster: Option<&'a str>,
    /// Verdict in force.
    pub verdict: Option<&'a Verdict>,
    /// Whether there is a warning on it.
    pub problem: bool,
    /// Width and height of its picture in pixels, once it has been decoded.
    pub size: Option<(u32, u32)>,
    /// How bright its picture is, in [0, 1].
    pub brightness: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// Somewhere in the key.
    Text(Pattern),
    /// A field's text is one of these.
    Name(Field, Vec<Pattern>),
    /// A field says one of these words, each a position in [`Field::words`].
    Word(Field, Vec<usize>),
    /// A field's number is within bounds.
    Number(Field, Bounds),
}

/// The least and the greatest number asked for, each with whether it is itself asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bounds {
    least: Option<(f64, bool)>,
    greatest: Option<(f64, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Label,
    Change,
    Score,
    Decision,
    Split,
    Base,
    Suggest,
    Cluster,
    Has,
    Key,
    Width,
    Height,
    Side,
    Aspect,
    Brightness,
}

impl Field {
    /// In the order in which they are offered.
    const ALL: [Self; 15] = [
        Self::Label,
        Self::Change,
        Self::Score,
        Self::Decision,
        Self::Split,
        Self::Base,
        Self::Suggest,
        Self::Cluster,
        Self::Has,
        Self::Key,
        Self::Width,
        Self::Height,
        Self::Side,
        Self::Aspect,
        Self::Brightness,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Change => "change",
            Self::Score => "score",
            Self::Decision => "decision",
            Self::Split => "split",
            Self::Base => "base",
            Self::Suggest => "suggest",
            Self::Cluster => "cluster",
            Self::Has => "has",
            Self::Key => "key",
            Self::Width => "width",
            Self::Height => "height",
            Self::Side => "side",
            Self::Aspect => "aspect",
            Self::Brightness => "brightness",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Label => "the label",
            Self::Change => "what the contribution did",
            Self::Score => "the suspicion, from 0 to 1",
            Self::Decision => "the verdict in force",
            Self::Split => "the split",
            Self::Base => "the label in the base",
            Self::Suggest => "the suggested label",
            Self::Cluster => "the cluster",
            Self::Has => "whether there is one",
            Self::Key => "the whole key, with * for any text",
            Self::Width => "the picture's width in pixels",
            Self::Height => "the picture's height in pixels",
            Self::Side => "the picture's longer side in pixels",
            Self::Aspect => "the picture's width over its height",
            Self::Brightness => "how bright the picture is, from 0 to 1",
        }
    }

    /// For a field that is a number: its greatest value (the least is 0), and an example.
    fn number(self) -> Option<(f64, &'static str)> {
        match self {
            Self::Score => Some((1.0, "0.8")),
            Self::Brightness => Some((1.0, "0.1")),
            Self::Width | Self::Height | Self::Side => Some((f64::INFINITY, "64")),
            Self::Aspect => Some((f64::INFINITY, "2")),
            _ => None,
        }
    }

    /// The number that [`Self::number`] bounds.
    fn value(self, facts: &Facts<'_>) -> Option<f64> {
        let (width, height) = match self {
            Self::Score => return facts.score,
            Self::Brightness => return facts.brightness,
            _ => facts.size?,
        };
        Some(match self {
            Self::Width => f64::from(width),
            Self::Height => f64::from(height),
            Self::Side => f64::from(width.max(height)),
            _ => f64::from(width) / f64::from(height.max(1)),
        })
    }

    /// The words that can stand after it, each with its meaning; empty where any text can.
    fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Change => &[
                ("any", "changed in any way"),
                ("none", "not changed"),
                ("relabelled", "the same picture under another label"),
                ("edited", "part of the picture changed"),
                ("duplicated", "a copy of a picture of the base"),
                ("re-encoded", "other bytes, the same picture"),
                ("split-moved", "in another split"),
                ("renamed", "under another key"),
                ("added", "not in the base"),
                ("removed", "only in the base"),
            ],
            Self::Decision => &[
                ("any", "decided"),
                ("none", "not decided"),
                ("keep", "right as it stands"),
                ("relabel", "belongs to another class"),
                ("exclude", "does not belong in the dataset"),
                ("revert", "the change is undone"),
                ("unsure", "looked at, not decided"),
            ],
            Self::Has => &[
                ("problem", "a warning"),
                ("label", "a label"),
                ("base", "a label in the base"),
                ("split", "a split"),
                ("change", "a change"),
                ("score", "a suspicion"),
                ("suggestion", "a suggested label"),
                ("cluster", "a cluster"),
                ("decision", "a verdict"),
            ],
            Self::Cluster => &[("any", "in a cluster"), ("none", "in no cluster")],
            _ => &[],
        }
    }

    /// Whether the field says the word at this position of [`Self::words`].
    fn says(self, word: usize, facts: &Facts<'_>) -> bool {
        match self {
            Self::Change => match word {
                0 => facts.change.is_some(),
                1 => facts.change.is_none(),
                kind => facts.change.is_some_and(|change| change.is(ChangeKind::ALL[kind - 2])),
            },
            Self::Decision => match word {
                0 => facts.verdict.is_some(),
                1 => facts.verdict.is_none(),
                word => facts.verdict.is_some_and(|verdict| verdict.as_str() == self.words()[word].0),
            },
            Self::Cluster => facts.cluster.is_some() == (word == 0),
            _ => match word {
                0 => facts.problem,
                1 => facts.label.is_some(),
                2 => facts.base_label.is_some(),
                3 => facts.split.is_some(),
                4 => facts.change.is_some(),
                5 => facts.score.is_some(),
                6 => facts.suggested.is_some(),
                7 => facts.cluster.is_some(),
                _ => facts.verdict.is_some(),
            },
        }
    }

    fn text<'a>(self, facts: &Facts<'a>) -> Option<&'a str> {
        match self {
            Self::Label => facts.label,
            Self::Base => facts.base_label,
            Self::Suggest => facts.suggested,
            Self::Split => facts.split,
            Self::Cluster => facts.cluster,
            _ => Some(facts.key),
        }
    }
}

impl Query {
    /// Reads a query; the empty text matches everything.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text)
    }

    /// Whether it asks for everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Where one of these names is spelt exactly as in the query, only that one is meant, and not its other spellings.
    #[must_use]
    pub fn prefer_exact(mut self, names: &[std::sync::Arc<str>]) -> Self {
        for term in &mut self.terms {
            if let Test::Name(_, patterns) = &mut term.test {
                for pattern in patterns {
                    pattern.prefer_exact(names);
                }
            }
        }
        self
    }

    /// Whether a sample is asked for.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds(facts) != term.negated)
    }
}

impl Test {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Text(pattern) => pattern.is_in(facts.key),
            Self::Name(field, patterns) => {
                field.text(facts).is_some_and(|text| patterns.iter().any(|pattern| pattern.is(text)))
            }
            Self::Word(field, words) => words.iter().any(|&word| field.says(word, facts)),
            Self::Number(field, bounds) => field.value(facts).is_some_and(|number| bounds.hold(number)),
        }
    }
}

impl Bounds {
    fn hold(&self, number: f64) -> bool {
        self.least.is_none_or(|(least, itself)| number > least || (itself && number == least))
            && self
                .greatest
                .is_none_or(|(greatest, itself)| number < greatest || (itself && number == greatest))
    }
}

/// Text that [`Query::parse`] reads back as the same query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            if term.negated {
                f.write_str("-")?;
            }
            match &term.test {
                Test::Text(pattern) => write!(f, "{pattern}")?,
                Test::Name(field, patterns) => {
                    write!(f, "{}:", field.as_str())?;
                    for (place, pattern) in patterns.iter().enumerate() {
                        write!(f, "{}{pattern}", if place > 0 { "," } else { "" })?;
                    }
                }
                Test::Word(field, words) => {
                    write!(f, "{}:", field.as_str())?;
                    for (place, &word) in words.iter().enumerate() {
                        write!(f, "{}{}", if place > 0 { "," } else { "" }, field.words()[word].0)?;
                    }
                }
                Test::Number(field, bounds) => {
                    let name = field.as_str();
                    match (bounds.least, bounds.greatest) {
                        (Some((least, false)), _) => write!(f, "{name}>{least}")?,
                        (_, Some((greatest, false))) => write!(f, "{name}<{greatest}")?,
                        (least, greatest) => {
                            let number = |bound: Option<(f64, bool)>| {
                                bound.map(|b| b.0.to_string()).unwrap_or_default()
                            };
                            write!(f, "{name}:{}..{}", number(least), number(greatest))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
