//! Which distinct pictures show the same? Candidates by perceptual hash and by embedding, then the pixels decide.
//!
//! Never all pairs: candidates come from the hash index and from a few nearest neighbours. What is connected through
//! candidates is looked at together, in a fixed order, and each picture is compared only with the *first* of a group:
//! the pictures of a burst, each like the next, do not chain into one group whose ends have nothing in common.

use std::collections::HashMap;

use rayon::prelude::*;

use super::align;
use super::structure::Agreement;
use crate::compare::likeness::{self, Likeness};
use crate::feature::picture::{self, Picture};
use crate::feature::{DIRECTIONS, HashIndex, Look, NearHash, nearest_allowed};
use crate::model::GroupKind;
use crate::task::{Cancelled, Task};

/// Neighbours by embedding that are candidates, if they are at least this similar.
const ALIKE: usize = 4;
const LEAST_SIMILARITY: f32 = 0.6;
/// The longest side at which candidates are compared first.
const THUMBNAIL: u32 = 64;
/// Groups that a picture may be compared with: those whose colours are nearest, among so many.
const MOST_COMPARED: usize = 4;
const MOST_CONSIDERED: usize = 256;
/// Rows of one hash that a judged picture draws in.
const MOST_EQUAL: usize = 64;
/// Members of a group that are looked at again at their full size.
const MOST_CONFIRMED: usize = 256;
/// With a larger share of the picture changed it is another picture.
const MOST_EDITED: f64 = 0.15;

/// One distinct picture; their order decides who is the first of a group.
pub(super) struct Distinct {
    pub look: Look,
    /// Whether a sample that is to be judged shows it; groups without any are not looked for.
    pub judged: bool,
}

/// A group of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Same {
    pub first: u32,
    /// The others, and how they relate to the first.
    pub others: Vec<(u32, GroupKind)>,
}

/// What is known of the pictures.
pub(super) struct Problem<'a> {
    pub pictures: &'a [Distinct],
    /// [`DIRECTIONS`] a picture, of length one or zero.
    pub directions: &'a [f32],
    /// The bytes of a picture.
    pub read: &'a (dyn Fn(u32) -> Option<Vec<u8>> + Sync),
}

