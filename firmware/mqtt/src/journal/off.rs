//! Nothing is kept over a restart.

mod gate;
mod mark;

use crate::Instant;
use crate::message::Publication;
use crate::wire::QoS;

pub(crate) use gate::Gate;
pub(crate) use mark::{EntryMark, MessageMark};

/// See `on`.
#[derive(Debug, Default)]
pub(crate) struct Journal {}

impl Journal {
    pub(crate) fn begin_packet(&self) {}
    pub(crate) fn must_wait(&self) -> bool {
        false
    }
    pub(crate) fn is_waiting(&self) -> bool {
        false
    }
    pub(crate) fn is_behind(&self) -> bool {
        false
    }
    pub(crate) fn is_full(&self) -> bool {
        false
    }
    pub(crate) fn new_session(&self, _: &str) -> SessionLog {
        SessionLog {}
    }
    pub(crate) fn retained(&self, _: &Publication, _: QoS, _: bool) {}
    pub(crate) fn retained_gone(&self, _: &[u8]) {}
    pub(crate) fn retained_cleared(&self) {}
    pub(crate) fn note_gate(&mut self, _: u32, _: &Gate) {}
    pub(crate) fn forget_gate(&mut self, _: u32) {}
}

/// See `on`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionLog {}

impl SessionLog {
    pub(crate) fn offline(&self, _: Instant) {}
    pub(crate) fn back(&self) {}
    pub(crate) fn gone(&self) {}
    pub(crate) fn subscribed(&self, _: &[u8], _: QoS, _: bool) {}
    pub(crate) fn unsubscribed(&self, _: &[u8]) {}
    pub(crate) fn received(&self, _: u16) {}
    pub(crate) fn received_gone(&self, _: u16) {}
    pub(crate) fn queued(&self, _: &Publication, _: QoS, _: bool, _: u16) -> EntryMark {
        EntryMark {}
    }
    pub(crate) fn sent(
        &self,
        mark: EntryMark,
        _: &Publication,
        _: QoS,
        _: bool,
        _: u16,
    ) -> EntryMark {
        mark
    }
    pub(crate) fn released(&self, mark: EntryMark, _: &Publication, _: u16) -> EntryMark {
        mark
    }
    pub(crate) fn done(&self, _: &EntryMark, _: Option<&Publication>) {}
    pub(crate) fn abandoned(&self, _: &Publication) {}
    pub(crate) fn is_on(&self) -> bool {
        false
    }
}
