//! Where are numbers kept between runs? In redb files outside every dataset, keyed by content.
//!
//! | file | holds | dropped and begun anew above |
//! |---|---|---|
//! | `index.redb` | which bytes a file had at which stamp; what decoded pictures look like | 2 GiB |
//! | `numbers.redb` | each extractor's numbers, by far the most | 8 GiB |
//!
//! The sizes are looked at when the cache is opened, so one long run may pass them.
//! Several processes share the files; one whose files cannot be used remembers for as long as it runs.

mod store;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use store::Snapshot;
use store::Store;

/// The environment variable that names another folder for the cache of this user; if it is empty, nothing is kept.
pub const CACHE_VARIABLE: &str = "SPARROWHAWK_CACHE";

const INDEX_LIMIT: u64 = 2 << 30;
const NUMBERS_LIMIT: u64 = 8 << 30;

/// A cache on disk, or none: everything works without, only slower.
/// Never fails: a cache that cannot be opened or written is reported once through [`Cache::trouble`].
/// Share it as `Arc<Cache>`; dropping it stores what is not stored yet.
pub struct Cache {
    stores: Option<Stores>,
    /// The last numbers of a whole dataset that two askers in a row want: too many for the disk, soon made again.
    recent: Mutex<Option<Recent>>,
}

struct Recent {
    digest: [u8; 32],
    numbers: Arc<Vec<f32>>,
}

struct Stores {
    index: Store,
    numbers: Store,
}

/// What is kept, each with its version: another way to compute is another name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table<'a> {
    /// Digest of a path → stamp and content hash.
    Stamps,
    /// Content hash → what the picture looks like, or why it cannot be decoded.
    Looks,
    /// Content hash → numbers of the extractor with this id.
    Numbers(&'a str),
}

impl Table<'_> {
    fn name(self) -> String {
        match self {
            Self::Stamps => "stamps-1".to_owned(),
            Self::Looks => "looks-2".to_owned(),
            Self::Numbers(extractor) => format!("numbers:{extractor}"),
        }
    }
}

impl Cache {
    /// The cache of this user, in the system's cache folder or the one that [`CACHE_VARIABLE`] names.
    #[must_use]
    pub fn user() -> Self {
        match std::env::var_os(CACHE_VARIABLE) {
            Some(folder) if folder.is_empty() => return Self::none(),
            Some(folder) => return Self::at(&PathBuf::from(folder)),
            None => (),
        }
        match directories::ProjectDirs::from("", "", "sparrowhawk") {
            Some(folders) => Self::at(folders.cache_dir()),
            None => Self {
                stores: Some(Stores {
                    index: Store::in_memory(Some(
                        "this user has no home folder to keep a cache in".to_owned(),
                    )),
                    numbers: Store::in_memory(None),
                }),
                recent: Mutex::default(),
            },
        }
    }

