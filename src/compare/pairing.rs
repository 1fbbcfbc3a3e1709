//! Which sample of the contribution is which of the base? By key and by bytes; no picture is decoded here.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::diff::Side;
use super::distribution::label_ids_in;
use crate::model::{ContentHash, UNLABELLED, Version};

/// How many leading folders may be left out of either version's keys.
const MOST_FOLDERS: usize = 4;

/// One-to-one pairs of rows, found from either side.
pub(super) struct Pairs {
    /// By row of the contribution, the base's row.
    pub(super) base_of: Vec<Option<u32>>,
    /// By row of the base, the contribution's row.
    pub(super) row_of: Vec<Option<u32>>,
}

impl Pairs {
    /// Nobody is paired yet.
    pub(super) fn none(base: Side<'_>, contribution: Side<'_>) -> Self {
        Self {
            base_of: vec![None; contribution.dataset.version.len()],
            row_of: vec![None; base.dataset.version.len()],
        }
    }

    /// Pairs two rows that are both free.
    pub(super) fn join(&mut self, row: u32, base_row: u32) {
        debug_assert!(self.free(row, base_row), "both are free");
        self.base_of[row as usize] = Some(base_row);
        self.row_of[base_row as usize] = Some(row);
    }

    /// Whether neither is paired.
    pub(super) fn free(&self, row: u32, base_row: u32) -> bool {
        self.base_of[row as usize].is_none() && self.row_of[base_row as usize].is_none()
    }
}

/// The names by which samples of two versions are compared.
pub(super) struct Names<'a> {
    pub(super) base: &'a Version,
    pub(super) contribution: &'a Version,
    /// Bytes of leading folders that are left out of the base's and the contribution's keys.
    pub(super) skipped: (usize, usize),
    /// For each label id of the contribution the base's id of that name.
    pub(super) label_in_base: Vec<Option<u32>>,
}

impl<'a> Names<'a> {
    /// Compares keys as they are if any key is in both versions.
    /// Otherwise one version may have been opened a few folders further up, as a list and a folder often are:
    /// then those leading folders of *all* its keys are left out for which most keys agree with equal bytes under
    /// them, and at least half of the smaller version's do. Names alone prove nothing: `0001.jpg` is everywhere.
    pub(super) fn of(base: Side<'a>, contribution: Side<'a>) -> Self {
        let (ours, theirs) = (base.dataset.version.as_ref(), contribution.dataset.version.as_ref());
        let label_in_base = label_ids_in(theirs, ours);
        let mut names = Self { base: ours, contribution: theirs, skipped: (0, 0), label_in_base };
        let mut any = false;
        same_keys(ours, theirs, (0, 0), |_, _| any = true);
        if any || ours.is_empty() || theirs.is_empty() {
            return names;
        }
        let mut most = ours.len().min(theirs.len()).div_ceil(2);
        for &skip in &leading_folders(ours) {
            for &their_skip in &leading_folders(theirs) {
                let mut count = 0_usize;
                same_keys(ours, theirs, (skip, their_skip), |base_row, row| {
                    let hash = base.fingerprints.hashes[base_row as usize];
                    count +=
                        usize::from(hash.is_some() && hash == contribution.fingerprints.hashes[row as usize]);
                });
                if count > most || (count == most && names.skipped == (0, 0)) {
                    (most, names.skipped) = (count, (skip, their_skip));
                }
            }
        }
        names
    }

    /// The part of a base row's key that is compared.
    pub(super) fn base_key(&self, row: u32) -> &'a str {
        &self.base.key(row as usize)[self.skipped.0..]
    }

    /// The part of a contribution row's key that is compared.
    pub(super) fn key(&self, row: u32) -> &'a str {
        &self.contribution.key(row as usize)[self.skipped.1..]
    }

    /// A number for the label of a row of the contribution, equal to the base's id of a class of that name.
    fn label_token(&self, row: u32) -> u32 {
        let id = self.contribution.label_id(row as usize);
        match self.label_in_base.get(id as usize) {
            Some(Some(base_id)) => *base_id,
            Some(None) => self.base.classes().len() as u32 + id,
            None => UNLABELLED,
        }
    }

    /// All pairs of rows with the same key, ascending.
    pub(super) fn same_keys(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::with_capacity(self.base.len().min(self.contribution.len()));
        same_keys(self.base, self.contribution, self.skipped, |base_row, row| found.push((row, base_row)));
        found
    }
}

