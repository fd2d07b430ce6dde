//! Values of header fields.

use alloc::vec::Vec;

use umqtt_memory::try_room_exact;

use super::response::ReadError;

/// A value without its line ends: where it is folded is one blank (RFC 9112 section 5.2).
pub(super) fn unfolded(value: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut whole = Vec::new();
    if !try_room_exact(&mut whole, value.len()) {
        return Err(ReadError::NoMemory);
    }
    for (place, line) in value.split(|byte| *byte == b'\n').enumerate() {
        if place > 0 {
            whole.push(b' ');
        }
        whole.extend_from_slice(line.trim_ascii());
    }
    Ok(whole)
}

/// A number, of digits alone.
pub(super) fn decimal(text: &[u8]) -> Result<u64, ReadError> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(ReadError::Malformed);
    }
    let text = core::str::from_utf8(text).map_err(|_| ReadError::Malformed)?;
    text.parse().map_err(|_| ReadError::BodyTooLong)
}
