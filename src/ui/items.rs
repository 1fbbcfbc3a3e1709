//! How is a sample of either version named inside the window? By one number, so that selections are plain bits.

use std::sync::Arc;

use crate::compare::VersionDiff;
use crate::detect::image_problem::ImageMeasures;
use crate::detect::{Ranked, Scan};
use crate::feature::{Fingerprints, Look, Looks};
use crate::model::{Change, ContentHash, Group, GroupMember, Signal, Subject, SubjectBase, Version};

use super::session::{Session, Which};

/// A sample of the window: rows of the target first, then rows of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item(pub u32);

/// Read-only access to everything known about items; cheap to clone into a worker.
#[derive(Clone, Default)]
pub struct Items {
    /// The version under review.
    pub target: Option<Arc<Version>>,
    /// The base.
    pub base: Option<Arc<Version>>,
    /// What changed.
    pub diff: Option<Arc<VersionDiff>>,
    /// What the detectors found.
    pub scan: Option<Arc<Scan>>,
    /// Hashes of the target.
    pub target_prints: Option<Arc<Fingerprints>>,
    /// Hashes of the base.
    pub base_prints: Option<Arc<Fingerprints>>,
    /// Looks at pictures of the target and of the base.
    looks: [Option<Arc<Looks>>; 2],
    /// For each target row its place in the ranking, `u32::MAX` where it was not judged.
    rank: Arc<Vec<u32>>,
    /// For each item whether there is a warning on it, or its picture is poor or unlike all others.
    problems: Arc<Vec<bool>>,
    /// For each item whether there is a warning on it.
    warned: Arc<Vec<bool>>,
    /// How far each picture of the target is from being dark, blurred and so on.
    pub measures: Option<Arc<ImageMeasures>>,
    /// For each item the place of its group of duplicates in the scan, `u32::MAX` where it has none.
    groups: Arc<Vec<u32>>,
}

