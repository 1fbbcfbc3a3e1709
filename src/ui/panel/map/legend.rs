//! What does the colour of a point mean? Lines of the legend, and for each point which line it belongs to.

use eframe::egui::{self, Align2, FontId, Rect, Sense, Vec2};

use crate::model::{ChangeKind, Verdict};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::Item;
use crate::ui::map::{ColorBy, Filter, LegendEntry};
use crate::ui::session::Which;
use crate::ui::state::ViewState;
use crate::ui::theme::{self, CLASS_COLORS, Palette, change_look, class_color, palette, verdict_look};
use crate::ui::widget::grouped;

const WIDTH: f32 = 176.0;
const LINE: f32 = 21.0;

/// The lines, and the line of each of `items`.
pub fn classify(
    ctx: &ViewCtx<'_>,
    items: &[Item],
    (by, class): (ColorBy, Option<&str>),
    (palette, dark): (&Palette, bool),
) -> (Vec<LegendEntry>, Vec<u8>) {
    let (mut entries, lines) = match by {
        ColorBy::Label => by_label(ctx, items, class, palette, dark),
        ColorBy::Change => by_change(ctx, items, palette, dark),
        ColorBy::Score => by_score(ctx, items, palette),
        ColorBy::Decision => by_decision(ctx, items, palette, dark),
    };
    for line in &lines {
        entries[usize::from(*line)].count += 1;
    }
    (entries, lines)
}

fn entry(name: impl Into<String>, color: egui::Color32, filter: Filter) -> LegendEntry {
    LegendEntry { name: name.into(), color, count: 0, filter }
}

/// The most frequent classes, and the one that is filtered by; the others share a line.
fn by_label(
    ctx: &ViewCtx<'_>,
    items: &[Item],
    class: Option<&str>,
    palette: &Palette,
    dark: bool,
) -> (Vec<LegendEntry>, Vec<u8>) {
    let number = |item: &Item| {
        let label = ctx.items.label(*item)?;
        ctx.classes.binary_search_by(|class| class.as_ref().cmp(label)).ok()
    };
    let numbers: Vec<Option<usize>> = items.iter().map(number).collect();
    let mut counts = vec![0_usize; ctx.classes.len()];
    for at in numbers.iter().flatten() {
        counts[*at] += 1;
    }
    let mut chosen: Vec<usize> = (0..counts.len()).filter(|at| counts[*at] > 0).collect();
    chosen.sort_by_key(|at| std::cmp::Reverse(counts[*at]));
    let filtered = class.and_then(|class| chosen.iter().position(|at| ctx.classes[*at].as_ref() == class));
    if let Some(at) = filtered.filter(|at| *at >= CLASS_COLORS) {
        chosen.swap(CLASS_COLORS - 1, at);
    }
    chosen.truncate(CLASS_COLORS);
    chosen.sort_unstable();
    let mut line_of = vec![chosen.len() as u8; ctx.classes.len()];
    let mut entries = Vec::with_capacity(chosen.len() + 1);
    for (line, at) in chosen.iter().enumerate() {
        line_of[*at] = line as u8;
        let name = ctx.classes[*at].to_string();
        entries.push(entry(name.clone(), class_color(line, dark), Filter::Class(name)));
    }
    let rest = entries.len() as u8;
    let name = if counts.iter().filter(|count| **count > 0).count() > chosen.len() {
        "Other classes"
    } else {
        "No label"
    };
    entries.push(entry(name, palette.base, Filter::None));
    let lines = numbers.into_iter().map(|at| at.map_or(rest, |at| line_of[at])).collect();
    (entries, lines)
}

