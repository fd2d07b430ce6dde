//! The records: what their keys and values are made of.
//!
//! | key | value |
//! |---|---|
//! | `M`, message | length of the topic, topic, payload |
//! | `S`, session | client id |
//! | `F`, session, filter | quality of service granted, and 4 more for a bridge |
//! | `Q`, session, place | flags, packet id, message, order: a message that waits or is in flight |
//! | `U`, session, packet id | nothing: a message of QoS 2 was received and is not released |
//! | `A`, session | since when its client is offline: the journal's time, and Unix time or 0, in ms |
//! | `R`, topic | quality of service, payload: a retained message |
//!
//! Messages, sessions, places and orders are numbers of 8 bytes that only grow; all numbers are
//! big-endian, so that the records lie in their order.

use alloc::vec::Vec;

use crate::Duration;
use crate::wire::QoS;

pub(super) const MESSAGE: u8 = b'M';
pub(super) const SESSION: u8 = b'S';
pub(super) const FILTER: u8 = b'F';
pub(super) const ENTRY: u8 = b'Q';
pub(super) const RECEIVED: u8 = b'U';
pub(super) const RETAINED: u8 = b'R';
pub(super) const OFFLINE: u8 = b'A';

/// The value of a subscription.
pub(super) fn subscription_flags(qos: QoS, bridge: bool) -> u8 {
    qos as u8 | u8::from(bridge) << 2
}

/// How far a queued message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has no packet id yet.
    Waiting,
    /// Sent, perhaps, until PUBACK or PUBREC.
    Sent,
    /// PUBREC came, until PUBCOMP.
    Released,
}

/// The value of a queued message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) progress: Progress,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) packet_id: u16,
    /// 0 once it is released.
    pub(super) message: u64,
    /// Released ones stay in the order of this.
    pub(super) order: u64,
}

impl Entry {
    pub(super) fn emit(&self) -> [u8; 19] {
        let mut bytes = [0; 19];
        bytes[0] = self.qos as u8 | u8::from(self.retain) << 2 | (self.progress as u8) << 3;
        bytes[1..3].copy_from_slice(&self.packet_id.to_be_bytes());
        bytes[3..11].copy_from_slice(&self.message.to_be_bytes());
        bytes[11..].copy_from_slice(&self.order.to_be_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Entry> {
        let (flags, rest) = bytes.split_first()?;
        let (packet_id, rest) = rest.split_first_chunk()?;
        let (message, rest) = rest.split_first_chunk()?;
        let (order, []) = rest.split_first_chunk()? else { return None };
        let progress = match flags >> 3 {
            0 => Progress::Waiting,
            1 => Progress::Sent,
            2 => Progress::Released,
            _ => return None,
        };
        Some(Entry {
            progress,
            qos: QoS::from_u8(flags & 3).filter(|qos| *qos > QoS::AtMostOnce)?,
            retain: flags & 4 != 0,
            packet_id: u16::from_be_bytes(*packet_id),
            message: u64::from_be_bytes(*message),
            order: u64::from_be_bytes(*order),
        })
    }
}

/// Since when a session's client is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since {
    /// The journal's time: that for which brokers with this journal have run, as far as its records
    /// show it.
    pub(super) uptime: Duration,
    /// Unix time in ms; 0 if it was not known.
    pub(super) unix: u64,
}

impl Since {
    pub(super) fn emit(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.uptime.as_millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.unix.to_be_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Since> {
        let (uptime, rest) = bytes.split_first_chunk()?;
        let (unix, []) = rest.split_first_chunk()? else { return None };
        Some(Since {
            uptime: Duration::from_millis(u64::from_be_bytes(*uptime)),
            unix: u64::from_be_bytes(*unix),
        })
    }

    /// How long ago that was. The clock counts, which goes on while nothing runs; unless it was not
    /// known, or was set back behind that moment.
    pub(super) fn age(&self, now: &Since) -> Duration {
        match now.unix.checked_sub(self.unix) {
            Some(age) if self.unix > 0 => Duration::from_millis(age),
            _ => now.uptime.saturating_sub(self.uptime),
        }
    }
}

/// One change of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'b> {
    /// Writes a record in the place of the one with this key, if there is one.
    Put {
        /// Its key.
        key: &'b [u8],
        /// Its value.
        value: &'b [u8],
    },
    /// Deletes a record, which may not be there.
    Delete {
        /// Its key.
        key: &'b [u8],
    },
    /// Deletes all records whose keys begin like this.
    DeletePrefix {
        /// How they begin.
        prefix: &'b [u8],
    },
}

/// Changes to be made in their order, all of them or none. It can go to another thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    changes: Vec<Span>,
}

/// Where a change ends in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    kind: Kind,
    key: usize,
    value: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Put,
    Delete,
    DeletePrefix,
}

impl Batch {
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes, in order.
    pub fn iter(&self) -> impl Iterator<Item = Change<'_>> {
        let mut start = 0;
        self.changes.iter().filter_map(move |span| {
            let key = self.bytes.get(start..span.key)?;
            let value = self.bytes.get(span.key..span.value)?;
            start = span.value;
            Some(match span.kind {
                Kind::Put => Change::Put { key, value },
                Kind::Delete => Change::Delete { key },
                Kind::DeletePrefix => Change::DeletePrefix { prefix: key },
            })
        })
    }

    pub(super) fn put(&mut self, key: &[&[u8]], value: &[&[u8]]) {
        self.add(Kind::Put, key, value);
    }

    pub(super) fn delete(&mut self, key: &[&[u8]]) {
        self.add(Kind::Delete, key, &[]);
    }

    pub(super) fn delete_prefix(&mut self, key: &[&[u8]]) {
        self.add(Kind::DeletePrefix, key, &[]);
    }

    fn add(&mut self, kind: Kind, key: &[&[u8]], value: &[&[u8]]) {
        key.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let key = self.bytes.len();
        value.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.changes.push(Span { kind, key, value: self.bytes.len() });
    }
}
