//! Each queue does what it is for: clusters, duplicates, image problems, pairs, history, commands by typing.

use std::path::{Path, PathBuf};

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::{Rgb, RgbImage};
use sparrowhawk::detect::image_problem::ImageProblem;
use sparrowhawk::model::{ChangeKind, Verdict};
use sparrowhawk::ui::app::App;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::state::{PictureMode, ProblemFilter, Queue, Sort, View};

use crate::common::landscapes::{landscape, mark};
use crate::window::{make_pair, open};

fn press(window: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run();
}

fn tap(window: &mut Harness<'_, App>, key: Key) {
    press(window, Modifiers::NONE, key);
}

fn send(window: &mut Harness<'_, App>, command: Command) {
    window.state().send(command);
    window.run();
}

fn keys_in_view(window: &Harness<'_, App>) -> Vec<String> {
    let app = window.state();
    app.rows().iter().map(|item| app.items().key(*item).to_owned()).collect()
}

fn verdicts(window: &Harness<'_, App>) -> Vec<(String, Verdict)> {
    let review = window.state().review().expect("a review is open");
    review.corrections().into_iter().map(|c| (c.subject.key, c.verdict)).collect()
}

fn save(picture: &RgbImage, folder: &Path, name: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

/// Base: sixty landscapes in three classes. Contribution: nine copies of them with one mark under the label hill, five
/// edited at one place, a dark picture, and one that is there twice under two labels.
fn marked(folder: &Path) -> (PathBuf, PathBuf) {
    let (base, fork) = (folder.join("base"), folder.join("contribution"));
    for at in 0..60 {
        let picture = landscape(at, 48);
        let name = format!("{}/{at:03}.png", ["hill", "lake", "wood"][at as usize % 3]);
        save(&picture, &base, &name);
        let mut own = picture;
        if (50..55).contains(&at) {
            for (x, y) in (0..100).map(|place| (30 + place % 10, 6 + place / 10)) {
                own.put_pixel(x, y, Rgb([240, 240 - 20 * (at as u8 - 50), 20]));
            }
        }
        save(&own, &fork, &name);
    }
    save(&RgbImage::from_fn(48, 48, |x, y| Rgb([(x % 9) as u8, (y % 7) as u8, 3])), &fork, "lake/dark.png");
    for at in 0..9 {
        let mut picture = landscape(at * 3 + 1 + at % 2, 48);
        mark(&mut picture, 2 + at * 4 % 33, 30 - at * 3);
        save(&picture, &fork, &format!("hill/odd{at}.png"));
    }
    for label in ["lake", "wood"] {
        save(&landscape(500, 48), &fork, &format!("{label}/twice.png"));
    }
    (base, fork)
}

#[test]
fn a_shared_mark_is_shown_dismissed_remembered_and_decided_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = marked(folder.path());
    let review = folder.path().join("r.sparrowhawk");
    let mut window = open(Some(&base), Some(&fork), &review);
    send(&mut window, Command::Show(Queue::Triggers));
    let clusters = window.state().items().scan.as_ref().expect("scanned").clusters.clone();
    let [cluster] = &clusters[..] else { panic!("{clusters:?}") };
    // The nine, and what else resembles them.
    let all = cluster.members.len();
    assert!((9..15).contains(&all), "{all}");
    assert!(window.query_by_label_contains("averaged").is_some());
    assert_eq!(keys_in_view(&window).len(), all);

    // Not a trigger: asked why, listed no more, and the labels stay undecided.
    window.get_by_label_contains("Not a trigger…").click();
    window.run();
    window.get_by_label("Reason").type_text("our own watermark");
    window.run();
    tap(&mut window, Key::Enter);
    assert_eq!(keys_in_view(&window), Vec::<String>::new());
    assert_eq!(window.state().review().unwrap().decided(), 0);
    assert!(window.query_by_label_contains("our own watermark").is_some());

    // Remembered by the next window, and taken back from there.
    drop(window);
    let mut window = open(Some(&base), Some(&fork), &review);
    send(&mut window, Command::Show(Queue::Triggers));
    assert_eq!(keys_in_view(&window), Vec::<String>::new());
    window.get_by_label_contains("A trigger after all").click();
    window.run();
    assert_eq!(keys_in_view(&window).len(), all);

    // For all members: asks with the count, is one step.
    send(&mut window, Command::DecideCluster(0, Verdict::Exclude));
    assert!(window.query_by_label(&format!("Exclude {all} samples?")).is_some());
    tap(&mut window, Key::Enter);
    assert_eq!(window.state().review().unwrap().decided(), all);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().review().unwrap().decided(), 0);

    // From the history such a step is taken back as a whole, and only after it was asked.
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    send(&mut window, Command::DecideCluster(0, Verdict::Exclude));
    tap(&mut window, Key::Enter);
    send(&mut window, Command::Show(Queue::History));
    let decided = window.state().review().unwrap().log().last().unwrap().decision.clone();
    window.get_by_label(&format!("Take back: {}", decided.subject.key)).click();
    window.run();
    assert_eq!(window.state().view.taking_back, Some((decided.step, all)));
    assert_eq!(window.state().review().unwrap().decided(), all, "asked, not done");
    tap(&mut window, Key::Enter);
    assert_eq!(window.state().review().unwrap().decided(), 0);
}