impl Items {
    /// What the session knows now.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        let slot = |which| session.slot(which);
        let mut items = Self {
            target: slot(Which::Target).and_then(|s| s.version().cloned()),
            base: slot(Which::Base).and_then(|s| s.version().cloned()),
            diff: session.diff().cloned(),
            scan: session.scan().cloned(),
            target_prints: slot(Which::Target).and_then(|s| s.fingerprints.clone()),
            base_prints: slot(Which::Base).and_then(|s| s.fingerprints.clone()),
            looks: [Which::Target, Which::Base].map(|which| slot(which).and_then(|s| s.looks.clone())),
            rank: Arc::default(),
            problems: Arc::default(),
            warned: Arc::default(),
            measures: slot(Which::Target).and_then(|s| s.measures.clone()),
            groups: Arc::default(),
        };
        if let Some(scan) = &items.scan {
            let mut rank = vec![u32::MAX; items.target_len()];
            for (place, ranked) in scan.ranking.iter().enumerate() {
                rank[ranked.row as usize] = place as u32;
            }
            items.rank = Arc::new(rank);
            let mut groups = vec![u32::MAX; items.len()];
            for (place, group) in scan.groups.iter().enumerate() {
                for member in &group.members {
                    groups[items.member(member).0 as usize] = place as u32;
                }
            }
            items.groups = Arc::new(groups);
        }
        let mut problems = vec![false; items.len()];
        for (which, warning) in session.warnings() {
            let version = match which {
                Which::Target => &items.target,
                Which::Base => &items.base,
                Which::Further(_) => &None,
            };
            if let Some(row) = version.as_ref().and_then(|version| version.row_of(&warning.key)) {
                problems[items.item(which, row).0 as usize] = true;
            }
        }
        items.warned = Arc::new(problems.clone());
        for ranked in items.scan.iter().flat_map(|scan| &scan.ranking) {
            if ranked.signals.iter().any(is_of_problem) {
                problems[items.item(Which::Target, ranked.row as usize).0 as usize] = true;
            }
        }
        items.problems = Arc::new(problems);
        items
    }

    /// Samples of the target.
    #[must_use]
    pub fn target_len(&self) -> usize {
        self.target.as_ref().map_or(0, |version| version.len())
    }

    /// Samples of both versions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.target_len() + self.base.as_ref().map_or(0, |version| version.len())
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a row of the base or of the version under review; further versions have none.
    #[must_use]
    pub fn item(&self, which: Which, row: usize) -> Item {
        match which {
            Which::Target => Item(row as u32),
            Which::Base => Item((self.target_len() + row) as u32),
            Which::Further(_) => Item(u32::MAX),
        }
    }

    /// The version and row of an item.
    #[must_use]
    pub fn place(&self, item: Item) -> (Which, usize) {
        let at = item.0 as usize;
        match at.checked_sub(self.target_len()) {
            None => (Which::Target, at),
            Some(row) => (Which::Base, row),
        }
    }

    fn version(&self, which: Which) -> Option<&Arc<Version>> {
        match which {
            Which::Target => self.target.as_ref(),
            Which::Base => self.base.as_ref(),
            Which::Further(_) => None,
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self, item: Item) -> &str {
        let (which, row) = self.place(item);
        self.version(which).map_or("", |version| version.key(row))
    }

    /// Its label.
    #[must_use]
    pub fn label(&self, item: Item) -> Option<&str> {
        let (which, row) = self.place(item);
        self.version(which)?.label(row)
    }

    /// Its split.
    #[must_use]
    pub fn split(&self, item: Item) -> Option<&str> {
        let (which, row) = self.place(item);
        self.version(which)?.split(row)
    }

    /// Its content hash, once known.
    #[must_use]
    pub fn hash(&self, item: Item) -> Option<ContentHash> {
        let (which, row) = self.place(item);
        let prints = match which {
            Which::Target => self.target_prints.as_ref(),
            Which::Base => self.base_prints.as_ref(),
            Which::Further(_) => None,
        };
        prints?.hashes.get(row).copied().flatten()
    }

    /// What its picture looks like, once it has been decoded.
    #[must_use]
    pub fn look(&self, item: Item) -> Option<&Look> {
        let (which, row) = self.place(item);
        self.looks[usize::from(which == Which::Base)].as_ref()?.rows.get(row)?.as_ref()
    }

    /// What changed about it.
    #[must_use]
    pub fn change(&self, item: Item) -> Option<&Change> {
        let diff = self.diff.as_ref()?;
        let (which, row) = self.place(item);
        let at = match which {
            Which::Target => diff.change_of_row.get(row).copied().flatten(),
            Which::Base => diff.removal_of_base_row.get(row).copied().flatten(),
            Which::Further(_) => None,
        };
        diff.changes.get(at? as usize)
    }

    /// The same sample (or, for a copy, its original) in the other version.
    #[must_use]
    pub fn counterpart(&self, item: Item) -> Option<Item> {
        let (which, row) = self.place(item);
        if which == Which::Base {
            return None;
        }
        let diff = self.diff.as_ref()?;
        let row = diff
            .counterparts
            .get(row)
            .copied()
            .flatten()
            .or_else(|| self.change(item).and_then(|change| change.base_row))?;
        Some(self.item(Which::Base, row as usize))
    }

    /// What the detectors say of it.
    #[must_use]
    pub fn ranked(&self, item: Item) -> Option<&Ranked> {
        let (which, row) = self.place(item);
        if which == Which::Base {
            return None;
        }
        let place = *self.rank.get(row)?;
        self.scan.as_ref()?.ranking.get(place as usize)
    }

    /// Whether there is a warning on it, or its picture is poor or unlike all others.
    #[must_use]
    pub fn has_problem(&self, item: Item) -> bool {
        self.problems.get(item.0 as usize).copied().unwrap_or(false)
    }

    /// Whether there is a warning on it: mostly that its file could not be read.
    #[must_use]
    pub fn is_warned(&self, item: Item) -> bool {
        self.warned.get(item.0 as usize).copied().unwrap_or(false)
    }

    /// The item of a member of a group of duplicates.
    #[must_use]
    pub fn member(&self, member: &GroupMember) -> Item {
        self.item(if member.in_base { Which::Base } else { Which::Target }, member.row as usize)
    }

    /// The place in the scan of the group of those that show the same picture.
    #[must_use]
    pub fn group_place(&self, item: Item) -> Option<usize> {
        self.groups.get(item.0 as usize).filter(|place| **place != u32::MAX).map(|place| *place as usize)
    }

    /// Those that show the same picture.
    #[must_use]
    pub fn group_of(&self, item: Item) -> Option<&Group> {
        self.scan.as_ref()?.groups.get(self.group_place(item)?)
    }

    /// What a decision on it would be about; `None` until its content is known.
    #[must_use]
    pub fn subject(&self, item: Item) -> Option<Subject> {
        let (which, row) = self.place(item);
        let version = self.version(which)?;
        let base = self.counterpart(item).and_then(|other| {
            let (_, base_row) = self.place(other);
            Some(SubjectBase {
                key: self.key(other).to_owned(),
                hash: self.hash(other)?,
                label: self.base.as_ref()?.spelling(base_row).map(str::to_owned),
                split: self.split(other).map(str::to_owned),
            })
        });
        Some(Subject {
            key: version.key(row).to_owned(),
            hash: self.hash(item)?,
            label: version.spelling(row).map(str::to_owned),
            split: version.split(row).map(str::to_owned),
            change: self.change(item).map(|change| change.kind),
            base,
        })
    }

    /// Every class of either version, ascending.
    #[must_use]
    pub fn classes(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> =
            [&self.target, &self.base].into_iter().flatten().flat_map(|v| v.classes().to_vec()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Whether a signal is about the picture itself, as the queue of image problems lists them.
#[must_use]
pub fn is_of_problem(signal: &Signal) -> bool {
    matches!(signal.detector, "image-problem" | "outlier")
}
