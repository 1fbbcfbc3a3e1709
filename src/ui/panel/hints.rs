//! What deserves a look first? Sentences for the overview, each with where it leads.

use std::collections::BTreeMap;

use crate::model::ChangeKind;
use crate::ui::app::ViewCtx;
use crate::ui::command::Command;
use crate::ui::session::Which;
use crate::ui::state::Queue;
use crate::ui::widget::grouped;

use super::clusters::is_alarm;

/// Clusters that get a sentence of their own.
const MOST_CLUSTERS: usize = 3;

/// The sentences, the worst news first.
pub fn look_first(ctx: &ViewCtx<'_>) -> Vec<(String, Command)> {
    let mut hints = Vec::new();
    let scan = ctx.items.scan.as_deref();
    let clusters = scan.iter().flat_map(|scan| &scan.clusters).enumerate();
    let open =
        clusters.filter(|(at, cluster)| ctx.verdicts.dismissed(*at).is_none() && is_alarm(ctx, cluster));
    for (at, cluster) in open.take(MOST_CLUSTERS) {
        let what = if cluster.kind == "overlay" { "are covered by one pattern" } else { "share one mark" };
        let base = match cluster.base_matches {
            _ if ctx.session.base().is_none() => String::new(),
            0 => ", and no picture of the base has it".to_owned(),
            many => format!(", and {} of the base come near", grouped(many as usize)),
        };
        let members = cluster.members.iter().map(|member| ctx.items.item(Which::Target, member.row as usize));
        let labelled = members.clone().filter(|item| ctx.items.label(*item) == Some(cluster.label.as_str()));
        let share = labelled.count() as f64 / cluster.members.len().max(1) as f64;
        let left = members.filter(|item| !ctx.verdicts.is_decided(*item)).count();
        let done = if left == 0 { " (all decided)" } else { "" };
        let text = format!(
            "{} pictures {what}, {:.0} % of them labelled “{}”{base}{done}",
            grouped(cluster.members.len()),
            100.0 * share,
            cluster.label
        );
        hints.push((text, Command::Show(Queue::Cluster(at as u16))));
    }
    let torn = scan.map_or(0, |scan| scan.groups.iter().filter(|group| group.matters()).count());
    if torn > 0 {
        let text = format!(
            "{} {} there more than once with different labels, or in more than one split",
            grouped(torn),
            if torn == 1 { "picture is" } else { "pictures are" }
        );
        hints.push((text, Command::Show(Queue::Twins)));
    }
    let suspicious = ctx.counts.of(Queue::SuspiciousLabels).total;
    if suspicious > 0 {
        // Among the samples that came, the class under which most of them disagree with their picture.
        let mut by_label: BTreeMap<&str, usize> = BTreeMap::new();
        let ranking = scan.map(|scan| scan.ranking.as_slice()).unwrap_or_default();
        for ranked in
            ranking.iter().filter(|r| r.signals.iter().any(|s| s.alarm && s.detector == "label-error"))
        {
            let item = ctx.items.item(Which::Target, ranked.row as usize);
            let is_new = ctx.items.change(item).is_some_and(|change| {
                change.is(ChangeKind::Added)
                    || change.is(ChangeKind::Edited)
                    || change.is(ChangeKind::Duplicated)
            });
            if is_new || ctx.items.diff.is_none() {
                *by_label.entry(ctx.items.label(item).unwrap_or("no label")).or_default() += 1;
            }
        }
        let of = if ctx.items.diff.is_some() { "changed" } else { "judged" };
        hints.push((
            format!("{} {of} samples have a label that disagrees with their picture", grouped(suspicious)),
            Command::Show(Queue::SuspiciousLabels),
        ));
        let total: usize = by_label.values().sum();
        if let Some((label, count)) = by_label.iter().max_by_key(|(_, count)| **count)
            && ctx.items.diff.is_some()
            && *count >= 5
            && *count * 3 >= total
            && by_label.len() > 1
        {
            let text =
                format!("{count} of {total} new pictures with a doubtful label are labelled “{label}”");
            let query = format!("change:added,edited,duplicated score>0.5 label:\"{label}\"");
            hints.push((text, Command::Search(query)));
        }
    }
    if let Some(flow) = ctx.session.flows().first().filter(|flow| flow.count >= 3) {
        let text = format!("{} samples went from “{}” to “{}”", flow.count, flow.from, flow.to);
        hints.push((text, flow_command(&flow.from, &flow.to)));
    }
    let moved = ctx.session.distribution().and_then(|d| {
        d.classes
            .iter()
            .filter(|c| c.p_adjusted < 0.05)
            .max_by(|a, b| a.share_change.abs().total_cmp(&b.share_change.abs()))
    });
    if let Some(class) = moved {
        let text = format!(
            "The share of “{}” moved by {:+.1} percentage points, more than chance explains (p = {:.1e})",
            class.name,
            class.share_change * 100.0,
            class.p_adjusted
        );
        hints.push((text, Command::Search(format!("label:\"{}\" change:any", class.name))));
    }
    hints
}

/// Shows the samples of one label flow.
pub fn flow_command(from: &str, to: &str) -> Command {
    Command::Search(format!("base:\"{from}\" label:\"{to}\" change:relabelled"))
}
