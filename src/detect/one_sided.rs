//! Do suspected things score higher than honest ones? The most one-sided threshold, and who passes at which risk.

use super::chance::hypergeometric;

/// Honest things that may be above a threshold.
const FALSE_ONES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// At most one in so many of them may be.
const MOST_FALSE: usize = 8;

/// A threshold and what it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    /// −log10 p: hypergeometric, for the threshold chosen.
    pub evidence: f64,
    pub threshold: f32,
    /// Suspected and honest things above.
    pub found: usize,
    pub honest: usize,
}

/// The most one-sided threshold among those that a few honest things pass.
/// The first `same` honest ones are of the suspects' own label: where they pass more often than the others, theirs is
/// the share that counts, since what is usual for a class is no news.
pub(super) fn split(suspects: &[f32], honest: &[f32], same: usize) -> Split {
    let mut highest: Vec<f32> = honest.to_vec();
    highest.sort_by(|a, b| b.total_cmp(a));
    let mut best = Split { evidence: 0.0, threshold: f32::INFINITY, found: 0, honest: 0 };
    for count in FALSE_ONES.into_iter().filter(|count| count * MOST_FALSE <= highest.len()) {
        let threshold = highest[count - 1];
        let found = suspects.iter().filter(|score| **score > threshold).count();
        let all = (suspects.len() + honest.len()) as u64;
        // Less one, which is chance.
        let alike = honest[..same].iter().filter(|score| **score > threshold).count().saturating_sub(1);
        let usual = count.max((alike * honest.len()).div_ceil(same.max(1)));
        let evidence = hypergeometric(all, (found + usual) as u64, suspects.len() as u64, found as u64);
        if evidence > best.evidence {
            best = Split { evidence, threshold, found, honest: count };
        }
    }
    best
}

/// For suspects' scores in descending order, the expected share of honest ones among those that score as high or higher
/// (a false discovery rate), when `planted` of them are not honest; `same` as for [`split`].
pub(super) fn false_shares(descending: &[f32], honest: &[f32], same: usize, planted: usize) -> Vec<f64> {
    let sorted = |scores: &[f32]| {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let (all, alike) = (sorted(honest), sorted(&honest[..same]));
    let above = |sorted: &[f32], score: f32| sorted.len() - sorted.partition_point(|other| *other < score);
    let innocent = descending.len().saturating_sub(planted) as f64;
    let mut shares: Vec<f64> = descending
        .iter()
        .enumerate()
        .map(|(at, score)| {
            // Half a one more, so that it is not 0 where no honest one is as high.
            let usual = (above(&all, *score) as f64 + 0.5) / all.len().max(1) as f64;
            let own = above(&alike, *score) as f64 / alike.len().max(1) as f64;
            (usual.max(own) * innocent / (at + 1) as f64).min(1.0)
        })
        .collect();
    for at in (0..shares.len().saturating_sub(1)).rev() {
        shares[at] = shares[at].min(shares[at + 1]);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_that_splits_best() {
        let honest: Vec<f32> = (0..100).map(|at| at as f32 / 200.0).collect();
        let suspects: Vec<f32> = (0..50).map(|at| if at < 10 { 0.9 } else { at as f32 / 200.0 }).collect();
        let found = split(&suspects, &honest, 0);
        assert_eq!((found.found, found.honest, found.threshold), (10, 1, 0.495));
        assert!((found.evidence - hypergeometric(150, 11, 50, 10)).abs() < 1e-12);
        assert!(split(&honest[..50], &honest, 0).evidence < 1.0);
        assert_eq!(split(&[], &[], 0).found, 0);
    }

    #[test]
    fn what_is_usual_for_the_class_is_no_news() {
        // Four tenths of the class have it, in the base as among the suspects, and nobody else.
        let of_class = |count: usize| (0..count).map(|at| if at % 5 < 2 { 0.9 } else { 0.1 });
        let suspects: Vec<f32> = of_class(50).collect();
        let honest: Vec<f32> = of_class(50).chain((0..450).map(|at| at as f32 / 1000.0)).collect();
        assert!(split(&suspects, &honest, 0).evidence > 6.0);
        assert!(split(&suspects, &honest, 50).evidence < 1.0);
        let shares = |same| false_shares(&[0.9, 0.1], &honest, same, 1);
        assert!(shares(0)[0] < 0.05 && shares(50)[0] == 0.4);
    }

    #[test]
    fn shares_of_false_ones() {
        let honest = [0.1, 0.2, 0.3, 0.4];
        let shares = false_shares(&[0.9, 0.8, 0.35, 0.15], &honest, 0, 2);
        assert_eq!(shares, [0.125, 0.125, 1.5 / 4.0 * 2.0 / 3.0, 3.5 / 4.0 * 2.0 / 4.0]);
    }
}
