//! What happens in one frame? Results in, commands applied, rows rebuilt if something moved; then panels draw.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use crate::audit::Plan;
use crate::cli::{WindowRequest, WindowTheme};
use crate::demo::DemoPair;
use crate::feature::Cache;
use crate::model::Verdict;
use crate::review::{Comparison, Review};
use crate::source::Place;
use crate::task::{Job, Pool, Progress};

use super::apply;
use super::audit::AuditState;
use super::command::{Command, Keys};
use super::items::{Item, Items};
use super::map::MapKeeper;
use super::panel;
use super::rows::{Counts, RowsKeeper, Verdicts, Wanted};
use super::session::{Session, Which};
use super::settings::{PREVIEWS, Recent, Settings, ThemeChoice};
use super::state::{PlotFile, Queue, ViewState};
use super::theme;
use super::thumbnails::Thumbnails;

/// How the window comes to life.
pub struct Startup {
    /// What to show first.
    pub request: WindowRequest,
    /// Threads, or inline in tests.
    pub pool: Pool,
    /// Numbers computed before.
    pub cache: Arc<Cache>,
    /// Tastes of the last run.
    pub settings: Settings,
    /// Keys in force.
    pub keys: Keys,
    /// Things to tell the user at once.
    pub messages: Vec<String>,
}

/// A short message that goes away by itself.
pub struct Toast {
    /// The words.
    pub text: String,
    /// Whether something failed.
    pub is_error: bool,
    /// When it came.
    pub since: Instant,
}

/// A plan with its file, where there is one.
type FoundPlan = Result<Option<(PathBuf, Plan)>, String>;

/// What a file dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choosing {
    /// Something to open alone.
    Open,
    /// The base of what is open.
    Base,
    /// A contribution to what is open.
    Contribution,
    /// Where to export to.
    Export,
    /// Another reviewer's file.
    Review,
    /// A further version to look at.
    Further,
    /// Where to save a plot.
    Plot(&'static str, PlotFile),
}

/// Another reviewer's file, beside ours.
pub struct OtherReview {
    /// The file.
    pub review: Review,
    /// What both hold, as of `revision` of ours.
    pub comparison: Comparison,
    /// See `comparison`.
    pub revision: u64,
}

/// Everything that panels may read.
pub struct ViewCtx<'a> {
    /// What is open.
    pub session: &'a Session,
    /// Samples of both versions.
    pub items: &'a Items,
    /// The decisions.
    pub review: Option<&'a Review>,
    /// Another reviewer's decisions.
    pub other: Option<&'a OtherReview>,
    /// Verdicts by item.
    pub verdicts: &'a Verdicts,
    /// Counts of queues.
    pub counts: &'a Counts,
    /// What the gallery shows.
    pub rows: &'a [Item],
    /// Moves whenever the gallery shows others.
    pub rows_generation: u64,
    /// Whether rows are being made.
    pub rows_busy: bool,
    /// Where samples are on the map.
    pub map: &'a MapKeeper,
    /// Pictures.
    pub thumbnails: &'a Thumbnails,
    /// Keys in force.
    pub keys: &'a Keys,
    /// Classes of both versions, ascending; their position is their number.
    pub classes: &'a [Arc<str>],
    /// Progress of the window's own work: (what, how far).
    pub own_progress: Option<Progress>,
    /// Messages on show.
    pub toasts: &'a [Toast],
    /// Pictures of recent places.
    pub previews: &'a super::previews::Previews,
    /// The audit, where there is a plan.
    pub audit: Option<&'a AuditState>,
    /// Nothing may be shown but the picture and its label.
    pub blind: bool,
    /// Who decides.
    pub reviewer: String,
    commands: &'a RefCell<VecDeque<Command>>,
}

impl ViewCtx<'_> {
    /// Asks for something to be done.
    pub fn send(&self, command: Command) {
        self.commands.borrow_mut().push_back(command);
    }

    /// The verdict to show on an item: in a blind list only what this reviewer said in this audit.
    #[must_use]
    pub fn verdict(&self, item: Item) -> Option<&Verdict> {
        if self.blind {
            return self.audit.and_then(|audit| audit.verdict(item));
        }
        self.verdicts.get(item)
    }

    /// A tooltip with the command's key.
    #[must_use]
    pub fn tip(&self, text: &str, command: &Command) -> String {
        let key = self.keys.hint(command);
        if key.is_empty() { text.to_owned() } else { format!("{text}  ({key})") }
    }
}

