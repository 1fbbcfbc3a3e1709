//! The map: it is laid out, coloured, filtered, pointed at and drawn around.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Event, Modifiers, PointerButton, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sparrowhawk::cli::WindowRequest;
use sparrowhawk::feature::Cache;
use sparrowhawk::model::ChangeKind;
use sparrowhawk::source::Place;
use sparrowhawk::task::Pool;
use sparrowhawk::ui::app::{App, Startup};
use sparrowhawk::ui::command::{Command, Keys};
use sparrowhawk::ui::items::Item;
use sparrowhawk::ui::map::points::Frame;
use sparrowhawk::ui::map::{ColorBy, Stage};
use sparrowhawk::ui::settings::Settings;
use sparrowhawk::ui::state::Queue;

use crate::window::{make_pair, open};

/// Where the points of the map are on the screen, with the sample of each.
fn points(window: &Harness<'_, App>) -> Vec<(Item, Pos2)> {
    let area: Rect = window.get_by_label_contains("Map of ").rect();
    let map = &window.state().view.map;
    let places = window.state().map().places();
    let frame = Frame::new(&places.xy, area, map.zoom(), map.offset);
    places.items.iter().zip(places.xy.iter()).map(|(item, xy)| (*item, frame.to_screen(*xy))).collect()
}

fn send(window: &mut Harness<'_, App>, command: Command) {
    window.state().send(command);
    window.run();
}

/// Presses at the first place, moves over all, and lets go at the last, with these keys held all the time.
fn drag(window: &mut Harness<'_, App>, modifiers: Modifiers, along: &[Pos2]) {
    let press =
        |pos: Pos2, pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
    let (first, last) = (along[0], along[along.len() - 1]);
    let moves = along[1..].iter().map(|at| Event::PointerMoved(*at));
    let start = [Event::ModifiersChanged(modifiers), Event::PointerMoved(first), press(first, true)];
    let end = [press(last, false), Event::ModifiersChanged(Modifiers::NONE)];
    for event in start.into_iter().chain(moves).chain(end) {
        window.event(event);
        window.step();
    }
    window.run();
}

#[test]
fn every_picture_of_both_versions_has_one_place_each_time_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    std::fs::write(contribution.join("city/broken.png"), b"not a picture").unwrap();
    let mut places = Vec::new();
    for number in 0..2 {
        let review = folder.path().join(format!("{number}.sparrowhawk"));
        let mut window = open(Some(&base), Some(&contribution), &review);
        assert_eq!(*window.state().map().stage(), Stage::Waiting, "nobody has asked for it");
        window.get_by_label("Map").click();
        window.run();
        let app = window.state();
        assert_eq!(*app.map().stage(), Stage::Done);
        // 25 that can be read, and the one that only the base has.
        assert_eq!(app.map().places().items.len(), 26);
        assert_eq!(app.map().left_out(), 1);
        assert_eq!(app.rows().len(), 26);
        places.push(app.map().places().xy.clone());
    }
    assert_eq!(places[0], places[1]);
}

#[test]
fn the_legend_filters_and_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Map));
    // The class "nsfw": 7 that stayed, 2 new, 1 of the base.
    window.get_by_label("nsfw: 10").click();
    window.run();
    assert_eq!(window.state().view.class_filter.as_deref(), Some("nsfw"));
    assert_eq!((window.state().view.queue, window.state().rows().len()), (Queue::Map, 10));
    window.get_by_label("nsfw: 10").click();
    window.run();
    assert_eq!(window.state().rows().len(), 26);

    window.get_by_label("Colour by change").click();
    window.run();
    window.get_by_label("Added: 2").click();
    window.run();
    assert_eq!(window.state().view.search, "change:added");
    assert_eq!(window.state().rows().len(), 2);
    window.get_by_label("Relabelled: 1").click();
    window.run();
    assert_eq!(window.state().view.search, "change:relabelled");
    window.get_by_label("Relabelled: 1").click();
    window.run();
    assert_eq!(window.state().rows().len(), 26);

    for by in ["suspicion", "decision", "label"] {
        window.get_by_label(&format!("Colour by {by}")).click();
        window.run();
    }
    assert_eq!(window.state().view.map.color_by, ColorBy::Label);
}

#[test]
fn pointing_shows_the_picture_and_a_click_puts_the_cursor_there() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Map));
    let (item, at) = *points(&window)
        .iter()
        .find(|(item, _)| {
            let change = window.state().items().change(*item);
            change.is_some_and(|change| change.kind == ChangeKind::Relabelled)
        })
        .expect("one was relabelled");
    window.hover_at(at);
    window.run();
    assert_eq!(window.query_all_by_label("city/moved.png").count(), 1, "the key stands beside the pointer");
    drag(&mut window, Modifiers::NONE, &[at]);
    assert_eq!(window.state().view.cursor, Some(item));
    send(&mut window, Command::FindSimilar);
    assert_eq!(window.state().view.queue, Queue::Similar);
    assert_eq!(window.state().rows()[0], item);

    // The sample that only the base has is like others of the contribution.
    send(&mut window, Command::Show(Queue::Map));
    let base_only = points(&window).into_iter().find(|(item, _)| item.0 >= 26);
    let (item, at) = base_only.expect("one was removed");
    drag(&mut window, Modifiers::NONE, &[at]);
    assert_eq!(window.state().view.cursor, Some(item));
    send(&mut window, Command::FindSimilar);
    assert_eq!(window.state().view.queue, Queue::Similar);
    assert!(window.state().rows().len() > 5);
}

