//! The machine's serial port and reset.

use umqtt_lx106_rt::machine::Machine;

use crate::emulator;

/// A 16550 with its registers four bytes apart.
const UART: *mut u32 = 0x9d05_0020 as *mut u32;
/// Line status register, and its bits.
const LSR: usize = 5;
const DATA_READY: u32 = 1 << 0;
const TRANSMIT_EMPTY: u32 = 1 << 5;

/// The board's reset register, and the word that resets it.
const RESET: *mut u32 = 0x9d02_0010 as *mut u32;
const RESET_WORD: u32 = 0xdead;

/// The parallel flash, as it is seen to read, and its size in bytes.
pub(crate) const FLASH: *const u8 = 0x9800_0000 as *const u8;
pub(crate) const FLASH_SIZE: usize = 4 << 20;

/// The machine, for the runtime.
pub(crate) struct Lx60;

impl Machine for Lx60 {
    const CYCLES_PER_MICRO: u32 = 40;

    fn init(boot: *const u32) {
        emulator::keep_tags(boot);
    }

    /// There is no watchdog behind the program's own.
    fn feed() {}

    /// Bytes can be loaded from everywhere.
    fn load_from_flash(_pc: &mut u32, _registers: &mut [u32; 16]) -> bool {
        false
    }

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
