//! The services that a script protects with its `config` lines.

/// A set of services that strangers are kept out of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtectedServices(pub(super) u8);

impl ProtectedServices {
    /// The broker.
    pub const BROKER: ProtectedServices = ProtectedServices(1);
    /// The console, over the network.
    pub const CONSOLE: ProtectedServices = ProtectedServices(2);
    /// Both.
    pub const ALL: ProtectedServices = ProtectedServices(3);

    /// Neither.
    pub fn is_empty(self) -> bool {
        self == ProtectedServices::default()
    }

    /// Whether one of `services` is among them.
    pub fn has(self, services: ProtectedServices) -> bool {
        self.0 & services.0 != 0
    }

    /// Without those.
    pub fn without(self, services: ProtectedServices) -> ProtectedServices {
        ProtectedServices(self.0 & !services.0)
    }

    /// And these.
    pub fn add(&mut self, services: ProtectedServices) {
        self.0 |= services.0;
    }
}

/// The bits in which the guard keeps [`ProtectedServices`], beside a script's checksum.
pub(super) const PROTECTED_BITS: u32 = 3;
