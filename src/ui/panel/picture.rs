//! What does one sample look like, large, and beside its counterpart? In the inspector, alone, and one by one.

use eframe::egui::{self, Align2, FontId, Rect, Sense, Stroke, StrokeKind, Vec2};

use crate::model::{ChangeKind, PixelBox};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::settings::Settings;
use crate::ui::state::{PictureMode, Queue, View, ViewState};
use crate::ui::theme::{self, change_look, icon, palette};
use crate::ui::thumbnails::{Key, Level, Thumbnail};
use crate::ui::widget::{Emphasis, card_ui, cursor_place, icon_button, on_picture, paint_picture, spoken};

use super::Panel;
use super::gallery::{header_ui, nothing_ui};

/// Pictures that are fetched ahead of the cursor and behind it: somebody who decides three times a second needs one
/// every 330 ms, and a large one takes a worker about 40 ms.
const AHEAD: usize = 6;
const BEHIND: usize = 2;

/// Side of a picture in the strip under the large one, points.
const STRIP: f32 = 68.0;

/// Seconds between the two pictures of a blink.
const BLINK: f64 = 0.6;

/// The most that a picture can be enlarged beyond its fit.
const MOST_ZOOM: f32 = 40.0;

/// The picture alone, in the centre.
pub struct FullScreen;

impl Panel for FullScreen {
    fn applies(&self, ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.full_screen && view.cursor.is_some() && !ctx.items.is_empty()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        let Some(item) = view.cursor else { return };
        let (area, _) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
        picture_ui(ui, ctx, view, area, item);
        fetch_ahead(ui, ctx, item);
    }
}

/// One sample after the other, with those before and after it in a strip.
pub struct OneByOne;

impl Panel for OneByOne {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.view == View::OneByOne && !matches!(view.queue, Queue::Overview)
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
        header_ui(ui, ctx, view, settings);
        let Some(item) = view.cursor.filter(|_| !ctx.rows.is_empty()) else {
            nothing_ui(ui, ctx, view);
            return;
        };
        // Every arrow moves by one.
        view.grid_shape = (1, 10);
        let below = STRIP + 24.0 + 30.0 + 3.0 * theme::GAP;
        let size = Vec2::new(ui.available_width(), (ui.available_height() - below).max(120.0));
        let (area, _) = ui.allocate_exact_size(size, Sense::hover());
        picture_ui(ui, ctx, view, area, item);
        ui.add_space(theme::GAP);
        picture_bar_ui(ui, ctx, view, item);
        strip_ui(ui, ctx, view, item);
        fetch_ahead(ui, ctx, item);
    }
}

/// Asks for the pictures that the next keys will show.
fn fetch_ahead(ui: &egui::Ui, ctx: &ViewCtx<'_>, item: Item) {
    let Some(at) = cursor_place(ui, ctx, item) else { return };
    let ahead = ctx.rows.iter().skip(at + 1).take(AHEAD);
    let behind = ctx.rows[..at].iter().rev().take(BEHIND);
    for next in ahead.chain(behind) {
        let (which, row) = ctx.items.place(*next);
        let _ = ctx.thumbnails.get(Key { which, row: row as u32, level: Level::Large });
    }
}

/// The samples before and after this one.
fn strip_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState, item: Item) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), STRIP + 24.0), Sense::hover());
    let Some(at) = cursor_place(ui, ctx, item) else { return };
    let gap = theme::GAP;
    let half = ((rect.width() / 2.0 - STRIP / 2.0) / (STRIP + gap)).floor().max(0.0) as usize;
    for (place, other) in ctx.rows.iter().enumerate().take(at + half + 1).skip(at.saturating_sub(half)) {
        let offset = (place as f32 - at as f32) * (STRIP + gap);
        let corner = egui::pos2(rect.center().x - STRIP / 2.0 + offset, rect.top());
        let card = Rect::from_min_size(corner, Vec2::new(STRIP, STRIP + 24.0));
        let response = ui.interact(card, egui::Id::unique(("strip", other.0)), Sense::click());
        let is_here = place == at;
        response.widget_info(|| {
            egui::WidgetInfo::selected(egui::Role::Button, true, is_here, spoken(ctx, *other))
        });
        let emphasis = Emphasis {
            selected: view.selection.contains(*other) && view.selection.len() > 1,
            cursor: is_here,
            hovered: response.hovered(),
        };
        card_ui(ui, ctx, card, *other, emphasis);
        if response.clicked() {
            ctx.send(Command::Focus(*other));
        }
    }
}

