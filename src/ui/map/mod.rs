//! Where does each sample lie on the map? Laid out on a worker, shown as it unfolds, kept while the same versions are open.
//!
//! A sample that both versions have is one point; of the base only those pictures are added that the version under
//! review does not have. Pictures that cannot be decoded have no place.

pub mod points;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::{self, Pos2};

use crate::feature::{self, Cache, DIRECTIONS, Fingerprints, Part};
use crate::source::Dataset;
use crate::task::{Job, Progress, Task};

use super::items::Item;
use super::session::{Session, Which};
use points::{Dot, Grid};

/// The layout is the same each time.
const SEED: u64 = 0;

/// What decides the colour of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColorBy {
    /// The label.
    #[default]
    Label,
    /// What the contribution did.
    Change,
    /// The suspicion.
    Score,
    /// The verdict in force.
    Decision,
}

impl ColorBy {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Label, Self::Change, Self::Score, Self::Decision];

    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Label => "Label",
            Self::Change => "Change",
            Self::Score => "Suspicion",
            Self::Decision => "Decision",
        }
    }
}

/// How the map is looked at; the part of the view that belongs to it.
#[derive(Default)]
pub struct MapView {
    /// What colours mean.
    pub color_by: ColorBy,
    /// A drag draws around samples and does not move the map.
    pub lasso: bool,
    /// How many times as large as the whole map in the window; 0 stands for 1.
    pub zoom: f32,
    /// What of the map is in the middle of the window, in map units from the map's own middle.
    pub offset: [f32; 2],
    /// The line that is being drawn around samples.
    pub path: Vec<Pos2>,
    /// What was computed for the last frame and can be used again.
    pub(super) drawn: Drawn,
}

impl MapView {
    /// Nearer by a factor, or further away.
    pub fn zoom_by(&mut self, factor: f32) {
        self.zoom = (self.zoom() * factor).clamp(1.0, 400.0);
        if self.zoom <= 1.0 {
            self.offset = [0.0; 2];
        }
    }

    /// How many times as large as the whole map in the window.
    #[must_use]
    pub fn zoom(&self) -> f32 {
        if self.zoom < 1.0 { 1.0 } else { self.zoom }
    }

    /// Shows the whole map.
    pub fn fit(&mut self) {
        self.zoom = 1.0;
        self.offset = [0.0; 2];
    }
}

/// Kept from frame to frame, each with what it was made from.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) dots: Vec<Dot>,
    pub(super) dots_of: Option<u64>,
    pub(super) legend: Vec<LegendEntry>,
    /// Whether a point passes the search and the class filter, by point.
    pub(super) passes: Vec<bool>,
    pub(super) mesh: Arc<egui::Mesh>,
    pub(super) mesh_of: Option<u64>,
    pub(super) discs: Option<points::Discs>,
    pub(super) grid: Grid,
    pub(super) grid_of: Option<u64>,
}

/// A line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LegendEntry {
    pub(super) name: String,
    pub(super) color: egui::Color32,
    pub(super) count: usize,
    pub(super) filter: Filter,
}

/// What a click on a line of the legend asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    /// Nothing: what is left over.
    None,
    /// Only this class.
    Class(String),
    /// These words in the search field.
    Words(&'static str),
}

/// Points in the plane.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Which sample each point is.
    pub items: Arc<Vec<Item>>,
    /// Where it is, in map units.
    pub xy: Arc<Vec<[f32; 2]>>,
}

/// How far the map is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stage {
    /// It has not begun: the pictures have not been read, or nobody has asked for it.
    #[default]
    Waiting,
    /// It unfolds.
    Running,
    /// It is as it stays.
    Done,
    /// Somebody cancelled it; what was there stays.
    Cancelled,
    /// There will be none.
    Failed(String),
}

/// Whose map it is: contents of the target and of the base.
type Of = (Arc<Fingerprints>, Option<Arc<Fingerprints>>);

/// Makes the map and keeps it.
#[derive(Default)]
pub struct MapKeeper {
    of: Option<Of>,
    places: Places,
    left_out: usize,
    generation: u64,
    stage: Stage,
    latest: Arc<Mutex<Option<Places>>>,
    job: Option<Job<Result<usize, String>>>,
}

