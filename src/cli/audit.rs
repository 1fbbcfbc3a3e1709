//! `audit`: how many labels are wrong, and how sure is that?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use super::arguments::{ComputeArgs, ListArgs, SourceArg, source};
use super::load::load;
use super::output::{self, Target, counted, printable};
use super::table::Table;
use super::{CLEAN, FINDINGS, Outcome, work};
use crate::audit::{
    self, About, Design, GoldenReport, Interval, Ledger, Plan, Population, Report, Size, StopRule, StrataBy,
    draw, known_from_table, percent, plan_path,
};
use crate::review::{Review, default_path};

/// The largest table of known answers that is read.
const MAX_KNOWN_BYTES: u64 = 256 << 20;

/// Look at a random sample by hand: how many labels are wrong, and how sure is that?
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Audit,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one a process")]
enum Audit {
    Plan(PlanArgs),
    Report(ReportArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StrataArg {
    /// Draw from the whole
    None,
    /// The same share of each label
    Label,
    /// The same share of each split
    Split,
}

/// Say how many samples a question needs, and draw them
///
/// Where the plan is written beside the review file (which it is without -o), the window finds it under `Audit`.
/// Choose the seed after the dataset has arrived: who knows it before can see to it that nothing of his is drawn.
#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// The dataset
    #[arg(value_name = "SOURCE", value_parser = source())]
    source: SourceArg,
    /// The base that the window opens it with, if any: the review is then that of the two
    #[arg(long, value_name = "BASE", value_parser = source())]
    base: Option<SourceArg>,
    /// Share of wrong labels that is to be noticed [default: 0.01]
    #[arg(long, value_name = "SHARE", conflicts_with = "budget")]
    rate: Option<f64>,
    /// Number of samples that somebody has time for, instead of a rate
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
    /// How sure, such as 0.95
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
    /// Share of wrong labels with which the dataset is still to pass; at 0 a single one speaks against it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    acceptable: f64,
    /// Stop as soon as Wald's sequential test decides
    #[arg(long)]
    sequential: bool,
    /// Of what equal shares are drawn
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = StrataArg::Label)]
    strata: StrataArg,
    /// Same seed, same samples
    #[arg(long, value_name = "N")]
    seed: u64,
    /// Known answers to mix in, CSV with the columns `key` and `label`: they measure the reviewer
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// How many of them, as a share of the drawn samples
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    golden_share: f64,
    /// The plan to write; it must not be there yet [default: beside the review, where the window finds it]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The review file that will hold the verdicts [default: the one that belongs to these versions]
    #[arg(long, value_name = "FILE")]
    review: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lists: ListArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// Say how far an audit is and what it has shown
///
/// Exit status 0 only when the plan's stop rule is met and the claim holds.
#[derive(Debug, clap::Args)]
struct ReportArgs {
    /// The plan that `audit plan` or the window wrote
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// The review file with the verdicts [default: beside the plan, or the one that belongs to its versions]
    #[arg(long, value_name = "FILE")]
    review: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct PlanJson<'a> {
    schema: u32,
    plan: String,
    samples: usize,
    golden: usize,
    population: u64,
    rate: f64,
    defects: u64,
    confidence: f64,
    acceptable: f64,
    accept: u64,
    seed: u64,
    strata: &'a [audit::Stratum],
}

#[derive(Serialize)]
struct ReportJson<'a> {
    schema: u32,
    plan: PlanSummary<'a>,
    left: u64,
    #[serde(flatten)]
    report: &'a Report,
    disputed: Vec<&'a str>,
}

#[derive(Serialize)]
struct PlanSummary<'a> {
    source: &'a str,
    pin: crate::model::ContentHash,
    rate: f64,
    confidence: f64,
    acceptable: f64,
    accept: u64,
    rule: StopRule,
    seed: u64,
}

pub(super) fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Audit::Plan(args) => run_plan(args),
        Audit::Report(args) => run_report(&args),
    }
}

