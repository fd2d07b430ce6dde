//! Host names to addresses. The system's resolver blocks, so each look-up has a thread of its own.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;

/// Look-ups under way at a time.
const MAX_LOOKUPS: usize = 8;
/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// The look-ups under way.
pub(crate) struct Resolver {
    waker: Arc<Waker>,
    running: usize,
    next: u64,
    sender: Sender<Answer>,
    receiver: Receiver<Answer>,
}

/// What became of a look-up.
pub(crate) struct Answer {
    /// The connection it is for.
    pub(crate) slot: u32,
    /// Which look-up it was: the connection may have been closed and its number be another's
    /// meanwhile.
    pub(crate) lookup: u64,
    /// What was found, nothing if the name has no address.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Resolver {
    pub(crate) fn new(waker: Arc<Waker>) -> Resolver {
        let (sender, receiver) = channel();
        Resolver { waker, running: 0, next: 0, sender, receiver }
    }

    pub(crate) fn is_free(&self) -> bool {
        self.running < MAX_LOOKUPS
    }

    /// Looks up a host for a connection; [`Resolver::poll`] gives the answer under the number
    /// returned.
    pub(crate) fn start(&mut self, slot: u32, host: &str, port: u16) -> io::Result<u64> {
        let lookup = self.next;
        let host = host.to_owned();
        let sender = self.sender.clone();
        let waker = self.waker.clone();
        std::thread::Builder::new().name("lookup".into()).spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs();
            let addresses = found.map(|all| all.take(MAX_ADDRESSES).collect()).unwrap_or_default();
            // Both fail only when the network is gone, and then nobody waits for the answer.
            let _ = sender.send(Answer { slot, lookup, addresses });
            let _ = waker.wake();
        })?;
        self.running += 1;
        self.next += 1;
        Ok(lookup)
    }

    /// The next answer.
    pub(crate) fn poll(&mut self) -> Option<Answer> {
        let answer = self.receiver.try_recv().ok()?;
        self.running -= 1;
        Some(answer)
    }
}
