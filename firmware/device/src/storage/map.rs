//! The records: a key of one byte, and some bytes, in a map with wear leveling: each write goes to
//! the next free place, and a sector is erased only when all are full (`sequential-storage`).

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{NorFlash, NorFlashError};
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::HeapKeyPointers;
use sequential_storage::cache::page_pointers::HeapPagePointers;
use sequential_storage::cache::page_states::HeapPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

use umqtt_memory::{reserve, try_push, try_room_exact, try_to_vec};

use super::blocking::{Blocking, run};
use super::key::{Key, MARGIN, RETAINED_CHUNKS};
use super::repair::repair;
use super::{FLASH_VARIABLES, MAX_RECORD, StorageError, flash_failed};

/// How many keys the cache remembers the places of; those of others are looked for.
const KEYS: usize = 4 + FLASH_VARIABLES as usize + 2 * RETAINED_CHUNKS as usize;

/// Bytes that what the library remembers takes at most, twice, as while a record is read back.
const CACHES: usize = 2 * (KEYS * 8 + 256);

type Cached = Cache<HeapPageStates, HeapPagePointers, HeapKeyPointers<u8>, u8>;

/// The map on its flash.
pub(super) struct Map<F: NorFlash> {
    flash: Blocking<F>,
    range: Range<u32>,
    /// Where things are; `None` before the first look and after an erasure, of which the library
    /// does not learn.
    cache: Option<Cached>,
    /// A bit for every key of which there may be a record: the others need not be searched for in
    /// all of the flash.
    present: Present,
    /// How often there was no memory for what was wanted.
    refused: u32,
}

type Library<'f, F> = MapStorage<u8, &'f mut Blocking<F>, Cached>;

impl<F: NorFlash> fmt::Debug for Map<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("range", &self.range).finish_non_exhaustive()
    }
}

impl<F: NorFlash> Map<F> {
    /// Takes these sectors of a flash.
    pub(super) fn new(flash: F, range: Range<u32>) -> Map<F> {
        Map { flash: Blocking(flash), range, cache: None, present: [u128::MAX; 2], refused: 0 }
    }

    /// Finishes what a power cut has interrupted, and looks which records there are. If the map
    /// cannot be read, erases all; true if so.
    pub(super) fn check(&mut self) -> Result<bool, StorageError> {
        repair(&mut self.flash.0, &self.range)?;
        let mut buffer = self.scratch()?;
        let present = self.with(|map| {
            run(async {
                let mut present = [0; 2];
                let mut items = map.fetch_all_items(&mut buffer).await?;
                while let Some((key, _)) = items.next::<&[u8]>(&mut buffer).await? {
                    set(&mut present, Key(key));
                }
                Ok(present)
            })
            .map_err(failed)
        });
        match present {
            Ok(present) => {
                self.present = present;
                Ok(false)
            }
            Err(StorageError::Flash(kind)) => Err(StorageError::Flash(kind)),
            Err(_) => self.erase().map(|()| true),
        }
    }

    /// Whether there may be a record, which has to be searched for then.
    pub(super) fn may_have(&self, key: Key) -> bool {
        self.present[half(key)] & bit(key) != 0
    }

    /// A record; empty if there is none.
    pub(super) fn get(&mut self, key: Key) -> Result<Vec<u8>, StorageError> {
        let copy = self.look(key, try_to_vec)?;
        copy.ok_or_else(|| self.no_memory())
    }

