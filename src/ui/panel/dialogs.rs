//! Which question is open? Sheets and questions over the window, and short messages in its corner.

use eframe::egui::{self, Key, Modifiers, RichText, Vec2};

use crate::export::EXPORTERS;
use crate::model::Verdict;
use crate::ui::app::ViewCtx;
use crate::ui::command::{Command, show_shortcut};
use crate::ui::session::MOST_FURTHER;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong, verdict_look};
use crate::ui::widget::{grouped, icon_button, name_field};

/// Draws whatever is open.
pub fn dialogs_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    question_ui(ui, ctx, view);
    chooser_ui(ui, ctx, view);
    palette_ui(ui, ctx, view, settings);
    take_back_ui(ui, ctx, view);
    dismiss_ui(ui, ctx, view);
    export_ui(ui, ctx, view);
    dropped_ui(ui, ctx, view);
    help_ui(ui, ctx, view);
}

fn modal(ui: &egui::Ui, name: &str, width: f32, content: impl FnOnce(&mut egui::Ui)) -> bool {
    let response = egui::Modal::new(egui::Id::unique(name)).show(ui.ctx(), |ui| {
        ui.set_width(width);
        content(ui);
    });
    response.backdrop_response.clicked()
}

fn title_ui(ui: &mut egui::Ui, text: &str) {
    let color = palette(ui).text_strong;
    ui.label(RichText::new(text).font(theme::title_font()).color(color));
    ui.add_space(6.0);
}

fn primary(ui: &mut egui::Ui, text: &str) -> egui::Response {
    let palette = palette(ui);
    let button = egui::Button::new(RichText::new(text).color(palette.on_accent))
        .fill(palette.accent)
        .min_size(Vec2::new(96.0, 30.0));
    ui.add(button)
}

fn question_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    let Some(question) = &view.question else { return };
    let count = grouped(question.items.len());
    let action = match &question.verdict {
        None => format!("Clear the verdicts of {count} samples"),
        Some(Verdict::Relabel(class)) => format!("Relabel {count} samples to {class}"),
        Some(verdict) => format!("{} {count} samples", verdict_look(verdict, true).2),
    };
    let outside = modal(ui, "question", 420.0, |ui| {
        title_ui(ui, &format!("{action}?"));
        let decided = question.items.iter().filter(|item| ctx.verdict(**item).is_some()).count();
        if decided > 0 {
            ui.label(format!(
                "{} of them have a verdict already; it will be followed by this one.",
                grouped(decided)
            ));
        }
        ui.label("One step: undo takes all of it back.");
        ui.add_space(10.0);
        ui.horizontal(|ui| {
            if primary(ui, &action).on_hover_text("Enter").clicked() {
                ctx.send(Command::Confirm);
            }
            if ui
                .add(egui::Button::new("Cancel").min_size(Vec2::new(80.0, 30.0)))
                .on_hover_text("Esc")
                .clicked()
            {
                ctx.send(Command::Escape);
            }
        });
    });
    if outside {
        ctx.send(Command::Escape);
    }
}

/// What happened to an open list.
enum Chosen {
    Nothing,
    /// The line with this place.
    Line(usize),
    Closed,
}

/// A list to choose from by typing: filter, arrows, Enter. `entries` are what the filter left, each with its key.
fn list_ui(
    ui: &egui::Ui,
    (name, title, hint, width): (&str, &str, &str, f32),
    (text, line): (&mut String, &mut usize),
    entries: &[(String, String)],
) -> Chosen {
    *line = (*line).min(entries.len().saturating_sub(1));
    let (up, down, enter, escape) = ui.ctx().input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
            input.consume_key(Modifiers::NONE, Key::Escape),
        )
    });
    if up {
        *line = line.saturating_sub(1);
    }
    if down && *line + 1 < entries.len() {
        *line += 1;
    }
    let mut chosen = if enter && !entries.is_empty() { Chosen::Line(*line) } else { Chosen::Nothing };
    let mut changed = false;
    let outside = modal(ui, name, width, |ui| {
        title_ui(ui, title);
        let field = egui::TextEdit::singleline(text)
            .id(egui::Id::unique((name, "filter")))
            .hint_text(hint)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        name_field(&response, hint);
        response.request_focus();
        changed = response.changed();
        ui.add_space(4.0);
        egui::ScrollArea::vertical().max_height(340.0).show(ui, |ui| {
            for (at, (entry, key)) in entries.iter().enumerate().take(200) {
                let button = egui::Button::selectable(at == *line, entry.as_str())
                    .shortcut_text(key.as_str())
                    .min_size(Vec2::new(ui.available_width(), 26.0));
                let response = ui.add(button);
                if at == *line && (up || down) {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    chosen = Chosen::Line(at);
                }
            }
            if entries.is_empty() {
                ui.label(RichText::new("Nothing matches").color(palette(ui).text_weak));
            }
        });
    });
    if changed {
        *line = 0;
    }
    if (outside || escape) && matches!(chosen, Chosen::Nothing) { Chosen::Closed } else { chosen }
}

