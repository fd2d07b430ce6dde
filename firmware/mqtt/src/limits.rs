//! What the broker may grow to. Whatever passes a limit is refused; what is there already stays.

use crate::Duration;
use crate::queue_size::QueueSize;

/// Writes the struct down, and for each field a method of its name that sets it.
macro_rules! limits {
    ($(#[$about:meta])* pub struct Limits { $($(#[$doc:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[non_exhaustive]
        pub struct Limits { $($(#[$doc])* pub $field: $type,)* }

        /// What is chosen, each by the name of its field.
        impl Limits {
            $(
                #[doc = concat!("The same with another [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub const fn $field(mut self, value: $type) -> Limits {
                    self.$field = value;
                    self
                }
            )*
        }
    };
}

limits! {
/// The bounds on everything in a [`Broker`](crate::Broker) that clients can make grow.
///
/// Every field is a plain maximum: `0` allows none at all and never means "unlimited"; for "as
/// memory allows" use the type's `MAX`. [`Limits::SMALL`] suits a chip with some tens of KiB of
/// heap, [`Limits::DESKTOP`] (the [`Default`]) a machine with an operating system.
///
/// ```
/// use umqtt_mqtt::{Broker, Limits};
///
/// let broker = Broker::new(Limits::SMALL.max_clients(3).max_packet(512));
/// assert_eq!(broker.limits().max_clients, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Limits {
    /// Clients connected at a time. One more gets a CONNACK with return code 3.
    pub max_clients: usize,
    /// Network connections at a time that have not completed CONNECT or are being closed; they come
    /// on top of `max_clients`, so that a client whose old connection hangs can take it over when
    /// full. For one more, the one that has been without its CONNECT for longest is closed, so that
    /// nobody shuts out clients by silence.
    pub max_waiting: usize,
    /// Sessions of clients that asked to be remembered (clean session 0), connected or not. For a
    /// further one, the one that has been without a connection for longest is forgotten; if all are
    /// connected, it gets a CONNACK with return code 3.
    pub max_stored_sessions: usize,
    /// Subscriptions of all clients together, the local client's included. One more is refused by
    /// 0x80 in the SUBACK.
    pub max_subscriptions: usize,
    /// Subscriptions of one client, or of the local client. One more is refused by 0x80 in the
    /// SUBACK.
    pub max_client_subscriptions: usize,
    /// Levels of one topic filter (`a/b/#` has 3). A filter with more is refused by 0x80 in the
    /// SUBACK. A topic may have more.
    pub max_filter_levels: usize,
    /// Nodes of the subscription tree that the lookup for one message may visit, whatever its
    /// topic; one with a long level counts once more for each 256 bytes of it. Ordinary
    /// filters need some ten; those that match the same topics in many ways (`+/a`, `a/+`, `+/+`
    /// and so on, for many levels) double it with each level. A subscription that would pass it is
    /// refused by 0x80 in the SUBACK.
    pub max_lookup: usize,
    /// Bytes of a topic or a topic filter; MQTT itself allows 65535. A longer filter is refused by
    /// 0x80 in the SUBACK; a message to a longer topic, or a will, closes the connection.
    pub max_topic: usize,
    /// Retained messages, those under `$SYS` not counted. One with a further topic is delivered but
    /// not retained.
    pub max_retained: usize,
    /// Bytes of all retained messages, topic and header included.
    pub max_retained_bytes: usize,
    /// Bytes of one packet from a client, its fixed header included. A larger one closes the
    /// connection as soon as its header is read.
    pub max_packet: usize,
    /// Messages waiting for one client, connected or offline; those sent and not yet acknowledged
    /// are not counted ([`max_inflight`](Self::max_inflight)). A further one makes room by dropping
    /// the oldest of QoS 0; if there is none, it is dropped itself, for this client. Either is
    /// counted. One message always finds room in an empty queue.
    pub max_queue_messages: usize,
    /// Bytes of messages waiting for one client; otherwise as
    /// [`max_queue_messages`](Self::max_queue_messages).
    pub max_queue_bytes: usize,
    /// Of the messages waiting for a client that is offline, those of QoS 0. A further one takes
    /// the place of the oldest; 0 keeps none, and counts none as dropped.
    pub max_offline_qos0: usize,
    /// Bytes of acknowledgements, ping replies and the like waiting for one client. A client that
    /// makes the broker pass it does not read its replies and is closed. Hand
    /// [`receive`](crate::Broker::receive) at most this many bytes between two looks at what is
    /// outgoing.
    pub max_control_bytes: usize,
    /// QoS 1 and 2 messages sent to one client and not yet acknowledged; the next ones wait.
    pub max_inflight: usize,
    /// QoS 2 messages received from one client and not yet released by it (PUBREL). One more closes
    /// the connection.
    pub max_unreleased: usize,
    /// Bytes of messages waiting for [`poll_local`](crate::Broker::poll_local). What does not fit
    /// is dropped and counted; so is what would take more than half of the memory that is free.
    pub max_local_queue_bytes: usize,
    /// Bytes of the heap for all that clients make the broker keep, as
    /// [`memory`](crate::Broker::memory) counts it. Half of what is free may wait for one client,
    /// or for the rest of its packet; sessions, subscriptions and retained messages leave an eighth
    /// of all to what passes through. What there is no room for is refused, and what is there
    /// stays: a client by CONNACK return code 3, a subscription by 0x80 in the SUBACK, a message is
    /// dropped and counted; a client that has begun a packet there is no room for, or does not read
    /// its answers, is closed.
    pub max_memory: usize,
    /// Bytes of a client id. A longer one gets a CONNACK with return code 2.
    pub max_client_id: usize,
    /// The time a new connection has for its CONNECT packet.
    pub connect_timeout: Duration,
    /// The time in which a client has to end a packet it has begun, and to take something of what
    /// waits to be sent to it. It is looked at once in this time, so a client that does neither is
    /// closed after twice the time at most.
    pub stall_timeout: Duration,
    /// The time a stored session outlives its connection; [`Duration::MAX`] keeps it for ever.
    pub session_expiry: Duration,
}
}

impl Limits {
    /// What may wait for one client when it may take no more than `share` bytes.
    pub(crate) fn max_queue(&self, share: usize) -> QueueSize {
        QueueSize { messages: self.max_queue_messages, bytes: self.max_queue_bytes.min(share) }
    }

    /// For a chip: eight or so clients at 4 KiB each.
    pub const SMALL: Limits = Limits {
        max_clients: 8,
        max_waiting: 2,
        max_stored_sessions: 4,
        max_subscriptions: 128,
        max_client_subscriptions: 64,
        max_filter_levels: 16,
        max_lookup: 256,
        max_topic: 1024,
        max_retained: 64,
        max_retained_bytes: 8 * 1024,
        max_packet: 4 * 1024,
        max_queue_messages: 128,
        max_queue_bytes: 4 * 1024,
        max_offline_qos0: 8,
        max_control_bytes: 4 * 1024,
        max_inflight: 4,
        max_unreleased: 16,
        max_local_queue_bytes: 4 * 1024,
        max_memory: 24 * 1024,
        max_client_id: 64,
        connect_timeout: Duration::from_secs(10),
        stall_timeout: Duration::from_secs(20),
        session_expiry: Duration::from_secs(24 * 3600),
    };

    /// For a desktop or a server.
    pub const DESKTOP: Limits = Limits {
        max_clients: 10_000,
        max_waiting: 1_000,
        max_stored_sessions: 10_000,
        max_subscriptions: 1_000_000,
        max_client_subscriptions: 10_000,
        // 200 slashes, as mosquitto has it.
        max_filter_levels: 201,
        max_lookup: 1024,
        max_topic: 65_535,
        max_retained: 1_000_000,
        max_retained_bytes: 256 * 1024 * 1024,
        max_packet: 1024 * 1024,
        max_queue_messages: 100_000,
        max_queue_bytes: 4 * 1024 * 1024,
        max_offline_qos0: 1_000,
        max_control_bytes: 256 * 1024,
        max_inflight: 64,
        max_unreleased: 4096,
        max_local_queue_bytes: 4 * 1024 * 1024,
        max_memory: 1 << 30,
        max_client_id: 1024,
        connect_timeout: Duration::from_secs(10),
        stall_timeout: Duration::from_secs(60),
        session_expiry: Duration::from_secs(24 * 3600),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DESKTOP
    }
}
