//! What survives a restart: settings, the lock, flash variables, the script. Safe against a power
//! cut at any moment: afterwards the old or the new state is there, whole.
//!
//! Small records live in a map that levels wear (`sequential-storage`); the script, image and
//! source, has two slots of its own. The flash is anything with [`NorFlash`]; a cut in the middle
//! of one of its writes is part of the bargain. What the bytes mean is not known here.
//!
//! | module | job |
//! |---|---|
//! | [`layout`] | which sectors serve what |
//! | `map` | the records |
//! | `slots` | the script |
//! | `incoming` | the next script, while it comes |
//! | `image` | the bytes of an image, copied or in place |
//! | `guard` | whether settings and lock are what was stored last, and which script keeps others out |
//! | [`retained`] | retained messages |
//! | `repair` | an erasure of the map's that was cut off |
//! | `blocking` | drives the asynchronous map from synchronous code |
//! | [`ram`] | a NOR flash in RAM that can lose its power, for tests and boards without flash |

mod blocking;
mod guard;
mod image;
mod incoming;
pub mod layout;
mod map;
pub mod ram;
mod repair;
pub mod retained;
mod slots;

use alloc::vec::Vec;
use core::fmt;
use core::ops::Bound;

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use umqtt_vm::FLASH_VARIABLE_LEN;

use guard::{Guard, Guarded};
pub use image::{ImageBytes, MapFlash, MappedFlash};
use incoming::Incoming;
pub use layout::Layout;
use map::{Key, Map};
use retained::Saving;
pub use retained::{SavedMessage, SavedMessages};
use slots::{Current, Slots};

/// Flash variables are numbered 1 to this.
pub const FLASH_VARIABLES: u8 = 16;

/// Longest record of the map, bytes.
pub const MAX_RECORD: usize = 2048;

/// What strangers are kept out of: bits of [`Doors::BROKER`] and [`Doors::CONSOLE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doors(u8);

impl Doors {
    /// The broker.
    pub const BROKER: Doors = Doors(1);
    /// The console, over the network.
    pub const CONSOLE: Doors = Doors(2);
    /// Both.
    pub const ALL: Doors = Doors(3);

    /// Neither.
    pub fn is_empty(self) -> bool {
        self == Doors::default()
    }

    /// Whether one of `doors` is among them.
    pub fn has(self, doors: Doors) -> bool {
        self.0 & doors.0 != 0
    }

    /// Without those.
    pub fn without(self, doors: Doors) -> Doors {
        Doors(self.0 & !doors.0)
    }

    /// And these.
    pub fn add(&mut self, doors: Doors) {
        self.0 |= doors.0;
    }
}

/// The bits in which the guard keeps [`Doors`], beside a script's checksum.
const DOOR_BITS: u32 = 3;

/// Why something was not stored. What was stored before is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// There is no room left.
    Full,
    /// It is larger than its place.
    TooLarge {
        /// Bytes there are for it.
        limit: usize,
    },
    /// What was written does not read back: the flash is worn out, or holds nonsense that cannot be
    /// repaired.
    Broken,
    /// There is not enough memory for it now.
    Memory,
    /// The flash reports an error.
    Flash(NorFlashErrorKind),
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Full => f.write_str("the flash is full"),
            StorageError::TooLarge { limit } => write!(f, "larger than {limit} bytes"),
            StorageError::Broken => f.write_str("the flash does not keep what is written"),
            StorageError::Memory => f.write_str("not enough memory"),
            StorageError::Flash(kind) => write!(f, "the flash failed: {kind}"),
        }
    }
}

