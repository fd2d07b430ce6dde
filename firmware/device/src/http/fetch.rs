//! One request, from its connection to its response: sends it, reads the answer, follows redirects,
//! gives up in time.
//!
//! Drive it with every [`NetEvent`] of its connection ([`Fetch::conn`], which changes with a
//! redirect) and with [`Fetch::handle_timeout`]; either may give the outcome, after which it is
//! over and its connection closed.

use alloc::string::String;
use alloc::vec::Vec;

use super::reader::Reader;
use super::response::{Overflow, ReadError, Response};
use super::url::{Url, UrlError};
use crate::net::{CloseReason, ConnId, Net, NetError, NetEvent};
use umqtt_net::{Duration, Instant};

/// Redirects followed.
pub const MAX_REDIRECTS: u8 = 3;
/// Milliseconds without progress after which it is given up.
pub const IDLE_TIMEOUT: Duration = Duration::from_millis(10_000);
/// Milliseconds all of it may take.
pub const TOTAL_TIMEOUT: Duration = Duration::from_millis(60_000);

/// What to ask for.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Where.
    pub url: Url,
    /// `Some` makes it a POST with this body.
    pub post: Option<Vec<u8>>,
    /// Longest body of the response, bytes.
    pub limit: usize,
    /// What becomes of a longer one.
    pub overflow: Overflow,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The network has no room for a connection.
    Net(NetError),
    /// The connection could not be made, or broke.
    Connection(CloseReason),
    /// It took too long.
    TimedOut,
    /// The answer cannot be read.
    Read(ReadError),
    /// A redirect leads nowhere.
    Redirect(UrlError),
    /// There were more than [`MAX_REDIRECTS`] redirects.
    TooManyRedirects,
    /// There is no memory for it.
    NoMemory,
}

impl core::fmt::Display for FetchError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            FetchError::Net(error) => error.fmt(f),
            FetchError::Connection(reason) => f.write_str(match reason {
                CloseReason::Done => "the connection was closed",
                CloseReason::Reset => "the connection broke",
                CloseReason::NameNotFound => "the host name is unknown",
                CloseReason::Refused => "the connection was refused",
                CloseReason::TimedOut => "the host does not answer",
            }),
            FetchError::TimedOut => f.write_str("it took too long"),
            FetchError::Read(error) => error.fmt(f),
            FetchError::Redirect(error) => write!(f, "its redirect cannot be followed: {error}"),
            FetchError::TooManyRedirects => f.write_str("too many redirects"),
            FetchError::NoMemory => f.write_str("not enough memory for the request"),
        }
    }
}

impl core::error::Error for FetchError {}

/// How a fetch ended.
pub type FetchResult = Result<Response, FetchError>;

/// A request under way.
#[derive(Debug)]
pub struct Fetch {
    request: HttpRequest,
    conn: ConnId,
    /// The head of the request, to be sent once connected; the body comes behind it.
    head: Vec<u8>,
    /// Bytes of both that are sent.
    sent: usize,
    connected: bool,
    reader: Option<Reader>,
    redirects: u8,
    idle_at: Instant,
    give_up_at: Instant,
}

impl Fetch {
    /// Starts a request.
    ///
    /// # Errors
    /// [`NetError`] when no connection can be made.
    pub fn start(request: HttpRequest, now: Instant, net: &mut dyn Net) -> Result<Fetch, NetError> {
        let conn = net.connect(&request.url.host, request.url.port)?;
        let mut fetch = Fetch {
            request,
            conn,
            head: Vec::new(),
            sent: 0,
            connected: false,
            reader: None,
            redirects: 0,
            idle_at: now + IDLE_TIMEOUT,
            give_up_at: now + TOTAL_TIMEOUT,
        };
        fetch.prepare();
        Ok(fetch)
    }

    /// The connection it uses now.
    pub fn conn(&self) -> ConnId {
        self.conn
    }

    /// What was asked for, or where redirects have led.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// What has come of the body of a response with status 200 since this was last called; the
    /// outcome has the rest.
    pub fn take_body(&mut self) -> Vec<u8> {
        self.reader.as_mut().map(Reader::take_body).unwrap_or_default()
    }

    /// Bytes of the body that are known to come.
    pub fn expected(&self) -> u64 {
        self.reader.as_ref().map_or(0, Reader::expected)
    }

    /// When to call [`Fetch::handle_timeout`].
    pub fn poll_at(&self) -> Instant {
        self.idle_at.min(self.give_up_at)
    }