    /// A cache in this folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        let open = |name, limit| Store::open(&folder.join(name), limit);
        let stores =
            Stores { index: open("index.redb", INDEX_LIMIT), numbers: open("numbers.redb", NUMBERS_LIMIT) };
        Self { stores: Some(stores), recent: Mutex::default() }
    }

    /// Remembers nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { stores: None, recent: Mutex::default() }
    }

    /// Why the cache does not work (or did not), if so, in words for a person.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let stores = self.stores.as_ref()?;
        stores.index.trouble().or_else(|| stores.numbers.trouble())
    }

    /// Stores what is not stored yet. Work that stops calls it; otherwise it happens about once a second.
    pub fn flush(&self) {
        if let Some(stores) = &self.stores {
            stores.index.flush();
            stores.numbers.flush();
        }
    }

    /// The numbers under this digest of all that they depend on, made if the last ones were others.
    pub fn recent<E>(
        &self,
        digest: [u8; 32],
        make: impl FnOnce() -> Result<Vec<f32>, E>,
    ) -> Result<Arc<Vec<f32>>, E> {
        let lock = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recent) = &*lock()
            && recent.digest == digest
        {
            return Ok(recent.numbers.clone());
        }
        let numbers = Arc::new(make()?);
        if self.remembers() {
            *lock() = Some(Recent { digest, numbers: numbers.clone() });
        }
        Ok(numbers)
    }

    /// Whether what is put in can be found again, in this run at least.
    pub(super) fn remembers(&self) -> bool {
        self.stores.is_some()
    }

    /// What the table holds now. Drop it before long work: while it lives, freed pages are not used again.
    pub(super) fn snapshot(&self, table: Table<'_>) -> Snapshot<'_> {
        self.store(table).map_or_else(Snapshot::empty, |store| store.snapshot(&table.name()))
    }

    /// Keeps a value.
    pub(super) fn put(&self, table: Table<'_>, key: &[u8], value: Vec<u8>) {
        if let Some(store) = self.store(table) {
            store.put(table.name(), key.to_vec(), value);
        }
    }

    fn store(&self, table: Table<'_>) -> Option<&Store> {
        let stores = self.stores.as_ref()?;
        Some(match table {
            Table::Stamps | Table::Looks => &stores.index,
            Table::Numbers(_) => &stores.numbers,
        })
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn get(cache: &Cache, key: &[u8]) -> Option<Vec<u8>> {
        cache.snapshot(Table::Looks).get(key, |value| Some(value.to_vec()))
    }

    #[test]
    fn what_is_put_is_found_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(&folder.path().join("made/on/demand"));
        cache.put(Table::Looks, b"key", b"value".to_vec());
        cache.put(Table::Numbers("a"), b"key", b"of a".to_vec());
        cache.put(Table::Numbers("b"), b"key", b"of b".to_vec());
        drop(cache);
        let cache = Cache::at(&folder.path().join("made/on/demand"));
        assert_eq!(get(&cache, b"key").as_deref(), Some(b"value".as_slice()));
        assert_eq!(get(&cache, b"other"), None);
        let of_b = cache.snapshot(Table::Numbers("b")).get(b"key", |value| Some(value.to_vec()));
        assert_eq!(of_b.as_deref(), Some(b"of b".as_slice()));
        assert_eq!(cache.trouble(), None);
    }

    #[test]
    fn two_share_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Cache::at(folder.path()), Cache::at(folder.path()));
        first.put(Table::Looks, b"1", b"from the first".to_vec());
        first.flush();
        second.put(Table::Looks, b"2", b"from the second".to_vec());
        second.flush();
        assert_eq!((first.trouble(), second.trouble()), (None, None));
        for cache in [&first, &second] {
            assert_eq!(get(cache, b"1").as_deref(), Some(b"from the first".as_slice()));
            assert_eq!(get(cache, b"2").as_deref(), Some(b"from the second".as_slice()));
        }
    }

    #[test]
    fn none_remembers_nothing_and_has_no_trouble() {
        let cache = Cache::none();
        cache.put(Table::Looks, b"key", b"value".to_vec());
        cache.flush();
        assert_eq!((get(&cache, b"key"), cache.trouble(), cache.remembers()), (None, None, false));
    }

    #[test]
    fn foreign_and_damaged_files_are_set_aside() {
        for content in
            [b"this is not a cache".repeat(1000), vec![0; 5000], b"redb\x1A\x0A\xA9\x0D\x0A".to_vec()]
        {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("index.redb"), &content).unwrap();
            let cache = Cache::at(folder.path());
            assert!(cache.trouble().is_some_and(|text| text.contains("set aside")), "{:?}", cache.trouble());
            cache.put(Table::Looks, b"key", b"value".to_vec());
            drop(cache);
            assert_eq!(std::fs::read(folder.path().join("index.redb.damaged")).unwrap(), content);
            let cache = Cache::at(folder.path());
            assert_eq!(cache.trouble(), None);
            assert!(get(&cache, b"key").is_some());
        }
    }

    #[test]
    fn a_truncated_or_scribbled_cache_never_stops_anybody() {
        let whole = {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::at(folder.path());
            for key in 0..2000_u32 {
                cache.put(Table::Looks, &key.to_le_bytes(), vec![7; 100]);
            }
            drop(cache);
            std::fs::read(folder.path().join("index.redb")).unwrap()
        };
        for damage in 0..12 {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = whole.clone();
            if damage % 2 == 0 {
                bytes.truncate(bytes.len() * (damage + 1) / 14);
            } else {
                let start = bytes.len() * damage / 14;
                bytes[start..start + 20_000].fill(0xA5);
            }
            std::fs::write(folder.path().join("index.redb"), bytes).unwrap();
            let cache = Cache::at(folder.path());
            for key in 0..2000_u32 {
                let _ = get(&cache, &key.to_le_bytes());
            }
            cache.put(Table::Looks, b"new", b"value".to_vec());
            cache.flush();
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_and_worked_around() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a file");
        std::fs::write(&file, b"in the way").unwrap();
        let cache = Cache::at(&file.join("below"));
        let trouble = cache.trouble().expect("there is no such folder");
        assert!(trouble.contains("only until the program ends"), "{trouble}");
        cache.put(Table::Looks, b"key", b"value".to_vec());
        cache.flush();
        assert!(get(&cache, b"key").is_some(), "remembered while it runs");
    }

    #[test]
    fn many_threads_may_put_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let cache = &cache;
                scope.spawn(move || {
                    for key in 0..500 {
                        cache.put(Table::Looks, &(thread * 500 + key).to_le_bytes(), vec![0; 50_000 / 4]);
                    }
                });
            }
        });
        cache.flush();
        assert!((0..2000_u32).all(|key| get(&cache, &key.to_le_bytes()).is_some()));
    }
}
