//! The long replies.

use core::fmt;

use umqtt_dns::mdns::ResponderStats;
use umqtt_memory::Account;
use umqtt_vm::FLASH_VARIABLE_LEN;

use super::command::{COMMANDS, CommandSpec, Show};
use super::device_control::{
    BrokerFigures, DeviceControl, MdnsStatus, Network, ScriptText, Synchronisation, Synchronised,
    TimeOfDay,
};
use super::listing::Listing;
use super::output::Output;
use super::words::Quoted;
use crate::notices::SETTINGS_DAMAGED;
use crate::printable::Printable;
use crate::settings::param_type::WEEKDAYS;
use crate::settings::{Param, SetError, Settings, Spec, TABLE, ValueRef};
use crate::storage::{Doors, FLASH_VARIABLES};

/// Longest list in `show mqtt`, bytes: the reply is made anew for each piece of it.
const LONGEST_LIST: usize = 4096;

/// Prints a line.
macro_rules! line {
    ($out:expr, $($text:tt)*) => { $out.line(format_args!($($text)*)) };
}

pub(super) fn show(what: Show, device: &mut dyn DeviceControl, out: &mut Output) {
    match what {
        Show::Config => config(device, out),
        Show::Stats => stats(device, out),
        Show::Mqtt => mqtt(device, out),
        Show::Script(first) => script(first, device, out),
        Show::Vars => vars(device, out),
        Show::Backlog if device.settings().number(Param::Backlog) == 0 => {
            line!(out, "No log is kept: set backlog BYTES");
        }
        Show::Backlog => device.backlog(&mut |text| lines(text, out)),
    }
}

/// A line of `help` for a parameter.
pub(super) fn parameter(spec: &Spec, device: &dyn DeviceControl, out: &mut Output) {
    match device.settings().lacks(spec.param) {
        Some(what) => line!(out, "Invalid argument: {}", SetError::Lacks(spec.param, what)),
        None => line!(out, "  {} {}: {}", spec.name, spec.kind.placeholder(), spec.help),
    }
}

/// `help` and `help COMMAND`.
pub(super) fn help(which: Option<&CommandSpec>, device: &dyn DeviceControl, out: &mut Output) {
    match which {
        Some(spec) => {
            usage(spec, out);
            if spec.name == "set" {
                for spec in
                    TABLE.iter().filter(|spec| device.settings().lacks(spec.param).is_none())
                {
                    parameter(spec, device, out);
                }
            }
        }
        None => {
            let capabilities = device.settings().capabilities();
            let here = |spec: &&CommandSpec| spec.needs.is_none_or(|one| capabilities.has(one));
            COMMANDS.iter().filter(here).for_each(|spec| usage(spec, out));
            device.board_help().lines().for_each(|help| line!(out, "{help}"));
        }
    }
}

pub(super) fn usage(spec: &CommandSpec, out: &mut Output) {
    let blank = if spec.arguments.is_empty() { "" } else { " " };
    line!(out, "{}{blank}{}: {}", spec.name, spec.arguments, spec.help);
}

fn config(device: &dyn DeviceControl, out: &mut Output) {
    line!(out, "{}", device.version());
    if device.settings().is_damaged() {
        line!(out, "WARNING: {SETTINGS_DAMAGED}");
    }
    if let Some(why) = device.settings().shut(Doors::ALL) {
        line!(out, "WARNING: {why}");
    }
    let here = |spec: &&Spec| spec.saved && device.settings().lacks(spec.param).is_none();
    for spec in TABLE.iter().filter(here) {
        let value = Printed { settings: device.settings(), param: spec.param };
        let text = device.settings().bytes(spec.param);
        if spec.secret && device.lock().is_locked() && !text.is_empty() {
            line!(out, "{}: ***", spec.name);
        } else if let Some(port) = other_port(device, spec.param) {
            line!(out, "{}: {value} (listening on {port})", spec.name);
        } else {
            line!(out, "{}: {value}", spec.name);
        }
    }
}

/// The port that is listened on, where the setting names another one.
fn other_port(device: &dyn DeviceControl, param: Param) -> Option<u16> {
    let is_port = matches!(param, Param::BrokerPort | Param::ConfigPort);
    let port = device.listening(param).filter(|_| is_port)?;
    (port != device.settings().port(param)).then_some(port)
}

