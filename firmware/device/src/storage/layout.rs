//! Which sectors serve what: first the map, then the two slots of the script, then the guard of
//! settings and lock.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::Profile;

use super::extent::HEADER_LEN;
use super::guard;

/// Sector size of every flash chip our boards have, bytes.
pub const SECTOR: u32 = 4096;

/// The part of a flash that is ours, in sectors of its erase size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashLayout {
    /// Offset of the first byte, a multiple of the sector size.
    pub start: u32,
    /// Sectors of the map, at least 3: one is always kept free, and with two it could not be told
    /// which is older.
    pub map_sectors: u32,
    /// Sectors of each of the two script slots.
    pub slot_sectors: u32,
}

impl FlashLayout {
    /// The smallest device: 8 sectors of records and slots for its largest image and source.
    pub const ESP8266: FlashLayout = FlashLayout::of(&Profile::ESP8266, 0, 8);
    /// An ESP32-C3.
    pub const ESP32: FlashLayout = FlashLayout::of(&Profile::ESP32, 0, 8);
    /// The desktop's flash file.
    pub const DESKTOP: FlashLayout = FlashLayout::of(&Profile::DESKTOP, 0, 8);

    /// Slots for the largest script of a profile, behind `map_sectors` of map, with sectors of
    /// [`SECTOR`] bytes.
    pub const fn of(profile: &Profile, start: u32, map_sectors: u32) -> FlashLayout {
        // Behind the source there may be a gap.
        let slot = profile.image + profile.source + 2 * HEADER_LEN;
        FlashLayout { start, map_sectors, slot_sectors: (slot as u32).div_ceil(SECTOR) }
    }

    /// Sectors altogether.
    pub const fn sectors(&self) -> u32 {
        self.map_sectors + 2 * self.slot_sectors + guard::SECTORS
    }

    /// Bytes altogether with sectors of [`SECTOR`] bytes: the size of the flash file on a desktop.
    pub const fn bytes(&self) -> u32 {
        self.sectors() * SECTOR
    }

    /// What [`bytes`](Self::bytes) was before there was a guard of settings and lock: it comes
    /// last.
    pub const fn bytes_without_guard(&self) -> u32 {
        (self.sectors() - guard::SECTORS) * SECTOR
    }

    /// Whether a flash of that many bytes has all these sectors.
    pub(super) fn fits<F: NorFlash>(&self, capacity: usize) -> bool {
        let size = u64::from(self.sectors()) * F::ERASE_SIZE as u64;
        self.map_sectors >= 3
            && self.slot_sectors >= 1
            && self.start.is_multiple_of(F::ERASE_SIZE as u32)
            && u64::from(self.start) + size <= (capacity as u64).min(u64::from(u32::MAX))
    }

    pub(super) fn map<F: NorFlash>(&self) -> Range<u32> {
        self.start..self.start + self.map_sectors * F::ERASE_SIZE as u32
    }

    pub(super) fn guard<F: NorFlash>(&self) -> Range<u32> {
        let start = self.slots::<F>()[1].end;
        start..start + guard::SECTORS * F::ERASE_SIZE as u32
    }

    pub(super) fn slots<F: NorFlash>(&self) -> [Range<u32>; 2] {
        let size = self.slot_sectors * F::ERASE_SIZE as u32;
        let first = self.map::<F>().end;
        [first..first + size, first + size..first + 2 * size]
    }
}
