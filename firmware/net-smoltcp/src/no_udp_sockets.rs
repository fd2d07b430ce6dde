//! In place of `udp_sockets` where a board has no use for datagrams: no socket, and no code.

use smoltcp::iface::SocketSet;
use umqtt_net::{Instant, UdpId};

use crate::NetLimits;

pub(crate) struct UdpSockets;

impl UdpSockets {
    pub(crate) fn new(_: &NetLimits) -> UdpSockets {
        UdpSockets
    }

    pub(crate) fn places(_: &NetLimits) -> usize {
        0
    }

    pub(crate) fn memory(&self, _: &NetLimits) -> usize {
        0
    }

    pub(crate) fn poll(&mut self, _: &mut SocketSet<'static>) {}

    pub(crate) fn drop_stuck(&mut self, _: &mut SocketSet<'static>, _: Instant) -> Option<Instant> {
        None
    }

    pub(crate) fn has_events(&self) -> bool {
        false
    }

    pub(crate) fn next_event(&mut self) -> Option<UdpId> {
        None
    }
}
