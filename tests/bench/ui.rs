//! What does one frame cost with a million rows in the gallery, in the ranking, in the history? Logic, layout and tessellation, without a display.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::shared_data;
use eframe::egui;
use egui_kittest::Harness;
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::feature::{Cache, DIRECTIONS, project2d};
use sparrowhawk::model::{ContentHash, Subject, Verdict};
use sparrowhawk::review::{Review, ReviewAbout};
use sparrowhawk::source::Place;
use sparrowhawk::task::{Pool, Task};
use sparrowhawk::ui::app::{App, Startup};
use sparrowhawk::ui::command::{Command, Keys};
use sparrowhawk::ui::map::points::{self, Discs, Dot, Frame};
use sparrowhawk::ui::settings::Settings;
use sparrowhawk::ui::state::{Queue, Sort, View};

const ROWS: usize = 1_000_000;
const FRAMES: usize = 600;

/// A window with real threads and no cache.
fn window_on(request: WindowRequest) -> Harness<'static, App> {
    Harness::builder().with_size([1440.0, 900.0]).build_eframe(move |creation| {
        let startup = Startup {
            request,
            pool: Pool::threads(|| ()),
            cache: Arc::new(Cache::none()),
            settings: Settings::default(),
            keys: Keys::default(),
            messages: Vec::new(),
        };
        App::new(&creation.egui_ctx, startup)
    })
}

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let list = folder.path().join("million.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&list).expect("a new file"));
    writeln!(file, "path,label").expect("room");
    for row in 0..ROWS {
        writeln!(file, "pictures/{:03}/{row:07}.jpg,class {:02}", row % 1000, row % 40).expect("room");
    }
    drop(file);
    let review = folder.path().join("r.sparrowhawk");
    decide(&review);
    let request = WindowRequest {
        contribution: Some(Place { path: list, ..Place::default() }),
        review: Some(review),
        ..WindowRequest::default()
    };
    let start = Instant::now();
    let mut window = window_on(request);
    while window.state().rows().len() < ROWS {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() < Duration::from_mins(1), "the list does not open");
    }
    println!("{ROWS} rows in the gallery after {:.2} s; {}", start.elapsed().as_secs_f64(), memory());
    window.state().send(Command::CancelWork);
    window.step();
    std::thread::sleep(Duration::from_millis(500));
    scroll(&mut window, "gallery", Command::Show(Queue::All));
    window.state_mut().view.sort = Sort::Suspicion;
    scroll(&mut window, "ranking", Command::Search(String::new()));
    scroll(&mut window, "one by one", Command::SetView(View::OneByOne));
    scroll(&mut window, "history", Command::Show(Queue::History));
}

/// Scrolls through a page, or goes on with a key where there is nothing to scroll.
fn scroll(window: &mut Harness<'_, App>, page: &str, show: Command) {
    window.state().send(show);
    for _ in 0..60 {
        window.step();
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES {
        window.hover_at(egui::pos2(600.0, 500.0));
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, if frame % 100 < 90 { -340.0 } else { 120_000.0 }),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        });
        if page == "one by one" {
            window.state().send(Command::Move(if frame % 100 < 90 { 1 } else { 5000 }, 0));
        }
        let start = Instant::now();
        window.step();
        let output = window.output();
        let meshes = window.ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
        times.push(start.elapsed());
        assert!(!meshes.is_empty());
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{page}: frame (wall time: leave the machine alone): median {:.2} ms, 99th percentile {:.2} ms, worst {:.2} ms; {}",
        at(0.5),
        at(0.99),
        at(1.0),
        memory()
    );
}

/// As many decisions as there are samples, by somebody who excluded every tenth.
fn decide(review: &std::path::Path) {
    let start = Instant::now();
    let about = ReviewAbout { source: "a million".to_owned(), base: None };
    let mut review = Review::open(review, &about).expect("a new review");
    for chunk in 0..10 {
        let rows = (0..ROWS / 10).map(|at| {
            let row = chunk * (ROWS / 10) + at;
            let key = format!("pictures/{:03}/{row:07}.jpg", row % 1000);
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&row.to_le_bytes());
            let verdict = if row.is_multiple_of(10) { Verdict::Exclude } else { Verdict::Keep };
            let subject =
                Subject { key, hash: ContentHash(hash), label: None, split: None, change: None, base: None };
            (subject, Some(verdict))
        });
        review.decide_each(rows.collect(), "", "Ada").expect("room");
    }
    println!("{ROWS} decisions written in {:.1} s", start.elapsed().as_secs_f64());
}

