//! How is one sample drawn in a grid?

use eframe::egui::{self, Align2, Color32, CornerRadius, FontId, Rect, Stroke, StrokeKind, Vec2};

use crate::detect::part_square;
use crate::model::{PixelBox, Verdict};
use crate::ui::app::ViewCtx;
use crate::ui::items::Item;
use crate::ui::session::Which;
use crate::ui::theme::{self, change_look, icon, palette, suspicion_color, verdict_look};
use crate::ui::thumbnails::{Key, Level, Thumbnail};

/// Height of the lines under the picture.
pub const CAPTION: f32 = 24.0;

/// How a card stands out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Emphasis {
    /// It is among the selected.
    pub selected: bool,
    /// Keys act on it.
    pub cursor: bool,
    /// The mouse is over it.
    pub hovered: bool,
}

/// Draws a sample into `rect`: its picture, label, change, suspicion and verdict.
pub fn card_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, rect: Rect, item: Item, emphasis: Emphasis) {
    let palette = palette(ui);
    let dark = ui.visuals().dark_mode;
    let Emphasis { selected, cursor, hovered } = emphasis;
    let painter = ui.painter_at(rect.expand(2.0));
    let fill = if selected {
        palette.accent_soft
    } else if hovered {
        palette.card_hovered
    } else {
        palette.card
    };
    painter.rect_filled(rect, theme::RADIUS, fill);
    let picture = Rect::from_min_max(
        rect.min + Vec2::splat(4.0),
        egui::pos2(rect.right() - 4.0, rect.bottom() - CAPTION),
    );
    let (which, row) = ctx.items.place(item);
    let drawn = paint_picture(ui, ctx, picture, Key { which, row: row as u32, level: Level::Small });

    let change = ctx.items.change(item).filter(|_| !ctx.blind);
    if let Some(change) = change {
        let (sign, color, _) = change_look(change.kind, true);
        badge(&painter, picture.left_top() + Vec2::new(3.0, 3.0), sign, color, palette);
        if let (Some(area), Some((shown, stored))) = (change.changed_box, drawn) {
            let marked = on_picture(area, shown, stored);
            painter.rect_stroke(marked, 2.0, Stroke::new(1.5, color), StrokeKind::Outside);
        }
    }
    let ranked = ctx.items.ranked(item).filter(|_| !ctx.blind);
    let shared = ranked.and_then(|r| r.signals.iter().find(|signal| signal.cluster.is_some()));
    if let (Some(area), Some((shown, stored))) = (shared.and_then(|signal| signal.area), drawn) {
        let marked = on_picture(area, shown, stored);
        painter.rect_stroke(marked, 2.0, Stroke::new(1.5, palette.warning), StrokeKind::Outside);
    }
    let verdict = ctx.verdict(item);
    if let Some(verdict) = verdict {
        let (sign, color, _) = verdict_look(verdict, true);
        badge(&painter, picture.right_top() + Vec2::new(-23.0, 3.0), sign, color, palette);
    }
    let text_y = rect.bottom() - CAPTION / 2.0 + 1.0;
    let mut right = rect.right() - 7.0;
    // On a small card the label needs all the room.
    let with_score = rect.width() >= 100.0;
    if let Some(ranked) = ranked.filter(|ranked| with_score && ranked.suspicion >= 0.5) {
        let text = format!("{:.2}", ranked.suspicion);
        let color = suspicion_color(palette, ranked.suspicion);
        let drawn = painter.text(
            egui::pos2(right, text_y),
            Align2::RIGHT_CENTER,
            text,
            FontId::proportional(11.0),
            color,
        );
        right = drawn.left() - 5.0;
    }
    let caption = ui.painter_at(Rect::from_min_max(
        egui::pos2(rect.left(), rect.bottom() - CAPTION),
        egui::pos2(right, rect.bottom()),
    ));
    caption_ui(&caption, ctx, item, egui::pos2(rect.left() + 7.0, text_y), palette);

    let (width, color) = if cursor {
        (2.5, palette.accent)
    } else if selected {
        (1.5, palette.accent)
    } else {
        (1.0, if hovered { palette.text_weak } else { Color32::TRANSPARENT })
    };
    painter.rect_stroke(
        rect,
        CornerRadius::same(theme::RADIUS),
        Stroke::new(width, color),
        StrokeKind::Inside,
    );
    if verdict.is_some() && !cursor {
        let (_, color, _) = verdict_look(verdict.unwrap_or(&crate::model::Verdict::Unsure), dark);
        let line =
            Rect::from_min_size(rect.left_bottom() - Vec2::new(0.0, 3.0), Vec2::new(rect.width(), 3.0));
        painter.rect_filled(line, CornerRadius { nw: 0, ne: 0, sw: theme::RADIUS, se: theme::RADIUS }, color);
    }
}

