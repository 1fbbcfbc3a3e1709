//! Which class of the contribution is which of the base?

use std::collections::{BTreeMap, HashMap};

use super::distribution::label_ids_in;
use crate::feature::Fingerprints;
use crate::model::{ContentHash, UNLABELLED, Version};

/// The longest class-map file that is read, and the longest class name in it.
const MAX_TEXT_BYTES: usize = 1 << 20;
const MAX_NAME_BYTES: usize = 1 << 10;

/// The fewest shared pictures that may say that two classes are one.
const LEAST_SHARED: u64 = 3;

/// Contribution's class name → base's class name; classes that are not named keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassMap {
    /// The pairs, by the contribution's name.
    pub to_base: BTreeMap<String, String>,
}

/// A class of the contribution that looks like one of the base under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedClass {
    /// The contribution's name.
    pub contribution: String,
    /// The base's name.
    pub base: String,
    /// Why they look like one.
    pub reason: RenameReason,
}

/// Why two class names look like one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameReason {
    /// They differ in case, `-`, `_` or space alone.
    Spelling,
    /// They hold the same pictures.
    Pictures {
        /// How many pictures they share.
        shared: u64,
        /// How many samples the smaller of the two classes has.
        smaller: u64,
    },
}

impl ClassMap {
    /// Matches classes by spelling (case, `-`, `_`, space) and, with both fingerprints, by the pictures they share.
    /// Never maps a class that the base also has under its own name, nor two unlike classes onto one.
    #[must_use]
    pub fn auto(
        base: &Version,
        contribution: &Version,
        shared: Option<(&Fingerprints, &Fingerprints)>,
    ) -> Self {
        let renamed = renamed_classes(base, contribution, shared);
        Self { to_base: renamed.into_iter().map(|r| (r.contribution, r.base)).collect() }
    }

    /// Reads a TOML file: `"T-Shirt" = "t-shirt"` a line, optionally under `[classes]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(format!("a class map may have {MAX_TEXT_BYTES} bytes, this one has {}", text.len()));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| format!("not a class map: {}", error.to_string().trim_end()))?;
        let mut map = Self::default();
        for (name, value) in table {
            match value {
                toml::Value::Table(pairs) if name == "classes" => {
                    for (name, value) in pairs {
                        map.add(name, value)?;
                    }
                }
                value => map.add(name, value)?,
            }
        }
        Ok(map)
    }

    fn add(&mut self, name: String, value: toml::Value) -> Result<(), String> {
        let quoted = shown(&name);
        let toml::Value::String(to) = value else {
            return Err(format!(
                "class {quoted}: its counterpart must be a name in quotes, such as {quoted} = \"cat\", \
                 but is of type {}",
                value.type_str()
            ));
        };
        for (text, whose) in [(&name, "the contribution's"), (&to, "the base's")] {
            if text.is_empty() {
                return Err(format!("{quoted} = {}: {whose} class name is empty", shown(&to)));
            }
            if text.len() > MAX_NAME_BYTES {
                return Err(format!("class {quoted}: a name may have {MAX_NAME_BYTES} bytes"));
            }
        }
        if let Some(earlier) = self.to_base.get(&name).filter(|earlier| **earlier != to) {
            return Err(format!(
                "class {quoted} is mapped twice: to {} and to {}",
                shown(earlier),
                shown(&to)
            ));
        }
        self.to_base.insert(name, to);
        Ok(())
    }

    /// The pairs that name a class that is not there, each in words for a person: mostly a slip of the pen.
    #[must_use]
    pub fn troubles(&self, base: &Version, contribution: &Version) -> Vec<String> {
        let mut troubles = Vec::new();
        for (from, to) in &self.to_base {
            if contribution.class_id(from).is_none() {
                troubles.push(format!(
                    "the class map names {}, which the contribution does not have",
                    shown(from)
                ));
            }
            if base.class_id(to).is_none() {
                troubles.push(format!("the class map names {}, which the base does not have", shown(to)));
            }
        }
        troubles
    }

    /// The contribution with the base's class names.
    #[must_use]
    pub fn apply(&self, contribution: &Version) -> Version {
        contribution.with_class_names(|name| self.to_base.get(name).cloned())
    }
}

