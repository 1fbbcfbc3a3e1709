//! Windows on nothing, on trouble, and on names in every script.

use std::path::Path;

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::model::ChangeKind;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::state::{PictureMode, Queue, View};

use crate::window::{make_pair, open, open_request, picture};

#[test]
fn an_empty_window_says_how_to_begin() {
    let window = open_request(WindowRequest::default());
    for name in ["Drop a dataset here", "Sparrowhawk"] {
        assert!(window.query_by_label(name).is_some(), "{name}");
    }
    assert!(window.query_by_label_contains("Try the demo").is_some());
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(None, Some(&folder.path().join("no-such")), &folder.path().join("r.sparrowhawk"));
    assert!(window.query_all_by_label_contains("no-such").next().is_some());
    assert!(window.state().toasts().iter().any(|toast| toast.is_error));
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let window = open(None, Some(&empty), &folder.path().join("r.sparrowhawk"));
    assert!(window.state().session().target().unwrap().error.is_some());
}

#[test]
fn a_dropped_folder_asks_as_what() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(None, Some(&base), &folder.path().join("r.sparrowhawk"));
    window.state().send(Command::Dropped(vec![contribution.clone()]));
    window.run();
    window.get_by_label_contains("As a contribution to what is open").click();
    window.run();
    assert!(window.state().session().diff().is_some());
    window.state().send(Command::SwapVersions);
    window.run();
    assert_eq!(window.state().session().target().unwrap().place.path, base);
}

#[test]
fn class_names_of_many_scripts_have_glyphs() {
    // The harness fails on any glyph that no font has.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let classes =
        ["straße", "čeština", "γάτα", "собака", "猫与狗", "ネコとイヌ", "고양이", "a “quoted” name — long"];
    for (number, class) in classes.iter().enumerate() {
        picture(&root.join(class).join("1.png"), number as u32);
    }
    let mut window = open(None, Some(&root), &folder.path().join("r.sparrowhawk"));
    for queue in [Queue::Overview, Queue::All] {
        window.state().send(Command::Show(queue));
        window.run();
    }
    for class in classes {
        let known = window.state().classes().iter().any(|name| name.as_ref() == class);
        assert!(known, "{class}");
    }
}

#[test]
fn every_queue_view_and_sheet_draws_in_both_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    std::fs::write(contribution.join("city/broken.png"), b"not a picture").unwrap();
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    let queues = [
        Queue::Overview,
        Queue::All,
        Queue::Map,
        Queue::Changes,
        Queue::SuspiciousLabels,
        Queue::Problems,
        Queue::Decided,
    ];
    for size in [[780.0, 500.0], [1600.0, 1000.0]] {
        window.set_size(size.into());
        for queue in queues {
            for view in [View::Grid, View::SideBySide] {
                window.state().send(Command::Show(queue));
                window.state().send(Command::SetView(view));
                window.run();
            }
        }
        for command in [Command::Help, Command::Escape, Command::Export, Command::Escape] {
            window.state().send(command);
            window.run();
        }
    }
    window.state().send(Command::Show(Queue::Problems));
    window.run();
    let app = window.state();
    assert_eq!(app.rows().iter().map(|item| app.items().key(*item)).collect::<Vec<_>>(), ["city/broken.png"]);
}

#[test]
fn blink_difference_and_similar_look_at_the_sample_under_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    window.state().send(Command::Show(Queue::Changes));
    window.run();
    for command in
        [Command::Blink, Command::Difference, Command::FullScreen, Command::Escape, Command::Escape]
    {
        window.state().send(command);
        window.run();
    }
    window.state().send(Command::FindSimilar);
    window.run();
    let app = window.state();
    assert_eq!(app.view.queue, Queue::Similar);
    assert_eq!(app.items().key(app.rows()[0]), "city/moved.png");
    assert!(app.rows().len() > 5);
}

#[test]
fn a_folder_that_disappears_leaves_a_window_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (_, contribution) = make_pair(folder.path());
    let mut window = open(None, Some(&contribution), &folder.path().join("r.sparrowhawk"));
    let count = window.state().rows().len();
    std::fs::remove_dir_all(Path::new(&contribution)).unwrap();
    window.state().send(Command::Resize(3));
    window.state().send(Command::End(true));
    window.run();
    assert_eq!(window.state().rows().len(), count);
}

#[test]
fn the_details_begin_with_what_the_queue_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    for number in 0..40 {
        picture(&root.join(["beach", "city"][number as usize % 2]).join(format!("{number}.png")), number);
    }
    // Dark, and there twice under two labels: two detectors have something to say of it.
    let dark = image::RgbImage::from_fn(48, 48, |x, y| image::Rgb([(x * y % 13) as u8; 3]));
    dark.save(root.join("beach/dark.png")).unwrap();
    dark.save(root.join("city/dark.png")).unwrap();
    let mut window = open(None, Some(&root), &folder.path().join("r.sparrowhawk"));
    window.set_size([1600.0, 1400.0].into());
    let mut top = |queue: Queue, heading: &str| {
        window.state().send(Command::Show(queue));
        window.run();
        let app = window.state();
        let keys: Vec<&str> = app.rows().iter().map(|item| app.items().key(*item)).collect();
        let at = keys.iter().position(|key| *key == "beach/dark.png");
        let at = app.rows()[at.unwrap_or_else(|| panic!("{queue:?} {keys:?}"))];
        app.send(Command::Focus(at));
        window.run();
        window.get_by_label(heading).rect().top()
    };
    assert!(top(Queue::Problems, "Picture quality") < top(Queue::Problems, "The same picture"));
    assert!(top(Queue::Twins, "Picture quality") > top(Queue::Twins, "The same picture"));
}

#[test]
fn a_window_comes_back_to_where_one_was() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let review = folder.path().join("r.sparrowhawk");
    let mut window = open(Some(&base), Some(&contribution), &review);
    window.state().send(Command::Show(Queue::Changes));
    window.run();
    let last = *window.state().rows().last().unwrap();
    let key = window.state().items().key(last).to_owned();
    window.state().send(Command::Focus(last));
    window.run();
    // Closed, the start page shows what it was, with pictures of it and how far it is.
    window.state().send(Command::Close);
    window.run();
    let recent = window.state().settings.recent[0].clone();
    assert_eq!(recent.target, contribution);
    assert_eq!(recent.previews.len(), 3);
    assert!(recent.previews.iter().all(|path| path.is_file()), "{recent:?}");
    assert_eq!(recent.decided, (0, 4));
    window.get_by_label("base  \u{e06c}  contribution").click();
    window.run();
    assert_eq!(window.state().view.queue, Queue::Changes);
    let cursor = window.state().view.cursor.expect("the cursor is back");
    assert_eq!(window.state().items().key(cursor), key);
}

#[test]
fn everything_can_be_made_larger_and_stand_still() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    window.run();
    assert!((window.ctx.zoom_factor() - 1.1).abs() < 1e-6);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    window.run();
    assert!((window.ctx.zoom_factor() - 1.0).abs() < 1e-6);
    window.state().send(Command::ToggleMotion);
    window.state().send(Command::Show(Queue::Change(ChangeKind::Relabelled)));
    window.run();
    // Nothing blinks by itself: what would, shows the base's picture until the key is pressed again.
    window.key_press_modifiers(Modifiers::SHIFT, Key::B);
    window.run();
    assert_eq!(window.state().view.picture, PictureMode::Counterpart);
}
