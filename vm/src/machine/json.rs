//! Finding one value in a JSON text, in place: no memory, no recursion, no tree.
//!
//! A reader crate would hand out events or copies; here the answer is a part of the text itself,
//! raw where it is an object or array, which costs nothing to hold. One pass over the text finds
//! the value and sees that all of the text is JSON (RFC 8259): what is broken anywhere, before or
//! behind the value, gives nothing. Every byte is looked at once, apart from the names of members,
//! which are also compared with the path.
//!
//! More liberal than the standard in one thing: bytes that are not UTF-8 may stand in strings.

use super::unescape::same_unescaped;

/// Deepest nesting of arrays and objects; deeper texts give nothing.
const MAX_DEPTH: u32 = 64;

/// Where the answer stands in the text: a string without its quotes, everything else raw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JsonValue {
    pub(super) start: usize,
    pub(super) len: usize,
    /// A string with escapes: to be unescaped.
    pub(super) escaped: bool,
    /// A string.
    pub(super) is_string: bool,
}

/// Follows a path such as `a.b.1` or `a.b[1]`; the empty path is the whole value. Looks at no more
/// bytes than path and text have together, the text's once.
pub(super) fn lookup(path: &[u8], text: &[u8]) -> Option<JsonValue> {
    lookup_within(path, text, MAX_DEPTH)
}

/// How many elements or members what the path leads to has; none if it is no array and no object.
pub(super) fn count(path: &[u8], text: &[u8]) -> Option<u32> {
    let found = lookup(path, text)?;
    let value = text.get(found.start..found.start + found.len)?;
    if found.is_string || !matches!(value.first(), Some(b'{' | b'[')) {
        return None;
    }
    let mut reader = JsonReader::new(value, MAX_DEPTH);
    let mut count = 0;
    let mut more = reader.open()?;
    while more {
        reader.name()?;
        reader.value()?;
        count += 1;
        more = reader.take(b',').is_some();
    }
    Some(count)
}

/// The part of a text that may stand in an array or object as it is: a number, `true`, `false`,
/// `null`, a whole array or object, in UTF-8, without the blanks around it, and not so deep that
/// what it stands in could not be read again.
pub(super) fn as_it_is(text: &[u8]) -> Option<JsonValue> {
    core::str::from_utf8(text).ok()?;
    lookup_within(b"", text, MAX_DEPTH - 1).filter(|found| !found.is_string)
}

fn lookup_within(path: &[u8], text: &[u8], deepest: u32) -> Option<JsonValue> {
    let mut reader = JsonReader::new(text, deepest);
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
    let escaped = reader.value()?;
    let end = reader.at;
    while reader.close(0)? {
        reader.value()?;
    }
    if reader.peek().is_some() {
        return None;
    }
    Some(match first {
        b'"' => JsonValue { start: start + 1, len: end - start - 2, escaped, is_string: true },
        _ => JsonValue { start, len: end - start, escaped: false, is_string: false },
    })
}

struct JsonReader<'t> {
    text: &'t [u8],
    /// How many bytes have been looked at.
    at: usize,
    /// Bit n: whether the container n levels further out is an object.
    objects: u64,
    /// How many containers are open.
    depth: u32,
    /// How many may be.
    deepest: u32,
}

impl JsonReader<'_> {
    fn new(text: &[u8], deepest: u32) -> JsonReader<'_> {
        JsonReader { text, at: 0, objects: 0, depth: 0, deepest }
    }

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

    /// Opens the container that starts here; false if it is empty, and then it is closed already.
    fn open(&mut self) -> Option<bool> {
        let is_object = self.peek()? == b'{';
        self.at += 1;
        if self.peek()? == if is_object { b'}' } else { b']' } {
            self.at += 1;
            return Some(false);
        }
        if self.depth == self.deepest {
            return None;
        }
        self.objects = self.objects << 1 | u64::from(is_object);
        self.depth += 1;
        Some(true)
    }

    /// Goes to the value of a name in the object that starts here.
    fn enter_object(&mut self, name: &[u8]) -> Option<()> {
        if !self.open()? {
            return None;
        }
        loop {
            self.peek()?;
            let start = self.at + 1;
            let escaped = self.string()?;
            let raw = self.text.get(start..self.at - 1)?;
            let same = if escaped { same_unescaped(raw, name) } else { raw == name };
            self.take(b':')?;
            if same {
                return Some(());
            }
            self.value()?;
            self.take(b',')?;
        }
    }

    /// Goes to an element of the array that starts here.
    fn enter_array(&mut self, index: &[u8]) -> Option<()> {
        let index: u32 = core::str::from_utf8(index).ok()?.parse().ok()?;
        if !self.open()? {
            return None;
        }
        for _ in 0..index {
            self.value()?;
            self.take(b',')?;
        }
        Some(())
    }

    /// Reads a value; true if it is a string with escapes.
    fn value(&mut self) -> Option<bool> {
        let outside = self.depth;
        loop {
            let escaped = match self.peek()? {
                b'{' | b'[' => {
                    if self.open()? {
                        self.name()?;
                        continue;
                    }
                    false
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.word()?,
            };
            if !self.close(outside)? {
                return Some(escaped);
            }
        }
    }

    /// Behind a value: closes containers until `outside` are open, and is false then, or comes to
    /// where the next value of one is due.
    fn close(&mut self, outside: u32) -> Option<bool> {
        while self.depth > outside {
            let end = if self.objects & 1 == 1 { b'}' } else { b']' };
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.name()?;
                    return Some(true);
                }
                close if close == end => {
                    self.at += 1;
                    self.objects >>= 1;
                    self.depth -= 1;
                }
                _ => return None,
            }
        }
        Some(false)
    }

    /// In an object, a name and its colon come before a value.
    fn name(&mut self) -> Option<()> {
        if self.objects & 1 == 1 {
            self.peek()?;
            self.string()?;
            self.take(b':')?;
        }
        Some(())
    }

    /// Reads a string; true if it has escapes.
    fn string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        let mut escaped = false;
        loop {
            match self.byte()? {
                b'"' => return Some(escaped),
                b'\\' => {
                    escaped = true;
                    match self.byte()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            for _ in 0..4 {
                                self.byte()?.is_ascii_hexdigit().then_some(())?;
                            }
                        }
                        _ => return None,
                    }
                }
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Reads a number: no leading zeros, digits on both sides of a point and behind an exponent's
    /// `e`.
    fn number(&mut self) -> Option<bool> {
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(false)
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// Reads `true`, `false` or `null`.
    fn word(&mut self) -> Option<bool> {
        let rest = self.text.get(self.at..)?;
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(false)
    }
}

#[cfg(test)]
mod tests;
