//! Five hundred decisions by key, one after the other: none is lost, none is about another sample.

use std::collections::HashMap;

use eframe::egui::Key;
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::model::Verdict;
use sparrowhawk::review::Review;
use sparrowhawk::source::Place;
use sparrowhawk::task::Pool;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::state::Queue;

use crate::common::shared_data;
use crate::window::open_with;

#[test]
fn five_hundred_decisions_by_key_are_all_on_disk() {
    let Some(data) = shared_data("clothing/base") else { return };
    let folder = tempfile::tempdir().unwrap();
    let review = folder.path().join("r.sparrowhawk");
    let request = WindowRequest {
        contribution: Some(Place { path: data, ..Place::default() }),
        review: Some(review.clone()),
        ..WindowRequest::default()
    };
    // Real threads: decoding and the rest go on beside the keys; what is judged does not matter here.
    let mut window = open_with(request, Pool::threads(|| {}));
    let mut hashed = false;
    for _ in 0..6000 {
        window.step();
        let session = window.state().session();
        hashed = session.target().is_some_and(|slot| slot.fingerprints.is_some());
        if hashed {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(hashed, "the files were not read within a minute");
    window.state().send(Command::CancelWork);
    window.state().send(Command::Show(Queue::All));
    window.step();
    window.step();
    let mut expected: HashMap<String, Verdict> = HashMap::new();
    for at in 0..500 {
        let app = window.state();
        let cursor = app.view.cursor.expect("the cursor is on a sample");
        let key = app.items().key(cursor).to_owned();
        let own = app.items().label(cursor).map(str::to_owned);
        let (press, verdict) = match at % 4 {
            0 => (Key::Enter, Verdict::Keep),
            1 => (Key::X, Verdict::Exclude),
            2 => (Key::U, Verdict::Unsure),
            _ => {
                let second = app.classes()[1].to_string();
                // A relabelling to the label that it has says that the label is right.
                let same = own.as_deref() == Some(second.as_str());
                (Key::Num2, if same { Verdict::Keep } else { Verdict::Relabel(second) })
            }
        };
        assert!(expected.insert(key, verdict).is_none(), "the cursor moved on to an undecided sample");
        window.key_press(press);
        window.step();
    }
    drop(window);
    let read = Review::read(&review).unwrap();
    let found: HashMap<String, Verdict> =
        read.corrections().into_iter().map(|c| (c.subject.key, c.verdict)).collect();
    assert_eq!(found.len(), 500);
    assert_eq!(found, expected);
    assert_eq!(read.verify_chain().unwrap(), 500);
}
