//! A device in virtual time, to try scripts on: a [`Bench`] with a script in it, inputs to
//! stimulate, time to let pass, and a record of all the script did.
//!
//! The script runs on the real [`Engine`]; around it is a small world that keeps topics, pins and
//! flash variables in memory. There is no network in it, no console and no real device: the world
//! does what the script asks and writes it down. Time stands still except in [`Bench::advance`], so
//! a day passes in an instant and every run is the same.
//!
//! With the image of `on init do subscribe local lamp on topic local lamp do gpio_out 5 $this_data
//! = on`:
//!
//! ```
//! use umqtt_device::{engine::LoadError, sim::Bench};
//! # fn story(image: Vec<u8>) -> Result<(), LoadError> {
//! let mut bench = Bench::new(image, &umqtt_vm::Profile::DESKTOP)?;
//! bench.start();
//! bench.local("lamp", "on");
//! assert_eq!(bench.done(), ["subscribe local lamp", "gpio 5 = 1"]);
//! # Ok(())
//! # }
//! ```

mod action;
mod pins;
mod world;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use umqtt_vm::{Event, Profile, Side};

use crate::engine::{ClockTime, Engine, LoadError, Millis, Moment, Stats};

pub use action::Action;
pub use pins::SimulatedPins;
use world::World;

/// So many steps happen at one instant at most; what is left waits a millisecond. It keeps scripts
/// that feed themselves from stopping the time.
pub const STEPS_AT_ONCE: usize = 10_000;

const DAY_MS: u64 = 86_400_000;

/// A script on its test bench.
pub struct Bench {
    engine: Engine<Vec<u8>>,
    world: World,
    now: Millis,
    /// Longest value, bytes.
    longest: usize,
    /// What the clock showed at `now` 0, in milliseconds since 1970, local time.
    clock: Option<u64>,
}

impl Bench {
    /// Puts a script on the bench, not yet started: this is the time to prepare flash variables,
    /// retained messages, pins.
    ///
    /// # Errors
    /// [`LoadError`] when the image does not load.
    pub fn new(image: Vec<u8>, profile: &Profile) -> Result<Bench, LoadError> {
        let engine = Engine::load(image, profile)?;
        let longest = profile.value;
        let mut world = World::default();
        world.seed(0);
        Ok(Bench { engine, world, now: 0, longest, clock: None })
    }

    /// Has `random` give other numbers, the same for the same seed.
    pub fn seed(&mut self, seed: u32) {
        self.world.seed(seed);
    }

    /// Starts the script: `config` lines, `init`, and what follows from them at once.
    pub fn start(&mut self) {
        self.engine.start(self.moment(), &mut self.world);
        self.settle();
    }

    /// Ends the script for good.
    pub fn stop(&mut self) {
        self.engine.stop(&mut self.world);
    }

    /// Lets time pass, with all that happens in it.
    pub fn advance(&mut self, ms: Millis) {
        let end = self.now.saturating_add(ms);
        while let Some(at) = self.engine.poll_at().filter(|at| *at <= end) {
            // After settling nothing is due any more, unless there was too much of it.
            self.now = if at > self.now { at } else { self.now + 1 };
            if self.now > end {
                break;
            }
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// Somebody publishes on the device's own broker.
    pub fn local(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Local, topic.as_bytes(), data.as_ref(), false);
        self.settle();
    }

    /// As [`Bench::local`], and the message is retained.
    pub fn local_retained(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Local, topic.as_bytes(), data.as_ref(), true);
        self.settle();
    }

    /// Somebody publishes on the remote broker.
    pub fn remote(&mut self, topic: &str, data: impl AsRef<[u8]>) {
        self.world.message(Side::Remote, topic.as_bytes(), data.as_ref(), false);
        self.settle();
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
        self.settle();
    }

    /// What the analogue input shows from now on, 0 to 1023.
    pub fn set_adc(&mut self, value: u16) {
        self.world.adc = value.min(1023);
    }

    /// Sets the clock, as a time server does; it runs on from there.
    pub fn set_clock(&mut self, time: ClockTime) {
        let shown = u64::from(time.day) * DAY_MS + u64::from(time.millis);
        self.clock = Some(shown.saturating_sub(self.now));
        self.settle();
    }

    /// The owner sets the clock, as with `set ntp_time`.
    pub fn owner_sets_clock(&mut self, time: ClockTime) {
        let shown = u64::from(time.day) * DAY_MS + u64::from(time.millis);
        self.clock = Some(shown.saturating_sub(self.now));
        self.engine.clock_set(self.moment());
        self.settle();
    }

    /// Writes a flash variable, as `set @n` on the console does; beyond 63 bytes it is cut.
    pub fn set_flash(&mut self, n: u8, value: impl AsRef<[u8]>) {
        self.world.set_flash(n, value.as_ref());
    }

    /// What the script has done since the last look, in words: see [`Action`].
    pub fn done(&mut self) -> Vec<String> {
        self.actions().iter().map(Action::to_string).collect()
    }

    /// What the script has done since the last look.
    pub fn actions(&mut self) -> Vec<Action> {
        core::mem::take(&mut self.world.actions)
    }

    /// As [`Bench::done`], but only what it published: `local topic "data" retained`.
    pub fn published(&mut self) -> Vec<String> {
        let published = self.done();
        published
            .iter()
            .filter_map(|deed| deed.strip_prefix("publish "))
            .map(String::from)
            .collect()
    }

    /// As [`Bench::done`], but only what was logged.
    pub fn logged(&mut self) -> Vec<String> {
        let logged = self.done();
        logged.iter().filter_map(|deed| deed.strip_prefix("log ")).map(String::from).collect()
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

    /// Virtual time since the bench was made, in milliseconds.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// When something is due next without further input.
    pub fn next_at(&self) -> Option<Millis> {
        self.engine.poll_at()
    }

    /// Whether the script runs.
    pub fn enabled(&self) -> bool {
        self.engine.enabled()
    }

    /// The engine's counters.
    pub fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// The engine itself.
    pub fn engine(&mut self) -> &mut Engine<Vec<u8>> {
        &mut self.engine
    }

    fn event(&mut self, event: &Event<'_>) {
        self.engine.handle(event, self.moment(), &mut self.world);
        self.settle();
    }

    fn moment(&self) -> Moment {
        let shown = self.clock.map(|clock| clock.saturating_add(self.now));
        let clock = shown.map(|ms| ClockTime {
            day: u32::try_from(ms / DAY_MS).unwrap_or(u32::MAX),
            millis: (ms % DAY_MS) as u32,
        });
        Moment { now: self.now, clock }
    }

    /// Does all there is to do at this instant.
    fn settle(&mut self) {
        let at = self.moment();
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
