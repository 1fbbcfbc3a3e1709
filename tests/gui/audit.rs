//! An audit in the window: a form, a blind list, an estimate that runs along, a second reviewer, and another day.

use std::path::{Path, PathBuf};

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sparrowhawk::audit::{Outcome, Plan, plan_path};
use sparrowhawk::model::Verdict;
use sparrowhawk::ui::app::App;
use sparrowhawk::ui::audit::AuditList;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::items::Item;
use sparrowhawk::ui::state::{Queue, Sort, View};

use crate::window::{make_pair, open, picture};

fn send(window: &mut Harness<'_, App>, command: Command) {
    window.state().send(command);
    window.run();
}

fn press(window: &mut Harness<'_, App>, key: Key) {
    window.key_press(key);
    window.run();
}

/// Thirty-six pictures of three classes.
fn dataset(folder: &Path) -> PathBuf {
    let root = folder.join("data");
    for number in 0..36 {
        let class = ["beach", "city", "forest"][number as usize % 3];
        picture(&root.join(class).join(format!("{number:02}.png")), number);
    }
    root
}

/// A plan for this many samples, by the form.
fn draw(window: &mut Harness<'_, App>, budget: u64, golden: f64) -> Plan {
    send(window, Command::Show(Queue::Audit));
    let form = &mut window.state_mut().view.audit_form;
    (form.by_budget, form.budget, form.golden, form.seed) = (true, budget, golden, 7);
    window.run();
    window.get_by_label("Draw the sample").click();
    window.run();
    let audit = window.state().audit().expect("a plan was made");
    let plan = Plan::read(&audit.path).unwrap().expect("it is on disk");
    assert_eq!(&plan, audit.plan.as_ref());
    plan
}

fn keys(window: &Harness<'_, App>) -> Vec<String> {
    let app = window.state();
    app.rows().iter().map(|item| app.items().key(*item).to_owned()).collect()
}

fn item(window: &Harness<'_, App>, key: &str) -> Item {
    let app = window.state();
    let at = keys(window).iter().position(|known| known == key).unwrap();
    app.rows()[at]
}

#[test]
fn a_sample_is_drawn_looked_at_blindly_and_estimated() {
    let folder = tempfile::tempdir().unwrap();
    let root = dataset(folder.path());
    let review = folder.path().join("decisions.sparrowhawk");
    let mut window = open(None, Some(&root), &review);
    window.get_by_label("Audit").click();
    window.run();
    // The form says what it comes to before anything is drawn.
    assert!(window.query_by_label_contains("planted pictures would escape it").is_some());
    assert!(window.state().audit().is_none() && !plan_path(&review).exists());
    let plan = draw(&mut window, 12, 5.0);
    assert_eq!((plan.samples.len(), plan.golden.len(), plan.seed), (12, 0, 7));
    assert_eq!(plan.strata.iter().map(|stratum| stratum.drawn).collect::<Vec<_>>(), [4, 4, 4]);
    assert!(window.query_by_label("Audit: 12, 12 undecided").is_some());

    window.get_by_label("Begin").click();
    window.run();
    assert!(window.state().view.is_blind());
    let order = keys(&window);
    let expected: Vec<String> =
        plan.in_order().into_iter().map(|place| plan.at(place).0.to_owned()).collect();
    assert_eq!(order, expected);
    // The cursor goes from one to the next; one is wrong, one nobody can tell.
    press(&mut window, Key::Enter);
    assert_eq!(window.state().view.cursor, Some(item(&window, &order[1])));
    press(&mut window, Key::X);
    press(&mut window, Key::U);
    let report = &window.state().audit().unwrap().report;
    assert_eq!((report.right, report.wrong, report.unsure, report.left()), (1, 1, 1, 9));
    assert_eq!(report.stop.outcome, Outcome::Rejected, "{}", report.stop.words);
    // Undo takes it back here too.
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    let report = &window.state().audit().unwrap().report;
    assert_eq!((report.right, report.wrong, report.unsure), (1, 0, 0));
    for key in &order[1..] {
        let here = item(&window, key);
        send(&mut window, Command::Focus(here));
        press(&mut window, Key::Enter);
    }
    window.get_by_label_contains("Results").click();
    window.run();
    let report = &window.state().audit().unwrap().report;
    assert_eq!((report.stop.outcome, report.left()), (Outcome::Accepted, 0), "{}", report.stop.words);
    assert!(window.query_by_label_contains("Done: none of 12 is wrong").is_some());
    assert!(window.query_by_label("Look again").is_some());

    // Another day: plan and verdicts are found again.
    drop(window);
    let mut again = open(None, Some(&root), &review);
    send(&mut again, Command::Show(Queue::Audit));
    assert_eq!(again.state().audit().unwrap().report.right, 12);
    // A new plan keeps the old one under another name, and what was decided before does not count.
    again.get_by_label("New plan…").click();
    again.run();
    let second = draw(&mut again, 30, 0.0);
    assert!(folder.path().join("decisions.audit.1.json").is_file());
    assert_eq!(again.state().audit().unwrap().report.left(), second.samples.len() as u64);
}

