//! Which photos share the same thing? Photos are joined by what pairs of them share, and fall into clusters.

use std::collections::BTreeMap;

use super::photo::Photos;
use super::score::tail;
use super::verify::{Area, Pair};
use crate::feature::local::working_size;
use crate::model::UNLABELLED;

/// A pair that shares so many places over so large a part of both is one scene taken twice, or one picture saved twice.
const SCENE_PLACES: usize = 6;
const SCENE_SHARE: f32 = 0.2;

/// What covers more of a photo than this is no mark on it.
const MOST_SHARE: f32 = 0.25;

/// Areas of one photo that overlap by more than this are one place.
const SAME_PLACE: f32 = 0.5;

const SWEEPS: usize = 12;

/// The fewest scenes in which a cluster shows, and pairs of photos that show it.
const LEAST_SCENES: usize = 3;
const LEAST_PAIRS: usize = 3;

/// Photos that show one scene, by the first of them.
pub(super) struct Scenes {
    parent: Vec<u32>,
}

impl Scenes {
    /// Each photo is a scene of its own.
    pub(super) fn apart(photos: usize) -> Self {
        Self { parent: (0..photos as u32).collect() }
    }

    pub(super) fn of(&self, photo: usize) -> u32 {
        let mut at = photo as u32;
        while self.parent[at as usize] != at {
            at = self.parent[at as usize];
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.of(a as usize), self.of(b as usize));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// How many scenes some photos show.
    pub(super) fn count(&self, photos: impl IntoIterator<Item = usize>) -> usize {
        let mut scenes: Vec<u32> = photos.into_iter().map(|photo| self.of(photo)).collect();
        scenes.sort_unstable();
        scenes.dedup();
        scenes.len()
    }
}

/// A place in a photo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) photo: u32,
}

/// Places that show the same thing.
pub(super) struct Seed {
    pub(super) nodes: Vec<Node>,
    /// Positions in `nodes`, and the pair that joins them, its photos in the same order.
    pub(super) edges: Edges,
    rank: f64,
}

type Edges = Vec<(usize, usize, Pair)>;

/// How large a photo's working picture is.
pub(super) fn working_area(photos: &Photos<'_>, photo: u32) -> f32 {
    let local = photos.all[photo as usize].local;
    working_size(local.width, local.height).map_or(1.0, |(w, h)| w as f32 * h as f32)
}

/// Joins photos of one scene, and gathers the others' pairs into clusters, the most suspicious first and at most so many.
pub(super) fn clusters(photos: &Photos<'_>, pairs: &[Pair], most: usize) -> (Scenes, Vec<Seed>) {
    let mut scenes = Scenes::apart(photos.all.len());
    let mut local: Vec<&Pair> = Vec::new();
    for pair in pairs {
        let shares = [(pair.photos.0, pair.areas.0), (pair.photos.1, pair.areas.1)]
            .map(|(photo, area)| area.size() / working_area(photos, photo));
        if pair.points.len() >= SCENE_PLACES && shares.iter().all(|share| *share > SCENE_SHARE) {
            scenes.join(pair.photos.0, pair.photos.1);
        } else if shares.iter().all(|share| *share <= MOST_SHARE) {
            local.push(pair);
        }
    }
    local.retain(|pair| scenes.of(pair.photos.0 as usize) != scenes.of(pair.photos.1 as usize));

    // Places: areas of one photo that overlap.
    let mut places: BTreeMap<u32, Vec<(Area, usize)>> = BTreeMap::new();
    let mut nodes: Vec<Node> = Vec::new();
    let mut node = |photo: u32, area: Area| {
        let places = places.entry(photo).or_default();
        if let Some((known, at)) = places.iter_mut().find(|(known, _)| known.overlap(&area) > SAME_PLACE) {
            // It must not grow over the whole photo by chaining.
            let joined = known.joined(&area);
            if joined.size() <= MOST_SHARE * working_area(photos, photo) {
                *known = joined;
            }
            return *at;
        }
        nodes.push(Node { photo });
        places.push((area, nodes.len() - 1));
        nodes.len() - 1
    };
    let mut largest_first = local;
    largest_first.sort_by_key(|pair| (std::cmp::Reverse(pair.points.len()), pair.photos));
    let edges: Vec<(usize, usize, &Pair)> = largest_first
        .into_iter()
        .map(|pair| (node(pair.photos.0, pair.areas.0), node(pair.photos.1, pair.areas.1), pair))
        .collect();

    let label = propagate(nodes.len(), &edges);
    let mut seeds: BTreeMap<usize, (BTreeMap<usize, usize>, Edges)> = BTreeMap::new();
    for (a, b, pair) in edges {
        if label[a] == label[b] {
            let (members, edges) = seeds.entry(label[a]).or_default();
            let [a, b] = [a, b].map(|node| {
                let next = members.len();
                *members.entry(node).or_insert(next)
            });
            edges.push((a, b, pair.clone()));
        }
    }
    let mut seeds: Vec<Seed> = seeds
        .into_values()
        .filter_map(|(members, edges)| {
            let mut own = vec![Node { photo: 0 }; members.len()];
            for (node, at) in members {
                own[at] = nodes[node];
            }
            let found = scenes.count(own.iter().map(|node| node.photo as usize));
            if found < LEAST_SCENES || edges.len() < LEAST_PAIRS {
                return None;
            }
            let rank = found as f64 + edges.len() as f64 / own.len() as f64 + label_part(photos, &own);
            Some(Seed { nodes: own, edges, rank })
        })
        .collect();
    seeds.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    seeds.truncate(most);
    (scenes, seeds)
}

/// −log10 of the chance that so many have one label, where labels were free to differ.
fn label_part(photos: &Photos<'_>, nodes: &[Node]) -> f64 {
    if photos.by_label {
        return 0.0;
    }
    let mut members: Vec<u32> = nodes.iter().map(|node| node.photo).collect();
    members.sort_unstable();
    members.dedup();
    let (label, count) = top_label(photos, members.iter().map(|&photo| photo as usize));
    tail(photos.suspects, members.len(), photos.of_label(label), count)
}

/// The most frequent label of some photos, and how many have it.
pub(super) fn top_label(photos: &Photos<'_>, members: impl IntoIterator<Item = usize>) -> (u32, usize) {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for photo in members {
        *counts.entry(photos.all[photo].label).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|&(label, count)| (count, std::cmp::Reverse(label)))
        .unwrap_or((UNLABELLED, 0))
}

/// Label propagation: each node takes the label that most of its edges' weight has, for some sweeps.
fn propagate(nodes: usize, edges: &[(usize, usize, &Pair)]) -> Vec<usize> {
    let mut neighbours: Vec<Vec<(usize, usize)>> = vec![Vec::new(); nodes];
    for &(a, b, pair) in edges {
        neighbours[a].push((b, pair.points.len()));
        neighbours[b].push((a, pair.points.len()));
    }
    let mut label: Vec<usize> = (0..nodes).collect();
    for _ in 0..SWEEPS {
        let mut changed = false;
        for node in 0..nodes {
            let mut weights: BTreeMap<usize, usize> = BTreeMap::new();
            for &(other, weight) in &neighbours[node] {
                *weights.entry(label[other]).or_default() += weight;
            }
            let best = weights.into_iter().max_by_key(|&(label, weight)| (weight, std::cmp::Reverse(label)));
            if let Some((best, _)) = best
                && best != label[node]
            {
                label[node] = best;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    label
}
