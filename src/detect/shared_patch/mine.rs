//! Which patches do the suspected pictures of one label share that hardly any other picture has?
//!
//! Striking patches of suspected pictures are compared with all patches of a sample of suspected and of background
//! pictures. Those found most one-sidedly are refined: the mean of the likest patch of each picture above the
//! threshold is the next template, compared with every picture.
//! The whitened mean is also what linear discriminant analysis would take, so half-transparent marks gain most.

use rayon::prelude::*;

use super::super::calibrate::spread;
use super::super::chance::hypergeometric;
use super::code::{Coded, unit};
use crate::task::{Cancelled, Task};

/// Seeds, suspected and background pictures of the first look.
const SEEDS: usize = 1400;
const FIRST_SUSPECTS: usize = 600;
const FIRST_BACKGROUND: usize = 900;
/// Templates that are refined, from round to round.
const KEPT: [usize; 4] = [64, 32, 16, 8];
/// Background pictures that may be above a threshold.
const FALSE_ONES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// The largest share of the background that may be.
const MOST_FALSE: usize = 8;
/// Fewer pictures make no mean.
const LEAST_MEMBERS: usize = 3;
/// Products at a time.
const TEMPLATES: usize = 256;

/// Pictures of one label that are suspected, and those that say what is normal.
pub(super) struct Crowd {
    pub suspects: Vec<usize>,
    pub background: Vec<usize>,
}

/// A patch that suspected pictures share.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Of length one.
    pub code: Vec<f32>,
    /// −log10 p of how one-sidedly it is found.
    pub evidence: f64,
    /// Likeness above which it counts as found.
    threshold: f32,
}

/// A threshold and what it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub evidence: f64,
    pub threshold: f32,
    /// Suspected and background pictures above.
    pub found: usize,
    pub background: usize,
}

/// The most one-sided threshold.
pub(super) fn split(suspects: &[f32], background: &[f32]) -> Split {
    let mut highest: Vec<f32> = background.to_vec();
    highest.sort_by(|a, b| b.total_cmp(a));
    let mut best = Split { evidence: 0.0, threshold: f32::INFINITY, found: 0, background: 0 };
    for count in FALSE_ONES.into_iter().filter(|count| count * MOST_FALSE <= highest.len()) {
        let threshold = highest[count - 1];
        let found = suspects.iter().filter(|score| **score > threshold).count();
        let all = (suspects.len() + background.len()) as u64;
        let evidence = hypergeometric(all, (found + count) as u64, suspects.len() as u64, found as u64);
        if evidence > best.evidence {
            best = Split { evidence, threshold, found, background: count };
        }
    }
    best
}

/// Likenesses of pictures to templates: one line a picture.
pub(super) fn likenesses(
    images: &[Coded],
    which: &[usize],
    templates: &[f32],
    dims: usize,
    task: &Task,
) -> Result<Vec<f32>, Cancelled> {
    let count = templates.len() / dims;
    let mut scores = vec![0.0_f32; which.len() * count];
    scores.par_chunks_mut(count.max(1)).zip(which).try_for_each(|(line, &image)| {
        task.check()?;
        for (out, templates) in line.chunks_mut(TEMPLATES).zip(templates.chunks(TEMPLATES * dims)) {
            images[image].best(templates, dims, out);
        }
        Ok(())
    })?;
    Ok(scores)
}

fn column(scores: &[f32], count: usize, at: usize) -> Vec<f32> {
    scores.iter().skip(at).step_by(count).copied().collect()
}

