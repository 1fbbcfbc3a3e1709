//! How is a folder corrected? A copy is made beside its place, compared with what it should be, and then named.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::plan::{self, Keys, Said, Step};
use super::sheet::{Cell, Edit, NewCells, Sheet};
use super::{Applied, Job, Refusal, unfinished_prefix};
use crate::export::ExportError;
use crate::export::patch::PatchFile;
use crate::model::{ContentHash, Version};
use crate::source::{self, ListOptions, Place, column_names, open_inside};
use crate::task::{Cancelled, Task};

/// Folders within folders; a source has no deeper ones with pictures in them.
const MAX_DEPTH: usize = 64;

/// What lies below a folder, relative to it.
#[derive(Default)]
struct Tree {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Links, whatever they lead to.
    links: Vec<PathBuf>,
    hidden: usize,
}

/// A metadata file of the folder.
struct MetadataFile {
    /// Relative to the root.
    path: PathBuf,
    /// Key of its folder: empty, or ending in `/`.
    prefix: String,
    sheet: Sheet,
    has_labels: bool,
    edits: HashMap<String, Edit>,
    added: Vec<NewCells>,
}

pub(super) fn apply(job: &Job<'_>, patch: &PatchFile, invert: bool) -> Result<Applied, ExportError> {
    let Job { dataset, place, pictures_from, out, task } = *job;
    let version = &dataset.version;
    let root =
        place.path.canonicalize().map_err(|error| ExportError::Io { error, path: place.path.clone() })?;
    let by_metadata = version.label_origin().starts_with("column ");
    let keys = Keys::ByFolder { splits: plan::known_splits(version, patch), labels: !by_metadata };
    let steps = plan::steps(patch, invert, &keys);
    let tree = look(&root, task)?;

    let mut refused = plan::check(&steps, job)?;
    let vacated = plan::vacated(&steps);
    refused.extend(steps.iter().filter_map(|step| misfit(step, version, &root, &vacated, by_metadata)));
    let found = plan::find_pictures(&steps, pictures_from, task)?;
    for step in &steps {
        if let Some(after) = &step.after
            && step.before.as_ref().is_none_or(|before| before.hash != after.hash)
            && !found.contains_key(&after.hash)
        {
            refused.push(step.refusal(format!(
                "the picture to be brought back ({}) is not at hand; name a dataset that has it, such as the base",
                after.hash.short()
            )));
        }
    }
    let mut metadata = metadata_files(&root, &tree, place, &steps, task)?;
    refused.extend(plan_metadata(&mut metadata, &steps, by_metadata));
    let mut applied = Applied {
        done: steps.iter().map(|step| (step.key().to_owned(), step.what.clone())).collect(),
        refused,
        advice: Vec::new(),
    };
    let Some(out) = out else { return Ok(applied) };
    if !applied.refused.is_empty() {
        return Ok(applied);
    }

    let io = |error| ExportError::Io { error, path: out.to_owned() };
    let parent = out.parent().unwrap_or(Path::new("."));
    // Removed when anything goes wrong from here on.
    let copy = tempfile::Builder::new().prefix(&unfinished_prefix(out)).tempdir_in(parent).map_err(io)?;
    let mut apart: HashSet<PathBuf> = metadata.iter().map(|file| file.path.clone()).collect();
    for before in steps.iter().filter_map(|step| step.before.as_ref()) {
        let path = version.row_of(&before.key).and_then(|row| dataset.pictures.path(row));
        apart.extend(path.and_then(|path| Some(path.strip_prefix(&root).ok()?.to_owned())));
    }
    let mut written = Vec::new();
    let left_out = copy_tree(&root, &tree, copy.path(), &apart, &mut written, task)?;

    task.begin("Writing what changes", steps.len());
    for step in &steps {
        task.check()?;
        task.advance(1);
        let Some(after) = &step.after else { continue };
        let own = step.before.as_ref().filter(|before| before.hash == after.hash);
        let bytes = match own {
            Some(before) => version.row_of(&before.key).map(|row| dataset.pictures.read(row)),
            None => found.get(&after.hash).map(|&(at, row)| pictures_from[at].pictures.read(row)),
        };
        let bytes = bytes.and_then(Result::ok).filter(|bytes| ContentHash::of(bytes) == after.hash);
        let Some(bytes) = bytes else {
            applied.refused.push(step.refusal("its picture changed while it was being copied; try again"));
            return Ok(applied);
        };
        let path = copy.path().join(&after.key);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        File::create_new(&path).and_then(|mut file| file.write_all(&bytes)).map_err(io)?;
        written.push(path);
    }
    for file in &metadata {
        let path = copy.path().join(&file.path);
        let mut writer = BufWriter::new(File::create_new(&path).map_err(io)?);
        file.sheet.rewrite(&file.edits, &file.added, &mut writer, task)?;
        writer.flush().map_err(io)?;
        written.push(path);
    }

    let gone = rows_at(job, &root, &left_out);
    let expected = plan::expected(version, &steps, &gone);
    if expected.is_empty() {
        let reason = "no sample would be left; an empty folder is no dataset".to_owned();
        applied.refused.push(Refusal { key: String::new(), reason });
        return Ok(applied);
    }
    let made =
        Place { path: copy.path().to_owned(), kind: Some("folder".to_owned()), list: place.list.clone() };
    if let Some(difference) = plan::first_difference(&made, &expected, task)? {
        applied.refused.push(difference);
        return Ok(applied);
    }

    sync_all(copy.path(), &written, task).map_err(|error| match error {
        SyncError::Cancelled(cancelled) => cancelled.into(),
        SyncError::Io(error) => io(error),
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(copy.path(), std::fs::Permissions::from_mode(0o755)).map_err(io)?;
    }
    task.check()?;
    if out.symlink_metadata().is_ok() {
        return Err(ExportError::Target {
            message: "something else was put here meanwhile, and nothing is overwritten; choose a new name"
                .to_owned(),
            path: out.to_owned(),
        });
    }
    std::fs::rename(copy.path(), out).map_err(io)?;
    // It has another name now: there is nothing to remove.
    let _ = copy.keep();
    sync_folder(parent).map_err(io)?;
    if !left_out.is_empty() {
        applied.advice.push(format!(
            "{} links that lead out of the dataset or nowhere were left out, such as {}",
            left_out.len(),
            left_out[0].display()
        ));
    }
    if tree.hidden > 0 {
        applied.advice.push(format!("{} hidden files and folders were left out", tree.hidden));
    }
    Ok(applied)
}

/// Lists everything below the root but what is hidden, in one order.
fn look(root: &Path, task: &Task) -> Result<Tree, ExportError> {
    let mut tree = Tree::default();
    let mut pending = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        task.check()?;
        let path = root.join(&folder);
        let io = |error| ExportError::Io { error, path: path.clone() };
        if depth > MAX_DEPTH {
            return Err(io(std::io::Error::other(format!("folders lie more than {MAX_DEPTH} deep"))));
        }
        let mut entries: Vec<_> =
            std::fs::read_dir(&path).and_then(Iterator::collect::<std::io::Result<_>>).map_err(io)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let relative = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(io)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                tree.hidden += 1;
            } else if kind.is_dir() {
                tree.folders.push(relative.clone());
                pending.push((relative, depth + 1));
            } else if kind.is_symlink() {
                tree.links.push(relative);
            } else if kind.is_file() {
                tree.files.push(relative);
            }
        }
    }
    Ok(tree)
}

