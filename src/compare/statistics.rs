//! Which formulas stand behind the figures? Each with its source.
//!
//! Nothing here returns NaN: what cannot be tested (an empty version, a single class) has p = 1 and an effect of 0.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::{erf::erfc, factorial::ln_factorial};

/// The 97.5 % quantile of the standard normal distribution, for 95 % intervals.
const Z95: f64 = 1.959_963_984_540_054;

/// The least expected count at which normal and chi-square approximations are used (Cochran's rule).
const LEAST_EXPECTED: f64 = 5.0;

/// Share floor of [`population_stability`]: an empty class must not make it infinite.
const SHARE_FLOOR: f64 = 1e-4;

/// `part` of `whole`, 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Wilson's 95 % score interval for a proportion (Wilson 1927); (0, 1) when nothing was counted.
pub(super) fn wilson(hits: u64, total: u64) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    let n = total as f64;
    let p = share(hits, total);
    let denominator = 1.0 + Z95 * Z95 / n;
    let centre = (p + Z95 * Z95 / (2.0 * n)) / denominator;
    let half = Z95 * (p * (1.0 - p) / n + Z95 * Z95 / (4.0 * n * n)).sqrt() / denominator;
    // At 0 and at 1 the ends are exact; rounding would leave them a hair outside.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == total { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// Newcombe's 95 % hybrid score interval for `second share − first share`
/// (Newcombe 1998, Statistics in Medicine 17:873–890, method 10); (−1, 1) when either counted nothing.
pub(super) fn newcombe(first: (u64, u64), second: (u64, u64)) -> (f64, f64) {
    if first.1 == 0 || second.1 == 0 {
        return (-1.0, 1.0);
    }
    let (p, q) = (share(first.0, first.1), share(second.0, second.1));
    let (p_low, p_high) = wilson(first.0, first.1);
    let (q_low, q_high) = wilson(second.0, second.1);
    let difference = q - p;
    let low = difference - (q - q_low).hypot(p_high - p);
    let high = difference + (q_high - q).hypot(p - p_low);
    (low.max(-1.0), high.min(1.0))
}

/// Two-sided p-value of the difference between two proportions.
///
/// The pooled z-test without continuity correction where every expected count is at least 5,
/// Fisher's exact test (all tables no more likely than the one seen) below.
pub(super) fn difference_p(first: (u64, u64), second: (u64, u64)) -> f64 {
    let (n1, n2) = (first.1, second.1);
    let hits = first.0 + second.0;
    let total = n1 + n2;
    if n1 == 0 || n2 == 0 || hits == 0 || hits == total {
        return 1.0;
    }
    let expected = hits.min(total - hits) as f64 * n1.min(n2) as f64 / total as f64;
    if expected < LEAST_EXPECTED {
        return fisher_exact(first, second);
    }
    let pooled = share(hits, total);
    let error = (pooled * (1.0 - pooled) * (1.0 / n1 as f64 + 1.0 / n2 as f64)).sqrt();
    let z = (share(second.0, n2) - share(first.0, n1)) / error;
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Fisher's exact test, two-sided: the summed probability of all tables with these margins
/// that are no more likely than the one seen.
/// Only called for small expected counts, where the table has few possible values.
fn fisher_exact(first: (u64, u64), second: (u64, u64)) -> f64 {
    let (n1, n2) = (first.1, second.1);
    let hits = first.0 + second.0;
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let whole = ln_choose(n1 + n2, hits);
    let ln_probability = |x: u64| ln_choose(n1, x) + ln_choose(n2, hits - x) - whole;
    // Tables that differ from the one seen by rounding alone count as equally likely.
    let limit = ln_probability(first.0) + 1e-7;
    let (least, most) = (hits.saturating_sub(n2), hits.min(n1));
    let sum: f64 = (least..=most).map(ln_probability).filter(|&ln| ln <= limit).map(f64::exp).sum();
    sum.min(1.0)
}

/// p-values adjusted for the false discovery rate (Benjamini & Hochberg 1995), in the order given.
pub(super) fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]).then(a.cmp(&b)));
    let count = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (place, &at) in order.iter().enumerate() {
        let rank = count - place as f64;
        least = least.min(p_values[at] * count / rank);
        adjusted[at] = least;
    }
    adjusted
}

/// Pearson's chi-square statistic of a K × 2 table of counts, and its degrees of freedom.
/// Classes that neither version has do not count; 0 degrees where there is nothing to test.
fn chi_square(counts: &[(u64, u64)]) -> (f64, usize) {
    let (first, second) = totals(counts);
    if first == 0 || second == 0 {
        return (0.0, 0);
    }
    let total = (first + second) as f64;
    let mut statistic = 0.0;
    let mut classes = 0_usize;
    for &(a, b) in counts.iter().filter(|(a, b)| a + b > 0) {
        classes += 1;
        let row = (a + b) as f64;
        for (seen, column) in [(a, first), (b, second)] {
            let expected = row * column as f64 / total;
            statistic += (seen as f64 - expected).powi(2) / expected;
        }
    }
    (statistic, classes.saturating_sub(1))
}

