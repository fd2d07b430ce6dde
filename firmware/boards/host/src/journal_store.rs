//! The broker's journal in a file: sessions, queued and retained messages, for good.
//!
//! The file is a redb database: one file that grows and shrinks with what is in it, written by
//! copying pages, so that a cut at any moment leaves the last commit, whole; every page has a
//! checksum, and all are looked at when it is opened. A commit costs one `fdatasync`, whatever it
//! holds.

use std::fs::{File, OpenOptions};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition, TableError,
};
use umqtt_mqtt::{Batch, Broker, Change, Limits, Restore, Restored};

/// The file in the data directory.
pub const FILE_NAME: &str = "broker.redb";
/// Names for damaged files that are tried.
const DAMAGED_NAMES: u32 = 1000;
/// Bytes of the file kept in memory: the records are in memory already, as the broker's.
const CACHE: usize = 16 * 1024 * 1024;
/// A file this large, and four times as large as what is in it, is made smaller when it is opened.
const LARGE: u64 = 64 * 1024 * 1024;

const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");

/// Why the journal cannot be read or written.
#[derive(Debug)]
pub enum JournalError {
    /// The operating system's words.
    Io(io::Error),
    /// What is in the file makes no sense.
    Damaged(String),
}

impl core::fmt::Display for JournalError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            JournalError::Io(error) => error.fmt(f),
            JournalError::Damaged(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for JournalError {}

impl From<redb::Error> for JournalError {
    fn from(error: redb::Error) -> JournalError {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        match error {
            redb::Error::Io(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => {
                JournalError::Damaged(error.to_string())
            }
            redb::Error::Io(error) => JournalError::Io(error),
            redb::Error::Corrupted(why) => JournalError::Damaged(why),
            redb::Error::UpgradeRequired(version) => {
                JournalError::Damaged(format!("it has the format of version {version}"))
            }
            error @ (redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }) => {
                JournalError::Damaged(error.to_string())
            }
            error => JournalError::Io(io::Error::other(error)),
        }
    }
}

/// An open journal.
#[derive(Debug)]
pub struct JournalStore {
    path: PathBuf,
    /// `None` after an error, until it is opened again.
    database: Option<Database>,
}

/// What [`open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub store: JournalStore,
    /// The broker made of it; it keeps its journal.
    pub broker: Broker,
    /// What is in it; `None` if it is new.
    pub restored: Option<Restored>,
    /// What the owner has to know.
    pub warning: Option<String>,
}

/// Opens the file in a data directory, or makes it, and makes a broker of it. A damaged one is set
/// aside under another name.
///
/// # Errors
/// The file cannot be read or written; it is left as it is.
pub fn open(dir: &Path, limits: Limits) -> Result<Opened, JournalError> {
    let path = dir.join(FILE_NAME);
    let new = !path.try_exists().map_err(JournalError::Io)?;
    let fresh = |warning| {
        let mut broker = Broker::new(limits);
        broker.start_journal();
        let store = JournalStore::create(path.clone())?;
        Ok(Opened { store, broker, restored: None, warning })
    };
    if new {
        return fresh(None);
    }
    // The library promises errors; a file is not worth the device if it should be wrong.
    let loaded = std::panic::catch_unwind(AssertUnwindSafe(|| load(&path, limits)));
    let loaded = loaded.unwrap_or_else(|_| Err(JournalError::Damaged("it cannot be read".into())));
    match loaded {
        Ok((store, broker, restored)) => {
            Ok(Opened { store, broker, restored: Some(restored), warning: None })
        }
        Err(JournalError::Io(error)) => Err(JournalError::Io(error)),
        Err(JournalError::Damaged(why)) => {
            let aside = set_aside(&path).map_err(JournalError::Io)?;
            let (path, aside) = (path.display(), aside.display());
            fresh(Some(format!(
                "{path} is damaged ({why}): it is now {aside}, and sessions and messages begin anew"
            )))
        }
    }
}

