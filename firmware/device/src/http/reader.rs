//! Reads a response out of bytes that come in any chunking.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use umqtt_memory::{try_push, try_room_exact, try_to_vec};

use super::field::{decimal, unfolded};
use super::response::{Overflow, ReadError, Response};

/// Longest head (status line and headers, those of interim responses and trailers included), bytes.
/// Nothing of it is kept but the line that is being read.
pub const MAX_HEAD: usize = 8 * 1024;
/// Longest line of a head that counts, bytes. Of a longer one the beginning is enough, unless it is
/// one of those that are needed: then it is too long.
pub const MAX_LINE: usize = if cfg!(target_pointer_width = "64") { 4096 } else { 512 };
/// Most headers in a head.
pub const MAX_HEADERS: usize = 64;
/// Longest line that gives the size of a chunk, bytes.
const MAX_CHUNK_LINE: usize = 256;

/// Reads one response.
#[derive(Clone, Debug)]
pub struct Reader {
    state: State,
    /// A line of the head, with those folded into it, or the line of a chunk, until it is whole.
    line: Vec<u8>,
    head: Head,
    head_left: usize,
    limit: usize,
    overflow: Overflow,
    response: Response,
}

/// What is known from the head so far.
#[derive(Clone, Debug, Default)]
struct Head {
    /// 0 until the status line was read.
    status: u16,
    headers: usize,
    length: Option<u64>,
    chunked: bool,
    /// The line is whole, unless the next one is folded into it.
    ended: bool,
    /// The line has more than its end.
    text: bool,
    /// Not all of the line was kept.
    cut: bool,
}

/// In front of a header, to have it parsed by itself.
const STATUS_LINE: &[u8] = b"HTTP/1.1 200\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// This much of the body is still to come.
    Length(u64),
    /// The line with the size of the next chunk.
    ChunkSize,
    /// This much of the chunk is still to come.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Headers after the last chunk, up to an empty line.
    Trailer,
    /// Everything up to the end of the connection.
    UntilClosed,
    Done,
}

impl Reader {
    /// A reader for a response whose body may have `limit` bytes.
    pub fn new(limit: usize, overflow: Overflow) -> Reader {
        Reader {
            state: State::Head,
            line: Vec::new(),
            head: Head::default(),
            head_left: MAX_HEAD,
            limit,
            overflow,
            response: Response::default(),
        }
    }

