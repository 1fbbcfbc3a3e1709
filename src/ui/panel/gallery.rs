//! Which samples are in this queue? A virtual grid: only what is visible is laid out, whatever the number of rows.

use eframe::egui::{self, Align, Layout, Rect, RichText, Sense, Vec2};

use crate::model::Verdict;
use crate::review::{LEAST_DECIDED, Review, expected};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, Sort, View, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::thumbnails::{Key, Level};
use crate::ui::widget::{CAPTION, Emphasis, card_ui, cursor_place, empty_ui, grouped, remembered, spoken};

use super::Panel;
use super::problems::{problem_ui, problems_ui};

const GAP: f32 = 8.0;
/// The tallest list that f32 scroll positions can address without visible jumps, in points.
const MOST_HEIGHT: f32 = 8_000_000.0;

/// Thumbnails in a grid.
pub struct Gallery;

impl Panel for Gallery {
    fn applies(&self, _ctx: &ViewCtx<'_>, _view: &ViewState) -> bool {
        true
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
        header_ui(ui, ctx, view, settings);
        if view.queue == Queue::Problems {
            problems_ui(ui, ctx, view);
        }
        if ctx.rows.is_empty() {
            nothing_ui(ui, ctx, view);
        } else {
            grid_ui(ui, ctx, view, settings);
        }
    }
}

/// What is listed, how many, in which order and size: above every list of samples.
pub fn header_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
    let palette = palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        // Narrow: the tabs, the order and the size of pictures take what they need, the name gives way.
        let narrow = ui.available_width() < 520.0;
        let title = RichText::new(view.queue.title()).font(theme::title_font()).color(palette.text_strong);
        ui.scope(|ui| {
            if narrow {
                ui.set_max_width((ui.available_width() - 330.0).max(80.0));
            }
            ui.add(egui::Label::new(title).truncate()).on_hover_text(view.queue.explanation());
        });
        ui.label(RichText::new(grouped(ctx.rows.len())).color(palette.text_weak));
        if view.selection.len() > 1 {
            ui.label(strong(format!("· {} selected", grouped(view.selection.len()))).color(palette.accent));
        }
        if ctx.rows_busy {
            ui.spinner();
        }
        if let Some(class) = view.class_filter.clone()
            && ui.button(format!("{class}  {}", icon::X)).on_hover_text("Show all classes").clicked()
        {
            ctx.send(Command::ToggleClass(class));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let pair = !ctx.blind && (ctx.session.base().is_some() || ctx.session.further().next().is_some());
            let with_words = ui.available_width() > 520.0;
            let mut tab = |sign: &str, name: &str, value: View| {
                let tip = ctx.tip(name, &Command::SetView(value));
                let text = if with_words { format!("{sign}  {name}") } else { sign.to_owned() };
                let chosen =
                    view.view == value || value == View::Grid && !pair && view.view == View::SideBySide;
                let response = ui.add(egui::Button::selectable(chosen, text));
                response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, name));
                if response.on_hover_text(tip).clicked() {
                    ctx.send(Command::SetView(value));
                }
            };
            tab(icon::FILM_STRIP, "One by one", View::OneByOne);
            if pair {
                tab(icon::COLUMNS, "Side by side", View::SideBySide);
            }
            tab(icon::SQUARES_FOUR, "Grid", View::Grid);
            ui.separator();
            let size = egui::Slider::new(&mut settings.thumbnail_size, 72.0..=256.0).show_value(false);
            ui.spacing_mut().slider_width = 84.0;
            let response = ui.add(size).on_hover_text(ctx.tip("Size of thumbnails", &Command::Resize(1)));
            response.widget_info(|| {
                egui::WidgetInfo::slider(true, f64::from(settings.thumbnail_size), "Size of thumbnails")
            });
            if view.queue == Queue::Audit {
                return;
            }
            let before = view.sort;
            let choice = egui::ComboBox::from_id_salt("sort")
                .selected_text(view.sort.title())
                .width(104.0)
                .show_ui(ui, |ui| {
                    for sort in Sort::ALL {
                        ui.selectable_value(&mut view.sort, sort, sort.title());
                    }
                });
            choice
                .response
                .on_hover_text("In what order")
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Order of samples"));
            if view.sort != before {
                ctx.send(Command::Search(view.search.clone()));
            }
        });
    });
    if !ctx.blind {
        expected_ui(ui, ctx, view);
    }
    ui.add_space(4.0);
    super::audit::list_bar_ui(ui, ctx, view);
}

