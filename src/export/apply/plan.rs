//! What does each operation mean for this dataset, and does what it presumes hold?

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::{Job, Refusal};
use crate::export::patch::{FromTo, LabelSplit, Operation, PatchFile};
use crate::model::{ContentHash, Version};
use crate::source::{self, Dataset, Place, SourceError};
use crate::task::{Cancelled, Task};

/// A label or split, where the operation speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It does not: whatever it is, it stays.
    Nothing,
    /// It is this, or none.
    Is(Option<String>),
}

impl Said {
    fn from_to(change: Option<&FromTo>) -> [Self; 2] {
        match change {
            None => [Self::Nothing, Self::Nothing],
            Some(FromTo { from, to }) => [Self::Is(from.clone()), Self::Is(to.clone())],
        }
    }

    /// What is said, or else what was.
    pub(super) fn or<'a>(&'a self, was: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Nothing => was,
            Self::Is(text) => text.as_deref(),
        }
    }
}

/// One sample before or after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) key: String,
    pub(super) hash: ContentHash,
    pub(super) label: Said,
    pub(super) split: Said,
}

/// What one operation does: `before` is to be there and becomes `after`.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) before: Option<State>,
    pub(super) after: Option<State>,
    /// In words.
    pub(super) what: String,
}

impl Step {
    /// The key under which people know the sample.
    pub(super) fn key(&self) -> &str {
        self.before.as_ref().or(self.after.as_ref()).map_or("", |state| &state.key)
    }

    pub(super) fn refusal(&self, reason: impl Into<String>) -> Refusal {
        Refusal { key: self.key().to_owned(), reason: reason.into() }
    }
}

/// Whether keys follow labels and splits.
pub(super) enum Keys {
    /// Keys are what they are.
    Fixed,
    /// The folders of a key are named after its split, where it has one, and its label.
    ByFolder {
        /// Names of folders at the top that are splits.
        splits: HashSet<String>,
        /// Whether the label is the folder's name; otherwise only the split is.
        labels: bool,
    },
}

impl Keys {
    /// Of a folder: what its key becomes with this label and split.
    fn follow(&self, key: &str, label: &Said, split: &Said) -> String {
        let Self::ByFolder { splits, labels } = self else { return key.to_owned() };
        let mut parts: Vec<&str> = key.split('/').collect();
        let Some(file) = parts.pop() else { return key.to_owned() };
        let class = usize::from(parts.first().is_some_and(|top| splits.contains(*top)));
        if let (true, Said::Is(label)) = (*labels, label) {
            match label {
                Some(label) if parts.len() > class => parts[class] = label,
                Some(label) => parts.push(label),
                // The name under which folders of pictures without a label are known.
                None if parts.len() > class => parts[class] = "unlabeled",
                None => {}
            }
        }
        if let Said::Is(split) = split {
            match split {
                Some(split) if class == 1 => parts[0] = split,
                Some(split) if !splits.is_empty() => parts.insert(0, split),
                None if class == 1 => _ = parts.remove(0),
                _ => {}
            }
        }
        parts.push(file);
        parts.join("/")
    }
}

/// Names of splits that the dataset or the patch has.
pub(super) fn known_splits(version: &Version, patch: &PatchFile) -> HashSet<String> {
    let mut splits: HashSet<String> = version.splits().iter().map(ToString::to_string).collect();
    for operation in &patch.operations {
        let both = [&operation.exclude, &operation.restore].into_iter().flatten();
        splits.extend(both.filter_map(|sample| sample.split.clone()));
        splits.extend(
            operation.move_split.iter().flat_map(|change| [&change.from, &change.to]).flatten().cloned(),
        );
    }
    splits
}

/// The steps of a patch, or of undoing it.
pub(super) fn steps(patch: &PatchFile, invert: bool, keys: &Keys) -> Vec<Step> {
    patch
        .operations
        .iter()
        .map(|operation| {
            let (before, after) = states(operation, keys);
            if invert {
                Step { before: after, after: before, what: operation.inverse().in_words() }
            } else {
                Step { before, after, what: operation.in_words() }
            }
        })
        .collect()
}

fn states(operation: &Operation, keys: &Keys) -> (Option<State>, Option<State>) {
    let Operation { key, hash, relabel, move_split, rename, replace, exclude, restore, note: _ } = operation;
    let of = |sample: &LabelSplit| State {
        key: key.clone(),
        hash: *hash,
        label: Said::Is(sample.label.clone()),
        split: Said::Is(sample.split.clone()),
    };
    if let Some(sample) = exclude {
        return (Some(of(sample)), None);
    }
    if let Some(sample) = restore {
        let mut state = of(sample);
        if sample.label.is_some() {
            state.key = keys.follow(key, &state.label, &Said::Nothing);
        }
        return (None, Some(state));
    }
    let [label_before, label_after] = Said::from_to(relabel.as_ref());
    let [split_before, split_after] = Said::from_to(move_split.as_ref());
    let key_after = match rename {
        Some(rename) => rename.to.clone(),
        None => keys.follow(key, &label_after, &split_after),
    };
    let hash_after = replace.as_ref().map_or(*hash, |replace| replace.to);
    (
        Some(State { key: key.clone(), hash: *hash, label: label_before, split: split_before }),
        Some(State { key: key_after, hash: hash_after, label: label_after, split: split_after }),
    )
}

