//! What a board has or has not: a setting or a command that needs what a board lacks is not there
//! on that board.

use core::fmt;

/// What a row of a table needs.
macro_rules! needs {
    () => {
        None
    };
    ($capability:ident) => {
        Some($crate::settings::Capability::$capability)
    };
}
pub(crate) use needs;

/// Something some boards have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// A radio that joins a WiFi network.
    Wifi,
    /// A WiFi network of its own.
    AccessPoint,
    /// A network stack of its own, whose address can be set.
    Address,
    /// Addresses in a WiFi network of its own.
    OwnAddresses,
    /// A name server for the WiFi network of its own.
    NameServer,
    /// Multicast DNS.
    Mdns,
    /// A client for network time.
    Ntp,
    /// A server for network time.
    TimeServer,
    /// A processor clock that can be chosen.
    CpuClock,
    /// A serial line whose speed can be chosen.
    Bitrate,
    /// A store for what the broker has acknowledged.
    Persistence,
    /// The trace of its script.
    Trace,
    /// Room for the code that verifies who signed a script.
    SignedScripts,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Capability::Wifi => "WiFi",
            Capability::AccessPoint => "WiFi network of its own",
            Capability::Address => "address of its own",
            Capability::OwnAddresses => "addresses in a network of its own",
            Capability::NameServer => "name server",
            Capability::Mdns => "mDNS",
            Capability::Ntp => "NTP client",
            Capability::TimeServer => "NTP server",
            Capability::CpuClock => "processor clock to choose",
            Capability::Bitrate => "serial speed to choose",
            Capability::Persistence => "store for sessions",
            Capability::Trace => "room for it",
            Capability::SignedScripts => "room to verify signatures",
        })
    }
}

/// A set of [`Capability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// None of them.
    pub const NONE: Capabilities = Capabilities(0);
    /// All of them.
    pub const ALL: Capabilities = Capabilities(u16::MAX);

    /// These and one more.
    #[must_use]
    pub const fn with(self, one: Capability) -> Capabilities {
        Capabilities(self.0 | 1 << one as u8)
    }

    /// Whether one is among them.
    pub const fn has(self, one: Capability) -> bool {
        self.0 & 1 << one as u8 != 0
    }
}
