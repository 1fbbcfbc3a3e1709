//! What is there to review, and how much of it is left?

use eframe::egui::{self, Align2, FontId, Rect, RichText, Sense, Vec2};

use crate::model::ChangeKind;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::rows::Count;
use crate::ui::state::{Queue, ViewState};
use crate::ui::theme::{self, change_look, icon, palette};
use crate::ui::widget::grouped;

/// The left panel: queues with counts, then classes with a bar a version.
pub fn queues_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let color = palette(ui).text;
        queue_ui(ui, ctx, view, Queue::Overview, icon::CHART_BAR, color);
        queue_ui(ui, ctx, view, Queue::All, icon::IMAGES, color);
        queue_ui(ui, ctx, view, Queue::Map, icon::CHART_SCATTER, color);
        if ctx.session.base().is_some() {
            heading_ui(ui, "What changed");
            if ctx.items.diff.is_some() {
                queue_ui(ui, ctx, view, Queue::Changes, icon::GIT_DIFF, color);
                for kind in ChangeKind::ALL {
                    let queue = Queue::Change(kind);
                    if ctx.counts.of(queue).total > 0 {
                        let (sign, color, _) = change_look(kind, ui.visuals().dark_mode);
                        queue_ui(ui, ctx, view, queue, sign, color);
                    }
                }
                if ctx.counts.of(Queue::Changes).total == 0 {
                    weak_ui(ui, "Nothing: both versions are the same");
                }
            } else {
                weak_ui(ui, "Comparing…");
            }
        }
        heading_ui(ui, "What looks wrong");
        if ctx.items.scan.is_some() {
            queue_ui(ui, ctx, view, Queue::SuspiciousLabels, icon::TAG, color);
            queue_ui(ui, ctx, view, Queue::Triggers, icon::STACK, color);
            if let Queue::Cluster(_) = view.queue {
                queue_ui(ui, ctx, view, view.queue, icon::SPARKLE, color);
            }
            queue_ui(ui, ctx, view, Queue::Twins, icon::COPY, color);
        } else {
            weak_ui(ui, if ctx.session.is_busy() { "Reading and judging pictures…" } else { "Not judged" });
        }
        if ctx.counts.of(Queue::Problems).total > 0 {
            queue_ui(ui, ctx, view, Queue::Problems, icon::WARNING, palette(ui).warning);
        }
        heading_ui(ui, "Review");
        queue_ui(ui, ctx, view, Queue::Decided, icon::LIST_CHECKS, color);
        queue_ui(ui, ctx, view, Queue::Audit, icon::SCALES, color);
        queue_ui(ui, ctx, view, Queue::History, icon::CLOCK_COUNTER_CLOCKWISE, color);
        if ctx.other.is_some_and(|other| !other.comparison.conflicts.is_empty()) {
            queue_ui(ui, ctx, view, Queue::Conflicts, icon::USERS, palette(ui).warning);
        }
        if view.queue == Queue::Similar {
            queue_ui(ui, ctx, view, Queue::Similar, icon::SPARKLE, color);
        }
        if view.queue == Queue::Chosen {
            queue_ui(ui, ctx, view, Queue::Chosen, icon::LASSO, color);
        }
        if !ctx.classes.is_empty() {
            heading_ui(ui, "Classes");
            classes_ui(ui, ctx, view);
        }
    });
}

fn heading_ui(ui: &mut egui::Ui, text: &str) {
    ui.add_space(theme::SECTION_GAP);
    let color = palette(ui).text_weak;
    ui.horizontal(|ui| {
        ui.add_space(8.0);
        ui.label(RichText::new(text).small().color(color));
    });
    ui.add_space(2.0);
}

fn weak_ui(ui: &mut egui::Ui, text: &str) {
    let color = palette(ui).text_weak;
    ui.horizontal(|ui| {
        ui.add_space(8.0);
        ui.add(egui::Label::new(RichText::new(text).color(color)).wrap());
    });
}

fn queue_ui(
    ui: &mut egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &ViewState,
    queue: Queue,
    sign: &str,
    sign_color: egui::Color32,
) {
    let Count { total, undecided } = ctx.counts.of(queue);
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), theme::ROW_HEIGHT), Sense::click());
    let counted = !matches!(
        queue,
        Queue::Overview
            | Queue::Map
            | Queue::Similar
            | Queue::Chosen
            | Queue::Cluster(_)
            | Queue::History
            | Queue::Conflicts
    ) && (queue != Queue::Audit || total > 0);
    let name = if counted {
        format!("{}: {total}, {undecided} undecided", queue.title())
    } else {
        queue.title().to_owned()
    };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, view.queue == queue, &name));
    let palette = palette(ui);
    let selected = view.queue == queue;
    if selected || response.hovered() {
        let fill = if selected { palette.accent_soft } else { palette.card };
        ui.painter().rect_filled(rect, theme::RADIUS, fill);
    }
    let text_color = if selected { palette.text_strong } else { palette.text };
    let middle = rect.center().y;
    let body = egui::TextStyle::Body.resolve(ui.style());
    let painter = ui.painter_at(rect);
    painter.text(
        egui::pos2(rect.left() + 8.0, middle),
        Align2::LEFT_CENTER,
        sign,
        FontId::proportional(15.0),
        sign_color,
    );
    let mut end = rect.right() - 8.0;
    if counted {
        let small = egui::TextStyle::Small.resolve(ui.style());
        let (text, color) = if undecided == 0 && total > 0 && queue != Queue::Decided {
            (format!("{}  {}", icon::CHECK, grouped(total)), palette.good)
        } else if undecided < total && queue != Queue::Decided {
            (format!("{} / {}", grouped(undecided), grouped(total)), palette.text_weak)
        } else {
            (grouped(total), palette.text_weak)
        };
        end = painter.text(egui::pos2(end, middle), Align2::RIGHT_CENTER, text, small, color).left() - 6.0;
    }
    // A long name ends before the count.
    let name = Rect::from_min_max(egui::pos2(rect.left() + 32.0, rect.top()), egui::pos2(end, rect.bottom()));
    let mut job = egui::text::LayoutJob::simple_singleline(queue.title().to_owned(), body, text_color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(name.width().max(0.0));
    let galley = ui.painter().layout_job(job);
    let at = egui::pos2(name.left(), middle - galley.size().y / 2.0);
    ui.painter_at(name).galley(at, galley, text_color);
    let tip = match queue.explanation() {
        "" => "Class shares, label flows, drift".to_owned(),
        text if counted && total > 0 => format!("{text}\n{} without a verdict", grouped(undecided)),
        text => text.to_owned(),
    };
    let tip = ctx.tip(&tip, &Command::Show(queue));
    if response.on_hover_text(tip).clicked() {
        ctx.send(Command::Show(queue));
    }
}

