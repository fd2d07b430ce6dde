//! What the device may grow to, so that all of it (static data, heap and stack) keeps within 48 KiB of RAM.

use umqtt_broker::Limits;
use umqtt_device::device::Options;
use umqtt_device::storage::Layout;
use umqtt_lx106_rt::heap;
use umqtt_memory::Plan;
use umqtt_smoltcp::Bounds;
use umqtt_vm::Profile;

/// Bytes of heap that a new connection must leave to those that are up.
const RESERVE: usize = 2 * 1024;

/// The network's bounds.
pub const BOUNDS: Bounds = Bounds { admits, ..Bounds::CHIP };

/// The device's.
pub const OPTIONS: Options = Options {
    version: concat!("umqtt ", env!("CARGO_PKG_VERSION")),
    profile: Profile::ESP8266,
    limits: LIMITS,
    plan: Plan::ESP8266,
    // The machine's sectors are so large that one holds the largest script.
    layout: Layout { start: 0, map_sectors: 8, slot_sectors: 1 },
    persistence: false,
    send_buffer: 256,
    mqtt_port: None,
    console_port: None,
    warnings: None,
};

const LIMITS: Limits = Limits {
    max_clients: 16,
    // All of them may come back at once, as after a restart; the network's places bound those who say nothing.
    max_waiting: 16,
    max_subscriptions: 64,
    max_client_subscriptions: 16,
    max_retained: 32,
    max_retained_bytes: 3 * 1024,
    max_packet: 2 * 1024,
    max_queue_messages: 16,
    max_queue_bytes: 2 * 1024,
    max_local_queue_bytes: 2 * 1024,
    // What the network with all its clients, one console and the device itself leave.
    max_memory: Plan::ESP8266.broker,
    ..Limits::SMALL
};

fn admits() -> bool {
    let usage = heap::usage();
    usage.size - usage.used >= RESERVE + BOUNDS.rx + BOUNDS.tx
}
