//! Bad input: each gives an answer or a clear message, never a crash, and nothing is written where it should not be.

use std::fmt::Write as _;
use std::path::Path;

use super::world::{self, World, picture};

/// Runs every command that takes one source; the exit statuses.
fn ask_everything(world: &World, source: &str) -> Vec<i32> {
    let commands =
        [vec!["info", source], vec!["diff", source, source], vec!["scan", source], vec!["pin", source]];
    commands
        .iter()
        .map(|args| {
            let run = world.run(args);
            if run.status == 2 {
                assert!(run.stderr.starts_with("sparrowhawk: error: "), "{args:?}: {}", run.stderr);
                assert_eq!(run.stderr.trim_end().lines().count(), 1, "one line: {}", run.stderr);
                assert_eq!(run.stdout, "");
            }
            run.status
        })
        .collect()
}

#[test]
fn places_without_pictures_are_errors_with_advice() {
    let world = World::new();
    let empty = world.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let texts = world.write("texts/cat/readme.txt", "no picture");
    let texts = Path::new(&texts).ancestors().nth(2).unwrap().display().to_string();
    let nothing = world.path("nothing");
    for place in [&empty, &texts, &nothing] {
        assert_eq!(ask_everything(&world, place), [2; 4], "{place}");
        assert!(world.run(&["info", place]).stderr.contains(place.as_str()));
    }
}

#[test]
fn one_class_can_be_counted_but_hardly_judged() {
    let world = World::new();
    for n in 0..3 {
        world.save(&format!("one/cat/{n}.png"), &picture("red", n));
    }
    let one = world.path("one");
    assert_eq!(ask_everything(&world, &one)[..2], [0, 0]);
}

#[test]
fn two_thousand_classes() {
    let world = World::new();
    for n in 0..2000_u32 {
        let dot = image::RgbImage::from_pixel(2, 2, image::Rgb([(n % 251) as u8, (n / 251) as u8, 9]));
        world.save(&format!("many/class-{n:04}/x.png"), &dot);
    }
    let many = world.path("many");
    let info = world.run(&["info", &many, "--json"]);
    assert_eq!(info.status, 0, "{}", info.stderr);
    let json = info.json();
    assert_eq!(json["classes"].as_array().unwrap().len(), 2000);
    assert_eq!(json["unreadable"], 0, "{}", json["warnings"][0]);
    let human = world.run(&["info", &many]);
    assert!(
        human.stdout.lines().count() < 60 && human.stdout.contains("1,980 more classes"),
        "{}",
        human.stdout
    );
    assert_eq!(world.run(&["diff", &many, &many]).status, 0);
    assert!(world.run(&["scan", &many]).status < 2);
}

