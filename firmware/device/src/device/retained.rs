//! Retained messages over a restart: loaded at start, saved on command, or by themselves with
//! `broker_autoretain`. The device's own topics under `$SYS` are left out: they are published anew.

use alloc::string::String;
use core::ops::Bound;

use umqtt_mqtt::QoS;

use umqtt_net::{Duration, Instant};

use super::Device;
use super::service::Service;
use super::state::DeviceState;
use super::unsaved_retained::UnsavedRetained;
use crate::console::CommandError;
use crate::log::Level;
use crate::net::Net;
use crate::platform::Platform;
use crate::settings::Param;
use crate::storage::SavedMessage;

/// How long after the last change the messages are saved, milliseconds.
const SAVE_DELAY: Duration = Duration::from_millis(1_000);
/// How long after the first change at the latest, while they go on changing: each saving wears the
/// flash.
const SAVE_LATEST: Duration = Duration::from_millis(10_000);
/// How long after a failure it is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(60_000);
/// Which changes of the retained messages are saved, and when the others will be.
#[derive(Debug, Default)]
pub(super) struct Retention {
    saved: u32,
    seen: u32,
    /// The changes there were when the saving that goes on began.
    saving: Option<u32>,
    /// When to save what was seen.
    due: Option<SaveDeadlines>,
    /// The last report of messages without room, so that it is logged once.
    reported: String,
}

#[derive(Clone, Copy, Debug)]
struct SaveDeadlines {
    at: Instant,
    latest: Instant,
}

impl<P: Platform> Service<P> for Retention {
    #[inline(never)]
    fn poll(device: &mut Device<P>, _net: &mut dyn Net) -> bool {
        if device.state.has_margin() {
            device.retention.save_due(&mut device.state);
        }
        false
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        device.retention.deadline(&device.state)
    }
}

impl Retention {
    fn deadline<P: Platform>(&self, state: &DeviceState<P>) -> Option<Instant> {
        if self.saving.is_some() {
            return Some(state.now);
        }
        self.due.filter(|_| state.settings.flag(Param::BrokerAutoretain)).map(|due| due.at)
    }

    /// Saves what has changed, whatever the time, if the owner wants it.
    pub(super) fn save_now<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        // What the owner has asked for goes on to its end.
        while state.storage.is_saving_retained() && save_some(state).is_none() {}
        if changes(state) != self.saved && state.settings.flag(Param::BrokerAutoretain) {
            self.begin(state);
            while self.saving.is_some() {
                self.save_some(state);
            }
        }
    }

    /// Saves some of what has changed, if it is time and the owner wants it.
    fn save_due<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let changes = changes(state);
        if changes != self.seen {
            self.seen = changes;
            let (at, latest) = (state.now + SAVE_DELAY, state.now + SAVE_LATEST);
            let due = self.due.get_or_insert(SaveDeadlines { at, latest });
            due.at = at.min(due.latest);
        }
        if self.deadline(state).is_some_and(|at| state.now >= at) {
            if self.saving.is_none() {
                self.begin(state);
            }
            self.save_some(state);
        }
    }

    fn begin<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.seen = changes(state);
        self.saving = Some(self.seen);
        self.due = None;
    }

    /// The next few records; everything else has its turn between two of them.
    fn save_some<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let report = match save_some(state) {
            None => return,
            Some(Ok(())) => String::new(),
            Some(Err(CommandError(reason))) => reason,
        };
        let began = self.saving.take();
        if state.retained_unsaved {
            let at = state.now + RETRY_DELAY;
            self.due = Some(SaveDeadlines { at, latest: at });
        } else {
            self.saved = began.unwrap_or(self.seen);
        }
        if report != self.reported && !report.is_empty() {
            state.log(Level::Warning, format_args!("Retained topics not saved: {report}"));
        }
        self.reported = report;
    }
}

/// Counts the changes, those of the device's own figures left out: they come every few seconds for
/// ever, and each saving wears the flash.
fn changes<P: Platform>(state: &DeviceState<P>) -> u32 {
    state.broker.retained_revision().wrapping_sub(state.own_changes)
}

/// Saves a few of the retained messages, as far as there is room for them; `None` if there are
/// more, else which ones there is no room for is the refusal.
pub(super) fn save_some<P: Platform>(
    state: &mut DeviceState<P>,
) -> Option<Result<(), CommandError>> {
    if !state.storage.is_saving_retained() {
        state.unsaved = UnsavedRetained::default();
    }
    let (broker, unsaved) = (&state.broker, &mut state.unsaved);
    let from = |from: Bound<&[u8]>| {
        broker.retained_to_keep_from(from).map(|found| SavedMessage {
            topic: found.topic,
            payload: found.payload,
            qos: found.qos as u8,
        })
    };
    let saved = state.storage.save_some_retained(&from, &mut |topic| unsaved.add(topic));
    state.retained_unsaved = saved.is_err();
    match saved {
        Ok(false) => None,
        Ok(true) => Some(core::mem::take(&mut state.unsaved).into_result()),
        Err(error) => Some(Err(error.into())),
    }
}

/// Forgets the retained messages, here and in the flash.
pub(super) fn delete<P: Platform>(state: &mut DeviceState<P>) -> Result<(), CommandError> {
    state.broker.clear_retained();
    Ok(state.storage.save_retained(&|_| core::iter::empty(), &mut |_| ())?)
}

/// Gives the broker the messages that were saved; what its limits do not take is left out, and that
/// is logged.
pub(super) fn load<P: Platform>(state: &mut DeviceState<P>) {
    let messages = match state.storage.load_retained() {
        Ok(messages) => messages,
        Err(error) => {
            state.log(Level::Warning, format_args!("Retained topics not loaded: {error}"));
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
        refused += u32::from(state.broker.retain(message.topic, message.payload, qos).is_err());
    }
    if refused > 0 {
        state.log(Level::Warning, format_args!("{refused} retained topics not loaded"));
    }
}
