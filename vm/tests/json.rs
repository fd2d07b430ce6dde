//! JSON both ways, against another reader: random documents, and documents broken in every way.
//!
//! `UMQTT_JSON_ROUNDS=3000000 cargo test --release -p umqtt-vm --test json` for many more rounds.
#![allow(clippy::unwrap_used)]

mod common;

use common::Script;
use serde_json::{Value, de::from_slice, value::Map};
use umqtt_vm::{Event, Side};

/// Longest value, bytes.
const VALUE: usize = 4096;

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn text(&mut self) -> String {
        const CHARACTERS: [char; 18] = [
            'a', 'b', '0', ' ', '"', '\\', '/', '\n', '\r', '\t', '\0', '\u{1f}', '\u{7f}', 'é',
            '€', '😀', '{', ']',
        ];
        (0..self.below(7)).map(|_| CHARACTERS[self.below(CHARACTERS.len())]).collect()
    }

    /// A document of at most so many levels.
    fn document(&mut self, levels: usize) -> Value {
        match self.below(if levels == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::from(self.below(100_000) as i64 - 50_000),
            3 => Value::from(self.below(1_000_000) as f64 / 1024.0 - 300.0),
            4 | 5 => Value::from(self.text()),
            6 => (0..self.below(4)).map(|_| self.document(levels - 1)).collect(),
            _ => {
                let members = 0..self.below(4);
                members
                    .map(|_| (self.text(), self.document(levels - 1)))
                    .collect::<Map<_, _>>()
                    .into()
            }
        }
    }

    fn written(&mut self) -> Vec<u8> {
        let document = self.document(4);
        match self.below(3) {
            0 => serde_json::to_vec_pretty(&document).unwrap(),
            _ => serde_json::to_vec(&document).unwrap(),
        }
    }

    /// A document that was changed in some places: often none any more.
    fn broken(&mut self) -> Vec<u8> {
        const BYTES: &[u8] = b"{}[],:\"\\ -+.0123456789eEtrufalsn\x00\x1f\xff\xc3\n";
        let mut text = self.written();
        for _ in 0..1 + self.below(3) {
            let at = self.below(text.len());
            match self.below(5) {
                0 => text.truncate(at),
                1 if at < text.len() => drop(text.remove(at)),
                2 if at < text.len() => text[at] = BYTES[self.below(BYTES.len())],
                3 => text.insert(at, BYTES[self.below(BYTES.len())]),
                _ => text
                    .extend_from_slice(&[b"x", b"1", b",", b"}", b"\"", b" "][self.below(6)][..]),
            }
        }
        text
    }
}

