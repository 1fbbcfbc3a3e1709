//! What was decided, by whom and when? Every line of the journal, to filter and to take back from.

use std::sync::Arc;

use eframe::egui::{self, Align, Align2, FontId, Layout, Rect, RichText, Sense, Vec2};

use crate::model::{Decision, Verdict};
use crate::review::{Action, Logged, Review, is_cluster};
use crate::ui::app::{OtherReview, ViewCtx};
use crate::ui::command::Command;
use crate::ui::input::history_id;
use crate::ui::items::Item;
use crate::ui::settings::Settings;
use crate::ui::state::{HistoryFilter, Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong, verdict_look};
use crate::ui::widget::{empty_ui, grouped, icon_button, local_time, name_field};

use super::Panel;

/// Widths of the columns before the name, points: when, who, what.
const WHEN: f32 = 118.0;
const WHO: f32 = 96.0;
const WHAT: f32 = 176.0;
const LINE: f32 = 28.0;

/// Every decision.
pub struct History;

impl Panel for History {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::History
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        let color = palette(ui);
        let Some(review) = ctx.review else {
            empty_ui(
                ui,
                icon::CLOCK_COUNTER_CLOCKWISE,
                "No review",
                "Open a dataset: its decisions are listed here",
            );
            return;
        };
        refresh(&mut view.history, review);
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            let title = RichText::new(view.queue.title()).font(theme::title_font()).color(color.text_strong);
            ui.label(title).on_hover_text(view.queue.explanation());
            ui.label(RichText::new(grouped(view.history.lines.len())).color(color.text_weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let tip = "Another reviewer's decisions on the same samples: what agrees, what differs";
                let text = format!("{}  Compare with another review…", icon::USERS);
                if ui.button(text).on_hover_text(ctx.tip(tip, &Command::ChooseReview)).clicked() {
                    ctx.send(Command::ChooseReview);
                }
                let field = egui::TextEdit::singleline(&mut view.history.text)
                    .id(history_id())
                    .hint_text(format!("{}  Filter: name, verdict, class, reviewer, note", icon::FUNNEL))
                    .desired_width(260.0);
                let response = ui.add(field);
                name_field(&response, "Filter the history");
                if response.changed() {
                    refresh(&mut view.history, review);
                    ui.ctx().request_repaint();
                }
            });
        });
        ui.add_space(4.0);
        if let Some(other) = ctx.other {
            other_ui(ui, ctx, other);
        }
        if view.history.lines.is_empty() {
            let (title, advice) = if review.log().is_empty() {
                ("Nothing decided yet", "Every verdict is listed here, and can be taken back from here")
            } else {
                ("Nothing matches", "Empty the filter to see every decision")
            };
            empty_ui(ui, icon::CLOCK_COUNTER_CLOCKWISE, title, advice);
            return;
        }
        ui.spacing_mut().item_spacing.y = 2.0;
        let lines = &view.history.lines;
        let mut area = egui::ScrollArea::vertical().id_salt("history").auto_shrink([false, false]);
        if std::mem::take(&mut view.history_to_top) {
            area = area.vertical_scroll_offset(0.0);
        }
        area.show_rows(ui, LINE, lines.len(), |ui, range| {
            for at in &lines[range] {
                line_ui(ui, ctx, review, &review.log()[*at as usize]);
            }
        });
    }
}

/// Finds the lines anew when the filter or the journal has moved.
fn refresh(filter: &mut HistoryFilter, review: &Review) {
    let wanted = (filter.text.trim().to_lowercase(), review.revision());
    if filter.found_for == wanted {
        return;
    }
    let needle = &wanted.0;
    let log = review.log();
    let matches = |logged: &Logged| {
        let decision = &logged.decision;
        needle.is_empty()
            || [&decision.subject.key, &decision.reviewer, &decision.note, &what(logged)]
                .into_iter()
                .any(|text| text.to_lowercase().contains(needle))
    };
    filter.lines = (0..log.len() as u32).rev().filter(|at| matches(&log[*at as usize])).collect();
    filter.found_for = wanted;
}

/// The verdict in words, and whether it was an undo or a redo.
fn what(logged: &Logged) -> String {
    let verdict = match &logged.decision.verdict {
        _ if is_cluster(&logged.decision.subject) => "not a trigger".to_owned(),
        None => "cleared".to_owned(),
        Some(Verdict::Relabel(class)) => format!("relabel to {class}"),
        Some(verdict) => verdict.as_str().to_owned(),
    };
    match logged.action {
        Action::Decide => verdict,
        Action::Undo(_) => format!("undone: {verdict}"),
        Action::Redo(_) => format!("redone: {verdict}"),
    }
}

