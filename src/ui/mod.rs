//! The window. [`app::App`] runs a frame; panels draw from a read-only context and send [`command::Command`]s;
//! `apply` is the only place that carries them out.

pub mod app;
mod apply;
pub mod audit;
pub mod command;
mod input;
pub mod items;
pub mod map;
mod panel;
mod previews;
pub mod rows;
mod screenshot;
pub mod session;
pub mod settings;
pub mod state;
mod theme;
mod thumbnails;
mod tour;
mod widget;

use std::process::ExitCode;
use std::sync::Arc;

use eframe::egui;

use crate::cli::WindowRequest;
use crate::feature::Cache;
use crate::task::Pool;

use app::{App, Startup};
use command::Keys;
use settings::Settings;

/// Opens the window and returns when it is closed.
#[must_use]
pub fn run(request: WindowRequest) -> ExitCode {
    let size = request.size.unwrap_or((1440.0, 900.0));
    let icon =
        eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon/icon.png")).unwrap_or_default();
    let viewport = egui::ViewportBuilder::default()
        .with_title("Sparrowhawk")
        .with_app_id("sparrowhawk")
        .with_icon(icon)
        .with_inner_size([size.0, size.1])
        .with_min_inner_size([760.0, 480.0])
        .with_drag_and_drop(true);
    // A window of a given size is asked for by scripts, which want the same picture every time.
    let persist_window = request.size.is_none() && request.screenshot.is_none() && request.tour.is_none();
    let persistence_path = Some(crate::review::data_folder().join("window.ron"));
    let options = eframe::NativeOptions {
        viewport,
        persist_window,
        persistence_path,
        ..eframe::NativeOptions::default()
    };
    let outcome = eframe::run_native(
        "sparrowhawk",
        options,
        Box::new(move |creation| {
            let ctx = creation.egui_ctx.clone();
            let settings = creation
                .storage
                .filter(|_| persist_window)
                .and_then(|storage| eframe::get_value::<Settings>(storage, "settings"))
                .unwrap_or_default();
            let (keys, messages) = keys();
            let pool = Pool::threads({
                let ctx = ctx.clone();
                move || ctx.request_repaint()
            });
            let startup = Startup { request, pool, cache: Arc::new(Cache::user()), settings, keys, messages };
            Ok(Box::new(App::new(&ctx, startup)))
        }),
    );
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => no_display(&error),
    }
}

/// The keys in force, and what is wrong with the file that changes them.
fn keys() -> (Keys, Vec<String>) {
    let Some((path, text)) =
        settings::file_path().and_then(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))
    else {
        return (Keys::default(), Vec::new());
    };
    match settings::keys_from_file(&text) {
        Ok(overrides) => Keys::with_overrides(overrides.iter().map(|(id, key)| (id.as_str(), key.as_str()))),
        Err(error) => (Keys::default(), vec![format!("{error}: {}", path.display())]),
    }
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn no_display(error: &eframe::Error) -> ExitCode {
    eprintln!(
        "sparrowhawk: the window cannot be opened: {error}\n\
         A graphical session is needed; `sparrowhawk --help` lists the commands that work without one."
    );
    ExitCode::from(2)
}
