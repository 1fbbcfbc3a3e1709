//! How is a judgement put into signals, confusions and words?

use std::sync::Arc;

use crate::detect::noise::Noise;
use crate::detect::{Confusion, Options, confident, score};
use crate::feature::Hit;
use crate::model::{Neighbor, Signal, Suggestion};

use super::MIN_CLASS;

/// Neighbours given as evidence.
const EVIDENCE: usize = 10;
/// Classes named with their probability.
const NAMED: usize = 5;
/// Pairs of classes that are reported as confused.
const CONFUSIONS: usize = 50;
/// The alarm is raised on labels that are noise with at least this probability, which is rather too low than too high:
/// **measured** on CIFAR-10N with 9, 18 and 41 % wrong labels, 73, 84 and 90 % of those above it were wrong.
const ALARM: f64 = 0.3;

/// A sample to be judged.
pub(super) struct Candidate {
    /// Its position among the judged samples.
    pub sample: usize,
    /// Its row in the judged version.
    pub row: u32,
    /// Its given class, among the teacher's.
    pub label: u32,
}

/// What is known of samples and classes.
pub(super) struct View<'a, P> {
    /// The classes' names.
    pub classes: &'a [Arc<str>],
    /// Teaching samples by class.
    pub counts: &'a [usize],
    /// Classes of the teaching samples, which come first.
    pub labels: &'a [u32],
    /// `samples × classes`.
    pub probabilities: &'a [P],
    /// The models whose qualities are averaged, with their weights; the probabilities' own when empty.
    pub members: &'a [(&'a [P], f64)],
    /// By sample the nearest teaching samples.
    pub neighbors: &'a [Vec<Hit>],
    /// Rows of the teaching samples.
    pub rows: &'a [u32],
    /// Whether these are rows of the base.
    pub in_base: bool,
}

/// What the judged labels come to.
pub(super) struct Verdicts {
    pub signals: Vec<Signal>,
    pub confusions: Vec<Confusion>,
    /// Two sentences on how many are wrong and how sure that is.
    pub expectation: String,
}

