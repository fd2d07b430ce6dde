//! Who a client is, and what it may grow to.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Publication;
use crate::wire::{QoS, Version};

/// The settings of a [`Client`](super::Client). A limit of `0` allows none at all.
///
/// ```
/// use umqtt_mqtt::client::{ClientOptions, WillMessage};
/// use umqtt_mqtt::{Publication, QoS};
///
/// let gone = Publication::new(b"lamp/state", b"gone").expect("a short topic");
/// let gone = WillMessage::new(gone).qos(QoS::AtLeastOnce);
/// let options = ClientOptions::new("lamp").user("me").password(b"secret").will(gone);
/// let options = options.keep_alive(30);
/// assert_eq!(options.keep_alive, 30);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The protocol to speak.
    pub version: Version,
    /// Its name with the server; empty lets the server choose, with clean session only.
    pub client_id: String,
    /// Have the server forget the session before and after each connection.
    pub clean_session: bool,
    /// Seconds between signs of life; 0 for none, and then a dead connection is noticed only by
    /// sending.
    pub keep_alive: u16,
    /// The user name.
    pub user: Option<String>,
    /// The password; needs a user name.
    pub password: Option<Vec<u8>>,
    /// What the server publishes if the connection fails.
    pub will: Option<WillMessage>,
    /// Bytes of one packet from the server. A larger message is passed over; anything else that is
    /// larger ends the connection.
    pub max_packet: usize,
    /// Bytes of memory that messages to be sent may take, those of QoS 0 and those of QoS 1 and 2
    /// each. A message takes some 80 bytes beside its packet; one always fits where nothing waits.
    pub max_queue_bytes: usize,
    /// Bytes of memory of events that wait for [`poll_event`](super::Client::poll_event), from
    /// which on [`receive`](super::Client::receive) takes no more.
    pub max_event_bytes: usize,
    /// QoS 1 and 2 messages sent and not yet acknowledged; the next ones wait.
    pub max_inflight: usize,
    /// Subscriptions.
    pub max_subscriptions: usize,
}

/// A Will Message (a last will).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WillMessage {
    /// Topic and payload, each at most 65535 bytes.
    pub message: Publication,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether the server retains it.
    pub retain: bool,
}

impl WillMessage {
    /// A will of this topic and payload, at QoS 0 and not retained.
    pub fn new(message: Publication) -> WillMessage {
        WillMessage { message, qos: QoS::AtMostOnce, retain: false }
    }

    /// Sets its quality of service.
    #[must_use]
    pub fn qos(mut self, qos: QoS) -> WillMessage {
        self.qos = qos;
        self
    }

    /// Sets whether the server retains it.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> WillMessage {
        self.retain = retain;
        self
    }
}

/// Writes down a method for each plain field, of its name, that sets it.
macro_rules! setters {
    ($($field:ident: $type:ty,)*) => { $(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, value: $type) -> ClientOptions {
            self.$field = value;
            self
        }
    )* };
}

/// What is chosen, each by the name of its field.
impl ClientOptions {
    setters! {
        version: Version,
        clean_session: bool,
        keep_alive: u16,
        max_packet: usize,
        max_queue_bytes: usize,
        max_event_bytes: usize,
        max_inflight: usize,
        max_subscriptions: usize,
    }

    /// Sets the user name.
    #[must_use]
    pub fn user(mut self, user: &str) -> ClientOptions {
        self.user = Some(user.into());
        self
    }

    /// Sets the password.
    #[must_use]
    pub fn password(mut self, password: &[u8]) -> ClientOptions {
        self.password = Some(password.into());
        self
    }

    /// Sets the Will Message.
    #[must_use]
    pub fn will(mut self, will: WillMessage) -> ClientOptions {
        self.will = Some(will);
        self
    }
}

impl ClientOptions {
    /// A client of this name: MQTT 3.1.1, clean session, keep-alive 60 s, no user, no will, and the
    /// limits of a chip: packets and queues of 4 KiB, 1 KiB of events, 8 messages in flight, 32
    /// subscriptions.
    pub fn new(client_id: &str) -> ClientOptions {
        ClientOptions {
            version: Version::V311,
            client_id: client_id.into(),
            clean_session: true,
            keep_alive: 60,
            user: None,
            password: None,
            will: None,
            max_packet: 4096,
            max_queue_bytes: 4096,
            max_event_bytes: 1024,
            max_inflight: 8,
            max_subscriptions: 32,
        }
    }
}
