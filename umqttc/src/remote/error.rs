//! Why a device could not be talked to: a sentence each, with what to try.

use std::fmt;
use std::io;

use super::reply::shown;
use super::session::MAX_COMMAND;
use super::{DeviceAddress, ProtocolError};

/// Most characters of what somebody else sent that are shown in a sentence.
const QUOTED: usize = 100;

/// Why.
#[derive(Debug)]
pub(crate) enum RemoteError {
    /// The name has no address.
    Unknown(DeviceAddress),
    /// There is no connection.
    Connect(DeviceAddress, io::Error),
    /// There is one, and nothing comes over it for so many seconds.
    Silent(DeviceAddress, u64),
    /// What comes is none of a console: how it begins.
    NoConsole(DeviceAddress, Vec<u8>),
    /// It says why it takes nobody, and closes.
    TurnedAway(DeviceAddress, Vec<u8>),
    /// It closes the connection before it has said anything.
    ClosesAtOnce(DeviceAddress),
    /// The connection broke, or was closed.
    Closed(DeviceAddress),
    /// No reply for so many seconds.
    NoAnswer(DeviceAddress, u64),
    /// More comes than from a console.
    Flood(DeviceAddress, ProtocolError),
    /// The command has more than a line, or is too long.
    Command,
    /// The device refuses a command: its reply.
    Refused(DeviceAddress, String),
    /// The configuration is locked, and there is no password.
    Locked(DeviceAddress),
    /// The password is another.
    WrongPassword(DeviceAddress),
    /// After wrong passwords the next one is looked at in so many seconds.
    TooSoon(DeviceAddress, u64),
    /// What came is no reply to that command.
    Unexpected(DeviceAddress, String),
    /// No port for a script: why.
    UploadRefused(DeviceAddress, String),
    /// The port for the script cannot be reached.
    UploadPort(DeviceAddress, io::Error),
    /// It is gone since the script was sent.
    Vanished(DeviceAddress),
    /// Nothing is heard of the script for so many seconds.
    NoVerdict(DeviceAddress, u64),
    /// It was locked, and is not any more.
    LeftUnlocked(DeviceAddress, Box<RemoteError>),
    /// Ctrl-C.
    Interrupted,
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteError::Unknown(address) => write!(
                f,
                "{} has no address here: is the name right? `umqttc find` shows devices of this network",
                address.host()
            ),
            RemoteError::Connect(address, error) => connect(f, address, error),
            RemoteError::Silent(address, seconds) => write!(
                f,
                "{address} says nothing for {seconds} s, and consoles say CMD> at once: is that the console's port (`config_port`), not the broker's?"
            ),
            RemoteError::NoConsole(address, first) => write!(
                f,
                "{address} is no console of a device, it says `{}`: is that the right port (`config_port`)?",
                Brief(first)
            ),
            RemoteError::TurnedAway(address, why) => {
                write!(f, "the console of {address} takes nobody now: {}", Brief(why))
            }
            RemoteError::ClosesAtOnce(address) => write!(
                f,
                "{address} closes the connection without a word: is that the console's port, and does `config_access` let this computer in?"
            ),
            RemoteError::Closed(address) => write!(
                f,
                "{address} is gone: the connection broke; did it restart? try again when it is back"
            ),
            RemoteError::NoAnswer(address, seconds) => write!(
                f,
                "{address} does not answer for {seconds} s: try again, or with a longer --timeout"
            ),
            RemoteError::Flood(address, error) => {
                write!(f, "{address} is no console of a device: it sends {error}")
            }
            RemoteError::Command => {
                write!(f, "a command is one line of at most {MAX_COMMAND} bytes")
            }
            RemoteError::Refused(address, reply) => write!(f, "{address} refuses: {reply}"),
            RemoteError::Locked(address) => write!(
                f,
                "the configuration of {address} is locked: give its password by --password-file FILE, or in a terminal, where it is asked for"
            ),
            RemoteError::WrongPassword(address) => write!(
                f,
                "the password is not that of {address}; the next try has to wait, each time longer"
            ),
            RemoteError::TooSoon(address, seconds) => write!(
                f,
                "{address} looks at no password before {seconds} s have passed, as there were wrong ones: try again then"
            ),
            RemoteError::Unexpected(address, reply) => {
                write!(f, "{address} answers as no device does that this umqttc knows: `{reply}`")
            }
            RemoteError::UploadRefused(address, why) => {
                write!(f, "{address} takes no script now: {why}")
            }
            RemoteError::UploadPort(address, error) => write!(
                f,
                "{address} waits for the script, and the port cannot be reached ({error}): is there a firewall? --upload-port chooses another port"
            ),
            RemoteError::Vanished(address) => write!(
                f,
                "{address} is gone since the script was sent: it has the old script or the new one, whole; `umqttc diff` says which"
            ),
            RemoteError::NoVerdict(address, seconds) => write!(
                f,
                "{address} says nothing of the script for {seconds} s: `umqttc diff` says whether it has it"
            ),
            RemoteError::LeftUnlocked(address, why) => write!(
                f,
                "{address} was unlocked and cannot be locked again ({why}): do it on its console, by `lock`"
            ),
            RemoteError::Interrupted => f.write_str("interrupted"),
        }
    }
}

