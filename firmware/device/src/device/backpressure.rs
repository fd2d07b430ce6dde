//! Backpressure: clients that publish are not read while messages fill the broker's memory, so that
//! those whom the messages are for can take them first. A burst that is larger than the memory is
//! delivered all the same, only a little later. A subscriber that takes nothing gains nothing by
//! it: the pause is short, and then what there is no room for is dropped, as it always was.

use umqtt_net::{Duration, Instant};

/// How long clients that publish are paused, from when memory is short until it is not, or all goes
/// on regardless.
const PAUSE_TIMEOUT: Duration = Duration::from_millis(1000);
/// After which time one of them has its turn all the same: behind its messages may lie the
/// acknowledgements that free memory.
const STEP: Duration = Duration::from_millis(50);
/// Memory is short when less than this part of it is free: what the broker leaves to messages that
/// pass through.
const PART: usize = 8;
/// The first bytes of the acknowledgements: PUBACK, PUBREC, PUBREL and PUBCOMP, and how long the
/// rest of each is.
const ACKS: [u8; 4] = [0x40, 0x50, 0x62, 0x70];
const ACK_LEN: u8 = 2;

/// The upper half of a message's first byte.
const PUBLISH: u8 = 3;

/// How a client's bytes are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadState {
    /// As they come: there was no message in the last ones.
    Free,
    /// There were messages in the last ones.
    Publishing,
    /// More is waiting in the network.
    Paused,
}

/// Since when clients are paused, and which of them is next.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    /// Since when memory is short.
    since: Option<Instant>,
    /// Connections may be paused; one of them has its turn then.
    next_turn: Option<Instant>,
    /// Number of the connection that was resumed last.
    last: u32,
}

impl Backpressure {
    /// Whether `free` bytes are little of a memory of `limit` bytes.
    pub(super) fn is_short(free: usize, limit: usize) -> bool {
        free < limit / PART
    }

    /// Whether clients that publish are paused now, where memory is short or not.
    pub(super) fn is_active(&mut self, short: bool, now: Instant) -> bool {
        if !short {
            self.since = None;
            return false;
        }
        now < *self.since.get_or_insert(now) + PAUSE_TIMEOUT
    }

    /// Whether a client is to be paused that has sent this, which is not taken yet.
    pub(super) fn should_pause(state: ReadState, bytes: &[u8]) -> bool {
        // It may be in the middle of a packet, and then be anything: the worst is a short wait.
        match bytes {
            [first] | [first, ACK_LEN, ..] if ACKS.contains(first) => false,
            [first, ..] => state != ReadState::Free || first >> 4 == PUBLISH,
            [] => false,
        }
    }

    /// A client was paused, or is so still.
    pub(super) fn note_paused(&mut self, now: Instant) {
        self.next_turn.get_or_insert(now + STEP);
    }

    /// When one of those that are paused has its turn; `None` if none is.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        self.next_turn
    }

    /// All that are paused are looked at now.
    pub(super) fn begin_turn(&mut self) {
        self.next_turn = None;
    }

    /// A connection was resumed.
    pub(super) fn note_resumed(&mut self, number: u32) {
        self.last = number;
    }

    /// Number of the connection that was resumed last.
    pub(super) fn last(&self) -> u32 {
        self.last
    }
}
