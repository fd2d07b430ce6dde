//! Nothing is held back.

use crate::delivery::Delivery;

/// See `journal::gate`.
#[derive(Debug, Default)]
pub(crate) struct Gate {}

impl Gate {
    pub(crate) fn is_blocked(&self) -> bool {
        false
    }
    pub(crate) fn holds_deliveries(&self) -> bool {
        false
    }
    pub(crate) fn control_len(&self) -> usize {
        0
    }
    pub(crate) fn first_packet_id(&self) -> u16 {
        0
    }
    pub(crate) fn block(&mut self) {}
    pub(crate) fn hold_control(&mut self, _: &[u8]) {}
    pub(crate) fn hold_delivery(&mut self, _: Delivery) {}
    pub(crate) fn clear(&mut self) {}
    pub(crate) fn drop_deliveries(&mut self) {}
    pub(crate) fn is_open(&self) -> bool {
        true
    }
}
