//! What exactly is in a review file, byte for byte? One SQLite database: `meta` and the append-only `decisions`.
//!
//! # Why a rollback journal and not a write-ahead log
//! People copy review files, mail them, and keep them on network drives.
//! With a write-ahead log the newest decisions live in a second file until a checkpoint: whoever copies the first
//! one, or whose program is killed, silently lacks them; and a log needs shared memory, which network drives lack.
//! With `journal_mode=DELETE` every acknowledged decision is in the one file, and nothing lies beside it.
//! `synchronous=EXTRA` also syncs the folder after the journal is removed: without it a power cut could bring the
//! journal back and with it undo a decision that was shown as saved.
//!
//! # The chain
//! `chain` of row n is BLAKE3 of the 32 bytes of row n−1's `chain`, followed by row n's other columns in their
//! order in the table, each encoded as
//! - NULL: the byte 0;
//! - integer: the byte 1, then 8 bytes, little endian, two's complement;
//! - text: the byte 2, the length in bytes as 8 bytes little endian, the UTF-8 bytes;
//! - blob: the byte 3, the length in bytes as 8 bytes little endian, the bytes.
//!
//! Before the first row stands BLAKE3 in key derivation mode with the context [`CONTEXT`] over the rows of `meta`,
//! ordered by `name`, each as its encoded name and encoded value.
//! The chain shows a change, a removal in the middle and a change of order.
//! It cannot show that somebody cut rows off the end or wrote the whole chain anew: against that, note down
//! [`Review::head`](super::Review::head) elsewhere.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, params};

use super::{Action, ReviewAbout, ReviewError};
use crate::model::{ChangeKind, ContentHash, Decision, Subject, SubjectBase, Verdict};

/// "SpHk": what makes the file one of ours, for us and for `file(1)`.
const APPLICATION_ID: i64 = 0x5370_486B;

/// The version of the format that this file describes.
const FORMAT_VERSION: i64 = 1;

/// The context under which the chain begins.
const CONTEXT: &str = "sparrowhawk review file, hash chain, version 1";

/// The longest note, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 << 10;

/// The longest key, class name, split or reviewer's name, in bytes.
pub const MAX_NAME_BYTES: usize = 16 << 10;

/// The chain's value after some row.
pub(super) type Chain = [u8; 32];

/// The whole schema; a file whose schema reads otherwise is not opened, since its triggers could do anything.
const SCHEMA: &[(&str, &str)] = &[
    (
        "decisions",
        "CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  kind TEXT NOT NULL,
  target INTEGER,
  key TEXT NOT NULL,
  hash BLOB NOT NULL,
  label TEXT,
  split TEXT,
  change TEXT,
  base_key TEXT,
  base_hash BLOB,
  base_label TEXT,
  base_split TEXT,
  verdict TEXT,
  verdict_label TEXT,
  note TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  time_millis INTEGER NOT NULL,
  chain BLOB NOT NULL
) STRICT",
    ),
    ("decisions_by_key", "CREATE INDEX decisions_by_key ON decisions (key)"),
    (
        "decisions_only_grow",
        "CREATE TRIGGER decisions_only_grow BEFORE INSERT ON decisions
WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM decisions)
BEGIN SELECT raise(ABORT, 'decisions are only ever appended'); END",
    ),
    (
        "decisions_stay",
        "CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions
BEGIN SELECT raise(ABORT, 'decisions are never deleted'); END",
    ),
    (
        "decisions_stay_as_they_are",
        "CREATE TRIGGER decisions_stay_as_they_are BEFORE UPDATE ON decisions
BEGIN SELECT raise(ABORT, 'decisions are never changed'); END",
    ),
    (
        "meta",
        "CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID",
    ),
    (
        "meta_stays",
        "CREATE TRIGGER meta_stays BEFORE DELETE ON meta
BEGIN SELECT raise(ABORT, 'what a review is about is never deleted'); END",
    ),
    (
        "meta_stays_as_it_is",
        "CREATE TRIGGER meta_stays_as_it_is BEFORE UPDATE ON meta
BEGIN SELECT raise(ABORT, 'what a review is about is never changed'); END",
    ),
];

/// Tables come before what hangs on them.
const SCHEMA_ORDER: &[&str] = &["CREATE TABLE", "CREATE INDEX", "CREATE TRIGGER"];

