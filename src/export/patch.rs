//! Corrections as operations with preconditions that can be applied, refused or inverted: JSON lines.
//!
//! The first line says what the file is: `{"schema":1,"kind":"sparrowhawk-patch","source":"…","base":"…"}`.
//! Every further line is about one sample: its `key`, its `hash`, and what is to be done, each with what must hold:
//!
//! | member | what is done |
//! |---|---|
//! | `"relabel":{"from":"cat","to":"dog"}` | the label changes |
//! | `"move":{"from":"train","to":"test"}` | the split changes |
//! | `"rename":{"to":"a/1.png"}` | the key changes |
//! | `"replace":{"to":"b3:…"}` | the picture becomes the one with this content |
//! | `"exclude":{"label":"cat","split":"train"}` | the sample leaves; its label and split must be these |
//! | `"restore":{"label":"cat","split":"train"}` | the sample comes (back); nothing may have its key |
//!
//! The first four can stand together on one line; the others stand alone. A `note` may say why.
//! All lines are meant at once, against one version: no order among them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{ExportError, ExportInput, Exporter};
use crate::model::{ChangeKind, ContentHash, Subject, SubjectBase, Verdict};
use crate::review::{Correction, MAX_NAME_BYTES, MAX_NOTE_BYTES};

/// The patch exporter.
pub struct Patch;

const SCHEMA: u64 = 1;
const KIND: &str = "sparrowhawk-patch";

/// The longest line: the longest texts of one operation, every character escaped.
const MAX_LINE_BYTES: usize = 2 << 20;
const MAX_OPERATIONS: usize = 20_000_000;

/// A patch, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchFile {
    /// The version that it corrects, as a person named it.
    pub source: String,
    /// The base, where there was one.
    pub base: Option<String>,
    /// What is to be done, by key.
    pub operations: Vec<Operation>,
}

/// What is to be done to one sample, and what must hold before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its key.
    pub key: String,
    /// Its content, before.
    pub hash: ContentHash,
    /// Its label changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relabel: Option<FromTo>,
    /// Its split changes.
    #[serde(default, rename = "move", skip_serializing_if = "Option::is_none")]
    pub move_split: Option<FromTo>,
    /// Its key changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename: Option<To<String>>,
    /// Its content changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<To<ContentHash>>,
    /// It leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<LabelSplit>,
    /// It comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<LabelSplit>,
    /// The reviewer's remark, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A label or split before and after; `None` is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromTo {
    /// What it must be.
    pub from: Option<String>,
    /// What it becomes.
    pub to: Option<String>,
}

/// A key or content after; what it was is said by the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct To<T> {
    /// What it becomes.
    pub to: T,
}

/// Label and split of a sample that leaves or comes; `None` is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSplit {
    /// Its label.
    pub label: Option<String>,
    /// Its split.
    pub split: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema: u64,
    kind: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    base: Option<String>,
}

impl Operation {
    fn on(key: &str, hash: ContentHash) -> Self {
        Self {
            key: key.to_owned(),
            hash,
            relabel: None,
            move_split: None,
            rename: None,
            replace: None,
            exclude: None,
            restore: None,
            note: String::new(),
        }
    }

    /// What a correction asks to be done; `None` when nothing is, as for `keep` and `unsure`.
    #[must_use]
    pub fn of(correction: &Correction) -> Option<Self> {
        let subject = &correction.subject;
        let Subject { key, hash, label, split, change, base } = subject;
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let here = LabelSplit { label: named(label), split: named(split) };
        let own = Self { note: correction.note.clone(), ..Self::on(key, *hash) };
        let gone = *change == Some(ChangeKind::Removed);
        match (&correction.verdict, change) {
            (Verdict::Keep | Verdict::Unsure, _) | (Verdict::Revert, None) => None,
            // What the contribution removed is out already; under another class it comes back.
            (Verdict::Exclude, _) if gone => None,
            (Verdict::Relabel(to), _) if gone => {
                Some(Self { restore: Some(LabelSplit { label: Some(to.clone()), ..here }), ..own })
            }
            (Verdict::Relabel(to), _) => {
                let relabel = from_to(label.as_ref(), Some(to))?;
                Some(Self { relabel: Some(relabel), ..own })
            }
            (Verdict::Exclude, _) | (Verdict::Revert, Some(ChangeKind::Added | ChangeKind::Duplicated)) => {
                Some(Self { exclude: Some(here), ..own })
            }
            (Verdict::Revert, Some(ChangeKind::Removed)) => Some(Self { restore: Some(here), ..own }),
            // Whatever differs from the base becomes again what it was there.
            (Verdict::Revert, Some(_)) => {
                let base = base.as_ref()?;
                let operation = Self {
                    relabel: from_to(label.as_ref(), base.label.as_ref()),
                    move_split: from_to(split.as_ref(), base.split.as_ref()),
                    rename: is_renamed(subject, base).then(|| To { to: base.key.clone() }),
                    replace: (*hash != base.hash).then_some(To { to: base.hash }),
                    ..own
                };
                operation.changes_something().then_some(operation)
            }
        }
    }

