//! Addresses of pages: `http://host[:port]/path?query`.

use alloc::string::String;

/// Longest URL, bytes.
pub const MAX_URL: usize = 2048;
/// Longest host name (RFC 1035), bytes.
const MAX_HOST: usize = 253;
const DEFAULT_PORT: u16 = 80;

/// An address of a page, checked: it cannot smuggle anything into a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, percent-encoded, beginning with `/`.
    pub path: String,
}

/// Why a URL is none we can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It does not begin with `http://`.
    Scheme,
    /// The host is missing or no host.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// It has a blank or a control character.
    Character,
    /// It is longer than [`MAX_URL`].
    TooLong,
}

impl core::fmt::Display for UrlError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            UrlError::Scheme => "a URL begins with http://",
            UrlError::Host => "the URL has no valid host",
            UrlError::Port => "the port of the URL is not 1 to 65535",
            UrlError::Character => "the URL has a blank or a control character",
            UrlError::TooLong => "the URL is too long",
        })
    }
}

impl core::error::Error for UrlError {}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &[u8]) -> Result<Url, UrlError> {
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        let scheme = b"http://";
        let rest = match text.split_at_checked(scheme.len()) {
            Some((first, rest)) if first.eq_ignore_ascii_case(scheme) => rest,
            _ => return Err(UrlError::Scheme),
        };
        let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = authority_parts(authority)?;
        Ok(Url { host, port, path: encode_path(path)? })
    }

    /// Where a `Location` header leads from here.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn join(&self, location: &[u8]) -> Result<Url, UrlError> {
        if location.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        if let Some(rest) = location.strip_prefix(b"//") {
            return Url::parse(&[b"http://", rest].concat());
        }
        let end = location.iter().position(|byte| b"/?#".contains(byte));
        let has_scheme = location[..end.unwrap_or(location.len())].contains(&b':');
        if has_scheme {
            return Url::parse(location);
        }
        let base = self.path.split('?').next().unwrap_or("/");
        let folder = base.rfind('/').map_or("/", |at| &base[..=at]);
        let path = match location.first() {
            Some(b'/') => encode_path(location)?,
            None | Some(b'#') => self.path.clone(),
            Some(b'?') => encode_path(&[base.as_bytes(), location].concat())?,
            _ => encode_path(&[folder.as_bytes(), location].concat())?,
        };
        if path.len() > 3 * MAX_URL {
            return Err(UrlError::TooLong);
        }
        Ok(Url { host: self.host.clone(), port: self.port, path })
    }

    /// The value of the `Host` header.
    pub(crate) fn host_header(&self) -> String {
        let host = match self.host.contains(':') {
            true => alloc::format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            DEFAULT_PORT => host,
            port => alloc::format!("{host}:{port}"),
        }
    }
}

fn authority_parts(authority: &[u8]) -> Result<(String, u16), UrlError> {
    let (host, port) = match authority {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']').ok_or(UrlError::Host)?;
            (&rest[..end], &rest[end + 1..])
        }
        _ => {
            let end = authority.iter().position(|byte| *byte == b':').unwrap_or(authority.len());
            authority.split_at(end)
        }
    };
    let in_brackets = authority.first() == Some(&b'[');
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
    Ok((host.iter().map(|&byte| char::from(byte)).collect(), port))
}

/// Path and query without the fragment, with every byte that is not ASCII percent-encoded.
fn encode_path(path: &[u8]) -> Result<String, UrlError> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let end = path.iter().position(|byte| *byte == b'#').unwrap_or(path.len());
    let mut encoded = String::with_capacity(end + 1);
    if path.first() != Some(&b'/') {
        encoded.push('/');
    }
    for &byte in &path[..end] {
        match byte {
            0..=b' ' | 0x7f => return Err(UrlError::Character),
            0x80.. => {
                encoded.push('%');
                encoded.push(char::from(HEX[usize::from(byte >> 4)]));
                encoded.push(char::from(HEX[usize::from(byte & 15)]));
            }
            _ => encoded.push(char::from(byte)),
        }
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, u16, String), UrlError> {
        Url::parse(text.as_bytes()).map(|url| (url.host, url.port, url.path))
    }

    fn is(host: &str, port: u16, path: &str) -> Result<(String, u16, String), UrlError> {
        Ok((host.into(), port, path.into()))
    }

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(parts("http://a.b"), is("a.b", 80, "/"));
        assert_eq!(parts("HTTP://a:8000/x/y?z=1#top"), is("a", 8000, "/x/y?z=1"));
        assert_eq!(parts("http://a?q"), is("a", 80, "/?q"));
        assert_eq!(parts("http://[::1]:81/é"), is("::1", 81, "/%C3%A9"));
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_reason() {
        for (text, error) in [
            ("https://a/", UrlError::Scheme),
            ("a/b", UrlError::Scheme),
            ("http:///x", UrlError::Host),
            ("http://me@a/", UrlError::Host),
            ("http://a b/", UrlError::Host),
            ("http://[::1/", UrlError::Host),
            ("http://a:0/", UrlError::Port),
            ("http://a:65536/", UrlError::Port),
            ("http://a:+80/", UrlError::Port),
            ("http://a/x\r\nEvil: 1", UrlError::Character),
        ] {
            assert_eq!(parts(text), Err(error), "{text}");
        }
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let base = Url::parse(b"http://a:81/x/y?q").unwrap();
        for (location, host, port, path) in [
            ("http://b/z", "b", 80, "/z"),
            ("//b/z", "b", 80, "/z"),
            ("/z", "a", 81, "/z"),
            ("z", "a", 81, "/x/z"),
            ("?p", "a", 81, "/x/y?p"),
            ("z?u=a:b/c", "a", 81, "/x/z?u=a:b/c"),
        ] {
            let url = base.join(location.as_bytes()).unwrap();
            assert_eq!((&*url.host, url.port, &*url.path), (host, port, path), "{location}");
        }
        assert_eq!(base.join(b"https://b/"), Err(UrlError::Scheme));
    }
}
