//! Which pictures look alike, and what stands out among them? Every sample as a point; draw around some to list them.

mod legend;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use eframe::egui::{self, Align, Layout, Pos2, Rect, RichText, Sense, Stroke, Vec2};

use crate::review::Review;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::map::points::{self, Discs, Dot, Frame, Grid};
use crate::ui::map::{ColorBy, Stage};
use crate::ui::session::Which;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::thumbnails::{Key, Level};
use crate::ui::widget::{empty_ui, grouped, icon_button, paint_picture};

use super::Panel;
use super::gallery::click;

/// How near the pointer has to come to a point, in points.
const REACH: f32 = 9.0;
/// The line around samples has a corner at most this often, in points.
const PATH_STEP: f32 = 5.0;
/// Side of the picture beside the pointer, points.
const PREVIEW: f32 = 132.0;

/// The map.
pub struct Map;

impl Panel for Map {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Map
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        header_ui(ui, ctx, view);
        if ctx.map.places().items.is_empty() {
            nothing_ui(ui, ctx);
        } else {
            canvas_ui(ui, ctx, view);
        }
    }
}

fn header_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let color = palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        let title = RichText::new(view.queue.title()).font(theme::title_font()).color(color.text_strong);
        ui.label(title).on_hover_text(view.queue.explanation());
        ui.label(RichText::new(grouped(ctx.rows.len())).color(color.text_weak));
        if ctx.rows_busy || ctx.map.is_busy() {
            ui.spinner();
        }
        if let Some(class) = view.class_filter.clone()
            && ui.button(format!("{class}  {}", icon::X)).on_hover_text("Show all classes").clicked()
        {
            ctx.send(Command::ToggleClass(class));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = ctx.tip("Show the whole map", &Command::FitMap);
            if icon_button(ui, icon::CORNERS_OUT, "Show the whole map", &tip).clicked() {
                ctx.send(Command::FitMap);
            }
            let tip = ctx.tip(
                "Select by drawing around samples; Shift-drag does the same at any time",
                &Command::Lasso,
            );
            let name = "Select by drawing around samples";
            let lasso = egui::Button::selectable(view.map.lasso, RichText::new(icon::LASSO).size(16.0))
                .min_size(Vec2::new(30.0, 26.0));
            let response = ui.add(lasso);
            response
                .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, view.map.lasso, name));
            if response.on_hover_text(tip).clicked() {
                ctx.send(Command::Lasso);
            }
            ui.separator();
            color_by_ui(ui, ctx, view);
        });
    });
    ui.add_space(4.0);
}

/// What colours mean: buttons in a row, or a list where there is little room.
fn color_by_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let weak = palette(ui).text_weak;
    let pair = ctx.session.base().is_some();
    let ways = ColorBy::ALL.into_iter().filter(|by| pair || *by != ColorBy::Change);
    if ui.available_width() < 330.0 {
        let list = egui::ComboBox::from_id_salt("map-colour")
            .selected_text(view.map.color_by.title())
            .width(92.0)
            .show_ui(ui, |ui| {
                for by in ways {
                    ui.selectable_value(&mut view.map.color_by, by, by.title());
                }
            });
        list.response
            .on_hover_text("What colours mean")
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "What colours mean"));
        return;
    }
    for by in ways.collect::<Vec<_>>().into_iter().rev() {
        let chosen = view.map.color_by == by;
        let name = format!("Colour by {}", by.title().to_lowercase());
        let response = ui.add(egui::Button::selectable(chosen, by.title()));
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &name));
        if response.on_hover_text(&name).clicked() {
            view.map.color_by = by;
        }
    }
    ui.label(RichText::new("Colour").color(weak));
}

