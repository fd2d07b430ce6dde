//! The connections: which service each is for. How many there may be at a time is decided by
//! others:
//!
//! | limit | where | one more |
//! |---|---|---|
//! | of all | the network: `NetLimits::sockets` of `umqtt-net-smoltcp`, `MAX_CONNECTIONS` of `umqtt-host` | takes the place of one in silence; is reset if there is none |
//! | of the broker's clients | `Limits::max_clients` of `umqtt-mqtt` | gets a CONNACK with return code 3 |
//! | without CONNECT | `Limits::max_waiting` of it | closes the one that has waited longest |
//! | console sessions | `MAX_SESSIONS` of `console` | closes one that was given no command, or one of several of another host; if there is none, gets a line that says so |

use alloc::vec::Vec;

use umqtt_memory::try_room;

use super::backpressure::ReadState;
use crate::net::{ConnId, NetEvent};

/// What a connection is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// It is not open, is being closed, or is one that the upload, the HTTP client or the upstream
    /// client knows.
    #[default]
    Other,
    /// A client of the broker.
    Mqtt(ReadState),
    /// A session of the console.
    Console(u8),
}

/// The connections by their number.
#[derive(Debug, Default)]
pub(super) struct Connections {
    roles: Vec<Role>,
    /// A network event that was put off.
    pub(super) deferred: Option<NetEvent>,
}

impl Connections {
    pub(super) fn role(&self, conn: ConnId) -> Role {
        self.roles.get(conn.0 as usize).copied().unwrap_or_default()
    }

    /// Makes room for the role of a connection; false if there is no memory.
    pub(super) fn make_role(&mut self, conn: ConnId) -> bool {
        let more = (conn.0 as usize + 1).saturating_sub(self.roles.len());
        let room = try_room(&mut self.roles, more);
        if room {
            self.roles.resize(self.roles.len() + more, Role::Other);
        }
        room
    }

    /// Sets the role of a connection that was accepted.
    pub(super) fn set_role(&mut self, conn: ConnId, role: Role) {
        if let Some(entry) = self.roles.get_mut(conn.0 as usize) {
            *entry = role;
        }
    }

    /// The connections that have this role.
    pub(super) fn with_role(&self, role: Role) -> Vec<ConnId> {
        let has = |(_, its): &(u32, &Role)| **its == role;
        (0..).zip(&self.roles).filter(has).map(|(conn, _)| ConnId(conn)).collect()
    }
}
