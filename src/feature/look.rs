//! What is seen when a picture is decoded once? Its size, its perceptual hash, the extractors' numbers.

use std::collections::HashMap;

use half::f16;
use rayon::prelude::*;

use super::cache::{Snapshot, Table};
use super::fingerprint::read_warning;
use super::perceptual::perceptual_hash;
use super::picture::{self, Picture};
use super::quality::{QUALITY_BYTES, Quality};
use super::{Cache, EXTRACTORS, Extractor, FeatureError, Fingerprints};
use crate::model::{ContentHash, Warning, WarningKind};
use crate::source::Dataset;
use crate::task::{Cancelled, Task};

/// What one decoded picture looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Pixels, after EXIF orientation.
    pub width: u32,
    /// Pixels, after EXIF orientation.
    pub height: u32,
    /// The format of the bytes (not of the name): `png`, `jpeg`, `webp`, `gif`, `bmp`, `tiff`.
    pub format: &'static str,
    /// 64-bit DCT perceptual hash; near pictures differ in few bits (a handful when re-encoded or resized).
    /// Pictures of one colour have hash 0, whatever the colour.
    pub perceptual_hash: u64,
    /// Digest of size and pixels: equal for pictures that only their encoding tells apart.
    pub pixel_hash: u64,
    /// How well it can be seen.
    pub quality: Quality,
}

impl Look {
    fn of(picture: &Picture) -> Self {
        Self {
            width: picture.width,
            height: picture.height,
            format: picture.format,
            perceptual_hash: perceptual_hash(picture),
            pixel_hash: pixel_hash(picture),
            quality: Quality::of(picture),
        }
    }
}

/// The first 8 bytes of BLAKE3 of width, height and pixels.
fn pixel_hash(picture: &Picture) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&picture.width.to_le_bytes()).update(&picture.height.to_le_bytes()).update(&picture.rgb);
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Looks at pictures by row.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// By row of the version; `None` where not asked for or not readable.
    pub rows: Vec<Option<Look>>,
    /// One for each picture that could not be decoded or whose name lies about its format, by key.
    /// Files that could not even be hashed are in [`Fingerprints::unreadable`] instead.
    pub warnings: Vec<Warning>,
}

/// One extractor's numbers for some rows.
#[derive(Debug, Clone, Default)]
pub struct Embeddings {
    /// Numbers a row.
    pub dim: usize,
    /// The rows they are for, ascending: only those whose picture could be decoded.
    pub rows: Vec<u32>,
    /// `rows.len() × dim`, row-major.
    pub values: Vec<f16>,
}

/// Decodes the pictures at `rows` (all when `None`) that the cache does not know yet,
/// and notes their look and every extractor's numbers in one go.
/// What is done is stored as it is done: a cancelled or killed run resumes where it was.
/// Equal bytes are decoded once.
pub fn look(
    dataset: &Dataset,
    fingerprints: &Fingerprints,
    rows: Option<&[u32]>,
    cache: &Cache,
    task: &Task,
) -> Result<Looks, FeatureError> {
    look_with(EXTRACTORS, dataset, fingerprints, rows, cache, task)
}

/// [`look`] with these extractors.
pub(super) fn look_with(
    extractors: &[&dyn Extractor],
    dataset: &Dataset,
    fingerprints: &Fingerprints,
    rows: Option<&[u32]>,
    cache: &Cache,
    task: &Task,
) -> Result<Looks, FeatureError> {
    // Without a cache nobody could ever find the numbers.
    let extractors = if cache.remembers() { extractors } else { &[] };
    let contents = Contents::of(dataset, fingerprints, rows);
    task.begin("Reading pictures", contents.len());
    let mut seen = known_looks(&contents, extractors, cache);
    task.advance(seen.iter().flatten().count());
    let outcome =
        seen.par_iter_mut().enumerate().filter(|(_, seen)| seen.is_none()).try_for_each(|(at, seen)| {
            task.check()?;
            let (noted, _) = see(&contents, at, dataset, |picture| {
                for extractor in extractors {
                    extract(*extractor, picture, &contents.hashes[at], cache);
                }
            });
            noted.keep(&contents.hashes[at], cache);
            *seen = Some(noted.seen);
            task.advance(1);
            Ok::<_, Cancelled>(())
        });
    // Also when cancelled: what has been seen need not be decoded again.
    cache.flush();
    outcome?;

    let mut looks = Looks { rows: vec![None; dataset.version.len()], warnings: Vec::new() };
    for (row, at) in contents.by_row() {
        let key = dataset.version.key(row);
        match &seen[at] {
            Some(Ok(look)) => {
                looks.rows[row] = Some(*look);
                looks.warnings.extend(wrong_extension(key, look.format));
            }
            Some(Err(failure)) => {
                looks.warnings.push(Warning::on(key, failure.kind, failure.message.clone()));
            }
            None => (),
        }
    }
    Ok(looks)
}

