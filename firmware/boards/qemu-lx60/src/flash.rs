//! The machine's parallel NOR flash (Intel command set, JEDEC JESD68.01 "Common Flash Interface"),
//! 4 MiB in sectors of 64 KiB. The chip's own SPI flash has sectors of 4 KiB: the layout of the
//! storage is the board's, see `options`.
//!
//! The emulator lets a write set bits; flash cannot, so the driver clears bits only.

use core::cell::RefCell;
use core::fmt;
use core::ops::Range;

use critical_section::Mutex;
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
    check_erase, check_read, check_write,
};
use umqtt_device::storage::MappedFlash;

const BASE: usize = 0x9800_0000;
/// Bytes altogether, and of a sector.
const CAPACITY: usize = 4 * 1024 * 1024;
const SECTOR: usize = 64 * 1024;
/// Bytes written together, as on the chip.
const WORD: usize = 4;

/// Commands.
const READ_ARRAY: u16 = 0xff;
const QUERY: u16 = 0x98;
const CLEAR_STATUS: u16 = 0x50;
const ERASE: u16 = 0x20;
const CONFIRM: u16 = 0xd0;
const PROGRAM: u16 = 0x40;
/// Status: it is done; erasing failed; programming failed.
const DONE: u16 = 1 << 7;
const FAILED: u16 = 1 << 5 | 1 << 4;
/// Where the answer to a query begins, in words of 16 bits, and what it begins with.
const QUERY_ANSWER: usize = 0x10;
const SIGNATURE: [u8; 3] = *b"QRY";
/// Looks at the status before an operation is given up: far more than the slowest sector takes.
const MAX_POLLS: u32 = 10_000_000;

/// Ranges that can be mapped together: the running script's image, and that of the next.
const MAPS: usize = 2;

/// What is mapped: nothing of it is erased or written.
static MAPPED: Mutex<RefCell<[Range<u32>; MAPS]>> = Mutex::new(RefCell::new([0..0, 0..0]));

fn with_mapped<T>(run: impl FnOnce(&mut [Range<u32>; MAPS]) -> T) -> T {
    critical_section::with(|section| run(&mut MAPPED.borrow_ref_mut(section)))
}

/// The flash where it lies, until it is unmapped; none if too much is mapped, or there is not so
/// much flash.
///
/// On the chip bytes cannot be read over the cache, only words, so this is the machine's alone.
pub(crate) fn map(range: Range<u32>) -> Option<MappedFlash> {
    if range.is_empty() || range.end as usize > CAPACITY {
        return None;
    }
    with_mapped(|mapped| {
        let place = mapped.iter_mut().find(|mapped| mapped.start == mapped.end)?;
        *place = range.clone();
        Some(())
    })?;
    let start = (BASE + range.start as usize) as *const u8;
    // SAFETY: the flash's own address range, which is in read mode whenever the driver does
    // nothing; while the range is mapped the driver changes nothing of it.
    let bytes = unsafe { core::slice::from_raw_parts(start, range.len()) };
    Some(MappedFlash::new(bytes, unmap))
}

fn unmap(bytes: &[u8]) {
    let start = (bytes.as_ptr().addr() - BASE) as u32;
    let range = start..start + bytes.len() as u32;
    with_mapped(|mapped| {
        if let Some(place) = mapped.iter_mut().find(|mapped| **mapped == range) {
            *place = 0..0;
        }
    });
}

/// Whether something of a range is mapped.
fn is_mapped(from: u32, to: u32) -> bool {
    with_mapped(|mapped| mapped.iter().any(|mapped| mapped.start < to && from < mapped.end))
}

/// The flash.
#[derive(Debug)]
pub struct Flash(());

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// The machine has no flash.
    Missing,
    /// The place is outside the flash or not aligned.
    Place(NorFlashErrorKind),
    /// The flash says that it could not.
    Failed,
    /// A script runs from there.
    Mapped,
}

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FlashError::Missing => {
                "no flash: start the emulator with -drive if=pflash,format=raw,file=FILE (4 MiB)"
            }
            FlashError::Place(NorFlashErrorKind::OutOfBounds) => "outside the flash",
            FlashError::Place(_) => "not aligned to a flash word or sector",
            FlashError::Failed => "the flash could not erase or write",
            FlashError::Mapped => "a script runs from there",
        })
    }
}

impl core::error::Error for FlashError {}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FlashError::Place(kind) => *kind,
            FlashError::Missing | FlashError::Failed | FlashError::Mapped => {
                NorFlashErrorKind::Other
            }
        }
    }
}

fn byte(offset: usize) -> u8 {
    // SAFETY: the flash's own address range, where reading has no effect on memory.
    unsafe { ((BASE + offset) as *const u8).read_volatile() }
}

fn status(offset: usize) -> u16 {
    // SAFETY: as above; offsets are even.
    unsafe { ((BASE + offset) as *const u16).read_volatile() }
}

fn command(offset: usize, word: u16) {
    // SAFETY: as above; writing reaches the flash's command register only.
    unsafe { ((BASE + offset) as *mut u16).write_volatile(word) }
}

impl Flash {
    /// Looks whether the machine has a flash. There is one, so this is to be called once.
    ///
    /// # Errors
    /// [`FlashError::Missing`].
    pub fn find() -> Result<Flash, FlashError> {
        command(0, QUERY);
        let answer = [0, 1, 2].map(|at| byte(2 * (QUERY_ANSWER + at)));
        command(0, READ_ARRAY);
        if answer == SIGNATURE { Ok(Flash(())) } else { Err(FlashError::Missing) }
    }

    /// Waits until an operation is done, and makes the content readable again.
    fn finish(&mut self, offset: usize) -> Result<(), FlashError> {
        let done = (0..MAX_POLLS).map(|_| status(offset)).find(|status| status & DONE != 0);
        command(offset, CLEAR_STATUS);
        command(offset, READ_ARRAY);
        match done {
            Some(status) if status & FAILED == 0 => Ok(()),
            _ => Err(FlashError::Failed),
        }
    }
}

impl ErrorType for Flash {
    type Error = FlashError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError::Place)?;
        for (at, slot) in (offset as usize..).zip(bytes) {
            *slot = byte(at);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError::Place)?;
        if is_mapped(from, to) {
            return Err(FlashError::Mapped);
        }
        for sector in (from as usize..to as usize).step_by(SECTOR) {
            command(sector, ERASE);
            command(sector, CONFIRM);
            self.finish(sector)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError::Place)?;
        if is_mapped(offset, offset + bytes.len() as u32) {
            return Err(FlashError::Mapped);
        }
        for (at, pair) in (offset as usize..).step_by(2).zip(bytes.chunks_exact(2)) {
            let old = u16::from_le_bytes([byte(at), byte(at + 1)]);
            let new = u16::from_le_bytes([pair[0], pair[1]]) & old;
            if new != old {
                command(at, PROGRAM);
                command(at, new);
                self.finish(at)?;
            }
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Flash {}
