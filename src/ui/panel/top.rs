//! What is open, what is asked for, what is being computed?

use eframe::egui::{self, Align, Layout, RichText};

use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::input::search_id;
use crate::ui::session::{MOST_FURTHER, Slot, Which};
use crate::ui::settings::Settings;
use crate::ui::state::ViewState;
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::{grouped, icon_button, name_field};

/// The bar on top: versions, search, progress, actions.
pub fn top_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    ui.horizontal(|ui| {
        ui.set_min_height(30.0);
        open_menu_ui(ui, ctx);
        version_strip_ui(ui, ctx);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = ctx.tip("All keys", &Command::Help);
            if icon_button(ui, icon::KEYBOARD, "Keys", &tip).clicked() {
                ctx.send(Command::Help);
            }
            let theme_icon = if ui.visuals().dark_mode { icon::MOON } else { icon::SUN };
            let tip = ctx.tip("Dark, light or system theme", &Command::CycleTheme);
            if icon_button(ui, theme_icon, "Theme", &tip).clicked() {
                ctx.send(Command::CycleTheme);
            }
            if ctx.session.target().is_some() {
                let tip = ctx.tip("Export corrections", &Command::Export);
                if ui.button(format!("{}  Export…", icon::EXPORT)).on_hover_text(tip).clicked() {
                    ctx.send(Command::Export);
                }
            }
            progress_ui(ui, ctx);
            if ctx.session.target().is_some() {
                search_ui(ui, ctx, view, settings);
            }
        });
    });
}

fn open_menu_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let title = format!("{}  Open", icon::FOLDER_OPEN);
    ui.menu_button(title, |ui| {
        let mut entry = |icon: &str, text: &str, command: Command| {
            let key = ctx.keys.hint(&command);
            let button = egui::Button::new(format!("{icon}  {text}")).shortcut_text(key);
            if ui.add(button).clicked() {
                ctx.send(command);
                ui.close();
            }
        };
        entry(icon::FOLDER_OPEN, "Open a folder…", Command::ChooseFolder);
        entry(icon::FILE_PLUS, "Open a list…", Command::ChooseFile);
        if ctx.session.target().is_some() {
            entry(icon::SHIELD_CHECK, "Choose a base to compare with…", Command::ChooseBase);
            entry(icon::GIT_PULL_REQUEST, "Compare with a contribution…", Command::ChooseContribution);
        }
        if ctx.session.target().is_some() && ctx.session.further().count() < MOST_FURTHER {
            entry(icon::COLUMNS, "Look at a further version beside…", Command::ChooseFurther);
        }
        if ctx.session.base().is_some() {
            entry(icon::SWAP, "Swap base and contribution", Command::SwapVersions);
        }
        entry(icon::BIRD, "Try the demo", Command::Demo);
        if ctx.session.target().is_some() {
            entry(icon::X, "Close", Command::Close);
        }
    });
}

fn version_strip_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let pair = ctx.session.base().is_some();
    if let Some(slot) = ctx.session.slot(Which::Base) {
        version_ui(ui, slot, icon::SHIELD_CHECK, "Base", "trusted");
        ui.label(RichText::new(icon::ARROW_RIGHT).color(palette(ui).text_weak));
    }
    if let Some(slot) = ctx.session.slot(Which::Target) {
        let (sign, role, word) = if pair {
            (icon::GIT_PULL_REQUEST, "Contribution", "under review")
        } else {
            (icon::STACK, "Dataset", "under review")
        };
        version_ui(ui, slot, sign, role, word);
    }
    for (which, slot) in ctx.session.further() {
        version_ui(ui, slot, icon::COLUMNS, "Further", "only looked at");
        let Which::Further(at) = which else { continue };
        let name = "Close this further version";
        if icon_button(ui, icon::X, name, name).clicked() {
            ctx.send(Command::RemoveFurther(at));
        }
    }
}

fn version_ui(ui: &mut egui::Ui, slot: &Slot, sign: &str, role: &str, word: &str) {
    let palette = palette(ui);
    let name = slot.version().map_or_else(
        || slot.place.path.file_name().unwrap_or(slot.place.path.as_os_str()).to_string_lossy().into_owned(),
        |version| version.name().to_owned(),
    );
    let count = match (slot.version(), &slot.error) {
        (_, Some(_)) => "cannot be opened".to_owned(),
        (None, _) => "listing…".to_owned(),
        (Some(version), _) => grouped(version.len()),
    };
    let shown = egui::Frame::new()
        .fill(palette.card)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::symmetric(9, 4))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let color = if slot.error.is_some() { palette.danger } else { palette.accent };
            ui.label(RichText::new(sign).color(color));
            ui.label(RichText::new(role).color(palette.text_weak).small());
            ui.label(strong(shorten(&name, 24)));
            ui.label(RichText::new(count).color(palette.text_weak));
        });
    let mut tip = format!("{role} ({word})\n{}", slot.place.path.display());
    if let Some(version) = slot.version() {
        tip.push_str(&format!("\nRead as {}; labels from {}", version.source().kind, version.label_origin()));
    }
    if let Some(pin) = slot.pin {
        tip.push_str(&format!("\nPin {pin}"));
    }
    if let Some(error) = &slot.error {
        tip.push_str(&format!("\n{error}"));
    }
    shown.response.on_hover_text(tip);
}

