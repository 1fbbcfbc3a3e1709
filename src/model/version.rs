//! What is in one version of a dataset? Samples: keys, labels, splits, column by column.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::strings::StringColumn;
use super::warning::{Warning, WarningKind};

/// The label id of a sample that has no label.
pub const UNLABELLED: u32 = u32::MAX;
const NO_SPLIT: u16 = u16::MAX;
/// Warnings of one kind that a version holds word for word; further ones are only counted.
const MAX_WARNINGS_OF_A_KIND: usize = 1000;

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRef {
    /// The format's id, such as `folder`.
    pub kind: String,
    /// The place as a person would name it: an absolute path, or a path and revision.
    pub place: String,
    /// The revision, where the source has one.
    pub revision: Option<String>,
}

/// An immutable snapshot of a dataset, shared as `Arc<Version>`; a row is a sample.
///
/// **Invariant:** keys are unique and ascending (byte order), so [`Self::row_of`] is a binary search.
/// Classes are ascending too: a label id is a position in [`Self::classes`] of *this* version only.
#[derive(Debug, Clone)]
pub struct Version {
    source: SourceRef,
    name: String,
    label_origin: String,
    keys: StringColumn,
    labels: Vec<u32>,
    splits: Vec<u16>,
    classes: Vec<Arc<str>>,
    split_names: Vec<Arc<str>>,
    warnings: Vec<Warning>,
    /// The source's own class names and each row's id among them, where classes were mapped.
    spelling: Option<Arc<Spelling>>,
}

#[derive(Debug)]
struct Spelling {
    classes: Vec<Arc<str>>,
    labels: Vec<u32>,
}

impl Version {
    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> &SourceRef {
        &self.source
    }

