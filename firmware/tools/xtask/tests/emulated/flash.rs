//! The device's flash as this computer sees it: a file the device's own storage can be put into.

use std::path::Path;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase,
    check_read, check_write,
};
use umqtt_device::storage::{FlashLayout, Storage, StoredScript};

use crate::device::chip;

/// The scripts' places: two, behind the map.
pub(crate) fn slots() -> [usize; 2] {
    let machine = &chip().machine;
    [0, 1].map(|slot| (machine.map_sectors + slot * machine.slot_sectors) * machine.sector)
}

/// Makes a file with this script.
pub(crate) fn make(file: &Path, script: &StoredScript<'_>) {
    match chip().machine.sector {
        ESP8266_SECTOR => make_with::<ESP8266_SECTOR>(file, script),
        RISCV_SECTOR => make_with::<RISCV_SECTOR>(file, script),
        sector => panic!("a flash with sectors of {sector} bytes is new"),
    }
}

/// The sectors of the emulated machines.
const ESP8266_SECTOR: usize = 64 << 10;
const RISCV_SECTOR: usize = 256 << 10;

fn make_with<const SECTOR: usize>(file: &Path, script: &StoredScript<'_>) {
    let machine = &chip().machine;
    let layout = FlashLayout {
        start: 0,
        map_sectors: machine.map_sectors as u32,
        slot_sectors: machine.slot_sectors as u32,
    };
    let flash = Flash::<SECTOR>(vec![0xff; machine.flash_size]);
    let (mut storage, _) = Storage::mount(flash, layout).unwrap();
    storage.store_script(script).unwrap();
    std::fs::write(file, storage.unmount().0).unwrap();
}

/// A flash in memory.
struct Flash<const SECTOR: usize>(Vec<u8>);

impl<const SECTOR: usize> ErrorType for Flash<SECTOR> {
    type Error = NorFlashErrorKind;
}

impl<const SECTOR: usize> ReadNorFlash for Flash<SECTOR> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl<const SECTOR: usize> NorFlash for Flash<SECTOR> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.0[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (old, new) in self.0[offset as usize..].iter_mut().zip(bytes) {
            *old &= new;
        }
        Ok(())
    }
}

impl<const SECTOR: usize> MultiwriteNorFlash for Flash<SECTOR> {}
