//! What is in these versions, how did the shares move, and what deserves a look first? Plots, not prose.

use std::collections::BTreeMap;

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{Bar, BarChart, Heatmap, Line, Plot, PlotPoint, PlotPoints, Points};

use crate::compare::{ClassRow, Flow};
use crate::model::ChangeKind;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, change_look, icon, palette, strong};
use crate::ui::widget::{empty_ui, grouped};

use super::Panel;
use super::edits::edits_ui;
use super::hints::{flow_command, look_first};

/// More classes than this are not drawn at once: those that moved most are.
const MOST_CLASSES: usize = 30;
/// More classes than this make no readable matrix.
const MOST_FLOWS: usize = 20;

/// The first page of an opened version or pair.
pub struct Overview;

impl Panel for Overview {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Overview
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, _view: &mut ViewState, _settings: &mut Settings) {
        if ctx.items.is_empty() {
            let error = ctx.session.target().and_then(|slot| slot.error.as_deref());
            match error {
                Some(error) => empty_ui(ui, icon::WARNING, "This cannot be opened", error),
                None => empty_ui(
                    ui,
                    icon::HOURGLASS,
                    "Listing samples",
                    "The pictures are read afterwards, in the background",
                ),
            }
            return;
        }
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(1280.0));
            headline_ui(ui, ctx);
            let classes = class_rows(ctx);
            columns_ui(
                ui,
                |left| counts_ui(left, ctx, &classes),
                |right| {
                    if ctx.session.distribution().is_some() {
                        shares_ui(right, &classes);
                    } else {
                        splits_ui(right, ctx);
                    }
                },
            );
            if ctx.session.distribution().is_some() {
                columns_ui(
                    ui,
                    |left| flows_ui(left, ctx),
                    |right| {
                        measures_ui(right, ctx);
                        suspicion_ui(right, ctx);
                    },
                );
            } else {
                suspicion_ui(ui, ctx);
            }
            if let Some(map) = ctx.session.edit_map() {
                let explanation =
                    "What edited pictures have that their base has not, summed over all of them";
                section_ui(ui, "Where edited pictures changed", explanation, |ui| edits_ui(ui, ctx, map));
            }
        });
    }
}

/// Two cards beside each other, or below each other in a narrow window.
pub(super) fn columns_ui(
    ui: &mut egui::Ui,
    left: impl FnOnce(&mut egui::Ui),
    right: impl FnOnce(&mut egui::Ui),
) {
    if ui.available_width() < 720.0 {
        left(ui);
        right(ui);
    } else {
        ui.columns(2, |columns| {
            left(&mut columns[0]);
            right(&mut columns[1]);
        });
    }
    ui.add_space(theme::GAP);
}

pub(super) fn section_ui(
    ui: &mut egui::Ui,
    title: &str,
    explanation: &str,
    content: impl FnOnce(&mut egui::Ui),
) {
    let palette = palette(ui);
    egui::Frame::new()
        .fill(palette.panel)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(8.0)
        .inner_margin(egui::Margin::same(14))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(strong(title).size(14.5).color(palette.text_strong));
            ui.add(
                egui::Label::new(RichText::new(explanation).small().color(palette.text_weak))
                    .wrap()
                    .halign(egui::Align::LEFT),
            );
            ui.add_space(6.0);
            content(ui);
        });
    ui.add_space(theme::GAP);
}

fn headline_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
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

