//! How many labels are wrong? A form that says what a sample finds; then how far it is, and what it has shown.

use std::sync::Arc;

use eframe::egui::{self, Align2, FontId, Rect, RichText, Sense, Stroke, Vec2};

use crate::audit::{
    Outcome, Population, Report, StopRule, StrataBy, known_from_review, miss_probability, percent,
    populations, size,
};
use crate::ui::app::ViewCtx;
use crate::ui::audit::{AuditForm, AuditList, AuditState, SizedForm, fresh_seed};
use crate::ui::command::Command;
use crate::ui::settings::Settings;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::{empty_ui, frame_ui, grouped};

use super::Panel;

/// Width of the words before a field.
const WORDS: f32 = 178.0;
/// Strata that are listed; those with wrong ones first, then the largest.
const MOST_STRATA: usize = 30;

/// The page of the audit.
pub struct Audit;

impl Panel for Audit {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Audit && view.audit_list.is_none()
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
        if ctx.items.target_prints.is_none() {
            empty_ui(
                ui,
                icon::HOURGLASS,
                "One moment",
                "A sample can be drawn once every file has been read: it is remembered by its content",
            );
            return;
        }
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(1080.0));
            match ctx.audit {
                Some(audit) if !view.audit_form.again => report_ui(ui, ctx, view, audit),
                _ => form_ui(ui, ctx, view),
            }
        });
    }
}

fn title_ui(ui: &mut egui::Ui, title: &str, below: &str) {
    let palette = palette(ui);
    ui.label(RichText::new(title).font(theme::title_font()).color(palette.text_strong));
    ui.add(egui::Label::new(RichText::new(below).color(palette.text_weak)).wrap());
    ui.add_space(theme::GAP);
}

fn primary(ui: &mut egui::Ui, enabled: bool, text: &str) -> egui::Response {
    let palette = palette(ui);
    let text = RichText::new(text).color(if enabled { palette.on_accent } else { palette.text_weak });
    let fill = if enabled { palette.accent } else { palette.card };
    ui.add_enabled(enabled, egui::Button::new(text).fill(fill).min_size(Vec2::new(120.0, 32.0)))
}

// ---------------------------------------------------------------- the form

fn form_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState) {
    title_ui(
        ui,
        "Audit",
        "How many labels are wrong? Draw a random sample, look at it without seeing what the detectors say, and know it with an interval",
    );
    let form = &mut view.audit_form;
    sized(ctx, form);
    let shown = form.clone();
    columns_ui(
        ui,
        |left| {
            section_ui(
                left,
                "What you want to know",
                "The fewer wrong labels are to be noticed, the more samples it takes",
                |ui| fields_ui(ui, ctx, form),
            );
        },
        |right| {
            section_ui(
                right,
                "What that means",
                "Computed exactly, and kept wherever in the strata the wrong ones are",
                |ui| meaning_ui(ui, ctx, &shown),
            );
        },
    );
}

/// One line of the form.
fn field_ui(ui: &mut egui::Ui, words: &str, content: impl FnOnce(&mut egui::Ui, egui::Id)) {
    let color = palette(ui).text;
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        let label = ui
            .allocate_ui_with_layout(Vec2::new(WORDS, 26.0), layout, |ui| {
                ui.set_width(WORDS);
                ui.add(egui::Label::new(RichText::new(words).color(color)).truncate())
            })
            .inner;
        content(ui, label.id);
    });
}

/// A number without zeros at its end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn choice(ui: &mut egui::Ui, chosen: bool, text: &str, tip: &str) -> bool {
    let response = ui.add(egui::Button::selectable(chosen, text).min_size(Vec2::new(0.0, 26.0)));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::RadioButton, true, chosen, text));
    response.on_hover_text(tip).clicked()
}