    fn changes_something(&self) -> bool {
        self.relabel.is_some() || self.move_split.is_some() || self.rename.is_some() || self.replace.is_some()
    }

    /// The operation that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let Self { key, hash, relabel, move_split, rename, replace, exclude, restore, note } = self;
        let swapped =
            |change: &Option<FromTo>| change.clone().map(|FromTo { from, to }| FromTo { from: to, to: from });
        Self {
            key: rename.as_ref().map_or(key, |rename| &rename.to).clone(),
            hash: replace.as_ref().map_or(*hash, |replace| replace.to),
            relabel: swapped(relabel),
            move_split: swapped(move_split),
            rename: rename.as_ref().map(|_| To { to: key.clone() }),
            replace: replace.as_ref().map(|_| To { to: *hash }),
            exclude: restore.clone(),
            restore: exclude.clone(),
            note: note.clone(),
        }
    }

    /// In words, such as "relabel cat → dog".
    #[must_use]
    pub fn in_words(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let mut words = Vec::new();
        if let Some(FromTo { from, to }) = &self.relabel {
            words.push(format!("relabel {} → {}", text(from), text(to)));
        }
        if let Some(FromTo { from, to }) = &self.move_split {
            words.push(format!("move {} → {}", text(from), text(to)));
        }
        if let Some(To { to }) = &self.rename {
            words.push(format!("rename → {to}"));
        }
        if let Some(To { to }) = &self.replace {
            words.push(format!("replace by picture {}", to.short()));
        }
        if let Some(LabelSplit { label, .. }) = &self.exclude {
            words.push(format!("exclude ({})", text(label)));
        }
        if let Some(LabelSplit { label, .. }) = &self.restore {
            words.push(format!("restore ({})", text(label)));
        }
        words.join(", ")
    }

    /// What is wrong with it, if something is.
    fn trouble(&self) -> Option<String> {
        let alone = usize::from(self.exclude.is_some()) + usize::from(self.restore.is_some());
        if alone + usize::from(self.changes_something()) != 1 {
            return Some(
                "one of relabel, move, rename and replace, or exclude alone, or restore alone is expected"
                    .into(),
            );
        }
        let sides = |change: &Option<FromTo>| change.clone().map(|c| [c.from, c.to]).unwrap_or_default();
        let both =
            |sample: &Option<LabelSplit>| sample.clone().map(|s| [s.label, s.split]).unwrap_or_default();
        let names = [
            [Some(self.key.clone()), self.rename.as_ref().map(|rename| rename.to.clone())],
            sides(&self.relabel),
            sides(&self.move_split),
            both(&self.exclude),
            both(&self.restore),
        ];
        for name in names.into_iter().flatten().flatten() {
            if name.is_empty() {
                return Some("a key, label or split is empty; what has none is null".into());
            }
            if name.len() > MAX_NAME_BYTES {
                return Some(format!("a key, label or split is longer than {MAX_NAME_BYTES} bytes"));
            }
        }
        (self.note.len() > MAX_NOTE_BYTES).then(|| format!("the note is longer than {MAX_NOTE_BYTES} bytes"))
    }
}

/// `None` when nothing changes.
fn from_to(from: Option<&String>, to: Option<&String>) -> Option<FromTo> {
    let [from, to] = [from, to].map(|name| name.filter(|name| !name.is_empty()));
    (from != to).then(|| FromTo { from: from.cloned(), to: to.cloned() })
}

