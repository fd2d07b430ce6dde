//! The world around a simulated script: two brokers reduced to topics, pins, flash variables.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use umqtt_calendar::{Place, Zone};
use umqtt_net::Instant;
use umqtt_topic::TopicError;
use umqtt_vm::{
    Almanac, Console, FLASH_VARIABLE_LEN, FlashVariables, Gpio, Http, Mqtt, PinMode, Random,
    Serial, Side, Step, Tracing,
};

use super::{Action, Coverage, Done};
use crate::settings::param_type::degrees;
use crate::trace::Tracer;

/// Most messages on their way to the script; more are lost, as with any broker.
const MESSAGES: usize = 1000;

/// A message on its way to the script.
pub(super) struct Message {
    pub(super) side: Side,
    pub(super) topic: Vec<u8>,
    pub(super) data: Vec<u8>,
}

/// What the script finds and what it did.
#[derive(Default)]
pub(super) struct World {
    pub(super) actions: Vec<Done>,
    /// What ran of the code, if that is watched.
    pub(super) coverage: Option<Coverage>,
    /// The lines of a trace.
    pub(super) tracer: Option<Tracer>,
    /// Where the running handler is, if that is watched.
    offset: Option<u16>,
    pub(super) now: Instant,
    pub(super) connected: bool,
    pub(super) adc: u16,
    pub(super) retained: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) subscriptions: Vec<(Side, Vec<u8>)>,
    messages: VecDeque<Message>,
    requests: VecDeque<(Vec<u8>, Vec<u8>)>,
    /// What a power cut leaves of the retained messages.
    saved: BTreeMap<Vec<u8>, Vec<u8>>,
    pins: BTreeMap<u8, bool>,
    /// Levels from outside.
    driven: BTreeMap<u8, bool>,
    /// Outputs as the script set them last.
    outputs: BTreeMap<u8, bool>,
    duties: BTreeMap<u8, u16>,
    watched: Vec<u8>,
    flash: BTreeMap<u8, Vec<u8>>,
    /// Never 0.
    random_state: u32,
    pub(super) zone: Zone,
    pub(super) place: Option<Place>,
    /// What settings said of zone and place, until it counts.
    pub(super) new_zone: Option<Zone>,
    pub(super) new_place: Option<Place>,
    latitude: Option<i32>,
    longitude: Option<i32>,
    /// In milliseconds since 1970, once the clock is set.
    pub(super) utc: Option<u64>,
}

impl World {
    /// Where its random numbers begin.
    pub(super) fn seed(&mut self, seed: u32) {
        // 0 would stay 0; that any other two seeds begin alike is avoided.
        self.random_state = seed.wrapping_mul(0x9e37_79b9).wrapping_add(0x7f4a_7c15).max(1);
    }

    /// What a power cut leaves of it: flash variables, saved retained messages, and what is
    /// outside.
    pub(super) fn after_power_cut(&mut self) -> World {
        World {
            actions: core::mem::take(&mut self.actions),
            coverage: self.coverage.take(),
            tracer: self.tracer.take(),
            now: self.now,
            adc: self.adc,
            retained: self.saved.clone(),
            saved: core::mem::take(&mut self.saved),
            pins: self.driven.clone(),
            driven: core::mem::take(&mut self.driven),
            flash: core::mem::take(&mut self.flash),
            random_state: self.random_state,
            zone: self.zone,
            place: self.place,
            latitude: self.latitude,
            longitude: self.longitude,
            ..World::default()
        }
    }

    /// Keeps the retained messages over a power cut.
    pub(super) fn save_retained(&mut self) {
        self.saved = self.retained.clone();
    }

