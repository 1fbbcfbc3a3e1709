//! What is open, and what is known about it so far? Starts the library's work in the background, one step when
//! the steps that it needs are done, and keeps the results.
//!
//! **Invariant:** nothing here waits; [`Session::poll`] takes what has arrived and starts what can start.

use std::sync::Arc;

use crate::compare::{self, ClassMap, Distribution, EditMap, Flow, Side, VersionDiff};
use crate::detect::image_problem::ImageMeasures;
use crate::detect::{self, Input, Options, Scan};
use crate::feature::{self, Cache, Fingerprints, Looks};
use crate::model::{ChangeKind, ContentHash, Version, Warning};
use crate::source::{self, Dataset, Place};
use crate::task::{Job, Pool, Progress};
use crate::trust;

/// Which of the two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// The trusted base.
    Base,
    /// The version under review, or the only one.
    Target,
    /// A further version to look at beside them, from 0: see [`MOST_FURTHER`].
    Further(u8),
}

/// Versions that are looked at beside the base and the one under review.
pub const MOST_FURTHER: usize = 2;

/// One opened (or opening) version.
pub struct Slot {
    /// What the user asked for.
    pub place: Place,
    /// The samples, once listed.
    pub dataset: Option<Dataset>,
    /// Hashes, once read.
    pub fingerprints: Option<Arc<Fingerprints>>,
    /// The pin, once hashed.
    pub pin: Option<ContentHash>,
    /// Sizes and formats, once decoded.
    pub looks: Option<Arc<Looks>>,
    /// How far each picture is from being dark, blurred and so on, once decoded.
    pub measures: Option<Arc<ImageMeasures>>,
    /// Why it could not be opened.
    pub error: Option<String>,
}

impl Slot {
    fn new(place: Place) -> Self {
        Self { place, dataset: None, fingerprints: None, pin: None, looks: None, measures: None, error: None }
    }

    /// The version, once listed.
    #[must_use]
    pub fn version(&self) -> Option<&Arc<Version>> {
        self.dataset.as_ref().map(|dataset| &dataset.version)
    }
}

/// A version that is only looked at, beside the others.
struct Further {
    slot: Slot,
    /// For each row of the version under review the same sample's row here, once compared.
    counterparts: Option<Arc<Vec<Option<u32>>>>,
}

/// Everything that is open and known.
pub struct Session {
    pool: Pool,
    cache: Arc<Cache>,
    base: Option<Slot>,
    target: Option<Slot>,
    further: Vec<Further>,
    class_map: Option<ClassMap>,
    suggested_map: Option<ClassMap>,
    diff: Option<Arc<VersionDiff>>,
    distribution: Option<Arc<Distribution>>,
    flows: Arc<Vec<Flow>>,
    edit_map: Option<Arc<EditMap>>,
    scan: Option<Arc<Scan>>,
    running: Vec<Running>,
    started: Vec<Step>,
    failures: Vec<String>,
    cancelled: bool,
    generation: u64,
    epoch: u64,
}

struct Running {
    step: Step,
    epoch: u64,
    job: Job<Result<Done, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Open(Which),
    Hash(Which),
    Diff,
    EditMap,
    Align(u8),
    Look(Which),
    Scan,
}

enum Done {
    Opened(Which, Dataset),
    Hashed(Which, Arc<Fingerprints>, ContentHash),
    Compared(Arc<VersionDiff>, Arc<Distribution>, Arc<Vec<Flow>>),
    Mapped(Option<Arc<EditMap>>),
    Aligned(u8, Arc<Vec<Option<u32>>>),
    Looked(Which, Arc<Looks>, Arc<ImageMeasures>),
    Scanned(Arc<Scan>),
}

impl Session {
    /// Nothing open.
    #[must_use]
    pub fn new(pool: Pool, cache: Arc<Cache>) -> Self {
        Self {
            pool,
            cache,
            base: None,
            target: None,
            further: Vec::new(),
            class_map: None,
            suggested_map: None,
            diff: None,
            distribution: None,
            flows: Arc::default(),
            edit_map: None,
            scan: None,
            running: Vec::new(),
            started: Vec::new(),
            failures: Vec::new(),
            cancelled: false,
            generation: 0,
            epoch: 0,
        }
    }

