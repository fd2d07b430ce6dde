//! What the device may grow to, so that all of it (static data, heap and stack) keeps within what
//! the radio leaves of the ESP32-C3's RAM.

use umqtt_device::device::DeviceOptions;
use umqtt_device::storage::FlashLayout;
use umqtt_net_smoltcp::NetLimits;

/// Bytes of heap that a new connection must leave to those that are up.
pub(crate) const RESERVE: usize = 4 * 1024;

/// The network's limits.
pub const NET_LIMITS: NetLimits = NetLimits::ESP32C3;

/// The device's.
pub const OPTIONS: DeviceOptions = DeviceOptions {
    // The machine's sectors are so large that two hold the largest script.
    layout: FlashLayout { start: 0, map_sectors: 4, slot_sectors: 2 },
    // Nothing is sent beyond the emulator's network unless its user wants that.
    time_server: "",
    ..DeviceOptions::ESP32C3
};
