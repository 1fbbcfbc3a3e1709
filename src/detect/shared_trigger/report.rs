//! How is a shared thing told to a person? As a cluster with its evidence, and a signal a member.

use super::hunt::Shown;
use super::photo::Photos;
use super::verify::Area;
use crate::compare::Side;
use crate::detect::Findings;
use crate::feature::local::{LocalPicture, LocalPoints};
use crate::model::{Cluster, Evidence, Member, Other, PixelBox, Signal};

/// −log10 p above which a cluster is worth a note, and above which it is an alarm with a base and without.
const NOTE: f64 = 6.0;
const ALARM_WITH_BASE: f64 = 10.0;
/// Without a base what a class has by nature counts too: pockets of trousers and brims of hats reach 26 in a thousand photos.
const ALARM_ALONE: f64 = 30.0;

/// How much more surprising than what chance makes of the base an alarm must be.
const BEYOND_CLEAN: f64 = 1.25;

/// From where on a cluster is an alarm.
pub(super) struct Alarm {
    /// −log10 p that it needs in any case.
    pub(super) floor: f64,
    /// The most that trusted photos reach among themselves, where that was looked at.
    pub(super) clean: Option<f64>,
}

impl Alarm {
    pub(super) fn with_base() -> Self {
        Self { floor: ALARM_WITH_BASE, clean: None }
    }

    pub(super) fn alone() -> Self {
        Self { floor: ALARM_ALONE, clean: None }
    }

    pub(super) fn threshold(&self) -> f64 {
        self.clean.map_or(self.floor, |clean| self.floor.max(BEYOND_CLEAN * clean))
    }
}

/// What a finding's numbers refer to.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a, 'p> {
    pub(super) photos: &'a Photos<'p>,
    pub(super) own: &'a [LocalPicture],
    /// Where background photos are from.
    pub(super) others: &'a [LocalPicture],
    pub(super) others_in_base: bool,
    pub(super) target: Side<'a>,
}

/// How surely a photo with this score shows the thing, in [0, 1).
fn certainty(score: f32) -> f64 {
    1.0 - (-f64::from(score) / 40.0).exp()
}

/// Adds a cluster and its members, if it is worth a note.
pub(super) fn report(
    findings: &mut Findings,
    detector: &'static str,
    one: &Shown,
    alarm: &Alarm,
    sides: &Sides<'_, '_>,
) {
    if one.surprise() < NOTE || one.members.is_empty() {
        return;
    }
    let id = format!("t{}", findings.clusters.len() + 1);
    let alarm = alarm.threshold();
    let Sides { photos, own, others, others_in_base, target } = *sides;
    let version = &target.dataset.version;
    let surprise = one.surprise();
    let is_alarm = surprise >= alarm;
    let strength = 1.0 - 0.5_f64.powf(surprise / alarm);
    let label = version.classes().get(one.label as usize).map_or_else(String::new, ToString::to_string);
    let mut members = Vec::new();
    for (photo, hit, share) in &one.members {
        let picture = &own[photos.all[*photo].id as usize];
        let area = stored(&picture.local, hit.area);
        let score = (0.5 * (1.0 - share) + 0.5 * certainty(hit.score)).clamp(0.0, 1.0);
        for &row in &picture.rows {
            members.push(Member { row, area, score });
        }
    }
    let labelled = members.iter().filter(|member| version.label(member.row as usize) == Some(&label)).count();
    let label_share = labelled as f64 / members.len().max(1) as f64;
    let against = photos.background_of(one.label);
    let reason = format!(
        "the same small thing is in {} pictures, {:.0} % of them labelled {label}, and in {} of {against} others",
        members.len(),
        100.0 * label_share,
        one.background_hits,
    );
    findings.signals.extend(members.iter().map(|member| Signal {
        detector,
        row: member.row,
        score: strength * member.score,
        alarm: is_alarm,
        probabilities: Vec::new(),
        suggested: None,
        neighbors: Vec::new(),
        cluster: Some(id.clone()),
        area: member.area,
        reason: format!("shares a small thing with {} other pictures", members.len() - 1),
    }));
    let nearest = one.counterexamples.iter().map(|(photo, hit)| {
        let photo = photos.all[*photo];
        let (picture, in_base) = if photo.background {
            (&others[photo.id as usize], others_in_base)
        } else {
            (&own[photo.id as usize], false)
        };
        let area = stored(&picture.local, hit.area);
        Other { in_base, row: picture.rows[0], area, score: certainty(hit.score) }
    });
    findings.clusters.push(Cluster {
        id,
        detector,
        kind: "patch",
        score: strength,
        p_value: 10.0_f64.powf(-surprise),
        label,
        label_share,
        base_matches: one.background_hits as u32,
        evidence: Evidence { novelty: one.novelty, label: one.label_part, scenes: one.scenes as u32 },
        nearest_others: nearest.collect(),
        reason,
        members,
    });
}

/// A box of the working picture in pixels of the stored one.
fn stored(local: &LocalPoints, area: Area) -> Option<PixelBox> {
    let factor = local.stored_scale();
    let clamp = |at: f32, most: u32| ((at + 0.5) * factor).round().clamp(0.0, most as f32) as u32;
    let (x0, x1) = (clamp(area.left, local.width), clamp(area.right, local.width));
    let (y0, y1) = (clamp(area.top, local.height), clamp(area.bottom, local.height));
    (x1 > x0 && y1 > y0).then(|| PixelBox::from([x0, y0, x1 - x0, y1 - y0]))
}
