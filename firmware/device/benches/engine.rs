//! What events cost in the script engine, with a host that does nothing. The four events are the
//! ones the design sets its figures for: T a relay toggled, N a message nobody waits for, P a step
//! of a PWM fade, B a message bridged.
use core::hint::black_box;

use divan::Bencher;
use umqtt_device::engine::{Disposition, Engine, Now};
use umqtt_device::net::Instant;
use umqtt_vm::{Event, NullHost, Profile, Program, Side};

fn main() {
    divan::main();
}

/// T and N: a command topic held in a variable, four compares, two pins, a line, two retained
/// publishes.
const RELAY: &str = include_str!("scripts/relay.script");

/// P: a counter stepped, two limits, PWM, timer.
const FADE: &str = include_str!("scripts/fade.script");

/// B: prints, compares, forwards.
const BRIDGE: &str = include_str!("scripts/bridge.script");

fn compile(source: &str) -> Vec<u8> {
    umqtt_lang::compile(
        source.as_bytes(),
        &Profile::DESKTOP,
        umqtt_lang::EmitOptions::new().debug(true),
    )
    .expect("the script is right")
}

fn started(source: &str) -> Engine<Vec<u8>> {
    let mut engine = Engine::load(compile(source), &Profile::DESKTOP).expect("the image is sound");
    engine.start(at(0), &mut NullHost);
    while engine.poll(at(0), &mut NullHost) {}
    engine
}

fn at(now: u64) -> Now {
    Now { now: Instant::from_millis(now), clock: None }
}

fn message(topic: &'static str, data: &'static str) -> Event<'static> {
    Event::Topic { side: Side::Local, topic: topic.as_bytes(), data: data.as_bytes() }
}

fn handle(bencher: Bencher<'_, '_>, source: &str, event: Event<'static>, expected: Disposition) {
    let mut engine = started(source);
    bencher.bench_local(|| {
        let handled = engine.handle(black_box(&event), at(0), &mut NullHost);
        assert_eq!(handled, expected);
    });
}

#[divan::bench(name = "T relay toggle")]
fn toggle(bencher: Bencher<'_, '_>) {
    handle(bencher, RELAY, message("switch/1/command", "toggle"), Disposition::Done);
}

#[divan::bench(name = "N matches nothing")]
fn no_match(bencher: Bencher<'_, '_>) {
    handle(bencher, RELAY, message("kitchen/temperature", "21.5"), Disposition::Ignored);
}

/// What is left of N without the look-up: the engine's own part.
#[divan::bench(name = "N without any handler")]
fn no_handler(bencher: Bencher<'_, '_>) {
    let script = "on init do println \"init\"";
    handle(bencher, script, message("kitchen/temperature", "21.5"), Disposition::Ignored);
}

#[divan::bench(name = "P PWM tick")]
fn pwm_tick(bencher: Bencher<'_, '_>) {
    let mut engine = started(FADE);
    let mut now = 0;
    bencher.bench_local(|| {
        now += 20;
        assert!(engine.poll(at(black_box(now)), &mut NullHost));
    });
}

#[divan::bench(name = "B bridge")]
fn bridge(bencher: Bencher<'_, '_>) {
    handle(bencher, BRIDGE, message("kitchen/temperature", "21.5"), Disposition::Done);
}

#[divan::bench(name = "verify the relay's image")]
fn verify(bencher: Bencher<'_, '_>) {
    let image = compile(RELAY);
    bencher.bench_local(|| Program::verify(black_box(&*image), &Profile::DESKTOP).is_ok());
}

#[divan::bench(name = "load the relay (verify, lay out memory)")]
fn load(bencher: Bencher<'_, '_>) {
    let image = compile(RELAY);
    bencher.bench_local(|| Engine::load(black_box(&*image), &Profile::ESP8266).is_ok());
}