/// Copies all but what is `apart`; returns the links that were left out.
fn copy_tree(
    root: &Path,
    tree: &Tree,
    copy: &Path,
    apart: &HashSet<PathBuf>,
    written: &mut Vec<PathBuf>,
    task: &Task,
) -> Result<Vec<PathBuf>, ExportError> {
    for folder in &tree.folders {
        let path = copy.join(folder);
        std::fs::create_dir(&path).map_err(|error| ExportError::Io { error, path })?;
    }
    task.begin("Copying the dataset", tree.files.len() + tree.links.len());
    let copied = |relative: &PathBuf| -> Result<Option<PathBuf>, ExportError> {
        task.check()?;
        task.advance(1);
        if apart.contains(relative) {
            return Ok(None);
        }
        let path = copy.join(relative);
        let io = |error| ExportError::Io { error, path: path.clone() };
        let (mut from, _) =
            open_inside(root, &root.join(relative)).map_err(|error| io(std::io::Error::other(error)))?;
        let mut to = File::create_new(&path).map_err(io)?;
        std::io::copy(&mut from, &mut to).map_err(io)?;
        Ok(Some(path))
    };
    let files: Vec<Option<PathBuf>> = tree.files.par_iter().map(copied).collect::<Result<_, _>>()?;
    written.extend(files.into_iter().flatten());
    let mut left_out = Vec::new();
    for link in &tree.links {
        // A link to a file inside becomes that file; nothing is followed out of the root.
        if open_inside(root, &root.join(link)).is_ok() {
            written.extend(copied(link)?);
        } else if !apart.contains(link) {
            left_out.push(link.clone());
        }
    }
    Ok(left_out)
}

