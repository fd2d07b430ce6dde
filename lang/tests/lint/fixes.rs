//! Fixes: applying one takes its warning away and brings no other.

use super::common::warnings;

/// Applies the fix of the first warning that has one.
fn fixed(script: &str) -> String {
    let found = warnings(script.as_bytes());
    let fix = found.iter().find_map(|warning| warning.fix.clone()).expect("a fix");
    let mut out = script.as_bytes().to_vec();
    for edit in fix.edits.iter().rev() {
        out.splice(edit.span.start as usize..edit.span.end as usize, edit.text.iter().copied());
    }
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn fixes_mend() {
    for (script, expected) in [
        ("on init do println 10 - $adc - 2", "on init do println 10 - ($adc - 2)"),
        (
            "on init do println ($adc - 1 - 2 - 3) * 3",
            "on init do println ($adc - (1 - (2 - 3))) * 3",
        ),
        (
            "on init do println $adc | \"a\" | $adc + 1 | \"b\"",
            "on init do println $adc | \"a\" | $adc + (1 | \"b\")",
        ),
        ("config mqtt_hots x", "config mqtt_host x"),
        (
            "on init do if $adc = \"007\" then print 1 endif",
            "on init do if $adc = \"7\" then print 1 endif",
        ),
        (
            "on init do if $weekday = monday then print 1 endif",
            "on init do if $weekday = Mon then print 1 endif",
        ),
        (
            "on init do\n\tprint 1\n\non topic local a/b do print 2",
            "on init do\n\tprint 1\n\tsubscribe local a/b\n\non topic local a/b do print 2",
        ),
        (
            "on topic remote a/b do print 2",
            "on mqttconnect do\n    subscribe remote a/b\n\non topic remote a/b do print 2",
        ),
        (
            "on init do on topic local a do print 2",
            "on init do subscribe local a on topic local a do print 2",
        ),
    ] {
        let result = fixed(script);
        assert_eq!(result, expected);
        assert_eq!(warnings(result.as_bytes()), [], "{result}");
    }
}