#[test]
fn blind_shows_neither_score_nor_suggestion_nor_change() {
    let folder = tempfile::tempdir().unwrap();
    let (base, contribution) = make_pair(folder.path());
    let mut window = open(Some(&base), Some(&contribution), &folder.path().join("r.sparrowhawk"));
    // Decided before: neither shown nor counted in the audit.
    send(&mut window, Command::Show(Queue::Changes));
    press(&mut window, Key::V);
    let everything = window.state().items().target_len() as u64;
    draw(&mut window, everything, 0.0);
    send(&mut window, Command::ShowAudit(AuditList::Drawn));
    assert_eq!(keys(&window).len() as u64, everything);
    let moved = item(&window, "city/moved.png");
    for view in [View::Grid, View::OneByOne, View::SideBySide] {
        send(&mut window, Command::SetView(view));
        send(&mut window, Command::Focus(moved));
        assert!(
            window.state().items().change(moved).is_some() && window.state().items().ranked(moved).is_some()
        );
        for told in [
            ", relabelled",
            "decided: revert",
            "beach → city",
            "Most alike",
            "Decisions so far",
            "Unchanged since the base",
        ] {
            assert!(window.query_all_by_label_contains(told).next().is_none(), "{view:?} tells {told}");
        }
        assert!(window.query_all_by_label_contains("city/moved.png").next().is_some());
        assert!(window.query_all_by_label_contains("Blind:").next().is_some());
    }
    // No key and no search tells it either.
    for command in [Command::Blink, Command::Difference, Command::AcceptSuggestion, Command::FindSimilar] {
        send(&mut window, command);
        assert!(window.state().view.is_blind());
    }
    window.state_mut().view.sort = Sort::Suspicion;
    let order = keys(&window);
    send(&mut window, Command::Search("change:any".into()));
    assert_eq!(keys(&window), Vec::<String>::new());
    send(&mut window, Command::Search(String::new()));
    assert_eq!(keys(&window), order);
    // Outside of the audit all is shown again.
    send(&mut window, Command::Show(Queue::Changes));
    assert!(window.query_all_by_label_contains("decided: revert").next().is_some());
}

#[test]
fn known_answers_measure_the_reviewer() {
    let folder = tempfile::tempdir().unwrap();
    let root = dataset(folder.path());
    let mut window = open(None, Some(&root), &folder.path().join("r.sparrowhawk"));
    // Somebody decided a part: half of it right, half of it wrong.
    for at in 0..24 {
        let here = window.state().rows()[at];
        send(&mut window, Command::Focus(here));
        press(&mut window, if at % 2 == 0 { Key::Enter } else { Key::X });
    }
    let plan = draw(&mut window, 12, 50.0);
    assert_eq!(plan.golden.len(), 6);
    assert_eq!(plan.golden.iter().filter(|known| known.wrong).count(), 3);
    let drawn: Vec<&str> = plan.samples.iter().map(|sample| sample.key.as_str()).collect();
    assert!(plan.golden.iter().all(|known| !drawn.contains(&known.key.as_str())));
    window.state_mut().settings.reviewer = "ann".into();
    window.run();
    send(&mut window, Command::ShowAudit(AuditList::Drawn));
    assert_eq!(keys(&window).len(), 18);
    // She notices two of the three wrong ones, and keeps all else.
    let noticed: Vec<String> =
        plan.golden.iter().filter(|known| known.wrong).take(2).map(|known| known.key.clone()).collect();
    for key in keys(&window) {
        let here = item(&window, &key);
        send(&mut window, Command::Focus(here));
        press(&mut window, if noticed.contains(&key) { Key::X } else { Key::Enter });
    }
    let report = &window.state().audit().unwrap().report;
    assert_eq!((report.golden.wrong_caught, report.golden.wrong_seen), (2, 3));
    assert_eq!((report.golden.right_kept, report.golden.right_seen), (3, 3));
    // Known answers are not part of the estimate.
    assert_eq!((report.right, report.wrong, report.reviewers.len()), (12, 0, 1));
    send(&mut window, Command::Show(Queue::Audit));
    assert!(window.query_by_label_contains("noticed 2 of 3 known wrong").is_some());
}