fn large(ctx: &ViewCtx<'_>, item: Item) -> Key {
    let (which, row) = ctx.items.place(item);
    Key { which, row: row as u32, level: Level::Large }
}

/// Draws the picture of a sample, and what it is compared with, into `area`; scroll zooms, a drag moves.
pub fn picture_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, area: Rect, item: Item) {
    let color = palette(ui);
    ui.painter().rect_filled(area, theme::RADIUS, color.background);
    let counterpart = ctx.items.counterpart(item).filter(|_| !ctx.blind);
    let mode = if counterpart.is_some() { view.picture } else { PictureMode::Plain };
    let response = ui.interact(area, egui::Id::unique("large-picture"), Sense::click_and_drag());
    response.widget_info(|| {
        let text = format!("Picture of {}{}", spoken(ctx, item), spoken_mode(mode));
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    // Both halves move together, so zoom and drag mean the same in each.
    let halves = [
        Rect::from_min_max(area.min, egui::pos2(area.center().x - 2.0, area.bottom())),
        Rect::from_min_max(egui::pos2(area.center().x + 2.0, area.top()), area.max),
    ];
    let under = |at: egui::Pos2| match mode {
        PictureMode::Both => halves[usize::from(at.x > area.center().x)],
        _ => area,
    };
    handle(ui, ctx, view, &response, mode, area, under);
    // Ask for the counterpart too, so that blinking shows it at once.
    if let Some(other) = counterpart {
        let _ = ctx.thumbnails.get(large(ctx, other));
    }
    let draw = Drawing { ctx, item, zoom: view.zoom, pan: view.pan };
    let own = large(ctx, item);
    let base = counterpart.map(|other| large(ctx, other));
    match (mode, base) {
        (PictureMode::Both, Some(base)) => {
            draw.plain(ui, halves[0], halves[0], base);
            draw.marked(ui, halves[1], halves[1], own);
            word_ui(ui, halves[0], "Base", Align2::LEFT_TOP);
            word_ui(ui, halves[1], "Contribution", Align2::LEFT_TOP);
        }
        (PictureMode::Swipe, Some(base)) => {
            let x = egui::lerp(area.x_range(), view.swipe);
            draw.plain(ui, area.with_max_x(x), area, base);
            draw.marked(ui, area.with_min_x(x), area, own);
            ui.painter().vline(x, area.y_range(), Stroke::new(2.0, color.accent));
            ui.painter().circle_filled(egui::pos2(x, area.center().y), 7.0, color.accent);
            word_ui(ui, area, "Base", Align2::LEFT_TOP);
            word_ui(ui, area, "Contribution", Align2::RIGHT_TOP);
        }
        (PictureMode::Blink, Some(base)) => {
            let now = ui.input(|input| input.time);
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(BLINK - now % BLINK + 0.001));
            if (now / BLINK) as u64 % 2 == 1 {
                draw.plain(ui, area, area, base);
                word_ui(ui, area, "Base", Align2::LEFT_TOP);
            } else {
                draw.marked(ui, area, area, own);
                word_ui(ui, area, "Contribution", Align2::LEFT_TOP);
            }
        }
        (PictureMode::Counterpart, Some(base)) => {
            draw.plain(ui, area, area, base);
            word_ui(ui, area, "Base", Align2::LEFT_TOP);
        }
        (PictureMode::Difference, Some(base)) => {
            let level = Level::Difference { base: base.row, gain: view.gain };
            draw.marked(ui, area, area, Key { level, ..own });
            word_ui(ui, area, &format!("Difference × {}", view.gain), Align2::LEFT_TOP);
        }
        _ => draw.marked(ui, area, area, own),
    }
}

/// How the pictures of one sample are drawn.
struct Drawing<'a, 'c> {
    ctx: &'a ViewCtx<'c>,
    item: Item,
    zoom: f32,
    pan: Vec2,
}

impl Drawing<'_, '_> {
    /// Draws what of a picture, fitted into `around`, is within `clip`: where it is, and the size of the stored picture.
    fn plain(&self, ui: &mut egui::Ui, clip: Rect, around: Rect, key: Key) -> Option<(Rect, [u32; 2])> {
        let middle = around.center() + self.pan;
        let fitted = Rect::from_center_size(middle, around.size() * self.zoom).shrink(2.0);
        let mut clipped = ui.new_child(egui::UiBuilder::new().max_rect(around));
        clipped.set_clip_rect(clip.intersect(ui.clip_rect()));
        let drawn = paint_picture(&clipped, self.ctx, fitted, key);
        if drawn.is_none() && matches!(self.ctx.thumbnails.get(key), Thumbnail::Pending) {
            return paint_picture(&clipped, self.ctx, fitted, Key { level: Level::Small, ..key });
        }
        drawn
    }

    /// The same with the boxes of what changed and of what detectors point at.
    fn marked(&self, ui: &mut egui::Ui, clip: Rect, around: Rect, key: Key) {
        if let Some((shown, stored)) = self.plain(ui, clip, around, key) {
            marks_ui(ui, self.ctx, self.item, clip, shown, stored);
        }
    }
}

fn spoken_mode(mode: PictureMode) -> &'static str {
    match mode {
        PictureMode::Plain => "",
        PictureMode::Counterpart => ", as it is in the base",
        PictureMode::Difference => ", difference to the base",
        PictureMode::Both => ", beside the base",
        PictureMode::Swipe => ", over the base",
        PictureMode::Blink => ", in turn with the base",
    }
}

