//! The device: broker, script, consoles, settings, storage and uploads put together, behind one [`Device::poll`].
//!
//! A board makes a [`Device`] of its pins and its flash, calls [`Device::start`], and then in one plain loop waits for the
//! network or the time and calls [`Device::poll`]. Each poll does a bounded piece of work, so that nobody who sends much
//! and no script that runs wild keeps the others from their turn.
//!
//! | file | job |
//! |---|---|
//! | `options` | what a board chooses |
//! | `state` | the parts everybody needs, and the settings put into force |
//! | `network` | connections to the part they are for |
//! | `backpressure` | clients that publish, when memory is short |
//! | `consoles` | sessions |
//! | `console_context` | what the console may do with the device |
//! | `memory` | the ledger, and steps that are put off |
//! | `script` | the script in its place |
//! | `script_host` | what the script may do with the device |
//! | `uploads` | the upload under way |
//! | `http_client` | HTTP requests of scripts |
//! | `retained` | retained messages over a restart |
//! | `variables` | flash variables that are not written yet |
//! | `sys` | the topics under `$SYS/broker` |

mod backpressure;
mod console_context;
mod consoles;
mod http_client;
mod memory;
mod network;
mod options;
mod retained;
mod script;
mod script_host;
mod state;
mod sys;
mod uploads;
mod variables;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt::Arguments;
use core::net::Ipv4Addr;

use umqtt_broker::Broker;
use umqtt_memory::{Ledger, STEP_MARGIN, Share, reserve, try_format};
use umqtt_vm::Program;

use self::backpressure::Backpressure;
use self::console_context::ConsoleContext;
use self::consoles::Consoles;
use self::http_client::HttpClient;
use self::network::Role;
pub use self::options::{ListenError, Options};
use self::retained::{Retention, Unsaved};
use self::script::Script;
use self::state::{DeviceState, Ports, Wishes};
use self::sys::Sys;
use self::uploads::{UploadEvent, Uploads};
use self::variables::PendingVariables;
use crate::board::{Board, Random, Restart};
use crate::clock::Clock;
use crate::console::{
    CommandError, Lock, MAX_SESSIONS, Origin, Outcome, Output, execute_line, resume_reply,
};
use umqtt_net::{Duration, Instant};

use crate::http::detect::Stranger;
use crate::log::{Level, Log, Rate, Repeats};
use crate::net::{Addressing, Net, NetEvent};
use crate::notices::SETTINGS_DAMAGED;
use crate::platform::Platform;
use crate::settings::{Param, Settings};
use crate::storage::{Doors, MountReport, Storage, StorageError};
use crate::upload::{CheckError, Checked};
use crate::upstream::Upstream;

const LOCK_DAMAGED: &str = "the lock is damaged: the configuration is locked. Set a new password with lock PASSWORD on the serial line";
/// What an upload that finds no memory comes to.
const NO_MEMORY: &str = "Script not stored: not enough memory";
/// Room for the output of a script's `system` command, bytes.
const COMMAND_OUTPUT: usize = 4096;
/// Milliseconds in which the last replies may leave before a restart.
const RESTART_GRACE: Duration = Duration::from_millis(1000);

/// The device.
pub struct Device<P: Platform> {
    state: Box<DeviceState<P>>,
    script: Script,
    consoles: Consoles,
    uploads: Uploads,
    /// What came of the upload in this turn.
    came: Option<UploadEvent>,
    http: HttpClient,
    sys: Sys,
    retention: Retention,
    /// What each connection is for, by its number.
    roles: Vec<Role>,
    send_buffer: Vec<u8>,
    /// Bytes clients sent since what is outgoing was last looked at.
    unflushed: usize,
    backpressure: Backpressure,
    /// A network event that was put off.
    later: Option<NetEvent>,
    restart_at: Option<Instant>,
}

/// The storage, and what was found when it was mounted.
type Mounted<F> = (Storage<F>, MountReport);

/// A device whose flash has been read: see [`Device::prepare`].
pub struct Prepared<P: Platform>(Box<DeviceState<P>>);

