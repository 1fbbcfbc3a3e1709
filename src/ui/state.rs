//! What is the person looking at? The part of the window that is not the data: queue, filters, cursor, selection.

use crate::detect::image_problem::ImageProblem;
use crate::model::{ChangeKind, Verdict};
use crate::review::query::{Query, QueryError};

use super::audit::{AuditForm, AuditList};
use super::items::Item;
use super::map::MapView;

/// What the gallery lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Queue {
    /// Plots, no list.
    Overview,
    /// Every sample of the version under review.
    All,
    /// Every sample of both versions, alike ones close together.
    Map,
    /// Everything that changed.
    Changes,
    /// One kind of change.
    Change(ChangeKind),
    /// Labels that disagree with their picture.
    SuspiciousLabels,
    /// Clusters of samples that share a visual cause, a card each.
    Triggers,
    /// The members of the cluster at this place of the scan.
    Cluster(u16),
    /// Samples that show one picture: near duplicates and leakage.
    Twins,
    /// Samples with a warning, or whose picture is poor.
    Problems,
    /// Samples with a verdict.
    Decided,
    /// A random sample, looked at blindly.
    Audit,
    /// Everything ever decided, no list of samples.
    History,
    /// Samples on which another review has another verdict.
    Conflicts,
    /// Samples like another, from `FindSimilar`.
    Similar,
    /// Samples chosen on the map or in a plot.
    Chosen,
}

impl Queue {
    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::All => "All samples",
            Self::Map => "Map",
            Self::Changes => "All changes",
            Self::Change(kind) => match kind {
                ChangeKind::Relabelled => "Relabelled",
                ChangeKind::Edited => "Edited",
                ChangeKind::Duplicated => "Duplicated",
                ChangeKind::ReEncoded => "Re-encoded",
                ChangeKind::SplitMoved => "Split moved",
                ChangeKind::Renamed => "Renamed",
                ChangeKind::Added => "Added",
                ChangeKind::Removed => "Removed",
            },
            Self::SuspiciousLabels => "Suspicious labels",
            Self::Triggers => "Shared triggers",
            Self::Cluster(_) => "Members of a cluster",
            Self::Twins => "Duplicates and leaks",
            Self::Problems => "Image problems",
            Self::Decided => "Decided",
            Self::Audit => "Audit",
            Self::History => "History",
            Self::Conflicts => "Conflicts",
            Self::Similar => "Similar",
            Self::Chosen => "Chosen",
        }
    }

    /// What it lists, in a sentence.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::All => "Every sample of the version under review",
            Self::Map => {
                "Every picture of both versions in the plane; pictures that look alike lie close together"
            }
            Self::Changes => "Everything the contribution did to the base",
            Self::Change(kind) => match kind {
                ChangeKind::Relabelled => "The same picture under another label",
                ChangeKind::Edited => "Another picture in the place of one that the base has",
                ChangeKind::Duplicated => "A new name for a picture that the base already has",
                ChangeKind::ReEncoded => "Other bytes, the same picture",
                ChangeKind::SplitMoved => "The same sample in another split",
                ChangeKind::Renamed => "The same sample under another name",
                ChangeKind::Added => "Samples that the base does not have",
                ChangeKind::Removed => "Samples that only the base has",
            },
            Self::SuspiciousLabels => "Labels that disagree with their picture, most doubtful first",
            Self::Triggers => "Groups of pictures that share a mark or a pattern, such as a planted logo",
            Self::Cluster(_) => "The pictures of one cluster, those that fit it best first",
            Self::Twins => {
                "One picture several times: under different labels, in different splits, or just twice"
            }
            Self::Problems => {
                "Files that could not be read, and pictures that are dark, bright, blurred, empty, of an odd shape or unlike all others"
            }
            Self::Decided => "Samples with a verdict",
            Self::Audit => "A random sample, looked at blindly: how many labels are wrong?",
            Self::History => "Every decision, by whom and when, the last one first",
            Self::Conflicts => "Samples on which the other review has another verdict",
            Self::Similar => "Samples that look like the one you came from, nearest first",
            Self::Chosen => "The samples that were selected on the map",
        }
    }

    /// Every queue that is always there, in the order of the list.
    pub fn listed() -> impl Iterator<Item = Self> {
        let kinds = ChangeKind::ALL.into_iter().map(Self::Change);
        let rest = [Self::Triggers, Self::Twins, Self::Problems, Self::Decided, Self::Audit, Self::History];
        [Self::Overview, Self::All, Self::Map, Self::Changes, Self::SuspiciousLabels]
            .into_iter()
            .chain(rest)
            .chain(kinds)
    }

    /// The queue with this name in lower case with dashes, such as `suspicious-labels`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::listed().find(|queue| queue.title().to_lowercase().replace(' ', "-") == name)
    }
}