impl core::error::Error for StorageError {}

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
    pub fn mount(flash: F, layout: Layout) -> Result<(Self, MountReport), StorageError> {
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

    /// What the `config` lines of a script keep others out of; empty if no script does, or it is
    /// the one that is stored and `runs`.
    pub fn unguarded(&self, runs: bool) -> Doors {
        let (recorded, doors) =
            (self.guard.script(), Doors(self.guard.script() as u8 & Doors::ALL.0));
        // Without a checksum it is any that runs: it was being replaced when the power went.
        let here = recorded & !DOOR_BITS == 0 || recorded & !DOOR_BITS == self.script_id();
        if runs && here { Doors::default() } else { doors }
    }

    /// Keeps in mind what the `config` lines of the script that is stored keep others out of: from
    /// now on it is missed, should it be damaged.
    ///
    /// # Errors
    /// [`StorageError`]; what was kept before still is.
    pub fn set_guarding(&mut self, doors: Doors) -> Result<(), StorageError> {
        let id = if doors.is_empty() { 0 } else { self.script_id() };
        self.note_script(id | u32::from(doors.0))
    }

    /// Another script takes the place of the one that is stored: whichever runs is the one to be
    /// missed.
    fn script_changes(&mut self) -> Result<(), StorageError> {
        self.note_script(self.guard.script() & DOOR_BITS)
    }

    fn note_script(&mut self, recorded: u32) -> Result<(), StorageError> {
        if self.guard.script() == recorded {
            return Ok(());
        }
        let now = self.guarded_now()?;
        self.guard.set_script(self.map.flash(), recorded, now)
    }

    /// The script that is stored, in the bits that [`DOOR_BITS`] leaves; never 0.
    fn script_id(&self) -> u32 {
        let checksum = self.slots.script().map_or(0, |script| script.checksum);
        (checksum & !DOOR_BITS).max(DOOR_BITS + 1)
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
        let source = slots::read_vec(self.map.flash(), script.source.clone())?;
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
        if !slots::is_whole(flash, script)? {
            return Err(StorageError::Broken);
        }
        if let Some(mapped) = map(script.image.clone()) {
            return Ok(Some(mapped.into()));
        }
        slots::read_vec(flash, script.image.clone()).map(|image| Some(image.into()))
    }

    /// More of the next script has come: source or bytecode. It goes beside the current one, which
    /// stays that until [`Storage::commit_incoming`].
    ///
    /// # Errors
    /// [`StorageError`]; [`Storage::drop_incoming`] is due then.
    pub fn append_incoming(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.slots.incoming_mut()?.append(self.map.flash(), bytes)
    }

    /// What the next script takes of the memory while it comes, bytes.
    pub fn incoming_memory(&self) -> usize {
        self.slots.incoming().map_or(0, Incoming::memory)
    }

    /// How much of the next script has come, bytes.
    pub fn incoming_len(&self) -> usize {
        self.slots.incoming().map_or(0, Incoming::len)
    }

    /// How the next script begins, up to four bytes.
    pub fn incoming_head(&self) -> &[u8] {
        self.slots.incoming().map_or(&[], Incoming::head)
    }

    /// The byte that has come last.
    pub fn incoming_last(&self) -> Option<u8> {
        self.slots.incoming().and_then(Incoming::last)
    }

    /// Whether an image was begun or looked at, and nothing more can come.
    pub fn incoming_is_closed(&self) -> bool {
        self.slots.incoming().is_some_and(Incoming::is_closed)
    }

    /// Reads what has come of the next script, from `offset` on; false where there is not so much,
    /// or the flash fails.
    pub fn read_incoming(&mut self, offset: usize, out: &mut [u8]) -> bool {
        let flash = self.map.flash();
        let incoming = self.slots.incoming();
        incoming.is_some_and(|incoming| incoming.read(flash, offset, out) == Ok(true))
    }

    /// More of the image that is compiled from what has come, which is source and all there.
    ///
    /// # Errors
    /// As [`Storage::append_incoming`].
    pub fn append_incoming_image(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.slots.incoming_mut()?.append_image(self.map.flash(), bytes)
    }

    /// The image of the next script: what has come, or what was compiled from it. Where it lies if
    /// `map` can. Nothing more can come then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn incoming_image(&mut self, map: MapFlash<'_>) -> Result<ImageBytes, StorageError> {
        let flash = self.map.flash();
        self.slots.incoming_mut()?.image_bytes(flash, map)
    }

    /// Gives up what has come of the next script.
    pub fn drop_incoming(&mut self) {
        self.slots.drop_incoming();
    }

    /// Makes what has come the script, with the image that was compiled from it; if it is bytecode,
    /// its last `source` bytes are its source.
    ///
    /// # Errors
    /// [`StorageError`]; the old script is still there, and what had come is given up.
    pub fn commit_incoming(&mut self, source: usize) -> Result<(), StorageError> {
        // First the count of starts: should the power go between the two, the old script has three
        // more tries.
        let begun = self.script_start_done().and_then(|()| self.script_changes());
        if let Err(error) = begun {
            self.slots.drop_incoming();
            return Err(error);
        }
        self.slots.commit_incoming(self.map.flash(), source)
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
        match slots::read_at(self.map.flash(), start, &mut out[..len]) {
            Ok(()) => len,
            Err(_) => 0,
        }
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

    /// Clears everything: settings, lock, flash variables, script. Cut off, it is finished by the
    /// next mount.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn factory_reset(&mut self) -> Result<(), StorageError> {
        self.slots.mark(self.map.flash(), slots::Scope::Everything)?;
        self.finish_deletion().map(|_| ())
    }

    /// Saves the retained messages in the place of those saved before, each by itself, and only
    /// those that have changed. `from` gives them from a topic on, in the order of their topics;
    /// `refused` gets the topics that do not fit.
    ///
    /// # Errors
    /// [`StorageError`]; each message is the one saved before or the new one then.
    pub fn save_retained<'m, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<(), StorageError> {
        self.saving = None;
        while !self.save_some_retained(from, refused)? {}
        Ok(())
    }

    /// As [`Storage::save_retained`], but at most [`retained::RECORDS_PER_STEP`] records of it,
    /// going on where the last call has stopped; true once all are saved.
    ///
    /// # Errors
    /// As [`Storage::save_retained`]; the next call begins anew.
    pub fn save_some_retained<'m, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, StorageError> {
        let mut saving = match self.saving.take() {
            Some(saving) => saving,
            None => Saving::new()?,
        };
        let done = saving.step(&mut self.map, from, refused)?;
        if !done {
            self.saving = Some(saving);
        }
        Ok(done)
    }

    /// Whether [`Storage::save_some_retained`] has begun and has not come to its end.
    pub fn is_saving_retained(&self) -> bool {
        self.saving.is_some()
    }

    /// The retained messages that were saved.
    ///
    /// # Errors
    /// What the flash reports.
    pub fn load_retained(&mut self) -> Result<SavedMessages, StorageError> {
        retained::load(&mut self.map)
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

    fn script_starts(&mut self) -> Result<u8, StorageError> {
        Ok(self.map.get(Key::STARTS)?.first().copied().unwrap_or(0))
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

/// A flash's error as ours.
fn flash_failed<E: NorFlashError>(error: E) -> StorageError {
    StorageError::Flash(error.kind())
}
