//! What can be done? One table feeds buttons, tooltips, shortcuts, the key sheet and tests.
//!
//! A command is what is saved, undoable, bound to a key or shared by panels;
//! what only changes the picture (a size, an open menu) is changed in place.

use std::path::PathBuf;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use crate::model::Verdict;

use super::audit::AuditList;
use super::items::Item;
use super::state::{PlotFile, ProblemFilter, Queue, View};

/// Something to do, asked for by a panel, a key or a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open one or two versions: (base, contribution).
    Open(Option<PathBuf>, Option<PathBuf>),
    /// A dropped or chosen place: the contribution when something is open and the user says so, else alone.
    Dropped(Vec<PathBuf>),
    /// Choose a folder and open it alone.
    ChooseFolder,
    /// Choose a list file and open it alone.
    ChooseFile,
    /// Choose a folder as the base of what is open.
    ChooseBase,
    /// Choose a folder as a contribution to what is open.
    ChooseContribution,
    /// Choose a folder to look at beside what is open.
    ChooseFurther,
    /// Look at a further version beside what is open.
    AddFurther(PathBuf),
    /// Close a further version.
    RemoveFurther(u8),
    /// Swap base and contribution.
    SwapVersions,
    /// Make and open the demo.
    Demo,
    /// Close what is open.
    Close,
    /// Decide for the selection, or the sample under the cursor. `None` clears the verdict.
    Decide(Option<Verdict>),
    /// Relabel to the class with this number in the class list, from 1.
    RelabelTo(u8),
    /// Choose a class by typing.
    ChooseLabel,
    /// Relabel to what the evidence suggests.
    AcceptSuggestion,
    /// Do what the open question asks.
    Confirm,
    /// Take the last step back.
    Undo,
    /// Make it again.
    Redo,
    /// Move the cursor by columns and rows.
    Move(i32, i32),
    /// Move and extend the selection.
    Extend(i32, i32),
    /// A page up or down.
    Page(i32),
    /// To the first or last.
    End(bool),
    /// To the next sample without a verdict.
    NextUndecided,
    /// Select everything in view.
    SelectAll,
    /// Put the cursor on a sample and select only it.
    Focus(Item),
    /// Show a queue.
    Show(Queue),
    /// Show all samples, the most suspicious first.
    ShowDoubtful,
    /// Show samples in another way.
    SetView(View),
    /// Filter by a query text.
    Search(String),
    /// Put the keyboard into the search field.
    FocusSearch,
    /// Filter by a class, or stop doing so.
    ToggleClass(String),
    /// List only these image problems, or all.
    FilterProblems(Option<ProblemFilter>),
    /// Show the counterpart while on.
    Blink,
    /// Show the difference to the counterpart.
    Difference,
    /// Show the counterpart and the picture beside each other.
    Both,
    /// Show the counterpart left of a line, and the picture right of it.
    Swipe,
    /// Show both in turn.
    BlinkByItself,
    /// A stronger difference, or a weaker one.
    Gain(i32),
    /// Decide for all members of the cluster at this place of the scan.
    DecideCluster(u16, Verdict),
    /// Ask why the cluster at this place of the scan is no trigger.
    AskDismiss(u16),
    /// Remember that it is none, with what the open dialog says.
    Dismiss,
    /// Choose another reviewer's file to compare with.
    ChooseReview,
    /// Compare with another reviewer's file.
    CompareWith(PathBuf),
    /// Stop comparing.
    CloseOther,
    /// Take over what only the other review has decided.
    TakeOver,
    /// Take over the other review's verdicts on the selection.
    TakeTheirs,
    /// Show every command.
    Palette,
    /// Keep the search for later, or forget it.
    ToggleSavedSearch(String),
    /// Ask whether to take back a step of so many decisions.
    AskTakeBack(i64, usize),
    /// Take an old step back, wherever it is in force still.
    TakeBack(i64),
    /// Keep the sample under the cursor, and exclude what shows the same picture.
    KeepOne,
    /// Show samples that look like the one under the cursor.
    FindSimilar,
    /// Draw the sample that the audit's form asks for.
    DrawAudit,
    /// Show the audit's form although there is a plan, or no longer.
    NewAudit(bool),
    /// List the drawn samples, or those on which reviewers differ.
    ShowAudit(AuditList),
    /// List what is selected.
    ShowSelection,
    /// Draw on the map around what is to be selected, or move the map again.
    Lasso,
    /// Show the whole map.
    FitMap,
    /// Go on with a cancelled map.
    DrawMap,
    /// Choose where to save a plot of the overview.
    ChoosePlotPath(&'static str, PlotFile),
    /// Save a plot of the overview: its id, what of it, where to.
    SavePlot(&'static str, PlotFile, PathBuf),
    /// Write bytes that a plot has made.
    WritePlot(PathBuf, Vec<u8>),
    /// Write this part of the window as a picture, in points: left, top, right, bottom.
    WritePicture(PathBuf, [f32; 4]),
    /// The picture alone.
    FullScreen,
    /// Open the export dialog.
    Export,
    /// Write what the export dialog says.
    RunExport,
    /// Choose the export's path.
    ChooseExportPath,
    /// Treat classes that are only spelt differently as the same.
    MatchClasses,
    /// Leave them apart.
    KeepClassesApart,
    /// Stop the background work, or go on with it.
    CancelWork,
    /// Go on with it.
    ResumeWork,
    /// Show all keys.
    Help,
    /// Dark, light, or as the system says.
    CycleTheme,
    /// Whether a verdict moves on to the next sample.
    ToggleAdvance,
    /// Larger thumbnails, or smaller.
    Resize(i32),
    /// Everything larger, smaller, or (0) of the usual size.
    Zoom(i32),
    /// Whether anything moves by itself.
    ToggleMotion,
    /// Copy where the sample under the cursor is: its file, or its name where it is in an archive.
    CopyPath,
    /// Show the file of the sample under the cursor in the system's viewer.
    OpenSample,
    /// Leave what is open on top: a question, a sheet, full screen, a selection.
    Escape,
    /// Copy a text.
    Copy(String),
    /// Show the file in the system's viewer.
    OpenFile(PathBuf),
}

/// One entry of the table of keys.
pub struct Binding {
    /// Its name in the settings file.
    pub id: &'static str,
    /// What it does, for people.
    pub title: &'static str,
    /// The group on the key sheet.
    pub group: &'static str,
    /// The command.
    pub command: fn() -> Command,
    /// Keys, first the one that is shown.
    pub keys: &'static [KeyboardShortcut],
}

const fn key(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}
const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}
const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}
const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

