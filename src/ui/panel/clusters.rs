//! Which pictures share a mark? A card a cluster: the mark cut out of its members, what is known of it, what to do.

use eframe::egui::{self, Rect, RichText, Sense, Stroke, StrokeKind, Vec2};

use crate::model::{Cluster, Signal, Verdict};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::session::Which;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong, verdict_look};
use crate::ui::thumbnails::{Key, Level};
use crate::ui::widget::{grouped, paint_part, paint_picture, spoken};

use super::Panel;
use super::gallery::nothing_ui;

/// Side of a cut-out, points.
const PART: f32 = 56.0;
/// Cut-outs on one card.
const MOST_PARTS: usize = 64;
/// Side of the averaged cut-out, points.
const AVERAGE: f32 = 132.0;
const GAP: f32 = 6.0;

/// The cards of all clusters.
pub struct Clusters;

impl Panel for Clusters {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Triggers
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        let color = palette(ui);
        let clusters = ctx.items.scan.as_ref().map(|scan| scan.clusters.as_slice()).unwrap_or_default();
        let (dismissed, open): (Vec<usize>, Vec<usize>) =
            (0..clusters.len()).partition(|at| ctx.verdicts.dismissed(*at).is_some());
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            let title = RichText::new(view.queue.title()).font(theme::title_font()).color(color.text_strong);
            ui.label(title).on_hover_text(view.queue.explanation());
            ui.label(RichText::new(grouped(open.len())).color(color.text_weak));
        });
        ui.add_space(4.0);
        if clusters.is_empty() {
            nothing_ui(ui, ctx, view);
            return;
        }
        egui::ScrollArea::vertical().id_salt("clusters").auto_shrink([false, false]).show(ui, |ui| {
            let (alarms, weak): (Vec<usize>, Vec<usize>) =
                open.into_iter().partition(|at| is_alarm(ctx, &clusters[*at]));
            for at in alarms {
                cluster_ui(ui, ctx, at, &clusters[at]);
            }
            if !weak.is_empty() {
                ui.add_space(4.0);
                let text = "Below the alarm: such things often have nature as their cause";
                ui.label(RichText::new(text).small().color(color.text_weak));
                ui.add_space(4.0);
                for at in weak {
                    cluster_ui(ui, ctx, at, &clusters[at]);
                }
            }
            if !dismissed.is_empty() {
                ui.add_space(theme::SECTION_GAP);
                ui.label(RichText::new("Not triggers").small().color(color.text_weak));
                for at in dismissed {
                    dismissed_ui(ui, ctx, at, &clusters[at]);
                }
            }
        });
    }
}

/// Whether a detector raised an alarm for it.
pub(super) fn is_alarm(ctx: &ViewCtx<'_>, cluster: &Cluster) -> bool {
    let signals =
        |item: Item| ctx.items.ranked(item).map(|ranked| ranked.signals.as_slice()).unwrap_or_default();
    let raises = |signal: &Signal| signal.alarm && signal.cluster.as_deref() == Some(cluster.id.as_str());
    members(ctx, cluster).into_iter().any(|item| signals(item).iter().any(raises))
}

fn card(ui: &mut egui::Ui, content: impl FnOnce(&mut egui::Ui)) {
    let color = palette(ui);
    egui::Frame::new()
        .fill(color.card)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(12))
        .outer_margin(egui::Margin { bottom: 8, ..egui::Margin::ZERO })
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
}

/// A cluster of which somebody said that it is no trigger.
fn dismissed_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, at: usize, cluster: &Cluster) {
    let Some(dismissed) = ctx.verdicts.dismissed(at) else { return };
    let color = palette(ui);
    card(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(44.0), Sense::hover());
            paint_picture(ui, ctx, rect, average_key(at, cluster));
            ui.vertical(|ui| {
                ui.label(title(cluster));
                let reason = if dismissed.reason.is_empty() { "no reason given" } else { &dismissed.reason };
                let text = format!("{}: {reason}", dismissed.reviewer);
                ui.add(egui::Label::new(RichText::new(text).color(color.text_weak)).truncate());
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let take_back = format!("{}  A trigger after all", icon::ARROW_COUNTER_CLOCKWISE);
                if ui.button(take_back).on_hover_text("Lists it again").clicked() {
                    ctx.send(Command::TakeBack(dismissed.step));
                }
                show_ui(ui, ctx, at, cluster);
            });
        });
    });
}

