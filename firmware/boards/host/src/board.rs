//! The desktop board: pins, PWM, analogue input, serial port and network link that are simulated,
//! and driven from the console with `sim`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use umqtt_device::board::{Board, Gpio, LogLevel, Radio, Random, Restart, Serial, Zone};
use umqtt_device::sim::{SimulatedPins, SimulatedRadio};

use crate::log::Log;
use crate::terminal::Terminal;

/// Pins are numbered from 0 to one less than this.
const PINS: usize = 64;
/// Lines for the log that wait to be fetched; further ones are dropped.
const NOTES: usize = 256;

const HELP: &str = "sim gpio PIN 0|1: put a level on a simulated input pin\n\
sim adc N: set the simulated analogue input, 0 to 1023\n\
sim serial TEXT: type a line on the serial port\n\
sim wifi up|down: get or lose the simulated network\n";

/// With a radio.
const RADIO_HELP: &str = "sim gpio PIN 0|1: put a level on a simulated input pin\n\
sim adc N: set the simulated analogue input, 0 to 1023\n\
sim serial TEXT: type a line on the serial port\n\
sim wifi add SSID [PASSWORD|none] [RSSI] [CHANNEL]: have a WiFi network in reach\n\
sim wifi remove SSID: take it away\n\
sim wifi signal SSID RSSI: change its strength\n\
sim wifi lose: lose the network that is joined, which stays in reach\n\
sim wifi up|down: have the networks in reach, or none\n\
sim wifi station MAC [gone]: have a station join the own network, or leave it\n";

/// The simulated board.
pub struct HostBoard {
    terminal: Terminal,
    mac: [u8; 6],
    pins: SimulatedPins<PINS, NOTES>,
    links: VecDeque<bool>,
    link_up: bool,
    radio: Option<SimulatedRadio>,
    restart: Option<Restart>,
    started: Instant,
    log: Option<Log>,
    /// The computer's zone in seconds ahead of UTC, and the minute it was looked up in.
    offset: Cell<(u64, i32)>,
}

impl HostBoard {
    /// A board with this serial port and MAC address; its network is up.
    pub fn new(terminal: Terminal, mac: [u8; 6]) -> HostBoard {
        HostBoard {
            terminal,
            mac,
            pins: SimulatedPins::default(),
            links: VecDeque::from([true]),
            link_up: true,
            radio: None,
            restart: None,
            started: Instant::now(),
            log: None,
            offset: Cell::new((u64::MAX, 0)),
        }
    }

    /// Gives it a radio in the place of the network that is up.
    pub fn add_radio(&mut self) {
        self.radio = Some(SimulatedRadio::new(self.mac));
        self.links.clear();
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

    /// The board after a reset: what its pins were used for is forgotten, what they are wired to is
    /// not.
    pub fn after_reset(self) -> HostBoard {
        let mut fresh = HostBoard::new(self.terminal, self.mac);
        fresh.pins = self.pins.after_reset();
        fresh.log = self.log;
        fresh.link_up = self.link_up;
        fresh.links.retain(|_| self.link_up);
        if let Some(radio) = &self.radio {
            fresh.add_radio();
            fresh.radio = Some(radio.after_reset());
        }
        fresh
    }

    /// Whether the device asked for a restart; forgets it.
    pub fn take_restart(&mut self) -> Option<Restart> {
        self.restart.take()
    }

    /// Does a `sim` command; the reply, or `Err` with what would be right.
    fn simulate(&mut self, words: &[&[u8]]) -> Result<String, String> {
        if let Some(done) = self.pins.simulate(words) {
            return done.map_err(|right| match words {
                [b"gpio", ..] => format!("{right}, PIN 0 to {}", PINS - 1),
                _ => right.into(),
            });
        }
        if let ([b"wifi", words @ ..], Some(radio)) = (words, &mut self.radio) {
            return radio.simulate(words);
        }
        match words {
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
            [b"wifi", b"add" | b"remove" | b"signal" | b"lose" | b"station", ..] => {
                Err("there is no radio to simulate: start with --radio".into())
            }
            _ => Err("sim gpio PIN 0|1, sim adc N, sim serial TEXT or sim wifi up|down".into()),
        }
    }
}

impl Gpio for HostBoard {
    fn gpio(&mut self) -> Option<&mut dyn Gpio> {
        Some(&mut self.pins)
    }
}

impl Serial for HostBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.terminal.write(bytes);
    }
}