/// The window.
pub struct App {
    pub(super) settings_dirty: bool,
    pub(super) session: Session,
    pub(super) items: Items,
    items_generation: u64,
    pub(super) review: Option<Review>,
    review_key: Option<(Option<String>, String)>,
    review_path: Option<PathBuf>,
    pub(super) other: Option<OtherReview>,
    pub(super) verdicts: Verdicts,
    counts: Counts,
    counted: (u64, u64),
    pub(super) rows: RowsKeeper,
    pub(super) rows_stale: bool,
    thumbnails: Thumbnails,
    pub(super) map: MapKeeper,
    /// The view.
    pub view: ViewState,
    /// Tastes.
    pub settings: Settings,
    pub(super) keys: Keys,
    commands: RefCell<VecDeque<Command>>,
    toasts: Vec<Toast>,
    classes: Vec<Arc<str>>,
    pub(super) dialog: Option<(Choosing, Instant, Job<Option<PathBuf>>)>,
    pub(super) demo: Option<Job<Result<DemoPair, String>>>,
    pub(super) similar: Option<Job<Result<Vec<Item>, String>>>,
    pub(super) export: Option<Job<Result<PathBuf, String>>>,
    pub(super) audit: Option<AuditState>,
    pub(super) audit_job: Option<Job<FoundPlan>>,
    audit_read: (u64, u64, String),
    pub(super) plot_file: Option<Job<Result<PathBuf, String>>>,
    pub(super) part: super::screenshot::PartOfWindow,
    screenshot: super::screenshot::Screenshot,
    tour: Option<super::tour::Tour>,
    show_first: Option<Queue>,
    select_first: Option<usize>,
    left_at: Option<(Queue, String)>,
    rows_of: Queue,
    select_later: Option<Item>,
    previews: super::previews::Previews,
}

impl App {
    /// A window on what the startup asks for.
    #[must_use]
    pub fn new(ctx: &egui::Context, startup: Startup) -> Self {
        let Startup { request, pool, cache, mut settings, keys, messages } = startup;
        theme::install(ctx);
        if let Some(choice) = request.theme {
            settings.theme = match choice {
                WindowTheme::Dark => ThemeChoice::Dark,
                WindowTheme::Light => ThemeChoice::Light,
                WindowTheme::System => ThemeChoice::System,
            };
        }
        let trouble = cache.trouble();
        let thumbnails = Thumbnails::new(&pool, ctx);
        let mut app = Self {
            settings_dirty: true,
            session: Session::new(pool, cache),
            items: Items::default(),
            items_generation: u64::MAX,
            review: None,
            review_key: None,
            review_path: request.review.clone(),
            other: None,
            verdicts: Verdicts::default(),
            counts: Counts::default(),
            counted: (u64::MAX, u64::MAX),
            rows: RowsKeeper::default(),
            rows_stale: true,
            thumbnails,
            map: MapKeeper::default(),
            view: ViewState { view: settings.view, sort: settings.sort, ..ViewState::default() },
            settings,
            keys,
            commands: RefCell::default(),
            toasts: Vec::new(),
            classes: Vec::new(),
            dialog: None,
            demo: None,
            similar: None,
            export: None,
            audit: None,
            audit_job: None,
            audit_read: (u64::MAX, u64::MAX, String::new()),
            plot_file: None,
            part: super::screenshot::PartOfWindow::default(),
            screenshot: super::screenshot::Screenshot::new(request.screenshot.clone()),
            tour: request.tour.clone().map(super::tour::Tour::new),
            show_first: request.show.as_deref().and_then(Queue::from_name),
            select_first: request.select,
            left_at: None,
            rows_of: Queue::Overview,
            select_later: None,
            previews: super::previews::Previews::default(),
        };
        for message in messages.into_iter().chain(trouble) {
            app.toast_error(message);
        }
        if request.base.is_some() || request.contribution.is_some() {
            app.open(request.base, request.contribution);
            for further in request.further {
                app.session.add_further(further);
            }
        }
        app
    }

