//! Which labels became which?

use std::collections::BTreeMap;

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{Heatmap, PlotPoint};

use crate::compare::Flow;
use crate::ui::app::ViewCtx;
use crate::ui::panel::hints::flow_command;
use crate::ui::theme::{icon, palette};
use crate::ui::widget::grouped;

use super::plots::{name_plot, position, shorten, still_plot};
use super::{Card, Table};

/// More classes than this make no readable matrix.
const MOST_FLOWS: usize = 20;

/// The matrix of base label and contributed label.
pub struct Flows;

impl Card for Flows {
    fn id(&self) -> &'static str {
        "label-flows"
    }

    fn title(&self) -> &'static str {
        "Label flows"
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        "Paired samples whose label changed: from the base's label (rows) to the contribution's (columns); click a cell to see them".to_owned()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.distribution().is_some()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let flows = ctx.session.flows();
        if flows.is_empty() {
            let color = palette(ui).text_weak;
            ui.label(RichText::new("No label of a sample that both versions have was changed.").color(color));
            return;
        }
        matrix_ui(ui, ctx, flows);
        ui.add_space(4.0);
        for flow in flows.iter().take(6) {
            let text =
                format!("{}  {} {} {}", grouped(flow.count as usize), flow.from, icon::ARROW_RIGHT, flow.to);
            if ui.link(text).clicked() {
                ctx.send(flow_command(&flow.from, &flow.to));
            }
        }
        if flows.len() > 6 {
            let color = palette(ui).text_weak;
            ui.label(RichText::new(format!("and {} more", flows.len() - 6)).small().color(color));
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let line = |flow: &Flow| vec![flow.from.clone(), flow.to.clone(), flow.count.to_string()];
        Table::new(&["from", "to", "samples"], ctx.session.flows().iter().map(line))
    }
}

fn matrix_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, flows: &[Flow]) {
    let palette = palette(ui);
    // The classes that take part, those with the most flow first, then in the order of the class list.
    let mut weight: BTreeMap<&str, u64> = BTreeMap::new();
    for flow in flows {
        *weight.entry(&flow.from).or_default() += flow.count;
        *weight.entry(&flow.to).or_default() += flow.count;
    }
    let mut names: Vec<&str> = weight.keys().copied().collect();
    names.sort_by_key(|name| std::cmp::Reverse(weight[name]));
    names.truncate(MOST_FLOWS);
    names.sort_unstable();
    let size = names.len();
    let place = |name: &str| names.binary_search(&name).ok();
    let mut values = vec![0.0; size * size];
    for flow in flows {
        if let (Some(row), Some(column)) = (place(&flow.from), place(&flow.to)) {
            // Rows run upwards in the plot; the first class is to be on top.
            values[(size - 1 - row) * size + column] = flow.count as f64;
        }
    }
    let most = values.iter().copied().fold(1.0, f64::max);
    let (low, high) = (palette.card, palette.accent);
    let shade = move |value: f64| {
        if value <= 0.0 {
            return low;
        }
        low.lerp_to_gamma(high, (0.25 + 0.75 * (value / most).sqrt()) as f32)
    };
    let row_names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let column_names = row_names.clone();
    let label_names = row_names.clone();
    let label_values = values.clone();
    let cell_at = move |point: PlotPoint| -> Option<(usize, usize)> {
        let (x, y) = (point.x.floor(), point.y.floor());
        let inside = x >= 0.0 && y >= 0.0 && (x as usize) < size && (y as usize) < size;
        inside.then(|| (size - 1 - y as usize, x as usize))
    };
    let height = (size as f32 * 30.0 + 50.0).clamp(150.0, 560.0);
    let centre = move |names: &[String], value: f64, upwards: bool| {
        let at = (value - 0.5).round();
        if (value - 0.5 - at).abs() > 0.01 || at < 0.0 || at as usize >= size {
            return String::new();
        }
        let at = if upwards { size - 1 - at as usize } else { at as usize };
        names.get(at).map_or_else(String::new, |name| shorten(name, 11))
    };
    let grid = move |_: egui_plot::GridInput| -> Vec<egui_plot::GridMark> {
        (0..size).map(|at| egui_plot::GridMark { value: at as f64 + 0.5, step_size: 1.0 }).collect()
    };
    let plot = still_plot("label-flows")
        .height(height)
        .show_grid([false, false])
        .set_margin_fraction(Vec2::splat(0.01))
        .x_grid_spacer(grid)
        .y_grid_spacer(grid)
        .x_axis_formatter(move |mark, _| centre(&column_names, mark.value, false))
        .y_axis_formatter(move |mark, _| centre(&row_names, mark.value, true))
        .y_axis_min_width(96.0)
        .label_formatter(move |hover| {
            Some(cell_at(position(hover)).map_or_else(String::new, |(row, column)| {
                let count = label_values[(size - 1 - row) * size + column];
                format!("{} → {}: {}", label_names[row], label_names[column], grouped(count as usize))
            }))
        });
    let response = plot.show(ui, |plot| {
        let heatmap = Heatmap::new(values, size)
            .custom_mapping(Box::new(shade))
            .formatter(Box::new(|value| if value > 0.0 { grouped(value as usize) } else { String::new() }))
            .show_labels(true)
            .at(PlotPoint::new(0.0, 0.0))
            .tile_size(1.0, 1.0)
            .name("flows");
        plot.heatmap(heatmap);
        plot.pointer_coordinate()
    });
    name_plot(&response.response, "Label flows from base to contribution");
    if let (true, Some((row, column))) = (response.response.clicked(), response.inner.and_then(cell_at)) {
        ctx.send(flow_command(names[row], names[column]));
    }
}
