//! Multicast DNS: the device answers to `mqtt.local` and says what it offers, in the network that
//! `mdns_mode` names.

use alloc::boxed::Box;

use heapless::Vec;
use umqtt_dns::mdns::{
    CONSOLE_SERVICE, MAX_SERVICES, MESSAGE_LEN, MQTT_SERVICE, MdnsResponder, Service as Offer,
};
use umqtt_dns::{MDNS_GROUP, MDNS_PORT};
use umqtt_memory::{STEP_MARGIN, Share, reserve, try_format};
use umqtt_net::{Duration, Instant, InterfaceAddr, PortUse};

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use crate::board::Random;
use crate::log::Level;
use crate::mdns::{Host, Mdns};
use crate::net::{Interface, Net, NetError};
use crate::platform::Platform;
use crate::settings::{Capability, Param};

/// The host's label, before others have it.
const LABEL: &str = "mqtt";
/// How often the address is looked at: not every stack reports a change.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// Bytes of the broker's share that it takes on a chip, about: itself, and the buffers of its
/// datagrams. Without them it is tried again.
const NEEDED: usize = size_of::<Host>() + 2 * MESSAGE_LEN;
/// Datagrams taken in a turn.
const DATAGRAMS_PER_TURN: usize = 8;

impl<P: Platform> Service<P> for Mdns {
    const NEEDS: Option<Capability> = Some(Capability::Mdns);

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let state = &mut *device.state;
        let Some(mut mdns) = state.mdns.take() else { return false };
        let now = state.now;
        if mdns.look_at.is_some_and(|at| at <= now) && !device.script.is_configuring() {
            mdns.look_at = None;
            configure(&mut mdns, state, net);
        }
        let more = mdns.turn(now, net);
        state.mdns = Some(mdns);
        more
    }

    // What it keeps on the stack is not to be there while a script is compiled.
    #[inline(never)]
    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let mdns = device.state.mdns.as_ref()?;
        let host = mdns.host.as_ref().and_then(|host| host.responder.poll_at());
        [host, mdns.look_at].into_iter().flatten().min()
    }
}

impl Mdns {
    /// Takes what came and sends what is due, up to a bound; true if there may be more.
    fn turn(&mut self, now: Instant, net: &mut dyn Net) -> bool {
        let Some(host) = &mut self.host else { return false };
        let Host { socket, responder, .. } = &mut **host;
        let mut taken = 0;
        while self.has_datagram && taken < DATAGRAMS_PER_TURN {
            let Some(udp) = net.udp() else { return false };
            let take = &mut |bytes: &[u8], from| responder.handle_datagram(bytes, from, now);
            self.has_datagram = udp.recv_from(*socket, take);
            taken += 1;
        }
        if responder.poll_at().is_some_and(|at| at <= now) {
            responder.handle_timeout(now);
            host.transmit(now, net);
        }
        self.has_datagram
    }
}

/// Makes of the host what settings, ports and addresses say.
fn configure<P: Platform>(mdns: &mut Mdns, state: &mut DeviceState<P>, net: &mut dyn Net) {
    let mode = state.settings.number(Param::MdnsMode);
    if mode == 0 {
        mdns.refused = false;
        return mdns.leave(state.now, net);
    }
    mdns.look_at = Some(state.now + LOOK_INTERVAL);
    let network = network(mode, net);
    let interface = network.map(|network| network.interface);
    if mdns.host.as_ref().is_some_and(|host| interface.is_some_and(|it| it != host.interface)) {
        mdns.leave(state.now, net);
    }
    if mdns.host.is_none()
        && let Some(interface) = interface
    {
        match open(interface, state, net) {
            Ok(host) => (mdns.host, mdns.refused, mdns.has_datagram) = (host, false, true),
            Err(error) if !mdns.refused => {
                mdns.refused = true;
                let what = format_args!("no mDNS on port {MDNS_PORT}: {error}");
                state.log(Level::Warning, what);
            }
            Err(_) => {}
        }
    }
    if let Some(host) = &mut mdns.host {
        // Both do nothing if it is what it was.
        host.responder.set_services(&offers(host.interface, state), state.now);
        host.responder.set_address(network, state.now);
    }
}

/// The network to be found in: where a device can only be reached from its own computer, there.
fn network(mode: i32, net: &dyn Net) -> Option<InterfaceAddr> {
    let wanted: &[Interface] = match mode {
        2 => &[Interface::AccessPoint],
        _ => &[Interface::Station, Interface::Loopback],
    };
    let mut found: Option<InterfaceAddr> = None;
    let place = |own: InterfaceAddr| wanted.iter().position(|wanted| *wanted == own.interface);
    net.addresses(&mut |own| {
        let better = match (place(own), found.and_then(place)) {
            (Some(new), Some(old)) => new < old,
            (new, None) => new.is_some(),
            (None, Some(_)) => false,
        };
        if own.address.is_ipv4() && better {
            found = Some(own);
        }
    });
    found
}

// Out of line: it is large before it lies on the heap.
#[inline(never)]
fn open<P: Platform>(
    interface: Interface,
    state: &mut DeviceState<P>,
    net: &mut dyn Net,
) -> Result<Option<Box<Host>>, NetError> {
    if !state.may_pass(NEEDED) || !reserve(NEEDED + STEP_MARGIN) {
        state.ledger[Share::Services].refuse();
        return Err(NetError::Full);
    }
    let mut seed = [0; 4];
    state.board.random(&mut seed);
    let seed = u32::from_le_bytes(seed);
    let Some(responder) = MdnsResponder::new(interface, LABEL, &[], seed) else { return Ok(None) };
    let udp = net.udp().ok_or(NetError::Failed)?;
    let socket = udp.bind(MDNS_PORT, PortUse::Shared)?.id;
    if let Err(error) = udp.join(socket, MDNS_GROUP, interface) {
        udp.close(socket);
        return Err(error);
    }
    Ok(Some(Box::new(Host { interface, socket, responder })))
}

/// What there is to use in that network.
fn offers<P: Platform>(interface: Interface, state: &DeviceState<P>) -> Vec<Offer, MAX_SERVICES> {
    let settings = &state.settings;
    let permits = |param| settings.access(param).permits(!matches!(interface, Interface::Station));
    let mqtt = state.listeners.mqtt().filter(|_| permits(Param::BrokerAccess));
    let console = state.listeners.console().filter(|_| permits(Param::ConfigAccess));
    let version = state.options.version;
    let version = version.rsplit(' ').next().unwrap_or(version);
    let version = try_format(format_args!("version={version}"));
    let id = try_format(format_args!("id={}", settings.text(Param::MqttId)));
    [(MQTT_SERVICE, mqtt), (CONSOLE_SERVICE, console)]
        .into_iter()
        .filter_map(|(kind, port)| Some(Offer::new(kind, port?).txt(&version).txt(&id)))
        .collect()
}
