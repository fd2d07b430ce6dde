//! What settings and lock have to be: their checksums, outside the map.
//!
//! A record of the map that is damaged is no longer there for the library, which then finds an
//! older one or none; and that looks like a write cut off by a loss of power, or like a new device.
//! Here stands what has to be there. Two sectors take turns; each is a row of entries, of which the
//! sound one with the greatest number counts.
//!
//! It also knows which script keeps others out, by its `config` lines: without that script nobody
//! is let in.
//!
//! Before a record is written, an entry says that the old or the new one may be there; after it,
//! another says that it has to be the new one. Cut off anywhere, what is there is permitted. The
//! other stands there twice, in one sector: where one of the two is damaged and the record as well,
//! the old record is not taken for it.
//!
//! A cut leaves one entry that is not sound behind the others of its sector, and the next one goes
//! to the other sector. So two in a row, be it of several cuts, are damage: which one counted is
//! not known then, and an older one is not taken for it.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::image::checksum as crc32;

use super::key::Key;
use super::raw::read_at;
use super::{StorageError, flash_failed};

/// Sectors it takes.
pub(super) const SECTORS: u32 = 2;

/// "umgd" and the version of this format.
const MAGIC: u32 = 0x756D_6701;
/// Bytes of an entry, a multiple of every flash's word.
const ENTRY: usize = 32;
/// No record has this checksum: what is there is damaged.
const DAMAGED: u32 = 1;
/// A single entry that is not sound, behind those of its sector that are, may have been cut off.
/// More of them are damage.
const MAX_CUT_OFF: u32 = 1;
/// Entries that say what a record has to be; the first is older, and permits what was there before.
const SETTLING: u32 = 2;

/// A record that is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarded {
    Settings = 0,
    Lock = 1,
}