/// How samples are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum View {
    /// Thumbnails.
    Grid,
    /// Base and contribution, row by row.
    SideBySide,
    /// One sample at a time, large.
    OneByOne,
}

/// In what order samples are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Sort {
    /// As the queue suggests: by suspicion for suspicious labels, by kind and key for changes, else by key.
    Queue,
    /// By key.
    Key,
    /// By label, then key.
    Label,
    /// Most suspicious first.
    Suspicion,
    /// The most suspicious of each label first, then the second of each, and so on.
    WithinClass,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] = [Self::Queue, Self::Suspicion, Self::WithinClass, Self::Label, Self::Key];

    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Queue => "Queue order",
            Self::Key => "Name",
            Self::Label => "Label",
            Self::Suspicion => "Suspicion",
            Self::WithinClass => "Class by class",
        }
    }
}

/// Which samples are selected: a bit an item.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    chosen: Vec<bool>,
    count: usize,
    generation: u64,
}

impl Selection {
    /// Whether an item is selected.
    #[must_use]
    pub fn contains(&self, item: Item) -> bool {
        self.chosen.get(item.0 as usize).copied().unwrap_or(false)
    }

    /// Selects or unselects an item.
    pub fn set(&mut self, item: Item, on: bool) {
        let at = item.0 as usize;
        if at >= self.chosen.len() {
            self.chosen.resize(at + 1, false);
        }
        if self.chosen[at] != on {
            self.chosen[at] = on;
            self.count = if on { self.count + 1 } else { self.count - 1 };
            self.generation += 1;
        }
    }

    /// Selects nothing.
    pub fn clear(&mut self) {
        self.chosen.clear();
        self.count = 0;
        self.generation += 1;
    }

    /// Moves whenever something is selected or unselected.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many are selected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The selected items, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Item> {
        self.chosen.iter().enumerate().filter(|(_, on)| **on).map(|(at, _)| Item(at as u32))
    }
}

/// Which image problems are listed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ProblemFilter {
    /// Files with a warning.
    Unreadable,
    /// Pictures unlike all others.
    Outlier,
    /// Pictures whose measure of this problem is below a threshold in [0, 1].
    Below(ImageProblem, f64),
}

/// A question that must be answered before something happens to many samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What will be decided.
    pub verdict: Option<Verdict>,
    /// For these.
    pub items: Vec<Item>,
}

/// How the large picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PictureMode {
    /// As it is.
    #[default]
    Plain,
    /// The counterpart's picture.
    Counterpart,
    /// The difference to the counterpart.
    Difference,
    /// Both beside each other.
    Both,
    /// The counterpart left of a line, the picture right of it.
    Swipe,
    /// Both in turn.
    Blink,
}

/// What of the history is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Text that must be in a line: in its key, verdict, class, reviewer or note.
    pub text: String,
    /// The text and the revision for which `lines` were found.
    pub found_for: (String, u64),
    /// Positions in the journal, the last one first.
    pub lines: Vec<u32>,
}

/// The export dialog while it is open.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportDialog {
    /// The chosen exporter's id.
    pub format: &'static str,
    /// The path typed or chosen.
    pub path: String,
    /// Why it did not work.
    pub error: Option<String>,
}

/// What of a plot is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotFile {
    /// Its picture, as it is on the screen (PNG).
    Picture,
    /// The numbers that it draws (CSV).
    Data,
}

/// A plot that is to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavePlot {
    /// Its id.
    pub plot: &'static str,
    /// What of it.
    pub file: PlotFile,
    /// Where to.
    pub path: std::path::PathBuf,
    /// Frames since it was scrolled into view.
    pub frames: u8,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
