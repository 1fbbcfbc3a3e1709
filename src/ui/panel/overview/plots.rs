//! What do several plots of the overview share?

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{Plot, PlotPoint};

use crate::ui::theme::Palette;

/// A plot that neither scrolls nor zooms: the page does.
pub fn still_plot<'a>(id: impl egui::AsIdSalt) -> Plot<'a> {
    Plot::new(id)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
}

/// Names a plot for screen readers and tests.
pub fn name_plot(response: &egui::Response, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
}

/// Which colour is the base's and which the contribution's; the base may be an outline.
pub fn versions_ui(ui: &mut egui::Ui, palette: &Palette, outlined: bool) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (name, color) in [("Base", palette.base), ("Contribution", palette.contribution)] {
            let (mark, _) = ui.allocate_exact_size(Vec2::splat(10.0), egui::Sense::hover());
            if outlined && name == "Base" {
                let stroke = egui::Stroke::new(2.0, palette.text_weak);
                ui.painter().rect_stroke(mark, 2.0, stroke, egui::StrokeKind::Inside);
            } else {
                ui.painter().rect_filled(mark, 2.0, color);
            }
            ui.label(RichText::new(name).small());
            ui.add_space(10.0);
        }
    });
}

/// The place from the top of what is at this height of a [`class_plot`] with `count` lines.
pub fn line_at(point: PlotPoint, count: usize) -> Option<usize> {
    let nearest = point.y.round();
    if nearest < 0.0 {
        return None;
    }
    count.checked_sub(1 + nearest as usize)
}

/// Where the pointer is in a plot.
pub fn position(hover: &egui_plot::HoverPosition<'_>) -> PlotPoint {
    match hover {
        egui_plot::HoverPosition::NearDataPoint { position, .. }
        | egui_plot::HoverPosition::Elsewhere { position } => *position,
    }
}

/// Room for a bar a class.
fn plot_height(classes: usize) -> f32 {
    (classes as f32 * 26.0 + 44.0).clamp(120.0, 640.0)
}

/// Classes from top to bottom: the first class has the highest position.
fn class_axis(names: Vec<String>) -> impl Fn(egui_plot::GridMark, &std::ops::RangeInclusive<f64>) -> String {
    move |mark, _| {
        let nearest = mark.value.round();
        if (mark.value - nearest).abs() > 0.01 || nearest < 0.0 {
            return String::new();
        }
        let at = names.len().checked_sub(1 + nearest as usize);
        at.and_then(|at| names.get(at)).map_or_else(String::new, |name| shorten(name, 16))
    }
}

/// A name of at most so many characters.
pub fn shorten(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        name.to_owned()
    } else {
        format!("{}…", name.chars().take(most - 1).collect::<String>())
    }
}

/// A plot with a line a class, the first on top, that neither scrolls nor zooms.
pub fn class_plot<'a>(id: &'static str, names: Vec<String>, grid_color: egui::Color32) -> Plot<'a> {
    let count = names.len();
    still_plot(id)
        .height(plot_height(count))
        .include_y(-0.6)
        .include_y(count as f64 - 0.4)
        .show_grid([true, false])
        .grid_color(grid_color)
        .set_margin_fraction(Vec2::new(0.04, 0.02))
        .y_grid_spacer(move |_| {
            (0..count).map(|at| egui_plot::GridMark { value: at as f64, step_size: 1.0 }).collect()
        })
        .y_axis_formatter(class_axis(names))
        .y_axis_min_width(96.0)
}
