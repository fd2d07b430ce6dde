//! Addresses of pages: `http://host[:port]/path?query`.

use alloc::string::String;
use alloc::vec::Vec;

use umqtt_url::{DEFAULT_PORT, UrlParts, check_characters};
pub use umqtt_url::{MAX_URL, UrlError};

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

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &[u8]) -> Result<Url, UrlError> {
        let parts = UrlParts::parse(text)?;
        Ok(Url { host: parts.host.into(), port: parts.port, path: encode_path(parts.target)? })
    }

    /// Where a `Location` header leads from here.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn join(&self, location: &[u8]) -> Result<Url, UrlError> {
        if location.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        // As browsers do: servers that say a file's name in it often leave its blanks.
        let whole = location.split(|byte| *byte == b' ').collect::<Vec<_>>().join(&b"%20"[..]);
        let location = &whole[..];
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
        let path = without_dots(&path);
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

/// A path without its `.` and `..` (RFC 3986 section 5.2.4), and the query as it is.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment == ".." {
            kept.pop();
        }
        match segment {
            // At the end they stand for the folder.
            "." | ".." if segments.peek().is_none() => kept.push(""),
            "." | ".." => {}
            _ => kept.push(segment),
        }
    }
    alloc::format!("/{}{query}", kept.join("/"))
}

/// Path and query without the fragment, with every byte that is not ASCII percent-encoded.
fn encode_path(path: &[u8]) -> Result<String, UrlError> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let end = path.iter().position(|byte| *byte == b'#').unwrap_or(path.len());
    check_characters(&path[..end])?;
    let mut encoded = String::with_capacity(end + 1);
    if path.first() != Some(&b'/') {
        encoded.push('/');
    }
    for &byte in &path[..end] {
        match byte {
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
            ("https://a/", UrlError::Https),
            ("http://me@a/", UrlError::UserInfo),
            ("http://a/x\r\nEvil: 1", UrlError::Control),
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
            ("a file.txt", "a", 81, "/x/a%20file.txt"),
            ("http://b/a file.txt?x y", "b", 80, "/a%20file.txt?x%20y"),
            ("../z", "a", 81, "/z"),
            ("../../z/./w?..", "a", 81, "/z/w?.."),
            ("z/..", "a", 81, "/x/"),
            ("/..", "a", 81, "/"),
            ("", "a", 81, "/x/y?q"),
            ("#top", "a", 81, "/x/y?q"),
        ] {
            let url = base.join(location.as_bytes()).unwrap();
            assert_eq!((&*url.host, url.port, &*url.path), (host, port, path), "{location}");
        }
        assert_eq!(base.join(b"https://b/"), Err(UrlError::Https));
        assert_eq!(base.join(b"/x\r\nEvil: 1"), Err(UrlError::Control));
        assert_eq!(base.join(b"http://b/x\tEvil"), Err(UrlError::Control));
    }
}
