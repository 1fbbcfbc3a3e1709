//! How does a command take effect? The only place in the window that calls what changes a review.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui;

use crate::audit::{self, About, Plan, Population, plan_path};
use crate::export::{self, ExportInput};
use crate::feature::{self, HandCrafted};
use crate::model::{Subject, Verdict};
use crate::review::query::Query;
use crate::review::{Correction, Review, ReviewError, Step};
use crate::source::{ListOptions, Place};

use super::app::{App, Choosing, OtherReview};
use super::audit::{AuditList, AuditState};
use super::command::Command;
use super::items::Item;
use super::session::Which;
use super::settings::ThemeChoice;
use super::state::{ExportDialog, PictureMode, PlotFile, Question, Queue, SavePlot, Sort, View};

/// A dialog that ends so soon was never there.
const NO_DIALOG: Duration = Duration::from_millis(400);
/// Searches that are kept.
const MOST_SEARCHES: usize = 20;
/// How many similar samples are listed.
const SIMILAR: usize = 200;
/// How much larger everything may be, and by how much at a time.
const ZOOMS: std::ops::RangeInclusive<f32> = 0.5..=3.0;
const ZOOM_STEP: f32 = 1.1;
/// Steps of the thumbnail size, points.
const SIZES: std::ops::RangeInclusive<f32> = 72.0..=256.0;

