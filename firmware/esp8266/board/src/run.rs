//! The loop: device, network, sleep.

use umqtt_device::Device;
use umqtt_lx106_rt::{clock, interrupt, println, reset, watchdog};
use umqtt_smoltcp::SmolNet;

use crate::board::{Lx60Board, MAC};
use crate::ethernet::OpenEth;
use crate::flash::Flash;
use crate::options::{BOUNDS, OPTIONS};

/// CPU cycles per millisecond.
const CYCLES: u64 = clock::CYCLES_PER_MICRO as u64 * 1000;

/// The whole program.
pub fn run() -> ! {
    println!("\n{}, the device on an emulated ESP8266", OPTIONS.version);
    if let Some(why) = reset::last() {
        println!("it was restarted: {why}");
    }
    let flash = Flash::find().unwrap_or_else(|error| panic!("{error}"));
    let device = Device::new(Lx60Board::default(), flash, OPTIONS);
    let mut device = device.unwrap_or_else(|error| panic!("{error}"));
    // A chip has a generator of random numbers for this; here the time it took to start must do.
    let seed = clock::cycles() ^ u64::from_be_bytes([0, 0, MAC[0], MAC[1], MAC[2], MAC[3], MAC[4], MAC[5]]);
    let mut net = SmolNet::new(OpenEth::new(MAC), MAC, seed, BOUNDS, clock::millis());
    if let Err(error) = device.listen(&mut net) {
        println!("{error}");
    }
    device.start(clock::millis());
    net.set_addressing(device.addressing());
    loop {
        watchdog::feed();
        net.device().acknowledge();
        let device_next = device.poll(clock::millis(), &mut net);
        if device.board().restart_wanted() {
            reset::because(format_args!("the device was asked to"));
        }
        let net_next = net.poll(clock::millis());
        if let Some(up) = net.poll_link() {
            match net.address() {
                Some(address) => println!("network up: {address}"),
                None => println!("network lost"),
            }
            device.board().set_link(up);
            continue;
        }
        let until = device_next.into_iter().chain(net_next).min().unwrap_or(u64::MAX / CYCLES);
        let ethernet = net.device();
        interrupt::sleep(until.saturating_mul(CYCLES), interrupt::ETHERNET, || ethernet.has_frame());
    }
}
