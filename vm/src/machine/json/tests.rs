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
