//! Every parameter a user can set, declared once.
//!
//! [`table`] declares them: name, type and range, default, secret or not, saved or not, one line of
//! help. `set`, `show config`, `help`, saving, the compiler's check of `config` lines and
//! `docs/settings.md` all read that table. What a parameter *does* is not here: the rest of the
//! device reads [`Settings`] and acts.
//!
//! | module | job |
//! |---|---|
//! | [`table`] | the parameters |
//! | `aliases` | what other systems call them |
//! | [`capability`] | what boards have, and settings need |
//! | [`param_type`] | the types they have: reading, printing, refusing |
//! | [`codec`] | the bytes kept in flash |
//! | [`docs`] | the table as a page |
//! | [`lint`] | the table as the compiler wants it |
//! | `time_server` | what `ntp_server` says |

mod aliases;
pub mod capability;
pub mod codec;
pub mod docs;
mod error;
pub mod lint;
pub mod param_type;
pub mod table;
pub(crate) mod time_server;
mod value;

use alloc::vec::Vec;
use core::net::Ipv4Addr;

pub(crate) use aliases::alias;
pub use capability::{Capabilities, Capability};
pub use error::SetError;
pub use param_type::ParamType;
pub use table::{Param, Spec, TABLE};
pub use value::{Access, Source, Value, ValueRef};

use umqtt_calendar::Zone;

use crate::notices::{SCRIPT_MISSING, SCRIPT_REFUSED};
use crate::storage::ProtectedServices;
use param_type::NO_ZONE;

/// The values of all parameters. Only what differs from its default takes memory.
#[derive(Clone, Debug)]
pub struct Settings {
    default_id: [u8; DEFAULT_ID_LEN],
    default_time_server: &'static str,
    /// What the board has.
    capabilities: Capabilities,
    persistent: Vec<(Param, Value)>,
    script: Vec<(Param, Value)>,
    /// What was saved is damaged: these are not the owner's settings.
    damaged: bool,
    /// Nor are broker_user and broker_password: they have not been set since.
    credentials_damaged: bool,
    /// What the script keeps strangers out of that should run, and does not.
    missing: ProtectedServices,
    /// What the script that runs should keep strangers out of, and could not.
    refused: ProtectedServices,
    /// The highest counter of a signed script that was taken.
    script_counter: u64,
}

/// Length of the client id made from the MAC address.
const DEFAULT_ID_LEN: usize = 16;

impl Settings {
    /// Everything at its default. The last three bytes of the MAC address make the default
    /// `mqtt_id`.
    pub fn new(mac: [u8; 6]) -> Settings {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut default_id = *b"ESPRouter_000000";
        for (place, byte) in mac[3..].iter().enumerate() {
            default_id[10 + 2 * place] = HEX[usize::from(byte >> 4)];
            default_id[11 + 2 * place] = HEX[usize::from(byte & 15)];
        }
        Settings {
            default_id,
            default_time_server: "1.pool.ntp.org",
            capabilities: Capabilities::ALL,
            persistent: Vec::new(),
            script: Vec::new(),
            damaged: false,
            credentials_damaged: false,
            missing: ProtectedServices::default(),
            refused: ProtectedServices::default(),
            script_counter: 0,
        }
    }

    /// Sets what the board has; all there is at first.
    pub fn set_capabilities(&mut self, capabilities: Capabilities) {
        self.capabilities = capabilities;
    }

    /// Sets what `ntp_server` is until it is set.
    pub fn set_time_server(&mut self, host: &'static str) {
        self.default_time_server = host;
    }

    /// What the board has.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// What a parameter needs and the board has not: it has no effect there, and so is not there.
    pub fn lacks(&self, param: Param) -> Option<Capability> {
        param.spec().needs.filter(|needs| !self.capabilities.has(*needs))
    }

    /// What [`Settings::save`] wrote, by this version or another: an unknown parameter or a value
    /// that is out of range today is left out, a missing one has its default.
    pub fn load(mac: [u8; 6], saved: &[u8]) -> Settings {
        let mut settings = Settings::new(mac);
        for (param, value) in codec::read(saved) {
            settings.put(param, value, Source::Persistent);
        }
        settings.script_counter = codec::counter(saved);
        if !saved.is_empty() && !codec::is_sound(saved) {
            settings.set_damaged();
        }
        settings
    }

    /// What was saved is damaged. Nobody is let in over the network until the owner has set them
    /// anew from the serial line: who was meant to be kept out is not known any more.
    pub fn set_damaged(&mut self) {
        (self.damaged, self.credentials_damaged) = (true, true);
    }

    /// Whether what was saved is damaged, and the owner has not saved settings since.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Whether it is not known who may use the broker.
    pub fn credentials_damaged(&self) -> bool {
        self.credentials_damaged || self.shut(ProtectedServices::BROKER).is_some()
    }

