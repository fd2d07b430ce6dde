//! The desktop board: pins, PWM, analogue input, serial port and network link that are simulated, and driven
//! from the console with `sim`.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use umqtt_device::board::{Board, Gpio, LogLevel, PinMode, Restart, Serial};

use crate::log::Log;
use crate::terminal::Terminal;

/// Pins are numbered 0 to this.
const MAX_PIN: u8 = 63;
/// Lines for the log that wait to be fetched; further ones are dropped.
const MAX_NOTES: usize = 256;
/// Edges that wait to be fetched; an edge on a pin that waits already is one edge.
const MAX_EDGES: usize = MAX_PIN as usize + 1;
const MAX_ADC: u16 = 1023;

const HELP: &str = "sim gpio PIN 0|1: put a level on a simulated input pin\n\
sim adc N: set the simulated analogue input, 0 to 1023\n\
sim serial TEXT: type a line on the serial port\n\
sim wifi up|down: get or lose the simulated network\n";

/// The simulated board.
pub struct HostBoard {
    terminal: Terminal,
    mac: [u8; 6],
    pins: BTreeMap<u8, Pin>,
    watched: Vec<u8>,
    edges: VecDeque<u8>,
    links: VecDeque<bool>,
    link_up: bool,
    adc: u16,
    notes: VecDeque<String>,
    restart: Option<Restart>,
    started: Instant,
    log: Option<Log>,
    /// The computer's zone in seconds ahead of UTC, and the minute it was looked up in.
    offset: Cell<(u64, i32)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pin {
    output: bool,
    pullup: bool,
    /// What the device puts on it.
    driven: Option<bool>,
    /// What `sim gpio` puts on it.
    outside: Option<bool>,
    duty: Option<u16>,
}

impl Pin {
    fn level(self) -> bool {
        match self.output {
            true => self.driven.unwrap_or(false),
            false => self.outside.unwrap_or(self.pullup),
        }
    }
}

impl HostBoard {
    /// A board with this serial port and MAC address; its network is up.
    pub fn new(terminal: Terminal, mac: [u8; 6]) -> HostBoard {
        HostBoard {
            terminal,
            mac,
            pins: BTreeMap::new(),
            watched: Vec::new(),
            edges: VecDeque::new(),
            links: VecDeque::from([true]),
            link_up: true,
            adc: 0,
            notes: VecDeque::new(),
            restart: None,
            started: Instant::now(),
            log: None,
            offset: Cell::new((u64::MAX, 0)),
        }
    }

    /// Has it keep a log.
    pub(crate) fn set_log(&mut self, log: Option<Log>) {
        self.log = log;
    }

    /// Waits until the log is out, at most this long.
    pub(crate) fn flush_log(&self, at_most: Duration) {
        if let Some(log) = &self.log {
            log.queue().flush(at_most);
        }
    }

    /// The serial port.
    pub fn terminal(&mut self) -> &mut Terminal {
        &mut self.terminal
    }

    /// The board after a reset: what its pins were used for is forgotten, what they are wired to is not.
    pub fn after_reset(self) -> HostBoard {
        let mut fresh = HostBoard::new(self.terminal, self.mac);
        for (pin, old) in self.pins {
            fresh.pin(pin).outside = old.outside;
        }
        fresh.adc = self.adc;
        fresh.log = self.log;
        fresh.link_up = self.link_up;
        fresh.links.retain(|_| self.link_up);
        fresh
    }

    /// Whether the device asked for a restart; forgets it.
    pub fn take_restart(&mut self) -> Option<Restart> {
        self.restart.take()
    }

    fn note(&mut self, line: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push_back(line);
        }
    }

    fn pin(&mut self, pin: u8) -> &mut Pin {
        self.pins.entry(pin).or_default()
    }

