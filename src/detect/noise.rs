//! How many labels are wrong, and how sure can one be of each? A model's own doubt told apart from noise.
//!
//! Out-of-sample probabilities say how often each class would be the *given* label of such a picture. Where labels are
//! right, improbable labels are as rare as the probabilities say. Noise adds labels that the picture knows nothing of:
//! `P(label y | picture) = (1 − η) · pʸ(τ) + η · u(y)`, with η the share of such labels, u(y) how frequent the class is, and
//! p(τ) the probabilities sharpened by τ, since noise had made the models more careful than they need be.
//! η and τ are those that explain the given labels best; a label is noise with probability `η · u(y) / P(y | picture)`,
//! and wrong with that times `1 − pʸ(τ)`.
//!
//! Labels that confuse similar classes look like the models' own doubt and are not counted, so that η and each
//! probability are rather too low than too high. **Measured** on CIFAR-10N (9, 18 and 41 % wrong): η is 3, 7 and 17 %.

use rayon::prelude::*;

/// Sharpness τ that is tried, from the softest.
const SHARPNESS: [f64; 19] =
    [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.65, 1.8, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0];
/// Rounds that look for η.
const ROUNDS: usize = 60;
/// Samples' worth of belief that this share of labels is noise: with few labels nothing else is known.
const PRIOR: (f64, f64) = (20.0, 0.01);
/// The most numbers that a fit looks at; more would not move two parameters.
const FIT_CELLS: usize = 4 << 20;
/// The least probability of which a logarithm is taken.
const FLOOR: f64 = 1e-12;

/// A model of how labels come about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noise {
    sharpness: f64,
    /// Share of labels that have nothing to do with their picture.
    pub rate: f64,
    /// By class its share of labels.
    shares: Vec<f64>,
}

impl Noise {
    /// The model that explains these labels best.
    pub fn fit<P: Copy + Into<f64> + Sync>(probabilities: &[P], labels: &[u32], classes: usize) -> Self {
        let mut shares = vec![0.0; classes];
        for &label in labels {
            shares[label as usize] += 1.0 / labels.len() as f64;
        }
        let step = (labels.len() * classes).div_ceil(FIT_CELLS).max(1);
        let rows: Vec<usize> = (0..labels.len()).step_by(step).collect();
        let mut best: Option<(f64, Self)> = None;
        for sharpness in SHARPNESS {
            let model = Self { sharpness, rate: 0.0, shares: shares.clone() };
            let chances = model.chances(probabilities, labels, &rows);
            let rate = rate_of(&chances, PRIOR.1);
            let explains: f64 =
                chances.iter().map(|(own, share)| mixed(*own, *share, rate).max(FLOOR).ln()).sum();
            if best.as_ref().is_none_or(|(most, _)| explains > *most) {
                best = Some((explains, Self { rate, ..model }));
            }
        }
        best.map_or(Self { sharpness: 1.0, rate: PRIOR.1, shares }, |(_, model)| model)
    }

    /// The same models' doubt about other labels, with their own share of noise.
    pub fn refit<P: Copy + Into<f64> + Sync>(&self, probabilities: &[P], labels: &[u32]) -> Self {
        let rows: Vec<usize> = (0..labels.len()).collect();
        let rate = rate_of(&self.chances(probabilities, labels, &rows), self.rate.max(PRIOR.1));
        Self { rate, ..self.clone() }
    }

    /// For each label the probability that it is noise, and another class than the picture's.
    pub fn probabilities<P: Copy + Into<f64> + Sync>(&self, probabilities: &[P], labels: &[u32]) -> Vec<f64> {
        let rows: Vec<usize> = (0..labels.len()).collect();
        let chances = self.chances(probabilities, labels, &rows);
        // Noise that happens to hit the right class does no harm.
        chances.into_iter().map(|(own, share)| posterior(own, share, self.rate) * (1.0 - own)).collect()
    }