#[test]
fn edited_pictures_are_compared_and_their_changes_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = marked(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    let map = window.state().session().edit_map().expect("five pictures were edited").clone();
    // The five, and a copy with a mark that has taken the place of its original.
    assert!(map.pictures == map.edited && (5..8).contains(&map.edited), "{map:?}");
    assert!(map.half_within < 0.05, "{}", map.half_within);
    assert!(window.query_by_label("Map of where pictures were edited").is_some());

    send(&mut window, Command::Show(Queue::Change(ChangeKind::Edited)));
    press(&mut window, Modifiers::COMMAND, Key::Num3);
    assert_eq!(window.state().view.view, View::OneByOne);
    for (key, modifiers, mode, said) in [
        (Key::P, Modifiers::NONE, PictureMode::Both, "beside the base"),
        (Key::W, Modifiers::NONE, PictureMode::Swipe, "over the base"),
        (Key::D, Modifiers::NONE, PictureMode::Difference, "difference to the base"),
    ] {
        press(&mut window, modifiers, key);
        assert_eq!(window.state().view.picture, mode);
        assert!(window.query_by_label_contains(said).is_some(), "{said}");
    }
    // Stronger twice, weaker once; and the next pair is shown in the same way.
    for key in [Key::CloseBracket, Key::CloseBracket, Key::OpenBracket] {
        tap(&mut window, key);
    }
    assert_eq!(window.state().view.gain, 8);
    let before = window.state().view.cursor;
    tap(&mut window, Key::ArrowRight);
    assert_ne!(window.state().view.cursor, before);
    assert_eq!(window.state().view.picture, PictureMode::Difference);
    // The base's picture in the same place is a glance: it ends with the next sample.
    tap(&mut window, Key::B);
    assert_eq!(window.state().view.picture, PictureMode::Counterpart);
    tap(&mut window, Key::ArrowRight);
    assert_eq!(window.state().view.picture, PictureMode::Plain);
    window.key_press_modifiers(Modifiers::SHIFT, Key::B);
    // Blinking goes on and on, so there is no last frame to run to.
    window.run_steps(3);
    assert_eq!(window.state().view.picture, PictureMode::Blink);
}

#[test]
fn one_of_several_copies_is_kept_with_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = marked(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Twins));
    let keys = keys_in_view(&window);
    assert!(keys.contains(&"lake/twice.png".to_owned()) && keys.contains(&"wood/twice.png".to_owned()));
    assert!(window.query_all_by_label_contains("labels differ").next().is_some());
    let wood = window
        .state()
        .rows()
        .iter()
        .copied()
        .find(|item| window.state().items().key(*item) == "wood/twice.png");
    send(&mut window, Command::Focus(wood.unwrap()));
    tap(&mut window, Key::K);
    let expected = [("lake/twice.png", Verdict::Exclude), ("wood/twice.png", Verdict::Keep)];
    assert_eq!(verdicts(&window), expected.map(|(key, verdict)| (key.to_owned(), verdict)));
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(verdicts(&window), []);
}