const INSERT: &str = "INSERT INTO decisions (id, step, kind, target, key, hash, label, split, change, base_key, \
     base_hash, base_label, base_split, verdict, verdict_label, note, reviewer, time_millis, chain) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";

const SELECT: &str = "SELECT id, step, kind, target, key, hash, label, split, change, base_key, base_hash, \
     base_label, base_split, verdict, verdict_label, note, reviewer, time_millis, chain FROM decisions";

/// One row of `decisions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub decision: Decision,
    pub action: Action,
}

/// Says what SQLite's error means for whoever reviews.
pub(super) fn explain(error: &rusqlite::Error, path: &Path) -> ReviewError {
    let damaged = |message: &str| ReviewError::Damaged { message: message.to_owned(), path: path.to_owned() };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ReviewError::DiskFull,
        Some(ErrorCode::NotADatabase) => damaged("this file is not a review; choose another file"),
        Some(ErrorCode::DatabaseCorrupt) => damaged(
            "this review file is damaged; keep it as it is, and go on with a copy from before, or with a new review",
        ),
        Some(ErrorCode::ReadOnly) => {
            ReviewError::ReadOnly("the file or its folder may not be written".into())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ReviewError::Storage("another program is busy with it; try again in a moment".into())
        }
        _ => ReviewError::Storage(error.to_string()),
    }
}

/// Opens the database file. With `write` it may be written, and with `create` it is made if it is not there.
pub(super) fn connect(path: &Path, write: bool, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= if write { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(3))?;
    // The file may come from anybody: its schema is not to be trusted, nor its cells.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    if write {
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        // On macOS a plain fsync leaves bytes in the drive.
        connection.pragma_update(None, "fullfsync", true)?;
    }
    Ok(connection)
}

/// Makes an empty file a review.
pub(super) fn create(
    connection: &mut Connection,
    about: &ReviewAbout,
    time_millis: i64,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    for start in SCHEMA_ORDER {
        for (_, sql) in SCHEMA.iter().filter(|(_, sql)| sql.starts_with(start)) {
            transaction.execute(sql, [])?;
        }
    }
    let mut insert = transaction.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
    insert.execute(params!["source", about.source])?;
    if let Some(base) = &about.base {
        insert.execute(params!["base", base])?;
    }
    insert.execute(params!["created_millis", time_millis.to_string()])?;
    insert.execute(params!["created_by", concat!("sparrowhawk ", env!("CARGO_PKG_VERSION"))])?;
    drop(insert);
    transaction.commit()
}

/// Whether there is nothing at all in the file: it was just made, or whoever made it was killed on the first write.
pub(super) fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).map(|pages| pages == 0)
}