/// Carries one command out.
pub fn apply(app: &mut App, ctx: &egui::Context, command: Command) {
    if app.view.is_blind() && tells_too_much(&command) {
        app.toast("The audit is blind: this would show more than the picture and its label");
        return;
    }
    match command {
        Command::Open(base, target) => app.open(base.map(place), target.map(place)),
        Command::Dropped(paths) => dropped(app, paths),
        Command::ChooseFolder => choose(app, Choosing::Open, false),
        Command::ChooseFile => choose(app, Choosing::Open, true),
        Command::ChooseBase => choose(app, Choosing::Base, false),
        Command::ChooseContribution => choose(app, Choosing::Contribution, false),
        Command::ChooseFurther => choose(app, Choosing::Further, false),
        Command::AddFurther(path) => {
            app.view.dropped.clear();
            if app.session.add_further(place(path)) {
                app.view.view = View::SideBySide;
                if app.view.queue == Queue::Overview {
                    app.send(Command::Show(Queue::All));
                }
            } else {
                app.toast("Four versions are the most that fit beside each other");
            }
        }
        Command::RemoveFurther(at) => {
            app.session.remove_further(usize::from(at));
            app.forget_pictures();
        }
        Command::SwapVersions => {
            let place = |which| app.session.slot(which).map(|slot| slot.place.clone());
            let (base, target) = (place(Which::Base), place(Which::Target));
            if base.is_some() {
                app.open(target, base);
            }
        }
        Command::Demo => make_demo(app),
        Command::Close => app.open(None, None),
        Command::Decide(verdict) => ask_or_decide(app, verdict),
        Command::RelabelTo(number) => {
            match app.classes().get(usize::from(number).saturating_sub(1)).map(ToString::to_string) {
                Some(class) => ask_or_decide(app, Some(Verdict::Relabel(class))),
                None => app.toast_error(format!("there is no class {number}")),
            }
        }
        Command::ChooseLabel => {
            if app.view.subjects().is_empty() {
                app.toast("Select a sample first");
            } else {
                app.view.choosing_label = Some((String::new(), 0));
            }
        }
        Command::AcceptSuggestion => accept_suggestion(app),
        Command::Confirm => {
            if let Some(Question { verdict, items }) = app.view.question.take() {
                decide(app, &items, verdict);
            }
        }
        Command::Undo => step_back_or_forth(app, false),
        Command::Redo => step_back_or_forth(app, true),
        Command::Move(columns, rows) => move_cursor(app, columns, rows, false),
        Command::Extend(columns, rows) => move_cursor(app, columns, rows, true),
        Command::Page(pages) => {
            let rows = app.view.grid_shape.1.max(2) as i32 - 1;
            move_cursor(app, 0, pages * rows, false);
        }
        Command::End(last) => {
            let item = if last { app.rows().last() } else { app.rows().first() }.copied();
            if let Some(item) = item {
                app.view.focus(item);
            }
        }
        Command::NextUndecided => {
            let after = app.view.cursor;
            if !next_undecided(app, after) {
                app.toast("Nothing undecided is left here");
            }
        }
        Command::SelectAll => {
            for item in app.rows.rows().items.clone().iter() {
                app.view.selection.set(*item, true);
            }
        }
        Command::Focus(item) => app.view.focus(item),
        Command::Show(queue) => {
            if queue != app.view.queue && !app.view.search_typed && !app.view.search.is_empty() {
                app.send(Command::Search(String::new()));
            }
            app.view.queue = queue;
            app.view.audit_list = None;
            app.view.history_to_top = true;
            app.view.cursor = None;
            app.view.selection.clear();
            app.rows_stale = true;
        }
        Command::ShowDoubtful => {
            app.view.sort = Sort::Suspicion;
            app.send(Command::Show(Queue::All));
        }
        Command::SetView(view) => app.view.view = view,
        Command::Search(text) => {
            app.view.query = Query::parse(&text).map(|query| query.prefer_exact(app.classes()));
            app.view.search_typed &= !text.is_empty();
            app.view.search = text;
            if app.view.queue == Queue::Overview && !app.view.search.trim().is_empty() {
                app.view.queue = Queue::All;
            }
            app.rows_stale |= app.view.query.is_ok();
        }
        Command::FocusSearch => app.view.focus_search = true,
        Command::ToggleClass(class) => {
            let same = app.view.class_filter.as_deref() == Some(class.as_str());
            app.view.class_filter = (!same).then_some(class);
            if app.view.queue == Queue::Overview {
                app.view.queue = Queue::All;
            }
            app.rows_stale = true;
        }
        Command::FilterProblems(filter) => {
            app.view.problem = filter;
            app.view.queue = Queue::Problems;
            app.view.cursor = None;
            app.view.selection.clear();
            app.rows_stale = true;
        }
        Command::Blink => toggle_picture(app, PictureMode::Counterpart),
        Command::Difference => toggle_picture(app, PictureMode::Difference),
        Command::Both => toggle_picture(app, PictureMode::Both),
        Command::Swipe => toggle_picture(app, PictureMode::Swipe),
        // With reduced motion the one who looks makes it blink.
        Command::BlinkByItself if app.settings.reduced_motion => {
            toggle_picture(app, PictureMode::Counterpart);
        }
        Command::BlinkByItself => toggle_picture(app, PictureMode::Blink),
        Command::Gain(step) => {
            let gain = i32::from(app.view.gain.ilog2() as u8) + step;
            app.view.gain = 1 << gain.clamp(0, 5);
            if app.view.picture != PictureMode::Difference {
                toggle_picture(app, PictureMode::Difference);
            }
        }
        Command::DecideCluster(at, verdict) => {
            let members = cluster_members(app, at);
            if !members.is_empty() {
                app.view.question = Some(Question { verdict: Some(verdict), items: members });
            }
        }
        Command::AskDismiss(at) => app.view.dismissing = Some((at, String::new())),
        Command::Dismiss => dismiss(app),
        Command::AskTakeBack(step, count) => app.view.taking_back = Some((step, count)),
        Command::TakeBack(step) => {
            app.view.taking_back = None;
            take_back(app, step);
        }
        Command::ChooseReview => choose(app, Choosing::Review, true),
        Command::CompareWith(path) => compare_with(app, &path),
        Command::CloseOther => {
            app.other = None;
            if app.view.queue == Queue::Conflicts {
                app.send(Command::Show(Queue::History));
            }
        }
        Command::TakeOver => {
            let theirs = app.other.as_ref().map(|other| other.comparison.only_other.clone());
            take_over(app, &theirs.unwrap_or_default());
        }
        Command::TakeTheirs => take_theirs(app),
        Command::Palette => app.view.palette = Some((String::new(), 0)),
        Command::ToggleSavedSearch(text) => {
            let searches = &mut app.settings.searches;
            if searches.contains(&text) {
                searches.retain(|search| *search != text);
            } else if !text.trim().is_empty() {
                searches.insert(0, text);
                searches.truncate(MOST_SEARCHES);
            }
        }
        Command::KeepOne => keep_one(app),
        Command::FindSimilar => find_similar(app),
        Command::DrawAudit => draw_audit(app),
        Command::NewAudit(on) => app.view.audit_form.again = on,
        Command::ShowAudit(list) => show_audit(app, list),
        Command::ShowSelection => {
            let selected: Vec<Item> = app.view.selection.iter().collect();
            if selected.is_empty() {
                app.toast("Select samples first");
            } else {
                app.view.chosen = selected;
                app.view.queue = Queue::Chosen;
                app.view.cursor = None;
                app.view.selection.clear();
                app.rows_stale = true;
            }
        }
        Command::Lasso => {
            app.view.map.lasso = !app.view.map.lasso;
            app.view.map.path.clear();
        }
        Command::FitMap => app.view.map.fit(),
        Command::DrawMap => app.map.resume(),
        Command::ChoosePlotPath(plot, file) => choose(app, Choosing::Plot(plot, file), false),
        Command::SavePlot(plot, file, path) => {
            app.view.queue = Queue::Overview;
            app.view.saving = Some(SavePlot { plot, file, path, frames: 0 });
        }
        Command::WritePlot(path, bytes) => {
            app.plot_file = Some(app.session.pool().start("plot", move |_| {
                export::write_atomically(&path, &bytes).map_err(|e| e.to_string())?;
                Ok(path)
            }));
        }
        Command::WritePicture(path, part) => app.part.ask(ctx, path, part),
        Command::FullScreen => app.view.full_screen = !app.view.full_screen && app.view.cursor.is_some(),
        Command::Export => open_export(app),
        Command::RunExport => run_export(app),
        Command::ChooseExportPath => choose(app, Choosing::Export, false),
        Command::MatchClasses => {
            app.session.accept_class_map();
            app.rows_stale = true;
        }
        Command::KeepClassesApart => app.session.dismiss_class_map(),
        Command::CancelWork => {
            app.session.cancel();
            app.map.cancel();
            for task in [
                app.demo.as_ref().map(|job| &job.task),
                app.similar.as_ref().map(|job| &job.task),
                app.export.as_ref().map(|job| &job.task),
            ]
            .into_iter()
            .flatten()
            {
                task.cancel();
            }
        }
        Command::ResumeWork => {
            app.session.resume();
            app.map.resume();
        }
        Command::Help => app.view.help = !app.view.help,
        Command::CycleTheme => {
            app.settings.theme = match app.settings.theme {
                ThemeChoice::System => ThemeChoice::Light,
                ThemeChoice::Light => ThemeChoice::Dark,
                ThemeChoice::Dark => ThemeChoice::System,
            };
            app.settings_dirty = true;
            let theme = app.settings.theme;
            app.toast(format!("Theme: {}", format!("{theme:?}").to_lowercase()));
        }
        Command::ToggleAdvance => {
            app.settings.auto_advance = !app.settings.auto_advance;
            let on = if app.settings.auto_advance { "on" } else { "off" };
            app.toast(format!("Move on after a verdict: {on}"));
        }
        Command::Resize(step) if app.view.queue == Queue::Map => app.view.map.zoom_by(1.3_f32.powi(step)),
        Command::Resize(step) => {
            let size = app.settings.thumbnail_size * 1.15_f32.powi(step);
            app.settings.thumbnail_size = size.clamp(*SIZES.start(), *SIZES.end());
        }
        Command::Zoom(step) => {
            let zoom = if step == 0 { 1.0 } else { app.settings.zoom * ZOOM_STEP.powi(step) };
            app.settings.zoom = zoom.clamp(*ZOOMS.start(), *ZOOMS.end());
            app.settings_dirty = true;
            app.toast(format!("Size of everything: {:.0} %", 100.0 * app.settings.zoom));
        }
        Command::ToggleMotion => {
            app.settings.reduced_motion = !app.settings.reduced_motion;
            app.settings_dirty = true;
            let on = if app.settings.reduced_motion { "on" } else { "off" };
            app.toast(format!("Reduced motion: {on}"));
        }
        Command::CopyPath => match app.view.cursor {
            Some(item) => {
                let path = app.file_of(item).map(|path| path.display().to_string());
                ctx.copy_text(path.unwrap_or_else(|| app.items.key(item).to_owned()));
                app.toast("Copied");
            }
            None => app.toast("Select a sample first"),
        },
        Command::OpenSample => match app.view.cursor.map(|item| app.file_of(item)) {
            Some(Some(path)) => app.send(Command::OpenFile(path)),
            Some(None) => app.toast("This picture is no file of its own"),
            None => app.toast("Select a sample first"),
        },
        Command::Escape => escape(app),
        Command::Copy(text) => {
            ctx.copy_text(text);
            app.toast("Copied");
        }
        Command::OpenFile(path) => ctx.open_url(egui::OpenUrl::new_tab(format!("file://{}", path.display()))),
    }
}