#[test]
fn the_threshold_of_a_problem_can_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = marked(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Problems));
    window.get_by_label("Problem: dark").click();
    window.run();
    assert_eq!(keys_in_view(&window), ["lake/dark.png"]);
    assert!(window.query_by_label_contains("Histogram of dark").is_some());
    send(&mut window, Command::FilterProblems(Some(ProblemFilter::Below(ImageProblem::Dark, 1.0))));
    assert!(keys_in_view(&window).len() > 40);
    assert_eq!(keys_in_view(&window)[0], "lake/dark.png", "the darkest first");
    window.get_by_label("Problem: New or changed").click();
    window.run();
    assert!(keys_in_view(&window).len() < 40);
}

#[test]
fn an_old_step_is_taken_back_from_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Changes));
    let keys = keys_in_view(&window);
    for key in [Key::Enter, Key::U, Key::Enter] {
        tap(&mut window, key);
    }
    press(&mut window, Modifiers::COMMAND, Key::H);
    assert_eq!(window.state().view.history.lines, [2, 1, 0]);
    window.get_by_label("Filter the history").click();
    window.run();
    window.get_by_label("Filter the history").type_text("UNSURE");
    window.run();
    assert_eq!(window.state().view.history.lines, [1]);
    window.get_by_label(&format!("Take back: {}", keys[1])).click();
    window.run();
    let mut left: Vec<String> = verdicts(&window).into_iter().map(|(key, _)| key).collect();
    let mut expected = vec![keys[0].clone(), keys[2].clone()];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    // That was a step as well: undo brings the old one back.
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(verdicts(&window).len(), 3);
}

#[test]
fn two_reviewers_are_compared_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let theirs = folder.path().join("theirs.sparrowhawk");
    let mut other = open(Some(&base), Some(&fork), &theirs);
    send(&mut other, Command::Show(Queue::Changes));
    for key in [Key::Enter, Key::U, Key::V] {
        tap(&mut other, key);
    }
    drop(other);
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("ours.sparrowhawk"));
    send(&mut window, Command::Show(Queue::Changes));
    let keys = keys_in_view(&window);
    for key in [Key::Enter, Key::Enter] {
        tap(&mut window, key);
    }
    send(&mut window, Command::CompareWith(theirs.clone()));
    assert!(
        window.query_by_label_contains("1 the same · 1 different · 0 only here · 1 only there").is_some()
    );
    window.get_by_label("Take over 1").click();
    window.run();
    assert!(window.query_by_label_contains("2 the same · 1 different").is_some());
    window.get_by_label("Show 1 conflicts").click();
    window.run();
    assert_eq!(keys_in_view(&window), [keys[1].clone()]);
    tap(&mut window, Key::T);
    let taken = verdicts(&window).into_iter().find(|(key, _)| *key == keys[1]);
    assert_eq!(taken.unwrap().1, Verdict::Unsure);
    let log = window.state().review().unwrap().log();
    assert!(log.last().unwrap().decision.note.contains("tester"), "whose it was");
    // A file that is no review says so.
    std::fs::write(folder.path().join("no.sparrowhawk"), "nothing").unwrap();
    send(&mut window, Command::CompareWith(folder.path().join("no.sparrowhawk")));
    assert!(window.state().toasts().iter().any(|toast| toast.is_error));
}

#[test]
fn a_whole_correction_without_the_mouse() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    // Every command by typing.
    press(&mut window, Modifiers::COMMAND, Key::K);
    window.get_by_label("Type what to do").type_text("show relab");
    window.run();
    tap(&mut window, Key::Enter);
    assert_eq!(window.state().view.queue, Queue::Change(ChangeKind::Relabelled));
    tap(&mut window, Key::R);
    window.get_by_label("Type a class").type_text("bea");
    window.run();
    tap(&mut window, Key::Enter);
    // A search with completion: the first suggestion by Tab, a highlighted one by Enter.
    tap(&mut window, Key::Slash);
    window.get_by_label("Search samples").type_text("cha");
    window.run();
    tap(&mut window, Key::Tab);
    assert_eq!(window.state().view.search, "change:");
    window.get_by_label("Search samples").type_text("add");
    window.run();
    tap(&mut window, Key::ArrowDown);
    tap(&mut window, Key::Enter);
    assert_eq!(window.state().view.search, "change:added");
    tap(&mut window, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::K);
    window.get_by_label("Type what to do").type_text("show all samples");
    window.run();
    tap(&mut window, Key::Enter);
    assert_eq!(keys_in_view(&window), ["nsfw/new-0.png", "nsfw/new-1.png"]);
    press(&mut window, Modifiers::COMMAND, Key::A);
    tap(&mut window, Key::X);
    tap(&mut window, Key::Enter);
    assert_eq!(window.state().review().unwrap().decided(), 3);
    // Out with it, to where the dialog proposes.
    press(&mut window, Modifiers::COMMAND, Key::E);
    let path = PathBuf::from(window.state().view.export.as_ref().expect("the dialog is open").path.clone());
    tap(&mut window, Key::Enter);
    window.run();
    let written = std::fs::read_to_string(&path).expect("exported");
    assert!(written.contains("city/moved.png") && written.contains("nsfw/new-1.png"), "{written}");
}

