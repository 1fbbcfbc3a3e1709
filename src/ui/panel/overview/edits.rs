//! Where were pictures edited? The summed map of a contribution, in which a planted mark is one bright spot.

use std::sync::Arc;

use eframe::egui::{self, Color32, ColorImage, Rect, RichText, Sense, TextureHandle, TextureOptions, Vec2};

use crate::compare::{EDIT_MAP_SIDE, EditMap};
use crate::model::ChangeKind;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::state::Queue;
use crate::ui::theme::{self, palette};
use crate::ui::widget::grouped;

use super::{Card, Table};

/// Below this share of the map half of all change is at one place.
const ONE_PLACE: f64 = 0.03;
/// Side of the drawn map, points.
const SIDE: f32 = 240.0;

/// A map's texture, and the map and theme that it was drawn for.
#[derive(Clone)]
struct Drawn {
    map: Arc<EditMap>,
    dark: bool,
    texture: TextureHandle,
}

/// The card.
pub struct Edits;

impl Card for Edits {
    fn id(&self) -> &'static str {
        "edits"
    }

    fn title(&self) -> &'static str {
        "Where edited pictures changed"
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        "What edited pictures have that their base has not, summed over all of them".to_owned()
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        ctx.session.edit_map().is_some()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        if let Some(map) = ctx.session.edit_map() {
            edits_ui(ui, ctx, map);
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let shares = ctx.session.edit_map().map(|map| map.shares.as_slice()).unwrap_or_default();
        let cells = shares.iter().enumerate().map(|(at, share)| {
            let (x, y) = (at % EDIT_MAP_SIDE, at / EDIT_MAP_SIDE);
            vec![x.to_string(), y.to_string(), format!("{share:.8}")]
        });
        Table::new(&["column", "row", "share_of_change"], cells)
    }
}

/// The map and what it says.
fn edits_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, map: &Arc<EditMap>) {
    let color = palette(ui);
    let texture = texture_of(ui, map);
    ui.horizontal_top(|ui| {
        let side = SIDE.min(ui.available_width());
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, "Map of where pictures were edited")
        });
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, whole, Color32::WHITE);
        let stroke = egui::Stroke::new(1.0, color.line);
        ui.painter().rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Outside);
        if response.clicked() {
            ctx.send(Command::Show(Queue::Change(ChangeKind::Edited)));
        }
        if let Some(at) = response.hover_pos() {
            let cell = ((at - rect.min) / side * EDIT_MAP_SIDE as f32).floor();
            let most = EDIT_MAP_SIDE as f32 - 1.0;
            let (x, y) = (cell.x.clamp(0.0, most) as usize, cell.y.clamp(0.0, most) as usize);
            let share = map.shares[y * EDIT_MAP_SIDE + x];
            let times = share * (EDIT_MAP_SIDE * EDIT_MAP_SIDE) as f32;
            response.on_hover_text(format!(
                "{:.0} % from the left, {:.0} % from the top\n{times:.1} times as much change as everywhere on average\nClick to see the edited pictures",
                100.0 * (x as f32 + 0.5) / EDIT_MAP_SIDE as f32,
                100.0 * (y as f32 + 0.5) / EDIT_MAP_SIDE as f32,
            ));
        }
        ui.vertical(|ui| {
            let share = 100.0 * map.half_within;
            let (text, emphasis) = if map.half_within < ONE_PLACE {
                let text = format!("Half of all change lies on {share:.1} % of the picture: a mark at one place?");
                (text, color.warning)
            } else {
                (format!("Half of all change lies on {share:.0} % of the picture."), color.text)
            };
            ui.add(egui::Label::new(RichText::new(text).color(emphasis)).wrap());
            let left_out = map.edited - map.pictures;
            let mut text = format!("{} edited pictures, each with the same weight.", grouped(map.pictures));
            if left_out > 0 {
                text.push_str(&format!(" {} more are not in it.", grouped(left_out)));
            }
            ui.add(egui::Label::new(RichText::new(text).small().color(color.text_weak)).wrap());
        });
    });
}

fn texture_of(ui: &egui::Ui, map: &Arc<EditMap>) -> TextureHandle {
    let id = egui::Id::unique("edit-map-texture");
    let dark = ui.visuals().dark_mode;
    let known: Option<Drawn> = ui.data(|data| data.get_temp(id));
    if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.map, map) && known.dark == dark) {
        return known.texture;
    }
    let most = map.shares.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    // A square root: what is a tenth of the brightest is still seen.
    let pixels = map.shares.iter().map(|share| theme::heat(palette(ui), (share / most).sqrt())).collect();
    let image = ColorImage::new([EDIT_MAP_SIDE, EDIT_MAP_SIDE], pixels);
    let texture = ui.ctx().load_texture("edit-map", image, TextureOptions::LINEAR);
    ui.data_mut(|data| data.insert_temp(id, Drawn { map: map.clone(), dark, texture: texture.clone() }));
    texture
}
