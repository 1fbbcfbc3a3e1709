//! Speed and memory, run by hand: `cargo bench --bench bench -- NAME`. Prints figures, judges nothing.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "../common/mod.rs"]
mod common;

mod compare;
mod detect;
mod dictionary;
mod feature;
mod patches;
mod source;
mod thorough;
mod triggers;
mod twins;
#[cfg(feature = "gui")]
mod ui;
mod whole;

/// As in the application.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let benches: &[(&str, fn())] = &[
        ("source", source::run),
        ("feature", feature::run),
        ("compare", compare::run),
        ("detect", detect::run),
        ("thorough", thorough::run),
        ("dictionary", dictionary::run),
        ("whole-photos", whole::photos),
        ("whole-alone", whole::alone),
        ("whole-small", whole::small),
        ("triggers", triggers::run),
        ("twins", twins::run),
        ("patches", patches::run),
        #[cfg(feature = "gui")]
        ("ui", ui::run),
        #[cfg(feature = "gui")]
        ("map", ui::map),
        #[cfg(feature = "gui")]
        ("keys", ui::keys),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for (name, run) in benches {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            println!("== {name}");
            run();
        }
    }
}
