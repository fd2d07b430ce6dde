//! A network in memory and in virtual time: a broker, and clients that speak raw bytes.

#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)] // tests, in spite of where they are

use std::collections::BTreeMap;

use umqtt_mqtt::wire::{
    Connect, FixedHeader, PacketType, Publish, Subscribe, Version, Will, emit_ack,
};
use umqtt_mqtt::{
    Broker, ConnId, Credentials, Duration, Hooks, Instant, Interface, Limits, Peer, QoS, Refused,
    Verdict,
};

/// Lets in everybody but user `intruder`, and no connection from port 666.
pub(crate) struct Door;

impl Hooks for Door {
    fn on_connect(&mut self, peer: &Peer) -> bool {
        peer.addr.port() != 666
    }

    fn on_auth(&mut self, who: &Credentials<'_>) -> Verdict {
        match (who.user, who.password) {
            (Some("intruder"), _) => Verdict::NotAuthorized,
            (Some("me"), password) if password != Some(b"secret") => Verdict::BadCredentials,
            _ => Verdict::Accept,
        }
    }
}

pub(crate) struct Net {
    pub(crate) broker: Broker,
    pub(crate) now: Instant,
    /// What each open connection has received.
    received: BTreeMap<u32, Vec<u8>>,
    /// Connections the broker closed.
    closed: Vec<u32>,
    /// Connections whose client does not read.
    pub(crate) stalled: Vec<u32>,
}

pub(crate) fn peer(port: u16) -> Peer {
    Peer::new(([192, 168, 4, 2], port).into(), Interface::Station)
}

impl Net {
    pub(crate) fn new() -> Net {
        Net::with(Limits::SMALL)
    }

    pub(crate) fn with(limits: Limits) -> Net {
        Net {
            broker: Broker::new(limits),
            now: Instant::from_millis(1_000),
            received: BTreeMap::new(),
            closed: Vec::new(),
            stalled: Vec::new(),
        }
    }

    pub(crate) fn open(&mut self, conn: u32) -> Result<(), Refused> {
        self.broker.open(ConnId(conn), peer(1000 + conn as u16), self.now, &mut Door)?;
        self.closed.retain(|c| *c != conn);
        self.received.insert(conn, Vec::new());
        Ok(())
    }

    /// Opens a connection, sends CONNECT, and expects it to be accepted; session present or not.
    pub(crate) fn connect(&mut self, conn: u32, connect: Connect<'_>) -> bool {
        self.open(conn).unwrap();
        let mut packet = Vec::new();
        assert!(connect.emit(&mut packet));
        self.send(conn, &packet);
        let answer = self.take(conn, 4);
        assert_eq!((answer[0], answer[1], answer[3]), (0x20, 2, 0), "not accepted");
        answer[2] == 1
    }

    /// A client with clean session and no keep-alive.
    pub(crate) fn join(&mut self, conn: u32, id: &str) {
        assert!(!self.connect(conn, hello(id)));
    }

    /// Subscribes and expects the SUBACK to grant what was asked for.
    pub(crate) fn subscribe(&mut self, conn: u32, filter: &str, qos: QoS) {
        let mut packet = Vec::new();
        Subscribe::emit(77, &[(filter.as_bytes(), qos)], &mut packet);
        self.send(conn, &packet);
        assert_eq!(self.take(conn, 5), [0x90, 3, 0, 77, qos as u8]);
    }

    pub(crate) fn publish(&mut self, conn: u32, topic: &str, payload: &[u8]) {
        self.send(conn, &message(topic, payload, QoS::AtMostOnce, 0, false));
    }

    pub(crate) fn publish_retained(&mut self, conn: u32, topic: &str, payload: &[u8]) {
        self.send(conn, &message(topic, payload, QoS::AtMostOnce, 0, true));
    }

    pub(crate) fn send(&mut self, conn: u32, bytes: &[u8]) {
        self.broker.receive(ConnId(conn), bytes, self.now, &mut Door);
        self.settle();
    }

    /// The client's end of the connection breaks.
    pub(crate) fn cut(&mut self, conn: u32) {
        self.broker.closed(ConnId(conn), self.now);
        self.settle();
    }

    /// Lets milliseconds pass, stopping wherever the broker asks for it.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(at) = self.broker.poll_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// Moves all bytes there are.
    pub(crate) fn settle(&mut self) {
        while let Some(conn) = self.broker.poll_writable() {
            if !self.stalled.contains(&conn.0) {
                self.drain(conn.0);
            }
        }
        while let Some(conn) = self.broker.poll_close() {
            self.closed.push(conn.0);
        }
    }