fn connect(f: &mut fmt::Formatter<'_>, address: &DeviceAddress, error: &io::Error) -> fmt::Result {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => write!(
            f,
            "{address} refuses the connection: does the device run, and is that its console's port (`config_port`)?"
        ),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => write!(
            f,
            "{address} does not answer: is the device on, and in this network? `umqttc find` shows devices"
        ),
        _ => write!(f, "cannot connect to {address}: {error}"),
    }
}

impl std::error::Error for RemoteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RemoteError::Connect(_, error) => Some(error),
            RemoteError::Flood(_, error) => Some(error),
            _ => None,
        }
    }
}

/// The first line of what somebody sent, or the beginning of it.
struct Brief<'b>(&'b [u8]);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.0.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        f.write_str(&shown(line.get(..QUOTED).unwrap_or(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_to_try() {
        let at = || "lamp.lan".parse::<DeviceAddress>().unwrap();
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        let errors = [
            RemoteError::Unknown(at()),
            RemoteError::Connect(at(), io(io::ErrorKind::ConnectionRefused)),
            RemoteError::Connect(at(), io(io::ErrorKind::TimedOut)),
            RemoteError::Connect(at(), io(io::ErrorKind::HostUnreachable)),
            RemoteError::Silent(at(), 5),
            RemoteError::NoConsole(at(), b"\x1b[2J\x16\x03 SSH-2.0".to_vec()),
            RemoteError::TurnedAway(at(), b"Too many console sessions\r\n".to_vec()),
            RemoteError::ClosesAtOnce(at()),
            RemoteError::Closed(at()),
            RemoteError::NoAnswer(at(), 10),
            RemoteError::Flood(at(), ProtocolError::ReplyTooLong),
            RemoteError::Command,
            RemoteError::Refused(at(), "Invalid argument: no such parameter, see help set".into()),
            RemoteError::Locked(at()),
            RemoteError::WrongPassword(at()),
            RemoteError::TooSoon(at(), 4),
            RemoteError::Unexpected(at(), "hello".into()),
            RemoteError::UploadRefused(at(), "another upload is under way".into()),
            RemoteError::UploadPort(at().with_port(2000), io(io::ErrorKind::TimedOut)),
            RemoteError::Vanished(at()),
            RemoteError::NoVerdict(at(), 60),
            RemoteError::LeftUnlocked(at(), Box::new(RemoteError::Closed(at()))),
            RemoteError::Interrupted,
        ];
        let text: String = errors.iter().map(|error| format!("{error}\n")).collect();
        insta::assert_snapshot!(text);
    }
}