/// A parameter's value as a user would type it.
pub(super) struct Printed<'s> {
    pub(super) settings: &'s Settings,
    pub(super) param: Param,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.settings.get(self.param) {
            ValueRef::Number(number) => self.param.spec().kind.write_number(f, number),
            ValueRef::Text(b"") => f.write_str("none"),
            ValueRef::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

fn stats(device: &mut dyn DeviceControl, out: &mut Output) {
    let stats = device.stats();
    let up = stats.uptime.as_secs();
    line!(out, "System uptime: {}:{:02}:{:02}", up / 3600, up / 60 % 60, up % 60);
    if let Some(bytes) = stats.free_memory {
        line!(out, "Free mem: {bytes}");
    }
    line!(out, "Script events: {} (mean {} us)", stats.script_events, stats.script_mean_us);
    line!(out, "Received: {} bytes, sent: {} bytes", stats.bytes_received, stats.bytes_sent);
    device.addresses(&mut |address| line!(out, "IP address: {address}"));
    if stats.joined == Some(false) {
        line!(out, "Not connected to AP");
    }
    if let Some(rssi) = stats.rssi {
        line!(out, "Connected to AP: {rssi} dBm");
    }
    if stats.browsers > 0 {
        line!(out, "HTTP refused: {}", stats.browsers);
    }
    match stats.stations {
        Some(1) => line!(out, "1 station connected to AP"),
        Some(count) => line!(out, "{count} stations connected to AP"),
        None => {}
    }
    match device.time() {
        Some(time) => line!(out, "Clock set: {time}"),
        None => line!(out, "Clock not set"),
    }
    if let Some(ntp) = &stats.ntp {
        synchronisation(ntp, out);
    }
    if let Some(mdns) = device.mdns() {
        let MdnsStatus { name, established, stats } = mdns;
        let state = if established { "" } else { ", not ours yet" };
        let ResponderStats { multicasts, unicasts, conflicts, ignored, refused, .. } = stats;
        let sent = multicasts.saturating_add(unicasts);
        line!(
            out,
            "mDNS: {name}{state}, sent {sent}, conflicts {conflicts}, refused {}",
            ignored.saturating_add(refused)
        );
    }
    line!(out, "{:<9}{:>11}{:>11}{:>11}{:>8}", "Memory", "budget", "used", "most", "refused");
    for (share, account) in device.ledger().iter() {
        let Account { budget, used, high_water, refused } = account;
        let name = share.name();
        line!(out, "  {name:<7}{budget:>11}{used:>11}{high_water:>11}{refused:>8}");
    }
}

fn synchronisation(ntp: &Synchronisation, out: &mut Output) {
    if let Some(Synchronised { server, ago, offset, stratum }) = ntp.last {
        let ago = ago.as_secs();
        let by = format_args!("{ago} s ago by {server}, stratum {stratum}, offset");
        match offset {
            Some(offset) => line!(out, "Clock synchronized: {by} {offset} ms"),
            None => line!(out, "Clock synchronized: {by} unknown"),
        }
    } else if ntp.used {
        line!(out, "Clock not synchronized");
    }
    if ntp.used {
        let denied = if ntp.denied { ", denied by the server" } else { "" };
        let Synchronisation { asked, timeouts, refused, .. } = ntp;
        line!(out, "NTP: asked {asked}, no answer {timeouts}, refused {refused}{denied}");
    }
    if ntp.serves {
        line!(out, "NTP service: answered {}, refused {}", ntp.answered, ntp.not_answered);
    }
}

fn mqtt(device: &dyn DeviceControl, out: &mut Output) {
    let figures = device.broker();
    line!(out, "Current clients: {}", figures.clients);
    let mut list = List::new();
    device.clients(&mut |id| {
        let comma = if list.shown == 0 { "" } else { ", " };
        list.add(out, format_args!("{comma}{}", Printable(id)))
    });
    if list.shown > 0 {
        out.put(b"\r\n");
    }
    list.end(figures.clients, out);
    line!(out, "Current subscriptions:");
    let mut list = List::new();
    device.subscriptions(&mut |found| {
        let (client, filter) = (Printable(found.client), Printable(found.filter));
        list.add(out, format_args!("{client}: \"{filter}\" (QoS {})\r\n", found.qos))
    });
    list.end(figures.subscriptions, out);
    line!(out, "Retained topics:");
    let mut list = List::new();
    device.retained(&mut |found| {
        let topic = Printable(found.topic);
        list.add(out, format_args!("\"{topic}\" len: {} (QoS {})\r\n", found.len, found.qos))
    });
    list.end(figures.retained, out);
    let connected = if device.remote_connected() { "connected" } else { "disconnected" };
    line!(out, "MQTT client {connected}");
    match (device.script_text(), device.script_enabled()) {
        (ScriptText::None, _) => line!(out, "No script"),
        (_, true) => line!(out, "Script enabled"),
        (_, false) => line!(out, "Script disabled"),
    }
    counted(&figures, out);
}

/// What came, and what became of those who sent too much or nothing.
fn counted(figures: &BrokerFigures, out: &mut Output) {
    let c = &figures.counted;
    line!(
        out,
        "Came: connections {}, clients {}, subscriptions {}, pings {}, wills {}",
        c.opened,
        c.accepted,
        c.subscribed,
        c.pings,
        c.wills
    );
    line!(
        out,
        "Refused: connections {}, wrong passwords {}, subscriptions {}, retained {}",
        c.refused.saturating_sub(c.unauthorized),
        c.unauthorized,
        c.subscriptions_refused,
        c.retained_refused
    );
    line!(
        out,
        "Closed: bad packets {}, too large {}, no memory {}, no CONNECT {}, silent {}, slow {}, unreleased {}, taken over {}, sessions displaced {}",
        c.protocol_errors,
        c.too_large,
        c.no_memory,
        c.connect_timeouts,
        c.timeouts,
        c.slow,
        c.unreleased,
        c.take_overs,
        c.sessions_displaced
    );
    line!(
        out,
        "Dropped: messages {}, to $SYS {}, from remote {}, unknown acknowledgements {}",
        c.messages_dropped,
        c.messages_denied,
        figures.remote_dropped,
        c.unknown_acks
    );
}

/// A list of which only the beginning is shown if it is too long.
struct List {
    shown: usize,
    /// Not all of it was shown.
    cut: bool,
    /// Bytes shown.
    bytes: usize,
}

/// Counts what is printed.
struct Counter<'o> {
    out: &'o mut Output,
    bytes: usize,
}

