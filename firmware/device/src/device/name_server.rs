//! The name server of the own network: it answers for the device's own names, and passes other
//! names on to the server of the network that was joined.

use core::net::{IpAddr, SocketAddr};

use umqtt_dns::{MESSAGE_LEN, PORT, Responder, Transmit};
use umqtt_net::{Instant, PortUse, Udp};

use super::Device;
use super::own_network::{look_interval, own_network};
use super::reached::reached;
use super::service::Service;
use super::state::DeviceState;
use crate::board::Random;
use crate::log::Level;
use crate::name_server::NameServer;
use crate::net::{Interface, Net};
use crate::platform::Platform;
use crate::settings::{Capability, Param};

/// Datagrams taken in a turn, of clients and of the station's server each.
const DATAGRAMS_PER_TURN: usize = 8;

impl<P: Platform> Service<P> for NameServer {
    const NEEDS: Option<Capability> = Some(Capability::NameServer);

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let state = &mut *device.state;
        let Some(mut names) = state.name_server.take() else { return false };
        let now = state.now;
        if names.look_at.is_some_and(|at| at <= now) && !device.script.is_configuring() {
            configure(&mut names, state, net);
        }
        names.turn(state, net);
        let more = names.has_query || names.has_answer;
        state.name_server = Some(names);
        more
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let names = device.state.name_server.as_ref()?;
        let look_at = names.look_at.filter(|_| !device.script.is_configuring());
        let waiting = names.responder.as_ref().and_then(Responder::poll_at);
        [look_at, waiting].into_iter().flatten().min()
    }
}

impl NameServer {
    /// Answers what came, up to a bound, and gives up what was not answered in time.
    fn turn<P: Platform>(&mut self, state: &mut DeviceState<P>, net: &mut dyn Net) {
        for _ in 0..DATAGRAMS_PER_TURN {
            self.take_query(state, net);
            self.take_answer(state.now, net);
        }
        let Some(responder) = &mut self.responder else { return };
        responder.handle_timeout(state.now);
        if responder.pending() == 0 {
            self.close_upstream(net);
        }
    }

    fn take_query<P: Platform>(&mut self, state: &mut DeviceState<P>, net: &mut dyn Net) {
        let (Some(responder), Some(socket)) = (&mut self.responder, self.socket) else { return };
        let Some(udp) = net.udp().filter(|_| self.has_query) else { return };
        let mut random = [0; 2];
        state.board.random(&mut random);
        let random = u16::from_le_bytes(random);
        let (mut message, mut transmit) = ([0; MESSAGE_LEN], None);
        self.has_query = udp.recv_from(socket, &mut |bytes, from| {
            transmit = responder.handle_query(bytes, from, state.now, random, &mut message);
        });
        match transmit {
            // What finds no room is asked for again.
            Some(Transmit::Client { len, to }) => {
                let _ = udp.send_to(socket, &message[..len], to);
            }
            Some(Transmit::Upstream { len, to }) => self.ask_upstream(&message[..len], to, net),
            None => {}
        }
    }

    /// Only what comes through the interface of the station's server can be its answer.
    fn ask_upstream(&mut self, query: &[u8], to: SocketAddr, net: &mut dyn Net) {
        let server = reached(net, to);
        let Some(udp) = net.udp() else { return };
        if self.upstream.is_none() {
            let bound = udp.bind_to(server.interface, 0, PortUse::Exclusive);
            self.upstream = bound.ok().map(|bound| bound.id);
        }
        if let Some(socket) = self.upstream {
            let _ = udp.send_to(socket, query, server);
        }
    }

    fn take_answer(&mut self, now: Instant, net: &mut dyn Net) {
        let (Some(responder), Some(socket)) = (&mut self.responder, self.socket) else { return };
        let Some(upstream) = self.upstream.filter(|_| self.has_answer) else { return };
        let Some(udp) = net.udp() else { return };
        let (mut message, mut transmit) = ([0; MESSAGE_LEN], None);
        self.has_answer = udp.recv_from(upstream, &mut |bytes, from| {
            transmit = responder.handle_answer(bytes, from.addr, now, &mut message);
        });
        if let Some(Transmit::Client { len, to }) = transmit {
            let _ = udp.send_to(socket, &message[..len], to);
        }
    }
}

/// Makes of the server what settings, ports and addresses say.
fn configure<P: Platform>(names: &mut NameServer, state: &mut DeviceState<P>, net: &mut dyn Net) {
    let own = own_network(state, net);
    names.look_at = Some(state.now + look_interval(own.is_some()));
    let Some((_, address)) = own else { return names.close(net) };
    let responder = names.responder.get_or_insert_with(|| Responder::new(address));
    responder.set_address(address);
    // Nobody in the own network is asked for names of others.
    let upstream = net.name_server().filter(|server| {
        let to = SocketAddr::new(IpAddr::V4(*server), PORT);
        reached(net, to).interface != Interface::AccessPoint
    });
    responder.set_upstream(upstream);
    let is_name = responder.set_name(state.settings.text(Param::DnsName));
    if !is_name && !names.name_refused {
        state.log(Level::Warning, format_args!("dns_name is no name that can be looked up"));
    }
    names.name_refused = !is_name;
    if names.socket.is_some() {
        return;
    }
    let bind = |udp: &mut dyn Udp| udp.bind_to(Interface::AccessPoint, PORT, PortUse::Exclusive);
    match net.udp().map(bind) {
        Some(Ok(bound)) => {
            (names.socket, names.refused, names.has_query) = (Some(bound.id), false, true);
        }
        Some(Err(error)) if !names.refused => {
            names.refused = true;
            state.log(Level::Warning, format_args!("no DNS on port {PORT}: {error}"));
        }
        _ => {}
    }
}
