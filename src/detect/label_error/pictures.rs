//! Which pictures teach and are judged, and what are their numbers?

use std::collections::HashMap;

use half::f16;

use crate::compare::{Side, VersionDiff};
use crate::detect::{DetectError, Input};
use crate::feature::{
    Embeddings, Extractor, FeatureError, HandCrafted, Look, PatchDictionary, Pixels, Supplied, embed, look,
};
use crate::model::{ChangeKind, UNLABELLED, Version, Warning, WarningKind};
use crate::task::Task;

/// Changes after which a sample may have a wrong label that it did not have before.
const JUDGED: [ChangeKind; 5] = [
    ChangeKind::Relabelled,
    ChangeKind::Edited,
    ChangeKind::Duplicated,
    ChangeKind::ReEncoded,
    ChangeKind::Added,
];

/// Who turns pictures into numbers: our own, and the model that a person brought.
pub(super) fn extractors<'a>(input: &Input<'a>) -> Vec<&'a dyn Extractor> {
    let mut all: Vec<&'a dyn Extractor> = vec![&HandCrafted, &PatchDictionary];
    if let Some(model) = &input.options.model {
        all.push(model.as_ref());
    }
    all
}

/// How large pictures are learnt from: small ones as they are.
pub(super) fn pixels(
    side: Side<'_>,
    rows: &[u32],
    input: &Input<'_>,
    task: &Task,
) -> Result<&'static Pixels, FeatureError> {
    const SMALL: u32 = 48;
    /// So many photos are learnt from at the small side: time is short.
    const MANY: usize = 20_000;
    if rows.len() > MANY {
        return Ok(&Pixels::SMALL);
    }
    let looks = look(side.dataset, side.fingerprints, Some(rows), input.cache, task)?;
    let small = |look: &&Look| look.width.max(look.height) <= SMALL;
    let seen = || looks.rows.iter().flatten();
    Ok(if 2 * seen().filter(small).count() >= seen().count() { &Pixels::SMALL } else { &Pixels::LARGE })
}

/// What an expert may learn from.
pub(super) enum Source {
    /// So many numbers that say what a picture looks like, and where each stands in the mirrored picture's.
    Numbers(usize, Option<Vec<u32>>),
    /// The picture itself.
    Pixels(&'static Pixels),
}

/// Pictures that could be read, and their numbers.
pub(super) struct Pictures<'a> {
    /// Ascending.
    pub rows: Vec<u32>,
    /// By extractor; the pixels, if there are, last.
    numbers: Vec<Embeddings>,
    /// By extractor.
    mirrors: Vec<Option<Vec<u32>>>,
    /// The pictures themselves, if somebody learns from them.
    pixels: Option<&'static Pixels>,
    /// What a person brought, and the lines of it that are about the rows.
    supplied: Option<(&'a Supplied<f32>, Vec<usize>)>,
}

impl<'a> Pictures<'a> {
    /// Of the asked rows those whose picture every extractor has seen.
    pub fn read(
        side: Side<'_>,
        asked: &[u32],
        supplied: Option<&'a Supplied<f32>>,
        pixels: Option<&'static Pixels>,
        input: &Input<'_>,
        task: &Task,
    ) -> Result<Self, DetectError> {
        let Side { dataset, fingerprints } = side;
        // Every extractor at once, so that each picture is decoded once.
        look(dataset, fingerprints, Some(asked), input.cache, task)?;
        let extractors = extractors(input);
        let mirrors = extractors.iter().map(|extractor| extractor.mirror()).collect();
        let numbers = extractors
            .into_iter()
            .chain(pixels.map(|pixels| pixels as &dyn Extractor))
            .map(|extractor| embed(dataset, fingerprints, Some(asked), extractor, input.cache, task))
            .collect::<Result<Vec<Embeddings>, _>>()?;
        // They differ only where a file vanished meanwhile.
        let seen_by_all = |row: &u32| numbers.iter().all(|numbers| numbers.rows.binary_search(row).is_ok());
        let rows: Vec<u32> = asked.iter().copied().filter(seen_by_all).collect();
        let supplied = match supplied {
            Some(table) => Some((table, table.lines_of(&dataset.version, &rows)?)),
            None => None,
        };
        Ok(Self { rows, numbers, mirrors, pixels, supplied })
    }

    /// Everything that an expert may learn from.
    pub fn sources(&self) -> Vec<Source> {
        let numbers = self.numbers.iter().zip(&self.mirrors);
        let numbers = numbers.map(|(numbers, mirror)| Source::Numbers(numbers.dim, mirror.clone()));
        let supplied = self.supplied.iter().map(|(table, _)| Source::Numbers(table.width, None));
        numbers.chain(self.pixels.map(Source::Pixels)).chain(supplied).collect()
    }