    fn set_outside(&mut self, pin: u8, level: bool) {
        let state = self.pin(pin);
        let before = state.level();
        state.outside = Some(level);
        let changed = state.level() != before;
        if changed && self.watched.contains(&pin) && !self.edges.contains(&pin) {
            debug_assert!(self.edges.len() < MAX_EDGES);
            self.edges.push_back(pin);
        }
    }

    /// Does a `sim` command; the reply, or `Err` with what would be right.
    fn simulate(&mut self, words: &[&[u8]]) -> Result<String, &'static str> {
        match words {
            [b"gpio", pin, level] => {
                let usage = "sim gpio PIN 0|1";
                let pin = number(pin, MAX_PIN.into()).ok_or(usage)? as u8;
                let level = number(level, 1).ok_or(usage)? == 1;
                self.set_outside(pin, level);
                Ok(format!("gpio {pin} = {} from outside", u8::from(level)))
            }
            [b"adc", value] => {
                self.adc = number(value, MAX_ADC).ok_or("sim adc 0-1023")?;
                Ok(format!("adc = {}", self.adc))
            }
            [b"serial", text @ ..] if !text.is_empty() => {
                let mut line = text.join(&b' ');
                line.push(b'\n');
                self.terminal.type_in(&line);
                Ok("typed".into())
            }
            [b"wifi", state @ (b"up" | b"down")] => {
                let up = *state == b"up";
                if up != self.link_up {
                    self.link_up = up;
                    self.links.push_back(up);
                }
                Ok(format!("wifi {}", if up { "up" } else { "down" }))
            }
            _ => Err("sim gpio PIN 0|1, sim adc N, sim serial TEXT or sim wifi up|down"),
        }
    }
}

fn number(word: &[u8], max: u16) -> Option<u16> {
    let value = core::str::from_utf8(word).ok()?.parse().ok()?;
    (value <= max).then_some(value)
}

impl Gpio for HostBoard {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        let state = self.pin(pin);
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
        let state = self.pin(pin);
        state.output = true;
        state.duty = None;
        if state.driven.replace(level) != Some(level) {
            self.note(format!("gpio {pin} = {}", u8::from(level)));
        }
    }

    fn pin_read(&mut self, pin: u8) -> bool {
        self.pins.get(&pin).copied().unwrap_or_default().level()
    }

    fn pwm(&mut self, pin: u8, duty: u16) {
        let state = self.pin(pin);
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
        let state = self.pin(pin);
        state.output = false;
        state.pullup = pullup;
        if !self.watched.contains(&pin) {
            self.watched.push(pin);
        }
    }

    fn unwatch_pins(&mut self) {
        self.watched.clear();
        self.edges.clear();
    }
}

impl Serial for HostBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.terminal.write(bytes);
    }
}

impl Board for HostBoard {
    fn poll_edge(&mut self) -> Option<u8> {
        self.edges.pop_front()
    }

    fn poll_link(&mut self) -> Option<bool> {
        self.links.pop_front()
    }

    fn poll_note(&mut self) -> Option<String> {
        self.notes.pop_front()
    }

    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        self.terminal.read(into)
    }

    fn edits_lines(&self) -> bool {
        self.terminal.edits_lines()
    }

    fn serial_prompt(&mut self, prompt: &'static [u8]) {
        self.terminal.prompt(core::str::from_utf8(prompt).unwrap_or_default());
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        if let Some(log) = &mut self.log {
            log.add(level, text);
        }
    }

    fn logs_debug(&self) -> bool {
        self.log.as_ref().is_some_and(Log::debugs)
    }

    fn utc_offset(&self, utc: u64) -> i32 {
        // Summer time begins and ends at whole minutes.
        let minute = utc / 60_000;
        let (looked_up, offset) = self.offset.get();
        if looked_up == minute {
            return offset;
        }
        let offset = offset_in(&TimeZone::system(), utc);
        self.offset.set((minute, offset));
        offset
    }

    fn mac(&self) -> [u8; 6] {
        self.mac
    }

    fn random(&mut self, into: &mut [u8]) {
        // Without it no password can be kept well, and nothing else can be done about it.
        getrandom::fill(into).unwrap_or_else(|error| panic!("no random numbers: {error}"));
    }

    fn wall_clock(&self) -> Option<u64> {
        SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_millis() as u64)
    }

    fn micros(&self) -> u32 {
        self.started.elapsed().as_micros() as u32
    }

    fn restart(&mut self, how: Restart) {
        self.restart = Some(how);
    }

    fn command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        let [b"sim", rest @ ..] = words else { return false };
        match self.simulate(rest) {
            Ok(text) => reply(text.as_bytes()),
            Err(right) => {
                reply(b"Invalid argument: ");
                reply(right.as_bytes());
            }
        }
        true
    }

    fn command_help(&self) -> &'static str {
        HELP
    }
}