impl MapKeeper {
    /// Where samples are, as far as is known.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Samples that have no place because their pictures cannot be decoded.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Moves whenever points do.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether a worker is at it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// How far the worker is.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.job.as_ref().map(|job| job.task.progress())
    }

    /// Stops the worker; what is there stays.
    pub fn cancel(&mut self) {
        if let Some(job) = &self.job {
            job.task.cancel();
            self.stage = Stage::Cancelled;
        }
    }

    /// Begins again after a cancel or a failure.
    pub fn resume(&mut self) {
        if matches!(self.stage, Stage::Cancelled | Stage::Failed(_)) {
            self.job = None;
            self.stage = Stage::Waiting;
        }
    }

    /// Takes what the worker has brought, forgets the map of other versions, and begins when it is `wanted` and can be.
    /// Returns whether other samples are on the map now.
    pub fn poll(&mut self, session: &Session, wanted: bool) -> bool {
        let of = of(session);
        let mut other_samples = false;
        if !is_same(of.as_ref(), self.of.as_ref()) {
            if let Some(job) = self.job.take() {
                job.task.cancel();
            }
            other_samples = !self.places.items.is_empty();
            *self = Self { of, generation: self.generation + 1, ..Self::default() };
        }
        if wanted && self.stage == Stage::Waiting {
            self.start(session);
        }
        // A frame that comes while the worker puts down a new state takes it the next time.
        if let Some(places) = self.latest.try_lock().ok().and_then(|mut latest| latest.take()) {
            other_samples |= !Arc::ptr_eq(&places.items, &self.places.items);
            self.places = places;
            self.generation += 1;
        }
        if let Some(outcome) = self.job.as_ref().and_then(Job::poll) {
            self.job = None;
            self.stage = match outcome {
                Ok(Ok(left_out)) => {
                    self.left_out = left_out;
                    Stage::Done
                }
                Ok(Err(_)) if self.stage == Stage::Cancelled => Stage::Cancelled,
                Ok(Err(message)) => Stage::Failed(message),
                Err(error) => Stage::Failed(error.to_string()),
            };
        }
        other_samples
    }

    fn start(&mut self, session: &Session) {
        let side = |which| {
            let slot = session.slot(which)?;
            Some((slot.dataset.clone()?, slot.fingerprints.clone()?))
        };
        // The pictures have been read by then: nothing is decoded twice at the same time.
        let ready = session.target().is_some_and(|slot| slot.looks.is_some());
        let (true, Some(target)) = (ready, side(Which::Target)) else { return };
        let base = side(Which::Base);
        if session.base().is_some() && base.is_none() {
            return;
        }
        let cache = session.cache().clone();
        self.stage = Stage::Running;
        // A worker that was cancelled may still put something into the old place.
        self.latest = Arc::default();
        let latest = self.latest.clone();
        self.job = Some(
            session.pool().start("map", move |task| lay_out(&target, base.as_ref(), &cache, task, &latest)),
        );
    }
}

fn of(session: &Session) -> Option<Of> {
    let prints = |which| session.slot(which).and_then(|slot| slot.fingerprints.clone());
    Some((prints(Which::Target)?, prints(Which::Base)))
}

fn is_same(a: Option<&Of>, b: Option<&Of>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some((a, a_base)), Some((b, b_base))) => {
            let both = match (a_base, b_base) {
                (None, None) => true,
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                _ => false,
            };
            Arc::ptr_eq(a, b) && both
        }
        _ => false,
    }
}

type Whole = (Dataset, Arc<Fingerprints>);

/// Lays the samples out; each state goes to `latest`. Returns how many have no place.
fn lay_out(
    target: &Whole,
    base: Option<&Whole>,
    cache: &Cache,
    task: &Task,
    latest: &Mutex<Option<Places>>,
) -> Result<usize, String> {
    let known: HashSet<_> = target.1.hashes.iter().flatten().copied().collect();
    let readable = |prints: &Fingerprints| -> Vec<u32> {
        (0..prints.hashes.len() as u32).filter(|row| prints.hashes[*row as usize].is_some()).collect()
    };
    let target_rows = readable(&target.1);
    let base_rows: Vec<u32> = base.map_or_else(Vec::new, |(_, prints)| {
        let is_new = |row: &u32| prints.hashes[*row as usize].is_some_and(|hash| !known.contains(&hash));
        readable(prints).into_iter().filter(is_new).collect()
    });
    let mut parts = vec![Part { dataset: &target.0, fingerprints: &target.1, rows: &target_rows }];
    if let Some((dataset, fingerprints)) = base.filter(|_| !base_rows.is_empty()) {
        parts.push(Part { dataset, fingerprints, rows: &base_rows });
    }
    let mut values = feature::directions(&parts, SEED, cache, task).map_err(|error| error.to_string())?;
    // The base's items follow the target's, as everywhere in the window.
    let target_len = target.0.version.len() as u32;
    let all = target_rows.iter().copied().chain(base_rows.iter().map(|row| target_len + row)).map(Item);
    let mut items = Vec::with_capacity(target_rows.len() + base_rows.len());
    for (at, item) in all.enumerate() {
        let numbers = at * DIRECTIONS..(at + 1) * DIRECTIONS;
        if values[numbers.clone()].iter().any(|number| *number != 0.0) {
            values.copy_within(numbers, items.len() * DIRECTIONS);
            items.push(item);
        }
    }
    values.truncate(items.len() * DIRECTIONS);
    let unread = target.1.hashes.len() - target_rows.len();
    let left_out = unread + target_rows.len() + base_rows.len() - items.len();
    let items = Arc::new(items);
    let mut show = |xy: &[[f32; 2]]| {
        let places = Places { items: items.clone(), xy: Arc::new(xy.to_vec()) };
        *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(places);
    };
    let xy = feature::project2d(&values, DIRECTIONS, SEED, task, &mut show).map_err(|e| e.to_string())?;
    show(&xy);
    Ok(left_out)
}
