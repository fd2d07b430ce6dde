//! The script of the device: its memory, its life (`lifecycle`), and its events (`events`).

mod events;
mod lifecycle;
mod network_changes;

use umqtt_memory::Share;
use umqtt_vm::Image;

use super::Device;
use super::script_host::ScriptHost;
use super::service::Service;
use super::state::DeviceState;
use crate::board::Board;
use crate::console::ScriptText;
use crate::engine::Engine;
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;
use crate::storage::{ImageBytes, StorageError};
use umqtt_net::Instant;

use network_changes::NetworkChanges;
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
    /// The network, and what the script has not got of it yet.
    network_changes: NetworkChanges,
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
            device.script.link_changed(up, &mut device.state);
        }
        device.script.turn(&mut device.state, &mut device.http)
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.script.deadline(&device.state)
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
            network_changes: NetworkChanges::default(),
            stored: ScriptText::None,
            tracing: false,
            unloaded_since: None,
            local_first: 0,
        }
    }

    /// Whether its `config` lines are still to come.
    pub(super) fn is_configuring(&self) -> bool {
        self.configuring
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
}
