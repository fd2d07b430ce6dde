//! The device's network on the operating system's sockets.
//!
//! One [`Net`](umqtt_device::Net) for everything: it waits in [`HostNet::wait`], keeps what
//! happened in a set per connection and hands it out as [`NetEvent`](umqtt_net::NetEvent)s. It
//! holds no send buffer (the kernel's is enough, the caller keeps the rest) and a receive buffer
//! only for a connection whose bytes the device did not want yet.

mod addresses;
mod calls;
mod connection;
mod link;
mod listener;
mod resolve;
mod udp;

use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use umqtt_net::{CloseReason, Readiness, ReadyQueue, Stack};

use connection::{Connection, Phase};
pub use link::Interfaces;
use link::Link;
pub(crate) use link::is_interface;
use listener::Listener;
use resolve::Resolver;
pub use udp::{MAX_GROUPS, MAX_UDP_SOCKETS};

/// Most connections open at a time; further ones are accepted and closed at once.
pub const MAX_CONNECTIONS: usize = 16_384;
/// How long [`Net::connect`](umqtt_device::Net::connect) tries one address of a host.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection we closed may take to send what is left and be closed by the other end.
pub const LINGER: Duration = Duration::from_secs(2);
/// Bytes read at a time from a connection that has something new; with that its turn is over.
const READ_SIZE: usize = 64 * 1024;
/// Bytes read at a time from a connection that had its turn and has more.
const MORE_SIZE: usize = 256 * 1024;
/// How many of those go on in a turn, after all that have something new. So whatever they send, one
/// that says little waits for at most this many reads, and for those that also have something new.
const MORE_PER_TURN: usize = 2;
/// Operating system events taken per wait.
const EVENTS: usize = 1024;
const WAKER: Token = Token(usize::MAX);
/// Listeners have the tokens from here on, UDP sockets and connections those below.
const LISTENERS: usize = usize::MAX / 2;
/// UDP sockets have the tokens from here on.
const UDP: usize = usize::MAX / 4;

/// The network of the desktop board.
pub struct HostNet {
    bind: IpAddr,
    /// Where the sockets are: at that address, or at interfaces.
    links: Vec<Link>,
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    slots: Vec<Option<Connection>>,
    free: Vec<u32>,
    ready: ReadyQueue,
    /// Connections that had their turn and have more to read; each is in here at most once.
    again: VecDeque<u32>,
    /// The most connections there may be.
    max_connections: usize,
    listeners: Vec<Listener>,
    next_listener: usize,
    /// The UDP sockets: their numbers are the places.
    udp: Vec<Option<udp::Entry>>,
    /// Connections that have a deadline now; entries outlive their reason and are then skipped.
    deadlines: BinaryHeap<std::cmp::Reverse<(Instant, u32)>>,
    resolver: Resolver,
    buffer: Box<[u8]>,
}

impl HostNet {
    /// A network that listens on the address `bind`.
    ///
    /// # Errors
    /// What the operating system reports when it has no event queue for us.
    pub fn new(bind: IpAddr) -> io::Result<HostNet> {
        HostNet::with_limit(bind, MAX_CONNECTIONS)
    }

    /// A network at these interfaces of the computer, and at itself.
    ///
    /// # Errors
    /// As [`HostNet::new`].
    pub fn at(interfaces: &Interfaces) -> io::Result<HostNet> {
        let net = HostNet::new(Ipv4Addr::UNSPECIFIED.into())?;
        Ok(HostNet { links: Link::interfaces(interfaces), ..net })
    }