impl<P: Platform> Prepared<P> {
    /// The device.
    #[inline(never)]
    pub fn into_device(self) -> Device<P> {
        let Prepared(state) = self;
        let options = state.options;
        let edits_lines = state.board.edits_lines();
        Device {
            state,
            script: Script::new(),
            consoles: Consoles::new(options.plan.console, edits_lines, Instant::ZERO),
            uploads: Uploads::default(),
            came: None,
            http: HttpClient::default(),
            sys: Sys::default(),
            retention: Retention::default(),
            roles: Vec::new(),
            send_buffer: vec![0; options.send_buffer],
            unflushed: 0,
            backpressure: Backpressure::default(),
            later: None,
            restart_at: None,
        }
    }
}

impl<P: Platform> Device<P> {
    /// A device with what its flash holds. It does nothing yet: see [`Device::start`].
    ///
    /// # Errors
    /// [`StorageError`] when the flash cannot be used at all.
    pub fn new(
        board: P::Board,
        flash: P::Flash,
        options: Options,
    ) -> Result<Device<P>, StorageError> {
        Device::prepare(board, flash, options).map(Prepared::into_device)
    }

    /// As [`Device::new`], in two steps: reading the flash takes most stack, and has not to share it with a device that
    /// is on its way to where it will stay.
    ///
    /// # Errors
    /// As [`Device::new`].
    #[inline(never)]
    pub fn prepare(
        board: P::Board,
        flash: P::Flash,
        options: Options,
    ) -> Result<Prepared<P>, StorageError> {
        let mut state = Device::make_core(board, flash, options)?;
        state.load_retained();
        Ok(Prepared(state))
    }

    // In parts, each by itself: what is large is on the stack no longer than it takes to make it, and not while the flash is
    // mended, which takes most.
    #[inline(never)]
    fn make_core(
        board: P::Board,
        flash: P::Flash,
        options: Options,
    ) -> Result<Box<DeviceState<P>>, StorageError> {
        let mut mounted = Device::<P>::mount(flash, &options)?;
        let settings = Device::<P>::load_settings(&board, &mut mounted, &options)?;
        Device::join(board, mounted, settings, options)
    }

    #[inline(never)]
    fn mount(flash: P::Flash, options: &Options) -> Result<Box<Mounted<P::Flash>>, StorageError> {
        Storage::mount(flash, options.layout).map(Box::new)
    }

    #[inline(never)]
    fn load_settings(
        board: &P::Board,
        (storage, report): &mut Mounted<P::Flash>,
        options: &Options,
    ) -> Result<Box<Settings>, StorageError> {
        let mut settings = Box::new(Settings::load(board.mac(), &storage.load_settings()?));
        settings.set_capabilities(options.capabilities);
        if report.settings_damaged {
            settings.set_damaged();
        }
        Ok(settings)
    }

    // Boxed, so that they do not lie on the caller's stack.
    #[expect(clippy::boxed_local)]
    #[inline(never)]
    fn join(
        mut board: P::Board,
        mounted: Box<Mounted<P::Flash>>,
        settings: Box<Settings>,
        options: Options,
    ) -> Result<Box<DeviceState<P>>, StorageError> {
        let (mut storage, report) = *mounted;
        let lock = match report.lock_damaged {
            true => Lock::damaged(),
            false => Lock::load(&storage.load_lock()?),
        };
        let mut seed = [0; 4];
        board.random(&mut seed);
        let upstream = Upstream::new(u32::from_le_bytes(seed));
        let mut state = Box::new(DeviceState {
            board,
            storage,
            settings: *settings,
            lock,
            broker: Broker::new(options.limits),
            upstream,
            log: Log::new(options.plan.log),
            repeats: Repeats::default(),
            rate: Rate::new(options.print_rate),
            clock: Clock::default(),
            options,
            ports: Ports::default(),
            console_internal: [false; MAX_SESSIONS],
            ledger: Ledger::new(&options.plan),
            now: Instant::ZERO,
            wishes: Wishes::default(),
            commands: VecDeque::new(),
            requests: VecDeque::new(),
            own_changes: 0,
            retained_unsaved: false,
            refused_doors: Doors::default(),
            unread: false,
            unsaved: Unsaved::default(),
            variables: PendingVariables::default(),
            command_rest: None,
            lent: 0,
            put_off: false,
            starved_since: None,
            relieved_at: None,
            console_peers: [None; MAX_SESSIONS],
            browsers: 0,
        });
        state.apply_all();
        state.report_mount(report);
        Ok(state)
    }

