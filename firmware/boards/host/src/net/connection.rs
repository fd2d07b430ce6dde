//! One TCP connection: where it stands, what is to be reported about it, and what it did not take
//! yet.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use socket2::SockRef;
use umqtt_net::{CloseReason, Peer, ReadySet};

use super::{MORE_SIZE, READ_SIZE};

/// Reads of a connection that is closing, per event: what it sends then is thrown away.
const DRAIN_READS: usize = 16;

/// Where a connection stands.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The name of the host is being looked up; `None` until the look-up has its number.
    Resolving { lookup: Option<u64>, address_only: bool },
    /// The address that was asked for is found, and that is to be reported.
    Resolved(IpAddr),
    /// The first address is being tried, these are left.
    Connecting { addresses: VecDeque<SocketAddr>, until: Instant },
    /// Up.
    Open,
    /// We closed it; waiting for the other end to do so.
    Lingering { until: Instant },
    /// Closed, and that is to be reported.
    Closed(CloseReason),
}

/// What is to be done after a receive.
pub(crate) enum After {
    Nothing,
    /// There may be more to read; the others first.
    More,
    /// The other end has finished sending.
    PeerClosed,
    Broken(CloseReason),
}

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Option<TcpStream>,
    pub(crate) phase: Phase,
    ready: ReadySet,
    /// It had its turn and is in the queue of those with more to read.
    pub(crate) again: bool,
    /// The last read filled all there was room for.
    streaming: bool,
    /// Received and shown, but not taken.
    pub(crate) kept: Vec<u8>,
    /// The system said that the other end is done: read until that shows.
    pub(crate) hung_up: bool,
    /// We saw the end of what it sends.
    ended: bool,
    /// The last send took less than all.
    pub(crate) blocked: bool,
    /// Port and peer, for one that was accepted.
    pub(crate) accepted: Option<(u16, Peer)>,
}

impl Connection {
    pub(crate) fn new(stream: Option<TcpStream>, phase: Phase) -> Connection {
        Connection {
            stream,
            phase,
            ready: ReadySet::default(),
            again: false,
            streaming: false,
            kept: Vec::new(),
            hung_up: false,
            ended: false,
            blocked: false,
            accepted: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Shows what was kept and what one read into `buffer`, which is of [`MORE_SIZE`], brings; all
    /// up to the end if the other end is done.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        take: &mut dyn FnMut(&[u8]) -> usize,
    ) -> (usize, After) {
        let mut taken = 0;
        let Phase::Open = self.phase else { return (0, After::Nothing) };
        let Some(stream) = &mut self.stream else { return (0, After::Nothing) };
        let buffer = &mut buffer[..if self.streaming { MORE_SIZE } else { READ_SIZE }];
        self.streaming = false;
        if !self.kept.is_empty() {
            taken = take(&self.kept).min(self.kept.len());
            if taken < self.kept.len() {
                self.kept.drain(..taken);
                return (taken, After::Nothing);
            }
            self.kept = Vec::new();
        }
        if self.ended {
            return (taken, After::Nothing);
        }
        let after = loop {
            match stream.read(buffer) {
                Ok(0) => {
                    self.ended = true;
                    break After::PeerClosed;
                }
                Ok(read) => {
                    let n = take(&buffer[..read]).min(read);
                    taken += n;
                    if n < read {
                        self.kept = buffer[n..read].to_vec();
                        break After::Nothing;
                    }
                    if read == buffer.len() {
                        self.streaming = true;
                        break After::More;
                    }
                    // Less than asked for means that there is no more, unless the end is next.
                    if !self.hung_up {
                        break After::Nothing;
                    }
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => break After::Nothing,
                    io::ErrorKind::Interrupted => {}
                    _ => break After::Broken(reason(&error, CloseReason::Reset)),
                },
            }
        };
        (taken, after)
    }

    /// Gives the kernel what it takes.
    pub(crate) fn transmit(&mut self, bytes: &[u8]) -> Result<usize, CloseReason> {
        let Phase::Open = self.phase else { return Ok(0) };
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let mut sent = 0;
        while sent < bytes.len() {
            match stream.write(&bytes[sent..]) {
                Ok(n) => sent += n,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.blocked = true;
                        break;
                    }
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(reason(&error, CloseReason::Reset)),
                },
            }
        }
        Ok(sent)
    }

    /// Whether the peer finds the connection reset when the stream is dropped. Otherwise what was
    /// sent still leaves.
    pub(crate) fn reset_when_dropped(&mut self, reset: bool) {
        if let Some(stream) = &self.stream {
            // If it fails, the connection is gone already.
            let _ = SockRef::from(stream).set_linger(reset.then_some(Duration::ZERO));
        }
    }

    /// Tells the other end that we send nothing more.
    pub(crate) fn shut_down(&mut self) {
        if let Some(stream) = &self.stream {
            let _ = stream.shutdown(Shutdown::Write); // fails if it is gone already, which will show
        }
    }

    /// Throws away what comes in; true once the other end has closed too.
    pub(crate) fn drained(&mut self, buffer: &mut [u8]) -> bool {
        let Some(stream) = &mut self.stream else { return true };
        if self.ended {
            return true;
        }
        for _ in 0..DRAIN_READS {
            match stream.read(buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return false,
                    io::ErrorKind::Interrupted => {}
                    _ => return true,
                },
            }
        }
        // Still sending that much to a connection we closed: not worth waiting for.
        true
    }
}

impl AsMut<ReadySet> for Connection {
    fn as_mut(&mut self) -> &mut ReadySet {
        &mut self.ready
    }
}

/// The reason a socket error is, `other` if none fits.
pub(crate) fn reason(error: &io::Error, other: CloseReason) -> CloseReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => CloseReason::Refused,
        io::ErrorKind::TimedOut => CloseReason::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => CloseReason::Reset,
        _ => other,
    }
}
