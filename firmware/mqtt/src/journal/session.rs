//! The journal as one session sees it.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

use super::log::{Log, Numbered, Ordered};
use super::mark::EntryMark;
use super::record::{Entry, Progress, Since, subscription_flags};
use crate::Instant;
use crate::message::Publication;
use crate::wire::QoS;

/// The journal as one stored session uses it; of no use for others.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionLog(Option<Rc<SessionRecords>>);

#[derive(Debug)]
struct SessionRecords {
    log: Rc<RefCell<Log>>,
    session: u64,
    /// Since when its client is offline, if it is and there is a record of it.
    offline: Cell<Option<Since>>,
}

impl SessionLog {
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The session's number in the records.
    pub(super) fn number(&self) -> u64 {
        self.0.as_ref().map_or(0, |records| records.session)
    }

    pub(super) fn new(log: &Rc<RefCell<Log>>, session: u64) -> SessionLog {
        SessionLog(Some(Rc::new(SessionRecords {
            log: log.clone(),
            session,
            offline: Cell::new(None),
        })))
    }

    fn with(&self, act: impl FnOnce(&mut Log, u64)) {
        if let Some(records) = &self.0 {
            act(&mut records.log.borrow_mut(), records.session);
        }
    }

    /// Its client is offline from now on.
    pub(crate) fn offline(&self, now: Instant) {
        let Some(records) = &self.0 else { return };
        let mut log = records.log.borrow_mut();
        let since = log.since(now);
        records.offline.set(Some(since));
        log.order(Ordered::Offline { session: records.session, since });
    }

    /// Its client is back. No answer waits until that is written.
    pub(crate) fn back(&self) {
        let Some(records) = &self.0 else { return };
        if records.offline.take().is_some() {
            records.log.borrow_mut().order(Ordered::Back { session: records.session });
        }
    }

    /// What the records say of its client's being offline.
    pub(super) fn offline_since(&self) -> Option<Since> {
        self.0.as_ref()?.offline.get()
    }

    /// The records say that it is.
    pub(super) fn restore_offline(&self, since: Since) {
        if let Some(records) = &self.0 {
            records.offline.set(Some(since));
        }
    }

    /// The session is over; its queue entries were [`abandoned`](Self::abandoned).
    pub(crate) fn gone(&self) {
        self.with(|log, session| log.order(Ordered::SessionGone { session }));
    }

    /// `bridge`: what it gets says whether it is to be retained.
    pub(crate) fn subscribed(&self, filter: &[u8], qos: QoS, bridge: bool) {
        let flags = subscription_flags(qos, bridge);
        self.with(|log, session| {
            log.order(Ordered::Filter { session, filter: filter.into(), flags })
        });
    }

    pub(crate) fn unsubscribed(&self, filter: &[u8]) {
        self.with(|log, session| log.order(Ordered::FilterGone { session, filter: filter.into() }));
    }

    /// A message of QoS 2 came from the client.
    pub(crate) fn received(&self, packet_id: u16) {
        self.with(|log, session| log.order(Ordered::Received { session, packet_id }));
    }

    /// The client released it.
    pub(crate) fn received_gone(&self, packet_id: u16) {
        self.with(|log, session| log.order(Ordered::ReceivedGone { session, packet_id }));
    }

    /// A message is queued for the client: sent if it has a packet id.
    #[inline]
    pub(crate) fn queued(
        &self,
        publication: &Publication,
        qos: QoS,
        retain: bool,
        packet_id: u16,
    ) -> EntryMark {
        match &self.0 {
            Some(records) => records.queued(publication, (qos, retain), packet_id),
            None => EntryMark::default(), // most sessions are not stored
        }
    }

    /// A message that waited is sent.
    pub(crate) fn sent(
        &self,
        mark: EntryMark,
        publication: &Publication,
        qos: QoS,
        retain: bool,
        packet_id: u16,
    ) -> EntryMark {
        let Some(records) = &self.0 else { return mark };
        let message = publication.mark().number();
        let progress = Progress::Sent;
        let entry = Entry { progress, qos, retain, packet_id, message, order: 0 };
        records.log.borrow_mut().put_entry(records.session, mark, entry)
    }

    /// PUBREC came for a message.
    pub(crate) fn released(
        &self,
        mark: EntryMark,
        publication: &Publication,
        packet_id: u16,
    ) -> EntryMark {
        let Some(records) = &self.0 else { return mark };
        let mut log = records.log.borrow_mut();
        let order = log.next_number();
        let (progress, qos) = (Progress::Released, QoS::ExactlyOnce);
        let entry = Entry { progress, qos, retain: false, packet_id, message: 0, order };
        let mark = log.put_entry(records.session, mark, entry);
        log.unname(publication);
        mark
    }

    /// A queued message is done with; `publication` unless it was released before.
    #[inline]
    pub(crate) fn done(&self, mark: &EntryMark, publication: Option<&Publication>) {
        if let Some(records) = &self.0 {
            records.done(mark, publication);
        }
    }

    /// A queued message of a session that is over.
    pub(crate) fn abandoned(&self, publication: &Publication) {
        self.with(|log, _| log.unname(publication));
    }
}

impl SessionRecords {
    #[inline(never)]
    fn queued(
        &self,
        publication: &Publication,
        (qos, retain): (QoS, bool),
        packet_id: u16,
    ) -> EntryMark {
        let mut log = self.log.borrow_mut();
        let message = log.name(publication);
        let progress = if packet_id == 0 { Progress::Waiting } else { Progress::Sent };
        let entry = Entry { progress, qos, retain, packet_id, message, order: 0 };
        log.put_entry(self.session, EntryMark::default(), entry)
    }

    #[inline(never)]
    fn done(&self, mark: &EntryMark, publication: Option<&Publication>) {
        let mut log = self.log.borrow_mut();
        let mark = mark.get();
        // What was written before and was put again in this batch is to be deleted all the same.
        let unwritten = mark.at.epoch == log.epoch && mark.first_epoch == log.epoch;
        log.take_back(mark.at);
        if !unwritten {
            log.put(Numbered::EntryGone { session: self.session, place: mark.place });
        }
        if let Some(publication) = publication {
            log.unname(publication);
        }
    }
}
