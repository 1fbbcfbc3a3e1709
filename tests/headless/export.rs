//! Tests of `export` on real files.
#![allow(clippy::unwrap_used)]

mod apply;

use sparrowhawk::export::patch::PatchFile;
use sparrowhawk::export::{EXPORTERS, ExportInput, exporter};
use sparrowhawk::model::{ChangeKind, ContentHash, Subject, SubjectBase, Verdict};
use sparrowhawk::review::{Correction, ReviewAbout};

fn about() -> ReviewAbout {
    ReviewAbout { source: "fork, \"new\"".into(), base: Some("base".into()) }
}

fn correction(key: &str, verdict: Verdict) -> Correction {
    let base = SubjectBase {
        key: format!("base/{key}"),
        hash: ContentHash::of(b"base"),
        label: Some("Hund".into()),
        split: None,
    };
    Correction {
        subject: Subject {
            key: key.into(),
            hash: ContentHash::of(key.as_bytes()),
            label: Some("Katze, groß".into()),
            split: Some("train".into()),
            change: Some(ChangeKind::Relabelled),
            base: Some(base),
        },
        verdict,
        note: "two\nlines and \"quotes\"".into(),
        reviewer: "ann".into(),
        time_millis: 1_700_000_000_123,
    }
}

#[test]
fn csv_is_read_back_by_any_reader() {
    let hostile = "=HYPERLINK(\"http://x\",\"y\"),\r\n1.png";
    let corrections =
        [correction(hostile, Verdict::Revert), correction("b.png", Verdict::Relabel("+1".into()))];
    let bytes =
        exporter("csv").unwrap().render(&ExportInput { about: &about(), corrections: &corrections }).unwrap();
    assert!(bytes.starts_with(
        b"key,hash,label,split,verdict,new_label,change,base_key,base_label,note,reviewer,time\r\n"
    ));
    assert!(bytes.ends_with(b"\r\n"));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let hash = ContentHash::of(hostile.as_bytes()).to_string();
    let expected = [
        hostile,
        &hash,
        "Katze, groß",
        "train",
        "revert",
        "Hund",
        "relabelled",
        &format!("base/{hostile}"),
        "Hund",
        "two\nlines and \"quotes\"",
        "ann",
        "2023-11-14T22:13:20.123Z",
    ];
    assert_eq!(rows[0].iter().collect::<Vec<_>>(), expected);
    assert_eq!((&rows[1][4], &rows[1][5]), ("relabel", "+1"));
    assert_eq!(rows.len(), 2);
}

/// What every exporter must do, present and future.
#[test]
fn every_exporter_renders_the_same_bytes_again_and_nothing_at_all() {
    let all: Vec<Correction> = [
        Verdict::Keep,
        Verdict::Relabel("ä\u{202e}".into()),
        Verdict::Exclude,
        Verdict::Revert,
        Verdict::Unsure,
    ]
    .into_iter()
    .enumerate()
    .map(|(i, verdict)| correction(&format!("../../{i}\0\"\n.png"), verdict))
    .collect();
    for format in EXPORTERS {
        for corrections in [&all[..], &[]] {
            let about = about();
            let input = ExportInput { about: &about, corrections };
            let bytes = format.render(&input).unwrap();
            assert!(!bytes.is_empty(), "{}: even an empty export says what it is", format.id());
            assert_eq!(bytes, format.render(&input).unwrap(), "{}", format.id());
        }
        assert_eq!(exporter(format.id()).unwrap().id(), format.id());
    }
    let error = exporter("xlsx").err().unwrap().to_string();
    assert_eq!(error, "there is no export format `xlsx`; there are: csv, patch");
}

#[test]
fn a_patch_says_what_it_is_and_holds_what_is_to_be_done() {
    let corrections = [
        correction("a.png", Verdict::Keep),
        correction("b.png", Verdict::Relabel("Hund".into())),
        correction("c.png", Verdict::Exclude),
    ];
    let about = about();
    let input = ExportInput { about: &about, corrections: &corrections };
    let text = String::from_utf8(exporter("patch").unwrap().render(&input).unwrap()).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        r#"{"schema":1,"kind":"sparrowhawk-patch","source":"fork, \"new\"","base":"base"}"#
    );
    let relabel = format!(
        r#"{{"key":"b.png","hash":"{}","relabel":{{"from":"Katze, groß","to":"Hund"}},"note":"two\nlines and \"quotes\""}}"#,
        ContentHash::of(b"b.png")
    );
    assert_eq!(lines.next().unwrap(), relabel);
    let exclude = format!(
        r#"{{"key":"c.png","hash":"{}","exclude":{{"label":"Katze, groß","split":"train"}},"note":"two\nlines and \"quotes\""}}"#,
        ContentHash::of(b"c.png")
    );
    assert_eq!(lines.next().unwrap(), exclude);
    assert_eq!(lines.next(), None);
    assert_eq!(PatchFile::parse(&text).unwrap(), PatchFile::of(&input));
}