/// Zoom towards the pointer, drag, and the line of a swipe.
fn handle(
    ui: &egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &mut ViewState,
    response: &egui::Response,
    mode: PictureMode,
    area: Rect,
    under: impl Fn(egui::Pos2) -> Rect,
) {
    if let Some(pointer) = response.hover_pos() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta.y, input.zoom_delta()));
        let factor = pinch * (scroll * 0.004).exp();
        if (factor - 1.0).abs() > 1e-4 {
            let zoom = (view.zoom * factor).clamp(1.0, MOST_ZOOM);
            // What is under the pointer stays there.
            let from_middle = pointer - under(pointer).center();
            view.pan = from_middle + (view.pan - from_middle) * (zoom / view.zoom);
            view.zoom = zoom;
            ui.input_mut(|input| input.smooth_scroll_delta = Vec2::ZERO);
        }
    }
    if response.drag_started() {
        let x = egui::lerp(area.x_range(), view.swipe);
        let near = response.interact_pointer_pos().is_some_and(|at| (at.x - x).abs() < 24.0);
        view.dragging_swipe = mode == PictureMode::Swipe && (near || view.zoom <= 1.0);
    }
    if response.dragged() {
        match response.interact_pointer_pos() {
            Some(at) if view.dragging_swipe => {
                view.swipe = ((at.x - area.left()) / area.width().max(1.0)).clamp(0.0, 1.0);
            }
            _ => view.pan += response.drag_delta(),
        }
    }
    if response.double_clicked() {
        ctx.send(Command::FullScreen);
    }
    if view.zoom <= 1.0 {
        view.pan = Vec2::ZERO;
    }
}

/// Boxes of what changed and of what detectors point at.
fn marks_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, item: Item, clip: Rect, shown: Rect, stored: [u32; 2]) {
    if ctx.blind {
        return;
    }
    let painter = ui.painter_at(clip);
    let changed = ctx.items.change(item).and_then(|change| change.changed_box);
    let boxes = changed.into_iter().map(|area| (area, ChangeKind::Edited));
    let signals = ctx.items.ranked(item).map(|ranked| ranked.signals.as_slice()).unwrap_or_default();
    let areas = signals.iter().filter_map(|signal| signal.area).map(|area| (area, ChangeKind::Removed));
    let mut drawn: Vec<PixelBox> = Vec::new();
    for (area, kind) in boxes.chain(areas).filter(|(area, _)| {
        let is_new = !drawn.contains(area);
        drawn.push(*area);
        is_new
    }) {
        let (_, color, _) = change_look(kind, true);
        let marked = on_picture(area, shown, stored);
        painter.rect_stroke(marked, 2.0, Stroke::new(2.0, color), StrokeKind::Outside);
    }
}