fn fields_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, form: &mut AuditForm) {
    ui.spacing_mut().item_spacing = Vec2::new(4.0, 6.0);
    field_ui(ui, "Ask for", |ui, _| {
        if choice(
            ui,
            !form.by_budget,
            "A rate",
            "As many samples as it takes to notice this share of wrong labels",
        ) {
            form.by_budget = false;
        }
        if choice(ui, form.by_budget, "A budget", "As many samples as there is time for") {
            form.by_budget = true;
        }
    });
    let per_cent = |value: &mut f64,
                    range: std::ops::RangeInclusive<f64>,
                    ui: &mut egui::Ui,
                    label: egui::Id,
                    tip: &str| {
        let speed = (*value * 0.02).max(0.005);
        let drag = egui::DragValue::new(value)
            .range(range)
            .speed(speed)
            .custom_formatter(|value, _| trimmed(value))
            .suffix(" %");
        ui.add_sized(Vec2::new(92.0, 26.0), drag).labelled_by(label).on_hover_text(tip);
    };
    if form.by_budget {
        field_ui(ui, "Samples", |ui, label| {
            let most = ctx.items.target_len().max(1) as u64;
            let drag = egui::DragValue::new(&mut form.budget).range(1..=most).speed(2.0);
            ui.add_sized(Vec2::new(92.0, 26.0), drag)
                .labelled_by(label)
                .on_hover_text("How many samples somebody has time for");
        });
    } else {
        field_ui(ui, "Rate to be noticed", |ui, label| {
            per_cent(
                &mut form.rate,
                0.001..=50.0,
                ui,
                label,
                "If this share of labels or more is wrong, the audit notices",
            );
        });
    }
    field_ui(ui, "Confidence", |ui, _| {
        for value in [90.0, 95.0, 99.0] {
            let text = format!("{value} %");
            if choice(ui, form.confidence == value, &text, "How sure the answer is") {
                form.confidence = value;
            }
        }
    });
    field_ui(ui, "Still acceptable", |ui, label| {
        per_cent(
            &mut form.acceptable,
            0.0..=40.0,
            ui,
            label,
            "With this share of wrong labels the dataset still passes, mostly. At 0 a single wrong one speaks against it",
        );
    });
    field_ui(ui, "Equal shares of", |ui, _| {
        let has_splits = ctx.items.target.as_ref().is_some_and(|version| !version.splits().is_empty());
        for (by, name, tip) in [
            (StrataBy::Label, "Labels", "Every label gives the same share, and none is left out"),
            (StrataBy::Split, "Splits", "Every split gives the same share"),
            (StrataBy::None, "The whole", "One draw from everything"),
        ] {
            if (by != StrataBy::Split || has_splits) && choice(ui, form.strata == by, name, tip) {
                form.strata = by;
            }
        }
    });
    field_ui(ui, "Known answers", |ui, label| {
        per_cent(
            &mut form.golden,
            0.0..=50.0,
            ui,
            label,
            "Of the sample, as many are mixed in of which somebody has decided already: they measure how much the reviewer notices",
        );
        let known = form.sized.as_ref().map_or(0, |sized| sized.known);
        let color = palette(ui).text_weak;
        ui.add(
            egui::Label::new(RichText::new(format!("of {} decided", grouped(known))).small().color(color))
                .truncate(),
        );
    });
    field_ui(ui, "Seed", |ui, label| {
        let drag = egui::DragValue::new(&mut form.seed).speed(1.0);
        ui.add_sized(Vec2::new(92.0, 26.0), drag)
            .labelled_by(label)
            .on_hover_text("Same seed, same samples. Who knows it before he sends pictures can see to it that his are not drawn");
        if ui.button("Another").on_hover_text("Draw another seed").clicked() {
            form.seed = fresh_seed();
        }
    });
    ui.add_space(2.0);
    ui.checkbox(&mut form.sequential, "Stop as soon as the answer is clear")
        .on_hover_text("Wald's sequential test: it may need fewer samples, and may end without an answer");
}

