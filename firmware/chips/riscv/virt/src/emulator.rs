//! The emulator: the command line it was given, the flash of its drive, and its exit.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use riscv::register::minstret;
use umqtt_chip_rt::emulator::Emulator;

/// SiFive's test device, and what it is told: an exit with a status in the upper half, a reset.
const TEST: *mut u32 = 0x0010_0000 as *mut u32;
const PASS: u32 = 0x5555;
const FAIL: u32 = 0x3333;
const RESET: u32 = 0x7777;

/// The semihosting call that gives the command line (RISC-V Semihosting 0.4, with the calls of
/// Arm's Semihosting, section 6.7).
const GET_COMMAND_LINE: usize = 0x15;
/// Longest command line, bytes, a zero behind it counted.
const LONGEST: usize = 64;

/// The second of the machine's two parallel flashes; from the first it would start.
pub const FLASH: usize = 0x2200_0000;
/// Bytes of it that are used: as many as the chip's flash has.
pub const FLASH_SIZE: usize = 4 << 20;

/// The command line once it was read.
struct Line(UnsafeCell<[u8; LONGEST]>);

// SAFETY: it is written once, before anybody has a reference to it: see `command_line`.
unsafe impl Sync for Line {}

static LINE: Line = Line(UnsafeCell::new([0; LONGEST]));
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static KNOWN: AtomicBool = AtomicBool::new(false);

/// What the emulator was given for the program; empty without.
/// Where it was started without semihosting, this is a breakpoint, and so a reset.
pub fn command_line() -> &'static str {
    if !KNOWN.load(Ordering::Relaxed) {
        // SAFETY: nobody has a reference yet, and the program is one thread.
        let line = unsafe { &mut *LINE.0.get() };
        let mut block = [line.as_mut_ptr().addr(), LONGEST];
        let failed = call(GET_COMMAND_LINE, &mut block) != 0;
        let length = if failed { 0 } else { block[1].min(LONGEST) };
        let length = line[..length].iter().position(|&byte| byte == 0).unwrap_or(length);
        LENGTH.store(length, Ordering::Relaxed);
        KNOWN.store(true, Ordering::Relaxed);
    }
    // SAFETY: it is not written any more.
    let line = unsafe { &*LINE.0.get() };
    core::str::from_utf8(&line[..LENGTH.load(Ordering::Relaxed)]).unwrap_or("")
}

/// A semihosting call: three instructions in this order are its mark.
fn call(operation: usize, block: &mut [usize; 2]) -> usize {
    let result;
    // SAFETY: the emulator takes and gives what the call's block says, and nothing else.
    unsafe {
        core::arch::asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inlateout("a0") operation => result,
            in("a1") block.as_mut_ptr(),
        );
    }
    result
}

/// The board's flash, to read: what the drive of the command line holds. To change it takes
/// commands.
pub fn flash() -> &'static [u8] {
    // SAFETY: the flash is there whether there is a drive or not, and only this program's own
    // commands change it.
    unsafe { core::slice::from_raw_parts(FLASH as *const u8, FLASH_SIZE) }
}

/// Ends the emulator with this exit status.
pub fn exit(status: u8) -> ! {
    tell(if status == 0 { PASS } else { u32::from(status) << 16 | FAIL })
}

/// Resets the machine.
pub(crate) fn reset() -> ! {
    tell(RESET)
}

fn tell(word: u32) -> ! {
    // SAFETY: this machine's test device; nothing after it counts.
    unsafe { TEST.write_volatile(word) };
    loop {
        core::hint::spin_loop();
    }
}

/// The emulator, for programs on its core. The core counts instructions.
#[derive(Debug)]
pub struct VirtEmulator;

impl Emulator for VirtEmulator {
    const INSTRUCTIONS: u32 = 1;

    fn counter() -> u32 {
        minstret::read() as u32
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
