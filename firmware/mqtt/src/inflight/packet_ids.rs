//! Which packet id the next message gets.

/// The packet id no message ever gets: the client here uses it for SUBSCRIBE and UNSUBSCRIBE, of
/// which it has one out at a time.
pub(crate) const RESERVED_ID: u16 = u16::MAX;

/// Packet ids there are for messages: 1 to this.
pub(super) const IDS: u16 = RESERVED_ID - 1;

/// The packet ids in turn, without those in flight.
#[derive(Debug, Default)]
pub(super) struct PacketIds {
    pub(super) last: u16,
    /// Ids that follow it of which no message in flight has one.
    pub(super) free: u16,
}

impl PacketIds {
    /// The next packet id that is not in flight. There is one: fewer are in flight than there are.
    #[inline]
    pub(super) fn next<I: Iterator<Item = u16>>(&mut self, in_flight: impl Fn() -> I) -> u16 {
        if self.free == 0 {
            self.find_free(in_flight);
        }
        self.free -= 1;
        self.last = following(self.last);
        self.last
    }

    /// Goes to the last id in flight before one that is free. Looked for again only after as many
    /// messages as there are free ones.
    #[cold]
    fn find_free<I: Iterator<Item = u16>>(&mut self, in_flight: impl Fn() -> I) {
        loop {
            let next = following(self.last);
            let ahead = |id: u16| match id.checked_sub(next) {
                Some(ahead) => ahead,
                None => IDS - next + id,
            };
            self.free = in_flight().map(ahead).min().unwrap_or(IDS);
            if self.free > 0 {
                return;
            }
            self.last = next;
        }
    }
}

/// The packet id behind another.
fn following(id: u16) -> u16 {
    if id >= IDS { 1 } else { id + 1 }
}