/// Groups of two or more, by their first.
pub(super) fn find(problem: &Problem<'_>, task: &Task) -> Result<Vec<Same>, Cancelled> {
    let candidates = Candidates::of(problem, task)?;
    let thumbnails = thumbnails(problem, &candidates, task)?;
    task.begin("Comparing pictures", candidates.components.len());
    let found: Vec<Vec<Same>> = candidates
        .components
        .par_iter()
        .map(|component| {
            let groups = cluster(problem, &candidates, &thumbnails, component, task)?;
            let confirmed = groups.into_iter().map(|group| confirm(problem, group, task));
            task.advance(1);
            confirmed.collect::<Result<_, Cancelled>>()
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut found: Vec<Same> = found.into_iter().flatten().filter(|same| !same.others.is_empty()).collect();
    found.sort_by_key(|same| same.first);
    Ok(found)
}

struct Candidates {
    index: HashIndex,
    /// By picture: hashes near its own.
    near: Vec<Vec<NearHash>>,
    /// By picture: those nearest by embedding, either way.
    alike: Vec<Vec<u32>>,
    /// Pictures connected through candidates, ascending; only where there are several.
    components: Vec<Vec<u32>>,
}

impl Candidates {
    fn of(problem: &Problem<'_>, task: &Task) -> Result<Self, Cancelled> {
        let Problem { pictures, .. } = problem;
        let alike = alike(problem, task)?;
        let hashes = pictures.iter().zip(0..).map(|(picture, at)| (picture.look.perceptual_hash, at));
        let index = HashIndex::of(hashes.collect());
        let look_up = |wanted: &[bool]| -> Result<Vec<Vec<NearHash>>, Cancelled> {
            pictures
                .par_iter()
                .zip(wanted)
                .map(|(picture, wanted)| {
                    task.check()?;
                    Ok(if *wanted { index.near(picture.look.perceptual_hash) } else { Vec::new() })
                })
                .collect()
        };
        let judged: Vec<bool> = pictures.iter().map(|picture| picture.judged).collect();
        let mut near = look_up(&judged)?;
        // What a judged picture is near to needs its own neighbours too, to be grouped among themselves.
        let mut drawn_in = vec![false; pictures.len()];
        for near in near.iter().flatten() {
            for &other in index.pictures(near.position).iter().take(MOST_EQUAL) {
                drawn_in[other as usize] |= !judged[other as usize];
            }
        }
        for (own, theirs) in near.iter_mut().zip(look_up(&drawn_in)?) {
            own.extend(theirs);
        }
        let components = components(&index, pictures, &near, &alike);
        Ok(Self { index, near, alike, components })
    }
}

/// The nearest by embedding of each judged picture, and the other way round.
fn alike(problem: &Problem<'_>, task: &Task) -> Result<Vec<Vec<u32>>, Cancelled> {
    let Problem { pictures, directions, .. } = problem;
    let judged: Vec<u32> = (0..).zip(*pictures).filter(|(_, p)| p.judged).map(|(at, _)| at).collect();
    let numbers = |at: u32| &directions[at as usize * DIRECTIONS..(at as usize + 1) * DIRECTIONS];
    let queries: Vec<f32> = judged.iter().flat_map(|&at| numbers(at)).copied().collect();
    let allowed = |query: usize, position: usize| judged[query] as usize != position;
    let hits = nearest_allowed(&queries, directions, DIRECTIONS, ALIKE, &allowed, task)?;
    let mut alike = vec![Vec::new(); pictures.len()];
    for (&own, hits) in judged.iter().zip(&hits) {
        for hit in hits.iter().filter(|hit| hit.similarity >= LEAST_SIMILARITY) {
            alike[own as usize].push(hit.position);
            alike[hit.position as usize].push(own);
        }
    }
    for list in &mut alike {
        list.sort_unstable();
        list.dedup();
    }
    Ok(alike)
}

fn components(
    index: &HashIndex,
    pictures: &[Distinct],
    near: &[Vec<NearHash>],
    alike: &[Vec<u32>],
) -> Vec<Vec<u32>> {
    let mut parents: Vec<u32> = (0..(pictures.len() + index.len()) as u32).collect();
    let hash_place = |position: u32| pictures.len() as u32 + position;
    for (at, near) in near.iter().enumerate() {
        for near in near {
            join(&mut parents, at as u32, hash_place(near.position));
        }
        for &other in &alike[at] {
            join(&mut parents, at as u32, other);
        }
    }
    for (at, picture) in pictures.iter().enumerate().filter(|(at, _)| !near[*at].is_empty()) {
        if let Some(position) = index.position(picture.look.perceptual_hash) {
            join(&mut parents, at as u32, hash_place(position));
        }
    }
    let mut members: Vec<(u32, u32)> =
        (0..pictures.len() as u32).map(|at| (root(&mut parents, at), at)).collect();
    members.sort_unstable();
    let mut components: Vec<Vec<u32>> = members
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|members| members.len() > 1)
        .map(|members| members.iter().map(|(_, at)| *at).collect())
        .collect();
    components.sort_unstable();
    components
}

fn root(parents: &mut [u32], mut at: u32) -> u32 {
    while parents[at as usize] != at {
        parents[at as usize] = parents[parents[at as usize] as usize];
        at = parents[at as usize];
    }
    at
}

fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

/// A picture small enough to be kept, and its colours on a grid of 4 × 4.
struct Thumbnail {
    picture: Picture,
    colours: Vec<u8>,
}

/// By picture, for those in a component.
fn thumbnails(
    problem: &Problem<'_>,
    candidates: &Candidates,
    task: &Task,
) -> Result<Vec<Option<Thumbnail>>, Cancelled> {
    let mut wanted = vec![false; problem.pictures.len()];
    candidates.components.iter().flatten().for_each(|&at| wanted[at as usize] = true);
    task.begin("Reading pictures that are alike", wanted.iter().filter(|wanted| **wanted).count());
    wanted
        .par_iter()
        .enumerate()
        .map(|(at, wanted)| {
            if !wanted {
                return Ok(None);
            }
            task.check()?;
            task.advance(1);
            let Some(bytes) = (problem.read)(at as u32) else { return Ok(None) };
            let Ok((picture, _)) = picture::thumbnail(&bytes, THUMBNAIL) else { return Ok(None) };
            let colours = picture::resize(&picture, 4, 4).rgb;
            Ok(Some(Thumbnail { picture, colours }))
        })
        .collect()
}

/// Each picture, in order, joins the first group whose first it shows, or begins its own.
fn cluster(
    problem: &Problem<'_>,
    candidates: &Candidates,
    thumbnails: &[Option<Thumbnail>],
    component: &[u32],
    task: &Task,
) -> Result<Vec<Same>, Cancelled> {
    let mut groups: Vec<Same> = Vec::new();
    let mut group_of: HashMap<u32, usize> = HashMap::new();
    let mut groups_at: HashMap<u32, Vec<usize>> = HashMap::new();
    for &at in component {
        task.check()?;
        let Some(own) = &thumbnails[at as usize] else { continue };
        let look = problem.pictures[at as usize].look;
        let mut considered: Vec<usize> = Vec::new();
        for near in &candidates.near[at as usize] {
            considered.extend(groups_at.get(&near.position).into_iter().flatten().take(MOST_CONSIDERED));
            if considered.len() >= MOST_CONSIDERED {
                break;
            }
        }
        considered.sort_unstable();
        considered.dedup();
        let thumbnail = |group: &usize| thumbnails[groups[*group].first as usize].as_ref();
        considered.sort_by_cached_key(|group| {
            thumbnail(group).map(|first| colour_distance(&first.colours, &own.colours))
        });
        considered.truncate(MOST_COMPARED);
        let by_hash = considered.iter().find_map(|&group| {
            let first = thumbnail(&group)?;
            let kind = whole_is_same(problem, (groups[group].first, first), (at, own))?;
            Some((group, kind))
        });
        let alike = || {
            let mut alike: Vec<usize> = candidates.alike[at as usize]
                .iter()
                .filter_map(|other| group_of.get(other).copied())
                .collect();
            alike.sort_unstable();
            alike.dedup();
            alike.into_iter().take(2 * ALIKE).find_map(|group| {
                let first = thumbnail(&group)?;
                let whole = whole_is_same(problem, (groups[group].first, first), (at, own));
                let part = || align::one_is_part(&first.picture, &own.picture).then_some(GroupKind::Near);
                Some((group, whole.or_else(part)?))
            })
        };
        let group = match by_hash.or_else(alike) {
            Some((group, kind)) => {
                groups[group].others.push((at, kind));
                group
            }
            None => {
                groups.push(Same { first: at, others: Vec::new() });
                groups.len() - 1
            }
        };
        group_of.insert(at, group);
        if let Some(position) = candidates.index.position(look.perceptual_hash) {
            let here = groups_at.entry(position).or_default();
            if !here.contains(&group) {
                here.push(group);
            }
        }
    }
    Ok(groups)
}

fn colour_distance(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
}

/// How two pictures of one shape relate, if they show the same.
fn whole_is_same(
    problem: &Problem<'_>,
    (first, first_thumbnail): (u32, &Thumbnail),
    (other, other_thumbnail): (u32, &Thumbnail),
) -> Option<GroupKind> {
    let size = |at: u32| {
        let look = &problem.pictures[at as usize].look;
        (look.width, look.height)
    };
    if !likeness::same_shape(size(first), size(other)) {
        return None;
    }
    // The structure is compared at one size, which may differ by a rounded pixel.
    let (first, other) = (&first_thumbnail.picture, &other_thumbnail.picture);
    let (width, height) = (first.width.min(other.width), first.height.min(other.height));
    let agreement =
        Agreement::of(&picture::resize(first, width, height), &picture::resize(other, width, height));
    match kind_of(likeness::compare(first, other))? {
        GroupKind::Near if !agreement.convincing() => None,
        _ if agreement.refuting() => None,
        kind => Some(kind),
    }
}

fn kind_of(likeness: Likeness) -> Option<GroupKind> {
    match likeness {
        Likeness::Same => Some(GroupKind::ReEncoded),
        Likeness::Edited { share, .. } if share <= MOST_EDITED => Some(GroupKind::Near),
        Likeness::Edited { .. } | Likeness::Unlike => None,
    }
}

/// Looks again at what seemed the same as thumbnails, at full size: what is only alike there was not re-encoded.
fn confirm(problem: &Problem<'_>, group: Same, task: &Task) -> Result<Same, Cancelled> {
    let small = |at: u32| {
        let Look { width, height, .. } = problem.pictures[at as usize].look;
        width.max(height) <= THUMBNAIL
    };
    let Same { first, others } = group;
    if others.is_empty() {
        return Ok(Same { first, others });
    }
    let decode = |at: u32| picture::decode(&(problem.read)(at)?).ok();
    let whole = decode(first);
    let mut kept = Vec::with_capacity(others.len());
    for (rank, (other, kind)) in others.into_iter().enumerate() {
        task.check()?;
        let look_again = kind == GroupKind::ReEncoded && !(small(first) && small(other));
        let kind = if !look_again {
            kind
        } else if rank < MOST_CONFIRMED {
            let likeness = whole.as_ref().zip(decode(other)).map(|(a, b)| likeness::compare(a, &b));
            likeness.and_then(kind_of).unwrap_or(GroupKind::Near)
        } else {
            GroupKind::Near
        };
        kept.push((other, kind));
    }
    Ok(Same { first, others: kept })
}
