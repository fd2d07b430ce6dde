//! What several services use: board, storage, settings, broker, log, clock, and what a script has
//! asked for until the service that does it has its turn.

use alloc::boxed::Box;
use core::fmt::Arguments;
use core::net::IpAddr;

use umqtt_calendar::{Place, Zone};
use umqtt_memory::{Ledger, Plan, STEP_MARGIN, Share, reserve, reserve_step};
use umqtt_mqtt::Broker;
use umqtt_mqtt::client::ClientPublishError;
use umqtt_net::{Duration, Instant};
use umqtt_vm::FLASH_VARIABLE_LEN;

use super::DeviceOptions;
use super::commands::SystemCommands;
use super::http_requests::HttpRequests;
use super::listeners::Listeners;
use super::memory::MemoryPressure;
use super::restart::PendingRestart;
use super::service::is_in_image;
use super::trace_session::TraceSession;
use super::unsaved_retained::UnsavedRetained;
use super::variables::PendingVariables;
use super::wifi_state::Wifi;
use crate::board::{Board, LogLevel, Serial};
use crate::console::{Lock, over};
use crate::dhcp::Dhcp;
use crate::engine::{LocalTime, Now};
use crate::http::FetchError;
use crate::log::{Level, Line, Log, PrintRateLimiter, RepeatLimiter};
use crate::mdns::Mdns;
use crate::name_server::NameServer;
use crate::ntp::Ntp;
use crate::platform::Platform;
use crate::settings::param_type::NO_DEGREES;
use crate::settings::{Capability, Param, Settings};
use crate::storage::{ProtectedServices, Storage, StorageError};
use crate::upstream::Upstream;
use crate::wall_clock::WallClock;

/// Bytes a message takes beside its topic and data while it waits, about.
const MESSAGE: usize = 96;
/// Flash variables written in a turn.
const WRITES_PER_TURN: usize = 4;

/// The parts that do not call each other.
pub(super) struct DeviceState<P: Platform> {
    pub(super) board: P::Board,
    pub(super) storage: Storage<P::Flash>,
    pub(super) settings: Settings,
    pub(super) lock: Lock,
    pub(super) broker: Broker,
    pub(super) upstream: Upstream,
    pub(super) log: Log,
    /// Which lines are left out of it.
    pub(super) repeats: RepeatLimiter,
    /// How much scripts print on the serial port.
    pub(super) print_rate: PrintRateLimiter,
    pub(super) clock: WallClock,
    /// Network time, on a board that has it.
    pub(super) ntp: Option<Box<Ntp>>,
    /// Multicast DNS, on a board that has it; away while it has its turn.
    pub(super) mdns: Option<Box<Mdns>>,
    /// The DHCP server of the own network, on a board that has it; away while it has its turn.
    pub(super) dhcp: Option<Box<Dhcp>>,
    /// And the name server of that network.
    pub(super) name_server: Option<Box<NameServer>>,
    /// What a console sees of the script.
    pub(super) trace: Option<Box<TraceSession>>,
    pub(super) options: DeviceOptions,
    pub(super) listeners: Listeners,
    /// What each part holds of the memory, and what was refused.
    pub(super) ledger: Ledger,
    pub(super) now: Instant,
    pub(super) commands: SystemCommands,
    pub(super) requests: HttpRequests,
    /// How many changes of the retained messages were the device's own figures.
    pub(super) own_changes: u32,
    /// The flash failed when the retained messages were saved last.
    pub(super) retained_unsaved: bool,
    /// What `config` lines were to keep strangers out of and could not.
    pub(super) unprotected: ProtectedServices,
    /// A flash variable could not be read for the event that is handled: it may write none.
    pub(super) unread: bool,
    /// What the saving of retained messages that goes on had no room for so far.
    pub(super) unsaved: UnsavedRetained,
    /// Flash variables the script has set and that are not written yet.
    pub(super) variables: PendingVariables,
    pub(super) restart: PendingRestart,
    /// What other parts hold of the broker's share.
    pub(super) lent: usize,
    pub(super) memory: MemoryPressure,
    /// WiFi, on a board with a radio; away while it has its turn.
    pub(super) wifi: Option<Box<Wifi>>,
    /// Browsers sent away.
    pub(super) browsers: u32,
}

