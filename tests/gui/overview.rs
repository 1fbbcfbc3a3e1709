//! The overview: every plot draws, filters by a click, and can be saved as a picture and as numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{self, ColorImage, Rect, ViewportCommand, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sparrowhawk::ui::app::App;
use sparrowhawk::ui::command::Command;
use sparrowhawk::ui::state::{PlotFile, Queue};

use crate::window::{open, picture};

/// Two splits of two classes; the contribution moves one sample and adds a larger one.
fn make_splits(folder: &Path) -> (PathBuf, PathBuf) {
    let (base, contribution) = (folder.join("base"), folder.join("contribution"));
    for (number, split) in [(0_u32, "test"), (1, "train")] {
        for class in 0..2 {
            for sample in 0..(3 + 3 * number) {
                let seed = 1000 * number + 100 * class + sample;
                let name = format!("{}/{seed}.png", ["cat", "dog"][class as usize]);
                picture(&base.join(split).join(&name), seed);
                let moved = seed == 1000;
                picture(&contribution.join(if moved { "test" } else { split }).join(&name), seed);
            }
        }
    }
    let large = image::RgbImage::from_fn(96, 64, |x, y| image::Rgb([(x * y % 251) as u8, x as u8, y as u8]));
    large.save(contribution.join("train/cat/large.png")).unwrap();
    (base, contribution)
}

fn window(folder: &Path) -> Harness<'static, App> {
    let (base, contribution) = make_splits(folder);
    let mut window = open(Some(&base), Some(&contribution), &folder.join("r.sparrowhawk"));
    window.set_size([1400.0, 2600.0].into());
    window.run();
    window
}

fn click_at(window: &mut Harness<'_, App>, at: egui::Pos2) {
    window.hover_at(at);
    window.step();
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        window.step();
    }
    window.run();
}

fn part(rect: Rect, x: f32, y: f32) -> egui::Pos2 {
    rect.min + egui::vec2(rect.width() * x, rect.height() * y)
}

fn csv_of(window: &mut Harness<'_, App>, plot: &'static str, folder: &Path) -> Vec<Vec<String>> {
    let path = folder.join(format!("{plot}.csv"));
    window.state().send(Command::SavePlot(plot, PlotFile::Data, path.clone()));
    window.run();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(&path).unwrap();
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn the_numbers_of_every_plot_can_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    let splits = csv_of(&mut window, "splits", folder.path());
    assert_eq!(splits, [["split", "base", "contribution"], ["test", "6", "7"], ["train", "12", "12"]]);
    let classes = csv_of(&mut window, "classes", folder.path());
    assert_eq!(classes, [["class", "base", "contribution"], ["cat", "9", "10"], ["dog", "9", "9"]]);
    let sizes = csv_of(&mut window, "size", folder.path());
    assert_eq!(sizes[0], ["from", "to", "base", "base_share", "contribution", "contribution_share"]);
    let sum = |column: usize| sizes[1..].iter().map(|line| line[column].parse::<u32>().unwrap()).sum::<u32>();
    assert_eq!((sum(2), sum(4)), (18, 19), "{sizes:?}");
    for (plot, lines) in [("share-change", 3), ("label-flows", 1), ("drift", 6), ("brightness", 21)] {
        assert_eq!(csv_of(&mut window, plot, folder.path()).len(), lines, "{plot}");
    }
    assert!(csv_of(&mut window, "aspect", folder.path()).len() > 2);
    // Every card has its menu, with a name.
    for title in ["Classes", "Change of share", "Splits", "Size", "Aspect", "Brightness", "Drift"] {
        window.get_by_label(&format!("Save “{title}”"));
    }
}

#[test]
fn a_click_on_a_bar_lists_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    // Two lines: the upper one is "test".
    let splits = window.get_by_label("Samples of each split").rect();
    click_at(&mut window, part(splits, 0.3, 0.28));
    assert_eq!(window.state().view.search, "split:test");
    assert_eq!((window.state().view.queue, window.state().rows().len()), (Queue::All, 7));

    for command in [Command::Search(String::new()), Command::Show(Queue::Overview)] {
        window.state().send(command);
        window.run();
    }
    // From 48 to 96 in steps of 2: the last bin is the one large picture's.
    let sizes = window.get_by_label("Size of the pictures").rect();
    click_at(&mut window, part(sizes, 0.975, 0.5));
    assert_eq!(window.state().view.search, "side>=96 side<=98");
    let app = window.state();
    let keys: Vec<&str> = app.rows().iter().map(|item| app.items().key(*item)).collect();
    assert_eq!(keys, ["train/cat/large.png"]);

    window.state().send(Command::Show(Queue::Overview));
    window.run();
    let shares = window.get_by_label("Change of each class's share").rect();
    click_at(&mut window, part(shares, 0.5, 0.3));
    assert_eq!(window.state().view.class_filter.as_deref(), Some("cat"));
}

#[test]
fn the_picture_of_a_plot_is_cut_from_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    // A window in which the plot has to be scrolled to.
    window.set_size([1200.0, 700.0].into());
    window.run();
    let path = folder.path().join("drift.png");
    window.state().send(Command::SavePlot("drift", PlotFile::Picture, path.clone()));
    let mut asked = None;
    for _ in 0..20 {
        window.step();
        let commands = window.output().viewport_output.values().flat_map(|viewport| &viewport.commands);
        asked = commands.into_iter().find_map(|command| match command {
            ViewportCommand::Screenshot(callback) => Some(callback.clone()),
            _ => None,
        });
        if asked.is_some() {
            break;
        }
    }
    // What a display would have shown: here each pixel says where it is.
    let pixel = |at: usize| {
        egui::Color32::from_rgba_premultiplied((at % 1200 / 8) as u8, (at / 1200 / 4) as u8, 0, 255)
    };
    let frame = ColorImage::new([1200, 700], (0..1200 * 700).map(pixel).collect());
    asked.expect("the frame was asked for").complete(Arc::new(frame));
    window.run();
    let saved = image::open(&path).unwrap().to_rgb8();
    let title = window.get_by_label("Drift").rect();
    assert!(saved.width() > 300 && saved.height() > 120, "{:?}", saved.dimensions());
    // The title is a margin away from the corner at which the cut begins.
    let corner = pos2(f32::from(saved.get_pixel(0, 0)[0]) * 8.0, f32::from(saved.get_pixel(0, 0)[1]) * 4.0);
    let inset = title.left_top() - corner;
    assert!(inset.x > 5.0 && inset.x < 30.0 && inset.y > 5.0 && inset.y < 30.0, "{inset}");
    assert!(window.state().toasts().iter().any(|toast| toast.text.contains("drift.png")));
}
