//! A device in virtual time, to test scripts: a [`Simulator`] that runs one script, takes inputs,
//! lets time pass and records every [`Action`] of the script.
//!
//! The script runs on the real [`Engine`]; around it is a small world that keeps topics, pins and
//! flash variables in memory. It has no network and no console: the world performs what the script
//! asks for and records it. Time stands still except in [`Simulator::advance`], so
//! a day passes in an instant and every run is the same.
//!
//! With the image of `on init do subscribe local lamp on topic local lamp do gpio_out 5 $this_data
//! = on`:
//!
//! ```
//! use umqtt_device::{engine::LoadError, sim::Simulator};
//! # fn story(image: Vec<u8>) -> Result<(), LoadError> {
//! let mut sim = Simulator::new(image, &umqtt_vm::Profile::DESKTOP)?;
//! sim.start();
//! sim.local("lamp", "on");
//! assert_eq!(sim.done(), ["subscribe local lamp", "gpio 5 = 1"]);
//! # Ok(())
//! # }
//! ```

mod action;
mod coverage;
mod pins;
mod radio;
mod world;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use umqtt_calendar::{Place, Zone};
use umqtt_net::{Duration, Instant};
use umqtt_vm::{Event, Profile, Side};

use crate::engine::{Engine, LoadError, LocalTime, Now, ScriptStats};
use crate::trace::Tracer;

pub use action::{Action, Done};
pub use coverage::Coverage;
pub use pins::SimulatedPins;
pub use radio::{RADIO_USAGE, SimulatedRadio};
use world::World;

/// So many steps happen at one instant at most; what is left waits a millisecond. It keeps scripts
/// that feed themselves from stopping the time.
pub const STEPS_AT_ONCE: usize = 10_000;

const DAY_MS: u64 = 86_400_000;

/// A script in a simulated device.
pub struct Simulator {
    engine: Engine<Vec<u8>>,
    world: World,
    now: Instant,
    /// Longest value, bytes.
    longest: usize,
    /// What the clock showed at `now` 0 in UTC, in milliseconds since 1970.
    clock: Option<u64>,
}

impl Simulator {
    /// Loads a script without starting it, so that flash variables, retained messages and pins can
    /// be prepared.
    ///
    /// # Errors
    /// [`LoadError`] when the image does not load.
    pub fn new(image: Vec<u8>, profile: &Profile) -> Result<Simulator, LoadError> {
        let engine = Engine::load(image, profile)?;
        let longest = profile.value;
        let mut world = World::default();
        world.seed(0);
        Ok(Simulator { engine, world, now: Instant::ZERO, longest, clock: None })
    }

    /// Seeds `random`: the same seed gives the same numbers.
    pub fn seed(&mut self, seed: u32) {
        self.world.seed(seed);
    }

    /// Starts the script: `config` lines, `init`, and what follows from them at once.
    pub fn start(&mut self) {
        self.world.now = self.now;
        self.world.utc = self.utc();
        self.engine.start(self.moment(), &mut self.world);
        self.run_until_idle();
        self.apply_settings();
    }

