//! How does a network learn? Stochastic gradient descent with momentum, on distorted pictures and softened labels.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use rayon::prelude::*;

use super::network::{Network, Normalise, Workspace};
use super::picture::{Distortion, PATCH, Pictures, Strength};
use crate::task::{Cancelled, Task};

/// Pictures of one pass: what one thread does at a time, and whose moments normalise.
const PASS: usize = 32;
/// Passes of one step.
const PASSES: usize = 4;
/// The fewest pictures whose moments mean something.
const FEWEST: usize = 8;
const MOMENTUM: f32 = 0.9;

/// How long and how fast.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub epochs: usize,
    /// The largest step length.
    pub rate: f32,
    /// Pull of multipliers to zero.
    pub decay: f32,
    /// Share of each label that is spread over all classes.
    pub softness: f32,
    pub strength: Strength,
    pub seed: u64,
}

/// A network that is learning.
#[derive(Clone)]
pub(super) struct Pupil<'a> {
    pub network: &'a Network,
    pub parameters: Vec<f32>,
    momentum: Vec<f32>,
    pub statistics: Vec<f32>,
    pub colours: [(f32, f32); 3],
}

/// What is taught.
pub(super) struct School<'a> {
    pub pictures: &'a Pictures,
    /// Classes of the pictures that teach, by row.
    pub labels: &'a [u32],
    /// Memory of passes: as many pieces as there are threads at work.
    shelf: Mutex<Vec<Workspace>>,
}

impl<'a> School<'a> {
    pub fn new(pictures: &'a Pictures, labels: &'a [u32]) -> Self {
        Self { pictures, labels, shelf: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let taken = self.shelf.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = taken.unwrap_or_default();
        let result = work(&mut workspace);
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        result
    }
}

/// Roughly normal: the sum of four uniform numbers, deviation 1.
fn normal(rng: &mut impl Rng) -> f32 {
    let sum: f32 = (0..4).map(|_| (rng.next_u32() >> 8) as f32 / (1_u32 << 23) as f32 - 1.0).sum();
    sum * (3.0_f32 / 4.0).sqrt()
}

impl<'a> Pupil<'a> {
    /// A pupil that has learnt nothing but, from `rows`, in which ways small patches vary (Page, 2019):
    /// its first channels are these, each once as it is and once negative.
    pub fn new(network: &'a Network, school: &School<'_>, rows: &[u32], seed: u64) -> Self {
        let colours = school.pictures.colours(rows);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = vec![0.0; network.parameters];
        network.initialise(&mut parameters, |fan_in, values| {
            let deviation = (2.0 / fan_in as f32).sqrt();
            let deviation =
                if values.len() == network.features * network.classes { 0.1 * deviation } else { deviation };
            values.fill_with(|| deviation * normal(&mut rng));
        });
        let kernel = network.first_kernel(&mut parameters);
        let outputs = kernel.len() / PATCH;
        for (at, direction) in school.pictures.directions(rows, &colours).iter().enumerate() {
            for (row, &weight) in kernel.chunks_exact_mut(outputs).zip(direction) {
                for (output, sign) in [(2 * at, 1.0), (2 * at + 1, -1.0)] {
                    if let Some(value) = row.get_mut(output) {
                        *value = sign * weight;
                    }
                }
            }
        }
        let momentum = vec![0.0; network.parameters];
        Self { network, parameters, momentum, statistics: vec![0.0; network.statistics], colours }
    }

