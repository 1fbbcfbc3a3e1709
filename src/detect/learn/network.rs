//! How does a small convolutional network see, and how does it learn? Forward, backward, and where its numbers are.
//!
//! A chain of units: 3×3 convolution, 2×2 maximum where the unit shrinks, batch normalisation, rectification,
//! and its input added where it keeps the shape; then the maximum of each channel and a linear map to the classes.
//!
//! Normalisation is over the pictures of one pass, never over those of another thread: passes are independent and
//! each is one fixed order of sums.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::layer::{BLOCK, convolve, expand, largest_of_four, moments, spread};

/// Added to variances.
const EPSILON: f32 = 1e-5;

/// One convolution and what follows it.
#[derive(Debug, Clone)]
struct Unit {
    inputs: usize,
    outputs: usize,
    /// Of the input, in pixels.
    side: usize,
    /// Whether the output has half the side.
    shrinks: bool,
    /// Whether the input is added to the output.
    adds: bool,
    /// Where its parameters begin: kernel (row, column, input, output), then a factor and an offset an output.
    at: usize,
    /// Where its means begin among the statistics; the variances follow.
    seen_at: usize,
}

impl Unit {
    fn kernel(&self) -> usize {
        9 * self.inputs * self.outputs
    }

    fn factors(&self) -> std::ops::Range<usize> {
        self.at + self.kernel()..self.at + self.kernel() + self.outputs
    }

    fn offsets(&self) -> std::ops::Range<usize> {
        self.factors().end..self.factors().end + self.outputs
    }

    fn side_after(&self) -> usize {
        if self.shrinks { self.side / 2 } else { self.side }
    }
}

/// The shape of a network; its parameters are one slice, so that sums and steps need not know what they are.
#[derive(Debug, Clone)]
pub(super) struct Network {
    units: Vec<Unit>,
    /// Pixels a side of a picture.
    pub side: usize,
    /// Numbers that the last linear map reads.
    pub features: usize,
    pub classes: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Number of means and variances that are kept for judging.
    pub statistics: usize,
}

/// Memory of one pass, used again by the next.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    tapes: Vec<Tape>,
    expanded: Vec<f32>,
    wide: Vec<f32>,
    gradient: Vec<f32>,
    other: Vec<f32>,
    picked: Vec<u32>,
    /// `pictures × features` after a pass.
    pub features: Vec<f32>,
    /// `pictures × classes` after a pass.
    pub logits: Vec<f32>,
}

/// What a unit saw on the way forward.
#[derive(Debug, Default)]
struct Tape {
    input: Vec<f32>,
    /// After the convolution and the maximum.
    responses: Vec<f32>,
    /// Which of four pixels was the largest.
    picked: Vec<u8>,
    mean: Vec<f32>,
    variance: Vec<f32>,
}

/// By what responses are normalised.
#[derive(Clone, Copy)]
pub(super) enum Normalise<'a> {
    /// By the pictures of this pass, while learning.
    Here,
    /// By what was seen while learning.
    As(&'a [f32]),
}

impl Network {
    /// `plan` lists (outputs, shrinks) of each unit; a unit that keeps side and channels adds its input.
    pub fn new(side: usize, plan: &[(usize, bool)], classes: usize) -> Self {
        let (mut at, mut seen_at, mut inputs, mut now) = (0, 0, 3, side);
        let mut units = Vec::with_capacity(plan.len());
        for &(outputs, shrinks) in plan {
            let adds = !shrinks && inputs == outputs;
            let unit = Unit { inputs, outputs, side: now, shrinks, adds, at, seen_at };
            at = unit.offsets().end;
            seen_at += 2 * outputs;
            inputs = outputs;
            now = unit.side_after();
            units.push(unit);
        }
        let parameters = at + (inputs + 1) * classes;
        Self { units, side, features: inputs, classes, parameters, statistics: seen_at }
    }

    /// Where the last linear map begins: `features × classes`, row-major, then one offset a class.
    fn head(&self) -> usize {
        self.parameters - (self.features + 1) * self.classes
    }

    /// Keeps features near length one whatever their number: a step of the last map is as long as their square.
    fn feature_scale(&self) -> f32 {
        1.0 / (self.features as f32).sqrt()
    }