impl<P: Platform> DeviceState<P> {
    /// The time, as scripts see it.
    pub(super) fn moment(&self) -> Now {
        Now { now: self.now, clock: self.clock() }
    }

    /// The clock's time, once it is set.
    pub(super) fn clock(&self) -> Option<LocalTime> {
        self.clock.at(self.now, self.board.wall_clock(), |utc| self.utc_offset(utc))
    }

    /// Seconds that local time is ahead of UTC at a time in UTC, milliseconds since 1970.
    pub(super) fn utc_offset(&self, utc: u64) -> i32 {
        self.clock.offset_at(utc).unwrap_or_else(|| self.board.utc_offset(utc))
    }

    /// UTC in milliseconds since 1970, if the date is known.
    pub(super) fn utc(&self) -> Option<u64> {
        self.clock.dated_utc(self.now, self.board.wall_clock())
    }

    /// The zone that counts: what was set, or the board's.
    pub(super) fn zone(&self) -> Zone {
        self.clock.zone().copied().unwrap_or_else(|| self.board.zone())
    }

    /// When the offset of the zone changes next: local time leaps then.
    pub(super) fn zone_changes_at(&self) -> Option<Instant> {
        let utc = self.utc()?;
        let until = self.zone().period_at(i64::try_from(utc / 1000).ok()?).until;
        let wait = u64::try_from(until).ok()?.checked_mul(1000)?.checked_sub(utc)?;
        Some(self.now.saturating_add(Duration::from_millis(wait)))
    }

    /// Sunrise and sunset of a local day, if the place is known.
    pub(super) fn sun(&self, day: u32) -> Option<[i32; 2]> {
        let degrees = |param| Some(self.settings.number(param)).filter(|it| *it != NO_DEGREES);
        let (latitude, longitude) = (degrees(Param::Latitude)?, degrees(Param::Longitude)?);
        let sun = Place { latitude, longitude }.sun(&self.zone(), day.try_into().ok()?)?;
        Some([sun.rise, sun.set])
    }

    /// Logs a line, which stands on its own whatever a script has printed before, unless the rate
    /// limit for lines of its kind holds it back.
    pub(super) fn log(&mut self, level: Level, line: Arguments<'_>) {
        let text = Line::write(line, self.options.plan.log);
        if self.repeats.admits(level, text.as_bytes(), self.now) {
            self.put_line(level, &text);
        }
    }

    /// Logs what the rate limit has held back.
    pub(super) fn log_left_out(&mut self) {
        while let Some(left_out) = self.repeats.poll(self.now) {
            let text = Line::write(format_args!("{left_out}"), self.options.plan.log);
            self.put_line(left_out.level, &text);
        }
    }

    fn put_line(&mut self, level: Level, text: &str) {
        let board_level = match level {
            Level::Script => LogLevel::Script,
            Level::Warning => LogLevel::Warning,
            Level::Info => LogLevel::Info,
        };
        self.board.log(board_level, text.as_bytes());
        self.write_serial(level, text.as_bytes(), true);
        self.log.put_line(level, text.as_bytes());
    }

    /// Tells the board's own log, for those who look for a fault.
    pub(super) fn debug(&mut self, line: Arguments<'_>) {
        if self.board.logs_debug() {
            let text = Line::write(line, self.options.plan.log);
            self.board.log(LogLevel::Debug, text.as_bytes());
        }
    }

    /// Logs text as it is.
    pub(super) fn print(&mut self, level: Level, text: &[u8]) {
        self.board.log(LogLevel::Print, text);
        if self.print_rate.admits(text.len(), self.now) {
            let dropped = self.print_rate.take_dropped();
            if dropped > 0 {
                self.log_not_printed(dropped);
            }
            self.write_serial(level, text, false);
        }
        self.log.put(level, text);
    }