    /// Opens the ports.
    ///
    /// # Errors
    /// The first port that cannot be had; a board where nobody can do anything about it may go on all the same.
    pub fn listen(&mut self, net: &mut dyn Net) -> Result<(), ListenError> {
        self.state.wishes.listen = false;
        let mqtt = self.listen_mqtt(net);
        // The one that fails does not keep the other from its port.
        mqtt.and(self.listen_console(net))
    }

    /// Starts the stored script, unless it has reset the device three times in a row. Once, before the first poll.
    pub fn start(&mut self, now: Instant) {
        self.state.now = now;
        self.script.boot(&mut self.state);
    }

    /// As [`start`](Self::start), but leaves the stored script where it is, untouched: for a board that knows of faults which
    /// may be the script's, or that of reading it.
    pub fn start_without_script(&mut self, now: Instant, why: Arguments<'_>) {
        self.state.now = now;
        self.script.leave_out(&mut self.state, why);
    }

    /// Puts a program in the place of the script there is, and starts it; its source is kept beside it.
    ///
    /// # Errors
    /// Why it is not stored; then the old one runs on.
    pub fn install(
        &mut self,
        program: Program<Vec<u8>>,
        source: Option<&[u8]>,
        net: &mut dyn Net,
    ) -> Result<(), CommandError> {
        self.state.storage.drop_incoming();
        let stored = self.store(&program, source);
        let program = program.convert();
        let installed = stored.and_then(|source| self.put(Checked { program, source }, net));
        self.state.storage.drop_incoming();
        installed
    }

    /// Writes a program and its source where scripts come in; the bytes of source at the end of the image.
    fn store(
        &mut self,
        program: &Program<Vec<u8>>,
        source: Option<&[u8]>,
    ) -> Result<usize, CommandError> {
        let storage = &mut self.state.storage;
        match source {
            Some(source) => {
                storage.append_incoming(source)?;
                storage.append_incoming_image(program.bytes())?;
                Ok(0)
            }
            None => {
                storage.append_incoming(program.bytes())?;
                Ok(program.image().source().unwrap_or_default().len())
            }
        }
    }

    /// Checks what has come. The running script's image is in flash as well, and leaves the memory for that time.
    #[inline(never)]
    fn check(&mut self) -> Result<Checked, CheckError> {
        self.script.unload();
        let checked = self.state.check_incoming();
        if checked.is_err() {
            self.script.reload(&mut self.state);
        }
        checked
    }

    /// Does what is to be done now, up to a bound, and returns when to come back at the latest if nothing happens on
    /// the network: a time not after `now` means at once.
    pub fn poll(&mut self, now: Instant, net: &mut dyn Net) -> Option<Instant> {
        let more_network = self.receive(now, net);
        // From here and not where it came to its end: compiling takes the stack for itself.
        if self.came.is_some()
            && self.state.has_margin()
            && let Some(came) = self.came.take()
        {
            self.uploaded(came, net);
        }
        self.turn(more_network, net)
    }

    #[inline(never)]
    fn receive(&mut self, now: Instant, net: &mut dyn Net) -> bool {
        self.state.now = self.state.now.max(now);
        self.state.put_off = false;
        self.script.configure(&mut self.state);
        let more = self.network(net);
        self.resume_paused(net);
        self.timeouts(net);
        more
    }

