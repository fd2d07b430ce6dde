//! The two ends of the messages: publishers, which keep a window, and subscribers, which check what
//! arrives.

use std::io;

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{Ack, PacketType, Publish, emit_ack};

use crate::latency::Latency;
use crate::link::{Link, Packet, accepted, granted, malformed};
use crate::plan::Plan;
use crate::stamp::{STAMP, Stamp};

/// What both ends need to know.
pub(crate) struct Common {
    pub(crate) qos: QoS,
    /// The topics, by number.
    pub(crate) topics: Vec<String>,
    pub(crate) filler: Vec<u8>,
    /// Messages published of each stream.
    pub(crate) published: Vec<u32>,
}

/// How far the transfer under a packet id is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Free,
    /// Published: PUBACK or PUBREC is to come.
    Published,
    /// Released: PUBCOMP is to come.
    Released,
}

/// A client that publishes.
pub(crate) struct Publisher {
    pub(crate) link: Link,
    /// It is connected.
    pub(crate) ready: bool,
    /// Its streams, and the packet for each, to be stamped.
    streams: Vec<(u32, Vec<u8>)>,
    turn: usize,
    /// Packet ids that can be used, at QoS 1 and 2.
    free: Vec<u16>,
    transfers: Vec<Transfer>,
}

impl Publisher {
    pub(crate) fn new(number: usize, plan: &Plan, common: &Common, link: Link) -> Publisher {
        let payload = [&[0; STAMP][..], &common.filler].concat();
        let packet = |stream: usize| {
            let mut packet = Vec::new();
            let topic = common.topics[stream % plan.topics].as_bytes();
            let qos = plan.qos;
            let publish =
                Publish { topic, payload: &payload, qos, retain: false, dup: false, packet_id: 1 };
            publish.emit(&mut packet); // the arguments keep it below the bounds
            (stream as u32, packet)
        };
        let window = if plan.qos == QoS::AtMostOnce { 0 } else { plan.window };
        Publisher {
            link,
            ready: false,
            streams: (number..plan.streams()).step_by(plan.publishers).map(packet).collect(),
            turn: 0,
            free: (1..=window).rev().collect(),
            transfers: vec![Transfer::Free; usize::from(window) + 1],
        }
    }

    /// Bytes of one message.
    pub(crate) fn packet_len(&self) -> usize {
        self.streams.iter().map(|(_, packet)| packet.len()).max().unwrap_or(1)
    }

    /// Makes a message, if the window lets it; the topic's number, and its stream's.
    pub(crate) fn publish(&mut self, common: &mut Common, sent: u64) -> Option<u32> {
        let id = match common.qos {
            QoS::AtMostOnce => None,
            _ => Some(self.free.pop()?),
        };
        self.turn = if self.turn + 1 < self.streams.len() { self.turn + 1 } else { 0 };
        let (stream, packet) = &self.streams[self.turn];
        let number = &mut common.published[*stream as usize];
        let start = self.link.out.len();
        self.link.out.extend_from_slice(packet);
        let packet = &mut self.link.out[start..];
        let at = packet.len() - common.filler.len() - STAMP;
        Stamp { stream: *stream, number: *number, sent }.put(&mut packet[at..]);
        if let Some(id) = id {
            packet[at - 2..at].copy_from_slice(&id.to_be_bytes());
            self.transfers[usize::from(id)] = Transfer::Published;
        }
        *number = number.wrapping_add(1);
        Some(*stream)
    }

    /// All it published is acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.free.len() + 1 == self.transfers.len() && self.link.is_flushed()
    }

    /// Reads and answers.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, common: &Common) -> io::Result<()> {
        let Publisher { link, ready, free, transfers, .. } = self;
        link.read(buffer, |out, packet| {
            if packet.header.kind == PacketType::Connack {
                *ready = true;
                return accepted(&packet);
            }
            let id = Ack::parse(packet.body).map_err(malformed)?.packet_id;
            let transfer =
                transfers.get_mut(usize::from(id)).ok_or_else(|| out_of_place(&packet))?;
            *transfer = match (packet.header.kind, *transfer, common.qos) {
                (PacketType::Puback, Transfer::Published, QoS::AtLeastOnce)
                | (PacketType::Pubcomp, Transfer::Released, QoS::ExactlyOnce) => {
                    free.push(id);
                    Transfer::Free
                }
                (PacketType::Pubrec, Transfer::Published, QoS::ExactlyOnce) => {
                    out.extend_from_slice(&emit_ack(PacketType::Pubrel, id));
                    Transfer::Released
                }
                _ => return Err(out_of_place(&packet)),
            };
            Ok(())
        })
    }
}