impl<P: Copy + Into<f64> + Sync> View<'_, P> {
    fn row(&self, sample: usize) -> &[P] {
        let classes = self.classes.len();
        &self.probabilities[sample * classes..(sample + 1) * classes]
    }

    pub fn verdicts(&self, candidates: &[Candidate], options: &Options, detector: &'static str) -> Verdicts {
        let classes = self.classes.len();
        let taught = self.labels.len();
        let mut thresholds =
            confident::thresholds(&self.probabilities[..taught * classes], self.labels, classes);
        for (threshold, count) in thresholds.iter_mut().zip(self.counts) {
            if *count < MIN_CLASS {
                *threshold = confident::NEVER;
            }
        }
        let labels: Vec<u32> = candidates.iter().map(|candidate| candidate.label).collect();
        let of_candidates = |all: &[P]| -> Vec<P> {
            let rows = candidates.iter().flat_map(|c| &all[c.sample * classes..(c.sample + 1) * classes]);
            rows.copied().collect()
        };
        let probabilities = of_candidates(self.probabilities);
        let qualities = self.qualities(&of_candidates, &labels, &thresholds, options);

        let noise = Noise::fit(&self.probabilities[..taught * classes], self.labels, classes);
        let noise = if self.in_base { noise.refit(&probabilities, &labels) } else { noise };
        let wrong = noise.probabilities(&probabilities, &labels);
        let mut alarm = vec![false; candidates.len()];
        let flagged = match options.label_filter {
            Some(filter) => {
                confident::flagged(&probabilities, &labels, classes, filter, confident::Pruning::default())
            }
            None => (0..candidates.len()).filter(|&at| wrong[at] >= ALARM).collect(),
        };
        for &at in &flagged {
            alarm[at] = true;
        }

        let signals = candidates
            .iter()
            .enumerate()
            .map(|(at, candidate)| self.signal(candidate, qualities[at], alarm[at], detector))
            .collect();
        let joint = confident::confident_joint(&probabilities, &labels, &thresholds);
        let joint = confident::calibrate(&joint, &labels, classes);
        let expectation = expectation(&wrong, &flagged, confident::calibrated_issues(&joint, classes));
        Verdicts { signals, confusions: self.confusions(&joint), expectation }
    }

    fn qualities(
        &self,
        of_candidates: &dyn Fn(&[P]) -> Vec<P>,
        labels: &[u32],
        thresholds: &[f64],
        options: &Options,
    ) -> Vec<f64> {
        let (rule, counts) = (options.score_rule, self.counts);
        let of = |all| score::qualities(&of_candidates(all), labels, rule, thresholds, counts);
        if self.members.is_empty() {
            return of(self.probabilities);
        }
        let mut mean = vec![0.0; labels.len()];
        for (member, weight) in self.members {
            mean.iter_mut().zip(of(member)).for_each(|(mean, quality)| *mean += weight * quality);
        }
        mean
    }

    fn signal(&self, candidate: &Candidate, quality: f64, alarm: bool, detector: &'static str) -> Signal {
        let row: Vec<f64> = self.row(candidate.sample).iter().map(|&p| p.into()).collect();
        let given = candidate.label as usize;
        let named =
            |class: usize| Suggestion { label: self.classes[class].to_string(), probability: row[class] };
        let mut likely: Vec<usize> = (0..row.len()).collect();
        let by_probability = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
        if likely.len() > NAMED {
            likely.select_nth_unstable_by(NAMED - 1, by_probability);
            likely.truncate(NAMED);
        }
        likely.sort_unstable_by(by_probability);
        let best = likely[0];
        let hits =
            self.neighbors.get(candidate.sample).map_or(&[][..], |hits| &hits[..hits.len().min(EVIDENCE)]);
        let agreeing = hits.iter().filter(|hit| self.labels[hit.position as usize] as usize == best).count();
        Signal {
            detector,
            row: candidate.row,
            score: (1.0 - quality).clamp(0.0, 1.0),
            alarm,
            probabilities: likely.iter().map(|&class| named(class)).collect(),
            suggested: (best != given).then(|| named(best)),
            neighbors: hits
                .iter()
                .map(|hit| Neighbor {
                    in_base: self.in_base,
                    row: self.rows[hit.position as usize],
                    similarity: hit.similarity,
                })
                .collect(),
            cluster: None,
            area: None,
            reason: self.reason(&named(best), (best != given).then(|| named(given)), agreeing, hits.len()),
        }
    }

    /// Such as "Looks like dog (71 %), not cat (3 %); 8 of its 10 nearest pictures are dog".
    fn reason(&self, best: &Suggestion, given: Option<Suggestion>, agreeing: usize, of: usize) -> String {
        let looks = format!("Looks like {} ({})", best.label, percent(best.probability));
        let label = match given {
            Some(given) => format!("not {} ({})", given.label, percent(given.probability)),
            None => "as labelled".to_owned(),
        };
        let place = if self.in_base { " in the base" } else { "" };
        match of {
            0 => format!("{looks}, {label}"),
            _ => {
                format!("{looks}, {label}; {agreeing} of its {of} nearest pictures{place} are {}", best.label)
            }
        }
    }

    /// The pairs of classes that most labels fall between.
    fn confusions(&self, joint: &[u64]) -> Vec<Confusion> {
        let classes = self.classes.len();
        let mut pairs: Vec<(u64, usize)> = joint
            .iter()
            .enumerate()
            .filter(|(at, count)| **count > 0 && at / classes != at % classes)
            .map(|(at, &count)| (count, at))
            .collect();
        pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        pairs
            .into_iter()
            .take(CONFUSIONS)
            .map(|(estimated_count, at)| Confusion {
                given: self.classes[at / classes].to_string(),
                looks_like: self.classes[at % classes].to_string(),
                estimated_count,
            })
            .collect()
    }
}

fn expectation(wrong: &[f64], flagged: &[usize], confident: u64) -> String {
    let least: f64 = wrong.iter().sum();
    let (low, high) = (least.min(confident as f64), least.max(confident as f64));
    let range = format!(
        "between {low:.0} labels (those that have nothing to do with the picture) and {high:.0} (confident learning, \
         which counts the models' own mistakes too) look wrong"
    );
    let alarm = match flagged.len() {
        0 => "None is so with a probability that would be worth an alarm".to_owned(),
        count => {
            let expected = flagged.iter().map(|&at| wrong[at]).sum::<f64>() / count as f64;
            format!(
                "Of {count} above the alarm threshold at least {} may be expected to be wrong",
                percent(expected)
            )
        }
    };
    format!("{range}. {alarm}")
}

pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        few if few > 0.0 && few < 0.5 => "<1 %".to_owned(),
        most if (99.5..100.0).contains(&most) => ">99 %".to_owned(),
        value => format!("{value:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_to_certainty() {
        for (share, text) in
            [(0.0, "0 %"), (0.001, "<1 %"), (0.714, "71 %"), (0.999, ">99 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(share), text);
        }
    }
}
