//! How a board's loop drives a stack.

use crate::{Instant, Net};

/// One turn of a board's loop: ingress, the device's poll, egress. Returns when to come back at the
/// latest if nothing arrives: a time that has come means at once.
pub fn turn<S: Stack>(
    net: &mut S,
    clock: impl Fn() -> Instant,
    poll: impl FnOnce(Instant, &mut S) -> Option<Instant>,
) -> Option<Instant> {
    net.ingress(clock());
    let device = poll(clock(), net);
    let net = net.egress(clock());
    device.into_iter().chain(net).min()
}

/// A [`Net`] that is driven by the board's loop: see [`turn`].
pub trait Stack: Net {
    /// Takes what has arrived, up to a bound, and lets timeouts run out. Afterwards
    /// [`Net::poll_event`] has what the device has to know.
    fn ingress(&mut self, now: Instant);

    /// Sends what waits, up to a bound. Returns when to come back at the latest if nothing arrives:
    /// a time not after
    /// `now` means at once, because there is more to take or to send, or an event for the device.
    fn egress(&mut self, now: Instant) -> Option<Instant>;
}
