//! The client of the remote broker among the device's services.

use umqtt_net::Instant;

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use crate::net::{ConnId, Net, NetEvent};
use crate::platform::Platform;
use crate::upstream::Upstream;

impl<P: Platform> Service<P> for Upstream {
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        let state = &mut *device.state;
        let its = state.upstream.owns(conn);
        if its {
            state.upstream.handle(event, state.now, net);
        }
        its
    }

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let state = &mut *device.state;
        if !state.has_margin() {
            return false;
        }
        let more = state.upstream.turn(state.now, &state.settings, &state.options.limits, net);
        log_status(state);
        more
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.state.upstream.poll_at()
    }
}

/// Takes leave of the remote broker for good; true once that is done.
pub(super) fn leave<P: Platform>(state: &mut DeviceState<P>, net: &mut dyn Net) -> bool {
    state.upstream.leave(state.now, &state.options.limits, net);
    log_status(state);
    state.upstream.has_left()
}

fn log_status<P: Platform>(state: &mut DeviceState<P>) {
    while let Some(status) = state.upstream.poll_status() {
        state.log(status.level(), format_args!("{status}"));
    }
}
