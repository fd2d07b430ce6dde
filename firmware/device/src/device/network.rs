//! Dispatch: what happened on the network, event by event, to the service it is for.

use umqtt_memory::Share;

use super::Device;
use super::connections::Role;
use super::consoles::Consoles;
use super::mqtt::MqttClients;
use super::service::is_in_image;
use crate::dhcp::Dhcp;
use crate::name_server::NameServer;
use crate::net::{Net, NetEvent};
use crate::platform::Platform;

/// Network events handled per poll.
const EVENTS_PER_POLL: usize = 128;

/// Handles what happened on the network, up to a bound; true if there may be more.
pub(super) fn handle_events<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
    let more = take_events(device, net);
    if net.is_full() {
        make_way(device, net);
    }
    more
}

fn take_events<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
    for _ in 0..EVENTS_PER_POLL {
        let deferred = device.connections.deferred.take();
        let Some(event) = deferred.or_else(|| net.poll_event()) else { return false };
        if !device.state.has_margin() && defer(device, event, net) {
            if device.connections.deferred.is_some() {
                return false;
            }
            continue;
        }
        match event {
            NetEvent::Accepted { port, conn, peer } => {
                if !device.connections.make_role(conn) {
                    device.state.ledger[Share::Network].refuse();
                    net.abort(conn);
                    continue;
                }
                device.state.debug(format_args!("connection from {} to port {port}", peer.addr));
                if !device.handle_event(conn, event, net) {
                    net.abort(conn);
                }
            }
            NetEvent::Connected(conn)
            | NetEvent::Resolved(conn, _)
            | NetEvent::Readable(conn)
            | NetEvent::Writable(conn)
            | NetEvent::PeerClosed(conn)
            | NetEvent::Closed(conn, _) => {
                device.handle_event(conn, event, net);
            }
            // Network time looks at its sockets whenever it has its turn.
            NetEvent::Datagram(socket) => {
                if let Some(mdns) = &mut device.state.mdns {
                    mdns.note_datagram(socket);
                }
                if is_in_image::<P, Dhcp>()
                    && let Some(dhcp) = &mut device.state.dhcp
                {
                    dhcp.note_datagram(socket);
                }
                if is_in_image::<P, NameServer>()
                    && let Some(names) = &mut device.state.name_server
                {
                    names.note_datagram(socket);
                }
            }
        }
    }
    true
}

/// The network has no room for one more connection: one that has said nothing yet gives way, of the
/// service that has more of them. One in each poll, as its place is free only when the network has
/// had its turn.
fn make_way<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
    let clients = device.state.broker.waiting_len() > device.consoles.silent_len();
    let made = clients && MqttClients::make_way(device, net) || Consoles::make_way(device, net);
    if !made && !clients {
        MqttClients::make_way(device, net);
    }
}

/// What becomes of an event when the heap has not what it may need: a newcomer is refused, what was
/// sent waits in the network; true if that is so. Whatever ends or takes something frees memory,
/// and goes on.
fn defer<P: Platform>(device: &mut Device<P>, event: NetEvent, net: &mut dyn Net) -> bool {
    match event {
        NetEvent::Accepted { conn, .. } => {
            net.abort(conn);
            true
        }
        NetEvent::Readable(conn) => match device.connections.role(conn) {
            Role::Mqtt(_) => {
                MqttClients::hold(device, conn);
                true
            }
            Role::Console(_) => false,
            Role::Other => {
                device.connections.deferred = Some(event);
                true
            }
        },
        NetEvent::Connected(_) => {
            device.connections.deferred = Some(event);
            true
        }
        NetEvent::Writable(_)
        | NetEvent::PeerClosed(_)
        | NetEvent::Closed(..)
        | NetEvent::Resolved(..)
        | NetEvent::Datagram(_) => false,
    }
}
