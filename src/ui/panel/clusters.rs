//! Which pictures share a mark? A card a cluster: the mark cut out of its members, what is known of it, what to do.

use eframe::egui::{self, Rect, RichText, Sense, Stroke, StrokeKind, Vec2};

use crate::model::{Cluster, Verdict};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::session::Which;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::{grouped, paint_part, spoken};

use super::Panel;
use super::gallery::nothing_ui;

/// Side of a cut-out, points.
const PART: f32 = 72.0;
/// Lines of cut-outs on one card.
const LINES: usize = 2;
/// Height of a card but for its cut-outs, points; the list only lays out what is visible.
const TEXT_HEIGHT: f32 = 118.0;
const GAP: f32 = 8.0;

/// The cards of all clusters.
pub struct Clusters;

impl Panel for Clusters {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Triggers
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        let color = palette(ui);
        let clusters = ctx.items.scan.as_ref().map(|scan| scan.clusters.as_slice()).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            let title = RichText::new(view.queue.title()).font(theme::title_font()).color(color.text_strong);
            ui.label(title).on_hover_text(view.queue.explanation());
            ui.label(RichText::new(grouped(clusters.len())).color(color.text_weak));
        });
        ui.add_space(4.0);
        if clusters.is_empty() {
            nothing_ui(ui, ctx, view);
            return;
        }
        let height = TEXT_HEIGHT + LINES as f32 * (PART + GAP);
        egui::ScrollArea::vertical().id_salt("clusters").auto_shrink([false, false]).show_rows(
            ui,
            height,
            clusters.len(),
            |ui, range| {
                for at in range {
                    cluster_ui(ui, ctx, view, at, &clusters[at], height);
                }
            },
        );
    }
}

fn cluster_ui(
    ui: &mut egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &mut ViewState,
    at: usize,
    cluster: &Cluster,
    height: f32,
) {
    let color = palette(ui);
    let frame = egui::Frame::new()
        .fill(color.card)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(12))
        .outer_margin(egui::Margin { bottom: 8, ..egui::Margin::ZERO });
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_min_height(height - 12.0 * 2.0 - 8.0 - ui.spacing().item_spacing.y);
        ui.horizontal(|ui| {
            ui.label(strong(title(cluster)).color(color.text_strong));
            ui.label(RichText::new(&cluster.id).color(color.text_weak));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let all = members(ctx, cluster);
                let undecided = all.iter().filter(|item| !ctx.verdicts.is_decided(**item)).count();
                let exclude = format!("{}  Exclude all {}…", icon::TRASH, grouped(all.len()));
                let tip = "One step, that one undo takes back; asks first";
                if ui.button(exclude).on_hover_text(tip).clicked() {
                    view.selection.clear();
                    for item in &all {
                        view.selection.set(*item, true);
                    }
                    ctx.send(Command::Decide(Some(Verdict::Exclude)));
                }
                let open = format!("{}  Show all {}", icon::SQUARES_FOUR, grouped(all.len()));
                if ui
                    .button(open)
                    .on_hover_text("The members with their boxes, to decide one by one")
                    .clicked()
                {
                    ctx.send(Command::Show(Queue::Cluster(at as u16)));
                }
                if undecided < all.len() {
                    let left = format!("{} undecided", grouped(undecided));
                    ui.label(RichText::new(left).color(color.text_weak));
                }
            });
        });
        ui.add(egui::Label::new(&cluster.reason).truncate()).on_hover_text(&cluster.reason);
        let chance = format!(
            "{:.0} % labelled {} · {} · by chance: {}",
            100.0 * cluster.label_share,
            cluster.label,
            match cluster.base_matches {
                _ if ctx.session.base().is_none() => "no base to compare with".to_owned(),
                0 => "nowhere in the base".to_owned(),
                many => format!("{} of the base come near", grouped(many as usize)),
            },
            odds(cluster.p_value)
        );
        ui.label(RichText::new(chance).color(color.text_weak));
        ui.add_space(4.0);
        parts_ui(ui, ctx, at, cluster);
    });
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
    let room = columns * LINES;
    let (area, _) = ui.allocate_exact_size(
        Vec2::new(ui.available_width(), LINES as f32 * (PART + GAP) - GAP),
        Sense::hover(),
    );
    for (place, member) in cluster.members.iter().take(room).enumerate() {
        let item = ctx.items.item(Which::Target, member.row as usize);
        let corner = Vec2::new((place % columns) as f32, (place / columns) as f32) * (PART + GAP);
        let rect = Rect::from_min_size(area.min + corner, Vec2::splat(PART));
        let response = ui.interact(rect, egui::Id::unique(("part", at, place)), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, spoken(ctx, item)));
        ui.painter().rect_filled(rect, 4.0, color.background);
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        inside.set_clip_rect(rect.intersect(ui.clip_rect()));
        paint_part(&inside, ctx, rect, item, member.area);
        if response.hovered() {
            ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.5, color.accent), StrokeKind::Inside);
        }
        if response.on_hover_text(ctx.items.key(item)).clicked() {
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
