//! How far apart are the class shares of both versions, in the usual measures?

use eframe::egui::{self, RichText};

use crate::compare::Measures;
use crate::ui::app::ViewCtx;

use super::{Card, Table};

/// A line a measure.
pub struct Drift;

impl Card for Drift {
    fn id(&self) -> &'static str {
        "drift"
    }

    fn title(&self) -> &'static str {
        "Drift"
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        "Of the class shares. A hundred planted samples in fifty thousand move none of these: small figures prove nothing".to_owned()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.distribution().is_some()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let Some(distribution) = ctx.session.distribution() else { return };
        let lines = lines(&distribution.measures);
        egui::Grid::new("drift").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
            for (name, value, meaning) in lines {
                ui.label(name).on_hover_text(meaning);
                ui.label(RichText::new(value).monospace()).on_hover_text(meaning);
                ui.end_row();
            }
        });
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let measures =
            ctx.session.distribution().map(|distribution| distribution.measures).unwrap_or_default();
        let values =
            [measures.js_distance, measures.l_infinity, measures.psi, measures.chi2_p, measures.cramers_v];
        let names = ["js_distance", "l_infinity", "psi", "chi2_p", "cramers_v"];
        let lines = names.iter().zip(values).map(|(name, value)| vec![(*name).to_owned(), value.to_string()]);
        Table::new(&["measure", "value"], lines)
    }
}

/// Name, figure, meaning.
fn lines(measures: &Measures) -> [(&'static str, String, &'static str); 5] {
    [
        (
            "Jensen–Shannon distance",
            format!("{:.4}", measures.js_distance),
            "0 = the same, 1 = nothing in common",
        ),
        ("Largest change of a share", format!("{:.2} pp", measures.l_infinity * 100.0), "L-infinity"),
        (
            "Population stability index",
            format!("{:.4}", measures.psi),
            "folk thresholds: 0.1 watch, 0.25 act",
        ),
        (
            "Chi-square",
            format!("p = {:.2e}", measures.chi2_p),
            "chance of a difference this large if nothing had moved",
        ),
        ("Cramér's V", format!("{:.4}", measures.cramers_v), "size of the effect, bias-corrected, 0 to 1"),
    ]
}
