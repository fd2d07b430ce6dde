//! What a board chooses for its device, and the port it cannot have.

use core::fmt;

use umqtt_memory::Plan;
use umqtt_mqtt::Limits;
use umqtt_vm::Profile;

use crate::net::NetError;
use crate::settings::{Capabilities, Capability};
use crate::storage::FlashLayout;
use crate::upload::{WholeCompiler, compile_whole};

/// The part of the script's share that is for its commands and for its flash variables that wait to
/// be written.
const PENDING_PART: usize = 7;

/// What a board chooses for its device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOptions {
    /// Name and version, for `show` and `$SYS/broker/version`.
    pub version: &'static str,
    /// What scripts may need.
    pub profile: Profile,
    /// The most the broker may grow to; settings only lower it.
    pub limits: Limits,
    /// What each part may hold of the memory.
    pub plan: Plan,
    /// Where in the flash things are.
    pub layout: FlashLayout,
    /// What the board has, and so which settings and commands.
    pub capabilities: Capabilities,
    /// `ntp_server` until it is set; none on a board whose clock is right without.
    pub time_server: &'static str,
    /// Bytes sent to a client at a time.
    pub send_buffer: usize,
    /// Bytes a millisecond that scripts may print on the serial port, where that is slower than the
    /// script; the rest is left out.
    pub print_rate: Option<u8>,
    /// The broker's port until `broker_port` is set anew.
    pub mqtt_port: Option<u16>,
    /// Compiles a script that is in memory whole, with advice and warnings, for a board with room
    /// for that. Without it a script is compiled from flash, a piece at a time.
    pub compiler: Option<WholeCompiler>,
    /// The console's port until `config_port` is set anew; 0 for none.
    pub console_port: Option<u16>,
}

impl DeviceOptions {
    /// For the ESP8266: all of it, static data, heap and stack, keeps within 48 KiB of RAM.
    pub const ESP8266: DeviceOptions = DeviceOptions {
        version: concat!("umqtt ", env!("CARGO_PKG_VERSION")),
        profile: Profile::ESP8266,
        limits: Limits::SMALL
            .max_clients(16)
            .max_waiting(16)
            .max_subscriptions(64)
            .max_client_subscriptions(16)
            .max_retained(32)
            .max_retained_bytes(3 * 1024)
            .max_packet(2 * 1024)
            .max_queue_messages(16)
            .max_queue_bytes(2 * 1024)
            .max_local_queue_bytes(2 * 1024)
            .max_memory(Plan::ESP8266.broker),
        plan: Plan::ESP8266,
        layout: FlashLayout::ESP8266,
        capabilities: Capabilities::NONE.with(Capability::Address),
        time_server: "1.pool.ntp.org",
        compiler: None,
        send_buffer: 256,
        print_rate: Some(8),
        mqtt_port: None,
        console_port: None,
    };

    /// For the ESP32-C3: 32 clients within 128 KiB of RAM; the rest is the radio's.
    pub const ESP32C3: DeviceOptions = DeviceOptions {
        profile: Profile::ESP32,
        limits: DeviceOptions::ESP8266
            .limits
            .max_clients(32)
            .max_waiting(32)
            .max_subscriptions(256)
            .max_client_subscriptions(64)
            .max_retained(64)
            .max_retained_bytes(8 * 1024)
            .max_packet(4 * 1024)
            .max_queue_messages(32)
            .max_queue_bytes(4 * 1024)
            .max_local_queue_bytes(4 * 1024)
            .max_memory(Plan::ESP32C3.broker),
        plan: Plan::ESP32C3,
        layout: FlashLayout::ESP32,
        capabilities: DeviceOptions::ESP8266
            .capabilities
            .with(Capability::Ntp)
            .with(Capability::TimeServer)
            .with(Capability::Mdns)
            .with(Capability::SignedScripts),
        send_buffer: 512,
        ..DeviceOptions::ESP8266
    };

    /// The same for a board with a radio, as station and as access point.
    #[must_use]
    pub const fn with_radio(mut self) -> DeviceOptions {
        let capabilities = self.capabilities.with(Capability::Wifi);
        self.capabilities = capabilities.with(Capability::AccessPoint);
        self
    }

    /// The same for a board whose network stack has datagrams and multicast groups.
    #[must_use]
    pub const fn with_network_services(mut self) -> DeviceOptions {
        self.capabilities = self.capabilities.with(Capability::Ntp).with(Capability::Mdns);
        self
    }

    /// The same for a board whose network stack has addresses in a network of its own.
    #[must_use]
    pub const fn with_own_addresses(mut self) -> DeviceOptions {
        let capabilities = self.capabilities.with(Capability::OwnAddresses);
        self.capabilities = capabilities.with(Capability::NameServer);
        self
    }

    /// The same for a board whose processor's clock and serial port's speed can be chosen.
    #[must_use]
    pub const fn with_speeds(mut self) -> DeviceOptions {
        let capabilities = self.capabilities.with(Capability::CpuClock);
        self.capabilities = capabilities.with(Capability::Bitrate);
        self
    }

    /// For the ESP32-C3 itself: what its core has, and its radio.
    pub const ESP32C3_WITH_RADIO: DeviceOptions =
        DeviceOptions::ESP32C3.with_radio().with_own_addresses().with_speeds();

    /// Bytes of the script's share for its commands and for its flash variables that wait to be
    /// written.
    pub(super) const fn pending_budget(&self) -> usize {
        self.plan.script / PENDING_PART
    }

    /// Bytes of the script's share for what it computes in and the events that wait: all but what
    /// is pending, and its image, so far as that is a copy in memory.
    pub(super) const fn script_budget(&self, image: usize) -> usize {
        self.plan.script.saturating_sub(self.pending_budget() + image)
    }

    /// For a desktop.
    pub const DESKTOP: DeviceOptions = DeviceOptions {
        version: concat!("umqtt ", env!("CARGO_PKG_VERSION")),
        profile: Profile::DESKTOP,
        limits: Limits::DESKTOP,
        plan: Plan::DESKTOP,
        layout: FlashLayout::DESKTOP,
        capabilities: Capabilities::NONE
            .with(Capability::Persistence)
            .with(Capability::Ntp)
            .with(Capability::TimeServer)
            .with(Capability::Mdns)
            .with(Capability::Trace)
            .with(Capability::SignedScripts),
        time_server: "",
        send_buffer: 256 * 1024,
        print_rate: None,
        mqtt_port: None,
        compiler: Some(compile_whole),
        console_port: None,
    };
}

/// A port the device needs cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenError {
    /// What for: `mqtt` or `console`.
    pub service: &'static str,
    /// The port.
    pub port: u16,
    /// Why.
    pub error: NetError,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on port {} for {}: {}", self.port, self.service, self.error)
    }
}

impl core::error::Error for ListenError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `umqttc check` takes for a chip, its ledger has room for: the image is run from flash.
    #[test]
    fn the_ledger_has_the_memory_that_the_profile_promises_scripts() {
        let chip = DeviceOptions::ESP8266;
        assert_eq!(chip.script_budget(0), chip.profile.ram);
        assert_eq!(chip.profile, Profile::ESP8266);
        let desktop = DeviceOptions::DESKTOP;
        assert!(desktop.script_budget(desktop.profile.image) >= desktop.profile.ram);
    }
}