/// The lengths of up to four leading folders that all keys share, shortest (none) first.
fn leading_folders(version: &Version) -> Vec<usize> {
    // Keys ascend, so what the first and the last share, all share.
    let (first, last) = (version.key(0), version.key(version.len() - 1));
    let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let ends = first.bytes().take(shared).enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends.take(MOST_FOLDERS)).collect()
}

/// Walks both versions in key order and names the rows with equal keys.
/// Leaving out a prefix that all keys share does not change the order.
fn same_keys(
    base: &Version,
    contribution: &Version,
    skipped: (usize, usize),
    mut found: impl FnMut(u32, u32),
) {
    let (mut base_row, mut row) = (0, 0);
    while base_row < base.len() && row < contribution.len() {
        match base.key(base_row)[skipped.0..].cmp(&contribution.key(row)[skipped.1..]) {
            Ordering::Less => base_row += 1,
            Ordering::Greater => row += 1,
            Ordering::Equal => {
                found(base_row as u32, row as u32);
                base_row += 1;
                row += 1;
            }
        }
    }
}

/// The last part of a key.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// The last `parts` parts of a key.
fn tail(key: &str, parts: usize) -> &str {
    key.rmatch_indices('/').nth(parts - 1).map_or(key, |(at, _)| &key[at + 1..])
}

/// Pairs the free rows of equal bytes, those with the most similar names first: the same last three parts of the
/// key, two parts, file name and label, file name, label, and what is left in key order.
pub(super) fn pair_by_content(names: &Names<'_>, base: Side<'_>, contribution: Side<'_>, pairs: &mut Pairs) {
    let ours = free_by_hash(&base.fingerprints.hashes, &pairs.row_of);
    let theirs = free_by_hash(&contribution.fingerprints.hashes, &pairs.base_of);
    for (group, base_group) in equal_groups(&theirs, &ours) {
        let rows: Vec<u32> = theirs[group].iter().map(|(_, row)| *row).collect();
        let base_rows: Vec<u32> = ours[base_group].iter().map(|(_, row)| *row).collect();
        if let ([row], [base_row]) = (rows.as_slice(), base_rows.as_slice()) {
            pairs.join(*row, *base_row);
        } else {
            pair_equals(names, rows, base_rows, pairs);
        }
    }
}

/// Rows that are free and readable, with their hash, ascending.
fn free_by_hash(hashes: &[Option<ContentHash>], paired: &[Option<u32>]) -> Vec<(ContentHash, u32)> {
    let mut free: Vec<(ContentHash, u32)> = hashes
        .iter()
        .zip(paired)
        .enumerate()
        .filter_map(|(row, (hash, paired))| hash.filter(|_| paired.is_none()).map(|hash| (hash, row as u32)))
        .collect();
    free.sort_unstable();
    free
}

/// The stretches of two sorted lists that have one hash.
fn equal_groups(
    theirs: &[(ContentHash, u32)],
    ours: &[(ContentHash, u32)],
) -> Vec<(Range<usize>, Range<usize>)> {
    let stretch = |list: &[(ContentHash, u32)], start: usize| {
        let hash = list[start].0;
        start..start + list[start..].partition_point(|(other, _)| *other == hash)
    };
    let mut groups = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < theirs.len() && b < ours.len() {
        let (group, base_group) = (stretch(theirs, a), stretch(ours, b));
        match theirs[a].0.cmp(&ours[b].0) {
            Ordering::Less => a = group.end,
            Ordering::Greater => b = base_group.end,
            Ordering::Equal => {
                (a, b) = (group.end, base_group.end);
                groups.push((group, base_group));
            }
        }
    }
    groups
}

