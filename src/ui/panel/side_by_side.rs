//! How does each sample look in every version? Beside each other, with one scroll and one selection.

use eframe::egui::{self, Align2, FontId, Rect, Sense, Stroke, StrokeKind, Vec2};

use crate::ui::app::ViewCtx;
use crate::ui::items::Item;
use crate::ui::session::Which;
use crate::ui::settings::Settings;
use crate::ui::state::{View, ViewState};
use crate::ui::theme::{self, change_look, palette};
use crate::ui::thumbnails::{Key, Level};
use crate::ui::widget::{on_picture, paint_picture, spoken};

use super::Panel;
use super::gallery::{click, header_ui, nothing_ui, scroll_into_view};

const GAP: f32 = 8.0;
const HEAD: f32 = 26.0;

/// Base, contribution and further versions: a cell a sample, in which each version has its place.
pub struct SideBySide;

impl Panel for SideBySide {
    fn applies(&self, ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.view == View::SideBySide && versions(ctx).len() > 1 && !ctx.blind
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
        header_ui(ui, ctx, view, settings);
        if ctx.rows.is_empty() {
            nothing_ui(ui, ctx, view);
            return;
        }
        pairs_ui(ui, ctx, view, settings);
    }
}

fn pairs_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    let side = settings.thumbnail_size * 1.2;
    let bar = ui.spacing().scroll.bar_width + 6.0;
    let width = ui.available_width() - bar;
    // As many samples beside each other as fit, each with a part for every version.
    let parts = versions(ctx).len() as f32;
    let columns = (((width + GAP) / (parts * side + GAP)).floor() as usize).clamp(1, 4);
    // In a narrow window the parts shrink rather than run out of it.
    let side = side.min((width + GAP) / columns as f32 / parts);
    let cell = Vec2::new((width - GAP * (columns as f32 - 1.0)) / columns as f32, side + HEAD + 8.0);
    let pitch = cell.y + GAP;
    let lines = ctx.rows.len().div_ceil(columns);
    view.grid_shape = (columns, (ui.available_height() / pitch).ceil() as usize);
    heads_ui(ui, ctx, width, columns, cell.x);
    let squeeze = (lines as f64 * f64::from(pitch) / 8_000_000.0).max(1.0);
    let height = (lines as f64 * f64::from(pitch) / squeeze) as f32;
    let mut area = egui::ScrollArea::vertical().id_salt(("gallery", view.queue)).auto_shrink([false, false]);
    if std::mem::take(&mut view.scroll_to_cursor) {
        let at = view.cursor.and_then(|cursor| ctx.rows.iter().position(|item| *item == cursor));
        if let Some(at) = at {
            let y = (at / columns) as f64 * f64::from(pitch);
            area = scroll_into_view(area, view.scroll_y, ui.available_height(), y, pitch, squeeze);
        }
    }
    let output = area.show_viewport(ui, |ui, viewport| {
        ui.set_height(height);
        ui.set_width(width);
        let origin = ui.max_rect().min;
        let top = f64::from(viewport.top()) * squeeze;
        let first = (top / f64::from(pitch)).floor().max(0.0) as usize;
        let last = (first + (viewport.height() / pitch).ceil() as usize + 1).min(lines);
        let mut clicked = None;
        for at in first * columns..(last * columns).min(ctx.rows.len()) {
            let item = ctx.rows[at];
            let y = origin.y + viewport.top() + ((at / columns) as f64 * f64::from(pitch) - top) as f32;
            let x = origin.x + (at % columns) as f32 * (cell.x + GAP);
            let rect = Rect::from_min_size(egui::pos2(x, y), cell);
            let response = ui.interact(rect, egui::Id::unique(("pair", item.0)), Sense::click());
            response.widget_info(|| {
                egui::WidgetInfo::selected(
                    egui::Role::Button,
                    true,
                    view.selection.contains(item),
                    spoken(ctx, item),
                )
            });
            pair_ui(ui, ctx, view, rect, item, response.hovered());
            if response.clicked() {
                clicked = Some((item, ui.input(|input| input.modifiers)));
            }
        }
        clicked
    });
    view.scroll_y = output.state.clamped_offset().y;
    if let Some((item, modifiers)) = output.inner {
        click(ctx, view, item, modifiers);
    }
}

fn heads_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, width: f32, columns: usize, cell_width: f32) {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(width, 20.0), Sense::hover());
    let versions = versions(ctx);
    let part = cell_width / versions.len() as f32;
    for column in 0..columns {
        let left = rect.left() + column as f32 * (cell_width + GAP);
        for (at, which) in versions.iter().enumerate() {
            let slot = ctx.session.slot(*which);
            let name = slot.and_then(|slot| slot.version()).map_or("…", |version| version.name());
            let text = format!("{} · {name}", role(*which));
            let at = egui::pos2(left + 8.0 + at as f32 * part, rect.center().y);
            let area = Rect::from_min_size(egui::pos2(at.x, rect.top()), Vec2::new(part - 12.0, 20.0));
            let small = FontId::proportional(11.5);
            ui.painter_at(area).text(at, Align2::LEFT_CENTER, text, small, palette.text_weak);
        }
    }
}

/// The versions that are beside each other, the base first.
fn versions(ctx: &ViewCtx<'_>) -> Vec<Which> {
    let base = ctx.session.base().map(|_| Which::Base);
    let further = ctx.session.further().map(|(which, _)| which);
    base.into_iter().chain([Which::Target]).chain(further).collect()
}

