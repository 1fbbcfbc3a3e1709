//! Which bytes does each sample have? Reads every file once; unchanged files are recognised by their stamp.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use super::cache::Table;
use super::{Cache, FeatureError};
use crate::model::{ContentHash, Warning, WarningKind};
use crate::source::{Dataset, ReadError, Stamp};
use crate::task::{Cancelled, Task};

/// How old a file must be before its stamp is trusted.
/// File systems count time in steps (up to 2 s on FAT): a file written again within the same step, at the same size,
/// keeps its stamp although its bytes are others. A file that was still older than this when it was read cannot have
/// been written again without a new stamp.
const SETTLED_NANOS: i128 = 2_500_000_000;

/// Rows that one thread takes at a time.
const ROWS_AT_ONCE: usize = 64;

/// Content hash and size of every row of a version.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints {
    /// By row; `None` where the file could not be read.
    pub hashes: Vec<Option<ContentHash>>,
    /// By row, bytes; 0 where the file could not be read.
    pub sizes: Vec<u64>,
    /// One for each row that could not be read, by key.
    pub unreadable: Vec<Warning>,
}

/// Hashes every file. With `rehash`, stamps are not trusted and every byte is read.
pub fn fingerprint(
    dataset: &Dataset,
    cache: &Cache,
    rehash: bool,
    task: &Task,
) -> Result<Fingerprints, FeatureError> {
    let rows = dataset.version.len();
    task.begin("Hashing files", rows);
    let mut hashes = vec![None; rows];
    let mut sizes = vec![0; rows];
    if cache.remembers() && !rehash {
        recall_all(dataset, cache, &mut hashes, &mut sizes, task)?;
    }
    let failures = Mutex::new(Vec::new());
    let outcome = hashes
        .par_chunks_mut(ROWS_AT_ONCE)
        .zip(sizes.par_chunks_mut(ROWS_AT_ONCE))
        .enumerate()
        .try_for_each(|(chunk, (hashes, sizes))| {
            for (offset, (hash, size)) in hashes.iter_mut().zip(sizes).enumerate() {
                if hash.is_some() {
                    continue;
                }
                task.check()?;
                let row = chunk * ROWS_AT_ONCE + offset;
                match hash_row(dataset, row, cache) {
                    Ok(found) => (*hash, *size) = (Some(found.0), found.1),
                    Err(error) => failures.lock().unwrap_or_else(PoisonError::into_inner).push((row, error)),
                }
                task.advance(1);
            }
            Ok::<_, Cancelled>(())
        });
    // Also when cancelled: what has been hashed need not be hashed again.
    cache.flush();
    outcome?;
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|(row, _)| *row);
    let unreadable =
        failures.iter().map(|(row, error)| read_warning(dataset.version.key(*row), error)).collect();
    Ok(Fingerprints { hashes, sizes, unreadable })
}

/// A file that cannot be read, as a warning on its sample.
pub(super) fn read_warning(key: &str, error: &ReadError) -> Warning {
    let kind = match error {
        ReadError::Missing => WarningKind::Missing,
        ReadError::TooLarge { .. } => WarningKind::Oversized,
        ReadError::OutsideRoot => WarningKind::OutsideRoot,
        ReadError::Io(_) => WarningKind::Unreadable,
    };
    Warning::on(key, kind, error.to_string())
}

/// Fills in what the cache knows by stamp. A pass of its own: while its snapshot lives, the cache's file only grows.
fn recall_all(
    dataset: &Dataset,
    cache: &Cache,
    hashes: &mut [Option<ContentHash>],
    sizes: &mut [u64],
    task: &Task,
) -> Result<(), Cancelled> {
    let known = cache.snapshot(Table::Stamps);
    hashes.par_chunks_mut(ROWS_AT_ONCE).zip(sizes.par_chunks_mut(ROWS_AT_ONCE)).enumerate().try_for_each(
        |(chunk, (hashes, sizes))| {
            task.check()?;
            for (offset, (hash, size)) in hashes.iter_mut().zip(sizes).enumerate() {
                let Some(stamp) = dataset.pictures.stamp(chunk * ROWS_AT_ONCE + offset) else { continue };
                *hash = known.get(&path_key(&stamp), |record| recall(&stamp, record));
                *size = if hash.is_some() { stamp.size_bytes } else { 0 };
            }
            task.advance(hashes.iter().flatten().count());
            Ok(())
        },
    )
}

fn hash_row(dataset: &Dataset, row: usize, cache: &Cache) -> Result<(ContentHash, u64), ReadError> {
    let stamp = if cache.remembers() { dataset.pictures.stamp(row) } else { None };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos() as i128);
    let bytes = dataset.pictures.read(row)?;
    let hash = ContentHash::of(&bytes);
    if let Some(stamp) = &stamp
        && stamp.size_bytes == bytes.len() as u64
        && stamp.modified_nanos + SETTLED_NANOS < now
        // Nobody wrote to it while it was read.
        && dataset.pictures.stamp(row).as_ref() == Some(stamp)
    {
        cache.put(Table::Stamps, &path_key(stamp), record(stamp, hash));
    }
    Ok((hash, bytes.len() as u64))
}

/// Eight bytes of the folder's digest, so that files listed together lie together, and eight of the path's.
fn path_key(stamp: &Stamp) -> [u8; 16] {
    let digest = |path: &Path| blake3::hash(path.as_os_str().as_encoded_bytes());
    let folder = digest(stamp.path.parent().unwrap_or(Path::new("")));
    let mut key = [0; 16];
    key[..8].copy_from_slice(&folder.as_bytes()[..8]);
    key[8..].copy_from_slice(&digest(&stamp.path).as_bytes()[..8]);
    key
}

/// Size, time, inode and device, little-endian: 40 bytes that must be equal for the hash behind them to hold.
fn identity(stamp: &Stamp) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(&stamp.size_bytes.to_le_bytes());
    bytes[8..24].copy_from_slice(&stamp.modified_nanos.to_le_bytes());
    bytes[24..32].copy_from_slice(&stamp.inode.0.to_le_bytes());
    bytes[32..].copy_from_slice(&stamp.inode.1.to_le_bytes());
    bytes
}

fn record(stamp: &Stamp, hash: ContentHash) -> Vec<u8> {
    [identity(stamp).as_slice(), &hash.0].concat()
}

fn recall(stamp: &Stamp, record: &[u8]) -> Option<ContentHash> {
    let hash = record.strip_prefix(&identity(stamp))?;
    Some(ContentHash(hash.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_for_its_stamp_only() {
        let stamp = Stamp {
            path: "/a/b.png".into(),
            size_bytes: 12,
            modified_nanos: 1_700_000_000_123_456_789,
            inode: (7, 1),
        };
        let hash = ContentHash::of(b"bytes");
        let record = record(&stamp, hash);
        assert_eq!(recall(&stamp, &record), Some(hash));
        for other in [
            Stamp { size_bytes: 13, ..stamp.clone() },
            Stamp { modified_nanos: stamp.modified_nanos + 1, ..stamp.clone() },
            Stamp { inode: (8, 1), ..stamp.clone() },
            Stamp { inode: (7, 2), ..stamp.clone() },
        ] {
            assert_eq!(recall(&other, &record), None, "{other:?}");
        }
        assert_eq!(recall(&stamp, &record[..60]), None);
        assert_eq!(recall(&stamp, b""), None);
        assert_ne!(path_key(&stamp), path_key(&Stamp { path: "/a/c.png".into(), ..stamp.clone() }));
    }
}