    /// Asks for something to be done in the next frame.
    pub fn send(&self, command: Command) {
        self.commands.borrow_mut().push_back(command);
    }

    /// What is listed now.
    #[must_use]
    pub fn rows(&self) -> &[Item] {
        &self.rows.rows().items
    }

    /// The decisions.
    #[must_use]
    pub fn review(&self) -> Option<&Review> {
        self.review.as_ref()
    }

    /// Samples of both versions.
    #[must_use]
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// Whether the large picture of the sample under the cursor can be drawn at once.
    #[must_use]
    pub fn shows_cursor(&self) -> bool {
        let Some((which, row)) = self.view.cursor.map(|item| self.items.place(item)) else { return false };
        let key = super::thumbnails::Key { which, row: row as u32, level: super::thumbnails::Level::Large };
        matches!(self.thumbnails.get(key), super::thumbnails::Thumbnail::Ready(..))
    }

    /// What is open.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Where samples are on the map.
    #[must_use]
    pub fn map(&self) -> &MapKeeper {
        &self.map
    }

    /// Messages on show, the oldest first.
    #[must_use]
    pub fn toasts(&self) -> &[Toast] {
        &self.toasts
    }

    /// Classes of both versions; a class's number is its position and one.
    #[must_use]
    pub fn classes(&self) -> &[Arc<str>] {
        &self.classes
    }

    pub(super) fn toast(&mut self, text: impl Into<String>) {
        self.push_toast(text.into(), false);
    }

    pub(super) fn toast_error(&mut self, text: impl Into<String>) {
        self.push_toast(text.into(), true);
    }

    fn push_toast(&mut self, text: String, is_error: bool) {
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push(Toast { text, is_error, since: Instant::now() });
        if self.toasts.len() > 5 {
            self.toasts.remove(0);
        }
    }

    /// Opens places instead of what is open.
    pub(super) fn open(&mut self, base: Option<Place>, target: Option<Place>) {
        self.note_place();
        let (base, target) = if target.is_none() { (None, base) } else { (base, target) };
        if let Some(target) = &target {
            self.settings.remember(Recent {
                base: base.as_ref().map(|place| absolute(&place.path)),
                target: absolute(&target.path),
                ..Recent::default()
            });
        }
        self.left_at = target.as_ref().and_then(|_| self.settings.recent.first()?.left_at.clone());
        self.session.open(base, target);
        self.review = None;
        self.other = None;
        self.review_key = None;
        self.audit = None;
        self.audit_job = None;
        self.thumbnails.clear();
        let keep = (self.view.view, self.view.sort);
        self.view = ViewState { view: keep.0, sort: keep.1, ..ViewState::default() };
        self.view.queue = if self.session.base().is_some() { Queue::Overview } else { Queue::All };
        self.rows_stale = true;
    }

    /// Notes where the person is in what is open, for when it is opened again.
    fn note_place(&mut self) {
        let place = |which| self.session.slot(which).map(|slot| absolute(&slot.place.path));
        let (Some(target), base) = (place(Which::Target), place(Which::Base)) else { return };
        let open = Recent { base, target, ..Recent::default() };
        let scope = if self.items.diff.is_some() { Queue::Changes } else { Queue::All };
        let count = self.counts.of(scope);
        let file = |at: usize| self.session.target()?.dataset.as_ref()?.pictures.path(at);
        let step = (self.items.target_len() / PREVIEWS).max(1);
        let previews = (0..self.items.target_len()).step_by(step).take(PREVIEWS).filter_map(file).collect();
        // Lists that are made by a click are not there the next time.
        let made = matches!(
            self.view.queue,
            Queue::Similar | Queue::Chosen | Queue::Cluster(_) | Queue::Conflicts | Queue::Audit
        );
        let key = self.view.cursor.map(|item| self.items.key(item).to_owned()).unwrap_or_default();
        let left_at = (!made && !self.items.is_empty()).then_some((self.view.queue, key));
        if let Some(recent) = self.settings.recent.iter_mut().find(|recent| recent.is(&open)) {
            recent.previews = previews;
            recent.decided = (count.total - count.undecided, count.total);
            recent.left_at = left_at.or_else(|| recent.left_at.clone());
        }
    }

