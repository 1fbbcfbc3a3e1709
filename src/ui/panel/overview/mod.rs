//! What is in these versions, how did the shares move, and what deserves a look first? Plots, not prose.
//!
//! A plot is one file and one line in [`CARDS`]. What it draws it can also give as a table, so that each can be saved
//! as a picture and as numbers.

mod classes;
mod dataset;
mod drift;
mod edits;
mod flows;
mod headline;
mod histogram;
pub(super) mod plots;
mod shares;
mod splits;
mod suspicion;

use eframe::egui::{self, Rect, RichText};

use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::settings::Settings;
use crate::ui::state::{PlotFile, Queue, SavePlot, ViewState};
use crate::ui::theme::{self, icon, palette, strong};
use crate::ui::widget::{empty_ui, frame_ui};

use super::Panel;
use histogram::{Histogram, Measure};

/// The least width of a column, points, and the most columns.
const COLUMN: f32 = 540.0;
const MOST_COLUMNS: usize = 3;

/// One plot, or one table, of the overview.
pub trait Card: Sync {
    /// Its name for commands and files, such as `label-flows`.
    fn id(&self) -> &'static str;
    /// Its name for people.
    fn title(&self) -> &'static str;
    /// What it shows, in a sentence.
    fn explanation(&self, ctx: &ViewCtx<'_>) -> String;
    /// More about how it came to be, for those who point at the explanation; often empty.
    fn details(&self, _ctx: &ViewCtx<'_>) -> String {
        String::new()
    }
    /// Whether there is something to show.
    fn applies(&self, _ctx: &ViewCtx<'_>) -> bool {
        true
    }
    /// Draws it.
    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>);
    /// The numbers that it draws.
    fn table(&self, ctx: &ViewCtx<'_>) -> Table;
}

/// Every card, in the order in which they are laid out.
static CARDS: &[&dyn Card] = &[
    &classes::Classes,
    &shares::Shares,
    &dataset::Dataset,
    &flows::Flows,
    &suspicion::Suspicion,
    &edits::Edits,
    &drift::Drift,
    &splits::Splits,
    &Histogram(Measure::Side),
    &Histogram(Measure::Aspect),
    &Histogram(Measure::Brightness),
];

/// Lines of text, the first of them names.
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A header and lines with as many fields.
    pub fn new(header: &[&str], lines: impl Iterator<Item = Vec<String>>) -> Self {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        Self(std::iter::once(header).chain(lines).collect())
    }

    /// As CSV (RFC 4180), UTF-8.
    fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for line in &self.0 {
            // Writing to memory does not fail, and all lines are as long as the first.
            let _ = writer.write_record(line);
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// The first page of an opened version or pair.
pub struct Overview;

impl Panel for Overview {
    fn applies(&self, _ctx: &ViewCtx<'_>, view: &ViewState) -> bool {
        view.queue == Queue::Overview
    }

    fn ui(&self, ui: &mut egui::Ui, ctx: &ViewCtx<'_>, view: &mut ViewState, _settings: &mut Settings) {
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
        let saving = view.saving.take();
        let cards: Vec<&dyn Card> = CARDS.iter().copied().filter(|card| card.applies(ctx)).collect();
        let mut drawn = None;
        let output = egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(MOST_COLUMNS as f32 * 640.0));
            headline::headline_ui(ui, ctx);
            let wanted = saving.as_ref().map(|saving| saving.plot);
            drawn = columns_ui(ui, ctx, &cards, wanted);
        });
        if let Some(saving) = saving {
            save(ui, ctx, view, saving, drawn, output.inner_rect);
        }
    }
}

