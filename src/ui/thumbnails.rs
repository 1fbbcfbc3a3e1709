//! How do pictures reach the screen without a frame waiting?
//!
//! Panels ask with [`Thumbnails::get`]; what they asked for in a frame replaces what they asked for before, so that
//! scrolling past a thousand rows decodes none of them. Workers decode and shrink; each frame uploads for at most
//! [`UPLOAD_BUDGET`]; what was used longest ago is forgotten beyond [`BUDGET_BYTES`].

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};

use crate::detect::{self, Scan};
use crate::feature::picture::{self, Picture};
use crate::source::Pictures;
use crate::task::{Job, Pool};

use super::session::{Session, Which};

/// Memory for textures.
pub const BUDGET_BYTES: usize = 320 << 20;
/// Time a frame may spend on uploads.
pub const UPLOAD_BUDGET: Duration = Duration::from_millis(2);
const WORKERS: usize = 2;

/// In which size a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// At most 256 pixels a side.
    Small,
    /// At most 1600 pixels a side.
    Large,
    /// At most 1600 pixels a side: the absolute difference to this row of the base, so many times as strong.
    Difference {
        /// The row of the base.
        base: u32,
        /// How many times as strong.
        gain: u8,
    },
    /// What the members of the cluster at this place of the scan share, averaged, at most 160 pixels a side.
    Average(u16),
}

/// One picture in one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Of which version.
    pub which: Which,
    /// Its row.
    pub row: u32,
    /// Its size.
    pub level: Level,
}

/// What is known of a picture.
#[derive(Clone)]
pub enum Thumbnail {
    /// It can be drawn. The size is that of the stored picture.
    Ready(TextureHandle, [u32; 2]),
    /// It is on its way.
    Pending,
    /// It cannot be shown, and why.
    Failed(Arc<str>),
}

struct Request {
    key: Key,
    pictures: Arc<dyn Pictures>,
    base: Option<Arc<dyn Pictures>>,
    scan: Option<Arc<Scan>>,
}

type Outcome = Result<(ColorImage, [u32; 2]), String>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Request>,
    busy: HashSet<Key>,
    stop: bool,
}

struct Entry {
    thumbnail: Thumbnail,
    bytes: usize,
    used: Cell<u64>,
}

/// The pipeline and what it holds.
pub struct Thumbnails {
    shared: Arc<Shared>,
    results: Receiver<(u64, Key, Outcome)>,
    sender: Sender<(u64, Key, Outcome)>,
    workers: Vec<Job<()>>,
    entries: HashMap<Key, Entry>,
    wanted: RefCell<Vec<Key>>,
    bytes: usize,
    frame: u64,
    epoch: Arc<std::sync::atomic::AtomicU64>,
}

impl Thumbnails {
    /// Starts the workers; in an inline pool pictures are decoded when the frame begins instead.
    #[must_use]
    pub fn new(pool: &Pool, ctx: &egui::Context) -> Self {
        let (sender, results) = bounded(64);
        let shared = Arc::new(Shared::default());
        let epoch = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let workers = if pool.is_inline() { 0 } else { WORKERS };
        let workers = (0..workers)
            .map(|number| {
                let (shared, sender, ctx, epoch) =
                    (shared.clone(), sender.clone(), ctx.clone(), epoch.clone());
                pool.start(&format!("thumbnail-{number}"), move |_| work(&shared, &sender, &ctx, &epoch))
            })
            .collect();
        Self {
            shared,
            results,
            sender,
            workers,
            entries: HashMap::new(),
            wanted: RefCell::default(),
            bytes: 0,
            frame: 0,
            epoch,
        }
    }

    /// Forgets every picture: other versions were opened.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.epoch.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// The picture, or word that it is coming: asking makes it come.
    #[must_use]
    pub fn get(&self, key: Key) -> Thumbnail {
        if let Some(entry) = self.entries.get(&key) {
            entry.used.set(self.frame);
            return entry.thumbnail.clone();
        }
        self.wanted.borrow_mut().push(key);
        Thumbnail::Pending
    }

    /// Uploads what has arrived and hands the workers what the last frame asked for. Call once, before panels draw.
    pub fn begin_frame(&mut self, ctx: &egui::Context, session: &Session) {
        self.frame += 1;
        let wanted = std::mem::take(&mut *self.wanted.borrow_mut());
        let mut requests: VecDeque<Request> = VecDeque::with_capacity(wanted.len());
        let pictures =
            |which| session.slot(which).and_then(|s| s.dataset.as_ref()).map(|d| d.pictures.clone());
        for key in wanted {
            if self.entries.contains_key(&key) {
                continue;
            }
            if let Some(own) = pictures(key.which) {
                let scan = session.scan().filter(|_| matches!(key.level, Level::Average(_))).cloned();
                requests.push_back(Request { key, pictures: own, base: pictures(Which::Base), scan });
            }
        }
        if self.workers.is_empty() {
            let epoch = self.epoch.load(std::sync::atomic::Ordering::Relaxed);
            // Inline: as many as the channel holds; the rest is asked for again in the next frame.
            for request in requests.drain(..).take(48) {
                let _ = self.sender.try_send((epoch, request.key, make(&request)));
            }
        } else if let Ok(mut state) = self.shared.state.try_lock() {
            requests.retain(|request| !state.busy.contains(&request.key));
            state.queue = requests;
            if !state.queue.is_empty() {
                self.shared.wake.notify_all();
            }
        }
        self.upload(ctx);
        self.forget();
    }

