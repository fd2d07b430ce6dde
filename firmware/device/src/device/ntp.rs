//! Network time: the client that sets the clock, and the server that tells it others.

use core::net::{IpAddr, SocketAddr};

use umqtt_memory::Share;
use umqtt_net::{Duration, Instant, PortUse};
use umqtt_ntp::{LEN, Sample, ServerClock, Timeout};

use super::Device;
use super::reached::reached;
use super::service::{Service, is_in_image};
use super::state::DeviceState;
use crate::board::{Board, Random};
use crate::log::Level;
use crate::net::{ConnId, Net, NetError, NetEvent, Peer};
use crate::ntp::{Last, Ntp, Resolution};
use crate::platform::Platform;
use crate::settings::time_server::{literal, split};
use crate::settings::{Capability, Param};

/// Datagrams taken in a turn, of either socket.
const DATAGRAMS_PER_TURN: usize = 8;
/// When a port that was not free is asked for again.
const BIND_AGAIN: Duration = Duration::from_secs(10);
/// Bytes of an answer: a digest may stand behind it (RFC 5905, section 7.3).
const ANSWER_LEN: usize = LEN + 20;
/// Bytes of the broker's share that asking takes on a chip, about. Without them it asks later.
const ASKING: usize = 512;
/// By how much a clock may be off without a line in the log that it was set, milliseconds.
const WORTH_A_LINE: u64 = 1_000;

// All out of line: what they keep on the stack is not to be there while a script is compiled.
impl<P: Platform> Service<P> for Ntp {
    const NEEDS: Option<Capability> = Some(Capability::Ntp);

    #[inline(never)]
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        _net: &mut dyn Net,
    ) -> bool {
        let state = &mut *device.state;
        let Some(ntp) = &mut state.ntp else { return false };
        let Resolution::Looking(looking, port) = ntp.server else { return false };
        if looking != conn {
            return false;
        }
        match event {
            NetEvent::Resolved(_, address) => {
                ntp.server = Resolution::Known(SocketAddr::new(address, port));
            }
            NetEvent::Closed(..) => {
                ntp.server = Resolution::None;
                ntp.client.fail(state.now);
                note(state, format_args!("its name is not found"));
            }
            _ => {}
        }
        true
    }

    #[inline(never)]
    fn handle_timeout(device: &mut Device<P>, net: &mut dyn Net) {
        let state = &mut *device.state;
        let Some(ntp) = &mut state.ntp else { return };
        let Some(timeout) = ntp.client.handle_timeout(state.now) else { return };
        // The next request comes from another port.
        ntp.close_socket(net);
        if timeout == Timeout::GaveUp {
            // A name may have another address by then.
            ntp.server = Resolution::None;
            note(state, format_args!("no answer"));
        }
    }

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let state = &mut *device.state;
        if state.ntp.is_none() || !state.has_margin() {
            return false;
        }
        // Beside the device while it works, which all of it needs.
        let Some(mut ntp) = state.ntp.take() else { return false };
        let more = turn(&mut ntp, state, net);
        state.ntp = Some(ntp);
        more
    }

    #[inline(never)]
    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let ntp = device.state.ntp.as_ref()?;
        [ntp.client.poll_at(), ntp.service.again_at].into_iter().flatten().min()
    }
}

/// Does what can be done now; true if there is more.
fn turn<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) -> bool {
    if core::mem::take(&mut ntp.restart) {
        restart(ntp, state, net);
    }
    // Alarms the clock has passed ring in the next turn, which is due at once.
    let set = receive(ntp, state, net);
    ask(ntp, state, net);
    !P::LACKS.has(Capability::TimeServer) && serve(ntp, state, net) || set
}