fn run_plan(args: PlanArgs) -> Result<Outcome> {
    let place = args.source.place(&args.lists);
    let review = args.review.clone().unwrap_or_else(|| {
        default_path(args.base.as_ref().map(|base| base.text.as_str()), &args.source.text)
    });
    let out = args.out.clone().unwrap_or_else(|| plan_path(&review));
    if args.out.is_none()
        && let Some(folder) = out.parent()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder for reviews cannot be made: {}", folder.display()))?;
    }
    let bases = args.base.iter().map(|base| base.place(&args.lists));
    let places: Vec<_> = std::iter::once(place.clone()).chain(bases).collect();
    let target = Target::new(Some(&out), &places)?;
    if out.exists() {
        bail!(
            "there is a file already, and a plan that somebody works by is not overwritten; \
             choose another place with -o, or move it away first: {}",
            out.display()
        );
    }
    let cache = args.compute.start();
    let json = args.json;
    let (plan, target) = work::run("audit", move |task| {
        let known = match &args.golden {
            None => BTreeMap::new(),
            Some(path) => {
                known_from_table(&output::read_text(path, "table of known answers", MAX_KNOWN_BYTES)?)
                    .map_err(|error| anyhow!("{error}: {}", path.display()))?
            }
        };
        // What a plan names by its content must have been read.
        let loaded = load(&args.source.text, &place, &cache, false, task)?;
        target.spare(&loaded.dataset)?;
        // What was decided before the plan does not count in it.
        let after = if review.is_file() { Review::read(&review)?.revision() } else { 0 };
        let design = Design {
            size: match args.budget {
                Some(budget) => Size::Budget(budget),
                None => Size::Rate(args.rate.unwrap_or(0.01)),
            },
            confidence: args.confidence,
            acceptable: args.acceptable,
            rule: if args.sequential { StopRule::Sequential } else { StopRule::Fixed },
            strata: match args.strata {
                StrataArg::None => StrataBy::None,
                StrataArg::Label => StrataBy::Label,
                StrataArg::Split => StrataBy::Split,
            },
            seed: args.seed,
            golden: if args.golden.is_some() { args.golden_share } else { 0.0 },
        };
        let population = Population { version: loaded.version(), hashes: &loaded.fingerprints.hashes };
        let about = About {
            source: loaded.version().source().clone(),
            base: args.base.as_ref().map(|base| absolute(&base.text)),
            pin: loaded.pin,
            after,
            date: Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string(),
        };
        let plan = draw(population, &design, &known, about, task)?;
        Ok((plan, target))
    })?;
    target.write(&plan.render())?;
    let text = if json {
        output::json(&PlanJson {
            schema: 1,
            plan: out.to_string_lossy().into_owned(),
            samples: plan.samples.len(),
            golden: plan.golden.len(),
            population: plan.population(),
            rate: plan.rate,
            defects: plan.defects,
            confidence: plan.confidence,
            acceptable: plan.acceptable,
            accept: plan.accept,
            seed: plan.seed,
            strata: &plan.strata,
        })?
    } else {
        plan_text(&plan, &out)
    };
    Target::new(None, &[])?.write(text.as_bytes())?;
    Ok(Outcome::Exit(CLEAN))
}

/// The place from the root on, as the review knows it.
fn absolute(text: &str) -> String {
    std::path::absolute(text).map_or_else(|_| text.to_owned(), |path| path.to_string_lossy().into_owned())
}

fn plan_text(plan: &Plan, out: &Path) -> String {
    let mut text = format!(
        "{} of {} drawn, written to {}\n",
        counted(plan.samples.len(), "sample", "samples"),
        output::count(plan.population()),
        printable(&out.to_string_lossy())
    );
    if !plan.golden.is_empty() {
        let _ = writeln!(text, "{} mixed in", counted(plan.golden.len(), "known answer", "known answers"));
    }
    let rule = match plan.accept {
        0 => "if none of them is wrong".to_owned(),
        1 => "if at most 1 of them is wrong".to_owned(),
        many => format!("if at most {many} of them are wrong"),
    };
    let _ = writeln!(
        text,
        "{rule}, fewer than {} of the dataset are (fewer than {}), with {} confidence",
        percent(plan.rate),
        output::count(plan.defects),
        percent(plan.confidence)
    );
    let missed = audit::miss_probability(plan.population(), Report::HANDFUL, plan.samples.len() as u64);
    let _ = writeln!(
        text,
        "a planted handful is another matter: {} pictures would escape this sample with probability {}",
        Report::HANDFUL,
        percent(missed)
    );
    text
}

fn run_report(args: &ReportArgs) -> Result<Outcome> {
    let plan = Plan::read(&args.plan)?
        .with_context(|| format!("there is no such plan; check the path: {}", args.plan.display()))?;
    let review = review_of(args, &plan)?;
    let review = Review::read(&review)?;
    let mut ledger = Ledger::new(&plan);
    ledger.read(&plan, review.log());
    let report = audit::report(&plan, &ledger);
    let text = if args.json {
        output::json(&ReportJson {
            schema: 1,
            plan: PlanSummary {
                source: &plan.source.place,
                pin: plan.pin,
                rate: plan.rate,
                confidence: plan.confidence,
                acceptable: plan.acceptable,
                accept: plan.accept,
                rule: plan.rule,
                seed: plan.seed,
            },
            left: report.left(),
            report: &report,
            disputed: report.disputed.iter().map(|place| plan.at(*place).0).collect(),
        })?
    } else {
        report_text(&plan, &report)
    };
    Target::new(None, &[])?.write(text.as_bytes())?;
    let accepted = report.stop.outcome == audit::Outcome::Accepted;
    Ok(Outcome::Exit(if accepted { CLEAN } else { FINDINGS }))
}