fn by_change(
    ctx: &ViewCtx<'_>,
    items: &[Item],
    palette: &Palette,
    dark: bool,
) -> (Vec<LegendEntry>, Vec<u8>) {
    let words = |kind: ChangeKind| match kind {
        ChangeKind::Relabelled => "change:relabelled",
        ChangeKind::Edited => "change:edited",
        ChangeKind::Duplicated => "change:duplicated",
        ChangeKind::ReEncoded => "change:re-encoded",
        ChangeKind::SplitMoved => "change:split-moved",
        ChangeKind::Renamed => "change:renamed",
        ChangeKind::Added => "change:added",
        ChangeKind::Removed => "change:removed",
    };
    let mut entries: Vec<LegendEntry> = ChangeKind::ALL
        .into_iter()
        .map(|kind| {
            let (_, color, name) = change_look(kind, dark);
            entry(name, color, Filter::Words(words(kind)))
        })
        .collect();
    let unchanged = entries.len() as u8;
    entries.push(entry("Unchanged", palette.base, Filter::Words("change:none")));
    entries.push(entry("Base, before an edit", palette.text_weak, Filter::None));
    let line = |item: &Item| match ctx.items.change(*item) {
        Some(change) => ChangeKind::ALL.iter().position(|kind| *kind == change.kind).unwrap_or(0) as u8,
        None if ctx.items.place(*item).0 == Which::Base => unchanged + 1,
        None => unchanged,
    };
    (entries, items.iter().map(line).collect())
}

fn by_score(ctx: &ViewCtx<'_>, items: &[Item], palette: &Palette) -> (Vec<LegendEntry>, Vec<u8>) {
    let bands = [
        ("0.8 and above", 0.9, "score>=0.8"),
        ("0.5 to 0.8", 0.6, "score>=0.5 score<0.8"),
        ("Below 0.5", 0.1, "score<0.5"),
    ];
    let mut entries: Vec<LegendEntry> = bands
        .into_iter()
        .map(|(name, score, words)| entry(name, theme::suspicion_color(palette, score), Filter::Words(words)))
        .collect();
    entries.push(entry("Not judged", palette.base, Filter::Words("-has:score")));
    let line = |item: &Item| match ctx.items.ranked(*item).map(|ranked| ranked.suspicion) {
        Some(score) if score >= 0.8 => 0,
        Some(score) if score >= 0.5 => 1,
        Some(_) => 2,
        None => 3,
    };
    (entries, items.iter().map(line).collect())
}

fn by_decision(
    ctx: &ViewCtx<'_>,
    items: &[Item],
    palette: &Palette,
    dark: bool,
) -> (Vec<LegendEntry>, Vec<u8>) {
    let verdicts = [
        (Verdict::Keep, "decision:keep"),
        (Verdict::Relabel(String::new()), "decision:relabel"),
        (Verdict::Exclude, "decision:exclude"),
        (Verdict::Revert, "decision:revert"),
        (Verdict::Unsure, "decision:unsure"),
    ];
    let mut entries: Vec<LegendEntry> = verdicts
        .iter()
        .map(|(verdict, words)| {
            let (_, color, name) = verdict_look(verdict, dark);
            entry(name, color, Filter::Words(words))
        })
        .collect();
    entries.push(entry("Undecided", palette.base, Filter::Words("decision:none")));
    let line = |item: &Item| {
        let verdict = ctx.verdicts.get(*item);
        let place =
            verdict.and_then(|verdict| verdicts.iter().position(|(v, _)| v.as_str() == verdict.as_str()));
        place.unwrap_or(verdicts.len()) as u8
    };
    (entries, items.iter().map(line).collect())
}

/// Whether a line's filter is in force.
fn is_on(filter: &Filter, view: &ViewState) -> bool {
    match filter {
        Filter::None => false,
        Filter::Class(class) => view.class_filter.as_deref() == Some(class),
        Filter::Words(words) => words.split(' ').all(|word| view.search.split(' ').any(|own| own == word)),
    }
}

/// The search text with these words, instead of others about the same field; without them where they are there.
fn toggled(search: &str, words: &str) -> String {
    let field = |word: &str| {
        let word = word.strip_prefix("-has:").unwrap_or(word);
        word.chars().take_while(char::is_ascii_alphabetic).collect::<String>()
    };
    let own: Vec<&str> = search.split(' ').collect();
    let on = words.split(' ').all(|word| own.contains(&word));
    let about = words.split(' ').next().map(field).unwrap_or_default();
    let kept =
        own.into_iter().filter(|word| word.is_empty() || word.starts_with('"') || field(word) != about);
    let rest = kept.collect::<Vec<_>>().join(" ");
    let rest = rest.trim_end();
    match (on, rest.is_empty()) {
        (true, _) => rest.to_owned(),
        (false, true) => words.to_owned(),
        (false, false) => format!("{rest} {words}"),
    }
}

