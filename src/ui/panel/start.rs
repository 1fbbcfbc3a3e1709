//! What does an empty window say? What this is for, and how to begin.

use eframe::egui::{self, Align2, Rect, RichText, Vec2};

use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::settings::{PREVIEWS, Settings};
use crate::ui::state::ViewState;
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::grouped;

use super::Panel;

/// Height of a recent place, points.
const RECENT_HEIGHT: f32 = 44.0;

/// Shown while nothing is open.
pub struct Start;

impl Panel for Start {
    fn applies(&self, ctx: &ViewCtx<'_>, _view: &ViewState) -> bool {
        ctx.session.target().is_none()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, _view: &mut ViewState, settings: &mut Settings) {
        let palette = palette(ui);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.add_space((ui.available_height() * 0.12).clamp(10.0, 120.0));
                ui.set_max_width(560.0);
                ui.label(RichText::new(icon::BIRD).size(54.0).color(palette.accent));
                ui.label(RichText::new("Sparrowhawk").font(egui::FontId::new(26.0, theme::strong_family())).color(palette.text_strong));
                ui.label(RichText::new("See what a dataset holds, what a contribution changed, and what does not belong").color(palette.text_weak));
                ui.add_space(22.0);
                drop_zone_ui(ui, ctx);
                ui.add_space(10.0);
                ui.horizontal(|ui| {
                    let size = Vec2::new((ui.available_width() - 16.0) / 3.0, 36.0);
                    let actions = [
                        (icon::FOLDER_OPEN, "Open a folder…", Command::ChooseFolder),
                        (icon::FILE_PLUS, "Open a list…", Command::ChooseFile),
                        (icon::BIRD, "Try the demo", Command::Demo),
                    ];
                    for (sign, text, command) in actions {
                        let button = egui::Button::new(format!("{sign}  {text}")).min_size(size);
                        if ui.add(button).on_hover_text(ctx.tip(text, &command)).clicked() {
                            ctx.send(command);
                        }
                    }
                });
                recent_ui(ui, ctx, settings);
                ui.add_space(24.0);
                ui.label(RichText::new("Nothing leaves this machine. Datasets are opened read-only; decisions go into a review file of their own.").small().color(palette.text_weak));
            });
        });
    }
}

fn drop_zone_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let palette = palette(ui);
    let hovering = ui.input(|input| !input.raw.hovered_files.is_empty());
    let stroke = egui::Stroke::new(
        if hovering { 2.0 } else { 1.0 },
        if hovering { palette.accent } else { palette.line },
    );
    egui::Frame::new()
        .fill(if hovering { palette.accent_soft } else { palette.panel })
        .stroke(stroke)
        .corner_radius(10.0)
        .inner_margin(egui::Margin::symmetric(20, 26))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.vertical_centered(|ui| {
                let busy = ctx.own_progress.is_some();
                if busy {
                    ui.spinner();
                    ui.label("One moment…");
                    return;
                }
                ui.label(strong("Drop a dataset here").color(palette.text_strong));
                ui.label(
                    RichText::new("A folder with a folder for each class, or a CSV, TSV or JSONL list.\nDrop two to compare them: the trusted base first, then the contribution.")
                        .color(palette.text_weak),
                );
            });
        });
}

fn recent_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, settings: &Settings) {
    if settings.recent.is_empty() {
        return;
    }
    let palette = palette(ui);
    ui.add_space(20.0);
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
        ui.label(RichText::new("Recent").small().color(palette.text_weak));
        for recent in settings.recent.iter().take(8) {
            let name = |path: &std::path::Path| {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            };
            let title = match &recent.base {
                Some(base) => format!("{}  {}  {}", name(base), icon::ARROW_RIGHT, name(&recent.target)),
                None => name(&recent.target),
            };
            let folder = recent.target.parent().map(|p| p.display().to_string()).unwrap_or_default();
            let tip = format!(
                "{}{}",
                recent.base.as_ref().map(|b| format!("{}\n", b.display())).unwrap_or_default(),
                recent.target.display()
            );
            let (rect, response) =
                ui.allocate_exact_size(Vec2::new(ui.available_width(), RECENT_HEIGHT), egui::Sense::click());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &title));
            if response.hovered() {
                ui.painter().rect_filled(rect, theme::RADIUS, palette.card_hovered);
            }
            let side = RECENT_HEIGHT - 8.0;
            let mut left = rect.left() + 4.0;
            for place in 0..PREVIEWS {
                let area = Rect::from_min_size(egui::pos2(left, rect.top() + 4.0), Vec2::splat(side));
                ui.painter().rect_filled(area, 3.0, palette.card);
                let texture = recent.previews.get(place).and_then(|path| ctx.previews.get(path));
                if let Some(texture) = texture {
                    let size = texture.size_vec2();
                    // The middle of the picture fills the square.
                    let part = Vec2::splat(size.min_elem()) / size;
                    let uv = Rect::from_center_size(egui::pos2(0.5, 0.5), part);
                    ui.painter().image(texture.id(), area, uv, egui::Color32::WHITE);
                }
                left += side + 3.0;
            }
            let text = Rect::from_min_max(egui::pos2(left + 8.0, rect.top()), rect.max - Vec2::new(6.0, 0.0));
            let painter = ui.painter_at(text);
            let body = egui::TextStyle::Body.resolve(ui.style());
            let small = egui::TextStyle::Small.resolve(ui.style());
            let (top, bottom) = (text.top() + side * 0.34 + 2.0, text.top() + side * 0.78 + 2.0);
            painter.text(egui::pos2(text.left(), top), Align2::LEFT_CENTER, &title, body, palette.text);
            let (done, all) = recent.decided;
            if all > 0 {
                painter.text(
                    egui::pos2(text.right(), top),
                    Align2::RIGHT_CENTER,
                    format!("{} of {} decided", grouped(done), grouped(all)),
                    small.clone(),
                    palette.text_weak,
                );
            }
            painter.text(
                egui::pos2(text.left(), bottom),
                Align2::LEFT_CENTER,
                shorten_path(&folder),
                small,
                palette.text_weak,
            );
            if response.on_hover_text(tip).clicked() {
                ctx.send(Command::Open(recent.base.clone(), Some(recent.target.clone())));
            }
        }
    });
}

/// The last part of a long path.
fn shorten_path(path: &str) -> String {
    let count = path.chars().count();
    if count <= 44 {
        path.to_owned()
    } else {
        format!("…{}", path.chars().skip(count - 43).collect::<String>())
    }
}