/// The classes to draw: all, or those that moved most, then the largest.
fn class_rows(ctx: &ViewCtx<'_>) -> Vec<ClassRow> {
    let mut rows = match (ctx.session.distribution(), &ctx.items.target) {
        (Some(distribution), _) => distribution.classes.clone(),
        (None, Some(version)) => {
            let (counts, _) = version.class_counts();
            version
                .classes()
                .iter()
                .zip(counts)
                .map(|(name, count)| ClassRow {
                    name: name.to_string(),
                    base: 0,
                    contribution: count,
                    share_change: 0.0,
                    share_change_low: 0.0,
                    share_change_high: 0.0,
                    p_adjusted: 1.0,
                })
                .collect()
        }
        (None, None) => Vec::new(),
    };
    if rows.len() > MOST_CLASSES {
        rows.sort_by(|a, b| {
            let moved = b.share_change.abs().total_cmp(&a.share_change.abs());
            moved.then_with(|| b.contribution.cmp(&a.contribution)).then_with(|| a.name.cmp(&b.name))
        });
        rows.truncate(MOST_CLASSES);
        rows.sort_by(|a, b| a.name.cmp(&b.name));
    }
    rows
}

fn position(hover: &egui_plot::HoverPosition<'_>) -> PlotPoint {
    match hover {
        egui_plot::HoverPosition::NearDataPoint { position, .. }
        | egui_plot::HoverPosition::Elsewhere { position } => *position,
    }
}

fn plot_height(classes: usize) -> f32 {
    (classes as f32 * 26.0 + 44.0).clamp(120.0, 640.0)
}

/// Classes from top to bottom: the first class has the highest position.
fn class_axis(names: Vec<String>) -> impl Fn(egui_plot::GridMark, &std::ops::RangeInclusive<f64>) -> String {
    move |mark, _| {
        let nearest = mark.value.round();
        if (mark.value - nearest).abs() > 0.01 || nearest < 0.0 {
            return String::new();
        }
        let at = names.len().checked_sub(1 + nearest as usize);
        at.and_then(|at| names.get(at)).map_or_else(String::new, |name| shorten(name, 16))
    }
}

fn shorten(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        name.to_owned()
    } else {
        format!("{}…", name.chars().take(most - 1).collect::<String>())
    }
}

fn class_plot<'a>(id: &'static str, rows: &[ClassRow], grid_color: egui::Color32) -> Plot<'a> {
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let count = rows.len();
    Plot::new(id)
        .height(plot_height(count))
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .include_y(-0.6)
        .include_y(count as f64 - 0.4)
        .show_grid([true, false])
        .show_crosshair(false)
        .grid_color(grid_color)
        .set_margin_fraction(Vec2::new(0.04, 0.02))
        .y_grid_spacer(move |_| {
            (0..count).map(|at| egui_plot::GridMark { value: at as f64, step_size: 1.0 }).collect()
        })
        .y_axis_formatter(class_axis(names))
        .y_axis_min_width(96.0)
}

fn counts_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, rows: &[ClassRow]) {
    let pair = ctx.session.distribution().is_some();
    let all = ctx.classes.len();
    let explanation = if all > rows.len() {
        format!("The {} of {all} classes whose share moved most", rows.len())
    } else if pair {
        "Samples of each class in the base and in the contribution; click a bar to see them".to_owned()
    } else {
        "Samples of each class; click a bar to see them".to_owned()
    };
    section_ui(ui, "Classes", &explanation, |ui| {
        let palette = palette(ui);
        let count = rows.len();
        let bars = |offset: f64, color: egui::Color32, value: &dyn Fn(&ClassRow) -> u64| -> Vec<Bar> {
            let bar = |(at, row): (usize, &ClassRow)| {
                Bar::new((count - 1 - at) as f64 + offset, value(row) as f64)
                    .width(if pair { 0.36 } else { 0.66 })
                    .name(&row.name)
                    .fill(color)
                    .stroke(egui::Stroke::NONE)
            };
            rows.iter().enumerate().map(bar).collect()
        };
        if pair {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                for (name, color) in [("Base", palette.base), ("Contribution", palette.contribution)] {
                    let (mark, _) = ui.allocate_exact_size(Vec2::splat(10.0), egui::Sense::hover());
                    ui.painter().rect_filled(mark, 2.0, color);
                    ui.label(RichText::new(name).small());
                    ui.add_space(10.0);
                }
            });
        }
        let plot = class_plot("class-counts", rows, palette.line).include_x(0.0);
        let response = plot.show(ui, |plot| {
            let format = |bar: &Bar, chart: &BarChart| {
                format!("{}\n{}: {}", bar.name, egui_plot::PlotItem::name(chart), grouped(bar.value as usize))
            };
            if pair {
                let chart = BarChart::new("Base", bars(0.2, palette.base, &|row| row.base))
                    .horizontal()
                    .color(palette.base);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
                let chart =
                    BarChart::new("Contribution", bars(-0.2, palette.contribution, &|row| row.contribution))
                        .horizontal()
                        .color(palette.contribution);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            } else {
                let chart =
                    BarChart::new("Samples", bars(0.0, palette.contribution, &|row| row.contribution))
                        .horizontal()
                        .color(palette.contribution);
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            }
            plot.pointer_coordinate()
        });
        name_plot(&response.response, "Samples of each class");
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && let Some(row) =
                count.checked_sub(1 + at.y.round().max(0.0) as usize).and_then(|at| rows.get(at))
        {
            ctx.send(Command::ToggleClass(row.name.clone()));
        }
    });
}

