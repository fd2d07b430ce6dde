//! What the device may grow to, so that all of it (static data, heap and stack) keeps within 48 KiB of RAM.

use umqtt_device::device::Options;
use umqtt_device::storage::Layout;
use umqtt_lx106_rt::heap;
use umqtt_smoltcp::Bounds;

/// Bytes of heap that a new connection must leave to those that are up.
const RESERVE: usize = 2 * 1024;

/// The network's bounds.
pub const BOUNDS: Bounds = Bounds { admits, ..Bounds::CHIP };

/// The device's.
pub const OPTIONS: Options = Options {
    // The machine's sectors are so large that one holds the largest script.
    layout: Layout { start: 0, map_sectors: 8, slot_sectors: 1 },
    ..Options::ESP8266
};

fn admits() -> bool {
    let usage = heap::usage();
    usage.size - usage.used >= RESERVE + BOUNDS.rx + BOUNDS.tx
}