/// Takes what the window's own jobs have brought.
pub fn receive_jobs(app: &mut App) {
    if let Some((choosing, since, outcome)) =
        app.dialog.as_ref().and_then(|(choosing, since, job)| Some((*choosing, *since, job.poll()?)))
    {
        app.dialog = None;
        match outcome {
            Ok(Some(path)) => chosen(app, choosing, path),
            Ok(None) if since.elapsed() < NO_DIALOG => app.toast_error(
                "No file dialog could be opened: it takes xdg-desktop-portal or zenity. Type the path, or drop the file or folder on the window",
            ),
            Ok(None) => {}
            Err(error) => app.toast_error(error.to_string()),
        }
    }
    if let Some(outcome) = app.demo.as_ref().and_then(crate::task::Job::poll) {
        app.demo = None;
        match outcome {
            Ok(Ok(pair)) => app.open(Some(place(pair.base)), Some(place(pair.contribution))),
            Ok(Err(message)) => app.toast_error(message),
            Err(error) => app.toast_error(error.to_string()),
        }
    }
    if let Some(outcome) = app.similar.as_ref().and_then(crate::task::Job::poll) {
        app.similar = None;
        match outcome {
            Ok(Ok(items)) => {
                app.view.similar = items;
                app.view.queue = Queue::Similar;
                app.view.class_filter = None;
                app.rows_stale = true;
            }
            Ok(Err(message)) => app.toast_error(message),
            Err(error) => app.toast_error(error.to_string()),
        }
    }
    if let Some(outcome) = app.audit_job.as_ref().and_then(crate::task::Job::poll) {
        app.audit_job = None;
        match outcome {
            Ok(Ok(Some((path, plan)))) => {
                app.view.audit_form.again = false;
                app.set_audit(AuditState::new(path, plan));
            }
            Ok(Ok(None)) => {}
            Ok(Err(message)) => app.toast_error(message),
            Err(error) => app.toast_error(error.to_string()),
        }
    }
    if let Some(outcome) = app.plot_file.as_ref().and_then(crate::task::Job::poll) {
        app.plot_file = None;
        match outcome {
            Ok(Ok(path)) => app.toast(format!("Saved {}", path.display())),
            Ok(Err(message)) => app.toast_error(message),
            Err(error) => app.toast_error(error.to_string()),
        }
    }
    if let Some(outcome) = app.export.as_ref().and_then(crate::task::Job::poll) {
        app.export = None;
        match outcome {
            Ok(Ok(path)) => {
                app.view.export = None;
                app.toast(format!("Exported to {}", path.display()));
            }
            Ok(Err(message)) => match &mut app.view.export {
                Some(dialog) => dialog.error = Some(message),
                None => app.toast_error(message),
            },
            Err(error) => app.toast_error(error.to_string()),
        }
    }
}

