//! Gives a running device a script, as a person would: `script PORT` on the console, then the
//! script to that port.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The device may take so long to start and to get an address.
const BOOT: Duration = Duration::from_secs(60);
/// An answer may take so long: a long script is compiled in it.
const ANSWER: Duration = Duration::from_secs(60);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(200);
const PROMPT: &str = "CMD>";

/// Pushes a script through the console at `console`; the device's port `inside` is open at
/// `upload`. Returns what the device says about it.
///
/// # Errors
/// The device cannot be reached, or takes no script.
pub fn push(console: SocketAddr, upload: SocketAddr, inside: u16, script: &[u8]) -> Result<String> {
    let mut session = session(console)?;
    write!(session, "script {inside}\r\n")?;
    let reply = read_until(&mut session, PROMPT)?;
    if !reply.contains("Waiting") {
        bail!("the device takes no script: {}", reply.trim_end_matches(PROMPT).trim());
    }
    let mut connection = TcpStream::connect(upload).context("cannot reach the upload port")?;
    connection.write_all(script)?;
    connection.shutdown(Shutdown::Write)?;
    // Whether it closes in order or not: the verdict comes on the console.
    let _ = connection.read_to_end(&mut Vec::new());
    let mut verdict = String::new();
    while ![
        "Syntax okay",
        "Error in",
        "failed",
        "cannot",
        "too long",
        "not enough memory",
        "is empty",
        "no handlers",
        "not stored",
        "signed",
        "was taken",
    ]
    .iter()
    .any(|end| verdict.contains(end))
    {
        verdict += &read_until(&mut session, "\r\n")?;
    }
    Ok(verdict.replace(PROMPT, "").trim().replace('\r', ""))
}

/// A console session at its prompt. The emulator takes the connection long before the device does.
fn session(console: SocketAddr) -> Result<TcpStream> {
    let end = Instant::now() + BOOT;
    loop {
        if let Ok(mut session) = TcpStream::connect(console) {
            session.set_read_timeout(Some(ANSWER))?;
            if read_until(&mut session, PROMPT).is_ok() {
                return Ok(session);
            }
        }
        if Instant::now() >= end {
            bail!("the device does not answer on its console within {} s", BOOT.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

fn read_until(session: &mut TcpStream, end: &str) -> Result<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(end.as_bytes()) {
        session.read_exact(&mut byte).context("the console was closed")?;
        text.extend(byte);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