fn classes_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &ViewState) {
    let counts = |version: Option<&std::sync::Arc<crate::model::Version>>| {
        version.map(|version| (version.clone(), version.class_counts().0))
    };
    let (base, target) = (counts(ctx.items.base.as_ref()), counts(ctx.items.target.as_ref()));
    let count_of = |side: &Option<(std::sync::Arc<crate::model::Version>, Vec<u64>)>, class: &str| {
        side.as_ref()
            .and_then(|(version, counts)| version.class_id(class).map(|id| counts[id as usize]))
            .unwrap_or(0)
    };
    let most = ctx
        .classes
        .iter()
        .map(|class| count_of(&base, class).max(count_of(&target, class)))
        .max()
        .unwrap_or(1);
    let height = if base.is_some() { 32.0 } else { 28.0 };
    // Two thousand classes are drawn as cheaply as ten: rows outside the clip are skipped.
    let start = ui.cursor().top();
    let clip = ui.clip_rect();
    let first = (((clip.top() - start) / height).floor().max(0.0) as usize).min(ctx.classes.len());
    let last = (((clip.bottom() - start) / height).ceil().max(0.0) as usize).min(ctx.classes.len());
    let width = ui.available_width();
    let (area, _) =
        ui.allocate_exact_size(Vec2::new(width, height * ctx.classes.len() as f32), Sense::hover());
    for (number, class) in ctx.classes.iter().enumerate().take(last).skip(first) {
        let rect = Rect::from_min_size(
            egui::pos2(area.left(), area.top() + number as f32 * height),
            Vec2::new(width, height - 1.0),
        );
        let counts = (base.as_ref().map(|_| count_of(&base, class)), count_of(&target, class));
        class_ui(ui, ctx, view, rect, (number, class), counts, most);
    }
}

fn class_ui(
    ui: &egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &ViewState,
    rect: Rect,
    (number, class): (usize, &str),
    (base, target): (Option<u64>, u64),
    most: u64,
) {
    let palette = palette(ui);
    let response = ui.interact(rect, ui.scope_id().with(("class", number)), Sense::click());
    let selected = view.class_filter.as_deref() == Some(class);
    response.widget_info(|| {
        let name = format!("Class {class}: {target}");
        egui::WidgetInfo::selected(egui::Role::Button, true, selected, name)
    });
    let painter = ui.painter_at(rect);
    if selected || response.hovered() {
        painter.rect_filled(rect, theme::RADIUS, if selected { palette.accent_soft } else { palette.card });
    }
    let small = egui::TextStyle::Small.resolve(ui.style());
    let body = egui::TextStyle::Body.resolve(ui.style());
    let text_y = rect.top() + 10.0;
    if number < 9 {
        painter.text(
            egui::pos2(rect.left() + 12.0, text_y),
            Align2::CENTER_CENTER,
            (number + 1).to_string(),
            small.clone(),
            palette.text_weak,
        );
    }
    let count_text = match base {
        Some(base) if base != target => {
            format!("{}  {:+}", grouped(target as usize), target as i64 - base as i64)
        }
        _ => grouped(target as usize),
    };
    let count = painter.text(
        egui::pos2(rect.right() - 8.0, text_y),
        Align2::RIGHT_CENTER,
        count_text,
        small,
        palette.text_weak,
    );
    let name_area = Rect::from_min_max(rect.min, egui::pos2(count.left() - 6.0, rect.bottom()));
    ui.painter_at(name_area).text(
        egui::pos2(rect.left() + 26.0, text_y),
        Align2::LEFT_CENTER,
        class,
        body,
        palette.text,
    );
    let bar = |y: f32, count: u64, color: egui::Color32| {
        let length = (rect.width() - 34.0) * count as f32 / most.max(1) as f32;
        let length = if count > 0 { length.max(1.5) } else { 0.0 };
        painter.rect_filled(
            Rect::from_min_size(egui::pos2(rect.left() + 26.0, y), Vec2::new(length, 3.0)),
            1.5,
            color,
        );
    };
    if let Some(base) = base {
        bar(rect.top() + 20.0, base, palette.base);
        bar(rect.top() + 25.0, target, palette.contribution);
    } else {
        bar(rect.top() + 20.0, target, palette.contribution);
    }
    let tip = match base {
        Some(base) => format!(
            "{class}\nBase {}, contribution {}\nClick to show only this class",
            grouped(base as usize),
            grouped(target as usize)
        ),
        None => format!("{class}\n{} samples\nClick to show only this class", grouped(target as usize)),
    };
    if response.on_hover_text(tip).clicked() {
        ctx.send(Command::ToggleClass(class.to_owned()));
    }
}
