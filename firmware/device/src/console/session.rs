//! The console for one user: bytes in, bytes out, a deadline.

use alloc::vec::Vec;
use core::fmt;

use umqtt_memory::try_room_exact;

use super::device_control::{DeviceControl, Origin};
use super::execute::{CommandOutcome, LongReply, execute_line, resume_reply};
use super::line::{Ended, LineReader};
use super::output::Output;
use super::{IDLE_TIMEOUT, MAX_LINE, PROMPT};
use umqtt_net::{Duration, Instant};

use crate::http::foreign_protocol::{self, ForeignProtocol};
use crate::printable::pieces;

/// Least room for output that makes sense: a line or two.
pub const LEAST_OUTPUT: usize = 256;

/// Longest report that waits for its user to read, bytes.
const MAX_REPORT: usize = 2048;

/// Lines that come so soon behind one of a script were pasted with it: they are not executed, as
/// some are commands too.
const PASTE: Duration = Duration::from_secs(1);

/// A session that has ended waits so long for its user to read the rest, milliseconds.
const LINGER: Duration = Duration::from_millis(10_000);

/// A session.
///
/// Order of calls: bytes that came to [`Session::receive`] until it takes all; what is in
/// [`Session::output`] to the user, and [`Session::sent`]; close the connection when
/// [`Session::is_over`]; [`Session::handle_timeout`] at [`Session::poll_at`].
#[derive(Debug)]
pub struct Session {
    origin: Origin,
    reader: LineReader,
    output: Output,
    /// The rest of the last reply.
    more: Option<LongReply>,
    /// What [`report`](Self::report) was given and there was no room for yet.
    report: Vec<u8>,
    /// What it shows when it waits for a line; empty where the board edits lines and shows that
    /// itself.
    prompt: &'static [u8],
    /// The prompt, and the line being typed, are the last that was shown, or need not be shown.
    prompted: bool,
    last_input: Instant,
    /// Until then lines count as pasted with one of a script.
    pasting: Instant,
    /// Nothing has come yet.
    fresh: bool,
    /// It was given a command that there is.
    commanded: bool,
    ended: bool,
}

impl Session {
    /// A session whose user sees the prompt. `output` bytes at most wait to be sent,
    /// [`LEAST_OUTPUT`] at least.
    pub fn new(origin: Origin, output: usize, now: Instant) -> Session {
        Session::with_prompt(origin, PROMPT, output, now)
    }

    /// The same with another prompt, or none.
    pub fn with_prompt(
        origin: Origin,
        prompt: &'static [u8],
        output: usize,
        now: Instant,
    ) -> Session {
        let mut session = Session {
            origin,
            reader: LineReader::new(matches!(origin, Origin::Network(_))),
            output: Output::new(output.max(LEAST_OUTPUT)),
            more: None,
            report: Vec::new(),
            prompt,
            prompted: true,
            last_input: now,
            pasting: Instant::ZERO,
            fresh: true,
            commanded: false,
            ended: false,
        };
        session.output.end_reply(prompt);
        session
    }

    /// Who this is for.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Takes bytes from the user and carries out the lines in them; returns how many it took. It
    /// stops behind a line when so much output waits that the next reply might not fit: give it the
    /// rest when that is sent.
    pub fn receive(&mut self, bytes: &[u8], now: Instant, device: &mut dyn DeviceControl) -> usize {
        if !bytes.is_empty() {
            self.last_input = now;
        }
        self.resume(device);
        for (at, byte) in bytes.iter().enumerate() {
            if self.ended {
                return bytes.len();
            }
            if self.has_more() || self.output.is_busy() {
                return at;
            }
            let first = core::mem::take(&mut self.fresh);
            if first && self.is_remote() && foreign_protocol::is_record_start(*byte) {
                self.refuse_stranger(ForeignProtocol::Binary, device);
                return bytes.len();
            }
            if let Some(ended) = self.reader.push(*byte) {
                self.line(ended, now, device);
            }
        }
        bytes.len()
    }

    /// Goes on with a reply that is made in pieces, if there is room for one.
    pub fn resume(&mut self, device: &mut dyn DeviceControl) {
        if !self.output.is_busy()
            && let Some(reply) = self.more.take()
        {
            let outcome = resume_reply(reply, device, &mut self.output);
            self.end(outcome);
        }
        self.send_report();
        self.show_prompt();
    }

