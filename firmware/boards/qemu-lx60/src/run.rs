//! The loop: device, network, sleep.

use alloc::boxed::Box;

use umqtt_device::device::Prepared;
use umqtt_device::settings::{Capabilities, Capability};
use umqtt_device::{Device, Platform};
use umqtt_lx60::{ETHERNET, emulator};
use umqtt_lx106_board::crash_loop::{self, StartMode};
use umqtt_lx106_board::{now, print_banner};
use umqtt_lx106_rt::println;
use umqtt_net_smoltcp::SmolNet;

use crate::board::Lx60Board;
use crate::ethernet::OpenEth;
use crate::flash::Flash;
use crate::insecure_random;
use crate::options::{MAC, NET_LIMITS, OPTIONS};

/// A command line of the emulator that makes every start fail, to see what comes of it.
const FAULT: &str = "fault";
/// The same, but only when a script may have been started.
const FAULT_WITH_SCRIPT: &str = "fault with script";

/// The emulated chip.
struct Lx60;

impl Platform for Lx60 {
    type Board = Lx60Board;
    type Flash = Flash;
    const LACKS: Capabilities = Capabilities::NONE.with(Capability::Ntp).with(Capability::Mdns);
}

type Lx60Device = Device<Lx60>;
type Network = SmolNet<OpenEth>;

/// The whole program.
pub fn run() -> ! {
    let (mut device, mut net) = begin();
    loop {
        net.device().acknowledge();
        turn(&mut device, &mut net);
    }
}

fn turn(device: &mut Lx60Device, net: &mut Network) {
    let link = |board: &mut Lx60Board, net: &mut Network| {
        if net.poll_link().is_some() {
            board.set_link(net.address());
        }
    };
    umqtt_lx106_board::turn(device, net, link, ETHERNET, |net| net.device().has_frame());
}

// What is large is made in functions of its own: in the one above, it would take stack for ever.

#[inline(never)]
fn begin() -> (Box<Lx60Device>, Box<Network>) {
    print_banner(OPTIONS.version, "an emulated ESP8266");
    umqtt_memory::set_probing(true);
    let mode = crash_loop::start_mode();
    if emulator::command_line() == FAULT {
        panic!("as the command line asks");
    }
    let mut device = device(prepare());
    let mut net = network();
    start(&mut device, &mut net, mode);
    (device, net)
}

#[inline(never)]
fn prepare() -> Prepared<Lx60> {
    let flash = Flash::find().unwrap_or_else(|error| panic!("{error}"));
    Device::prepare(Lx60Board::default(), flash, OPTIONS).unwrap_or_else(|error| panic!("{error}"))
}

#[inline(never)]
fn device(prepared: Prepared<Lx60>) -> Box<Lx60Device> {
    Box::new(prepared.into_device())
}

#[inline(never)]
fn network() -> Box<Network> {
    let mut random = [0; 8];
    insecure_random::fill(&mut random);
    let seed = u64::from_be_bytes(random);
    Box::new(SmolNet::new(OpenEth::new(MAC), MAC, seed, NET_LIMITS, now()))
}

#[inline(never)]
fn start(device: &mut Lx60Device, net: &mut Network, mode: StartMode) {
    if let Err(error) = device.listen(net) {
        println!("{error}");
    }
    let normal = matches!(mode, StartMode::Normal);
    mode.start(device);
    if normal && emulator::command_line() == FAULT_WITH_SCRIPT {
        panic!("as the command line asks");
    }
    net.set_addressing(device.addressing());
}