/// p-value of Pearson's chi-square test of homogeneity.
///
/// Classes of which fewer than 5 samples are expected in either version are pooled into one, as the
/// approximation fails for them; a pool that is still too small joins the smallest other class.
pub(super) fn homogeneity_p(counts: &[(u64, u64)]) -> f64 {
    let (first, second) = totals(counts);
    let smaller = share(first.min(second), first + second);
    let (mut large, small): (Vec<_>, Vec<_>) =
        counts.iter().copied().partition(|(a, b)| (a + b) as f64 * smaller >= LEAST_EXPECTED);
    let pool = totals(&small);
    if pool != (0, 0) {
        let fits = (pool.0 + pool.1) as f64 * smaller >= LEAST_EXPECTED;
        match large.iter_mut().min_by_key(|(a, b)| a + b) {
            Some(smallest) if !fits => *smallest = (smallest.0 + pool.0, smallest.1 + pool.1),
            _ => large.push(pool),
        }
    }
    let (statistic, freedom) = chi_square(&large);
    if freedom == 0 {
        return 1.0;
    }
    ChiSquared::new(freedom as f64).map_or(1.0, |distribution| distribution.sf(statistic))
}

/// Cramér's V of the K × 2 table, bias-corrected
/// (Bergsma 2013, Journal of the Korean Statistical Society 42:323–328), in [0, 1].
pub(super) fn cramers_v(counts: &[(u64, u64)]) -> f64 {
    let (statistic, freedom) = chi_square(counts);
    let (first, second) = totals(counts);
    let n = (first + second) as f64;
    if freedom == 0 || n < 2.0 {
        return 0.0;
    }
    let k = freedom as f64;
    let phi2 = (statistic / n - k / (n - 1.0)).max(0.0);
    let rows = (k + 1.0) - k * k / (n - 1.0);
    let columns = 2.0 - 1.0 / (n - 1.0);
    let least = (rows - 1.0).min(columns - 1.0);
    if least <= 0.0 { 0.0 } else { (phi2 / least).sqrt().min(1.0) }
}

/// Jensen–Shannon distance: the root of the divergence in bits (Lin 1991; Endres & Schindelin 2003), in [0, 1].
pub(super) fn jensen_shannon(counts: &[(u64, u64)]) -> f64 {
    let divergence: f64 = shares(counts)
        .map(|(p, q)| {
            let middle = f64::midpoint(p, q);
            let part = |x: f64| if x > 0.0 { x * (x / middle).log2() } else { 0.0 };
            f64::midpoint(part(p), part(q))
        })
        .sum();
    divergence.clamp(0.0, 1.0).sqrt()
}

/// The largest absolute change of a share.
pub(super) fn l_infinity(counts: &[(u64, u64)]) -> f64 {
    shares(counts).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
}

/// Population stability index `Σ (q − p) ln(q / p)`, shares floored at 1e-4 and not scaled again.
pub(super) fn population_stability(counts: &[(u64, u64)]) -> f64 {
    shares(counts)
        .map(|(p, q)| (p.max(SHARE_FLOOR), q.max(SHARE_FLOOR)))
        .map(|(p, q)| (q - p) * (q / p).ln())
        .sum()
}

