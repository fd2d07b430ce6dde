//! What the services before these have to show and to send: the log to the consoles, and
//! everybody's bytes to the network.

use umqtt_net::Instant;

use super::Device;
use super::connections::Role;
use super::mqtt::MqttClients;
use super::service::Service;
use super::trace;
use crate::board::Board;
use crate::console::{MAX_SESSIONS, Origin};
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;
use crate::settings::Capability;

/// Shows the log to the consoles, as far as they have room.
pub(super) struct LogOutput;

impl<P: Platform> Service<P> for LogOutput {
    fn handle_timeout(device: &mut Device<P>, _net: &mut dyn Net) {
        if device.state.repeats.poll_at().is_some_and(|at| at <= device.state.now) {
            device.state.log_left_out();
        }
    }

    #[inline(never)]
    fn poll(device: &mut Device<P>, _net: &mut dyn Net) -> bool {
        while device.state.has_margin()
            && let Some(note) = device.state.board.poll_note()
        {
            device.state.log(Level::Info, format_args!("{note}"));
        }
        if !P::LACKS.has(Capability::Trace) {
            trace::show(device);
        }
        let text = device.state.log.for_consoles();
        if !text.is_empty() {
            let shown = device.consoles.print(text);
            device.state.log.shown(shown);
        }
        false
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.state.repeats.poll_at()
    }
}

/// Flushes every connection.
pub(super) struct Transmit;

impl<P: Platform> Service<P> for Transmit {
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        MqttClients::flush(device, net);
        device.consoles.flush_serial(&mut device.state);
        for number in 0..MAX_SESSIONS {
            let Some(conn) = device.consoles.conn(number) else { continue };
            let consoles = &mut device.consoles;
            if !consoles.flush(number, net) || consoles.close_finished(number, net) {
                device.connections.set_role(conn, Role::Other);
            }
        }
        if let Some(Origin::Network(number)) = device.uploads.requester()
            && device.consoles.conn(number.into()).is_none()
        {
            device.uploads.asker_is_gone();
        }
        device.consoles.can_go_on() || MqttClients::has_more(device) || trace::can_go_on(device)
    }
}