/// The review that was named, that lies beside the plan, or that belongs to the plan's versions.
fn review_of(args: &ReportArgs, plan: &Plan) -> Result<PathBuf> {
    if let Some(review) = &args.review {
        return Ok(review.clone());
    }
    let name = args.plan.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside =
        name.strip_suffix(".audit.json").map(|stem| args.plan.with_file_name(format!("{stem}.sparrowhawk")));
    let belongs = default_path(plan.base.as_deref(), &plan.source.place);
    beside.into_iter().chain([belongs]).find(|path| path.is_file()).with_context(|| {
        format!(
            "there is no review with verdicts yet for this plan; decide in the window, or name the review with --review: {}",
            args.plan.display()
        )
    })
}

fn between(interval: Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

fn report_text(plan: &Plan, report: &Report) -> String {
    let decided = report.right + report.wrong;
    let mut text = format!(
        "{} of {} decided: {} right, {} wrong, {} unsure\n{}\n",
        output::count(decided + report.unsure),
        counted(report.drawn as usize, "sample", "samples"),
        output::count(report.right),
        output::count(report.wrong),
        output::count(report.unsure),
        report.stop.words
    );
    if let Some(found) = &report.estimate {
        let _ = writeln!(
            text,
            "\nwrong labels in the dataset: {}, {} with {} confidence ({} interval)",
            percent(found.rate),
            between(found.interval),
            percent(plan.confidence),
            found.method
        );
        if let Some(unsure) = &report.if_unsure_are_wrong {
            let _ = writeln!(
                text,
                "  if every unsure one were wrong: {}, {}",
                percent(unsure.rate),
                between(unsure.interval)
            );
        }
        if let Some(corrected) = &report.corrected {
            let _ = writeln!(
                text,
                "  after what the reviewers miss: {}, {}",
                percent(corrected.rate),
                between(corrected.interval)
            );
        }
        if report.left() > 0 {
            text.push_str(
                "  the interval holds for the whole sample; until then it is only for orientation\n",
            );
        }
    }
    if report.golden_items > 0 {
        let _ = writeln!(text, "\nknown answers ({} in the plan)", report.golden_items);
        let mut table = Table::new("lll");
        for reviewer in &report.reviewers {
            table.row([
                printable(&reviewer.name).into_owned(),
                caught(&reviewer.golden, plan.confidence),
                kept(&reviewer.golden, plan.confidence),
            ]);
        }
        text.push_str(&table.render(2));
    }
    if let Some(agreement) = &report.agreement {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let _ = writeln!(
            text,
            "\n{} and {} on {}: same in {}, kappa {} (SE {}), alpha {}, positive agreement {}",
            printable(&agreement.reviewers[0]),
            printable(&agreement.reviewers[1]),
            counted(agreement.common as usize, "sample", "samples"),
            percent(agreement.kappa.observed),
            number(agreement.kappa.kappa),
            number(agreement.kappa.standard_error),
            number(agreement.alpha),
            number(agreement.positive)
        );
    }
    if !report.disputed.is_empty() {
        let _ =
            writeln!(text, "\n{} differently decided:", counted(report.disputed.len(), "sample", "samples"));
        for place in report.disputed.iter().take(output::ROWS) {
            let _ = writeln!(text, "  {}", printable(plan.at(*place).0));
        }
        text.push_str(&output::more(report.disputed.len(), output::ROWS, "sample", "samples"));
    }
    if report.strata.len() > 1 {
        text.push('\n');
        let mut table = Table::new("lrrrrr");
        table.row(["stratum", "of", "drawn", "right", "wrong", "unsure"].map(str::to_owned));
        for s in report.strata.iter().take(output::ROWS) {
            let numbers = [s.population, s.drawn, s.right, s.wrong, s.unsure].map(output::count);
            let [population, drawn, right, wrong, unsure] = numbers;
            table.row([printable(&s.name).into_owned(), population, drawn, right, wrong, unsure]);
        }
        text.push_str(&table.render(2));
        text.push_str(&output::more(report.strata.len(), output::ROWS, "stratum", "strata"));
    }
    if report.stale > 0 {
        let _ = writeln!(
            text,
            "\n{} not counted: the picture or its label is not the one that was drawn",
            counted(report.stale, "verdict is", "verdicts are")
        );
    }
    text
}

fn caught(golden: &GoldenReport, confidence: f64) -> String {
    let share = golden.sensitivity(confidence);
    let known = format!("{} of {} wrong ones noticed", golden.wrong_caught, golden.wrong_seen);
    share.map_or_else(|| known.clone(), |(_, interval)| format!("{known} ({})", between(interval)))
}

fn kept(golden: &GoldenReport, confidence: f64) -> String {
    let share = golden.specificity(confidence);
    let known = format!("{} of {} right ones kept", golden.right_kept, golden.right_seen);
    share.map_or_else(|| known.clone(), |(_, interval)| format!("{known} ({})", between(interval)))
}