    /// A setting, as `set` on the console makes it. A script sees only its zone and place.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.world.set(name, value);
        self.apply_settings();
    }

    /// Zone and place count from now on.
    fn apply_settings(&mut self) {
        if let Some(zone) = self.world.new_zone.take() {
            self.set_zone(zone);
        }
        if let Some(place) = self.world.new_place.take() {
            self.set_place(place);
        }
    }

    /// Ends the script for good.
    pub fn stop(&mut self) {
        self.engine.stop(&mut self.world);
    }

    /// Lets time pass, with everything that is due in it.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.saturating_add(by);
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            // When idle nothing is due any more, unless there was too much of it.
            self.now = at.max(self.now.saturating_add(Duration::from_millis(1)));
            if self.now > end {
                break;
            }
            self.run_until_idle();
        }
        self.now = end;
        self.run_until_idle();
    }

    /// Publishes a message on the device's own broker.
    pub fn local(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Local, topic.as_bytes(), data.as_ref(), false);
        self.run_until_idle();
    }

    /// As [`Simulator::local`], and the message is retained.
    pub fn local_retained(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Local, topic.as_bytes(), data.as_ref(), true);
        self.run_until_idle();
    }

    /// Publishes a message on the remote broker.
    pub fn remote(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Remote, topic.as_bytes(), data.as_ref(), false);
        self.run_until_idle();
    }

    /// The remote broker accepts the device.
    pub fn connect_remote(&mut self) {
        self.world.connected = true;
        self.event(&Event::MqttConnect);
    }

    /// The connection to the remote broker is lost, and its subscriptions with it.
    pub fn disconnect_remote(&mut self) {
        self.world.disconnect();
    }

    /// The WiFi client gets or loses its network; with the network goes the remote broker.
    pub fn wifi(&mut self, up: bool) {
        if up {
            self.event(&Event::WifiConnect);
        } else {
            self.world.disconnect();
            self.event(&Event::WifiDisconnect);
        }
    }

    /// A line arrives on the serial port.
    pub fn serial(&mut self, line: impl AsRef<[u8]>) {
        self.event(&Event::Serial { line: line.as_ref() });
    }

    /// The server of the oldest HTTP request that waits for it answers; false if there is none.
    pub fn http_answer(&mut self, code: &[u8; 3], body: impl AsRef<[u8]>) -> bool {
        let Some((host, path)) = self.world.take_request() else { return false };
        let body = body.as_ref();
        let cut = body.len() > self.longest;
        let body = &body[..body.len().min(self.longest)];
        self.event(&Event::HttpResponse { host: &host, path: &path, code: *code, body, cut });
        true
    }

    /// A pin is driven from outside.
    pub fn drive_pin(&mut self, pin: u8, level: bool) {
        if self.world.drive(pin, level) {
            self.engine.edge(pin, self.now);
        }
        self.run_until_idle();
    }

    /// What the analogue input shows from now on, 0 to 1023.
    pub fn set_adc(&mut self, value: u16) {
        self.world.adc = value.min(1023);
    }

    /// Sets the clock, as a time server does; it runs on from there.
    pub fn set_clock(&mut self, time: LocalTime) {
        self.clock = Some(self.clock_showing(time));
        self.run_until_idle();
    }

    /// Sets the clock as the owner does with `set ntp_time`.
    pub fn owner_sets_clock(&mut self, time: LocalTime) {
        self.clock = Some(self.clock_showing(time));
        self.engine.clock_set(self.moment());
        self.run_until_idle();
    }

    /// Sets the zone, UTC at first. What the clock showed is what it shows in the new one.
    pub fn set_zone(&mut self, zone: Zone) {
        let shown = self.moment().clock;
        self.world.zone = zone;
        self.clock = shown.map(|time| self.clock_showing(time));
        self.engine.clock_set(self.moment());
        self.run_until_idle();
    }

    /// Sets the place for sunrise and sunset, which is unknown at first.
    pub fn set_place(&mut self, place: Place) {
        self.world.place = Some(place);
        self.engine.clock_set(self.moment());
        self.run_until_idle();
    }

    /// What the clock showed in UTC at `now` 0, if it shows this now.
    fn clock_showing(&self, time: LocalTime) -> u64 {
        let local = u64::from(time.day) * DAY_MS + u64::from(time.millis);
        let second = i64::try_from(local / 1000).unwrap_or(i64::MAX);
        let ahead = second - self.world.zone.to_utc(second);
        local.saturating_add_signed(-ahead * 1000).saturating_sub(self.now.as_millis())
    }

    /// UTC in milliseconds since 1970.
    fn utc(&self) -> Option<u64> {
        self.clock.map(|clock| clock.saturating_add(self.now.as_millis()))
    }

    /// When local time leaps next, if the script waits for a time of day.
    fn leaps_at(&self) -> Option<Instant> {
        let utc = self.utc().filter(|_| self.engine.waits_for_clock())?;
        let until = self.world.zone.period_at(i64::try_from(utc / 1000).ok()?).until;
        let wait = u64::try_from(until).ok()?.checked_mul(1000)?.checked_sub(utc)?;
        Some(self.now.saturating_add(Duration::from_millis(wait)))
    }

    /// Writes a flash variable, as `set @n` on the console does; beyond 63 bytes it is cut.
    pub fn set_flash(&mut self, n: u8, value: impl AsRef<[u8]>) {
        self.world.set_flash(n, value.as_ref());
    }

    /// Takes the actions since the last call, as text: see [`Action`].
    pub fn done(&mut self) -> Vec<String> {
        self.actions().iter().map(Action::to_string).collect()
    }

    /// Takes the actions since the last call.
    pub fn actions(&mut self) -> Vec<Action> {
        self.timed_actions().into_iter().map(|(_, action)| action).collect()
    }

    /// As [`Simulator::actions`], each with the virtual time at which it was done.
    pub fn timed_actions(&mut self) -> Vec<(Instant, Action)> {
        self.placed_actions().into_iter().map(|done| (done.at, done.action)).collect()
    }

    /// As [`Simulator::timed_actions`], each with its place in the code, which is known while the
    /// script is [watched](Simulator::watch).
    pub fn placed_actions(&mut self) -> Vec<Done> {
        core::mem::take(&mut self.world.actions)
    }

    /// Watches from now on what the script does: where its actions stand in the code, and what of
    /// the code runs.
    pub fn watch(&mut self) {
        self.world.coverage.get_or_insert_default();
    }

    /// What ran of the code since [`Simulator::watch`].
    pub fn coverage(&self) -> Option<&Coverage> {
        self.world.coverage.as_ref()
    }

    /// Gives what the script does from now on to a tracer, in the place of the one before.
    pub fn trace(&mut self, tracer: Tracer) {
        self.world.tracer = Some(tracer);
    }

    /// The tracer, for its lines.
    pub fn tracer(&mut self) -> Option<&mut Tracer> {
        self.world.tracer.as_mut()
    }

    /// Keeps the retained messages over a power cut, as `save_retained` on the console does.
    pub fn save_retained(&mut self) {
        self.world.save_retained();
    }

    /// The retained messages of the device's own broker whose topics match a filter, in order.
    pub fn retained_messages(&self, filter: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let kept = self.world.retained.iter();
        let matching = kept.filter(|(topic, _)| umqtt_topic::matches(filter, topic));
        matching.map(|(topic, data)| (topic.clone(), data.clone())).collect()
    }

    /// A power cut: the script of `image` is there, not started; flash variables and saved
    /// retained messages stay, and what is outside: levels of pins, the analogue input. The clock
    /// is not set.
    ///
    /// # Errors
    /// [`LoadError`] when the image does not load; then nothing has changed.
    pub fn power_cut(&mut self, image: Vec<u8>, profile: &Profile) -> Result<(), LoadError> {
        self.engine = Engine::load(image, profile)?;
        self.world = self.world.after_power_cut();
        self.clock = None;
        Ok(())
    }

    /// As [`Simulator::done`], but only what it published: `local topic "data" retained`.
    pub fn published(&mut self) -> Vec<String> {
        let published = self.done();
        published
            .iter()
            .filter_map(|action| action.strip_prefix("publish "))
            .map(String::from)
            .collect()
    }

    /// As [`Simulator::done`], but only what was logged.
    pub fn logged(&mut self) -> Vec<String> {
        let logged = self.done();
        logged.iter().filter_map(|action| action.strip_prefix("log ")).map(String::from).collect()
    }

    /// A pin's level.
    pub fn pin(&self, pin: u8) -> bool {
        self.world.pin(pin)
    }

    /// A pin's PWM duty, per mille; 0 if never set.
    pub fn pwm(&self, pin: u8) -> u16 {
        self.world.pwm(pin)
    }

    /// The retained message of a topic on the device's own broker.
    pub fn retained(&self, topic: &str) -> Option<String> {
        self.world.retained.get(topic.as_bytes()).map(|data| text(data))
    }

    /// What the script is subscribed to, on either broker.
    pub fn subscriptions(&self) -> impl Iterator<Item = (Side, &[u8])> {
        self.world.subscriptions.iter().map(|(side, filter)| (*side, &**filter))
    }

    /// A flash variable; empty if never set.
    pub fn flash(&self, n: u8) -> String {
        text(self.world.flash_variable(n))
    }

    /// The value of a variable, named with its `$`.
    pub fn variable(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        self.engine.variables(&mut |candidate, value| {
            if candidate == name.as_bytes() {
                found = Some(text(value));
            }
        });
        found
    }

    /// The virtual time, which starts at [`Instant::ZERO`].
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What the clock shows, once it is set.
    pub fn clock(&self) -> Option<LocalTime> {
        self.moment().clock
    }

    /// When the next timer, alarm or other event is due without further input.
    pub fn next_at(&self) -> Option<Instant> {
        [self.engine.poll_at(), self.leaps_at()].into_iter().flatten().min()
    }

    /// Whether the script runs.
    pub fn enabled(&self) -> bool {
        self.engine.enabled()
    }

    /// The engine's counters.
    pub fn stats(&self) -> ScriptStats {
        self.engine.stats()
    }

    /// The engine itself.
    pub fn engine(&mut self) -> &mut Engine<Vec<u8>> {
        &mut self.engine
    }

    fn event(&mut self, event: &Event<'_>) {
        self.world.now = self.now;
        self.world.utc = self.utc();
        self.engine.handle(event, self.moment(), &mut self.world);
        self.run_until_idle();
    }

    fn moment(&self) -> Now {
        let clock = self.utc().map(|utc| {
            let second = i64::try_from(utc / 1000).unwrap_or(i64::MAX);
            let offset = i64::from(self.world.zone.offset_at(second)) * 1000;
            let ms = utc.saturating_add_signed(offset);
            LocalTime {
                day: u32::try_from(ms / DAY_MS).unwrap_or(u32::MAX),
                millis: (ms % DAY_MS) as u32,
            }
        });
        Now { now: self.now, clock }
    }

    /// Does everything that is due at this instant.
    fn run_until_idle(&mut self) {
        let at = self.moment();
        self.world.now = self.now;
        self.world.utc = self.utc();
        for _ in 0..STEPS_AT_ONCE {
            if let Some(message) = self.world.next_message(|size| self.engine.has_room(size)) {
                let (topic, data) = (&*message.topic, &*message.data);
                let event = Event::Topic { side: message.side, topic, data };
                self.engine.handle(&event, at, &mut self.world);
            } else if !self.engine.poll(at, &mut self.world) {
                break;
            }
        }
    }
}

/// Bytes as text; what is no text is replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