/// Draws the legend into the upper left corner of `area`; a click on a line shows only its samples.
pub fn legend_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState, area: Rect) {
    let palette = palette(ui);
    let lines: Vec<&LegendEntry> = view.map.drawn.legend.iter().filter(|line| line.count > 0).collect();
    let room = ((area.height() - 24.0) / LINE).floor().max(0.0) as usize;
    // In a small window it would hide the points; classes can be filtered in the list on the left too.
    if room < 3 || area.width() < WIDTH * 2.4 {
        return;
    }
    let lines = &lines[..lines.len().min(room)];
    let frame =
        Rect::from_min_size(area.min + Vec2::splat(8.0), Vec2::new(WIDTH, lines.len() as f32 * LINE + 8.0));
    ui.painter().rect(
        frame,
        theme::RADIUS,
        palette.panel,
        egui::Stroke::new(1.0, palette.line),
        egui::StrokeKind::Inside,
    );
    let any = view.map.drawn.legend.iter().any(|line| is_on(&line.filter, view));
    for (at, line) in lines.iter().enumerate() {
        let rect = Rect::from_min_size(
            frame.min + Vec2::new(4.0, 4.0 + at as f32 * LINE),
            Vec2::new(WIDTH - 8.0, LINE),
        );
        let on = is_on(&line.filter, view);
        let can = line.filter != Filter::None;
        let sense = if can { Sense::click() } else { Sense::hover() };
        let response = ui.interact(rect, ui.scope_id().with(("legend", at)), sense);
        response.widget_info(|| {
            let name = format!("{}: {}", line.name, grouped(line.count));
            egui::WidgetInfo::selected(egui::Role::Button, can, on, name)
        });
        if on || (can && response.hovered()) {
            let fill = if on { palette.accent_soft } else { palette.card_hovered };
            ui.painter().rect_filled(rect, 4.0, fill);
        }
        let middle = rect.center().y;
        let faded = any && !on;
        let swatch = if faded { theme::quiet(line.color, palette) } else { line.color };
        ui.painter().circle_filled(egui::pos2(rect.left() + 10.0, middle), 5.0, swatch);
        let count = ui.painter().text(
            egui::pos2(rect.right() - 6.0, middle),
            Align2::RIGHT_CENTER,
            grouped(line.count),
            FontId::proportional(11.5),
            palette.text_weak,
        );
        let name_area = Rect::from_min_max(rect.min, egui::pos2(count.left() - 6.0, rect.bottom()));
        ui.painter_at(name_area).text(
            egui::pos2(rect.left() + 22.0, middle),
            Align2::LEFT_CENTER,
            &line.name,
            FontId::proportional(12.5),
            if faded { palette.text_weak } else { palette.text },
        );
        let tip = match (can, on) {
            (false, _) => line.name.clone(),
            (true, false) => format!("{}\nClick to show only these", line.name),
            (true, true) => format!("{}\nClick to show all again", line.name),
        };
        if response.on_hover_text(tip).clicked() {
            match &line.filter {
                Filter::None => (),
                Filter::Class(class) => ctx.send(Command::ToggleClass(class.clone())),
                Filter::Words(words) => ctx.send(Command::Search(toggled(&view.search, words))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::toggled;

    #[test]
    fn words_replace_those_of_their_field_and_go_again() {
        for (search, words, expected) in [
            ("", "change:added", "change:added"),
            ("change:added", "change:added", ""),
            ("beach change:added", "change:edited", "beach change:edited"),
            ("score>=0.8 beach", "score>=0.5 score<0.8", "beach score>=0.5 score<0.8"),
            ("score>=0.5 score<0.8 beach", "score>=0.5 score<0.8", "beach"),
            ("score>=0.8", "-has:score", "-has:score"),
            ("-has:score", "score>=0.8", "score>=0.8"),
            ("\"two  words\" decision:none", "decision:none", "\"two  words\""),
        ] {
            assert_eq!(toggled(search, words), expected, "{search} + {words}");
        }
    }
}