/// Keeps what the form comes to; what the data and the decisions add to it is counted again only when they moved.
fn sized(ctx: &ViewCtx<'_>, form: &mut AuditForm) {
    let revision = ctx.review.map_or(0, crate::review::Review::revision);
    let generation = ctx.session.generation();
    let design = form.design();
    let before = form.sized.take();
    let same_data =
        before.as_ref().filter(|b| b.generation == generation && b.design.strata == design.strata);
    let same_review = before.as_ref().filter(|b| b.revision == revision && b.generation == generation);
    if same_data.is_some() && same_review.is_some_and(|b| b.design == design) {
        form.sized = before;
        return;
    }
    let (Some(version), Some(prints)) = (&ctx.items.target, &ctx.items.target_prints) else { return };
    let counts = match same_data {
        Some(before) => before.counts.clone(),
        None => populations(Population { version, hashes: &prints.hashes }, design.strata)
            .into_iter()
            .map(|(_, count)| count)
            .collect(),
    };
    let known = match same_review {
        Some(before) => before.known,
        None => ctx.review.map_or(0, |review| known_from_review(&review.corrections()).len()),
    };
    let outcome = size(&design, &counts).map_err(|error| error.to_string());
    form.sized = Some(Arc::new(SizedForm { generation, revision, design, counts, known, outcome }));
}

fn meaning_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, form: &AuditForm) {
    let palette = palette(ui);
    let Some(sized) = form.sized.clone() else { return };
    let (strata, population) = (sized.counts.len(), sized.counts.iter().sum::<u64>());
    let may_write = ctx.review.is_some();
    let sizing = match &sized.outcome {
        Err(why) => {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(icon::WARNING).color(palette.warning));
                ui.label(why);
            });
            ui.add_space(theme::GAP);
            primary(ui, false, "Draw the sample");
            return;
        }
        Ok(sizing) => sizing,
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(
            RichText::new(grouped(sizing.total as usize))
                .size(30.0)
                .family(theme::strong_family())
                .color(palette.text_strong),
        );
        let of = if strata > 1 && form.strata != StrataBy::None {
            format!("samples of {},\nfrom {} strata", grouped(population as usize), grouped(strata))
        } else {
            format!("samples of {}", grouped(population as usize))
        };
        ui.label(RichText::new(of).color(palette.text_weak));
    });
    let golden = (form.golden / 100.0 * sizing.total as f64).ceil().min(sized.known as f64) as usize;
    let minutes = (sizing.total as f64 + golden as f64) * 3.0 / 60.0;
    let confidence = percent(form.confidence / 100.0);
    let can = match sizing.accept {
        0 => format!(
            "If {} or more of the labels are wrong ({} or more), at least one of them is in the sample with {confidence} confidence",
            percent(sizing.rate),
            grouped(sizing.defects as usize)
        ),
        accept => format!(
            "If at most {accept} of them are wrong, fewer than {} of all labels are ({}), with {confidence} confidence; with {} wrong the dataset passes as surely",
            percent(sizing.rate),
            grouped(sizing.defects as usize),
            percent(form.acceptable / 100.0)
        ),
    };
    let missed = miss_probability(population, Report::HANDFUL, sizing.total);
    let planted =
        format!("{} planted pictures would escape it with probability {}", Report::HANDFUL, percent(missed));
    let is_blind_to_them = missed > 1.0 - form.confidence / 100.0;
    let (planted_sign, planted_color, planted) = if is_blind_to_them {
        (icon::X, palette.warning, format!("{planted}: for those there are the queues on the left"))
    } else {
        (icon::CHECK, palette.good, planted)
    };
    let pace = if minutes < 1.5 {
        "About a minute, at 3 seconds each".to_owned()
    } else {
        format!("About {minutes:.0} minutes, at 3 seconds each")
    };
    let measured = if golden == 0 {
        "Nothing measures how much you notice: decide some samples first, or make the plan with known answers by the command `audit plan --golden`".to_owned()
    } else {
        format!("{golden} known answers are mixed in and show how much you notice")
    };
    for (sign, color, text) in [
        (icon::CHECK, palette.good, can),
        (planted_sign, planted_color, planted),
        (icon::EYE_SLASH, palette.text_weak, measured),
        (icon::HOURGLASS, palette.text_weak, pace),
    ] {
        line_ui(ui, sign, color, &text);
    }
    ui.add_space(theme::GAP);
    ui.horizontal(|ui| {
        let tip = if may_write {
            "Writes the plan beside the review file"
        } else {
            "There is no review file to keep verdicts in"
        };
        if primary(ui, may_write, "Draw the sample").on_hover_text(tip).on_disabled_hover_text(tip).clicked()
        {
            ctx.send(Command::DrawAudit);
        }
        if ctx.audit.is_some() && ui.add(egui::Button::new("Back").min_size(Vec2::new(80.0, 32.0))).clicked()
        {
            ctx.send(Command::NewAudit(false));
        }
    });
    if ctx.audit.is_some() {
        ui.add_space(2.0);
        note_ui(ui, "The plan so far is kept under another name beside the new one");
    }
}

