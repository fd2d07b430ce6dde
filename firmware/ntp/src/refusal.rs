//! Why a datagram is not believed.

use core::fmt;

/// Why a datagram is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// Nothing was asked, or it was answered already.
    NotAsked,
    /// It is not from the server that was asked.
    Address,
    /// It is too short.
    Length,
    /// It is no answer, or of another version of the protocol.
    Kind,
    /// It does not answer what was asked.
    Origin,
    /// The server wants not to be asked, or more seldom.
    Kiss([u8; 4]),
    /// The server's clock is not synchronised.
    Unsynchronised,
    /// It says no time, or one before it was asked for it.
    NoTime,
    /// The server's clock may be too far from the truth.
    RootDistance,
    /// It says that answering took longer than the answer was waited for.
    RoundTrip,
}

impl Refusal {
    /// Whether it came from who was asked: what anybody can send ends no exchange.
    pub(crate) const fn is_authentic(self) -> bool {
        matches!(
            self,
            Refusal::Kiss(_)
                | Refusal::Unsynchronised
                | Refusal::NoTime
                | Refusal::RootDistance
                | Refusal::RoundTrip
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NotAsked => "nothing was asked",
            Refusal::Address => "not from the server",
            Refusal::Length => "too short",
            Refusal::Kind => "not an answer",
            Refusal::Origin => "not an answer to the request",
            Refusal::Kiss(code) => {
                let code = code.map(|byte| if byte.is_ascii_graphic() { byte } else { b'?' });
                return write!(f, "refused with {}", core::str::from_utf8(&code).unwrap_or("?"));
            }
            Refusal::Unsynchronised => "its clock is not synchronised",
            Refusal::NoTime => "no time in it",
            Refusal::RootDistance => "too far from a reference clock",
            Refusal::RoundTrip => "impossible round trip",
        })
    }
}

impl core::error::Error for Refusal {}
