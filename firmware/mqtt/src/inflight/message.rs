//! A message on its way to one client.

use crate::delivery_options::Origin;
use crate::journal::EntryMark;
use crate::message::Publication;
use crate::wire::QoS;

/// Which of its queues a message is to wait in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueKind {
    Inflight,
    Waiting,
    Qos0,
}

/// A message in flight: sent, and not finished.
#[derive(Debug)]
pub(super) struct InflightMessage {
    pub(super) packet_id: u16,
    pub(super) origin: Origin,
    pub(super) stage: Stage,
    pub(super) mark: EntryMark,
}

/// Which answer a message in flight waits for.
#[derive(Debug)]
pub(super) enum Stage {
    /// QoS 1, until PUBACK.
    Puback(Publication),
    /// QoS 2, until PUBREC.
    Pubrec(Publication),
    /// QoS 2, PUBREL sent, until PUBCOMP. The message itself is no longer needed.
    Pubcomp,
}

impl Stage {
    /// The message, while it may have to be sent again.
    pub(super) fn publication(&self) -> Option<&Publication> {
        match self {
            Stage::Puback(publication) | Stage::Pubrec(publication) => Some(publication),
            Stage::Pubcomp => None,
        }
    }
}

/// A message that waits for a place in flight.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) publication: Publication,
    pub(super) qos: QoS,
    pub(super) origin: Origin,
    pub(super) mark: EntryMark,
}