    /// Writes the numbers of one source for the row at a position.
    pub fn write(&self, source: usize, position: usize, out: &mut [f32]) {
        let Some(Embeddings { dim, rows, values }) = self.numbers.get(source) else {
            if let Some((table, lines)) = &self.supplied {
                out.copy_from_slice(table.row(lines[position]));
            }
            return;
        };
        let Ok(at) = rows.binary_search(&self.rows[position]) else { return };
        let values = &values[at * dim..(at + 1) * dim];
        out.iter_mut().zip(values).for_each(|(out, value): (_, &f16)| *out = value.to_f32());
    }
}

/// For each class of `version` its id in `teacher`, by name.
pub(super) fn classes_in(version: &Version, teacher: &Version) -> Vec<Option<u32>> {
    version.classes().iter().map(|name| teacher.class_id(name)).collect()
}

/// Labelled rows that the contribution brought or touched.
pub(super) fn touched(version: &Version, diff: &VersionDiff) -> Vec<u32> {
    let changed = |row: usize| {
        let change = diff.change_of_row.get(row).copied().flatten();
        change
            .and_then(|at| diff.changes.get(at as usize))
            .is_some_and(|change| JUDGED.iter().any(|kind| change.is(*kind)))
    };
    let rows = (0..version.len()).filter(|&row| version.label_id(row) != UNLABELLED && changed(row));
    rows.map(|row| row as u32).collect()
}

/// Of the touched rows those whose class the base knows; warns of the others.
pub(super) fn contributed(
    target: Side<'_>,
    base: Side<'_>,
    diff: &VersionDiff,
    warnings: &mut Vec<Warning>,
) -> Vec<u32> {
    let version = &target.dataset.version;
    let known = classes_in(version, &base.dataset.version);
    let mut rows = touched(version, diff);
    rows.retain(|&row| {
        let row = row as usize;
        let class_is_known = known[version.label_id(row) as usize].is_some();
        if !class_is_known {
            let name = version.label(row).unwrap_or_default();
            let message =
                format!("the base has no class `{name}` to learn from; look at these labels yourself");
            warnings.push(Warning::on(version.key(row), WarningKind::NewClass, message));
        }
        class_is_known
    });
    rows
}

/// Why the rows that were `asked` for and not `read` could not be read.
pub(super) fn unreadable(
    asked: &[u32],
    read: &[u32],
    input: &Input<'_>,
    task: &Task,
) -> Result<Vec<Warning>, FeatureError> {
    let Side { dataset, fingerprints } = input.target;
    let missing: Vec<u32> = asked.iter().copied().filter(|row| read.binary_search(row).is_err()).collect();
    let mut warnings = look(dataset, fingerprints, Some(&missing), input.cache, task)?.warnings;
    let unhashed = fingerprints.unreadable.iter().filter(|warning| {
        let row = dataset.version.row_of(&warning.key).map(|row| row as u32);
        row.is_some_and(|row| missing.binary_search(&row).is_ok())
    });
    warnings.extend(unhashed.cloned());
    Ok(warnings)
}

/// Groups of copies: equal content, and what the diff says is the same picture.
pub(super) fn groups(
    taught: &[u32],
    teaching: Side<'_>,
    extra: Option<(&VersionDiff, &[u32], Side<'_>)>,
) -> Vec<u32> {
    let mut by_hash = HashMap::new();
    let mut next = 0..;
    let mut fresh = || next.next().expect("fewer samples than u32 holds");
    let mut groups: Vec<u32> = taught
        .iter()
        .map(|&row| match teaching.fingerprints.hashes[row as usize] {
            Some(hash) => *by_hash.entry(hash).or_insert_with(&mut fresh),
            None => fresh(),
        })
        .collect();
    if let Some((diff, rows, target)) = extra {
        for &row in rows {
            let at = row as usize;
            let change = diff.change_of_row[at].and_then(|change| diff.changes.get(change as usize));
            let twin =
                diff.counterparts.get(at).copied().flatten().or(change.and_then(|change| change.base_row));
            let twin = twin.and_then(|twin| taught.binary_search(&twin).ok()).map(|at| groups[at]);
            let same = || target.fingerprints.hashes[at].and_then(|hash| by_hash.get(&hash).copied());
            let group = twin.or_else(same);
            groups.push(group.unwrap_or_else(&mut fresh));
        }
    }
    groups
}