impl fmt::Write for Counter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        self.out.put(text.as_bytes());
        Ok(())
    }
}

impl List {
    fn new() -> List {
        List { shown: 0, cut: false, bytes: 0 }
    }

    /// Adds one if the list is not too long yet; false if it is, and then none after it is to be
    /// added.
    fn add(&mut self, out: &mut Output, text: fmt::Arguments<'_>) -> bool {
        self.cut = self.bytes >= LONGEST_LIST;
        if !self.cut {
            let mut counter = Counter { out, bytes: 0 };
            // Writing here never fails.
            let _ = fmt::write(&mut counter, text);
            self.bytes += counter.bytes;
            self.shown += 1;
        }
        !self.cut
    }

    /// Says that there are more than are shown, and how many in all.
    fn end(self, len: usize, out: &mut Output) {
        if self.cut {
            line!(out, "... and more, {len} in all");
        }
    }
}

fn script(first: u32, device: &mut dyn DeviceControl, out: &mut Output) {
    match device.script_text() {
        ScriptText::None => line!(out, "No script"),
        ScriptText::Source => {
            let mut listing = Listing::new(out, first);
            let (mut at, mut piece) = (0, [0; 256]);
            loop {
                let len = device.read_source(at, &mut piece);
                if len == 0 || !listing.feed(&piece[..len]) {
                    break;
                }
                at += len;
            }
            listing.finish();
        }
        ScriptText::Bytecode => {
            line!(out, "Bytecode without source, disassembled:");
            let mut listing = Listing::new(out, first);
            device.disassemble(&mut listing);
            listing.finish();
        }
    }
}

fn vars(device: &mut dyn DeviceControl, out: &mut Output) {
    device.variables(&mut |name, value| {
        let name = name.strip_prefix(b"$").unwrap_or(name);
        line!(out, "{}: {}", Printable(name), Printable(value));
    });
    for n in 1..=FLASH_VARIABLES {
        let mut value = [0; FLASH_VARIABLE_LEN];
        match device.flash_variable(n, &mut value) {
            Ok(len) => line!(out, "@{n}: {}", Printable(&value[..len.min(value.len())])),
            Err(error) => line!(out, "@{n} cannot be read: {error}"),
        }
    }
}

/// Prints text whose lines end in LF or CR LF.
pub(super) fn lines(text: &[u8], out: &mut Output) {
    for part in text.split_inclusive(|byte| *byte == b'\n') {
        match part.strip_suffix(b"\n") {
            Some(line) => {
                out.put(line.strip_suffix(b"\r").unwrap_or(line));
                out.put(b"\r\n");
            }
            None => out.put(part),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = WEEKDAYS.get(usize::from(self.weekday)).unwrap_or(&"xxx");
        let (hours, minutes) = (self.seconds / 3600, self.seconds / 60 % 60);
        write!(f, "{day} {hours:02}:{minutes:02}:{:02}", self.seconds % 60)
    }
}

/// `auth,"ssid",rssi,"mac",channel`
impl fmt::Display for Network<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.mac;
        write!(
            f,
            "{},\"{}\",{},\"{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}\",{}",
            self.auth,
            InQuotes(self.ssid),
            self.rssi,
            self.channel
        )
    }
}

/// A name between quotes: a quote in it is no end, and a backslash in it begins nothing.
struct InQuotes<'s>(&'s [u8]);

impl fmt::Display for InQuotes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            write!(f, "{}\\x{:02x}", Printable(&rest[..at]), rest[at])?;
            rest = &rest[at + 1..];
        }
        write!(f, "{}", Printable(rest))
    }
}
