//! How far did each class's share move, and is that more than chance?

use eframe::egui;
use egui_plot::{Line, PlotPoints, Points};

use crate::compare::ClassRow;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::theme::palette;

use super::classes::{class_rows, names};
use super::plots::{class_plot, line_at, name_plot, position};
use super::{Card, Table};

/// A point and an interval a class.
pub struct Shares;

impl Card for Shares {
    fn id(&self) -> &'static str {
        "share-change"
    }

    fn title(&self) -> &'static str {
        "Change of share"
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        "Percentage points, with 95 % intervals (Newcombe); filled where more than chance explains (p < 0.05 after Benjamini–Hochberg)".to_owned()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.distribution().is_some()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let rows = class_rows(ctx);
        let palette = palette(ui);
        let count = rows.len();
        let rows_for_label: Vec<ClassRow> = rows.clone();
        let plot = class_plot("share-change", names(&rows), palette.line).label_formatter(move |hover| {
            let point = position(hover);
            Some(line_at(point, count).and_then(|at| rows_for_label.get(at)).map_or_else(
                String::new,
                |row| {
                    format!(
                        "{}\n{:+.2} pp, 95 % from {:+.2} to {:+.2}\np = {:.2e} (adjusted)",
                        row.name,
                        row.share_change * 100.0,
                        row.share_change_low * 100.0,
                        row.share_change_high * 100.0,
                        row.p_adjusted
                    )
                },
            ))
        });
        let response = plot.show(ui, |plot| {
            plot.vline(egui_plot::VLine::new("", 0.0).color(palette.text_weak).width(1.0));
            for (at, row) in rows.iter().enumerate() {
                let y = (count - 1 - at) as f64;
                let clear = row.p_adjusted < 0.05;
                let color = if clear { palette.warning } else { palette.text_weak };
                let interval = vec![[row.share_change_low * 100.0, y], [row.share_change_high * 100.0, y]];
                plot.line(Line::new(row.name.clone(), PlotPoints::from(interval)).color(color).width(2.0));
                let point = vec![[row.share_change * 100.0, y]];
                plot.points(
                    Points::new(row.name.clone(), PlotPoints::from(point))
                        .radius(4.5)
                        .filled(clear)
                        .color(color),
                );
            }
            plot.pointer_coordinate()
        });
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && let Some(row) = line_at(at, count).and_then(|at| rows.get(at))
        {
            ctx.send(Command::ToggleClass(row.name.clone()));
        }
        name_plot(&response.response, "Change of each class's share");
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let line = |row: &ClassRow| {
            let ClassRow { share_change, share_change_low, share_change_high, p_adjusted, .. } = row;
            let numbers = [share_change, share_change_low, share_change_high, p_adjusted];
            std::iter::once(row.name.clone()).chain(numbers.map(ToString::to_string)).collect()
        };
        let header = ["class", "share_change", "share_change_low", "share_change_high", "p_adjusted"];
        Table::new(&header, class_rows(ctx).iter().map(line))
    }
}