    // Out of line: its stack is there for hardly any print.
    #[cold]
    #[inline(never)]
    fn log_not_printed(&mut self, bytes: u32) {
        let what = "bytes more than the serial port takes, not printed";
        self.log(Level::Script, format_args!("... {bytes} {what}"));
    }

    fn write_serial(&mut self, level: Level, text: &[u8], own_line: bool) {
        if level.on_serial(self.settings.number(Param::SystemOutput))
            && !self.log.keep_for_serial(text, own_line)
        {
            self.show_serial(text, own_line);
        }
    }

    fn show_serial(&mut self, text: &[u8], own_line: bool) {
        let prompt = self.log.take_serial_prompt();
        if prompt > 0 {
            over(prompt, text).into_iter().for_each(|lead| self.board.serial_write(lead));
        }
        if self.log.note_serial(text, own_line) {
            self.board.serial_write(b"\r\n");
        }
        self.board.serial_write(text);
    }

    /// Writes to the serial port what waits until the line of a reply is at its end, if it is.
    pub(super) fn show_waiting(&mut self) {
        if let Some(text) = self.log.take_for_serial() {
            self.show_serial(&text, false);
        }
    }

    /// Queues a command of the script.
    pub(super) fn command(&mut self, command: &[u8]) {
        let budget = self.options.pending_budget().saturating_sub(self.variables.memory());
        if !self.commands.push(command, budget) {
            self.ledger[Share::Script].refuse();
            self.log(Level::Script, format_args!("Script warning: too many system commands"));
        }
    }

    /// Queues an HTTP request of the script.
    pub(super) fn request(&mut self, url: &[u8], body: Option<&[u8]>) {
        if !self.requests.has_room() {
            self.ledger[Share::Http].refuse();
            self.log(Level::Script, format_args!("Script warning: too many HTTP requests"));
            return;
        }
        let len = url.len() + body.map_or(0, <[u8]>::len);
        let may_wait = self.requests.may_always_wait(len, self.options.plan.http);
        let fits = may_wait || self.ledger[Share::Http].take(len);
        if fits && self.requests.push(url, body) {
            return;
        }
        if fits {
            self.ledger[Share::Http].refuse();
        }
        self.requests.push_refused();
        self.log(Level::Script, format_args!("HTTP request not made: {}", FetchError::NoMemory));
    }

    /// Makes a parameter that was set count.
    pub(super) fn apply(&mut self, param: Param) {
        self.note_network_changed();
        match param {
            Param::BrokerPort => {
                self.options.mqtt_port = None; // the latest word counts
                self.listeners.note_changed();
            }
            Param::ConfigPort => {
                self.options.console_port = None;
                self.listeners.note_changed();
            }
            Param::BrokerClients
            | Param::BrokerSubscriptions
            | Param::BrokerRetainedMessages
            | Param::BrokerSessionExpiry => {
                self.apply_limits();
            }
            Param::MqttHost
            | Param::MqttPort
            | Param::MqttSsl
            | Param::MqttUser
            | Param::MqttPassword
            | Param::MqttId
            | Param::MqttWillTopic
            | Param::MqttWillPayload => self.upstream.settings_changed(),
            Param::NtpTime => {
                // Negative: it was taken away with the script that set it, and the clock goes on.
                if let Ok(second) = u32::try_from(self.settings.number(param)) {
                    let (today, zone) = (self.clock(), self.zone());
                    self.clock.set_time(second, self.now, today, &zone);
                }
            }
            Param::NtpWeekday => {
                if let Ok(day) = u8::try_from(self.settings.number(param)) {
                    let (today, zone) = (self.clock(), self.zone());
                    self.clock.set_weekday(day, self.now, today, &zone);
                }
            }
            Param::NtpServer | Param::NtpInterval => {
                if let Some(ntp) = &mut self.ntp {
                    ntp.note_changed();
                }
            }
            Param::NtpPort => {
                if !P::LACKS.has(Capability::TimeServer)
                    && let Some(ntp) = &mut self.ntp
                {
                    ntp.note_port_changed(self.now);
                }
            }
            Param::Timezone | Param::NtpTimezone => self.clock.set_zone(self.settings.zone()),
            Param::Latitude | Param::Longitude => self.clock.note_changed(),
            Param::PwmPeriod => self.board.pwm_period(self.settings.unsigned(param)),
            Param::Bitrate => self.board.bitrate(self.settings.unsigned(param)),
            Param::Backlog => self.log.set_backlog(self.settings.unsigned(param) as usize),
            Param::Ssid
            | Param::Password
            | Param::AutoConnect
            | Param::ApSsid
            | Param::ApPassword
            | Param::ApChannel
            | Param::ApOn
            | Param::ApOpen => {
                let now = self.now;
                if let Some(wifi) = self.wifi() {
                    wifi.note_changed(now);
                }
            }
            // Looked at when they are needed, or by a service that is not there.
            _ => {}
        }
    }

