//! The device's flash memory in a file: the same code that keeps settings and scripts on a chip
//! keeps them here.
//!
//! It behaves like NOR flash (erased to ones sector by sector, writing only clears bits) and every
//! write has reached the disk when it returns, in the order in which they were made, so that
//! neither a killed process nor a power cut of the desktop loses what it was told is written.

mod open;
mod open_error;
mod private_file;

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
    check_erase, check_read, check_write,
};

pub use open_error::OpenError;
pub(crate) use private_file::{refuse_odd, sync_directory};

/// Bytes erased together.
pub const SECTOR: usize = 4096;
/// Bytes written together.
pub const WORD: usize = 4;
/// The file in the data directory.
pub const FILE_NAME: &str = "flash.bin";

/// Flash memory in a file.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    /// What is in the file: reading costs no system call.
    content: Vec<u8>,
    /// Why writing failed last, for the log.
    failure: WriteFailure,
    /// What was wrong with the file when it was opened, for the log.
    notice: Option<String>,
    /// Held as long as we live; the system lets go of it when the process dies, however it dies.
    _lock: File,
}

/// Why writing a file failed, in the system's own words, until somebody takes it.
#[derive(Clone, Debug, Default)]
pub struct WriteFailure(Rc<RefCell<Option<String>>>);

impl WriteFailure {
    /// Takes it.
    pub fn take(&self) -> Option<String> {
        self.0.take()
    }
}

impl FileFlash {
    /// Where the words for the log are found when writing fails.
    pub fn failure(&self) -> WriteFailure {
        self.failure.clone()
    }

    /// What was wrong with the file when it was opened, for the log; once.
    pub fn take_notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    fn write_through(&mut self, from: usize, to: usize) -> Result<(), FlashError> {
        let Err(error) = self.try_write(from, to) else { return Ok(()) };
        self.failure.0.replace(Some(error.to_string()));
        // What counts is what the file holds now, as far as that can be told.
        let region = &mut self.content[from..to];
        let _ = self.file.seek(SeekFrom::Start(from as u64));
        let _ = self.file.read_exact(region);
        Err(FlashError::Failed)
    }

    fn try_write(&mut self, from: usize, to: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(from as u64))?;
        self.file.write_all(&self.content[from..to])?;
        // One after the other: what is written later says that what was written before is whole.
        self.file.sync_data()
    }
}

/// Why a flash operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// The place is outside the flash or not aligned.
    Place(NorFlashErrorKind),
    /// The file could not be written.
    Failed,
}

impl core::fmt::Display for FlashError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            FlashError::Place(NorFlashErrorKind::OutOfBounds) => "outside the flash",
            FlashError::Place(_) => "not aligned to a flash word or sector",
            FlashError::Failed => "the flash file cannot be written",
        })
    }
}

impl core::error::Error for FlashError {}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FlashError::Place(kind) => *kind,
            FlashError::Failed => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for FileFlash {
    type Error = FlashError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError::Place)?;
        let offset = offset as usize;
        bytes.copy_from_slice(&self.content[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.content.len()
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError::Place)?;
        self.content[from as usize..to as usize].fill(0xff);
        self.write_through(from as usize, to as usize)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError::Place)?;
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        for (cell, byte) in self.content[from..to].iter_mut().zip(bytes) {
            *cell &= byte;
        }
        self.write_through(from, to)
    }
}

impl MultiwriteNorFlash for FileFlash {}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use umqtt_device::storage::FlashLayout;

    use super::*;

    pub(super) const LAYOUT: FlashLayout =
        FlashLayout { start: 0, map_sectors: 3, slot_sectors: 1 };

    /// A directory of its own per test, gone at the end.
    pub(super) struct Dir(pub(super) PathBuf);
    impl Dir {
        pub(super) fn new(name: &str) -> Dir {
            let name = format!("umqtt-flash-{name}-{}", std::process::id());
            Dir(std::env::temp_dir().join(name))
        }
    }
    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_behaves_like_nor_flash_and_survives_reopening() {
        let dir = Dir::new("nor");
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        flash.write(8, &[0xf0, 0x0f, 0xff, 0x00]).unwrap();
        flash.write(8, &[0x3c, 0xff, 0xff, 0xff]).unwrap();
        drop(flash);
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        let mut read = [0; 4];
        flash.read(8, &mut read).unwrap();
        assert_eq!(read, [0x30, 0x0f, 0xff, 0x00]);
        flash.erase(0, SECTOR as u32).unwrap();
        flash.read(8, &mut read).unwrap();
        assert_eq!(read, [0xff; 4]);
    }

    #[test]
    fn places_are_checked() {
        let dir = Dir::new("places");
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert!(flash.write(2, &[0; 4]).is_err());
        assert!(flash.write(LAYOUT.bytes(), &[0; 4]).is_err());
        assert!(flash.erase(0, 100).is_err());
        assert!(flash.read(LAYOUT.bytes() - 1, &mut [0; 2]).is_err());
    }
}