macro_rules! bindings {
    ($($group:literal: [$($id:literal, $title:literal, $command:expr, [$($key:expr),*];)*])*) => {
        &[$($(Binding { id: $id, title: $title, group: $group, command: || $command, keys: &[$($key),*] },)*)*]
    };
}

/// Every key, in the order of the key sheet.
pub static BINDINGS: &[Binding] = bindings! {
    "Decide": [
        "keep", "Mark as correct", Command::Decide(Some(Verdict::Keep)), [key(Key::Enter)];
        "relabel", "Relabel by typing…", Command::ChooseLabel, [key(Key::R)];
        "accept-suggestion", "Relabel to the suggested class", Command::AcceptSuggestion, [key(Key::A)];
        "exclude", "Exclude from the dataset", Command::Decide(Some(Verdict::Exclude)), [key(Key::X)];
        "revert", "Revert the contribution's change", Command::Decide(Some(Verdict::Revert)), [key(Key::V)];
        "unsure", "Unsure", Command::Decide(Some(Verdict::Unsure)), [key(Key::U)];
        "take-theirs", "Take the other review's verdict", Command::TakeTheirs, [key(Key::T)];
        "keep-one", "Keep this one of its duplicates, exclude the others", Command::KeepOne, [key(Key::K)];
        "clear", "Clear the verdict", Command::Decide(None), [key(Key::Backspace), key(Key::Delete)];
        "undo", "Undo", Command::Undo, [ctrl(Key::Z)];
        "redo", "Redo", Command::Redo, [ctrl_shift(Key::Z), ctrl(Key::Y)];
    ]
    "Relabel to the class with this number": [
        "relabel-1", "Class 1", Command::RelabelTo(1), [key(Key::Num1)];
        "relabel-2", "Class 2", Command::RelabelTo(2), [key(Key::Num2)];
        "relabel-3", "Class 3", Command::RelabelTo(3), [key(Key::Num3)];
        "relabel-4", "Class 4", Command::RelabelTo(4), [key(Key::Num4)];
        "relabel-5", "Class 5", Command::RelabelTo(5), [key(Key::Num5)];
        "relabel-6", "Class 6", Command::RelabelTo(6), [key(Key::Num6)];
        "relabel-7", "Class 7", Command::RelabelTo(7), [key(Key::Num7)];
        "relabel-8", "Class 8", Command::RelabelTo(8), [key(Key::Num8)];
        "relabel-9", "Class 9", Command::RelabelTo(9), [key(Key::Num9)];
    ]
    "Move": [
        "left", "Previous", Command::Move(-1, 0), [key(Key::ArrowLeft)];
        "right", "Next", Command::Move(1, 0), [key(Key::ArrowRight)];
        "up", "Up", Command::Move(0, -1), [key(Key::ArrowUp)];
        "down", "Down", Command::Move(0, 1), [key(Key::ArrowDown)];
        "page-up", "A page up", Command::Page(-1), [key(Key::PageUp)];
        "page-down", "A page down", Command::Page(1), [key(Key::PageDown)];
        "first", "First", Command::End(false), [key(Key::Home)];
        "last", "Last", Command::End(true), [key(Key::End)];
        "next-undecided", "Next undecided", Command::NextUndecided, [key(Key::Tab)];
    ]
    "Select": [
        "extend-left", "Extend to the left", Command::Extend(-1, 0), [shift(Key::ArrowLeft)];
        "extend-right", "Extend to the right", Command::Extend(1, 0), [shift(Key::ArrowRight)];
        "extend-up", "Extend upwards", Command::Extend(0, -1), [shift(Key::ArrowUp)];
        "extend-down", "Extend downwards", Command::Extend(0, 1), [shift(Key::ArrowDown)];
        "select-all", "Select all in view", Command::SelectAll, [ctrl(Key::A)];
        "escape", "Close, or clear the selection", Command::Escape, [key(Key::Escape)];
    ]
    "Look": [
        "blink", "Blink: show the base's picture", Command::Blink, [key(Key::B)];
        "difference", "Difference to the base's picture", Command::Difference, [key(Key::D)];
        "stronger", "Stronger difference", Command::Gain(1), [key(Key::CloseBracket)];
        "weaker", "Weaker difference", Command::Gain(-1), [key(Key::OpenBracket)];
        "both", "Base and contribution beside each other", Command::Both, [key(Key::P)];
        "swipe", "Base and contribution on both sides of a line", Command::Swipe, [key(Key::W)];
        "blink-by-itself", "Base and contribution in turn", Command::BlinkByItself, [shift(Key::B)];
        "similar", "Find similar samples", Command::FindSimilar, [key(Key::S)];
        "map", "Map of all samples", Command::Show(Queue::Map), [key(Key::M)];
        "lasso", "Map: select by drawing around samples", Command::Lasso, [key(Key::L)];
        "fit-map", "Map: show all of it", Command::FitMap, [key(Key::Num0)];
        "show-selection", "List what is selected", Command::ShowSelection, [key(Key::G)];
        "full-screen", "Picture alone", Command::FullScreen, [key(Key::F)];
        "larger", "Larger thumbnails", Command::Resize(1), [key(Key::Plus), key(Key::Equals)];
        "smaller", "Smaller thumbnails", Command::Resize(-1), [key(Key::Minus)];
        "open-sample", "Open in the system's viewer", Command::OpenSample, [key(Key::O)];
        "copy-path", "Copy where the file is", Command::CopyPath, [ctrl_shift(Key::C)];
        "view-grid", "Grid", Command::SetView(View::Grid), [ctrl(Key::Num1)];
        "view-side-by-side", "Side by side", Command::SetView(View::SideBySide), [ctrl(Key::Num2)];
        "view-one-by-one", "One by one", Command::SetView(View::OneByOne), [ctrl(Key::Num3)];
    ]
    "Window": [
        "palette", "All commands", Command::Palette, [ctrl(Key::K)];
        "search", "Search", Command::FocusSearch, [key(Key::Slash), ctrl(Key::F)];
        "open-folder", "Open a folder…", Command::ChooseFolder, [ctrl(Key::O)];
        "open-file", "Open a list…", Command::ChooseFile, [ctrl_shift(Key::O)];
        "export", "Export corrections…", Command::Export, [ctrl(Key::E)];
        "compare-review", "Compare with another review…", Command::ChooseReview, [];
        "history", "History", Command::Show(Queue::History), [ctrl(Key::H)];
        "auto-advance", "Move on after a verdict: on or off", Command::ToggleAdvance, [ctrl_shift(Key::A)];
        "zoom-in", "Everything larger", Command::Zoom(1), [ctrl(Key::Plus), ctrl(Key::Equals)];
        "zoom-out", "Everything smaller", Command::Zoom(-1), [ctrl(Key::Minus)];
        "zoom-usual", "Everything of the usual size", Command::Zoom(0), [ctrl(Key::Num0)];
        "motion", "Reduced motion: on or off", Command::ToggleMotion, [];
        "theme", "Dark, light or system theme", Command::CycleTheme, [ctrl_shift(Key::L)];
        "help", "All keys", Command::Help, [key(Key::Questionmark), shift(Key::Slash), key(Key::F1)];
    ]
};

