//! Where does a review lie when nobody said where? In the user's data folder, under a name that can be recognised.

use std::path::{Path, PathBuf};

use crate::source::Place;

/// The environment variable that names another data folder.
pub const DATA_VARIABLE: &str = "SPARROWHAWK_DATA";

/// The longest readable part taken from one place's name, in characters.
const MAX_NAME_CHARS: usize = 40;

/// The folder for what Sparrowhawk keeps: `$SPARROWHAWK_DATA`, or the one that the system keeps for programs' data.
#[must_use]
pub fn data_folder() -> PathBuf {
    match std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => directories::ProjectDirs::from("", "", "sparrowhawk")
            .map_or_else(|| std::env::temp_dir().join("sparrowhawk"), |dirs| dirs.data_dir().to_owned()),
    }
}

/// The review file of this pair of places (as a person typed them), the same for every spelling of the same places.
/// Nothing is made; the folder is `reviews` in [`data_folder`].
#[must_use]
pub fn default_path(base_place: Option<&str>, source_place: &str) -> PathBuf {
    data_folder().join("reviews").join(file_name(base_place.map(whole).as_deref(), &whole(source_place)))
}

/// The place's path from the root on, so that two folders of one name get two reviews.
fn whole(place: &str) -> PathBuf {
    let path = Place::parse(place).path;
    std::fs::canonicalize(&path).or_else(|_| std::path::absolute(&path)).unwrap_or(path)
}

fn file_name(base: Option<&Path>, source: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    for place in [base, Some(source)] {
        let bytes = place.map_or(&[][..], |place| place.as_os_str().as_encoded_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    let hash = hasher.finalize().to_hex();
    let names = base.into_iter().chain([source]).map(readable).collect::<Vec<_>>().join("..");
    format!("{names}-{}.sparrowhawk", &hash[..8])
}

fn readable(place: &Path) -> String {
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name
        .chars()
        .take(MAX_NAME_CHARS)
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .collect();
    // A leading point would hide the file.
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "dataset".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_and_distinct() {
        let name = |base: Option<&str>, source: &str| file_name(base.map(Path::new), Path::new(source));
        let one = name(Some("/data/pets"), "/in/pets fork");
        assert!(one.starts_with("pets..pets-fork-") && one.ends_with(".sparrowhawk"), "{one}");
        assert_ne!(one, name(Some("/data/pets"), "/other/pets fork"));
        assert_ne!(name(None, "/a"), name(Some("/a"), "/a"));
        assert!(name(None, "/").starts_with("dataset-"));
        assert!(name(None, "/x/.hidden").starts_with("hidden-"));
        assert!(name(None, "/x/猫の写真").starts_with("猫の写真-"));
        assert!(name(Some(&"猫".repeat(300)), &"b/".repeat(300)).len() < 255);
    }

    #[test]
    fn spellings_of_one_place_share_a_review() {
        assert_eq!(default_path(None, "/tmp/"), default_path(None, "/tmp"));
        assert_eq!(default_path(None, "folder:/tmp"), default_path(None, "/tmp/."));
    }
}
