//! The device's flash as this computer sees it: a file the device's own storage can be put into.

use std::path::Path;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase,
    check_read, check_write,
};
use umqtt_device::storage::{Layout, Storage};

/// Bytes of the emulated machine's flash, and of its sectors.
const SIZE: usize = 4 << 20;
const SECTOR: usize = 64 << 10;
/// Where the device keeps what.
const LAYOUT: Layout = Layout { start: 0, map_sectors: 8, slot_sectors: 1 };
/// The scripts' places: two, behind the map.
pub(crate) const SLOTS: [usize; 2] = [8 * SECTOR, 9 * SECTOR];

/// A flash in memory.
pub(crate) struct Flash(Vec<u8>);

impl Flash {
    /// Makes a file with what `fill` stores.
    pub(crate) fn make(file: &Path, fill: impl FnOnce(&mut Storage<Flash>)) {
        let (mut storage, _) = Storage::mount(Flash(vec![0xff; SIZE]), LAYOUT).unwrap();
        fill(&mut storage);
        std::fs::write(file, storage.unmount().0).unwrap();
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
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

impl NorFlash for Flash {
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

impl MultiwriteNorFlash for Flash {}