/// Why there is no map yet, and what to do.
fn nothing_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let error = ctx.session.target().and_then(|slot| slot.error.as_deref());
    match (ctx.map.stage(), error) {
        (_, Some(error)) => empty_ui(ui, icon::WARNING, "This cannot be opened", error),
        (Stage::Failed(message), _) => {
            empty_ui(ui, icon::WARNING, "There is no map", message);
            again_ui(ui, ctx, "Try again");
        }
        (Stage::Cancelled, _) => {
            empty_ui(ui, icon::PAUSE, "Cancelled", "The map was cancelled before it began");
            again_ui(ui, ctx, "Go on");
        }
        (Stage::Running, _) => {
            empty_ui(
                ui,
                icon::HOURGLASS,
                "Laying out the map",
                "Pictures that look alike come close together",
            );
        }
        (Stage::Done, _) => {
            empty_ui(ui, icon::CHART_SCATTER, "Nothing to show", "No picture of what is open can be decoded");
        }
        (Stage::Waiting, _) if ctx.session.is_cancelled() => {
            let advice = "Reading pictures was cancelled; press Go on above";
            empty_ui(ui, icon::PAUSE, "There is no map yet", advice);
        }
        (Stage::Waiting, _) => {
            empty_ui(ui, icon::HOURGLASS, "One moment", "The map is drawn when all pictures have been read");
        }
    }
}

fn again_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, text: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(8.0);
        if ui.button(format!("{}  {text}", icon::PLAY)).clicked() {
            ctx.send(Command::DrawMap);
        }
    });
}

fn canvas_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    let color = palette(ui);
    let places = ctx.map.places();
    let (items, xy) = (places.items.as_slice(), places.xy.as_slice());
    let area = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(area, Sense::click_and_drag());
    response.widget_info(|| {
        let by = view.map.color_by.title().to_lowercase();
        let name = format!("Map of {} samples, coloured by {by}", grouped(items.len()));
        egui::WidgetInfo::labeled(egui::Role::Image, true, name)
    });
    ui.painter().rect(
        area,
        theme::RADIUS,
        color.background,
        Stroke::new(1.0, color.line),
        egui::StrokeKind::Inside,
    );
    update_dots(ui, ctx, view, items);
    let frame = navigate(ui, view, &response, xy, area);
    draw(ui, ctx, view, &frame, (items, xy));

    let grid_of = ctx.map.generation();
    if view.map.drawn.grid_of != Some(grid_of) {
        view.map.drawn.grid_of = Some(grid_of);
        view.map.drawn.grid = Grid::new(xy);
    }
    let drawing = !view.map.path.is_empty();
    let hovered = response.hover_pos().filter(|_| !drawing && !response.dragged()).and_then(|at| {
        let drawn = &view.map.drawn;
        let reach = REACH / frame.scale;
        drawn.grid.nearest(xy, frame.to_map(at), reach, |at| drawn.passes.get(at).copied().unwrap_or(false))
    });
    if let Some(at) = hovered {
        let center = frame.to_screen(xy[at]);
        ui.painter_at(area).circle_stroke(center, 7.0, Stroke::new(2.0, color.text_strong));
        if !response.context_menu_opened() {
            preview_ui(ui, ctx, items[at], center, area);
        }
        let modifiers = ui.input(|input| input.modifiers);
        if response.clicked() {
            click(ctx, view, items[at], egui::Modifiers { shift: false, ..modifiers });
        }
        if response.secondary_clicked() {
            ctx.send(Command::Focus(items[at]));
        }
        if response.double_clicked() {
            ctx.send(Command::FullScreen);
        }
    }
    lasso_ui(ui, ctx, view, &response, &frame, (items, xy));
    response.context_menu(|ui| menu_ui(ui, ctx, view));
    legend::legend_ui(ui, ctx, view, area);
    foot_ui(ui, ctx, view, area);
}

fn menu_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    if view.cursor.is_none() {
        ui.label("Click a point first");
        return;
    }
    for (sign, text, command) in [
        (icon::SPARKLE, "Find similar samples", Command::FindSimilar),
        (icon::CORNERS_OUT, "Picture alone", Command::FullScreen),
        (icon::SQUARES_FOUR, "List what is selected", Command::ShowSelection),
    ] {
        let button = egui::Button::new(format!("{sign}  {text}")).shortcut_text(ctx.keys.hint(&command));
        if ui.add(button).clicked() {
            ctx.send(command);
            ui.close();
        }
    }
}

