//! The life of a script: started at boot, installed, configured, left out, deleted. A script in a
//! crash loop, which resets the device at its start, is left out the fourth time; what faults in a
//! row do on a chip is in `firmware/device/src/crash_loop.rs`.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Arguments;

use umqtt_memory::{Share, reserve};
use umqtt_net::Duration;
use umqtt_vm::Program;

use super::Script;
use crate::board::Board;
use crate::console::{CommandError, ScriptText};
use crate::device::script_host::ScriptHost;
use crate::device::state::DeviceState;
use crate::engine::Engine;
use crate::log::Level;
use crate::notices::SCRIPT_MISSING;
use crate::platform::Platform;
use crate::storage::{ImageBytes, ProtectedServices};
use crate::upload::{CheckError, Checked};

/// Starts in a row that may end in a reset before the script is left out.
const MAX_STARTS: u8 = 3;
/// Milliseconds in which a script that asks for a reset has asked for it at its start: nobody could
/// stop it before.
const START: Duration = Duration::from_millis(10_000);

impl Script {
    /// Starts the stored script, unless it has reset the device three times in a row.
    pub(in crate::device) fn boot<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.try_boot(state);
        if self.engine.is_none() {
            self.miss(state);
        }
    }

    pub(super) fn try_boot<P: Platform>(&mut self, state: &mut DeviceState<P>) {
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
    pub(in crate::device) fn leave_out<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
        why: Arguments<'_>,
    ) {
        self.look(state);
        state.log(Level::Warning, format_args!("Script disabled until the next start: {why}"));
        self.miss(state);
    }

    /// Looks what is stored, without reading it.
    pub(super) fn look<P: Platform>(&mut self, state: &DeviceState<P>) {
        self.stored = match state.storage.script_place() {
            None => ScriptText::None,
            Some((_, source)) if source.is_empty() => ScriptText::Bytecode,
            Some(_) => ScriptText::Source,
        };
    }

    pub(super) fn load<P: Platform>(
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

    /// Puts a script that was checked in the place of the one there is, and starts it.
    pub(in crate::device) fn install<P: Platform>(
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
    pub(in crate::device) fn delete<P: Platform>(
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

    /// The script has asked for a reset. Soon after its start that is as bad as a crash in it: its
    /// `init` or first timer would do so for ever, though the start as such was over.
    pub(in crate::device) fn asked_for_reset<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        if !self.enabled() || state.now >= self.started_at + START {
            return;
        }
        self.starting = false; // what goes on until the reset is no proof of a good start
        if let Err(error) = state.storage.script_start_failed(self.starts) {
            state.log(Level::Warning, format_args!("{error}"));
        }
    }

    /// No script runs. If one is to keep strangers out, nobody is let in.
    pub(super) fn miss<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let missing = state.storage.unguarded(false);
        state.settings.set_missing(missing, ProtectedServices::default());
        if !missing.is_empty() {
            state.log(Level::Warning, format_args!("{SCRIPT_MISSING}"));
        }
    }

    /// Runs the `config` lines of a script that has started, if they are still to come: nobody may
    /// come in before.
    pub(in crate::device) fn configure<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        if self.configuring && state.has_margin() && self.reload(state) {
            self.step(state);
        }
    }

    /// The `config` lines were run.
    #[inline(never)]
    pub(super) fn configured<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.configuring = false;
        let mut missing = state.storage.unguarded(true);
        if self.new || missing.is_empty() {
            let mut services = state.settings.script_protects();
            services.add(state.unprotected);
            missing = ProtectedServices::default();
            if let Err(error) = state.storage.set_guarding(services) {
                state.log(Level::Warning, format_args!("{error}"));
            }
        } else {
            // An older script, in the place of the one that is damaged.
            state.log(Level::Warning, format_args!("{SCRIPT_MISSING}"));
        }
        state.settings.set_missing(missing, state.unprotected);
    }

    pub(super) fn start<P: Platform>(&mut self, new: bool, state: &mut DeviceState<P>) {
        let at = state.moment();
        let Some(engine) = &mut self.engine else { return };
        (self.configuring, self.new) = (true, new);
        state.unprotected = ProtectedServices::default();
        state.settings.set_missing(state.storage.unguarded(false), ProtectedServices::default());
        self.starting = true;
        self.started_at = state.now;
        self.tracing = false;
        engine.start(at, &mut ScriptHost { state });
        // A script that starts while the network is up gets the event, as at boot; and that of the
        // remote broker.
        state.upstream.announce();
        self.local_first = 0;
        self.network_changes.restart();
    }
}
