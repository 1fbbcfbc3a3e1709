//! What happened to each sample?
//!
//! Samples are paired in this order; who is paired stays paired:
//! 1. the same key and the same bytes (or bytes that cannot be read on either side: those are compared by key only);
//! 2. the same bytes under another key, the most similar key first;
//! 3. the same key with other bytes: both pictures are decoded and compared;
//! 4. what is left of the contribution: bytes that the base has elsewhere are a copy; otherwise pictures of the base
//!    with a near perceptual hash are decoded and compared, and the sample is paired with one that nobody has claimed,
//!    or is a copy of one that somebody has.
//!
//! Nothing is decoded where bytes and keys say it all.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::CompareError;
use super::distribution::same_label;
use super::likeness::{self, Likeness};
use super::near::{Candidate, Near, Preference};
use super::pairing::{self, Names, Pairs};
use crate::feature::{Cache, FeatureError, Fingerprints, Looks, look, picture};
use crate::model::{Change, ChangeKind, PixelBox, Version, Warning, WarningKind};
use crate::source::Dataset;
use crate::task::{Cancelled, Task};

/// One of the versions to compare.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The version and its pictures.
    pub dataset: &'a Dataset,
    /// Its content hashes.
    pub fingerprints: &'a Fingerprints,
}

/// Everything a contribution did to a base.
#[derive(Debug, Clone, Default)]
pub struct VersionDiff {
    /// One change a sample, by kind (in the order of [`ChangeKind`]), then key.
    pub changes: Vec<Change>,
    /// For each row of the contribution its counterpart in the base: same sample, changed or not. Copies have none.
    pub counterparts: Vec<Option<u32>>,
    /// For each row of the contribution the position of its change in `changes`.
    pub change_of_row: Vec<Option<u32>>,
    /// For each row of the base the position in `changes` of its removal.
    pub removal_of_base_row: Vec<Option<u32>>,
    /// Samples that are the same in both; none whose file could not be read.
    pub unchanged: usize,
    /// Rows of either version whose file could not be read.
    pub unreadable: usize,
    /// Leading folders of all keys of the base and of the contribution that were left out when keys were compared,
    /// because one version was opened further up than the other; mostly both empty.
    pub leading: (String, String),
}

impl VersionDiff {
    /// Number of changes of this kind.
    #[must_use]
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }
}

/// Compares a contribution with its base.
///
/// Deterministic. Looks at the base's pictures only when the contribution has samples that neither key nor bytes
/// explain. Pictures that cannot be decoded are warnings of the task.
///
/// # Panics
/// When fingerprints are not those of their version.
pub fn diff(
    base: Side<'_>,
    contribution: Side<'_>,
    cache: &Cache,
    task: &Task,
) -> Result<VersionDiff, CompareError> {
    diff_with(base, contribution, task, &|side, rows| {
        look(side.dataset, side.fingerprints, rows, cache, task)
    })
}

/// Looks at the pictures of a side: at some rows, or at all.
type LookAt<'a> = dyn Fn(Side<'_>, Option<&[u32]>) -> Result<Looks, FeatureError> + 'a;

/// [`diff`], with another way to look at pictures.
pub(super) fn diff_with(
    base: Side<'_>,
    contribution: Side<'_>,
    task: &Task,
    look_at: &LookAt<'_>,
) -> Result<VersionDiff, CompareError> {
    for side in [base, contribution] {
        assert_eq!(
            side.fingerprints.hashes.len(),
            side.dataset.version.len(),
            "fingerprints of this version"
        );
    }
    task.begin("Comparing versions", 0);
    let names = Names::of(base, contribution);
    let mut pairs = Pairs::none(base, contribution);
    let mut same_keys = names.same_keys();
    same_keys.retain(|&(row, base_row)| {
        let (hash, base_hash) = (hash_of(contribution, row), hash_of(base, base_row));
        let joined = hash.is_none() || base_hash.is_none() || hash == base_hash;
        if joined {
            pairs.join(row, base_row);
        }
        !joined
    });
    task.check()?;
    pairing::pair_by_content(&names, base, contribution, &mut pairs);
    task.check()?;
    same_keys.retain(|&(row, base_row)| pairs.free(row, base_row));
    for &(row, base_row) in &same_keys {
        pairs.join(row, base_row);
    }

    let mut found =
        Found { pictures: compare_pairs(base, contribution, &same_keys, task)?, ..Found::default() };
    for (row, base_row) in pairing::exact_copies(&names, base, contribution, &pairs) {
        found.copies.insert(row, (base_row, None));
    }
    let unknown: Vec<u32> = (0..pairs.base_of.len() as u32)
        .filter(|row| pairs.base_of[*row as usize].is_none() && !found.copies.contains_key(row))
        .filter(|&row| hash_of(contribution, row).is_some())
        .collect();
    if !unknown.is_empty() && !pairs.row_of.is_empty() {
        let looks = (look_at(base, None)?, look_at(contribution, Some(&unknown))?);
        let matches = near_matches(base, contribution, &names, &pairs, &unknown, (&looks.0, &looks.1), task)?;
        assign(&matches, &mut pairs, &mut found);
    }
    Ok(list_changes(base, contribution, &names, pairs, &found))
}

