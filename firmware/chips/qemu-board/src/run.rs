//! The loop: device, network, sleep.

use alloc::boxed::Box;
use core::marker::PhantomData;

use umqtt_chip_board::crash_loop;
use umqtt_chip_board::{now, print_banner};
use umqtt_chip_rt::println;
use umqtt_device::crash_loop::StartMode;
use umqtt_device::device::Prepared;
use umqtt_device::settings::Capabilities;
use umqtt_device::{Device, Platform};
use umqtt_net_smoltcp::SmolNet;

use crate::board::QemuBoard;
use crate::flash::Flash;
use crate::machine::{Emulated, Ethernet, MAC};

/// A command line of the emulator that makes every start fail, to see what comes of it.
const FAULT: &str = "fault";
/// The same, but only when a script may have been started.
const FAULT_WITH_SCRIPT: &str = "fault with script";

/// The machine as the device sees it.
struct Emulator<M, const PINS: usize>(PhantomData<M>);

impl<M: Emulated, const PINS: usize> Platform for Emulator<M, PINS> {
    type Board = QemuBoard<M, PINS>;
    type Flash = Flash<M::Bank>;
    const LACKS: Capabilities = M::LACKS;
}

type QemuDevice<M, const PINS: usize> = Device<Emulator<M, PINS>>;
type Network<M> = SmolNet<<M as Emulated>::Ethernet>;

/// The whole program, with pins 0 to one less than `PINS`.
pub fn run<M: Emulated, const PINS: usize>() -> ! {
    let (mut device, mut net) = begin::<M, PINS>();
    loop {
        net.device().acknowledge();
        turn::<M, PINS>(&mut device, &mut net);
    }
}

fn turn<M: Emulated, const PINS: usize>(device: &mut QemuDevice<M, PINS>, net: &mut Network<M>) {
    let link = |board: &mut QemuBoard<M, PINS>, net: &mut Network<M>| {
        if net.poll_link().is_some() {
            board.set_link(net.address());
        }
    };
    umqtt_chip_board::turn(device, net, link, M::WAKES, |net| net.device().has_frame());
}

// What is large is made in functions of its own: in the one above, it would take stack for ever.

#[inline(never)]
fn begin<M: Emulated, const PINS: usize>() -> (Box<QemuDevice<M, PINS>>, Box<Network<M>>) {
    print_banner(M::OPTIONS.version, M::NAME);
    umqtt_memory::set_probing(true);
    let mode = crash_loop::start_mode();
    if M::command_line() == FAULT {
        panic!("as the command line asks");
    }
    let mut device = device(prepare::<M, PINS>());
    let mut net = network::<M>();
    start::<M, PINS>(&mut device, &mut net, mode);
    (device, net)
}

#[inline(never)]
fn prepare<M: Emulated, const PINS: usize>() -> Prepared<Emulator<M, PINS>> {
    let flash = Flash::find().unwrap_or_else(|error| panic!("{error}"));
    Device::prepare(QemuBoard::default(), flash, M::OPTIONS)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[inline(never)]
fn device<M: Emulated, const PINS: usize>(
    prepared: Prepared<Emulator<M, PINS>>,
) -> Box<QemuDevice<M, PINS>> {
    Box::new(prepared.into_device())
}

#[inline(never)]
fn network<M: Emulated>() -> Box<Network<M>> {
    let mut random = [0; 8];
    M::random(&mut random);
    let seed = u64::from_be_bytes(random);
    let limits = M::NET_LIMITS.admits(admits::<M>);
    Box::new(SmolNet::new(M::ethernet(), MAC, seed, limits, now()))
}

/// A connection is refused when the heap has not what it takes.
fn admits<M: Emulated>() -> bool {
    umqtt_chip_board::free_memory() as usize >= M::RESERVE + M::NET_LIMITS.rx + M::NET_LIMITS.tx
}

#[inline(never)]
fn start<M: Emulated, const PINS: usize>(
    device: &mut QemuDevice<M, PINS>,
    net: &mut Network<M>,
    mode: StartMode,
) {
    if let Err(error) = device.listen(net) {
        println!("{error}");
    }
    let normal = matches!(mode, StartMode::Normal);
    mode.start(device, now());
    if normal && M::command_line() == FAULT_WITH_SCRIPT {
        panic!("as the command line asks");
    }
    net.set_addressing(device.addressing());
}