    /// Goes back to where the person was when this was open the last time, once it is known what is there.
    fn go_back(&mut self) {
        let Some((queue, key)) = &self.left_at else { return };
        let needs_scan =
            matches!(queue, Queue::SuspiciousLabels | Queue::Triggers | Queue::Twins | Queue::Problems);
        let needs_diff = matches!(queue, Queue::Changes | Queue::Change(_));
        let known = !(needs_scan && self.items.scan.is_none() || needs_diff && self.items.diff.is_none());
        // Whoever has gone elsewhere meanwhile is left alone.
        let untouched = matches!(self.view.queue, Queue::Overview | Queue::All) && self.show_first.is_none();
        if !untouched {
            self.left_at = None;
        } else if known && !self.items.is_empty() {
            self.select_later = super::rows::find(&self.items, key).next();
            self.view.queue = *queue;
            self.rows_stale = true;
            self.left_at = None;
        }
    }

    /// The file of a sample, where it is one of its own.
    pub(super) fn file_of(&self, item: Item) -> Option<PathBuf> {
        let (which, row) = self.items.place(item);
        self.session.slot(which)?.dataset.as_ref()?.pictures.path(row)
    }

    /// Forgets every picture: what was a further version is another now.
    pub(super) fn forget_pictures(&mut self) {
        self.thumbnails.clear();
    }

    /// Opens the review that belongs to what is open, once it is known what that is.
    fn open_review(&mut self) {
        let Some(target) = self.session.slot(Which::Target).and_then(|s| s.version()) else { return };
        let base = match self.session.base() {
            None => None,
            Some(slot) => match slot.version() {
                None => return,
                Some(version) => Some(version.source().place.clone()),
            },
        };
        let key = (base, target.source().place.clone());
        if self.review_key.as_ref() == Some(&key) {
            return;
        }
        let (base, source) = key.clone();
        self.review_key = Some(key);
        let path =
            self.review_path.take().unwrap_or_else(|| crate::review::default_path(base.as_deref(), &source));
        let about = crate::review::ReviewAbout { source, base };
        match Review::open(&path, &about) {
            Ok(review) => {
                if let crate::review::Access::ReadOnly(reason) = review.access() {
                    self.toast_error(format!("This review is read-only: {reason}"));
                }
                let plan = crate::audit::plan_path(review.path());
                self.review = Some(review);
                self.audit_job = Some(self.session.pool().start("audit", move |_| {
                    let found = Plan::read(&plan).map_err(|error| error.to_string())?;
                    Ok(found.map(|found| (plan, found)))
                }));
            }
            Err(error) => self.toast_error(format!("Decisions cannot be saved: {error}")),
        }
        self.items_generation = u64::MAX;
    }

    fn receive(&mut self, ctx: &egui::Context) {
        self.session.poll();
        for message in self.session.take_failures() {
            self.toast_error(message);
        }
        self.open_review();
        apply::receive_jobs(self);
        if self.rows.poll() {
            self.select_something();
        }
        if self.map.poll(&self.session, self.view.queue == Queue::Map) {
            self.rows_stale = true;
        }
        if self.items_generation != self.session.generation() {
            self.items_generation = self.session.generation();
            self.items = Items::new(&self.session);
            self.classes = self.items.classes();
            self.verdicts = Verdicts::new(&self.items, self.review.as_ref());
            self.counted = (u64::MAX, u64::MAX);
            self.rows_stale = true;
            if let Some(queue) = self.show_first.filter(|_| !self.session.is_busy() && !self.items.is_empty())
            {
                self.view.queue = queue;
                self.show_first = None;
                self.left_at = None;
            }
            self.go_back();
        }
        let revision = self.review.as_ref().map_or(0, Review::revision);
        if self.counted != (self.items_generation, revision) {
            self.counted = (self.items_generation, revision);
            self.counts = Counts::new(&self.items, &self.verdicts);
            self.counts.audit = self.audit.as_ref().map(AuditState::count).unwrap_or_default();
        }
        self.read_audit();
        if let (Some(other), Some(review)) = (&mut self.other, &self.review)
            && other.revision != revision
        {
            other.comparison = review.compare(&other.review);
            other.revision = revision;
            self.rows_stale |= self.view.queue == Queue::Conflicts;
        }
        if self.map.is_busy() || self.plot_file.is_some() {
            ctx.request_repaint_after(Duration::from_millis(50));
        }
        if self.session.is_busy() || self.dialog.is_some() || self.demo.is_some() || self.rows.is_busy() {
            ctx.request_repaint_after(Duration::from_millis(100));
        }
        self.toasts
            .retain(|toast| toast.since.elapsed() < Duration::from_secs(if toast.is_error { 12 } else { 4 }));
        if !self.toasts.is_empty() {
            ctx.request_repaint_after(Duration::from_millis(500));
        }
    }