/// What a version is, in a word.
fn role(which: Which) -> &'static str {
    match which {
        Which::Base => "Base",
        Which::Target => "Contribution",
        Which::Further(_) => "Further",
    }
}

/// Where a version shows a sample: its row there, and its label.
struct Shown<'a> {
    row: u32,
    label: Option<&'a str>,
}

/// Each version's view of a sample.
fn shown<'a>(ctx: &'a ViewCtx<'_>, item: Item, which: Which) -> Option<Shown<'a>> {
    let (own, row) = ctx.items.place(item);
    let of_item = |item: Item| Shown { row: ctx.items.place(item).1 as u32, label: ctx.items.label(item) };
    match (which, own) {
        (Which::Base, Which::Base) | (Which::Target, Which::Target) => Some(of_item(item)),
        (Which::Base, _) => ctx.items.counterpart(item).map(of_item),
        (Which::Target, _) => None,
        (Which::Further(at), _) => {
            let version = ctx.session.slot(which)?.version()?;
            let row = match own {
                Which::Target => ctx.session.in_further(at, row)?,
                // What the contribution removed is looked for by its name.
                _ => version.row_of(ctx.items.key(item))? as u32,
            };
            Some(Shown { row, label: version.label(row as usize) })
        }
    }
}

fn pair_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState, rect: Rect, item: Item, hovered: bool) {
    let palette = palette(ui);
    let cursor = view.cursor == Some(item);
    let selected = view.selection.contains(item) && view.selection.len() > 1;
    let fill = if selected {
        palette.accent_soft
    } else if hovered {
        palette.card_hovered
    } else {
        palette.card
    };
    let painter = ui.painter_at(rect.expand(2.0));
    painter.rect_filled(rect, theme::RADIUS, fill);
    let versions = versions(ctx);
    let part = rect.width() / versions.len() as f32;
    let seen: Vec<Option<Shown<'_>>> = versions.iter().map(|which| shown(ctx, item, *which)).collect();
    // The label of the first version that has the sample; others that differ from it stand out.
    let first = seen.iter().flatten().next().map(|shown| shown.label);
    for (at, (which, seen)) in versions.iter().zip(&seen).enumerate() {
        let left = rect.left() + at as f32 * part;
        let inside = Rect::from_min_max(egui::pos2(left, rect.top()), egui::pos2(left + part, rect.bottom()));
        let half = inside.shrink2(Vec2::new(1.0, 0.0));
        if at > 0 {
            painter.vline(left, rect.y_range().shrink(8.0), Stroke::new(1.0, palette.line));
        }
        let picture = Rect::from_min_max(
            half.min + Vec2::splat(4.0),
            egui::pos2(half.right() - 4.0, half.bottom() - HEAD),
        );
        let Some(seen) = seen else {
            painter.rect_stroke(picture.shrink(6.0), 4.0, Stroke::new(1.0, palette.line), StrokeKind::Inside);
            painter.text(
                picture.center(),
                Align2::CENTER_CENTER,
                "not there",
                FontId::proportional(12.0),
                palette.text_weak,
            );
            continue;
        };
        let key = Key { which: *which, row: seen.row, level: Level::Small };
        let drawn = paint_picture(ui, ctx, picture, key);
        let marked = ctx.items.change(item).and_then(|change| change.changed_box);
        if let (Some(area), Some((shown, stored)), Which::Target) = (marked, drawn, which) {
            let (_, color, _) = change_look(crate::model::ChangeKind::Edited, true);
            let area = on_picture(area, shown, stored);
            painter.rect_stroke(area, 2.0, Stroke::new(1.5, color), StrokeKind::Outside);
        }
        let color = if first == Some(seen.label) {
            palette.text
        } else {
            change_look(crate::model::ChangeKind::Relabelled, ui.visuals().dark_mode).1
        };
        let at = egui::pos2(half.left() + 8.0, half.bottom() - HEAD / 2.0);
        ui.painter_at(half.shrink(3.0)).text(
            at,
            Align2::LEFT_CENTER,
            seen.label.unwrap_or("no label"),
            FontId::proportional(12.5),
            color,
        );
    }
    if let Some(change) = ctx.items.change(item) {
        let (sign, color, _) = change_look(change.kind, true);
        let middle = rect.left() + if versions.len() > 1 { part } else { 0.5 * part };
        let badge = Rect::from_center_size(egui::pos2(middle, rect.top() + 16.0), Vec2::splat(20.0));
        painter.rect_filled(badge, 5.0, palette.scrim);
        painter.text(badge.center(), Align2::CENTER_CENTER, sign, FontId::proportional(14.0), color);
    }
    if let Some(verdict) = ctx.verdicts.get(item) {
        let (sign, color, _) = theme::verdict_look(verdict, true);
        let badge = Rect::from_min_size(egui::pos2(rect.right() - 27.0, rect.top() + 6.0), Vec2::splat(20.0));
        painter.rect_filled(badge, 5.0, palette.scrim);
        painter.text(badge.center(), Align2::CENTER_CENTER, sign, FontId::proportional(14.0), color);
    }
    if cursor || selected {
        let width = if cursor { 2.5 } else { 1.5 };
        painter.rect_stroke(rect, theme::RADIUS, Stroke::new(width, palette.accent), StrokeKind::Inside);
    }
}