/// Classes of the contribution that look merely renamed, by the contribution's name: what [`ClassMap::auto`] maps.
///
/// Only classes that the base does not have under their own name are asked about.
/// *By spelling*: lower case without `-`, `_` and space is the same, and only one class of the base fits.
/// *By pictures*, when both fingerprints are given, for a class of the base that the contribution does not have:
/// of the pictures in both versions, at least 80 % of the one class's are in the other and the other way round;
/// they are at least three and at least half of the smaller class.
#[must_use]
pub fn renamed_classes(
    base: &Version,
    contribution: &Version,
    shared: Option<(&Fingerprints, &Fingerprints)>,
) -> Vec<RenamedClass> {
    let mut by_spelling: HashMap<String, Option<u32>> = HashMap::new();
    for (id, class) in base.classes().iter().enumerate() {
        // Two base classes of one spelling: neither may be guessed.
        by_spelling.entry(spelling(class)).and_modify(|id| *id = None).or_insert(Some(id as u32));
    }
    let own = label_ids_in(contribution, base);
    let mut found: Vec<Option<(u32, RenameReason)>> = vec![None; own.len()];
    // A base class that the contribution has, under whatever spelling, is nobody else's by its pictures.
    let mut taken = vec![false; base.classes().len()];
    for (id, class) in contribution.classes().iter().enumerate() {
        let match_ = own[id].or_else(|| by_spelling.get(&spelling(class)).copied().flatten());
        if let Some(base_id) = match_ {
            taken[base_id as usize] = true;
            if own[id].is_none() {
                found[id] = Some((base_id, RenameReason::Spelling));
            }
        }
    }
    if let Some((base_prints, prints)) = shared {
        let (base_sizes, sizes) = (base.class_counts().0, contribution.class_counts().0);
        let common = SharedPictures::count(base, base_prints, contribution, prints);
        for id in 0..own.len() {
            if own[id].is_some() || found[id].is_some() {
                continue;
            }
            let Some((base_id, count)) = common.partner(id as u32) else { continue };
            let smaller = sizes[id].min(base_sizes[base_id as usize]);
            if !taken[base_id as usize] && count >= LEAST_SHARED && 2 * count >= smaller {
                // Both shares are above one half, so no second class can have this partner.
                found[id] = Some((base_id, RenameReason::Pictures { shared: count, smaller }));
            }
        }
    }
    let name = |version: &Version, id: u32| version.classes()[id as usize].to_string();
    found
        .into_iter()
        .enumerate()
        .filter_map(|(id, found)| {
            found.map(|(base_id, reason)| RenamedClass {
                contribution: name(contribution, id as u32),
                base: name(base, base_id),
                reason,
            })
        })
        .collect()
}

/// How many pictures each class of one version shares with each class of the other.
struct SharedPictures {
    /// (contribution's class, base's class) → pictures.
    pairs: BTreeMap<(u32, u32), u64>,
    of_base: Vec<u64>,
    of_contribution: Vec<u64>,
}

impl SharedPictures {
    fn count(
        base: &Version,
        base_prints: &Fingerprints,
        contribution: &Version,
        prints: &Fingerprints,
    ) -> Self {
        // Pictures with two labels in the base speak for no class.
        const SEVERAL: u32 = UNLABELLED;
        let mut label_of: HashMap<ContentHash, u32> = HashMap::with_capacity(base.len());
        for (row, hash) in base_prints.hashes.iter().enumerate() {
            let Some(hash) = hash else { continue };
            let label = base.label_id(row);
            label_of
                .entry(*hash)
                .and_modify(|known| *known = if *known == label { label } else { SEVERAL })
                .or_insert(label);
        }
        let mut shared = Self {
            pairs: BTreeMap::new(),
            of_base: vec![0; base.classes().len()],
            of_contribution: vec![0; contribution.classes().len()],
        };
        for (row, hash) in prints.hashes.iter().enumerate() {
            let label = contribution.label_id(row);
            let base_label = hash.and_then(|hash| label_of.get(&hash)).copied().unwrap_or(UNLABELLED);
            if label != UNLABELLED && base_label != UNLABELLED {
                *shared.pairs.entry((label, base_label)).or_default() += 1;
                shared.of_base[base_label as usize] += 1;
                shared.of_contribution[label as usize] += 1;
            }
        }
        shared
    }

    /// The base class with at least 80 % of this class's shared pictures, and whose own are to 80 % this class's.
    fn partner(&self, label: u32) -> Option<(u32, u64)> {
        let mostly = |part: u64, whole: u64| 5 * part >= 4 * whole;
        self.pairs
            .range((label, 0)..=(label, u32::MAX))
            .find(|&(&(_, base), &count)| {
                mostly(count, self.of_contribution[label as usize])
                    && mostly(count, self.of_base[base as usize])
            })
            .map(|(&(_, base), &count)| (base, count))
    }
}