/// Whether the key changed by more than the folders named after its label and split.
fn is_renamed(subject: &Subject, base: &SubjectBase) -> bool {
    let (here, there) = (subject.key.split('/'), base.key.split('/'));
    let follows = |here: &str, there: &str, was: &Option<String>, is: &Option<String>| {
        was.as_deref() == Some(here) && is.as_deref() == Some(there)
    };
    here.clone().count() != there.clone().count()
        || here.zip(there).any(|(here, there)| {
            here != there
                && !follows(here, there, &subject.label, &base.label)
                && !follows(here, there, &subject.split, &base.split)
        })
}

impl PatchFile {
    /// The operations that corrections ask for.
    #[must_use]
    pub fn of(input: &ExportInput<'_>) -> Self {
        Self {
            source: input.about.source.clone(),
            base: input.about.base.clone(),
            operations: input.corrections.iter().filter_map(Operation::of).collect(),
        }
    }

    /// Reads a patch file's text.
    pub fn parse(text: &str) -> Result<Self, ExportError> {
        let mut patch = Self::default();
        let mut headed = false;
        // What is there before: each key once. What is there after is checked where it is applied.
        let mut before = HashSet::new();
        let mut restored = HashSet::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, content) in (1..).zip(text.lines()) {
            let bad = |message: String| ExportError::BadPatch { line, message };
            if content.len() > MAX_LINE_BYTES {
                return Err(bad(format!("the line is longer than {MAX_LINE_BYTES} bytes")));
            }
            if content.trim().is_empty() {
                continue;
            }
            if !headed {
                let not_ours =
                    |_| bad(format!("this is no patch: its first line would hold `\"kind\":\"{KIND}\"`"));
                let header: Header = serde_json::from_str(content).map_err(not_ours)?;
                if header.kind != KIND {
                    return Err(bad(format!("this is a `{}` and no `{KIND}`", header.kind)));
                }
                if header.schema != SCHEMA {
                    return Err(bad(format!(
                        "the patch has schema {}, this Sparrowhawk reads {SCHEMA}; update Sparrowhawk",
                        header.schema
                    )));
                }
                (patch.source, patch.base) = (header.source, header.base);
                headed = true;
                continue;
            }
            let operation: Operation =
                serde_json::from_str(content).map_err(|error| bad(without_line(&error)))?;
            if let Some(trouble) = operation.trouble() {
                return Err(bad(trouble));
            }
            let seen = if operation.restore.is_some() { &mut restored } else { &mut before };
            if !seen.insert(operation.key.clone()) {
                return Err(bad(format!("a second operation on the same sample: {}", operation.key)));
            }
            if patch.operations.len() == MAX_OPERATIONS {
                return Err(bad(format!("more than {MAX_OPERATIONS} operations")));
            }
            patch.operations.push(operation);
        }
        if !headed {
            let message = format!("this is no patch: its first line would hold `\"kind\":\"{KIND}\"`");
            return Err(ExportError::BadPatch { line: 1, message });
        }
        Ok(patch)
    }

    /// The patch that undoes this one.
    ///
    /// In a folder where labels are folder names a relabelled picture has another key afterwards; `apply` with
    /// `invert` looks for it there, this does not know the folder.
    #[must_use]
    pub fn invert(&self) -> Self {
        Self { operations: self.operations.iter().map(Operation::inverse).collect(), ..self.clone() }
    }

    /// The file's text.
    pub fn to_text(&self) -> Result<String, ExportError> {
        let header = Header {
            schema: SCHEMA,
            kind: KIND.to_owned(),
            source: self.source.clone(),
            base: self.base.clone(),
        };
        let failed = |error: serde_json::Error| ExportError::Render(error.to_string());
        let mut text = serde_json::to_string(&header).map_err(failed)?;
        text.push('\n');
        for operation in &self.operations {
            text.push_str(&serde_json::to_string(operation).map_err(failed)?);
            text.push('\n');
        }
        Ok(text)
    }
}

/// Serde counts lines within the line that it was given.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

