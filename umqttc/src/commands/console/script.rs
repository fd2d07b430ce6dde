//! The console for programs: commands in, replies out.

use std::io::{self, BufRead, Write as _};
use std::time::{Duration, Instant};

use crate::Status;
use crate::failure::Failure;
use crate::remote::client::ends_session;
use crate::remote::reply::shown;
use crate::remote::session::{MAX_COMMAND, Unasked};
use crate::remote::{ConsoleClient, RemoteError};
use crate::terminal::Terminal;

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// A command that is refused is not the last.
    pub(super) keep_going: bool,
    /// So long what comes unasked is printed in the end.
    pub(super) wait: Duration,
}

/// Gives commands and prints the replies.
pub(super) fn run(
    console: &mut ConsoleClient,
    commands: impl Iterator<Item = Result<Vec<u8>, Failure>>,
    options: Options,
    terminal: &mut Terminal,
) -> Result<Status, Failure> {
    let mut status = Status::Success;
    for command in commands {
        let command = command?;
        let reply = console.command(&command)?;
        if reply.lines().next().is_some() {
            writeln!(terminal.out, "{reply}").map_err(Failure::Output)?;
            terminal.out.flush().map_err(Failure::Output)?;
        }
        if reply.is_refusal() {
            status = Status::Findings;
            if !options.keep_going {
                return Ok(status);
            }
        }
        if ends_session(&command) && !reply.is_refusal() {
            return Ok(status);
        }
        if options.wait.is_zero() {
            while console.take_unasked().is_some() {}
        }
    }
    listen(console, options.wait, terminal)?;
    Ok(status)
}

/// Prints what comes unasked.
fn listen(
    console: &mut ConsoleClient,
    time: Duration,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let end = Instant::now() + time;
    while !time.is_zero() {
        let Some(unasked) = console.next_unasked(end)? else { break };
        if let Unasked::Line(line) = unasked {
            writeln!(terminal.out, "{}", shown(&line)).map_err(Failure::Output)?;
            terminal.out.flush().map_err(Failure::Output)?;
        }
    }
    Ok(())
}

/// The lines of a file that is read while it is written; one that no console takes is an error.
pub(super) fn lines(mut from: impl BufRead) -> impl Iterator<Item = Result<Vec<u8>, Failure>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        // One byte more than a command has, and CR LF.
        let limit = MAX_COMMAND as u64 + 3;
        match io::Read::take(&mut from, limit).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => {
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                Some(match text.len() <= MAX_COMMAND {
                    true => Ok(text.to_vec()),
                    false => Err(Failure::Remote(RemoteError::Command)),
                })
            }
            Err(error) => Some(Err(Failure::Read("<stdin>".to_owned(), error))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_file() {
        let long = [b'x'; MAX_COMMAND + 1];
        let file = [&b"time\r\n\nshow"[..], b"\n", &long[1..], b"\n", &long].concat();
        let found: Vec<_> = lines(&file[..]).collect();
        let texts: Vec<_> = found.iter().flatten().map(Vec::as_slice).collect();
        assert_eq!(texts, [&b"time"[..], b"", b"show", &long[1..]]);
        assert!(found[4].is_err());
    }
}
