//! Simulated pins and analogue input, for boards without real ones.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use crate::board::{Gpio, PinMode};

const GPIO_USAGE: &str = "sim gpio PIN 0|1";
const ADC_USAGE: &str = "sim adc 0-1023";
const MAX_ADC: u16 = 1023;

#[derive(Clone, Copy, Debug)]
struct Pin {
    output: bool,
    pullup: bool,
    watched: bool,
    /// The number of the edge that is to be reported.
    edge: Option<u32>,
    /// What the device puts on it.
    driven: Option<bool>,
    /// What `sim gpio` puts on it.
    outside: Option<bool>,
    /// It is watched, and its level has not been read since it changed.
    unread: bool,
    /// Levels that are put on it once that is read, a bit each, the next one lowest; how many.
    later: u8,
    later_len: u8,
    duty: Option<u16>,
}

impl Pin {
    const NEW: Pin = Pin {
        output: false,
        pullup: false,
        watched: false,
        edge: None,
        driven: None,
        outside: None,
        unread: false,
        later: 0,
        later_len: 0,
        duty: None,
    };

    /// What is put on it last, once all of it is.
    fn wanted(&self) -> Option<bool> {
        match self.later_len {
            0 => self.outside,
            len => Some(self.later >> (len - 1) & 1 == 1),
        }
    }

    /// The next level from outside, when the one before has been read.
    fn take_later(&mut self) -> Option<bool> {
        self.later_len = self.later_len.checked_sub(1)?;
        let next = self.later & 1 == 1;
        self.later >>= 1;
        Some(next)
    }

    fn level(&self) -> bool {
        match self.output {
            true => self.driven.unwrap_or(false),
            false => self.outside.unwrap_or(self.pullup),
        }
    }
}

/// Pins 0 to `PINS` - 1 and an analogue input. What the device does with them becomes notes for the
/// log, of which at most `NOTES` wait; what is put on them from outside comes from the console's
/// `sim`.
#[derive(Debug)]
pub struct SimulatedPins<const PINS: usize, const NOTES: usize> {
    pins: [Pin; PINS],
    adc: u16,
    edges: u32,
    notes: VecDeque<String>,
}

impl<const PINS: usize, const NOTES: usize> Default for SimulatedPins<PINS, NOTES> {
    fn default() -> Self {
        SimulatedPins { pins: [Pin::NEW; PINS], adc: 0, edges: 0, notes: VecDeque::new() }
    }
}

impl<const PINS: usize, const NOTES: usize> SimulatedPins<PINS, NOTES> {
    fn pin(&mut self, pin: u8) -> Option<&mut Pin> {
        self.pins.get_mut(usize::from(pin))
    }

    /// Adds a line for the log, unless too many wait.
    pub fn note(&mut self, line: String) {
        if self.notes.len() < NOTES {
            self.notes.push_back(line);
        }
    }

    /// The next line for the log.
    pub fn poll_note(&mut self) -> Option<String> {
        self.notes.pop_front()
    }

    /// The pin with the oldest edge that was not reported.
    pub fn poll_edge(&mut self) -> Option<u8> {
        let edges = self.pins.iter().zip(0u8..).filter_map(|(pin, at)| Some((pin.edge?, at)));
        let (_, at) = edges.min()?;
        self.pin(at)?.edge = None;
        Some(at)
    }

    /// What a reset leaves: what is put on the pins from outside.
    pub fn after_reset(&self) -> Self {
        let mut fresh = Self { adc: self.adc, ..Self::default() };
        for (pin, old) in fresh.pins.iter_mut().zip(&self.pins) {
            pin.outside = old.wanted();
        }
        fresh
    }

    /// Does a command `sim gpio` or `sim adc`, given without the word `sim`; `None` if it is
    /// neither.
    ///
    /// # Errors
    /// What would be right.
    pub fn simulate(&mut self, words: &[&[u8]]) -> Option<Result<String, &'static str>> {
        match words {
            [b"gpio", pin, level] => Some(self.drive(pin, level).ok_or(GPIO_USAGE)),
            [b"adc", value] => Some(match number(value, MAX_ADC) {
                Some(value) => {
                    self.adc = value;
                    Ok(format!("adc = {value}"))
                }
                None => Err(ADC_USAGE),
            }),
            _ => None,
        }
    }

    /// A change of a pin that scripts watch stays until it is read, when it has settled; the next
    /// ones come one after the other. So two commands pasted together press a button and release
    /// it.
    fn drive(&mut self, pin: &[u8], level: &[u8]) -> Option<String> {
        let level = number(level, 1)? == 1;
        let pin = u8::try_from(number(pin, u8::MAX.into())?).ok()?;
        let state = self.pin(pin)?;
        if state.wanted() == Some(level) {
            return Some(format!("gpio {pin} is {} already", u8::from(level)));
        }
        if state.unread {
            if u32::from(state.later_len) == u8::BITS {
                return Some(format!("gpio {pin} changes too fast for the script"));
            }
            state.later |= u8::from(level) << state.later_len;
            state.later_len += 1;
        } else {
            self.put(pin, level);
        }
        Some(format!("gpio {pin} = {} from outside", u8::from(level)))
    }

    fn put(&mut self, pin: u8, level: bool) {
        let edge = self.edges;
        let Some(state) = self.pin(pin) else { return };
        let before = state.level();
        state.outside = Some(level);
        if state.watched && state.level() != before {
            state.unread = true;
            if state.edge.is_none() {
                state.edge = Some(edge);
                self.edges = edge.wrapping_add(1);
            }
        }
    }
}