    /// A setting; those that a script's run depends on count: zone and place.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"timezone" | b"ntp_timezone" => self.new_zone = Zone::parse(value).ok(),
            b"latitude" => self.latitude = degrees(value).ok(),
            b"longitude" => self.longitude = degrees(value).ok(),
            _ => return,
        }
        let place = self.latitude.zip(self.longitude);
        self.new_place = place.map(|(latitude, longitude)| Place { latitude, longitude });
    }

    fn record(&mut self, action: Action) {
        self.actions.push(Done { at: self.now, offset: self.offset, action });
    }

    /// Delivers a published message to the script's subscriptions.
    pub(super) fn message(&mut self, side: Side, topic: &[u8], data: &[u8], retained: bool) {
        if retained && side == Side::Local {
            if data.is_empty() {
                self.retained.remove(topic);
            } else {
                self.retained.insert(topic.to_vec(), data.to_vec());
            }
        }
        let wanted =
            |(at, filter): &(Side, Vec<u8>)| *at == side && umqtt_topic::matches(filter, topic);
        if self.subscriptions.iter().any(wanted) {
            self.send(side, topic, data);
        }
    }

    /// The next message for the script, if there is room for it.
    pub(super) fn next_message(&mut self, has_room: impl Fn(usize) -> bool) -> Option<Message> {
        let first = self.messages.front()?;
        if has_room(first.topic.len() + first.data.len()) {
            self.messages.pop_front()
        } else {
            None
        }
    }

    /// The oldest HTTP request that was not answered: host and path.
    pub(super) fn take_request(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.requests.pop_front()
    }

    /// The remote broker is gone, and what was subscribed there.
    pub(super) fn disconnect(&mut self) {
        self.connected = false;
        self.subscriptions.retain(|(side, _)| *side == Side::Local);
    }

    /// Drives a pin from outside; whether that is an edge on a watched pin.
    pub(super) fn drive(&mut self, pin: u8, level: bool) -> bool {
        self.driven.insert(pin, level);
        self.pins.insert(pin, level) != Some(level) && self.watched.contains(&pin)
    }

    pub(super) fn pin(&self, pin: u8) -> bool {
        self.pins.get(&pin).copied().unwrap_or(false)
    }

    pub(super) fn pwm(&self, pin: u8) -> u16 {
        self.duties.get(&pin).copied().unwrap_or(0)
    }

    pub(super) fn flash_variable(&self, n: u8) -> &[u8] {
        self.flash.get(&n).map_or(b"", Vec::as_slice)
    }

    pub(super) fn set_flash(&mut self, n: u8, value: &[u8]) {
        let value = value.iter().copied().take(FLASH_VARIABLE_LEN).collect();
        self.flash.insert(n, value);
    }

    fn send(&mut self, side: Side, topic: &[u8], data: &[u8]) {
        if self.messages.len() < MESSAGES {
            let (topic, data) = (topic.to_vec(), data.to_vec());
            self.messages.push_back(Message { side, topic, data });
        }
    }

    fn not_connected(&mut self, side: Side) -> bool {
        let missing = side == Side::Remote && !self.connected;
        if missing {
            if self.is_tracing() {
                self.step(Step::Note(format_args!("not connected to the remote broker")));
            }
            self.log(format_args!("not connected to the remote broker"));
        }
        missing
    }

    fn request(&mut self, url: &[u8]) {
        let rest = url.strip_prefix(b"http://").unwrap_or(url);
        let at = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        self.requests.push_back((host.to_vec(), path.to_vec()));
    }
}

impl Mqtt for World {
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        umqtt_topic::check_name(topic)?;
        if self.not_connected(side) {
            return Ok(0);
        }
        let (name, payload) = (topic.to_vec(), data.to_vec());
        self.record(Action::Publish { side, topic: name, data: payload, retained });
        self.message(side, topic, data, retained);
        Ok(self.subscriptions.len() as u32)
    }

    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        if self.not_connected(side) {
            return 0;
        }
        self.record(Action::Subscribe(side, filter.to_vec()));
        let subscription = (side, filter.to_vec());
        if !self.subscriptions.contains(&subscription) {
            self.subscriptions.push(subscription);
        }
        if side == Side::Local {
            let matching = |(topic, _): &(&Vec<u8>, &Vec<u8>)| umqtt_topic::matches(filter, topic);
            let kept: Vec<_> = self.retained.iter().filter(matching).collect();
            let kept: Vec<_> = kept.iter().map(|(t, d)| (t.to_vec(), d.to_vec())).collect();
            kept.iter().for_each(|(topic, data)| self.send(side, topic, data));
        }
        self.subscriptions.len() as u32
    }

    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        self.record(Action::Unsubscribe(side, filter.to_vec()));
        self.subscriptions.retain(|(at, other)| *at != side || other != filter);
        self.subscriptions.len() as u32
    }

    fn unsubscribe_all(&mut self) {
        self.subscriptions.clear();
        self.messages.clear();
    }

    fn retained(&mut self, filter: &[u8], out: &mut [u8], looks: &mut u32) -> usize {
        let mut kept = self.retained.iter().take_while(|_| {
            let looked = *looks > 0;
            *looks = looks.saturating_sub(1);
            looked
        });
        let found = kept.find(|(topic, _)| umqtt_topic::matches(filter, topic));
        let data = found.map_or(&b""[..], |(_, data)| data);
        out.iter_mut().zip(data).map(|(to, from)| *to = *from).count()
    }
}

