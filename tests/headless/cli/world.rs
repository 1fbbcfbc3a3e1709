//! Small real datasets in a temporary folder, and the command run on them as its own user.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{ImageFormat, Rgb, RgbImage};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Pixels a side of every picture.
pub const SIDE: u32 = 64;
/// Pictures in the base: 12 of each of 3 classes.
pub const BASE_SAMPLES: usize = 36;
/// Pictures with a wrong label in [`World::contribution_with_wrong_labels`].
pub const WRONG: usize = 3;
/// Pictures with a right label there.
pub const HONEST: usize = 6;

const CLASSES: [&str; 3] = ["blue", "green", "red"];

/// A temporary folder with datasets and with the home of the user who runs the command.
pub struct World {
    folder: tempfile::TempDir,
}

/// What a run of the command gave.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

impl World {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder, as text.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes a file; its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// The command with these arguments, as a user with empty cache and data folders.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sparrowhawk"));
        let home = self.folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        command.args(args).env("HOME", &home).current_dir(self.folder.path());
        for variable in ["CACHE", "DATA", "CONFIG", "STATE"] {
            command.env(format!("XDG_{variable}_HOME"), home.join(variable.to_lowercase()));
        }
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env_remove("SPARROWHAWK_DATA").env_remove("SPARROWHAWK_CACHE");
        command.env("RUST_BACKTRACE", "0");
        command
    }

    /// Runs it and waits. A panic is never an answer.
    pub fn run(&self, args: &[&str]) -> Run {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let run = Run {
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{args:?}: {}", run.stderr);
        assert!((0..=2).contains(&run.status), "{args:?} ended with {}: {}", run.status, run.stderr);
        run
    }

    /// The base: three classes of pictures that differ in hue and pattern.
    pub fn base(&self) -> String {
        let path = self.path("base");
        if !Path::new(&path).exists() {
            for class in CLASSES {
                for n in 0..12 {
                    self.save(&format!("base/{class}/{class}-{n:02}.png"), &picture(class, n));
                }
            }
        }
        path
    }

    /// A contribution to [`Self::base`] with one change of each kind that needs no splits.
    pub fn contribution(&self) -> String {
        let path = self.path("contribution");
        if Path::new(&path).exists() {
            return path;
        }
        copy_folder(Path::new(&self.base()), Path::new(&path));
        let at = |key: &str| Path::new(&path).join(key);
        std::fs::rename(at("red/red-00.png"), at("green/red-00.png")).unwrap();
        let mut edited = picture("red", 1);
        for (x, y) in (8..24).flat_map(|x| (8..24).map(move |y| (x, y))) {
            edited.put_pixel(x, y, Rgb([255, 255, 0]));
        }
        self.save("contribution/red/red-01.png", &edited);
        std::fs::copy(at("blue/blue-00.png"), at("blue/copy.png")).unwrap();
        std::fs::write(at("blue/blue-01.png"), other_bytes(&picture("blue", 1))).unwrap();
        std::fs::rename(at("blue/blue-02.png"), at("blue/another-name.png")).unwrap();
        self.save("contribution/green/new.png", &picture("green", 40));
        std::fs::remove_file(at("green/green-00.png")).unwrap();
        path
    }

    /// The base and nine new pictures, the first three of them in the folder of another class.
    pub fn contribution_with_wrong_labels(&self) -> String {
        let path = self.path("wrong");
        copy_folder(Path::new(&self.base()), Path::new(&path));
        for (n, [label, class]) in
            [["blue", "red"], ["green", "blue"], ["red", "green"]].into_iter().enumerate()
        {
            self.save(&format!("wrong/{label}/{class}-wrong-{n}.png"), &picture(class, 50 + n as u32));
        }
        for n in 0..HONEST {
            let class = CLASSES[n % 3];
            self.save(&format!("wrong/{class}/honest-{n}.png"), &picture(class, 60 + n as u32));
        }
        path
    }

    /// The base as a list, with its labels called otherwise.
    pub fn list_of_base(&self, name: impl Fn(&str) -> String) -> String {
        self.base();
        let mut list = "path,label\n".to_owned();
        for class in CLASSES {
            for n in 0..12 {
                let _ = writeln!(list, "{class}/{class}-{n:02}.png,{}", name(class));
            }
        }
        list
    }

    pub fn save(&self, name: &str, picture: &RgbImage) {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        self.write(name, bytes.into_inner());
    }
}

/// A picture of a class: a hue and a pattern of the class; patches, phase and noise of its number,
/// so that no two are alike.
pub fn picture(class: &str, n: u32) -> RgbImage {
    let mut state = (n + 1).wrapping_mul(2_654_435_761) ^ (class.len() as u32) << 8;
    let mut random = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) % below
    };
    let (phase, size) = (random(12), 5 + random(4));
    let patches: Vec<[u32; 5]> =
        (0..5).map(|_| [random(SIDE), random(SIDE), 10 + random(24), 10 + random(24), random(90)]).collect();
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let lit: u32 = patches
            .iter()
            .filter(|[left, top, width, height, _]| {
                (*left..left + width).contains(&x) && (*top..top + height).contains(&y)
            })
            .map(|patch| patch[4])
            .sum();
        let pattern = match class {
            "red" => (x + phase) / size % 2 == 0,
            "green" => (y + phase) / size % 2 == 0,
            _ => x.abs_diff(20 + 2 * phase).pow(2) + y.abs_diff(32).pow(2) < 60 * size,
        };
        let strong = (60 + lit + 40 * u32::from(pattern) + random(30)).min(255) as u8;
        let weak = (20 + lit / 2 + random(30)).min(255) as u8;
        match class {
            "red" => Rgb([strong, weak, weak]),
            "green" => Rgb([weak, strong, weak]),
            _ => Rgb([weak, weak, strong]),
        }
    })
}

/// The same pixels as another PNG: as RGBA, opaque.
fn other_bytes(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let rgba = image::DynamicImage::ImageRgb8(picture.clone()).to_rgba8();
    rgba.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every file under a folder with its size and time of change.
pub fn listing(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let facts = std::fs::metadata(&path).unwrap();
        if path.is_dir() {
            all.extend(listing(&path));
        }
        all.push((path, facts.len(), facts.modified().unwrap()));
    }
    all.sort();
    all
}

/// A result with the wall times set to zero: all else must be the same, byte for byte.
pub fn without_seconds(text: &str) -> String {
    let mut parts = text.split("\"seconds\":");
    let mut same = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        same.push_str("\"seconds\":0.0");
        same.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || ".eE+-".contains(c)));
    }
    same
}

/// The keys of a JSON object in the order in which they are written.
pub fn keys_in_order(json: &str) -> Vec<String> {
    struct Keys(Vec<String>);
    struct KeysVisitor;
    impl<'de> Visitor<'de> for KeysVisitor {
        type Value = Keys;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.push(key);
            }
            Ok(Keys(keys))
        }
    }
    impl<'de> Deserialize<'de> for Keys {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(KeysVisitor)
        }
    }
    serde_json::from_str::<Keys>(json).unwrap().0
}
