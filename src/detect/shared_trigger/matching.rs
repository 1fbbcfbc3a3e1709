//! Which points of different photos look alike, and like hardly anything in the background?
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use rayon::prelude::*;

use super::photo::{Photos, distance};
use super::signature::Codes;
use crate::feature::local::DESCRIPTOR;
use crate::task::{Cancelled, Task};

/// Points whose signatures differ in more bits are not compared.
const MOST_BITS: u32 = 16;

/// Squared distance up to which two points match.
const MOST_DISTANCE: i32 = 12_000;

/// Matches of one point that are kept, at most one a photo.
const NEIGHBOURS: usize = 24;

/// Pairs of points that are gathered; from half of that on only the nearest of each point.
const MOST_PAIRS: usize = 24_000_000;
const CELLS_AT_ONCE: usize = 1024;

/// Points of one cell that are compared with each other: blank walls must not make the work quadratic.
const MOST_IN_CELL: usize = 3000;

/// Two points that match, the one of the earlier photo first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    pub(super) photos: (u32, u32),
    pub(super) points: (u32, u32),
    pub(super) distance: i32,
}

/// Matches between suspected photos, by pair of photos.
pub(super) fn matches(photos: &Photos<'_>, codes: &Codes, task: &Task) -> Result<Vec<Match>, Cancelled> {
    let mut common = vec![false; photos.photo_of.len()];
    let mut pairs: Vec<(u32, u32, i32)> = Vec::new();
    let &Codes { ref signatures, cells: ref tables, count: cells } = codes;
    task.begin("Comparing marks", tables.len());
    for cell_of in tables {
        task.check()?;
        let (starts, members) = by_cell(cell_of, cells);
        for first in (0..cells).step_by(CELLS_AT_ONCE) {
            task.check()?;
            // Where everything looks like everything there is no end of pairs.
            let most = match pairs.len() {
                enough if enough > MOST_PAIRS => continue,
                many if many > MOST_PAIRS / 2 => 2,
                _ => NEIGHBOURS,
            };
            let found: Vec<CellMatches> = (first..cells.min(first + CELLS_AT_ONCE))
                .into_par_iter()
                .filter(|cell| starts[cell + 1] - starts[*cell] > 1)
                .map(|cell| {
                    let members = &members[starts[cell] as usize..starts[cell + 1] as usize];
                    pulp::Arch::new().dispatch(|| compare(photos, signatures, &thinned(members), most))
                })
                .collect();
            for CellMatches { pairs: of_cell, common: of_all } in found {
                pairs.extend(of_cell);
                for at in of_all {
                    common[at as usize] = true;
                }
            }
        }
        task.advance(1);
    }
    task.check()?;
    pairs.retain(|&(a, b, _)| !common[a as usize] && !common[b as usize]);
    Ok(nearest(photos, pairs))
}

/// Points by cell, ascending within one.
fn by_cell(cell_of: &[u32], cells: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; cells + 1];
    for &cell in cell_of {
        starts[cell as usize + 1] += 1;
    }
    for cell in 0..cells {
        starts[cell + 1] += starts[cell];
    }
    let mut next = starts.clone();
    let mut members = vec![0; cell_of.len()];
    for (at, &cell) in cell_of.iter().enumerate() {
        members[next[cell as usize] as usize] = at as u32;
        next[cell as usize] += 1;
    }
    (starts, members)
}

fn thinned(members: &[u32]) -> Vec<u32> {
    if members.len() <= MOST_IN_CELL {
        return members.to_vec();
    }
    (0..MOST_IN_CELL).map(|i| members[i * members.len() / MOST_IN_CELL]).collect()
}

#[derive(Default)]
struct CellMatches {
    pairs: Vec<(u32, u32, i32)>,
    /// Points that the background has too often.
    common: Vec<u32>,
}

#[inline(always)]
fn compare(photos: &Photos<'_>, signatures: &[u64], members: &[u32], most: usize) -> CellMatches {
    struct Member {
        signature: u64,
        at: u32,
        photo: u32,
        label: u32,
        // Copied, since it is compared with those of many others.
        descriptor: [i8; DESCRIPTOR],
    }
    let members: Vec<Member> = members
        .iter()
        .map(|&at| {
            let photo = photos.photo_of[at as usize];
            let label = photos.all[photo as usize].label;
            let descriptor = *photos.descriptor(at);
            Member { signature: signatures[at as usize], at, photo, label, descriptor }
        })
        .collect();
    let suspects = members.iter().take_while(|member| (member.photo as usize) < photos.suspects).count();
    let near = |a: &Member, b: &Member| {
        if (a.signature ^ b.signature).count_ones() > MOST_BITS {
            return None;
        }
        let distance = distance(&a.descriptor, &b.descriptor);
        (distance <= MOST_DISTANCE).then_some(distance)
    };
    let mut found = CellMatches::default();
    let mut rare: Vec<&Member> = Vec::new();
    let by_label = photos.by_label;
    // Suspects of other labels are background too, where labels tell them apart.
    let background: &[Member] = if by_label { &members } else { &members[suspects..] };
    for member in &members[..suspects] {
        let limit = (photos.background_of(member.label) / 100).max(1);
        let mut seen = 0;
        for other in background {
            let is_background = other.photo as usize >= photos.suspects || other.label != member.label;
            if is_background && near(member, other).is_some() {
                seen += 1;
                if seen > limit {
                    break;
                }
            }
        }
        if seen > limit {
            found.common.push(member.at);
        } else {
            rare.push(member);
        }
    }
    let mut matches: Vec<(i32, u32)> = Vec::new();
    for (i, a) in rare.iter().enumerate() {
        matches.clear();
        for b in &rare[i + 1..] {
            if a.photo != b.photo
                && (!by_label || a.label == b.label)
                && let Some(distance) = near(a, b)
            {
                matches.push((distance, b.at));
                if matches.len() == 8 * most {
                    break;
                }
            }
        }
        matches.sort_unstable();
        found.pairs.extend(matches.iter().take(most).map(|&(distance, b)| (a.at, b, distance)));
    }
    found
}

/// Of each point's matches the nearest of each photo, and of these the nearest few; then by pair of photos.
fn nearest(photos: &Photos<'_>, mut pairs: Vec<(u32, u32, i32)>) -> Vec<Match> {
    let mirrored: Vec<_> = pairs.iter().map(|&(a, b, distance)| (b, a, distance)).collect();
    pairs.extend(mirrored);
    // By point, then photo of the other (points are numbered by photo), then distance.
    pairs.par_sort_unstable_by_key(|&(a, b, distance)| (a, photos.photo_of[b as usize], distance, b));
    pairs.dedup_by_key(|(a, b, _)| (*a, photos.photo_of[*b as usize]));
    pairs.par_sort_unstable_by_key(|&(a, b, distance)| (a, distance, b));
    let mut kept = 0;
    let mut last = None;
    pairs.retain(|&(a, ..)| {
        kept = if last == Some(a) { kept + 1 } else { 0 };
        last = Some(a);
        kept < NEIGHBOURS
    });
    let mut matches: Vec<Match> = pairs
        .into_iter()
        .map(|(a, b, distance)| {
            let (a, b) = (a.min(b), a.max(b));
            let photo = |at: u32| photos.photo_of[at as usize];
            Match { photos: (photo(a), photo(b)), points: (a, b), distance }
        })
        .collect();
    matches.par_sort_unstable();
    matches.dedup();
    matches
}
