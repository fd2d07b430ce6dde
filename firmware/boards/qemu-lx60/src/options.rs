//! What the device may grow to, so that all of it (static data, heap and stack) keeps within 48 KiB
//! of RAM.

use umqtt_device::device::Options;
use umqtt_device::storage::Layout;
use umqtt_lx106_rt::heap;
use umqtt_net_smoltcp::NetLimits;

/// QEMU's usual address, locally administered.
pub(crate) const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

/// Bytes of heap that a new connection must leave to those that are up.
const RESERVE: usize = 2 * 1024;

/// The network's limits.
pub const NET_LIMITS: NetLimits = NetLimits::CHIP.admits(admits);

/// The device's.
pub const OPTIONS: Options = Options {
    // The machine's sectors are so large that one holds the largest script.
    layout: Layout { start: 0, map_sectors: 8, slot_sectors: 1 },
    // Nothing is sent beyond the emulator's network unless its user wants that.
    time_server: "",
    ..Options::ESP8266
};

fn admits() -> bool {
    let usage = heap::usage();
    usage.size - usage.used >= RESERVE + NET_LIMITS.rx + NET_LIMITS.tx
}
