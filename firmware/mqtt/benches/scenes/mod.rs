//! What is measured: a broker with clients whose sockets take and give everything at once, in
//! rounds.

use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Version, emit_ack, emit_bare};
use umqtt_mqtt::{AllowAll, Broker, ConnId, Duration, Instant, Interface, Limits, Peer, QoS};

/// Messages each publisher sends in a round, and acknowledgements it may have to wait for.
const BATCH: u16 = 20;
/// Bytes a socket takes at a time.
const SOCKET: usize = 16 * 1024;

/// The publishers, the subscribers, and how they talk to each other.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) publishers: u32,
    pub(crate) subscribers: u32,
    pub(crate) topics: u32,
    pub(crate) qos: QoS,
    pub(crate) payload: usize,
    /// Given the subscriber's number.
    filter: fn(u32) -> String,
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn same(_: u32) -> String {
    "bench/topic/#".into()
}

fn some(subscriber: u32) -> String {
    match subscriber % 4 {
        0 => format!("bench/topic/{subscriber}"),
        1 => "bench/+/7".into(),
        2 => format!("bench/+/{subscriber}"),
        _ => format!("elsewhere/{subscriber}/#"),
    }
}

const PLAIN: Scene = Scene {
    name: "1 to 1",
    publishers: 1,
    subscribers: 1,
    topics: 1,
    qos: QoS::AtMostOnce,
    payload: 64,
    filter: same,
};

pub(crate) const SCENES: [Scene; 9] = [
    PLAIN,
    Scene { name: "1 to 1, 4 KiB", payload: 4096, ..PLAIN },
    Scene { name: "1 to 20", subscribers: 20, ..PLAIN },
    Scene { name: "20 to 1", publishers: 20, ..PLAIN },
    Scene { name: "100 topics", subscribers: 100, topics: 100, filter: some, ..PLAIN },
    Scene { name: "1 to 1, QoS 1", qos: QoS::AtLeastOnce, ..PLAIN },
    Scene { name: "1 to 20, QoS 1", qos: QoS::AtLeastOnce, subscribers: 20, ..PLAIN },
    Scene { name: "1 to 1, QoS 2", qos: QoS::ExactlyOnce, ..PLAIN },
    Scene { name: "1 to 20, QoS 2", qos: QoS::ExactlyOnce, subscribers: 20, ..PLAIN },
];

/// A scene in progress.
pub(crate) struct Stage {
    broker: Broker,
    scene: Scene,
    now: Instant,
    /// What each publisher sends in a round.
    packets: Vec<u8>,
    /// The PUBRELs that go with them.
    releases: Vec<u8>,
    /// The packet id the broker gave each subscriber's last message.
    ids: Vec<u16>,
    buffer: Vec<u8>,
    bytes: usize,
}

impl Stage {
    pub(crate) fn new(scene: Scene) -> Stage {
        let mut broker = Broker::new(Limits::DESKTOP);
        for number in 0..scene.publishers + scene.subscribers {
            connect(&mut broker, number);
            if number >= scene.publishers {
                let filter = (scene.filter)(number - scene.publishers);
                let mut packet = Vec::new();
                Subscribe::emit(1, &[(filter.as_bytes(), scene.qos)], &mut packet);
                broker.receive(ConnId(number), &packet, Instant::ZERO, &mut AllowAll);
            }
        }
        let (mut packets, mut releases) = (Vec::new(), Vec::new());
        let payload = vec![b'x'; scene.payload];
        for number in 0..BATCH {
            let topic = format!("bench/topic/{}", u32::from(number) * 7 % scene.topics);
            let packet_id = if scene.qos == QoS::AtMostOnce { 0 } else { number + 1 };
            let (qos, topic, payload) = (scene.qos, topic.as_bytes(), &payload[..]);
            Publish { topic, payload, qos, retain: false, dup: false, packet_id }
                .emit(&mut packets);
            releases.extend_from_slice(&emit_ack(PacketType::Pubrel, packet_id));
        }
        let ids = vec![0; scene.subscribers as usize];
        let buffer = vec![0; SOCKET];
        let mut stage =
            Stage { broker, scene, now: Instant::ZERO, packets, releases, ids, buffer, bytes: 0 };
        stage.flush();
        stage
    }

