//! How much of what was planted did a scan find?

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::DrillError;
use crate::model::PixelBox;

/// The longest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1 << 30;
/// A box counts as found from this overlap (intersection over union).
const BOX_FOUND: f64 = 0.3;

/// One planted sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its key in the poisoned copy.
    pub key: String,
    /// `trigger` or `flip` for poison; other kinds are not scored.
    pub kind: String,
    /// Which attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<String>,
    /// The label it was given.
    #[serde(default)]
    pub label: Option<String>,
    /// What its picture shows.
    #[serde(default)]
    pub true_label: Option<String>,
    /// The key of the picture that it was made of.
    #[serde(default, alias = "base_key", skip_serializing_if = "Option::is_none")]
    pub source_key: Option<String>,
    /// Where the picture was changed.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub area: Option<PixelBox>,
}

/// The parts of a scan's JSON that are scored.
#[derive(Debug, Deserialize)]
struct ScanJson {
    schema: u32,
    samples: Vec<SampleJson>,
    clusters: Vec<ClusterJson>,
    #[serde(default)]
    detectors: Vec<DetectorJson>,
}

#[derive(Debug, Deserialize)]
struct DetectorJson {
    seconds: f64,
}

#[derive(Debug, Deserialize)]
struct SampleJson {
    key: String,
    signals: Vec<SignalJson>,
}

#[derive(Debug, Deserialize)]
struct SignalJson {
    #[serde(default)]
    alarm: bool,
}

#[derive(Debug, Deserialize)]
struct ClusterJson {
    id: String,
    members: Vec<MemberJson>,
}

#[derive(Debug, Deserialize)]
struct MemberJson {
    key: String,
    #[serde(rename = "box")]
    area: Option<PixelBox>,
}

/// What was found. Shares are in [0, 1]; `None` where there is nothing to divide by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Planted samples.
    pub planted: usize,
    /// Of them, samples that the scan judged.
    pub judged: usize,
    /// Samples that the scan judged.
    pub samples: usize,
    /// Average precision of the ranking by suspicion.
    pub average_precision: f64,
    /// Share of planted ones among the first as many as were planted.
    pub precision_at_planted: f64,
    /// Place of the first planted sample, from 1: how many a reviewer looks at before the first.
    pub first_planted: Option<usize>,
    /// Samples with a signal above its alarm threshold, the planted ones among them.
    pub alarmed: Listed,
    /// Members of clusters.
    pub clustered: Listed,
    /// The cluster with the most planted members.
    pub best_cluster: Option<BestCluster>,
    /// Wall time of the detectors, in seconds: the time to detection but for reading and reviewing.
    pub seconds: f64,
}

/// A list that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Listed {
    /// How long it is.
    pub listed: usize,
    /// Share of planted ones in it.
    pub precision: Option<f64>,
    /// Share of the planted ones that it holds.
    pub recall: f64,
}

/// One cluster against what was planted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BestCluster {
    /// Its name.
    pub id: String,
    /// Its place among the clusters, from 1.
    pub rank: usize,
    /// What it holds.
    #[serde(flatten)]
    pub members: Listed,
    /// Median intersection over union of the boxes of its planted members.
    pub box_overlap: Option<f64>,
    /// Share of its planted members whose box overlaps by at least 0.3.
    pub boxes_found: Option<f64>,
}

