//! The machine's serial port and reset.

use umqtt_chip_rt::soc::Soc;

use crate::{clint, emulator};

/// A 16550.
const UART: *mut u8 = 0x1000_0000 as *mut u8;
/// Line status register, and its bits.
const LSR: usize = 5;
const DATA_READY: u8 = 1 << 0;
const TRANSMIT_EMPTY: u8 = 1 << 5;

/// The machine, for the runtime.
pub(crate) struct Virt;

impl Soc for Virt {
    const CYCLES_PER_MICRO: u32 = clint::CYCLES_PER_MICRO;

    fn init(_boot: *const u32) {}

    /// There is no watchdog behind the program's own.
    fn feed() {}

    fn uart_write(byte: u8) {
        // SAFETY: registers of this machine's serial port; an access has no effect on memory.
        unsafe {
            while UART.add(LSR).read_volatile() & TRANSMIT_EMPTY == 0 {}
            UART.write_volatile(byte);
        }
    }

    fn uart_read() -> Option<u8> {
        // SAFETY: as above.
        unsafe {
            let came = UART.add(LSR).read_volatile() & DATA_READY != 0;
            came.then(|| UART.read_volatile())
        }
    }

    fn restart() -> ! {
        emulator::reset()
    }
}
