//! The sessions of the console: the serial line's, and up to four over TCP.

use alloc::vec::Vec;

use umqtt_memory::try_push;
use umqtt_vm::Event;

use super::script::Script;
use super::state::DeviceState;
use crate::board::{Board, Serial};
use crate::console::{DeviceControl, MAX_SESSIONS, Origin, PROMPT, Session};
use umqtt_net::Instant;

use crate::log::Level;
use crate::net::{ConnId, Net};
use crate::platform::Platform;
use crate::settings::Param;

/// The part of the share that one session's output may take: five of eight for outputs, the rest for lines and reports.
const OUTPUT_PART: usize = 8;
/// Bytes taken from the serial port at a time.
const SERIAL_READ: usize = 128;

/// Bytes that were typed on the serial port.
pub(super) type Typed = heapless::Vec<u8, SERIAL_READ>;

/// The sessions.
pub(super) struct Consoles {
    serial: Session,
    /// Bytes the serial port gave and nobody took yet.
    serial_kept: Typed,
    /// The line that is coming in for the script, and whether a CR has ended the last one.
    line: Vec<u8>,
    after_cr: bool,
    network: [Option<NetworkSession>; MAX_SESSIONS],
    /// Bytes all of them may hold together, and what one may hold as output.
    budget: usize,
    output: usize,
}

struct NetworkSession {
    conn: ConnId,
    session: Session,
    /// There may be something to receive.
    readable: bool,
    /// The user's end sends nothing more.
    finished: bool,
}

impl Consoles {
    /// Sessions that may hold so many bytes together.
    pub(super) fn new(budget: usize, edits_lines: bool, now: Instant) -> Consoles {
        let prompt = if edits_lines { b"" } else { PROMPT };
        let output = budget / OUTPUT_PART;
        Consoles {
            serial: Session::with_prompt(Origin::Serial, prompt, output, now),
            serial_kept: Typed::new(),
            line: Vec::new(),
            after_cr: false,
            network: [const { None }; MAX_SESSIONS],
            budget,
            output,
        }
    }

    /// Bytes of the heap that all of them hold.
    pub(super) fn memory(&self) -> usize {
        self.sessions().map(Session::memory).sum::<usize>() + self.line.capacity()
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        let network = self.network.iter().flatten().map(|remote| &remote.session);
        core::iter::once(&self.serial).chain(network)
    }

    /// Bytes that the line being typed in a session may take: what is left when every session has its output.
    fn line_room(&self, own: usize) -> usize {
        let outputs = (MAX_SESSIONS + 1) * self.output;
        let lines = self.sessions().map(Session::line_memory).sum::<usize>() + self.line.capacity();
        self.budget.saturating_sub(outputs).saturating_sub(lines - own)
    }

    /// A new connection; `None` if all sessions are taken.
    pub(super) fn open(&mut self, conn: ConnId, now: Instant) -> Option<usize> {
        let number = self.network.iter().position(Option::is_none)?;
        let session = Session::new(Origin::Network(number as u8), self.output, now);
        self.network[number] =
            Some(NetworkSession { conn, session, readable: false, finished: false });
        Some(number)
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, number: usize) {
        if let Some(place) = self.network.get_mut(number) {
            *place = None;
        }
    }

    /// Something came in for a session.
    pub(super) fn note_readable(&mut self, number: usize) {
        if let Some(Some(remote)) = self.network.get_mut(number) {
            remote.readable = true;
        }
    }

    /// All that came in was received.
    pub(super) fn note_drained(&mut self, number: usize) {
        if let Some(Some(remote)) = self.network.get_mut(number) {
            remote.readable = false;
        }
    }

    /// The user's end sends nothing more.
    pub(super) fn note_finished(&mut self, number: usize) {
        if let Some(Some(remote)) = self.network.get_mut(number) {
            remote.finished = true;
        }
    }