fn show_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, at: usize, cluster: &Cluster) {
    let text = format!("{}  Show all {}", icon::SQUARES_FOUR, grouped(cluster.members.len()));
    let tip = "The members with their boxes, to decide for some of them or one by one";
    if ui.button(text).on_hover_text(tip).clicked() {
        ctx.send(Command::Show(Queue::Cluster(at as u16)));
    }
}

fn cluster_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, at: usize, cluster: &Cluster) {
    let color = palette(ui);
    card(ui, |ui| {
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let all = members(ctx, cluster);
                let undecided = all.iter().filter(|item| !ctx.verdicts.is_decided(**item)).count();
                decide_ui(ui, ctx, at, all.len());
                let tip =
                    "Remember that this is harmless, such as a watermark or a studio, and list it no more";
                if ui.button(format!("{}  Not a trigger…", icon::PROHIBIT)).on_hover_text(tip).clicked() {
                    ctx.send(Command::AskDismiss(at as u16));
                }
                show_ui(ui, ctx, at, cluster);
                // What is left belongs to the title, however narrow it is.
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let mut name = title(cluster);
                    if undecided < all.len() {
                        name.push_str(&format!(", {} undecided", grouped(undecided)));
                    }
                    let name = strong(name).color(color.text_strong);
                    ui.add(egui::Label::new(name).truncate())
                        .on_hover_text(format!("Cluster {}", cluster.id));
                });
            });
        });
        // Cut off, a label shows its whole text to whoever points at it.
        ui.add(egui::Label::new(&cluster.reason).truncate());
        let chance = format!(
            "{} · {} · by chance: {}",
            make_up(ctx, cluster),
            match cluster.base_matches {
                _ if ctx.session.base().is_none() => "no base to compare with".to_owned(),
                0 => "nowhere in the base".to_owned(),
                many => format!("{} of the base come near", grouped(many as usize)),
            },
            odds(cluster.p_value)
        );
        ui.add(egui::Label::new(RichText::new(chance).color(color.text_weak)).truncate());
        ui.add_space(6.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let (rect, response) = ui.allocate_exact_size(Vec2::splat(AVERAGE), Sense::hover());
            response.widget_info(|| {
                let text = format!("What the members of {} share, averaged", cluster.id);
                egui::WidgetInfo::labeled(egui::Role::Image, true, text)
            });
            ui.painter().rect_filled(rect, 4.0, color.background);
            paint_picture(ui, ctx, rect, average_key(at, cluster));
            ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.5, color.warning), StrokeKind::Inside);
            let count = cluster.members.len().min(MOST_PARTS);
            response.on_hover_text(format!(
                "The average of {count} members: what they share is sharp, what they do not is blurred"
            ));
            parts_ui(ui, ctx, at, cluster);
        });
    });
}

