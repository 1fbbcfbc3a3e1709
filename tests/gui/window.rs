//! A window on small real datasets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use egui_kittest::Harness;
use image::{Rgb, RgbImage};
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::feature::Cache;
use sparrowhawk::source::Place;
use sparrowhawk::task::Pool;
use sparrowhawk::ui::app::{App, Startup};
use sparrowhawk::ui::command::Keys;
use sparrowhawk::ui::settings::Settings;

/// A picture that differs from that of any other seed, also to a perceptual hash.
pub fn picture(path: &Path, seed: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let cell = |x: u32, y: u32| {
        let mut mixed = (x / 6 + 97 * (y / 6) + 100_003 * seed).wrapping_mul(2_654_435_761);
        mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
        mixed = (mixed ^ (mixed >> 13)).wrapping_mul(3_266_489_917);
        (mixed >> 16) as u8
    };
    RgbImage::from_fn(48, 48, |x, y| Rgb([cell(x, y), cell(x + 60, y), cell(x, y + 60)])).save(path).unwrap();
}

/// Base: three classes of eight. Contribution: one relabelled, two added, one removed.
pub fn make_pair(folder: &Path) -> (PathBuf, PathBuf) {
    let (base, contribution) = (folder.join("base"), folder.join("contribution"));
    for (class_number, class) in ["beach", "city", "nsfw"].into_iter().enumerate() {
        for number in 0..8 {
            let seed = class_number as u32 * 100 + number;
            picture(&base.join(class).join(format!("{number}.png")), seed);
            let removed = (class_number, number) == (2, 7);
            let moved = (class_number, number) == (0, 0);
            if removed {
                continue;
            }
            let into = if moved { "city" } else { class };
            let name = if moved { "moved.png".to_owned() } else { format!("{number}.png") };
            picture(&contribution.join(into).join(name), seed);
        }
    }
    for number in 0..2 {
        picture(&contribution.join("nsfw").join(format!("new-{number}.png")), 900 + number);
    }
    (base, contribution)
}

/// A window of 1280 × 800 points that shows what is asked for; decisions go to `review`.
pub fn open(base: Option<&Path>, target: Option<&Path>, review: &Path) -> Harness<'static, App> {
    let place = |path: &Path| Place { path: path.to_owned(), ..Place::default() };
    let request = WindowRequest {
        base: base.map(place),
        contribution: target.map(place),
        review: Some(review.to_owned()),
        ..WindowRequest::default()
    };
    open_request(request)
}

/// One cache for all tests: several open the same pictures, which are looked at once.
fn cache() -> Arc<Cache> {
    static CACHE: OnceLock<(tempfile::TempDir, Arc<Cache>)> = OnceLock::new();
    let (_, cache) = CACHE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let cache = Arc::new(Cache::at(folder.path()));
        (folder, cache)
    });
    cache.clone()
}

pub fn open_request(request: WindowRequest) -> Harness<'static, App> {
    let mut harness = open_with(request, Pool::inline());
    harness.run();
    harness
}

/// The same with a pool of one's own, and before its first frame.
pub fn open_with(request: WindowRequest, pool: Pool) -> Harness<'static, App> {
    Harness::builder().with_size([1280.0, 800.0]).with_max_steps(40).build_eframe(move |creation| {
        let startup = Startup {
            request,
            pool,
            cache: cache(),
            settings: Settings { reviewer: "tester".to_owned(), ..Settings::default() },
            keys: Keys::default(),
            messages: Vec::new(),
        };
        App::new(&creation.egui_ctx, startup)
    })
}
