//! The device on the chip itself: its pins, PWM, analogue input, flash and serial port. There is no driver for its radio, and
//! so no network: it runs scripts, and the console on its serial port.
//!
//! Not run on a chip yet.

mod board;
mod bus;
mod no_net;

use esp8266_hal::flash::SPI0Ext;
use umqtt_device::Device;
use umqtt_device::device::Options;
use umqtt_device::storage::Layout;
use umqtt_esp8266_drivers::flash::Flash;
use umqtt_lx106_rt::{clock, interrupt, println, reset, watchdog};

use self::board::ChipBoard;
use self::no_net::NoNet;
use crate::guard;
use crate::options::OPTIONS;

/// Where in the flash the device keeps what it keeps. The linker finds the place, so that it cannot be the program's; only its
/// address is of use here.
#[unsafe(link_section = ".storage")]
static STORAGE: [u8; Layout::ESP8266.bytes() as usize] = [0; Layout::ESP8266.bytes() as usize];
/// The address of the flash's first byte, were all of it shown.
const FLASH: usize = 0x4020_0000;
/// CPU cycles per millisecond.
const CYCLES: u64 = clock::CYCLES_PER_MICRO as u64 * 1000;

/// The whole program.
pub fn run() -> ! {
    println!("\n{}, the device on an ESP8266 without its radio", OPTIONS.version);
    if let Some(why) = reset::last() {
        println!("it was restarted: {why}");
    }
    umqtt_memory::set_probing(true);
    let how = guard::start();
    // SAFETY: the only place that takes the peripherals, once.
    let peripherals = unsafe { esp8266_hal::target::Peripherals::steal() };
    let commands = peripherals.SPI0.flash();
    let start = (&raw const STORAGE).addr() - FLASH;
    let flash = Flash::new(commands, start as u32, STORAGE.len());
    let board = ChipBoard::new(&peripherals.EFUSE);
    let options = Options { layout: Layout::ESP8266, ..OPTIONS };
    let device = Device::new(board, flash, options);
    let mut device = device.unwrap_or_else(|error| panic!("{error}"));
    how.begin(&mut device);
    loop {
        watchdog::feed();
        guard::turn();
        let next = device.poll(clock::millis(), &mut NoNet);
        if device.board().restart_wanted() {
            reset::because(format_args!("the device was asked to"));
        }
        // Pins and the serial port are looked at with every tick.
        let until = next.unwrap_or(u64::MAX / CYCLES).saturating_mul(CYCLES);
        interrupt::sleep(until, 0, || false);
    }
}
