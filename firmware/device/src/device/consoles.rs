//! The sessions of the console: the serial line's, and up to four over TCP.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

use umqtt_memory::{Share, try_push};
use umqtt_vm::Event;

use super::Device;
use super::connections::Role;
use super::network_session::{NetworkSession, SessionPeer};
use super::script::Script;
use super::service::Service;
use super::state::DeviceState;
use crate::board::{Board, Serial};
use crate::console::{MAX_SESSIONS, Origin, PROMPT, Session};
use umqtt_net::{Duration, Instant};

use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent, Peer};
use crate::notices::SETTINGS_DAMAGED;
use crate::platform::Platform;
use crate::settings::Param;
use crate::storage::ProtectedServices;

/// The part of the share that one session's output may take: five of eight for outputs, the rest
/// for lines and reports.
const OUTPUT_PART: usize = 8;
/// Bytes of a network session handled at a time.
const INPUT_PIECE: usize = 128;
/// The time the only session without a command is left in peace though the network is full.
const GRACE: Duration = Duration::from_secs(1);
/// Such pieces per turn.
const PIECES_PER_TURN: usize = 32;
/// Bytes taken from the serial port at a time.
const SERIAL_READ: usize = 128;

/// Bytes that were typed on the serial port.
type Typed = heapless::Vec<u8, SERIAL_READ>;

/// The sessions.
pub(super) struct Consoles {
    serial: Session,
    /// Bytes from the serial port that are not handled yet.
    serial_kept: Typed,
    /// The line that is coming in for the script, and whether a CR has ended the last one.
    line: Vec<u8>,
    after_cr: bool,
    network: [Option<NetworkSession>; MAX_SESSIONS],
    /// Bytes all of them may hold together, and what one may hold as output.
    budget: usize,
    output: usize,
    /// Bytes of that which a scan's results hold.
    lent: usize,
}

