//! Tells what a browser sends from what a user types or a script begins with.
//!
//! Any web page can make a browser connect to any port of this computer and of the house, and send
//! what the page likes behind the first line of a request. So that first line ends the connection,
//! and nothing behind it is looked at. What a page can make a browser send otherwise, TLS and STUN,
//! begins with a byte that is not typed.

/// What a connection is that is neither a user's nor a script's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignProtocol {
    /// A request.
    Http,
    /// Begins with a byte of [`is_record_start`].
    Binary,
}

/// Methods that are no command of any console.
const METHODS: [&[u8]; 13] = [
    b"get",
    b"head",
    b"post",
    b"put",
    b"delete",
    b"options",
    b"patch",
    b"pri",
    b"propfind",
    b"proppatch",
    b"mkcol",
    b"copy",
    b"move",
];

/// Whether a connection that begins with this byte is neither a user's nor a script's: a TLS or
/// STUN record.
pub fn is_record_start(first: u8) -> bool {
    matches!(first, 0x00 | 0x01 | 0x14..=0x17 | 0x80)
}

/// Whether a line is the first one of a request, or a header.
pub fn is_http_line(line: &[u8]) -> bool {
    is_request(line.trim_ascii()) || is_header(line)
}

/// Whether text begins as a request does, of which the first line is not all there yet: no command
/// or script has a word that begins with a slash there.
pub fn begins_as_request(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| !is_word_byte(byte)).unwrap_or(text.len());
    let (method, rest) = text.split_at(end);
    let blank = matches!(rest.first(), Some(b' ' | b'\t'));
    let slash = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'/');
    blank && !method.is_empty() && (is_method(method) || slash)
}

fn is_word_byte(byte: &u8) -> bool {
    byte.is_ascii_alphabetic() || *byte == b'-'
}

fn is_method(word: &[u8]) -> bool {
    METHODS.iter().any(|method| word.eq_ignore_ascii_case(method))
}

/// `METHOD /TARGET` or another target that is none of a command's words, `METHOD ANY HTTP/1.1`,
/// `ANY /TARGET HTTP/1.1`
fn is_request(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return false };
    let is_version =
        |word: &[u8]| word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"http/"));
    let third = words.next();
    let fourth = words.next();
    let last = words.next_back().or(fourth).or(third);
    let is_target = matches!(target[0], b'/' | b'*') || target.contains(&b':');
    let is_word = method.iter().all(is_word_byte);
    if is_method(method) {
        return is_target || last.is_some_and(is_version);
    }
    is_word && is_target && fourth.is_none() && third.is_some_and(is_version)
}

/// `Name: value`
fn is_header(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let name = &line[..colon];
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_send_is_told() {
        for line in [
            "GET / HTTP/1.1",
            "get / http/1.1",
            "POST /x?y=reset%20factory HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT device:7777 HTTP/1.1",
            "TRACE / HTTP/1.1",
            "PRI * HTTP/2.0",
            "publish / HTTP/1.1",
            "reset /factory HTTP/1.1",
            "  GET\thttp://device/ HTTP/1.0",
            "GET /",
            "get * x",
            "GET x HTTP/1.1",
            "GET a b c d HTTP/1.1",
            "Host: localhost:7777",
            "host:x",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Upgrade: websocket",
        ] {
            assert!(is_http_line(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_users_type_is_not() {
        for line in [
            "",
            "help",
            "get",
            "get broker_user",
            "put ssid x",
            "delete script",
            "move a b HTTP",
            "publish local a/b \"GET / HTTP/1.1\"",
            "publish local t HTTP/1.1",
            "publish local a: b",
            "script http://device:8000/x.script",
            "script 2000",
            "trace on",
            "set ssid HTTP/1.1",
            "set mqtt_host a:b",
            "set @1 a:b",
            "% config: HTTP/1.1",
            "on topic local a do println \"a:b\"",
        ] {
            assert!(!is_http_line(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_request_is_told_by_its_first_word() {
        assert!(begins_as_request(b"POST ") && begins_as_request(b"\r\nget /"));
        assert!(begins_as_request(b"publish /aaa"));
        for text in [
            &b"POS"[..],
            b"POST",
            b"GET\n",
            b"on init",
            b"% get /",
            b"config x",
            b"% /",
            b" /",
            b"set ssid /",
        ] {
            assert!(!begins_as_request(text));
        }
    }
}
