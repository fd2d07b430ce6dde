//! The changes that wait to be written.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::mark::{At, EntryMark, EntryRecord};
use super::record::{
    Batch, ENTRY, Entry, FILTER, MESSAGE, OFFLINE, RECEIVED, RETAINED, SESSION, Since,
};
use crate::message::Publication;
use crate::wire::QoS;
use crate::{Duration, Instant};

/// Bytes of changes that may wait to be written. With more of them clients that want something kept
/// are refused.
pub(super) const MAX_PENDING: usize = 64 * 1024 * 1024;
/// What a change counts besides the bytes of its message.
pub(super) const CHANGE: usize = 64;

/// What has changed and is not written yet.
#[derive(Debug)]
pub(super) struct Log {
    /// Batches begun. What was put in this one can be taken back.
    pub(super) epoch: u32,
    /// Messages and queue entries: each has a number that is never used again, so their order does
    /// not matter.
    pub(super) numbered: Vec<Numbered>,
    /// Free places in `numbered`.
    pub(super) free: Vec<u32>,
    /// Changes whose order matters.
    pub(super) ordered: Vec<Ordered>,
    /// All retained messages were forgotten, before the changes in `retained`.
    pub(super) retained_cleared: bool,
    /// The retained messages that have changed, by topic.
    pub(super) retained: BTreeMap<Box<[u8]>, Option<(Publication, QoS)>>,
    /// Bytes of all these.
    pub(super) bytes: usize,
    pub(super) last_number: u64,
    /// Moves with every change.
    pub(super) position: u64,
    pub(super) packet_began: u64,
    /// A batch is being written.
    pub(super) writing: bool,
    /// The journal's time when the broker's was 0.
    pub(super) uptime_before: Duration,
    /// Unix time in ms when the broker's time was 0, if that is known.
    pub(super) unix_start: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Numbered {
    Free,
    Message { number: u64, publication: Publication },
    MessageGone { number: u64 },
    Entry { session: u64, place: u64, entry: Entry },
    EntryGone { session: u64, place: u64 },
}

#[derive(Debug)]
pub(super) enum Ordered {
    Session { session: u64, client_id: Box<[u8]> },
    SessionGone { session: u64 },
    Filter { session: u64, filter: Box<[u8]>, flags: u8 },
    FilterGone { session: u64, filter: Box<[u8]> },
    Offline { session: u64, since: Since },
    Back { session: u64 },
    Received { session: u64, packet_id: u16 },
    ReceivedGone { session: u64, packet_id: u16 },
}

impl Log {
    pub(super) fn new() -> Log {
        Log {
            epoch: 1,
            numbered: Vec::new(),
            free: Vec::new(),
            ordered: Vec::new(),
            retained_cleared: false,
            retained: BTreeMap::new(),
            bytes: 0,
            last_number: 0,
            position: 0,
            packet_began: 0,
            writing: false,
            uptime_before: Duration::ZERO,
            unix_start: None,
        }
    }

