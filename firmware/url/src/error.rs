//! What is wrong with a URL.

/// Why a byte string is no URL that can be asked for.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `http://`.
    Scheme,
    /// It begins with `https://`.
    Https,
    /// There is a user name before the host: `http://user:password@host/`.
    UserInfo,
    /// The host is missing or no host.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// It holds a blank.
    Blank,
    /// It holds a control character.
    Control,
    /// It is longer than [`MAX_URL`](crate::MAX_URL).
    TooLong,
}

impl core::fmt::Display for UrlError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            UrlError::Scheme => "a URL begins with http://",
            UrlError::Https => "https is not supported, only http://",
            UrlError::UserInfo => "user name and password in a URL are not supported",
            UrlError::Host => "the URL has no valid host",
            UrlError::Port => "the port of the URL is not 1 to 65535",
            UrlError::Blank => "the URL has a blank: write %20",
            UrlError::Control => "the URL has a control character",
            UrlError::TooLong => "the URL is longer than 2048 bytes",
        })
    }
}

impl core::error::Error for UrlError {}