/// Keys under which there will be no sample, or another one.
pub(super) fn vacated(steps: &[Step]) -> HashSet<&str> {
    let leaves = |step: &&Step| {
        let (before, after) = (step.before.as_ref(), step.after.as_ref());
        before.map(|state| &state.key) != after.map(|state| &state.key)
    };
    steps
        .iter()
        .filter(leaves)
        .filter_map(|step| step.before.as_ref())
        .map(|state| state.key.as_str())
        .collect()
}

/// What of the steps does not fit the samples as they are.
pub(super) fn check(steps: &[Step], job: &Job<'_>) -> Result<Vec<Refusal>, Cancelled> {
    let (version, task) = (&job.dataset.version, job.task);
    task.begin("Checking what is to be changed", steps.len());
    let mut refused: Vec<Refusal> = steps
        .par_iter()
        .filter_map(|step| {
            if task.is_cancelled() {
                return None;
            }
            let reason = misfit(step.before.as_ref()?, job.dataset);
            task.advance(1);
            reason.map(|reason| step.refusal(reason))
        })
        .collect();
    task.check()?;
    let vacated = vacated(steps);
    let mut targets = HashSet::new();
    let mut sources = HashSet::new();
    for step in steps {
        if let Some(before) = &step.before
            && !sources.insert(before.key.as_str())
        {
            refused.push(step.refusal("two operations are about this sample"));
        }
        let Some(after) = &step.after else { continue };
        if !targets.insert(after.key.as_str()) {
            refused.push(step.refusal(format!("two operations lead to {}", after.key)));
        }
        let stays = step.before.as_ref().is_some_and(|before| before.key == after.key);
        if !stays && version.row_of(&after.key).is_some() && !vacated.contains(after.key.as_str()) {
            refused.push(step.refusal(format!("there is another sample already at {}", after.key)));
        }
    }
    Ok(refused)
}

/// What is not as the operation presumes.
fn misfit(before: &State, dataset: &Dataset) -> Option<String> {
    let version = &dataset.version;
    let Some(row) = version.row_of(&before.key) else {
        return Some("there is no such sample in this dataset".to_owned());
    };
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
    let differs = |what: &str, is: Option<&str>, said: &Said| {
        let said = said.or(is);
        (is != said).then(|| {
            format!("its {what} is {} here, and was {} when it was decided on", shown(is), shown(said))
        })
    };
    differs("label", version.label(row), &before.label)
        .or_else(|| differs("split", version.split(row), &before.split))
        .or_else(|| match dataset.pictures.read(row) {
            Err(error) => Some(format!("its picture cannot be checked: {error}")),
            Ok(bytes) => {
                let found = ContentHash::of(&bytes);
                (found != before.hash).then(|| {
                    format!(
                        "it is another picture here ({}) than when it was decided on ({})",
                        found.short(),
                        before.hash.short()
                    )
                })
            }
        })
}