/// How many are wrong at this place of the ranking, by what was decided so far.
fn expected_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    if view.queue != Queue::SuspiciousLabels || !matches!(view.sort, Sort::Queue | Sort::Suspicion) {
        return;
    }
    let stamp = (ctx.rows_generation, ctx.review.map_or(0, Review::revision));
    let outcomes = remembered(ui, "outcomes", stamp, || -> Vec<(usize, bool)> {
        let verdicts = ctx.rows.iter().enumerate();
        verdicts
            .filter_map(|(at, item)| match ctx.verdicts.get(*item)? {
                Verdict::Keep => Some((at, false)),
                Verdict::Relabel(_) | Verdict::Exclude | Verdict::Revert => Some((at, true)),
                Verdict::Unsure => None,
            })
            .collect()
    });
    let place = view.cursor.and_then(|cursor| cursor_place(ui, ctx, cursor)).unwrap_or(0);
    let color = palette(ui).text_weak;
    match expected(&outcomes, place, ctx.rows.len()) {
        Some(found) => {
            let text = format!(
                "About {:.0} % are wrong at this place, by {} decisions",
                100.0 * found.share,
                grouped(found.decided)
            );
            ui.label(RichText::new(text).color(color)).on_hover_text(format!(
                "Between {:.0} and {:.0} %: decisions nearby in the list count most",
                100.0 * found.low,
                100.0 * found.high,
            ));
        }
        None if !outcomes.is_empty() => {
            let text = format!("{} more decisions tell how many are wrong", LEAST_DECIDED - outcomes.len());
            ui.label(RichText::new(text).color(color));
        }
        None => {}
    }
}

/// Why there is nothing, and what to do.
pub fn nothing_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    let filtered = view.class_filter.is_some() || !view.search.trim().is_empty();
    let (sign, title, advice) = if ctx.rows_busy || (ctx.session.is_busy() && !filtered) {
        (icon::HOURGLASS, "One moment", "This fills as files are read")
    } else if let Some(error) = ctx.session.target().and_then(|slot| slot.error.as_deref()) {
        (icon::WARNING, "This cannot be opened", error)
    } else if filtered {
        (icon::FUNNEL, "Nothing matches", "Press Esc to clear the search and the class filter")
    } else {
        match view.queue {
            Queue::SuspiciousLabels => (
                icon::CHECK_CIRCLE,
                "No label stands out",
                "Labels were compared with their pictures and none disagrees strongly. That does not prove that all are right",
            ),
            Queue::Triggers => (
                icon::CHECK_CIRCLE,
                "No shared mark was found",
                "Looked for marks, patches and patterns that many pictures share. A faint or a natural one may still be there: no finding never means safe",
            ),
            Queue::Twins => (
                icon::CHECK_CIRCLE,
                "No picture is there twice",
                "Compared by bytes, by pixels and by looks, between splits and with the base",
            ),
            Queue::Problems => (
                icon::CHECK_CIRCLE,
                "No image problems",
                "Every file could be read, and none is dark, bright, blurred, empty or of an odd shape",
            ),
            Queue::Decided => (
                icon::LIST_CHECKS,
                "Nothing decided yet",
                "Enter keeps, 1–9 relabel, X excludes; every verdict is saved at once",
            ),
            Queue::Audit => (
                icon::CHECK_CIRCLE,
                "Nothing here",
                "No drawn sample is left in this list; go back to the results",
            ),
            Queue::Changes | Queue::Change(_) => (
                icon::EQUALS,
                "No such change",
                "The contribution left these samples as they are in the base",
            ),
            _ => (icon::IMAGES, "No samples", "Open a folder or a list with pictures"),
        }
    };
    empty_ui(ui, sign, title, advice);
    if view.queue == Queue::SuspiciousLabels && !filtered && ctx.items.scan.is_some() {
        ui.vertical_centered(|ui| {
            ui.add_space(8.0);
            let text = format!("{}  Show the most suspicious all the same", icon::TAG);
            if ui.button(text).on_hover_text("All samples, ordered by suspicion").clicked() {
                ctx.send(Command::ShowDoubtful);
            }
        });
    }
}

