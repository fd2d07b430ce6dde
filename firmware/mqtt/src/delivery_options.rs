//! How a message is delivered: its quality of service, retain flag and shared group.

use crate::wire::QoS;

/// How a message is delivered to a client. Two values, which go in two registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliveryOptions {
    pub(crate) qos: QoS,
    pub(crate) origin: Origin,
}

impl DeliveryOptions {
    pub(crate) fn new(qos: QoS, retain: bool) -> DeliveryOptions {
        DeliveryOptions { qos, origin: Origin::of(retain) }
    }
}

/// Whether a message has the retain flag, and by which group of those who share a subscription it
/// came, in two bytes: so what is in flight takes no more memory for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(u16);

impl Origin {
    const RETAIN: u16 = 1 << 15;

    /// Of a message that came by no group.
    pub(crate) fn of(retain: bool) -> Origin {
        Origin(if retain { Origin::RETAIN } else { 0 })
    }

    /// Of a message that came by a group, as [`group_tag`](crate::subscriptions::group_tag) has it;
    /// 0 for none.
    pub(crate) fn of_group(tag: u16) -> Origin {
        Origin(tag & !Origin::RETAIN)
    }

    pub(crate) fn retain(self) -> bool {
        self.0 & Origin::RETAIN != 0
    }

    pub(crate) fn group(self) -> u16 {
        self.0 & !Origin::RETAIN
    }
}
