//! What survives a restart: settings, the lock, flash variables, the script. Safe against a power
//! cut at any moment: afterwards the old or the new state is there, whole.
//!
//! Small records live in a map with wear leveling (`sequential-storage`); the script, image and
//! source, has two slots of its own. The flash is anything with [`NorFlash`]; a cut in the middle
//! of one of its writes is part of the bargain. What the bytes mean is not known here.
//!
//! | module | job |
//! |---|---|
//! | [`layout`] | which sectors serve what |
//! | `map`, `key` | the records |
//! | `script`, `slots` | the script |
//! | `next_script`, `incoming` | the next script, while it comes |
//! | `extent` | where a script lies in its slot |
//! | `image` | the bytes of an image, copied or in place |
//! | `guard` | whether settings and lock are what was stored last, and which script keeps others out |
//! | `protected_services` | the services that a script protects with its `config` lines |
//! | `messages`, [`retained`] | retained messages |
//! | `repair` | an erasure of the map's that was cut off |
//! | `recognize` | whether bytes are a flash of ours |
//! | `raw` | bytes of the flash at any offset |
//! | `blocking` | drives the asynchronous map from synchronous code |
//! | [`ram`] | a NOR flash in RAM that can lose its power, for tests and boards without flash |

mod blocking;
mod error;
mod extent;
mod guard;
mod image;
mod incoming;
mod key;
pub mod layout;
mod map;
mod messages;
mod next_script;
mod protected_services;
pub mod ram;
mod raw;
mod recognize;
mod repair;
pub mod retained;
mod script;
mod slots;

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::FLASH_VARIABLE_LEN;

pub use error::StorageError;
use error::flash_failed;
use guard::{Guard, Guarded};
pub use image::{ImageBytes, MapFlash, MappedFlash};
use key::Key;
pub use layout::FlashLayout;
use map::Map;
pub use protected_services::ProtectedServices;
pub use recognize::{is_ours, mark_guard_lost};
use retained::Saving;
pub use retained::{SavedMessage, SavedMessages};
pub use script::{OwnedScript, StoredScript};
use slots::{Current, Slots};

/// Flash variables are numbered 1 to this.
pub const FLASH_VARIABLES: u8 = 16;

/// Longest record of the map, bytes.
pub const MAX_RECORD: usize = 2048;

/// What [`Storage::mount`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountReport {
    /// The map could not be read and was made anew: settings, lock and flash variables are gone.
    pub formatted: bool,
    /// A reset to factory state or a deletion of the script was cut off and has now been finished.
    pub finished_deletion: bool,
    /// A script was there but its bytes are damaged; the one before it is used if it is whole.
    pub script_damaged: bool,
    /// The settings are not those that were saved last: what there is of them is damaged, older, or
    /// gone.
    pub settings_damaged: bool,
    /// The same of the lock.
    pub lock_damaged: bool,
}

/// The storage on a flash.
#[derive(Debug)]
pub struct Storage<F: NorFlash> {
    map: Map<F>,
    slots: Slots,
    guard: Guard,
    /// The saving of the retained messages that has begun.
    saving: Option<Saving>,
    /// Whether settings and lock are not what the guard says they have to be.
    damaged: [bool; 2],
}

impl<F: NorFlash> Storage<F> {
    /// Takes a flash into use. A blank one is an empty storage; one with nonsense is formatted
    /// where necessary; a deletion that was cut off is finished.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`] if the layout does not fit the flash, [`StorageError::Memory`],
    /// else what the flash reports.
    // By itself: what is on the stack to mount is not while the settings are read.
    #[inline(never)]
    pub fn mount(flash: F, layout: FlashLayout) -> Result<(Self, MountReport), StorageError> {
        if !layout.fits::<F>(flash.capacity()) {
            return Err(StorageError::TooLarge { limit: flash.capacity() });
        }
        let mut report = MountReport::default();
        let mut map = Map::new(flash, layout.map::<F>());
        let mut slots = Slots::new(layout.slots::<F>());
        report.script_damaged = slots.find(map.flash())?;
        // A reset erases the map: no need to look at it first.
        if slots.current() != Current::Deleting(slots::Scope::Everything) {
            report.formatted = map.check()?;
        }
        let mut guard = Guard::new(layout.guard::<F>());
        guard.find(map.flash())?;
        let mut storage = Storage { map, slots, guard, saving: None, damaged: [false; 2] };
        report.finished_deletion = storage.finish_deletion()?;
        for which in [Guarded::Settings, Guarded::Lock] {
            // A record that does not fit the memory is not one that is damaged.
            let record = match storage.map.get(which.key()) {
                Err(error @ (StorageError::Memory | StorageError::Flash(_))) => return Err(error),
                record => record.unwrap_or_default(),
            };
            let permitted = storage.guard.permits(which, &record, report.formatted);
            storage.damaged[which as usize] = !permitted;
        }
        [report.settings_damaged, report.lock_damaged] = storage.damaged;
        Ok((storage, report))
    }