/// Everything about the view that is not kept between runs.
pub struct ViewState {
    /// What is listed.
    pub queue: Queue,
    /// How.
    pub view: View,
    /// In what order.
    pub sort: Sort,
    /// The text of the search field.
    pub search: String,
    /// What it means, or what is wrong with it.
    pub query: Result<Query, QueryError>,
    /// Only this class.
    pub class_filter: Option<String>,
    /// In [`Queue::Problems`], only these.
    pub problem: Option<ProblemFilter>,
    /// The sample that keys act on.
    pub cursor: Option<Item>,
    /// Where a range selection began.
    pub anchor: Option<Item>,
    /// What is selected.
    pub selection: Selection,
    /// Scroll to the cursor in the next frame.
    pub scroll_to_cursor: bool,
    /// Where the list was scrolled to in the last frame, points.
    pub scroll_y: f32,
    /// Columns of the grid in the last frame, and rows on a page.
    pub grid_shape: (usize, usize),
    /// The large picture.
    pub picture: PictureMode,
    /// Zoom (1 = fits) and pan of the large picture, in points.
    pub zoom: f32,
    /// See `zoom`.
    pub pan: eframe::egui::Vec2,
    /// How many times as strong a difference is drawn.
    pub gain: u8,
    /// Where the line of a swipe is, as a share of the width.
    pub swipe: f32,
    /// A drag moves the line and not the picture.
    pub dragging_swipe: bool,
    /// The picture alone.
    pub full_screen: bool,
    /// A note that goes with the next verdict.
    pub note: String,
    /// The key sheet is open.
    pub help: bool,
    /// A question is open.
    pub question: Option<Question>,
    /// The class chooser is open, with its filter text and highlighted line.
    pub choosing_label: Option<(String, usize)>,
    /// The list of all commands is open, with its filter text and highlighted line.
    pub palette: Option<(String, usize)>,
    /// The highlighted line of the suggestions under the search field.
    pub suggestion: Option<usize>,
    /// What the history is filtered by, and the lines that are left, as they were at a revision.
    pub history: HistoryFilter,
    /// A question is open whether to take this step back, of so many decisions.
    pub taking_back: Option<(i64, usize)>,
    /// The dialog "not a trigger" is open: for the cluster at this place of the scan, with the reason so far.
    pub dismissing: Option<(u16, String)>,
    /// The export dialog is open.
    pub export: Option<ExportDialog>,
    /// Dropped places that wait for "as what?".
    pub dropped: Vec<std::path::PathBuf>,
    /// The samples that `FindSimilar` found, nearest first.
    pub similar: Vec<Item>,
    /// What of the audit is listed; its page where nothing is.
    pub audit_list: Option<AuditList>,
    /// The samples of that list.
    pub audit_rows: Vec<Item>,
    /// The form for a new audit.
    pub audit_form: AuditForm,
    /// The search was typed and not followed from a link: it stays when another queue is shown.
    pub search_typed: bool,
    /// The history is shown from its beginning in the next frame.
    pub history_to_top: bool,
    /// The keyboard was in a text field in the last frame.
    pub typing: bool,
    /// The samples of [`Queue::Chosen`].
    pub chosen: Vec<Item>,
    /// How the map is looked at.
    pub map: MapView,
    /// A plot of the overview that is to be saved when it has been drawn.
    pub saving: Option<SavePlot>,
    /// Put the keyboard into the search field in the next frame.
    pub focus_search: bool,
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            queue: Queue::Overview,
            view: View::Grid,
            sort: Sort::Queue,
            search: String::new(),
            query: Ok(Query::default()),
            class_filter: None,
            problem: None,
            cursor: None,
            anchor: None,
            selection: Selection::default(),
            scroll_to_cursor: false,
            scroll_y: 0.0,
            grid_shape: (1, 1),
            picture: PictureMode::Plain,
            zoom: 1.0,
            pan: eframe::egui::Vec2::ZERO,
            gain: 4,
            swipe: 0.5,
            dragging_swipe: false,
            full_screen: false,
            note: String::new(),
            help: false,
            question: None,
            choosing_label: None,
            palette: None,
            suggestion: None,
            history: HistoryFilter::default(),
            taking_back: None,
            dismissing: None,
            export: None,
            dropped: Vec::new(),
            similar: Vec::new(),
            audit_list: None,
            audit_rows: Vec::new(),
            audit_form: AuditForm::default(),
            search_typed: false,
            history_to_top: true,
            typing: false,
            chosen: Vec::new(),
            map: MapView::default(),
            saving: None,
            focus_search: false,
        }
    }
}

impl ViewState {
    /// Whether nothing may be shown but the picture and its label.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.queue == Queue::Audit && self.audit_list == Some(AuditList::Drawn)
    }

    /// Whether the page of the audit is shown, and no list.
    #[must_use]
    pub fn is_audit_page(&self) -> bool {
        self.queue == Queue::Audit && self.audit_list.is_none()
    }

    /// Puts the cursor on a sample and selects only it.
    pub fn focus(&mut self, item: Item) {
        if self.cursor != Some(item) {
            // Whoever looks at pairs wants the next one in the same way; a glance at the base is over.
            if self.picture == PictureMode::Counterpart {
                self.picture = PictureMode::Plain;
            }
            self.zoom = 1.0;
            self.pan = eframe::egui::Vec2::ZERO;
        }
        self.cursor = Some(item);
        self.anchor = Some(item);
        self.selection.clear();
        self.selection.set(item, true);
        self.scroll_to_cursor = true;
    }

    /// Whether something lies over the window that waits for an answer.
    #[must_use]
    pub fn has_dialog(&self) -> bool {
        self.question.is_some()
            || self.choosing_label.is_some()
            || self.palette.is_some()
            || self.dismissing.is_some()
            || self.taking_back.is_some()
            || self.export.is_some()
            || self.help
            || !self.dropped.is_empty()
    }

    /// What a verdict would be about: the selection, or the sample under the cursor.
    #[must_use]
    pub fn subjects(&self) -> Vec<Item> {
        if self.selection.is_empty() {
            self.cursor.into_iter().collect()
        } else {
            self.selection.iter().collect()
        }
    }
}