fn totals(counts: &[(u64, u64)]) -> (u64, u64) {
    counts.iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

/// Both shares of every class; nothing when either version is empty, since then there is nothing to compare.
fn shares(counts: &[(u64, u64)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let (first, second) = totals(counts);
    let counts = if first == 0 || second == 0 { &[] } else { counts };
    counts.iter().map(move |&(a, b)| (share(a, first), share(b, second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values are of SciPy 1.17 (and plain Python for the formulas that it lacks).
    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{value} is not {expected}");
    }

    #[test]
    fn wilson_interval() {
        for ((hits, total), low, high) in [
            ((0, 10), 0.0, 0.277_532_799_862_889_26),
            ((1, 10), 0.017_876_213_095_072_896, 0.404_150_026_795_238_5),
            ((5, 10), 0.236_593_090_512_564, 0.763_406_909_487_436_1),
            ((10, 10), 0.722_467_200_137_110_7, 1.0),
            ((81, 263), 0.255_288_519_878_274_2, 0.366_209_576_982_800_04),
            ((100, 50_000), 0.001_644_807_956_806_621_6, 0.002_431_708_024_241_799),
            ((0, 0), 0.0, 1.0),
        ] {
            near(wilson(hits, total).0, low);
            near(wilson(hits, total).1, high);
        }
    }

    #[test]
    fn newcombe_interval() {
        for (first, second, low, high) in [
            ((56, 70), (48, 80), -0.333_872_654_036_906, -0.052_431_472_402_364_98),
            ((9, 10), (3, 10), -0.809_017_973_535_488_1, -0.170_522_723_934_503_02),
            ((6, 7), (2, 7), -0.806_249_637_524_227_7, -0.058_227_927_482_312_2),
            ((5, 56), (0, 29), -0.192_560_013_855_111_62, 0.038_137_147_903_536_88),
            ((0, 10), (0, 20), -0.277_532_799_862_889_2, 0.161_125_158_052_819_38),
            ((0, 10), (0, 10), -0.277_532_799_862_889_2, 0.277_532_799_862_889_2),
            ((10, 10), (0, 20), -1.0, -0.679_086_037_141_914_7),
            ((5_000, 50_000), (5_100, 50_100), -0.001_935_618_307_616_177_8, 0.005_528_450_160_075_003),
            ((0, 0), (3, 10), -1.0, 1.0),
        ] {
            near(newcombe(first, second).0, low);
            near(newcombe(first, second).1, high);
        }
    }

    #[test]
    fn p_of_a_difference() {
        for (first, second, p) in [
            // Expected counts of 5 and more: the z-test, equal to chi-square with one degree of freedom.
            ((5_000, 50_000), (5_100, 50_100), 0.345_423_170_178_503_2),
            ((100, 1_000), (150, 1_000), 0.000_723_232_716_430_193_6),
            ((5, 100), (20, 100), 0.001_340_641_117_229_480_7),
            ((0, 1_000), (40, 1_000), 1.672_301_108_160_971_7e-10),
            // Below: Fisher's exact test.
            ((0, 1_000), (3, 1_000), 0.249_624_812_406_203_07),
            ((1, 20), (6, 20), 0.091_476_091_476_091_48),
            ((0, 50), (2, 50), 0.494_949_494_949_494_9),
            ((3, 100), (0, 100_000), 9.673_242_020_547_806e-10),
            ((50, 50), (45, 50), 0.056_284_494_428_824_33),
            // Nothing to test.
            ((0, 10), (0, 20), 1.0),
            ((10, 10), (20, 20), 1.0),
            ((0, 0), (3, 20), 1.0),
        ] {
            near(difference_p(first, second), p);
            near(difference_p(second, first), p);
        }
    }

    #[test]
    fn adjusted_p_values() {
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.04, 1.0]);
        for (value, expected) in
            adjusted.into_iter().zip([0.035, 0.056, 0.056, 0.035, 0.583_333_333_3, 0.056, 1.0])
        {
            near(value, expected);
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    const COUNTS: [(u64, u64); 4] = [(100, 120), (200, 180), (300, 310), (400, 500)];

    #[test]
    fn measures_of_drift() {
        near(homogeneity_p(&COUNTS), 0.037_841_052_268_084_38);
        near(cramers_v(&COUNTS), 0.050_754_212_568_887_67);
        near(cramers_v(&[(10, 60), (90, 40)]), 0.520_636_409_658_670_5);
        near(cramers_v(&[(100, 101), (100, 100)]), 0.0);
        near(jensen_shannon(&COUNTS), 0.053_757_194_685_865_095);
        near(jensen_shannon(&[(7, 0), (0, 3)]), 1.0);
        near(l_infinity(&COUNTS), 0.050_450_450_450_450_435);
        near(population_stability(&COUNTS), 0.016_043_160_916_613_74);
        near(population_stability(&[(50, 50), (50, 30), (0, 20)]), 1.621_585_526_415_660_4);
    }

    #[test]
    fn rare_classes_are_pooled_for_the_test() {
        // Three classes expect fewer than 5: together they expect 4.92, so they join the smallest other one.
        let counts = [(100, 120), (3, 1), (2, 4), (400, 500), (1, 0)];
        near(homogeneity_p(&counts), homogeneity_p(&[(106, 125), (400, 500)]));
        // With one more they stand alone.
        let counts = [(100, 120), (3, 1), (2, 4), (400, 500), (1, 1)];
        let (statistic, freedom) = chi_square(&[(100, 120), (6, 6), (400, 500)]);
        assert_eq!(freedom, 2);
        near(homogeneity_p(&counts), (-statistic / 2.0).exp());
    }

    #[test]
    fn nothing_to_compare_is_no_drift() {
        for counts in
            [&[][..], &[(0, 0)], &[(5, 0)], &[(0, 5), (0, 7)], &[(5, 9)], &[(1, 0), (0, 0)], &[(1, 1)]]
        {
            assert_eq!(homogeneity_p(counts), 1.0, "{counts:?}");
            assert_eq!(cramers_v(counts), 0.0, "{counts:?}");
            assert_eq!(jensen_shannon(counts), 0.0, "{counts:?}");
            assert_eq!(l_infinity(counts), 0.0, "{counts:?}");
            assert_eq!(population_stability(counts), 0.0, "{counts:?}");
        }
    }
}