/// The numbers of `extractor` for the pictures at `rows` (all when `None`), from the cache where it has them.
/// Pictures that cannot be decoded are left out; [`look`] says why.
pub fn embed(
    dataset: &Dataset,
    fingerprints: &Fingerprints,
    rows: Option<&[u32]>,
    extractor: &dyn Extractor,
    cache: &Cache,
    task: &Task,
) -> Result<Embeddings, FeatureError> {
    let dim = extractor.dim();
    let contents = Contents::of(dataset, fingerprints, rows);
    task.begin("Reading pictures", contents.len());
    let mut values = vec![f16::ZERO; contents.len() * dim];
    let mut state = known_numbers(&contents, extractor, cache, &mut values);
    task.advance(state.iter().filter(|state| **state != State::Unknown).count());
    let outcome = state
        .par_iter_mut()
        .zip(values.par_chunks_mut(dim.max(1)))
        .enumerate()
        .filter(|(_, (state, _))| **state == State::Unknown)
        .try_for_each(|(at, (state, slot))| {
            task.check()?;
            let (noted, numbers) = see(&contents, at, dataset, |picture| {
                extract(extractor, picture, &contents.hashes[at], cache)
            });
            *state = match numbers {
                Some(numbers) => {
                    slot.copy_from_slice(&numbers);
                    State::Filled
                }
                None => State::Undecodable,
            };
            noted.keep(&contents.hashes[at], cache);
            task.advance(1);
            Ok::<_, Cancelled>(())
        });
    cache.flush();
    outcome?;
    Ok(gather(&contents, dim, &state, values))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Filled,
    Undecodable,
}

/// From one line of numbers a content to one a row.
fn gather(contents: &Contents, dim: usize, state: &[State], values: Vec<f16>) -> Embeddings {
    let filled = |at: usize| state[at] == State::Filled;
    let rows: Vec<(usize, usize)> = contents.by_row().filter(|&(_, at)| filled(at)).collect();
    let in_order = rows.len() == contents.len() && rows.iter().enumerate().all(|(i, &(_, at))| i == at);
    let values = if in_order {
        // No two rows share their bytes: the matrix is ready, and need not be there twice.
        values
    } else {
        rows.iter().flat_map(|&(_, at)| &values[at * dim..(at + 1) * dim]).copied().collect()
    };
    Embeddings { dim, rows: rows.iter().map(|&(row, _)| row as u32).collect(), values }
}

/// The distinct contents among some rows, in the order of their first rows.
pub(super) struct Contents {
    pub(super) hashes: Vec<ContentHash>,
    /// (content, row), ascending: the rows of one content are neighbours.
    members: Vec<(u32, u32)>,
    /// Where each content's members begin, and the end.
    starts: Vec<usize>,
}

