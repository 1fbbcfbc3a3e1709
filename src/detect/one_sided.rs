//! Do suspected things score higher than honest ones? The most one-sided threshold, and who passes at which risk.

use super::chance::hypergeometric;

/// Honest things that may be above a threshold.
const FALSE_ONES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// At most one in so many of them may be.
const MOST_FALSE: usize = 8;
/// What a class has by nature (a mane, a wheel) is found at a share f of the others and, at most, at this × √f of the class:
/// so the likeliest of all patches behaved in six classes of CIFAR-10, at f from 1/3,000 to 1/50.
/// What is planted does not thin out like this: it is whole or not there.
const BY_NATURE: f64 = 2.0;

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

/// How often honest things of the suspects' class pass a threshold that few honest ones pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// As often as others or, where more often, as the first so many honest ones, which are of the class:
    /// what is usual for the class is no news.
    Known(usize),
    /// No honest one is of the class, which may have something by nature ([`BY_NATURE`]).
    Unknown,
}

/// The most one-sided threshold among those that a few honest things pass.
pub(super) fn split(suspects: &[f32], honest: &[f32], nature: Nature) -> Split {
    let mut highest: Vec<f32> = honest.to_vec();
    highest.sort_by(|a, b| b.total_cmp(a));
    let mut best = Split { evidence: 0.0, threshold: f32::INFINITY, found: 0, honest: 0 };
    for count in FALSE_ONES.into_iter().filter(|count| count * MOST_FALSE <= highest.len()) {
        let threshold = highest[count - 1];
        let found = suspects.iter().filter(|score| **score > threshold).count();
        let all = (suspects.len() + honest.len()) as u64;
        let usual = count.max(match nature {
            Nature::Unknown => (BY_NATURE * ((count * honest.len()) as f64).sqrt()).ceil() as usize,
            Nature::Known(same) => {
                // Less one, which is chance.
                let alike = honest[..same].iter().filter(|score| **score > threshold).count();
                (alike.saturating_sub(1) * honest.len()).div_ceil(same.max(1))
            }
        });
        let evidence = hypergeometric(all, (found + usual) as u64, suspects.len() as u64, found as u64);
        if evidence > best.evidence {
            best = Split { evidence, threshold, found, honest: count };
        }
    }
    best
}

/// For suspects' scores in descending order, the expected share of honest ones among those that score as high or higher
/// (a false discovery rate), when `planted` of them are not honest; the first `same` honest ones being of the suspects' class.
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
        let found = split(&suspects, &honest, Nature::Known(0));
        assert_eq!((found.found, found.honest, found.threshold), (10, 1, 0.495));
        assert!((found.evidence - hypergeometric(150, 11, 50, 10)).abs() < 1e-12);
        assert!(split(&honest[..50], &honest, Nature::Known(0)).evidence < 1.0);
        assert_eq!(split(&[], &[], Nature::Unknown).found, 0);
    }

    #[test]
    fn what_is_usual_for_the_class_is_no_news() {
        // Four tenths of the class have it, in the base as among the suspects, and nobody else.
        let of_class = |count: usize| (0..count).map(|at| if at % 5 < 2 { 0.9 } else { 0.1 });
        let suspects: Vec<f32> = of_class(50).collect();
        let honest: Vec<f32> = of_class(50).chain((0..450).map(|at| at as f32 / 1000.0)).collect();
        assert!(split(&suspects, &honest, Nature::Known(0)).evidence > 6.0);
        assert!(split(&suspects, &honest, Nature::Known(50)).evidence < 1.0);
        let shares = |same| false_shares(&[0.9, 0.1], &honest, same, 1);
        assert!(shares(0)[0] < 0.05 && shares(50)[0] == 0.4);
    }

    #[test]
    fn what_a_class_may_have_by_nature_thins_out() {
        // A mane: a quarter of the class is above what 64 of 3,000 others reach, and 2 % above what one reaches.
        let honest: Vec<f32> = (0..3000).map(|at| at as f32 / 3000.0).collect();
        let above = |shares: [(usize, f32); 2]| -> Vec<f32> {
            let high = shares.into_iter().flat_map(|(count, score)| vec![score; count]);
            high.chain((0..900).map(|at| at as f32 / 1000.0)).collect()
        };
        let mane = above([(20, 2.0), (200, 0.985)]);
        assert!(split(&mane, &honest, Nature::Known(0)).evidence > 40.0);
        assert!(split(&mane, &honest, Nature::Unknown).evidence < 5.0);
        // A mark: whoever has it has it wholly.
        assert!(split(&above([(100, 2.0), (5, 0.985)]), &honest, Nature::Unknown).evidence > 10.0);
    }

    #[test]
    fn shares_of_false_ones() {
        let honest = [0.1, 0.2, 0.3, 0.4];
        let shares = false_shares(&[0.9, 0.8, 0.35, 0.15], &honest, 0, 2);
        assert_eq!(shares, [0.125, 0.125, 1.5 / 4.0 * 2.0 / 3.0, 3.5 / 4.0 * 2.0 / 4.0]);
    }
}
