//! The status of the connection to the remote broker, as log lines.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use umqtt_mqtt::client::Reason;
use umqtt_mqtt::wire::ReturnCode;

use super::config::{Config, ConfigError};
use crate::log::Level;
use crate::net::{CloseReason, NetError};
use crate::printable::Printable;

/// Notes that wait to be logged; they are fetched after every turn, so more means that one turn had
/// much to tell.
const MAX_WAITING: usize = 32;

/// Something to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The settings allow no connection.
    ConfigError(ConfigError),
    /// It stands, to this host and port.
    Connected(String, u16),
    /// There is none to this host and port.
    Failed(String, u16, Failure),
    /// It is over.
    Lost(Reason),
    /// The remote broker refuses this subscription.
    NotSubscribed(Vec<u8>),
    /// A message of so many bytes was passed over; so many would have been taken.
    TooLarge(usize, usize),
    /// A message was passed over for a character in its topic.
    BadTopic,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It could not even be started.
    Net(NetError),
    /// It could not be made, or ended too soon.
    Closed(CloseReason),
    /// The remote broker does not want us.
    Refused(ReturnCode),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Net(error) => return error.fmt(f),
            Failure::Closed(reason) => match reason {
                CloseReason::Done => "it closed the connection",
                CloseReason::Reset => "the connection broke",
                CloseReason::NameNotFound => "the host name is unknown",
                CloseReason::Refused => "nobody listens there",
                CloseReason::TimedOut => "no answer in time",
            },
            Failure::Refused(code) => match code {
                ReturnCode::Accepted => "it changed its mind",
                ReturnCode::UnacceptableProtocol => "it does not speak MQTT 3.1.1",
                ReturnCode::IdentifierRejected => "it rejects our mqtt_id",
                ReturnCode::ServerUnavailable => "it has no room for us",
                ReturnCode::BadCredentials => "wrong mqtt_user or mqtt_password",
                ReturnCode::NotAuthorized => "it does not let us in",
            },
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::ConfigError(problem) => write!(f, "no connection to the remote broker: {problem}"),
            Status::Connected(host, port) => {
                write!(f, "connected to the remote broker {host}:{port}")
            }
            Status::Failed(host, port, why) => {
                write!(f, "no connection to the remote broker {host}:{port}: {why}; will try again")
            }
            Status::Lost(Reason::Stopped) => f.write_str("left the remote broker"),
            Status::Lost(reason) => {
                let why = match reason {
                    Reason::Network => "the connection broke",
                    Reason::Timeout => "it is silent",
                    _ => "what it sends is no MQTT, or too long",
                };
                write!(f, "lost the remote broker: {why}; will connect again")
            }
            Status::NotSubscribed(filter) => {
                let filter = Printable(filter);
                write!(f, "Script warning: the remote broker refuses the subscription of {filter}")
            }
            Status::TooLarge(bytes, most) => write!(
                f,
                "Script warning: a message of {bytes} bytes from the remote broker is dropped, at most {most} are taken; more of them are counted in show mqtt"
            ),
            Status::BadTopic => f.write_str(
                "Script warning: a message from the remote broker is dropped, its topic holds a control character or a non-character; more of them are counted in show mqtt"
            ),
        }
    }
}

impl Status {
    /// How much it matters.
    pub(crate) fn level(&self) -> Level {
        match self {
            Status::Connected(..) | Status::Lost(Reason::Stopped) => Level::Info,
            Status::ConfigError(_) | Status::Failed(..) | Status::Lost(_) => Level::Warning,
            Status::NotSubscribed(_) | Status::TooLarge(..) | Status::BadTopic => Level::Script,
        }
    }
}

/// Notes on their way to the log.
#[derive(Debug, Default)]
pub(super) struct StatusLog {
    waiting: VecDeque<Status>,
    /// Why it failed last: a reason that repeats is logged once.
    failure: Option<Failure>,
    /// A message that was too large has been logged on this connection.
    told_too_large: bool,
    /// So has one with a bad topic.
    told_bad_topic: bool,
}

impl StatusLog {
    pub(super) fn poll(&mut self) -> Option<Status> {
        self.waiting.pop_front()
    }

    pub(super) fn push(&mut self, status: Status) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(status);
        }
    }

    /// Told once on each connection: such messages come in numbers.
    pub(super) fn too_large(&mut self, bytes: usize, most: usize) {
        if !core::mem::replace(&mut self.told_too_large, true) {
            self.push(Status::TooLarge(bytes, most));
        }
    }

    /// The same for a topic with a character that MQTT advises against.
    pub(super) fn bad_topic(&mut self) {
        if !core::mem::replace(&mut self.told_bad_topic, true) {
            self.push(Status::BadTopic);
        }
    }

    pub(super) fn connected(&mut self, to: Option<&Config>) {
        self.forget();
        (self.told_too_large, self.told_bad_topic) = (false, false);
        if let Some(Config { host, port, .. }) = to {
            self.push(Status::Connected(host.clone(), *port));
        }
    }

    pub(super) fn failed(&mut self, to: Option<&Config>, why: Failure) {
        let again = self.failure.replace(why) == Some(why);
        if let (false, Some(Config { host, port, .. })) = (again, to) {
            self.push(Status::Failed(host.clone(), *port, why));
        }
    }

    /// The next failure is a new one, whatever it is.
    pub(super) fn forget(&mut self) {
        self.failure = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_failure_is_told_once_until_it_worked_again() {
        let mut to = Config::default();
        (to.host, to.port) = ("h".into(), 1);
        let mut status = StatusLog::default();
        for why in [CloseReason::Refused, CloseReason::Refused, CloseReason::Reset] {
            status.failed(Some(&to), Failure::Closed(why));
        }
        status.connected(Some(&to));
        status.failed(Some(&to), Failure::Closed(CloseReason::Reset));
        let told: Vec<String> =
            core::iter::from_fn(|| status.poll()).map(|note| alloc::format!("{note}")).collect();
        let failed = "no connection to the remote broker h:1: ";
        assert_eq!(
            told,
            [
                alloc::format!("{failed}nobody listens there; will try again"),
                alloc::format!("{failed}the connection broke; will try again"),
                "connected to the remote broker h:1".into(),
                alloc::format!("{failed}the connection broke; will try again"),
            ]
        );
    }
}
