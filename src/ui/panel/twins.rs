//! Which samples show one picture? A row a group: its members beside each other, with what sets them apart.

use eframe::egui::{self, Align2, FontId, Rect, RichText, Sense, Stroke, StrokeKind, Vec2};

use crate::model::{Group, GroupMember};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, Sort, View, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::{CAPTION, Emphasis, card_ui, grouped, remembered, spoken};

use super::Panel;
use super::gallery::{click, header_ui, nothing_ui};

/// Height of a group's line of text, and of the words under its pictures.
const HEAD: f32 = 30.0;
const WORDS: f32 = 18.0;
const PAD: f32 = 10.0;
const GAP: f32 = 8.0;

/// Groups of duplicates.
pub struct Twins;

impl Panel for Twins {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Twins && view.view == View::Grid && view.sort == Sort::Queue
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
        header_ui(ui, ctx, view, settings);
        if ctx.rows.is_empty() {
            nothing_ui(ui, ctx, view);
            return;
        }
        view.grid_shape = (1, 10);
        let side = settings.thumbnail_size.min(180.0);
        let height = HEAD + side + CAPTION + WORDS + 2.0 * PAD;
        let groups = remembered(ui, "twin-groups", ctx.rows_generation, || listed(ctx));
        let mut area = egui::ScrollArea::vertical().id_salt("twins").auto_shrink([false, false]);
        if std::mem::take(&mut view.scroll_to_cursor) {
            let at = view.cursor.and_then(|cursor| {
                groups.iter().position(|(from, to)| ctx.rows[*from..*to].contains(&cursor))
            });
            if let Some(at) = at {
                let (now, page, pitch) = (view.scroll_y, ui.available_height(), height + GAP);
                area = super::gallery::scroll_into_view(
                    area,
                    now,
                    page,
                    at as f64 * f64::from(pitch),
                    pitch,
                    1.0,
                );
            }
        }
        ui.spacing_mut().item_spacing.y = GAP;
        let output = area.show_rows(ui, height, groups.len(), |ui, range| {
            let mut clicked = None;
            for (from, to) in &groups[range] {
                clicked = group_ui(ui, ctx, view, &ctx.rows[*from..*to], side, height).or(clicked);
            }
            clicked
        });
        view.scroll_y = output.state.clamped_offset().y;
        if let Some((item, modifiers)) = output.inner {
            click(ctx, view, item, modifiers);
        }
    }
}

/// Where the rows of each group begin and end.
fn listed(ctx: &ViewCtx<'_>) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut last = None;
    for (at, item) in ctx.rows.iter().enumerate() {
        let place = ctx.items.group_place(*item);
        match groups.last_mut() {
            Some((_, to)) if place == last => *to = at + 1,
            _ => groups.push((at, at + 1)),
        }
        last = place;
    }
    groups
}

type Clicked = Option<(Item, egui::Modifiers)>;

