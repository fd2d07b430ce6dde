//! What the console needs of the device. The device implements [`DeviceControl`] over its parts.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use umqtt_memory::Ledger;
use umqtt_vm::{FLASH_VARIABLE_LEN, Side};

use super::Lock;
use super::lock::Salt;
use crate::http::foreign_protocol::ForeignProtocol;
use crate::settings::{Param, Settings};
use crate::storage::StorageError;
use umqtt_net::Duration;

/// Where a command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The serial line. Who has it in hand has the device: a locked one can be reset from here.
    Serial,
    /// A session over TCP, numbered below [`super::MAX_SESSIONS`] by the device: reports that come
    /// later, such as that of an upload, are for this one.
    Network(u8),
    /// A script's `system` action.
    Script,
}

/// Why the device did not do what it was asked, as one short line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(pub alloc::string::String);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for CommandError {}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> CommandError {
        CommandError(alloc::format!("{error}"))
    }
}

/// The figures of `show stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceStats {
    /// Since start.
    pub uptime: Duration,
    /// Bytes; `None` where that means nothing.
    pub free_memory: Option<u32>,
    /// Events the script's handlers were run for.
    pub script_events: u32,
    /// Mean time of one of them, microseconds.
    pub script_mean_us: u32,
    /// Bytes that came over the network.
    pub bytes_received: u64,
    /// Bytes that went over the network.
    pub bytes_sent: u64,
    /// Connected to a WiFi network; `None` on a board without WiFi.
    pub joined: Option<bool>,
    /// Strength of that network in dBm.
    pub rssi: Option<i8>,
    /// Stations in the network of the own access point; `None` on a board without.
    pub stations: Option<u8>,
    /// Network time; `None` on a board without.
    pub ntp: Option<Synchronisation>,
    /// Browsers, and others that speak HTTP or TLS, sent away from console and upload port.
    pub browsers: u32,
    /// Answers of name servers, or in their name, to nothing that was asked.
    pub refused_answers: u32,
}

/// How the clock gets the time from the network, and gives it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synchronisation {
    /// There is a time server in the settings.
    pub used: bool,
    /// The last time it was synchronised.
    pub last: Option<Synchronised>,
    /// The server does not want to be asked.
    pub denied: bool,
    /// Requests sent.
    pub asked: u32,
    /// Requests without an answer.
    pub timeouts: u32,
    /// Datagrams that were no answer to be believed.
    pub refused: u32,
    /// The device tells others the time.
    pub serves: bool,
    /// Requests of others that were answered.
    pub answered: u32,
    /// Requests of others that were not.
    pub not_answered: u32,
}

/// What multicast DNS is doing.
#[derive(Clone, Debug)]
pub struct MdnsStatus {
    /// The device's name, with a number if others had it before.
    pub name: umqtt_dns::NameBuf,
    /// Nobody else claimed it.
    pub established: bool,
    /// What came and what was sent.
    pub stats: umqtt_dns::mdns::MdnsStats,
}

/// A synchronisation of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synchronised {
    /// The server.
    pub server: SocketAddr,
    /// How long ago.
    pub ago: Duration,
    /// How many milliseconds the clock was behind; `None` if it was not known, or set by a user.
    pub offset: Option<i64>,
    /// The server's distance from a reference clock.
    pub stratum: u8,
}

/// The figures of `show mqtt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerFigures {
    /// Connected clients.
    pub clients: usize,
    /// Subscriptions of all clients and of the device itself.
    pub subscriptions: usize,
    /// Retained messages, those that the device publishes about itself too.
    pub retained: usize,
    /// What the broker has counted.
    pub counted: umqtt_mqtt::Stats,
    /// Messages from the remote broker that were dropped: too large, or no room.
    pub remote_dropped: u64,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// 0 is Monday, 7 an unknown day.
    pub weekday: u8,
    /// Seconds since midnight.
    pub seconds: u32,
}

/// What there is to show of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptText {
    /// No script.
    None,
    /// Its source, through [`DeviceControl::read_source`].
    Source,
    /// Only bytecode, through [`DeviceControl::disassemble`].
    Bytecode,
}

