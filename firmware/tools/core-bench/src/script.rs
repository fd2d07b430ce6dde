//! A script in its engine, in a world without effect.

use alloc::format;
use alloc::string::String;
use core::fmt::Arguments;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::{heap, println};
use umqtt_device::Engine;
use umqtt_device::engine::{LocalTime, Now};
use umqtt_device::net::Instant;
use umqtt_device::storage::{ImageBytes, MappedFlash};
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::{Console, FlashVariables, Gpio, Http, Mqtt, Profile, Random, Serial};

use crate::count;

/// A host without effect: what a script does comes to nothing.
#[derive(Default)]
pub(crate) struct World {
    /// The level of every pin.
    pub(crate) level: bool,
    /// Lines logged.
    pub(crate) logged: u32,
}

impl Gpio for World {
    fn pin_read(&mut self, _pin: u8) -> bool {
        self.level
    }
    fn adc(&mut self) -> u16 {
        512
    }
}

impl Console for World {
    fn log(&mut self, _line: Arguments<'_>) {
        self.logged += 1;
    }
}

impl Serial for World {}
impl Mqtt for World {}
impl Http for World {}
impl umqtt_vm::Tracing for World {}
impl umqtt_vm::Almanac for World {}

impl FlashVariables for World {}
impl Random for World {}

/// The limits of a script.
#[derive(Clone, Copy)]
pub(crate) enum Limits {
    /// The chip's.
    Chip,
    /// The chip's, with so little fuel that hundreds of scripts use up theirs within a minute, and
    /// so much that what is done once is a small part. The image gives its memory back.
    LittleFuel,
}

impl Limits {
    pub(crate) fn profile(self) -> Profile {
        match self {
            Limits::Chip => Profile::ESP8266,
            Limits::LittleFuel => Profile::ESP8266.fuel(30_000),
        }
    }
}

/// A script that runs.
pub(crate) struct Script {
    pub(crate) engine: Engine<ImageBytes>,
    pub(crate) world: World,
    pub(crate) now: Instant,
}

impl Script {
    /// Compiles, loads and starts it.
    pub(crate) fn load<E: Emulator>(source: &[u8], limits: Limits) -> Result<Script, String> {
        let profile = limits.profile();
        let before = heap::usage().used;
        heap::reset_high_water();
        let (image, instructions) =
            count::once::<E, _>(|| compile(source, &profile, EmitOptions::new().debug(true)));
        let image = image.map_err(|found| match found.first() {
            Some(error) => format!("the script does not compile: {}", error.message),
            None => "the script does not compile".into(),
        })?;
        // It grew while it was written; as on the device, it then takes what it needs.
        let peak = heap::usage().high_water - before;
        println!(
            "compile source {} image {} instructions {instructions} heap {peak}",
            source.len(),
            image.len()
        );
        let size = image.len();
        // As on the device, which has it in flash.
        let image = match limits {
            Limits::Chip => MappedFlash::new(image.leak(), |_| ()).into(),
            Limits::LittleFuel => ImageBytes::from(image),
        };
        let (engine, instructions) = count::once::<E, _>(|| Engine::load(image, &profile));
        let mut script = Script {
            engine: engine.map_err(|error| format!("the script does not load: {error}"))?,
            world: World::default(),
            now: Instant::ZERO,
        };
        script.engine.start(script.moment(), &mut script.world);
        script.settle();
        // The engine itself lies on the stack here.
        let heap = (heap::usage().used - before).saturating_sub(size) + size_of_val(&script.engine);
        println!("load instructions {instructions} ram {heap}");
        Ok(script)
    }

    /// Now.
    pub(crate) fn moment(&self) -> Now {
        moment(self.now)
    }

    /// Does what is due at once.
    pub(crate) fn settle(&mut self) {
        while self.engine.poll(self.moment(), &mut self.world) {}
    }
}

/// So many milliseconds after the start, and a clock that was set: Thursday, and as late as the
/// script is old.
pub(crate) fn moment(now: Instant) -> Now {
    Now { now, clock: Some(LocalTime::from_unix(now.as_millis() / 1000)) }
}
