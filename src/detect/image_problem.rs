//! Which pictures can hardly be seen, or are unlike the others in size, shape or colour?
//!
//! The checks and thresholds of `CleanVision` 0.3: dark, bright, blurred, low information, odd size, odd aspect,
//! greyscale; how each is measured, and where that differs from there, is said at [`Quality`](crate::feature::Quality).
//!
//! A problem is no alarm: a dark picture may be labelled rightly. Pictures that cannot be read are warnings of the scan.
//! What more than a tenth of all pictures have is the dataset's manner rather than a problem: it is said once.

use super::crowd::Crowd;
use super::{DetectError, Detector, Findings, Input};
use crate::feature::Look;
use crate::model::Signal;
use crate::task::Task;

/// Score of the slightest problem; that of the worst is 1.
const LEAST_SCORE: f64 = 0.2;

/// From where on a picture has a problem; what `CleanVision` takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageThresholds {
    /// Dark: 99 % of the pixels are less bright than this, of 1.
    pub dark: f64,
    /// Bright: all but 5 % of the pixels are within this of the brightest.
    pub bright: f64,
    /// Low information: a tenth of the entropy in bits is below.
    pub information: f64,
    /// Blurred: sharpness is below.
    pub sharpness: f64,
    /// Odd aspect: the short side divided by the long one is below.
    pub aspect: f64,
    /// Odd size: the side of the square with as many pixels is more interquartile ranges than this beyond a quartile.
    pub size_ranges: f64,
    /// A problem of more than this share of the pictures is the dataset's manner.
    pub prevalence: f64,
}

impl Default for ImageThresholds {
    fn default() -> Self {
        Self {
            dark: 0.32,
            bright: 0.05,
            information: 0.3,
            sharpness: 0.29,
            aspect: 0.35,
            size_ranges: 3.0,
            prevalence: 0.1,
        }
    }
}

/// What can be wrong with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageProblem {
    /// Hardly any light.
    Dark,
    /// Hardly anything but light.
    Bright,
    /// No sharp edge.
    Blurred,
    /// Hardly any variety of values.
    LowInformation,
    /// Much larger or smaller than the others.
    OddSize,
    /// Very long or very tall.
    OddAspect,
    /// Without colour, among pictures with colour.
    Greyscale,
}

impl ImageProblem {
    /// All, in the order in which people see them.
    pub const ALL: [Self; 7] = [
        Self::Dark,
        Self::Bright,
        Self::Blurred,
        Self::LowInformation,
        Self::OddSize,
        Self::OddAspect,
        Self::Greyscale,
    ];

    /// Its name; a signal's reason begins with it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Blurred => "blurred",
            Self::LowInformation => "low information",
            Self::OddSize => "odd size",
            Self::OddAspect => "odd aspect",
            Self::Greyscale => "greyscale",
        }
    }
}

impl ImageProblem {
    /// How far a picture is from this problem, in [0, 1]; it has the problem below [`Self::threshold`].
    ///
    /// A quarter is half as far as a half only for one problem: measures of different problems are not comparable. An
    /// odd size is measured by how far it may be from the usual divided by how far it is, halved: below ½ it is odd.
    #[must_use]
    pub fn measure(self, look: &Look, usual: &UsualSize) -> f64 {
        let Look { width, height, quality, .. } = look;
        match self {
            Self::Dark => quality.dark(),
            Self::Bright => quality.bright(),
            Self::Blurred => quality.sharpness(),
            Self::LowInformation => quality.information(),
            // A thousandth of a pixel is rounding.
            Self::OddSize => (0.5 * (usual.reach + 1e-3) / (size_of(look) - usual.middle).abs()).min(1.0),
            Self::OddAspect => f64::from(*width.min(height)) / f64::from(*width.max(height)).max(1.0),
            Self::Greyscale => f64::from(u8::from(!quality.grey())),
        }
    }

    /// From where downwards a picture has this problem.
    #[must_use]
    pub fn threshold(self, thresholds: &ImageThresholds) -> f64 {
        match self {
            Self::Dark => thresholds.dark,
            Self::Bright => thresholds.bright,
            Self::Blurred => thresholds.sharpness,
            Self::LowInformation => thresholds.information,
            Self::OddSize | Self::Greyscale => 0.5,
            Self::OddAspect => thresholds.aspect,
        }
    }
}

/// Which sizes are usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UsualSize {
    middle: f64,
    /// The distance from the middle at which a size is odd.
    reach: f64,
}

fn size_of(look: &Look) -> f64 {
    f64::from(look.width).sqrt() * f64::from(look.height).sqrt()
}

impl UsualSize {
    /// From the sizes of these pictures.
    #[must_use]
    pub fn of<'a>(looks: impl Iterator<Item = &'a Look>, thresholds: &ImageThresholds) -> Self {
        let mut sizes: Vec<f64> = looks.map(size_of).collect();
        sizes.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&sizes, 0.25), quantile(&sizes, 0.75));
        let range = high - low;
        Self { middle: f64::midpoint(low, high), reach: thresholds.size_ranges.mul_add(range, range / 2.0) }
    }
}