    /// Calls `set(how many inputs feed one output, parameters)` for each kernel and for the last map,
    /// and puts factors to 1. Then each channel of a kernel's output that has a namesake in the input repeats it
    /// (as in Jordan, 2024): what one unit finds reaches the next from the first step on.
    pub fn initialise(&self, parameters: &mut [f32], mut set: impl FnMut(usize, &mut [f32])) {
        parameters.fill(0.0);
        for unit in &self.units {
            set(9 * unit.inputs, &mut parameters[unit.at..unit.at + unit.kernel()]);
            parameters[unit.factors()].fill(1.0);
        }
        for unit in &self.units[1..] {
            let shared = unit.inputs.min(unit.outputs);
            let kernel = &mut parameters[unit.at..unit.at + unit.kernel()];
            for (at, row) in kernel.chunks_exact_mut(unit.outputs).enumerate() {
                row[..shared].fill(0.0);
                let input = at % unit.inputs;
                if at / unit.inputs == 4 && input < shared {
                    row[input] = 1.0;
                }
            }
        }
        let head = self.head();
        set(self.features, &mut parameters[head..head + self.features * self.classes]);
    }

    /// The kernel that sees the pictures: for each of 27 inputs (row, column, colour) one number an output.
    pub fn first_kernel<'p>(&self, parameters: &'p mut [f32]) -> &'p mut [f32] {
        &mut parameters[..self.units[0].kernel()]
    }

    /// The ranges of parameters that multiply inputs: only these are drawn to zero.
    pub fn multipliers(&self) -> Vec<std::ops::Range<usize>> {
        let kernels = self.units.iter().map(|unit| unit.at..unit.at + unit.kernel());
        let head = self.head();
        kernels.chain(std::iter::once(head..head + self.features * self.classes)).collect()
    }

    /// The kernels as the way back needs them: turned by half, inputs and outputs exchanged.
    pub fn turned(&self, parameters: &[f32], out: &mut Vec<f32>) {
        out.resize(self.head(), 0.0);
        for unit in &self.units[1..] {
            let (inputs, outputs) = (unit.inputs, unit.outputs);
            let from = &parameters[unit.at..unit.at + unit.kernel()];
            let to = &mut out[unit.at..unit.at + unit.kernel()];
            for tap in 0..9 {
                let from = &from[(8 - tap) * inputs * outputs..][..inputs * outputs];
                let to = &mut to[tap * inputs * outputs..][..inputs * outputs];
                for (input, row) in from.chunks_exact(outputs).enumerate() {
                    for (output, &weight) in row.iter().enumerate() {
                        to[output * inputs + input] = weight;
                    }
                }
            }
        }
    }

    /// Where to write `pictures` before a pass: (row, picture, column, channel).
    pub fn input<'w>(&self, pictures: usize, work: &'w mut Workspace) -> &'w mut [f32] {
        work.tapes.resize_with(self.units.len() + 1, Tape::default);
        work.tapes[0].input.resize(pictures * self.side * self.side * 3, 0.0);
        &mut work.tapes[0].input
    }

    /// From the pictures in `work` to features and logits.
    pub fn forward(
        &self,
        parameters: &[f32],
        normalise: Normalise<'_>,
        pictures: usize,
        work: &mut Workspace,
    ) {
        for (at, unit) in self.units.iter().enumerate() {
            let (tapes, rest) = work.tapes.split_at_mut(at + 1);
            let (tape, out) = (&mut tapes[at], &mut rest[0].input);
            let outputs = unit.outputs;
            let side = unit.side_after();
            let size = pictures * side * side * outputs;
            tape.responses.resize(size, 0.0);
            expand(&tape.input, unit.side, pictures, unit.inputs, &mut work.expanded);
            let kernel = &parameters[unit.at..unit.at + unit.kernel()];
            if unit.shrinks {
                work.wide.resize(4 * size, 0.0);
                convolve(&work.expanded, kernel, unit.side * pictures, unit.inputs, outputs, &mut work.wide);
                tape.picked.resize(size, 0);
                largest_of_four(&work.wide, side, pictures, outputs, &mut tape.responses, &mut tape.picked);
            } else {
                let rows = unit.side * pictures;
                convolve(&work.expanded, kernel, rows, unit.inputs, outputs, &mut tape.responses);
            }
            match normalise {
                Normalise::Here => moments(&tape.responses, outputs, &mut tape.mean, &mut tape.variance),
                Normalise::As(statistics) => {
                    let (mean, variance) =
                        statistics[unit.seen_at..unit.seen_at + 2 * outputs].split_at(outputs);
                    tape.mean.clear();
                    tape.mean.extend_from_slice(mean);
                    tape.variance.clear();
                    tape.variance.extend_from_slice(variance);
                }
            }
            let lines = lines(unit, parameters, tape);
            out.resize(size, 0.0);
            for (out, responses) in out.chunks_exact_mut(outputs).zip(tape.responses.chunks_exact(outputs)) {
                for ((out, &z), &(factor, offset)) in out.iter_mut().zip(responses).zip(&lines) {
                    *out = (z * factor + offset).max(0.0);
                }
            }
            if unit.adds {
                out.iter_mut().zip(&tape.input).for_each(|(out, &x)| *out += x);
            }
        }
        self.finish(parameters, pictures, work);
    }

    /// The largest of each channel, and the linear map.
    fn finish(&self, parameters: &[f32], pictures: usize, work: &mut Workspace) {
        let (features, classes) = (self.features, self.classes);
        let last = &work.tapes[self.units.len()].input;
        let side = self.units.last().map_or(self.side, Unit::side_after);
        work.features.clear();
        work.features.resize(pictures * features, f32::NEG_INFINITY);
        work.picked.resize(pictures * features, 0);
        for (at, pixel) in last.chunks_exact(features).enumerate() {
            let picture = at / side % pictures;
            let best = &mut work.features[picture * features..][..features];
            let picked = &mut work.picked[picture * features..][..features];
            for ((best, picked), &x) in best.iter_mut().zip(picked).zip(pixel) {
                if x > *best {
                    *best = x;
                    *picked = at as u32;
                }
            }
        }
        let scale = self.feature_scale();
        work.features.iter_mut().for_each(|x| *x *= scale);
        let (weights, offsets) = parameters[self.head()..].split_at(features * classes);
        work.logits.clear();
        for _ in 0..pictures {
            work.logits.extend_from_slice(offsets);
        }
        matmul(
            MatMut::from_row_major_slice_mut(&mut work.logits, pictures, classes),
            Accum::Add,
            MatRef::from_row_major_slice(&work.features, pictures, features),
            MatRef::from_row_major_slice(weights, features, classes),
            1.0,
            Par::Seq,
        );
    }

    /// Adds to `gradient` how the loss changes with each parameter, after [`Self::forward`] with `Normalise::Here`.
    /// `slopes` is how it changes with each logit.
    pub fn backward(
        &self,
        parameters: &[f32],
        turned: &[f32],
        slopes: &[f32],
        pictures: usize,
        work: &mut Workspace,
        gradient: &mut [f32],
    ) {
        let (features, classes, head) = (self.features, self.classes, self.head());
        let (weights, offsets) = gradient[head..].split_at_mut(features * classes);
        let slopes_view = MatRef::from_row_major_slice(slopes, pictures, classes);
        matmul(
            MatMut::from_row_major_slice_mut(weights, features, classes),
            Accum::Add,
            MatRef::from_row_major_slice(&work.features, pictures, features).transpose(),
            slopes_view,
            1.0,
            Par::Seq,
        );
        for slopes in slopes.chunks_exact(classes) {
            offsets.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        let mut of_features = vec![0.0_f32; pictures * features];
        matmul(
            MatMut::from_row_major_slice_mut(&mut of_features, pictures, features),
            Accum::Replace,
            slopes_view,
            MatRef::from_row_major_slice(&parameters[head..head + features * classes], features, classes)
                .transpose(),
            self.feature_scale(),
            Par::Seq,
        );
        work.gradient.clear();
        work.gradient.resize(work.tapes[self.units.len()].input.len(), 0.0);
        for ((at, &pixel), slope) in work.picked.iter().enumerate().zip(&of_features) {
            work.gradient[pixel as usize * features + at % features] = *slope;
        }
        for (at, unit) in self.units.iter().enumerate().rev() {
            backward_unit(at, unit, parameters, turned, pictures, work, gradient);
        }
    }

    /// Moves `statistics` by `share` towards what the last pass saw.
    pub fn remember(&self, work: &Workspace, share: f32, statistics: &mut [f32]) {
        for (unit, tape) in self.units.iter().zip(&work.tapes) {
            let kept = &mut statistics[unit.seen_at..unit.seen_at + 2 * unit.outputs];
            for (kept, &now) in kept.iter_mut().zip(tape.mean.iter().chain(&tape.variance)) {
                *kept += share * (now - *kept);
            }
        }
    }
}

