//! URLs of plain HTTP: `http://host[:port]/path?query`. Which byte strings are some, and what is
//! wrong with others.
//!
//! A leaf of the house: the device's HTTP client and the compiler's checks say the same of a URL
//! because they both ask here. No allocation, no recursion.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
extern crate std;

mod error;

pub use error::UrlError;

/// Longest URL, bytes.
pub const MAX_URL: usize = 2048;
/// Longest host name (RFC 1035), bytes.
pub const MAX_HOST: usize = 253;
/// The port of a URL that names none.
pub const DEFAULT_PORT: u16 = 80;

const SCHEME: &[u8] = b"http://";

/// The parts of a URL, checked: none of them holds a blank or a control character, so they cannot
/// smuggle anything into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlParts<'u> {
    /// Host name or address; an IPv6 address without its brackets. ASCII.
    pub host: &'u str,
    /// The port.
    pub port: u16,
    /// Path and query as they stand, without the fragment; empty, or beginning with `/` or `?`.
    pub target: &'u [u8],
}

impl<'u> UrlParts<'u> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// The [`UrlError`] that helps most: a blank or a control character wherever it is, then what
    /// comes first.
    pub fn parse(url: &'u [u8]) -> Result<UrlParts<'u>, UrlError> {
        if url.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        check_scheme(url)?;
        check_characters(url)?;
        let rest = url.get(SCHEME.len()..).unwrap_or_default();
        let (authority, rest) = rest.split_at(end_of(rest, b"/?#"));
        let (host, port) = split_authority(authority)?;
        Ok(UrlParts { host, port, target: &rest[..end_of(rest, b"#")] })
    }
}

/// What is wrong with every URL that begins like this, whatever follows.
pub fn check_beginning(beginning: &[u8]) -> Result<(), UrlError> {
    check_characters(beginning)?;
    if beginning.len() < SCHEME.len() && starts_like_scheme(beginning) {
        return Ok(());
    }
    check_scheme(beginning)?;
    let rest = beginning.get(SCHEME.len()..).unwrap_or_default();
    let end = end_of(rest, b"/?#");
    if rest[..end].contains(&b'@') {
        return Err(UrlError::UserInfo);
    }
    // Only where the host and the port are complete.
    if end < rest.len() { split_authority(&rest[..end]).map(|_| ()) } else { Ok(()) }
}

/// Whether bytes can be anywhere in a URL: no blank, no control character.
pub fn check_characters(url: &[u8]) -> Result<(), UrlError> {
    match url.iter().find(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
        Some(b' ') => Err(UrlError::Blank),
        Some(_) => Err(UrlError::Control),
        None => Ok(()),
    }
}

fn check_scheme(url: &[u8]) -> Result<(), UrlError> {
    if url.len() >= SCHEME.len() && starts_like_scheme(url) {
        Ok(())
    } else if url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"https://")) {
        Err(UrlError::Https)
    } else {
        Err(UrlError::Scheme)
    }
}

fn starts_like_scheme(url: &[u8]) -> bool {
    url.iter().zip(SCHEME).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn end_of(bytes: &[u8], ends: &[u8]) -> usize {
    bytes.iter().position(|byte| ends.contains(byte)).unwrap_or(bytes.len())
}

fn split_authority(authority: &[u8]) -> Result<(&str, u16), UrlError> {
    if authority.contains(&b'@') {
        return Err(UrlError::UserInfo);
    }
    let (host, port, in_brackets) = match authority {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']').ok_or(UrlError::Host)?;
            (&rest[..end], &rest[end + 1..], true)
        }
        _ => {
            let (host, port) = authority.split_at(end_of(authority, b":"));
            (host, port, false)
        }
    };
    let allowed = |byte: &u8| match in_brackets {
        true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
        false => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'),
    };
    if host.is_empty() || host.len() > MAX_HOST || !host.iter().all(allowed) {
        return Err(UrlError::Host);
    }
    let port = match port {
        b"" | b":" => DEFAULT_PORT,
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            let number = core::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
            number.filter(|port| *port != 0).ok_or(UrlError::Port)?
        }
        _ => return Err(UrlError::Port),
    };
    Ok((core::str::from_utf8(host).map_err(|_| UrlError::Host)?, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, target) in [
            ("http://a.b", "a.b", 80, ""),
            ("HTTP://a:8000/x/y?z=1#top", "a", 8000, "/x/y?z=1"),
            ("http://a?q", "a", 80, "?q"),
            ("http://a#x", "a", 80, ""),
            ("http://a:/", "a", 80, "/"),
            ("http://a/b@c:d", "a", 80, "/b@c:d"),
            ("http://[::1]:81/é", "::1", 81, "/é"),
            ("http://[fe80::1.2.3.4]", "fe80::1.2.3.4", 80, ""),
            ("http://a:65535/%zz%20", "a", 65535, "/%zz%20"),
            ("http://a/http://b", "a", 80, "/http://b"),
        ] {
            let parts = UrlParts { host, port, target: target.as_bytes() };
            assert_eq!(UrlParts::parse(text.as_bytes()), Ok(parts), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_reason() {
        use UrlError::*;
        let long_host = String::from("http://") + &"a".repeat(254) + "/";
        let long = String::from("http://a/") + &"x".repeat(MAX_URL);
        for (text, error) in [
            ("", Scheme),
            ("http:/", Scheme),
            ("http:/a/b/c/", Scheme),
            ("a/b", Scheme),
            ("ftp://a/", Scheme),
            ("//a/b", Scheme),
            (" http://a/", Scheme),
            ("https://a/", Https),
            ("HTTPS://a b/", Https),
            ("http://", Host),
            ("http:///x", Host),
            ("http://:80/", Host),
            ("http://[::1/", Host),
            ("http://[fe80::1%25eth0]/", Host),
            ("http://%61/", Host),
            ("http://m\u{fc}nchen/", Host),
            (&long_host, Host),
            ("http://me@a/", UserInfo),
            ("http://user:pw@a:80/", UserInfo),
            ("http://a b/", Blank),
            ("http://a/x y", Blank),
            ("http://a/?q=x y#", Blank),
            ("http://a/#x y", Blank),
            ("http://a:0/", Port),
            ("http://a:65536/", Port),
            ("http://a:99999999999999999999/", Port),
            ("http://a:+80/", Port),
            ("http://a:8o/", Port),
            ("http://[::1]80/", Port),
            ("http://a/x\r\nEvil: 1", Control),
            ("http://a\r\n/", Control),
            ("http://a/\tx", Control),
            ("http://a/x\0", Control),
            ("http://a/\x7f", Control),
            (&long, TooLong),
        ] {
            assert_eq!(UrlParts::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_beginning_is_refused_only_if_nothing_can_mend_it() {
        use UrlError::*;
        for (text, expected) in [
            ("", Ok(())),
            ("ht", Ok(())),
            ("http://", Ok(())),
            ("http://a", Ok(())),
            ("http://a:655", Ok(())),
            ("http://a:0", Ok(())),
            ("http://[::1", Ok(())),
            ("http://a/x?y=", Ok(())),
            ("x", Err(Scheme)),
            ("ftp://", Err(Scheme)),
            ("https://", Err(Https)),
            ("http://a:65536/", Err(Port)),
            ("http://me@", Err(UserInfo)),
            ("http:///", Err(Host)),
            ("http://a/x y=", Err(Blank)),
            ("http://a/\n", Err(Control)),
        ] {
            assert_eq!(check_beginning(text.as_bytes()), expected, "{text}");
        }
    }
}
