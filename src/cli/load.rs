//! How do a place, or a base and a contribution, become something to ask questions about?

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use super::arguments::{ClassMapArg, SourceArg};
use super::output::{self, counted, printable};
use super::table::Table;
use crate::compare::{ClassMap, Side, VersionDiff, diff};
use crate::feature::{Cache, Fingerprints, fingerprint};
use crate::model::{ContentHash, Version};
use crate::source::{self, Dataset, Place};
use crate::task::Task;
use crate::trust;

/// The largest class map that is read.
pub(super) const MAX_CLASS_MAP_BYTES: u64 = 16 << 20;

/// An opened version with its content hashes.
pub(super) struct Loaded {
    /// The SOURCE as typed.
    pub text: String,
    /// Its samples, with classes called as the base calls them where there is a class map.
    pub dataset: Dataset,
    pub fingerprints: Fingerprints,
    /// Of the version as it lies there, whatever the class map says.
    pub pin: ContentHash,
}

impl Loaded {
    pub fn side(&self) -> Side<'_> {
        Side { dataset: &self.dataset, fingerprints: &self.fingerprints }
    }

    pub fn version(&self) -> &Version {
        &self.dataset.version
    }

    /// The content hash of a row, where its file could be read.
    pub fn hash(&self, row: u32) -> Option<ContentHash> {
        self.fingerprints.hashes.get(row as usize).copied().flatten()
    }
}

/// Opens a place and hashes its files.
pub(super) fn load(text: &str, place: &Place, cache: &Cache, rehash: bool, task: &Task) -> Result<Loaded> {
    let dataset = source::open(place, task)?;
    if dataset.version.is_empty() {
        let why = dataset.version.warnings().first().map_or_else(
            || {
                "put each picture into a folder named after its class, or give a list of paths and labels"
                    .to_owned()
            },
            |warning| {
                format!("the first problem: {}: {}", printable(&warning.key), printable(&warning.message))
            },
        );
        bail!("there is no picture in this dataset ({why}): {}", place.path.display());
    }
    let fingerprints = fingerprint(&dataset, cache, rehash, task)?;
    let pin = trust::pin(Side { dataset: &dataset, fingerprints: &fingerprints });
    Ok(Loaded { text: text.to_owned(), dataset, fingerprints, pin })
}

/// A base, a contribution, and what changed between them.
pub(super) struct Pair {
    pub base: Loaded,
    pub contribution: Loaded,
    pub diff: VersionDiff,
    /// The class map in force; empty without `--class-map`.
    pub class_map: ClassMap,
    /// Without `--class-map`: classes that look merely renamed.
    pub looks_renamed: ClassMap,
}

/// How to load a [`Pair`].
pub(super) struct PairArgs<'a> {
    pub base: (&'a SourceArg, Place),
    pub contribution: (&'a SourceArg, Place),
    pub class_map: Option<&'a ClassMapArg>,
    pub rehash: bool,
}

/// Opens both versions, maps the contribution's classes, and compares.
pub(super) fn load_pair(args: &PairArgs<'_>, cache: &Cache, task: &Task) -> Result<Pair> {
    let base = load(&args.base.0.text, &args.base.1, cache, args.rehash, task)?;
    let mut contribution = load(&args.contribution.0.text, &args.contribution.1, cache, args.rehash, task)?;
    let auto = || {
        let shared = Some((&base.fingerprints, &contribution.fingerprints));
        ClassMap::auto(base.version(), contribution.version(), shared)
    };
    let (class_map, looks_renamed) = match args.class_map {
        None => (ClassMap::default(), auto()),
        Some(ClassMapArg::Auto) => (auto(), ClassMap::default()),
        Some(ClassMapArg::File(path)) => {
            let text = output::read_text(path, "class map", MAX_CLASS_MAP_BYTES)?;
            let map = ClassMap::parse(&text)
                .map_err(|why| anyhow!("the class map cannot be used ({why}): {}", path.display()))?;
            for name in map.to_base.keys().filter(|name| contribution.version().class_id(name).is_none()) {
                output::say(
                    "note",
                    &format!(
                        "the class map names `{}`, which the contribution does not have",
                        printable(name)
                    ),
                );
            }
            (map, ClassMap::default())
        }
    };
    if !class_map.to_base.is_empty() {
        contribution.dataset.version = class_map.apply(contribution.version()).into();
    }
    let diff = diff(base.side(), contribution.side(), cache, task)?;
    Ok(Pair { base, contribution, diff, class_map, looks_renamed })
}

/// A version as results name it.
#[derive(Serialize)]
pub(super) struct VersionJson<'a> {
    source: &'a str,
    pin: ContentHash,
    samples: usize,
}

impl<'a> VersionJson<'a> {
    pub fn of(loaded: &'a Loaded) -> Self {
        Self { source: &loaded.text, pin: loaded.pin, samples: loaded.version().len() }
    }
}

/// A line each: which version, where, how many samples, its pin.
pub(super) fn versions_text(versions: &[(&str, &Loaded)]) -> String {
    let mut table = Table::new("llrl");
    for (role, loaded) in versions {
        let samples = counted(loaded.version().len(), "sample", "samples");
        let pin = format!("pin {}", loaded.pin.short());
        table.row([(*role).into(), printable(&loaded.text).into_owned(), samples, pin]);
    }
    table.render(0)
}
