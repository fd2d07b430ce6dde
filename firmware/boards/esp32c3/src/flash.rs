//! The partition that is the device's.

use alloc::vec::Vec;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use esp_bootloader_esp_idf::partitions::{PARTITION_TABLE_MAX_LEN, read_partition_table};
use esp_hal::peripherals::FLASH;
use esp_storage::{FlashStorage, FlashStorageError};
use umqtt_device::storage::{FlashLayout, Storage};

/// What `partitions.csv` calls it.
const LABEL: &str = "umqtt";

/// The partition. Offsets begin with it, and nothing outside it is touched.
pub(crate) struct Partition {
    flash: FlashStorage<'static>,
    start: u32,
    size: u32,
    is_read_only: bool,
}

impl Partition {
    /// Finds it in the flash's table.
    pub(crate) fn find(flash: FLASH<'static>) -> Result<Partition, &'static str> {
        let mut flash = FlashStorage::new(flash);
        let mut table = [0; PARTITION_TABLE_MAX_LEN];
        let table = read_partition_table(&mut flash, &mut table)
            .map_err(|_| "the flash has no partition table: write the whole image")?;
        let entry = table.iter().find(|entry| entry.label_as_str() == LABEL);
        let entry = entry.ok_or("the flash has no partition umqtt: write the whole image")?;
        let (start, size) = (entry.offset(), entry.len());
        Ok(Partition { flash, start, size, is_read_only: false })
    }

    /// What the device has saved, before it or the chip is set up: with the ROM's functions, as the
    /// boot loader has read the program. `None` if there is nothing, or what a power cut has left,
    /// which the device mends first.
    pub(crate) fn saved_settings(layout: FlashLayout) -> Option<Vec<u8>> {
        // SAFETY: nobody else has it yet, and it is given up before this returns.
        let flash = unsafe { FLASH::steal() };
        let mut partition = Partition::find(flash).ok()?;
        partition.is_read_only = true;
        let (mut storage, report) = Storage::mount(partition, layout).ok()?;
        if report.settings_damaged {
            return None;
        }
        storage.load_settings().ok()
    }

    fn check_writable(&self) -> Result<(), FlashStorageError> {
        if self.is_read_only { Err(FlashStorageError::CantUnlock) } else { Ok(()) }
    }

    /// The place in flash of a range of the partition.
    fn at(&self, offset: u32, len: usize) -> Result<u32, FlashStorageError> {
        let end = u64::from(offset) + len as u64;
        match end <= u64::from(self.size) {
            true => Ok(self.start + offset),
            false => Err(FlashStorageError::OutOfBounds),
        }
    }
}

impl ErrorType for Partition {
    type Error = FlashStorageError;
}

impl ReadNorFlash for Partition {
    const READ_SIZE: usize = <FlashStorage<'static> as ReadNorFlash>::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashStorageError> {
        let at = self.at(offset, bytes.len())?;
        ReadNorFlash::read(&mut self.flash, at, bytes)
    }

    fn capacity(&self) -> usize {
        self.size as usize
    }
}

impl NorFlash for Partition {
    const WRITE_SIZE: usize = <FlashStorage<'static> as NorFlash>::WRITE_SIZE;
    const ERASE_SIZE: usize = <FlashStorage<'static> as NorFlash>::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashStorageError> {
        self.check_writable()?;
        let len = to.checked_sub(from).ok_or(FlashStorageError::OutOfBounds)?;
        let at = self.at(from, len as usize)?;
        NorFlash::erase(&mut self.flash, at, at + len)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashStorageError> {
        self.check_writable()?;
        let at = self.at(offset, bytes.len())?;
        NorFlash::write(&mut self.flash, at, bytes)
    }
}