/// Interpolated between two ranks, as numpy does; 0 of nothing.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |rank: f64| sorted.get(rank as usize).copied().unwrap_or(0.0);
    at(place.floor()) + (at(place.ceil()) - at(place.floor())) * place.fract()
}

/// The problems of one picture, each with its severity in [0, 1] and a few words that say how bad it is.
#[must_use]
pub fn image_problems(
    look: &Look,
    usual: &UsualSize,
    thresholds: &ImageThresholds,
) -> Vec<(ImageProblem, f64, String)> {
    let Look { width, height, quality, .. } = look;
    let mut found = Vec::new();
    for problem in ImageProblem::ALL {
        let (value, threshold) = (problem.measure(look, usual), problem.threshold(thresholds));
        if value >= threshold {
            continue;
        }
        let (severity, words) = match problem {
            ImageProblem::Dark => (None, format!("99 % of it below brightness {value:.2}")),
            ImageProblem::Bright => (None, format!("95 % of it above brightness {:.2}", 1.0 - value)),
            ImageProblem::Blurred => (None, format!("sharpness {:.2}", quality.sharpness())),
            ImageProblem::LowInformation => (None, format!("{:.1} bits of entropy", 10.0 * value)),
            ImageProblem::OddAspect => (None, format!("{width} × {height}")),
            ImageProblem::OddSize => {
                let distance = (size_of(look) - usual.middle).abs();
                let severity = 1.0 - (usual.reach.max(0.1 * usual.middle) / distance).min(1.0);
                (Some(severity), format!("{width} × {height}, usual are {:.0} a side", usual.middle))
            }
            ImageProblem::Greyscale => (Some(0.0), "no pixel has a colour".to_owned()),
        };
        found.push((problem, severity.unwrap_or((threshold - value) / threshold), words));
    }
    found
}

/// Places of a histogram of measures.
pub const MEASURE_BINS: usize = 50;

/// How far every picture of a version is from every problem.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageMeasures {
    /// For each row, in the order of [`ImageProblem::ALL`]; `None` where the picture could not be read.
    pub rows: Vec<Option<[f32; ImageProblem::ALL.len()]>>,
    /// For each problem how many pictures are in each of [`MEASURE_BINS`] equal parts of [0, 1].
    pub histograms: [[u32; MEASURE_BINS]; ImageProblem::ALL.len()],
    /// For each problem how many pictures have it by the usual thresholds.
    pub counts: [u32; ImageProblem::ALL.len()],
}

impl ImageMeasures {
    /// Measures what was seen of a version; the sizes of the same pictures say what is usual.
    #[must_use]
    pub fn of(looks: &[Option<Look>]) -> Self {
        let thresholds = ImageThresholds::default();
        let usual = UsualSize::of(looks.iter().flatten(), &thresholds);
        let mut measures = Self {
            rows: Vec::with_capacity(looks.len()),
            histograms: [[0; MEASURE_BINS]; ImageProblem::ALL.len()],
            counts: [0; ImageProblem::ALL.len()],
        };
        for look in looks {
            measures
                .rows
                .push(look.as_ref().map(|look| ImageProblem::ALL.map(|p| p.measure(look, &usual) as f32)));
            let Some(look) = look else { continue };
            for problem in ImageProblem::ALL {
                let value = problem.measure(look, &usual);
                let bin = ((value * MEASURE_BINS as f64) as usize).min(MEASURE_BINS - 1);
                measures.histograms[problem as usize][bin] += 1;
                measures.counts[problem as usize] += u32::from(value < problem.threshold(&thresholds));
            }
        }
        measures
    }

    /// The rows with a problem when its threshold is this, the worst first.
    #[must_use]
    pub fn below(&self, problem: ImageProblem, threshold: f64) -> Vec<u32> {
        let value =
            |row: u32| self.rows[row as usize].map_or(f32::INFINITY, |values| values[problem as usize]);
        let mut rows: Vec<u32> =
            (0..self.rows.len() as u32).filter(|row| f64::from(value(*row)) < threshold).collect();
        rows.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
        rows
    }
}

/// Pictures with problems of the picture itself.
pub struct ImageProblems;