    /// Whether a line of a reply or a report has begun, and the rest of it is still to come.
    pub fn is_in_line(&self) -> bool {
        (self.more.is_some() || !self.report.is_empty()) && self.output.is_open()
    }

    /// Whether a reply, a report or a prompt waits for [`resume`](Self::resume).
    pub fn has_more(&self) -> bool {
        self.more.is_some() || !self.report.is_empty() || self.owes_prompt()
    }

    /// Sets how many bytes the line that is being typed may take; a short one always has its room.
    pub fn set_line_room(&mut self, bytes: usize) {
        self.reader.set_room(bytes);
    }

    /// Bytes of the line that is being typed.
    pub fn line_memory(&self) -> usize {
        self.reader.memory()
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        self.output.memory() + self.reader.memory() + self.report.capacity()
    }

    /// What waits to be sent to the user.
    pub fn output(&self) -> &[u8] {
        self.output.bytes()
    }

    /// So many bytes of it have been sent.
    pub fn sent(&mut self, n: usize) {
        self.output.sent(n);
    }

    /// Whether a [`report`](Self::report) would be shown at once.
    pub fn takes_report(&self) -> bool {
        self.ended || self.report.is_empty() && self.more.is_none() && !self.output.is_busy()
    }

    /// Shows the user a line that is no reply, such as the end of an upload:
    /// whole lines, which take the place of the prompt, and a new prompt. Dropped if the user does
    /// not read.
    pub fn report(&mut self, text: &[u8]) {
        if self.ended {
            return;
        }
        let before = self.report.len();
        let end = if text.ends_with(b"\n") { &b""[..] } else { b"\r\n" };
        let whole = self
            .put_report(b"\r")
            .and_then(|()| pieces(text, true, &mut |piece| self.put_report(piece.as_bytes())))
            .and_then(|()| self.put_report(end));
        if whole.is_err() {
            self.report.truncate(before);
            self.output.cut();
            return;
        }
        self.send_report();
        self.show_prompt();
    }

    fn put_report(&mut self, text: &[u8]) -> fmt::Result {
        let len = text.len();
        if self.report.len() + len > MAX_REPORT || !try_room_exact(&mut self.report, len) {
            return Err(fmt::Error);
        }
        self.report.extend_from_slice(text);
        Ok(())
    }

    /// Moves what there is room for of a report, behind the reply that is being made.
    fn send_report(&mut self) {
        if self.more.is_none() && !self.report.is_empty() {
            self.prompted = false;
            let taken = self.output.take(&self.report);
            self.report.drain(..taken);
            if self.report.is_empty() {
                self.report = Vec::new();
            }
        }
    }

    /// Sends text as it is, with LF made CR LF: what a script prints. It takes the place of the
    /// prompt and of what has been typed, which follow when the line is whole. Returns how much of
    /// it there was room for.
    pub fn print(&mut self, text: &[u8]) -> usize {
        if self.ended {
            return text.len();
        }
        if self.is_in_line() {
            return 0; // that line first
        }
        if self.prompted {
            if self.output.room() == 0 {
                return 0;
            }
            self.prompted = false;
            for lead in over(self.prompt.len() + self.reader.typed().len(), text) {
                self.output.lead(lead);
            }
        }
        let taken = self.output.take(text);
        self.show_prompt();
        taken
    }

    /// The prompt and what has been typed behind it, if they are the last that was shown.
    pub fn shown_line(&self) -> Option<(&'static [u8], &[u8])> {
        let waits = self.prompted && !self.ended && !self.prompt.is_empty();
        waits.then(|| (self.prompt, self.reader.typed()))
    }

    fn owes_prompt(&self) -> bool {
        !self.prompted && !self.ended && !self.output.is_open()
    }

    /// Shows the prompt and what has been typed again, if something has taken their place.
    fn show_prompt(&mut self) {
        if self.more.is_none() && self.report.is_empty() && self.owes_prompt() {
            self.prompted = self.output.prompt(self.prompt, self.reader.typed());
        }
    }

    /// Marks that text was left out which there was no room for.
    pub fn cut(&mut self) {
        if !self.ended {
            self.output.cut();
        }
    }

    /// Whether it was given a command that there is; until then it may be anybody's.
    pub fn has_commanded(&self) -> bool {
        self.commanded
    }