/// Reads a manifest.
pub fn read_manifest(path: &Path) -> Result<Vec<Line>, DrillError> {
    let invalid = |message: String| DrillError::Invalid { message, path: path.to_owned() };
    let file = std::fs::File::open(path).map_err(|error| invalid(format!("cannot be read ({error})")))?;
    let mut lines = Vec::new();
    for (number, text) in BufReader::new(file.take(MAX_MANIFEST_BYTES)).lines().enumerate() {
        let text = text.map_err(|error| invalid(format!("cannot be read ({error})")))?;
        if !text.trim().is_empty() {
            let line =
                serde_json::from_str(&text).map_err(|e| invalid(format!("line {}: {e}", number + 1)))?;
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Scores the JSON of a `scan` against a manifest; only lines of kind `trigger` and `flip` count as planted.
pub fn score(scan: &str, manifest: &[Line]) -> Result<Score, String> {
    let scan: ScanJson = serde_json::from_str(scan).map_err(|e| format!("not the JSON of a scan ({e})"))?;
    if scan.schema != 1 {
        return Err(format!("the scan has schema {}, and this program knows 1", scan.schema));
    }
    let planted: HashMap<&str, &Line> = manifest
        .iter()
        .filter(|line| matches!(line.kind.as_str(), "trigger" | "flip"))
        .map(|line| (line.key.as_str(), line))
        .collect();
    if planted.is_empty() {
        return Err("the manifest has no planted sample".into());
    }
    let is_planted = |key: &str| planted.contains_key(key);
    let (mut hits, mut sum, mut at_planted, mut first) = (0_usize, 0.0, 0_usize, None);
    for (at, _) in scan.samples.iter().enumerate().filter(|(_, sample)| is_planted(&sample.key)) {
        hits += 1;
        sum += hits as f64 / (at + 1) as f64;
        at_planted += usize::from(at < planted.len());
        first.get_or_insert(at + 1);
    }
    let listed = |keys: &HashSet<&str>| {
        let found = keys.iter().filter(|key| is_planted(key)).count();
        let precision = (!keys.is_empty()).then(|| found as f64 / keys.len() as f64);
        Listed { listed: keys.len(), precision, recall: found as f64 / planted.len() as f64 }
    };
    let alarmed = scan.samples.iter().filter(|s| s.signals.iter().any(|signal| signal.alarm));
    let members = |cluster: &ClusterJson| cluster.members.iter().filter(|m| is_planted(&m.key)).count();
    let best = scan
        .clusters
        .iter()
        .enumerate()
        .filter(|(_, cluster)| members(cluster) > 0)
        .max_by_key(|(at, cluster)| (members(cluster), usize::MAX - at));
    Ok(Score {
        planted: planted.len(),
        judged: hits,
        samples: scan.samples.len(),
        average_precision: sum / planted.len() as f64,
        precision_at_planted: at_planted as f64 / planted.len() as f64,
        first_planted: first,
        alarmed: listed(&alarmed.map(|sample| sample.key.as_str()).collect()),
        clustered: listed(
            &scan.clusters.iter().flat_map(|c| &c.members).map(|member| member.key.as_str()).collect(),
        ),
        best_cluster: best.map(|(at, cluster)| {
            let mut overlaps: Vec<f64> = cluster
                .members
                .iter()
                .filter_map(|member| Some(planted.get(member.key.as_str())?.area?.iou(&member.area?)))
                .collect();
            overlaps.sort_by(f64::total_cmp);
            let found = overlaps.iter().filter(|overlap| **overlap >= BOX_FOUND).count();
            BestCluster {
                id: cluster.id.clone(),
                rank: at + 1,
                members: listed(&cluster.members.iter().map(|member| member.key.as_str()).collect()),
                box_overlap: overlaps.get(overlaps.len() / 2).copied(),
                boxes_found: (!overlaps.is_empty()).then(|| found as f64 / overlaps.len() as f64),
            }
        }),
        seconds: scan.detectors.iter().map(|detector| detector.seconds).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Vec<Line> {
        let text = r#"{"key":"a","kind":"trigger","label":"x","true_label":"y","box":[0,0,10,10]}
            {"key":"b","kind":"flip","label":"x","true_label":"y"}
            {"key":"c","kind":"label-slip","label":"x","true_label":"y","base_key":"q"}"#;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn scan(samples: &str, clusters: &str) -> String {
        format!(
            r#"{{"schema":1,"samples":[{samples}],"clusters":[{clusters}],"detectors":[{{"seconds":1.5}}]}}"#
        )
    }

    fn sample(key: &str, alarm: bool) -> String {
        format!(r#"{{"key":"{key}","signals":[{{"alarm":{alarm}}},{{}}]}}"#)
    }

    #[test]
    fn what_was_planted_is_counted() {
        let samples = [sample("b", true), sample("c", true), sample("a", false)].join(",");
        let clusters = r#"{"id":"t1","members":[{"key":"c","box":null}]},
            {"id":"t2","members":[{"key":"a","box":[0,0,10,5]},{"key":"z","box":[0,0,1,1]}]}"#;
        let score = score(&scan(&samples, clusters), &manifest()).unwrap();
        assert_eq!((score.planted, score.judged, score.samples), (2, 2, 3));
        assert!((score.average_precision - f64::midpoint(1.0, 2.0 / 3.0)).abs() < 1e-12);
        assert_eq!((score.precision_at_planted, score.first_planted), (0.5, Some(1)));
        assert_eq!(score.alarmed, Listed { listed: 2, precision: Some(0.5), recall: 0.5 });
        assert_eq!(score.clustered, Listed { listed: 3, precision: Some(1.0 / 3.0), recall: 0.5 });
        let best = score.best_cluster.unwrap();
        assert_eq!((best.id.as_str(), best.rank, best.box_overlap), ("t2", 2, Some(0.5)));
        assert_eq!((best.members.recall, best.boxes_found, score.seconds), (0.5, Some(1.0), 1.5));
    }

    #[test]
    fn nothing_found_is_no_error_and_nonsense_is() {
        let score_of = |text: &str| score(text, &manifest());
        let none = score_of(&scan("", "")).unwrap();
        assert_eq!((none.average_precision, none.first_planted, none.best_cluster), (0.0, None, None));
        assert_eq!(none.alarmed.precision, None);
        for text in ["", "[]", "{}", r#"{"schema":2,"samples":[],"clusters":[]}"#] {
            assert!(score_of(text).is_err(), "{text}");
        }
        assert!(score(&scan("", ""), &manifest()[2..]).is_err());
    }
}
