//! The console for one user: bytes in, bytes out, a deadline.

use super::execute::{Outcome, execute_line};
use super::host::{Host, Origin};
use super::line::{Ended, LineReader};
use super::output::Output;
use super::{IDLE_MS, MAX_LINE, PROMPT};
use crate::engine::Millis;

/// Least room for output that makes sense: a reply of `show config` is about 1.5 KB.
pub const LEAST_OUTPUT: usize = 4096;

/// A session that has ended waits so long for its user to read the rest, milliseconds.
const LINGER_MS: Millis = 10_000;

/// A session.
///
/// Order of calls: bytes that came to [`Session::receive`] until it takes all; what is in [`Session::output`] to the
/// user, and [`Session::sent`]; close the connection when [`Session::is_over`]; [`Session::handle_timeout`] at
/// [`Session::poll_at`].
#[derive(Debug)]
pub struct Session {
    origin: Origin,
    reader: LineReader,
    output: Output,
    last_input: Millis,
    ended: bool,
}

impl Session {
    /// A session whose user sees the prompt. `output` bytes at most wait to be sent, [`LEAST_OUTPUT`] at least.
    pub fn new(origin: Origin, output: usize, now: Millis) -> Session {
        let mut session = Session {
            origin,
            reader: LineReader::new(matches!(origin, Origin::Remote(_))),
            output: Output::new(output.max(LEAST_OUTPUT)),
            last_input: now,
            ended: false,
        };
        session.output.end_reply(PROMPT);
        session
    }

    /// Who this is for.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Takes bytes from the user and carries out the lines in them; returns how many it took. It stops behind a
    /// line when so much output waits that the next reply might not fit: give it the rest when that is sent.
    pub fn receive(&mut self, bytes: &[u8], now: Millis, host: &mut dyn Host) -> usize {
        if !bytes.is_empty() {
            self.last_input = now;
        }
        for (at, byte) in bytes.iter().enumerate() {
            if self.ended {
                return bytes.len();
            }
            if self.output.is_busy() {
                return at;
            }
            if let Some(ended) = self.reader.push(*byte) {
                self.line(ended, now, host);
            }
        }
        bytes.len()
    }

    /// What waits to be sent to the user.
    pub fn output(&self) -> &[u8] {
        self.output.bytes()
    }

    /// So many bytes of it have been sent.
    pub fn sent(&mut self, n: usize) {
        self.output.sent(n);
    }

    /// Tells the user something nobody asked for at this moment, such as the end of an upload: whole lines, which
    /// take the place of the prompt, and a new prompt. Dropped if the user does not read.
    pub fn report(&mut self, text: &[u8]) {
        if !self.ended {
            self.output.put(b"\r");
            self.print(text);
            if !text.ends_with(b"\n") {
                self.output.put(b"\r\n");
            }
            self.output.end_reply(PROMPT);
        }
    }

    /// Sends text as it is, with LF made CR LF: what a script prints. Dropped if the user does not read.
    pub fn print(&mut self, text: &[u8]) {
        if !self.ended {
            super::show::lines(text, &mut self.output);
        }
    }

    /// All has been said and sent: the connection is to be closed. The serial line's session is never over.
    pub fn is_over(&self) -> bool {
        self.ended && self.output.bytes().is_empty()
    }

    /// When [`Session::handle_timeout`] wants to be called.
    pub fn poll_at(&self) -> Option<Millis> {
        let patience = if self.ended { LINGER_MS } else { IDLE_MS };
        let closes = matches!(self.origin, Origin::Remote(_));
        closes.then(|| self.last_input.saturating_add(patience))
    }

    /// Ends a session in which nobody typed for [`IDLE_MS`], and makes one that has ended over if its user does
    /// not read the rest.
    pub fn handle_timeout(&mut self, now: Millis) {
        if self.poll_at().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.ended {
            self.output.clear();
            return;
        }
        self.output.put(b"\r\n");
        self.output.line(format_args!("Console closed: nobody typed for {} s", IDLE_MS / 1000));
        self.ended = true;
        self.last_input = now;
    }

    fn line(&mut self, ended: Ended, now: Millis, host: &mut dyn Host) {
        let outcome = match ended {
            Ended::Line => {
                let line = self.reader.take();
                execute_line(&line, self.origin, now, host, &mut self.output)
            }
            Ended::TooLong => {
                self.output.line(format_args!("Line too long (at most {MAX_LINE} bytes)"));
                Outcome::Continue
            }
        };
        let remote = matches!(self.origin, Origin::Remote(_));
        match outcome {
            Outcome::Quit | Outcome::Restart if remote => {
                self.output.end_reply(b"");
                self.ended = true;
            }
            Outcome::Restart => self.output.end_reply(b""),
            Outcome::Continue | Outcome::Quit => self.output.end_reply(PROMPT),
        }
    }
}