/// Forgets what is kept.
///
/// # Errors
/// The operating system's.
pub fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(FILE_NAME)) {
        Ok(()) => crate::flash::sync_directory(dir),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn load(path: &Path, limits: Limits) -> Result<(JournalStore, Broker, Restored), JournalError> {
    let mut store =
        JournalStore { path: path.to_owned(), database: Some(open_database(path, true)?) };
    let mut records = Restore::new();
    let mut bytes = 0;
    store.each(|key, value| {
        bytes += (key.len() + value.len()) as u64;
        records.record(key, value).map_err(|why| JournalError::Damaged(why.to_string()))
    })?;
    let mut broker = Broker::new(limits);
    broker.start_journal();
    broker.set_unix_time(unix_time(), umqtt_net::Instant::ZERO);
    let restored = broker
        .restore(records, umqtt_net::Instant::ZERO)
        .map_err(|why| JournalError::Damaged(why.to_string()))?;
    let size = std::fs::metadata(path).map_err(JournalError::Io)?.len();
    if size > LARGE
        && size > 4 * bytes
        && let Some(database) = &mut store.database
    {
        let _ = database.compact(); // it works as well when it is large
    }
    Ok((store, broker, restored))
}

/// What the clock says, in ms; 0 before 1970.
pub(crate) fn unix_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

fn set_aside(path: &Path) -> io::Result<PathBuf> {
    for number in 1..DAMAGED_NAMES {
        let aside = path.with_extension(format!("redb.damaged-{number}"));
        if !aside.try_exists()? {
            std::fs::rename(path, &aside)?;
            if let Some(dir) = path.parent() {
                crate::flash::sync_directory(dir)?;
            }
            return Ok(aside);
        }
    }
    Err(io::Error::other("there are too many damaged files"))
}

fn open_database(path: &Path, check: bool) -> Result<Database, JournalError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(check);
    let opened = builder.create(path);
    opened.map_err(|error| match error {
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidInput =>
        {
            JournalError::Damaged(error.to_string())
        }
        error => redb::Error::from(error).into(),
    })
}

impl JournalStore {
    fn create(path: PathBuf) -> Result<JournalStore, JournalError> {
        // It holds what clients say: nobody else's business.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(JournalError::Io)?;
        let database = open_database(&path, false)?;
        let mut store = JournalStore { path, database: Some(database) };
        store.write(&Batch::default())?;
        if let Some(dir) = store.path.parent() {
            crate::flash::sync_directory(dir).map_err(JournalError::Io)?;
        }
        Ok(store)
    }

    /// Commits a batch: when this returns it outlives a power cut. After an error the same batch
    /// may be written again, though it may have been committed: twice does the same.
    ///
    /// # Errors
    /// The operating system's own words.
    pub fn write(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let result = self.try_write(batch);
        if result.is_err() {
            self.database = None; // it has to be opened again after an error
        }
        result.map_err(JournalError::from)
    }

    fn try_write(&mut self, batch: &Batch) -> Result<(), redb::Error> {
        let database = match self.database.take() {
            Some(database) => database,
            None => {
                let file = File::options().read(true).write(true).open(&self.path);
                drop(file.map_err(redb::Error::Io)?); // it is not made anew here
                Builder::new().set_cache_size(CACHE).create(&self.path)?
            }
        };
        let database = self.database.insert(database);
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(RECORDS)?;
            for change in batch.iter() {
                match change {
                    Change::Put { key, value } => drop(table.insert(key, value)?),
                    Change::Delete { key } => drop(table.remove(key)?),
                    Change::DeletePrefix { prefix } => match end_of(prefix) {
                        Some(end) => table.retain_in(prefix..&end[..], |_, _| false)?,
                        None => table.retain_in(prefix.., |_, _| false)?,
                    },
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn each(
        &self,
        mut with: impl FnMut(&[u8], &[u8]) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let Some(database) = &self.database else { return Ok(()) };
        let failed = |error: redb::Error| JournalError::from(error);
        let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
        let table = match transaction.open_table(RECORDS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(failed(error.into())),
        };
        for record in table.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = record.map_err(|error| failed(error.into()))?;
            with(key.value(), value.value())?;
        }
        Ok(())
    }
}

/// The first key behind all that begin like this; `None` if there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}