    #[inline(never)]
    fn turn(&mut self, more_network: bool, net: &mut dyn Net) -> Option<Instant> {
        // Before the script, which may have something to do because of a command.
        let more_serial = self.serial(net);
        let more_console = self.console_turns(net);
        while let Some(up) = self.state.board.poll_link() {
            self.script.link(up);
            if up {
                self.state.upstream.network_up();
            }
        }
        let more_script = self.script.turn(&mut self.state, &mut self.http);
        // Before anything of what the script has said leaves.
        let more_script = self.state.write_some_variables() || more_script;
        self.commands(net);
        let more_script = self.http.start(&mut self.state, net) || more_script;
        if self.state.has_margin() {
            self.sys.poll(&mut self.state);
        }
        if self.state.has_margin() {
            self.retention.poll(&mut self.state);
        }
        let more_remote = self.state.has_margin() && self.state.upstream_turn(net);
        while self.state.has_margin()
            && let Some(note) = self.state.board.poll_note()
        {
            self.state.log(Level::Info, format_args!("{note}"));
        }
        if self.state.wishes.listen
            && self.state.has_margin()
            && let Err(error) = self.listen(net)
        {
            self.state.log(Level::Warning, format_args!("{error}"));
        }
        self.show_log();
        self.flush(net);
        if let Some(Origin::Network(number)) = self.uploads.asker()
            && self.consoles.conn(number.into()).is_none()
        {
            self.uploads.asker_is_gone();
        }
        self.restart(net);
        self.relieve(net);
        self.account(net);
        if self.state.put_off {
            return Some(self.state.now + memory::RETRY);
        }
        let more_console = more_console || self.consoles.can_go_on();
        if more_network || more_serial || more_script || more_remote || more_console {
            return Some(self.state.now);
        }
        self.poll_at()
    }

    /// Takes leave of whoever should not have to find out, before the device is switched off: the remote broker. Returns
    /// true once that is done; until then go on polling, and ask again after each poll, as long as there is time.
    pub fn leave(&mut self, net: &mut dyn Net) -> bool {
        self.state.leave_upstream(net)
    }

    /// Saves what would be saved a little later: call it before the device is switched off in good order.
    pub fn save_now(&mut self) {
        self.state.write_all_variables();
        self.retention.save_now(&mut self.state);
    }

    /// Whether the board is to keep the broker's journal.
    pub fn wants_persistence(&self) -> bool {
        let settings = &self.state.settings;
        settings.lacks(Param::BrokerPersistence).is_none()
            && settings.flag(Param::BrokerPersistence)
    }

    /// Logs a warning of the board's.
    pub fn warn(&mut self, line: Arguments<'_>) {
        self.state.log(Level::Warning, line);
    }

    /// The board and the flash, to make another device of.
    pub fn into_parts(self) -> (P::Board, P::Flash) {
        let state = *self.state;
        (state.board, state.storage.unmount())
    }

    /// What the board has chosen.
    pub fn options(&self) -> &Options {
        &self.state.options
    }

    /// The board.
    pub fn board(&mut self) -> &mut P::Board {
        &mut self.state.board
    }

    /// The broker.
    pub fn broker(&mut self) -> &mut Broker {
        &mut self.state.broker
    }

    /// What each part holds of the memory.
    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// The ports of broker and console that are open.
    pub fn ports(&self) -> (Option<u16>, Option<u16>) {
        let Ports { mqtt, console } = self.state.ports;
        (mqtt.map(|listener| listener.bound), console.map(|listener| listener.bound))
    }

    /// The address the settings ask for, those of the script included. A board with a network of its own reads it once
    /// after [`Device::start`]: a change counts from the next start on, as half a change would cut the owner off.
    pub fn addressing(&self) -> Addressing {
        let address =
            |param| Ipv4Addr::from_bits(self.state.settings.number(param).cast_unsigned());
        let set = |param| Some(address(param)).filter(|address| !address.is_unspecified());
        Addressing {
            ip: set(Param::Ip),
            netmask: address(Param::Netmask),
            gateway: set(Param::Gw),
            dns: set(Param::Dns),
        }
    }

