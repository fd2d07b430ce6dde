//! What happens in a history, decoded from any few bytes: whether they come from a property test,
//! from a fuzzer or from a generator of random numbers, every byte string is a history, and a
//! shorter one is a simpler one.

use umqtt_mqtt::QoS;

/// Clients in a history.
pub const CLIENTS: usize = 4;

/// The topics messages are published to.
pub const TOPICS: [&str; 8] = ["a", "a/b", "a/c", "a/b/c", "d", "/", "$own/a", "$SYS/a"];

/// The filters of subscriptions.
pub const FILTERS: [&str; 15] = [
    "a",
    "a/b",
    "#",
    "a/+",
    "a/#",
    "+/b",
    "+",
    "+/+",
    "d",
    "$own/#",
    "a/+/c",
    "+/#",
    "$share/g/a/#",
    "$share/g/#",
    "$share/h/a/#",
];

/// Bytes of a step.
pub const STEP_BYTES: usize = 7;

/// One thing that happens, and which bytes move after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who does it.
    pub client: usize,
    /// What.
    pub action: Action,
    /// What moves then.
    pub flow: Flow,
}

/// Which bytes move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// All there are, between everybody, until nothing is left to say.
    All,
    /// So many of this client's alone: to the broker, and from it.
    Some {
        /// Bytes from the client that arrive at the broker.
        up: usize,
        /// Bytes from the broker that arrive at the client.
        down: usize,
    },
}

/// What a client does, or what is done to it. One that is to speak and has no connection connects
/// first, as it did last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: bytes may move.
    Nothing,
    /// Publishes.
    Publish {
        /// To which topic.
        topic: &'static str,
        /// At which quality of service.
        qos: QoS,
        /// To be retained.
        retain: bool,
        /// With an empty payload, which deletes a retained message.
        delete: bool,
    },
    /// Subscribes.
    Subscribe {
        /// To these filters in one packet.
        filters: Vec<(&'static str, QoS)>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// Which.
        filter: &'static str,
    },
    /// Connects, and lets go of a connection there may be.
    Connect {
        /// Clean session.
        clean: bool,
        /// MQTT 3.1.
        old: bool,
        /// Keep-alive of some seconds, otherwise none.
        keep_alive: bool,
        /// Leaves a will: topic, quality of service, to be retained.
        will: Option<(&'static str, QoS, bool)>,
        /// The broker does not learn that the old connection is gone.
        silent: bool,
    },
    /// Its connection breaks; the bytes on their way are lost.
    Cut,
    /// Takes its leave.
    Leave,
    /// Withholds its acknowledgements, or gives those withheld.
    Hold(bool),
    /// Pings.
    Ping,
    /// Sends what is no MQTT.
    Garbage,
    /// Time passes, in milliseconds.
    Pass(u64),
    /// The program the broker is part of publishes.
    LocalPublish {
        /// To which topic.
        topic: &'static str,
        /// At which quality of service.
        qos: QoS,
        /// To be retained.
        retain: bool,
    },
    /// The program subscribes, or ends its subscription.
    LocalSubscribe {
        /// To which filter.
        filter: &'static str,
        /// Or ends it.
        end: bool,
    },
}

impl Step {
    /// The step these bytes stand for; any do.
    pub fn decode(bytes: [u8; STEP_BYTES]) -> Step {
        let [kind, client, a, b, c, flow, amount] = bytes;
        let topic = TOPICS[usize::from(a) % TOPICS.len()];
        let filter = FILTERS[usize::from(a) % FILTERS.len()];
        let qos = qos(b);
        let (one, two) = (c & 1 == 1, c & 2 == 2);
        let action = match kind % 32 {
            0..=8 => Action::Publish { topic, qos, retain: c % 3 == 1, delete: c % 24 == 1 },
            9..=13 => Action::Subscribe { filters: filters(a, b, c) },
            14 => Action::Unsubscribe { filter },
            15..=18 => Action::Connect {
                clean: c & 3 == 3,
                old: c & 12 == 12,
                keep_alive: c & 16 == 16,
                will: (c & 96 == 96).then_some((topic, qos, b & 4 == 4)),
                silent: c & 128 == 128,
            },
            19..=22 => Action::Cut,
            23 => Action::Leave,
            24 => Action::Hold(one),
            25 => Action::Ping,
            26 if one && two => Action::Garbage,
            27 if one => Action::Pass(u64::from(a) * 13 + u64::from(b) * 450),
            28 => Action::LocalPublish { topic, qos, retain: c % 3 == 1 },
            29 => Action::LocalSubscribe { filter, end: c % 4 == 3 },
            _ => Action::Nothing,
        };
        let flow = match flow {
            0..=127 => Flow::All,
            up => Flow::Some { up: usize::from(up - 128) % 48, down: usize::from(amount) % 48 },
        };
        Step { client: usize::from(client) % CLIENTS, action, flow }
    }
}

fn qos(byte: u8) -> QoS {
    QoS::from_u8(byte % 3).unwrap_or_default()
}

fn filters(a: u8, b: u8, c: u8) -> Vec<(&'static str, QoS)> {
    let mut filters = vec![(FILTERS[usize::from(a) % FILTERS.len()], qos(b))];
    if c % 4 == 3 {
        filters.push((FILTERS[usize::from(c / 4) % FILTERS.len()], qos(b / 3)));
    }
    filters
}
