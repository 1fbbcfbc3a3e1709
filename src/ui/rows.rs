//! Which samples does the gallery show, in which order? Rebuilt when the data, the filter or the revision moves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{ChangeKind, Cluster, Verdict};
use crate::review::query::{Facts, Query};
use crate::review::{self, Dismissed, Review};
use crate::task::{Job, Pool};

use super::items::{Item, Items};
use super::session::Which;
use super::state::{ProblemFilter, Queue, Sort};

/// From this many samples on, rows are rebuilt on a worker so that no frame waits.
const BACKGROUND_FROM: usize = 20_000;

/// The verdict in force on each item, as a small number, so that a worker can have a copy.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    codes: Arc<Vec<u8>>,
    /// For each cluster of the scan why it is no trigger, where somebody said so.
    dismissed: Arc<Vec<Option<Dismissed>>>,
}

static VERDICTS: [Verdict; 5] =
    [Verdict::Keep, Verdict::Relabel(String::new()), Verdict::Exclude, Verdict::Revert, Verdict::Unsure];

impl Verdicts {
    /// Reads all of them from the review.
    #[must_use]
    pub fn new(items: &Items, review: Option<&Review>) -> Self {
        let mut codes = vec![0; items.len()];
        for correction in review.map(Review::corrections).unwrap_or_default() {
            for item in find(items, &correction.subject.key) {
                if items.hash(item) == Some(correction.subject.hash) {
                    codes[item.0 as usize] = code(&correction.verdict);
                }
            }
        }
        Self { codes: Arc::new(codes), dismissed: Arc::new(dismissed(items, review)) }
    }

    /// Why the cluster at this place of the scan is no trigger, where somebody said so.
    #[must_use]
    pub fn dismissed(&self, cluster: usize) -> Option<&Dismissed> {
        self.dismissed.get(cluster)?.as_ref()
    }

    /// Reads those of some keys again.
    pub fn update(&mut self, items: &Items, review: &Review, keys: &[String]) {
        if keys.iter().any(|key| review::names_cluster(key)) {
            self.dismissed = Arc::new(dismissed(items, Some(review)));
        }
        let codes = Arc::make_mut(&mut self.codes);
        for key in keys {
            for item in find(items, key) {
                let verdict = items
                    .hash(item)
                    .and_then(|hash| review.in_force(key, &hash))
                    .and_then(|decision| decision.verdict.as_ref());
                codes[item.0 as usize] = verdict.map_or(0, code);
            }
        }
    }

    /// The verdict on an item, without the class of a relabelling.
    #[must_use]
    pub fn get(&self, item: Item) -> Option<&'static Verdict> {
        let code = self.codes.get(item.0 as usize).copied().unwrap_or(0);
        (code > 0).then(|| &VERDICTS[code as usize - 1])
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_decided(&self, item: Item) -> bool {
        self.codes.get(item.0 as usize).is_some_and(|code| *code > 0)
    }
}

fn dismissed(items: &Items, review: Option<&Review>) -> Vec<Option<Dismissed>> {
    let known = review.map(Review::dismissed).unwrap_or_default();
    let clusters = items.scan.as_ref().map(|scan| scan.clusters.as_slice()).unwrap_or_default();
    let of = |cluster: &Cluster| {
        let members = || cluster.members.iter().map(|member| items.item(Which::Target, member.row as usize));
        known
            .iter()
            .rev()
            .find(|dismissed| dismissed.is(members().filter_map(|item| items.hash(item))))
            .cloned()
    };
    clusters.iter().map(of).collect()
}

fn code(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Keep => 1,
        Verdict::Relabel(_) => 2,
        Verdict::Exclude => 3,
        Verdict::Revert => 4,
        Verdict::Unsure => 5,
    }
}

/// The items that a key means: a sample under review, and a removed sample of the base.
pub fn find(items: &Items, key: &str) -> impl Iterator<Item = Item> {
    let target = items.target.as_ref().and_then(|v| v.row_of(key)).map(|row| items.item(Which::Target, row));
    let base = items
        .base
        .as_ref()
        .and_then(|v| v.row_of(key))
        .map(|row| items.item(Which::Base, row))
        .filter(|item| items.change(*item).is_some());
    target.into_iter().chain(base)
}