/// A remark.
fn note_ui(ui: &mut egui::Ui, text: impl Into<String>) {
    let text = RichText::new(text).small().color(palette(ui).text_weak);
    ui.add(egui::Label::new(text).wrap().halign(egui::Align::LEFT));
}

/// A sign and a sentence that wraps beside it.
fn line_ui(ui: &mut egui::Ui, sign: &str, color: egui::Color32, text: &str) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (rect, _) = ui.allocate_exact_size(Vec2::new(18.0, 18.0), Sense::hover());
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, sign, FontId::proportional(14.0), color);
        ui.add(egui::Label::new(text).wrap());
    });
}

// ---------------------------------------------------------------- the report

fn report_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, audit: &AuditState) {
    let report = &audit.report;
    let plan = &audit.plan;
    let strata = match plan.strata_by {
        StrataBy::None => String::new(),
        StrataBy::Label => format!(", the same share of each of {} labels", grouped(plan.strata.len())),
        StrataBy::Split => format!(", the same share of each of {} splits", grouped(plan.strata.len())),
    };
    let date = plan.date.get(..10).unwrap_or(&plan.date);
    title_ui(
        ui,
        "Audit",
        &format!(
            "{} of {} samples, drawn {date} with seed {}{strata}",
            grouped(report.drawn as usize),
            grouped(report.population as usize),
            plan.seed
        ),
    );
    let other_pin = ctx.session.target().and_then(|slot| slot.pin).is_some_and(|pin| pin != plan.pin);
    if other_pin {
        let text = match audit.missing() {
            0 => "The dataset has changed since the sample was drawn: what is said here is said of the version that it was drawn from".to_owned(),
            missing => format!(
                "The dataset has changed since the sample was drawn, and {} of the drawn samples are not in it as they were; draw a new sample to speak of this version",
                grouped(missing)
            ),
        };
        line_ui(ui, icon::WARNING, palette(ui).warning, &text);
        ui.add_space(theme::GAP);
    }
    section_ui(ui, "How far it is", rule_words(audit), |ui| progress_ui(ui, ctx, view, audit));
    columns_ui(
        ui,
        |left| {
            section_ui(left, "Wrong labels", "The share of the whole dataset, with its interval", |ui| {
                estimate_ui(ui, audit);
            });
        },
        |right| {
            section_ui(
                right,
                "Who looked",
                "What each noticed of the known answers, and whether they agree",
                |ui| {
                    reviewers_ui(ui, audit);
                },
            );
        },
    );
    if report.strata.len() > 1 {
        let what = if plan.strata_by == StrataBy::Split { "By split" } else { "By label" };
        section_ui(ui, what, "Right, wrong and unsure among the drawn", |ui| strata_ui(ui, report));
    }
}

fn rule_words(audit: &AuditState) -> &'static str {
    match audit.plan.rule {
        StopRule::Sequential => "It stops as soon as the sequential test decides",
        StopRule::Fixed if audit.plan.accept == 0 => {
            "It stops at the first wrong label, or when all have been seen"
        }
        StopRule::Fixed => "It stops when more labels are wrong than may be, or when all have been seen",
    }
}

