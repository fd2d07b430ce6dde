//! An MQTT 3.1 and 3.1.1 client: the other end of the wire, as a state machine too.
//!
//! It is not tied to the broker here; the two meet in the packet codec and in the QoS 1 and 2
//! transfers. Here are its state and the events of its network; the modules below hold what its
//! user asks of it and what the server sends.

mod backoff;
mod event;
mod options;
mod receive;
mod requests;
mod skip;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::try_deque_room;

pub use event::{ClientEvent, NetworkRequest, Reason};
pub use options::{ClientOptions, WillMessage};
pub use requests::{ClientPublishError, RequestError};

use crate::delivery::Piece;
use crate::inflight::Inflight;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::queue_size::QueueSize;
use crate::wire::{Connect, PacketType, QoS, Version, Will, emit_bare};
use crate::{Duration, Instant, Publication};
use backoff::Backoff;
use requests::{Request, Subscription};
use skip::Skip;

/// From the request of a network connection to the server's CONNACK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// From a PINGREQ until something has to come from the server, if the keep-alive is not shorter.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// For the last bytes and DISCONNECT to go out.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Events other than messages that wait for [`Client::poll_event`]; further ones are dropped.
const MAX_EVENTS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Wants nothing.
    Stopped,
    /// Waits for its next attempt.
    BackingOff,
    /// Has asked for a network connection.
    Connecting,
    /// Has sent CONNECT.
    AwaitingConnack,
    /// Is accepted.
    Connected,
    /// Is to stop, and still has messages to send.
    Draining,
    /// Has queued DISCONNECT, which is still to go out.
    Disconnecting,
}

/// An MQTT client as a state machine: bytes and the time in, bytes, requests and events out.
///
/// * **Network**: [`connected`](Self::connected), [`receive`](Self::receive),
///   [`closed`](Self::closed) are its events; [`outgoing`](Self::outgoing) or
///   [`copy_outgoing`](Self::copy_outgoing) and [`sent`](Self::sent) take what is to be sent.
/// * **After any call** ask [`poll_network`](Self::poll_network), send what is outgoing, take
///   [`poll_event`](Self::poll_event) until `None`; come back with
///   [`handle_timeout`](Self::handle_timeout) at [`poll_at`](Self::poll_at).
/// * **Its user**: [`start`](Self::start), [`publish`](Self::publish),
///   [`subscribe`](Self::subscribe), [`unsubscribe`](Self::unsubscribe), [`stop`](Self::stop).
///
/// It connects again by itself, later each time it fails, and then renews its subscriptions and its
/// unfinished messages.
///
/// ```
/// use umqtt_mqtt::client::{Client, ClientOptions, ClientEvent, NetworkRequest};
/// use umqtt_mqtt::{Instant, QoS};
///
/// let now = Instant::ZERO;
/// let mut client = Client::new(ClientOptions::new("lamp"), 1);
/// client.subscribe(b"lamp/set", QoS::AtMostOnce).unwrap();
/// client.start(now);
///
/// // The caller makes the connection to the server, and sends what is outgoing: CONNECT.
/// assert_eq!(client.poll_network(), Some(NetworkRequest::Connect));
/// client.connected(now);
/// assert_eq!(client.outgoing()[..8], *b"\x10\x10\0\x04MQTT");
/// let n = client.outgoing().len();
/// client.sent(n);
///
/// // CONNACK comes, and a message.
/// assert_eq!(client.receive(b"\x20\x02\0\0", now), 4);
/// assert_eq!(client.poll_event(), Some(ClientEvent::Connected { session_present: false }));
/// assert_eq!(client.receive(b"\x30\x0c\0\x08lamp/seton", now), 14);
/// let Some(ClientEvent::Message(message)) = client.poll_event() else { panic!() };
/// assert_eq!(message.payload(), b"on");
/// ```
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    state: State,
    /// What it waits for in its state: the next attempt, an answer, the time to ping.
    timer: Option<Instant>,
    /// Connected: a PINGREQ is out, and nothing has come since.
    ping_out: bool,
    backoff: Backoff,
    wants_close: bool,
    wants_connect: bool,
    partial: Vec<u8>,
    /// What is passed over at the moment.
    skip: Option<Skip>,
    outbox: Outbox,
    /// A short piece of a packet on its way out, which exists nowhere else.
    piece: Piece,
    inflight: Inflight,
    subscriptions: Vec<Subscription>,
    /// Filters to unsubscribe from.
    pending_unsubscribes: VecDeque<Vec<u8>>,
    /// The SUBSCRIBE or UNSUBSCRIBE that is out; there is one at a time.
    request: Option<Request>,
    events: VecDeque<ClientEvent>,
    /// The messages among the events.
    events_size: QueueSize,
    dropped: u64,
    /// Messages, in both directions, that found no memory, or no room where they wait.
    refused: u32,
}

