//! Who is suspected, and who says what is normal? The contributed pictures and the base; or, without a base, everybody.

use super::Input;
use crate::compare::Side;
use crate::model::{ChangeKind, UNLABELLED};

/// Changes that bring a picture or a label which may be planted.
const SUSPECT: [ChangeKind; 5] = [
    ChangeKind::Relabelled,
    ChangeKind::Edited,
    ChangeKind::Duplicated,
    ChangeKind::ReEncoded,
    ChangeKind::Added,
];

/// Rows with their labels (of the judged version's classes), by row.
pub(super) struct Lineup<'a> {
    pub target: Side<'a>,
    /// Labelled rows of the judged version that may be planted.
    pub suspects: Vec<(u32, u32)>,
    /// The base and its rows; a class that only the base has is [`UNLABELLED`] here.
    pub trusted: Option<(Side<'a>, Vec<(u32, u32)>)>,
}

impl<'a> Lineup<'a> {
    pub fn of(input: &Input<'a>) -> Self {
        let target = input.target;
        let version = &target.dataset.version;
        let labelled = |row: u32| {
            let label = version.label_id(row as usize);
            (label != UNLABELLED && target.fingerprints.hashes[row as usize].is_some())
                .then_some((row, label))
        };
        let Some((base, diff)) = input.base else {
            let suspects = (0..version.len() as u32).filter_map(labelled).collect();
            return Self { target, suspects, trusted: None };
        };
        let mut rows: Vec<u32> = diff
            .changes
            .iter()
            .filter(|change| SUSPECT.iter().any(|kind| change.is(*kind)))
            .filter_map(|change| change.row)
            .collect();
        rows.sort_unstable();
        let base_version = &base.dataset.version;
        let class_of: Vec<u32> =
            base_version.classes().iter().map(|name| version.class_id(name).unwrap_or(UNLABELLED)).collect();
        let trusted = (0..base_version.len() as u32)
            .filter(|&row| base.fingerprints.hashes[row as usize].is_some())
            .map(|row| {
                let label = base_version.label_id(row as usize);
                (row, class_of.get(label as usize).copied().unwrap_or(UNLABELLED))
            })
            .collect();
        Self {
            target,
            suspects: rows.into_iter().filter_map(labelled).collect(),
            trusted: Some((base, trusted)),
        }
    }
}
