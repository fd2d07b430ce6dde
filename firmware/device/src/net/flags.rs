//! What a network still has to tell the device of one connection: a set, so that it stays small however often things happen.

/// Something the device is to be told, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// [`NetEvent::Accepted`](super::NetEvent::Accepted)
    Accepted,
    /// [`NetEvent::Connected`](super::NetEvent::Connected)
    Connected,
    /// [`NetEvent::Readable`](super::NetEvent::Readable)
    Readable,
    /// [`NetEvent::Writable`](super::NetEvent::Writable)
    Writable,
    /// [`NetEvent::Finished`](super::NetEvent::Finished)
    Finished,
    /// [`NetEvent::Closed`](super::NetEvent::Closed)
    Closed,
}

const FLAGS: [Flag; 6] =
    [Flag::Accepted, Flag::Connected, Flag::Readable, Flag::Writable, Flag::Finished, Flag::Closed];

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags(u8);

impl Flags {
    /// Adds one.
    pub fn set(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Takes out the one to be told first.
    pub fn take_first(&mut self) -> Option<Flag> {
        let first = FLAGS.get(self.0.trailing_zeros() as usize).copied()?;
        self.0 &= self.0 - 1;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_in_order_and_once() {
        let mut flags = Flags::default();
        for flag in [Flag::Closed, Flag::Readable, Flag::Accepted, Flag::Readable] {
            flags.set(flag);
        }
        let mut order = alloc::vec::Vec::new();
        while let Some(flag) = flags.take_first() {
            order.push(flag);
        }
        assert_eq!(order, [Flag::Accepted, Flag::Readable, Flag::Closed]);
        assert!(flags.is_empty());
    }
}
