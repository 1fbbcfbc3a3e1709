//! Which pictures have nearly this perceptual hash? Found without comparing all with all.
//!
//! Hashes within [`RADIUS`] bits: of four bands of 16 bits at least one differs in no more than two bits (pigeonhole),
//! so 137 places in each of four tables are looked up.
//! Whatever the hashes, a query looks at no more than [`MOST_ENTRIES`] entries: thousands of blank pictures with nearly
//! one hash stay cheap. An index of few hashes compares with each of them instead and misses nothing.

use std::sync::LazyLock;

/// Hashes that differ in more bits are of two pictures. On photos, re-encoding and resizing change at most 4 bits and
/// a logo of 8 % of the side at most 12; of 1,000 clothing photos 49 have another one within 11 bits.
pub const RADIUS: u32 = 11;
const BANDS: usize = 4;
const BAND_BITS: usize = 16;
/// Bits in which the nearest band may differ: `RADIUS / BANDS` rounded down.
const BAND_RADIUS: u32 = RADIUS / BANDS as u32;
/// Entries that one query looks at, nearest bands first: a million unlike pictures need half of them.
const MOST_ENTRIES: usize = 1 << 14;
/// Hashes within the radius after which a query stops to look for more.
const MOST_NEAR: usize = 256;
/// Up to so many distinct hashes a query compares with each: cheaper than the tables, and no limit is ever met.
const FEW: usize = 2_000;

/// All ways to differ in at most [`BAND_RADIUS`] bits of a band, fewest first.
static FLIPS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut flips: Vec<u16> = (0..=u16::MAX).filter(|flip| flip.count_ones() <= BAND_RADIUS).collect();
    flips.sort_by_key(|flip| (flip.count_ones(), *flip));
    flips
});

/// Pictures by perceptual hash.
pub struct HashIndex {
    /// Distinct hashes, ascending.
    hashes: Vec<u64>,
    /// `members[starts[i]..starts[i + 1]]` have hash `i`.
    starts: Vec<u32>,
    members: Vec<u32>,
    /// None where the hashes are few.
    bands: Option<[Band; BANDS]>,
}

/// A hash near the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NearHash {
    /// Bits in which they differ.
    pub distance: u32,
    /// Its place among the distinct hashes.
    pub position: u32,
}

/// Positions of hashes by the value of one band: `positions[starts[value]..starts[value + 1]]`.
struct Band {
    starts: Vec<u32>,
    positions: Vec<u32>,
}

fn band_value(hash: u64, band: usize) -> u16 {
    (hash >> (band * BAND_BITS)) as u16
}

impl HashIndex {
    /// Indexes pictures: (hash, the picture's number).
    #[must_use]
    pub fn of(mut pictures: Vec<(u64, u32)>) -> Self {
        pictures.sort_unstable();
        let mut hashes = Vec::new();
        let mut starts = Vec::new();
        for (at, (hash, _)) in pictures.iter().enumerate() {
            if hashes.last() != Some(hash) {
                hashes.push(*hash);
                starts.push(at as u32);
            }
        }
        starts.push(pictures.len() as u32);
        let bands = (hashes.len() > FEW).then(|| std::array::from_fn(|band| Band::of(&hashes, band)));
        Self { hashes, starts, members: pictures.into_iter().map(|(_, number)| number).collect(), bands }
    }

    /// Hashes within the radius, nearest first.
    #[must_use]
    pub fn near(&self, hash: u64) -> Vec<NearHash> {
        let found = |position: usize| {
            let distance = (self.hashes[position] ^ hash).count_ones();
            (distance <= RADIUS).then_some(NearHash { distance, position: position as u32 })
        };
        let Some(bands) = &self.bands else {
            let mut near: Vec<NearHash> = (0..self.hashes.len()).filter_map(found).collect();
            near.sort_unstable();
            return near;
        };
        let mut near = Vec::new();
        let mut looked = 0;
        'search: for &flip in FLIPS.iter() {
            for (number, band) in bands.iter().enumerate() {
                for &position in band.at(band_value(hash, number) ^ flip) {
                    near.extend(found(position as usize));
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

    /// How many distinct hashes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is no picture.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The place of this hash among the distinct ones.
    #[must_use]
    pub fn position(&self, hash: u64) -> Option<u32> {
        self.hashes.binary_search(&hash).ok().map(|at| at as u32)
    }

    /// The numbers of the pictures with the hash at this place, ascending.
    #[must_use]
    pub fn pictures(&self, position: u32) -> &[u32] {
        let at = position as usize;
        &self.members[self.starts[at] as usize..self.starts[at + 1] as usize]
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

    /// An index with this picture 7 and enough others for the tables, none of them near.
    fn with_tables(hash: u64, query: u64) -> HashIndex {
        let others = (0_u64..).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let far = others.filter(|other| (other ^ query).count_ones() > RADIUS);
        HashIndex::of(far.take(FEW + 1).map(|hash| (hash, 8)).chain([(hash, 7)]).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_is_within_the_radius_is_found(hash: u64, flips in prop::collection::vec(0..64_u32, 0..20)) {
            let other = flips.iter().fold(hash, |hash, bit| hash ^ (1 << bit));
            let distance = (hash ^ other).count_ones();
            for index in [HashIndex::of(vec![(other, 7)]), with_tables(other, hash)] {
                let found: Vec<_> =
                    index.near(hash).into_iter().map(|near| (near.distance, index.pictures(near.position).to_vec())).collect();
                let expected = if distance <= RADIUS { vec![(distance, vec![7])] } else { vec![] };
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn many_near_hashes_are_cheap() {
        let index = HashIndex::of((0..100_000).map(|n| (u64::from(n), n)).collect());
        let near = index.near(0);
        assert_eq!(index.pictures(near[0].position), [0]);
        assert!(near.len() <= MOST_NEAR);
        assert!(HashIndex::of(vec![]).near(7).is_empty());
    }
}