fn progress_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, audit: &AuditState) {
    let palette = palette(ui);
    let report = &audit.report;
    let (sign, color) = match report.stop.outcome {
        Outcome::GoOn => (icon::HOURGLASS, palette.accent),
        Outcome::Accepted => (icon::CHECK_CIRCLE, palette.good),
        Outcome::Rejected => (icon::X_CIRCLE, palette.danger),
        Outcome::Undecided => (icon::QUESTION_MARK, palette.warning),
    };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(RichText::new(sign).size(18.0).color(color));
        ui.add(egui::Label::new(strong(report.stop.words.clone()).color(palette.text_strong)).wrap());
    });
    ui.add_space(4.0);
    let name = format!("{} of {} decided", report.drawn - report.left(), report.drawn);
    bar_ui(ui, [report.right, report.wrong, report.unsure], report.drawn, 12.0, &name);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for (count, word, color) in [
            (report.right, "right", palette.good),
            (report.wrong, "wrong", palette.danger),
            (report.unsure, "unsure", palette.warning),
            (report.left(), "to go", palette.text_weak),
        ] {
            ui.label(RichText::new(format!("{} {word}", grouped(count as usize))).small().color(color));
        }
    });
    ui.add_space(4.0);
    let own = audit.count();
    let go_on = if own.undecided == own.total {
        "Begin"
    } else if own.undecided > 0 {
        "Go on"
    } else {
        "Look again"
    };
    ui.horizontal_wrapped(|ui| {
        let tip = ctx.tip(
            "Shows the drawn samples, undecided first, without scores, suggestions, boxes or the base's label",
            &Command::ShowAudit(AuditList::Drawn),
        );
        let text = format!("{}  {go_on}", icon::PLAY);
        let response = primary(ui, true, &text);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, go_on));
        if response.on_hover_text(tip).clicked() {
            ctx.send(Command::ShowAudit(AuditList::Drawn));
        }
        let disputed = report.disputed.len();
        let name = format!("Disagreements: {}", grouped(disputed));
        let button = egui::Button::new(format!("{}  {name}", icon::USERS)).min_size(Vec2::new(0.0, 32.0));
        let response = ui.add_enabled(disputed > 0, button);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, disputed > 0, &name));
        let tip = if disputed > 0 {
            "Shows what reviewers decided differently, with all that is known"
        } else {
            "No sample has two different verdicts; a second reviewer puts his name at the bottom and goes through the same sample"
        };
        if response.on_hover_text(tip).on_disabled_hover_text(tip).clicked() {
            ctx.send(Command::ShowAudit(AuditList::Disputed));
        }
        let button = egui::Button::new("New plan…").min_size(Vec2::new(0.0, 32.0));
        if ui.add(button).on_hover_text("Draw another sample; the verdicts stay in the review").clicked() {
            ctx.send(Command::NewAudit(true));
        }
        let color = palette.text_weak;
        let left = match (own.undecided, view.audit_list) {
            (0, _) => format!("{} has seen all", ctx.reviewer),
            (left, _) => format!("{} left for {}", grouped(left), ctx.reviewer),
        };
        ui.label(RichText::new(left).color(color)).on_hover_text(
            "Known answers that are mixed in count here too. The reviewer's name is at the bottom of the window",
        );
    });
}

/// Three parts of a whole, and the rest, as a bar.
fn bar_ui(ui: &mut egui::Ui, parts: [u64; 3], whole: u64, height: f32, name: &str) {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, name));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, height / 2.0, palette.card_hovered);
    let mut x = rect.left();
    for (count, color) in parts.into_iter().zip([palette.good, palette.danger, palette.warning]) {
        if count == 0 {
            continue;
        }
        let width = (rect.width() * count as f32 / whole.max(1) as f32).max(2.0);
        let part = Rect::from_min_size(egui::pos2(x, rect.top()), Vec2::new(width, height));
        painter.rect_filled(part.intersect(rect), height / 2.0, color);
        x += width;
    }
}

