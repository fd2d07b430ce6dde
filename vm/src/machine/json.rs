//! Finding one value in a JSON text, in place: no memory, no recursion, no tree.
//!
//! A reader crate would hand out events or copies; here the answer is a part of the text itself, raw where it is
//! an object or array, which costs nothing to hold. What cannot be read gives nothing.

/// Deepest nesting of arrays and objects that is skipped over; deeper texts give nothing.
const MAX_DEPTH: u32 = 64;

/// Where the answer stands in the text: a string without its quotes, everything else raw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) len: usize,
    /// A string with escapes: [`unescape`] it.
    pub(super) escaped: bool,
}

/// Follows a path such as `a.b.1` or `a.b[1]`; the empty path is the whole value.
pub(super) fn lookup(path: &[u8], text: &[u8]) -> Option<Found> {
    let mut reader = Reader { text, at: 0 };
    let steps =
        path.split(|byte| matches!(byte, b'.' | b'[' | b']')).filter(|step| !step.is_empty());
    for step in steps {
        match reader.peek()? {
            b'{' => reader.enter_object(step)?,
            b'[' => reader.enter_array(step)?,
            _ => return None,
        }
    }
    let first = reader.peek()?;
    let start = reader.at;
    let escaped = reader.skip()?;
    let end = reader.at;
    Some(match first {
        b'"' => Found { start: start + 1, len: end - start - 2, escaped },
        _ => Found { start, len: end - start, escaped: false },
    })
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        (self.peek()? == expected).then(|| self.at += 1)
    }

    /// Goes to the value of a name in the object that starts here.
    fn enter_object(&mut self, name: &[u8]) -> Option<()> {
        self.take(b'{')?;
        while self.peek()? == b'"' {
            let start = self.at + 1;
            let escaped = self.string()?;
            let raw = self.text.get(start..self.at - 1)?;
            let same = if escaped { same_unescaped(raw, name) } else { raw == name };
            self.take(b':')?;
            if same {
                return Some(());
            }
            self.skip()?;
            self.take(b',')?;
        }
        None
    }

    /// Goes to an element of the array that starts here.
    fn enter_array(&mut self, index: &[u8]) -> Option<()> {
        self.take(b'[')?;
        let index: u32 = core::str::from_utf8(index).ok()?.parse().ok()?;
        for _ in 0..index {
            self.skip()?;
            self.take(b',')?;
        }
        (self.peek()? != b']').then_some(())
    }

    /// Skips a value; true if it is a string with escapes.
    fn skip(&mut self) -> Option<bool> {
        // Bit n tells whether level n is an object.
        let (mut objects, mut depth) = (0u64, 0u32);
        loop {
            let mut escaped = false;
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    objects = objects << 1 | u64::from(open == b'{');
                    depth += 1;
                    if self.peek()? != if open == b'{' { b'}' } else { b']' } {
                        self.name_in(objects)?;
                        continue;
                    }
                }
                b'"' => escaped = self.string()?,
                _ => self.word()?,
            }
            // A value is complete: close what it was the last of.
            loop {
                if depth == 0 {
                    return Some(escaped);
                }
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        self.name_in(objects)?;
                        break;
                    }
                    close if close == if objects & 1 == 1 { b'}' } else { b']' } => {
                        self.at += 1;
                        objects >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// In an object, a name and its colon come before a value.
    fn name_in(&mut self, objects: u64) -> Option<()> {
        if objects & 1 == 1 {
            self.peek()?;
            self.string()?;
            self.take(b':')?;
        }
        Some(())
    }

    /// Skips a string; true if it has escapes.
    fn string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        let mut escaped = false;
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => return Some(escaped),
                b'\\' => {
                    self.text.get(self.at)?;
                    self.at += 1;
                    escaped = true;
                }
                _ => {}
            }
        }
    }

    /// Skips a number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let is_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = rest.iter().take_while(|byte| is_word(byte)).count();
        let word = &rest[..len];
        let number = matches!(word.first(), Some(b'-' | b'0'..=b'9'));
        self.at += len;
        (number || matches!(word, b"true" | b"false" | b"null")).then_some(())
    }
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

fn same_unescaped(raw: &[u8], name: &[u8]) -> bool {
    let mut rest = name;
    for character in (Unescaped { raw }) {
        match rest.strip_prefix(&character.bytes[..character.len]) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

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

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec;

    use super::*;

    fn get(path: &str, text: &str) -> String {
        let Some(found) = lookup(path.as_bytes(), text.as_bytes()) else { return "-".into() };
        let raw = &text.as_bytes()[found.start..found.start + found.len];
        let mut out = vec![0; raw.len()];
        let len = if found.escaped { unescape(raw, &mut out) } else { raw.len() };
        let bytes = if found.escaped { &out[..len] } else { raw };
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn follows_paths() {
        let text = r#" { "a" : { "b" : [ 10, "zwanzig", {"c": null} ], "x.y": true }, "e\u0301": -1.5e3 , "" : 0 }"#;
        assert_eq!(get("a.b.0", text), "10");
        assert_eq!(get("a.b.1", text), "zwanzig");
        assert_eq!(get("a.b[1]", text), "zwanzig");
        assert_eq!(get("a.b[2].c", text), "null");
        assert_eq!(get("a.b", text), r#"[ 10, "zwanzig", {"c": null} ]"#);
        assert_eq!(get("e\u{301}", text), "-1.5e3");
        assert_eq!(get("a.b.3", text), "-");
        assert_eq!(get("a.nope", text), "-");
        assert_eq!(get("a.b.x", text), "-");
        assert_eq!(get("", "17"), "17");
    }

    #[test]
    fn strings_come_out_unescaped() {
        let text = r#"{"s":"a\"b\\\n\u00e9\ud83d\ude00\ud800x\q"}"#;
        assert_eq!(get("s", text), "a\"b\\\n\u{e9}\u{1f600}\u{fffd}xq");
    }

    #[test]
    fn broken_texts_give_nothing() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"b\":1 \"a\":2}",
            "[1",
            "{\"a\":[1}",
            "{a:1}",
            "{\"a\":\"x",
        ] {
            assert_eq!(get("a", text), "-", "{text}");
        }
        assert_eq!(get("1", "[[[[1},2]"), "-");
        let deep = "[".repeat(100_000);
        assert_eq!(get("1", &deep), "-");
    }
}