/// Verdicts for all members: each asks with the count first, and is one step.
fn decide_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, at: usize, count: usize) {
    let text = format!("{}  Decide for all {}…  {}", icon::LIST_CHECKS, grouped(count), icon::CARET_DOWN);
    let menu = ui.menu_button(text, |ui| {
        let dark = ui.visuals().dark_mode;
        let mut verdicts = vec![Verdict::Exclude, Verdict::Revert, Verdict::Keep, Verdict::Unsure];
        if ctx.session.base().is_none() {
            verdicts.retain(|verdict| *verdict != Verdict::Revert);
        }
        for verdict in verdicts {
            let (sign, sign_color, word) = verdict_look(&verdict, dark);
            if ui.button(RichText::new(format!("{sign}  {word} all")).color(sign_color)).clicked() {
                ctx.send(Command::DecideCluster(at as u16, verdict));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text("One step, that one undo takes back; asks first");
}

fn average_key(at: usize, cluster: &Cluster) -> Key {
    let row = cluster.members.first().map_or(0, |member| member.row);
    Key { which: Which::Target, row, level: Level::Average(at as u16) }
}

/// The labels of the members, the most frequent first: "98 nsfw, 2 cat".
fn make_up(ctx: &ViewCtx<'_>, cluster: &Cluster) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for item in members(ctx, cluster) {
        let label = ctx.items.label(item).unwrap_or("no label");
        match counts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += 1,
            None => counts.push((label, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let rest = counts.len().saturating_sub(3);
    let mut parts: Vec<String> =
        counts.iter().take(3).map(|(label, count)| format!("{} {label}", grouped(*count))).collect();
    if rest > 0 {
        parts.push(format!("{rest} more labels"));
    }
    format!("labels: {}", parts.join(", "))
}

fn title(cluster: &Cluster) -> String {
    let what = if cluster.kind == "overlay" { "pattern over" } else { "mark in" };
    format!("The same {what} {} pictures", grouped(cluster.members.len()))
}

/// A chance in words for a person.
fn odds(p_value: f64) -> String {
    match -p_value.max(f64::MIN_POSITIVE).log10() {
        power if power >= 15.0 => "practically impossible".to_owned(),
        power if power >= 2.0 => format!("one in 10^{power:.0}"),
        _ => format!("{p_value:.2}"),
    }
}

fn members(ctx: &ViewCtx<'_>, cluster: &Cluster) -> Vec<Item> {
    cluster.members.iter().map(|member| ctx.items.item(Which::Target, member.row as usize)).collect()
}

fn parts_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, at: usize, cluster: &Cluster) {
    let color = palette(ui);
    let columns = (((ui.available_width() + GAP) / (PART + GAP)).floor() as usize).max(1);
    let shown = cluster.members.len().min(MOST_PARTS);
    let height = shown.div_ceil(columns) as f32 * (PART + GAP) - GAP;
    let (area, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::hover());
    for (place, member) in cluster.members.iter().take(shown).enumerate() {
        let item = ctx.items.item(Which::Target, member.row as usize);
        let corner = Vec2::new((place % columns) as f32, (place / columns) as f32) * (PART + GAP);
        let rect = Rect::from_min_size(area.min + corner, Vec2::splat(PART));
        if !ui.is_rect_visible(rect) {
            continue;
        }
        let response = ui.interact(rect, egui::Id::unique(("part", at, place)), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, spoken(ctx, item)));
        ui.painter().rect_filled(rect, 4.0, color.background);
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        inside.set_clip_rect(rect.intersect(ui.clip_rect()));
        paint_part(&inside, ctx, rect, item, member.area);
        if let Some(verdict) = ctx.verdicts.get(item) {
            let (_, verdict_color, _) = verdict_look(verdict, ui.visuals().dark_mode);
            let line = rect.with_min_y(rect.bottom() - 3.0);
            ui.painter().rect_filled(line, 0.0, verdict_color);
        }
        let label = ctx.items.label(item);
        let is_odd = label != Some(cluster.label.as_str());
        if response.hovered() || is_odd {
            let stroke = Stroke::new(1.5, if response.hovered() { color.accent } else { color.warning });
            ui.painter().rect_stroke(rect, 4.0, stroke, StrokeKind::Inside);
        }
        let odd = if is_odd { format!("\nlabelled {}", label.unwrap_or("nothing")) } else { String::new() };
        if response.on_hover_text(format!("{}{odd}", ctx.items.key(item))).clicked() {
            ctx.send(Command::Show(Queue::Cluster(at as u16)));
            ctx.send(Command::Focus(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::odds;

    #[test]
    fn chances_are_said_in_words() {
        for (p, text) in
            [(0.0, "practically impossible"), (1e-12, "one in 10^12"), (0.25, "0.25"), (1.0, "1.00")]
        {
            assert_eq!(odds(p), text);
        }
    }
}