/// A subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed<'a> {
    /// Id of the client; `local` for the device itself.
    pub client: &'a [u8],
    /// The topic filter.
    pub filter: &'a [u8],
    /// 0 to 2.
    pub qos: u8,
}

/// A retained message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetainedMessage<'a> {
    /// Its topic.
    pub topic: &'a [u8],
    /// Bytes of its payload.
    pub len: usize,
    /// 0 to 2.
    pub qos: u8,
}

/// A network found by a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<'a> {
    /// How it is protected, as the board's number for it.
    pub auth: u8,
    /// Its name.
    pub ssid: &'a [u8],
    /// Strength in dBm.
    pub rssi: i8,
    /// The access point's address.
    pub mac: [u8; 6],
    /// Its channel.
    pub channel: u8,
}

/// The device, seen from the console. Nothing blocks; what takes time is started, and its report
/// goes to the session with [`super::Session::report`] when it is there.
pub trait DeviceControl {
    /// Name and version for the first line of `show config`.
    fn version(&self) -> &str;
    /// The parameters.
    fn settings(&self) -> &Settings;
    /// The parameters, to be set. [`DeviceControl::changed`] follows.
    fn settings_mut(&mut self) -> &mut Settings;
    /// A parameter was set: act on it. Setting `ap_password` has set `ap_open` too. `ntp_time` and
    /// `ntp_weekday` are set to set the clock.
    fn changed(&mut self, param: Param);
    /// Stores [`Settings::save`].
    ///
    /// # Errors
    /// [`StorageError`]; what was saved before is still there.
    fn save_settings(&mut self) -> Result<(), StorageError>;
    /// The owner has saved the settings as they are, on the serial line: they count, whatever was
    /// damaged.
    ///
    /// # Errors
    /// [`StorageError`]; what was damaged is so still.
    fn settings_restored(&mut self) -> Result<(), StorageError>;
    /// The port that is listened on for the parameter `broker_port` or `config_port`: not always
    /// that of the setting.
    fn listening(&self, param: Param) -> Option<u16>;
    /// Whether who is where a command comes from may open a console, or a client of the broker, as
    /// the settings are now: the parameter `config_access` or `broker_access`.
    fn admits(&self, access: Param, origin: Origin) -> bool;
    /// There was no memory for a line: counted.
    fn refused_line(&mut self);
    /// A session was ended because its other end is a browser: counted and logged.
    fn refused_browser(&mut self, what: ForeignProtocol, origin: Origin);
    /// The lock.
    fn lock(&self) -> &Lock;
    /// The lock, to be turned. [`DeviceControl::save_lock`] follows where it has to be kept.
    fn lock_mut(&mut self) -> &mut Lock;
    /// Stores [`Lock::save`].
    ///
    /// # Errors
    /// [`StorageError`]; what was saved before is still there.
    fn save_lock(&mut self) -> Result<(), StorageError>;
    /// Random bytes.
    fn salt(&mut self) -> Salt;
    /// The address of a session's other end; `None` if it has gone, and for those that have none.
    fn peer(&self, origin: Origin) -> Option<IpAddr>;
    /// Ends an upload or a download that was asked for, as the configuration is locked now.
    fn script_cancel(&mut self);
    /// Reads a flash variable, from 1; returns its length.
    ///
    /// # Errors
    /// [`StorageError`]; what it holds is not known.
    fn flash_variable(
        &mut self,
        n: u8,
        out: &mut [u8; FLASH_VARIABLE_LEN],
    ) -> Result<usize, StorageError>;
    /// Writes a flash variable of at most 63 bytes.
    ///
    /// # Errors
    /// [`StorageError`]; what was there before is still there.
    fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError>;

