//! A broker made anew from its records, and the calls by which it is kept.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::mark::EntryMark;
use super::on::{Journal, JournalStep};
use super::record::{
    Batch, ENTRY, Entry, FILTER, MESSAGE, OFFLINE, Progress, RECEIVED, RETAINED, SESSION, Since,
    subscription_flags,
};
use core::ops::Bound;

use crate::connection::Phase;
use crate::inflight::Inflight;
use crate::message::Publication;
use crate::session::Session;
use crate::wire::QoS;
use crate::{Broker, Duration, Instant, Limits};

/// Records that make no sense: they are not what a broker has given to be written.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// A key or a value is none of a record.
    Record,
    /// A record belongs to a session that has none.
    NoSession,
    /// A message is queued of which there is no record.
    NoMessage,
    /// Two sessions have one client id, or two queued messages one packet id.
    Twice,
    /// The broker has clients, sessions or retained messages already.
    InUse,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RestoreError::Record => "a record makes no sense",
            RestoreError::NoSession => "a record's session is missing",
            RestoreError::NoMessage => "a queued message is missing",
            RestoreError::Twice => "two records exclude each other",
            RestoreError::InUse => "the broker is in use",
        })
    }
}

impl core::error::Error for RestoreError {}

/// What was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Stored sessions.
    pub sessions: usize,
    /// Their subscriptions.
    pub subscriptions: usize,
    /// Messages that wait for them, each counted once for each queue it waits in.
    pub queued: usize,
    /// Retained messages.
    pub retained: usize,
}

/// Collects the records, in any order, for [`Broker::restore`].
#[derive(Debug, Default)]
pub struct Restore {
    messages: BTreeMap<u64, Publication>,
    sessions: BTreeMap<u64, Stored>,
    retained: Vec<(Publication, QoS)>,
    last_number: u64,
}

/// What belongs to a session.
#[derive(Debug, Default)]
struct Stored {
    client_id: Option<String>,
    filters: Vec<(Vec<u8>, QoS, bool)>,
    entries: Vec<(u64, Entry)>,
    received: Vec<u16>,
    offline: Option<Since>,
}

impl Restore {
    /// No records yet.
    pub fn new() -> Restore {
        Restore::default()
    }

    /// Takes a record.
    ///
    /// # Errors
    /// [`RestoreError::Record`] if it is none.
    pub fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        self.take(key, value).ok_or(RestoreError::Record)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (kind, rest) = key.split_first()?;
        if *kind == RETAINED {
            let (qos, payload) = value.split_first()?;
            umqtt_topic::check_name(rest).ok()?;
            if payload.is_empty() {
                return None;
            }
            self.retained.push((Publication::new(rest, payload)?, QoS::from_u8(*qos)?));
            return Some(());
        }
        let (number, rest) = rest.split_first_chunk()?;
        let number = self.number(u64::from_be_bytes(*number));
        if *kind == MESSAGE {
            let (len, body) = value.split_first_chunk()?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (topic, payload) = body.split_at_checked(len)?;
            umqtt_topic::check_name(topic).ok()?;
            self.messages.insert(number, Publication::new(topic, payload)?);
            return rest.is_empty().then_some(());
        }
        let session = self.sessions.entry(number).or_default();
        match (*kind, value) {
            (SESSION, id) if rest.is_empty() => {
                session.client_id = Some(String::from_utf8(id.to_vec()).ok()?);
            }
            (FILTER, [flags]) if *flags < 8 => {
                umqtt_topic::check_filter(rest).ok()?;
                umqtt_topic::split_shared(rest).ok()?;
                session.filters.push((rest.to_vec(), QoS::from_u8(flags & 3)?, flags & 4 != 0));
            }
            (ENTRY, entry) => {
                let (place, []) = rest.split_first_chunk()? else { return None };
                let (place, entry) = (u64::from_be_bytes(*place), Entry::parse(entry)?);
                session.entries.push((place, entry));
                self.number(place);
                self.number(entry.order);
            }
            (RECEIVED, []) => {
                let (packet_id, []) = rest.split_first_chunk()? else { return None };
                session.received.push(u16::from_be_bytes(*packet_id));
            }
            (OFFLINE, since) if rest.is_empty() => session.offline = Some(Since::parse(since)?),
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self, number: u64) -> u64 {
        self.last_number = self.last_number.max(number);
        number
    }
}

impl Broker {
    /// Keeps a journal from now on. What is there already is not in it: call it on a new broker.
    pub fn start_journal(&mut self) {
        self.journal = Journal::started();
    }