impl Exporter for Patch {
    fn id(&self) -> &'static str {
        "patch"
    }

    fn summary(&self) -> &'static str {
        "JSON lines that sparrowhawk apply carries out"
    }

    fn extension(&self) -> &'static str {
        "jsonl"
    }

    fn render(&self, input: &ExportInput<'_>) -> Result<Vec<u8>, ExportError> {
        Ok(PatchFile::of(input).to_text()?.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(text: &str) -> ContentHash {
        ContentHash::of(text.as_bytes())
    }

    /// What the verdict on `test/cat/1.png` (base: `train/dog/1.png`) becomes; `edit` changes the subject.
    fn check(change: Option<ChangeKind>, verdict: Verdict, edit: impl FnOnce(&mut Subject), expected: &str) {
        let mut subject = Subject {
            key: "test/cat/1.png".into(),
            hash: hash("now"),
            label: Some("cat".into()),
            split: Some("test".into()),
            change,
            base: Some(SubjectBase {
                key: "test/cat/1.png".into(),
                hash: hash("now"),
                label: Some("cat".into()),
                split: Some("test".into()),
            }),
        };
        edit(&mut subject);
        let correction =
            Correction { subject, verdict, note: String::new(), reviewer: "ann".into(), time_millis: 0 };
        let operation = Operation::of(&correction);
        let words = operation.as_ref().map(Operation::in_words).unwrap_or_default();
        assert_eq!(words, expected);
        if let Some(operation) = operation {
            assert_eq!(operation.inverse().inverse(), operation);
            let patch = PatchFile { source: "a".into(), base: None, operations: vec![operation] };
            assert_eq!(PatchFile::parse(&patch.to_text().unwrap()).unwrap(), patch);
        }
    }

    #[test]
    fn verdicts_become_operations() {
        use ChangeKind::{Added, Duplicated, Edited, ReEncoded, Relabelled, Removed, Renamed, SplitMoved};
        fn base(subject: &mut Subject) -> &mut SubjectBase {
            subject.base.as_mut().unwrap()
        }
        let dog = || Verdict::Relabel("dog".into());
        let same = |_: &mut Subject| ();
        for verdict in [Verdict::Keep, Verdict::Unsure] {
            check(Some(Relabelled), verdict, same, "");
        }
        check(None, dog(), same, "relabel cat → dog");
        check(None, Verdict::Relabel("cat".into()), same, "");
        check(None, dog(), |s| s.label = None, "relabel none → dog");
        check(None, Verdict::Exclude, same, "exclude (cat)");
        check(None, Verdict::Revert, same, "");
        check(Some(Added), Verdict::Revert, |s| s.base = None, "exclude (cat)");
        check(Some(Duplicated), Verdict::Revert, same, "exclude (cat)");
        check(Some(Removed), Verdict::Revert, |s| s.base = None, "restore (cat)");
        check(Some(Removed), Verdict::Exclude, |s| s.base = None, "");
        check(Some(Removed), dog(), |s| s.base = None, "restore (dog)");
        check(Some(Relabelled), Verdict::Revert, |s| base(s).label = Some("dog".into()), "relabel cat → dog");
        // The folder named after the label moved with it: that is no renaming of its own.
        let moved = |s: &mut Subject| {
            base(s).label = Some("dog".into());
            base(s).key = "test/dog/1.png".into();
        };
        check(Some(Relabelled), Verdict::Revert, moved, "relabel cat → dog");
        let both = |s: &mut Subject| {
            base(s).label = Some("dog".into());
            base(s).key = "test/dog/other.png".into();
        };
        check(Some(Relabelled), Verdict::Revert, both, "relabel cat → dog, rename → test/dog/other.png");
        check(Some(Relabelled), Verdict::Revert, |s| base(s).label = None, "relabel cat → none");
        let replaced = format!("replace by picture {}", hash("then").short());
        check(Some(Edited), Verdict::Revert, |s| base(s).hash = hash("then"), &replaced);
        check(Some(ReEncoded), Verdict::Revert, |s| base(s).hash = hash("then"), &replaced);
        let split = |s: &mut Subject| {
            base(s).split = Some("train".into());
            base(s).key = "train/cat/1.png".into();
        };
        check(Some(SplitMoved), Verdict::Revert, split, "move test → train");
        check(Some(Renamed), Verdict::Revert, |s| base(s).key = "x.png".into(), "rename → x.png");
        check(Some(Renamed), Verdict::Revert, |s| s.base = None, "");
    }

    #[track_caller]
    fn check_bad(lines: &[&str], line: usize, message: &str) {
        let header = r#"{"schema":1,"kind":"sparrowhawk-patch","source":"s"}"#;
        let text = lines.join("\n").replace("HEAD", header).replace("HASH", &hash("x").to_string());
        match PatchFile::parse(&text) {
            Err(ExportError::BadPatch { line: found, message: said }) => {
                assert!(found == line && said.contains(message), "line {found}: {said}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_patch_is_refused_at_its_line() {
        check_bad(&[""], 1, "this is no patch");
        check_bad(&["key,hash", "x"], 1, "this is no patch");
        check_bad(&["", r#"{"schema":1,"kind":"other"}"#], 2, "this is a `other`");
        check_bad(&[r#"{"schema":2,"kind":"sparrowhawk-patch"}"#], 1, "schema 2, this Sparrowhawk reads 1");
        check_bad(&["HEAD", "{"], 2, "EOF");
        check_bad(&["HEAD", r#"{"key":"a","hash":"HASH"}"#], 2, "is expected");
        check_bad(&["HEAD", r#"{"key":"a","hash":"b3:0","exclude":{}}"#], 2, "not a content hash");
        check_bad(&["HEAD", r#"{"key":"a","hash":"HASH","explode":{}}"#], 2, "unknown field `explode`");
        check_bad(&["HEAD", r#"{"key":"","hash":"HASH","exclude":{}}"#], 2, "is empty");
        let both = r#"{"key":"a","hash":"HASH","exclude":{},"restore":{}}"#;
        check_bad(&["HEAD", both], 2, "is expected");
        let both = r#"{"key":"a","hash":"HASH","exclude":{},"rename":{"to":"b"}}"#;
        check_bad(&["HEAD", both], 2, "is expected");
        let one = r#"{"key":"a","hash":"HASH","exclude":{}}"#;
        check_bad(&["HEAD", one, "", one], 4, "a second operation on the same sample: a");
        let long = format!(r#"{{"key":"{}","hash":"HASH","exclude":{{}}}}"#, "k".repeat(MAX_NAME_BYTES + 1));
        check_bad(&["HEAD", &long], 2, "longer than");
        check_bad(&["HEAD", &"x".repeat(MAX_LINE_BYTES + 1)], 2, "longer than");
    }

    #[test]
    fn a_sample_can_leave_and_another_come_under_its_key() {
        let header = r#"{"schema":1,"kind":"sparrowhawk-patch","more":"is added some day"}"#;
        let text = format!(
            "\u{feff}{header}\r\n{{\"key\":\"a\",\"hash\":\"{0}\",\"exclude\":{{}}}}\r\n\r\n{{\"key\":\"a\",\"hash\":\"{1}\",\"restore\":{{\"label\":\"x\"}}}}\r\n",
            hash("1"),
            hash("2")
        );
        let patch = PatchFile::parse(&text).unwrap();
        assert_eq!(
            patch.operations.iter().map(Operation::in_words).collect::<Vec<_>>(),
            ["exclude (none)", "restore (x)"]
        );
        assert_eq!(patch.invert().invert(), patch);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n){0,200}") {
            let _ = PatchFile::parse(&text);
        }

        #[test]
        fn any_names_come_back(key in "\\PC{1,30}", from in "\\PC{1,20}", to in "\\PC{1,20}", note in "(\\PC|[\r\n\u{2028}\"\\\\]){0,20}") {
            let operation = Operation {
                relabel: Some(FromTo { from: Some(from.clone()), to: Some(to.clone()) }),
                move_split: Some(FromTo { from: None, to: Some(to.clone()) }),
                rename: Some(To { to: from }),
                replace: Some(To { to: hash(&to) }),
                note,
                ..Operation::on(&key, hash(&key))
            };
            let patch = PatchFile { source: key.clone(), base: Some(to), operations: vec![operation] };
            prop_assert_eq!(PatchFile::parse(&patch.to_text().unwrap()).unwrap(), patch.clone());
            prop_assert_eq!(patch.invert().invert(), patch);
        }
    }
}
