//! A script pushed to a port: one connection, in time, whole. What comes goes to flash at once.
//!
//! The end of a script is the end of what the other end sends. Many people's `nc` does not tell
//! that end though it has sent all (it waits for us to close); so a script after which it is quiet
//! for [`QUIET`] is looked at, and taken if it ends with a line end and is a correct script as it
//! stands.

use umqtt_vm::Profile;

use super::{ScriptSink, check};
use umqtt_net::{Duration, Instant};

use crate::http::foreign_protocol::{self, ForeignProtocol};
use crate::net::{CloseReason, ConnId, Net, NetError, NetEvent};
use crate::storage::StorageError;

/// Milliseconds in which a peer has to connect.
pub const TO_CONNECT: Duration = Duration::from_millis(60_000);
/// Milliseconds without a byte after which a sender is given up.
pub const IDLE: Duration = Duration::from_millis(10_000);
/// Milliseconds a sender has for all of it: the port is taken meanwhile.
pub const TOTAL: Duration = Duration::from_millis(300_000);
/// Milliseconds without a byte after which what came is tried as it is.
pub const QUIET: Duration = Duration::from_millis(2_000);

/// Bytes of the first line that are looked at, to tell HTTP from a script.
const FIRST: usize = 128;

/// Why a push gave no script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// No peer connected in time.
    NobodyCame,
    /// The sender fell silent without closing the connection.
    Idle,
    /// It was not all there in time.
    TooSlow,
    /// The connection broke.
    Broken,
    /// It is larger than this device takes, bytes.
    TooLarge(usize),
    /// It cannot be kept.
    Storage(StorageError),
    /// What had come of it was deleted.
    Deleted,
}

impl core::fmt::Display for PushError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            PushError::NobodyCame => f.write_str("nobody connected"),
            PushError::Idle => {
                f.write_str("nothing came for 10 seconds and the connection was not closed")
            }
            PushError::TooSlow => {
                write!(f, "it was not all there after {} minutes", TOTAL.as_secs() / 60)
            }
            PushError::Broken => f.write_str("the connection broke"),
            PushError::TooLarge(limit) => {
                write!(f, "the script is too long: at most {limit} bytes")
            }
            PushError::Storage(error) => write!(f, "the script cannot be kept: {error}"),
            PushError::Deleted => f.write_str("the scripts were deleted meanwhile"),
        }
    }
}

impl core::error::Error for PushError {}

/// What a push has come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing yet.
    Waiting,
    /// This may be all of it, though the sender did not close: take it if it is a correct script,
    /// and let it go on if not.
    Perhaps,
    /// This is all of it.
    Done,
    /// It failed; the connection is closed.
    Failed(PushError),
    /// The sender was a browser, or said nothing at all: its connection is closed, and the port
    /// waits again for one who sends a script. What came is to be forgotten; `None` if nothing did.
    ForeignProtocol(Option<ForeignProtocol>),
}

/// A port that waits for a script.
#[derive(Debug)]
pub struct Push {
    port: u16,
    /// The port is open: until somebody has sent something.
    listens: bool,
    conn: Option<ConnId>,
    /// Bytes that came.
    received: usize,
    /// The first of them, up to the end of the first line.
    first: heapless::Vec<u8, FIRST>,
    /// When the port closes if no peer has connected.
    wait_until: Instant,
    give_up_at: Instant,
    /// It has to be all there by then.
    end_at: Instant,
    try_at: Option<Instant>,
}

