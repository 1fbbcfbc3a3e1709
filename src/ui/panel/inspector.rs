//! What is known about one sample, and what should happen to it?

use eframe::egui::{self, Align2, FontId, Rect, RichText, Sense, Stroke, Vec2};

use crate::model::{ChangeKind, GroupMember, Signal, Verdict};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::input::note_id;
use crate::ui::items::{Item, is_of_problem};
use crate::ui::session::Which;
use crate::ui::state::{Queue, View, ViewState};
use crate::ui::theme::{self, change_look, icon, palette, strong, suspicion_color, verdict_look};
use crate::ui::thumbnails::{Key, Level};
use crate::ui::widget::{grouped, local_time, name_field, paint_picture, remembered};

use super::picture::{picture_bar_ui, picture_ui};

/// Copies that are listed.
const MOST_TWINS: usize = 12;

/// The right panel.
pub fn inspector_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let Some(item) = view.cursor else { return };
    egui::Panel::bottom("verdicts")
        .frame(egui::Frame::new().inner_margin(egui::Margin { top: 8, ..egui::Margin::ZERO }))
        .show(ui, |ui| verdicts_ui(ui, ctx, view, item));
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        // One by one, the picture and its bar are in the centre.
        let in_centre = view.view == View::OneByOne && !matches!(view.queue, Queue::Overview);
        if !view.full_screen && !in_centre {
            let side = ui.available_width();
            let (area, _) = ui.allocate_exact_size(Vec2::new(side, (side * 0.8).min(420.0)), Sense::hover());
            picture_ui(ui, ctx, view, area, item);
        }
        if view.full_screen || !in_centre {
            picture_bar_ui(ui, ctx, view, item);
        }
        labels_ui(ui, ctx, item);
        // First what the queue is about.
        if ctx.blind {
            hidden_ui(ui);
        } else if view.queue == Queue::Twins {
            twins_ui(ui, ctx, item);
            signals_ui(ui, ctx, view.queue, item);
        } else {
            signals_ui(ui, ctx, view.queue, item);
            twins_ui(ui, ctx, item);
        }
        if !ctx.blind {
            other_review_ui(ui, ctx, item);
        }
        provenance_ui(ui, ctx, item);
        if !ctx.blind {
            history_ui(ui, ctx, item);
        }
        ui.add_space(8.0);
    });
}

fn labels_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    let palette = palette(ui);
    let dark = ui.visuals().dark_mode;
    let label = ctx.items.label(item).unwrap_or("no label");
    let other = ctx.items.counterpart(item).filter(|_| !ctx.blind);
    let base_label = other.map(|other| ctx.items.label(other).unwrap_or("no label"));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if let Some(base) = base_label.filter(|base| *base != label) {
            ui.label(RichText::new(base).font(theme::title_font()).color(palette.text_weak));
            ui.label(RichText::new(icon::ARROW_RIGHT).color(palette.text_weak));
        }
        ui.label(RichText::new(label).font(theme::title_font()).color(palette.text_strong));
        if let Some(split) = ctx.items.split(item) {
            ui.label(RichText::new(format!("in {split}")).color(palette.text_weak));
        }
    });
    if ctx.blind {
        // Nothing is said of what changed.
    } else if let Some(change) = ctx.items.change(item) {
        let (sign, color, word) = change_look(change.kind, dark);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.label(RichText::new(sign).color(color));
            let also: Vec<&str> = change.also.iter().map(|kind| change_look(*kind, dark).2).collect();
            let mut text = word.to_owned();
            if !also.is_empty() {
                text.push_str(&format!(", {}", also.join(", ").to_lowercase()));
            }
            ui.label(RichText::new(text).color(color));
            let explained = change_sentence(ctx, item);
            if !explained.is_empty() {
                ui.label(RichText::new(explained).color(palette.text_weak));
            }
        });
    } else if ctx.items.diff.is_some() && ctx.items.place(item).0 == Which::Target {
        ui.label(RichText::new("Unchanged since the base").color(palette.text_weak));
    }
    let in_force = in_force(ctx, item);
    if let Some(verdict) = in_force {
        ui.label(verdict_text(&verdict, dark).family(theme::strong_family()));
    }
}

/// What a blind audit does not show.
fn hidden_ui(ui: &mut egui::Ui) {
    let color = palette(ui).text_weak;
    ui.add_space(theme::SECTION_GAP);
    let text = format!(
        "{}  Blind: what the detectors say, what changed and what others decided is hidden",
        icon::EYE_SLASH
    );
    ui.add(egui::Label::new(RichText::new(text).small().color(color)).wrap());
}

