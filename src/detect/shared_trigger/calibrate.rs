//! How surprising can chance be? Parts of the trusted base are searched as if they were contributions.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::hunt::{Found, hunt};
use super::photo::{Photo, Photos};
use crate::feature::local::LocalPicture;
use crate::task::{Cancelled, Task};

/// How often the base is split.
const DRAWS: u64 = 2;

/// The most surprising thing in any of the parts, as −log10 p. `share` is that of suspects among all photos.
pub(super) fn clean_surprise(
    trusted: &[LocalPicture],
    label: impl Fn(&LocalPicture) -> u32,
    share: f64,
    seed: u64,
    task: &Task,
) -> Result<f64, Cancelled> {
    let mut most = 0.0_f64;
    for draw in 0..DRAWS {
        let mut order: Vec<usize> = (0..trusted.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(draw) ^ 0x00C1_EA11));
        let suspects = ((trusted.len() as f64 * share) as usize).min(trusted.len() * 2 / 3);
        let photos = order.iter().enumerate().map(|(at, &id)| Photo {
            id: id as u32,
            local: &trusted[id].local,
            label: label(&trusted[id]),
            background: at >= suspects,
        });
        let photos = Photos::new(photos.filter(|photo| !photo.local.points.is_empty()).collect(), false);
        let found = hunt(&photos, None, seed, task)?;
        most = found.iter().map(Found::surprise).fold(most, f64::max);
    }
    Ok(most)
}
