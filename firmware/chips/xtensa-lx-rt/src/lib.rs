//! Stands in for the crate of this name, whose inline assembly only Espressif's fork of the
//! compiler knows. `esp8266-hal` does its part of a start from power-on (flash cache, PLL, RTC
//! memory) and then calls [`Reset`], which goes on with the start-up of `umqtt-lx106-rt`.
#![no_std]

/// Entry points are named by `umqtt_lx106_rt::entry!`.
pub mod entry {}

/// Exceptions are handled by `umqtt_lx106_rt::fault`.
pub mod exception {}

unsafe extern "C" {
    safe fn _start() -> !;
}

/// Fills memory with zeros.
///
/// # Safety
/// `start` to `end` is memory nobody uses yet, both aligned to words.
pub unsafe fn zero_bss(start: *mut u32, end: *mut u32) {
    let mut word = start;
    while word < end {
        // SAFETY: as the caller promises.
        unsafe {
            word.write_volatile(0);
            word = word.add(1);
        }
    }
}

/// The start after the chip's own part of it.
#[allow(non_snake_case, reason = "the name it is called by")]
#[inline(always)]
pub fn Reset() -> ! {
    _start()
}