#[test]
fn broken_pictures_are_warnings_on_them() {
    let world = World::new();
    let base = world.base();
    let odd = world.path("odd");
    world::copy_folder(Path::new(&base), Path::new(&odd));
    let whole = std::fs::read(Path::new(&base).join("red/red-00.png")).unwrap();
    world.write("odd/red/empty.png", "");
    world.write("odd/red/cut.png", &whole[..whole.len() / 2]);
    world.write("odd/red/text.jpg", "this is no picture");
    world.write("odd/red/liar.gif", &whole);
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bomb.extend([0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60, 8, 2, 0, 0, 0]);
    bomb.extend([0xDE, 0xAD, 0xBE, 0xEF, 0, 0, 0, 0]);
    world.write("odd/red/bomb.png", bomb);
    let run = world.run(&["info", &odd, "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let info = run.json();
    assert_eq!(info["samples"], world::BASE_SAMPLES + 5);
    assert_eq!(info["unreadable"], 4, "{}", info["warnings"]);
    let keys: Vec<&str> =
        info["warnings"].as_array().unwrap().iter().map(|w| w["key"].as_str().unwrap()).collect();
    for name in ["empty.png", "cut.png", "text.jpg", "liar.gif", "bomb.png"] {
        assert!(keys.iter().any(|key| key.ends_with(name)), "{name}: {keys:?}");
    }
    // A lying extension does not make a picture unreadable.
    let liar = info["warnings"].as_array().unwrap().iter().find(|w| w["key"] == "red/liar.gif").unwrap();
    assert_eq!(liar["kind"], "wrong-extension");
    let diff = world.run(&["diff", &base, &odd, "--json"]);
    assert_eq!(diff.status, 1, "{}", diff.stderr);
    let scan = world.run(&["scan", &odd, "--json"]);
    assert!(scan.status < 2, "{}", scan.stderr);
    let warned = scan.json()["warnings"].to_string();
    assert!(warned.contains("red/cut.png") && warned.contains("red/bomb.png"), "{warned}");
}

#[test]
fn lists_with_trouble() {
    let world = World::new();
    let base = world.base();
    let good = world.list_of_base(str::to_owned);
    let root = ["--root", base.as_str()];

    let missing = world
        .write("missing.csv", format!("{good}red/gone.png,red\n../../etc/passwd,red\nred/red-00.png,blue\n"));
    let run = world.run(&[&["info", missing.as_str(), "--json"][..], &root].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let warnings = run.json()["warnings"].to_string();
    for kind in ["missing", "outside-root", "duplicate-key"] {
        assert!(warnings.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {warnings}");
    }

    let run = world.run(&[&["info", missing.as_str(), "--label-column", "flavour"][..], &root].concat());
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("flavour") && run.stderr.contains("`label`"), "{}", run.stderr);

    let latin = [good.as_bytes(), b"red/red-01.png,caf\xe9\n"].concat();
    let latin = world.write("latin.csv", latin);
    let run = world.run(&[&["info", latin.as_str()][..], &root].concat());
    assert!(run.stdout.contains("UTF-8") || run.stderr.contains("UTF-8"), "{}{}", run.stdout, run.stderr);

    let mut wide = "path,label\nred/red-00.png,".to_owned();
    wide.push_str(&"x".repeat(10 << 20));
    let _ = writeln!(wide, "\nred/red-01.png,red");
    let wide = world.write("wide.csv", wide);
    let run = world.run(&[&["info", wide.as_str()][..], &root].concat());
    assert!(run.stdout.len() + run.stderr.len() < 20_000, "a field of 10 MB is not printed");
}

#[cfg(unix)]
#[test]
fn names_cannot_write_to_the_terminal() {
    let world = World::new();
    for (n, name) in ["a\nsparrowhawk: error: lies", "b\x1b]0;owned\x07", "c\u{202e}gnp"].iter().enumerate() {
        world.save(&format!("evil/{name}/{name}.png"), &picture("red", n as u32));
    }
    let evil = world.path("evil");
    world.write("evil/x\x1b[31m/broken\x1b[2J.png", "");
    let base = world.base();
    for args in [
        vec!["info", evil.as_str()],
        vec!["diff", base.as_str(), evil.as_str()],
        vec!["scan", evil.as_str()],
        vec!["pin", "evil/no\x1b[2Jwhere"],
    ] {
        let run = world.run(&args);
        for text in [&run.stdout, &run.stderr] {
            let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(harmful), "{args:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("sparrowhawk: error: lies")), "{text}");
        }
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_no_obstacle() {
    let world = World::new();
    let base = world.base();
    // Where the cache folder should be there is a file: also root cannot write below it.
    let file = world.write("not-a-folder", "");
    let with_cache = world.run(&["info", &base, "--json"]);
    let output = world.command(&["info", &base, "--json"]).env("XDG_CACHE_HOME", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), with_cache.stdout);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("note") && stderr.lines().count() == 1, "said once: {stderr}");
}

#[test]
fn nothing_is_written_under_a_dataset() {
    let world = World::new();
    let (base, contribution) = (world.base(), world.contribution());
    let before = [&base, &contribution].map(|folder| world::listing(Path::new(folder)));
    world.run(&["info", &base]);
    world.run(&["diff", &base, &contribution]);
    world.run(&["scan", &contribution, "--base", &base]);
    world.run(&["pin", &base, "-o", &world.path("lock")]);
    world.run(&["verify", &world.path("lock"), &base]);
    for out in ["out.json", "red/red-00.png"] {
        let inside = format!("{base}/{out}");
        let run = world.run(&["diff", &base, &contribution, "--json", "--out", &inside]);
        assert_eq!(run.status, 2, "{}", run.stderr);
    }
    assert_eq!([&base, &contribution].map(|folder| world::listing(Path::new(folder))), before);

    // A list's own pictures are its dataset too.
    let list = world.write("list.csv", world.list_of_base(str::to_owned));
    let picture = format!("{base}/red/red-00.png");
    let run = world.run(&["scan", &list, "--root", &base, "--out", &picture]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    let run = world.run(&["scan", &list, "--root", &base, "--out", &list]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(world::listing(Path::new(&base)), before[0]);
}