fn in_force(ctx: &ViewCtx<'_>, item: Item) -> Option<Verdict> {
    if ctx.blind {
        return ctx.verdict(item).cloned();
    }
    let hash = ctx.items.hash(item)?;
    ctx.review?.in_force(ctx.items.key(item), &hash)?.verdict.clone()
}

fn change_sentence(ctx: &ViewCtx<'_>, item: Item) -> String {
    let Some(change) = ctx.items.change(item) else { return String::new() };
    let other = ctx.items.counterpart(item).map(|other| ctx.items.key(other).to_owned());
    match (change.kind, other) {
        (ChangeKind::Duplicated, Some(key)) => format!("the base has this picture as {key}"),
        (ChangeKind::Renamed, Some(key)) => format!("was {key}"),
        (ChangeKind::Edited, Some(_)) if change.changed_box.is_some() => {
            "the marked part differs from the base".to_owned()
        }
        (ChangeKind::Edited, Some(_)) => "another picture than in the base".to_owned(),
        (ChangeKind::SplitMoved, Some(_)) => {
            let before = change.base_row.and_then(|row| ctx.items.base.as_ref()?.split(row as usize));
            format!("was in {}", before.unwrap_or("no split"))
        }
        (ChangeKind::Removed, _) => "the contribution does not have it".to_owned(),
        _ => String::new(),
    }
}

fn section_ui(ui: &mut egui::Ui, title: &str) {
    ui.add_space(theme::SECTION_GAP);
    let color = palette(ui).text_weak;
    ui.label(RichText::new(title).small().color(color));
}

/// What the detectors said, that which the queue lists first.
fn signals_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, queue: Queue, item: Item) {
    let Some(ranked) = ctx.items.ranked(item) else { return };
    let asked = |signal: &&Signal| match queue {
        Queue::SuspiciousLabels => signal.detector == "label-error",
        Queue::Triggers | Queue::Cluster(_) => signal.cluster.is_some(),
        Queue::Twins => signal.detector == "duplicate",
        Queue::Problems => is_of_problem(signal),
        _ => false,
    };
    // Several detectors may have seen one cluster: the surest of them speaks.
    let speaks = |at: usize, signal: &Signal| {
        let same = |(_, other): &(usize, &Signal)| other.cluster.is_some() && other.cluster == signal.cluster;
        let others = ranked.signals.iter().enumerate().filter(same);
        let surest = others.max_by(|a, b| a.1.score.total_cmp(&b.1.score).then(b.0.cmp(&a.0)));
        surest.is_none_or(|(surest, _)| surest == at)
    };
    let signals = ranked.signals.iter().enumerate();
    let (first, rest): (Vec<&Signal>, Vec<&Signal>) =
        signals.filter(|(at, signal)| speaks(*at, signal)).map(|(_, signal)| signal).partition(asked);
    for signal in first.into_iter().chain(rest) {
        section_ui(ui, heading(signal));
        signal_ui(ui, ctx, item, signal);
    }
}

/// What a signal is about.
fn heading(signal: &Signal) -> &'static str {
    match signal.detector {
        _ if signal.cluster.is_some() => "Shared with other pictures",
        "label-error" => "Label and picture",
        "duplicate" => "The same picture elsewhere",
        "outlier" => "Unlike all others",
        "image-problem" => "Picture quality",
        other => other,
    }
}

/// The samples that show the same picture, and how they are labelled.
fn twins_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    let Some(group) = ctx.items.group_of(item) else { return };
    let here = |member: &GroupMember| ctx.items.member(member) == item;
    let color = palette(ui);
    section_ui(ui, "The same picture");
    ui.label(&group.reason);
    for member in group.members.iter().filter(|member| !here(member)).take(MOST_TWINS) {
        let other = ctx.items.member(member);
        let label = ctx.items.label(other).unwrap_or("no label");
        let place = if member.in_base { "base: " } else { "" };
        ui.horizontal(|ui| {
            if ui.link(label).on_hover_text("Show it").clicked() {
                ctx.send(Command::Focus(other));
            }
            let text = format!("{place}{} ({})", ctx.items.key(other), member.kind.as_str());
            ui.add(egui::Label::new(RichText::new(text).color(color.text_weak)).truncate());
        });
    }
}

