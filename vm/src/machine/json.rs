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
}

/// Follows a path such as `a.b.1` or `a.b[1]`; the empty path is the whole value. Looks at no more
/// bytes than path and text have together, the text's once.
pub(super) fn lookup(path: &[u8], text: &[u8]) -> Option<JsonValue> {
    let mut reader = JsonReader { text, at: 0, objects: 0, depth: 0 };
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
        b'"' => JsonValue { start: start + 1, len: end - start - 2, escaped },
        _ => JsonValue { start, len: end - start, escaped: false },
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
}

impl JsonReader<'_> {
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
        if self.depth == MAX_DEPTH {
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
mod tests {
    use std::string::String;
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::machine::unescape::unescape;

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
        let text = r#"{"s":"a\"b\\\n\u00e9\ud83d\ude00\ud800x\/"}"#;
        assert_eq!(get("s", text), "a\"b\\\n\u{e9}\u{1f600}\u{fffd}x/");
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
            r#"{"a":2"#,
            r#"{"a":1}}}"#,
            r#"{"a":007}"#,
            r#"{"a":3,}"#,
            r#"{"a":1,"b":[2,]}"#,
            r#"{"a":1,"b":[2}}"#,
            r#"{"a":1,"b"}"#,
            r#"{"b":01,"a":1}"#,
            r#"{"b":1.,"a":1}"#,
            r#"{"a":1} x"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e}"#,
            r#"{"a":.5}"#,
            r#"{"a":nul}"#,
            r#"{"a":"\q"}"#,
            r#"{"a":"\u12g4"}"#,
            "{\"a\":\"\n\"}",
            r#"{'a':1}"#,
            r#"{"a":1 /* one */}"#,
        ] {
            assert_eq!(get("a", text), "-", "{text}");
        }
        assert_eq!(get("", "1 2"), "-");
        assert_eq!(get("", "[1,2"), "-");
        assert_eq!(get("0", "[1,2"), "-");
        assert_eq!(get("0", "[1,2]]"), "-");
        assert_eq!(get("1", "[[[[1},2]"), "-");
        let deep = "[".repeat(100_000);
        assert_eq!(get("1", &deep), "-");
    }
    /// The judge of what is JSON. It reads no numbers and no escapes, so it takes what the grammar
    /// takes.
    fn is_json(text: &[u8]) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            "\\PC{0,5}|[a-c]|[\"\\\\\n]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

        /// What is JSON, and nothing else, gives itself for the empty path.
        #[test]
        fn judges_as_serde_json_does(text in r#"[\[\]{},:"a0-2.eE+\-tn \\/u]{0,12}"#) {
            prop_assert_eq!(lookup(b"", text.as_bytes()).is_some(), is_json(text.as_bytes()));
        }

        /// The same for texts that are nearly JSON, and where a value is found it is the right one.
        #[test]
        fn judges_mutated_json_as_serde_json_does(
            json in json(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(&b"{}[],:\"\\019-.eu ntx\n"[..])), 0..3),
        ) {
            let mut text = std::string::ToString::to_string(&json).into_bytes();
            for (at, what, byte) in edits {
                let at = at.index(text.len());
                match what {
                    0 => text[at] = byte,
                    1 => text.insert(at, byte),
                    _ => text.truncate(at + 1),
                }
            }
            let right = is_json(&text);
            prop_assert_eq!(lookup(b"", &text).is_some(), right);
            for path in ["a", "b.a", "0", "1.c", "c[0]"] {
                let Some(found) = lookup(path.as_bytes(), &text) else { continue };
                prop_assert!(right, "a value from broken JSON");
                prop_assert!(found.start + found.len <= text.len());
            }
        }

        /// A value that is there is found.
        #[test]
        fn finds_what_serde_json_finds(json in json(), path in "[a-c0-2](\\.[a-c0-2]){0,2}") {
            let text = std::string::ToString::to_string(&json);
            let expected = path.split('.').try_fold(&json, |value, step| match value {
                serde_json::Value::Array(list) => list.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            });
            let found = lookup(path.as_bytes(), text.as_bytes());
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let Some(expected) = expected {
                let expected = match expected {
                    serde_json::Value::String(text) => text.clone(),
                    other => std::string::ToString::to_string(other),
                };
                prop_assert_eq!(get(&path, &text), expected);
            }
        }
    }

    #[test]
    fn deep_texts_are_read_to_the_limit() {
        let nested = |n: usize| std::format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(get("", &nested(64)), nested(64));
        assert_eq!(get("", &nested(65)), "-");
        assert_eq!(get("0.0.0.0", &nested(64)), nested(60));
        assert_eq!(get("0.0.0.0", &nested(65)), "-");
    }
}