    /// Something happened on its connection.
    pub fn handle(
        &mut self,
        event: NetEvent,
        now: Instant,
        net: &mut dyn Net,
    ) -> Option<FetchResult> {
        let done = match event {
            NetEvent::Connected(_) => {
                self.connected = true;
                self.transmit(now, net);
                return None;
            }
            NetEvent::Writable(_) => {
                self.transmit(now, net);
                return None;
            }
            NetEvent::Readable(_) => self.receive(now, net),
            NetEvent::PeerClosed(_) => self.reader_mut().finished().map(|()| true),
            NetEvent::Closed(_, CloseReason::Done) if self.connected => {
                self.reader_mut().finished().map(|()| true)
            }
            NetEvent::Closed(_, reason) => {
                return Some(Err(FetchError::Connection(reason)));
            }
            NetEvent::Accepted { .. } | NetEvent::Resolved(..) | NetEvent::Datagram(_) => {
                return None;
            }
        };
        match done {
            Ok(false) => None,
            Ok(true) => {
                net.close(self.conn);
                self.complete(now, net)
            }
            Err(error) => {
                net.close(self.conn);
                Some(Err(FetchError::Read(error)))
            }
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, net: &mut dyn Net) -> Option<FetchResult> {
        if now < self.poll_at() {
            return None;
        }
        net.abort(self.conn);
        Some(Err(FetchError::TimedOut))
    }

    /// Gives it up.
    pub fn cancel(self, net: &mut dyn Net) {
        net.abort(self.conn);
    }

    /// Bytes that a request for a URL of this length may take, its own copy and the body of a POST
    /// not counted.
    pub const fn needs(url: usize) -> usize {
        2 * url + 320
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        let url = &self.request.url;
        let own = url.host.capacity() + url.path.capacity() + self.head.capacity();
        let post = self.request.post.as_ref().map_or(0, Vec::capacity);
        own + post + self.reader.as_ref().map_or(0, Reader::memory)
    }

    fn prepare(&mut self) {
        let HttpRequest { url, post, limit, overflow } = &self.request;
        let mut head = String::new();
        let method = if post.is_some() { "POST" } else { "GET" };
        let host = url.host_header();
        head += &alloc::format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n", url.path);
        head += "User-Agent: umqtt\r\nAccept: */*\r\nAccept-Encoding: identity\r\n";
        head += "Connection: close\r\n";
        if let Some(body) = post {
            head += "Content-Type: application/x-www-form-urlencoded\r\n";
            head += &alloc::format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.head = head.into_bytes();
        self.sent = 0;
        self.connected = false;
        self.reader = Some(Reader::new(*limit, *overflow));
    }

    fn reader_mut(&mut self) -> &mut Reader {
        let (limit, overflow) = (self.request.limit, self.request.overflow);
        self.reader.get_or_insert_with(|| Reader::new(limit, overflow))
    }

    fn transmit(&mut self, now: Instant, net: &mut dyn Net) {
        let head = self.head.len();
        let body = self.request.post.as_deref().unwrap_or_default();
        if !self.connected || self.sent == head + body.len() {
            return;
        }
        self.idle_at = now + IDLE_TIMEOUT;
        if self.sent < head {
            self.sent += net.send(self.conn, &self.head[self.sent..]);
        }
        if self.sent >= head && self.sent < head + body.len() {
            self.sent += net.send(self.conn, &body[self.sent - head..]);
        }
    }

    fn receive(&mut self, now: Instant, net: &mut dyn Net) -> Result<bool, ReadError> {
        let conn = self.conn;
        let reader = self.reader_mut();
        let mut result = Ok(false);
        let taken = net.recv(conn, &mut |bytes| {
            // What comes after the end or after an error is thrown away.
            if result == Ok(false) {
                result = reader.receive(bytes);
            }
            bytes.len()
        });
        if taken > 0 {
            self.idle_at = now + IDLE_TIMEOUT;
        }
        result
    }

    /// The response is whole: the outcome, unless it leads elsewhere.
    fn complete(&mut self, now: Instant, net: &mut dyn Net) -> Option<FetchResult> {
        let response = self.reader.take().map(Reader::into_response).unwrap_or_default();
        let location = match (response.status, &response.location) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => location,
            _ => return Some(Ok(response)),
        };
        if self.redirects == MAX_REDIRECTS {
            return Some(Err(FetchError::TooManyRedirects));
        }
        self.redirects += 1;
        self.head = Vec::new();
        let Url { host, path, .. } = &self.request.url;
        if !umqtt_memory::reserve(2 * Fetch::needs(host.len() + path.len() + location.len())) {
            return Some(Err(FetchError::NoMemory));
        }
        self.request.url = match self.request.url.join(location) {
            Ok(url) => url,
            Err(error) => return Some(Err(FetchError::Redirect(error))),
        };
        // As browsers do: only these two repeat the POST.
        if !matches!(response.status, 307 | 308) {
            self.request.post = None;
        }
        self.conn = match net.connect(&self.request.url.host, self.request.url.port) {
            Ok(conn) => conn,
            Err(error) => return Some(Err(FetchError::Net(error))),
        };
        self.idle_at = now + IDLE_TIMEOUT;
        self.prepare();
        None
    }
}