/// A verdict with its sign, in its colour.
fn verdict_text(verdict: &Verdict, dark: bool) -> RichText {
    let (sign, color, word) = verdict_look(verdict, dark);
    let text = match verdict {
        Verdict::Relabel(class) => format!("{sign}  {word} to {class}"),
        _ => format!("{sign}  {word}"),
    };
    RichText::new(text).color(color)
}

/// What the other review says of this sample, where it says something else.
fn other_review_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    let Some(other) = ctx.other else { return };
    let key = ctx.items.key(item);
    let conflicts = other.comparison.conflicts.iter().map(|conflict| &conflict.other);
    let mut theirs = conflicts.chain(&other.comparison.only_other);
    let Some(theirs) = theirs.find(|correction| correction.subject.key == key) else { return };
    section_ui(ui, "The other review");
    ui.label(verdict_text(&theirs.verdict, ui.visuals().dark_mode));
    let mut by = theirs.reviewer.clone();
    if !theirs.note.is_empty() {
        by.push_str(&format!(" — {}", theirs.note));
    }
    ui.add(egui::Label::new(RichText::new(by).small().color(palette(ui).text_weak)).wrap());
    let tip = ctx.tip("Take their verdict", &Command::TakeTheirs);
    if ui.button(format!("{}  Take theirs", icon::USERS)).on_hover_text(tip).clicked() {
        ctx.send(Command::TakeTheirs);
    }
}

fn signal_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item, signal: &Signal) {
    let palette = palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let color = suspicion_color(palette, signal.score);
        ui.label(RichText::new(format!("{:.2}", signal.score)).family(theme::strong_family()).color(color))
            .on_hover_text("Suspicion: 0 = fits well, 1 = fits badly");
        ui.label(&signal.reason);
    });
    if let Some(suggested) = &signal.suggested {
        let text = format!("{}  Relabel to {}", icon::TAG, suggested.label);
        let tip = ctx.tip("Take the suggestion", &Command::AcceptSuggestion);
        if ui.button(text).on_hover_text(tip).clicked() {
            ctx.send(Command::AcceptSuggestion);
        }
    }
    let given = ctx.items.label(item);
    for suggestion in &signal.probabilities {
        probability_ui(
            ui,
            &suggestion.label,
            suggestion.probability,
            given == Some(suggestion.label.as_str()),
        );
    }
    if !signal.neighbors.is_empty() {
        ui.add_space(4.0);
        ui.label(RichText::new("Most alike").small().color(palette.text_weak));
        neighbors_ui(ui, ctx, item, signal);
    }
}

fn probability_ui(ui: &mut egui::Ui, label: &str, probability: f64, given: bool) {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 19.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let name_width = (rect.width() * 0.38).min(140.0);
    let middle = rect.center().y;
    let font = FontId::proportional(12.0);
    let color = if given { palette.text_strong } else { palette.text };
    let name = Rect::from_min_size(rect.min, Vec2::new(name_width - 6.0, rect.height()));
    ui.painter_at(name).text(
        egui::pos2(rect.left(), middle),
        Align2::LEFT_CENTER,
        label,
        font.clone(),
        color,
    );
    let track = Rect::from_min_max(
        egui::pos2(rect.left() + name_width, middle - 4.0),
        egui::pos2(rect.right() - 52.0, middle + 4.0),
    );
    painter.rect_filled(track, 4.0, palette.card_hovered);
    let filled =
        Rect::from_min_size(track.min, Vec2::new(track.width() * probability as f32, track.height()));
    painter.rect_filled(filled, 4.0, if given { palette.base } else { palette.accent });
    let text = if (0.005..0.995).contains(&probability) {
        format!("{:.0} %", probability * 100.0)
    } else {
        format!("{:.1} %", probability * 100.0)
    };
    painter.text(egui::pos2(rect.right(), middle), Align2::RIGHT_CENTER, text, font, palette.text_weak);
    let word = if given { " (the label it has)" } else { "" };
    response.on_hover_text(format!("{label}: {:.2} %{word}", probability * 100.0));
}