/// Cards in columns, each under the shortest one; in one column in a narrow window.
/// Returns where the `wanted` card is.
fn columns_ui(
    ui: &mut egui::Ui,
    ctx: &ViewCtx<'_>,
    cards: &[&dyn Card],
    wanted: Option<&str>,
) -> Option<(usize, Rect)> {
    let mut found = None;
    let mut draw = |ui: &mut egui::Ui, at: usize| {
        let card = cards[at];
        let rect = card_ui(ui, ctx, card);
        if wanted == Some(card.id()) {
            found = Some((at, rect));
            if !ui.clip_rect().contains_rect(rect) {
                let align = if rect.height() > ui.clip_rect().height() {
                    egui::Align::TOP
                } else {
                    egui::Align::Center
                };
                ui.scroll_to_rect_animation(rect, Some(align), egui::style::ScrollAnimation::none());
            }
        }
        // The heights of the last frame decide the columns of the next one.
        ui.data_mut(|data| data.insert_temp(height_id(card), rect.height()));
    };
    if ui.available_width() < 720.0 {
        for at in 0..cards.len() {
            draw(ui, at);
        }
        return found;
    }
    let count = ((ui.available_width() / COLUMN).floor() as usize).clamp(2, MOST_COLUMNS);
    let mut heights = vec![0.0_f32; count];
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, card) in cards.iter().enumerate() {
        let height = ui.data(|data| data.get_temp::<f32>(height_id(*card))).unwrap_or(260.0);
        // As much as a line is not worth another column: the order stays while numbers come in.
        let shortest =
            (1..count).fold(0, |best, at| if heights[at] + 24.0 < heights[best] { at } else { best });
        let column = if at < count { at } else { shortest };
        heights[column] += height + theme::GAP;
        columns[column].push(at);
    }
    ui.columns(count, |uis| {
        for (ui, column) in uis.iter_mut().zip(&columns) {
            for at in column {
                draw(ui, *at);
            }
        }
    });
    found
}

fn height_id(card: &dyn Card) -> egui::Id {
    egui::Id::unique(("overview-height", card.id()))
}

fn card_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, card: &dyn Card) -> Rect {
    frame_ui(ui, |ui| content_ui(ui, ctx, card))
}

fn content_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, card: &dyn Card) {
    let palette = palette(ui);
    ui.horizontal(|ui| {
        ui.label(strong(card.title()).size(14.5).color(palette.text_strong));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| menu_ui(ui, ctx, card));
    });
    let explanation = RichText::new(card.explanation(ctx)).small().color(palette.text_weak);
    let explanation = ui.add(egui::Label::new(explanation).wrap().halign(egui::Align::LEFT));
    let details = card.details(ctx);
    if !details.is_empty() {
        explanation.on_hover_text(details);
    }
    ui.add_space(6.0);
    card.ui(ui, ctx);
}

/// Saves the card as a picture or as numbers.
fn menu_ui(ui: &mut egui::Ui, ctx: &ViewCtx<'_>, card: &dyn Card) {
    let menu = ui.menu_button(RichText::new(icon::DOTS_THREE).size(16.0), |ui| {
        for (text, file) in [("Save picture (PNG)…", PlotFile::Picture), ("Save data (CSV)…", PlotFile::Data)]
        {
            if ui.button(text).clicked() {
                ctx.send(Command::ChoosePlotPath(card.id(), file));
                ui.close();
            }
        }
    });
    let name = format!("Save “{}”", card.title());
    menu.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    menu.response.on_hover_text(name);
}

/// Frames in which a card that was scrolled into view comes to rest.
const FRAMES_TO_REST: u8 = 3;

/// Sends off what is to be saved; a picture only when the card has been scrolled into view.
fn save(
    ui: &egui::Ui,
    ctx: &ViewCtx<'_>,
    view: &mut ViewState,
    saving: SavePlot,
    drawn: Option<(usize, Rect)>,
    visible: Rect,
) {
    let SavePlot { plot, file, path, frames } = saving;
    let card = CARDS.iter().find(|card| card.id() == plot && card.applies(ctx));
    // What is sent from here is carried out in the next frame, and no key or pointer may ask for one.
    ui.ctx().request_repaint();
    match (file, card, drawn) {
        (PlotFile::Data, Some(card), _) => ctx.send(Command::WritePlot(path, card.table(ctx).csv())),
        (PlotFile::Picture, Some(_), _) if frames < FRAMES_TO_REST => {
            view.saving = Some(SavePlot { plot, file, path, frames: frames + 1 });
        }
        (PlotFile::Picture, Some(_), Some((_, rect))) => {
            let part = rect.intersect(visible);
            ctx.send(Command::WritePicture(path, [part.min.x, part.min.y, part.max.x, part.max.y]));
        }
        // The plot is gone: other versions were opened in between.
        _ => (),
    }
}