/// Rows of the source whose file is one of these paths.
fn rows_at(job: &Job<'_>, root: &Path, paths: &[PathBuf]) -> HashSet<usize> {
    if paths.is_empty() {
        return HashSet::new();
    }
    let paths: HashSet<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
    let version = &job.dataset.version;
    (0..version.len())
        .filter(|&row| {
            // A link that leads out has no path to read from, only the one that its key says.
            let path = job.dataset.pictures.path(row).unwrap_or_else(|| root.join(version.key(row)));
            paths.contains(&path)
        })
        .collect()
}

enum SyncError {
    Cancelled(Cancelled),
    Io(std::io::Error),
}

/// Waits until everything that was written is on disk.
fn sync_all(copy: &Path, written: &[PathBuf], task: &Task) -> Result<(), SyncError> {
    task.begin("Waiting for the disk", written.len());
    written.par_iter().try_for_each(|path| {
        task.check().map_err(SyncError::Cancelled)?;
        task.advance(1);
        File::open(path).and_then(|file| file.sync_all()).map_err(SyncError::Io)
    })?;
    for entry in walkdir::WalkDir::new(copy).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_dir() {
            sync_folder(entry.path()).map_err(SyncError::Io)?;
        }
    }
    Ok(())
}

/// Names in a folder are on disk when the folder is.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// What cannot be done in a folder.
fn misfit(
    step: &Step,
    version: &Version,
    root: &Path,
    vacated: &HashSet<&str>,
    by_metadata: bool,
) -> Option<Refusal> {
    let after = step.after.as_ref()?;
    let names_folder = |said: &Said| match said {
        Said::Is(Some(name)) if !is_file_name(name) => Some(name.clone()),
        _ => None,
    };
    let label = if by_metadata { None } else { names_folder(&after.label) };
    if let Some(name) = label.or_else(|| names_folder(&after.split)) {
        return Some(step.refusal(format!("`{}` cannot be the name of a folder", name.escape_debug())));
    }
    if !after.key.split('/').all(is_file_name) {
        return Some(step.refusal(format!("`{}` cannot be a path in a dataset", after.key.escape_debug())));
    }
    let moves = step.before.as_ref().is_none_or(|before| before.key != after.key);
    // Samples are looked at for every kind of source.
    let taken = version.row_of(&after.key).is_none()
        && !vacated.contains(after.key.as_str())
        && root.join(&after.key).symlink_metadata().is_ok();
    if moves && taken {
        return Some(step.refusal(format!("there is another file already at {}", after.key)));
    }
    None
}

/// Whether this can name one file or folder that opening a dataset sees.
fn is_file_name(name: &str) -> bool {
    let foreign = if cfg!(windows) { &['\\', ':'][..] } else { &[] };
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 255
        && !name.contains(['/', '\0'])
        && !name.contains(foreign)
}

