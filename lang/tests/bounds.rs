//! No script ever takes more than was said before it ran.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::scripts;
use proptest::prelude::*;
use umqtt_lang::bounds::{Bounds, Cost};
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::image::{Record, Trigger};
use umqtt_vm::{
    Almanac, Console, Event, FLASH_VARIABLE_LEN, FlashVariables, Gpio, Http, Machine, Memory, Mqtt,
    Profile, Program, Random, Serial, Side, Slot, Step, Supervisor, Syscalls, Timekeeping,
    TopicError, Tracing, fuel,
};

/// What comes from outside: as long and as hard to handle as may be.
struct World {
    random: u64,
    /// Places looked at since this was last asked.
    lookups: u64,
    /// Writes of flash variables.
    writes: u64,
    /// Instructions; one that is done again for want of memory counts once.
    steps: u64,
    last: Option<u16>,
}

impl World {
    fn next(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.random >> 33
    }

    fn text(&mut self, most: usize) -> Vec<u8> {
        let piece: &[u8] = match self.next() % 10 {
            0 => b"a",
            1 => b"7",
            2 => b"1.5,",
            3 => b"-0.00000001",
            4 => b"{\"a\":[1,{\"b\":\"\\u00e4\"}],\"c\":",
            5 => b"\xff\x01\"",
            6 => b"a/b/",
            7 => b" ",
            8 => b"99999999.9",
            _ => b"on",
        };
        let len = match self.next() % 4 {
            0 => piece.len(),
            1 => (self.next() as usize) % (most + 1),
            _ => most,
        };
        piece.iter().copied().cycle().take(len.min(most)).collect()
    }

    fn looked(&mut self) -> u32 {
        let lookups = self.next() as u32 % 5;
        self.lookups += u64::from(lookups);
        lookups
    }
}

impl Mqtt for World {
    fn publish(&mut self, _: Side, _: &[u8], _: &[u8], _: bool) -> Result<u32, TopicError> {
        Ok(self.looked())
    }
    fn subscribe(&mut self, _: Side, _: &[u8]) -> u32 {
        self.looked()
    }
    fn unsubscribe(&mut self, _: Side, _: &[u8]) -> u32 {
        self.looked()
    }
    fn retained(&mut self, _: &[u8], out: &mut [u8], lookups: &mut u32) -> usize {
        let looked = self.looked().min(*lookups);
        *lookups -= looked;
        let text = self.text(out.len());
        out[..text.len()].copy_from_slice(&text);
        text.len()
    }
}

impl Gpio for World {
    fn pin_read(&mut self, _: u8) -> bool {
        self.next().is_multiple_of(2)
    }
    fn adc(&mut self) -> u16 {
        self.next() as u16 % 1024
    }
}

impl Random for World {
    fn random(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.next() as u8);
    }
}

impl FlashVariables for World {
    fn flash_read(&mut self, _: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        let text = self.text(FLASH_VARIABLE_LEN);
        out[..text.len()].copy_from_slice(&text);
        text.len()
    }
    fn flash_write(&mut self, _: u8, _: &[u8]) {
        self.writes += 1;
    }
}

impl Almanac for World {
    fn sun(&mut self, _: u32) -> Option<[i32; 2]> {
        Some([6 * 3600, 18 * 3600])
    }
    fn unix_time(&mut self) -> u32 {
        u32::MAX
    }
}

impl Serial for World {}
impl Http for World {}
impl Console for World {}

impl Tracing for World {
    fn is_tracing(&self) -> bool {
        true
    }
    fn step(&mut self, step: Step<'_>) {
        if let Step::Instruction { at, .. } = step {
            self.steps += u64::from(self.last != Some(at));
            self.last = Some(at);
        }
    }
}

/// The clock.
struct Clock;

