//! A small MQTT 3.1.1 client for tests: one packet at a time, nothing hidden.

use std::io::{Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::wait::TIMEOUT;

/// First bytes of packets.
pub const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
/// A message of QoS 0.
pub const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
/// A subscription.
pub const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// Its topic.
    pub topic: String,
    /// Its content.
    pub payload: Vec<u8>,
    /// The QoS it came with.
    pub qos: u8,
    /// It was retained before.
    pub retained: bool,
}

/// A message to publish: topic, payload and QoS.
pub type Outgoing = (String, Vec<u8>, u8);

/// A connected client.
#[derive(Debug)]
pub struct TestClient {
    stream: TcpStream,
}

impl TestClient {
    /// Connects with a clean session and no keep-alive.
    pub fn connect(broker: SocketAddr, name: &str) -> Result<TestClient> {
        let stream = TcpStream::connect(broker)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let mut client = TestClient { stream };
        let body = [text("MQTT"), vec![4, 2, 0, 0], text(name)].concat();
        client.send(CONNECT, &body)?;
        match client.receive()? {
            (CONNACK, body) if body == [0, 0] => Ok(client),
            other => Err(Error::other(format!("not connected: {other:?}"))),
        }
    }

    /// Subscribes; the broker grants what was asked for.
    pub fn subscribe(&mut self, filter: &str, qos: u8) {
        self.send(SUBSCRIBE, &[vec![0, 9], text(filter), vec![qos]].concat()).unwrap();
        assert_eq!(self.receive().unwrap(), (SUBACK, vec![0, 9, qos]));
    }

    /// Publishes at QoS 0.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        self.send(PUBLISH, &[&text(topic)[..], payload].concat()).unwrap();
    }

    /// Publishes all of these at once; at QoS 1 the answers are left to [`TestClient::collect`].
    pub fn publish_batch(&mut self, messages: &[Outgoing]) {
        let packets = messages.iter().zip(1u16..).flat_map(|((topic, payload, qos), id)| {
            let id = if *qos == 0 { vec![] } else { id.to_be_bytes().to_vec() };
            packet(PUBLISH | qos << 1, &[text(topic), id, payload.clone()].concat())
        });
        self.stream.write_all(&packets.collect::<Vec<u8>>()).unwrap();
    }

    /// So many messages, and as many answers to those it published at QoS 1; fewer if they do not
    /// come by `end`.
    pub fn collect(
        &mut self,
        messages: usize,
        answers: usize,
        end: Instant,
    ) -> Vec<ReceivedMessage> {
        let (mut came, mut answered) = (Vec::new(), 0);
        while came.len() < messages || answered < answers {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                break;
            }
            match self.receive() {
                Ok((PUBACK, _)) => answered += 1,
                Ok((kind, body)) => came.push(self.message(kind, &body)),
                Err(_) => break,
            }
        }
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        came
    }

    /// Publishes at QoS 0, retained.
    pub fn publish_retained(&mut self, topic: &str, payload: &[u8]) {
        self.send(PUBLISH | 1, &[&text(topic)[..], payload].concat()).unwrap();
    }

    /// Publishes at QoS 1 or 2, through all the acknowledgements.
    pub fn publish_acknowledged(&mut self, topic: &str, payload: &[u8], qos: u8) {
        let id = [1, qos];
        self.send(PUBLISH | qos << 1, &[&text(topic)[..], &id, payload].concat()).unwrap();
        if qos == 1 {
            assert_eq!(self.receive().unwrap(), (PUBACK, id.to_vec()));
        } else {
            assert_eq!(self.receive().unwrap(), (PUBREC, id.to_vec()));
            self.send(PUBREL, &id).unwrap();
            assert_eq!(self.receive().unwrap(), (PUBCOMP, id.to_vec()));
        }
    }

    /// Publishes at QoS 1 to a topic of others; the answer comes in this time. Messages that come
    /// before it are left out.
    pub fn is_answered(&mut self, payload: &[u8], within: Duration) -> Result<()> {
        self.stream.set_read_timeout(Some(within))?;
        let id = [2, 1];
        self.send(PUBLISH | 2, &[&text("asks")[..], &id, payload].concat())?;
        while self.receive()? != (PUBACK, id.to_vec()) {}
        self.stream.set_read_timeout(Some(TIMEOUT))
    }

    /// The next message, acknowledged as its QoS wants.
    #[expect(clippy::should_implement_trait, reason = "it waits, and fails the test")]
    pub fn next(&mut self) -> ReceivedMessage {
        let (kind, body) = self.receive().unwrap();
        self.message(kind, &body)
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> ReceivedMessage {
        assert_eq!(kind & 0xf0, PUBLISH, "a message, not {kind:#x} {body:?}");
        let qos = kind >> 1 & 3;
        let end = 2 + usize::from(body[0]) * 256 + usize::from(body[1]);
        let topic = String::from_utf8(body[2..end].to_vec()).unwrap();
        let payload = &body[end..];
        let (id, payload) = payload.split_at(if qos == 0 { 0 } else { 2 });
        match qos {
            0 => {}
            1 => self.send(PUBACK, id).unwrap(),
            _ => {
                self.send(PUBREC, id).unwrap();
                assert_eq!(self.receive().unwrap(), (PUBREL, id.to_vec()));
                self.send(PUBCOMP, id).unwrap();
            }
        }
        ReceivedMessage { topic, payload: payload.to_vec(), qos, retained: kind & 1 != 0 }
    }

    fn send(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        self.stream.write_all(&packet(kind, body))
    }

    fn receive(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        let kind = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            self.stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((kind, body))
    }
}

/// A packet with this first byte.
pub fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut left = body.len();
    loop {
        let more = left >= 128;
        packet.push((left % 128) as u8 | if more { 128 } else { 0 });
        left /= 128;
        if !more {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// A text as packets have it.
pub fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}