#[test]
fn searches_are_kept_and_offered_again() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Search("label:nsfw".into()));
    window.get_by_label("Keep this search for later").click();
    window.run();
    assert_eq!(window.state().settings.searches, ["label:nsfw"]);
    send(&mut window, Command::Search(String::new()));
    tap(&mut window, Key::Slash);
    tap(&mut window, Key::Tab);
    assert_eq!(window.state().view.search, "label:nsfw");
    window.get_by_label("Forget this search").click();
    window.run();
    assert!(window.state().settings.searches.is_empty());
}

#[test]
fn class_by_class_lists_the_first_of_each_label_first() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = marked(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    window.state_mut().view.sort = Sort::WithinClass;
    send(&mut window, Command::Show(Queue::All));
    let app = window.state();
    let labels: Vec<&str> = app.rows().iter().take(3).filter_map(|item| app.items().label(*item)).collect();
    let mut sorted = labels.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["hill", "lake", "wood"]);
    let scores: Vec<f64> = app
        .rows()
        .iter()
        .filter(|item| app.items().label(**item) == Some("hill"))
        .map(|item| app.items().ranked(*item).map_or(-1.0, |ranked| ranked.suspicion))
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[test]
fn a_third_and_a_fourth_version_are_aligned_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let third = folder.path().join("third");
    // A picture of the contribution under another name and label; nothing else.
    std::fs::create_dir_all(third.join("city")).unwrap();
    std::fs::copy(fork.join("beach/3.png"), third.join("city/elsewhere.png")).unwrap();
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::AddFurther(third.clone()));
    send(&mut window, Command::AddFurther(base.clone()));
    assert_eq!(window.state().view.view, View::SideBySide);
    let app = window.state();
    let row = app.items().target.as_ref().unwrap().row_of("beach/3.png").unwrap();
    let other = app.session().in_further(0, row).expect("the same picture") as usize;
    let version = app.session().further().next().unwrap().1.version().unwrap().clone();
    assert_eq!((version.key(other), version.label(other)), ("city/elsewhere.png", Some("city")));
    assert_eq!(app.session().in_further(0, row + 1), None);
    assert!(app.session().in_further(1, row).is_some());
    send(&mut window, Command::AddFurther(third));
    assert!(window.state().toasts().iter().any(|toast| toast.text.contains("Four versions")));
    // The first is closed: the second takes its place, with what is known of it.
    send(&mut window, Command::RemoveFurther(0));
    assert!(window.state().session().in_further(0, row).is_some());
    assert_eq!(window.state().session().further().count(), 1);
}

#[test]
fn a_search_from_a_link_ends_with_its_queue_and_a_typed_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (base, fork) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&fork), &folder.path().join("r.sparrowhawk"));
    send(&mut window, Command::Search("label:beach change:added".into()));
    assert_eq!(keys_in_view(&window), Vec::<String>::new());
    send(&mut window, Command::Show(Queue::Changes));
    assert_eq!(keys_in_view(&window).len(), 4);
    tap(&mut window, Key::Slash);
    window.get_by_label("Search samples").type_text("label:nsfw");
    window.run();
    tap(&mut window, Key::Escape);
    send(&mut window, Command::Show(Queue::Change(ChangeKind::Added)));
    assert_eq!(window.state().view.search, "label:nsfw");
    // A field that is not there is a mistake also where it is compared.
    send(&mut window, Command::Search("scor>0.8".into()));
    assert_eq!(window.state().view.query.clone().unwrap_err().range, 0..4);
}