/// Seconds a time zone is ahead of UTC at a time, milliseconds since 1970.
fn offset_in(zone: &TimeZone, utc: u64) -> i32 {
    let time = i64::try_from(utc).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or(0, |time| zone.to_offset(time).seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_begins_and_ends_while_it_runs() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let at = |time: &str| {
            let time: Timestamp = time.parse().unwrap();
            offset_in(&berlin, time.as_millisecond() as u64) / 60
        };
        assert_eq!((at("2026-03-29T00:59:59Z"), at("2026-03-29T01:00:00Z")), (60, 120));
        assert_eq!((at("2026-10-25T00:59:59Z"), at("2026-10-25T01:00:00Z")), (120, 60));
        let india = TimeZone::posix("IST-5:30").unwrap();
        assert_eq!((offset_in(&india, 0), offset_in(&india, u64::MAX)), (19_800, 0));
    }

    fn board() -> HostBoard {
        HostBoard::new(Terminal::none(), [0; 6])
    }

    fn sim(board: &mut HostBoard, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut text = Vec::new();
        assert!(board.command(&words, &mut |bytes| text.extend_from_slice(bytes)));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn an_edge_is_seen_once_and_only_on_a_watched_pin() {
        let mut board = board();
        board.watch_pin(0, true);
        assert!(board.pin_read(0));
        for level in ["0", "1", "0"] {
            sim(&mut board, &format!("sim gpio 0 {level}"));
            sim(&mut board, &format!("sim gpio 5 {level}"));
        }
        assert_eq!((board.poll_edge(), board.poll_edge()), (Some(0), None));
        assert!(!board.pin_read(0));
        sim(&mut board, "sim gpio 0 0");
        assert_eq!(board.poll_edge(), None);
    }

    #[test]
    fn pins_show_in_the_log_when_they_change() {
        let mut board = board();
        for level in [true, true, false] {
            board.pin_write(12, level);
        }
        board.pwm(4, 500);
        let lines: Vec<String> = std::iter::from_fn(|| board.poll_note()).collect();
        assert_eq!(lines, ["gpio 12 = 1", "gpio 12 = 0", "pwm 4 = 500"]);
    }

    #[test]
    fn the_simulation_says_what_would_be_right() {
        let mut board = board();
        assert_eq!(sim(&mut board, "sim adc 1024"), "Invalid argument: sim adc 0-1023");
        assert!(sim(&mut board, "sim").starts_with("Invalid argument: sim gpio"));
        sim(&mut board, "sim adc 512");
        assert_eq!(board.adc(), 512);
        sim(&mut board, "sim serial hello there");
        let mut typed = [0; 20];
        let n = board.serial_read(&mut typed);
        assert_eq!(&typed[..n], b"hello there\n");
        assert!(!board.command(&[b"show"], &mut |_| ()));
        board.poll_link();
        sim(&mut board, "sim wifi down");
        sim(&mut board, "sim wifi down");
        assert_eq!((board.poll_link(), board.poll_link()), (Some(false), None));
    }
}
