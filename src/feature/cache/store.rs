//! How is one file of the cache read and written? In snapshots and batches; what goes wrong is told once and worked around.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, StorageError,
    TableDefinition,
};

/// The most that a killed run loses, as long as writing is fast.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// Where writing is slow (a large file, a slow disk), it takes one part in so many of the time,
/// unless a killed run would lose more than this.
const FLUSH_SHARE: u32 = 10;
const FLUSH_AT_LAST: Duration = Duration::from_secs(20);

/// What may wait in memory for the next batch.
const FLUSH_BYTES: usize = 16 << 20;

/// What redb may keep of the file in memory.
const PAGE_CACHE_BYTES: usize = 64 << 20;

type Bytes = &'static [u8];

type Record = (Vec<u8>, Vec<u8>);

/// One file, or its stand-in in memory.
pub(super) struct Store {
    path: Option<PathBuf>,
    database: Database,
    /// Set once something cannot be read or written any more: from then on nothing is found and nothing is kept.
    broken: AtomicBool,
    trouble: Mutex<Option<String>>,
    waiting: Mutex<Batch>,
    /// How long a batch waits: see [`FLUSH_AFTER`] and [`FLUSH_SHARE`].
    pace: Mutex<Duration>,
}

/// What has been put in and is not written yet, by table.
struct Batch {
    records: BTreeMap<String, Vec<Record>>,
    bytes: usize,
    since: Instant,
}

impl Batch {
    fn new() -> Self {
        Self { records: BTreeMap::new(), bytes: 0, since: Instant::now() }
    }
}

/// One table as it was at one moment.
pub(in crate::feature) struct Snapshot<'a> {
    inner: Option<(&'a Store, ReadOnlyTable<Bytes, Bytes>)>,
}

impl Snapshot<'_> {
    pub(super) fn empty() -> Self {
        Self { inner: None }
    }

    /// What `read` makes of the value, if there is one.
    pub(in crate::feature) fn get<T>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let (store, table) = self.inner.as_ref()?;
        if store.broken.load(Ordering::Relaxed) {
            return None;
        }
        // redb checks what it writes, but trusts what lies on the disk: a scribbled page may make it panic.
        match catch_unwind(AssertUnwindSafe(|| table.get(key))) {
            Ok(Ok(found)) => read(found?.value()),
            Ok(Err(error)) => {
                store.set_aside(&error.to_string());
                None
            }
            Err(_) => {
                store.set_aside("its pages make no sense");
                None
            }
        }
    }
}

impl Store {
    /// Opens or makes the file, its folder too. A file larger than `limit` or damaged is begun anew.
    pub(super) fn open(path: &Path, limit: u64) -> Self {
        if let Some(folder) = path.parent()
            && let Err(error) = std::fs::create_dir_all(folder)
        {
            return Self::in_memory(Some(unusable(path, &error.to_string())));
        }
        if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > limit) {
            // Should it stay, it is only larger than it should be.
            let _ = std::fs::remove_file(path);
        }
        let reason = match open_database(path) {
            Ok(database) => return Self::over(database, Some(path.to_owned()), None),
            Err(Refusal::Unusable(reason)) => return Self::in_memory(Some(unusable(path, &reason))),
            Err(Refusal::Damaged(reason)) => reason,
        };
        let aside = aside(path);
        if let Err(error) = std::fs::rename(path, &aside) {
            return Self::in_memory(Some(unusable(
                path,
                &format!("{reason}, and it cannot be renamed: {error}"),
            )));
        }
        match open_database(path) {
            Ok(database) => Self::over(database, Some(path.to_owned()), Some(begun_anew(&reason, &aside))),
            Err(Refusal::Damaged(reason) | Refusal::Unusable(reason)) => {
                Self::in_memory(Some(unusable(path, &reason)))
            }
        }
    }

    /// Remembers until it is dropped.
    pub(super) fn in_memory(trouble: Option<String>) -> Self {
        let database = Builder::new()
            .create_with_backend(InMemoryBackend::new())
            .expect("a new database in memory meets no file that could be wrong");
        Self::over(database, None, trouble)
    }

    fn over(database: Database, path: Option<PathBuf>, trouble: Option<String>) -> Self {
        Self {
            path,
            database,
            broken: AtomicBool::new(false),
            trouble: Mutex::new(trouble),
            waiting: Mutex::new(Batch::new()),
            pace: Mutex::new(FLUSH_AFTER),
        }
    }

    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(super) fn snapshot(&self, table: &str) -> Snapshot<'_> {
        let definition = TableDefinition::<Bytes, Bytes>::new(table);
        let open = || self.database.begin_read().ok()?.open_table(definition).ok();
        // A table that cannot be opened is mostly one that nobody has written to yet.
        let table = catch_unwind(AssertUnwindSafe(open)).unwrap_or_default();
        Snapshot { inner: table.map(|table| (self, table)) }
    }

    pub(super) fn put(&self, table: String, key: Vec<u8>, value: Vec<u8>) {
        let mut waiting = lock(&self.waiting);
        if waiting.records.is_empty() {
            waiting.since = Instant::now();
        }
        waiting.bytes += key.len() + value.len();
        waiting.records.entry(table).or_default().push((key, value));
        if waiting.bytes >= FLUSH_BYTES || waiting.since.elapsed() >= *lock(&self.pace) {
            let batch = std::mem::replace(&mut *waiting, Batch::new());
            // Others go on putting while this thread writes.
            drop(waiting);
            self.write(batch);
        }
    }

    pub(super) fn flush(&self) {
        let batch = std::mem::replace(&mut *lock(&self.waiting), Batch::new());
        self.write(batch);
    }

    fn write(&self, batch: Batch) {
        if batch.records.is_empty() || self.broken.load(Ordering::Relaxed) {
            return;
        }
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| self.commit(batch))) {
            Ok(Ok(())) => *lock(&self.pace) = (start.elapsed() * FLUSH_SHARE).clamp(FLUSH_AFTER, FLUSH_AT_LAST),
            Ok(Err(redb::Error::Corrupted(reason))) => self.set_aside(&reason),
            Ok(Err(error)) => self.give_up(format!(
                "The cache cannot be written any more ({error}); what is computed from now on is computed again next time{}",
                self.path.as_ref().map_or_else(String::new, |path| format!(": {}", path.display())),
            )),
            Err(_) => self.set_aside("its pages make no sense"),
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        for (name, mut records) in batch.records {
            // Neighbours in the tree are written together; of two values for one key the later stays.
            records.sort_by(|a, b| a.0.cmp(&b.0));
            let mut table = transaction.open_table(TableDefinition::<Bytes, Bytes>::new(&name))?;
            for (key, value) in records {
                table.insert(key.as_slice(), value.as_slice())?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The file is damaged: this run goes on without it, the next begins a new one.
    fn set_aside(&self, reason: &str) {
        if self.broken.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(path) = &self.path {
            let aside = aside(path);
            let text = match std::fs::rename(path, &aside) {
                Ok(()) => begun_anew(reason, &aside),
                Err(error) => unusable(path, &format!("{reason}, and it cannot be renamed: {error}")),
            };
            lock(&self.trouble).get_or_insert(text);
        }
    }

    fn give_up(&self, text: String) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            lock(&self.trouble).get_or_insert(text);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.flush();
    }
}

enum Refusal {
    /// Somebody else's lock, no permission, no space: the file itself may be fine.
    Unusable(String),
    /// The file is no cache, or not any more.
    Damaged(String),
}

fn open_database(path: &Path) -> Result<Database, Refusal> {
    let open = || {
        Builder::new()
            .set_cache_size(PAGE_CACHE_BYTES)
            // The window stays open for days; a command beside it should find and keep numbers too.
            .set_concurrency_mode(ConcurrencyMode::MultiWriter)
            .create(path)
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(error)) => Err(refusal(&error)),
        Err(_) => Err(Refusal::Damaged("its pages make no sense".to_owned())),
    }
}