/// What subscribers counted.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) deliveries: u64,
    /// Messages that came again or out of their order.
    pub(crate) duplicates: u64,
    /// Messages whose payload, topic or quality of service is not what was published.
    pub(crate) wrong: u64,
    pub(crate) latency: Latency,
}

/// A client that subscribes.
pub(crate) struct Subscriber {
    pub(crate) link: Link,
    /// Its subscription is granted.
    pub(crate) ready: bool,
    /// Messages published for it.
    pub(crate) due: u64,
    /// Messages it received.
    pub(crate) got: u64,
    /// The topics it gets.
    wanted: Vec<bool>,
    /// The number that comes next, of each stream.
    expected: Vec<u32>,
    /// Numbers that were passed over.
    missing: u64,
}

impl Subscriber {
    pub(crate) fn new(plan: &Plan, wanted: Vec<bool>, link: Link) -> Subscriber {
        let expected = vec![0; plan.streams()];
        Subscriber { link, ready: false, due: 0, got: 0, wanted, expected, missing: 0 }
    }

    /// Whether messages of a stream are for it.
    pub(crate) fn wants(&self, stream: u32) -> bool {
        self.wanted[stream as usize % self.wanted.len()]
    }

    /// Messages that have not arrived: passed over, or not there at the end.
    pub(crate) fn lost(&self, published: &[u32]) -> u64 {
        let tails = self.expected.iter().zip(published).enumerate();
        let tails = tails.filter(|(stream, _)| self.wants(*stream as u32));
        self.missing + tails.map(|(_, (next, all))| u64::from(all.wrapping_sub(*next))).sum::<u64>()
    }

    /// Reads, checks and acknowledges. `now` tells the nanoseconds of the run, if the times are
    /// wanted.
    pub(crate) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        common: &Common,
        tally: &mut Tally,
        now: Option<&dyn Fn() -> u64>,
    ) -> io::Result<()> {
        let Subscriber { link, ready, got, wanted, expected, missing, .. } = self;
        link.read(buffer, |out, packet| {
            match packet.header.kind {
                PacketType::Connack => return accepted(&packet),
                PacketType::Suback => {
                    *ready = true;
                    return granted(&packet, common.qos);
                }
                PacketType::Pubrel if common.qos == QoS::ExactlyOnce => {
                    let id = Ack::parse(packet.body).map_err(malformed)?.packet_id;
                    out.extend_from_slice(&emit_ack(PacketType::Pubcomp, id));
                    return Ok(());
                }
                PacketType::Publish => {}
                _ => return Err(out_of_place(&packet)),
            }
            let publish = Publish::parse(&packet.header, packet.body).map_err(malformed)?;
            match publish.qos {
                QoS::AtMostOnce => {}
                QoS::AtLeastOnce => {
                    out.extend_from_slice(&emit_ack(PacketType::Puback, publish.packet_id));
                }
                QoS::ExactlyOnce => {
                    out.extend_from_slice(&emit_ack(PacketType::Pubrec, publish.packet_id));
                }
            }
            *got += 1;
            tally.deliveries += 1;
            let stamp = Stamp::take(publish.payload, &common.filler).filter(|stamp| {
                let topic = stamp.stream as usize % common.topics.len();
                (stamp.stream as usize) < expected.len()
                    && wanted[topic]
                    && common.topics[topic].as_bytes() == publish.topic
                    && common.qos == publish.qos
            });
            let Some(stamp) = stamp else {
                tally.wrong += 1;
                return Ok(());
            };
            let next = &mut expected[stamp.stream as usize];
            if stamp.number < *next {
                tally.duplicates += 1;
            } else {
                *missing += u64::from(stamp.number - *next);
                *next = stamp.number + 1;
            }
            if let Some(now) = now {
                tally.latency.add(now().saturating_sub(stamp.sent));
            }
            Ok(())
        })
    }
}

fn out_of_place(packet: &Packet<'_>) -> io::Error {
    io::Error::other(format!("the broker sent a {:?} that answers nothing", packet.header.kind))
}
