//! A NOR flash in RAM that obeys the rules of a real one (a write only clears bits, an erase sets
//! whole sectors) and whose power can be cut in the middle of any write or erase. For tests, and
//! for a board that keeps nothing.

use alloc::rc::Rc;
use alloc::{vec, vec::Vec};
use core::cell::Cell;
use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

/// Bytes of a word: every access is a multiple of it.
pub const WORD: usize = 4;
/// Bytes of a sector.
pub const SECTOR: usize = super::layout::SECTOR as usize;

/// What the operation during which the power goes has done by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    Nothing,
    /// The first half of its words; a write of one word is done by half of its bits.
    FirstHalf,
    /// The second half of its words; a write of one word is done by the other half of its bits.
    SecondHalf,
    /// Some bits of every word.
    SomeBits,
    /// All but its first and its last word; nothing of a write of one or two words.
    Middle,
    /// All of it, but it was not reported.
    All,
}

impl Cut {
    /// Every way.
    pub const ALL: [Cut; 6] =
        [Cut::Nothing, Cut::FirstHalf, Cut::SecondHalf, Cut::SomeBits, Cut::Middle, Cut::All];

    /// The bits of byte `at` of `len` that are changed.
    fn mask(self, at: usize, len: usize) -> u8 {
        match self {
            Cut::Nothing => 0,
            Cut::FirstHalf if len <= WORD => 0x0F,
            Cut::SecondHalf if len <= WORD => 0xF0,
            Cut::FirstHalf => u8::from(at < len / 2).wrapping_neg(),
            Cut::SecondHalf => u8::from(at >= len / 2).wrapping_neg(),
            Cut::SomeBits => 0x5A_u8.rotate_left((at % 8) as u32),
            Cut::Middle => u8::from((WORD..len.saturating_sub(WORD)).contains(&at)).wrapping_neg(),
            Cut::All => 0xFF,
        }
    }
}

/// Why the flash did not obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RamFlashError {
    /// The power is off.
    PowerOff,
    /// Not aligned, or beyond the end.
    Misused(NorFlashErrorKind),
}

impl NorFlashError for RamFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            RamFlashError::PowerOff => NorFlashErrorKind::Other,
            RamFlashError::Misused(kind) => *kind,
        }
    }
}

impl fmt::Display for RamFlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RamFlashError::PowerOff => f.write_str("the power is off"),
            RamFlashError::Misused(kind) => write!(f, "{kind}"),
        }
    }
}

impl core::error::Error for RamFlashError {}

/// The flash.
#[derive(Clone)]
pub struct RamFlash {
    bytes: Vec<u8>,
    operations: u32,
    /// Counts them too, for whoever does not have the flash.
    meter: Option<Rc<Cell<u32>>>,
    cut_at: Option<(u32, Cut)>,
    powered: bool,
    watch: Option<Watch>,
}

/// Is told what the flash holds, and the place in it that has just been erased or written.
pub type Watch = fn(&[u8], Range<u32>);

impl fmt::Debug for RamFlash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamFlash")
            .field("bytes", &self.bytes.len())
            .field("operations", &self.operations)
            .field("powered", &self.powered)
            .finish_non_exhaustive()
    }
}

impl RamFlash {
    /// A blank flash of that many sectors.
    pub fn new(sectors: u32) -> RamFlash {
        RamFlash::with(vec![0xFF; sectors as usize * SECTOR])
    }

    /// A flash with this content, which is filled up to whole sectors.
    pub fn with(mut bytes: Vec<u8>) -> RamFlash {
        bytes.resize(bytes.len().next_multiple_of(SECTOR), 0xFF);
        RamFlash { bytes, operations: 0, meter: None, cut_at: None, powered: true, watch: None }
    }

    /// Tells of every write and erase from now on.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// Cuts the power in the write or erase that comes after `after` others.
    pub fn cut_power(&mut self, after: u32, how: Cut) {
        self.cut_at = Some((self.operations.saturating_add(after), how));
    }

    /// Power is back (or stays); no cut is planned.
    pub fn power_on(&mut self) {
        self.powered = true;
        self.cut_at = None;
    }

    /// Whether the power is on.
    pub fn is_powered(&self) -> bool {
        self.powered
    }

    /// Writes and erases so far.
    pub fn operations(&self) -> u32 {
        self.operations
    }

    /// A counter of the writes and erases from now on, which can be read when the flash is given
    /// away.
    pub fn meter(&mut self) -> Rc<Cell<u32>> {
        self.meter.get_or_insert_default().clone()
    }

    /// What it holds.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// How the operation that begins now is carried out.
    fn begin(&mut self) -> Result<Option<Cut>, RamFlashError> {
        if !self.powered {
            return Err(RamFlashError::PowerOff);
        }
        let cut = self.cut_at.filter(|(at, _)| *at == self.operations).map(|(_, how)| how);
        self.operations = self.operations.saturating_add(1);
        if let Some(meter) = &self.meter {
            meter.set(meter.get().saturating_add(1));
        }
        self.powered = cut.is_none();
        Ok(cut)
    }

    /// Reports an operation, and whether it was cut.
    fn end(&self, cut: Option<Cut>, from: usize, len: usize) -> Result<(), RamFlashError> {
        if let Some(watch) = self.watch {
            watch(&self.bytes, from as u32..(from + len) as u32);
        }
        cut.map_or(Ok(()), |_| Err(RamFlashError::PowerOff))
    }
}

impl ErrorType for RamFlash {
    type Error = RamFlashError;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), RamFlashError> {
        if !self.powered {
            return Err(RamFlashError::PowerOff);
        }
        check_read(self, offset, bytes.len()).map_err(RamFlashError::Misused)?;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), RamFlashError> {
        check_erase(self, from, to).map_err(RamFlashError::Misused)?;
        // A real chip erases sector by sector: each may be the last.
        for start in (from as usize..to as usize).step_by(SECTOR) {
            let cut = self.begin()?;
            for (at, byte) in self.bytes[start..start + SECTOR].iter_mut().enumerate() {
                *byte |= cut.map_or(0xFF, |how| how.mask(at, SECTOR));
            }
            self.end(cut, start, SECTOR)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), RamFlashError> {
        check_write(self, offset, bytes.len()).map_err(RamFlashError::Misused)?;
        let cut = self.begin()?;
        let place = &mut self.bytes[offset as usize..][..bytes.len()];
        for (at, (cell, byte)) in place.iter_mut().zip(bytes).enumerate() {
            let mask = cut.map_or(0xFF, |how| how.mask(at, bytes.len()));
            *cell &= byte | !mask;
        }
        self.end(cut, offset as usize, bytes.len())
    }
}
