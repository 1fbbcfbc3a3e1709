//! Imports point up: a lower layer never names a higher one.

use std::path::{Path, PathBuf};

/// The layers, lowest first; folders on one line are peers and may not import each other.
const LAYERS: &[&[&str]] = &[
    &["model", "task"],
    &["source"],
    &["feature"],
    &["compare"],
    &["detect"],
    &["review"],
    &["export", "trust", "drill"],
    // Writes its plan as exports are written.
    &["audit"],
    // Plants the same logo with the same dice.
    &["demo"],
    &["cli"],
    &["ui"],
];

/// `ui` takes the request types (`WindowRequest`, `WindowTheme`) of `cli`'s outcome; nothing else crosses between the two.
const ALLOWED: &[&str] = &["ui/mod.rs: cli::Window", "ui/app.rs: cli::{WindowRequest, WindowTheme}"];

fn layer(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&folder))
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn imports_point_up() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let relative = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let Some((folder, _)) = relative.split_once('/') else { continue };
        let own = layer(folder).unwrap_or_else(|| panic!("src/{folder} is in no layer: add it to LAYERS"));
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + 7..];
                let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(theirs) = layer(&other) else { continue };
                let peer = theirs == own && other != folder && own != 0;
                let allowed = ALLOWED.iter().any(|a| {
                    a.split_once(": ").is_some_and(|(file, what)| relative == file && rest.starts_with(what))
                });
                let crossed = folder == "ui" && other == "cli";
                if (theirs > own || peer || crossed) && !allowed {
                    wrong.push(format!("src/{relative}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "a lower layer imports a higher one:\n{}", wrong.join("\n"));
}

#[test]
fn model_has_no_io_threads_or_clock() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
    let mut files = Vec::new();
    rust_files(&model, &mut files);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["std::fs", "std::io", "std::thread", "std::time", "std::net", "std::env", "rayon"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}
