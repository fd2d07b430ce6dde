//! The script in its place: started at boot, replaced, deleted, and fed with what happens.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Arguments;

use umqtt_memory::{Share, reserve};
use umqtt_vm::{Event, Image, Program, Side};

use super::Device;
use super::http_client::HttpClient;
use super::script_host::ScriptHost;
use super::service::Service;
use super::state::DeviceState;
use crate::board::Board;
use crate::console::{CommandError, ScriptText};
use crate::engine::{Disposition, Engine};
use crate::log::Level;
use crate::net::Net;
use crate::notices::SCRIPT_MISSING;
use crate::platform::Platform;
use crate::settings::Param;
use crate::storage::{Doors, ImageBytes, StorageError};
use crate::upload::{CheckError, Checked};
use crate::upstream::UpstreamEvent;
use umqtt_net::{Duration, Instant};

/// Starts in a row that may end in a reset before the script is left out.
const MAX_STARTS: u8 = 3;
/// Milliseconds in which a script that asks for a reset has asked for it at its start: nobody could
/// stop it before.
const START: Duration = Duration::from_millis(10_000);
/// Events handled per turn; the network is looked at between two turns.
const EVENTS_PER_TURN: usize = 16;
/// The part of a handler's fuel with which a turn is over, whatever is left to do: the last event
/// of a turn may still use all an event may, so a turn is hardly longer than the longest event.
const TURN_PART: u32 = 16;

/// The script of the device.
pub(super) struct Script {
    pub(super) engine: Option<Engine<ImageBytes>>,
    /// It has begun to start, and that has been counted.
    starting: bool,
    /// Its `config` lines are still to come, and whether it is new: the one there was before is not
    /// missed then.
    configuring: bool,
    new: bool,
    /// How many starts in a row had begun with this one.
    starts: u8,
    started_at: Instant,
    /// The network is up, and the script has not got the event yet.
    link: Option<bool>,
    link_up: bool,
    /// What is stored, whether it runs or not.
    stored: ScriptText,
    tracing: bool,
    /// Since when there is no memory for its image: the lower half of the time.
    pub(super) unloaded_since: Option<u32>,
    /// So many messages of the local broker come before the next from the remote one.
    local_first: usize,
}

impl<P: Platform> Service<P> for Script {
    #[inline(never)]
    fn poll(device: &mut Device<P>, _net: &mut dyn Net) -> bool {
        while let Some(up) = device.state.board.poll_link() {
            device.script.link(up);
            if up {
                device.state.upstream.network_up();
            }
        }
        device.script.turn(&mut device.state, &mut device.http)
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.script.deadline()
    }
}

impl Script {
    pub(super) fn new() -> Script {
        Script {
            engine: None,
            starting: false,
            configuring: false,
            new: false,
            starts: 0,
            started_at: Instant::ZERO,
            link: None,
            link_up: false,
            stored: ScriptText::None,
            tracing: false,
            unloaded_since: None,
            local_first: 0,
        }
    }