fn name_plot(response: &egui::Response, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
}

fn shares_ui(ui: &mut egui::Ui, rows: &[ClassRow]) {
    let explanation = "Percentage points, with 95 % intervals (Newcombe); filled where more than chance explains (p < 0.05 after Benjamini–Hochberg)";
    section_ui(ui, "Change of share", explanation, |ui| {
        let palette = palette(ui);
        let count = rows.len();
        let rows_for_label: Vec<ClassRow> = rows.to_vec();
        let plot = class_plot("share-change", rows, palette.line).label_formatter(move |hover| {
            let point = position(hover);
            let at = count.checked_sub(1 + point.y.round().max(0.0) as usize);
            Some(at.and_then(|at| rows_for_label.get(at)).map_or_else(String::new, |row| {
                format!(
                    "{}\n{:+.2} pp, 95 % from {:+.2} to {:+.2}\np = {:.2e} (adjusted)",
                    row.name,
                    row.share_change * 100.0,
                    row.share_change_low * 100.0,
                    row.share_change_high * 100.0,
                    row.p_adjusted
                )
            }))
        });
        let response = plot.show(ui, |plot| {
            plot.vline(egui_plot::VLine::new("", 0.0).color(palette.text_weak).width(1.0));
            for (at, row) in rows.iter().enumerate() {
                let y = (count - 1 - at) as f64;
                let clear = row.p_adjusted < 0.05;
                let color = if clear { palette.warning } else { palette.text_weak };
                let interval = vec![[row.share_change_low * 100.0, y], [row.share_change_high * 100.0, y]];
                plot.line(Line::new(row.name.clone(), PlotPoints::from(interval)).color(color).width(2.0));
                let point = vec![[row.share_change * 100.0, y]];
                plot.points(
                    Points::new(row.name.clone(), PlotPoints::from(point))
                        .radius(4.5)
                        .filled(clear)
                        .color(color),
                );
            }
        });
        name_plot(&response.response, "Change of each class's share");
    });
}

fn flows_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let flows = ctx.session.flows();
    let explanation = "Paired samples whose label changed: from the base's label (rows) to the contribution's (columns); click a cell to see them";
    section_ui(ui, "Label flows", explanation, |ui| {
        if flows.is_empty() {
            let color = palette(ui).text_weak;
            ui.label(RichText::new("No label of a sample that both versions have was changed.").color(color));
            return;
        }
        matrix_ui(ui, ctx, flows);
        ui.add_space(4.0);
        for flow in flows.iter().take(6) {
            let text =
                format!("{}  {} {} {}", grouped(flow.count as usize), flow.from, icon::ARROW_RIGHT, flow.to);
            if ui.link(text).clicked() {
                ctx.send(flow_command(&flow.from, &flow.to));
            }
        }
        if flows.len() > 6 {
            let color = palette(ui).text_weak;
            ui.label(RichText::new(format!("and {} more", flows.len() - 6)).small().color(color));
        }
    });
}