    /// Moves what waits for one connection, in odd pieces.
    pub(crate) fn drain(&mut self, conn: u32) {
        let mut buffer = [0; 37];
        loop {
            let n = self.broker.copy_outgoing(ConnId(conn), &mut buffer);
            let bytes = self.received.get_mut(&conn).unwrap();
            bytes.extend_from_slice(&buffer[..n]);
            self.broker.sent(ConnId(conn), n);
            if n == 0 {
                return;
            }
        }
    }

    /// The next `n` bytes a client received.
    pub(crate) fn take(&mut self, conn: u32, n: usize) -> Vec<u8> {
        let received = self.received.get_mut(&conn).unwrap();
        assert!(received.len() >= n, "connection {conn} received only {received:x?}");
        received.drain(..n).collect()
    }

    /// All a client received since it was last asked.
    pub(crate) fn all(&mut self, conn: u32) -> Vec<u8> {
        std::mem::take(self.received.get_mut(&conn).unwrap())
    }

    /// The QoS 0 messages a client received, as `topic=payload`, `!` in front of retained ones.
    #[track_caller]
    pub(crate) fn messages(&mut self, conn: u32) -> Vec<String> {
        let bytes = self.all(conn);
        let mut messages = Vec::new();
        for (header, body) in packets(&bytes) {
            let publish = Publish::parse(&header, body).unwrap();
            assert_eq!(header.kind, PacketType::Publish);
            assert!(publish.qos == QoS::AtMostOnce && !publish.dup);
            let mark = if publish.retain { "!" } else { "" };
            let topic = String::from_utf8_lossy(publish.topic);
            messages.push(format!("{mark}{topic}={}", String::from_utf8_lossy(publish.payload)));
        }
        messages
    }

    /// What the local client received, in the same writing.
    pub(crate) fn local(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        while let Some(message) = self.broker.poll_local() {
            let mark = if message.retain() { "!" } else { "" };
            let topic = String::from_utf8_lossy(message.topic());
            messages.push(format!("{mark}{topic}={}", String::from_utf8_lossy(message.payload())));
        }
        messages
    }

    pub(crate) fn is_closed(&self, conn: u32) -> bool {
        self.closed.contains(&conn)
    }
}

/// The packets in a run of bytes, which must end with the last of them.
#[track_caller]
pub(crate) fn packets(mut bytes: &[u8]) -> Vec<(FixedHeader, &[u8])> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let header = FixedHeader::parse(bytes, Version::V311).unwrap().unwrap();
        let (packet, rest) = bytes.split_at(header.total());
        packets.push((header, &packet[header.len..]));
        bytes = rest;
    }
    packets
}

pub(crate) fn hello(id: &str) -> Connect<'_> {
    Connect {
        version: Version::V311,
        bridge: false,
        client_id: id,
        clean_session: true,
        keep_alive: 0,
        will: None,
        user: None,
        password: None,
    }
}

pub(crate) fn will<'a>(topic: &'a str, payload: &'a [u8]) -> Option<Will<'a>> {
    Some(Will { topic: topic.as_bytes(), payload, qos: QoS::AtMostOnce, retain: false })
}

pub(crate) fn message(
    topic: &str,
    payload: &[u8],
    qos: QoS,
    packet_id: u16,
    retain: bool,
) -> Vec<u8> {
    let mut packet = Vec::new();
    let topic = topic.as_bytes();
    assert!(Publish { topic, payload, qos, retain, dup: false, packet_id }.emit(&mut packet));
    packet
}

/// A client that asks to be remembered.
pub(crate) fn stay(id: &str) -> Connect<'_> {
    Connect { clean_session: false, ..hello(id) }
}

/// What a client received: `payload@qos#id`, `+` in front of repeated ones, `!` of retained ones;
/// other packets as `kind#id`.
#[track_caller]
pub(crate) fn got(net: &mut Net, conn: u32) -> Vec<String> {
    let bytes = net.all(conn);
    let line = |(header, body): &(FixedHeader, &[u8])| {
        if header.kind != PacketType::Publish {
            return format!("{:?}#{}", header.kind, u16::from_be_bytes([body[0], body[1]]));
        }
        let Ok(p) = Publish::parse(header, body) else { panic!("not a PUBLISH: {body:x?}") };
        let marks = [if p.dup { "+" } else { "" }, if p.retain { "!" } else { "" }].concat();
        let payload = String::from_utf8_lossy(p.payload);
        format!("{marks}{payload}@{}#{}", p.qos as u8, p.packet_id)
    };
    packets(&bytes).iter().map(line).collect()
}

/// The client sends an acknowledgement.
pub(crate) fn ack(net: &mut Net, conn: u32, kind: PacketType, id: u16) {
    net.send(conn, &emit_ack(kind, id));
}