/// The label; for a sample whose label changed, base label → label; for a wish to relabel, the wish.
fn caption_ui(
    painter: &egui::Painter,
    ctx: &ViewCtx<'_>,
    item: Item,
    at: egui::Pos2,
    palette: &theme::Palette,
) {
    let font = FontId::proportional(12.5);
    let label = ctx.items.label(item);
    let before = ctx
        .items
        .counterpart(item)
        .and_then(|other| ctx.items.label(other))
        .filter(|base| Some(*base) != label && !ctx.blind);
    let mut x = at.x;
    if let Some(before) = before {
        let text = format!("{before} {} ", icon::ARROW_RIGHT);
        x = painter
            .text(egui::pos2(x, at.y), Align2::LEFT_CENTER, text, font.clone(), palette.text_weak)
            .right();
    }
    let (text, color) = match label {
        Some(label) => (label, palette.text),
        None => ("no label", palette.text_weak),
    };
    // A label that is to be another one is followed by that.
    let wish = matches!(ctx.verdicts.get(item), Some(Verdict::Relabel(_)))
        .then(|| ctx.review?.in_force(ctx.items.key(item), &ctx.items.hash(item)?))
        .flatten();
    let wish = wish.and_then(|decision| match &decision.verdict {
        Some(Verdict::Relabel(class)) => Some(class.as_str()),
        _ => None,
    });
    let color = if wish.is_some() { palette.text_weak } else { color };
    let end = painter.text(egui::pos2(x, at.y), Align2::LEFT_CENTER, text, font.clone(), color).right();
    if let Some(wish) = wish {
        let (sign, color, _) = verdict_look(&Verdict::Relabel(String::new()), true);
        let text = format!(" {sign} {wish}");
        painter.text(egui::pos2(end, at.y), Align2::LEFT_CENTER, text, font, color);
    }
}

fn badge(painter: &egui::Painter, at: egui::Pos2, sign: &str, color: Color32, palette: &theme::Palette) {
    let rect = Rect::from_min_size(at, Vec2::splat(20.0));
    painter.rect_filled(rect, 5.0, palette.scrim);
    painter.text(rect.center(), Align2::CENTER_CENTER, sign, FontId::proportional(14.0), color);
}

/// Draws a picture as large as fits into `area`, centred, or says why there is none.
/// Returns where it is and the size of the stored picture.
pub fn paint_picture(ui: &egui::Ui, ctx: &ViewCtx<'_>, area: Rect, key: Key) -> Option<(Rect, [u32; 2])> {
    let palette = palette(ui);
    match ctx.thumbnails.get(key) {
        Thumbnail::Ready(texture, stored) => {
            let size = texture.size_vec2();
            let mut scale = (area.width() / size.x).min(area.height() / size.y);
            // Small pictures are shown sharp, at whole multiples of their size where there is room.
            if scale > 1.0 && size.max_elem() <= 64.0 {
                scale = scale.floor().max(1.0).max(scale * 0.86);
            }
            let shown = Rect::from_center_size(area.center(), size * scale);
            let uv = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            ui.painter().image(texture.id(), shown, uv, Color32::WHITE);
            Some((shown, stored))
        }
        Thumbnail::Pending => None,
        Thumbnail::Failed(message) => {
            let painter = ui.painter_at(area);
            painter.text(
                area.center() - Vec2::new(0.0, 8.0),
                Align2::CENTER_CENTER,
                icon::WARNING,
                FontId::proportional(20.0),
                palette.warning,
            );
            let galley = painter.layout(
                message.to_string(),
                FontId::proportional(10.5),
                palette.text_weak,
                area.width() - 8.0,
            );
            painter.galley(egui::pos2(area.left() + 4.0, area.center().y + 6.0), galley, palette.text_weak);
            None
        }
    }
}

/// Where a box of a stored picture is on the screen.
#[must_use]
pub fn on_picture(area: PixelBox, shown: Rect, stored: [u32; 2]) -> Rect {
    let scale = shown.width() / stored[0].max(1) as f32;
    let corner = shown.min + Vec2::new(area.x as f32, area.y as f32) * scale;
    Rect::from_min_size(corner, Vec2::new(area.width as f32, area.height as f32) * scale)
}

/// Draws the part of a picture around a box, square and with a little of what surrounds it;
/// the whole picture where there is no box. Draws nothing while the picture is on its way.
pub fn paint_part(ui: &egui::Ui, ctx: &ViewCtx<'_>, area: Rect, item: Item, part: Option<PixelBox>) {
    let (which, row) = ctx.items.place(item);
    let Some(part) = part else {
        paint_picture(ui, ctx, area, Key { which, row: row as u32, level: Level::Small });
        return;
    };
    let Thumbnail::Ready(texture, [width, height]) =
        ctx.thumbnails.get(Key { which, row: row as u32, level: Level::Large })
    else {
        return;
    };
    let size = Vec2::new(width.max(1) as f32, height.max(1) as f32);
    let (left, top, side) = part_square(part, width, height);
    let uv = Rect::from_min_size((Vec2::new(left, top) / size).to_pos2(), Vec2::splat(side) / size);
    ui.painter().image(texture.id(), area, uv, Color32::WHITE);
}

/// Which version an item belongs to, in a word for screen readers.
#[must_use]
pub fn spoken(ctx: &ViewCtx<'_>, item: Item) -> String {
    let label = ctx.items.label(item).unwrap_or("no label");
    let mut text = format!("{label}, {}", ctx.items.key(item));
    if let Some(change) = ctx.items.change(item).filter(|_| !ctx.blind) {
        text.push_str(", ");
        text.push_str(change.kind.as_str());
    } else if ctx.items.place(item).0 == Which::Base {
        text.push_str(", base");
    }
    if let Some(verdict) = ctx.verdict(item) {
        text.push_str(", decided: ");
        text.push_str(verdict.as_str());
    }
    text
}
