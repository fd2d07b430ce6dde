//! The device on the ESP32-C3: its radio as station and access point, pins, PWM, analogue input,
//! flash, serial and USB port.
//!
//! | file | job |
//! |---|---|
//! | `run` | start and loop: network, device, sleep |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `board` | the device's board: what the files below have |
//! | `gpio` | pins by number, edges, PWM, analogue input |
//! | `serial` | the console on the serial and the USB port |
//! | `radio` | WiFi: what the device asks for, and what comes of it |
//! | `wifi_interface` | frames of one of the two networks, as smoltcp wants them |
//! | `flash` | the partition that is the device's |
//! | `faults` | panics, watchdog, crash loops: kept over a reset |
//!
//! Not run on a chip yet.
#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod faults;
mod flash;
mod gpio;
mod options;
mod radio;
mod run;
mod serial;
mod wifi_interface;

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    run::run()
}
