//! The points of many pictures, from the cache where it has them.

use rayon::prelude::*;

use super::{LOCAL_ID, LocalPoints};
use crate::feature::cache::Table;
use crate::feature::look::{Contents, see};
use crate::feature::{Cache, FeatureError, Fingerprints};
use crate::source::Dataset;
use crate::task::{Cancelled, Task};

/// One picture, however many samples hold it.
#[derive(Debug, Clone)]
pub struct LocalPicture {
    /// The rows with these bytes, ascending.
    pub rows: Vec<u32>,
    /// Its points.
    pub local: LocalPoints,
}

/// The points of the pictures at `rows` (all when `None`), in the order of their first rows, at most `most` of each.
/// Pictures that cannot be decoded are left out; [`super::super::look`] says why.
/// Equal bytes are looked at once.
pub fn local_points(
    dataset: &Dataset,
    fingerprints: &Fingerprints,
    rows: Option<&[u32]>,
    most: usize,
    cache: &Cache,
    task: &Task,
) -> Result<Vec<LocalPicture>, FeatureError> {
    let contents = Contents::of(dataset, fingerprints, rows);
    task.begin("Looking for marks in pictures", contents.len());
    let mut found: Vec<Option<LocalPoints>> = {
        let known = cache.snapshot(Table::Numbers(LOCAL_ID));
        let decode = |bytes: &[u8]| LocalPoints::decode(bytes, most);
        contents.hashes.par_iter().map(|hash| known.get(&hash.0, decode)).collect()
    };
    task.advance(found.iter().flatten().count());
    let outcome =
        found.par_iter_mut().enumerate().filter(|(_, found)| found.is_none()).try_for_each(|(at, found)| {
            task.check()?;
            let hash = &contents.hashes[at];
            let (noted, points) = see(&contents, at, dataset, LocalPoints::of);
            noted.keep(hash, cache);
            *found = points.map(|mut points| {
                if cache.remembers() {
                    cache.put(Table::Numbers(LOCAL_ID), &hash.0, points.encode());
                }
                points.truncate(most);
                points
            });
            task.advance(1);
            Ok::<_, Cancelled>(())
        });
    // Also when cancelled: what has been found need not be looked for again.
    cache.flush();
    outcome?;
    let rows = |at: usize| contents.rows(at).map(|row| row as u32).collect();
    Ok(found
        .into_iter()
        .enumerate()
        .filter_map(|(at, local)| Some(LocalPicture { rows: rows(at), local: local? }))
        .collect())
}