    /// A setting, a port or an address was changed: who is there in a network looks at it again.
    pub(super) fn note_network_changed(&mut self) {
        if let Some(mdns) = &mut self.mdns {
            mdns.note_changed(self.now);
        }
        if is_in_image::<P, Dhcp>()
            && let Some(dhcp) = &mut self.dhcp
        {
            dhcp.note_changed(self.now);
        }
        if is_in_image::<P, NameServer>()
            && let Some(names) = &mut self.name_server
        {
            names.note_changed(self.now);
        }
    }

    /// Applies what was loaded at the start.
    pub(super) fn apply_all(&mut self) {
        for param in [
            Param::NtpPort,
            Param::PwmPeriod,
            Param::Bitrate,
            Param::Backlog,
            Param::BrokerClients,
            Param::Timezone,
        ] {
            self.apply(param);
        }
    }

    /// WiFi, on a board with a radio.
    pub(super) fn wifi(&mut self) -> Option<&mut Wifi> {
        self.board.radio()?;
        self.wifi.as_deref_mut()
    }

    /// Whether the heap has what the next step may need. If not, that is counted, and the step is
    /// put off.
    pub(super) fn has_margin(&mut self) -> bool {
        let there = reserve_step();
        if there {
            self.memory.note_margin();
            self.broker.begin_step();
        } else {
            self.memory.note_no_margin(self.now);
            self.broker.begin_step_without_margin();
            self.ledger[Share::Margin].refuse();
        }
        there
    }

    /// Whether what passes through the device (messages, requests, scripts) may take so many bytes
    /// more.
    pub(super) fn may_pass(&self, bytes: usize) -> bool {
        self.broker.memory_left() >= bytes
    }

