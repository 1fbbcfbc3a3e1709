//! What do several panels draw? Cards, buttons, small bars.

mod card;

pub use card::{CAPTION, Emphasis, card_ui, on_picture, paint_part, paint_picture, spoken};

use std::sync::Arc;

use eframe::egui::{self, RichText};

/// What was made for this stamp before, or is made now: for what takes longer than a frame has.
pub fn remembered<S, T>(ui: &egui::Ui, name: &'static str, stamp: S, make: impl FnOnce() -> T) -> Arc<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    let id = egui::Id::unique(("remembered", name));
    let known: Option<(S, Arc<T>)> = ui.data(|data| data.get_temp(id));
    if let Some((_, value)) = known.filter(|(known, _)| *known == stamp) {
        return value;
    }
    let value = Arc::new(make());
    ui.data_mut(|data| data.insert_temp(id, (stamp, value.clone())));
    value
}

/// The place in the list of the sample under the cursor.
pub fn cursor_place(ui: &egui::Ui, ctx: &super::app::ViewCtx<'_>, item: super::items::Item) -> Option<usize> {
    let find = || ctx.rows.iter().position(|row| *row == item);
    *remembered(ui, "cursor-place", (ctx.rows_generation, item), find)
}

/// A framed part of a page, as wide as there is room, and where it is.
pub fn frame_ui(ui: &mut egui::Ui, content: impl FnOnce(&mut egui::Ui)) -> egui::Rect {
    let palette = super::theme::palette(ui);
    let frame = egui::Frame::new()
        .fill(palette.panel)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(8.0)
        .inner_margin(egui::Margin::same(14));
    let response = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        // Columns would justify the lines of a text.
        ui.with_layout(egui::Layout::top_down(egui::Align::LEFT), content);
    });
    ui.add_space(super::theme::GAP);
    response.response.rect
}

/// A time of a decision, where the person is.
#[must_use]
pub fn local_time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| String::new(),
        |time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// A number with its digits in groups of three: `12,345`.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A button that shows only a sign; its name is for screen readers and tests.
pub fn icon_button(ui: &mut egui::Ui, sign: &str, name: &str, tip: &str) -> egui::Response {
    let response = ui.add(egui::Button::new(RichText::new(sign).size(16.0)).min_size(egui::vec2(30.0, 26.0)));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    response.on_hover_text(tip)
}

/// Names a text field for screen readers and tests: its hint is gone once somebody types.
pub fn name_field(response: &egui::Response, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
}

/// Sentences that fill an empty place: what is missing, and what to do.
pub fn empty_ui(ui: &mut egui::Ui, sign: &str, title: &str, advice: &str) {
    let palette = super::theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).max(20.0));
        ui.label(RichText::new(sign).size(40.0).color(palette.text_weak));
        ui.add_space(6.0);
        ui.label(RichText::new(title).font(super::theme::title_font()).color(palette.text_strong));
        ui.add_space(2.0);
        ui.add(egui::Label::new(RichText::new(advice).color(palette.text_weak)).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_three() {
        let shown: Vec<String> = [0, 12, 999, 1000, 60_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "12", "999", "1,000", "60,000", "1,234,567"]);
    }
}
