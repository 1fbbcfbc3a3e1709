//! Which samples are drawn? Those whose name, mixed with the seed, gives the smallest numbers: no order, machine or
//! number of threads can change that, and anybody can draw again.
//!
//! Who knows the seed before he sends a contribution can see to it that none of his pictures is drawn.
//! So a seed is chosen afterwards.

use std::collections::{BTreeMap, HashSet};

use super::file::{Plan, SCHEMA, Sample, Stratum};
use super::golden::GoldenItem;
use super::plan::{Design, StrataBy, size};
use super::{AuditError, file};
use crate::model::{ChangeKind, ContentHash, SourceRef, Verdict, Version};
use crate::review::Correction;
use crate::task::Task;

/// The context under which the numbers are made.
const CONTEXT: &str = "sparrowhawk audit draw, version 1";
/// Rows between two looks at whether somebody cancelled.
const ROWS_AT_ONCE: usize = 4096;
/// The most known answers that are read from a table.
const MAX_KNOWN: usize = 1_000_000;

/// The samples that can be drawn: rows of a version whose file could be read.
#[derive(Clone, Copy)]
pub struct Population<'a> {
    /// The version.
    pub version: &'a Version,
    /// By row.
    pub hashes: &'a [Option<ContentHash>],
}

/// What a plan is about.
#[derive(Debug, Clone)]
pub struct About {
    /// Where the version is.
    pub source: SourceRef,
    /// The base that it is reviewed against, if any.
    pub base: Option<String>,
    /// The version's pin.
    pub pin: ContentHash,
    /// The revision of the review when the plan was made: only what was decided later counts.
    pub after: u64,
    /// When it was made, RFC 3339.
    pub date: String,
}

/// A known answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It belongs to this class.
    Label(String),
    /// Its label is right.
    Right,
    /// Its label is wrong, or it should not be there; the right one is not known.
    Wrong,
}

fn stratum_of(version: &Version, row: usize, by: StrataBy) -> &str {
    match by {
        StrataBy::None => "all",
        StrataBy::Label => version.label(row).unwrap_or("no label"),
        StrataBy::Split => version.split(row).unwrap_or("no split"),
    }
}

/// The strata with the number of samples that can be drawn, by name.
#[must_use]
pub fn populations(population: Population<'_>, by: StrataBy) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let Population { version, hashes } = population;
    let readable = || (0..version.len()).filter(|row| hashes.get(*row).is_some_and(Option::is_some));
    if by == StrataBy::Label {
        // By number and not by name: a million samples are counted while somebody looks.
        let classes = version.classes();
        let mut by_id = vec![0; classes.len() + 1];
        for row in readable() {
            by_id[(version.label_id(row) as usize).min(classes.len())] += 1;
        }
        let names = classes.iter().map(AsRef::as_ref).chain(["no label"]);
        for (name, count) in names.zip(by_id).filter(|(_, count)| *count > 0) {
            *counts.entry(name).or_default() += count;
        }
    } else {
        for row in readable() {
            *counts.entry(stratum_of(version, row, by)).or_default() += 1;
        }
    }
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// Numbers that depend on nothing but a seed, what they are for, and a name.
pub(super) struct Numbers([u8; 32]);

impl Numbers {
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut material = seed.to_le_bytes().to_vec();
        material.extend(purpose.as_bytes());
        Self(blake3::derive_key(CONTEXT, &material))
    }

    pub fn of(&self, name: &str) -> u128 {
        let hash = blake3::keyed_hash(&self.0, name.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        u128::from_be_bytes(bytes)
    }
}

/// Draws what a design asks for. Golden items are chosen among `known` that were not drawn, half of them wrong where
/// there are as many; those that are not in the version, or are another picture there, are left out.
pub fn draw(
    population: Population<'_>,
    design: &Design,
    known: &BTreeMap<String, (Option<ContentHash>, Truth)>,
    about: About,
    task: &Task,
) -> Result<Plan, AuditError> {
    let Population { version, hashes } = population;
    let counts = populations(population, design.strata);
    let sizing = size(design, &counts.iter().map(|(_, count)| *count).collect::<Vec<_>>())?;
    task.begin("Drawing the sample", version.len());
    let numbers = Numbers::new(design.seed, "sample");
    let mut rows: Vec<Vec<(u128, usize)>> = vec![Vec::new(); counts.len()];
    for row in 0..version.len() {
        if row % ROWS_AT_ONCE == 0 {
            task.check()?;
        }
        if hashes.get(row).is_none_or(Option::is_none) {
            continue;
        }
        let name = stratum_of(version, row, design.strata);
        if let Ok(at) = counts.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
            rows[at].push((numbers.of(version.key(row)), row));
        }
    }
    let mut samples = Vec::with_capacity(sizing.total as usize);
    for (stratum, (mut rows, drawn)) in rows.into_iter().zip(&sizing.drawn).enumerate() {
        // Rows are in the order of keys, so equal numbers would fall to the earlier key.
        rows.sort_unstable();
        for (_, row) in rows.into_iter().take(*drawn as usize) {
            if let Some(hash) = hashes[row] {
                samples.push(Sample {
                    key: version.key(row).to_owned(),
                    hash,
                    label: version.spelling(row).map(str::to_owned),
                    split: version.split(row).map(str::to_owned),
                    stratum: stratum as u32,
                });
            }
        }
    }
    let golden = choose_golden(population, design, known, &samples);
    let strata = counts
        .into_iter()
        .zip(&sizing.drawn)
        .map(|((name, population), drawn)| Stratum { name, population, drawn: *drawn })
        .collect();
    let About { source, base, pin, after, date } = about;
    let plan = Plan {
        schema: SCHEMA,
        tool: concat!("sparrowhawk ", env!("CARGO_PKG_VERSION")).to_owned(),
        date,
        source,
        base,
        pin,
        after,
        seed: design.seed,
        confidence: design.confidence,
        rate: sizing.rate,
        defects: sizing.defects,
        acceptable: design.acceptable,
        accept: sizing.accept,
        rule: design.rule,
        strata_by: design.strata,
        strata,
        samples,
        golden,
    };
    if plan.len() > file::MAX_SAMPLES {
        return Err(AuditError::Impossible(format!(
            "{} samples are more than a person looks at, and more than a plan holds ({}); choose a larger rate or a budget",
            plan.len(),
            file::MAX_SAMPLES
        )));
    }
    Ok(plan)
}