fn neighbors_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item, signal: &Signal) {
    let palette = palette(ui);
    let given = ctx.items.label(item);
    let count = 5.min(signal.neighbors.len());
    let side = ((ui.available_width() - 4.0 * 4.0) / 5.0).min(84.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for neighbor in signal.neighbors.iter().take(count) {
            let which = if neighbor.in_base { Which::Base } else { Which::Target };
            let other = ctx.items.item(which, neighbor.row as usize);
            let (rect, response) = ui.allocate_exact_size(Vec2::new(side, side + 16.0), Sense::click());
            let label = ctx.items.label(other).unwrap_or("no label");
            response.widget_info(|| {
                egui::WidgetInfo::labeled(
                    egui::Role::Button,
                    true,
                    format!("Neighbour {label}, {}", ctx.items.key(other)),
                )
            });
            let picture = Rect::from_min_size(rect.min, Vec2::splat(side));
            ui.painter().rect_filled(picture, 3.0, palette.card);
            paint_picture(ui, ctx, picture, Key { which, row: neighbor.row, level: Level::Small });
            let color = if Some(label) == given { palette.text_weak } else { palette.accent };
            let caption = Rect::from_min_max(egui::pos2(rect.left(), picture.bottom()), rect.max);
            ui.painter_at(caption).text(
                caption.left_center(),
                Align2::LEFT_CENTER,
                label,
                FontId::proportional(10.5),
                color,
            );
            let place = if neighbor.in_base { "base" } else { "this version" };
            let tip = format!(
                "{label} · {} ({place})\nSimilarity {:.2}",
                ctx.items.key(other),
                neighbor.similarity
            );
            if response.on_hover_text(tip).clicked() && which == Which::Target {
                ctx.send(Command::Focus(other));
            }
        }
    });
}

fn provenance_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    section_ui(ui, "Where it comes from");
    let (which, row) = ctx.items.place(item);
    let slot = ctx.session.slot(which);
    fact_ui(ui, ctx, "Name", ctx.items.key(item));
    if let Some(hash) = ctx.items.hash(item) {
        fact_ui(ui, ctx, "Content", &hash.to_string());
    }
    let mut facts = Vec::new();
    if let Some(look) =
        slot.and_then(|s| s.looks.as_ref()).and_then(|looks| looks.rows.get(row).copied().flatten())
    {
        facts.push(format!("{} × {} {}", look.width, look.height, look.format.to_uppercase()));
    }
    if let Some(size) = slot.and_then(|s| s.fingerprints.as_ref()).and_then(|f| f.sizes.get(row)) {
        facts.push(format!("{} bytes", grouped(*size as usize)));
    }
    if !facts.is_empty() {
        let color = palette(ui).text_weak;
        ui.label(RichText::new(facts.join(" · ")).color(color).small());
    }
    if let Some(path) = slot.and_then(|s| s.dataset.as_ref()).and_then(|dataset| dataset.pictures.path(row)) {
        let button = egui::Button::new(
            RichText::new(format!("{}  Open in the system's viewer", icon::ARROW_SQUARE_OUT)).small(),
        )
        .frame(false);
        if ui.add(button).on_hover_text(path.display().to_string()).clicked() {
            ctx.send(Command::OpenFile(path));
        }
    }
    // There may be as many warnings as samples: looked through once a sample, not once a frame.
    let messages = remembered(ui, "warnings", (item, ctx.session.generation()), || -> Vec<String> {
        if !ctx.items.is_warned(item) {
            return Vec::new();
        }
        let key = ctx.items.key(item);
        let own = ctx.session.warnings().filter(|(w, warning)| *w == which && warning.key == key);
        own.map(|(_, warning)| warning.message.clone()).collect()
    });
    for message in messages.iter() {
        let color = palette(ui).warning;
        ui.label(RichText::new(format!("{}  {message}", icon::WARNING)).color(color));
    }
}

fn fact_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, name: &str, value: &str) {
    let palette = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let button = egui::Button::new(RichText::new(icon::COPY).size(12.0).color(palette.text_weak))
            .frame(false)
            .min_size(Vec2::ZERO);
        let response = ui.add(button);
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Copy {}", name.to_lowercase()))
        });
        if response.on_hover_text(format!("Copy {}", name.to_lowercase())).clicked() {
            ctx.send(Command::Copy(value.to_owned()));
        }
        ui.add(egui::Label::new(RichText::new(value).small()).truncate()).on_hover_text(value);
    });
}