fn estimate_ui(ui: &mut egui::Ui, audit: &AuditState) {
    let palette = palette(ui);
    let report = &audit.report;
    let Some(found) = &report.estimate else {
        ui.add(
            egui::Label::new(
                RichText::new("Nothing decided yet: begin, and the estimate runs along")
                    .color(palette.text_weak),
            )
            .wrap(),
        );
        return;
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(
            RichText::new(percent(found.rate))
                .size(30.0)
                .family(theme::strong_family())
                .color(palette.text_strong),
        );
        let text = format!(
            "{} to {}\nwith {} confidence",
            percent(found.interval.low),
            percent(found.interval.high),
            percent(audit.plan.confidence)
        );
        ui.label(RichText::new(text).color(palette.text_weak));
    });
    let mut rows = vec![("as decided", found.rate, found.interval, palette.contribution)];
    if let Some(corrected) = &report.corrected {
        rows.push(("after what is missed", corrected.rate, corrected.interval, palette.warning));
    }
    if let Some(unsure) = &report.if_unsure_are_wrong {
        rows.push(("if unsure were wrong", unsure.rate, unsure.interval, palette.text_weak));
    }
    intervals_ui(ui, &rows, audit.plan.rate);
    let mut notes = Vec::new();
    if report.left() > 0 {
        notes.push("For orientation until the whole sample has been seen: stopping when it looks good makes it look too good".to_owned());
    }
    if found.unseen > 0.0 {
        notes.push(format!("Nothing of {} of the dataset has been seen yet", percent(found.unseen)));
    }
    if report.corrected.as_ref().is_some_and(|corrected| corrected.assumes_no_false_alarm) {
        notes.push(
            "No known-right sample was seen: it is taken for granted that nothing right was called wrong"
                .to_owned(),
        );
    }
    if report.stale > 0 {
        notes.push(format!(
            "{} verdicts do not count: made on another picture or label than was drawn",
            report.stale
        ));
    }
    for note in notes {
        note_ui(ui, note);
    }
}

/// Shares with their intervals on one axis, and the plan's rate as a line across.
fn intervals_ui(ui: &mut egui::Ui, rows: &[(&str, f64, crate::audit::Interval, egui::Color32)], rate: f64) {
    const LINE: f32 = 24.0;
    let palette = palette(ui);
    let most = rows.iter().map(|(_, _, interval, _)| interval.high).fold(rate, f64::max);
    let most = (1.08 * most).min(1.0);
    let size = Vec2::new(ui.available_width(), LINE * rows.len() as f32 + 34.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let text: Vec<String> = rows
            .iter()
            .map(|(name, share, interval, _)| {
                format!(
                    "{name}: {}, {} to {}",
                    percent(*share),
                    percent(interval.low),
                    percent(interval.high)
                )
            })
            .collect();
        egui::WidgetInfo::labeled(egui::Role::Image, true, format!("Intervals. {}", text.join(". ")))
    });
    let painter = ui.painter_at(rect);
    let small = FontId::proportional(11.0);
    let words = if rows.len() > 1 { (rect.width() * 0.36).min(132.0) } else { 0.0 };
    let axis = Rect::from_min_max(
        egui::pos2(rect.left() + words + 4.0, rect.top() + 16.0),
        egui::pos2(rect.right() - 6.0, rect.bottom() - 18.0),
    );
    let x = |share: f64| axis.left() + axis.width() * (share / most.max(1e-9)) as f32;
    painter.hline(axis.x_range(), axis.bottom(), Stroke::new(1.0, palette.line));
    // The plan's rate.
    painter.vline(x(rate), axis.y_range(), Stroke::new(1.5, palette.accent));
    let above = x(rate) > axis.center().x;
    let (side, offset) = if above { (Align2::RIGHT_CENTER, -4.0) } else { (Align2::LEFT_CENTER, 4.0) };
    painter.text(
        egui::pos2(x(rate) + offset, rect.top() + 7.0),
        side,
        format!("to be noticed: {}", percent(rate)),
        small.clone(),
        palette.accent,
    );
    for (place, (name, share, interval, color)) in rows.iter().enumerate() {
        let y = axis.top() + LINE * (place as f32 + 0.5);
        if words > 0.0 {
            let area =
                Rect::from_min_max(egui::pos2(rect.left(), y - 9.0), egui::pos2(axis.left() - 6.0, y + 9.0));
            ui.painter_at(area).text(
                area.left_center(),
                Align2::LEFT_CENTER,
                name,
                small.clone(),
                palette.text,
            );
        }
        let (low, high) = (x(interval.low), x(interval.high));
        let bar = Rect::from_min_max(egui::pos2(low, y - 4.0), egui::pos2(high.max(low + 2.0), y + 4.0));
        painter.rect_filled(bar, 4.0, color.gamma_multiply(0.45));
        painter.circle_filled(egui::pos2(x(*share), y), 5.0, *color);
    }
    for (share, side) in [(0.0, Align2::LEFT_CENTER), (most, Align2::RIGHT_CENTER)] {
        painter.text(
            egui::pos2(x(share), rect.bottom() - 8.0),
            side,
            percent(share),
            small.clone(),
            palette.text_weak,
        );
    }
}

