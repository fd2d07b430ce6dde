//! The journal of a broker whose state is kept.

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use core::cell::RefCell;

use super::gate::Gate;
use super::log::{CHANGE, Log, MAX_PENDING, Numbered, Ordered, cost_retained};
use super::record::{Batch, Since};
use super::session::SessionLog;
use crate::message::Publication;
use crate::wire::QoS;
use crate::{Duration, Instant};

/// The journal, if it is kept.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    log: Option<Rc<RefCell<Log>>>,
    /// Connections with something that waits for a commit.
    gated: BTreeSet<u32>,
}

impl Journal {
    /// A journal that is kept.
    pub(super) fn started() -> Journal {
        Journal { log: Some(Rc::new(RefCell::new(Log::new()))), gated: BTreeSet::new() }
    }

    fn with(&self, act: impl FnOnce(&mut Log)) {
        if let Some(log) = &self.log {
            act(&mut log.borrow_mut());
        }
    }

    /// A packet is handled now.
    pub(crate) fn begin_packet(&self) {
        self.with(|log| log.packet_began = log.position);
    }

    /// Whether the packet has changed something that is to be kept.
    pub(crate) fn must_wait(&self) -> bool {
        self.log.as_ref().is_some_and(|log| {
            let log = log.borrow();
            log.position != log.packet_began
        })
    }

    /// Whether anything is not committed yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.log.as_ref().is_some_and(|log| {
            let log = log.borrow();
            log.writing || !log.is_empty()
        })
    }

    /// Whether so much waits to be written that those who publish had better wait.
    pub(crate) fn is_behind(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.borrow().bytes >= MAX_PENDING / 2)
    }

    /// Whether nothing more may wait to be written.
    pub(crate) fn is_full(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.borrow().bytes >= MAX_PENDING)
    }

    /// A stored session begins.
    pub(crate) fn new_session(&self, client_id: &str) -> SessionLog {
        let Some(handle) = &self.log else { return SessionLog::default() };
        let mut log = handle.borrow_mut();
        let session = log.next_number();
        log.order(Ordered::Session { session, client_id: client_id.as_bytes().into() });
        SessionLog::new(handle, session)
    }

    /// The log of a session that is in the records already.
    pub(super) fn known_session(&self, session: u64) -> SessionLog {
        self.log.as_ref().map_or(SessionLog::default(), |log| SessionLog::new(log, session))
    }

    /// Numbers up to this are in use.
    pub(super) fn skip_numbers(&self, last: u64) {
        self.with(|log| log.last_number = log.last_number.max(last));
    }

    /// Sets the wall clock's time when the broker's time is `now`.
    pub(super) fn set_unix_time(&self, unix: u64, now: Instant) {
        self.with(|log| log.unix_start = unix.checked_sub(now.as_millis()));
    }

    /// The journal's time goes on from there, when the broker's time is `now`; the time it is.
    pub(super) fn go_on_from(&self, uptime: Duration, now: Instant) -> Option<Since> {
        let mut log = self.log.as_ref()?.borrow_mut();
        log.uptime_before = uptime.saturating_sub(now.saturating_duration_since(Instant::ZERO));
        Some(log.since(now))
    }

    /// A message was retained; if it is the one there was, what keeps it may still be on its way.
    pub(crate) fn retained(&self, message: &Publication, qos: QoS, changed: bool) {
        self.with(|log| {
            if !changed {
                log.touch();
                return;
            }
            log.position += 1;
            log.bytes += CHANGE + message.packet().len();
            let old = log.retained.insert(message.topic().into(), Some((message.clone(), qos)));
            if let Some(old) = old {
                log.bytes -= cost_retained(old.as_ref());
            }
        });
    }

    /// The retained message of a topic was deleted.
    pub(crate) fn retained_gone(&self, topic: &[u8]) {
        self.with(|log| {
            log.position += 1;
            log.bytes += CHANGE;
            if let Some(old) = log.retained.insert(topic.into(), None) {
                log.bytes -= cost_retained(old.as_ref());
            }
        });
    }

    /// All retained messages were forgotten.
    pub(crate) fn retained_cleared(&self) {
        self.with(|log| {
            log.position += 1;
            let dropped = log.retained.values().map(|old| cost_retained(old.as_ref()));
            log.bytes -= dropped.sum::<usize>();
            log.retained.clear();
            log.retained_cleared = true;
        });
    }

    /// Remembers that a connection holds something back.
    pub(crate) fn note_gate(&mut self, slot: u32, gate: &Gate) {
        if !gate.is_open() {
            self.gated.insert(slot);
        }
    }

    /// A connection is over.
    pub(crate) fn forget_gate(&mut self, slot: u32) {
        self.gated.remove(&slot);
    }

    /// Connections with something that waits.
    pub(super) fn gated(&self) -> impl Iterator<Item = u32> {
        self.gated.iter().copied()
    }

    /// Takes the connections with something that waits.
    pub(super) fn take_gated(&mut self) -> BTreeSet<u32> {
        core::mem::take(&mut self.gated)
    }

    /// What is to be written, if nothing is being written.
    pub(super) fn next(&mut self) -> JournalStep {
        let Some(log) = &self.log else { return JournalStep::Nothing };
        let mut log = log.borrow_mut();
        if log.writing {
            JournalStep::Nothing
        } else if !log.is_empty() {
            log.writing = true;
            JournalStep::Batch(log.take_batch())
        } else if self.gated.is_empty() {
            JournalStep::Nothing
        } else {
            JournalStep::Release
        }
    }

    /// It is written.
    pub(super) fn written(&mut self) {
        self.with(|log| log.writing = false);
    }

    /// Whether nothing waits to be written or for what is being written.
    pub(super) fn is_idle(&self) -> bool {
        let idle = self.log.as_ref().is_none_or(|log| {
            let log = log.borrow();
            !log.writing && log.is_empty()
        });
        idle && self.gated.is_empty()
    }

    /// Deletes the record of a message without queue entries, found at the start.
    pub(super) fn drop_message(&self, number: u64) {
        self.with(|log| {
            log.put(Numbered::MessageGone { number });
        });
    }
}

/// What the journal has to do next.
pub(super) enum JournalStep {
    /// Nothing, or something is being done.
    Nothing,
    /// What waits need not: nothing is to be written for it any more.
    Release,
    /// To be written.
    Batch(Batch),
}
