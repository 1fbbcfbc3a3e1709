//! Do the colours of a place fit those that a shared thing has? A planted mark has the same colours everywhere, a faint one
//! at least colours that vary less than those of photos do.
//!
//! By pixel and channel two normal distributions: of what teachers show there, and of what the background's most similar
//! places show. The log-likelihood ratio, summed over the pixels at which they differ, is the score.

use std::collections::BTreeMap;

/// How many values of the background the variance among teachers is drawn towards it by.
const PRIOR: f32 = 4.0;

/// Pixels at which teachers vary more than this share of the background say nothing.
const DIFFERS: f32 = 0.85;

/// The least variance: that of the encoding.
const LEAST_VARIANCE: f32 = 30.0;

/// What one channel of a pixel can say at most: pixels beside each other say much the same.
const MOST: f32 = 3.0;

/// What teachers and the background show, by pixel and channel.
pub(super) struct Colours<'a> {
    teachers: &'a BTreeMap<usize, Vec<u8>>,
    /// Sum and sum of squares over the teachers.
    sums: Vec<(f32, f32)>,
    /// Mean and variance of the background.
    background: Vec<(f32, f32)>,
}

impl<'a> Colours<'a> {
    /// From what each teacher shows, and what the background shows; all of one length.
    pub(super) fn learn<'b>(
        teachers: &'a BTreeMap<usize, Vec<u8>>,
        background: impl Iterator<Item = &'b Vec<u8>> + Clone,
    ) -> Self {
        let length = teachers.values().next().map_or(0, Vec::len);
        let add = |sums: &mut Vec<(f32, f32)>, colours: &[u8]| {
            for (sums, &colour) in sums.iter_mut().zip(colours) {
                sums.0 += f32::from(colour);
                sums.1 += f32::from(colour) * f32::from(colour);
            }
        };
        let mut sums = vec![(0.0, 0.0); length];
        for colours in teachers.values() {
            add(&mut sums, colours);
        }
        let mut of_background = vec![(0.0, 0.0); length];
        let count = background.clone().count().max(1) as f32;
        for colours in background {
            add(&mut of_background, colours);
        }
        for (sum, squares) in &mut of_background {
            let mean = *sum / count;
            (*sum, *squares) = (mean, (*squares / count - mean * mean).max(LEAST_VARIANCE));
        }
        Self { teachers, sums, background: of_background }
    }

    /// How much better these colours fit the teachers than the background; a teacher is compared with the others.
    pub(super) fn score(&self, photo: usize, colours: &[u8]) -> f32 {
        let own = self.teachers.get(&photo);
        let count = (self.teachers.len() - usize::from(own.is_some())) as f32;
        if count < 1.0 {
            return 0.0;
        }
        let mut score = 0.0;
        for (at, &colour) in colours.iter().enumerate().take(self.sums.len()) {
            let (mut sum, mut squares) = self.sums[at];
            if let Some(own) = own {
                let own = f32::from(own[at]);
                sum -= own;
                squares -= own * own;
            }
            let (middle, spread) = self.background[at];
            let mean = sum / count;
            let within = (squares - sum * mean).max(0.0);
            let variance = ((within + PRIOR * spread) / (count + PRIOR)).max(LEAST_VARIANCE);
            if variance < DIFFERS * spread {
                let colour = f32::from(colour);
                let (of_teachers, of_background) = (colour - mean, colour - middle);
                let ratio = of_background * of_background / spread - of_teachers * of_teachers / variance
                    + (spread / variance).ln();
                score += (0.5 * ratio).clamp(-MOST, MOST);
            }
        }
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Score of a photo of one pixel a channel of which teachers show these values.
    fn check(teachers: &[u8], photo: usize, shown: u8, expected: f32) {
        let teachers: BTreeMap<usize, Vec<u8>> =
            teachers.iter().enumerate().map(|(at, &value)| (at, vec![value])).collect();
        let background: Vec<Vec<u8>> = (0..=255).map(|value| vec![value]).collect();
        let score = Colours::learn(&teachers, background.iter()).score(photo, &[shown]);
        assert!((score - expected).abs() < 0.02, "{score} instead of {expected}");
    }

    #[test]
    fn the_teachers_colour_counts_for_a_place_and_another_against_it() {
        // Variance among teachers 20 · 0 + 4 · 5461, by 24: 910; half the logarithm of 6 is 0.896.
        check(&[200; 20], 99, 200, 0.896 + 0.5 * 72.5 * 72.5 / 5461.0);
        check(&[200; 20], 99, 20, -3.0);
        // Teachers of every colour say nothing.
        check(&[0, 40, 80, 120, 160, 200, 240], 99, 120, 0.0);
        // A single teacher is not compared with itself.
        check(&[200], 0, 200, 0.0);
    }
}
