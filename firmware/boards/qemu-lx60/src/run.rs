//! The loop: device, network, sleep.

use alloc::boxed::Box;

use umqtt_device::device::Prepared;
use umqtt_device::{Device, Platform};
use umqtt_lx60::{ETHERNET, emulator};
use umqtt_lx106_board::crash_loop::{self, Start};
use umqtt_lx106_board::print_banner;
use umqtt_lx106_rt::{clock, interrupt, println, reset, watchdog};
use umqtt_net::Instant;
use umqtt_net_smoltcp::SmolNet;

use crate::board::Lx60Board;
use crate::ethernet::OpenEth;
use crate::flash::Flash;
use crate::options::{MAC, NET_LIMITS, OPTIONS};
use crate::seed;

/// A command line of the emulator that makes every start fail, to see what comes of it.
const FAULT: &str = "fault";
/// The same, but only when a script may have been started.
const FAULT_WITH_SCRIPT: &str = "fault with script";

/// The emulated chip.
struct Lx60;

impl Platform for Lx60 {
    type Board = Lx60Board;
    type Flash = Flash;
}

type Machine = Device<Lx60>;
type Network = SmolNet<OpenEth>;

/// The whole program.
pub fn run() -> ! {
    let (mut device, mut net) = begin();
    loop {
        watchdog::feed();
        crash_loop::turn();
        net.device().acknowledge();
        turn(&mut device, &mut net);
    }
}

// What is large is made in functions of its own: in the one above, it would take stack for ever.

#[inline(never)]
fn begin() -> (Box<Machine>, Box<Network>) {
    print_banner(OPTIONS.version, "an emulated ESP8266");
    umqtt_memory::set_probing(true);
    let how = crash_loop::start();
    if emulator::command_line() == FAULT {
        panic!("as the command line asks");
    }
    let mut device = device(prepare());
    let mut net = network();
    start(&mut device, &mut net, how);
    (device, net)
}

#[inline(never)]
fn prepare() -> Prepared<Lx60> {
    let flash = Flash::find().unwrap_or_else(|error| panic!("{error}"));
    Device::prepare(Lx60Board::default(), flash, OPTIONS).unwrap_or_else(|error| panic!("{error}"))
}

#[inline(never)]
fn device(prepared: Prepared<Lx60>) -> Box<Machine> {
    Box::new(prepared.into_device())
}

#[inline(never)]
fn network() -> Box<Network> {
    let mut random = [0; 8];
    seed::fill(&mut random);
    let seed = u64::from_be_bytes(random);
    Box::new(SmolNet::new(OpenEth::new(MAC), MAC, seed, NET_LIMITS, now()))
}

#[inline(never)]
fn start(device: &mut Machine, net: &mut Network, how: Start) {
    if let Err(error) = device.listen(net) {
        println!("{error}");
    }
    let whole = matches!(how, Start::Whole);
    how.begin(device);
    if whole && emulator::command_line() == FAULT_WITH_SCRIPT {
        panic!("as the command line asks");
    }
    net.set_addressing(device.addressing());
}

/// Does what is to be done now, and sleeps until there is more.
fn turn(device: &mut Machine, net: &mut Network) {
    let until = umqtt_net::turn(net, now, |now, net| {
        if net.poll_link().is_some() {
            device.board().set_link(net.address());
        }
        let next = device.poll(now, net);
        if device.board().restart_wanted() {
            reset::because(format_args!("the device was asked to"));
        }
        next
    });
    let until = until.map_or(u64::MAX, Instant::as_millis);
    let ethernet = net.device();
    interrupt::sleep(clock::cycle_at(until), ETHERNET, || ethernet.has_frame());
}

fn now() -> Instant {
    Instant::from_millis(clock::millis())
}
