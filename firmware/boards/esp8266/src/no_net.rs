//! No network: every port and every connection is refused.

use umqtt_net::{ConnId, Instant, InterfaceAddr, Net, NetError, NetEvent, Stack};

#[derive(Debug)]
pub(crate) struct NoNet;

impl Net for NoNet {
    fn listen(&mut self, _port: u16) -> Result<u16, NetError> {
        Err(NetError::Down)
    }

    fn unlisten(&mut self, _port: u16) {}

    fn connect(&mut self, _host: &str, _port: u16) -> Result<ConnId, NetError> {
        Err(NetError::Down)
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        None
    }

    fn recv(&mut self, _conn: ConnId, _take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        0
    }

    fn send(&mut self, _conn: ConnId, _bytes: &[u8]) -> usize {
        0
    }

    fn close(&mut self, _conn: ConnId) {}

    fn abort(&mut self, _conn: ConnId) {}

    fn addresses(&self, _each: &mut dyn FnMut(InterfaceAddr)) {}
}

impl Stack for NoNet {
    fn ingress(&mut self, _now: Instant) {}

    fn egress(&mut self, _now: Instant) -> Option<Instant> {
        None
    }
}
