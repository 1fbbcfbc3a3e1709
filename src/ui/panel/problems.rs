//! Which image problems are listed, and from where on? A button a problem, and its histogram with a threshold to move.

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{Bar, BarChart, VLine};

use crate::detect::image_problem::{ImageMeasures, ImageProblem, ImageThresholds, MEASURE_BINS};
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::items::{Item, is_of_problem};
use crate::ui::state::{ProblemFilter, ViewState};
use crate::ui::theme::{self, icon, palette};
use crate::ui::widget::{CAPTION, grouped};

use super::overview::plots::{name_plot, position, still_plot};

/// The choice of problems above their pictures.
pub fn problems_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    let thresholds = ImageThresholds::default();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(4.0, 4.0);
        let mut choice = |name: &str, count: Option<u32>, tip: &str, filter: Option<ProblemFilter>| {
            let chosen = same(view.problem, filter);
            let text = count.map_or_else(|| name.to_owned(), |n| format!("{name}  {}", grouped(n as usize)));
            let response = ui.add(egui::Button::selectable(chosen, text));
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, chosen, format!("Problem: {name}"))
            });
            if response.on_hover_text(tip).clicked() {
                ctx.send(Command::FilterProblems(filter));
            }
        };
        let (name, tip) = if ctx.session.base().is_some() {
            ("New or changed", "What the contribution brought or changed, by the usual thresholds; the others look at all its pictures")
        } else {
            ("All", "Everything that is listed by the usual thresholds")
        };
        choice(name, None, tip, None);
        choice(
            "unreadable",
            None,
            "Files with a warning, mostly that they cannot be read",
            Some(ProblemFilter::Unreadable),
        );
        for problem in ImageProblem::ALL {
            let count = ctx.items.measures.as_ref().map(|measures| measures.counts[problem as usize]);
            let filter = ProblemFilter::Below(problem, problem.threshold(&thresholds));
            choice(problem.name(), count, explain(problem), Some(filter));
        }
        choice(
            "unlike all others",
            None,
            "Pictures far from their nearest neighbours",
            Some(ProblemFilter::Outlier),
        );
    });
    if let (Some(ProblemFilter::Below(problem, threshold)), Some(measures)) =
        (view.problem, &ctx.items.measures)
        && problem != ImageProblem::Greyscale
    {
        ui.add_space(4.0);
        threshold_ui(ui, ctx, measures, problem, threshold);
    }
    ui.add_space(theme::GAP);
}

/// Which problem a picture has, on its card.
pub fn problem_ui(ui: &egui::Ui, ctx: &ViewCtx<'_>, card: egui::Rect, item: Item) {
    let color = palette(ui);
    let signals = ctx.items.ranked(item).map(|ranked| ranked.signals.as_slice()).unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for signal in signals.iter().filter(|signal| is_of_problem(signal)) {
        if signal.detector == "outlier" {
            words.push("unlike all others");
        } else {
            // Each problem is its name, with its measure in brackets.
            words.extend(signal.reason.split("; ").map(|part| part.split(" (").next().unwrap_or(part)));
        }
    }
    if words.is_empty() {
        return;
    }
    let picture = card.with_max_y(card.bottom() - CAPTION).shrink(4.0);
    let painter = ui.painter_at(picture);
    let font = egui::FontId::proportional(11.0);
    let text = painter.layout_no_wrap(words.join(", "), font, color.on_scrim);
    let area = egui::Rect::from_min_size(
        picture.left_bottom() - Vec2::new(0.0, text.size().y + 4.0),
        text.size() + Vec2::new(10.0, 4.0),
    );
    painter.rect_filled(area, 3.0, color.scrim);
    painter.galley(area.min + Vec2::new(5.0, 2.0), text, color.on_scrim);
}

/// Whether two filters are of one kind, whatever the threshold.
fn same(a: Option<ProblemFilter>, b: Option<ProblemFilter>) -> bool {
    match (a, b) {
        (Some(ProblemFilter::Below(a, _)), Some(ProblemFilter::Below(b, _))) => a == b,
        _ => a == b,
    }
}

fn explain(problem: ImageProblem) -> &'static str {
    match problem {
        ImageProblem::Dark => "Nearly all pixels are dark",
        ImageProblem::Bright => "Nearly all pixels are bright",
        ImageProblem::Blurred => "No sharp edge",
        ImageProblem::LowInformation => "Hardly any variety of values: blank, or nearly",
        ImageProblem::OddSize => "Much larger or smaller than the others",
        ImageProblem::OddAspect => "Very long or very tall",
        ImageProblem::Greyscale => "No pixel has a colour",
    }
}

