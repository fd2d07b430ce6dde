//! The sessions of the console: the serial line's, and up to four over TCP.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::Event;

use super::core::Core;
use super::script::Script;
use crate::board::Board;
use crate::console::{Host, MAX_SESSIONS, Origin, Session};
use crate::engine::Millis;
use crate::log::Level;
use crate::net::{ConnId, Net};
use crate::settings::Param;

/// Bytes of output that wait for one session.
const OUTPUT: usize = 16 * 1024;
/// Bytes taken from the serial port at a time.
const SERIAL_READ: usize = 256;

/// The sessions.
pub(super) struct Consoles {
    serial: Session,
    /// Bytes the serial port gave and nobody took yet.
    serial_kept: Vec<u8>,
    /// The line that is coming in for the script.
    line: Vec<u8>,
    remote: [Option<Remote>; MAX_SESSIONS],
}

struct Remote {
    conn: ConnId,
    session: Session,
    /// Received, but not taken by the session: its output has to leave first.
    kept: Vec<u8>,
    /// There may be something to receive.
    readable: bool,
    /// The user's end sends nothing more.
    finished: bool,
}

impl Consoles {
    pub(super) fn new(now: Millis) -> Consoles {
        Consoles {
            serial: Session::new(Origin::Serial, OUTPUT, now),
            serial_kept: Vec::new(),
            line: Vec::new(),
            remote: [const { None }; MAX_SESSIONS],
        }
    }

    /// A new connection; `None` if all sessions are taken.
    pub(super) fn open(&mut self, conn: ConnId, now: Millis) -> Option<usize> {
        let number = self.remote.iter().position(Option::is_none)?;
        let session = Session::new(Origin::Remote(number as u8), OUTPUT, now);
        self.remote[number] =
            Some(Remote { conn, session, kept: Vec::new(), readable: false, finished: false });
        Some(number)
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, number: usize) {
        if let Some(place) = self.remote.get_mut(number) {
            *place = None;
        }
    }

    /// Something came in for a session.
    pub(super) fn note_readable(&mut self, number: usize) {
        if let Some(Some(remote)) = self.remote.get_mut(number) {
            remote.readable = true;
        }
    }

    /// All that came in was received.
    pub(super) fn note_drained(&mut self, number: usize) {
        if let Some(Some(remote)) = self.remote.get_mut(number) {
            remote.readable = false;
        }
    }

    /// The user's end sends nothing more.
    pub(super) fn note_finished(&mut self, number: usize) {
        if let Some(Some(remote)) = self.remote.get_mut(number) {
            remote.finished = true;
        }
    }

    pub(super) fn is_readable(&self, number: usize) -> bool {
        matches!(self.remote.get(number), Some(Some(remote)) if remote.readable)
    }

    /// What was received before and not taken.
    pub(super) fn take_kept(&mut self, number: usize) -> Option<Vec<u8>> {
        let remote = self.remote.get_mut(number)?.as_mut()?;
        Some(core::mem::take(&mut remote.kept)).filter(|kept| !kept.is_empty())
    }

    /// Takes what came in for a session and returns how much; the rest waits until its output has left.
    pub(super) fn receive(
        &mut self,
        number: usize,
        bytes: &[u8],
        now: Millis,
        host: &mut dyn Host,
    ) -> usize {
        let Some(Some(remote)) = self.remote.get_mut(number) else { return bytes.len() };
        let taken = remote.session.receive(bytes, now, host);
        remote.kept.extend_from_slice(&bytes[taken..]);
        taken
    }