impl Client {
    /// Bytes of the heap, about: what waits to be sent and to be taken, and what it subscribes to.
    pub fn memory(&self) -> usize {
        let filters = self.subscriptions.iter().map(|wanted| wanted.filter.capacity());
        let pending_unsubscribes = self.pending_unsubscribes.iter().map(Vec::capacity);
        self.partial.capacity()
            + self.outbox.held()
            + self.outbox.queued().memory()
            + self.inflight.queued().memory()
            + self.events_size.memory()
            + self.events.capacity() * size_of::<ClientEvent>()
            + filters.chain(pending_unsubscribes).sum::<usize>()
    }

    /// Bytes of memory of the messages that wait to be sent.
    pub fn unsent_memory(&self) -> usize {
        self.outbox.queued().plus(self.inflight.queued()).memory()
    }

    /// A client that does nothing until [`start`](Self::start). The seed spreads the attempts of
    /// many clients of one server over time; any number will do, best a different one on each
    /// device.
    pub fn new(options: ClientOptions, seed: u32) -> Client {
        Client {
            options,
            state: State::Stopped,
            timer: None,
            ping_out: false,
            backoff: Backoff::new(seed),
            wants_close: false,
            wants_connect: false,
            partial: Vec::new(),
            skip: None,
            outbox: Outbox::default(),
            piece: Piece::default(),
            inflight: Inflight::default(),
            subscriptions: Vec::new(),
            pending_unsubscribes: VecDeque::new(),
            request: None,
            events: VecDeque::new(),
            events_size: QueueSize::default(),
            dropped: 0,
            refused: 0,
        }
    }

    /// The options in force.
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Changes the options; who it is and how it connects count from the next connection on.
    pub fn set_options(&mut self, options: ClientOptions) {
        self.options = options;
    }

    /// Whether the server has accepted it and the connection stands.
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// Messages from the server that were dropped for want of room, or as too large.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Messages, from the server and to it, for which there was no memory, or no room where they
    /// would have waited.
    pub fn refused(&self) -> u32 {
        self.refused
    }

    fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }

    /// As [`Client::refuse`], of one that came.
    fn drop_for_want_of_room(&mut self) {
        self.dropped += 1;
        self.refuse();
    }

    /// Connects, now and whenever the connection is lost.
    pub fn start(&mut self, now: Instant) {
        match self.state {
            State::Stopped => self.request_connection(now),
            State::Draining | State::Disconnecting => {
                self.end(State::BackingOff, None, true);
                self.timer = Some(now);
            }
            _ => {}
        }
    }

    /// Takes its leave: sends what is queued and then DISCONNECT, closes, and stays closed. The
    /// subscriptions are renewed by the next [`start`](Self::start).
    pub fn stop(&mut self, now: Instant) {
        match self.state {
            State::Stopped | State::Draining | State::Disconnecting => {}
            State::Connected => {
                self.state = State::Draining;
                self.timer = Some(now.saturating_add(DRAIN_TIMEOUT));
                self.report(ClientEvent::Disconnected(Reason::Stopped));
                self.send_disconnect();
            }
            state => self.end(State::Stopped, None, state != State::BackingOff),
        }
    }

    /// What the network is to do; ask until `None`.
    pub fn poll_network(&mut self) -> Option<NetworkRequest> {
        if core::mem::take(&mut self.wants_close) {
            return Some(NetworkRequest::Close);
        }
        core::mem::take(&mut self.wants_connect).then_some(NetworkRequest::Connect)
    }

    /// What happened; ask until `None`.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        let event = self.events.pop_front()?;
        if let ClientEvent::Message(message) = &event {
            self.events_size.messages -= 1;
            self.events_size.bytes -= message.publication.packet().len();
        }
        Some(event)
    }

    /// The network connection that was asked for is there.
    pub fn connected(&mut self, now: Instant) {
        if self.state != State::Connecting {
            return;
        }
        let options = &self.options;
        let will = options.will.as_ref().map(|last| Will {
            topic: last.message.topic(),
            payload: last.message.payload(),
            qos: last.qos,
            retain: last.retain,
        });
        let connect = Connect {
            version: options.version,
            bridge: false,
            client_id: &options.client_id,
            clean_session: options.clean_session,
            keep_alive: options.keep_alive,
            will,
            user: options.user.as_deref(),
            password: options.password.as_deref(),
        };
        // Only with a clean session may the server choose the id, and only in MQTT 3.1.1
        // ([MQTT-3.1.3-7]).
        let nameless = options.client_id.is_empty()
            && (!options.clean_session || options.version == Version::V31);
        if nameless || !connect.emit(self.outbox.control()) {
            // Options that make no packet are the same when tried again.
            return self.end(
                State::Stopped,
                Some(ClientEvent::Disconnected(Reason::Protocol)),
                true,
            );
        }
        self.state = State::AwaitingConnack;
        self.timer = Some(now.saturating_add(CONNECT_TIMEOUT));
    }

    /// The network connection is gone, or could not be made.
    pub fn closed(&mut self, now: Instant) {
        match self.state {
            State::Stopped | State::BackingOff => {}
            State::Draining | State::Disconnecting => self.end(State::Stopped, None, false),
            _ => self.fail(Reason::Network, false, now),
        }
    }

    /// The next run of bytes to send, empty if there is none. Report what of it went with
    /// [`sent`](Self::sent) before any other call.
    pub fn outgoing(&mut self) -> &[u8] {
        self.outbox.outgoing(&mut self.piece)
    }

    /// Copies as much of what is to be sent as fits into `buffer`; how many bytes that was. Report
    /// what of it went with [`sent`](Self::sent) before any other call.
    pub fn copy_outgoing(&self, buffer: &mut [u8]) -> usize {
        self.outbox.copy(buffer)
    }

    /// The first `n` bytes of what was outgoing are on their way.
    pub fn sent(&mut self, n: usize) {
        self.outbox.sent(n);
        match self.state {
            State::Draining => self.send_disconnect(),
            State::Disconnecting if self.outbox.is_empty() => self.end(State::Stopped, None, true),
            State::Connected => self.pump(),
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` if it never will
    /// as things are.
    pub fn poll_at(&self) -> Option<Instant> {
        self.timer
    }

    /// Does what time makes due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timer.is_none_or(|at| at > now) {
            return;
        }
        self.timer = None;
        match self.state {
            State::Stopped => {}
            State::BackingOff => self.request_connection(now),
            State::Connecting | State::AwaitingConnack => self.fail(Reason::Timeout, true, now),
            State::Connected if self.ping_out => self.fail(Reason::Timeout, true, now),
            State::Connected => {
                self.ping_out = true;
                self.outbox.control().extend_from_slice(&emit_bare(PacketType::Pingreq));
                self.timer = Some(now.saturating_add(self.ping_timeout()));
            }
            State::Draining | State::Disconnecting => self.end(State::Stopped, None, true),
        }
    }

    /// Sends DISCONNECT once all else is sent.
    fn send_disconnect(&mut self) {
        if self.outbox.is_empty() {
            self.outbox.control().extend_from_slice(&emit_bare(PacketType::Disconnect));
            self.state = State::Disconnecting;
        }
    }

    fn request_connection(&mut self, now: Instant) {
        self.state = State::Connecting;
        self.wants_connect = true;
        self.timer = Some(now.saturating_add(CONNECT_TIMEOUT));
    }

    /// Sets the time of the next PINGREQ, a keep-alive after the last packet known to be sent
    /// ([MQTT-3.1.2-23]).
    fn plan_ping(&mut self, sent: Instant) {
        self.ping_out = false;
        let interval = self.ping_interval();
        self.timer = (!interval.is_zero()).then(|| sent.saturating_add(interval));
    }

    fn ping_interval(&self) -> Duration {
        Duration::from_secs(self.options.keep_alive.into())
    }

    /// How long an answer to a PINGREQ may take; the next is due no later.
    fn ping_timeout(&self) -> Duration {
        self.ping_interval().min(PING_TIMEOUT)
    }

    /// An attempt, or the connection, has failed; the next attempt comes later.
    fn fail(&mut self, reason: Reason, close: bool, now: Instant) {
        let event = (self.state == State::Connected).then_some(ClientEvent::Disconnected(reason));
        self.end(State::BackingOff, event, close);
        self.timer = Some(now.saturating_add(self.backoff.next_delay()));
    }

    /// Leaves the connection behind, whatever state it was in.
    fn end(&mut self, state: State, event: Option<ClientEvent>, close: bool) {
        if matches!(self.state, State::Connected | State::Draining) {
            self.inflight.not_sent_from(self.outbox.first_not_sent());
        }
        self.state = state;
        self.timer = None;
        self.ping_out = false;
        // A connection that was asked for, and not yet taken by the caller, need not be closed.
        self.wants_close |= close && !core::mem::take(&mut self.wants_connect);
        self.wants_connect = false;
        self.partial = Vec::new();
        self.skip = None;
        self.outbox = Outbox::default();
        self.request = None;
        if let Some(event) = event {
            self.report(event);
        }
    }

    fn report(&mut self, event: ClientEvent) {
        if self.events.len() < MAX_EVENTS && try_deque_room(&mut self.events, 1) {
            self.events.push_back(event);
        } else {
            self.drop_for_want_of_room();
        }
    }

    /// Whether the user has to take events before more is received.
    fn is_full(&self) -> bool {
        let events = self.events.len() * size_of::<ClientEvent>();
        !self.events.is_empty()
            && self.events_size.memory() + events >= self.options.max_event_bytes
    }

    /// Queues a message for the user; false if there is no memory.
    fn report_message(&mut self, publication: &Publication, qos: QoS, retain: bool) -> bool {
        if !try_deque_room(&mut self.events, 1) {
            self.drop_for_want_of_room();
            return false;
        }
        self.events_size.messages += 1;
        self.events_size.bytes += publication.packet().len();
        let publication = publication.clone();
        self.events.push_back(ClientEvent::Message(Message { publication, qos, retain }));
        true
    }
}
