//! Confident learning against the figures of cleanlab 2.9.

use std::path::Path;

use serde_json::Value;
use sparrowhawk::detect::confident::{self, Ensemble, Filter, Pruning, Quality};

use crate::common::shared_data;

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn integers(value: &Value) -> Vec<usize> {
    floats(value).into_iter().map(|v| v as usize).collect()
}

fn close(found: &[f64], expected: &Value, what: &str) {
    let expected = floats(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{what}: {found} instead of {expected}");
    }
}

fn filter(name: &str) -> (Filter, Pruning) {
    let (name, option) = name.split_once('@').unwrap_or((name, ""));
    let filter = Filter::ALL.iter().find(|(known, _)| *known == name).expect("a filter").1;
    let pruning = match option {
        "" => Pruning::default(),
        "frac_noise=0.5" => Pruning { frac_noise: 0.5, ..Pruning::default() },
        "min_examples_per_class=5" => Pruning { min_examples_per_class: 5, ..Pruning::default() },
        other => panic!("no option {other}"),
    };
    (filter, pruning)
}

fn quality(name: &str) -> (Quality, bool) {
    let (name, adjusted) = name.strip_suffix("_adjusted").map_or((name, false), |name| (name, true));
    let quality = match name {
        "self_confidence" => Quality::SelfConfidence,
        "normalized_margin" => Quality::NormalizedMargin,
        "confidence_weighted_entropy" => Quality::ConfidenceWeightedEntropy,
        other => panic!("no score {other}"),
    };
    (quality, adjusted)
}

fn check_vector(path: &Path) {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let vector: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let labels: Vec<u32> = integers(&vector["labels"]).into_iter().map(|label| label as u32).collect();
    let p = floats(&vector["pred_probs"]);
    let classes = vector["K"].as_u64().unwrap() as usize;
    let whole = |value: &Value| -> Vec<u64> { integers(value).into_iter().map(|v| v as u64).collect() };

    let thresholds = confident::thresholds(&p, &labels, classes);
    close(&thresholds, &vector["thresholds"], &name);
    let joint = confident::confident_joint(&p, &labels, &thresholds);
    assert_eq!(joint, whole(&vector["confident_joint_uncalibrated"]), "{name}");
    let wrong = confident::off_diagonal(&p, &labels, &thresholds).len() as u64;
    assert_eq!(wrong, vector["num_label_issues"]["off_diagonal"].as_u64().unwrap(), "{name}");

    let ties: Vec<usize> = vector.get("rounding_tie_rows").map(integers).unwrap_or_default();
    let calibrated = confident::calibrate(&joint, &labels, classes);
    for (row, expected) in whole(&vector["confident_joint"]).chunks(classes).enumerate() {
        let found = &calibrated[row * classes..(row + 1) * classes];
        assert!(found == expected || ties.contains(&row), "{name}, row {row}: {found:?}, {expected:?}");
    }
    assert_eq!(
        confident::calibrated_issues(&calibrated, classes),
        vector["num_label_issues"]["off_diagonal_calibrated"].as_u64().unwrap(),
        "{name}"
    );
    let cleanlabs = whole(&vector["confident_joint"]);
    let counts = confident::prune_counts(&cleanlabs, classes, Pruning::default());
    assert_eq!(counts, whole(&vector["prune_count_matrix"]), "{name}");

    for (given, expected) in vector["issues"].as_object().unwrap() {
        let (filter, pruning) = filter(given);
        // Where the joint itself hangs on an arbitrary choice, the filters are told cleanlab's choice.
        let found = confident::flagged_by(&p, &labels, &cleanlabs, filter, pruning);
        assert_eq!(found, integers(expected), "{name}: {given}");
        if ties.is_empty() {
            assert_eq!(confident::flagged(&p, &labels, classes, filter, pruning), found, "{name}: {given}");
        }
    }
    for (given, expected) in vector["scores"].as_object().unwrap() {
        let (quality, adjusted) = quality(given);
        let scores = confident::label_quality(&p, &labels, classes, quality, adjusted.then_some(&thresholds));
        close(&scores, expected, &format!("{name}: {given}"));
    }
    for (of, ranked) in vector["ranked"].as_object().unwrap() {
        for (by, expected) in ranked.as_object().unwrap() {
            let scores = confident::label_quality(&p, &labels, classes, quality(by).0, None);
            let mut order = integers(&vector["issues"][of]);
            order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(a.cmp(&b)));
            let by_score = |order: &[usize]| -> Vec<u64> {
                order.iter().map(|&at| (scores[at] * 1e12) as u64).collect()
            };
            assert_eq!(by_score(&order), by_score(&integers(expected)), "{name}: {of} by {by}");
        }
    }
}

#[test]
fn confident_learning_counts_flags_and_scores_as_cleanlab_does() {
    let Some(folder) = shared_data("vectors") else { return };
    for name in [
        "t3_hand",
        "r60x4",
        "r80x2_binary",
        "r120x5_imbalanced",
        "r60x5_missing_class",
        "r40x3_uninformative",
        "r300x20",
    ] {
        check_vector(&folder.join(name).with_extension("json"));
    }
}

#[test]
fn ensembles_weigh_their_members_as_cleanlab_does() {
    let Some(folder) = shared_data("vectors") else { return };
    let vector: Value =
        serde_json::from_slice(&std::fs::read(folder.join("ensemble50x3.json")).unwrap()).unwrap();
    let labels: Vec<u32> = integers(&vector["labels"]).into_iter().map(|label| label as u32).collect();
    let members: Vec<Vec<f64>> = vector["pred_probs_list"].as_array().unwrap().iter().map(floats).collect();
    let members: Vec<&[f64]> = members.iter().map(Vec::as_slice).collect();
    let scores: Vec<Vec<f64>> = members
        .iter()
        .map(|p| confident::label_quality(p, &labels, 3, Quality::SelfConfidence, None))
        .collect();
    let scores: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
    for (name, how) in [
        ("uniform", Ensemble::Uniform),
        ("accuracy", Ensemble::Accuracy),
        ("log_loss_search", Ensemble::LogLossSearch),
    ] {
        let weights = confident::ensemble_weights(&members, &labels, 3, how);
        close(&confident::average(&scores, &weights), &vector["scores"][name], name);
    }
}
