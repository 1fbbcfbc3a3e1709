//! From which base picture may an unknown picture come? One that looks nearly the same.
//!
//! A query gives no more than [`MOST_CANDIDATES`] rows, however many pictures look alike.

use super::pairing::file_name;
use crate::feature::{HashIndex, Look};

/// Rows of one hash among which a query chooses, and rows in all.
const MOST_EQUAL: usize = 64;
/// Rows that a query gives.
const MOST_CANDIDATES: usize = 6;

/// The base's pictures by perceptual hash.
pub(super) struct Near(HashIndex);

/// A base row that may be where a picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Bits in which the perceptual hashes differ.
    pub(super) distance: u32,
    /// Row of the base.
    pub(super) base_row: u32,
}

/// What a query knows of the rows of the base.
pub(super) struct Preference<'a> {
    /// The key of the unknown sample.
    pub(super) key: &'a str,
    /// The key of a base row.
    pub(super) base_key: &'a (dyn Fn(u32) -> &'a str + Sync),
    /// Whether the picture of a base row may be the same at all.
    pub(super) possible: &'a (dyn Fn(u32) -> bool + Sync),
    /// Whether a base row has a counterpart already.
    pub(super) paired: &'a (dyn Fn(u32) -> bool + Sync),
}

impl Near {
    /// Indexes the looks of the base by row.
    pub(super) fn of(looks: &[Option<Look>]) -> Self {
        let looks = looks.iter().zip(0..);
        Self(HashIndex::of(
            looks.filter_map(|(look, row)| Some((look.as_ref()?.perceptual_hash, row))).collect(),
        ))
    }

    /// Base rows whose hash is near, nearest first; of equally near ones those with the same file name, then those
    /// without a counterpart, then by row.
    pub(super) fn candidates(&self, hash: u64, preference: &Preference<'_>) -> Vec<Candidate> {
        let mut found: Vec<(u32, bool, bool, u32)> = Vec::new();
        for near in self.0.near(hash) {
            let rows = self.0.pictures(near.position);
            found.extend(rows.iter().take(MOST_EQUAL).filter(|&&row| (preference.possible)(row)).map(
                |&row| {
                    let other_name = file_name((preference.base_key)(row)) != file_name(preference.key);
                    (near.distance, other_name, (preference.paired)(row), row)
                },
            ));
            // Hashes come nearest first: what follows is no nearer.
            if found.len() >= MOST_EQUAL {
                break;
            }
        }
        found.sort_unstable();
        found.truncate(MOST_CANDIDATES);
        found.into_iter().map(|(distance, _, _, base_row)| Candidate { distance, base_row }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Quality;

    #[expect(clippy::unnecessary_wraps, reason = "rows of looks are optional")]
    fn look(perceptual_hash: u64) -> Option<Look> {
        Some(Look {
            width: 1,
            height: 1,
            format: "png",
            perceptual_hash,
            pixel_hash: 0,
            quality: Quality::default(),
        })
    }

    fn rows_near(near: &Near, hash: u64) -> Vec<u32> {
        let preference = Preference { key: "x", base_key: &|_| "y", possible: &|_| true, paired: &|_| false };
        near.candidates(hash, &preference).into_iter().map(|candidate| candidate.base_row).collect()
    }

    #[test]
    fn the_nearest_come_first_and_preferences_break_ties() {
        let near = Near::of(&[look(0b111), look(0), look(0b1), look(0b10), look(u64::MAX)]);
        assert_eq!(rows_near(&near, 0), [1, 2, 3, 0]);
        let preference = Preference {
            key: "new/same.png",
            base_key: &|row| if row == 3 { "old/same.png" } else { "old/other.png" },
            possible: &|row| row != 1,
            paired: &|_| false,
        };
        let rows: Vec<u32> = near.candidates(0, &preference).iter().map(|c| c.base_row).collect();
        assert_eq!(rows, [3, 2, 0]);
    }

    #[test]
    fn many_equal_pictures_give_few_candidates() {
        let near = Near::of(&vec![look(0); 100_000]);
        assert_eq!(rows_near(&near, 0), [0, 1, 2, 3, 4, 5]);
        let near = Near::of(&(0..100_000).map(look).collect::<Vec<_>>());
        assert_eq!(rows_near(&near, 0)[0], 0);
        assert!(rows_near(&Near::of(&[]), 7).is_empty());
    }
}