/// Choose a class by typing.
fn chooser_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some((text, line)) = &mut view.choosing_label else { return };
    let needle = text.to_lowercase();
    let mut found: Vec<&str> = ctx
        .classes
        .iter()
        .map(AsRef::as_ref)
        .filter(|class| class.to_lowercase().contains(&needle))
        .collect();
    found.sort_by_key(|class| !class.to_lowercase().starts_with(&needle));
    let mut entries: Vec<(String, String)> = found
        .iter()
        .map(|name| {
            let number = ctx.classes.iter().position(|class| class.as_ref() == *name).filter(|n| *n < 9);
            ((*name).to_owned(), number.map(|n| (n + 1).to_string()).unwrap_or_default())
        })
        .collect();
    let typed = text.trim().to_owned();
    if !typed.is_empty() && !ctx.classes.iter().any(|class| *class.as_ref() == *typed) {
        entries.push((format!("{}  New class “{typed}”", icon::PLUS_CIRCLE), String::new()));
    }
    match list_ui(ui, ("chooser", "Relabel to", "Type a class", 340.0), (text, line), &entries) {
        Chosen::Line(at) => {
            let class = found.get(at).map_or(typed, |class| (*class).to_owned());
            view.choosing_label = None;
            ctx.send(Command::Decide(Some(Verdict::Relabel(class))));
        }
        Chosen::Closed => view.choosing_label = None,
        Chosen::Nothing => {}
    }
}

/// Everything that can be done, by typing a part of its name.
fn palette_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    let Some((text, line)) = &mut view.palette else { return };
    let mut all: Vec<(String, String, Command)> = Vec::new();
    for (binding, keys) in ctx.keys.iter() {
        let key = keys.first().map_or_else(String::new, show_shortcut);
        all.push((format!("{}: {}", binding.group, binding.title), key, (binding.command)()));
    }
    if ctx.session.target().is_some() {
        for queue in Queue::listed() {
            all.push((format!("Show: {}", queue.title()), String::new(), Command::Show(queue)));
        }
        for search in &settings.searches {
            all.push((format!("Search: {search}"), String::new(), Command::Search(search.clone())));
        }
        for class in ctx.classes.iter().take(2000) {
            let command = Command::ToggleClass(class.to_string());
            all.push((format!("Only class: {class}"), String::new(), command));
        }
    }
    // Every word must be somewhere; what begins with them comes first.
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<(bool, &(String, String, Command))> = all
        .iter()
        .filter_map(|entry| {
            let name = entry.0.to_lowercase();
            let begins =
                |word: &String| name.split([' ', ':', '“']).any(|part| part.starts_with(word.as_str()));
            words.iter().all(|word| name.contains(word.as_str())).then(|| (!words.iter().all(begins), entry))
        })
        .collect();
    found.sort_by_key(|(later, _)| *later);
    let entries: Vec<(String, String)> =
        found.iter().map(|(_, (name, key, _))| (name.clone(), key.clone())).collect();
    match list_ui(ui, ("palette", "All commands", "Type what to do", 560.0), (text, line), &entries) {
        Chosen::Line(at) => {
            let command = found.get(at).map(|(_, (_, _, command))| command.clone());
            view.palette = None;
            if let Some(command) = command {
                ctx.send(command);
            }
        }
        Chosen::Closed => view.palette = None,
        Chosen::Nothing => {}
    }
}

/// A step of many decisions is taken back as a whole: asked first.
fn take_back_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some((step, count)) = view.taking_back else { return };
    let (mut run, mut close) = ui.ctx().input_mut(|input| {
        (input.consume_key(Modifiers::NONE, Key::Enter), input.consume_key(Modifiers::NONE, Key::Escape))
    });
    let action = format!("Take back {} decisions", grouped(count));
    let outside = modal(ui, "take-back", 420.0, |ui| {
        title_ui(ui, &format!("{action}?"));
        let text = "They were made as one step. Each sample gets the verdict that it had before; later decisions stay.";
        ui.add(egui::Label::new(text).wrap());
        ui.add_space(10.0);
        ui.horizontal(|ui| {
            run |= primary(ui, &action).on_hover_text("Enter").clicked();
            close |= ui
                .add(egui::Button::new("Cancel").min_size(Vec2::new(80.0, 30.0)))
                .on_hover_text("Esc")
                .clicked();
        });
    });
    if close || outside {
        view.taking_back = None;
    } else if run {
        ctx.send(Command::TakeBack(step));
    }
}