/// The keys in force: the table's, or those of the settings file.
#[derive(Debug, Clone)]
pub struct Keys {
    by_binding: Vec<Vec<KeyboardShortcut>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { by_binding: BINDINGS.iter().map(|binding| binding.keys.to_vec()).collect() }
    }
}

impl Keys {
    /// The table's keys with those of a settings file in their place, and what is wrong with that file.
    pub fn with_overrides<'a>(overrides: impl Iterator<Item = (&'a str, &'a str)>) -> (Self, Vec<String>) {
        let mut keys = Self::default();
        let mut problems = Vec::new();
        for (id, text) in overrides {
            let Some(at) = BINDINGS.iter().position(|binding| binding.id == id) else {
                problems.push(format!("there is no command `{id}` to give a key to"));
                continue;
            };
            match parse_shortcut(text) {
                Some(shortcut) => keys.by_binding[at] = vec![shortcut],
                None => {
                    problems.push(format!("`{text}` is no key (for `{id}`); write such as `Ctrl+Shift+K`"));
                }
            }
        }
        for (at, own) in keys.by_binding.iter().enumerate() {
            for (other_at, other) in keys.by_binding.iter().enumerate().skip(at + 1) {
                if let Some(both) = own.iter().find(|shortcut| other.contains(shortcut)) {
                    problems.push(format!(
                        "{} means both `{}` and `{}`; the first one wins",
                        show_shortcut(both),
                        BINDINGS[at].id,
                        BINDINGS[other_at].id
                    ));
                }
            }
        }
        (keys, problems)
    }

    /// Every binding with its keys in force.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Binding, &[KeyboardShortcut])> {
        BINDINGS.iter().zip(self.by_binding.iter().map(Vec::as_slice))
    }

    /// The key to show for a command, empty where it has none.
    #[must_use]
    pub fn hint(&self, command: &Command) -> String {
        self.iter()
            .find(|(binding, _)| &(binding.command)() == command)
            .and_then(|(_, keys)| keys.first())
            .map_or_else(String::new, show_shortcut)
    }
}