/// A name of at most `most` characters, shortened in the middle.
fn shorten(name: &str, most: usize) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= most {
        return name.to_owned();
    }
    let (head, tail) = (most * 2 / 3, most / 3);
    characters[..head].iter().chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
}

fn search_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    let color = palette(ui);
    let text = view.search.trim().to_owned();
    let is_saved = settings.searches.contains(&text);
    if !text.is_empty() && view.query.is_ok() {
        let tip = if is_saved { "Forget this search" } else { "Keep this search for later" };
        let sign = RichText::new(icon::STAR).color(if is_saved { color.warning } else { color.text_weak });
        let response = ui.add(egui::Button::new(sign).min_size(egui::vec2(26.0, 26.0)));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, tip));
        if response.on_hover_text(tip).clicked() {
            ctx.send(Command::ToggleSavedSearch(text));
        }
    }
    let width = (ui.available_width() - 8.0).clamp(120.0, 460.0);
    let wrong = view.query.as_ref().err().map(|error| error.range.clone());
    let mut layouter = |ui: &egui::Ui, text: &dyn egui::TextBuffer, _width: f32| {
        let job = underlined(ui, text.as_str(), wrong.clone());
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    // Before the field sees them: keys for the list under it.
    let focused = ui.memory(|memory| memory.has_focus(search_id()));
    let found = if focused { suggestions(ctx, view, settings) } else { Vec::new() };
    let taken = if focused { suggestion_keys(ui, view, found.len()) } else { None };
    let field = egui::TextEdit::singleline(&mut view.search)
        .id(search_id())
        .desired_width(width)
        .hint_text(format!("{}  Search: label:cat score>0.8 decision:none", icon::MAGNIFYING_GLASS))
        .layouter(&mut layouter);
    let response = ui.add(field);
    name_field(&response, "Search samples");
    if std::mem::take(&mut view.focus_search) {
        response.request_focus();
    }
    if response.changed() {
        view.suggestion = None;
        view.search_typed = true;
        ctx.send(Command::Search(view.search.clone()));
    }
    let has_focus = response.has_focus();
    let clicked = if has_focus { suggestions_ui(view, &response, &found) } else { None };
    if let Some(at) = taken.or(clicked)
        && let Some(suggestion) = found.get(at)
    {
        view.search.clone_from(&suggestion.text);
        view.search_typed = true;
        view.suggestion = None;
        view.focus_search = true;
        // The cursor goes to the end, where the next term is typed.
        if let Some(mut state) = egui::TextEdit::load_state(ui.ctx(), search_id()) {
            let end = egui::text::CCursor::new(suggestion.text.chars().count());
            state.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
            state.store(ui.ctx(), search_id());
        }
        ctx.send(Command::Search(suggestion.text.clone()));
    }
}

