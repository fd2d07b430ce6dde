//! Bytes to lines. A line ends with LF, CR LF, or CR alone (terminals on a serial line send that
//! for the return key).

use alloc::vec::Vec;

use umqtt_memory::try_room_exact;

use super::MAX_LINE;
use crate::http::foreign_protocol::begins_as_request;

/// Bytes of a line that is short.
const SHORT: usize = 64;

/// What a byte has completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A line, to be had with [`LineReader::take`].
    Line,
    /// A line of more than [`MAX_LINE`] bytes, which is gone.
    TooLong,
    /// A line there was no memory for, which is gone.
    NoMemory,
}

/// Collects a line.
#[derive(Debug)]
pub struct LineReader {
    bytes: Vec<u8>,
    too_long: bool,
    no_memory: bool,
    /// The line that was dropped began as an HTTP request.
    request: bool,
    /// Most bytes its memory may grow to.
    room: usize,
    after_cr: bool,
    telnet: Telnet,
}

/// Where in a telnet command the input is. Nothing of such commands is answered: telnet programs do
/// without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    /// A serial line, where every byte means itself.
    Off,
    Text,
    /// After 255.
    Command,
    /// After 255 and WILL, WON'T, DO or DON'T: the option follows.
    Option,
    /// In a subnegotiation, which 255 240 ends; so many more bytes are taken.
    Sub(u8),
    /// In a subnegotiation, after 255.
    SubCommand(u8),
}

const IAC: u8 = 255;
const SUB_END: u8 = 240;
const SUB_BEGIN: u8 = 250;
/// Longest subnegotiation: a client that never ends one gets its console back.
const MAX_SUBNEGOTIATION: u8 = 255;

impl LineReader {
    /// For a TCP connection, where telnet's commands are passed over (`telnet`), or for a serial
    /// line.
    pub fn new(telnet: bool) -> LineReader {
        LineReader {
            bytes: Vec::new(),
            too_long: false,
            no_memory: false,
            request: false,
            room: MAX_LINE,
            after_cr: false,
            telnet: if telnet { Telnet::Text } else { Telnet::Off },
        }
    }

    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Option<Ended> {
        let (state, text) = self.telnet.next(byte);
        self.telnet = state;
        if !text {
            return None;
        }
        let second_of_pair = core::mem::take(&mut self.after_cr) && (byte == b'\n' || byte == 0);
        match byte {
            _ if second_of_pair => None,
            b'\r' | b'\n' => {
                self.after_cr = byte == b'\r';
                Some(self.end())
            }
            8 | 127 => {
                self.delete();
                None
            }
            _ if self.no_memory => None,
            _ if self.bytes.len() < MAX_LINE => {
                if self.bytes.len() < self.bytes.capacity() || self.grow() {
                    self.bytes.push(byte);
                } else {
                    self.request = begins_as_request(&self.bytes);
                    (self.bytes, self.no_memory) = (Vec::new(), true);
                }
                None
            }
            _ => {
                self.too_long = true;
                None
            }
        }
    }

    fn grow(&mut self) -> bool {
        let len = self.bytes.len();
        let more = len.max(SHORT).min(MAX_LINE - len);
        len + more <= self.room.max(SHORT) && try_room_exact(&mut self.bytes, more)
    }

    /// Sets to how many bytes its memory may grow; a short line always has its room.
    pub fn set_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// The line that is being typed.
    pub fn typed(&self) -> &[u8] {
        &self.bytes
    }

    /// The line that has ended; the next one begins.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// Whether a line that was too long, or that there was no memory for, began as an HTTP request.
    pub fn was_request(&self) -> bool {
        self.request
    }

    fn end(&mut self) -> Ended {
        if core::mem::take(&mut self.no_memory) {
            self.too_long = false;
            return Ended::NoMemory;
        }
        if core::mem::take(&mut self.too_long) {
            self.request = begins_as_request(&self.bytes);
            self.bytes.clear();
            Ended::TooLong
        } else {
            Ended::Line
        }
    }

    /// Takes the last character away, all bytes of it.
    fn delete(&mut self) {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0xC0 != 0x80 {
                break;
            }
        }
    }
}

impl Telnet {
    /// The state after a byte, and whether the byte is text.
    fn next(self, byte: u8) -> (Telnet, bool) {
        match (self, byte) {
            (Telnet::Off, _) => (Telnet::Off, true),
            (Telnet::Text, IAC) => (Telnet::Command, false),
            (Telnet::Text, _) => (Telnet::Text, true),
            // Doubled, it is the byte itself.
            (Telnet::Command, IAC) => (Telnet::Text, true),
            (Telnet::Command, SUB_BEGIN) => (Telnet::Sub(MAX_SUBNEGOTIATION), false),
            (Telnet::Command, 251..=254) => (Telnet::Option, false),
            (Telnet::Command | Telnet::Option, _) => (Telnet::Text, false),
            (Telnet::Sub(0) | Telnet::SubCommand(0), _) => (Telnet::Text, false),
            (Telnet::Sub(left), IAC) => (Telnet::SubCommand(left - 1), false),
            (Telnet::Sub(left), _) => (Telnet::Sub(left - 1), false),
            (Telnet::SubCommand(_), SUB_END) => (Telnet::Text, false),
            (Telnet::SubCommand(left), _) => (Telnet::Sub(left - 1), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(telnet: bool, bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut reader = LineReader::new(telnet);
        bytes
            .iter()
            .filter_map(|byte| {
                reader.push(*byte).map(|ended| (ended == Ended::Line).then(|| reader.take()))
            })
            .collect()
    }

    fn texts(telnet: bool, bytes: &[u8]) -> Vec<Vec<u8>> {
        lines(telnet, bytes).into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn every_kind_of_line_end() {
        assert_eq!(texts(true, b"a\nb\r\nc\rd\r\0\ne"), [&b"a"[..], b"b", b"c", b"d", b""]);
    }

    #[test]
    fn backspace_takes_a_character_away() {
        assert_eq!(texts(false, b"shox\x08w\n\x7f\x08ok\n"), [&b"show"[..], b"ok"]);
        assert_eq!(texts(false, b"a\xC3\xA9\x7Fb\n"), [b"ab"]);
    }

    #[test]
    fn telnet_commands_are_swallowed() {
        let input = b"\xFF\xFD\x03ti\xFF\xFA\x18\x00xterm\xFF\xF0me\xFF\xF1\n\xFF\xFF\n";
        assert_eq!(texts(true, input), [&b"time"[..], b"\xFF"]);
        assert_eq!(texts(false, b"\xFF\xFD\n"), [b"\xFF\xFD"], "a serial line knows no telnet");
    }

    #[test]
    fn an_endless_subnegotiation_ends() {
        let mut input = b"\xFF\xFA".to_vec();
        input.extend([7; 300]);
        input.extend(b"\nquit\n");
        assert_eq!(texts(true, &input).last().unwrap(), b"quit");
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_whole() {
        let mut input = [b'x'; MAX_LINE].to_vec();
        input.push(b'\n');
        assert_eq!(lines(true, &input), [Some([b'x'; MAX_LINE].to_vec())]);
        input.insert(0, b'x');
        input.extend(b"time\n");
        assert_eq!(lines(true, &input), [None, Some(b"time".to_vec())]);
    }
}
