//! A port that is listened on.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};
use umqtt_net::{NetError, Peer};

use super::link::Link;

/// Connections accepted per turn, so that a flood of them does not stop everything else.
pub(crate) const BURST: usize = 64;
/// How long accepting pauses when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// TCP keep-alive: how long a connection is quiet before the system asks the other end whether it
/// is still there, and how long it waits before it asks again; how often is its own choice.
const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    /// The port that was bound.
    pub(crate) port: u16,
    pub(crate) token: usize,
    /// When to accept again: set by the event, kept while there may be more, as events come only
    /// once.
    pub(crate) due: Option<Instant>,
    link: Link,
    socket: TcpListener,
}

impl Listener {
    pub(crate) fn open(
        registry: &Registry,
        link: &Link,
        port: u16,
        token: usize,
    ) -> Result<Listener, NetError> {
        let error = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => NetError::PortInUse,
            io::ErrorKind::PermissionDenied => NetError::NotPermitted,
            _ => NetError::Failed,
        };
        let socket = match link.is_device() {
            true => link.listen(port).map(TcpListener::from_std),
            false => TcpListener::bind(SocketAddr::new(link.address, port)),
        };
        let mut socket = socket.map_err(error)?;
        registry.register(&mut socket, Token(token), Interest::READABLE).map_err(error)?;
        let port = socket.local_addr().map_err(error)?.port();
        Ok(Listener { port, token, due: None, link: link.clone(), socket })
    }

    /// The next connection; `None` when there is none now.
    pub(crate) fn accept(&mut self, now: Instant) -> Option<(TcpStream, Peer)> {
        match self.socket.accept() {
            Ok((stream, from)) => Some((stream, self.link.peer(from))),
            Err(error) => {
                self.due = match error.kind() {
                    io::ErrorKind::WouldBlock => None,
                    // One that gave up while it waited; the next may be fine.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => Some(now),
                    _ => Some(now + ACCEPT_PAUSE),
                };
                None
            }
        }
    }
}

/// Has the system find out when the other end of a quiet connection is gone: a client without
/// keep-alive that loses its power would hold its place for ever.
pub(crate) fn enable_keep_alive(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(KEEP_ALIVE_IDLE).with_interval(KEEP_ALIVE_INTERVAL);
    // A system that cannot do it leaves only those unnoticed.
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_is_enabled() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!SockRef::from(&stream).keepalive().unwrap());
        enable_keep_alive(&stream);
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }
}