fn matrix_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, flows: &[Flow]) {
    let palette = palette(ui);
    // The classes that take part, those with the most flow first, then in the order of the class list.
    let mut weight: BTreeMap<&str, u64> = BTreeMap::new();
    for flow in flows {
        *weight.entry(&flow.from).or_default() += flow.count;
        *weight.entry(&flow.to).or_default() += flow.count;
    }
    let mut names: Vec<&str> = weight.keys().copied().collect();
    names.sort_by_key(|name| std::cmp::Reverse(weight[name]));
    names.truncate(MOST_FLOWS);
    names.sort_unstable();
    let size = names.len();
    let place = |name: &str| names.binary_search(&name).ok();
    let mut values = vec![0.0; size * size];
    for flow in flows {
        if let (Some(row), Some(column)) = (place(&flow.from), place(&flow.to)) {
            // Rows run upwards in the plot; the first class is to be on top.
            values[(size - 1 - row) * size + column] = flow.count as f64;
        }
    }
    let most = values.iter().copied().fold(1.0, f64::max);
    let (low, high) = (palette.card, palette.accent);
    let shade = move |value: f64| {
        if value <= 0.0 {
            return low;
        }
        low.lerp_to_gamma(high, (0.25 + 0.75 * (value / most).sqrt()) as f32)
    };
    let row_names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let column_names = row_names.clone();
    let label_names = row_names.clone();
    let label_values = values.clone();
    let cell_at = move |point: PlotPoint| -> Option<(usize, usize)> {
        let (x, y) = (point.x.floor(), point.y.floor());
        let inside = x >= 0.0 && y >= 0.0 && (x as usize) < size && (y as usize) < size;
        inside.then(|| (size - 1 - y as usize, x as usize))
    };
    let height = (size as f32 * 30.0 + 50.0).clamp(150.0, 560.0);
    let centre = move |names: &[String], value: f64, upwards: bool| {
        let at = (value - 0.5).round();
        if (value - 0.5 - at).abs() > 0.01 || at < 0.0 || at as usize >= size {
            return String::new();
        }
        let at = if upwards { size - 1 - at as usize } else { at as usize };
        names.get(at).map_or_else(String::new, |name| shorten(name, 11))
    };
    let grid = move |_: egui_plot::GridInput| -> Vec<egui_plot::GridMark> {
        (0..size).map(|at| egui_plot::GridMark { value: at as f64 + 0.5, step_size: 1.0 }).collect()
    };
    let plot = Plot::new("label-flows")
        .height(height)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_grid([false, false])
        .show_crosshair(false)
        .set_margin_fraction(Vec2::splat(0.01))
        .x_grid_spacer(grid)
        .y_grid_spacer(grid)
        .x_axis_formatter(move |mark, _| centre(&column_names, mark.value, false))
        .y_axis_formatter(move |mark, _| centre(&row_names, mark.value, true))
        .y_axis_min_width(96.0)
        .label_formatter(move |hover| {
            Some(cell_at(position(hover)).map_or_else(String::new, |(row, column)| {
                let count = label_values[(size - 1 - row) * size + column];
                format!("{} → {}: {}", label_names[row], label_names[column], grouped(count as usize))
            }))
        });
    let response = plot.show(ui, |plot| {
        let heatmap = Heatmap::new(values, size)
            .custom_mapping(Box::new(shade))
            .formatter(Box::new(|value| if value > 0.0 { grouped(value as usize) } else { String::new() }))
            .show_labels(true)
            .at(PlotPoint::new(0.0, 0.0))
            .tile_size(1.0, 1.0)
            .name("flows");
        plot.heatmap(heatmap);
        plot.pointer_coordinate()
    });
    name_plot(&response.response, "Label flows from base to contribution");
    if let (true, Some((row, column))) = (response.response.clicked(), response.inner.and_then(cell_at)) {
        ctx.send(flow_command(names[row], names[column]));
    }
}