impl Detector for ImageProblems {
    fn id(&self) -> &'static str {
        "image-problem"
    }

    fn summary(&self) -> &'static str {
        "pictures that are dark, bright, blurred, empty, grey, or of an odd size or shape"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let thresholds = ImageThresholds::default();
        let crowd = Crowd::of(input);
        let looks = crowd.looks(task)?;
        // What is usual is what the trusted base has.
        let usual_part = if crowd.first_judged > 0 { &looks[..crowd.first_judged] } else { &looks[..] };
        let usual = UsualSize::of(usual_part.iter().flatten(), &thresholds);
        let mut counts = [0_usize; ImageProblem::ALL.len()];
        for look in usual_part.iter().flatten() {
            for (problem, ..) in image_problems(look, &usual, &thresholds) {
                counts[problem as usize] += 1;
            }
        }
        let seen = usual_part.iter().flatten().count();
        let usual_problem =
            |problem: ImageProblem| counts[problem as usize] as f64 > thresholds.prevalence * seen as f64;

        let mut signals = Vec::new();
        let mut found = [0_usize; ImageProblem::ALL.len()];
        for (node, look) in crowd.nodes.iter().zip(&looks).skip(crowd.first_judged) {
            let Some(look) = look else { continue };
            let mut problems = image_problems(look, &usual, &thresholds);
            problems.retain(|(problem, ..)| !usual_problem(*problem));
            problems.sort_by(|a, b| b.1.total_cmp(&a.1));
            let Some((_, worst, _)) = problems.first() else { continue };
            for (problem, ..) in &problems {
                found[*problem as usize] += 1;
            }
            let words = problems.iter().map(|(problem, _, words)| format!("{} ({words})", problem.name()));
            signals.push(Signal {
                score: LEAST_SCORE + (1.0 - LEAST_SCORE) * worst,
                reason: words.collect::<Vec<_>>().join("; "),
                ..Signal::of(self.id(), node.row)
            });
        }
        let judged = looks[crowd.first_judged..].iter().flatten().count();
        let listed = ImageProblem::ALL.iter().filter(|p| found[**p as usize] > 0);
        let listed: Vec<String> = listed.map(|p| format!("{} {}", found[*p as usize], p.name())).collect();
        let listed = if listed.is_empty() { "none has a problem".to_owned() } else { listed.join(", ") };
        let mut note = format!("{judged} pictures looked at: {listed}");
        for problem in ImageProblem::ALL.into_iter().filter(|problem| usual_problem(*problem)) {
            let share = 100.0 * counts[problem as usize] as f64 / seen as f64;
            let whose = if crowd.first_judged > 0 { "of the base" } else { "of all pictures" };
            note += &format!("; {share:.0} % {whose} are {}, which is therefore not listed", problem.name());
        }
        Ok(Findings { signals, note, ..Findings::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Quality;

    fn look(width: u32, height: u32) -> Look {
        Look { width, height, format: "png", perceptual_hash: 0, pixel_hash: 0, quality: Quality::default() }
    }

    /// Sizes that are odd among these, as `CleanVision` 0.3.7 flags them.
    fn check_sizes(sizes: &[(u32, u32)], odd: &[usize]) {
        let looks: Vec<Look> = sizes.iter().map(|&(width, height)| look(width, height)).collect();
        let thresholds = ImageThresholds::default();
        let usual = UsualSize::of(looks.iter(), &thresholds);
        let is_odd = |look: &Look| {
            image_problems(look, &usual, &thresholds).iter().any(|(p, ..)| *p == ImageProblem::OddSize)
        };
        let found: Vec<usize> = (0..looks.len()).filter(|&at| is_odd(&looks[at])).collect();
        assert_eq!(found, odd);
    }

    #[test]
    fn sizes_far_from_the_quartiles_are_odd() {
        check_sizes(&[(400, 300); 6], &[]);
        check_sizes(&[(400, 300), (400, 300), (400, 300), (400, 300), (399, 300)], &[4]);
        let spread = [(100, 100), (110, 110), (120, 120), (130, 130), (140, 140), (150, 150)];
        check_sizes(&spread, &[]);
        check_sizes(&[&spread[..], &[(20_000, 10), (500, 500), (10, 10)]].concat(), &[6, 7]);
        check_sizes(&[(7, 7)], &[]);
    }

    #[test]
    fn quantiles_are_numpys() {
        for (share, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 2.5), (1.0, 4.0)] {
            assert!((quantile(&[1.0, 2.0, 3.0, 4.0], share) - expected).abs() < 1e-12);
        }
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn thresholds_that_move_find_more_or_fewer() {
        let looks: Vec<Option<Look>> =
            (1..=20).map(|side| (side != 7).then(|| look(100, 5 * side))).collect();
        let measures = ImageMeasures::of(&looks);
        assert_eq!(measures.below(ImageProblem::OddAspect, 0.12), [0, 1]);
        assert_eq!(measures.below(ImageProblem::OddAspect, 0.35), [0, 1, 2, 3, 4, 5]);
        assert_eq!(measures.counts[ImageProblem::OddAspect as usize], 5 + 1);
        assert_eq!(measures.histograms[ImageProblem::OddAspect as usize].iter().sum::<u32>(), 19);
        assert_eq!(measures.rows[6], None);
    }

    #[test]
    fn a_picture_without_light_is_dark_and_blurred_and_empty() {
        let usual = UsualSize { middle: 100.0, reach: 50.0 };
        let found = image_problems(&look(100, 30), &usual, &ImageThresholds::default());
        let names: Vec<&str> = found.iter().map(|(problem, ..)| problem.name()).collect();
        // The default quality is 0 in everything, also in what would be bright.
        assert_eq!(names, ["dark", "bright", "blurred", "low information", "odd aspect"]);
        assert!(found[..4].iter().all(|(_, severity, _)| *severity == 1.0));
    }
}
