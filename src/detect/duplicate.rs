//! Which samples show one picture, and does it matter? Copies with another label, or in another split.
//!
//! *Exact*: the same bytes, or the same pixels in other bytes. *Re-encoded*: by perceptual hash, then by pixels.
//! *Near*: by perceptual hash or embedding, then by pixels, whole or as a part of the other ([`find`]).
//!
//! A group matters when its labels differ, when it is in more than one split, or when the golden set has it: then its
//! members get a signal with an alarm. Copies under one label in one split are harmless: they are listed as a group
//! and get no signal. With a base only groups with a contributed sample are listed, and only that gets a signal.

mod align;
mod find;
mod structure;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::crowd::{Crowd, Node};
use super::{DetectError, Detector, Findings, Input};
use crate::feature::Look;
use crate::model::{ContentHash, Group, GroupKind, GroupMember, Neighbor, Signal};
use crate::task::Task;
use find::{Distinct, Problem};

/// Other members given as evidence.
const EVIDENCE: usize = 10;
/// How much of a group's suspicion remains where the pictures are not quite the same.
const NEAR_FACTOR: f64 = 0.8;
/// Score of a sample that only leaks into another split.
const LEAK: f64 = 0.6;
/// Score of a sample whose picture is in the golden set.
const GOLDEN: f64 = 0.9;

/// Groups of samples that show one picture.
pub struct Duplicate;

impl Detector for Duplicate {
    fn id(&self) -> &'static str {
        "duplicate"
    }

    fn summary(&self) -> &'static str {
        "one picture under two labels or in two splits"
    }

    fn run(&self, input: &Input<'_>, task: &Task) -> Result<Findings, DetectError> {
        find_duplicates(input, &BTreeSet::new(), task)
    }
}

/// As the detector, with the contents of a golden set: whatever shows one of its pictures is told.
pub fn find_duplicates(
    input: &Input<'_>,
    golden: &BTreeSet<ContentHash>,
    task: &Task,
) -> Result<Findings, DetectError> {
    let crowd = Crowd::of(input);
    let judged = crowd.nodes.len() - crowd.first_judged;
    if judged == 0 {
        let note = "not run: there is no sample to compare".to_owned();
        return Ok(Findings { note, ..Findings::default() });
    }
    let looks = crowd.looks(task)?;
    let pictures = distinct(&crowd, &looks);
    let directions = {
        let all = crowd.directions(task)?;
        let dim = crate::feature::DIRECTIONS;
        let rows = pictures.iter().flat_map(|picture| {
            let node = picture.nodes[0] as usize;
            &all[node * dim..(node + 1) * dim]
        });
        rows.copied().collect::<Vec<f32>>()
    };
    let list: Vec<Distinct> = pictures
        .iter()
        .map(|picture| Distinct { look: picture.look, judged: picture.is_judged(&crowd) })
        .collect();
    let read = |at: u32| {
        let nodes = &pictures[at as usize].nodes;
        nodes.iter().find_map(|&node| {
            let node = crowd.nodes[node as usize];
            crowd.side(node).dataset.pictures.read(node.row as usize).ok()
        })
    };
    let same = find::find(&Problem { pictures: &list, directions: &directions, read: &read }, task)?;

    let mut grouped: Vec<Vec<(u32, GroupKind)>> = Vec::new();
    let mut taken = vec![false; pictures.len()];
    for same in same {
        let mut members = vec![(same.first, GroupKind::Exact)];
        members.extend(same.others);
        for (at, _) in &members {
            taken[*at as usize] = true;
        }
        grouped.push(members);
    }
    let alone = (0..pictures.len()).filter(|&at| !taken[at] && pictures[at].nodes.len() > 1);
    grouped.extend(alone.map(|at| vec![(at as u32, GroupKind::Exact)]));

    let mut groups = Vec::new();
    for members in grouped {
        let nodes = members.iter().flat_map(|&(at, kind)| {
            pictures[at as usize].nodes.iter().map(move |&node| (node as usize, kind))
        });
        let nodes: Vec<(usize, GroupKind)> = nodes.collect();
        if nodes.iter().any(|(node, _)| *node >= crowd.first_judged) {
            groups.push(describe(&crowd, &nodes, golden));
        }
    }
    groups.sort_by_key(|(group, nodes)| {
        (!group.labels_differ, group.splits.is_empty(), !group.golden, Reverse(nodes.len()), nodes[0].0)
    });
    let mut signals = Vec::new();
    for (at, (group, nodes)) in groups.iter_mut().enumerate() {
        group.id = format!("d{}", at + 1);
        if group.matters() {
            signals.extend(signals_of(&crowd, group, nodes, &looks, golden));
        }
    }
    let groups: Vec<Group> = groups.into_iter().map(|(group, _)| group).collect();
    let note = note(&groups, judged, crowd.first_judged);
    Ok(Findings { signals, groups, note, ..Findings::default() })
}

