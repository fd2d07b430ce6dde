//! What came back for a request, or why it is no response.

use alloc::vec::Vec;

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status, 100 to 999.
    pub status: u16,
    /// The `Location` header, if there is one.
    pub location: Option<Vec<u8>>,
    /// The body.
    pub body: Vec<u8>,
    /// The body is only the beginning of what came.
    pub cut: bool,
}

/// What to do with a body that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It is an error. Of a status other than 200 no body is read at all.
    Refuse,
    /// Keep its beginning.
    Cut,
}

/// Why bytes are no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// They are not HTTP.
    Malformed,
    /// The head is longer than [`MAX_HEAD`](super::reader::MAX_HEAD), or has more than
    /// [`MAX_HEADERS`](super::reader::MAX_HEADERS).
    HeadTooLong,
    /// The body is longer than allowed.
    BodyTooLong,
    /// The body is compressed, which we did not ask for.
    Encoding,
    /// The connection ended in the middle of it.
    CutShort,
    /// There is no memory for it.
    NoMemory,
}

impl core::fmt::Display for ReadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ReadError::Malformed => "the answer is not HTTP",
            ReadError::HeadTooLong => "the head of the answer is too long",
            ReadError::BodyTooLong => "the answer is too long",
            ReadError::Encoding => "the answer is compressed",
            ReadError::CutShort => "the answer was cut short",
            ReadError::NoMemory => "not enough memory for the answer",
        })
    }
}

impl core::error::Error for ReadError {}