    /// Puts another plan in the place of the one that was.
    pub(super) fn set_audit(&mut self, audit: AuditState) {
        self.audit = Some(audit);
        self.audit_read = (u64::MAX, u64::MAX, String::new());
        self.read_audit();
    }

    /// Lets the audit take in what was opened or decided since, or who decides now.
    pub(super) fn read_audit(&mut self) {
        let Some(audit) = &mut self.audit else { return };
        let revision = self.review.as_ref().map_or(0, Review::revision);
        let (generation, known, reviewer) = &self.audit_read;
        let found = *generation == self.items_generation;
        if found && *known == revision && *reviewer == self.settings.reviewer {
            return;
        }
        if !found {
            audit.find(&self.items);
        }
        audit.read(self.review.as_ref(), &self.settings.reviewer);
        self.counts.audit = audit.count();
        self.audit_read = (self.items_generation, revision, self.settings.reviewer.clone());
    }

    /// Whether the reviewer has decided an item; in a blind list, whether he has in this audit.
    pub(super) fn is_decided(&self, item: Item) -> bool {
        match &self.audit {
            Some(audit) if self.view.is_blind() => audit.verdict(item).is_some(),
            _ => self.verdicts.is_decided(item),
        }
    }

    /// The audit, where there is a plan.
    #[must_use]
    pub fn audit(&self) -> Option<&AuditState> {
        self.audit.as_ref()
    }

    /// Keys on which the other review has another verdict, while they are listed.
    fn conflicts(&self) -> Vec<String> {
        let other = self.other.as_ref().filter(|_| self.view.queue == Queue::Conflicts);
        let conflicts = other.map(|other| other.comparison.conflicts.as_slice()).unwrap_or_default();
        conflicts.iter().map(|conflict| conflict.own.subject.key.clone()).collect()
    }

    fn rebuild_rows(&mut self) {
        if !self.rows_stale {
            return;
        }
        self.rows_stale = false;
        if self.rows_of != self.view.queue {
            self.rows_of = self.view.queue;
            // Where this queue's list was scrolled to in another session says nothing now.
            self.view.scroll_y = f32::INFINITY;
        }
        let wanted = Wanted {
            queue: self.view.queue,
            query: self.view.query.clone().unwrap_or_default(),
            class: self.view.class_filter.clone(),
            sort: self.view.sort,
            similar: match (self.view.queue, self.view.audit_list) {
                (Queue::Audit, Some(_)) => self.view.audit_rows.clone(),
                (Queue::Audit, None) => Vec::new(),
                _ => self.view.similar.clone(),
            },
            problem: self.view.problem,
            conflicts: self.conflicts(),
            chosen: self.view.chosen.clone(),
            on_map: self.map.places().items.clone(),
        };
        self.rows.rebuild(self.session.pool(), &self.items, &self.verdicts, wanted);
        if !self.rows.is_busy() {
            self.select_something();
        }
    }

