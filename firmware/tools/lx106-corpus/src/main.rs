//! The texts in the flash, exercised on the core. What comes of them goes to the serial port as it
//! is; after the last, what it took.
#![no_std]
#![no_main]

extern crate alloc;

use core::fmt;

use umqtt_corpus::{exercise, unpack};
use umqtt_lx60::emulator;
use umqtt_lx106_rt::{entry, heap, println, reset, stack, uart, watchdog};

entry!(main);

/// The serial port without a carriage return in front of line feeds.
struct Raw;

impl fmt::Write for Raw {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        watchdog::feed();
        uart::write(text.as_bytes());
        Ok(())
    }
}

fn main() -> ! {
    if let Some(why) = reset::last_cause() {
        println!("was reset: {why}");
        emulator::exit(3);
    }
    let mut leaked = 0;
    for text in unpack(emulator::flash()) {
        watchdog::feed();
        let before = heap::usage().used;
        let _ = fmt::Write::write_fmt(&mut Raw, format_args!("== {} bytes\n", text.len()));
        let _ = exercise(text, &mut Raw);
        leaked += heap::usage().used - before;
    }
    println!("=== heap peak {} of {}", heap::usage().high_water, heap::usage().size);
    println!("=== stack peak {} of {}", stack::high_water(), stack::size());
    emulator::exit(u8::from(leaked != 0))
}
