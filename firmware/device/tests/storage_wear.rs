//! What writes cost the flash: the compiler's warning W0009 says how long it lasts, and has its
//! figures from here.
#![allow(clippy::unwrap_used)] // in helpers of tests

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use umqtt_device::storage::ram::{RamFlash, RamFlashError, SECTOR};
use umqtt_device::storage::{FlashLayout, Storage};
use umqtt_lang::lint::{FLASH_SECTORS, record_len};

/// A flash that counts how often each sector is erased.
struct Counting {
    flash: RamFlash,
    erases: Vec<u32>,
}

impl ErrorType for Counting {
    type Error = RamFlashError;
}

impl ReadNorFlash for Counting {
    const READ_SIZE: usize = RamFlash::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), RamFlashError> {
        self.flash.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl NorFlash for Counting {
    const WRITE_SIZE: usize = RamFlash::WRITE_SIZE;
    const ERASE_SIZE: usize = RamFlash::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), RamFlashError> {
        for sector in from as usize / SECTOR..to as usize / SECTOR {
            self.erases[sector] += 1;
        }
        self.flash.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), RamFlashError> {
        self.flash.write(offset, bytes)
    }
}

/// How often each sector of the map is erased by so many writes of a value of this length.
fn erases(writes: u32, len: usize) -> Vec<u32> {
    let layout = FlashLayout::ESP8266;
    let sectors = layout.sectors();
    let flash = Counting { flash: RamFlash::new(sectors), erases: vec![0; sectors as usize] };
    let (mut storage, _) = Storage::mount(flash, layout).unwrap();
    for n in 0..writes {
        let value = format!("{n:0len$}");
        storage.set_flash_variable(1, value.as_bytes()).unwrap();
        // A second time costs nothing.
        storage.set_flash_variable(1, value.as_bytes()).unwrap();
    }
    storage.unmount().erases[..layout.map_sectors as usize].to_vec()
}

#[test]
fn writes_wear_the_flash_as_the_compiler_says() {
    for layout in [FlashLayout::ESP8266, FlashLayout::ESP32, FlashLayout::DESKTOP] {
        assert_eq!(u64::from(layout.map_sectors), FLASH_SECTORS);
    }
    for len in [5, 63] {
        const WRITES: u32 = 6_000;
        let erases = erases(WRITES, len);
        // The sectors were blank when they were filled for the first time.
        let filled = erases.iter().sum::<u32>() + erases.len() as u32;
        let each = f64::from(filled) * SECTOR as f64 / f64::from(WRITES);
        let said = record_len(len) as f64;
        assert!((0.8..1.25).contains(&(each / said)), "{len}: {each} bytes a write, {said} said");
        let (least, most) = (erases.iter().min().unwrap(), erases.iter().max().unwrap());
        assert!(most - least <= 2, "{erases:?}");
    }
}
