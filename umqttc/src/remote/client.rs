//! A console session over TCP. Whatever the other end does, each call comes to its end.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use umqtt_device::console::words::Quoted;

use super::interrupt::is_interrupted;
use super::session::{ConsoleSession, Unasked, may_be_console};
use super::{DeviceAddress, RemoteError, Reply};

/// How often it is looked whether it shall go on.
const TICK: Duration = Duration::from_millis(20);

/// How long a reply may still come behind what may have it in it: see [`ConsoleSession::settle`].
const SETTLE: Duration = Duration::from_millis(1500);

/// A reply may come slowly, but not for more than so many times its time limit.
const WHOLE_REPLY: u32 = 6;

/// The longest wait for another try of a password that is waited here.
const LONGEST_WAIT: u64 = 8;

/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;

/// How long it is waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For a connection, and for the first prompt.
    pub(crate) connect: Duration,
    /// For more of a reply.
    pub(crate) reply: Duration,
}

impl Timeouts {
    /// So long for each.
    pub(crate) fn of(each: Duration) -> Timeouts {
        Timeouts { connect: each, reply: each }
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts::of(Duration::from_secs(10))
    }
}

/// A session that takes commands.
#[derive(Debug)]
pub(crate) struct ConsoleClient {
    stream: TcpStream,
    session: ConsoleSession,
    address: DeviceAddress,
    timeouts: Timeouts,
    /// Ctrl-C ends what it waits for.
    interruptible: bool,
}

/// What came of looking for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    Something,
    Nothing,
}

