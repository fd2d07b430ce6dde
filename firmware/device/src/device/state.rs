//! What every part of the device may need: board, storage, settings, broker, log, clock, and the wishes that are
//! seen to once the network is at hand.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt::Arguments;
use core::net::IpAddr;

use subtle::ConstantTimeEq;
use umqtt_broker::{Broker, Credentials, Hooks, Peer, Verdict};
use umqtt_memory::{Ledger, Plan, Share, try_push_back, try_to_vec};

use super::Options;
use super::retained::Unsaved;
use super::variables::PendingVariables;
use crate::board::{Board, LogLevel, Serial};
use crate::clock::Clock;
use crate::console::{Lock, LongReply, MAX_SESSIONS, over};
use crate::engine::{ClockTime, Moment};
use crate::log::{Level, Line, Log, Rate, Repeats};
use crate::net::Net;
use crate::platform::Platform;
use crate::settings::param_type::NO_ZONE;
use crate::settings::{Param, Settings};
use crate::storage::{Doors, Storage};
use crate::upstream::Upstream;
use umqtt_net::{Duration, Instant};

/// Commands of a script's `system` that wait for their turn.
const MAX_COMMANDS: usize = 32;
/// HTTP requests of a script that wait for their turn.
pub(super) const MAX_REQUESTS: usize = 8;

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
    pub(super) repeats: Repeats,
    /// How much scripts print on the serial port.
    pub(super) rate: Rate,
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) ports: Ports,
    /// Of each console session: it comes from the access point's network.
    pub(super) console_internal: [bool; MAX_SESSIONS],
    /// What each part holds of the memory, and what was refused.
    pub(super) ledger: Ledger,
    pub(super) now: Instant,
    pub(super) wishes: Wishes,
    /// Commands of the script, to be executed when its handler is over.
    pub(super) commands: VecDeque<Vec<u8>>,
    /// Requests of the script: URL, and body of a POST.
    pub(super) requests: VecDeque<(Vec<u8>, Option<Vec<u8>>)>,
    /// How many changes of the retained messages were the device's own figures.
    pub(super) own_changes: u32,
    /// The flash failed when the retained messages were saved last.
    pub(super) retained_unsaved: bool,
    /// What `config` lines were to keep strangers out of and could not.
    pub(super) refused_doors: Doors,
    /// A flash variable could not be read for the event that is handled: it may write none.
    pub(super) unread: bool,
    /// What the saving of retained messages that goes on had no room for so far.
    pub(super) unsaved: Unsaved,
    /// Flash variables the script has set and that are not written yet.
    pub(super) variables: PendingVariables,
    /// The rest of a reply to a script's command.
    pub(super) command_rest: Option<LongReply>,
    /// What other parts hold of the broker's share.
    pub(super) lent: usize,
    /// A step was put off in this poll for want of memory.
    pub(super) put_off: bool,
    /// Since when no step has found memory: the lower half of the time.
    pub(super) starved_since: Option<u32>,
    /// When somebody gave way for that last: the lower half of the time.
    pub(super) relieved_at: Option<u32>,
    /// The addresses of the console's sessions.
    pub(super) console_peers: [Option<IpAddr>; MAX_SESSIONS],
    /// Browsers sent away.
    pub(super) browsers: u32,
}

/// The ports that are listened on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ports {
    pub(super) mqtt: Option<Listener>,
    pub(super) console: Option<Listener>,
}

/// A port that is listened on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener {
    /// The one of the settings or options; 0 lets the network choose.
    pub(super) wanted: u16,
    /// The one that was bound.
    pub(super) bound: u16,
}

/// What is to be done when the network is at hand.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// A port in the settings was changed.
    pub(super) listen: bool,
    /// The owner has set the clock, which the script has not been told.
    pub(super) clock_set: bool,
    /// Restart; `true` clears everything first.
    pub(super) restart: Option<bool>,
}

