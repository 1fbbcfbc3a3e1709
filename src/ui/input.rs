//! Which keys were pressed, and what was dropped on the window?

use eframe::egui::{self, Event, Id, Key, KeyboardShortcut, Modifiers};

use super::app::App;
use super::command::Command;

/// The search field.
#[must_use]
pub fn search_id() -> Id {
    Id::unique("search-field")
}

/// The note field.
#[must_use]
pub fn note_id() -> Id {
    Id::unique("note-field")
}

/// The reviewer's name.
#[must_use]
pub fn reviewer_id() -> Id {
    Id::unique("reviewer-field")
}

/// The filter of the history.
#[must_use]
pub fn history_id() -> Id {
    Id::unique("history-filter")
}

/// Turns key presses and dropped files into commands.
pub fn commands_from_input(ctx: &egui::Context, app: &mut App) {
    let dropped: Vec<_> =
        ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
    if !dropped.is_empty() {
        app.send(Command::Dropped(dropped));
    }
    let focused = ctx.memory(eframe::egui::Memory::focused);
    let fields = [search_id(), note_id(), reviewer_id(), history_id()];
    let typing = focused.is_some_and(|id| fields.contains(&id));
    // The numbers of the audit's form are typed too.
    let typing = typing || app.view.is_audit_page() && ctx.text_edit_focused();
    // Dialogs with text fields of their own handle their keys themselves.
    let view = &app.view;
    if view.choosing_label.is_some()
        || view.palette.is_some()
        || view.export.is_some()
        || view.dismissing.is_some()
        || view.taking_back.is_some()
    {
        return;
    }
    // By the time that Escape is seen here, egui has already taken the keyboard from the field: this Escape ends the
    // typing, and clears neither the search nor the selection.
    let ended = app.view.typing && !typing && ctx.input(|input| input.key_pressed(Key::Escape));
    app.view.typing = typing;
    if typing || ended {
        return;
    }
    if app.view.question.is_some() {
        for (key, command) in [(Key::Enter, Command::Confirm), (Key::Escape, Command::Escape)] {
            if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
                app.send(command);
            }
        }
        return;
    }
    let pressed: Vec<KeyboardShortcut> = ctx.input(|input| {
        input
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Key { key, pressed: true, modifiers, .. } => {
                    Some(KeyboardShortcut::new(*modifiers, *key))
                }
                _ => None,
            })
            .collect()
    });
    if pressed.is_empty() {
        return;
    }
    let mut hit = false;
    for press in pressed {
        let found = app.keys.iter().find(|(_, keys)| keys.iter().any(|wanted| is_same(&press, wanted)));
        // A button that a screen reader has focused is pressed by Enter and Space: those are not ours then.
        let for_button = focused.is_some() && matches!(press.logical_key, Key::Enter | Key::Space);
        if let Some((binding, _)) = found.filter(|_| !for_button) {
            app.send((binding.command)());
            hit = true;
        }
    }
    if hit {
        // Tab and arrows are ours here: keep egui from moving the keyboard to some button.
        ctx.memory_mut(|memory| memory.move_focus(egui::FocusDirection::None));
    }
}

/// Whether a key press is the wanted one. On many keyboards `?`, `+` and `/` need Shift: it does not count there.
fn is_same(press: &KeyboardShortcut, wanted: &KeyboardShortcut) -> bool {
    if press.logical_key != wanted.logical_key {
        return false;
    }
    let shifted =
        matches!(wanted.logical_key, Key::Questionmark | Key::Plus | Key::Slash | Key::Minus | Key::Equals);
    let mut pressed = press.modifiers;
    if shifted && !wanted.modifiers.shift {
        pressed.shift = false;
    }
    pressed.matches_exact(wanted.modifiers)
}