/// Connects to one of a device's ports.
///
/// # Errors
/// [`RemoteError::Unknown`], [`RemoteError::Connect`].
pub(crate) fn connect(
    address: &DeviceAddress,
    timeout: Duration,
) -> Result<TcpStream, RemoteError> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for socket in resolve(address)? {
        match TcpStream::connect_timeout(&socket, timeout) {
            Ok(stream) => {
                let fails = |error| RemoteError::Connect(address.clone(), error);
                stream.set_nodelay(true).map_err(fails)?;
                stream.set_read_timeout(Some(TICK)).map_err(fails)?;
                stream.set_write_timeout(Some(timeout)).map_err(fails)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(RemoteError::Connect(address.clone(), last))
}

fn resolve(address: &DeviceAddress) -> Result<Vec<SocketAddr>, RemoteError> {
    let found = (address.host(), address.port()).to_socket_addrs();
    let found: Vec<SocketAddr> = found.into_iter().flatten().take(ADDRESSES).collect();
    if found.is_empty() { Err(RemoteError::Unknown(address.clone())) } else { Ok(found) }
}

impl ConsoleClient {
    /// Connects, and waits for the prompt.
    ///
    /// # Errors
    /// Why there is no console: see [`RemoteError`].
    pub(crate) fn connect(
        address: &DeviceAddress,
        timeouts: Timeouts,
    ) -> Result<ConsoleClient, RemoteError> {
        let mut client = ConsoleClient {
            stream: connect(address, timeouts.connect)?,
            session: ConsoleSession::new(),
            address: address.clone(),
            timeouts,
            interruptible: true,
        };
        let end = Instant::now() + timeouts.connect;
        let mut first = Vec::new();
        while !client.session.is_ready() {
            if Instant::now() >= end {
                return Err(match first.is_empty() {
                    true => RemoteError::Silent(client.address, timeouts.connect.as_secs()),
                    false => RemoteError::NoConsole(client.address, first),
                });
            }
            match client.receive_keeping(&mut first) {
                Ok(_) => {}
                Err(RemoteError::Closed(address)) if first.is_empty() => {
                    return Err(RemoteError::ClosesAtOnce(address));
                }
                // It takes nobody, and has said why.
                Err(RemoteError::Closed(address)) => {
                    return Err(match is_device_notice(&first) {
                        true => RemoteError::TurnedAway(address, first),
                        false => RemoteError::NoConsole(address, first),
                    });
                }
                Err(error) => return Err(error),
            }
            if !may_be_console(&first) && !is_device_notice(&first) {
                return Err(RemoteError::NoConsole(client.address, first));
            }
        }
        Ok(client)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &DeviceAddress {
        &self.address
    }

    /// From now on Ctrl-C does not end what it waits for: something is put in order.
    pub(crate) fn finish_in_spite_of_interrupts(&mut self) {
        self.interruptible = false;
    }

    /// Gives a command and waits for its reply, which may be a refusal.
    ///
    /// # Errors
    /// [`RemoteError::Command`], [`RemoteError::NoAnswer`], [`RemoteError::Closed`],
    /// [`RemoteError::Flood`], [`RemoteError::Interrupted`].
    pub(crate) fn command(&mut self, command: impl AsRef<[u8]>) -> Result<Reply, RemoteError> {
        if !self.session.is_at_prompt() {
            // An empty line ends what a script has left open, so that the reply begins a line.
            self.exchange(b"")?;
        }
        self.exchange(command.as_ref())
    }

    /// The same; a refusal is an error.
    ///
    /// # Errors
    /// The same, [`RemoteError::Refused`], [`RemoteError::Locked`].
    pub(crate) fn order(&mut self, command: impl AsRef<[u8]>) -> Result<Reply, RemoteError> {
        let reply = self.command(command)?;
        match reply.is_refusal() {
            true if reply.is_locked() => Err(RemoteError::Locked(self.address.clone())),
            true => Err(RemoteError::Refused(self.address.clone(), reply.to_string())),
            false => Ok(reply),
        }
    }

    /// Unlocks the configuration. Where wrong passwords make it wait for some seconds, it waits.
    ///
    /// # Errors
    /// Those of a command, [`RemoteError::WrongPassword`], [`RemoteError::TooSoon`],
    /// [`RemoteError::Refused`].
    pub(crate) fn unlock(&mut self, password: &[u8]) -> Result<(), RemoteError> {
        let command = format!("unlock {}", Quoted(password));
        for is_last in [false, true] {
            let reply = self.command(&command)?;
            if reply.has("Config unlocked") {
                return Ok(());
            }
            if reply.has("Unlock failed. Invalid password") {
                return Err(RemoteError::WrongPassword(self.address.clone()));
            }
            let Some(seconds) = seconds_to_wait(&reply) else {
                return Err(RemoteError::Refused(self.address.clone(), reply.to_string()));
            };
            if is_last || seconds > LONGEST_WAIT {
                return Err(RemoteError::TooSoon(self.address.clone(), seconds));
            }
            self.wait(Duration::from_secs(seconds))?;
        }
        Ok(())
    }

    /// Waits for the next that comes unasked, at most until then.
    ///
    /// # Errors
    /// [`RemoteError::Closed`], [`RemoteError::Flood`], [`RemoteError::Interrupted`].
    pub(crate) fn next_unasked(&mut self, until: Instant) -> Result<Option<Unasked>, RemoteError> {
        loop {
            if let Some(unasked) = self.session.next_unasked() {
                return Ok(Some(unasked));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            self.receive()?;
        }
    }

    /// What has come unasked so far.
    pub(crate) fn take_unasked(&mut self) -> Option<Unasked> {
        self.session.next_unasked()
    }

    /// How many lines were dropped, as nobody has read them, since this was last asked.
    pub(crate) fn take_dropped(&mut self) -> usize {
        self.session.take_dropped()
    }

    /// Waits, and takes what comes meanwhile.
    ///
    /// # Errors
    /// As [`next_unasked`](Self::next_unasked).
    pub(crate) fn wait(&mut self, time: Duration) -> Result<(), RemoteError> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.receive()?;
        }
        Ok(())
    }

    /// What had come when the connection ended, and was no whole line or reply.
    pub(crate) fn rest(&mut self) -> Vec<Vec<u8>> {
        self.session.finish()
    }

    /// Ends the session in good order.
    pub(crate) fn quit(mut self) {
        // What becomes of it is of no interest any more.
        let _ = self.stream.write_all(b"quit\r\n");
    }

    fn exchange(&mut self, command: &[u8]) -> Result<Reply, RemoteError> {
        let bytes = self.session.begin(command).ok_or(RemoteError::Command)?;
        let timeout = self.timeouts.reply;
        self.stream.write_all(&bytes).map_err(|error| self.broken(&error))?;
        let end = Instant::now() + timeout * WHOLE_REPLY;
        let mut last = Instant::now();
        let mut unsettled: Option<Instant> = None;
        loop {
            if let Some(reply) = self.session.take_reply() {
                return Ok(reply);
            }
            let now = Instant::now();
            let received = match self.receive() {
                // `quit` and `reset` are answered, and then there is no prompt any more.
                Err(RemoteError::Closed(_)) if ends_session(command) => {
                    return Ok(Reply::new(self.session.finish()));
                }
                received => received?,
            };
            if received == Received::Something {
                last = now;
            }
            if self.session.may_settle() {
                let since = *unsettled.get_or_insert(now);
                if now >= since + SETTLE.min(timeout) && self.session.settle() {
                    continue;
                }
            }
            if now >= end || now >= last + timeout {
                return Err(RemoteError::NoAnswer(self.address.clone(), timeout.as_secs()));
            }
        }
    }

    fn receive(&mut self) -> Result<Received, RemoteError> {
        self.receive_keeping(&mut Vec::new())
    }

    /// Takes what has come, or waits a moment for something; keeps the beginning of it.
    fn receive_keeping(&mut self, kept: &mut Vec<u8>) -> Result<Received, RemoteError> {
        const KEPT: usize = 512;
        let mut bytes = [0; 4096];
        if self.interruptible && is_interrupted() {
            return Err(RemoteError::Interrupted);
        }
        let bytes = match self.stream.read(&mut bytes) {
            Ok(0) => return Err(RemoteError::Closed(self.address.clone())),
            Ok(len) => bytes.get(..len).unwrap_or_default(),
            Err(error) if is_pause(&error) => return Ok(Received::Nothing),
            Err(error) => return Err(self.broken(&error)),
        };
        kept.extend(bytes.iter().take(KEPT.saturating_sub(kept.len())));
        let received = self.session.receive(bytes);
        received.map_err(|error| RemoteError::Flood(self.address.clone(), error))?;
        Ok(Received::Something)
    }

    fn broken(&self, error: &io::Error) -> RemoteError {
        match is_pause(error) {
            true => RemoteError::NoAnswer(self.address.clone(), self.timeouts.reply.as_secs()),
            false => RemoteError::Closed(self.address.clone()),
        }
    }
}

/// Whether a device closes the session after this command.
pub(crate) fn ends_session(command: &[u8]) -> bool {
    let first = command.trim_ascii().split(u8::is_ascii_whitespace).next();
    matches!(first, Some(b"quit" | b"reset"))
}

/// Whether it only means that nothing has come, or could be sent, yet.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// Whether a device says in the place of a prompt why it takes nobody.
fn is_device_notice(first: &[u8]) -> bool {
    const NOTICES: [&[u8]; 4] = [
        b"Too many console sessions",
        b"the saved settings",
        b"the script whose",
        b"a config line",
    ];
    NOTICES.iter().any(|notice| {
        let len = first.len().min(notice.len());
        first.get(..len) == notice.get(..len)
    })
}

/// The seconds of `Unlock failed. After a wrong password: wait 4 s`.
fn seconds_to_wait(reply: &Reply) -> Option<u64> {
    let seconds = reply.after("Unlock failed. After a wrong password: wait ")?;
    str::from_utf8(seconds.strip_suffix(b" s")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
