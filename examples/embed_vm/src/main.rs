//! The script language in a program of your own: compile a script, give it its outside, send it events.
//!
//! Run it: `cargo run -p embed_vm`. It plays a thermostat; the "heater" and the "network" are this program.

use std::error::Error;

use umqtt_lang::diagnostic::position;
use umqtt_lang::{Extras, compile};
use umqtt_vm::{
    Event, FLASH_VARIABLE_LEN, Handlers, Machine, PinMode, Profile, Program, Side, Syscalls,
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

/// The outside of the script: here a heater on one pin, and messages that are printed.
#[derive(Default)]
struct House {
    heater: bool,
}

impl Syscalls for House {
    fn publish(&mut self, side: Side, topic: &[u8], data: &[u8], retained: bool) -> u32 {
        let (topic, data) = (topic.escape_ascii(), data.escape_ascii());
        println!(
            "  publish {side:?} {topic} = {data}{}",
            if retained { " (retained)" } else { "" }
        );
        0
    }
    fn pin_write(&mut self, pin: u8, level: bool) {
        println!("  pin {pin} = {}", u8::from(level));
        self.heater = level;
    }
    fn pin_read(&mut self, _pin: u8) -> bool {
        self.heater
    }
    fn print(&mut self, text: &[u8], newline: bool) {
        print!("  {}{}", text.escape_ascii(), if newline { "\n" } else { "" });
    }

    // A house without these: what a script asks of them does nothing.
    fn subscribe(&mut self, _side: Side, _filter: &[u8]) -> u32 {
        0
    }
    fn unsubscribe(&mut self, _side: Side, _filter: &[u8]) -> u32 {
        0
    }
    fn set_timer(&mut self, _timer: u8, _milliseconds: i32) {}
    fn set_alarm(&mut self, _alarm: u8, _time: &[u8]) {}
    fn http_get(&mut self, _url: &[u8]) {}
    fn http_post(&mut self, _url: &[u8], _body: &[u8]) {}
    fn pin_mode(&mut self, _pin: u8, _mode: PinMode) {}
    fn pwm(&mut self, _pin: u8, _duty: i32) {}
    fn adc(&mut self) -> u16 {
        0
    }
    fn serial_out(&mut self, _bytes: &[u8]) {}
    fn system(&mut self, _command: &[u8]) {}
    fn config(&mut self, _name: &[u8], _value: &[u8]) {}
    fn flash_read(&mut self, _number: u8, _out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        0
    }
    fn flash_write(&mut self, _number: u8, _value: &[u8]) {}
    fn retained(&mut self, _filter: &[u8], _out: &mut [u8], _: &mut u32) -> usize {
        0
    }
    fn timestamp(&mut self) -> [u8; 8] {
        *b"99:99:99"
    }
    fn weekday(&mut self) -> [u8; 3] {
        *b"xxx"
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let profile = Profile::ESP8266;
    let extras = Extras { debug: true, source: false };
    let image = compile(SCRIPT.as_bytes(), &profile, extras).map_err(|wrong| {
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
    let mut machine = Machine::new(program, (&mut slots[..], &mut texts[..]), profile.value)?;
    let mut house = House::default();

    let mut send = |what: &str, event: Event<'_>| {
        println!("{what}");
        let mut handlers = Handlers::default();
        let mut fuel = profile.fuel;
        while let Some(handler) = machine.next(&mut handlers, &event, &mut fuel, &mut house) {
            if let Err(fault) = machine.run(handler, &event, &mut fuel, &mut house) {
                println!("  line {:?}: {}", machine.program().line(fault.at), fault.trap);
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
