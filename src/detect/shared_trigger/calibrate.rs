//! How surprising can chance be? Parts of the trusted base are searched as if they were contributions.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::hunt::{Found, hunt};
use super::photo::{Photo, Photos};
use super::signature::Codes;
use crate::task::{Cancelled, Task};

/// How often the base is split.
const DRAWS: u64 = 2;

/// The most surprising thing in any of the parts, as −log10 p.
///
/// What is searched is the background of `photos`, by their position with this label; as large a share of it is
/// suspected as of all of them.
pub(super) fn clean_surprise(
    photos: &Photos<'_>,
    codes: &Codes,
    label: impl Fn(usize) -> u32,
    seed: u64,
    task: &Task,
) -> Result<f64, Cancelled> {
    let trusted = photos.suspects..photos.all.len();
    let share = photos.suspects as f64 / photos.all.len().max(1) as f64;
    let suspects = ((trusted.len() as f64 * share) as usize).min(trusted.len() * 2 / 3);
    let mut most = 0.0_f64;
    for draw in 0..DRAWS {
        let mut order: Vec<usize> = trusted.clone().collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(draw) ^ 0x00C1_EA11));
        let pretended = order.into_iter().enumerate().map(|(at, position)| Photo {
            id: position as u32,
            local: photos.all[position].local,
            label: label(position),
            background: at >= suspects,
        });
        let pretended = Photos::new(pretended.collect(), false);
        let points: Vec<_> = pretended.all.iter().map(|photo| photos.range(photo.id as usize)).collect();
        let found = hunt(&pretended, &codes.part(&points), None, task)?;
        most = found.iter().map(Found::surprise).fold(most, f64::max);
    }
    Ok(most)
}