/// What two rows must share to be paired at one tier: the less, the later.
type Likeness<'a> = fn(&'a str, u32) -> (&'a str, u32);

/// Pairs copies of one picture with copies of it, by ever less similar names; whatever their number, by sorting.
fn pair_equals(names: &Names<'_>, mut rows: Vec<u32>, mut base_rows: Vec<u32>, pairs: &mut Pairs) {
    let tiers: [Likeness<'_>; 6] = [
        |key, _| (tail(key, 3), 0),
        |key, _| (tail(key, 2), 0),
        |key, label| (file_name(key), label),
        |key, _| (file_name(key), 0),
        |_, label| ("", label),
        |_, _| ("", 0),
    ];
    for tier in tiers {
        let of = |row: u32| tier(names.key(row), names.label_token(row));
        let of_base = |row: u32| tier(names.base_key(row), names.base.label_id(row as usize));
        rows.sort_by(|&a, &b| of(a).cmp(&of(b)).then(a.cmp(&b)));
        base_rows.sort_by(|&a, &b| of_base(a).cmp(&of_base(b)).then(a.cmp(&b)));
        let (mut a, mut b) = (0, 0);
        while a < rows.len() && b < base_rows.len() {
            match of(rows[a]).cmp(&of_base(base_rows[b])) {
                Ordering::Less => a += 1,
                Ordering::Greater => b += 1,
                Ordering::Equal => {
                    pairs.join(rows[a], base_rows[b]);
                    a += 1;
                    b += 1;
                }
            }
        }
        rows.retain(|&row| pairs.base_of[row as usize].is_none());
        base_rows.retain(|&row| pairs.row_of[row as usize].is_none());
        if rows.is_empty() || base_rows.is_empty() {
            return;
        }
    }
}

/// The free rows of the contribution whose bytes the base has, with the base's row: the one with the same file name,
/// otherwise with the same label, otherwise the first.
pub(super) fn exact_copies(
    names: &Names<'_>,
    base: Side<'_>,
    contribution: Side<'_>,
    pairs: &Pairs,
) -> Vec<(u32, u32)> {
    let free = free_by_hash(&contribution.fingerprints.hashes, &pairs.base_of);
    let wanted: HashSet<ContentHash> = free.iter().map(|(hash, _)| *hash).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut first: HashMap<ContentHash, u32> = HashMap::new();
    let mut by_name: HashMap<(ContentHash, &str), u32> = HashMap::new();
    let mut by_label: HashMap<(ContentHash, u32), u32> = HashMap::new();
    for (row, hash) in base.fingerprints.hashes.iter().enumerate() {
        let Some(hash) = hash.filter(|hash| wanted.contains(hash)) else { continue };
        let row = row as u32;
        first.entry(hash).or_insert(row);
        by_name.entry((hash, file_name(names.base_key(row)))).or_insert(row);
        by_label.entry((hash, names.base.label_id(row as usize))).or_insert(row);
    }
    let mut copies: Vec<(u32, u32)> = free
        .into_iter()
        .filter_map(|(hash, row)| {
            let named = by_name.get(&(hash, file_name(names.key(row))));
            let labelled = || by_label.get(&(hash, names.label_token(row)));
            let original = named.or_else(labelled).or_else(|| first.get(&hash))?;
            Some((row, *original))
        })
        .collect();
    copies.sort_unstable();
    copies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_keys() {
        assert_eq!(file_name("a/b/c.png"), "c.png");
        assert_eq!(file_name("c.png"), "c.png");
        assert_eq!(tail("a/b/c.png", 1), "c.png");
        assert_eq!(tail("a/b/c.png", 2), "b/c.png");
        assert_eq!(tail("a/b/c.png", 3), "a/b/c.png");
        assert_eq!(tail("c.png", 3), "c.png");
    }
}
