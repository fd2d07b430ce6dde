//! Finishes an erasure of the map's oldest sector that a power cut has interrupted, before the
//! library looks at the map.
//!
//! When the map moves on, the library copies what is still valid in the oldest sector to the new
//! one and erases the oldest. Cut off in the erasure, that sector is in no defined state: it may
//! look blank, current or sealed. The library takes a sealed one for a copy that was cut off,
//! erases the *new* sector and copies again, from ruins. So the question is asked here: is every
//! record of the oldest sector elsewhere too? Then the copy was complete, and the oldest sector is
//! erased again. If not, the erasure has not begun, and the library may do the copy again.

use core::fmt;
use core::ops::Range;

use alloc::{vec, vec::Vec};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use sequential_storage::cache::Cache;
use sequential_storage::map::{MapConfig, MapStorage};

use super::blocking::{Blocking, run};
use super::key::{Key, MARGIN};
use super::raw::read_at;
use super::{MAX_RECORD, StorageError, flash_failed};

/// What the markers at a sector's ends say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Blank,
    Current,
    Sealed,
    Nonsense,
}

/// Makes the sectors fit for the library.
pub(super) fn repair<F: NorFlash>(flash: &mut F, range: &Range<u32>) -> Result<(), StorageError> {
    let mut states = Vec::new();
    for start in range.clone().step_by(F::ERASE_SIZE) {
        let mut state = state(flash, start)?;
        if state == State::Blank && !is_blank(flash, start)? {
            erase(flash, start)?;
        }
        if state == State::Nonsense {
            erase(flash, start)?;
            state = State::Blank;
        }
        states.push(state);
    }
    let Some(oldest) = oldest_to_erase(&states) else { return Ok(()) };
    let start = range.start + (oldest * F::ERASE_SIZE) as u32;
    if holds_nothing_of_its_own(flash, range, start)? {
        erase(flash, start)?;
    }
    Ok(())
}

/// The sector behind the current one, if it is not blank as it should be. Of two current ones, one
/// behind the other, the second is what an erasure has left.
fn oldest_to_erase(states: &[State]) -> Option<usize> {
    let next = |sector: usize| (sector + 1) % states.len();
    let current = |sector: &usize| states[*sector] == State::Current;
    let mut found = (0..states.len()).filter(current);
    match (found.next(), found.next(), found.next()) {
        (Some(one), None, _) => Some(next(one)).filter(|after| states[*after] != State::Blank),
        (Some(one), Some(other), None) if next(one) == other => Some(other),
        (Some(one), Some(other), None) if next(other) == one => Some(one),
        _ => None,
    }
}

