//! What should a person look at first? One number a sample out of everything that was said about it.
//!
//! **The rule.** Each detector's score `s` in [0, 1] counts with the detector's weight `w`, and what several say adds up
//! as for independent reasons: `doubt = 1 − Π (1 − w·s)`; a contribution's change of the picture or of the label is one
//! more, small reason. A sample of a cluster that passes its alarm comes before every sample that is in none:
//! `suspicion = 0.9 + 0.1 · doubt`, for the others `0.9 · doubt`. A hundred pictures that share a planted mark are the rarer
//! and the worse news than the wrong labels that every dataset has, and within the cluster those whose label is
//! doubtful too come first.
//!
//! Two clusters that have most of their members in common are one cause that two detectors saw: they are shown as one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{ChangeKind, Cluster, Signal};

/// Members of alarmed clusters are above, all others below.
const CLUSTER_FLOOR: f64 = 0.9;
/// Two clusters are one from this share of the smaller one's members.
const SHARED_MEMBERS: f64 = 0.5;

/// How much a detector's score says about the label being wrong or the sample being planted.
fn weight(signal: &Signal) -> f64 {
    match signal.detector {
        detector if signal.cluster.is_some() || detector == "label-error" => 1.0,
        // A strange or poor picture is rarely a wrong one.
        "outlier" => 0.1,
        "image-problem" => 0.05,
        // Such as "duplicate".
        _ => 0.5,
    }
}

/// A score that is no number says nothing.
fn sound(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) }
}

/// How much the change alone says.
fn change_weight(change: Option<ChangeKind>) -> f64 {
    match change {
        Some(ChangeKind::Edited) => 0.1,
        Some(ChangeKind::Relabelled | ChangeKind::Duplicated) => 0.05,
        _ => 0.0,
    }
}

/// The suspicion of one sample, in [0, 1], by the rule above.
pub(super) fn suspicion(signals: &[Signal], change: Option<ChangeKind>) -> f64 {
    let reasons = signals.iter().map(|signal| weight(signal) * sound(signal.score));
    let doubt = 1.0 - reasons.fold(1.0 - change_weight(change), |trust, reason| trust * (1.0 - reason));
    if signals.iter().any(|signal| signal.cluster.is_some() && signal.alarm) {
        CLUSTER_FLOOR + (1.0 - CLUSTER_FLOOR) * doubt
    } else {
        CLUSTER_FLOOR * doubt
    }
}

/// Sorts clusters by score downwards, makes one of those that show one cause, and names them `t1`, `t2`, …,
/// also in the members' signals.
pub(super) fn name_clusters(
    mut clusters: Vec<Cluster>,
    signals: &mut BTreeMap<u32, Vec<Signal>>,
) -> Vec<Cluster> {
    clusters.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.p_value.total_cmp(&b.p_value)));
    let mut kept: Vec<(Cluster, BTreeSet<u32>)> = Vec::new();
    let mut names: HashMap<(&'static str, String), usize> = HashMap::new();
    for cluster in clusters {
        let rows: BTreeSet<u32> = cluster.members.iter().map(|member| member.row).collect();
        let same = kept.iter().position(|(_, others)| {
            let shared = rows.intersection(others).count();
            shared > 0 && shared as f64 >= SHARED_MEMBERS * rows.len().min(others.len()) as f64
        });
        let name = (cluster.detector, cluster.id.clone());
        match same {
            None => {
                names.insert(name, kept.len());
                kept.push((cluster, rows));
            }
            Some(at) => {
                names.insert(name, at);
                let (into, others) = &mut kept[at];
                let words = format!("; seen by {} too", cluster.detector);
                if into.detector != cluster.detector && !into.reason.contains(&words) {
                    into.reason += &words;
                }
                into.members.extend(cluster.members.into_iter().filter(|member| others.insert(member.row)));
            }
        }
    }
    for signal in signals.values_mut().flatten() {
        if let Some(id) = signal.cluster.take() {
            // A cluster that a signal names and nobody reported cannot be shown.
            signal.cluster = names.get(&(signal.detector, id)).map(|at| format!("t{}", at + 1));
        }
    }
    kept.into_iter()
        .enumerate()
        .map(|(at, (cluster, _))| Cluster { id: format!("t{}", at + 1), ..cluster })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Member;

    fn signal(detector: &'static str, score: f64, cluster: Option<&str>, alarm: bool) -> Signal {
        Signal { score, cluster: cluster.map(str::to_owned), alarm, ..Signal::of(detector, 0) }
    }

    #[test]
    fn members_of_clusters_come_first_and_reasons_add_up() {
        let label = |score| signal("label-error", score, None, true);
        let member = |score| signal("shared-trigger", score, Some("t1"), true);
        // Least suspicious first.
        let order: [(&[Signal], Option<ChangeKind>); 10] = [
            (&[], None),
            (&[signal("image-problem", 1.0, None, false)], None),
            (&[label(0.2)], None),
            (&[label(0.2)], Some(ChangeKind::Relabelled)),
            (&[label(0.2)], Some(ChangeKind::Edited)),
            (&[signal("shared-trigger", 0.6, Some("t1"), false)], None),
            (&[label(1.0), signal("duplicate", 1.0, None, true)], Some(ChangeKind::Edited)),
            (&[member(0.1)], None),
            (&[member(0.1), label(0.9)], None),
            (&[member(0.99), label(0.9)], None),
        ];
        let values: Vec<f64> = order.iter().map(|(signals, change)| suspicion(signals, *change)).collect();
        assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
        assert_eq!(values[0], 0.0);
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!((suspicion(&[label(0.5)], None) - 0.9 * 0.5).abs() < 1e-12);
        assert_eq!(suspicion(&[label(f64::NAN)], None), 0.0);
    }

    fn cluster(detector: &'static str, id: &str, score: f64, rows: &[u32]) -> Cluster {
        let members = rows.iter().map(|&row| Member { row, area: None, score: 1.0 }).collect();
        Cluster { id: id.into(), score, members, ..Cluster::of(detector, "patch") }
    }

    #[test]
    fn clusters_of_one_cause_are_one() {
        let clusters = vec![
            cluster("b", "1", 0.5, &[7, 8, 9]),
            cluster("a", "1", 0.9, &[1, 2, 3, 4]),
            cluster("b", "2", 0.7, &[3, 4, 5]),
            cluster("a", "2", 0.6, &[4, 7]),
        ];
        let mut signals = BTreeMap::from([
            (4, vec![signal("a", 0.9, Some("1"), true), signal("b", 0.7, Some("2"), true)]),
            (8, vec![signal("b", 0.5, Some("1"), true), signal("a", 0.5, Some("gone"), true)]),
        ]);
        let named = name_clusters(clusters, &mut signals);
        let shown: Vec<(&str, Vec<u32>)> =
            named.iter().map(|c| (c.id.as_str(), c.members.iter().map(|m| m.row).collect())).collect();
        assert_eq!(shown, [("t1", vec![1, 2, 3, 4, 5, 7]), ("t2", vec![7, 8, 9])]);
        assert!(named[0].reason.contains("seen by b too"), "{}", named[0].reason);
        let of = |row: u32| signals[&row].iter().map(|s| s.cluster.as_deref()).collect::<Vec<_>>();
        assert_eq!((of(4), of(8)), (vec![Some("t1"), Some("t1")], vec![Some("t2"), None]));
    }
}