    /// Sets the wall clock, in ms of Unix time, when the broker's time is `now`: so that stored
    /// sessions go on ageing while nothing runs. Before [`restore`](Self::restore), and again now
    /// and then as clocks are set; without it only the time counts for which the broker has run.
    pub fn set_unix_time(&mut self, unix: u64, now: Instant) {
        self.journal.set_unix_time(unix, now);
    }

    /// Puts back what the records say. A session whose client was offline goes on ageing, others do
    /// from `now` on. What was acknowledged stays acknowledged: the limits are not asked.
    ///
    /// # Errors
    /// [`RestoreError`]; the broker may hold a part of it then, and is to be thrown away.
    pub fn restore(&mut self, records: Restore, now: Instant) -> Result<Restored, RestoreError> {
        if self.sessions.len() > 0 || self.retained.len() > 0 || self.clients_len() > 0 {
            return Err(RestoreError::InUse);
        }
        let Restore { messages, sessions, retained, last_number } = records;
        self.journal.skip_numbers(last_number);
        let mut messages: BTreeMap<u64, (Publication, u32)> = messages
            .into_iter()
            .map(|(number, message)| {
                let (topic, payload) = (message.topic(), message.payload());
                let counted = Publication::counted(topic, payload, &self.store);
                (number, (counted.unwrap_or_else(|| message.clone()), 0))
            })
            .collect();
        let mut restored = Restored { retained: retained.len(), ..Restored::default() };
        let offline = || sessions.values().filter_map(|stored| stored.offline);
        let uptime = offline().map(|since| since.uptime).max().unwrap_or_default();
        let at = self.journal.go_on_from(uptime, now);
        let age = |stored: &Stored| {
            stored.offline.zip(at).map_or(Duration::ZERO, |(since, at)| since.age(&at))
        };
        let mut sessions: Vec<(u64, Stored)> = sessions.into_iter().collect();
        // Whose client has been offline for longest comes first, as it makes room first.
        sessions.sort_by_key(|(_, stored)| core::cmp::Reverse(age(stored)));
        for (number, stored) in sessions {
            let (age, offline) = (age(&stored), stored.offline);
            let client_id = stored.client_id.as_deref().ok_or(RestoreError::NoSession)?;
            let Err(place) = self.find_name(client_id) else {
                return Err(RestoreError::Twice);
            };
            restored.sessions += 1;
            restored.subscriptions += stored.filters.len();
            restored.queued += stored.entries.len();
            let log = self.journal.known_session(number);
            let key = self.add_session(client_id, place, log, false);
            for (filter, qos, bridge) in &stored.filters {
                let (node, new) = self.subscriptions.subscribe(key, filter, *qos);
                if *bridge {
                    self.subscriptions.mark_bridge(key, node);
                }
                if let Some(session) = self.sessions.get_mut(key).filter(|_| new) {
                    session.subscriptions.push(node);
                }
            }
            let session = self.sessions.get_mut(key).ok_or(RestoreError::NoSession)?;
            put_back(session, stored, &mut messages)?;
            self.recount_session(key);
            self.offline.add(key, &mut self.sessions);
            if let Some(session) = self.sessions.get(key) {
                match offline {
                    Some(since) => session.log.restore_offline(since),
                    None => session.log.offline(now),
                }
            }
            let expiry = self.limits().session_expiry;
            if expiry < Duration::MAX {
                self.set_expiry(key, Some(now.saturating_add(expiry.saturating_sub(age))));
            }
        }
        for (number, (message, entries)) in messages {
            message.mark().restore(number, entries);
            if entries == 0 {
                self.journal.drop_message(number);
            }
        }
        let limits =
            Limits { max_retained: usize::MAX, max_retained_bytes: usize::MAX, ..*self.limits() };
        for (message, qos) in retained {
            let (topic, payload) = (message.topic(), message.payload());
            let message = Publication::counted(topic, payload, &self.store).unwrap_or(message);
            let _ = self.retained.set(message, qos, &limits); // there is no limit
        }
        Ok(restored)
    }

    /// What has changed and is to be written before the acknowledgements of it leave; `None` while
    /// the last one is being written, or if there is nothing. Ask after every call, before
    /// [`poll_writable`](Self::poll_writable), and say
    /// [`journal_committed`](Self::journal_committed) once it is written. Should that fail, write
    /// the same batch again: until then those who wait for an acknowledgement go on waiting, and
    /// what needs none goes on.
    pub fn poll_journal(&mut self) -> Option<Batch> {
        match self.journal.next() {
            JournalStep::Nothing => None,
            JournalStep::Release => {
                self.seal();
                self.release_committed();
                None
            }
            JournalStep::Batch(batch) => {
                self.seal();
                Some(batch)
            }
        }
    }

