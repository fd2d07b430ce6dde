//! The machine's serial port and reset.

use core::sync::atomic::{AtomicPtr, Ordering};

use umqtt_chip_rt::soc::Soc;
use umqtt_lx106_rt::loads::Loads;

/// A 16550 with its registers four bytes apart.
const UART: *mut u32 = 0x9d05_0020 as *mut u32;
/// Line status register, and its bits.
const LSR: usize = 5;
const DATA_READY: u32 = 1 << 0;
const TRANSMIT_EMPTY: u32 = 1 << 5;

/// The board's reset register, and the word that resets it.
const RESET: *mut u32 = 0x9d02_0010 as *mut u32;
const RESET_WORD: u32 = 0xdead;

static BOOT: AtomicPtr<u32> = AtomicPtr::new(core::ptr::null_mut());

/// What the emulator's boot loader left; null before the runtime's start.
pub(crate) fn boot() -> *const u32 {
    BOOT.load(Ordering::Relaxed)
}

/// The machine, for the runtime.
pub(crate) struct Lx60;

impl Soc for Lx60 {
    const CYCLES_PER_MICRO: u32 = 40;

    fn init(boot: *const u32) {
        BOOT.store(boot.cast_mut(), Ordering::Relaxed);
    }

    /// There is no watchdog behind the program's own.
    fn feed() {}

    fn uart_write(byte: u8) {
        // SAFETY: registers of this machine's serial port; an access has no effect on memory.
        unsafe {
            while UART.add(LSR).read_volatile() & TRANSMIT_EMPTY == 0 {}
            UART.write_volatile(byte.into());
        }
    }

    fn uart_read() -> Option<u8> {
        // SAFETY: as above.
        unsafe {
            let came = UART.add(LSR).read_volatile() & DATA_READY != 0;
            came.then(|| UART.read_volatile() as u8)
        }
    }

    fn restart() -> ! {
        // SAFETY: this machine's reset register; nothing after it counts.
        unsafe { RESET.write_volatile(RESET_WORD) };
        loop {
            core::hint::spin_loop();
        }
    }
}

impl Loads for Lx60 {
    /// Bytes can be loaded from everywhere.
    fn load_from_flash(_pc: &mut u32, _registers: &mut [u32; 16]) -> bool {
        false
    }
}
