//! The chip's registers.

use umqtt_chip_rt::clock::cycles_per_micro;
use umqtt_esp8266_drivers::mmio::Mmio;
use umqtt_lx106_rt::clock;

/// Functions in ROM: addresses of the vendor's `eagle.rom.addr.v6.ld`.
const I2C_WRITE_MASK: usize = 0x4000_730c;

type I2cWriteMask = extern "C" fn(u32, u32, u32, u32, u32, u32);

/// The registers themselves.
#[derive(Debug)]
pub(crate) struct Registers;

impl Mmio for Registers {
    fn read(&mut self, address: u32) -> u32 {
        // SAFETY: only drivers' registers are read here.
        unsafe { (address as *const u32).read_volatile() }
    }

    fn write(&mut self, address: u32, value: u32) {
        // SAFETY: as above; no register of theirs has an effect on memory.
        unsafe { (address as *mut u32).write_volatile(value) };
    }

    fn write_analogue(&mut self, block: u8, host: u8, register: u8, msb: u8, lsb: u8, value: u8) {
        // SAFETY: a function of the chip's ROM that takes these six words.
        let write: I2cWriteMask =
            unsafe { core::mem::transmute(core::hint::black_box(I2C_WRITE_MASK)) };
        write(block.into(), host.into(), register.into(), msb.into(), lsb.into(), value.into());
    }

    fn delay_micros(&mut self, micros: u32) {
        let start = clock::counter();
        while clock::counter().wrapping_sub(start) < micros * cycles_per_micro() {}
    }
}