/// Why is this no trigger? Asked before a cluster is listed no more.
fn dismiss_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some((at, reason)) = &mut view.dismissing else { return };
    let (mut run, mut close) = ui.ctx().input_mut(|input| {
        (input.consume_key(Modifiers::NONE, Key::Enter), input.consume_key(Modifiers::NONE, Key::Escape))
    });
    let clusters = ctx.items.scan.as_ref().map(|scan| scan.clusters.as_slice()).unwrap_or_default();
    let count = clusters.get(usize::from(*at)).map_or(0, |cluster| cluster.members.len());
    modal(ui, "dismiss", 460.0, |ui| {
        title_ui(ui, "Not a trigger?");
        let text = format!(
            "What these {} pictures share will be listed no more, also in a later version. Their labels stay undecided.",
            grouped(count)
        );
        ui.add(egui::Label::new(text).wrap());
        ui.add_space(8.0);
        let field = egui::TextEdit::singleline(reason)
            .id(egui::Id::unique("dismiss-reason"))
            .hint_text("Why: the studio's watermark, a camera's date, …")
            .char_limit(10_000)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        name_field(&response, "Reason");
        response.request_focus();
        ui.add_space(10.0);
        ui.horizontal(|ui| {
            run |= primary(ui, "Not a trigger").on_hover_text("Enter").clicked();
            close |= ui
                .add(egui::Button::new("Cancel").min_size(Vec2::new(80.0, 30.0)))
                .on_hover_text("Esc")
                .clicked();
        });
    });
    if close {
        view.dismissing = None;
    } else if run {
        ctx.send(Command::Dismiss);
    }
}

fn export_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some(dialog) = &mut view.export else { return };
    let (enter, escape) = ui.ctx().input_mut(|input| {
        (input.consume_key(Modifiers::NONE, Key::Enter), input.consume_key(Modifiers::NONE, Key::Escape))
    });
    let corrections = ctx.review.map_or(0, crate::review::Review::decided);
    let mut close = escape;
    let mut run = enter;
    modal(ui, "export", 520.0, |ui| {
        let palette = palette(ui);
        title_ui(ui, "Export corrections");
        if corrections == 0 {
            ui.label(
                RichText::new("Nothing is decided yet: the file will hold no corrections.")
                    .color(palette.warning),
            );
        } else {
            ui.label(format!("{} verdicts are in force.", grouped(corrections)));
        }
        ui.add_space(8.0);
        for exporter in EXPORTERS {
            let chosen = dialog.format == exporter.id();
            let text = format!("{}: {}", exporter.id(), exporter.summary());
            if ui.radio(chosen, text).clicked() {
                dialog.format = exporter.id();
                let path = std::path::Path::new(&dialog.path).with_extension(exporter.extension());
                dialog.path = path.to_string_lossy().into_owned();
            }
        }
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let width = ui.available_width() - 90.0;
            let field = egui::TextEdit::singleline(&mut dialog.path).desired_width(width);
            name_field(&ui.add(field), "File");
            if ui.button("Choose…").clicked() {
                ctx.send(Command::ChooseExportPath);
            }
        });
        if std::path::Path::new(dialog.path.trim()).exists() {
            ui.label(
                RichText::new(format!("{}  This file is there already and will be replaced.", icon::WARNING))
                    .color(palette.warning),
            );
        }
        if let Some(error) = &dialog.error {
            ui.label(RichText::new(error).color(palette.danger));
        }
        ui.add_space(10.0);
        ui.horizontal(|ui| {
            run |= primary(ui, "Export").on_hover_text("Enter").clicked();
            close |= ui
                .add(egui::Button::new("Cancel").min_size(Vec2::new(80.0, 30.0)))
                .on_hover_text("Esc")
                .clicked();
        });
    });
    if close {
        view.export = None;
    } else if run {
        ctx.send(Command::RunExport);
    }
}

