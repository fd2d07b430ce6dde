//! The texts in the flash, exercised on the core. What comes of them goes to the serial port as it
//! is; after the last, what it took.
#![no_std]

extern crate alloc;

use core::fmt;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::{heap, println, reset, stack, uart, watchdog};
use umqtt_corpus::{exercise, unpack};

/// The serial port without a carriage return in front of line feeds.
struct Raw;

impl fmt::Write for Raw {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        watchdog::feed();
        uart::write(text.as_bytes());
        Ok(())
    }
}

/// The program.
pub fn main<E: Emulator>() -> ! {
    if let Some(why) = reset::last_cause() {
        println!("was reset: {why}");
        E::exit(3);
    }
    let mut leaked = 0;
    for text in unpack(E::flash()) {
        watchdog::feed();
        let before = heap::usage().used;
        let _ = fmt::Write::write_fmt(&mut Raw, format_args!("== {} bytes\n", text.len()));
        let _ = exercise(text, &mut Raw);
        leaked += heap::usage().used - before;
    }
    println!("=== heap peak {} of {}", heap::usage().high_water, heap::usage().size);
    println!("=== stack peak {} of {}", stack::high_water(), stack::size());
    E::exit(u8::from(leaked != 0))
}
