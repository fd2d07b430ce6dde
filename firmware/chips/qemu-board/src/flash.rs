//! The machine's parallel NOR flash (Intel command set, JEDEC JESD68.01 "Common Flash Interface"):
//! one chip of 16 bits, or two side by side. The chips' own SPI flash has sectors of 4 KiB, these
//! have larger ones: the layout of the storage is the board's.
//!
//! The emulator lets a write set bits; flash cannot, so the driver clears bits only.

use core::cell::RefCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use critical_section::Mutex;
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
    check_erase, check_read, check_write,
};
use umqtt_device::storage::MappedFlash;

/// Where a machine has its flash, and how it is made.
pub trait Bank: 'static {
    /// Its address.
    const BASE: usize;
    /// Bytes of it that are used.
    const CAPACITY: usize;
    /// Bytes of a sector.
    const SECTOR: usize;
    /// Chips of 16 bits side by side: 1 or 2.
    const CHIPS: usize;
}

/// Bytes written together, as on the chips.
const WORD: usize = 4;

/// Commands.
const READ_ARRAY: u32 = 0xff;
const QUERY: u32 = 0x98;
const CLEAR_STATUS: u32 = 0x50;
const ERASE: u32 = 0x20;
const CONFIRM: u32 = 0xd0;
const PROGRAM: u32 = 0x40;
/// Status: it is done; erasing failed; programming failed.
const DONE: u32 = 1 << 7;
const FAILED: u32 = 1 << 5 | 1 << 4;
/// Where the answer to a query begins, in words of the bus, and what it begins with.
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
/// On the ESP8266 bytes cannot be read over the cache, only words, so it is not so there.
pub(crate) fn map<B: Bank>(range: Range<u32>) -> Option<MappedFlash> {
    if range.is_empty() || range.end as usize > B::CAPACITY {
        return None;
    }
    with_mapped(|mapped| {
        let place = mapped.iter_mut().find(|mapped| mapped.start == mapped.end)?;
        *place = range.clone();
        Some(())
    })?;
    let start = (B::BASE + range.start as usize) as *const u8;
    // SAFETY: the flash's own address range, which is in read mode whenever the driver does
    // nothing; while the range is mapped the driver changes nothing of it.
    let bytes = unsafe { core::slice::from_raw_parts(start, range.len()) };
    Some(MappedFlash::new(bytes, unmap::<B>))
}

fn unmap<B: Bank>(bytes: &[u8]) {
    let start = (bytes.as_ptr().addr() - B::BASE) as u32;
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
pub struct Flash<B>(PhantomData<B>);

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
                "no flash: start the emulator with -drive if=pflash,format=raw,file=FILE"
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

fn byte<B: Bank>(offset: usize) -> u8 {
    // SAFETY: the flash's own address range, where reading has no effect on memory.
    unsafe { ((B::BASE + offset) as *const u8).read_volatile() }
}

/// A word of the bus, which is as wide as all chips together.
fn read<B: Bank>(offset: usize) -> u32 {
    let address = B::BASE + offset;
    // SAFETY: as above; offsets are multiples of a word of the bus.
    unsafe {
        match B::CHIPS {
            1 => (address as *const u16).read_volatile().into(),
            _ => (address as *const u32).read_volatile(),
        }
    }
}

fn write<B: Bank>(offset: usize, word: u32) {
    let address = B::BASE + offset;
    // SAFETY: as above; writing reaches the flash's command register only.
    unsafe {
        match B::CHIPS {
            1 => (address as *mut u16).write_volatile(word as u16),
            _ => (address as *mut u32).write_volatile(word),
        }
    }
}

/// What of a word of the bus is the same for each chip.
const fn each<B: Bank>(word: u32) -> u32 {
    match B::CHIPS {
        1 => word,
        _ => word << 16 | word,
    }
}

fn command<B: Bank>(offset: usize, word: u32) {
    write::<B>(offset, each::<B>(word));
}

impl<B: Bank> Flash<B> {
    /// Bytes of a word of the bus.
    const BUS: usize = 2 * B::CHIPS;

    /// Looks whether the machine has a flash. There is one, so this is to be called once.
    ///
    /// # Errors
    /// [`FlashError::Missing`].
    pub fn find() -> Result<Flash<B>, FlashError> {
        command::<B>(0, QUERY);
        let answer = [0, 1, 2].map(|at| byte::<B>(Self::BUS * (QUERY_ANSWER + at)));
        command::<B>(0, READ_ARRAY);
        if answer == SIGNATURE { Ok(Flash(PhantomData)) } else { Err(FlashError::Missing) }
    }

    /// Waits until an operation is done, and makes the content readable again.
    fn finish(&mut self, offset: usize) -> Result<(), FlashError> {
        let all = each::<B>(DONE);
        let done = (0..MAX_POLLS).map(|_| read::<B>(offset)).find(|status| status & all == all);
        command::<B>(offset, CLEAR_STATUS);
        command::<B>(offset, READ_ARRAY);
        match done {
            Some(status) if status & each::<B>(FAILED) == 0 => Ok(()),
            _ => Err(FlashError::Failed),
        }
    }
}

impl<B> ErrorType for Flash<B> {
    type Error = FlashError;
}

impl<B: Bank> ReadNorFlash for Flash<B> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError::Place)?;
        for (at, slot) in (offset as usize..).zip(bytes) {
            *slot = byte::<B>(at);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        B::CAPACITY
    }
}

impl<B: Bank> NorFlash for Flash<B> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = B::SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError::Place)?;
        if is_mapped(from, to) {
            return Err(FlashError::Mapped);
        }
        for sector in (from as usize..to as usize).step_by(B::SECTOR) {
            command::<B>(sector, ERASE);
            command::<B>(sector, CONFIRM);
            self.finish(sector)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError::Place)?;
        if is_mapped(offset, offset + bytes.len() as u32) {
            return Err(FlashError::Mapped);
        }
        for (at, part) in (offset as usize..).step_by(Self::BUS).zip(bytes.chunks_exact(Self::BUS))
        {
            let mut word = [0; WORD];
            word[..Self::BUS].copy_from_slice(part);
            let old = read::<B>(at);
            let new = u32::from_le_bytes(word) & old;
            if new != old {
                command::<B>(at, PROGRAM);
                write::<B>(at, new);
                self.finish(at)?;
            }
        }
        Ok(())
    }
}

impl<B: Bank> MultiwriteNorFlash for Flash<B> {}
