//! The machine, put together.

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::{Capabilities, Capability};
use umqtt_net_smoltcp::NetLimits;
use umqtt_qemu_board::{Bank, Emulated};
use umqtt_virt::{DEVICES, emulator};

use crate::ethernet::VirtioNet;
use crate::options::{NET_LIMITS, OPTIONS, RESERVE};
use crate::random;

/// The machine.
#[derive(Debug)]
pub struct Virt;

/// Its flash: two chips side by side, of which as much is used as the ESP32-C3 has.
#[derive(Debug)]
pub struct VirtFlash;

impl Bank for VirtFlash {
    const BASE: usize = emulator::FLASH;
    const CAPACITY: usize = emulator::FLASH_SIZE;
    const SECTOR: usize = 256 * 1024;
    const CHIPS: usize = 2;
}

impl Emulated for Virt {
    const NAME: &'static str = "an emulated RISC-V core";
    const OPTIONS: DeviceOptions = OPTIONS;
    const NET_LIMITS: NetLimits = NET_LIMITS;
    const RESERVE: usize = RESERVE;
    /// There is no network of its own.
    const LACKS: Capabilities = Capabilities::NONE
        .with(Capability::OwnAddresses)
        .with(Capability::NameServer)
        .with(Capability::Trace);
    const WAKES: u32 = DEVICES;

    type Bank = VirtFlash;
    type Ethernet = VirtioNet;

    fn ethernet() -> VirtioNet {
        VirtioNet::new()
    }

    fn random(into: &mut [u8]) {
        random::fill(into);
    }

    fn command_line() -> &'static str {
        emulator::command_line()
    }
}