impl Timekeeping for Clock {
    fn timestamp(&mut self) -> [u8; 8] {
        *b"12:34:56"
    }
    fn weekday(&mut self) -> [u8; 3] {
        *b"Mon"
    }
    fn day(&mut self) -> Option<u32> {
        Some(20_000)
    }
    fn uptime(&mut self) -> u64 {
        u64::from(u32::MAX)
    }
}

impl Supervisor for Clock {}

/// Bytes by which a device's memory grows at least.
const STEP: usize = 128;

/// As a device gives it: there is little at first, and more when it is needed.
struct Growing {
    slots: Vec<Slot>,
    strings: Vec<u8>,
    most: usize,
}

impl Memory for Growing {
    fn parts(&mut self) -> (&mut [Slot], &mut [u8]) {
        (&mut self.slots, &mut self.strings)
    }
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.max(STEP).min(self.most - self.strings.len());
        self.strings.resize(self.strings.len() + more, 0);
        more > 0
    }
}

/// How much of what was said was needed.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    handlers: usize,
    /// Handlers that came within a hundredth of their steps.
    exact: usize,
}

/// Runs all handlers again and again, and holds each time against the bounds.
fn hold(source: &str, profile: &Profile, seed: u64, rounds: usize) -> Use {
    let options = EmitOptions::new().debug(true);
    let Ok(image) = compile(source.as_bytes(), profile, options) else { return Use::default() };
    let program = Program::verify(image, profile).unwrap();
    let bounds = Bounds::of(&program, profile);
    let slots = program.slots();
    let most = profile.ram - slots * size_of::<Slot>();
    let memory = Growing { slots: vec![[0; 2]; slots + 1], strings: Vec::new(), most };
    let mut machine = Machine::new(program, memory, profile).unwrap();
    let handlers: Vec<_> = machine.program().handlers().collect();
    let mut world = World { random: seed, lookups: 0, writes: 0, steps: 0, last: None };
    let mut greatest = vec![0; handlers.len()];
    for round in 0..rounds {
        for (at, (handler, record)) in handlers.iter().enumerate() {
            if record.trigger == Trigger::Sub || (round > 0 && record.trigger == Trigger::Init) {
                continue;
            }
            let bound = bounds.handlers.iter().find(|bound| bound.record == *record).unwrap();
            let (one, two) = (world.text(profile.value), world.text(profile.value));
            let event = event(record, &one, &two);
            (world.lookups, world.writes, world.steps, world.last) = (0, 0, 0, None);
            let mut left = profile.fuel;
            let mut syscalls = Syscalls { host: &mut world, supervisor: &mut Clock };
            let ran = machine.run_traced(*handler, &event, &mut left, &mut syscalls);
            let used = u64::from(profile.fuel - left);
            let Cost { steps, fuel, flash_writes, .. } = bound.cost;
            let at_line = format!("{record:?} of {source}\n{ran:?} {bound:?}");
            assert!(world.steps <= steps, "{} steps, {at_line}", world.steps);
            let looking = world.lookups * fuel::LOOKUP as u64;
            assert!(used <= fuel + looking, "{used} fuel, {looking} for looking, {at_line}");
            assert!(world.writes <= flash_writes, "{} writes, {at_line}", world.writes);
            greatest[at] = greatest[at].max(world.steps * 100 / steps.max(1));
            let held = slots * size_of::<Slot>() + strings(&mut machine);
            assert!(held <= bounds.memory.min(profile.ram), "{held} bytes, {bounds:?} {source}");
        }
    }
    Use { handlers: handlers.len(), exact: greatest.iter().filter(|share| **share >= 99).count() }
}

/// Bytes of the variables' texts.
fn strings<B: AsRef<[u8]>>(machine: &mut Machine<B, Growing>) -> usize {
    let mut all = 0;
    machine.variables(&mut |_, value| all += value.len());
    all
}