fn history_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    let Some(review) = ctx.review else { return };
    let key = ctx.items.key(item);
    // Read from the file only when the sample or the revision has moved.
    let stamp = (key.to_owned(), review.revision());
    let lines = remembered(ui, "history-of-sample", stamp, || -> Vec<String> {
        review.history_of(key).map_or_else(
            |error| vec![error.to_string()],
            |decisions| decisions.iter().rev().map(decision_line).collect(),
        )
    });
    if lines.is_empty() {
        return;
    }
    section_ui(ui, "Decisions so far");
    for line in lines.iter().take(12) {
        ui.add(egui::Label::new(RichText::new(line).small()).wrap());
    }
}

fn decision_line(decision: &crate::model::Decision) -> String {
    let verdict = match &decision.verdict {
        None => "taken back".to_owned(),
        Some(Verdict::Relabel(class)) => format!("relabel to {class}"),
        Some(other) => other.as_str().to_owned(),
    };
    let time = local_time(decision.time_millis);
    let note = if decision.note.is_empty() { String::new() } else { format!(" — {}", decision.note) };
    format!("{time}  {verdict}, {}{note}", decision.reviewer)
}

fn verdicts_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, item: Item) {
    let dark = ui.visuals().dark_mode;
    let palette = palette(ui);
    let many = view.selection.len();
    if many > 1 {
        ui.label(strong(format!("For {} selected samples", grouped(many))).color(palette.accent));
    }
    let note = egui::TextEdit::singleline(&mut view.note)
        .id(note_id())
        .hint_text(format!("{}  Note for the next verdict", icon::NOTE_PENCIL))
        .char_limit(10_000)
        .desired_width(f32::INFINITY);
    name_field(&ui.add(note), "Note");
    let current = in_force(ctx, item);
    let change = ctx.items.change(item).is_some() && !ctx.blind;
    let removed = ctx.items.place(item).0 == Which::Base;
    let width = (ui.available_width() - 2.0 * 6.0) / 3.0;
    let button = |ui: &mut egui::Ui, verdict: Verdict, command: Command, enabled: bool| {
        let (sign, color, word) = verdict_look(&verdict, dark);
        let chosen = current.as_ref().is_some_and(|now| now.as_str() == verdict.as_str());
        let key = ctx.keys.hint(&command);
        let text =
            RichText::new(format!("{sign}  {word}")).color(if enabled { color } else { palette.text_weak });
        let mut widget = egui::Button::new(text)
            .min_size(Vec2::new(width, 32.0))
            .shortcut_text(RichText::new(key).small());
        if chosen {
            widget = widget.fill(palette.accent_soft).stroke(Stroke::new(1.5, color));
        }
        let response = ui.add_enabled(enabled, widget);
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, enabled, chosen, word));
        if response.on_hover_text(explain(&verdict)).clicked() {
            ctx.send(command);
        }
    };
    ui.spacing_mut().item_spacing = Vec2::new(6.0, 6.0);
    ui.spacing_mut().button_padding.x = 5.0;
    ui.horizontal(|ui| {
        button(ui, Verdict::Keep, Command::Decide(Some(Verdict::Keep)), true);
        button(ui, Verdict::Relabel(String::new()), Command::ChooseLabel, !removed);
        button(ui, Verdict::Exclude, Command::Decide(Some(Verdict::Exclude)), !removed);
    });
    ui.horizontal(|ui| {
        button(ui, Verdict::Revert, Command::Decide(Some(Verdict::Revert)), change);
        button(ui, Verdict::Unsure, Command::Decide(Some(Verdict::Unsure)), true);
        let (undo, redo) = ctx.review.map_or((false, false), crate::review::Review::can_undo_redo);
        for (sign, name, command, enabled) in [
            (icon::ARROW_COUNTER_CLOCKWISE, "Undo", Command::Undo, undo),
            (icon::ARROW_CLOCKWISE, "Redo", Command::Redo, redo),
        ] {
            let tip = ctx.tip(name, &command);
            let size = Vec2::new((width - 6.0) / 2.0, 32.0);
            let response =
                ui.add_enabled(enabled, egui::Button::new(RichText::new(sign).size(15.0)).min_size(size));
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, name));
            if response.on_hover_text(tip).clicked() {
                ctx.send(command);
            }
        }
    });
}

fn explain(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Keep => "Right as it stands",
        Verdict::Relabel(_) => "Belongs to another class: type its name, or press its number",
        Verdict::Exclude => "Does not belong in the dataset",
        Verdict::Revert => "Undo what the contribution did to it",
        Verdict::Unsure => "Looked at, not decided",
    }
}
