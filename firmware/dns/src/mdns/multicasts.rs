//! The records that wait to be multicast, each of them at most once a second.

use umqtt_net::{Duration, Instant};

use super::messages;
use super::record_set::{OwnRecord, RECORDS, RecordSet};
use super::zone::{Lifetime, Zone};
use crate::wire::Section;

/// The time between probes.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(250);
/// The time between announcements, and the shortest one between two multicasts of a record.
pub const MIN_MULTICAST_INTERVAL: Duration = Duration::from_secs(1);

/// A record that was not multicast yet; probes come before the first one.
const NEVER: Instant = Instant::ZERO;

/// What waits, and what was sent when.
#[derive(Clone, Debug)]
pub(super) struct Multicasts {
    /// What is to be multicast, not before `at`.
    pending: RecordSet,
    at: Instant,
    /// Of these what a probe asked for: it cannot wait a second.
    urgent: RecordSet,
    /// When each record was multicast last; [`NEVER`].
    sent_at: [Instant; RECORDS],
}

impl Multicasts {
    pub(super) const fn new() -> Multicasts {
        Multicasts {
            pending: RecordSet::EMPTY,
            at: Instant::ZERO,
            urgent: RecordSet::EMPTY,
            sent_at: [NEVER; RECORDS],
        }
    }

    /// Nothing waits any more.
    pub(super) const fn clear(&mut self) {
        (self.pending, self.urgent) = (RecordSet::EMPTY, RecordSet::EMPTY);
    }

    /// Nothing waits, and nothing was ever sent.
    pub(super) const fn forget(&mut self) {
        self.clear();
        self.sent_at = [NEVER; RECORDS];
    }

    /// Has records multicast; what waits already does not wait longer.
    pub(super) fn schedule(&mut self, records: RecordSet, at: Instant) {
        self.at = if self.pending.is_empty() { at } else { self.at.min(at) };
        self.pending.add(records);
    }

    /// A probe asked for records: they do not wait the second.
    pub(super) fn hasten(&mut self, records: RecordSet) {
        self.urgent.add(records);
    }

    /// Drops records that need not be sent.
    pub(super) fn remove(&mut self, records: RecordSet) {
        self.pending.remove(records);
    }

    /// When the next is due.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        (!self.pending.is_empty()).then_some(self.at)
    }

    /// Whether everybody may be expected to remember a record, RFC 6762 section 5.4.
    pub(super) fn was_sent_lately(&self, record: OwnRecord, now: Instant) -> bool {
        let quarter = Duration::from_secs(u64::from(Zone::ttl(record) / 4));
        let at = self.sent_at[record.index()];
        at != NEVER && now.saturating_duration_since(at) < quarter
    }

    /// What is due, as far as it fits; the rest follows at once. What was multicast less than a
    /// second ago follows after that.
    pub(super) fn write(&mut self, zone: &Zone, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if self.pending.is_empty() || self.at > now {
            return None;
        }
        let mut writer = messages::response(buf, 0)?;
        let mut sent = RecordSet::EMPTY;
        let mut again_at: Option<Instant> = None;
        for record in self.pending.iter() {
            let at = self.may_send_at(record);
            if at > now {
                again_at = Some(again_at.map_or(at, |other| other.min(at)));
                continue;
            }
            let written = zone.write(&mut writer, Section::Answer, record, Lifetime::Full);
            if written.is_ok() {
                sent.add(RecordSet::of(record));
            } else if writer.is_empty() {
                // It will never fit.
                self.pending.remove(RecordSet::of(record));
            } else {
                again_at = Some(now);
            }
        }
        let answers = sent;
        for record in zone.additional(answers).iter() {
            let fits = self.may_send_at(record) <= now
                && zone.write(&mut writer, Section::Additional, record, Lifetime::Full).is_ok();
            if fits {
                sent.add(RecordSet::of(record));
            }
        }
        for record in sent.iter() {
            self.sent_at[record.index()] = now;
        }
        self.pending.remove(sent);
        self.urgent.remove(sent);
        self.at = again_at.unwrap_or(now);
        let len = writer.finish();
        (!sent.is_empty()).then_some(len)
    }

    fn may_send_at(&self, record: OwnRecord) -> Instant {
        let urgent = self.urgent.contains(record);
        let interval = if urgent { PROBE_INTERVAL } else { MIN_MULTICAST_INTERVAL };
        match self.sent_at[record.index()] {
            NEVER => Instant::ZERO,
            at => at.saturating_add(interval),
        }
    }
}