fn grid_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &Settings) {
    let side = settings.thumbnail_size;
    let bar = ui.spacing().scroll.bar_width + 6.0;
    let width = ui.available_width() - bar;
    let columns = (((width + GAP) / (side + GAP)).floor() as usize).max(1);
    // The cards share what is left over, so that the right edge is straight.
    let cell_width = (width - GAP * (columns as f32 - 1.0)) / columns as f32;
    let cell = Vec2::new(cell_width, side + CAPTION);
    let lines = ctx.rows.len().div_ceil(columns);
    let pitch = cell.y + GAP;
    let page = (ui.available_height() / pitch).ceil() as usize;
    view.grid_shape = (columns, page);

    // Beyond what f32 can address, one point of scrolling stands for several: the list stays reachable to its end.
    let full_height = lines as f64 * f64::from(pitch);
    let squeeze = (full_height / f64::from(MOST_HEIGHT)).max(1.0);
    let height = (full_height / squeeze) as f32;

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
        let first = ((top / f64::from(pitch)).floor().max(0.0)) as usize;
        let last = (first + (viewport.height() / pitch).ceil() as usize + 1).min(lines);
        let mut clicked = None;
        for line in first..last {
            let y = origin.y + viewport.top() + (line as f64 * f64::from(pitch) - top) as f32;
            for column in 0..columns {
                let Some(item) = ctx.rows.get(line * columns + column).copied() else { break };
                let x = origin.x + column as f32 * (cell.x + GAP);
                let rect = Rect::from_min_size(egui::pos2(x, y), cell);
                let response = ui.interact(rect, egui::Id::unique(("card", item.0)), Sense::click());
                response.widget_info(|| {
                    egui::WidgetInfo::selected(
                        egui::Role::Button,
                        true,
                        view.selection.contains(item),
                        spoken(ctx, item),
                    )
                });
                let emphasis = Emphasis {
                    selected: view.selection.contains(item) && view.selection.len() > 1,
                    cursor: view.cursor == Some(item),
                    hovered: response.hovered(),
                };
                card_ui(ui, ctx, rect, item, emphasis);
                if view.queue == Queue::Problems && !ctx.blind {
                    problem_ui(ui, ctx, rect, item);
                }
                if response.clicked() {
                    clicked = Some((item, ui.input(|input| input.modifiers)));
                }
                if response.double_clicked() {
                    ctx.send(Command::FullScreen);
                }
            }
        }
        // Ask for two more lines on both sides after what is visible.
        let ahead = (last..last + 2).chain(first.saturating_sub(2)..first);
        for line in ahead {
            for column in 0..columns {
                if let Some(item) = ctx.rows.get(line * columns + column) {
                    let (which, row) = ctx.items.place(*item);
                    let _ = ctx.thumbnails.get(Key { which, row: row as u32, level: Level::Small });
                }
            }
        }
        clicked
    });
    view.scroll_y = output.state.clamped_offset().y;
    if let Some((item, modifiers)) = output.inner {
        click(ctx, view, item, modifiers);
    }
}

/// Moves the scroll position as little as shows the line at `y`; `now` is where it is.
pub fn scroll_into_view(
    area: egui::ScrollArea,
    now: f32,
    page: f32,
    y: f64,
    pitch: f32,
    squeeze: f64,
) -> egui::ScrollArea {
    let (now, page) = (f64::from(now) * squeeze, f64::from(page));
    let wanted = if y < now {
        y
    } else if y + f64::from(pitch) > now + page {
        y + f64::from(pitch) - page
    } else {
        return area;
    };
    area.vertical_scroll_offset((wanted / squeeze) as f32)
}

/// A click selects; with Ctrl it adds or takes away, with Shift it extends.
pub fn click(ctx: &ViewCtx<'_>, view: &mut ViewState, item: Item, modifiers: egui::Modifiers) {
    if modifiers.command {
        let on = !view.selection.contains(item);
        view.selection.set(item, on);
        view.cursor = Some(item);
        view.anchor = Some(item);
    } else if modifiers.shift {
        let find = |wanted: Option<Item>| wanted.and_then(|w| ctx.rows.iter().position(|row| *row == w));
        if let (Some(from), Some(to)) = (find(view.anchor), find(Some(item))) {
            for row in &ctx.rows[from.min(to)..=from.max(to)] {
                view.selection.set(*row, true);
            }
        }
        view.cursor = Some(item);
    } else {
        ctx.send(Command::Focus(item));
    }
}