    /// For each row the sharpened probability of its label, and the label's share.
    fn chances<P: Copy + Into<f64> + Sync>(
        &self,
        probabilities: &[P],
        labels: &[u32],
        rows: &[usize],
    ) -> Vec<(f64, f64)> {
        let classes = self.shares.len();
        rows.par_iter()
            .map(|&row| {
                let p = &probabilities[row * classes..(row + 1) * classes];
                let label = labels[row] as usize;
                // (p / pʸ)^τ summed over classes is 1 / pʸ(τ).
                let own = p[label].into().max(FLOOR).ln();
                let sum: f64 =
                    p.iter().map(|&p| (self.sharpness * (p.into().max(FLOOR).ln() - own)).exp()).sum();
                (1.0 / sum, self.shares[label])
            })
            .collect()
    }
}

fn mixed(own: f64, share: f64, rate: f64) -> f64 {
    (1.0 - rate) * own + rate * share
}

fn posterior(own: f64, share: f64, rate: f64) -> f64 {
    let chance = mixed(own, share, rate);
    if chance > 0.0 { rate * share / chance } else { 0.0 }
}

/// The share of noise that explains these chances best: expectation, maximisation.
fn rate_of(chances: &[(f64, f64)], believed: f64) -> f64 {
    let mut rate: f64 = 0.1;
    for _ in 0..ROUNDS {
        let noise: f64 = chances.iter().map(|&(own, share)| posterior(own, share, rate)).sum();
        rate = (noise + PRIOR.0 * believed) / (chances.len() as f64 + PRIOR.0);
    }
    rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Labels drawn from probabilities of three classes, of which `wrong` in a thousand are then replaced by any.
    fn drawn(rows: usize, wrong: u32) -> (Vec<f64>, Vec<u32>, usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut below = |limit: u32| rng.next_u32() % limit;
        let (mut p, mut labels, mut noise) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rows {
            let likely = below(3);
            let sure = [0.7, 0.9, 0.98][below(3) as usize];
            p.extend((0..3).map(|class| if class == likely { sure } else { (1.0 - sure) / 2.0 }));
            let right = f64::from(below(1000)) / 1000.0 < sure;
            let label = if right { likely } else { (likely + 1 + below(2)) % 3 };
            let noisy = below(1000) < wrong;
            noise += usize::from(noisy);
            labels.push(if noisy { below(3) } else { label });
        }
        (p, labels, noise)
    }

    #[test]
    fn doubt_is_not_taken_for_noise_and_noise_is_found() {
        let (p, labels, _) = drawn(6000, 0);
        let clean = Noise::fit(&p, &labels, 3);
        assert!(clean.rate < 0.01, "{clean:?}");
        assert!(clean.probabilities(&p, &labels).iter().all(|p| *p < 0.4));
        let (p, labels, noise) = drawn(6000, 150);
        let found = Noise::fit(&p, &labels, 3);
        let share = noise as f64 / 6000.0;
        assert!((found.rate - share).abs() < 0.04, "{found:?} instead of {share}");
        let sum: f64 = found.probabilities(&p, &labels).iter().sum();
        assert!(
            (sum / 6000.0 - found.rate * 2.0 / 3.0).abs() < 0.01,
            "one in three is right by chance: {sum}"
        );
    }

    #[test]
    fn few_labels_are_believed_little() {
        let noise = Noise { sharpness: 1.0, rate: 0.0, shares: vec![0.5, 0.5] };
        let one = noise.refit(&[0.7_f64, 0.3], &[1]);
        assert!(one.rate < 0.05, "{one:?}");
        assert!(one.probabilities(&[0.7_f64, 0.3], &[1])[0] < 0.1);
        assert!(one.probabilities(&[1.0 - 1e-5_f64, 1e-5], &[1])[0] > 0.9);
        assert_eq!(noise.refit::<f64>(&[], &[]).rate, PRIOR.1);
    }
}
