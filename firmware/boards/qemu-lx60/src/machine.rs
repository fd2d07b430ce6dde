//! The machine, put together.

use alloc::format;

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::{Capabilities, Capability};
use umqtt_lx60::{ETHERNET, emulator};
use umqtt_net_smoltcp::NetLimits;
use umqtt_qemu_board::{Bank, Emulated, MAC};

use crate::ethernet::{self, OpenEth};
use crate::insecure_random;
use crate::options::{NET_LIMITS, OPTIONS, RESERVE};

/// The machine.
#[derive(Debug)]
pub struct Lx60;

/// Its flash: one chip of 4 MiB.
#[derive(Debug)]
pub struct Lx60Flash;

impl Bank for Lx60Flash {
    const BASE: usize = 0x9800_0000;
    const CAPACITY: usize = 4 * 1024 * 1024;
    const SECTOR: usize = 64 * 1024;
    const CHIPS: usize = 1;
}

impl Emulated for Lx60 {
    const NAME: &'static str = "an emulated ESP8266";
    const OPTIONS: DeviceOptions = OPTIONS;
    const NET_LIMITS: NetLimits = NET_LIMITS;
    const RESERVE: usize = RESERVE;
    const LACKS: Capabilities = Capabilities::NONE
        .with(Capability::TimeServer)
        .with(Capability::OwnAddresses)
        .with(Capability::NameServer)
        .with(Capability::Trace)
        .with(Capability::SignedScripts);
    const WAKES: u32 = ETHERNET;
    const HELP: &'static str = concat!(
        "memory: heap and stack in use, and the most that was since this was last asked\n",
        "losses: how often the Ethernet had no buffer for a frame\n",
        "sim gpio PIN 0|1: put a level on a simulated input pin\n",
        "sim adc N: set the simulated analogue input, 0 to 1023\n",
    );

    type Bank = Lx60Flash;
    type Ethernet = OpenEth;

    fn ethernet() -> OpenEth {
        OpenEth::new(MAC)
    }

    /// **Not random**: what QEMU emulates has no source of it. The cycles since the start are mixed
    /// with a counter, which is enough for tests and for nothing else.
    fn random(into: &mut [u8]) {
        insecure_random::fill(into);
    }

    fn command_line() -> &'static str {
        emulator::command_line()
    }

    fn command(words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        if words != [b"losses"] {
            return false;
        }
        reply(format!("Frames lost {} times", ethernet::losses()).as_bytes());
        true
    }
}