    pub(super) fn is_readable(&self, number: usize) -> bool {
        matches!(self.network.get(number), Some(Some(remote)) if remote.readable)
    }

    /// Whether a session has the rest of a reply to make.
    pub(super) fn has_more(&self, number: usize) -> bool {
        matches!(self.network.get(number), Some(Some(remote)) if remote.session.has_more())
    }

    /// Takes what came in for a session, and goes on with a reply that is made in pieces; how much it took, and whether
    /// there is more to send now. The rest waits until its output has left.
    pub(super) fn receive(
        &mut self,
        number: usize,
        bytes: &[u8],
        now: Instant,
        control: &mut dyn DeviceControl,
    ) -> (usize, bool) {
        let own = self.network.get(number).and_then(Option::as_ref);
        let room = self.line_room(own.map_or(0, |remote| remote.session.line_memory()));
        let Some(Some(remote)) = self.network.get_mut(number) else { return (bytes.len(), false) };
        let before = remote.session.output().len();
        remote.session.set_line_room(room);
        let taken = remote.session.receive(bytes, now, control);
        (taken, remote.session.output().len() > before)
    }

    /// Closes a session whose user has finished, once it has said everything; true if it did.
    pub(super) fn close_finished(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(remote)) = self.network.get_mut(number) else { return false };
        let open = !remote.finished || remote.readable || remote.session.has_more();
        if open || !remote.session.output().is_empty() {
            return false;
        }
        net.close(remote.conn);
        self.network[number] = None;
        true
    }

    /// Sends what waits for a session; false if it is over and its connection was closed.
    pub(super) fn flush(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(remote)) = self.network.get_mut(number) else { return true };
        if !remote.session.output().is_empty() {
            let sent = net.send(remote.conn, remote.session.output());
            remote.session.sent(sent);
        }
        if !remote.session.is_over() {
            return true;
        }
        net.close(remote.conn);
        self.network[number] = None;
        false
    }

    /// The connection of a session.
    pub(super) fn conn(&self, number: usize) -> Option<ConnId> {
        self.network.get(number)?.as_ref().map(|remote| remote.conn)
    }

    /// Whether everything that was said has been sent.
    pub(super) fn is_quiet(&self) -> bool {
        let quiet = |session: &Session| session.output().is_empty() && !session.has_more();
        self.network.iter().flatten().all(|remote| quiet(&remote.session))
    }

    /// Whether a session that waited for its output to leave can go on.
    pub(super) fn can_go_on(&self) -> bool {
        let waits = |remote: &NetworkSession| remote.readable || remote.session.has_more();
        self.network.iter().flatten().any(|r| waits(r) && r.session.output().is_empty())
    }

    /// Shows text to every network session; how much of it whoever reads fastest had room for. The others miss what they had
    /// no room for of that.
    pub(super) fn print(&mut self, text: &[u8]) -> usize {
        let mut taken = [text.len(); MAX_SESSIONS];
        let mut most = None;
        for (remote, taken) in self.network.iter_mut().zip(&mut taken) {
            if let Some(remote) = remote {
                *taken = remote.session.print(text);
                most = most.max(Some(*taken));
            }
        }
        let most = most.unwrap_or(text.len());
        for (remote, taken) in self.network.iter_mut().zip(taken) {
            if let Some(remote) = remote
                && taken < most
            {
                remote.session.cut();
            }
        }
        most
    }

    /// Tells the one who asked how it ended.
    pub(super) fn report<P: Platform>(
        &mut self,
        origin: Origin,
        text: &str,
        state: &mut DeviceState<P>,
    ) {
        match origin {
            Origin::Network(number) => {
                if let Some(Some(remote)) = self.network.get_mut(usize::from(number)) {
                    remote.session.report(text.as_bytes());
                }
                state.log(Level::Info, format_args!("{text}"));
            }
            Origin::Serial => {
                if state.settings.number(Param::SystemOutput) >= 2 {
                    self.serial.report(text.as_bytes());
                }
                state.log.put(Level::Info, text.as_bytes());
                state.log.put(Level::Info, b"\r\n");
            }
            Origin::Script => state.log(Level::Script, format_args!("{text}")),
        }
    }

    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.network.iter().flatten().filter_map(|remote| remote.session.poll_at()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for remote in self.network.iter_mut().flatten() {
            remote.session.handle_timeout(now);
        }
    }

    /// Takes what was typed on the serial line as commands.
    pub(super) fn serial_commands(
        &mut self,
        bytes: &[u8],
        now: Instant,
        control: &mut dyn DeviceControl,
    ) {
        let room = self.line_room(self.serial.line_memory());
        self.serial.set_line_room(room);
        let taken = self.serial.receive(bytes, now, control);
        self.keep_typed(&bytes[taken..]);
    }

    /// Keeps what was typed and not taken; it was taken from there.
    pub(super) fn keep_typed(&mut self, bytes: &[u8]) {
        let kept = self.serial_kept.extend_from_slice(bytes);
        debug_assert!(kept.is_ok());
    }

    /// Whether the serial session has the rest of a reply to make.
    pub(super) fn serial_has_more(&self) -> bool {
        self.serial.has_more()
    }

    /// What was typed on the serial line and not taken yet; reads more if there is none.
    pub(super) fn typed<P: Platform>(&mut self, state: &mut DeviceState<P>) -> Typed {
        if self.serial_kept.is_empty() {
            let mut buffer = [0; SERIAL_READ];
            let n = state.board.serial_read(&mut buffer);
            return buffer[..n].iter().copied().collect();
        }
        core::mem::take(&mut self.serial_kept)
    }

    /// Writes the serial session's output to the port, and the prompt again where something has taken its place.
    pub(super) fn flush_serial<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        // Below 2 the port belongs to the script: what the console says has nowhere to go.
        let shows = state.settings.number(Param::SystemOutput) >= 2;
        let n = self.serial.output().len();
        if n > 0 {
            if shows {
                if state.log.note_serial(b"", true) {
                    state.board.serial_write(b"\r\n");
                }
                state.board.serial_write(self.serial.output());
                state.log.note_serial(b"\n", false);
            }
            self.serial.sent(n);
        }
        if state.board.edits_lines() {
            if !self.serial.has_more() {
                state.board.serial_prompt(if shows { PROMPT } else { b"" });
            }
            return;
        }
        let Some((prompt, typed)) = self.serial.shown_line().filter(|_| shows) else {
            state.log.note_serial_prompt(0);
            return;
        };
        if n == 0 && state.log.owes_serial_prompt() {
            state.board.serial_write(prompt);
            state.board.serial_write(typed);
        }
        if n > 0 || state.log.has_serial_prompt() || state.log.owes_serial_prompt() {
            state.log.note_serial_prompt(prompt.len() + typed.len());
        }
    }

    /// Gives lines that came on the serial port to the script, as far as it has room for them; true if there
    /// may be more to read.
    pub(super) fn serial_lines<P: Platform>(
        &mut self,
        bytes: &[u8],
        script: &mut Script,
        state: &mut DeviceState<P>,
    ) -> bool {
        let longest = state.options.profile.value;
        for (at, &byte) in bytes.iter().enumerate() {
            let second_of_pair = core::mem::take(&mut self.after_cr) && byte == b'\n';
            match byte {
                _ if second_of_pair => {}
                b'\r' | b'\n' => {
                    if !script.has_room(self.line.len()) {
                        self.keep_typed(&bytes[at..]);
                        return false;
                    }
                    self.after_cr = byte == b'\r';
                    let line = core::mem::take(&mut self.line);
                    script.handle(&Event::Serial { line: &line }, state);
                }
                // Longer than a value can be, or than there is memory for: cut.
                _ if self.line.len() < longest => {
                    let _ = try_push(&mut self.line, byte);
                }
                _ => {}
            }
        }
        true
    }
}
