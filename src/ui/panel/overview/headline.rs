//! What does the contribution change, and what deserves a look first?

use eframe::egui::{self, RichText, Vec2};

use crate::model::ChangeKind;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::panel::hints::look_first;
use crate::ui::state::Queue;
use crate::ui::theme::{self, change_look, icon, palette};
use crate::ui::widget::grouped;

/// The title, a button for each kind of change, and sentences that lead somewhere.
pub fn headline_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let palette = palette(ui);
    let dark = ui.visuals().dark_mode;
    if ctx.items.diff.is_none() {
        let version = ctx.items.target.as_ref();
        let text = format!(
            "{} samples in {} classes",
            grouped(ctx.items.target_len()),
            version.map_or(0, |v| v.classes().len())
        );
        ui.label(RichText::new(text).font(theme::title_font()).color(palette.text_strong));
        if ctx.session.base().is_some() && ctx.session.is_busy() {
            ui.label(
                RichText::new("The comparison follows when all files have been hashed.")
                    .color(palette.text_weak),
            );
        }
        look_first_ui(ui, ctx);
        ui.add_space(theme::GAP);
        return;
    }
    ui.label(
        RichText::new("What the contribution changes").font(theme::title_font()).color(palette.text_strong),
    );
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(8.0, 8.0);
        let mut any = false;
        for kind in ChangeKind::ALL {
            let count = ctx.counts.of(Queue::Change(kind)).total;
            if count == 0 {
                continue;
            }
            any = true;
            let (sign, color, word) = change_look(kind, dark);
            let text =
                RichText::new(format!("{sign}  {} {}", grouped(count), word.to_lowercase())).color(color);
            let button = egui::Button::new(text).min_size(Vec2::new(0.0, 30.0));
            if ui.add(button).on_hover_text(Queue::Change(kind).explanation()).clicked() {
                ctx.send(Command::Show(Queue::Change(kind)));
            }
        }
        if !any {
            ui.label("Nothing: both versions hold the same samples with the same labels");
        }
    });
    look_first_ui(ui, ctx);
    ui.add_space(theme::GAP);
}

/// What deserves a look first, as sentences that lead there.
fn look_first_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let palette = palette(ui);
    let hints = look_first(ctx);
    if hints.is_empty() {
        if ctx.items.scan.is_some() {
            let text = "Changes, class shares, labels against pictures, shared marks and copies were looked at; nothing stands out. What was not looked for is not excluded.";
            ui.add(egui::Label::new(RichText::new(text).color(palette.text_weak)).wrap());
        }
        return;
    }
    ui.add_space(4.0);
    for (text, command) in hints {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(icon::ARROW_RIGHT).color(palette.warning));
            if ui.link(text).clicked() {
                ctx.send(command);
            }
        });
    }
}