fn event<'e>(record: &Record, one: &'e [u8], two: &'e [u8]) -> Event<'e> {
    match record.trigger {
        Trigger::Config => Event::Config,
        Trigger::WifiConnect => Event::WifiConnect,
        Trigger::WifiDisconnect => Event::WifiDisconnect,
        Trigger::MqttConnect => Event::MqttConnect,
        Trigger::Serial => Event::Serial { line: one },
        Trigger::HttpResponse => {
            Event::HttpResponse { host: one, path: two, code: *b"200", body: two, cut: false }
        }
        Trigger::Timer => Event::Timer(record.key),
        Trigger::Alarm => Event::Alarm(record.key),
        Trigger::Every => Event::Every(record.key),
        Trigger::Clock => Event::Clock(record.key),
        Trigger::Gpio => Event::GpioInterrupt { pin: record.key, level: true },
        Trigger::LocalName | Trigger::LocalFilter => {
            Event::Topic { side: Side::Local, topic: one, data: two }
        }
        Trigger::RemoteName | Trigger::RemoteFilter => {
            Event::Topic { side: Side::Remote, topic: one, data: two }
        }
        _ => Event::Init,
    }
}

#[test]
fn the_samples() {
    let mut all = Use::default();
    for file in fs::read_dir("../scripts").unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|end| end != "script") {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        for profile in Profile::ALL {
            let found = hold(&source, &profile, 1, 200);
            all.handlers += found.handlers;
            all.exact += found.exact;
        }
    }
    // Many are that dear now and then: the bounds are no guesses far above.
    assert!(all.handlers > 200 && all.exact * 2 > all.handlers, "{all:?}");
}

fn only(source: &str, profile: &Profile) -> Cost {
    let image = compile(source.as_bytes(), profile, EmitOptions::new()).unwrap();
    let program = Program::verify(image, profile).unwrap();
    let [handler] = Bounds::of(&program, profile).handlers[..] else { panic!("one handler") };
    handler.cost
}

#[test]
fn loops_that_count_are_known() {
    let profile = Profile::ESP8266;
    for (body, rounds) in [
        ("setvar $i = 0 while $i lt 10 do setvar $i = $i + 1 done", 10),
        ("setvar $i = 0 while $i lte 10 do setvar $i = 2 + $i done", 6),
        ("setvar $i = 10 while $i > 0 do setvar $i = $i - 1 done", 10),
        ("setvar $i = 10 while 0 lte $i do setvar $i = $i - 5 done", 3),
        ("setvar $i = 20 while $i lt 10 do setvar $i = $i + 1 done", 0),
        ("setvar $i = 0 while 5 > $i do print \"\" setvar $i = $i + 1 done", 5),
        (
            "setvar $i = 0 while $i lt 10 do setvar $j = 0 while $j lt 10 do setvar $j = $j + 1 done \
             setvar $i = $i + 1 done",
            10,
        ),
    ] {
        let source = format!("on init do {body}");
        let cost = only(&source, &profile);
        assert!(!cost.by_fuel, "{body}");
        // Exactly what it takes.
        let mut world = World { random: 1, lookups: 0, writes: 0, steps: 0, last: None };
        let image = compile(source.as_bytes(), &profile, EmitOptions::new()).unwrap();
        let program = Program::verify(image, &profile).unwrap();
        let memory = (vec![[0; 2]; program.slots() + 1], vec![0; 1000]);
        let mut machine = Machine::new(program, memory, &profile).unwrap();
        let (handler, _) = machine.program().handlers().next().unwrap();
        let mut syscalls = Syscalls { host: &mut world, supervisor: &mut Clock };
        machine.run_traced(handler, &Event::Init, &mut 100_000, &mut syscalls).unwrap();
        assert_eq!(cost.steps, world.steps, "{body}, {rounds} rounds");
        hold(&source, &profile, 3, 2);
    }
}