/// One number for whatever something is made from.
fn digest(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Gives each point its colour anew where anything that decides it has moved.
fn update_dots(ui: &egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, items: &[Item]) {
    let dark = ui.visuals().dark_mode;
    let palette = palette(ui);
    let pair = ctx.session.base().is_some();
    if !pair && view.map.color_by == ColorBy::Change {
        view.map.color_by = ColorBy::Label;
    }
    let by = view.map.color_by;
    let of = digest((
        (items.as_ptr() as usize, items.len(), by, dark),
        (ctx.rows_generation, &view.class_filter, view.query.as_ref().is_ok_and(|query| !query.is_empty())),
        (ctx.session.generation(), ctx.review.map(Review::revision)),
    ));
    let drawn = &mut view.map.drawn;
    // While a worker lists the rows of another filter, the last colours stay.
    if drawn.dots_of == Some(of) || (ctx.rows_busy && drawn.dots.len() == items.len()) {
        return;
    }
    drawn.dots_of = Some(of);
    let filtered = view.class_filter.is_some() || view.query.as_ref().is_ok_and(|query| !query.is_empty());
    drawn.passes = if filtered {
        let mut listed = vec![false; ctx.items.len()];
        for item in ctx.rows {
            listed[item.0 as usize] = true;
        }
        items.iter().map(|item| listed.get(item.0 as usize).copied().unwrap_or(false)).collect()
    } else {
        vec![true; items.len()]
    };
    let (legend, lines) = legend::classify(ctx, items, (by, view.class_filter.as_deref()), (palette, dark));
    let dot = |at: usize| {
        let color = legend[usize::from(lines[at])].color;
        let changed = pair && ctx.items.change(items[at]).is_some();
        let stands_out = match by {
            ColorBy::Label | ColorBy::Change => changed,
            ColorBy::Score => lines[at] < 2,
            ColorBy::Decision => usize::from(lines[at]) + 1 < legend.len(),
        };
        // What both versions have is there to compare with.
        let quiet = if by == ColorBy::Label { pair && !changed } else { !stands_out };
        if !drawn.passes[at] {
            Dot { color: palette.line, scale: 0.7, layer: 0 }
        } else if quiet {
            Dot { color: theme::quiet(color, palette), scale: 0.85, layer: 1 }
        } else {
            let (scale, layer) = if stands_out { (1.25, 3) } else { (1.0, 2) };
            Dot { color, scale, layer }
        }
    };
    drawn.dots = (0..items.len()).map(dot).collect();
    drawn.legend = legend;
}

/// Scroll and pinch zoom towards the pointer, a drag moves.
fn navigate(
    ui: &egui::Ui,
    view: &mut ViewState,
    response: &egui::Response,
    xy: &[[f32; 2]],
    area: Rect,
) -> Frame {
    let map = &mut view.map;
    let frame = |map: &crate::ui::map::MapView| Frame::new(xy, area, map.zoom(), map.offset);
    let shift = ui.input(|input| input.modifiers.shift);
    if response.dragged() && map.path.is_empty() && !(map.lasso || shift) {
        let moved = response.drag_delta() / frame(map).scale;
        map.offset = [map.offset[0] - moved.x, map.offset[1] - moved.y];
    }
    if let Some(at) = response.hover_pos() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = (scroll * 0.004).exp() * pinch;
        if (factor - 1.0).abs() > 1e-4 {
            let before = frame(map).to_map(at);
            map.zoom_by(factor);
            if map.zoom() > 1.0 {
                let after = frame(map).to_map(at);
                for axis in 0..2 {
                    map.offset[axis] += before[axis] - after[axis];
                }
            }
        }
    }
    frame(map)
}