fn place(path: PathBuf) -> Place {
    Place { path, kind: None, list: ListOptions::default() }
}

fn dropped(app: &mut App, mut paths: Vec<PathBuf>) {
    // A review on an open dataset is somebody else's.
    let is_review = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sparrowhawk");
    if let [path] = &paths[..]
        && is_review(path)
    {
        compare_with(app, &path.clone());
        return;
    }
    paths.truncate(2);
    match (paths.len(), app.session.target().is_some()) {
        (2, _) => {
            let contribution = paths.pop();
            app.open(paths.pop().map(place), contribution.map(place));
        }
        (1, false) => app.open(None, paths.pop().map(place)),
        _ => app.view.dropped = paths,
    }
}

fn choose(app: &mut App, choosing: Choosing, file: bool) {
    if app.dialog.is_some() {
        return;
    }
    let suggested = app.view.export.as_ref().map(|dialog| PathBuf::from(&dialog.path));
    let job = app.session.pool().start("dialog", move |_| {
        let dialog = rfd::FileDialog::new();
        match choosing {
            Choosing::Export => {
                let name =
                    suggested.as_ref().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
                dialog.set_title("Export corrections").set_file_name(name.unwrap_or_default()).save_file()
            }
            Choosing::Review => dialog
                .set_title("Compare with another review")
                .add_filter("Reviews", &["sparrowhawk"])
                .add_filter("All files", &["*"])
                .pick_file(),
            Choosing::Plot(plot, file) => {
                let (kind, extension) = match file {
                    PlotFile::Picture => ("Picture", "png"),
                    PlotFile::Data => ("Table", "csv"),
                };
                dialog
                    .set_title("Save plot")
                    .set_file_name(format!("{plot}.{extension}"))
                    .add_filter(kind, &[extension])
                    .save_file()
            }
            _ if file => dialog
                .set_title("Open a list of pictures")
                .add_filter("Lists", &["csv", "tsv", "jsonl"])
                .add_filter("All files", &["*"])
                .pick_file(),
            Choosing::Open => dialog.set_title("Open a dataset folder").pick_folder(),
            Choosing::Base => dialog.set_title("Choose the trusted base").pick_folder(),
            Choosing::Contribution => dialog.set_title("Choose the contribution").pick_folder(),
            Choosing::Further => dialog.set_title("Choose a further version").pick_folder(),
        }
    });
    app.dialog = Some((choosing, Instant::now(), job));
}

fn chosen(app: &mut App, choosing: Choosing, path: PathBuf) {
    let now = app.session.target().map(|slot| slot.place.clone());
    match choosing {
        Choosing::Open => app.open(None, Some(place(path))),
        Choosing::Base => app.open(Some(place(path)), now),
        Choosing::Contribution => app.open(now, Some(place(path))),
        Choosing::Further => app.send(Command::AddFurther(path)),
        Choosing::Review => app.send(Command::CompareWith(path)),
        Choosing::Plot(plot, file) => app.send(Command::SavePlot(plot, file, path)),
        Choosing::Export => {
            if let Some(dialog) = &mut app.view.export {
                dialog.path = path.to_string_lossy().into_owned();
            }
        }
    }
}