    fn poll_at(&mut self) -> Option<Instant> {
        [
            self.backpressure_poll_at(),
            self.state.broker.poll_at(),
            self.state.repeats.poll_at(),
            self.state.upstream.poll_at(),
            self.consoles.poll_at(),
            self.uploads.poll_at(),
            self.http.poll_at(),
            self.script.poll_at(),
            self.sys.poll_at(),
            self.retention.poll_at(&self.state),
            self.restart_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn put(&mut self, new: Checked, net: &mut dyn Net) -> Result<(), CommandError> {
        self.http.cancel(net);
        self.script.install(new, &mut self.state)
    }

    fn timeouts(&mut self, net: &mut dyn Net) {
        let now = self.state.now;
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.state.broker.poll_at()) && self.state.has_margin() {
            self.state.broker.handle_timeout(now);
        }
        if due(self.state.repeats.poll_at()) {
            self.state.log_left_out();
        }
        if due(self.consoles.poll_at()) {
            self.consoles.handle_timeout(now);
        }
        if due(self.http.poll_at()) && self.state.has_margin() {
            self.http.handle_timeout(&mut self.state, net);
        }
        if due(self.uploads.poll_at())
            && self.state.has_margin()
            && let Some(came) = self.uploads.handle_timeout(
                now,
                net,
                &self.state.options.profile,
                &self.state.storage,
            )
        {
            self.came.get_or_insert(came);
        }
    }

    /// Shows the log to the consoles, as far as they have room.
    fn show_log(&mut self) {
        let text = self.state.log.for_consoles();
        if !text.is_empty() {
            let shown = self.consoles.print(text);
            self.state.log.shown(shown);
        }
    }

    /// Takes what was typed on the serial port; true if there may be more.
    fn serial(&mut self, net: &mut dyn Net) -> bool {
        let bytes = self.consoles.typed(&mut self.state);
        if bytes.is_empty() && !self.consoles.serial_has_more() {
            return false;
        }
        if !self.state.has_margin() {
            self.consoles.keep_typed(&bytes);
            return false;
        }
        if self.state.settings.number(Param::SystemOutput) == 0 {
            return self.consoles.serial_lines(&bytes, &mut self.script, &mut self.state);
        }
        let now = self.state.now;
        let mut context = ConsoleContext {
            state: &mut self.state,
            script: RefCell::new(&mut self.script),
            uploads: &mut self.uploads,
            http: &mut self.http,
            net,
        };
        self.consoles.serial_commands(&bytes, now, &mut context);
        true
    }

    /// Executes what scripts asked for with `system`.
    fn commands(&mut self, net: &mut dyn Net) {
        while self.state.commands_wait() && self.state.has_margin() {
            let mut rest = self.state.command_rest.take();
            let line = if rest.is_none() { self.state.commands.pop_front() } else { None };
            let line = line.unwrap_or_default();
            let now = self.state.now;
            let resetting = self.state.wishes.restart.is_some();
            let mut output = Output::new(COMMAND_OUTPUT.min(self.state.options.plan.console / 4));
            loop {
                let mut context = ConsoleContext {
                    state: &mut self.state,
                    script: RefCell::new(&mut self.script),
                    uploads: &mut self.uploads,
                    http: &mut self.http,
                    net,
                };
                let outcome = match rest {
                    None => execute_line(&line, Origin::Script, now, &mut context, &mut output),
                    Some(reply) => resume_reply(reply, &mut context, &mut output),
                };
                output.end_reply(b"");
                self.state.print(Level::Script, output.bytes());
                output.sent(output.bytes().len());
                let Outcome::More(reply) = outcome else { break };
                if reply.takes_turns() {
                    self.state.command_rest = Some(reply);
                    return;
                }
                rest = Some(reply);
            }
            if !resetting && self.state.wishes.restart.is_some() {
                self.script.asked_for_reset(&mut self.state);
            }
        }
    }

    /// An upload has come to something.
    #[inline(never)]
    fn uploaded(&mut self, came: UploadEvent, net: &mut dyn Net) {
        let report = match came {
            UploadEvent::Failed(report) => Some(report.into()),
            UploadEvent::Stranger(what) => {
                self.state.storage.drop_incoming();
                match what {
                    Some(Stranger::Http) => {
                        self.state.refused_browser("HTTP on the upload port", None);
                    }
                    Some(Stranger::Binary) => {
                        let what = "not a script on the upload port, maybe TLS";
                        self.state.refused_browser(what, None);
                    }
                    None => {}
                }
                None
            }
            UploadEvent::Script { perhaps } => self.try_script(perhaps, net),
        };
        if let Some(report) = report {
            self.end_upload(&report, net);
        }
    }

    /// Checks and installs what has come; what there is to report, unless the rest may still come.
    #[inline(never)]
    fn try_script(&mut self, perhaps: bool, net: &mut dyn Net) -> Option<Cow<'static, str>> {
        // In one block: a compiler's lists are longer than those of other steps.
        if !reserve(STEP_MARGIN) {
            self.state.ledger[Share::Upload].refuse();
            return Some(Cow::Borrowed(NO_MEMORY));
        }
        let checked = self.check();
        if perhaps && may_go_on(&checked) && !self.state.storage.incoming_is_closed() {
            return None;
        }
        if !reserve(STEP_MARGIN) {
            self.state.ledger[Share::Upload].refuse();
            return Some(Cow::Borrowed(NO_MEMORY));
        }
        Some(self.install_checked(checked, net).into())
    }