fn dropped_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some(path) = view.dropped.first().cloned() else { return };
    let now = ctx.session.target().map(|slot| slot.place.path.clone());
    let mut open = None;
    let mut close = false;
    let outside = modal(ui, "dropped", 420.0, |ui| {
        title_ui(ui, "Open what you dropped");
        ui.label(path.display().to_string());
        ui.add_space(8.0);
        let wide = Vec2::new(ui.available_width(), 32.0);
        if ui
            .add(
                egui::Button::new(format!("{}  As a contribution to what is open", icon::GIT_PULL_REQUEST))
                    .min_size(wide),
            )
            .clicked()
        {
            open = Some((now.clone(), Some(path.clone())));
        }
        if ui
            .add(
                egui::Button::new(format!("{}  As the trusted base of what is open", icon::SHIELD_CHECK))
                    .min_size(wide),
            )
            .clicked()
        {
            open = Some((Some(path.clone()), now.clone()));
        }
        let further = format!("{}  Beside, to look at", icon::COLUMNS);
        let room = ctx.session.further().count() < MOST_FURTHER;
        if ui.add_enabled(room, egui::Button::new(further).min_size(wide)).clicked() {
            ctx.send(Command::AddFurther(path.clone()));
        }
        if ui.add(egui::Button::new(format!("{}  Alone", icon::STACK)).min_size(wide)).clicked() {
            open = Some((None, Some(path.clone())));
        }
        close = ui.add(egui::Button::new("Cancel").min_size(wide)).clicked();
    });
    if let Some((base, target)) = open {
        ctx.send(Command::Open(base, target));
    } else if close || outside {
        view.dropped.clear();
    }
}

fn help_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    if !view.help {
        return;
    }
    let mut close = false;
    let outside = modal(ui, "help", 760.0, |ui| {
        ui.horizontal(|ui| {
            title_ui(ui, "All keys");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                close = icon_button(ui, icon::X, "Close", "Close  (Esc)").clicked();
            });
        });
        let height = (ui.ctx().content_rect().height() - 160.0).max(200.0);
        egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
            ui.columns(2, |columns| {
                let mut group = "";
                let mut at = 0;
                for (binding, keys) in ctx.keys.iter() {
                    if binding.group != group {
                        group = binding.group;
                        at = usize::from(matches!(group, "Move" | "Select" | "Window"));
                        columns[at].add_space(8.0);
                        columns[at].label(strong(group));
                    }
                    key_line_ui(&mut columns[at], binding.title, keys);
                }
            });
            if let Some(path) = crate::ui::settings::file_path() {
                ui.add_space(10.0);
                let color = palette(ui).text_weak;
                let text =
                    format!("Other keys: write [keys] and such as keep = \"K\" into {}", path.display());
                ui.add(egui::Label::new(RichText::new(text).small().color(color)).wrap());
            }
        });
    });
    if close || outside {
        view.help = false;
    }
}

fn key_line_ui(ui: &mut egui::Ui, title: &str, keys: &[egui::KeyboardShortcut]) {
    ui.horizontal(|ui| {
        let color = palette(ui).text_weak;
        ui.label(RichText::new(title).color(palette(ui).text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(14.0);
            let shown: Vec<String> = keys.iter().map(show_shortcut).collect();
            ui.label(RichText::new(shown.join("  ")).monospace().color(color));
        });
    });
}

/// Short messages in the lower right corner; they take no focus and go away by themselves.
pub fn toasts_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>) {
    if ctx.toasts.is_empty() {
        return;
    }
    egui::Area::new(egui::Id::unique("toasts"))
        .anchor(egui::Align2::CENTER_BOTTOM, Vec2::new(0.0, -48.0))
        .order(egui::Order::Tooltip)
        .interactable(false)
        .show(ui.ctx(), |ui| {
            ui.with_layout(egui::Layout::bottom_up(egui::Align::Center), |ui| {
                for toast in ctx.toasts.iter().rev() {
                    let palette = palette(ui);
                    let (sign, color) = if toast.is_error {
                        (icon::WARNING, palette.danger)
                    } else {
                        (icon::CHECK_CIRCLE, palette.good)
                    };
                    egui::Frame::new()
                        .fill(palette.card)
                        .stroke(egui::Stroke::new(1.0, color))
                        .corner_radius(theme::RADIUS)
                        .inner_margin(egui::Margin::symmetric(12, 8))
                        .shadow(ui.visuals().popup_shadow)
                        .show(ui, |ui| {
                            ui.horizontal(|ui| {
                                ui.set_max_width(420.0);
                                ui.label(RichText::new(sign).color(color));
                                ui.add(egui::Label::new(&toast.text).wrap());
                            });
                        });
                }
            });
        });
}
