//! How many samples has each class, in each version?

use eframe::egui;
use egui_plot::{Bar, BarChart};

use crate::compare::ClassRow;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::theme::palette;
use crate::ui::widget::grouped;

use super::plots::{class_plot, line_at, name_plot, versions_ui};
use super::{Card, Table};

/// More classes than this are not drawn at once: those that moved most are.
const MOST_CLASSES: usize = 30;

/// A bar a class and version.
pub struct Classes;

impl Card for Classes {
    fn id(&self) -> &'static str {
        "classes"
    }

    fn title(&self) -> &'static str {
        "Classes"
    }

    fn explanation(&self, ctx: &ViewCtx<'_>) -> String {
        let (all, shown) = (ctx.classes.len(), class_rows(ctx).len());
        if all > shown {
            format!("The {shown} of {all} classes whose share moved most; click a bar to see them")
        } else if ctx.session.distribution().is_some() {
            "Samples of each class in the base and in the contribution; click a bar to see them".to_owned()
        } else {
            "Samples of each class; click a bar to see them".to_owned()
        }
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let rows = class_rows(ctx);
        let pair = ctx.session.distribution().is_some();
        let palette = palette(ui);
        let count = rows.len();
        let bars = |offset: f64, color: egui::Color32, value: &dyn Fn(&ClassRow) -> u64| -> Vec<Bar> {
            let bar = |(at, row): (usize, &ClassRow)| {
                Bar::new((count - 1 - at) as f64 + offset, value(row) as f64)
                    .width(if pair { 0.36 } else { 0.66 })
                    .name(&row.name)
                    .fill(color)
                    .stroke(egui::Stroke::NONE)
            };
            rows.iter().enumerate().map(bar).collect()
        };
        if pair {
            versions_ui(ui, palette, false);
        }
        let plot = class_plot("class-counts", names(&rows), palette.line).include_x(0.0);
        let response = plot.show(ui, |plot| {
            let format = |bar: &Bar, chart: &BarChart| {
                format!("{}\n{}: {}", bar.name, egui_plot::PlotItem::name(chart), grouped(bar.value as usize))
            };
            if pair {
                let chart = BarChart::new("Base", bars(0.2, palette.base, &|row| row.base))
                    .horizontal()
                    .color(palette.base);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
                let chart =
                    BarChart::new("Contribution", bars(-0.2, palette.contribution, &|row| row.contribution))
                        .horizontal()
                        .color(palette.contribution);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            } else {
                let chart =
                    BarChart::new("Samples", bars(0.0, palette.contribution, &|row| row.contribution))
                        .horizontal()
                        .color(palette.contribution);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            }
            plot.pointer_coordinate()
        });
        name_plot(&response.response, "Samples of each class");
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && let Some(row) = line_at(at, count).and_then(|at| rows.get(at))
        {
            ctx.send(Command::ToggleClass(row.name.clone()));
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let pair = ctx.session.distribution().is_some();
        let line = |row: &ClassRow| {
            let own = row.contribution.to_string();
            if pair { vec![row.name.clone(), row.base.to_string(), own] } else { vec![row.name.clone(), own] }
        };
        let header: &[&str] = if pair { &["class", "base", "contribution"] } else { &["class", "samples"] };
        Table::new(header, class_rows(ctx).iter().map(line))
    }
}

/// Their names.
pub fn names(rows: &[ClassRow]) -> Vec<String> {
    rows.iter().map(|row| row.name.clone()).collect()
}

/// The classes to draw: all, or those that moved most, then the largest.
pub fn class_rows(ctx: &ViewCtx<'_>) -> Vec<ClassRow> {
    let mut rows = match (ctx.session.distribution(), &ctx.items.target) {
        (Some(distribution), _) => distribution.classes.clone(),
        (None, Some(version)) => {
            let (counts, _) = version.class_counts();
            version
                .classes()
                .iter()
                .zip(counts)
                .map(|(name, count)| ClassRow {
                    name: name.to_string(),
                    base: 0,
                    contribution: count,
                    share_change: 0.0,
                    share_change_low: 0.0,
                    share_change_high: 0.0,
                    p_adjusted: 1.0,
                })
                .collect()
        }
        (None, None) => Vec::new(),
    };
    if rows.len() > MOST_CLASSES {
        rows.sort_by(|a, b| {
            let moved = b.share_change.abs().total_cmp(&a.share_change.abs());
            moved.then_with(|| b.contribution.cmp(&a.contribution)).then_with(|| a.name.cmp(&b.name))
        });
        rows.truncate(MOST_CLASSES);
        rows.sort_by(|a, b| a.name.cmp(&b.name));
    }
    rows
}