    /// Opens these instead of what is open; work on what was open is cancelled.
    pub fn open(&mut self, base: Option<Place>, target: Option<Place>) {
        for running in &self.running {
            running.job.task.cancel();
        }
        self.base = base.map(Slot::new);
        self.target = target.map(Slot::new);
        self.further.clear();
        self.class_map = None;
        self.suggested_map = None;
        self.diff = None;
        self.distribution = None;
        self.flows = Arc::default();
        self.edit_map = None;
        self.scan = None;
        self.started.clear();
        self.cancelled = false;
        self.epoch += 1;
        self.generation += 1;
    }

    /// The base, if one was asked for.
    #[must_use]
    pub fn base(&self) -> Option<&Slot> {
        self.base.as_ref()
    }

    /// The version under review.
    #[must_use]
    pub fn target(&self) -> Option<&Slot> {
        self.target.as_ref()
    }

    /// One of the two.
    #[must_use]
    pub fn slot(&self, which: Which) -> Option<&Slot> {
        match which {
            Which::Base => self.base.as_ref(),
            Which::Target => self.target.as_ref(),
            Which::Further(at) => self.further.get(usize::from(at)).map(|further| &further.slot),
        }
    }

    /// Opens one more version to look at beside the others; `false` when there are as many as can be.
    pub fn add_further(&mut self, place: Place) -> bool {
        let room = self.target.is_some() && self.further.len() < MOST_FURTHER;
        if room {
            self.further.push(Further { slot: Slot::new(place), counterparts: None });
            self.generation += 1;
        }
        room
    }

    /// Closes one of them.
    pub fn remove_further(&mut self, at: usize) {
        if at < self.further.len() {
            self.further.remove(at);
            // Those behind it have another number now, and work on it must not arrive under the old one.
            let all = (0..MOST_FURTHER as u8).flat_map(|at| {
                [Step::Open(Which::Further(at)), Step::Hash(Which::Further(at)), Step::Align(at)]
            });
            self.restart(&all.collect::<Vec<_>>());
            self.generation += 1;
        }
    }

    /// The further versions.
    pub fn further(&self) -> impl Iterator<Item = (Which, &Slot)> {
        self.further.iter().enumerate().map(|(at, further)| (Which::Further(at as u8), &further.slot))
    }

    /// The row of a further version that shows the same sample as this row of the version under review.
    #[must_use]
    pub fn in_further(&self, at: u8, row: usize) -> Option<u32> {
        self.further.get(usize::from(at))?.counterparts.as_ref()?.get(row).copied().flatten()
    }

    /// What changed, once compared.
    #[must_use]
    pub fn diff(&self) -> Option<&Arc<VersionDiff>> {
        self.diff.as_ref()
    }

    /// Class distributions, once compared.
    #[must_use]
    pub fn distribution(&self) -> Option<&Arc<Distribution>> {
        self.distribution.as_ref()
    }

    /// Label flows, once compared.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// Where edited pictures were changed, once that is known and where any was.
    #[must_use]
    pub fn edit_map(&self) -> Option<&Arc<EditMap>> {
        self.edit_map.as_ref()
    }

    /// What the detectors found, once they ran.
    #[must_use]
    pub fn scan(&self) -> Option<&Arc<Scan>> {
        self.scan.as_ref()
    }

    /// The cache, for work of the window's own.
    #[must_use]
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// The pool, for work of the window's own.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Moves whenever something new is known.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Classes that look merely renamed, when nobody has said yet that they are the same.
    #[must_use]
    pub fn suggested_map(&self) -> Option<&ClassMap> {
        self.suggested_map.as_ref().filter(|_| self.class_map.is_none())
    }

    /// The mapping in force.
    #[must_use]
    pub fn class_map(&self) -> Option<&ClassMap> {
        self.class_map.as_ref()
    }

    /// Treats the suggested classes as the same, and compares again.
    pub fn accept_class_map(&mut self) {
        let Some(map) = self.suggested_map.take() else { return };
        if let Some(dataset) = self.target.as_mut().and_then(|slot| slot.dataset.as_mut()) {
            dataset.version = Arc::new(map.apply(&dataset.version));
        }
        self.class_map = Some(map);
        self.restart(&[Step::Diff, Step::EditMap, Step::Scan]);
        self.diff = None;
        self.distribution = None;
        self.flows = Arc::default();
        self.scan = None;
        self.generation += 1;
    }

