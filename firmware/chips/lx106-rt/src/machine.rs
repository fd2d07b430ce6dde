//! The emulated machine: an LX106 core on QEMU's `lx60-nommu` board. `esp8266.rs` is the same for the chip.

/// CPU cycles per microsecond.
pub(crate) const CYCLES_PER_MICRO: u32 = 40;
/// The interrupt of CCOMPARE0.
pub(crate) const TIMER: u32 = 1 << 6;
/// The Ethernet's interrupt.
pub(crate) const ETHERNET: u32 = 1 << 1;

/// The interrupt of a hardware timer, which this machine does not have.
pub(crate) const FRC1: u32 = 0;

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

/// What has to be set up before anything else: nothing.
pub(crate) fn init() {}

/// There is no watchdog behind the program's own.
pub(crate) fn feed() {}

/// Bytes can be loaded from everywhere.
pub(crate) fn load_from_flash(_pc: &mut u32, _registers: &mut [u32; 16]) -> bool {
    false
}

/// Sends a byte, when there is room for it.
pub(crate) fn uart_write(byte: u8) {
    // SAFETY: registers of this machine's serial port; an access has no effect on memory.
    unsafe {
        while UART.add(LSR).read_volatile() & TRANSMIT_EMPTY == 0 {}
        UART.write_volatile(byte.into());
    }
}

/// The next byte that came, if one did.
pub(crate) fn uart_read() -> Option<u8> {
    // SAFETY: as above.
    unsafe {
        let came = UART.add(LSR).read_volatile() & DATA_READY != 0;
        came.then(|| UART.read_volatile() as u8)
    }
}

/// Resets the whole machine.
pub(crate) fn restart() -> ! {
    // SAFETY: this machine's reset register; nothing after it counts.
    unsafe { RESET.write_volatile(RESET_WORD) };
    loop {
        core::hint::spin_loop();
    }
}