/// A script is about to be compiled, which wants all memory: what is waited for, the answer or the
/// server's address, is asked for again when that is done.
#[inline(never)]
pub(super) fn give_way<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
    if !is_in_image::<P, Ntp>() {
        return;
    }
    let Some(ntp) = &mut device.state.ntp else { return };
    if let Resolution::Looking(conn, _) = ntp.server {
        net.abort(conn);
        ntp.server = Resolution::None;
    }
    if ntp.socket.is_some() {
        ntp.client.take_back();
        ntp.close_socket(net);
    }
}

/// Begins anew, with the settings as they are.
fn restart<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) {
    if let Resolution::Looking(conn, _) = ntp.server {
        // Its end is nobody's.
        net.abort(conn);
    }
    ntp.server = Resolution::None;
    ntp.close_socket(net);
    if state.settings.bytes(Param::NtpServer).is_empty() {
        ntp.client.stop();
        if state.board.wall_clock().is_some() {
            state.clock.forget_synchronisation();
            ntp.last = None;
        }
        return;
    }
    let interval = Duration::from_secs(state.settings.unsigned(Param::NtpInterval).into());
    ntp.client.set_interval(interval);
    ntp.client.start(state.now);
    ntp.client.handle_timeout(state.now);
}

/// Sends a request that is due, once the address of the server is known.
fn ask<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) {
    if !ntp.client.wants_to_ask() {
        return;
    }
    let server = match ntp.server {
        Resolution::Known(server) => server,
        Resolution::Looking(..) => return,
        Resolution::None => {
            let (host, port) = split(state.settings.text(Param::NtpServer));
            if let Ok(address) = literal(host) {
                let server = SocketAddr::new(address, port);
                ntp.server = Resolution::Known(server);
                server
            } else {
                match net.resolve(host) {
                    Ok(conn) => ntp.server = Resolution::Looking(conn, port),
                    Err(error) => {
                        ntp.client.fail(state.now);
                        if error != NetError::Down {
                            note(state, format_args!("{error}"));
                        }
                    }
                }
                return;
            }
        }
    };
    if !state.may_pass(ASKING) {
        state.ledger[Share::Services].refuse();
        return ntp.client.fail(state.now);
    }
    let mut random = [0; 8];
    state.board.random(&mut random);
    let random = u64::from_le_bytes(random);
    let peer = reached(net, server);
    let sent = net.udp().and_then(|udp| {
        let socket = udp.bind_for(ANSWER_LEN, 0, PortUse::Exclusive).ok()?.id;
        ntp.socket = Some(socket);
        let request = ntp.client.poll_transmit(state.now, server, random)?;
        udp.send_to(socket, &request, peer).ok()
    });
    if sent.is_none() {
        ntp.close_socket(net);
        ntp.client.fail(state.now);
        note(state, format_args!("cannot be asked"));
    }
}

/// Takes what came for the client; true if the clock was set.
fn receive<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) -> bool {
    let Some(socket) = ntp.socket else { return false };
    for _ in 0..DATAGRAMS_PER_TURN {
        let mut judged = None;
        let Some(udp) = net.udp() else { return false };
        let (client, now) = (&mut ntp.client, state.now);
        let there = udp.recv_from(socket, &mut |bytes, from| {
            judged = Some((client.handle_datagram(now, from.addr, bytes), from.addr));
        });
        let Some((judged, server)) = judged.filter(|_| there) else { return false };
        match judged {
            Ok(sample) => set_clock(ntp, state, sample, server),
            Err(refusal) if !ntp.client.is_waiting() => note(state, format_args!("{refusal}")),
            Err(_) => {}
        }
        if !ntp.client.is_waiting() {
            // A name may have another address next time.
            ntp.server = Resolution::None;
            ntp.close_socket(net);
            return judged.is_ok();
        }
    }
    false
}

