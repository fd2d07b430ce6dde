//! Hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Reads `N` bytes from twice as many digits, in either case.
pub fn read<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    read_into(text, &mut bytes).map(|()| bytes)
}

// Once for all lengths.
#[inline(never)]
fn read_into(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(())
}

/// Writes bytes as lower case digits, as many of them as there is room for.
pub fn write(bytes: &[u8], into: &mut [u8]) {
    for (byte, place) in bytes.iter().zip(into.as_chunks_mut::<2>().0) {
        *place = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
}

fn digit(text: u8) -> Option<u8> {
    char::from(text).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
