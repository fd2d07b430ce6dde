//! A console session seen from the user's end: bytes in; replies, and lines that come unasked, out.
//!
//! Order of calls: what came to [`ConsoleSession::receive`]; then [`ConsoleSession::take_reply`],
//! and [`ConsoleSession::next_unasked`] until it has none. One command at a time:
//! [`ConsoleSession::begin`] gives the bytes to send, and the next is due behind its reply.
//!
//! A reply begins where the prompt was. What the device sends unasked takes the prompt's place, and
//! the prompt follows it; so it is told from a reply. Where a script has left a line open when the
//! command came, the reply stands behind that line: [`ConsoleSession::settle`].

use std::collections::VecDeque;

use super::ProtocolError;
use super::reply::Reply;
use super::transcript::{Item, PROMPT, Transcript};

/// Most bytes of a reply: a script of 64 KiB in disassembly comes in pieces of a kilobyte, `show
/// mqtt` has three lists of 4 KB.
pub(crate) const MAX_REPLY: usize = 256 * 1024;

/// Most bytes of what came unasked and nobody has read; beyond that the oldest lines are dropped.
pub(crate) const MAX_UNASKED: usize = 256 * 1024;

/// What is counted for a line beside its bytes.
const LINE_COST: usize = 64;

/// Longest command the console takes, bytes.
pub(crate) const MAX_COMMAND: usize = 512;

/// What came and was not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// A line: of the log, or of a report.
    Line(Vec<u8>),
    /// Behind such lines, the prompt: what belongs together is all there.
    Quiet,
}

/// The session's state.
#[derive(Debug, Default)]
pub(crate) struct ConsoleSession {
    transcript: Transcript,
    /// The command that has no reply yet.
    command: Option<Vec<u8>>,
    reply: Option<Reply>,
    /// A prompt has come.
    ready: bool,
    /// The last that came is the prompt.
    at_prompt: bool,
    /// The lines since the last prompt took its place.
    over_prompt: bool,
    /// Lines since then, while a prompt or a reply is awaited, and what they take.
    lines: Vec<Vec<u8>>,
    bytes: usize,
    /// What came unasked since the command was given, and may have its reply in it, and what that
    /// takes: see `settle`.
    candidate: Vec<Vec<u8>>,
    candidate_bytes: usize,
    /// Since then the prompt came alone.
    bare_prompt: bool,
    unasked: VecDeque<Unasked>,
    /// What those take.
    waiting: usize,
    dropped: usize,
}

impl ConsoleSession {
    /// A session of which nothing has come yet.
    pub(crate) fn new() -> ConsoleSession {
        ConsoleSession::default()
    }

