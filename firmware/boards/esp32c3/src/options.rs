//! What the device may grow to within the chip's RAM.

use umqtt_device::device::DeviceOptions;
use umqtt_memory::Plan;
use umqtt_net_smoltcp::{NetLimits, UdpLimits};

/// Bytes of heap: in the memory the boot loader leaves behind, and in the program's own.
pub(crate) const RECLAIMED_HEAP: usize = 64 * 1024;
pub(crate) const HEAP: usize = 178 * 1024;
/// Bytes of the heap that are the radio's: what it takes at its start, its buffers (see
/// [`BUFFERS`]), and the stacks of its tasks: as much as Espressif's examples give it with a stack
/// and sockets in them.
const RADIO: usize = 100 * 1024;
/// Frames that the radio holds at most in each direction.
pub(crate) const BUFFERS: u16 = 12;

/// The ledger of the chip's core, with the sockets of two networks, and DHCP and DNS in the own
/// one.
const PLAN: Plan = Plan { fixed: 12_288, network: 75_000, ..Plan::ESP32C3 };

/// The device's.
pub(crate) const OPTIONS: DeviceOptions =
    DeviceOptions { plan: PLAN, ..DeviceOptions::ESP32C3_WITH_RADIO };

/// Time (asked and told), names (in two ways, and on behalf of others) and addresses, each with a
/// socket of its own.
const UDP: UdpLimits = UdpLimits::CHIP.sockets(6);
/// Bytes that one of them takes, as the crate's page says.
const UDP_SOCKET: usize = 1_500;
/// The limits of the network the device is a station in: 32 clients, consoles, a script, those that
/// listen, and connections of its own.
pub(crate) const STATION_LIMITS: NetLimits = NetLimits::ESP32C3.outgoing(3).udp(UDP).admits(admits);
/// The limits of the device's own network.
pub(crate) const AP_LIMITS: NetLimits = STATION_LIMITS.sockets(20).half_open(16).outgoing(1);

/// A socket is refused when the heap has not what it takes.
fn admits() -> bool {
    esp_alloc::HEAP.free() >= STATION_LIMITS.rx + STATION_LIMITS.tx + umqtt_memory::STEP_MARGIN
}

const _: () = assert!(
    OPTIONS.plan.total() + RADIO <= HEAP + RECLAIMED_HEAP,
    "the ledger does not fit the heap beside the radio"
);
const _: () = assert!(
    STATION_LIMITS.memory(STATION_LIMITS.sockets)
        + AP_LIMITS.memory(AP_LIMITS.sockets)
        + 2 * UDP.sockets * UDP_SOCKET
        <= PLAN.network,
    "the networks do not fit their share"
);