    /// The saved settings as [`crate::settings::Settings::load`] takes them; empty if there are
    /// none.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn load_settings(&mut self) -> Result<Vec<u8>, StorageError> {
        self.map.get(Key::SETTINGS)
    }

    /// Saves what [`crate::settings::Settings::save`] gives.
    ///
    /// # Errors
    /// [`StorageError`]; the settings saved before are still there.
    pub fn save_settings(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.save_guarded(Guarded::Settings, bytes)
    }

    /// The saved lock as [`crate::console::Lock::load`] takes it; empty if there is none.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn load_lock(&mut self) -> Result<Vec<u8>, StorageError> {
        self.map.get(Key::LOCK)
    }

    /// Saves what [`crate::console::Lock::save`] gives.
    ///
    /// # Errors
    /// [`StorageError`]; the lock saved before is still there.
    pub fn save_lock(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.save_guarded(Guarded::Lock, bytes)
    }

    /// Reads flash variable `n`, 1 to [`FLASH_VARIABLES`], and returns its length: 0 if it is
    /// empty, or if there is none of that number.
    ///
    /// # Errors
    /// [`StorageError::Memory`], or what the flash reports: what it holds is not known then.
    pub fn flash_variable(
        &mut self,
        n: u8,
        out: &mut [u8; FLASH_VARIABLE_LEN],
    ) -> Result<usize, StorageError> {
        let Some(key) = Key::variable(n) else { return Ok(0) };
        self.map.look(key, |value| {
            let len = value.len().min(out.len());
            out[..len].copy_from_slice(&value[..len]);
            len
        })
    }

    /// Writes flash variable `n`. The same value again costs no write.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`] for more than 63 bytes or if there is no such variable; what was
    /// there before still is.
    pub fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError> {
        let key = Key::variable(n).ok_or(StorageError::TooLarge { limit: 0 })?;
        if value.len() > FLASH_VARIABLE_LEN {
            return Err(StorageError::TooLarge { limit: FLASH_VARIABLE_LEN });
        }
        self.map.put(key, value)
    }

    /// The leases that were saved last, as `umqtt-dhcp` writes them; empty if there are none.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn load_leases(&mut self) -> Result<Vec<u8>, StorageError> {
        self.map.get(Key::LEASES)
    }

    /// Saves the leases of the own network. The same again costs no write.
    ///
    /// # Errors
    /// [`StorageError`]; the leases saved before are still there.
    pub fn save_leases(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.map.put(Key::LEASES, bytes)
    }

    /// Deletes the script and empties the flash variables, both or (after a power cut before the
    /// first write was complete) neither.
    ///
    /// # Errors
    /// What the flash reports; the deletion is then finished by the next [`Storage::mount`], unless
    /// it did not begin.
    pub fn delete_script(&mut self) -> Result<(), StorageError> {
        self.slots.mark(self.map.flash(), slots::Scope::Script)?;
        self.finish_deletion().map(|_| ())
    }

    /// Factory reset: clears settings, lock, flash variables, script. Cut off, it is finished by
    /// the next mount.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn factory_reset(&mut self) -> Result<(), StorageError> {
        self.slots.mark(self.map.flash(), slots::Scope::Everything)?;
        self.finish_deletion().map(|_| ())
    }

    /// How often there was no memory for a record since the last call.
    pub fn take_refused(&mut self) -> u32 {
        self.map.take_refused()
    }

    /// Gives the flash back.
    pub fn unmount(self) -> F {
        self.map.into_flash()
    }

    fn save_guarded(&mut self, which: Guarded, bytes: &[u8]) -> Result<(), StorageError> {
        let now = self.guarded_now()?;
        if self.guard.begin(self.map.flash(), which, bytes, now)? {
            return Ok(());
        }
        self.map.put(which.key(), bytes)?;
        self.guard.settle(self.map.flash(), which, bytes)?;
        self.damaged[which as usize] = false;
        Ok(())
    }

    /// The checksums of what is there, `None` where that is damaged.
    fn guarded_now(&mut self) -> Result<[Option<u32>; 2], StorageError> {
        let mut now = [None; 2];
        for which in [Guarded::Settings, Guarded::Lock] {
            if !self.damaged[which as usize] {
                now[which as usize] = Some(guard::checksum(&self.map.get(which.key())?));
            }
        }
        Ok(now)
    }

    /// The steps after the mark that makes a deletion certain; true if there was one to finish.
    /// Each may be repeated.
    fn finish_deletion(&mut self) -> Result<bool, StorageError> {
        let Current::Deleting(scope) = self.slots.current() else { return Ok(false) };
        match scope {
            slots::Scope::Script => {
                for n in 1..=FLASH_VARIABLES {
                    self.set_flash_variable(n, &[])?;
                }
                self.script_start_done()?;
                self.note_script(0)?;
            }
            slots::Scope::Everything => {
                self.saving = None;
                self.map.erase()?;
                self.guard.erase(self.map.flash())?;
                self.damaged = [false; 2];
            }
        }
        self.slots.clear(self.map.flash())?;
        Ok(true)
    }
}