fn line_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, review: &Review, logged: &Logged) {
    let color = palette(ui);
    let decision: &Arc<Decision> = &logged.decision;
    let subject = &decision.subject;
    let in_force = review.in_force(&subject.key, &subject.hash).is_some_and(|now| now.id == decision.id);
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width() - 12.0, LINE), Sense::click());
    let item = item_of(ctx, decision);
    let name = if is_cluster(subject) { "a shared thing" } else { subject.key.as_str() };
    let said =
        format!("{}, {}, {name}, {}", local_time(decision.time_millis), what(logged), decision.reviewer);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &said));
    if response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, color.card);
    }
    let text_color = if in_force { color.text } else { color.text_weak };
    let mut left = rect.left() + 8.0;
    let rest = (rect.width() - 48.0 - WHEN - WHO - WHAT).max(60.0);
    let mut column = |width: f32, text: &str, color| {
        let area = Rect::from_min_size(egui::pos2(left, rect.top()), Vec2::new(width - 8.0, rect.height()));
        let font = FontId::proportional(12.5);
        ui.painter_at(area).text(area.left_center(), Align2::LEFT_CENTER, text, font, color);
        left += width;
    };
    column(WHEN, &local_time(decision.time_millis), color.text_weak);
    column(WHO, &decision.reviewer, text_color);
    let (sign, verdict_color) = decision.verdict.as_ref().map_or((icon::X, color.text_weak), |verdict| {
        let (sign, verdict_color, _) = verdict_look(verdict, ui.visuals().dark_mode);
        (sign, verdict_color)
    });
    let shown = if in_force { verdict_color } else { color.text_weak };
    column(WHAT, &format!("{sign}  {}", what(logged)), shown);
    let has_note = !decision.note.is_empty();
    column(if has_note { rest * 0.55 } else { rest }, name, text_color);
    if has_note {
        column(rest * 0.45, &decision.note, color.text_weak);
    }
    let mut tip = said;
    if has_note {
        tip.push_str(&format!("\n{}", decision.note));
    }
    tip.push_str(if in_force { "\nIn force" } else { "\nFollowed by another decision, or taken back" });
    if response.on_hover_text(tip).clicked()
        && let Some(item) = item
    {
        ctx.send(Command::Show(Queue::All));
        ctx.send(Command::Search(String::new()));
        ctx.send(Command::Focus(item));
    }
    let size = step_size(review.log(), decision.step);
    if in_force && logged.action == Action::Decide {
        let place =
            Rect::from_center_size(egui::pos2(rect.right() - 20.0, rect.center().y), Vec2::splat(24.0));
        let mut inside = ui.new_child(
            egui::UiBuilder::new()
                .max_rect(place)
                .layout(Layout::centered_and_justified(egui::Direction::LeftToRight)),
        );
        let (tip, command) = if size > 1 {
            let tip = format!(
                "Take back all {} decisions of this step, without those that came after it…",
                grouped(size)
            );
            (tip, Command::AskTakeBack(decision.step, size))
        } else {
            ("Take this back, without what came after it".to_owned(), Command::TakeBack(decision.step))
        };
        let name = format!("Take back: {name}");
        if icon_button(&mut inside, icon::ARROW_COUNTER_CLOCKWISE, &name, &tip).clicked() {
            ctx.send(command);
        }
    }
}

/// How many lines of the journal belong to a step.
fn step_size(log: &[Logged], step: i64) -> usize {
    let from = log.partition_point(|logged| logged.decision.step < step);
    log[from..].partition_point(|logged| logged.decision.step == step)
}

/// Where the sample is now, if it is still there with the same content.
fn item_of(ctx: &ViewCtx<'_>, decision: &Decision) -> Option<Item> {
    use crate::ui::session::Which;
    let version = ctx.items.target.as_ref()?;
    let row = version.row_of(&decision.subject.key)?;
    let item = ctx.items.item(Which::Target, row);
    (ctx.items.hash(item) == Some(decision.subject.hash)).then_some(item)
}

/// What another review holds, and what to do about it.
fn other_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, other: &OtherReview) {
    let color = palette(ui);
    let found = &other.comparison;
    egui::Frame::new()
        .fill(color.card)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let name = other.review.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                ui.label(RichText::new(icon::USERS).color(color.accent));
                ui.label(strong(name)).on_hover_text(other.review.path().display().to_string());
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let close = icon_button(ui, icon::X, "Stop comparing", "Stop comparing");
                    if close.clicked() {
                        ctx.send(Command::CloseOther);
                    }
                    if !found.conflicts.is_empty()
                        && ui
                            .button(format!("Show {} conflicts", grouped(found.conflicts.len())))
                            .on_hover_text("Both decided, differently: decide again, or take theirs")
                            .clicked()
                    {
                        ctx.send(Command::Show(Queue::Conflicts));
                    }
                    if !found.only_other.is_empty()
                        && ui
                            .button(format!("Take over {}", grouped(found.only_other.len())))
                            .on_hover_text("What only they have decided, as one step that undo takes back")
                            .clicked()
                    {
                        ctx.send(Command::TakeOver);
                    }
                });
            });
            let text = format!(
                "{} the same · {} different · {} only here · {} only there",
                grouped(found.same),
                grouped(found.conflicts.len()),
                grouped(found.only_own),
                grouped(found.only_other.len())
            );
            ui.label(RichText::new(text).color(color.text_weak));
        });
    ui.add_space(theme::GAP);
}
