//! Which photos show a mark that the contribution's own edits have given away?
//!
//! Subtraction finds a mark only where the base has the clean picture. What it found teaches a template, and that is
//! looked for in every other picture of the contribution, and in the base, which says what chance finds.

use super::graph::{Scenes, working_area};
use super::hunt::{LABEL_COUNTS, Shown, background_for};
use super::model::{Hit, MOST_SHARE};
use super::photo::Photos;
use super::score::tail;
use super::sharpen::{Load, Sharp, Wanted};
use super::verify::{Area, Similarity};
use crate::feature::local::{LocalPicture, working_size};
use crate::feature::picture::{Picture, resize};
use crate::model::{Cluster, PixelBox};
use crate::task::{Cancelled, Task};

/// Marks smaller than this many pixels of the working picture are enlarged to it, with their picture.
const LEAST_SIDE: f32 = 40.0;
/// By how much at most.
const MOST_ENLARGED: f32 = 3.0;

/// What a template of the cluster's mark finds among the photos; `None` where it cannot be learnt or finds no more.
pub(super) fn told(
    cluster: &Cluster,
    photos: &Photos<'_>,
    own: &[LocalPicture],
    load: &Load<'_>,
    task: &Task,
) -> Result<Option<Shown>, Cancelled> {
    let mut known: Vec<(usize, Area)> = Vec::new();
    for at in 0..photos.suspects {
        let picture = &own[photos.all[at].id as usize];
        let member = cluster.members.iter().find(|member| picture.rows.contains(&member.row));
        if let Some(area) = member.and_then(|member| member.area) {
            known.push((at, working(area, picture.local.stored_scale())));
        }
    }
    let mut sides: Vec<f32> = known.iter().map(|(_, area)| area.longest()).collect();
    sides.sort_by(f32::total_cmp);
    let Some(&side) = sides.get(sides.len() / 2) else { return Ok(None) };
    let enlarged = (LEAST_SIDE / side.max(1.0)).clamp(1.0, MOST_ENLARGED);
    let larger = |at: usize| -> Option<Picture> {
        let picture = load(at)?;
        if enlarged <= 1.0 {
            return Some(picture);
        }
        let (width, height) = working_size(picture.width, picture.height)?;
        let by = |length: u32| (length as f32 * enlarged).round() as u32;
        Some(resize(&picture, by(width), by(height)))
    };
    // How much larger the pictures that are searched are than the photos' working pictures: none beyond its limit.
    let factors: Vec<f32> = photos
        .all
        .iter()
        .map(|photo| {
            let size = |size: Option<(u32, u32)>| size.map_or(1.0, |(width, _)| width as f32);
            let Some((width, height)) = working_size(photo.local.width, photo.local.height) else {
                return 1.0;
            };
            let by = |length: u32| (length as f32 * enlarged).round() as u32;
            size(working_size(by(width), by(height))) / size(Some((width, height)))
        })
        .collect();
    let teachers: Vec<(usize, Hit)> = known
        .iter()
        .map(|&(at, area)| {
            let factor = factors[at];
            let scale = area.longest() * factor / side;
            let (x, y) = area.centre();
            let pose = Similarity { a: scale, b: 0.0, dx: x * factor, dy: y * factor };
            (at, Hit { score: 1.0, votes: 0, pose, area: scaled(area, factor) })
        })
        .collect();
    // The frame has its middle at 0 and is as long as the mark's middle size.
    let (wide, high) = known.iter().fold((0.0_f32, 0.0_f32), |(wide, high), (_, area)| {
        let scale = side / area.longest().max(1.0) / known.len() as f32;
        (wide + area.width() * scale, high + area.height() * scale)
    });
    let frame = Area { left: -0.5 * wide, top: -0.5 * high, right: 0.5 * wide, bottom: 0.5 * high };
    let scenes = Scenes::apart(photos.all.len());
    let Some(sharp) = Sharp::learn(&scenes, &teachers, frame, Similarity::IDENTITY, &larger) else {
        return Ok(None);
    };
    let label = known.iter().map(|(at, _)| photos.all[*at].label).find(|&label| {
        known.iter().filter(|(at, _)| photos.all[*at].label == label).count() * 2 > known.len()
    });
    let is_background = background_for(photos, label.unwrap_or_default());
    let votes = vec![None; photos.all.len()];
    let wanted = Wanted {
        photos,
        is_background: &is_background,
        label: label.filter(|_| cluster.evidence.label > LABEL_COUNTS),
        votes: &votes,
        threshold: 1.0,
    };
    let mut seen = sharp.search(&wanted, &larger, task)?;
    for (at, hit) in seen
        .members
        .iter_mut()
        .map(|(at, hit, _)| (at, hit))
        .chain(seen.near.iter_mut().map(|(at, hit)| (at, hit)))
    {
        hit.area = scaled(hit.area, 1.0 / factors[*at]);
    }
    seen.members.retain(|(at, hit, _)| hit.area.size() < MOST_SHARE * working_area(photos, *at as u32));
    if seen.members.len() <= known.len() {
        return Ok(None);
    }
    let (background, background_hits) = (seen.background, seen.background_hits);
    let suspects = is_background.iter().filter(|is_background| !**is_background).count();
    let found = seen.members.len();
    let label = label.unwrap_or_else(|| photos.all[seen.members[0].0].label);
    let labelled = seen.members.iter().filter(|(at, ..)| photos.all[*at].label == label).count();
    Ok(Some(Shown {
        novelty: tail(suspects + background, found + background_hits, suspects, found),
        label_part: tail(suspects, found, photos.of_label(label), labelled),
        label,
        scenes: found,
        background_hits,
        members: seen.members,
        counterexamples: seen.near,
    }))
}

/// A box of the stored picture in pixels of the working one.
fn working(area: PixelBox, stored_scale: f32) -> Area {
    let at = |edge: u32| edge as f32 / stored_scale - 0.5;
    Area {
        left: at(area.x),
        top: at(area.y),
        right: at(area.x + area.width),
        bottom: at(area.y + area.height),
    }
}

fn scaled(area: Area, by: f32) -> Area {
    Area { left: area.left * by, top: area.top * by, right: area.right * by, bottom: area.bottom * by }
}