    /// The batch that [`poll_journal`](Self::poll_journal) gave is written, and will outlive
    /// whatever happens now.
    pub fn journal_committed(&mut self) {
        self.journal.written();
        self.release_committed();
    }

    /// All records there are once nothing waits to be written.
    pub fn journal_records(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut records = BTreeMap::new();
        for (key_of, session) in self.sessions.iter().filter(|(_, s)| s.log.is_on()) {
            let number = session.log.number().to_be_bytes();
            let key = |kind: u8, rest: &[u8]| [&[kind], &number[..], rest].concat();
            records.insert(key(SESSION, &[]), session.client_id.as_bytes().to_vec());
            if let Some(since) = session.log.offline_since() {
                records.insert(key(OFFLINE, &[]), since.emit().to_vec());
            }
            for node in &session.subscriptions {
                let filter = self.subscriptions.filter(*node);
                let qos = self.subscriptions.granted(key_of, *node).unwrap_or_default();
                let flags = subscription_flags(qos, self.subscriptions.is_bridge(key_of, *node));
                records.insert(key(FILTER, &filter), Vec::from([flags]));
            }
            let Some(inflight) = session.inflight_ref() else { continue };
            inflight.each_queued(|mark, publication, (qos, retain), packet_id| {
                // Released ones come in their order.
                let order = if publication.is_some() { 0 } else { records.len() as u64 };
                let message = publication.map_or(0, |publication| publication.mark().number());
                let progress = match (publication, packet_id) {
                    (None, _) => Progress::Released,
                    (Some(_), 0) => Progress::Waiting,
                    (Some(_), _) => Progress::Sent,
                };
                let entry = Entry { progress, qos, retain, packet_id, message, order };
                records.insert(key(ENTRY, &mark.place().to_be_bytes()), entry.emit().to_vec());
                if let Some(publication) = publication {
                    let message = [&[MESSAGE], &message.to_be_bytes()[..]].concat();
                    records.insert(message, publication.body().to_vec());
                }
            });
            for packet_id in inflight.unreleased() {
                records.insert(key(RECEIVED, &packet_id.to_be_bytes()), Vec::new());
            }
        }
        for (message, qos) in self.retained.all(Bound::Unbounded) {
            let value = [&[qos as u8], message.payload()].concat();
            records.insert([&[RETAINED], message.topic()].concat(), value);
        }
        records
    }

    /// Whether anything waits for a commit, or to be written.
    pub fn journal_is_idle(&self) -> bool {
        self.journal.is_idle()
    }

    fn seal(&mut self) {
        for slot in self.journal.gated() {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.outbox.gate().seal();
            }
        }
    }

    fn release_committed(&mut self) {
        for slot in self.journal.take_gated() {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let blocked = connection.outbox.is_blocked();
            connection.outbox.unseal();
            connection.announced &= !blocked; // there was nothing to send yet
            let over = connection.phase == Phase::Closing && connection.outbox.is_done();
            self.journal.note_gate(slot, connection.outbox.gate());
            if over {
                self.close(slot);
            } else {
                self.announce(slot);
            }
        }
    }
}

/// The queue of a session, in its order.
fn put_back(
    session: &mut Session,
    mut stored: Stored,
    messages: &mut BTreeMap<u64, (Publication, u32)>,
) -> Result<(), RestoreError> {
    if stored.entries.is_empty() && stored.received.is_empty() {
        return Ok(());
    }
    // Released ones first, in their order; then by the place, which grows.
    stored.entries.sort_by_key(|(place, entry)| match entry.progress {
        Progress::Released => (0, entry.order),
        Progress::Sent => (1, *place),
        Progress::Waiting => (2, *place),
    });
    let mut ids: Vec<u16> = stored.entries.iter().map(|(_, entry)| entry.packet_id).collect();
    ids.retain(|id| *id != 0);
    let in_flight = ids.len();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < in_flight {
        return Err(RestoreError::Twice);
    }
    let inflight: &mut Inflight = session.inflight();
    for (place, entry) in stored.entries {
        let mark = EntryMark::restored(place);
        let Entry { progress, qos, retain, packet_id, .. } = entry;
        if (progress == Progress::Waiting) != (packet_id == 0) {
            return Err(RestoreError::Record);
        }
        let message = match progress {
            Progress::Released => None,
            _ => {
                let message = messages.get_mut(&entry.message).ok_or(RestoreError::NoMessage)?;
                message.1 += 1;
                Some(message.0.clone())
            }
        };
        inflight.put_back(message, qos, retain, packet_id, mark);
    }
    stored.received.sort_unstable();
    inflight.put_back_received(stored.received);
    Ok(())
}
