//! What the device may grow to, so that all of it (static data, heap and stack) keeps within 48 KiB
//! of RAM.

use umqtt_device::device::DeviceOptions;
use umqtt_device::storage::FlashLayout;
use umqtt_net_smoltcp::{NetLimits, UdpLimits};

/// Bytes of heap that a new connection must leave to those that are up.
pub(crate) const RESERVE: usize = 2 * 1024;

/// The network's limits.
pub const NET_LIMITS: NetLimits = NetLimits::CHIP.udp(UdpLimits::CHIP.datagrams(2));

/// The device's.
pub const OPTIONS: DeviceOptions = DeviceOptions {
    // The machine's sectors are so large that one holds the largest script.
    layout: FlashLayout { start: 0, map_sectors: 8, slot_sectors: 1 },
    // Nothing is sent beyond the emulator's network unless its user wants that.
    time_server: "",
    ..DeviceOptions::ESP8266.with_network_services()
};
