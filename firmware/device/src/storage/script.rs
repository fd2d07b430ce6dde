//! The script that is stored, what it keeps others out of, and how often it was started.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;

use super::key::Key;
use super::protected_services::PROTECTED_BITS;
use super::raw::{read_at, read_vec};
use super::{ImageBytes, MapFlash, ProtectedServices, Storage, StorageError};

/// A script as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredScript<'s> {
    /// The compiled image.
    pub image: &'s [u8],
    /// The text; empty if only bytecode was uploaded.
    pub source: &'s [u8],
}

/// A script read from storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedScript {
    /// The compiled image.
    pub image: Vec<u8>,
    /// The text; empty if only bytecode was uploaded.
    pub source: Vec<u8>,
}

impl<F: NorFlash> Storage<F> {
    /// What the `config` lines of a script keep others out of; empty if no script does, or it is
    /// the one that is stored and `runs`.
    pub fn unguarded(&self, runs: bool) -> ProtectedServices {
        let (recorded, services) = (
            self.guard.script(),
            ProtectedServices(self.guard.script() as u8 & ProtectedServices::ALL.0),
        );
        // Without a checksum it is any that runs: it was being replaced when the power went.
        let here =
            recorded & !PROTECTED_BITS == 0 || recorded & !PROTECTED_BITS == self.script_id();
        if runs && here { ProtectedServices::default() } else { services }
    }

    /// Keeps in mind what the `config` lines of the script that is stored keep others out of: from
    /// now on it is missed, should it be damaged.
    ///
    /// # Errors
    /// [`StorageError`]; what was kept before still is.
    pub fn set_guarding(&mut self, services: ProtectedServices) -> Result<(), StorageError> {
        let id = if services.is_empty() { 0 } else { self.script_id() };
        self.note_script(id | u32::from(services.0))
    }

    /// Another script takes the place of the one that is stored: whichever runs is the one to be
    /// missed.
    pub(super) fn script_changes(&mut self) -> Result<(), StorageError> {
        self.note_script(self.guard.script() & PROTECTED_BITS)
    }

    pub(super) fn note_script(&mut self, recorded: u32) -> Result<(), StorageError> {
        if self.guard.script() == recorded {
            return Ok(());
        }
        let now = self.guarded_now()?;
        self.guard.set_script(self.map.flash(), recorded, now)
    }

    /// The script that is stored, in the bits that [`PROTECTED_BITS`] leaves; never 0.
    fn script_id(&self) -> u32 {
        let checksum = self.slots.script().map_or(0, |script| script.checksum);
        (checksum & !PROTECTED_BITS).max(PROTECTED_BITS + 1)
    }

    /// Stores a script in the place of the one there is. The old one is the current one until the
    /// last write.
    ///
    /// # Errors
    /// [`StorageError`]; the old script is still there.
    pub fn store_script(&mut self, script: &StoredScript<'_>) -> Result<(), StorageError> {
        // First the count of starts: should the power go between the two, the old script has three
        // more tries.
        self.script_start_done()?;
        self.script_changes()?;
        self.slots.store(self.map.flash(), script)
    }

    /// The script, image and source; `None` if there is none.
    ///
    /// # Errors
    /// As [`Storage::script_image`].
    pub fn script(&mut self) -> Result<Option<OwnedScript>, StorageError> {
        let Some(image) = self.script_image(&|_| None)? else { return Ok(None) };
        let image = image.into_copy();
        let Some(script) = self.slots.script() else { return Ok(None) };
        let source = read_vec(self.map.flash(), script.source.clone())?;
        Ok(Some(OwnedScript { image, source }))
    }

    /// Its image alone, where it lies if `map` can; `None` if there is none.
    ///
    /// # Errors
    /// [`StorageError::Broken`] if its bytes have changed since they were written,
    /// [`StorageError::Memory`], else what the flash reports.
    pub fn script_image(&mut self, map: MapFlash<'_>) -> Result<Option<ImageBytes>, StorageError> {
        let Some(script) = self.slots.script() else { return Ok(None) };
        let flash = self.map.flash();
        if !script.is_whole(flash)? {
            return Err(StorageError::Broken);
        }
        if let Some(mapped) = map(script.image.clone()) {
            return Ok(Some(mapped.into()));
        }
        read_vec(flash, script.image.clone()).map(|image| Some(image.into()))
    }

    /// Where the script lies in the flash, for boards that run it in place: offsets of image and
    /// source.
    pub fn script_place(&self) -> Option<(core::ops::Range<u32>, core::ops::Range<u32>)> {
        self.slots.script().map(|script| (script.image.clone(), script.source.clone()))
    }

    /// Bytes of source text; 0 if there is no script or no source.
    pub fn source_len(&self) -> usize {
        self.slots.script().map_or(0, |script| script.source.len())
    }

    /// A piece of the source text, without reading all of it; returns how many bytes, 0 at the end
    /// and when the flash fails.
    pub fn read_source(&mut self, offset: usize, out: &mut [u8]) -> usize {
        let Some(script) = self.slots.script() else { return 0 };
        let len = out.len().min(script.source.len().saturating_sub(offset));
        let Ok(skip) = u32::try_from(offset) else { return 0 };
        let start = script.source.start.saturating_add(skip);
        match read_at(self.map.flash(), start, &mut out[..len]) {
            Ok(()) => len,
            Err(_) => 0,
        }
    }

    /// Counts a start of the script, before it runs: how many in a row have begun since the last
    /// [`Storage::script_start_done`], this one included. More than three: it is the script that
    /// resets the device.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was counted then.
    pub fn script_start_begins(&mut self) -> Result<u8, StorageError> {
        let count = self.script_starts()?.saturating_add(1);
        self.map.put(Key::STARTS, &[count])?;
        Ok(count)
    }

    /// The script has started and the device still runs: the count begins anew.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn script_start_done(&mut self) -> Result<(), StorageError> {
        match self.script_starts()? {
            0 => Ok(()),
            _ => self.map.put(Key::STARTS, &[0]),
        }
    }

    /// A start that was over did not go well after all: it counts again, as the number `starts`
    /// that [`Storage::script_start_begins`] gave it.
    ///
    /// # Errors
    /// [`StorageError`]; the count is what it was then.
    pub fn script_start_failed(&mut self, starts: u8) -> Result<(), StorageError> {
        match self.script_starts()? {
            count if count == starts => Ok(()),
            _ => self.map.put(Key::STARTS, &[starts]),
        }
    }

    fn script_starts(&mut self) -> Result<u8, StorageError> {
        Ok(self.map.get(Key::STARTS)?.first().copied().unwrap_or(0))
    }
}
