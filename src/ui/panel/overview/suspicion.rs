//! How many samples are how suspicious?

use eframe::egui::{self, RichText};
use egui_plot::{Line, PlotPoints};

use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::session::Which;
use crate::ui::theme::palette;
use crate::ui::widget::grouped;

use super::plots::{name_plot, position, still_plot};
use super::{Card, Table};

/// The curve of suspicion by rank.
pub struct Suspicion;

impl Card for Suspicion {
    fn id(&self) -> &'static str {
        "suspicion"
    }

    fn title(&self) -> &'static str {
        "Suspicion"
    }

    fn explanation(&self, ctx: &ViewCtx<'_>) -> String {
        let judged = ctx.session.scan().map_or(0, |scan| scan.ranking.len());
        format!(
            "{} judged samples, most suspicious on the left; click to see those left of the pointer",
            grouped(judged)
        )
    }

    fn details(&self, ctx: &ViewCtx<'_>) -> String {
        let runs = ctx.session.scan().map(|scan| scan.runs.as_slice()).unwrap_or_default();
        runs.iter().map(|run| run.note.as_str()).collect::<Vec<_>>().join("\n")
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.scan().is_some_and(|scan| !scan.ranking.is_empty())
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let Some(scan) = ctx.session.scan() else { return };
        let judged = scan.ranking.len();
        let palette = palette(ui);
        let step = (judged / 600).max(1);
        let curve: Vec<[f64; 2]> = scan
            .ranking
            .iter()
            .enumerate()
            .step_by(step)
            .map(|(at, ranked)| [(at + 1) as f64, ranked.suspicion])
            .collect();
        let alarms = scan.ranking.iter().filter(|r| r.signals.iter().any(|signal| signal.alarm)).count();
        let response = still_plot("suspicion")
            .height(170.0)
            .grid_color(palette.line)
            .include_y(0.0)
            .include_y(1.0)
            .include_x(0.0)
            .label_formatter(|hover| {
                let at = (position(hover).x.max(1.0) as usize - 1).min(judged - 1);
                let ranked = scan.ranking.get(at)?;
                let item = ctx.items.item(Which::Target, ranked.row as usize);
                Some(format!("Rank {}, suspicion {:.2}\n{}", at + 1, ranked.suspicion, ctx.items.key(item)))
            })
            .show(ui, |plot| {
                plot.line(
                    Line::new("suspicion", PlotPoints::from(curve)).color(palette.contribution).width(2.0),
                );
                if alarms > 0 {
                    let line =
                        egui_plot::VLine::new("flagged", alarms as f64).color(palette.warning).width(1.5);
                    plot.vline(line);
                }
                plot.pointer_coordinate()
            });
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && let Some(ranked) = scan.ranking.get((at.x.max(1.0) as usize - 1).min(judged - 1))
        {
            ctx.send(Command::Search(format!("score>={:.3}", (ranked.suspicion * 1000.0).floor() / 1000.0)));
        }
        name_plot(&response.response, "Suspicion by rank");
        if alarms > 0 {
            let color = palette.text_weak;
            ui.label(
                RichText::new(format!("{} are flagged: about those left of the line", grouped(alarms)))
                    .small()
                    .color(color),
            );
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let ranking = ctx.session.scan().map(|scan| scan.ranking.as_slice()).unwrap_or_default();
        let lines = ranking.iter().enumerate().map(|(at, ranked)| {
            let item = ctx.items.item(Which::Target, ranked.row as usize);
            vec![(at + 1).to_string(), ctx.items.key(item).to_owned(), ranked.suspicion.to_string()]
        });
        Table::new(&["rank", "key", "suspicion"], lines)
    }
}
