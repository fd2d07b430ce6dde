//! The script language in a program of your own: compile a script, give it a host, send it events.
//!
//! Run it: `cargo run -p embed_vm`. It plays a thermostat; the "heater" and the "network" are this
//! program.

use std::error::Error;

use umqtt_lang::diagnostic::position;
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::{
    Console, Event, FlashVariables, Gpio, HandlerCursor, Http, Machine, Mqtt, NullHost, Profile,
    Program, Random, Serial, Side, Syscalls, TopicError,
};

const SCRIPT: &str = r#"
on init do
    setvar $target = 20
    println "heating to " | $target

on topic local room/temperature do
    if $target > $this_data then
        gpio_out 5 1
    elseif $this_data > $target + 1 then
        gpio_out 5 0
    endif
    publish local room/heater gpio_in(5) retained
"#;

/// What is around the script: here a heater on one pin, and messages that are printed.
#[derive(Default)]
struct House {
    heater: bool,
}

impl Mqtt for House {
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        let (topic, data) = (topic.escape_ascii(), data.escape_ascii());
        println!(
            "  publish {side:?} {topic} = {data}{}",
            if retained { " (retained)" } else { "" }
        );
        Ok(0)
    }
}

impl Gpio for House {
    fn pin_write(&mut self, pin: u8, level: bool) {
        println!("  pin {pin} = {}", u8::from(level));
        self.heater = level;
    }
    fn pin_read(&mut self, _pin: u8) -> bool {
        self.heater
    }
}

impl Console for House {
    fn print(&mut self, text: &[u8], newline: bool) {
        print!("  {}{}", text.escape_ascii(), if newline { "\n" } else { "" });
    }
}

// A house without these: what a script asks of them does nothing.
impl Serial for House {}
impl Http for House {}
impl umqtt_vm::Tracing for House {}
impl umqtt_vm::Almanac for House {}

impl FlashVariables for House {}
impl Random for House {}

fn main() -> Result<(), Box<dyn Error>> {
    let profile = Profile::ESP8266;
    let options = EmitOptions::new().debug(true);
    let image = compile(SCRIPT.as_bytes(), &profile, options).map_err(|wrong| {
        let lines = wrong.iter().map(|diagnostic| {
            let (line, column) = position(SCRIPT.as_bytes(), diagnostic.span.start as usize);
            format!("{line}:{column}: {}: {}", diagnostic.code, diagnostic.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    println!("{} bytes of script, {} bytes of bytecode", SCRIPT.len(), image.len());

    // From here on it could be another machine: the image is checked again before it runs.
    let program = Program::verify(image, &profile)?;
    let (mut slots, mut texts) = ([[0; 2]; 64], [0; 512]);
    let mut machine = Machine::new(program, (&mut slots[..], &mut texts[..]), &profile)?;
    let mut house = House::default();

    let mut send = |what: &str, event: Event<'_>| {
        println!("{what}");
        let mut handlers = HandlerCursor::default();
        let mut fuel = profile.fuel;
        // Timers, alarms and the time of day are for a supervisor; here there are none.
        let mut syscalls = Syscalls { host: &mut house, supervisor: &mut NullHost };
        while let Some(handler) = machine.next(&mut handlers, &event, &mut fuel, &mut syscalls) {
            if let Err(trap) = machine.run(handler, &event, &mut fuel, &mut syscalls) {
                println!("  line {:?}: {}", machine.program().line(trap.at), trap.code);
            }
        }
    };
    send("start", Event::Init);
    for temperature in [18, 20, 21, 22] {
        let data = temperature.to_string();
        let topic = b"room/temperature";
        let event = Event::Topic { side: Side::Local, topic, data: data.as_bytes() };
        send(&format!("{temperature} degrees"), event);
    }
    Ok(())
}
