//! How unlikely is it by chance? Hypergeometric tails as −log10 p.

use statrs::function::factorial::ln_factorial;

/// −log10 P(X ≥ `found`) for `drawn` draws without replacement from `all`, of which `marked` count.
pub(super) fn tail(all: usize, drawn: usize, marked: usize, found: usize) -> f64 {
    let (drawn, marked) = (drawn.min(all), marked.min(all));
    let least = (drawn + marked).saturating_sub(all);
    if found <= least {
        return 0.0;
    }
    let ln_choose =
        |n: usize, k: usize| ln_factorial(n as u64) - ln_factorial(k as u64) - ln_factorial((n - k) as u64);
    let terms: Vec<f64> = (found..=drawn.min(marked))
        .map(|k| ln_choose(marked, k) + ln_choose(all - marked, drawn - k) - ln_choose(all, drawn))
        .collect();
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        // More than can be.
        return 0.0;
    }
    let sum: f64 = terms.iter().map(|term| (term - largest).exp()).sum();
    (-(largest + sum.ln()) / std::f64::consts::LN_10).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: usize, drawn: usize, marked: usize, found: usize, p: f64) {
        let expected = -p.log10();
        let tail = tail(all, drawn, marked, found);
        assert!((tail - expected).abs() < 1e-9, "{all} {drawn} {marked} {found}: {tail}, not {expected}");
    }

    #[test]
    fn tails_of_small_urns() {
        check(4, 2, 2, 2, 1.0 / 6.0);
        check(4, 2, 2, 1, 5.0 / 6.0);
        check(4, 2, 2, 0, 1.0);
        check(10, 3, 5, 3, 10.0 / 120.0);
        check(10, 10, 5, 5, 1.0);
        check(5, 9, 5, 9, 1.0);
    }
}
