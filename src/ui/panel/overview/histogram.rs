//! How large, how wide and how bright are the pictures, in each version?

use std::sync::Arc;

use eframe::egui::{self, RichText, Vec2};
use egui_plot::{Bar, BarChart};

use crate::feature::Look;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::session::Which;
use crate::ui::theme::palette;
use crate::ui::widget::grouped;

use super::plots::{name_plot, position, still_plot, versions_ui};
use super::{Card, Table};

/// What is measured of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The longer side in pixels.
    Side,
    /// Width over height.
    Aspect,
    /// The middle between the 5th and the 99th percentile of brightness, from 0 to 1.
    Brightness,
}

/// Widths over heights between which pictures are counted together; the last has no end.
const ASPECTS: [f64; 20] =
    [0.0, 0.25, 0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98, 1.02, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0];
/// Bins of brightness.
const SHADES: usize = 20;
/// More bins of one width than this, and they double instead.
const MOST_BINS: f64 = 24.0;

impl Measure {
    fn of(self, look: &Look) -> f64 {
        match self {
            Self::Side => f64::from(look.width.max(look.height)),
            Self::Aspect => f64::from(look.width) / f64::from(look.height.max(1)),
            Self::Brightness => look.quality.brightness(),
        }
    }

    /// The field of the query language that asks for it.
    fn field(self) -> &'static str {
        match self {
            Self::Side => "side",
            Self::Aspect => "aspect",
            Self::Brightness => "brightness",
        }
    }

    /// Where bins begin, ascending, and where the last ends.
    fn edges(self, values: &[f64]) -> Vec<f64> {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let edges: Vec<f64> = match self {
            Self::Side => side_edges(least, most),
            Self::Aspect => ASPECTS.into_iter().chain([most.max(5.0).ceil() + 1.0]).collect(),
            Self::Brightness => (0..=SHADES).map(|at| at as f64 / SHADES as f64).collect(),
        };
        // Empty bins at the ends say nothing but for brightness, where the whole scale is known.
        if self == Self::Brightness {
            return edges;
        }
        let first = edges.iter().rposition(|edge| *edge <= least).unwrap_or(0);
        let last = edges.iter().position(|edge| *edge > most).unwrap_or(edges.len() - 1);
        edges[first..=last.max(first + 1).min(edges.len() - 1)].to_vec()
    }
}

/// Round numbers of pixels: of one width where the sizes are close, else each second one twice the last but one.
fn side_edges(least: f64, most: f64) -> Vec<f64> {
    let steps = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
    let step = steps.into_iter().find(|step| (most - least) / step <= MOST_BINS);
    if let Some(step) = step.filter(|_| most <= least * 4.0) {
        let first = (least / step).floor();
        let count = ((most / step).floor() - first) as usize + 1;
        return (0..=count).map(|at| (first + at as f64) * step).collect();
    }
    let mut edges = vec![0.0, 1.0];
    let mut now = 2.0;
    while edges.last().is_some_and(|last| *last <= most) {
        edges.extend([now, now * 1.5]);
        now *= 2.0;
    }
    edges
}

/// Pictures of each bin as shares, base and contribution over each other.
pub struct Histogram(pub Measure);

/// What is drawn.
#[derive(Clone)]
struct Bins {
    edges: Vec<f64>,
    /// By bin, pictures of the base and of the version under review.
    counts: Vec<[u64; 2]>,
    totals: [u64; 2],
}

impl Bins {
    fn share(&self, bin: usize, side: usize) -> f64 {
        self.counts[bin][side] as f64 / self.totals[side].max(1) as f64
    }

    fn name(&self, bin: usize) -> String {
        let (low, high) = (self.edges[bin], self.edges[bin + 1]);
        // Sides are whole numbers: a bin of one is that number.
        if high - low == 1.0 && low.fract() == 0.0 {
            short(low)
        } else {
            format!("{} to below {}", short(low), short(high))
        }
    }
}

fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Histogram {
    fn values(&self, ctx: &ViewCtx<'_>, which: Which) -> Vec<f64> {
        let looks = ctx.session.slot(which).and_then(|slot| slot.looks.as_ref());
        looks.into_iter().flat_map(|looks| looks.rows.iter().flatten()).map(|look| self.0.of(look)).collect()
    }

    fn bins(&self, ctx: &ViewCtx<'_>) -> Bins {
        let sides = [Which::Base, Which::Target].map(|which| self.values(ctx, which));
        let edges = self.0.edges(&sides.concat());
        let mut counts = vec![[0; 2]; edges.len() - 1];
        for (side, values) in sides.iter().enumerate() {
            for value in values {
                let after = edges.partition_point(|edge| edge <= value);
                counts[after.saturating_sub(1).min(edges.len() - 2)][side] += 1;
            }
        }
        Bins { edges, counts, totals: [0, 1].map(|side| sides[side].len() as u64) }
    }
}

impl Card for Histogram {
    fn id(&self) -> &'static str {
        match self.0 {
            Measure::Side => "size",
            Measure::Aspect => "aspect",
            Measure::Brightness => "brightness",
        }
    }

    fn title(&self) -> &'static str {
        match self.0 {
            Measure::Side => "Size",
            Measure::Aspect => "Aspect",
            Measure::Brightness => "Brightness",
        }
    }

    fn explanation(&self, _ctx: &ViewCtx<'_>) -> String {
        let what = match self.0 {
            Measure::Side => "The longer side in pixels",
            Measure::Aspect => "Width over height",
            Measure::Brightness => "Middle between the 5th and the 99th percentile of brightness, 0 is black",
        };
        format!("{what}; share of the pictures, click a bar to see them")
    }

    fn applies(&self, ctx: &ViewCtx<'_>) -> bool {
        let looks = ctx.session.target().and_then(|slot| slot.looks.as_ref());
        looks.is_some_and(|looks| looks.rows.iter().any(Option::is_some))
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>) {
        let palette = palette(ui);
        // Counted once for what is known, not once a frame.
        let (id, generation) = (egui::Id::unique(("histogram", self.id())), ctx.session.generation());
        let kept = ui.data(|data| data.get_temp::<(u64, Arc<Bins>)>(id)).filter(|kept| kept.0 == generation);
        let bins = kept.map_or_else(|| Arc::new(self.bins(ctx)), |kept| kept.1);
        ui.data_mut(|data| data.insert_temp(id, (generation, bins.clone())));
        let count = bins.counts.len();
        let pair = ctx.session.base().is_some();
        if pair {
            if bins.totals[0] > 0 {
                versions_ui(ui, palette, true);
            } else {
                let text = "The base's pictures follow when the contribution's have been judged";
                ui.label(RichText::new(text).small().color(palette.text_weak));
            }
        }
        let describe = |bin: usize| {
            let side = |side: usize| {
                let share = 100.0 * bins.share(bin, side);
                format!("{} ({share:.1} %)", grouped(bins.counts[bin][side] as usize))
            };
            let name = format!("{} {}", self.title(), bins.name(bin));
            if bins.totals[0] > 0 {
                format!("{name}\nBase: {}\nContribution: {}", side(0), side(1))
            } else {
                format!("{name}\n{}", side(1))
            }
        };
        let names: Vec<String> = (0..count).map(describe).collect();
        let edges = bins.edges.clone();
        let every = count.div_ceil(10).max(1);
        let labels = names.clone();
        let plot = still_plot(self.id())
            .height(170.0)
            .grid_color(palette.line)
            .show_grid([false, true])
            .include_y(0.0)
            .include_x(0.0)
            .include_x(count as f64)
            .set_margin_fraction(Vec2::new(0.02, 0.06))
            .x_grid_spacer(move |_| {
                (0..=count)
                    .step_by(every)
                    .map(|at| egui_plot::GridMark { value: at as f64, step_size: every as f64 })
                    .collect()
            })
            .x_axis_formatter(move |mark, _| {
                let at = mark.value.round();
                let edge = if at < 0.0 { None } else { edges.get(at as usize) };
                edge.map_or_else(String::new, |edge| short(*edge))
            })
            .y_axis_formatter(|mark, _| format!("{:.0} %", mark.value * 100.0))
            .label_formatter(move |hover| {
                let at = position(hover).x.floor();
                let name = if at < 0.0 { None } else { labels.get(at as usize) };
                Some(name.cloned().unwrap_or_default())
            });
        let response = plot.show(ui, |plot| {
            let bars = |side: usize| -> Vec<Bar> {
                let bar = |bin: usize| {
                    let bar = Bar::new(bin as f64 + 0.5, bins.share(bin, side)).name(&names[bin]);
                    // The base is an outline over the contribution: both can be read where they overlap.
                    if side == 0 {
                        let line = egui::Stroke::new(2.0, palette.text_weak);
                        bar.width(0.9).fill(egui::Color32::TRANSPARENT).stroke(line)
                    } else {
                        bar.width(0.78).fill(palette.contribution).stroke(egui::Stroke::NONE)
                    }
                };
                (0..count).filter(|bin| bins.counts[*bin][side] > 0).map(bar).collect()
            };
            let format = |bar: &Bar, _: &BarChart| bar.name.clone();
            let chart = BarChart::new("Contribution", bars(1)).color(palette.contribution);
            plot.bar_chart(chart.element_formatter(Box::new(format)));
            if bins.totals[0] > 0 {
                let chart = BarChart::new("Base", bars(0));
                plot.bar_chart(chart.element_formatter(Box::new(format)));
            }
            plot.pointer_coordinate()
        });
        name_plot(&response.response, &format!("{} of the pictures", self.title()));
        if let (true, Some(at)) = (response.response.clicked(), response.inner)
            && at.x >= 0.0
            && (at.x as usize) < count
        {
            let (bin, field) = (at.x as usize, self.0.field());
            let (low, high) = (bins.edges[bin], bins.edges[bin + 1]);
            // The last bin holds its end too.
            let below = if bin + 1 == count { "<=" } else { "<" };
            ctx.send(Command::Search(format!("{field}>={low} {field}{below}{high}")));
        }
    }

    fn table(&self, ctx: &ViewCtx<'_>) -> Table {
        let bins = self.bins(ctx);
        let pair = bins.totals[0] > 0;
        let line = |bin: usize| {
            let mut line = vec![bins.edges[bin].to_string(), bins.edges[bin + 1].to_string()];
            if pair {
                line.extend([bins.counts[bin][0].to_string(), bins.share(bin, 0).to_string()]);
            }
            line.extend([bins.counts[bin][1].to_string(), bins.share(bin, 1).to_string()]);
            line
        };
        let header: &[&str] = if pair {
            &["from", "to", "base", "base_share", "contribution", "contribution_share"]
        } else {
            &["from", "to", "samples", "share"]
        };
        Table::new(header, (0..bins.counts.len()).map(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_round_ends_and_hold_everything() {
        for (values, first, bins) in [
            (vec![32.0, 32.0], 32.0, 1),
            (vec![48.0, 64.0], 48.0, 17),
            (vec![100.0, 199.0], 96.0, 13),
            (vec![1.0, 5000.0], 1.0, 24),
        ] {
            let edges = Measure::Side.edges(&values);
            assert_eq!((edges[0], edges.len() - 1), (first, bins), "{values:?}: {edges:?}");
            assert!(values.iter().all(|value| edges[0] <= *value && *value < edges[edges.len() - 1]));
            assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
        }
        assert_eq!(Measure::Aspect.edges(&[1.0, 1.5]), [0.98, 1.02, 1.1, 1.25, 1.4, 1.6]);
        assert_eq!(Measure::Aspect.edges(&[2000.0]), [4.0, 2001.0]);
        assert_eq!(Measure::Brightness.edges(&[0.5]).len(), 21);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.5, 96.0, 1.25, 100.0].map(short), ["0.5", "96", "1.25", "100"]);
    }
}
