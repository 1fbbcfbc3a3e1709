//! How is a picture of the window made by the window itself? When everything has been computed and drawn, then it quits.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui;

/// Frames to wait after everything has settled, so that animations have ended.
const CALM_FRAMES: u32 = 12;

/// A picture of the window that was asked for on the command line.
pub struct Screenshot {
    path: Option<PathBuf>,
    calm: u32,
    asked: bool,
    taken: Arc<Mutex<Option<Arc<egui::ColorImage>>>>,
}

impl Screenshot {
    /// To be saved at `path`, or none.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, calm: 0, asked: false, taken: Arc::default() }
    }

    /// Counts calm frames, asks for the picture, saves it, closes the window.
    pub fn poll(&mut self, ctx: &egui::Context, settled: bool) {
        let Some(path) = &self.path else { return };
        ctx.request_repaint();
        let image = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(image) = image {
            let rgba: Vec<u8> = image.pixels.iter().flat_map(eframe::egui::Color32::to_array).collect();
            let [width, height] = image.size.map(|side| side as u32);
            if let Some(picture) = image::RgbaImage::from_raw(width, height, rgba) {
                let mut bytes = std::io::Cursor::new(Vec::new());
                let written = picture
                    .write_to(&mut bytes, image::ImageFormat::Png)
                    .map_err(|e| e.to_string())
                    .and_then(|()| {
                        crate::export::write_atomically(path, bytes.get_ref()).map_err(|e| e.to_string())
                    });
                if let Err(message) = written {
                    log(&message);
                }
            }
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            self.path = None;
            return;
        }
        self.calm = if settled { self.calm + 1 } else { 0 };
        if self.calm >= CALM_FRAMES && !self.asked {
            self.asked = true;
            let (taken, ctx_again) = (self.taken.clone(), ctx.clone());
            ctx.send_viewport_cmd(egui::ViewportCommand::Screenshot(egui::ScreenshotCallback::new(
                move |image| {
                    *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
                    ctx_again.request_repaint();
                },
            )));
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "asked for on the command line: there is no window left to say it in"
)]
fn log(message: &str) {
    eprintln!("sparrowhawk: {message}");
}