impl Contents {
    pub(super) fn of(dataset: &Dataset, fingerprints: &Fingerprints, rows: Option<&[u32]>) -> Self {
        let all = dataset.version.len();
        let rows: Vec<u32> = match rows {
            None => (0..all as u32).collect(),
            Some(rows) => {
                let mut rows: Vec<u32> = rows.iter().copied().filter(|&row| (row as usize) < all).collect();
                rows.sort_unstable();
                rows.dedup();
                rows
            }
        };
        let mut hashes = Vec::new();
        let mut positions = HashMap::new();
        let mut members = Vec::new();
        for row in rows {
            let Some(hash) = fingerprints.hashes.get(row as usize).copied().flatten() else { continue };
            let at = *positions.entry(hash).or_insert_with(|| {
                hashes.push(hash);
                hashes.len() as u32 - 1
            });
            members.push((at, row));
        }
        members.sort_unstable();
        let starts =
            (0..=hashes.len()).map(|at| members.partition_point(|&(of, _)| (of as usize) < at)).collect();
        Self { hashes, members, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The rows that hold this content, ascending.
    pub(super) fn rows(&self, at: usize) -> impl Iterator<Item = usize> {
        self.members[self.starts[at]..self.starts[at + 1]].iter().map(|&(_, row)| row as usize)
    }

    /// Every row with its content, rows ascending.
    fn by_row(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut rows: Vec<(usize, usize)> =
            self.members.iter().map(|&(at, row)| (row as usize, at as usize)).collect();
        rows.sort_unstable();
        rows.into_iter()
    }
}

/// Why a picture gave no look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    kind: WarningKind,
    message: String,
}

type Seen = Result<Look, Failure>;

pub(super) struct Noted {
    seen: Seen,
    /// Whether it is true of these bytes for ever, rather than of the file system just now.
    lasting: bool,
}

impl Noted {
    pub(super) fn keep(&self, hash: &ContentHash, cache: &Cache) {
        if self.lasting {
            cache.put(Table::Looks, &hash.0, encode(&self.seen));
        }
    }
}

/// Reads and decodes one content from the first of its rows that still has it, and does `work` on it.
pub(super) fn see<T>(
    contents: &Contents,
    at: usize,
    dataset: &Dataset,
    work: impl FnOnce(&Picture) -> T,
) -> (Noted, Option<T>) {
    let mut failure = None;
    for row in contents.rows(at) {
        let bytes = match dataset.pictures.read(row) {
            Ok(bytes) => bytes,
            Err(error) => {
                let Warning { kind, message, .. } = read_warning("", &error);
                failure.get_or_insert(Failure { kind, message });
                continue;
            }
        };
        // Numbers kept under the hash of other bytes would be wrong for ever.
        if ContentHash::of(&bytes) != contents.hashes[at] {
            let message = "the file has changed since it was listed; open the dataset again".to_owned();
            failure.get_or_insert(Failure { kind: WarningKind::Unreadable, message });
            continue;
        }
        let outcome = picture::decode_for(&bytes, |picture| (Look::of(&picture), work(&picture)));
        return match outcome {
            Ok((look, result)) => (Noted { seen: Ok(look), lasting: true }, Some(result)),
            Err(error) => {
                let kind = if error.is_limit() { WarningKind::Oversized } else { WarningKind::Unreadable };
                let failure = Failure { kind, message: error.to_string() };
                (Noted { seen: Err(failure), lasting: true }, None)
            }
        };
    }
    let failure = failure.unwrap_or_else(|| Failure {
        kind: WarningKind::Missing,
        message: "no file holds it any more".to_owned(),
    });
    (Noted { seen: Err(failure), lasting: false }, None)
}

/// The extractor's numbers for a picture, kept in the cache too.
fn extract(extractor: &dyn Extractor, picture: &Picture, hash: &ContentHash, cache: &Cache) -> Vec<f16> {
    let mut numbers = vec![0.0; extractor.dim()];
    extractor.extract(picture, &mut numbers);
    let numbers: Vec<f16> = numbers.into_iter().map(f16::from_f32).collect();
    if cache.remembers() {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        cache.put(Table::Numbers(extractor.id()), &hash.0, bytes);
    }
    numbers
}

/// By content: what the cache knows of it, if it knows the numbers of every extractor too.
fn known_looks(contents: &Contents, extractors: &[&dyn Extractor], cache: &Cache) -> Vec<Option<Seen>> {
    let looks = cache.snapshot(Table::Looks);
    let numbers: Vec<(usize, Snapshot<'_>)> = extractors
        .iter()
        .map(|extractor| (extractor.dim() * 2, cache.snapshot(Table::Numbers(extractor.id()))))
        .collect();
    let has_all = |hash: &ContentHash| {
        numbers.iter().all(|(length, table)| {
            table.get(&hash.0, |value| (value.len() == *length).then_some(())).is_some()
        })
    };
    contents
        .hashes
        .par_iter()
        .map(|hash| looks.get(&hash.0, decode_record).filter(|seen| seen.is_err() || has_all(hash)))
        .collect()
}

/// Fills in the numbers that the cache has, and says by content whether it had them.
fn known_numbers(
    contents: &Contents,
    extractor: &dyn Extractor,
    cache: &Cache,
    values: &mut [f16],
) -> Vec<State> {
    let dim = extractor.dim();
    if dim == 0 {
        return vec![State::Undecodable; contents.len()];
    }
    let looks = cache.snapshot(Table::Looks);
    let numbers = cache.snapshot(Table::Numbers(extractor.id()));
    values
        .par_chunks_mut(dim)
        .zip(&contents.hashes)
        .map(|(slot, hash)| {
            let filled = numbers.get(&hash.0, |value| {
                let (halves, []) = value.as_chunks::<2>() else { return None };
                if halves.len() != dim {
                    return None;
                }
                for (number, bytes) in slot.iter_mut().zip(halves) {
                    *number = f16::from_le_bytes(*bytes);
                }
                Some(())
            });
            match (filled, looks.get(&hash.0, decode_record)) {
                (Some(()), _) => State::Filled,
                (None, Some(Err(_))) => State::Undecodable,
                (None, _) => State::Unknown,
            }
        })
        .collect()
}

/// The names of formats by their number in the cache; only ever append.
const FORMATS: [&str; 6] = ["png", "jpeg", "webp", "gif", "bmp", "tiff"];

/// A look: format's number, width, height, hashes, little-endian, and the quality. A failure: 254 (limit) or 255, and its message.
fn encode(seen: &Seen) -> Vec<u8> {
    match seen {
        Ok(look) => {
            let format = FORMATS.iter().position(|name| *name == look.format).unwrap_or_default();
            let mut bytes = vec![format as u8];
            bytes.extend(look.width.to_le_bytes());
            bytes.extend(look.height.to_le_bytes());
            bytes.extend(look.perceptual_hash.to_le_bytes());
            bytes.extend(look.pixel_hash.to_le_bytes());
            bytes.extend(look.quality.to_bytes());
            bytes
        }
        Err(failure) => {
            let kind = if failure.kind == WarningKind::Oversized { 254 } else { 255 };
            [&[kind], failure.message.as_bytes()].concat()
        }
    }
}

fn decode_record(bytes: &[u8]) -> Option<Seen> {
    let (&kind, rest) = bytes.split_first()?;
    if kind >= 254 {
        let kind = if kind == 254 { WarningKind::Oversized } else { WarningKind::Unreadable };
        return Some(Err(Failure { kind, message: std::str::from_utf8(rest).ok()?.to_owned() }));
    }
    let (width, rest) = rest.split_first_chunk()?;
    let (height, rest) = rest.split_first_chunk()?;
    let (perceptual_hash, rest) = rest.split_first_chunk()?;
    let (pixel_hash, rest) = rest.split_first_chunk()?;
    let quality: [u8; QUALITY_BYTES] = rest.try_into().ok()?;
    Some(Ok(Look {
        width: u32::from_le_bytes(*width),
        height: u32::from_le_bytes(*height),
        format: FORMATS.get(usize::from(kind))?,
        perceptual_hash: u64::from_le_bytes(*perceptual_hash),
        pixel_hash: u64::from_le_bytes(*pixel_hash),
        quality: Quality::from_bytes(quality),
    }))
}

/// A warning if the name's extension is one of a format that the bytes are not.
fn wrong_extension(key: &str, format: &str) -> Option<Warning> {
    let (_, extension) = key.rsplit('/').next()?.rsplit_once('.')?;
    let promised = match extension.to_ascii_lowercase().as_str() {
        "png" | "apng" => "png",
        "jpg" | "jpeg" | "jpe" | "jfif" => "jpeg",
        "webp" => "webp",
        "gif" => "gif",
        "bmp" | "dib" => "bmp",
        "tif" | "tiff" => "tiff",
        _ => return None,
    };
    let message = format!("named .{extension}, but the bytes are {format}; it is read as {format}");
    (promised != format).then(|| Warning::on(key, WarningKind::WrongExtension, message))
}

#[cfg(test)]
mod tests;
