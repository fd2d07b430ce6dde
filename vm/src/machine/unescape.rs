//! The bytes that a JSON string with escapes stands for.

/// Writes out a raw string's bytes: never more than it has itself. Returns how many.
pub(super) fn unescape(raw: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    for character in (Unescaped { raw }) {
        let Some(place) = out.get_mut(len..len + character.len) else { break };
        place.copy_from_slice(&character.bytes[..character.len]);
        len += character.len;
    }
    len
}

pub(super) fn same_unescaped(raw: &[u8], name: &[u8]) -> bool {
    let mut rest = name;
    for character in (Unescaped { raw }) {
        match rest.strip_prefix(&character.bytes[..character.len]) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The bytes a raw string stands for, one character after the other.
struct Unescaped<'t> {
    raw: &'t [u8],
}

/// One character in UTF-8, at most four bytes.
struct Utf8 {
    bytes: [u8; 4],
    len: usize,
}

impl Iterator for Unescaped<'_> {
    type Item = Utf8;

    fn next(&mut self) -> Option<Utf8> {
        let (&first, rest) = self.raw.split_first()?;
        let one = |byte| Utf8 { bytes: [byte, 0, 0, 0], len: 1 };
        if first != b'\\' {
            self.raw = rest;
            return Some(one(first));
        }
        let (&kind, rest) = rest.split_first()?;
        self.raw = rest;
        Some(match kind {
            b'n' => one(b'\n'),
            b't' => one(b'\t'),
            b'r' => one(b'\r'),
            b'b' => one(8),
            b'f' => one(12),
            b'u' => {
                let mut code = self.hex4().unwrap_or(0xfffd);
                if (0xd800..0xdc00).contains(&code) {
                    let high = code;
                    code = 0xfffd;
                    if let Some(rest) = self.raw.strip_prefix(b"\\u") {
                        let mut ahead = Unescaped { raw: rest };
                        if let Some(low @ 0xdc00..0xe000) = ahead.hex4() {
                            code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                            self.raw = ahead.raw;
                        }
                    }
                }
                let mut bytes = [0; 4];
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                let len = character.encode_utf8(&mut bytes).len();
                Utf8 { bytes, len }
            }
            other => one(other),
        })
    }
}

impl Unescaped<'_> {
    fn hex4(&mut self) -> Option<u32> {
        let (digits, rest) = self.raw.split_first_chunk::<4>()?;
        let mut value = 0;
        for digit in digits {
            value = value << 4 | char::from(*digit).to_digit(16)?;
        }
        self.raw = rest;
        Some(value)
    }
}
