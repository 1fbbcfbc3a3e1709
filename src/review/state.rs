//! What do the rows of a review add up to? The verdicts in force, and which steps can be undone and redone.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::Correction;
use super::dismissed::{self, Dismissed};
use super::store::{self, Chain, Entry};
use crate::model::{ChangeKind, ContentHash, Decision, Subject, Verdict};

/// How a row came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Somebody decided.
    Decide,
    /// Somebody took this step back; the row tells the verdict that is in force since.
    Undo(i64),
    /// Somebody made this step again.
    Redo(i64),
}

impl Action {
    /// The columns `kind` and `target`.
    pub(super) fn stored(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Decide => ("decide", None),
            Self::Undo(step) => ("undo", Some(step)),
            Self::Redo(step) => ("redo", Some(step)),
        }
    }

    pub(super) fn from_stored(kind: &str, target: Option<i64>) -> Option<Self> {
        match (kind, target) {
            ("decide", None) => Some(Self::Decide),
            ("undo", Some(step)) => Some(Self::Undo(step)),
            ("redo", Some(step)) => Some(Self::Redo(step)),
            _ => None,
        }
    }
}

/// What one call of [`decide`](super::Review::decide), `undo` or `redo` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step that was made, undone or redone; 0 when there was nothing to decide about.
    pub id: i64,
    /// Keys of the samples whose verdict in force may have changed.
    pub keys: Vec<String>,
    /// In words, such as "12 × exclude".
    pub summary: String,
}

/// The verdicts in force on one key.
///
/// A key can mean two samples: what the contribution has there, and what it removed there from the base.
#[derive(Default)]
struct Slots {
    present: Option<Arc<Decision>>,
    removed: Option<Arc<Decision>>,
}