    /// Closes a session whose user has finished, once it has said everything; true if it did.
    pub(super) fn close_finished(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(remote)) = self.remote.get_mut(number) else { return false };
        let open = !remote.finished || remote.readable || !remote.kept.is_empty();
        if open || !remote.session.output().is_empty() {
            return false;
        }
        net.close(remote.conn);
        self.remote[number] = None;
        true
    }

    /// Sends what waits for a session; false if it is over and its connection was closed.
    pub(super) fn flush(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(remote)) = self.remote.get_mut(number) else { return true };
        if !remote.session.output().is_empty() {
            let sent = net.send(remote.conn, remote.session.output());
            remote.session.sent(sent);
        }
        if !remote.session.is_over() {
            return true;
        }
        net.close(remote.conn);
        self.remote[number] = None;
        false
    }

    /// The connection of a session.
    pub(super) fn conn(&self, number: usize) -> Option<ConnId> {
        self.remote.get(number)?.as_ref().map(|remote| remote.conn)
    }

    /// Whether everything that was said has been sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.remote.iter().flatten().all(|remote| remote.session.output().is_empty())
    }

    /// Whether a session that waited for its output to leave can go on.
    pub(super) fn can_go_on(&self) -> bool {
        let waited = |remote: &Remote| !remote.kept.is_empty();
        self.remote.iter().flatten().any(|r| waited(r) && r.session.output().is_empty())
    }

    /// Shows text to every remote session.
    pub(super) fn print(&mut self, text: &[u8]) {
        for remote in self.remote.iter_mut().flatten() {
            remote.session.print(text);
        }
    }

    /// Tells the one who asked how it ended.
    pub(super) fn report<B: Board, F: NorFlash>(
        &mut self,
        origin: Origin,
        text: &str,
        core: &mut Core<B, F>,
    ) {
        match origin {
            Origin::Remote(number) => {
                if let Some(Some(remote)) = self.remote.get_mut(usize::from(number)) {
                    remote.session.report(text.as_bytes());
                }
                core.log(Level::Info, format_args!("{text}"));
            }
            Origin::Serial => {
                if core.settings.number(Param::SystemOutput) >= 2 {
                    self.serial.report(text.as_bytes());
                }
                core.log.put(Level::Info, text.as_bytes());
                core.log.put(Level::Info, b"\r\n");
            }
            Origin::Script => core.log(Level::Script, format_args!("{text}")),
        }
    }

    pub(super) fn poll_at(&self) -> Option<Millis> {
        self.remote.iter().flatten().filter_map(|remote| remote.session.poll_at()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Millis) {
        for remote in self.remote.iter_mut().flatten() {
            remote.session.handle_timeout(now);
        }
    }

    /// Takes what was typed on the serial line as commands.
    pub(super) fn serial_commands(&mut self, bytes: &[u8], now: Millis, host: &mut dyn Host) {
        let taken = self.serial.receive(bytes, now, host);
        self.serial_kept.extend_from_slice(&bytes[taken..]);
    }

    /// What was typed on the serial line and not taken yet; reads more if there is none.
    pub(super) fn typed<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) -> Vec<u8> {
        if self.serial_kept.is_empty() {
            let mut buffer = [0; SERIAL_READ];
            let n = core.board.serial_read(&mut buffer);
            return buffer[..n].to_vec();
        }
        core::mem::take(&mut self.serial_kept)
    }

    /// Writes the serial session's output to the port.
    pub(super) fn flush_serial<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) {
        let n = self.serial.output().len();
        if n > 0 {
            // Below 2 the port belongs to the script: what the console says has nowhere to go.
            if core.settings.number(Param::SystemOutput) >= 2 {
                core.board.serial_write(self.serial.output());
            }
            self.serial.sent(n);
        }
    }

    /// Gives lines that came on the serial port to the script, as far as it has room for them; true if there
    /// may be more to read.
    pub(super) fn serial_lines<B: Board, F: NorFlash>(
        &mut self,
        bytes: &[u8],
        script: &mut Script,
        core: &mut Core<B, F>,
    ) -> bool {
        let longest = core.options.profile.value;
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' => {}
                b'\n' => {
                    if !script.has_room(self.line.len()) {
                        self.serial_kept.extend_from_slice(&bytes[at..]);
                        return false;
                    }
                    let line = core::mem::take(&mut self.line);
                    script.handle(&Event::Serial { line: &line }, core);
                }
                _ if self.line.len() < longest => self.line.push(byte),
                _ => {} // longer than a value can be: cut
            }
        }
        true
    }
}
