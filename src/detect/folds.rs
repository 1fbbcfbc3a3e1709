//! Which samples may not teach the model that judges them? Those of their own fold.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Number of folds.
pub(super) const FOLDS: usize = 5;

/// Deals samples into [`FOLDS`] folds, every class as evenly as it goes; samples of one group go together,
/// since a wrong label that is there twice would otherwise vouch for itself.
///
/// Groups are shuffled within the class of their first sample and dealt in turn, on from where the class before ended.
pub(super) fn deal(labels: &[u32], groups: &[u32], classes: usize, seed: u64) -> Vec<u8> {
    let group_count = groups.iter().max().map_or(0, |&group| group as usize + 1);
    let mut seen = vec![false; group_count];
    let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (&label, &group) in labels.iter().zip(groups) {
        if !std::mem::replace(&mut seen[group as usize], true) {
            by_class[label as usize].push(group);
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut fold_of_group = vec![0_u8; group_count];
    let mut turn = 0;
    for mut members in by_class {
        members.shuffle(&mut rng);
        for group in members {
            fold_of_group[group as usize] = (turn % FOLDS) as u8;
            turn += 1;
        }
    }
    groups.iter().map(|&group| fold_of_group[group as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_spread_evenly() {
        let labels: Vec<u32> = (0..103).map(|row| [0, 0, 1, 2][row % 4]).collect();
        let groups: Vec<u32> = (0..103).collect();
        let folds = deal(&labels, &groups, 3, 7);
        for class in 0..3 {
            let mut counts = [0; FOLDS];
            folds
                .iter()
                .zip(&labels)
                .filter(|(_, l)| **l == class)
                .for_each(|(f, _)| counts[*f as usize] += 1);
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_eq!(folds, deal(&labels, &groups, 3, 7));
        assert_ne!(folds, deal(&labels, &groups, 3, 8));
    }

    #[test]
    fn copies_stay_together_whatever_their_labels() {
        let labels: Vec<u32> = (0..60).map(|row| row % 3).collect();
        let groups: Vec<u32> = (0..60).map(|row| row / 4).collect();
        let folds = deal(&labels, &groups, 3, 1);
        for copies in folds.chunks(4) {
            assert!(copies.iter().all(|fold| *fold == copies[0]));
        }
        assert!((0..FOLDS as u8).all(|fold| folds.contains(&fold)));
    }
}