fn make_demo(app: &mut App) {
    if app.demo.is_some() {
        return;
    }
    let folder = crate::demo::default_folder();
    app.demo = Some(app.session.pool().start("demo", move |task| {
        crate::demo::make(&folder, crate::demo::SEED, task).map_err(|error| error.to_string())
    }));
}

fn ask_or_decide(app: &mut App, verdict: Option<Verdict>) {
    let items = app.view.subjects();
    match items.len() {
        0 => app.toast("Select a sample first"),
        1 => decide(app, &items, verdict),
        _ => app.view.question = Some(Question { verdict, items }),
    }
}

fn accept_suggestion(app: &mut App) {
    let suggestion = app
        .view
        .cursor
        .and_then(|cursor| app.items.ranked(cursor))
        .and_then(|ranked| ranked.signals.iter().find_map(|signal| signal.suggested.as_ref()))
        .map(|suggested| suggested.label.clone());
    match suggestion {
        Some(label) => ask_or_decide(app, Some(Verdict::Relabel(label))),
        None => app.toast("No class is suggested for this sample"),
    }
}

/// Why a verdict makes no sense for an item, if it does not.
fn objection(app: &App, item: Item, verdict: Option<&Verdict>) -> Option<&'static str> {
    let removed = app.items.place(item).0 == Which::Base;
    let change = app.items.change(item);
    match verdict {
        Some(Verdict::Revert) if change.is_none() => Some("there is no change to revert"),
        Some(Verdict::Relabel(_) | Verdict::Exclude) if removed => {
            Some("a removed sample can be kept out (keep) or brought back (revert)")
        }
        _ => None,
    }
}

fn decide(app: &mut App, items: &[Item], verdict: Option<Verdict>) {
    let mut subjects: Vec<Subject> = Vec::with_capacity(items.len());
    let mut refused = None;
    for item in items {
        if let Some(why) = objection(app, *item, verdict.as_ref()) {
            refused = Some(why);
            continue;
        }
        match app.items.subject(*item) {
            Some(subject) => subjects.push(subject),
            None if app.session.is_busy() => {
                refused = Some("its file has not been read yet; try again in a moment");
            }
            None => refused = Some("its file cannot be read"),
        }
    }
    if let Some(why) = refused {
        let count = items.len() - subjects.len();
        app.toast_error(if items.len() == 1 {
            format!("Not decided: {why}")
        } else {
            format!("{count} not decided: {why}")
        });
    }
    if subjects.is_empty() {
        return;
    }
    let spelt = verdict.map(|verdict| match verdict {
        Verdict::Relabel(class) => Verdict::Relabel(
            app.items
                .target
                .as_ref()
                .map_or_else(|| class.clone(), |version| version.spelling_of_class(&class)),
        ),
        other => other,
    });
    // A relabelling to the label it has says that the label is right.
    let same = matches!(&spelt, Some(Verdict::Relabel(class))
        if subjects.iter().all(|subject| subject.label.as_deref() == Some(class.as_str())));
    let spelt = if same { Some(Verdict::Keep) } else { spelt };
    let note = std::mem::take(&mut app.view.note);
    let reviewer = app.settings.reviewer.clone();
    let Some(review) = &mut app.review else {
        app.toast_error("Not decided: no review file is open");
        return;
    };
    match review.decide(&subjects, spelt.as_ref(), &note, &reviewer) {
        Ok(step) => {
            after_step(app, &step);
            if items.len() > 1 {
                app.toast(format!("{} saved", step.summary));
            }
            if app.settings.auto_advance {
                let last = items.last().copied();
                if !next_undecided(app, last) && items.len() == 1 {
                    app.toast("Everything here is decided");
                }
            }
        }
        Err(error) => {
            app.view.note = note;
            app.toast_error(error.to_string());
        }
    }
}

fn cluster_members(app: &App, at: u16) -> Vec<Item> {
    let cluster = app.items.scan.as_ref().and_then(|scan| scan.clusters.get(usize::from(at)));
    let members = cluster.map(|cluster| cluster.members.as_slice()).unwrap_or_default();
    members.iter().map(|member| app.items.item(Which::Target, member.row as usize)).collect()
}

/// Remembers that a cluster is no trigger.
fn dismiss(app: &mut App) {
    let Some((at, reason)) = app.view.dismissing.take() else { return };
    let members: Vec<_> =
        cluster_members(app, at).into_iter().filter_map(|item| app.items.hash(item)).collect();
    let reviewer = app.settings.reviewer.clone();
    let Some(review) = app.review.as_mut().filter(|_| !members.is_empty()) else {
        app.toast_error("Not remembered: no review file is open");
        return;
    };
    match review.dismiss(&members, reason.trim(), &reviewer) {
        Ok(step) => {
            after_step(app, &step);
            app.rows_stale = true;
            app.toast("Remembered: not a trigger. Undo takes it back");
        }
        Err(error) => {
            app.view.dismissing = Some((at, reason));
            app.toast_error(error.to_string());
        }
    }
}