fn draw(
    ui: &egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &mut ViewState,
    frame: &Frame,
    (items, xy): (&[Item], &[[f32; 2]]),
) {
    let color = palette(ui);
    let (cursor, selection) = (view.cursor, &view.selection);
    let several = selection.len() > 1;
    let Frame { area, scale, middle } = frame;
    let corners = [area.min.x, area.min.y, area.max.x, area.max.y, *scale, middle[0], middle[1]];
    let of = digest((
        corners.map(f32::to_bits),
        (ctx.map.generation(), view.map.drawn.dots_of, ui.ctx().pixels_per_point().to_bits()),
        (several, selection.generation(), cursor),
    ));
    if view.map.drawn.mesh_of != Some(of) {
        let radius = points::radius(xy.len(), *area, view.map.zoom());
        let drawn = &mut view.map.drawn;
        let discs = drawn.discs.get_or_insert_with(|| Discs::new(ui.ctx()));
        let pixels_per_point = ui.ctx().pixels_per_point();
        let raised = |at: usize| cursor == Some(items[at]) || (several && selection.contains(items[at]));
        let sizes = (radius, pixels_per_point);
        let mesh = points::mesh(frame, xy, &drawn.dots, sizes, discs, &raised, color.text_strong);
        drawn.mesh = Arc::new(mesh);
        drawn.mesh_of = Some(of);
    }
    ui.painter_at(area.shrink(1.0)).add(egui::Shape::Mesh(view.map.drawn.mesh.clone()));
}

/// The line around samples, and what happens at its end.
fn lasso_ui(
    ui: &egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &mut ViewState,
    response: &egui::Response,
    frame: &Frame,
    (items, xy): (&[Item], &[[f32; 2]]),
) {
    let shift = ui.input(|input| input.modifiers.shift);
    if response.drag_started() && (view.map.lasso || shift) {
        let origin = ui.input(|input| input.pointer.press_origin());
        view.map.path = origin.into_iter().collect();
    }
    if view.map.path.is_empty() {
        return;
    }
    if let Some(at) = response.interact_pointer_pos()
        && view.map.path.last().is_none_or(|last| last.distance(at) >= PATH_STEP)
    {
        view.map.path.push(at);
    }
    let color = palette(ui);
    let painter = ui.painter_at(frame.area);
    let path = view.map.path.clone();
    painter.add(egui::Shape::line(path.clone(), Stroke::new(2.0, color.accent)));
    if let (Some(first), Some(last)) = (path.first(), path.last()) {
        painter.extend(egui::Shape::dashed_line(&[*last, *first], Stroke::new(1.0, color.accent), 5.0, 4.0));
    }
    if response.drag_stopped() {
        view.map.path.clear();
        let line: Vec<[f32; 2]> = path.iter().map(|at| frame.to_map(*at)).collect();
        let add = ui.input(|input| input.modifiers.command);
        if !add {
            view.selection.clear();
        }
        let drawn = &view.map.drawn;
        let inside: Vec<usize> = points::inside(&line, xy)
            .into_iter()
            .filter(|at| drawn.passes.get(*at).copied().unwrap_or(false))
            .collect();
        for at in &inside {
            view.selection.set(items[*at], true);
        }
        // The cursor is among what is selected, so that the inspector shows one of it.
        let first = inside.first().map(|at| items[*at]);
        if let Some(first) = first.filter(|_| !view.cursor.is_some_and(|now| view.selection.contains(now))) {
            view.cursor = Some(first);
            view.anchor = Some(first);
        }
        if inside.is_empty() && !add {
            // Nobody is left without a sample to act on.
            if let Some(now) = view.cursor {
                ctx.send(Command::Focus(now));
            }
        }
    }
}

