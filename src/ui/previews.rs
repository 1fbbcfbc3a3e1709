//! What did recent places look like? A few small pictures of each, read once by a worker.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};

use crate::feature::picture::thumbnail;
use crate::source::read_picture;
use crate::task::{Job, Pool};

use super::settings::Recent;

/// Pixels a side.
const SIDE: u32 = 72;

/// The pictures that could be read.
#[derive(Default)]
pub struct Previews {
    job: Option<Job<Vec<(PathBuf, ColorImage)>>>,
    asked: Vec<PathBuf>,
    textures: HashMap<PathBuf, TextureHandle>,
}

impl Previews {
    /// Has what is not read yet read, and takes what has been.
    pub fn poll(&mut self, ctx: &egui::Context, pool: &Pool, recent: &[Recent]) {
        if let Some(outcome) = self.job.as_ref().and_then(Job::poll) {
            self.job = None;
            for (path, image) in outcome.unwrap_or_default() {
                let texture = ctx.load_texture("preview", image, TextureOptions::LINEAR);
                self.textures.insert(path, texture);
            }
        }
        let wanted: Vec<PathBuf> = recent.iter().flat_map(|recent| recent.previews.clone()).collect();
        if self.job.is_none() && self.asked != wanted {
            self.asked.clone_from(&wanted);
            self.job = Some(pool.start("previews", move |task| {
                let read = |path: PathBuf| {
                    task.check().ok()?;
                    let (picture, _) = thumbnail(&read_picture(&path).ok()?, SIDE).ok()?;
                    let size = [picture.width as usize, picture.height as usize];
                    Some((path, ColorImage::from_rgb(size, &picture.rgb)))
                };
                wanted.into_iter().filter_map(read).collect()
            }));
        }
        if self.job.is_some() {
            ctx.request_repaint_after(std::time::Duration::from_millis(50));
        }
    }

    /// The picture of a file, where it could be read.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&TextureHandle> {
        self.textures.get(path)
    }
}