/// A word in a corner of a picture.
fn word_ui(ui: &egui::Ui, area: Rect, word: &str, corner: Align2) {
    let color = palette(ui);
    let painter = ui.painter_at(area);
    let galley = painter.layout_no_wrap(word.to_owned(), FontId::proportional(12.0), color.on_scrim);
    let rect = corner.align_size_within_rect(galley.size() + Vec2::new(12.0, 6.0), area.shrink(8.0));
    painter.rect_filled(rect, 4.0, color.scrim);
    painter.galley(rect.min + Vec2::new(6.0, 3.0), galley, color.on_scrim);
}

/// How the picture is shown: alone, or compared with its counterpart.
pub fn picture_bar_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState, item: Item) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let has = ctx.items.counterpart(item).is_some();
        // Words where there is room for them, signs with a tooltip where there is not.
        let with_words = ui.available_width() > 560.0;
        if ctx.session.base().is_some() && !ctx.blind {
            let modes = [
                (icon::COLUMNS, "Both", PictureMode::Both, Command::Both),
                (icon::SPLIT_HORIZONTAL, "Swipe", PictureMode::Swipe, Command::Swipe),
                (icon::EYE, "Base", PictureMode::Counterpart, Command::Blink),
                (icon::SWAP, "Blink", PictureMode::Blink, Command::BlinkByItself),
                (icon::CIRCLE_HALF, "Difference", PictureMode::Difference, Command::Difference),
            ];
            ui.add_enabled_ui(has, |ui| {
                for (sign, name, mode, command) in modes {
                    let text = if with_words { format!("{sign}  {name}") } else { sign.to_owned() };
                    let chosen = has && view.picture == mode;
                    let button = egui::Button::selectable(chosen, text).min_size(Vec2::new(28.0, 26.0));
                    let explained = explain(mode);
                    let tip = ctx.tip(if has { explained } else { "The base has no counterpart" }, &command);
                    let response = ui.add(button);
                    response
                        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, has, chosen, name));
                    if response.on_hover_text(tip.clone()).on_disabled_hover_text(tip).clicked() {
                        ctx.send(command);
                    }
                }
                if view.picture == PictureMode::Difference && has {
                    for (sign, name, step) in [(icon::MINUS, "Weaker", -1), (icon::PLUS, "Stronger", 1)] {
                        let tip = ctx.tip(name, &Command::Gain(step));
                        if icon_button(ui, sign, &format!("{name} difference"), &tip).clicked() {
                            ctx.send(Command::Gain(step));
                        }
                    }
                }
            });
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let full = if view.full_screen { icon::CORNERS_IN } else { icon::CORNERS_OUT };
            let tip = ctx.tip("Picture alone; scroll to zoom, drag to move", &Command::FullScreen);
            if icon_button(ui, full, "Picture alone", &tip).clicked() {
                ctx.send(Command::FullScreen);
            }
            let tip = ctx.tip("Find similar samples", &Command::FindSimilar);
            if !ctx.blind && icon_button(ui, icon::SPARKLE, "Find similar", &tip).clicked() {
                ctx.send(Command::FindSimilar);
            }
        });
    });
    ui.add_space(theme::GAP);
}

fn explain(mode: PictureMode) -> &'static str {
    match mode {
        PictureMode::Plain => "",
        PictureMode::Both => "Base and contribution beside each other",
        PictureMode::Swipe => "The base left of a line that you drag, the contribution right of it",
        PictureMode::Counterpart => "Show the base's picture in the same place; again for the contribution's",
        PictureMode::Blink => "Base and contribution in turn",
        PictureMode::Difference => "What differs, pixel by pixel",
    }
}