fn rounds() -> usize {
    std::env::var("UMQTT_JSON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20_000)
}

/// What another reader makes of a text: broken, or JSON, whose strings may hold any bytes.
fn is_json(text: &[u8]) -> bool {
    from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// The value as a script has it.
fn as_value(document: &Value, raw: &[u8]) -> Vec<u8> {
    match document {
        Value::String(text) => text.clone().into_bytes(),
        _ => raw.trim_ascii().to_vec(),
    }
}

#[test]
fn a_document_is_read_whole_or_not_at_all() {
    let mut script = Script::new(
        r#"on topic local a do setvar $x = json_parse("", $this_data) setvar $n = json_len("", $this_data)"#,
        20_000,
        VALUE,
    );
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut broken = 0;
    for round in 0..rounds() {
        let text = if round % 4 == 0 { random.written() } else { random.broken() };
        if text.len() > VALUE {
            continue;
        }
        script.message(b"a", &text);
        let (read, count) = (script.variable("$x"), script.variable("$n"));
        let shown = String::from_utf8_lossy(&text);
        if !is_json(&text) {
            broken += 1;
            assert_eq!((&read[..], &count[..]), (&b""[..], &b""[..]), "{shown}");
            continue;
        }
        let Ok(document) = from_slice::<Value>(&text) else { continue };
        assert_eq!(read, as_value(&document, &text), "{shown}");
        let len = match &document {
            Value::Array(elements) => Some(elements.len()),
            // The other reader takes members of one name for one.
            Value::Object(members) if round % 4 == 0 => Some(members.len()),
            Value::Object(_) => continue,
            _ => None,
        };
        assert_eq!(count, len.map_or(String::new(), |len| len.to_string()).into_bytes(), "{shown}");
    }
    assert!(broken > rounds() / 10, "{broken}");
}

#[test]
fn every_cut_of_a_document_is_empty() {
    let mut script =
        Script::new(r#"on topic local a do setvar $x = json_parse("", $this_data)"#, 20_000, VALUE);
    let mut random = Random(7);
    for _ in 0..rounds() / 100 {
        let text = random.written();
        for len in 0..text.len().min(VALUE) {
            script.message(b"a", &text[..len]);
            // A number that is cut may be another one, and blanks are nothing.
            if !is_json(&text[..len]) {
                assert_eq!(script.variable("$x"), b"", "{}", String::from_utf8_lossy(&text[..len]));
            }
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let mut script = Script::new(
        r#"on topic local a do setvar $a = $this_data
           on topic local b do
               setvar $o = json("as it is", $a, $this_data, $this_data, "text", text($a))
               setvar $l = json_array($this_data, 7, text(7), text($a), $a)
               setvar $name = json_parse("as it is", $o)
               setvar $text = json_parse("text", $o)
               setvar $last = json_parse("4", $l)
               setvar $n = json_len("", $l)"#,
        60_000,
        VALUE,
    );
    let mut random = Random(99);
    for round in 0..rounds() {
        let data = |random: &mut Random| match round % 3 {
            0 => random.written(),
            1 => random.broken(),
            _ => random.text().into_bytes(),
        };
        let (a, b) = (data(&mut random), data(&mut random));
        if 8 * (a.len() + b.len()) > VALUE {
            continue;
        }
        script.message(b"a", &a);
        script.message(b"b", &b);
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
        // Whole JSON that is no string, and nothing that only this reader or that one takes.
        let value = |bytes: &[u8]| match from_slice::<Value>(bytes) {
            Ok(Value::String(_)) | Err(_) => text(bytes),
            Ok(document) => document,
        };
        let read = |bytes: &[u8]| {
            from_slice::<Value>(bytes).unwrap_or_else(|error| {
                panic!("{error}: {}", String::from_utf8_lossy(bytes));
            })
        };
        // What only one of the readers takes for a number or a string.
        let differs = |bytes: &[u8]| is_json(bytes) && from_slice::<Value>(bytes).is_err();
        if differs(&a) || differs(&b) {
            assert!(is_json(&script.variable("$o")) && is_json(&script.variable("$l")));
            continue;
        }
        let mut object = Map::new();
        object.insert("as it is".into(), value(&a));
        object.insert(String::from_utf8_lossy(&b).into_owned(), value(&b));
        object.insert("text".into(), text(&a));
        assert_eq!(read(&script.variable("$o")), Value::from(object));
        let elements = vec![value(&b), 7.into(), "7".into(), text(&a), value(&a)];
        assert_eq!(read(&script.variable("$l")), Value::from(elements));
        assert_eq!(script.variable("$n"), b"5");
        if !matches!(&b[..], b"as it is" | b"text") {
            let lossy = String::from_utf8_lossy(&a).into_owned().into_bytes();
            let as_it_is = match from_slice::<Value>(&a) {
                Ok(Value::String(_)) | Err(_) => lossy.clone(),
                Ok(_) => a.trim_ascii().to_vec(),
            };
            assert_eq!(script.variable("$text"), lossy);
            assert_eq!(script.variable("$name"), as_it_is);
            assert_eq!(script.variable("$last"), as_it_is);
        }
    }
}

#[test]
fn an_object_that_is_too_long_is_empty_and_counted() {
    let mut script = Script::new(
        r#"on topic local a do setvar $x = json("a", $this_data, "b", 1) setvar $y = 1"#,
        1000,
        32,
    );
    for (data, expected, cut) in [
        ("123456789012345678", r#"{"a":123456789012345678,"b":1}"#, 0),
        ("abcdefghijklmnopqr", r#"{"a":"abcdefghijklmnopqr","b":1}"#, 0),
        ("abcdefghijklmnopqrs", "", 1),
        ("abcdefghijklmnop\n\n", "", 2),
        ("abcdefghijklmn\n\n", r#"{"a":"abcdefghijklmn\n\n","b":1}"#, 2),
    ] {
        script.message(b"a", data.as_bytes());
        assert_eq!(script.variable("$x"), expected.as_bytes());
        assert_eq!(script.machine.warnings().values_cut, cut, "{data:?}");
    }
}

#[test]
fn what_is_too_deep_to_be_read_again_is_a_text() {
    let mut script = Script::new(
        r#"on topic local a do setvar $x = json_array($this_data) setvar $y = json_parse("0", $x)"#,
        20_000,
        VALUE,
    );
    for depth in [1, 62, 63, 64, 65, 1000] {
        let data = ["[".repeat(depth), "7".into(), "]".repeat(depth)].concat();
        script.message(b"a", data.as_bytes());
        let written = String::from_utf8(script.variable("$x")).unwrap();
        let expected = if depth < 64 { format!("[{data}]") } else { format!("[\"{data}\"]") };
        assert_eq!(written, expected);
        assert_eq!(script.variable("$y"), data.as_bytes());
    }
}

#[test]
fn little_memory_stops_the_handler_and_breaks_nothing() {
    for memory in 0..120 {
        let mut script = Script::new(
            r#"on topic local a do setvar $x = json("a", $this_data | "!", "b", "\"" | $this_data) setvar $y = 1"#,
            memory,
            VALUE,
        );
        let event = Event::Topic { side: Side::Local, topic: b"a", data: b"hello" };
        let ended = script.run(&event, 100_000).is_ok();
        let x = script.variable("$x");
        assert_eq!(ended, x == br#"{"a":"hello!","b":"\"hello"}"#, "{memory}");
        assert!(ended || x.is_empty());
        assert!(ended || memory < 100);
    }
}

#[test]
fn members_are_counted() {
    let mut script = Script::new(
        r#"on topic local a do setvar $whole = json_len("", $this_data) setvar $part = json_len("a.1", $this_data)"#,
        2000,
        200,
    );
    for (text, whole, part) in [
        (r#"{"a":[0,{"b":1,"c":[2,3],"d":{}}],"x":"y"}"#, "2", "3"),
        (r#"{"a":[0,[]]}"#, "1", "0"),
        (" [ ] ", "0", ""),
        ("[[1,2,3],4]", "2", ""),
        (r#"{"a":[0,"[1,2]"]}"#, "1", ""),
        ("7", "", ""),
        ("\"[1]\"", "", ""),
        ("[1,2", "", ""),
        ("[1,2]]", "", ""),
        ("", "", ""),
    ] {
        script.message(b"a", text.as_bytes());
        assert_eq!(script.variable("$whole"), whole.as_bytes(), "{text}");
        assert_eq!(script.variable("$part"), part.as_bytes(), "{text}");
    }
}