    /// Looks at a record, at an empty one if there is none.
    pub(super) fn look<T>(
        &mut self,
        key: Key,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, StorageError> {
        if !self.may_have(key) {
            return Ok(look(&[]));
        }
        let mut buffer = self.scratch()?;
        self.read(key, &mut buffer, look)
    }

    /// Looks at a record, which is read into the buffer; at an empty one if there is none.
    fn read<T>(
        &mut self,
        key: Key,
        buffer: &mut [u8],
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, StorageError> {
        if !self.may_have(key) {
            return Ok(look(&[]));
        }
        self.with(|map| {
            let found = run(map.fetch_item::<&[u8]>(buffer, &key.0)).map_err(failed)?;
            Ok(look(found.unwrap_or_default()))
        })
    }

    /// Writes a record, unless it is there already.
    pub(super) fn put(&mut self, key: Key, value: &[u8]) -> Result<(), StorageError> {
        if value.len() > MAX_RECORD {
            return Err(StorageError::TooLarge { limit: MAX_RECORD });
        }
        // All that this takes is there before anything is written.
        let mut buffer = self.scratch()?;
        if self.read(key, &mut buffer, |record| record == value)? {
            return Ok(());
        }
        match self.store(key, value, &mut buffer) {
            Err(StorageError::Broken) => {
                self.rescue(&mut buffer)?;
                self.store(key, value, &mut buffer)
            }
            result => result,
        }
    }

    /// Erases all records.
    pub(super) fn erase(&mut self) -> Result<(), StorageError> {
        self.cache = None;
        self.present = [0; 2];
        self.flash.0.erase(self.range.start, self.range.end).map_err(flash_failed)
    }

    /// The flash, for what lies outside the map.
    pub(super) fn flash(&mut self) -> &mut F {
        &mut self.flash.0
    }

    /// Gives the flash back.
    pub(super) fn into_flash(self) -> F {
        self.flash.0
    }

    /// Counts that there was no memory for what was wanted; the error that says so.
    #[cold]
    pub(super) fn no_memory(&mut self) -> StorageError {
        self.refused = self.refused.saturating_add(1);
        StorageError::Memory
    }

    /// How often that was since the last call.
    pub(super) fn take_refused(&mut self) -> u32 {
        core::mem::take(&mut self.refused)
    }

    /// A buffer to read and write records with, and the certainty that there is memory for what the
    /// library needs besides.
    fn scratch(&mut self) -> Result<Vec<u8>, StorageError> {
        let mut buffer = Vec::new();
        let most = MAX_RECORD + MARGIN;
        if !reserve(most + CACHES) || !try_room_exact(&mut buffer, most) {
            return Err(self.no_memory());
        }
        buffer.resize(most, 0);
        Ok(buffer)
    }

    fn store(&mut self, key: Key, value: &[u8], buffer: &mut [u8]) -> Result<(), StorageError> {
        set(&mut self.present, key);
        self.with(|map| run(map.store_item(buffer, &key.0, &value)).map_err(failed))?;
        // Read back as after a restart, without the help of what is remembered.
        let remembered = self.cache.take();
        if !self.read(key, buffer, |record| record == value)? {
            return Err(StorageError::Broken);
        }
        self.cache = remembered;
        Ok(())
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Library<'_, F>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let config = MapConfig::try_new(self.range.clone()).map_err(|_| StorageError::Broken)?;
        let pages = self.range.len() / F::ERASE_SIZE;
        let cache = self.cache.take().unwrap_or_else(|| {
            Cache::new(
                HeapPageStates::new(pages),
                HeapPagePointers::new(pages),
                HeapKeyPointers::new(KEYS),
            )
        });
        let mut map = MapStorage::new(&mut self.flash, config, cache);
        let result = act(&mut map);
        self.cache = Some(map.destroy().1);
        result
    }

    /// The pages are in a state the library can read but not write (nonsense was in the flash):
    /// starts anew with the records there are.
    fn rescue(&mut self, buffer: &mut [u8]) -> Result<(), StorageError> {
        let mut records = Vec::new();
        for key in Key::all() {
            let kept = self.read(key, buffer, |record| {
                if record.is_empty() { Some(Vec::new()) } else { try_to_vec(record) }
            });
            let value = kept.unwrap_or_else(|_| Some(Vec::new()));
            let value = value.ok_or_else(|| self.no_memory())?;
            if !value.is_empty() {
                try_push(&mut records, (key, value)).map_err(|_| self.no_memory())?;
            }
        }
        if !reserve(CACHES) {
            return Err(self.no_memory());
        }
        self.erase()?;
        for (key, value) in &records {
            self.store(*key, value, buffer)?;
        }
        Ok(())
    }
}

/// A bit for every key.
type Present = [u128; 2];

fn set(present: &mut Present, key: Key) {
    present[half(key)] |= bit(key);
}

fn half(key: Key) -> usize {
    usize::from(key.0 >> 7)
}

fn bit(key: Key) -> u128 {
    1 << (key.0 & 127)
}

/// The library's error as ours.
fn failed<E: NorFlashError>(error: sequential_storage::Error<E>) -> StorageError {
    match error {
        sequential_storage::Error::Storage { value } => flash_failed(value),
        sequential_storage::Error::FullStorage => StorageError::Full,
        sequential_storage::Error::ItemTooBig => StorageError::TooLarge { limit: MAX_RECORD },
        _ => StorageError::Broken,
    }
}
