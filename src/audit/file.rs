//! How is a plan kept? As JSON beside the review, read strictly: it may come from anywhere.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AuditError;
use super::draw::Numbers;
use super::golden::GoldenItem;
use super::plan::{StopRule, StrataBy};
use crate::export::write_atomically;
use crate::model::{ContentHash, SourceRef};
use crate::review::MAX_NAME_BYTES;

/// The layout of the file that this Sparrowhawk writes and reads.
pub const SCHEMA: u32 = 1;
/// The largest plan file that is read.
pub const MAX_PLAN_BYTES: u64 = 256 << 20;
/// The most samples that a plan holds, golden items included.
pub(super) const MAX_SAMPLES: usize = 1_000_000;

/// A drawn sample, as it was when it was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its key.
    pub key: String,
    /// Its content; a verdict on another does not count.
    pub hash: ContentHash,
    /// Its label, as the source spells it; a verdict on another does not count.
    pub label: Option<String>,
    /// Its split.
    pub split: Option<String>,
    /// The place of its stratum.
    pub stratum: u32,
}

/// A part of the dataset that is drawn from on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stratum {
    /// The label or split.
    pub name: String,
    /// Samples in it that can be read.
    pub population: u64,
    /// Samples drawn of it.
    pub drawn: u64,
}

/// A drawn sample, what it is to find out, and the known answers mixed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The layout of the file.
    pub schema: u32,
    /// Who wrote it.
    pub tool: String,
    /// When, RFC 3339.
    pub date: String,
    /// Where the version is.
    pub source: SourceRef,
    /// The base it is reviewed against.
    #[serde(default)]
    pub base: Option<String>,
    /// The version's pin.
    pub pin: ContentHash,
    /// Decisions of the review up to this one were made before the plan and do not count.
    #[serde(default)]
    pub after: u64,
    /// Same seed, same samples.
    pub seed: u64,
    /// How sure, in (0, 1).
    pub confidence: f64,
    /// The share of wrong samples that is to be noticed, in (0, 1].
    pub rate: f64,
    /// The same as a number of samples.
    pub defects: u64,
    /// The share of wrong samples with which the dataset is still to pass, in [0, 1).
    #[serde(default)]
    pub acceptable: f64,
    /// Wrong samples that may be seen without speaking against the dataset.
    #[serde(default)]
    pub accept: u64,
    /// When it is enough.
    #[serde(default)]
    pub rule: StopRule,
    /// What the strata are.
    pub strata_by: StrataBy,
    /// The strata, by name.
    pub strata: Vec<Stratum>,
    /// What was drawn, stratum by stratum.
    pub samples: Vec<Sample>,
    /// Known answers that are shown among them.
    #[serde(default)]
    pub golden: Vec<GoldenItem>,
}

/// Where the plan of a review lies: beside it, under the same name.
#[must_use]
pub fn plan_path(review: &Path) -> PathBuf {
    review.with_extension("audit.json")
}

/// Gives a plan that is there another name beside its own, so that a new one can be written; the name.
pub fn set_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let free = (1..=u32::MAX)
        .map(|number| path.with_extension(format!("{number}.json")))
        .find(|path| !path.exists());
    if let Some(free) = &free {
        std::fs::rename(path, free)?;
    }
    Ok(free)
}

