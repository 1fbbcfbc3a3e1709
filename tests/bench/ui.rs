//! What does one frame cost with a million rows in the gallery? Logic, layout and tessellation, without a display.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::feature::Cache;
use sparrowhawk::source::Place;
use sparrowhawk::task::Pool;
use sparrowhawk::ui::app::{App, Startup};
use sparrowhawk::ui::command::{Command, Keys};
use sparrowhawk::ui::settings::Settings;
use sparrowhawk::ui::state::Queue;

const ROWS: usize = 1_000_000;
const FRAMES: usize = 600;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let list = folder.path().join("million.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&list).expect("a new file"));
    writeln!(file, "path,label").expect("room");
    for row in 0..ROWS {
        writeln!(file, "pictures/{:03}/{row:07}.jpg,class {:02}", row % 1000, row % 40).expect("room");
    }
    drop(file);
    let request = WindowRequest {
        contribution: Some(Place { path: list, ..Place::default() }),
        review: Some(folder.path().join("r.sparrowhawk")),
        ..WindowRequest::default()
    };
    let start = Instant::now();
    let mut window = Harness::builder().with_size([1440.0, 900.0]).build_eframe(move |creation| {
        let startup = Startup {
            request,
            pool: Pool::threads(|| ()),
            cache: Arc::new(Cache::none()),
            settings: Settings::default(),
            keys: Keys::default(),
            messages: Vec::new(),
        };
        App::new(&creation.egui_ctx, startup)
    });
    while window.state().rows().len() < ROWS {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() < Duration::from_mins(1), "the list does not open");
    }
    println!("{ROWS} rows in the gallery after {:.2} s; {}", start.elapsed().as_secs_f64(), memory());
    window.state().send(Command::CancelWork);
    window.step();
    std::thread::sleep(Duration::from_millis(500));
    window.state().send(Command::Show(Queue::All));
    for _ in 0..20 {
        window.step();
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
        "frame while scrolling (wall time: leave the machine alone): median {:.2} ms, 99th percentile {:.2} ms, worst {:.2} ms; {}",
        at(0.5),
        at(0.99),
        at(1.0),
        memory()
    );
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or("").to_owned();
    format!("{}, {}", line("VmRSS"), line("VmHWM")).replace('\t', " ")
}