/// What decides the rows.
#[derive(Clone)]
pub struct Wanted {
    /// The queue.
    pub queue: Queue,
    /// The query.
    pub query: Query,
    /// Only this class.
    pub class: Option<String>,
    /// The order.
    pub sort: Sort,
    /// For [`Queue::Conflicts`]: keys.
    pub conflicts: Vec<String>,
    /// For [`Queue::Problems`].
    pub problem: Option<ProblemFilter>,
    /// For [`Queue::Similar`] and [`Queue::Audit`].
    pub similar: Vec<Item>,
    /// For [`Queue::Chosen`].
    pub chosen: Vec<Item>,
    /// For [`Queue::Map`].
    pub on_map: Arc<Vec<Item>>,
}

/// The rows of the gallery.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// In order.
    pub items: Arc<Vec<Item>>,
}

/// Counts of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Samples.
    pub total: usize,
    /// Without a verdict.
    pub undecided: usize,
}

/// Counts of every queue.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    all: Count,
    changes: Count,
    by_kind: [Count; 8],
    suspicious: Count,
    triggers: Count,
    twins: Count,
    problems: Count,
    decided: usize,
    /// What the audit asks of the reviewer.
    pub audit: Count,
}

impl Counts {
    /// Counts every queue.
    #[must_use]
    pub fn new(items: &Items, verdicts: &Verdicts) -> Self {
        let mut counts = Self::default();
        let add = |count: &mut Count, item: Item| {
            count.total += 1;
            count.undecided += usize::from(!verdicts.is_decided(item));
        };
        for at in 0..items.len() as u32 {
            let item = Item(at);
            let decided = verdicts.is_decided(item);
            if (at as usize) < items.target_len() {
                counts.all.total += 1;
                counts.all.undecided += usize::from(!decided);
            }
            counts.decided += usize::from(decided);
            if items.has_problem(item) {
                add(&mut counts.problems, item);
            }
        }
        for item in changed(items, None) {
            add(&mut counts.changes, item);
            if let Some(change) = items.change(item) {
                add(&mut counts.by_kind[change.kind as usize], item);
            }
        }
        for item in suspicious(items) {
            add(&mut counts.suspicious, item);
        }
        for item in clustered(items, verdicts, None) {
            add(&mut counts.triggers, item);
        }
        for item in twins(items) {
            // What the base has is listed for comparison; only what may be decided counts as open.
            if items.place(item).0 == Which::Target || items.change(item).is_some() {
                add(&mut counts.twins, item);
            } else {
                counts.twins.total += 1;
            }
        }
        counts
    }

    /// The counts of a queue.
    #[must_use]
    pub fn of(&self, queue: Queue) -> Count {
        match queue {
            Queue::Overview
            | Queue::Map
            | Queue::Similar
            | Queue::Chosen
            | Queue::Cluster(_)
            | Queue::History
            | Queue::Conflicts => Count::default(),
            Queue::All => self.all,
            Queue::Changes => self.changes,
            Queue::Change(kind) => self.by_kind[kind as usize],
            Queue::SuspiciousLabels => self.suspicious,
            Queue::Triggers => self.triggers,
            Queue::Twins => self.twins,
            Queue::Problems => self.problems,
            Queue::Decided => Count { total: self.decided, undecided: 0 },
            Queue::Audit => self.audit,
        }
    }
}

fn changed(items: &Items, kind: Option<ChangeKind>) -> impl Iterator<Item = Item> {
    let changes = items.diff.as_ref().map(|diff| diff.changes.as_slice()).unwrap_or_default();
    changes.iter().filter(move |change| kind.is_none_or(|kind| change.kind == kind)).filter_map(|change| {
        match (change.row, change.base_row) {
            (Some(row), _) => Some(items.item(Which::Target, row as usize)),
            (None, Some(row)) => Some(items.item(Which::Base, row as usize)),
            (None, None) => None,
        }
    })
}

