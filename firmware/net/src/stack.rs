//! How a board's loop drives a stack.

use crate::{Instant, Net};

/// A [`Net`] that is driven by the board's loop. One turn is ingress, the device's poll, egress:
///
/// ```
/// use umqtt_net::{Instant, Net, Stack};
///
/// /// Does what is to be done now, and returns when to come back at the latest.
/// fn turn(
///     net: &mut impl Stack,
///     device: impl FnOnce(Instant, &mut dyn Net) -> Option<Instant>,
///     clock: impl Fn() -> Instant,
/// ) -> Option<Instant> {
///     net.ingress(clock());
///     let device = device(clock(), net);
///     let net = net.egress(clock());
///     device.into_iter().chain(net).min()
/// }
/// ```
pub trait Stack: Net {
    /// Takes what has arrived, up to a bound, and lets timeouts run out. Afterwards [`Net::poll_event`] has what the
    /// device has to know.
    fn ingress(&mut self, now: Instant);

    /// Sends what waits, up to a bound. Returns when to come back at the latest if nothing arrives: a time not after
    /// `now` means at once, because there is more to take or to send, or an event for the device.
    fn egress(&mut self, now: Instant) -> Option<Instant>;
}