fn hash_of(side: Side<'_>, row: u32) -> Option<crate::model::ContentHash> {
    side.fingerprints.hashes[row as usize]
}

/// What became of a picture whose bytes are others.
#[derive(Debug, Clone, Copy, PartialEq)]
enum PictureChange {
    ReEncoded,
    /// Where, in pixels of the contribution's picture, if it can be decoded.
    Edited(Option<PixelBox>),
}

/// What was found out about single rows of the contribution.
#[derive(Default)]
struct Found {
    /// Paired rows with other bytes.
    pictures: BTreeMap<u32, PictureChange>,
    /// Copies: the base's row, and what became of the picture.
    copies: BTreeMap<u32, (u32, Option<PictureChange>)>,
}

/// Decodes the picture at `row`; in words for a person why not.
fn decode(side: Side<'_>, row: u32) -> Result<picture::Picture, String> {
    let bytes = side.dataset.pictures.read(row as usize).map_err(|error| error.to_string())?;
    picture::decode(&bytes).map_err(|error| error.to_string())
}

/// Looks at both pictures of each (row, base row).
fn compare_pairs(
    base: Side<'_>,
    contribution: Side<'_>,
    pairs: &[(u32, u32)],
    task: &Task,
) -> Result<BTreeMap<u32, PictureChange>, Cancelled> {
    if !pairs.is_empty() {
        task.begin("Comparing pictures", pairs.len());
    }
    pairs
        .par_iter()
        .map(|&(row, base_row)| {
            task.check()?;
            let change = compare_pair(base, contribution, row, base_row, task);
            task.advance(1);
            Ok((row, change))
        })
        .collect()
}

fn compare_pair(
    base: Side<'_>,
    contribution: Side<'_>,
    row: u32,
    base_row: u32,
    task: &Task,
) -> PictureChange {
    let key = contribution.dataset.version.key(row as usize);
    let unseen = |whose: &str, why: &str| {
        let message =
            format!("what was edited cannot be shown: the {whose} picture cannot be decoded ({why})");
        task.warn(Warning::on(key, WarningKind::Unreadable, message));
    };
    let now = match decode(contribution, row) {
        Ok(picture) => picture,
        Err(why) => {
            unseen("contribution's", &why);
            return PictureChange::Edited(None);
        }
    };
    let whole = PixelBox { x: 0, y: 0, width: now.width, height: now.height };
    match decode(base, base_row) {
        Ok(then) => match likeness::compare(&then, &now) {
            Likeness::Same => PictureChange::ReEncoded,
            Likeness::Edited { area, .. } => PictureChange::Edited(Some(area)),
            Likeness::Unlike => PictureChange::Edited(Some(whole)),
        },
        Err(why) => {
            unseen("base's", &why);
            PictureChange::Edited(Some(whole))
        }
    }
}

/// With a larger share of the picture changed, a near perceptual hash is no proof of where a picture comes from.
const MOST_EDITED: f64 = 0.25;

/// A base row that shows the picture of an unknown row; in order of preference.
#[derive(PartialEq)]
struct Match {
    row: u32,
    candidate: Candidate,
    other_name: bool,
    change: PictureChange,
}