fn refusal(error: &DatabaseError) -> Refusal {
    let text = error.to_string();
    match error {
        DatabaseError::UpgradeRequired(_)
        | DatabaseError::RepairAborted
        | DatabaseError::Storage(StorageError::Corrupted(_)) => Refusal::Damaged(text),
        DatabaseError::Storage(StorageError::Io(io))
            if matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Refusal::Damaged(text)
        }
        _ => Refusal::Unusable(text),
    }
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    name.into()
}

fn begun_anew(reason: &str, aside: &Path) -> String {
    format!("The cache was damaged ({reason}); it was set aside and is begun anew: {}", aside.display())
}

fn unusable(path: &Path, reason: &str) -> String {
    format!(
        "The cache cannot be used ({reason}); numbers are kept only until the program ends: {}",
        path.display()
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use redb::StorageBackend;

    use super::*;

    /// A disk that is full after so many writes.
    #[derive(Debug)]
    struct Filling(InMemoryBackend, Arc<AtomicBool>);

    impl StorageBackend for Filling {
        fn len(&self) -> Result<u64, io::Error> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> Result<(), io::Error> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> Result<(), io::Error> {
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
            if self.1.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(offset, data)
        }
    }

    #[test]
    fn a_full_disk_is_told_once_and_stops_nothing() {
        let full = Arc::new(AtomicBool::new(false));
        let backend = Filling(InMemoryBackend::new(), full.clone());
        let store = Store::over(Builder::new().create_with_backend(backend).unwrap(), None, None);
        store.put("table".to_owned(), b"1".to_vec(), b"one".to_vec());
        store.flush();
        assert_eq!(store.trouble(), None);
        full.store(true, Ordering::Relaxed);
        store.put("table".to_owned(), b"2".to_vec(), b"two".to_vec());
        store.flush();
        let trouble = store.trouble().expect("the disk is full");
        assert!(trouble.contains("cannot be written any more"), "{trouble}");
        store.put("table".to_owned(), b"3".to_vec(), b"three".to_vec());
        store.flush();
        assert_eq!(store.trouble(), Some(trouble));
    }

    #[test]
    fn a_file_past_its_limit_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.redb");
        let found = |store: &Store| store.snapshot("table").get(b"1", |_| Some(())).is_some();
        let store = Store::open(&path, 1 << 30);
        store.put("table".to_owned(), b"1".to_vec(), vec![0; 100_000]);
        drop(store);
        assert!(found(&Store::open(&path, 1 << 30)));
        let store = Store::open(&path, 1000);
        assert!(!found(&store));
        assert_eq!(store.trouble(), None);
    }
}
