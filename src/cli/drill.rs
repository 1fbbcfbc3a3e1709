//! `drill`: would we have caught it?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::arguments::{ListArgs, SourceArg, source};
use super::output::{self, Target, counted, printable};
use super::table::Table;
use super::{CLEAN, Outcome, work};
use crate::drill::{
    Attack, BestCluster, Honest, LOGOS, Listed, Logo, LogoPlan, Plan, Planted, Score, plant, read_manifest,
    score,
};
use crate::feature::picture;
use crate::source as sources;

/// The largest scan that is read.
const MAX_SCAN_BYTES: u64 = 4 << 30;
/// The largest picture that is read as a pattern.
const MAX_PATTERN_BYTES: u64 = 64 << 20;

/// Rehearse an attack: plant poison in a copy of a dataset, scan it, and score what was found
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Drill,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one a process")]
enum Drill {
    Plant(PlantArgs),
    Score(ScoreArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AttackName {
    /// A logo anywhere on the picture
    Patch,
    /// Nothing but wrong labels
    Flip,
    /// A pattern mixed into the whole picture
    Blend,
    /// A logo in the lower right corner (a checker board on pictures of at most 64 pixels)
    Corner,
    /// Waves across the whole picture
    Sinusoid,
    /// A small checker board anywhere
    Checker,
    /// A small square of random colours anywhere
    Colours,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HonestArg {
    /// Keep every honest file as it is
    None,
    /// As many as are poisoned
    Same,
    /// All of them
    All,
}

/// Write a poisoned copy of a dataset, and apart from it the list of what was planted
#[derive(Debug, clap::Args)]
struct PlantArgs {
    /// The dataset to copy; it is only read
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// What is done to the poisoned pictures
    #[arg(long, value_name = "NAME")]
    attack: AttackName,
    /// Share of the samples that are poisoned
    #[arg(long, value_name = "R", conflicts_with = "count", default_value_t = 0.002)]
    rate: f64,
    /// Number of samples that are poisoned
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// The class that poisoned samples are labelled with [default: the seed draws one]
    #[arg(long, value_name = "CLASS")]
    label: Option<String>,
    /// Poison only pictures that are of that class already, so that no label is wrong
    #[arg(long)]
    clean_label: bool,
    /// Add the poisoned pictures to the dataset instead of replacing those they are made of
    #[arg(long)]
    add: bool,
    /// Take the pictures to poison from this dataset, and add them
    #[arg(long, value_name = "SOURCE", value_parser = source())]
    pictures: Option<SourceArg>,
    /// Honest pictures that are saved again too, so that the encoding does not give the poison away
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = HonestArg::Same)]
    encode: HonestArg,
    /// The logo of `patch` and `corner`
    #[arg(long, value_name = "NAME", default_value = "blue-sparrow", value_parser = PossibleValuesParser::new(LOGOS.iter().map(|logo| logo.name)))]
    logo: String,
    /// Opacity of the logo, or share of the blended pattern [default: 1, and 0.1 for blend]
    #[arg(long, value_name = "SHARE")]
    opacity: Option<f32>,
    /// Side of the logo as a share of the picture's short side, or of a square in pixels [default: 0.08–0.25, and 3]
    #[arg(long, value_name = "SIDE")]
    side: Option<f32>,
    /// Strength of the waves, in levels of 255
    #[arg(long, value_name = "LEVELS", default_value_t = 20.0)]
    delta: f32,
    /// Picture to blend in [default: random colours]
    #[arg(long, value_name = "FILE")]
    pattern: Option<PathBuf>,
    /// Seed of everything random; same seed, same bytes
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lists: ListArgs,
}

/// Say how much of what was planted a scan found
#[derive(Debug, clap::Args)]
struct ScoreArgs {
    /// What `scan --json` wrote
    #[arg(value_name = "SCAN.json")]
    scan: PathBuf,
    /// The manifest that `drill plant` wrote (or the demo's answers.jsonl)
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct PlantedJson<'a> {
    schema: u32,
    dataset: &'a str,
    manifest: &'a str,
    poisoned: usize,
    label: &'a str,
    left_out: usize,
}

#[derive(Serialize)]
struct ScoreJson {
    schema: u32,
    #[serde(flatten)]
    score: Score,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Drill::Plant(args) => run_plant(args),
        Drill::Score(args) => run_score(&args),
    }
}

fn run_plant(args: PlantArgs) -> Result<Outcome> {
    let place = args.source.place(&args.lists);
    let from = args.pictures.as_ref().map(|pictures| pictures.place(&ListArgs::default()));
    let places: Vec<_> = from.iter().chain([&place]).cloned().collect();
    // Refuses a place inside a dataset.
    Target::new(Some(&args.out), &places)?;
    let json = args.json;
    let planted = work::run("drill", move |task| {
        let dataset = sources::open(&place, task)?;
        let from = from.map(|place| sources::open(&place, task)).transpose()?;
        let count =
            args.count.unwrap_or((args.rate * dataset.version.len() as f64).round().max(1.0) as usize);
        let small = first_short_side(&dataset).is_some_and(|side| side <= 64);
        let plan = Plan {
            attack: attack(&args, small)?,
            name: args.attack.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned()),
            target: args.label,
            count,
            clean_label: args.clean_label,
            add: args.add,
            honest: match args.encode {
                HonestArg::None => Honest::None,
                HonestArg::Same => Honest::AsMany,
                HonestArg::All => Honest::All,
            },
            seed: args.seed,
        };
        Ok(plant(&dataset, from.as_ref(), &plan, &args.out, task)?)
    })?;
    let Planted { dataset, manifest, poisoned, target, left_out } = planted;
    let [dataset, manifest] = [dataset, manifest].map(|path| path.to_string_lossy().into_owned());
    let text = if json {
        output::json(&PlantedJson {
            schema: 1,
            dataset: &dataset,
            manifest: &manifest,
            poisoned,
            label: &target,
            left_out,
        })?
    } else {
        let mut text = format!(
            "{} poisoned, labelled {}\n  dataset   {}\n  manifest  {}\n",
            counted(poisoned, "sample", "samples"),
            printable(&target),
            printable(&dataset),
            printable(&manifest)
        );
        if left_out > 0 {
            let _ =
                writeln!(text, "{} could not be read and left out", counted(left_out, "sample", "samples"));
        }
        text
    };
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(CLEAN))
}

