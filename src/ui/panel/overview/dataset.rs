//! What is in the one version that is open?

use eframe::egui;

use crate::ui::app::ViewCtx;
use crate::ui::state::Queue;
use crate::ui::widget::grouped;

use super::{Card, Table};

/// Counts in words.
pub struct Dataset;

impl Card for Dataset {
    fn id(&self) -> &'static str {
        "dataset"
    }

    fn title(&self) -> &'static str {
        "Dataset"
    }

    fn explanation(&self, ctx: &ViewCtx<'_>) -> String {
        ctx.items.target.as_ref().map(|version| version.label_origin().to_owned()).unwrap_or_default()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.base().is_none()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        egui::Grid::new("dataset").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
            for (name, count) in lines(ctx) {
                ui.label(name);
                ui.label(grouped(count));
                ui.end_row();
            }
        });
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let lines = lines(ctx).into_iter().map(|(name, count)| vec![name.to_owned(), count.to_string()]);
        Table::new(&["what", "count"], lines)
    }
}

fn lines(ctx: &ViewCtx<'_>) -> Vec<(&'static str, usize)> {
    let Some(version) = &ctx.items.target else { return Vec::new() };
    let (_, unlabelled) = version.class_counts();
    let mut lines = vec![("Samples", version.len()), ("Classes", version.classes().len())];
    if unlabelled > 0 {
        lines.push(("Without a label", unlabelled as usize));
    }
    lines.push(("Problems", ctx.counts.of(Queue::Problems).total));
    lines
}