    /// The script that should keep strangers out of `missing` does not run, and the one that runs
    /// could not set what keeps them out of `refused`: nobody is let in there over the network.
    pub(crate) fn set_missing(&mut self, missing: ProtectedServices, refused: ProtectedServices) {
        (self.missing, self.refused) = (missing, refused);
    }

    /// Why nobody is let in at one of these services, if it is for the want of what a script sets.
    pub(crate) fn shut(&self, services: ProtectedServices) -> Option<&'static str> {
        if self.missing.has(services) {
            Some(SCRIPT_MISSING)
        } else {
            self.refused.has(services).then_some(SCRIPT_REFUSED)
        }
    }

    /// Whether the script that runs could not set what keeps strangers out.
    pub(crate) fn is_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// What the script that runs keeps strangers out of.
    pub fn script_protects(&self) -> ProtectedServices {
        let mut services = ProtectedServices::default();
        for (param, value) in &self.script {
            let open = match (param, value) {
                (Param::BrokerUser | Param::BrokerPassword, Value::Text(text)) => text.is_empty(),
                (Param::BrokerAccess | Param::ConfigAccess, Value::Number(access)) => *access == 3,
                (Param::ConfigPort, Value::Number(port)) => *port != 0,
                _ => true,
            };
            if !open {
                services.add(param.protects());
            }
        }
        services
    }

    /// The owner has set `broker_user` or `broker_password`, on the serial line.
    pub fn credentials_set(&mut self) {
        self.credentials_damaged = false;
        self.missing = self.missing.without(ProtectedServices::BROKER);
        self.refused = self.refused.without(ProtectedServices::BROKER);
    }

    /// The owner has saved the settings as they are, on the serial line.
    pub fn restored(&mut self) {
        (self.damaged, self.credentials_damaged) = (false, false);
        self.set_missing(ProtectedServices::default(), ProtectedServices::default());
    }

    /// The owner's values that differ from their default and are of the saved sort, at most
    /// [`codec::MAX_LEN`] bytes; `None` if there is no memory for them.
    pub fn save(&self) -> Option<Vec<u8>> {
        let bytes = codec::write(self.persistent.iter().filter(|(param, _)| param.spec().saved))?;
        match self.script_counter {
            0 => Some(bytes),
            counter => codec::with_counter(&bytes, counter),
        }
    }

    /// Whether scripts from the network have to be signed: there is a key, or it is not known
    /// whether there was one. Then it is for the owner on the serial line alone to change that.
    pub fn script_key_counts(&self) -> bool {
        let has_key = self.is_damaged() || !self.bytes(Param::ScriptKey).is_empty();
        has_key && self.lacks(Param::ScriptKey).is_none()
    }

    /// The highest counter of a signed script that was taken: an older one has a lower one.
    pub fn script_counter(&self) -> u64 {
        self.script_counter
    }

    /// A signed script is taken; its counter is saved.
    pub(crate) fn note_script_counter(&mut self, counter: u64) {
        self.script_counter = counter;
    }

    /// Sets one parameter from its text.
    ///
    /// `ap_password` also closes the access point (`ap_open` 0), or opens it when it is taken away.
    /// The owner cannot set `mqtt_ssl` to 1. A `config` line can, for scripts that ask for it are
    /// no worse than others; then there is no connection to the remote broker, rather than one in
    /// the open.
    ///
    /// # Errors
    /// [`SetError`] says what would be right; nothing has changed then.
    pub fn set(&mut self, param: Param, text: &[u8], source: Source) -> Result<(), SetError> {
        if let Some(lacking) = self.lacks(param) {
            return Err(SetError::Lacks(param, lacking));
        }
        if param == Param::ScriptKey && source == Source::Script {
            return Err(SetError::NotInScripts(param));
        }
        // An IPv6 address has more colons.
        let colons = text.iter().filter(|byte| **byte == b':').count();
        if param == Param::MqttHost && (colons == 1 || text.contains(&b'/')) {
            return Err(SetError::Host);
        }
        if param == Param::NtpServer && !time_server::is_server(text) {
            return Err(SetError::TimeServer);
        }
        let value = param.spec().kind.read(text).map_err(|()| SetError::of(param, text))?;
        if param == Param::MqttSsl && source == Source::Persistent && value == Value::Number(1) {
            return Err(SetError::NoEncryption);
        }
        if param == Param::ApPassword {
            let open = matches!(&value, Value::Text(text) if text.is_empty());
            self.put(Param::ApOpen, Value::Number(i32::from(open)), source);
        }
        // The one that was set last counts.
        match param {
            Param::Timezone => self.remove(Param::NtpTimezone, source),
            Param::NtpTimezone => self.remove(Param::Timezone, source),
            _ => {}
        }
        self.put(param, value, source);
        Ok(())
    }

    /// [`Settings::set`] by name, as in a `config` line.
    ///
    /// # Errors
    /// [`SetError::Unknown`] if there is no such parameter.
    pub fn set_by_name(
        &mut self,
        name: &[u8],
        text: &[u8],
        source: Source,
    ) -> Result<Param, SetError> {
        let param = Param::by_name(name).ok_or(SetError::Unknown)?;
        self.set(param, text, source)?;
        Ok(param)
    }

    /// Forgets what `config` lines have set, as their script is gone, and returns which parameters
    /// that was.
    pub fn drop_script_values(&mut self) -> Vec<Param> {
        core::mem::take(&mut self.script).into_iter().map(|(param, _)| param).collect()
    }

    /// The value that counts.
    pub fn get(&self, param: Param) -> ValueRef<'_> {
        for source in [&self.script, &self.persistent] {
            if let Ok(at) = source.binary_search_by_key(&param, |(param, _)| *param) {
                return source[at].1.borrow();
            }
        }
        match param.spec().default {
            table::DefaultValue::Number(number) => ValueRef::Number(number),
            table::DefaultValue::Text(text) => ValueRef::Text(text.as_bytes()),
            table::DefaultValue::IdFromMac => ValueRef::Text(&self.default_id),
            table::DefaultValue::TimeServer => ValueRef::Text(self.default_time_server.as_bytes()),
        }
    }

    /// A number; 0 for a text.
    pub fn number(&self, param: Param) -> i32 {
        match self.get(param) {
            ValueRef::Number(number) => number,
            ValueRef::Text(_) => 0,
        }
    }

    /// A flag.
    pub fn flag(&self, param: Param) -> bool {
        self.number(param) != 0
    }

    /// A number that is never negative: a size, an interval, a rate.
    pub fn unsigned(&self, param: Param) -> u32 {
        u32::try_from(self.number(param)).unwrap_or(0)
    }

    /// A port; 0 is off.
    pub fn port(&self, param: Param) -> u16 {
        u16::try_from(self.number(param)).unwrap_or(0)
    }

    /// The zone that was set, under its name or the older one; `None` if none was.
    pub(crate) fn zone(&self) -> Option<Zone> {
        for source in [&self.script, &self.persistent] {
            for (param, value) in source {
                match (param, value) {
                    (Param::Timezone, Value::Text(text)) => return Zone::parse(text).ok(),
                    (Param::NtpTimezone, Value::Number(hours)) => {
                        return (*hours != NO_ZONE).then(|| Zone::fixed(hours * 3600));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// A text; empty for `none` and for a number.
    pub fn bytes(&self, param: Param) -> &[u8] {
        match self.get(param) {
            ValueRef::Number(_) => &[],
            ValueRef::Text(text) => text,
        }
    }

    /// A text of [`ParamType::Name`], which is ASCII; empty for `none`, and for a text that is not
    /// UTF-8.
    pub fn text(&self, param: Param) -> &str {
        core::str::from_utf8(self.bytes(param)).unwrap_or("")
    }

    /// An address; `None` for `none` and `dhcp`.
    pub fn address(&self, param: Param) -> Option<Ipv4Addr> {
        let bits = self.number(param).cast_unsigned();
        (bits != 0).then(|| Ipv4Addr::from_bits(bits))
    }

    /// An access mode.
    pub fn access(&self, param: Param) -> Access {
        match self.number(param) {
            0 => Access::Nobody,
            1 => Access::Internal,
            2 => Access::External,
            _ => Access::Everybody,
        }
    }

    /// A limit of which 0 means "as memory allows".
    pub fn limit(&self, param: Param) -> Option<u32> {
        match self.unsigned(param) {
            0 => None,
            limit => Some(limit),
        }
    }

    /// Forgets what was set, as far as a new value of the source counts.
    fn remove(&mut self, param: Param, source: Source) {
        self.script.retain(|(set, _)| *set != param);
        if source == Source::Persistent {
            self.persistent.retain(|(set, _)| *set != param);
        }
    }

    fn put(&mut self, param: Param, value: Value, source: Source) {
        let values = match source {
            Source::Persistent => {
                self.script.retain(|(set, _)| *set != param);
                &mut self.persistent
            }
            Source::Script => &mut self.script,
        };
        let is_default = source == Source::Persistent && param.spec().default.equals(&value);
        match (values.binary_search_by_key(&param, |(param, _)| *param), is_default) {
            (Ok(at), true) => drop(values.remove(at)),
            (Ok(at), false) => values[at].1 = value,
            (Err(_), true) => {}
            (Err(at), false) => values.insert(at, (param, value)),
        }
    }
}

impl Param {
    /// What it can keep strangers out of.
    pub fn protects(self) -> ProtectedServices {
        match self {
            Param::BrokerUser | Param::BrokerPassword | Param::BrokerAccess => {
                ProtectedServices::BROKER
            }
            Param::ConfigAccess | Param::ConfigPort => ProtectedServices::CONSOLE,
            _ => ProtectedServices::default(),
        }
    }
}