/// A picture and the nodes that show exactly it.
struct Shown {
    look: Look,
    /// Ascending.
    nodes: Vec<u32>,
}

impl Shown {
    fn is_judged(&self, crowd: &Crowd<'_>) -> bool {
        self.nodes.last().is_some_and(|&node| node as usize >= crowd.first_judged)
    }
}

/// Distinct by pixels. Those of the base come first, then the largest: the first of a group is the original rather
/// than what was cut from it.
fn distinct(crowd: &Crowd<'_>, looks: &[Option<Look>]) -> Vec<Shown> {
    let mut places: HashMap<(u64, u32, u32), usize> = HashMap::new();
    let mut pictures: Vec<Shown> = Vec::new();
    for (look, node) in looks.iter().zip(0..) {
        let Some(look) = *look else { continue };
        let place = places.entry((look.pixel_hash, look.width, look.height)).or_insert_with(|| {
            pictures.push(Shown { look, nodes: Vec::new() });
            pictures.len() - 1
        });
        pictures[*place].nodes.push(node);
    }
    pictures.sort_by_key(|picture| {
        let first = picture.nodes[0];
        let size = u64::from(picture.look.width) * u64::from(picture.look.height);
        (first as usize >= crowd.first_judged, Reverse(size), first)
    });
    pictures
}

type Nodes = Vec<(usize, GroupKind)>;

/// What a group is, with its nodes: those of the base first.
fn describe(crowd: &Crowd<'_>, nodes: &Nodes, golden: &BTreeSet<ContentHash>) -> (Group, Nodes) {
    let node = |at: usize| crowd.nodes[at];
    let labels: BTreeMap<&str, usize> = nodes.iter().filter_map(|(at, _)| crowd.label(node(*at))).fold(
        BTreeMap::new(),
        |mut counts, label| {
            *counts.entry(label).or_default() += 1;
            counts
        },
    );
    let splits: BTreeSet<&str> = nodes.iter().filter_map(|(at, _)| crowd.split(node(*at))).collect();
    let golden = nodes.iter().any(|(at, _)| is_golden(crowd, node(*at), golden));
    let kind = nodes.iter().map(|(_, kind)| *kind).max().unwrap_or(GroupKind::Exact);
    let splits: Vec<String> =
        if splits.len() > 1 { splits.into_iter().map(str::to_owned).collect() } else { Vec::new() };
    let what = match kind {
        GroupKind::Exact => "the same picture",
        GroupKind::ReEncoded => "the same picture, encoded otherwise",
        GroupKind::Near => "nearly the same picture",
    };
    let mut parts = Vec::new();
    if labels.len() > 1 {
        let mut by_count: Vec<(&str, usize)> = labels.iter().map(|(label, count)| (*label, *count)).collect();
        by_count.sort_by_key(|(label, count)| (Reverse(*count), *label));
        let named = by_count.iter().take(3).map(|(label, count)| format!("{label} {count} ×"));
        let more = by_count.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} labels more") } else { String::new() };
        parts.push(format!("labelled {}{more}", named.collect::<Vec<_>>().join(", ")));
    }
    if !splits.is_empty() {
        parts.push(format!("in the splits {}", splits.join(", ")));
    }
    if golden {
        parts.push("also in the golden set".to_owned());
    }
    if parts.is_empty() {
        parts.push("under one label, in one split".to_owned());
    }
    let group = Group {
        id: String::new(),
        kind,
        members: nodes
            .iter()
            .map(|&(at, kind)| GroupMember { in_base: node(at).in_base, row: node(at).row, kind })
            .collect(),
        labels_differ: labels.len() > 1,
        splits,
        golden,
        reason: format!("{} samples show {what}, {}", nodes.len(), parts.join("; ")),
    };
    (group, nodes.clone())
}

fn is_golden(crowd: &Crowd<'_>, node: Node, golden: &BTreeSet<ContentHash>) -> bool {
    crowd.hash(node).is_some_and(|hash| golden.contains(&hash))
}