/// The text with the part underlined that is wrong.
fn underlined(ui: &egui::Ui, text: &str, wrong: Option<std::ops::Range<usize>>) -> egui::text::LayoutJob {
    use egui::text::{LayoutJob, TextFormat};
    let color = palette(ui);
    let plain = TextFormat {
        font_id: egui::TextStyle::Body.resolve(ui.style()),
        color: color.text,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    let fits = |range: &std::ops::Range<usize>| text.get(range.clone()).is_some();
    match wrong.filter(fits) {
        None => job.append(text, 0.0, plain),
        Some(range) => {
            let bad = TextFormat {
                color: color.danger,
                underline: egui::Stroke::new(1.5, color.danger),
                ..plain.clone()
            };
            job.append(&text[..range.start], 0.0, plain.clone());
            job.append(&text[range.clone()], 0.0, bad);
            job.append(&text[range.end..], 0.0, plain);
        }
    }
    job.wrap.max_width = f32::INFINITY;
    job
}

/// What the search field would hold.
struct Suggestion {
    /// What is shown.
    shown: String,
    meaning: &'static str,
    /// The whole search.
    text: String,
}

/// Ways to go on with what is typed; of an empty field the searches that were kept.
fn suggestions(ctx: &ViewCtx<'_>, view: &ViewState, settings: &Settings) -> Vec<Suggestion> {
    let splits = ctx.items.target.as_ref().map(|version| version.splits().to_vec()).unwrap_or_default();
    let kept = settings.searches.iter().filter(|search| {
        let typed = view.search.trim();
        search.starts_with(typed) && search.as_str() != typed
    });
    let kept = kept.take(5).map(|search| Suggestion {
        shown: format!("{}  {search}", icon::STAR),
        meaning: "kept",
        text: search.clone(),
    });
    let begun = view.search.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let found = crate::review::query::complete(&view.search, ctx.classes, &splits);
    let found = found.into_iter().take(9).map(|(insert, meaning)| Suggestion {
        text: format!("{}{insert}", &view.search[..begun]),
        shown: insert,
        meaning,
    });
    kept.chain(found).collect()
}

/// Arrows move through the suggestions; Tab takes the highlighted or the first, Enter the highlighted.
fn suggestion_keys(ui: &egui::Ui, view: &mut ViewState, count: usize) -> Option<usize> {
    if count == 0 {
        view.suggestion = None;
        return None;
    }
    let press = |key: egui::Key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
    if press(egui::Key::ArrowDown) {
        view.suggestion = Some(view.suggestion.map_or(0, |at| (at + 1).min(count - 1)));
    }
    if press(egui::Key::ArrowUp) {
        view.suggestion = view.suggestion.and_then(|at| at.checked_sub(1));
    }
    if press(egui::Key::Tab) {
        // The keyboard stays in the field.
        ui.memory_mut(|memory| memory.move_focus(egui::FocusDirection::None));
        return Some(view.suggestion.unwrap_or(0));
    }
    view.suggestion.filter(|_| press(egui::Key::Enter))
}

fn suggestions_ui(view: &ViewState, field: &egui::Response, found: &[Suggestion]) -> Option<usize> {
    let message = view.query.as_ref().err().map(ToString::to_string);
    if found.is_empty() && message.is_none() {
        return None;
    }
    let mut clicked = None;
    egui::Popup::from_response(field)
        .id(egui::Id::unique("search-suggestions"))
        .open(true)
        .close_behavior(egui::PopupCloseBehavior::IgnoreClicks)
        .show(|ui| {
            ui.set_min_width(field.rect.width());
            if let Some(message) = message {
                ui.label(RichText::new(format!("{}  {message}", icon::WARNING)).color(palette(ui).danger));
            }
            for (at, suggestion) in found.iter().enumerate() {
                let button = egui::Button::selectable(view.suggestion == Some(at), suggestion.shown.as_str())
                    .shortcut_text(suggestion.meaning)
                    .min_size(egui::vec2(ui.available_width(), 0.0));
                if ui.add(button).clicked() {
                    clicked = Some(at);
                }
            }
        });
    clicked
}

fn progress_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let palette = palette(ui);
    let progress = ctx.own_progress.clone().or_else(|| ctx.session.progress());
    let Some(progress) = progress else {
        if ctx.session.is_cancelled() {
            if ui
                .button(format!("{}  Go on", icon::PLAY))
                .on_hover_text("Go on with the cancelled work")
                .clicked()
            {
                ctx.send(Command::ResumeWork);
            }
            ui.label(RichText::new("Cancelled").color(palette.text_weak));
        }
        return;
    };
    if icon_button(ui, icon::X_CIRCLE, "Cancel background work", "Cancel").clicked() {
        ctx.send(Command::CancelWork);
    }
    let text = match progress.fraction() {
        Some(fraction) => format!("{} {:.0} %", progress.stage, fraction * 100.0),
        None if progress.done > 0 => format!("{} {}", progress.stage, grouped(progress.done as usize)),
        None => progress.stage.to_owned(),
    };
    let bar =
        egui::ProgressBar::new(progress.fraction().unwrap_or(0.0)).desired_width(70.0).desired_height(6.0);
    ui.add(bar).widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, text.as_str()));
    ui.label(RichText::new(text.as_str()).color(palette.text_weak));
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
}

/// Things to know about what is open, above the centre.
pub fn notices_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    for which in [Which::Base, Which::Target] {
        if let Some(error) = ctx.session.slot(which).and_then(|slot| slot.error.as_ref()) {
            notice_ui(ui, icon::WARNING, error, true, |_| {});
        }
    }
    if let Some(map) = ctx.session.suggested_map() {
        let example =
            map.to_base.iter().next().map(|(own, base)| format!("“{own}” is “{base}”")).unwrap_or_default();
        let text = format!(
            "{} classes are spelt differently in the two versions ({example}). Until they are matched, their samples count as relabelled.",
            map.to_base.len()
        );
        notice_ui(ui, icon::TAG, &text, false, |ui| {
            if ui.button("Match classes").clicked() {
                ctx.send(Command::MatchClasses);
            }
            if ui.button("Keep apart").clicked() {
                ctx.send(Command::KeepClassesApart);
            }
        });
    }
}

fn notice_ui(ui: &mut egui::Ui, sign: &str, text: &str, is_error: bool, actions: impl FnOnce(&mut egui::Ui)) {
    let palette = palette(ui);
    let color = if is_error { palette.danger } else { palette.warning };
    egui::Frame::new()
        .fill(palette.card)
        .stroke(egui::Stroke::new(1.0, color))
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(sign).color(color).size(16.0));
                ui.label(text);
                actions(ui);
            });
        });
    ui.add_space(theme::GAP);
}