impl<const PINS: usize, const NOTES: usize> Gpio for SimulatedPins<PINS, NOTES> {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
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

    fn pin_write(&mut self, pin: u8, level: bool) {
        let Some(state) = self.pin(pin) else { return };
        state.output = true;
        state.duty = None;
        if state.driven.replace(level) != Some(level) {
            self.note(format!("gpio {pin} = {}", u8::from(level)));
        }
    }

    /// The level of a pin: false for one there is not.
    fn pin_read(&mut self, pin: u8) -> bool {
        let Some(state) = self.pin(pin) else { return false };
        let level = state.level();
        if core::mem::take(&mut state.unread)
            && let Some(next) = state.take_later()
        {
            self.put(pin, next);
        }
        level
    }

    fn pwm(&mut self, pin: u8, duty: u16) {
        let Some(state) = self.pin(pin) else { return };
        state.output = true;
        state.driven = None;
        if state.duty.replace(duty) != Some(duty) {
            self.note(format!("pwm {pin} = {duty}"));
        }
    }

    fn adc(&mut self) -> u16 {
        self.adc
    }

    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        if let Some(state) = self.pin(pin) {
            state.output = false;
            state.pullup = pullup;
            state.watched = true;
        }
    }

    fn unwatch_pins(&mut self) {
        for pin in &mut self.pins {
            pin.outside = pin.wanted();
            (pin.watched, pin.edge) = (false, None);
            (pin.unread, pin.later, pin.later_len) = (false, 0, 0);
        }
    }
}

fn number(word: &[u8], max: u16) -> Option<u16> {
    let value = core::str::from_utf8(word).ok()?.parse().ok()?;
    (value <= max).then_some(value)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;

    use super::*;

    type Pins = SimulatedPins<17, 3>;

    fn sim(pins: &mut Pins, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        match pins.simulate(&words) {
            Some(Ok(reply)) => reply,
            Some(Err(usage)) => usage.into(),
            None => "no such command".into(),
        }
    }

    #[test]
    fn an_edge_is_seen_once_in_order_and_only_on_a_watched_pin() {
        let mut pins = Pins::default();
        pins.watch_pin(4, true);
        pins.watch_pin(0, true);
        assert!(pins.pin_read(0));
        for pin in ["4", "0", "5"] {
            sim(&mut pins, &format!("gpio {pin} 0"));
        }
        assert_eq!(std::array::from_fn(|_| pins.poll_edge()), [Some(4), Some(0), None]);
        assert!(!pins.pin_read(0));
        sim(&mut pins, "gpio 0 0");
        assert_eq!(pins.poll_edge(), None);
        sim(&mut pins, "gpio 0 1");
        pins.unwatch_pins();
        assert_eq!(pins.poll_edge(), None);
    }

    #[test]
    fn what_is_pasted_together_is_seen_one_after_the_other() {
        let mut pins = Pins::default();
        pins.watch_pin(0, true);
        assert!(pins.pin_read(0));
        assert_eq!(sim(&mut pins, "gpio 0 0"), "gpio 0 = 0 from outside");
        assert_eq!(sim(&mut pins, "gpio 0 1"), "gpio 0 = 1 from outside");
        assert_eq!(sim(&mut pins, "gpio 0 1"), "gpio 0 is 1 already");
        assert_eq!(sim(&mut pins, "gpio 0 0"), "gpio 0 = 0 from outside");
        for level in [false, true, false] {
            assert_eq!(pins.poll_edge(), Some(0));
            assert_eq!(pins.pin_read(0), level);
        }
        assert_eq!((pins.poll_edge(), pins.pin_read(0)), (None, false));
        for change in 0..10 {
            sim(&mut pins, &format!("gpio 0 {}", (change + 1) % 2));
        }
        assert_eq!(sim(&mut pins, "gpio 0 0"), "gpio 0 changes too fast for the script");
        pins.unwatch_pins();
        assert!(pins.pin_read(0), "as it was put last");
    }

    #[test]
    fn changes_become_notes_of_which_so_many_wait() {
        let mut pins = Pins::default();
        for level in [true, true, false] {
            pins.pin_write(12, level);
        }
        pins.pwm(4, 500);
        pins.pin_mode(5, PinMode::InputPullup);
        let lines: Vec<String> = std::iter::from_fn(|| pins.poll_note()).collect();
        assert_eq!(lines, ["gpio 12 = 1", "gpio 12 = 0", "pwm 4 = 500"]);
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right() {
        let mut pins = Pins::default();
        assert_eq!(sim(&mut pins, "gpio 16 1"), "gpio 16 = 1 from outside");
        assert_eq!(sim(&mut pins, "gpio 16 1"), "gpio 16 is 1 already");
        assert_eq!(sim(&mut pins, "gpio 17 1"), GPIO_USAGE);
        assert_eq!(sim(&mut pins, "gpio 1 2"), GPIO_USAGE);
        assert_eq!(sim(&mut pins, "adc 1024"), ADC_USAGE);
        assert_eq!(sim(&mut pins, "adc 1023"), "adc = 1023");
        assert_eq!(sim(&mut pins, "wifi up"), "no such command");
    }

    #[test]
    fn a_reset_leaves_what_the_pins_are_wired_to() {
        let mut pins = Pins::default();
        sim(&mut pins, "gpio 3 1");
        sim(&mut pins, "adc 7");
        pins.pin_write(3, false);
        let mut pins = pins.after_reset();
        assert_eq!((pins.pin_read(3), pins.adc()), (true, 7));
    }
}