fn take_back(app: &mut App, step: i64) {
    let reviewer = app.settings.reviewer.clone();
    let Some(review) = &mut app.review else { return };
    match review.take_back(step, &reviewer) {
        Ok(Some(step)) => {
            after_step(app, &step);
            app.rows_stale = true;
            app.toast(format!("Taken back: {} sample{} as before", step.keys.len(), plural(step.keys.len())));
        }
        Ok(None) => app.toast("Nothing of that step is in force any more"),
        Err(error) => app.toast_error(error.to_string()),
    }
}

fn compare_with(app: &mut App, path: &std::path::Path) {
    let Some(own) = &app.review else {
        app.toast("Open a dataset first: its review is compared with the other one");
        return;
    };
    match Review::read(path) {
        Ok(review) => {
            let comparison = own.compare(&review);
            let is_about_nothing_here =
                comparison.same + comparison.conflicts.len() + comparison.only_other.len() == 0;
            let revision = own.revision();
            app.other = Some(OtherReview { review, comparison, revision });
            app.view.queue = Queue::History;
            app.rows_stale = true;
            if is_about_nothing_here {
                app.toast("The other review holds no verdict");
            }
        }
        Err(error) => app.toast_error(error.to_string()),
    }
}

/// Takes verdicts of the other review over, as one step.
fn take_over(app: &mut App, theirs: &[Correction]) {
    let reviewer = app.settings.reviewer.clone();
    let Some(review) = app.review.as_mut().filter(|_| !theirs.is_empty()) else {
        app.toast("There is nothing to take over");
        return;
    };
    match review.take_over(theirs, &reviewer) {
        Ok(step) => {
            after_step(app, &step);
            app.toast(format!("Taken over: {}", step.summary));
        }
        Err(error) => app.toast_error(error.to_string()),
    }
}