    #[inline(never)]
    fn install_checked(
        &mut self,
        checked: Result<Checked, CheckError>,
        net: &mut dyn Net,
    ) -> String {
        let len = self.state.storage.incoming_len();
        let completed = match self.uploads.is_pull() {
            true => "HTTP script download completed",
            false => "Script upload completed",
        };
        let head = format_args!("{completed} ({len} Bytes)\r\n");
        // Cut where memory ends: that is what many a verdict is about.
        match checked.map(|new| self.put(new, net)) {
            Ok(Ok(())) => try_format(format_args!("{head}Syntax okay{}", self.warnings())),
            Ok(Err(refusal)) => try_format(format_args!("{head}Script not stored: {refusal}")),
            Err(error) => try_format(format_args!("{head}{error}")),
        }
    }

    #[inline(never)]
    fn end_upload(&mut self, report: &str, net: &mut dyn Net) {
        self.state.storage.drop_incoming();
        match self.uploads.finish(report, net) {
            Some(origin) => self.consoles.report(origin, report, &mut self.state),
            None => self.state.log(Level::Info, format_args!("{report}")),
        }
    }

    /// The warnings about the script there is.
    fn warnings(&mut self) -> String {
        let Some(warnings) = self.state.options.warnings else { return String::new() };
        let mut source = vec![0; self.state.storage.source_len()];
        let len = self.state.storage.read_source(0, &mut source);
        warnings(&source[..len], &self.state.options.profile)
    }

    fn restart(&mut self, net: &mut dyn Net) {
        let Some(factory) = self.state.wishes.restart else { return };
        let now = self.state.now;
        let at = *self.restart_at.get_or_insert(now + RESTART_GRACE);
        let left = self.state.leave_upstream(net);
        if now < at && !(left && self.consoles.is_quiet()) {
            return;
        }
        self.restart_at = None;
        self.state.wishes.restart = None;
        self.script.end(&mut self.state);
        if !factory {
            self.save_now();
        }
        if factory && let Err(error) = self.state.storage.factory_reset() {
            self.state.log(Level::Warning, format_args!("not everything was cleared: {error}"));
        }
        self.state.board.restart(if factory { Restart::Factory } else { Restart::Reset });
    }
}

/// Whether a script that is not right may be the beginning of one that is.
fn may_go_on(checked: &Result<Checked, CheckError>) -> bool {
    match checked {
        Ok(_) => false,
        Err(CheckError::CompileMemory(_) | CheckError::LoadMemory(_)) => false,
        Err(_) => true,
    }
}

impl<P: Platform> DeviceState<P> {
    fn report_mount(&mut self, report: MountReport) {
        let MountReport { formatted, finished_deletion, script_damaged, .. } = report;
        for (found, what) in [
            (formatted, "the stored settings could not be read and are gone"),
            (finished_deletion, "finished a deletion that was cut off"),
            (script_damaged, "a stored script is damaged and is not used"),
            (self.settings.is_damaged(), SETTINGS_DAMAGED),
            (self.lock.is_damaged(), LOCK_DAMAGED),
        ] {
            if found {
                self.log(Level::Warning, format_args!("{what}"));
            }
        }
    }
}
