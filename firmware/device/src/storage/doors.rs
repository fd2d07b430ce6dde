//! Whom a script keeps out.

/// What strangers are kept out of: bits of [`Doors::BROKER`] and [`Doors::CONSOLE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doors(pub(super) u8);

impl Doors {
    /// The broker.
    pub const BROKER: Doors = Doors(1);
    /// The console, over the network.
    pub const CONSOLE: Doors = Doors(2);
    /// Both.
    pub const ALL: Doors = Doors(3);

    /// Neither.
    pub fn is_empty(self) -> bool {
        self == Doors::default()
    }

    /// Whether one of `doors` is among them.
    pub fn has(self, doors: Doors) -> bool {
        self.0 & doors.0 != 0
    }

    /// Without those.
    pub fn without(self, doors: Doors) -> Doors {
        Doors(self.0 & !doors.0)
    }

    /// And these.
    pub fn add(&mut self, doors: Doors) {
        self.0 |= doors.0;
    }
}

/// The bits in which the guard keeps [`Doors`], beside a script's checksum.
pub(super) const DOOR_BITS: u32 = 3;
