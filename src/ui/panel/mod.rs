//! What is on the screen? Bars and side panels in fixed places, and in the centre the first of [`CENTRE`] that applies.

mod audit;
mod bottom;
mod clusters;
mod dialogs;
mod gallery;
mod hints;
mod history;
mod inspector;
mod map;
mod overview;
mod picture;
mod problems;
mod queues;
mod side_by_side;
mod start;
mod top;
mod twins;

use eframe::egui;

use super::app::ViewCtx;
use super::settings::Settings;
use super::state::{Queue, ViewState};
use super::theme;

/// Something that can fill the centre.
pub trait Panel: Sync {
    /// Whether it is its turn.
    fn applies(&self, ctx: &ViewCtx<'_>, view: &ViewState) -> bool;
    /// Draws it.
    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings);
}

/// Every centre panel; the first that applies is shown.
pub static CENTRE: &[&dyn Panel] = &[
    &start::Start,
    &picture::FullScreen,
    &overview::Overview,
    &audit::Audit,
    &map::Map,
    &clusters::Clusters,
    &history::History,
    &picture::OneByOne,
    &twins::Twins,
    &side_by_side::SideBySide,
    &gallery::Gallery,
];

/// Draws the window.
pub fn window_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, settings: &mut Settings) {
    let palette = theme::palette(ui);
    if view.has_dialog() {
        // What lies below neither reacts nor shows a tooltip over the dialog; the backdrop dims it enough.
        ui.visuals_mut().disabled_alpha = 1.0;
        ui.disable();
    }
    let bar = egui::Frame::new().fill(palette.panel).inner_margin(egui::Margin::symmetric(12, 8));
    egui::Panel::top("top").frame(bar).show(ui, |ui| top::top_ui(ui, ctx, view, settings));
    let is_open = ctx.session.target().is_some();
    if is_open {
        egui::Panel::bottom("bottom")
            .frame(bar.inner_margin(egui::Margin::symmetric(12, 5)))
            .show(ui, |ui| bottom::bottom_ui(ui, ctx, settings));
        let side = egui::Frame::new().fill(palette.panel).inner_margin(egui::Margin::same(10));
        egui::Panel::left("queues")
            .frame(side)
            .default_size(226.0)
            .size_range(170.0..=420.0)
            .show(ui, |ui| queues::queues_ui(ui, ctx, view));
        let has_samples = !matches!(view.queue, Queue::Overview | Queue::History) && !view.is_audit_page();
        let inspects = has_samples || view.full_screen;
        if inspects && view.cursor.is_some() {
            egui::Panel::right("inspector")
                .frame(side)
                .default_size(360.0)
                .size_range(300.0..=720.0)
                .show(ui, |ui| inspector::inspector_ui(ui, ctx, view));
        }
    }
    let centre = egui::Frame::new().fill(palette.background).inner_margin(egui::Margin::same(12));
    egui::CentralPanel::default().frame(centre).show(ui, |ui| {
        if is_open {
            top::notices_ui(ui, ctx);
        }
        if let Some(panel) = CENTRE.iter().find(|panel| panel.applies(ctx, view)) {
            panel.ui(ui, ctx, view, settings);
        }
    });
    dialogs::dialogs_ui(ui, ctx, view, settings);
    dialogs::toasts_ui(ui, ctx);
}
