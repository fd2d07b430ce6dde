//! The remote broker: the device as a client of another one, for scripts and for the console's
//! `publish remote`.
//!
//! The protocol is [`umqtt_mqtt::client`]'s, which also says when to reconnect (its backoff); here
//! is what makes it the device's: the settings it follows, live; the connection over [`Net`]; the
//! script it serves; its status for the log. It knows no script engine and no console: the device
//! fetches what came with [`Upstream::next`] when the script has time for it, and until then
//! nothing more is read from the connection, so that what waits is bounded and nothing is lost on
//! the way.
//!
//! Everything is of QoS 0 with a clean session, as scripts know it: a subscription ends with its
//! connection, and `on mqttconnect` is where a script subscribes again.
//!
//! | file | job |
//! |---|---|
//! | `mod` | the connection, and what others want of it |
//! | `config` | where to, and as whom |
//! | `status` | its status, and the log lines for it |

mod config;
mod status;

use alloc::vec::Vec;

use umqtt_mqtt::client::{Client, ClientEvent, ClientPublishError, NetworkRequest, RequestError};
use umqtt_mqtt::{Limits, Message, QoS};

use crate::net::{ConnId, Net, NetError, NetEvent};
use crate::settings::Settings;
use config::Config;
pub(crate) use status::Status;
use status::{Failure, StatusLog};
use umqtt_net::Instant;

/// Most bytes received between two looks at what they brought.
const PIECE: usize = 64 * 1024;

/// Bytes of the heap from which on it gives way when there is no memory.
const HOLDS: usize = 512;

/// Something for the script.
#[derive(Debug)]
pub(crate) enum UpstreamEvent {
    /// The remote broker has accepted us.
    Connected,
    /// A message, by one of the script's subscriptions.
    Message(Message),
}

/// Why a subscription is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamSubscribeError {
    /// There is no connection.
    NotConnected,
    /// The client will not.
    Request(RequestError),
}

