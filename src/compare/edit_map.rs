//! Where were pictures edited? One map summed over a whole contribution: a mark planted at one place is one bright spot.

use rayon::prelude::*;

use super::diff::{Side, VersionDiff};
use crate::feature::picture::{Picture, resize, thumbnail};
use crate::model::ChangeKind;
use crate::task::{Cancelled, Task};

/// Cells of the map a side; pictures of any shape are squeezed to it.
pub const EDIT_MAP_SIDE: usize = 64;
/// Pairs that are looked at, evenly spread over all.
const MOST_PAIRS: usize = 2000;
/// Differences of all three colours together, of 765, that encoding makes anywhere.
const NOISE: f32 = 24.0;
const DECODED_SIDE: u32 = 256;

/// The summed map.
#[derive(Debug, Clone, PartialEq)]
pub struct EditMap {
    /// [`EDIT_MAP_SIDE`]² cells, line by line: the share of all change that falls there; each picture counts as much as
    /// any other, and all cells add up to 1.
    pub shares: Vec<f32>,
    /// Pictures that are in it, and edited pictures in all; the others could not be read, differ in nothing above the
    /// noise of encoding, or were left out because there are very many.
    pub pictures: usize,
    /// See `pictures`.
    pub edited: usize,
    /// The smallest share of the map's cells that holds half of all change: 0.5 when it is spread evenly, near 0 when
    /// all pictures were changed at one place.
    pub half_within: f64,
}

/// Sums up where edited pictures differ from their base; `None` when no picture does.
pub fn edit_map(
    base: Side<'_>,
    contribution: Side<'_>,
    diff: &VersionDiff,
    task: &Task,
) -> Result<Option<EditMap>, Cancelled> {
    let edited: Vec<(u32, u32)> = diff
        .changes
        .iter()
        .filter(|change| change.is(ChangeKind::Edited))
        .filter_map(|change| change.row.zip(change.base_row))
        .collect();
    let most = edited.len().min(MOST_PAIRS);
    let pairs: Vec<(u32, u32)> = (0..most).map(|at| edited[at * edited.len() / most]).collect();
    task.begin("Where pictures were edited", pairs.len());
    let read = |side: Side<'_>, row: u32| {
        let bytes = side.dataset.pictures.read(row as usize).ok()?;
        Some(thumbnail(&bytes, DECODED_SIDE).ok()?.0)
    };
    let maps: Vec<Option<Vec<f32>>> = pairs
        .par_iter()
        .map(|&(row, base_row)| {
            task.check()?;
            let pair = read(base, base_row).zip(read(contribution, row));
            task.advance(1);
            Ok(pair.and_then(|(base, own)| change_of(&base, &own)))
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut shares = vec![0.0_f64; EDIT_MAP_SIDE * EDIT_MAP_SIDE];
    let pictures = maps.iter().flatten().count();
    if pictures == 0 {
        return Ok(None);
    }
    for map in maps.iter().flatten() {
        for (sum, value) in shares.iter_mut().zip(map) {
            *sum += f64::from(*value) / pictures as f64;
        }
    }
    let half_within = half_within(&shares);
    let shares = shares.into_iter().map(|share| share as f32).collect();
    Ok(Some(EditMap { shares, pictures, edited: edited.len(), half_within }))
}

/// The share of one picture's change in each cell; `None` when it has none above the noise.
fn change_of(base: &Picture, own: &Picture) -> Option<Vec<f32>> {
    let side = EDIT_MAP_SIDE as u32;
    let (base, own) = (resize(base, side, side), resize(own, side, side));
    let pixels = base.rgb.as_chunks::<3>().0.iter().zip(own.rgb.as_chunks::<3>().0);
    let mut map: Vec<f32> = pixels
        .map(|(a, b)| {
            let sum: f32 = a.iter().zip(b).map(|(a, b)| f32::from(a.abs_diff(*b))).sum();
            (sum - NOISE).max(0.0)
        })
        .collect();
    let sum: f32 = map.iter().sum();
    if sum <= 0.0 {
        return None;
    }
    for value in &mut map {
        *value /= sum;
    }
    Some(map)
}

/// The smallest share of cells that holds half of the sum.
fn half_within(shares: &[f64]) -> f64 {
    let mut sorted = shares.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (half, mut sum) = (0.5 * sorted.iter().sum::<f64>(), 0.0);
    let count = sorted.iter().take_while(|share| {
        let more = sum < half;
        sum += **share;
        more
    });
    count.count() as f64 / shares.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: u8) -> Picture {
        Picture { width: 80, height: 60, rgb: vec![value; 80 * 60 * 3], format: "png" }
    }

    #[test]
    fn a_planted_mark_is_one_bright_spot() {
        let base = plain(90);
        let mut marked = plain(90);
        for y in 40..55 {
            for x in 60..75 {
                marked.rgb[(y * 80 + x) * 3] = 250;
            }
        }
        let map = change_of(&base, &marked).unwrap();
        let brightest = (0..map.len()).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
        let (x, y) = (brightest % EDIT_MAP_SIDE, brightest / EDIT_MAP_SIDE);
        assert!((48..60).contains(&x) && (42..59).contains(&y), "{x} {y}");
        assert!((map.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let shares: Vec<f64> = map.iter().map(|share| f64::from(*share)).collect();
        assert!(half_within(&shares) < 0.04);
    }

    #[test]
    fn noise_is_no_change_and_an_even_change_is_everywhere() {
        assert_eq!(change_of(&plain(90), &plain(95)), None);
        let even = change_of(&plain(90), &plain(140)).unwrap();
        let shares: Vec<f64> = even.iter().map(|share| f64::from(*share)).collect();
        assert!((half_within(&shares) - 0.5).abs() < 0.01);
    }
}