/// One step of [`Network::backward`].
fn backward_unit(
    at: usize,
    unit: &Unit,
    parameters: &[f32],
    turned: &[f32],
    pictures: usize,
    work: &mut Workspace,
    gradient: &mut [f32],
) {
    let tape = &work.tapes[at];
    let (inputs, outputs) = (unit.inputs, unit.outputs);
    let rows = unit.side * pictures;
    // The input's share that does not pass the convolution.
    work.other.clear();
    if unit.adds {
        work.other.extend_from_slice(&work.gradient);
    }
    normalise_backward(unit, parameters, tape, &mut work.gradient, gradient);
    let of_responses: &[f32] = if unit.shrinks {
        work.wide.clear();
        work.wide.resize(4 * work.gradient.len(), 0.0);
        spread(&work.gradient, &tape.picked, unit.side / 2, pictures, outputs, &mut work.wide);
        &work.wide
    } else {
        &work.gradient
    };
    expand(&tape.input, unit.side, pictures, inputs, &mut work.expanded);
    let kernel = &mut gradient[unit.at..unit.at + unit.kernel()];
    let slopes = MatRef::from_row_major_slice(of_responses, rows * unit.side, outputs);
    for (tap, kernel) in kernel.chunks_exact_mut(3 * inputs * outputs).enumerate() {
        let from = tap * pictures * unit.side * 3 * inputs;
        let seen = &work.expanded[from..from + rows * unit.side * 3 * inputs];
        matmul(
            MatMut::from_row_major_slice_mut(kernel, 3 * inputs, outputs),
            Accum::Add,
            MatRef::from_row_major_slice(seen, rows * unit.side, 3 * inputs).transpose(),
            slopes,
            1.0,
            Par::Seq,
        );
    }
    if at == 0 {
        return;
    }
    expand(of_responses, unit.side, pictures, outputs, &mut work.expanded);
    let turned = &turned[unit.at..unit.at + unit.kernel()];
    work.gradient.resize(rows * unit.side * inputs, 0.0);
    convolve(&work.expanded, turned, rows, outputs, inputs, &mut work.gradient);
    if unit.adds {
        work.gradient.iter_mut().zip(&work.other).for_each(|(sum, &x)| *sum += x);
    }
}