/// For each unknown row the base rows that prove to show its picture, best first.
fn near_matches(
    base: Side<'_>,
    contribution: Side<'_>,
    names: &Names<'_>,
    pairs: &Pairs,
    unknown: &[u32],
    (base_looks, looks): (&Looks, &Looks),
    task: &Task,
) -> Result<Vec<Match>, Cancelled> {
    let near = Near::of(&base_looks.rows);
    task.begin("Comparing pictures", unknown.len());
    let matches: Vec<Vec<Match>> = unknown
        .par_iter()
        .map(|&row| {
            task.check()?;
            task.advance(1);
            let Some(look) = looks.rows[row as usize] else { return Ok(Vec::new()) };
            let preference = Preference {
                key: names.key(row),
                base_key: &|base_row| names.base_key(base_row),
                possible: &|base_row| {
                    base_looks.rows[base_row as usize].is_some_and(|base| {
                        likeness::same_shape((base.width, base.height), (look.width, look.height))
                    })
                },
                paired: &|base_row| pairs.row_of[base_row as usize].is_some(),
            };
            let candidates = near.candidates(look.perceptual_hash, &preference);
            if candidates.is_empty() {
                return Ok(Vec::new());
            }
            // What cannot be decoded has no look; a file that vanished since then is simply not recognised.
            let Ok(now) = decode(contribution, row) else { return Ok(Vec::new()) };
            let mut matches = Vec::new();
            for candidate in candidates {
                task.check()?;
                let Ok(then) = decode(base, candidate.base_row) else { continue };
                let change = match likeness::compare(&then, &now) {
                    Likeness::Same => PictureChange::ReEncoded,
                    Likeness::Edited { area, share } if share <= MOST_EDITED => {
                        PictureChange::Edited(Some(area))
                    }
                    Likeness::Edited { .. } | Likeness::Unlike => continue,
                };
                let other_name = pairing::file_name(names.key(row))
                    != pairing::file_name(names.base_key(candidate.base_row));
                matches.push(Match { row, candidate, other_name, change });
            }
            Ok(matches)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut matches: Vec<Match> = matches.into_iter().flatten().collect();
    matches.sort_by_key(|m| {
        let edited = m.change != PictureChange::ReEncoded;
        (edited, m.other_name, m.candidate.distance, m.row, m.candidate.base_row)
    });
    Ok(matches)
}

/// Pairs unknown rows with base rows that are free, best matches first; the others are copies of their best match.
/// A row that shows a base picture unchanged is never taken for an edit of another.
fn assign(matches: &[Match], pairs: &mut Pairs, found: &mut Found) {
    let mut unchanged = vec![false; pairs.base_of.len()];
    for m in matches {
        unchanged[m.row as usize] |= m.change == PictureChange::ReEncoded;
    }
    let fits = |m: &Match| m.change == PictureChange::ReEncoded || !unchanged[m.row as usize];
    for m in matches.iter().filter(|m| fits(m)) {
        if pairs.free(m.row, m.candidate.base_row) {
            pairs.join(m.row, m.candidate.base_row);
            found.pictures.insert(m.row, m.change);
        }
    }
    for m in matches.iter().filter(|m| fits(m)) {
        if pairs.base_of[m.row as usize].is_none() {
            found.copies.entry(m.row).or_insert((m.candidate.base_row, Some(m.change)));
        }
    }
}

/// Puts together what each row's change is.
fn list_changes(
    base: Side<'_>,
    contribution: Side<'_>,
    names: &Names<'_>,
    pairs: Pairs,
    found: &Found,
) -> VersionDiff {
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (row, counterpart) in pairs.base_of.iter().enumerate() {
        let row = row as u32;
        let (kinds, base_row, picture) = match (counterpart, found.copies.get(&row)) {
            (Some(base_row), _) => {
                let picture = found.pictures.get(&row).copied();
                (kinds_of_pair(names, row, *base_row, picture), Some(*base_row), picture)
            }
            (None, Some((original, picture))) => {
                let mut kinds = vec![ChangeKind::Duplicated];
                kinds.extend(picture.map(kind_of_picture));
                (kinds, Some(*original), *picture)
            }
            (None, None) => (vec![ChangeKind::Added], None, None),
        };
        if kinds.is_empty() {
            let readable = hash_of(contribution, row).and(counterpart.and_then(|row| hash_of(base, row)));
            unchanged += usize::from(readable.is_some());
            continue;
        }
        let changed_box = match picture {
            Some(PictureChange::Edited(area)) => area,
            _ => None,
        };
        changes.push(change_of(kinds, Some(row), base_row, changed_box));
    }
    let removed = pairs.row_of.iter().enumerate().filter(|(_, row)| row.is_none());
    changes
        .extend(removed.map(|(row, _)| change_of(vec![ChangeKind::Removed], None, Some(row as u32), None)));
    // Rows ascend by key. Only removals have no row, and they have nothing but a base row.
    changes.sort_by_key(|change| (change.kind, change.row, change.base_row));

    let mut change_of_row = vec![None; pairs.base_of.len()];
    let mut removal_of_base_row = vec![None; pairs.row_of.len()];
    for (at, change) in changes.iter().enumerate() {
        match (change.row, change.base_row) {
            (Some(row), _) => change_of_row[row as usize] = Some(at as u32),
            (None, Some(base_row)) => removal_of_base_row[base_row as usize] = Some(at as u32),
            (None, None) => {}
        }
    }
    let unreadable = |side: Side<'_>| side.fingerprints.hashes.iter().filter(|hash| hash.is_none()).count();
    let leading = |version: &Version, bytes: usize| {
        if version.is_empty() { String::new() } else { version.key(0)[..bytes].to_owned() }
    };
    VersionDiff {
        changes,
        counterparts: pairs.base_of,
        change_of_row,
        removal_of_base_row,
        unchanged,
        unreadable: unreadable(base) + unreadable(contribution),
        leading: (leading(names.base, names.skipped.0), leading(names.contribution, names.skipped.1)),
    }
}

fn change_of(
    mut kinds: Vec<ChangeKind>,
    row: Option<u32>,
    base_row: Option<u32>,
    changed_box: Option<PixelBox>,
) -> Change {
    kinds.sort_unstable();
    let also = kinds.split_off(1);
    Change { kind: kinds[0], also, row, base_row, changed_box }
}

fn kind_of_picture(picture: PictureChange) -> ChangeKind {
    match picture {
        PictureChange::ReEncoded => ChangeKind::ReEncoded,
        PictureChange::Edited(_) => ChangeKind::Edited,
    }
}

/// Everything that is different about a sample that both versions have.
fn kinds_of_pair(
    names: &Names<'_>,
    row: u32,
    base_row: u32,
    picture: Option<PictureChange>,
) -> Vec<ChangeKind> {
    let (r, b) = (row as usize, base_row as usize);
    let (version, base) = (names.contribution, names.base);
    let mut kinds: Vec<ChangeKind> = picture.map(kind_of_picture).into_iter().collect();
    let relabelled = !same_label(&names.label_in_base, base.label_id(b), version.label_id(r));
    if relabelled {
        kinds.push(ChangeKind::Relabelled);
    }
    // A version without any splits says nothing about them.
    let both_split = !version.splits().is_empty() && !base.splits().is_empty();
    let split_moved = both_split && version.split(r) != base.split(b);
    if split_moved {
        kinds.push(ChangeKind::SplitMoved);
    }
    if names.key(row) != names.base_key(base_row) {
        // Folders named after class and split move with label and split; that alone is no renaming.
        let respelt = version.spelling(r) != base.spelling(b);
        let explained = (relabelled || split_moved || respelt)
            && without_own_folders(names.key(row), version, r).eq(without_own_folders(
                names.base_key(base_row),
                base,
                b,
            ));
        if !explained {
            kinds.push(ChangeKind::Renamed);
        }
    }
    kinds
}

/// The parts of a key without the folder named after the sample's class and the one named after its split.
fn without_own_folders<'a>(key: &'a str, version: &'a Version, row: usize) -> impl Iterator<Item = &'a str> {
    let mut own = [version.spelling(row), version.split(row)];
    let (folders, name) = key.rsplit_once('/').unwrap_or(("", key));
    let rest = folders.split('/').filter(move |folder| {
        match own.iter_mut().find(|own| own.is_some_and(|own| own.eq_ignore_ascii_case(folder))) {
            Some(own) => own.take().is_none(),
            None => true,
        }
    });
    rest.chain(std::iter::once(name))
}
