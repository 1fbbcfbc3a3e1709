//! From which evidence on is there an alarm? What the trusted base reaches against itself is no news.
//!
//! The base is split into a pretended contribution and a pretended base; a detector runs on them as it would on the
//! real ones. Whatever it finds is chance, or the nature of this dataset: the alarm begins above.

use std::collections::BTreeMap;

/// How far beyond the largest honest evidence an alarm begins, as a factor and in −log10 p.
const MARGIN: (f64, f64) = (1.25, 2.0);

/// Splits things into a pretended contribution of at most `most` and the rest, every label alike.
/// Another draw is another split; the same draw is the same.
pub(super) fn split(labels: &[u32], most: usize, draw: u64) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    // Things of one label follow each other in an order that only the draw decides.
    order.sort_by_key(|&at| (labels[at], mixed(at as u64 ^ draw.rotate_left(32)), at));
    let wanted = most.min(labels.len() / 2);
    let mut pretended = Vec::with_capacity(wanted);
    let mut rest = Vec::with_capacity(labels.len() - wanted);
    for (at, &thing) in order.iter().enumerate() {
        // Evenly over the order: one whenever the share passes the next whole number.
        let (before, after) = (at * wanted / labels.len(), (at + 1) * wanted / labels.len());
        if after > before { pretended.push(thing) } else { rest.push(thing) }
    }
    pretended.sort_unstable();
    rest.sort_unstable();
    (pretended, rest)
}

/// The alarm threshold, no lower than the usual one, given the largest evidence that honest data reached.
pub(super) fn alarm(usual: f64, honest: f64) -> f64 {
    usual.max(MARGIN.0 * honest + MARGIN.1)
}

/// Bits that look random (`SplitMix64`).
pub(super) fn mixed(value: u64) -> u64 {
    let mut bits = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// So many of a list, evenly spread, in its order.
pub(super) fn spread<T: Copy>(list: &[T], most: usize) -> Vec<T> {
    let most = most.min(list.len());
    (0..most).map(|at| list[at * list.len() / most]).collect()
}

/// At most so many of a list of (row, label), in its order: of frequent labels fewer, of rare ones all, so that what only
/// some of a rare label share is not lost.
pub(super) fn spread_by_label(list: &[(u32, u32)], most: usize) -> Vec<(u32, u32)> {
    let mut by_label: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for &one in list {
        by_label.entry(one.1).or_default().push(one);
    }
    let mut sizes: Vec<usize> = by_label.values().map(Vec::len).collect();
    sizes.sort_unstable();
    // From the rarest on: each label may have an equal part of the room that is left.
    let (mut room, mut each) = (most.min(list.len()), 0);
    for (at, &size) in sizes.iter().enumerate() {
        each = room / (sizes.len() - at);
        if size > each {
            break;
        }
        room -= size;
        each = size;
    }
    let mut kept: Vec<(u32, u32)> = by_label.values().flat_map(|of_label| spread(of_label, each)).collect();
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_labels_are_kept_whole() {
        let list: Vec<(u32, u32)> = (0..100).map(|row| (row, u32::from(row % 10 == 0))).collect();
        let kept = spread_by_label(&list, 30);
        assert_eq!((kept.len(), kept.iter().filter(|one| one.1 == 1).count()), (30, 10));
        assert!(kept.is_sorted());
        assert_eq!(spread_by_label(&list, 16).iter().filter(|one| one.1 == 1).count(), 8);
        assert_eq!(spread_by_label(&list, 1000), list);
        assert_eq!(spread_by_label(&[], 5), vec![]);
    }

    #[test]
    fn every_label_is_split_alike() {
        let labels: Vec<u32> = (0..90).map(|at| at % 3).collect();
        let (pretended, rest) = split(&labels, 30, 1);
        assert_eq!((pretended.len(), rest.len()), (30, 60));
        for label in 0..3 {
            let count = pretended.iter().filter(|&&at| labels[at] == label).count();
            assert_eq!(count, 10, "label {label}");
        }
        assert!(pretended.iter().all(|at| !rest.contains(at)));
        assert_eq!(split(&labels, 30, 1).0, pretended);
        assert_ne!(split(&labels, 30, 2).0, pretended);
        assert_eq!(split(&labels, 1000, 1).0.len(), 45);
        assert_eq!(split(&[], 5, 1), (vec![], vec![]));
    }

    #[test]
    fn thresholds_and_spreads() {
        assert_eq!((alarm(10.0, 4.0), alarm(10.0, 12.0)), (10.0, 17.0));
        assert_eq!(spread(&[1, 2, 3, 4, 5], 2), [1, 3]);
        assert_eq!(spread(&[1, 2], 9), [1, 2]);
        assert_eq!(spread::<u8>(&[], 9), [0_u8; 0]);
    }
}
