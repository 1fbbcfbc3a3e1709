//! How is a list corrected? It is written anew; its pictures stay where they are.

use std::collections::{HashMap, HashSet};
use std::io::{BufWriter, Write};
use std::path::{Component, Path};

use super::plan::{self, Keys, Said, State, Step};
use super::sheet::{Cell, Edit, NewCells, Sheet};
use super::{Applied, Job, Refusal, unfinished_prefix};
use crate::export::ExportError;
use crate::export::patch::PatchFile;
use crate::model::ContentHash;
use crate::source::{ListOptions, MAX_FILE_BYTES, Place, open_inside};

pub(super) fn apply(job: &Job<'_>, patch: &PatchFile, invert: bool) -> Result<Applied, ExportError> {
    let Job { dataset, place, out, task, .. } = *job;
    let version = &dataset.version;
    let steps = plan::steps(patch, invert, &Keys::Fixed);
    if let Some(out) = out
        && extension(out) != extension(&place.path)
    {
        let ending = extension(&place.path).map_or_else(String::new, |e| format!(".{e}"));
        return Err(ExportError::Target {
            message: format!(
                "the corrected list is written as the list was, so its name must end in `{ending}` too"
            ),
            path: out.to_owned(),
        });
    }
    let keys: HashSet<&str> =
        steps.iter().filter_map(|step| step.before.as_ref()).map(|state| state.key.as_str()).collect();
    let sheet = Sheet::look(place.clone(), &keys, task)?;
    let mut refused = plan::check(&steps, job)?;
    refused.extend(steps.iter().filter_map(|step| misfit(step, &sheet)));
    let mut applied = Applied {
        done: steps.iter().map(|step| (step.key().to_owned(), step.what.clone())).collect(),
        refused,
        advice: Vec::new(),
    };
    let Some(out) = out else { return Ok(applied) };
    if !applied.refused.is_empty() {
        return Ok(applied);
    }

    let mut edits = HashMap::new();
    let mut added = Vec::new();
    for step in &steps {
        match (&step.before, &step.after) {
            (Some(before), None) => _ = edits.insert(before.key.clone(), Edit::Drop),
            (Some(before), Some(after)) => {
                let key = (before.key != after.key).then(|| after.key.clone());
                _ = edits.insert(before.key.clone(), Edit::Set(NewCells { key, ..cells(after) }));
            }
            (None, Some(after)) => added.push(NewCells { key: Some(after.key.clone()), ..cells(after) }),
            (None, None) => {}
        }
    }
    let io = |error| ExportError::Io { error, path: out.to_owned() };
    let folder = out.parent().unwrap_or(Path::new("."));
    let ending = out.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let mut file = tempfile::Builder::new()
        .prefix(&unfinished_prefix(out))
        .suffix(&ending)
        .tempfile_in(folder)
        .map_err(io)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    task.begin("Writing the corrected list", 0);
    sheet.rewrite(&edits, &added, &mut writer, task)?;
    writer.flush().map_err(io)?;
    drop(writer);
    file.as_file().sync_all().map_err(io)?;

    let list = ListOptions { root: Some(sheet.shape.root.clone()), ..place.list.clone() };
    let made = Place { path: file.path().to_owned(), kind: Some("list".to_owned()), list };
    let expected = plan::expected(version, &steps, &HashSet::new());
    if expected.is_empty() {
        applied.refused.push(Refusal {
            key: String::new(),
            reason: "no sample would be left; an empty list is no dataset".to_owned(),
        });
        return Ok(applied);
    }
    if let Some(difference) = plan::first_difference(&made, &expected, task)? {
        applied.refused.push(difference);
        return Ok(applied);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(io)?;
    }
    task.check()?;
    file.persist_noclobber(out).map_err(|error| io(error.error))?;
    super::folder::sync_folder(folder).map_err(io)?;
    let corrected = 2 + usize::from(sheet.shape.split.is_some());
    if !added.is_empty() && sheet.shape.names.len() > corrected {
        applied.advice.push(format!(
            "{} rows that came back have only path, label and split: a patch does not hold other columns",
            added.len()
        ));
    }
    if folder != sheet.shape.root {
        applied.advice.push(format!(
            "paths in the list are relative to {}: open it with --root, or move it there",
            sheet.shape.root.display()
        ));
    }
    Ok(applied)
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

fn cells(state: &State) -> NewCells {
    let cell = |said: &Said| match said {
        Said::Nothing => Cell::AsItWas,
        Said::Is(text) => Cell::Is(text.clone()),
    };
    NewCells { key: None, label: cell(&state.label), split: cell(&state.split) }
}

/// What a list cannot do.
fn misfit(step: &Step, sheet: &Sheet) -> Option<Refusal> {
    let after = step.after.as_ref()?;
    let before = step.before.as_ref();
    let names = [&after.label, &after.split].into_iter().filter_map(|said| said.or(None));
    if names.chain([after.key.as_str()]).any(|name| name.contains('\0')) {
        return Some(step.refusal("a zero byte in a name makes a list unreadable"));
    }
    if before.is_some_and(|before| before.hash != after.hash) {
        return Some(step.refusal(
            "a list holds no pictures, so it cannot bring another one back; replace the file by hand",
        ));
    }
    let has_split =
        before.is_none_or(|before| before.split != after.split) && matches!(&after.split, Said::Is(Some(_)));
    if has_split && sheet.shape.split.is_none() {
        return Some(step.refusal("the list has no column of splits"));
    }
    // A row that comes or leads elsewhere must lead to its picture.
    if before.is_none_or(|before| before.key != after.key) {
        let root = &sheet.shape.root;
        let inside = Path::new(&after.key).components().all(|part| matches!(part, Component::Normal(_)));
        let found = if inside { hash_of_file(root, &root.join(&after.key)) } else { None };
        if found != Some(after.hash) {
            return Some(step.refusal(format!(
                "a list holds no pictures: put the picture {} at {} below {} first",
                after.hash.short(),
                after.key,
                root.display()
            )));
        }
    }
    None
}

fn hash_of_file(root: &Path, path: &Path) -> Option<ContentHash> {
    let (file, size_bytes) = open_inside(root, path).ok()?;
    let mut hasher = blake3::Hasher::new();
    if size_bytes > MAX_FILE_BYTES {
        return None;
    }
    hasher.update_reader(file).ok()?;
    Some(ContentHash(*hasher.finalize().as_bytes()))
}