/// What the measure says, at its left end and at its right.
fn ends(problem: ImageProblem) -> (&'static str, &'static str) {
    match problem {
        ImageProblem::Dark => ("dark", "light"),
        ImageProblem::Bright => ("bright all over", "with dark parts"),
        ImageProblem::Blurred => ("blurred", "sharp"),
        ImageProblem::LowInformation => ("empty", "full of detail"),
        ImageProblem::OddSize => ("odd size", "usual size"),
        ImageProblem::OddAspect => ("long or tall", "square"),
        ImageProblem::Greyscale => ("grey", "coloured"),
    }
}

fn threshold_ui(
    ui: &mut egui::Ui,
    ctx: &ViewCtx<'_>,
    measures: &ImageMeasures,
    problem: ImageProblem,
    threshold: f64,
) {
    let color = palette(ui);
    let usual = problem.threshold(&ImageThresholds::default());
    let mut wanted = threshold;
    egui::Frame::new()
        .fill(color.panel)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(10))
        .show(ui, |ui| {
            let width = 1.0 / MEASURE_BINS as f64;
            let bars = measures.histograms[problem as usize].iter().enumerate().map(|(at, count)| {
                let middle = (at as f64 + 0.5) * width;
                let fill = if middle < threshold { color.warning } else { color.contribution };
                // Few have a problem and many have not: both are to be seen.
                let height = f64::from(*count).ln_1p();
                Bar::new(middle, height).width(0.92 * width).fill(fill).stroke(egui::Stroke::NONE)
            });
            let chart = BarChart::new("pictures", bars.collect()).color(color.contribution);
            let counts = measures.histograms[problem as usize];
            let response = still_plot(("problem", problem.name()))
                .height(96.0)
                .show_axes([true, false])
                .show_grid([false, false])
                .include_x(0.0)
                .include_x(1.0)
                .set_margin_fraction(Vec2::new(0.01, 0.05))
                .label_formatter(move |hover| {
                    let at = position(hover);
                    let bin = ((at.x * MEASURE_BINS as f64) as usize).min(MEASURE_BINS - 1);
                    let from = bin as f64 * width;
                    let pictures = grouped(counts[bin] as usize);
                    (0.0..=1.0)
                        .contains(&at.x)
                        .then(|| format!("{from:.2} to {:.2}: {pictures} pictures", from + width))
                })
                .show(ui, |plot| {
                    plot.bar_chart(chart.allow_hover(false));
                    plot.vline(VLine::new("threshold", threshold).color(color.warning).width(2.0));
                    plot.pointer_coordinate()
                });
            let name = format!("Histogram of {}: click or drag to move the threshold", problem.name());
            name_plot(&response.response, &name);
            if let Some(at) = response.inner.filter(|_| response.response.is_pointer_button_down_on()) {
                wanted = at.x.clamp(0.0, 1.0);
            }
            ui.horizontal(|ui| {
                let (low, high) = ends(problem);
                ui.label(RichText::new(format!("← {low}")).small().color(color.text_weak));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.label(RichText::new(format!("{high} →")).small().color(color.text_weak));
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        ui.add_space(12.0);
                        let text = format!("{} below", grouped(ctx.rows.len()));
                        ui.label(RichText::new(text).small());
                        let slider = egui::Slider::new(&mut wanted, 0.0..=1.0).fixed_decimals(2);
                        ui.add(slider)
                            .on_hover_text("From where downwards a picture is listed")
                            .widget_info(|| egui::WidgetInfo::slider(true, threshold, "Threshold"));
                        let back = egui::Button::new(format!("{}  Usual", icon::ARROW_COUNTER_CLOCKWISE));
                        let is_moved = (threshold - usual).abs() > 1e-9;
                        let tip = format!("Back to {usual:.2}");
                        if ui.add_enabled(is_moved, back).on_hover_text(tip).clicked() {
                            wanted = usual;
                        }
                    });
                });
            });
        });
    if (wanted - threshold).abs() > 1e-9 {
        ctx.send(Command::FilterProblems(Some(ProblemFilter::Below(problem, wanted))));
    }
}