/// Checks that the file is a review of a version that we know and that its pages hang together.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), ReviewError> {
    let explained = |error: rusqlite::Error| explain(&error, path);
    let damaged = |message: String| ReviewError::Damaged { message, path: path.to_owned() };
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id").map_err(explained)? != APPLICATION_ID {
        return Err(damaged(
            "this file is a database of another program and not a review; choose another file".to_owned(),
        ));
    }
    let found = number("user_version").map_err(explained)?;
    if found > FORMAT_VERSION {
        return Err(ReviewError::Newer { found, known: FORMAT_VERSION, path: path.to_owned() });
    }
    let mut schema = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .map_err(explained)?;
    let schema: Vec<(String, String)> = schema
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(explained)?;
    let same = schema.len() == SCHEMA.len()
        && schema.iter().zip(SCHEMA).all(|(found, ours)| found.0 == ours.0 && found.1 == ours.1);
    if found != FORMAT_VERSION || !same {
        return Err(damaged(
            "the tables of this review file are not as Sparrowhawk makes them, so somebody or something changed it; \
             go on with a copy from before"
                .to_owned(),
        ));
    }
    let verdict: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explained)?;
    if verdict != "ok" {
        return Err(damaged(format!(
            "this review file is damaged ({verdict}); keep it as it is, and go on with a copy from before, \
             or with a new review"
        )));
    }
    let oversized: bool = connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM decisions WHERE octet_length(note) > ?1
               OR max(octet_length(key), octet_length(hash), octet_length(reviewer), octet_length(kind),
                      octet_length(chain), ifnull(octet_length(label), 0), ifnull(octet_length(split), 0),
                      ifnull(octet_length(change), 0), ifnull(octet_length(base_key), 0),
                      ifnull(octet_length(base_hash), 0), ifnull(octet_length(base_label), 0),
                      ifnull(octet_length(base_split), 0), ifnull(octet_length(verdict), 0),
                      ifnull(octet_length(verdict_label), 0)) > ?2
               UNION ALL SELECT 1 FROM meta WHERE max(octet_length(name), octet_length(value)) > ?2)",
            [MAX_NOTE_BYTES as i64, MAX_NAME_BYTES as i64],
            |row| row.get(0),
        )
        .map_err(explained)?;
    if oversized {
        return Err(damaged(
            "this review file holds a text longer than any that Sparrowhawk writes, so it is not used"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What the review is about, and the value with which its chain begins.
pub(super) fn about(connection: &Connection) -> rusqlite::Result<(ReviewAbout, Chain)> {
    let mut statement = connection.prepare("SELECT name, value FROM meta ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    let mut about = ReviewAbout::default();
    while let Some(row) = rows.next()? {
        let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
        let mut bytes = Vec::new();
        put_text(&mut bytes, Some(&name));
        put_text(&mut bytes, Some(&value));
        hasher.update(&bytes);
        match name.as_str() {
            "source" => about.source = value,
            "base" => about.base = Some(value),
            _ => {}
        }
    }
    Ok((about, *hasher.finalize().as_bytes()))
}

/// Number and chain value of the last row; 0 and `None` while there is none.
pub(super) fn tail(connection: &Connection) -> rusqlite::Result<(i64, Option<Vec<u8>>)> {
    let mut statement = connection.prepare("SELECT id, chain FROM decisions ORDER BY id DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok((row.get(0)?, Some(row.get(1)?))),
        None => Ok((0, None)),
    }
}

/// Appends rows; returns the chain's value after the last.
pub(super) fn append(
    transaction: &Transaction<'_>,
    entries: &[Entry],
    mut chain: Chain,
) -> rusqlite::Result<Chain> {
    let mut insert = transaction.prepare(INSERT)?;
    for entry in entries {
        chain = link(&chain, entry);
        let Decision { id, step, subject, verdict, note, reviewer, time_millis } = &entry.decision;
        let Subject { key, hash, label, split, change, base } = subject;
        let (kind, target) = entry.action.stored();
        insert.execute(params![
            id,
            step,
            kind,
            target,
            key,
            hash.0,
            label,
            split,
            change.map(ChangeKind::as_str),
            base.as_ref().map(|base| &base.key),
            base.as_ref().map(|base| base.hash.0),
            base.as_ref().and_then(|base| base.label.as_ref()),
            base.as_ref().and_then(|base| base.split.as_ref()),
            verdict.as_ref().map(Verdict::as_str),
            class_of(verdict.as_ref()),
            note,
            reviewer,
            time_millis,
            chain,
        ])?;
    }
    Ok(chain)
}

/// Gives the rows after `after` in order, each with the chain's value after it.
/// Stops at the first row that is not what was written, and says which and why.
pub(super) fn read_after(
    connection: &Connection,
    after: i64,
    mut chain: Chain,
    mut each: impl FnMut(Entry, Chain),
) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(&format!("{SELECT} WHERE id > ?1 ORDER BY id"))?;
    let mut rows = statement.query([after])?;
    let mut expected = after + 1;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if id != expected {
            return Ok(Some(format!("row {expected} is missing")));
        }
        let entry = match read(row) {
            Ok(Some(entry)) => entry,
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            // Texts that are no UTF-8 and the like: the file is whole, this row is not ours.
            Ok(None) | Err(_) => {
                return Ok(Some(format!("row {id} holds something that Sparrowhawk does not write")));
            }
        };
        chain = link(&chain, &entry);
        if row.get_ref(18)? != ValueRef::Blob(&chain) {
            return Ok(Some(format!("row {id} is not what was written: its hash does not fit")));
        }
        each(entry, chain);
        expected += 1;
    }
    Ok(None)
}

/// Every row on this key up to row `last`, oldest first.
pub(super) fn of_key(connection: &Connection, key: &str, last: i64) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare(&format!("{SELECT} WHERE key = ?1 AND id <= ?2 ORDER BY id"))?;
    let mut rows = statement.query(params![key, last])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.extend(read(row)?);
    }
    Ok(entries)
}