fn reviewers_ui(ui: &mut egui::Ui, audit: &AuditState) {
    let palette = palette(ui);
    let report = &audit.report;
    if report.reviewers.is_empty() {
        ui.add(
            egui::Label::new(
                RichText::new("Nobody yet: begin, and what you notice is counted here")
                    .color(palette.text_weak),
            )
            .wrap(),
        );
        return;
    }
    let confidence = audit.plan.confidence;
    for reviewer in &report.reviewers {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.label(RichText::new(icon::USER).color(palette.text_weak));
            ui.label(strong(reviewer.name.clone()));
            ui.label(
                RichText::new(format!("{} decided", grouped(reviewer.decided as usize)))
                    .color(palette.text_weak),
            );
        });
        let golden = &reviewer.golden;
        if let Some((share, interval)) = golden.sensitivity(confidence) {
            let text = format!(
                "noticed {} of {} known wrong: {} ({} to {})",
                golden.wrong_caught,
                golden.wrong_seen,
                percent(share),
                percent(interval.low),
                percent(interval.high)
            );
            ui.add(egui::Label::new(RichText::new(text).small()).wrap().halign(egui::Align::LEFT));
        }
        if let Some((share, interval)) = golden.specificity(confidence) {
            let text = format!(
                "kept {} of {} known right: {} ({} to {})",
                golden.right_kept,
                golden.right_seen,
                percent(share),
                percent(interval.low),
                percent(interval.high)
            );
            ui.add(egui::Label::new(RichText::new(text).small()).wrap().halign(egui::Align::LEFT));
        }
    }
    if report.golden_items == 0 {
        note_ui(ui, "No known answers are mixed in, so nothing says how much is missed");
    }
    ui.add_space(4.0);
    let Some(agreement) = &report.agreement else {
        let text = "A second reviewer puts his name at the bottom and goes through the same sample; then it shows how far they agree";
        note_ui(ui, text);
        return;
    };
    let [both, first, second, none] = agreement.table;
    ui.add(
        egui::Label::new(format!(
            "{} and {} say the same of {} of {} samples",
            agreement.reviewers[0],
            agreement.reviewers[1],
            grouped((both + none) as usize),
            grouped(agreement.common as usize)
        ))
        .wrap(),
    );
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    egui::Grid::new("agreement").num_columns(2).min_row_height(18.0).spacing(Vec2::new(12.0, 4.0)).show(ui, |ui| {
        let kappa = match agreement.kappa.standard_error {
            Some(error) => format!("{} ± {error:.2}", number(agreement.kappa.kappa)),
            None => number(agreement.kappa.kappa),
        };
        for (name, value, tip) in [
            ("Cohen's kappa", kappa, "Agreement beyond chance, of two: 1 = always, 0 = as by chance; with its standard error. It falls where wrong labels are rare"),
            ("Krippendorff's alpha", number(agreement.alpha), "The same for any number of reviewers, who need not all have seen all"),
            ("Positive agreement", number(agreement.positive), "Of what either called wrong, how much both did: speaks where wrong labels are rare"),
            ("Both wrong", grouped(both as usize), "Both called it wrong"),
            ("One of them", grouped((first + second) as usize), "One called it wrong, the other right"),
        ] {
            ui.label(RichText::new(name).color(palette.text_weak)).on_hover_text(tip);
            ui.label(value);
            ui.end_row();
        }
    });
}