impl Guarded {
    pub(super) fn key(self) -> Key {
        match self {
            Guarded::Settings => Key::SETTINGS,
            Guarded::Lock => Key::LOCK,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    number: u32,
    /// For settings and lock: one of the two is there.
    permitted: [[u32; 2]; 2],
    /// See [`Guard::script`].
    script: u32,
}

/// The entries.
#[derive(Debug)]
pub(super) struct Guard {
    range: Range<u32>,
    newest: Option<Entry>,
    /// The greatest number of a sound entry.
    number: u32,
    /// The sector that was written last, and the first free place there.
    sector: u32,
    free: u32,
    /// The last entry there is not sound.
    cut_off: bool,
    /// Nothing can be said: which entry counted is not known any more.
    lost: bool,
    /// Whether a sector has a sound entry.
    sound: [bool; SECTORS as usize],
}

impl Guard {
    pub(super) fn new(range: Range<u32>) -> Guard {
        Guard {
            range,
            newest: None,
            number: 0,
            sector: 0,
            free: 0,
            cut_off: false,
            lost: false,
            sound: [false; SECTORS as usize],
        }
    }

    /// Looks for the entry that counts.
    #[inline(never)]
    pub(super) fn find<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StorageError> {
        *self = Guard::new(self.range.clone());
        let (mut free, mut unsound) = ([0; SECTORS as usize], [0; SECTORS as usize]);
        for sector in 0..SECTORS {
            let at = sector as usize;
            for place in 0..Self::places::<F>() {
                let mut bytes = [0; ENTRY];
                read_at(flash, self.offset::<F>(sector, place), &mut bytes)?;
                if bytes == [0xFF; ENTRY] {
                    continue;
                }
                // What is blank with something behind it was not left so.
                unsound[at] += place + 1 - free[at];
                free[at] = place + 1;
                let Some(entry) = Entry::read(&bytes) else { continue };
                (unsound[at], self.sound[at]) = (0, true);
                if self.newest.is_none_or(|newest| newest.number < entry.number) {
                    (self.newest, self.number, self.sector) = (Some(entry), entry.number, sector);
                }
            }
        }
        // A sector with sound entries, of which none is the newest, is an older one.
        let damaged = |sector: u32| {
            let counts = sector == self.sector || !self.sound[sector as usize];
            counts && unsound[sector as usize] > MAX_CUT_OFF
        };
        if let Some(sector) = (0..SECTORS).find(|sector| damaged(*sector)) {
            (self.newest, self.lost, self.sector) = (None, true, sector);
        }
        self.free = free[self.sector as usize];
        self.cut_off = unsound[self.sector as usize] > 0;
        Ok(())
    }

    /// Whether there is an entry that is sound.
    pub(super) fn has_entry(&self) -> bool {
        self.sound.contains(&true)
    }

    /// Whether a record may be what it is. With nothing to go by, it depends on whether the map was
    /// `formatted`.
    pub(super) fn permits(&self, which: Guarded, record: &[u8], formatted: bool) -> bool {
        match &self.newest {
            Some(entry) => entry.permitted[which as usize].contains(&checksum(record)),
            None => !self.lost && !formatted,
        }
    }

    /// A record is to be written in the place of the one there is. `now` is what is there of both,
    /// and `None` where that is damaged. True if the record was already settled.
    pub(super) fn begin<F: NorFlash>(
        &mut self,
        flash: &mut F,
        which: Guarded,
        record: &[u8],
        now: [Option<u32>; 2],
    ) -> Result<bool, StorageError> {
        let new = checksum(record);
        let mut entry = self.entry(now);
        let permitted = &mut entry.permitted[which as usize];
        if self.newest.is_some() && *permitted == [new; 2] && now[which as usize] == Some(new) {
            return Ok(true);
        }
        // Of what is damaged it is not known what it was: cut off, it has to be found damaged
        // again.
        *permitted = [now[which as usize].unwrap_or(DAMAGED), new];
        self.append(flash, entry, 1 + SETTLING)?;
        Ok(false)
    }

    /// The record has been written.
    pub(super) fn settle<F: NorFlash>(
        &mut self,
        flash: &mut F,
        which: Guarded,
        record: &[u8],
    ) -> Result<(), StorageError> {
        let mut entry = self.newest.unwrap_or_default();
        entry.permitted[which as usize] = [checksum(record); 2];
        self.settle_entry(flash, entry)
    }

    /// Writes what counts from now on. One of the two may be damaged: it is not the older one then.
    fn settle_entry<F: NorFlash>(
        &mut self,
        flash: &mut F,
        entry: Entry,
    ) -> Result<(), StorageError> {
        (0..SETTLING).rev().try_for_each(|more| self.append(flash, entry, 1 + more))
    }

    /// What is said of the script; 0 at first.
    pub(super) fn script(&self) -> u32 {
        self.newest.map_or(0, |newest| newest.script)
    }

    /// Says something of the script. `now` as for [`Guard::begin`].
    pub(super) fn set_script<F: NorFlash>(
        &mut self,
        flash: &mut F,
        script: u32,
        now: [Option<u32>; 2],
    ) -> Result<(), StorageError> {
        let entry = Entry { script, ..self.entry(now) };
        self.settle_entry(flash, entry)
    }

    /// The entry that counts, or one that says what is there now.
    fn entry(&self, now: [Option<u32>; 2]) -> Entry {
        self.newest.unwrap_or_else(|| Entry {
            permitted: now.map(|now| [now.unwrap_or(DAMAGED); 2]),
            ..Entry::default()
        })
    }

    /// Forgets all.
    pub(super) fn erase<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StorageError> {
        *self = Guard::new(self.range.clone());
        flash.erase(self.range.start, self.range.end).map_err(flash_failed)
    }

    /// Writes an entry where there is room for it and those that are to stand beside it, `count` of
    /// them altogether.
    #[inline(never)]
    fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        entry: Entry,
        count: u32,
    ) -> Result<(), StorageError> {
        let entry = Entry { number: self.number.wrapping_add(1), ..entry };
        let (mut sector, mut free) = (self.sector, self.free);
        // What is lost stays so until there is an entry that counts: the sector that shows it is
        // not erased before. Nor is the one with the newest entry.
        if free + count > Self::places::<F>() || self.cut_off && !self.lost {
            (sector, free) = ((sector + 1) % SECTORS, 0);
            self.erase_sector(flash, sector)?;
        } else {
            // Used up, however the write ends.
            (self.free, self.cut_off) = (free + 1, true);
        }
        let (at, bytes) = (self.offset::<F>(sector, free), entry.bytes());
        flash.write(at, &bytes).map_err(flash_failed)?;
        let mut written = [0; ENTRY];
        read_at(flash, at, &mut written)?;
        if written != bytes {
            return Err(StorageError::Broken);
        }
        (self.sector, self.free, self.cut_off) = (sector, free + 1, false);
        self.sound[sector as usize] = true;
        let other = (sector + 1) % SECTORS;
        if self.lost && !self.sound[other as usize] {
            self.erase_sector(flash, other)?;
        }
        (self.newest, self.number, self.lost) = (Some(entry), entry.number, false);
        Ok(())
    }

    fn erase_sector<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sector: u32,
    ) -> Result<(), StorageError> {
        self.sound[sector as usize] = false;
        let start = self.offset::<F>(sector, 0);
        flash.erase(start, start + F::ERASE_SIZE as u32).map_err(flash_failed)
    }

    fn places<F: NorFlash>() -> u32 {
        (F::ERASE_SIZE / ENTRY) as u32
    }

    fn offset<F: NorFlash>(&self, sector: u32, place: u32) -> u32 {
        self.range.start + sector * F::ERASE_SIZE as u32 + place * ENTRY as u32
    }
}

impl Entry {
    fn bytes(&self) -> [u8; ENTRY] {
        let [settings, lock] = self.permitted;
        let words = [MAGIC, self.number, settings[0], settings[1], lock[0], lock[1], self.script];
        let mut bytes = [0; ENTRY];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let (content, check) = bytes.split_at_mut(ENTRY - 4);
        check.copy_from_slice(&crc32(content).to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; ENTRY]) -> Option<Entry> {
        let mut words = [0; ENTRY / 4];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(place.try_into().ok()?);
        }
        let [magic, number, s0, s1, l0, l1, script, check] = words;
        let sound = magic == MAGIC && check == crc32(&bytes[..ENTRY - 4]);
        sound.then_some(Entry { number, permitted: [[s0, s1], [l0, l1]], script })
    }
}

/// Leaves in erased sectors what a guard that is lost looks like.
pub(super) fn mark_lost<F: NorFlash>(flash: &mut F, range: Range<u32>) -> Result<(), StorageError> {
    flash.write(range.start, &[0; (MAX_CUT_OFF as usize + 1) * ENTRY]).map_err(flash_failed)
}

/// 0 is that of a record which is not there.
pub(super) fn checksum(record: &[u8]) -> u32 {
    match record {
        [] => 0,
        _ => crc32(record).max(DAMAGED + 1),
    }
}