    fn upload(&mut self, ctx: &egui::Context) {
        let start = Instant::now();
        let current = self.epoch.load(std::sync::atomic::Ordering::Relaxed);
        while let Ok((epoch, key, outcome)) = self.results.try_recv() {
            if epoch != current {
                continue;
            }
            let (thumbnail, bytes) = match outcome {
                Ok((image, stored)) => {
                    let bytes = image.pixels.len() * 4;
                    let texture = ctx.load_texture("picture", image, TextureOptions::LINEAR);
                    (Thumbnail::Ready(texture, stored), bytes)
                }
                Err(message) => (Thumbnail::Failed(message.into()), 64),
            };
            if let Some(old) =
                self.entries.insert(key, Entry { thumbnail, bytes, used: Cell::new(self.frame) })
            {
                self.bytes -= old.bytes;
            }
            self.bytes += bytes;
            if self.workers.is_empty() {
                continue;
            }
            if start.elapsed() > UPLOAD_BUDGET {
                ctx.request_repaint();
                break;
            }
        }
        if !self.results.is_empty() {
            ctx.request_repaint();
        }
    }

    fn forget(&mut self) {
        if self.bytes <= BUDGET_BYTES {
            return;
        }
        let mut by_age: Vec<(u64, Key)> = self.entries.iter().map(|(key, e)| (e.used.get(), *key)).collect();
        by_age.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in by_age {
            if self.bytes <= BUDGET_BYTES * 3 / 4 {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }

    /// Whether the last frame asked for pictures that are not here yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }
}

impl Drop for Thumbnails {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.shared.wake.notify_all();
        // A worker may be waiting for room in the channel.
        while self.results.try_recv().is_ok() {}
    }
}

fn work(
    shared: &Shared,
    sender: &Sender<(u64, Key, Outcome)>,
    ctx: &egui::Context,
    epoch: &std::sync::atomic::AtomicU64,
) {
    loop {
        let request = {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if state.stop {
                    return;
                }
                if let Some(request) = state.queue.pop_front() {
                    state.busy.insert(request.key);
                    break request;
                }
                state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let now = epoch.load(std::sync::atomic::Ordering::Relaxed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| make(&request)))
            .unwrap_or_else(|_| Err("internal error while decoding".to_owned()));
        if sender.send((now, request.key, outcome)).is_err() {
            return;
        }
        shared.state.lock().unwrap_or_else(PoisonError::into_inner).busy.remove(&request.key);
        ctx.request_repaint();
    }
}

fn make(request: &Request) -> Outcome {
    let Request { key, pictures, base, scan } = request;
    let load = |pictures: &Arc<dyn Pictures>, row: u32, side| {
        let bytes = pictures.read(row as usize).map_err(|e| e.to_string())?;
        picture::thumbnail(&bytes, side).map_err(|e| e.to_string())
    };
    let (picture, stored) = match key.level {
        Level::Small => load(pictures, key.row, 256)?,
        Level::Large => load(pictures, key.row, 1600)?,
        Level::Difference { base: base_row, gain } => {
            let (own, stored) = load(pictures, key.row, 1600)?;
            let base = base.as_ref().ok_or("there is no base to compare with")?;
            let (other, _) = load(base, base_row, 1600)?;
            (difference(&own, &other, gain), stored)
        }
        Level::Average(at) => {
            let cluster = scan.as_ref().and_then(|scan| scan.clusters.get(usize::from(at)));
            let average = cluster.and_then(|cluster| detect::average_part(cluster, &**pictures));
            let average = average.ok_or("no member could be read")?;
            let size = (average.width, average.height);
            (average, size)
        }
    };
    let size = [picture.width as usize, picture.height as usize];
    Ok((ColorImage::from_rgb(size, &picture.rgb), stored.into()))
}

/// The absolute difference, so many times as strong.
fn difference(own: &Picture, other: &Picture, gain: u8) -> Picture {
    let resized;
    let other = if (other.width, other.height) == (own.width, own.height) {
        other
    } else {
        resized = picture::resize(other, own.width, own.height);
        &resized
    };
    let rgb = own.rgb.iter().zip(&other.rgb).map(|(a, b)| a.abs_diff(*b).saturating_mul(gain)).collect();
    Picture { width: own.width, height: own.height, rgb, format: own.format }
}