/// What is left of a name when case, `-`, `_` and space do not count.
fn spelling(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A name in quotes, short enough for a message and without control characters.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(60).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{SourceRef, VersionBuilder};

    /// A version whose samples hold the pictures named, and its fingerprints.
    fn version(samples: &[(&str, u32)]) -> (Version, Fingerprints) {
        let mut builder = VersionBuilder::default();
        for (at, (label, _)) in samples.iter().enumerate() {
            builder.push(&format!("{at:04}.png"), Some(label), None);
        }
        let source = SourceRef { kind: "list".into(), place: "/data".into(), revision: None };
        let version = builder.build(source, "data", "column `label`").0;
        let hashes =
            samples.iter().map(|(_, content)| Some(ContentHash::of(&content.to_le_bytes()))).collect();
        (version, Fingerprints { hashes, ..Fingerprints::default() })
    }

    fn check(base: &[(&str, u32)], contribution: &[(&str, u32)], expected: &[(&str, &str)]) {
        let (base, contribution) = (version(base), version(contribution));
        let map = ClassMap::auto(&base.0, &contribution.0, Some((&base.1, &contribution.1)));
        let pairs: Vec<_> = map.to_base.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(pairs, expected);
        let mapped = map.apply(&contribution.0);
        for (_, to) in expected {
            assert!(mapped.class_id(to).is_some());
        }
    }

    #[test]
    fn spelling_decides_without_any_picture() {
        check(
            &[("t-shirt", 1), ("long sleeve", 2), ("Hat", 3), ("ÖL", 4)],
            &[("T_Shirt", 11), ("LongSleeve", 12), ("Hat", 13), ("öl", 14), ("boot", 15)],
            &[("LongSleeve", "long sleeve"), ("T_Shirt", "t-shirt"), ("öl", "ÖL")],
        );
    }

    #[test]
    fn a_class_that_the_base_has_keeps_its_name() {
        check(&[("cat", 1), ("Cat", 2)], &[("Cat", 1), ("cat", 2)], &[]);
        // Both spellings in the base: which is meant is nobody's guess.
        check(&[("cat", 1), ("Cat", 2)], &[("CAT", 9)], &[]);
        // Two spellings of one base class in the contribution are alike, so both may be it.
        check(&[("cat", 1)], &[("Cat", 8), ("CAT", 9)], &[("CAT", "cat"), ("Cat", "cat")]);
    }

    #[test]
    fn pictures_decide_where_spelling_does_not() {
        let base = [("cat", 1), ("cat", 2), ("cat", 3), ("cat", 4), ("dog", 5), ("dog", 6), ("dog", 7)];
        check(
            &base,
            &[("Katze", 1), ("Katze", 2), ("Katze", 3), ("Katze", 4), ("dog", 5)],
            &[("Katze", "cat")],
        );
        // The base's class is still there: a few of its pictures were relabelled, the class was not renamed.
        check(&base, &[("nsfw", 1), ("nsfw", 2), ("nsfw", 3), ("cat", 4)], &[]);
        // Two pictures are too few, and half of a class is not all of it.
        check(&base, &[("Katze", 1), ("Katze", 2), ("dog", 5)], &[]);
        check(&base, &[("Katze", 1), ("Katze", 2), ("Katze", 5), ("Katze", 6)], &[]);
        // One class that took in two is not one of them.
        check(&base, &[("pet", 1), ("pet", 2), ("pet", 3), ("pet", 5), ("pet", 6), ("pet", 7)], &[]);
    }

    #[test]
    fn a_file_of_pairs() {
        for text in [
            "\"T-Shirt\" = \"t-shirt\"\nHut = \"hat\"",
            "\u{feff}[classes]\nHut='hat'\n\"T-Shirt\"='t-shirt'",
        ] {
            let map = ClassMap::parse(text).expect("a map");
            assert_eq!(map.to_base["T-Shirt"], "t-shirt");
            assert_eq!(map.to_base["Hut"], "hat");
            assert_eq!(map.to_base.len(), 2);
        }
        assert_eq!(ClassMap::parse(""), Ok(ClassMap::default()));
    }

    #[test]
    fn a_bad_file_says_what_is_wrong() {
        for (text, words) in [
            ("Hut = 3", "\"Hut\": its counterpart must be a name in quotes"),
            ("Hut = \"\"", "the base's class name is empty"),
            ("\"\" = \"hat\"", "the contribution's class name is empty"),
            ("Hut", "line 1"),
            ("a = \"b\"\na = \"c\"", "line 2"),
            ("a = \"b\"\n[classes]\na = \"c\"", "\"a\" is mapped twice: to \"b\" and to \"c\""),
            ("[other]\na = \"b\"", "is of type table"),
            (&format!("# {}", "x".repeat(MAX_TEXT_BYTES)), "may have 1048576 bytes"),
            (&format!("a = '{}'", "x".repeat(2_000)), "a name may have 1024 bytes"),
        ] {
            let error = ClassMap::parse(text).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn pairs_that_name_nothing_are_said() {
        let (base, contribution) = (version(&[("cat", 1)]).0, version(&[("Katze", 1)]).0);
        let map = ClassMap::parse("Katze = 'cat'\nHund = 'dog'").expect("a map");
        assert_eq!(map.troubles(&base, &contribution).len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = ClassMap::parse(&text);
        }
    }
}
