//! The events a script gets: taken from brokers, network, web and pins, a bounded number per turn.

use umqtt_memory::Share;
use umqtt_net::Instant;
use umqtt_vm::{Event, Side};

use super::Script;
use crate::board::Board;
use crate::device::http_client::HttpClient;
use crate::device::script_host::ScriptHost;
use crate::device::state::DeviceState;
use crate::engine::{Disposition, Engine};
use crate::log::Level;
use crate::platform::Platform;
use crate::settings::Param;
use crate::upstream::UpstreamEvent;

/// Events handled per turn; the network is looked at between two turns.
const EVENTS_PER_TURN: usize = 16;
/// The part of a handler's fuel with which a turn is over, whatever is left to do: the last event
/// of a turn may still use all an event may, so a turn is hardly longer than the longest event.
const TURN_PART: u32 = 16;

impl Script {
    /// The network came up or was lost.
    pub(in crate::device) fn link_changed<P: Platform>(
        &mut self,
        up: bool,
        state: &mut DeviceState<P>,
    ) {
        self.network_changes.set(up);
        if up {
            state.upstream.network_up();
            if let Some(ntp) = &mut state.ntp {
                ntp.note_changed();
            }
        }
        state.note_network_changed();
    }

    /// Whether it has room for an event with this much data: for sources that can wait.
    pub(in crate::device) fn has_room(&self, bytes: usize) -> bool {
        self.engine
            .as_ref()
            .is_none_or(|engine| !engine.enabled() || engine.started() && engine.has_room(bytes))
    }

    /// Something happened.
    pub(in crate::device) fn handle<P: Platform>(
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
    pub(super) fn turn<P: Platform>(
        &mut self,
        state: &mut DeviceState<P>,
        http: &mut HttpClient,
    ) -> bool {
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
    pub(super) fn deadline<P: Platform>(&self, state: &DeviceState<P>) -> Option<Instant> {
        let engine = self.engine.as_ref()?;
        // What a time of day wakes is looked at when local time leaps.
        let leap = engine.waits_for_clock().then(|| state.zone_changes_at()).flatten();
        [engine.poll_at(), leap].into_iter().flatten().min()
    }

    pub(super) fn step<P: Platform>(&mut self, state: &mut DeviceState<P>) -> bool {
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
    pub(super) fn fetch_next<P: Platform>(
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
        if let Some(up) = self.network_changes.next() {
            let event = if up { Event::WifiConnect } else { Event::WifiDisconnect };
            self.handle(&event, state);
            return true;
        }
        if let Some(answer) = &http.answer {
            let bytes = answer.host.len() + answer.path.len() + answer.body.len();
            if engine.has_room(bytes)
                && let Some(answer) = http.answer.take()
            {
                // What it held is free for the requests that its handler makes.
                state.ledger[Share::Http].set_used(http.memory() + state.requests.memory());
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
    pub(super) fn fetch_message<P: Platform>(&mut self, state: &mut DeviceState<P>) -> bool {
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

    pub(super) fn pins<P: Platform>(&mut self, state: &mut DeviceState<P>) {
        while let Some(pin) = state.board.poll_edge() {
            if let Some(engine) = &mut self.engine {
                engine.edge(pin, state.now);
            }
        }
    }

    pub(super) fn trace<P: Platform>(&mut self, state: &DeviceState<P>) {
        let tracing = state.settings.flag(Param::ScriptLogging);
        if tracing != self.tracing
            && let Some(engine) = &mut self.engine
        {
            engine.set_tracing(tracing);
            self.tracing = tracing;
        }
    }
}
