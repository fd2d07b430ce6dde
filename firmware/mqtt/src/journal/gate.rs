//! What a connection holds back.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::delivery::Delivery;

/// What a connection holds back until it is committed.
#[derive(Debug, Default)]
pub(crate) struct Gate(Option<Box<Held>>);

#[derive(Debug, Default)]
struct Held {
    control: Vec<u8>,
    deliveries: VecDeque<Delivery>,
    /// Nothing at all may be sent.
    blocked: bool,
    /// How much of it is in the batch being written.
    sealed_control: usize,
    sealed_deliveries: usize,
    sealed_block: bool,
}

impl Held {
    fn is_empty(&self) -> bool {
        !self.blocked && self.control.is_empty() && self.deliveries.is_empty()
    }
}

impl Gate {
    pub(crate) fn is_blocked(&self) -> bool {
        self.0.as_ref().is_some_and(|held| held.blocked)
    }

    pub(crate) fn holds_deliveries(&self) -> bool {
        self.0.as_ref().is_some_and(|held| !held.deliveries.is_empty())
    }

    pub(crate) fn control_len(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.control.len())
    }

    /// The first packet id that is held back; 0 for none.
    pub(crate) fn first_packet_id(&self) -> u16 {
        let first = self.0.as_ref().and_then(|held| held.deliveries.front());
        first.map_or(0, Delivery::packet_id)
    }

    pub(crate) fn block(&mut self) {
        self.0.get_or_insert_default().blocked = true;
    }

    pub(crate) fn hold_control(&mut self, bytes: &[u8]) {
        self.0.get_or_insert_default().control.extend_from_slice(bytes);
    }

    pub(crate) fn hold_delivery(&mut self, delivery: Delivery) {
        self.0.get_or_insert_default().deliveries.push_back(delivery);
    }

    /// Drops the messages, which the session still has.
    pub(crate) fn drop_deliveries(&mut self) {
        if let Some(held) = &mut self.0 {
            held.deliveries.clear();
            held.sealed_deliveries = 0;
            if held.is_empty() {
                self.0 = None;
            }
        }
    }

    /// Whether nothing is held back.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// A batch was taken: what is held back now waits for that one.
    pub(crate) fn seal(&mut self) {
        if let Some(held) = &mut self.0 {
            held.sealed_control = held.control.len();
            held.sealed_deliveries = held.deliveries.len();
            held.sealed_block = held.blocked;
        }
    }

    /// Takes the control bytes that waited for the batch that is committed now.
    pub(crate) fn committed_control(&mut self) -> impl Iterator<Item = u8> {
        let sealed = self.0.as_mut().map(|held| {
            let len = core::mem::take(&mut held.sealed_control).min(held.control.len());
            held.control.drain(..len)
        });
        sealed.into_iter().flatten()
    }

    /// Takes the messages that waited for it.
    pub(crate) fn committed_deliveries(&mut self) -> impl Iterator<Item = Delivery> {
        let sealed = self.0.as_mut().map(|held| {
            let len = core::mem::take(&mut held.sealed_deliveries).min(held.deliveries.len());
            held.deliveries.drain(..len)
        });
        sealed.into_iter().flatten()
    }

    /// Lifts the block that waited for it.
    pub(crate) fn unblock(&mut self) {
        let Some(held) = &mut self.0 else { return };
        if core::mem::take(&mut held.sealed_block) {
            held.blocked = false;
        }
        if held.is_empty() {
            self.0 = None;
        }
    }
}
