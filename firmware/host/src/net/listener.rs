//! A port that is listened on.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use umqtt_device::net::NetError;

/// Connections accepted per turn, so that a flood of them does not stop everything else.
pub(crate) const BURST: usize = 64;
/// How long accepting pauses when the system has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) token: usize,
    /// When to accept again: set by the event, kept while there may be more, as events come only once.
    pub(crate) due: Option<Instant>,
    socket: TcpListener,
}

impl Listener {
    pub(crate) fn open(
        registry: &Registry,
        bind: IpAddr,
        port: u16,
        token: usize,
    ) -> Result<Listener, NetError> {
        let error = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => NetError::PortInUse,
            io::ErrorKind::PermissionDenied => NetError::NotPermitted,
            _ => NetError::Failed,
        };
        let mut socket = TcpListener::bind(SocketAddr::new(bind, port)).map_err(error)?;
        registry.register(&mut socket, Token(token), Interest::READABLE).map_err(error)?;
        Ok(Listener { port, token, due: None, socket })
    }

    /// The next connection; `None` when there is none now.
    pub(crate) fn accept(&mut self, now: Instant) -> Option<(TcpStream, SocketAddr)> {
        match self.socket.accept() {
            Ok(accepted) => Some(accepted),
            Err(error) => {
                self.due = match error.kind() {
                    io::ErrorKind::WouldBlock => None,
                    // One that gave up while it waited; the next may be fine.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => Some(now),
                    _ => Some(now + PAUSE),
                };
                None
            }
        }
    }
}