    /// A network that has at most so many connections open at a time.
    ///
    /// # Errors
    /// As [`HostNet::new`].
    pub fn with_limit(bind: IpAddr, max_connections: usize) -> io::Result<HostNet> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(HostNet {
            bind,
            links: vec![Link::address(bind)],
            poll,
            events: Events::with_capacity(EVENTS),
            resolver: Resolver::new(waker.clone()),
            waker,
            slots: Vec::new(),
            free: Vec::new(),
            ready: ReadyQueue::with_capacity(max_connections),
            again: VecDeque::new(),
            max_connections,
            listeners: Vec::new(),
            next_listener: LISTENERS,
            udp: Vec::new(),
            deadlines: BinaryHeap::new(),
            buffer: vec![0; MORE_SIZE].into(),
        })
    }

    /// Ends a [`HostNet::wait`] from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }

    /// Closes everything, listeners and connections, as a chip that is reset does.
    pub fn reset(&mut self) {
        self.listeners.clear();
        self.udp.clear();
        self.slots.clear();
        self.free.clear();
        self.ready.clear();
        self.again.clear();
        self.deadlines.clear();
        // Look-ups under way find nobody who waits for them.
    }

    /// The address it listens on: 0.0.0.0 at interfaces.
    pub fn bind_address(&self) -> IpAddr {
        self.bind
    }

    /// Sleeps until something happened, the waker woke it or `timeout` passed. What happened is
    /// handled by [`Stack::ingress`].
    ///
    /// # Errors
    /// What the operating system reports; being interrupted by a signal is none.
    pub fn sleep(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            other => other?,
        }
        Ok(())
    }

    /// Sleeps, and handles what happened.
    ///
    /// # Errors
    /// As [`HostNet::sleep`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = [timeout, self.next_timeout()].into_iter().flatten().min();
        self.sleep(timeout)?;
        self.handle_events();
        Ok(())
    }

    /// How long it may sleep at most.
    fn next_timeout(&self) -> Option<Duration> {
        let events = !self.ready.is_empty() || self.udp.iter().flatten().any(|entry| entry.ready);
        if events || !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Handles what happened while it slept.
    fn handle_events(&mut self) {
        let now = Instant::now();
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token() {
                WAKER => {}
                Token(token) if token >= LISTENERS => {
                    if let Some(listener) = self.listeners.iter_mut().find(|l| l.token == token) {
                        listener.due = Some(now);
                    }
                }
                Token(token) if token >= UDP => {
                    if let Some(Some(entry)) = self.udp.get_mut(token - UDP) {
                        entry.ready = true;
                    }
                }
                Token(slot) => self.socket_event(slot as u32, event),
            }
        }
        self.events = events;
        self.events.clear();
        let now = Instant::now();
        self.accept_due(now);
        self.resolved(now);
        self.expire(now);
        for _ in 0..MORE_PER_TURN {
            let Some(slot) = self.again.pop_front() else { break };
            if let Some(connection) = self.connection(slot) {
                connection.again = false;
            }
            self.report(slot, Readiness::Readable);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let listening = self.listeners.iter().filter_map(|listener| listener.due).min();
        let connections = self.deadlines.peek().map(|entry| entry.0.0);
        listening.into_iter().chain(connections).min()
    }

    fn socket_event(&mut self, slot: u32, event: &mio::event::Event) {
        let Some(connection) = self.connection(slot) else { return };
        match &connection.phase {
            Phase::Connecting { .. } => {
                if event.is_writable() || event.is_error() {
                    self.connect_progress(slot);
                }
            }
            Phase::Open => {
                if event.is_read_closed() || event.is_error() {
                    connection.hung_up = true;
                }
                let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                // One that has more to read than its share does not get ahead by what is added to
                // that.
                if readable && !connection.again {
                    self.report(slot, Readiness::Readable);
                }
                if event.is_writable() {
                    let Some(connection) = self.connection(slot) else { return };
                    if std::mem::take(&mut connection.blocked) {
                        self.report(slot, Readiness::Writable);
                    }
                }
            }
            Phase::Lingering { .. } => {
                if self.slots[slot as usize].as_mut().is_some_and(|c| c.drained(&mut self.buffer)) {
                    self.finish(slot, CloseReason::Done);
                }
            }
            Phase::Resolving { .. } | Phase::Resolved(_) | Phase::Closed(_) => {}
        }
    }

    fn accept_due(&mut self, now: Instant) {
        for index in 0..self.listeners.len() {
            if self.listeners[index].due.is_none_or(|due| due > now) {
                continue;
            }
            let port = self.listeners[index].port;
            for _ in 0..listener::BURST {
                let Some((stream, peer)) = self.listeners[index].accept(now) else { break };
                let _ = stream.set_nodelay(true); // only speed depends on it
                listener::enable_keep_alive(&stream);
                // A full table refuses the newcomer: dropping the stream resets it.
                let mut connection = Connection::new(Some(stream), Phase::Open);
                connection.reset_when_dropped(true);
                let Some(slot) = self.insert(connection) else { continue };
                if self.register(slot).is_err() {
                    self.forget(slot);
                    continue;
                }
                if let Some(connection) = self.connection(slot) {
                    connection.accepted = Some((port, peer));
                    connection.reset_when_dropped(false);
                }
                self.report(slot, Readiness::Accepted);
            }
        }
    }

    fn resolved(&mut self, now: Instant) {
        while let Some(answer) = self.resolver.poll() {
            let resolve::Answer { slot, lookup, addresses } = answer;
            let address_only = match self.connection(slot).map(|connection| &connection.phase) {
                Some(Phase::Resolving { lookup: Some(wanted), address_only })
                    if *wanted == lookup =>
                {
                    *address_only
                }
                _ => continue, // closed meanwhile
            };
            if addresses.is_empty() {
                self.finish(slot, CloseReason::NameNotFound);
            } else if address_only {
                // Datagrams leave from the address it listens on.
                let mut found = addresses.iter().map(SocketAddr::ip);
                let reachable = found.find(|found| found.is_ipv4() == self.bind.is_ipv4());
                self.found(slot, reachable.unwrap_or(addresses[0].ip()));
            } else {
                self.try_addresses(slot, addresses.into(), now, CloseReason::Refused);
            }
        }
    }

    /// Starts connecting to the first address that can be started with; `last` is told if there is
    /// none.
    fn try_addresses(
        &mut self,
        slot: u32,
        mut addresses: VecDeque<SocketAddr>,
        now: Instant,
        last: CloseReason,
    ) {
        while let Some(address) = addresses.pop_front() {
            let Ok(stream) = mio::net::TcpStream::connect(address) else { continue };
            let until = now + CONNECT_TIMEOUT;
            let Some(connection) = self.connection(slot) else { return };
            connection.stream = Some(stream);
            connection.phase = Phase::Connecting { addresses, until };
            self.deadlines.push(std::cmp::Reverse((until, slot)));
            if self.register(slot).is_err() {
                self.finish(slot, CloseReason::Reset);
            }
            return;
        }
        self.finish(slot, last);
    }

    fn connect_progress(&mut self, slot: u32) {
        let Some(connection) = self.connection(slot) else { return };
        let Some(stream) = &connection.stream else { return };
        let error = match stream.take_error() {
            Ok(None) => match stream.peer_addr() {
                Ok(_) => {
                    let _ = stream.set_nodelay(true); // only speed depends on it
                    connection.phase = Phase::Open;
                    self.report(slot, Readiness::Connected);
                    self.report(slot, Readiness::Readable);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) => error,
            },
            Ok(Some(error)) | Err(error) => error,
        };
        let reason = connection::reason(&error, CloseReason::Refused);
        self.next_address(slot, reason);
    }

    fn next_address(&mut self, slot: u32, reason: CloseReason) {
        let Some(connection) = self.connection(slot) else { return };
        let Phase::Connecting { addresses, .. } = &mut connection.phase else { return };
        let addresses = std::mem::take(addresses);
        connection.stream = None;
        self.try_addresses(slot, addresses, Instant::now(), reason);
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&std::cmp::Reverse((at, slot))) = self.deadlines.peek() {
            if at > now {
                return;
            }
            self.deadlines.pop();
            let Some(connection) = self.connection(slot) else { continue };
            match &connection.phase {
                Phase::Connecting { until, .. } if *until <= now => {
                    self.next_address(slot, CloseReason::TimedOut);
                }
                Phase::Lingering { until } if *until <= now => self.finish(slot, CloseReason::Done),
                _ => {} // the deadline of something that is over
            }
        }
    }

    fn connection(&mut self, slot: u32) -> Option<&mut Connection> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    fn insert(&mut self, connection: Connection) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(connection);
            return Some(slot);
        }
        if self.slots.len() >= self.max_connections {
            return None;
        }
        self.slots.push(Some(connection));
        Some(self.slots.len() as u32 - 1)
    }

    fn register(&mut self, slot: u32) -> io::Result<()> {
        let registry = self.poll.registry();
        match self.slots[slot as usize].as_mut().and_then(|c| c.stream.as_mut()) {
            Some(stream) => stream_register(registry, stream, slot),
            None => Ok(()),
        }
    }

    fn forget(&mut self, slot: u32) {
        if let Some(mut connection) = self.slots[slot as usize].take() {
            self.ready.remove(slot, *connection.as_mut());
            if connection.again {
                self.again.retain(|other| *other != slot);
            }
        }
        self.free.push(slot);
    }

    /// Notes something to report to the device about a connection.
    fn report(&mut self, slot: u32, readiness: Readiness) {
        if let Some(Some(connection)) = self.slots.get_mut(slot as usize) {
            self.ready.push(slot, connection.as_mut(), readiness);
        }
    }

    /// Lets a connection that had its turn go on reading when the others had theirs.
    fn put_back(&mut self, slot: u32) {
        let Some(connection) = self.connection(slot) else { return };
        if !std::mem::replace(&mut connection.again, true) {
            self.again.push_back(slot);
        }
    }

    /// The address that was asked for is found.
    fn found(&mut self, slot: u32, address: IpAddr) {
        if let Some(connection) = self.connection(slot) {
            connection.phase = Phase::Resolved(address);
            self.report(slot, Readiness::Closed);
        }
    }

    fn finish(&mut self, slot: u32, reason: CloseReason) {
        let Some(connection) = self.connection(slot) else { return };
        if matches!(connection.phase, Phase::Closed(_)) {
            return;
        }
        connection.stream = None; // closes it, and takes it out of the event queue
        connection.kept = Vec::new();
        connection.phase = Phase::Closed(reason);
        self.report(slot, Readiness::Closed);
    }
}

impl Stack for HostNet {
    fn ingress(&mut self, _now: umqtt_net::Instant) {
        self.handle_events();
    }

    fn egress(&mut self, now: umqtt_net::Instant) -> Option<umqtt_net::Instant> {
        // What was sent has left: the system has it.
        let next_timeout = self.next_timeout()?;
        // Whole milliseconds, and none too early.
        let millis = u64::try_from(next_timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        Some(now.saturating_add(umqtt_net::Duration::from_millis(millis)))
    }
}

fn stream_register(
    registry: &mio::Registry,
    stream: &mut mio::net::TcpStream,
    slot: u32,
) -> io::Result<()> {
    use mio::Interest;
    registry.register(stream, Token(slot as usize), Interest::READABLE | Interest::WRITABLE)
}
