//! How many samples has each split, in each version?

use std::collections::BTreeMap;

use eframe::egui;
use egui_plot::{Bar, BarChart};

use crate::review::query::quoted;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::theme::palette;
use crate::ui::widget::grouped;

use super::plots::{class_plot, line_at, name_plot, versions_ui};
use super::{Card, Table};

/// What samples outside of any split are listed under.
const OUTSIDE: &str = "no split";

/// A bar a split and version.
pub struct Splits;

impl Card for Splits {
    fn id(&self) -> &'static str {
        "splits"
    }

    fn title(&self) -> &'static str {
        "Splits"
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        "Samples of each split; click a bar to see them".to_owned()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        [&ctx.items.base, &ctx.items.target].into_iter().flatten().any(|version| !version.splits().is_empty())
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let palette = palette(ui);
        let rows = rows(ctx);
        let pair = ctx.items.base.is_some();
        let count = rows.len();
        if pair {
            versions_ui(ui, palette, false);
        }
        let bars = |side: usize| -> Vec<Bar> {
            let (offset, color) = match (pair, side) {
                (true, 0) => (0.2, palette.base),
                (true, _) => (-0.2, palette.contribution),
                (false, _) => (0.0, palette.contribution),
            };
            let bar = |(at, (name, counts)): (usize, &(String, [u64; 2]))| {
                Bar::new((count - 1 - at) as f64 + offset, counts[side] as f64)
                    .width(if pair { 0.36 } else { 0.66 })
                    .name(name)
                    .fill(color)
                    .stroke(egui::Stroke::NONE)
            };
            rows.iter().enumerate().map(bar).collect()
        };
        let names = rows.iter().map(|row| row.0.clone()).collect();
        let response = class_plot("splits", names, palette.line).include_x(0.0).show(ui, |plot| {
            let format = |bar: &Bar, chart: &BarChart| {
                format!("{}\n{}: {}", bar.name, egui_plot::PlotItem::name(chart), grouped(bar.value as usize))
            };
            let sides: &[(&str, usize)] =
                if pair { &[("Base", 0), ("Contribution", 1)] } else { &[("Samples", 1)] };
            for (name, side) in sides {
                let color = if *side == 0 { palette.base } else { palette.contribution };
                let chart = BarChart::new(*name, bars(*side)).horizontal().color(color);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            }
            plot.pointer_coordinate()
        });
        name_plot(&response.response, "Samples of each split");
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && let Some((name, _)) = line_at(at, count).and_then(|at| rows.get(at))
        {
            ctx.send(Command::Search(match name.as_str() {
                OUTSIDE => "-has:split".to_owned(),
                name => format!("split:{}", quoted(name)),
            }));
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let pair = ctx.items.base.is_some();
        let lines = rows(ctx).into_iter().map(|(name, [base, own])| {
            if pair { vec![name, base.to_string(), own.to_string()] } else { vec![name, own.to_string()] }
        });
        let header: &[&str] = if pair { &["split", "base", "contribution"] } else { &["split", "samples"] };
        Table::new(header, lines)
    }
}

/// Each split of either version by name, with its samples in the base and in the version under review.
fn rows(ctx: &ViewCtx<'_>) -> Vec<(String, [u64; 2])> {
    let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    let mut outside = [0; 2];
    for (side, version) in [&ctx.items.base, &ctx.items.target].into_iter().enumerate() {
        let Some(version) = version else { continue };
        let (inside, rest) = version.split_counts();
        for (name, count) in version.splits().iter().zip(inside) {
            counts.entry(name.to_string()).or_default()[side] += count;
        }
        outside[side] = rest;
    }
    let mut rows: Vec<(String, [u64; 2])> = counts.into_iter().collect();
    if outside != [0; 2] {
        rows.push((OUTSIDE.to_owned(), outside));
    }
    rows
}
