//! Simulated pins, PWM and analogue input. What the device does with them is told in the log; what is put on them from
//! outside comes from the console's `sim`.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use umqtt_device::board::PinMode;

/// Pins are numbered 0 to this.
const MAX_PIN: usize = 16;
/// The highest value of the analogue input.
const MAX_ADC: u16 = 1023;
/// Lines for the log that wait to be fetched; further ones are dropped.
const MAX_NOTES: usize = 8;

/// What `sim` can do.
const USAGE: &str = "sim gpio PIN 0|1 or sim adc N";

#[derive(Clone, Copy, Debug, Default)]
struct Pin {
    output: bool,
    pullup: bool,
    watched: bool,
    /// It changed and nobody was told.
    edge: bool,
    /// What the device puts on it.
    driven: Option<bool>,
    /// What `sim gpio` puts on it.
    outside: Option<bool>,
    duty: Option<u16>,
}

impl Pin {
    fn level(&self) -> bool {
        match self.output {
            true => self.driven.unwrap_or(false),
            false => self.outside.unwrap_or(self.pullup),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pins: [Pin; MAX_PIN + 1],
    pub(crate) adc: u16,
    notes: VecDeque<String>,
}

impl Pins {
    fn pin(&mut self, pin: u8) -> Option<&mut Pin> {
        self.pins.get_mut(usize::from(pin))
    }

    pub(crate) fn note(&mut self, line: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push_back(line);
        }
    }

    pub(crate) fn poll_note(&mut self) -> Option<String> {
        self.notes.pop_front()
    }

    pub(crate) fn mode(&mut self, pin: u8, mode: PinMode) {
        let Some(state) = self.pin(pin) else { return };
        state.output = mode == PinMode::Output;
        state.pullup = mode == PinMode::InputPullup;
        let mode = match mode {
            PinMode::Input => "input",
            PinMode::InputPullup => "input pullup",
            PinMode::Output => "output",
        };
        self.note(format!("gpio {pin} is {mode}"));
    }

    pub(crate) fn write(&mut self, pin: u8, level: bool) {
        let Some(state) = self.pin(pin) else { return };
        state.output = true;
        state.duty = None;
        if state.driven.replace(level) != Some(level) {
            self.note(format!("gpio {pin} = {}", u8::from(level)));
        }
    }

    pub(crate) fn read(&mut self, pin: u8) -> bool {
        self.pin(pin).is_some_and(|pin| pin.level())
    }

    pub(crate) fn pwm(&mut self, pin: u8, duty: u16) {
        let Some(state) = self.pin(pin) else { return };
        state.output = true;
        state.driven = None;
        if state.duty.replace(duty) != Some(duty) {
            self.note(format!("pwm {pin} = {duty}"));
        }
    }

    pub(crate) fn watch(&mut self, pin: u8, pullup: bool) {
        if let Some(state) = self.pin(pin) {
            state.output = false;
            state.pullup = pullup;
            state.watched = true;
        }
    }

    pub(crate) fn unwatch(&mut self) {
        for pin in &mut self.pins {
            (pin.watched, pin.edge) = (false, false);
        }
    }

    pub(crate) fn poll_edge(&mut self) -> Option<u8> {
        let at = self.pins.iter().position(|pin| pin.edge)?;
        self.pins[at].edge = false;
        Some(at as u8)
    }

    /// Does a `sim` command; the reply, or `Err` with what would be right.
    pub(crate) fn simulate(&mut self, words: &[&[u8]]) -> Result<String, &'static str> {
        match words {
            [b"gpio", pin, level] => {
                let level = number(level, 1).ok_or(USAGE)? == 1;
                let pin = number(pin, MAX_PIN as u16).ok_or(USAGE)? as u8;
                let state = self.pin(pin).ok_or(USAGE)?;
                let before = state.level();
                state.outside = Some(level);
                state.edge |= state.watched && state.level() != before;
                Ok(format!("gpio {pin} = {} from outside", u8::from(level)))
            }
            [b"adc", value] => {
                self.adc = number(value, MAX_ADC).ok_or(USAGE)?;
                Ok(format!("adc = {}", self.adc))
            }
            _ => Err(USAGE),
        }
    }
}

fn number(word: &[u8], max: u16) -> Option<u16> {
    let value = core::str::from_utf8(word).ok()?.parse().ok()?;
    (value <= max).then_some(value)
}
