//! The flash chip as NOR flash: a range of it, with the rules of its commands.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

/// Bytes of a sector, the least that can be erased.
pub const SECTOR: usize = 4096;
/// Bytes of a page: a program command that passes its end starts again at its beginning.
pub const PAGE: usize = 256;
/// Bytes of a word: the hardware's buffer has no smaller parts.
pub const WORD: usize = 4;

/// The flash chip's commands. Addresses are bytes from the chip's beginning.
pub trait Commands {
    /// Reads words.
    fn read(&mut self, address: u32, into: &mut [u8]);
    /// Clears bits within a page. The bytes are in RAM and aligned to words.
    fn program(&mut self, address: u32, bytes: &[u8]);
    /// Sets all bits of a sector.
    fn erase_sector(&mut self, address: u32);
}

/// Something that is not allowed, or outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(NorFlashErrorKind);

impl NorFlashError for Error {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

/// A copy of what is to be written, which may itself lie in flash: that cannot be read while flash
/// is written.
#[repr(align(4))]
struct Buffer([u8; PAGE]);

/// A range of the flash chip.
#[derive(Debug)]
pub struct Flash<C> {
    commands: C,
    start: u32,
    bytes: usize,
}

impl<C: Commands> Flash<C> {
    /// The `bytes` from `start` on: whole sectors.
    pub fn new(commands: C, start: u32, bytes: usize) -> Flash<C> {
        Flash { commands, start, bytes }
    }
}

impl<C> ErrorType for Flash<C> {
    type Error = Error;
}

impl<C: Commands> ReadNorFlash for Flash<C> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
        check_read(self, offset, bytes.len()).map_err(Error)?;
        self.commands.read(self.start + offset, bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes
    }
}

impl<C: Commands> NorFlash for Flash<C> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        check_erase(self, from, to).map_err(Error)?;
        for sector in (from..to).step_by(SECTOR) {
            self.commands.erase_sector(self.start + sector);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        check_write(self, offset, bytes.len()).map_err(Error)?;
        let mut buffer = Buffer([0; PAGE]);
        let (mut address, mut rest) = (self.start + offset, bytes);
        while !rest.is_empty() {
            let room = PAGE - address as usize % PAGE;
            let (part, after) = rest.split_at(room.min(rest.len()));
            let copy = &mut buffer.0[..part.len()];
            copy.copy_from_slice(part);
            // Else the compiler may see that it is a copy of a constant, and take the constant.
            self.commands.program(address, core::hint::black_box(copy));
            address += part.len() as u32;
            rest = after;
        }
        Ok(())
    }
}

/// The chip's own flash, by `esp8266-hal`, which turns the cache off meanwhile: nothing else may
/// run from flash, and that is where the handlers of interrupts are.
#[cfg(target_arch = "xtensa")]
impl Commands for esp8266_hal::flash::ESPFlash {
    fn read(&mut self, address: u32, into: &mut [u8]) {
        let Ok(()) = critical_section::with(|_| self.read(address, into));
    }

    fn program(&mut self, address: u32, bytes: &[u8]) {
        let Ok(()) = critical_section::with(|_| self.write_bytes(address, bytes));
    }

    fn erase_sector(&mut self, address: u32) {
        let Ok(()) = critical_section::with(|_| self.erase_sectors(address, 1));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Command {
        Program(u32, usize),
        Erase(u32),
    }

    #[derive(Default)]
    struct Chip {
        memory: Vec<u8>,
        log: Vec<Command>,
    }

    impl Commands for Chip {
        fn read(&mut self, address: u32, into: &mut [u8]) {
            into.copy_from_slice(&self.memory[address as usize..][..into.len()]);
        }

        fn program(&mut self, address: u32, bytes: &[u8]) {
            assert!(bytes.as_ptr().addr().is_multiple_of(WORD));
            for (index, byte) in bytes.iter().enumerate() {
                // As the chip does at the end of a page.
                let page = address as usize / PAGE * PAGE;
                self.memory[page + (address as usize % PAGE + index) % PAGE] &= byte;
            }
            self.log.push(Command::Program(address, bytes.len()));
        }

        fn erase_sector(&mut self, address: u32) {
            self.memory[address as usize..][..SECTOR].fill(0xff);
            self.log.push(Command::Erase(address));
        }
    }

    fn flash() -> Flash<Chip> {
        let chip = Chip { memory: vec![0x55; 8 * SECTOR], ..Chip::default() };
        Flash::new(chip, 2 * SECTOR as u32, 4 * SECTOR)
    }

    #[test]
    fn what_is_written_over_pages_comes_back() {
        let mut flash = flash();
        flash.erase(0, 2 * SECTOR as u32).unwrap();
        let bytes: Vec<u8> = (0..1000_u32).map(|n| (n * 7) as u8).collect();
        // From an odd place, as a packet's bytes may be.
        let unaligned = [&[0], &bytes[..]].concat();
        flash.write(180, &unaligned[1..]).unwrap();
        let mut back = vec![0; 1000];
        flash.read(180, &mut back).unwrap();
        assert_eq!(back, bytes);
        let start = 2 * SECTOR as u32;
        let expected = [
            Command::Erase(start),
            Command::Erase(start + SECTOR as u32),
            Command::Program(start + 180, 76),
            Command::Program(start + 256, 256),
            Command::Program(start + 512, 256),
            Command::Program(start + 768, 256),
            Command::Program(start + 1024, 156),
        ];
        assert_eq!(flash.commands.log, expected);
    }

    #[test]
    fn it_stays_in_its_range() {
        let mut flash = flash();
        let end = 4 * SECTOR as u32;
        assert!(flash.write(end - 4, &[0; 8]).is_err());
        assert!(flash.erase(0, end + SECTOR as u32).is_err());
        assert!(flash.read(end, &mut [0; 4]).is_err());
        assert_eq!(flash.write(2, &[0; 4]).unwrap_err().kind(), NorFlashErrorKind::NotAligned);
        assert_eq!(flash.erase(4, 8).unwrap_err().kind(), NorFlashErrorKind::NotAligned);
        assert_eq!(flash.commands.log, []);
        assert!(flash.commands.memory.iter().all(|byte| *byte == 0x55));
    }
}