impl<P: Platform> DeviceState<P> {
    /// The time, as scripts see it.
    pub(super) fn moment(&self) -> Moment {
        Moment { now: self.now.as_millis(), clock: self.clock() }
    }

    /// The clock's time, once it is set.
    pub(super) fn clock(&self) -> Option<ClockTime> {
        let utc = self.board.wall_clock();
        let zone = match (self.settings.number(Param::NtpTimezone), utc) {
            (NO_ZONE, Some(utc)) => self.board.utc_offset(utc),
            (NO_ZONE, None) => 0,
            (hours, _) => hours * 3600,
        };
        self.clock.at(self.now, utc, zone)
    }

    /// Logs a line, which stands on its own whatever a script has printed before.
    pub(super) fn log(&mut self, level: Level, line: Arguments<'_>) {
        let text = Line::write(line, self.options.plan.log);
        if self.repeats.admits(level, text.as_bytes(), self.now) {
            self.put_line(level, &text);
        }
    }

    /// Logs what was left out of the log.
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
        if self.rate.admits(text.len(), self.now) {
            let dropped = self.rate.take_dropped();
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
        if level.on_serial(self.settings.number(Param::SystemOutput)) {
            let prompt = self.log.take_serial_prompt();
            if prompt > 0 {
                over(prompt, text).into_iter().for_each(|lead| self.board.serial_write(lead));
            }
            if self.log.note_serial(text, own_line) {
                self.board.serial_write(b"\r\n");
            }
            self.board.serial_write(text);
        }
    }

    /// Queues a command of the script.
    pub(super) fn command(&mut self, command: &[u8]) {
        let fits =
            self.commands.len() < MAX_COMMANDS && self.ledger[Share::Script].take(command.len());
        let kept = fits && keep(&mut self.commands, try_to_vec(command));
        if fits && !kept {
            self.ledger[Share::Script].refuse();
        }
        if !kept {
            self.log(Level::Script, format_args!("Script warning: too many system commands"));
        }
    }

    /// Whether commands of the script are still to be executed.
    pub(super) fn commands_wait(&self) -> bool {
        self.command_rest.is_some() || !self.commands.is_empty()
    }