#[test]
fn loops_of_which_nothing_is_known_end_with_the_fuel() {
    let profile = Profile::ESP8266;
    for body in [
        "while 1 do done",
        "while $adc > 5 do done",
        "while $i lt 10 do setvar $i = $i + 1 done",
        "setvar $i = 0 while $i lt 10 do if $adc then setvar $i = $i + 1 endif done",
        "setvar $i = 0 while $i lt 10 do setvar $i = $i + 1 setvar $i = $i - 1 done",
        "setvar $i = 0 while $i lt 10 do setvar $i = $i * 2 done",
        "setvar $i = 0 if $adc then setvar $i = -1000000 endif while $i lt 10 do setvar $i = $i + 1 done",
        "setvar $i = 0 while $i lt 10 do setvar $i = $i + 0 done",
        "setvar $i = 0 while $i lt $n do setvar $i = $i + 1 done setvar $n = 5",
        "setvar $i = 0 setvar $j = 9 while $i lt 5 do while $j lt 10 do publish local a b \
         setvar $j = $j + 1 done setvar $j = 0 setvar $i = $i + 1 done",
        "setvar $i = 2147483640 while $i lte 2147483647 do setvar $i = $i + 5 done",
        "setvar $i = -2147483640 while $i gte -2147483648 do setvar $i = $i - 5 done",
        "setvar $i = 0 setvar $j = 0 while $j lt 9 do while $i lt 10 do setvar $i = $i + 1 done \
         setvar $i = 0 done",
    ] {
        let source = format!("on init do {body}");
        let cost = only(&source, &profile);
        assert!(cost.by_fuel, "{body}: {cost:?}");
        assert!(cost.micros(&profile) <= u64::from(profile.event_micros()), "{body}: {cost:?}");
        hold(&source, &profile, 3, 2);
    }
}

/// Loops that count, or look as if they did.
fn counting(depth: u32) -> BoxedStrategy<String> {
    let variable = || prop::sample::select(&["$i", "$j", "$k"][..]);
    let number = || prop::sample::select(&[-3_i64, 0, 1, 2, 3, 7, 2147483640, -2147483640][..]);
    let leaf = prop_oneof![
        (variable(), number()).prop_map(|(v, n)| format!("setvar {v} = {n} ")),
        (variable(), variable(), number()).prop_map(|(v, w, n)| format!("setvar {v} = {w} + {n} ")),
        (variable(), number()).prop_map(|(v, n)| format!("setvar {v} = {v} - {n} ")),
        Just("publish local a b ".to_owned()),
        Just("call s ".to_owned()),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let compared = prop::sample::select(&["lt", "lte", ">", "gte"][..]);
    let inner = || prop::collection::vec(counting(depth - 1), 0..3).prop_map(|all| all.concat());
    let looped =
        (variable(), number(), compared, number(), 1..4_i64, any::<bool>(), inner(), inner());
    let looped = looped.prop_map(|(v, first, compared, last, step, is_up, before, behind)| {
        let sign = if is_up { '+' } else { '-' };
        format!(
            "setvar {v} = {first} {before}while {v} {compared} {last} do \
             {behind}setvar {v} = {v} {sign} {step} done "
        )
    });
    let branch = (variable(), inner(), inner()).prop_map(|(v, yes, no)| {
        format!("if {v} then {yes}setvar {v} = 1 else {no}setvar {v} = 0 endif ")
    });
    prop_oneof![2 => leaf, 4 => looped, 1 => branch].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn loops_that_count_or_look_so(all in prop::collection::vec(counting(3), 1..4), seed: u64) {
        let body = all.concat();
        let source = format!(
            "on init do setvar $i = 0 setvar $j = 0 setvar $k = 0\non timer 1 do {body}\n\
             sub s do if $k lt 3 then setvar $j = $j - 1 endif"
        );
        hold(&source, &Profile::ESP8266, seed, 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_script(source in scripts::source(), seed: u64) {
        hold(&source, &Profile::ESP8266, seed, 4);
        hold(&source, &Profile::DESKTOP, seed, 2);
    }
}
