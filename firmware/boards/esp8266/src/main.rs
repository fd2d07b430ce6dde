//! The device on the chip itself: its pins, PWM, analogue input, flash and serial port. There is no
//! driver for its radio, and so no network: it runs scripts, and the console on its serial port.
//!
//! | file | job |
//! |---|---|
//! | `soc` | serial port, watchdog and restart, for the runtime |
//! | `mmio` | the registers, for the drivers |
//! | `board` | the device's board: pins and what the runtime has |
//! | `no_net` | a network that refuses |
//!
//! Not run on a chip yet.
#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod mmio;
mod no_net;
mod soc;

use esp8266_hal::flash::{ESPFlash, SPI0Ext};
use umqtt_chip_board::{crash_loop, now, print_banner};
use umqtt_chip_rt::entry;
use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::{Capabilities, Capability};
use umqtt_device::{Device, Platform};
use umqtt_esp8266_drivers::flash::Flash;

use self::board::ChipBoard;
use self::no_net::NoNet;

entry!(run);
umqtt_chip_rt::soc!(soc::Esp8266);
umqtt_lx106_rt::loads!(soc::Esp8266);

/// What the device may grow to.
const OPTIONS: DeviceOptions = DeviceOptions::ESP8266;
/// Where in the flash the device keeps what it keeps. The linker finds the place, so that it cannot
/// be the program's; only its address is of use here.
#[unsafe(link_section = ".storage")]
static STORAGE: [u8; STORAGE_BYTES] = [0; STORAGE_BYTES];
const STORAGE_BYTES: usize = OPTIONS.layout.bytes() as usize;
/// The address of the flash's first byte, were all of it shown.
const FLASH: usize = 0x4020_0000;

/// The chip.
struct Esp8266;

impl Platform for Esp8266 {
    type Board = ChipBoard;
    type Flash = Flash<ESPFlash>;
    const LACKS: Capabilities = Capabilities::NONE
        .with(Capability::Ntp)
        .with(Capability::Mdns)
        .with(Capability::OwnAddresses)
        .with(Capability::NameServer)
        .with(Capability::Trace)
        .with(Capability::SignedScripts);
}

/// The whole program.
fn run() -> ! {
    print_banner(OPTIONS.version, "an ESP8266 without its radio");
    umqtt_memory::set_probing(true);
    let mode = crash_loop::start_mode();
    // SAFETY: the only place that takes the peripherals, once.
    let peripherals = unsafe { esp8266_hal::target::Peripherals::steal() };
    let commands = peripherals.SPI0.flash();
    let start = (&raw const STORAGE).addr() - FLASH;
    let flash = Flash::new(commands, start as u32, STORAGE.len());
    let board = ChipBoard::new(&peripherals.EFUSE);
    let device = Device::<Esp8266>::new(board, flash, OPTIONS);
    let mut device = device.unwrap_or_else(|error| panic!("{error}"));
    mode.start(&mut device, now());
    loop {
        // Pins and the serial port are looked at with every tick.
        umqtt_chip_board::turn(&mut device, &mut NoNet, |_, _| (), 0, |_| false);
    }
}
