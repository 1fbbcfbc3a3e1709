//! How is a picture of the window made by the window itself? When everything has been computed and drawn, then it quits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui;

use crate::task::{Job, Pool};

/// Frames to wait after everything has settled, so that animations have ended.
const CALM_FRAMES: u32 = 12;

/// A place for a picture that is yet to come.
type Coming = Arc<Mutex<Option<Arc<egui::ColorImage>>>>;

/// Asks for the next frame's picture.
fn next_frame(ctx: &egui::Context) -> Coming {
    let coming = Coming::default();
    let (taken, ctx_again) = (coming.clone(), ctx.clone());
    ctx.send_viewport_cmd(egui::ViewportCommand::Screenshot(egui::ScreenshotCallback::new(move |image| {
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
        ctx_again.request_repaint();
    })));
    coming
}

/// The next frame's picture, once it is there.
pub struct Taken {
    path: PathBuf,
    image: Coming,
}

impl Taken {
    /// Asks for it, to be saved at `path`.
    pub fn ask(ctx: &egui::Context, path: PathBuf) -> Self {
        let image = next_frame(ctx);
        Self { path, image }
    }

    /// Saves it when it is there: its path, or why it could not be saved.
    pub fn save(&self) -> Option<String> {
        let image = self.image.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(write(&image, &self.path).map_or_else(|message| message, |()| self.path.display().to_string()))
    }
}

/// A picture of the window that was asked for on the command line.
pub struct Screenshot {
    path: Option<PathBuf>,
    calm: u32,
    taken: Option<Taken>,
}

impl Screenshot {
    /// To be saved at `path`, or none.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, calm: 0, taken: None }
    }

    /// Counts calm frames, asks for the picture, saves it, closes the window.
    pub fn poll(&mut self, ctx: &egui::Context, settled: bool) {
        if let Some(taken) = &self.taken {
            ctx.request_repaint();
            if let Some(outcome) = taken.save() {
                log(&outcome);
                self.taken = None;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            return;
        }
        if self.path.is_none() {
            return;
        }
        ctx.request_repaint();
        self.calm = if settled { self.calm + 1 } else { 0 };
        if self.calm >= CALM_FRAMES {
            self.taken = self.path.take().map(|path| Taken::ask(ctx, path));
        }
    }
}

/// Encodes as PNG and writes.
fn write(image: &egui::ColorImage, path: &Path) -> Result<(), String> {
    let rgba: Vec<u8> = image.pixels.iter().flat_map(egui::Color32::to_array).collect();
    let [width, height] = image.size.map(|side| side as u32);
    let picture = image::RgbaImage::from_raw(width, height, rgba).ok_or("the picture has no size")?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(|error| error.to_string())?;
    crate::export::write_atomically(path, bytes.get_ref()).map_err(|error| error.to_string())
}

/// A picture of a part of the window, such as a plot, that somebody wants to keep.
#[derive(Default)]
pub struct PartOfWindow {
    wanted: Option<(PathBuf, [f32; 4])>,
    taken: Coming,
}

impl PartOfWindow {
    /// Asks for the next frame's picture; `part` is in points: left, top, right, bottom.
    pub fn ask(&mut self, ctx: &egui::Context, path: PathBuf, part: [f32; 4]) {
        self.wanted = Some((path, part));
        self.taken = next_frame(ctx);
    }

    /// Once the picture is there, cuts the part out and writes it on a worker.
    pub fn poll(&mut self, pool: &Pool, pixels_per_point: f32) -> Option<Job<Result<PathBuf, String>>> {
        let image = self.taken.try_lock().ok()?.take()?;
        let (path, part) = self.wanted.take()?;
        Some(pool.start("plot", move |_| {
            let [left, top, right, bottom] =
                part.map(|edge| (edge * pixels_per_point).round().max(0.0) as usize);
            let (right, bottom) = (right.min(image.width()), bottom.min(image.height()));
            if left >= right || top >= bottom {
                return Err("the plot is not in the window; make the window larger".to_owned());
            }
            let rows = (top..bottom).map(|row| &image.pixels[row * image.width()..(row + 1) * image.width()]);
            let pixels = rows.flat_map(|row| &row[left..right]).copied().collect();
            let cut = egui::ColorImage::new([right - left, bottom - top], pixels);
            write(&cut, &path)?;
            Ok(path)
        }))
    }
}

#[expect(
    clippy::print_stderr,
    reason = "asked for on the command line: there is no window left to say it in"
)]
pub(super) fn log(message: &str) {
    eprintln!("sparrowhawk: {message}");
}