/// A key as people read it.
#[must_use]
pub fn show_shortcut(shortcut: &KeyboardShortcut) -> String {
    let mut text = String::new();
    let KeyboardShortcut { modifiers, logical_key } = shortcut;
    if modifiers.command || modifiers.ctrl {
        text.push_str("Ctrl+");
    }
    if modifiers.alt {
        text.push_str("Alt+");
    }
    if modifiers.shift {
        text.push_str("Shift+");
    }
    text.push_str(match logical_key {
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Escape => "Esc",
        Key::Questionmark => "?",
        Key::Slash => "/",
        Key::Plus => "+",
        Key::Minus => "-",
        other => other.name(),
    });
    text
}

fn parse_shortcut(text: &str) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    let mut parts = text.split('+').map(str::trim).collect::<Vec<_>>();
    let last = parts.pop()?;
    for part in parts {
        modifiers = modifiers.plus(match part.to_ascii_lowercase().as_str() {
            "ctrl" | "cmd" | "command" => Modifiers::COMMAND,
            "shift" => Modifiers::SHIFT,
            "alt" => Modifiers::ALT,
            _ => return None,
        });
    }
    let name = match last {
        "Esc" => "Escape",
        "←" => "Left",
        "→" => "Right",
        "↑" => "Up",
        "↓" => "Down",
        other => other,
    };
    let logical_key = Key::from_name(name).or_else(|| Key::from_name(&name.to_ascii_uppercase()))?;
    Some(KeyboardShortcut::new(modifiers, logical_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let (_, problems) = Keys::with_overrides(std::iter::empty());
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn settings_change_keys_and_say_what_is_wrong() {
        let (keys, problems) = Keys::with_overrides(
            [("keep", "Ctrl+j"), ("exclude", "R"), ("no-such", "x"), ("undo", "Hyper+Q")].into_iter(),
        );
        assert_eq!(keys.hint(&Command::Decide(Some(Verdict::Keep))), "Ctrl+J");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[2].contains("`relabel`") && problems[2].contains("`exclude`"), "{problems:?}");
    }
}