    /// One batch from each publisher, delivered and acknowledged; how many deliveries that was.
    pub(crate) fn round(&mut self) -> u64 {
        self.now += Duration::from_millis(1);
        let before = self.broker.stats().messages_sent;
        for publisher in 0..self.scene.publishers {
            self.broker.receive(ConnId(publisher), &self.packets, self.now, &mut AllowAll);
            if self.scene.qos == QoS::AtMostOnce {
                self.flush();
                continue;
            }
            if self.scene.qos == QoS::ExactlyOnce {
                self.flush(); // PUBREC
                self.broker.receive(ConnId(publisher), &self.releases, self.now, &mut AllowAll);
            }
            self.flush();
            self.answer();
        }
        self.broker.stats().messages_sent - before
    }

    /// The subscribers acknowledge a batch.
    fn answer(&mut self) {
        let kinds: &[PacketType] = match self.scene.qos {
            QoS::ExactlyOnce => &[PacketType::Pubrec, PacketType::Pubcomp],
            _ => &[PacketType::Puback],
        };
        let mut acks = [0; 4 * BATCH as usize];
        for subscriber in 0..self.scene.subscribers {
            let last = &mut self.ids[subscriber as usize];
            for kind in kinds {
                let mut id = *last;
                for ack in acks.chunks_exact_mut(4) {
                    id = if id >= u16::MAX - 1 { 1 } else { id + 1 };
                    ack.copy_from_slice(&emit_ack(*kind, id));
                }
                let conn = ConnId(self.scene.publishers + subscriber);
                self.broker.receive(conn, &acks, self.now, &mut AllowAll);
            }
            *last = (u32::from(*last) + u32::from(BATCH) - 1) as u16 % (u16::MAX - 1) + 1;
        }
        self.flush();
    }

    /// Sends all there is, a buffer at a time.
    fn flush(&mut self) {
        while let Some(conn) = self.broker.poll_writable() {
            loop {
                let n = self.broker.copy_outgoing(conn, &mut self.buffer);
                if n == 0 {
                    break;
                }
                self.broker.sent(conn, n);
                self.bytes += n;
            }
        }
    }

    /// Bytes sent so far, so that nothing of it can be optimised away.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Clients that come, say a word and stay.
pub(crate) fn connects(count: u32) -> Broker {
    let mut broker = Broker::new(Limits::DESKTOP);
    for number in 0..count {
        connect(&mut broker, number);
        broker.receive(
            ConnId(number),
            &emit_bare(PacketType::Pingreq),
            Instant::from_millis(1),
            &mut AllowAll,
        );
        while let Some(conn) = broker.poll_writable() {
            broker.sent(conn, 6);
        }
    }
    broker
}

fn connect(broker: &mut Broker, number: u32) {
    let peer = Peer::new(([127, 0, 0, 1], 1).into(), Interface::Station);
    // In no order, as client ids are.
    let client_id = format!("client-{:08x}", number.wrapping_mul(0x9e37_79b9));
    let connect = Connect {
        version: Version::V311,
        bridge: false,
        client_id: &client_id,
        clean_session: true,
        keep_alive: 60 + (number % 60) as u16,
        will: None,
        user: None,
        password: None,
    };
    let mut packet = Vec::new();
    connect.emit(&mut packet);
    // There is room for everybody.
    let _ = broker.open(ConnId(number), peer, Instant::ZERO, &mut AllowAll);
    broker.receive(ConnId(number), &packet, Instant::ZERO, &mut AllowAll);
}