/// The row, unless it holds words that are none of ours.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let hash = |column: usize| -> rusqlite::Result<Option<ContentHash>> {
        Ok(row
            .get_ref(column)?
            .as_blob_or_null()
            .ok()
            .flatten()
            .and_then(|b| b.try_into().ok())
            .map(ContentHash))
    };
    let kind: String = row.get(2)?;
    let Some(action) = Action::from_stored(&kind, row.get(3)?) else { return Ok(None) };
    let Some(own_hash) = hash(5)? else { return Ok(None) };
    let change = match row.get::<_, Option<String>>(8)? {
        None => None,
        Some(name) => match ChangeKind::from_name(&name) {
            None => return Ok(None),
            known => known,
        },
    };
    let base = match (row.get::<_, Option<String>>(9)?, hash(10)?) {
        (None, None) => None,
        (Some(key), Some(hash)) => Some(SubjectBase { key, hash, label: row.get(11)?, split: row.get(12)? }),
        _ => return Ok(None),
    };
    let name: Option<String> = row.get(13)?;
    let class: Option<String> = row.get(14)?;
    let verdict = match (name.as_deref(), class) {
        (None, None) => None,
        (Some("keep"), None) => Some(Verdict::Keep),
        (Some("relabel"), Some(class)) => Some(Verdict::Relabel(class)),
        (Some("exclude"), None) => Some(Verdict::Exclude),
        (Some("revert"), None) => Some(Verdict::Revert),
        (Some("unsure"), None) => Some(Verdict::Unsure),
        _ => return Ok(None),
    };
    let subject =
        Subject { key: row.get(4)?, hash: own_hash, label: row.get(6)?, split: row.get(7)?, change, base };
    let decision = Decision {
        id: row.get(0)?,
        step: row.get(1)?,
        subject,
        verdict,
        note: row.get(15)?,
        reviewer: row.get(16)?,
        time_millis: row.get(17)?,
    };
    Ok(Some(Entry { decision, action }))
}

fn class_of(verdict: Option<&Verdict>) -> Option<&str> {
    match verdict {
        Some(Verdict::Relabel(class)) => Some(class),
        _ => None,
    }
}

/// The chain's value after this row; see the head of this file for the bytes.
fn link(previous: &Chain, entry: &Entry) -> Chain {
    let Decision { id, step, subject, verdict, note, reviewer, time_millis } = &entry.decision;
    let Subject { key, hash, label, split, change, base } = subject;
    let (kind, target) = entry.action.stored();
    let base = base.as_ref();
    // Hashed at once: hundreds of thousands of rows are checked when a review opens.
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(previous);
    put_integer(&mut bytes, Some(*id));
    put_integer(&mut bytes, Some(*step));
    put_text(&mut bytes, Some(kind));
    put_integer(&mut bytes, target);
    put_text(&mut bytes, Some(key));
    put_blob(&mut bytes, Some(&hash.0));
    put_text(&mut bytes, label.as_deref());
    put_text(&mut bytes, split.as_deref());
    put_text(&mut bytes, change.map(ChangeKind::as_str));
    put_text(&mut bytes, base.map(|b| b.key.as_str()));
    put_blob(&mut bytes, base.map(|b| &b.hash.0));
    put_text(&mut bytes, base.and_then(|b| b.label.as_deref()));
    put_text(&mut bytes, base.and_then(|b| b.split.as_deref()));
    put_text(&mut bytes, verdict.as_ref().map(Verdict::as_str));
    put_text(&mut bytes, class_of(verdict.as_ref()));
    put_text(&mut bytes, Some(note));
    put_text(&mut bytes, Some(reviewer));
    put_integer(&mut bytes, Some(*time_millis));
    *blake3::hash(&bytes).as_bytes()
}

fn put_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => bytes.push(0),
        Some(text) => {
            bytes.push(2);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn put_integer(bytes: &mut Vec<u8>, number: Option<i64>) {
    match number {
        None => bytes.push(0),
        Some(number) => {
            bytes.push(1);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
}

fn put_blob(bytes: &mut Vec<u8>, blob: Option<&[u8; 32]>) {
    match blob {
        None => bytes.push(0),
        Some(blob) => {
            bytes.push(3);
            bytes.extend_from_slice(&(blob.len() as u64).to_le_bytes());
            bytes.extend_from_slice(blob);
        }
    }
}