fn choose_golden(
    population: Population<'_>,
    design: &Design,
    known: &BTreeMap<String, (Option<ContentHash>, Truth)>,
    samples: &[Sample],
) -> Vec<GoldenItem> {
    let Population { version, hashes } = population;
    let wanted = (design.golden * samples.len() as f64).ceil() as usize;
    if wanted == 0 || known.is_empty() {
        return Vec::new();
    }
    let drawn: HashSet<&str> = samples.iter().map(|sample| sample.key.as_str()).collect();
    let numbers = Numbers::new(design.seed, "golden");
    let (mut wrong, mut right) = (Vec::new(), Vec::new());
    for (key, (then, truth)) in known.iter().filter(|(key, _)| !drawn.contains(key.as_str())) {
        let Some(row) = version.row_of(key) else { continue };
        let Some(hash) = hashes.get(row).copied().flatten() else { continue };
        if then.is_some_and(|then| then != hash) {
            continue;
        }
        let label = version.spelling(row).map(str::to_owned);
        let (truth, is_wrong) = match truth {
            Truth::Label(class) => (Some(class.clone()), label.as_deref() != Some(class)),
            Truth::Right => (label.clone(), false),
            Truth::Wrong => (None, true),
        };
        let item = GoldenItem { key: key.clone(), hash, label, truth, wrong: is_wrong };
        if is_wrong { &mut wrong } else { &mut right }.push((numbers.of(key), item));
    }
    wrong.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
    right.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
    let of_wrong = wanted.div_ceil(2).max(wanted.saturating_sub(right.len())).min(wrong.len());
    let of_right = (wanted - of_wrong).min(right.len());
    wrong.truncate(of_wrong);
    right.truncate(of_right);
    wrong.into_iter().chain(right).map(|(_, item)| item).collect()
}

/// What people have decided already, as known answers: kept is right, relabelled is of that class, excluded or reverted
/// is wrong, and unsure tells nothing.
#[must_use]
pub fn known_from_review(corrections: &[Correction]) -> BTreeMap<String, (Option<ContentHash>, Truth)> {
    let decided = corrections.iter().filter(|c| c.subject.change != Some(ChangeKind::Removed));
    decided
        .filter_map(|correction| {
            let truth = match &correction.verdict {
                Verdict::Keep => Truth::Right,
                Verdict::Relabel(class) => Truth::Label(class.clone()),
                Verdict::Exclude | Verdict::Revert => Truth::Wrong,
                Verdict::Unsure => return None,
            };
            Some((correction.subject.key.clone(), (Some(correction.subject.hash), truth)))
        })
        .collect()
}

/// Known answers from a CSV table with the columns `key` and `label`, in any order and among others.
pub fn known_from_table(text: &str) -> Result<BTreeMap<String, (Option<ContentHash>, Truth)>, AuditError> {
    let bad = |line: u64, message: String| AuditError::BadTable { line, message };
    let mut table = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let head = table.headers().map_err(|error| bad(1, error.to_string()))?.clone();
    let column = |name: &str| {
        head.iter().position(|column| column.trim().eq_ignore_ascii_case(name)).ok_or_else(|| {
            bad(
                1,
                format!("there is no column `{name}`; the first line names the columns, such as `key,label`"),
            )
        })
    };
    let (key, label) = (column("key")?, column("label")?);
    let mut known = BTreeMap::new();
    for (at, record) in table.records().enumerate() {
        let line = at as u64 + 2;
        let record = record.map_err(|error| bad(line, error.to_string()))?;
        let (key, label) = (&record[key], &record[label]);
        if key.is_empty() || label.is_empty() {
            return Err(bad(line, "a key and its right label are needed".into()));
        }
        if known.len() == MAX_KNOWN {
            return Err(bad(line, format!("at most {MAX_KNOWN} known answers are read")));
        }
        if known.insert(key.to_owned(), (None, Truth::Label(label.to_owned()))).is_some() {
            return Err(bad(line, format!("`{key}` is there twice")));
        }
    }
    Ok(known)
}