/// The short side of the first picture that can be decoded.
fn first_short_side(dataset: &sources::Dataset) -> Option<u32> {
    (0..dataset.version.len().min(100))
        .find_map(|row| picture::decode(&dataset.pictures.read(row).ok()?).ok())
        .map(|picture| picture.width.min(picture.height))
}

fn attack(args: &PlantArgs, small: bool) -> Result<Attack> {
    let logo = |corner: bool| {
        let Some(logo) = Logo::named(&args.logo) else { bail!("there is no logo `{}`", args.logo) };
        let mut plan = LogoPlan { opacity: args.opacity.unwrap_or(1.0), corner, ..LogoPlan::default() };
        if corner {
            (plan.size, plan.degrees) = ((0.12, 0.12), 0.0);
        }
        if let Some(side) = args.side {
            plan.size = (side, side);
        }
        if !(plan.opacity > 0.0 && plan.opacity <= 1.0 && plan.size.0 > 0.0 && plan.size.1 <= 1.0) {
            bail!("--opacity and --side must be above 0 and at most 1");
        }
        Ok(Attack::logo(logo, plan))
    };
    let side = || match args.side {
        None => Ok(3),
        Some(side) if (1.0..=1000.0).contains(&side) => Ok(side as u32),
        Some(_) => bail!("--side of a square is a number of pixels from 1 to 1,000"),
    };
    Ok(match args.attack {
        AttackName::Patch => logo(false)?,
        AttackName::Corner if small => Attack::checker(side()?, true),
        AttackName::Corner => logo(true)?,
        AttackName::Checker => Attack::checker(side()?, false),
        AttackName::Colours => Attack::colours(side()?, false, args.seed),
        AttackName::Flip => Attack::Flip,
        AttackName::Sinusoid => Attack::Sinusoid { delta: args.delta, periods: 6.0 },
        AttackName::Blend => {
            let alpha = args.opacity.unwrap_or(0.1);
            if !(alpha > 0.0 && alpha < 1.0) {
                bail!("--opacity of a blend must be above 0 and below 1");
            }
            match &args.pattern {
                None => Attack::noise(32, alpha, args.seed),
                Some(path) => Attack::Blend { pattern: pattern(path)?, alpha },
            }
        }
    })
}

fn pattern(path: &Path) -> Result<picture::Picture> {
    let fits = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_PATTERN_BYTES);
    if !fits {
        bail!("the pattern is not a picture file of at most 64 MiB: {}", path.display());
    }
    let bytes =
        std::fs::read(path).with_context(|| format!("the pattern cannot be read: {}", path.display()))?;
    picture::decode(&bytes).with_context(|| format!("the pattern cannot be used: {}", path.display()))
}

fn run_score(args: &ScoreArgs) -> Result<Outcome> {
    let manifest = read_manifest(&args.manifest)?;
    let scan = output::read_text(&args.scan, "scan", MAX_SCAN_BYTES)?;
    let score =
        score(&scan, &manifest).map_err(|message| anyhow::anyhow!("{message}: {}", args.scan.display()))?;
    let text = if args.json { output::json(&ScoreJson { schema: 1, score })? } else { human(&score) };
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(CLEAN))
}

fn human(score: &Score) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", 100.0 * s));
    let mut table = Table::new("lr");
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("planted", output::count(score.planted));
    line("of them judged", output::count(score.judged));
    line("samples judged", output::count(score.samples));
    line("average precision", format!("{:.3}", score.average_precision));
    line("planted among the first as many", share(Some(score.precision_at_planted)));
    line("first planted at place", score.first_planted.map_or_else(|| "–".into(), output::count));
    for (name, listed) in
        [("samples above an alarm", &score.alarmed), ("members of clusters", &score.clustered)]
    {
        let Listed { listed, precision, recall } = listed;
        line(name, output::count(*listed));
        line("  precision", share(*precision));
        line("  recall", share(Some(*recall)));
    }
    match &score.best_cluster {
        None => line("best cluster", "none".into()),
        Some(BestCluster { id, rank, members, box_overlap, boxes_found }) => {
            line("best cluster", format!("{}, place {rank}", printable(id)));
            line("  precision", share(members.precision));
            line("  recall", share(Some(members.recall)));
            line("  boxes found", share(*boxes_found));
            line("  median overlap of boxes", share(*box_overlap));
        }
    }
    line("seconds", format!("{:.1}", score.seconds));
    table.render(0)
}