impl Http for World {
    fn http_get(&mut self, url: &[u8]) {
        self.record(Action::HttpGet(url.to_vec()));
        self.request(url);
    }

    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        self.record(Action::HttpPost(url.to_vec(), body.to_vec()));
        self.request(url);
    }
}

impl Gpio for World {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        self.record(Action::PinMode(pin, mode));
    }

    fn pin_write(&mut self, pin: u8, level: bool) {
        self.pins.insert(pin, level);
        if self.outputs.insert(pin, level) != Some(level) {
            self.record(Action::Pin(pin, level));
        }
    }

    fn pin_read(&mut self, pin: u8) -> bool {
        self.pin(pin)
    }

    fn pwm(&mut self, pin: u8, duty: u16) {
        if self.duties.insert(pin, duty) != Some(duty) {
            self.record(Action::Pwm(pin, duty));
        }
    }

    fn adc(&mut self) -> u16 {
        self.adc
    }

    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        self.watched.push(pin);
        self.pins.entry(pin).or_insert(pullup);
    }

    fn unwatch_pins(&mut self) {
        self.watched.clear();
    }
}

impl Serial for World {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.record(Action::Serial(bytes.to_vec()));
    }
}

impl Console for World {
    fn print(&mut self, text: &[u8], newline: bool) {
        self.record(Action::Print { text: text.to_vec(), newline });
    }

    fn system(&mut self, command: &[u8]) {
        self.record(Action::System(command.to_vec()));
        match command {
            b"save_retained" => self.save_retained(),
            b"delete_retained" => {
                self.retained.clear();
                self.saved.clear();
            }
            _ => {}
        }
    }

    fn config(&mut self, name: &[u8], value: &[u8]) {
        self.record(Action::Config(name.to_vec(), value.to_vec()));
        self.set(name, value);
    }

    fn log(&mut self, line: core::fmt::Arguments<'_>) {
        self.record(Action::Log(alloc::format!("{line}")));
    }
}

impl Tracing for World {
    fn is_tracing(&self) -> bool {
        self.coverage.is_some() || self.tracer.is_some()
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Handler { at, .. } | Step::Instruction { at, .. } => self.offset = Some(at),
            Step::End(_) => self.offset = None,
            _ => {}
        }
        if let Some(tracer) = &mut self.tracer {
            tracer.step(&step, self.now);
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.count(&step, self.offset);
        }
    }
}

/// Xorshift: random enough to try scripts with, and the same in every run.
impl Almanac for World {
    fn sun(&mut self, day: u32) -> Option<[i32; 2]> {
        let sun = self.place?.sun(&self.zone, day.try_into().ok()?)?;
        Some([sun.rise, sun.set])
    }

    fn unix_time(&mut self) -> u32 {
        self.utc.and_then(|utc| u32::try_from(utc / 1000).ok()).unwrap_or(0)
    }
}

impl Random for World {
    fn random(&mut self, into: &mut [u8]) {
        for bytes in into.chunks_mut(4) {
            let state = &mut self.random_state;
            *state ^= *state << 13;
            *state ^= *state >> 17;
            *state ^= *state << 5;
            bytes.iter_mut().zip(state.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}

impl FlashVariables for World {
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        let value = self.flash_variable(n);
        out.iter_mut().zip(value).map(|(to, from)| *to = *from).count()
    }

    fn flash_write(&mut self, n: u8, value: &[u8]) {
        self.set_flash(n, value);
        self.record(Action::Flash(n, value.to_vec()));
    }
}