impl Push {
    /// Opens the port.
    ///
    /// # Errors
    /// [`NetError`] when the port cannot be had.
    pub fn start(port: u16, now: Instant, net: &mut dyn Net) -> Result<Push, NetError> {
        let port = net.listen(port)?;
        let give_up_at = now + TO_CONNECT;
        Ok(Push {
            port,
            listens: true,
            conn: None,
            received: 0,
            first: heapless::Vec::new(),
            wait_until: give_up_at,
            give_up_at,
            end_at: Instant::MAX,
            try_at: None,
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The connection that sends, once there is one.
    pub fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// Takes a new connection. True if it is the one that may send: the first, or one that comes
    /// while the one before has sent nothing, which gives way. So silence keeps no sender out.
    pub fn accept(&mut self, conn: ConnId, now: Instant, net: &mut dyn Net) -> bool {
        if let Some(silent) = self.conn {
            let says =
                self.received > 0 || !self.first.is_empty() || net.peek(silent, &mut [0]) > 0;
            if says || now >= self.wait_until {
                return false;
            }
            net.abort(silent);
        }
        self.conn = Some(conn);
        self.give_up_at = now + IDLE;
        self.end_at = now + TOTAL;
        true
    }

    /// When to call [`Push::handle_timeout`].
    pub fn poll_at(&self) -> Instant {
        self.try_at.map_or(self.give_up_at, |at| at.min(self.give_up_at)).min(self.end_at)
    }

    /// Something happened on its connection.
    pub fn handle(
        &mut self,
        event: NetEvent,
        now: Instant,
        profile: &Profile,
        net: &mut dyn Net,
        incoming: &mut dyn ScriptSink,
    ) -> Progress {
        match event {
            NetEvent::Readable(conn) => self.receive(conn, now, profile, net, incoming),
            NetEvent::PeerClosed(conn) | NetEvent::Closed(conn, CloseReason::Done)
                if foreign_protocol::is_http_line(&self.first) =>
            {
                self.send_away(conn, Some(ForeignProtocol::Http), net)
            }
            NetEvent::PeerClosed(_) | NetEvent::Closed(_, CloseReason::Done) => {
                if incoming.len() == self.received {
                    Progress::Done
                } else {
                    Progress::Failed(PushError::Deleted)
                }
            }
            NetEvent::Closed(..) => Progress::Failed(PushError::Broken),
            _ => Progress::Waiting,
        }
    }

    /// Time passed.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        net: &mut dyn Net,
        incoming: &dyn ScriptSink,
    ) -> Progress {
        if now >= self.end_at {
            return Progress::Failed(PushError::TooSlow);
        }
        if now >= self.give_up_at {
            if let Some(conn) = self.conn
                && self.received == 0
                && now < self.wait_until
            {
                return self.send_away(conn, None, net);
            }
            let came = self.conn.is_some();
            return Progress::Failed(if came { PushError::Idle } else { PushError::NobodyCame });
        }
        if self.try_at.is_some_and(|at| now >= at) {
            self.try_at = None;
            let whole = check::is_image(incoming.head()) || incoming.last() == Some(b'\n');
            if whole && incoming.len() == self.received {
                return Progress::Perhaps;
            }
        }
        Progress::Waiting
    }

    /// Ends it: the port, and the connection after what was sent to it.
    pub fn stop(&self, net: &mut dyn Net) {
        if let Some(conn) = self.conn {
            net.close(conn);
        }
        if self.listens {
            net.unlisten(self.port);
        }
    }

    /// Closes the connection, and waits for the next.
    fn send_away(
        &mut self,
        conn: ConnId,
        what: Option<ForeignProtocol>,
        net: &mut dyn Net,
    ) -> Progress {
        net.abort(conn);
        (self.conn, self.received, self.try_at) = (None, 0, None);
        (self.give_up_at, self.end_at) = (self.wait_until, Instant::MAX);
        self.first.clear();
        if self.listens {
            return Progress::ForeignProtocol(what);
        }
        self.listens = true;
        match net.listen(self.port) {
            Ok(port) => {
                self.port = port;
                Progress::ForeignProtocol(what)
            }
            Err(_) => {
                self.listens = false;
                Progress::Failed(PushError::Broken)
            }
        }
    }

    /// Looks at the first line: whether it is a script's.
    fn stranger(&mut self, new: &[u8]) -> Option<ForeignProtocol> {
        if self.first.is_full() || self.first.contains(&b'\n') {
            return None;
        }
        for byte in new {
            let blank = self.first.is_empty() && byte.is_ascii_whitespace();
            // What there is no room for is not looked at.
            if !blank && (self.first.push(*byte).is_err() || *byte == b'\n') {
                break;
            }
        }
        if self.first.first().is_some_and(|first| foreign_protocol::is_record_start(*first)) {
            return Some(ForeignProtocol::Binary);
        }
        let http = foreign_protocol::begins_as_request(&self.first)
            || self.first.ends_with(b"\n") && foreign_protocol::is_http_line(&self.first);
        http.then_some(ForeignProtocol::Http)
    }

    fn receive(
        &mut self,
        conn: ConnId,
        now: Instant,
        profile: &Profile,
        net: &mut dyn Net,
        incoming: &mut dyn ScriptSink,
    ) -> Progress {
        let (mut wrong, mut received, mut stranger) = (None, self.received, None);
        let taken = net.recv(conn, &mut |new| {
            stranger = stranger.or_else(|| self.stranger(new));
            // What comes behind a mistake is thrown away.
            if wrong.is_none() && stranger.is_none() {
                wrong = take(received, new, profile, incoming).err();
                received += new.len();
            }
            new.len()
        });
        if stranger.is_some() {
            return self.send_away(conn, stranger, net);
        }
        self.received = received;
        if let Some(error) = wrong {
            return Progress::Failed(error);
        }
        if taken > 0 {
            if core::mem::take(&mut self.listens) {
                net.unlisten(self.port);
            }
            self.give_up_at = now + IDLE;
            self.try_at = Some(now + QUIET);
        }
        Progress::Waiting
    }
}

/// Keeps what came behind `received` bytes, unless it is too much.
fn take(
    received: usize,
    new: &[u8],
    profile: &Profile,
    incoming: &mut dyn ScriptSink,
) -> Result<(), PushError> {
    if incoming.len() != received {
        return Err(PushError::Deleted);
    }
    let too_large = |head: &[u8], len: usize| {
        let limit = check::limit(head, profile);
        if len > limit { Err(PushError::TooLarge(limit)) } else { Ok(()) }
    };
    let first = if received == 0 { new } else { incoming.head() };
    too_large(first, received + new.len())?;
    incoming.append(new).map_err(PushError::Storage)?;
    too_large(incoming.head(), incoming.len())
}