fn group_ui(
    ui: &mut egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &ViewState,
    members: &[Item],
    side: f32,
    height: f32,
) -> Clicked {
    let color = palette(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::hover());
    let group = members.first().and_then(|item| ctx.items.group_of(*item))?;
    let here = members.iter().any(|item| view.cursor == Some(*item));
    ui.painter().rect_filled(rect, theme::RADIUS, color.panel);
    if here {
        let stroke = Stroke::new(1.0, color.line);
        ui.painter().rect_stroke(rect, theme::RADIUS, stroke, StrokeKind::Inside);
    }
    let inner = rect.shrink(PAD);
    let mut head = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(inner.with_max_y(inner.top() + HEAD - 4.0))
            .layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    head_ui(&mut head, ctx, group, here);
    let top = inner.top() + HEAD;
    let room = (((inner.width() + GAP) / (side + GAP)).floor() as usize).max(1);
    // The last place says how many there are beyond it.
    let shown = if members.len() > room { room.saturating_sub(1).max(1) } else { members.len() };
    // When the cursor is on one that would be hidden, the list begins further on.
    let at = members.iter().position(|item| view.cursor == Some(*item)).unwrap_or(0);
    let first = (at + 1).saturating_sub(shown);
    let mut clicked = None;
    for (place, item) in members.iter().skip(first).take(shown).enumerate() {
        let corner = egui::pos2(inner.left() + place as f32 * (side + GAP), top);
        let card = Rect::from_min_size(corner, Vec2::new(side, side + CAPTION));
        let response = ui.interact(card, egui::Id::unique(("twin", item.0)), Sense::click());
        let selected = view.selection.contains(*item);
        let said = words(ctx, group, *item);
        response.widget_info(|| {
            let text = format!("{}, {said}", spoken(ctx, *item));
            egui::WidgetInfo::selected(egui::Role::Button, true, selected, text)
        });
        let emphasis = Emphasis {
            selected: selected && view.selection.len() > 1,
            cursor: view.cursor == Some(*item),
            hovered: response.hovered(),
        };
        card_ui(ui, ctx, card, *item, emphasis);
        let below = Rect::from_min_size(card.left_bottom(), Vec2::new(side, WORDS));
        ui.painter_at(below).text(
            below.left_center() + Vec2::new(7.0, 1.0),
            Align2::LEFT_CENTER,
            said,
            FontId::proportional(11.0),
            if group.splits.is_empty() { color.text_weak } else { color.warning },
        );
        if response.double_clicked() {
            ctx.send(Command::FullScreen);
        }
        let response = response.on_hover_text(ctx.items.key(*item));
        if response.clicked() {
            clicked = Some((*item, ui.input(|input| input.modifiers)));
        }
    }
    if members.len() > shown {
        let corner = egui::pos2(inner.left() + shown as f32 * (side + GAP), top);
        let more = Rect::from_min_size(corner, Vec2::new(side, side + CAPTION));
        let text = format!("{} more", grouped(members.len() - shown));
        let font = FontId::proportional(13.0);
        ui.painter().text(more.center(), Align2::CENTER_CENTER, text, font, color.text_weak);
    }
    clicked
}

fn head_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, group: &Group, here: bool) {
    let color = palette(ui);
    let mut mark = |text: &str, color| {
        ui.label(RichText::new(format!("{}  {text}", icon::WARNING)).color(color).small());
    };
    if group.labels_differ {
        mark("labels differ", color.warning);
    }
    if !group.splits.is_empty() {
        mark(&format!("in {}", group.splits.join(" and ")), color.danger);
    }
    if group.golden {
        mark("in the golden set", color.danger);
    }
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if here {
            let tip = ctx.tip("Keep the sample under the cursor, exclude the others", &Command::KeepOne);
            if ui.small_button(format!("{}  Keep this one", icon::CHECK)).on_hover_text(tip).clicked() {
                ctx.send(Command::KeepOne);
            }
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.label(strong(format!("{} ×", group.members.len())).small());
            let text = RichText::new(&group.reason).small().color(color.text_weak);
            ui.add(egui::Label::new(text).truncate()).on_hover_text(&group.reason);
        });
    });
}

/// What sets a member apart from the others: where it is, in which split, and how it relates to the first.
fn words(ctx: &ViewCtx<'_>, group: &Group, item: Item) -> String {
    let here = |member: &&GroupMember| ctx.items.member(member) == item;
    let Some(member) = group.members.iter().find(here) else { return String::new() };
    let mut parts = Vec::new();
    if member.in_base {
        parts.push("base".to_owned());
    }
    if let Some(split) = ctx.items.split(item).filter(|_| !group.splits.is_empty()) {
        parts.push(format!("split {split}"));
    }
    let is_first = group.members.first().is_some_and(|first| ctx.items.member(first) == item);
    parts.push(if is_first { "compared with" } else { member.kind.as_str() }.to_owned());
    parts.join(" · ")
}
