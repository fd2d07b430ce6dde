//! The messages on the wire: headers, a blank line, and JSON of the length the headers say.
//!
//! Whatever comes in, memory stays bounded and what follows is read: a header that is none is
//! skipped, so is a message longer than [`MAX_MESSAGE`], and what is no message is told with the id
//! it may have.

use std::io::{self, BufRead, Read as _, Write};

use lsp_server::{ErrorCode, Message};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// Longest message that is read, bytes: a document of the longest text with every character
/// escaped, twice.
pub(super) const MAX_MESSAGE: usize = 4 << 20;
/// Longest line of a header, bytes; what is behind that is skipped.
const MAX_HEADER: usize = 4096;

/// What came in.
#[derive(Debug)]
pub(super) enum Frame {
    /// A message.
    Message(Message),
    /// Something else: the answer to it.
    Malformed(Value),
}

/// Reads the next message; `None` at the end of the input.
///
/// # Errors
/// Those of `input`.
pub(super) fn read(input: &mut dyn BufRead) -> io::Result<Option<Frame>> {
    let mut length = None;
    let mut is_first = true;
    loop {
        let Some(line) = read_line(input)? else { return Ok(None) };
        let line = line.trim_ascii();
        if !line.is_empty() {
            is_first = false;
            length = content_length(line).or(length);
            continue;
        }
        match length {
            Some(length) => return body(input, length).map(Some),
            // Blank lines between messages.
            None if is_first => {}
            None => {
                let wrong = malformed(ErrorCode::ParseError, "a message without Content-Length");
                return Ok(Some(wrong));
            }
        }
    }
}

/// A line, as much of it as a header may have; `None` at the end of the input.
fn read_line(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = MAX_HEADER as u64;
    if (&mut *input).take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let mut rest = line.last() != Some(&b'\n');
    while rest {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(bytes.len(), |end| end + 1);
        rest = end.is_none() && used > 0;
        input.consume(used);
    }
    Ok(Some(line))
}

/// The length in a header, if it is that one.
fn content_length(line: &[u8]) -> Option<u64> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at(colon);
    let is_length = name.trim_ascii().eq_ignore_ascii_case(b"content-length");
    let value = str::from_utf8(&value[1..]).ok().filter(|_| is_length)?;
    value.trim().parse().ok()
}

/// The message behind the headers.
fn body(input: &mut dyn BufRead, length: u64) -> io::Result<Frame> {
    if length > MAX_MESSAGE as u64 {
        io::copy(&mut input.take(length), &mut io::sink())?;
        let most = format!("a message may have {MAX_MESSAGE} bytes");
        return Ok(malformed(ErrorCode::InvalidRequest, &most));
    }
    let mut bytes = Vec::new();
    // Grows with what comes, not with what was announced.
    if (input.take(length).read_to_end(&mut bytes)? as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let value: Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(error) => return Ok(malformed(ErrorCode::ParseError, &error.to_string())),
    };
    // With the id it has, so that whoever waits for an answer gets one.
    let id = value.get("id").filter(|id| id.is_number() || id.is_string()).cloned();
    let is_request = value.get("method").is_some();
    // A request whose id is none would be taken for a notification.
    let is_request_read = |message: &Message| match message {
        Message::Notification(_) => value.get("id").is_none(),
        _ => true,
    };
    let message = Message::deserialize(&value);
    match message.and_then(|message| match is_request_read(&message) {
        true => Ok(message),
        false => Err(serde::de::Error::custom("no id")),
    }) {
        Ok(message) => Ok(Frame::Message(message)),
        Err(_) => {
            let id = id.filter(|_| is_request).unwrap_or_default();
            Ok(Frame::Malformed(error(id, ErrorCode::InvalidRequest, "this is no message")))
        }
    }
}

fn malformed(code: ErrorCode, message: &str) -> Frame {
    Frame::Malformed(error(Value::Null, code, message))
}

fn error(id: Value, code: ErrorCode, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": message } })
}

/// Writes the answer to what was no message.
///
/// # Errors
/// Those of `out`.
pub(super) fn write_value(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    let text = value.to_string();
    write!(out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut input: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            match read(&mut input) {
                Ok(Some(Frame::Message(message))) => {
                    found.push(serde_json::to_string(&message).unwrap());
                }
                Ok(Some(Frame::Malformed(value))) => found.push(value.to_string()),
                Ok(None) => return found,
                Err(error) => {
                    found.push(format!("{:?}", error.kind()));
                    return found;
                }
            }
        }
    }

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    const EXIT: &str = r#"{"jsonrpc":"2.0","method":"exit"}"#;

    #[test]
    fn what_is_malformed_is_told_and_what_follows_is_read() {
        for (input, told) in [
            (framed(EXIT), &["exit"][..]),
            (framed(EXIT).to_uppercase().replace("\r\n", "\n"), &["no message"]),
            (format!("content-length:{}\n\n{EXIT}", EXIT.len()), &["exit"]),
            (format!("garbage\r\n{}", framed(EXIT)), &["exit"]),
            (format!("{}\r\n{}", "x".repeat(100_000), framed(EXIT)), &["exit"]),
            (format!("Content-Type: x\r\n\r\n{}", framed(EXIT)), &["Content-Length", "exit"]),
            (format!("Content-Length: x\r\n\r\n{}", framed(EXIT)), &["Content-Length", "exit"]),
            (format!("Content-Length: -1\r\n\r\n{}", framed(EXIT)), &["Content-Length", "exit"]),
            (framed("{") + &framed(EXIT), &["EOF", "exit"]),
            (framed("[]") + &framed(EXIT), &["no message", "exit"]),
            (framed(r#"{"id":1e9,"method":"a"}"#) + &framed(EXIT), &["1000000000.0", "exit"]),
            (framed(&"[".repeat(9999)) + &framed(EXIT), &["recursion limit", "exit"]),
            (
                framed(&format!("\"{}\"", "x".repeat(MAX_MESSAGE))) + &framed(EXIT),
                &["may have", "exit"],
            ),
            ("Content-Length: 18446744073709551615\r\n\r\n{}".into(), &["may have"]),
            ("Content-Length: 18446744073709551616\r\n\r\n".into(), &["Content-Length"]),
            ("Content-Length: 100\r\n\r\n{}".into(), &["UnexpectedEof"]),
            (String::new(), &[]),
            ("Content-Length: 3".into(), &[]),
            ("\r\n\r\n".to_owned() + &framed(EXIT), &["exit"]),
        ] {
            let found = all(input.as_bytes());
            let shown = &input[..input.len().min(200)];
            assert_eq!(found.len(), told.len(), "{shown}: {found:?}");
            for (found, told) in found.iter().zip(told) {
                assert!(found.contains(told), "{shown}: {found}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            all(&bytes);
        }

        #[test]
        fn any_headers_come_to_an_end(text in "((Content-Length: [0-9]{1,20}|[a-z: ]{0,9})\r?\n){0,5}[{}a-z\":0-9]{0,40}") {
            all(text.as_bytes());
        }
    }
}
