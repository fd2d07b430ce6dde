//! The chip's serial port, restart and watchdog. Nothing of this has run on a chip yet.
//!
//! Sources: ESP8266 Technical Reference 1.7, chapter 11 (UART); addresses in ROM from the vendor's
//! `eagle.rom.addr.v6.ld`.

use umqtt_chip_rt::soc::Soc;
use umqtt_esp8266_drivers::subword_load;
use umqtt_lx106_rt::loads::Loads;
use umqtt_lx106_rt::lx;

/// UART0, and its registers in words.
const UART: *mut u32 = 0x6000_0000 as *mut u32;
const STATUS: usize = 7;
const CLOCK_DIVIDER: usize = 5;
/// Bytes its transmitter holds.
const TRANSMIT_ROOM: u32 = 126;
/// 115,200 baud of the bus's 80 MHz.
const BAUD_DIVIDER: u32 = 80_000_000 / 115_200;

/// The watchdog, its registers in words, and the bits and words for them, as `esp8266-hal` writes
/// them.
const WATCHDOG: *mut u32 = 0x6000_0900 as *mut u32;
const WATCHDOG_CONTROL: u32 = 0x38;
const WATCHDOG_ENABLE: u32 = 1;
/// Stages of 26.8 s: far more than the watchdog in front of it waits.
const WATCHDOG_STAGE: u32 = 15;
const WATCHDOG_KEY: u32 = 0x73;

/// ROM's function that resets the chip.
const SOFTWARE_RESET: usize = 0x4000_264c;

/// The chip, for the runtime.
pub(crate) struct Esp8266;

impl Soc for Esp8266 {
    const CYCLES_PER_MICRO: u32 = 80;

    fn init(_boot: *const u32) {
        // SAFETY: registers of the chip; an access has no effect on memory.
        unsafe {
            UART.add(CLOCK_DIVIDER).write_volatile(BAUD_DIVIDER);
            WATCHDOG.write_volatile(WATCHDOG_CONTROL);
            WATCHDOG.add(1).write_volatile(WATCHDOG_STAGE);
            WATCHDOG.add(2).write_volatile(WATCHDOG_STAGE);
            WATCHDOG.add(5).write_volatile(WATCHDOG_KEY);
            WATCHDOG.write_volatile(WATCHDOG_CONTROL | WATCHDOG_ENABLE);
        }
    }

    fn feed() {
        // SAFETY: as above.
        unsafe { WATCHDOG.add(5).write_volatile(WATCHDOG_KEY) };
    }

    fn uart_write(byte: u8) {
        // SAFETY: as above.
        unsafe {
            while UART.add(STATUS).read_volatile() >> 16 & 0xff >= TRANSMIT_ROOM {}
            UART.write_volatile(byte.into());
        }
    }

    fn uart_read() -> Option<u8> {
        // SAFETY: as above.
        unsafe {
            let came = UART.add(STATUS).read_volatile() & 0xff != 0;
            came.then(|| UART.read_volatile() as u8)
        }
    }

    fn restart() -> ! {
        lx::lx_mask();
        // SAFETY: a function of the chip's ROM without arguments.
        let reset: extern "C" fn() =
            unsafe { core::mem::transmute(core::hint::black_box(SOFTWARE_RESET)) };
        reset();
        loop {
            core::hint::spin_loop();
        }
    }
}

impl Loads for Esp8266 {
    fn load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool {
        // SAFETY: aligned words of code that runs or of flash, which can be read at any time.
        let word = |address: u32| unsafe { (address as *const u32).read_volatile() };
        let Some(loaded) = subword_load::load(*pc, registers, word) else { return false };
        registers[loaded.register] = loaded.value;
        *pc = loaded.pc;
        true
    }
}