impl<P: Platform> Service<P> for Consoles {
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        if let NetEvent::Accepted { port, peer, .. } = event {
            let its = device.state.listeners.console() == Some(port);
            if its {
                Consoles::accept(device, conn, peer, net);
            }
            return its;
        }
        let Role::Console(number) = device.connections.role(conn) else { return false };
        let entry = device.consoles.network.get_mut(usize::from(number));
        match (event, entry) {
            (NetEvent::Readable(_), Some(Some(session))) => session.readable = true,
            (NetEvent::PeerClosed(_), Some(Some(session))) => session.finished = true,
            (NetEvent::Closed(..), Some(entry)) => {
                *entry = None;
                device.connections.set_role(conn, Role::Other);
            }
            // Everything is flushed in every poll.
            _ => {}
        }
        true
    }

    fn handle_timeout(device: &mut Device<P>, _net: &mut dyn Net) {
        let now = device.state.now;
        if device.consoles.deadline().is_some_and(|at| at <= now) {
            for session in device.consoles.network.iter_mut().flatten() {
                session.session.handle_timeout(now);
            }
        }
    }

    /// True if there may be more to do at once, as a command may have had any effect.
    #[inline(never)]
    fn poll(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let mut more = Consoles::poll_serial(device, net);
        for number in 0..MAX_SESSIONS {
            more |= Consoles::poll_session(device, number, net);
        }
        more
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.consoles.deadline()
    }
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
            lent: 0,
        }
    }

    /// Bytes of the heap that all of them hold.
    pub(super) fn memory(&self) -> usize {
        self.sessions().map(Session::memory).sum::<usize>() + self.line.capacity()
    }

    /// So many bytes of the share are used by results that wait to be shown.
    pub(super) fn set_lent(&mut self, bytes: usize) {
        self.lent = bytes;
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        let network = self.network.iter().flatten().map(|session| &session.session);
        core::iter::once(&self.serial).chain(network)
    }

    /// Bytes that the line being typed in a session may take: what is left when every session has
    /// its output.
    fn line_room(&self, own: usize) -> usize {
        let outputs = (MAX_SESSIONS + 1) * self.output;
        let lines = self.sessions().map(Session::line_memory).sum::<usize>() + self.line.capacity();
        self.budget.saturating_sub(outputs + self.lent).saturating_sub(lines - own)
    }

    fn accept<P: Platform>(device: &mut Device<P>, conn: ConnId, peer: Peer, net: &mut dyn Net) {
        let settings = &device.state.settings;
        let why = if settings.is_damaged() {
            SETTINGS_DAMAGED
        } else if let Some(why) = settings.shut(ProtectedServices::CONSOLE) {
            why
        } else if !settings.access(Param::ConfigAccess).permits(peer.is_internal()) {
            return net.abort(conn);
        } else if let Some(number) = Consoles::open(device, conn, peer.into(), net) {
            return device.connections.set_role(conn, Role::Console(number));
        } else {
            "Too many console sessions"
        };
        net.send(conn, why.as_bytes());
        net.send(conn, b"\r\n");
        net.close(conn);
    }

    /// A new session; `None` if all are taken, and none has to give way.
    fn open<P: Platform>(
        device: &mut Device<P>,
        conn: ConnId,
        peer: SessionPeer,
        net: &mut dyn Net,
    ) -> Option<u8> {
        if device.consoles.network.iter().all(Option::is_some) {
            Consoles::end_silent(device, Some(peer.address), net);
        }
        let (now, consoles) = (device.state.now, &mut device.consoles);
        let free = consoles.network.iter().position(Option::is_none)?;
        let session = Session::new(Origin::Network(free as u8), consoles.output, now);
        consoles.network[free] = Some(NetworkSession::new(conn, peer, session, now));
        Some(free as u8)
    }

    /// The network has no room for one more connection: a session that was given no command gives
    /// way, unless it is the only one and has just been opened. False if there is none.
    pub(super) fn make_way<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let now = device.state.now;
        let ripe = |session: &NetworkSession| session.opened + GRACE <= now;
        let may = device.consoles.silent_len() > 1 || device.consoles.silent().any(ripe);
        may && Consoles::end_silent(device, None, net)
    }

    /// The sessions that were given no command.
    fn silent(&self) -> impl Iterator<Item = &NetworkSession> {
        let sessions = self.network.iter().flatten();
        sessions.filter(|session| !session.session.has_commanded())
    }

    /// How many there are.
    pub(super) fn silent_len(&self) -> usize {
        self.silent().count()
    }

    /// Ends a session that was given no command: of those from the address that has most of them,
    /// with the newcomer's, the one opened first. So a host that opens one after the other keeps
    /// out nobody, and takes the time to type a command from nobody but itself. If there is none,
    /// one of a host that has several gives way to a newcomer from a host that has none.
    fn end_silent<P: Platform>(
        device: &mut Device<P>,
        newcomer: Option<IpAddr>,
        net: &mut dyn Net,
    ) -> bool {
        let consoles = &device.consoles;
        let silent = consoles.silent_len() > 0;
        let counts = |session: &&NetworkSession| !(silent && session.session.has_commanded());
        let sessions = || consoles.network.iter().flatten().filter(counts);
        let of = |address: IpAddr| {
            let theirs = sessions().filter(|session| session.peer.address == address);
            theirs.count() + usize::from(Some(address) == newcomer)
        };
        let least = |session: &&NetworkSession| (Reverse(of(session.peer.address)), session.opened);
        let first = sessions().min_by_key(least);
        let may = |session: &&NetworkSession| {
            silent || newcomer.is_some_and(|own| of(own) == 1 && of(session.peer.address) > 1)
        };
        let Some(conn) = first.filter(may).map(|session| session.conn) else { return false };
        device.state.debug(format_args!("a console gives way to another"));
        for entry in &mut device.consoles.network {
            entry.take_if(|session| session.conn == conn);
        }
        device.connections.set_role(conn, Role::Other);
        // Closed in good order, it would keep its place for as long as its other end likes.
        net.abort(conn);
        true
    }

    /// Takes what was typed on the serial port; true if there may be more.
    fn poll_serial<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        let bytes = device.consoles.typed(&mut device.state);
        if bytes.is_empty() && !device.consoles.serial.has_more() {
            return false;
        }
        if !device.state.has_margin() {
            device.consoles.keep_typed(&bytes);
            return false;
        }
        if device.state.settings.number(Param::SystemOutput) == 0 {
            let (script, state) = (&mut device.script, &mut device.state);
            return device.consoles.serial_lines(&bytes, script, state);
        }
        let now = device.state.now;
        let (consoles, mut context) = device.console_context(None, net);
        let room = consoles.line_room(consoles.serial.line_memory());
        consoles.serial.set_line_room(room);
        let taken = consoles.serial.receive(&bytes, now, &mut context);
        consoles.keep_typed(&bytes[taken..]);
        true
    }

    /// Reads and executes for a session, up to a bound; true if there may be more to do at once.
    fn poll_session<P: Platform>(device: &mut Device<P>, number: usize, net: &mut dyn Net) -> bool {
        let mut progress = false;
        for _ in 0..PIECES_PER_TURN {
            let Some(conn) = device.consoles.conn(number) else { return false };
            // Room for the reply first.
            if !device.consoles.flush(number, net) {
                device.connections.set_role(conn, Role::Other);
                return false;
            }
            let Some(Some(session)) = device.consoles.network.get_mut(number) else { return false };
            let mut input = [0; INPUT_PIECE];
            let len = session.peek(&mut input, net);
            if len == 0 && !session.session.has_more() {
                break;
            }
            let (peer, before) = (session.peer, session.session.output().len());
            let own = session.session.line_memory();
            if !device.state.has_margin() {
                return false;
            }
            let now = device.state.now;
            let (consoles, mut context) = device.console_context(Some(peer), net);
            let room = consoles.line_room(own);
            let Some(Some(session)) = consoles.network.get_mut(number) else { return false };
            session.session.set_line_room(room);
            let taken = session.session.receive(&input[..len], now, &mut context);
            let produced = session.session.output().len() > before;
            net.consume(conn, taken);
            progress |= taken > 0 || produced;
            if taken == 0 && !produced {
                break; // it goes on when its output has left
            }
        }
        progress
    }

    /// Closes a session whose user has finished, once its output is flushed; true if it did.
    pub(super) fn close_finished(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(session)) = self.network.get(number) else { return false };
        let finished = session.is_finished();
        if finished {
            net.close(session.conn);
            self.network[number] = None;
        }
        finished
    }

    /// Sends what waits for a session; false if it is over and its connection was closed.
    pub(super) fn flush(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(Some(session)) = self.network.get_mut(number) else { return true };
        let open = session.flush(net);
        if !open {
            net.close(session.conn);
            self.network[number] = None;
        }
        open
    }

    /// The connection of a session.
    pub(super) fn conn(&self, number: usize) -> Option<ConnId> {
        self.network.get(number)?.as_ref().map(|session| session.conn)
    }

    /// Whether all output has been sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.network.iter().flatten().all(NetworkSession::is_quiet)
    }

    /// Whether a session that waited for its output to leave can go on.
    pub(super) fn can_go_on(&self) -> bool {
        self.network.iter().flatten().any(NetworkSession::can_go_on)
    }

    /// Shows text to every network session; how much of it whoever reads fastest had room for. The
    /// others miss what they had no room for of that.
    pub(super) fn print(&mut self, text: &[u8]) -> usize {
        let mut taken = [text.len(); MAX_SESSIONS];
        let mut most = None;
        for (session, taken) in self.network.iter_mut().zip(&mut taken) {
            if let Some(session) = session {
                *taken = session.session.print(text);
                most = most.max(Some(*taken));
            }
        }
        let most = most.unwrap_or(text.len());
        for (session, taken) in self.network.iter_mut().zip(taken) {
            if let Some(session) = session
                && taken < most
            {
                session.session.cut();
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
                if let Some(Some(session)) = self.network.get_mut(usize::from(number)) {
                    session.session.report(text.as_bytes());
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

    /// Whether a report to this one would be shown at once.
    pub(super) fn takes_report(&self, origin: Origin) -> bool {
        match origin {
            Origin::Network(number) => match self.network.get(usize::from(number)) {
                Some(Some(session)) => session.session.takes_report(),
                _ => true,
            },
            Origin::Serial => self.serial.takes_report(),
            Origin::Script => true,
        }
    }

    /// Shows lines to the one who asked, and to nobody else.
    pub(super) fn show<P: Platform>(
        &mut self,
        origin: Origin,
        lines: &str,
        state: &mut DeviceState<P>,
    ) {
        match origin {
            Origin::Network(number) => {
                if let Some(Some(session)) = self.network.get_mut(usize::from(number)) {
                    session.session.report(lines.as_bytes());
                }
            }
            Origin::Serial => {
                if state.settings.number(Param::SystemOutput) >= 2 {
                    self.serial.report(lines.as_bytes());
                }
            }
            Origin::Script => state.print(Level::Script, lines.as_bytes()),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.network.iter().flatten().filter_map(|session| session.session.poll_at()).min()
    }

    /// Keeps what was typed and not taken; it was taken from there.
    fn keep_typed(&mut self, bytes: &[u8]) {
        let kept = self.serial_kept.extend_from_slice(bytes);
        debug_assert!(kept.is_ok());
    }

    /// What was typed on the serial line and not taken yet; reads more if there is none.
    fn typed<P: Platform>(&mut self, state: &mut DeviceState<P>) -> Typed {
        if self.serial_kept.is_empty() {
            let mut buffer = [0; SERIAL_READ];
            let n = state.board.serial_read(&mut buffer);
            return buffer[..n].iter().copied().collect();
        }
        core::mem::take(&mut self.serial_kept)
    }

    /// Writes the serial session's output to the port, and the prompt again where something has
    /// taken its place.
    pub(super) fn flush_serial<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        // Below 2 the port belongs to the script: the console's output has nowhere to go.
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
        state.log.set_serial_replies(shows && self.serial.is_in_line());
        if state.board.edits_lines() {
            state.show_waiting();
            if !self.serial.has_more() {
                state.board.serial_prompt(if shows { PROMPT } else { b"" });
            }
            return;
        }
        let Some((prompt, typed)) = self.serial.shown_line().filter(|_| shows) else {
            state.log.note_serial_prompt(0);
            return state.show_waiting();
        };
        if n > 0 {
            state.log.note_serial_prompt(prompt.len() + typed.len());
        }
        state.show_waiting();
        if state.log.owes_serial_prompt() {
            state.board.serial_write(prompt);
            state.board.serial_write(typed);
        }
        if state.log.has_serial_prompt() || state.log.owes_serial_prompt() {
            state.log.note_serial_prompt(prompt.len() + typed.len());
        }
    }

    /// Gives lines that came on the serial port to the script, as far as it has room for them; true
    /// if there may be more to read.
    fn serial_lines<P: Platform>(
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
                _ if self.line.len() >= longest => {}
                _ if try_push(&mut self.line, byte).is_ok() => {}
                _ => state.ledger[Share::Console].refuse(),
            }
        }
        true
    }
}