fn suspicious(items: &Items) -> impl Iterator<Item = Item> {
    let ranking = items.scan.as_ref().map(|scan| scan.ranking.as_slice()).unwrap_or_default();
    ranking
        .iter()
        .filter(|ranked| ranked.signals.iter().any(|signal| signal.alarm && signal.detector == "label-error"))
        .map(|ranked| items.item(Which::Target, ranked.row as usize))
}

/// The members of all clusters that are not dismissed, or of the one at this place, each once.
fn clustered(items: &Items, verdicts: &Verdicts, only: Option<u16>) -> Vec<Item> {
    let clusters = items.scan.as_ref().map(|scan| scan.clusters.as_slice()).unwrap_or_default();
    let chosen = clusters.iter().enumerate().filter(|(at, _)| match only {
        Some(only) => usize::from(only) == *at,
        None => verdicts.dismissed(*at).is_none(),
    });
    let mut seen = HashSet::new();
    chosen
        .flat_map(|(_, cluster)| &cluster.members)
        .map(|member| items.item(Which::Target, member.row as usize))
        .filter(|item| seen.insert(*item))
        .collect()
}

/// The members of all groups of duplicates, group by group, each once.
fn twins(items: &Items) -> Vec<Item> {
    let groups = items.scan.as_ref().map(|scan| scan.groups.as_slice()).unwrap_or_default();
    let mut seen = HashSet::new();
    groups
        .iter()
        .flat_map(|group| &group.members)
        .map(|member| items.member(member))
        .filter(|item| seen.insert(*item))
        .collect()
}

fn problems(items: &Items, filter: Option<ProblemFilter>) -> Vec<Item> {
    let all = || (0..items.len() as u32).map(Item);
    let is_outlier = |item: &Item| {
        let ranked = items.ranked(*item);
        ranked.is_some_and(|ranked| ranked.signals.iter().any(|signal| signal.detector == "outlier"))
    };
    match filter {
        None => all().filter(|item| items.has_problem(*item)).collect(),
        Some(ProblemFilter::Unreadable) => all().filter(|item| items.is_warned(*item)).collect(),
        Some(ProblemFilter::Outlier) => all().filter(is_outlier).collect(),
        Some(ProblemFilter::Below(problem, threshold)) => {
            let rows = items.measures.as_ref().map(|measures| measures.below(problem, threshold));
            rows.unwrap_or_default().into_iter().map(|row| items.item(Which::Target, row as usize)).collect()
        }
    }
}

/// What the query language may ask about an item.
#[must_use]
pub fn facts<'a>(items: &'a Items, verdicts: &'a Verdicts, item: Item) -> Facts<'a> {
    let ranked = items.ranked(item);
    let signals = ranked.map(|r| r.signals.as_slice()).unwrap_or_default();
    let look = items.look(item);
    Facts {
        key: items.key(item),
        label: items.label(item),
        base_label: items.counterpart(item).and_then(|other| items.label(other)),
        split: items.split(item),
        change: items.change(item),
        score: ranked.map(|r| r.suspicion),
        suggested: signals.iter().find_map(|s| s.suggested.as_ref()).map(|s| s.label.as_str()),
        cluster: signals.iter().find_map(|s| s.cluster.as_deref()),
        verdict: verdicts.get(item),
        problem: items.has_problem(item),
        size: look.map(|look| (look.width, look.height)),
        brightness: look.map(|look| look.quality.brightness()),
    }
}

/// What anybody can see of an item without being told.
fn plain_facts(items: &Items, item: Item) -> Facts<'_> {
    Facts { key: items.key(item), label: items.label(item), split: items.split(item), ..Facts::default() }
}

