//! The client of the remote broker among the device's services.

use umqtt_lang::diagnostic::HINTS;
use umqtt_net::Instant;

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent};
use crate::platform::Platform;
use crate::settings::Param;
use crate::upstream::{Status, Upstream};

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
        if HINTS && matches!(status, Status::Connected(..)) && is_own_client(state) {
            state.log(
                Level::Warning,
                format_args!(
                    "the remote broker is this device itself: what a script passes on comes back. Is mqtt_port right?"
                ),
            );
        }
    }
}

/// Whether the device's own broker has a client of the name the device has at the remote one.
fn is_own_client<P: Platform>(state: &DeviceState<P>) -> bool {
    let id = state.settings.bytes(Param::MqttId);
    state.broker.clients().any(|client| client.id.as_bytes() == id)
}