    /// All output has been sent: the connection is to be closed. The serial line's session is
    /// never over.
    pub fn is_over(&self) -> bool {
        self.ended && self.output.bytes().is_empty()
    }

    /// When [`Session::handle_timeout`] wants to be called.
    pub fn poll_at(&self) -> Option<Instant> {
        let patience = if self.ended { LINGER } else { IDLE_TIMEOUT };
        let closes = matches!(self.origin, Origin::Network(_));
        closes.then(|| self.last_input.saturating_add(patience))
    }

    /// Ends a session without input for [`IDLE_TIMEOUT`], and makes one that has ended over
    /// if its user does not read the rest.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_at().is_none_or(|deadline| now < deadline) {
            return;
        }
        (self.more, self.report) = (None, Vec::new());
        if self.ended {
            self.output.clear();
            return;
        }
        self.output.put(b"\r\n");
        self.output
            .line(format_args!("Console closed: nobody typed for {} s", IDLE_TIMEOUT.as_secs()));
        self.ended = true;
        self.last_input = now;
    }

    fn line(&mut self, ended: Ended, now: Instant, device: &mut dyn DeviceControl) {
        self.prompted = false;
        // A script may have left one open: the reply does not run into it.
        self.output.end_line();
        let outcome = match ended {
            Ended::Line => {
                let line = self.reader.take();
                if self.is_remote() && foreign_protocol::is_http_line(&line) {
                    return self.refuse_stranger(ForeignProtocol::Http, device);
                }
                let outcome = match now < self.pasting {
                    true => CommandOutcome::ScriptLine,
                    false => execute_line(&line, self.origin, now, device, &mut self.output),
                };
                match outcome {
                    CommandOutcome::ScriptLine => self.pasting = now.saturating_add(PASTE),
                    CommandOutcome::Invalid => {}
                    _ => self.commanded = true,
                }
                outcome
            }
            Ended::NoMemory | Ended::TooLong if self.is_remote() && self.reader.was_request() => {
                return self.refuse_stranger(ForeignProtocol::Http, device);
            }
            // Nobody types so much before a first command: it may be a request with a long method.
            Ended::TooLong if self.is_remote() && !self.commanded => {
                return self.refuse_stranger(ForeignProtocol::Http, device);
            }
            Ended::NoMemory => {
                device.refused_line();
                self.output.line(format_args!("Not enough memory for this line"));
                CommandOutcome::Continue
            }
            Ended::TooLong => {
                self.output.line(format_args!("Line too long (at most {MAX_LINE} bytes)"));
                CommandOutcome::Continue
            }
        };
        self.end(outcome);
    }

    fn is_remote(&self) -> bool {
        matches!(self.origin, Origin::Network(_))
    }

    /// Ends a session whose other end is a browser, without an answer: it must not do what a web
    /// page made it send.
    fn refuse_stranger(&mut self, what: ForeignProtocol, device: &mut dyn DeviceControl) {
        device.refused_browser(what, self.origin);
        (self.more, self.report) = (None, Vec::new());
        self.output.clear();
        self.ended = true;
    }

    fn end(&mut self, outcome: CommandOutcome) {
        let remote = matches!(self.origin, Origin::Network(_));
        match outcome {
            CommandOutcome::More(reply) => self.more = Some(reply),
            CommandOutcome::Quit | CommandOutcome::Restart if remote => {
                self.output.end_reply(b"");
                self.ended = true;
            }
            CommandOutcome::Restart => {
                self.output.end_reply(b"");
                self.prompted = true; // it waits for no more lines
            }
            CommandOutcome::Continue
            | CommandOutcome::Invalid
            | CommandOutcome::ScriptLine
            | CommandOutcome::Quit => {
                self.output.end_reply(b"");
                self.prompted = self.output.prompt(self.prompt, self.reader.typed());
            }
        }
    }
}

/// What goes before a text that takes the place of a line of so many characters: blanks where the
/// text is shorter than that. No escape sequences, as it may be no terminal.
pub(crate) fn over(shown: usize, text: &[u8]) -> [&'static [u8]; 2] {
    const BLANKS: &[u8; 81] =
        b"                                                                                \r";
    let len = text.iter().position(|byte| *byte < b' ').unwrap_or(text.len());
    let blanks = if shown <= len { &[] } else { &BLANKS[80usize.saturating_sub(shown)..] };
    [b"\r", blanks]
}
