//! From which base picture may an unknown picture come? One that looks nearly the same.
//!
//! Perceptual hashes within [`RADIUS`] bits, found without comparing all with all: of four bands of 16 bits at least
//! one differs in no more than two bits (pigeonhole), so 137 places in each of four tables are looked up.
//! Whatever the hashes, a query looks at no more than [`MOST_ENTRIES`] entries and gives no more than
//! [`MOST_CANDIDATES`] rows: thousands of blank pictures with one hash stay cheap.

use std::sync::LazyLock;

use super::pairing::file_name;
use crate::feature::Look;

/// Hashes that differ in more bits are of two pictures. On photos, re-encoding and resizing change at most 4 bits and
/// a logo of 8 % of the side at most 12; of 1,000 clothing photos 49 have another one within 11 bits.
const RADIUS: u32 = 11;
const BANDS: usize = 4;
const BAND_BITS: usize = 16;
/// Bits in which the nearest band may differ: `RADIUS / BANDS` rounded down.
const BAND_RADIUS: u32 = RADIUS / BANDS as u32;
/// Entries that one query looks at, nearest bands first: a million unlike pictures need half of them.
const MOST_ENTRIES: usize = 1 << 14;
/// Hashes within the radius after which a query stops to look for more.
const MOST_NEAR: usize = 256;
/// Rows of one hash among which a query chooses, and rows in all.
const MOST_EQUAL: usize = 64;
/// Rows that a query gives.
const MOST_CANDIDATES: usize = 6;

/// All ways to differ in at most [`BAND_RADIUS`] bits of a band, fewest first.
static FLIPS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut flips: Vec<u16> = (0..=u16::MAX).filter(|flip| flip.count_ones() <= BAND_RADIUS).collect();
    flips.sort_by_key(|flip| (flip.count_ones(), *flip));
    flips
});

/// The base's pictures by perceptual hash.
pub(super) struct Near {
    /// Distinct hashes, ascending.
    hashes: Vec<u64>,
    /// `rows[starts[i]..starts[i + 1]]` have hash `i`.
    starts: Vec<u32>,
    rows: Vec<u32>,
    bands: [Band; BANDS],
}

/// Positions of hashes by the value of one band: `positions[starts[value]..starts[value + 1]]`.
struct Band {
    starts: Vec<u32>,
    positions: Vec<u32>,
}

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

fn band_value(hash: u64, band: usize) -> u16 {
    (hash >> (band * BAND_BITS)) as u16
}

impl Near {
    /// Indexes the looks of the base by row.
    pub(super) fn of(looks: &[Option<Look>]) -> Self {
        let mut by_hash: Vec<(u64, u32)> = looks
            .iter()
            .enumerate()
            .filter_map(|(row, look)| look.map(|look| (look.perceptual_hash, row as u32)))
            .collect();
        by_hash.sort_unstable();
        let mut hashes = Vec::new();
        let mut starts = Vec::new();
        for (at, (hash, _)) in by_hash.iter().enumerate() {
            if hashes.last() != Some(hash) {
                hashes.push(*hash);
                starts.push(at as u32);
            }
        }
        starts.push(by_hash.len() as u32);
        let bands = std::array::from_fn(|band| Band::of(&hashes, band));
        Self { hashes, starts, rows: by_hash.into_iter().map(|(_, row)| row).collect(), bands }
    }

    /// Base rows whose hash is near, nearest first; of equally near ones those with the same file name, then those
    /// without a counterpart, then by row.
    pub(super) fn candidates(&self, hash: u64, preference: &Preference<'_>) -> Vec<Candidate> {
        let mut found: Vec<(u32, bool, bool, u32)> = Vec::new();
        for (distance, position) in self.near_hashes(hash) {
            let rows = &self.rows[self.starts[position] as usize..self.starts[position + 1] as usize];
            found.extend(rows.iter().take(MOST_EQUAL).filter(|&&row| (preference.possible)(row)).map(
                |&row| {
                    let other_name = file_name((preference.base_key)(row)) != file_name(preference.key);
                    (distance, other_name, (preference.paired)(row), row)
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

    /// (distance, position) of the hashes within the radius, nearest first.
    fn near_hashes(&self, hash: u64) -> Vec<(u32, usize)> {
        let mut near = Vec::new();
        let mut looked = 0;
        'search: for &flip in FLIPS.iter() {
            for (number, band) in self.bands.iter().enumerate() {
                for &position in band.at(band_value(hash, number) ^ flip) {
                    let distance = (self.hashes[position as usize] ^ hash).count_ones();
                    if distance <= RADIUS {
                        near.push((distance, position as usize));
                    }
                    looked += 1;
                    if looked >= MOST_ENTRIES || near.len() >= MOST_NEAR {
                        break 'search;
                    }
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    }
}

impl Band {
    fn of(hashes: &[u64], band: usize) -> Self {
        let mut starts = vec![0_u32; (1 << BAND_BITS) + 1];
        for &hash in hashes {
            starts[usize::from(band_value(hash, band)) + 1] += 1;
        }
        for value in 0..1 << BAND_BITS {
            starts[value + 1] += starts[value];
        }
        let mut next = starts.clone();
        let mut positions = vec![0; hashes.len()];
        for (position, &hash) in hashes.iter().enumerate() {
            let place = &mut next[usize::from(band_value(hash, band))];
            positions[*place as usize] = position as u32;
            *place += 1;
        }
        Self { starts, positions }
    }

    fn at(&self, value: u16) -> &[u32] {
        let value = usize::from(value);
        &self.positions[self.starts[value] as usize..self.starts[value + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "rows of looks are optional")]
    fn look(perceptual_hash: u64) -> Option<Look> {
        Some(Look { width: 1, height: 1, format: "png", perceptual_hash })
    }

    fn rows_near(near: &Near, hash: u64) -> Vec<u32> {
        let preference = Preference { key: "x", base_key: &|_| "y", possible: &|_| true, paired: &|_| false };
        near.candidates(hash, &preference).into_iter().map(|candidate| candidate.base_row).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_within_the_radius_is_found(hash: u64, flips in prop::collection::vec(0..64_u32, 0..20)) {
            let other = flips.iter().fold(hash, |hash, bit| hash ^ (1 << bit));
            let near = Near::of(&[None, look(other)]);
            let expected: &[u32] = if (hash ^ other).count_ones() <= RADIUS { &[1] } else { &[] };
            prop_assert_eq!(rows_near(&near, hash), expected);
        }
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
