//! Retained messages over a restart: loaded at start, saved on command, or by themselves with `broker_autoretain`. The
//! device's own topics under `$SYS` are left out: they are published anew.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use core::ops::Bound;

use umqtt_broker::QoS;

use umqtt_net::{Duration, Instant};

use super::state::DeviceState;
use crate::console::CommandError;
use crate::log::Level;
use crate::platform::Platform;
use crate::settings::Param;
use crate::storage::SavedMessage;

/// How long after the last change the messages are saved, milliseconds.
const SAVE_DELAY: Duration = Duration::from_millis(1_000);
/// How long after the first change at the latest, while they go on changing: each saving wears the flash.
const SAVE_LATEST: Duration = Duration::from_millis(10_000);
/// How long after a failure it is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(60_000);
/// Topics without room that are named.
const NAMED: usize = 4;
/// Bytes shown of such a topic.
const MAX_NAME: usize = 64;

/// Which changes of the retained messages are saved, and when the others will be.
#[derive(Debug, Default)]
pub(super) struct Retention {
    saved: u32,
    seen: u32,
    /// The changes there were when the saving that goes on began.
    saving: Option<u32>,
    /// When to save what was seen.
    due: Option<Due>,
    /// What was said last of those without room, so that it is said once.
    complained: String,
}

/// The messages there was no room for.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    count: usize,
    names: String,
}

impl Unsaved {
    fn add(&mut self, topic: &[u8]) {
        self.count += 1;
        if self.count <= NAMED {
            let comma = if self.count > 1 { ", " } else { "" };
            let shown = topic.get(..MAX_NAME).unwrap_or(topic);
            let _ = write!(self.names, "{comma}{}", shown.escape_ascii());
        }
    }

    fn refusal(self) -> Result<(), CommandError> {
        let Unsaved { count, names } = self;
        match count {
            0 => Ok(()),
            _ if count <= NAMED => Err(CommandError(format!("no room for {names}"))),
            _ => Err(CommandError(format!("no room for {names} and {} more", count - NAMED))),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Due {
    at: Instant,
    latest: Instant,
}

impl Retention {
    pub(super) fn poll_at<P: Platform>(&self, state: &DeviceState<P>) -> Option<Instant> {
        if self.saving.is_some() {
            return Some(state.now);
        }
        self.due.filter(|_| state.settings.flag(Param::BrokerAutoretain)).map(|due| due.at)
    }

    /// Saves what has changed, whatever the time, if the owner wants it.
    pub(super) fn save_now<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        // What the owner has asked for goes on to its end.
        while state.storage.is_saving_retained() && state.save_some_retained().is_none() {}
        if state.retained_changes() != self.saved && state.settings.flag(Param::BrokerAutoretain) {
            self.begin(state);
            while self.saving.is_some() {
                self.save_some(state);
            }
        }
    }

    /// Saves some of what has changed, if it is time and the owner wants it.
    pub(super) fn poll<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let changes = state.retained_changes();
        if changes != self.seen {
            self.seen = changes;
            let (at, latest) = (state.now + SAVE_DELAY, state.now + SAVE_LATEST);
            let due = self.due.get_or_insert(Due { at, latest });
            due.at = at.min(due.latest);
        }
        if self.poll_at(state).is_some_and(|at| state.now >= at) {
            if self.saving.is_none() {
                self.begin(state);
            }
            self.save_some(state);
        }
    }

    fn begin<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        self.seen = state.retained_changes();
        self.saving = Some(self.seen);
        self.due = None;
    }

    /// The next few records; everything else has its turn between two of them.
    fn save_some<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        let complaint = match state.save_some_retained() {
            None => return,
            Some(Ok(())) => String::new(),
            Some(Err(CommandError(reason))) => reason,
        };
        let began = self.saving.take();
        if state.retained_unsaved {
            let at = state.now + RETRY_DELAY;
            self.due = Some(Due { at, latest: at });
        } else {
            self.saved = began.unwrap_or(self.seen);
        }
        if complaint != self.complained && !complaint.is_empty() {
            state.log(Level::Warning, format_args!("Retained topics not saved: {complaint}"));
        }
        self.complained = complaint;
    }
}

impl<P: Platform> DeviceState<P> {
    /// Counts the changes, those of the device's own figures left out: they come every few seconds for ever, and each
    /// saving wears the flash.
    fn retained_changes(&self) -> u32 {
        self.broker.retained_revision().wrapping_sub(self.own_changes)
    }

    /// Saves a few of the retained messages, as far as there is room for them; `None` if there are more, else which ones there is
    /// no room for is the refusal.
    pub(super) fn save_some_retained(&mut self) -> Option<Result<(), CommandError>> {
        if !self.storage.is_saving_retained() {
            self.unsaved = Unsaved::default();
        }
        let (broker, unsaved) = (&self.broker, &mut self.unsaved);
        let from = |from: Bound<&[u8]>| {
            broker.retained_to_keep_from(from).map(|found| SavedMessage {
                topic: found.topic,
                payload: found.payload,
                qos: found.qos as u8,
            })
        };
        let saved = self.storage.save_some_retained(&from, &mut |topic| unsaved.add(topic));
        self.retained_unsaved = saved.is_err();
        match saved {
            Ok(false) => None,
            Ok(true) => Some(core::mem::take(&mut self.unsaved).refusal()),
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Forgets the retained messages, here and in the flash.
    pub(super) fn delete_retained(&mut self) -> Result<(), CommandError> {
        self.broker.clear_retained();
        Ok(self.storage.save_retained(&|_| core::iter::empty(), &mut |_| ())?)
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
