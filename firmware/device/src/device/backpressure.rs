//! Clients that publish wait while messages fill the broker's memory, so that those whom the messages are for can take
//! them first: a burst that is larger than the memory is delivered all the same, only a little later. A subscriber that
//! takes nothing gains nothing by it: the wait is short, and then what there is no room for is dropped, as it always was.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};

use super::Device;
use super::network::Role;
use crate::net::{ConnId, Net};
use crate::platform::Platform;

/// Milliseconds clients that publish wait, from when memory is short until it is not or all goes on regardless.
const PAUSE_TIMEOUT: Duration = Duration::from_millis(1000);
/// Milliseconds after which one of them has its turn all the same: behind its messages may lie the acknowledgements that
/// free memory.
const STEP: Duration = Duration::from_millis(50);
/// Memory is short when less than this part of it is free: what the broker leaves to messages that pass through.
const PART: usize = 8;
/// The first bytes of the acknowledgements: PUBACK, PUBREC, PUBREL and PUBCOMP, and how long the rest of each is.
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

/// Which clients wait, and since when.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    /// Since when memory is short.
    since: Option<Instant>,
    /// Connections may be held back; one of them has its turn then.
    next_turn: Option<Instant>,
    /// Whose turn was last.
    last: u32,
}

impl<P: Platform> Device<P> {
    /// Whether the messages that wait leave little memory for more.
    pub(super) fn is_short(&self) -> bool {
        self.state.broker.memory_left() < self.state.options.limits.max_memory / PART
            || self.state.broker.journal_is_behind()
    }

    /// Leaves what a client has sent where it is, if it is to wait; false if it may be taken.
    pub(super) fn should_pause(
        &mut self,
        conn: ConnId,
        pace: ReadState,
        net: &mut dyn Net,
    ) -> bool {
        if !self.is_pausing() {
            return false;
        }
        let mut waits = false;
        self.peek(conn, net, |bytes| {
            // It may be in the middle of a packet, and then be anything: the worst is a wait for nothing.
            waits = match bytes {
                [first] | [first, ACK_LEN, ..] if ACKS.contains(first) => false,
                [first, ..] => pace != ReadState::Free || first >> 4 == PUBLISH,
                [] => false,
            };
        });
        if waits {
            self.hold(conn);
        }
        waits
    }

    /// Leaves what a client has sent where it is, for now.
    pub(super) fn hold(&mut self, conn: ConnId) {
        self.set_role(conn, Role::Mqtt(ReadState::Paused));
        self.backpressure.next_turn.get_or_insert(self.state.now + STEP);
    }

    /// Takes what those who were held back have sent: of all if there is room, else of one when it is time.
    pub(super) fn resume_paused(&mut self, net: &mut dyn Net) {
        let Some(next_turn) = self.backpressure.next_turn else { return };
        let pausing = self.is_pausing();
        if pausing && self.state.now < next_turn || !self.state.has_margin() {
            return;
        }
        self.backpressure.next_turn = None;
        let held = |(_, role): &(u32, &Role)| **role == Role::Mqtt(ReadState::Paused);
        let mut held: Vec<ConnId> =
            (0..).zip(&self.roles).filter(held).map(|(conn, _)| ConnId(conn)).collect();
        if pausing {
            let nearest = self.nearest(&held, net);
            nearest.into_iter().for_each(|conn| self.read_client(conn, net));
        } else {
            let first = held.partition_point(|conn| conn.0 <= self.backpressure.last);
            held.rotate_left(first);
        }
        for conn in held {
            if self.is_pausing() || !self.state.has_margin() {
                self.backpressure.next_turn.get_or_insert(self.state.now + STEP);
                return;
            }
            if self.role(conn) == Role::Mqtt(ReadState::Paused) {
                self.backpressure.last = conn.0;
                self.read_client(conn, net);
            }
        }
    }

    /// Where what frees memory is nearest: where the least is waiting.
    fn nearest(&self, held: &[ConnId], net: &mut dyn Net) -> Option<ConnId> {
        let mut nearest = None;
        for conn in held {
            let mut waiting = 0;
            self.peek(*conn, net, |bytes| waiting = bytes.len());
            if nearest.is_none_or(|(least, _)| waiting < least) {
                nearest = Some((waiting, *conn));
            }
        }
        nearest.map(|(_, conn)| conn)
    }

    /// When to look again at the latest.
    pub(super) fn backpressure_poll_at(&mut self) -> Option<Instant> {
        let next_turn = self.backpressure.next_turn?;
        Some(if self.is_pausing() { next_turn } else { self.state.now })
    }

    /// Looks at what is waiting in the network, and leaves it there.
    fn peek(&self, conn: ConnId, net: &mut dyn Net, mut look: impl FnMut(&[u8])) {
        net.recv(conn, &mut |bytes| {
            look(bytes);
            0
        });
    }

    fn is_pausing(&mut self) -> bool {
        if !self.is_short() {
            self.backpressure.since = None;
            return false;
        }
        self.state.now < *self.backpressure.since.get_or_insert(self.state.now) + PAUSE_TIMEOUT
    }
}