    /// Starts the stored script, unless it has reset the device three times in a row.
    pub(super) fn boot<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.try_boot(state);
        if self.engine.is_none() {
            self.miss(state);
        }
    }

    fn try_boot<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.look(state);
        if self.stored == ScriptText::None {
            return;
        }
        // Counted before anything of it is touched: reading it may be what fails.
        match state.storage.script_start_begins() {
            Ok(starts) => self.starts = starts,
            Err(error) => state.log(Level::Warning, format_args!("{error}")),
        }
        if self.starts > MAX_STARTS {
            return state.log(
                Level::Warning,
                format_args!(
                    "Script disabled: the device was reset {MAX_STARTS} times while it started. \
                     Upload or delete it"
                ),
            );
        }
        match self.load(state) {
            Ok(engine) => {
                self.engine = Some(engine);
                self.start(false, state);
            }
            Err(reason) => {
                state.log(Level::Warning, format_args!("{reason}"));
                // It could say what is wrong: no start that resets the device.
                if let Err(error) = state.storage.script_start_done() {
                    state.log(Level::Warning, format_args!("{error}"));
                }
            }
        }
    }

    /// Leaves the stored script alone.
    pub(super) fn leave_out<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
        why: Arguments<'_>,
    ) {
        self.look(state);
        state.log(Level::Warning, format_args!("Script disabled until the next start: {why}"));
        self.miss(state);
    }

    /// Looks what is stored, without reading it.
    fn look<P: Platform>(&mut self, state: &DeviceState<P>) {
        self.stored = match state.storage.script_place() {
            None => ScriptText::None,
            Some((_, source)) if source.is_empty() => ScriptText::Bytecode,
            Some(_) => ScriptText::Source,
        };
    }

    fn load<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
    ) -> Result<Engine<ImageBytes>, String> {
        let map = |range| state.board.map_flash(range);
        let image = state
            .storage
            .script_image(&map)
            .map_err(|error| format!("the stored script cannot be read: {error}"))?;
        let profile = &state.options.profile;
        let program = Program::verify(image.unwrap_or_default(), profile)
            .map_err(|error| format!("the stored script cannot run: {error}"))?;
        let needed = Engine::takes(&program, profile);
        let budget = state.options.script_budget(program.bytes().memory());
        if needed > budget || !reserve(needed) {
            state.ledger[Share::Script].refuse();
            return Err(format!(
                "the stored script cannot run: {}",
                CheckError::LoadMemory(needed)
            ));
        }
        Engine::new(program, profile, budget)
            .map_err(|error| format!("the stored script cannot run: {error}"))
    }

    /// Frees the memory of the running script's image for a while; it gets nothing to do until
    /// [`Script::reload`].
    pub(super) fn unload(&mut self) {
        if let Some(engine) = &mut self.engine
            && engine.program().bytes().memory() > 0
        {
            engine.unload();
        }
    }

    /// How often it was refused memory since the last call.
    pub(super) fn take_refused(&mut self) -> u32 {
        self.engine.as_mut().map_or(0, Engine::take_refused)
    }

    /// Bytes of the heap that the script that runs holds.
    pub(super) fn memory(&self) -> usize {
        let of = |engine: &Engine<ImageBytes>| engine.memory() + engine.program().bytes().memory();
        self.engine.as_ref().map_or(0, of)
    }

    /// Reads the image of the running script from flash again, if it is not in memory; false if
    /// there is no memory for it now: what happens waits until there is.
    pub(super) fn reload<P: Platform>(&mut self, state: &mut DeviceState<P>) -> bool {
        let unloaded_since = self.unloaded_since.take();
        let Some(engine) = self.engine.as_mut().filter(|engine| !engine.is_loaded()) else {
            return true;
        };
        let failed = match state.storage.script_image(&|range| state.board.map_flash(range)) {
            Ok(image) => {
                if engine.reload(image.unwrap_or_default(), &state.options.profile) {
                    return true;
                }
                StorageError::Broken
            }
            Err(error) => error,
        };
        state.memory.defer_step();
        if failed == StorageError::Memory {
            state.ledger[Share::Script].refuse();
            self.unloaded_since = unloaded_since.or(Some(state.now.as_millis() as u32));
        } else {
            self.end(state);
            state.log(Level::Warning, format_args!("the script has ended: {failed}"));
            self.miss(state);
        }
        false
    }

    /// Puts a script that was checked in the place of the one there is, and starts it.
    pub(super) fn install<P: Platform>(
        &mut self,
        new: Checked,
        state: &mut DeviceState<P>,
    ) -> Result<(), CommandError> {
        self.end(state);
        let needed = Engine::takes(&new.program, &state.options.profile);
        let budget = state.options.script_budget(new.program.bytes().memory());
        let committed = match needed <= budget && reserve(needed) {
            true => state.storage.commit_incoming(new.source).map_err(CommandError::from),
            false => {
                state.ledger[Share::Script].refuse();
                Err(CommandError(CheckError::LoadMemory(needed).to_string()))
            }
        };
        if let Err(refusal) = committed {
            // The old one is still there: it goes on from its start.
            state.storage.drop_incoming();
            drop(new);
            self.boot(state);
            return Err(refusal);
        }
        self.look(state);
        match Engine::new(new.program, &state.options.profile, budget) {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => {
                self.miss(state);
                return Err(CommandError(format!("{error}")));
            }
        }
        match state.storage.script_start_begins() {
            Ok(starts) => self.starts = starts,
            Err(error) => state.log(Level::Warning, format_args!("{error}")),
        }
        self.start(true, state);
        Ok(())
    }

    /// Stops the script and deletes it, the flash variables too.
    pub(super) fn delete<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
    ) -> Result<(), CommandError> {
        self.end(state);
        let deleted = state.storage.delete_script();
        self.miss(state);
        deleted?;
        self.stored = ScriptText::None;
        Ok(())
    }

    /// Ends the script that runs, and forgets it: its image may be erased where it lies.
    pub(super) fn end<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.stop(state);
        self.engine = None;
    }

    /// Ends the script that runs; what its `config` lines have set goes with it.
    pub(super) fn stop<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        (self.starting, self.configuring) = (false, false);
        state.write_all_variables();
        if let Some(engine) = &mut self.engine {
            engine.stop(&mut ScriptHost { state });
        }
        for param in state.settings.drop_script_values() {
            state.apply(param);
        }
    }

    /// The script has asked for a reset. Soon after its start that is as bad as a crash in it: its
    /// `init` or first timer would do so for ever, though the start as such was over.
    pub(super) fn asked_for_reset<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        if !self.enabled() || state.now >= self.started_at + START {
            return;
        }
        self.starting = false; // what goes on until the reset is no proof of a good start
        if let Err(error) = state.storage.script_start_failed(self.starts) {
            state.log(Level::Warning, format_args!("{error}"));
        }
    }

    pub(super) fn enabled(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::enabled)
    }

    pub(super) fn text(&self) -> ScriptText {
        self.stored
    }

    /// The image, to look at.
    pub(super) fn image(&self) -> Option<Image<'_>> {
        self.engine.as_ref().map(|engine| engine.program().image())
    }

    /// The network came up or was lost.
    fn link(&mut self, up: bool) {
        self.link_up = up;
        self.link = Some(up);
    }

    /// Whether it has room for an event with this much data: for sources that can wait.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.engine
            .as_ref()
            .is_none_or(|engine| !engine.enabled() || engine.started() && engine.has_room(bytes))
    }

    /// Something happened.
    pub(super) fn handle<P: Platform>(
        &mut self,
        event: &Event<'_>,
        state: &mut DeviceState<P>,
    ) -> Disposition {
        let Some(engine) = &mut self.engine else { return Disposition::Ignored };
        state.unread = false;
        let at = state.moment();
        let began = state.board.micros();
        let handled = engine.handle(event, at, &mut ScriptHost { state });
        if handled == Disposition::Done {
            engine.note_time(state.board.micros().wrapping_sub(began));
        }
        handled
    }

    /// One turn: takes what came on the local broker and from the web, and does what is due, up to
    /// a bound. Returns whether there is more to do at once.
    fn turn<P: Platform>(&mut self, state: &mut DeviceState<P>, http: &mut HttpClient) -> bool {
        if !self.enabled() {
            // No receiver: nothing may pile up.
            http.answer = None;
            self.unloaded_since = None;
            state.upstream.discard();
            return false;
        }
        if !self.reload(state) {
            return false;
        }
        if state.commands.is_under_way() {
            return true;
        }
        self.trace(state);
        self.pins(state);
        let used = |script: &Script| script.engine.as_ref().map_or(0, Engine::fuel_used);
        let (before, most) = (used(self), state.options.profile.fuel / TURN_PART);
        for _ in 0..EVENTS_PER_TURN {
            if !state.has_margin() {
                return false;
            }
            let progress = self.step(state);
            if self.starting && self.engine.as_ref().is_some_and(Engine::started) {
                self.starting = false;
                if let Err(error) = state.storage.script_start_done() {
                    state.log(Level::Warning, format_args!("{error}"));
                }
            }
            if !progress && !self.fetch_next(state, http) {
                return false;
            }
            // Commands come before the next event.
            if state.commands.any_waiting() || used(self).wrapping_sub(before) >= most {
                return true;
            }
        }
        true
    }

    /// When there is something to do at the latest.
    fn deadline(&self) -> Option<Instant> {
        self.engine.as_ref().and_then(Engine::poll_at)
    }

    /// No script runs. If one is to keep strangers out, nobody is let in.
    fn miss<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let missing = state.storage.unguarded(false);
        state.settings.set_missing(missing);
        if !missing.is_empty() {
            state.log(Level::Warning, format_args!("{SCRIPT_MISSING}"));
        }
    }

    /// Runs the `config` lines of a script that has started, if they are still to come: nobody may
    /// come in before.
    pub(super) fn configure<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        if self.configuring && state.has_margin() && self.reload(state) {
            self.step(state);
        }
    }

    /// The `config` lines were run.
    #[inline(never)]
    fn configured<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.configuring = false;
        let mut missing = state.storage.unguarded(true);
        if self.new || missing.is_empty() {
            let mut doors = state.settings.script_doors();
            doors.add(state.refused_doors);
            missing = Doors::default();
            if let Err(error) = state.storage.set_guarding(doors) {
                state.log(Level::Warning, format_args!("{error}"));
            }
        } else {
            // An older script, in the place of the one that is damaged.
            state.log(Level::Warning, format_args!("{SCRIPT_MISSING}"));
        }
        missing.add(state.refused_doors);
        state.settings.set_missing(missing);
    }

    fn start<P: Platform>(&mut self, new: bool, state: &mut DeviceState<P>) {
        let at = state.moment();
        let Some(engine) = &mut self.engine else { return };
        (self.configuring, self.new) = (true, new);
        state.refused_doors = Doors::default();
        state.settings.set_missing(state.storage.unguarded(false));
        self.starting = true;
        self.started_at = state.now;
        self.tracing = false;
        engine.start(at, &mut ScriptHost { state });
        // A script that starts while the network is up gets the event, as at boot; and that of the
        // remote broker.
        state.upstream.announce();
        self.local_first = 0;
        self.link = self.link_up.then_some(true);
    }

    fn step<P: Platform>(&mut self, state: &mut DeviceState<P>) -> bool {
        let Some(engine) = &mut self.engine else { return false };
        let at = state.moment();
        if state.clock.take_changed() {
            engine.clock_set(at);
        }
        state.unread = false;
        let began = state.board.micros();
        let progress = engine.poll(at, &mut ScriptHost { state });
        if progress {
            engine.note_time(state.board.micros().wrapping_sub(began));
        }
        if self.configuring && engine.configured() {
            self.configured(state);
        }
        progress
    }

    /// Gives it the next thing that waits elsewhere; false if there is none, or no room for it.
    fn fetch_next<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
        http: &mut HttpClient,
    ) -> bool {
        let Some(engine) = &self.engine else { return false };
        if !engine.enabled() {
            return false;
        }
        if !engine.started() {
            return true;
        }
        if let Some(up) = self.link.take() {
            let event = if up { Event::WifiConnect } else { Event::WifiDisconnect };
            self.handle(&event, state);
            return true;
        }
        if let Some(answer) = &http.answer {
            let bytes = answer.host.len() + answer.path.len() + answer.body.len();
            if engine.has_room(bytes)
                && let Some(answer) = http.answer.take()
            {
                let (host, path, body) = (&answer.host[..], &answer.path[..], &answer.body[..]);
                let (code, cut) = (answer.code, answer.cut);
                self.handle(&Event::HttpResponse { host, path, code, body, cut }, state);
                return true;
            }
            return false;
        }
        self.fetch_message(state)
    }

    /// The next message of either broker. What a handler publishes on the local broker for a
    /// message of the remote one is back before the next message of the remote one, so that a
    /// script that joins the two knows its own messages when it sees them; and a local flood keeps
    /// the remote broker waiting for no longer than what had come of it by then.
    fn fetch_message<P: Platform>(&mut self, state: &mut DeviceState<P>) -> bool {
        if self.local_first == 0
            && let Some(came) = state.upstream.next()
        {
            match came {
                UpstreamEvent::Connected => self.handle(&Event::MqttConnect, state),
                UpstreamEvent::Message(message) => {
                    let (topic, data) = (message.topic(), message.payload());
                    self.handle(&Event::Topic { side: Side::Remote, topic, data }, state)
                }
            };
            self.local_first = state.broker.local_waiting();
            return true;
        }
        let Some(message) = state.broker.poll_local() else {
            // Without one, what was to come first is through (or was dropped).
            return core::mem::take(&mut self.local_first) > 0;
        };
        self.local_first = self.local_first.saturating_sub(1);
        let (topic, data) = (message.topic(), message.payload());
        self.handle(&Event::Topic { side: Side::Local, topic, data }, state);
        true
    }

    fn pins<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        while let Some(pin) = state.board.poll_edge() {
            if let Some(engine) = &mut self.engine {
                engine.edge(pin, state.now);
            }
        }
    }

    fn trace<P: Platform>(&mut self, state: &DeviceState<P>) {
        let tracing = state.settings.flag(Param::ScriptLogging);
        if tracing != self.tracing
            && let Some(engine) = &mut self.engine
        {
            engine.set_tracing(tracing);
            self.tracing = tracing;
        }
    }
}