    /// Keeps the classes apart as they are spelt.
    pub fn dismiss_class_map(&mut self) {
        self.suggested_map = None;
    }

    fn restart(&mut self, steps: &[Step]) {
        self.started.retain(|step| !steps.contains(step));
        for running in self.running.iter().filter(|running| steps.contains(&running.step)) {
            running.job.task.cancel();
        }
        self.running.retain(|running| !steps.contains(&running.step));
    }

    /// Whether anything is being computed.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// What is being computed and how far it is, the first of it.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.running.first().map(|running| {
            let mut progress = running.job.task.progress();
            if progress.stage.is_empty() {
                progress.stage = running.step.title();
            }
            progress
        })
    }

    /// Stops the background work; what is known stays.
    pub fn cancel(&mut self) {
        for running in &self.running {
            running.job.task.cancel();
        }
        self.cancelled = self.is_busy();
    }

    /// Whether work was cancelled and can go on.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Goes on with cancelled work.
    pub fn resume(&mut self) {
        self.cancelled = false;
        let done: Vec<Step> = self.started.iter().copied().filter(|step| self.is_done(*step)).collect();
        self.started = done;
    }

    fn is_done(&self, step: Step) -> bool {
        match step {
            Step::Open(which) => self.slot(which).is_some_and(|slot| slot.dataset.is_some()),
            Step::Hash(which) => self.slot(which).is_some_and(|slot| slot.fingerprints.is_some()),
            Step::Look(which) => self.slot(which).is_some_and(|slot| slot.looks.is_some()),
            Step::Diff => self.diff.is_some(),
            Step::Align(at) => {
                self.further.get(usize::from(at)).is_none_or(|further| further.counterparts.is_some())
            }
            Step::EditMap => self.edit_map.is_some(),
            Step::Scan => self.scan.is_some(),
        }
    }

    /// Messages for the user that have come up since the last call.
    pub fn take_failures(&mut self) -> Vec<String> {
        std::mem::take(&mut self.failures)
    }

    /// Every warning on samples known so far: (which version, warning).
    pub fn warnings(&self) -> impl Iterator<Item = (Which, &Warning)> {
        [(Which::Base, &self.base), (Which::Target, &self.target)].into_iter().flat_map(|(which, slot)| {
            let listed = slot.iter().filter_map(|s| s.version()).flat_map(|version| version.warnings());
            let hashed = slot.iter().filter_map(|s| s.fingerprints.as_ref()).flat_map(|f| &f.unreadable);
            let looked = slot.iter().filter_map(|s| s.looks.as_ref()).flat_map(|looks| &looks.warnings);
            listed.chain(hashed).chain(looked).map(move |warning| (which, warning))
        })
    }

    /// Takes what has arrived and starts what can start. Returns whether anything new is known.
    pub fn poll(&mut self) -> bool {
        let mut moved = false;
        // In tests jobs end inside `start`, so one call runs the whole chain.
        loop {
            let arrived = self.receive();
            let begun = self.start_ready();
            moved |= arrived;
            let again = arrived || (begun && self.pool.is_inline());
            if !again {
                break;
            }
        }
        if moved {
            self.generation += 1;
        }
        moved
    }

    fn receive(&mut self) -> bool {
        let mut arrived = Vec::new();
        let epoch = self.epoch;
        self.running.retain(|running| match running.job.poll() {
            None => true,
            Some(outcome) => {
                if running.epoch == epoch {
                    arrived.push((running.step, outcome));
                }
                false
            }
        });
        let any = !arrived.is_empty();
        for (step, outcome) in arrived {
            match outcome {
                Ok(Ok(done)) => self.keep(done),
                Ok(Err(_)) if self.cancelled => {}
                Ok(Err(message)) => self.fail(step, message),
                Err(error) => self.fail(step, error.to_string()),
            }
        }
        any
    }

    fn fail(&mut self, step: Step, message: String) {
        if let Step::Open(which) = step
            && let Some(slot) = self.slot_mut(which)
        {
            slot.error = Some(message.clone());
        }
        self.failures.push(message);
    }

    fn keep(&mut self, done: Done) {
        match done {
            Done::Opened(which, dataset) => {
                if let Some(slot) = self.slot_mut(which) {
                    slot.dataset = Some(dataset);
                }
                if let (Some(base), Some(target)) =
                    (self.base.as_ref().and_then(Slot::version), self.target.as_ref().and_then(Slot::version))
                {
                    let map = ClassMap::auto(base, target, None);
                    self.suggested_map = (!map.to_base.is_empty()).then_some(map);
                }
            }
            Done::Hashed(which, fingerprints, pin) => {
                if let Some(slot) = self.slot_mut(which) {
                    slot.fingerprints = Some(fingerprints);
                    slot.pin = Some(pin);
                }
            }
            Done::Compared(diff, distribution, flows) => {
                self.diff = Some(diff);
                self.distribution = Some(distribution);
                self.flows = flows;
            }
            Done::Mapped(map) => self.edit_map = map,
            Done::Aligned(at, counterparts) => {
                if let Some(further) = self.further.get_mut(usize::from(at)) {
                    further.counterparts = Some(counterparts);
                }
            }
            Done::Looked(which, mut looks, measures) => {
                if which == Which::Base {
                    // Poor pictures of the base are not the contribution's problems.
                    Arc::make_mut(&mut looks).warnings.clear();
                }
                if let Some(slot) = self.slot_mut(which) {
                    slot.looks = Some(looks);
                    slot.measures = Some(measures);
                }
            }
            Done::Scanned(scan) => self.scan = Some(scan),
        }
    }

    fn slot_mut(&mut self, which: Which) -> Option<&mut Slot> {
        match which {
            Which::Base => self.base.as_mut(),
            Which::Target => self.target.as_mut(),
            Which::Further(at) => self.further.get_mut(usize::from(at)).map(|further| &mut further.slot),
        }
    }

    fn start_ready(&mut self) -> bool {
        if self.cancelled {
            return false;
        }
        let has = |slot: &Option<Slot>| slot.is_some();
        let hashed = |slot: &Option<Slot>| slot.as_ref().is_some_and(|s| s.fingerprints.is_some());
        let mut ready = Vec::new();
        let further = (0..self.further.len() as u8).map(Which::Further);
        for which in [Which::Target, Which::Base].into_iter().chain(further) {
            let Some(slot) = self.slot(which) else { continue };
            if slot.dataset.is_none() {
                ready.push(Step::Open(which));
            } else if slot.fingerprints.is_none() {
                ready.push(Step::Hash(which));
            }
        }
        for (at, further) in self.further.iter().enumerate() {
            if further.slot.fingerprints.is_some() && hashed(&self.target) {
                ready.push(Step::Align(at as u8));
            }
        }
        let base_ready = !has(&self.base) || self.diff.is_some();
        if hashed(&self.base) && hashed(&self.target) {
            ready.push(Step::Diff);
        }
        if hashed(&self.target) && base_ready {
            ready.push(Step::Look(Which::Target));
            if self.diff.as_ref().is_some_and(|diff| diff.count(ChangeKind::Edited) > 0) {
                ready.push(Step::EditMap);
            }
            if self.target.as_ref().is_some_and(|slot| slot.looks.is_some()) {
                ready.push(Step::Scan);
            }
            // For plots of both; nothing waits for it.
            if has(&self.base) && self.scan.is_some() {
                ready.push(Step::Look(Which::Base));
            }
        }
        let mut begun = false;
        for step in ready {
            if !self.started.contains(&step) && !self.is_done(step) {
                self.started.push(step);
                begun |= self.start(step);
            }
        }
        begun
    }

    fn start(&mut self, step: Step) -> bool {
        let cache = self.cache.clone();
        let dataset = |slot: &Option<Slot>| slot.as_ref().and_then(|s| s.dataset.clone());
        let prints = |slot: &Option<Slot>| slot.as_ref().and_then(|s| s.fingerprints.clone());
        let job = match step {
            Step::Open(which) => {
                let Some(place) = self.slot(which).map(|slot| slot.place.clone()) else { return false };
                self.pool.start("open", move |task| {
                    let dataset = source::open(&place, task).map_err(|e| e.to_string())?;
                    Ok(Done::Opened(which, dataset))
                })
            }
            Step::Hash(which) => {
                let Some(dataset) = self.slot(which).and_then(|s| s.dataset.clone()) else { return false };
                self.pool.start("hash", move |task| {
                    let fingerprints =
                        feature::fingerprint(&dataset, &cache, false, task).map_err(|e| e.to_string())?;
                    let pin = trust::pin(Side { dataset: &dataset, fingerprints: &fingerprints });
                    Ok(Done::Hashed(which, Arc::new(fingerprints), pin))
                })
            }
            Step::Diff => {
                let (Some(base), Some(target), Some(base_prints), Some(target_prints)) =
                    (dataset(&self.base), dataset(&self.target), prints(&self.base), prints(&self.target))
                else {
                    return false;
                };
                self.pool.start("diff", move |task| {
                    let base_side = Side { dataset: &base, fingerprints: &base_prints };
                    let target_side = Side { dataset: &target, fingerprints: &target_prints };
                    let diff =
                        compare::diff(base_side, target_side, &cache, task).map_err(|e| e.to_string())?;
                    let distribution = compare::distribution(&base.version, &target.version);
                    let flows = compare::flows(&base.version, &target.version, &diff);
                    Ok(Done::Compared(Arc::new(diff), Arc::new(distribution), Arc::new(flows)))
                })
            }
            Step::Align(at) => {
                let slot = self.further.get(usize::from(at)).map(|further| &further.slot);
                let other = slot.and_then(|slot| slot.dataset.clone().zip(slot.fingerprints.clone()));
                let target = dataset(&self.target).zip(prints(&self.target));
                let (Some(other), Some(target)) = (other, target) else { return false };
                self.pool.start("align", move |task| {
                    let other = Side { dataset: &other.0, fingerprints: &other.1 };
                    let target = Side { dataset: &target.0, fingerprints: &target.1 };
                    let diff = compare::diff(other, target, &cache, task).map_err(|e| e.to_string())?;
                    // A copy is beside its original.
                    let row = |row: usize| {
                        let change = || diff.changes.get(diff.change_of_row[row]? as usize)?.base_row;
                        diff.counterparts[row].or_else(change)
                    };
                    let rows = (0..diff.counterparts.len()).map(row).collect();
                    Ok(Done::Aligned(at, Arc::new(rows)))
                })
            }
            Step::EditMap => {
                let sides = |slot: &Option<Slot>| dataset(slot).zip(prints(slot));
                let (Some(base), Some(target), Some(diff)) =
                    (sides(&self.base), sides(&self.target), self.diff.clone())
                else {
                    return false;
                };
                self.pool.start("edit-map", move |task| {
                    let base = Side { dataset: &base.0, fingerprints: &base.1 };
                    let target = Side { dataset: &target.0, fingerprints: &target.1 };
                    let map = compare::edit_map(base, target, &diff, task).map_err(|e| e.to_string())?;
                    Ok(Done::Mapped(map.map(Arc::new)))
                })
            }
            Step::Look(which) => {
                let (Some(dataset), Some(fingerprints)) = (
                    self.slot(which).and_then(|s| s.dataset.clone()),
                    self.slot(which).and_then(|s| s.fingerprints.clone()),
                ) else {
                    return false;
                };
                self.pool.start("look", move |task| {
                    let looks = feature::look(&dataset, &fingerprints, None, &cache, task)
                        .map_err(|e| e.to_string())?;
                    let measures = ImageMeasures::of(&looks.rows);
                    Ok(Done::Looked(which, Arc::new(looks), Arc::new(measures)))
                })
            }
            Step::Scan => {
                let (Some(target), Some(target_prints)) = (dataset(&self.target), prints(&self.target))
                else {
                    return false;
                };
                let base = dataset(&self.base).zip(prints(&self.base)).zip(self.diff.clone());
                self.pool.start("scan", move |task| {
                    let input = Input {
                        target: Side { dataset: &target, fingerprints: &target_prints },
                        base: base
                            .as_ref()
                            .map(|((d, f), diff)| (Side { dataset: d, fingerprints: f }, diff.as_ref())),
                        cache: &cache,
                        seed: 0,
                        options: &Options::default(),
                        earlier: &[],
                    };
                    let scan = detect::scan(&input, &[], task).map_err(|e| e.to_string())?;
                    Ok(Done::Scanned(Arc::new(scan)))
                })
            }
        };
        self.running.push(Running { step, epoch: self.epoch, job });
        true
    }
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Open(_) => "Listing samples",
            Self::Hash(_) => "Hashing files",
            Self::Diff => "Comparing versions",
            Self::Align(_) => "Aligning versions",
            Self::EditMap => "Where pictures were edited",
            Self::Look(_) => "Reading pictures",
            Self::Scan => "Looking for what does not belong",
        }
    }
}
