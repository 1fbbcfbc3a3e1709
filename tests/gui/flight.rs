//! The whole main job: open, filter, select, decide by key, undo, export, open again.

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sparrowhawk::model::{ChangeKind, Verdict};
use sparrowhawk::ui::app::App;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::state::Queue;

use crate::window::{make_pair, open};

fn press(harness: &mut Harness<'_, App>, key: Key) {
    harness.key_press(key);
    harness.run();
}

fn press_with(harness: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

fn send(harness: &mut Harness<'_, App>, command: Command) {
    harness.state().send(command);
    harness.run();
}

fn keys_in_view(harness: &Harness<'_, App>) -> Vec<String> {
    let app = harness.state();
    app.rows().iter().map(|item| app.items().key(*item).to_owned()).collect()
}

fn verdict_of(harness: &Harness<'_, App>, key: &str) -> Option<Verdict> {
    let review = harness.state().review().expect("a review is open");
    review.corrections().into_iter().find(|c| c.subject.key == key).map(|c| c.verdict)
}

#[test]
fn a_pair_is_compared_decided_undone_exported_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let review = folder.path().join("decisions.sparrowhawk");
    let mut window = open(Some(&base), Some(&contribution), &review);

    // The overview names what changed; a click on a queue lists it.
    let diff = window.state().session().diff().expect("compared").clone();
    let count = |kind| diff.count(kind);
    assert_eq!(
        (count(ChangeKind::Relabelled), count(ChangeKind::Added), count(ChangeKind::Removed)),
        (1, 2, 1)
    );
    window.get_by_label("Relabelled: 1, 1 undecided").click();
    window.run();
    assert_eq!(keys_in_view(&window), ["city/moved.png"]);

    // Moving never decides.
    for key in [Key::ArrowRight, Key::ArrowDown, Key::ArrowLeft, Key::ArrowUp, Key::Tab] {
        press(&mut window, key);
    }
    assert_eq!(window.state().review().unwrap().decided(), 0);

    // One key decides; the first class in the list is beach.
    press(&mut window, Key::Num1);
    assert_eq!(verdict_of(&window, "city/moved.png"), Some(Verdict::Relabel("beach".into())));
    press_with(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(verdict_of(&window, "city/moved.png"), None);
    press_with(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(verdict_of(&window, "city/moved.png"), Some(Verdict::Relabel("beach".into())));
    press(&mut window, Key::V);
    assert_eq!(verdict_of(&window, "city/moved.png"), Some(Verdict::Revert));

    // A decision for many asks first, and is one step.
    window.get_by_label("Added: 2, 2 undecided").click();
    window.run();
    press_with(&mut window, Modifiers::COMMAND, Key::A);
    press(&mut window, Key::X);
    assert_eq!(window.state().review().unwrap().decided(), 1, "asked, not done");
    assert!(window.query_by_label("Exclude 2 samples?").is_some());
    press(&mut window, Key::Enter);
    assert_eq!(window.state().review().unwrap().decided(), 3);
    press_with(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().review().unwrap().decided(), 1);
    press_with(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(window.state().review().unwrap().decided(), 3);

    // Export, through the dialog.
    let exported = folder.path().join("corrections.csv");
    press_with(&mut window, Modifiers::COMMAND, Key::E);
    let dialog = window.state_mut().view.export.as_mut().expect("the dialog is open");
    assert_eq!(dialog.format, "patch");
    dialog.format = "csv";
    dialog.path = exported.to_string_lossy().into_owned();
    window.run();
    window.get_by_label("Export").click();
    window.run();
    let text = std::fs::read_to_string(&exported).unwrap();
    assert_eq!(text.lines().count(), 1 + 3, "{text}");
    assert!(text.contains("city/moved.png") && text.contains("revert"), "{text}");

    // Another window on the same review finds everything, and can still undo.
    drop(window);
    let mut again = open(Some(&base), Some(&contribution), &review);
    assert_eq!(again.state().review().unwrap().decided(), 3);
    press_with(&mut again, Modifiers::COMMAND, Key::Z);
    assert_eq!(again.state().review().unwrap().decided(), 1);
}

#[test]
fn search_filters_and_says_where_it_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    press(&mut window, Key::Slash);
    window.get_by_label("Search samples").type_text("label:nsfw change:added");
    window.run();
    assert_eq!(keys_in_view(&window), ["nsfw/new-0.png", "nsfw/new-1.png"]);
    // While the keyboard is in the field, keys type and decide nothing.
    assert_eq!(window.state().review().unwrap().decided(), 0);
    send(&mut window, Command::Search("colour:red".into()));
    let error = window.state().view.query.clone().expect_err("no such field");
    assert_eq!(error.range, 0..6, "{error}");
    assert_eq!(keys_in_view(&window).len(), 2, "the rows of the last good query stay");
}

#[test]
fn clicks_select_with_shift_and_control() {
    let folder = tempfile::tempdir().unwrap();
    let (_, contribution) = make_pair(folder.path());
    let mut window = open(None, Some(&contribution), &folder.path().join("r.sparrowhawk"));
    assert_eq!(window.state().view.queue, Queue::All);
    window.get_by_label("beach, beach/2.png").click();
    window.run();
    press_with(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    press_with(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    assert_eq!(window.state().view.selection.len(), 3);
    press(&mut window, Key::Escape);
    assert_eq!(window.state().view.selection.len(), 1);
    press_with(&mut window, Modifiers::COMMAND, Key::A);
    assert_eq!(window.state().view.selection.len(), window.state().rows().len());
}

#[test]
fn a_class_is_chosen_by_typing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, contribution) = make_pair(folder.path());
    let mut window = open(None, Some(&contribution), &folder.path().join("r.sparrowhawk"));
    press(&mut window, Key::R);
    window.get_by_label("Type a class").type_text("ns");
    window.run();
    press(&mut window, Key::Enter);
    assert_eq!(verdict_of(&window, "beach/1.png"), Some(Verdict::Relabel("nsfw".into())));
    // The cursor has moved on to the next undecided sample.
    let app = window.state();
    assert_eq!(app.items().key(app.view.cursor.unwrap()), "beach/2.png");
}

#[test]
fn a_removed_sample_can_be_brought_back_but_not_relabelled() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Change(ChangeKind::Removed)));
    press(&mut window, Key::X);
    assert_eq!(window.state().review().unwrap().decided(), 0);
    assert!(window.state().toasts().iter().any(|toast| toast.is_error));
    press(&mut window, Key::V);
    assert_eq!(verdict_of(&window, "nsfw/7.png"), Some(Verdict::Revert));
}
