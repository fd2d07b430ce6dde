//! What events cost in the script engine, with services that do nothing. The four events are the ones the design sets its
//! figures for: T a relay toggled, N a message nobody waits for, P a step of a PWM fade, B a message bridged.
use core::hint::black_box;

use divan::Bencher;
use umqtt_device::Services;
use umqtt_device::engine::{Engine, Handled, Moment};
use umqtt_vm::{Event, FLASH_VARIABLE_LEN, PinMode, Profile, Program, Side};

fn main() {
    divan::main();
}

/// T and N: a command topic held in a variable, four compares, two pins, a line, two retained publishes.
const RELAY: &str = r#"
on init do
    setvar $command = "switch/1/command"
    setvar $status = "switch/1/status"
    setvar $on = 0
    subscribe local $command
    subscribe local "switch/1/name"
    subscribe local "switch/1/reset"
on topic local $command do
    println "Received command: " | $this_data
    if $this_data = "on" then
        setvar $on = 1
    endif
    if $this_data = "off" then
        setvar $on = 0
    endif
    if $this_data = "toggle" then
        setvar $on = not($on)
    endif
    if $this_data = "blink" then
        settimer 1 500
    endif
    gpio_out 12 $on
    gpio_out 13 not($on)
    publish local $status $on retained
    publish remote $status $on retained
on topic local "switch/1/name" do
    println "name " | $this_data
on topic local "switch/1/reset" do
    system "reset"
on timer 1 do
    gpio_out 12 not($on)
"#;

/// P: a counter stepped, two limits, PWM, timer.
const FADE: &str = r#"
on init do
    setvar $level = 0
    setvar $step = 10
    settimer 1 20
on timer 1 do
    setvar $level = $level + $step
    if $level gte 1000 then
        setvar $step = "-10"
    endif
    if $level lte 0 then
        setvar $step = 10
    endif
    gpio_pwm 5 $level
    settimer 1 20
"#;

/// B: prints, compares, forwards.
const BRIDGE: &str = r##"
on init do
    setvar $came_in = ""
    subscribe local "#"
on topic local "#" do
    println "Got " | $this_topic | " " | $this_data
    if not($came_in = $this_topic) then
        publish remote $this_topic $this_data
    else
        setvar $came_in = ""
    endif
on topic remote "#" do
    setvar $came_in = $this_topic
    publish local $this_topic $this_data
"##;

fn compile(source: &str) -> Vec<u8> {
    umqtt_lang::compile(
        source.as_bytes(),
        &Profile::DESKTOP,
        umqtt_lang::Extras { debug: true, source: false },
    )
    .expect("the script is right")
}

fn started(source: &str) -> Engine<Vec<u8>> {
    let mut engine = Engine::load(compile(source), &Profile::DESKTOP).expect("the image is sound");
    engine.start(at(0), &mut Nothing);
    while engine.poll(at(0), &mut Nothing) {}
    engine
}

fn at(now: u64) -> Moment {
    Moment { now, clock: None }
}

fn message(topic: &'static str, data: &'static str) -> Event<'static> {
    Event::Topic { side: Side::Local, topic: topic.as_bytes(), data: data.as_bytes() }
}

fn handle(bencher: Bencher<'_, '_>, source: &str, event: Event<'static>, expected: Handled) {
    let mut engine = started(source);
    bencher.bench_local(|| {
        let handled = engine.handle(black_box(&event), at(0), &mut Nothing);
        assert_eq!(handled, expected);
    });
}

#[divan::bench(name = "T relay toggle")]
fn toggle(bencher: Bencher<'_, '_>) {
    handle(bencher, RELAY, message("switch/1/command", "toggle"), Handled::Done);
}

#[divan::bench(name = "N matches nothing")]
fn no_match(bencher: Bencher<'_, '_>) {
    handle(bencher, RELAY, message("kitchen/temperature", "21.5"), Handled::Ignored);
}

/// What is left of N without the look-up: the engine's own part.
#[divan::bench(name = "N without any handler")]
fn no_handler(bencher: Bencher<'_, '_>) {
    let script = "on init do println \"init\"";
    handle(bencher, script, message("kitchen/temperature", "21.5"), Handled::Ignored);
}

#[divan::bench(name = "P PWM tick")]
fn pwm_tick(bencher: Bencher<'_, '_>) {
    let mut engine = started(FADE);
    let mut now = 0;
    bencher.bench_local(|| {
        now += 20;
        assert!(engine.poll(at(black_box(now)), &mut Nothing));
    });
}

#[divan::bench(name = "B bridge")]
fn bridge(bencher: Bencher<'_, '_>) {
    handle(bencher, BRIDGE, message("kitchen/temperature", "21.5"), Handled::Done);
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

/// A world without effect.
struct Nothing;

impl Services for Nothing {
    fn publish(&mut self, side: Side, topic: &[u8], data: &[u8], retained: bool) {
        black_box((side, topic, data, retained));
    }
    fn subscribe(&mut self, side: Side, filter: &[u8]) {
        black_box((side, filter));
    }
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) {
        black_box((side, filter));
    }
    fn unsubscribe_all(&mut self) {}
    fn http_get(&mut self, url: &[u8]) {
        black_box(url);
    }
    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        black_box((url, body));
    }
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        black_box((pin, mode));
    }
    fn pin_write(&mut self, pin: u8, level: bool) {
        black_box((pin, level));
    }
    fn pin_read(&mut self, pin: u8) -> bool {
        black_box(pin) == 0
    }
    fn pwm(&mut self, pin: u8, duty: u16) {
        black_box((pin, duty));
    }
    fn adc(&mut self) -> u16 {
        black_box(512)
    }
    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        black_box((pin, pullup));
    }
    fn unwatch_pins(&mut self) {}
    fn serial_out(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }
    fn print(&mut self, text: &[u8], newline: bool) {
        black_box((text, newline));
    }
    fn system(&mut self, command: &[u8]) {
        black_box(command);
    }
    fn config(&mut self, name: &[u8], value: &[u8]) {
        black_box((name, value));
    }
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        black_box((n, out));
        0
    }
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        black_box((n, value));
    }
    fn retained(&mut self, filter: &[u8], out: &mut [u8]) -> usize {
        black_box((filter, out));
        0
    }
    fn log(&mut self, line: core::fmt::Arguments<'_>) {
        panic!("the script should have nothing to complain of: {line}");
    }
}
