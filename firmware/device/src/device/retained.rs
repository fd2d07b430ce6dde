//! Retained messages over a restart: loaded at start, saved on command, or by themselves with `broker_autoretain`. The
//! device's own topics under `$SYS` are left out: they are published anew.

use alloc::format;

use embedded_storage::nor_flash::NorFlash;
use umqtt_broker::QoS;

use super::core::Core;
use crate::board::Board;
use crate::console::Refusal;
use crate::engine::Millis;
use crate::log::Level;
use crate::settings::Param;
use crate::storage::retained::MAX_RETAINED;
use crate::storage::{SavedMessage, SavedMessages};

/// Least time between two savings that nobody asked for, milliseconds: each wears the flash.
const SAVE_EVERY: Millis = 60_000;

/// When the retained messages were looked at last.
#[derive(Debug, Default)]
pub(super) struct Retention {
    seen: u32,
    next_at: Millis,
}

impl Retention {
    pub(super) fn poll_at<B: Board, F: NorFlash>(&self, core: &Core<B, F>) -> Option<Millis> {
        let changed = core.retained_changes() != self.seen;
        (changed && core.settings.flag(Param::BrokerAutoretain)).then_some(self.next_at)
    }

    /// Saves what has changed, whatever the time, if the owner wants it.
    pub(super) fn save_now<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) {
        if self.poll_at(core).is_some() {
            self.save(core);
        }
    }

    /// Saves what has changed, if it is time and the owner wants it.
    pub(super) fn poll<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) {
        if self.poll_at(core).is_some_and(|at| core.now >= at) {
            self.save(core);
        }
    }

    fn save<B: Board, F: NorFlash>(&mut self, core: &mut Core<B, F>) {
        self.seen = core.retained_changes();
        self.next_at = core.now.saturating_add(SAVE_EVERY);
        if let Err(reason) = core.save_retained() {
            core.log(Level::Warning, format_args!("Retained topics not saved: {reason}"));
        }
    }
}

impl<B: Board, F: NorFlash> Core<B, F> {
    /// Counts the changes, those of the device's own figures left out: they come every few seconds for ever, and each
    /// saving wears the flash.
    fn retained_changes(&self) -> u32 {
        self.broker.retained_revision().wrapping_sub(self.own_changes)
    }

    /// Saves the retained messages, all of them or none.
    pub(super) fn save_retained(&mut self) -> Result<(), Refusal> {
        let mut messages = SavedMessages::default();
        for found in self.broker.retained(b"#") {
            let qos = found.qos as u8;
            let message = SavedMessage { topic: found.topic, payload: found.payload, qos };
            messages.push(message).map_err(|_| {
                Refusal(format!("together they are larger than {MAX_RETAINED} bytes"))
            })?;
        }
        Ok(self.storage.save_retained(&messages)?)
    }

    /// Forgets the retained messages, here and in the flash.
    pub(super) fn delete_retained(&mut self) -> Result<(), Refusal> {
        self.broker.clear_retained();
        Ok(self.storage.save_retained(&SavedMessages::default())?)
    }

    /// Gives the broker the messages that were saved; what its limits do not take is left out, and that is logged.
    pub(super) fn load_retained(&mut self) {
        let messages = match self.storage.load_retained() {
            Ok(messages) => messages,
            Err(error) => {
                self.log(Level::Warning, format_args!("Retained topics not loaded: {error}"));
                return;
            }
        };
        let mut refused = 0u32;
        for message in messages.iter() {
            let qos = match message.qos {
                0 => QoS::AtMostOnce,
                1 => QoS::AtLeastOnce,
                _ => QoS::ExactlyOnce,
            };
            refused += u32::from(self.broker.retain(message.topic, message.payload, qos).is_err());
        }
        if refused > 0 {
            self.log(Level::Warning, format_args!("{refused} retained topics not loaded"));
        }
    }
}
