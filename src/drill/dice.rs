//! Where does chance come from? A `ChaCha` stream a picture, so that neither order nor threads change a draw.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance that depends on nothing but its name.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `what` number `index` under a `seed`.
    #[must_use]
    pub fn new(seed: u64, what: &str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(&index.to_le_bytes()).update(what.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// Any 32 bits: the seed of a noise field.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    /// In [a, b).
    pub fn range(&mut self, a: f32, b: f32) -> f32 {
        a + (b - a) * self.unit()
    }

    /// In [-1, 1).
    pub fn around(&mut self) -> f32 {
        self.range(-1.0, 1.0)
    }

    /// Below `n`, which must not be 0; the bias of the modulus is of no concern at these sizes.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// In `a..=b`.
    pub fn int(&mut self, a: usize, b: usize) -> usize {
        a + self.below(b - a + 1)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// One of `from`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// About normal with mean 0 and deviation 1: the sum of four uniform draws.
    pub fn normal(&mut self) -> f32 {
        (self.around() + self.around() + self.around() + self.around()) * 0.866
    }

    /// In place, every order as likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}
