//! The value of a parameter, and where it is from.

use alloc::boxed::Box;

/// A value as it is kept: every type but the texts is a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A flag, integer, access mode, IPv4 address (its 32 bits; 0 is none or `dhcp`), time of day
    /// (seconds since midnight, -1 before it was set) or day of the week (0 is Monday, -1 before it
    /// was set).
    Number(i32),
    /// A text: any bytes, at most 255.
    Text(Box<[u8]>),
}

/// A value on loan from [`Settings`](super::Settings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueRef<'s> {
    /// See [`Value::Number`].
    Number(i32),
    /// See [`Value::Text`].
    Text(&'s [u8]),
}

/// Who sets a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The owner, with `set` on the console: kept by `save`.
    Persistent,
    /// A `config` line of the script: wins over the owner's value as long as the script is there,
    /// never saved.
    Script,
}

/// Which networks may use a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    Nobody,
    /// Only the network of the device's own access point.
    Internal,
    /// Only the other networks.
    External,
    /// Everybody.
    Everybody,
}

impl Access {
    /// Whether a peer of the access point's network (`internal`) or of another may come in.
    pub fn permits(self, internal: bool) -> bool {
        match self {
            Access::Nobody => false,
            Access::Internal => internal,
            Access::External => !internal,
            Access::Everybody => true,
        }
    }
}

impl Value {
    /// A look at it.
    pub fn borrow(&self) -> ValueRef<'_> {
        match self {
            Value::Number(number) => ValueRef::Number(*number),
            Value::Text(text) => ValueRef::Text(text),
        }
    }
}
