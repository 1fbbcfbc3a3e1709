//! Which patches do the suspected pictures of one label share that hardly any other picture has?
//!
//! Striking patches of suspected pictures are compared with all patches of a sample of suspected and of background
//! pictures. Those found most one-sidedly are refined: the mean of the likest patch of each picture above the
//! threshold is the next template, compared with every picture.
//! The whitened mean is also what linear discriminant analysis would take, so half-transparent marks gain most.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::super::calibrate::spread;
use super::super::one_sided::{Nature, Split, split};
use super::code::{Coded, unit};
use crate::task::{Cancelled, Task};

/// Seeds, suspected and background pictures of the first look.
const SEEDS: usize = 1400;
const FIRST_SUSPECTS: usize = 600;
const FIRST_BACKGROUND: usize = 900;
/// Templates that are refined, from round to round.
const KEPT: [usize; 4] = [64, 32, 16, 8];
/// Fewer pictures make no mean.
const LEAST_MEMBERS: usize = 3;
/// Products at a time.
const TEMPLATES: usize = 256;

/// Pictures of one label that are suspected, and those that say what is normal.
pub(super) struct Crowd {
    pub suspects: Vec<usize>,
    /// Those of the same label first.
    pub background: Vec<usize>,
    /// How many are of the same label.
    pub same: usize,
}

impl Crowd {
    /// What the background says of the label.
    pub fn nature(&self) -> Nature {
        if self.same == 0 { Nature::Unknown } else { Nature::Known(self.same) }
    }
}

/// A patch that suspected pictures share.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Of length one.
    pub code: Vec<f32>,
    /// −log10 p of how one-sidedly it is found.
    pub evidence: f64,
    /// The sum that the code is the direction of, and what each suspected picture gave to it: weight and patch.
    sum: Vec<f32>,
    gave: BTreeMap<usize, (f32, u32)>,
}

impl Template {
    /// How like a suspected picture is to what the *other* pictures gave: a picture is always like a mean that it is
    /// part of.
    pub fn fair(&self, images: &[Coded], image: usize, likeness: f32, patch: u32) -> f32 {
        let Some(&(weight, given)) = self.gave.get(&image) else { return likeness };
        let dims = self.code.len();
        let own = images[image].code(given, dims);
        let rest = unit(self.sum.iter().zip(&own).map(|(sum, own)| sum - weight * own).collect());
        let best = if patch == given { own } else { images[image].code(patch, dims) };
        best.iter().zip(&rest).map(|(a, b)| a * b).sum()
    }
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
    let (alike, unlike) = crowd.background.split_at(crowd.same);
    let mut others: Vec<usize> = spread(alike, FIRST_BACKGROUND / 2);
    let same = others.len();
    others.extend(spread(unlike, FIRST_BACKGROUND - same));
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
            let evidence = split(&own, &column(&of_others, seeds.len(), at), Nature::Known(same)).evidence;
            let code = codes[at * dims..(at + 1) * dims].to_vec();
            let gave = BTreeMap::from([(first[seeds[at].0], (1.0, seeds[at].1))]);
            Template { sum: code.clone(), code, evidence, gave }
        })
        .collect();
    for kept in KEPT {
        task.check()?;
        templates = distinct(templates, kept);
        refine(images, dims, crowd, &mut templates, task)?;
    }
    // The last mean has not been looked for yet.
    refine(images, dims, crowd, &mut templates, task)?;
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
        let fair =
            |(line, &image): (&Vec<(f32, u32)>, &usize)| template.fair(images, image, line[at].0, line[at].1);
        let own: Vec<f32> = found.iter().zip(&crowd.suspects).map(fair).collect();
        let Split { evidence, threshold, .. } =
            split(&own, &column(&others, count, at), Nature::Known(crowd.same));
        template.evidence = evidence;
        let mut sum = vec![0.0_f32; dims];
        let mut gave = BTreeMap::new();
        for ((line, &image), &score) in found.iter().zip(&crowd.suspects).zip(&own) {
            if score > threshold {
                let (weight, patch) = (score - threshold + 0.05, line[at].1);
                for (sum, value) in sum.iter_mut().zip(images[image].code(patch, dims)) {
                    *sum += weight * value;
                }
                gave.insert(image, (weight, patch));
            }
        }
        if gave.len() >= LEAST_MEMBERS {
            (template.code, template.sum, template.gave) = (unit(sum.clone()), sum, gave);
        }
    });
    Ok(())
}