    /// Queues an HTTP request of the script.
    pub(super) fn request(&mut self, url: &[u8], body: Option<&[u8]>) {
        let len = url.len() + body.map_or(0, <[u8]>::len);
        let fits = self.requests.len() < MAX_REQUESTS && self.ledger[Share::Http].take(len);
        let copy = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => try_to_vec(bytes).map(Some),
            None => Some(None),
        };
        let request = if fits { try_to_vec(url).zip(copy(body)) } else { None };
        let kept = keep(&mut self.requests, request);
        if fits && !kept {
            self.ledger[Share::Http].refuse();
        }
        if !kept {
            self.log(Level::Script, format_args!("Script warning: too many HTTP requests"));
        }
    }

    /// Makes a parameter that was set count.
    pub(super) fn apply(&mut self, param: Param) {
        match param {
            Param::BrokerPort => {
                self.options.mqtt_port = None; // the latest word counts
                self.wishes.listen = true;
            }
            Param::ConfigPort => {
                self.options.console_port = None;
                self.wishes.listen = true;
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
            | Param::MqttId => self.upstream.settings_changed(),
            Param::NtpTime => {
                // Negative: it was taken away with the script that set it, and the clock goes on.
                if let Ok(second) = u32::try_from(self.settings.number(param)) {
                    self.wishes.clock_set = true;
                    self.clock.set_time(second, self.now, self.clock());
                }
            }
            Param::NtpWeekday => {
                if let Ok(day) = u8::try_from(self.settings.number(param)) {
                    self.wishes.clock_set = true;
                    self.clock.set_weekday(day, self.now, self.clock());
                }
            }
            Param::NtpTimezone => self.wishes.clock_set = true,
            Param::PwmPeriod => self.board.pwm_period(self.settings.unsigned(param)),
            Param::Backlog => self.log.set_backlog(self.settings.unsigned(param) as usize),
            // Looked at when they are needed, or by a service that is not there.
            _ => {}
        }
    }

    /// Applies what was loaded at the start.
    pub(super) fn apply_all(&mut self) {
        for param in [Param::PwmPeriod, Param::Backlog, Param::BrokerClients] {
            self.apply(param);
        }
    }

    /// Whether what passes through the device (messages, requests, scripts) may take so many bytes more.
    pub(super) fn may_pass(&self, bytes: usize) -> bool {
        self.broker.memory_left() >= bytes
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

    /// The turn of the client of the remote broker; true if it has more to do at once.
    pub(super) fn upstream_turn(&mut self, net: &mut dyn Net) -> bool {
        let more = self.upstream.turn(self.now, &self.settings, &self.options.limits, net);
        self.log_upstream_status();
        more
    }

    /// Takes leave of the remote broker for good; true once that is done.
    pub(super) fn leave_upstream(&mut self, net: &mut dyn Net) -> bool {
        self.upstream.leave(self.now, &self.options.limits, net);
        self.log_upstream_status();
        self.upstream.has_left()
    }

    fn log_upstream_status(&mut self) {
        while let Some(note) = self.upstream.poll_status() {
            self.log(note.level(), format_args!("{note}"));
        }
    }

    /// What came on a port that is not for browsers was no user and no script, and the connection was closed.
    pub(super) fn refused_browser(&mut self, what: &str, peer: Option<IpAddr>) {
        self.browsers = self.browsers.saturating_add(1);
        let then = "closed, and nothing of it is executed";
        match peer {
            Some(peer) => self.log(Level::Warning, format_args!("{what} from {peer}: {then}")),
            None => self.log(Level::Warning, format_args!("{what}: {then}")),
        }
    }
}

/// Queues something, if it is there and there is memory for it; whether it is queued.
fn keep<T>(queue: &mut VecDeque<T>, value: Option<T>) -> bool {
    value.is_some_and(|value| try_push_back(queue, value).is_ok())
}

/// Who may use the broker, from the settings.
pub(super) struct Gate<'s>(pub(super) &'s Settings);

impl Hooks for Gate<'_> {
    fn on_connect(&mut self, _peer: &Peer) -> bool {
        true // the access mode was looked at when the connection was accepted
    }

    fn on_auth(&mut self, who: &Credentials<'_>) -> Verdict {
        if self.0.credentials_damaged() {
            return Verdict::BadCredentials;
        }
        let user = self.0.bytes(Param::BrokerUser);
        let password = self.0.bytes(Param::BrokerPassword);
        if user.is_empty() && password.is_empty() {
            return Verdict::Accept;
        }
        let user_right = user.ct_eq(who.user.unwrap_or_default().as_bytes());
        let password_right = password.ct_eq(who.password.unwrap_or_default());
        if (user_right & password_right).into() { Verdict::Accept } else { Verdict::BadCredentials }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;
    use core::net::SocketAddr;

    #[test]
    fn the_gate_opens_for_the_right_name_and_password() {
        let mut settings = Settings::new([0; 6]);
        let peer = Peer::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let ask = |settings: &Settings, user, password: &'static str| {
            let password = Some(password.as_bytes());
            Gate(settings).on_auth(&Credentials { client_id: "x", user, password, peer })
        };
        assert_eq!(ask(&settings, None, ""), Verdict::Accept);
        settings.set(Param::BrokerUser, b"me", Source::Persistent).unwrap();
        settings.set(Param::BrokerPassword, b"secret", Source::Persistent).unwrap();
        assert_eq!(ask(&settings, Some("me"), "secret"), Verdict::Accept);
        assert_eq!(ask(&settings, Some("me"), "secre"), Verdict::BadCredentials);
        assert_eq!(ask(&settings, Some("you"), "secret"), Verdict::BadCredentials);
        assert_eq!(ask(&settings, None, ""), Verdict::BadCredentials);
    }
}