    /// The broker's time, as the records have it.
    pub(super) fn since(&self, now: Instant) -> Since {
        Since {
            uptime: self.uptime_before + now.saturating_duration_since(Instant::ZERO),
            unix: self.unix_start.map_or(0, |start| start.saturating_add(now.as_millis())),
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn put(&mut self, change: Numbered) -> At {
        self.position += 1;
        self.bytes += change.cost();
        let place = self.free.pop().unwrap_or(self.numbered.len() as u32);
        match self.numbered.get_mut(place as usize) {
            Some(free) => *free = change,
            None => self.numbered.push(change),
        }
        At { epoch: self.epoch, place }
    }

    /// Takes back what was put in this batch; false if that batch was taken.
    pub(super) fn take_back(&mut self, at: At) -> bool {
        if at.epoch != self.epoch {
            return false;
        }
        if let Some(change) = self.numbered.get_mut(at.place as usize) {
            self.bytes -= change.cost();
            *change = Numbered::Free;
            self.free.push(at.place);
        }
        true
    }

    pub(super) fn order(&mut self, change: Ordered) {
        self.position += 1;
        self.bytes += change.cost();
        self.ordered.push(change);
    }

    /// One more queue entry of a message; the message's number.
    pub(super) fn name(&mut self, publication: &Publication) -> u64 {
        let mark = publication.mark();
        let mut record = mark.get();
        if record.entries == 0 {
            record.number = self.next_number();
            let number = record.number;
            record.at = self.put(Numbered::Message { number, publication: publication.clone() });
        }
        record.entries += 1;
        mark.set(Some(record));
        record.number
    }

    /// One queue entry less.
    pub(super) fn unname(&mut self, publication: &Publication) {
        let mark = publication.mark();
        let mut record = mark.get();
        record.entries = record.entries.saturating_sub(1);
        mark.set((record.entries > 0).then_some(record));
        if record.entries == 0 && !self.take_back(record.at) {
            self.put(Numbered::MessageGone { number: record.number });
        }
    }

    pub(super) fn put_entry(
        &mut self,
        session: u64,
        mut mark: EntryMark,
        entry: Entry,
    ) -> EntryMark {
        let old = mark.get();
        self.take_back(old.at);
        let (place, first_epoch) = match old.place {
            0 => (self.next_number(), self.epoch),
            place => (place, old.first_epoch),
        };
        let at = self.put(Numbered::Entry { session, place, entry });
        mark.set(EntryRecord { place, at, first_epoch });
        mark
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbered.len() == self.free.len()
            && self.ordered.is_empty()
            && self.retained.is_empty()
            && !self.retained_cleared
    }

    pub(super) fn take_batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        for change in self.numbered.drain(..) {
            change.emit(&mut batch);
        }
        for change in self.ordered.drain(..) {
            change.emit(&mut batch);
        }
        if core::mem::take(&mut self.retained_cleared) {
            batch.delete_prefix(&[&[RETAINED]]);
        }
        for (topic, message) in core::mem::take(&mut self.retained) {
            match message {
                Some((message, qos)) => {
                    batch.put(&[&[RETAINED], &topic], &[&[qos as u8], message.payload()]);
                }
                None => batch.delete(&[&[RETAINED], &topic]),
            }
        }
        self.free.clear();
        self.numbered.shrink_to(1024);
        self.free.shrink_to(1024);
        self.ordered.shrink_to(1024);
        self.bytes = 0;
        self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        batch
    }
}

impl Numbered {
    fn cost(&self) -> usize {
        match self {
            Numbered::Message { publication, .. } => CHANGE + publication.packet().len(),
            _ => CHANGE,
        }
    }

    fn emit(self, batch: &mut Batch) {
        match self {
            Numbered::Free => {}
            Numbered::Message { number, publication } => {
                batch.put(&[&[MESSAGE], &number.to_be_bytes()], &[publication.body()]);
            }
            Numbered::MessageGone { number } => batch.delete(&[&[MESSAGE], &number.to_be_bytes()]),
            Numbered::Entry { session, place, entry } => {
                let key = [&[ENTRY][..], &session.to_be_bytes(), &place.to_be_bytes()];
                batch.put(&key, &[&entry.emit()]);
            }
            Numbered::EntryGone { session, place } => {
                batch.delete(&[&[ENTRY], &session.to_be_bytes(), &place.to_be_bytes()]);
            }
        }
    }
}

impl Ordered {
    fn cost(&self) -> usize {
        match self {
            Ordered::Session { client_id: text, .. }
            | Ordered::Filter { filter: text, .. }
            | Ordered::FilterGone { filter: text, .. } => CHANGE + text.len(),
            _ => CHANGE,
        }
    }

    fn emit(self, batch: &mut Batch) {
        match self {
            Ordered::Session { session, client_id } => {
                batch.put(&[&[SESSION], &session.to_be_bytes()], &[&client_id]);
            }
            Ordered::SessionGone { session } => {
                for kind in [SESSION, FILTER, ENTRY, RECEIVED, OFFLINE] {
                    batch.delete_prefix(&[&[kind], &session.to_be_bytes()]);
                }
            }
            Ordered::Filter { session, filter, flags } => {
                batch.put(&[&[FILTER], &session.to_be_bytes(), &filter], &[&[flags]]);
            }
            Ordered::FilterGone { session, filter } => {
                batch.delete(&[&[FILTER], &session.to_be_bytes(), &filter]);
            }
            Ordered::Offline { session, since } => {
                batch.put(&[&[OFFLINE], &session.to_be_bytes()], &[&since.emit()]);
            }
            Ordered::Back { session } => batch.delete(&[&[OFFLINE], &session.to_be_bytes()]),
            Ordered::Received { session, packet_id } => {
                let key = [&[RECEIVED][..], &session.to_be_bytes(), &packet_id.to_be_bytes()];
                batch.put(&key, &[]);
            }
            Ordered::ReceivedGone { session, packet_id } => {
                let key = [&[RECEIVED][..], &session.to_be_bytes(), &packet_id.to_be_bytes()];
                batch.delete(&key);
            }
        }
    }
}

impl Log {
    /// What is there already may not be written yet.
    pub(super) fn touch(&mut self) {
        if self.writing || !self.is_empty() {
            self.position += 1;
        }
    }
}

pub(super) fn cost_retained(message: Option<&(Publication, QoS)>) -> usize {
    CHANGE + message.map_or(0, |(message, _)| message.packet().len())
}