    /// Puts the cursor on the first row when it is on none.
    fn select_something(&mut self) {
        let rows = self.rows.rows().items.clone();
        if let Some(at) = self.select_first.filter(|at| *at < rows.len() && self.show_first.is_none()) {
            self.select_first = None;
            self.view.focus(rows[at]);
            return;
        }
        self.view.scroll_to_cursor = true;
        if let Some(item) = self.select_later.take().filter(|item| rows.contains(item)) {
            self.view.focus(item);
            return;
        }
        let gone = self.view.cursor.is_none_or(|cursor| !rows.contains(&cursor));
        if gone {
            match rows.first() {
                Some(first) => self.view.focus(*first),
                None => {
                    self.view.cursor = None;
                    self.view.selection.clear();
                }
            }
        }
    }

    fn own_progress(&self) -> Option<Progress> {
        let job = |stage, task: &crate::task::Task| {
            let progress = task.progress();
            if progress.stage.is_empty() { Progress { stage, done: 0, total: 0 } } else { progress }
        };
        self.demo
            .as_ref()
            .map(|j| job("Drawing the demo", &j.task))
            .or_else(|| self.similar.as_ref().map(|j| job("Looking for similar samples", &j.task)))
            .or_else(|| self.export.as_ref().map(|j| job("Exporting", &j.task)))
            .or_else(|| self.audit_job.as_ref().map(|j| job("The audit's plan", &j.task)))
            .or_else(|| self.map.progress().filter(|_| *self.map.stage() == super::map::Stage::Running))
    }
}

/// The place as it will be found again from any folder.
fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        if self.settings_dirty {
            self.settings_dirty = false;
            ctx.set_theme(match self.settings.theme {
                ThemeChoice::System => egui::ThemePreference::System,
                ThemeChoice::Light => egui::ThemePreference::Light,
                ThemeChoice::Dark => egui::ThemePreference::Dark,
            });
            ctx.options_mut(|options| options.zoom_with_keyboard = false);
            ctx.set_zoom_factor(self.settings.zoom.clamp(0.5, 3.0));
            theme::reduce_motion(ctx, self.settings.reduced_motion);
        }
        self.receive(ctx);
        super::input::commands_from_input(ctx, self);
        loop {
            let Some(command) = self.commands.borrow_mut().pop_front() else { break };
            apply::apply(self, ctx, command);
        }
        // A command may have started work that, in tests, has ended already.
        if self.session.pool().is_inline() {
            self.receive(ctx);
        }
        self.rebuild_rows();
        self.thumbnails.begin_frame(ctx, &self.session);
        if self.session.target().is_none() {
            self.previews.poll(ctx, self.session.pool(), &self.settings.recent);
        }
        let settled = !self.session.is_busy()
            && self.demo.is_none()
            && !self.rows.is_busy()
            && !self.map.is_busy()
            && self.audit_job.is_none()
            && self.similar.is_none()
            && !self.thumbnails.is_waiting();
        if let Some(job) = self.part.poll(self.session.pool(), ctx.pixels_per_point()) {
            self.plot_file = Some(job);
        }
        self.screenshot.poll(ctx, settled);
        let calm = settled && self.toasts.is_empty();
        if let Some(command) = self.tour.as_mut().and_then(|tour| tour.poll(ctx, calm)) {
            self.send(command);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let own_progress = self.own_progress();
        let Self {
            session,
            items,
            review,
            other,
            verdicts,
            counts,
            rows,
            thumbnails,
            map,
            view,
            settings,
            keys,
            commands,
            classes,
            toasts,
            audit,
            previews,
            ..
        } = self;
        let blind = view.is_blind();
        let reviewer = settings.reviewer.clone();
        let view_ctx = ViewCtx {
            session,
            items,
            review: review.as_ref(),
            other: other.as_ref(),
            verdicts,
            counts,
            rows: &rows.rows().items,
            rows_generation: rows.generation(),
            rows_busy: rows.is_busy(),
            map,
            thumbnails,
            keys,
            classes,
            own_progress,
            toasts,
            previews,
            audit: audit.as_ref(),
            blind,
            reviewer,
            commands,
        };
        panel::window_ui(ui, &view_ctx, view, settings);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.note_place();
        self.settings.view = self.view.view;
        self.settings.sort = self.view.sort;
        eframe::set_value(storage, "settings", &self.settings);
    }
}
