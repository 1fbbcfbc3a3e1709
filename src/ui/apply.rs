//! How does a command take effect? The only place in the window that calls what changes a review.

use std::path::PathBuf;

use eframe::egui;

use crate::export::{self, ExportInput};
use crate::feature::{self, HandCrafted};
use crate::model::{Subject, Verdict};
use crate::review::query::Query;
use crate::review::{Review, ReviewError, Step};
use crate::source::{ListOptions, Place};

use super::app::{App, Choosing};
use super::command::Command;
use super::items::Item;
use super::session::Which;
use super::settings::ThemeChoice;
use super::state::{ExportDialog, PictureMode, PlotFile, Question, Queue, SavePlot};

/// How many similar samples are listed.
const SIMILAR: usize = 200;
/// Steps of the thumbnail size, points.
const SIZES: std::ops::RangeInclusive<f32> = 72.0..=256.0;

/// Carries one command out.
pub fn apply(app: &mut App, ctx: &egui::Context, command: Command) {
    match command {
        Command::Open(base, target) => app.open(base.map(place), target.map(place)),
        Command::Dropped(paths) => dropped(app, paths),
        Command::ChooseFolder => choose(app, Choosing::Open, false),
        Command::ChooseFile => choose(app, Choosing::Open, true),
        Command::ChooseBase => choose(app, Choosing::Base, false),
        Command::ChooseContribution => choose(app, Choosing::Contribution, false),
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
            app.view.queue = queue;
            app.view.cursor = None;
            app.view.selection.clear();
            app.rows_stale = true;
        }
        Command::SetView(view) => app.view.view = view,
        Command::Search(text) => {
            app.view.query = Query::parse(&text).map(|query| query.prefer_exact(app.classes()));
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
        Command::Blink => toggle_picture(app, PictureMode::Counterpart),
        Command::Difference => toggle_picture(app, PictureMode::Difference),
        Command::Both => toggle_picture(app, PictureMode::Both),
        Command::Swipe => toggle_picture(app, PictureMode::Swipe),
        Command::BlinkByItself => toggle_picture(app, PictureMode::Blink),
        Command::Gain(step) => {
            let gain = i32::from(app.view.gain.ilog2() as u8) + step;
            app.view.gain = 1 << gain.clamp(0, 5);
            if app.view.picture != PictureMode::Difference {
                toggle_picture(app, PictureMode::Difference);
            }
        }
        Command::FindSimilar => find_similar(app),
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
    if let Some((choosing, outcome)) =
        app.dialog.as_ref().and_then(|(choosing, job)| job.poll().map(|outcome| (*choosing, outcome)))
    {
        app.dialog = None;
        match outcome {
            Ok(Some(path)) => chosen(app, choosing, path),
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
        }
    });
    app.dialog = Some((choosing, job));
}

fn chosen(app: &mut App, choosing: Choosing, path: PathBuf) {
    let now = app.session.target().map(|slot| slot.place.clone());
    match choosing {
        Choosing::Open => app.open(None, Some(place(path))),
        Choosing::Base => app.open(Some(place(path)), now),
        Choosing::Contribution => app.open(now, Some(place(path))),
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

fn after_step(app: &mut App, step: &Step) {
    if let Some(review) = &app.review {
        app.verdicts.update(&app.items, review, &step.keys);
    }
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
    let undecided = |item: &&Item| !app.verdicts.is_decided(**item);
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
    let has = app.view.cursor.and_then(|cursor| app.items.counterpart(cursor)).is_some();
    if !has {
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
            Which::Base => {
                let own = embed(&own_dataset, &own_prints, Some(&[row as u32]))?;
                feature::most_similar_to(&embeddings, &own, SIMILAR)
            }
        };
        found
            .map(|rows| rows.into_iter().map(Item).collect())
            .ok_or_else(|| "this picture could not be decoded".to_owned())
    }));
}

fn open_export(app: &mut App) {
    let Some(review) = &app.review else {
        app.toast("Open a dataset and decide something first");
        return;
    };
    let exporter = export::EXPORTERS[0];
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
    } else if view.choosing_label.is_some() {
        view.choosing_label = None;
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
