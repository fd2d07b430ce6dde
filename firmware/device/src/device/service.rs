//! What the device's services have in common.

use umqtt_net::Instant;

use super::Device;
use crate::net::{ConnId, Net, NetEvent};
use crate::platform::Platform;
use crate::settings::Capability;

/// A service of the device: a part with a state and a job of its own, which works in steps.
///
/// A service is a type, and its state is a field of the device; so its functions take the device
/// rather than themselves, and borrow of it what they need. The order of calls in one
/// [`Device::poll`] is: [`handle_event`](Service::handle_event) for what the network has,
/// [`handle_timeout`](Service::handle_timeout), [`poll`](Service::poll), and at the end
/// [`poll_at`](Service::poll_at), each of every service in the order of the device's list.
pub(super) trait Service<P: Platform> {
    /// What a board must have for it. On a board whose image lacks that
    /// ([`Platform::LACKS`]) the service is not called, and its code is left out.
    const NEEDS: Option<Capability> = None;

    /// Handles what happened to a connection; false if it is none of this service's. A new
    /// connection ([`NetEvent::Accepted`]) is that of the service which listens on its port.
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        let _ = (device, conn, event, net);
        false
    }

    /// Acts on deadlines that have passed.
    fn handle_timeout(device: &mut Device<P>, net: &mut dyn Net) {
        let _ = (device, net);
    }

    /// Does what can be done now, up to a bound; true if there is more to do at once.
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let _ = (device, net);
        false
    }

    /// The next deadline.
    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let _ = device;
        None
    }
}

/// Whether a service is in the image: known when that is made.
pub(super) const fn is_in_image<P: Platform, S: Service<P>>() -> bool {
    match S::NEEDS {
        Some(needs) => !P::LACKS.has(needs),
        None => true,
    }
}
