//! How likely is it to draw so many wrong ones without putting any back?

use statrs::function::factorial::ln_factorial;

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// P(at most `found` defects are drawn) when `drawn` of `population` samples are drawn and `defects` are wrong:
/// the hypergeometric distribution function, summed from the shorter tail.
#[must_use]
pub fn at_most(found: u64, population: u64, defects: u64, drawn: u64) -> f64 {
    let (defects, drawn) = (defects.min(population), drawn.min(population));
    let least = (defects + drawn).saturating_sub(population);
    let most = defects.min(drawn);
    if found >= most {
        return 1.0;
    }
    if found < least {
        return 0.0;
    }
    let whole = ln_choose(population, drawn);
    let probability =
        |x: u64| (ln_choose(defects, x) + ln_choose(population - defects, drawn - x) - whole).exp();
    let mean = drawn as f64 * defects as f64 / population as f64;
    let sum = if found as f64 <= mean {
        downwards(probability(found), found, least, population, defects, drawn)
    } else {
        1.0 - upwards(probability(found + 1), found + 1, most, population, defects, drawn)
    };
    sum.clamp(0.0, 1.0)
}

/// The probabilities from `from` down to `least`, each from the one before; they only get smaller.
fn downwards(first: f64, from: u64, least: u64, population: u64, defects: u64, drawn: u64) -> f64 {
    let (mut term, mut sum) = (first, first);
    for x in (least..from).rev() {
        let above = (x + 1) as f64;
        term *= above * (population + x + 1 - defects - drawn) as f64
            / ((defects - x) as f64 * (drawn - x) as f64);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

fn upwards(first: f64, from: u64, most: u64, population: u64, defects: u64, drawn: u64) -> f64 {
    let (mut term, mut sum) = (first, first);
    for x in from + 1..=most {
        let before = x - 1;
        term *= (defects - before) as f64 * (drawn - before) as f64
            / (x as f64 * (population + x - defects - drawn) as f64);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::at_most;

    fn check(found: u64, population: u64, defects: u64, drawn: u64, expected: f64) {
        let got = at_most(found, population, defects, drawn);
        assert!(
            (got - expected).abs() < 1e-9,
            "{found} {population} {defects} {drawn}: {got} not {expected}"
        );
    }

    #[test]
    fn small_cases_by_hand() {
        // Of 10 with 4 wrong, 3 drawn: C(6,3)/C(10,3) = 20/120.
        check(0, 10, 4, 3, 20.0 / 120.0);
        check(1, 10, 4, 3, (20.0 + 4.0 * 15.0) / 120.0);
        check(2, 10, 4, 3, 1.0 - 4.0 / 120.0);
        check(3, 10, 4, 3, 1.0);
        check(0, 10, 8, 3, 0.0);
        check(5, 10, 0, 3, 1.0);
        check(0, 10, 10, 10, 0.0);
    }

    #[test]
    fn tails_of_a_large_population_add_up() {
        for found in [0, 3, 10, 40, 200] {
            let (below, above) =
                (at_most(found, 1_000_000, 10_000, 1000), at_most(found + 1, 1_000_000, 10_000, 1000));
            assert!(below <= above + 1e-12, "{found}");
        }
        check(1000, 1_000_000, 10_000, 1000, 1.0);
    }
}
