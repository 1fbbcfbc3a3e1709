//! Which pictures are unlike all others? Those whose nearest neighbours are far away.
//!
//! As Datalab of cleanlab 2.9: the mean cosine distance to the 10 nearest is an outlier's if it passes the third
//! quartile of all by 1.7 interquartile ranges. Neighbours are searched in the 128 principal directions of the
//! hand-crafted numbers; pictures with the same bytes are no neighbours of each other. With a base, neighbours and
//! quartiles are the base's.
//!
//! An outlier is no alarm: rare is not wrong. Its score is `1 − exp(−distance / median)`, Datalab's turned round.

use super::crowd::Crowd;
use super::image_problem::quantile;
use super::{DetectError, Detector, Findings, Input};
use crate::feature::{DIRECTIONS, Hit, nearest_allowed};
use crate::model::{Neighbor, Signal};
use crate::task::Task;

/// Neighbours whose mean distance counts.
const NEIGHBORS: usize = 10;
/// Interquartile ranges beyond the third quartile: `1 / 0.37037 − 1`.
const RANGES: f64 = 1.7;
/// Fewer pictures say nothing about what is usual.
const LEAST: usize = 50;
/// Pictures of the base from which the quartiles are taken, evenly spread.
const BASE_SAMPLES: usize = 5_000;

/// Pictures far from all others.
pub struct Outlier;

impl Detector for Outlier {
    fn id(&self) -> &'static str {
        "outlier"
    }

    fn summary(&self) -> &'static str {
        "pictures unlike all others"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        let crowd = Crowd::of(input);
        let with_base = crowd.first_judged > 0;
        let references = if with_base { crowd.first_judged } else { crowd.nodes.len() };
        if references < LEAST {
            let note = format!(
                "not judged: {references} pictures are too few to say what is usual (at least {LEAST})"
            );
            return Ok(Findings { note, ..Findings::default() });
        }
        let directions = crowd.directions(task)?;
        let samples = if with_base { BASE_SAMPLES.min(references) } else { 0 };
        let usual = (0..samples).map(|at| at * references / samples);
        let queries: Vec<usize> = usual.chain(crowd.first_judged..crowd.nodes.len()).collect();
        let numbers = |at: usize| &directions[at * DIRECTIONS..(at + 1) * DIRECTIONS];
        let asked: Vec<f32> = queries.iter().flat_map(|&at| numbers(at)).copied().collect();
        let hash = |at: usize| crowd.hash(crowd.nodes[at]);
        let allowed = |query: usize, position: usize| {
            queries[query] != position
                && (hash(queries[query]).is_none() || hash(queries[query]) != hash(position))
        };
        let reference = &directions[..references * DIRECTIONS];
        let hits = nearest_allowed(&asked, reference, DIRECTIONS, NEIGHBORS, &allowed, task)?;
        // A picture without numbers is at 0, as far from every other.
        let has_numbers = |at: usize| numbers(at).iter().any(|x| *x != 0.0);
        let distances: Vec<Option<f64>> = queries
            .iter()
            .zip(&hits)
            .map(|(&at, hits)| (has_numbers(at) && !hits.is_empty()).then(|| mean_distance(hits)))
            .collect();
        let mut sorted: Vec<f64> = if with_base { &distances[..samples] } else { &distances[..] }
            .iter()
            .flatten()
            .copied()
            .collect();
        if sorted.len() < LEAST {
            let note = format!(
                "not judged: {} pictures differ from the others, too few to say what is usual",
                sorted.len()
            );
            return Ok(Findings { note, ..Findings::default() });
        }
        sorted.sort_by(f64::total_cmp);
        let [first, median, third] = [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share));
        // Where all are alike there is no range; rounding is no distance.
        let threshold = third + (RANGES * (third - first)).max(1e-4);

        let mut signals = Vec::new();
        let judged = queries.iter().zip(&hits).zip(&distances).skip(samples);
        for ((&at, hits), distance) in judged {
            let Some(distance) = distance.filter(|distance| *distance > threshold) else { continue };
            let near = |hit: &Hit| crowd.nodes[hit.position as usize];
            signals.push(Signal {
                score: 1.0 - (-distance / median.max(1e-6)).exp(),
                neighbors: hits
                    .iter()
                    .map(|hit| Neighbor {
                        in_base: near(hit).in_base,
                        row: near(hit).row,
                        similarity: hit.similarity,
                    })
                    .collect(),
                reason: format!(
                    "Unlike all others: its {} nearest pictures are {distance:.2} away, where {median:.2} is usual",
                    hits.len()
                ),
                ..Signal::of(self.id(), crowd.nodes[at].row)
            });
        }
        let judged = crowd.nodes.len() - crowd.first_judged;
        let note = format!(
            "{} of {judged} pictures are farther than {threshold:.2} from their {NEIGHBORS} nearest{}; usual is {median:.2}",
            signals.len(),
            if with_base { " of the base" } else { "" },
        );
        Ok(Findings { signals, note, ..Findings::default() })
    }
}

fn mean_distance(hits: &[Hit]) -> f64 {
    let distance = |hit: &Hit| f64::from(1.0 - hit.similarity).max(0.0);
    hits.iter().map(distance).sum::<f64>() / hits.len() as f64
}