/// Factor and offset that normalise each channel.
fn lines(unit: &Unit, parameters: &[f32], tape: &Tape) -> Vec<(f32, f32)> {
    let given = parameters[unit.factors()].iter().zip(&parameters[unit.offsets()]);
    let seen = tape.mean.iter().zip(&tape.variance);
    given
        .zip(seen)
        .map(|((gamma, beta), (mean, variance))| {
            let factor = gamma / (variance + EPSILON).sqrt();
            (factor, beta - mean * factor)
        })
        .collect()
}

/// From the gradient of a unit's output (before its input is added) to that of its responses, in place.
fn normalise_backward(
    unit: &Unit,
    parameters: &[f32],
    tape: &Tape,
    slopes: &mut [f32],
    gradient: &mut [f32],
) {
    let outputs = unit.outputs;
    let count = (slopes.len() / outputs) as f64;
    let lines = lines(unit, parameters, tape);
    let mut sums = vec![0.0_f64; outputs];
    let mut products = vec![0.0_f64; outputs];
    let mut block_sums = vec![0.0_f32; outputs];
    let mut block_products = vec![0.0_f32; outputs];
    for (slopes, responses) in slopes.chunks_mut(BLOCK * outputs).zip(tape.responses.chunks(BLOCK * outputs))
    {
        block_sums.fill(0.0);
        block_products.fill(0.0);
        for (slopes, responses) in slopes.chunks_exact_mut(outputs).zip(responses.chunks_exact(outputs)) {
            let sums = block_sums.iter_mut().zip(&mut block_products);
            for (((slope, &z), &(factor, offset)), (sum, product)) in
                slopes.iter_mut().zip(responses).zip(&lines).zip(sums)
            {
                let passed = if z * factor + offset > 0.0 { *slope } else { 0.0 };
                *slope = passed;
                *sum += passed;
                *product += passed * z;
            }
        }
        sums.iter_mut().zip(&block_sums).for_each(|(sum, &x)| *sum += f64::from(x));
        products.iter_mut().zip(&block_products).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    // With ẑ = (z − mean)·d: slope of z = γ·d·(slope − mean slope − ẑ·mean(slope·ẑ)), a line in slope and z.
    let mut shape = Vec::with_capacity(outputs);
    for channel in 0..outputs {
        let deviation = 1.0 / f64::from(tape.variance[channel] + EPSILON).sqrt();
        let mean = f64::from(tape.mean[channel]);
        let with_normal = (products[channel] - mean * sums[channel]) * deviation;
        gradient[unit.factors()][channel] += with_normal as f32;
        gradient[unit.offsets()][channel] += sums[channel] as f32;
        let scale = f64::from(lines[channel].0);
        let slope_of_z = -scale * with_normal / count * deviation;
        let constant = -scale * sums[channel] / count - slope_of_z * mean;
        shape.push((scale as f32, slope_of_z as f32, constant as f32));
    }
    for (slopes, responses) in slopes.chunks_exact_mut(outputs).zip(tape.responses.chunks_exact(outputs)) {
        for ((slope, &z), &(scale, of_z, constant)) in slopes.iter_mut().zip(responses).zip(&shape) {
            *slope = scale * *slope + of_z * z + constant;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn uniform(rng: &mut ChaCha8Rng) -> f32 {
        rng.next_u32() as f32 / u32::MAX as f32 - 0.5
    }

    struct Setting {
        network: Network,
        parameters: Vec<f32>,
        pictures: Vec<f32>,
        slopes: Vec<f32>,
    }

    const PICTURES: usize = 3;

    fn setting() -> Setting {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let network = Network::new(8, &[(4, true), (6, false), (6, false), (5, true)], 3);
        let mut parameters = vec![0.0; network.parameters];
        network.initialise(&mut parameters, |_, _| ());
        for value in &mut parameters {
            *value += uniform(&mut rng);
        }
        let pictures = (0..PICTURES * 8 * 8 * 3).map(|_| uniform(&mut rng)).collect();
        let slopes = (0..PICTURES * 3).map(|_| uniform(&mut rng)).collect();
        Setting { network, parameters, pictures, slopes }
    }

    impl Setting {
        /// The loss whose slope at each logit is given: their product.
        fn loss(&self, parameters: &[f32], work: &mut Workspace) -> f64 {
            self.network.input(PICTURES, work).copy_from_slice(&self.pictures);
            self.network.forward(parameters, Normalise::Here, PICTURES, work);
            work.logits.iter().zip(&self.slopes).map(|(l, s)| f64::from(*l) * f64::from(*s)).sum()
        }
    }

    #[test]
    fn slopes_are_those_of_the_loss() {
        let setting = setting();
        let Setting { network, parameters, slopes, .. } = &setting;
        let mut work = Workspace::default();
        let _ = setting.loss(parameters, &mut work);
        let mut turned = Vec::new();
        network.turned(parameters, &mut turned);
        let mut gradient = vec![0.0; network.parameters];
        network.backward(parameters, &turned, slopes, PICTURES, &mut work, &mut gradient);
        let largest = gradient.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        let mut off = Vec::new();
        for at in (0..network.parameters).step_by(7) {
            let moved = |by: f32| {
                let mut parameters = parameters.clone();
                parameters[at] += by;
                setting.loss(&parameters, &mut Workspace::default())
            };
            let h = 2e-3;
            let slope = ((moved(h) - moved(-h)) / f64::from(2.0 * h)) as f32;
            off.push((slope - gradient[at]).abs() / largest);
        }
        off.sort_by(f32::total_cmp);
        // A step may pass the corner of a rectification or another maximum: a few may differ, most must not.
        let (median, most) = (off[off.len() / 2], off[off.len() * 19 / 20]);
        assert!(median < 1e-3 && most < 2e-2, "{median} {most}");
    }

    #[test]
    fn judging_by_what_was_seen_is_the_same_as_seeing_it() {
        let setting = setting();
        let network = &setting.network;
        let mut work = Workspace::default();
        let _ = setting.loss(&setting.parameters, &mut work);
        let here = work.logits.clone();
        let mut statistics = vec![7.0; network.statistics];
        network.remember(&work, 1.0, &mut statistics);
        network.input(PICTURES, &mut work).copy_from_slice(&setting.pictures);
        network.forward(&setting.parameters, Normalise::As(&statistics), PICTURES, &mut work);
        for (a, b) in here.iter().zip(&work.logits) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
