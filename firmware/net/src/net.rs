//! TCP and the device's addresses.

use core::net::Ipv4Addr;

use crate::{ConnId, InterfaceAddr, NetError, NetEvent, Udp};

/// The network as a device uses it. Nothing blocks.
pub trait Net {
    /// Accepts connections to a port from now on, on every interface. Port 0 lets the stack choose
    /// one. Returns the port that was bound: [`NetEvent::Accepted`] names it, and [`Net::unlisten`]
    /// wants it.
    ///
    /// # Errors
    /// [`NetError`] when the port cannot be had.
    fn listen(&mut self, port: u16) -> Result<u16, NetError>;

    /// Stops accepting on a port; connections that are up stay.
    fn unlisten(&mut self, port: u16);

    /// Starts a connection to a host name or address; [`NetEvent::Connected`] or
    /// [`NetEvent::Closed`] follows.
    ///
    /// # Errors
    /// [`NetError::Full`], [`NetError::Down`] or [`NetError::Failed`] when it cannot even start.
    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError>;

    /// Looks up an address of a host, to send datagrams to: a name, or an address as it stands. It
    /// takes a connection's id until [`NetEvent::Resolved`] or [`NetEvent::Closed`] follows;
    /// closing that ends the look-up.
    ///
    /// # Errors
    /// As [`Net::connect`]; [`NetError::Failed`] on a stack that looks up no names.
    fn resolve(&mut self, host: &str) -> Result<ConnId, NetError> {
        let _ = host;
        Err(NetError::Failed)
    }

    /// The next thing that happened.
    fn poll_event(&mut self) -> Option<NetEvent>;

    /// Shows received bytes in place; `take` returns how many it is done with. Called again while
    /// it takes all it was shown and there is more, up to a bound after which another
    /// [`NetEvent::Readable`] follows. Returns how many were taken altogether. What was not taken
    /// is shown again next time.
    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize;

    /// Copies what was received and not yet taken, as far as it lies in one piece and `into` has
    /// room, and leaves it where it is. Returns how much that is; 0 when there is nothing.
    fn peek(&mut self, conn: ConnId, into: &mut [u8]) -> usize {
        let mut len = 0;
        self.recv(conn, &mut |shown| {
            len = shown.len().min(into.len());
            into[..len].copy_from_slice(&shown[..len]);
            0
        });
        len
    }

    /// Takes away `len` of the bytes that were received, or all if there are fewer: those that
    /// [`Net::peek`] showed.
    fn consume(&mut self, conn: ConnId, len: usize) {
        let mut left = len;
        if left > 0 {
            self.recv(conn, &mut |shown| {
                let n = shown.len().min(left);
                left -= n;
                n
            });
        }
    }

    /// Sends what there is room for and returns how much that was; if less than all,
    /// [`NetEvent::Writable`] or [`NetEvent::Closed`] follows. The caller keeps the rest
    /// (backpressure).
    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize;

    /// How many bytes [`Net::send`] would take now at least, for who has nowhere to keep the rest;
    /// `usize::MAX` of a stack that takes much more than such have to say.
    fn send_room(&mut self, conn: ConnId) -> usize {
        let _ = conn;
        usize::MAX
    }

    /// Closes after what was sent has left (graceful close). What the peer sends from now on is
    /// thrown away. [`NetEvent::Closed`] follows, at the latest after the stack's linger timeout.
    fn close(&mut self, conn: ConnId);

    /// Drops the connection at once; the peer finds it reset. [`NetEvent::Closed`] follows.
    fn abort(&mut self, conn: ConnId);

    /// Whether there is no room for one more connection to a port that is listened on: the next one
    /// is refused, until one of those there are is over.
    fn is_full(&self) -> bool {
        false
    }

    /// The device's own addresses, interface by interface.
    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr));

    /// The name server of the station's network, for who asks it something else than
    /// [`Net::resolve`] does; none if there is none, or if it is not known.
    fn name_server(&self) -> Option<Ipv4Addr> {
        None
    }

    /// Bytes of the heap that it uses, as far as that is worth knowing.
    fn memory(&self) -> usize {
        0
    }

    /// How often a connection, from outside or to there, found no place or no memory, so far.
    fn refused(&self) -> u32 {
        0
    }

    /// Answers that came while a name was looked up, and answer nothing that was asked, so far.
    fn refused_answers(&self) -> u32 {
        0
    }

    /// Datagrams, if the stack has them.
    fn udp(&mut self) -> Option<&mut dyn Udp> {
        None
    }
}