/// Lists what is wanted. Linear in the number of samples, `n log n` where it sorts.
#[must_use]
pub fn build(items: &Items, verdicts: &Verdicts, wanted: &Wanted) -> Rows {
    let mut list: Vec<Item> = match wanted.queue {
        Queue::Overview | Queue::History => Vec::new(),
        Queue::Conflicts => wanted.conflicts.iter().flat_map(|key| find(items, key)).collect(),
        Queue::All => (0..items.target_len() as u32).map(Item).collect(),
        Queue::Changes => changed(items, None).collect(),
        Queue::Change(kind) => changed(items, Some(kind)).collect(),
        Queue::SuspiciousLabels => suspicious(items).collect(),
        Queue::Triggers => clustered(items, verdicts, None),
        Queue::Cluster(place) => clustered(items, verdicts, Some(place)),
        Queue::Twins => twins(items),
        Queue::Problems => problems(items, wanted.problem),
        Queue::Decided => (0..items.len() as u32).map(Item).filter(|i| verdicts.is_decided(*i)).collect(),
        Queue::Similar | Queue::Audit => wanted.similar.clone(),
        Queue::Chosen => wanted.chosen.clone(),
        Queue::Map => wanted.on_map.to_vec(),
    };
    if let Some(class) = &wanted.class {
        list.retain(|item| items.label(*item) == Some(class.as_str()));
    }
    if wanted.query != Query::default() {
        list.retain(|item| match wanted.queue {
            // A search must not tell what a blind list hides.
            Queue::Audit => wanted.query.matches(&plain_facts(items, *item)),
            _ => wanted.query.matches(&facts(items, verdicts, *item)),
        });
    }
    match wanted.sort {
        // The order of an audit is drawn by its seed.
        _ if wanted.queue == Queue::Audit => {}
        Sort::Queue => {}
        Sort::Key => list.sort_by(|a, b| items.key(*a).cmp(items.key(*b))),
        Sort::Label => list.sort_by(|a, b| {
            items.label(*a).cmp(&items.label(*b)).then_with(|| items.key(*a).cmp(items.key(*b)))
        }),
        Sort::Suspicion => by_suspicion(items, &mut list),
        Sort::WithinClass => {
            by_suspicion(items, &mut list);
            let mut ranks: HashMap<Option<&str>, usize> = HashMap::new();
            let mut ranked: Vec<(usize, Item)> = list
                .iter()
                .map(|item| {
                    let rank = ranks.entry(items.label(*item)).or_default();
                    *rank += 1;
                    (*rank, *item)
                })
                .collect();
            ranked.sort_by_key(|(rank, _)| *rank);
            list = ranked.into_iter().map(|(_, item)| item).collect();
        }
    }
    Rows { items: Arc::new(list) }
}

fn by_suspicion(items: &Items, list: &mut [Item]) {
    let score = |item| items.ranked(item).map_or(-1.0, |ranked| ranked.suspicion);
    list.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then_with(|| items.key(*a).cmp(items.key(*b))));
}

/// Keeps rows up to date without making a frame wait.
#[derive(Default)]
pub struct RowsKeeper {
    rows: Rows,
    generation: u64,
    job: Option<Job<Rows>>,
}

impl RowsKeeper {
    /// The rows of now; while new ones are being made, the old ones.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Lists anew: at once when that is quick, on a worker otherwise.
    pub fn rebuild(&mut self, pool: &Pool, items: &Items, verdicts: &Verdicts, wanted: Wanted) {
        if let Some(job) = self.job.take() {
            job.task.cancel();
        }
        if items.len() < BACKGROUND_FROM || pool.is_inline() {
            self.rows = build(items, verdicts, &wanted);
            self.generation += 1;
        } else {
            let (items, verdicts) = (items.clone(), verdicts.clone());
            self.job = Some(pool.start("rows", move |_| build(&items, &verdicts, &wanted)));
        }
    }

    /// Takes rows that a worker has made. Returns whether there were any.
    pub fn poll(&mut self) -> bool {
        let Some(outcome) = self.job.as_ref().and_then(Job::poll) else { return false };
        self.job = None;
        if let Ok(rows) = outcome {
            self.rows = rows;
            self.generation += 1;
        }
        true
    }

    /// Moves whenever there are other rows.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether new rows are being made.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }
}
