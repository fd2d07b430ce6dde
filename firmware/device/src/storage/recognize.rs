//! Whether bytes are a flash of ours at all, for boards whose flash is a file: anything may stand
//! in its place, whole or in part.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::guard::{self, Guard};
use super::repair::has_any;
use super::slots::Slots;
use super::{FlashLayout, StorageError};

/// Whether there is anything in a flash that only a device writes: a script's header, an entry of
/// the guard, a record, each with its checksum. Changes nothing.
///
/// # Errors
/// [`StorageError`].
pub fn is_ours<F: NorFlash>(flash: &mut F, layout: FlashLayout) -> Result<bool, StorageError> {
    let mut guard = Guard::new(layout.guard::<F>());
    guard.find(flash)?;
    if guard.has_entry() || Slots::new(layout.slots::<F>()).any(flash)? {
        return Ok(true);
    }
    has_record(flash, &layout.map::<F>())
}

/// Says in a flash whose guard is gone that it is gone: its settings and its lock count as damaged
/// until they are set anew.
///
/// # Errors
/// What the flash reports.
pub fn mark_guard_lost<F: NorFlash>(
    flash: &mut F,
    layout: FlashLayout,
) -> Result<(), StorageError> {
    guard::mark_lost(flash, layout.guard::<F>())
}

fn has_record<F: NorFlash>(flash: &mut F, map: &Range<u32>) -> Result<bool, StorageError> {
    for start in map.clone().step_by(F::ERASE_SIZE) {
        if has_any(flash, map, start)? {
            return Ok(true);
        }
    }
    Ok(false)
}