    /// Gives a command, and returns what to send. A command has one line, and no more than
    /// [`MAX_COMMAND`] bytes; `None` for anything else.
    pub(crate) fn begin(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        if command.len() > MAX_COMMAND || command.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        // Of a telnet client 255 is a command; doubled it is the byte.
        let mut sent = Vec::with_capacity(command.len() + 2);
        for byte in command {
            sent.extend(std::iter::repeat_n(*byte, if *byte == 255 { 2 } else { 1 }));
        }
        sent.extend_from_slice(b"\r\n");
        self.drop_candidate();
        self.command = Some(command.to_vec());
        Some(sent)
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`ProtocolError`]: the session is of no more use.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let mut transcript = std::mem::take(&mut self.transcript);
        let result = transcript.push(bytes, &mut |item| self.item(item));
        self.transcript = transcript;
        result
    }

    /// Whether the first prompt has come: the session takes commands.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// The reply to the command, once it is all there.
    pub(crate) fn take_reply(&mut self) -> Option<Reply> {
        self.reply.take()
    }

    /// What came unasked, in order.
    pub(crate) fn next_unasked(&mut self) -> Option<Unasked> {
        let next = self.unasked.pop_front()?;
        self.waiting = self.waiting.saturating_sub(cost(&next));
        Some(next)
    }

    /// Whether the console waits for a command, as far as is known: a line that a script has left
    /// open has taken the prompt's place.
    pub(crate) fn is_at_prompt(&self) -> bool {
        self.at_prompt && !self.transcript.is_in_line()
    }

    /// How many lines were dropped for want of room since this was last asked.
    pub(crate) fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
    }

    /// Whether something came that may have the reply in it.
    pub(crate) fn may_settle(&self) -> bool {
        self.command.is_some() && (!self.candidate.is_empty() || self.bare_prompt)
    }

    /// No reply has come for a while behind what may have it in it: that was the reply, among lines
    /// that came unasked. True if so.
    pub(crate) fn settle(&mut self) -> bool {
        // Not while more of a reply is coming.
        let settles = self.may_settle() && self.lines.is_empty();
        if settles {
            self.command = None;
            (self.candidate_bytes, self.bare_prompt) = (0, false);
            self.reply = Some(Reply::mixed(std::mem::take(&mut self.candidate)));
        }
        settles
    }

    /// The connection has ended: what had come of a reply or a line.
    pub(crate) fn finish(&mut self) -> Vec<Vec<u8>> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.extend(self.transcript.finish());
        lines
    }

    fn item(&mut self, item: Item) -> Result<(), ProtocolError> {
        match item {
            Item::Line { text, over_prompt } => self.line(text, over_prompt),
            Item::Prompt => {
                self.prompt();
                Ok(())
            }
        }
    }

    fn line(&mut self, mut text: Vec<u8>, over_prompt: bool) -> Result<(), ProtocolError> {
        let behind_prompt = std::mem::take(&mut self.at_prompt);
        // In a reply that has begun it is a part of that.
        self.over_prompt |= over_prompt && self.lines.is_empty();
        if behind_prompt && !over_prompt && !self.candidate.is_empty() {
            // The prompt that came back had what was typed behind it: the beginning of the command.
            let command = self.command.as_deref().unwrap_or_default();
            let echo = text.iter().zip(command).take_while(|(a, b)| a == b).count();
            text.drain(..echo);
        }
        if self.ready && self.command.is_none() {
            self.add_unasked(Unasked::Line(text));
            return Ok(());
        }
        self.bytes += text.len() + LINE_COST;
        self.lines.push(text);
        if self.bytes > MAX_REPLY { Err(ProtocolError::ReplyTooLong) } else { Ok(()) }
    }

    fn prompt(&mut self) {
        let over_prompt = std::mem::take(&mut self.over_prompt);
        let lines = std::mem::take(&mut self.lines);
        let bytes = std::mem::take(&mut self.bytes);
        self.at_prompt = true;
        if !self.ready {
            self.ready = true;
            for line in lines {
                self.add_unasked(Unasked::Line(line));
            }
            return;
        }
        let Some(command) = &self.command else { return self.add_unasked(Unasked::Quiet) };
        let is_blank = is_blank(command);
        if over_prompt && !is_blank {
            self.candidate.extend(lines);
            self.candidate_bytes += bytes;
            if self.candidate_bytes > MAX_REPLY {
                self.drop_candidate();
            }
        } else if lines.is_empty() && !is_blank {
            // A command has a reply: that was to a line before.
            self.bare_prompt = true;
        } else {
            // Behind an empty line the prompt is all there is.
            let (reply, unasked) =
                if over_prompt { (Vec::new(), lines) } else { (lines, Vec::new()) };
            self.candidate.extend(unasked);
            self.drop_candidate();
            self.command = None;
            self.reply = Some(Reply::new(reply));
        }
    }

    /// What might have been the reply was none.
    fn drop_candidate(&mut self) {
        let lines = std::mem::take(&mut self.candidate);
        (self.candidate_bytes, self.bare_prompt) = (0, false);
        if !lines.is_empty() {
            for line in lines {
                self.add_unasked(Unasked::Line(line));
            }
            self.add_unasked(Unasked::Quiet);
        }
    }

    fn add_unasked(&mut self, what: Unasked) {
        if what == Unasked::Quiet && self.unasked.back() == Some(&Unasked::Quiet) {
            return;
        }
        self.waiting += cost(&what);
        self.unasked.push_back(what);
        while self.waiting > MAX_UNASKED
            && let Some(oldest) = self.next_unasked()
        {
            self.dropped += usize::from(oldest != Unasked::Quiet);
        }
    }
}

/// Whether a command is answered by the prompt alone.
fn is_blank(command: &[u8]) -> bool {
    let command = command.trim_ascii();
    command.is_empty() || command == b"#" || command.starts_with(b"# ")
}

/// What is counted for it.
fn cost(what: &Unasked) -> usize {
    match what {
        Unasked::Line(line) => line.len() + LINE_COST,
        Unasked::Quiet => LINE_COST,
    }
}

/// Whether these bytes may be how a console begins.
pub(crate) fn may_be_console(first: &[u8]) -> bool {
    let len = first.len().min(PROMPT.len());
    first.get(..len) == PROMPT.get(..len)
}

#[cfg(test)]
mod tests;