fn set_clock<P: Platform>(
    ntp: &mut Ntp,
    state: &mut DeviceState<P>,
    sample: Sample,
    server: SocketAddr,
) {
    let own = state.clock.utc_at(state.now, state.board.wall_clock());
    let offset = own.map(|own| sample.offset(own));
    state.clock.synchronise(sample.unix_millis, state.now);
    ntp.last = Some(Last { sample, server, offset });
    match offset {
        Some(offset) if offset.unsigned_abs() < WORTH_A_LINE => {}
        Some(offset) => {
            state.log(Level::Info, format_args!("Clock set by {server}: it was {offset} ms behind"))
        }
        None => state.log(Level::Info, format_args!("Clock set by {server}")),
    }
}

/// Opens the port that others ask at, and answers them; true if there may be more.
fn serve<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) -> bool {
    let now = state.now;
    if ntp.service.again_at.is_some_and(|at| at <= now) {
        open(ntp, state, net);
    }
    let Some(socket) = ntp.service.socket else { return false };
    let clock = told(ntp, state);
    let server = &mut ntp.service.server;
    let Some(udp) = net.udp() else { return false };
    for _ in 0..DATAGRAMS_PER_TURN {
        let mut answer: Option<([u8; LEN], Peer)> = None;
        let there = udp.recv_from(socket, &mut |bytes, from| {
            let bytes = server.handle_datagram(now, clock.as_ref(), bytes);
            answer = bytes.map(|bytes| (bytes, from));
        });
        if !there {
            return false;
        }
        if let Some((bytes, to)) = answer {
            // What finds no room is asked for again.
            let _ = udp.send_to(socket, &bytes, to);
        }
    }
    true
}

fn open<P: Platform>(ntp: &mut Ntp, state: &mut DeviceState<P>, net: &mut dyn Net) {
    ntp.service.again_at = None;
    let wanted = state.settings.port(Param::NtpPort);
    let Some(udp) = net.udp() else { return };
    if wanted == ntp.service.port && (wanted == 0 || ntp.service.socket.is_some()) {
        return;
    }
    if let Some(socket) = ntp.service.socket.take() {
        udp.close(socket);
    }
    ntp.service.port = wanted;
    if wanted == 0 {
        return;
    }
    match udp.bind(wanted, PortUse::Exclusive) {
        Ok(bound) => ntp.service.socket = Some(bound.id),
        Err(error) => {
            ntp.service.again_at = Some(state.now + BIND_AGAIN);
            let what = format_args!("cannot listen on port {wanted} for ntp: {error}");
            state.log(Level::Warning, what);
        }
    }
}

/// The clock that others are told, if it is right as far as is known.
fn told<P: Platform>(ntp: &Ntp, state: &DeviceState<P>) -> Option<ServerClock> {
    let board = state.board.wall_clock();
    let unix_millis = state.clock.utc_at(state.now, board)?;
    let Some(last) = ntp.last else {
        return Some(ServerClock { unix_millis, ..ServerClock::local() });
    };
    let age = state.now.saturating_duration_since(last.sample.at);
    // A clock is said to go wrong by 15 us a second; ours by ten times that at least.
    let dispersion =
        last.sample.root_dispersion.saturating_add((age.as_secs() as u32).saturating_mul(10));
    Some(ServerClock {
        unix_millis,
        set_unix_millis: last.sample.unix_millis,
        stratum: last.sample.stratum + 1,
        reference_id: match last.server.ip().to_canonical() {
            IpAddr::V4(address) => address.octets(),
            // Any four bytes that tell servers apart.
            IpAddr::V6(address) => (address.to_bits() as u32).to_be_bytes(),
        },
        root_delay: last.sample.root_delay.saturating_add(
            (last.sample.round_trip.as_millis().min(60_000) as u32) * 65_536 / 1_000,
        ),
        root_dispersion: dispersion,
    })
}

/// Logs what went wrong with the time server.
fn note<P: Platform>(state: &mut DeviceState<P>, what: core::fmt::Arguments<'_>) {
    // A copy, as the log needs all of the device.
    let name = alloc::string::String::from(state.settings.text(Param::NtpServer));
    state.log(Level::Warning, format_args!("Time server {name}: {what}"));
}