impl Plan {
    /// Everything that is shown: samples first, then golden items. A number below this is a *place*.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len() + self.golden.len()
    }

    /// Whether nothing was drawn; no plan that can be read is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Key, content and label of the sample at a place below [`Self::len`].
    #[must_use]
    pub fn at(&self, place: usize) -> (&str, ContentHash, Option<&str>) {
        match self.samples.get(place) {
            Some(Sample { key, hash, label, .. }) => (key, *hash, label.as_deref()),
            None => {
                let GoldenItem { key, hash, label, .. } = &self.golden[place - self.samples.len()];
                (key, *hash, label.as_deref())
            }
        }
    }

    /// Every place in the order in which people see them: mixed by the seed, so that neither strata nor golden items
    /// can be told by where they come.
    #[must_use]
    pub fn in_order(&self) -> Vec<usize> {
        let numbers = Numbers::new(self.seed, "order");
        let mut order: Vec<(u128, usize)> =
            (0..self.len()).map(|place| (numbers.of(self.at(place).0), place)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, place)| place).collect()
    }

    /// Samples of the whole dataset.
    #[must_use]
    pub fn population(&self) -> u64 {
        self.strata.iter().map(|stratum| stratum.population).sum()
    }

    /// The file's text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        // Texts, numbers and hashes: nothing that JSON cannot say.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), AuditError> {
        Ok(write_atomically(path, &self.render())?)
    }

    /// Reads a file; `None` when there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, AuditError> {
        let bad = |message: String| AuditError::BadPlan { message, path: path.to_owned() };
        // Neither a folder nor a pipe, which would never end.
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(bad(format!("the audit plan cannot be read ({error})"))),
            Ok(facts) if !facts.is_file() => return Err(bad("this is no file, and so no audit plan".into())),
            Ok(_) => {}
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_PLAN_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| bad(format!("the audit plan cannot be read ({error})")))?;
        if bytes.len() as u64 > MAX_PLAN_BYTES {
            return Err(bad(format!(
                "an audit plan has at most {MAX_PLAN_BYTES} bytes; this is something else"
            )));
        }
        Self::parse(&bytes).map(Some).map_err(bad)
    }

    /// Reads a file's bytes; what is wrong with them, otherwise.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|error| format!("not an audit plan ({error}); make one with `audit plan`"))?;
        if head.schema > SCHEMA {
            return Err(format!(
                "written by a newer Sparrowhawk (schema {}, this one reads {SCHEMA}); update Sparrowhawk",
                head.schema
            ));
        }
        let plan: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("not an audit plan ({error}); make one with `audit plan`"))?;
        plan.check().map_err(|why| format!("this audit plan contradicts itself ({why}); make it anew"))?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        let between = |what: &str, value: f64, holds: bool| {
            if holds { Ok(()) } else { Err(format!("{what} is {value}")) }
        };
        let Self { confidence, rate, acceptable, .. } = *self;
        between("the schema", f64::from(self.schema), self.schema == SCHEMA)?;
        between("the confidence", confidence, confidence > 0.0 && confidence < 1.0)?;
        between("the rate", rate, rate > 0.0 && rate <= 1.0)?;
        between("the acceptable share", acceptable, (0.0..1.0).contains(&acceptable) && acceptable < rate)?;
        if self.samples.is_empty() || self.len() > MAX_SAMPLES {
            return Err(format!("it holds {} samples", self.len()));
        }
        let population = self.strata.iter().try_fold(0_u64, |sum, s| sum.checked_add(s.population));
        if population.is_none_or(|all| all > u64::from(u32::MAX) || self.defects > all) {
            return Err(
                "the strata hold more samples than there can be, or fewer than are to be found".into()
            );
        }
        let mut drawn = vec![0_u64; self.strata.len()];
        for sample in &self.samples {
            match drawn.get_mut(sample.stratum as usize) {
                Some(count) => *count += 1,
                None => return Err(format!("there is no stratum {}", sample.stratum)),
            }
        }
        if let Some((stratum, count)) = self
            .strata
            .iter()
            .zip(drawn)
            .find(|(stratum, count)| stratum.drawn != *count || stratum.drawn > stratum.population)
        {
            let name: String = stratum.name.chars().take(60).collect();
            return Err(format!(
                "of the stratum `{name}`, {count} are there and {} were drawn",
                stratum.drawn
            ));
        }
        let mut keys = HashSet::new();
        for place in 0..self.len() {
            let (key, _, label) = self.at(place);
            let longest = key.len().max(label.map_or(0, str::len));
            if key.is_empty() || longest > MAX_NAME_BYTES {
                return Err("a key or a label is empty, or longer than any is".into());
            }
            if !keys.insert(key) {
                return Err(format!("`{}` is there twice", key.chars().take(60).collect::<String>()));
            }
        }
        Ok(())
    }
}