    /// Takes the epochs of the course on `rows`; `hear` gets epoch, row and logits of every picture seen,
    /// before it is learnt from.
    pub fn learn(
        &mut self,
        school: &School<'_>,
        rows: &[u32],
        course: &Course,
        epochs: Range<usize>,
        task: &Task,
        mut hear: impl FnMut(usize, u32, &[f32]),
    ) -> Result<(), Cancelled> {
        let network = self.network;
        let batch = PASS * PASSES;
        let steps_each = rows.len().div_ceil(batch);
        let all_steps = (course.epochs * steps_each) as f32;
        let multipliers = network.multipliers();
        let mut gradients = vec![vec![0.0_f32; network.parameters]; PASSES.min(rows.len().div_ceil(PASS))];
        let mut turned = Vec::new();
        for epoch in epochs {
            let mut rng = ChaCha8Rng::seed_from_u64(course.seed);
            rng.set_stream(1 + epoch as u64);
            let mut order = rows.to_vec();
            order.shuffle(&mut rng);
            for (step, batch_rows) in order.chunks(batch).enumerate() {
                let distortions: Vec<Distortion> = batch_rows
                    .iter()
                    .map(|&row| {
                        // Every second time the other way round (Jordan, 2024), which side first is random.
                        let mirrored = (epoch as u64 + ((u64::from(row) * 2_654_435_761) >> 16)) & 1 == 0;
                        Distortion::random(&course.strength, network.side, mirrored, &mut rng)
                    })
                    .collect();
                network.turned(&self.parameters, &mut turned);
                let passes: Vec<Vec<f32>> = batch_rows
                    .par_chunks(PASS)
                    .zip(distortions.par_chunks(PASS))
                    .zip(gradients.par_iter_mut())
                    .map(|((rows, distortions), gradient)| {
                        gradient.fill(0.0);
                        task.check()?;
                        if rows.len() < FEWEST {
                            return Ok(Vec::new());
                        }
                        Ok(school.with(|work| {
                            let input = network.input(rows.len(), work);
                            for (slot, (&row, distortion)) in rows.iter().zip(distortions).enumerate() {
                                school.pictures.write(
                                    row,
                                    distortion,
                                    &self.colours,
                                    slot,
                                    rows.len(),
                                    input,
                                );
                            }
                            network.forward(&self.parameters, Normalise::Here, rows.len(), work);
                            let logits = work.logits.clone();
                            let mut slopes = work.logits.clone();
                            for (slopes, &row) in slopes.chunks_exact_mut(network.classes).zip(rows) {
                                soften(
                                    slopes,
                                    school.labels[row as usize] as usize,
                                    course.softness,
                                    batch_rows.len(),
                                );
                            }
                            network.backward(&self.parameters, &turned, &slopes, rows.len(), work, gradient);
                            let mut seen = vec![0.0; network.statistics];
                            network.remember(work, 1.0, &mut seen);
                            [logits, seen].concat()
                        }))
                    })
                    .collect::<Result<_, Cancelled>>()?;
                for (passed, rows) in passes.iter().zip(batch_rows.chunks(PASS)) {
                    if passed.is_empty() {
                        continue;
                    }
                    let (logits, seen) = passed.split_at(rows.len() * network.classes);
                    for (&row, logits) in rows.iter().zip(logits.chunks_exact(network.classes)) {
                        hear(epoch, row, logits);
                    }
                    // The first steps are far from what follows; the mean of all would remember them.
                    let done = (epoch * steps_each + step) as f32;
                    let share = (1.0 / (done + 1.0)).max(0.03);
                    self.statistics
                        .iter_mut()
                        .zip(seen)
                        .for_each(|(kept, &now)| *kept += share * (now - *kept));
                }
                let used = passes.len();
                let (sum, rest) = gradients.split_at_mut(1);
                for part in &rest[..used - 1] {
                    sum[0].iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
                }
                for range in &multipliers {
                    let pulled = sum[0][range.clone()].iter_mut().zip(&self.parameters[range.clone()]);
                    pulled.for_each(|(slope, &value)| *slope += course.decay * value);
                }
                let rate = course.rate_at((epoch * steps_each + step) as f32 / all_steps);
                let moving = self.parameters.iter_mut().zip(&mut self.momentum).zip(&sum[0]);
                for ((value, speed), &slope) in moving {
                    *speed = MOMENTUM * *speed + slope;
                    *value -= rate * (slope + MOMENTUM * *speed);
                }
                task.advance(1);
            }
        }
        Ok(())
    }

    /// Mean logits of `rows` over `views`.
    pub fn judge(
        &self,
        school: &School<'_>,
        rows: &[u32],
        views: &[Distortion],
        task: &Task,
    ) -> Result<Vec<f32>, Cancelled> {
        let network = self.network;
        let parts = rows
            .par_chunks(PASS)
            .map(|rows| {
                task.check()?;
                Ok(school.with(|work| {
                    let mut sum = vec![0.0_f32; rows.len() * network.classes];
                    for view in views {
                        let input = network.input(rows.len(), work);
                        for (slot, &row) in rows.iter().enumerate() {
                            school.pictures.write(row, view, &self.colours, slot, rows.len(), input);
                        }
                        network.forward(&self.parameters, Normalise::As(&self.statistics), rows.len(), work);
                        sum.iter_mut().zip(&work.logits).for_each(|(sum, &x)| *sum += x / views.len() as f32);
                    }
                    sum
                }))
            })
            .collect::<Result<Vec<_>, Cancelled>>()?;
        Ok(parts.concat())
    }
}

impl Course {
    /// How many steps it takes on so many rows.
    pub fn steps(&self, rows: usize) -> usize {
        self.epochs * rows.div_ceil(PASS * PASSES)
    }

    /// Rises to the largest over the first fifth, then falls to nothing, both in straight lines.
    fn rate_at(&self, done: f32) -> f32 {
        const RISE: f32 = 0.2;
        self.rate * if done < RISE { (0.05_f32).max(done / RISE) } else { (1.0 - done) / (1.0 - RISE) }
    }
}

/// From logits to the slope of the mean cross entropy with a softened label, in place.
fn soften(logits: &mut [f32], label: usize, softness: f32, of: usize) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    let even = softness / logits.len() as f32;
    for (class, value) in logits.iter_mut().enumerate() {
        let target = even + if class == label { 1.0 - softness } else { 0.0 };
        *value = (*value / sum - target) / of as f32;
    }
}
