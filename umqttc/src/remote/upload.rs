//! Sends a script to a device: asks its console for a port, sends, and waits for the verdict.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::client::{connect, is_pause};
use super::interrupt::is_interrupted;
use super::reply::shown;
use super::session::Unasked;
use super::verdict::{Verdict, begins};
use super::{ConsoleClient, RemoteError};

/// The ports that are asked for, one after the other, where none was chosen.
const PORTS: std::ops::RangeInclusive<u16> = 2000..=2009;

/// How long the device may take to receive, check and store a script.
const TO_JUDGE: Duration = Duration::from_secs(60);

/// So long after the end of what the sender is told the console has its say.
const AFTER_REPORT: Duration = Duration::from_secs(2);

/// Most bytes that are kept of what the sender is told.
const MAX_REPORT: usize = 16 * 1024;

/// Most lines of the console's that are kept: the device reports some twenty.
const MAX_LINES: usize = 64;

/// Bytes sent at a time.
const PIECE: usize = 1024;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// So many bytes are sent.
    Sending(usize),
    /// All are; the device checks them.
    Judging,
}

/// Uploads a script on a port, or on the first one that is free.
///
/// # Errors
/// Those of a command; [`RemoteError::Locked`], [`RemoteError::UploadRefused`],
/// [`RemoteError::UploadPort`], [`RemoteError::Vanished`], [`RemoteError::NoVerdict`].
pub(crate) fn upload(
    console: &mut ConsoleClient,
    script: &[u8],
    port: Option<u16>,
    timeout: Duration,
    at: &dyn Fn(Stage),
) -> Result<Verdict, RemoteError> {
    // Older reports are none of this.
    while console.take_unasked().is_some() {}
    let port = listen(console, port)?;
    let address = console.address().with_port(port);
    let mut stream = connect(&address, timeout).map_err(|error| match error {
        RemoteError::Connect(address, error) => RemoteError::UploadPort(address, error),
        other => other,
    })?;
    let judged = send(&mut stream, script, at).and_then(|()| judge(console, &mut stream, at));
    judged.map_err(|error| match error {
        RemoteError::Closed(address) => RemoteError::Vanished(address),
        other => other,
    })
}

/// Asks for a port.
fn listen(console: &mut ConsoleClient, port: Option<u16>) -> Result<u16, RemoteError> {
    let ports = port.map_or(PORTS, |port| port..=port);
    let mut why = String::new();
    for port in ports {
        let reply = console.command(format!("script {port}"))?;
        if reply.lines().any(|line| line.ends_with(format!("on port {port}").as_bytes())) {
            return Ok(port);
        }
        if reply.is_locked() {
            return Err(RemoteError::Locked(console.address().clone()));
        }
        let refused = reply.after("Script upload refused: ");
        why = refused.map_or_else(|| reply.to_string(), shown);
        if !why.starts_with("the port is in use") {
            break;
        }
    }
    Err(RemoteError::UploadRefused(console.address().clone(), why))
}

/// Sends all of it, or as much as the device takes: if that is not all, it says why.
fn send(stream: &mut TcpStream, script: &[u8], at: &dyn Fn(Stage)) -> Result<(), RemoteError> {
    for (number, piece) in script.chunks(PIECE).enumerate() {
        if is_interrupted() {
            return Err(RemoteError::Interrupted);
        }
        at(Stage::Sending(number * PIECE));
        if stream.write_all(piece).is_err() {
            return Ok(());
        }
    }
    // That is how it knows that this is all.
    let _ = stream.shutdown(Shutdown::Write);
    Ok(())
}

/// Waits for what the device says: on the console, where all of it is, or else to the sender.
fn judge(
    console: &mut ConsoleClient,
    stream: &mut TcpStream,
    at: &dyn Fn(Stage),
) -> Result<Verdict, RemoteError> {
    at(Stage::Judging);
    let end = Instant::now() + TO_JUDGE;
    let (mut report, mut reported_at) = (Vec::new(), None);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        if reported_at.is_none() && !receive(stream, &mut report) {
            reported_at = Some(Instant::now());
        }
        while let Some(unasked) = console.next_unasked(Instant::now() + PATIENCE)? {
            match unasked {
                Unasked::Line(line) if lines.is_empty() && begins(&line).is_none() => {}
                Unasked::Line(line) if lines.len() < MAX_LINES => lines.push(line),
                Unasked::Line(_) => {}
                Unasked::Quiet => {
                    if let Some(verdict) = Verdict::read(lines.iter().map(Vec::as_slice)) {
                        return Ok(verdict);
                    }
                }
            }
        }
        let over = reported_at.is_some_and(|at| at.elapsed() >= AFTER_REPORT);
        if over && let Some(verdict) = Verdict::read_short(&report) {
            return Ok(verdict);
        }
        if Instant::now() >= end {
            return Err(RemoteError::NoVerdict(console.address().clone(), TO_JUDGE.as_secs()));
        }
    }
}

/// How long one of the two connections is listened to before the other's turn.
const PATIENCE: Duration = Duration::from_millis(50);

/// Takes what the sender is told; false at its end.
fn receive(stream: &mut TcpStream, report: &mut Vec<u8>) -> bool {
    let mut bytes = [0; 1024];
    match stream.read(&mut bytes) {
        Ok(0) => false,
        Ok(len) => {
            report.extend(bytes.iter().take(len.min(MAX_REPORT.saturating_sub(report.len()))));
            true
        }
        Err(error) => is_pause(&error),
    }
}