/// The picture with its label and key beside the pointer.
fn preview_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, item: Item, at: Pos2, area: Rect) {
    let color = palette(ui);
    let size = Vec2::new(PREVIEW + 16.0, PREVIEW + 76.0);
    let x = if at.x + 16.0 + size.x > area.right() { at.x - 16.0 - size.x } else { at.x + 16.0 };
    let y =
        (at.y - size.y / 2.0).clamp(area.top() + 4.0, (area.bottom() - size.y - 4.0).max(area.top() + 4.0));
    egui::Area::new(egui::Id::unique("map-preview"))
        .order(egui::Order::Tooltip)
        .fixed_pos(egui::pos2(x, y))
        .interactable(false)
        .fade_in(false)
        .show(ui.ctx(), |ui| {
            egui::Frame::popup(ui.style()).inner_margin(egui::Margin::same(8)).show(ui, |ui| {
                ui.set_width(PREVIEW);
                ui.spacing_mut().item_spacing.y = 2.0;
                let (picture, _) = ui.allocate_exact_size(Vec2::splat(PREVIEW), Sense::hover());
                ui.painter().rect_filled(picture, 4.0, color.background);
                let (which, row) = ctx.items.place(item);
                paint_picture(ui, ctx, picture, Key { which, row: row as u32, level: Level::Small });
                ui.add_space(4.0);
                let label = ctx.items.label(item).unwrap_or("no label");
                ui.add(egui::Label::new(strong(label).color(color.text_strong)).truncate());
                let key = RichText::new(ctx.items.key(item)).small().color(color.text_weak);
                ui.add(egui::Label::new(key).truncate());
                let mut facts = Vec::new();
                if let Some(change) = ctx.items.change(item) {
                    facts.push(change.kind.as_str().to_owned());
                } else if which == Which::Base {
                    facts.push("only in the base".to_owned());
                }
                if let Some(ranked) = ctx.items.ranked(item) {
                    facts.push(format!("suspicion {:.2}", ranked.suspicion));
                }
                if let Some(verdict) = ctx.verdicts.get(item) {
                    facts.push(verdict.as_str().to_owned());
                }
                let facts = if facts.is_empty() { "unchanged".to_owned() } else { facts.join(" · ") };
                if ctx.session.base().is_some() || facts != "unchanged" {
                    ui.add(egui::Label::new(RichText::new(facts).small().color(color.text_weak)).truncate());
                }
            });
        });
}

/// What can be done with what is selected, how far the map is, and what is not on it.
fn foot_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, area: Rect) {
    let color = palette(ui);
    let bar = Rect::from_min_max(
        egui::pos2(area.left() + 8.0, area.bottom() - 40.0),
        egui::pos2(area.right() - 8.0, area.bottom() - 6.0),
    );
    if bar.width() < 60.0 || area.height() < 90.0 {
        return;
    }
    let mut inside =
        ui.new_child(egui::UiBuilder::new().max_rect(bar).layout(Layout::left_to_right(Align::Center)));
    let ui = &mut inside;
    ui.set_clip_rect(area);
    let count = view.selection.len();
    if count > 1 {
        let tip = ctx.tip("List what is selected", &Command::ShowSelection);
        let text = format!("{}  Show these {} in the gallery", icon::SQUARES_FOUR, grouped(count));
        let button = egui::Button::new(RichText::new(text).color(color.on_accent)).fill(color.accent);
        if ui.add(button.min_size(Vec2::new(0.0, 28.0))).on_hover_text(tip).clicked() {
            ctx.send(Command::ShowSelection);
        }
        let tip = ctx.tip("Select nothing", &Command::Escape);
        if icon_button(ui, icon::X, "Clear the selection", &tip).clicked() {
            ctx.send(Command::Escape);
        }
    }
    match ctx.map.stage() {
        Stage::Cancelled => {
            ui.label(RichText::new("Cancelled: alike is not close yet").color(color.warning));
            if ui.button(format!("{}  Go on", icon::PLAY)).clicked() {
                ctx.send(Command::DrawMap);
            }
        }
        Stage::Failed(message) => {
            ui.label(RichText::new(message).color(color.danger));
        }
        Stage::Running => {
            ui.label(RichText::new("Unfolding…").color(color.text_weak));
        }
        Stage::Done if count <= 1 => {
            let mut text =
                "Scroll to zoom, drag to move, Shift-drag around samples to select them".to_owned();
            if ctx.map.left_out() > 0 {
                text = format!("{} unreadable pictures are not here. {text}", grouped(ctx.map.left_out()));
            }
            ui.add(egui::Label::new(RichText::new(text).small().color(color.text_weak)).truncate());
        }
        Stage::Done | Stage::Waiting => (),
    }
}
