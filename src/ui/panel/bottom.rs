//! How far is the review, is it saved, and who is deciding?

use eframe::egui::{self, Align, Layout, RichText};

use crate::review::Access;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::input::reviewer_id;
use crate::ui::settings::Settings;
use crate::ui::state::Queue;
use crate::ui::theme::{icon, palette};
use crate::ui::widget::{grouped, name_field};

/// The bar at the bottom.
pub fn bottom_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, settings: &mut Settings) {
    let palette = palette(ui);
    ui.horizontal(|ui| {
        let decided = ctx.counts.of(Queue::Decided).total;
        let scope =
            if ctx.items.diff.is_some() { ctx.counts.of(Queue::Changes) } else { ctx.counts.of(Queue::All) };
        let word = if ctx.items.diff.is_some() { "changes" } else { "samples" };
        let done = scope.total - scope.undecided;
        let share = if scope.total > 0 { done as f32 / scope.total as f32 } else { 0.0 };
        ui.add(egui::ProgressBar::new(share).desired_width(90.0).desired_height(6.0))
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, "Share decided"));
        ui.label(format!("{} of {} {word} decided", grouped(done), grouped(scope.total)));
        if decided != done {
            ui.label(
                RichText::new(format!("({} verdicts in all)", grouped(decided))).color(palette.text_weak),
            );
        }
        ui.separator();
        saved_ui(ui, ctx);
        ui.separator();
        ui.label(RichText::new(icon::USER).color(palette.text_weak));
        let field = egui::TextEdit::singleline(&mut settings.reviewer)
            .id(reviewer_id())
            .desired_width(96.0)
            .char_limit(100)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(egui::vec2(0.0, 20.0))
            .margin(egui::Margin::symmetric(4, 2));
        let response = ui.add(field).on_hover_text("Who is deciding: stored with each verdict");
        name_field(&response, "Reviewer");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let hints: [(&str, Command); 5] = [
                ("all keys", Command::Help),
                ("undo", Command::Undo),
                ("next", Command::NextUndecided),
                ("exclude", Command::Decide(Some(crate::model::Verdict::Exclude))),
                ("keep", Command::Decide(Some(crate::model::Verdict::Keep))),
            ];
            for (word, command) in hints {
                if ui.available_width() < 90.0 {
                    break;
                }
                ui.label(RichText::new(word).color(palette.text_weak).small());
                ui.label(RichText::new(ctx.keys.hint(&command)).small().strong());
                ui.add_space(4.0);
            }
        });
    });
}

fn saved_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let palette = palette(ui);
    let Some(review) = ctx.review else {
        ui.label(RichText::new(format!("{}  no review file", icon::WARNING)).color(palette.warning));
        return;
    };
    let (text, color, tip) = match review.access() {
        Access::Write => (
            format!("{}  saved", icon::FLOPPY_DISK),
            palette.good,
            "Every verdict is on disk the moment it shows".to_owned(),
        ),
        Access::ReadOnly(reason) => (format!("{}  read-only", icon::LOCK), palette.warning, reason.clone()),
    };
    ui.label(RichText::new(text).color(color)).on_hover_text(format!("{tip}\n{}", review.path().display()));
}