/// Somebody who decides three times a second on real photos: is the next picture there in the first frame?
pub fn keys() {
    let Some(photos) = shared_data("clothing/base") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let request = WindowRequest {
        contribution: Some(Place { path: photos, ..Place::default() }),
        review: Some(folder.path().join("r.sparrowhawk")),
        ..WindowRequest::default()
    };
    let mut window = window_on(request);
    let frame = Duration::from_micros(16_667);
    let frames = |window: &mut Harness<'_, App>, count: usize| {
        for _ in 0..count {
            let start = Instant::now();
            window.step();
            std::thread::sleep(frame.saturating_sub(start.elapsed()));
        }
    };
    while window.state().session().target().is_none_or(|slot| slot.fingerprints.is_none()) {
        frames(&mut window, 1);
    }
    for scanning in [true, false] {
        if !scanning {
            window.state().send(Command::CancelWork);
        }
        window.state().send(Command::Show(Queue::All));
        window.state().send(Command::SetView(View::OneByOne));
        frames(&mut window, 120);
        let (mut ready, mut slowest) = (0, Duration::ZERO);
        for _ in 0..150 {
            window.key_press(egui::Key::Enter);
            let start = Instant::now();
            window.step();
            slowest = slowest.max(start.elapsed());
            ready += usize::from(window.state().shows_cursor());
            frames(&mut window, 19);
        }
        let beside = if scanning { "while everything is being judged" } else { "alone" };
        println!(
            "{beside}: {ready} of 150 next pictures in the first frame after the key; slowest such frame {:.1} ms",
            slowest.as_secs_f64() * 1e3
        );
    }
}

/// A hundred thousand points: what the layout takes, and what a frame takes that moves all of them.
pub fn map() {
    const POINTS: usize = 100_000;
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    // Two hundred heaps of rows of length one.
    let centres: Vec<f32> = (0..200 * DIRECTIONS).map(|_| random()).collect();
    let mut values = Vec::with_capacity(POINTS * DIRECTIONS);
    for row in 0..POINTS {
        let centre = &centres[row % 200 * DIRECTIONS..][..DIRECTIONS];
        let numbers: Vec<f32> = centre.iter().map(|number| number + random()).collect();
        let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
        values.extend(numbers.iter().map(|x| x / length));
    }
    let start = Instant::now();
    let mut first = None;
    let places = project2d(&values, DIRECTIONS, 0, &Task::new(), &mut |_| {
        first.get_or_insert_with(|| start.elapsed());
    })
    .expect("nobody cancels");
    println!(
        "layout of {POINTS} rows: {:.1} s, the first state after {:.2} s; {}",
        start.elapsed().as_secs_f64(),
        first.unwrap_or_default().as_secs_f64(),
        memory()
    );
    let ctx = egui::Context::default();
    // Fonts are there from the first frame on.
    drop(ctx.run_ui(egui::RawInput::default(), |_| ()));
    let area = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1000.0, 800.0));
    let dots: Vec<Dot> = (0..POINTS)
        .map(|at| Dot { color: egui::Color32::WHITE, scale: 1.0, layer: (at % 4) as u8 })
        .collect();
    let discs = Discs::new(&ctx);
    let radius = points::radius(POINTS, area, 1.0);
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for frame in 0..60 {
        let start = Instant::now();
        let frame = Frame::new(&places, area, 1.0, [frame as f32 * 1e-3, 0.0]);
        let mesh =
            points::mesh(&frame, &places, &dots, (radius, 1.0), &discs, &|_| false, egui::Color32::WHITE);
        times[0].push(start.elapsed());
        assert_eq!(mesh.vertices.len(), 4 * POINTS);
        let start = Instant::now();
        let shape = egui::Shape::Mesh(Arc::new(mesh));
        let clipped = egui::epaint::ClippedShape::new(area, shape);
        assert_eq!(ctx.tessellate(vec![clipped], 1.0).len(), 1);
        times[1].push(start.elapsed());
        let start = Instant::now();
        let grid = points::Grid::new(&places);
        assert!(grid.nearest(&places, places[7], 1.0, |_| true).is_some());
        times[2].push(start.elapsed());
    }
    for (name, times) in ["mesh", "tessellation", "grid"].iter().zip(&mut times) {
        times.sort_unstable();
        println!("{name} of {POINTS} points: median {:.2} ms", times[30].as_secs_f64() * 1e3);
    }
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or("").to_owned();
    format!("{}, {}", line("VmRSS"), line("VmHWM")).replace('\t', " ")
}