/// Where the pictures that steps bring in are: by content, which of the datasets and which row.
pub(super) fn find_pictures(
    steps: &[Step],
    datasets: &[Dataset],
    task: &Task,
) -> Result<HashMap<ContentHash, (usize, usize)>, Cancelled> {
    let mut wanted: BTreeMap<ContentHash, Vec<&str>> = BTreeMap::new();
    for step in steps {
        if let Some(after) = &step.after
            && step.before.as_ref().is_none_or(|before| before.hash != after.hash)
        {
            let keys = wanted.entry(after.hash).or_default();
            keys.push(&after.key);
            keys.extend(step.before.as_ref().map(|before| before.key.as_str()));
        }
    }
    let holds = |at: usize, row: usize, hash: &ContentHash| {
        datasets[at].pictures.read(row).is_ok_and(|bytes| ContentHash::of(&bytes) == *hash)
    };
    let mut found = HashMap::new();
    // Most are where they were.
    for (hash, keys) in &wanted {
        task.check()?;
        let place = (0..datasets.len())
            .flat_map(|at| keys.iter().filter_map(move |key| Some((at, datasets[at].version.row_of(key)?))))
            .find(|&(at, row)| holds(at, row, hash));
        if let Some(place) = place {
            found.insert(*hash, place);
        }
    }
    // The others may be anywhere.
    for (at, dataset) in datasets.iter().enumerate() {
        let missing = wanted.keys().filter(|hash| !found.contains_key(hash)).count();
        if missing == 0 {
            break;
        }
        let rows = dataset.version.len();
        task.begin("Looking for pictures by their content", rows);
        for start in (0..rows).step_by(1024) {
            task.check()?;
            let end = (start + 1024).min(rows);
            let hits: Vec<(ContentHash, usize)> = (start..end)
                .into_par_iter()
                .filter_map(|row| {
                    let hash = ContentHash::of(&dataset.pictures.read(row).ok()?);
                    wanted.contains_key(&hash).then_some((hash, row))
                })
                .collect();
            for (hash, row) in hits {
                found.entry(hash).or_insert((at, row));
            }
            task.advance(end - start);
            if wanted.keys().all(|hash| found.contains_key(hash)) {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// What the corrected dataset must hold: key, label and split of each sample. `gone` are rows that could not be copied.
pub(super) fn expected<'a>(
    version: &'a Version,
    steps: &'a [Step],
    gone: &HashSet<usize>,
) -> BTreeMap<&'a str, (Option<&'a str>, Option<&'a str>)> {
    let as_is = |row: usize| (version.label(row), version.split(row));
    let mut samples: BTreeMap<&str, _> = (0..version.len())
        .filter(|row| !gone.contains(row))
        .map(|row| (version.key(row), as_is(row)))
        .collect();
    for before in steps.iter().filter_map(|step| step.before.as_ref()) {
        samples.remove(before.key.as_str());
    }
    for step in steps {
        let Some(after) = &step.after else { continue };
        let row = step.before.as_ref().and_then(|before| version.row_of(&before.key));
        let (label, split) = row.map_or((None, None), as_is);
        samples.insert(&after.key, (after.label.or(label), after.split.or(split)));
    }
    samples
}

/// The first sample of the corrected copy that is not as expected, in words; it is only used when there is none.
pub(super) fn first_difference(
    made: &Place,
    expected: &BTreeMap<&str, (Option<&str>, Option<&str>)>,
    task: &Task,
) -> Result<Option<Refusal>, Cancelled> {
    match source::open(made, task) {
        Ok(made) => Ok(difference(&made.version, expected)),
        Err(SourceError::Cancelled(cancelled)) => Err(cancelled),
        Err(error) => {
            let reason = format!("the corrected dataset could not be opened: {error}");
            Ok(Some(Refusal { key: String::new(), reason }))
        }
    }
}

fn difference(made: &Version, expected: &BTreeMap<&str, (Option<&str>, Option<&str>)>) -> Option<Refusal> {
    let name = |text: Option<&str>| text.unwrap_or("none").to_owned();
    for (key, &(label, split)) in expected {
        let Some(row) = made.row_of(key) else {
            return Some(Refusal {
                key: (*key).to_owned(),
                reason: "it would not be a sample of the corrected dataset, because of its name".to_owned(),
            });
        };
        let (made_label, made_split) = (made.label(row), made.split(row));
        if (made_label, made_split) != (label, split) {
            let reason = format!(
                "the corrected dataset would be read otherwise: label {} and split {}, where {} and {} are meant; \
                 folders at the top must be all splits or all classes",
                name(made_label),
                name(made_split),
                name(label),
                name(split)
            );
            return Some(Refusal { key: (*key).to_owned(), reason });
        }
    }
    (0..made.len()).map(|row| made.key(row)).find(|key| !expected.contains_key(key)).map(|key| Refusal {
        key: key.to_owned(),
        reason: "the corrected dataset would have it, and must not".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(splits: &[&str], key: &str, label: &Said, split: &Said, expected: &str) {
        let splits: HashSet<String> = splits.iter().map(|&split| split.to_owned()).collect();
        let keys = Keys::ByFolder { splits: splits.clone(), labels: true };
        assert_eq!(keys.follow(key, label, split), expected);
        assert_eq!(Keys::Fixed.follow(key, label, split), key);
    }

    #[test]
    fn keys_follow_labels_and_splits() {
        let is = |text: &str| Said::Is(Some(text.to_owned()));
        let (none, nothing) = (|| Said::Is(None), || Said::Nothing);
        check(&[], "cat/1.png", &is("dog"), &nothing(), "dog/1.png");
        check(&[], "cat/deep/1.png", &is("dog"), &nothing(), "dog/deep/1.png");
        check(&[], "1.png", &is("dog"), &nothing(), "dog/1.png");
        check(&[], "cat/1.png", &none(), &nothing(), "unlabeled/1.png");
        check(&[], "1.png", &none(), &nothing(), "1.png");
        check(&[], "train/1.png", &is("dog"), &is("x"), "dog/1.png");
        let both = ["train", "test"];
        check(&both, "train/cat/1.png", &is("dog"), &nothing(), "train/dog/1.png");
        check(&both, "train/cat/1.png", &is("dog"), &is("test"), "test/dog/1.png");
        check(&both, "train/cat/1.png", &nothing(), &none(), "cat/1.png");
        check(&both, "train/1.png", &is("dog"), &nothing(), "train/dog/1.png");
        check(&both, "1.png", &is("dog"), &is("test"), "test/dog/1.png");
        check(&both, "train/cat/1.png", &nothing(), &nothing(), "train/cat/1.png");
    }
}
