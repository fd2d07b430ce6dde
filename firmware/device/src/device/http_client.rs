//! The HTTP requests of scripts: one at a time, in order, each with an answer.

use alloc::vec::Vec;

use umqtt_memory::{STEP_MARGIN, Share, reserve};

use umqtt_net::Instant;

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use crate::platform::Platform;

use crate::http::{Fetch, FetchError, HttpRequest, Overflow, ReadError, Response, Url};
use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent};
use crate::printable::Printable;

/// An answer for the script.
#[derive(Debug)]
pub(super) struct PendingResponse {
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    /// The status; `000` if there was no answer.
    pub(super) code: [u8; 3],
    pub(super) body: Vec<u8>,
    /// The body is only the beginning of what came.
    pub(super) cut: bool,
}

impl PendingResponse {
    /// No answer: the script waits for one, and can tell by the path what it asked for.
    fn none(path: Vec<u8>) -> PendingResponse {
        let (host, body) = (Vec::new(), Vec::new());
        PendingResponse { host, path, code: *b"000", body, cut: false }
    }
}

/// The request that is under way, or its answer until the script has room for it.
#[derive(Debug, Default)]
pub(super) struct HttpClient {
    fetch: Option<Fetch>,
    /// What the script asked for: redirects do not change the URL in its event.
    asked: Option<Url>,
    pub(super) answer: Option<PendingResponse>,
}

impl<P: Platform> Service<P> for HttpClient {
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        let its = device.http.owns(conn);
        if its {
            device.http.handle(event, &mut device.state, net);
        }
        its
    }

    fn handle_timeout(device: &mut Device<P>, net: &mut dyn Net) {
        let now = device.state.now;
        if device.http.deadline().is_some_and(|at| at <= now) && device.state.has_margin() {
            device.http.handle_deadline(&mut device.state, net);
        }
    }

    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        device.http.start(&mut device.state, net)
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.http.deadline()
    }
}

impl HttpClient {
    fn owns(&self, conn: ConnId) -> bool {
        self.fetch.as_ref().is_some_and(|fetch| fetch.conn() == conn)
    }

    fn deadline(&self) -> Option<Instant> {
        self.fetch.as_ref().map(Fetch::poll_at)
    }

    /// Starts the next request if none is under way; true if that has its answer at once.
    fn start<P: Platform>(&mut self, state: &mut DeviceState<P>, net: &mut dyn Net) -> bool {
        if self.fetch.is_some() || self.answer.is_some() {
            return false;
        }
        if state.requests.is_empty() || !state.has_margin() {
            return false;
        }
        let Some(request) = state.requests.pop() else { return false };
        let Some((text, post)) = request else {
            self.answer = Some(PendingResponse::none(Vec::new()));
            return true;
        };
        // With the URL that the script asked for. What the last answer held is free, and those that
        // wait have a part of their own.
        let needed = Fetch::needs(text.len()) + 2 * text.len();
        state.ledger[Share::Http].set_used(self.memory());
        let within = state.ledger[Share::Http].admits(needed);
        if !within || !state.may_pass(needed) || !reserve(needed + STEP_MARGIN) {
            if within {
                state.ledger[Share::Http].refuse();
            }
            let error = FetchError::NoMemory;
            state.log(Level::Script, format_args!("HTTP request not made: {error}"));
            self.answer = Some(PendingResponse::none(text));
            return true;
        }
        let url = match Url::parse(&text) {
            Ok(url) => url,
            Err(error) => {
                let shown = Printable(&text);
                state.log(Level::Script, format_args!("HTTP request to {shown} failed: {error}"));
                self.answer = Some(PendingResponse::none(text));
                return true;
            }
        };
        self.asked = Some(url.clone());
        let limit = state.options.profile.value;
        let request = HttpRequest { url, post, limit, overflow: Overflow::Cut };
        match Fetch::start(request, state.now, net) {
            Ok(fetch) => self.fetch = Some(fetch),
            Err(error) => self.done(Err(FetchError::Net(error)), state),
        }
        self.answer.is_some()
    }

    fn handle<P: Platform>(
        &mut self,
        event: NetEvent,
        state: &mut DeviceState<P>,
        net: &mut dyn Net,
    ) {
        let outcome = self.fetch.as_mut().and_then(|fetch| fetch.handle(event, state.now, net));
        if let Some(outcome) = outcome {
            self.done(outcome, state);
        }
    }

    fn handle_deadline<P: Platform>(&mut self, state: &mut DeviceState<P>, net: &mut dyn Net) {
        let outcome = self.fetch.as_mut().and_then(|fetch| fetch.handle_timeout(state.now, net));
        if let Some(outcome) = outcome {
            self.done(outcome, state);
        }
    }

    /// Gives up what is under way: the script that asked is gone. True if there was something.
    pub(super) fn cancel(&mut self, net: &mut dyn Net) -> bool {
        let was = self.fetch.is_some() || self.answer.is_some();
        if let Some(fetch) = self.fetch.take() {
            fetch.cancel(net);
        }
        self.answer = None;
        was
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        let url = self.asked.as_ref();
        let asked = url.map_or(0, |url| url.host.capacity() + url.path.capacity());
        let answer = self.answer.as_ref().map_or(0, |answer| {
            answer.host.capacity() + answer.path.capacity() + answer.body.capacity()
        });
        self.fetch.as_ref().map_or(0, Fetch::memory) + asked + answer
    }

    fn done<P: Platform>(
        &mut self,
        outcome: Result<Response, FetchError>,
        state: &mut DeviceState<P>,
    ) {
        self.fetch = None;
        let Some(url) = self.asked.take() else { return };
        let response = outcome.unwrap_or_else(|error| {
            let host = &url.host;
            state.log(Level::Script, format_args!("HTTP request to {host} failed: {error}"));
            if matches!(error, FetchError::NoMemory | FetchError::Read(ReadError::NoMemory)) {
                state.ledger[Share::Http].refuse();
            }
            Response::default()
        });
        if response.cut {
            let (host, most) = (&url.host, response.body.len());
            state.log(
                Level::Script,
                format_args!(
                    "Script warning: the answer of {host} is longer than {most} bytes, cut"
                ),
            );
        }
        let digit = |unit| b'0' + (response.status / unit % 10) as u8;
        self.answer = Some(PendingResponse {
            host: url.host.into_bytes(),
            path: url.path.into_bytes(),
            code: [digit(100), digit(10), digit(1)],
            body: response.body,
            cut: response.cut,
        });
    }
}