fn strata_ui(ui: &mut egui::Ui, report: &Report) {
    let palette = palette(ui);
    let mut order: Vec<usize> = (0..report.strata.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&report.strata[*a], &report.strata[*b]);
        b.wrong.cmp(&a.wrong).then(b.population.cmp(&a.population)).then(a.name.cmp(&b.name))
    });
    for at in order.iter().take(MOST_STRATA) {
        let stratum = &report.strata[*at];
        let seen = stratum.right + stratum.wrong + stratum.unsure;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let width = (ui.available_width() * 0.26).clamp(80.0, 200.0);
            let (area, response) = ui.allocate_exact_size(Vec2::new(width, 20.0), Sense::hover());
            let body = FontId::proportional(12.5);
            ui.painter_at(area).text(
                area.left_center(),
                Align2::LEFT_CENTER,
                &stratum.name,
                body.clone(),
                palette.text,
            );
            response.on_hover_text(&stratum.name);
            let numbers = 150.0;
            let bar_width = (ui.available_width() - numbers).max(40.0);
            let name =
                format!("{}: {seen} of {} decided, {} wrong", stratum.name, stratum.drawn, stratum.wrong);
            ui.allocate_ui_with_layout(
                Vec2::new(bar_width, 20.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_width(bar_width);
                    bar_ui(ui, [stratum.right, stratum.wrong, stratum.unsure], stratum.drawn, 8.0, &name);
                },
            );
            let (area, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 20.0), Sense::hover());
            let text = format!("{seen} of {}, {} wrong", stratum.drawn, stratum.wrong);
            let color = if stratum.wrong > 0 { palette.danger } else { palette.text_weak };
            ui.painter_at(area).text(area.right_center(), Align2::RIGHT_CENTER, text, body, color);
        });
    }
    let more = report.strata.len().saturating_sub(MOST_STRATA);
    if more > 0 {
        ui.label(
            RichText::new(format!("and {} more, with fewer wrong ones", grouped(more)))
                .small()
                .color(palette.text_weak),
        );
    }
}

/// Above the list of drawn or disputed samples: what is hidden, how many are left, and the way back.
pub fn list_bar_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    let palette = palette(ui);
    let Some(list) = view.audit_list.filter(|_| view.queue == Queue::Audit) else { return };
    ui.horizontal_wrapped(|ui| {
        if ui
            .button(format!("{}  Results", icon::CARET_LEFT))
            .on_hover_text("Back to how far the audit is and what it has shown")
            .clicked()
        {
            ctx.send(Command::Show(Queue::Audit));
        }
        match list {
            AuditList::Drawn => {
                ui.label(RichText::new(icon::EYE_SLASH).color(palette.accent));
                let left = ctx.audit.map_or(0, |audit| audit.count().undecided);
                let text = format!("Blind: only the picture and its label. {} left for {}", grouped(left), ctx.reviewer);
                ui.label(text).on_hover_text(
                    "Scores, suggestions, boxes, changes, the base's label and others' verdicts are hidden, so that they do not lead you",
                );
            }
            AuditList::Disputed => {
                ui.label(RichText::new(icon::USERS).color(palette.accent));
                ui.label("Reviewers differ here; the last verdict counts, and the details list what each said");
            }
        }
    });
    ui.add_space(4.0);
}

/// Two parts beside each other, or below each other in a narrow window.
fn columns_ui(ui: &mut egui::Ui, left: impl FnOnce(&mut egui::Ui), right: impl FnOnce(&mut egui::Ui)) {
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

fn section_ui(ui: &mut egui::Ui, title: &str, explanation: &str, content: impl FnOnce(&mut egui::Ui)) {
    let palette = palette(ui);
    frame_ui(ui, |ui| {
        ui.label(strong(title).size(14.5).color(palette.text_strong));
        ui.add(egui::Label::new(RichText::new(explanation).small().color(palette.text_weak)).wrap());
        ui.add_space(6.0);
        content(ui);
    });
}
