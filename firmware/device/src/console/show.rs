//! The long replies: `show config`, `script`, `vars`, `backlog`. Those of `show stats` and `show
//! mqtt` are in files of their own.

mod mqtt;
mod stats;

use core::fmt;

use umqtt_vm::FLASH_VARIABLE_LEN;

use super::command::Show;
use super::device_control::{DeviceControl, Network, ScriptText, TimeOfDay};
use super::listing::Listing;
use super::output::Output;
use super::words::Quoted;
use crate::notices::SETTINGS_DAMAGED;
use crate::printable::Printable;
use crate::settings::param_type::WEEKDAYS;
use crate::settings::{Param, Settings, Spec, TABLE, ValueRef};
use crate::storage::{FLASH_VARIABLES, ProtectedServices};

pub(super) fn show(what: Show, device: &mut dyn DeviceControl, out: &mut Output) {
    match what {
        Show::Config => config(device, out),
        Show::Stats => stats::stats(device, out),
        Show::Mqtt => mqtt::mqtt(device, out),
        Show::Script(first) => script(first, device, out),
        Show::Vars => vars(device, out),
        Show::Backlog if device.settings().number(Param::Backlog) == 0 => {
            line!(out, "No log is kept: set backlog BYTES");
        }
        Show::Backlog => device.backlog(&mut |text| lines(text, out)),
    }
}

fn config(device: &dyn DeviceControl, out: &mut Output) {
    line!(out, "{}", device.version());
    if device.settings().is_damaged() {
        line!(out, "WARNING: {SETTINGS_DAMAGED}");
    }
    if let Some(why) = device.settings().shut(ProtectedServices::ALL) {
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

/// Minutes ahead of UTC: `UTC`, `UTC+1`, `UTC-3:30`.
pub(super) struct UtcOffset(pub(super) i32);

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UTC")?;
        if self.0 == 0 {
            return Ok(());
        }
        let (hours, minutes) = (self.0.unsigned_abs() / 60, self.0.unsigned_abs() % 60);
        write!(f, "{}{hours}", if self.0 < 0 { '-' } else { '+' })?;
        if minutes == 0 { Ok(()) } else { write!(f, ":{minutes:02}") }
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