/// The patches that are found most one-sidedly, best first, no two of them in mostly the same pictures at one place.
pub(super) fn mine(
    images: &[Coded],
    dims: usize,
    crowd: &Crowd,
    task: &Task,
) -> Result<Vec<Template>, Cancelled> {
    let first: Vec<usize> = spread(&crowd.suspects, FIRST_SUSPECTS);
    let others: Vec<usize> = spread(&crowd.background, FIRST_BACKGROUND);
    let all_seeds: Vec<(usize, u32)> = first
        .iter()
        .enumerate()
        .flat_map(|(at, &image)| images[image].seeds.iter().map(move |&seed| (at, seed)))
        .collect();
    let seeds = spread(&all_seeds, SEEDS);
    let codes: Vec<f32> = seeds.iter().flat_map(|&(at, patch)| images[first[at]].code(patch, dims)).collect();
    let of_suspects = likenesses(images, &first, &codes, dims, task)?;
    let of_others = likenesses(images, &others, &codes, dims, task)?;
    let mut templates: Vec<Template> = (0..seeds.len())
        .into_par_iter()
        .map(|at| {
            let mut own = column(&of_suspects, seeds.len(), at);
            // A patch is most like itself.
            own[seeds[at].0] = -1.0;
            let Split { evidence, threshold, .. } = split(&own, &column(&of_others, seeds.len(), at));
            let code = codes[at * dims..(at + 1) * dims].to_vec();
            Template { code, evidence, threshold }
        })
        .collect();
    for kept in KEPT {
        task.check()?;
        templates = distinct(templates, kept);
        refine(images, dims, crowd, &mut templates, task)?;
    }
    templates.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
    Ok(templates)
}

/// The best templates, without those that are nearly another.
fn distinct(mut templates: Vec<Template>, most: usize) -> Vec<Template> {
    const SAME: f32 = 0.9;
    templates.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
    let mut kept: Vec<Template> = Vec::with_capacity(most);
    for template in templates {
        let like =
            |other: &Template| other.code.iter().zip(&template.code).map(|(a, b)| a * b).sum::<f32>() > SAME;
        if template.evidence > 0.0 && !kept.iter().any(like) {
            kept.push(template);
            if kept.len() == most {
                break;
            }
        }
    }
    kept
}

/// Each template becomes the mean of what it found, if that is found more one-sidedly.
fn refine(
    images: &[Coded],
    dims: usize,
    crowd: &Crowd,
    templates: &mut [Template],
    task: &Task,
) -> Result<(), Cancelled> {
    let count = templates.len();
    let codes: Vec<f32> = templates.iter().flat_map(|template| &template.code).copied().collect();
    let others = likenesses(images, &crowd.background, &codes, dims, task)?;
    let found: Vec<Vec<(f32, u32)>> = crowd
        .suspects
        .par_iter()
        .map(|&image| {
            task.check()?;
            Ok(images[image].best_patches(&codes, dims))
        })
        .collect::<Result<_, Cancelled>>()?;
    templates.par_iter_mut().enumerate().for_each(|(at, template)| {
        let own: Vec<f32> = found.iter().map(|line| line[at].0).collect();
        let Split { evidence, threshold, .. } = split(&own, &column(&others, count, at));
        (template.evidence, template.threshold) = (evidence, threshold);
        let mut mean = vec![0.0_f32; dims];
        let mut members = 0;
        for (line, &image) in found.iter().zip(&crowd.suspects) {
            let (score, patch) = line[at];
            if score > threshold {
                members += 1;
                let weight = score - threshold + 0.05;
                for (mean, value) in mean.iter_mut().zip(images[image].code(patch, dims)) {
                    *mean += weight * value;
                }
            }
        }
        if members >= LEAST_MEMBERS {
            template.code = unit(mean);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_that_splits_best() {
        let background: Vec<f32> = (0..100).map(|at| at as f32 / 200.0).collect();
        let suspects: Vec<f32> = (0..50).map(|at| if at < 10 { 0.9 } else { at as f32 / 200.0 }).collect();
        let found = split(&suspects, &background);
        assert_eq!((found.found, found.background, found.threshold), (10, 1, 0.495));
        assert!((found.evidence - hypergeometric(150, 11, 50, 10)).abs() < 1e-12);
        assert!(split(&background[..50], &background).evidence < 1.0);
        assert_eq!(split(&[], &[]).found, 0);
    }
}
