//! The emulator: the command line it was given, the flash of its drive, and its exit.

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::soc::Soc;
use umqtt_lx106_rt::{clock, lx};

use crate::machine::{self, Lx60};

/// Tags of the emulator's boot loader: `{kind: u16, bytes: u16}` and as many bytes.
const COMMAND_LINE: u32 = 0x1001;
const LAST: u32 = 0x7e0b;
/// More are never given.
const MAX_TAGS: usize = 16;
/// The semihosting call that ends the emulator.
const EXIT: u32 = 1;

/// The parallel flash, as it is seen to read, and its size in bytes.
const FLASH: *const u8 = 0x9800_0000 as *const u8;
const FLASH_SIZE: usize = 4 << 20;

/// What `-append` gave; empty without.
pub fn command_line() -> &'static str {
    let mut tag = machine::boot();
    if tag.is_null() {
        return "";
    }
    for _ in 0..MAX_TAGS {
        // SAFETY: the emulator's loader made this list, ends it with `LAST`, and nobody writes to
        // it.
        let (kind, bytes, text) = unsafe {
            let head = tag.read();
            (head & 0xffff, (head >> 16) as usize, tag.add(1).cast::<u8>())
        };
        match kind {
            COMMAND_LINE => {
                // SAFETY: as above.
                let text = unsafe { core::slice::from_raw_parts(text, bytes) };
                let end = text.iter().position(|&byte| byte == 0).unwrap_or(bytes);
                return core::str::from_utf8(&text[..end]).unwrap_or("");
            }
            LAST => break,
            // SAFETY: as above.
            _ => tag = unsafe { tag.add(1).byte_add(bytes) },
        }
    }
    ""
}

/// The board's flash, to read: what the drive of the command line holds. To change it takes
/// commands.
pub fn flash() -> &'static [u8] {
    // SAFETY: the flash is there whether there is a drive or not, and only this program's own
    // commands change it.
    unsafe { core::slice::from_raw_parts(FLASH, FLASH_SIZE) }
}

/// Ends the emulator with this exit status. Where it was started without semihosting this is an
/// illegal instruction, and so a reset.
pub fn exit(status: u8) -> ! {
    lx::lx_call_emulator(EXIT, status.into(), 0, 0);
    Lx60::restart()
}

/// The emulator, for programs on its core.
#[derive(Debug)]
pub struct Lx60Emulator;

impl Emulator for Lx60Emulator {
    const INSTRUCTIONS: u32 = 25;

    fn counter() -> u32 {
        clock::counter()
    }

    fn command_line() -> &'static str {
        command_line()
    }

    fn flash() -> &'static [u8] {
        flash()
    }

    fn exit(status: u8) -> ! {
        exit(status)
    }
}
