//! Do two reviewers say the same, and more often than by chance?

use serde::Serialize;

/// Cohen's kappa with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kappa {
    /// 1 = always the same, 0 = as by chance; `None` when both only ever said one thing.
    pub kappa: Option<f64>,
    /// √(po (1 − po) / (N (1 − pe)²)); `None` as above.
    pub standard_error: Option<f64>,
    /// The share of samples on which they say the same.
    pub observed: f64,
}

/// What two reviewers made of the same samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Their names, ascending.
    pub reviewers: [String; 2],
    /// Samples that both called right or wrong.
    pub common: u64,
    /// Both called it wrong, only the first, only the second, none.
    pub table: [u64; 4],
    /// Cohen's kappa of right against wrong.
    pub kappa: Kappa,
    /// Krippendorff's alpha of right against wrong over all reviewers, missing ones allowed.
    pub alpha: Option<f64>,
    /// 2a / (2a + b + c): of what either called wrong, how much both did; kappa alone says little where wrong is rare.
    pub positive: Option<f64>,
}

/// Cohen's kappa (1960) of pairs of categories: (po − pe) / (1 − pe). `None` for no pairs.
#[must_use]
pub fn cohen_kappa(pairs: &[(usize, usize)]) -> Option<Kappa> {
    if pairs.is_empty() {
        return None;
    }
    let categories = pairs.iter().map(|(a, b)| a.max(b) + 1).max().unwrap_or(0);
    let count = pairs.len() as f64;
    let (mut first, mut second) = (vec![0_u64; categories], vec![0_u64; categories]);
    for (a, b) in pairs {
        first[*a] += 1;
        second[*b] += 1;
    }
    let observed = pairs.iter().filter(|(a, b)| a == b).count() as f64 / count;
    let by_chance: f64 =
        first.iter().zip(&second).map(|(a, b)| (*a as f64 / count) * (*b as f64 / count)).sum();
    let can_differ = 1.0 - by_chance > 1e-12;
    Some(Kappa {
        kappa: can_differ.then(|| (observed - by_chance) / (1.0 - by_chance)),
        standard_error: can_differ
            .then(|| (observed * (1.0 - observed) / (count * (1.0 - by_chance).powi(2))).sqrt()),
        observed,
    })
}

/// Krippendorff's alpha for nominal categories: 1 − Do / De with Do = Σ `o_ck` / n and De = Σ `n_c` `n_k` / (n (n − 1)), both
/// over c ≠ k (Krippendorff 2011). Each unit holds one place a reviewer, `None` where he said nothing; units with
/// fewer than two answers do not count. `None` when nothing can be compared, or only one thing was ever said.
#[must_use]
pub fn krippendorff_alpha(units: &[Vec<Option<usize>>]) -> Option<f64> {
    let categories = units.iter().flatten().flatten().max()? + 1;
    let mut coincidences = vec![0.0_f64; categories * categories];
    for unit in units {
        let mut counts = vec![0_u64; categories];
        for category in unit.iter().flatten() {
            counts[*category] += 1;
        }
        let answers: u64 = counts.iter().sum();
        if answers < 2 {
            continue;
        }
        for (c, own) in counts.iter().enumerate().filter(|(_, own)| **own > 0) {
            for (k, other) in counts.iter().enumerate() {
                let others = if c == k { own - 1 } else { *other };
                coincidences[c * categories + k] += (own * others) as f64 / (answers - 1) as f64;
            }
        }
    }
    let totals: Vec<f64> = coincidences.chunks(categories).map(|row| row.iter().sum()).collect();
    let n: f64 = totals.iter().sum();
    let (mut observed, mut expected) = (0.0, 0.0);
    for c in 0..categories {
        for k in (0..categories).filter(|k| *k != c) {
            observed += coincidences[c * categories + k] / n;
            expected += totals[c] * totals[k] / (n * (n - 1.0));
        }
    }
    (n > 1.0 && expected > 0.0).then(|| 1.0 - observed / expected)
}

/// 2a / (2a + b + c): `both` said yes, `first` or `second` alone did; `None` when nobody did.
#[must_use]
pub fn positive_agreement(both: u64, first: u64, second: u64) -> Option<f64> {
    let any = 2 * both + first + second;
    (any > 0).then(|| 2.0 * both as f64 / any as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(table: &[(usize, usize, usize)]) -> Vec<(usize, usize)> {
        table.iter().flat_map(|(a, b, times)| std::iter::repeat_n((*a, *b), *times)).collect()
    }

    #[test]
    fn kappa_of_the_textbook() {
        // 50 grants, two readers: 20 both yes, 5 and 10 mixed, 15 both no: po 0.7, pe 0.5, kappa 0.4.
        let found = cohen_kappa(&pairs(&[(1, 1, 20), (1, 0, 5), (0, 1, 10), (0, 0, 15)])).unwrap();
        assert!((found.kappa.unwrap() - 0.4).abs() < 1e-12, "{found:?}");
        assert!((found.standard_error.unwrap() - (0.7_f64 * 0.3 / (50.0 * 0.25)).sqrt()).abs() < 1e-12);
        assert_eq!(found.observed, 0.7);
        assert_eq!(cohen_kappa(&pairs(&[(0, 0, 9)])).unwrap().kappa, None, "nobody could have differed");
        assert_eq!(cohen_kappa(&[]), None);
        let opposite = cohen_kappa(&pairs(&[(0, 1, 5), (1, 0, 5)])).unwrap();
        assert!((opposite.kappa.unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn kappa_falls_when_wrong_is_rare_and_positive_agreement_does_not() {
        let found = cohen_kappa(&pairs(&[(1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 97)])).unwrap();
        assert!(found.observed > 0.97 && found.kappa.unwrap() < 0.5, "{found:?}");
        assert_eq!(positive_agreement(1, 1, 1), Some(0.5));
        assert_eq!(positive_agreement(0, 0, 0), None);
    }

    #[test]
    fn alpha_of_krippendorffs_own_examples() {
        // Krippendorff 2011, B: two observers, ten units, nominal, no missing data: alpha 0.095.
        let a = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0];
        let b = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0];
        let units: Vec<Vec<Option<usize>>> =
            a.into_iter().zip(b).map(|(a, b)| vec![Some(a), Some(b)]).collect();
        assert!((krippendorff_alpha(&units).unwrap() - 0.095).abs() < 5e-4);
        // Krippendorff 2011, C: four observers, twelve units, five categories, missing data: alpha 0.743.
        let rows = [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ];
        let units: Vec<Vec<Option<usize>>> =
            (0..12).map(|u| rows.iter().map(|row| (row[u] > 0).then(|| row[u] - 1)).collect()).collect();
        assert!((krippendorff_alpha(&units).unwrap() - 0.743).abs() < 5e-4);
        assert_eq!(krippendorff_alpha(&[vec![Some(0), Some(0)]]), None);
        assert_eq!(krippendorff_alpha(&[vec![Some(0), None]]), None);
        assert_eq!(krippendorff_alpha(&[]), None);
    }
}