fn take_theirs(app: &mut App) {
    let Some(other) = &app.other else {
        app.toast("Compare with another review first");
        return;
    };
    let keys: Vec<&str> = app.view.subjects().into_iter().map(|item| app.items.key(item)).collect();
    let conflicts = other.comparison.conflicts.iter().map(|conflict| &conflict.other);
    let theirs: Vec<Correction> = conflicts
        .chain(&other.comparison.only_other)
        .filter(|correction| keys.contains(&correction.subject.key.as_str()))
        .cloned()
        .collect();
    take_over(app, &theirs);
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Keeps the sample under the cursor and excludes the others that show its picture; what the base has is not touched.
fn keep_one(app: &mut App) {
    let Some((cursor, group)) = app.view.cursor.and_then(|item| Some((item, app.items.group_of(item)?)))
    else {
        app.toast("This sample has no duplicate");
        return;
    };
    let mut rows: Vec<(Subject, Option<Verdict>)> = Vec::new();
    for member in group.members.iter().filter(|member| !member.in_base) {
        let item = app.items.item(Which::Target, member.row as usize);
        let verdict = if item == cursor { Verdict::Keep } else { Verdict::Exclude };
        match app.items.subject(item) {
            Some(subject) => {
                let now = app.review.as_ref().and_then(|review| review.in_force(&subject.key, &subject.hash));
                if now.is_none_or(|now| now.verdict.as_ref() != Some(&verdict)) {
                    rows.push((subject, Some(verdict)));
                }
            }
            None => {
                app.toast_error("Not decided: a file of this group has not been read");
                return;
            }
        }
    }
    let last = group.members.iter().rfind(|member| !member.in_base).map(|member| member.row);
    let (note, reviewer) = (std::mem::take(&mut app.view.note), app.settings.reviewer.clone());
    let Some(review) = app.review.as_mut().filter(|_| !rows.is_empty()) else {
        app.toast("Nothing to decide: it is so already, or only the base has these");
        return;
    };
    match review.decide_each(rows, &note, &reviewer) {
        Ok(step) => {
            after_step(app, &step);
            app.toast(format!("Kept one: {}", step.summary));
            if app.settings.auto_advance {
                let last = last.map(|row| app.items.item(Which::Target, row as usize));
                if !next_undecided(app, last) {
                    app.toast("Everything here is decided");
                }
            }
        }
        Err(error) => {
            app.view.note = note;
            app.toast_error(error.to_string());
        }
    }
}

fn after_step(app: &mut App, step: &Step) {
    if let Some(review) = &app.review {
        app.verdicts.update(&app.items, review, &step.keys);
    }
    app.read_audit();
    let asks_for_verdicts = app.view.queue == Queue::Decided || app.view.search.contains("decision:");
    app.rows_stale |= asks_for_verdicts;
}

fn step_back_or_forth(app: &mut App, forth: bool) {
    let reviewer = app.settings.reviewer.clone();
    let Some(review) = &mut app.review else { return };
    let act: fn(&mut Review, &str) -> Result<Option<Step>, ReviewError> =
        if forth { Review::redo } else { Review::undo };
    match act(review, &reviewer) {
        Ok(Some(step)) => {
            after_step(app, &step);
            let word = if forth { "Redone" } else { "Undone" };
            app.toast(format!("{word}: {}", step.summary));
            let first = step
                .keys
                .first()
                .and_then(|key| app.rows().iter().copied().find(|item| app.items.key(*item) == key.as_str()));
            if let Some(item) = first {
                app.view.focus(item);
            }
        }
        Ok(None) => app.toast(if forth { "Nothing to redo" } else { "Nothing to undo" }),
        Err(error) => app.toast_error(error.to_string()),
    }
}

/// Puts the cursor on the first sample without a verdict after `after`, from the beginning where there is none after it.
fn next_undecided(app: &mut App, after: Option<Item>) -> bool {
    let rows = app.rows.rows().items.clone();
    let start = after.and_then(|item| rows.iter().position(|row| *row == item)).map_or(0, |at| at + 1);
    // What only the base has, and the contribution did not touch, is not up for a decision.
    let open = |item: Item| app.items.place(item).0 == Which::Target || app.items.change(item).is_some();
    let undecided = |item: &&Item| open(**item) && !app.is_decided(**item);
    let found =
        rows[start..].iter().find(undecided).or_else(|| rows[..start].iter().find(undecided)).copied();
    if let Some(item) = found {
        app.view.focus(item);
    }
    found.is_some()
}

fn move_cursor(app: &mut App, columns: i32, rows: i32, extend: bool) {
    let list = app.rows.rows().items.clone();
    if list.is_empty() {
        return;
    }
    let now = app.view.cursor.and_then(|cursor| list.iter().position(|item| *item == cursor));
    let width = app.view.grid_shape.0.max(1) as i64;
    let step = i64::from(columns) + i64::from(rows) * width;
    let at = match now {
        None => 0,
        Some(at) => (at as i64 + step).clamp(0, list.len() as i64 - 1) as usize,
    };
    let item = list[at];
    if !extend {
        app.view.focus(item);
        return;
    }
    let anchor = app.view.anchor.unwrap_or(item);
    let from = list.iter().position(|row| *row == anchor).unwrap_or(at);
    app.view.focus(item);
    app.view.anchor = Some(anchor);
    for row in &list[from.min(at)..=from.max(at)] {
        app.view.selection.set(*row, true);
    }
}

fn toggle_picture(app: &mut App, mode: PictureMode) {
    let Some(cursor) = app.view.cursor else {
        app.toast("Select a sample first");
        return;
    };
    if app.items.counterpart(cursor).is_none() {
        app.toast("The base has no counterpart of this sample");
    } else if app.view.picture == mode {
        app.view.picture = PictureMode::Plain;
    } else {
        app.view.picture = mode;
    }
}

fn find_similar(app: &mut App) {
    let Some((which, row)) = app.view.cursor.map(|cursor| app.items.place(cursor)) else {
        app.toast("Select a sample first");
        return;
    };
    let whole = |which| {
        let slot = app.session.slot(which)?;
        Some((slot.dataset.clone()?, slot.fingerprints.clone()?))
    };
    let (Some((dataset, prints)), Some((own_dataset, own_prints))) = (whole(Which::Target), whole(which))
    else {
        app.toast("The files have not been read yet; try again in a moment");
        return;
    };
    let cache = app.session.cache().clone();
    app.similar = Some(app.session.pool().start("similar", move |task| {
        let embed = |dataset, prints, rows| {
            feature::embed(dataset, prints, rows, &HandCrafted, &cache, task).map_err(|e| e.to_string())
        };
        let embeddings = embed(&dataset, &prints, None)?;
        // What is like a picture of the base is looked for in the version under review too.
        let found = match which {
            Which::Target => feature::most_similar(&embeddings, row as u32, SIMILAR),
            Which::Base | Which::Further(_) => {
                let own = embed(&own_dataset, &own_prints, Some(&[row as u32]))?;
                feature::most_similar_to(&embeddings, &own, SIMILAR)
            }
        };
        found
            .map(|rows| rows.into_iter().map(Item).collect())
            .ok_or_else(|| "this picture could not be decoded".to_owned())
    }));
}

/// Whether a command would show what a blind list hides.
fn tells_too_much(command: &Command) -> bool {
    matches!(
        command,
        Command::AcceptSuggestion
            | Command::FindSimilar
            | Command::Blink
            | Command::Difference
            | Command::Both
            | Command::Swipe
            | Command::BlinkByItself
            | Command::Gain(_)
            | Command::KeepOne
            | Command::TakeTheirs
    )
}

fn show_audit(app: &mut App, list: AuditList) {
    let Some(audit) = &app.audit else {
        app.toast("Draw a sample first");
        return;
    };
    app.view.audit_rows = audit.rows(list);
    app.view.queue = Queue::Audit;
    app.view.audit_list = Some(list);
    app.view.picture = PictureMode::Plain;
    // What was filtered elsewhere would leave samples out of the estimate.
    app.view.class_filter = None;
    app.view.search.clear();
    app.view.query = Ok(Query::default());
    app.view.cursor = None;
    app.view.selection.clear();
    app.rows_stale = true;
}

/// Draws on a worker, and writes the plan beside the review; the plan that was there is kept under another name.
fn draw_audit(app: &mut App) {
    if app.audit_job.is_some() {
        return;
    }
    let slot = app.session.slot(Which::Target);
    let parts = slot.and_then(|s| Some((s.version()?.clone(), s.fingerprints.clone()?, s.pin?)));
    let Some((version, prints, pin)) = parts else {
        app.toast("The files have not been read yet; try again in a moment");
        return;
    };
    let Some(review) = &app.review else {
        app.toast_error("There is no review file to keep the plan beside");
        return;
    };
    let path = plan_path(review.path());
    let about = About {
        source: version.source().clone(),
        base: review.about().base.clone(),
        pin,
        after: review.revision(),
        date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let known = audit::known_from_review(&review.corrections());
    let design = app.view.audit_form.design();
    app.audit_job = Some(app.session.pool().start("audit", move |task| {
        let population = Population { version: &version, hashes: &prints.hashes };
        let plan: Plan =
            audit::draw(population, &design, &known, about, task).map_err(|error| error.to_string())?;
        audit::set_aside(&path)
            .map_err(|error| format!("the plan so far cannot be kept under another name: {error}"))?;
        plan.write(&path).map_err(|error| error.to_string())?;
        Ok(Some((path, plan)))
    }));
}

fn open_export(app: &mut App) {
    let Some(review) = &app.review else {
        app.toast("Open a dataset and decide something first");
        return;
    };
    let known = export::EXPORTERS.iter().find(|exporter| exporter.id() == app.settings.export_format);
    let exporter = *known.unwrap_or(&export::EXPORTERS[0]);
    let folder = review.path().parent().map(std::path::Path::to_owned).unwrap_or_default();
    let name = app.session.target().and_then(|s| s.version()).map_or("dataset", |version| version.name());
    let path = folder.join(format!("{name}-corrections.{}", exporter.extension()));
    app.view.export =
        Some(ExportDialog { format: exporter.id(), path: path.to_string_lossy().into_owned(), error: None });
}

/// Writes the export that the dialog describes.
fn run_export(app: &mut App) {
    let (Some(dialog), Some(review)) = (&app.view.export, &app.review) else { return };
    let path = PathBuf::from(dialog.path.trim());
    app.settings.export_format = dialog.format.to_owned();
    let (format, about, corrections) = (dialog.format, review.about().clone(), review.corrections());
    app.export = Some(app.session.pool().start("export", move |_| {
        let input = ExportInput { about: &about, corrections: &corrections };
        let bytes = export::exporter(format).and_then(|e| e.render(&input)).map_err(|e| e.to_string())?;
        export::write_atomically(&path, &bytes).map_err(|e| e.to_string())?;
        Ok(path)
    }));
}

fn escape(app: &mut App) {
    let view = &mut app.view;
    if view.question.is_some() {
        view.question = None;
    } else if view.palette.is_some() {
        view.palette = None;
    } else if view.choosing_label.is_some() {
        view.choosing_label = None;
    } else if view.taking_back.is_some() {
        view.taking_back = None;
    } else if view.dismissing.is_some() {
        view.dismissing = None;
    } else if view.export.is_some() {
        view.export = None;
    } else if view.help {
        view.help = false;
    } else if !view.dropped.is_empty() {
        view.dropped.clear();
    } else if view.full_screen {
        view.full_screen = false;
    } else if view.picture != PictureMode::Plain {
        view.picture = PictureMode::Plain;
    } else if view.selection.len() > 1 {
        let cursor = view.cursor;
        view.selection.clear();
        if let Some(cursor) = cursor {
            view.selection.set(cursor, true);
        }
    } else if view.class_filter.is_some() || !view.search.is_empty() {
        view.class_filter = None;
        view.search.clear();
        view.query = Ok(Query::default());
        app.rows_stale = true;
    }
}