    /// A short name for people: the last part of the place.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which source of labels won, such as "folder names" or "column `label` of metadata.csv".
    #[must_use]
    pub fn label_origin(&self) -> &str {
        &self.label_origin
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The path-like name of the sample in this dataset, with `/`.
    #[must_use]
    pub fn key(&self, row: usize) -> &str {
        self.keys.get(row)
    }

    /// The label id of the sample, [`UNLABELLED`] where it has none.
    #[must_use]
    pub fn label_id(&self, row: usize) -> u32 {
        self.labels[row]
    }

    /// The class name of the sample.
    #[must_use]
    pub fn label(&self, row: usize) -> Option<&str> {
        self.classes.get(self.labels[row] as usize).map(AsRef::as_ref)
    }

    /// The split of the sample, where the dataset has splits.
    #[must_use]
    pub fn split(&self, row: usize) -> Option<&str> {
        self.split_names.get(self.splits[row] as usize).map(AsRef::as_ref)
    }

    /// All class names, ascending.
    #[must_use]
    pub fn classes(&self) -> &[Arc<str>] {
        &self.classes
    }

    /// All split names, ascending.
    #[must_use]
    pub fn splits(&self) -> &[Arc<str>] {
        &self.split_names
    }

    /// What was noticed while listing, one entry a sample or place.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The label id of a class name in this version.
    #[must_use]
    pub fn class_id(&self, name: &str) -> Option<u32> {
        self.classes.binary_search_by(|class| class.as_ref().cmp(name)).ok().map(|id| id as u32)
    }

    /// The same version with its classes called otherwise: `rename` gives a class's new name, or `None` to keep it.
    /// Classes that get one name become one. [`Self::spelling`] still tells what the source says.
    #[must_use]
    pub fn with_class_names(&self, rename: impl Fn(&str) -> Option<String>) -> Self {
        let mut names = Interner::default();
        let ids: Vec<u32> = self
            .classes
            .iter()
            .map(|name| names.id(&rename(name).unwrap_or_else(|| name.to_string())))
            .collect();
        let (classes, rank) = names.sorted();
        let labels = self
            .labels
            .iter()
            .map(|&label| ids.get(label as usize).map_or(UNLABELLED, |&id| rank[id as usize]))
            .collect();
        let own = || Arc::new(Spelling { classes: self.classes.clone(), labels: self.labels.clone() });
        let spelling = Some(self.spelling.clone().unwrap_or_else(own));
        Self { classes, labels, spelling, ..self.clone() }
    }

    /// The class name as the source itself spells it: what a correction of this source must say.
    #[must_use]
    pub fn spelling(&self, row: usize) -> Option<&str> {
        match &self.spelling {
            None => self.label(row),
            Some(own) => own.classes.get(own.labels[row] as usize).map(AsRef::as_ref),
        }
    }

    /// How this version's own source spells the class `name`: the spelling of most samples, or `name` itself.
    #[must_use]
    pub fn spelling_of_class(&self, name: &str) -> String {
        let Some((own, id)) = self.spelling.as_deref().zip(self.class_id(name)) else {
            return name.to_owned();
        };
        let mut counts = vec![0_u64; own.classes.len()];
        for row in 0..self.len() {
            if self.labels[row] == id {
                counts[own.labels[row] as usize] += 1;
            }
        }
        let most = (0..counts.len()).rev().max_by_key(|&class| counts[class]);
        most.filter(|&class| counts[class] > 0)
            .map_or_else(|| name.to_owned(), |class| own.classes[class].to_string())
    }

    /// The row with this key.
    #[must_use]
    pub fn row_of(&self, key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.key(middle).cmp(key) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Samples by class, in the order of [`Self::classes`], and the number without a label.
    #[must_use]
    pub fn class_counts(&self) -> (Vec<u64>, u64) {
        let mut counts = vec![0; self.classes.len()];
        let mut unlabelled = 0;
        for &label in &self.labels {
            match counts.get_mut(label as usize) {
                Some(count) => *count += 1,
                None => unlabelled += 1,
            }
        }
        (counts, unlabelled)
    }

    /// Samples by split, in the order of [`Self::splits`], and the number outside any split.
    #[must_use]
    pub fn split_counts(&self) -> (Vec<u64>, u64) {
        let mut counts = vec![0; self.split_names.len()];
        let mut outside = 0;
        for &split in &self.splits {
            match counts.get_mut(split as usize) {
                Some(count) => *count += 1,
                None => outside += 1,
            }
        }
        (counts, outside)
    }
}

/// Collects samples in any order; [`Self::build`] sorts them and drops duplicate keys with a warning each.
#[derive(Debug, Default)]
pub struct VersionBuilder {
    keys: StringColumn,
    labels: Vec<u32>,
    splits: Vec<u16>,
    classes: Interner,
    split_names: Interner,
    warnings: Warnings,
}

impl VersionBuilder {
    /// Adds a sample; an empty label or split is none.
    /// Returns the position at which it was added: see [`Self::build`] for where it ends up.
    ///
    /// # Panics
    /// With 65,535 different splits or 4 GiB of keys; formats refuse such a source before.
    pub fn push(&mut self, key: &str, label: Option<&str>, split: Option<&str>) -> usize {
        self.keys.push(key);
        self.labels.push(label.filter(|l| !l.is_empty()).map_or(UNLABELLED, |l| self.classes.id(l)));
        let split = split
            .filter(|s| !s.is_empty())
            .map_or(NO_SPLIT, |s| u16::try_from(self.split_names.id(s)).expect("fewer than 65,535 splits"));
        self.splits.push(split);
        self.labels.len() - 1
    }

    /// Adds a warning that [`Version::warnings`] will hold; of many of one kind the first thousand and their number.
    pub fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// Number of samples so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The version, and for each of its rows the position at which [`Self::push`] added it.
    /// Of several samples with one key the first added stays.
    #[must_use]
    pub fn build(self, source: SourceRef, name: &str, label_origin: &str) -> (Version, Vec<u32>) {
        let Self { keys, labels, splits, classes, split_names, mut warnings } = self;
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.sort_by(|&a, &b| keys.get(a as usize).cmp(keys.get(b as usize)));
        order.dedup_by(|later, earlier| {
            let key = keys.get(*later as usize);
            let same = key == keys.get(*earlier as usize);
            if same {
                warnings.push(Warning::on(
                    key,
                    WarningKind::DuplicateKey,
                    "listed more than once; the first row is used",
                ));
            }
            same
        });
        let mut sorted_keys = StringColumn::with_capacity(order.len(), 0);
        for &position in &order {
            sorted_keys.push(keys.get(position as usize));
        }
        let (classes, class_rank) = classes.sorted();
        let (split_names, split_rank) = split_names.sorted();
        let warnings = warnings.finish(&source.place);
        let version = Version {
            source,
            name: name.to_owned(),
            label_origin: label_origin.to_owned(),
            keys: sorted_keys,
            labels: order
                .iter()
                .map(|&at| class_rank.get(labels[at as usize] as usize).copied().unwrap_or(UNLABELLED))
                .collect(),
            splits: order
                .iter()
                .map(|&at| split_rank.get(splits[at as usize] as usize).map_or(NO_SPLIT, |&rank| rank as u16))
                .collect(),
            classes,
            split_names,
            warnings,
            spelling: None,
        };
        (version, order)
    }
}

/// A million bad rows must not become a million sentences.
#[derive(Debug, Default)]
struct Warnings {
    kept: Vec<Warning>,
    seen: BTreeMap<WarningKind, usize>,
}

impl Warnings {
    fn push(&mut self, warning: Warning) {
        let seen = self.seen.entry(warning.kind).or_default();
        *seen += 1;
        if *seen <= MAX_WARNINGS_OF_A_KIND {
            self.kept.push(warning);
        }
    }

    fn finish(mut self, place: &str) -> Vec<Warning> {
        for (kind, seen) in self.seen {
            if seen > MAX_WARNINGS_OF_A_KIND {
                let message = format!("and {} more of this kind", seen - MAX_WARNINGS_OF_A_KIND);
                self.kept.push(Warning::on(place, kind, message));
            }
        }
        self.kept
    }
}

/// Gives each distinct name a number in order of first sight.
#[derive(Debug, Default)]
struct Interner {
    ids: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Interner {
    fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len() as u32;
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The names ascending, and for each old id its place among them.
    fn sorted(self) -> (Vec<Arc<str>>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_by(|&a, &b| self.names[a as usize].cmp(&self.names[b as usize]));
        let mut rank = vec![0; order.len()];
        for (place, &id) in order.iter().enumerate() {
            rank[id as usize] = place as u32;
        }
        (order.iter().map(|&id| self.names[id as usize].clone()).collect(), rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceRef {
        SourceRef { kind: "folder".into(), place: "/data".into(), revision: None }
    }

    #[test]
    fn rows_come_sorted_whatever_the_order_of_arrival() {
        let mut builder = VersionBuilder::default();
        builder.push("b/2.png", Some("b"), Some("train"));
        builder.push("a/1.png", Some("a"), None);
        builder.push("c/3.png", None, Some("test"));
        let (version, order) = builder.build(source(), "data", "folder names");
        assert_eq!(order, [1, 0, 2]);
        assert_eq!((0..3).map(|r| version.key(r)).collect::<Vec<_>>(), ["a/1.png", "b/2.png", "c/3.png"]);
        assert_eq!((0..3).map(|r| version.label(r)).collect::<Vec<_>>(), [Some("a"), Some("b"), None]);
        assert_eq!((0..3).map(|r| version.split(r)).collect::<Vec<_>>(), [None, Some("train"), Some("test")]);
        assert_eq!(version.row_of("b/2.png"), Some(1));
        assert_eq!(version.row_of("b/3.png"), None);
        assert_eq!(version.class_counts(), (vec![1, 1], 1));
        assert_eq!(version.split_counts(), (vec![1, 1], 1));
        assert_eq!(version.class_id("b"), Some(1));
    }

    #[test]
    fn mapped_classes_keep_their_spelling() {
        let mut builder = VersionBuilder::default();
        builder.push("1", Some("T-Shirt"), None);
        builder.push("2", Some("Hat"), None);
        builder.push("3", Some("tshirt"), None);
        builder.push("4", Some("tshirt"), None);
        builder.push("5", None, None);
        let (version, _) = builder.build(source(), "data", "column `label`");
        let mapped = version.with_class_names(|name| (name != "Hat").then(|| "t-shirt".to_owned()));
        assert_eq!(mapped.classes().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["Hat", "t-shirt"]);
        assert_eq!(mapped.class_counts(), (vec![1, 3], 1));
        assert_eq!(
            (0..5).map(|r| mapped.spelling(r)).collect::<Vec<_>>(),
            [Some("T-Shirt"), Some("Hat"), Some("tshirt"), Some("tshirt"), None]
        );
        assert_eq!(mapped.spelling_of_class("t-shirt"), "tshirt");
        assert_eq!(mapped.spelling_of_class("boot"), "boot");
    }

    #[test]
    fn a_flood_of_warnings_is_counted() {
        let mut builder = VersionBuilder::default();
        for _ in 0..MAX_WARNINGS_OF_A_KIND + 8 {
            builder.push("x.png", Some("cat"), None);
        }
        builder.warn(Warning::on("y.png", WarningKind::Missing, "gone"));
        let (version, _) = builder.build(source(), "data", "column `label`");
        assert_eq!(version.len(), 1);
        assert_eq!(version.warnings().len(), MAX_WARNINGS_OF_A_KIND + 2);
        let last = version.warnings().last().expect("there are some");
        assert_eq!(
            (last.kind, last.message.as_str()),
            (WarningKind::DuplicateKey, "and 7 more of this kind")
        );
    }

    #[test]
    fn the_first_of_two_equal_keys_stays() {
        let mut builder = VersionBuilder::default();
        builder.push("x.png", Some("cat"), None);
        builder.push("x.png", Some("dog"), None);
        let (version, _) = builder.build(source(), "data", "column `label`");
        assert_eq!(version.len(), 1);
        assert_eq!(version.label(0), Some("cat"));
        assert_eq!(version.warnings()[0].kind, WarningKind::DuplicateKey);
    }
}
