//! What can be wrong.

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// It ends too early.
    Truncated,
    /// A name in it is none.
    Name,
}

impl core::fmt::Display for WireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            WireError::Truncated => "message ends too early",
            WireError::Name => "malformed name",
        })
    }
}

impl core::error::Error for WireError {}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// It is no host name, or longer than [`MAX_OWNED_NAME`](crate::MAX_OWNED_NAME).
    InvalidName,
    /// There is no such name.
    NotFound,
    /// The name has no IPv4 address.
    NoAddress,
    /// No name server is known.
    NoServer,
    /// No server has answered.
    Timeout,
    /// The servers did not want to answer, or could not.
    Refused,
    /// Aliases lead to aliases, more than [`MAX_ALIASES`](crate::MAX_ALIASES).
    TooManyAliases,
    /// As many look-ups as there can be go on already.
    Full,
}

impl core::fmt::Display for ResolveError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ResolveError::InvalidName => "not a host name",
            ResolveError::NotFound => "no such host",
            ResolveError::NoAddress => "the host has no IPv4 address",
            ResolveError::NoServer => "no name server is known",
            ResolveError::Timeout => "no name server answers",
            ResolveError::Refused => "the name server refuses",
            ResolveError::TooManyAliases => "too many aliases",
            ResolveError::Full => "too many names are looked up",
        })
    }
}

impl core::error::Error for ResolveError {}