fn measures_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let Some(distribution) = ctx.session.distribution() else { return };
    let measures = distribution.measures;
    let explanation = "Of the class shares. A hundred planted samples in fifty thousand move none of these: small figures prove nothing";
    section_ui(ui, "Drift", explanation, |ui| {
        let lines = [
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
            (
                "Cramér's V",
                format!("{:.4}", measures.cramers_v),
                "size of the effect, bias-corrected, 0 to 1",
            ),
        ];
        egui::Grid::new("drift").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
            for (name, value, meaning) in lines {
                ui.label(name).on_hover_text(meaning);
                ui.label(RichText::new(value).monospace()).on_hover_text(meaning);
                ui.end_row();
            }
        });
    });
}

fn suspicion_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let Some(scan) = ctx.session.scan().filter(|scan| !scan.ranking.is_empty()) else { return };
    let judged = scan.ranking.len();
    let note = scan.runs.iter().map(|run| run.note.as_str()).collect::<Vec<_>>().join(" ");
    let explanation = format!("{} judged samples, most suspicious on the left. {note}", grouped(judged));
    section_ui(ui, "Suspicion", &explanation, |ui| {
        let palette = palette(ui);
        let step = (judged / 600).max(1);
        let curve: Vec<[f64; 2]> = scan
            .ranking
            .iter()
            .enumerate()
            .step_by(step)
            .map(|(at, ranked)| [(at + 1) as f64, ranked.suspicion])
            .collect();
        let alarms = scan.ranking.iter().filter(|r| r.signals.iter().any(|signal| signal.alarm)).count();
        let response = Plot::new("suspicion")
            .height(170.0)
            .allow_scroll(false)
            .allow_zoom(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .show_crosshair(false)
            .grid_color(palette.line)
            .include_y(0.0)
            .include_y(1.0)
            .include_x(0.0)
            .label_formatter(|hover| {
                let point = position(hover);
                Some(format!("Rank {:.0}\nsuspicion {:.2}", point.x.max(1.0), point.y))
            })
            .show(ui, |plot| {
                plot.line(
                    Line::new("suspicion", PlotPoints::from(curve)).color(palette.contribution).width(2.0),
                );
                if alarms > 0 {
                    let line =
                        egui_plot::VLine::new("flagged", alarms as f64).color(palette.warning).width(1.5);
                    plot.vline(line);
                }
            });
        name_plot(&response.response, "Suspicion by rank");
        if alarms > 0 {
            let color = palette.text_weak;
            ui.label(
                RichText::new(format!("{} are flagged: about those left of the line", grouped(alarms)))
                    .small()
                    .color(color),
            );
        }
    });
}

fn splits_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
    let Some(version) = &ctx.items.target else { return };
    let (counts, outside) = version.split_counts();
    let (_, unlabelled) = version.class_counts();
    section_ui(ui, "Dataset", version.label_origin(), |ui| {
        egui::Grid::new("splits").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
            let mut line = |name: &str, value: String| {
                ui.label(name);
                ui.label(value);
                ui.end_row();
            };
            line("Samples", grouped(version.len()));
            line("Classes", grouped(version.classes().len()));
            for (split, count) in version.splits().iter().zip(counts) {
                line(&format!("Split {split}"), grouped(count as usize));
            }
            if !version.splits().is_empty() && outside > 0 {
                line("Outside any split", grouped(outside as usize));
            }
            if unlabelled > 0 {
                line("Without a label", grouped(unlabelled as usize));
            }
            line("Problems", grouped(ctx.counts.of(Queue::Problems).total));
        });
    });
}