/// Whether every record that can be read in this sector is also in another.
fn holds_nothing_of_its_own<F: NorFlash>(
    flash: &mut F,
    range: &Range<u32>,
    start: u32,
) -> Result<bool, StorageError> {
    for key in Key::all() {
        if has(flash, range, start, true, key)? && !has(flash, range, start, false, key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has<F: NorFlash>(
    flash: &mut F,
    range: &Range<u32>,
    start: u32,
    only_this: bool,
    key: Key,
) -> Result<bool, StorageError> {
    let view = View { flash, start, only_this };
    let config = MapConfig::try_new(range.clone()).map_err(|_| StorageError::Broken)?;
    let mut map = MapStorage::new(Blocking(view), config, Cache::new_uncached());
    let mut buffer = vec![0; MAX_RECORD + MARGIN];
    match run(map.fetch_item::<&[u8]>(&mut buffer, &key.0)) {
        Ok(found) => Ok(found.is_some()),
        Err(sequential_storage::Error::Storage { value: ViewError::Flash(kind) }) => {
            Err(StorageError::Flash(kind))
        }
        Err(_) => Ok(false),
    }
}

/// Whether there is a record in this sector.
pub(super) fn has_any<F: NorFlash>(
    flash: &mut F,
    range: &Range<u32>,
    start: u32,
) -> Result<bool, StorageError> {
    let view = View { flash, start, only_this: true };
    let config = MapConfig::try_new(range.clone()).map_err(|_| StorageError::Broken)?;
    let mut map = MapStorage::<u8, _, _>::new(Blocking(view), config, Cache::new_uncached());
    let mut buffer = vec![0; MAX_RECORD + MARGIN];
    Ok(run(async {
        let mut items = map.fetch_all_items(&mut buffer).await.ok()?;
        items.next::<&[u8]>(&mut buffer).await.ok()?
    })
    .is_some())
}

/// The same bits decide as in the library.
fn state<F: NorFlash>(flash: &mut F, start: u32) -> Result<State, StorageError> {
    let last = (F::ERASE_SIZE - F::READ_SIZE) as u32;
    let mut marked = |offset: u32| -> Result<bool, StorageError> {
        let mut word = [0xFF; 32];
        let marker = word.get_mut(..F::READ_SIZE).ok_or(StorageError::Broken)?;
        read_at(flash, offset, marker)?;
        Ok(marker.iter().map(|byte| byte.count_zeros()).sum::<u32>() >= 4)
    };
    Ok(match (marked(start)?, marked(start + last)?) {
        (false, false) => State::Blank,
        (true, false) => State::Current,
        (true, true) => State::Sealed,
        (false, true) => State::Nonsense,
    })
}

fn is_blank<F: NorFlash>(flash: &mut F, start: u32) -> Result<bool, StorageError> {
    let mut chunk = [0; 256];
    let end = start + F::ERASE_SIZE as u32;
    for at in (start..end).step_by(chunk.len()) {
        let len = chunk.len().min((end - at) as usize);
        read_at(flash, at, &mut chunk[..len])?;
        if chunk[..len].iter().any(|byte| *byte != 0xFF) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn erase<F: NorFlash>(flash: &mut F, start: u32) -> Result<(), StorageError> {
    flash.erase(start, start + F::ERASE_SIZE as u32).map_err(flash_failed)
}

/// The flash as it would be without one sector, or with that alone, as the current one. Only to be
/// read.
struct View<'f, F> {
    flash: &'f mut F,
    start: u32,
    only_this: bool,
}

#[derive(Debug)]
enum ViewError {
    Flash(NorFlashErrorKind),
    ReadOnly,
}

impl NorFlashError for ViewError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            ViewError::Flash(kind) => *kind,
            ViewError::ReadOnly => NorFlashErrorKind::Other,
        }
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ViewError::Flash(kind) => write!(f, "{kind}"),
            ViewError::ReadOnly => f.write_str("this is only to be read"),
        }
    }
}

impl<F> ErrorType for View<'_, F> {
    type Error = ViewError;
}

impl<F: NorFlash> ReadNorFlash for View<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ViewError> {
        let end = self.start + F::ERASE_SIZE as u32;
        let inside = (self.start..end).contains(&offset);
        if inside != self.only_this {
            bytes.fill(0xFF);
            return Ok(());
        }
        self.flash.read(offset, bytes).map_err(|error| ViewError::Flash(error.kind()))?;
        let word = F::READ_SIZE.max(F::WRITE_SIZE) as u32;
        if self.only_this && offset < self.start + word {
            bytes.fill(0);
        } else if self.only_this && offset >= end - word {
            bytes.fill(0xFF);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> NorFlash for View<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), ViewError> {
        Err(ViewError::ReadOnly)
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), ViewError> {
        Err(ViewError::ReadOnly)
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Blank, Current, Sealed};
    use super::oldest_to_erase;

    #[test]
    fn finds_the_sector_behind_the_current_one() {
        assert_eq!(oldest_to_erase(&[Current, Blank, Blank]), None);
        assert_eq!(oldest_to_erase(&[Sealed, Current, Blank]), None);
        assert_eq!(oldest_to_erase(&[Sealed, Current, Sealed]), Some(2));
        assert_eq!(oldest_to_erase(&[Sealed, Sealed, Current]), Some(0));
        assert_eq!(oldest_to_erase(&[Sealed, Current, Current]), Some(2));
        assert_eq!(oldest_to_erase(&[Current, Sealed, Current]), Some(0));
        assert_eq!(oldest_to_erase(&[Blank, Sealed, Blank]), None);
        assert_eq!(oldest_to_erase(&[Current, Current, Current]), None);
    }
}
