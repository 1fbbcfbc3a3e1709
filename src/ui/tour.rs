//! What do the three jobs look like? The real window goes through them by itself and keeps a picture of each page.
//!
//! For the project's own screenshots: what is seen is what commands do to real data, one after the other.

use std::collections::VecDeque;
use std::path::PathBuf;

use eframe::egui;

use crate::detect::image_problem::ImageProblem;
use crate::model::{ChangeKind, Verdict};

use super::audit::AuditList;
use super::command::Command;
use super::screenshot::Taken;
use super::state::{ProblemFilter, Queue, View};

/// Calm frames before the next command, and before a picture, so that animations have ended.
const BEFORE_COMMAND: u32 = 3;
const BEFORE_PICTURE: u32 = 24;

enum Step {
    Do(Command),
    Picture(&'static str),
}

/// The rest of the way.
pub struct Tour {
    folder: PathBuf,
    steps: VecDeque<Step>,
    calm: u32,
    taken: Option<Taken>,
}

impl Tour {
    /// Pictures go into this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, steps: way(), calm: 0, taken: None }
    }

    /// Goes on where everything has settled: the next command. Closes the window in the end.
    pub fn poll(&mut self, ctx: &egui::Context, settled: bool) -> Option<Command> {
        ctx.request_repaint();
        if let Some(taken) = &self.taken {
            if let Some(name) = taken.save() {
                self.taken = None;
                self.calm = 0;
                super::screenshot::log(&name);
            }
            return None;
        }
        self.calm = if settled { self.calm + 1 } else { 0 };
        let needed =
            if matches!(self.steps.front(), Some(Step::Do(_))) { BEFORE_COMMAND } else { BEFORE_PICTURE };
        if self.calm < needed {
            return None;
        }
        self.calm = 0;
        match self.steps.pop_front() {
            Some(Step::Do(command)) => return Some(command),
            Some(Step::Picture(name)) => {
                self.taken = Some(Taken::ask(ctx, self.folder.join(format!("{name}.png"))));
            }
            None => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
        None
    }
}

/// Maintainer, label correction, auditor.
fn way() -> VecDeque<Step> {
    use Command as C;
    use Step::{Do, Picture};
    let decide = |verdict| Do(C::Decide(Some(verdict)));
    let mut way = VecDeque::from([
        Do(C::SetView(View::Grid)),
        Do(C::Show(Queue::Overview)),
        Picture("overview"),
        Do(C::Show(Queue::Triggers)),
        Picture("shared-triggers"),
        Do(C::DecideCluster(0, Verdict::Exclude)),
        Picture("shared-triggers-decide"),
        Do(C::Confirm),
        Do(C::Show(Queue::Change(ChangeKind::Edited))),
        Do(C::SetView(View::OneByOne)),
        Do(C::Both),
        Picture("edited-both"),
        Do(C::Difference),
        Picture("edited-difference"),
        Do(C::Difference),
        Do(C::Show(Queue::Change(ChangeKind::Relabelled))),
        Do(C::SetView(View::SideBySide)),
        Picture("relabelled-side-by-side"),
        Do(C::SetView(View::Grid)),
        Do(C::Show(Queue::Map)),
        Picture("map"),
        Do(C::Show(Queue::SuspiciousLabels)),
    ]);
    for _ in 0..6 {
        way.push_back(Do(C::AcceptSuggestion));
    }
    way.push_back(decide(Verdict::Keep));
    way.extend([
        Picture("suspicious-labels"),
        Do(C::SetView(View::OneByOne)),
        Picture("suspicious-one-by-one"),
        Do(C::SetView(View::Grid)),
        Do(C::Show(Queue::Twins)),
        Picture("duplicates"),
        Do(C::FilterProblems(Some(ProblemFilter::Below(ImageProblem::Blurred, 0.29)))),
        Picture("image-problems"),
        Do(C::Show(Queue::Audit)),
        Picture("audit-plan"),
        Do(C::DrawAudit),
        Do(C::ShowAudit(AuditList::Drawn)),
    ]);
    for at in 0..24 {
        way.push_back(decide(if at == 9 { Verdict::Exclude } else { Verdict::Keep }));
    }
    way.extend([
        Picture("audit-blind"),
        Do(C::Show(Queue::Audit)),
        Picture("audit-report"),
        Do(C::Palette),
        Picture("all-commands"),
        Do(C::Escape),
        Do(C::Show(Queue::History)),
        Picture("history"),
        Do(C::Export),
        Picture("export"),
    ]);
    way
}