impl Slots {
    fn of(&mut self, subject: &Subject) -> &mut Option<Arc<Decision>> {
        if subject.change == Some(ChangeKind::Removed) { &mut self.removed } else { &mut self.present }
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<Decision>> {
        self.present.iter().chain(&self.removed)
    }
}

/// What one step did to one sample.
struct Effect {
    before: Option<Arc<Decision>>,
    after: Arc<Decision>,
}

/// Verdicts that a summary tells apart.
const MOST_IN_SUMMARY: usize = 3;

/// One row of the file.
#[derive(Debug, Clone)]
pub struct Logged {
    /// How it came to be.
    pub action: Action,
    /// What was decided.
    pub decision: Arc<Decision>,
}

/// A step that can be undone, or redone.
pub(super) struct Made {
    pub(super) step: i64,
    effects: Vec<Effect>,
}

impl Made {
    pub(super) fn outcome(&self) -> Step {
        let mut keys: Vec<String> = self.effects.iter().map(|e| e.after.subject.key.clone()).collect();
        keys.sort();
        keys.dedup();
        Step {
            id: self.step,
            keys,
            summary: summary(self.effects.iter().map(|effect| effect.after.as_ref())),
        }
    }
}

/// What decisions are in words, such as "1 × keep, 3 × exclude", in the order in which verdicts come first.
pub(super) fn summary<'a>(decisions: impl Iterator<Item = &'a Decision>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for decision in decisions {
        let words = match &decision.verdict {
            _ if dismissed::is_cluster(&decision.subject) => {
                if decision.verdict.is_some() { "not a trigger" } else { "a trigger after all" }.to_owned()
            }
            None => "cleared".to_owned(),
            Some(Verdict::Relabel(class)) => format!("relabel to {class}"),
            Some(verdict) => verdict.as_str().to_owned(),
        };
        match counts.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => counts.push((words, 1)),
        }
    }
    let more = counts.len().saturating_sub(MOST_IN_SUMMARY);
    let mut parts: Vec<String> =
        counts.iter().take(MOST_IN_SUMMARY).map(|(words, count)| format!("{count} × {words}")).collect();
    if more > 0 {
        parts.push(format!("{more} other verdicts"));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// What the rows so far add up to.
pub(super) struct State {
    in_force: HashMap<String, Slots>,
    /// Every row, oldest first.
    pub(super) log: Vec<Logged>,
    pub(super) decided: usize,
    pub(super) undo: Vec<Made>,
    pub(super) redo: Vec<Made>,
    pub(super) last_id: i64,
    pub(super) last_step: i64,
    pub(super) chain: Chain,
}

impl State {
    pub(super) fn new(chain: Chain) -> Self {
        Self {
            in_force: HashMap::new(),
            log: Vec::new(),
            decided: 0,
            undo: Vec::new(),
            redo: Vec::new(),
            last_id: 0,
            last_step: 0,
            chain,
        }
    }

    /// Puts what is in force on one sample, and gives back what was.
    fn put(&mut self, subject: &Subject, decision: Option<Arc<Decision>>) -> Option<Arc<Decision>> {
        let decision = decision.filter(|decision| decision.verdict.is_some());
        // Decisions about clusters are about no sample.
        let counts = |decision: &Option<Arc<Decision>>| {
            usize::from(decision.as_ref().is_some_and(|decision| !dismissed::is_cluster(&decision.subject)))
        };
        self.decided += counts(&decision);
        let slot = match self.in_force.get_mut(&subject.key) {
            Some(slots) => slots.of(subject),
            None => self.in_force.entry(subject.key.clone()).or_default().of(subject),
        };
        let before = std::mem::replace(slot, decision);
        self.decided -= counts(&before);
        before
    }

    /// The rows that undo or redo would append, as (about what, the verdict from then on).
    pub(super) fn rows_of(made: &Made, action: Action) -> Vec<(Subject, Option<Verdict>)> {
        match action {
            // Backwards, so that of two decisions on one sample the earlier one's state stays.
            Action::Undo(_) => made
                .effects
                .iter()
                .rev()
                .map(|effect| match &effect.before {
                    Some(before) => (before.subject.clone(), before.verdict.clone()),
                    None => (effect.after.subject.clone(), None),
                })
                .collect(),
            _ => made.effects.iter().map(|e| (e.after.subject.clone(), e.after.verdict.clone())).collect(),
        }
    }

    /// Takes in the rows of one step. An error says why they make no sense; then nothing has changed.
    pub(super) fn replay(&mut self, entries: Vec<Entry>, chain: Chain) -> Result<(), String> {
        let Some(first) = entries.first() else { return Ok(()) };
        let (action, step, id) = (first.action, first.decision.step, first.decision.id);
        if step != self.last_step + 1 || entries.iter().any(|e| e.action != action) {
            return Err(format!("row {id} does not belong to the step that comes next"));
        }
        let last_id = id + entries.len() as i64 - 1;
        match action {
            Action::Decide => {
                let mut effects = Vec::with_capacity(entries.len());
                for entry in entries {
                    let after = Arc::new(entry.decision);
                    self.log.push(Logged { action, decision: after.clone() });
                    let before = self.put(&after.subject, Some(after.clone()));
                    effects.push(Effect { before, after });
                }
                self.undo.push(Made { step, effects });
                // What was undone before this decision stays in the file's history, but can no longer be redone.
                self.redo.clear();
            }
            Action::Undo(target) | Action::Redo(target) => {
                let undoing = matches!(action, Action::Undo(_));
                let stack = if undoing { &mut self.undo } else { &mut self.redo };
                let fits = stack.last().is_some_and(|made| {
                    made.step == target
                        && Self::rows_of(made, action)
                            .iter()
                            .map(|(subject, verdict)| (subject, verdict))
                            .eq(entries.iter().map(|e| (&e.decision.subject, &e.decision.verdict)))
                });
                let Some(made) = stack.pop_if(|_| fits) else {
                    let what = if undoing { "undoes" } else { "redoes" };
                    return Err(format!("row {id} {what} step {target}, which was not the last one"));
                };
                let rows = entries.into_iter().map(|entry| Arc::new(entry.decision));
                self.log.extend(rows.map(|decision| Logged { action, decision }));
                if undoing {
                    for effect in made.effects.iter().rev() {
                        self.put(&effect.after.subject, effect.before.clone());
                    }
                    self.redo.push(made);
                } else {
                    for effect in &made.effects {
                        self.put(&effect.after.subject, Some(effect.after.clone()));
                    }
                    self.undo.push(made);
                }
            }
        }
        self.last_id = last_id;
        self.last_step = step;
        self.chain = chain;
        Ok(())
    }

    /// Takes in every row of the file after the last one known. What is wrong with the first row that is not what
    /// was written, if one is not: it and all that follow stay out.
    pub(super) fn read_on(&mut self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        // One transaction, so that the rows of a step that another window writes meanwhile are all there or none.
        let reading = connection.unchecked_transaction()?;
        let mut step = Vec::new();
        let mut step_chain = self.chain;
        let mut wrong = None;
        let broken = store::read_after(connection, self.last_id, self.chain, |entry: Entry, chain| {
            if wrong.is_some() {
                return;
            }
            if step.first().is_some_and(|first: &Entry| first.decision.step != entry.decision.step) {
                wrong = self.replay(std::mem::take(&mut step), step_chain).err();
            }
            step.push(entry);
            step_chain = chain;
        })?;
        // Also before a broken row: what was written is what was decided, so the rows before it count.
        // Half an undo fits nothing and stays out.
        if wrong.is_none() {
            wrong = self.replay(step, step_chain).err().filter(|_| broken.is_none());
        }
        reading.finish()?;
        Ok(wrong.or(broken))
    }

    /// The decision in force on a sample with this key and content.
    pub(super) fn in_force(&self, key: &str, hash: &ContentHash) -> Option<&Decision> {
        let slots = self.in_force.get(key)?;
        slots.iter().find(|decision| decision.subject.hash == *hash).map(AsRef::as_ref)
    }

    /// What would put back what was before a step, where that step is in force still.
    pub(super) fn before(&self, step: i64) -> Vec<(Subject, Option<Verdict>)> {
        let Ok(at) = self.undo.binary_search_by_key(&step, |made| made.step) else { return Vec::new() };
        let is_in_force = |effect: &&Effect| {
            let subject = &effect.after.subject;
            let slots = self.in_force.get(&subject.key);
            let now = slots.and_then(|slots| slots.iter().find(|d| d.subject == *subject));
            now.map_or(effect.after.verdict.is_none(), |now| now.id == effect.after.id)
        };
        // Of two decisions on one sample in one step the later is in force, and the earlier knows what was before.
        let name = |effect: &Effect| {
            let subject = &effect.after.subject;
            (subject.key.clone(), subject.change == Some(ChangeKind::Removed))
        };
        let mut first: HashMap<(String, bool), &Effect> = HashMap::new();
        for effect in &self.undo[at].effects {
            first.entry(name(effect)).or_insert(effect);
        }
        let in_force = self.undo[at].effects.iter().filter(is_in_force);
        in_force
            .map(|effect| match first.get(&name(effect)).and_then(|first| first.before.as_ref()) {
                Some(before) => (before.subject.clone(), before.verdict.clone()),
                None => (effect.after.subject.clone(), None),
            })
            .collect()
    }

    /// The shared things that are no triggers, oldest first.
    pub(super) fn dismissed(&self) -> Vec<Dismissed> {
        let decisions = self.in_force.values().flat_map(Slots::iter);
        let mut found: Vec<(i64, Dismissed)> =
            decisions.filter_map(|decision| Some((decision.id, Dismissed::of(decision)?))).collect();
        found.sort_by_key(|(id, _)| *id);
        found.into_iter().map(|(_, dismissed)| dismissed).collect()
    }

    /// The verdicts in force, by key.
    pub(super) fn corrections(&self) -> Vec<Correction> {
        // In any order here, sorted below.
        let mut corrections: Vec<Correction> = self
            .in_force
            .values()
            .flat_map(Slots::iter)
            .filter(|decision| !dismissed::is_cluster(&decision.subject))
            .filter_map(|decision| {
                let Decision { id: _, step: _, subject, verdict, note, reviewer, time_millis } =
                    decision.as_ref();
                Some(Correction {
                    subject: subject.clone(),
                    verdict: verdict.clone()?,
                    note: note.clone(),
                    reviewer: reviewer.clone(),
                    time_millis: *time_millis,
                })
            })
            .collect();
        corrections.sort_by(|a, b| {
            let place = |c: &Correction| c.subject.change == Some(ChangeKind::Removed);
            a.subject.key.cmp(&b.subject.key).then_with(|| place(a).cmp(&place(b)))
        });
        corrections
    }
}