impl Random for HostBoard {
    fn random(&mut self, into: &mut [u8]) {
        // Without it no password can be kept well, and nothing else can be done about it.
        getrandom::fill(into).unwrap_or_else(|error| panic!("no random numbers: {error}"));
    }
}

impl Board for HostBoard {
    fn poll_edge(&mut self) -> Option<u8> {
        self.pins.poll_edge()
    }

    fn poll_link(&mut self) -> Option<bool> {
        self.links.pop_front()
    }

    fn radio(&mut self) -> Option<&mut dyn Radio> {
        self.radio.as_mut().map(|radio| radio as &mut dyn Radio)
    }

    fn poll_note(&mut self) -> Option<String> {
        self.pins.poll_note()
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

    fn zone(&self) -> Zone {
        let now = self.wall_clock().unwrap_or(0);
        own_rules().unwrap_or_else(|| Zone::fixed(self.utc_offset(now)))
    }

    fn mac(&self) -> [u8; 6] {
        self.mac
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
        if self.radio.is_some() { RADIO_HELP } else { HELP }
    }
}

/// The rules of the computer's zone: `TZ`, or what its time zone file ends with (RFC 9636).
fn own_rules() -> Option<Zone> {
    let named = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    if let Some(zone) = named.as_ref().and_then(|rules| Zone::parse(rules.as_bytes()).ok()) {
        return Some(zone);
    }
    let file = match named {
        Some(name) => Path::new("/usr/share/zoneinfo").join(name.trim_start_matches(':')),
        None => PathBuf::from("/etc/localtime"),
    };
    rules_in(&std::fs::read(file).ok()?)
}

/// The last line of a time zone file.
fn rules_in(file: &[u8]) -> Option<Zone> {
    let file = file.strip_suffix(b"\n").filter(|file| file.starts_with(b"TZif"))?;
    Zone::parse(file.rsplit(|byte| *byte == b'\n').next()?).ok()
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

    #[test]
    fn rules_are_the_last_line_of_a_time_zone_file() {
        let file = b"TZif2 and so on\nCET-1CEST,M3.5.0,M10.5.0/3\n";
        assert_eq!(rules_in(file), Zone::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").ok());
        assert_eq!(rules_in(b"CET-1\n"), None);
        assert_eq!(rules_in(b"TZif2\n\n"), None);
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
    fn the_simulation_says_what_would_be_right() {
        let mut board = board();
        assert_eq!(sim(&mut board, "sim adc 1024"), "Invalid argument: sim adc 0-1023");
        assert!(sim(&mut board, "sim").starts_with("Invalid argument: sim gpio"));
        assert_eq!(sim(&mut board, "sim gpio 63 1"), "gpio 63 = 1 from outside");
        assert_eq!(
            sim(&mut board, "sim gpio 64 1"),
            "Invalid argument: sim gpio PIN 0|1, PIN 0 to 63"
        );
        assert!(sim(&mut board, "sim wifi add home").ends_with("start with --radio"));
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

    #[test]
    fn a_radio_takes_the_place_of_the_cable_and_outlives_a_reset() {
        let mut board = board();
        assert!(board.radio().is_none() && !board.command_help().contains("sim wifi add"));
        board.add_radio();
        assert_eq!(board.poll_link(), None);
        assert_eq!(sim(&mut board, "sim wifi add home"), "in reach at -60 dBm, channel 6");
        assert!(sim(&mut board, "sim wifi").starts_with("Invalid argument: sim wifi add SSID"));
        assert!(board.command_help().contains("sim wifi add"));
        let mut board = board.after_reset();
        assert_eq!(board.poll_link(), None);
        assert_eq!(sim(&mut board, "sim wifi remove home"), "removed");
    }
}