    /// The figures of now.
    fn stats(&mut self) -> DeviceStats;
    /// Multicast DNS, while it is on.
    fn mdns(&self) -> Option<MdnsStatus> {
        None
    }
    /// Lines about the services of the own network, while they are there.
    fn own_network(&self, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
        let _ = line;
    }
    /// What each part holds of the memory.
    fn ledger(&self) -> &Ledger;
    /// The device's addresses.
    fn addresses(&self, each: &mut dyn FnMut(IpAddr));
    /// The time of day, once the clock is set.
    fn time(&self) -> Option<TimeOfDay>;
    /// Minutes that it is ahead of UTC, where a zone is known.
    fn zone(&self) -> Option<i32> {
        None
    }
    /// The log that is kept, piece by piece.
    fn backlog(&self, each: &mut dyn FnMut(&[u8]));
    /// The most bytes of it there may be.
    fn backlog_limit(&self) -> usize;

    /// The figures of broker and remote client.
    fn broker(&self) -> BrokerFigures;
    /// The ids of the connected clients, as long as `each` wants to go on. Such are the next two.
    fn clients(&self, each: &mut dyn FnMut(&[u8]) -> bool);
    /// Every subscription.
    fn subscriptions(&self, each: &mut dyn FnMut(Subscribed<'_>) -> bool);
    /// Every retained message, but not those that begin with `$`.
    fn retained(&self, each: &mut dyn FnMut(RetainedMessage<'_>) -> bool);
    /// Whether the client of the remote broker is connected.
    fn remote_connected(&self) -> bool;
    /// Publishes a message of QoS 0.
    ///
    /// # Errors
    /// Why not.
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<(), CommandError>;
    /// Stores some of the retained messages: `None` if there are more, to be stored by the next
    /// call, else what came of it.
    fn save_some_retained(&mut self) -> Option<Result<(), CommandError>>;
    /// Forgets the stored retained messages, and those in memory.
    ///
    /// # Errors
    /// Why not.
    fn delete_retained(&mut self) -> Result<(), CommandError>;

    /// Whether there is a script and it runs.
    fn script_enabled(&self) -> bool;
    /// What there is to show of the script.
    fn script_text(&self) -> ScriptText;
    /// A piece of its source; returns how many bytes, 0 at the end.
    fn read_source(&mut self, offset: usize, out: &mut [u8]) -> usize;
    /// Its disassembly, lines ended by LF; stops when `out` returns an error.
    fn disassemble(&mut self, out: &mut dyn fmt::Write);
    /// Name with its `$`, and value, of every variable of the script.
    fn variables(&self, each: &mut dyn FnMut(&[u8], &[u8]));
    /// Shows from now on, to whom the command comes from, what the script does, or what the handler
    /// does that a line belongs to.
    ///
    /// # Errors
    /// Why not.
    fn trace_on(&mut self, line: Option<u32>, origin: Origin) -> Result<(), CommandError> {
        let _ = (line, origin);
        Err(CommandError(alloc::string::String::from("this board has no room for it")))
    }
    /// Shows that no more.
    fn trace_off(&mut self, origin: Origin) {
        let _ = origin;
    }
    /// Opens a port for the upload of a script.
    ///
    /// # Errors
    /// Why not: the port is in use, another upload is under way.
    fn script_listen(&mut self, port: u16, origin: Origin) -> Result<(), CommandError>;
    /// Starts the download of a script.
    ///
    /// # Errors
    /// Why not: no such URL, another upload is under way.
    fn script_download(&mut self, url: &str, origin: Origin) -> Result<(), CommandError>;
    /// Stops and deletes the script, and empties the flash variables.
    ///
    /// # Errors
    /// Why not.
    fn script_delete(&mut self) -> Result<(), CommandError>;

    /// Restarts as soon as the reply has left; `factory` clears all that is stored before.
    fn restart(&mut self, factory: bool);
    /// Starts a scan for WiFi networks; [`Network`] prints each one as the console shows it.
    ///
    /// # Errors
    /// Why not.
    fn scan(&mut self, origin: Origin) -> Result<(), CommandError>;
    /// A command of this board alone, as in [`crate::Board::command`]; true if it knew it.
    fn board_command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool;
    /// Help for those, one `usage: words` per line.
    fn board_help(&self) -> &str;
}