    /// Publishes on the remote broker. What waits beyond its share passes through, in what the
    /// broker does not use.
    ///
    /// # Errors
    /// [`ClientPublishError`]; nothing was sent.
    pub(super) fn publish_remote(
        &mut self,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<(), ClientPublishError> {
        let memory = self.upstream.unsent_memory() + topic.len() + data.len() + MESSAGE;
        let beyond = memory.saturating_sub(self.options.plan.upstream);
        match self.may_pass(beyond) {
            true => self.upstream.publish(topic, data, retained),
            false => Err(self.upstream.refuse()),
        }
    }

    /// What an upload may hold: its share, and what is left of the memory that messages on their
    /// way may use while no script runs. A script is compiled in one step: nobody wants it then.
    pub(super) fn upload_limit(&self) -> usize {
        let plan = &self.options.plan;
        let script = self.ledger[Share::Script].used.min(plan.script);
        let borrowed = (self.broker.memory() + self.lent).saturating_sub(plan.broker);
        plan.upload + plan.idle().saturating_sub(script + borrowed)
    }

    /// Whether an upload may take so many bytes more, and the heap has them; if not, that is
    /// counted.
    pub(super) fn upload_admits(&mut self, bytes: usize) -> bool {
        let within = self.ledger[Share::Upload].used + bytes <= self.upload_limit();
        let there = within && reserve(bytes + STEP_MARGIN);
        if !there {
            self.ledger[Share::Upload].refuse();
        }
        there
    }

    /// Takes what other parts hold of the broker's share off what it may hold itself.
    pub(super) fn lend(&mut self) {
        let within = |share: &Share| Plan::within(*share) == Some(Share::Broker);
        let lent = Share::ALL.into_iter().filter(within).map(|share| self.ledger[share].used).sum();
        if lent != self.lent {
            self.lent = lent;
            self.apply_limits();
        }
    }

    fn apply_limits(&mut self) {
        let board = self.options.limits;
        let limit = |param, most: usize| match self.settings.limit(param) {
            Some(limit) => most.min(limit as usize),
            None => most,
        };
        let mut limits = board;
        limits.max_clients = limit(Param::BrokerClients, board.max_clients);
        limits.max_subscriptions = limit(Param::BrokerSubscriptions, board.max_subscriptions);
        limits.max_retained = limit(Param::BrokerRetainedMessages, board.max_retained);
        limits.session_expiry = match self.settings.limit(Param::BrokerSessionExpiry) {
            Some(seconds) => Duration::from_secs(seconds.into()),
            None => Duration::MAX,
        };
        limits.max_memory = board.max_memory.saturating_sub(self.lent);
        self.broker.set_limits(limits);
    }

    /// What came on a port that is not for browsers was no user and no script, and the connection
    /// was closed.
    pub(super) fn refused_browser(&mut self, what: &str, peer: Option<IpAddr>) {
        self.browsers = self.browsers.saturating_add(1);
        let then = "closed, and nothing of it is executed";
        match peer {
            Some(peer) => self.log(Level::Warning, format_args!("{what} from {peer}: {then}")),
            None => self.log(Level::Warning, format_args!("{what}: {then}")),
        }
    }

    /// Reads a flash variable, written or not: its length, as
    /// [`crate::storage::Storage::flash_variable`].
    pub(super) fn flash_variable(
        &mut self,
        n: u8,
        out: &mut [u8; FLASH_VARIABLE_LEN],
    ) -> Result<usize, StorageError> {
        match self.variables.get(n, out) {
            Some(len) => Ok(len),
            None => self.storage.flash_variable(n, out),
        }
    }

    /// Sets a flash variable; it is written when the turn is over, or now if there is no memory to
    /// keep it until then.
    pub(super) fn set_variable_later(&mut self, n: u8, value: &[u8]) {
        // Commands keep a quarter.
        let budget = self.options.pending_budget() / 4 * 3;
        if !self.variables.set(n, value, budget) {
            self.write_variable(n, value);
        }
    }

    /// Writes a flash variable now.
    pub(super) fn set_flash_variable(&mut self, n: u8, value: &[u8]) -> Result<(), StorageError> {
        self.variables.forget(n);
        self.storage.set_flash_variable(n, value)
    }

    /// Writes a few variables; true if there are more.
    pub(super) fn write_some_variables(&mut self) -> bool {
        for _ in 0..WRITES_PER_TURN {
            let Some(pending) = self.variables.pop() else { return false };
            self.write_variable(pending.number(), pending.value());
        }
        !self.variables.is_empty()
    }

    /// Writes all of them: the script ends, or the device.
    pub(super) fn write_all_variables(&mut self) {
        while self.write_some_variables() {}
    }

    fn write_variable(&mut self, n: u8, value: &[u8]) {
        if let Err(error) = self.storage.set_flash_variable(n, value) {
            self.log(Level::Script, format_args!("Script warning: @{n} was not written: {error}"));
        }
    }
}