impl core::fmt::Display for UpstreamSubscribeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            UpstreamSubscribeError::NotConnected => ClientPublishError::NotConnected.fmt(f),
            UpstreamSubscribeError::Request(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UpstreamSubscribeError {}

/// A subscription of the script.
#[derive(Debug)]
struct Filter {
    filter: Vec<u8>,
    /// The connection it was made on: see [`Upstream::connections`].
    connection: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client,
    /// The settings have changed since `wanted` was made of them.
    changed: bool,
    wanted: Option<Config>,
    /// What the client works with; `None` while it takes its leave, too.
    active: Option<Config>,
    /// There was no network to connect over.
    waits: bool,
    /// The device is about to be switched off: no more connections.
    leaving: bool,
    conn: Option<ConnId>,
    /// There may be something to receive.
    readable: bool,
    /// The client was connected when last looked at.
    up: bool,
    /// Counts the connections that were accepted.
    connections: u32,
    /// At most `max_client_subscriptions` on each connection, those of the last one until the next
    /// is told of.
    filters: Vec<Filter>,
    /// The script has an event `mqttconnect` to come.
    announce: bool,
    /// The next thing for the script, while it waits to be fetched.
    next: Option<UpstreamEvent>,
    /// Messages to be sent for which the device had no memory, and connections that gave way.
    refused: u32,
    status: StatusLog,
}

impl Upstream {
    /// A client that looks at the settings in its first turn. The seed keeps devices that have lost
    /// their broker together from coming back together.
    pub(crate) fn new(seed: u32) -> Upstream {
        Upstream {
            client: Client::new(Config::default().options(&Limits::SMALL), seed),
            changed: true,
            wanted: None,
            active: None,
            waits: false,
            leaving: false,
            conn: None,
            readable: false,
            up: false,
            connections: 0,
            filters: Vec::new(),
            announce: false,
            next: None,
            refused: 0,
            status: StatusLog::default(),
        }
    }

    /// Whether the remote broker has accepted us and the connection stands.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    /// Messages from the remote broker that were dropped: too large, or no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.client.dropped()
    }

    /// Messages, from there and to there, that found no memory or no room.
    pub(crate) fn refused(&self) -> u32 {
        self.client.refused().saturating_add(self.refused)
    }

    /// A message to be sent finds no memory.
    pub(crate) fn refuse(&mut self) -> ClientPublishError {
        self.refused = self.refused.saturating_add(1);
        ClientPublishError::Full
    }

    /// At how many places a subscription of the script is looked for: some are looked at in the
    /// time of one elsewhere.
    pub(crate) fn looked_at(&self) -> u32 {
        (self.filters.len() / 4) as u32
    }

    /// Whether this is its connection.
    pub(crate) fn owns(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    /// When the next turn is due at the latest.
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.client.poll_at()
    }

    /// What there is to log; ask until `None`.
    pub(crate) fn poll_status(&mut self) -> Option<Status> {
        self.status.poll()
    }

    /// One of its settings was changed.
    pub(crate) fn settings_changed(&mut self) {
        self.changed = true;
    }

    /// The network has come up: what waited for it is tried at once.
    pub(crate) fn network_up(&mut self) {
        if core::mem::take(&mut self.waits) && self.conn.is_none() {
            self.active = None;
        }
    }

    /// Publishes a message of QoS 0.
    ///
    /// # Errors
    /// [`ClientPublishError`]; nothing was sent.
    pub(crate) fn publish(
        &mut self,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<(), ClientPublishError> {
        self.client.publish(topic, data, QoS::AtMostOnce, retained)
    }

    /// Bytes of memory of the messages that wait to be sent.
    pub(crate) fn unsent_memory(&self) -> usize {
        self.client.unsent_memory()
    }

    /// Subscribes the script, until the connection or the script ends.
    ///
    /// # Errors
    /// [`UpstreamSubscribeError`]; nothing has changed.
    pub(crate) fn subscribe(&mut self, filter: &[u8]) -> Result<(), UpstreamSubscribeError> {
        if !self.is_connected() {
            return Err(UpstreamSubscribeError::NotConnected);
        }
        self.client.subscribe(filter, QoS::AtMostOnce).map_err(UpstreamSubscribeError::Request)?;
        let connection = self.connections;
        match self.filters.iter_mut().find(|known| known.filter == filter) {
            Some(known) => known.connection = connection,
            None => self.filters.push(Filter { filter: filter.to_vec(), connection }),
        }
        Ok(())
    }

    /// Ends one of the script's subscriptions; false without a connection.
    pub(crate) fn unsubscribe(&mut self, filter: &[u8]) -> bool {
        self.client.unsubscribe(filter);
        self.filters.retain(|known| known.filter != filter);
        self.is_connected()
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self) -> usize {
        let filters: usize = self.filters.iter().map(|known| known.filter.capacity()).sum();
        self.client.memory() + filters + self.filters.capacity() * size_of::<Filter>()
    }

    /// The script has ended: its subscriptions, and what is on its way to it, end too.
    pub(crate) fn unsubscribe_all(&mut self) {
        self.filters.clear();
        self.client.unsubscribe_all();
        self.discard();
    }

    /// Throws away what is for the script: there is none, or it is at its end.
    pub(crate) fn discard(&mut self) {
        while self.next().is_some() {}
    }

    /// A script starts: it gets the event of a connection that is up already.
    pub(crate) fn announce(&mut self) {
        self.discard();
        self.announce = self.is_connected();
    }

    /// The next thing for the script, in the order in which it came.
    pub(crate) fn next(&mut self) -> Option<UpstreamEvent> {
        if core::mem::take(&mut self.announce) {
            return Some(UpstreamEvent::Connected);
        }
        self.next.take().or_else(|| self.pull())
    }

    /// Something happened on its connection.
    pub(crate) fn handle(&mut self, event: NetEvent, now: Instant, net: &mut dyn Net) {
        match event {
            NetEvent::Connected(_) => self.client.connected(now),
            NetEvent::Readable(_) => self.readable = true,
            NetEvent::PeerClosed(conn) => {
                net.close(conn);
                self.lost(now);
            }
            NetEvent::Closed(_, reason) => {
                if !self.up {
                    self.status.failed(self.active.as_ref(), Failure::Closed(reason));
                }
                self.lost(now);
            }
            NetEvent::Accepted { .. }
            | NetEvent::Resolved(..)
            | NetEvent::Writable(_)
            | NetEvent::Datagram(_) => {}
        }
        self.look();
    }

    /// Does what is to be done now: follows the settings, minds the time, sends, and receives if
    /// the script has fetched what came before. True if there is more to do at once.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        settings: &Settings,
        limits: &Limits,
        net: &mut dyn Net,
    ) -> bool {
        if !self.leaving && core::mem::take(&mut self.changed) {
            self.wanted = Config::read(settings).unwrap_or_else(|problem| {
                self.status.push(Status::ConfigError(problem));
                None
            });
        }
        if self.client.poll_at().is_some_and(|at| at <= now) {
            self.client.handle_timeout(now);
            self.look();
        }
        self.follow(now, limits, net);
        self.receive(now, limits, net);
        self.exchange(now, net);
        if self.next.is_none() {
            self.next = self.pull();
        }
        self.announce || self.next.is_some() || self.readable
    }

    /// Takes leave for good, politely: the device is about to be switched off. It has left once
    /// [`Upstream::has_left`] says so; some turns may be needed.
    pub(crate) fn leave(&mut self, now: Instant, limits: &Limits, net: &mut dyn Net) {
        self.leaving = true;
        self.wanted = None;
        self.follow(now, limits, net);
    }

    /// Whether there is no connection any more.
    pub(crate) fn has_left(&self) -> bool {
        self.conn.is_none()
    }

    /// Makes the settings that are wanted the ones that are followed, as soon as the old connection
    /// has been left.
    fn follow(&mut self, now: Instant, limits: &Limits, net: &mut dyn Net) {
        if self.active == self.wanted {
            return;
        }
        // DISCONNECT takes the will away. Not acknowledged: it would come again when we are back.
        if let Some(will) = self.active.take().and_then(|config| config.will)
            && self.is_connected()
        {
            _ = self.client.publish(&will.topic, &will.payload, QoS::AtMostOnce, true);
        }
        self.client.stop(now);
        self.exchange(now, net);
        self.look();
        if self.conn.is_some() {
            return; // what was queued last is still on its way out
        }
        self.active.clone_from(&self.wanted);
        if let Some(config) = &self.active {
            self.status.forget();
            self.client.set_options(config.options(limits));
            self.client.start(now);
        }
    }

    /// Sends pending bytes and carries out the client's network requests.
    fn exchange(&mut self, now: Instant, net: &mut dyn Net) {
        self.send(net);
        while let Some(wish) = self.client.poll_network() {
            match wish {
                NetworkRequest::Connect => self.connect(now, net),
                NetworkRequest::Close => {
                    if let Some(conn) = self.forget_connection() {
                        net.close(conn);
                    }
                }
            }
        }
    }

    fn connect(&mut self, now: Instant, net: &mut dyn Net) {
        let Some(config) = &self.active else { return };
        match net.connect(&config.host, config.port) {
            Ok(conn) => self.conn = Some(conn),
            Err(NetError::Down) => {
                self.waits = true;
                self.client.closed(now);
            }
            Err(error) => {
                self.status.failed(self.active.as_ref(), Failure::Net(error));
                self.client.closed(now);
            }
        }
    }

    fn send(&mut self, net: &mut dyn Net) {
        let Some(conn) = self.conn else { return };
        loop {
            let bytes = self.client.outgoing();
            let all = bytes.len();
            if all == 0 {
                return;
            }
            let sent = net.send(conn, bytes);
            self.client.sent(sent);
            if sent < all {
                return; // it goes on when there is room again
            }
        }
    }

    fn receive(&mut self, now: Instant, limits: &Limits, net: &mut dyn Net) {
        let Some(conn) = self.conn.filter(|_| self.readable && self.next.is_none()) else { return };
        let mut room = piece(limits);
        let mut all = true;
        let client = &mut self.client;
        net.recv(conn, &mut |bytes| {
            let shown = bytes.len().min(room);
            let taken = client.receive(&bytes[..shown], now);
            room -= taken;
            all &= taken == shown;
            taken
        });
        // What is not taken waits for the script, and there is no other event for it.
        self.readable = room == 0 || !all;
        self.look();
    }

    /// Looks whether the connection came or went: with it go the subscriptions.
    fn look(&mut self) {
        let up = self.is_connected();
        if up == self.up {
            return;
        }
        self.up = up;
        if up {
            self.connections = self.connections.wrapping_add(1);
        } else {
            self.announce = false;
            self.client.unsubscribe_all();
        }
    }

    /// Drops the connection if it holds much, for a device that finds no memory. It is made again
    /// later.
    pub(crate) fn give_way(&mut self, now: Instant, net: &mut dyn Net) {
        if self.client.memory() < HOLDS {
            return;
        }
        let Some(conn) = self.forget_connection() else { return };
        self.refuse();
        net.abort(conn);
        self.client.closed(now);
        self.look();
    }

    fn lost(&mut self, now: Instant) {
        self.forget_connection();
        self.client.closed(now);
    }

    fn forget_connection(&mut self) -> Option<ConnId> {
        self.readable = false;
        self.conn.take()
    }

    /// The next of the client's events that is for the script; logs the others.
    fn pull(&mut self) -> Option<UpstreamEvent> {
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Message(message) => {
                    let topic = message.topic();
                    let wanted = |known: &Filter| {
                        let shared = umqtt_topic::split_shared(&known.filter).ok().flatten();
                        let filter = shared.map_or(&known.filter[..], |shared| shared.filter);
                        umqtt_topic::matches(filter, topic)
                    };
                    // The subscription has ended since: its SUBACK is dropped.
                    if self.filters.iter().any(wanted) {
                        return Some(UpstreamEvent::Message(message));
                    }
                }
                ClientEvent::Connected { .. } => {
                    let connection = self.connections;
                    self.filters.retain(|known| known.connection == connection);
                    self.status.connected(self.active.as_ref());
                    return Some(UpstreamEvent::Connected);
                }
                ClientEvent::Disconnected(reason) => self.status.push(Status::Lost(reason)),
                ClientEvent::TooLarge(bytes) => {
                    self.status.too_large(bytes, self.client.options().max_packet);
                }
                ClientEvent::BadTopic => self.status.bad_topic(),
                ClientEvent::Refused(code) => {
                    self.status.failed(self.active.as_ref(), Failure::Refused(code));
                }
                ClientEvent::Subscribed { granted: Some(_), .. } => {}
                ClientEvent::Subscribed { filter, granted: None } => {
                    self.filters.retain(|known| known.filter != filter);
                    self.status.push(Status::NotSubscribed(filter));
                }
                _ => {}
            }
        }
        None
    }
}

/// How much is received at a time where these are the limits.
fn piece(limits: &Limits) -> usize {
    limits.max_packet.min(PIECE)
}