/// The metadata files of the folder, each with the rows that the steps are about.
fn metadata_files(
    root: &Path,
    tree: &Tree,
    place: &Place,
    steps: &[Step],
    task: &Task,
) -> Result<Vec<MetadataFile>, ExportError> {
    let mut found = Vec::new();
    if steps.is_empty() {
        return Ok(found);
    }
    for path in tree.files.iter().chain(&tree.links) {
        let known = path.file_name().is_some_and(|name| name == "metadata.csv" || name == "metadata.jsonl");
        let (true, Some(folder)) = (known, path.parent()) else { continue };
        let whole = root.join(path);
        if open_inside(root, &whole).is_err() {
            continue;
        }
        // A folder whose name is no text has keys of its own making; its rows are left alone.
        let Some(folder_key) = folder.to_str() else { continue };
        let prefix = if folder_key.is_empty() { String::new() } else { format!("{folder_key}/") };
        let names = column_names(&whole)?;
        let is_path = |name: &&String| *name == "file_name" || name.ends_with("_file_name");
        let Some(path_column) =
            names.iter().find(|name| *name == "file_name").or_else(|| names.iter().find(is_path))
        else {
            continue;
        };
        let keys: HashSet<&str> =
            steps.iter().filter_map(|step| step.before.as_ref()?.key.strip_prefix(prefix.as_str())).collect();
        let look = |label_column: Option<String>| {
            let list = ListOptions {
                path_column: Some(path_column.clone()),
                label_column,
                split_column: None,
                root: Some(root.join(folder)),
            };
            Sheet::look(Place { path: whole.clone(), kind: None, list }, &keys, task)
        };
        // Without a column of labels the rows still name pictures.
        let (sheet, has_labels) = match look(place.list.label_column.clone()) {
            Ok(sheet) => (sheet, true),
            Err(source::SourceError::Invalid { .. }) => (look(Some(path_column.clone()))?, false),
            Err(error) => return Err(error.into()),
        };
        let path = path.clone();
        found.push(MetadataFile {
            path,
            prefix,
            sheet,
            has_labels,
            edits: HashMap::new(),
            added: Vec::new(),
        });
    }
    Ok(found)
}

/// What the steps do to the rows of metadata files.
fn plan_metadata(files: &mut [MetadataFile], steps: &[Step], by_metadata: bool) -> Vec<Refusal> {
    let mut refused = Vec::new();
    for step in steps {
        let mut labelled = false;
        if let Some(before) = &step.before {
            for file in files.iter_mut() {
                let Some(key) = before.key.strip_prefix(file.prefix.as_str()) else { continue };
                if !file.sheet.names(key) {
                    continue;
                }
                let edit = match &step.after {
                    None => Edit::Drop,
                    Some(after) => match after.key.strip_prefix(file.prefix.as_str()) {
                        Some(new_key) => {
                            let label = match &after.label {
                                Said::Is(label) if file.has_labels && by_metadata => Cell::Is(label.clone()),
                                _ => Cell::AsItWas,
                            };
                            labelled |= file.has_labels;
                            let key = (new_key != key).then(|| new_key.to_owned());
                            Edit::Set(NewCells { key, label, split: Cell::AsItWas })
                        }
                        None if by_metadata && file.has_labels => {
                            refused.push(step.refusal(format!(
                                "{} gives its label and cannot name it at {}",
                                file.path.display(),
                                after.key
                            )));
                            continue;
                        }
                        None => Edit::Drop,
                    },
                };
                file.edits.insert(key.to_owned(), edit);
            }
        }
        let Some(after) = step.after.as_ref().filter(|_| by_metadata && !labelled) else { continue };
        let Said::Is(Some(label)) = &after.label else { continue };
        // The file closest to the picture counts, so that is where a row is added.
        let closest = files
            .iter_mut()
            .filter(|file| file.has_labels && after.key.starts_with(&file.prefix))
            .max_by_key(|file| file.prefix.len());
        match closest {
            Some(file) => {
                let key = after.key[file.prefix.len()..].to_owned();
                let label = Cell::Is(Some(label.clone()));
                file.added.push(NewCells { key: Some(key), label, split: Cell::AsItWas });
            }
            None => refused.push(step.refusal("no metadata file can hold its label")),
        }
    }
    refused
}