    /// Takes bytes in; true once the response is complete (bytes after it are ignored).
    ///
    /// # Errors
    /// [`ReadError`]; there is no going on after one.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<bool, ReadError> {
        while !bytes.is_empty() && self.state != State::Done {
            match self.state {
                State::Length(left) => {
                    let (now, rest) = split(bytes, left);
                    self.body(now)?;
                    bytes = rest;
                    if self.state != State::Done {
                        self.state = length_left(left - now.len() as u64);
                    }
                }
                State::Chunk(left) => {
                    let (now, rest) = split(bytes, left);
                    self.body(now)?;
                    bytes = rest;
                    if self.state != State::Done {
                        self.state = match left - now.len() as u64 {
                            0 => State::ChunkEnd,
                            left => State::Chunk(left),
                        };
                    }
                }
                State::UntilClosed => {
                    self.body(bytes)?;
                    bytes = &[];
                }
                _ => {
                    let (byte, rest) = (bytes[0], &bytes[1..]);
                    bytes = rest;
                    self.line_byte(byte)?;
                }
            }
        }
        Ok(self.state == State::Done)
    }

    /// The other end sends nothing more.
    ///
    /// # Errors
    /// [`ReadError::CutShort`] unless that completes the response.
    pub fn finished(&mut self) -> Result<(), ReadError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClosed => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(ReadError::CutShort),
        }
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        let location = self.response.location.as_ref().map_or(0, Vec::capacity);
        self.line.capacity() + self.response.body.capacity() + location
    }

    /// What was read of the body of a response with status 200 since this was last called.
    pub fn take_body(&mut self) -> Vec<u8> {
        if self.response.status != 200 {
            return Vec::new();
        }
        let body = core::mem::take(&mut self.response.body);
        self.limit -= body.len();
        body
    }

    /// Bytes of the body that are known to come.
    pub fn expected(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            _ => 0,
        }
    }

    /// What was read; whole once [`Reader::receive`] or [`Reader::finished`] said so.
    pub fn into_response(self) -> Response {
        self.response
    }

    fn body(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let room = self.limit - self.response.body.len();
        let fits = &bytes[..bytes.len().min(room)];
        if fits.len() < bytes.len() && self.overflow == Overflow::Refuse {
            return Err(ReadError::BodyTooLong);
        }
        let body = &mut self.response.body;
        let len = body.len() + fits.len();
        if len > body.capacity() {
            let capacity = (2 * body.capacity()).clamp(len, self.limit);
            if !try_room_exact(body, capacity - body.len()) {
                return Err(ReadError::NoMemory);
            }
        }
        body.extend_from_slice(fits);
        if fits.len() < bytes.len() {
            self.response.cut = true;
            self.state = State::Done; // the rest does not interest anybody
        }
        Ok(())
    }

    fn line_byte(&mut self, byte: u8) -> Result<(), ReadError> {
        if matches!(self.state, State::Head | State::Trailer) {
            self.head_left = self.head_left.checked_sub(1).ok_or(ReadError::HeadTooLong)?;
        }
        match self.state {
            State::Head => return self.head_byte(byte),
            State::Trailer => {
                // The content is not needed: only whether a line is empty.
                self.head.text |= !byte.is_ascii_whitespace();
                if byte == b'\n' && !core::mem::take(&mut self.head.text) {
                    self.state = State::Done;
                }
                return Ok(());
            }
            _ if self.line.len() >= MAX_CHUNK_LINE => return Err(ReadError::Malformed),
            _ => try_push(&mut self.line, byte).map_err(|_| ReadError::NoMemory)?,
        }
        if byte == b'\n' {
            let line = core::mem::take(&mut self.line);
            self.state = match self.state {
                State::ChunkSize => self.chunk_size(&line)?,
                _ if line.trim_ascii().is_empty() => State::ChunkSize,
                _ => return Err(ReadError::Malformed),
            };
        }
        Ok(())
    }

    fn head_byte(&mut self, byte: u8) -> Result<(), ReadError> {
        if self.head.ended {
            self.head.ended = false;
            // Folded (RFC 9112 section 5.2); the status line cannot be.
            if !matches!(byte, b' ' | b'\t') {
                self.header()?;
            } else if self.head.headers == 0 {
                return Err(ReadError::Malformed);
            }
        }
        self.head.text |= !matches!(byte, b'\r' | b'\n');
        if self.line.len() >= MAX_LINE {
            self.head.cut = true;
        } else {
            if self.line.is_empty() && self.head.status > 0 && self.head.text {
                let room = try_room_exact(&mut self.line, 4 * STATUS_LINE.len());
                room.then_some(()).ok_or(ReadError::NoMemory)?;
                self.line.extend_from_slice(STATUS_LINE);
            }
            try_push(&mut self.line, byte).map_err(|_| ReadError::NoMemory)?;
        }
        if byte != b'\n' {
            return Ok(());
        }
        match (core::mem::take(&mut self.head.text), self.head.status) {
            (true, 0) => {
                self.status()?;
                self.line.clear();
            }
            (true, _) => {
                self.head.headers += 1;
                self.head.ended = true;
            }
            // Empty lines before the status line look like the end of a head.
            (false, 0) => self.line.clear(),
            (false, _) => {
                self.line = Vec::new();
                self.state = self.head_end()?;
            }
        }
        Ok(())
    }

    fn status(&mut self) -> Result<(), ReadError> {
        self.end_line()?;
        let mut parsed = httparse::Response::new(&mut []);
        let status = match parsed.parse(&self.line) {
            Ok(httparse::Status::Complete(_)) => parsed.code.unwrap_or(0),
            _ => return Err(ReadError::Malformed),
        };
        match status {
            101 => return Err(ReadError::Malformed), // we asked for no other protocol
            100..1000 => self.head.status = status,
            _ => return Err(ReadError::Malformed),
        }
        Ok(())
    }

    /// Ends the head behind the line that was read, as it is parsed by itself.
    fn end_line(&mut self) -> Result<(), ReadError> {
        if !try_room_exact(&mut self.line, 4) {
            return Err(ReadError::NoMemory);
        }
        if core::mem::take(&mut self.head.cut) {
            self.line.extend_from_slice(b"\r\n");
        }
        self.line.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Looks at a header that is whole, and forgets it.
    fn header(&mut self) -> Result<(), ReadError> {
        let cut = self.head.cut;
        self.end_line()?;
        if self.head.headers > MAX_HEADERS {
            return Err(ReadError::HeadTooLong);
        }
        let mut headers = [httparse::EMPTY_HEADER; 1];
        let mut parsed = httparse::Response::new(&mut headers);
        let mut config = httparse::ParserConfig::default();
        // Folded lines, and a blank before the colon, which some servers send.
        config
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true);
        match config.parse_response(&mut parsed, &self.line) {
            Ok(httparse::Status::Complete(_)) => {}
            _ => return Err(ReadError::Malformed),
        }
        let interim = self.head.status < 200;
        if let Some(header) = parsed.headers.first()
            && !interim
        {
            let value = header.value.trim_ascii();
            let is = |name| header.name.eq_ignore_ascii_case(name);
            let needed = is("content-length")
                || is("transfer-encoding")
                || is("content-encoding")
                || is("location");
            if cut && needed {
                return Err(ReadError::HeadTooLong);
            }
            if is("content-length") {
                // The same again, in a list or in another line, is no harm (RFC 9110 section 8.6).
                for number in value.split(|byte| *byte == b',') {
                    let number = decimal(number.trim_ascii())?;
                    if self.head.length.is_some_and(|before| before != number) {
                        return Err(ReadError::Malformed);
                    }
                    self.head.length = Some(number);
                }
            } else if is("transfer-encoding") {
                if self.head.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(ReadError::Encoding);
                }
                self.head.chunked = true;
            } else if is("content-encoding") && !value.eq_ignore_ascii_case(b"identity") {
                return Err(ReadError::Encoding);
            } else if is("location") {
                self.response.location = Some(unfolded(value)?);
            }
        }
        self.line.clear();
        Ok(())
    }

    /// What comes behind the head.
    fn head_end(&mut self) -> Result<State, ReadError> {
        let head = core::mem::take(&mut self.head);
        if head.status < 200 {
            return Ok(State::Head);
        }
        self.response.status = head.status;
        if let (204 | 304, _, _) | (_, false, Some(0)) = (head.status, head.chunked, head.length) {
            return Ok(State::Done);
        }
        if self.overflow == Overflow::Refuse && head.status != 200 {
            return Ok(State::Done); // nobody asked for what an error says
        }
        match (head.chunked, head.length) {
            (true, _) => Ok(State::ChunkSize),
            (false, Some(length)) => {
                // Refused before the first byte of it rather than after the last that fits.
                if length > self.limit as u64 && self.overflow == Overflow::Refuse {
                    return Err(ReadError::BodyTooLong);
                }
                Ok(State::Length(length))
            }
            (false, None) => Ok(State::UntilClosed),
        }
    }

    fn chunk_size(&self, line: &[u8]) -> Result<State, ReadError> {
        // A lone LF is taken for a line end, as by most.
        let text = line.trim_ascii_end();
        let mut whole = try_to_vec(text).ok_or(ReadError::NoMemory)?;
        if !try_room_exact(&mut whole, 2) {
            return Err(ReadError::NoMemory);
        }
        whole.extend_from_slice(b"\r\n");
        match httparse::parse_chunk_size(&whole) {
            Ok(httparse::Status::Complete((_, 0))) => Ok(State::Trailer),
            Ok(httparse::Status::Complete((_, size))) => Ok(State::Chunk(size)),
            _ => Err(ReadError::Malformed),
        }
    }
}

fn split(bytes: &[u8], at_most: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(at_most).unwrap_or(usize::MAX).min(bytes.len()))
}

fn length_left(left: u64) -> State {
    if left == 0 { State::Done } else { State::Length(left) }
}
