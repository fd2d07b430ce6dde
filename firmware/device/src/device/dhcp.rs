//! The DHCP server of the own network: it gives stations their addresses, and names the device as
//! their router and name server.

use core::net::Ipv4Addr;

use umqtt_dhcp::{REPLY_LEN, RestoreError, SERVER_PORT, Server, saved_len};
use umqtt_net::{Duration, Instant, PortUse, Udp};

use super::Device;
use super::own_network::{look_interval, own_network, wanted_address};
use super::service::Service;
use super::state::DeviceState;
use crate::dhcp::{Dhcp, MAX_LEASES};
use crate::log::Level;
use crate::net::{Interface, Net};
use crate::platform::Platform;
use crate::settings::Capability;

/// Datagrams taken in a turn.
const DATAGRAMS_PER_TURN: usize = 8;
/// The network of the own addresses.
const PREFIX: u8 = 24;
/// How long after a change leases are saved: those of several stations at once.
const SAVE_DELAY: Duration = Duration::from_secs(2);
/// The shortest time between two times they are saved: stations that come and go, or somebody who
/// makes them up, do not wear the flash out.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

impl<P: Platform> Service<P> for Dhcp {
    const NEEDS: Option<Capability> = Some(Capability::OwnAddresses);

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let state = &mut *device.state;
        let Some(mut dhcp) = state.dhcp.take() else { return false };
        let now = state.now;
        if dhcp.look_at.is_some_and(|at| at <= now) && !device.script.is_configuring() {
            configure(&mut dhcp, state, net);
        }
        let more = dhcp.turn(now, net);
        if dhcp.save_at.is_some_and(|at| at <= now) {
            dhcp.save(state);
        }
        state.dhcp = Some(dhcp);
        more
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let dhcp = device.state.dhcp.as_ref()?;
        let look_at = dhcp.look_at.filter(|_| !device.script.is_configuring());
        [look_at, dhcp.save_at].into_iter().flatten().min()
    }
}

impl Dhcp {
    /// Answers what came, up to a bound; true if there may be more.
    fn turn(&mut self, now: Instant, net: &mut dyn Net) -> bool {
        let (Some(server), Some(socket)) = (&mut self.server, self.socket) else { return false };
        let Some(udp) = net.udp() else { return false };
        let mut taken = 0;
        while self.has_datagram && taken < DATAGRAMS_PER_TURN {
            let take = &mut |bytes: &[u8], from| server.handle_datagram(bytes, from, now);
            self.has_datagram = udp.recv_from(socket, take);
            let mut reply = [0; REPLY_LEN];
            if let Some((len, to)) = server.poll_transmit(&mut reply) {
                // What finds no room is asked for again.
                let _ = udp.send_to(socket, &reply[..len], to);
            }
            taken += 1;
        }
        if server.take_changed() && self.save_at.is_none() {
            let soon = now + SAVE_DELAY;
            self.save_at = Some(self.saved.map_or(soon, |saved| soon.max(saved + SAVE_INTERVAL)));
        }
        self.has_datagram
    }

    /// Saves the leases, if they have changed.
    pub(super) fn save<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let (Some(server), Some(_)) = (&self.server, self.save_at.take()) else { return };
        let mut bytes = [0; saved_len(MAX_LEASES)];
        let Some(len) = server.to_bytes(state.now, &mut bytes) else { return };
        self.saved = Some(state.now);
        if let Err(error) = state.storage.save_leases(&bytes[..len]) {
            state.log(Level::Warning, format_args!("DHCP leases were not saved: {error}"));
        }
    }
}

/// Makes of the server what settings, port and address say.
fn configure<P: Platform>(dhcp: &mut Dhcp, state: &mut DeviceState<P>, net: &mut dyn Net) {
    let own = own_network(state, net);
    dhcp.look_at = Some(state.now + look_interval(own.is_some()));
    let Some((own, address)) = own else { return dhcp.close(net) };
    let wanted = wanted_address(&state.settings);
    let news = dhcp.said.replace(address) != Some(address);
    if news && address != wanted {
        let line = format_args!("the own network has the address {address}, not {wanted}");
        state.log(Level::Warning, line);
    }
    if own.prefix != PREFIX {
        if news {
            let line =
                format_args!("no DHCP in the own network: it is a /{}, not a /24", own.prefix);
            state.log(Level::Warning, line);
        }
        return dhcp.close(net);
    }
    match &mut dhcp.server {
        Some(server) => server.set_address(address),
        None => dhcp.server = Some(restored(address, state)),
    }
    if dhcp.socket.is_some() {
        return;
    }
    let bind =
        |udp: &mut dyn Udp| udp.bind_to(Interface::AccessPoint, SERVER_PORT, PortUse::Exclusive);
    match net.udp().map(bind) {
        Some(Ok(bound)) => {
            (dhcp.socket, dhcp.refused, dhcp.has_datagram) = (Some(bound.id), false, true);
        }
        Some(Err(error)) if !dhcp.refused => {
            dhcp.refused = true;
            let line = format_args!("no DHCP on port {SERVER_PORT}: {error}");
            state.log(Level::Warning, line);
        }
        _ => {}
    }
}

/// A server with the leases that were saved, if they are of this network.
fn restored<P: Platform>(address: Ipv4Addr, state: &mut DeviceState<P>) -> Server<MAX_LEASES> {
    let mut server = Server::new(address);
    let why: &dyn core::fmt::Display = match state.storage.load_leases() {
        Ok(saved) if saved.is_empty() => return server,
        Ok(saved) => match server.restore(state.now, &saved) {
            Ok(()) | Err(RestoreError::Network) => return server,
            Err(error) => &{ error },
        },
        Err(error) => &{ error },
    };
    state.log(Level::Warning, format_args!("DHCP leases are forgotten: {why}"));
    server
}