/// One for each judged member that something is wrong with.
fn signals_of(
    crowd: &Crowd<'_>,
    group: &Group,
    nodes: &Nodes,
    looks: &[Option<Look>],
    golden: &BTreeSet<ContentHash>,
) -> Vec<Signal> {
    let hash = |at: usize| looks[at].map_or(0, |look| look.perceptual_hash);
    let judged = nodes.iter().filter(|(at, _)| *at >= crowd.first_judged);
    judged
        .filter_map(|&(at, kind)| {
            let own = crowd.nodes[at];
            let others = || nodes.iter().filter(move |(other, _)| *other != at);
            // What is trusted says what the label should be; without it, the majority.
            let trusted = others().any(|(other, _)| crowd.nodes[*other].in_base);
            let witnesses =
                others().map(|(other, _)| crowd.nodes[*other]).filter(|node| node.in_base || !trusted);
            let labelled: Vec<Node> = witnesses.filter(|node| crowd.label(*node).is_some()).collect();
            let differs =
                |node: &&Node| crowd.label(own).is_some() && crowd.label(**node) != crowd.label(own);
            let (mut score, mut reasons) = (0.0_f64, Vec::new());
            let what = match group.kind.max(kind) {
                GroupKind::Near => "Nearly the same picture",
                GroupKind::Exact | GroupKind::ReEncoded => "The same picture",
            };
            if let Some(other) = labelled.iter().find(differs) {
                let share = labelled.iter().filter(differs).count() as f64 / labelled.len() as f64;
                let factor = if group.kind == GroupKind::Near { NEAR_FACTOR } else { 1.0 };
                score = score.max(factor * (0.5 + 0.45 * share));
                let label = crowd.label(*other).unwrap_or_default();
                reasons.push(format!("is labelled {label} in {}", place(crowd, *other)));
            }
            let leak = others().map(|(other, _)| crowd.nodes[*other]).find(|node| {
                matches!((crowd.split(*node), crowd.split(own)), (Some(theirs), Some(own)) if theirs != own)
            });
            if let Some(other) = leak {
                score = score.max(LEAK);
                let split = crowd.split(other).unwrap_or_default();
                reasons.push(format!("is also in split {split}: {}", place(crowd, other)));
            }
            let kept = others().map(|(other, _)| crowd.nodes[*other]).find(|n| is_golden(crowd, *n, golden));
            if let Some(other) = kept {
                score = score.max(GOLDEN);
                reasons.push(format!("is in the golden set as {}", place(crowd, other)));
            }
            if reasons.is_empty() {
                return None;
            }
            Some(Signal {
                score,
                alarm: true,
                neighbors: others()
                    .take(EVIDENCE)
                    .map(|(other, _)| Neighbor {
                        in_base: crowd.nodes[*other].in_base,
                        row: crowd.nodes[*other].row,
                        // The cosine of two hashes taken as vectors of ±1.
                        similarity: 1.0 - (hash(at) ^ hash(*other)).count_ones() as f32 / 32.0,
                    })
                    .collect(),
                reason: format!("{what} {}", reasons.join("; it ")),
                ..Signal::of(Duplicate.id(), own.row)
            })
        })
        .collect()
}

fn place(crowd: &Crowd<'_>, node: Node) -> String {
    format!("{}{}", crowd.key(node), if node.in_base { " (base)" } else { "" })
}

fn note(groups: &[Group], judged: usize, with: usize) -> String {
    let what = if with > 0 {
        format!("{judged} contributed pictures compared with each other and with {with} of the base")
    } else {
        format!("{judged} pictures compared")
    };
    if groups.is_empty() {
        return format!("{what}; no picture is there twice");
    }
    let samples: usize = groups.iter().map(|group| group.members.len()).sum();
    let of_kind = |kind: GroupKind| groups.iter().filter(|group| group.kind == kind).count();
    let differing = groups.iter().filter(|group| group.labels_differ).count();
    let leaking = groups.iter().filter(|group| !group.splits.is_empty()).count();
    format!(
        "{what}; {} groups of {samples} samples show one picture each ({} exact, {} re-encoded, {} near); \
         labels differ in {differing}, {leaking} are in more than one split",
        groups.len(),
        of_kind(GroupKind::Exact),
        of_kind(GroupKind::ReEncoded),
        of_kind(GroupKind::Near),
    )
}
