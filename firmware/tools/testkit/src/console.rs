//! A console session over TCP, as telnet or netcat would have it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::wait::{TIMEOUT, eventually};

const PROMPT: &str = "CMD>";

/// A session that has seen its first prompt.
#[derive(Debug)]
pub struct ConsoleClient {
    stream: TcpStream,
    /// What came and was not asked for yet.
    pending: String,
}

impl ConsoleClient {
    /// Connects and reads the prompt.
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> ConsoleClient {
        eventually("a console session", || ConsoleClient::try_connect(addr))
    }

    /// The same; `None` if there is nobody, or no session free.
    pub fn try_connect(addr: SocketAddr) -> Option<ConsoleClient> {
        let stream = TcpStream::connect(addr).ok()?;
        stream.set_read_timeout(Some(TIMEOUT)).ok()?;
        let mut console = ConsoleClient { stream, pending: String::new() };
        console.read_until(PROMPT).ok()?;
        Some(console)
    }

    /// Gives a command and returns the reply without the prompt, with plain line ends.
    #[track_caller]
    pub fn ask(&mut self, command: &str) -> String {
        self.try_ask(command).unwrap_or_else(|why| {
            panic!("asked {command:?}, got {:?}: {why}", self.pending);
        })
    }

    /// The same, where the session may end.
    pub fn try_ask(&mut self, command: &str) -> io::Result<String> {
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut reply = self.read_until(PROMPT)?;
        // A line of the log that came before the command takes the prompt's place, and has one
        // behind it.
        while reply.starts_with('\r') && !reply.starts_with("\r\n") {
            reply = self.read_until(PROMPT)?;
        }
        Ok(reply.trim_end_matches(PROMPT).replace("\r\n", "\n").trim_matches('\n').to_owned())
    }

    /// Repeats a question until the reply fits.
    #[track_caller]
    pub fn ask_until(&mut self, command: &str, fits: impl Fn(&str) -> bool) -> String {
        eventually(&format!("the right reply to {command:?}"), || {
            Some(self.ask(command)).filter(|reply| fits(reply))
        })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the console reads");
    }

    /// Reads up to and with a text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        self.read_until(text).unwrap_or_else(|why| {
            panic!("waited for {text:?}, got {:?}: {why}", self.pending);
        })
    }

    fn read_until(&mut self, text: &str) -> io::Result<String> {
        let mut buffer = [0; 1024];
        loop {
            if let Some(at) = self.pending.find(text) {
                let rest = self.pending.split_off(at + text.len());
                return Ok(std::mem::replace(&mut self.pending, rest));
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.pending += &String::from_utf8_lossy(&buffer[..count]),
            }
        }
    }

    /// Reads to the end of the session.
    pub fn read_rest(mut self) -> String {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("is closed in order");
        self.pending + &String::from_utf8_lossy(&rest)
    }
}

/// What netcat does: connects, sends, closes its side, and waits for the other.
#[track_caller]
pub fn push(addr: SocketAddr, bytes: &[u8]) {
    let stream = eventually("the upload port to open", || TcpStream::connect(addr).ok());
    push_into(stream, bytes);
}

/// The same over a connection there is.
pub fn push_into(mut stream: TcpStream, bytes: &[u8]) {
    stream.set_read_timeout(Some(TIMEOUT)).expect("can be set");
    // A refusal may close the connection before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}