#[test]
fn two_reviewers_agree_or_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let root = dataset(folder.path());
    let review = folder.path().join("r.sparrowhawk");
    let mut window = open(None, Some(&root), &review);
    let plan = draw(&mut window, 12, 0.0);
    let order: Vec<String> = plan.in_order().into_iter().map(|place| plan.at(place).0.to_owned()).collect();
    for (reviewer, wrong) in [("ann", [0, 1, 2]), ("bob", [1, 2, 3])] {
        window.state_mut().settings.reviewer = reviewer.into();
        window.run();
        send(&mut window, Command::ShowAudit(AuditList::Drawn));
        // Nothing of what the other said is shown to this one.
        assert!(window.query_all_by_label_contains("decided:").next().is_none(), "{reviewer}");
        assert_eq!(window.state().audit().unwrap().count().undecided, 12);
        for (at, key) in order.iter().enumerate() {
            let here = item(&window, key);
            send(&mut window, Command::Focus(here));
            press(&mut window, if wrong.contains(&at) { Key::X } else { Key::Enter });
        }
    }
    let report = window.state().audit().unwrap().report.clone();
    let agreement = report.agreement.expect("both decided");
    assert_eq!(agreement.reviewers, ["ann", "bob"]);
    assert_eq!((agreement.common, agreement.table), (12, [2, 1, 1, 8]));
    // po = 10/12, pe = (3·3 + 9·9)/144: kappa = 5/9.
    assert!((agreement.kappa.kappa.unwrap() - 5.0 / 9.0).abs() < 1e-12, "{agreement:?}");
    send(&mut window, Command::Show(Queue::Audit));
    window.get_by_label("Disagreements: 2").click();
    window.run();
    let mut disputed = vec![order[0].clone(), order[3].clone()];
    disputed.sort();
    let mut listed = keys(&window);
    listed.sort();
    assert_eq!(listed, disputed);
    assert!(!window.state().view.is_blind());
    // One of them changes her mind: settled.
    window.state_mut().settings.reviewer = "ann".into();
    let here = item(&window, &order[0]);
    send(&mut window, Command::Focus(here));
    press(&mut window, Key::Enter);
    assert_eq!(window.state().audit().unwrap().report.disputed.len(), 1);
    let verdict =
        window.state().review().unwrap().corrections().into_iter().find(|c| c.subject.key == order[0]);
    assert_eq!(verdict.unwrap().verdict, Verdict::Keep);
}

#[test]
fn a_plan_that_does_not_fit_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = dataset(folder.path());
    let review = folder.path().join("r.sparrowhawk");
    let mut window = open(None, Some(&root), &review);
    let plan = draw(&mut window, 12, 0.0);
    drop(window);
    // A drawn picture becomes another.
    picture(&root.join(plan.at(0).0), 999);
    let mut window = open(None, Some(&root), &review);
    send(&mut window, Command::Show(Queue::Audit));
    assert!(window.query_by_label_contains("1 of the drawn samples are not in it").is_some());
    send(&mut window, Command::ShowAudit(AuditList::Drawn));
    assert_eq!(keys(&window).len(), 11);
    drop(window);
    // What is no plan is no crash.
    std::fs::write(plan_path(&review), b"{\"schema\":1,\"samples\":[").unwrap();
    let mut window = open(None, Some(&root), &review);
    assert!(
        window
            .state()
            .toasts()
            .iter()
            .any(|toast| toast.is_error && toast.text.contains("not an audit plan"))
    );
    send(&mut window, Command::Show(Queue::Audit));
    assert!(window.query_by_label("Draw the sample").is_some());
}

#[test]
fn the_page_draws_in_both_sizes_and_typing_a_number_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = dataset(folder.path());
    let mut window = open(None, Some(&root), &folder.path().join("r.sparrowhawk"));
    for size in [[780.0, 500.0], [1600.0, 1000.0]] {
        window.set_size(size.into());
        send(&mut window, Command::Show(Queue::Audit));
    }
    window.get_by_label("Rate to be noticed").click();
    window.run();
    window.key_press(Key::Num5);
    window.run();
    assert!(window.state().toasts().is_empty());
    draw(&mut window, 12, 5.0);
    for size in [[780.0, 500.0], [1600.0, 1000.0]] {
        window.set_size(size.into());
        for list in [AuditList::Drawn, AuditList::Disputed] {
            send(&mut window, Command::ShowAudit(list));
        }
        send(&mut window, Command::Show(Queue::Audit));
    }
}