#[test]
fn what_is_drawn_around_is_selected_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Map));
    let all = points(&window);
    // A box around the left half of the points.
    let mut across: Vec<f32> = all.iter().map(|(_, at)| at.x).collect();
    across.sort_by(f32::total_cmp);
    let right = f32::midpoint(across[12], across[13]);
    let low = all.iter().map(|(_, at)| at.y).fold(f32::INFINITY, f32::min) - 12.0;
    let high = all.iter().map(|(_, at)| at.y).fold(0.0, f32::max) + 12.0;
    let left = across[0] - 12.0;
    let corners = [(left, high), (left, low), (right, low), (right, high)].map(Pos2::from);
    let before = window.state().view.map.offset;
    drag(&mut window, Modifiers::SHIFT, &corners);
    let mut expected: Vec<Item> = all.iter().filter(|(_, at)| at.x < right).map(|(item, _)| *item).collect();
    expected.sort();
    assert_eq!(window.state().view.selection.iter().collect::<Vec<_>>(), expected);
    assert_eq!(window.state().view.map.offset, before, "the map has not moved");
    window.get_by_label_contains("Show these 13 in the gallery").click();
    window.run();
    assert_eq!(window.state().view.queue, Queue::Chosen);
    assert_eq!(window.state().rows(), expected);

    // Without Shift a drag moves the map, unless the tool is on.
    send(&mut window, Command::Show(Queue::Map));
    drag(&mut window, Modifiers::NONE, &corners);
    assert_ne!(window.state().view.map.offset, before);
    send(&mut window, Command::FitMap);
    window.get_by_label("Select by drawing around samples").click();
    window.run();
    drag(&mut window, Modifiers::NONE, &corners);
    assert_eq!(window.state().view.selection.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn scrolling_zooms_towards_the_pointer() {
    let folder = tempfile::tempdir().unwrap();
    let (_, contribution) = make_pair(folder.path());
    let mut window = open(None, Some(&contribution), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Map));
    let (item, before) = points(&window)[3];
    window.hover_at(before);
    window.event(Event::MouseWheel {
        unit: eframe::egui::MouseWheelUnit::Point,
        delta: eframe::egui::vec2(0.0, 200.0),
        phase: eframe::egui::TouchPhase::Move,
        source: eframe::egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    window.run();
    assert!(window.state().view.map.zoom() > 1.5, "{}", window.state().view.map.zoom());
    let after = points(&window).into_iter().find(|(other, _)| *other == item).unwrap().1;
    assert!(after.distance(before) < 1.0, "{before} {after}");
    // One version alone has no changes to colour by.
    assert!(window.query_by_label("Colour by change").is_none());
}

/// Steps until something holds.
fn wait(window: &mut Harness<'_, App>, what: &str, holds: impl Fn(&App) -> bool) {
    let start = Instant::now();
    while !holds(window.state()) {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() < Duration::from_mins(2), "{what}");
    }
}

#[test]
fn a_cancelled_map_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_, contribution) = make_pair(folder.path());
    let request = WindowRequest {
        contribution: Some(Place { path: contribution, ..Place::default() }),
        review: Some(folder.path().join("r.sparrowhawk")),
        ..WindowRequest::default()
    };
    let mut window = Harness::builder().with_size([1280.0, 800.0]).build_eframe(move |creation| {
        let startup = Startup {
            request,
            pool: Pool::threads(|| ()),
            cache: Arc::new(Cache::none()),
            settings: Settings::default(),
            keys: Keys::default(),
            messages: Vec::new(),
        };
        App::new(&creation.egui_ctx, startup)
    });
    wait(&mut window, "the pictures are read", |app| !app.session().is_busy() && !app.items().is_empty());
    window.state().send(Command::Show(Queue::Map));
    window.step();
    // The next frame begins the map and cancels it before the worker can have ended.
    window.state().send(Command::CancelWork);
    window.step();
    wait(&mut window, "the worker ends", |app| !app.map().is_busy());
    assert_eq!(*window.state().map().stage(), Stage::Cancelled);
    window.step();
    window.get_by_label_contains("Go on").click();
    wait(&mut window, "the map is done", |app| *app.map().stage() == Stage::Done);
    assert_eq!(window.state().map().places().items.len(), 25);
}
