//! The device on QEMU's `virt` machine with a core like the ESP32-C3's and the memory of that chip,
//! with an Ethernet in place of the radio. The program is that of every emulated board
//! (`umqtt-qemu-board`); here is what the machine is.
//!
//! | file | job |
//! |---|---|
//! | `machine` | the machine, put together |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `ethernet` | virtio's network device, as smoltcp wants it |
//! | `random` | virtio's source of random numbers |
//! | `virtio` | where virtio's devices are, and the memory they share with us |
#![no_std]

mod ethernet;
mod machine;
mod options;
mod random;
mod virtio;

pub use ethernet::VirtioNet;
pub use machine::Virt;
pub use options::{NET_LIMITS, OPTIONS};

/// Pins are numbered from 0 to one less than this.
const PINS: usize = 22;

/// The whole program.
pub fn run() -> ! {
    umqtt_qemu_board::run::<Virt, PINS>()
}
